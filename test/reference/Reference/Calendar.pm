
# Rule R1: days, hours and months of a zone.
#
# A day is the number of days since 1970-01-01, a month is the day number of
# its first day, an instant is a count of microseconds since 1970-01-01 UTC.
# Everything is counted out by hand, so that nothing here can share a mistake
# with a date library that the tested code may use as well.

package Reference::Calendar;

use strict;
use warnings;
use Exporter 'import';

our @EXPORT = qw(day_of_ymd ymd_of_day parse_day show_day add_months
  month_of next_month days_in_month local_day local_hour day_starts_at
  show_instant SECOND HOUR DAY);

use constant SECOND => 1_000_000;
use constant HOUR => 3600 * SECOND;
use constant DAY => 24 * HOUR;

my @LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31);

# Hours and minutes east of UTC, in minutes.  New York is the one zone with
# summer time: it has days of 23 and 25 hours and repeats an hour.
my %MINUTES_EAST = (
	'UTC' => 0,
	'Asia/Shanghai' => 480,
	'Asia/Kolkata' => 330,
	'America/New_York' => -300);

sub is_leap
{
	my ($year) = @_;

	return $year % 4 == 0 && ($year % 100 != 0 || $year % 400 == 0);
}

sub length_of_month
{
	my ($year, $month) = @_;

	return 29 if $month == 2 && is_leap($year);
	return $LENGTHS[ $month - 1 ];
}

sub days_of_year
{
	my ($year) = @_;

	return is_leap($year) ? 366 : 365;
}

# The day number of a date between the years 1970 and 9999.
sub day_of_ymd
{
	my ($year, $month, $day) = @_;
	my $days = 0;

	$days += days_of_year($_) foreach (1970 .. $year - 1);
	$days += length_of_month($year, $_) foreach (1 .. $month - 1);
	return $days + $day - 1;
}

my %ymd_cache;

# (year, month, day) of a day number.
sub ymd_of_day
{
	my ($day) = @_;
	my ($year, $month, $left) = (1970, 1, $day);

	return @{ $ymd_cache{$day} } if $ymd_cache{$day};
	while ($left >= days_of_year($year))
	{
		$left -= days_of_year($year);
		$year++;
	}
	while ($left >= length_of_month($year, $month))
	{
		$left -= length_of_month($year, $month);
		$month++;
	}
	$ymd_cache{$day} = [ $year, $month, $left + 1 ];
	return ($year, $month, $left + 1);
}

sub parse_day
{
	my ($text) = @_;

	$text =~ /^(\d{4})-(\d\d)-(\d\d)$/ or die "no date: $text";
	return day_of_ymd($1, $2, $3);
}

sub show_day
{
	my ($day) = @_;

	return sprintf('%04d-%02d-%02d', ymd_of_day($day));
}

# PostgreSQL's date + interval: a day that the month lacks becomes its last.
sub add_months
{
	my ($from, $months) = @_;
	my ($year, $month, $day) = ymd_of_day($from);
	my $count = $year * 12 + $month - 1 + $months;
	my $to_month = $count % 12 + 1;
	my $to_year = ($count - $count % 12) / 12;
	my $length = length_of_month($to_year, $to_month);

	return day_of_ymd($to_year, $to_month, $day > $length ? $length : $day);
}

sub month_of
{
	my ($day) = @_;
	my ($year, $month) = ymd_of_day($day);

	return day_of_ymd($year, $month, 1);
}

sub next_month
{
	my ($month) = @_;

	return add_months($month, 1);
}

sub days_in_month
{
	my ($month) = @_;

	return next_month($month) - $month;
}

# The day number of the nth Sunday of a month (1970-01-01 was a Thursday).
sub nth_sunday
{
	my ($year, $month, $nth) = @_;
	my $day = day_of_ymd($year, $month, 1);

	$day++ while (($day + 4) % 7 != 0);
	return $day + 7 * ($nth - 1);
}

# New York since 2007: summer time from the second Sunday of March, 2:00
# standard time, to the first Sunday of November, 2:00 summer time.
sub is_new_york_summer
{
	my ($instant) = @_;
	my ($year) = ymd_of_day(($instant - $instant % DAY) / DAY);
	my $begin = nth_sunday($year, 3, 2) * DAY + 7 * HOUR;
	my $end = nth_sunday($year, 11, 1) * DAY + 6 * HOUR;

	return $instant >= $begin && $instant < $end;
}

sub offset_at
{
	my ($instant, $zone) = @_;
	my $minutes = $MINUTES_EAST{$zone};

	die "the reference does not know the zone $zone" if !defined $minutes;
	$minutes += 60
	  if $zone eq 'America/New_York' && is_new_york_summer($instant);
	return $minutes * 60 * SECOND;
}

# The local day that an instant belongs to; midnight begins one.
sub local_day
{
	my ($instant, $zone) = @_;
	my $local = $instant + offset_at($instant, $zone);

	return ($local - $local % DAY) / DAY;
}

# A name of the clock hour of an instant.  It carries the offset, as an hour
# that the zone repeats is two hours (R6).
sub local_hour
{
	my ($instant, $zone) = @_;
	my $offset = offset_at($instant, $zone);
	my $local = $instant + $offset;

	return ($local - $local % HOUR) / HOUR . "/$offset";
}

# The instant of a local midnight.  No zone known here changes its clock
# within an hour of midnight.
sub day_starts_at
{
	my ($day, $zone) = @_;
	my $guess = $day * DAY - $MINUTES_EAST{$zone} * 60 * SECOND;

	return $day * DAY - offset_at($guess, $zone);
}

# An instant as PostgreSQL reads it, in UTC.
sub show_instant
{
	my ($instant) = @_;
	my $in_day = $instant % DAY;
	my $second = ($in_day - $in_day % SECOND) / SECOND;

	return sprintf(
		'%s %02d:%02d:%02d.%06d+00',
		show_day(($instant - $in_day) / DAY),
		int($second / 3600),
		int($second / 60) % 60,
		$second % 60,
		$in_day % SECOND);
}

1;
