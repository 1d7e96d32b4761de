#!/usr/bin/perl
#
# 161_hostile_bytes.pl
#	  Broken bytes into everything that reads bytes: receive and input functions of
#	  all types, the states of all aggregates, binary COPY, and any arrays into the
#	  rating functions.
#
# A failure means that a client can crash the server, read past its own bytes,
# store a value that is not what it says, or wait for ever.
#
# FUZZ_SECONDS=600 for all together (default 30), FUZZ_SEED to repeat a run.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use IPC::Run ();
use Test::More;
use BillingData;

my $tree = $ENV{IMBILLING_TREE} || "$FindBin::Bin/../..";
my $seconds = $ENV{FUZZ_SECONDS} || 30;
my $seed = $ENV{FUZZ_SEED} || time;
my $corpus = "$tree/test/fuzz/corpus";

srand($seed);
note("FUZZ_SEED=$seed FUZZ_SECONDS=$seconds");

# ---- the module that calls what SQL cannot ----

my $module = "$BillingData::work/fuzz_server.so";
chomp(my $include = qx(pg_config --includedir-server));
chmod 0755, $BillingData::work;
run_ok([ $ENV{CC} || 'cc', qw(-std=gnu17 -O1 -g -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -fPIC -shared),
	'-isystem', $include, '-o', $module, "$tree/test/fuzz/fuzz_server.c" ], 'the module is built');

my $db = create_database('fuzz');
psql_ok($db, qq{
	CREATE EXTENSION imbilling; SELECT im_create_tables();
	CREATE FUNCTION fuzz_receive(regtype, bytea[], bigint, bigint, regprocedure[]) RETURNS text AS '$module' LANGUAGE C;
	CREATE FUNCTION fuzz_input(regtype, bytea[], bigint, bigint, regprocedure[]) RETURNS text AS '$module' LANGUAGE C;
	CREATE FUNCTION fuzz_state(regprocedure, bytea[], bigint, bigint, bytea) RETURNS text AS '$module' LANGUAGE C;
}, 'and its functions');

# Whole values, and the bytes that once broke something.
sub seeds
{
	my ($name) = @_;
	my @lines;

	return undef unless -e "$corpus/$name.hex";
	for my $file ("$corpus/$name.hex", "$corpus/$name.broken.hex")
	{
		open(my $in, '<', $file) or next;
		push @lines, <$in>;
	}
	chomp @lines;
	return "ARRAY[" . join(', ', map { "'\\x$_'" } @lines) . "]::bytea[]";
}

# Rounds of one function: all are refused or taken, some are taken.
sub rounds
{
	my ($call, $what) = @_;
	my ($code, $out) = psql_both($db, "SELECT $call");

	ok($code == 0 && $out =~ /^(\d+) (\d+)$/ && $1 > 0 && $2 > 0 && $1 > $2, "$what: refused or taken")
	  or diag("exit $code: $out; FUZZ_SEED=$seed");
	note("$what: $out tried and taken") if $code == 0;
	return;
}

my @types = split /\n/, psql($db, q{SELECT t.oid::regtype FROM pg_type t JOIN pg_depend d ON d.objid = t.oid AND deptype = 'e'
	AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'imbilling') WHERE typtype = 'b' AND typelem = 0 ORDER BY 1});
my @aggregates = split /\n/, psql($db, q{SELECT a.aggfnoid::oid::regprocedure FROM pg_aggregate a JOIN pg_depend d
	ON d.objid = a.aggfnoid AND deptype = 'e' AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'imbilling')
	WHERE aggdeserialfn <> 0 ORDER BY 1::text});
cmp_ok(scalar @types, '>=', 3, 'types to try');
cmp_ok(scalar @aggregates, '>=', 9, 'aggregates to try');
my $share = int(1000 * $seconds / (2 * @types + @aggregates + 3)) + 1;

my %also = ('im_internal.im_usage' => "ARRAY['im_internal.im_usage_merge(im_internal.im_usage,im_internal.im_usage)']::regprocedure[]", im_userset => "ARRAY['im_internal.im_userset_hash(im_userset)', 'im_count(im_userset)', 'im_internal.im_userset_union(im_userset,im_userset)',
	'im_internal.im_userset_eq(im_userset,im_userset)']::regprocedure[]");
for my $type (@types)
{
	my $also = $also{$type} || "'{}'::regprocedure[]";
	my $bytes = seeds($type =~ s{^im_internal\.}{}r . ".recv");

	ok(defined $bytes, "$type has a corpus") or next;
	rounds("fuzz_receive('$type', $bytes, $share, $seed, $also)", "$type received");
	my $texts = psql($db, "SELECT '\\x' || encode(v.t, 'hex') FROM (SELECT convert_to(unnest(ARRAY["
		. {
			im_month => q{'2023-12', '0001-01', '9999-12'},
			im_userset => q{'{}', '{a}', '{"",a,ab,"b, c","q\"uo\\\\te"}', '{用户,用}', '{ null , NULL,"NULL"}'},
			'im_internal.im_usage' => q{'{"days": []}', '{"since": "2023-12-01", "days": [{"day": "2023-12-01", "dau": 3, "given": ["dau"], "users": "{a,b}", "users_given": true}, {"day": "2023-12-02", "text_checks": 70000, "given": true}]}',
				'{"meters": [{"meter": "a b", "day": "2023-12-01", "quantity": 1.5, "given": "3", "area": 1e12, "before": 5, "length": 86400000000, "users": "{用户}"}]}'},
			im_rate_card => q{im_bundled_card('cn', '2024-01-01')::text, im_bundled_card('intl', '2022-12-26')::text},
			im_charge => q{'{"included": {"share": "0.05", "of": "mau"}, "block": 3, "price": "0.00027", "maximum": 5}',
				'{"mode": "volume", "tiers": [{"to": 2000, "flat": "300"}, {"excess": true, "block": 10, "price": "100"}]}'}
		}->{$type} . "]), 'UTF8')) v(t)");
	$texts = join ', ', map { "'$_'" } split /\n/, $texts;
	rounds("fuzz_input('$type', ARRAY[$texts]::bytea[], $share, $seed, $also)", "$type as text");
}

# im_dau sends values of types that are no plain ids as the type's own bytes,
# which nothing but the type could check: only a worker process writes them.
my %unchecked = (im_dau => '\x01');
for my $aggregate (@aggregates)
{
	my ($name) = $aggregate =~ /(\w+)\(/;
	my $states = seeds("$name.state");

	ok(defined $states, "$name has a corpus") or next;
	rounds(sprintf("fuzz_state('$aggregate', $states, $share, $seed, '%s')", $unchecked{$name} // ''), "$name states");
}

# States of im_dau that are too large for memory: ids go to files and come back.
psql_ok($db, 'CREATE AGGREGATE partial_im_dau(anyelement) (SFUNC = im_internal.im_dau_transition, STYPE = internal, FINALFUNC = im_internal.im_dau_serialize)', 'states are had');
my ($code, $out) = psql_both($db, qq{SET work_mem = '64kB'; SET hash_mem_multiplier = 1;
	SELECT fuzz_state('im_dau(anyelement)', (SELECT array_agg(s) FROM (
		SELECT partial_im_dau(1000 * o + i) AS s FROM generate_series(1, 5) o, generate_series(1, 1000) i GROUP BY o
		UNION ALL SELECT partial_im_dau(repeat('long id ', 20) || 1000 * o + i) FROM generate_series(1, 3) o, generate_series(1, 150) i GROUP BY o
		UNION ALL SELECT partial_im_dau(i) || substr(partial_im_dau(md5(i::text)), 2) || substr(partial_im_dau(repeat('long id ', 9) || i), 2)
			FROM generate_series(1, 200) i) x), $share, $seed, '\x01')});
ok($code == 0 && $out =~ /^(\d+) (\d+)$/ && $2 > 0 && $1 > $2, 'states that do not fit: refused or taken, and no file left open') or diag("exit $code: $out; FUZZ_SEED=$seed");
note("states that do not fit: $out tried and taken");

# ---- what SQL can reach ----

# A function that takes a state of type internal cannot be called at all.
my $reached = psql($db, q{
	DO $$
	DECLARE
		f record;
	BEGIN
		FOR f IN SELECT p.oid::regprocedure AS name,
				(SELECT string_agg(CASE t WHEN 'internal'::regtype THEN 'NULL' WHEN 'anyelement'::regtype THEN $x$'x'::text$x$
					ELSE format('NULL::%s', t::regtype) END, ', ' ORDER BY n)
				 FROM unnest(proargtypes) WITH ORDINALITY u(t, n)) AS arguments
			FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e'
				AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'imbilling')
			WHERE 'internal'::regtype = ANY (proargtypes::oid[]) AND prokind = 'f'
		LOOP
			BEGIN
				EXECUTE format('SELECT %s(%s) IS NULL', split_part(f.name::text, '(', 1), f.arguments);
				RAISE WARNING '% can be called', f.name;
			EXCEPTION
				-- minor versions word it differently
				WHEN undefined_function OR feature_not_supported THEN NULL;
			END;
		END LOOP;
	END $$;});
is($reached, '', 'SQL cannot hand a state to a support function');
# Those whose states SQL can make are called with any below.
is(psql($db, q{SELECT string_agg(aggfnoid::oid::regprocedure::text, ' ' ORDER BY proname) FROM pg_aggregate a JOIN pg_proc p ON p.oid = aggfnoid
	JOIN pg_depend d ON d.objid = a.aggfnoid AND deptype = 'e' AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'imbilling')
	WHERE aggtranstype <> 'internal'::regtype}), 'im_internal.im_usage_sum(im_internal.im_usage) max(im_month) min(im_month)', 'other states are plain values');

# Binary COPY of whole rows, each with a few bytes changed
sub mutated
{
	my ($bytes) = @_;

	for (1 .. 1 + int(rand(3)))
	{
		my $at = 19 + int(rand(length($bytes) - 19));
		substr($bytes, $at, 1) = rand() < 0.5 ? chr(int(rand(256))) : chr(ord(substr($bytes, $at, 1)) ^ (1 << int(rand(8))));
	}
	return $bytes;
}

psql_ok($db, q{CREATE TABLE copied (m im_month, c im_rate_card, u im_userset, l im_bill_line, o im_internal.im_app_account, b im_internal.im_price_book, g im_internal.im_usage);
	CREATE TABLE copied_in (LIKE copied);
	INSERT INTO copied SELECT '2023-12', im_bundled_card('intl', '2022-12-26'), '{a,bc,"d e"}',
		ROW(1, '2023-12-01', 1, 'plan', 'pro', '[2023-12-01,2024-01-01)', '2023-12-01', 1, 0, 1, 1, 999, 999, 'CNY', 'x')::im_bill_line,
		ROW(1, 'cn', ARRAY[ROW(1, '2023-12-01', 'buy', 'plan', 'pro', 1, 1, NULL, NULL)::im_internal.im_order_entry], '{empty}', false)::im_internal.im_app_account,
		ROW('{intl}', '{2022-12-26}', ARRAY[im_bundled_card('intl', '2022-12-26')])::im_internal.im_price_book,
		'{"days": [{"day": "2023-12-01", "dau": 3, "given": ["dau"], "users": "{a,b}"}], "meters": [{"meter": "a", "day": "2023-12-01", "quantity": 1.5}]}'}, 'a row of every type');
run_ok([ 'psql', '-XqAt', '-d', $db, '-c', "\\copy copied TO '$BillingData::work/row' (FORMAT binary)" ], 'is copied out');
my $row = do { local $/; open(my $in, '<:raw', "$BillingData::work/row") or die $!; <$in> };
my ($copies, $script) = (20 * $seconds, "\\copy copied_in FROM '$BillingData::work/row' (FORMAT binary)\n");
for my $n (1 .. $copies)
{
	open(my $out, '>:raw', "$BillingData::work/row$n") or die $!;
	print $out mutated($row);
	close $out;
	$script .= "\\copy copied_in FROM '$BillingData::work/row$n' (FORMAT binary)\n";
}
my $said = '';
IPC::Run::run([ 'psql', '-XqAt', '-d', $db ], '<', \$script, '>', \my $ignored, '2>', \$said);
unlink glob "$BillingData::work/row*";
unlike($said, qr/connection|PANIC|FATAL|XX000/, "binary COPY of $copies broken rows leaves the server up");
like($said, qr/ERROR/, 'many are refused');
cmp_ok(psql($db, 'SELECT count(*) FROM copied_in'), '>', 1, 'some are taken');
is(psql($db, q{SELECT count(*) FROM copied_in WHERE (m::text::im_month, u::text::im_userset, c::text::im_rate_card::text, im_internal.im_usage_send(g::text::im_internal.im_usage))
	IS DISTINCT FROM (m, u, c::text, im_internal.im_usage_send(g))}), '0', 'and are what they say');

# Any arrays into the rating functions: a result or an error of the data.
psql_ok($db, q{
	CREATE TABLE refusal (state text, message text, arguments text);
	CREATE FUNCTION any_of(anyarray) RETURNS anyelement LANGUAGE sql VOLATILE
		AS 'SELECT $1[1 + floor(random() * cardinality($1))::int]';
	CREATE FUNCTION nasty() RETURNS bigint LANGUAGE sql VOLATILE AS $$
		SELECT any_of('{NULL,-9223372036854775808,-1,0,0,1,1,2,7,8700,10000,10001,8760,365,2147483647,2147483648,9223372036854775807}'::bigint[]
			|| floor(random() * 100000)::bigint) $$;
	CREATE FUNCTION nasties(most int) RETURNS bigint[] LANGUAGE sql VOLATILE AS $$
		SELECT CASE floor(random() * 12)::int WHEN 0 THEN NULL WHEN 1 THEN '{}' WHEN 2 THEN '[-3:-2]={1,2}'::bigint[]
			WHEN 3 THEN '{{1,2},{3,4}}' ELSE (SELECT array_agg(nasty()) FROM generate_series(1, (random() * $1)::int)) END $$;
	CREATE FUNCTION usages() RETURNS im_internal.im_usage LANGUAGE plpgsql VOLATILE AS $$
	DECLARE
		first date := any_of('{2023-12-01,2023-12-01,2023-11-25,0001-01-01,9999-12-01}'::date[]);
		usage im_internal.im_usage := (SELECT im_internal.im_usage_agg(1, first + d, abs(nasty() % 100000), abs(nasty() % 1000000), d, NULL, abs(nasty() % 9), 0, 1, d * d, 1000000007, NULL,
				any_of('{NULL,NULL,t,f}'::boolean[]), any_of(ARRAY['{}', '{a,b}', '{c}', NULL, NULL])::im_userset)
			FROM generate_series(0, 40) d WHERE first + d <= '9999-12-31' AND random() < 0.7);
	BEGIN
		RETURN CASE floor(random() * 5)::int WHEN 0 THEN NULL WHEN 1 THEN usage
			WHEN 2 THEN im_internal.im_usage_from(usage, any_of('{2023-12-01,2023-12-01,2023-11-01,infinity,-infinity,NULL,2030-01-01}'::date[]))
			WHEN 3 THEN usage OPERATOR(im_internal.+) format('{"meters": [{"meter": "a", "day": "2023-12-03", "quantity": %s}, {"meter": "b", "day": "2023-11-03", "given": %1$s, "users": "{a}"}]}',
				any_of('{0,1,-1,1.5,1e12,999999999999999999999999999999}'::text[]))::im_internal.im_usage
			ELSE usage OPERATOR(im_internal.+) usage END;
	EXCEPTION WHEN numeric_value_out_of_range THEN
		RETURN usage;
	END $$;
	-- mostly whole: what is spoiled hides what comes after it
	CREATE FUNCTION entry() RETURNS im_internal.im_order_entry LANGUAGE sql VOLATILE AS $$
		SELECT any_of(ARRAY[ROW(id, at, 'buy', 'plan', 'pro', 1, 1, NULL, NULL)::im_internal.im_order_entry, ROW(id, at, 'buy', 'plan', 'flagship', months, 1, NULL, paid)::im_internal.im_order_entry,
			ROW(id, at, 'upgrade', 'plan', 'flagship', NULL, 1, NULL, paid)::im_internal.im_order_entry, ROW(id, at, 'refund', 'plan', '', NULL, 1, 1, NULL)::im_internal.im_order_entry,
			ROW(id, at, 'buy', 'moderation_pack', 'month', NULL, packs, NULL, paid)::im_internal.im_order_entry, ROW(id, at, 'on', 'moderation', '', NULL, 1, NULL, NULL)::im_internal.im_order_entry,
			ROW(id, at, 'off', 'moderation', '', NULL, 1, NULL, NULL)::im_internal.im_order_entry, ROW(id, at, 'buy', 'call', 'basic', months, 1, NULL, NULL)::im_internal.im_order_entry,
			ROW(id, at, 'on', 'history_storage', '90d', NULL, 1, NULL, NULL)::im_internal.im_order_entry, ROW(id, at, 'buy', 'local_moderation', '', months, 1, NULL, paid)::im_internal.im_order_entry,
			ROW(id, at, action, item, '', months, packs, id, paid)::im_internal.im_order_entry] || NULL::im_internal.im_order_entry)
		FROM (SELECT floor(random() * 9)::bigint AS id,
			any_of('{2023-12-01 00:00+08,2023-12-01 00:00+08,2023-12-31 15:59:59.999999+00,2023-11-05,2023-12-12,2023-12-13,-infinity,infinity,0001-01-01 BC}'::timestamptz[]) AS at,
			any_of('{1,1,2,12,NULL,0,-1,2147483647,-2147483648}'::int[]) AS months, any_of('{1,1,2,0,-1,2147483647}'::int[]) AS packs,
			any_of('{NULL,NULL,0,1.5,999999999999.99999999,1e12,-1,NaN,Infinity,1e-300}'::numeric[]) AS paid,
			any_of('{buy,refund,on,"",%s}'::text[]) AS action, any_of('{plan,call,"","%"}'::text[]) AS item) x $$;
	CREATE FUNCTION entries() RETURNS im_internal.im_order_entry[] LANGUAGE sql VOLATILE AS
		'SELECT array_agg(entry()) FROM generate_series(1, any_of(''{0,1,1,2,3,30}''::int[]))';
	CREATE FUNCTION books() RETURNS im_internal.im_price_book LANGUAGE sql VOLATILE AS $$
		SELECT CASE floor(random() * 12)::int WHEN 0 THEN NULL
			WHEN 1 THEN ROW('{cn,NULL}', '{2019-12-10,-infinity}', ARRAY[im_bundled_card('cn', '2019-12-10'), NULL])::im_internal.im_price_book
			WHEN 2 THEN ROW('{cn,cn}', '{2019-12-10}', ARRAY[im_bundled_card('cn', '2019-12-10')])::im_internal.im_price_book
			WHEN 3 THEN ROW('{{cn,intl}}', '{infinity,-infinity}', ARRAY[im_bundled_card('cn', '2019-12-10'), im_bundled_card('intl', '2022-12-26')])::im_internal.im_price_book
			WHEN 4 THEN ROW(NULL, NULL, NULL)::im_internal.im_price_book
			ELSE im_internal.im_price_book(NULL) END $$;
	CREATE TABLE pool AS SELECT n, books() AS book, entries() AS orders, nasties(60) AS figures, usages() AS usage FROM generate_series(1, 400) n;
	CREATE UNIQUE INDEX ON pool (n);
	CREATE PROCEDURE rate_anything(seconds float) LANGUAGE plpgsql AS $$
	DECLARE
		until timestamptz := clock_timestamp() + seconds * interval '1 s';
		p pool[];
		call text;
		rating text[] := ARRAY(SELECT r || '($1, $2, $3, $4' FROM unnest('{total,problem,statement,unbilled}'::text[]) r) || '{"lines($1, $2, $3, $4, false","lines($1, $2, $3, $4, true"}'::text[];
		replay text[] := '{im_order_problem($1; $3),im_verify_orders($1; $3; now() - random() * interval ''9 years'')}';
		n bigint := 0;
	BEGIN
		WHILE clock_timestamp() < until LOOP
			n := n + 1;
			p := array(SELECT pool FROM pool WHERE pool.n IN (SELECT 1 + floor(random() * 400)::int FROM generate_series(1, 9)) ORDER BY random());
			call := CASE WHEN n % 8 < 6
				THEN format('SELECT count(*) FROM im_internal.im_rate_%s) x', any_of(rating))
				WHEN n % 8 = 6 THEN 'SELECT im_internal.im_usage_since($1, $3, $4)'
				ELSE 'SELECT im_internal.' || replace(any_of(replay), ';', ',') END;
			BEGIN
				EXECUTE call USING CASE WHEN random() < 0.95 THEN ROW(nasty(), any_of('{cn,cn,cn,intl,overseas,"",x,NULL}'::text[]), p[1].orders,
						any_of(ARRAY['{}', '{}', '{empty}', '{NULL}', '{"(,)"}', '{"[-infinity,infinity)"}', '{"[2023-12-03,2023-12-09)","[2023-12-05,)"}', NULL])::daterange[],
						any_of('{f,f,f,t,NULL}'::bool[]))::im_internal.im_app_account END,
					p[2].usage, p[1].book, any_of('{2023-12,2023-12,2023-12,0001-01,9999-12,NULL}'::text[])::im_month;
				INSERT INTO refusal VALUES ('00000');
			EXCEPTION WHEN OTHERS THEN
				INSERT INTO refusal VALUES (SQLSTATE, left(SQLERRM, 200), CASE WHEN SQLSTATE ~ '^(XX|42|53|57)' THEN call || p::text END);
			END;
		END LOOP;
	END $$;}, 'values of all kinds');
psql_ok($db, sprintf("SELECT setseed(%f); CALL rate_anything(%f)", ($seed % 1000) / 1000, 3 * $share / 1000), 'rate them');
is(psql($db, q{SELECT state, message, arguments FROM refusal WHERE state !~ '^(00|22|23514|54|P0002|0A)' LIMIT 3}), '',
	'a bill, or an error of the data');
# under valgrind there is time for a few dozen calls
is(psql($db, q{SELECT count(DISTINCT message) > least(10, count(*) / 4) FROM refusal}), 't', 'errors of many kinds');
cmp_ok(psql($db, q{SELECT count(*) FROM refusal WHERE state = '00000'}), '>', 0, 'and results');
note(psql($db, 'SELECT state, count(*) FROM refusal GROUP BY 1 ORDER BY 1'));

# Every C function that SQL can call, with any values of its types.
psql_ok($db, q{
	TRUNCATE refusal;
	CREATE TABLE nasty_value AS
		SELECT t::regtype AS type, v AS value FROM (VALUES
			('bigint', '{NULL,-9223372036854775808,-1,0,1,10000,9223372036854775807}'::text[]), ('integer', '{NULL,-2147483648,-1,0,1,7,2147483647}'),
			('numeric', '{NULL,0,-1,0.000000001,1e20,1e-300,NaN,Infinity,-Infinity,999999999999.99999999}'),
			('text', '{NULL,"",pro,cn,Asia/Shanghai,UTC,"<b>&\"%s",image,"\\uFFFD",xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx}'),
			('date', '{NULL,infinity,-infinity,2023-12-01,2024-02-29,0001-01-01,5874897-12-31,4713-01-01 BC}'),
			('timestamptz', '{NULL,infinity,-infinity,2023-12-01 00:00+08,294276-12-31 23:59:59.999999+00,4713-01-01 00:00+00 BC}'),
			('boolean', '{NULL,t,f}'), ('im_month', '{NULL,0001-01,2023-12,9999-12}'),
			('jsonb', ARRAY[NULL, '{}', '[]', 'null', '1', '"x"', '{"dau": -1, "call": {"basic": 1e30}, "x": [1]}', '{"audio": 1, "text": "5", "on": true}']),
			('daterange', '{NULL,empty,"(,)","[2023-12-01,2023-12-05)","[-infinity,infinity]"}'), ('bytea', '{NULL,"",\\x00ff}'),
			('im_userset', '{NULL,"{}","{a,b}"}'), ('im_userset[]', '{NULL,"{}","{NULL}","{\"{a}\",\"{}\"}"}'), ('date[]', '{NULL,"{}","{NULL}","{2023-12-01,infinity}"}'),
			('daterange[]', '{NULL,"{}","{empty,NULL}","{\"(,)\"}"}')) x (t, list), unnest(list) v;
	INSERT INTO nasty_value SELECT 'im_rate_card', v FROM unnest(ARRAY[NULL, im_bundled_card('cn', '2024-01-01')::text, im_bundled_card('intl', '2022-12-26')::text]) v;
	INSERT INTO nasty_value SELECT 'im_charge', v FROM unnest(ARRAY[NULL, '{"price": 1}', '{"price": "999999999999", "block": "0.00000001"}']) v;
	INSERT INTO nasty_value SELECT 'im_internal.im_price_book', book::text FROM pool WHERE n < 20;
	INSERT INTO nasty_value SELECT 'im_internal.im_order_entry[]', orders::text FROM pool WHERE n < 50;
	INSERT INTO nasty_value SELECT 'im_internal.im_app_account', ROW(n, any_of('{cn,x,NULL}'::text[]), orders, NULL, false)::im_internal.im_app_account::text FROM pool WHERE n < 50;
	INSERT INTO nasty_value SELECT 'im_internal.im_usage', usage::text FROM pool WHERE n < 50;
	INSERT INTO nasty_value SELECT 'bigint[]', figures::text FROM pool WHERE n < 50;
	-- what the packed forms of other meters look like, whole and with a number changed
	INSERT INTO nasty_value
	SELECT 'bigint[]', overlay(a::text PLACING any_of('{1,9,99999999999,-7}'::text[]) FROM 2 + floor(random() * (length(a::text) - 2))::int FOR any_of('{0,0,1,2}'::int[]))
	FROM (SELECT im_internal.im_app_dau(i % 3, 'user ' || i) AS a FROM generate_series(1, 30) i) x,
		generate_series(1, 40);
	-- a number cut in two may be no bigint any more
	CREATE FUNCTION is_array(text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM $1::bigint[]; RETURN true; EXCEPTION WHEN OTHERS THEN RETURN false; END $$;
	DELETE FROM nasty_value WHERE type = 'bigint[]'::regtype AND NOT is_array(value);
	CREATE PROCEDURE try(call text) LANGUAGE plpgsql AS $$
	DECLARE
		state text;
	BEGIN
		EXECUTE call;
		INSERT INTO refusal VALUES ('00000');
	EXCEPTION WHEN OTHERS THEN
		state := SQLSTATE;
		INSERT INTO refusal VALUES (state, left(SQLERRM, 200), CASE WHEN state ~ '^(XX|42|53|57)' THEN call END);
	END $$;
	CREATE PROCEDURE call_anything(seconds float) LANGUAGE plpgsql AS $$
	DECLARE
		until timestamptz := clock_timestamp() + seconds * interval '1 s';
		calls text[] := (SELECT array_agg(p.oid::text) FROM pg_proc p JOIN pg_language l ON l.oid = prolang JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e'
			AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'imbilling')
			WHERE lanname = 'c' AND NOT proargtypes::oid[] && ARRAY['internal', 'cstring', '"any"', 'anyelement']::regtype[]::oid[] AND prorettype <> 'trigger'::regtype
				AND pronargs > 0 AND provolatile <> 'v');
		call text;
	BEGIN
		WHILE clock_timestamp() < until LOOP
			SELECT format('SELECT count(x::text) FROM %s.%I(%s) x', p.pronamespace::regnamespace, p.proname, string_agg(coalesce(format('%L::%s', v.value, t::regtype), 'NULL::' || t::regtype), ', ' ORDER BY n))
			INTO call
			FROM pg_proc p, unnest(proargtypes) WITH ORDINALITY u(t, n)
			LEFT JOIN LATERAL (SELECT value FROM nasty_value WHERE type = t AND n > 0 AND until IS NOT NULL ORDER BY random() LIMIT 1) v ON true
			WHERE p.oid = any_of(calls)::oid
			GROUP BY p.oid, p.proname;
			CONTINUE WHEN call IS NULL;
			CALL try(call);
		END LOOP;
	END $$;}, 'values of all kinds');
psql_ok($db, sprintf('SELECT setseed(%f); CALL call_anything(%f)', ($seed % 1000) / 1000, 3 * $share / 1000), 'go into every function');
is(psql($db, q{SELECT state, message, left(arguments, 2000) FROM refusal WHERE state !~ '^(00|22|23514|54|P0002|0A)' LIMIT 3}), '',
	'a result, or an error of the data');
note(psql($db, 'SELECT state, count(*) FROM refusal GROUP BY 1 ORDER BY 1'));

# And with every set of its arguments null, aggregates among them.
psql_ok($db, q{
	TRUNCATE refusal;
	CREATE PROCEDURE call_with_nulls() LANGUAGE plpgsql AS $$
	DECLARE
		call text;
	BEGIN
		FOR call IN
			SELECT format('SELECT count(x::text) FROM (SELECT %s.%I(%s) AS x) y', p.pronamespace::regnamespace, p.proname,
				string_agg(coalesce(format('%L', CASE WHEN mask >> n::int - 1 & 1 = 0 THEN v.value END), 'NULL') || '::' || of_type, ', ' ORDER BY n))
			FROM pg_proc p
			JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e' AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'imbilling')
			JOIN pg_language l ON l.oid = prolang,
			generate_series(0, (1 << pronargs) - 1) mask, unnest(proargtypes::oid[]) WITH ORDINALITY u(t, n),
			LATERAL (SELECT CASE WHEN t = ANY (ARRAY['"any"', 'anyelement']::regtype[]) THEN 'text' ELSE t::regtype END AS of_type) o
			LEFT JOIN LATERAL (SELECT value FROM nasty_value WHERE type = of_type AND value IS NOT NULL
				ORDER BY value NOT IN ('1', '7', 't', 'cn', '2023-12', '2023-12-01', '2023-12-01 00:00+08', '{a,b}'), value LIMIT 1) v ON true
			WHERE (lanname = 'c' AND NOT proisstrict AND provolatile <> 'v' OR prokind = 'a') AND prorettype <> 'trigger'::regtype AND pronargs BETWEEN 1 AND 10
				AND NOT proargtypes::oid[] && ARRAY['internal', 'cstring']::regtype[]::oid[]
			GROUP BY p.oid, p.proname, mask
		LOOP
			CALL try(call);
		END LOOP;
	END $$;
	CALL call_with_nulls()}, 'every set of nulls goes into every function');
is(psql($db, q{SELECT state, message, left(arguments, 2000) FROM refusal WHERE state !~ '^(00|22|23514|54|P0002|0A)' LIMIT 3}), '',
	'a result, or an error of the data');
cmp_ok(psql($db, q{SELECT count(*) FROM refusal WHERE state = '00000'}), '>', 50, 'and results');
note(psql($db, 'SELECT state, count(*) FROM refusal GROUP BY 1 ORDER BY 1'));

done_testing();
