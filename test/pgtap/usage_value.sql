-- A value of usage says what its rows said, in whatever order they came and however they were
-- split; what users gave hides what was metered (R11); its text reads back as itself.
BEGIN;
\ir include/setup.sql

-- What rating sees of it
CREATE FUNCTION seen(usage im_internal.im_usage) RETURNS text LANGUAGE sql
RETURN (SELECT string_agg(concat_ws(' ', u.day, u.kind, n(u.quantity)), E'\n' ORDER BY u.day, u.kind)
	FROM im_internal.im_rate_unbilled(ROW(1, NULL, NULL, NULL, NULL)::im_internal.im_app_account, im_internal.im_usage_from(usage, '2024-02-01'), NULL, '2024-03') u);
CREATE TABLE rows AS
SELECT s AS seed, n, date '2024-02-28' + (hashint8extended(n, s) & 31)::int AS day,
	(SELECT array_agg(CASE WHEN hashint8extended(n, s + f) % 3 = 0 THEN NULL
		ELSE (hashint8extended(n, 7 * s + f) & 1152921504606846975) >> ((hashint8extended(n, s - f) & 63)::int) END ORDER BY f)
	 FROM generate_series(1, 10) f) AS v,
	CASE WHEN n % 3 = 0 THEN ('{a,u' || n || '}')::im_userset END AS users
FROM generate_series(1, 20) s, generate_series(1, 7) n;
CREATE TABLE packed AS
SELECT seed, im_internal.im_usage_agg(1, day, v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], v[10], NULL, users ORDER BY n) AS usage,
	im_internal.im_usage_agg(1, day, v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], v[10], NULL, users ORDER BY day, n) AS by_day,
	im_internal.im_usage_agg(1, day, v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], v[10], NULL, users) FILTER (WHERE n <= 3) AS a,
	im_internal.im_usage_agg(1, day, v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], v[10], NULL, users) FILTER (WHERE n > 3) AS b
FROM rows GROUP BY seed;
SELECT ok(bool_and(seen(usage) ~ '\d{10}'), 'there is something to compare') FROM packed;
SELECT is(seen(p.usage), (SELECT string_agg(concat_ws(' ', s.day, s.kind, n(s.quantity)), E'\n' ORDER BY s.day, s.kind)
		FROM (SELECT r.day, k.kind, sum(coalesce(k.figure, 0) * CASE WHEN k.kind IN ('audio', 'video') THEN 0.5 ELSE 1 END)::numeric AS quantity
			  FROM rows r, unnest(v, '{dau,groups,text,image,audio,video,call_audio,call_sd,call_hd,call_fhd}'::text[]) k(figure, kind)
			  WHERE r.seed = p.seed AND r.day < '2024-04-01'
			  GROUP BY r.day, k.kind) s
		WHERE s.quantity > 0), format('rows of seed %s are their sums by day', p.seed))
FROM packed p ORDER BY seed;
SELECT is(by_day::text, usage::text, format('rows of seed %s in the order of their days', seed)) FROM packed ORDER BY seed;
SELECT is((a OPERATOR(im_internal.+) b)::text, usage::text, format('rows of seed %s in two halves', seed)) FROM packed ORDER BY seed;
SELECT is((b OPERATOR(im_internal.+) a)::text, usage::text, format('rows of seed %s in two halves, the other way', seed)) FROM packed ORDER BY seed;
SELECT is(im_internal.im_usage_sum(x)::text, usage::text, format('rows of seed %s summed', seed))
FROM packed, unnest(ARRAY[a, NULL, b]) x GROUP BY seed, usage::text ORDER BY seed;
SELECT is(usage::text::im_internal.im_usage::text, usage::text, format('the text of seed %s reads back', seed)) FROM packed ORDER BY seed;
SELECT is(im_internal.im_usage_send(usage::text::im_internal.im_usage), im_internal.im_usage_send(usage), format('and is the same to the byte, seed %s', seed)) FROM packed ORDER BY seed;
SELECT is(seen(im_internal.im_usage_agg(1, d, 9223372036854775807, 0, 0, 0, 0, 0, 0, 0, 0, 1, NULL, NULL)), E'2024-03-01 call_fhd 1\n2024-03-01 dau 9223372036854775807',
	'the largest figures')
FROM (VALUES (date '2024-03-01')) v(d);
SELECT is(im_internal.im_usage_agg(1, d, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL)::text,
	'{"days": [{"day": "0001-01-01", "dau": 2}, {"day": "9999-12-31", "dau": 2}]}', 'days far apart')
FROM (VALUES (date '9999-12-31'), ('0001-01-01'), ('9999-12-31'), ('0001-01-01')) v(d);
SELECT fails_with($$SELECT im_internal.im_usage_agg(1, '2024-03-01', 9223372036854775807, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL) FROM generate_series(1, 2)$$,
	'22003', 'usage of app 1 on 2024-03-01 is out of range', 'a sum beyond bigint');
SELECT fails_with($$SELECT u OPERATOR(im_internal.+) u FROM (SELECT '{"days": [{"day": "2024-03-01", "dau": 9223372036854775807}]}'::im_internal.im_usage) x(u)$$,
	'22003', 'on 2024-03-01 is out of range', 'or of two values');
SELECT ok(pg_column_size(im_internal.im_usage_agg(1, date '2024-03-01' + n, 1000 + n, 100 + n, 5 * n, n, 0, 0, 0, 0, 0, 0, NULL, NULL)) < 400,
	'a month of four figures a day takes less than 400 bytes') FROM generate_series(0, 30) n;

-- Given and metered
CREATE FUNCTION given(variadic v text[]) RETURNS text LANGUAGE sql
RETURN (SELECT im_internal.im_usage_sum(('{"days": [' || x || ']}')::im_internal.im_usage)::text FROM unnest(v) x);
SELECT is(given(a, b), '{"days": [' || c || ']}', what)
FROM (VALUES
	('{"day": "2024-03-01", "dau": 3}', '{"day": "2024-03-01", "dau": 5, "peak_groups": 2}', '{"day": "2024-03-01", "dau": 8, "peak_groups": 2}',
		'what is metered adds up'),
	('{"day": "2024-03-01", "dau": 3, "given": ["dau"]}', '{"day": "2024-03-01", "dau": 5, "peak_groups": 2}',
		'{"day": "2024-03-01", "dau": 3, "peak_groups": 2, "given": ["dau"]}', 'a given figure hides the metered one alone'),
	('{"day": "2024-03-01", "dau": 5, "text_checks": 7}', '{"day": "2024-03-01", "given": ["dau"]}',
		'{"day": "2024-03-01", "text_checks": 7, "given": ["dau"]}', 'so does a given 0'),
	('{"day": "2024-03-01", "dau": 3, "given": true}', '{"day": "2024-03-01", "fhd_minutes": 5}', '{"day": "2024-03-01", "dau": 3, "given": true}',
		'a row of a whole day hides all'),
	('{"day": "2024-03-01", "users": "{a,b}"}', '{"day": "2024-03-01", "users": "{b,c}"}', '{"day": "2024-03-01", "users": "{a,b,c}"}',
		'metered users are one set'),
	('{"day": "2024-03-01", "users": "{a,b}"}', '{"day": "2024-03-01", "users": "{x}", "users_given": true}',
		'{"day": "2024-03-01", "users": "{x}", "users_given": true}', 'given users hide the metered ones'),
	('{"day": "2024-03-02", "dau": 1}', '{"day": "2024-03-01", "dau": 2}', '{"day": "2024-03-01", "dau": 2}, {"day": "2024-03-02", "dau": 1}',
		'days are in their order')) v(a, b, c, what);
SELECT is(given(b, a), given(a, b), format('the other way: %s + %s', a, b))
FROM (VALUES ('{"day": "2024-03-01", "dau": 3, "given": ["dau"]}', '{"day": "2024-03-01", "dau": 5, "given": ["dau", "peak_groups"]}'),
	('{"day": "2024-03-01", "users": "{x}", "users_given": true}', '{"day": "2024-03-01", "users": "{y}"}'),
	('{"day": "2024-03-01", "given": true}', '{"day": "2024-03-01", "sd_minutes": 5, "given": ["sd_minutes"]}')) v(a, b);

-- From a day on
SELECT is(im_internal.im_usage_from('{"days": [{"day": "2024-02-29", "dau": 3}, {"day": "2024-03-01", "dau": 5}]}', '2024-03-01')::text,
	'{"since": "2024-03-01", "days": [{"day": "2024-03-01", "dau": 5}]}', 'days before are left out');
SELECT is(im_internal.im_usage_from(NULL::im_internal.im_usage, '2024-03-01')::text, '{"since": "2024-03-01", "days": []}', 'nothing was used');
SELECT is((im_internal.im_usage_from(NULL::im_internal.im_usage, '2024-03-01') OPERATOR(im_internal.+) im_internal.im_usage_from(NULL::im_internal.im_usage, '2024-02-01'))::text,
	'{"since": "2024-02-01", "days": []}', 'of two days the earlier');

-- Meters by name
SELECT is(v::im_internal.im_usage::text, v, 'meters by name: ' || v)
FROM (VALUES ('{"days": [], "meters": [{"meter": "a", "day": "2024-03-01", "given": 0}, {"meter": "a", "day": "2024-03-02", "quantity": 1.5}, {"meter": "b c", "day": "0001-01-01", "quantity": -0.00000001}]}'),
	('{"days": [], "meters": [{"meter": "储存", "day": "2024-03-01", "given": 3, "quantity": 999999999999999999999999999999.12345678, "area": 86400000000000000, "before": 3600000000, "length": 86400000000, "users": "{a,b}"}]}')) x(v);
SELECT is(im_internal.im_usage_sum(v::im_internal.im_usage)::text, '{"days": [], "meters": [{"meter": "a", "day": "2024-03-01", "given": 2, "quantity": 7}, {"meter": "b", "day": "2024-03-01", "quantity": 1}]}',
	'given and metered days of a meter meet')
FROM (VALUES ('{"meters": [{"meter": "b", "day": "2024-03-01", "quantity": 1}, {"meter": "a", "day": "2024-03-01", "given": 2}]}'),
	('{"meters": [{"meter": "a", "day": "2024-03-01", "quantity": 7}]}')) x(v);
SELECT is(im_internal.im_usage_from(v::im_internal.im_usage, '2024-03-01')::text, '{"since": "2024-03-01", ' || substr(v, 2), 'what was set before still stands')
FROM (VALUES ('{"days": [], "meters": [{"meter": "a", "day": "2023-03-01", "quantity": 2}]}')) x(v);

-- Texts that are no usage
SELECT fails_with(format('SELECT %L::im_internal.im_usage', v), state, said, 'refused: ' || v)
FROM (VALUES ('', '22P02', 'json'), ('[]', '22023', 'not an object'), ('{"dau": 1}', '22023', 'unknown key'),
	('{"days": [{"dau": 1}]}', '22023', 'day'), ('{"days": [{"day": "today"}]}', '22023', 'no day'), ('{"days": [{"day": "2024-02-30"}]}', '22008', '2024-02-30'),
	('{"days": [{"day": "2024-03-01", "dau": -1}]}', '22023', 'no figure'), ('{"days": [{"day": "2024-03-01", "dau": 1.5}]}', '22023', 'no figure'),
	('{"days": [{"day": "2024-03-01", "dau": 9223372036854775808}]}', '22023', 'no figure'), ('{"days": [{"day": "2024-03-01", "dau": "x"}]}', '22023', 'not a number'),
	('{"days": [{"day": "2024-03-01", "given": ["day"]}]}', '22023', 'no figure of a day'), ('{"days": [{"day": "2024-03-01", "users": "a"}]}', '22P02', 'im_userset'),
	('{"meters": [{"day": "2024-03-01", "quantity": 1}]}', '22023', 'meter'), ('{"meters": [{"meter": "a", "day": "2024-03-01", "quantity": 0.000000001}]}', '22023', 'does not fit'),
	('{"meters": [{"meter": "a", "day": "2024-03-01", "quantity": 1e31}]}', '22023', 'does not fit')) x(v, state, said);

SELECT * FROM finish();
ROLLBACK;
