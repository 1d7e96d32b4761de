
# An independent, slow and plain reading of the billing rules.
#
# It takes an app as plain data - card, orders, suspensions, raw rows, daily
# rows - and says what its bill of a month is, which of its orders the rules
# allow and what state it is in.  Nothing here knows the extension's code or
# was written from it; where the two differ, one of them reads the rules
# wrong.  Exact rationals everywhere, every day gone through one by one.

package Reference;

use strict;
use warnings;
use Exporter 'import';
use Reference::Amount;
use Reference::Bill;
use Reference::Calendar;
use Reference::Card;
use Reference::Meter;
use Reference::Orders;
use Reference::Reports;

our @EXPORT = qw(bill_of bill_lines bill_total app_status show_line moderation_statement
  unbilled_usage LINE_COLUMNS);

use constant LINE_COLUMNS =>
  qw(app_id month line item option period due_on quantity included billable
  units unit_price amount currency);

# An app's bill: { lines => [ hashes of texts by LINE_COLUMNS ], total }.
sub bill_of
{
	my ($app, $month) = @_;
	my $bill = Reference::Bill->new($app, $month);
	my @lines = $bill->lines;

	return {
		lines => [ map { line_as_text($_) } @lines ],
		total => show_num($bill->total_of(@lines))
	};
}

sub bill_lines
{
	return @{ bill_of(@_)->{lines} };
}

sub bill_total
{
	return bill_of(@_)->{total};
}

sub line_as_text
{
	my ($line) = @_;
	my %text = map { $_ => $line->{$_} } qw(app_id line item option currency);

	$text{$_} = show_num($line->{$_})
	  foreach qw(quantity included billable units unit_price amount);
	$text{month} = Reference::Calendar::show_day($line->{month});
	$text{due_on} = Reference::Calendar::show_day($line->{due_on});
	$text{period} = sprintf('[%s,%s)',
		Reference::Calendar::show_day($line->{start}),
		Reference::Calendar::show_day($line->{end}));
	return \%text;
}

sub show_line
{
	my ($line) = @_;

	return '(none)' if !$line;
	return join(' | ', map { "$_=$line->{$_}" } (LINE_COLUMNS)[ 2 .. 12 ]);
}

sub moderation_statement
{
	return Reference::Reports::moderation_statement(@_);
}

sub unbilled_usage
{
	return Reference::Reports::unbilled_usage(@_);
}

# The state of a day, by R1's "in force", looking back from all orders: a
# renewal in the grace makes the days of the grace days of its term.
sub app_status
{
	my ($app, $day) = @_;
	my $log =
	  Reference::Orders->replay($app->{card}, $app->{orders}, 5_000_000);
	my $bill = bless { app => $app, log => $log }, 'Reference::Bill';
	my ($state) = $log->plan_state($day);
	my $why_not = $bill->out_of_service($day);

	return $why_not if $why_not ne '';
	return $state eq 'running' ? 'active' : $state;
}

1;
