#!/usr/bin/perl
#
# 030_dump_restore.pl
#	  A database dumped and restored bills alike: by pg_dump | psql, by the custom
#	  format and pg_restore, and --data-only into an empty database.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use IPC::Run ();
use Test::More;
use BillingData;

my $from = create_database('dump_from');
psql_ok($from, 'CREATE EXTENSION imbilling; SELECT im_create_tables();', 'tables are made');
psql_ok($from, sample_data('public'), 'an app of every kind is loaded');
psql_ok($from, "SELECT im_create_billing_view('march_view', '2023-03', '2023-04')", 'a billing view is made');
# A price that the owner edited, and an owner's card, survive as data.
psql_ok($from, q{
	UPDATE im_rate_card_version SET terms = jsonb_set(terms, '{plans,pro,price}', '"1001"')
	WHERE rate_card = 'overseas'}, 'a bundled price is edited');
my $bills = bills($from, 'public');
like($bills, qr/moderation_pack/, 'there are bills to compare');
my $counts = counts($from, 'public');

# Everything: schema and data
my $whole = create_database('dump_whole');
is(pipe_dump($from, $whole), '', 'pg_dump | psql says no error');
is(bills($whole, 'public'), $bills, 'pg_dump | psql: the same bills');
is(counts($whole, 'public'), $counts, 'pg_dump | psql: the same rows');
is(psql($whole, 'SELECT count(*) FROM march_view'), psql($from, 'SELECT count(*) FROM march_view'),
	'the billing view is filled');
psql_ok($whole, 'REFRESH MATERIALIZED VIEW CONCURRENTLY march_view', 'and can be refreshed');
psql_fails($whole, "INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
	VALUES (1, 999, '2023-03-07', 'buy', 'plan', 'flagship', 1)", qr/upgrade/,
	'restored orders are still checked');
psql_fails($whole, 'DELETE FROM im_order', qr/append/, 'and still append-only');
psql_fails($whole, "UPDATE im_rate_card_version SET terms = '{}'", qr/./, 'and cards are still checked');
psql_ok($whole, 'SELECT im_create_tables()', 'im_create_tables() runs again');
is(bills($whole, 'public'), $bills, 'and changes no row');

# The custom format
my $custom = create_database('dump_custom');
my $file = "$BillingData::work/dump.custom";
run_ok([ 'pg_dump', '-Fc', '-f', $file, $from ], 'pg_dump -Fc');
run_ok([ 'pg_restore', '--exit-on-error', '-d', $custom, $file ], 'pg_restore');
is(bills($custom, 'public'), $bills, 'pg_restore: the same bills');
my $single = create_database('dump_single');
run_ok([ 'pg_restore', '--exit-on-error', '--single-transaction', '-d', $single, $file ],
	'pg_restore --single-transaction');
is(bills($single, 'public'), $bills, 'pg_restore --single-transaction: the same bills');

# One event that came later makes a month of the view unbillable: the restore goes on and tells it.
psql_ok($from, "INSERT INTO im_call (app_id, at, class, seconds)
	SELECT min(app_id), '2023-03-05 12:00+08', 'HD', 60 FROM march_view WHERE month = '2023-03-01'", 'a loader writes a wrong class');
psql_fails($from, "SELECT count(*) FROM im_monthly_bills('2023-03')", qr/cannot be right/, 'which no bill survives');
run_ok([ 'pg_dump', '-Fc', '-f', $file, $from ], 'pg_dump -Fc');
my $wrong = create_database('dump_wrong');
my $said = '';
# it shows what the server says only then
ok(IPC::Run::run([ 'pg_restore', '--verbose', '--exit-on-error', '--single-transaction', '-d', $wrong, $file ], '>', \my $none, '2>', \$said),
	'pg_restore --single-transaction with an unbillable month in the view') or diag($said);
like($said, qr/WARNING:  the bill of app \d+ for 2023-03 cannot be right, it is skipped.*im_check\('2023-03'\)/s, 'it warns of the app');
is(psql($wrong, 'SELECT count(DISTINCT app_id) + 1 FROM march_view WHERE month = \'2023-03-01\''),
	psql($from, 'SELECT count(DISTINCT app_id) FROM march_view WHERE month = \'2023-03-01\''), 'the view holds all other apps');
is(counts($wrong, 'public'), counts($from, 'public'), 'and all rows are there');
psql_ok($from, "DELETE FROM im_call WHERE class = 'HD'", 'the event is corrected');

# Data only, into empty tables: in the dump's own order, with the checks on
my $data = create_database('dump_data');
psql_ok($data, 'CREATE EXTENSION imbilling; SELECT im_create_tables(false);', 'empty tables without cards');
is(psql($data, 'SELECT count(*) FROM im_rate_card_version'), '0', 'with_cards => false brings no card');
is(pipe_dump($from, $data, '--data-only'), '', 'pg_dump --data-only | psql says no error');
is(bills($data, 'public'), $bills, '--data-only: the same bills');
is(counts($data, 'public'), $counts, '--data-only: the same rows');
my $bare = create_database('dump_bare');
psql_ok($bare, 'CREATE EXTENSION imbilling; SELECT im_create_tables(false);', 'empty tables');
like(psql_ok($bare, "INSERT INTO im_app (app_id, name, rate_card) VALUES (1, 'a', 'CN')", 'an app before all price lists is accepted'),
	qr/WARNING:  rate cards and orders of 1 apps are not checked: im_rate_card_version is empty/, 'with a warning');
psql_ok($data, 'SELECT * FROM im_check_orders()', 'im_check_orders() agrees');

# Partitions are named in a dump, unless it loads through their table.
psql_ok($single, "SELECT im_partition('im_call', '2023-01-01', '2023-07-01', '1 month')", 'a raw table is partitioned');
my $whole_table = create_database('dump_parts');
psql_ok($whole_table, 'CREATE EXTENSION imbilling; SELECT im_create_tables(false);', 'empty tables, none partitioned');
like(pipe_dump($single, $whole_table, '--data-only', '--table=im_call*'), qr/does not exist/, 'partitions that are not there are missed');
is(pipe_dump($single, $whole_table, '--data-only', '--load-via-partition-root'), '', '--load-via-partition-root needs none');
is(bills($whole_table, 'public'), $bills, 'and brings the same bills');

# With triggers off nothing is checked on the way in, and im_check_orders() is for that.
my $off = create_database('dump_off');
psql_ok($off, 'CREATE EXTENSION imbilling; SELECT im_create_tables(false);', 'empty tables');
is(pipe_dump($from, $off, '--data-only', '--disable-triggers'), '', '--disable-triggers says no error');
is(bills($off, 'public'), $bills, '--disable-triggers: the same bills');
psql_ok($off, 'SELECT * FROM im_check_orders()', 'im_check_orders() agrees');
psql_ok($off, q{
	SET session_replication_role = replica;
	INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
	VALUES (1, 999, '2023-03-07', 'buy', 'plan', 'flagship', 1)}, 'a forbidden order slips in with triggers off');
my ($code, $out) = psql_both($off, 'SELECT * FROM im_check_orders()');
ok($code != 0 || $out =~ /999/, 'im_check_orders() finds it');
like($out, qr/999|upgrade/, 'and says which');

done_testing();
