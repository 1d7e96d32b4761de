-- What a function says of parallel plans holds for all that it calls, and what may
-- stand in one answers there as anywhere, whoever asks.
BEGIN;
\ir include/setup.sql
\ir include/roles.sql
ANALYZE;

-- Labels by the call graph -------------------------------------------------------
-- Bodies are read as text: a name with a bracket behind it is a call.  Definitions
-- and hints only tell of functions.  Who asks is noted and told in one process: a
-- worker has no workers, so what does both may run in one.
CREATE TABLE body AS
SELECT p.oid, p.proname AS name, position(p.proparallel::text IN 'sru') AS rank,
	regexp_replace(CASE WHEN p.prosqlbody IS NOT NULL THEN pg_get_function_sqlbody(p.oid) WHEN l.lanname IN ('sql', 'plpgsql') THEN p.prosrc ELSE '' END,
		'--[^\n]*|(DETAIL|HINT) = [^;]*', '', 'g') AS text
FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
WHERE p.pronamespace IN ('public'::regnamespace, 'im_internal'::regnamespace) AND p.proname ~ '^im_' AND p.proname !~ '_definitions$|^im_guarded_body$|_guarded$|^im_(guarded|caller)$';
SELECT cmp_ok(count(*), '>', 300::bigint, 'there are many functions') FROM body;
SELECT is((
	SELECT string_agg(format('%s (%s) calls %s (%s)', b.oid::regprocedure, substr('sru', b.rank, 1), c.name, substr('sru', c.rank, 1)), E'\n')
	FROM body b,
		LATERAL (SELECT DISTINCT m[1] AS callee FROM regexp_matches(b.text, '\m(im_\w+)\(', 'g') m) e
	JOIN (SELECT name, min(rank) AS rank FROM body GROUP BY name) c ON c.name = e.callee
	WHERE c.rank > b.rank), NULL, 'no function calls one that allows less than itself');
SELECT is((
	SELECT string_agg(format('%s: %s', oid::regprocedure, (regexp_match(text, forbidden))[1]), E'\n')
	FROM body, (VALUES ('(\mEXCEPTION\s+WHEN|\mINSERT INTO|\mUPDATE @|\mDELETE FROM|\mCREATE |\mset_config|\mpg_notify|\mLOCK TABLE|FOR (?:NO KEY |KEY )?(?:UPDATE|SHARE)|pg_advisory)')) v(forbidden)
	WHERE rank < 3 AND text ~ forbidden), NULL, 'none that may be in a parallel plan does what is not allowed there');

-- In a parallel plan ------------------------------------------------------------------
CREATE FUNCTION argument(type oid, name text) RETURNS text LANGUAGE sql
RETURN CASE format_type(type, NULL)
	WHEN 'bigint' THEN '11::bigint' WHEN 'bigint[]' THEN '''{11,12}''::bigint[]' WHEN 'integer' THEN '1' WHEN 'numeric' THEN '1::numeric'
	WHEN 'boolean' THEN 'true' WHEN 'im_month' THEN '''2023-03''::im_month'
	WHEN 'date' THEN CASE WHEN name ~ 'until|last' THEN '''2023-04-01''::date' ELSE '''2023-03-01''::date' END
	WHEN 'timestamp with time zone' THEN '''2023-03-06 12:00+08''::timestamptz'
	WHEN 'text' THEN CASE name WHEN 'lang' THEN '''en''::text' WHEN 'zone' THEN '''Asia/Shanghai''::text' ELSE '''pro''::text' END
	WHEN 'im_rate_card' THEN 'im_bundled_card(''cn'', ''2019-12-10'')' WHEN 'jsonb' THEN '''{}''::jsonb'
	ELSE format('NULL::%s', format_type(type, NULL)) END;
CREATE TABLE call AS
SELECT p.oid::regprocedure AS function, format('SELECT md5(string_agg(q::text, '','' ORDER BY q::text COLLATE "C")) FROM %s.%I(%s) q', p.pronamespace::regnamespace, p.proname,
	coalesce(string_agg(argument(t, p.proargnames[n]), ', ' ORDER BY n) FILTER (WHERE t IS NOT NULL), '')) AS query
FROM pg_proc p LEFT JOIN LATERAL unnest(p.proargtypes) WITH ORDINALITY a(t, n) ON true
WHERE p.pronamespace IN ('public'::regnamespace, 'im_internal'::regnamespace) AND p.proname ~ '^im_' AND p.prokind = 'f' AND p.proparallel <> 'u' AND p.proname !~ '_guarded$|^im_(caller|guarded)$'
	AND p.prorettype NOT IN ('trigger'::regtype, 'void'::regtype)
	AND NOT EXISTS (SELECT FROM pg_type y WHERE y.oid = ANY (p.proargtypes || p.prorettype) AND y.typname IN ('internal', 'cstring', 'anyelement', 'any', 'record'))
GROUP BY p.oid, p.proname;
-- A restricted function runs in the leader of a plan whose scan is parallel.
CREATE FUNCTION under_gather(query text) RETURNS text LANGUAGE sql
RETURN format('SELECT (%s) FROM (SELECT count(*) AS n FROM im_test.crowd) c WHERE c.n > 0', query);
CREATE TABLE crowd AS SELECT n FROM generate_series(1, 1000) n;
GRANT SELECT ON crowd TO PUBLIC;
ALTER TABLE crowd SET (parallel_workers = 2);
ANALYZE crowd;
CREATE TABLE answer AS
SELECT role, function, query, seen(role, query) AS alone FROM call, unnest(ARRAY[current_user, 'acme', 'clerk']::name[]) role;
SELECT set_config(name, 'on', true) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query') \g /dev/null
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
CREATE FUNCTION plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; lines text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		lines := lines || line || E'\n';
	END LOOP;
	RETURN lines;
END $$;
SELECT matches(plan_of(under_gather('SELECT im_bill_html(11, ''2023-03'')')), 'Gather', 'a restricted function stands above a Gather');
SELECT matches(plan_of('SELECT im_monthly_total(11, ''2023-03'')'), 'Gather', 'a safe one below');
SELECT doesnt_match(plan_of(under_gather('SELECT im_month_html(''2023-03'')')), 'Gather', 'an unsafe one makes no parallel plan');
-- where an error was raised is told in other words there
-- Of several tables that a role may not read a plan begins with any.
CREATE FUNCTION plain(answer text) RETURNS text LANGUAGE sql RETURN regexp_replace(regexp_replace(answer,
	'\n(PL/pgSQL|SQL|parallel|while|during|In) .*', ''), '(permission denied for table) \w+', '\1');
SELECT cmp_ok(count(*) FILTER (WHERE alone ~ '^\(\w{32}\)$'), '>', 150::bigint, 'there are many answers that are no errors') FROM answer;
SELECT is((SELECT string_agg(format('%s as %s: %s, not %s', function, role, plain(there), plain(alone)), E'\n')
	FROM (SELECT a.*, seen(a.role, a.query) AS there FROM answer a) a WHERE plain(there) <> plain(alone)), NULL, 'in a worker every answer is the same');
SELECT is((SELECT string_agg(format('%s as %s: %s, not %s', function, role, plain(there), plain(alone)), E'\n')
	FROM (SELECT a.*, seen(a.role, under_gather(a.query)) AS there FROM answer a) a WHERE plain(there) <> plain(alone)), NULL, 'so it is in a plan with workers');

SELECT * FROM finish();
ROLLBACK;
