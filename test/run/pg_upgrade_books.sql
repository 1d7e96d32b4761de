-- The database that make matrix upgrades: 60 apps on all bundled cards, usage of every
-- kind, metered through March 20, with January closed, February half closed and drift.
CREATE EXTENSION imbilling;
SELECT im_create_tables();
SELECT im_partition('im_call', '2023-01', '2023-06');

INSERT INTO im_rate_card_version SELECT 'users', '2019-12-10', jsonb_set(terms, '{plans,standard,mau,included}', '3')
FROM im_rate_card_version WHERE rate_card = 'intl';
INSERT INTO im_app (app_id, name, rate_card, opened_at)
SELECT n, 'app ' || n, (ARRAY['users', 'cn', 'overseas'])[1 + n % 3], '2020-01-01 00:00+08' FROM generate_series(1, 60) n;
INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
SELECT app_id, 1, '2023-01-01 10:00+08'::timestamptz + app_id % 9 * interval '1 day', 'buy', 'plan', CASE rate_card WHEN 'users' THEN 'standard' ELSE 'pro' END, 3 FROM im_app;
INSERT INTO im_order (app_id, order_id, at, action, item) SELECT app_id, 2, '2023-01-02 10:00+08', 'on', 'moderation' FROM im_app WHERE rate_card = 'cn';
INSERT INTO im_order (app_id, order_id, at, action, item, option) SELECT app_id, 3, '2023-01-12 10:00+08', 'buy', 'moderation_pack', 'month' FROM im_app WHERE rate_card = 'cn';
INSERT INTO im_order (app_id, order_id, at, action, item, refunds) SELECT app_id, 4, '2023-02-12 10:00+08', 'refund', 'plan', 1 FROM im_app WHERE app_id % 10 = 0;
INSERT INTO im_suspension SELECT app_id, '[2023-02-10,2023-02-14)', 'arrears' FROM im_app WHERE app_id % 7 = 0;
INSERT INTO im_login SELECT app_id, 'u' || n % (2 + app_id % 5), '2023-01-01 00:00+08'::timestamptz + n * interval '17 hours' FROM im_app, generate_series(0, 120) n;
INSERT INTO im_group SELECT app_id, 'g' || n, '2023-01-01 00:00+08'::timestamptz + n * interval '31 hours', '2023-01-03 00:00+08'::timestamptz + n * interval '31 hours' FROM im_app, generate_series(0, 60) n;
INSERT INTO im_moderation_check (app_id, at, kind, seconds)
SELECT app_id, '2023-01-01 00:00+08'::timestamptz + n * interval '11 hours', (ARRAY['text', 'image', 'audio', 'video'])[1 + n % 4], n FROM im_app, generate_series(0, 180) n;
INSERT INTO im_call (app_id, at, class, seconds)
SELECT app_id, '2023-01-01 00:00+08'::timestamptz + n * interval '13 hours', (ARRAY['audio', 'sd', 'hd', 'fhd'])[1 + n % 4], 100 * n FROM im_app, generate_series(0, 150) n;
INSERT INTO im_usage_daily (app_id, day, users, peak_groups) SELECT app_id, '2023-02-03', im_userset_agg('d' || u), 7 FROM im_app, generate_series(1, 9) u WHERE app_id % 4 = 0 GROUP BY 1;

SELECT count(*) FROM im_meter('2023-01-01', '2023-03-20');
CALL im_close_month('2023-01', 7);
INSERT INTO im_call (app_id, at, class, seconds) SELECT app_id, '2023-01-25 12:00+08', 'hd', 60000 FROM im_app WHERE app_id % 5 = 0;
-- an app that cannot be billed leaves February half closed
INSERT INTO im_usage_daily (app_id, day, dau) VALUES (60, '2023-02-20', -1);
DO $$ BEGIN CALL im_close_month('2023-02', 7); EXCEPTION WHEN OTHERS THEN RAISE NOTICE '%', SQLERRM; END $$;
