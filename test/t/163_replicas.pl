#!/usr/bin/perl
#
# 163_replicas.pl
#	  A hot standby says what its primary says, and a close that the primary did not
#	  live to end goes on where the standby is promoted; so does a subscriber of all
#	  tables, in binary.
#
# A failure means that a report read from a replica, or the books after a
# failover, are not those of the primary.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use BillingData;

my $schema = '"Books, 100%"';
my $db = 'books';

# BillingData goes where the environment leads.
sub on
{
	my ($node, $what) = @_;

	local $ENV{PGHOST} = $node->host;
	local $ENV{PGPORT} = $node->port;
	return $what->();
}

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 'logical');
$primary->append_conf('postgresql.conf', "wal_level = logical\nfsync = off\n");
$primary->start;
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

on($primary, sub {
	psql_ok('postgres', "CREATE DATABASE $db", 'a database on the primary');
	psql_ok($db, "CREATE SCHEMA $schema; CREATE EXTENSION imbilling SCHEMA $schema; SELECT $schema.im_create_tables();"
		. sample_data($schema), 'with an app of every kind');
	psql_ok($db, "CALL $schema.im_close_month('2023-03', 3)", 'and a closed month');
	psql_ok($db, "INSERT INTO $schema.im_call (app_id, at, class, seconds) VALUES (5, '2023-03-05 12:00+08', 'fhd', 60000)", 'that drifts');
});

# ---- standby ----

$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
my ($there, $here) = map { my $node = $_; on($node, sub { readings($db, $schema) }) } $primary, $standby;
like($there, qr/^im_drift\|/m, 'there is something to read');
same($here, $there, 'every reading function says the same on the standby');
on($standby, sub {
	is(bills($db, $schema), on($primary, sub { bills($db, $schema) }), 'and the bills are the same');
	psql_fails($db, "CALL $schema.im_close_month('2023-04')", qr/standby|read-only|recovery/, 'a standby closes nothing');
});

# The primary dies while a close waits for one app.
my $expected = on($primary, sub { psql($db, "SELECT app_id, total FROM $schema.im_monthly_totals('2023-04') ORDER BY 1") });
my ($in, $out, $err) = ("BEGIN; SELECT app_id FROM $schema.im_app WHERE app_id = 5 FOR UPDATE;\n", '', '');
my @psql = ('psql', '-XqAt', '-h', $primary->host, '-p', $primary->port, '-d', $db);
my $holder = IPC::Run::start([@psql], '<', \$in, '>', \$out, '2>', \$err);
$holder->pump until $out =~ /5/;
my ($closing_out, $closing_err) = ('', '');
my $closer = IPC::Run::start([ @psql, '-c', "CALL $schema.im_close_month('2023-04', 2)" ], '>', \$closing_out, '2>', \$closing_err);
ok($primary->poll_query_until($db, "SELECT count(*) > 3 FROM $schema.im_invoice WHERE month = '2023-04-01'"), 'a close is under way');
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
$primary->stop('immediate');
eval { $_->finish } for $holder, $closer;
unlike($closing_err, qr/root/, 'it did not end');
$standby->promote;
on($standby, sub {
	my $issued = psql($db, "SELECT count(*) FROM $schema.im_invoice WHERE month = '2023-04-01'");
	ok($issued > 0 && $issued < 7, 'the promoted standby has a part of the invoices') or diag($issued);
	psql_ok($db, "CALL $schema.im_close_month('2023-04', 2)", 'it goes on');
	is(psql($db, "SELECT app_id, total FROM $schema.im_invoice WHERE month = '2023-04-01' ORDER BY 1"), $expected,
		'every app has its invoice, once');
	is(psql($db, "SELECT * FROM $schema.im_verify_invoices()"), '', 'and the digests are whole');
});

# ---- logical replication ----

my $publisher = $standby;
my $subscriber = PostgreSQL::Test::Cluster->new('subscriber');
$subscriber->init;
$subscriber->append_conf('postgresql.conf', "fsync = off\n");
$subscriber->start;

my $tables = on($publisher, sub { psql($db, "SELECT string_agg(oid::regclass::text, ', ') FROM pg_class
	WHERE relnamespace = '$schema'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition") });
on($publisher, sub { psql_ok($db, "CREATE PUBLICATION books FOR TABLE $tables", 'all tables are published') });
(my $connection = $publisher->connstr($db)) =~ s/'/''/g;
on($subscriber, sub {
	psql_ok('postgres', "CREATE DATABASE $db", 'another server');
	psql_ok($db, "CREATE SCHEMA $schema; CREATE EXTENSION imbilling SCHEMA $schema; SELECT $schema.im_create_tables(false);
		CREATE SUBSCRIPTION books CONNECTION '$connection' PUBLICATION books WITH (binary = true);", 'subscribes, in binary');
});
$subscriber->wait_for_subscription_sync($publisher, 'books', $db) if $subscriber->can('wait_for_subscription_sync');
$subscriber->poll_query_until($db, "SELECT count(*) = 0 FROM pg_subscription_rel WHERE srsubstate NOT IN ('r', 's')");

# What comes after the first copy comes in binary, and rows without a key are
# found by all their columns.
on($publisher, sub {
	psql_ok($db, qq{
		SET search_path = $schema;
		INSERT INTO im_app (app_id, name, rate_card) VALUES (11, 'app 11', 'intl');
		INSERT INTO im_order (app_id, order_id, at, action, item, option, months) VALUES (11, 1, '2023-03-01 10:00+08', 'buy', 'plan', 'standard', 2);
		INSERT INTO im_usage_daily (app_id, day, dau, users) VALUES (11, '2023-03-05', 3, '{a,b,"c d"}'), (11, '2023-03-06', 2, '{用户,b}');
		INSERT INTO im_login SELECT 11, 'user ' || n, '2023-03-07 12:00+08' FROM generate_series(1, 30) n;
		INSERT INTO im_rate_card_version SELECT 'other', effective_from, terms FROM im_rate_card_version WHERE rate_card = 'intl';
		UPDATE im_group SET disbanded_at = created_at + interval '1 hour' WHERE group_id = 'g7';
		DELETE FROM im_login WHERE app_id = 1 AND at < '2023-03-05';
		UPDATE im_suspension SET days = '[2023-03-21,2023-04-03)' WHERE app_id = 4;
		UPDATE im_app SET name = 'renamed' WHERE app_id = 2;
	}, 'rows of every kind come, change and go');
	psql_ok($db, "CALL $schema.im_adjust_month('2023-03', 4)", 'and notes are issued');
});
$publisher->wait_for_catchup('books');
($there, $here) = map { my $node = $_; on($node, sub { readings($db, $schema) }) } $publisher, $subscriber;
# but what tells the tables of one server from others, and that a subscription feeds them
s/^im_raw_leaves\|.*\n?//mg for $here, $there;
same($here, $there, 'every reading function says the same on the subscriber');
is(on($subscriber, sub { counts($db, $schema) }), on($publisher, sub { counts($db, $schema) }), 'and it has the same rows');
on($subscriber, sub {
	is(psql($db, "SELECT * FROM $schema.im_verify_invoices()"), '', 'digests are whole there');
	is(psql($db, "SELECT $schema.im_month_root('2023-03')"), on($publisher, sub { psql($db, "SELECT $schema.im_month_root('2023-03')") }),
		'the month has the same root');
	psql_fails($db, "UPDATE $schema.im_invoice SET total = 0", qr/issued/, 'and what was issued is guarded');
});

done_testing();
