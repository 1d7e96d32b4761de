
# Random meters by name: what price lists say of them, packs, events and daily
# rows of one app.
#
# Figures are small and crowd at bounds, events at the edges of days and at each
# other's instants, and some were set months before anything is billed.

package History::Named;

use strict;
use warnings;
use utf8;
use JSON::PP;
use History::Dice;
use Reference::Calendar;
use Reference::Charge;

my @NAMES = ('sms', 'Sms', 'desks', 'storage gb', "o'clock", 'a "b"', '席位', 'push', 'minutes');
my @SUBJECTS = ('a', 'A', 'ü', "o'b", 'back\\slash', ' ', 's1' .. 's6');
my @MONTHS = qw(sum max last average);

# What all versions of a card agree on: each meter's day, and which have packs.
sub shape
{
	my @meters = map {
		{
			name => $_,
			day => pick(qw(sum sum max unique last last average average)),
			packed => chance(45)
		}
	} some_of(70, @NAMES);

	push @meters, { name => 'calls made', day => 'sum', packed => 1 };
	return { meters => \@meters, mau => chance(40), built_in => chance(40) };
}

# Meters, usage and packs of a version.
sub add_to_card
{
	my ($card, $named, @taken) = @_;
	my @meters = grep { $_->{packed} || chance(92) } @{ $named->{meters} };
	my @shared = map { $_->{name} } @meters;
	my @addons = sort keys %{ $card->{addons} || {} };
	my @paid = grep { $card->{plans}{$_}{rank} > 0 } sort keys %{ $card->{plans} };

	push @shared, qw(dau groups), $named->{mau} ? ('mau') x 3 : ();
	foreach my $meter (@meters)
	{
		my $by_addon = @addons && chance(25) ? $card->{addons}{ pick(@addons) } : undef;

		$card->{meters}{ $meter->{name} } =
		  { day => $meter->{day}, month => month_of_meter($meter) };
		foreach my $payer ($by_addon ? $by_addon : map { $card->{plans}{$_} } some_of(80, @paid))
		{
			$payer->{usage}{ $meter->{name} } = charge(grep { $_ ne $meter->{name} } @shared);
		}
	}
	if ($named->{built_in})
	{
		my %taken = map { $_ => 1 } @taken;
		my @free = grep { !$taken{$_} && ($_ ne 'mau' || $named->{mau}) } qw(dau groups mau);

		foreach my $plan (@paid)
		{
			$card->{plans}{$plan}{usage}{$_} = charge(grep { !$taken{$_} } @shared) foreach some_of(60, @free);
		}
	}
	$card->{packs} = packs($named) if chance(90);
}

sub month_of_meter
{
	my ($meter) = @_;

	return 'sum' if $meter->{packed};
	return pick(@MONTHS, 'unique', 'unique', 'unique') if $meter->{day} eq 'unique';
	return pick(@MONTHS);
}

sub packs
{
	my ($named) = @_;
	my %packs;

	foreach my $meter (grep { $_->{packed} } @{ $named->{meters} })
	{
		foreach my $months (1, some_of(50, 2, 12))
		{
			$packs{"$meter->{name} $months"} = {
				meter => $meter->{name},
				holds => quantity(40),
				price => between(0, 99) . '.5',
				months => $months,
				chance(40) ? (priority => pick(1, 7, 100, 200)) : ()
			};
		}
	}
	return \%packs;
}

# --- Charges

# A decimal above 0, mostly whole or half; the reference and the extension must
# round alike, so some have all places.
sub quantity
{
	my ($most) = @_;

	return weighted(
		50 => between(1, $most) . '',
		25 => between(0, $most) . '.5',
		15 => between(0, $most) . '.' . between(1, 99),
		10 => between(0, $most) . '.' . sprintf('%08d', between(1, 99999999)));
}

sub price
{
	return weighted(40 => between(0, 9) . '', 40 => '0.' . between(0, 999), 10 => '0.0001', 10 => '0.33333333');
}

sub flag { return chance(50) ? JSON::PP::true : JSON::PP::false }

sub charge
{
	my (@others) = @_;
	my $charge = pick(\&plain, \&tiered)->();

	$charge->{included} = chance(40) && @others ? { share => pick('0.05', '0.5', '2.5', '0.00000003'), of => pick(@others) } : quantity(8)
	  if chance(60);
	$charge->{round} = pick(qw(up down nearest)) if chance(40);
	$charge->{minimum} = quantity(9) if chance(20);
	$charge->{maximum} = fine_text(fine_of($charge->{minimum}) + fine_of(quantity(40))) if chance(20);
	return $charge;
}

sub plain
{
	return { price => price(), chance(50) ? (block => quantity(4)) : () };
}

sub tiered
{
	my $mode = pick(qw(graduated volume));
	my $to = fine_of(0);
	my @tiers = map {
		$to += fine_of(quantity(8));
		{ to => fine_text($to) }
	} 1 .. between(0, 3);

	push @tiers, {};
	foreach my $tier (@tiers)
	{
		$tier->{price} = price() if chance(80);
		$tier->{flat} = price() if chance(30);
		$tier->{block} = quantity(3) if chance(30);
		$tier->{excess} = flag() if $mode eq 'volume' && chance(50);
		# a block prices nothing by itself
		delete $tier->{block} if !exists $tier->{price};
	}
	return { mode => $mode, tiers => \@tiers };
}

# --- Events and daily rows of one app

sub meters_of
{
	my ($app) = @_;
	my %day;

	foreach my $version (@{ $app->{card}{versions} })
	{
		my $meters = $version->{terms}{meters} || {};

		$day{$_} = $meters->{$_}{day} foreach keys %$meters;
	}
	return %day;
}

sub random_events
{
	my ($app, $first, $end, @hot) = @_;
	my %day = meters_of($app);
	my @events;

	foreach my $meter (some_of(85, sort keys %day))
	{
		push @events, some_events($app, $meter, $day{$meter} eq 'unique', $first, $end, @hot);
	}
	push @events, some_events($app, 'nobody knows', 0, $first, $end) if chance(5);
	return \@events;
}

sub some_events
{
	my ($app, $meter, $has_subjects, $first, $end, @hot) = @_;
	my @events;

	foreach my $number (1 .. between(0, 24))
	{
		my $day = weighted(
			(@hot ? 55 : 0) => @hot ? pick(@hot) : 0,
			35 => between($first, $end + 5),
			10 => $first - between(1, 400));
		my $at =
		  @events && chance(15)
		  ? pick(@events)->{at}
		  : day_starts_at($day, $app->{card}->zone) + time_of_day();

		push @events,
		  {
			meter => $meter,
			at => $at,
			quantity => chance(12) ? '0' : quantity(12),
			subject => $has_subjects || chance(20) ? pick(@SUBJECTS) : undef
		  };
	}
	return @events;
}

# { meter => { day => { quantity, users } } }; whom a meter counts is always told.
sub random_given
{
	my ($app, @days) = @_;
	my %day = meters_of($app);
	my %given;

	return {} if chance(40);
	foreach my $meter (sort keys %day)
	{
		foreach my $on (some_of(10, @days))
		{
			my $users = $day{$meter} eq 'unique' ? [ some_of(40, @SUBJECTS) ] : undef;

			$given{$meter}{$on} = {
				users => $users,
				quantity => chance(15) ? undef : $users && chance(60) ? undef : $users ? between(0, 9) : chance(15) ? '0' : quantity(12)
			};
		}
	}
	return \%given;
}

1;
