-- Refusals and types that no other test comes by: a line of C that no test
-- runs may say anything.
BEGIN;
\ir include/setup.sql

-- Cards ------------------------------------------------------------------------

CREATE FUNCTION card_with(path text, new jsonb) RETURNS text LANGUAGE sql
RETURN format('SELECT %L::im_rate_card', jsonb_set(cn(), path::text[], new));

SELECT fails_with(card_with('{plans,trial,dau}', '{"included": 1, "block": 1, "price": "1"}'), '22\w{3}', 'prices usage though the rank is 0',
	'the free plan charges no usage');
SELECT fails_with(card_with('{plans,pro,mau}', '{"included": 1, "block": 1, "price": "1"}'), '22\w{3}', 'stands beside dau',
	'a plan has daily or monthly users, not both');
SELECT fails_with(card_with('{addons,call,prices,trial}', '{"basic": "1"}'), '22\w{3}', 'prices an add-on on the free plan',
	'the free plan has no add-ons');
SELECT fails_with(card_with('{addons,refund}', '{"charge": "postpaid", "prices": {"pro": {"": "1"}}}'), '22\w{3}', 'name of another item',
	'no add-on is called refund');
SELECT fails_with(card_with('{addons,history_storage,minutes}', '{"90d": 5}'), '22\w{3}', 'belongs to a postpaid add-on',
	'a postpaid add-on brings no minutes');
SELECT fails_with(card_with('{moderation,coefficients,audio}', '"0.12345678"'), '22\w{3}', 'too many decimal places for the price per deduction',
	'a coefficient times the price has at most 8 places');
SELECT fails_with(card_with('{plans,pro,price}', '"1e00005"'), '22\w{3}', 'exponent out of range', 'an exponent has few digits');
SELECT fails_with(card_with('{currency}', '"cny"'), '22\w{3}', 'currency', 'a currency is three capitals');
SELECT fails_with(format('SELECT %L::im_rate_card', replace(cn()::text, '"pro"', '"p\u0001ro"')), '22\w{3}', 'control character',
	'a name has no control characters');

-- Cards that a table keeps compressed, or in another table: each row has its own
CREATE FUNCTION dear(price text) RETURNS im_rate_card LANGUAGE sql
RETURN (SELECT jsonb_set(jsonb_set(cn(), '{plans,pro,dau,price}', to_jsonb(price)), '{moderation,packs}',
			jsonb_object_agg('pack ' || i, cn() #> '{moderation,packs,month}'))::im_rate_card
		FROM generate_series(1, 100) i);
CREATE TABLE compressed AS SELECT n, dear(1000 + n || '') AS card FROM generate_series(1, 3) n;
CREATE TABLE elsewhere (n int, card im_rate_card);
ALTER TABLE elsewhere ALTER card SET STORAGE EXTERNAL;
INSERT INTO elsewhere SELECT n, card::text::im_rate_card FROM compressed;
SELECT ok((SELECT bool_and(pg_column_size(card) < octet_length(card::text)) FROM compressed), 'cards that are compressed');
SELECT results_eq('SELECT n, im_dau_overage(card, ''pro'', 10001) FROM compressed, generate_series(1, 3) i ORDER BY i, n',
	'SELECT n, 1000.00 + n FROM generate_series(1, 3) i, generate_series(1, 3) n ORDER BY i, n', 'are told apart');
SELECT ok((SELECT bool_and(pg_relation_size(reltoastrelid) > 0) FROM pg_class WHERE oid = 'elsewhere'::regclass), 'and cards that lie elsewhere');
SELECT results_eq('SELECT n, im_dau_overage(card, ''pro'', 10001) FROM elsewhere, generate_series(1, 3) i ORDER BY i, n',
	'SELECT n, 1000.00 + n FROM generate_series(1, 3) i, generate_series(1, 3) n ORDER BY i, n', 'as well');
SELECT is((SELECT sum(im_dau_overage(card, 'pro', 10001 + i)) FROM compressed, generate_series(1, 3) i WHERE n = 1), 3003.00, 'one card after the other');

-- Meters ------------------------------------------------------------------------

SELECT is((SELECT im_dau(x::char(5)) FROM unnest('{a,"a ",b,NULL}'::text[]) x), 2::bigint, 'blanks at the end of char(n) tell nobody apart');
SELECT is((SELECT im_dau(x::name) FROM unnest('{a,b,a}'::text[]) x), 2::bigint, 'names are counted');
SELECT is((SELECT im_count(im_userset_agg(x::smallint)) FROM unnest('{1,2,1,-32768}'::int[]) x), 3::bigint, 'smallint ids are users');
SELECT is((SELECT im_dau(x) FROM unnest(ARRAY[inet '::1', inet '127.0.0.1', inet '::1']) x), 2::bigint, 'addresses are counted');
SELECT fails_with($$SELECT im_dau(x COLLATE "C") FROM (SELECT a COLLATE "C" || b COLLATE "POSIX" FROM (VALUES ('a', 'b')) v(a, b)) y(x)$$,
	'42\w{3}', 'collation', 'ids of two collations are refused');

CREATE FUNCTION explained(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query;
END
$$;

-- Workers hand over sets of every kind.
CREATE TABLE visit AS SELECT n, n % 777 AS small, (n % 777)::numeric AS figure, 'user ' || n % 777 AS name,
	date '2023-12-01' + n % 31 AS day, (n % 777 || ' ' || repeat('x', 300)) AS long FROM generate_series(1, 30000) n;
ALTER TABLE visit SET (parallel_workers = 2);
ANALYZE visit;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 2;
CREATE FUNCTION counted() RETURNS text LANGUAGE sql AS $$
	SELECT (im_dau(small), im_dau(figure), im_dau(name), im_dau(long), im_dau(ARRAY[small]), im_count(im_userset_agg(name)),
		im_dau(small) FILTER (WHERE n < 0), im_count(im_userset_agg(name) FILTER (WHERE n < 0)))::text FROM visit
$$;
SELECT is(counted(), '(777,777,777,777,777,777,0,0)', 'workers'' sets are merged');
SET LOCAL max_parallel_workers_per_gather = 0;
SELECT is(counted(), '(777,777,777,777,777,777,0,0)', 'and are those of one process');
CREATE TABLE month_set AS SELECT day, im_userset_agg(name) AS users FROM visit GROUP BY day;
CREATE TABLE set_parted (users im_userset) PARTITION BY HASH (users);
CREATE TABLE set_0 PARTITION OF set_parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE set_1 PARTITION OF set_parted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO set_parted SELECT ('{' || n || '}')::im_userset FROM generate_series(1, 100) n;
SELECT ok((SELECT count(*) BETWEEN 20 AND 80 FROM set_0), 'sets are partitioned by hash');
SELECT is((SELECT im_count(im_union_agg(users)) FROM month_set), 777::bigint, 'and united');

-- Partitions are counted one by one, and their states merged.
CREATE TABLE visit_by_n (LIKE visit) PARTITION BY HASH (n);
CREATE TABLE visit_0 PARTITION OF visit_by_n FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE visit_1 PARTITION OF visit_by_n FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO visit_by_n SELECT * FROM visit;
ANALYZE visit_by_n;
CREATE FUNCTION counted_by_day(visits regclass) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('SELECT (extract(dow FROM day), im_dau(small), im_dau(figure), im_dau(name), im_dau(long), im_dau(ARRAY[small]),
		im_userset_agg(name)::text, im_union_agg((''{'' || small || ''}'')::im_userset)::text,
		im_peak_groups(day, day + 1, ''2023-12-01'', ''2024-01-01''), im_moderation_deductions(im_bundled_card(''cn'', ''2024-01-01''), ''text'', day, NULL),
		im_internal.im_check_days(1, day, ''audio'', small, ''UTC'', ''2023-12-01'', ''2023-12-31''),
		im_internal.im_call_days(1, day, ''hd'', small, ''UTC'', ''2023-12-01'', ''2023-12-31''))::text
		FROM %s GROUP BY extract(dow FROM day) ORDER BY extract(dow FROM day)', visits);
END
$$;
SET LOCAL enable_partitionwise_aggregate = on;
SELECT matches((SELECT string_agg(e, E'\n') FROM explained('SELECT extract(dow FROM day), im_dau(small) FROM visit_by_n GROUP BY 1') e),
	'Finalize.*Partial.*Partial', 'partitions are counted one by one');
SELECT results_eq($$SELECT counted_by_day('visit_by_n')$$, $$SELECT counted_by_day('visit')$$, 'and merged to what one table has');

-- Days --------------------------------------------------------------------------

SELECT is(im_day('infinity', 'Asia/Shanghai'), date 'infinity', 'the day of no end');
SELECT is(im_day('-infinity', 'UTC'), date '-infinity', 'the day of no beginning');
SELECT lives_ok($$SELECT im_day('294276-12-31 23:59:59.999999+00', 'UTC'), im_day('4714-11-24 00:00+00 BC', 'UTC')$$, 'the first and the last instant have days');
SELECT fails_with($$SELECT im_day('4714-11-24 00:00:00+00 BC', 'America/New_York')$$, '22008', 'out of range', 'the day before the first is refused');

-- Explanations ------------------------------------------------------------------

CALL app(9001, 'intl');
CALL buy(9001, 1, '2023-12-01', 'plan', 'standard', 1);
INSERT INTO im_login (app_id, user_id, at) SELECT 9001, 'user ' || n % 10005, at8('2023-12-05 12:00') + n * interval '1 second' FROM generate_series(1, 12000) n;
SELECT ok((SELECT bool_or(note ~ 'once') FROM im_explain(9001, '2023-12', 2)), 'monthly users are told to count once');
SELECT is((SELECT n(max(quantity)) FROM im_explain(9001, '2023-12', 2) WHERE fact = 'users of the month'), '10005', 'and how many they are');

SELECT * FROM finish();
ROLLBACK;
