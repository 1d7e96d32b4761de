-- A front: a database that has no apps of its own and asks the partitions, each
-- a database with imbilling in it.  PL/Proxy carries calls, postgres_fdw tables.
--
-- Apps are spread as PostgreSQL spreads rows over hash partitions, so that the
-- planner leaves out the partitions that a condition on app_id excludes.

CREATE FUNCTION im_internal.im_raise_front(state text, message text, detail text, hint text) RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION USING ERRCODE = $1, MESSAGE = $2, DETAIL = $3, HINT = $4;
END
$$;
COMMENT ON FUNCTION im_internal.im_raise_front(text, text, text, text) IS
'Raises an error about a front; PL/Proxy''s functions of the front call it as well.';

CREATE FUNCTION im_internal.im_need_front_extensions() RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	missing text;
BEGIN
	IF NOT (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user) THEN
		PERFORM im_internal.im_raise_front('42501'::text, format('role %I is no superuser', current_user),
			'A front makes foreign servers, user mappings and functions in a language that trusts them.'::text,
			'Let a superuser call im_create_front(partitions).'::text);
	END IF;
	SELECT min(x.name) INTO missing
	FROM unnest('{dblink,plproxy,postgres_fdw}'::text[]) x(name)
	WHERE NOT EXISTS (SELECT FROM pg_extension e WHERE e.extname = x.name);
	IF missing IS NOT NULL THEN
		PERFORM im_internal.im_raise_front('55000'::text, format('extension %I is not in this database', missing),
			'A front asks its partitions by plproxy, postgres_fdw and dblink.'::text,
			CASE WHEN EXISTS (SELECT FROM pg_available_extensions a WHERE a.name = missing) THEN format('CREATE EXTENSION %I;', missing)
				ELSE format('apt-get install %s-%s, then CREATE EXTENSION %I;',
					CASE missing WHEN 'plproxy' THEN 'postgresql' ELSE 'postgresql-contrib' END,
					current_setting('server_version_num')::integer / 10000
						|| CASE missing WHEN 'plproxy' THEN '-plproxy' ELSE '' END, missing) END);
	END IF;
	IF to_regnamespace('im_front') IS NOT NULL THEN
		PERFORM im_internal.im_raise_front('42710'::text, 'this database is a front already, or has a schema im_front'::text,
			'im_create_front() makes the schemas im_front and im_front_parts.'::text,
			'DROP SCHEMA im_front, im_front_parts CASCADE; DROP SERVER im_front CASCADE; takes the front away and no data.'::text);
	END IF;
END
$$;
COMMENT ON FUNCTION im_internal.im_need_front_extensions() IS
'Raises an error unless a front can be made: 42501 for others than superusers, 55000 where plproxy, postgres_fdw or dblink is missing, 42710 where there is a front.';

-- 'host=a dbname=''b c''' as options of a foreign server: {host,dbname} and {a,b c}.
CREATE FUNCTION im_internal.im_connection_options(connection text, OUT names text[], OUT settings text[])
	LANGUAGE plpgsql IMMUTABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	pair text := E'([a-z_]+)[[:space:]]*=[[:space:]]*(''(?:[^''\\\\]|\\\\.)*''|[^[:space:]'']+)';
	wrong text;
BEGIN
	IF regexp_replace($1, pair, '', 'g') !~ '^[[:space:]]*$' OR $1 !~ pair THEN
		PERFORM im_internal.im_raise_front('22023'::text, format('%L is no connection string', $1),
			'A partition is told by pairs of keyword and value, such as host=db7 port=5432 dbname=part3.'::text,
			'Give each partition as libpq takes it, as keywords and values, not as a URI.'::text);
	END IF;
	SELECT array_agg(m[1]), array_agg(regexp_replace(regexp_replace(m[2], '^''(.*)''$', E'\\1'), E'\\\\(.)', E'\\1', 'g'))
	INTO names, settings
	FROM regexp_matches($1, pair, 'g') m;
	SELECT min(n) INTO wrong FROM unnest(names) n WHERE n IN ('user', 'password', 'passfile', 'sslpassword');
	IF wrong IS NOT NULL THEN
		PERFORM im_internal.im_raise_front('22023'::text, format('a connection string names the %s', wrong),
			'Everybody may read the options of a server; users and passwords belong into user mappings.'::text,
			'Leave it out: im_front_admit(role, remote_user) names the users, ALTER USER MAPPING their passwords.'::text);
	END IF;
END
$$;
COMMENT ON FUNCTION im_internal.im_connection_options(text) IS
'The keywords and values of a connection string. Errors: 22023 where it is none, and for users and passwords, which belong into user mappings.';

CREATE FUNCTION im_internal.im_check_partitions(partitions text[]) RETURNS void
	LANGUAGE plpgsql IMMUTABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	n integer := cardinality($1);
BEGIN
	IF n IS NULL OR n NOT BETWEEN 1 AND 1024 OR n & (n - 1) <> 0 OR array_position($1, NULL::text) IS NOT NULL THEN
		PERFORM im_internal.im_raise_front('22023'::text, format('a front cannot have %s partitions', coalesce(n::text, 'null')),
			'Their number is chosen once: a power of two up to 1024, each with a connection string. Many can stand on one server and move to others later.'::text,
			'Take 16 where nothing speaks for another number.'::text);
	END IF;
END
$$;
COMMENT ON FUNCTION im_internal.im_check_partitions(text[]) IS
'Raises 22023 unless the connection strings are a power of two in number, and none is null.';

CREATE FUNCTION im_internal.im_make_front_servers(partitions text[]) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	options text;
BEGIN
	EXECUTE format('CREATE SERVER im_front FOREIGN DATA WRAPPER plproxy OPTIONS (%s)',
		(SELECT string_agg(format('p%s %L', p.n - 1, p.connection), ', ' ORDER BY p.n)
		 FROM unnest($1) WITH ORDINALITY p(connection, n)));
	FOR i IN 1 .. cardinality($1) LOOP
		SELECT string_agg(format('%I %L', o.name, o.setting), ', ') INTO options
		FROM im_internal.im_connection_options($1[i]) c, unnest(c.names, c.settings) o(name, setting);
		EXECUTE format('CREATE SERVER %I FOREIGN DATA WRAPPER postgres_fdw OPTIONS (%s, async_capable ''true'')',
			'im_partition_' || i - 1, options);
	END LOOP;
END
$$;
COMMENT ON FUNCTION im_internal.im_make_front_servers(text[]) IS
'Makes the foreign servers of a front: im_front of plproxy, im_partition_0 and on of postgres_fdw.';

CREATE FUNCTION im_internal.im_make_front_functions() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	f record;
BEGIN
	FOR f IN
		SELECT p.oid, p.proname, r.route, r.detail,
			p.pronargs > 0 AND p.proargnames[1] = 'app_id' AS by_app, pg_get_function_arguments(p.oid) AS takes, pg_get_function_result(p.oid) AS gives,
			(SELECT string_agg('$' || n, ', ') FROM generate_series(1, p.pronargs) n) AS arguments
		FROM im_internal.im_front_routes() r
		JOIN pg_proc p ON p.proname = r.name AND p.pronamespace = '@extschema@'::regnamespace
		WHERE p.provolatile <> 'i' AND r.route NOT IN ('here', 'own', 'copied')
	LOOP
		CASE
			WHEN f.route = 'app' OR f.route = 'all' AND f.by_app THEN
				-- of no app any partition says what one node says
				PERFORM im_internal.im_make_routed('im_front'::text, f.oid, 'coalesce(im_front.im_partition_of(app_id), 0)'::text);
			WHEN f.route = 'all' THEN
				PERFORM im_internal.im_make_routed('im_front'::text, f.oid, 'ALL'::text);
			WHEN f.route = 'any' THEN
				PERFORM im_internal.im_make_routed('im_front'::text, f.oid, '0'::text);
			WHEN f.route = 'together' THEN
				PERFORM im_internal.im_make_routed('im_front_parts'::text, f.oid, 'ALL'::text);
				EXECUTE format('CREATE FUNCTION im_front.%I(%s) RETURNS %s LANGUAGE sql AS %L', f.proname, f.takes, f.gives,
					format(f.detail, format('im_front_parts.%I(%s)', f.proname, f.arguments)));
			ELSE
				EXECUTE format('CREATE FUNCTION im_front.%I(%s) RETURNS %s LANGUAGE plpgsql AS %L', f.proname, f.takes, f.gives,
					format('BEGIN PERFORM im_internal.im_raise_front(''0A000''::text, %L::text, ''It is about one database, and this one is a front.''::text, %L::text); END',
						f.proname || '() cannot be called through a front', f.detail));
		END CASE;
	END LOOP;
END
$$;
COMMENT ON FUNCTION im_internal.im_make_front_functions() IS
'Makes the functions of a front that im_front_routes() tells.';

-- Tables and views whose rows are an app's are one table with a foreign partition
-- each; so are payments, which stand where an app of the account's number would.
CREATE FUNCTION im_internal.im_make_front_tables(partitions integer) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	ours text := (SELECT string_agg(quote_ident(t.name), ', ')
		FROM (SELECT d.table_name FROM im_internal.im_table_definitions() d UNION SELECT v.view_name FROM im_internal.im_view_definitions() v) t(name));
	name text;
BEGIN
	FOR i IN 0 .. $1 - 1 LOOP
		EXECUTE format('CREATE SCHEMA im_front_%s', i);
		EXECUTE format('IMPORT FOREIGN SCHEMA %s LIMIT TO (%s) FROM SERVER im_partition_%s INTO im_front_%3$s OPTIONS (import_default ''true'')', '@extschema@', ours, i);
	END LOOP;
	FOR name IN
		SELECT c.relname
		FROM pg_class c
		JOIN pg_namespace s ON s.oid = c.relnamespace AND s.nspname = 'im_front_0'
		WHERE c.relkind = 'f'
			AND (c.relname = 'im_payment' OR EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'app_id'))
	LOOP
		EXECUTE format('CREATE TABLE im_front.%I (LIKE im_front_0.%1$I INCLUDING DEFAULTS) PARTITION BY HASH (%I)', name,
			CASE name WHEN 'im_payment' THEN 'account_id' ELSE 'app_id' END);
		FOR i IN 0 .. $1 - 1 LOOP
			EXECUTE format('ALTER TABLE im_front.%I ATTACH PARTITION im_front_%s.%1$I FOR VALUES WITH (MODULUS %3$s, REMAINDER %2$s)',
				name, i, $1);
		END LOOP;
	END LOOP;
END
$$;
COMMENT ON FUNCTION im_internal.im_make_front_tables(integer) IS
'Makes the foreign tables of a front: those of each partition in a schema im_front_0 and on, and in im_front one for all with every table and view whose rows are an app''s, and with the payments.';

CREATE FUNCTION @extschema@.im_create_front(partitions text[]) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	n integer := cardinality($1);
BEGIN
	PERFORM im_internal.im_check_partitions($1);
	PERFORM im_internal.im_need_front_extensions();
	PERFORM im_internal.im_make_front_servers($1);
	CREATE SCHEMA im_front;
	CREATE SCHEMA im_front_parts;
	-- the remainder that CREATE TABLE ... PARTITION BY HASH (app_id) takes
	EXECUTE replace(replace(replace(replace(im_internal.im_front_script(), '{ext}', '@extschema@'), '{partitions}', n::text),
		'{place}', format('((pg_catalog.hashint8extended(app_id, 8816678312871386365) & 65535) + 43235)::pg_catalog.int4 & %s', n - 1)), '{dblink}',
		(SELECT quote_ident(s.nspname) FROM pg_extension e JOIN pg_namespace s ON s.oid = e.extnamespace WHERE e.extname = 'dblink'));
	GRANT USAGE ON SCHEMA im_front, im_front_parts TO PUBLIC;
	EXECUTE format('SELECT im_front.im_front_admit(%L::regrole, current_user), im_front_parts.im_need_partitions()', current_user::text);
	PERFORM im_internal.im_make_front_tables(n);
	PERFORM im_internal.im_make_front_copies();
	PERFORM im_internal.im_make_front_functions();
	REVOKE ALL ON ALL ROUTINES IN SCHEMA im_front, im_front_parts FROM PUBLIC;
	RAISE NOTICE USING MESSAGE = 'the front is in the schema im_front',
		HINT = format('ALTER DATABASE %I SET search_path = %s; leads to it. SELECT im_front_admit(''reader'', ''reader''); lets a role ask, here reader as reader of the partitions.',
			current_database(), concat_ws(', ', 'im_front', '@extschema@', nullif('public', '@extschema@')));
END
$$;
COMMENT ON FUNCTION @extschema@.im_create_front(text[]) IS
'Makes this database a front of the partitions, each told by a connection string without user and password: servers, user mappings of the caller, and in the schema im_front, which is to be first on the search_path, the public functions and the tables. The number of partitions is chosen once, a power of two. Only for superusers, on a database with imbilling, plproxy, postgres_fdw and dblink and without im_create_tables(). Errors: 42501, 22023, also where two strings lead to one database, 55000 for a missing extension or a partition without imbilling of this version in a schema of this name, 42710 where there is a front.';
