-- Packed daily usage says what flat daily usage says, whatever the order of rows and the
-- size of figures; bytes that nobody packed are refused.
BEGIN;
\ir include/setup.sql

CREATE FUNCTION seen(daily bigint[]) RETURNS text LANGUAGE sql
RETURN (SELECT string_agg(concat_ws(' ', u.day, u.kind, u.quantity), E'\n' ORDER BY u.day, u.kind)
	FROM im_internal.im_rate_unbilled(1, NULL, NULL, NULL, NULL, false, '2024-03', '2024-02-01', daily,
		NULL, NULL, NULL, NULL, NULL, NULL) u);
CREATE TABLE rows AS
SELECT s AS seed, n, date '2024-02-28' + (hashint8extended(n, s) & 31)::int AS day,
	(SELECT array_agg(CASE WHEN hashint8extended(n, s + f) % 3 = 0 THEN NULL
		ELSE (hashint8extended(n, 7 * s + f) & 1152921504606846975) >> ((hashint8extended(n, s - f) & 63)::int) END ORDER BY f)
	 FROM generate_series(1, 10) f) AS v
FROM generate_series(1, 20) s, generate_series(1, 7) n;
CREATE TABLE packed AS
SELECT seed, im_internal.im_usage_pack(1, day, v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], v[10] ORDER BY n) AS pack,
	im_internal.im_usage_pack(1, day, v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], v[10] ORDER BY day, n) AS by_day,
	im_internal.im_usage_agg(1, day, v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], v[10] ORDER BY n DESC) AS flat
FROM rows GROUP BY seed;
SELECT ok(bool_and(seen(flat) ~ '\d{10}'), 'there is something to compare') FROM packed;
SELECT is(seen(pack), seen(flat), format('rows of seed %s, packed', seed)) FROM packed ORDER BY seed;
SELECT is(by_day, pack, format('rows of seed %s, packed in the order of their days', seed)) FROM packed ORDER BY seed;
SELECT ok(bool_and(cardinality(pack) * 2 < cardinality(flat)), 'packed takes less than half') FROM packed;
SELECT is(seen(im_internal.im_usage_pack(1, d, 9223372036854775807, 0, 0, 0, 0, 0, 0, 0, 0, 1)), seen(im_internal.im_usage_agg(1, d, 9223372036854775807, 0, 0, 0, 0, 0, 0, 0, 0, 1)),
	'the largest figures')
FROM (VALUES (date '2024-03-01')) v(d);
SELECT is(im_internal.im_usage_pack(1, d, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0) IS NOT NULL, true, 'days far apart')
FROM (VALUES (date '9999-12-31'), ('0001-01-01'), ('9999-12-31'), ('0001-01-01')) v(d);
SELECT fails_with($$SELECT im_internal.im_usage_pack(1, '2024-03-01', 9223372036854775807, 0, 0, 0, 0, 0, 0, 0, 0, 0) FROM generate_series(1, 2)$$,
	'22003', 'usage of app 1 on 2024-03-01 is out of range', 'a sum beyond bigint');

-- Cut, stretched and altered: refused, or read as other usage, but never beyond the array
CREATE FUNCTION reads(daily bigint[]) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM im_test.seen(daily);
	RETURN 'read';
EXCEPTION WHEN invalid_parameter_value THEN
	RETURN 'refused';
END $$;
SELECT is(reads(pack), 'read', 'a packed array is read') FROM packed WHERE seed = 1;
SELECT is(reads(pack[1:n]), 'refused', format('its first %s words are refused', n))
FROM packed, generate_series(1, cardinality(pack) - 1) n WHERE seed = 1 AND n IN (1, 2, 3, cardinality(pack) - 1);
SELECT is(reads(ARRAY[pack[1] + x] || pack[2:]), 'refused', format('a length wrong by %s is refused', x))
FROM packed, unnest('{-1,1,100,1152921504606846975}'::bigint[]) x WHERE seed = 1;
SELECT is(reads(pack[1:1] || ARRAY[pack[2] + x] || pack[3:]), 'refused', format('a count wrong by %s is refused', x))
FROM packed, unnest('{-100,-1,1,4294967296,1152921504606846975}'::bigint[]) x WHERE seed = 1;
SELECT ok(bool_and(reads(pack[1:w - 1] || ARRAY[pack[w] # (1::bigint << b)] || pack[w + 1:]) IN ('read', 'refused')), 'no flipped bit leads astray')
FROM packed, generate_series(3, cardinality(pack)) w, generate_series(0, 62, 3) b WHERE seed <= 3;
SELECT is(reads(ARRAY['-9223372036854775808'::bigint, 0]), 'read', 'no rows at all');
SELECT is(reads(ARRAY['-9223372036854775808'::bigint]), 'refused', 'a mark alone');

SELECT * FROM finish();
ROLLBACK;
