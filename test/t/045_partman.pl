#!/usr/bin/perl
#
# 045_partman.pl
#	  The recipe of doc/scaling.md with pg_partman, as it stands there: partitions are cut at
#	  local midnight, bills over them are right, and maintenance adds further ones.
#
# It is skipped, and says so, where the package cannot be had.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Test::More;
use BillingData;

my $db = create_database('partman');
my $version = psql($db, q{SELECT split_part(default_version, '.', 1)
	FROM pg_available_extensions WHERE name = 'pg_partman'});

plan skip_all => 'pg_partman is not installed' if $version eq '';

sub recipe
{
	open(my $in, '<', "$ENV{IMBILLING_TREE}/doc/scaling.md") or die "doc/scaling.md: $!";
	local $/ = undef;
	my ($sql) = <$in> =~ /<!-- not run: pg_partman -->\n```sql\n(.*?)```/s;
	$sql =~ s/'native', // if $version >= 5;
	return $sql;
}

psql_ok($db, 'CREATE EXTENSION imbilling; SELECT im_create_tables()', 'a database');
psql_ok($db, recipe(), "the recipe runs on pg_partman $version");
is(psql($db, q{SET TimeZone = 'Asia/Shanghai';
	SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname ~ '^im_login_p2024_?02'}),
	q{FOR VALUES FROM ('2024-02-01 00:00:00+08') TO ('2024-03-01 00:00:00+08')},
	'a partition is a month of local days');
is(psql($db, q{SELECT count(*) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
	WHERE i.inhparent = 'im_login'::regclass AND c.relreplident <> 'f'}), '0', 'all can be replicated by their rows');
psql_ok($db, q{
	INSERT INTO im_app (app_id, name) VALUES (1, 'one');
	INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
		VALUES (1, 1, '2024-01-01 00:00+08', 'buy', 'plan', 'pro', 3);
	INSERT INTO im_login (app_id, user_id, at)
		SELECT 1, 'u' || n, timestamptz '2024-02-29 12:00+08' + n * interval '1 second' FROM generate_series(1, 10001) n;
	INSERT INTO im_login (app_id, user_id, at) VALUES (1, 'v', '2024-03-01 00:00+08'), (1, 'w', '2019-01-01 00:00+08')},
	'logins of two months and of one without a partition');
is(psql($db, q{SELECT m || ' ' || trim_scale(amount) FROM unnest('{2024-02,2024-03}'::im_month[]) m,
	im_monthly_bill(1, m) WHERE item = 'dau_overage'}), "2024-02 1000\n2024-03 0", 'the peak is billed, in its month');
psql_ok($db, q{UPDATE partman.part_config SET premake = premake + 2; SELECT partman.run_maintenance()}, 'maintenance runs');
is(psql($db, q{SELECT count(*) FROM im_login}), '10003', 'no row is lost');

done_testing();
