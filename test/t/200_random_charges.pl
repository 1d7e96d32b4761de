#!/usr/bin/perl
#
# 200_random_charges.pl
#	  What random charges make of random quantities is what the rules say.
#
# Charges of every shape are made up from a seed, and each is asked for all its
# edges: 0, the included quantity, each bound, a block, a hundred-millionth
# beside them, and what lies in the last tier.  Rows and amounts are compared with the
# reference, and the laws that hold of all charges are tried on them.  If this
# failed, a price list would be billed in another way than it reads.
#
# IMBILLING_SEED repeats a run, IMBILLING_CHARGES makes it larger or smaller.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../reference";
use JSON::PP;
use Test::More;
use BillingData;
use Reference::Charge;

my $seed = $ENV{IMBILLING_SEED} || time ^ ($$ << 12);
my $charges = $ENV{IMBILLING_CHARGES} || 1000;
srand($seed);
diag("IMBILLING_SEED=$seed IMBILLING_CHARGES=$charges");

my $json = JSON::PP->new->canonical;

sub pick { return $_[ rand @_ ] }
sub chance { return rand() < $_[0] }

# A decimal of few or many places, large or small, as text.
sub decimal
{
	my ($most_digits) = @_;
	my $whole = int rand 10**int(1 + rand $most_digits);

	return "$whole" if chance(0.5);
	my $places = pick(1, 2, 4, 8);
	return "$whole." . join('', map { int rand 10 } 1 .. $places);
}

sub more_than_nothing
{
	my ($most_digits) = @_;
	my $decimal = decimal($most_digits);

	return $decimal == 0 ? '1' : $decimal;
}

sub add_price
{
	my ($price) = @_;

	$price->{block} = more_than_nothing(4) if chance(0.4);
	return $price;
}

sub bounds
{
	my ($tiers) = @_;
	my $to = fine_of(0);

	return map { $to += fine_of(more_than_nothing(3)); fine_text($to) } 2 .. $tiers;
}

sub tiers
{
	my ($mode) = @_;
	my @bounds = bounds(int 1 + rand 5);
	my @tiers;

	foreach my $to (@bounds, undef)
	{
		my $tier = {};
		$tier->{to} = $to if defined $to;
		$tier->{price} = decimal(3) if chance(0.8);
		$tier->{flat} = decimal(3) if chance(0.3);
		$tier->{excess} = chance(0.5) ? JSON::PP::true : JSON::PP::false if $mode eq 'volume' && chance(0.5);
		push @tiers, add_price($tier);
	}
	return \@tiers;
}

sub charge
{
	my $charge = {};

	if (chance(0.3))
	{
		$charge = add_price({ price => decimal(4) });
	}
	else
	{
		$charge->{mode} = pick('graduated', 'volume');
		$charge->{tiers} = tiers($charge->{mode});
	}
	$charge->{included} = chance(0.3) ? { share => pick('0.05', '0.00000003', '2.5', decimal(1)), of => 'mau' } : decimal(3)
	  if chance(0.5);
	$charge->{round} = pick('up', 'down', 'nearest') if chance(0.5);
	$charge->{minimum} = decimal(4) if chance(0.2);
	$charge->{maximum} = fine_text(fine_of($charge->{minimum}) + fine_of(decimal(4))) if chance(0.2);
	return $charge;
}

# Every edge of the charge, each bound's last and next hundred-millionth, some
# quantity past the last bound, an edge of a block, and any quantity.
sub quantities_for
{
	my ($charge, $of) = @_;
	my $included = included_of($charge, $of);
	my @tiers = @{ $charge->{tiers} // [] };
	my @edges = ($included, map { $included + fine_of($_->{to}) } grep { exists $_->{to} } @tiers);
	my @blocks = map { $included + fine_of($_->{block}) } grep { exists $_->{block} } $charge, @tiers;
	my @all = (fine_of(0), $edges[-1] + fine_of(more_than_nothing(4)), fine_of(decimal(6)));

	push @all, map { ($_ - 1, $_, $_ + 1) } @edges, @blocks ? pick(@blocks) : ();
	return map { fine_text($_) } grep { $_ >= 0 } @all;
}

sub row_text
{
	my ($row) = @_;

	return join ' ', $row->{tier} // '-', map { fine_text($row->{$_}) } qw(quantity units unit_price amount);
}

my $db = create_database('charges');
psql_ok($db, 'CREATE EXTENSION imbilling', 'the extension is there');

my (@asked, @expected);
for my $n (1 .. $charges)
{
	my $charge = charge();
	my $of = decimal(6);
	foreach my $quantity (quantities_for($charge, $of))
	{
		push @asked, join("\t", scalar @asked, $json->encode($charge), $quantity, $of);
		push @expected, join ', ', map { row_text($_) } charge_rows($charge, $quantity, $of);
	}
}

my $script = "CREATE TABLE asked (n int, charge im_charge, quantity numeric, of_quantity numeric);\n"
  . "COPY asked FROM STDIN;\n" . join("\n", @asked) . "\n\\.\n";
psql_ok($db, $script, scalar(@asked) . ' charges are read');

my @got = split /\n/, psql($db, q{
	SELECT n || '|' || (SELECT string_agg(concat_ws(' ', coalesce(l.tier::text, '-'), trim_scale(l.quantity),
			trim_scale(l.units), trim_scale(l.unit_price), trim_scale(l.amount)), ', ' ORDER BY l.row)
		FROM im_charge_lines(a.charge, a.quantity, a.of_quantity)
			WITH ORDINALITY l(tier, quantity, units, unit_price, amount, row))
	FROM asked a ORDER BY n});
my $wrong = 0;
for my $n (0 .. $#asked)
{
	next if ($got[$n] // '') eq "$n|$expected[$n]";
	diag("$asked[$n]\n  expected $expected[$n]\n  got      " . ($got[$n] // 'nothing')) if $wrong++ < 5;
}
is($wrong, 0, 'every row of every charge is what the rules say');
is(scalar @got, scalar @asked, 'and all were asked');

# What holds of every charge; each query counts where it does not.
my %law = (
	'rows add up to the amount' => q{
		SELECT count(*) FROM asked a
		WHERE im_charge_amount(charge, quantity, of_quantity) <>
			(SELECT sum(l.amount) FROM im_charge_lines(charge, quantity, of_quantity) l)},
	'parts add up to the quantity' => q{
		SELECT count(*) FROM asked a
		WHERE quantity <> (SELECT sum(l.quantity) FROM im_charge_lines(charge, quantity, of_quantity) l)},
	'a charge without a share needs no third argument' => q{
		SELECT count(*) FROM asked
		WHERE CASE WHEN jsonb_typeof(charge::jsonb -> 'included') = 'object' THEN false
			ELSE im_charge_amount(charge, quantity) <> im_charge_amount(charge, quantity, of_quantity) END},
	'a meter of a price list costs what its charge says' => q{
		SELECT count(*) FROM asked, LATERAL (SELECT jsonb_set('{"currency": "CNY", "scale": 2, "time_zone": "UTC", "grace_days": 0,
				"meters": {"sms": {"day": "sum", "month": "sum"}},
				"plans": {"free": {"rank": 0, "price": 0}, "paid": {"rank": 1, "price": 1, "usage": {}}}}',
			'{plans,paid,usage,sms}', charge::jsonb)::im_rate_card AS card) c
		WHERE n % 10 = 0 AND im_usage_fee(card, 'paid', 'sms', quantity, of_quantity) <> im_charge_amount(charge, quantity, of_quantity)},
	'a minimum that is the sum adds nothing, a maximum that is it takes nothing' => q{
		SELECT count(*) FROM asked, LATERAL (SELECT charge::jsonb - 'minimum' - 'maximum' AS c) j,
			LATERAL (SELECT im_charge_amount(c::im_charge, quantity, of_quantity) AS sum) s,
			unnest('{minimum,maximum}'::text[]) bound, unnest('{-0.00000001,0,0.00000001}'::numeric[]) beside,
			LATERAL (SELECT sum + beside AS at) b, LATERAL (SELECT (c || jsonb_build_object(bound, at))::im_charge AS bounded WHERE at >= 0) d
		WHERE im_charge_amount(bounded, quantity, of_quantity) <> CASE bound WHEN 'minimum' THEN greatest(sum, at) ELSE least(sum, at) END
			OR (SELECT coalesce(sum(l.amount), 0) FROM im_charge_lines(bounded, quantity, of_quantity) l WHERE tier IS NULL) <>
				CASE bound WHEN 'minimum' THEN greatest(beside, 0) ELSE least(beside, 0) END},
	'text and jsonb lead back to the same charge' => q{
		SELECT count(*) FROM asked
		WHERE charge::text <> charge::text::im_charge::text OR charge::text <> charge::jsonb::im_charge::text},
	'one tier without a bound is a plain price' => q{
		SELECT count(*) FROM asked, LATERAL (SELECT charge::jsonb AS c) j
		WHERE NOT c ? 'mode' AND im_charge_amount(charge, quantity, of_quantity) <>
			im_charge_amount((c - 'price' - 'block' || jsonb_build_object('mode', mode, 'tiers', jsonb_build_array(
				jsonb_strip_nulls(jsonb_build_object('price', c -> 'price', 'block', c -> 'block')))))::im_charge,
				quantity, of_quantity)},
	'more costs no less in the same volume tier' => q{
		SELECT count(*) FROM asked, LATERAL (SELECT quantity + 0.00000001 AS more) m
		WHERE charge::jsonb ->> 'mode' = 'volume'
			AND (SELECT min(tier) FROM im_charge_lines(charge, quantity, of_quantity)) =
				(SELECT min(tier) FROM im_charge_lines(charge, more, of_quantity))
			AND im_charge_amount(charge, more, of_quantity) < im_charge_amount(charge, quantity, of_quantity)});
$law{'one tier without a bound is a plain price'} =~ s/FROM asked,/FROM asked CROSS JOIN unnest('{graduated,volume}'::text[]) mode,/;
is(psql($db, $law{$_}), '0', $_) foreach sort keys %law;

# Cutting a graduated tier without block and flat in two changes no amount, as
# long as nothing is rounded: prices of 4 places, quantities of 4.  Of three tiers,
# of which the others have what they like, each is cut anywhere.
is(psql($db, q{
	WITH t AS (
		SELECT g, cut, (g * 7919 % 1000)::numeric / 100 AS price, (g * 104729 % 10000 + 1)::numeric / 1000 AS bound,
			(g * 1299709 % 300000)::numeric / 10000 AS quantity, jsonb_build_object('price', (g % 97)::numeric / 8, 'flat', g % 5, 'block', 1 + g % 3) AS other
		FROM generate_series(1, 2000::bigint) g, generate_series(1, 3) cut),
	tiers AS (
		SELECT *, CASE cut WHEN 1 THEN 0 ELSE bound END AS low, CASE cut WHEN 1 THEN bound WHEN 2 THEN 2 * bound ELSE 4 * bound END AS high,
			CASE WHEN cut = 1 THEN '[]' ELSE jsonb_build_array(other || jsonb_build_object('to', bound)) END AS before,
			CASE cut WHEN 1 THEN jsonb_build_array(other || jsonb_build_object('to', 2 * bound), other)
				WHEN 2 THEN jsonb_build_array(other) ELSE '[]' END AS after,
			CASE WHEN cut < 3 THEN jsonb_build_object('to', CASE cut WHEN 1 THEN bound ELSE 2 * bound END) ELSE '{}' END || jsonb_build_object('price', price) AS tier
		FROM t),
	cut_in_two AS (
		SELECT *, jsonb_build_object('price', price, 'to', round(low + (high - low) * (1 + g % 8) / 10, 4)) AS lower FROM tiers)
	SELECT count(*) FROM cut_in_two
	WHERE im_charge_amount(jsonb_build_object('mode', 'graduated', 'included', g % 3, 'tiers', before || tier || after)::im_charge, quantity) <>
		im_charge_amount(jsonb_build_object('mode', 'graduated', 'included', g % 3, 'tiers', before || lower || tier || after)::im_charge, quantity)}),
	'0', 'a tier cut in two is the same price');

done_testing();
