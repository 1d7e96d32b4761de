#!/usr/bin/perl
#
# update_script.pl FROM TO OLD.sql BY-HAND.sql < NEW.sql
#	  Print the update script between two versions of the extension.
#
# Both install scripts are split into statements and compared one by one.  A
# function or aggregate that the old version has is replaced where its text
# differs; what is new is created; what is gone is dropped at the end, and
# what CREATE OR REPLACE cannot change is dropped at the start.  Comments are
# repeated where they differ, settings always.  So whoever writes a part of the
# install script need not think of the update.
#
# What the old version has in the extension's schema and the new one in
# im_internal is moved there first, with all that hangs on it.
#
# Types, operators, casts and operator classes cannot be replaced.  One that
# differs must be altered in BY-HAND.sql, which runs first and says so in a
# line of its own: "-- by hand: TYPE @extschema@.name".  Anything else that
# differs fails the build.
use strict;
use warnings;

my ($from, $to, $old_file, $hand_file) = @ARGV;
die "usage: $0 FROM TO OLD.sql BY-HAND.sql < NEW.sql\n" unless defined $hand_file;

sub slurp
{
	my ($file) = @_;

	local $/;
	open(my $in, '<', $file) or die "$file: $!\n";
	return scalar <$in>;
}

# ---- splitting ----

# The next token of a script: a comment, a string, a quoted name, a dollar
# quoted body, a word, or one character.  Captures by number: perl-base, all
# that a bare machine has, lacks the module behind named ones.
my $token = qr{
	( --[^\n]*\n | /\*.*?\*/ )
	| ( '(?:[^']|'')*' | "(?:[^"]|"")*" | (\$\w*\$).*?\g{3} )
	| ( [\w\@.]+ )
	| ( . )
}xs;

# The statements of a script, without comments around and between their words.
# A body in BEGIN ATOMIC holds semicolons of its own.  A name that was moved is
# where it is now, save in strings: those bodies still have to be replaced.
sub statements
{
	my ($script, $moved) = @_;
	my ($depth, $statement, @found) = (0, '');

	$script =~ s/^\\.*$//mg;
	while ($script =~ /$token/g)
	{
		next if defined $1;
		my ($text, $word) = ($&, uc($4 // ''));
		$depth++ if $word eq 'ATOMIC' || ($depth > 0 && $word eq 'CASE');
		$depth-- if $depth > 0 && $word eq 'END';
		$text = "im_internal.$1" if $word =~ /^\@EXTSCHEMA\@\./ && $text =~ /\.(\w+)$/ && $moved->{$1};
		if ($depth == 0 && $text eq ';')
		{
			$statement =~ s/^\s+|\s+$//g;
			push @found, $statement if $statement ne '';
			$statement = '';
			next;
		}
		$statement .= $text;
	}
	die "the last statement has no end: $statement\n" if $statement =~ /\S/;
	return @found;
}

# ---- naming ----

# One space for any, none at brackets and commas; quoted text stays.
sub tidy
{
	my ($text) = @_;

	$text =~ s{('(?:[^']|'')*')|\s+}{defined $1 ? $1 : ' '}ge;
	$text =~ s/ ?([(),]) ?/$1/g;
	$text =~ s/^ | $//g;
	return $text;
}

# The text in the first pair of brackets, and what follows them.
sub brackets
{
	my ($text) = @_;

	$text =~ /^[^(]*(\((?:[^()']++|'(?:[^']|'')*'|(?1))*\))(.*)$/s
	  or die "no brackets in: $text\n";
	return (substr($1, 1, -1), $2);
}

sub split_list
{
	my ($list) = @_;
	my @items;

	push @items, tidy($1)
	  while $list =~ /\G\s*((?:[^,()']++|'(?:[^']|'')*'|(\((?:[^()]++|(?2))*\)))+)\s*,?/g;
	return @items;
}

# An argument as DROP FUNCTION takes it: its type alone, undef for a result.
sub type_of
{
	my ($argument) = @_;

	$argument =~ s/ (?:DEFAULT|=) .*//i;
	return undef if $argument =~ s/^(?:OUT|TABLE) //i;
	$argument =~ s/^(?:IN|INOUT|VARIADIC) //i;
	$argument =~ s/^"?\w+"? (?=\S)// unless $argument =~ /^(?:double precision|character varying|timestamp|time) /i;
	$argument =~ s/\bint\b/integer/i;
	return $argument;
}

sub signature
{
	my ($arguments) = @_;

	return '(' . join(',', grep { defined } map { type_of($_) } split_list($arguments)) . ')';
}

# What a statement is about, as DROP and COMMENT name it: "FUNCTION f(integer)".
sub subject
{
	my ($statement) = @_;

	if ($statement =~ /^CREATE (FUNCTION|PROCEDURE|AGGREGATE)\s+([\w\@."]+)/)
	{
		return "$1 $2" . signature((brackets($statement))[0]);
	}
	return "SHELL TYPE $1" if $statement =~ /^CREATE TYPE\s+(\S+)$/;
	return "TYPE $1" if $statement =~ /^CREATE (?:TYPE|DOMAIN)\s+(\S+)/;
	return 'CAST ' . tidy($1) if $statement =~ /^CREATE CAST\s*(\([^)]*\))/;
	return "OPERATOR $1 $2 USING $3"
	  if $statement =~ /^CREATE OPERATOR (CLASS|FAMILY)\s+(\S+).*?\bUSING\s+(\w+)/s;
	if ($statement =~ /^CREATE OPERATOR\s+(\S+)/)
	{
		my ($name, %side) = ($1);
		$side{$1} = $2 while $statement =~ /\b(LEFT|RIGHT)ARG\s*=\s*([\w\@.]+)/g;
		return "OPERATOR $name(" . join(',', map { $side{$_} // 'NONE' } qw(LEFT RIGHT)) . ')';
	}
	return "$1 $2" if $statement =~ /^CREATE (VIEW|SCHEMA|SEQUENCE)\s+(\S+)/;
	return tidy("COMMENT ON $1") if $statement =~ /^COMMENT ON (.*?)\s+IS\s+(?:'|NULL)/s;
	return tidy($statement) if $statement =~ /^(?:ALTER|GRANT|REVOKE)\s/;
	die "update_script.pl does not know what to do with: $statement\n";
}

# What CREATE OR REPLACE cannot change of a function: the names of its
# arguments and what it returns.  Defaults may be added.
sub face
{
	my ($statement) = @_;
	my ($arguments, $rest) = brackets($statement);
	my ($returns) = $rest =~ /^\s*RETURNS\s+(TABLE\s*\([^)]*\)|(?:SETOF\s+)?[\w\@."\[\]]+)/;

	return join(',', map { s/ (?:DEFAULT|=) .*//ir } split_list($arguments)) . ' ' . tidy($returns // '');
}

# What an aggregate returns, which CREATE OR REPLACE cannot change either: what
# its final function does, or its state.
sub result
{
	my ($aggregate, $all) = @_;

	if ($aggregate =~ /\bFINALFUNC\s*=\s*([\w\@.]+)/)
	{
		my ($function) = grep { /^FUNCTION \Q$1\E\(/ } keys %$all;
		return (face($all->{$function}) =~ / (.*)$/)[0] if defined $function;
	}
	return ($aggregate =~ /\bSTYPE\s*=\s*([\w\@.\[\]]+)/)[0];
}

# ---- comparing ----

# Names of im_internal, less those that the extension's schema has too.
sub names_moved
{
	my (%moved, %stay);

	for (@_)
	{
		$moved{$1} = 1 if /^CREATE (?:\w+ )+im_internal\.(\w+)/;
		$stay{$1} = 1 if /^CREATE (?:\w+ )+\@extschema\@\.(\w+)/;
	}
	delete @moved{ keys %stay };
	return \%moved;
}

# How it is moved, in the words of the old version: types come last, since the
# arguments of the others are told by them.
sub moves
{
	my ($moved, @old) = @_;
	my @subjects = map { subject($_) } grep { /^CREATE (?:\w+ )+\@extschema\@\.(\w+)/ && $moved->{$1} } @old;

	return map { "ALTER $_ SET SCHEMA im_internal" } (grep { !/TYPE / } @subjects), grep { /^TYPE / } @subjects;
}

my (%old, %new, @old_order, @new_order, @settings);
my @new = statements(do { local $/; scalar <STDIN> }, {});
my $moved = names_moved(@new);
my @moves = moves($moved, statements(slurp($old_file), {}));
for (grep { !/^SET / } statements(slurp($old_file), $moved))
{
	my $subject = subject($_);
	push @old_order, $subject;
	$old{$subject} = $_;
}
for (@new)
{
	if (/^SET /)
	{
		push @settings, $_;
		next;
	}
	my $subject = subject($_);
	die "$subject comes twice\n" if defined $new{$subject};
	push @new_order, $subject;
	$new{$subject} = $_;
}

my $hand = slurp($hand_file);
# It names what it alters as the old version does, since it runs before the moves.
my %by_hand = map { tidy($_ =~ s/\@extschema\@\.(\w+)/$moved->{$1} ? "im_internal.$1" : $&/er) => 1 } $hand =~ /^-- by hand: (.*)$/mg;

my $routine = qr/^(?:FUNCTION|PROCEDURE|AGGREGATE) /;
my (%remake, @create, @schemas);
for my $subject (@new_order)
{
	my ($was, $is) = ($old{$subject}, $new{$subject});
	next if defined $was && $was eq $is;
	if ($subject =~ /^SCHEMA /)
	{
		push @schemas, $is;
	}
	elsif (!defined $was || $subject =~ /^(?:COMMENT|ALTER|GRANT|REVOKE)\b/)
	{
		push @create, $is;
	}
	elsif ($subject =~ $routine)
	{
		$remake{$subject} = 1
		  if $subject =~ /^AGGREGATE/ ? result($was, \%old) ne result($is, \%new) : face($was) ne face($is);
		push @create, $remake{$subject} ? $is : $is =~ s/^CREATE/CREATE OR REPLACE/r;
	}
	elsif (!$by_hand{$subject})
	{
		die "$subject differs from version $from: alter it in $hand_file"
		  . " and say there \"-- by hand: $subject\"\n";
	}
}

# What hangs on a dropped function goes with it or stops the update, as
# whoever owns it must decide: hence no CASCADE.
my @drop_first = grep { $remake{$_} } reverse @old_order;
my @drop_last = grep { !defined $new{$_} && /$routine|^(?:TYPE|CAST|OPERATOR|VIEW)/ && !$by_hand{$_} } reverse @old_order;

# A comment that was repeated for what was dropped first is still the same.
for my $subject (map { "COMMENT ON $_" } @drop_first)
{
	push @create, $new{$subject} if defined $new{$subject} && tidy($new{$subject}) eq tidy($old{$subject} // '');
}

print "/*\n * imbilling: from version $from to version $to.  Generated from the parts of the\n"
  . " * install script and from sql/upgrade: edit those.\n */\n"
  . "\\echo Use \"ALTER EXTENSION imbilling UPDATE TO '$to'\" to load this file. \\quit\n\n";
print "$_;\n" for @settings;
print "$hand\n";
print "$_;\n" for @schemas, @moves;
print "\n" if @moves;
print "DROP $_;\n" for @drop_first;
print "\n" if @drop_first;
print "$_;\n\n" for @create;
print "DROP $_;\n" for @drop_last;
