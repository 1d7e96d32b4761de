#!/usr/bin/perl
#
# 170_dau_memory.pl
#	  The memory of im_dau is that of work_mem times hash_mem_multiplier, however many
#	  users there are, and nothing is left of its temporary files.
#
# A failure means that one large count takes the memory of all others on the
# machine, or that a cancelled one leaves files behind.
#
# DAU_USERS=20000000 for so many distinct users (default 1000000).
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use IPC::Run ();
use Test::More;
use Time::HiRes qw(sleep time);
use BillingData;

my $users = $ENV{DAU_USERS} || 1000000;
my $limit = 2048;    # kB: the settings below
my $beside = 2048;   # kB: buffers of 32 files on each of several levels, and what the query needs

plan skip_all => 'there is no /proc here' unless -e '/proc/self/clear_refs';

my $db = create_database('dau');
psql_ok($db, q{CREATE EXTENSION imbilling; CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false)}, 'a database');

# ---- one session ----

my ($in, $out) = ('', '');
local $ENV{PGOPTIONS} = '-c client_min_messages=error -c jit=off -c work_mem=1MB -c hash_mem_multiplier=2 -c max_parallel_workers_per_gather=0';
my $session = IPC::Run::start([ 'psql', '-XqAt', '-d', $db ], '<', \$in, '>', \$out, '2>&1');

sub say_to
{
	my ($sql) = @_;

	$in .= "$sql;\n\\echo the end\n";
	$session->pump_nb;
	return;
}

sub answer
{
	$session->pump until $out =~ s/^the end\n//m;
	(my $answer = $out) =~ s/\s+\z//;
	$out = '';
	return $answer;
}

sub ask
{
	say_to(@_);
	return answer();
}

my $pid = ask('SELECT pg_backend_pid()');

sub status
{
	my ($what) = @_;

	open(my $file, '<', "/proc/$pid/status") or die "/proc/$pid/status: $!";
	return (map { /^$what:\s+(\d+) kB/ ? $1 : () } <$file>)[0];
}

# Then the answers alone are of interest.
my $freed_is_kept = freed_is_kept($pid);

# What a statement answers, and the highest resident size while it ran
sub highest
{
	my ($sql) = @_;

	open(my $file, '>', "/proc/$pid/clear_refs") or die "/proc/$pid/clear_refs: $!";
	print $file 5;
	close($file);
	my $answer = ask($sql);
	return ($answer, status('VmHWM'));
}

# Each user twice and far apart, without a table or a sort below the aggregate
sub rows
{
	my ($n) = @_;

	return "(SELECT generate_series(1, 2 * $n) % $n AS u) r";
}

my $few = int($users / 10);
my @kinds = (
	[ 'serial ids', q{'user ' || u}, $users ], [ 'integers', 'u', $users ], [ 'uuids as text', q{md5(u::text)::uuid::text}, $users ],
	[ 'ids of 40 bytes', q{'User of a Company in the City ' || u + 1000000000}, $users ],
	[ 'ids of several kinds', q{CASE u % 3 WHEN 0 THEN md5(u::text) WHEN 1 THEN 'User of a Company in the City ' || u ELSE u::text END}, $users ],
	[ 'numbers', 'u::numeric', $users ], [ 'text of a collation', q{('user ' || u) COLLATE nocase}, $few ], [ 'money', 'u::money', $users ],
	[ 'long bit strings', 'repeat(u::bit(24)::text, 4)::varbit', $few ]);

# Few users first: caches and the library have their memory then.
ask("SELECT im_dau($_->[1]) FROM " . rows(1000)) for @kinds;
my $size = status('VmRSS');
for my $kind (@kinds)
{
	my ($what, $id, $n) = @$kind;
	my ($answer, $highest) = highest("SELECT im_dau($id) FROM " . rows($n));

	is($answer, $n, "$what: all are counted");
	ok($freed_is_kept || $highest - $size < $limit + $beside, "$what: in bounded memory") or diag(($highest - $size) . ' kB');
	note("$what: " . ($highest - $size) . ' kB');
}

# The groups of a hash aggregate share the limit; each may have 1 MB, and the buffers of 32 files.
ask("SET work_mem = '4MB'; SET enable_sort = off");
my ($answer, $highest) = highest(q{SELECT sum(d) FROM (SELECT im_dau('user ' || u) AS d FROM } . rows($users) . ' GROUP BY u % 8) x');
is($answer, $users, 'users of eight groups: all are counted');
ok($freed_is_kept || $highest - $size < 8192 + 8 * 1280 + $beside, 'in memory that the groups share') or diag(($highest - $size) . ' kB');
note('users of eight groups: ' . ($highest - $size) . ' kB');
ask('RESET enable_sort; RESET work_mem');

# ---- any way out ----

is(psql($db, 'SELECT count(*) FROM pg_ls_tmpdir()'), '0', 'no file is left');

my $slow = q{SELECT im_dau('user ' || u), im_dau(u::numeric), im_dau(u::money) FROM } . rows($few);
my $began = time;
like(ask($slow), qr/^$few\|$few\|$few$/, 'three counts in one query');
my $took = time - $began;
my $hit = 0;
for my $moment (1 .. 6)
{
	say_to($slow);
	sleep $took * $moment / 7;
	kill 'INT', $pid;
	my $said = answer();
	$hit++ if $said =~ /canceling/;
	ok($said =~ /canceling/ || $said =~ /^$few\|/, "cancelled after $moment sevenths") or diag($said);
	is(psql($db, 'SELECT count(*) FROM pg_ls_tmpdir()'), '0', 'no file is left');
}
cmp_ok($hit, '>', 0, "$hit stops hit");
like(ask("SET temp_file_limit = '1MB'; $slow"), qr/temp_file_limit/, 'files past temp_file_limit are an error');
is(psql($db, 'SELECT count(*) FROM pg_ls_tmpdir()'), '0', 'that leaves none');
like(ask("RESET temp_file_limit; $slow"), qr/^$few\|$few\|$few$/, 'and the session goes on');

# Groups that nobody asks for: the server warns of files that are closed for us.
is(ask(q{SET client_min_messages = warning; SET work_mem = '64kB'; SET enable_sort = off; SELECT count(*) FROM
	(SELECT im_dau('user ' || u), im_dau(u::numeric), im_dau(u::money) FROM } . rows($few) . ' GROUP BY u % 3 LIMIT 1) x'), '1', 'a query that ends early closes its files');
ask('RESET enable_sort; RESET work_mem');

# Workers hand sets over in one piece, which must not lose what is in files.
psql_ok($db, 'CREATE TABLE visit AS SELECT u FROM ' . rows($few) . '; ALTER TABLE visit SET (parallel_workers = 2); ANALYZE visit', 'a table for workers');
like(ask('SET max_parallel_workers_per_gather = 2; SET min_parallel_table_scan_size = 0; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;
	EXPLAIN SELECT im_dau(u) FROM visit'), qr/Gather/, 'which workers count');
is(ask(q{SELECT im_dau('user ' || u), im_dau('User of a Company in the City ' || u), im_dau(u::numeric), im_dau(u::money) FROM visit}), join('|', ($few) x 4), 'is counted');
is(psql($db, 'SELECT count(*) FROM pg_ls_tmpdir()'), '0', 'no file is left');

$session->finish;
done_testing();
