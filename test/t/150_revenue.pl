
# What is earned, on random histories with refunds, upgrades and agreed
# prices, against a ledger kept day by day.
#
# What would be wrong if this failed: money that is earned twice or never, a
# fee spread over other days than it pays for, or im_revenue() and the bills
# telling different stories.
#
# IMBILLING_SEED repeats a run, IMBILLING_APPS makes it larger or smaller,
# IMBILLING_KEEP leaves the database to look around.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../reference";
use History;
use History::Database;
use Math::BigInt;
use Reference;
use Reference::Amount;
use Reference::Calendar;
use Reference::Orders;
use Reference::Reports;
use Test::More;

# Orders go back some 70 days before the first month of a history.
use constant BEFORE => 4;
use constant AFTER => 2;
use constant SHOWN => 5;
use constant UNIT => 100_000_000;

my $seed = $ENV{IMBILLING_SEED} || time ^ ($$ << 12);
my $number_of_apps = $ENV{IMBILLING_APPS} || 50;

diag("IMBILLING_SEED=$seed IMBILLING_APPS=$number_of_apps");
my $history = make_history($seed, $number_of_apps);
my $db = History::Database->new('t_revenue');

$db->load($history);

my @months = (
	add_months($history->{months}[0], -BEFORE),
	map { add_months($history->{months}[0], $_) } 1 - BEFORE .. 3 + AFTER);
my ($first, $last) =
  map { substr(Reference::Calendar::show_day($_), 0, 7) } @months[ 0, -1 ];
my $end = next_month($months[-1]);

sub count_of
{
	my ($query) = @_;
	my ($row) = $db->rows("SELECT count(*) FROM ($query) counted");

	return $row->[0];
}

# --- What holds whatever the rules say

$db->run("CREATE TABLE revenue AS SELECT * FROM im_app_revenue('$first', '$last')");
$db->run('CREATE TABLE lines AS SELECT b.* FROM generate_series(0, '
	  . (@months - 1)
	  . ") n, im_monthly_bills('$first'::im_month + n) b");

ok(count_of('SELECT FROM revenue WHERE item = \'refund\' AND billed < 0') > 0,
	'the histories have refunds');
is( count_of(
		'SELECT app_id, month, item, option, currency, billed FROM revenue'
		  . ' WHERE billed <> 0 EXCEPT ALL SELECT app_id, month, item, option,'
		  . ' currency, sum(amount) FROM lines GROUP BY 1, 2, 3, 4, 5'),
	0,
	'nothing is billed that no bill says');
is( count_of(
		'SELECT app_id, month, item, option, currency, sum(amount) FROM lines'
		  . ' GROUP BY 1, 2, 3, 4, 5 EXCEPT ALL SELECT app_id, month, item,'
		  . ' option, currency, billed FROM revenue'),
	0,
	'every line of every bill is billed');

# Months without a row stand for 0 billed and earned, and 0 deferred.
$db->run(
	'CREATE TABLE balance AS SELECT *,'
	  . ' sum(billed) OVER w AS billed_to_date, sum(earned) OVER w AS earned_to_date'
	  . ' FROM (SELECT k.app_id, k.item, k.option, k.currency, m.month,'
	  . ' coalesce(r.billed, 0) AS billed, coalesce(r.earned, 0) AS earned,'
	  . ' coalesce(r.deferred, 0) AS deferred'
	  . ' FROM (SELECT DISTINCT app_id, item, option, currency FROM revenue) k'
	  . " CROSS JOIN (SELECT ('$first'::im_month + n)::date AS month"
	  . ' FROM generate_series(0, ' . (@months - 1) . ') n) m'
	  . ' LEFT JOIN revenue r USING (app_id, item, option, currency, month)) f'
	  . ' WINDOW w AS (PARTITION BY app_id, item, option, currency ORDER BY month)');
ok(count_of('SELECT FROM balance WHERE deferred > 0') > 0,
	'the histories have deferred fees');
is( count_of(
		'SELECT FROM balance WHERE billed_to_date <> earned_to_date + deferred'),
	0,
	'billed to date = earned to date + deferred, of every app, item and option at every month end');
is(count_of('SELECT FROM balance WHERE deferred < 0'),
	0, 'nothing deferred is negative');
is( count_of(
		'SELECT FROM balance b WHERE deferred <> 0 AND NOT EXISTS ('
		  . 'SELECT FROM lines l WHERE l.app_id = b.app_id AND l.item = b.item'
		  . " AND upper(l.period) > (b.month + interval '1 month')::date"
		  . " OR l.item = 'moderation_pack' AND l.app_id = b.app_id"
		  . " AND upper(l.period) >= (b.month + interval '1 month')::date)"),
	0,
	'nothing is deferred after the last term has ended');
is( count_of(
		'SELECT FROM balance WHERE item IN (\'refund\', \'moderation\','
		  . ' \'call_minutes\') AND (deferred <> 0 OR earned <> billed)'),
	0,
	'usage and refunds are earned as billed');

# A report of a part of the months is that part of the report.
my $from = substr(Reference::Calendar::show_day($months[5]), 0, 7);
my $to = substr(Reference::Calendar::show_day($months[7]), 0, 7);
foreach my $pair ([ 'EXCEPT ALL', 'lacks' ], [ 'EXCEPT ALL', 'adds' ])
{
	my @parts = (
		"SELECT * FROM revenue WHERE month BETWEEN '$from-01' AND '$to-01'",
		"SELECT * FROM im_app_revenue('$from', '$to')");

	@parts = reverse @parts if $pair->[1] eq 'adds';
	is(count_of(join(" $pair->[0] ", @parts)),
		0, "a report that begins later $pair->[1] nothing");
}
# Months that can hold nothing are left out of a report of many years; some
# histories have terms of a hundred of them, in which every month counts.
my $few = '(SELECT array_agg(a.app_id) FROM (SELECT app_id FROM im_order GROUP BY 1 HAVING sum(months) < 60 ORDER BY app_id % 7, 1 LIMIT 10) a)';
$db->run(
	"CREATE TABLE ten_years AS SELECT * FROM im_internal.im_app_revenue_of($few, '$first', '$first'::im_month + 119)",
	"CREATE TABLE all_years AS SELECT * FROM im_internal.im_app_revenue_of($few, '0001-01', '9999-12')");
ok(count_of('SELECT FROM ten_years') > 0, 'some apps whose terms end within ten years');
is(count_of('(TABLE ten_years EXCEPT ALL TABLE all_years) UNION ALL (TABLE all_years EXCEPT ALL TABLE ten_years)'),
	0, 'a report of all years has the same rows as one of these');
is( count_of(
		"(SELECT * FROM im_revenue('$first', '$last') EXCEPT ALL SELECT month, item,"
		  . ' currency, sum(billed), sum(earned), sum(deferred) FROM revenue'
		  . ' GROUP BY 1, 2, 3)'),
	0,
	'im_revenue() is the sum of im_app_revenue()');

# --- The ledger: every share of every fee on a day of its own

# What the days before a day have earned of a fee over so many days, in
# units of 10^-8, rounded down.
sub share_before
{
	my ($units, $days, $of) = @_;

	return $units * $days / $of;
}

sub units_of
{
	my ($amount) = @_;
	my $units = num($amount) * UNIT;

	die "$amount has more than 8 places" if !$units->is_int;
	return $units->numerator;
}

# Adds an entry that is earned on a day; nothing before it is billed.
sub earn
{
	my ($ledger, $item, $option, $billed, $day, $units) = @_;

	$day = $billed if $day < $billed;
	return if $day >= $end || $units == 0;
	my $key = join("\t", Reference::Calendar::show_day(month_of($day)), $item, $option);
	$ledger->{$key} = ($ledger->{$key} // Math::BigInt->new(0)) + $units;
}

# A fee by day, over the days of some terms.
sub earn_by_day
{
	my ($ledger, $item, $option, $billed, $units, $start, $stop, @terms) = @_;
	my $before = Math::BigInt->new(0);
	my $any_refunded = grep { defined $_->{refunded} } @terms;

	for (my $day = $start; $day < $stop; $day++)
	{
		my $through =
		  $day + 1 == $stop
		  ? $units
		  : share_before($units, $day + 1 - $start, $stop - $start);
		my ($term) = grep { $_->{start} <= $day && $day < $_->{end} } @terms;
		my $refunded = $term ? $term->{refunded} : undef;

		earn($ledger, $item, $option, $billed,
			defined $refunded && $refunded < $day ? $refunded : $day,
			$through - $before);
		$before = $through;
		last if $day >= $end && !$any_refunded;
	}
}

# The terms that stood when an upgrade came and bear its fee.
sub bearers
{
	my ($log, $upgrade) = @_;

	return grep {
		my $term = $_;
		grep { $_->{order_id} eq $upgrade->{order_id} }
		  @{ $term->{upgrades} }
	} @{ $log->{bought} };
}

# What packs gave by the statements: { order_id => [ [ day, deductions ] ] }.
sub taken_by_packs
{
	my ($app) = @_;
	my %taken;

	foreach my $month (grep { $_ >= month_of($app->{card}{versions}[0]{from}) } @months)
	{
		foreach my $row (Reference::Reports::moderation_statement($app, $month))
		{
			my $day = parse_day($row->[0]);

			foreach my $gift (split /,/, $row->[8])
			{
				my ($order, $deductions) = split /:/, $gift;

				push @{ $taken{$order} }, [ $day, num($deductions) ];
			}
		}
	}
	return \%taken;
}

sub earn_pack
{
	my ($ledger, $pack, @taken) = @_;
	my $units = units_of($pack->{amount});
	my $content = $pack->{deductions} * $pack->{quantity};
	my ($used, $before) = (zero(), Math::BigInt->new(0));
	my @key = ('moderation_pack', $pack->{option}, $pack->{day});

	foreach my $gift (@taken)
	{
		$used = $used + $gift->[1];
		my $through = floor_of(num($units) * $used / $content)->numerator;

		earn($ledger, @key, $gift->[0], $through - $before);
		$before = $through;
	}
	earn($ledger, @key, $pack->{end}, $units - $before);
}

sub ledger_of
{
	my ($app) = @_;
	my $log = Reference::Orders->replay($app->{card}, $app->{orders}, $end);
	my (%ledger, $taken);

	foreach my $term (@{ $log->{bought} })
	{
		earn_by_day(\%ledger, @$term{qw(item option day)},
			units_of($term->{amount}), @$term{qw(start end)}, $term);
	}
	foreach my $upgrade (@{ $log->{upgrades} })
	{
		earn_by_day(\%ledger, 'plan_upgrade', @$upgrade{qw(option day)},
			units_of($upgrade->{amount}), @$upgrade{qw(day end)},
			bearers($log, $upgrade));
	}
	earn(\%ledger, 'refund', @$_{qw(item day day)}, units_of($_->{amount}))
	  foreach @{ $log->{refunds} };
	earn(\%ledger, @$_{qw(item option day day)}, units_of($_->{amount}))
	  foreach @{ $log->{manual} };
	$taken = taken_by_packs($app) if @{ $log->{packs} };
	earn_pack(\%ledger, $_, @{ $taken->{ $_->{order_id} } || [] })
	  foreach @{ $log->{packs} };
	return \%ledger;
}

my %earned;
foreach my $row ($db->rows(
		'SELECT app_id, month, item, option, (earned * 100000000)::numeric(40, 0)'
		  . ' FROM revenue r WHERE earned <> 0 AND EXISTS (SELECT FROM im_order o'
		  . ' WHERE o.app_id = r.app_id AND (o.item = r.item AND o.action = \'buy\''
		  . ' OR r.item IN (\'plan_upgrade\', \'refund\', \'credit\', \'charge\')))'
	))
{
	my ($app, @key) = @$row;
	my $units = pop @key;

	$earned{$app}{ join("\t", @key) } = $units;
}

my ($compared, $different) = (0, 0);
foreach my $app (@{ $history->{apps} })
{
	my $want = ledger_of($app);
	my $got = $earned{ $app->{app_id} } || {};
	my %keys = map { $_ => 1 } keys %$want, keys %$got;
	my @differing =
	  grep { ($want->{$_} // 0) . '' ne ($got->{$_} // 0) . '' } sort keys %keys;

	$compared += keys %keys;
	next if !@differing;
	next if ($different += @differing) > SHOWN;
	diag(join("\n",
		(map { "$_: ledger " . ($want->{$_} // 0) . ', extension ' . ($got->{$_} // 0) } @differing),
		describe_app($app, $end)));
}
ok($compared > $number_of_apps, "$compared months of fees");
is($different, 0, 'every fee is earned as the ledger says');

# --- Metered and then closed, the report stays the same

sub is_still
{
	my ($what) = @_;
	my $now = "SELECT * FROM im_app_revenue('$first', '$last')";

	is( count_of(
			"(SELECT * FROM revenue EXCEPT ALL $now) UNION ALL ($now EXCEPT ALL SELECT * FROM revenue)"
		),
		0, $what);
}

my $noon = Reference::Calendar::show_day($months[6] + 14) . ' 12:00+08';
$db->run(
	"CREATE TABLE running AS SELECT b.* FROM im_app a, im_running_bill(a.app_id, '$noon') b",
	"CREATE TABLE forecast AS SELECT a.app_id, f.* FROM im_app a, im_forecast(a.app_id, '$noon') f");
$db->run("SELECT im_meter('" . join("', '", map { Reference::Calendar::show_day($_) } $months[2] + 9, $months[6] + 19) . "')");
is_still('metered usage earns the same');
$db->run("CALL im_close_month('" . substr(Reference::Calendar::show_day($_), 0, 7) . "')") foreach @months[ 1 .. 6 ];
is_still('so do closed months');
is( count_of("SELECT * FROM running EXCEPT ALL SELECT b.* FROM im_app a, im_running_bill(a.app_id, '$noon') b"),
	0, 'running bills stay as well');
is( count_of("SELECT * FROM forecast EXCEPT ALL SELECT a.app_id, f.* FROM im_app a, im_forecast(a.app_id, '$noon') f"),
	0, 'and forecasts');

$db->drop if !$ENV{IMBILLING_KEEP};
done_testing();
