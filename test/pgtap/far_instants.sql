-- Events and suspensions at the ends of time: one such row makes nothing fail, not for
-- its own app and not for all others.
BEGIN;
\ir include/setup.sql
\ir include/metering.sql

CALL card('west', '2019-12-10', jsonb_set(cn(), '{time_zone}', '"America/New_York"'));
CALL app(1);
CALL app(2, 'west');
CALL buy(1, 1, '2024-01-01 08:00', 'plan', 'pro', 2);
CALL buy(2, 1, '2024-01-02 08:00', 'plan', 'pro', 2);
CALL login(1, 'a', '2024-01-10 12:00');
CALL login(2, 'a', '2024-01-10 12:00');
CALL settle();

CREATE FUNCTION everything() RETURNS text LANGUAGE sql
RETURN concat_ws(' ', (SELECT count(*) FROM im_monthly_bills('2024-01')), (SELECT count(*) FROM im_bi_bill_line WHERE month = '2024-01-01'),
	(SELECT count(*) FROM im_internal.im_billed_months_of('{1,2}', now()) WHERE month BETWEEN '2024-01-01' AND '2024-02-29'),
	(SELECT count(*) FROM im_audit(1, '2024-01') WHERE event = 'order'), (SELECT count(*) FROM im_audit(2, '2024-01') WHERE event = 'order'));
CREATE FUNCTION stands(statement text, expected text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RETURN NEXT is(everything(), expected, 'from events: ' || statement);
	PERFORM im_meter();
	RETURN NEXT is(everything(), expected, 'metered: ' || statement);
END $$;

SAVEPOINT empty;
SELECT stands(format('INSERT INTO im_login VALUES (%s, ''x'', %L)', app, at), '4 4 2 1 1')
FROM generate_series(1, 2) app, unnest('{infinity,-infinity,4714-11-24 00:00+00 BC,0001-01-01 BC,294276-12-31}'::text[]) at;
ROLLBACK TO empty;
SELECT stands('INSERT INTO im_login VALUES (2, ''x'', ''4714-11-24 00:00+00 BC'')', '4 4 2 1 1');
SELECT im_forget_metering();
SELECT stands('INSERT INTO im_call VALUES (2, ''4714-11-24 00:00+00 BC'', ''hd'', 5)', '4 4 2 1 1');
SELECT stands('INSERT INTO im_usage_daily (app_id, day, dau) VALUES (1, ''4714-11-24 BC'', 5), (1, ''-infinity'', 5), (1, ''infinity'', 5)', '4 4 2 1 1');
ROLLBACK TO empty;
SELECT stands('INSERT INTO im_suspension VALUES (1, ''[2024-02-01,5874897-12-31)'', ''arrears'')', '4 4 2 1 1');
SELECT stands('INSERT INTO im_suspension VALUES (2, ''[4714-11-24 BC,2019-01-01)'', ''arrears''), (1, ''(,2019-01-01)'', ''arrears'')', '4 4 2 1 1');

SELECT * FROM finish();
ROLLBACK;
