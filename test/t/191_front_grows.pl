#!/usr/bin/perl
#
# 191_front_grows.pl
#	  A partition moves to another server while writers go on: as a standby that is
#	  promoted, and by logical replication.  The front is told by ALTER SERVER.
#
# A failure means that who grows loses rows that were acknowledged, bills them
# twice, meters everything anew without need, or loses numbers or rights.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use IPC::Run ();
use PostgreSQL::Test::Utils;
use Test::More;
use BillingData;
use FrontCluster;

plan skip_all => 'there is no plproxy' if !have_plproxy();

my $old = start_server('old');
make_books($old, $old);
my @app = map { psql('front', "SELECT min(app_id) FROM im_app WHERE im_partition_of(app_id) = $_") } 0, 1;
psql_ok('front', "SELECT im_meter('2023-03-01', '2023-04-30')", 'all is metered');
same_books('the front is one node');

# ---- writers: one row a transaction through the front, until the file is there ----

sub start_writer
{
	my ($tag, $partition) = @_;
	my $stop = "$BillingData::work/stop_$tag";
	my $step = qq{INSERT INTO im_login VALUES ($app[$partition], '$tag %d', '2024-02-05 12:00+08');
		\\if :ERROR
		\\else
		\\echo $tag %d
		\\endif
		\\if `test -e $stop && echo 1 || echo 0`
		\\q
		\\endif
		\\! sleep 0.02
		};
	my %writer = (tag => $tag, stop => $stop, script => join('', map { sprintf($step, $_, $_) } 1 .. 20000), out => '', err => '');

	$writer{psql} = IPC::Run::start([ 'psql', '-XqAt', '-d', 'front' ], '<', \$writer{script}, '>', \$writer{out}, '2>', \$writer{err});
	wait_for_rows(\%writer, 3);
	return \%writer;
}

# Until that many more rows are acknowledged
sub wait_for_rows
{
	my ($writer, $more) = @_;
	my $wanted = ($writer->{out} =~ tr/\n//) + $more;

	$writer->{psql}->pump while ($writer->{out} =~ tr/\n//) < $wanted && $writer->{psql}->pumpable;
	return ok(($writer->{out} =~ tr/\n//) >= $wanted, "the writer of $writer->{tag} goes on");
}

sub stop_writer
{
	my ($writer) = @_;

	append_to_file($writer->{stop}, '');
	eval { $writer->{psql}->finish };
	my @there = split /\n/, psql('front', "SELECT user_id FROM im_login WHERE user_id LIKE '$writer->{tag} %'");
	my %there = map { $_ => 1 } @there;
	is(scalar(keys %there), scalar(@there), 'no row is there twice');
	is(join(', ', grep { !$there{$_} } split /\n/, $writer->{out}), '', 'and none that was acknowledged is missing');
	unlike($writer->{err}, qr/ERROR(?!.*(read-only|terminating|part\d|could not connect|connection|no connection))/,
		'a writer was refused for nothing else than the move');
	return scalar @there;
}

# No client of the old place writes any more; replication goes on.
sub fence
{
	my ($db) = @_;

	psql_ok('postgres', "ALTER DATABASE $db SET default_transaction_read_only = on", "$db takes no more rows");
	psql_ok('postgres', "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '$db' AND backend_type = 'client backend'", 'from anybody');
	return;
}

sub tell_front
{
	my ($i, $node) = @_;
	my ($host, $port) = ($node->host, $node->port);

	psql_ok('front', "ALTER SERVER im_front OPTIONS (SET p$i \$c\$" . connection($node, "part$i") . "\$c\$);
		ALTER SERVER im_partition_$i OPTIONS (SET host '$host', SET port '$port')", "the front is told of part$i");
	return;
}

# Orders, events and a close after a move
sub goes_on
{
	my ($tag, $order, $close) = @_;

	foreach my $db ('front', 'one')
	{
		psql_ok($db, "INSERT INTO im_order (app_id, order_id, at, action, item, option, quantity, paid)
			VALUES ($_, $order, '2023-04-20 10:00+08', 'charge', 'manual', '$tag', 1, 12.5)", "$db takes an order")
		  foreach grep { psql('one', "SELECT count(*) FROM im_app WHERE app_id = $_") } @app;
		psql_ok($db, "INSERT INTO im_login SELECT $_, '$tag ' || n, '2023-04-21 12:00+08' FROM generate_series(1, 30) n", "$db takes events") foreach @app;
		psql_ok($db, $close, "$db: $close");
	}
	same_books("after $tag the front is one node");
	is(psql('front', "SELECT problem FROM im_check('2023-03'::im_month) WHERE app_id IS NULL"), '', 'and im_check finds nothing wrong with the partitions');
	return;
}

# ---- by a standby of the whole server ----

my $writer = start_writer('standby', 1);
$old->backup('base');
my $new = PostgreSQL::Test::Cluster->new('new');
$new->init_from_backup($old, 'base', has_streaming => 1);
$new->start;
wait_for_rows($writer, 3);
fence('part1');
$old->wait_for_catchup($new, 'replay', $old->lsn('insert'));
$new->promote;
on($new, sub {
	psql_ok('postgres', 'ALTER DATABASE part1 RESET default_transaction_read_only; DROP DATABASE part0; DROP DATABASE one; DROP DATABASE front', 'the new server keeps part1 alone');
});
tell_front(1, $new);
wait_for_rows($writer, 3);
cmp_ok(stop_writer($writer), '>=', 9, 'rows of before, meanwhile and after');
psql_ok('postgres', 'ALTER DATABASE part1 RENAME TO part1_was', 'nobody is led to the old place');
same_books('a moved partition says what it said');
on($new, sub {
	is(psql('part1', "SELECT im_meter('2023-03-01', '2023-04-30')"), '0', 'metering came along: nothing is metered anew');
	isnt(psql('part1', "SELECT im_meter('2024-02-05', '2024-02-05')"), '0', 'but what came meanwhile');
});
goes_on('standby', 900, "CALL im_close_month('2023-03')");

# ---- by logical replication ----

psql_ok('postgres', 'CREATE ROLE auditor LOGIN', 'a role of the old server');
psql_ok('part0', "SELECT im_grant('auditor', 'reader')", 'reads there');
on($new, sub {
	psql_ok('postgres', 'CREATE ROLE auditor LOGIN; CREATE DATABASE part0', 'roles are made on the new server first');
	psql_ok('part1', "SELECT im_grant('auditor', 'reader')", 'and read there');
});
psql_ok('front', "SELECT im_front_admit('auditor', 'auditor')", 'and at the front');
my $seen = psql('front', "SELECT count(*), sum(total) FROM im_monthly_totals('2023-03'::im_month)", user => 'auditor');
my $metered = psql('part0', 'SELECT count(*) FROM im_usage_daily WHERE metered_at IS NOT NULL');
my $numbers = psql('part0', 'SELECT string_agg(number, \' \' ORDER BY number COLLATE "C") FROM im_invoice');
like($numbers, qr/00000001/, 'there are numbers to keep');

$writer = start_writer('logical', 0);
# tables, grants, triggers and partitions as they are, before any row
my $schema = '';
IPC::Run::run([ 'pg_dump', '--schema-only', '-d', 'part0' ], '>', \$schema);
on($new, sub { psql_ok('part0', $schema, 'the schema is restored, rights included') });
psql_ok('part0', 'CREATE PUBLICATION moving FOR ALL TABLES', 'all tables are published');
(my $from = $old->connstr('part0')) =~ s/'/''/g;
on($new, sub { psql_ok('part0', "CREATE SUBSCRIPTION moving CONNECTION '$from' PUBLICATION moving", 'and subscribed to') });
ok($new->poll_query_until('part0', "SELECT count(*) > 0 AND bool_and(srsubstate = 'r') FROM pg_subscription_rel"), 'the copy is done');
wait_for_rows($writer, 3);
fence('part0');
$old->wait_for_catchup('moving');
on($new, sub { psql_ok('part0', 'DROP SUBSCRIPTION moving', 'the new place stands alone') });
tell_front(0, $new);
wait_for_rows($writer, 3);
cmp_ok(stop_writer($writer), '>=', 9, 'rows of before, meanwhile and after');
psql_ok('postgres', 'ALTER DATABASE part0 RENAME TO part0_was', 'nobody is led to the old place');
same_books('a copied partition says what it said');
is(psql('front', "SELECT count(*), sum(total) FROM im_monthly_totals('2023-03'::im_month)", user => 'auditor'), $seen, 'who was admitted reads as before');
on($new, sub {
	cmp_ok($metered, '>', 0, 'there was something metered');
	cmp_ok(psql('part0', "SELECT im_meter('2023-03-01', '2023-04-30')"), '>=', 1, 'metering is done anew');
	is(psql('part0', "SELECT im_meter('2023-03-01', '2023-04-30')"), '0', 'once');
	is(psql('part0', 'SELECT string_agg(number, \' \' ORDER BY number COLLATE "C") FROM im_invoice'), $numbers, 'numbers came along');
	is(psql('part0', "SELECT count(*) FROM pg_sequences"), '0', 'and depend on no sequence, which replication leaves behind');
});
goes_on('logical', 901, "CALL im_close_month('2023-04')");
on($new, sub {
	is(psql('part0', 'SELECT count(DISTINCT left(number, -8)) FROM im_invoice WHERE currency = \'CNY\''), '1', 'and go on in their series');
});

done_testing();
