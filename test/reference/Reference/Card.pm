
# A rate card: its versions by day (R9), each the JSON of the interface.

package Reference::Card;

use strict;
use warnings;
use JSON::PP;
use Reference::Amount;
use Reference::Calendar;

# versions: [ [ effective_from as text, JSON text ], ... ] in any sequence.
sub new
{
	my ($class, $name, @versions) = @_;
	my $parser = JSON::PP->new->allow_bignum;
	my @parsed;

	foreach my $version (@versions)
	{
		my ($from, $json) = @$version;

		push @parsed,
		  {
			from => parse_day($from),
			json => $json,
			terms => $parser->decode($json)
		  };
	}
	@parsed = sort { $a->{from} <=> $b->{from} } @parsed;
	return bless { name => $name, versions => \@parsed }, $class;
}

# The version in force on a day: the last one that began until then.
sub on
{
	my ($self, $day) = @_;
	my ($found) = grep { $_->{from} <= $day } reverse @{ $self->{versions} };

	die "no version of card $self->{name} on " . show_day($day)
	  if !$found;
	return bless $found->{terms}, 'Reference::Card::Version';
}

# The version that rates the usage of a month: that of its first day, or the
# first of all where that starts in the month (R12).
sub of_month
{
	my ($self, $month) = @_;
	my $first = $self->{versions}[0]{from};

	return $self->on(month_of($first) == $month ? max_day($first, $month) : $month);
}

sub max_day
{
	my ($one, $other) = @_;

	return $one > $other ? $one : $other;
}

# Days before the first version do not count.
sub began
{
	my ($self, $day) = @_;

	return $day >= $self->{versions}[0]{from};
}

# All versions of a card are in one zone here; an app does not move.
sub zone
{
	my ($self) = @_;

	return $self->{versions}[0]{terms}{time_zone};
}

package Reference::Card::Version;

use strict;
use warnings;
use Reference::Amount;

sub plan { my ($self, $plan) = @_; return $self->{plans}{$plan}; }

sub rank { my ($self, $plan) = @_; return $self->plan($plan)->{rank}; }

sub plan_price { my ($self, $plan) = @_; return num($self->plan($plan)->{price}); }

# The price of exactly so many months, or undef where it is that of a month each.
sub term_price
{
	my ($self, $plan, $months) = @_;
	my $price = ($self->plan($plan)->{prices} || {})->{$months};

	return defined $price ? num($price) : undef;
}

# Is the option sold only to who holds it (R12)?
sub renews_only
{
	my ($self, $item, $option) = @_;

	return scalar grep { $_ eq $option } @{ $self->addon($item)->{renew_only} || [] };
}

# Can moderation be on on a plan, undef for the free one (R6)?
sub moderates
{
	my ($self, $plan) = @_;
	my $plans = ($self->{moderation} || {})->{plans};

	($plan) = grep { $self->rank($_) == 0 } keys %{ $self->{plans} } if !defined $plan;
	return !$plans || grep { $_ eq $plan } @$plans;
}

sub has_plan { my ($self, $plan) = @_; return exists $self->{plans}{$plan}; }

sub addon { my ($self, $item) = @_; return ($self->{addons} || {})->{$item}; }

# The price of an add-on's option on a plan, or undef where it is not sold.
sub addon_price
{
	my ($self, $item, $plan, $option) = @_;
	my $addon = $self->addon($item);
	my $prices = $addon && $addon->{prices}{$plan};

	return undef if !$prices || !exists $prices->{$option};
	return num($prices->{$option});
}

sub is_charged
{
	my ($self, $item, $charge) = @_;
	my $addon = $self->addon($item);

	return $addon && $addon->{charge} eq $charge;
}

# Is the option sold on any plan at all?
sub sells_somewhere
{
	my ($self, $item, $option) = @_;

	return scalar grep { defined $self->addon_price($item, $_, $option) }
	  keys %{ $self->{plans} };
}

sub pack_of
{
	my ($self, $pack) = @_;

	return undef if !$self->{moderation};
	return ($self->{moderation}{packs} || {})->{$pack};
}

1;
