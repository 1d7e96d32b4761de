
# Rules R2 to R9: the lines of an app's bill of a month.

package Reference::Bill;

use strict;
use warnings;
use Reference::Amount;
use Reference::Calendar;
use Reference::Orders;
use Reference::Usage;

# How long the data of a stopped app are kept (R2).
use constant KEPT_DAYS => 90;

our @CLASSES = qw(audio sd hd fhd);

# app: { app_id, card, orders, suspensions => [ [ first, end or undef ] ],
#        meter }, month: the day number of its first day.
sub new
{
	my ($class, $app, $month) = @_;
	my $end = next_month($month);
	my $self = bless {
		app => $app,
		month => $month,
		end => $end,
		last => $end - 1,
		version => $app->{card}->of_month($month),
		log => Reference::Orders->replay($app->{card}, $app->{orders}, $end),
		lines => []
	  },
	  $class;

	$self->{counting} = [ grep { $self->counts($_) } $month .. $end - 1 ];
	return $self;
}

# All lines, numbered, in the sequence of the interface.
sub lines
{
	my ($self) = @_;
	my $number = 0;

	$self->{lines} = [];
	$self->plan_lines;
	$self->overage_lines;
	$self->addon_lines;
	$self->call_lines;
	Reference::Usage::addon_lines($self);
	$self->bought_lines(grep { $_->{item} eq 'local_moderation' }
		  @{ $self->{log}{bought} });
	$self->pack_lines('moderation_pack', 'packs');
	$self->pack_lines('pack', 'meter_packs');
	$self->moderation_line;
	$self->refund_lines;
	$self->manual_lines('credit');
	$self->manual_lines('charge');
	$_->{line} = ++$number foreach @{ $self->{lines} };
	return @{ $self->{lines} };
}

# R9: rounded once, to the places of the currency.
sub total_of
{
	my ($self, @lines) = @_;
	my $sum = zero();

	$sum = $sum + $_->{amount} foreach @lines;
	return round_half_away($sum, $self->{version}{scale});
}

sub add_line
{
	my ($self, %line) = @_;

	push @{ $self->{lines} },
	  {
		app_id => $self->{app}{app_id},
		month => $self->{month},
		currency => $self->{version}{currency},
		%line
	  };
}

# A line of usage, due on the 1st of the next month.
sub add_usage_line
{
	my ($self, %line) = @_;

	$self->add_line(
		due_on => $self->{end},
		start => $self->{month},
		end => $self->{end},
		amount => $line{units} * $line{unit_price},
		%line);
}

# --- The state of a day (R2, R7)

sub is_suspended
{
	my ($app, $day) = @_;

	return scalar grep { $_->[0] <= $day && (!defined $_->[1] || $day < $_->[1]) }
	  @{ $app->{suspensions} };
}

# A counting day of R3.
sub counts
{
	my ($self, $day) = @_;

	return !is_suspended($self->{app}, $day)
	  && $self->{app}{card}->began($day)
	  && defined $self->{log}->paid_plan($day);
}

# Why an app is out of service on a day (R7), or ''.  Trial is in service.
sub out_of_service
{
	my ($self, $day) = @_;
	my ($state, $term) = $self->{log}->plan_state($day);

	return 'suspended' if is_suspended($self->{app}, $day);
	return '' if $state ne 'stopped';
	return 'reclaimed'
	  if $day >= Reference::Orders::stopped_from($term) + KEPT_DAYS;
	return 'stopped';
}

sub is_in_service
{
	my ($self, $day) = @_;

	return $self->out_of_service($day) eq '';
}

# --- What was bought: due on the day of the purchase

sub by_day
{
	return $a->{day} <=> $b->{day} || $a->{order_id} <=> $b->{order_id};
}

sub of_this_month
{
	my ($self, @entries) = @_;

	return sort by_day grep { month_of($_->{day}) == $self->{month} } @entries;
}

sub bought_lines
{
	my ($self, @terms) = @_;

	foreach my $term ($self->of_this_month(@terms))
	{
		$self->add_line(
			item => $term->{item},
			option => $term->{option},
			start => $term->{start},
			end => $term->{end},
			due_on => $term->{day},
			quantity => $term->{months},
			included => 0,
			billable => $term->{months},
			units => $term->{months},
			unit_price => $term->{unit_price},
			amount => $term->{amount});
	}
}

sub plan_lines
{
	my ($self) = @_;

	$self->bought_lines(grep { $_->{item} eq 'plan' }
		  @{ $self->{log}{bought} });
	foreach my $upgrade ($self->of_this_month(@{ $self->{log}{upgrades} }))
	{
		$self->add_line(
			item => 'plan_upgrade',
			option => $upgrade->{option},
			start => $upgrade->{day},
			end => $upgrade->{end},
			due_on => $upgrade->{day},
			quantity => $upgrade->{remaining},
			included => 0,
			billable => $upgrade->{remaining},
			units => $upgrade->{remaining},
			unit_price => $upgrade->{unit_price},
			amount => $upgrade->{amount});
	}
}

sub pack_lines
{
	my ($self, $item, $list) = @_;

	foreach my $pack ($self->of_this_month(@{ $self->{log}{$list} }))
	{
		$self->add_line(
			item => $item,
			option => $pack->{option},
			start => $pack->{start},
			end => $pack->{end},
			due_on => $pack->{day},
			quantity => $pack->{quantity},
			included => 0,
			billable => $pack->{quantity},
			units => $pack->{quantity},
			unit_price => $pack->{unit_price},
			amount => $pack->{amount});
	}
}

sub refund_lines
{
	my ($self) = @_;

	foreach my $refund ($self->of_this_month(@{ $self->{log}{refunds} }))
	{
		$self->add_line(
			item => 'refund',
			option => $refund->{item},
			start => $refund->{start},
			end => $refund->{end},
			due_on => $refund->{day},
			quantity => 1,
			included => 0,
			billable => 1,
			units => 1,
			unit_price => $refund->{amount},
			amount => $refund->{amount});
	}
}

sub manual_lines
{
	my ($self, $item) = @_;

	foreach my $line ($self->of_this_month(grep { $_->{item} eq $item } @{ $self->{log}{manual} }))
	{
		$self->add_line(
			item => $item,
			option => $line->{option},
			start => $line->{day},
			end => $line->{day} + 1,
			due_on => $line->{day},
			quantity => 1,
			included => 0,
			billable => 1,
			units => 1,
			unit_price => $line->{amount},
			amount => $line->{amount});
	}
}

# --- Overage (R3)

# An app out of service on the month's last day pays for its counting days.
sub share_of
{
	my ($self, $amount) = @_;
	my $k = scalar @{ $self->{counting} };

	return $amount if $self->counts($self->{last});
	return round_half_up($amount * $k / ($self->{end} - $self->{month}), 8);
}

sub overage_lines
{
	my ($self) = @_;
	my @counting = @{ $self->{counting} };

	return if !@counting;
	my $plan = $self->{log}->paid_plan($counting[-1]);
	my $rates = $self->{version}->plan($plan);

	my $usage = $rates->{usage} || {};
	my @built_in = (
		[ 'dau_overage', 'dau', sub { $self->peak_of('dau') } ],
		[ 'mau_overage', 'mau', sub { $self->distinct_users } ],
		[ 'group_overage', 'groups', sub { $self->peak_of('peak_groups') } ]);

	foreach my $line (@built_in)
	{
		my ($item, $meter, $quantity) = @$line;

		$self->overage_line($item, $plan, $rates->{$meter}, $quantity->()) if $rates->{$meter};
		Reference::Usage::add_lines($self, $item, $meter, $plan, $usage->{$meter}) if $usage->{$meter};
	}
	Reference::Usage::plan_lines($self, $plan);
}

sub peak_of
{
	my ($self, $figure) = @_;
	my $peak = 0;

	foreach my $day (@{ $self->{counting} })
	{
		$peak = max($peak, $self->{app}{meter}->$figure($day));
	}
	return $peak;
}

sub distinct_users
{
	my ($self) = @_;
	my %users;

	foreach my $day (@{ $self->{counting} })
	{
		%users = (%users, %{ $self->{app}{meter}->users($day) });
	}
	return scalar keys %users;
}

sub blocks
{
	my ($usage, $rate) = @_;
	my $over = max(0, $usage - $rate->{included});

	return ceiling(num($over) / num($rate->{block}));
}

sub overage_line
{
	my ($self, $item, $plan, $rate, $usage) = @_;

	return if $usage == 0;
	my $blocks = blocks($usage, $rate);
	my $price = num($rate->{price});

	$self->add_usage_line(
		item => $item,
		option => $plan,
		quantity => $usage,
		included => $rate->{included},
		billable => max(0, $usage - $rate->{included}),
		units => $blocks,
		unit_price => $price,
		amount => $self->share_of($blocks * $price));
}

# --- Add-ons (R4)

sub addon_lines
{
	my ($self) = @_;
	my @terms = grep { $_->{item} !~ /^(plan|local_moderation)$/ }
	  @{ $self->{log}{bought} };
	my %names = map { $_->{item} => 1 } @terms;

	foreach my $name (sort keys %names)
	{
		$self->bought_lines(grep { $_->{item} eq $name } @terms);
	}
	$self->postpaid_line($_)
	  foreach sort grep { $_ ne 'moderation' }
	  keys %{ $self->{log}{switches} };
}

# Charged whole, at the plan of the last day it was on, and of the options of
# all days at the one that is dearest there, of equal ones the latest.
sub postpaid_line
{
	my ($self, $item) = @_;
	my ($log, $version) = @$self{qw(log version)};
	my ($plan, @options);

	foreach my $day (@{ $self->{counting} })
	{
		my $of_day = $log->paid_plan($day);
		my @sold = grep { defined $version->addon_price($item, $of_day, $_) }
		  $log->options_on($item, $day);
		next if !@sold;
		$plan = $of_day;
		push @options, @sold;
	}
	return if !defined $plan;
	my ($option, $price);
	foreach my $candidate (@options)
	{
		my $sold = $version->addon_price($item, $plan, $candidate);
		next if !defined $sold || (defined $price && $sold < $price);
		($option, $price) = ($candidate, $sold);
	}
	$self->add_usage_line(
		item => $item,
		option => $option,
		quantity => 1,
		included => 0,
		billable => 1,
		units => 1,
		unit_price => $price,
		amount => $self->share_of($price));
}

# --- Call minutes (R5)

# The packs of call minutes of all term months that have begun.  The end of
# a pack is that of its term month; a refund is known, and cuts it, from its
# day on.
sub call_packs
{
	my ($self) = @_;
	my @packs;

	foreach my $term (grep { defined $_->{minutes} } @{ $self->{log}{bought} })
	{
		foreach my $month (0 .. $term->{months} - 1)
		{
			my $start = add_months($term->{start}, $month);

			last if $start >= $self->{end};
			push @packs,
			  {
				term => $term,
				start => $start,
				end => add_months($term->{start}, $month + 1)
			  };
			$packs[-1]{left} = $packs[-1]{content} =
			  $self->content_of($packs[-1]);
		}
	}
	return @packs;
}

# What a pack holds.  A refund leaves of its term month the share of the days
# used, from its first day on: so refunds after the bill's month are known.
sub content_of
{
	my ($self, $pack) = @_;
	my $all = num($pack->{term}{minutes});
	my $log = $self->{whole_log} ||=
	  Reference::Orders->replay($self->{app}{card}, $self->{app}{orders},
		5_000_000);
	my ($term) = grep { $_->{order_id} == $pack->{term}{order_id} }
	  @{ $log->{bought} };
	my $last = $term->{refunded};

	return $all
	  if !defined $last || $last < $pack->{start} || $last >= $pack->{end};
	return zero() if $term->{whole};
	return floor_of($all * ($last + 1 - $pack->{start}) /
		  ($pack->{end} - $pack->{start}));
}

# When a pack ends, as known on a day.
sub pack_end
{
	my ($pack, $day) = @_;
	my $term = $pack->{term};
	my $refunded = defined $term->{refunded} && $term->{refunded} <= $day;

	return $refunded ? min($pack->{end}, $term->{until}) : $pack->{end};
}

# A term given back unbegun never reaches a day on which it is in force:
# until is not cut, but its refund comes before its start.
sub call_packs_on
{
	my ($packs, $day) = @_;
	my @there = grep {
			 $_->{start} <= $day
		  && $day < pack_end($_, $day)
		  && !(defined $_->{term}{refunded}
			&& $_->{term}{refunded} < $_->{term}{start})
	} @$packs;

	return sort {
		     pack_end($a, $day) <=> pack_end($b, $day)
		  || Reference::Orders::by_time($a->{term}, $b->{term})
	} @there;
}

# Takes whole minutes of a class from the packs; returns how many.
sub take_minutes
{
	my ($minutes, $ratio, @packs) = @_;
	my $taken = zero();

	foreach my $pack (@packs)
	{
		my $can = floor_of($pack->{left} / $ratio);
		my $take = min($can, $minutes - $taken);

		$pack->{left} = $pack->{left} - $take * $ratio;
		$taken = $taken + $take;
	}
	return $taken;
}

# Every day from the beginning is gone through, as a pack may have been
# begun in an earlier month, each at the ratios of its own month.
sub take_calls
{
	my ($self, $packs, $until) = @_;
	my $meter = $self->{app}{meter};
	my (%used, %covered);

	foreach my $day (grep { $_ < $until } $meter->days_with('call'))
	{
		next if !$self->{app}{card}->began($day);
		next if !$self->is_in_service($day);
		my $rates = $self->{app}{card}->of_month(month_of($day))->{call_minutes};
		my @there = call_packs_on($packs, $day);
		foreach my $class (grep { $rates->{$_} } @CLASSES)
		{
			my $minutes = num($meter->minutes($day, $class));
			next if $minutes == 0;
			my $ratio = num($rates->{$class}{ratio});
			my $taken = take_minutes($minutes, $ratio, @there);
			next if $day < $self->{month};
			$used{$class} = ($used{$class} || zero()) + $minutes;
			$covered{$class} = ($covered{$class} || zero()) + $taken;
		}
	}
	return (\%used, \%covered);
}

sub call_lines
{
	my ($self) = @_;
	my ($used, $covered) =
	  $self->take_calls([ $self->call_packs ], $self->{end});
	my %used = %$used;
	my %covered = %$covered;

	foreach my $class (grep { $used{$_} } @CLASSES)
	{
		$self->add_usage_line(
			item => 'call_minutes',
			option => $class,
			quantity => $used{$class},
			included => $covered{$class},
			billable => $used{$class} - $covered{$class},
			units => $used{$class} - $covered{$class},
			unit_price =>
			  num($self->{version}{call_minutes}{$class}{price}));
	}
}

# --- Cloud moderation (R6)

# The deductions of a day's checks at the coefficients of its month.
sub deductions
{
	my ($meter, $day, $coefficients) = @_;
	my %minutes =
	  map { $_ => num($meter->half_minutes($day, $_)) / 2 } qw(audio video);
	my %checks = map { $_ => num($meter->checks($day, $_)) } qw(text image);
	my %quantity = (%minutes, %checks);
	my $sum = zero();

	foreach my $kind (grep { $coefficients->{$_} } sort keys %quantity)
	{
		$sum = $sum + $quantity{$kind} * num($coefficients->{$kind});
	}
	return $sum;
}

# quantity n is n packs; the earliest end first, then the earliest bought.
sub moderation_packs
{
	my ($self) = @_;
	my @packs;

	foreach my $order (@{ $self->{log}{packs} })
	{
		push @packs, map { { %$order, left => num($order->{deductions}) } }
		  1 .. $order->{quantity};
	}
	return sort {
		$a->{end} <=> $b->{end} || Reference::Orders::by_time($a, $b)
	} @packs;
}

# Takes a day's deductions from packs: { order_id => how much }, and what no
# pack had left.
sub take_deductions
{
	my ($deductions, @packs) = @_;
	my $rest = num($deductions);
	my %taken;

	foreach my $pack (@packs)
	{
		my $take = min($pack->{left}, $rest);

		next if $take == 0;
		$pack->{left} = $pack->{left} - $take;
		$rest = $rest - $take;
		$taken{ $pack->{order_id} } =
		  ($taken{ $pack->{order_id} } || zero()) + $take;
	}
	return (\%taken, $rest);
}

# Switched on, and on a plan on which it can be.
sub moderation_on
{
	my ($self, $day) = @_;

	return 0 if !defined $self->{log}->option_on('moderation', $day);
	return 1 if !$self->{app}{card}->began($day);
	return $self->{app}{card}->of_month(month_of($day))->moderates($self->{log}->paid_plan($day));
}

# The days of moderation up to the month's end: { day, deductions, taken by
# order, postpaid }.
sub moderation_days
{
	my ($self) = @_;
	my $meter = $self->{app}{meter};
	my @packs = $self->moderation_packs;
	my @days;

	foreach my $day (grep { $_ < $self->{end} } $meter->days_with('check'))
	{
		next if !$self->moderation_on($day);
		next if !$self->{app}{card}->began($day);
		next if !$self->is_in_service($day);
		my $rates = $self->{app}{card}->of_month(month_of($day))->{moderation};
		next if !$rates;
		my $sum = deductions($meter, $day, $rates->{coefficients});
		my @there =
		  grep { $_->{start} <= $day && $day < $_->{end} } @packs;
		my ($taken, $postpaid) = take_deductions($sum, @there);
		push @days,
		  {
			day => $day,
			deductions => $sum,
			taken => $taken,
			postpaid => $postpaid
		  };
	}
	return @days;
}

sub moderation_line
{
	my ($self) = @_;
	my ($sum, $postpaid) = (zero(), zero());

	foreach my $day ($self->moderation_days)
	{
		next if $day->{day} < $self->{month};
		$sum = $sum + $day->{deductions};
		$postpaid = $postpaid + $day->{postpaid};
	}
	return if $sum == 0;
	$self->add_usage_line(
		item => 'moderation',
		option => '',
		quantity => $sum,
		included => $sum - $postpaid,
		billable => $postpaid,
		units => $postpaid,
		unit_price => num($self->{version}{moderation}{price}));
}

1;
