-- Partitions: what is attached, detached, dropped, truncated or loaded directly is
-- found, and what was metered can be kept when its partition goes.
BEGIN;
\ir include/setup.sql
\ir include/metering.sql

SELECT im_partition('im_login', '2024-01-01', '2024-04-01', '1 month');
SELECT im_partition('im_moderation_check', '2024-01-01', '2024-04-01', '1 month');
CALL card('small', '2019-12-10', jsonb_set(cn(), '{plans,pro,dau}', '{"included": 3, "block": 1, "price": "1"}'));
CALL app(1, 'small');
CALL app(2, 'small');
CALL buy(1, 1, '2024-01-01 08:00', 'plan', 'pro', 6);
CALL buy(2, 1, '2024-01-01 08:00', 'plan', 'pro', 6);
CALL turn(1, 3, '2024-01-05 08:00', 'on', 'moderation');
CALL settle();
INSERT INTO im_login
SELECT app, 'u' || n % (4 + app), at8('2024-01-01 00:00') + n * interval '5 hours'
FROM generate_series(1, 2) app, generate_series(0, 436) n;
INSERT INTO im_moderation_check (app_id, at, kind)
SELECT 1, at8('2024-01-05 00:00') + n * interval '7 hours', 'text' FROM generate_series(0, 250) n;
SELECT im_meter();
SELECT is(reads(), '-', 'partitioned tables are metered');
SELECT agrees('partitions');

-- Each event, through the parent and through the partition itself.
INSERT INTO im_login VALUES (1, 'parent', at8('2024-01-10 12:00'));
SELECT is(reads(), '- 1:01-10..01-10', 'INSERT through the parent');
INSERT INTO im_login_p2024_01 VALUES (1, 'leaf', at8('2024-01-11 12:00'));
SELECT is(reads(), '- 1:01-10..01-11', 'INSERT into the partition');
SELECT im_meter();
SET LOCAL session_replication_role = replica;
INSERT INTO im_login VALUES (1, 'replicated', at8('2024-01-12 12:00'));
INSERT INTO im_login_p2024_01 VALUES (1, 'replicated', at8('2024-01-14 12:00'));
SET LOCAL session_replication_role = origin;
SELECT is(reads(), '- 1:01-12..01-12 1:01-14..01-14', 'a load that suppresses triggers, through either');
SELECT agrees('a load that suppresses triggers');
SELECT im_meter();
UPDATE im_login_p2024_01 SET app_id = 2 WHERE user_id = 'leaf';
SELECT is(reads(), '- 1:01-11..01-11 2:01-11..01-11', 'UPDATE of the partition');
UPDATE im_login SET at = at8('2024-02-11 12:00') WHERE user_id = 'parent';
SELECT is(reads(), '- 1:01-10..01-11 2:01-11..01-11', 'a row that moves out of a partition');
SELECT is(reads('2024-02'), '- 1:02-11..02-11', 'is marked where it comes to');
SELECT agrees('a row that moved');
SELECT im_meter();
DELETE FROM im_login_p2024_01 WHERE user_id = 'leaf';
SELECT is(reads(), '- 2:01-11..01-11', 'DELETE from the partition');
DELETE FROM im_login WHERE user_id = 'parent';
SELECT is(reads('2024-02'), '- 1:02-11..02-11', 'DELETE through the parent');
SELECT agrees('deleted rows');
SELECT im_meter();

-- TRUNCATE
SAVEPOINT kept;
TRUNCATE im_login_p2024_02;
SELECT is(reads('2024-02'), '02-01..02-29', 'TRUNCATE of a partition');
SELECT agrees('a truncated partition');
SELECT im_meter();
SELECT is(reads('2024-02'), '-', 'is metered');
SELECT agrees('a truncated partition, metered');
ROLLBACK TO kept;

-- Detached, changed and attached again; the triggers go with the table.
SAVEPOINT kept;
ALTER TABLE im_login DETACH PARTITION im_login_p2024_02;
SELECT is(reads('2024-02'), '02-01..02-29', 'days of a detached partition are read from events');
SELECT is(reads('2024-01'), '01-30..01-31', 'other days as far as some zone may have them in it');
SELECT agrees('a detached partition');
INSERT INTO im_login_p2024_02 VALUES (1, 'meanwhile', at8('2024-02-15 12:00'));
ALTER TABLE im_login ATTACH PARTITION im_login_p2024_02
	FOR VALUES FROM ('2024-02-01 00:00+08') TO ('2024-03-01 00:00+08');
SELECT is(reads('2024-02'), '02-01..02-29', 'and so are those of one that was attached again, whatever it was meanwhile');
SELECT agrees('a partition attached again');
ALTER TABLE im_login DETACH PARTITION im_login_p2024_02;
SELECT im_meter();
SELECT is(reads('2024-02'), '-', 'without it the days are metered as empty');
SELECT agrees('metered without a partition');
ALTER TABLE im_login ATTACH PARTITION im_login_p2024_02
	FOR VALUES FROM ('2024-02-01 00:00+08') TO ('2024-03-01 00:00+08');
SELECT is(reads('2024-02'), '02-01..02-29', 'and read from events when it is back');
SELECT agrees('back after metering');
SELECT im_meter();
SELECT agrees('metered with it');
ROLLBACK TO kept;

-- A table of the user's own, attached and loaded directly without triggers.
SAVEPOINT kept;
DROP TABLE im_login_p2024_03;
SELECT is(reads('2024-03'), '03-01..03-31', 'days of a dropped partition');
SELECT agrees('a dropped partition');
SELECT im_meter();
CREATE TABLE march (LIKE im_login);
INSERT INTO march VALUES (1, 'm1', at8('2024-03-05 12:00'));
ALTER TABLE im_login ATTACH PARTITION march FOR VALUES FROM ('2024-03-01 00:00+08') TO ('2024-04-01 00:00+08');
SELECT is(reads('2024-03'), '03-01..03-31', 'days of an attached one');
INSERT INTO march SELECT 1, 'm' || n, at8('2024-03-06 12:00') FROM generate_series(1, 30) n;
SELECT is(reads('2024-03'), '03-01..03-31', 'whatever is loaded into it unmarked');
SELECT agrees('an attached table');
SELECT im_meter();
SELECT is(reads('2024-03'), '-', 'metering gives it the triggers');
INSERT INTO march VALUES (2, 'late', at8('2024-03-07 12:00'));
SELECT is(reads('2024-03'), '- 2:03-07..03-07', 'that mark what comes later');
SELECT agrees('loaded directly');
ROLLBACK TO kept;
SELECT im_partition('im_login', '2024-04-01', '2024-05-01', '1 month');
SELECT is(reads('2024-02'), '-', 'a new partition leaves other days alone');
SELECT im_meter();

-- Inheritance, and partitions whose bounds say nothing of time.
SAVEPOINT kept;
CREATE TABLE old_calls () INHERITS (im_call);
INSERT INTO old_calls VALUES (1, at8('2024-01-12 12:00'), 'hd', 600);
SELECT is(reads(), '01-01..01-31', 'an inheriting table can hold events of any day');
SELECT agrees('inheritance');
SELECT im_meter();
SELECT is(reads(), '-', 'metered');
INSERT INTO old_calls VALUES (1, at8('2024-01-13 12:00'), 'hd', 600);
SELECT is(reads(), '- 1:01-13..01-13', 'it is marked too');
SELECT agrees('inheritance, marked');
DROP TABLE old_calls;
SELECT agrees('inheritance, dropped');
ROLLBACK TO kept;

-- A foreign table can change unseen: its days are read each time.
SAVEPOINT kept;
CREATE FOREIGN DATA WRAPPER nothing;
CREATE SERVER nowhere FOREIGN DATA WRAPPER nothing;
ALTER TABLE im_login DETACH PARTITION im_login_p2024_02;
CREATE FOREIGN TABLE archive PARTITION OF im_login FOR VALUES FROM ('2024-02-01 00:00+08') TO ('2024-03-01 00:00+08') SERVER nowhere;
SELECT is(reads('2024-02'), '02-01..02-29', 'days of a foreign table');
SELECT im_meter('2024-03-04', '2024-03-31');
SELECT is(reads('2024-02'), '02-01..02-29', 'are never metered');
ROLLBACK TO kept;

-- What was metered from a partition stays when the partition goes.
CALL login(1, 'late', '2024-01-20 12:00');
CREATE TEMP TABLE before AS SELECT * FROM im_monthly_bills('2024-01');
SELECT ok(im_keep_metered('2024-01-01', '2024-01-31') > 50, 'im_keep_metered() says how many rows it kept');
SELECT is((SELECT count(*) FROM im_usage_daily WHERE day <= '2024-01-31' AND metered_at IS NOT NULL), 0::bigint,
	'they are rows of the users now');
DROP TABLE im_login_p2024_01, im_moderation_check_p2024_01;
SELECT is((SELECT count(*) FROM (TABLE before EXCEPT SELECT * FROM im_monthly_bills('2024-01')) x), 0::bigint,
	'the bill is the same without its events');
SELECT agrees('dropped partitions');
SELECT im_meter();
SELECT is((SELECT count(*) FROM (TABLE before EXCEPT SELECT * FROM im_monthly_bills('2024-01')) x), 0::bigint,
	'also after metering again');
INSERT INTO im_moderation_check (app_id, at, kind) VALUES (1, at8('2024-02-10 10:00'), 'smell');
SELECT throws_ok('SELECT im_keep_metered(''2024-02-01'', ''2024-02-29'')', '55000', NULL, 'days with an event that no meter takes are not kept');
SELECT throws_ok('SELECT im_keep_metered(NULL, ''2024-02-29'')', '22004', NULL, 'nor days without a beginning');

-- Daily figures of the users in partitions of their own.
CALL settle();
ALTER TABLE im_usage_daily RENAME TO old_daily;
ALTER TABLE old_daily RENAME CONSTRAINT im_usage_daily_pkey TO old_daily_pkey;
ALTER INDEX im_usage_daily_day_idx RENAME TO old_daily_day_idx;
CREATE TABLE public.im_usage_daily (LIKE old_daily) PARTITION BY RANGE (day);
CREATE TABLE daily_2024 PARTITION OF im_usage_daily FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
DROP TABLE old_daily CASCADE;
DELETE FROM im_moderation_check WHERE kind = 'smell';
SELECT im_create_tables();
SELECT im_meter();
SELECT is(reads('2024-02'), '-', 'daily figures may be partitioned');
CALL daily(1, '2024-02-03', 70);
SELECT is(quantities(1, '2024-02', 'dau_overage'), '70', 'a user''s row takes the place of a metered one through the parent');
INSERT INTO daily_2024 (app_id, day, dau) VALUES (1, '2024-02-04', 71);
SELECT is(quantities(1, '2024-02', 'dau_overage'), '71', 'and through the partition');
DELETE FROM daily_2024 WHERE app_id = 1;
SELECT is(reads('2024-02') LIKE '- 1:02-01%', true, 'DELETE from the partition is marked');
SELECT agrees('partitioned daily figures');

SELECT * FROM finish();
ROLLBACK;
