#!/usr/bin/perl
#
# 164_crashes.pl
#	  kill -9 of a backend or of the whole server, and cancels, at random moments of
#	  load, metering, close and adjust, with fsync on; two close and adjust at once.
#
# After every fault the server recovers, the step is done again, and the year
# goes on.  At its end it must be, document by document and line by line, that
# of a database where nothing happened.  A failure means money lost, or billed
# twice, by a crash, or a number of a document left out or given twice.
#
# CRASHES=50 for that many moments (default 5), CRASH_SEED to repeat a run.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);
use BillingData;
use BusyBooks;

my $crashes = $ENV{CRASHES} || 5;
my $seed = $ENV{CRASH_SEED} || time;
my $apps = 100;

srand($seed);
note("CRASH_SEED=$seed CRASHES=$crashes");

my $node = PostgreSQL::Test::Cluster->new('crashing');
$node->init;
$node->append_conf('postgresql.conf', "fsync = on\nfull_page_writes = on\nsynchronous_commit = on\nwal_level = replica\nmax_wal_senders = 5\n"
	. "restart_after_crash = on\nautovacuum = off\n");
$node->start;
$ENV{PGHOST} = $node->host;
$ENV{PGPORT} = $node->port;
psql_ok('postgres', "CREATE DATABASE $_", "database $_") for qw(whole crashed);
psql_ok($_, books_schema($apps), "apps in $_") for qw(whole crashed);

# ---- faults ----

# A step in a session of its own, whose process is told first
sub begin_step
{
	my ($sql) = @_;
	my $step = { in => "SELECT pg_backend_pid();\n$sql;\n", out => '', err => '' };

	$step->{session} = IPC::Run::start([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', 'crashed' ],
		'<', \$step->{in}, '>', \$step->{out}, '2>', \$step->{err});
	$step->{session}->pump until $step->{out} =~ /^(\d+)\n/;
	$step->{pid} = $1;
	return $step;
}

sub end_step
{
	my ($step) = @_;

	eval { $step->{session}->finish };
	return $step->{session}->result(0) == 0;
}

sub children_of
{
	my ($parent) = @_;

	my @children;

	for my $pid (map { m{/(\d+)$} } glob '/proc/[0-9]*')
	{
		open(my $in, '<', "/proc/$pid/stat") or next;
		my $line = <$in> // '';
		push @children, $pid if $line =~ /^\d+ \(.*\) \S (\d+)/ && $1 == $parent;
	}
	return @children;
}

# Nothing of the server gets to write another byte.
sub kill_server
{
	open(my $file, '<', $node->data_dir . '/postmaster.pid') or die $!;
	chomp(my $postmaster = <$file>);
	my @processes = ($postmaster, children_of($postmaster));

	kill 'KILL', @processes;
	sleep 0.01 while grep { kill 0, $_ } @processes;
	$node->{_pid} = undef;
}

# A process that every start of the server gives another number; empty while
# nobody can connect.
sub checkpointer
{
	my $sql = q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'};

	IPC::Run::run([ 'psql', '-XqAt', '-d', 'crashed', '-c', $sql ], '>', \my $out, '2>', \my $err);
	return $out =~ s/\s+\z//r;
}

# A connection may still be had before the server knows that a backend died; one
# that ended before it was killed changes nothing.
sub wait_for_server
{
	my ($before) = @_;

	for my $try (1 .. 600)
	{
		my $now = checkpointer();

		return if $now ne '' && ($now ne $before || $try > 50);
		sleep 0.1;
	}
	BAIL_OUT('the server does not come back');
}

# ---- the year without faults, which tells how long a step takes ----

my @months = months_of(int(($crashes + 4) / 5));
my %takes;
for my $month (@months)
{
	for my $step (steps_of($month, $apps))
	{
		my ($name, $sql) = @$step;
		my $began = time;
		my ($code, $out) = psql_both('whole', $sql);

		is($code, 0, "$name of $month without a fault") or diag($out);
		my $took = time - $began;
		$takes{$name} = $took if $took < ($takes{$name} // 1e9);
	}
}
my $whole = psql('whole', issued_documents());
is(psql('whole', broken_documents()), '', 'its documents are whole');
like($whole, qr/^2023-01-01\|/m, 'there are some');

# ---- the year with them ----

my ($done, %hit) = (0);

sub crash_in
{
	my ($name, $sql) = @_;
	my $kind = qw(backend server cancel)[ $done++ % 3 ];
	my $before = checkpointer();
	my $step = begin_step($sql);
	my @others = map { begin_step($sql) } grep { $name =~ /close|adjust/ } 1;

	sleep rand($takes{$name} * 0.9);
	if ($kind eq 'server') { kill_server() }
	else { kill $kind eq 'cancel' ? 'INT' : 'KILL', $step->{pid} }
	my $ended = end_step($step);
	end_step($_) foreach @others;
	$hit{$ended ? "$name, too late" : $name}++;
	$node->start if $kind eq 'server';
	wait_for_server($before) if $kind ne 'cancel';
	is(psql('crashed', broken_documents()), '', "$name of a month, $kind: nothing half-issued");
	return;
}

for my $month (@months)
{
	for my $step (steps_of($month, $apps))
	{
		my ($name, $sql) = @$step;

		crash_in($name, $sql) if $done < $crashes;
		my ($code, $out) = psql_both('crashed', $sql);
		# a load that was committed before the fault is known by its batch
		ok($code == 0 || ($name =~ /load/ && $out =~ /im_load_pkey/), "$name of $month, again") or diag($out);
	}
}
same(psql('crashed', issued_documents()), $whole, "after $done faults the year is that of a server that had none");
is(psql('crashed', 'SELECT * FROM ' . join(' UNION ALL SELECT * FROM ', map { "im_drift('$_')" } @months)), '', 'nothing drifts');
note("hit: $_ $hit{$_} times") for sort keys %hit;

# ---- the reply that never came ----

# A commit that waits for a standby that is not there is on disk, but nobody is told.
sub lose_reply
{
	my ($what, $sql, $committed) = @_;

	psql_ok('postgres', q{ALTER SYSTEM SET synchronous_standby_names = 'nobody'; SELECT pg_reload_conf()}, 'commits wait');
	my $step = begin_step("SET synchronous_commit = on; $sql");
	ok($node->poll_query_until('postgres', "SELECT wait_event = 'SyncRep' FROM pg_stat_activity WHERE pid = $step->{pid}"),
		"$what: on disk, and no reply");
	my $before = checkpointer();
	kill 'KILL', $step->{pid};
	ok(!end_step($step), "$what: killed before the reply");
	wait_for_server($before);
	psql_ok('postgres', 'ALTER SYSTEM RESET synchronous_standby_names; SELECT pg_reload_conf()', 'commits do not wait');
	ok($node->poll_query_until('postgres', "SELECT current_setting('synchronous_standby_names') = ''"), 'any more');
	like(psql('crashed', $committed), qr/^[1-9]/, "$what: it was committed");
}

my ($month) = reverse months_of(@months + 1);
my %step = map { $_->[0] => $_->[1] } steps_of($month, $apps);
lose_reply('a load', $step{load}, "SELECT count(*) FROM im_login WHERE at >= '$month-01'");
my $loaded = psql('crashed', 'SELECT count(*) FROM im_login');
psql_fails('crashed', $step{load}, qr/im_load_pkey/, 'the same load again is refused');
is(psql('crashed', 'SELECT count(*) FROM im_login'), $loaded, 'and it is there once');
lose_reply('a close', $step{close}, "SELECT count(*) FROM im_invoice WHERE month = '$month-01'");
my ($code, $out) = psql_both('crashed', $step{close});
is($code, 0, 'the close goes on') or diag($out);
is(psql('crashed', broken_documents()), '', 'every app has one invoice');
is(psql('crashed', "SELECT * FROM im_drift('$month')"), '', 'and it is the bill');

done_testing();
