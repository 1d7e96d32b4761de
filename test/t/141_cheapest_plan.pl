#!/usr/bin/perl
#
# 141_cheapest_plan.pl
#	  im_cheapest_plan() against brute force over random usage.
#
# Apps are made up from a seed: a plan that may end, begin or be upgraded in
# the month, or none; add-ons, packs that earlier days have used, suspensions.
# Beside each app one is loaded for every plan of the card that really buys
# that plan and the same add-ons for March 2023 and has the same usage.  What
# im_cheapest_plan() says of the first must be what the others are billed,
# less the packs that they buy.  If this failed, the advice would cost money.
#
# IMBILLING_SEED repeats a run, IMBILLING_APPS makes it larger or smaller.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Test::More;
use BillingData;

my $seed = $ENV{IMBILLING_SEED} || time ^ ($$ << 12);
my $napps = $ENV{IMBILLING_APPS} || 150;
srand($seed);
diag("IMBILLING_SEED=$seed IMBILLING_APPS=$napps");

my @plans = qw(trial pro flagship);
my %sold = (	# what the bundled card of 2019 sells on which plan
	'avchatroom ' => 'pro', 'group_members ' => 'pro flagship', 'joined_groups ' => 'pro flagship',
	(map { ("call $_" => 'pro flagship') } qw(basic advanced premium)),
	'history_storage 30d' => 'pro', (map { ("history_storage $_" => 'pro flagship') } qw(90d 180d 360d)),
	'local_moderation ' => 'trial pro flagship');

sub pick { return $_[ rand @_ ] }
sub chance { return rand() < $_[0] }
sub day { return sprintf("2023-%02d-%02d", $_[0], $_[1]) }

my (@apps, @orders, @suspensions, @days, @wanted);

sub order
{
	my ($app, $id, $at, $action, $item, $option, $months, $refunds) = @_;
	push @orders, "($app, $id, '$at 10:00+08'::timestamptz + $id * interval '1 second', '$action', '$item', '$option', "
	  . ($months // 'NULL') . ', ' . ($refunds // 'NULL') . ')';
}

# The plan's orders; returns the plan in the month that counts last, the plan
# on which add-ons were bought, and the days of February without service.
sub give_plan
{
	my ($app) = @_;
	my $kind = pick(qw(none whole starts ends upgraded stopped late));
	my $plan = pick(qw(pro flagship));

	return (undef, undef, 0) if $kind eq 'none';
	if ($kind eq 'upgraded')
	{
		order($app, 1, '2023-01-15', 'buy', 'plan', 'pro', 6);
		order($app, 2, day(3, 20), 'upgrade', 'plan', 'flagship');
		return ('flagship', 'pro', 0);
	}
	if ($kind eq 'stopped')    # the term ends on 02-10, the grace on 02-17
	{
		order($app, 1, '2023-01-10', 'buy', 'plan', $plan, 1);
		return (undef, $plan, 12);
	}
	if ($kind eq 'late')       # the same, and a new term within the month
	{
		order($app, 1, '2023-01-10', 'buy', 'plan', $plan, 1);
		order($app, 2, day(3, 12), 'buy', 'plan', $plan, 1);
		return ($plan, $plan, 12);
	}
	order($app, 1, $kind eq 'starts' ? day(3, 7) : $kind eq 'ends' ? day(2, 5) : '2023-01-20', 'buy', 'plan', $plan,
		$kind eq 'ends' ? 1 : 6);
	return ($plan, $plan, 0, $kind eq 'starts' ? 7 : 1);
}

# Add-ons that are in force somewhere in March: [item, option].
sub give_addons
{
	my ($app, $plan, $last, $stopped, $from) = @_;
	my $at = $stopped ? '2023-01-11' : $from > 1 ? day(3, $from) : day(2, 6);
	my $months = $stopped ? 3 : pick(1, 2);
	my @held;
	my $regretted = 3;

	for my $addon (sort grep { " $sold{$_} " =~ / \Q$plan\E / && !/^history/ } keys %sold)
	{
		my ($item, $option) = split / /, $addon, -1;
		next if !chance(0.25) || grep { $_->[0] eq $item } @held;
		# bought, given back and bought again on one day: the last one is held
		if ($regretted < 9 && chance(0.4))
		{
			order($app, $regretted, $at, 'buy', $item, $item eq 'call' ? pick(qw(basic advanced premium)) : '', 2);
			order($app, $regretted + 1, $at, 'refund', $item, '', undef, $regretted);
			$regretted += 2;
		}
		order($app, 10 + @held, $at, 'buy', $item, $option, $months);
		push @held, [ $item, $option ];
	}
	# what ended before the month is not held
	order($app, 29, '2023-01-12', 'buy', 'local_moderation', '', 1)
	  if chance(0.2) && !grep { $_->[0] eq 'local_moderation' } @held;
	if (defined $last && chance(0.5))
	{
		# sold on the last plan too, or else it would be off and not held
		my $option = pick(qw(90d 180d 360d), $last eq 'pro' ? '30d' : ());
		order($app, 30, $at, 'on', 'history_storage', $option);
		push @held, [ 'history_storage', $option ];
	}
	return @held;
}

# Packs and the switch, the same for all: [id, day, action, item, option].
sub moderation_orders
{
	my @list;
	return () if chance(0.3);
	push @list, [ 40, day(2, 1 + int rand 20), 'on', 'moderation', '' ];
	push @list, [ 41, day(3, 1 + int rand 28), 'off', 'moderation', '' ] if chance(0.2);
	push @list, [ 42, day(2, 1 + int rand 28), 'buy', 'moderation_pack', 'month' ] if chance(0.6);
	push @list, [ 43, day(3, 1 + int rand 28), 'buy', 'moderation_pack', 'month' ] if chance(0.4);
	return @list;
}

sub usage_of
{
	my $small = chance(0.4);
	my @rows;

	for my $m (2, 3)
	{
		for (1 .. 3)
		{
			push @rows, join ', ', 'date \'' . day($m, 9 * ($_ - 1) + 1 + int rand 9) . "'",
			  $small ? int rand 110 : int rand 45000, $small ? int rand 105 : int rand 300000,
			  int rand pick(10, 900000), int rand 500, map { chance(0.3) ? int rand 60000 : 0 } 1 .. 2;
		}
	}
	return @rows;
}

for my $app (1 .. $napps)
{
	my ($last, $bought_on, $stopped, $from) = give_plan($app * 10);
	my @held = defined $bought_on ?
	  give_addons($app * 10, $bought_on, $last, $stopped, $from // 1) : ();
	my @same = moderation_orders();
	my @usage = usage_of();
	my $suspended = chance(0.3) ? [ day(2, 10), day(2, 20) ] : undef;

	push @apps, map { "(@{[ $app * 10 + $_ ]}, 'app', 'cn')" } 0 .. 3;
	push @suspensions, "($app" . '0, daterange(\'2023-03-10\', \'2023-03-15\'), \'arrears\')' if chance(0.2);
	for my $n (0 .. 3)
	{
		my $id = $app * 10 + $n;
		order($id, @$_) for @same;
		push @days, "($id, $_)" for @usage;
		push @suspensions, "($id, daterange('$suspended->[0]', '$suspended->[1]'), 'arrears')" if $suspended;
		next if $n == 0;
		# service had ended in February where the plan had
		push @suspensions, "($id, daterange('2023-02-17', '2023-03-01'), 'refund')" if $stopped;
		my $plan = $plans[ $n - 1 ];
		order($id, 1, day(3, 1), 'buy', 'plan', $plan, 1) if $n > 1;
		my $next = 10;
		for my $held (@held)
		{
			next if " $sold{\"$held->[0] $held->[1]\"} " !~ / $plan /;
			order($id, $next++, day(3, 1), $held->[0] =~ /^history/ ? 'on' : 'buy', @$held,
				$held->[0] =~ /^history/ ? undef : 1);
		}
		my @lacks = grep { " $sold{\"$_->[0] $_->[1]\"} " !~ / $plan / } @held;
		my @over = $n > 1 ? () : grep { my @figure = split /, /;
			/^date '2023-03/ && ($figure[1] > 100 || $figure[2] > 100) } @usage;
		push @wanted, "(@{[ $app * 10 ]}, $id, '$plan', " . (@lacks || @over ? 'false' : 'true') . ')';
	}
}

my $db = create_database('cheapest');
psql_ok($db, 'CREATE EXTENSION imbilling; SELECT im_create_tables();', 'tables are made');
psql_ok($db, 'BEGIN;'
	  . 'INSERT INTO im_app (app_id, name, rate_card) VALUES ' . join(', ', @apps) . ';'
	  . 'INSERT INTO im_order (app_id, order_id, at, action, item, option, months, refunds) VALUES ' . join(', ', @orders) . ';'
	  . 'INSERT INTO im_suspension (app_id, days, reason) VALUES ' . join(', ', @suspensions) . ';'
	  . 'INSERT INTO im_usage_daily (app_id, day, dau, peak_groups, text_checks, image_checks, sd_minutes, hd_minutes) VALUES '
	  . join(', ', @days) . ' ON CONFLICT DO NOTHING;'
	  . 'CREATE TABLE wanted AS SELECT * FROM (VALUES ' . join(', ', @wanted) . ') w(app_id, twin, plan, possible);'
	  . 'COMMIT;', 'apps and their twins are loaded');
psql_ok($db, q{
	CREATE TABLE brute AS
	SELECT w.app_id, w.plan, coalesce(sum(b.amount) FILTER (WHERE b.item <> 'moderation_pack'), 0)::numeric(30, 2) AS total, w.possible
	FROM wanted w LEFT JOIN im_monthly_bills('2023-03') b ON b.app_id = w.twin
	GROUP BY w.app_id, w.plan, w.possible;
	CREATE TABLE said AS
	SELECT w.app_id, c.*
	FROM (SELECT DISTINCT app_id FROM wanted) w, im_cheapest_plan(w.app_id, '2023-03') c}, 'both are computed');
is(psql($db, 'SELECT count(*) FROM said'), 3 * $napps, "three plans for each of $napps apps");
is(psql($db, q{SELECT app_id, plan, b.total, s.total, b.possible, s.possible, s.reason, s.items
	FROM brute b JOIN said s USING (app_id, plan)
	WHERE b.total <> s.total OR b.possible <> s.possible ORDER BY 1 LIMIT 5}), '',
	'totals and possibility are those of apps that hold the plan');
is(psql($db, q{SELECT app_id FROM said s
	WHERE s.possible AND s.rank IS DISTINCT FROM (SELECT count(*) + 1 FROM brute b
		WHERE b.app_id = s.app_id AND b.possible AND b.total < s.total)
	OR NOT s.possible AND (s.rank IS NOT NULL OR s.reason IS NULL) OR s.possible AND s.reason IS NOT NULL
	ORDER BY 1 LIMIT 5}), '', 'the cheapest that can carry it comes first, and what cannot says why');
is(psql($db, q{SELECT app_id, plan FROM said s
	WHERE s.total <> (SELECT round(coalesce(sum(i.value::numeric), 0), 2) FROM jsonb_each_text(s.items) i) LIMIT 5}), '',
	'the items add up to the total');
# the run is worth something only if it meets all kinds of apps
my ($yes, $no, $cheaper) = split /\|/, psql($db, q{
	SELECT count(*) FILTER (WHERE possible), count(*) FILTER (WHERE NOT possible),
		count(DISTINCT app_id) FILTER (WHERE rank = 1 AND NOT held) FROM said});
cmp_ok($yes, '>', $napps, "$yes possible plans");
cmp_ok($no, '>', $napps / 5, "$no impossible ones");
cmp_ok($cheaper, '>', $napps / 20, "$cheaper apps would have been better off elsewhere");

done_testing();
