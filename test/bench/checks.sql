-- Moderation checks of the same apps and days; psql variable: rows.
-- 70% texts, 20% images, 7% audio, 3% video of 1 to 600 seconds.

CREATE UNLOGGED TABLE moderation_check (app_id bigint NOT NULL, at timestamptz NOT NULL, kind text NOT NULL, seconds int);

INSERT INTO moderation_check
SELECT CASE WHEN i % 5 < 2 THEN 1 ELSE 2 + i % 199 END,
	'2023-12-01 00:00+08'::timestamptz + i * 2592000 / :rows * interval '1 second',
	kind, CASE WHEN kind IN ('audio', 'video') THEN 1 + dice / 100 % 600 END
FROM generate_series(0::bigint, :rows - 1) i,
	LATERAL (SELECT hashint8extended(i, 2) & 2147483647) d(dice),
	LATERAL (SELECT CASE WHEN dice % 100 < 70 THEN 'text' WHEN dice % 100 < 90 THEN 'image'
		WHEN dice % 100 < 97 THEN 'audio' ELSE 'video' END) k(kind);
CREATE INDEX ON moderation_check USING brin (at) WITH (pages_per_range = 32);
CREATE STATISTICS check_im_day ON app_id, (im_day(at, 'Asia/Shanghai')) FROM moderation_check;
CREATE STATISTICS check_hour ON app_id, (date_trunc('hour', at AT TIME ZONE 'Asia/Shanghai')) FROM moderation_check;
VACUUM (ANALYZE, FREEZE) moderation_check;
