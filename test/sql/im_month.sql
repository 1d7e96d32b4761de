-- im_month: a billing month as a value.  A failure here means that a month is
-- read, printed, ordered or counted differently from the calendar, and so
-- that a bill is asked for, or stored under, the wrong month.
CREATE EXTENSION imbilling;
SET timezone = 'UTC'; SET datestyle = 'ISO, MDY';
\set VERBOSITY default
\set SHOW_CONTEXT never

-- Each text either is the month named beside it or raises that SQLSTATE.
CREATE FUNCTION pg_temp.read_month(t text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN t::im_month::text;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
CREATE TEMP TABLE texts AS SELECT * FROM (VALUES
	('2024-03', '2024-03'), ('2024-03-17', '2024-03'), ('  2024-03 ', '2024-03'),
	(E'\t2024-03-01\n', '2024-03'), ('0001-01', '0001-01'), ('9999-12', '9999-12'),
	('9999-12-31', '9999-12'), ('0001-01-01', '0001-01'), ('2024-02-29', '2024-02'),
	('2000-02-29', '2000-02'),
	('2023-02-29', '22008'), ('1900-02-29', '22008'), ('2024-04-31', '22008'),
	('2024-00', '22008'), ('2024-13', '22008'), ('2024-03-00', '22008'), ('2024-03-32', '22008'),
	('0000-01', '22008'), ('10000-01', '22008'), ('294000-01-01', '22008'),
	('0044-03-15 BC', '22008'), ('infinity', '22008'), ('-infinity', '22008'),
	('', '22007'), (' ', '22007'), ('2024', '22007'), ('2024-3', '22007'), ('24-03', '22007'),
	('2024-03-', '22007'), ('2024-03-1', '22007'), ('2024-03-171', '22007'), ('2024-03x', '22007'),
	('2024/03', '22007'), ('-2024-03', '22007'), ('03/17/2024', '22007'), ('2024-03 17', '22007'),
	('2024 -03', '22007'), ('march', '22007'), ('２０２４-03', '22007'), (repeat('2', 1000), '22007'),
	('2024-03-17 00:00', '22007'), (repeat(' ', 100000) || '2024-03', '2024-03')
) AS v (t, want);
SELECT count(*) AS texts FROM texts;
SELECT quote_literal(t) AS input, pg_temp.read_month(t) AS got, want
FROM texts WHERE pg_temp.read_month(t) IS DISTINCT FROM want;

-- The message names the value and says how to write it.
SELECT 'march'::im_month;
SELECT '2024-02-30'::im_month;
SELECT '10000-01'::im_month;
SELECT date 'infinity'::im_month;
SELECT date '294000-01-01'::im_month;
SELECT date '0044-03-15 BC'::im_month;
SELECT im_month '9999-12' + 1;
SELECT im_month '0001-01' - 1;
SELECT im_month '2024-03' - (-2147483648);
SELECT im_month '2024-03' + 2147483647;

-- Casts: implicit from date, by assignment to date and daterange.
SELECT date '2024-03-17'::im_month, im_month '2024-02'::date, im_month '2024-02'::daterange,
	im_month '9999-12'::daterange, im_month '0001-01'::daterange;
CREATE TEMP TABLE month_columns (m im_month, d date, r daterange);
INSERT INTO month_columns SELECT date '2024-03-17', im_month '2024-03', im_month '2024-03';
TABLE month_columns;

-- Every day of 400 years lies in the month that date_trunc puts it in, and in
-- that month's daterange.
SELECT count(*) AS days, count(*) FILTER (WHERE
	im_internal.im_month_to_date(d::im_month) <> date_trunc('month', d)::date
	OR d::im_month::text <> to_char(d, 'YYYY-MM') OR to_char(d, 'YYYY-MM')::im_month <> d
	OR NOT d::im_month::daterange @> d) AS wrong
FROM (SELECT date '1850-01-01' + i AS d FROM generate_series(0, 146096) i) days;

-- Arithmetic agrees with that of dates, whatever the sign.
SELECT count(*) FILTER (WHERE (m + n)::date <> (m::date + n * interval '1 month')::date
	OR n + m <> m + n OR (m + n) - m <> n OR (m + n) - n <> m) AS wrong
FROM (SELECT (date '2024-01-01' + i * 31)::im_month AS m FROM generate_series(-50, 50) i) months,
	generate_series(-40, 40) n;

-- Order, indexes, hashing, windows.
SELECT im_month '2024-03' < '2024-04', im_month '2023-12' < '2024-01', im_month '1999-12' < '2000-01',
	im_month '2024-03' = date '2024-03-31', im_month '2024-03' <> '2024-03',
	im_month '2024-03' >= '2024-03', im_month '2024-03' > '2024-03', im_month '2024-03' <= '2024-02';
SELECT min(m), max(m), count(DISTINCT m)
FROM (SELECT (date '2024-01-31' + i)::im_month AS m FROM generate_series(-400, 400) i) s;
CREATE TEMP TABLE months (m im_month);
INSERT INTO months SELECT im_month '2024-06' + (i * 37 % 60 - 30) FROM generate_series(0, 299) i;
CREATE INDEX ON months (m);
CREATE INDEX ON months USING hash (m);
ANALYZE months;
SET enable_seqscan = off;
SELECT count(*) FROM months WHERE m >= '2024-01' AND m < '2025-01';
SELECT count(*) FROM months a JOIN months b USING (m);
SET enable_mergejoin = off; SET enable_nestloop = off;
SELECT count(*) FROM months a JOIN months b USING (m);
RESET ALL;
SET timezone = 'UTC'; SET datestyle = 'ISO, MDY';
SELECT m, sum(1) OVER (ORDER BY m RANGE BETWEEN 2 PRECEDING AND CURRENT ROW)
FROM (VALUES (im_month '2023-11'), ('2024-01'), ('2024-02'), ('2024-05')) v (m);
CREATE TEMP TABLE by_month (m im_month) PARTITION BY HASH (m);
CREATE TEMP TABLE by_month_0 PARTITION OF by_month FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TEMP TABLE by_month_1 PARTITION OF by_month FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO by_month SELECT m FROM months;
SELECT count(*) FROM by_month WHERE m = '2024-06';

-- The implicit cast makes nothing of the dates' own ambiguous.
SELECT date '2024-03-17' = date '2024-03-18' AS eq, date '2024-03-17' - date '2024-03-01' AS days,
	date '2024-03-17' + 1 AS next, 1 + date '2024-03-17' AS next, date '2024-03-17' - 1::smallint AS previous,
	date '2024-03-17' - '2024-03-01' AS days, date '2024-03-17' = '2024-03-17' AS eq,
	date '2024-03-17' < timestamp '2024-03-17 01:00' AS lt, max(date '2024-03-17') AS max,
	date '2024-03-17' + interval '1 month' AS later, date '2024-03-17' + time '01:00' AS plus;
SELECT '2024-03-17' = d, d IN ('2024-03-17', '2024-03-18'), d BETWEEN '2024-03-01' AND '2024-03-31',
	coalesce(d, '2024-01-01'), greatest(d, '2024-03-18'), d = ANY ('{2024-03-17}')
FROM (SELECT date '2024-03-17') v (d);

-- COPY BINARY round trips, and what it would not have sent is refused: a value
-- past either end, too few bytes, too many.
COPY months TO PROGRAM 'cat >imbilling_month.bin' (FORMAT binary);
CREATE TEMP TABLE months_back (m im_month);
COPY months_back FROM PROGRAM 'cat imbilling_month.bin; rm imbilling_month.bin' (FORMAT binary);
(TABLE months EXCEPT ALL TABLE months_back) UNION ALL (TABLE months_back EXCEPT ALL TABLE months);
COPY months_back FROM PROGRAM $$printf 'PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\004\177\377\377\377\377\377'$$ (FORMAT binary);
COPY months_back FROM PROGRAM $$printf 'PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\004\000\001\167\000\377\377'$$ (FORMAT binary);
COPY months_back FROM PROGRAM $$printf 'PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\004\377\377\242\113\377\377'$$ (FORMAT binary);
COPY months_back FROM PROGRAM $$printf 'PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\002\000\001\377\377'$$ (FORMAT binary);
COPY months_back FROM PROGRAM $$printf 'PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000\000\001\000\000\000\005\000\000\000\001\000\377\377'$$ (FORMAT binary);
SELECT im_internal.im_month_send('0001-01'), im_internal.im_month_send('2000-01'), im_internal.im_month_send('9999-12');

SET client_min_messages = warning;
DROP EXTENSION imbilling CASCADE;
