#!/usr/bin/perl
#
# 154_account_histories.pl
#	  Accounts over a year of random histories: orders as they come, voids of what
#	  was closed or refunded among them, credits and charges, also of days long
#	  past; payments on time, late, in part, too much, given back and told
#	  afterwards; months closed and adjusted on the way; and im_suspend_arrears()
#	  every few days.  After each run the orders taken are those that the
#	  independent reference takes, the suspensions are its to the day, and balances
#	  and arrears to the digit, and a second run changes nothing.  At the end the
#	  documents come to its bills, and their numbers have no gap.
#
# If one differed, a customer would be stopped on a day that the rules do not
# name, or told to owe what no bill says, or a typed order would stay for ever.
#
# IMBILLING_SEED repeats a run, IMBILLING_APPS makes it larger or smaller,
# IMBILLING_KEEP leaves the database to look around.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../reference";
use History;
use History::Database;
use History::Dice;
use Reference::Account;
use Reference::Amount;
use Reference::Bill;
use Reference::Calendar;
use Test::More;

my $seed = $ENV{IMBILLING_SEED} || time ^ ($$ << 12);
my $napps = $ENV{IMBILLING_APPS} || 5;

diag("IMBILLING_SEED=$seed IMBILLING_APPS=$napps");

my $history = make_history($seed, $napps, 12);
my @apps = @{ $history->{apps} };
my @months = @{ $history->{months} };
my $days = weighted(60 => 7, 10 => 0, 10 => 1, 20 => between(2, 30));
my $db = History::Database->new('t_account_histories');
foreach my $app (@apps)
{
	$app->{to_come} = $app->{orders};
	$app->{orders} = [];
	$app->{log} = Reference::Orders->new($app->{card});
}
$db->load($history);

sub day_text { return Reference::Calendar::show_day($_[0]) }

# ---- accounts: each has some of the apps, and some apps have none ----

my @accounts = map { {
		account_id => $_ == 1 ? 9223372036854775807 : $_,
		zone => pick('Asia/Shanghai', 'Asia/Shanghai', 'America/New_York'),
		from => $months[0] - 1,
		opened => chance(50) ? $months[0] - 400 : between($months[0] - 10, $months[3]),
		payments => [],
		apps => []
	} } 1 .. 1 + int($napps / 2.5);
foreach my $app (@apps)
{
	push @{ pick(@accounts)->{apps} }, $app if !chance(15);
	$app->{closed} = {};
}
# what came before the history may be owed too
$_->{from} = add_months(month_of($months[0]), -6) foreach @accounts;

$db->run(
	map({ "INSERT INTO im_account (account_id, name, time_zone, opened_on) VALUES ($_->{account_id}, 'x', '$_->{zone}', '" . day_text($_->{opened}) . "')" } @accounts),
	map({ my $account = $_; map { "UPDATE im_app SET account_id = $account->{account_id} WHERE app_id = $_->{app_id}" } @{ $account->{apps} } } @accounts));
my @free = grep { my $app = $_; !grep { grep { $_ == $app } @{ $_->{apps} } } @accounts } @apps;

# ---- what both say ----

sub suspensions_of
{
	return join "\n", sort map {
		my $app = $_;
		map { join ' ', $app->{app_id}, day_text($_->[0]), defined $_->[1] ? day_text($_->[1]) : '-', $_->[2] } @{ $app->{suspensions} }
	} @_;
}

sub stored_suspensions
{
	return join "\n", sort map { join ' ', @$_ }
	  $db->rows("SELECT app_id, lower(days), coalesce(upper(days)::text, '-'), reason FROM im_suspension");
}

sub standings_of
{
	my ($at) = @_;
	my @standings;

	foreach my $account (@accounts)
	{
		my $balances = balances_at($account, $at);
		my $since = arrears_at($account, $at);

		push @standings, map { join ' ', $account->{account_id}, $_, show_num($balances->{$_}), $since->{$_} ? day_text($since->{$_}) : '-' }
		  grep { $balances->{$_} != 0 || $since->{$_} } keys %$balances;
	}
	return join "\n", sort @standings;
}

sub stored_standings
{
	my ($at) = @_;
	my $when = "'" . show_instant($at) . "'";

	return join "\n", sort map { join ' ', @$_ } $db->rows(
		"SELECT c.account_id, b.currency, trim_scale(b.balance), coalesce(a.since::text, '-') FROM im_account c CROSS JOIN LATERAL im_balance(c.account_id, $when) b"
		  . " LEFT JOIN im_arrears($when) a ON (a.account_id, a.currency) = (c.account_id, b.currency) WHERE b.balance <> 0 OR a.since IS NOT NULL");
}

# ---- orders ----

my ($placed, $late, %taken, %refused) = (0, 0);

# Why the rules refuse an order, or ''.  What was issued is not voided (R15).
sub why_not
{
	my ($app, $order) = @_;
	my ($voided) = grep { $order->{action} eq 'void' && $_->{order_id} == ($order->{refunds} // 0) } @{ $app->{orders} };

	return 'its month is closed'
	  if $voided && exists $app->{closed}{ month_of(local_day($voided->{at}, $app->{card}->zone)) };
	return $app->{log}->take($order);
}

# Each in a transaction of its own; what is refused there is not placed.
sub place
{
	my (@orders) = @_;
	my $text = '';

	foreach (@orders)
	{
		my ($app, $order) = @$_;
		my $why = why_not($app, $order);

		$placed++;
		$text .= History::Database::insert_of($app, $order);
		$refused{ $order->{action} . ($why eq 'its month is closed' ? ', closed' : '') }++ if $why ne '';
		next if $why ne '';
		$taken{ $order->{action} }++;
		push @{ $app->{orders} }, $order;
	}
	my (undef, undef, $errors) = $db->script($text, '-v VERBOSITY=verbose');
	return grep { /^(XX|08)/ } $errors =~ /ERROR:  (\w{5}): /g;
}

sub order_of
{
	my ($app, $at, %columns) = @_;

	return [ $app, { order_id => 8_000_000_000_000_000_000 + $placed + $late++, at => $at, item => '', option => '', months => undef,
			quantity => 1, refunds => undef, paid => undef, %columns } ];
}

# A refund is voided more often than chance has it, and then what it gave back.
sub void_of
{
	my ($app, $at) = @_;
	my @there = @{ $app->{log}{taken} };
	my @refunds = grep { $_->{action} eq 'refund' } @there;
	my $order = @refunds && chance(40) ? $refunds[-1] : pick(@there[ max(0, @there - 6) .. $#there ]);
	my @voids = order_of($app, $at, action => 'void', refunds => $order->{order_id});

	push @voids, order_of($app, $at, action => 'void', refunds => $order->{refunds}) if $order->{action} eq 'refund' && chance(60);
	return @voids;
}

# Credits and charges of today and of days whose month may be closed.
sub manual_of
{
	my ($app, $now) = @_;
	my $at = max($now - weighted(40 => 0, 60 => between(0, 150) * DAY), day_starts_at($months[0], 'Asia/Shanghai'));

	return order_of($app, $at, action => pick('credit', 'charge'), item => 'manual', option => pick('', 'outage', 'goodwill, as agreed'),
		paid => pick('12.5', '0.005', '0.00000001', '61.005', '2500'));
}

sub stored_orders
{
	return join "\n", sort map { join ' ', @$_ } $db->rows('SELECT app_id, order_id FROM im_order');
}

sub orders_of
{
	return join "\n", sort map { my $app = $_; map { "$app->{app_id} $_->{order_id}" } @{ $app->{orders} } } @_;
}

# All that come until an instant, each app's one after the other.
sub order_until
{
	my ($at) = @_;
	my @orders;

	foreach my $app (@apps)
	{
		my $to_come = $app->{to_come};

		push @orders, [ $app, shift @$to_come ] while @$to_come && $to_come->[0]{at} <= $at;
	}
	my @internal = place(@orders);
	@orders = (map({ void_of($_, $at) } grep { @{ $_->{log}{taken} } } some_of(12, @apps)), map { manual_of($_, $at) } some_of(10, @apps));
	push @internal, place(@orders);
	is("@internal", '', 'no order meets an error within') if @internal;
}

# ---- a year ----

# A payment of what is owed, a part of it, more, or back, now or told late.
my $payments = 0;
sub pay
{
	my ($account, $now) = @_;
	my $balances = balances_at($account, $now);
	my @owing = grep { $balances->{$_} < 0 } sort keys %$balances;
	my $currency = @owing && chance(85) ? pick(@owing) : pick(sort(keys %$balances), 'CNY');
	my $owed = max(-($balances->{$currency} || zero()), zero());
	my $amount = weighted(
		55 => $owed,
		15 => round_half_away($owed / 3, 2),
		10 => $owed + between(1, 50000) / 100,
		8 => num(between(1, 300)),
		8 => num(-between(1, 900)),
		4 => num('0.01'));
	my $at = $now - weighted(70 => 0, 20 => between(1, 10) * DAY, 10 => between(0, 3 * DAY));

	return if $amount == 0;
	push @{ $account->{payments} }, { at => $at, amount => $amount, currency => $currency };
	$payments++;
	$db->run(sprintf "INSERT INTO im_payment (account_id, payment_id, at, amount, currency) VALUES (%s, %s, '%s', %s, '%s')",
		$account->{account_id}, $payments, show_instant($at), show_num($amount), $currency);
}

# Closes the first open month as both see it.
my $nclosed = 0;
sub close_month
{
	my $month = $months[ $nclosed++ ];

	$db->run("CALL im_close_month('" . day_text($month) . "')");
	$_->{closed}{$month} = lines_of_month($_, $month)->{lines} foreach @apps;
}

# Notes are issued today, long after this year, so they move no balance of it;
# an app that had nothing to bill gets its invoice late.
sub adjust_month
{
	my ($month) = @_;

	$db->run("CALL im_adjust_month('" . day_text($month) . "')");
	foreach my $app (grep { !@{ $_->{closed}{$month} } } @apps)
	{
		$app->{closed}{$month} = lines_of_month($app, $month)->{lines};
	}
}

my $at = day_starts_at($months[0], 'Asia/Shanghai') + time_of_day();
my $end = day_starts_at(add_months($months[11], 1) + 20, 'Asia/Shanghai');
my ($runs, $changed) = (0, 0);
while ($at < $end)
{
	my $when = show_instant($at);

	order_until($at);
	is(stored_orders(), orders_of(@apps), 'the orders that the rules take') or last;
	pay($_, $at) foreach some_of(25, @accounts);
	close_month() if $nclosed < 9 && $at > day_starts_at($months[$nclosed] + 34, 'Asia/Shanghai') && chance(60);
	adjust_month(pick(@months[ 0 .. $nclosed - 1 ])) if $nclosed && chance(10);
	my $want = 0;
	$want += suspend_arrears($_, $at, $days) foreach @accounts;
	my ($got) = $db->rows("SELECT im_suspend_arrears('$when', $days)");
	is($got->[0], $want, "suspensions begun, ended or removed at $when") or last;
	is(stored_suspensions(), suspensions_of(@apps), 'to the day') or last;
	my ($again) = $db->rows("SELECT im_suspend_arrears('$when', $days)");
	is($again->[0], 0, 'and again none');
	if (chance(20))
	{
		my $then = $at - pick(0, 0, between(0, 60) * DAY);
		is(stored_standings($then), standings_of($then), 'balances and arrears at ' . show_instant($then)) or last;
	}
	$runs++;
	$changed += $want;
	$at += weighted(60 => between(1, 5) * DAY + between(0, DAY - 1), 30 => between(5, 9) * DAY, 10 => between(10, 40) * DAY);
}
cmp_ok($changed, '>', 0, "$changed suspensions begun, ended or removed in $runs runs with $payments payments, after $days days");
note("orders taken: ", join(', ', map { "$taken{$_} $_" } sort keys %taken), '; refused: ', join(', ', map { "$refused{$_} $_" } sort keys %refused));
is(suspensions_of(@free), join("\n", grep { my $row = $_; grep { $row =~ /^\Q$_->{app_id}\E / } @free } split /\n/, stored_suspensions()),
	scalar(@free) . ' apps without account are as they were');

# ---- why each line has its amount ----

my ($told) = $db->rows("SELECT count(*) FILTER (WHERE explanation IS DISTINCT FROM im_internal.im_reason_sentence(reason, figures)),
	count(*) FILTER (WHERE im_internal.im_html_reason('zh', im_internal.im_line_reason(reason, figures, explanation)) !~ U&'\\3002\$'), count(*) > 0
	FROM im_invoice_line");
is("@$told", '0 0 t', 'the reason of every issued line is its sentence in English, and one in Chinese');

# ---- bills of accounts ----

my $all = join ', ', map { "'" . day_text($_) . "'" } @months;
my $of_months = "unnest('{" . ($all =~ s/'//gr) . "}'::date[]) m";
my $sums = "SELECT m, a.account_id, t.currency, sum(t.total) FROM $of_months, im_monthly_totals(m) t JOIN im_app a USING (app_id) WHERE a.account_id IS NOT NULL GROUP BY 1, 2, 3";
my $totals = "SELECT m, t.account_id, t.currency, t.total FROM $of_months, im_account_totals(m) t";
is($db->run("($sums EXCEPT $totals) UNION ALL ($totals EXCEPT $sums)"), '', 'the total of an account is the sum of those of its apps');
my $lines = "SELECT a.account_id, b.* FROM $of_months, im_monthly_bills(m) b JOIN im_app a USING (app_id) WHERE a.account_id IS NOT NULL";
my $bills = "SELECT b.* FROM $of_months, im_account c, im_account_bill(c.account_id, m) b";
is($db->run("($lines EXCEPT $bills) UNION ALL ($bills EXCEPT $lines)"), '', 'and its bill has their lines');

# ---- when all is corrected, balances are what documents and open months say ----

adjust_month($_) foreach @months[ 0 .. $nclosed - 1 ];
my ($differ) = $db->rows('SELECT count(*) FROM im_account c, LATERAL (SELECT b.currency, b.owed,'
	  . " (SELECT sum(t.total) FROM im_billed_months() m, im_account_totals(m.month) t WHERE t.account_id = c.account_id AND t.currency = b.currency) AS billed"
	  . " FROM im_balance(c.account_id, now() + interval '1 day') b) x WHERE c.opened_on < '" . day_text($months[0] - 300) . "' AND x.owed <> coalesce(x.billed, 0)");
is($differ->[0], 0, 'what is owed in the end is what all bills come to');

# ---- documents: what they come to, and their numbers ----

my @issued;
foreach my $app (@apps)
{
	foreach my $month (@months[ 0 .. $nclosed - 1 ])
	{
		my $now = lines_of_month($app, $month);
		my $sum = zero();

		$sum = $sum + $_->{amount} foreach @{ $now->{lines} };
		push @issued, join ' ', $app->{app_id}, day_text($month), show_num(round_half_away($sum, $now->{places}))
		  if @{ $app->{closed}{$month} };
	}
}
is(join("\n", sort map { join ' ', @$_ } $db->rows('SELECT app_id, month, trim_scale(sum(total)) FROM im_invoice GROUP BY 1, 2')),
	join("\n", sort @issued), 'invoices and notes come to the bills, for each app that had something to bill');
my @numbers = $db->rows(q{SELECT number, right(number, 8)::bigint, row_number() OVER (PARTITION BY i.currency, extract(year FROM i.issued_at AT TIME ZONE z.zone)
	  ORDER BY i.issued_at, i.number), i.currency || '-' || extract(year FROM i.issued_at AT TIME ZONE z.zone) FROM im_invoice i
	  JOIN (SELECT DISTINCT rate_card, terms ->> 'time_zone' AS zone FROM im_rate_card_version) z USING (rate_card)});
is(join(' ', grep { defined } map { $_->[0] } grep { !defined $_->[0] || $_->[1] != $_->[2] || $_->[0] !~ /-\Q$_->[3]\E-/ } @numbers), '',
	scalar(@numbers) . ' numbers without a gap, by currency and year in the order of issue');
my ($notes) = $db->rows('SELECT count(*) FROM im_invoice WHERE revision > 0');
note("$notes->[0] of the documents are notes");
is($db->run('SELECT * FROM im_verify_invoices()'), '', 'and all of them verify');

$db->drop if !$ENV{IMBILLING_KEEP};
done_testing();
