-- im_peak_groups: a failure here means that an app pays for more groups, or
-- fewer, than it had at any one moment.
CREATE EXTENSION imbilling;
SET timezone = 'UTC'; SET datestyle = 'ISO, MDY';
SELECT setseed(0.4);

-- Each case names what it shows; "got" is the peak in [2024-03-01, 2024-04-01).
WITH cases (what, want, created, disbanded) AS (VALUES
	('one group', 1, '{2024-03-05}'::timestamptz[], '{null}'::timestamptz[]),
	('two at once', 2, '{2024-03-05,2024-03-06}', '{2024-03-07,null}'),
	('one after the other', 1, '{2024-03-05,2024-03-07}', '{2024-03-06,null}'),
	('created at the instant another is disbanded', 1, '{2024-03-05,2024-03-06}', '{2024-03-06,null}'),
	('a microsecond of overlap', 2, '{2024-03-05,2024-03-05 23:59:59.999999}', '{2024-03-06,null}'),
	('created and disbanded at once never exists', 0, '{2024-03-05}', '{2024-03-05}'),
	('disbanded at the window''s first instant', 0, '{2024-02-05}', '{2024-03-01}'),
	('disbanded a microsecond later', 1, '{2024-02-05}', '{2024-03-01 00:00:00.000001}'),
	('created at the window''s first instant', 1, '{2024-03-01}', '{2024-03-02}'),
	('handed over at the window''s first instant', 1, '{2024-02-05,2024-03-01}', '{2024-03-01,null}'),
	('created at the window''s end', 0, '{2024-04-01}', '{null}'),
	('created in its last microsecond', 1, '{2024-03-31 23:59:59.999999}', '{null}'),
	('spanning the window', 1, '{2024-01-01}', '{2024-05-01}'),
	('gone before the window', 0, '{2024-01-01}', '{2024-02-01}'),
	('since ever', 1, '{-infinity}', '{null}'),
	('for ever', 1, '{2024-03-05}', '{infinity}'),
	('since ever, disbanded', 2, '{-infinity,2024-03-05}', '{2024-03-05 00:00:00.000001,infinity}'),
	('never created', 0, '{infinity}', '{null}'),
	('never at all', 0, '{-infinity}', '{-infinity}'),
	('many at one instant', 3, '{2024-03-05,2024-03-05,2024-03-05}', '{2024-03-05 01:00,null,2024-03-06}'),
	('rows of an outer join', 1, '{null,2024-03-05}', '{null,null}')
)
SELECT what, want, im_peak_groups(c, d, '2024-03-01', '2024-04-01') AS got
FROM cases, unnest(created, disbanded) AS g (c, d)
GROUP BY what, want
HAVING im_peak_groups(c, d, '2024-03-01', '2024-04-01') <> want;

-- No rows, no groups; no moment, no groups; a window of all time.
SELECT im_peak_groups(NULL, NULL, '2024-03-01', '2024-04-01') AS "null",
	im_peak_groups('2024-01-01', NULL, '2024-03-01', '2024-03-01') AS empty,
	im_peak_groups('2024-01-01', NULL, '-infinity', 'infinity') AS ever
FROM generate_series(1, 3);
SELECT im_peak_groups(NULL, NULL, '2024-03-01', '2024-04-01') FROM generate_series(1, 0);

-- Errors name the instants.
SELECT im_peak_groups('2024-03-05 10:00+08', '2024-03-05 09:59:59.5+08', '2024-03-01', '2024-04-01');
SELECT im_peak_groups('2020-03-05', '-infinity', '2024-03-01', '2024-04-01');
SELECT im_peak_groups('2024-03-05', NULL, '2024-04-01', '2024-03-01');
SELECT im_peak_groups('2024-03-05', NULL, NULL, '2024-03-01');
SELECT im_peak_groups('2024-03-05', NULL, '2024-03-01', NULL);
SELECT im_peak_groups(NULL, '2024-03-05', '2024-03-01', '2024-04-01');
SELECT im_peak_groups('2024-03-05', NULL, '2024-03-01', u)
FROM (VALUES (timestamptz '2024-04-01'), ('2024-05-01')) v (u);

-- Random groups against counting at every moment at which one is created.
-- Instants are whole hours, so that many coincide.
CREATE TABLE groups_of_apps AS
SELECT i % 20 AS app_id, c AS created_at,
	CASE WHEN random() < 0.9 THEN c + (random() * random() * 200)::int * interval '1 hour' END AS disbanded_at
FROM (SELECT i, timestamptz '2024-02-20' + (random() * 1200)::int * interval '1 hour' AS c
	FROM generate_series(1, 6000) i) s;
CREATE VIEW slow_peaks AS
SELECT app_id, max(n) AS peak FROM (
	SELECT m.app_id, m.at, count(*) AS n
	FROM (SELECT app_id, created_at AS at FROM groups_of_apps WHERE created_at > '2024-03-01' AND created_at < '2024-04-01'
		UNION SELECT app_id, '2024-03-01' FROM groups_of_apps) m
	JOIN groups_of_apps g ON g.app_id = m.app_id AND g.created_at <= m.at AND (g.disbanded_at > m.at OR g.disbanded_at IS NULL)
	GROUP BY m.app_id, m.at) s
GROUP BY app_id;
SET max_parallel_workers_per_gather = 0;
CREATE TABLE serial_peaks AS
SELECT app_id, im_peak_groups(created_at, disbanded_at, '2024-03-01', '2024-04-01') AS peak
FROM groups_of_apps GROUP BY app_id;
SELECT count(*) AS apps, count(*) FILTER (WHERE s.peak <> p.peak) AS wrong, min(s.peak) > 3 AS not_trivial
FROM serial_peaks s FULL JOIN slow_peaks p USING (app_id);

-- Any order of the rows gives the same.
SELECT count(*) AS wrong FROM (
	SELECT app_id, im_peak_groups(created_at, disbanded_at, '2024-03-01', '2024-04-01' ORDER BY random()) AS peak
	FROM groups_of_apps GROUP BY app_id EXCEPT TABLE serial_peaks) s;

-- Any split over workers gives the same.
SET max_parallel_workers_per_gather = 3; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0; SET enable_hashagg = on; SET enable_sort = off;
ALTER TABLE groups_of_apps SET (parallel_workers = 3);
EXPLAIN (COSTS OFF)
SELECT app_id, im_peak_groups(created_at, disbanded_at, '2024-03-01', '2024-04-01') AS peak
FROM groups_of_apps GROUP BY app_id;
SELECT count(*) AS wrong FROM (
	SELECT app_id, im_peak_groups(created_at, disbanded_at, '2024-03-01', '2024-04-01') AS peak
	FROM groups_of_apps GROUP BY app_id EXCEPT TABLE serial_peaks) s;
SET parallel_leader_participation = off;
SELECT count(*) AS wrong FROM (
	SELECT app_id, im_peak_groups(created_at, disbanded_at, '2024-03-01', '2024-04-01') AS peak
	FROM groups_of_apps GROUP BY app_id EXCEPT TABLE serial_peaks) s;
-- A window that changes between the parts of two workers is found as well.
DO $$
BEGIN
	PERFORM im_peak_groups(created_at, disbanded_at, '2024-03-01'::timestamptz + hashint8(app_id) % 2 * interval '1 day', 'infinity')
	FROM groups_of_apps;
	RAISE EXCEPTION 'accepted';
EXCEPTION WHEN invalid_parameter_value THEN
	RAISE NOTICE '%', SQLERRM;
END $$;

-- As a window function the state goes on after each result.
RESET ALL; SET timezone = 'UTC'; SET datestyle = 'ISO, MDY';
SELECT c::date, im_peak_groups(c, d, '2024-03-01', '2024-04-01') OVER (ORDER BY c, d)
FROM (VALUES (timestamptz '2024-03-01', timestamptz '2024-03-05'), ('2024-03-02', '2024-03-03'),
	('2024-03-02', '2024-03-04'), ('2024-03-10', NULL), ('2024-03-11', NULL)) v (c, d);

-- No query can call a part of it with a state of its own making, and bytes
-- that are not a state are refused.  How the first is said differs between
-- minor versions of the server.
DO $$ BEGIN
	PERFORM im_internal.im_peak_groups_final(NULL);
	RAISE WARNING 'called with a state of our own making';
EXCEPTION WHEN undefined_function OR feature_not_supported THEN NULL;
END $$;
DO $$ BEGIN
	PERFORM im_internal.im_peak_groups_deserial('\x00', NULL);
	RAISE WARNING 'called with bytes of our own making';
EXCEPTION WHEN undefined_function OR feature_not_supported THEN NULL;
END $$;
CREATE AGGREGATE crossed_wires(timestamptz, timestamptz, timestamptz, timestamptz) (
	SFUNC = im_internal.im_peak_groups_trans, STYPE = internal, COMBINEFUNC = im_internal.im_peak_groups_combine,
	SERIALFUNC = im_internal.im_peak_groups_serial, DESERIALFUNC = im_internal.im_call_days_deserial,
	FINALFUNC = im_internal.im_peak_groups_final, PARALLEL = SAFE);
SET max_parallel_workers_per_gather = 3; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0; SET parallel_leader_participation = off;
SELECT crossed_wires(created_at, disbanded_at, '2024-03-01', '2024-04-01') FROM groups_of_apps;

DROP TABLE groups_of_apps, serial_peaks CASCADE;
SET client_min_messages = warning;
DROP EXTENSION imbilling CASCADE;
