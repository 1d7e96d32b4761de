# What the tests of faults share: a year of a few hundred apps, month by month, in
# steps that can be repeated whatever became of the step before.
package BusyBooks;

use strict;
use warnings;

use Exporter 'import';

our @EXPORT = qw(books_schema months_of steps_of issued_documents broken_documents);

# Apps on every card, with moderation switched on
sub books_schema
{
	my ($apps) = @_;

	return qq{
	CREATE EXTENSION imbilling;
	SELECT im_create_tables();
	INSERT INTO im_app (app_id, name, rate_card)
	SELECT n, 'app ' || n, CASE WHEN n % 10 = 0 THEN 'intl' WHEN n % 7 = 0 THEN 'overseas' ELSE 'cn' END FROM generate_series(1, $apps) n;
	INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
	SELECT n, 1, '2023-01-01 10:00+08'::timestamptz, 'buy', 'plan', CASE WHEN n % 10 = 0 THEN 'standard' ELSE 'pro' END, 12 FROM generate_series(1, $apps) n
	UNION ALL SELECT n, 2, '2023-01-02 10:00+08', 'on', 'moderation', '', NULL FROM generate_series(1, $apps) n WHERE n % 10 <> 0 AND n % 7 <> 0;
	};
}

# Months to work through, one after the other
sub months_of
{
	my ($n) = @_;

	return map { sprintf '%d-%02d', 2010 + int($_ / 12), 1 + $_ % 12 } (156 .. 156 + $n - 1);
}

# The steps of a month: name and SQL.  A load is a transaction that im_load
# makes once only; the others may be called as often as one likes.
sub steps_of
{
	my ($month, $apps) = @_;
	my $load = sub {
		my ($batch, $day, $n) = @_;
		return qq{BEGIN; INSERT INTO im_load (source, batch) VALUES ('gateway', '$batch of $month');
		INSERT INTO im_login (app_id, user_id, at)
		SELECT 1 + i % $apps, 'user ' || i, timestamptz '$month-$day 12:00+08' + i * interval '1 second' FROM generate_series(1, $n * $apps) i;
		INSERT INTO im_call (app_id, at, class, seconds)
		SELECT 1 + i % $apps, timestamptz '$month-$day 13:00+08' + i * interval '1 second', 'hd', 60 + i % 90 FROM generate_series(1, $n * $apps) i
		WHERE i % 10 <> 9;
		INSERT INTO im_moderation_check (app_id, at, kind, seconds)
		SELECT 1 + i % $apps, timestamptz '$month-$day 14:00+08' + i * interval '1 second', 'image', NULL FROM generate_series(1, $n * $apps) i
		WHERE i % 10 <> 9;
		COMMIT;};
	};

	return (
		[ 'load', $load->('logins', '05', 4) ],
		[ 'meter', "SELECT im_meter('$month-01', '$month-28')" ],
		[ 'close', "CALL im_close_month('$month', 25)" ],
		[ 'late load', $load->('late logins', '09', 1) ],
		[ 'adjust', "CALL im_adjust_month('$month', 25)" ]);
}

# All documents and lines without what depends on when they were issued
sub issued_documents
{
	return q{SELECT month, count(*), count(DISTINCT (app_id, revision)), sum(total), md5(string_agg(concat_ws(' ', app_id, revision, kind, currency, total,
			rate_card, card_from), ',' ORDER BY app_id, revision)) FROM im_invoice GROUP BY month ORDER BY month;
		SELECT month, count(*), sum(amount), md5(string_agg(l::text, ',' ORDER BY app_id, revision, line)) FROM im_invoice_line l GROUP BY month ORDER BY month;
		SELECT count(*), md5(string_agg(d::text, ',' ORDER BY d::text)) FROM (SELECT source, batch FROM im_load) d;
		SELECT count(*) FROM im_login; SELECT count(*) FROM im_call; SELECT count(*) FROM im_moderation_check;};
}

# What must be empty at any time: documents that are not whole, apps with two
# invoices, documents whose lines are not theirs, series with a gap or a double,
# documents that the outbox does not have once
sub broken_documents
{
	return q{SELECT * FROM im_verify_invoices();
		SELECT app_id, month, count(*) FROM im_invoice WHERE revision = 0 GROUP BY 1, 2 HAVING count(*) <> 1;
		SELECT i.app_id, i.month FROM im_invoice i LEFT JOIN im_invoice_line l USING (app_id, month) GROUP BY 1, 2
		HAVING count(l.line) = 0 OR abs((SELECT sum(total) FROM im_invoice t WHERE t.app_id = i.app_id AND t.month = i.month)
			- (SELECT sum(amount) FROM im_invoice_line t WHERE t.app_id = i.app_id AND t.month = i.month)) > 0.5;
		SELECT * FROM (SELECT number, row_number() OVER (PARTITION BY left(number, -8) ORDER BY issued_at, number) AS n FROM im_invoice) s
		WHERE right(number, 8)::bigint IS DISTINCT FROM n;
		SELECT app_id, month, revision FROM im_invoice EXCEPT ALL SELECT app_id, month, revision FROM im_outbox WHERE kind ~ 'issued';
		SELECT app_id, month, revision FROM im_outbox WHERE kind ~ 'issued' EXCEPT ALL SELECT app_id, month, revision FROM im_invoice;};
}

1;
