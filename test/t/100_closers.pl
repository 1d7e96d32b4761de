#!/usr/bin/perl
#
# 100_closers.pl
#	  Eight closers at once, of one month and of two, while orders, usage and apps
#	  come in: every app has exactly one invoice, nothing is lost, nobody fails.
#
# IMB_CLOSER_APPS (300) apps are closed; 20000 make a run of minutes.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use IPC::Run ();
use Test::More;
use BillingData;

my $apps = $ENV{IMB_CLOSER_APPS} // 300;
my $db = create_database('closers');
psql_ok($db, qq{
	CREATE EXTENSION imbilling;
	SELECT im_create_tables();
	INSERT INTO im_app (app_id, name) SELECT n * 7, 'app ' || n FROM generate_series(1, $apps) n;
	INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
	SELECT n * 7, 1, '2023-01-01 10:00+08', 'buy', 'plan', 'pro', 12 FROM generate_series(1, $apps) n WHERE n % 5 <> 0;
	INSERT INTO im_usage_daily (app_id, day, dau, text_checks)
	SELECT n * 7, d, hashint8(n) & 65535, 10 FROM generate_series(1, $apps) n,
		unnest('{2023-01-05,2023-02-05,2023-03-05}'::date[]) d;}, "$apps apps");

# psql sessions that run at once; what each says on its error channel.
sub at_once
{
	my (@statements) = @_;
	my @runs;

	local $ENV{PGOPTIONS} = '-c client_min_messages=notice';
	foreach my $statement (@statements)
	{
		my %run = (out => '', err => '');
		$run{handle} = IPC::Run::start(
			[ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $db, '-c', $statement ],
			'<', \undef, '>', \$run{out}, '2>', \$run{err});
		push @runs, \%run;
	}
	IPC::Run::finish($_->{handle}) foreach @runs;
	return map { $_->{err} } @runs;
}

sub all_well
{
	my ($what, @errors) = @_;
	my @wrong = grep { /ERROR|FATAL|deadlock/ } @errors;

	is(scalar(@wrong), 0, "$what: nobody fails") or diag(@wrong);
	return;
}

# Every app has one invoice or had no lines, and all that is not in one drifts.
sub whole
{
	my ($month, $what) = @_;

	is(psql($db, "SELECT count(*) FROM (SELECT app_id FROM im_invoice WHERE month = '$month-01' AND revision = 0
		GROUP BY app_id HAVING count(*) > 1) d"), '0', "$what: no app has two invoices");
	is(psql($db, "SELECT state FROM im_close_progress WHERE month = '$month-01'"), 'closed', "$what: the month is closed");
	is(psql($db, 'SELECT * FROM im_verify_invoices()'), '', "$what: all documents are whole");
	is(psql($db, q{SELECT * FROM (SELECT number, row_number() OVER (PARTITION BY left(number, -8) ORDER BY issued_at, number) AS n FROM im_invoice) s
		WHERE right(number, 8)::bigint IS DISTINCT FROM n LIMIT 3}), '', "$what: numbers without gap and double, in the order of issue");
	is(psql($db, q{SELECT count(*) FILTER (WHERE kind ~ 'issued'), count(DISTINCT (app_id, month, revision)), (SELECT count(*) FROM im_invoice) FROM im_outbox})
		=~ s/^(\d+)\|\1\|\1$//r, '', "$what: the outbox has each document once");
	# each invoice is a bill under one snapshot: its total is that of its lines
	is(psql($db, qq{SELECT i.app_id FROM im_invoice i JOIN im_invoice_line l USING (app_id, month, revision)
		GROUP BY i.app_id, i.month, i.revision, i.total HAVING i.revision = 0 AND i.total <> round(sum(l.amount), 2)}), '',
		"$what: each total is that of its lines");
	is(psql($db, qq{SELECT a.app_id
		FROM im_app a
		LEFT JOIN im_internal.im_retotals('$month') r USING (app_id)
		LEFT JOIN im_monthly_totals('$month') t USING (app_id)
		LEFT JOIN im_drift('$month') d USING (app_id)
		WHERE coalesce(r.total, 0) <> coalesce(t.total, 0) + coalesce(d.difference, 0) LIMIT 3}), '',
		"$what: what is not issued is drift");
	return;
}

# Quiet: the work is shared
my @said = at_once(("CALL im_close_month('2023-01', 10)") x 8);
all_well('eight closers', @said);
whole('2023-01', 'eight closers');
is(psql($db, "SELECT count(*) FROM im_invoice WHERE month = '2023-01-01'"),
	psql($db, "SELECT count(DISTINCT app_id) FROM im_internal.im_rebills('2023-01')"), 'every app with lines has its invoice');
is(psql($db, "SELECT * FROM im_drift('2023-01')"), '', 'and nothing drifts');
my @roots = map { /root (\w+)/ ? $1 : '' } @said;
is(join(' ', grep { $_ ne $roots[0] } @roots), '', 'all of them print the same root');
is("\\x$roots[0]", psql($db, "SELECT im_month_root('2023-01')"), 'that of the month');

# Two months at once, backwards, under load
my $script = "$BillingData::work/load.sql";
open(my $out, '>', $script) or die "$script: $!";
print $out <<"SQL";
\\set app 7 * random(1, $apps)
\\set day random(1, 28)
\\set id random(10, 1000000000)
INSERT INTO im_order (app_id, order_id, at, action, item) VALUES (:app, :id, timestamptz '2023-02-01 12:00+08' + :day * interval '1 day', 'on', 'moderation') ON CONFLICT DO NOTHING;
BEGIN;
INSERT INTO im_usage_daily (app_id, day, dau) VALUES (:app, date '2023-02-01' + :day, :id % 100000) ON CONFLICT (app_id, day) DO UPDATE SET dau = excluded.dau;
UPDATE im_app SET name = name || '.' WHERE app_id = :app;
COMMIT;
INSERT INTO im_call (app_id, at, class, seconds) VALUES (:app, timestamptz '2023-03-01 12:00+08' + :day * interval '1 day', 'hd', :day);
INSERT INTO im_app (app_id, name) VALUES (:app + 1, 'late') ON CONFLICT DO NOTHING;
INSERT INTO im_call (app_id, at, class, seconds) VALUES (:app + 1, timestamptz '2023-02-01 12:00+08' + :day * interval '1 day', 'sd', 61);
SQL
close($out);
my ($bench_out, $bench_err) = ('', '');
my $load = IPC::Run::start([ 'pgbench', '-n', '-c', '4', '-j', '2', '-T', '4', '-f', $script, $db ],
	'>', \$bench_out, '2>', \$bench_err);
all_well('closers of two months', at_once(("CALL im_close_month('2023-03', 7)") x 4, ("CALL im_close_month('2023-02', 13)") x 4));
all_well('closers and adjusters', at_once(map { "CALL im_adjust_month('2023-0$_', 50)" } 1, 2, 3, 2, 3));
IPC::Run::finish($load);
is($load->result(0), 0, 'pgbench ends well') or diag($bench_err);
unlike($bench_err, qr/error|aborted/i, 'orders, usage and apps were never refused');
like($bench_out, qr/actually processed: [1-9]\d{1,}/, 'and many came in');
whole('2023-02', 'two months under load');
whole('2023-03', 'two months under load');

# What came late, at any rate after the last note
psql_ok($db, qq{INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
	SELECT app_id, 9, '2023-02-20 10:00+08', 'buy', 'local_moderation', '', 1 FROM im_app ORDER BY app_id LIMIT 20}, 'late orders');
isnt(psql($db, "SELECT * FROM im_drift('2023-02') LIMIT 1"), '', 'what came after the last note drifts');
all_well('eight adjusters', at_once((map { "CALL im_adjust_month('2023-0$_', 20)" } 2, 3) x 4));
is(psql($db, "SELECT * FROM im_drift('2023-0$_')"), '', "nothing drifts in month $_") for 2, 3;
is(psql($db, qq{SELECT app_id, month FROM im_invoice WHERE month > '2023-01-01' GROUP BY app_id, month
	HAVING sum(total) <> round((SELECT sum(amount) FROM im_rebill(app_id, month)), 2) LIMIT 3}), '',
	'the documents of each app come to its bill');
is(psql($db, 'SELECT * FROM im_verify_invoices()'), '', 'and all of them are whole');

done_testing();
