-- im_dau beyond hash_mem: what a state cannot hold goes to temporary files and is counted all the
-- same. A failure means that somebody is billed for users who were not there or not for some who
-- were, or that files are left behind.
BEGIN;
\ir include/setup.sql

-- Ids of all kinds, each several times and far apart: some in the table, most in files.
CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE visit AS
SELECT n, n % 3 AS g, u,
	CASE u % 9 WHEN 0 THEN 'u' || u WHEN 1 THEN md5(u::text)::uuid::text WHEN 2 THEN md5(u::text)
		WHEN 3 THEN left(md5(u::text), 16) WHEN 4 THEN 'User of More Than Fifteen Bytes ' || u
		WHEN 5 THEN upper('user of more than fifteen bytes ' || u - 1) WHEN 6 THEN repeat('x', 100 + u % 99) || u
		WHEN 7 THEN left(md5(u::text), u % 24) ELSE NULL END AS id
FROM generate_series(1, 12000) n, LATERAL (SELECT n * 7919 % 5003 AS u) x;
-- What looks like an empty place, in each form; and an id that is larger than all memory allowed.
INSERT INTO visit
SELECT 0, 0, 0, z FROM unnest(ARRAY['', repeat('0', 16), repeat('0', 32), '00000000-0000-0000-0000-000000000000', repeat('y', 300000)]) z;
ALTER TABLE visit SET (parallel_workers = 2);
ANALYZE visit;

CREATE TABLE kind (what text, id text);
INSERT INTO kind VALUES ('text', 'id'), ('text under C', 'id COLLATE "C"'), ('short text', '''u'' || u'), ('long text', 'repeat(u::text, 20)'),
	('integers', 'u'), ('bigints', 'u::bigint << 40'), ('uuids', 'md5(u::text)::uuid'), ('uuids as text', 'md5(u::text)::uuid::text'),
	('hex digits', 'md5(u::text)'), ('bytes', 'decode(md5(u::text), ''hex'') || ''x''::bytea'), ('intervals', 'make_interval(secs => u)'),
	('names of a collation', 'id COLLATE nocase'), ('numbers', 'u * 1.0'), ('numbers of either scale', 'round(u * 1.0, 1 + n % 2)'),
	('documents', 'to_jsonb(id)'), ('arrays', 'ARRAY[id]'), ('rows', 'ROW(u, id)'), ('floats', 'u::float8'),
	('money', 'u::money'), ('bits', 'u::bit(20)'), ('few bits', '(u % 7)::bit(20)'), ('long bits', 'repeat(u::bit(20)::text, 20)::varbit'),
	('words', 'to_tsvector(''simple'', u::text)');

-- Kinds for which a query differs from itself with count(DISTINCT); the second runs with room.
CREATE FUNCTION differing(query text, few boolean DEFAULT false) RETURNS TABLE (what text, got text, want text) LANGUAGE plpgsql AS $$
DECLARE
	small int := current_setting('max_parallel_workers_per_gather');
BEGIN
	FOR what, got, want IN
		SELECT k.what, replace(query, 'DAU(', 'im_dau('), replace(query, 'DAU(', 'count(DISTINCT ') FROM kind k
		WHERE NOT few OR k.what IN ('text', 'long text', 'names of a collation', 'numbers', 'money', 'long bits')
	LOOP
		got := replace(got, ':id', (SELECT id FROM kind k WHERE k.what = differing.what));
		want := replace(want, ':id', (SELECT id FROM kind k WHERE k.what = differing.what));
		EXECUTE format('SELECT string_agg(x::text, '' '' ORDER BY x) FROM (%s) x', got) INTO got;
		PERFORM set_config('work_mem', '64MB', true), set_config('max_parallel_workers_per_gather', '0', true);
		EXECUTE format('SELECT string_agg(x::text, '' '' ORDER BY x) FROM (%s) x', want) INTO want;
		PERFORM set_config('work_mem', '64kB', true), set_config('max_parallel_workers_per_gather', small::text, true);
		IF got IS DISTINCT FROM want THEN RETURN NEXT; END IF;
	END LOOP;
END $$;
CREATE FUNCTION files() RETURNS bigint LANGUAGE sql RETURN (SELECT count(*) FROM pg_ls_tmpdir());
CREATE FUNCTION plan(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	plan text = '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP plan := plan || line || E'\n'; END LOOP;
	RETURN plan;
END $$;

SET LOCAL jit = off;
SET LOCAL work_mem = '64kB';
SET LOCAL hash_mem_multiplier = 1;
SET LOCAL max_parallel_workers_per_gather = 0;

-- One process --------------------------------------------------------------------

SELECT is_empty($$SELECT * FROM differing('SELECT DAU(:id) AS d FROM visit')$$, 'all rows');
SELECT is_empty($$SELECT * FROM differing('SELECT DAU(:id) FILTER (WHERE g = 1) AS d1, DAU(:id) FILTER (WHERE g <> 1) AS d2, DAU(:id) AS d FROM visit')$$,
	'three states at once');
SET LOCAL enable_sort = off;
SELECT matches(plan('SELECT g, im_dau(id) FROM visit GROUP BY g'), 'HashAggregate', 'groups that are hashed');
SELECT is_empty($$SELECT * FROM differing('SELECT g, DAU(:id) AS d FROM visit GROUP BY g')$$, 'are counted');
SET LOCAL enable_sort = on;
SET LOCAL enable_hashagg = off;
SELECT matches(plan('SELECT g, im_dau(id) FROM visit GROUP BY g'), 'GroupAggregate', 'groups that are sorted');
SELECT is_empty($$SELECT * FROM differing('SELECT g, DAU(:id) AS d FROM visit GROUP BY g')$$, 'are counted');
SET LOCAL enable_hashagg = on;
SELECT is_empty($$SELECT * FROM differing('SELECT g, n % 2 AS h, DAU(:id) AS d FROM visit GROUP BY GROUPING SETS ((g), (n % 2), ())', few => true)$$, 'grouping sets');
SELECT is((SELECT sum(d) FROM (SELECT im_dau(id) AS d FROM visit GROUP BY n / 4) x),
	(SELECT sum(d) FROM (SELECT count(DISTINCT id) AS d FROM visit GROUP BY n / 4) x), 'groups that the executor spills');
SELECT is((SELECT im_dau(repeat(n::text, 30000)) FROM visit WHERE n BETWEEN 1 AND 12), 12::bigint, 'ids that are all too large');
SELECT is((SELECT im_dau(repeat(n::text, 30000)::varbit) FROM visit WHERE n IN (10, 11, 100, 101, 110, 111)), 6::bigint, 'values that are all too large');
-- The first kind fills the set; those that follow find no table.
SELECT is((SELECT string_agg((SELECT im_dau(CASE (k + i / 6000) % 4 WHEN 0 THEN i::text WHEN 1 THEN md5(i::text) WHEN 2 THEN md5(i::text)::uuid::text
		ELSE 'User of a Company in the City ' || i END) FROM (SELECT generate_series(0, 23999) UNION ALL SELECT generate_series(0, 23999)) s(i))::text, ' ') FROM generate_series(0, 3) k),
	'24000 24000 24000 24000', 'kinds of ids that come one after the other');
SELECT is((SELECT im_dau(n) FROM generate_series(1, 100000) n), 100000::bigint, 'parts that must be parted again');
SELECT is((SELECT im_dau(n::numeric) FROM generate_series(1, 50000) n), 50000::bigint, 'and parts of values');
SELECT is((SELECT im_count(im_userset_agg(id)) FROM visit), (SELECT count(DISTINCT id) FROM visit), 'sets of users are not bound');

-- A state that is asked twice: two aggregates of the same rows share it.
CREATE AGGREGATE users_again(anyelement) (SFUNC = im_internal.im_dau_transition, STYPE = internal, FINALFUNC = im_internal.im_dau_final, COMBINEFUNC = im_internal.im_dau_combine,
	SERIALFUNC = im_internal.im_dau_serialize, DESERIALFUNC = im_internal.im_dau_deserialize, PARALLEL = SAFE);
SELECT is((SELECT ROW(im_dau(id), users_again(id), im_dau(u::numeric), users_again(u::numeric), im_dau(u::money), users_again(u::money)) FROM visit),
	(SELECT ROW(i, i, u, u, u, u) FROM (SELECT count(DISTINCT id) AS i, count(DISTINCT u) AS u FROM visit) x), 'a state that is asked twice says the same');

-- Workers ------------------------------------------------------------------------

SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 2;
SELECT matches(plan('SELECT im_dau(id) FROM visit'), 'Finalize Aggregate.*Gather.*Partial Aggregate', 'workers have states of their own');
SELECT is_empty($$SELECT * FROM differing('SELECT DAU(:id) AS d FROM visit')$$, 'which are merged');
SELECT is_empty($$SELECT * FROM differing('SELECT g, DAU(:id) AS d FROM visit GROUP BY g', few => true)$$, 'by group');
SELECT is((SELECT ROW(im_dau(id), users_again(id), im_dau(u::numeric), users_again(u::numeric), im_dau(u::money), users_again(u::money)) FROM visit),
	(SELECT ROW(i, i, u, u, u, u) FROM (SELECT count(DISTINCT id) AS i, count(DISTINCT u) AS u FROM visit) x), 'a state that is sent twice is the same');
SET LOCAL max_parallel_workers_per_gather = 0;
SELECT is(files(), 0::bigint, 'no file is left');

-- Any way out --------------------------------------------------------------------

SELECT is((SELECT array_agg(d) FROM (SELECT im_dau(id) OVER (ORDER BY g) AS d FROM visit WHERE n < 5000) x WHERE d < 0), NULL, 'window functions');
SELECT is((SELECT array_agg(DISTINCT d ORDER BY d) FROM (SELECT g, im_dau(id) OVER (ORDER BY g) AS d FROM visit) x),
	(SELECT array_agg(DISTINCT d ORDER BY d) FROM (VALUES (0), (1), (2)) v(g), LATERAL (SELECT count(DISTINCT id) AS d FROM visit WHERE visit.g <= v.g) y),
	'count all users so far');
SELECT results_eq('SELECT im_dau(id) FROM visit WHERE g = 1 LIMIT 1', 'SELECT count(DISTINCT id) FROM visit WHERE g = 1', 'LIMIT');
SELECT is((SELECT array_agg(d ORDER BY o) FROM generate_series(0, 4) o,
		LATERAL (SELECT im_dau(id COLLATE nocase) AS i, im_dau(id) AS d FROM visit WHERE visit.g = o % 3) x),
	(SELECT array_agg(d ORDER BY o) FROM generate_series(0, 4) o, LATERAL (SELECT count(DISTINCT id) AS d FROM visit WHERE visit.g = o % 3) x), 'rescans');
-- Of groups that are hashed one is asked, and the others have files.
SET LOCAL enable_sort = off;
SELECT is((SELECT count(*) FROM (SELECT g, im_dau(id) AS d, im_dau(u::bit(20)) AS b, im_dau(u::numeric) AS x FROM visit GROUP BY g LIMIT 1) x WHERE d + b + x > 0),
	1::bigint, 'groups that nobody asks for');
SELECT is((SELECT count(*) FROM generate_series(1, 3) o, LATERAL (SELECT o, g, im_dau(id) AS d, im_dau(u * 1.0), im_dau(u::money) FROM visit GROUP BY g LIMIT 1) x),
	3::bigint, 'again and again');
SELECT is(files(), 0::bigint, 'leave no file');
DECLARE early CURSOR FOR SELECT g, im_dau(id) AS d, im_dau(u::bit(20)) AS b, im_dau(u::numeric) FROM visit GROUP BY g;
FETCH 1 FROM early \g /dev/null
SELECT cmp_ok(files(), '>', 10::bigint, 'while a query goes on there are files');
CLOSE early;
SELECT is(files(), 0::bigint, 'and none after it');
SET LOCAL enable_sort = on;
CREATE FUNCTION stopped(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE query;
	RETURN 'not stopped';
EXCEPTION WHEN division_by_zero OR query_canceled OR configuration_limit_exceeded THEN
	RETURN SQLSTATE || ' ' || files();
END $$;
SELECT is(stopped('SELECT im_dau(id || 1 / (n - 11900)) FROM visit'), '22012 0', 'an error closes all files');
SELECT is(stopped('SELECT im_dau(u::numeric + 1 / (n - 11900)), im_dau(u::bit(20)), im_dau(id) FROM visit'), '22012 0', 'of values too');
SELECT is(stopped('SELECT sum(x) FROM (SELECT im_dau(id) + im_dau(u * 1.0) + im_dau(u::bit(20)) + 1 / (g - 2) AS x FROM visit GROUP BY g) x'), '22012 0', 'so does one between groups');
SET LOCAL temp_file_limit = '100kB';
SELECT is(stopped('SELECT im_dau(id) FROM visit'), '53400 0', 'files count towards temp_file_limit');
SELECT is(stopped('SELECT im_dau(id COLLATE nocase) FROM visit'), '53400 0', 'those of values too');
SELECT is(stopped('SELECT im_dau(repeat(u::bit(20)::text, 9)::varbit) FROM visit'), '53400 0', 'and those of a sort');
SET LOCAL work_mem = '64MB';
SELECT is(stopped('SELECT im_dau(id), im_dau(id COLLATE nocase), im_dau(u::bit(20)) FROM visit'), 'not stopped', 'with memory there are none');
SET LOCAL work_mem = '64kB';
SET LOCAL temp_file_limit = -1;

-- Cancelled while rows come, while parts are counted, while a sort is read.
SELECT is(stopped('SELECT im_dau(n::text || o), pg_cancel_backend(pg_backend_pid()) FROM visit, generate_series(1, 2) o'), '57014 0', 'cancelled while files are counted');
SELECT is(stopped('SELECT im_dau(CASE WHEN n = 11999 THEN pg_cancel_backend(pg_backend_pid())::text ELSE n::text END) FROM visit'), '57014 0', 'cancelled among the rows');
SELECT is(stopped('SELECT im_dau(CASE WHEN n = 11999 THEN pg_cancel_backend(pg_backend_pid())::int::money ELSE n::money END) FROM visit'), '57014 0', 'in a sort');
SELECT is((SELECT im_dau(id) FROM visit), (SELECT count(DISTINCT id) FROM visit), 'the next query goes on');

SELECT * FROM finish();
ROLLBACK;
