#!/usr/bin/perl
#
# 165_limits.pl
#	  Cancelled, out of time, out of memory for a sort, out of temporary files, out of
#	  disk: an error, nothing half-issued, and the next call goes on.
#
# A failure means that a close which was stopped leaves books that are neither
# open nor closed, or a session that grows with every statement that is stopped.
#
# CANCELS=50 for that many random moments (default 8), LEAK_STOPS=200 for that
# many stops of each statement whose memory is compared (default 15),
# LIMITS_SEED to repeat a run.
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

my $cancels = $ENV{CANCELS} || 8;
my $leak_stops = $ENV{LEAK_STOPS} || 15;
my $seed = $ENV{LIMITS_SEED} || time;
my $apps = 100;

srand($seed);
note("LIMITS_SEED=$seed CANCELS=$cancels LEAK_STOPS=$leak_stops");

# ---- the disk is full ----

# No file may pass 3 MB: to the server that is a disk without room, in the
# middle of a table.  Segments of the log are 1 MB, so that they fit.
my $node = PostgreSQL::Test::Cluster->new('full');
$node->init(extra => ['--wal-segsize=1']);
$node->append_conf('postgresql.conf', "fsync = off\nautovacuum = off\nlogging_collector = off\nlog_statement = none\nmin_wal_size = 2MB\n");
$node->start;
$ENV{PGHOST} = $node->host;
$ENV{PGPORT} = $node->port;
psql_ok('postgres', 'CREATE DATABASE cramped', 'a database');
psql_ok('cramped', books_schema($apps) . qq{
	-- long names of options make invoices long
	INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
	SELECT n, 100 + i, '2023-01-03 10:00+08'::timestamptz + i * interval '1 minute', 'buy', 'moderation_pack', 'month', NULL
	FROM generate_series(1, $apps) n, generate_series(1, 220) i WHERE n % 10 <> 0 AND n % 7 <> 0;}, 'of long invoices');
my ($month) = months_of(1);
my %step = map { $_->[0] => $_->[1] } steps_of($month, $apps);
psql_ok('cramped', $step{load}, 'and usage');
my $bills = psql('cramped', "SELECT app_id, total FROM im_monthly_totals('$month') ORDER BY 1");

$node->stop;
ok(IPC::Run::run([ 'bash', '-c', 'ulimit -f 3072; exec "$@"', 'bash', 'pg_ctl', '-s', '-w', '-D', $node->data_dir, '-l',
			$node->logfile, 'start' ], '>', '/dev/null', '2>', '/dev/null'), 'a server whose files may not grow');
psql_fails('cramped', "CALL im_close_month('$month', 5)", qr/could not (?:extend|write).*/, 'the disk is full in the middle of a close');
my $issued = psql('cramped', 'SELECT count(*) FROM im_invoice');
ok($issued > 0 && $issued < split(/\n/, $bills), 'some invoices are issued, some are not') or diag($issued);
is(psql('cramped', broken_documents()), '', 'none of them by half');
is(psql('cramped', "SELECT app_id, total FROM im_monthly_totals('$month') ORDER BY 1"), $bills, 'bills are what they were');
psql_fails('cramped', qq{BEGIN; INSERT INTO im_load (source, batch) VALUES ('gateway', 'too much');
	INSERT INTO im_login (app_id, user_id, at) SELECT 1, 'user ' || i, '2023-02-01 00:00+08' FROM generate_series(1, 100000) i;
	COMMIT;}, qr/could not (?:extend|write)/, 'a load that does not fit');
is(psql('cramped', q{SELECT count(*) FROM im_load WHERE batch = 'too much'}), '0', 'is not noted as loaded');
ok(IPC::Run::run([ 'pg_ctl', '-s', '-w', '-D', $node->data_dir, '-m', 'fast', 'stop' ]), 'the server stops');
$node->start;
psql_ok('cramped', "CALL im_close_month('$month', 5)", 'with room the close goes on');
is(psql('cramped', "SELECT app_id, total FROM im_invoice ORDER BY 1"), $bills, 'each invoice is the bill');
is(psql('cramped', broken_documents() . "SELECT * FROM im_drift('$month')"), '', 'every app has one');

# ---- time and memory ----

psql_ok('postgres', "CREATE DATABASE $_", "database $_") for qw(whole limited);
psql_ok($_, books_schema($apps), "apps in $_") for qw(whole limited);
my @months = months_of(int(($cancels + 4) / 5));
my %took;
for my $month (@months)
{
	for my $step (steps_of($month, $apps))
	{
		my $began = time;
		psql_ok('whole', $step->[1], "$step->[0] of $month without limits");
		my $took = time - $began;
		$took{ $step->[0] } = $took if $took < ($took{ $step->[0] } // 1e9);
	}
}
my $whole = psql('whole', issued_documents());

# One session that is stopped again and again
my ($in, $out) = ('', '');
my $session = IPC::Run::start([ 'psql', '-XqAt', '-v', 'VERBOSITY=verbose', '-d', 'limited' ], '<', \$in, '>', \$out, '2>&1');

sub say_to
{
	my ($sql) = @_;

	$in .= "$sql;\n\\echo the end\n";
	$session->pump_nb;
}

sub answer
{
	$session->pump until $out =~ s/^the end\n//m;
	(my $answer = $out) =~ s/\s+\z//;
	$out = '';
	return $answer;
}

sub ask
{
	say_to(@_);
	return answer();
}

my $pid = ask('SET client_min_messages = error; SELECT pg_backend_pid()');

my ($done, $hit) = (0, 0);
for my $month (@months)
{
	for my $step (steps_of($month, $apps))
	{
		my ($name, $sql) = @$step;
		if ($done < $cancels)
		{
			$done++;
			if ($done % 4 == 0)
			{
				my $said = ask(sprintf "SET statement_timeout = %d; $sql; ROLLBACK; SET statement_timeout = 0", 1 + rand($took{$name} * 700));
				$hit++ if $said =~ /57014/;
				unlike($said, qr/ERROR:  (?!57014|25P01|25P02|23505)/, "$name of $month, out of time") or diag($said);
			}
			else
			{
				say_to("$sql; ROLLBACK");
				sleep rand($took{$name} * 0.7);
				# by another session, as pg_cancel_backend() is
				kill 'INT', $pid;
				my $said = answer();
				$hit++ if $said =~ /57014/;
				unlike($said, qr/ERROR:  (?!57014|25P01|25P02|23505)/, "$name of $month, cancelled") or diag($said);
			}
			is(psql('limited', broken_documents()), '', 'nothing is half-issued');
		}
		my $began = time;
		my $said = ask("$sql; ROLLBACK");
		# the machine may have become quicker since
		$took{$name} = time - $began;
		unlike($said, qr/ERROR:  (?!23505|25P02)/, "$name of $month, again") or diag($said);
	}
}
same(psql('limited', issued_documents()), $whole, "after $done stops the books are those that were never stopped");
cmp_ok($hit, '>', 0, "$hit stops hit");

# ---- what a stop leaves in the session ----

# Two months on: one to adjust, one to meter and close.  The close and the
# adjustment are one batch each, so that a stop takes all of it back and the
# next one finds the same work.
my ($issued_month, $open_month) = (months_of(@months + 2))[-2, -1];
ask("$_->[1]; ROLLBACK") for (steps_of($issued_month, $apps))[0 .. 3], (steps_of($open_month, $apps))[0];
(my $late_load = (steps_of($open_month, $apps))[3][1]) =~ s/COMMIT;//;
my %whole = (
	load => "$late_load ROLLBACK",
	meter => "BEGIN; SELECT count(*) FROM im_meter('$open_month-01', '$open_month-28'); ROLLBACK",
	bills => "SELECT count(*) FROM im_monthly_bills('$open_month')",
	drift => "SELECT count(*) FROM im_drift('$issued_month')",
	page => "SELECT length(im_month_html('$issued_month'))",
	revenue => "SELECT count(*) FROM im_revenue('$months[0]', '$open_month')");
my %stopped = (%whole, close => "CALL im_close_month('$open_month', 1000)", adjust => "CALL im_adjust_month('$issued_month', 1000)");
for my $name (sort keys %whole)
{
	my $began = time;
	unlike(ask($whole{$name}), qr/ERROR/, "$name of a session that was stopped $done times");
	$took{$name} = time - $began;
}

# Bytes in the session's memory contexts, with the caches that the statements
# fill.  The server's buffers for temporary tables are left out: whatever the
# tables' sizes, they come to temp_buffers by and by.
sub allocated
{
	ask($_) for map { ($whole{$_}) x 2 } sort keys %whole;
	return ask(q{SELECT sum(used_bytes) FROM pg_backend_memory_contexts WHERE name <> 'LocalBufferContext'});
}

# Stops each statement so many times, and on until enough stops hit: what is
# cached once is small beside them.  Returns how many did.
sub stop_each
{
	my ($times, $enough) = @_;
	my $hits = 0;

	for my $round (1 .. 10 * $times)
	{
		last if $round > $times && $hits >= $enough;
		for my $name (sort keys %stopped)
		{
			my $said = ask(sprintf "SET statement_timeout = %d; $stopped{$name}; ROLLBACK; SET statement_timeout = 0", 1 + rand($took{$name} * 500));
			$hits++ if $said =~ /57014/;
		}
	}
	return $hits;
}

stop_each(5, 0);
my $before = allocated();
my $hits = stop_each($leak_stops, 60);
my $left = allocated() - $before;
cmp_ok($hits, '>', 20, "$hits stops of statements hit");
cmp_ok($left / ($hits || 1), '<', 512, "a stop leaves less than 512 bytes in the session: $left after $hits");
ask("CALL im_close_month('$open_month', 25); CALL im_adjust_month('$issued_month', 25)");
is(psql('limited', broken_documents() . "SELECT * FROM im_drift('$open_month'); SELECT * FROM im_drift('$issued_month')"), '', 'and both months can be closed');

# Little memory gives the same, few temporary files an error or the same.
my $reading = "SELECT * FROM im_monthly_bills('$months[0]'); SELECT * FROM im_rebill(1, '$months[0]'); SELECT * FROM im_drift('$months[0]');
	SELECT * FROM im_check('$months[0]'); SELECT * FROM im_verify_invoices()";
my $read = join "\n", sort split /\n/, psql('limited', $reading);
is(join("\n", sort split /\n/, psql('limited', "SET work_mem = '64kB'; SET hash_mem_multiplier = 1; $reading")), $read, 'work_mem of 64 kB: the same');
for my $limit (qw(0 64kB 1MB))
{
	my ($code, $said) = psql_both('limited', "SET work_mem = '64kB'; SET temp_file_limit = '$limit'; $reading");
	ok($code == 0 ? join("\n", sort split /\n/, $said) eq $read : $said =~ /temp_file_limit/, "temp_file_limit of $limit: an error or the same") or diag($said);
	($code, $said) = psql_both('limited', "SET work_mem = '64kB'; SET temp_file_limit = '$limit'; CALL im_close_month('2024-09', 500)");
	ok($code == 0 || $said =~ /temp_file_limit/, "temp_file_limit of $limit: a close fails or is done") or diag($said);
	is(psql('limited', broken_documents()), '', 'nothing is half-issued');
}

$session->finish;
done_testing();
