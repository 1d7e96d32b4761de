-- Logins of 200 apps over 30 days of China Standard Time, one app with 40%.
--
-- psql variables: rows, and per_mille, the scale in thousandths.  No random():
-- every run on every machine makes the same rows.  A user logs in about 1.4
-- times a day, so about 70% of the rows are distinct by app, day and user.
-- Rows come in the order of their time, as logins do.

\set first '''2023-12-01 00:00+08'''

CREATE UNLOGGED TABLE login (app_id bigint NOT NULL, user_id text NOT NULL, at timestamptz NOT NULL);
CREATE UNLOGGED TABLE login_days (LIKE login) PARTITION BY RANGE (at);
CREATE UNLOGGED TABLE login_36_days (LIKE login) PARTITION BY RANGE (at);

SELECT format('CREATE UNLOGGED TABLE %1$s_%2$s PARTITION OF %1$s_days FOR VALUES FROM (%3$L) TO (%4$L)',
	name, to_char(day, 'FM00'), :first::timestamptz + (day - 1) * interval '1 day',
	:first::timestamptz + day * interval '1 day')
FROM generate_series(1, 30) day, (VALUES ('login'), ('login_36')) t(name) \gexec

INSERT INTO login
SELECT app_id, 'user_' || lpad(((hash & 2147483647) % (pool * :per_mille / 1000))::text, 8, '0'),
	:first::timestamptz + i * 2592000 / :rows * interval '1 second'
FROM generate_series(0::bigint, :rows - 1) i,
	hashint8extended(i, 1) hash,
	LATERAL (SELECT CASE WHEN i % 5 < 2 THEN 1 ELSE 2 + i % 199 END) a(app_id),
	LATERAL (SELECT CASE app_id WHEN 1 THEN bigint '350000' ELSE 2640 END) p(pool);

INSERT INTO login_days SELECT * FROM login;
INSERT INTO login_36_days SELECT app_id, md5(user_id)::uuid::text, at FROM login;
CREATE INDEX ON login USING brin (at) WITH (pages_per_range = 32);

-- Without these the planner expects nearly as many groups as rows, and sorts.
CREATE STATISTICS login_im_day ON app_id, (im_day(at, 'Asia/Shanghai')) FROM login;
CREATE STATISTICS login_day ON app_id, ((at AT TIME ZONE 'Asia/Shanghai')::date) FROM login;
CREATE STATISTICS login_36_im_day ON app_id, (im_day(at, 'Asia/Shanghai')) FROM login_36_days;
CREATE STATISTICS login_36_day ON app_id, ((at AT TIME ZONE 'Asia/Shanghai')::date) FROM login_36_days;
VACUUM (ANALYZE, FREEZE) login;
VACUUM (ANALYZE, FREEZE) login_days;
VACUUM (ANALYZE, FREEZE) login_36_days;
