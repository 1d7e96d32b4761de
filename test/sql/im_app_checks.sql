-- im_app_checks: moderation checks of all apps by local day.  A failure here
-- means that metering bills deductions that were not, or not all that were.
SET client_min_messages = warning;
CREATE EXTENSION imbilling;
RESET client_min_messages;
SET jit = off;
\set VERBOSITY default
\set SHOW_CONTEXT never

-- Apps of all sizes over a year, about the hours that clocks repeat and skip.
CREATE TABLE checked AS
SELECT CASE n % 5 WHEN 0 THEN -9223372036854775808 WHEN 1 THEN n % 400 WHEN 2 THEN (n % 7)::bigint << 40 ELSE 7 END AS app_id,
	CASE WHEN n % 2 = 0 THEN timestamptz '2023-10-29 00:00+00' + n % 7200 * interval '1 s'
		ELSE timestamptz '2023-03-25 12:00+00' + (n % 8000) * interval '61 min' END AS at,
	(ARRAY['text', 'image', 'audio', 'video'])[n % 4 + 1] AS kind,
	CASE WHEN n % 4 >= 2 OR n % 12 = 0 THEN n % 100 END AS seconds
FROM generate_series(1, 40000) n;
ALTER TABLE checked SET (parallel_workers = 2);
ANALYZE checked;

-- Rows are differences to im_check_days, app by app, and to plain SQL where no hour comes twice.
CREATE FUNCTION differences(zone text) RETURNS TABLE (app_id bigint, day date, got bigint[], want bigint[]) LANGUAGE sql AS $$
	SELECT app_id, day, g.units, w.units
	FROM (SELECT r.app_id, r.day, ARRAY[text_checks, image_checks, audio_half_minutes, video_half_minutes] AS units
		FROM (SELECT im_internal.im_app_checks(app_id, at, kind, seconds, zone) AS a FROM checked) x, im_internal.im_app_checks_rows(a) r) g
	FULL JOIN (SELECT d.app_id, i.day, ARRAY[i.text_checks, i.image_checks, i.audio_half_minutes, i.video_half_minutes] AS units
		FROM (SELECT app_id, im_internal.im_check_days(app_id, at, kind, seconds, zone, '2000-01-01', '2099-12-31') AS a
			FROM checked GROUP BY app_id) d, im_internal.im_usage_days(d.a) i) w USING (app_id, day)
	WHERE g.units IS DISTINCT FROM w.units
$$;
CREATE FUNCTION plain_differences(zone text) RETURNS TABLE (app_id bigint, day date, got bigint[], want bigint[]) LANGUAGE sql AS $$
	SELECT app_id, day, g.units, w.units
	FROM (SELECT r.app_id, r.day, ARRAY[text_checks, image_checks, audio_half_minutes, video_half_minutes] AS units
		FROM (SELECT im_internal.im_app_checks(app_id, at, kind, seconds, zone) AS a FROM checked) x, im_internal.im_app_checks_rows(a) r) g
	FULL JOIN (SELECT app_id, hour::date AS day, ARRAY[sum(texts), sum(images), sum(audio / 30), sum(video / 30)]::bigint[] AS units
		FROM (SELECT app_id, date_trunc('hour', at AT TIME ZONE zone) AS hour,
				count(*) FILTER (WHERE kind = 'text') AS texts, count(*) FILTER (WHERE kind = 'image') AS images,
				coalesce(sum(seconds) FILTER (WHERE kind = 'audio'), 0) AS audio,
				coalesce(sum(seconds) FILTER (WHERE kind = 'video'), 0) AS video
			FROM checked GROUP BY 1, 2) h
		GROUP BY 1, 2) w USING (app_id, day)
	WHERE g.units IS DISTINCT FROM w.units
$$;
SET max_parallel_workers_per_gather = 0;
SELECT * FROM differences('Asia/Shanghai');
SELECT * FROM differences('Europe/Berlin');
SELECT * FROM plain_differences('Asia/Kolkata');
SELECT * FROM plain_differences('America/Sao_Paulo');

-- Beyond hash_mem the sums go through files, once and again.
SET work_mem = '64kB';
SET hash_mem_multiplier = 1;
SELECT * FROM differences('Europe/Berlin');
SET temp_file_limit = '100kB';
\set VERBOSITY sqlstate
SELECT array_length(im_internal.im_app_checks(app_id, at, kind, seconds, 'UTC'), 1) > 0 AS counted FROM checked;
\set VERBOSITY default
RESET work_mem;
SELECT array_length(im_internal.im_app_checks(app_id, at, kind, seconds, 'UTC'), 1) > 0 AS counted FROM checked;
RESET temp_file_limit;
RESET hash_mem_multiplier;

-- From two workers: states go through their bytes, those in files too.
SET max_parallel_workers_per_gather = 2;
SET parallel_leader_participation = off;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT im_internal.im_app_checks(app_id, at, kind, seconds, 'Asia/Shanghai') FROM checked;
SELECT * FROM plain_differences('Asia/Kolkata');
SET work_mem = '64kB';
SELECT * FROM plain_differences('Asia/Kolkata');
SELECT count(*) AS files FROM pg_ls_tmpdir();
RESET work_mem;
-- Workers without a row leave no state.
SELECT im_internal.im_app_checks(app_id, at, kind, seconds, 'Asia/Shanghai') FROM checked WHERE seconds < 0;
-- Another aggregate's bytes are refused.
CREATE AGGREGATE crossed_wires(bigint, timestamptz, text, integer, text, date, date) (
	SFUNC = im_internal.im_check_days_trans, STYPE = internal, COMBINEFUNC = im_internal.im_app_checks_combine,
	SERIALFUNC = im_internal.im_check_days_serial, DESERIALFUNC = im_internal.im_app_checks_deserial, FINALFUNC = im_internal.im_app_checks_final, PARALLEL = SAFE);
SELECT crossed_wires(app_id, at, kind, seconds, 'Asia/Shanghai', '2000-01-01', '2099-12-31') FROM checked WHERE app_id = 7;
RESET max_parallel_workers_per_gather;

-- By ascending app and day, whatever the order of the rows; a clock hour
-- counts its whole half minutes.
SELECT r.*
FROM (SELECT im_internal.im_app_checks(app_id, at::timestamptz, kind, seconds, 'Asia/Shanghai') AS a
	FROM (VALUES (2, '2024-01-01 23:59:59+08', 'audio', 29), (2, '2024-01-01 23:00+08', 'audio', 31), (2, '2024-01-02 00:00+08', 'video', 29),
		(1, '2024-01-02 00:00+08', 'text', NULL), (2, '2024-01-01 22:59+08', 'audio', 29), (1, '2024-01-01 00:00+08', 'image', NULL)) v(app_id, at, kind, seconds)) x,
	im_internal.im_app_checks_rows(a) r;

-- A zone of each row.
SELECT r.app_id, r.day, r.text_checks
FROM (SELECT im_internal.im_app_checks(app_id, '2024-01-01 20:00+00', 'text', NULL, zone) AS a
	FROM (VALUES (1, 'UTC'), (1, 'Asia/Shanghai'), (2, 'UTC'), (2, 'Asia/Tokyo'), (2, 'UTC')) v(app_id, zone)) x,
	im_internal.im_app_checks_rows(a) r;

-- What is no check.
SELECT im_internal.im_app_checks(1, '2024-01-01 00:00+00', 'Text', NULL, 'UTC');
SELECT im_internal.im_app_checks(1, '2024-01-01 00:00+00', 'videos', 1, 'UTC');
SELECT im_internal.im_app_checks(1, '2024-01-01 00:00+00', '', 1, 'UTC');
SELECT im_internal.im_app_checks(1, '2024-01-01 00:00+00', 'imagf', 1, 'UTC');
SELECT im_internal.im_app_checks(1, '2024-01-01 00:00+00', 'audio', NULL, 'UTC');
SELECT im_internal.im_app_checks(1, '2024-01-01 00:00+00', 'video', -1, 'UTC');
SELECT im_internal.im_app_checks(1, '2024-01-01 00:00+00', 'text', -1, 'UTC');
SELECT im_internal.im_app_checks(NULL, '2024-01-01 00:00+00', 'text', NULL, 'UTC');
SELECT im_internal.im_app_checks(1, NULL, 'text', NULL, 'UTC');
SELECT im_internal.im_app_checks(1, '2024-01-01 00:00+00', NULL, NULL, 'UTC');
SELECT im_internal.im_app_checks(1, '2024-01-01 00:00+00', 'text', NULL, NULL);
SELECT im_internal.im_app_checks(1, '2024-01-01 00:00+00', 'text', NULL, 'Asia/Nowhere');
SELECT im_internal.im_app_checks(1, 'infinity', 'text', NULL, 'UTC');
SELECT * FROM im_internal.im_app_checks_rows(ARRAY[1, 2, 3]);

SET client_min_messages = warning;
DROP TABLE checked;
DROP FUNCTION differences, plain_differences;
DROP EXTENSION imbilling CASCADE;
