#!/usr/bin/perl
#
# 185_docs.pl
#	  The documents lead somewhere: every link to a file that is there, every
#	  anchor to a heading; the README to all of them.  What the source says of a
#	  document is of one that there is, and make install installs them.
#
# What they tell to run is run by the readme layer.
use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use FindBin;
use Test::More;

my $tree = abs_path($ENV{IMBILLING_TREE} // "$FindBin::Bin/../..");
my %anchors;

sub content
{
	my ($file) = @_;

	open(my $in, '<', $file) or die "$file: $!";
	local $/ = undef;
	return scalar <$in>;
}

# Without fenced blocks, where nothing is a heading or a link
sub prose
{
	my ($file) = @_;

	return content($file) =~ s/^```.*?^```$//msgr;
}

# As GitHub makes it of a heading
sub anchor
{
	my ($heading) = @_;

	$heading =~ s/\[([^\]]*)\]\([^)]*\)/$1/g;
	return lc($heading) =~ s/[^\w\- ]//gr =~ s/ /-/gr;
}

sub anchors_of
{
	my ($file) = @_;

	$anchors{$file} //= { map { anchor($_) => 1 } prose($file) =~ /^#+ (.*?)\s*$/mg };
	return $anchors{$file};
}

sub links_of
{
	my ($file) = @_;
	my $text = prose($file) =~ s/`[^`\n]*`//gr;

	return grep { !/^[a-z]+:/ } $text =~ /\]\(([^)\s]+)\)/g;
}

# What is wrong with a link, or nothing
sub problem_of
{
	my ($from, $link) = @_;
	my ($path, $anchor) = $link =~ /^([^#]*)(?:#(.*))?$/;
	my $target = $path eq '' ? $from : dirname($from) . "/$path";

	return "$link: there is no such file" if !-e $target;
	return "$link: there is no such heading" if defined $anchor && !anchors_of(abs_path($target))->{$anchor};
	return ();
}

my @documents = map { abs_path($_) } glob("$tree/*.md $tree/doc/*.md $tree/src/*.md $tree/sql/*.md $tree/test/*.md $tree/.github/*.md");
foreach my $file (@documents)
{
	my $name = $file =~ s{^\Q$tree\E/}{}r;

	is(join("\n", map { problem_of($file, $_) } links_of($file)), '', "$name: every link leads somewhere");
	my %times;
	$times{ anchor($_) }++ foreach prose($file) =~ /^#+ (.*?)\s*$/mg;
	is(join(' ', grep { $times{$_} > 1 } sort keys %times), '', "$name: no two headings share an anchor")
	  if $name !~ /CHANGELOG/;
}

# The door
my %led = map { s/#.*//r => 1 } links_of("$tree/README.md");
is(join(' ', grep { !$led{"doc/$_"} } map { basename($_) } glob("$tree/doc/*.md")), '', 'the README leads to every document');
cmp_ok(scalar(() = content("$tree/README.md") =~ /\n/g), '<=', 300, 'and stays short');

# What the source says of documents
my @sources = grep { !m{/imbilling--} } glob("$tree/src/*/*.[ch] $tree/sql/*.sql $tree/Makefile $tree/test/run/* $tree/test/*/*.{pl,sql,sh}");
my (@wrong, $told);
foreach my $file (@sources)
{
	foreach my $document (content($file) =~ m{\b(doc/[\w-]+\.md)\b}g)
	{
		$told++;
		push @wrong, "$file: $document" if !-e "$tree/$document";
	}
}
is("@wrong", '', 'the source names documents that there are');
cmp_ok($told, '>', 3, 'and names some');
# What issued lines may have as their reason
my ($words) = content("$tree/src/core/bill/reason_words.c") =~ /words\[\] = \{\n(.*?)^\};/ms;
my @codes = $words =~ /^\t\{"(\w+)", \{/mg;
my ($reasons) = content("$tree/doc/reference.md") =~ /^## Reasons of lines\n(.*?)^## /ms;
my @explained = map { /`(\w+)`/g } $reasons =~ /^\| (`[^|]*) \|/mg;
is(join(' ', sort grep { $_ ne 'reason' } @explained), join(' ', sort @codes), 'every reason of a line is explained');
cmp_ok(scalar(@codes), '>', 40, 'and there are many');
my ($docfile) = content("$tree/META.json") =~ /"docfile": "([^"]+)"/;
ok($docfile && -e "$tree/$docfile", 'so does META.json');

SKIP:
{
	skip 'this server was not made by make test', 1 if !$ENV{PG_CONFIG};
	chomp(my $docs = `$ENV{PG_CONFIG} --docdir`);
	is(join(' ', grep { !-e "$docs/imbilling/$_" } 'README.md', map { s{^\Q$tree\E/}{}r } glob("$tree/doc/*")), '', 'all are installed');
}

done_testing();
