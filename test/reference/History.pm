
# Random histories of many apps over four months, or as many as told, from a seed.

package History;

use strict;
use warnings;
use Exporter 'import';
use History::Cards;
use History::Dice;
use History::Named;
use History::Orders;
use History::Usage;
use Reference::Bundled;
use Reference::Calendar;
use Reference::Card;
use Reference::Meter;
use Reference::Named;

our @EXPORT = qw(make_history describe_app);

use constant MONTHS => 4;
use constant CUSTOM_CARDS => 12;

# The zones of the first custom cards, which are rich ones.
my @RICH = ('Asia/Shanghai', 'America/New_York');

# Beginnings of four months; most hold a leap or a common February, or the
# price of 2024.
my @FIRST_MONTHS = qw(2023-04 2023-05 2023-10 2023-11 2023-12 2024-01
  2024-01 2024-02 2024-08 2024-12);

# With named, all apps are on custom cards, and these have meters by name.
#
# { months => [ day numbers ], cards => { name => Reference::Card },
#   custom => [ [ name, effective_from, JSON ] ], apps => [ ... ] }
sub make_history
{
	my ($seed, $apps, $months, $named) = @_;

	$months //= MONTHS;
	srand($seed);
	my $first = parse_day(pick(@FIRST_MONTHS) . '-01');
	my @months = map { add_months($first, $_) } 0 .. $months - 1;
	my $end = add_months($first, $months);
	my %history = (months => \@months, end => $end, custom => [], named => $named);

	$history{cards} = bundled_cards();
	foreach my $number (1 .. CUSTOM_CARDS)
	{
		my $name = "custom $number";
		my @versions =
		  History::Cards::random_versions($first, $end - $first,
			$RICH[ $number - 1 ], $named);

		$history{cards}{$name} = Reference::Card->new($name, @versions);
		push @{ $history{custom} }, map { [ $name, @$_ ] } @versions;
	}
	$history{apps} =
	  [ map { random_app(\%history, $_, $first, $end) } 1 .. $apps ];
	return \%history;
}

sub bundled_cards
{
	my %versions;

	push @{ $versions{ $_->[0] } }, [ $_->[1], $_->[2] ]
	  foreach Reference::Bundled::all();
	return { map { $_ => Reference::Card->new($_, @{ $versions{$_} }) }
		  keys %versions };
}

sub random_app
{
	my ($history, $number, $first, $end) = @_;
	my $name = $history->{named} ? 'custom ' . between(1, CUSTOM_CARDS) : weighted(
		40 => 'cn',
		12 => 'overseas',
		8 => 'intl',
		12 => 'custom ' . between(1, scalar @RICH),
		28 => 'custom ' . between(1, CUSTOM_CARDS));
	my $card = $history->{cards}{$name};
	my $orders = History::Orders::random_orders($card, $first, $end);
	my %app = (
		app_id => app_id_of($number),
		card => $card,
		card_name => $name,
		is_large => $name !~ /^custom/,
		prices_mau => scalar(grep { $_->{json} =~ /"mau"/ } @{ $card->{versions} }),
		orders => $orders->{orders},
		refused => $orders->{refused},
		log => $orders->{log},
		suspensions => [ History::Usage::random_suspensions($first, $end) ]);
	my @days = History::Usage::hot_days(\%app, $first, $end);

	$app{raw} = History::Usage::random_raw(\%app, @days);
	$app{daily} = History::Usage::random_daily(\%app, @days);
	$app{meter} =
	  Reference::Meter->new($card->zone, $app{raw}, $app{daily});
	add_named(\%app, $first, $end, @days) if $history->{named};
	return \%app;
}

sub add_named
{
	my ($app, $first, $end, @days) = @_;

	$app->{events} = History::Named::random_events($app, $first, $end, @days);
	$app->{given} = History::Named::random_given($app, @days);
	$app->{named} = Reference::Named->new($app->{card}->zone, $app->{events}, $app->{given});
}

# Ids at both ends of bigint are as good as any.
sub app_id_of
{
	my ($number) = @_;

	return 9223372036854775807 if $number == 1;
	return -9223372036854775808 if $number == 2;
	return 1400000000 + $number;
}

# An app in words, for whoever has to find out why two bills differ.
sub describe_app
{
	my ($app, $through) = @_;
	my $zone = $app->{card}->zone;
	my @words = ("app $app->{app_id} on card '$app->{card_name}' ($zone)");

	foreach my $order (@{ $app->{orders} })
	{
		my $day = local_day($order->{at}, $zone);
		next if $day > $through;
		push @words, describe_order($order, $zone);
	}
	foreach my $suspension (@{ $app->{suspensions} })
	{
		push @words,
		  sprintf('suspended from %s to before %s',
			map { defined $_ ? Reference::Calendar::show_day($_) : 'ever' }
			  @$suspension[ 0, 1 ]);
	}
	return join("\n", @words);
}

sub describe_order
{
	my ($order, $zone) = @_;
	my $words = sprintf(
		"order %s at %s (day %s): %s %s '%s'",
		$order->{order_id},
		show_instant($order->{at}),
		Reference::Calendar::show_day(local_day($order->{at}, $zone)),
		$order->{action},
		$order->{item},
		$order->{option});

	foreach my $column (qw(months quantity refunds paid))
	{
		next if !defined $order->{$column};
		next if $column eq 'quantity' && $order->{quantity} == 1;
		$words .= " $column=$order->{$column}";
	}
	return $words;
}

1;
