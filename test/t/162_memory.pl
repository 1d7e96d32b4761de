#!/usr/bin/perl
#
# 162_memory.pl
#	  Many calls in one session leave its memory as it was.
#
# Each family of functions is called in one long statement, and in many short
# ones.  A tenth of the calls comes first; the others may neither raise the
# highest resident size beyond that of the tenth, nor leave the session larger.
# A failure means that a connection pool's sessions grow until the machine is
# out of memory.
#
# MEMORY_CALLS=1000000 for each family (default 20000; functions that take
# milliseconds are called a hundredth as often).
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use IPC::Run ();
use Test::More;
use BillingData;

my $calls = $ENV{MEMORY_CALLS} || 20000;
my $slack = 2048;    # kB: a leak of 128 bytes a call is more

plan skip_all => 'there is no /proc here' unless -e '/proc/self/clear_refs';

my $db = create_database('memory');
psql_ok($db, 'CREATE EXTENSION imbilling; SELECT im_create_tables();' . sample_data('public'), 'an app of every kind');

# ---- one session ----

my ($in, $out) = ('', '');
local $ENV{PGOPTIONS} = '-c client_min_messages=error -c jit=off -c work_mem=4MB -c max_parallel_workers_per_gather=0';
my $session = IPC::Run::start([ 'psql', '-XqAt', '-d', $db ], '<', \$in, '>', \$out, '2>&1');

sub ask
{
	my ($sql) = @_;

	$in .= "$sql;\n\\echo the end\n";
	$session->pump until $out =~ s/^the end\n//m;
	(my $answer = $out) =~ s/\s+\z//;
	$out = '';
	return $answer;
}

my $pid = ask('SELECT pg_backend_pid()');

sub status
{
	my ($what) = @_;

	open(my $file, '<', "/proc/$pid/status") or die "/proc/$pid/status: $!";
	return (map { /^$what:\s+(\d+) kB/ ? $1 : () } <$file>)[0];
}

# Then the calls alone are of interest.
my $freed_is_kept = freed_is_kept($pid);

# The highest resident size while a statement ran, and the size after it
sub sizes_of
{
	my ($sql) = @_;

	open(my $file, '>', "/proc/$pid/clear_refs") or die "/proc/$pid/clear_refs: $!";
	print $file 5;
	close($file);
	my $answer = ask($sql);
	diag("$sql: $answer") if $answer =~ /ERROR/;
	return (status('VmHWM'), status('RssAnon'), $answer =~ /ERROR/);
}

sub flat
{
	my ($what, $statement, $n) = @_;

	$statement->(200), ask($statement->(200));
	my ($high, $size, $failed) = sizes_of($statement->(int($n / 10)));
	my ($high_then, $size_then, $failed_then) = sizes_of($statement->($n));

	ok(!$failed && !$failed_then && ($freed_is_kept || $high_then - $high < $slack && $size_then - $size < $slack), "$what: $n calls are flat")
	  or diag("highest $high kB, then $high_then; after it $size kB, then $size_then");
	return;
}

# In one statement, a call for each row i that streams by
sub in_rows
{
	my ($expression) = @_;

	return sub { "SELECT count(x) FROM (SELECT $expression AS x FROM (SELECT generate_series(1, $_[0]) AS i) s) y" };
}

# In one statement after the other, each begun and ended
sub in_statements
{
	my ($statement) = @_;

	return sub { "DO \$do\$ BEGIN FOR i IN 1..$_[0] LOOP $statement; END LOOP; END \$do\$" };
}

psql_ok($db, q{
	CREATE FUNCTION card() RETURNS im_rate_card LANGUAGE sql STABLE AS $$ SELECT terms::im_rate_card FROM im_rate_card_version
		WHERE rate_card = 'cn' AND effective_from = '2024-01-01' $$;
	CREATE PROCEDURE refused(statement text) LANGUAGE plpgsql AS $$
	BEGIN
		EXECUTE statement;
		RAISE WARNING 'not refused: %', statement;
	EXCEPTION
		WHEN data_exception OR check_violation OR no_data_found THEN NULL;
	END $$}, 'functions of the test');

my $zone = q{'Asia/Shanghai'};

flat('months', in_rows(q{(('2023-' || lpad((1 + i % 12)::text, 2, '0'))::im_month + i % 9)::text || ('2023-12'::im_month - '2023-01'::im_month)
	|| im_internal.im_month_hash((date '2020-01-01' + i % 9999)::im_month)::text || (date '2020-01-01' + i % 9999)::im_month::daterange::text}), $calls);
flat('days', in_rows(qq{im_day(timestamptz '2023-12-01' + i * interval '1 minute', CASE WHEN i % 2 = 0 THEN $zone ELSE 'America/New_York' END)}), $calls);
flat('sets', in_rows(q{im_count((('{a,b,' || i || '}')::im_userset | ('{d' || i || '}')::im_userset)::text::im_userset)}), $calls);
flat('users of sets', in_rows(q{(SELECT count(*) FROM im_users(('{a,b,' || i || '}')::im_userset))}), $calls);
flat('rate cards', in_rows(q{jsonb_set(card()::jsonb, '{plans,pro,price}', to_jsonb((i % 1000)::text))::im_rate_card}), $calls / 10);
flat('primitives', in_rows(q{im_dau_overage(card(), 'pro', i) + im_group_overage(card(), 'pro', i) + im_block_fee(i, 10, 3, 0.1)
	+ im_usage_fee(card(), 'pro', 'dau', i) + im_addon_fee(card(), 'pro', 'call', 'basic') + im_moderation_fee(card(), i) + im_deductions(card(), 'image', i)}), $calls / 10);
flat('meters', in_rows(qq{(SELECT (im_dau(i + j), im_dau((i + j)::numeric), im_dau('user ' || j), im_count(im_userset_agg('user ' || i + j)),
	im_peak_groups('2023-12-05', NULL, '2023-12-01', '2024-01-01'), im_internal.im_call_days(1, '2023-12-05', 'hd', j, $zone, '2023-12-01', '2023-12-31'),
	im_internal.im_check_days(1, '2023-12-05', 'audio', j, $zone, '2023-12-01', '2023-12-31'),
	im_internal.im_group_days(1, j::text, '2023-12-05', NULL, $zone, '2023-12-01', '2023-12-31'),
	im_internal.im_usage_agg(1, '2023-12-05', j, j, j, j, j, j, j, j, j, j, j % 2 = 0, NULL) OPERATOR(im_internal.+) im_internal.im_usage_agg(1, '2023-12-06', j, j, j, j, j, j, j, j, j, j, NULL, '{a}'))::text FROM generate_series(1, 10) j)}), $calls / 10);
flat('a bill', in_statements(q{PERFORM * FROM im_monthly_bill(1 + i % 9, '2023-03')}), $calls / 100);
flat('all bills', in_statements(q{PERFORM * FROM im_monthly_bills('2023-03'); PERFORM * FROM im_monthly_totals('2023-03')}), $calls / 1000);
flat('a statement', in_statements(q{PERFORM * FROM im_moderation_statement(3, '2023-03')}), $calls / 100);
flat('status', in_statements(q{PERFORM im_app_status(1 + i % 9, '2023-03-20')}), $calls / 100);
flat('all that may be wrong', in_statements(q{PERFORM * FROM im_check('2023-03'); PERFORM * FROM im_unbilled_usage('2023-03')}), $calls / 1000);
flat('orders', in_statements(q{INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
	VALUES (10, 100000000 * random(), '2023-03-07', 'buy', 'moderation_pack', 'month', NULL) ON CONFLICT DO NOTHING;
	SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED}), 200);
flat('refusals', in_statements(q~CALL refused('SELECT ''2023-13''::im_month'); CALL refused('SELECT ''{a'' ::im_userset');
	CALL refused('SELECT ''{}''::im_rate_card'); CALL refused('SELECT im_monthly_total(4711, ''2023-03'')')~), $calls / 10);

# Each call in a transaction of its own, whose temporary tables are then dropped
my $meter = q{SELECT im_forget_metering('2023-03-01', '2023-03-31');
	SELECT count(*) FROM im_meter('2023-03-01', '2023-03-31')};
my $cached = q{SELECT used_bytes FROM pg_backend_memory_contexts WHERE name = 'CacheMemoryContext'};
ask($meter) for 1 .. 10;
my $size = ask($cached);
ask($meter) for 1 .. 40;
cmp_ok(ask($cached) - $size, '<', 40 * 512, 'metering again and again: what the session knows of the catalogue stays as it was');

$session->finish;
done_testing();
