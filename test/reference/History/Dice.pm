
# Repeatable chance.  Perl's own generator is the same on every platform
# since 5.20; whoever uses this must not walk a hash unsorted.

package History::Dice;

use strict;
use warnings;
use Exporter 'import';
use Reference::Calendar;

our @EXPORT = qw(chance pick between some_of weighted time_of_day);

# True in so many of a hundred cases.
sub chance
{
	my ($percent) = @_;

	return rand(100) < $percent;
}

sub between
{
	my ($low, $high) = @_;

	return $low + int(rand($high - $low + 1));
}

sub pick
{
	my (@list) = @_;

	return $list[ int(rand(scalar @list)) ];
}

sub some_of
{
	my ($percent, @list) = @_;

	return grep { chance($percent) } @list;
}

# One of the values of (weight => value, ...).
sub weighted
{
	my (@pairs) = @_;
	my ($sum, @values) = (0);

	while (my ($weight, $value) = splice(@pairs, 0, 2))
	{
		push @values, [ $sum += $weight, $value ];
	}
	my $at = rand($sum);
	foreach my $value (@values)
	{
		return $value->[1] if $at < $value->[0];
	}
	return $values[-1][1];
}

# Microseconds into a day, crowded at its edges and those of its hours.
sub time_of_day
{
	my $hour = between(0, 23) * HOUR;

	return weighted(
		15 => 0,
		15 => DAY - 1,
		15 => $hour,
		15 => $hour + HOUR - 1,
		5 => 1,
		35 => int(rand(DAY)));
}

1;
