#!/usr/bin/perl
#
# 110_ledger_restore.pl
#	  The ledger in a schema with an awkward name, owned by a plain role and closed
#	  by another: dumped and restored in every way it is whole, guarded, and goes on.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use IPC::Run ();
use Test::More;
use BillingData;

my $owner = "imb_books_owner_$$";
my $clerk = "imb_books_clerk_$$";
my $schema = '"we%ird"';
my $from = create_database('ledger_from');
psql_ok($from, qq{
	CREATE ROLE $owner LOGIN;
	CREATE ROLE $clerk LOGIN;
	GRANT CREATE ON DATABASE "$from" TO $owner;}, 'two plain roles');
psql_ok($from, qq{CREATE SCHEMA $schema; CREATE EXTENSION imbilling SCHEMA $schema; SELECT $schema.im_create_tables();} . sample_data($schema),
	'a plain role owns the tables', user => $owner);
# a name that two encodings write with other bytes
psql_ok($from, qq{SET client_encoding = LATIN1;
	INSERT INTO $schema.im_rate_card_version VALUES ('de', '2020-01-01', '{"currency": "EUR", "scale": 2, "time_zone": "Europe/Berlin",
		"grace_days": 0, "plans": {"frei": {"rank": 0, "price": 0}, "gr\xf6\xdfer": {"rank": 1, "price": 19.90}}}');
	INSERT INTO $schema.im_app (app_id, name, rate_card) VALUES (11, 'elf', 'de');
	INSERT INTO $schema.im_order (app_id, order_id, at, action, item, option, months)
	VALUES (11, 1, '2023-03-05 10:00+01', 'buy', 'plan', 'gr\xf6\xdfer', 1)}, 'a German price list', user => $owner);
psql_ok($from, "SELECT $schema.im_grant('$clerk', 'closer')", 'and makes another a closer', user => $owner);
psql_ok($from, "CALL $schema.im_close_month('2023-03', 3)", 'who closes', user => $clerk);
psql_ok($from, qq{INSERT INTO $schema.im_usage_daily (app_id, day, dau) VALUES (7, '2023-03-30', 45000)}, 'late usage', user => $owner);
psql_ok($from, "CALL $schema.im_adjust_month('2023-03', 3)", 'and adjusts', user => $clerk);
psql_ok($from, "CALL $schema.im_close_month('2023-04')", 'and closes again', user => $clerk);
psql_fails($from, "INSERT INTO $schema.im_invoice SELECT * FROM $schema.im_invoice", qr/permission denied/, 'but inserts nothing',
	user => $clerk);
psql_fails($from, "DELETE FROM $schema.im_invoice_line", qr/holds what was issued: DELETE is refused/, 'nor does the owner delete',
	user => $owner);

# Everything that a ledger says, as one text.
sub ledger
{
	my ($database) = @_;

	return psql($database, qq{
		SELECT app_id, month, revision, kind, currency, total, extract(epoch FROM issued_at), rate_card, card_from, digest
		FROM $schema.im_invoice ORDER BY 1, 2, 3;
		SELECT $schema.im_month_root('2023-03'), $schema.im_month_root('2023-04');
		SELECT 'problem', v.* FROM $schema.im_verify_invoices() v;
		SELECT month, state, done, total, invoices FROM $schema.im_close_progress ORDER BY 1;
		SELECT 'drift', d.* FROM $schema.im_drift('2023-03') d;}) . bills($database, $schema);
}
$ENV{PGCLIENTENCODING} = 'UTF8';
my $ledger = ledger($from);
like($ledger, qr/debit_note/, 'there is something to restore');
like($ledger, qr/gr\xc3\xb6\xc3\x9fer/, 'not in ASCII alone');
unlike($ledger, qr/problem|drift/, 'and it is whole');

sub same_and_guarded
{
	my ($database, $what) = @_;

	is(ledger($database), $ledger, "$what: the same ledger");
	psql_fails($database, "$_", qr/holds what was issued/, "$what: $_ is refused")
	  for "INSERT INTO $schema.im_invoice SELECT * FROM $schema.im_invoice", "UPDATE $schema.im_invoice SET total = 0", "TRUNCATE $schema.im_invoice_line",
	  "SET session_replication_role = replica; DELETE FROM $schema.im_closing";
	psql_fails($database, "DELETE FROM $schema.im_app WHERE app_id = 7", qr/foreign key/, "$what: apps with documents stay");
	return;
}

my $whole = create_database('ledger_whole');
is(pipe_dump($from, $whole), '', 'pg_dump | psql says no error');
same_and_guarded($whole, 'pg_dump | psql');
psql_ok($whole, "INSERT INTO $schema.im_usage_daily (app_id, day, dau) VALUES (7, '2023-03-29', 55000)", 'late usage in the copy');
psql_ok($whole, "CALL $schema.im_adjust_month('2023-03')", 'the closer goes on in the copy', user => $clerk);
is(psql($whole, "SELECT * FROM $schema.im_verify_invoices()"), '', 'and the chain with him');

my $custom = create_database('ledger_custom');
my $file = "$BillingData::work/ledger.dump";
run_ok([ 'pg_dump', '-Fd', '-j', '2', '-f', $file, $from ], 'pg_dump --jobs');
run_ok([ 'pg_restore', '--exit-on-error', '-j', '2', '-d', $custom, $file ], 'pg_restore --jobs');
same_and_guarded($custom, 'pg_restore --jobs');

# Data only: the tables come from im_create_tables(), their rows from the dump.
my $data = create_database('ledger_data');
psql_ok($data, qq{GRANT CREATE ON DATABASE "$data" TO $owner}, 'a new database');
psql_ok($data, "CREATE SCHEMA $schema; CREATE EXTENSION imbilling SCHEMA $schema; SELECT $schema.im_create_tables(false)", 'empty tables', user => $owner);
sub data_only
{
	my (@option) = @_;
	my ($out, $err) = ('', '');

	IPC::Run::run([ 'pg_dump', '--data-only', '--table=*.im_*', @option, $from ], '|',
		[ 'psql', '-X', '-q', '--single-transaction', '-v', 'ON_ERROR_STOP=1', '-d', $data ], '>', \$out, '2>', \$err);
	return $err;
}
like(data_only(), qr/holds what was issued: INSERT is refused.*HINT:.*--disable-triggers/s, 'a data-only dump is refused, with what to do');
is(psql($data, "SELECT count(*) FROM $schema.im_app"), '0', 'whole');
unlike(data_only('--disable-triggers'), qr/ERROR/, 'one without triggers goes in');
psql_ok($data, "SELECT $schema.im_create_tables(false)", 'and im_create_tables() guards what it enabled in the origin role alone', user => $owner);
is(psql($data, "SELECT $schema.im_check_orders() > 0"), 't', 'orders are checked');
same_and_guarded($data, 'data only');
psql_ok($data, "INSERT INTO $schema.im_usage_daily (app_id, day, dau) VALUES (7, '2023-03-29', 55000)", 'late usage there');
psql_ok($data, "CALL $schema.im_adjust_month('2023-03')", 'is adjusted', user => $owner);
is(psql($data, "SELECT * FROM $schema.im_verify_invoices()"), '', 'and the chain goes on');

# Rows of im_closing left behind: nobody is invoiced again.
my $lost = create_database('ledger_lost');
is(pipe_dump($from, $lost, '--exclude-table-data=*.im_closing'), '', 'a dump without the rows of im_closing');
isnt(psql($lost, "SELECT count(*) FROM $schema.im_verify_invoices()"), '0', 'which verifying tells');
my $documents = psql($lost, "SELECT count(*), sum(total) FROM $schema.im_invoice");
my (undef, $warned) = psql_both($lost, "CALL $schema.im_close_month('2023-03', 3); CALL $schema.im_close_month('2023-04')");
like($warned, qr/WARNING:  \d+ apps had documents of 2023-03, though im_closing did not call them closed/, 'a close warns');
is(psql($lost, "SELECT count(*), sum(total) FROM $schema.im_invoice"), $documents, 'and issues nothing a second time');
is(psql($lost, "SELECT * FROM $schema.im_verify_invoices()"), '', 'then all is whole again');

# Another encoding: a digest is over the text, not over its bytes there.
my $latin = "imb_ledger_latin_$$";
run_ok([ 'createdb', '-T', 'template0', '-E', 'LATIN1', '--locale=C', $latin ], 'a database in LATIN1');
is(pipe_dump($from, $latin), '', 'takes the dump');
is(psql($latin, "SELECT $schema.im_month_root('2023-03')"), psql($from, "SELECT $schema.im_month_root('2023-03')"), 'the same root');
is(psql($latin, "SELECT * FROM $schema.im_verify_invoices()"), '', 'and every document is whole');
IPC::Run::run([ 'dropdb', $latin ]);

# Without the extension the ledger stands; with it again it is guarded.
psql_ok($custom, 'DROP EXTENSION imbilling CASCADE', 'DROP EXTENSION CASCADE');
is(psql($custom, "SELECT count(*) > 0 FROM $schema.im_invoice"), 't', 'leaves the ledger');
psql_ok($custom, "CREATE EXTENSION imbilling SCHEMA $schema; SELECT $schema.im_create_tables()", 'back again');
same_and_guarded($custom, 'created again');
psql_ok($custom, "CALL $schema.im_close_month('2023-05')", 'the closer is one still', user => $clerk);

# In each database what these roles hold, then the roles
psql($_, "DROP OWNED BY $owner, $clerk CASCADE") for $whole, $custom, $data, $lost, $from;
psql($from, "DROP ROLE $owner; DROP ROLE $clerk");

done_testing();
