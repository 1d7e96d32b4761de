
# Rules R3, R5, R6, R11: what happened on a day.
#
# Made of the raw rows of one app and its daily rows; a figure that a daily row
# gives is the truth for its day, whatever the raw rows say, and one that it
# leaves undefined is metered, or 0 where the row is whole.  A day of usage is
#
#   { dau, users (hash), peak_groups, checks => { text, image },
#     half_minutes => { audio, video }, minutes => { audio, sd, hd, fhd } }

package Reference::Meter;

use strict;
use warnings;
use Reference::Calendar;

# raw: { login => [ { user, at } ], group => [ { created, disbanded } ],
#        check => [ { at, kind, seconds } ], call => [ { at, class, seconds } ] }
# daily: { day => row of im_usage_daily, users as a list, none for null }
sub new
{
	my ($class, $zone, $raw, $daily) = @_;
	my $self = bless {
		zone => $zone,
		raw => $raw,
		daily => $daily,
		days => {}
	}, $class;

	foreach my $kind (qw(login check call))
	{
		foreach my $row (@{ $raw->{$kind} || [] })
		{
			push @{ $self->{days}{ local_day($row->{at}, $zone) }{$kind} },
			  $row;
		}
	}
	return $self;
}

# The days with a raw row of a kind or with a daily row.
sub days_with
{
	my ($self, $kind) = @_;
	my %days = map { $_ => 1 }
	  keys %{ $self->{daily} },
	  grep { $self->{days}{$_}{$kind} } keys %{ $self->{days} };

	return sort { $a <=> $b } keys %days;
}

# A figure of the day's row; undefined where events have to say it.
sub given
{
	my ($self, $day, $figure) = @_;
	my $row = $self->{daily}{$day};

	return undef if !$row;
	return $row->{$figure} if defined $row->{$figure};
	return $row->{whole} ? 0 : undef;
}

sub users
{
	my ($self, $day) = @_;
	my $row = $self->{daily}{$day} || {};
	my @ids =
	    $row->{users} ? @{ $row->{users} }
	  : $row->{whole} ? ()
	  : map { $_->{user} } @{ $self->{days}{$day}{login} || [] };
	my %users = map { $_ => 1 } @ids;

	return \%users;
}

sub dau
{
	my ($self, $day) = @_;
	my $given = $self->given($day, 'dau');

	return defined $given ? $given : scalar keys %{ $self->users($day) };
}

# The most groups at one moment of the day.  The count can only rise at the
# day's start and where a group is created, so those moments are tried.
sub peak_groups
{
	my ($self, $day) = @_;
	my $given = $self->given($day, 'peak_groups');

	return $given if defined $given;
	my $begin = day_starts_at($day, $self->{zone});
	my $end = day_starts_at($day + 1, $self->{zone});
	my $groups = $self->{raw}{group} || [];
	my $most = 0;

	foreach my $moment ($begin, map { $_->{created} } @$groups)
	{
		next if $moment < $begin || $moment >= $end;
		my $count = grep { exists_at($_, $moment) } @$groups;
		$most = $count if $count > $most;
	}
	return $most;
}

sub exists_at
{
	my ($group, $moment) = @_;

	return $group->{created} <= $moment
	  && (!defined $group->{disbanded} || $moment < $group->{disbanded});
}

# Texts or images of a day.
sub checks
{
	my ($self, $day, $kind) = @_;
	my $given = $self->given($day, "${kind}_checks");

	return $given if defined $given;
	return
	  scalar grep { $_->{kind} eq $kind } @{ $self->{days}{$day}{check} || [] };
}

# Half minutes of audio or video of a day: the seconds of each clock hour
# are summed, then whole half minutes count.
sub half_minutes
{
	my ($self, $day, $kind) = @_;
	my $given = $self->given($day, "${kind}_half_minutes");
	my %seconds;
	my $halves = 0;

	return $given if defined $given;
	foreach my $check (@{ $self->{days}{$day}{check} || [] })
	{
		$seconds{ local_hour($check->{at}, $self->{zone}) } +=
		  $check->{seconds}
		  if $check->{kind} eq $kind;
	}
	$halves += int($_ / 30) foreach values %seconds;
	return $halves;
}

# Minutes of calls of a class on a day: summed, then every started one.
sub minutes
{
	my ($self, $day, $class) = @_;
	my $given = $self->given($day, "${class}_minutes");
	my $seconds = 0;

	return $given if defined $given;
	foreach my $call (@{ $self->{days}{$day}{call} || [] })
	{
		$seconds += $call->{seconds} if $call->{class} eq $class;
	}
	return int(($seconds + 59) / 60);
}

1;
