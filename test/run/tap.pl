#!/usr/bin/perl
#
# tap.pl --count FILE [--jobs N [--in-turn PATTERN]] [--exec COMMAND] TEST...
#	  Run tests that speak TAP, N at a time, and leave "passed failed" in FILE.
#
# A test that dies, exits with a failure, runs fewer tests than it planned or
# none at all counts as failed, each at least once: prove reports those in
# prose only.  What a test says on standard error, which is full of errors
# that it expects, is shown where it failed.
#
# Of N at a time those whose text matches the pattern run one after the other.
use strict;
use warnings;

use File::Temp qw(tempdir);
use Getopt::Long;
use TAP::Harness;

my ($count_file, $command, $pattern, $jobs) = ('', undef, '', 1);
GetOptions('count=s' => \$count_file, 'exec=s' => \$command, 'jobs=i' => \$jobs, 'in-turn=s' => \$pattern) or exit 2;

my $errors = tempdir(CLEANUP => 1);

sub errors_of
{
	my ($file) = @_;

	return "$errors/" . $file =~ s{.*/}{}r;
}

# A perl script or a program by itself
sub command_line
{
	my ($harness, $file) = @_;
	my @command = defined $command ? (split(/ /, $command), $file)
		: $file =~ /\.(pl|t)$/ ? ($^X, $file)
		: $file;

	return [ 'sh', '-c', 'exec "$@" 2>"$0"', errors_of($file), @command ];
}

sub show_errors
{
	my ($job, $parser) = @_;

	open(my $in, '<', errors_of($job->[0])) or return;
	print STDERR <$in> if failures_of($parser);
}

# What is wrong with a test beyond failed assertions
sub failures_of
{
	my ($parser) = @_;
	my $failed = $parser->failed;
	my $missing = ($parser->tests_planned || 0) - $parser->tests_run;

	$failed += $missing if $missing > 0;
	$failed = 1 if $failed == 0 && $parser->has_problems;
	$failed = 1 if $failed == 0 && !$parser->passed && !$parser->skip_all;
	return $failed;
}

sub is_in_turn
{
	my ($file) = @_;

	return 0 if $pattern eq '';
	open(my $in, '<', $file) or die "$file: $!";
	local $/;
	return <$in> =~ /$pattern/;
}

# The rules of the harness name files.
sub rules
{
	my @in_turn = grep { is_in_turn($_) } @_;

	return { par => [ (@in_turn ? { seq => \@in_turn } : ()), '*' ] };
}

my ($passed, $failed) = (0, 0);
if (@ARGV)
{
	my $harness = TAP::Harness->new(
		{ exec => \&command_line, failures => 1, comments => 1, jobs => $jobs, rules => rules(@ARGV) });
	$harness->callback(after_test => \&show_errors);
	my $result = $harness->runtests(map { [ $_, m{([^/]+)$} ] } @ARGV);

	foreach my $parser ($result->parsers)
	{
		$passed += $parser->passed;
		$failed += failures_of($parser);
	}
}

open(my $out, '>', $count_file) or die "$count_file: $!";
print $out "$passed $failed\n";
close($out);
exit($failed ? 1 : 0);
