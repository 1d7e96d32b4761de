#!/usr/bin/perl
#
# 057_foreign_partitions.pl
#	  A partition that is a foreign table: what doc/scaling.md says of it.
#
# A failure means that the limits tell a way round that is none, or that a bill does not
# see rows that changed far away.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use BillingData;
use Test::More;

my $schema = '"we%ird Schema"';
my $path = "SET search_path = $schema, public; SET client_min_messages = error;";
my $far = create_database('far');
my $near = create_database('near');
my $row = q{(1, 'f' || n, '2024-02-10 12:00+08') FROM generate_series(1, 20) n};

psql_ok($far, 'CREATE TABLE far_logins (app_id bigint NOT NULL, user_id text NOT NULL, at timestamptz NOT NULL)', 'a table far away');
psql_ok($near, qq{
	CREATE SCHEMA $schema; CREATE EXTENSION imbilling SCHEMA $schema; CREATE EXTENSION postgres_fdw; $path
	SELECT im_create_tables();
	UPDATE im_rate_card_version SET terms = jsonb_set(terms, '{plans,pro,dau}', '{"included": 0, "block": 1, "price": "1"}') WHERE rate_card = 'cn';
	INSERT INTO im_app (app_id, name) VALUES (1, 'a');
	INSERT INTO im_order (app_id, order_id, at, action, item, option, months) VALUES (1, 1, '2024-01-02 12:00+08', 'buy', 'plan', 'pro', 6);
	SELECT im_partition('im_login', '2024-01-01', '2024-02-01', '1 month');
	CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '$ENV{PGHOST}', port '$ENV{PGPORT}', dbname '$far');
	CREATE USER MAPPING FOR CURRENT_USER SERVER far;
	CREATE FOREIGN TABLE im_login_far PARTITION OF im_login FOR VALUES FROM ('2024-02-01 00:00+08') TO ('2024-03-01 00:00+08') SERVER far OPTIONS (schema_name 'public', table_name 'far_logins');
	INSERT INTO im_login SELECT 1, 'n' || n, '2024-01-10 12:00+08' FROM generate_series(1, 9) n;
	SELECT im_meter();
}, 'is a partition of the logins, and what can be is metered');

sub dau { my ($month) = @_; my $n = psql($near, "$path SELECT quantity FROM im_monthly_bill(1, '$month') WHERE item = 'dau_overage'"); $n =~ s/\s+//g; return $n }

is(dau('2024-01'), 9, 'January is here');
psql_ok($near, "$path INSERT INTO im_login SELECT 1, 'late' || n, '2024-01-10 12:00+08' FROM generate_series(1, 3) n", 'rows through the table go to partitions that are here');
is(dau('2024-01'), 12, 'and are marked');
psql_fails($near, "$path INSERT INTO im_login VALUES (1, 'x', '2024-02-10 12:00+08')", qr/cannot collect transition tuples from child foreign tables/, 'through the table none goes to the foreign one');
psql_fails($near, "$path COPY im_login FROM PROGRAM 'printf \"1\\tx\\t2024-02-10 12:00+08\\n\"'", qr/cannot collect transition tuples from child foreign tables/, 'by COPY neither');
psql($far, q{INSERT INTO far_logins VALUES (1, 'old', '2024-02-10 12:00+08')});
psql_fails($near, "$path $_ WHERE at >= '2024-02-01 00:00+08'", qr/cannot collect transition tuples from child foreign tables/, "$_ of foreign rows through the table")
	foreach q{UPDATE im_login SET user_id = 'y'}, 'DELETE FROM im_login';
psql_ok($near, "$path UPDATE im_login SET user_id = user_id WHERE at < '2024-02-01 00:00+08'", 'but of others');
psql($far, 'DELETE FROM far_logins');
is(dau('2024-02'), '', 'nothing came');
psql_ok($near, "$path INSERT INTO im_login_far SELECT 1, 'd' || n, '2024-02-10 12:00+08' FROM generate_series(1, 5) n", 'into the partition itself they go');
is(dau('2024-02'), 5, 'and the bill has them');
psql_ok($near, "$path UPDATE im_login_far SET at = at + interval '1 day'; DELETE FROM im_login_far WHERE user_id = 'd1'", 'UPDATE and DELETE of it');
is(dau('2024-02'), 4, 'too');
psql_ok($far, q{INSERT INTO far_logins SELECT 1, 'there' || n, '2024-02-11 12:00+08' FROM generate_series(1, 7) n}, 'what is written on the far side');
is(dau('2024-02'), 11, 'is on the bill as well');
psql_ok($near, "$path SELECT im_meter()", 'metering goes on');
is(dau('2024-02'), 11, 'and leaves days of the foreign partition to the events');
is(dau('2024-01'), 12, 'but not the others');

done_testing();
