#!/usr/bin/perl
#
# 131_explain_adds_up.pl
#	  Random histories: the facts that im_explain() gives for each line of each
#	  bill add up to that line, and each fact's source leads to rows that give it.
#
# IMBILLING_SEED repeats a run, IMBILLING_APPS sets the number of apps (30).
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../reference";
use History;
use History::Database;
use Reference::Calendar;
use Test::More;

my $seed = $ENV{IMBILLING_SEED} || time ^ ($$ << 12);
my $number_of_apps = $ENV{IMBILLING_APPS} || 30;

binmode(Test::More->builder->$_, ':utf8') foreach qw(output failure_output todo_output);
diag("IMBILLING_SEED=$seed IMBILLING_APPS=$number_of_apps");

my $history = make_history($seed, $number_of_apps);
my $db = History::Database->new('t_explain');
$db->load($history);
my $months = join(', ', map { "'" . Reference::Calendar::show_day($_) . "'" } @{ $history->{months} });

# The lines, their facts, and the sums of the facts of one name.
$db->run(<<"SQL");
CREATE TABLE line AS
SELECT b.*, extract(day FROM b.month + interval '1 month' - interval '1 day') AS days_of_month
FROM unnest(ARRAY[$months]::date[]) m, im_monthly_bills(m) b;
CREATE TABLE fact AS
SELECT l.app_id, l.month, l.line, e.* FROM line l, im_explain(l.app_id, l.month, l.line) e;
CREATE INDEX ON fact (app_id, month, line);
CREATE TABLE told AS
SELECT l.*,
	(SELECT jsonb_object_agg(f.fact, jsonb_build_object('n', f.n, 'quantity', f.quantity, 'amount', f.amount, 'top', f.top))
	 FROM (SELECT f.fact, count(*) AS n, sum(f.quantity) AS quantity, sum(f.amount) AS amount, max(f.quantity) AS top
		   FROM fact f WHERE f.app_id = l.app_id AND f.month = l.month AND f.line = l.line GROUP BY f.fact) f) AS facts
FROM line l;
CREATE FUNCTION q(told, text) RETURNS numeric LANGUAGE sql RETURN coalesce((\$1.facts -> \$2 ->> 'quantity')::numeric, 0);
CREATE FUNCTION a(told, text) RETURNS numeric LANGUAGE sql RETURN coalesce((\$1.facts -> \$2 ->> 'amount')::numeric, 0);
CREATE FUNCTION n(told, text) RETURNS int LANGUAGE sql RETURN coalesce((\$1.facts -> \$2 ->> 'n')::int, 0);
CREATE FUNCTION top(told, text) RETURNS numeric LANGUAGE sql RETURN coalesce((\$1.facts -> \$2 ->> 'top')::numeric, 0);
-- R3: the share of an app that was out of service at the end
CREATE FUNCTION shared(t told, amount numeric) RETURNS numeric LANGUAGE sql RETURN
	CASE WHEN n(t, 'share') = 0 THEN amount ELSE round(amount * q(t, 'share') / t.days_of_month, 8) END;
-- the users behind the days that count, each once
CREATE FUNCTION users_of(t told) RETURNS bigint LANGUAGE plpgsql AS \$\$
DECLARE
	days text := (SELECT string_agg(format('SELECT %s FROM %s',
			CASE WHEN f.source LIKE '%im_login WHERE%' THEN 'user_id AS u' ELSE 'im_users(users) AS u' END, f.source), ' UNION ALL ')
		FROM fact f WHERE f.app_id = t.app_id AND f.month = t.month AND f.line = t.line AND f.fact = 'daily users');
	found bigint;
BEGIN
	EXECUTE format('SELECT count(DISTINCT u) FROM (%s) d', days) INTO found;
	RETURN found;
END \$\$;
SQL

# No line of which the condition is not true.
sub holds
{
	my ($of, $condition, $name) = @_;
	my ($count) = $db->rows("SELECT count(*) FROM told t WHERE $of");
	my @wrong = $db->rows("SELECT app_id, month, line, item, option, quantity, amount, facts"
		  . " FROM told t WHERE ($of) AND ($condition) IS NOT TRUE LIMIT 3");

	is(scalar @wrong, 0, "$name ($count->[0] lines)");
	diag(join(' ', map { $_ // 'NULL' } @$_)) foreach @wrong;
	return;
}

holds('true', q{n(t, 'line') = 1 AND a(t, 'line') = amount AND n(t, 'amount') = 1 AND a(t, 'amount') = amount
	AND q(t, 'amount') = units AND n(t, 'changed') = 0},
	'every line is told, from the line itself to its amount');
is_deeply(
	[ $db->rows('SELECT * FROM (SELECT array_agg(ordinal ORDER BY ordinal) AS o, count(*) AS n FROM fact'
			  . ' GROUP BY app_id, month, line) f WHERE o <> (SELECT array_agg(i) FROM generate_series(1, n::int) i)') ],
	[], 'facts are numbered from 1');
is_deeply(
	[ $db->rows("SELECT f.* FROM fact f WHERE fact = 'amount' AND EXISTS (SELECT FROM fact g WHERE g.app_id = f.app_id"
			  . ' AND g.month = f.month AND g.line = f.line AND g.ordinal > f.ordinal)') ],
	[], 'and the amount is the last');

my $bought = "due_on < month + interval '1 month' AND item NOT IN ('plan_upgrade', 'refund', 'credit', 'charge')";
# A price of just so many months is one of all of them.
my $by_term = "EXISTS (SELECT FROM fact f WHERE f.app_id = t.app_id AND f.month = t.month AND f.line = t.line"
  . " AND f.fact = 'price' AND f.detail -> 'path' ->> 2 = 'prices' AND t.item = 'plan')";
holds($bought, qq{n(t, 'order') = 1 AND unit_price = CASE WHEN $by_term THEN round(a(t, 'price') / quantity, 8) ELSE a(t, 'price') END
	AND amount = CASE WHEN n(t, 'agreed price') > 0 THEN a(t, 'agreed price')
		WHEN $by_term THEN a(t, 'price') ELSE quantity * a(t, 'price') END},
	'purchases: price x months, the price of the months, or the agreed price');
holds($bought, q{(SELECT daterange((f.detail ->> 'from')::date, (f.detail ->> 'through')::date, '[]') FROM fact f
		WHERE f.app_id = t.app_id AND f.month = t.month AND f.line = t.line AND f.fact = 'term') = period
		AND q(t, 'term') = upper(period) - lower(period)},
	'and their term');
holds("item IN ('credit', 'charge')", q{n(t, 'order') = 1 AND n(t, 'reason') = 1 AND amount = unit_price
		AND amount = a(t, 'order') * CASE item WHEN 'credit' THEN -1 ELSE 1 END},
	'credits and charges: what their order says, and why');
holds("item = 'plan_upgrade'", q{q(t, 'remaining days') = quantity AND (n(t, 'old price') > 1 OR a(t, 'new price') - a(t, 'old price') = unit_price)
		AND (a(t, 'order') = amount OR amount = (SELECT greatest(0, round(round(sum((a(t, 'new price')
			- coalesce((f.detail ->> 'price')::numeric / (f.detail ->> 'months')::numeric, f.amount))
			* coalesce(f.quantity, t.quantity)) * 12 / 365, 12), 2)) FROM fact f
			WHERE f.app_id = t.app_id AND f.month = t.month AND f.line = t.line AND f.fact = 'old price'))},
	'upgrades: price difference x remaining days of each term, or the agreed price');

# A sum of fractions is compared to 12 places first: numeric division is not exact.
holds("item = 'refund' AND n(t, 'cut') = 0", q{-amount = (SELECT greatest(0, CASE WHEN n(t, 'used') = 0 AND NOT split THEN back ELSE round(round(back, 12), 2) END)
	FROM (SELECT sum(CASE f.fact WHEN 'paid' THEN f.amount
			WHEN 'upgrade fee' THEN (f.detail ->> 'fee')::numeric * (f.detail ->> 'days')::numeric / (f.detail ->> 'of')::numeric
			WHEN 'used' THEN -(f.detail ->> 'price')::numeric * (f.detail ->> 'days')::numeric
				/ ((f.detail ->> 'months')::numeric * (f.detail ->> 'of')::numeric) ELSE 0 END) AS back,
			bool_or(coalesce(f.fact = 'upgrade fee' AND f.detail ->> 'days' <> f.detail ->> 'of', false)) AS split
		FROM fact f WHERE f.app_id = t.app_id AND f.month = t.month AND f.line = t.line) s)},
	'refunds: paid and upgrade fees less used');
holds("item = 'refund'", q{n(t, 'cut') = 0 OR -amount = a(t, 'cut') AND -amount < a(t, 'paid') + a(t, 'upgrade fee') - a(t, 'used') + 0.005},
	'or what was left of all that was paid');
holds("item = 'refund' AND n(t, 'cut') = 0", q{abs(a(t, 'paid') + a(t, 'upgrade fee') - a(t, 'used') + amount) <= 0.005001
		OR (amount = 0 AND a(t, 'paid') + a(t, 'upgrade fee') < a(t, 'used'))},
	'and the amounts shown add up to within the rounding');
holds("item = 'refund' AND n(t, 'used') > 0", q{(SELECT bool_and(f.quantity = (f.detail ->> 'days')::numeric
		AND f.amount = round(f.amount, 8)) FROM fact f
		WHERE f.app_id = t.app_id AND f.month = t.month AND f.line = t.line AND f.fact = 'used')}, 'day by day');

holds("item IN ('dau_overage', 'group_overage')",
	q{greatest(top(t, 'daily users'), top(t, 'groups')) = quantity AND q(t, 'peak') = quantity},
	'overage: the highest of the days that count is the peak');
holds("item LIKE '%_overage'", q{n(t, 'daily users') + n(t, 'groups') = q(t, 'counting days')
		AND n(t, 'daily users') + n(t, 'groups') + n(t, 'not counted') = days_of_month},
	'overage: every day of the month is told, and those that count are counted');
holds("item LIKE '%_overage'", q{q(t, 'included') = included AND q(t, 'excess') = greatest(0, quantity - included)
		AND q(t, 'excess') = billable AND q(t, 'started blocks') = ceil(q(t, 'excess') / q(t, 'block'))
		AND q(t, 'started blocks') = units AND shared(t, units * a(t, 'price')) = amount},
	'overage: excess, started blocks, price and share');
holds("item = 'mau_overage'", q{q(t, 'users of the month') = quantity AND users_of(t) = quantity},
	'users of the month: each of those behind the days that count, once');
holds("NOT ($bought) AND item NOT IN ('plan_upgrade', 'refund', 'credit', 'charge', 'call_minutes', 'moderation') AND item NOT LIKE '%_overage'",
	q{n(t, 'switched on') > 0 AND n(t, 'last day on') = 1 AND shared(t, a(t, 'price')) = amount AND a(t, 'price') = unit_price},
	'postpaid add-ons: when they were on, the price and the share');
holds("item IN ('call_minutes', 'moderation')",
	q{q(t, CASE item WHEN 'moderation' THEN 'deductions' ELSE 'minutes' END) = quantity AND q(t, 'from pack') = included
		AND q(t, 'postpaid') = billable AND a(t, 'postpaid') = amount AND a(t, 'price') = unit_price},
	'minutes and deductions: the days, what packs gave, the rest');
holds("item IN ('call_minutes', 'moderation')",
	q{NOT EXISTS (SELECT FROM fact f WHERE f.app_id = t.app_id AND f.month = t.month AND f.line = t.line AND f.fact = 'from pack'
		AND ((f.detail ->> 'held')::numeric - (f.detail ->> 'taken')::numeric <> (f.detail ->> 'left')::numeric
			OR (f.detail ->> 'left')::numeric < 0
			OR (f.detail ->> 'taken')::numeric <> f.quantity * CASE item WHEN 'moderation' THEN 1 ELSE q(t, 'pack minutes') END
			OR f.day NOT BETWEEN (f.detail ->> 'from')::date AND (f.detail ->> 'through')::date))},
	'packs: held - taken = left, within their days');
holds("item = 'moderation'",
	q{NOT EXISTS (SELECT FROM fact f WHERE f.app_id = t.app_id AND f.month = t.month AND f.line = t.line AND f.fact = 'deductions'
		AND f.quantity <> (SELECT coalesce(sum(c.quantity * (f.detail ->> k.key)::numeric * k.unit), 0)
			FROM fact c JOIN (VALUES ('text', 'texts', 1), ('image', 'images', 1), ('audio', 'audio_half_minutes', 0.5),
				('video', 'video_half_minutes', 0.5)) k(kind, key, unit) ON k.kind = c.detail -> 'path' ->> 2
			WHERE c.app_id = t.app_id AND c.month = t.month AND c.line = t.line AND c.fact = 'coefficient' AND f.detail ? k.key))},
	'moderation: checks x coefficients');

# Sources: rows of the tables, metered by others than what made the bill.
$db->run(<<'SQL');
CREATE FUNCTION metered(f fact) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
	zone text := (SELECT v.terms ->> 'time_zone' FROM im_app a JOIN im_rate_card_version v USING (rate_card)
				  WHERE a.app_id = f.app_id LIMIT 1);
	what text := CASE
		WHEN f.source LIKE '%im_order WHERE%' THEN 'count(*)'
		WHEN f.detail ? 'path' THEN format('(max(terms #>> %L))::numeric', ARRAY(SELECT jsonb_array_elements_text(f.detail -> 'path')))
		WHEN f.source LIKE '%im_rate_card_version WHERE%' THEN 'count(*)'
		WHEN f.source LIKE '%im_login WHERE%' THEN 'count(DISTINCT user_id)'
		WHEN f.source LIKE '%im_call WHERE%' THEN 'ceil(sum(seconds) / 60.0)'
		WHEN f.source LIKE '%im_moderation_check WHERE%' THEN 'sum((kind = ''text'')::int)'
		WHEN f.source LIKE '%im_group WHERE%' THEN format('im_peak_groups(created_at, disbanded_at, %L, %L)',
			f.day::timestamp AT TIME ZONE zone, (f.day + 1)::timestamp AT TIME ZONE zone)
		WHEN f.detail ? 'texts' OR f.detail ? 'images' OR f.detail ? 'audio_half_minutes' OR f.detail ? 'video_half_minutes' THEN
			'sum(text_checks)'
		WHEN (SELECT item FROM line l WHERE l.app_id = f.app_id AND l.month = f.month AND l.line = f.line) = 'group_overage' THEN
			'coalesce(sum(peak_groups), 0)'
		WHEN (SELECT item FROM line l WHERE l.app_id = f.app_id AND l.month = f.month AND l.line = f.line) = 'call_minutes' THEN
			(SELECT format('sum(%I)', option || '_minutes') FROM line l WHERE l.app_id = f.app_id AND l.month = f.month AND l.line = f.line)
		ELSE 'coalesce(sum(CASE WHEN whole THEN dau ELSE coalesce(dau, im_count(users)) END), 0)' END;
	found numeric;
BEGIN
	EXECUTE format('SELECT %s FROM %s', what, f.source) INTO found;
	RETURN found;
END $$;
CREATE TABLE traced AS
SELECT f.*, coalesce(metered(f), 0) AS metered,
	CASE WHEN f.source LIKE '%im_order WHERE%' OR (f.source LIKE '%im_rate_card_version WHERE%' AND NOT f.detail ? 'path') THEN 1
		WHEN f.detail ? 'path' THEN coalesce(f.amount, f.quantity)
		WHEN f.source LIKE '%im_moderation_check WHERE%'
			OR f.detail ?| '{texts,images,audio_half_minutes,video_half_minutes}' THEN coalesce((f.detail ->> 'texts')::numeric, 0)
		ELSE f.quantity END AS wanted
FROM (SELECT f.*, row_number() OVER (PARTITION BY split_part(f.source, ' ', 1) ORDER BY md5(f::text)) AS n
	  FROM fact f WHERE f.source IS NOT NULL) s JOIN fact f USING (app_id, month, line, ordinal)
WHERE s.n <= 250 AND NOT (f.fact = 'content' AND f.source LIKE '%version%');
SQL
foreach my $table (qw(im_order im_rate_card_version im_login im_group im_moderation_check im_call im_usage_daily))
{
	my ($sum) = $db->rows("SELECT count(*), count(*) FILTER (WHERE metered <> wanted) FROM traced WHERE source LIKE '%$table WHERE%'");

	ok($sum->[0] > 0, "facts come from $table");
	is($sum->[1], 0, "its rows give the $sum->[0] facts that were traced");
	diag(join(' ', map { $_ // 'NULL' } @$_))
	  foreach $db->rows("SELECT app_id, month, line, fact, day, wanted, metered, source FROM traced"
		  . " WHERE source LIKE '%$table WHERE%' AND metered <> wanted LIMIT 3");
}
is_deeply(
	[ $db->rows("SELECT DISTINCT fact FROM fact WHERE source IS NULL AND fact NOT IN ('line', 'counting days', 'excess',"
			  . " 'started blocks', 'full amount', 'share', 'amount', 'remaining days', 'used', 'postpaid', 'last day on',"
			  . " 'cut', 'term', 'users of the month') ORDER BY 1") ],
	[], 'only what follows from other facts has no source');

$db->drop if !$ENV{IMBILLING_KEEP};
done_testing();
