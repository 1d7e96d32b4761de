
# Random suspensions and usage of one app.
#
# Events fall on a few hot days: where the app's state turns, at the edges of
# months and card versions, and anywhere.

package History::Usage;

use strict;
use warnings;
use utf8;
use List::Util qw(max);
use History::Dice;
use Reference::Calendar;

my @USERS =
  ('a', 'A', 'b', 'ü', "o'b", 'x"y', 'back\\slash', ' ', 'u1' .. 'u9');
# The days on which New York repeats an hour.
my %REPEATS = map { $_ => 1 } qw(2023-11-05 2024-11-03);

my @SECONDS =
  (0, 1, 29, 29, 30, 30, 31, 59, 60, 61, 89, 90, 119, 121, 135, 160);

# [ first day, end day or undef, reason ]; two may overlap.
sub random_suspensions
{
	my ($first, $end) = @_;
	my $from = chance(50) ? $first + between(-5, 90) : month_of($first + 100);
	my $to = chance(40) ? next_month(month_of($from)) : $from + between(1, 30);
	my $reason = pick(qw(arrears refund violation));

	return () if !chance(25);
	return ([ $from, undef, $reason ]) if chance(20);
	return ([ $from, $to, $reason ]) if chance(60);
	return ([ $from, $to, $reason ],
		[ $to + between(-3, 3), $to + between(4, 12), 'violation' ]);
}

sub hot_days
{
	my ($app, $first, $end) = @_;
	my @days;

	foreach my $term (@{ $app->{log}{bought} })
	{
		my $stop = $term->{until} + $term->{grace};

		push @days, map { ($_ - 1, $_) } $term->{start}, $term->{end},
		  $term->{until}, $stop;
	}
	foreach my $item (sort keys %{ $app->{log}{switches} })
	{
		push @days, map { ($_->{day} - 1, $_->{day}, $_->{day} + 1) }
		  @{ $app->{log}{switches}{$item} };
	}
	push @days, map { ($_->{start} - 1, $_->{start}, $_->{end} - 1, $_->{end}) }
	  @{ $app->{log}{packs} }, @{ $app->{log}{meter_packs} };
	push @days, map { ($_->[0] - 1, $_->[0], defined $_->[1] ? ($_->[1] - 1, $_->[1]) : ()) }
	  @{ $app->{suspensions} };
	foreach my $pack (@{ $app->{log}{packs} }, @{ $app->{log}{meter_packs} },
		grep { defined $_->{minutes} } @{ $app->{log}{bought} })
	{
		my $length = $pack->{end} - $pack->{start};

		push @days, map { $pack->{start} + between(0, $length > 60 ? 60 : $length) }
		  1 .. 4;
	}
	# The days on which New York turns its clock.
	push @days, map { parse_day($_) }
	  qw(2023-11-05 2024-03-10 2024-11-03 2025-03-09)
	  if $app->{card}->zone eq 'America/New_York';
	my %edges = map { month_of($_) => 1 } $first .. $end;
	push @days, map { ($_ - 1, $_) } sort { $a <=> $b } keys %edges;
	@days = some_of(70, @days);
	push @days, between($first, $end - 1) foreach 1 .. between(3, 15);
	my $priced = first_priced_day($app);
	my %once = map { $_ => 1 }
	  grep { $_ >= $first - 20 && $_ >= $priced && $_ <= $end } @days;
	return sort { $a <=> $b } keys %once;
}

# Usage of a month before the price list would be an error.
sub first_priced_day
{
	my ($app) = @_;

	return month_of($app->{card}{versions}[0]{from});
}

sub instant_on
{
	my ($app, $day) = @_;

	return day_starts_at($day, $app->{card}->zone) + time_of_day();
}

# Raw rows of all four kinds.
sub random_raw
{
	my ($app, @days) = @_;
	my %raw = (login => [], group => [], check => [], call => []);
	my $crowd = between(1, scalar @USERS);

	foreach my $day (@days)
	{
		push @{ $raw{login} },
		  {
			user => $USERS[ between(0, $crowd - 1) ],
			at => instant_on($app, $day)
		  }
		  foreach 1 .. between(0, 9);
		push @{ $raw{check} }, some_checks($app, $day) if chance(60);
		push @{ $raw{call} }, some_calls($app, $day) if chance(60);
		push @{ $raw{check} }, checks_of_repeated_hour($app, $day)
		  if $REPEATS{ Reference::Calendar::show_day($day) }
		  && $app->{card}->zone eq 'America/New_York';
	}
	$raw{group} = [ some_groups($app, @days) ];
	return \%raw;
}

# Audio and video crowd into one hour, so that their seconds add up.
sub some_checks
{
	my ($app, $day) = @_;
	my $hour = pick(0 .. 3, 0 .. 23) * HOUR;
	my $begin = day_starts_at($day, $app->{card}->zone);
	my @checks;

	foreach (1 .. between(1, 7))
	{
		my $kind = pick(qw(text image audio audio video));
		my $timed = $kind =~ /audio|video/;

		push @checks,
		  {
			kind => $kind,
			at => chance(60)
			? $begin + $hour + pick(0, 1, HOUR - 1, int(rand(HOUR)))
			: instant_on($app, $day),
			seconds => $timed ? pick(@SECONDS) : pick(undef, undef, 10)
		  };
	}
	return @checks;
}

# Seconds in both of the hours that the clock shows as one: 29 and 29 are
# nothing, in one hour they would be a half minute.
sub checks_of_repeated_hour
{
	my ($app, $day) = @_;
	my $begin = day_starts_at($day, $app->{card}->zone);

	return map {
		{ kind => 'audio', at => $begin + $_ * HOUR, seconds => between(15, 29) }
	} 1, 2;
}

sub some_calls
{
	my ($app, $day) = @_;
	my $large = $app->{is_large};

	return map {
		{
			class => pick(qw(audio sd hd fhd)),
			at => instant_on($app, $day),
			seconds => $large && chance(15)
			? between(50_000, 120_000) * 60 + between(-1, 1)
			: pick(@SECONDS, between(0, 2000))
		}
	} 1 .. between(1, 5);
}

# Groups that begin and end at each other's instants, and some that never
# exist at all (disbanded when created).
sub some_groups
{
	my ($app, @days) = @_;
	my @groups;

	foreach (1 .. between(0, 14))
	{
		my $created =
		  @groups && chance(30)
		  ? pick(@groups)->{created}
		  : instant_on($app, max(first_priced_day($app), pick(@days) - pick(0, 0, 0, 40)));
		my $life = weighted(
			10 => 0,
			10 => 1,
			20 => between(1, 90) * HOUR,
			30 => between(0, 40 * 86400) * SECOND,
			30 => undef);
		my @later = grep { $_ > $created } map { $_->{created} } @groups;
		my $disbanded =
		    @later && chance(20) ? pick(@later)
		  : defined $life ? $created + $life
		  : undef;

		push @groups, { created => $created, disbanded => $disbanded };
	}
	return @groups;
}

# Rows of im_usage_daily, by day; what they give overrides what is raw.
sub random_daily
{
	my ($app, @days) = @_;
	my $percent = chance(50) ? 0 : $app->{is_large} ? 30 : 12;
	my %daily;

	foreach my $day (some_of($percent, @days))
	{
		$daily{$day} = random_row($app);
	}
	return \%daily;
}

# Who prices users must know them: of a whole row, and of more than none.
sub random_row
{
	my ($app) = @_;
	my $row = $app->{is_large} ? large_row() : small_row();
	my @users = some_of(40, @USERS);

	$row->{whole} = chance(25) ? 1 : 0;
	$row->{users} = [ @users ? @users : 'a' ]
	  if $app->{prices_mau} && ($row->{whole} || $row->{dau}) || chance(40);
	return $row;
}

sub maybe
{
	my (@values) = @_;

	return chance(40) ? undef : pick(@values);
}

# Figures about the quotas and packs of the bundled cards.
sub large_row
{
	return {
		dau => maybe(10000, 10001, 20000, 20001, 25000, 0),
		peak_groups => maybe(100000, 100001, 550000, 3),
		text_checks => maybe(1_100_000, 1_099_999, 17, 4_000_000),
		image_checks => maybe(1, 3, 100_001),
		audio_half_minutes => maybe(1, 5, 77_777),
		video_half_minutes => maybe(1, 11_111),
		audio_minutes => maybe(110_000, 109_999, 7),
		sd_minutes => maybe(1, 55_001, 20_000),
		hd_minutes => maybe(27_501, 3),
		fhd_minutes => maybe(1, 7_333)
	};
}

sub small_row
{
	my %row = map { $_ => maybe(0 .. 9) }
	  qw(dau peak_groups text_checks image_checks audio_half_minutes
	  video_half_minutes audio_minutes sd_minutes hd_minutes fhd_minutes);

	return \%row;
}

1;
