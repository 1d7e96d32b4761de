-- One app and the file of its order log: in the year 2023 it buys packs, local
-- moderation and an add-on, switches cloud moderation, and buys call minutes
-- and gives them back.  psql variables: orders, file.

INSERT INTO im_app (app_id, name, opened_at) VALUES (1, 'many orders', '2022-12-01 00:00+08');
INSERT INTO im_usage_daily (app_id, day, dau, text_checks, audio_minutes)
SELECT 1, d::date, 9000, 400000, 9000 FROM generate_series(timestamp '2023-01-01', '2023-12-31', '1 day') d;

COPY (
	SELECT 1, 0, timestamptz '2022-12-20 12:00+08', 'buy', 'plan', 'pro', 13, 1, NULL, NULL
	UNION ALL
	SELECT 1, g, timestamptz '2023-01-01 00:00+08' + g * (interval '360 days' / :orders),
		(ARRAY['buy', 'buy', 'on', 'off', 'buy', 'refund', 'buy', 'buy'])[1 + g % 8],
		(ARRAY['moderation_pack', 'local_moderation', 'moderation', 'moderation', 'call', 'call',
			'moderation_pack', 'group_members'])[1 + g % 8],
		(ARRAY['month', '', '', '', 'basic', 'basic', 'year_small', ''])[1 + g % 8],
		CASE WHEN g % 8 IN (1, 4, 7) THEN 1 END, 1, CASE WHEN g % 8 = 5 THEN g - 1 END, NULL
	FROM generate_series(8, :orders - 1) g
) TO STDOUT (FORMAT csv) \g :file
