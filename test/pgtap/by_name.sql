-- Cards by name, a month metered by name, and how far each month is.
BEGIN;
\ir include/setup.sql

SELECT is(im_card('cn', '2023-12-31')::jsonb, im_bundled_card('cn', '2019-12-10')::jsonb, 'the last day of a version has the next one');
SELECT is(im_card('cn', '2024-01-01')::jsonb, im_bundled_card('cn', '2024-01-01')::jsonb, 'the first day of a version has the one before');
SELECT is(im_card('cn')::jsonb, im_bundled_card('cn', '2024-01-01')::jsonb, 'today has another version');
SELECT is(im_card('cn')::jsonb, im_current_card()::jsonb, 'im_current_card() is another card');
SELECT fails_with($$SELECT im_card('mars')$$, 'P0002', 'mars', 'a card that there is not');
SELECT fails_with($$SELECT im_card('mars', '2024-01-01')$$, 'P0002', 'mars', 'a card that there is not, on a day');
SELECT fails_with($$SELECT im_card('cn', '2019-12-09')$$, 'P0002', '2019-12-09', 'the day before the first version');
SELECT ok(im_card(NULL) IS NULL, 'no name, but a card');
SELECT is(n(im_dau_overage(im_card('overseas'), 'pro', 10001)), '3000', 'whatever takes a card takes it by name');

-- im_meter_month()
CALL app(1);
CALL buy(1, 1, '2023-02-03 10:00', 'plan', 'pro', 3);
INSERT INTO im_login (app_id, user_id, at)
SELECT 1, 'u', at8(d || ' 12:00') FROM unnest('{2023-02-28,2023-03-01,2023-03-31,2023-04-01}'::text[]) d;
SELECT is(im_meter_month('2023-03'), 2::bigint, 'the rows of the month');
SELECT is((SELECT string_agg(day::text, ' ' ORDER BY day) FROM im_usage_daily WHERE app_id = 1), '2023-03-01 2023-03-31',
	'days of another month were metered');
SELECT is(im_meter_month(NULL), NULL::bigint, 'no month');

-- im_months(): a row a month and currency
CREATE FUNCTION im_test.months(until date) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', to_char(m.month, 'YYYY-MM'), m.state, m.apps, m.documents, m.currency, n(m.total)), E'\n')
	FROM im_months() m WHERE m.month < until $$;
CREATE FUNCTION im_test.close(month text, batch int) RETURNS void LANGUAGE sql AS $$
	SELECT im_close_batch(month::im_month, batch, ROW(NULL, 0, 0, 0, '{}', '{}', NULL, false, NULL, now())::im_run) $$;
CALL app(2, 'intl');
CALL buy(2, 1, '2023-03-01 10:00', 'plan', 'standard', 1);
CALL settle();
SELECT is(months('2023-04-01'), E'2023-02 closable 1 0 CNY 2997\n2023-03 closable 1 0 CNY 0\n2023-03 closable 1 0 USD 399', 'nothing is closed');
SELECT is(months('2023-04-01'), E'2023-02 closable 1 0 CNY 2997\n2023-03 closable 1 0 CNY 0\n2023-03 closable 1 0 USD 399', 'and still is not');
SELECT close('2023-02', 100) \g /dev/null
SELECT is(split_part(months('2023-04-01'), E'\n', 1), '2023-02 closed 1 1 CNY 2997', 'a month is closed');
SELECT close('2023-03', 1) \g /dev/null
SELECT matches(months('2023-04-01'), '2023-03 closing 1 \d CNY 0\n2023-03 closing 1 \d USD 399', 'one app of two is closed');
CALL buy(1, 5, '2023-02-10 10:00', 'avchatroom', '', 1);
CALL settle();
SELECT is(split_part(months('2023-04-01'), E'\n', 1), '2023-02 drifted 1 1 CNY 2997', 'a late order is not told');
SELECT is((SELECT m.state FROM im_months() m ORDER BY m.month DESC LIMIT 1), 'open', 'the running month is over')
WHERE EXISTS (SELECT FROM im_billed_months() b WHERE b.month > now() - interval '40 days');

SELECT * FROM finish();
ROLLBACK;
