#!/usr/bin/perl
#
# 121_strangers.pl
#	  A role that may create objects in the extension's schema, before CREATE EXTENSION
#	  and after, puts a function of its own beside every one of ours, for every argument
#	  that a call could have instead of the declared one, and operators likewise.
#	  No statement of ours means one of them, and none of them runs, whoever calls what.
#
# Which function a call means follows from the types of its arguments alone: one
# whose types are all the declared ones is ours, whatever else there is.  The
# statements of plpgsql are asked by plpgsql_check, those of SQL by making them
# the body of a function whose dependencies the server notes; what is put together
# when it runs, in SQL or in C, is run.  (Casts are of those who own a type: what is
# made of a stranger's types beforehand is 122_foreign_tables.pl's.)
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Test::More;
use BillingData;

my %role = map { $_ => "imb_${_}_$$" } qw(stranger owner acme clerk gateway closer);
my $db = create_database('strangers');
psql_ok($db, join(';', map { "CREATE ROLE $_ LOGIN" } values %role), 'roles');
my $has_check = psql($db, q{SELECT count(*) FROM pg_available_extensions WHERE name = 'plpgsql_check'});

# ---- what a stranger makes ----

# One that ran says so in two ways, of which no rollback undoes the first.
psql_ok($db, qq{
	CREATE SCHEMA shop;
	GRANT ALL ON SCHEMA shop TO PUBLIC;
	CREATE SCHEMA lair AUTHORIZATION $role{stranger};
	GRANT USAGE ON SCHEMA lair TO PUBLIC;
	SET ROLE $role{stranger};
	CREATE SEQUENCE lair.ran;
	GRANT ALL ON SEQUENCE lair.ran TO PUBLIC;
	CREATE TABLE lair.failed (what text);
	CREATE FUNCTION lair.body(what text) RETURNS text LANGUAGE sql AS \$\$
		SELECT pg_catalog.format('BEGIN PERFORM nextval(''lair.ran''); RAISE EXCEPTION USING ERRCODE = ''STRAN'', MESSAGE = %L; END',
			'a stranger ran: ' || what) \$\$;
	CREATE TABLE lair.words (body text);
	CREATE TABLE lair.ours (kind "char", name text, types text[], result text, defaults int, owners boolean);
	CREATE FUNCTION lair.plant(kind "char", name text, args text, result text) RETURNS void LANGUAGE plpgsql AS \$\$
	BEGIN
		IF EXISTS (SELECT FROM lair.ours o WHERE o.name = plant.name AND array_to_string(o.types, ', ') = replace(plant.args, 'VARIADIC ', '')) THEN
			RETURN;	-- it would keep the extension from being created
		END IF;
		EXECUTE format('CREATE %s shop.%I(%s) %s LANGUAGE plpgsql AS %L',
			CASE kind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END, name, args,
			CASE kind WHEN 'p' THEN '' ELSE 'RETURNS ' || result END, lair.body(name || '(' || args || ')'));
	EXCEPTION WHEN duplicate_function THEN NULL;
	END \$\$;
	-- Types that a call could have instead: others of the kind, what an untyped
	-- literal is taken for, anything at all, and domains of both.
	CREATE FUNCTION lair.instead(declared text) RETURNS SETOF text LANGUAGE plpgsql AS \$\$
	DECLARE
		domain text := 'of_' || md5(declared);
	BEGIN
		IF declared !~ '^any' AND declared <> 'record' THEN
			IF to_regtype('lair.' || domain) IS NULL THEN
				EXECUTE format('CREATE DOMAIN lair.%I AS %s', domain, declared);
			END IF;
			RETURN NEXT 'lair.' || domain;
		END IF;
		RETURN QUERY SELECT to_regtype(t)::text FROM unnest('{text,varchar,name,integer,bigint,numeric,oid,date,timestamp,timestamptz,jsonb,
			regclass,text[],bigint[],date[],anyelement,anyarray,record,shop.im_month,shop.im_rate_card}'::text[]) t
		WHERE to_regtype(t) IS NOT NULL AND to_regtype(t) IS DISTINCT FROM to_regtype(declared);
	END \$\$;
	-- All of one function of ours: each argument instead of the declared one,
	-- each number of arguments that its defaults allow, and the last as variadic.
	-- (One with a further argument by default makes any call ambiguous: an error, and nobody's code.)
	CREATE FUNCTION lair.plant_beside(kind "char", name text, types text[], result text, defaults int) RETURNS void LANGUAGE plpgsql AS \$\$
	DECLARE
		base text[];
		args text[];
		t text;
	BEGIN
		FOR given IN cardinality(types) - defaults .. cardinality(types) LOOP
			base := types[1:given];
			IF given < cardinality(types) THEN
				PERFORM lair.plant(kind, name, array_to_string(base, ', '), result);
			END IF;
			FOR i IN 1 .. given LOOP
				FOR t IN SELECT lair.instead(types[i]) LOOP
					args := base;
					args[i] := t;
					PERFORM lair.plant(kind, name, array_to_string(args, ', '), result);
				END LOOP;
			END LOOP;
		END LOOP;
		PERFORM lair.plant(kind, name, array_to_string(types[1:cardinality(types) - 1] || 'VARIADIC text[]'::text, ', '), result);
	END \$\$;
	-- The server's own functions of any type give way to one of the very type, where
	-- the search_path leads to the schema.
	CREATE FUNCTION lair.plant_like_servers() RETURNS bigint LANGUAGE sql AS \$\$
		SELECT count(lair.plant('f', f.proname, a.args, 'text'))
		FROM (SELECT DISTINCT p.proname FROM pg_proc p, unnest(p.proargtypes) t
			WHERE p.pronamespace = 'pg_catalog'::regnamespace AND t IN ('"any"'::regtype, 'anyelement'::regtype, 'anyarray'::regtype,
					'anyrange'::regtype, 'anymultirange'::regtype, 'anycompatible'::regtype, 'anycompatiblearray'::regtype)
				AND p.proname IN (SELECT m[1] FROM lair.words, regexp_matches(body, E'(\\\\w+)\\\\(', 'g') m)) f,
			(SELECT format(shape, t) AS args FROM lair.instead('record') t, unnest('{%1\$s,"%1\$s, %1\$s","%1\$s, text"}'::text[]) shape) a \$\$;
	CREATE FUNCTION lair.plant_operator(name text, l text, r text) RETURNS void LANGUAGE plpgsql AS \$\$
	DECLARE
		function text := format('operator_%s', md5(concat_ws(' ', name, l, r)));
	BEGIN
		EXECUTE format('CREATE FUNCTION lair.%I(%s, %s) RETURNS boolean LANGUAGE plpgsql AS %L', function, l, r,
			lair.body(format('%s %s %s', l, name, r)));
		EXECUTE format('CREATE OPERATOR shop.%s (FUNCTION = lair.%I, LEFTARG = %s, RIGHTARG = %s)', name, function, l, r);
	EXCEPTION WHEN duplicate_function OR syntax_error THEN NULL;
	END \$\$;
	GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA lair TO PUBLIC;
	}, 'a stranger may create in the schema');

sub stranger { my ($sql) = @_; return psql($db, "SET client_min_messages = error;\n$sql", user => $role{stranger}); }

# Functions and operators of ours, read where nobody has been before.
my $other = create_database('strangers_home');
psql_ok($other, 'CREATE SCHEMA shop; CREATE EXTENSION imbilling SCHEMA shop; SELECT shop.im_create_tables()', 'a database without strangers');

psql_ok($other, q{SET search_path = pg_catalog;
	CREATE TABLE shop.ours AS
	SELECT p.prokind, p.proname, ARRAY(SELECT t::regtype::text FROM unnest(p.proargtypes) WITH ORDINALITY a(t, n) ORDER BY n) AS types, pg_get_function_result(p.oid) AS result,
		p.pronargdefaults, p.prosecdef
	FROM pg_proc p
	WHERE p.pronamespace IN ('shop'::regnamespace, 'im_internal'::regnamespace) AND p.prorettype <> 'trigger'::regtype AND p.pronargs > 0
		AND p.prorettype NOT IN ('internal'::regtype, 'cstring'::regtype)
		AND NOT EXISTS (SELECT FROM pg_type t WHERE t.oid = ANY (p.proargtypes) AND t.typname IN ('internal', 'cstring', 'any'))},
	'what ours are');
my $bodies = psql($other, q{SELECT string_agg(prosrc, ' ') FROM pg_proc WHERE pronamespace IN ('shop'::regnamespace, 'im_internal'::regnamespace)});
my $dump = "/tmp/imb_strangers_$$";
psql($other, "\\copy shop.ours TO '$dump'");
stranger("\\copy lair.ours FROM '$dump'");
unlink $dump;
stranger("INSERT INTO lair.words VALUES (\$words\$$bodies\$words\$); SELECT lair.plant_like_servers()");
my $functions = q{SELECT count(lair.plant_beside(kind, name, types, result, defaults)) FROM lair.ours
	WHERE (NOT owners OR to_regclass('shop.im_role_grant') IS NOT NULL) AND (to_regtype('shop.im_month') IS NOT NULL OR result || types::text !~ 'shop\.|im_internal\.')};

# Before there is a type of ours: what can be made without.
stranger($functions);
my $operators = q{
	SELECT count(lair.plant_operator(name, l, r))
	FROM unnest('{=,<>,<,<=,>,>=,+,-,*,/,||,@>,<@,&&,->,->>,~,|}'::text[]) name,
		unnest('{text,varchar,name,integer,bigint,numeric,date,timestamp,timestamptz,jsonb,shop.im_month,shop.im_userset,anyelement}'::text[]) l,
		unnest('{text,varchar,name,integer,bigint,numeric,date,timestamp,timestamptz,jsonb,shop.im_month,shop.im_userset,anyelement}'::text[]) r
	WHERE to_regtype(l) IS NOT NULL AND to_regtype(r) IS NOT NULL AND (l <> 'anyelement' OR r <> 'anyelement')
		-- those of the server's own need no name of ours to be found
		AND NOT EXISTS (SELECT FROM pg_operator o JOIN pg_extension e ON e.extname = 'imbilling'
			WHERE o.oprname = name AND o.oprleft = to_regtype(l) AND o.oprright = to_regtype(r) AND o.oprnamespace = e.extnamespace)};
stranger($operators);
psql_ok($db, 'CREATE EXTENSION imbilling SCHEMA shop', 'the extension comes where a stranger was');
psql_ok($db, 'SELECT shop.im_create_tables(true)', 'so do the tables', user => $role{owner});
stranger($functions);
stranger($operators);
my $strangers = q{SELECT oid FROM pg_catalog.pg_proc WHERE prosrc LIKE '%lair.ran%'};
cmp_ok(psql($db, "SELECT count(*) FROM ($strangers) s"), '>', 10000, 'the stranger has left many');
psql_fails($db, q{SELECT * FROM shop.im_monthly_bill(1::bigint, NULL::text)}, qr/a stranger ran/, 'one of them runs where it is called');
psql($db, 'SELECT setval(\'lair.ran\', 1, false)');

# ---- what statements of ours mean ----

my $not_ours = q{prosrc LIKE '%lair.ran%'};
my $strangers_named = qq{
	SELECT c.refobjid, pg_describe_object(c.refclassid, c.refobjid, 0) AS what, pg_describe_object(c.classid, c.objid, 0) AS by
	FROM (SELECT DISTINCT classid, objid, refclassid, refobjid FROM pg_depend) c
	WHERE (c.refclassid = 'pg_proc'::regclass AND c.refobjid IN (SELECT oid FROM pg_proc WHERE $not_ours)
		OR c.refclassid = 'pg_operator'::regclass AND c.refobjid IN (SELECT oid FROM pg_operator WHERE oprcode IN (SELECT oid FROM pg_proc WHERE $not_ours)))
		AND NOT (c.classid = 'pg_operator'::regclass AND c.objid IN (SELECT oid FROM pg_operator WHERE oprcode IN (SELECT oid FROM pg_proc WHERE $not_ours)))};

# Bodies that were read when they were made, views, checks, defaults, aggregates.
is(psql($db, "SET search_path = pg_catalog; SELECT what, by FROM ($strangers_named) n ORDER BY by"), '', 'no object of ours hangs on one of the stranger\'s');

# Bodies of SQL that are read when they run.  Those without a search_path of their
# own become part of the query that calls them: of a function that has one, or of a
# view, which is read in that of whoever asks.
psql_ok($db, q{
	CREATE SCHEMA copy;
	CREATE FUNCTION copy.copy(f oid) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE
		p pg_proc := (SELECT p FROM pg_proc p WHERE p.oid = f);
		path text := coalesce((SELECT substr(c, 13) FROM unnest(p.proconfig) c WHERE c LIKE 'search_path=%'),
			CASE WHEN EXISTS (SELECT FROM pg_depend d WHERE d.refobjid = f AND d.classid = 'pg_rewrite'::regclass) THEN 'shop'
				ELSE 'pg_catalog, pg_temp' END);
		definition text := format('CREATE FUNCTION copy.%I(%s) RETURNS %s LANGUAGE sql BEGIN ATOMIC %s; END', p.proname,
			pg_get_function_arguments(f), pg_get_function_result(f), rtrim(p.prosrc, E' \n\t;'));
	BEGIN
		PERFORM set_config('search_path', path, true);
		EXECUTE definition;
		PERFORM pg_catalog.set_config('search_path', 'pg_catalog', true);
		RETURN NULL;
	EXCEPTION WHEN OTHERS THEN
		RETURN SQLERRM;
	END $$}, 'functions can be copied');
is(psql($db, qq{SET search_path = pg_catalog;
	SELECT p.oid::regprocedure, e
	FROM pg_proc p, copy.copy(p.oid) e
	WHERE p.pronamespace IN ('shop'::regnamespace, 'im_internal'::regnamespace) AND p.prolang = (SELECT oid FROM pg_language WHERE lanname = 'sql')
		AND p.prosqlbody IS NULL AND (p.$not_ours) IS NOT TRUE AND e NOT LIKE 'relation "pg_temp.%'}), '', 'every body of SQL can be read');
cmp_ok(psql($db, q{SELECT count(*) FROM pg_proc WHERE pronamespace = 'copy'::regnamespace}), '>', 50, 'they are many');
is(psql($db, "SET search_path = pg_catalog; SELECT what, by FROM ($strangers_named) n ORDER BY by"), '', 'none means one of the stranger\'s');

SKIP:
{
	skip 'plpgsql_check is not installed', 2 unless $has_check;
	psql($db, 'CREATE SCHEMA chk; CREATE EXTENSION plpgsql_check SCHEMA chk');
	my $plpgsql = qq{
		SELECT DISTINCT p.oid, coalesce(t.tgrelid, 0) AS relid, p.proname
		FROM pg_proc p
		LEFT JOIN pg_trigger t ON t.tgfoid = p.oid
		WHERE p.pronamespace IN ('shop'::regnamespace, 'im_internal'::regnamespace) AND p.prolang = (SELECT oid FROM pg_language WHERE lanname = 'plpgsql')
			AND (p.$not_ours) IS NOT TRUE AND (p.prorettype <> 'trigger'::regtype OR t.oid IS NOT NULL)};
	my $begin = q{SET search_path = pg_catalog, pg_temp;
		BEGIN;
		SELECT im_internal.im_open_metering() \g /dev/null
		SELECT im_internal.im_collect(im_internal.im_reading('2023-03-01'::date, '2023-04-01'::date, NULL::shop.im_rate_card, NULL::im_internal.im_price_book, NULL::bigint)) \g /dev/null
	};
	is(psql($db, qq{$begin
		SELECT p.proname, e.lineno, e.message, left(e.query, 200)
		FROM ($plpgsql) p, chk.plpgsql_check_function_tb(p.oid, p.relid, fatal_errors => false, other_warnings => false,
			extra_warnings => false, performance_warnings => false) e
		WHERE e.level = 'error' AND e.message NOT LIKE 'relation "pg_temp.%' ORDER BY 1, 2}), '', 'every statement of plpgsql can be read');
	is(psql($db, qq{$begin
		SELECT p.proname, d.type, d.name, d.params
		FROM ($plpgsql) p, chk.plpgsql_show_dependency_tb(p.oid, p.relid) d
		WHERE d.oid IN (SELECT s.oid FROM pg_proc s WHERE s.$not_ours)
			OR d.type = 'OPERATOR' AND d.schema NOT IN ('pg_catalog')
				AND (d.params LIKE '%lair%' OR d.oid IN (SELECT o.oid FROM pg_operator o JOIN pg_proc s ON s.oid = o.oprcode WHERE s.$not_ours))
		ORDER BY 1}), '', 'none means one of the stranger\'s');
}

# ---- and what runs ----

# Beside a function that im_create_tables() makes there must be none: it and those
# whom it answers refuse them.
psql_fails($db, 'SELECT shop.im_create_tables(true)', qr/function im_\w+ belongs to role "$role{stranger}"/,
	'one of the stranger\'s is in the way of those that run with the owner\'s rights', user => $role{owner});
psql_ok($db, q{DO $$
	DECLARE f regprocedure;
	BEGIN
		FOR f IN SELECT DISTINCT p.oid FROM pg_catalog.pg_proc p JOIN lair.ours o ON o.name = p.proname AND o.owners WHERE p.prosrc LIKE '%lair.ran%' LOOP
			EXECUTE pg_catalog.format('DROP ROUTINE %s', f);
		END LOOP;
	END $$}, 'which are dropped');
for ('postgres', $role{owner})
{
	psql_ok($db, 'SELECT shop.im_create_tables(true)', "the tables again, by $_", user => $_);
}
psql_ok($db, sample_data('shop'), 'an app of every kind', user => $role{owner});
psql_ok($db, "UPDATE shop.im_app SET tenant = '$role{acme}' WHERE app_id IN (1, 2);
	SELECT shop.im_grant('$role{acme}'::regrole, 'tenant'::text), shop.im_grant('$role{clerk}'::regrole, 'reader'::text),
		shop.im_grant('$role{gateway}'::regrole, 'loader'::text), shop.im_grant('$role{closer}'::regrole, 'closer'::text)",
	'roles of every kind', user => $role{owner});

# Every function of ours with what fits its arguments, every table and view; what
# came of it is undone.
psql_ok($db, q{
	DROP SCHEMA copy CASCADE;
	CREATE SCHEMA trial;
	CREATE FUNCTION trial.argument(type text, name text) RETURNS text LANGUAGE sql AS $$
		SELECT coalesce((
			SELECT v.value
			FROM (VALUES
				('bigint', NULL, '1::bigint'), ('integer', NULL, '1::integer'), ('numeric', NULL, '1::numeric'), ('boolean', NULL, 'true'),
				('text', 'lang', '''en''::text'), ('text', 'key', '''total''::text'), ('text', 'definition', '''x''::text'), ('text', 'plan', '''pro''::text'), ('text', 'kind', '''reader''::text'),
				('text', 'zone', '''Asia/Shanghai''::text'), ('text', 'function', '''im_rated_lines''::text'), ('text', NULL, '''cn''::text'),
				('date', 'until', '''2023-04-01''::date'), ('date', 'last_day', '''2023-03-31''::date'), ('date', NULL, '''2023-03-01''::date'),
				('timestamp with time zone', NULL, '''2023-03-20 12:00+08''::timestamptz'), ('interval', NULL, '''1 month''::interval'),
				('bigint[]', NULL, '''{1,2,3,4}''::bigint[]'), ('jsonb', NULL, '''{}''::jsonb'), ('regclass', NULL, '''shop.im_login''::regclass'),
				('shop.im_month', NULL, '''2023-03''::shop.im_month'),
				('shop.im_rate_card', NULL, 'shop.im_bundled_card(''cn''::text, ''2019-12-10''::date)'),
				('im_internal.im_price_book', NULL, 'im_internal.im_price_book(NULL::shop.im_rate_card)'),
				('im_internal.im_reading', NULL, 'im_internal.im_reading(''2023-03-01''::date, ''2023-04-01''::date, NULL::shop.im_rate_card, NULL::im_internal.im_price_book, NULL::bigint)')
			) v(t, n, value)
			WHERE v.t = type AND (v.n = name OR v.n IS NULL)
			ORDER BY v.n IS NULL
			LIMIT 1), format('NULL::%s', type)) $$;
	CREATE FUNCTION trial.run(who name, query text) RETURNS text LANGUAGE plpgsql AS $$
	BEGIN
		EXECUTE format('SET LOCAL ROLE %I; SET LOCAL search_path = shop, public', who);
		EXECUTE query;
		RAISE EXCEPTION USING ERRCODE = 'T0000';
	EXCEPTION WHEN OTHERS THEN
		RETURN SQLSTATE || ' ' || SQLERRM;
	END $$;
	CREATE TABLE trial.calls AS
	SELECT format('SELECT * FROM %s.%I(%s)', p.pronamespace::regnamespace, p.proname, coalesce(string_agg(trial.argument(t::regtype::text, p.proargnames[n]), ', ' ORDER BY n) FILTER (WHERE t IS NOT NULL), '')) AS query
	FROM pg_proc p
	LEFT JOIN LATERAL unnest(p.proargtypes) WITH ORDINALITY a(t, n) ON true
	WHERE p.pronamespace IN ('shop'::regnamespace, 'im_internal'::regnamespace) AND p.prokind = 'f' AND p.prorettype <> 'trigger'::regtype
		AND p.prosrc NOT LIKE '%lair.ran%' AND NOT p.prosecdef
		AND NOT EXISTS (SELECT FROM pg_type y WHERE y.oid = ANY (p.proargtypes || p.prorettype) AND y.typname IN ('internal', 'cstring', 'anyelement'))
		-- those that have a search_path, or need none
		AND (p.proconfig IS NOT NULL OR p.prosqlbody IS NOT NULL OR p.prolang <> (SELECT oid FROM pg_language WHERE lanname = 'sql'))
	GROUP BY p.oid, p.proname
	UNION ALL
	-- all months of a view take seconds
	SELECT format('SELECT * FROM shop.%I%s', relname, CASE WHEN EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'month')
		THEN ' WHERE month = ''2023-03-01''::date' ELSE '' END)
	FROM pg_class c WHERE relnamespace = 'shop'::regnamespace AND relkind IN ('r', 'p', 'v')
	}, 'calls of everything');

sub what_ran
{
	my ($when) = @_;
	my $callers = join ',', 'postgres', map { $role{$_} } qw(owner acme clerk gateway closer);
	my $answers = psql($db, qq{SET client_min_messages = error;
		SET search_path = pg_catalog;
		SELECT w.who, c.query, replace(trial.run(w.who, c.query), E'\\n', ' ') FROM trial.calls c, unnest('{$callers}'::name[]) w(who)});
	is(join("\n", grep { /stranger ran|not unique/ } split /\n/, $answers), '', "$when nobody runs what is the stranger's");
	my %done;
	/^(\w+)\|.*\|T0000/ and $done{$1}++ for split /\n/, $answers;
	cmp_ok($done{$_} // 0, '>', 100, "$when most calls of $_ succeed") for 'postgres', $role{owner};
	cmp_ok($done{ $role{$_} } // 0, '>', 30, "$when many of $_ do") for qw(acme clerk closer);
	return;
}
what_ran('at first,');

# What makes rows, makes triggers run and commits.
my %statement = (
	postgres => [ "SELECT shop.im_meter('2023-02-01'::date, '2023-03-20'::date)",
		"INSERT INTO shop.im_usage_daily (app_id, day, dau) VALUES (9, '2023-02-07', 3) ON CONFLICT (app_id, day) DO UPDATE SET dau = 3",
		"UPDATE shop.im_rate_card_version SET terms = terms WHERE rate_card = 'cn'", "UPDATE shop.im_app SET rate_card = 'cn' WHERE app_id = 6",
		"INSERT INTO shop.im_rate_card_version SELECT 'new', effective_from, terms FROM shop.im_rate_card_version WHERE rate_card = 'cn'",
		'DELETE FROM shop.im_usage_daily WHERE app_id = 4', "UPDATE shop.im_group SET disbanded_at = '2023-03-30' WHERE group_id = 'g1'",
		"SELECT shop.im_create_billing_view('lair.bills'::text, '2023-03'::shop.im_month, '2023-04'::shop.im_month); REFRESH MATERIALIZED VIEW lair.bills" ],
	owner => [
		"SELECT shop.im_partition('shop.im_login'::regclass, '2023-02-01'::date, '2023-05-01'::date, '1 month'::interval, 'Asia/Shanghai'::text)",
		"SELECT shop.im_meter(NULL::date, NULL::date)", 'TRUNCATE shop.im_call',
		"SELECT shop.im_forget_metering('2023-03-01'::date, '2023-03-02'::date)", "SELECT shop.im_keep_metered('2023-03-03'::date, '2023-03-04'::date)" ],
	gateway => [ "INSERT INTO shop.im_login VALUES (1, 'u', '2023-03-02')", "INSERT INTO shop.im_group VALUES (1, 'g', '2023-03-02')",
		"INSERT INTO shop.im_call VALUES (1, '2023-03-02', 'hd', 3)", "INSERT INTO shop.im_moderation_check VALUES (3, '2023-03-02', 'text')",
		"INSERT INTO shop.im_usage_daily (app_id, day, dau) VALUES (9, '2023-02-08', 3)",
		"INSERT INTO shop.im_order (app_id, order_id, at, action, item, option, months) VALUES (10, 1, '2023-03-02', 'buy', 'plan', 'pro', 1)" ],
	closer => [ "CALL shop.im_close_month('2023-02'::shop.im_month, 3)", "CALL shop.im_close_month('2023-03'::shop.im_month, 3)",
		"CALL shop.im_adjust_month('2023-03'::shop.im_month, 3)" ]);
for my $who (qw(postgres owner gateway closer))
{
	psql_ok($db, "SET client_min_messages = error; SET search_path = shop, public;\n$_", "$who: $_", user => $role{$who} // $who)
	  for @{ $statement{$who} };
}
what_ran('metered, partitioned and closed,');
is(psql($db, 'SELECT is_called FROM lair.ran'), 'f', 'all the while no code of the stranger\'s ran');
psql('postgres', "DROP DATABASE $db WITH (FORCE)");
psql('postgres', 'DROP ROLE ' . join(', ', values %role));
done_testing();
