
# R15: what accounts owe by day, their balances, arrears, and when their apps
# are suspended.  An account is { account_id, zone, opened, payments => [ { at,
# amount, currency } ], apps => [ ... ] }; its apps are those of Reference::Bill,
# and "closed" of an app holds the lines of each month as they were issued.

package Reference::Account;

use strict;
use warnings;
use Exporter 'import';
use Reference::Amount;
use Reference::Bill;
use Reference::Calendar;

our @EXPORT = qw(balances_at arrears_at suspend_arrears lines_of_month);

my %known;

# Lines with what of them is settled by the day (R13), told apart.
sub lines_of_month
{
	my ($app, $month) = @_;
	my $key = join ' ', $app->{app_id}, $month, scalar @{ $app->{orders} }, map { map { $_ // '-' } @$_[ 0, 1 ] } @{ $app->{suspensions} };

	return $known{$key} //= rated_month($app, $month);
}

sub rated_month
{
	my ($app, $month) = @_;
	my %month = (lines => [], settled => []);

	return \%month if !$app->{card}->began(next_month($month) - 1);
	my $bill = Reference::Bill->new($app, $month);
	$month{lines} = [ $bill->lines ];
	$month{places} = $bill->{version}{scale};
	$month{settled} = [ settled_calls($bill), settled_checks($bill) ];
	$_->{currency} = $bill->{version}{currency} foreach @{ $month{settled} };
	return \%month;
}

# The minutes of a day are what they came to by it less what they came to before.
sub settled_calls
{
	my ($bill) = @_;
	my (%before, @settled);

	foreach my $day (grep { $_ >= $bill->{month} && $_ < $bill->{end} } $bill->{app}{meter}->days_with('call'))
	{
		my ($used, $covered) = $bill->take_calls([ $bill->call_packs ], $day + 1);

		foreach my $class (sort keys %$used)
		{
			my $amount = ($used->{$class} - ($covered->{$class} || zero()))
			  * num($bill->{version}{call_minutes}{$class}{price});
			push @settled, { item => 'call_minutes', option => $class, day => $day + 1,
				amount => $amount - ($before{$class} || zero()) };
			$before{$class} = $amount;
		}
	}
	return @settled;
}

sub settled_checks
{
	my ($bill) = @_;

	return map { { item => 'moderation', option => '', day => $_->{day} + 1,
			amount => $_->{postpaid} * num($bill->{version}{moderation}{price}) } }
	  grep { $_->{day} >= $bill->{month} } $bill->moderation_days;
}

sub is_settled
{
	return $_[0]->{item} eq 'call_minutes' || $_[0]->{item} eq 'moderation';
}

# [ day, currency, amount ] of what falls due of a month.
sub dues_of_month
{
	my ($app, $month) = @_;
	my $now = lines_of_month($app, $month);
	my $issued = exists $app->{closed}{$month} ? $app->{closed}{$month} : $now->{lines};
	my @dues;

	foreach my $line (@$issued)
	{
		my $left = $line->{amount};

		foreach my $part (is_settled($line) ? @{ $now->{settled} } : ())
		{
			next if grep { $part->{$_} ne $line->{$_} } qw(item option currency);
			push @dues, [ $part->{day}, $part->{currency}, $part->{amount} ];
			$left = $left - $part->{amount};
		}
		push @dues, [ $line->{due_on}, $line->{currency}, $left ];
	}
	return ($now->{places}, @dues);
}

# { currency => { day => how much the balance moves } }
sub moves
{
	my ($account, $at) = @_;
	my $today = local_day($at, $account->{zone});
	my %moves;

	foreach my $app (@{ $account->{apps} })
	{
		for (my $month = $account->{from}; $month <= $today; $month = next_month($month))
		{
			my ($places, @dues) = dues_of_month($app, $month);
			my %sum;

			foreach my $due (sort { $a->[0] <=> $b->[0] } grep { $_->[0] >= $account->{opened} && $_->[0] <= $today } @dues)
			{
				my ($day, $currency, $amount) = @$due;
				my $before = $sum{$currency} || zero();

				$sum{$currency} = $before + $amount;
				$moves{$currency}{$day} = ($moves{$currency}{$day} || zero())
				  + round_half_away($before, $places) - round_half_away($sum{$currency}, $places);
			}
		}
	}
	foreach my $payment (grep { $_->{at} <= $at } @{ $account->{payments} })
	{
		my $day = local_day($payment->{at}, $account->{zone});

		$moves{ $payment->{currency} }{$day} = ($moves{ $payment->{currency} }{$day} || zero()) + num($payment->{amount});
	}
	return ($today, \%moves);
}

# { currency => balance }
sub balances_at
{
	my ($account, $at) = @_;
	my (undef, $moves) = moves($account, $at);
	my %balances;

	foreach my $currency (keys %$moves)
	{
		$balances{$currency} = zero();
		$balances{$currency} = $balances{$currency} + $_ foreach values %{ $moves->{$currency} };
	}
	return \%balances;
}

# { currency => { day => 1 } } of the days at whose end a balance is negative
sub days_of_arrears
{
	my ($account, $at) = @_;
	my ($today, $moves) = moves($account, $at);
	my %arrears;

	foreach my $currency (keys %$moves)
	{
		my @days = sort { $a <=> $b } keys %{ $moves->{$currency} };
		my $balance = zero();

		foreach my $day ($days[0] .. $today)
		{
			$balance = $balance + ($moves->{$currency}{$day} || zero());
			$arrears{$currency}{$day} = 1 if $balance < 0;
		}
	}
	return ($today, \%arrears);
}

# { currency => the day since when it has been negative }
sub arrears_at
{
	my ($account, $at) = @_;
	my ($today, $arrears) = days_of_arrears($account, $at);
	my %since;

	foreach my $currency (grep { $arrears->{$_}{$today} } keys %$arrears)
	{
		my $day = $today;
		$day-- while $arrears->{$currency}{ $day - 1 };
		$since{$currency} = $day;
	}
	return \%since;
}

sub in_arrears
{
	my ($account, $at) = @_;
	my ($today, $arrears) = days_of_arrears($account, $at);

	return ($today, { map { %$_ } values %$arrears });
}

# Ends, removes and begins suspensions of the account's apps: how many.
sub suspend_arrears
{
	my ($account, $at, $days) = @_;

	return end_suspensions($account, $at) + begin_suspensions($account, $at, $days);
}

sub end_suspensions
{
	my ($account, $at) = @_;
	my ($today, $arrears) = in_arrears($account, $at);
	my $changed = 0;

	foreach my $app (@{ $account->{apps} })
	{
		my @rows;

		foreach my $row (@{ $app->{suspensions} })
		{
			my ($first, $end, $reason) = @$row;
			my $day = max(num($first), num($account->{opened}))->numify;

			if ($reason eq 'arrears' && !defined $end && $first <= $today)
			{
				$day++ while $arrears->{$day};
				$end = $day if $day <= $today;
				$changed++ if defined $end;
			}
			push @rows, [ $first, $end, $reason ] if !defined $end || $end > $first;
		}
		$app->{suspensions} = \@rows;
	}
	return $changed;
}

sub begin_suspensions
{
	my ($account, $at, $days) = @_;
	my ($today, $arrears) = in_arrears($account, $at);
	my $changed = 0;

	return 0 if grep { !$arrears->{$_} } $today - $days .. $today;
	foreach my $app (@{ $account->{apps} })
	{
		next if grep { $_->[2] eq 'arrears' && (!defined $_->[1] || $_->[0] <= $today && $today < $_->[1]) } @{ $app->{suspensions} };
		push @{ $app->{suspensions} }, [ $today, undef, 'arrears' ];
		$changed++;
	}
	return $changed;
}

1;
