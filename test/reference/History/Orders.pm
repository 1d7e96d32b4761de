
# Random orders of one app, allowed and forbidden ones.
#
# Orders are proposed one after the other; the reference's own log says
# which are allowed.  Instants crowd where the rules turn: at midnight, at
# the last day of terms and of grace, at the 5th day, at the ends of months.

package History::Orders;

use strict;
use warnings;
use History::Dice;
use Reference::Amount;
use Reference::Calendar;
use Reference::Orders;

# Returns { orders => [...], refused => [ { order, why } ], log => ... }.
sub random_orders
{
	my ($card, $first, $end) = @_;
	my $self = bless {
		card => $card,
		zone => $card->zone,
		log => Reference::Orders->new($card),
		at => day_starts_at(
			max($first - between(0, 70), $card->{versions}[0]{from}),
			$card->zone) + time_of_day(),
		id => pick(1, 1, 100, -5, 9_000_000_000, -9_223_372_036_854_775_808),
		orders => [],
		refused => []
	  },
	  __PACKAGE__;

	foreach (1 .. between(2, 28))
	{
		last if local_day($self->{at}, $self->{zone}) >= $end + 5;
		$self->propose;
		$self->move_on;
	}
	return $self;
}

# Orders of one instant go by order_id, so it may fall only when time moves.
sub move_on
{
	my ($self) = @_;
	my $soon = $self->{wish} ? 40 : 15;
	my $step = weighted(
		10 => 0,
		$soon => between(1, 3000) * SECOND,
		$soon - 15 => between(90, 130) * HOUR,
		50 => $self->to_turning_point,
		25 => between(1, 20 * 24) * HOUR);

	$self->{at} += $step;
	$self->{id} +=
	    $step > 0
	  && chance(20)
	  && $self->{id} > -1000 ? -between(30, 60) : between(1, 9);
	# An id that was refused stays refused, so that it can be looked for.
	$self->{id}++ while $self->{refused_ids}{ $self->{id} };
}

# Microseconds from now to the edge of a day on which something turns.
sub to_turning_point
{
	my ($self) = @_;
	my $today = local_day($self->{at}, $self->{zone});
	my @days = grep { $_ > $today && $_ <= $today + 45 } $self->turning_days;
	my $day = @days ? pick(@days) : $today + 1;

	return day_starts_at($day, $self->{zone}) + time_of_day() - $self->{at};
}

sub turning_days
{
	my ($self) = @_;
	my $today = local_day($self->{at}, $self->{zone});
	my $month = next_month(month_of($today));
	my @days = ($month, $month - 1, $month + 30, $today + 4, $today + 5);

	foreach my $term (@{ $self->{log}{bought} })
	{
		my $stop = $term->{end} + $term->{grace};

		push @days, $term->{day} + 4, $term->{day} + 5, $term->{end} - 1,
		  $term->{end}, $stop - 1, $stop, $stop + 90;
	}
	push @days, map { ($_->{end} - 1, $_->{end}) } @{ $self->{log}{packs} }, @{ $self->{log}{meter_packs} };
	return @days;
}

sub propose
{
	my ($self) = @_;
	my $day = local_day($self->{at}, $self->{zone});
	my ($state) = $self->{log}->plan_state($day);
	my $has_plan = $state eq 'running' || $state eq 'grace';
	my $version = $self->{card}->on($day);
	my $kind = weighted(
		($has_plan ? 16 : 45) => 'plan',
		($self->can_upgrade($day) ? 12 : 2) => 'upgrade',
		($version->{addons} ? $has_plan ? 22 : 4 : 1) => 'addon',
		(defined $version->{local_moderation} ? 6 : 1) => 'local',
		($version->{moderation} ? 9 : 1) => 'pack',
		($has_plan ? 15 : 5) => 'refund',
		($version->{moderation} ? 11 : 1) => 'moderation',
		($version->{addons} ? 14 : 1) => 'postpaid',
		9 => 'void',
		4 => 'manual',
		($version->{meters} ? 25 : 0) => 'meter_pack',
		5 => 'odd');
	my $how = "some_$kind";
	my @wish = @{ $self->{wish} || [] };
	my %order = (
		order_id => $self->{id},
		at => $self->{at},
		option => '',
		months => undef,
		quantity => 1,
		refunds => undef,
		paid => undef,
		@wish ? @wish : $self->$how($day));
	my $why = $self->{log}->take(\%order);

	$self->{wish} = $why eq '' ? $self->follow_up(\%order, $day) : undef;

	push @{ $self->{orders} }, \%order if $why eq '';
	return if $why eq '';
	push @{ $self->{refused} }, { order => \%order, why => $why };
	$self->{refused_ids}{ $self->{id} } = 1;
}

# What customers do next to the same thing, and chance alone rarely hits:
# renew, give back, buy again, upgrade what is queued, change their mind.
sub follow_up
{
	my ($self, $order, $day) = @_;
	my $action = $order->{action};
	my @renewal = (%$order{qw(action item option)}, months => some_months());
	my @refund = (
		action => 'refund',
		item => '',
		refunds => $order->{order_id});

	return pick([ $self->some_pack($day) ], [ action => 'on', item => 'moderation' ])
	  if $order->{item} eq 'moderation_pack';
	return weighted(
		35 => \@renewal,
		15 => \@refund,
		$self->other_minutes($order, $day)
		? (60 => $self->other_minutes($order, $day))
		: (),
		25 => $self->can_upgrade($day) ? [ $self->some_upgrade($day) ] : undef,
		12 => [ action => 'void', item => '', refunds => $order->{order_id} ],
		25 => undef)
	  if $action eq 'buy';
	return undef if $action =~ /^(credit|charge)$/;
	return pick($self->voided_again($order), undef) if $action eq 'void';
	return pick([ $self->some_refund ], [ $self->some_refund ], [ $self->some_void ], undef)
	  if $action eq 'upgrade';
	return pick($self->purchase_again($order), undef) if $action eq 'refund';
	return pick([ $self->some_postpaid($day) ], undef)
	  if $order->{item} ne 'moderation';
	return undef;
}

# After one add-on with minutes, another one beside it.
sub other_minutes
{
	my ($self, $order, $day) = @_;
	my $version = $self->{card}->on($day);
	my $bought = $version->addon($order->{item});
	my @others = grep {
		$_ ne $order->{item} && $version->addon($_)->{minutes}
	} $self->addons($day, 'prepaid');

	return undef if !$bought || !$bought->{minutes} || !@others;
	return [
		action => 'buy',
		item => $others[0],
		option => $self->option_of($day, $others[0]),
		months => some_months()
	];
}

# Of what a refund gave back: the same, or another option where it can be.
sub purchase_again
{
	my ($self, $refund) = @_;
	my ($term) = grep { $_->{order_id} == $refund->{refunds} }
	  @{ $self->{log}{bought} };
	my $option = $term->{option};
	my @others = map { $_->{option} } grep { $_->{item} eq $term->{item} }
	  @{ $self->{log}{bought} };

	return [
		action => 'buy',
		item => $term->{item},
		option => pick($option, @others),
		months => some_months(),
		agreed()
	];
}

# What was voided, once more, as it was meant to be.
sub voided_again
{
	my ($self, $void) = @_;
	my ($order) = grep { $_->{order_id} == $void->{refunds} } @{ $self->{orders} };

	return undef if $order->{action} ne 'buy';
	return [
		%$order{qw(action item option quantity)},
		months => $order->{item} =~ /pack$/ ? undef : some_months(),
		agreed()
	];
}

sub agreed
{
	return (
		paid => weighted(
			80 => undef,
			5 => '0',
			10 => between(1, 4000) . '.' . between(0, 99),
			5 => '61.005',
			3 => '0.12345678',
			2 => '100000000.333'));
}

sub some_months
{
	return weighted(55 => 1, 20 => 2, 15 => 3, 5 => 12, 4 => 7, 1 => 1200);
}

sub plans
{
	my ($self, $day) = @_;

	return sort keys %{ $self->{card}->on($day)->{plans} };
}

sub addons
{
	my ($self, $day, $charge) = @_;
	my $version = $self->{card}->on($day);

	return sort grep { $version->is_charged($_, $charge) }
	  keys %{ $version->{addons} || {} };
}

# An option of an add-on that some plan sells, mostly.
sub option_of
{
	my ($self, $day, $addon) = @_;
	my $prices = $self->{card}->on($day)->addon($addon)->{prices};
	my @options = map { sort keys %{ $prices->{$_} } } sort keys %$prices;

	return 'nonsense' if !@options || chance(2);
	return pick(@options);
}

sub some_plan
{
	my ($self, $day) = @_;
	my ($state, $term) = $self->{log}->plan_state($day);
	my $version = $self->{card}->on($day);
	my @paid = grep { $version->rank($_) > 0 || chance(5) } $self->plans($day);
	my $plan =
	  $term && chance(60)
	  ? Reference::Orders::plan_of_term($term, $day)
	  : pick(@paid);

	return (
		action => 'buy',
		item => 'plan',
		option => $plan,
		months => some_months(),
		agreed());
}

sub higher_plans
{
	my ($self, $day) = @_;
	my $version = $self->{card}->on($day);
	my $plan = $self->{log}->paid_plan($day);

	return grep {
		!defined $plan || $version->rank($_) > $version->rank($plan)
	} $self->plans($day);
}

sub can_upgrade
{
	my ($self, $day) = @_;

	return defined $self->{log}->paid_plan($day) && $self->higher_plans($day);
}

sub some_upgrade
{
	my ($self, $day) = @_;
	my @higher = $self->higher_plans($day);

	return (
		action => 'upgrade',
		item => 'plan',
		option => pick(@higher && chance(85) ? @higher : $self->plans($day)),
		agreed());
}

sub some_addon
{
	my ($self, $day) = @_;
	my @addons = $self->addons($day, 'prepaid');
	my @held = grep { $_->{item} =~ /^(?!plan|local)/ }
	  @{ $self->{log}{bought} };
	my ($item, $option) = ('call', 'basic');

	if (@held && chance(45))
	{
		my $term = pick(@held);
		($item, $option) = ($term->{item}, $term->{option});
	}
	elsif (@addons)
	{
		$item = pick(@addons);
		$option = $self->option_of($day, $item);
	}
	return (
		action => 'buy',
		item => $item,
		option => $option,
		months => some_months(),
		agreed());
}

sub some_local
{
	return (
		action => 'buy',
		item => 'local_moderation',
		months => some_months(),
		agreed());
}

sub some_pack
{
	my ($self, $day) = @_;
	my $moderation = $self->{card}->on($day)->{moderation};
	my $packs = $moderation ? $moderation->{packs} : { month => { months => 1 } };
	my $pack = pick(sort keys %$packs);

	return (
		action => 'buy',
		item => 'moderation_pack',
		option => $pack,
		quantity => pick(1, 1, 1, 2, 3, 30),
		months => chance(70) ? undef : $packs->{$pack}{months},
		agreed());
}

sub some_meter_pack
{
	my ($self, $day) = @_;
	my $packs = $self->{card}->on($day)->{packs} || { 'no such' => { months => 1 } };
	my $pack = pick(sort keys %$packs);

	return (
		action => 'buy',
		item => 'pack',
		option => $pack,
		quantity => pick(1, 1, 1, 2, 3),
		months => chance(70) ? undef : $packs->{$pack}{months},
		agreed());
}

# Of the newest term of an item, mostly, or of any order at all.
sub some_refund
{
	my ($self) = @_;
	my $log = $self->{log};
	my @newest = map { $log->last_term($_) || () } sort keys %{ $log->{standing} };
	my @any = (@{ $self->{orders} }, { order_id => 77, item => '', option => '' });
	my $order = @newest && chance(80) ? pick(@newest) : pick(@any);
	my $names_it = chance(50);

	return (
		action => 'refund',
		item => $names_it ? $order->{item} : '',
		option => $names_it && chance(50) ? $order->{option} : '',
		refunds => $order->{order_id});
}

# Of one of the last orders that stand, mostly, or of any at all.
sub some_void
{
	my ($self) = @_;
	my @last = reverse @{ $self->{log}{taken} };
	my @any = (@{ $self->{orders} }, { order_id => 77, item => '', option => '' });
	my $order = @last && chance(85) ? pick(@last[ 0 .. ($#last > 3 ? 3 : $#last) ]) : pick(@any);
	my $names_it = chance(30);

	return (
		action => 'void',
		item => $names_it ? $order->{item} : '',
		option => $names_it && chance(50) ? $order->{option} : '',
		refunds => $order->{order_id});
}

sub some_manual
{
	return (
		action => pick('credit', 'charge'),
		item => 'manual',
		option => pick('', 'outage', 'goodwill, as agreed', 'x' x 255),
		paid => pick('12.5', '0.00000001', '61.005', '250'));
}

sub some_moderation
{
	my ($self, $day) = @_;

	return (
		action => weighted(65 => 'on', 35 => 'off'),
		item => 'moderation');
}

sub some_postpaid
{
	my ($self, $day) = @_;
	my @addons = $self->addons($day, 'postpaid');
	my $item = @addons ? pick(@addons) : 'history_storage';
	my @held = grep { $_ ne 'moderation' } sort keys %{ $self->{log}{switches} };

	return (action => 'off', item => @held ? pick(@held) : $item)
	  if chance(30);
	return (
		action => 'on',
		item => $item,
		option => @addons ? $self->option_of($day, $item) : '30d');
}

# Orders that are wrong in their shape.
sub some_odd
{
	my ($self, $day) = @_;
	my $plan = pick($self->plans($day));

	return @{
		pick(
			[ action => 'buy', item => 'unknown', months => 1 ],
			[ action => 'buy', item => '', months => 1 ],
			[ action => 'buy', item => 'plan', option => $plan ],
			[ action => 'buy', item => 'plan', option => $plan, months => 0 ],
			[   action => 'buy',
				item => 'plan',
				option => $plan,
				months => 1201
			],
			[   action => 'buy',
				item => 'plan',
				option => $plan,
				months => 1,
				quantity => 2
			],
			[   action => 'buy',
				item => 'plan',
				option => 'PRO',
				months => 1
			],
			[   action => 'buy',
				item => 'local_moderation',
				option => 'x',
				months => 1
			],
			[   action => 'buy',
				item => 'moderation_pack',
				option => 'decade'
			],
			[   action => 'buy',
				item => 'moderation_pack',
				option => 'month',
				quantity => 0
			],
			[   action => 'buy',
				item => 'moderation_pack',
				option => 'month',
				months => 5
			],
			[ action => 'buy', item => 'moderation', months => 1 ],
			[ action => 'buy', item => 'history_storage', months => 1 ],
			[ action => 'upgrade', item => 'call', option => 'premium' ],
			[   action => 'upgrade',
				item => 'plan',
				option => $plan,
				months => 1
			],
			[ action => 'on', item => 'local_moderation' ],
			[ action => 'on', item => 'plan', option => $plan ],
			[ action => 'on', item => 'moderation', option => 'x' ],
			[ action => 'on', item => 'moderation', paid => '5' ],
			[ action => 'off', item => 'call' ],
			[ action => 'void', item => '' ],
			[ action => 'void', item => '', refunds => $self->{id} ],
			[ action => 'credit', item => 'manual' ],
			[ action => 'charge', item => 'manual', paid => '0' ],
			[ action => 'credit', item => 'plan', paid => '1' ],
			[ action => 'credit', item => 'manual', option => 'x' x 256, paid => '1' ],
			[ action => 'charge', item => 'manual', paid => '-1' ],
			[ action => 'refund', item => 'plan' ],
			[ action => 'refund', item => '', refunds => $self->{id} ],
			[   action => 'buy',
				item => 'local_moderation',
				months => 1,
				paid => '-0.01'
			])
	};
}

1;
