
# Rules R11 and R12: what meters by name say of a day.
#
# Made of the events of one app and its own daily rows.  Figures are whole
# numbers of hundred-millionths.  Nothing is carried from day to day here: what
# stands on a day is looked for anew among all events before it.

package Reference::Named;

use strict;
use warnings;
use Math::BigInt;
use Reference::Calendar;
use Reference::Charge;

# events: [ { meter, at, quantity, subject } ]
# given: { meter => { day => { quantity, users as a list, none for null } } }
sub new
{
	my ($class, $zone, $events, $given) = @_;
	my $self = bless { zone => $zone, given => $given, events => {}, of_day => {} }, $class;

	foreach my $event (sort { $a->{at} <=> $b->{at} } @$events)
	{
		my $meter = $event->{meter};
		my $copy = { %$event, fine => fine_of($event->{quantity}) };

		push @{ $self->{events}{$meter} }, $copy;
		push @{ $self->{of_day}{$meter}{ local_day($event->{at}, $zone) } }, $copy;
	}
	return $self;
}

sub events_of
{
	my ($self, $meter, $day) = @_;

	return @{ $self->{of_day}{$meter}{$day} || [] };
}

# The figure of the user's row, or undef where events have to say it.
sub given_figure
{
	my ($self, $meter, $day) = @_;
	my $row = ($self->{given}{$meter} || {})->{$day};

	return undef if !$row;
	return fine_of($row->{quantity}) if defined $row->{quantity};
	return fine_of(scalar @{ $row->{users} }) if $row->{users};
	return undef;
}

# Has the day an event, or a figure of the user?
sub is_stated
{
	my ($self, $meter, $day) = @_;

	return $self->events_of($meter, $day) || defined $self->given_figure($meter, $day);
}

sub subjects
{
	my ($self, $meter, $day) = @_;
	my $row = ($self->{given}{$meter} || {})->{$day} || {};
	my @ids = $row->{users} ? @{ $row->{users} } : map { $_->{subject} } $self->events_of($meter, $day);

	return { map { $_ => 1 } @ids };
}

sub figure
{
	my ($self, $meter, $kind, $day) = @_;
	my $how = "${kind}_of_day";

	return $self->{figures}{$meter}{$day} //= $self->given_figure($meter, $day) // $self->$how($meter, $day);
}

sub sum_of_day
{
	my ($self, $meter, $day) = @_;
	my $sum = Math::BigInt->bzero;

	$sum += $_->{fine} foreach $self->events_of($meter, $day);
	return $sum;
}

sub max_of_day
{
	my ($self, $meter, $day) = @_;

	return largest($self->events_of($meter, $day));
}

sub unique_of_day
{
	my ($self, $meter, $day) = @_;

	return fine_of(scalar keys %{ $self->subjects($meter, $day) });
}

sub largest
{
	my $most = Math::BigInt->bzero;

	foreach my $event (@_)
	{
		$most = $event->{fine} if $event->{fine} > $most;
	}
	return $most;
}

# What the events up to an instant leave standing: of several at one instant the
# largest, 0 before the first.
sub set_by_events
{
	my (@events) = @_;

	return Math::BigInt->bzero if !@events;
	return largest(grep { $_->{at} == $events[-1]{at} } @events);
}

# What stands at the beginning of a day.  A figure of the user stands after its
# day where the day is "last".
sub before_day
{
	my ($self, $meter, $kind, $day) = @_;
	my $begin = day_starts_at($day, $self->{zone});
	my @events = grep { $_->{at} < $begin } @{ $self->{events}{$meter} || [] };
	my ($said) = sort { $b <=> $a } grep { $_ < $day && defined $self->given_figure($meter, $_) }
	  keys %{ $self->{given}{$meter} || {} };

	return $self->given_figure($meter, $said)
	  if $kind eq 'last' && defined $said && (!@events || local_day($events[-1]{at}, $self->{zone}) <= $said);
	return set_by_events(@events);
}

sub last_of_day
{
	my ($self, $meter, $day) = @_;
	my @events = $self->events_of($meter, $day);

	return @events ? set_by_events(@events) : $self->before_day($meter, 'last', $day);
}

# By the real length of the day.
sub average_of_day
{
	my ($self, $meter, $day) = @_;
	my ($from, $end) = map { day_starts_at($_, $self->{zone}) } $day, $day + 1;
	my $length = $end - $from;
	my $stands = $self->before_day($meter, 'average', $day);
	my @events = $self->events_of($meter, $day);
	my $area = Math::BigInt->bzero;

	foreach my $number (0 .. $#events)
	{
		my $at = $events[$number]{at};

		$area += $stands * ($at - $from);
		$stands = set_by_events(@events[ 0 .. $number ]);
		$from = $at;
	}
	$area += $stands * ($end - $from);
	return scalar Reference::Charge::nearest_of($area, Math::BigInt->new($length));
}

1;
