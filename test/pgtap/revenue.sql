-- im_revenue(first_month, last_month): billed against earned, deferred at each
-- month's end.
BEGIN;
\ir include/setup.sql

-- month item billed earned deferred, a row a line
CREATE FUNCTION earned(first text, last text, app bigint) RETURNS text LANGUAGE sql
BEGIN ATOMIC
	SELECT coalesce(string_agg(concat_ws(' ', to_char(r.month, 'YYYY-MM'), r.item || ':' || r.option,
			n(r.billed), n(r.earned), n(r.deferred)), E'\n' ORDER BY r.month, r.item, r.option), '')
	FROM im_app_revenue(first::im_month, last::im_month) r
	WHERE r.app_id = app;
END;
CREATE FUNCTION earned_is(first text, last text, app bigint, expected text[], what text)
RETURNS text LANGUAGE sql
BEGIN ATOMIC
	SELECT is(earned(first, last, app), array_to_string(expected, E'\n'), what);
END;

SELECT is_empty($$SELECT * FROM im_revenue('2023-01', '2023-12')$$, 'without apps there is no revenue');

-- Prepaid fees by day; usage in its month
CALL app(1);
CALL buy(1, 1, '2023-03-10', 'plan', 'pro');
CALL daily(1, '2023-03-17', dau => 25000, audio => 1000);
CALL daily(1, '2023-04-01', dau => 10001);
SELECT earned_is('2023-02', '2023-05', 1, ARRAY[
	'2023-03 call_minutes:audio 7 7 0', '2023-03 dau_overage:pro 2000 2000 0',
	'2023-03 plan:pro 999 708.96774193 290.03225807',
	-- stopped on April 17: 16 of 30 days of the overage
	'2023-04 dau_overage:pro 533.33333333 533.33333333 0',
	'2023-04 plan:pro 0 290.03225807 0'],
	'a plan is earned by day, usage in its month');
SELECT is((SELECT sum(billed) FROM im_revenue('2023-03', '2023-03')), 3006.00, 'billed is what the bills say');
SELECT is((SELECT sum(b.amount) FROM im_monthly_bills('2023-03') b), 3006.00, 'so do the bills');

-- A refund: the unearned rest of plan and upgrade is released, what is given back is negative
CALL app(2);
CALL buy(2, 1, '2023-03-10', 'plan', 'pro', 3);
CALL upgrade(2, 2, '2023-03-20');
CALL refund(2, 3, '2023-04-20', 1);
SELECT earned_is('2023-03', '2023-06', 2, ARRAY[
	'2023-03 plan:pro 2997 716.67391304 2280.32608696',
	'2023-03 plan_upgrade:flagship 5391.78 789.0409756 4602.7390244',
	'2023-04 plan:pro 0 2280.32608696 0',
	'2023-04 plan_upgrade:flagship 0 4602.7390244 0',
	'2023-04 refund:plan -4935.31 -4935.31 0'],
	'a refund releases the unearned rest and reverses what is given back');

-- Packs: as used, through raw events and daily rows; the rest on the end day
CALL app(3);
CALL pack(3, 1, '2023-03-10', 'month', 2);
CALL turn(3, 2, '2023-03-10', 'on', 'moderation');
CALL daily(3, '2023-03-11', texts => 209998);
CALL chk(3, '2023-03-12 08:00', 'text');
CALL chk(3, '2023-03-12 08:00', 'text');
SELECT earned_is('2023-03', '2023-05', 3, ARRAY[
	'2023-03 moderation: 0 0 0',
	'2023-03 moderation_pack:month 2100 200.45454545 1899.54545455',
	'2023-04 moderation_pack:month 0 1899.54545455 0'],
	'packs are earned as they are used, the lapsed rest on their end day');
SELECT earned_is('2023-04', '2023-04', 3, ARRAY['2023-04 moderation_pack:month 0 1899.54545455 0'],
	'use before the first month of the report counts');
CALL app(4);
CALL pack(4, 1, '2023-03-01', 'month');
CALL turn(4, 2, '2023-03-01', 'on', 'moderation');
CALL daily(4, '2023-03-11', texts => 550000);
SELECT earned_is('2023-03', '2023-04', 4, ARRAY['2023-03 moderation: 0 0 0',
	'2023-03 moderation_pack:month 1050 525 525',
	'2023-04 moderation_pack:month 0 525 0'], 'the end day of a pack of March is April 1');
SELECT earned_is('2023-04', '2023-04', 4, ARRAY['2023-04 moderation_pack:month 0 525 0'],
	'what it gave before is known on that day');

-- Two currencies are two rows of a month
CALL app(5, 'intl');
CALL buy(5, 1, '2023-05-01', 'plan', 'standard');
CALL app(6);
CALL buy(6, 1, '2023-05-01', 'plan', 'pro');
SELECT results_eq($$SELECT to_char(month, 'YYYY-MM'), item, currency, billed, earned, deferred FROM im_revenue('2023-05', '2023-06')$$,
	$$VALUES ('2023-05', 'plan', 'CNY', 999.00, 999.00, 0.00), ('2023-05', 'plan', 'USD', 399.00, 399.00, 0.00)$$,
	'a row for each month, item and currency');

-- The sum of all, and a suspended app: its term runs on
CALL app(7);
CALL buy(7, 1, '2023-07-16', 'plan', 'pro');
CALL suspend(7, '[2023-07-20,2023-08-30)');
SELECT earned_is('2023-07', '2023-08', 7, ARRAY['2023-07 plan:pro 999 515.61290322 483.38709678',
	'2023-08 plan:pro 0 483.38709678 0'], 'a suspension does not stop a term');
SELECT is((SELECT array_agg(x.n) FROM (
	SELECT count(*) AS n FROM im_app_revenue('2023-01', '2023-12') GROUP BY app_id, item, option, currency
	HAVING sum(billed) <> sum(earned)) x), NULL, 'all is earned once all terms have ended');

-- Reports of many years leave out months that can hold nothing: that changes
-- no row.  Ten years and less are looked at month by month.
CREATE FUNCTION span(first text, last text) RETURNS text LANGUAGE sql
RETURN (SELECT concat_ws(' ', first::im_month + lower(s), first::im_month + upper(s) - 1)
		FROM im_internal.im_revenue_span(NULL, first::im_month, last::im_month) s);
SELECT is(span('2014-03', '2024-02'), '2014-03 2024-02', 'ten years are looked at whole');
SELECT is(span('0001-01', '9999-12'), '2023-02 2024-08', 'of all years those from the first order to when all terms, packs and graces would be over');
SELECT is(span('2023-05', '9999-12'), '2023-05 2024-08', 'from a month on');
SELECT is(span('0001-01', '2023-04'), '2023-02 2023-04', 'to a month');
SELECT is(span('3000-01', '9999-12'), '3000-01 3000-01', 'of years to come one month');
SELECT is(span('0001-01', '1999-12'), '1999-12 1999-12', 'of years past as well');
CALL app(9);	-- billed each month until its plan ends
CALL buy(9, 1, '2030-02-10', 'plan', 'pro', 26);
CALL turn(9, 2, '2030-02-10', 'on', 'history_storage', '90d');
CALL pack(9, 3, '2030-02-10', 'year_small');
CALL turn(9, 4, '2030-02-10', 'on', 'moderation');
CALL app(10);	-- no order at all
CALL talk(10, '2021-06-05 12:00', 'sd', 600);
CALL talk(10, '2049-12-31 23:59', 'hd', 600);
CALL settle();
CREATE TABLE ten_years AS
	SELECT r.* FROM generate_series(0, 359, 120) n, im_app_revenue('2020-01'::im_month + n, '2020-01'::im_month + n + 119) r;
SELECT is((SELECT count(*) FROM ten_years WHERE app_id = 9 AND item = 'history_storage'), 27::bigint, 'history storage costs in the last month of the plan');
SELECT is((SELECT count(*) FROM ten_years WHERE app_id = 10), 2::bigint, 'calls cost whenever they are');
SELECT set_eq($$SELECT * FROM im_app_revenue('0001-01', '9999-12')$$, 'SELECT * FROM ten_years', 'all years say what their decades say');
SELECT set_eq($$SELECT * FROM im_app_revenue('2031-05', '9999-12')$$, $$SELECT * FROM ten_years WHERE month >= '2031-05-01'$$, 'so do all from a month on');
SELECT set_eq($$SELECT * FROM im_app_revenue('0001-01', '2031-05')$$, $$SELECT * FROM ten_years WHERE month <= '2031-05-01'$$, 'and all to a month');
SELECT set_eq($$SELECT * FROM im_internal.im_app_revenue_of('{9}', '0001-01', '9999-12')$$, 'SELECT * FROM ten_years WHERE app_id = 9', 'of one app too');

-- Mistakes
SELECT fails_with($$SELECT * FROM im_revenue('2023-03', '2023-02')$$, '22023', 'last month 2023-02 is before first month 2023-03',
	'months backwards are refused');
SELECT is_empty($$SELECT * FROM im_revenue(NULL, '2023-02')$$, 'null months have no revenue');
SELECT is_empty($$SELECT * FROM im_revenue('0001-01', '0001-02')$$, 'nor has a month before all cards');
CALL app(8);
CALL talk(8, '2023-03-05 12:00', '4k', 10);
SELECT fails_with($$SELECT * FROM im_revenue('2023-03', '2023-03')$$, '22023', 'im_check',
	'a bill that cannot be right is an error that says where to look');
SELECT fails_with($$SELECT * FROM im_revenue('0001-01', '9999-12')$$, '22023', 'for 2023-03 cannot be right',
	'in a report of all years as well');
SELECT * FROM finish();
ROLLBACK;
