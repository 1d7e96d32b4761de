
# Random rate cards: small quotas and packs, so that a few rows of usage
# cross them, prices with odd decimals, and versions that begin on any day.

package History::Cards;

use strict;
use warnings;
use utf8;
use JSON::PP;
use History::Dice;
use History::Named;
use Reference::Calendar;

my @OPTIONS = ('', 'basic', '30d', 'a "b"', "o'c", '高级');

# [ effective_from, JSON ] of each version of a card for months that begin
# with a day number.  A rich card is in a zone and sells everything.
sub random_versions
{
	my ($first, $days, $rich_zone, $with_named) = @_;
	my $shape = defined $rich_zone ? rich_shape($rich_zone) : shape();

	$shape->{named} = History::Named::shape() if $with_named;
	# now and then a list of its own begins within the first month
	my $late = !defined $rich_zone && chance(20);
	my @from = ($late ? $first + between(1, 27) : $first - between(200, 900));
	my $json = JSON::PP->new->canonical;

	push @from, grep { $_ > $from[0] }
	  map { pick_version_day($first, $days) } 1 .. between(0, 2);
	my %once = map { $_ => 1 } @from;
	return map {
		[   Reference::Calendar::show_day($_),
			$json->encode(version_of($shape))
		]
	} sort { $a <=> $b } keys %once;
}

sub pick_version_day
{
	my ($first, $days) = @_;
	my $day = $first + between(-40, $days - 1);

	return chance(40) ? month_of($day) : $day;
}

# What stays the same in all versions of a card.
sub shape
{
	my $plans = between(1, 3);

	return {
		zone => weighted(
			55 => 'Asia/Shanghai',
			15 => 'UTC',
			15 => 'Asia/Kolkata',
			15 => 'America/New_York'),
		currency => pick([ 'CNY', 2 ], [ 'USD', 2 ], [ 'JPY', 0 ],
			[ 'KWD', 3 ]),
		plans => [ 'free', (map { "plan $_" } 1 .. $plans) ],
		meters => pick(
			[qw(dau groups)], [qw(dau groups)], [qw(dau)], [qw(mau)],
			[qw(mau groups)], []),
		addons => addon_shapes(),
		classes => [ some_of(90, qw(audio sd hd fhd)) ],
		packs => [qw(mini year two)],
		moderated => chance(85),
		local => chance(70)
	};
}

# Two add-ons with minutes at once, so that packs of minutes overlap.
sub rich_shape
{
	my ($zone) = @_;
	my %shape = (
		%{ shape() },
		zone => $zone,
		plans => [ 'free', 'plan 1', 'plan 2' ],
		meters => [qw(dau groups)],
		classes => [qw(audio sd hd fhd)],
		moderated => 1,
		local => 1);

	$shape{addons} = [
		(   map {
				{
					name => $_,
					charge => 'prepaid',
					minutes => 1,
					options => [ '', 'basic' ]
				}
			} 'call',
			'Call 2'),
		{
			name => 'history_storage',
			charge => 'postpaid',
			options => [ '30d', '90d', '高级' ]
		}
	];
	return \%shape;
}

sub addon_shapes
{
	my @addons;

	push @addons,
	  { name => 'seats', charge => 'prepaid', options => some_options() }
	  if chance(70);
	push @addons,
	  {
		name => $_,
		charge => 'prepaid',
		minutes => 1,
		options => some_options()
	  }
	  foreach some_of(65, 'call', 'Call 2');
	push @addons,
	  { name => $_, charge => 'postpaid', options => some_options() }
	  foreach some_of(70, 'history_storage', 'Archive');
	return \@addons;
}

sub some_options
{
	my @options = some_of(60, @OPTIONS);

	return @options ? \@options : [''];
}

sub version_of
{
	my ($shape) = @_;
	my ($currency, $scale) = @{ $shape->{currency} };
	my %card = (
		currency => $currency,
		scale => $scale,
		time_zone => $shape->{zone},
		grace_days => pick(0, 1, 3, 7, 7, 12),
		plans => plans_of($shape));

	$card{addons} = addons_of($shape) if @{ $shape->{addons} };
	$card{call_minutes} = {
		map {
			$_ => {
				ratio => pick(1, 2, 3, 4, 15),
				price => pick('0.007', '0.014', '1', '0.105', '0.3333')
			}
		} @{ $shape->{classes} }
	  }
	  if @{ $shape->{classes} };
	$card{local_moderation} = price() if $shape->{local};
	$card{moderation} = moderation_of($shape) if $shape->{moderated} && chance(95);
	History::Named::add_to_card(\%card, $shape->{named}, @{ $shape->{meters} }) if $shape->{named};
	return \%card;
}

# Decimals as strings, whole numbers as either.
sub price
{
	return weighted(
		30 => between(1, 3000),
		20 => between(1, 3000) . '',
		30 => between(0, 300) . '.' . between(0, 99),
		10 => '0.' . between(1, 9999),
		5 => '0',
		5 => '100.50');
}

sub plans_of
{
	my ($shape) = @_;
	my ($free, @paid) = @{ $shape->{plans} };
	my %plans = ($free => { rank => 0, price => '0' });
	my $rank = 0;

	foreach my $name (@paid)
	{
		$plans{$name} = {
			rank => ++$rank,
			price => price(),
			map { $_ => meter_of() } @{ $shape->{meters} }
		};
		$plans{$name}{prices} = { map { $_ => price() } some_of(60, 1, 2, 3, 7, 12), 24 }
		  if chance(35);
	}
	return \%plans;
}

sub meter_of
{
	return {
		included => between(0, 5),
		block => between(1, 3),
		price => price()
	};
}

sub addons_of
{
	my ($shape) = @_;
	my (undef, @paid) = @{ $shape->{plans} };
	my %addons;

	# Now and then a version no longer has an add-on at all.
	foreach my $addon (some_of(93, @{ $shape->{addons} }))
	{
		my (%prices, %sold);

		foreach my $plan (some_of(85, @paid))
		{
			my %of_plan =
			  map { $_ => price() } some_of(85, @{ $addon->{options} });
			$prices{$plan} = \%of_plan if %of_plan;
			%sold = (%sold, %of_plan);
		}
		$addons{ $addon->{name} } =
		  { charge => $addon->{charge}, prices => \%prices };
		$addons{ $addon->{name} }{renew_only} = [ pick(sort keys %sold) ]
		  if %sold && chance(25);
		$addons{ $addon->{name} }{minutes} =
		  { map { $_ => between(1, 60) } sort keys %sold }
		  if $addon->{minutes} && %sold;
	}
	return \%addons;
}

sub moderation_of
{
	my ($shape) = @_;
	my %months = (mini => 1, two => 2, year => 12);
	my %coefficients = (
		text => pick('1', '0.05'),
		image => '0.65',
		audio => pick('15', '0.5'),
		video => '56');

	delete $coefficients{ pick(qw(text image audio video)) } if chance(15);

	my @plans = some_of(60, @{ $shape->{plans} });

	return {
		price => pick('0.0010', '0.01', '3', '0.3333'),
		coefficients => \%coefficients,
		@plans && chance(30) ? (plans => \@plans) : (),
		packs => {
			map {
				$_ => {
					price => price(),
					deductions => between(1, 120),
					months => $months{$_}
				}
			} @{ $shape->{packs} }
		}
	};
}

1;
