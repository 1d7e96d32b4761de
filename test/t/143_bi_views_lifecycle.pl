#!/usr/bin/perl
#
# 143_bi_views_lifecycle.pl
#	  The views for BI through the life of a database: another role's reading,
#	  dump and restore, DROP EXTENSION CASCADE, a schema with an odd name, and
#	  the notifications of a job.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Test::More;
use BillingData;

my @views = qw(im_bi_bill_line im_bi_bill_total im_bi_usage_daily im_bi_revenue im_bi_order);
my $db = create_database('bi');
psql_ok($db, 'CREATE SCHEMA "we%ird"; CREATE EXTENSION imbilling SCHEMA "we%ird"; SELECT "we%ird".im_create_tables();',
	'a schema with a percent sign');
psql_ok($db, sample_data('"we%ird"'), 'an app of every kind is loaded');

# All that the views say of March and April 2023.
sub views_of
{
	my ($database, %option) = @_;

	return psql($database, join(' ', map { "SELECT '$_', v FROM \"we%ird\".$_ v "
			. ($_ eq 'im_bi_order' ? '' : "WHERE month IN ('2023-03-01', '2023-04-01') ") . 'ORDER BY v::text;' } @views), %option);
}

my $before = views_of($db);
like($before, qr/im_bi_bill_line/, 'there are lines to compare');
like($before, qr/im_bi_usage_daily/, 'and usage');

# security_invoker: a reader of a view needs the tables, and gets what he may see.
my $reader = "bi_reader_$$";
psql_ok($db, qq{CREATE ROLE $reader LOGIN; GRANT USAGE ON SCHEMA "we%ird" TO $reader;
	GRANT SELECT ON "we%ird".im_bi_bill_total TO $reader}, 'a role may read one view only');
psql_fails($db, q{SELECT * FROM "we%ird".im_bi_bill_total WHERE month = '2023-03-01'}, qr/permission denied/,
	'which is not enough', user => $reader);
psql_ok($db, qq{GRANT SELECT ON ALL TABLES IN SCHEMA "we%ird" TO $reader}, 'he may read the tables');
is(views_of($db, user => $reader), $before, 'then he reads the same');
psql_ok($db, qq{ALTER TABLE "we%ird".im_order ENABLE ROW LEVEL SECURITY;
	ALTER TABLE "we%ird".im_app ENABLE ROW LEVEL SECURITY;
	CREATE POLICY one ON "we%ird".im_order FOR SELECT TO $reader USING (app_id = 1);
	CREATE POLICY one ON "we%ird".im_app FOR SELECT TO $reader USING (app_id = 1)}, 'he may see one app');
is(psql($db, 'SELECT DISTINCT app_id FROM "we%ird".im_bi_order', user => $reader), '1', 'and sees one app');
psql_ok($db, q{ALTER TABLE "we%ird".im_order DISABLE ROW LEVEL SECURITY; ALTER TABLE "we%ird".im_app DISABLE ROW LEVEL SECURITY},
	'policies off');

# Dump and restore
my $copy = create_database('bi_copy');
is(pipe_dump($db, $copy, '--no-privileges'), '', 'pg_dump | psql says no error');
is(views_of($copy), $before, 'the views say the same in the copy');
is(psql($copy, q{SELECT count(*) FROM pg_class c, unnest(c.reloptions) o
	WHERE c.relname ~ '^im_bi_' AND o = 'security_invoker=true'}), scalar @views, 'and are security_invoker there');

# CASCADE takes them, im_create_tables() brings them back.
psql_ok($copy, 'DROP EXTENSION imbilling CASCADE', 'DROP EXTENSION ... CASCADE');
is(psql($copy, q{SELECT count(*) FROM pg_class WHERE relname ~ '^im_bi_'}), '0', 'takes the views');
psql_ok($copy, 'CREATE EXTENSION imbilling SCHEMA "we%ird"; SELECT "we%ird".im_create_tables();', 'made again');
is(views_of($copy), $before, 'and they say the same');

# A job listens to what another sends.
my $heard = psql($db, q{SET search_path = "we%ird";
	LISTEN alerts;
	SELECT im_notify_alerts('alerts', '2023-03', 0.1, 31) > 0;});
like($heard, qr/notification "alerts" with payload "\{"app_id":\d+,"kind":"/, 'alerts arrive as JSON');
my @payloads = $heard =~ /with payload "(\{.*\})" received/g;
is(scalar @payloads, psql($db, q{SELECT count(*) FROM "we%ird".im_alerts('2023-03', 0.1, 31)}), 'one each');

psql($_, "DROP OWNED BY $reader") foreach $copy, $db;
psql($db, "DROP ROLE $reader");
done_testing();
