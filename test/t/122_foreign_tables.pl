#!/usr/bin/perl
#
# 122_foreign_tables.pl
#	  Tables that another role made beforehand, or hung something on: whatever of theirs
#	  would run with the rights of whoever calls is refused by name, and none of it runs.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Test::More;
use BillingData;

my %role = map { $_ => "imb_${_}_$$" } qw(stranger owner other);
psql_ok('postgres', join(';', map { "CREATE ROLE $_ LOGIN" } values %role), 'roles');

# What a stranger can make anywhere: it says whose rights it ran with.
my $lair = qq{
	CREATE SCHEMA lair;
	CREATE TABLE lair.ran (who name DEFAULT current_user);
	GRANT USAGE ON SCHEMA lair TO PUBLIC;
	GRANT ALL ON lair.ran TO PUBLIC;
	CREATE FUNCTION lair.note() RETURNS boolean LANGUAGE plpgsql AS \$\$ BEGIN INSERT INTO lair.ran DEFAULT VALUES; RETURN true; END \$\$;
	CREATE FUNCTION lair.note_row() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN INSERT INTO lair.ran DEFAULT VALUES; RETURN NEW; END \$\$;
	CREATE FUNCTION lair.same(bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS \$\$ BEGIN INSERT INTO lair.ran DEFAULT VALUES; RETURN \$1; END \$\$;
	CREATE TYPE lair.number AS (n bigint);
	CREATE FUNCTION lair.big(lair.number) RETURNS bigint LANGUAGE plpgsql AS \$\$ BEGIN INSERT INTO lair.ran DEFAULT VALUES; RETURN (\$1).n; END \$\$;
	CREATE CAST (lair.number AS bigint) WITH FUNCTION lair.big(lair.number) AS IMPLICIT;
	CREATE DOMAIN lair.checked AS bigint CHECK (lair.note());
	GRANT USAGE ON TYPE lair.number, lair.checked TO PUBLIC;
};

sub prepared
{
	my ($name) = @_;
	my $db = create_database($name);

	psql_ok($db, "CREATE EXTENSION imbilling; GRANT CREATE ON SCHEMA public TO PUBLIC; GRANT CREATE ON DATABASE $db TO PUBLIC", "$name: the extension");
	psql_ok($db, $lair, "$name: what a stranger has", user => $role{stranger});
	return $db;
}

sub nothing_ran
{
	my ($db, $what) = @_;
	return is(psql($db, 'SELECT string_agg(DISTINCT who, \' \') FROM lair.ran'), '', "$what: nothing ran");
}

# Made beforehand ---------------------------------------------------------------
my @before = (
	[ 'a column whose cast is hostile', 'CREATE TABLE im_order (app_id lair.number, order_id bigint)' ],
	[ 'a domain', 'CREATE TABLE im_order (app_id lair.checked)' ],
	[ 'a trigger', 'CREATE TABLE im_rate_card_version (rate_card text, effective_from date, terms jsonb);
		CREATE TRIGGER t BEFORE INSERT ON im_rate_card_version FOR EACH ROW EXECUTE FUNCTION lair.note_row()' ],
	[ 'a rule', 'CREATE TABLE im_rate_card_version (rate_card text, effective_from date, terms jsonb);
		CREATE RULE r AS ON INSERT TO im_rate_card_version DO ALSO SELECT lair.note()' ],
	[ 'a policy', 'CREATE TABLE im_app (app_id bigint); ALTER TABLE im_app ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON im_app USING (lair.note())' ],
	[ 'a default', 'CREATE TABLE im_rate_card_version (more boolean DEFAULT lair.note())' ],
	[ 'a check', 'CREATE TABLE im_rate_card_version (rate_card text CHECK (lair.note()))' ],
	[ 'a generated column', 'CREATE TABLE im_app (app_id bigint, more bigint GENERATED ALWAYS AS (lair.same(app_id)) STORED)' ],
	[ 'an index', 'CREATE TABLE im_app (app_id bigint); CREATE INDEX ON im_app (lair.same(app_id))' ],
	[ 'nothing but another owner', 'CREATE TABLE im_usage_mark ()' ],
	[ 'a partition', 'CREATE TABLE im_login (app_id bigint, user_id text, at timestamptz) PARTITION BY LIST (app_id); CREATE TABLE leaf PARTITION OF im_login DEFAULT' ],
	[ 'a view of ours', 'CREATE VIEW im_bi_order AS SELECT lair.note()' ],
	[ 'a view for a table', 'CREATE VIEW im_app AS SELECT lair.note() AS app_id' ]);
my $db = prepared('foreign');
for my $case (@before)
{
	my ($what, $sql) = @$case;

	for my $who ('postgres', $role{owner})
	{
		psql_ok($db, $sql, "a stranger makes $what", user => $role{stranger});
		psql_fails($db, 'SELECT im_create_tables()', qr/ERROR:  \w+ \w+.* belongs to role "$role{stranger}"/, "$what is refused to $who", user => $who);
		# given to the caller it is what it is
		psql($db, "ALTER TABLE $_ OWNER TO $who") for $sql =~ /CREATE (?:TABLE|VIEW) (im_\w+)/;
		psql_fails($db, 'SELECT im_create_tables()', qr/ERROR:  .*(belongs to role "$role{stranger}"|of column)/, "$what, given to $who, too", user => $who)
		  unless $what =~ /^nothing|^a partition/;
		nothing_ran($db, $what);
		psql($db, "SET client_min_messages = error; DROP TABLE IF EXISTS im_order, im_rate_card_version, im_app, im_usage_mark, im_login CASCADE")
		  if $what !~ /view/;
		psql($db, 'DROP VIEW ' . ($sql =~ /VIEW (\w+)/)[0]) if $what =~ /view/;
	}
}
psql_ok($db, 'SELECT im_create_tables()', 'without them the tables are made', user => $role{owner});

# Hung on later -----------------------------------------------------------------
my $owner = $role{owner};
psql_ok($db, "GRANT TRIGGER, REFERENCES ON ALL TABLES IN SCHEMA public TO $role{stranger}", 'a stranger may make triggers', user => $owner);
psql_ok($db, 'CREATE TRIGGER t BEFORE INSERT ON im_order FOR EACH ROW EXECUTE FUNCTION lair.note_row()', 'and does', user => $role{stranger});
psql_fails($db, 'SELECT im_create_tables()', qr/function lair\.note_row\(\), used by trigger t on table public\.im_order belongs to role "$role{stranger}"/,
	"$_ is told of it", user => $_) for 'postgres', $owner;
psql_ok($db, 'DROP TRIGGER t ON im_order', 'it goes', user => $owner);

# What is the owner's own stays, and a superuser runs it with the owner's rights.
psql_ok($db, q{CREATE TABLE audit (who name DEFAULT current_user);
	CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.audit DEFAULT VALUES; RETURN NEW; END $$;
	CREATE TRIGGER audit BEFORE INSERT ON im_rate_card_version FOR EACH ROW EXECUTE FUNCTION audit();
	ALTER TABLE im_app ADD COLUMN region text DEFAULT 'eu' CHECK (region <> '');
	TRUNCATE im_rate_card_version CASCADE}, 'an owner has a trigger and a column', user => $owner);
psql_ok($db, 'SELECT im_create_tables()', 'a superuser makes the tables complete');
is(psql($db, 'SELECT DISTINCT who FROM audit'), $owner, 'as their owner');
is(psql($db, 'SELECT im_create_tables(); SELECT current_user'), "\npostgres", 'and is a superuser again');

# Tables of several owners ---------------------------------------------------------
psql_ok($db, "ALTER TABLE im_load OWNER TO $role{other}", 'one table is of another');
psql_fails($db, "CALL im_close_month('2023-03')", qr/the owner of the tables, but they have none/s, 'no close calls the functions of one', user => $owner);
psql_fails($db, "CALL im_adjust_month('2023-03')", qr/the owner of the tables, but they have none/s, 'nor a note');
psql_ok($db, "ALTER TABLE im_load OWNER TO $owner; ALTER FUNCTION im_close_batch(im_month, integer, im_run) OWNER TO $role{other}", 'one function is');
psql_fails($db, "CALL im_close_month('2023-03')", qr/function public\.im_close_batch\(.*\) is not one of the owner/, "$_ does not call it", user => $_) for 'postgres', $owner;

psql('postgres', "DROP DATABASE $db WITH (FORCE)");
psql('postgres', 'DROP ROLE ' . join(', ', values %role));
done_testing();
