-- The views for BI: plain columns, all commented, and a condition on month
-- that is applied before anything is rated.
BEGIN;
\ir include/setup.sql

CREATE TEMP TABLE view AS
SELECT c.oid, c.relname::text AS name, c.reloptions FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'v' AND c.relname ~ '^im_bi_';
SELECT bag_has('SELECT name FROM view', $$VALUES ('im_bi_bill_line'), ('im_bi_bill_total'), ('im_bi_usage_daily'), ('im_bi_revenue'), ('im_bi_order')$$, 'the views are there');
SELECT is((SELECT string_agg(name, ' ') FROM view WHERE NOT 'security_invoker=true' = ANY (reloptions)), NULL, 'all are security_invoker');
SELECT is((SELECT string_agg(v.name || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', ')
	FROM view v JOIN pg_attribute a ON a.attrelid = v.oid AND a.attnum > 0
	WHERE a.atttypid NOT IN ('date'::regtype, 'text'::regtype, 'numeric'::regtype, 'integer'::regtype, 'bigint'::regtype, 'timestamptz'::regtype, 'jsonb'::regtype)), NULL,
	'their columns have plain types');
SELECT is((SELECT string_agg(v.name || '.' || a.attname, ', ') FROM view v JOIN pg_attribute a ON a.attrelid = v.oid AND a.attnum > 0
	WHERE col_description(v.oid, a.attnum) IS NULL), NULL, 'every column has a comment');
SELECT is((SELECT string_agg(name, ', ') FROM view WHERE obj_description(oid, 'pg_class') IS NULL), NULL, 'every view has a comment');

-- Months: from the first order or usage on, none of them before the card
SELECT is((SELECT count(*) FROM im_billed_months()), 0::bigint, 'no months without apps');
SELECT is((SELECT count(*) FROM im_bi_bill_line), 0::bigint, 'nor lines');
CALL app(1);
CALL buy(1, 1, '2023-03-01 00:00', 'plan', 'pro');
CALL daily(1, '2023-03-10', 10001);
CALL settle();
SELECT ok((SELECT min(month) = '2023-02-01' AND count(*) < 9 FROM im_billed_months()),
	'from the month of the first order, as UTC sees it less half a day, through the one in which all is over');
CALL app(5);
CALL grp(5, 'old', '2020-01-01 00:00');
CALL buy(5, 1, '2025-02-01 12:00', 'plan', 'pro', 3);
CALL settle();
SELECT is((SELECT min(month) || ' ' || count(*) FILTER (WHERE month BETWEEN '2023-12-01' AND '2024-12-31') FROM im_billed_months()), '2023-02-01 0',
	'a group begins no month, and between two orders there is none where nothing was in force');
SELECT is((SELECT string_agg(to_char(month, 'YYYY-MM'), ' ' ORDER BY month) FROM im_bi_bill_total WHERE app_id = 5), '2025-02 2025-03 2025-04 2025-05', 'those with lines are all there');
CALL login(5, 'a', '2024-06-10 12:00');
SELECT is((SELECT count(*) FROM im_billed_months() WHERE month BETWEEN '2024-01-01' AND '2024-12-01'), 1::bigint, 'and those with usage');
SELECT is((SELECT count(*) FROM im_internal.im_billed_months_of('{5}', now()) WHERE month BETWEEN '2024-01-01' AND '2024-12-01'), 1::bigint, 'of some apps too');
DELETE FROM im_login;
DELETE FROM im_group;
SET LOCAL session_replication_role = replica;
DELETE FROM im_order WHERE app_id = 5;
SET LOCAL session_replication_role = origin;
DELETE FROM im_app WHERE app_id = 5;
CALL app(2);
CALL talk(2, '2022-11-11 11:00', 'audio', 61);
SELECT is((SELECT min(month) FROM im_billed_months()), date '2022-11-01', 'events count as well');
SELECT im_partition('im_call', '2022-06-01', '2023-06-01', '1 month');
SELECT is((SELECT min(month) FROM im_billed_months()), date '2022-11-01', 'where the table is cut by time, too');
CALL daily(2, '2022-10-11', audio => 1);
SELECT is((SELECT min(month) FROM im_billed_months()), date '2022-10-01', 'and daily figures');
CALL login(2, 'early', '2010-01-01');
SELECT is((SELECT min(month) FROM im_billed_months()), date '2022-10-01', 'but no month before the one in which the first card starts');
DELETE FROM im_login;

DELETE FROM im_call;
DELETE FROM im_usage_daily WHERE app_id = 2;
CALL card('west', '2019-12-10', jsonb_set(cn(), '{time_zone}', '"America/New_York"'));
CALL app(5, 'west');
INSERT INTO im_order (app_id, order_id, at, action, item, option, months) VALUES (5, 1, '2022-09-01 02:00+00', 'buy', 'plan', 'pro', 1);
CALL settle();
SELECT is((SELECT string_agg(concat_ws(' ', month, item, due_on), ', ') FROM im_bi_bill_line WHERE app_id = 5 AND month < '2022-12-01' AND item = 'plan'),
	'2022-08-01 plan 2022-08-31', 'where the day is earlier than in UTC, so is the first month');

-- What is in them
CALL app(3);
CALL buy(3, 1, '2023-03-05', 'plan', 'pro', 2);
CALL buy(3, 2, '2023-03-06', 'group_members', '', 1, paid => 77.5);
CALL buy(3, 3, '2023-03-06', 'plan', 'pro', 1);
CALL refund(3, 4, '2023-03-20', 3);
CALL upgrade(3, 5, '2023-04-01');
CALL turn(3, 6, '2023-03-07', 'on', 'moderation');
CALL pack(3, 7, '2023-03-07', 'month', 2);
CALL refund(3, 8, '2023-03-10', 2);
CALL chk(3, '2023-03-09 10:00', 'audio', 45);
CALL grp(3, 'g', '2023-03-09 10:00');
CALL daily(3, '2023-03-11', hd => 5);
CALL settle();
SELECT is(array_to_string(array(SELECT concat_ws(' ', month, app_name, line, item, option, period_from, period_through, due_on, n(amount), currency)
		FROM im_bi_bill_line WHERE month = '2023-03-01' AND app_id = 1 ORDER BY line), E'\n'),
	E'2023-03-01 app 1 1 plan pro 2023-03-01 2023-03-31 2023-03-01 999 CNY\n2023-03-01 app 1 2 dau_overage pro 2023-03-01 2023-03-31 2023-04-01 1000 CNY', 'bill lines');
SELECT is((SELECT string_agg(concat_ws(' ', app_id, app_name, n(total), currency), ', ' ORDER BY app_id) FROM im_bi_bill_total WHERE month = '2023-03-01'),
	(SELECT string_agg(concat_ws(' ', app_id, 'app', app_id, n(total), currency), ', ' ORDER BY app_id) FROM im_monthly_totals('2023-03')), 'totals');
SELECT is(array_to_string(array(SELECT concat_ws(' ', day, status, plan, source, dau, peak_groups, text_checks, audio_half_minutes, hd_minutes)
		FROM im_bi_usage_daily WHERE month BETWEEN '2023-03-01' AND '2023-03-31' AND app_id = 3 AND day < '2023-03-12' ORDER BY day), E'\n'),
	E'2023-03-09 active pro metered 0 1 0 1 0\n2023-03-10 active pro metered 0 1 0 0 0\n2023-03-11 active pro given 0 1 0 0 5', 'daily usage, metered and given');
SELECT is(array_to_string(array(SELECT concat_ws(' ', order_id, day, action, item, coalesce(starts_on::text, '-'), coalesce(ends_on::text, '-'),
			coalesce(bought_through::text, '-'), n(amount), currency, refunded_on)
		FROM im_bi_order WHERE app_id = 3 ORDER BY order_id), E'\n'),
	E'1 2023-03-05 buy plan 2023-03-05 2023-05-04 2023-05-04 1998 CNY\n'
	'2 2023-03-06 buy group_members 2023-03-06 2023-03-10 2023-04-05 77.5 CNY 2023-03-10\n'
	'3 2023-03-06 buy plan - - - 999 CNY 2023-03-20\n'
	'4 2023-03-20 refund plan - - - -999 CNY\n'
	'5 2023-04-01 upgrade plan 2023-04-01 2023-05-04 2023-05-04 2235.62 CNY\n'
	'6 2023-03-07 on moderation - - - -\n'
	'7 2023-03-07 buy moderation_pack 2023-03-07 2023-04-06 2023-04-06 2100 CNY\n'
	'8 2023-03-10 refund group_members - - - -77.5 CNY', 'the order log: terms, a refund before the term, 2000 x 34 / (365/12), an agreed price');
SELECT is((SELECT string_agg(concat_ws(' ', app_id, app_name, item, option, n(billed), n(earned), n(deferred), currency), ', ' ORDER BY app_id)
	FROM im_bi_revenue WHERE month = '2023-03-01' AND item = 'plan' AND app_id = 1), '1 app 1 plan pro 999 999 0 CNY', 'revenue');
-- an order log that breaks the rules, as after a load with the checks off
SET LOCAL session_replication_role = replica;
CALL app(4);
CALL buy(4, 1, '2023-03-05', 'plan', 'gold');
SET LOCAL session_replication_role = origin;
SELECT is((SELECT concat_ws(' ', order_id, item, coalesce(day::text, '-'), n(amount)) FROM im_bi_order WHERE app_id = 4), '1 plan - -', 'a broken log keeps its orders, without terms');

-- Only the months that are asked for are rated: a month that cannot be is no trouble to others.
CALL chk(1, '2023-05-05 12:00', 'smell');
SELECT fails_with($$SELECT * FROM im_bi_bill_line WHERE month = '2023-05-01'$$, '23514|22023', 'im_check', 'a month that cannot be billed is an error');
DELETE FROM im_moderation_check WHERE kind = 'smell';
CREATE FUNCTION loops(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	plan jsonb;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, FORMAT JSON, TIMING OFF, SUMMARY OFF) ' || query INTO plan;
	RETURN (SELECT string_agg(x ->> 'Actual Loops', ' ')
		FROM jsonb_path_query(plan, '$.**') x WHERE x ->> 'Function Name' IN ('im_monthly_bills', 'im_monthly_totals', 'im_daily_usage', 'im_app_revenue') AND x ? 'Actual Loops');
END $$;
SET LOCAL session_replication_role = replica;
DELETE FROM im_order WHERE app_id = 4;
SET LOCAL session_replication_role = origin;
SELECT is(loops(format('SELECT * FROM %s WHERE month = ''2023-03-01''', name)), '1', format('%s of a month rates one month', name))
FROM view WHERE name <> 'im_bi_order' ORDER BY name;
SELECT is(loops(format('SELECT month, count(*) FROM %s WHERE month >= date ''2023-03-01'' AND month < date ''2023-06-01'' AND app_id = 3 GROUP BY month', name)), '3',
	format('%s of three months rates three', name))
FROM view WHERE name <> 'im_bi_order' ORDER BY name;
SELECT is(loops('SELECT * FROM im_bi_bill_line WHERE date_trunc(''year'', month) = ''2023-01-01'''), '12', 'a year by date_trunc, as dashboards write it, rates twelve');

-- They come back, and keep what depends on them, when im_create_tables() runs again.
CREATE VIEW public.mine AS SELECT month, sum(total) AS total FROM public.im_bi_bill_total GROUP BY month;
SELECT lives_ok('SELECT im_create_tables()', 'im_create_tables() runs again');
SELECT has_view('public', 'mine', 'a view over a view stays');
DROP VIEW public.im_bi_order;
SELECT im_create_tables();
SELECT has_view('public', 'im_bi_order', 'a dropped view is made again');

-- A renewal in the grace makes days of the month before days of its term, as im_app_status() says.
CALL app(60);
CALL buy(60, 1, '2023-02-28', 'plan', 'pro');
CALL buy(60, 2, '2023-04-03', 'plan', 'pro');
CALL daily(60, '2023-03-27', dau => 1);
CALL daily(60, '2023-03-29', dau => 1);
CALL daily(60, '2023-04-29', dau => 1);
CALL settle();
SELECT is((SELECT string_agg(concat_ws(' ', u.day, u.status, u.plan, im_app_status(60, at8(u.day || ' 12:00'))), ', ' ORDER BY u.day)
	FROM im_billed_months() m, im_daily_usage(m.month) u WHERE m.month IN ('2023-03-01', '2023-04-01') AND u.app_id = 60),
	'2023-03-27 active pro active, 2023-03-29 active pro active, 2023-04-29 grace pro grace', 'a day''s status is that of the day, whatever month it lies in');
SELECT is((SELECT string_agg(concat_ws(' ', u.day, u.status), ', ' ORDER BY u.day) FROM im_internal.im_daily_usage_of('{60}', '2023-03') u),
	'2023-03-27 active, 2023-03-29 active', 'of one app as well');

-- Types that say how many places a number has, and the line as bills have it
SELECT is((SELECT string_agg(DISTINCT format_type(a.atttypid, a.atttypmod), ', ') FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
	WHERE c.relname ~ '^im_bi_' AND c.relkind = 'v' AND a.atttypid = 'numeric'::regtype), 'numeric(38,8)', 'numerics have the places of amounts');
SELECT is((SELECT string_agg(DISTINCT a.atttypid::regtype::text, ', ') FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
	WHERE c.relname IN ('im_bi_bill_line', 'im_bill_line', 'im_invoice_line') AND a.attname = 'line'), 'integer', 'line has one type everywhere');
-- A view of an earlier version gets them, with what is granted on it
CREATE ROLE im_test_reader;
CREATE ROLE im_test_other;
DROP VIEW public.mine, public.im_bi_bill_total;
CREATE VIEW public.im_bi_bill_total WITH (security_invoker = true) AS
SELECT NULL::date AS month, NULL::bigint AS app_id, NULL::text AS app_name, NULL::numeric AS total, NULL::text AS currency;
CREATE VIEW earlier AS TABLE public.im_bi_bill_total;
GRANT SELECT ON public.im_bi_bill_total TO im_test_reader WITH GRANT OPTION;
GRANT SELECT (month) ON public.im_bi_bill_total TO im_test_other;
CREATE VIEW public.mine AS SELECT month, sum(total) AS total FROM public.im_bi_bill_total GROUP BY month;
DROP VIEW earlier;
SELECT lives_ok('SELECT im_create_tables()', 'where a user''s view depends on it, it stays');
SELECT is(format_type(atttypid, atttypmod), 'numeric', 'with the types that it had') FROM pg_attribute
WHERE attrelid = 'public.im_bi_bill_total'::regclass AND attname = 'total';
SELECT is((SELECT total FROM public.mine WHERE month = '2023-03-01'), (SELECT sum(total) FROM im_monthly_totals('2023-03')),
	'and answers as this version does');
DROP VIEW public.mine;
SELECT im_create_tables();
SELECT is(format_type(atttypid, atttypmod), 'numeric(38,8)', 'else it gets the new ones') FROM pg_attribute
WHERE attrelid = 'public.im_bi_bill_total'::regclass AND attname = 'total';
SELECT ok(has_table_privilege('im_test_reader', 'public.im_bi_bill_total', 'SELECT WITH GRANT OPTION')
	AND has_column_privilege('im_test_other', 'public.im_bi_bill_total', 'month', 'SELECT')
	AND NOT has_column_privilege('im_test_other', 'public.im_bi_bill_total', 'total', 'SELECT'), 'and keeps what was granted');
SELECT is((SELECT sum(total) FROM im_bi_bill_total WHERE month = '2023-03-01'), (SELECT sum(total) FROM im_monthly_totals('2023-03')),
	'its totals are those of the bills');

SELECT * FROM finish();
ROLLBACK;
