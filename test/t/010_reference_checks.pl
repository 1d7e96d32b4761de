
# The reference itself against every number that the billing rules state.
# If one of these fails, the random histories of the next test compare the
# extension with a wrong model.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../reference";
use Test::More;
use Reference;
use Reference::Amount;
use Reference::Bill;
use Reference::Bundled;
use Reference::Calendar;
use Reference::Card;
use Reference::Meter;
use Reference::Orders;

my $ZONE = 'Asia/Shanghai';

sub card
{
	my ($name) = @_;

	return Reference::Card->new($name,
		map { [ $_->[1], $_->[2] ] }
		  grep { $_->[0] eq $name } Reference::Bundled::all());
}

my $cn = card('cn');

# An instant of Shanghai: '2023-03-01' or '2023-03-01 10:20:30'.
sub at
{
	my ($text) = @_;
	my ($day, $hour, $minute, $second) =
	  $text =~ /^(\S+)(?: (\d+):(\d+):(\d+(?:\.\d+)?))?$/;

	return day_starts_at(parse_day($day), $ZONE) +
	  (($hour || 0) * 3600 + ($minute || 0) * 60) * SECOND +
	  int(($second || 0) * 1e6 + 0.5);
}

my $next_id = 0;

sub order
{
	my ($at, $action, $item, $option, %rest) = @_;

	return {
		order_id => ++$next_id,
		at => at($at),
		action => $action,
		item => $item,
		option => $option,
		months => undef,
		quantity => 1,
		refunds => undef,
		paid => undef,
		%rest
	};
}

# A log that has taken all of the orders.
sub log_of
{
	my ($card, @orders) = @_;
	my $log = Reference::Orders->new($card);

	foreach my $order (@orders)
	{
		my $why = $log->take($order);
		die "$order->{action} $order->{item}: $why" if $why;
	}
	return $log;
}

sub app_with
{
	my ($card, $orders, %rest) = @_;

	return {
		app_id => 1,
		card => $card,
		orders => $orders,
		suspensions => $rest{suspensions} || [],
		meter => Reference::Meter->new(
			$card->zone, $rest{raw} || {}, $rest{daily} || {})
	};
}

# Lines of a month as "item/option=amount".
sub amounts
{
	my ($app, $month) = @_;

	return join ' ',
	  map { "$_->{item}/$_->{option}=$_->{amount}" }
	  bill_lines($app, parse_day("$month-01"));
}

sub day
{
	return parse_day(@_);
}

# --- R1

foreach my $case (
	[ '2023-01-31', 1, '2023-02-28' ],
	[ '2024-01-31', 1, '2024-02-29' ],
	[ '2023-01-31', 2, '2023-03-31' ],
	[ '2024-02-29', 12, '2025-02-28' ],
	[ '2023-03-01', 1, '2023-04-01' ],
	[ '2023-12-15', 14, '2025-02-15' ])
{
	my ($from, $months, $to) = @$case;

	is(Reference::Calendar::show_day(add_months(day($from), $months)),
		$to, "$from and $months months is $to");
}
is(day('2000-01-01'), 10957, 'a day number known from elsewhere');
is(local_day(at('2023-03-05'), $ZONE), day('2023-03-05'),
	'midnight begins the day');
is(local_day(at('2023-03-05') - 1, $ZONE),
	day('2023-03-04'), 'a microsecond earlier is the day before');
is(show_instant(at('2023-03-05') + 1),
	'2023-03-04 16:00:00.000001+00', 'instants are written in UTC');
is( (   day_starts_at(day('2024-03-11'), 'America/New_York') -
		  day_starts_at(day('2024-03-10'), 'America/New_York')) / HOUR,
	23,
	'the day summer time begins has 23 hours');
isnt(
	local_hour(day_starts_at(day('2024-11-03'), 'America/New_York') + HOUR,
		'America/New_York'),
	local_hour(
		day_starts_at(day('2024-11-03'), 'America/New_York') + 2 * HOUR,
		'America/New_York'),
	'a repeated hour is two hours');

# --- R2: terms, renewals, grace, states

my @pro = (order('2023-01-31 12:00:00', 'buy', 'plan', 'pro', months => 1));
my $app = app_with($cn, \@pro);
foreach my $case (
	[ '2023-01-30', 'trial' ],
	[ '2023-01-31', 'active' ],
	[ '2023-02-27', 'active' ],
	[ '2023-02-28', 'grace' ],
	[ '2023-03-06', 'grace' ],
	[ '2023-03-07', 'stopped' ],
	[ '2023-06-04', 'stopped' ],
	[ '2023-06-05', 'reclaimed' ])
{
	is(app_status($app, day($case->[0])),
		$case->[1], "$case->[1] on $case->[0]");
}

sub verdict
{
	my ($card, $orders, @new) = @_;
	my $log = log_of($card, @$orders);

	return $log->take(order(@new));
}

is(verdict($cn, \@pro, '2023-02-27', 'buy', 'plan', 'flagship', months => 1),
	'another plan is running', 'flagship is an upgrade within the term');
is(verdict($cn, \@pro, '2023-02-28', 'buy', 'plan', 'flagship', months => 1),
	'', 'flagship can be bought in the grace');
is( verdict($cn, \@pro, '2023-02-28', 'upgrade', 'plan', 'flagship'),
	'no term is running',
	'no upgrade in the grace');
is(verdict($cn, [], '2023-02-28', 'upgrade', 'plan', 'pro'),
	'no term is running', 'no upgrade on trial');
is(verdict($cn, [], '2023-02-28', 'buy', 'plan', 'trial', months => 1),
	'the free plan is not sold', 'trial cannot be bought');
is( verdict(
		$cn, [ order('2023-01-01', 'buy', 'plan', 'flagship', months => 1) ],
		'2023-01-31', 'buy', 'plan', 'pro', months => 1),
	'another plan is running',
	'no step down on the last day of the term');

sub renewed_on
{
	my ($day) = @_;
	my $log =
	  log_of($cn, @pro, order($day, 'buy', 'plan', 'pro', months => 1));

	return Reference::Calendar::show_day($log->{bought}[1]{start});
}

is(renewed_on('2023-02-10'), '2023-02-28', 'renewed in the term: old end');
is(renewed_on('2023-03-06'), '2023-02-28', 'on grace day 7: old end');
is(renewed_on('2023-03-07'), '2023-03-07', 'on day 8: its own day');

is( amounts(
		app_with(
			$cn,
			[   order('2023-12-31 23:59:59', 'buy', 'plan', 'pro', months => 3)
			]),
		'2023-12'),
	'plan/pro=2997',
	'all months at once, at the price of the purchase day');
is( amounts(
		app_with(
			$cn, [ order('2024-01-01', 'buy', 'plan', 'pro', months => 1) ]),
		'2024-01'),
	'plan/pro=1499',
	'the version of 2024');

# --- R3

foreach my $case (
	[ 'dau', 10000, '' ],
	[ 'dau', 10001, 1000 ],
	[ 'dau', 20000, 1000 ],
	[ 'dau', 20001, 2000 ],
	[ 'dau', 25000, 2000 ],
	[ 'peak_groups', 550000, 5000 ])
{
	my ($column, $usage, $amount) = @$case;
	my $item = $column eq 'dau' ? 'dau_overage' : 'group_overage';
	my $one = app_with(
		$cn,
		[ order('2023-03-01', 'buy', 'plan', 'pro', months => 2) ],
		daily => { day('2023-04-30') => { $column => $usage } });

	is( amounts($one, '2023-04'),
		"$item/pro=" . ($amount || 0),
		"$column of $usage costs " . ($amount || 0));
}

# A minute before the end of its last counting day an app still pays, by
# the share of its days.
my @january = (order('2023-01-05', 'buy', 'plan', 'pro', months => 1));
is( amounts(
		app_with(
			$cn,
			\@january,
			daily => { day('2023-02-11') => { dau => 10001 } }),
		'2023-02'),
	'dau_overage/pro=' . show_num(round_half_up(num(1000) * 11 / 28, 8)),
	'stopped within the month: 11 of 28 days');
is( amounts(
		app_with(
			$cn,
			\@january,
			daily => { day('2023-02-12') => { dau => 10001 } }),
		'2023-02'),
	'',
	'the first stopped day does not count');

my @logins = map { { user => $_, at => at('2022-12-31 23:59:59.999999') } }
  qw(a b b);
push @logins, { user => 'c', at => at('2023-01-01') };
my $meter = Reference::Meter->new(
	$ZONE,
	{
		login => \@logins,
		group => [
			{ created => at('2023-01-02'), disbanded => at('2023-01-03') },
			{ created => at('2023-01-03'), disbanded => undef },
			{ created => at('2023-01-03'), disbanded => at('2023-01-03') }
		]
	},
	{});
is($meter->dau(day('2022-12-31')), 2, 'two users before midnight');
is($meter->dau(day('2023-01-01')), 1, 'one from midnight on');
is(join(' ', map { $meter->peak_groups(day($_)) }
		  qw(2023-01-01 2023-01-02 2023-01-03 2023-01-04)),
	'0 1 1 1',
	'created included, disbanded excluded');

# --- R4

my @flagship =
  (order('2023-01-01', 'buy', 'plan', 'flagship', months => 12));
is(verdict($cn, [], '2023-01-01', 'buy', 'group_members', '', months => 1),
	'add-ons need a paid plan', 'no add-on on trial');
is( verdict(
		$cn, \@flagship, '2023-01-01', 'buy', 'avchatroom', '', months => 1),
	'not sold on the plan',
	'avchatroom is included in flagship');
is( verdict(
		$cn,
		[   @flagship,
			order('2023-01-01', 'buy', 'call', 'basic', months => 1)
		],
		'2023-01-31', 'buy', 'call', 'premium', months => 1),
	'another option is in force',
	'a second option is refused to the last day');
is( verdict(
		$cn,
		[   @flagship,
			order('2023-01-01', 'buy', 'call', 'basic', months => 1)
		],
		'2023-02-01', 'buy', 'call', 'premium', months => 1),
	'',
	'and allowed once the first is over');

my @switched = (
	@flagship,
	order('2023-01-31', 'on', 'history_storage', '90d'),
	order('2023-02-10', 'on', 'history_storage', '360d'),
	order('2023-03-01', 'off', 'history_storage', ''));
$app = app_with($cn, \@switched);
is(amounts($app, '2023-01'), 'plan/flagship=35988 history_storage/90d=500',
	'on for the last day: the whole month');
is(amounts($app, '2023-02'), 'history_storage/360d=2000',
	'the option in force last');
is(amounts($app, '2023-03'), 'history_storage/360d=2000',
	'the day of switching off counts');
is(amounts($app, '2023-04'), '', 'off since');
is( verdict(
		$cn, [ @switched[ 0 .. 2 ] ],
		'2023-02-28', 'on', 'history_storage', '90d'),
	'a second switch of option within a month',
	'one switch of option a month');
is(amounts(
		app_with(
			$cn,
			[   order('2023-01-05', 'buy', 'plan', 'pro', months => 3),
				order('2023-01-05', 'on', 'history_storage', '30d'),
				order('2023-02-01', 'upgrade', 'plan', 'flagship')
			]),
		'2023-02'),
	'plan_upgrade/flagship=4142.47',
	'30d is not sold on flagship: off');

# --- R5

my @call =
  (@flagship, order('2023-01-15', 'buy', 'call', 'basic', months => 2));

sub call_app
{
	my ($orders, %minutes) = @_;
	my %daily;

	foreach my $key (keys %minutes)
	{
		my ($day, $class) = split / /, $key;
		$daily{ day($day) }{"${class}_minutes"} = $minutes{$key};
	}
	return app_with($cn, $orders, daily => \%daily);
}

sub call_lines
{
	my ($one, $month) = @_;

	return join ' ',
	  map { "$_->{option}:$_->{quantity}-$_->{included}=$_->{amount}" }
	  grep { $_->{item} eq 'call_minutes' }
	  bill_lines($one, day("$month-01"));
}

is( call_lines(
		call_app([], map { ("2023-01-02 $_" => 1000) } qw(audio sd hd fhd)),
		'2023-01'),
	'audio:1000-0=7 sd:1000-0=14 hd:1000-0=28 fhd:1000-0=105',
	'all postpaid without the add-on, on trial too');
is( call_lines(
		call_app(
			\@call,
			'2023-01-14 audio' => 1,
			'2023-01-15 audio' => 109990,
			'2023-01-16 sd' => 4,
			'2023-02-14 fhd' => 1,
			'2023-02-15 hd' => 27501),
		'2023-02'),
	'hd:27501-27500=0.028 fhd:1-0=0.105',
	'a term month has 110,000 minutes, nothing carries over, no minute split'
);
$meter = Reference::Meter->new(
	$ZONE,
	{
		call => [
			{ class => 'sd', at => at('2023-01-01 10:00:00'), seconds => 61 },
			{ class => 'sd', at => at('2023-01-01 11:00:00'), seconds => 59 },
			{ class => 'hd', at => at('2023-01-01 11:00:00'), seconds => 61 }
		]
	},
	{});
is($meter->minutes(day('2023-01-01'), 'sd'), 2, 'seconds are summed first');
is($meter->minutes(day('2023-01-01'), 'hd'), 2, 'a started minute counts');

# --- R6

my @page = (
	(map { { kind => $_, at => at('2023-01-01 08:10:00') } }
	  (('text') x 10, ('image') x 10)),
	{ kind => 'audio', at => at('2023-01-01 08:12:00'), seconds => 25 },
	{ kind => 'audio', at => at('2023-01-01 08:20:00'), seconds => 135 });
$app = app_with(
	$cn,
	[ order('2023-01-01 23:00:00', 'on', 'moderation', '') ],
	raw => { check => \@page });
my ($line) = bill_lines($app, day('2023-01-01'));
is($line->{quantity}, 54, 'the example of the price page');
is($line->{amount}, '0.054', 'at 0.0010');

foreach my $case ([ 29, 0 ], [ 30, 1 ], [ 59, 1 ], [ 60, 2 ], [ 160, 5 ])
{
	my $one = Reference::Meter->new(
		$ZONE,
		{
			check => [
				{
					kind => 'video',
					at => at('2023-01-01 08:59:59.999999'),
					seconds => $case->[0]
				},
				{
					kind => 'video',
					at => at('2023-01-01 09:00:00'),
					seconds => 29
				}
			]
		},
		{});
	is($one->half_minutes(day('2023-01-01'), 'video'),
		$case->[1], "$case->[0] s are $case->[1] half minutes");
}

# A pack's last 0.05: 1,100,000 less 1,099,999.95 before.
$app = app_with(
	$cn,
	[   order('2023-01-31', 'buy', 'moderation_pack', 'month'),
		order('2023-01-31', 'on', 'moderation', '')
	],
	daily => {
		day('2023-01-31') =>
		  { text_checks => 1099999, image_checks => 1 },
		day('2023-02-27') => { image_checks => 2 },
		day('2023-02-28') => { text_checks => 1 }
	});
is(amounts($app, '2023-01'), 'moderation_pack/month=1050 moderation/=0',
	'within the pack');
is(amounts($app, '2023-02'), 'moderation/=0.00195',
	'1.30 less the 0.35 left, then a day after the pack ended');

# --- R7

$app = app_with(
	$cn,
	[   order('2023-01-01', 'buy', 'plan', 'pro', months => 2),
		order('2023-01-01', 'on', 'history_storage', '30d')
	],
	suspensions => [ [ day('2023-01-11'), undef ] ],
	daily => {
		day('2023-01-10') => { dau => 10001, audio_minutes => 1000 },
		day('2023-01-11') => { dau => 90000, audio_minutes => 1000 }
	});
is( amounts($app, '2023-01'),
	'plan/pro=1998 dau_overage/pro=322.58064516'
	  . ' history_storage/30d=161.29032258 call_minutes/audio=7',
	'suspended days are not billed and the rest is shared');
is(app_status($app, day('2023-01-10')), 'active', 'active before');
is(app_status($app, day('2023-01-11')), 'suspended', 'suspended since');
is(amounts($app, '2023-02'), '', 'nothing in a month without a day');

# --- R8

sub upgrade_fee
{
	my ($card, $months, $from, $on) = @_;
	my $log = log_of(
		$card,
		order($from, 'buy', 'plan', 'pro', months => $months),
		order($on, 'upgrade', 'plan', 'flagship'));

	return $log->{upgrades}[0]{remaining} . ' '
	  . show_num($log->{upgrades}[0]{amount});
}

is(upgrade_fee($cn, 12, '2023-01-01', '2023-05-02'),
	'244 16043.84', '244 remaining days of 2000');
my $steep = Reference::Card->new(
	'steep',
	[   '2023-01-01',
		'{"currency":"CNY","scale":2,"time_zone":"Asia/Shanghai",'
		  . '"grace_days":7,"plans":{"free":{"rank":0,"price":0},'
		  . '"pro":{"rank":1,"price":"1000"},'
		  . '"flagship":{"rank":2,"price":7000}}}'
	]);
is(upgrade_fee($steep, 1, '2023-01-01', '2023-01-08'),
	'24 4734.25', '24 remaining days of 6000');

sub refunded
{
	my ($orders, $on, $which) = @_;
	my $log = log_of($cn, @$orders,
		order($on, 'refund', '', '',
			refunds => $orders->[$which]{order_id}));

	return show_num($log->{refunds}[-1]{amount});
}

my @march = (order('2023-03-01', 'buy', 'plan', 'pro', months => 2));
is(refunded(\@march, '2023-03-05', 0), -1998, 'day 5: everything back');
is( refunded(\@march, '2023-03-06', 0),
	show_num(num(-1998) + round_half_away(num(999) * 6 / 31, 2)),
	'day 6: a started day counts');
is(refunded(\@march, '2023-03-31', 0), -999, 'a month used whole');
is(refunded(\@march, '2023-04-30', 0), 0, 'all used: a refund of 0');
is( verdict(
		$cn, \@march, '2023-05-01', 'refund', 'plan', '',
		refunds => $march[0]{order_id}),
	'the term is over',
	'not after the end');

my @queue = (
	order('2023-03-01', 'buy', 'plan', 'pro', months => 1),
	order('2023-03-02', 'buy', 'plan', 'pro', months => 1));
is(refunded(\@queue, '2023-03-31', 1), -999,
	'not yet begun: as if never bought');
is( verdict(
		$cn, \@queue, '2023-03-03', 'refund', 'plan', '',
		refunds => $queue[0]{order_id}),
	'a later term stands',
	'newest first');
my $unbegun = order('2023-03-03', 'refund', 'plan', '',
	refunds => $queue[1]{order_id});
is(refunded([ @queue, $unbegun ], '2023-03-04', 0),
	-999, 'an unbegun term leaves the full refund unused');
is( refunded(
		[   order('2023-03-01', 'buy', 'plan', 'pro', months => 1, paid => 62),
			order('2023-03-01', 'buy', 'local_moderation', '', months => 1),
			order('2023-03-02', 'refund', '', '', refunds => $next_id)
		],
		'2023-03-02',
		0),
	-58,
	'the second one pays its days, of the price agreed');

# Upgraded on the 11th: 10 days of 999/31, then 5 of 2999/31.
my @upgraded = (
	order('2023-03-01', 'buy', 'plan', 'pro', months => 1),
	order('2023-03-11', 'upgrade', 'plan', 'flagship'));
my $fee = round_half_up(num(2000) * 21 * 12 / 365, 2);
is( refunded(\@upgraded, '2023-03-15', 0),
	show_num(
		-round_half_up(
			num(999) + $fee - num(9990) / 31 - num(14995) / 31, 2)),
	'upgraded: the fee is paid, its days cost the new price');
is( verdict(
		$cn, \@upgraded, '2023-03-15', 'refund', 'plan', '',
		refunds => $upgraded[1]{order_id}),
	'nothing to refund',
	'never an upgrade by itself');

my $given_back = order('2023-03-15', 'refund', 'plan', '',
	refunds => $march[0]{order_id});
$app = app_with($cn, [ @march, $given_back ]);
is(app_status($app, day('2023-03-15')), 'active', 'the day of the refund');
is(app_status($app, day('2023-03-16')), 'stopped', 'no grace after it');
my $again = log_of($cn, @march, $given_back,
	order('2023-03-15 23:00:00', 'buy', 'plan', 'flagship', months => 1));
is(Reference::Calendar::show_day($again->{bought}[1]{start}),
	'2023-03-15', 'a purchase after a refund starts on its own day');
is($again->paid_plan(day('2023-03-15')),
	'flagship', 'and is in force on that day');

# --- R9

is(show_num(round_half_away(num('-0.005'), 2)), '-0.01', 'half away from 0');
is(show_num(round_half_away(num('0.00499999'), 2)), '0', 'below a half');
$app = app_with($cn, [], daily => { day('2023-01-01') => { audio_minutes => 715 } });
is(bill_total($app, day('2023-01-01')), '5.01', '5.005 is 5.01');
ok(!eval { $cn->on(day('2019-12-09')); 1 }, 'no version before the first');

done_testing();
