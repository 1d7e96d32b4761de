#!/usr/bin/perl
#
# readme_test.pl [--update] FILE.md
#	  Run what a document tells to run, and compare what comes with what it says.
#
# All ```sql blocks run in their order in one psql session of a database made
# for this document, `sh -e` runs the ```sh blocks between them.  In both, mydb
# stands for that database and newdb for one that a block may create.  A ```text
# block that follows one, with nothing but blank lines between, is what it must
# print, without CONTEXT; a block without must run without an error.  The
# session's folder has a link to doc/, for the sample data.  A block after the line
#	  <!-- file: NAME -->    is written to NAME in the session's folder first,
#	  <!-- not run -->       is left alone; a colon and a name may tell who runs it.
# --update puts what was printed into the text blocks instead.
use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use File::Temp qw(tempdir);

my $update = @ARGV && $ARGV[0] eq '--update' ? shift : 0;
my $document = abs_path($ARGV[0] // die "usage: readme_test.pl [--update] FILE.md\n");
my $tree = abs_path(dirname(__FILE__) . '/../..');
my $database = 'docs_' . lc(basename($document, '.md')) =~ s/\W/_/gr;
my $marker = '-- end of a block';

sub slurp
{
	my ($file) = @_;

	open(my $in, '<', $file) or die "$file: $!";
	local $/ = undef;
	return scalar <$in>;
}

sub spill
{
	my ($file, $text) = @_;

	open(my $out, '>', $file) or die "$file: $!";
	print $out $text;
	close($out) or die "$file: $!";
}

# Every fenced block: its language, text, first line, the comment above it and
# whether it follows the block before it directly.
sub blocks_of
{
	my ($text) = @_;
	my ($line, $block, $note, @blocks) = (0);
	my $between = 1;

	foreach (split /^/, $text)
	{
		$line++;
		if ($block)
		{
			if (/^```\s*$/) { push @blocks, $block; ($block, $note, $between) = (undef, '', 0); }
			else { $block->{text} .= $_; }
		}
		elsif (/^```(\w*)\s*$/)
		{
			$block = { language => $1, line => $line, text => '',
				note => $note // '', follows => !$between };
		}
		elsif (/^<!--\s*(.*?)\s*-->$/) { $note = $1; $between = 1; }
		elsif (/\S/) { $note = ''; $between = 1; }
	}
	return @blocks;
}

# Pairs each query with the output that follows it.
sub examples_of
{
	my @examples;

	foreach my $block (@_)
	{
		next if $block->{note} =~ /^(not run\b|file:)/;
		if ($block->{language} =~ /^(sql|sh)$/) { push @examples, $block; }
		elsif ($block->{language} eq 'text' && $block->{follows} && @examples)
		{
			$examples[-1]{output} = $block unless $examples[-1]{output};
		}
	}
	return @examples;
}

# A block as the session's script has it.
sub script_of
{
	my ($folder, $block) = @_;
	my %database = (mydb => $database, newdb => "${database}_new");
	my $text = $block->{text} =~ s/\b(mydb|newdb)\b/$database{$1}/gr;
	my $name = "block_$block->{line}.sh";

	return $text if $block->{language} eq 'sql';
	spill("$folder/$name", $text);
	return "\\! sh -e $name || echo 'ERROR:  the commands failed'\n";
}

# What was printed for each example, errors where they occurred.
sub run_examples
{
	my ($folder, @examples) = @_;

	spill("$folder/examples.sql",
		join('', map { script_of($folder, $_) . "\n\\echo '$marker'\n" } @examples));
	chdir($folder) or die "$folder: $!";
	local $ENV{PGDATABASE} = $database;
	my $printed = `psql -X -q -P pager=off -v SHOW_CONTEXT=never -f examples.sql 2>&1`;
	$printed =~ s/^psql:[\w.\/]+:\d+: //mg;
	my @printed = split(/^\Q$marker\E\n/m, $printed, -1);
	die "psql ended early:\n$printed" if @printed <= @examples;
	return @printed;
}

sub drop_databases
{
	local $ENV{PGOPTIONS} = '-c client_min_messages=warning';
	system('dropdb', '--if-exists', $_) foreach $database, "${database}_new";
}

sub in_own_database
{
	my ($folder, @examples) = @_;

	return unless @examples;
	drop_databases();
	system('createdb', $database) == 0 or die "createdb $database failed\n";
	my @printed = run_examples($folder, @examples);
	chdir('/');
	drop_databases() unless $ENV{KEEP};
	return @printed;
}

# psql pads the last column; an editor takes the blanks away.
sub trimmed
{
	my ($text) = @_;

	$text =~ s/[ \t]+$//mg;
	$text =~ s/\A\n+//;
	$text =~ s/\n+\z/\n/;
	return $text;
}

sub report
{
	my ($number, $example, $printed) = @_;
	my $name = "line $example->{line}";
	my $wanted = $example->{output} ? trimmed($example->{output}{text}) : undef;
	my $good = defined $wanted ? trimmed($printed) eq $wanted : $printed !~ /^(ERROR|FATAL|PANIC): /m;

	print $good ? "ok $number - $name\n" : "not ok $number - $name\n";
	return if $good;
	print map { "# $_\n" } 'printed:', split(/\n/, $printed);
	print map { "# $_\n" } 'the document says:', split(/\n/, $wanted) if defined $wanted;
}

sub update_document
{
	my ($text, $examples, $printed) = @_;
	my @lines = split(/^/, $text);

	foreach my $i (reverse 0 .. $#$examples)
	{
		my $output = $examples->[$i]{output} or next;
		my $length = () = $output->{text} =~ /\n/g;
		splice(@lines, $output->{line}, $length, trimmed($printed->[$i]));
	}
	spill($document, join('', @lines));
}

my $text = slurp($document);
my @blocks = blocks_of($text);
my @examples = examples_of(@blocks);
my $folder = tempdir(CLEANUP => 1);

symlink("$tree/doc", "$folder/doc");
foreach my $block (@blocks)
{
	spill("$folder/$1", $block->{text}) if $block->{note} =~ /^file:\s*([\w.-]+)$/;
}
my @printed = in_own_database($folder, @examples);
if ($update)
{
	update_document($text, \@examples, \@printed);
	exit 0;
}
print '1..' . scalar(@examples) . (@examples ? "\n" : " # skip nothing to run\n");
report($_ + 1, $examples[$_], $printed[$_] // '') foreach 0 .. $#examples;
