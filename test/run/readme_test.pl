#!/usr/bin/perl
#
# readme_test.pl [--update] README.md
#	  Run the SQL of the README and compare what it prints with what it says.
#
# All ```sql blocks run in their order in one psql session of the database
# that PGDATABASE names.  A ```text block that follows one, with nothing but
# blank lines between, is what it must print; a block without must run without
# an error.  A block after the line
#	  <!-- file: NAME -->    is written to NAME in the session's folder first,
#	  <!-- not run -->       is left alone; a colon and a name may tell who runs it.
# --update puts what was printed into the text blocks instead.
use strict;
use warnings;

use Cwd qw(abs_path);
use File::Temp qw(tempdir);

my $update = @ARGV && $ARGV[0] eq '--update' ? shift : 0;
my $readme = abs_path($ARGV[0] // die "usage: readme_test.pl [--update] README.md\n");
my $marker = '-- end of README block';

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
		if ($block->{language} eq 'sql') { push @examples, $block; }
		elsif ($block->{language} eq 'text' && $block->{follows} && @examples)
		{
			$examples[-1]{output} = $block unless $examples[-1]{output};
		}
	}
	return @examples;
}

# What psql printed for each example, errors where they occurred.
sub run_examples
{
	my ($folder, @examples) = @_;

	spill("$folder/readme.sql",
		join('', map { "$_->{text}\n\\echo '$marker'\n" } @examples));
	chdir($folder) or die "$folder: $!";
	my $printed = `psql -X -q -P pager=off -f readme.sql 2>&1`;
	$printed =~ s/^psql:readme\.sql:\d+: //mg;
	my @printed = split(/^\Q$marker\E\n/m, $printed, -1);
	die "psql ended early:\n$printed" if @printed <= @examples;
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
	my $name = "README.md line $example->{line}";
	my $wanted = $example->{output} ? trimmed($example->{output}{text}) : undef;
	my $good = defined $wanted ? trimmed($printed) eq $wanted : $printed !~ /^(ERROR|FATAL|PANIC): /m;

	print $good ? "ok $number - $name\n" : "not ok $number - $name\n";
	return if $good;
	print map { "# $_\n" } 'printed:', split(/\n/, $printed);
	print map { "# $_\n" } 'the README says:', split(/\n/, $wanted) if defined $wanted;
}

sub update_readme
{
	my ($text, $examples, $printed) = @_;
	my @lines = split(/^/, $text);

	foreach my $i (reverse 0 .. $#$examples)
	{
		my $output = $examples->[$i]{output} or next;
		my $length = () = $output->{text} =~ /\n/g;
		splice(@lines, $output->{line}, $length, trimmed($printed->[$i]));
	}
	spill($readme, join('', @lines));
}

my $text = slurp($readme);
my @blocks = blocks_of($text);
my @examples = examples_of(@blocks);
my $folder = tempdir(CLEANUP => 1);

foreach my $block (@blocks)
{
	spill("$folder/$1", $block->{text}) if $block->{note} =~ /^file:\s*([\w.-]+)$/;
}
my @printed = run_examples($folder, @examples);
chdir('/');
if ($update)
{
	update_readme($text, \@examples, \@printed);
	exit 0;
}
print '1..' . scalar(@examples) . "\n";
report($_ + 1, $examples[$_], $printed[$_] // '') foreach 0 .. $#examples;
