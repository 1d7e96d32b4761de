
# The extension's bills against the reference, on random histories.
#
# Orders, suspensions and usage of some 200 apps over four months are made up
# from a seed, loaded, and every line of every bill is compared column by
# column with what the independent reference makes of the rules.  What would
# be wrong if this failed: a bill, or the reference's reading of a rule.
#
# IMBILLING_SEED repeats a run, IMBILLING_APPS makes it larger or smaller,
# IMBILLING_KEEP leaves the database to look around.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../reference";
use Encode qw(encode);
use History;
use History::Compare;
use History::Database;
use History::Dice;
use Reference;
use Reference::Bundled;
use Reference::Calendar;
use Reference::Card;
use Test::More;

use constant STATUS_SAMPLES => 6;

my $seed = $ENV{IMBILLING_SEED} || time ^ ($$ << 12);
my $number_of_apps = $ENV{IMBILLING_APPS} || 220;

binmode(Test::More->builder->$_, ':utf8')
  foreach qw(output failure_output todo_output);
diag("IMBILLING_SEED=$seed IMBILLING_APPS=$number_of_apps");

my $history = make_history($seed, $number_of_apps);
my $db = History::Database->new('t_random_histories');
my %total;

# The bundled cards are those of the rules.
foreach my $bundled (Reference::Bundled::all())
{
	my ($name, $from, $json) = @$bundled;
	my ($same) = $db->rows("SELECT im_bundled_card('$name', '$from')::jsonb"
		  . " = im_rate_card('$json')::jsonb, terms = '$json'::jsonb"
		  . " FROM im_rate_card_version"
		  . " WHERE rate_card = '$name' AND effective_from = '$from'");

	is($same->[0], 't', "bundled card $name of $from is that of the rules");
}

$db->load($history);

$total{$_} = compare_month($db, $history, $_) foreach @{ $history->{months} };

# The bill of one app is its part of the bills of all.
foreach my $month (map { month_text($_) } @{ $history->{months} })
{
	my $all = "SELECT * FROM im_monthly_bills('$month')";
	my $single = 'SELECT b.* FROM im_app a, LATERAL'
	  . " im_monthly_bill(a.app_id, '$month') b";
	my ($counts) = $db->rows(
		"SELECT (SELECT count(*) FROM ($all EXCEPT ALL $single) x),"
		  . " (SELECT count(*) FROM ($single EXCEPT ALL $all) x)");

	is("@$counts", '0 0', "one app and all apps agree on $month");
}

# Totals are rounded once.
foreach my $month (@{ $history->{months} })
{
	my $text = month_text($month);
	my @wrong;

	foreach my $row ($db->rows(
			"SELECT app_id, im_monthly_total(app_id, '$text') FROM im_app"))
	{
		my ($app, $sum) = @$row;
		my $want = $total{$month}{$app};

		push @wrong, "app $app: $sum, reference $want"
		  if plain($sum // 'NULL') ne $want;
	}
	is("@wrong[ 0 .. ($#wrong > 4 ? 4 : $#wrong) ]", '', "totals of $text");
}

# Moderation day by day, and the usage that nobody pays, of all apps.
foreach my $month (@{ $history->{months} }[ 1, 3 ])
{
	my $text = month_text($month);
	my (@statement, @unbilled);

	foreach my $app (@{ $history->{apps} })
	{
		push @statement, map { [ $app->{app_id}, @$_ ] }
		  moderation_statement($app, $month);
		push @unbilled, map { [ $app->{app_id}, @$_ ] }
		  unbilled_usage($app, $month);
	}
	same_rows(
		\@statement,
		[   $db->rows(
				'SELECT a.app_id, s.day, s.service, s.text_checks,'
				  . ' s.image_checks, s.audio_half_minutes,'
				  . ' s.video_half_minutes, s.deductions, s.from_packs,'
				  . " (SELECT coalesce(string_agg(p.key || ':' || p.value,"
				  . " ',' ORDER BY p.key COLLATE \"C\"), '')"
				  . ' FROM jsonb_each_text(s.packs) p), s.postpaid, s.amount'
				  . " FROM im_app a, im_moderation_statement(a.app_id, '$text') s"
			)
		],
		"moderation statements of $text");
	same_rows(
		\@unbilled,
		[   $db->rows(
				'SELECT app_id, day, kind, quantity, reason'
				  . " FROM im_unbilled_usage('$text')")
		],
		"unbilled usage of $text");
}

# What is settled by the day adds up to the lines of the month, asked by app
# and asked by day: otherwise customers would owe one sum and be billed another.
foreach my $month (@{ $history->{months} }[ 0, 2 ])
{
	my $text = month_text($month);
	my @lines = $db->rows(
		'SELECT app_id, item, option, trim_scale(quantity), trim_scale(included), trim_scale(units), trim_scale(amount)'
		  . " FROM im_monthly_bills('$text') WHERE item IN ('call_minutes', 'moderation')");
	my $sums = 'c.app_id, c.item, c.option, trim_scale(sum(c.quantity)), trim_scale(sum(c.from_packs)),'
	  . ' trim_scale(sum(c.postpaid)), trim_scale(sum(c.amount))';

	same_rows(\@lines,
		[ $db->rows("SELECT $sums FROM im_app a, im_daily_charges(a.app_id, '$text', '$text'::date + 40) c"
			  . " WHERE date_trunc('month', c.day) = '$text' GROUP BY 1, 2, 3") ],
		"calls and checks of $text by app and day");
	same_rows(\@lines,
		[ $db->rows("SELECT $sums FROM generate_series('$text'::date, '$text'::date + interval '1 month' - interval '1 day', '1 day') d,"
			  . " im_daily_charges(d::date) c WHERE c.due_on = c.day + 1 AND c.day = d::date GROUP BY 1, 2, 3") ],
		"calls and checks of $text by day of all apps");
}

# What if the price of 2024 had always stood: every version of "cn" has the
# same plans, add-ons and packs, so the same orders are allowed under it.
sub compare_preview
{
	my ($month) = @_;
	my $text = month_text($month);
	my @cn = grep { $_->{card_name} eq 'cn' } @{ $history->{apps} };
	my ($new) = grep { $_->[1] eq '2024-01-01' } Reference::Bundled::all();
	my $card = Reference::Card->new('what if', [ '2019-12-10', $new->[2] ]);
	my @columns = qw(line item option period due_on quantity included billable
	  units unit_price amount currency);
	my $list = join ', ', map { "b.$_" } @columns;
	my @want;

	foreach my $app (@cn)
	{
		push @want, map { [ @$_{ 'app_id', @columns } ] }
		  bill_lines({ %$app, card => $card }, $month);
	}
	same_rows(
		\@want,
		[   $db->rows("SELECT a.app_id, $list FROM im_app a,"
				  . " im_preview_bill(a.app_id, '$text',"
				  . " im_bundled_card('cn', '2024-01-01')) b"
				  . " WHERE a.rate_card = 'cn'")
		],
		"previews of $text");
}

compare_preview($_) foreach @{ $history->{months} }[ 0, 2 ];

# The state of apps on days where it turns.
sub samples_of
{
	my ($app) = @_;
	my $zone = $app->{card}->zone;
	my @days = History::Usage::hot_days($app, $history->{months}[0],
		$history->{end});

	return map {
		{
			app => $app,
			day => $_,
			at => show_instant(day_starts_at($_, $zone) + time_of_day())
		}
	} map { pick(@days) } 1 .. STATUS_SAMPLES;
}

my @samples = map { samples_of($_) } @{ $history->{apps} };
my @states = map { $_->[0] } $db->rows(
	'SELECT im_app_status(app_id, at) FROM (VALUES '
	  . join(
		', ',
		map {
			"($_, '$samples[$_]{app}{app_id}'::bigint,"
			  . " '$samples[$_]{at}'::timestamptz)"
		} 0 .. $#samples)
	  . ') AS v(n, app_id, at) ORDER BY n');
my @wrong_states = grep {
	app_status($samples[$_]{app}, $samples[$_]{day}) ne ($states[$_] // 'NULL')
} 0 .. $#samples;
is(scalar @wrong_states, 0, scalar(@samples) . ' states of apps');
foreach my $number (@wrong_states[ 0 .. ($#wrong_states > 3 ? 3 : $#wrong_states) ])
{
	my $sample = $samples[$number];

	diag("at $sample->{at} (day "
		  . month_text($sample->{day})
		  . "): $states[$number], reference "
		  . app_status($sample->{app}, $sample->{day}));
	diag(describe_app($sample->{app}, $sample->{day}));
}

# What the rules forbid is refused, each order tried in its own transaction.
my %there;
my @refused = map {
	my $app = $_;
	map { { app => $app, %$_ } } grep { !joins_voids($app, $_->{order}) } @{ $app->{refused} }
} @{ $history->{apps} };

# Voids that follow one another are judged together: what was refused alone may
# stand with those that came behind it later.
sub joins_voids
{
	my ($app, $order) = @_;
	return 0 if $order->{action} ne 'void';
	my ($next) = sort { $a->{at} <=> $b->{at} || $a->{order_id} <=> $b->{order_id} }
	  grep { $_->{at} > $order->{at} || $_->{at} == $order->{at} && $_->{order_id} > $order->{order_id} } @{ $app->{orders} };

	return defined $next && $next->{action} eq 'void';
}

sub is_kept
{
	my ($refusal) = @_;
	my ($app, $id) = ($refusal->{app}{app_id}, $refusal->{order}{order_id});

	return grep { $_ eq $id } split(/[{},]/, $there{$app} // '');
}

my (undef, undef, $errors) = $db->script(
	join('', map { History::Database::insert_of($_->{app}, $_->{order}) } @refused),
	'-v VERBOSITY=verbose');
my @codes = $errors =~ /ERROR:  (\w{5}): /g;
%there =
  map { $_->[0] => $_->[1] }
  $db->rows('SELECT app_id, array_agg(order_id) FROM im_order GROUP BY 1');
my @slipped =
  grep { $_->{why} ne 'order_id twice' && is_kept($_) } @refused;

is(scalar @codes, scalar @refused, 'every forbidden order is an error');
is(scalar(grep { /^XX|^08/ } @codes), 0, 'of those none is internal');
is(scalar @slipped, 0, 'no forbidden order is kept')
  or diag(
	join "\n",
	map {
		"$_->{why}: "
		  . History::describe_order($_->{order}, $_->{app}{card}->zone) . "\n"
		  . describe_app($_->{app},
			local_day($_->{order}{at}, $_->{app}{card}->zone))
	} @slipped[ 0 .. ($#slipped > 3 ? 3 : $#slipped) ]);

$db->drop if !$ENV{IMBILLING_KEEP};
done_testing();
