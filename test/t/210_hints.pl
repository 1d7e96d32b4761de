#!/usr/bin/perl
#
# 210_hints.pl
#	  A call that a hint names can be made as it is printed: every hint of our SQL
#	  and C is looked through, also those that come later.
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Test::More;
use BillingData;

my $tree = $ENV{IMBILLING_TREE} // "$FindBin::Bin/../..";

# What stands for a parameter that a hint names.
my %value = (
	card => "im_bundled_card('cn', '2024-01-01')",
	month => "'2023-03'",
	app_id => '1',
	account_id => '1',
	role => "'postgres'",
	partitions => "'{}'",
	remote_user => "'postgres'",
	kind => "'text'",
	quantity => '1',
	user_id => "'a'::text");

sub content
{
	my ($file) = @_;

	open(my $handle, '<', $file) or die "$file: $!";
	local $/ = undef;
	return scalar <$handle>;
}

# Hints of SQL follow HINT =, end im_raise_front(), or tell where a front's call
# goes; those of C are an argument of errhint() or, in files that raise through the
# core, any string.
sub hints
{
	my ($file) = @_;
	my $text = content($file);

	return ($text =~ /\bHINT\s*=\s*(.*?)(?=;\n|,\n\s*[A-Z]+ =)/gs, $text =~ /im_raise_front\(.*?('(?:[^']|'')*'::text)\);\n/gs, $text =~ /'refused', ('(?:[^']|'')*')/g)
	  if $file =~ /\.sql$/;
	my @places = $file =~ m{/core/|quote_items} ? ($text) : $text =~ /errhint(?:_plural|_internal)?\((.*?)\)\s*\)?;?\s*\n/gs;
	return map { s/"\s*"//g; /"((?:[^"\\]|\\.)*)"/g } @places;
}

# The calls in a hint as they are printed, with a value for each parameter.
sub calls
{
	my ($hint) = @_;
	my @calls;

	$hint =~ s/''/'/g;
	while ($hint =~ /(CALL )?(?:%s\.)?\b(im_[a-z_]+)\(((?:[^()]|\([^()]*\))*)\)/g)
	{
		my ($call, $name, $arguments) = ($1 // '', $2, $3);

		$arguments =~ s/%L/'2023-03'/g;
		$arguments =~ s/%[sd]|INT64_FORMAT/1/g;
		$arguments =~ s/(?<![\w'.])([a-z_]+)(?![\w'(])/$value{$1} \/\/ $1/ge;
		push @calls, [ $call, $name, $arguments ];
	}
	return @calls;
}

my $database = create_database('hints');
psql_ok($database, 'CREATE EXTENSION imbilling; SELECT im_create_tables();', 'an empty database');
psql_ok($database, "INSERT INTO im_app (app_id, name) VALUES (1, 'a')", 'with an app');

# What a front has besides is called there.
sub make_front
{
	my $front = create_database('hints_front');

	psql_ok($front, "CREATE EXTENSION imbilling; CREATE EXTENSION dblink; CREATE EXTENSION postgres_fdw; CREATE EXTENSION plproxy;
		SELECT im_create_front(ARRAY[format('host=%s port=%s dbname=%s', split_part(current_setting('unix_socket_directories'), ',', 1), current_setting('port'), '$database')])",
		'a front');
	return $front;
}

chomp(my $share = qx($ENV{PG_CONFIG} --sharedir));
my $front = -e "$share/extension/plproxy.control" ? make_front() : undef;

my %seen;
for my $file (sort(glob("$tree/src/*/*.c $tree/src/*/*/*.c $tree/sql/*.sql $tree/sql/*/*.sql")))
{
	next if $file =~ m{/sql/(upgrade/|imbilling--|bundled_cards)};
	for my $hint (hints($file))
	{
		for my $call (calls($hint))
		{
			my ($how, $name, $arguments) = @$call;
			my $said = "$name($arguments)";

			next if $seen{"$how$said"}++;
			my $where = $name =~ /^im_front_/ ? $front : $database;
			next if !defined $where;
			my $kind = psql($where, "SELECT min(prokind::text) FROM pg_proc WHERE proname = '$name' AND pronamespace = ANY (ARRAY[to_regnamespace('im_front'), 'public'])");
			isnt($kind, '', "$file: there is a function $name");
			# a procedure commits and an aggregate needs rows: their names and numbers of arguments are looked up
			my $statement = $kind eq 'p' || $kind eq 'a'
			  ? "SELECT 1 / count(*) FROM pg_proc WHERE proname = '$name' AND "
				. (() = $arguments =~ /[^,]+/g) . ' BETWEEN pronargs - pronargdefaults AND pronargs'
			  : "SELECT * FROM $said";
			my (undef, $out) = psql_both($where, "SET search_path = im_front, public;\n\\set VERBOSITY sqlstate\nBEGIN;\n$statement;\nROLLBACK;");
			unlike($out, qr/42883|42725|42703|42601|42P18|42804|22012/, "$file: $said can be called") or diag($hint);
		}
	}
}
cmp_ok(scalar(keys %seen), '>', 10, scalar(keys %seen) . ' calls in hints');

done_testing();
