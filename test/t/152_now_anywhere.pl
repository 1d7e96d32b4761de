
# Revenue, running bill and forecast in a schema with a hostile name, asked
# by a role that may only read, whose search_path is empty or full of
# functions and operators of its own.
#
# What would be wrong if this failed: a function that finds things by the
# search_path of whoever calls it.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use BillingData;
use Test::More;

my $at = q{'2023-03-20 12:00+08'};

sub answers
{
	my ($database, $schema, $before) = @_;

	return psql($database, "$before
		SELECT r.* FROM $schema.im_revenue('2023-02'::text::$schema.im_month, '2023-06'::text::$schema.im_month) r;
		SELECT r.* FROM $schema.im_app_revenue('2023-02'::text::$schema.im_month, '2023-06'::text::$schema.im_month) r
		ORDER BY r.app_id, r.month, r.item, r.option;
		SELECT b.* FROM $schema.im_app a, $schema.im_running_bill(a.app_id, $at) b ORDER BY b.app_id, b.line;
		SELECT a.app_id, f.* FROM $schema.im_app a, $schema.im_forecast(a.app_id, $at) f ORDER BY a.app_id;");
}

my $plain = create_database('now_plain');
psql_ok($plain, 'CREATE EXTENSION imbilling; SELECT im_create_tables();' . sample_data('public'),
	'the extension in public');
my $expected = answers($plain, 'public', '');
cmp_ok(length($expected), '>', 2000, 'there are answers');

# The first line that differs is enough.
sub same_answers
{
	my ($got, $what) = @_;
	my @got = split /\n/, $got;
	my ($wrong) = grep { $_ ne (shift @got // '') } split /\n/, $expected;

	ok(!defined $wrong && !@got, $what) or diag('lacks ' . ($wrong // ''), "\n", substr($got, 0, 300));
	return;
}

my $hostile = create_database('now_hostile');
my $schema = '"we%ird s"';
psql_ok($hostile, qq{CREATE SCHEMA $schema; CREATE EXTENSION imbilling SCHEMA $schema;
	SELECT $schema.im_create_tables(); CREATE ROLE now_reader_$$;
	GRANT USAGE ON SCHEMA $schema TO now_reader_$$; GRANT SELECT ON ALL TABLES IN SCHEMA $schema TO now_reader_$$;}
	  . sample_data($schema), 'the extension in a schema with a hostile name');
same_answers(answers($hostile, $schema, "SET ROLE now_reader_$$; SET search_path = '';"),
	'a reader without a search_path gets the same answers');

psql_ok($hostile, q{CREATE SCHEMA trap;
	CREATE FUNCTION trap.wrong(timestamptz, timestamptz) RETURNS boolean LANGUAGE sql RETURN 1 / 0 = 1;
	CREATE FUNCTION trap.wrong(date, date) RETURNS boolean LANGUAGE sql RETURN 1 / 0 = 1;
	CREATE OPERATOR trap.<= (LEFTARG = timestamptz, RIGHTARG = timestamptz, FUNCTION = trap.wrong);
	CREATE OPERATOR trap.< (LEFTARG = date, RIGHTARG = date, FUNCTION = trap.wrong);
	CREATE OPERATOR trap.<= (LEFTARG = date, RIGHTARG = date, FUNCTION = trap.wrong);
	CREATE FUNCTION trap.sum_of(numeric, numeric) RETURNS numeric LANGUAGE sql RETURN 1 / 0;
	CREATE AGGREGATE trap.sum(numeric) (SFUNC = trap.sum_of, STYPE = numeric);
	GRANT USAGE ON SCHEMA trap TO public;}, 'a schema of traps');
same_answers(answers($hostile, $schema, "SET ROLE now_reader_$$; SET search_path = trap, pg_catalog;"),
	'nor does it matter what is on the search_path');
psql_ok($hostile, "DROP OWNED BY now_reader_$$; DROP ROLE now_reader_$$;", 'the role goes');

done_testing();
