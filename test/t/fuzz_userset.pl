#!/usr/bin/perl
#
# fuzz_userset.pl
#	  Broken bytes through im_internal.im_userset_recv().
#
# Binary COPY hands a client's bytes to the type.  Whatever they are, the
# server must refuse them or store a set that is as good as any other: it
# comes out as text and in as text and is equal to itself.  A failure means
# that a client can crash the server or store a set that counts wrong.
#
# Needs a server with the extension at hand, in the PG* variables.
use strict;
use warnings;

use File::Temp qw(tempdir);
use Test::More;

my $seed = $ENV{FUZZ_SEED} || time;
my $rounds = $ENV{FUZZ_ROUNDS} || 1500;
my $dir = tempdir(CLEANUP => 1);
my $schema = "fuzz_userset_$$";

srand($seed);
note("FUZZ_SEED=$seed");

sub psql
{
	my ($sql) = @_;

	open(my $file, '>', "$dir/in.sql") or die $!;
	print $file "SET client_min_messages = warning;\nSET search_path = $schema, public;\n$sql";
	close($file);
	return scalar qx(psql -XAtq -f $dir/in.sql 2>&1);
}

# One row of one column in the format of binary COPY
sub copy_file
{
	my ($name, $bytes) = @_;

	open(my $file, '>:raw', "$dir/$name") or die $!;
	print $file "PGCOPY\n\xff\r\n\0", pack('NN', 0, 0);
	print $file pack('nN', 1, length $bytes), $bytes, pack('n', 0xffff);
	close($file);
}

sub mutate
{
	my ($bytes) = @_;

	for (1 .. 1 + int(rand(3)))
	{
		my $at = int(rand(length($bytes) + 1));
		my $what = int(rand(5));

		if    ($what == 0) { substr($bytes, $at, 1) = chr(int(rand(256))) if $at < length $bytes }
		elsif ($what == 1) { substr($bytes, $at, int(rand(4))) = '' }
		elsif ($what == 2) { substr($bytes, $at, 0) = chr(int(rand(256))) }
		elsif ($what == 3) { $bytes = substr($bytes, 0, $at) }
		else
		{
			my $bit = 1 << int(rand(8));
			substr($bytes, $at, 1) = chr(ord(substr($bytes, $at, 1)) ^ $bit) if $at < length $bytes;
		}
	}
	return $bytes;
}

psql(<<SQL);
CREATE SCHEMA $schema;
CREATE EXTENSION IF NOT EXISTS imbilling;
CREATE TABLE stored (users im_userset);

SQL

my @sets = split /\n/, psql(<<'SQL');
SELECT encode(im_internal.im_userset_send(s), 'hex') FROM (VALUES
	('{}'), ('{a}'), ('{"",a,ab,abc,b}'), ('{user_00000001,user_00000002,user_00000010}'),
	('{123e4567-e89b-12d3-a456-426614174000,123e4567-e89b-12d3-a456-426614174001,deadbeef,DEADBEEF}'),
	('{用户,用}')) AS v (t), LATERAL (SELECT t::im_userset) AS x (s)
UNION ALL
SELECT encode(im_internal.im_userset_send(im_userset_agg(i)), 'hex') FROM generate_series(1, 3000) AS i
UNION ALL
SELECT encode(im_internal.im_userset_send(im_userset_agg(repeat('x', 200 * i) || i)), 'hex') FROM generate_series(1, 40) AS i;
SQL
is(scalar @sets, 8, 'sets to start from');

# What nobody touched goes in and is the same set.
my $script = '';
for my $i (0 .. $#sets)
{
	copy_file("whole$i", pack('H*', $sets[$i]));
	$script .= "\\copy stored FROM '$dir/whole$i' (FORMAT binary)\n";
}
is(psql($script), '', 'whole sets are taken');
is(psql("SELECT count(*), count(DISTINCT users::text), bool_and(users::text::im_userset = users) FROM stored;\n"),
	"8|8|t\n", 'and are what they were');

$script = "TRUNCATE stored;\n";
for my $i (1 .. $rounds)
{
	copy_file("broken$i", mutate(pack('H*', $sets[int(rand(@sets))])));
	$script .= "\\copy stored FROM '$dir/broken$i' (FORMAT binary)\n";
}
my $errors = psql($script);
my @odd = grep { /ERROR|FATAL|PANIC|connection/ }
	grep { !/invalid im_userset|unknown format version|incorrect binary data/ } split /\n/, $errors;
is(scalar @odd, 0, 'broken sets are refused as such or taken') or diag(@odd[0 .. ($#odd < 5 ? $#odd : 5)]);
cmp_ok(scalar(() = $errors =~ /invalid im_userset/g), '>', $rounds / 3, 'most are refused');
is(psql(<<'SQL'), "0|0|0\n", 'what is taken is as good as any set');
SELECT count(*) FILTER (WHERE users::text::im_userset IS DISTINCT FROM users),
	count(*) FILTER (WHERE im_count(users) IS DISTINCT FROM (SELECT count(DISTINCT u COLLATE "C") FROM im_users(users) AS u)),
	count(*) FILTER (WHERE (users | users) IS DISTINCT FROM users) FROM stored;
SQL
psql("DROP SCHEMA $schema CASCADE;\n");
done_testing();
