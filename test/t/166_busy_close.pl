#!/usr/bin/perl
#
# 166_busy_close.pl
#	  Eight closers at once while clients load usage, place orders and change cards.
#
# Every client places its two packs in one transaction, so that an invoice with
# an odd number of them was billed under two snapshots.  A failure means a
# document issued twice, a caller who was told of a deadlock, or a bill that
# was never true.
#
# BUSY_MONTHS=12 for that many months in a row (default 2).
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use IPC::Run ();
use Test::More;
use BillingData;
use BusyBooks;

my $apps = 100;
my $closers = 8;
my @months = months_of($ENV{BUSY_MONTHS} || 2);
my $db = create_database('busy');

psql_ok($db, books_schema($apps) . q{
	CREATE SEQUENCE placed START 1000;
	GRANT ALL ON SCHEMA public TO public;}, 'apps and orders');

sub script
{
	my ($name, $text) = @_;

	open(my $out, '>', "$BillingData::work/$name") or die $!;
	print $out $text;
	close($out);
	return ('-f', "$BillingData::work/$name");
}

sub clients
{
	my ($month) = @_;

	return (
		script('order', qq{\\set app random(1, $apps)
BEGIN;
INSERT INTO im_order (app_id, order_id, at, action, item, option)
SELECT :app, nextval('placed'), '$month-15 12:00+08', 'buy', 'moderation_pack', 'month'
FROM generate_series(1, 2) WHERE :app % 10 <> 0 AND :app % 7 <> 0;
COMMIT;
}),
		script('load', qq{\\set app random(1, $apps)
\\set class random(0, 2)
BEGIN;
INSERT INTO im_load (source, batch) VALUES ('gateway', 'batch ' || nextval('placed'));
INSERT INTO im_login (app_id, user_id, at) SELECT :app, 'user ' || i, '$month-10 12:00+08' FROM generate_series(1, 20) i;
INSERT INTO im_call (app_id, at, class, seconds) SELECT :app, '$month-10 12:00+08', 'hd', 60 FROM generate_series(1, 5) i WHERE :app % 10 <> 0;
COMMIT;
}),
		script('card', qq{\\set app random(1, $apps)
UPDATE im_app SET name = name || '.' WHERE app_id = :app;
UPDATE im_app SET rate_card = rate_card WHERE app_id = :app;
INSERT INTO im_rate_card_version (rate_card, effective_from, terms)
SELECT rate_card, effective_from + (nextval('placed') % 90000)::int + 10000, terms FROM im_rate_card_version WHERE rate_card = 'overseas'
ORDER BY effective_from LIMIT 1 ON CONFLICT DO NOTHING;
}),
		script('meter', qq{SELECT im_meter('$month-01', '$month-28') WHERE :client_id = 0;
SELECT count(*) FROM im_monthly_bills('$month') WHERE :client_id = 1;
}));
}

my ($transactions, $failed) = (0, '');
for my $month (@months)
{
	my ($out, $err, @closer) = ('', '');
	my $busy = IPC::Run::start([ 'pgbench', '-n', '-c', 4, '-j', 1, '-T', 60, clients($month), $db ], '<', '/dev/null', '>', \$out, '2>', \$err);

	for my $n (1 .. $closers)
	{
		my $closer = { out => '' };
		$closer->{run} = IPC::Run::start([ 'psql', '-XqAt', '-d', $db, '-c', "CALL im_close_month('$month', $n)" ],
			'<', '/dev/null', '>', \$closer->{out}, '2>&1');
		push @closer, $closer;
	}
	for my $closer (@closer)
	{
		$closer->{run}->finish;
		ok($closer->{run}->result(0) == 0 && $closer->{out} !~ /ERROR/, "a closer of $month ends well") or diag($closer->{out});
	}
	# the same with notes, while orders and usage keep coming
	for my $n (1 .. 2)
	{
		my ($code, $said) = psql_both($db, "CALL im_adjust_month('$month', 7)");
		is($code, 0, "and so do notes of $month") or diag($said);
	}
	$busy->signal('INT');
	eval { $busy->finish };
	$failed .= join '', grep { /ERROR|deadlock|abort/ && !/canceling statement due to user request/ } split /^/, $err;
	is(psql($db, broken_documents()), '', "documents of $month are whole");
	is(psql($db, qq{SELECT app_id, revision, sum(units) FROM im_invoice_line WHERE month = '$month-01' AND item = 'moderation_pack'
		GROUP BY 1, 2 HAVING sum(units)::int % 2 <> 0}), '', 'and each was billed under one snapshot');
	$transactions += psql($db, "SELECT count(*) FROM im_load");
}
is($failed, '', 'no client was told of an error');
cmp_ok($transactions, '>', 5 * @months, "clients were busy meanwhile: $transactions loads");
cmp_ok(psql($db, q{SELECT count(*) FROM im_invoice WHERE revision > 0}), '>', 0, 'and some of what they did came after the invoice');
for my $month (@months)
{
	psql_ok($db, "CALL im_adjust_month('$month')", "the last notes of $month");
	is(psql($db, "SELECT * FROM im_drift('$month')"), '', 'leave nothing to bill');
	is(psql($db, qq{SELECT i.app_id, i.total, t.total FROM (SELECT app_id, sum(total) AS total FROM im_invoice WHERE month = '$month-01' GROUP BY 1) i
		FULL JOIN (SELECT l.app_id, round(sum(l.amount), 2) AS total FROM im_app a, im_rebill(a.app_id, '$month') l GROUP BY l.app_id) t USING (app_id)
		WHERE i.total IS DISTINCT FROM t.total}), "", 'and the documents of an app add up to its bill');
}

done_testing();
