#!/usr/bin/perl
#
# 042_two_schemas.pl
#	  What users call is in the extension's schema, everything else in im_internal:
#	  \df shows what the reference documents, nobody puts anything beside an internal
#	  function, a schema of that name stops CREATE EXTENSION, and a dump of 0.2.0,
#	  which names public things alone, restores with every trigger, view and function.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Test::More;
use BillingData;

my $tree = $ENV{IMBILLING_TREE} || "$FindBin::Bin/../..";

sub slurp
{
	my ($file) = @_;

	local $/;
	open(my $in, '<', $file) or die "$file: $!";
	return scalar <$in>;
}

# ---- public names are those of the reference and no more ----

# What a dump names besides, and why it has to stay where it was.
my %named_by_dumps = (
	im_run => 'the type is an argument of the functions that closers are granted');
my ($owner, $stranger) = ("imb_owner_$$", "imb_stranger_$$");
my $db = create_database('schemas');
psql_ok($db, qq{CREATE ROLE $owner LOGIN; CREATE ROLE $stranger LOGIN; GRANT CREATE ON DATABASE "$db" TO $owner, $stranger}, 'two plain roles');
psql_ok($db, 'CREATE SCHEMA billing; CREATE EXTENSION imbilling SCHEMA billing', 'a plain role creates the extension', user => $owner);
my $members = q{pg_depend d WHERE d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'imbilling') AND d.deptype = 'e'};
my %public = map { $_ => 1 } split /\n/, psql($db, qq{
	SELECT proname FROM pg_proc p WHERE pronamespace = 'billing'::regnamespace AND prorettype <> 'trigger'::regtype
	UNION SELECT typname FROM pg_type WHERE typnamespace = 'billing'::regnamespace AND typelem = 0});
my $reference = slurp("$tree/doc/reference.md");
my %documented = map { $_ => 1 } $reference =~ /`(?:CALL )?(\w+)(?=[(`])/g, $reference =~ /, `(im_\w+)`/g;
is(join(' ', grep { !$documented{$_} && !$named_by_dumps{$_} } sort keys %public), '', 'the reference documents all that is public');
my %made = map { $_ => 1 } split /\n/, psql($db, q{SELECT table_name FROM im_internal.im_table_definitions() UNION SELECT view_name FROM im_internal.im_view_definitions()
	UNION SELECT (regexp_matches(im_internal.im_front_script(), 'FUNCTION im_front[.](im_front_\w+|im_partition_of)', 'g'))[1]});
my %called = map { $_ => 1 } $reference =~ /`(?:CALL )?(im_\w+)\(/g;
is(join(' ', grep { !$public{$_} && !$made{$_} } sort keys %called), '', 'and all that it documents is there');
cmp_ok(scalar keys %public, '>', 80, 'they are many');
is(psql($db, q{SELECT string_agg(DISTINCT prorettype::regtype::text, ' ') FROM pg_proc WHERE pronamespace = 'billing'::regnamespace AND proname IN
	(SELECT (regexp_match(definition, 'FUNCTION \S+\.(\w+)\(\)'))[1] FROM im_internal.im_trigger_definitions())}), 'trigger', 'trigger functions, which dumps name, are there too');
is(psql($db, qq{SELECT string_agg(DISTINCT n, ' ') FROM (
	SELECT proname FROM pg_proc WHERE pronamespace = 'im_internal'::regnamespace
	INTERSECT SELECT proname FROM pg_proc WHERE pronamespace = 'billing'::regnamespace) b(n)}), '', 'no name is in both');
is(psql($db, qq{SELECT string_agg(pg_describe_object(classid, objid, 0), ', ') FROM $members
	AND classid NOT IN ('pg_cast'::regclass) AND pg_describe_object(classid, objid, 0) !~ '(billing|im_internal)'}), '', 'and nothing is in a third');
is(psql($db, q{SELECT string_agg(oid::regprocedure::text, ' ') FROM pg_proc WHERE pronamespace = 'im_internal'::regnamespace AND NOT has_function_privilege('public', oid, 'EXECUTE')}),
	'', 'whoever may call public functions may call what they call');

# ---- nobody else creates there ----

is(psql($db, q{SELECT rolsuper FROM pg_namespace n JOIN pg_roles r ON r.oid = nspowner WHERE nspname = 'im_internal'}), 't', 'it belongs to a superuser, whoever created the extension');
for my $who ($owner, $stranger)
{
	psql_fails($db, $_, qr/permission denied for schema im_internal/, "$_, by a plain role", user => $who)
	  for 'CREATE FUNCTION im_internal.im_need_app(text) RETURNS void LANGUAGE sql AS $$$$', 'CREATE TABLE im_internal.im_app (a int)',
	  'CREATE TYPE im_internal.of_mine AS (a int)', 'CREATE OPERATOR im_internal.| (FUNCTION = int4pl, LEFTARG = int, RIGHTARG = int)';
	psql_fails($db, $_, qr/must be owner/, "$_, by a plain role", user => $who) for 'ALTER SCHEMA im_internal RENAME TO mine', 'DROP SCHEMA im_internal CASCADE';
}
psql_ok($db, 'SELECT billing.im_create_tables()', 'the tables', user => $owner);
psql_ok($db, sample_data('billing'), 'and rows', user => $owner);
is(psql($db, q{SELECT count(*) FROM pg_class WHERE relnamespace = 'im_internal'::regnamespace AND relkind <> 'c'}), '0', 'no table is there');

# ---- dropped and back; in the way of another ----

my $bills = bills($db, 'billing', user => $owner);
psql_ok($db, 'DROP EXTENSION imbilling CASCADE', 'dropped', user => $owner);
is(psql($db, q{SELECT to_regnamespace('im_internal') IS NULL}), 't', 'the schema goes with the extension');
psql_ok($db, 'CREATE SCHEMA im_internal', 'a stranger makes one of the name', user => $stranger);
psql_fails($db, '\set VERBOSITY verbose' . "\nCREATE EXTENSION imbilling SCHEMA billing", qr/42P06: .*schema "im_internal" already exists/, 'it stops CREATE EXTENSION', user => $owner);
psql_ok($db, 'DROP SCHEMA im_internal', 'it goes', user => $stranger);
psql_ok($db, 'CREATE EXTENSION imbilling SCHEMA billing; SELECT billing.im_create_tables()', 'and the extension comes back', user => $owner);
is(bills($db, 'billing', user => $owner), $bills, 'with the same bills');
psql('postgres', "DROP DATABASE $db WITH (FORCE)");
psql('postgres', "DROP ROLE $owner, $stranger");

# ---- a dump of 0.2.0 ----

chomp(my $share = qx(pg_config --sharedir));
my $script = "$share/extension/imbilling--0.2.0.sql";
run_ok([ 'cp', "$tree/sql/upgrade/imbilling--0.2.0.sql", $script ], 'the script of 0.2.0');
END { my $status = $?; unlink $script if $script; $? = $status }
my $s = '"we%ird, schemas"';
my $old = create_database('schemas_old');
psql_ok($old, qq{CREATE SCHEMA $s; CREATE EXTENSION imbilling SCHEMA $s VERSION '0.2.0'; SELECT $s.im_create_tables(); } . sample_data($s)
	. qq{ SELECT $s.im_create_billing_view('public.bills', '2023-03', '2023-04'); SET search_path = $s, public;
	CREATE TABLE public.mine (month $s.im_month PRIMARY KEY, users $s.im_userset, card $s.im_rate_card, CHECK (month >= '2023-01'), lines $s.im_bill_line[]);
	CREATE INDEX ON mine USING hash (month); CREATE VIEW public.of_mine AS SELECT max(month + 1), $s.im_union_agg(users | users) FROM mine GROUP BY month, users}, 'a database of 0.2.0, with objects of a user');
psql_ok($old, "SELECT $s.im_meter('2023-03-01', '2023-04-30')", 'metered');
psql_ok($old, "CALL $s.im_close_month('2023-03', 4)", 'and closed in part');

# By name, so that one that is silently missing is seen.
sub named
{
	my ($database) = @_;

	return psql($database, qq{SET search_path = pg_catalog;
		SELECT 'trigger', t.tgrelid::regclass, t.tgname, t.tgfoid::regproc, t.tgenabled FROM pg_trigger t WHERE NOT t.tgisinternal ORDER BY t.tgrelid::regclass::text, 3;
		SELECT 'view', c.oid::regclass, pg_get_viewdef(c.oid) FROM pg_class c WHERE c.relkind IN ('v', 'm') AND c.relnamespace <> 'pg_catalog'::regnamespace
			AND c.relnamespace <> 'information_schema'::regnamespace ORDER BY c.oid::regclass::text;
		SELECT 'function', p.oid::regprocedure FROM pg_proc p WHERE p.prosecdef AND p.pronamespace = '$s'::regnamespace ORDER BY p.oid::regprocedure::text;
		SELECT 'column', a.attrelid::regclass, a.attname, format_type(a.atttypid, NULL) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
			WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND format_type(a.atttypid, NULL) LIKE '%im\\_%' ORDER BY a.attrelid::regclass::text, a.attname;
		SELECT 'index', pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relname ~ '^(im_|mine)' ORDER BY 2});
}
my $names = named($old);
cmp_ok(scalar(grep { /^trigger/ } split /\n/, $names), '>', 40, 'there are triggers to miss');
my $new = create_database('schemas_new');
like(pipe_dump($old, $new), qr/^(?:ERROR:  the tables of imbilling do not exist yet, or are of an earlier version\n)?$/,
	'its dump goes into the new version, save the rows of the billing view');
same(named($new), $names, 'with every trigger, view, function, column and index');
psql_ok($old, "ALTER EXTENSION imbilling UPDATE; SELECT $s.im_create_tables()", 'the old one is updated');
psql_ok($new, "SELECT $s.im_create_tables()", 'the restored one completed');
for my $database ($old, $new)
{
	is(psql($database, qq{SELECT count(*) FROM pg_proc WHERE pronamespace = '$s'::regnamespace AND proname ~ '^im_(rate|gather|need|html|bad)_' AND proname <> 'im_rate_card' AND proname !~ '_guarded\$'}), '0', "$database: nothing internal is left beside the tables");
	psql_ok($database, 'REFRESH MATERIALIZED VIEW bills; SELECT * FROM of_mine', "$database: views of users answer");
}
same(named($new), named($old), 'both are alike');
same(bills($new, $s), bills($old, $s), 'and bill alike');
done_testing();
