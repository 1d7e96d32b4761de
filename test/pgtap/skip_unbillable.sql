-- im_monthly_bills(month, true) and the views of im_create_billing_view() skip
-- what cannot be billed, and skip nothing else; a month closed before an
-- earlier one is told.
BEGIN;
\ir include/setup.sql
\ir include/ledger.sql

CREATE FUNCTION skipping(month text) RETURNS text LANGUAGE sql
RETURN (SELECT string_agg(l::text, E'\n' ORDER BY l.app_id, l.line) FROM im_monthly_bills(skipping.month::im_month, true) l);
-- the bills of the apps that have one, one by one
CREATE FUNCTION one_by_one(month text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	a bigint;
	lines text;
	said text := '';
BEGIN
	FOR a IN SELECT app_id FROM im_app ORDER BY 1 LOOP
		BEGIN
			SELECT E'\n' || string_agg(l::text, E'\n' ORDER BY l.line) INTO lines FROM im_monthly_bill(a, month::im_month) l;
			said := said || coalesce(lines, '');
		EXCEPTION WHEN OTHERS THEN NULL;
		END;
	END LOOP;
	RETURN nullif(substr(said, 2), '');
END $$;

INSERT INTO im_app (app_id, name) SELECT n, 'app ' || n FROM generate_series(1, 120) n;
INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
SELECT n, 1, at8('2023-03-01'), 'buy', 'plan', 'pro', 2 FROM generate_series(1, 120, 10) n;
CALL app(3000, 'intl');
INSERT INTO im_call (app_id, at, class, seconds) SELECT n, at8('2023-03-05 12:00'), 'sd', 61 FROM generate_series(1, 120, 7) n;
CALL login(3000, 'a', '2023-03-06 12:00');
SELECT is(skipping('2023-03'), one_by_one('2023-03'), 'without trouble the bills are those of all apps');
SELECT is(skipping('2023-03'), (SELECT string_agg(l::text, E'\n' ORDER BY l.app_id, l.line) FROM im_monthly_bills('2023-03', false) l), 'told not to skip, too');
SELECT results_eq($$SELECT * FROM im_monthly_bills('2023-03', false) ORDER BY 1, 3$$, $$SELECT * FROM im_monthly_bills('2023-03') ORDER BY 1, 3$$, 'which are those of im_monthly_bills(month)');

-- Events, a figure, an order, a price list
CALL talk(8, '2023-03-05 12:00', 'HD', 60);
CALL chk(15, '2023-03-05 12:00', 'video');
CALL daily(22, '2023-03-05', -1);
CALL grp(29, 'g', '2023-03-05 12:00', '2023-03-05 11:00');
SET session_replication_role = replica;
CALL app(3001, 'none');
CALL login(3001, 'a', '2023-03-06 12:00');
CALL buy(11, 2, '2023-03-02', 'plan', 'platinum');
RESET session_replication_role;
SELECT fails_with($$SELECT count(*) FROM im_monthly_bills('2023-03')$$, '.*', 'cannot be right.*im_check', 'all bills fail');
SELECT fails_with($$SELECT count(*) FROM im_monthly_bills('2023-03', false)$$, '.*', 'cannot be right.*im_check', 'told not to skip, too');
SELECT is(skipping('2023-03'), one_by_one('2023-03'), 'skipping gives the bills of the others');
SELECT is((SELECT string_agg(a::text, ',' ORDER BY a) FROM unnest('{1,8,11,15,22,29,43,3000,3001}'::bigint[]) a
	WHERE NOT EXISTS (SELECT FROM im_monthly_bills('2023-03', true) l WHERE l.app_id = a)), '8,11,15,22,29,3000,3001', 'and none of these');
SELECT is((SELECT string_agg(DISTINCT c.app_id::text, ',') FROM im_check('2023-03') c WHERE c.app_id IN (8, 11, 15, 22, 29, 3001)), '11,15,22,29,3001,8',
	'which im_check lists');
SELECT is(skipping('2023-04'), one_by_one('2023-04'), 'so in a month with an app whose orders are wrong');

-- Views
SELECT lives_ok($$SELECT im_create_billing_view('im_test.bills', '2023-03', '2023-04')$$, 'a view over months that cannot be billed whole is made');
SELECT is((SELECT count(*) FROM bills WHERE month = '2023-03-01'), (SELECT count(*) FROM im_monthly_bills('2023-03', true)), 'it holds the bills of the others');
SELECT lives_ok($$REFRESH MATERIALIZED VIEW CONCURRENTLY im_test.bills$$, 'it can be refreshed');
DELETE FROM im_call WHERE class = 'HD';
REFRESH MATERIALIZED VIEW im_test.bills;
SELECT is((SELECT count(*) FROM bills WHERE app_id = 8 AND month = '2023-03-01'), 1::bigint, 'what is corrected is there after the next refresh');

-- A month that is closed but for the apps that could not be
\set ON_ERROR_STOP 0
CALL im_close_month('2023-04', 1000);
\set ON_ERROR_STOP 1
SELECT is(skipping('2023-04'), one_by_one('2023-04'), 'of a month closed but for some apps the lines issued');
CREATE FUNCTION told(app bigint, month text) RETURNS text LANGUAGE sql
RETURN (SELECT string_agg(c.problem, E'\n') FROM im_check(told.month::im_month) c WHERE c.app_id = told.app AND c.problem ~ 'closed');
SELECT is(told(1, '2023-04'), '2023-04 is closed, but 2023-03 before it is open and has lines', 'a closed month with an open one before it that has lines');
SELECT is(told(15, '2023-04'), '2023-04 is closed, but 2023-03 before it is open and has lines', 'or whose bill cannot be computed');
SELECT is(told(2, '2023-04'), NULL, 'not one without lines');
SELECT is(told(11, '2023-04'), NULL, 'nor a month that is open itself');
SELECT is(told(1, '2023-03'), '2023-03 is open and has lines, but 2023-04 behind it is closed', 'the open month tells it too');
SELECT is(told(2, '2023-03') || told(11, '2023-03'), NULL, 'of the same apps alone');
SELECT is(told(1, '2023-05') , NULL, 'a later month that is open says nothing');
\set ON_ERROR_STOP 0
CALL im_close_month('2023-03', 1000);
\set ON_ERROR_STOP 1
SELECT is(told(1, '2023-04'), NULL, 'once both are closed all is well');
SELECT is(told(15, '2023-04'), '2023-04 is closed, but 2023-03 before it is open and has lines', 'but for what could not be');
SELECT is(skipping('2023-03'), one_by_one('2023-03'), 'skipping keeps to what was issued');

SELECT * FROM finish();
