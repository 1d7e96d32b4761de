#!/usr/bin/perl
#
# 040_extension_lifecycle.pl
#	  The extension in a schema of its own, installed by a plain role that owns the
#	  tables; dropped, and back again without a row lost; billing views that refresh.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use IPC::Run ();
use Test::More;
use BillingData;

my $owner = "imb_owner_$$";
my $stranger = "imb_stranger_$$";
my $db = create_database('lifecycle');
psql_ok($db, qq{
	CREATE ROLE $owner LOGIN;
	CREATE ROLE $stranger LOGIN;
	GRANT CREATE ON DATABASE "$db" TO $owner;}, 'two plain roles');

# A table that somebody else put there first could have triggers of his on it.
my $trap = create_database('trap');
psql_ok($trap, 'CREATE EXTENSION imbilling', 'a database where another role was first');
psql_ok($trap, 'CREATE ROLE early; GRANT CREATE ON SCHEMA public TO early; SET ROLE early; CREATE TABLE public.im_rate_card_version ()',
	'with a table of the price lists');
psql_fails($trap, "SELECT im_create_tables($_)", qr/table public\.im_rate_card_version belongs to role "early"/, "nothing is made of it: $_") for 'true', 'false';
psql_ok($trap, 'DROP OWNED BY early CASCADE; DROP ROLE early', 'and it can go');

# Before there is anything
my $bare = create_database('bare');
psql_ok($bare, 'CREATE EXTENSION imbilling', 'CREATE EXTENSION alone');
is(psql($bare, q{SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE nspname = 'public' AND relkind IN ('r', 'v', 'm', 'p', 'S')}), '0', 'brings no table');
psql_fails($bare, "SELECT im_dau_overage('pro', 1)", qr/im_create_tables/, 'a primitive without a card needs the tables, and says so');
is(psql($bare, "SELECT im_dau_overage(im_bundled_card('cn', '2019-12-10'), 'pro', 10001)::int"), '1000',
	'a primitive with a card does not');
is(psql($bare, 'SELECT im_dau(n % 3) FROM generate_series(1, 9) n'), '3', 'nor does a meter');
psql_fails($bare, "SELECT * FROM im_monthly_bill(1, '2023-03')", qr/Call im_create_tables\(\) first/, 'a bill says what is missing');
psql_ok($bare, 'DROP EXTENSION imbilling', 'without tables it can be dropped');
is(psql($bare, q{SELECT count(*) FROM pg_proc WHERE proname ~ '^im_'}), '0', 'and is gone');

# A schema of its own, a plain owner
psql_ok($db, 'CREATE SCHEMA billing; CREATE EXTENSION imbilling SCHEMA billing; SELECT billing.im_create_tables();',
	'trusted: a plain role installs it into its schema', user => $owner);
is(psql($db, q{SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE nspname = 'billing' AND relkind = 'r'}), $owner, 'and owns the tables');
is(psql($db, q{SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE nspname = 'public' AND relname ~ '^im_'}), '0', 'nothing lands in public');
psql_ok($db, sample_data('billing'), 'the owner loads', user => $owner);
my $bills = bills($db, 'billing', user => $owner);
my $counts = counts($db, 'billing', user => $owner);
like($bills, qr/plan_upgrade/, 'and bills, with no search_path');
is(psql($db, "SELECT billing.im_dau_overage('pro', 10001)::int", user => $owner), '1000', 'primitives find their cards');

# Rights
psql_fails($db, "SELECT * FROM billing.im_monthly_bill(1, '2023-03')", qr/permission denied/, 'a stranger may not read bills',
	user => $stranger);
psql_ok($db, qq{GRANT USAGE ON SCHEMA billing TO $stranger}, 'the schema alone', user => $owner);
psql_fails($db, "SELECT * FROM billing.im_monthly_bill(1, '2023-03')", qr/permission denied/, 'does not open the tables',
	user => $stranger);
psql_fails($db, "SELECT billing.im_create_tables()", qr/./, 'nor may a stranger change them', user => $stranger);
psql_ok($db, qq{GRANT SELECT ON ALL TABLES IN SCHEMA billing TO $stranger}, 'SELECT on the tables', user => $owner);
is(bills($db, 'billing', user => $stranger), $bills, 'lets a reader see the same bills');

# Again
psql_ok($db, 'SELECT billing.im_create_tables()', 'im_create_tables() again', user => $owner);
is(bills($db, 'billing', user => $owner), $bills, 'changes no bill');
is(counts($db, 'billing', user => $owner), $counts, 'and no row');
psql_ok($db, q{UPDATE billing.im_rate_card_version SET terms = jsonb_set(terms, '{plans,pro,price}', '"1001"')
	WHERE rate_card = 'overseas'; SELECT billing.im_create_tables();}, 'also after a price was edited', user => $owner);
is(psql($db, q{SELECT terms #>> '{plans,pro,price}' FROM billing.im_rate_card_version WHERE rate_card = 'overseas'}), '1001',
	'the edited price stands');
$bills = bills($db, 'billing', user => $owner);

# Billing views
psql_ok($db, "SET search_path = billing; SELECT im_create_billing_view('billing.billing_lines', '2023-03', '2023-04')", 'a billing view', user => $owner);
my $view = psql($db, q{SELECT n.nspname || '.' || relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE relkind = 'm'});
like($view, qr/\.billing_lines$/, 'is there');
my $rows = psql($db, "SELECT count(*), sum(amount) FROM $view", user => $owner);
is($rows, psql($db, q{SELECT count(*), sum(amount) FROM (SELECT * FROM billing.im_monthly_bills('2023-03')
	UNION ALL SELECT * FROM billing.im_monthly_bills('2023-04')) l}), 'and has all lines of its months');
is(psql($db, qq{SELECT string_agg(format_type(atttypid, atttypmod), ' ' ORDER BY attnum) FROM pg_attribute
	WHERE attrelid = '$view'::regclass AND format_type(atttypid, atttypmod) ~ 'im_'}), '', 'only types that BI tools know');
psql_ok($db, "REFRESH MATERIALIZED VIEW $view", 'it refreshes', user => $owner);
psql_ok($db, "REFRESH MATERIALIZED VIEW CONCURRENTLY $view", 'also concurrently', user => $owner);
psql_ok($db, "SET search_path = ''; REFRESH MATERIALIZED VIEW $view; REFRESH MATERIALIZED VIEW CONCURRENTLY $view",
	'also with an empty search_path', user => $owner);
is(psql($db, "SELECT count(*), sum(amount) FROM $view", user => $owner), $rows, 'and is the same');
psql_ok($db, qq{INSERT INTO billing.im_call (app_id, at, class, seconds) VALUES (5, '2023-04-05 12:00+08', 'fhd', 60000);
	REFRESH MATERIALIZED VIEW CONCURRENTLY $view}, 'a late call and a refresh', user => $owner);
isnt(psql($db, "SELECT count(*), sum(amount) FROM $view", user => $owner), $rows, 'show the new line');
psql_ok($db, "SET search_path = billing; SELECT im_create_billing_view('running', '2023-03')", 'a view through the running month', user => $owner);
$bills = bills($db, 'billing', user => $owner);
$counts = counts($db, 'billing', user => $owner);

# A batch loaded twice
psql_ok($db, q{BEGIN; INSERT INTO billing.im_load VALUES ('crm', 'b1', now());
	INSERT INTO billing.im_call (app_id, at, class, seconds) VALUES (6, '2023-03-05 12:00+08', 'hd', 60); COMMIT;},
	'a batch', user => $owner);
psql_fails($db, q{\set VERBOSITY sqlstate
	BEGIN; INSERT INTO billing.im_call (app_id, at, class, seconds) VALUES (6, '2023-03-05 12:00+08', 'hd', 60);
	INSERT INTO billing.im_load VALUES ('crm', 'b1', now()); COMMIT;},
	qr/23505/, 'the same batch again: 23505', user => $owner);
is(psql($db, 'SELECT count(*) FROM billing.im_call WHERE app_id = 6'), '1', 'and nothing of it is loaded');
$bills = bills($db, 'billing', user => $owner);
$counts = counts($db, 'billing', user => $owner);
my $columns = q{SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'billing'
	AND table_name IN ('im_rate_card_version', 'im_app', 'im_order', 'im_suspension', 'im_login', 'im_group',
		'im_moderation_check', 'im_call', 'im_load')
	ORDER BY 1, ordinal_position};
my $before = psql($db, $columns);
my $contents = contents($db);

# Dropped
psql_fails($db, 'DROP EXTENSION imbilling', qr/depend|other objects/, 'DROP EXTENSION is refused while the tables stand', user => $owner);
is(bills($db, 'billing', user => $owner), $bills, 'and harms nothing');
psql_ok($db, 'DROP EXTENSION imbilling CASCADE', 'DROP EXTENSION ... CASCADE', user => $owner);
is(counts($db, 'billing', user => $owner), $counts, 'takes no row');
is(psql($db, $columns), $before, 'and no column of money, orders or events');
is(contents($db), $contents, 'and changes no value');
is(psql($db, q{SELECT count(*) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE nspname = 'billing'}), '0',
	'no function is left behind');

# And back
psql_ok($db, 'CREATE EXTENSION imbilling SCHEMA billing; SELECT billing.im_create_tables();',
	'CREATE EXTENSION and im_create_tables() again', user => $owner);
is(counts($db, 'billing', user => $owner), $counts, 'no row more or less');
is(contents($db), $contents, 'no value changed');
is(bills($db, 'billing', user => $owner), $bills, 'the same bills');
psql_fails($db, "INSERT INTO billing.im_order (app_id, order_id, at, action, item, option, months)
	VALUES (1, 999, '2023-03-07', 'buy', 'plan', 'flagship', 1)", qr/upgrade/, 'orders are checked again', user => $owner);
psql_fails($db, 'DELETE FROM billing.im_order', qr/append/, 'and append-only again', user => $owner);
psql_fails($db, "INSERT INTO billing.im_rate_card_version VALUES ('x', '2020-01-01', '{}')", qr/./, 'cards are checked again', user => $owner);
psql_fails($db, 'DROP EXTENSION imbilling', qr/depend|other objects/, 'and DROP EXTENSION is refused again', user => $owner);
is(psql($db, q{SELECT count(*) FROM pg_attribute WHERE attrelid = 'billing.im_usage_daily'::regclass AND attname = 'users'
	AND NOT attisdropped}), '1', 'the column of user sets is back');

# The sets of users go with their type.  Days metered from events find theirs
# again; rows of users wait for theirs, and nobody is billed without.
my $lost = create_database('lost_users');
psql_ok($lost, q{CREATE EXTENSION imbilling; SELECT im_create_tables();
	INSERT INTO im_app (app_id, name, rate_card, opened_at) SELECT n, 'app ' || n, 'intl', '2023-01-01' FROM generate_series(1, 2) n;
	INSERT INTO im_order (app_id, order_id, at, action, item, option, months) SELECT n, 1, '2023-01-01 10:00+08', 'buy', 'plan', 'standard', 12 FROM generate_series(1, 2) n;
	INSERT INTO im_login (app_id, user_id, at) SELECT 1, i, d + time '12:00' FROM generate_series(1, 10100) i, unnest('{2023-02-05,2023-03-05}'::date[]) d;
	INSERT INTO im_usage_daily (app_id, day, dau, users) SELECT 2, d, count(*), im_userset_agg(i) FROM generate_series(1, 10100) i, unnest('{2023-02-05,2023-03-05}'::date[]) d GROUP BY d;
	SELECT im_meter();}, 'users of the month, metered and given');
psql_ok($lost, "CALL im_close_month('2023-02')", 'a month of them is closed');
psql_ok($lost, 'DROP EXTENSION imbilling CASCADE; CREATE EXTENSION imbilling; SELECT im_create_tables()', 'the sets are lost');
is(psql($lost, "SELECT string_agg(app_id || ' ' || total, ',' ORDER BY app_id) FROM im_monthly_totals('2023-02')"), '1 1.50,2 1.50', 'what was issued stays');
is(psql($lost, 'SELECT * FROM im_verify_invoices()'), '', 'and verifies');
is(psql($lost, "SELECT im_monthly_total(1, '2023-03')"), '1.50', 'the users of metered days are counted again');
is(psql($lost, "SELECT app_id FROM im_check('2023-03')"), '2', 'im_check() tells whose are missing');
psql_fails($lost, "SELECT * FROM $_", qr/users of app 2 on 2023-0[23]-05 are null/, "$_ says so")
  for "im_monthly_bill(2, '2023-03')", "im_rebill(2, '2023-02')", "im_drift('2023-02')", "im_monthly_bills('2023-03')";
psql_fails($lost, "CALL im_close_month('2023-03')", qr/app 2 for 2023-03 cannot be right/, 'a close leaves that app out');
is(psql($lost, "SELECT string_agg(app_id || ' ' || total, ',') FROM im_invoice WHERE month = '2023-03-01'"), '1 1.50', 'and no other');
psql_ok($lost, 'UPDATE im_usage_daily SET users = (SELECT im_userset_agg(i) FROM generate_series(1, 10100) i) WHERE app_id = 2', 'given again');
is(psql($lost, "SELECT * FROM im_drift('2023-02')"), '', 'nothing has changed');
psql_ok($lost, "CALL im_close_month('2023-03')", 'and the close goes on');

# The raw tables can be partitioned by time
my $part = create_database('partitioned');
psql_ok($part, q{CREATE EXTENSION imbilling;
	CREATE TABLE im_call (app_id bigint NOT NULL, at timestamptz NOT NULL, class text NOT NULL, seconds int NOT NULL, user_id text)
		PARTITION BY RANGE (at);
	CREATE TABLE im_call_2023_03 PARTITION OF im_call FOR VALUES FROM ('2023-03-01 00:00+08') TO ('2023-04-01 00:00+08');
	CREATE TABLE im_call_rest PARTITION OF im_call DEFAULT;
	SELECT im_create_tables();}, 'a raw table that is partitioned already is taken as it is');
psql_ok($part, sample_data('public'), 'it can be loaded');
my $plain = create_database('unpartitioned');
psql_ok($plain, 'CREATE EXTENSION imbilling; SELECT im_create_tables();', 'the same without partitions');
psql_ok($plain, sample_data('public'), 'loaded too');
is(bills($part, 'public'), bills($plain, 'public'), 'partitions do not change a bill');
psql_ok($part, q{INSERT INTO im_call_2023_03 (app_id, at, class, seconds) VALUES (5, '2023-03-05 12:00+08', 'hd', 6000)},
	'a row loaded into a leaf');
psql_ok($plain, q{INSERT INTO im_call (app_id, at, class, seconds) VALUES (5, '2023-03-05 12:00+08', 'hd', 6000)},
	'the same row');
is(bills($part, 'public'), bills($plain, 'public'), 'a row of a leaf is billed');
psql_ok($part, 'TRUNCATE im_call_2023_03', 'a truncated leaf');
psql_ok($plain, q{DELETE FROM im_call WHERE at >= '2023-03-01 00:00+08' AND at < '2023-04-01 00:00+08'}, 'the same rows deleted');
is(bills($part, 'public'), bills($plain, 'public'), 'are gone from the bill');

# A tenant under row security sees its own bills only.
psql_ok($plain, qq{GRANT SELECT ON ALL TABLES IN SCHEMA public TO $stranger;
	UPDATE im_app SET tenant = '$stranger' WHERE app_id = 5;
	ALTER TABLE im_app ENABLE ROW LEVEL SECURITY;
	CREATE POLICY own ON im_app USING (tenant = current_user);}, 'row security on im_app');
is(psql($plain, q{SELECT string_agg(DISTINCT app_id::text, ' ') FROM im_monthly_bills('2023-03')}, user => $stranger),
	psql($plain, q{SELECT string_agg(DISTINCT app_id::text, ' ') FROM im_monthly_bills('2023-03') WHERE app_id = 5}),
	'a tenant under row security sees its own bills only');

# COPY, also of orders in any sequence; a bad row takes the whole load with it.
my $copy = create_database('copy');
psql_ok($copy, q{CREATE EXTENSION imbilling; SELECT im_create_tables();
	INSERT INTO im_app (app_id, name) SELECT n, 'app' FROM generate_series(1, 3) n;}, 'tables to load');
psql_ok($copy, q{
COPY im_order (app_id, order_id, at, action, item, option, months, refunds) FROM STDIN WITH (FORMAT csv);
2,3,2023-03-07 10:00+08,refund,plan,"",,1
1,2,2023-03-06 10:00+08,buy,group_members,"",1,
2,1,2023-03-05 10:00+08,buy,plan,pro,1,
1,1,2023-03-05 10:00+08,buy,plan,pro,1,
\.
COPY im_login FROM STDIN WITH (FORMAT csv);
1,"a ""quoted"", user",2023-03-05 12:00+08
1,plain,2023-03-05 12:00+08
\.
COPY im_group FROM STDIN WITH (FORMAT csv);
1,g1,2023-03-05 12:00+08,
1,g2,2023-03-05 12:00+08,2023-03-05 13:00+08
\.
COPY im_moderation_check FROM STDIN WITH (FORMAT csv);
3,2023-03-05 12:00+08,text,,chat
\.
COPY im_call FROM STDIN WITH (FORMAT csv);
3,2023-03-05 12:00+08,hd,61,
\.
}, 'COPY of events and of orders in any sequence');
is(psql($copy, q{SELECT string_agg(app_id || ' ' || item || ' ' || quantity::int, ', ' ORDER BY app_id, line)
	FROM im_monthly_bills('2023-03')}),
	'1 plan 1, 1 dau_overage 2, 1 group_overage 2, 1 group_members 1, 2 plan 1, 2 refund 1, 3 call_minutes 2',
	'are billed');
psql_fails($copy, q{
COPY im_order (app_id, order_id, at, action, item, option, months) FROM STDIN WITH (FORMAT csv);
3,1,2023-03-05 10:00+08,buy,plan,pro,1
3,2,2023-03-06 10:00+08,buy,plan,flagship,1
\.
}, qr/order 2 of app 3/, 'COPY of a forbidden order fails and names it');
is(psql($copy, 'SELECT count(*) FROM im_order WHERE app_id = 3'), '0', 'and nothing of that load is kept');
# 10,000 orders of one app are checked once, not once each.
psql_ok($copy, q{INSERT INTO im_order (app_id, order_id, at, action, item, option)
	SELECT 3, n, '2023-03-01 00:00+08'::timestamptz + n * interval '1 minute',
		CASE WHEN n % 2 = 0 THEN 'on' ELSE 'off' END, 'moderation', '' FROM generate_series(1, 10000) n;
	INSERT INTO im_order (app_id, order_id, at, action, item, option) VALUES (3, 10001, '2023-03-20 00:00+08', 'on', 'moderation', '')},
	'10,000 orders of one app');
is(psql($copy, q{SELECT sum(quantity)::int FROM im_monthly_bill(3, '2023-03') WHERE item = 'moderation'}), '1',
	'leave the switch on');

# The order log can be partitioned too, its leaves standing in any schema.
my $log = create_database('partitioned_log');
psql_ok($log, q{CREATE EXTENSION imbilling; CREATE SCHEMA leaves;
	CREATE TABLE im_order (app_id bigint NOT NULL, order_id bigint NOT NULL) PARTITION BY HASH (app_id);
	CREATE TABLE leaves.orders_0 PARTITION OF im_order FOR VALUES WITH (MODULUS 2, REMAINDER 0);
	CREATE TABLE leaves.orders_1 PARTITION OF im_order FOR VALUES WITH (MODULUS 2, REMAINDER 1);
	SELECT im_create_tables();}, 'a partitioned order log');
psql_ok($log, sample_data('public'), 'takes orders');
my $sample = bills(sample_database(), 'public');
is(bills($log, 'public'), $sample, 'and bills like any other');
psql_fails($log, q{INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
	VALUES (1, 999, '2023-03-07', 'buy', 'plan', 'flagship', 1)}, qr/upgrade/, 'its orders are checked');

# Who may only place orders cannot have them checked by functions of his own.
psql_ok($plain, qq{GRANT CREATE ON DATABASE "$plain" TO $stranger; GRANT INSERT ON im_order TO $stranger;}, 'a role that may order');
psql_fails($plain, q{CREATE SCHEMA own;
	CREATE FUNCTION own.im_lock_apps(bigint[]) RETURNS bigint RETURN 0;
	CREATE FUNCTION own.im_verify_apps(bigint[], timestamptz[]) RETURNS bigint RETURN 0;
	CREATE TABLE own.bait (app_id bigint);
	CREATE TRIGGER im_note_order AFTER INSERT ON own.bait FOR EACH ROW EXECUTE FUNCTION im_order_note();
	CREATE CONSTRAINT TRIGGER im_order_check AFTER INSERT ON own.bait DEFERRABLE INITIALLY DEFERRED
		FOR EACH ROW EXECUTE FUNCTION im_order_check();
	BEGIN;
	INSERT INTO own.bait VALUES (1);
	INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
	VALUES (1, 999, '2023-03-07', 'buy', 'plan', 'flagship', 1);
	COMMIT}, qr/permission denied|upgrade|not for table/, 'cannot slip in functions that check nothing', user => $stranger);
is(psql($plain, 'SELECT count(*) FROM im_order WHERE order_id = 999'), '0', 'and that order is not kept');

# Nor do policies that bind the owner as well hide orders from the check.
psql_ok($plain, qq{GRANT SELECT ON im_app TO $stranger; GRANT CREATE ON SCHEMA public TO $owner;
	ALTER TABLE im_rate_card_version OWNER TO $owner; ALTER TABLE im_app OWNER TO $owner; ALTER TABLE im_order OWNER TO $owner;
	ALTER TABLE im_app ENABLE ROW LEVEL SECURITY; ALTER TABLE im_app FORCE ROW LEVEL SECURITY;
	CREATE POLICY own_apps ON im_app USING (tenant = current_user);}, 'policies that are forced');
psql_fails($plain, q{INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
	VALUES (1, 999, '2023-03-07', 'buy', 'plan', 'flagship', 1)}, qr/upgrade/, 'leave the orders checked', user => $stranger);

# A schema whose name needs quotes, and is no format either
my $odd = create_database('odd_schema');
psql_ok($odd, q{CREATE SCHEMA "My 5% Bills"; CREATE EXTENSION imbilling SCHEMA "My 5% Bills"; SELECT "My 5% Bills".im_create_tables();},
	'a schema whose name needs quotes');
psql_ok($odd, sample_data('"My 5% Bills"'), 'is loaded');
is(bills($odd, '"My 5% Bills"'), $sample, 'and bills like any other');
psql_fails($odd, q{INSERT INTO "My 5% Bills".im_order (app_id, order_id, at, action, item, option, months)
	VALUES (1, 999, '2023-03-07', 'buy', 'plan', 'flagship', 1)}, qr/upgrade/, 'its orders are checked');
psql_ok($odd, q{SET search_path = "My 5% Bills"; SELECT im_create_billing_view('"A View"', '2023-03', '2023-03');
	REFRESH MATERIALIZED VIEW CONCURRENTLY "A View"}, 'and has its views');

# The sample data in a schema like any other
sub sample_database
{
	my $name = create_database('sample');

	psql($name, 'CREATE EXTENSION imbilling; SELECT im_create_tables();');
	psql($name, sample_data('public'));
	return $name;
}

# Rows of the tables as text, whatever the types of the extension.
sub contents
{
	my ($database) = @_;

	return psql($database, join('; ', map { "SELECT '$_', md5(string_agg(t::text, E'\\n' ORDER BY t::text)) FROM billing.$_ t" }
			qw(im_rate_card_version im_app im_order im_suspension im_login im_group im_moderation_check im_call im_load)));
}

psql_both($_, "DROP OWNED BY $owner CASCADE; DROP OWNED BY $stranger CASCADE") for $part, $plain, $db;
psql_ok($bare, "DROP ROLE $owner; DROP ROLE $stranger", 'the roles are gone');

done_testing();
