-- Sets of users: one of each kind of id, and 31 daily ones of serial ids.
-- psql variable: users, the size of a set (of a daily one about that).

CREATE UNLOGGED TABLE kind_set AS
SELECT kind, im_userset_agg(user_id) AS users
FROM generate_series(1, :users) n,
	LATERAL (VALUES ('serial', 'user_' || lpad(n::text, 8, '0')),
		('16 hex digits', left(md5(n::text), 16)),
		('uuid', md5(n::text)::uuid::text)) ids(kind, user_id)
GROUP BY kind;

-- the ids of a day, sorted as bytes, are also what the plain C merge reads
CREATE UNLOGGED TABLE daily_id AS
SELECT day, 'user_' || lpad(n::text, 8, '0') AS user_id
FROM generate_series(1, 31) day, generate_series(1, 3 * :users) n
WHERE (hashint8extended(n, day) & 2147483647) % 3 = 0;
CREATE UNLOGGED TABLE daily_set AS
SELECT day, im_userset_agg(user_id) AS users FROM daily_id GROUP BY day;
VACUUM ANALYZE kind_set;
VACUUM ANALYZE daily_set;
