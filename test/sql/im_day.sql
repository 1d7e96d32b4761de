-- im_day and im_month(timestamptz, zone): a failure here means that events are
-- put into the wrong day or month, and so on the wrong bill.
CREATE EXTENSION imbilling;
SET timezone = 'UTC'; SET datestyle = 'ISO, MDY';
SELECT setseed(0.3);

-- Midnight in UTC+8: the last microsecond of a day, and the first of the next.
SELECT im_day('2024-02-29 15:59:59.999999+00', 'Asia/Shanghai') AS last,
	im_day('2024-02-29 16:00:00+00', 'Asia/Shanghai') AS first,
	im_month('2024-02-29 15:59:59.999999+00', 'Asia/Shanghai') AS last,
	im_month('2024-02-29 16:00:00+00', 'Asia/Shanghai') AS first;

-- Before the epoch division has to round down, not towards zero.
SELECT im_day('1999-12-31 23:59:59.999999+00', 'UTC'), im_day('1969-12-31 12:00+00', 'UTC'),
	im_day('0001-01-01 00:00+00', 'UTC'), im_day('4700-06-01 12:00+00 BC', 'Asia/Shanghai'),
	im_day('294276-12-31 12:00+00', 'UTC');

-- A day that the zone skipped, and both sides of the jump.
SELECT im_day('2011-12-30 09:59:59.999999+00', 'Pacific/Apia'), im_day('2011-12-30 10:00+00', 'Pacific/Apia');

-- Infinite instants have infinite days, and no month.
SELECT im_day('infinity', 'Asia/Shanghai'), im_day('-infinity', 'America/New_York');
SELECT im_month('infinity', 'Asia/Shanghai');
SELECT im_month('10000-01-01 00:00+00', 'UTC');
SELECT im_month('0001-01-01 00:00+00', 'America/New_York');

-- The same as AT TIME ZONE: instants of 300 years in random order, so that a
-- kept span that is taken for an instant outside it shows.
CREATE TEMP TABLE instants AS
SELECT timestamptz '1850-01-01' + random() * interval '300 years' AS at FROM generate_series(1, 100000);
SELECT zone, count(*) AS instants, count(*) FILTER (WHERE im_day(at, zone) <> (at AT TIME ZONE zone)::date) AS wrong
FROM instants, unnest('{Asia/Shanghai,UTC,Australia/Lord_Howe,America/St_Johns,America/Sao_Paulo,Pacific/Apia,Africa/Casablanca,America/New_York,Asia/Kathmandu,Asia/Tehran,Africa/Monrovia,Antarctica/Troll}'::text[]) zone
GROUP BY zone ORDER BY zone COLLATE "C";

-- The same forwards and backwards over every hour of some years and the
-- microsecond before it: this is where offsets change.
CREATE TEMP TABLE hours AS
SELECT i, h - tick * interval '1 microsecond' AS at
FROM generate_series(timestamptz '2006-01-01', '2013-01-01', '30 minutes') WITH ORDINALITY AS g (h, i),
	generate_series(0, 1) tick;
SELECT zone, direction, count(*) FILTER (WHERE im_day(at, zone) <> (at AT TIME ZONE zone)::date) AS wrong
FROM unnest('{Australia/Lord_Howe,America/St_Johns,America/Sao_Paulo,Pacific/Apia}'::text[]) zone,
	(VALUES (1), (-1)) d (direction), LATERAL (SELECT at FROM hours ORDER BY i * direction) s
GROUP BY zone, direction ORDER BY zone COLLATE "C", direction;

-- The same at, before and after each change of New York's clocks as long as the
-- time zone library knows them one by one, and beyond.
SELECT count(*) FILTER (WHERE im_day(at, 'America/New_York') <> (at AT TIME ZONE 'America/New_York')::date) AS wrong
FROM (SELECT d + h * interval '1 hour' AS at FROM generate_series(timestamptz '2030-01-06', '2500-01-01', '7 days') d, generate_series(3, 8) h
	WHERE extract(month FROM d) IN (3, 7, 11) AND extract(day FROM d) <= 14) s;

-- The same for every zone there is, also long ago and far ahead.
CREATE TEMP TABLE far_instants AS
SELECT timestamptz '4700-01-01 BC' + random() * interval '1000 years' AS at FROM generate_series(1, 30)
UNION ALL SELECT timestamptz '2035-01-01' + random() * interval '10 years' FROM generate_series(1, 30)
UNION ALL SELECT timestamptz '2437-01-01' + random() * interval '2 years' FROM generate_series(1, 30)
UNION ALL SELECT timestamptz '290000-01-01' + random() * interval '4000 years' FROM generate_series(1, 30)
UNION ALL SELECT * FROM (SELECT at FROM instants LIMIT 100) s;
SELECT count(DISTINCT name) > 300 AS many_zones, max(name) FILTER (WHERE im_day(at, name) <> (at AT TIME ZONE name)::date) AS wrong_zone
FROM far_instants, pg_timezone_names;

-- A zone that changes from row to row is looked up again each time.
SELECT count(*) FILTER (WHERE im_day(at, zone) <> (at AT TIME ZONE zone)::date) AS wrong
FROM (SELECT at, (ARRAY['UTC', 'utc', 'Asia/Shanghai', 'America/New_York'])[1 + i % 4] AS zone FROM hours WHERE i < 5000) s;

-- No session setting counts.
SET timezone = 'Pacific/Kiritimati'; SET datestyle = 'German'; SET timezone_abbreviations = 'Australia';
SELECT im_day(timestamptz '2024-02-29 16:00:00+00', 'Asia/Shanghai') = date '2024-03-01' AS same;
RESET timezone_abbreviations;
SET timezone = 'UTC'; SET datestyle = 'ISO, MDY';
SELECT provolatile, proparallel, proisstrict FROM pg_proc WHERE proname = 'im_day';

-- Names: those of pg_timezone_names in any case.  A mere abbreviation means
-- different zones to different people and is refused, as is any other text.
SELECT im_day('2024-07-01 22:30+00', 'asia/SHANGHAI');
-- A name that is an abbreviation as well, such as CET where it is installed,
-- means what AT TIME ZONE takes it for.
SELECT name FROM pg_timezone_names
WHERE length(name) = 3
	AND im_day('2024-07-01 22:30+00', name) <> (timestamptz '2024-07-01 22:30+00' AT TIME ZONE name)::date;
SELECT im_day('2024-07-01', 'CST');
SELECT im_day('2024-07-01', 'Asia/Schanghai');
SELECT im_day('2024-07-01', '');
SELECT im_day('2024-07-01', '../../etc/passwd');
SELECT im_day('2024-07-01', E'Asia/Shanghai\n');
SELECT im_day('2024-07-01', $$'; DROP TABLE im_login; --$$);
SELECT im_day('2024-07-01', repeat('Z', 1000000));
SELECT im_day(NULL, 'UTC') IS NULL AS "null", im_day('2024-07-01', NULL) IS NULL AS "null";

-- The error of one call leaves nothing behind that another could take.
DO $$
DECLARE zone text;
BEGIN
	FOREACH zone IN ARRAY ARRAY['UTC', 'Nowhere', 'Asia/Shanghai', repeat('x', 300), 'UTC'] LOOP
		BEGIN
			RAISE NOTICE '%', im_day('2024-07-01 20:00+00', zone);
		EXCEPTION WHEN invalid_parameter_value THEN
			RAISE NOTICE 'refused %', left(zone, 10);
		END;
	END LOOP;
END $$;

-- It can be indexed, which only an immutable function can.
CREATE TEMP TABLE logins (at timestamptz);
CREATE INDEX ON logins (im_day(at, 'Asia/Shanghai'));

SET client_min_messages = warning;
DROP EXTENSION imbilling CASCADE;
