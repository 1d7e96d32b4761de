-- The per-app meters that the bills gather usage with: im_usage_agg,
-- im_check_days, im_call_days, im_group_days.  A failure here means that
-- checks, minutes or groups are counted on the wrong day or in the wrong
-- number, and so billed wrongly.
CREATE EXTENSION imbilling;
SET timezone = 'UTC'; SET datestyle = 'ISO, MDY';
SELECT setseed(0.5);

-- A result as rows, with short names.
CREATE FUNCTION day_rows(usage im_internal.im_usage) RETURNS TABLE (day date, dau bigint, groups bigint,
	text bigint, image bigint, audio_half bigint, video_half bigint,
	audio bigint, sd bigint, hd bigint, fhd bigint)
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT * FROM im_internal.im_usage_days(usage)';

-- im_usage_agg: any order, null is 0, rows of one day are summed.
SELECT r.* FROM (SELECT im_internal.im_usage_agg(7, day, n, n + 1, n + 2, NULL, n, n, n, n, n, n, NULL, NULL) AS flat
	FROM (VALUES (date '2024-03-03', 3), ('2024-03-01', 10), ('2024-03-02', 2), ('2024-03-01', 5)) v (day, n)) s,
	day_rows(flat) r;
SELECT im_internal.im_usage_agg(7, '2000-01-01', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
SELECT im_internal.im_usage_agg(7, '2000-01-01', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL) FROM generate_series(1, 0);
SELECT im_internal.im_usage_agg(-9223372036854775808, '0001-01-01', 9223372036854775807, 0, 0, 0, 0, 0, 0, 0, 0, 9223372036854775807, NULL, NULL);
SELECT im_internal.im_usage_agg(7, '2024-03-01', 1, 2, 3, 4, 5, 6, 7, 8, -9, 10, NULL, NULL);
SELECT im_internal.im_usage_agg(7, NULL, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, NULL, NULL);
SELECT im_internal.im_usage_agg(7, 'infinity', 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, NULL, NULL);
SELECT im_internal.im_usage_agg(7, '0001-12-31 BC', 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, NULL, NULL);
SELECT im_internal.im_usage_agg(7, '10000-01-01', 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, NULL, NULL);
SELECT im_internal.im_usage_agg(7, '2024-03-01', n, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL) FROM (VALUES (9223372036854775807), (1)) v (n);

-- im_check_days.  Each case is a set of checks of March in Asia/Shanghai.
CREATE FUNCTION checks(kinds text[], ats timestamptz[], seconds int[], zone text DEFAULT 'Asia/Shanghai')
RETURNS TABLE (day date, text bigint, image bigint, audio_half bigint, video_half bigint)
LANGUAGE sql AS $$
	SELECT r.day, r.text, r.image, r.audio_half, r.video_half
	FROM (SELECT im_internal.im_check_days(42, at, kind, s, zone, '2024-03-01', '2024-03-31') AS flat
		FROM unnest(kinds, ats, seconds) c (kind, at, s)) a, day_rows(flat) r
$$;
-- The page's example: 10 texts, 10 images, 25 s and 135 s of audio in one hour
-- are 10, 10 and 5 half minutes.
SELECT * FROM checks(array_fill('text'::text, '{10}') || array_fill('image'::text, '{10}') || '{audio,audio}',
	array_fill(timestamptz '2024-03-05 08:10+08', '{20}') || '{2024-03-05 08:10+08,2024-03-05 08:19:59+08}'::timestamptz[],
	array_fill(NULL::int, '{20}') || '{25,135}'::int[]);
-- 29 s are none, 30 s one, 59 s one, 60 s two; audio and video apart.
SELECT * FROM checks('{audio,video}', '{2024-03-05 08:00+08,2024-03-05 08:00+08}', '{29,29}');
SELECT * FROM checks('{audio,audio,video}', '{2024-03-05 08:00+08,2024-03-05 08:59:59.999999+08,2024-03-05 08:00+08}', '{29,1,59}');
SELECT * FROM checks('{audio,video}', '{2024-03-05 08:00+08,2024-03-05 08:00+08}', '{30,60}');
-- The same seconds on two sides of an hour: 29 s and 29 s are nothing.
SELECT * FROM checks('{audio,audio}', '{2024-03-05 08:59:59.999999+08,2024-03-05 09:00+08}', '{29,29}');
-- Midnight in UTC+8 is 16:00 UTC; the first and last instants of March.
SELECT * FROM checks('{text,text,text,text,text}', '{2024-02-29 15:59:59.999999+00,2024-02-29 16:00+00,2024-03-05 15:59:59.999999+00,2024-03-05 16:00+00,2024-03-31 15:59:59.999999+00}', '{}');
SELECT count(*) FROM checks('{text,text}', '{2024-02-29 15:59:59.999999+00,2024-03-31 16:00+00}', '{}');
-- Seconds of a text are not counted, and a day of 0 half minutes is a day.
SELECT * FROM checks('{text,image}', '{2024-03-05 08:00+08,2024-03-06 08:00+08}', '{100,0}');

-- An hour that the zone repeats is two hours: 20 s in each are nothing, and 30 s
-- in each are two half minutes, where one hour of 59 s would be one.
SELECT s, r.day, r.audio_half FROM (
	SELECT s, im_internal.im_check_days(42, at, 'audio', s, 'America/New_York', '2024-11-01', '2024-11-30') AS flat
	FROM (VALUES (timestamptz '2024-11-03 05:30+00'), ('2024-11-03 06:30+00')) v (at), (VALUES (20), (30)) w (s)
	GROUP BY s) a, day_rows(flat) r ORDER BY s;
-- Lord Howe repeats half an hour: 01:45 before and after are two hours; the
-- rest of the later hour, from 01:30 on, belongs to the later one.
SELECT what, r.day, r.video_half FROM (
	SELECT what, im_internal.im_check_days(42, at, 'video', 20, 'Australia/Lord_Howe', '2024-04-01', '2024-04-30') AS flat
	FROM (VALUES ('both 01:45', timestamptz '2024-04-06 14:45+00'), ('both 01:45', '2024-04-06 15:15+00'),
		('first 01:00 and 01:45', '2024-04-06 14:00+00'), ('first 01:00 and 01:45', '2024-04-06 14:45+00'),
		('second 01:30 and 01:59', '2024-04-06 15:00+00'), ('second 01:30 and 01:59', '2024-04-06 15:29+00')) v (what, at)
	GROUP BY what) a, day_rows(flat) r ORDER BY what;

-- Rows outside the days asked for are not looked at, whatever they hold.
SELECT im_internal.im_check_days(42, at, 'smell', -1, 'Asia/Shanghai', '2024-03-01', '2024-03-31')
FROM (VALUES (timestamptz '2024-02-29 15:59+00'), ('2024-03-31 16:00+00'), ('infinity'), ('-infinity'), ('294000-01-01')) v (at);
-- Rows inside are, and the error names them.
SELECT im_internal.im_check_days(42, '2024-03-05 08:10+08', 'smell', 1, 'Asia/Shanghai', '2024-03-01', '2024-03-31');
SELECT im_internal.im_check_days(42, '2024-03-05 08:10+08', 'TEXT', 1, 'Asia/Shanghai', '2024-03-01', '2024-03-31');
SELECT im_internal.im_check_days(42, '2024-03-05 08:10+08', '', 1, 'Asia/Shanghai', '2024-03-01', '2024-03-31');
SELECT im_internal.im_check_days(42, '2024-03-05 08:10+08', repeat('审', 100000), 1, 'Asia/Shanghai', '2024-03-01', '2024-03-31');
SELECT im_internal.im_check_days(42, '2024-03-05 08:10+08', 'audio', NULL, 'Asia/Shanghai', '2024-03-01', '2024-03-31');
SELECT im_internal.im_check_days(42, '2024-03-05 08:10+08', 'video', -1, 'Asia/Shanghai', '2024-03-01', '2024-03-31');
SELECT im_internal.im_check_days(42, '2024-03-05 08:10+08', 'text', -2147483648, 'Asia/Shanghai', '2024-03-01', '2024-03-31');
SELECT im_internal.im_check_days(42, NULL, 'text', 1, 'Asia/Shanghai', '2024-03-01', '2024-03-31');
SELECT im_internal.im_check_days(42, '2024-03-05 08:10+08', NULL, 1, 'Asia/Shanghai', '2024-03-01', '2024-03-31');
SELECT im_internal.im_check_days(42, '2024-03-05 08:10+08', 'text', 1, 'Asia/Nowhere', '2024-03-01', '2024-03-31');
SELECT im_internal.im_check_days(42, '2024-03-05 08:10+08', 'text', 1, 'Asia/Shanghai', '-infinity', '2024-03-31');

-- im_call_days: every started minute of a day and class counts.
SELECT r.day, r.audio, r.sd, r.hd, r.fhd FROM (
	SELECT im_internal.im_call_days(42, at, class, s, 'Asia/Shanghai', '2024-03-01', '2024-03-31') AS flat
	FROM (VALUES (timestamptz '2024-03-05 08:00+08', 'audio', 59), ('2024-03-05 09:00+08', 'audio', 1),
		('2024-03-05 08:00+08', 'sd', 61), ('2024-03-05 08:00+08', 'hd', 0), ('2024-03-05 08:00+08', 'fhd', 1),
		('2024-03-05 15:59:59.999999+00', 'hd', 60), ('2024-03-05 16:00+00', 'hd', 119),
		('2024-02-29 15:59:59.999999+00', 'hd', 119), ('2024-03-31 16:00+00', 'uhd', NULL)) v (at, class, s)) a, day_rows(flat) r;
SELECT im_internal.im_call_days(42, '2024-03-05 08:10+08', 'uhd', 1, 'Asia/Shanghai', '2024-03-01', '2024-03-31');
SELECT im_internal.im_call_days(42, '2024-03-05 08:10+08', 'hd', NULL, 'Asia/Shanghai', '2024-03-01', '2024-03-31');
SELECT im_internal.im_call_days(42, '2024-03-05 08:10+08', 'fhd', -5, 'Asia/Shanghai', '2024-03-01', '2024-03-31');
SELECT im_internal.im_call_days(42, '2024-03-05 08:10+08', 'hd', 1, 'Asia/Shanghai', '2024-04-01', '2024-04-30') IS NULL AS "null";

-- im_group_days: a day without events still has the groups that are there, and
-- a day without groups has no row.
SELECT r.day, r.groups FROM (
	SELECT im_internal.im_group_days(42, 'g', c, d, 'Asia/Shanghai', '2024-03-01', '2024-03-06') AS flat
	FROM (VALUES (timestamptz '2024-02-01', timestamptz '2024-03-01 16:00+00'),
		('2024-02-29 16:00+00', '2024-03-03 15:59:59.999999+00'), ('2024-03-02 16:00+00', '2024-03-02 16:00:00.000001+00'),
		('2024-03-04 16:00+00', NULL), ('2024-03-05 16:00+00', '2024-03-05 16:00+00'),
		('2024-03-06 16:00+00', NULL), ('2024-01-02', '2024-01-01')) v (c, d)) a, day_rows(flat) r;
SELECT im_internal.im_group_days(42, 'g', '2024-03-02 00:00+00', '2024-03-01 23:59:59+00', 'Asia/Shanghai', '2024-03-01', '2024-03-06');
SELECT im_internal.im_group_days(42, 'g', NULL, NULL, 'Asia/Shanghai', '2024-03-01', '2024-03-06');
SELECT im_internal.im_group_days(42, 'g', now(), NULL, 'Asia/Shanghai', '2024-03-06', '2024-03-01');
SELECT im_internal.im_group_days(42, 'g', now(), NULL, NULL, '2024-03-01', '2024-03-06');
SELECT im_internal.im_group_days(42, 'g', '2023-01-01', '2023-02-01', 'Asia/Shanghai', '2024-03-01', '2024-03-06') IS NULL AS "null";
-- Apia had no 30 December 2011.  In St. John's 7 November 2010 began, lasted a
-- minute, was 6 November again for 59 and then began anew: a group of those 59
-- minutes is one of the 6th alone.  In Sao Paulo 4 November 2018 began at 01:00.
SELECT zone, r.day, r.groups FROM (
	SELECT zone, im_internal.im_group_days(42, 'g', c, d, zone, f, f + 3) AS flat
	FROM (VALUES ('Pacific/Apia', timestamptz '2011-12-01', NULL::timestamptz, date '2011-12-28'),
		('America/St_Johns', '2010-11-07 02:40+00', '2010-11-07 03:00+00', '2010-11-05'),
		('America/Sao_Paulo', '2018-11-03 12:00+00', '2018-11-04 03:00+00', '2018-11-02')) v (zone, c, d, f)
	GROUP BY zone) a, day_rows(flat) r ORDER BY zone COLLATE "C", day;
-- A group of all these days is one on each, however many pieces a day has.
SELECT r.day, r.groups FROM (SELECT im_internal.im_group_days(42, 'g', '2010-11-01', NULL, 'America/St_Johns', '2010-11-05', '2010-11-08') AS flat) a, day_rows(flat) r;
-- The range may end between the pieces: those minutes still count for the 6th.
SELECT r.day, r.groups FROM (SELECT im_internal.im_group_days(42, 'g', '2010-11-07 02:40+00', '2010-11-07 03:00+00', 'America/St_Johns', '2010-11-06', '2010-11-06') AS flat) a, day_rows(flat) r;

-- Random events against plain SQL, for a zone with a repeated hour in the range.
CREATE TABLE events AS
SELECT (random() * 9)::bigint AS app_id, timestamptz '2024-10-25' + random() * interval '20 days' AS at,
	(ARRAY['text', 'image', 'audio', 'video'])[1 + floor(random() * 4)::int] AS kind,
	(ARRAY['audio', 'sd', 'hd', 'fhd'])[1 + floor(random() * 4)::int] AS class,
	(random() * 90)::int AS seconds
FROM generate_series(1, 60000);
CREATE VIEW fast_checks AS
SELECT app_id, im_internal.im_check_days(app_id, at, kind, seconds, 'America/New_York', '2024-10-28', '2024-11-08')::text AS flat FROM events GROUP BY app_id;
CREATE VIEW fast_calls AS
SELECT app_id, im_internal.im_call_days(app_id, at, class, seconds, 'America/New_York', '2024-10-28', '2024-11-08')::text AS flat FROM events GROUP BY app_id;
CREATE VIEW fast_groups AS
SELECT app_id, im_internal.im_group_days(app_id, 'g', date_trunc('hour', at, 'UTC'), date_trunc('hour', at, 'UTC') + seconds * interval '1 hour', 'America/New_York', '2024-10-28', '2024-11-08')::text AS flat FROM events GROUP BY app_id;
SET max_parallel_workers_per_gather = 0;
CREATE TABLE serial_checks AS TABLE fast_checks;
CREATE TABLE serial_calls AS TABLE fast_calls;
CREATE TABLE serial_groups AS TABLE fast_groups;
-- Hours told apart by the instant at which they begin.
WITH hours AS (
	SELECT app_id, (at AT TIME ZONE 'America/New_York')::date AS day, date_trunc('hour', at, 'UTC'), kind, count(*) AS n, sum(seconds) AS s
	FROM events GROUP BY 1, 2, 3, 4
), slow AS (
	SELECT app_id, day, coalesce(sum(n) FILTER (WHERE kind = 'text'), 0) AS text, coalesce(sum(n) FILTER (WHERE kind = 'image'), 0) AS image,
		coalesce(sum(s / 30) FILTER (WHERE kind = 'audio'), 0) AS audio_half, coalesce(sum(s / 30) FILTER (WHERE kind = 'video'), 0) AS video_half
	FROM hours WHERE day BETWEEN '2024-10-28' AND '2024-11-08' GROUP BY 1, 2
)
SELECT count(*) AS days, count(*) FILTER (WHERE (s.text, s.image, s.audio_half, s.video_half) IS DISTINCT FROM (f.text, f.image, f.audio_half, f.video_half)) AS wrong
FROM slow s FULL JOIN (SELECT app_id, r.* FROM serial_checks, day_rows(flat::im_internal.im_usage) r) f USING (app_id, day);
WITH days AS (
	SELECT app_id, (at AT TIME ZONE 'America/New_York')::date AS day, class, (sum(seconds) + 59) / 60 AS n FROM events GROUP BY 1, 2, 3
), slow AS (
	SELECT app_id, day, coalesce(sum(n) FILTER (WHERE class = 'audio'), 0) AS audio, coalesce(sum(n) FILTER (WHERE class = 'sd'), 0) AS sd,
		coalesce(sum(n) FILTER (WHERE class = 'hd'), 0) AS hd, coalesce(sum(n) FILTER (WHERE class = 'fhd'), 0) AS fhd
	FROM days WHERE day BETWEEN '2024-10-28' AND '2024-11-08' GROUP BY 1, 2
)
SELECT count(*) AS days, count(*) FILTER (WHERE (s.audio, s.sd, s.hd, s.fhd) IS DISTINCT FROM (f.audio, f.sd, f.hd, f.fhd)) AS wrong
FROM slow s FULL JOIN (SELECT app_id, r.* FROM serial_calls, day_rows(flat::im_internal.im_usage) r) f USING (app_id, day);
-- Groups come and go at full hours, as local midnight does: count at each.
WITH moments AS (
	SELECT m, (m AT TIME ZONE 'America/New_York')::date AS day FROM generate_series(timestamptz '2024-10-27', '2024-11-11', '1 hour') m
), changes AS (
	SELECT app_id, date_trunc('hour', at, 'UTC') AS m, 1 AS n FROM events WHERE seconds > 0
	UNION ALL SELECT app_id, date_trunc('hour', at, 'UTC') + seconds * interval '1 hour', -1 FROM events WHERE seconds > 0
	UNION ALL SELECT app_id, m, 0 FROM moments, generate_series(0, 9) app_id
), counts AS (
	SELECT app_id, m, sum(sum(n)) OVER (PARTITION BY app_id ORDER BY m) AS n FROM changes GROUP BY app_id, m
), slow AS (
	SELECT app_id, day, max(n) AS groups FROM counts JOIN moments USING (m) WHERE day BETWEEN '2024-10-28' AND '2024-11-08' GROUP BY 1, 2
)
SELECT count(*) AS days, count(*) FILTER (WHERE s.groups IS DISTINCT FROM f.groups) AS wrong
FROM slow s FULL JOIN (SELECT app_id, r.* FROM serial_groups, day_rows(flat::im_internal.im_usage) r) f USING (app_id, day);

-- Any order of the rows, and any split over workers, gives the same.
CREATE VIEW daily AS SELECT app_id, (at AT TIME ZONE 'UTC')::date AS day, seconds::bigint AS n FROM events;
CREATE VIEW fast_usage AS SELECT app_id, im_internal.im_usage_agg(app_id, day, n, n, n, n, n, n, n, n, n, n, NULL, NULL)::text AS flat FROM daily GROUP BY app_id;
CREATE TABLE serial_usage AS TABLE fast_usage;
SELECT count(*) AS days, count(*) FILTER (WHERE (r.dau, r.fhd) IS DISTINCT FROM (s.n, s.n)) AS wrong
FROM (SELECT app_id, r.* FROM serial_usage, day_rows(flat::im_internal.im_usage) r) r FULL JOIN (SELECT app_id, day, sum(n) AS n FROM daily GROUP BY 1, 2) s USING (app_id, day);
SELECT count(*) AS wrong FROM (
	SELECT app_id, im_internal.im_check_days(app_id, at, kind, seconds, 'America/New_York', '2024-10-28', '2024-11-08' ORDER BY random())::text FROM events GROUP BY app_id
	EXCEPT TABLE serial_checks) s;
SELECT count(*) AS wrong FROM (
	SELECT app_id, im_internal.im_call_days(app_id, at, class, seconds, 'America/New_York', '2024-10-28', '2024-11-08' ORDER BY random())::text FROM events GROUP BY app_id
	EXCEPT TABLE serial_calls) s;
SELECT count(*) AS wrong FROM (
	SELECT app_id, im_internal.im_group_days(app_id, 'g', date_trunc('hour', at, 'UTC'), date_trunc('hour', at, 'UTC') + seconds * interval '1 hour', 'America/New_York', '2024-10-28', '2024-11-08' ORDER BY random())::text FROM events GROUP BY app_id
	EXCEPT TABLE serial_groups) s;
SELECT count(*) AS wrong FROM (
	SELECT app_id, im_internal.im_usage_agg(app_id, day, n, n, n, n, n, n, n, n, n, n, NULL, NULL ORDER BY random())::text FROM daily GROUP BY app_id
	EXCEPT TABLE serial_usage) s;
SET max_parallel_workers_per_gather = 3; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0; SET enable_sort = off;
ALTER TABLE events SET (parallel_workers = 3);
EXPLAIN (COSTS OFF) TABLE fast_checks;
SELECT count(*) AS wrong FROM (TABLE fast_checks EXCEPT TABLE serial_checks) s;
SELECT count(*) AS wrong FROM (TABLE fast_calls EXCEPT TABLE serial_calls) s;
SELECT count(*) AS wrong FROM (TABLE fast_groups EXCEPT TABLE serial_groups) s;
SELECT count(*) AS wrong FROM (TABLE fast_usage EXCEPT TABLE serial_usage) s;
SET parallel_leader_participation = off; SET timezone = 'Asia/Kathmandu'; SET datestyle = 'German';
SELECT count(*) AS wrong FROM (TABLE fast_checks EXCEPT TABLE serial_checks) s;
SELECT count(*) AS wrong FROM (TABLE fast_groups EXCEPT TABLE serial_groups) s;

-- Bytes of one meter's state are no state of another.
CREATE AGGREGATE crossed_checks(bigint, timestamptz, text, int, text, date, date) (
	SFUNC = im_internal.im_check_days_trans, STYPE = internal, COMBINEFUNC = im_internal.im_check_days_combine,
	SERIALFUNC = im_internal.im_check_days_serial, DESERIALFUNC = im_internal.im_peak_groups_deserial,
	FINALFUNC = im_internal.im_check_days_value, PARALLEL = SAFE);
SELECT crossed_checks(app_id, at, kind, seconds, 'UTC', '2024-10-28', '2024-11-08') FROM events;

SET client_min_messages = warning;
DROP TABLE events, serial_checks, serial_calls, serial_groups, serial_usage CASCADE;
DROP FUNCTION checks, day_rows;
DROP EXTENSION imbilling CASCADE;
