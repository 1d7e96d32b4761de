
# Exact numbers: rationals, and the roundings that rules R8 and R9 name.

package Reference::Amount;

use strict;
use warnings;
use Exporter 'import';
use Math::BigRat;

our @EXPORT = qw(num zero min max ceiling floor_of round_half_up
  round_half_away show_num);

# A number of a card, an order or the database.  JSON::PP hands fractions
# over as Math::BigFloat, whose text is exact.
sub num
{
	my ($value) = @_;

	return $value->copy if ref $value eq 'Math::BigRat';
	return Math::BigRat->new("$value");
}

sub zero
{
	return Math::BigRat->new(0);
}

sub min
{
	my ($one, $other) = @_;

	return $one < $other ? $one : $other;
}

sub max
{
	my ($one, $other) = @_;

	return $one > $other ? $one : $other;
}

sub ceiling
{
	my ($value) = @_;

	return num($value)->bceil;
}

sub floor_of
{
	my ($value) = @_;

	return num($value)->bfloor;
}

# To so many decimal places, a half towards plus infinity.  The rules only
# ever round what is not negative this way.
sub round_half_up
{
	my ($value, $places) = @_;
	my $unit = Math::BigRat->new('1' . '0' x $places);

	return floor_of($value * $unit + Math::BigRat->new(1, 2)) / $unit;
}

# The same with a half away from zero, as round(numeric) does.
sub round_half_away
{
	my ($value, $places) = @_;

	return -round_half_up(-$value, $places) if $value < 0;
	return round_half_up($value, $places);
}

# A finite decimal without trailing zeroes; anything else is a mistake of
# the rule that made it, so it dies.
sub show_num
{
	my ($value) = @_;

	return $value if !ref $value && $value =~ /^-?\d+$/;
	my $rat = num($value);
	return $rat->numerator->bstr if $rat->is_int;
	my $sign = $rat < 0 ? '-' : '';
	my ($up, $down) = (abs($rat)->numerator, abs($rat)->denominator);
	my $digits = 0;

	while (($up % $down) != 0)
	{
		die "no decimal of at most 20 places: $value" if ++$digits > 20;
		$up = $up * 10;
	}
	my $text = ($up / $down)->bstr;
	return $sign . $text if $digits == 0;
	$text = '0' x ($digits + 1 - length $text) . $text
	  if length $text <= $digits;
	substr($text, -$digits, 0) = '.';
	return $sign . $text;
}

1;
