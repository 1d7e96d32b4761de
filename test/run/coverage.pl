#!/usr/bin/perl
#
# coverage.pl ROOT FOLDER...
#	  A table of the lines of ROOT/src that gcov's data below the folders say were
#	  run, then the lines that were not.  Fails below 95%.
#
# A source may have been compiled more than once, for the server and for the
# core's own tests: a line was run if it was run in any.  Lines marked
# "not covered:" in a comment, with the reason, or in a block that begins so,
# are listed apart but counted like all others.
use strict;
use warnings;

use File::Find;
use File::Spec;
use File::Temp qw(tempdir);
use JSON::PP;

my ($root, @folders) = @ARGV;
my %runs;

sub add_data
{
	my ($data) = @_;
	my $dir = tempdir(CLEANUP => 1);
	my $folder = (File::Spec->splitpath($data))[1];

	# the paths in the data are relative to where the compiler stood
	open(my $out, '-|', 'gcov', '--json-format', '--stdout', '--object-directory', $folder, $data) or die "gcov: $!";
	local $/;
	my $text = <$out>;
	return unless defined $text && $text =~ /\S/;
	for my $file (@{ (JSON::PP->new->incr_parse($text))->{files} })
	{
		next unless $file->{file} =~ m{(?:^|/)(src/(?:\w+/)+[\w.]+)$};
		my $name = $1;
		$runs{$name}{ $_->{line_number} } += $_->{count} for @{ $file->{lines} };
	}
}

find({ no_chdir => 1, wanted => sub { add_data($_) if /\.gcda$/ } }, @folders);
die "no data of gcov below @folders\n" unless %runs;

my %total;
for my $name (sort keys %runs)
{
	my ($folder) = $name =~ m{^src/(.+)/};
	my @all = values %{ $runs{$name} };

	$_->{lines} += @all, $_->{run} += grep({ $_ > 0 } @all), $_->{files}++ for ($total{$folder} //= {}), ($total{all} //= {});
}

print "| folder | files | lines | run | share |\n|---|---|---|---|---|\n";
for my $folder ((grep { $_ ne 'all' } sort keys %total), 'all')
{
	my $t = $total{$folder};
	printf "| %s | %d | %d | %d | %.1f%% |\n", $folder eq 'all' ? 'all' : "src/$folder", @$t{qw(files lines run)},
	  100 * $t->{run} / $t->{lines};
}

print "\nNot run:\n";
for my $name (sort keys %runs)
{
	my @missing = sort { $a <=> $b } grep { $runs{$name}{$_} == 0 } keys %{ $runs{$name} };
	next unless @missing;
	open(my $in, '<', "$root/$name") or die "$root/$name: $!";
	my @source = <$in>;
	print "$name:$_:$source[$_ - 1]" for @missing;
}
exit(100 * $total{all}{run} / $total{all}{lines} < 95);
