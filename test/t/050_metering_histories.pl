# Metering over random histories: whatever happened, in whatever order, every bill is
# what the events alone make it.
#
# Each step loads, corrects or deletes events, groups, daily figures, apps or price
# lists, changes partitions, or meters some days; after each step all bills of four
# months, set-wise and one by one, are compared with the bills when nothing counts as
# metered.  What would be wrong if this failed: a metered figure that is stale, read
# twice, or not read.
#
# IMBILLING_SEED repeats a run, IMBILLING_STEPS makes it longer, IMBILLING_KEEP leaves
# the database to look around.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin";
use BillingData;
use IPC::Run ();
use Test::More;

my $seed = $ENV{IMBILLING_SEED} || time ^ ($$ << 12);
my $steps = $ENV{IMBILLING_STEPS} || 25;
my $schema = '"we%ird Schema"';

srand($seed);
diag("IMBILLING_SEED=$seed IMBILLING_STEPS=$steps");

sub one_of { return $_[ rand @_ ] }
sub between { my ($low, $high) = @_; return $low + int rand($high - $low + 1) }

# Instants of January through April, many of them around local midnights.
sub instant
{
	my $day = between(0, 120);
	my $second =
	  rand() < 0.4
	  ? one_of(0, 1, 86399, 57600, 57599, 18000, 14400, 39600)
	  : between(0, 86399);

	return "timestamptz '2024-01-01 00:00+08' + interval '$day days $second seconds'";
}

sub day { return sprintf("date '2024-01-01' + %d", between(0, 120)) }
sub span { my @d = sort { $a <=> $b } between(0, 120), between(0, 120); return map { "date '2024-01-01' + $_" } @d }

# Apps 1 to 6 exist in the beginning; 7 and 8 come and go; 9 never is.
sub app { return one_of(1 .. 9) }

sub meter { return one_of(qw(sms peak gb seats push devices other)) }

sub many { return between(1, one_of(1, 5, 40)) }

sub leaf { return one_of('im_login', 'im_login', 'im_login_p2024_02', 'im_login_p2024_03') }

# What can happen, with its weight.  What fails, such as a row that its partition does
# not take, changes nothing.
my @events = (
	[ 10, 'login', sub { "INSERT INTO im_login SELECT @{[app()]}, 'u' || n, @{[instant()]} FROM generate_series(1, @{[many()]}) n" } ],
	[ 4, 'login into a partition', sub { "INSERT INTO @{[leaf()]} VALUES (@{[app()]}, 'u@{[between(1, 40)]}', @{[instant()]})" } ],
	[ 4, 'check', sub {
		"INSERT INTO im_moderation_check (app_id, at, kind, seconds) SELECT @{[app()]}, @{[instant()]} + n * interval '1 hour',"
		  . " '@{[one_of(qw(text image audio video))]}', n * 20 FROM generate_series(1, @{[many()]}) n" } ],
	[ 4, 'call', sub {
		"INSERT INTO im_call (app_id, at, class, seconds) SELECT @{[app()]}, @{[instant()]} + n * interval '1 hour',"
		  . " '@{[one_of(qw(audio sd hd fhd))]}', n * 100 FROM generate_series(1, @{[many()]}) n" } ],
	# late ones stand for months: instants begin in January
	[ 8, 'event', sub {
		"INSERT INTO im_event (app_id, meter, at, quantity, subject) SELECT @{[app()]}, '@{[meter()]}', @{[instant()]} + n * interval '@{[between(1, 900)]} minutes',"
		  . " n * @{[between(0, 40)]} / 8.0, 's' || n FROM generate_series(1, @{[many()]}) n" } ],
	[ 2, 'change events', sub { "UPDATE im_event SET quantity = quantity + 0.5, meter = '@{[meter()]}' WHERE app_id = @{[app()]} AND at > @{[instant()]}" } ],
	[ 2, 'delete events', sub { "DELETE FROM im_event WHERE app_id = @{[app()]} AND meter = '@{[meter()]}' AND at > @{[instant()]}" } ],
	[ 1, 'bad event', sub { "INSERT INTO im_event (app_id, meter, at, quantity) VALUES (@{[app()]}, '@{[meter()]}', @{[instant()]}, '@{[one_of('NaN', '-1', '0.123456789')]}')" } ],
	[ 3, 'user figure', sub { "INSERT INTO im_meter_daily (app_id, day, meter, quantity, users) VALUES (@{[app()]}, @{[day()]}, '@{[meter()]}', @{[one_of('NULL', '0', '7.5')]}, @{[one_of('NULL', q{'{x,y}'})]})"
		  . one_of('', ' ON CONFLICT DO NOTHING', ' ON CONFLICT (app_id, day, meter) DO UPDATE SET quantity = 44') } ],
	[ 1, 'change figures', sub { "UPDATE im_meter_daily SET @{[one_of('quantity = 3', 'quantity = NULL', q{users = '{z}'})]} WHERE app_id = @{[app()]} AND day > @{[day()]} AND meter = '@{[meter()]}'" } ],
	[ 2, 'delete figures', sub { "DELETE FROM im_meter_daily WHERE app_id = @{[app()]} AND day > @{[day()]}" } ],
	[ 5, 'group', sub {
		my $at = instant();
		"INSERT INTO im_group SELECT @{[app()]}, 'g' || n, $at, "
		  . one_of('NULL', "$at + n * interval '1 day'", $at, "$at + interval '1 hour'")
		  . " FROM generate_series(1, @{[many()]}) n" } ],
	[ 3, 'disband', sub { "UPDATE im_group SET disbanded_at = greatest(created_at, @{[instant()]}) WHERE app_id = @{[app()]} AND group_id < 'g3'" } ],
	[ 2, 'delete groups', sub { "DELETE FROM im_group WHERE app_id = @{[app()]} AND created_at > @{[instant()]}" } ],
	[ 3, 'move logins', sub { "UPDATE im_login SET at = at + interval '@{[between(-30, 30)]} hours', app_id = @{[app()]} WHERE app_id = @{[app()]} AND user_id < 'u2'" } ],
	[ 3, 'delete logins', sub { "DELETE FROM @{[leaf()]} WHERE app_id = @{[app()]} AND user_id < 'u@{[between(1, 5)]}'" } ],
	[ 2, 'delete checks', sub { "DELETE FROM im_moderation_check WHERE app_id = @{[app()]} AND at > @{[instant()]}" } ],
	[ 2, 'change calls', sub { "UPDATE im_call SET seconds = seconds + 50, class = 'hd' WHERE app_id = @{[app()]} AND at > @{[instant()]}" } ],
	[ 4, 'user row', sub { "INSERT INTO im_usage_daily (app_id, day, dau, peak_groups, text_checks, hd_minutes, users) VALUES (@{[app()]}, @{[day()]}, @{[between(0, 60)]}, 3, 7, 20, '{x,y}')"
		  . one_of('', ' ON CONFLICT DO NOTHING', ' ON CONFLICT (app_id, day) DO UPDATE SET dau = 44') } ],
	[ 2, 'change rows', sub { "UPDATE im_usage_daily SET dau = coalesce(dau, 0) + 1 WHERE app_id = @{[app()]} AND day > @{[day()]}" } ],
	[ 2, 'move a row', sub { "UPDATE im_usage_daily SET day = @{[day()]} WHERE app_id = @{[app()]} AND day = @{[day()]}" } ],
	[ 3, 'delete rows', sub { "DELETE FROM im_usage_daily WHERE app_id = @{[app()]} AND day > @{[day()]}" } ],
	[ 1, 'a row called metered', sub { "INSERT INTO im_usage_daily (app_id, day, dau, metered_at) VALUES (@{[app()]}, @{[day()]}, 999, now())" } ],
	[ 1, 'bad check', sub { "INSERT INTO im_moderation_check (app_id, at, kind) VALUES (@{[app()]}, @{[instant()]}, 'smell')" } ],
	[ 1, 'bad call', sub { "INSERT INTO im_call (app_id, at, class, seconds) VALUES (@{[app()]}, @{[instant()]}, 'hd', -1)" } ],
	[ 1, 'bad group', sub { my $at = instant(); "INSERT INTO im_group VALUES (@{[app()]}, 'bad', $at, $at - interval '@{[between(1, 90)]} hours')" } ],
	[ 3, 'corrected', sub { "DELETE FROM im_moderation_check WHERE kind = 'smell'; DELETE FROM im_call WHERE seconds < 0; DELETE FROM im_group WHERE disbanded_at < created_at; DELETE FROM im_event WHERE NOT quantity >= 0 OR quantity = 'NaN' OR scale(quantity) > 8; UPDATE im_event SET subject = '' WHERE subject IS NULL" } ],
	[ 2, 'app comes', sub { "INSERT INTO im_app (app_id, name, rate_card) VALUES (@{[one_of(7, 8)]}, 'x', '@{[one_of(qw(cn intl west east))]}')" } ],
	[ 1, 'app goes', sub { "DELETE FROM im_app WHERE app_id = @{[one_of(7, 8)]}" } ],
	[ 2, 'another card', sub { "UPDATE im_app SET rate_card = '@{[one_of(qw(cn west east))]}' WHERE app_id = @{[one_of(1, 3, 4, 7, 8)]}" } ],
	[ 1, 'another zone', sub { "UPDATE im_rate_card_version SET terms = jsonb_set(terms, '{time_zone}', '\"@{[one_of('America/New_York', 'Asia/Shanghai', 'Pacific/Kiritimati', 'America/St_Johns')]}\"') WHERE rate_card = '@{[one_of(qw(west east))]}'" } ],
	[ 1, 'no card', sub { "SET session_replication_role = replica; DELETE FROM im_rate_card_version WHERE rate_card = 'spare'; RESET session_replication_role" } ],
	[ 1, 'a card comes', sub { "INSERT INTO im_rate_card_version SELECT 'spare', '2019-12-10', terms FROM im_rate_card_version WHERE rate_card = 'intl'" } ],
	[ 2, 'truncate', sub { "TRUNCATE " . one_of(qw(im_call im_moderation_check im_event im_login_p2024_02 im_usage_daily im_meter_daily)) } ],
	[ 1, 'detach', sub { "ALTER TABLE im_login DETACH PARTITION im_login_p2024_03" } ],
	[ 3, 'attach', sub { "ALTER TABLE im_login ATTACH PARTITION im_login_p2024_03 FOR VALUES FROM ('2024-03-01 00:00+08') TO ('2024-04-01 00:00+08')" } ],
	[ 1, 'drop', sub { "DROP TABLE im_login_p2024_03" } ],
	[ 1, 'create', sub { "CREATE TABLE im_login_p2024_03 PARTITION OF im_login FOR VALUES FROM ('2024-03-01 00:00+08') TO ('2024-04-01 00:00+08')" } ],
	[ 1, 'a table of calls', sub { "CREATE TABLE more_calls () INHERITS (im_call)" } ],
	[ 1, 'calls of it', sub { "INSERT INTO more_calls VALUES (@{[app()]}, @{[instant()]}, 'sd', 600)" } ],
	[ 1, 'no such table', sub { "DROP TABLE more_calls" } ],
	[ 1, 'forget', sub { my ($a, $b) = span(); "SELECT im_forget_metering($a, $b)" } ],
	[ 1, 'keep', sub { my $d = day(); "SELECT im_keep_metered($d, $d + 2)" } ],
	[ 12, 'meter', sub { my ($a, $b) = span(); 'SELECT im_meter(' . one_of('', '', "$a, $b", "$a, $a", "NULL, $b", "$a") . ')' } ],
);

# A few changes after all was metered are metered by a shorter way than whole days are.
my %late = map { $_->[1] => $_->[2] } @events;
push @events, [ 12, 'late rows', sub {
	join('; ', $late{corrected}->(), 'SELECT im_meter()',
		(map { $late{ one_of('login', 'check', 'call', 'event', 'event', 'change events', 'user figure', 'delete figures', 'bad event', 'group', 'disband', 'move logins', 'user row', 'delete rows', 'bad check') }->() } 1 .. between(1, 3)),
		'SELECT im_meter()') } ];
my @choices = map { my $event = $_; ($event) x $event->[0] } @events;

my $database = create_database('metering');
my $path = "SET search_path = $schema; SET client_min_messages = error; SET jit = off;";

# Runs statements that may fail; they are what happened, not what is tested.  The last
# line of what they say is that of the last one.
sub happen
{
	my (@statements) = @_;
	my (undef, $out) = psql_both($database, "\\set ON_ERROR_STOP 0\n$path\n" . join(";\n", @statements) . ";\n");

	return $out;
}

psql_ok($database, qq{
	CREATE SCHEMA $schema; CREATE EXTENSION imbilling SCHEMA $schema; $path
	SELECT im_create_tables();
	SELECT im_partition('im_login', '2024-02-01', '2024-04-01', '1 month');
	INSERT INTO im_rate_card_version
	SELECT v.card, '2019-12-10', jsonb_set(jsonb_set(jsonb_set(jsonb_set(terms, '{time_zone}', to_jsonb(v.zone)),
		'{plans,pro,dau}', '{"included": 1, "block": 1, "price": "1"}'), '{plans,pro,groups}', '{"included": 0, "block": 1, "price": "100"}'),
		'{moderation,price}', '"10"') || jsonb_build_object('meters', '{"sms": {"day": "sum", "month": "sum"}, "peak": {"day": "max", "month": "average"},
			"gb": {"day": "average", "month": "average"}, "seats": {"day": "last", "month": "last"},
			"push": {"day": "unique", "month": "unique"}, "devices": {"day": "unique", "month": "max"}}'::jsonb)
	FROM im_rate_card_version, (VALUES ('west', 'America/New_York'), ('east', 'Pacific/Kiritimati')) v(card, zone)
	WHERE rate_card = 'cn' AND effective_from = '2019-12-10';
	UPDATE im_rate_card_version SET terms = jsonb_set(terms, '{plans,pro,usage}', '{"sms": {"price": "0.5"}, "peak": {"price": "1"}, "gb": {"price": "2"},
		"seats": {"price": "3"}, "push": {"price": "1"}, "devices": {"price": "1"}}') WHERE rate_card IN ('west', 'east');
	UPDATE im_rate_card_version SET terms = jsonb_set(jsonb_set(terms, '{plans,pro,dau}', '{"included": 1, "block": 1, "price": "1"}'),
		'{plans,pro,groups}', '{"included": 0, "block": 1, "price": "100"}') WHERE rate_card = 'cn';
	UPDATE im_rate_card_version SET terms = jsonb_set(terms, '{plans,standard,mau}', '{"included": 1, "block": 1, "price": "1"}') WHERE rate_card = 'intl';
	INSERT INTO im_app (app_id, name, rate_card) VALUES (1, 'a', 'cn'), (2, 'b', 'intl'), (3, 'c', 'west'), (4, 'd', 'east'), (5, 'e', 'cn');
	SET session_replication_role = replica;	-- which is how an app comes to have no price list
	INSERT INTO im_app (app_id, name, rate_card) VALUES (6, 'f', 'spare');
	RESET session_replication_role;
	INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
	SELECT n, 1, '2024-01-01 12:00+08', 'buy', 'plan', CASE n WHEN 2 THEN 'standard' ELSE 'pro' END, 12 FROM generate_series(1, 5) n;
	INSERT INTO im_order (app_id, order_id, at, action, item, option)
	SELECT n, 2, '2024-01-02 12:00+08', 'on', 'moderation', '' FROM unnest('{1,3,4,5}'::int[]) n;
	INSERT INTO im_order (app_id, order_id, at, action, item, option)
	SELECT n, 3, '2024-01-03 12:00+08', 'buy', 'moderation_pack', 'year_small' FROM unnest('{1,3}'::int[]) n;
	INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
	SELECT n, 4, '2024-01-04 12:00+08', 'buy', 'call', 'basic', 3 FROM unnest('{3,5}'::int[]) n;
	-- a bill, or the error that it raises, of every app and month; app 0 stands for all
	CREATE FUNCTION all_bills() RETURNS SETOF text LANGUAGE plpgsql STABLE AS \$\$
	DECLARE
		m im_month;
		a bigint;
	BEGIN
		FOR m, a IN
			SELECT '2024-01'::im_month + n, 0 FROM generate_series(0, 3) n
			UNION ALL SELECT '2024-02', app_id FROM im_app
		LOOP
			BEGIN
				IF a = 0 THEN
					RETURN QUERY SELECT 'all ' || l::text FROM im_monthly_bills(m) l;
					RETURN QUERY SELECT 'unbilled ' || u::text FROM im_unbilled_usage(m) u;
					RETURN QUERY SELECT 'usage ' || u::text FROM im_daily_usage(m) u;
				ELSE
					RETURN QUERY SELECT 'one ' || l::text FROM im_monthly_bill(a, m) l;
					RETURN QUERY SELECT 'statement ' || a || s::text FROM im_moderation_statement(a, m) s;
					RETURN QUERY SELECT 'preview ' || l::text FROM im_preview_bill(a, m, (SELECT terms::im_rate_card FROM im_rate_card_version WHERE rate_card = 'west')) l;
				END IF;
			EXCEPTION WHEN OTHERS THEN
				RETURN NEXT format('%s %s %s', m, a, SQLSTATE);
			END;
		END LOOP;
	END \$\$;
	-- what differs from the bills with nothing metered
	CREATE FUNCTION differences() RETURNS text LANGUAGE plpgsql AS \$\$
	DECLARE
		metered text[] := ARRAY(SELECT all_bills());
		answer text;
	BEGIN
		DELETE FROM im_metered_day;
		SELECT string_agg(d.line, E'\\n' ORDER BY d.line) INTO answer
		FROM ((SELECT 'metered: ' || l AS line FROM (SELECT unnest(metered) EXCEPT ALL SELECT all_bills()) x(l))
			UNION ALL (SELECT 'events: ' || l FROM (SELECT all_bills() EXCEPT ALL SELECT unnest(metered)) x(l))) d;
		RAISE EXCEPTION USING ERRCODE = 'UE001', MESSAGE = coalesce(answer, 'none');
	END \$\$;
	CREATE FUNCTION difference() RETURNS text LANGUAGE plpgsql AS \$\$
	BEGIN
		PERFORM differences();
	EXCEPTION WHEN SQLSTATE 'UE001' THEN
		RETURN SQLERRM;
	END \$\$;
	-- how many days of apps count as metered
	CREATE FUNCTION counting() RETURNS bigint LANGUAGE sql STABLE AS \$\$
		SELECT count(*) FROM generate_series(0, 3) n, LATERAL (SELECT '2024-01'::im_month + n) m(month),
			LATERAL im_internal.im_reading(m.month::date, upper(m.month::daterange), NULL, NULL) r,
			im_usage_daily u
		WHERE u.metered_at IS NOT NULL AND u.day <@ m.month::daterange AND (u.day < r.raw_first OR u.day >= r.raw_until)
			AND NOT EXISTS (SELECT FROM unnest(r.stale_apps, r.stale_first, r.stale_until) s(a, f, t)
				WHERE s.a = u.app_id AND u.day >= s.f AND u.day < s.t)
	\$\$;
}, 'a database with apps of four calendars');

happen((map { $events[0][2]->() } 1 .. 40), (map { one_of(@choices)->[2]->() } 1 .. 30));
my $counted = 0;

foreach my $step (1 .. $steps)
{
	my @happened = map { one_of(@choices) } 1 .. between(1, 3);
	my @statements = map { $_->[2]->() } @happened;
	my $out = happen(@statements,
		"SELECT E'\\n====\\n' || difference() || E'\\n====\\n' || counting()");
	my (undef, $difference, $counting) = split /^====\n/m, $out;

	chomp($difference //= 'no answer');
	if ($difference ne 'none')
	{
		fail("step $step: bills are what the events make them");
		diag(join("\n", (map { "$happened[$_][1]: $statements[$_]" } 0 .. $#happened), substr($out, 0, 3000)));
		last;
	}
	$counted += $counting =~ /(\d+)/ ? $1 : 0;
}
pass("$steps steps, after each of which every bill was what the events make it")
  if Test::More->builder->is_passing;
cmp_ok($counted, '>', $steps, "$counted metered rows counted for it, so that it was a test");
done_testing();
