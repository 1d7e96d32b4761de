#!/usr/bin/perl
#
# 055_stale_ways.pl
#	  All ways into which rows come, go or change: whatever was metered before, the
#	  bill is what the events make it.
#
# The list below follows what PostgreSQL's documentation of triggers says of when a
# trigger of a statement is fired and when not; doc/metering.md repeats it.  Each way is
# taken once by itself, then pieces of them in a random order, with metering between.
# A failure means that a bill was made from figures that nobody knew to be stale.
#
# IMBILLING_SEED repeats a run, IMBILLING_STEPS makes it longer.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use BillingData;

my $seed = $ENV{IMBILLING_SEED} || time ^ ($$ << 12);
my $steps = $ENV{IMBILLING_STEPS} || 40;
srand($seed);
diag("IMBILLING_SEED=$seed IMBILLING_STEPS=$steps");

my $work = PostgreSQL::Test::Utils::tempdir();
my $schema = '"we%ird Schema"';
my $path = "SET search_path = $schema; SET client_min_messages = error; SET jit = off;";
my $node = PostgreSQL::Test::Cluster->new('ways');
$node->init(allows_streaming => 'logical');
$node->append_conf('postgresql.conf', "wal_level = logical\nfsync = off\nmax_prepared_transactions = 4\n");
$node->start;
$ENV{PGHOST} = $node->host;
$ENV{PGPORT} = $node->port;
psql_ok('postgres', 'CREATE DATABASE ways', 'a database');

sub many { my ($into, $day, $app) = (@_, 1); return "INSERT INTO $into SELECT $app, 'u' || nextval('users'), '$day 01:00+08' FROM generate_series(1, 9)" }
sub hd { my ($into, $day) = @_; return "INSERT INTO $into (app_id, at, class, seconds) VALUES (1, '$day 12:00+08', 'hd', 600)" }
sub texts { my ($into) = @_; return "INSERT INTO $into (app_id, at, kind) SELECT 1, '2024-01-20 12:00+08', 'text' FROM generate_series(1, 5)" }

# The triggers of a table off, something done, and on again as they were.
sub behind
{
	my ($table, $what) = @_;
	my ($row) = $table =~ /^im_(usage_daily)/ ? ', ENABLE ALWAYS TRIGGER im_own_day, ENABLE ALWAYS TRIGGER im_mark_write' : ', ENABLE ALWAYS TRIGGER im_mark_insert, ENABLE ALWAYS TRIGGER im_mark_update';
	return "ALTER TABLE $table DISABLE TRIGGER ALL; $what; ALTER TABLE $table ENABLE TRIGGER ALL, ENABLE ALWAYS TRIGGER im_mark_delete, "
	  . "ENABLE ALWAYS TRIGGER im_mark_truncate, ENABLE REPLICA TRIGGER im_mark_applied$row";
}

# Name, what is there before metering, what happens after it, and what ends it.  Where
# the last is 'same', no bill moves.
my $feb = q{FOR VALUES FROM ('2024-02-01 00:00+08') TO ('2024-03-01 00:00+08')};
my $mar = q{FOR VALUES FROM ('2024-03-01 00:00+08') TO ('2024-04-01 00:00+08')};
my @ways = (
	[ 'INSERT through the table', '', many('im_login', '2024-02-10'), '' ],
	[ 'INSERT into a partition', '', many('im_login_p2024_02', '2024-02-10'), '' ],
	[ 'INSERT into a partition of partitions', '', hd('calls_feb', '2024-02-10'), '' ],
	[ 'UPDATE of a partition of partitions', '', 'UPDATE calls_feb SET seconds = seconds + 600', '' ],
	[ 'DELETE from a partition of partitions', '', hd('im_call', '2024-02-11') . '; DELETE FROM calls_feb', '' ],
	[ 'UPDATE that moves a row to another partition', '', q{UPDATE im_login SET at = at + interval '1 month' WHERE at < '2024-02-12'}, '' ],
	[ 'MERGE', '', q{MERGE INTO im_call c USING (VALUES (1), (2)) v(n) ON c.seconds = v.n WHEN NOT MATCHED THEN INSERT VALUES (1, '2024-02-05 12:00+08', 'hd', v.n)}, '' ],
	[ 'a statement within another', '', 'WITH moved AS (DELETE FROM im_call RETURNING app_id, at, seconds) INSERT INTO im_moderation_check (app_id, at, kind) SELECT app_id, at, \'text\' FROM moved', '' ],
	[ 'COPY', '', "COPY im_call (app_id, at, class, seconds) FROM PROGRAM 'echo 1,2024-02-12 12:00+08,hd,900' (FORMAT csv)", '' ],
	[ 'a rule', q{CREATE RULE also AS ON INSERT TO spare DO ALSO INSERT INTO im_login SELECT NEW.app_id, 'r' || nextval('users'), '2024-02-10 12:00+08' FROM generate_series(1, 9)},
		'INSERT INTO spare VALUES (1)', 'DROP RULE also ON spare' ],
	[ 'a foreign key', 'ALTER TABLE im_login_p2024_02 ADD CONSTRAINT owned FOREIGN KEY (user_id) REFERENCES owner ON DELETE CASCADE NOT VALID; '
		. q{INSERT INTO owner SELECT 'o' || nextval('users') FROM generate_series(1, 300); INSERT INTO im_login SELECT 1, id, '2024-02-13 12:00+08' FROM owner},
		'DELETE FROM owner', 'ALTER TABLE im_login_p2024_02 DROP CONSTRAINT owned' ],
	[ 'a two-phase commit', '', "BEGIN; " . many('im_login_p2024_02', '2024-02-10') . "; PREPARE TRANSACTION 'p'; COMMIT PREPARED 'p'", '' ],
	[ 'replication role replica', '', 'SET session_replication_role = replica; ' . many('im_login', '2024-02-10') . '; RESET session_replication_role', '' ],
	[ 'rolled back', '', "BEGIN; " . behind('im_login_p2024_02', many('im_login', '2024-02-10')) . '; ROLLBACK', '', 'same' ],
	[ 'TRUNCATE', many('im_login', '2024-02-10'), 'TRUNCATE im_login_p2024_02', '' ],
	[ 'TRUNCATE in the transaction that loaded', many('im_login', '2024-02-10'), 'BEGIN; TRUNCATE im_login; ' . many('im_login', '2024-02-10') . '; TRUNCATE im_login; COMMIT', '' ],
	[ 'triggers disabled, on a table', '', behind('im_moderation_check', texts('im_moderation_check')), '' ],
	[ 'triggers disabled, on a partition', '', behind('im_login_p2024_02', many('im_login_p2024_02', '2024-02-10')), '' ],
	[ 'triggers disabled, on a partition of a partition', '', behind('calls_feb_hd', hd('calls_feb_hd', '2024-02-10')), '' ],
	[ 'triggers disabled, on the partition between', '', behind('calls_feb', hd('calls_feb', '2024-02-10')), '' ],
	[ 'triggers disabled, on daily figures', '', behind('im_usage_daily', 'DELETE FROM im_usage_daily'), '', 'same' ],
	[ 'triggers disabled, on daily figures, for rows', '', behind('im_usage_daily', q{INSERT INTO im_usage_daily (app_id, day, dau) VALUES (1, '2024-02-20', 800 + nextval('users')) ON CONFLICT (app_id, day) DO UPDATE SET dau = 800 + nextval('users'), metered_at = NULL}), 'DELETE FROM im_usage_daily' ],
	[ 'triggers disabled, on apps', '', behind('im_app', q{UPDATE im_app SET rate_card = CASE rate_card WHEN 'west' THEN 'cn' ELSE 'west' END WHERE app_id = 2}), '' ],
	[ 'triggers disabled, on price lists', many('im_login', '2024-02-10', 3) . q{; UPDATE im_app SET rate_card = 'west' WHERE app_id = 3}, behind('im_rate_card_version', q{UPDATE im_rate_card_version SET terms = jsonb_set(terms, '{time_zone}', CASE terms ->> 'time_zone' WHEN 'UTC' THEN '"Pacific/Kiritimati"' ELSE '"UTC"' END::jsonb) WHERE rate_card = 'west'}), '' ],
	[ 'triggers plainly enabled', 'ALTER TABLE im_login_p2024_02 ENABLE TRIGGER im_mark_insert', 'SET session_replication_role = replica; ' . many('im_login_p2024_02', '2024-02-10')
		. '; RESET session_replication_role; ALTER TABLE im_login_p2024_02 ENABLE ALWAYS TRIGGER im_mark_insert', '' ],
	[ 'one trigger dropped', '', 'DROP TRIGGER im_mark_insert ON im_login_p2024_02; ' . many('im_login_p2024_02', '2024-02-10'), '' ],
	[ 'one trigger dropped and made again', '', 'DROP TRIGGER im_mark_insert ON im_login_p2024_02; ' . many('im_login_p2024_02', '2024-02-10')
		. "; CREATE TRIGGER im_mark_insert AFTER INSERT ON im_login_p2024_02 REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION im_mark_events(); "
		. 'ALTER TABLE im_login_p2024_02 ENABLE ALWAYS TRIGGER im_mark_insert', '' ],
	[ 'a trigger replaced', '', 'CREATE OR REPLACE TRIGGER im_mark_insert AFTER INSERT ON im_moderation_check FOR EACH STATEMENT EXECUTE FUNCTION nothing(); ' . texts('im_moderation_check'), '' ],
	[ 'a trigger of that name before metering', 'CREATE OR REPLACE TRIGGER im_mark_insert AFTER INSERT ON im_moderation_check FOR EACH STATEMENT EXECUTE FUNCTION nothing(); ALTER TABLE im_moderation_check ENABLE ALWAYS TRIGGER im_mark_insert',
		texts('im_moderation_check'), 'DROP TRIGGER im_mark_insert ON im_moderation_check; SELECT im_create_tables()' ],
	[ 'a trigger renamed for a while', '', 'ALTER TRIGGER im_mark_insert ON im_moderation_check RENAME TO elsewhere; ALTER TABLE im_moderation_check DISABLE TRIGGER elsewhere; ' . texts('im_moderation_check')
		. '; ALTER TABLE im_moderation_check ENABLE ALWAYS TRIGGER elsewhere; ALTER TRIGGER elsewhere ON im_moderation_check RENAME TO im_mark_insert', '' ],
	[ 'metered and then behind the triggers in one transaction', '', 'BEGIN; ' . many('im_login', '2024-02-10') . '; SELECT im_meter(); ' . behind('im_login_p2024_02', many('im_login_p2024_02', '2024-02-10')) . '; COMMIT', '' ],
	[ 'detached, loaded, attached', '', "ALTER TABLE im_login DETACH PARTITION im_login_p2024_02; " . many('im_login_p2024_02', '2024-02-10') . "; ALTER TABLE im_login ATTACH PARTITION im_login_p2024_02 $feb", '' ],
	[ 'detached, loaded behind its triggers, attached', '', "ALTER TABLE im_login DETACH PARTITION im_login_p2024_02; ALTER TABLE im_login_p2024_02 DISABLE TRIGGER ALL; " . many('im_login_p2024_02', '2024-02-10')
		. "; ALTER TABLE im_login_p2024_02 ENABLE TRIGGER ALL, ENABLE ALWAYS TRIGGER im_mark_insert, ENABLE ALWAYS TRIGGER im_mark_update, ENABLE ALWAYS TRIGGER im_mark_delete, ENABLE ALWAYS TRIGGER im_mark_truncate; ALTER TABLE im_login ATTACH PARTITION im_login_p2024_02 $feb", '' ],
	[ 'a partition of another table meanwhile', '', "ALTER TABLE im_login DETACH PARTITION im_login_p2024_02; ALTER TABLE other_logins ATTACH PARTITION im_login_p2024_02 DEFAULT; " . many('other_logins', '2024-02-10')
		. "; ALTER TABLE other_logins DETACH PARTITION im_login_p2024_02; ALTER TABLE im_login ATTACH PARTITION im_login_p2024_02 $feb", '' ],
	[ 'a partition of partitions detached, loaded, attached', '', "ALTER TABLE im_call DETACH PARTITION calls_feb; " . hd('calls_feb', '2024-02-10') . "; ALTER TABLE im_call ATTACH PARTITION calls_feb $feb", '' ],
	[ 'a table attached that was loaded before', '', "ALTER TABLE im_login DETACH PARTITION im_login_p2024_03; CREATE TABLE march (LIKE im_login); " . many('march', '2024-03-10') . "; ALTER TABLE im_login ATTACH PARTITION march $mar",
		"ALTER TABLE im_login DETACH PARTITION march; DROP TABLE march; ALTER TABLE im_login ATTACH PARTITION im_login_p2024_03 $mar" ],
	[ 'a partition dropped', many('im_login', '2024-03-10'), "DROP TABLE im_login_p2024_03", "CREATE TABLE im_login_p2024_03 PARTITION OF im_login $mar" ],
	[ 'an inheritance child', '', "CREATE TABLE more_groups () INHERITS (im_group); INSERT INTO more_groups SELECT 1, 'm' || n, '2024-02-01' FROM generate_series(1, 70) n", 'DROP TABLE IF EXISTS more_groups' ],
	[ 'an inheritance child, changed later', 'CREATE TABLE more_groups () INHERITS (im_group)', "INSERT INTO more_groups SELECT 1, 'm' || n, '2024-02-01' FROM generate_series(1, 70) n", 'DROP TABLE IF EXISTS more_groups' ],
	[ 'a child that leaves', "CREATE TABLE more_groups () INHERITS (im_group); INSERT INTO more_groups SELECT 1, 'm' || n, '2024-02-01' FROM generate_series(1, 70) n", 'ALTER TABLE more_groups NO INHERIT im_group', 'DROP TABLE IF EXISTS more_groups' ],
	[ 'a child of two tables', 'CREATE TABLE more_checks () INHERITS (im_moderation_check, other_checks)', texts('more_checks') . '; UPDATE other_checks SET kind = \'image\'', 'DROP TABLE IF EXISTS more_checks' ],
	[ 'a parent', "INSERT INTO im_group SELECT 1, 'p' || n, '2024-02-01' FROM generate_series(1, 200) n; ALTER TABLE im_group INHERIT all_groups", "DELETE FROM all_groups WHERE group_id LIKE 'p%'", 'ALTER TABLE im_group NO INHERIT all_groups' ],
	[ 'a parent for a while', "INSERT INTO im_group SELECT 1, 'p' || n, '2024-02-01' FROM generate_series(1, 200) n", "ALTER TABLE im_group INHERIT all_groups; DELETE FROM all_groups WHERE group_id LIKE 'p%'; ALTER TABLE im_group NO INHERIT all_groups", '' ],
	[ 'a child of the apps', '', q{CREATE TABLE more_apps () INHERITS (im_app); INSERT INTO more_apps (app_id, name, rate_card) VALUES (77, 'child', 'west')}, 'DROP TABLE IF EXISTS more_apps', 'same' ],
	[ 'a child of the apps, changed later', q{CREATE TABLE more_apps () INHERITS (im_app); WITH m AS (DELETE FROM im_app WHERE app_id = 3 RETURNING *) INSERT INTO more_apps SELECT * FROM m; } . many('im_login', '2024-02-10', 3),
		q{UPDATE more_apps SET rate_card = 'west'}, q{WITH m AS (DELETE FROM more_apps RETURNING app_id, name) INSERT INTO im_app (app_id, name) SELECT app_id, name FROM m; DROP TABLE IF EXISTS more_apps} ],
	[ 'a child of the price lists', q{CREATE TABLE more_cards () INHERITS (im_rate_card_version); WITH m AS (DELETE FROM im_rate_card_version WHERE rate_card = 'west' RETURNING *) INSERT INTO more_cards SELECT * FROM m},
		q{UPDATE more_cards SET terms = jsonb_set(terms, '{time_zone}', '"Pacific/Kiritimati"')}, q{WITH m AS (DELETE FROM more_cards RETURNING *) INSERT INTO im_rate_card_version SELECT * FROM m; DROP TABLE IF EXISTS more_cards} ],
	[ 'a child of the daily figures', '', q{CREATE TABLE more_days () INHERITS (im_usage_daily); INSERT INTO more_days (app_id, day, dau) VALUES (1, '2024-02-25', 5000)}, 'DROP TABLE IF EXISTS more_days' ],
	[ 'another type of a column', '', q{ALTER TABLE im_moderation_check ALTER COLUMN at TYPE timestamptz USING at + interval '25 hours'}, '' ],
	[ 'a column dropped and made again', texts('im_moderation_check'), q{ALTER TABLE im_moderation_check DROP COLUMN at, ADD COLUMN at timestamptz NOT NULL DEFAULT '2024-02-22 12:00+08'; CREATE INDEX ON im_moderation_check (app_id, at)}, '' ],
	[ 'columns that change their names', q{UPDATE im_group SET disbanded_at = created_at + interval '3 days' WHERE disbanded_at IS NULL AND group_id LIKE 'g%'; DELETE FROM im_group WHERE disbanded_at IS NULL},
		'ALTER TABLE im_group RENAME created_at TO x; ALTER TABLE im_group RENAME disbanded_at TO created_at; ALTER TABLE im_group RENAME x TO disbanded_at; UPDATE im_group SET created_at = NULL WHERE false',
		'ALTER TABLE im_group RENAME created_at TO x; ALTER TABLE im_group RENAME disbanded_at TO created_at; ALTER TABLE im_group RENAME x TO disbanded_at' ],
	[ 'another table by the name', '', 'ALTER TABLE im_moderation_check RENAME TO old_checks; CREATE TABLE im_moderation_check (LIKE old_checks INCLUDING ALL)', 'DROP TABLE im_moderation_check; ALTER TABLE old_checks RENAME TO im_moderation_check' ],
	[ 'VACUUM FULL', '', 'VACUUM FULL im_call; VACUUM FULL im_login', '', 'same' ],
	[ 'unlogged', 'ALTER TABLE im_moderation_check SET UNLOGGED', texts('im_moderation_check'), 'ALTER TABLE im_moderation_check SET LOGGED' ],
	[ 'unlogged, and a crash', texts('im_moderation_check') . '; ALTER TABLE im_moderation_check SET UNLOGGED', \&crash, 'ALTER TABLE im_moderation_check SET LOGGED' ],
	[ 'unlogged daily figures, and a crash', many('im_login', '2024-02-10') . '; ALTER TABLE im_usage_daily SET UNLOGGED', \&crash, 'ALTER TABLE im_usage_daily SET LOGGED', 'same' ],
	[ 'unlogged marks, and a crash', 'ALTER TABLE im_usage_mark SET UNLOGGED', sub { happen(texts('im_moderation_check')); crash() }, 'ALTER TABLE im_usage_mark SET LOGGED' ],
	[ 'unlogged figures beside a user\'s, and a crash', hd('im_call', '2024-02-21') . q{; INSERT INTO im_usage_daily (app_id, day, dau) VALUES (1, '2024-02-21', 3) ON CONFLICT DO NOTHING; ALTER TABLE im_metered_beside SET UNLOGGED},
		\&crash, 'ALTER TABLE im_metered_beside SET LOGGED', 'same' ],
	[ 'TRUNCATE of figures beside a user\'s', hd('im_call', '2024-02-22') . q{; INSERT INTO im_usage_daily (app_id, day, dau) VALUES (1, '2024-02-22', 3) ON CONFLICT DO NOTHING}, 'TRUNCATE im_metered_beside', '', 'same' ],
	[ 'another session, in between two bills of a transaction', '', "BEGIN; SELECT bills() IS NULL;\n\\! psql -Xq -d ways -f $work/between.sql\n", '' ],
	[ 'the dump of a partition', hd('im_call', '2024-02-10'), sub { restore('calls_feb_hd') }, '' ],
	[ 'the dump of a table', texts('im_moderation_check'), sub { restore('im_moderation_check') }, '' ],
	[ 'a subscription, while it is there', '', sub { subscribe('im_moderation_check', texts('im_moderation_check')) }, \&unsubscribe ],
	[ 'a subscription that was dropped', '', sub { subscribe('im_moderation_check', texts('im_moderation_check')); unsubscribe() }, '' ],
	[ 'a subscription of a partition that was dropped', '', sub { subscribe('im_login_p2024_02', many('im_login_p2024_02', '2024-02-10')); unsubscribe() }, '' ],
	[ 'a subscription of a partition of partitions', '', sub { subscribe('calls_feb', hd('calls_feb', '2024-02-10')) }, \&unsubscribe ],
	[ 'a subscription of a partition of partitions that was dropped', '', sub { subscribe('calls_feb', hd('calls_feb', '2024-02-10')); unsubscribe() }, '' ],
	[ 'a subscription of apps that was dropped', '', sub { subscribe('im_app', q{INSERT INTO im_app (app_id, name, rate_card) VALUES (90, 'new', 'cn')}); unsubscribe() }, 'DELETE FROM im_app WHERE app_id = 90', 'same' ],
	[ 'events that came before the app', q{INSERT INTO im_login SELECT 91, 'a' || n, '2024-02-10 12:00+08' FROM generate_series(1, 9) n},
		q{INSERT INTO im_app (app_id, name) VALUES (91, 'late')}, 'DELETE FROM im_app WHERE app_id = 91; DELETE FROM im_login WHERE app_id = 91' ],
);

PostgreSQL::Test::Utils::append_to_file("$work/between.sql", "$path\n" . behind('im_login_p2024_02', many('im_login_p2024_02', '2024-02-10')) . ";\n");

# Statements that may fail: they are what happened, not what is tested.
sub happen
{
	my (@what) = @_;
	my $out;

	foreach my $what (@what)
	{
		if (ref $what) { $what->() }
		else { (undef, $out) = psql_both('ways', "\\set ON_ERROR_STOP 0\n$path\n$what;\n") }
		diag($out) if $ENV{IMBILLING_VERBOSE} && $out && $out =~ /ERROR/;
	}
	return $out;
}

sub crash
{
	$node->stop('immediate');
	$node->start;
}

# As a table is brought back from a copy of its rows: they are there twice then.
sub restore
{
	my ($table) = @_;
	my ($out, $err) = ('', '');
	IPC::Run::run([ 'pg_dump', '--data-only', '--disable-triggers', '-t', "$schema.$table", 'ways' ], '>', \$out, '2>', \$err);
	IPC::Run::run([ 'psql', '-Xq', 'ways' ], '<', \$out, '>', \my $said, '2>', \$err);
	happen("ALTER TABLE $table ENABLE ALWAYS TRIGGER im_mark_insert, ENABLE ALWAYS TRIGGER im_mark_update, ENABLE ALWAYS TRIGGER im_mark_delete, ENABLE ALWAYS TRIGGER im_mark_truncate, ENABLE REPLICA TRIGGER im_mark_applied");
}

# A database of the same server publishes a table of that name.
sub subscribe
{
	my ($table, $row) = @_;
	(my $connection = $node->connstr('source')) =~ s/'/''/g;
	IPC::Run::run([ 'createdb', 'source' ], '2>', \my $err);
	my ($dump) = ('');
	IPC::Run::run([ 'pg_dump', '-s', '-t', "$schema.$table", 'ways' ], '>', \$dump, '2>', \$err);
	$dump =~ s/^CREATE TRIGGER.*?;\n//msg;
	$dump =~ s/^ALTER TABLE[^;]*(?:TRIGGER|ATTACH|OWNER)[^;]*;\n//msg;
	psql_both('source', "\\set ON_ERROR_STOP 0\nCREATE SCHEMA $schema; CREATE SEQUENCE $schema.users START 100000;\n$dump");
	# a copy of it that takes rows
	psql_both('source', "\\set ON_ERROR_STOP 0\n$path\nDO \$\$ BEGIN IF (SELECT relkind = 'p' FROM pg_class WHERE oid = '$table'::regclass) THEN EXECUTE 'CREATE TABLE any_$table PARTITION OF $table DEFAULT'; END IF; END \$\$;"
		. "CREATE PUBLICATION p FOR TABLE $table WITH (publish_via_partition_root = true); SELECT pg_create_logical_replication_slot('ways', 'pgoutput');");
	happen("CREATE SUBSCRIPTION ways CONNECTION '$connection' PUBLICATION p WITH (create_slot = false, copy_data = false, slot_name = 'ways')");
	psql_both('source', "\\set ON_ERROR_STOP 0\n$path\n$row;\n");
	$node->wait_for_catchup('ways');
}

sub unsubscribe
{
	happen('ALTER SUBSCRIPTION ways DISABLE; ALTER SUBSCRIPTION ways SET (slot_name = NONE); DROP SUBSCRIPTION ways');
	for (1 .. 50)
	{
		last if psql('ways', "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'logical replication worker'") =~ /^0/;
		select(undef, undef, undef, 0.1);
	}
	psql_both('source', "\\set ON_ERROR_STOP 0\nSELECT pg_drop_replication_slot('ways');");
	psql_both('postgres', "\\set ON_ERROR_STOP 0\nDROP DATABASE source (FORCE);");
}

psql_ok('ways', qq{
	CREATE SCHEMA $schema; CREATE EXTENSION imbilling SCHEMA $schema; $path
	SELECT im_create_tables();
	SELECT im_partition('im_login', '2024-02-01', '2024-04-01', '1 month');
	SELECT im_partition('im_call', '2024-01-01', '2024-01-01', '1 month');
	CREATE TABLE calls_other PARTITION OF im_call DEFAULT;
	CREATE TABLE calls_feb PARTITION OF im_call $feb PARTITION BY LIST (class);
	CREATE TABLE calls_feb_hd PARTITION OF calls_feb FOR VALUES IN ('hd');
	CREATE TABLE calls_feb_rest PARTITION OF calls_feb DEFAULT;
	CREATE SEQUENCE users;
	CREATE TABLE spare (app_id bigint);
	CREATE TABLE owner (id text PRIMARY KEY);
	CREATE TABLE other_logins (LIKE im_login) PARTITION BY RANGE (at);
	CREATE TABLE other_checks (kind text NOT NULL);
	CREATE TABLE all_groups (group_id text NOT NULL);
	CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
	UPDATE im_rate_card_version SET terms = jsonb_set(jsonb_set(terms, '{plans,pro,dau}', '{"included": 0, "block": 1, "price": "1"}'),
		'{plans,pro,groups}', '{"included": 0, "block": 1, "price": "100"}') WHERE rate_card = 'cn';
	INSERT INTO im_rate_card_version SELECT 'west', effective_from, jsonb_set(terms, '{time_zone}', '"America/New_York"') FROM im_rate_card_version WHERE rate_card = 'cn';
	INSERT INTO im_app (app_id, name) VALUES (1, 'a'), (2, 'b'), (3, 'c');
	INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
	SELECT n, 1, '2024-01-02 12:00+08', 'buy', 'plan', 'pro', 6 FROM generate_series(1, 2) n;
	ALTER TABLE im_order DROP CONSTRAINT im_order_app_id_fkey;
	INSERT INTO im_order (app_id, order_id, at, action, item, option, months) VALUES (3, 1, '2024-01-02 12:00+08', 'buy', 'plan', 'pro', 6);
	INSERT INTO im_order (app_id, order_id, at, action, item, option) VALUES (1, 2, '2024-01-02 12:00+08', 'on', 'moderation', '');
	INSERT INTO im_login SELECT a, 'u' || n % 40, '2024-01-02 00:30+08'::timestamptz + n * interval '7 hours' FROM generate_series(1, 3) a, generate_series(1, 290) n;
	INSERT INTO im_group SELECT 1, 'g' || n, '2024-01-02 12:00+08'::timestamptz + n * interval '40 hours' FROM generate_series(1, 20) n;
	INSERT INTO im_moderation_check (app_id, at, kind) SELECT 1, '2024-01-02 12:00+08'::timestamptz + n * interval '11 hours', 'text' FROM generate_series(1, 100) n;
	INSERT INTO im_call (app_id, at, class, seconds) SELECT 1, '2024-01-02 12:00+08'::timestamptz + n * interval '30 hours', 'sd', 100 FROM generate_series(1, 60) n;
	CREATE FUNCTION all_bills() RETURNS SETOF text LANGUAGE plpgsql STABLE AS \$\$
	DECLARE
		m im_month;
	BEGIN
		FOR m IN SELECT '2024-01'::im_month + n FROM generate_series(0, 2) n LOOP
			BEGIN
				RETURN QUERY SELECT 'all ' || l::text FROM im_monthly_bills(m) l;
				RETURN QUERY SELECT 'usage ' || u::text FROM im_daily_usage(m) u;
				RETURN QUERY SELECT 'one ' || l::text FROM im_app a, im_monthly_bill(a.app_id, m) l;
			EXCEPTION WHEN OTHERS THEN
				RETURN NEXT format('%s %s', m, SQLSTATE);
			END;
		END LOOP;
	END \$\$;
	CREATE FUNCTION differences() RETURNS text LANGUAGE plpgsql AS \$\$
	DECLARE
		metered text[] := ARRAY(SELECT all_bills());
		answer text;
	BEGIN
		PERFORM im_forget_metering();
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
	CREATE FUNCTION bills() RETURNS text LANGUAGE sql AS 'SELECT md5(string_agg(b, '''' ORDER BY b)) FROM all_bills() b';
	-- how many metered rows the bills read
	CREATE FUNCTION counting() RETURNS bigint LANGUAGE sql STABLE AS \$\$
		SELECT count(*) FROM generate_series(0, 2) n, LATERAL (SELECT '2024-01'::im_month + n) m(month),
			LATERAL im_internal.im_reading(m.month::date, upper(m.month::daterange), NULL, NULL) r,
			im_usage_daily u
		WHERE u.metered_at IS NOT NULL AND u.day <@ m.month::daterange AND (u.day < r.raw_first OR u.day >= r.raw_until)
			AND NOT EXISTS (SELECT FROM unnest(r.stale_apps, r.stale_first, r.stale_until) s(a, f, t)
				WHERE s.a = u.app_id AND u.day >= s.f AND u.day < s.t)
	\$\$;
}, 'with apps of two calendars, partitions and partitions of partitions');

# What happens, and then the bills of it: whether they are what the events make them,
# and all of them in one number.
sub bills_after
{
	my ($what) = @_;

	$what->() if ref $what;
	my $out = happen((ref $what ? '' : "$what;\n") . "SELECT E'\\n====\\n' || difference() || E'\\n====\\n' || bills()");
	my (undef, $difference, $bills) = split /^====\n/m, $out;
	chomp($difference //= $out =~ /current transaction is aborted/ ? 'rolled back' : 'no answer');
	return (substr($difference, 0, 1500), $bills // '');
}

foreach my $way (@ways)
{
	my ($name, $before, $after, $end, $same) = @$way;

	next if $ENV{IMBILLING_WAY} && $name !~ /$ENV{IMBILLING_WAY}/;
	my (undef, $was) = bills_after("$before; SELECT im_meter()");
	my ($difference, $is) = bills_after($after);
	is($difference, 'none', "$name: bills are what the events make them");
	ok($same ? $is eq $was : $is ne $was, "$name: " . ($same ? 'nothing moved' : 'something moved'));
	happen($end) if ref $end;
	($difference) = bills_after((ref $end ? '' : "$end; ") . 'SELECT im_internal.im_add_triggers()');
	is($difference, 'none', "$name: nor do they differ when it is over");
}

my $counted = 0;
# One step of metering alone: what random ones leave behind may keep every later
# bill at the events.
bills_after('SELECT im_meter()');
$counted += $1 if happen('SELECT counting()') =~ /(\d+)/;
foreach my $step (1 .. ($ENV{IMBILLING_WAY} ? 0 : $steps))
{
	my @what = grep { $_ && !ref } map { $ways[ rand @ways ][ 1 + rand 3 ] } 1 .. 3;

	splice(@what, rand @what, 0, 'SELECT im_meter()') if rand() < 0.8;
	my ($difference) = bills_after(join(";\n", @what));
	# what of a step fails in a transaction that another began takes it along
	($difference) = bills_after('SELECT 1') if $difference eq 'rolled back';
	$counted += $1 if happen('SELECT counting()') =~ /(\d+)/;
	next if $difference eq 'none';
	fail("step $step: bills are what the events make them");
	diag(join("\n", @what, $difference));
	last;
}
ok($ENV{IMBILLING_WAY} || $counted > 0, "$steps random steps, in which metered rows counted");

done_testing();
