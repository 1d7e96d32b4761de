-- Logins in day partitions, made as in logins.sql; psql variables: name, rows, per_mille.

\set first '''2023-12-01 00:00+08'''

CREATE UNLOGGED TABLE :name (app_id bigint NOT NULL, user_id text NOT NULL, at timestamptz NOT NULL) PARTITION BY RANGE (at);

SELECT format('CREATE UNLOGGED TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
	:'name' || to_char(day, '"_"FM00'), :'name', :first::timestamptz + (day - 1) * interval '1 day',
	:first::timestamptz + day * interval '1 day')
FROM generate_series(1, 30) day \gexec

INSERT INTO :name
SELECT app_id, 'user_' || lpad(((hash & 2147483647) % greatest(1, pool * :per_mille / 1000))::text, 8, '0'),
	:first::timestamptz + i * 2592000 / :rows * interval '1 second'
FROM generate_series(0::bigint, :rows - 1) i,
	hashint8extended(i, 1) hash,
	LATERAL (SELECT CASE WHEN i % 5 < 2 THEN 1 ELSE 2 + i % 199 END) a(app_id),
	LATERAL (SELECT CASE app_id WHEN 1 THEN bigint '350000' ELSE 2640 END) p(pool);
VACUUM (ANALYZE, FREEZE) :name;
