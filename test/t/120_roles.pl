#!/usr/bin/perl
#
# 120_roles.pl
#	  Readers, tenants, loaders and closers as logins of their own, with tables that
#	  belong to a plain role: roles set and reset, COPY, parallel workers, debugging
#	  settings, dump and restore, an extension dropped and back, an older database.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use IPC::Run ();
use Test::More;
use BillingData;

my %role = map { $_ => "imb_${_}_$$" } qw(owner acme other clerk gateway closer staff stranger);
my $db = create_database('roles');
my $s = '"we%ird roles"';
psql_ok($db, join(';', map { "CREATE ROLE $role{$_} LOGIN NOINHERIT" } sort keys %role), 'roles that log in');
psql_ok($db, qq{GRANT CREATE ON DATABASE "$db" TO $role{owner}; GRANT $role{acme} TO $role{staff}}, 'one may create a schema');

sub as
{
	my ($who, $sql) = @_;
	return psql($db, "SET search_path = $s;\n$sql", user => $role{$who} // $who);
}

sub as_fails
{
	my ($who, $sql, $pattern, $what) = @_;
	return psql_fails($db, "\\set VERBOSITY verbose\nSET search_path = $s;\n$sql", $pattern, $what, user => $role{$who} // $who);
}

psql_ok($db, "CREATE SCHEMA $s; CREATE EXTENSION imbilling SCHEMA $s", 'the extension in a schema of its own', user => $role{owner});
as_fails('owner', "SELECT im_grant('$role{acme}', 'tenant')", qr/42P01.*im_create_tables/s, 'granting needs the tables');
as('owner', 'SELECT im_create_tables()');
psql_ok($db, sample_data($s), 'an app of every kind', user => $role{owner});
as('owner', qq{UPDATE im_app SET tenant = '$role{acme}' WHERE app_id IN (1, 2);
	UPDATE im_app SET tenant = '$role{other}', name = 'rivalry' WHERE app_id = 3;
	INSERT INTO im_rate_card_version
	SELECT 'rival list', effective_from, terms FROM im_rate_card_version WHERE rate_card = 'cn' AND effective_from = '2019-12-10';
	UPDATE im_app SET rate_card = 'rival list' WHERE app_id = 3});
as_fails('acme', 'SELECT * FROM im_apps()', qr/im_apps|permission denied/, 'nobody has anything unasked');
as('owner', "SELECT im_grant('$role{acme}', 'tenant'), im_grant('$role{other}', 'tenant'), im_grant('$role{clerk}', 'reader'),
	im_grant('$role{gateway}', 'loader'), im_grant('$role{closer}', 'closer')");
my $of = "SELECT string_agg(app_id::text, ' ' ORDER BY app_id) FROM im_apps()";
my $all = '1 2 3 4 5 6 7 8 9 10';
my $totals = "SELECT app_id, total FROM im_monthly_totals('2023-03') ORDER BY app_id";
my %bill;
$bill{$_} = as('owner', "SELECT b.* FROM im_monthly_bill($_, '2023-03') b") for 1 .. 10;

sub all_is_well
{
	my ($when) = @_;
	is(as('acme', $of), '1 2', "$when a tenant has the own apps");
	is(as('other', $of), '3', "$when so has another");
	is(as('clerk', $of), $all, "$when a reader has all");
	is(as('acme', "SELECT b.* FROM im_monthly_bill(1, '2023-03') b"), $bill{1}, "$when a tenant reads the own bill");
	is(as('clerk', "SELECT b.* FROM im_monthly_bill(3, '2023-03') b"), $bill{3}, "$when a reader any");
	as_fails('acme', "SELECT * FROM im_monthly_bill(3, '2023-03')", qr/P0002: there is no app 3/, "$when no tenant another's");
	as_fails('stranger', $of, qr/im_apps|permission denied/, "$when a stranger none");
	as_fails('clerk', 'SELECT FROM im_login', qr/42501/, "$when no reader a login");
	return;
}
all_is_well('at first');
is(as('clerk', $totals), as('owner', $totals), 'a reader gets all totals');
is(psql($db, "SELECT DISTINCT proowner::regrole FROM pg_proc WHERE prosecdef AND pronamespace = '$s'::regnamespace"),
	$role{owner}, 'the functions that read for them belong to the plain role');

# Whom a session stands for -----------------------------------------------------
as_fails('staff', $of, qr/42501|42883|3F000/, 'a member that does not inherit has nothing');
is(as('staff', "SET ROLE $role{acme}; SET search_path = $s; $of"), '1 2', 'until it sets the role');
as_fails('staff', "SET ROLE $role{acme}; $of; RESET ROLE; $of", qr/42501|42883/, 'and not after');
is(psql($db, "SET SESSION AUTHORIZATION $role{other}; SET search_path = $s; $of"), '3', 'SET SESSION AUTHORIZATION');
is( psql($db, "SET search_path = $s; PREPARE q AS $of; EXECUTE q; SET ROLE $role{acme}; EXECUTE q; SET ROLE $role{other}; EXECUTE q;
	SET ROLE $role{clerk}; EXECUTE q; RESET ROLE; EXECUTE q"), "$all\n1 2\n3\n$all\n$all", 'a prepared query asks in the name of the day');
is( psql($db, "SET search_path = $s; SET plan_cache_mode = force_generic_plan; SET ROLE $role{acme};
	SELECT count(*) FROM im_monthly_bills('2023-03') WHERE app_id = 3; SET ROLE $role{other};
	SELECT count(*) > 0 FROM im_monthly_bills('2023-03') WHERE app_id = 3"), "0\nt", 'no plan made for one tenant serves another');

# Workers know who asks as well as their leader
my $parallel = 'SELECT set_config(name, \'on\', false) FROM pg_settings WHERE name IN (\'force_parallel_mode\', \'debug_parallel_query\') \g /dev/null';
is( as('acme', "$parallel
	SELECT count(*) FROM im_monthly_bill(1, '2023-03'); SELECT im_monthly_total(1, '2023-03');
	$of"), scalar(split /\n/, $bill{1}) . "\n" . as('owner', "SELECT im_monthly_total(1, '2023-03')") . "\n1 2", 'in parallel workers');
as_fails('acme', "$parallel\nSELECT im_monthly_total(3, '2023-03')", qr/P0002/, 'where another\'s app is as unknown');

# Settings that make the server talk ------------------------------------------------
sub talk
{
	my ($who, $sql) = @_;
	my ($code, $out) = BillingData::psql_both($db, "SET search_path = $s; SET client_min_messages = debug5;
		SET debug_print_parse = on; SET debug_print_rewritten = on; SET debug_print_plan = on;\n$sql", user => $role{$who} // $who);
	return $out;
}
my $bytes = join ' ', map { ord } split //, 'rival list';
like(talk('owner', $totals), qr/$bytes/, 'the plans of the owner hold price lists');
unlike(talk('acme', "SELECT b.* FROM im_monthly_bill(1, '2023-03') b; $totals; SELECT * FROM im_check('2023-03'); SELECT im_dau_overage('pro', 1)"),
	qr/$bytes|rival/, 'none that is shown to a tenant does');
unlike(talk('gateway', "INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
	VALUES (1, 900, '2023-03-07', 'buy', 'plan', 'nosuch', 1)"), qr/$bytes|rival/, 'nor to a loader');

# Loading --------------------------------------------------------------------------
for my $format (qw(text csv binary))
{
	for my $copy (
		['im_login', "SELECT 3::bigint, 'u'::text, timestamptz '2023-06-05'"],
		['im_group', "SELECT 3::bigint, 'g'::text, timestamptz '2023-06-05', NULL::timestamptz"],
		['im_moderation_check', "SELECT 3::bigint, timestamptz '2023-06-05', 'text'::text, NULL::int, NULL::text"],
		['im_call', "SELECT 3::bigint, timestamptz '2023-06-05', 'hd'::text, 60, 'u'::text"],
		['im_load', "SELECT 'gateway'::text, '$format'::text, now()"],
		['im_usage_daily (app_id, day, dau)', "SELECT 3::bigint, date '2023-06-0" . { text => 1, csv => 2, binary => 3 }->{$format} . "', 5::bigint"],
		['im_order (app_id, order_id, at, action, item, option)',
			"SELECT 3::bigint, " . { text => 901, csv => 902, binary => 903 }->{$format} . "::bigint, timestamptz '2023-06-05', 'off'::text, 'moderation'::text, ''::text"])
	{
		my ($table, $query) = @$copy;
		psql($db, "\\copy ($query) TO '/tmp/imb_roles_$$' WITH (FORMAT $format)");
		psql_ok($db, "SET search_path = $s; \\copy $table FROM '/tmp/imb_roles_$$' WITH (FORMAT $format)",
			"a loader copies into $table in $format", user => $role{gateway});
	}
}
unlink "/tmp/imb_roles_$$";
as_fails('gateway', 'COPY im_login TO STDOUT', qr/42501/, 'and not out of it');
as_fails('gateway', "INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
	VALUES (1, 904, '2023-03-07', 'buy', 'plan', 'flagship', 1)", qr/23514/, 'the rules hold for a loader');
is(as('owner', 'SELECT count(*) FROM im_order WHERE order_id IN (901, 902, 903)'), 3, 'the orders are there');

# Closing ----------------------------------------------------------------------------
as_fails('acme', "CALL im_close_month('2023-03')", qr/42501/, 'a tenant closes no month');
as_fails('clerk', "CALL im_close_month('2023-03')", qr/42501/, 'nor a reader');
as_fails('gateway', "CALL im_close_month('2023-03')", qr/42501/, 'nor a loader');
as('closer', "CALL im_close_month('2023-03')");
isnt(as('owner', 'SELECT count(*) FROM im_invoice'), '0', 'a closer does');
is(as('closer', "SELECT state FROM im_close_progress"), 'closed', 'and watches');
as('closer', "CALL im_adjust_month('2023-03')");
as_fails('closer', "INSERT INTO im_invoice SELECT", qr/42501/, 'by the procedures alone');
as_fails('closer', $totals, qr/42501/, 'and reads no bill for it');
is(as('acme', "SELECT sum(total) FROM im_invoices(1)"), as('owner', "SELECT sum(total) FROM im_invoice WHERE app_id = 1"), 'a tenant reads the own invoices');
as_fails('acme', 'SELECT * FROM im_invoices(3)', qr/P0002/, 'and no other');
is(as('clerk', 'SELECT count(*) FROM im_invoice'), as('owner', 'SELECT count(*) FROM im_invoice'), 'a reader all');

# Elsewhere, later -----------------------------------------------------------------------
my $first = $db;
my $copy = create_database('roles_copy');
is(pipe_dump($db, $copy), '', 'dumped and restored');
$db = $copy;
$bill{$_} = as('owner', "SELECT b.* FROM im_monthly_bill($_, '2023-03') b") for 1, 3;
all_is_well('restored,');
$db = $first;

psql_ok($db, 'DROP EXTENSION imbilling CASCADE', 'the extension goes', user => $role{owner});
is(psql($db, "SELECT count(*) FROM pg_proc WHERE pronamespace = '$s'::regnamespace"), '0', 'and no function of it stays');
psql_ok($db, "CREATE EXTENSION imbilling SCHEMA $s; SELECT $s.im_create_tables()", 'and is back', user => $role{owner});
all_is_well('back again,');
as('closer', "CALL im_adjust_month('2023-03')");

# A database of a version that knew no roles, brought up by an administrator.
psql_ok($db, qq{SET client_min_messages = error;
	DO \$\$
	DECLARE f record;
	BEGIN
		FOR f IN SELECT oid::regprocedure AS signature FROM pg_proc WHERE prosecdef AND pronamespace = '$s'::regnamespace LOOP
			EXECUTE 'DROP FUNCTION ' || f.signature;
		END LOOP;
	END \$\$;
	DROP TABLE $s.im_role_grant, $s.im_closing CASCADE;}, 'an older database');
as_fails('acme', $of, qr/42501|42P01/, 'where nobody is let in');
psql_ok($db, "SELECT $s.im_create_tables()", 'an administrator runs im_create_tables()');
is(psql($db, "SELECT string_agg(DISTINCT r::regrole::text, ' ') FROM (SELECT proowner AS r FROM pg_proc WHERE prosecdef AND pronamespace = '$s'::regnamespace
	UNION SELECT relowner FROM pg_class WHERE relkind <> 'c' AND relnamespace = '$s'::regnamespace) o"), $role{owner}, 'what it adds belongs to the owner of the rest');
psql_ok($db, "SELECT $s.im_create_tables()", 'who may run it as well', user => $role{owner});
as('owner', "SELECT im_grant('$role{acme}', 'tenant'), im_grant('$role{other}', 'tenant'), im_grant('$role{clerk}', 'reader')");
all_is_well('brought up,');

# A role that is dropped leaves nothing behind.
psql_ok($db, "SELECT $s.im_revoke('$role{other}', 'tenant'); REVOKE USAGE ON SCHEMA $s FROM $role{other}", 'a tenant leaves', user => $role{owner});
psql_ok($_, "DROP OWNED BY $role{other}", 'everywhere') for $copy;
psql_ok($db, "DROP ROLE $role{other}", 'and can be dropped');

# Databases go at the end, and the roles only after what they own.
psql($_, "SET client_min_messages = error; DROP OWNED BY " . join(', ', grep { $_ ne $role{other} } values %role) . ' CASCADE') for $db, $copy;
psql($db, 'DROP ROLE ' . join(', ', grep { $_ ne $role{other} } values %role));
done_testing();
