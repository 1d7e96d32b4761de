-- December 2023 of the demo's apps.  Every figure follows from the formulas
-- below, nothing is random: two runs print the same bills.
SET TimeZone = 'Asia/Shanghai';

-- users: on an ordinary day, and on the app's busiest; pool: who may come.
CREATE TEMP TABLE profile (app_id bigint, users int, busiest int, busiest_on date, pool int,
	groups int, checks int, video_percent int, calls int);
INSERT INTO profile VALUES
	(1400000001,    70,    95, '2023-12-16',    100,     90,   9000, 0,     0),
	(1400000002,  6000, 12000, '2023-12-24',  20000,   5000,      0, 0,     0),
	(1400000003, 10500, 20001, '2023-12-31',  30000, 120000,      0, 0,     0),
	(1400000004,  2000,  3000, '2023-12-22',   6000,    900,      0, 0,     0),
	(1400000005,  1500,  2100, '2023-12-13',   4000,    300,      0, 0, 16000),
	(1400000006,   900, 10001, '2023-12-09',  15000,    250,      0, 0,     0),
	(1400000007,   800,  1200, '2023-12-12',   2500,    200,  21000, 1,     0),
	(1400000008,   300,   400, '2023-12-05',    900,     50,      0, 0,     0),
	(1400000009,   500,   700, '2023-12-17',   1500,    100,      0, 0,  4000),
	(1400000010,   900,  1500, '2023-12-23',   3000,    400, 140000, 8,  9000),
	(1400000011,  3000, 10500, '2023-12-25',  16000,   2000,      0, 0,     0),
	(1400000012,  4000,  5400, '2023-12-19',  12345,    150,      0, 0,     0),
	(1400000013,   500,   600, '2023-12-20',   1200,     80,      0, 0,     0),
	(1400000014,   700,   900, '2023-12-14',   2000,    800,      0, 0,  1000),
	(1400000015,   400,   520, '2023-12-30',    800,    100,  30000, 3,     0);

-- Users of a day: four fifths to six fifths of the ordinary by the weekday.
CREATE TEMP TABLE crowd AS
SELECT p.app_id, d.day, p.pool,
	CASE d.day WHEN p.busiest_on THEN p.busiest
		ELSE p.users * (80 + 40 * extract(isodow FROM d.day)::int / 7) / 100 END AS users
FROM profile p,
	(SELECT '2023-12-01'::date + n AS day FROM generate_series(0, 30) n) d;

-- A window of the pool that moves on from day to day, so that most users come
-- back; every twentieth logs in twice.
PREPARE load_logins(date, date) AS
INSERT INTO im_login (app_id, user_id, at)
SELECT c.app_id,
	'user_' || lpad(((n % c.users + extract(day FROM c.day)::int * (c.pool / 40)) % c.pool)::text, 8, '0'),
	c.day::timestamptz + make_interval(secs => (n::bigint * 7919 + 104729 * extract(day FROM c.day)::int) % 86400)
FROM crowd c, generate_series(0, c.users + c.users / 20 - 1) n
WHERE c.day BETWEEN $1 AND $2;

\echo '    logins of December 1 to 10'
EXECUTE load_logins('2023-12-01', '2023-12-10');
\echo '    logins of December 11 to 20'
EXECUTE load_logins('2023-12-11', '2023-12-20');
\echo '    logins of December 21 to 31'
EXECUTE load_logins('2023-12-21', '2023-12-31');

-- Founded between October 1 and December 20; a tenth lasts two weeks only.
\echo '    groups'
INSERT INTO im_group (app_id, group_id, created_at, disbanded_at)
SELECT p.app_id, '@group#' || n, founded.at, CASE WHEN n % 10 = 0 THEN founded.at + interval '14 days' END
FROM profile p, generate_series(1, p.groups) n,
	LATERAL (SELECT '2023-10-01'::timestamptz + make_interval(secs => n::bigint * 6991200 / p.groups) AS at) founded;

\echo '    moderation checks'
INSERT INTO im_moderation_check (app_id, at, kind, seconds, scene)
SELECT p.app_id,
	'2023-12-01'::timestamptz + make_interval(secs => n::bigint * 2678400 / (p.checks + 1)),
	k.kind,
	CASE k.kind WHEN 'audio' THEN 3 + n * 17 % 58 WHEN 'video' THEN 10 + n * 31 % 220 END,
	CASE n % 3 WHEN 0 THEN 'c2c' WHEN 1 THEN 'group' ELSE 'profile' END
FROM profile p, generate_series(1, p.checks) n,
	LATERAL (SELECT CASE WHEN n * 37 % 100 < p.video_percent THEN 'video'
		WHEN n * 37 % 100 < p.video_percent + 5 THEN 'audio'
		WHEN n * 37 % 100 < p.video_percent + 20 THEN 'image' ELSE 'text' END AS kind) k;

\echo '    calls'
INSERT INTO im_call (app_id, at, class, seconds, user_id)
SELECT p.app_id,
	'2023-12-01'::timestamptz + make_interval(secs => n::bigint * 2678400 / (p.calls + 1)),
	CASE WHEN n % 20 = 0 THEN 'fhd' WHEN n % 5 = 1 THEN 'hd' WHEN n % 4 = 2 THEN 'sd' ELSE 'audio' END,
	10 + n * 7919 % 600,
	'user_' || lpad((n % p.pool)::text, 8, '0')
FROM profile p, generate_series(1, p.calls) n;

ANALYZE im_login, im_group, im_moderation_check, im_call;

SELECT rows AS "rows", loaded AS "loaded for December 2023" FROM (
	SELECT count(*) AS rows, 'logins' AS loaded FROM im_login UNION ALL
	SELECT count(*), 'groups' FROM im_group UNION ALL
	SELECT count(*), 'moderation checks' FROM im_moderation_check UNION ALL
	SELECT count(*), 'calls' FROM im_call) counts;
