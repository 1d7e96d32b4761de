-- A superuser's call acts as the owner of the tables: what the owner hung on them
-- runs with his rights and no more, and afterwards the caller is who he was.
BEGIN;
\ir include/setup.sql

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
CALL app(1);
CALL buy(1, 1, '2024-01-01 08:00', 'plan', 'pro', 2);
CALL settle();
INSERT INTO im_login SELECT 1, 'u' || n, at8('2024-01-01 00:00') + n * interval '5 minutes' FROM generate_series(1, 2000) n;

-- Who runs what hangs on the tables
SET LOCAL ROLE im_test_owner;
CREATE TABLE ran (what text, who name);
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO im_test.ran VALUES (TG_TABLE_NAME, current_user);
	RETURN NULL;
END $$;
CREATE FUNCTION told(what text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO im_test.ran VALUES (what, current_user);
	RETURN true;
END $$;
CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE ON im_usage_daily FOR EACH STATEMENT EXECUTE FUNCTION tell();
CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE ON im_metered_day FOR EACH STATEMENT EXECUTE FUNCTION tell();
ALTER TABLE im_login ADD CONSTRAINT told CHECK (user_id <> 'nobody' OR im_test.told('im_login'));
CREATE FUNCTION who_ran() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text := (SELECT string_agg(DISTINCT who, ' ') FROM im_test.ran);
BEGIN
	DELETE FROM im_test.ran;
	RETURN answer;
END $$;
INSERT INTO im_login VALUES (1, 'nobody', at8('2024-01-09 00:00'));
RESET ROLE;
DELETE FROM ran;

CREATE FUNCTION acts(call text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	before name := current_user;
BEGIN
	RETURN NEXT lives_ok('SELECT ' || call, call);
	RETURN NEXT is(who_ran(), 'im_test_owner', call || ' runs what is the owner''s as the owner');
	RETURN NEXT is(current_user, before, 'and the caller is who he was');
	RETURN NEXT is(current_setting('role'), 'none', 'by the same setting');
END $$;
SELECT acts($$im_meter('2024-01-01', '2024-01-31')$$);
SELECT acts($$im_forget_metering('2024-01-05', '2024-01-06')$$);
SELECT acts($$im_keep_metered('2024-01-02', '2024-01-03')$$);
SELECT acts($$im_partition('im_login', '2024-01-01', '2024-02-01', '1 month')$$);
SELECT is((SELECT string_agg(DISTINCT pg_get_userbyid(c.relowner), ' ') FROM pg_partition_tree('im_login') t JOIN pg_class c ON c.oid = t.relid), 'im_test_owner',
	'partitions are the owner''s');

-- An error leaves the caller who he was, too
SELECT throws_ok($$SELECT im_keep_metered('2024-01-02', NULL)$$, '22004', NULL, 'a call that fails');
SELECT throws_ok($$SELECT im_partition('im_login', '2024-02-01', '2024-01-01', '1 month')$$, '22023', NULL, 'another');
SELECT is(current_setting('role'), 'none', 'the caller is who he was');
-- as is one who has become a superuser
CREATE ROLE im_test_super SUPERUSER;
SET LOCAL ROLE im_test_super;
SELECT lives_ok($$SELECT im_meter('2024-01-01', '2024-01-31')$$, 'a superuser by SET ROLE meters');
SELECT is(current_user, 'im_test_super', 'and stays');
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
