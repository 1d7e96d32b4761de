-- Everything works for tables that belong to a role that is no superuser, as those of a
-- trusted extension mostly do.
BEGIN;
\ir include/setup.sql
\ir include/metering.sql

CREATE ROLE im_test_owner;
GRANT ALL ON SCHEMA im_test, public TO im_test_owner;
DO $$
DECLARE
	t record;
BEGIN
	FOR t IN SELECT c.oid::regclass AS name FROM pg_class c
		WHERE c.relnamespace = 'public'::regnamespace AND c.relname LIKE 'im\_%' AND c.relkind IN ('r', 'v')
			AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
	LOOP
		EXECUTE format('ALTER TABLE %s OWNER TO im_test_owner', t.name);
	END LOOP;
	FOR t IN SELECT p.oid::regprocedure AS name FROM pg_proc p
		WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef
	LOOP
		EXECUTE format('ALTER FUNCTION %s OWNER TO im_test_owner', t.name);
	END LOOP;
END $$;

SET LOCAL ROLE im_test_owner;
SELECT lives_ok('SELECT im_create_tables()', 'the tables are made complete');
CALL app(1);
CALL buy(1, 1, '2024-01-01 08:00', 'plan', 'pro', 2);
CALL settle();
INSERT INTO im_login SELECT 1, 'u' || n, at8('2024-01-01 00:00') + n * interval '5 minutes' FROM generate_series(1, 2000) n;
SELECT lives_ok($$SELECT im_meter('2024-01-01', '2024-01-31')$$, 'a plain owner meters');
SELECT is(reads(), '-', 'all of it');
SELECT agrees('metered by a plain owner');
SELECT lives_ok($$SELECT im_partition('im_login', '2024-01-01', '2024-02-01', '1 month')$$, 'and partitions');
SELECT lives_ok($$SELECT im_meter('2024-01-01', '2024-01-31')$$, 'and meters partitions');
SELECT is(reads(), '-', 'all of them');
SELECT agrees('partitions of a plain owner');
SELECT lives_ok($$SELECT im_keep_metered('2024-01-01', '2024-01-02')$$, 'and keeps what was metered');
SELECT lives_ok($$SELECT im_alerts('2024-01', 0), im_check('2024-01'), im_drift('2024-01'), im_revenue('2024-01', '2024-02'),
	im_cheapest_plan(1, '2024-01'), im_running_bill(1), im_forecast(1), im_bill_html(1, '2024-01'), im_audit(1, '2024-01'),
	im_verify_invoices(), im_month_html('2024-01'), im_unbilled_usage('2024-01')$$, 'and asks everything');

RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
