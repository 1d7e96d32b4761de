#!/usr/bin/perl
#
# 142_finance_histories.pl
#	  What finance asks, over random histories of some apps: price lists
#	  compared, thresholds, and the views for BI.
#
# Each answer is computed a second time another way: comparisons from previews
# app by app, thresholds from bills, statements and the order log, daily usage
# from the independent reference.  If one differed, one of two reports about
# the same money would be wrong.
#
# IMBILLING_SEED repeats a run, IMBILLING_APPS makes it larger or smaller,
# IMBILLING_KEEP leaves the database to look around.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../reference";
use History;
use History::Database;
use Reference;
use Reference::Calendar;
use Test::More;

my $seed = $ENV{IMBILLING_SEED} || time ^ ($$ << 12);
my $napps = $ENV{IMBILLING_APPS} || 60;

binmode(Test::More->builder->$_, ':utf8') foreach qw(output failure_output todo_output);
diag("IMBILLING_SEED=$seed IMBILLING_APPS=$napps");

my $history = make_history($seed, $napps);
my $db = History::Database->new('t_finance_histories');
$db->load($history);
my @months = map { Reference::Calendar::show_day($_) } @{ $history->{months} };

# The query gives no row, which would be a difference.
sub none
{
	my ($query, $what) = @_;
	my @rows = map { join ' ', map { $_ // 'NULL' } @$_ } $db->rows("$query LIMIT 5");

	is("@rows", '', $what);
}

sub differs
{
	my ($what, $one, $other) = @_;

	none("SELECT * FROM (($one) EXCEPT ALL ($other)) x ORDER BY 1, 2", "$what: nothing too much");
	none("SELECT * FROM (($other) EXCEPT ALL ($one)) x ORDER BY 1, 2", "$what: nothing missing");
}

# ---- price lists compared ----

my $old = "im_bundled_card('cn', '2019-12-10')";
my $new = "im_bundled_card('cn', '2024-01-01')";
my $far = "jsonb_set($new\::jsonb, '{time_zone}', '\"America/New_York\"')::im_rate_card";

# Total under a card from the preview of each app; null where a line has no amount.
sub previewed
{
	my ($month, $card) = @_;

	return 'SELECT a.app_id, p.* FROM im_app a, LATERAL (SELECT'
	  . ' CASE WHEN bool_and(p.amount IS NOT NULL) THEN round(sum(p.amount), 2) END AS total,'
	  . " count(*) > 0 AS lines FROM im_preview_bill(a.app_id, '$month', $card) p) p";
}

for my $case ([ $months[1], $old, $new, 'prices' ], [ $months[2], $new, $far, 'zones' ])
{
	my ($month, $one, $other, $what) = @$case;

	$db->run('DROP TABLE IF EXISTS compared',
		"CREATE TABLE compared AS SELECT * FROM im_compare_cards('$month', $one, $other)",
		'DROP TABLE IF EXISTS previewed',
		"CREATE TABLE previewed AS SELECT x.app_id, x.total AS a, y.total AS b, x.lines AS al, y.lines AS bl"
		  . " FROM (" . previewed($month, $one) . ") x JOIN (" . previewed($month, $other) . ") y USING (app_id)");
	differs("$what of $month",
		'SELECT app_id, total_a, total_b FROM compared',
		'SELECT app_id, CASE WHEN al THEN a ELSE 0 END, CASE WHEN bl THEN b ELSE 0 END FROM previewed WHERE al OR bl');
	none('SELECT app_id FROM compared WHERE difference IS DISTINCT FROM total_b - total_a'
		  . ' OR (total_a IS NULL OR total_b IS NULL) <> (reason IS NOT NULL)', "difference or reason, $what");
	none('SELECT app_id, difference, moved FROM compared WHERE abs(difference -'
		  . ' (SELECT coalesce(sum(m.value::numeric), 0) FROM jsonb_each_text(moved) m)) > 0.01',
		"what moved adds up to the difference, $what");
}
# Another way of counting users: not everything can be priced, but nothing fails.
my ($intl) = $db->rows("SELECT count(*), count(*) FILTER (WHERE reason IS NOT NULL)"
	  . " FROM im_compare_cards('$months[1]', $old, im_bundled_card('intl', '2022-12-26'))");
cmp_ok($intl->[1], '>', 0, "of $intl->[0] apps $intl->[1] have a reason on the card of users of the month");

# ---- thresholds ----

my $last = $months[3];
my $quotas = q{CASE item WHEN 'dau_overage' THEN 'dau' WHEN 'mau_overage' THEN 'mau' WHEN 'group_overage' THEN 'groups' END};
foreach my $share (0, 0.8, 1)
{
	differs("quotas of $last at $share",
		"SELECT app_id, kind, used, allowed FROM im_alerts('$last', $share) al WHERE kind IN ('dau', 'mau', 'groups')"
		  . " AND NOT EXISTS (SELECT FROM im_standing('$last') s, im_rate_card_version v, im_app a"
		  . " WHERE s.app_id = al.app_id AND s.kind = al.kind AND a.app_id = al.app_id AND v.rate_card = a.rate_card"
		  . " AND (v.terms #>> ARRAY['plans', s.option, 'rank'])::int = 0)",
		"SELECT app_id, $quotas, quantity, included FROM im_monthly_bills('$last')"
		  . " WHERE item ~ '^(dau|mau|group)_overage\$' AND quantity >= $share * included");
}
# What is taken from the packs in force on the last day, by the statements.
$db->run("CREATE TABLE taken AS SELECT a.app_id, k.key::bigint AS order_id, sum(k.value::numeric) AS taken"
	  . " FROM (SELECT app_id, date_trunc('month', min(at))::date AS since FROM im_order"
	  . " WHERE item = 'moderation_pack' GROUP BY app_id) a,"
	  . " generate_series(a.since, '$last'::timestamp, '1 month') m,"
	  . ' im_moderation_statement(a.app_id, m::date) s, jsonb_each_text(s.packs) k GROUP BY 1, 2',
	"CREATE TABLE terms AS SELECT * FROM im_bi_order");
differs("packs of $last",
	"SELECT app_id, used, allowed FROM im_alerts('$last', 0) WHERE kind = 'moderation_pack'",
	'SELECT * FROM (SELECT t.app_id, sum(k.taken) AS used,'
	  . " sum(t.quantity * (v.terms #>> ARRAY['moderation', 'packs', t.option, 'deductions'])::numeric) AS content"
	  . ' FROM terms t JOIN im_app a USING (app_id) LEFT JOIN taken k USING (app_id, order_id)'
	  . ' JOIN LATERAL (SELECT * FROM im_rate_card_version v WHERE v.rate_card = a.rate_card'
	  . ' AND v.effective_from <= t.day ORDER BY v.effective_from DESC LIMIT 1) v ON true'
	  . " WHERE t.item = 'moderation_pack' AND t.starts_on < '$last'::date + interval '1 month'"
	  . " AND t.ends_on >= '$last'::date + interval '1 month - 1 day'"
	  . ' GROUP BY t.app_id) p WHERE p.used > 0');
# Terms in force on the last day that nothing follows, of apps that order nothing later.
my $settled = "app_id NOT IN (SELECT app_id FROM terms WHERE day >= '$last'::date + interval '1 month')";
differs("terms of $last",
	"SELECT app_id, item, day, used, allowed FROM im_alerts('$last', 0, 100000)"
	  . " WHERE kind = 'term' AND item <> 'moderation_pack' AND $settled",
	'SELECT t.app_id, t.item, t.ends_on, (d.today - t.starts_on + 1)::numeric, (t.ends_on - t.starts_on + 1)::numeric'
	  . " FROM terms t, (SELECT ('$last'::date + interval '1 month - 1 day')::date AS today) d"
	  . " WHERE t.action = 'buy' AND t.item <> 'moderation_pack' AND t.refunded_on IS NULL AND t.$settled"
	  . ' AND t.starts_on <= d.today AND t.ends_on >= d.today'
	  . ' AND NOT EXISTS (SELECT FROM terms n WHERE n.app_id = t.app_id AND n.item = t.item'
	  . " AND n.action = 'buy' AND n.ends_on > t.ends_on)");
none("SELECT app_id, message FROM im_alerts('$last', 0, 100000) WHERE message IS NULL OR message !~ '\\.\$'",
	'every alert says it in a sentence');

# How apps stand on days of a month, by the reference: what came later is not known.
foreach my $month (@{ $history->{months} }[ 1, 2 ])
{
	foreach my $days (3, 9, 16, 23)
	{
		my $today = $month + $days;
		my $text = Reference::Calendar::show_day($today);
		my (@want, @got);

		foreach my $app (@{ $history->{apps} })
		{
			my %standing = Reference::Reports::standing($app, $month, $today);
			push @want, map { "$app->{app_id} $_ $standing{$_}" } keys %standing;
		}
		# of a free plan the limits are told, which is looked at elsewhere
		@got = map { join ' ', @$_ } $db->rows(
			"SELECT a.app_id, s.kind, trim_scale(s.used) || '/' || trim_scale(s.allowed) FROM im_app a"
			  . " JOIN (SELECT DISTINCT rate_card, terms ->> 'time_zone' AS zone FROM im_rate_card_version) z USING (rate_card)"
			  . ", im_internal.im_standing_of(ARRAY[a.app_id], '$text', '$text 12:00'::timestamp AT TIME ZONE z.zone) s"
			  . " WHERE s.kind IN ('dau', 'mau', 'groups', 'call_minutes') AND NOT EXISTS (SELECT FROM im_rate_card_version v"
			  . " WHERE v.rate_card = a.rate_card AND v.terms #>> ARRAY['plans', s.option, 'rank'] = '0')");
		is(join("\n", sort @got), join("\n", sort @want), scalar(@want) . " standings of $text");
	}
}

# ---- views ----

my $all = join ', ', map { "date '$_'" } @months;
differs('lines of all months',
	"SELECT app_id, month, line, item, option, period_from, period_through, due_on, quantity, amount, currency"
	  . " FROM im_bi_bill_line WHERE month IN ($all)",
	"SELECT b.app_id, b.month, b.line, b.item, b.option, lower(b.period), upper(b.period) - 1, b.due_on, b.quantity,"
	  . " b.amount, b.currency FROM unnest(ARRAY[$all]) m, im_monthly_bills(m) b");
differs('totals of all months',
	"SELECT app_id, month, total, currency FROM im_bi_bill_total WHERE month IN ($all)",
	"SELECT t.app_id, m, t.total, t.currency FROM unnest(ARRAY[$all]) m, im_monthly_totals(m) t");
differs('revenue of all months',
	"SELECT app_id, month, item, option, billed, earned, deferred, currency FROM im_bi_revenue WHERE month IN ($all)",
	"SELECT app_id, month, item, option, billed, earned, deferred, currency FROM im_app_revenue('$months[0]', '$last')");
# Each order has the amount of the line that bills it, and its days but where
# it was refunded before they came.
my $item = "CASE action WHEN 'refund' THEN 'refund' WHEN 'upgrade' THEN 'plan_upgrade'"
  . " WHEN 'credit' THEN 'credit' WHEN 'charge' THEN 'charge' ELSE item END";
$db->run("CREATE TABLE bought AS SELECT * FROM im_bi_bill_line l"
	  . " WHERE month IN ($all) AND due_on < month + interval '1 month'");
differs('the order log',
	"SELECT app_id, $item, day, amount FROM terms WHERE amount IS NOT NULL AND date_trunc('month', day)::date IN ($all)",
	'SELECT app_id, item, due_on, amount FROM bought');
none("SELECT app_id, order_id FROM terms t WHERE starts_on IS NOT NULL AND date_trunc('month', day)::date IN ($all)"
	  . " AND NOT EXISTS (SELECT FROM bought b WHERE b.app_id = t.app_id AND b.item = $item AND b.due_on = t.day"
	  . ' AND b.period_from = t.starts_on AND b.period_through = t.bought_through)', 'its days are those of the line');
none('SELECT app_id, order_id FROM terms WHERE ends_on IS DISTINCT FROM bought_through AND refunded_on IS NULL'
	  . ' OR ends_on > bought_through OR starts_on IS NOT NULL AND refunded_on <> ends_on', 'a term is cut short by its refund alone');

# Daily usage, by the reference's own meters.
my $month = $history->{months}[2];
my @want;
foreach my $app (@{ $history->{apps} })
{
	my $meter = $app->{meter};

	foreach my $day ($month .. add_months($month, 1) - 1)
	{
		my @figures = ($meter->dau($day), $meter->peak_groups($day),
			(map { $meter->checks($day, $_) } qw(text image)),
			(map { $meter->half_minutes($day, $_) } qw(audio video)),
			(map { $meter->minutes($day, $_) } qw(audio sd hd fhd)));

		push @want, join ' ', $app->{app_id}, Reference::Calendar::show_day($day), app_status($app, $day), @figures
		  if grep { $_ } @figures;
	}
}
my @got = map { join ' ', @$_ } $db->rows(
	'SELECT app_id, day, status, dau, peak_groups, text_checks, image_checks, audio_half_minutes, video_half_minutes,'
	  . " audio_minutes, sd_minutes, hd_minutes, fhd_minutes FROM im_bi_usage_daily WHERE month = '$months[2]'"
	  . ' AND greatest(dau, peak_groups, text_checks, image_checks, audio_half_minutes, video_half_minutes,'
	  . ' audio_minutes, sd_minutes, hd_minutes, fhd_minutes) > 0');
is(join("\n", sort @got), join("\n", sort @want), scalar(@want) . " days of usage of $months[2]");

# Metered days say the same as the events that they were metered from.
my @answers = (
	"SELECT 'compared', c::text FROM im_compare_cards('$months[2]', $new, $far) c",
	"SELECT 'alike', c::text FROM im_compare_cards('$months[2]', $old, $new) c",
	"SELECT 'standing', s::text FROM im_standing('$months[2]') s",
	"SELECT 'usage', u::text FROM im_daily_usage('$months[2]') u",
	"SELECT 'plans', p::text FROM im_app a, im_cheapest_plan(a.app_id, '$months[2]') p WHERE a.rate_card = 'cn'");
my $from_events = $db->run(join(' UNION ALL ', @answers) . ' ORDER BY 1, 2');
$db->run("SELECT im_meter('$months[0]', (date '$months[3]' + interval '1 month - 1 day')::date)");
is($db->run(join(' UNION ALL ', @answers) . ' ORDER BY 1, 2'), $from_events, 'answers from metered days');

$db->drop if !$ENV{IMBILLING_KEEP};
done_testing();
