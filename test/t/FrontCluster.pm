# Servers for fronts and their partitions.  make_books() makes two partitions, a
# front, and one node with the same books: the sample of BillingData.
package FrontCluster;

use strict;
use warnings;

use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use BillingData;

our @EXPORT = qw(on connection start_server make_books same_books place_of have_plproxy);

sub have_plproxy
{
	chomp(my $share = qx(pg_config --sharedir));
	return -e "$share/extension/plproxy.control";
}

sub start_server
{
	my ($name) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(allows_streaming => 'logical');
	$node->append_conf('postgresql.conf',
		"fsync = off\nmax_connections = 60\nwal_level = logical\nrestart_after_crash = on\n");
	$node->start;
	return $node;
}

# BillingData goes where the environment leads.
sub on
{
	my ($node, $what) = @_;

	local $ENV{PGHOST} = $node->host;
	local $ENV{PGPORT} = $node->port;
	return $what->();
}

sub connection
{
	my ($node, $db) = @_;

	return sprintf("host='%s' port=%d dbname=%s", $node->host, $node->port, $db);
}

# The remainder of an app or account as CREATE TABLE ... PARTITION BY HASH takes it, of two.
sub place_of
{
	my ($key) = @_;

	return "(((hashint8extended($key, 8816678312871386365) & 65535) + 43235) & 1)";
}

# Databases part0 and part1 on the two servers, front and one on the first.
sub make_books
{
	my (@nodes) = @_;

	foreach my $i (0, 1)
	{
		on($nodes[$i], sub {
			psql_ok('postgres', "CREATE DATABASE part$i", "a database part$i");
			psql_ok("part$i", 'CREATE EXTENSION imbilling; SELECT im_create_tables()', 'with its tables');
		});
	}
	@ENV{qw(PGHOST PGPORT)} = ($nodes[0]->host, $nodes[0]->port);
	psql_ok('postgres', "CREATE DATABASE $_", "a database $_") foreach 'one', 'front';
	psql_ok('one', 'CREATE EXTENSION imbilling; SELECT im_create_tables();' . sample_data('public'), 'one node has an app of every kind');
	psql_ok('front', 'CREATE EXTENSION imbilling; CREATE EXTENSION dblink; CREATE EXTENSION postgres_fdw; CREATE EXTENSION plproxy;'
		. 'SELECT im_create_front(ARRAY[' . join(', ', map { '$c$' . connection($nodes[$_], "part$_") . '$c$' } 0, 1) . ']);'
		. 'ALTER DATABASE front SET search_path = im_front, public', 'a front asks both');
	foreach my $table (qw(im_app im_order im_suspension im_login im_group im_moderation_check im_call im_usage_daily))
	{
		foreach my $i (0, 1)
		{
			my $rows = psql('one', "COPY (SELECT * FROM $table WHERE " . place_of('app_id') . " = $i) TO STDOUT");

			on($nodes[$i], sub { psql_ok("part$i", "COPY $table FROM STDIN;\n$rows\n\\.\n", "$table of part$i") }) if $rows ne '';
		}
	}
	return;
}

# All bills of two months, what drifts and what is closed.
sub same_books
{
	my ($what) = @_;
	my ($front, $one) = map {
		bills($_->[0], $_->[1]) . psql($_->[0], qq{
			SELECT * FROM im_drift('2023-03'::im_month) ORDER BY 1, 2, 3;
			SELECT app_id, month, revision, currency, total FROM im_invoice ORDER BY 1, 2, 3;
			SELECT * FROM im_verify_invoices('2023-03'::im_month);
			SELECT * FROM im_revenue('2023-03'::im_month, '2023-04'::im_month) ORDER BY 1, 2, 3})
	} [ 'front', 'im_front' ], [ 'one', 'public' ];

	cmp_ok(length($one), '>', 5000, 'one node has something to say');
	same($front, $one, $what);
	return;
}

1;
