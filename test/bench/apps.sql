-- Apps with daily figures of December 2023 and no events; psql variable: apps.

INSERT INTO im_app (app_id, name) SELECT n, 'app ' || n FROM generate_series(1, :apps) n;
INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
SELECT n, o.*
FROM generate_series(1, :apps) n,
	LATERAL (VALUES
		(1, timestamptz '2023-11-15 10:00+08', 'buy', 'plan', CASE WHEN n % 10 = 0 THEN 'flagship' ELSE 'pro' END, 3),
		(2, '2023-11-15 10:01+08', 'on', 'moderation', '', NULL),
		(3, '2023-12-05 09:00+08', 'buy', 'call', 'basic', 1),
		(4, '2023-12-20 16:30+08', 'on', 'history_storage', '90d', NULL)) o(order_id)
WHERE order_id <= 2 OR n % 4 = 0;
INSERT INTO im_usage_daily (app_id, day, dau, peak_groups, text_checks, image_checks, audio_half_minutes, sd_minutes)
SELECT n, day, dice % 30000, dice / 7 % 200000, dice / 11 % 5000, dice / 13 % 1000, dice / 17 % 100,
	CASE WHEN n % 4 = 0 THEN dice / 19 % 2000 END
FROM generate_series(1, :apps) n,
	generate_series(date '2023-12-01', '2023-12-31', '1 day') day,
	LATERAL (SELECT hashint8extended(n, extract(day FROM day)::int) & 2147483647) d(dice);
VACUUM ANALYZE im_app;
VACUUM ANALYZE im_order;
VACUUM ANALYZE im_usage_daily;
