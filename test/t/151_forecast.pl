
# How good forecasts are: made at several days of many months that are long
# over, from what was known then, and compared with the bills.
#
# Apps have a weekly pattern, growth or decline, noise, bursts, and some are
# young; they pay for peaks, postpaid checks and calls, packs and users of the
# month.  What would be wrong if this failed: a forecast that looks into the
# future, is no better than so far / days so far x days of the month, or has
# bounds that do not hold what they say.
#
# IMBILLING_SEED repeats another run than the usual one, IMBILLING_APPS makes
# it larger (the table of doc/finance.md: 150), IMBILLING_KEEP leaves the database.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../reference";
use History::Database;
use History::Dice;
use Reference::Calendar;
use Test::More;

use constant MONTHS => 13;
use constant JUDGED => 4;

my $seed = $ENV{IMBILLING_SEED} || 1;
my $number_of_apps = $ENV{IMBILLING_APPS} || 28;
my $first = parse_day('2022-09-01');
my $end = add_months($first, MONTHS);

# A price list that charges small numbers of users of the month.
my $USERS_CARD = q({"currency": "USD", "scale": 2, "time_zone": "Asia/Shanghai", "grace_days": 7,
 "plans": {"free": {"rank": 0, "price": 0},
  "paid": {"rank": 1, "price": 10, "mau": {"included": 50, "block": 1, "price": "0.5"}}}});

srand($seed);
diag("IMBILLING_SEED=$seed IMBILLING_APPS=$number_of_apps");

# About 0, rarely beyond 3.
sub noise
{
	my $sum = -6;

	$sum += rand() foreach 1 .. 12;
	return $sum;
}

# The figures of a series of days.
sub series
{
	my ($days, $level) = @_;
	my $growth = (0.95 + rand(0.15))**(1 / 30);
	my $spread = 0.02 + rand(0.13);
	my $weekend = pick(0.6, 0.8, 1, 1.3, 1.6);
	my $burst = pick(0, 0, 1, 3);
	my @figures;

	foreach my $day (0 .. $days - 1)
	{
		my $figure = $level * (1 + $spread * noise());

		# 1970-01-01 was a Thursday
		$figure *= $weekend if ($first + $day + 3) % 7 >= 5;
		$figure *= 1.5 + rand(1) if chance($burst);
		push @figures, $figure < 0 ? 0 : int($figure);
		$level *= $growth;
	}
	return @figures;
}

my (@apps, @orders, @daily, @users);
my $days = $end - $first;

sub buy_all
{
	my ($app, @more) = @_;
	my $at = Reference::Calendar::show_day($first) . ' 00:00+08';

	push @orders,
	  [ $app, 1, $at, 'buy', 'plan', 'pro', 24 ],
	  [ $app, 2, $at, 'on', 'moderation', '', undef ];
	push @orders, [ $app, 3, $at, @more ] if @more;
}

sub add_cn_app
{
	my ($app) = @_;
	my $kind = $app % 4;
	my $born = chance(10) ? between(100, 230) : 0;
	my @dau = series($days, between(6_000, 80_000));
	my @groups = series($days, between(60_000, 400_000));
	my @texts = series($days, $kind == 1 ? between(100_000, 900_000) : 0);
	my @videos = series($days, $kind == 1 ? between(0, 3_000) : 0);
	my @hd = series($days, $kind == 2 ? between(1_000, 20_000) : 0);
	my @audio = series($days, $kind == 2 ? between(1_000, 50_000) : 0);

	push @apps, [ $app, "app $app", 'cn' ];
	buy_all($app,
		$kind == 1 ? ('buy', 'moderation_pack', 'year_small', undef)
		: $kind == 2 ? ('buy', 'call', 'basic', 24)
		: ());
	push @daily,
	  map {
		[   $app, Reference::Calendar::show_day($first + $_),
			$dau[$_], $groups[$_], $texts[$_], $videos[$_], $audio[$_], $hd[$_]
		]
	  } $born .. $days - 1;
}

# Every user has a number of days a month on which she is there.
sub add_users_app
{
	my ($app) = @_;
	my $at = Reference::Calendar::show_day($first) . ' 00:00+08';
	my $crowd = between(80, 400);
	my $growth = (1 + rand(0.1))**(1 / 30);

	push @apps, [ $app, "app $app", 'users' ];
	push @orders, [ $app, 1, $at, 'buy', 'plan', 'paid', 24 ];
	foreach my $day (0 .. $days - 1)
	{
		my @there = grep { chance(2 + $_ % 23) } 1 .. $crowd * $growth**$day;

		push @users,
		  [
			$app, Reference::Calendar::show_day($first + $day),
			scalar @there, '{' . join(',', map { "u$_" } @there) . '}'
		  ];
	}
}

foreach my $app (1 .. $number_of_apps)
{
	$app % 7 == 6 ? add_users_app($app) : add_cn_app($app);
}

my $db = History::Database->new('t_forecast');
my ($fine, undef, $err) = $db->script(
	"INSERT INTO im_rate_card_version VALUES ('users', '2020-01-01', '$USERS_CARD');\n"
	  . History::Database::copy_of('im_app (app_id, name, rate_card)', @apps)
	  . History::Database::copy_of(
		'im_order (app_id, order_id, at, action, item, option, months)', @orders)
	  . History::Database::copy_of(
		'im_usage_daily (app_id, day, dau, peak_groups, text_checks, video_half_minutes, audio_minutes, hd_minutes)',
		@daily)
	  . History::Database::copy_of('im_usage_daily (app_id, day, dau, users)', @users)
	  . 'ANALYZE;',
	'-v ON_ERROR_STOP=1');
die $err if !$fine;

# A forecast for each app, month and day of the month.
my $months = JUDGED;
my $last = Reference::Calendar::show_day(add_months($end, -1));
$db->run(<<"SQL");
CREATE VIEW months AS
SELECT ('$last'::im_month - n)::date AS month, upper(('$last'::im_month - n)::daterange) AS next
FROM generate_series(0, $months) n;
CREATE TABLE bill AS
SELECT m.month, b.app_id, sum(b.amount) AS total,
	coalesce(sum(b.amount) FILTER (WHERE b.due_on = m.next), 0) AS usage
FROM months m, im_monthly_bills(m.month) b GROUP BY 1, 2;
CREATE TABLE trial AS
SELECT m.*, k.day, a.app_id, a.rate_card, f.so_far, f.low, f.expected, f.high, f.method,
	coalesce((SELECT b.usage FROM bill b WHERE b.app_id = a.app_id AND b.month = m.month - interval '1 month'), 0) AS usage_before
FROM (SELECT * FROM months ORDER BY month DESC LIMIT $months) m, (VALUES (1), (8), (15), (22), (28)) k(day), im_app a,
	LATERAL (SELECT (m.month + k.day - interval '1 second') AT TIME ZONE 'Asia/Shanghai') i(at),
	LATERAL im_forecast(a.app_id, i.at) f;
SQL
$db->run(<<'SQL');
CREATE VIEW judged AS
SELECT t.*, round(coalesce(b.total, 0), 2) AS total, coalesce(b.usage, 0) AS usage, t.expected - coalesce(round(b.total, 2), 0) AS error,
	t.usage_before - b.usage AS naive_error
FROM trial t JOIN bill b USING (app_id, month) WHERE b.usage > 0;
SQL

my @by_day = $db->rows(<<'SQL');
SELECT day, count(*), round(100 * sum(abs(error)) / sum(usage), 1), round(100 * sum(abs(naive_error)) / sum(usage), 1),
	round(100.0 * count(*) FILTER (WHERE total BETWEEN low AND high) / count(*)), round(100 * sum(high - low) / sum(usage), 1)
FROM judged GROUP BY GROUPING SETS ((day), ()) ORDER BY day
SQL
diag('day of month | bills | error, % of what usage came to | the same of the month before | within bounds, % | bounds apart, %');
diag(join ' | ', map { $_ // 'all' } @$_) foreach @by_day;

my ($of_all) = grep { !defined $_->[0] } @by_day;
my ($of_first) = grep { defined $_->[0] && $_->[0] == 1 } @by_day;
my ($of_last) = grep { defined $_->[0] && $_->[0] == 28 } @by_day;

ok($of_all->[1] >= $number_of_apps * JUDGED * 4, 'most apps have something to forecast');
ok($of_all->[2] < $of_all->[3], 'forecasts are better than the month before');
ok($of_last->[2] < $of_first->[2], 'and better late in the month than on its first day');
ok($of_all->[4] >= 70, 'most bills lie between the bounds');

my ($wrong) = $db->rows(
	'SELECT count(*) FILTER (WHERE NOT low <= expected OR NOT expected <= high),'
	  . ' count(*) FILTER (WHERE so_far > total), count(*) FILTER (WHERE low < so_far) FROM judged');
is("@$wrong[ 0, 1 ]", '0 0', 'low <= expected <= high, and so far is no more than the bill');

# What comes later does not change what was forecast.
my $middle = add_months($end, -2) + 14;
my $at = Reference::Calendar::show_day($middle) . ' 23:00+08';
my $all = "SELECT a.app_id, f.* FROM im_app a, im_forecast(a.app_id, '$at') f ORDER BY 1";
my $before = $db->run($all);
$db->run("DELETE FROM im_usage_daily WHERE day > '" . Reference::Calendar::show_day($middle) . "'");
is($db->run($all), $before, 'no forecast looks into the future');

$db->drop if !$ENV{IMBILLING_KEEP};
done_testing();
