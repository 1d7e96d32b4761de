-- im_app_dau: distinct users of all apps at once.  A failure here means that
-- metering bills somebody for users who were not there, or not for some who were.
SET client_min_messages = warning;
CREATE EXTENSION imbilling;
RESET client_min_messages;
SET jit = off;
\set VERBOSITY default
\set SHOW_CONTEXT never

-- Ids of every length about the borders of what is kept in place (7, 8, 15, 16
-- bytes, what waits in a batch, what a chunk holds) in the forms that are
-- packed and just beside them, for apps of all sizes, rows of apps and users mixed.
CREATE TABLE login AS
SELECT CASE n % 11 WHEN 0 THEN -9223372036854775808 WHEN 1 THEN 9223372036854775807 WHEN 2 THEN 0
		WHEN 3 THEN -1 WHEN 4 THEN n % 1000 WHEN 5 THEN (n % 70)::bigint << 32 ELSE 7 END AS app_id,
	n,
	CASE n % 13
		WHEN 0 THEN left(repeat(md5((n % 4001)::text), 9), n % 280)
		WHEN 1 THEN md5((n % 1009)::text)::uuid::text
		WHEN 2 THEN upper(md5((n % 1009)::text)::uuid::text)
		WHEN 3 THEN md5((n % 1009)::text)
		WHEN 4 THEN upper(md5((n % 1009)::text))
		WHEN 5 THEN 'user_' || lpad((n % 2003)::text, 8, '0')
		WHEN 6 THEN repeat(E'\x01', n % 20)
		WHEN 7 THEN left('abcdefghijklmnopqrstuvwxyz', n % 26) || CASE WHEN n % 5 = 0 THEN ' ' ELSE '' END
		WHEN 8 THEN left(md5((n % 1009)::text), 8 * (n % 4 + 1))
		WHEN 9 THEN overlay(md5((n % 1009)::text)::uuid::text PLACING 'g' FROM n % 36 + 1)
		WHEN 10 THEN repeat('用户', n % 70) || n % 3
		WHEN 11 THEN left(md5((n % 1009)::text), 16 + n % 17)
		ELSE CASE WHEN n % 7 = 0 THEN NULL WHEN n % 1100 = 11 THEN repeat('x', 20000 + n % 3) ELSE (n % 50)::text END
	END AS user_id
FROM generate_series(1, 30000) n;
-- What looks like an empty place, in each form.
INSERT INTO login
SELECT app_id, 0, user_id
FROM (VALUES (0), (-1), (7)) a(app_id),
	(VALUES ('00000000-0000-0000-0000-000000000000'), (repeat('0', 32)), (repeat('0', 24)), (repeat('0', 16)), ('')) u(user_id);
-- Ids that TOAST compresses or moves out, and two that differ in the last byte.
INSERT INTO login
SELECT 8, 0, string_agg(md5(i::text), '') || tail FROM generate_series(1, 1000) i, (VALUES ('a'), ('b'), ('a')) t(tail) GROUP BY tail;
INSERT INTO login SELECT * FROM login WHERE app_id = 8;
-- An app whose users are all null has none, and is named.
INSERT INTO login VALUES (9, 0, NULL), (9, 0, NULL);
ANALYZE login;

-- Rows are differences to count(DISTINCT) under the same collation.
CREATE FUNCTION differences(expression text DEFAULT 'user_id', condition text DEFAULT 'true')
	RETURNS TABLE (app_id bigint, got bigint, want bigint) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('
		SELECT app_id, g.users, w.users
		FROM (SELECT p.* FROM (SELECT im_internal.im_app_dau(app_id, %1$s) AS a FROM login WHERE %2$s) x, im_internal.im_app_dau_rows(x.a) p(app_id, users)) g
		FULL JOIN (SELECT app_id, count(DISTINCT %1$s) AS users FROM login WHERE %2$s GROUP BY 1) w USING (app_id)
		WHERE g.users IS DISTINCT FROM w.users', expression, condition);
END $$;

SELECT count(*) AS apps, sum(users) > 10000 AS many FROM (SELECT im_internal.im_app_dau(app_id, user_id) AS a FROM login) x, im_internal.im_app_dau_rows(x.a) p(app_id, users);
SELECT * FROM differences();
SELECT * FROM differences('user_id COLLATE "C"');
SELECT * FROM differences('left(user_id, 3)');
SELECT * FROM differences('''same''');
SELECT * FROM differences('lpad(n::text, 1 + n % 120, ''x'')');
SELECT * FROM differences(condition => 'app_id IN (8, 9)');
-- A nondeterministic collation says who is the same user.
CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
SELECT * FROM differences('user_id COLLATE nocase');
SELECT im_internal.im_app_dau(1, u COLLATE nocase), im_internal.im_app_dau(1, u) FROM (VALUES ('a'), ('A'), ('b')) v(u);

SELECT * FROM im_internal.im_app_dau_rows(ARRAY[1, 2, 3]);
SELECT * FROM im_internal.im_app_dau_rows(ARRAY[1, NULL]);
SELECT * FROM im_internal.im_app_dau_rows(ARRAY[[1, 2], [3, 4]]);
SELECT * FROM im_internal.im_app_dau_rows('{}');
-- Apps in ascending order, whatever that of the rows; any number of apps.
SELECT im_internal.im_app_dau(app_id, user_id)
FROM (VALUES (3, 'a'), (-5, 'a'), (3, 'b'), (0, ''), (3, 'a'), (2, NULL), (9223372036854775807, 'z')) v(app_id, user_id);
SELECT bool_and(users = 2) AS same, count(*)
FROM (SELECT im_internal.im_app_dau(n % 100000, (n % 200000)::text) AS a FROM generate_series(1, 300000) n) x, im_internal.im_app_dau_rows(x.a) p(app_id, users);

-- No rows, and rows that say nothing.
SELECT im_internal.im_app_dau(app_id, user_id) FROM login WHERE false;
SELECT im_internal.im_app_dau(NULL::bigint, 'a');
SELECT im_internal.im_app_dau(1, a || b) FROM (VALUES ('a' COLLATE "C", 'b' COLLATE "POSIX")) v(a, b);
SELECT im_internal.im_app_dau(1, u) OVER () FROM (VALUES ('a')) v(u);
-- Minor versions word the refusal of a state by hand differently.
DO $$
BEGIN
	PERFORM im_internal.im_app_dau_transition(NULL, 1::bigint, 'a');
EXCEPTION WHEN undefined_function OR feature_not_supported THEN
	RAISE NOTICE 'refused';
END $$;

-- What is beyond hash_mem goes through files and is counted all the same.
SET work_mem = '64kB';
SET hash_mem_multiplier = 1;
SELECT * FROM differences();
SELECT * FROM differences('user_id COLLATE "C"');
SELECT * FROM differences('lpad(n::text, 1 + n % 120, ''x'')');
SELECT * FROM differences('n::text || user_id');
-- It is files indeed, and they count towards temp_file_limit.
SET temp_file_limit = '100kB';
\set VERBOSITY sqlstate
SELECT im_internal.im_app_dau(1, n::text) FROM login WHERE n > 0;
\set VERBOSITY default
RESET work_mem;
SELECT im_internal.im_app_dau(1, n::text) FROM login WHERE n > 0;
RESET temp_file_limit;
RESET hash_mem_multiplier;

-- A slice takes the table that the last one left, whatever was in it: small
-- after large, long after short, many apps after few, after none at all.
CREATE TABLE slice (no int, app text, id text, condition text);
INSERT INTO slice VALUES (1, 'app_id', 'user_id', 'true'), (2, 'app_id', 'user_id', 'n < 100'),
	(3, 'app_id', 'repeat(user_id, 3)', 'n < 15000'), (4, 'app_id', 'user_id', 'false'),
	(5, 'n', 'n::text', 'n > 0'), (6, 'app_id', 'user_id', 'true'), (7, '7', 'n::text', 'true');
CREATE FUNCTION slice_differences() RETURNS TABLE (slice int, app_id bigint, got bigint, want bigint) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE (SELECT format('
		SELECT no, app_id, g.users, w.users
		FROM (SELECT x.no, p.* FROM (%s) x(no, a), im_internal.im_app_dau_rows(x.a) p(app_id, users)) g
		FULL JOIN (%s) w(no, app_id, users) USING (no, app_id)
		WHERE g.users IS DISTINCT FROM w.users',
		string_agg(format('SELECT %s, im_internal.im_app_dau(%s, %s) FROM login WHERE %s', no, app, id, condition), ' UNION ALL ' ORDER BY no),
		string_agg(format('SELECT %s, %s::bigint, count(DISTINCT %s) FROM login WHERE %s GROUP BY 2', no, app, id, condition), ' UNION ALL '))
		FROM slice);
END $$;
SELECT * FROM slice_differences();
SET work_mem = '64kB'; SELECT * FROM slice_differences(); RESET work_mem;

-- Under GROUP BY, hashed, sorted and in grouping sets, with spilled groups.
CREATE FUNCTION groups() RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*)
	FROM (SELECT g.h, p.app_id, p.users
		FROM (SELECT n % 50 AS h, im_internal.im_app_dau(app_id, user_id) AS a FROM login GROUP BY GROUPING SETS ((n % 50), ())) g, im_internal.im_app_dau_rows(g.a) p(app_id, users)) got
	FULL JOIN (SELECT n % 50 AS h, app_id, count(DISTINCT user_id) AS users
		FROM login GROUP BY GROUPING SETS ((n % 50, app_id), (app_id))) want
		ON want.h IS NOT DISTINCT FROM got.h AND want.app_id = got.app_id
	WHERE got.users IS DISTINCT FROM want.users
$$;
SELECT groups();
SET enable_hashagg = off; SELECT groups(); RESET enable_hashagg;
SET enable_sort = off; SET work_mem = '64kB'; SELECT groups(); RESET enable_sort; RESET work_mem;

-- A slice that is dropped unfinished leaves its table and closes its files.
SET work_mem = '64kB';
SELECT bool_and(a = ARRAY[o, 20000]::bigint[]) AS same
FROM generate_series(1, 5) o, LATERAL (SELECT im_internal.im_app_dau(o, i::text) AS a FROM generate_series(1, 20000) i) s;
SET enable_sort = off;
BEGIN;
DECLARE c CURSOR FOR SELECT array_length(im_internal.im_app_dau(1, n::text), 1) AS numbers FROM login GROUP BY n % 2;
FETCH 1 FROM c;
CLOSE c;
COMMIT;
RESET enable_sort;
DO $$
BEGIN
	PERFORM im_internal.im_app_dau(app_id, user_id || 1 / (n - 29000)) FROM login WHERE n > 0;
EXCEPTION WHEN division_by_zero THEN
	RAISE NOTICE '%', (SELECT count(*) FROM differences());
END $$;
SELECT count(*) AS files FROM pg_ls_tmpdir();
RESET work_mem;

-- One query a local day under a parallel append, as metering does.
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
ALTER TABLE login SET (parallel_workers = 2);
EXPLAIN (COSTS OFF)
SELECT im_internal.im_app_dau(app_id, user_id) FROM login WHERE n < 12000
UNION ALL SELECT im_internal.im_app_dau(app_id, user_id) FROM login WHERE n >= 12000;
WITH slices AS MATERIALIZED (
	SELECT 1 AS slice, im_internal.im_app_dau(app_id, user_id) AS a FROM login WHERE n < 12000
	UNION ALL SELECT 2, im_internal.im_app_dau(app_id, user_id) FROM login WHERE n >= 12000)
SELECT count(*) AS differing
FROM (SELECT slice, p.* FROM slices, im_internal.im_app_dau_rows(a) p(app_id, users)) got
FULL JOIN (SELECT CASE WHEN n < 12000 THEN 1 ELSE 2 END AS slice, app_id, count(DISTINCT user_id) AS users
	FROM login GROUP BY 1, 2) want USING (slice, app_id)
WHERE got.users IS DISTINCT FROM want.users;

SET client_min_messages = warning;
DROP TABLE login, slice;
DROP FUNCTION differences, slice_differences, groups;
DROP COLLATION nocase;
DROP EXTENSION imbilling;
