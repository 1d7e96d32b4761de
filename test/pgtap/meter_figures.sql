-- im_meter_sum, _max, _unique, _last, _average: what they give is what plain SQL gives, however the rows come.
BEGIN;
\ir include/setup.sql

-- edges -----------------------------------------------------------------------------
SELECT is(im_meter_sum(q), 0.3, 'decimals add up exactly') FROM unnest('{0.1,0.1,0.1,NULL}'::numeric[]) q;
SELECT is(im_meter_sum(q), 0::numeric, 'a sum of nothing') FROM unnest('{NULL}'::numeric[]) q;
SELECT is(im_meter_sum(q), 0::numeric, 'a sum without rows') FROM unnest('{}'::numeric[]) q;
SELECT is(im_meter_sum(q), 1000000000000000000.00000001, 'a large and a small one') FROM unnest('{1e18,0.00000001}'::numeric[]) q;
SELECT is(im_meter_sum(q), q, format('%s comes back as it is', q)) FROM unnest('{0,0.00000001,0.0001,0.9999,1,9999,10000,10000.0001,
	99999999,100000000,123456789012345678901234567890.12345678}'::numeric[]) q GROUP BY q;
SELECT is(im_meter_max(q), -0.5, 'the largest may be negative') FROM unnest('{-1,-0.5,NULL}'::numeric[]) q;
SELECT is(im_meter_max(q), 0::numeric, 'the largest of nothing') FROM unnest('{}'::numeric[]) q;
SELECT is(im_meter_unique(s), 2::bigint, 'distinct subjects') FROM unnest('{a,b,a,NULL}'::text[]) s;
SELECT is(im_meter_last(q, t), 7::numeric, 'the last; of two at one instant the larger')
FROM (VALUES (5, '2024-03-01'::timestamptz), (7, '2024-03-02'), (6, '2024-03-02'), (NULL, '2024-03-03'), (9, '2024-02-01')) v(q, t);
SELECT is(im_meter_last(q, t), NULL::numeric, 'nothing stands without events') FROM (VALUES (NULL::numeric, NULL::timestamptz)) v(q, t);
SELECT is(im_meter_average(q, t, '2024-03-01 00:00+00', '2024-03-02 00:00+00', s), a, what)
FROM (VALUES ('a level that stands all day', 4::numeric, ARRAY[]::numeric[], ARRAY[]::timestamptz[], 4::numeric),
	('half a day each', 4, '{8}', '{2024-03-01 12:00+00}', 6),
	('from the first instant on', 4, '{8}', '{2024-03-01 00:00+00}', 8),
	('from the end on: not this window', 4, '{8}', '{2024-03-02 00:00+00}', 4),
	('set before the window', 4, '{1,8}', '{2024-02-01 00:00+00,2024-02-29 00:00+00}', 8),
	('of two at one instant the larger', 0, '{8,6}', '{2024-03-01 12:00+00,2024-03-01 12:00+00}', 4),
	('a third is rounded half up', 0, '{1}', '{2024-03-01 16:00+00}', 0.33333333),
	('two thirds too', 0, '{1}', '{2024-03-01 08:00+00}', 0.66666667),
	('and below zero', 0, '{-1}', '{2024-03-01 08:00+00}', -0.66666667),
	('nothing stands before', NULL, '{6}', '{2024-03-01 20:00+00}', 1)) c(what, s, qs, ts, a),
	LATERAL (SELECT * FROM unnest(qs, ts) UNION ALL SELECT NULL, NULL) e(q, t)
GROUP BY what, s, a ORDER BY what;

-- any order, any number of workers ------------------------------------------------------
CREATE TABLE raised AS
SELECT i % 7 AS app, (random() * 1000)::int * 0.00000001 + (random() * 20)::int AS q,
	'2024-03-01 00:00+00'::timestamptz + (random() * 2000 - 200)::int * interval '1 minute' AS t, md5((random() * 500)::int::text) AS subject
FROM generate_series(1, 40000) i;
ALTER TABLE raised SET (parallel_workers = 3);
ANALYZE raised;
CREATE VIEW told AS
SELECT app, im_meter_sum(q) AS sum, im_meter_max(q) AS max, im_meter_unique(subject) AS unique, im_meter_last(q, t) AS last,
	im_meter_average(q, t, '2024-03-01 00:00+00', '2024-03-02 00:00+00', 5) AS average
FROM raised GROUP BY app;
-- What stands from each instant until the next one, of that window.
CREATE VIEW slow AS
SELECT r.app, sum(q) AS sum, max(q) AS max, count(DISTINCT subject) AS unique,
	(SELECT l.q FROM raised l WHERE l.app = r.app ORDER BY l.t DESC, l.q DESC LIMIT 1) AS last,
	(SELECT round(sum(v.q * extract(epoch FROM least(v.until, '2024-03-02 00:00+00') - greatest(v.t, '2024-03-01 00:00+00'))) / 86400, 8)
	 FROM (SELECT t, max(e.q) AS q, coalesce(lead(t) OVER (ORDER BY t), 'infinity') AS until FROM raised e WHERE e.app = r.app GROUP BY t) v
	 WHERE v.until > '2024-03-01 00:00+00' AND v.t < '2024-03-02 00:00+00') AS average
FROM raised r GROUP BY r.app;
CREATE FUNCTION parallel(workers int) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
	PERFORM set_config('max_parallel_workers_per_gather', workers::text, true);
	PERFORM set_config('parallel_setup_cost', '0', true);
	PERFORM set_config('parallel_tuple_cost', '0', true);
	PERFORM set_config('min_parallel_table_scan_size', '0', true);
END $$;
CREATE FUNCTION workers_of(query text) RETURNS boolean LANGUAGE plpgsql AS $$ DECLARE line text; BEGIN
	FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
		IF line ~ 'Partial (Hash|Group)?Aggregate' THEN RETURN true; END IF;
	END LOOP;
	RETURN false;
END $$;
SELECT parallel(0);
SELECT results_eq('SELECT * FROM told ORDER BY app', 'SELECT * FROM slow ORDER BY app', 'as plain SQL says');
CREATE TEMP TABLE alone AS SELECT * FROM told;
SELECT parallel(3);
SELECT ok(workers_of('SELECT * FROM told'), 'workers share the groups');
SELECT results_eq('SELECT * FROM told ORDER BY app', 'SELECT * FROM alone ORDER BY app', 'workers make no difference');
SELECT results_eq($$SELECT app, im_meter_last(q, t ORDER BY q), im_meter_average(q, t, '2024-03-01 00:00+00', '2024-03-02 00:00+00', 5 ORDER BY t DESC)
	FROM raised GROUP BY app ORDER BY app$$, 'SELECT app, last, average FROM alone ORDER BY app', 'nor does the order of rows');

-- refused ---------------------------------------------------------------------------
SELECT fails_with(format('SELECT %s', call), state, said, call)
FROM (VALUES ('im_meter_sum(-1::numeric)', '22023', 'negative'), ('im_meter_sum(''NaN''::numeric)', '22023', 'finite'),
	('im_meter_sum(''Infinity''::numeric)', '22023', 'finite'), ('im_meter_sum(0.000000001)', '22003', 'decimal places'),
	('im_meter_sum(1e31)', '22003', 'too large'), ('im_meter_sum(q) FROM unnest(''{1e30,1e30}''::numeric[]) q', '22003', 'too large'),
	('im_meter_max(''-Infinity''::numeric)', '22023', 'finite'), ('im_meter_last(1, NULL)', '22004', 'instant'),
	('im_meter_average(1, NULL, now(), now() + ''1 day'', 0)', '22004', 'instant'),
	('im_meter_average(1, now(), NULL, now(), 0)', '22004', 'window'), ('im_meter_average(1, now(), now(), now(), 0)', '22023', 'window'),
	('im_meter_average(1, now(), ''-infinity'', now(), 0)', '22023', 'window'),
	('im_meter_average(1, now(), now(), now() + i * interval ''1 day'', 0) FROM generate_series(1, 2) i', '22023', 'changes'),
	('im_meter_average(1, now(), now(), now() + interval ''1 day'', i) FROM generate_series(1, 2) i', '22023', 'changes'),
	('im_meter_average(1e29, now(), now() - interval ''1 day'', now() + interval ''1 day'', 0)', '22003', 'too large')) v(call, state, said);
SELECT fails_with($$SELECT im_internal.im_meter_sum_trans(NULL::internal, 1)$$, '42\w{3}', '', 'a support function is no function');

SELECT * FROM finish();
ROLLBACK;
