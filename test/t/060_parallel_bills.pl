#!/usr/bin/perl
#
# 060_parallel_bills.pl
#	  Parallel workers share the bills of all apps, whole range by whole range.
#
# What would be wrong if this failed: one process does the work of a month end
# while the others wait, or daily figures of many apps are hashed and sorted in
# temporary files although their index has them in order, neither of which an
# answer shows; or what workers bill is not what one process bills.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Test::More;
use BillingData;

my $apps = 9000;
my $db = create_database('parallel');

psql_ok($db, "CREATE EXTENSION imbilling; SELECT im_create_tables();" . sample_data('public'), 'an app of every kind');
psql_ok($db, <<SQL, "$apps apps with daily figures, some of which are in grace, out of service or over their quota");
INSERT INTO im_app (app_id, name) SELECT 1000000 + n, 'app ' || n FROM generate_series(1, $apps) n;
INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
SELECT 1000000 + n, 1, timestamptz '2023-10-03 10:00+08' + n * interval '7 minutes', 'buy', 'plan',
	CASE WHEN n % 10 = 0 THEN 'flagship' ELSE 'pro' END, 1 + n % 3
FROM generate_series(1, $apps) n;
INSERT INTO im_usage_daily (app_id, day, dau, peak_groups, text_checks)
SELECT 1000000 + n, day, hashint8(n) & 32767, n * 31 % 200000, n % 5000
FROM generate_series(1, $apps) n, generate_series(date '2023-12-01', '2023-12-31', '1 day') day;
VACUUM ANALYZE im_app;
VACUUM ANALYZE im_order;
VACUUM ANALYZE im_usage_daily;
SQL

psql_ok($db, <<SQL, 'some apps have packs, of which something may be left from the time before the month');
INSERT INTO im_order (app_id, order_id, at, action, item, option, quantity)
SELECT 1000000 + n, 2, timestamptz '2023-11-20 10:00+08', 'buy', 'moderation_pack', 'month', 1
FROM generate_series(1, $apps, 90) n;
INSERT INTO im_usage_daily (app_id, day, text_checks)
SELECT 1000000 + n, '2023-11-25', 1000 FROM generate_series(1, $apps, 90) n;
VACUUM ANALYZE im_order;
VACUUM ANALYZE im_usage_daily;
SQL

# The top of the plan that ran within a function, as auto_explain tells it; in a
# session that would use workers for everything but for its own settings.
sub plan_of
{
	my ($query, $settings) = @_;
	my ($code, $out) = psql_both($db, <<SQL);
LOAD 'auto_explain';
SET auto_explain.log_min_duration = 0;
SET auto_explain.log_nested_statements = on;
SET auto_explain.log_analyze = on;
SET auto_explain.log_timing = off;
SET auto_explain.log_level = notice;
SET client_min_messages = notice;
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET min_parallel_index_scan_size = 0;
$settings
SELECT count(*) FROM $query;
SQL

	diag($out) if $code != 0;
	return $out =~ /^Query Text: (SELECT \* FROM \w+\.im_rated.*?)(?:^psql|\z)/ms ? $1 : $out;
}

foreach my $query ("im_monthly_bills('2023-12')", "im_monthly_totals('2023-12')", "im_internal.im_rebills('2023-12')")
{
	my $plan = plan_of($query, '');

	like($plan, qr/\n\s*Gather [^\n]*\n\s*Workers Planned: 2\n\s*Workers Launched: 2\n\s*->  Parallel Append /,
		"$query: workers share the ranges")
	  or diag(substr($plan, 0, 2000));
	unlike($plan, qr/Gather.*Gather/s, "$query: and have no workers of their own");

	$plan = plan_of($query, "SET max_parallel_workers_per_gather = 0; SET work_mem = '1MB';");

	like($plan, qr/Index Scan using im_usage_daily_pkey/, "$query: daily figures come app by app");
	unlike($plan, qr/Disk/, "$query: and nothing is put aside on disk");
}

my %bills = map {
	my $workers = $_;
	$workers => psql($db, <<SQL)
SET max_parallel_workers_per_gather = $workers;
SELECT count(*), md5(string_agg(b::text, E'\\n' ORDER BY b::text)) FROM im_monthly_bills('2023-12') b;
SELECT count(*), sum(total), md5(string_agg(t::text, E'\\n' ORDER BY t::text)) FROM im_monthly_totals('2023-12') t;
SQL
} 0, 1, 2, 6;

like($bills{0}, qr/^\d{5,}\|/, 'there are many lines');
is($bills{$_}, $bills{0}, "$_ workers: the same bills and totals") foreach 1, 2, 6;

psql_ok($db, q(INSERT INTO im_moderation_check VALUES (1004500, '2023-12-10 00:00+08', 'audio', -1)), 'an event that cannot be metered');
foreach my $workers (0, 2)
{
	psql_fails($db, "SET max_parallel_workers_per_gather = $workers; SELECT count(*) FROM im_monthly_bills('2023-12')",
		qr/the bill of 1 app for 2023-12 cannot be right/, "$workers workers: it is told alike");
}

done_testing();
