
# A charge, read from the rules (R12): how a quantity becomes money.
#
# Figures are whole numbers of hundred-millionths, which is what the rules
# round to: exact, and many times as quick as fractions.  Rows are hashes of
# tier, quantity, units, unit_price and amount; tier is undef where minimum or
# maximum made the row.

package Reference::Charge;

use strict;
use warnings;
use Exporter 'import';
use Math::BigInt;

our @EXPORT = qw(charge_rows included_of fine_of fine_text);

use constant PLACES => 8;

my $one = Math::BigInt->new(10)**PLACES;

# The hundred-millionths of a decimal, and the decimal without trailing zeros.
sub fine_of
{
	my ($decimal) = @_;
	my ($whole, $fraction) = split /\./, $decimal // 0;

	$fraction //= '';
	return Math::BigInt->new($whole . $fraction . '0' x (PLACES - length $fraction));
}

sub fine_text
{
	my ($fine) = @_;
	my $text = $fine->copy->babs->bstr;

	$text = '0' x (PLACES + 1 - length $text) . $text if length $text <= PLACES;
	substr($text, -PLACES, 0) = '.';
	$text =~ s/\.?0+$//;
	return ($fine->is_neg ? '-' : '') . $text;
}

# A quotient of two figures >= 0 to a whole number, half up where rounded.
sub floor_of { return $_[0]->copy->bdiv($_[1])->copy }
sub nearest_of { return floor_of($_[0] * 2 + $_[1], $_[1] * 2) }
sub ceiling_of { return floor_of($_[0] + $_[1] - 1, $_[1]) }

sub product
{
	my ($one_factor, $other) = @_;

	return scalar nearest_of($one_factor * $other, $one);
}

sub smaller { return $_[0] < $_[1] ? $_[0]->copy : $_[1]->copy }

# Whole blocks of a part.
sub whole_blocks
{
	my ($part, $block, $round) = @_;

	return scalar ceiling_of($part, $block) if $round eq 'up';
	return scalar floor_of($part, $block) if $round eq 'down';
	return scalar nearest_of($part, $block);
}

# What comes off first: a quantity, or a share of another one.
sub included_of
{
	my ($charge, $of_quantity) = @_;
	my $included = $charge->{included} // 0;

	return fine_of($included) unless ref $included eq 'HASH';
	return product(fine_of($included->{share}), fine_of($of_quantity));
}

# The units of a part and what they cost.
sub units_row
{
	my ($charge, $price, $number, $quantity, $priced) = @_;
	my $units = defined $price->{block}
	  ? whole_blocks($priced, fine_of($price->{block}), $charge->{round} // 'up') * $one : $priced->copy;
	my $each = fine_of($price->{price});

	return { tier => $number, quantity => $quantity->copy, units => $units, unit_price => $each,
		amount => product($units, $each), counts => 1 };
}

# One unit of an amount, if there is any.
sub single_row
{
	my ($number, $amount) = @_;

	return () if $amount->is_zero;
	return { tier => $number, quantity => Math::BigInt->bzero, units => $one->copy, unit_price => $amount, amount => $amount };
}

sub graduated_rows
{
	my ($charge, $billable) = @_;
	my ($below, $number, @rows) = (Math::BigInt->bzero, 0);

	foreach my $tier (@{ $charge->{tiers} })
	{
		my $top = exists $tier->{to} ? smaller(fine_of($tier->{to}), $billable) : $billable;
		my $part = $top > $below ? $top - $below : Math::BigInt->bzero;
		$number++;
		push @rows, units_row($charge, $tier, $number, $part, $part)
		  if $part > 0 || ($number == 1 && $billable == 0);
		push @rows, single_row($number, fine_of($tier->{flat})) if $part > 0 || $number == 1;
		$below = fine_of($tier->{to}) if exists $tier->{to};
	}
	return @rows;
}

sub volume_rows
{
	my ($charge, $billable) = @_;
	my @tiers = @{ $charge->{tiers} };
	my ($at, $below) = (0, Math::BigInt->bzero);

	while (exists $tiers[$at]{to} && $billable > fine_of($tiers[$at]{to}))
	{
		$below = fine_of($tiers[$at]{to});
		$at++;
	}
	return (
		units_row($charge, $tiers[$at], $at + 1, $billable, $tiers[$at]{excess} ? $billable - $below : $billable),
		single_row($at + 1, fine_of($tiers[$at]{flat})));
}

sub bound_row
{
	my ($charge, $sum) = @_;

	return single_row(undef, fine_of($charge->{minimum}) - $sum)
	  if exists $charge->{minimum} && $sum < fine_of($charge->{minimum});
	return single_row(undef, fine_of($charge->{maximum}) - $sum)
	  if exists $charge->{maximum} && $sum > fine_of($charge->{maximum});
	return ();
}

# All rows of a quantity, given as decimals.
sub charge_rows
{
	my ($charge, $quantity, $of_quantity) = @_;
	my $whole = fine_of($quantity);
	my $free = smaller($whole, included_of($charge, $of_quantity));
	my $mode = $charge->{mode} // 'plain';
	my @rows =
		$mode eq 'graduated' ? graduated_rows($charge, $whole - $free)
	  : $mode eq 'volume' ? volume_rows($charge, $whole - $free)
	  : units_row($charge, $charge, 1, $whole - $free, $whole - $free);
	my ($first) = grep { $_->{counts} } @rows;
	my $sum = Math::BigInt->bzero;

	# what is included is part of the first row's quantity
	$first->{quantity} += $free;
	$sum += $_->{amount} foreach @rows;
	return (@rows, bound_row($charge, $sum));
}

1;
