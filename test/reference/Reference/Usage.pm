
# Rule R12: what the meters of an app came to in a month, and the lines of the
# charges for it.  Figures are whole numbers of hundred-millionths.

package Reference::Usage;

use strict;
use warnings;
use Math::BigInt;
use Reference::Amount;
use Reference::Calendar;
use Reference::Charge;

# The add-on of a version that prices a meter, if one does.
sub addon_of
{
	my ($version, $meter) = @_;
	my ($name) = grep { exists(($version->{addons}{$_}{usage} || {})->{$meter}) }
	  sort keys %{ $version->{addons} || {} };

	return $name;
}

sub version_on
{
	my ($bill, $day) = @_;

	return $bill->{app}{card}->of_month(month_of($day));
}

# The option of an add-on in force on a day, the later of two; undef for none.
sub option_in_force
{
	my ($bill, $addon, $day) = @_;
	my $plan = $bill->{log}->paid_plan($day);
	my @terms = grep { $_->{start} <= $day && $day < $_->{until} } @{ $bill->{log}{standing}{$addon} || [] };
	my @on = grep { defined $plan && defined version_on($bill, $day)->addon_price($addon, $plan, $_) }
	  $bill->{log}->options_on($addon, $day);

	return $on[-1] if @on;
	return @terms ? $terms[-1]{option} : undef;
}

# The days on which a meter counts.
sub days_of
{
	my ($bill, $meter) = @_;
	my $addon = addon_of($bill->{version}, $meter);

	return grep { !defined $addon || defined option_in_force($bill, $addon, $_) } @{ $bill->{counting} };
}

# What a meter came to in the month.
sub quantity_of
{
	my ($bill, $meter) = @_;

	return fine_of($bill->peak_of('dau')) if $meter eq 'dau';
	return fine_of($bill->peak_of('peak_groups')) if $meter eq 'groups';
	return fine_of($bill->distinct_users) if $meter eq 'mau';
	my ($named, $shape) = ($bill->{app}{named}, $bill->{version}{meters}{$meter});
	my @days = days_of($bill, $meter);
	my @figures = map { $named->figure($meter, $shape->{day}, $_) } @days;
	my $how = "${\$shape->{month}}_of_month";

	return Math::BigInt->bzero if !@days;
	return Reference::Usage->can($how)->($named, $meter, $shape->{day}, \@days, \@figures);
}

sub sum_of_month
{
	my (undef, undef, undef, undef, $figures) = @_;
	my $sum = Math::BigInt->bzero;

	$sum += $_ foreach @$figures;
	return $sum;
}

sub max_of_month
{
	my (undef, undef, undef, undef, $figures) = @_;

	return Reference::Named::largest(map { { fine => $_ } } @$figures);
}

sub average_of_month
{
	my ($sum, $days) = (sum_of_month(@_), scalar @{ $_[3] });

	return scalar Reference::Charge::nearest_of($sum, Math::BigInt->new($days));
}

sub last_of_month
{
	my ($named, $meter, $kind, $days, $figures) = @_;

	foreach my $number (reverse 0 .. $#$days)
	{
		return $figures->[$number] if $kind =~ /last|average/ || $named->is_stated($meter, $days->[$number]);
	}
	return Math::BigInt->bzero;
}

sub unique_of_month
{
	my ($named, $meter, undef, $days) = @_;
	my %all;

	%all = (%all, %{ $named->subjects($meter, $_) }) foreach @$days;
	return fine_of(scalar keys %all);
}

# --- Packs

# Is somebody to pay for a meter on a day?
sub is_priced_on
{
	my ($bill, $meter, $day) = @_;

	return 0 if !$bill->counts($day);
	my $version = version_on($bill, $day);
	my $addon = addon_of($version, $meter);

	return 1 if exists(($version->plan($bill->{log}->paid_plan($day))->{usage} || {})->{$meter});
	return defined $addon && defined option_in_force($bill, $addon, $day);
}

sub packs_of
{
	my ($bill, $meter) = @_;
	my @packs;

	foreach my $order (grep { $_->{meter} eq $meter } @{ $bill->{log}{meter_packs} })
	{
		push @packs, map { { %$order, left => fine_of($order->{holds}) } } 1 .. $order->{quantity};
	}
	return sort {
		     $a->{priority} <=> $b->{priority}
		  || $a->{end} <=> $b->{end}
		  || Reference::Orders::by_time($a, $b)
	} @packs;
}

# What packs gave of the figures of the month, every day since the first pack
# gone through.
sub from_packs
{
	my ($bill, $meter) = @_;
	my @packs = packs_of($bill, $meter);
	my ($first) = sort { $a <=> $b } map { $_->{start} } @packs;
	my %counts = map { $_ => 1 } days_of($bill, $meter);
	my $given = Math::BigInt->bzero;

	return $given if !@packs;
	foreach my $day (grep { is_priced_on($bill, $meter, $_) } $first .. $bill->{end} - 1)
	{
		my $rest = $bill->{app}{named}->figure($meter, version_on($bill, $day)->{meters}{$meter}{day}, $day)->copy;

		foreach my $pack (grep { $_->{start} <= $day && $day < $_->{end} } @packs)
		{
			my $take = Reference::Charge::smaller($pack->{left}, $rest);

			$pack->{left} -= $take;
			$rest -= $take;
			$given += $take if $counts{$day};
		}
	}
	return $given;
}

# --- Lines

sub of_fine { return num(fine_text($_[0])) }

# A charge of a month: { charge, quantity and of_quantity as priced, packs, rows }.
sub rated
{
	my ($bill, $meter, $charge) = @_;
	my $shape = ($bill->{version}{meters} || {})->{$meter};
	my $quantity = quantity_of($bill, $meter);
	my $packs = $shape && $shape->{month} eq 'sum' ? from_packs($bill, $meter) : Math::BigInt->bzero;
	my $included = $charge->{included};
	my $of = ref $included eq 'HASH' ? fine_text(quantity_of($bill, $included->{of})) : '0';
	my $priced = fine_text($quantity - $packs);

	return {
		charge => $charge,
		all => $quantity,
		quantity => $priced,
		of_quantity => $of,
		packs => $packs,
		included => included_of($charge, $of),
		rows => [ charge_rows($charge, $priced, $of) ]
	};
}

# The lines of a meter that somebody prices.
sub add_lines
{
	my ($bill, $item, $meter, $option, $charge) = @_;
	my $rated = rated($bill, $meter, $charge);
	my $amount = Math::BigInt->bzero;
	my $whole = (($bill->{version}{meters} || {})->{$meter} || {})->{month} // '';
	my ($packs, $included) = ($rated->{packs}, $rated->{included});

	$amount += $_->{amount} foreach @{ $rated->{rows} };
	return if $rated->{all} == 0 && $amount == 0;
	push @{ $bill->{rated} }, { %$rated, meter => $meter, plan => $option, amount => $amount };
	foreach my $row (@{ $rated->{rows} })
	{
		my $part = $row->{counts} ? $row->{quantity} : Math::BigInt->bzero;
		my $free = $row->{counts} ? $included : Math::BigInt->bzero;
		my $gave = $row->{counts} ? $packs : Math::BigInt->bzero;
		my $sum = of_fine($row->{amount});

		$bill->add_usage_line(
			item => $item,
			option => $option,
			quantity => of_fine($part + $gave),
			included => of_fine($free + $gave),
			billable => max(zero(), of_fine($part - $free)),
			units => of_fine($row->{units}),
			unit_price => of_fine($row->{unit_price}),
			amount => $whole eq 'sum' ? $sum : $bill->share_of($sum));
		($packs, $included) = (Math::BigInt->bzero, Math::BigInt->bzero) if $row->{counts};
	}
}

# Meters by name that plans price, by name.
sub plan_lines
{
	my ($bill, $plan) = @_;
	my $usage = $bill->{version}->plan($plan)->{usage} || {};

	foreach my $meter (grep { !/^(dau|mau|groups)$/ } sort keys %$usage)
	{
		add_lines($bill, $meter, $meter, $plan, $usage->{$meter});
	}
}

# Meters that add-ons price, by name, on the option of the last day.
sub addon_lines
{
	my ($bill) = @_;
	my $version = $bill->{version};
	my %priced = map { %{ $version->{addons}{$_}{usage} || {} } } keys %{ $version->{addons} || {} };

	foreach my $meter (sort keys %priced)
	{
		my @days = days_of($bill, $meter);

		next if !@days;
		add_lines($bill, $meter, $meter, option_in_force($bill, addon_of($version, $meter), $days[-1]), $priced{$meter});
	}
}

1;
