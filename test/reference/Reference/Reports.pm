
# What else the bill's figures tell: moderation day by day, and the usage
# that nobody pays.  Rows are lists of texts in the columns of the interface.

package Reference::Reports;

use strict;
use warnings;
use Reference::Amount;
use Reference::Bill;
use Reference::Calendar;

# day, service, texts, images, half minutes of audio and video, deductions,
# from packs, "order:deductions" of each pack, postpaid, amount
sub moderation_statement
{
	my ($app, $month) = @_;
	my $bill = Reference::Bill->new($app, $month);
	my %billed = map { $_->{day} => $_ } $bill->moderation_days;

	return
	  map { statement_row($bill, $_, $billed{$_}) } $month .. $bill->{end} - 1;
}

sub statement_row
{
	my ($bill, $day, $billed) = @_;
	my $meter = $bill->{app}{meter};
	my @usage = (
		Reference::Calendar::show_day($day),
		service_of($bill, $day),
		(map { $meter->checks($day, $_) } qw(text image)),
		(map { $meter->half_minutes($day, $_) } qw(audio video)));

	return [ @usage, 0, 0, '', 0, 0 ] if !$billed;
	my ($sum, $taken, $postpaid) = @$billed{qw(deductions taken postpaid)};
	my $price = num($bill->{version}{moderation}{price});

	return [
		@usage,
		show_num($sum),
		show_num($sum - $postpaid),
		join(',', map { "$_:" . show_num($taken->{$_}) } sort keys %$taken),
		show_num($postpaid),
		show_num($postpaid * $price)
	];
}

sub service_of
{
	my ($bill, $day) = @_;
	my $why_not = $bill->out_of_service($day);

	return $why_not if $why_not ne '';
	return $bill->moderation_on($day) ? 'on' : 'off';
}

# kind => "used/allowed" of a day of the month, by what was known on it: the
# quotas of a paid plan, and the call minutes of the packs in force.
sub standing
{
	my ($app, $month, $today) = @_;
	my $zone = $app->{card}->zone;
	# what was voided, whenever, was never placed
	my @known = grep { $_->{action} eq 'void' || local_day($_->{at}, $zone) <= $today } @{ $app->{orders} };
	my $bill = Reference::Bill->new({ %$app, orders => \@known }, $month);
	my @packs = $bill->call_packs;
	my @so_far = grep { $_ <= $today } @{ $bill->{counting} };
	my ($content, $left) = (zero(), zero());
	my %standing;

	$bill->take_calls(\@packs, $today + 1);
	foreach my $pack (Reference::Bill::call_packs_on(\@packs, $today))
	{
		$content = $content + $pack->{content};
		$left = $left + $pack->{left};
	}
	$standing{call_minutes} = show_num($content - $left) . '/' . show_num($content)
	  if $content > 0;
	return %standing if !@so_far;
	my $rates =
	  $bill->{version}->plan($bill->{log}->paid_plan($bill->{counting}[-1]));
	$bill->{counting} = \@so_far;
	my %peaks = (
		dau => $bill->peak_of('dau'),
		groups => $bill->peak_of('peak_groups'),
		mau => $bill->distinct_users);
	$standing{$_} = "$peaks{$_}/$rates->{$_}{included}"
	  foreach grep { $rates->{$_} && $peaks{$_} > 0 } keys %peaks;
	return %standing;
}

# day, kind, quantity, reason
sub unbilled_usage
{
	my ($app, $month) = @_;
	my $bill = Reference::Bill->new($app, $month);

	return map { unbilled_of_day($bill, $_) } $month .. $bill->{end} - 1;
}

sub unbilled_of_day
{
	my ($bill, $day) = @_;
	my $meter = $bill->{app}{meter};
	my $text = Reference::Calendar::show_day($day);
	my $out =
	  $bill->{app}{card}->began($day)
	  ? why_out($bill, $day)
	  : 'not priced by the card';
	my @usage = (
		[ 'dau', $meter->dau($day), $out ],
		[ 'groups', $meter->peak_groups($day), $out ]);

	push @usage,
	  [ $_, $meter->checks($day, $_), $out || why_no_check($bill, $day, $_) ]
	  foreach qw(text image);
	push @usage,
	  [
		$_,
		$meter->half_minutes($day, $_) / 2,
		$out || why_no_check($bill, $day, $_)
	  ]
	  foreach qw(audio video);
	push @usage,
	  [ "call_$_", $meter->minutes($day, $_), $out || why_no_call($bill, $_) ]
	  foreach @Reference::Bill::CLASSES;
	return map { [ $text, @$_ ] } grep { $_->[1] > 0 && $_->[2] ne '' } @usage;
}

# Reclaimed is a kind of stopped.  On trial the quota is a limit of the plan,
# so its logins and groups are no unpaid usage.
sub why_out
{
	my ($bill, $day) = @_;
	my $why_not = $bill->out_of_service($day);

	return $why_not eq 'reclaimed' ? 'stopped' : $why_not;
}

sub why_no_check
{
	my ($bill, $day, $kind) = @_;
	my $rates = $bill->{version}{moderation};

	return 'not priced by the card'
	  if !$rates || !defined $rates->{coefficients}{$kind};
	return $bill->moderation_on($day)
	  ? ''
	  : 'switched off';
}

sub why_no_call
{
	my ($bill, $class) = @_;

	return ($bill->{version}{call_minutes} || {})->{$class}
	  ? ''
	  : 'not priced by the card';
}

1;
