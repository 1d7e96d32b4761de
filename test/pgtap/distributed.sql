-- Over tables that Citus has distributed, what writes refuses with a sentence, and
-- meters and primitives say over a distributed table what they say over a plain one.
-- Without Citus the refusal is asked of a stand-in for its catalogue.
BEGIN;
\ir include/setup.sql

CREATE FUNCTION said(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, hint);
END $$;
CREATE TEMP TABLE refusing AS SELECT unnest(ARRAY['SELECT im_create_tables()', $$SELECT im_partition('im_call', '2024-01-01', '2024-02-01', '1 month')$$,
	'SELECT im_meter()', $$SELECT im_meter('2024-01-01', '2024-01-31')$$, $$SELECT im_meter_month('2024-01')$$]) AS call;

SELECT to_regclass('pg_catalog.pg_dist_partition') IS NULL AS without_citus \gset
\if :without_citus
	SET LOCAL allow_system_table_mods = on;
	CREATE TABLE pg_catalog.pg_dist_partition (logicalrelid regclass NOT NULL);
	SELECT is(said(call), 'no error', call || ' with no table of ours distributed') FROM refusing WHERE call !~ 'im_partition';
	INSERT INTO pg_catalog.pg_dist_partition VALUES ('pg_class');
	SELECT is(said('SELECT im_meter()'), 'no error', 'nor by one of somebody else');
	INSERT INTO pg_catalog.pg_dist_partition VALUES ('im_login'), ('im_app');
	SELECT matches(said(call), E'^0A000 \\| Citus has distributed [^ ]*im_app, [^ ]*im_login \\| Undistribute .*im_create_front', call || ' is refused, by name')
	FROM refusing;
	SELECT is((SELECT relkind::text FROM pg_class WHERE oid = 'im_call'::regclass), 'r', 'and nothing is changed');
	DELETE FROM pg_catalog.pg_dist_partition WHERE logicalrelid = 'im_login'::regclass;
	SELECT matches(said('SELECT im_meter()'), '^0A000 ', 'one is enough');
	DROP TABLE pg_catalog.pg_dist_partition;
\endif

-- over Citus itself, where it is installed and preloaded
SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'citus')
	AND current_setting('shared_preload_libraries') ~ 'citus' AS with_citus \gset
\if :with_citus
	CREATE EXTENSION citus;
	CREATE TABLE my_login (app_id bigint, user_id text, at timestamptz);
	INSERT INTO my_login SELECT n % 7, 'u' || n % 50, timestamptz '2024-01-01 00:00+08' + n * interval '1 hour' FROM generate_series(1, 700) n;
	CREATE TEMP TABLE plain AS SELECT app_id, im_dau(user_id) AS dau FROM my_login GROUP BY app_id;
	SELECT create_distributed_table('my_login', 'app_id');
	SELECT set_eq('SELECT app_id, im_dau(user_id) FROM my_login GROUP BY app_id', 'SELECT * FROM plain', 'meters work over a distributed table');
	SELECT create_reference_table('im_load');
	SELECT matches(said(call), '^0A000 .*im_load', call || ' is refused') FROM refusing;
\else
	SELECT skip('Citus is not installed', 1);
\endif

SELECT * FROM finish();
ROLLBACK;
