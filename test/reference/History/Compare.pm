
# The extension's answers against the reference's, row by row.

package History::Compare;

use strict;
use warnings;
use Exporter 'import';
use History;
use Reference;
use Reference::Calendar;
use Test::More;

our @EXPORT = qw(month_text plain compare_month same_rows);

use constant SHOWN => 4;

sub month_text
{
	return Reference::Calendar::show_day($_[0]);
}

# A number as the reference writes it: without trailing zeroes.
sub plain
{
	my ($text) = @_;

	return $text if !defined $text || $text !~ /^-?\d+\.\d+$/;
	$text =~ s/\.?0+$//;
	return $text;
}

# The extension's lines of a month by app: { app_id => [ line, ... ] }.
sub lines_of_database
{
	my ($db, $month) = @_;
	my @columns = (LINE_COLUMNS);
	my $list = join(', ', @columns, 'explanation');
	my %lines;

	foreach my $row ($db->rows(
			"SELECT $list FROM im_monthly_bills('$month') ORDER BY app_id, line"
		))
	{
		my %line;

		@line{ @columns, 'explanation' } = map { plain($_) } @$row;
		push @{ $lines{ $line{app_id} } }, \%line;
	}
	return \%lines;
}

# The columns in which two lines differ.
sub differing
{
	my ($want, $got) = @_;

	return 'presence' if !$want || !$got;
	my @columns =
	  grep { ($want->{$_} // 'NULL') ne ($got->{$_} // 'NULL') } LINE_COLUMNS;
	push @columns, 'explanation' if ($got->{explanation} // '') eq '';
	return join ' ', @columns;
}

# Lines are paired by what they are about, so that one missing line does not
# make all after it differ; number only tells apart what nothing else does.
sub key_of
{
	my ($line) = @_;

	return join '/', @$line{qw(item option due_on period)};
}

sub paired
{
	my ($want, $got) = @_;
	my (%got, @pairs);

	push @{ $got{ key_of($_) } }, $_ foreach @$got;
	push @pairs, [ $_, shift @{ $got{ key_of($_) } || [] } ] foreach @$want;
	push @pairs, map { [ undef, $_ ] } map { @{ $got{$_} } } sort keys %got;
	return @pairs;
}

# What the days of a month came to, for the lines that meter usage.
sub usage_text
{
	my ($app, $month) = @_;
	my $meter = $app->{meter};
	my @text;

	foreach my $day ($month .. next_month($month) - 1)
	{
		my @figures = (
			$meter->dau($day),
			$meter->peak_groups($day),
			(map { $meter->checks($day, $_) } qw(text image)),
			(map { $meter->half_minutes($day, $_) } qw(audio video)),
			(map { $meter->minutes($day, $_) } qw(audio sd hd fhd)));

		push @text,
		  month_text($day)
		  . sprintf(
			' dau %s, groups %s, checks %s %s, half minutes %s %s,'
			  . ' calls %s %s %s %s',
			@figures)
		  if grep { $_ } @figures;
	}
	return join "\n", @text;
}

# All that is known of the meter that a line is about.
sub named_text
{
	my ($app, $line) = @_;
	my $meter = $line->{item};
	my @text = map { "$meter at " . show_instant($_->{at}) . ": $_->{quantity} " . ($_->{subject} // '') }
	  sort { $a->{at} <=> $b->{at} } grep { $_->{meter} eq $meter } @{ $app->{events} };
	my $given = $app->{given}{$meter} || {};

	push @text, map {
		"$meter given on " . month_text($_) . ': ' . ($given->{$_}{quantity} // '-')
		  . ($given->{$_}{users} ? " {@{ $given->{$_}{users} }}" : '')
	} sort { $a <=> $b } keys %$given;
	return join "\n", @text;
}

my $shown = 0;

sub show_difference
{
	my ($app, $month, $want, $got, $columns) = @_;
	my $version = $app->{card}->of_month($month);
	my ($of_month) =
	  grep { $_->{terms} == $version } @{ $app->{card}{versions} };

	return if $shown++ >= SHOWN;
	diag("---- differs in: $columns");
	diag('reference: ' . show_line($want));
	diag('extension: ' . show_line($got));
	diag("           $got->{explanation}")
	  if $got && defined $got->{explanation};
	diag(describe_app($app, next_month($month) - 1));
	diag("card from " . month_text($_->{from}) . ": $_->{json}")
	  foreach @{ $app->{card}{versions} };
	diag(usage_text($app, $month));
	diag(named_text($app, $got // $want)) if $app->{named};
}


# What the reference makes of a month of an app, computed once.
sub bill_once
{
	my ($app, $month) = @_;

	return $app->{bill_of}{$month} //= bill_of($app, $month);
}

# Compares the lines of all apps; returns the totals of the reference by app.
sub compare_month
{
	my ($db, $history, $month, $when) = @_;
	my $lines = lines_of_database($db, month_text($month));
	my ($differences, $compared) = (0, 0);
	my %total;

	foreach my $app (@{ $history->{apps} })
	{
		my $bill = bill_once($app, $month);

		$total{ $app->{app_id} } = $bill->{total};
		foreach my $pair (paired($bill->{lines}, $lines->{ $app->{app_id} } || []))
		{
			my $columns = differing(@$pair);

			$compared++;
			next if $columns eq '';
			$differences++;
			show_difference($app, $month, @$pair, $columns);
		}
	}
	is($differences, 0,
		"$compared lines of " . month_text($month) . ' are as the rules say' . ($when // ''));
	return \%total;
}

# Two lists of rows, as sets of texts; shows a few that one side lacks.
sub same_rows
{
	my ($want, $got, $name) = @_;
	my %count;

	$count{ join ' ', map { plain($_ // 'NULL') } @$_ }++ foreach @$want;
	$count{ join ' ', map { plain($_ // 'NULL') } @$_ }-- foreach @$got;
	my @differing = sort grep { $count{$_} } keys %count;
	is(scalar @differing, 0, scalar(@$want) . " rows of $name");
	diag(($count{$_} > 0 ? 'reference: ' : 'extension: ') . $_)
	  foreach @differing[ 0 .. ($#differing > 7 ? 7 : $#differing) ];
}

1;
