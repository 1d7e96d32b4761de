#!/usr/bin/perl
#
# 132_html_elsewhere.pl
#	  Pages and reasons in databases of other encodings, from a schema with a
#	  strange name, and with an empty search_path.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use IPC::Run ();
use Test::More;
use BillingData;

my $data = <<'SQL';
INSERT INTO %1$s.im_app (app_id, name) VALUES (1, %2$s);
INSERT INTO %1$s.im_order (app_id, order_id, at, action, item, option, months) VALUES (1, 1, '2023-03-01 10:00+08', 'buy', 'plan', 'pro', 1);
INSERT INTO %1$s.im_login SELECT 1, 'u' || n, '2023-03-05 10:00+08' FROM generate_series(1, 7) n;
SQL

# A database of an encoding, with an app of that name.
sub database
{
	my ($encoding, $name) = @_;
	my $db = create_database(lc $encoding);

	run_ok([ 'dropdb', $db ], 'another one');
	run_ok([ 'createdb', '-T', 'template0', '-E', $encoding, '--locale=C', $db ], "a database in $encoding");
	psql_ok($db, "SET client_encoding = '$encoding'; CREATE EXTENSION imbilling; SELECT im_create_tables(); "
		  . sprintf($data, 'public', $name), 'with an app');
	return $db;
}

# The page as bytes.
sub page
{
	my ($db, $client, $lang) = @_;
	my $out = '';

	local $ENV{PGCLIENTENCODING} = $client;
	IPC::Run::run([ 'psql', '-AtX', '-d', $db, '-c', "SELECT im_bill_html(1, '2023-03', '$lang')" ], '>', \$out);
	return $out;
}

my $latin1 = database('LATIN1', "E'M\\xfcller'");
like(page($latin1, 'LATIN1', 'zh'), qr{<h1><bdi>M&#xFC;ller</bdi></h1>}, 'LATIN1: a name in references');
like(page($latin1, 'LATIN1', 'zh'), qr{<span class="option">&#x4E13;&#x4E1A;&#x7248;</span>}, 'and Chinese that the database does not know');
unlike(page($latin1, 'LATIN1', 'zh'), qr/[^\x00-\x7f]/, 'in ASCII');
like(page($latin1, 'UTF8', 'zh'), qr{<h1><bdi>M&#xFC;ller</bdi></h1>}, 'for a client of UTF8, too');

# Bytes that are no UTF-8 are what a name of such a database may hold.
my $ascii = database('SQL_ASCII', "E'M\\xc3\\xbcller \\xff'");
like(page($ascii, 'SQL_ASCII', 'zh'), qr{<h1><bdi>M&#xFC;ller &#xFFFD;</bdi></h1>}, 'SQL_ASCII: UTF-8 is read as such, other bytes are replaced');
unlike(page($ascii, 'SQL_ASCII', 'zh'), qr/[^\x00-\x7f]/, 'in ASCII');

my $utf8 = database('UTF8', "E'M\\u00fcller'");
like(page($utf8, 'UTF8', 'zh'), qr{<h1><bdi>M\xc3\xbcller</bdi></h1>.*\xe4\xb8\x93\xe4\xb8\x9a\xe7\x89\x88}s, 'UTF8 as it is');
like(page($utf8, 'EUC_JP', 'zh'), qr{<h1><bdi>M&#xFC;ller</bdi></h1>}, 'and in references for a client of EUC_JP');

# A schema whose name has all that a format string or an identifier minds.
my $strange = create_database('strange');
psql_ok($strange, 'CREATE SCHEMA "we%ird S"; CREATE EXTENSION imbilling SCHEMA "we%ird S"; SELECT "we%ird S".im_create_tables(); '
	  . sprintf($data, '"we%ird S"', "'%s'"), 'a schema with a strange name');
my $empty = "SET search_path = ''; ";
like(psql($strange, $empty . q{SELECT "we%ird S".im_bill_html(1, '2023-03')}), qr{<h1><bdi>%s</bdi></h1>}, 'makes pages');
like(psql($strange, $empty . q{SELECT "we%ird S".im_month_html('2023-03', 'zh')}), qr{<bdi>%s</bdi>}, 'of months, too');
my $source = psql($strange, $empty . q{SELECT source FROM "we%ird S".im_explain(1, '2023-03', 2) WHERE fact = 'peak'});
like($source, qr/^"we%ird S"\.im_login WHERE/, 'and reasons');
is(psql($strange, $empty . "SELECT count(DISTINCT user_id) FROM $source"), '7', 'whose sources lead to their rows');
is(psql($strange, $empty . q{SELECT count(*) FROM "we%ird S".im_explain(1, '2023-03', 2) e WHERE e.source NOT LIKE '"we\%ird S".%'}), '0', 'all of them');

done_testing();
