#!/usr/bin/perl
#
# 201_random_meters.pl
#	  Bills of meters by name against the reference, on random histories.
#
# Price lists with meters of every kind, shares, packs and add-ons, and apps with
# events, daily figures, suspensions and orders of four months are made up from a
# seed.  Events come shuffled and in several loads, many of them late; the days are
# metered in between, metering is forgotten, figures and price lists change.  After
# each step every line of every bill is what the reference makes of all that there
# is by then.  What would be wrong if this failed: an amount; or an amount that
# depends on when something came, or on what was metered.
#
# IMBILLING_SEED repeats a run, IMBILLING_APPS makes it larger or smaller,
# IMBILLING_KEEP leaves the database to look around.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../reference";
use History;
use History::Compare;
use History::Database;
use History::Dice;
use JSON::PP;
use List::Util qw(shuffle);
use Reference;
use Reference::Bill;
use Reference::Charge;
use Test::More;

use constant WORKERS => (0, 1, 2, 6);

my $seed = $ENV{IMBILLING_SEED} || time ^ ($$ << 12);
my $number_of_apps = $ENV{IMBILLING_APPS} || 200;

binmode(Test::More->builder->$_, ':utf8')
  foreach qw(output failure_output todo_output);
diag("IMBILLING_SEED=$seed IMBILLING_APPS=$number_of_apps");

my $history = make_history($seed, $number_of_apps, undef, 'with meters by name');
my @apps = @{ $history->{apps} };
my @months = @{ $history->{months} };
my $db = History::Database->new('t_random_meters');
my @events = shuffle(map {
		my $app = $_;
		map { { %$_, app_id => $app->{app_id} } } @{ $app->{events} }
} @apps);
my @given = shuffle(map { given_rows($_) } @apps);

sub given_rows
{
	my ($app) = @_;

	return map {
		my $meter = $_;
		map { { app_id => $app->{app_id}, meter => $meter, day => $_, %{ $app->{given}{$meter}{$_} } } }
		  sort { $a <=> $b } keys %{ $app->{given}{$meter} }
	} sort keys %{ $app->{given} };
}

# The price lists before they priced any meter.
sub without_usage
{
	my ($version) = @_;
	my ($name, $from, $text) = @$version;
	my $card = JSON::PP->new->decode($text);

	delete $_->{usage} foreach values %{ $card->{plans} }, values %{ $card->{addons} || {} };
	return [ $name, $from, JSON::PP->new->canonical->encode($card) ];
}

sub run_steps
{
	my ($fine, undef, $err) = $db->script(join('', @_), '-v ON_ERROR_STOP=1');

	die "a step: $err" if !$fine;
}

# Some days of the four months, or those before them, or all.
sub some_days
{
	my $from = between($months[0] - 400, $history->{end});
	my $last = $from + between(0, 200);

	return '' if chance(30);
	return sprintf("'%s', '%s'", map { Reference::Calendar::show_day($_) } $from, $last);
}

# The next part of the shuffled rows, in several loads with metering in between.
sub part_of
{
	my ($rows, $how, $percent) = @_;
	my @part = splice(@$rows, 0, int(@$rows * $percent / 100));
	my $text = '';

	while (@part)
	{
		$text .= $how->(splice(@part, 0, between(1, @part)));
		$text .= 'SELECT im_meter(' . some_days() . ");\n" if chance(25);
	}
	return $text;
}

sub compare_all
{
	my ($when) = @_;

	compare_month($db, $history, $_, ", $when") foreach @months;
}

$db->load({ %$history, custom => [ map { without_usage($_) } @{ $history->{custom} } ] });
run_steps(
	part_of(\@events, \&History::Database::event_text, 40),
	part_of(\@given, \&History::Database::given_text, 40),
	"SELECT im_meter();\n",
	part_of(\@events, \&History::Database::event_text, 60));

# Prices come when all has been metered without them; the rest of the rows is late.
run_steps("CREATE TEMP TABLE v (rate_card text, effective_from date, terms jsonb);\n"
	  . History::Database::copy_of('v', @{ $history->{custom} })
	  . 'UPDATE im_rate_card_version c SET terms = v.terms FROM v'
	  . " WHERE (c.rate_card, c.effective_from) = (v.rate_card, v.effective_from);\n",
	part_of(\@events, \&History::Database::event_text, 100),
	part_of(\@given, \&History::Database::given_text, 100));
compare_all('late rows not metered');

run_steps("SELECT im_meter();\n");
compare_all('all metered');

run_steps('SELECT im_forget_metering(' . some_days() . ");\n", 'SELECT im_meter(' . some_days() . ");\n",
	"DELETE FROM im_event WHERE app_id % 3 = 0 AND abs(hashtext(meter || at)) % 2 = 0;\n",
	"DELETE FROM im_meter_daily WHERE metered_at IS NULL AND app_id % 5 = 0;\n",
	'SELECT im_meter(' . some_days() . ");\n");

# What was taken away comes back, otherwise than it went.
my @back = shuffle(grep { $_->{app_id} % 3 == 0 } map {
		my $app = $_;
		map { { %$_, app_id => $app->{app_id} } } @{ $app->{events} }
} @apps);
my @rows_back = map { given_rows($_) } grep { $_->{app_id} % 5 == 0 } @apps;
run_steps("DELETE FROM im_event WHERE app_id % 3 = 0;\n",
	part_of(\@back, \&History::Database::event_text, 100),
	part_of(\@rows_back, \&History::Database::given_text, 100));
compare_all('rows taken away and brought back');

# Raw, metered, or some of each; one process or many: the same to the digit.
sub answers
{
	my ($settings) = @_;
	my $month = month_text($months[2]);

	return $db->run(
		'SET parallel_setup_cost = 0', 'SET parallel_tuple_cost = 0',
		'SET min_parallel_table_scan_size = 0', 'SET min_parallel_index_scan_size = 0', $settings,
		"SELECT b.* FROM im_monthly_bills('$month') b ORDER BY app_id, line",
		"SELECT * FROM im_monthly_totals('$month') ORDER BY 1, 2");
}

my $one_process = answers('SET max_parallel_workers_per_gather = 0');
foreach my $metered ('SELECT im_meter()', 'SELECT im_forget_metering()')
{
	run_steps("$metered;\n");
	ok(answers("SET max_parallel_workers_per_gather = $_") eq $one_process, "$metered, $_ workers: the same answers")
	  foreach WORKERS;
}

# The bill of one app is its part of the bills of all, and totals are rounded once.
foreach my $month (@months)
{
	my $text = month_text($month);
	my ($counts) = $db->rows("WITH together AS MATERIALIZED (SELECT * FROM im_monthly_bills('$text')),"
		  . " alone AS MATERIALIZED (SELECT b.* FROM im_app a, LATERAL im_monthly_bill(a.app_id, '$text') b)"
		  . ' SELECT (SELECT count(*) FROM (TABLE together EXCEPT ALL TABLE alone) x),'
		  . ' (SELECT count(*) FROM (TABLE alone EXCEPT ALL TABLE together) x)');

	is("@$counts", '0 0', "one app and all apps agree on $text");
	same_rows([ map { [ $_->{app_id}, $_->{bill_of}{$month}{total} ] } @apps ],
		[ $db->rows("SELECT app_id, im_monthly_total(app_id, '$text') FROM im_app") ], "totals of $text");
}

# What is settled by the day adds up to the lines of the month.
foreach my $month (@months)
{
	my $text = month_text($month);
	my @lines = $db->rows('SELECT app_id, item, option, quantity, included, units, amount'
		  . " FROM im_monthly_bills('$text') WHERE item IN ('call_minutes', 'moderation')");

	same_rows(\@lines,
		[ $db->rows('SELECT c.app_id, item, option, sum(quantity), sum(from_packs), sum(postpaid), sum(amount)'
			  . " FROM im_app a, im_daily_charges(a.app_id, '$text', ('$text'::date + interval '1 month - 1 day')::date) c"
			  . ' GROUP BY 1, 2, 3') ],
		"daily charges of $text");
}

# Each charge by itself: a quantity of a plan costs what its lines add up to.
my (@asked, @fees);
foreach my $app (@apps)
{
	foreach my $month (@months)
	{
		my $bill = Reference::Bill->new($app, $month);

		$bill->lines;
		foreach my $rated (grep { $bill->{version}->has_plan($_->{plan}) } @{ $bill->{rated} })
		{
			push @asked, [ scalar @asked, $app->{card_name}, month_text($month), @$rated{qw(plan meter quantity of_quantity)} ];
			push @fees, [ $#asked, fine_text($rated->{amount}) ];
		}
	}
}
run_steps("CREATE TABLE asked (n int, card text, month date, plan text, meter text, quantity numeric, of_quantity numeric);\n"
	  . History::Database::copy_of('asked', @asked));
same_rows(\@fees,
	[ $db->rows('SELECT n, im_usage_fee(v.terms::im_rate_card, plan, meter, quantity, of_quantity) FROM asked a,'
		  . ' LATERAL (SELECT terms FROM im_rate_card_version WHERE rate_card = card'
		  . ' ORDER BY effective_from > month, abs(effective_from - month) LIMIT 1) v') ],
	'fees by im_usage_fee');

$db->drop if !$ENV{IMBILLING_KEEP};
done_testing();
