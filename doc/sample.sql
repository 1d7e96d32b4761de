-- sample.sql
--	  The data of the examples: the three apps of tutorial.md in December 2023
--	  and Lantern, app 1003, of which bills.md tells, in March.
--
-- For an empty database: psql -f doc/sample.sql mydb
\set ON_ERROR_STOP on
CREATE EXTENSION imbilling;
DO $$ BEGIN PERFORM im_create_tables(); END $$;

BEGIN;
SET LOCAL TimeZone = 'Asia/Shanghai';

INSERT INTO im_app (app_id, name) VALUES
  (1400000001, 'Parlour'), (1400000002, 'Atrium'), (1400000003, 'Atoll'), (1003, 'Lantern');

INSERT INTO im_order (app_id, order_id, at, action, item, option, months) VALUES
  (1400000001, 1, '2023-12-01 10:00', 'buy', 'plan', 'pro', 1),
  (1400000001, 2, '2023-12-01 10:05', 'on', 'moderation', '', NULL),
  (1400000001, 3, '2023-12-05 09:00', 'buy', 'call', 'basic', 1),
  (1400000001, 4, '2023-12-20 16:30', 'on', 'history_storage', '90d', NULL),
  (1400000002, 1, '2023-12-01 00:00', 'buy', 'plan', 'pro', 1),
  (1400000002, 2, '2023-12-01 00:01', 'on', 'moderation', '', NULL),
  (1400000002, 3, '2023-12-01 00:02', 'buy', 'moderation_pack', 'month', NULL),
  (1400000003, 1, '2023-11-11 12:00', 'buy', 'plan', 'pro', 9),
  (1400000003, 2, '2023-12-11 12:00', 'upgrade', 'plan', 'flagship', NULL),
  (1003, 1, '2023-03-01 09:00', 'buy', 'plan', 'pro', 1),
  (1003, 2, '2023-03-06 15:30', 'on', 'history_storage', '90d', NULL);
INSERT INTO im_suspension (app_id, days, reason) VALUES (1003, '[2023-03-18,2023-03-20)', 'arrears');

-- Parlour, Atoll and Lantern give daily figures ...
INSERT INTO im_usage_daily (app_id, day, dau, peak_groups, text_checks, sd_minutes) VALUES
  (1400000001, '2023-12-17', 25000, 550000, 84000, 60000),
  (1400000001, '2023-12-18', 19000, 549000, 61500, 10000);
INSERT INTO im_usage_daily (app_id, day, dau, peak_groups, hd_minutes) VALUES
  (1400000003, '2023-12-01', 9400, 81000, 120),
  (1400000003, '2023-12-02', 10000, 81500, NULL),
  (1400000003, '2023-12-03', 10001, 81500, 35);
INSERT INTO im_usage_daily (app_id, day, dau, peak_groups)
SELECT 1003, date '2023-03-01' + n,
  14000 + n * 7919 % 6000 + CASE n WHEN 10 THEN 8600 WHEN 17 THEN 21000 ELSE 0 END, 118000 + 800 * n
FROM generate_series(0, 30) n;

-- ... and Atrium events: a busy evening, some checks, and two users the day after.
INSERT INTO im_login (app_id, user_id, at)
SELECT 1400000002, 'user ' || n, timestamptz '2023-12-09 20:00' + n * interval '0.1 second' FROM generate_series(1, 10001) n;
INSERT INTO im_login (app_id, user_id, at) VALUES
  (1400000002, 'alice', '2023-12-10 00:00:00'),
  (1400000002, 'bob', '2023-12-10 09:30:00'),
  (1400000002, 'alice', '2023-12-10 23:59:59.999');
INSERT INTO im_moderation_check (app_id, at, kind, seconds)
SELECT 1400000002, timestamptz '2023-12-09 08:10', 'text', NULL::int FROM generate_series(1, 10)
UNION ALL SELECT 1400000002, '2023-12-09 08:12', 'image', NULL FROM generate_series(1, 10)
UNION ALL VALUES (1400000002, timestamptz '2023-12-09 08:15', 'audio', 25),
                 (1400000002, '2023-12-09 08:20', 'audio', 135);
COMMIT;
