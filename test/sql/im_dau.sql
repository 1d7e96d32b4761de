-- im_dau: distinct users, counted exactly.  A failure here means that somebody
-- is billed for users who were not there, or not for some who were.
SET client_min_messages = warning;
CREATE EXTENSION imbilling;
RESET client_min_messages;
SET jit = off;
\set VERBOSITY default
\set SHOW_CONTEXT never
SELECT setseed(0.20240317);

-- Ids of every length about the borders of what is kept in place (7, 8, 15,
-- 16 bytes, what a ring holds, what a chunk holds), many of them twice, in
-- the forms that are packed and just beside them.
CREATE TABLE dau_id AS
SELECT n % 13 AS g, random() AS r, n,
	CASE n % 12
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
		ELSE CASE WHEN n % 7 = 0 THEN NULL WHEN n % 1100 = 11 THEN repeat('x', 20000 + n % 3) ELSE (n % 50)::text END
	END AS id
FROM generate_series(1, 8000) n;
INSERT INTO dau_id VALUES (0, 0, 0, '00000000-0000-0000-0000-000000000000'), (0, 0, 0, repeat('0', 32)),
	(0, 0, 0, repeat('0', 16)), (0, 0, 0, '');
ALTER TABLE dau_id SET (parallel_workers = 2);
ANALYZE dau_id;

-- Whatever the type and the collation, im_dau says what count(DISTINCT) says:
-- over all rows, by group, in any order.  Rows here are differences.
CREATE COLLATION dau_nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TYPE dau_pair AS (a numeric, b text);
CREATE TYPE dau_enum AS ENUM ('a', 'b', 'c');
CREATE DOMAIN dau_domain AS text;
CREATE TABLE expression (no int GENERATED ALWAYS AS IDENTITY, e text);
INSERT INTO expression (e) VALUES
	('id'), ('id COLLATE "C"'), ('id COLLATE dau_nocase'), ('id::varchar'), ('id::bytea'), ('id::dau_domain'),
	('left(id, 30)::bpchar'), ('left(id, 10)::char(12)'), ('left(id, 10)::char(12) COLLATE dau_nocase'),
	('id::name'), ('left(id, 1)::"char"'), ('n % 1234'), ('(n % 1234)::smallint'), ('(n % 1234)::bigint - 600'),
	('n::bigint << 40'), ('(n % 2)::boolean'), ('(n % 99)::oid'), ('md5((n % 500)::text)::uuid'),
	('(n % 100 / 10.0)::numeric(10, 2) * (1 + n % 2)'),
	('CASE n % 5 WHEN 0 THEN 1.0 WHEN 1 THEN 1.00 WHEN 2 THEN ''NaN''::numeric ELSE n % 7 END'),
	('CASE n % 4 WHEN 0 THEN ''-0''::float8 WHEN 1 THEN 0 WHEN 2 THEN ''NaN'' ELSE n % 11 END'),
	('CASE n % 4 WHEN 0 THEN ''-0''::float4 WHEN 1 THEN 0 WHEN 2 THEN ''NaN'' ELSE n % 11 END'),
	('date ''2024-01-01'' + n % 77'), ('timestamptz ''2024-01-01'' + n % 77 * interval ''1 s'''),
	('CASE WHEN n % 2 = 0 THEN interval ''1 month'' ELSE interval ''30 days'' END'),
	('ARRAY[n % 10, NULL, n % 3]'), ('ARRAY[id]'), ('ARRAY[1.0 * (n % 3), 1.00]'),
	('ROW(n % 10, id)'), ('ROW(1.0 * (n % 3), left(id, 2))::dau_pair'),
	('(enum_range(NULL::dau_enum))[n % 3 + 1]'), ('int4range(n % 10, n % 10 + 5)'),
	('(n % 100)::bit(7)'), ('(n % 100)::bit(7)::varbit'), ('(n % 300)::money'), ('to_tsvector(''simple'', left(id, 5))'),
	('to_jsonb(id)'), ('to_jsonb(n % 100 / 10.0)'), ('inet ''10.0.0.0'' + n % 300'), ('''08:00:2b:01:02:03''::macaddr'),
	('NULL::text'), ('NULL::numeric');
CREATE FUNCTION differences() RETURNS TABLE (no int, e text, what text) LANGUAGE plpgsql AS $$
DECLARE
	x record;
	same boolean;
	setting text;
	got bigint[];
	want bigint[];
BEGIN
	FOR x IN SELECT * FROM expression ORDER BY expression.no LOOP
		EXECUTE format('SELECT im_dau(%1$s) = count(DISTINCT %1$s) FROM dau_id', x.e) INTO same;
		IF same IS NOT TRUE THEN RETURN QUERY SELECT x.no, x.e, 'all rows'; END IF;
		EXECUTE format('SELECT im_dau(%1$s ORDER BY r) = im_dau(%1$s) FROM dau_id', x.e) INTO same;
		IF same IS NOT TRUE THEN RETURN QUERY SELECT x.no, x.e, 'another order'; END IF;
		FOREACH setting IN ARRAY ARRAY['enable_sort', 'enable_hashagg'] LOOP
			PERFORM set_config(setting, 'off', true);
			EXECUTE format('SELECT array_agg(d ORDER BY g) FROM (SELECT g, im_dau(%1$s) AS d FROM dau_id GROUP BY g) AS x', x.e) INTO got;
			EXECUTE format('SELECT array_agg(d ORDER BY g) FROM (SELECT g, count(DISTINCT %1$s) AS d FROM dau_id GROUP BY g) AS x', x.e) INTO want;
			PERFORM set_config(setting, 'on', true);
			IF got IS DISTINCT FROM want THEN RETURN QUERY SELECT x.no, x.e, 'by group, ' || setting || ' off'; END IF;
		END LOOP;
	END LOOP;
END $$;
SELECT count(*) AS expressions FROM expression;
SET max_parallel_workers_per_gather = 0;
SELECT * FROM differences();

-- The same from two workers: states go through their bytes.
SET max_parallel_workers_per_gather = 2;
SET parallel_leader_participation = off;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT im_dau(id) FROM dau_id;
SELECT * FROM differences();
-- Workers without a row leave no state, and no state counts 0.
SELECT im_dau(id), im_dau(1.0) FROM dau_id WHERE n < 0;
SELECT im_dau(id), im_dau(n::numeric) FROM dau_id WHERE n = 5;
RESET max_parallel_workers_per_gather;

-- A hash aggregate that spills loses nobody: its contexts are reset while
-- the call site lives on.
SET work_mem = '64kB'; SET enable_sort = off; SET max_parallel_workers_per_gather = 0;
SELECT sum(d) = (SELECT count(*) FROM (SELECT DISTINCT n / 4, id FROM dau_id WHERE id IS NOT NULL) AS x) AS same
FROM (SELECT n / 4, im_dau(id) AS d FROM dau_id GROUP BY 1) AS x;
RESET work_mem; RESET enable_sort;
-- Grouping sets have a state per set and share the call site.
SELECT bool_and(d = c) AS same, count(*)
FROM (SELECT im_dau(id) AS d, count(DISTINCT id) AS c FROM dau_id GROUP BY GROUPING SETS ((g), (n % 3), (g, n % 2), ())) AS x;
-- As a window function the state is asked again and again while it grows.
SELECT bool_and(d = c) AS same
FROM (SELECT n, im_dau(id) OVER (ORDER BY n) AS d FROM dau_id WHERE n <= 700) AS x
JOIN LATERAL (SELECT count(DISTINCT id) AS c FROM dau_id WHERE dau_id.n <= x.n) AS y ON true WHERE n > 0 AND n % 50 = 0;
-- Groups that the executor drops unfinished leave nothing behind.
SELECT bool_and(d = 2) AS same FROM generate_series(1, 300) AS o,
	LATERAL (SELECT im_dau(x) AS d FROM (VALUES (o), (o + 1), (o)) AS v (x) GROUP BY () LIMIT 1) AS y;
BEGIN;
DECLARE c CURSOR FOR SELECT g, im_dau(id) FROM dau_id GROUP BY g ORDER BY g;
FETCH 1 FROM c; MOVE BACKWARD ALL FROM c; FETCH 1 FROM c;
COMMIT;
SELECT im_dau(id) FILTER (WHERE n % 2 = 0) = count(DISTINCT id) FILTER (WHERE n % 2 = 0) AS same, im_dau(DISTINCT id) = im_dau(id) AS same2
FROM dau_id;

-- What cannot be compared is refused with the type's name.
SELECT im_dau('(1,2)'::point);
SELECT im_dau('{}'::json);
DROP TABLE dau_id, expression;
DROP FUNCTION differences;
DROP TYPE dau_pair, dau_enum, dau_domain;
DROP COLLATION dau_nocase;
SET client_min_messages = warning;
DROP EXTENSION imbilling CASCADE;
