#!/usr/bin/perl
#
# 046_partition_keeps.pl
#	  im_partition() over a table with everything that a table can have: either it
#	  stays, by what pg_dump says before and after, or it is refused by its name.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Test::More;
use BillingData;

my $db = create_database('partition_keeps');
my $partition = q{SELECT im_partition('im_call', '2024-01-01', '2024-03-01', '1 month')};

# What pg_dump says of the table alone, but for what makes it partitioned.
sub dumped
{
	my @lines = `pg_dump -d $db -t public.im_call --schema-only`;
	my $text = join('', grep { !/^(--|SET |\\|SELECT pg_catalog|\s*$)/ } @lines);
	$text =~ s/\)\nPARTITION BY RANGE \(at\);/);/;
	$text =~ s/ ONLY public\.im_call/ public.im_call/g;
	$text =~ s/INDEX (\w+) ON public\.im_call/INDEX $1 ON public.im_call/g;
	$text =~ s/^CREATE INDEX (\w+) ON ONLY/CREATE INDEX $1 ON/mg;
	return $text;
}

psql_ok($db, q{
	CREATE EXTENSION imbilling; SELECT im_create_tables();
	CREATE ROLE keep_owner; CREATE ROLE keep_reader; CREATE ROLE keep_other;
	GRANT keep_owner TO CURRENT_USER;
	GRANT USAGE, CREATE ON SCHEMA public TO keep_owner;
	CREATE TABLE kinds (kind text PRIMARY KEY);
	INSERT INTO kinds VALUES ('a');
	INSERT INTO im_app (app_id, name) VALUES (1, 'one')}, 'a database');

# ---- what stays ----

psql_ok($db, q{
	ALTER TABLE im_call
		ADD COLUMN gone int, ADD COLUMN id bigserial, ADD COLUMN big text COMPRESSION pglz,
		ADD COLUMN minutes int GENERATED ALWAYS AS ((seconds + 59) / 60) STORED,
		ADD COLUMN kind text DEFAULT 'a' REFERENCES kinds (kind) ON UPDATE CASCADE,
		ADD CONSTRAINT sane CHECK (seconds < 1000000),
		ADD CONSTRAINT one_id UNIQUE (id, at) DEFERRABLE INITIALLY DEFERRED,
		ALTER COLUMN big SET STORAGE EXTERNAL,
		ALTER COLUMN user_id SET STATISTICS 300,
		ALTER COLUMN app_id SET (n_distinct = -0.5, n_distinct_inherited = 77);
	ALTER TABLE im_call DROP COLUMN gone;
	CREATE INDEX mine ON im_call (user_id COLLATE "C" DESC, (seconds + 1)) INCLUDE (class) WITH (fillfactor = 70) WHERE seconds > 5;
	CREATE STATISTICS odd_name (dependencies, mcv) ON app_id, class, (seconds / 60) FROM im_call;
	ALTER STATISTICS odd_name SET STATISTICS 500;
	CREATE FUNCTION keep_trigger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
	CREATE TRIGGER mine BEFORE INSERT OR UPDATE OF class ON im_call FOR EACH ROW WHEN (NEW.seconds > 1) EXECUTE FUNCTION keep_trigger('x');
	CREATE CONSTRAINT TRIGGER later AFTER INSERT ON im_call DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION keep_trigger();
	CREATE TRIGGER off AFTER INSERT ON im_call FOR EACH STATEMENT EXECUTE FUNCTION keep_trigger();
	ALTER TABLE im_call DISABLE TRIGGER off;
	ALTER TABLE im_call ENABLE REPLICA TRIGGER mine;
	COMMENT ON INDEX mine IS 'an index'; COMMENT ON TRIGGER mine ON im_call IS 'a trigger';
	COMMENT ON CONSTRAINT sane ON im_call IS 'a check'; COMMENT ON CONSTRAINT one_id ON im_call IS 'a key';
	COMMENT ON CONSTRAINT im_call_kind_fkey ON im_call IS 'a reference'; COMMENT ON STATISTICS odd_name IS 'statistics';
	COMMENT ON COLUMN im_call.minutes IS 'a column'; COMMENT ON TABLE im_call IS 'It''s mine';
	ALTER TABLE im_call ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
	ALTER TABLE im_call OWNER TO keep_owner;
	ALTER STATISTICS odd_name OWNER TO keep_other;
	GRANT SELECT ON im_call TO keep_reader WITH GRANT OPTION;
	GRANT UPDATE (class, seconds) ON im_call TO keep_other;
	REVOKE TRUNCATE ON im_call FROM keep_owner;
	ALTER DEFAULT PRIVILEGES GRANT SELECT, DELETE ON TABLES TO PUBLIC;
	INSERT INTO im_call (app_id, at, class, seconds, big)
	SELECT 1, timestamptz '2023-12-20 00:00+08' + g * interval '1 hour', 'sd', g, g::text FROM generate_series(1, 2000) g},
	'a table with all that can stay');
my $rows = q{SELECT md5(string_agg(c::text, ',' ORDER BY c.id)) FROM (SELECT id, app_id, at, class, seconds, big, minutes, kind FROM im_call) c};
my ($before, $rows_before) = (dumped(), psql($db, $rows));

# Settings under which a plan or a new table is another one.
psql_ok($db, q{SET default_tablespace = pg_global; SET enable_sort = off; SET min_parallel_table_scan_size = 0;
	SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;
	SELECT set_config(name, 'on', false) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query') \\g /dev/null
	} . $partition, 'it is partitioned');
is(dumped(), $before, 'all of it stays');
is(psql($db, $rows), $rows_before, 'every row too');
is(psql($db, q{SELECT count(*) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
	WHERE i.inhparent = 'im_call'::regclass AND pg_get_userbyid(c.relowner) = 'keep_owner'}), '3', 'partitions belong to the owner of the table');
is(psql($db, q{SELECT count(*) FROM pg_inherits i WHERE i.inhparent = 'im_call'::regclass
	AND has_table_privilege('keep_reader', i.inhrelid, 'SELECT, DELETE')}), '0', 'default privileges open none of them');
is(psql($db, q{SELECT string_agg(DISTINCT attstattarget || ' ' || attnum, ',') FROM pg_attribute
	WHERE attname = 'user_id' AND attrelid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'im_call'::regclass)}), '300 5', 'they have its statistics targets');
is(psql($db, q{INSERT INTO im_call (app_id, at, class, seconds) VALUES (1, '2024-02-10 00:00+08', 'sd', 61) RETURNING id || ' ' || minutes}),
	"2001 2", 'a serial goes on');

# ---- a default partition whose columns stand in another order ----

psql_ok($db, q{
	CREATE TABLE swapped (app_id bigint NOT NULL, group_id text NOT NULL, disbanded_at timestamptz, created_at timestamptz NOT NULL);
	SELECT im_partition('im_group', '2024-01-01', '2024-01-01', '1 month');
	ALTER TABLE im_group ATTACH PARTITION swapped DEFAULT;
	INSERT INTO im_group (app_id, group_id, created_at, disbanded_at) VALUES (1, 'g', '2024-01-05 00:00+08', '2024-01-07 00:00+08');
	SELECT im_partition('im_group', '2024-01-01', '2024-02-01', '1 month')}, 'columns in another order');
is(psql($db, q{SELECT created_at < disbanded_at FROM im_group_p2024_01}), 't', 'a row moves by its columns');

# ---- what is refused ----

psql_ok($db, "SET allow_in_place_tablespaces = on; CREATE TABLESPACE keep_space LOCATION ''", 'a tablespace');
my @refused = (
	[ 'ALTER TABLE im_login SET TABLESPACE keep_space', 'it has a tablespace' ],
	[ 'CREATE INDEX u ON im_login (user_id) TABLESPACE keep_space', 'index public\.u has a tablespace' ],
	[ 'ALTER TABLE im_login ADD COLUMN id int GENERATED ALWAYS AS IDENTITY', 'column id is an identity column' ],
	[ 'ALTER TABLE im_login SET UNLOGGED', 'it is not logged' ],
	[ 'ALTER TABLE im_login SET (fillfactor = 70)', 'it has storage options' ],
	[ 'ALTER TABLE im_login SET (toast.autovacuum_enabled = off)', 'TOAST' ],
	[ 'CREATE RULE r AS ON DELETE TO im_login DO ALSO SELECT 1', 'rule r is on it' ],
	[ 'CREATE POLICY p ON im_login', 'policy p is on it' ],
	[ 'CREATE VIEW on_it AS SELECT 1 FROM im_login', 'view public\.on_it reads it' ],
	[ 'CREATE MATERIALIZED VIEW on_it AS SELECT 1 FROM im_login', 'view public\.on_it reads it' ],
	[ 'CREATE PUBLICATION p FOR TABLE im_login', 'publication p names it' ],
	[ 'CREATE TABLE child () INHERITS (im_login)', 'table public\.child inherits from it' ],
	[ 'CREATE TABLE parent (at timestamptz NOT NULL); ALTER TABLE im_login INHERIT parent', 'child of table public\.parent' ],
	[ 'CREATE FUNCTION f(im_login) RETURNS int LANGUAGE sql RETURN 1', 'function public\.f\(public\.im_login\) depends on it' ],
	[ 'CREATE FUNCTION f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM im_login; END', 'function public\.f\(\) depends on it' ],
	[ 'CREATE TABLE holder (row im_login)', 'holder depends on it' ],
	[ 'CREATE UNIQUE INDEX u ON im_login (user_id)', 'index public\.u is unique without the time column' ],
	[ 'ALTER TABLE im_login ADD COLUMN id bigint PRIMARY KEY DEFAULT random() * 1e9', 'im_login_pkey is unique without' ],
	[ 'CREATE UNIQUE INDEX u ON im_login (user_id) INCLUDE (at)', 'index public\.u is unique without the time column' ],
	[ 'ALTER TABLE im_login ADD CONSTRAINT u UNIQUE (user_id, at) WITH (fillfactor = 50)', 'index public\.u has storage options' ],
	[ 'CREATE INDEX u ON im_login (user_id); CLUSTER im_login USING u', 'index public\.u is the one to cluster by' ],
	[ 'CREATE UNIQUE INDEX u ON im_login (user_id, at); ALTER TABLE im_login REPLICA IDENTITY USING INDEX u', 'index public\.u is the replica identity' ],
	[ 'CREATE INDEX u ON im_login ((user_id || 1)); ALTER INDEX u ALTER COLUMN 1 SET STATISTICS 50', 'index public\.u has a statistics target' ],
	[ 'ALTER TABLE im_login ADD CONSTRAINT x EXCLUDE (app_id WITH =)', 'constraint x is an exclusion constraint' ],
	[ "ALTER TABLE im_login ADD CONSTRAINT c CHECK (user_id <> '') NOT VALID", 'constraint c is not validated' ],
	[ "ALTER TABLE im_login ADD CONSTRAINT c CHECK (user_id <> '') NO INHERIT", 'constraint c is not inherited' ],
	[ 'CREATE TRIGGER t AFTER INSERT ON im_login REFERENCING NEW TABLE AS n FOR EACH ROW EXECUTE FUNCTION keep_trigger()', 'trigger t has transition tables' ],
	[ 'GRANT SELECT ON im_login TO keep_reader WITH GRANT OPTION; SET ROLE keep_reader; GRANT SELECT ON im_login TO keep_other; RESET ROLE', 'keep_reader granted rights' ],
	[ 'ALTER EXTENSION imbilling ADD TABLE im_login', 'depends on an extension' ],
);
my $login = q{SELECT im_partition('im_login', '2024-01-01', '2024-02-01', '1 month')};
for my $case (@refused)
{
	my ($make, $named) = @$case;
	psql_fails($db, "BEGIN; $make; $login", qr/im_login cannot be replaced.*$named/s, $make);
}
psql_ok($db, $login, 'without them it is partitioned');

done_testing();
