#!/usr/bin/perl
#
# 101_unbillable_apps.pl
#	  Closers with batches as they come, while writers hold hundreds of apps a
#	  transaction and some apps cannot be billed: each app is either closed with
#	  what it owes, or open; once it can be billed it gets its invoice.
#
# IMB_UNBILLABLE_APPS (2500) apps are closed; 5000 and IMB_UNBILLABLE_ROUNDS=20 make minutes.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use IPC::Run ();
use Test::More;
use BillingData;

my $apps = $ENV{IMB_UNBILLABLE_APPS} // 2500;
my $rounds = $ENV{IMB_UNBILLABLE_ROUNDS} // 2;
my $failing = 20;
my $db = create_database('unbillable');

# ids with gaps; every tenth app has nothing to pay
psql_ok($db, qq{
	CREATE EXTENSION imbilling;
	SELECT im_create_tables();
	INSERT INTO im_app (app_id, name) SELECT n * 3, 'app ' || n FROM generate_series(1, $apps) n;
	INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
	SELECT n * 3, 1, '2023-01-01 10:00+08', 'buy', 'plan', 'pro', 24 FROM generate_series(1, $apps) n WHERE n % 10 <> 0;
	INSERT INTO im_usage_daily (app_id, day, dau)
	SELECT a.app_id, m + 4, 20001
	FROM im_app a, generate_series(0, $rounds) r, LATERAL (SELECT ('2023-01-01'::date + r * interval '1 month')::date) m(m)
	WHERE a.app_id % 10 <> 0;
	CREATE SEQUENCE placed START 1000;}, "$apps apps");

my $script = "$BillingData::work/orders.sql";
open(my $out, '>', $script) or die "$script: $!";
print $out <<"SQL";
\\set first random(1, $apps)
INSERT INTO im_order (app_id, order_id, at, action, item)
SELECT 3 * (1 + (:first + i) % $apps), nextval('placed'), timestamptz '2023-01-15 12:00+08', 'on', 'moderation' FROM generate_series(1, 300) i;
SQL
close($out);

sub close_under_load
{
	my ($month) = @_;
	my ($said, $err, @closer) = ('', '');
	my $load = IPC::Run::start([ 'pgbench', '-n', '-c', 3, '-j', 1, '-T', 60, '-f', $script, $db ], '<', \undef, '>', \$said, '2>', \$err);

	for (1 .. 3)
	{
		my %closer = (err => '');
		$closer{run} = IPC::Run::start([ 'psql', '-XqAt', '-d', $db, '-c', "CALL im_close_month('$month')" ], '<', \undef, '>', \my $ignored, '2>', \$closer{err});
		push @closer, \%closer;
	}
	$_->{run}->finish for @closer;
	$load->signal('INT');
	eval { $load->finish };
	is(join('', grep { /ERROR/ && !/canceling statement/ } split /^/, $err), '', "$month: no writer fails");
	return map { $_->{err} } @closer;
}

for my $round (1 .. $rounds)
{
	my $month = sprintf '2023-%02d', $round;

	psql_ok($db, qq{UPDATE im_usage_daily SET dau = -dau WHERE day = '$month-05' AND app_id IN (
		SELECT app_id FROM im_usage_daily WHERE day = '$month-05' ORDER BY hashint8extended(app_id, $round) LIMIT $failing)}, "$month: $failing apps cannot be billed");
	my @said = close_under_load($month);
	is(scalar(grep { /the bills? of .* cannot be right/ } @said), 3, "$month: every closer says so") or diag(@said);
	is(scalar(grep { /ERROR/ && !/cannot be right/ } @said), 0, "$month: and nothing else") or diag(@said);
	is(psql($db, "SELECT state, total - done FROM im_close_progress WHERE month = '$month-01'"), "closing|$failing", "$month: these are open");
	is(psql($db, qq{SELECT count(*) FROM im_usage_daily u WHERE day = '$month-05' AND (u.dau < 0) <> NOT EXISTS (
		SELECT FROM im_closing c WHERE c.month = '$month-01' AND c.apps @> u.app_id)}), '0', "$month: and all others are closed");
	psql($db, "UPDATE im_usage_daily SET dau = -dau WHERE dau < 0");
	psql_ok($db, "CALL im_close_month('$month')", "$month: once they can be billed the close goes on");
	is(psql($db, "SELECT state FROM im_close_progress WHERE month = '$month-01'"), 'closed', "$month: to its end");
	is(psql($db, qq{SELECT count(*) FROM (SELECT app_id FROM im_usage_daily WHERE day = '$month-05' EXCEPT
		SELECT app_id FROM im_invoice WHERE month = '$month-01' AND revision = 0) x}), '0', "$month: every app that used anything has its invoice");
	is(psql($db, qq{SELECT count(*) FROM im_app a WHERE (SELECT count(*) FROM im_closing c WHERE c.month = '$month-01' AND c.without_lines @> a.app_id)
		<> CASE WHEN EXISTS (SELECT FROM im_invoice i WHERE i.app_id = a.app_id AND i.month = '$month-01')
		THEN 0 ELSE 1 END}), '0', "$month: and every other is noted to have had no lines");
	is(psql($db, 'SELECT * FROM im_verify_invoices()'), '', "$month: all is whole");
}
cmp_ok(psql($db, 'SELECT count(*) FROM im_order WHERE order_id >= 1000'), '>=', 900, 'writers were busy meanwhile');
is(psql($db, "SELECT * FROM im_drift('2023-01') LIMIT 3"), '', 'nothing was lost');

done_testing();
