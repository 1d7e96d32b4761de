#!/usr/bin/perl
#
# 167_cancel.pl
#	  Every public function, cancelled in the middle of a large history: the cancel is
#	  heard within a bounded number of blocks of our code.
#
# The library is built once more with a counter at the head of each block
# (test/cancel/counted.c), which also sends the cancel.  So nothing depends on
# how fast or how busy the machine is.
#
# CANCEL_ORDERS=100000 for a larger history, CANCEL_POINTS=20 for more moments.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use IPC::Run ();
use Test::More;
use BillingData;

my $tree = $ENV{IMBILLING_TREE} || "$FindBin::Bin/../..";
my $orders = $ENV{CANCEL_ORDERS} || 12000;
my $points = $ENV{CANCEL_POINTS} || 2;

# The core asks every 10,000 steps (core.h), and a step is at most so many blocks.
my $bound = 10_000 * 400;

# ---- the library that counts ----

my $folder = "$BillingData::work/counted";
my $module = "$folder/imbilling.so";
chomp(my $include = qx(pg_config --includedir-server));
mkdir $folder;
chmod 0755, $BillingData::work;
my @flags = (qw(-std=gnu17 -O1 -w -fPIC), "-I$tree/src", '-isystem', $include);
my $compile = sub { join(' ', $ENV{CC} || 'cc', @flags, @_) };
run_ok([ 'sh', '-ec', "ls $tree/src/*/*.c $tree/src/*/*/*.c | xargs -P 2 -I FILE sh -c '"
		. $compile->('-fsanitize-coverage=trace-pc', '-c', 'FILE', '-o')
		. " $folder/\$(echo FILE | tr / _).o' && " . $compile->('-c', "$tree/test/cancel/counted.c", '-o', "$folder/counted.o")
		. " && " . $compile->('-shared', '-o', $module, "$folder/*.o") ], 'the library is built');

my $db = create_database('cancel');
psql_ok($db, qq{
	CREATE EXTENSION imbilling; SELECT im_create_tables();
	INSERT INTO im_app (app_id, name, opened_at) SELECT a, 'app', '2022-12-01 00:00+08' FROM generate_series(1, 500) a;
	INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
	SELECT a, 0, '2022-12-20 12:00+08', 'buy', 'plan', 'pro', 13 FROM generate_series(1, 500) a;
	INSERT INTO im_order (app_id, order_id, at, action, item, option, months, refunds)
	SELECT 1, g, timestamptz '2023-01-01 00:00+08' + g * (interval '360 days' / $orders),
		('{buy,buy,on,off,buy,refund,buy,buy}'::text[])[1 + g % 8],
		('{moderation_pack,local_moderation,moderation,moderation,call,call,moderation_pack,group_members}'::text[])[1 + g % 8],
		('{month,"","","",basic,basic,year_small,""}'::text[])[1 + g % 8],
		CASE WHEN g % 8 IN (1, 4, 7) THEN 1 END, CASE WHEN g % 8 = 5 THEN g - 1 END
	FROM generate_series(8, $orders - 1) g;
	INSERT INTO im_suspension SELECT 1, daterange(d::date, d::date + 1), 'arrears' FROM generate_series(timestamp '1900-01-01', '1990-01-01', '1 day') d;
	INSERT INTO im_login SELECT 1 + (g % 4 = 0)::int * (g % 500), 'user ' || g, timestamptz '2023-06-01 00:00+08' + g * interval '10 seconds' FROM generate_series(1, 200000) g;
	INSERT INTO im_group SELECT 1, g::text, timestamptz '2023-06-01 00:00+08' + g * interval '30 seconds', timestamptz '2023-06-10 00:00+08' + g * interval '20 seconds' FROM generate_series(1, 40000) g;
	INSERT INTO im_moderation_check SELECT 1 + g % 500, timestamptz '2023-06-01 00:00+08' + g * interval '20 seconds', 'audio', 70 FROM generate_series(1, 100000) g;
	INSERT INTO im_call SELECT 1 + g % 500, timestamptz '2023-06-01 00:00+08' + g * interval '20 seconds', 'sd', 70 FROM generate_series(1, 100000) g;
	CREATE FUNCTION cancel_after(bigint) RETURNS void AS '$module' LANGUAGE C STRICT;
	CREATE FUNCTION blocks_run() RETURNS bigint AS '$module' LANGUAGE C;
	CREATE FUNCTION longest_unheard() RETURNS bigint AS '$module' LANGUAGE C;
	UPDATE pg_proc SET probin = '$module' WHERE probin = '\$libdir/imbilling';
	VACUUM ANALYZE}, 'a large history');

# ---- what is asked ----

my $card = q{im_bundled_card('cn', '2019-12-10')};
my @questions = (
	q{SELECT im_check_orders()},
	q{SELECT count(*) FROM im_order_terms()},
	q{SELECT count(*) FROM im_monthly_bill(1, '2023-06')},
	q{SELECT count(*) FROM im_monthly_bills('2023-06')},
	q{SELECT im_monthly_total(1, '2023-06')},
	q{SELECT count(*) FROM im_monthly_totals('2023-06')},
	qq{SELECT count(*) FROM im_preview_bill(1, '2023-06', $card)},
	q{SELECT count(*) FROM im_moderation_statement(1, '2023-06')},
	q{SELECT count(*) FROM im_unbilled_usage('2023-06')},
	q{SELECT count(*) FROM im_daily_usage('2023-06')},
	q{SELECT count(*) FROM im_check('2023-06')},
	q{SELECT im_app_status(1, '2023-06-20 12:00+08')},
	q{SELECT count(*) FROM im_standing('2023-06', '2023-06-20 12:00+08')},
	q{SELECT count(*) FROM im_alerts('2023-06', 0, 400)},
	q{SELECT count(*) FROM im_explain(1, '2023-06', 1)},
	q{SELECT count(*) FROM im_cheapest_plan(1, '2023-06')},
	qq{SELECT count(*) FROM im_compare_cards('2023-06', $card, $card)},
	q{SELECT count(*) FROM im_running_bill(1, '2023-06-20 12:00+08')},
	q{SELECT * FROM im_forecast(1, '2023-06-20 12:00+08')},
	q{SELECT count(*) FROM im_app_revenue('2023-05', '2023-07')},
	q{SELECT count(*) FROM im_revenue('2023-05', '2023-07')},
	q{SELECT length(im_bill_html(1, '2023-06'))},
	q{SELECT length(im_month_html('2023-06'))},
	q{SELECT count(*) FROM im_bi_bill_line WHERE month = '2023-06-01'},
	q{SELECT count(*) FROM im_bi_order},
	q{SELECT count(*) FROM im_audit(1, '2023-06')},
	q{SELECT im_dau(user_id) FROM im_login},
	q{SELECT im_count(im_userset_agg(user_id)) FROM im_login},
	q{SELECT im_peak_groups(created_at, disbanded_at, '2023-06-01', '2023-07-01') FROM im_group},
	qq{SELECT im_moderation_deductions($card, kind, at, seconds) FROM im_moderation_check},
	q{SELECT im_meter()},
	q{INSERT INTO im_order (app_id, order_id, at, action, item) VALUES (1, 1000000000, '2023-12-31 00:00+08', 'on', 'moderation')},
	q{CALL im_close_month('MONTH')},
);

sub session
{
	my ($sql) = @_;
	my ($out, $err) = ('', '');

	IPC::Run::run([ 'psql', '-X', '-q', '-A', '-t', '-v', 'VERBOSITY=sqlstate', '-d', $db ], '<',
		\"SET client_min_messages = error; SET jit = off; SET max_parallel_workers_per_gather = 0; $sql", '>', \$out, '2>', \$err);
	return ($out, $err);
}

# The last number that was printed.
sub counted
{
	my ($out) = @_;
	return $out =~ /counted (\d+)\s*\z/ ? $1 : -1;
}

# A month is closed once: each call of im_close_month() closes the next one.
my $month = 0;
sub asked
{
	my ($question) = @_;
	my $next = sprintf('2023-%02d', 1 + $month++ % 12);

	return ($question =~ s/MONTH/$next/r, '') if $question =~ /MONTH/;
	return ($question, '') if $question =~ /^SELECT (?!im_meter)/;
	return ("BEGIN; $question; SET CONSTRAINTS ALL IMMEDIATE", 'ROLLBACK;');
}

for my $question (@questions)
{
	my ($ask, $back) = asked($question);
	my ($out) = session("SELECT cancel_after(0); $ask; $back SELECT 'counted ' || blocks_run()");
	my $blocks = counted($out);

	cmp_ok($blocks, '>', 0, "$question: its blocks are counted") or next;
	for my $point (1 .. $points)
	{
		my $after = int($blocks * ($point - 0.5) / $points) + 1;
		($ask, $back) = asked($question);
		my ($said, $error) = session("SELECT cancel_after($after); $ask; $back SELECT 'counted ' || longest_unheard()");
		my $longest = counted($said);

		ok($error =~ /57014/ && $longest >= 0 && $longest <= $bound,
			"$question, cancelled after $after of $blocks blocks, hears it $longest blocks later") or diag($error);
	}
}

done_testing();
