
# Revenue of closed months: billed is what was issued, and nothing is earned
# or deferred that no document bills.
#
# What would be wrong if this failed: books that change after they were
# closed, or a late order that is earned before its note is issued.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use BillingData;
use Test::More;

my $database = create_database('revenue_closed');

sub revenue
{
	my ($first, $last, $condition) = @_;

	return psql($database, "SELECT app_id, to_char(month, 'YYYY-MM'), item, trim_scale(billed), trim_scale(earned),
		trim_scale(deferred) FROM im_app_revenue('$first', '$last') WHERE $condition ORDER BY 1, 2, 3, option");
}

sub unbalanced
{
	return psql($database, "
		SELECT app_id, item, option, currency, sum(billed), sum(earned)
		FROM im_app_revenue('2023-01', '2023-12')
		GROUP BY 1, 2, 3, 4 HAVING sum(billed) <> sum(earned)
		UNION ALL
		SELECT app_id, item, option, currency, deferred, 0 FROM im_app_revenue('2023-01', '2023-12') WHERE deferred < 0");
}

psql_ok($database, 'CREATE EXTENSION imbilling; SELECT im_create_tables();' . sample_data('public'), 'an installation');
my $open = revenue('2023-01', '2023-12', 'true');
psql_ok($database, "CALL im_close_month('2023-$_')", "2023-$_ is closed") foreach qw(02 03 04);
is(revenue('2023-01', '2023-12', 'true'), $open, 'closing changes nothing');

# An order of March that came after the close
psql_ok($database, "INSERT INTO im_order (app_id, order_id, at, action, item, months)
	VALUES (9, 2, '2023-03-02 10:00+08', 'buy', 'local_moderation', 3)", 'a late order');
my $late = "app_id = 9 AND item = 'local_moderation'";
is(revenue('2023-02', '2023-12', $late), '', 'a late order is not earned before it is billed');
is(revenue('2023-04', '2023-12', $late), '', 'nor in a report of later months');
is(revenue('2023-01', '2023-12', "NOT ($late)"), $open, 'and changes nothing else');
is(unbalanced(), '', 'billed = earned + deferred with a late order');
psql_ok($database, "CALL im_adjust_month('2023-03')", 'a note is issued');
is(revenue('2023-02', '2023-12', $late), <<'EOT' =~ s/\n\z//r, 'then it is earned by day');
9|2023-03|local_moderation|3000|978.26086956|2021.73913044
9|2023-04|local_moderation|0|978.26086957|1043.47826087
9|2023-05|local_moderation|0|1010.86956521|32.60869566
9|2023-06|local_moderation|0|32.60869566|0
EOT
is(revenue('2023-05', '2023-05', $late), '9|2023-05|local_moderation|0|1010.86956521|32.60869566',
	'also in a report of later months');

# A price that was corrected after the close: what was issued is spread
psql_ok($database, q(UPDATE im_rate_card_version SET terms = jsonb_set(terms, '{local_moderation}', '"4000"')
	WHERE rate_card = 'cn'), 'a price is corrected');
my $rounded = "SELECT to_char(month, 'YYYY-MM'), billed, round(earned, 6), round(deferred, 6)
	FROM im_app_revenue('2023-03', '2023-05') WHERE $late ORDER BY 1";
is(psql($database, $rounded), <<'EOT' =~ s/\n\z//r, 'fees as issued are spread as the orders say');
2023-03|3000.00|978.260870|2021.739130
2023-04|0.00|978.260870|1043.478261
2023-05|0.00|1010.869565|32.608696
EOT
is(unbalanced(), '', 'billed = earned + deferred with a corrected price');

done_testing();
