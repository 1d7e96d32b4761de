#!/usr/bin/perl
#
# 164_crashes.pl
#	  kill -9 of a backend or of the whole server, and cancels, at random moments of
#	  load, metering, close, adjust, paying and suspending, with fsync on.  Two
#	  close and adjust at once, while a cashier records payments and two jobs
#	  suspend for arrears.
#
# After every fault the server recovers, the step is done again, and the year
# goes on.  At its end it must be, document by document, line by line, payment by
# payment and suspension by suspension, that of a database where nothing happened.
# A failure means money lost, or billed or booked twice, by a crash, a number of a
# document left out or given twice, or a customer told twice or never.
#
# CRASHES=100 for that many moments (default 10), half of them cancels;
# CRASH_SEED to repeat a run.
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

my $crashes = $ENV{CRASHES} || 10;
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
	my ($sql, @user) = @_;
	my $step = { in => "SELECT pg_backend_pid();\n$sql;\n", out => '', err => '' };

	$step->{session} = IPC::Run::start([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', @user, '-d', 'crashed' ],
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

# ---- who pays, and who is stopped ----

# Five apps an account.  Some pay ahead, some never, and some get back in every
# other month what they paid in the one before.
psql_ok($_, q{
	INSERT INTO im_account (account_id, name, opened_on) SELECT n, 'account ' || n, '2023-01-01' FROM generate_series(0, 19) n;
	UPDATE im_app SET account_id = app_id % 20;}, "accounts in $_") for qw(whole crashed);
psql_ok('postgres', 'CREATE ROLE till LOGIN', 'a cashier');
psql_ok($_, q{SELECT im_grant('till', 'cashier')}, "who is one in $_") for qw(whole crashed);

# While these steps run, payments come in.
sub paid_with
{
	return $_[0] =~ /^(close|adjust)$/;
}

# Of the month after a month: a payment a transaction, told when it is
# committed, and the job of its 14th.
sub paying_steps
{
	my ($month) = @_;
	my ($year, $number) = $month =~ /^(\d+)-0?(\d+)$/;
	my $next = sprintf '%d-%02d', $year + int($number / 12), $number % 12 + 1;
	my $place = $year * 12 + $number;
	my $pay = '';

	foreach my $account (grep { $_ % 3 } 0 .. 19)
	{
		my $amount = $account % 3 == 1 ? 25_000 : ($place % 2 ? 2_000_000 : -2_000_000);

		foreach ([ "${place}1", 'CNY' ], [ "${place}2", 'USD' ])
		{
			my ($id, $currency) = @$_;

			$pay .= "INSERT INTO im_payment (account_id, payment_id, at, amount, currency)"
			  . " VALUES ($account, $id, '$next-04 10:00+08', $amount, '$currency') ON CONFLICT DO NOTHING;\n\\echo paid $account|$id\n";
		}
	}
	return ($pay, "SELECT im_suspend_arrears('$next-14 00:10+08')");
}

# Payments, and suspensions by day
sub money
{
	return q{SELECT count(*), md5(string_agg(concat_ws(' ', account_id, payment_id, at AT TIME ZONE 'UTC', amount, currency), ',' ORDER BY account_id, payment_id)) FROM im_payment;
		SELECT count(*), count(*) FILTER (WHERE NOT upper_inf(days)), md5(string_agg(s::text, ',' ORDER BY s::text)) FROM im_suspension s;
		SELECT md5(string_agg(concat_ws(' ', account_id, b), ',' ORDER BY account_id, b)) FROM im_account, im_balance(account_id, '2023-12-31') b;};
}

# What must be empty at any time: an app that was told of otherwise than stopped
# and resumed in turns, or last otherwise than it is, or with fewer rows.
sub broken_money
{
	return q{SELECT app_id, n, kind FROM (SELECT app_id, kind, row_number() OVER (PARTITION BY app_id ORDER BY at) AS n FROM im_outbox WHERE kind IN ('app_suspended', 'app_resumed')) o
			WHERE kind <> CASE n % 2 WHEN 1 THEN 'app_suspended' ELSE 'app_resumed' END;
		SELECT app_id FROM im_app a LEFT JOIN (SELECT app_id, count(*) FILTER (WHERE kind = 'app_suspended') AS begun, count(*) FILTER (WHERE kind = 'app_resumed') AS ended FROM im_outbox GROUP BY 1) o USING (app_id)
			LEFT JOIN (SELECT app_id, count(*) AS rows, count(*) FILTER (WHERE upper_inf(days)) AS running FROM im_suspension GROUP BY 1) s USING (app_id)
			WHERE coalesce(begun - ended, 0) <> coalesce(running, 0) OR coalesce(begun, 0) < coalesce(rows, 0);};
}

# ---- the year without faults, which tells how long a step takes ----

my @months = months_of(int(($crashes + 9) / 10));
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
		next if !paid_with($name);
		is((psql_both('whole', $_, user => 'till'))[0], 0, 'the cashier pays, and suspends') foreach paying_steps($month);
	}
}
my $whole = psql('whole', issued_documents() . money());
is(psql('whole', broken_documents()), '', 'its documents are whole');
like($whole, qr/^2023-01-01\|/m, 'there are some');

# ---- the year with them ----

my ($done, %hit) = (0);

# What the cashier was told is paid: account and payment.
my %told;

sub crash_in
{
	my ($name, $sql, $month) = @_;
	my $kind = qw(backend cancel server cancel)[ $done++ % 4 ];
	my $before = checkpointer();
	my @others = ();
	my ($victim, @begun) = ($name, $sql);

	if (paid_with($name))
	{
		my ($pay, $suspend) = paying_steps($month);

		@others = ([ 'pay', $pay, '-U', 'till' ], map { [ 'suspend', $suspend, '-U', 'till' ] } 1, 2);
		# in half of them two closers work beside the victim, else the closer is it
		if (rand() < 0.5)
		{
			($victim, @begun) = @{ splice(@others, rand @others, 1) };
			push @others, [ $name, $sql ], [ $name, $sql ];
		}
	}
	# the victim is begun last, since it may take less time than to begin all
	my @steps = map { my ($what, @step) = @$_; [ $what, begin_step(@step) ] } @others, [ $victim, @begun ];
	my $step = $steps[-1][1];

	sleep rand(($takes{$victim} // $takes{$name}) * 0.9);
	if ($kind eq 'server') { kill_server() }
	else { kill $kind eq 'cancel' ? 'INT' : 'KILL', $step->{pid} }
	my $ended = end_step($step);
	end_step($_->[1]) foreach @steps;
	$told{$_} = 1 foreach map { $_->[1]{out} =~ /^paid (\d+\|\d+)$/mg } grep { $_->[0] eq 'pay' } @steps;
	$hit{"$kind of $victim" . ($ended ? ', too late' : '')}++;
	$node->start if $kind eq 'server';
	wait_for_server($before) if $kind ne 'cancel';
	is(psql('crashed', broken_documents() . broken_money()), '', "$name of a month, $kind of $victim: nothing half-issued, half-told or half-stopped");
	my %there = map { $_ => 1 } split /\n/, psql('crashed', 'SELECT account_id, payment_id FROM im_payment');
	is(join(' ', grep { !$there{$_} } sort keys %told), '', scalar(keys %told) . ' payments that the cashier was told of are there');
	return;
}

for my $month (@months)
{
	for my $step (steps_of($month, $apps))
	{
		my ($name, $sql) = @$step;

		foreach (1 .. ($name eq 'close' ? 4 : $name eq 'adjust' ? 3 : 1))
		{
			crash_in($name, $sql, $month) if $done < $crashes;
		}
		my ($code, $out) = psql_both('crashed', $sql);
		# a load that was committed before the fault is known by its batch
		ok($code == 0 || ($name =~ /load/ && $out =~ /im_load_pkey/), "$name of $month, again") or diag($out);
		next if !paid_with($name);
		is((psql_both('crashed', $_, user => 'till'))[0], 0, 'the cashier pays, and suspends, again') foreach paying_steps($month);
	}
}
same(psql('crashed', issued_documents() . money()), $whole, "after $done faults the year is that of a server that had none");
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
