
# Rules R2, R4, R6, R8 and R15: what an app's orders come to.
#
# The log takes the orders of one app one after the other, by time and then
# order_id, and says of each whether the rules allow it.  What it has taken
# is kept as plain lists, which the bill reads:
#
#   bought     every term bought, also one that was given back unbegun:
#              { order_id, item, option, day, start, end (as bought),
#                until (end, or the day after a refund), months, unit_price,
#                amount, monthly, grace, minutes, upgrades, refunded }
#   standing   by item, the terms of bought that count
#   packs      moderation packs, one entry an order
#   meter_packs  packs of meters by name, the same
#   upgrades   lines of plan upgrades
#   refunds    lines of refunds
#   manual     credits and charges
#   taken      the orders that stand, in sequence
#   switches   by item, { day, on, option, changed } in sequence

package Reference::Orders;

use strict;
use warnings;
use Reference::Amount;
use Reference::Calendar;

use constant MOST_MONTHS => 1200;
use constant LONGEST_REASON => 255;
use constant FULL_REFUND_DAYS => 4;

sub new
{
	my ($class, $card) = @_;

	return bless {
		card => $card,
		bought => [],
		standing => {},
		packs => [],
		meter_packs => [],
		upgrades => [],
		refunds => [],
		manual => [],
		taken => [],
		switches => {},
		seen => {},
		full_refund_used => 0
	  },
	  $class;
}

# A log with those of the orders whose day is before a day.  They have been
# accepted before, so a refusal here is a mistake of the reference.  What was
# voided, on whatever day, was never placed (R15).
sub replay
{
	my ($class, $card, $orders, $before) = @_;
	my $log = $class->new($card);
	my %gone = map { $_->{refunds} => 1 } grep { $_->{action} eq 'void' } @$orders;

	foreach my $order (sort { by_time($a, $b) } @$orders)
	{
		next if $order->{action} eq 'void' || $gone{ $order->{order_id} };
		next if local_day($order->{at}, $card->zone) >= $before;
		my $why = $log->take($order);
		die "order $order->{order_id} was accepted once: $why" if $why;
	}
	return $log;
}

sub by_time
{
	my ($one, $other) = @_;

	return $one->{at} <=> $other->{at}
	  || $one->{order_id} <=> $other->{order_id};
}

# Takes an order.  Returns '' or, having changed nothing, why not.
sub take
{
	my ($self, $order) = @_;
	my $day = local_day($order->{at}, $self->{card}->zone);
	my $how = "take_$order->{action}";

	return 'unknown action' if !$self->can($how);
	return 'order_id twice' if $self->{seen}{ $order->{order_id} };
	my $why = $self->check_shape($order) || $self->$how($order, $day);
	return $why if $why ne '';
	$self->{seen}{ $order->{order_id} } = 1;
	push @{ $self->{taken} }, $order if $order->{action} ne 'void';
	return '';
}

# --- void, credit, charge (R15)

# Takes the log again without the order, and compares what all others came to.
sub take_void
{
	my ($self, $order) = @_;
	my ($voided) = grep { $_->{order_id} == ($order->{refunds} // 0) } @{ $self->{taken} };

	return 'nothing to void' if !defined $order->{refunds} || !$voided;
	return 'before the order' if $order->{at} < $voided->{at};
	return 'the item is not that of the order'
	  if $order->{item} ne '' && $order->{item} ne $voided->{item};
	return 'the option is not that of the order'
	  if $order->{option} ne '' && $order->{option} ne $voided->{option};
	my $without = Reference::Orders->new($self->{card});

	foreach my $other (grep { $_ != $voided } @{ $self->{taken} })
	{
		my $why = $without->take($other);

		return "order $other->{order_id} would be illegal: $why" if $why;
	}
	my %came_to = $self->outcomes;
	my %would = $without->outcomes;

	foreach my $id (keys %would)
	{
		return "order $id would come to other than it did" if $would{$id} ne $came_to{$id};
	}
	$without->{seen} = $self->{seen};
	%$self = %$without;
	return '';
}

# Term, price and amount of each order, in words.
sub outcomes
{
	my ($self) = @_;
	my %all;

	$all{ $_->{order_id} } = join(' ', @$_{qw(start end unit_price amount)}) foreach @{ $self->{bought} };
	$all{ $_->{order_id} } = join(' ', @$_{qw(end unit_price amount)}) foreach @{ $self->{upgrades} };
	$all{ $_->{order_id} } = "$_->{amount}" foreach @{ $self->{refunds} };
	return %all;
}

sub take_credit { return add_manual(@_, -1); }

sub take_charge { return add_manual(@_, 1); }

sub add_manual
{
	my ($self, $order, $day, $sign) = @_;

	return 'not of manual' if $order->{item} ne 'manual';
	return 'no amount' if !defined $order->{paid} || $order->{paid} == 0;
	return 'a long reason' if length($order->{option}) > LONGEST_REASON;
	push @{ $self->{manual} },
	  {
		order_id => $order->{order_id},
		item => $order->{action},
		option => $order->{option},
		day => $day,
		amount => num($order->{paid}) * $sign
	  };
	return '';
}

# The columns that the kind of order must have or must not.
sub check_shape
{
	my ($self, $order) = @_;
	my $buys = $order->{action} eq 'buy';
	my $is_pack = $order->{item} =~ /^(moderation_)?pack$/;

	return 'paid is for what costs'
	  if defined $order->{paid} && $order->{action} !~ /^(buy|upgrade|credit|charge)$/;
	return 'paid is negative' if defined $order->{paid} && $order->{paid} < 0;
	return 'refunds is for refund and void'
	  if defined $order->{refunds} && $order->{action} !~ /^(refund|void)$/;
	return 'quantity' if $order->{quantity} < 1;
	return 'quantity is for packs'
	  if $order->{quantity} != 1 && !($buys && $is_pack);
	return 'months is for buy' if defined $order->{months} && !$buys;
	return 'months'
	  if $buys
	  && !$is_pack
	  && ( !defined $order->{months}
		|| $order->{months} < 1
		|| $order->{months} > MOST_MONTHS);
	return '';
}

# --- The plan of a day

# (state, term): trial, running, grace or stopped, by the orders taken so
# far.  Of two terms that hold the day (one was refunded on it), the later.
sub plan_state
{
	my ($self, $day) = @_;
	my ($term) = grep { $_->{start} <= $day }
	  reverse @{ $self->{standing}{plan} || [] };

	return ('trial', undef) if !$term;
	return ('running', $term) if $day < $term->{until};
	return ('grace', $term) if $day < stopped_from($term);
	return ('stopped', $term);
}

# The first day without the plan.  A refunded term has no grace (R2).
sub stopped_from
{
	my ($term) = @_;

	return $term->{until} if defined $term->{refunded};
	return $term->{until} + $term->{grace};
}

# The plan of a term on a day: the one bought, or what it was upgraded to.
sub plan_of_term
{
	my ($term, $day) = @_;
	my $plan = $term->{option};

	foreach my $upgrade (@{ $term->{upgrades} })
	{
		$plan = $upgrade->{plan} if $upgrade->{day} <= $day;
	}
	return $plan;
}

# The paid plan in force on a day, grace included, or undef.
sub paid_plan
{
	my ($self, $day) = @_;
	my ($state, $term) = $self->plan_state($day);

	return undef if $state ne 'running' && $state ne 'grace';
	return plan_of_term($term, $day);
}

# --- buy

sub take_buy
{
	my ($self, $order, $day) = @_;
	my $item = $order->{item};

	return $self->buy_plan($order, $day) if $item eq 'plan';
	return $self->buy_local_moderation($order, $day)
	  if $item eq 'local_moderation';
	return $self->buy_pack($order, $day) if $item eq 'moderation_pack';
	return $self->buy_meter_pack($order, $day) if $item eq 'pack';
	return $self->buy_addon($order, $day);
}

sub buy_plan
{
	my ($self, $order, $day) = @_;
	my $version = $self->{card}->on($day);
	my $plan = $order->{option};
	my ($state, $term) = $self->plan_state($day);
	my $start = $day;

	return 'no such plan' if !$version->has_plan($plan);
	return 'the free plan is not sold' if $version->rank($plan) == 0;
	# On the day of its refund a term still runs, yet binds nobody.
	if ($state eq 'running' && !defined $term->{refunded})
	{
		return 'another plan is running'
		  if plan_of_term($term, $day) ne $plan;
		$start = $self->last_term('plan')->{end};
	}
	elsif ($state eq 'grace' && plan_of_term($term, $day) eq $plan)
	{
		$start = $term->{end};
	}
	my $bought = $self->add_term($order, $day, $start, $version->plan_price($plan));
	my $whole = $version->term_price($plan, $order->{months});
	return '' if !defined $whole;
	$bought->{unit_price} = round_half_up($whole / $order->{months}, 8);
	return '' if defined $order->{paid};
	$bought->{by_term} = 1;
	$bought->{amount} = $whole;
	$bought->{monthly} = $whole / $order->{months};
	return '';
}

# In force on the day, or on the last day of a plan whose grace runs.
sub held_days
{
	my ($self, $day) = @_;
	my ($state, $term) = $self->plan_state($day);

	return $state eq 'grace' ? ($day, $term->{until} - 1) : ($day);
}

sub holds_term
{
	my ($self, $order, $day) = @_;

	return scalar grep {
		my $x = $_;
		grep { $_->{option} eq $order->{option} && $_->{start} <= $x && $x < $_->{until} }
		  @{ $self->{standing}{ $order->{item} } || [] }
	} $self->held_days($day);
}

sub holds_switch
{
	my ($self, $order, $day) = @_;

	return scalar grep { $_ eq $order->{option} }
	  map { $self->options_on($order->{item}, $_) } $self->held_days($day);
}

sub buy_addon
{
	my ($self, $order, $day) = @_;
	my $version = $self->{card}->on($day);
	my $item = $order->{item};
	my $option = $order->{option};
	my $plan = $self->paid_plan($day);

	return 'no such prepaid add-on' if !$version->is_charged($item, 'prepaid');
	return 'add-ons need a paid plan' if !defined $plan;
	my $price = $version->addon_price($item, $plan, $option);
	return 'not sold on the plan' if !defined $price;
	return 'for renewal only'
	  if $version->renews_only($item, $option) && !$self->holds_term($order, $day);
	my $term = $self->add_after($order, $day, $price);
	return 'another option is in force' if !$term;
	$term->{minutes} = ($version->addon($item)->{minutes} || {})->{$option};
	return '';
}

sub buy_local_moderation
{
	my ($self, $order, $day) = @_;
	my $price = $self->{card}->on($day)->{local_moderation};

	return 'no local moderation on the card' if !defined $price;
	return 'local moderation has no options' if $order->{option} ne '';
	$self->add_after($order, $day, num($price));
	return '';
}

# Begins a term after the one of its item that is still in force, or today.
# Returns undef when that one is of another option.
sub add_after
{
	my ($self, $order, $day, $price) = @_;
	my $last = $self->last_term($order->{item});
	my $start = $day;

	if ($last && $day < $last->{until} && !defined $last->{refunded})
	{
		return undef if $last->{option} ne $order->{option};
		$start = $last->{end};
	}
	return $self->add_term($order, $day, $start, $price);
}

sub last_term
{
	my ($self, $item) = @_;
	my $terms = $self->{standing}{$item} || [];

	return @$terms ? $terms->[-1] : undef;
}

sub add_term
{
	my ($self, $order, $day, $start, $price) = @_;
	my $months = $order->{months};
	my $end = add_months($start, $months);
	my $amount = defined $order->{paid} ? num($order->{paid}) : $price * $months;
	my $term = {
		order_id => $order->{order_id},
		at => $order->{at},
		item => $order->{item},
		option => $order->{option},
		day => $day,
		start => $start,
		end => $end,
		until => $end,
		months => $months,
		unit_price => $price,
		amount => $amount,
		monthly => $amount / $months,
		grace => $self->{card}->on($day)->{grace_days},
		minutes => undef,
		upgrades => [],
		refunded => undef
	};

	push @{ $self->{bought} }, $term;
	push @{ $self->{standing}{ $order->{item} } }, $term;
	return $term;
}

sub buy_pack
{
	my ($self, $order, $day) = @_;

	return $self->add_pack($order, $day, 'packs', $self->{card}->on($day)->pack_of($order->{option}));
}

sub buy_meter_pack
{
	my ($self, $order, $day) = @_;

	return $self->add_pack($order, $day, 'meter_packs', ($self->{card}->on($day)->{packs} || {})->{ $order->{option} });
}

# Quantity n is n packs; what a pack holds is of the version of its day.
sub add_pack
{
	my ($self, $order, $day, $list, $pack) = @_;

	return 'no such pack' if !$pack;
	return "months are not the pack's"
	  if defined $order->{months} && $order->{months} != $pack->{months};
	push @{ $self->{$list} },
	  {
		order_id => $order->{order_id},
		at => $order->{at},
		option => $order->{option},
		day => $day,
		start => $day,
		end => add_months($day, $pack->{months}),
		quantity => $order->{quantity},
		unit_price => num($pack->{price}),
		amount => defined $order->{paid}
		? num($order->{paid})
		: num($pack->{price}) * $order->{quantity},
		deductions => num($pack->{deductions} // 0),
		meter => $pack->{meter},
		holds => $pack->{holds},
		priority => $pack->{priority} // 100
	  };
	return '';
}

# --- upgrade (R8)

sub take_upgrade
{
	my ($self, $order, $day) = @_;
	my $version = $self->{card}->on($day);
	my $plan = $order->{option};
	my ($state, $term) = $self->plan_state($day);

	return 'only a plan can be upgraded' if $order->{item} ne 'plan';
	return 'no such plan' if !$version->has_plan($plan);
	return 'no term is running'
	  if $state ne 'running' || defined $term->{refunded};
	my $old = plan_of_term($term, $day);
	return 'not a higher plan'
	  if $version->rank($plan) <= $version->rank($old);
	$self->add_upgrade($order, $day, $version->plan_price($plan),
		$version->plan_price($old));
	return '';
}

# Every standing term that has not ended becomes the new plan, the queued
# ones too, and bears its share of the fee.
sub add_upgrade
{
	my ($self, $order, $day, $new_price, $old_price) = @_;
	my $end = $self->last_term('plan')->{end};
	my $remaining = $end - $day;
	my ($steps, $first) = (zero(), undef);

	foreach my $term (grep { $_->{end} > $day && !defined $_->{refunded} } @{ $self->{standing}{plan} })
	{
		my $old = $term->{by_term} && !@{ $term->{upgrades} } ? $term->{monthly} : $old_price;

		$first //= $old;
		$steps = $steps + ($new_price - $old) * ($term->{end} - max($term->{start}, $day));
	}
	my $by_rule = max(zero(), $steps / Math::BigRat->new(365, 12));
	my $fee =
	  defined $order->{paid}
	  ? num($order->{paid})
	  : round_half_up($by_rule, 2);

	foreach my $term (grep { $_->{end} > $day } @{ $self->{standing}{plan} })
	{
		my $days = $term->{end} - max($term->{start}, $day);

		# A term refunded this very day has given its days back.
		next if defined $term->{refunded};
		push @{ $term->{upgrades} },
		  {
			order_id => $order->{order_id},
			fee => $fee,
			plan => $order->{option},
			day => $day,
			price => $new_price,
			share => $fee * $days / $remaining,
			split => $days != $remaining
		  };
	}
	push @{ $self->{upgrades} },
	  {
		order_id => $order->{order_id},
		option => $order->{option},
		day => $day,
		end => $end,
		remaining => $remaining,
		unit_price => $new_price - round_half_up($first, 8),
		amount => $fee
	  };
}

# --- refund (R8)

sub take_refund
{
	my ($self, $order, $day) = @_;
	my ($term) = grep { $_->{order_id} == ($order->{refunds} // 0) }
	  @{ $self->{bought} };

	return 'nothing to refund' if !defined $order->{refunds} || !$term;
	return 'the item is not that of the order'
	  if $order->{item} ne '' && $order->{item} ne $term->{item};
	return 'the option is not that of the order'
	  if $order->{option} ne '' && $order->{option} ne $term->{option};
	return 'refunded before' if defined $term->{refunded};
	return 'a later term stands'
	  if $self->last_term($term->{item}) != $term;
	return 'the term is over' if $day >= $term->{end};
	$self->add_refund($order, $day, $term);
	return '';
}

sub add_refund
{
	my ($self, $order, $day, $term) = @_;
	my $back;

	$term->{whole} = 1 if $day < $term->{start};
	if ($day < $term->{start})
	{
		$back = paid_for($term);
		pop @{ $self->{standing}{ $term->{item} } };
	}
	else
	{
		$back = $self->back_of_begun($term, $day);
		$term->{until} = $day + 1;
	}
	$back = min($back, $self->left_of_all_paid($term));
	$term->{refunded} = $day;
	$term->{back} = $back;
	push @{ $self->{refunds} },
	  {
		order_id => $order->{order_id},
		item => $term->{item},
		day => $day,
		start => $term->{start},
		end => $term->{end},
		amount => -$back
	  };
}

sub back_of_begun
{
	my ($self, $term, $day) = @_;

	if (!$self->{full_refund_used} && $day - $term->{day} <= FULL_REFUND_DAYS)
	{
		$self->{full_refund_used} = 1;
		$term->{whole} = 1;
		return paid_for($term);
	}
	my $back = paid_exactly($term) - used_through($term, $day);
	return round_half_up(max(zero(), $back), 2);
}

# What was paid for all terms that share an upgrade fee with a term, one
# over the other, less what their refunds gave back so far.
sub left_of_all_paid
{
	my ($self, $term) = @_;
	my %terms = ($term->{order_id} => $term);
	my (%fees, $more);

	do
	{
		%fees = (%fees, map { $_->{order_id} => $_->{fee} } @{ $_->{upgrades} })
		  foreach values %terms;
		($more) = grep {
			my $other = $_;
			!$terms{ $other->{order_id} }
			  && grep { exists $fees{ $_->{order_id} } }
			  @{ $other->{upgrades} }
		} @{ $self->{bought} };
		$terms{ $more->{order_id} } = $more if $more;
	} while ($more);
	my $left = zero();

	$left = $left + num($_->{amount}) - ($_->{back} // zero())
	  foreach values %terms;
	$left = $left + $_ foreach values %fees;
	return $left;
}

sub paid_exactly
{
	my ($term) = @_;
	my $paid = num($term->{amount});

	$paid = $paid + $_->{share} foreach @{ $term->{upgrades} };
	return $paid;
}

# "Everything back", exactly; the rules leave open how the share of an
# upgrade fee that was split is rounded: as the other refunds are.
sub paid_for
{
	my ($term) = @_;

	return paid_exactly($term) if !grep { $_->{split} } @{ $term->{upgrades} };
	return round_half_up(paid_exactly($term), 2);
}

# What the days of a term through a day have cost, day by day.
sub used_through
{
	my ($term, $last) = @_;
	my $used = zero();

	for (my $month = 0; $month < $term->{months}; $month++)
	{
		my $begin = add_months($term->{start}, $month);
		my $end = add_months($term->{start}, $month + 1);

		for (my $day = $begin; $day < $end && $day <= $last; $day++)
		{
			$used = $used + monthly_price($term, $day) / ($end - $begin);
		}
	}
	return $used;
}

sub monthly_price
{
	my ($term, $day) = @_;
	my $price = $term->{monthly};

	foreach my $upgrade (@{ $term->{upgrades} })
	{
		$price = $upgrade->{price} if $upgrade->{day} <= $day;
	}
	return $price;
}

# --- on and off (R4, R6)

sub take_on
{
	my ($self, $order, $day) = @_;
	my $version = $self->{card}->on($day);
	my ($item, $option) = ($order->{item}, $order->{option});

	if ($item eq 'moderation')
	{
		return 'no moderation on the card' if !$version->{moderation};
		return 'moderation has no options' if $option ne '';
	}
	else
	{
		my $why = $self->check_postpaid($version, $order, $day);
		return $why if $why;
	}
	push @{ $self->{switches}{$item} },
	  {
		day => $day,
		on => 1,
		option => $option,
		changed => $self->changes_option($item, $option, month_of($day))
	  };
	return '';
}

sub check_postpaid
{
	my ($self, $version, $order, $day) = @_;
	my ($item, $option) = ($order->{item}, $order->{option});
	my $plan = $self->paid_plan($day);

	return 'no such switch' if !$version->is_charged($item, 'postpaid');
	return 'no such option' if !$version->sells_somewhere($item, $option);
	return 'not sold on the plan'
	  if defined $plan
	  && !defined $version->addon_price($item, $plan, $option);
	return 'for renewal only'
	  if $version->renews_only($item, $option) && !$self->holds_switch($order, $day);
	return 'a second switch of option within a month'
	  if $self->is_second_switch($item, $option, month_of($day));
	return '';
}

# One switch of option per calendar month.
sub is_second_switch
{
	my ($self, $item, $option, $month) = @_;

	return 0 if !$self->changes_option($item, $option, $month);
	return scalar grep { $_->{changed} && month_of($_->{day}) == $month }
	  @{ $self->{switches}{$item} };
}

# Is an "on" with this option a change of the option last on in the month?
sub changes_option
{
	my ($self, $item, $option, $month) = @_;
	my @before = @{ $self->{switches}{$item} || [] };
	my ($last_on) = grep { $_->{on} } reverse @before;

	return 0 if !$last_on || $last_on->{option} eq $option;
	return 1 if $before[-1]{on};
	return month_of($before[-1]{day}) == $month;
}

# Switching off what is off is allowed and does nothing.  What was ordered
# on or off before can be switched off also when the card no longer has it.
sub take_off
{
	my ($self, $order, $day) = @_;
	my $version = $self->{card}->on($day);
	my $item = $order->{item};
	my $is_known =
	  $item eq 'moderation'
	  ? $version->{moderation}
	  : $version->is_charged($item, 'postpaid');

	return 'no such switch' if !$is_known && !$self->{switches}{$item};
	my $switches = $self->{switches}{$item} ||= [];
	push @$switches, { day => $day, on => 0 }
	  if @$switches && $switches->[-1]{on};
	return '';
}

# The options that counted as on on a day, in sequence: the days of switching
# on and off both count, for an option that gives way to another one as well.
sub options_on
{
	my ($self, $item, $day) = @_;
	my ($option, @of_day);

	foreach my $switch (@{ $self->{switches}{$item} || [] })
	{
		last if $switch->{day} > $day;
		push @of_day, $option if $switch->{day} == $day && defined $option;
		$option = $switch->{on} ? $switch->{option} : undef;
	}
	push @of_day, $option if defined $option;
	return @of_day;
}

# The last of them, or undef when it is off all day.
sub option_on
{
	my ($self, $item, $day) = @_;

	return ($self->options_on($item, $day))[-1];
}

1;
