-- Events of 200 apps and 3 meters on 30 days, and a bigint copy of their
-- quantities; psql variable: rows.

CREATE UNLOGGED TABLE event (app_id bigint NOT NULL, meter text NOT NULL, at timestamptz NOT NULL, quantity numeric NOT NULL, whole bigint NOT NULL);

INSERT INTO event
SELECT CASE WHEN i % 5 < 2 THEN 1 ELSE 2 + i % 199 END, (ARRAY['messages', 'translated', 'storage_kb'])[1 + dice / 1000 % 3],
	'2023-12-01 00:00+08'::timestamptz + i * 2592000 / :rows * interval '1 second', 1 + dice % 1000, 1 + dice % 1000
FROM generate_series(0::bigint, :rows - 1) i,
	LATERAL (SELECT hashint8extended(i, 3) & 2147483647) d(dice);
CREATE STATISTICS event_day ON app_id, meter, (im_day(at, 'Asia/Shanghai')) FROM event;
VACUUM (ANALYZE, FREEZE) event;
