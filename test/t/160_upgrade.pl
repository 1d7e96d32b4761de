#!/usr/bin/perl
#
# 160_upgrade.pl
#	  ALTER EXTENSION UPDATE: a database made at version 0.1.0 and updated, one that
#	  keeps its old SQL on the new library, and one made new have the same objects,
#	  the same tables and the same bills; so have their dumps, restored.
#
# A failure of the objects' comparison after a change of an SQL part means that
# the update script needs a hand: see sql/upgrade.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use File::Copy qw(copy);
use IPC::Run ();
use Test::More;
use BillingData;

my $tree = $ENV{IMBILLING_TREE} || "$FindBin::Bin/../..";
chomp(my $share = qx(pg_config --sharedir));
my $scripts = "$share/extension";
my $now = psql('postgres', q{SELECT default_version FROM pg_available_extensions WHERE name = 'imbilling'});
my @placed;

# Puts a script where CREATE EXTENSION finds it, until the test ends.
sub place_script
{
	my ($name, $text) = @_;

	push @placed, "$scripts/$name";
	open(my $out, '>', "$scripts/$name") or die "$scripts/$name: $!";
	print $out $text;
	close($out);
}

END { my $status = $?; unlink @placed; $? = $status }

sub slurp
{
	my ($file) = @_;

	local $/;
	open(my $in, '<', $file) or die "$file: $!";
	return scalar <$in>;
}

# Everything that a database knows of the objects of the schema and of
# im_internal, a row each and without oids.  Columns are compared by name: an added one comes last.
sub objects
{
	my ($database, $schema) = @_;

	my $list = qq{
	SET search_path = pg_catalog;
	CREATE TEMP VIEW object AS
		SELECT 'pg_proc'::regclass AS class, oid, proacl AS acl FROM pg_proc WHERE pronamespace IN ('$schema'::regnamespace, to_regnamespace('im_internal'))
		UNION ALL SELECT 'pg_type'::regclass, oid, typacl FROM pg_type WHERE typnamespace IN ('$schema'::regnamespace, to_regnamespace('im_internal'))
		UNION ALL SELECT 'pg_class'::regclass, oid, relacl FROM pg_class
			WHERE relnamespace IN ('$schema'::regnamespace, to_regnamespace('im_internal')) AND relkind IN ('r', 'v', 'm', 'p', 'c', 'S')
		UNION ALL SELECT 'pg_operator'::regclass, oid, NULL FROM pg_operator WHERE oprnamespace IN ('$schema'::regnamespace, to_regnamespace('im_internal'))
		UNION ALL SELECT 'pg_opclass'::regclass, oid, NULL FROM pg_opclass WHERE opcnamespace IN ('$schema'::regnamespace, to_regnamespace('im_internal'))
		UNION ALL SELECT 'pg_opfamily'::regclass, oid, NULL FROM pg_opfamily WHERE opfnamespace IN ('$schema'::regnamespace, to_regnamespace('im_internal'))
		UNION ALL SELECT classid, objid, NULL FROM pg_depend
			WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e' AND classid IN ('pg_cast'::regclass)
				AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'imbilling');
	};
	my @queries = split /;/, qq{
	SELECT pg_describe_object(o.class, o.oid, 0) AS object, o.acl, obj_description(o.oid, o.class::text) AS comment,
		EXISTS (SELECT FROM pg_depend d WHERE d.classid = o.class AND d.objid = o.oid AND d.deptype = 'e') AS member
	FROM object o;
	SELECT oid::regprocedure, CASE WHEN prokind = 'a' THEN NULL ELSE pg_get_functiondef(oid) END,
		pg_get_function_arguments(oid), pg_get_function_result(oid), provolatile, proparallel, proisstrict, prosecdef,
		proleakproof, procost, prorows, prosupport, proconfig, probin
	FROM pg_proc WHERE pronamespace IN ('$schema'::regnamespace, to_regnamespace('im_internal'));
	SELECT aggfnoid::regprocedure, aggkind, aggnumdirectargs, aggtransfn, aggfinalfn, aggcombinefn, aggserialfn, aggdeserialfn,
		aggmtransfn, aggminvtransfn, aggmfinalfn, aggfinalextra, aggmfinalextra, aggfinalmodify, aggmfinalmodify,
		aggsortop::regoperator, aggtranstype::regtype, aggtransspace, aggmtranstype::regtype, aggmtransspace, agginitval
	FROM pg_aggregate a JOIN pg_proc p ON p.oid = aggfnoid WHERE pronamespace IN ('$schema'::regnamespace, to_regnamespace('im_internal'));
	SELECT oid::regtype, typlen, typbyval, typtype, typcategory, typispreferred, typdelim, typinput, typoutput, typreceive,
		typsend, typmodin, typalign, typstorage, typdefault, typnotnull
	FROM pg_type WHERE typnamespace IN ('$schema'::regnamespace, to_regnamespace('im_internal'));
	SELECT oid::regoperator, oprcanmerge, oprcanhash, oprresult::regtype, oprcom::regoperator, oprnegate::regoperator,
		oprcode, oprrest, oprjoin
	FROM pg_operator WHERE oprnamespace IN ('$schema'::regnamespace, to_regnamespace('im_internal'));
	SELECT opcname, opcmethod, opcintype::regtype, opcdefault, opckeytype::regtype,
		(SELECT string_agg(format('%s %s', amopstrategy, amopopr::regoperator), ', ' ORDER BY amopstrategy, amopopr::regoperator::text)
		 FROM pg_amop WHERE amopfamily = opcfamily),
		(SELECT string_agg(format('%s %s', amprocnum, amproc::oid::regprocedure), ', ' ORDER BY amprocnum, amproc::text)
		 FROM pg_amproc WHERE amprocfamily = opcfamily)
	FROM pg_opclass WHERE opcnamespace IN ('$schema'::regnamespace, to_regnamespace('im_internal'));
	SELECT castsource::regtype, casttarget::regtype, castfunc::regprocedure, castcontext, castmethod
	FROM pg_cast JOIN object o ON o.class = 'pg_cast'::regclass AND o.oid = pg_cast.oid;
	SELECT attrelid::regclass, attname, format_type(atttypid, atttypmod), attnotnull, attacl, attstorage,
		pg_get_expr(adbin, adrelid), col_description(attrelid, attnum)
	FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
	JOIN pg_class c ON c.oid = attrelid
	WHERE relnamespace IN ('$schema'::regnamespace, to_regnamespace('im_internal')) AND relkind IN ('r', 'v', 'm', 'p', 'c') AND attnum > 0 AND NOT attisdropped;
	SELECT conrelid::regclass, conname, pg_get_constraintdef(oid), condeferrable, condeferred, convalidated, obj_description(oid, 'pg_constraint')
	FROM pg_constraint WHERE connamespace IN ('$schema'::regnamespace, to_regnamespace('im_internal'));
	SELECT pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class c ON c.oid = indexrelid
	WHERE relnamespace IN ('$schema'::regnamespace, to_regnamespace('im_internal'));
	SELECT pg_get_triggerdef(t.oid), tgenabled FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
	WHERE relnamespace IN ('$schema'::regnamespace, to_regnamespace('im_internal')) AND NOT tgisinternal;
	SELECT pg_get_ruledef(r.oid) FROM pg_rewrite r JOIN pg_class c ON c.oid = ev_class
	WHERE relnamespace IN ('$schema'::regnamespace, to_regnamespace('im_internal'));
	SELECT polrelid::regclass, polname, polcmd, polpermissive, polroles, pg_get_expr(polqual, polrelid) FROM pg_policy p
	JOIN pg_class c ON c.oid = polrelid WHERE relnamespace IN ('$schema'::regnamespace, to_regnamespace('im_internal'));
	SELECT oid::regclass, relkind, relpersistence, relreplident, relrowsecurity, relforcerowsecurity, reloptions FROM pg_class
	WHERE relnamespace IN ('$schema'::regnamespace, to_regnamespace('im_internal')) AND relkind IN ('r', 'v', 'm', 'p', 'c', 'S');
	SELECT extversion, extnamespace::regnamespace, extconfig FROM pg_extension WHERE extname = 'imbilling'};

	return psql($database, $list . join '', map { "SELECT * FROM ($_) q ORDER BY q::text;\n" } @queries);
}

# Dumped and restored into a database of its own, by two processes
sub restored
{
	my ($from, $name) = @_;
	my $to = create_database($name);
	my $file = "$BillingData::work/$name.dump";

	run_ok([ 'pg_dump', '-Fd', '--jobs=2', '-f', $file, $from ], "$name: dumped");
	run_ok([ 'pg_restore', '--jobs=2', '--exit-on-error', '-d', $to, $file ], "$name: restored");
	return $to;
}

my $schema = '"we%ird, Bills"';
my $load = sample_data($schema);

sub loaded_database
{
	my ($name, $create, $tables) = @_;
	my $database = create_database($name);

	psql_ok($database, "CREATE SCHEMA $schema; $create; $tables; $load", "$name: tables and rows");
	return $database;
}

my $frozen = '0.1.0';
place_script("imbilling--$frozen.sql", slurp("$tree/sql/upgrade/imbilling--$frozen.sql"));
my $tables = "SELECT $schema.im_create_tables()";
my $new = loaded_database('upgrade_new', "CREATE EXTENSION imbilling SCHEMA $schema", $tables);
my $old = loaded_database('upgrade_old', "CREATE EXTENSION imbilling SCHEMA $schema VERSION '$frozen'", $tables);
my $updated = loaded_database('upgrade_updated', "CREATE EXTENSION imbilling SCHEMA $schema VERSION '$frozen'", $tables);
my $bills = bills($new, $schema);
my $counts = counts($new, $schema);
my $objects = objects($new, $schema);

like($bills, qr/moderation_pack/, 'there are bills to compare');
like($objects, qr/function .*im_month_in/, 'and objects');
is(psql($old, "SELECT extversion FROM pg_extension WHERE extname = 'imbilling'"), $frozen, 'an old database');

# Old SQL, new library
is(bills($old, $schema), $bills, 'old SQL with the new library bills the same');
psql_ok($updated, "SELECT $schema.im_create_billing_view('public.march', '2023-03', '2023-04')", 'a view that hangs on old functions');

# ALTER EXTENSION UPDATE
psql_ok($updated, "ALTER EXTENSION imbilling UPDATE; $tables", 'the update, and new columns and tables');
same(objects($updated, $schema), $objects, 'an updated database has the objects of a new one');
psql_ok($updated, 'REFRESH MATERIALIZED VIEW CONCURRENTLY public.march', 'the view refreshes');
same(bills($updated, $schema), $bills, 'and the bills');
is(counts($updated, $schema), $counts, 'and no row is touched');

# Books closed in a new database and in an updated one
sub issued
{
	my ($database) = @_;

	return psql($database, "SELECT app_id, month, revision, kind, currency, total, rate_card, card_from FROM $schema.im_invoice ORDER BY 1, 2, 3;
		SELECT * FROM $schema.im_invoice_line ORDER BY app_id, month, revision, line");
}

my $wrong = "SELECT app_id::text, problem FROM $schema.im_verify_invoices() UNION ALL SELECT app_id::text, difference::text FROM $schema.im_drift('2023-03')";
for my $database ($new, $updated)
{
	psql_ok($database, "CALL $schema.im_close_month('2023-03', 4)", 'March is closed');
	psql_ok($database, "INSERT INTO $schema.im_call (app_id, at, class, seconds) VALUES (5, '2023-03-05 12:00+08', 'fhd', 60000)", 'a late call');
	psql_ok($database, "CALL $schema.im_adjust_month('2023-03', 4)", 'makes a note');
	is(psql($database, $wrong), '', 'nothing is wrong');
}
like(issued($new), qr/debit_note/, 'there are documents to compare');
same(issued($updated), issued($new), 'the documents of an updated database are those of a new one');
psql($old, "INSERT INTO $schema.im_call (app_id, at, class, seconds) VALUES (5, '2023-03-05 12:00+08', 'fhd', 60000)");
my %books = ($new => issued($new), $updated => issued($updated), $old => '');
my %root = map { $_ => psql($_, "SELECT $schema.im_month_root('2023-03')") } $new, $updated;
my %bills = map { $_ => bills($_, $schema) } $new, $updated, $old;
$counts = counts($old, $schema);

# Dumped and restored
for ([ $new, 'upgrade_new_dump' ], [ $updated, 'upgrade_updated_dump' ], [ $old, 'upgrade_old_dump' ])
{
	my ($from, $name) = @$_;
	my $to = restored($from, $name);

	psql_ok($to, $tables, "$name: im_create_tables() again");
	same(objects($to, $schema), $objects, "$name: the objects of a new database");
	same(bills($to, $schema), $bills{$from}, "$name: the same bills");
	is(counts($to, $schema), $counts, "$name: the same rows");
	same(issued($to), $books{$from}, "$name: the same documents");
	next if $from eq $old;
	is(psql($to, "SELECT $schema.im_month_root('2023-03')"), $root{$from}, "$name: the same root");
	is(psql($to, $wrong), '', "$name: nothing is wrong");
}

# The generator itself, on differences of every kind that this version may not
# have: the present install script taken back to what an earlier one could be.
my $present = slurp("$scripts/imbilling--$now.sql");
my $earlier = $present;
my @taken_back = (
	[ qr/SSPACE = 16384/, 'SSPACE = 8192', 'an aggregate' ],
	[ qr/ROWS 100000/, 'ROWS 7', 'rows that a function estimates' ],
	[ qr/im_internal\.im_need_app\(app_id bigint\) RETURNS void/, 'im_internal.im_need_app(number bigint) RETURNS integer', 'names and a result' ],
	[ qr/LANGUAGE plpgsql STABLE PARALLEL SAFE/, 'LANGUAGE plpgsql VOLATILE', 'a volatility' ],
	[ qr/im_create_tables\(with_cards boolean DEFAULT true\)/, 'im_create_tables(with_cards boolean)', 'a default' ],
	[ qr/'Raises 42501 unless the table belongs to the current role.'/, "'It does.'", 'a comment' ],
	[ qr/\tSET jit = off\n/, "\tSET jit = on\n\tSET work_mem = '1MB'\n", 'settings' ],
	[ qr/CREATE CAST \(jsonb AS .*?;\s*COMMENT ON CAST .*?;/s, '', 'a cast that is missing' ],
	[ qr/CREATE OPERATOR \S+\| \(.*?;\s*COMMENT ON OPERATOR .*?;/s, '', 'an operator that is missing' ],
	[ qr/\z/, "CREATE FUNCTION \@extschema\@.im_gone(a integer, b text DEFAULT 'x, (') RETURNS integer\n"
		  . "LANGUAGE sql IMMUTABLE\nBEGIN ATOMIC\n\tSELECT CASE WHEN a > 1 THEN 1 ELSE 2 END; END;\n", 'a function that is gone' ]);
for (@taken_back)
{
	my ($what, $with, $name) = @$_;
	ok($earlier =~ s/$what/$with/, "taken back: $name");
}
place_script('imbilling--0.0.9.sql', $earlier);
my ($update, $complaint) = ('', '');
my @generator = ('perl', "$tree/sql/upgrade/update_script.pl", '0.0.9', $now);
IPC::Run::run([ @generator, "$scripts/imbilling--0.0.9.sql", '/dev/null' ], '<', \$present, '>', \$update, '2>', \$complaint);
is($complaint, '', 'the update script is generated');
place_script("imbilling--0.0.9--$now.sql", $update);
my $generated = create_database('upgrade_generated');
psql_ok($generated, "CREATE SCHEMA $schema; CREATE EXTENSION imbilling SCHEMA $schema VERSION '0.0.9'; ALTER EXTENSION imbilling UPDATE; $tables",
	'it runs');
same(objects($generated, $schema), $objects, 'and brings the objects of a new database');

# What cannot be replaced must not go unnoticed.
(my $other_type = $present) =~ s/STORAGE = external/STORAGE = main/ or die;
IPC::Run::run([ @generator, "$scripts/imbilling--0.0.9.sql", '/dev/null' ], '<', \$other_type, '>', \$update, '2>', \$complaint);
like($complaint, qr/^TYPE \S+ differs from version 0.0.9/, 'a type that differs stops the build');

done_testing();
