#!/usr/bin/perl
#
# 168_mended_rules.pl
#	  A database that version 0.2.0 filled and billed, updated: the mended R4, R5 and
#	  R8 move the bills of open months of the apps that they are about and of nobody
#	  else, and of closed months none; there they are drift.  If this failed, an
#	  update would change a bill without a word, or leave a gap open.
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

my $db = create_database('mended');
psql_ok($db, q{CREATE EXTENSION imbilling VERSION '0.2.0'; SELECT im_create_tables();
	CREATE TABLE bill_before (app_id bigint, month date, line integer, said text);}, 'a database of 0.2.0');
run_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $db, '-f', "$FindBin::Bin/books_0.2.0.sql" ], 'with its rows');

# Lines that are not as they were, "app: item option amount" of each side.
sub moved
{
	my ($month) = @_;
	my $now = qq{SELECT b.app_id, concat_ws(' ', b.item, b.option, b.period, b.quantity, b.included, b.units, b.amount) AS said
		FROM im_monthly_bills('$month') b};
	my $before = "SELECT app_id, said FROM bill_before WHERE month = '$month'";

	return psql($db, qq{SELECT sign, app_id, said FROM (
		SELECT '-' AS sign, x.* FROM ($before EXCEPT ALL $now) x UNION ALL SELECT '+', y.* FROM ($now EXCEPT ALL $before) y) z
		ORDER BY app_id, sign DESC, said});
}

sub bills_are_mended
{
	my ($what) = @_;

	is(moved('2023-03-01'), '', "$what: the closed month is as it was issued");
	is(moved('2023-04-01'), <<~'END' =~ s/\n\z//r, "$what: the bills of an open month that move");
		-|1|history_storage 30d [2023-04-01,2023-05-01) 1 0 1 500.00
		+|1|history_storage 360d [2023-04-01,2023-05-01) 1 0 1 2500.00
		-|2|history_storage 30d [2023-04-01,2023-05-01) 1 0 1 500.00
		+|2|history_storage 360d [2023-04-01,2023-05-01) 1 0 1 2500.00
		-|3|history_storage 90d [2023-04-01,2023-05-01) 1 0 1 1000.00
		+|3|history_storage 180d [2023-04-01,2023-05-01) 1 0 1 1500.00
		-|5|call_minutes audio [2023-04-01,2023-05-01) 80000 20000 60000 420.00
		+|5|call_minutes audio [2023-04-01,2023-05-01) 80000 0 80000 560.00
		-|6|call_minutes audio [2023-04-01,2023-05-01) 80000 20000 60000 420.00
		+|6|call_minutes audio [2023-04-01,2023-05-01) 80000 0 80000 560.00
		-|8|refund plan [2023-04-01,2123-04-01) 1 0 1 -0.01
		+|8|refund plan [2023-04-01,2123-04-01) 1 0 1 -0.006
		END
	is(moved('2023-07-01'), <<~'END' =~ s/\n\z//r, "$what: refunds that gave back 0.01 too much");
		-|7|refund plan [2023-07-20,2023-08-20) 1 0 1 -3037.36
		+|7|refund plan [2023-07-20,2023-08-20) 1 0 1 -3037.35
		END
	# what the closed month would be now: 3 x premium for 2 x 12258 minutes; floor(110000 x 14 / 31) = 49677
	is(psql($db, "SELECT app_id, difference FROM im_drift('2023-03') ORDER BY 1"), "1|2000.00\n4|1928.39\n5|212.26",
		"$what: what they move in a closed month is drift");
	is(psql($db, 'SELECT count(*) FROM im_verify_invoices()'), '0', "$what: no document is questioned");
}

# Old SQL knows of no order behind a bill's month: it bills March of app 5 as ever.
like(moved('2023-04-01'), qr/\+\|1\|history_storage 360d/, 'old SQL runs on the new library');
psql_ok($db, 'ALTER EXTENSION imbilling UPDATE; SELECT im_create_tables()', 'updated');
bills_are_mended('updated');

my $copy = create_database('mended_copy');
is(pipe_dump($db, $copy), '', 'dumped and restored');
$db = $copy;
bills_are_mended('restored');

done_testing();
