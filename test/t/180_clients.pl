#!/usr/bin/perl
#
# 180_clients.pl
#	  What doc/clients.md says of drivers, each tried where it is installed: the
#	  programs of test/clients print a line for each thing that is so or not.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use IPC::Run ();
use Test::More;
use BillingData;

my $folder = ($ENV{IMBILLING_TREE} || "$FindBin::Bin/../..") . '/test/clients';
my $python = -x '/usr/bin/python3' ? '/usr/bin/python3' : 'python3';
my $db = create_database('clients');
psql_ok($db, 'CREATE EXTENSION imbilling; SELECT im_create_tables();' . sample_data('public')
	. "INSERT INTO im_app (app_id, name) VALUES (9007199254740993, 'past 2^53')", 'an app is billed');
$ENV{PGDATABASE} = $db;
$ENV{NODE_PATH} = join ':', grep { defined } $ENV{NODE_PATH}, '/usr/share/nodejs', '/usr/lib/node_modules';
$ENV{PYTHONDONTWRITEBYTECODE} = 1;

sub runs
{
	my (@command) = @_;

	return eval { IPC::Run::run(\@command, '<', \undef, '>', \my $out, '2>', \my $err) };
}

# Each line of the program is a test.
sub relay
{
	my ($name, @command) = @_;
	my ($out, $err) = ('', '');
	my $ended = IPC::Run::run(\@command, '<', \undef, '>', \$out, '2>', \$err);
	my @lines = grep { /^(not )?ok - / } split /\n/, $out;

	ok($ended && @lines, "$name: runs to its end") or diag($err);
	ok($_ !~ /^not /, "$name: " . s/^(not )?ok - //r) foreach @lines;
	return;
}

sub absent
{
	my ($name, $why) = @_;

	SKIP: { skip("$name: $why", 1); }
	return;
}

sub try_python
{
	my ($name, $module, $program) = @_;

	return absent($name, "no Python module $module") unless runs($python, '-c', "import $module");
	return relay($name, $python, "$folder/$program.py");
}

try_python('psycopg 2', 'psycopg2', 'psycopg_2');
try_python('psycopg 3', 'psycopg', 'psycopg_3');
if (!runs('grep', '-q', 'PostgreSQL Unicode', '/etc/odbcinst.ini')) { absent('ODBC', 'no odbc-postgresql'); }
else { try_python('ODBC', 'pyodbc', 'odbc'); }
if (!runs('node', '-e', "require('pg')")) { absent('node-postgres', 'no node with the package pg'); }
else
{
	foreach my $zone ('America/New_York', 'Asia/Shanghai')
	{
		local $ENV{TZ} = $zone;
		relay("node-postgres in $zone", 'node', "$folder/node.js");
	}
}

# pgbouncer, and JDBC, which speaks no unix sockets, through it
my $bouncer = (grep { -x } qw(/usr/sbin/pgbouncer /usr/bin/pgbouncer))[0];
my $port = 20000 + $$ % 20000;
my $home = "$BillingData::work/bouncer";

sub start_bouncer
{
	mkdir $home;
	open(my $ini, '>', "$home/ini") or die "$home/ini: $!";
	print $ini <<"INI";
[databases]
$db = host=$ENV{PGHOST} user=$ENV{PGUSER} pool_mode=transaction
by_session = host=$ENV{PGHOST} dbname=$db user=$ENV{PGUSER} pool_mode=session
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
unix_socket_dir =
auth_type = any
default_pool_size = 1
logfile = $home/log
pidfile = $home/pid
ignore_startup_parameters = extra_float_digits,options
INI
	close($ini);
	return runs($bouncer, '-d', "$home/ini");
}

sub stop_bouncer
{
	open(my $in, '<', "$home/pid") or return;
	kill 'INT', scalar <$in>;
	return;
}

if (!$bouncer) { absent($_, 'no pgbouncer') foreach 'pgbouncer', 'JDBC'; }
else
{
	ok(start_bouncer(), 'pgbouncer runs');
	{
		local @ENV{qw(PGHOST PGPORT)} = ('127.0.0.1', $port);
		try_python('pgbouncer', 'psycopg', 'bouncer');
	}
	my $jar = (grep { -e } '/usr/share/java/postgresql.jar')[0];
	if (!$jar || !runs('javac', '-version')) { absent('JDBC', 'no JDK, or no libpostgresql-jdbc-java'); }
	else { relay('JDBC', 'java', '-cp', $jar, "$folder/Jdbc.java", "jdbc:postgresql://127.0.0.1:$port/by_session?user=$ENV{PGUSER}"); }
}

END
{
	my $status = $?;
	stop_bouncer();
	$? = $status;
}

done_testing();
