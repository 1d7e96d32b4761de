#!/usr/bin/perl
#
# 140_random_quotes.pl
#	  The quote of some months is the bills of an app with just that usage.
#
# Quotes are made up from a seed; for each an app is loaded that orders the
# same on the first of January 2001, under the same price list, and has the
# usage on days of each month.  Every line of its bills is compared with the
# quote, column by column.  If this failed, customers would be told one price
# and billed another.
#
# IMBILLING_SEED repeats a run, IMBILLING_QUOTES makes it larger or smaller.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Test::More;
use BillingData;

my $seed = $ENV{IMBILLING_SEED} || time ^ ($$ << 12);
my $quotes = $ENV{IMBILLING_QUOTES} || 250;
srand($seed);
diag("IMBILLING_SEED=$seed IMBILLING_QUOTES=$quotes");

sub pick { return $_[ rand @_ ] }
sub chance { return rand() < $_[0] }

# What the bundled cards sell, typed in once more.
my %history = (pro => [qw(30d 90d 180d 360d)], flagship => [qw(90d 180d 360d)]);
my @cards = (
	[ 'cn', '2019-12-10', [qw(trial pro flagship)], 1 ],
	[ 'cn', '2024-01-01', [qw(trial pro flagship)], 1 ],
	[ 'overseas', '2019-12-10', [qw(trial pro flagship)], 0 ],
	[ 'intl', '2022-12-26', [qw(developer standard premium)], 0 ]);

my $db = create_database('quotes');
psql_ok($db, 'CREATE EXTENSION imbilling; SELECT im_create_tables();', 'tables are made');
psql_ok($db, qq{
	INSERT INTO im_rate_card_version (rate_card, effective_from, terms)
	VALUES ('quoted $_', '2001-01-01', im_bundled_card('$cards[$_][0]', '$cards[$_][1]')::jsonb);
	}, "card $_") for 0 .. $#cards;

# A figure that is often at the edge of a block.
sub figure
{
	my ($block) = @_;

	return 0 if chance(0.2);
	return $block * (1 + int rand 5) + pick(-1, 0, 1) if chance(0.5);
	return int rand 8 * $block;
}

# Add-ons of a quote as JSON members, and as orders of an app.
sub addons_of
{
	my ($plan, $months, $sells_all) = @_;
	my (@json, @orders);
	my $prepaid = sub {
		my ($item, $option) = @_;
		my $own = chance(0.3) ? 1 + int rand 3 : undef;

		push @json, defined $own ? qq("$item": {"option": "$option", "months": $own}) :
		  $option eq '' ? qq("$item": true) : qq("$item": "$option");
		push @orders, [ 'buy', $item, $option, $own // $months, 1 ];
	};

	if ($plan =~ /^(pro|flagship)$/)
	{
		$prepaid->('avchatroom', '') if $plan eq 'pro' && chance(0.3);
		$prepaid->('group_members', '') if chance(0.3);
		$prepaid->('joined_groups', '') if chance(0.3);
		$prepaid->('call', pick(qw(basic advanced premium))) if $sells_all && chance(0.5);
		if (chance(0.4))
		{
			my $option = pick(@{ $history{$plan} });
			push @json, qq("history_storage": "$option");
			push @orders, [ 'on', 'history_storage', $option, undef, 1 ];
		}
	}
	if ($sells_all)
	{
		$prepaid->('local_moderation', '') if chance(0.2);
		if (chance(0.4))
		{
			my ($pack, $n) = (pick(qw(month year_small year_small year_large)), 1 + int rand 3);
			push @json, qq("moderation_pack": {"option": "$pack", "quantity": $n});
			push @orders, [ 'buy', 'moderation_pack', $pack, undef, $n ];
		}
	}
	return (\@json, \@orders);
}

my (@apps, @orders, @days, @wanted);
for my $app (1 .. $quotes)
{
	my $card = int rand @cards;
	my (undef, undef, $plans, $sells_all) = @{ $cards[$card] };
	my $plan = pick(@$plans);
	my $months = pick(1, 1, 2, 3, 13);
	# sets of users take time to make
	my $dau = $plan =~ /standard|premium|developer/ ? 9900 + int rand 300 : figure(10000);
	my $groups = figure(100000);
	my ($texts, $images, $halves) = chance(0.6) && $sells_all ?
	  (int rand pick(1000, 3000000), int rand 1000, int rand 100) : (0, 0, 0);
	my %calls = map { $_ => $sells_all && chance(0.4) ? int rand 150000 : 0 } qw(audio sd hd fhd);
	my ($json, $orders) = addons_of($plan, $months, $sells_all);
	my $n = 0;

	push @$json, '"call_minutes": {' . join(', ', map { qq("$_": $calls{$_}) } sort keys %calls) . '}'
	  if $sells_all;
	unshift @$orders, [ 'buy', 'plan', $plan, $months, 1 ] if $plan !~ /^(trial|developer)$/;
	push @$orders, [ 'on', 'moderation', '', undef, 1 ] if $sells_all;
	push @apps, "($app, 'app', 'quoted $card')";
	push @orders, map { "($app, " . ++$n . ", '2001-01-01 12:00+08', '$_->[0]', '$_->[1]', '$_->[2]', "
		  . ($_->[3] // 'NULL') . ", $_->[4])" } @$orders;
	# peaks and checks fall on days of their own, calls on the first
	for my $m (0 .. $months - 1)
	{
		my $first = sprintf("date '%d-%02d-01'", 2001 + int($m / 12), $m % 12 + 1);
		my $day = 1 + int rand 27;

		push @days, "($app, $first, " . int($dau / 2) . ", $groups, $texts, "
		  . join(', ', map { $calls{$_} } qw(audio sd hd fhd)) . ", 0, 0)";
		push @days, "($app, $first + $day, $dau, " . int($groups / 2) . ", 0, 0, 0, 0, 0, $images, $halves)";
	}
	push @wanted, "($app, $card, '$plan', $months, $dau, $groups, '{" . join(', ', @$json) . "}')";
}

psql_ok($db, 'BEGIN;'
	  . 'INSERT INTO im_app (app_id, name, rate_card) VALUES ' . join(', ', @apps) . ';'
	  . 'INSERT INTO im_order (app_id, order_id, at, action, item, option, months, quantity) VALUES '
	  . join(', ', @orders) . ';'
	  . "INSERT INTO im_usage_daily (app_id, day, dau, peak_groups, text_checks, audio_minutes, sd_minutes,
			hd_minutes, fhd_minutes, image_checks, audio_half_minutes, users)
		SELECT d.app_id, d.day, d.dau, d.peak_groups, d.texts, d.audio, d.sd, d.hd, d.fhd, d.images, d.halves,
			CASE WHEN a.rate_card = 'quoted 3' THEN
				(SELECT im_userset_agg(n) FROM generate_series(1, d.dau) n) END
		FROM (VALUES " . join(', ', @days) . ") d(app_id, day, dau, peak_groups, texts, audio, sd, hd, fhd, images, halves)
		JOIN im_app a USING (app_id);"
	  . 'CREATE TABLE wanted AS SELECT w.*, w.addons::jsonb AS items FROM (VALUES ' . join(', ', @wanted)
	  . ') w(app_id, card, plan, months, dau, groups, addons);'
	  . 'COMMIT;', 'apps are loaded');

# The deductions of a month are what its checks come to.
my $deductions = q{
	SELECT app_id, sum(text_checks + 0.65 * image_checks + 7.5 * audio_half_minutes) AS deductions
	FROM im_usage_daily WHERE day < '2001-02-01' GROUP BY app_id};
my $columns = 'month, item, option, period, due_on, quantity, included, billable, units, unit_price, amount, currency';
psql_ok($db, qq{
	CREATE TABLE quoted AS
	SELECT w.app_id, q.month, q.item, q.option, q.period, q.due_on, q.quantity, q.included, q.billable, q.units,
		q.unit_price, q.amount, q.currency
	FROM wanted w JOIN ($deductions) d USING (app_id)
	JOIN im_rate_card_version v ON v.rate_card = 'quoted ' || w.card,
		im_quote(v.terms::im_rate_card, w.plan, w.months, w.dau, w.groups, w.items, d.deductions) q;
	CREATE TABLE billed AS
	SELECT b.app_id, $columns
	FROM generate_series(timestamp '2001-01-01', '2002-01-01', '1 month') m, im_monthly_bills(m::date) b
	JOIN wanted w USING (app_id)
	WHERE b.month < date '2001-01-01' + w.months * interval '1 month'}, 'quotes and bills are computed');
my $compared = psql($db, 'SELECT count(*) FROM billed');
cmp_ok($compared, '>=', 3 * $quotes, "$compared lines to compare");
is(psql($db, 'SELECT * FROM (TABLE quoted EXCEPT ALL TABLE billed) q ORDER BY 1, 2, 3 LIMIT 5'), '',
	'no line of a quote that the bill has not');
is(psql($db, 'SELECT * FROM (TABLE billed EXCEPT ALL TABLE quoted) q ORDER BY 1, 2, 3 LIMIT 5'), '',
	'no line of a bill that the quote has not');

done_testing();
