-- im_moderation_deductions: a failure here means that moderation is charged by
-- a wrong number of deductions.
CREATE EXTENSION imbilling;
SET timezone = 'UTC'; SET datestyle = 'ISO, MDY';
SELECT setseed(0.6);
CREATE FUNCTION card(zone text, coefficients text, price text DEFAULT '999') RETURNS im_rate_card
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT (format('{"currency": "CNY", "scale": 2, "time_zone": "%s", "grace_days": 7,
		"plans": {"trial": {"rank": 0, "price": "0"}, "pro": {"rank": 1, "price": "%s"}},
		"moderation": {"price": "0.0010", "coefficients": %s, "packs": {}}}', zone, price, coefficients)::jsonb)::im_rate_card
$$;
CREATE FUNCTION shanghai() RETURNS im_rate_card LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT card('Asia/Shanghai', '{"text": "1", "image": "0.65", "audio": "15", "video": "56"}')
$$;

-- The page's example: 10 texts, 10 images, 25 s and 135 s of audio between 8:10
-- and 8:20 are 10 + 6.5 + 2.5 * 15 = 54.
CREATE TEMP TABLE example AS
SELECT 'text' AS kind, timestamptz '2024-03-05 08:10+08' AS at, NULL::int AS seconds FROM generate_series(1, 10)
UNION ALL SELECT 'image', '2024-03-05 08:15+08', NULL FROM generate_series(1, 10)
UNION ALL VALUES ('audio', timestamptz '2024-03-05 08:10+08', 25), ('audio', timestamptz '2024-03-05 08:20+08', 135);
SELECT im_moderation_deductions(shanghai(), kind, at, seconds) FROM example;

-- Each case names what it shows.
WITH cases (what, want, kinds, ats, seconds) AS (VALUES
	('a text', 1, '{text}'::text[], '{2024-03-05}'::timestamptz[], '{null}'::int[]),
	('an image', 0.65, '{image}', '{2024-03-05}', '{null}'),
	('29 s', 0, '{audio}', '{2024-03-05}', '{29}'),
	('30 s', 7.5, '{audio}', '{2024-03-05}', '{30}'),
	('160 s', 37.5, '{audio}', '{2024-03-05}', '{160}'),
	('160 s of video', 140, '{video}', '{2024-03-05}', '{160}'),
	('29 s and 1 s in one hour', 28, '{video,video}', '{2024-03-05 08:00,2024-03-05 08:59:59.999999}', '{29,1}'),
	('29 s and 29 s in two hours', 0, '{video,video}', '{2024-03-05 08:59:59.999999,2024-03-05 09:00}', '{29,29}'),
	('29 s at the same hour of two days', 0, '{video,video}', '{2024-03-05 08:00,2024-03-06 08:00}', '{29,29}'),
	('29 s of audio, 29 s of video', 0, '{audio,video}', '{2024-03-05,2024-03-05}', '{29,29}'),
	('rows of an outer join', 1, '{null,text}', '{null,2024-03-05}', '{null,null}')
)
SELECT what, want, im_moderation_deductions(shanghai(), kind, at, s) AS got
FROM cases, unnest(kinds, ats, seconds) AS c (kind, at, s)
GROUP BY what, want
HAVING im_moderation_deductions(shanghai(), kind, at, s) <> want;
SELECT im_moderation_deductions(shanghai(), 'text', now(), NULL) FROM generate_series(1, 0);
SELECT im_moderation_deductions(NULL, NULL, NULL, NULL);

-- Hours are those of the card's zone: half past in Kathmandu, UTC+5:45, is not
-- half past in Shanghai; and New York's repeated hour is two.
SELECT zone, im_moderation_deductions(card(zone, '{"audio": "15"}'), 'audio', at, 20)
FROM (VALUES ('Asia/Shanghai', timestamptz '2024-03-05 08:10+00'), ('Asia/Shanghai', '2024-03-05 08:20+00'),
	('Asia/Kathmandu', timestamptz '2024-03-05 08:10+00'), ('Asia/Kathmandu', '2024-03-05 08:20+00'),
	('America/New_York', timestamptz '2024-11-03 05:30+00'), ('America/New_York', '2024-11-03 06:30+00')) v (zone, at)
GROUP BY zone ORDER BY zone COLLATE "C";

-- Exact: the smallest coefficient times half a minute, and the largest counts.
SELECT im_moderation_deductions(card('UTC', '{"audio": "0.0001"}'), 'audio', '2024-03-05', 30);
SELECT im_moderation_deductions(card('UTC', '{"audio": "999999999999.9999"}'), 'audio', '2024-03-05', 2147483647) FROM generate_series(1, 1000);

-- Errors.
SELECT im_moderation_deductions(shanghai(), 'smell', '2024-03-05 08:10+08', 1);
SELECT im_moderation_deductions(shanghai(), 'audio', '2024-03-05 08:10+08', NULL);
SELECT im_moderation_deductions(shanghai(), 'text', '2024-03-05 08:10+08', -1);
SELECT im_moderation_deductions(shanghai(), 'text', 'infinity', 1);
SELECT im_moderation_deductions(NULL, 'text', '2024-03-05', 1);
SELECT im_moderation_deductions(shanghai(), NULL, '2024-03-05', 1);
SELECT im_moderation_deductions(shanghai(), 'text', NULL, 1);
SELECT im_moderation_deductions(card('UTC', '{"text": "1"}'), 'image', '2024-03-05', 1);
-- A card may change within a group only in what does not matter here.
SELECT im_moderation_deductions(card('UTC', '{"text": "2"}', p), 'text', '2024-03-05', 1) FROM (VALUES ('999'), ('1499')) v (p);
SELECT im_moderation_deductions(card('UTC', c), 'text', '2024-03-05', 1) FROM (VALUES ('{"text": "1"}'), ('{"text": "2"}')) v (c);
SELECT im_moderation_deductions(card(z, '{"text": "1"}'), 'text', '2024-03-05', 1) FROM (VALUES ('UTC'), ('Asia/Shanghai')) v (z);

-- Random checks against plain SQL; any order and any split give the same.
CREATE TABLE checks AS
SELECT (random() * 9)::bigint AS app_id, (ARRAY['text', 'image', 'audio', 'video'])[1 + floor(random() * 4)::int] AS kind,
	timestamptz '2024-03-01' + random() * interval '20 days' AS at, (random() * 90)::int AS seconds
FROM generate_series(1, 40000);
SET max_parallel_workers_per_gather = 0;
CREATE TABLE serial AS SELECT app_id, im_moderation_deductions(shanghai(), kind, at, seconds) AS n FROM checks GROUP BY app_id;
SELECT count(*) AS apps, count(*) FILTER (WHERE s.n IS DISTINCT FROM f.n) AS wrong
FROM serial f FULL JOIN (
	SELECT app_id, sum(CASE kind WHEN 'text' THEN n WHEN 'image' THEN n * 0.65 WHEN 'audio' THEN s / 30 * 7.5 ELSE s / 30 * 28 END) AS n
	FROM (SELECT app_id, kind, date_trunc('hour', at, 'UTC'), count(*) AS n, sum(seconds) AS s FROM checks GROUP BY 1, 2, 3) h
	GROUP BY app_id) s USING (app_id);
SELECT count(*) AS wrong FROM (
	SELECT app_id, im_moderation_deductions(shanghai(), kind, at, seconds ORDER BY random()) FROM checks GROUP BY app_id
	EXCEPT TABLE serial) s;
SET max_parallel_workers_per_gather = 3; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0; SET enable_sort = off;
ALTER TABLE checks SET (parallel_workers = 3);
EXPLAIN (COSTS OFF) SELECT app_id, im_moderation_deductions(shanghai(), kind, at, seconds) FROM checks GROUP BY app_id;
SELECT count(*) AS wrong FROM (
	SELECT app_id, im_moderation_deductions(shanghai(), kind, at, seconds) FROM checks GROUP BY app_id EXCEPT TABLE serial) s;
SET parallel_leader_participation = off;
SELECT count(*) AS wrong FROM (
	SELECT app_id, im_moderation_deductions(shanghai(), kind, at, seconds) FROM checks GROUP BY app_id EXCEPT TABLE serial) s;
-- Two workers that met different cards cannot have their sums added.
DO $$
BEGIN
	PERFORM im_moderation_deductions(card('UTC', format('{"text": "%s"}', app_id + 1)), 'text', at, 1) FROM checks;
	RAISE EXCEPTION 'accepted';
EXCEPTION WHEN invalid_parameter_value THEN
	RAISE NOTICE '%', SQLERRM;
END $$;

SET client_min_messages = warning;
DROP TABLE checks, serial;
DROP FUNCTION shanghai, card;
DROP EXTENSION imbilling CASCADE;
