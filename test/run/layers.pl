#!/usr/bin/perl
#
# layers.pl ROOT FOLDER-OF-SRC... -- PART-OF-SQL...
#	  Whether all arrows run downwards: what make layers asks.
#
# The folders of src, and those of the parts of the install script, are floors,
# lowest first, as the Makefile names them.  A C file includes no header of a
# higher floor.  What a part of the install script makes names no function,
# aggregate or type of a higher floor.  Prints whatever does otherwise, one line
# each, and fails.  There is no list of exceptions.
use strict;
use warnings;

my $root = shift;
my (@rooms, @found);
push @rooms, shift while @ARGV && $ARGV[0] ne '--';
shift;
my @parts = @ARGV;
die "usage: $0 ROOT FOLDER-OF-SRC... -- PART-OF-SQL...\n" unless @rooms && @parts;

sub slurp
{
	my ($file) = @_;

	local $/;
	open(my $in, '<', $file) or die "$file: $!\n";
	return scalar <$in>;
}

# Of a path; the preamble has none.
sub folder
{
	my ($path) = @_;

	return $path =~ m{^(.*)/} ? $1 : '';
}

# Which floor each folder is, counted from below.
sub floors
{
	my %floor;

	$floor{$_} //= scalar keys %floor for @_;
	return %floor;
}

# ---- src ----

my %room = floors(@rooms);

# What is no file of src is a header of the server's.
sub check_includes
{
	my ($name) = @_;
	my $folder = folder($name);

	return push @found, "src/$name: its folder is no floor of the Makefile's" unless defined $room{$folder};
	for my $header (slurp("$root/src/$name") =~ /^\s*#\s*include\s+"([^"]+)"/mg)
	{
		push @found, "src/$name includes $header without the folder" if -e "$root/src/$folder/$header";
		push @found, "src/$name includes $header, of a higher floor"
		  if -e "$root/src/$header" && ($room{ folder($header) } // @rooms) > $room{$folder};
	}
}

check_includes(substr($_, length("$root/src/"))) for sort(glob("$root/src/*.[ch] $root/src/*/*.[ch] $root/src/*/*/*.[ch]"));

# ---- sql ----

my %floor = floors(map { folder($_) } @parts);

# What a part makes, as [name, text].  Hints may name what is called from above.
sub objects
{
	my ($text) = @_;

	$text =~ s{--[^\n]*|/\*.*?\*/}{}gs;
	$text =~ s/\bHINT\s*=[^\n]*//g;
	return map { [ /^CREATE\s+\w+\s+(?:\@extschema\@|im_internal)\.(\w+)/ ? $1 : 'something', $_ ] }
	  grep { /^CREATE / } split(/^(?=CREATE |COMMENT ON )/m, $text);
}

# The lowest floor is the home of a name: an overload above may be meant there.
my (%objects, %home);
for my $part (@parts)
{
	next unless -e "$root/sql/$part.sql";    # generated, of data alone
	my $text = slurp("$root/sql/$part.sql");

	push @found, "sql/$part.sql has more than 400 lines" if ($text =~ tr/\n//) > 400;
	$objects{$part} = [ objects($text) ];
	$home{ $_->[0] } //= $part for @{ $objects{$part} };
}

# In dynamic queries a placeholder of format() stands for the schema.
sub check_names
{
	my ($part) = @_;

	for (@{ $objects{$part} })
	{
		my ($name, $text) = @$_;
		my %named = map { $_ => 1 } $text =~ /(?:\@extschema\@|im_internal|%(?:\d+\$)?[sI])\.(\w+)/g;

		push @found, map { "sql/$part.sql: $name names $_ of sql/$home{$_}.sql, a higher floor" }
		  grep { defined $home{$_} && $floor{ folder($home{$_}) } > $floor{ folder($part) } } sort keys %named;
	}
}

check_names($_) for sort keys %objects;
for my $n (1 .. $#parts)
{
	push @found, "sql/$parts[$n].sql comes after a part of a higher floor"
	  if $floor{ folder($parts[$n]) } < $floor{ folder($parts[ $n - 1 ]) };
}

# A part that the Makefile forgets is not in the install script.
my %known = map { ("$root/sql/$_.sql" => 1) } @parts;
push @found, map { substr($_, length("$root/")) . ' is no part of the install script' }
  grep { !$known{$_} && !m{/sql/upgrade/} } sort(glob("$root/sql/*/*.sql"));

print "$_\n" for @found;
exit(@found ? 1 : 0);
