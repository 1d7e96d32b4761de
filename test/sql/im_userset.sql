-- im_userset: a set of users as a value.  A failure here means that users
-- are lost, invented or taken for others when days are kept and merged.
SET client_min_messages = warning;
CREATE EXTENSION imbilling;
RESET client_min_messages;
SET jit = off;
\set VERBOSITY default
\set SHOW_CONTEXT never

-- Text: what is read, and how it is written again.
SELECT t, t::im_userset, im_count(t::im_userset) FROM (VALUES
	('{}'), (' { } '), ('{a}'), ('{b,a,b}'), ('{ a , b c ,"d"}'), ('{""}'), ('{"null",NULLX}'),
	('{"a,b","{","}","\\","\"",\,,\ x}'), ('{用户,"用 户"}'), ('{0001,00000001,DEADBEEF,deadbeef,DeadBeef}'),
	('{123e4567-e89b-12d3-a456-426614174000,123E4567-E89B-12D3-A456-426614174000,123E4567-e89b-12d3-a456-426614174000}'),
	(E'{"a\nb","\t"}')) AS v (t);
-- Text that is no set is refused, and the detail says why.
SELECT '{'::im_userset;
SELECT 'a'::im_userset;
SELECT ''::im_userset;
SELECT '{a'::im_userset;
SELECT '{a,}'::im_userset;
SELECT '{,a}'::im_userset;
SELECT '{a}b'::im_userset;
SELECT '{"a}'::im_userset;
SELECT '{"a\'::im_userset;
SELECT '{a\'::im_userset;
SELECT '{"a"b}'::im_userset;
SELECT '{a"b"}'::im_userset;
SELECT '{{a}}'::im_userset;
SELECT '{a,NULL}'::im_userset;

-- Ids of every length and form, their neighbours, and ids that differ in the
-- last byte, in case, in a leading zero, in a blank at the end.
SELECT setseed(0.5);
CREATE TABLE set_id AS
SELECT n % 31 AS day, random() AS r, id FROM generate_series(1, 20000) n, LATERAL (VALUES
	(left(repeat(md5((n % 911)::text), 12), n % 377)),
	(md5((n % 911)::text)::uuid::text),
	(upper(md5((n % 911)::text)::uuid::text)),
	('user_' || lpad((n % 5003)::text, 8, '0')),
	('User' || n % 3001),
	(left(md5((n % 911)::text), n % 33)),
	(upper(left(md5((n % 911)::text), n % 33))),
	(repeat('x', n % 300) || n % 3),
	(repeat('用', n % 300) || CASE WHEN n % 2 = 0 THEN ' ' ELSE '' END),
	(CASE WHEN n % 5000 = 0 THEN repeat(md5(n::text), 3000) END),
	(CASE WHEN n = 7 THEN '' WHEN n % 3 = 0 THEN NULL ELSE chr(n % 700 + 1) || '"\,{}' END)) AS v (id);
ALTER TABLE set_id SET (parallel_workers = 2);
ANALYZE set_id;
CREATE TABLE day_set AS SELECT day, im_userset_agg(id) AS users FROM set_id GROUP BY day;

-- A set has exactly the ids that went in: rows are ids lost or invented.
SELECT im_count(im_userset_agg(id)) = count(DISTINCT id COLLATE "C") AS same FROM set_id;
SELECT id FROM (SELECT DISTINCT id COLLATE "C" FROM set_id WHERE id IS NOT NULL) AS x (id)
FULL JOIN (SELECT im_users(im_userset_agg(id)) COLLATE "C" AS u FROM set_id) AS y ON id = u
WHERE id IS NULL OR u IS NULL;
SELECT day FROM day_set WHERE im_count(users) <> (SELECT count(DISTINCT id COLLATE "C") FROM set_id WHERE set_id.day = day_set.day)
	OR im_count(users) <> (SELECT count(*) FROM im_users(users));

-- Text round trip, also through an array.
SELECT bool_and(users::text::im_userset = users) AS same,
	bool_and((SELECT im_userset_agg(u) FROM unnest(users::text::text[]) AS u) = users) AS as_array FROM day_set;

-- Any order, any split, any number of workers: the same set.
SELECT im_userset_agg(id ORDER BY r) = im_userset_agg(id) AS same,
	im_userset_agg(id ORDER BY id COLLATE "C" DESC) = im_userset_agg(id) AS same2 FROM set_id;
SET max_parallel_workers_per_gather = 0;
CREATE TABLE month_set AS SELECT im_userset_agg(id) AS users FROM set_id;
SET max_parallel_workers_per_gather = 2;
SET parallel_leader_participation = off;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
ALTER TABLE day_set SET (parallel_workers = 2);
EXPLAIN (COSTS OFF) SELECT im_union_agg(users) FROM day_set;
SELECT im_userset_agg(id) = (SELECT users FROM month_set) AS same FROM set_id;
SELECT im_union_agg(users) = (SELECT users FROM month_set) AS same FROM day_set;
SELECT im_userset_agg(id) AS no_rows, im_count(im_userset_agg(id)) FROM set_id WHERE day < 0;
SELECT im_union_agg(users) AS no_rows FROM day_set WHERE day < 0;
SET max_parallel_workers_per_gather = 0;
SELECT im_union_agg(users) = (SELECT users FROM month_set) AS same,
	im_union_agg(users ORDER BY day DESC) = (SELECT users FROM month_set) AS same2 FROM day_set;
-- Sets of every size: where a buffer grows, where a block ends.
SELECT n FROM generate_series(0, 3000, 7) AS n, LATERAL (SELECT im_userset_agg(i) AS s FROM generate_series(1, n) AS i) AS x
WHERE im_count(s) <> n OR (SELECT count(*) FROM im_users(s)) <> n OR (s | '{5}') <> (s | (s | '{5}'));
-- More inputs than one merge takes, thrice over.
SELECT im_union_agg(s) = (SELECT im_userset_agg(n) FROM generate_series(1, 9000) n) AS same
FROM (SELECT im_userset_agg(n) AS s FROM generate_series(1, 9000) n GROUP BY n / 2) AS x;
-- Nulls add nobody; nulls alone make the empty set.
SELECT im_union_agg(u), im_userset_agg(i) FROM (VALUES ('{a}'::im_userset, 'a'), (NULL, NULL)) AS v (u, i);
SELECT im_union_agg(NULL::im_userset), im_userset_agg(NULL::text);

-- The algebra of sets, over pairs of days; stored sets and sets in passing.
SELECT bool_and(a.users | b.users = b.users | a.users) AS commutes,
	bool_and(a.users | a.users = a.users) AS idempotent,
	bool_and(a.users | '{}' = a.users) AS neutral,
	bool_and((a.users | b.users) | c.users = a.users | (b.users | c.users)) AS associates,
	bool_and((a.users | b.users) | a.users = a.users | b.users) AS absorbs,
	bool_and((a.users = b.users) = ((a.users | b.users) = a.users AND (a.users | b.users) = b.users)) AS equal,
	bool_and((a.users <> b.users) = NOT (a.users = b.users)) AS unequal,
	bool_and(im_count(a.users | b.users) = (SELECT count(DISTINCT u COLLATE "C")
		FROM (SELECT im_users(a.users) UNION ALL SELECT im_users(b.users)) AS x (u))) AS counts
FROM day_set AS a, day_set AS b, day_set AS c WHERE a.day < 6 AND b.day = (a.day * 7 + 3) % 31 AND c.day = 30 - a.day;
SELECT count(*) AS groups FROM (SELECT users FROM (TABLE day_set UNION ALL TABLE day_set) AS x GROUP BY users) AS y;
-- Ids that only just differ stay apart, and equal sets have equal bytes.
SELECT im_count('{a,A,"a ","",0000,00000,000000,aaaa,AAAA,aaaA}'), '{a}'::im_userset = '{a}', '{a}'::im_userset = '{"a "}';
-- Stored compressed or in line a set is still read.
CREATE TABLE packed (users im_userset);
ALTER TABLE packed ALTER users SET STORAGE main;
INSERT INTO packed SELECT im_userset_agg(repeat('x', 3000) || n) FROM generate_series(1, 5000) n;
ALTER TABLE packed ALTER users SET STORAGE extended;
INSERT INTO packed SELECT im_userset_agg(repeat('x', 3000) || n) FROM generate_series(2, 5001) n;
SELECT im_count(im_union_agg(users)) FROM packed;

-- Types whose equal values have one text go in as that text.
SELECT im_userset_agg(x) FROM (VALUES (1::smallint), (-5), (32767)) AS v (x);
SELECT im_userset_agg(x) FROM (VALUES (-9223372036854775808), (9223372036854775807), (0)) AS v (x);
SELECT im_userset_agg(x), im_userset_agg(x) = im_userset_agg(x::text) AS same FROM (VALUES ('123E4567-e89b-12d3-a456-426614174000'::uuid)) AS v (x);
SELECT im_userset_agg(x), im_userset_agg(x::name), im_userset_agg(x::text) FROM (VALUES ('ab  '::char(4)), ('ab')) AS v (x);
SELECT im_userset_agg(x) FROM (VALUES (7::oid), (7)) AS v (x);
CREATE TYPE set_enum AS ENUM ('x', 'y');
CREATE DOMAIN set_domain AS varchar;
SELECT im_userset_agg(x::set_enum), im_userset_agg(x::set_domain) FROM (VALUES ('x'), ('y'), ('x')) AS v (x);
-- All others are refused: "1.0" and "1.00" would be two users of one value.
CREATE COLLATION set_nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
SELECT im_userset_agg(1.0);
SELECT im_userset_agg(1.0::float8);
SELECT im_userset_agg(now());
SELECT im_userset_agg('a'::text COLLATE set_nocase);
SELECT im_userset_agg(x || y) FROM (VALUES ('a' COLLATE "C", 'b' COLLATE "POSIX")) AS v (x, y);
-- A set is made by the functions here and by nothing else.
SELECT '\x01'::bytea::im_userset;

-- Bytes per user, at most: serial ids 4, 16 hex digits 14, uuids 20.
SELECT pg_column_size(im_userset_agg('user_' || lpad(n::text, 8, '0'))) <= 4 * count(*) AS serial,
	pg_column_size(im_userset_agg(left(md5(n::text), 16))) <= 14 * count(*) AS hex,
	pg_column_size(im_userset_agg(md5(n::text)::uuid)) <= 20 * count(*) AS uuid,
	pg_column_size(im_userset_agg('user_' || lpad((n * 97)::text, 8, '0'))) <= 4 * count(*) AS sparse
FROM generate_series(1, 10000) n;
DROP TABLE set_id, day_set, month_set, packed;
DROP TYPE set_enum, set_domain;
DROP COLLATION set_nocase;
SET client_min_messages = warning;
DROP EXTENSION imbilling CASCADE;
