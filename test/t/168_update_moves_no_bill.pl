#!/usr/bin/perl
#
# 168_update_moves_no_bill.pl
#	  A metered, half closed database of 0.2.0, updated, dumped and restored: no bill,
#	  total, drift or suspension differs.  It has nothing that the mended rules R4, R5
#	  and R8 move: those bills are another test's.
#
# Its rows of daily figures have nulls beside events of the same day, its days are
# metered, or read from events, or kept; one card prices users of the month; January is
# closed for all, February for some, March is open.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Test::More;
use BillingData;

my $tree = $ENV{IMBILLING_TREE} || "$FindBin::Bin/../..";
chomp(my $share = qx(pg_config --sharedir));
my $script = "$share/extension/imbilling--0.2.0.sql";
run_ok([ 'cp', "$tree/sql/upgrade/imbilling--0.2.0.sql", $script ], 'the script of 0.2.0');
END { my $status = $?; unlink $script; $? = $status }

my $s = '"we%ird, update"';
my $old = create_database('unmoved');
psql_ok($old, "CREATE SCHEMA $s; CREATE EXTENSION imbilling SCHEMA $s VERSION '0.2.0'; SELECT $s.im_create_tables();", 'a database of 0.2.0');

# 40 apps on four cards; of users of the month with a small quota, so that they cost.
psql_ok($old, qq{
INSERT INTO $s.im_rate_card_version SELECT 'users', '2019-12-10', jsonb_set(terms, '{plans,standard,mau,included}', '3')
FROM $s.im_rate_card_version WHERE rate_card = 'intl';
INSERT INTO $s.im_rate_card_version SELECT 'small', '2019-12-10',
	jsonb_set(jsonb_set(terms, '{plans,pro,dau}', '{"included": 2, "block": 1, "price": "1"}'), '{plans,pro,groups}', '{"included": 0, "block": 1, "price": "1"}')
FROM $s.im_rate_card_version WHERE rate_card = 'cn' AND effective_from = '2019-12-10';
INSERT INTO $s.im_app (app_id, name, rate_card, opened_at)
SELECT n, 'app ' || n, (ARRAY['small', 'users', 'cn', 'overseas'])[1 + n % 4], '2020-01-01 00:00+08' FROM generate_series(1, 40) n;
INSERT INTO $s.im_order (app_id, order_id, at, action, item, option, months)
SELECT app_id, 1, '2023-01-01 10:00+08'::timestamptz + app_id % 9 * interval '1 day', 'buy', 'plan', CASE rate_card WHEN 'users' THEN 'standard' ELSE 'pro' END, 3 FROM $s.im_app;
INSERT INTO $s.im_order (app_id, order_id, at, action, item) SELECT app_id, 2, '2023-01-02 10:00+08', 'on', 'moderation' FROM $s.im_app WHERE rate_card IN ('cn', 'small');
INSERT INTO $s.im_order (app_id, order_id, at, action, item, option) SELECT app_id, 3, '2023-01-12 10:00+08', 'buy', 'moderation_pack', 'month' FROM $s.im_app WHERE rate_card = 'cn';
INSERT INTO $s.im_order (app_id, order_id, at, action, item, option, months) SELECT app_id, 4, '2023-01-12 10:00+08', 'buy', 'call', 'basic', 2 FROM $s.im_app WHERE rate_card = 'cn' AND app_id % 8 = 2;
INSERT INTO $s.im_suspension SELECT app_id, '[2023-02-10,2023-02-14)', 'arrears' FROM $s.im_app WHERE app_id % 7 = 0;
INSERT INTO $s.im_login SELECT app_id, 'u' || n % (2 + app_id % 5), '2023-01-01 00:00+08'::timestamptz + n * interval '17 hours' FROM $s.im_app, generate_series(0, 120) n;
INSERT INTO $s.im_group SELECT app_id, 'g' || n, '2023-01-01 00:00+08'::timestamptz + n * interval '31 hours', '2023-01-03 00:00+08'::timestamptz + n * interval '31 hours' FROM $s.im_app, generate_series(0, 60) n;
INSERT INTO $s.im_moderation_check (app_id, at, kind, seconds)
SELECT app_id, '2023-01-01 00:00+08'::timestamptz + n * interval '11 hours', (ARRAY['text', 'image', 'audio', 'video'])[1 + n % 4], n FROM $s.im_app, generate_series(0, 180) n;
INSERT INTO $s.im_call (app_id, at, class, seconds)
SELECT app_id, '2023-01-01 00:00+08'::timestamptz + n * interval '13 hours', (ARRAY['audio', 'sd', 'hd', 'fhd'])[1 + n % 4], 100 * n FROM $s.im_app, generate_series(0, 150) n;
-- rows of users, each with other figures null, on days with events
INSERT INTO $s.im_usage_daily (app_id, day, dau, users, peak_groups, text_checks, audio_half_minutes, sd_minutes, fhd_minutes)
SELECT app_id, date '2023-01-01' + n, CASE n % 3 WHEN 0 THEN NULL WHEN 1 THEN 0 ELSE n END,
	CASE WHEN rate_card = 'users' OR n % 5 = 0 THEN (SELECT $s.im_userset_agg('d' || u) FROM generate_series(1, 1 + n % 4) u) END,
	CASE n % 4 WHEN 0 THEN n END, CASE n % 5 WHEN 0 THEN n END, CASE n % 7 WHEN 0 THEN 0 END, CASE n % 2 WHEN 0 THEN n END, NULL
FROM $s.im_app, generate_series(1, 88) n WHERE (n + app_id) % 9 = 0;
}, 'with usage of every kind');
# Between the new library and ALTER EXTENSION UPDATE its SQL still meters: whoever keeps
# metered days drops their events.
is(psql($old, qq{BEGIN; SET client_min_messages = error;
	SELECT count(*) FROM (SELECT $s.im_meter('2023-01-01', '2023-01-05')) m \\g /dev/null
	SELECT count(DISTINCT app_id) FROM $s.im_usage_daily WHERE metered_at IS NOT NULL AND day <= '2023-01-05';
	SELECT $s.im_keep_metered('2023-01-01', '2023-01-05') > 40; ROLLBACK}), "40\nt", 'its SQL meters and keeps on the present library');
# The rows are written as its im_meter() wrote them.
psql_ok($old, qq{
BEGIN;
ALTER TABLE $s.im_usage_daily DISABLE TRIGGER USER;
INSERT INTO $s.im_usage_daily (app_id, day, dau, users, peak_groups, text_checks, image_checks, audio_half_minutes, video_half_minutes,
	audio_minutes, sd_minutes, hd_minutes, fhd_minutes, metered_at)
SELECT u.app_id, u.day, u.dau, CASE a.rate_card WHEN 'users' THEN coalesce((SELECT $s.im_userset_agg(l.user_id) FROM $s.im_login l
		WHERE l.app_id = u.app_id AND (l.at AT TIME ZONE 'Asia/Shanghai')::date = u.day), '{}') END,
	u.peak_groups, u.text_checks, u.image_checks, u.audio_half_minutes, u.video_half_minutes, u.audio_minutes, u.sd_minutes, u.hd_minutes, u.fhd_minutes, now()
FROM unnest('{2023-01,2023-02,2023-03}'::text[]) m, $s.im_daily_usage(m::$s.im_month) u JOIN $s.im_app a ON a.app_id = u.app_id
WHERE NOT u.given AND u.day <= '2023-03-10';
INSERT INTO $s.im_metered_day SELECT d::date, now() FROM generate_series(timestamp '2023-01-01', '2023-03-10', '1 day') d ON CONFLICT DO NOTHING;
ALTER TABLE $s.im_usage_daily ENABLE TRIGGER USER;
COMMIT}, 'metered through March 10');
cmp_ok(psql($old, "SELECT count(*) FROM $s.im_usage_daily WHERE metered_at IS NOT NULL"), '>', 1000, 'indeed');
psql_ok($old, qq{
SELECT $s.im_keep_metered('2023-01-20', '2023-01-22');
DELETE FROM $s.im_call WHERE at >= '2023-01-20 00:00+08' AND at < '2023-01-23 00:00+08';
UPDATE $s.im_usage_daily SET dau = 9 WHERE metered_at IS NOT NULL AND app_id = 4 AND day = '2023-01-05';
INSERT INTO $s.im_usage_daily (app_id, day, dau) VALUES (8, '2023-02-05', 11), (8, '2023-02-06', NULL) ON CONFLICT (app_id, day) DO UPDATE SET dau = excluded.dau;
INSERT INTO $s.im_call (app_id, at, class, seconds) SELECT app_id, '2023-02-07 12:00+08', 'fhd', 6000 FROM $s.im_app WHERE app_id % 3 = 0;
}, 'rows kept, updated and put over metered ones, and late events');
psql_ok($old, "CALL $s.im_close_month('2023-01', 7)", 'January is closed');
psql_ok($old, "INSERT INTO $s.im_order (app_id, order_id, at, action, item, option, months) VALUES (39, 1, '2023-02-01 10:00+08', 'buy', 'plan', 'pro', 1) ON CONFLICT DO NOTHING;
	INSERT INTO $s.im_usage_daily (app_id, day, dau) VALUES (40, '2023-02-20', -1) ON CONFLICT (app_id, day) DO UPDATE SET dau = excluded.dau", 'a row that no bill takes');
psql_fails($old, "CALL $s.im_close_month('2023-02', 7)", qr/cannot be right/, 'February is half closed');
psql_ok($old, qq{INSERT INTO $s.im_call (app_id, at, class, seconds) VALUES (4, '2023-01-25 12:00+08', 'hd', 60000);}, 'and January drifts');

# All that may not move, a line each, with the app first: it tells which app has moved.
sub amounts
{
	my ($db) = @_;
	my $months = "(VALUES ('2022-12'), ('2023-01'), ('2023-02'), ('2023-03'), ('2023-04')) m(month)";
	my $said = '';

	# one by one, since one that cannot be billed stops a query
	$said .= psql($db, qq{
	CREATE FUNCTION pg_temp.lines(app bigint, of_month text) RETURNS text LANGUAGE plpgsql AS \$\$
	BEGIN
		RETURN (SELECT string_agg(concat_ws(' ', l.line, l.item, l.option, l.period, l.due_on, l.quantity, l.included, l.billable, l.units, l.unit_price, l.amount, l.explanation), ' / ' ORDER BY l.line)
			FROM $s.im_rebill(app, of_month::$s.im_month) l);
	EXCEPTION WHEN OTHERS THEN
		RETURN SQLSTATE || ' ' || SQLERRM;
	END \$\$;
	SELECT a.app_id, m.month, pg_temp.lines(a.app_id, m.month) FROM $s.im_app a, $months ORDER BY 1, 2;
	SELECT a.app_id, m.month, $s.im_monthly_total(a.app_id, m.month::$s.im_month) FROM $s.im_app a, $months WHERE a.app_id <> 40 ORDER BY 1, 2;
	SELECT t.app_id, t.currency, t.total, m FROM (VALUES ('2023-01'), ('2023-03')) m(month), $s.im_monthly_totals(m.month::$s.im_month) t ORDER BY 1, 2, 4;
	SELECT app_id, 'drift', difference FROM $s.im_drift('2023-01') ORDER BY 1, 3;
	SELECT app_id, days, reason FROM $s.im_suspension ORDER BY 1, 2;
	SELECT u.app_id, m, u.day, u.kind, u.quantity, u.reason FROM (VALUES ('2023-01'), ('2023-03')) m(month), $s.im_unbilled_usage(m.month::$s.im_month) u ORDER BY 1, 2, 3, 4;
	SELECT u.app_id, m, u.day, u.given, u.dau, u.peak_groups, u.text_checks, u.image_checks, u.audio_half_minutes, u.video_half_minutes, u.audio_minutes, u.sd_minutes,
		u.hd_minutes, u.fhd_minutes FROM (VALUES ('2023-01'), ('2023-03')) m(month), $s.im_daily_usage(m.month::$s.im_month) u ORDER BY 1, 2, 3;
	SELECT app_id, month, revision, kind, total FROM $s.im_invoice ORDER BY 1, 2, 3});
	return $said;
}

my $before = amounts($old);
like($before, qr/mau_overage.*\n/, 'there are bills to compare, also of users of the month');
like($before, qr/22023 /, 'one that fails among them');
like($before, qr/^4\|drift\|[\d.]+$/m, 'and drift');
# Its SQL runs on the present library: the totals are held to what version 0.2.0 itself said.
is(psql($old, "SELECT md5(string_agg(concat_ws(' ', a.app_id, m, $s.im_monthly_total(a.app_id, m::$s.im_month)), ',' ORDER BY a.app_id, m))
	FROM $s.im_app a, unnest('{2023-01,2023-02,2023-03,2023-04}'::text[]) m WHERE a.app_id <> 40"), '233eb802d549086f707c7778bb4a3d28', 'the totals are those of 0.2.0');
my $rows = psql($old, "SELECT app_id, day, dau, users, sd_minutes, metered_at FROM $s.im_usage_daily ORDER BY 1, 2");

my $restored = create_database('unmoved_restored');
is(pipe_dump($old, $restored), '', 'the dump of 0.2.0 goes into the new version');
psql_ok($old, "ALTER EXTENSION imbilling UPDATE; SELECT $s.im_create_tables()", 'updated');
psql_ok($restored, "SELECT $s.im_create_tables()", 'restored');
my $again = create_database('unmoved_again');
my %what = ($old => 'updated', $restored => 'restored', $again => 'updated, dumped and restored');
is(pipe_dump($old, $again), '', 'dumped and restored');
for my $db ($old, $restored, $again)
{
	my $what = $what{$db};

	same(amounts($db), $before, "$what: no bill, total, drift or suspension has moved");
	is(psql($db, "SELECT app_id, day, dau, users, sd_minutes, metered_at FROM $s.im_usage_daily ORDER BY 1, 2"), $rows, "$what: nor any row");
	is(psql($db, "SELECT bool_and(whole) FROM $s.im_usage_daily WHERE metered_at IS NULL"), 't', "$what: rows from before are whole");
	psql_ok($db, "SELECT $s.im_meter('2023-01-01', '2023-04-30')", "$what: metered anew");
	same(amounts($db), $before, "$what, metered anew: no bill, total, drift or suspension has moved");
	psql_ok($db, "SELECT $s.im_forget_metering()", "$what: read from events");
	same(amounts($db), $before, "$what, read from events: no bill, total, drift or suspension has moved");
	# who has no account is stopped for nothing, whatever he owes
	is(psql($db, "SELECT sum($s.im_suspend_arrears(d)) FROM generate_series('2023-01-01 12:00+08'::timestamptz, '2023-06-01 12:00+08', '1 week') d"), '0', "$what: nobody is suspended for arrears");
	is(psql($db, "INSERT INTO $s.im_account (account_id, name, opened_on) VALUES (7, 'seven', '2023-01-01');
		UPDATE $s.im_app SET account_id = 7 WHERE app_id IN (4, 8);
		SELECT $s.im_suspend_arrears('2023-03-01 12:00+08');
		SELECT app_id, days FROM $s.im_suspension WHERE upper_inf(days) ORDER BY 1;
		DELETE FROM $s.im_suspension WHERE upper_inf(days); UPDATE $s.im_app SET account_id = NULL; DELETE FROM $s.im_account"),
		"2\n4|[2023-03-01,)\n8|[2023-03-01,)", "$what: but who has one");
	same(amounts($db), $before, "$what: and without it again no bill, total, drift or suspension has moved");
	psql_ok($db, "INSERT INTO $s.im_usage_daily (app_id, day, dau) VALUES (1, '2023-04-20', 5)", "$what: a new row");
	is(psql($db, "SELECT whole FROM $s.im_usage_daily WHERE app_id = 1 AND day = '2023-04-20'"), 'f', "$what: is not whole");
}

# The comparison is worth something: a row that loses its meaning is seen.
my $figures = amounts($again);
psql_ok($again, "UPDATE $s.im_usage_daily SET whole = false WHERE app_id IN (1, 2, 5)", 'rows of before without their meaning');
isnt(amounts($again), $figures, 'move bills, and the comparison sees it');
done_testing();
