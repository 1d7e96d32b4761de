-- Notes of a closed month: their lines are what has changed, their totals keep
-- the documents together at the rounded bill, and afterwards nothing drifts.
BEGIN;
\ir include/setup.sql
\ir include/ledger.sql

INSERT INTO im_app (app_id, name) SELECT n, 'app ' || n FROM generate_series(1, 12) n;
INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
SELECT a, 1, at8('2023-03-01'), 'buy', 'plan', 'pro', 1 FROM generate_series(1, 11) a;
INSERT INTO im_usage_daily (app_id, day, dau) SELECT a, '2023-03-05', 25000 FROM generate_series(1, 6) a;
CALL turn(7, 2, '2023-03-01', 'on', 'moderation');
CALL pack(8, 2, '2023-03-10', 'month');
CALL pack(8, 3, '2023-03-10', 'month');
CALL talk(9, '2023-03-05 12:00', 'audio', 60);
\set ON_ERROR_STOP 0
CALL im_adjust_month('2023-03');
\set ON_ERROR_STOP 1
SELECT is((:'SQLSTATE')::text, '55000', 'a month that is not closed is not adjusted');
\set ON_ERROR_STOP 0
CALL im_close_month('2023-03', 5);
\set ON_ERROR_STOP 1
SELECT is((:'SQLSTATE')::text, '00000', 'closed');
SELECT is(drift('2023-03'), NULL, 'nothing drifts after a close');
SELECT im_month_root('2023-03') AS root \gset
CALL im_adjust_month('2023-03', 3);
SELECT is(im_month_root('2023-03'), (:'root')::bytea, 'and nothing is adjusted');

-- 1: more. 2: less. 3: the same money for other usage. 4: the same figures on
-- another day. 5, 6: nothing.
CALL daily(1, '2023-03-20', 35000);
UPDATE im_usage_daily SET dau = 9000 WHERE app_id = 2;
UPDATE im_usage_daily SET dau = 25001 WHERE app_id = 3;
UPDATE im_usage_daily SET day = '2023-03-06' WHERE app_id = 4;
SELECT is(drift('2023-03'), '1: 3999.00 - 2999.00 = 1000.00, 2: 999.00 - 2999.00 = -2000.00, 3: 2999.00 - 2999.00 = 0.00',
	'drift: more, less, other lines of the same total; not another day of the same peak');
CALL im_adjust_month('2023-03', 2);
SELECT is(documents('2023-03'), '1:0 invoice 2999.00, 1:1 debit_note 1000.00, 2:0 invoice 2999.00, 2:1 credit_note -2000.00, '
	'3:0 invoice 2999.00, 3:1 debit_note 0.00, 4:0 invoice 2999.00, 5:0 invoice 2999.00, 6:0 invoice 2999.00, 7:0 invoice 999.00, '
	'8:0 invoice 3099.00, 9:0 invoice 999.01, 10:0 invoice 999.00, 11:0 invoice 999.00', 'their notes');
SELECT is(note(1, '2023-03', 1), 'dau_overage:pro 10000 1 1000 1000', 'the line of a note is the difference');
SELECT is(note(2, '2023-03', 1), 'dau_overage:pro -16000 -2 1000 -2000', 'what is less is negative');
SELECT is(note(3, '2023-03', 1), 'dau_overage:pro 1 0 1000 0', 'usage that costs nothing more is a debit note of 0');
SELECT matches((SELECT explanation FROM im_invoice_line WHERE app_id = 1 AND revision = 1), '^Issued as 2000.00 CNY, now 3000.00: Peak DAU 35000',
	'and says why');
SELECT is(drift('2023-03'), NULL, 'then nothing drifts');
SELECT agrees('2023-03', 'adjusted');
SELECT results_eq($$SELECT app_id, item, sum(quantity), sum(amount) FROM im_monthly_bills('2023-03') GROUP BY 1, 2 ORDER BY 1, 2$$,
	$$SELECT a.app_id, b.item, sum(b.quantity), sum(b.amount) FROM im_app a, im_rebill(a.app_id, '2023-03') b GROUP BY 1, 2 ORDER BY 1, 2$$,
	'the documents add up to the bill, line by line');

-- Again, and back
CALL daily(1, '2023-03-21', 45000);
UPDATE im_usage_daily SET dau = 25000 WHERE app_id = 2;
CALL im_adjust_month('2023-03');
DELETE FROM im_usage_daily WHERE app_id = 1;
CALL im_adjust_month('2023-03');
CALL im_adjust_month('2023-03');
SELECT is((SELECT string_agg(revision || ' ' || kind || ' ' || total, ', ' ORDER BY revision) FROM im_invoice WHERE app_id = 1),
	'0 invoice 2999.00, 1 debit_note 1000.00, 2 debit_note 1000.00, 3 credit_note -4000.00', 'a month is adjusted as often as it takes');
SELECT is((SELECT string_agg(revision || ' ' || kind || ' ' || total, ', ' ORDER BY revision) FROM im_invoice WHERE app_id = 2),
	'0 invoice 2999.00, 1 credit_note -2000.00, 2 debit_note 2000.00', 'back to what it was, too');
SELECT is(note(1, '2023-03', 3), 'dau_overage:pro -45000 -4 1000 -4000', 'a line that vanished is taken back as a whole');
SELECT matches((SELECT explanation FROM im_invoice_line WHERE app_id = 1 AND revision = 3), '^Issued as 4000.00 CNY, no longer due', 'and says so');
SELECT agrees('2023-03', 'again');

-- Orders: late ones, refunds, an app without an invoice, packs alike
CALL buy(12, 1, '2023-03-30', 'plan', 'pro');
CALL refund(10, 2, '2023-03-03', 1);
CALL pack(8, 4, '2023-03-10', 'month');
CALL turn(11, 2, '2023-03-31', 'on', 'history_storage', '30d');
CALL im_adjust_month('2023-03', 4);
SELECT is((SELECT string_agg(i.app_id || ':' || revision || ' ' || kind || ' ' || total, ', ' ORDER BY i.app_id) FROM im_invoice i
	WHERE issued_at > (SELECT max(issued_at) FROM im_invoice WHERE app_id = 1)),
	'8:1 debit_note 1050.00, 10:1 credit_note -999.00, 11:1 debit_note 500.00, 12:0 invoice 999.00',
	'late orders and refunds; an app without an invoice gets one');
SELECT is(note(8, '2023-03', 1), 'moderation_pack:month 1 1 1050 1050', 'a third pack of the same day is one line more');
SELECT is(note(10, '2023-03', 1), 'refund:plan 1 1 -999 -999', 'a refund is a new line');
SELECT is(drift('2023-03'), NULL, 'then nothing drifts');
SELECT agrees('2023-03', 'orders');
SELECT is((SELECT invoices FROM im_close_progress), 12::bigint, 'the late invoice is counted');

-- A price that was wrong
UPDATE im_rate_card_version SET terms = jsonb_set(terms, '{plans,pro,price}', '"1001"') WHERE rate_card = 'cn' AND effective_from = '2019-12-10';
SELECT is((SELECT difference FROM im_drift('2023-03') WHERE app_id = 5), 2.00, 'a corrected price list drifts');
CALL im_adjust_month('2023-03');
SELECT is(note(5, '2023-03', 1), E'plan:pro -1 -1 999 -999\nplan:pro 1 1 1001 1001', 'the line at the old price is taken back, the one at the new is billed');
SELECT is((SELECT kind || ' ' || total FROM im_invoice WHERE app_id = 5 AND revision = 1), 'debit_note 2.00', 'in one note');
SELECT agrees('2023-03', 'price');

-- Fractions of a cent: the invoice was 999.007 and said 999.01.
SELECT is((SELECT string_agg(total::text, ' ' ORDER BY revision) FROM im_invoice WHERE app_id = 9), '999.01 2.00', 'a rounded invoice');
CALL talk(9, '2023-03-06 12:00', 'audio', 61);
CALL im_adjust_month('2023-03');
SELECT is((SELECT string_agg(total::text, ' ' ORDER BY revision) FROM im_invoice WHERE app_id = 9), '999.01 2.00 0.01',
	'1001.021 is 1001.02: the note is the difference of the rounded totals');
CALL talk(9, '2023-03-07 12:00', 'audio', 1);
CALL im_adjust_month('2023-03');
SELECT is((SELECT sum(total) FROM im_invoice WHERE app_id = 9), 1001.03, '1001.028 is 1001.03');
CALL talk(9, '2023-03-08 12:00', 'audio', 1);
CALL im_adjust_month('2023-03');
CALL talk(9, '2023-03-09 12:00', 'audio', 1);
CALL im_adjust_month('2023-03');
SELECT is((SELECT string_agg(total::text, ' ' ORDER BY revision) FROM im_invoice WHERE app_id = 9), '999.01 2.00 0.01 0.01 0.01 0.00',
	'1001.042 is 1001.04: a note over 0.007 says 0.00');
SELECT is((SELECT sum(total) FROM im_invoice WHERE app_id = 9), round((SELECT sum(amount) FROM im_rebill(9, '2023-03')), 2),
	'the documents come to the rounded bill');
SELECT agrees('2023-03', 'fractions');

-- Another price list, in another currency
\set ON_ERROR_STOP 0
UPDATE im_app SET rate_card = 'intl' WHERE app_id = 12;
\set ON_ERROR_STOP 1
SELECT is(drift('2023-03'), NULL, 'orders keep an app from a price list that does not sell them');
INSERT INTO im_rate_card_version SELECT 'usd', effective_from, terms || '{"currency": "USD"}' FROM im_rate_card_version WHERE rate_card = 'cn';
UPDATE im_app SET rate_card = 'usd' WHERE app_id IN (6, 9);
SELECT is(drift('2023-03'), '6: 0 - 3001.00 = -3001.00, 6: 3001.00 - 0 = 3001.00, 9: 0 - 1001.04 = -1001.04, 9: 1001.04 - 0 = 1001.04',
	'an app that changed its currency drifts in both');
CALL im_adjust_month('2023-03');
SELECT is((SELECT string_agg(format('%s %s %s %s', revision, kind, total, currency), ', ' ORDER BY revision) FROM im_invoice WHERE app_id = 6),
	'0 invoice 2999.00 CNY, 1 debit_note 2.00 CNY, 2 credit_note -3001.00 CNY, 3 debit_note 3001.00 USD',
	'what was issued in the old currency is taken back, then billed in the new');
SELECT is(im_monthly_total(6, '2023-03'), 3001.00, 'its total is that in the new');
SELECT is((SELECT string_agg(currency || ' ' || total, ', ' ORDER BY currency) FROM im_monthly_totals('2023-03') WHERE app_id = 6),
	'CNY 0.00, USD 3001.00', 'and both are told');
CREATE FUNCTION page_totals(app bigint) RETURNS text LANGUAGE sql
RETURN (SELECT string_agg(t[1] || ' ' || t[2], ', ')
		FROM regexp_matches(im_bill_html(app, '2023-03'), '<tr role="row"><th role="rowheader" scope="row" colspan="6">Total, ([A-Z]+)</th>[^\n]*?<data value="([-0-9.]+)">', 'g') t);
SELECT is(page_totals(6), 'CNY 0.00, USD 3001.00', 'so does its page, in a table for each');
SELECT matches(im_bill_html(6, '2023-03'), 'Lines of the bill, CNY.*Amount \(CNY\).*Lines of the bill, USD.*Amount \(USD\)', 'with its lines in it');
SELECT is((SELECT count(*) FROM regexp_matches(im_bill_html(6, '2023-03'), '3,001.00', 'g')), 2::bigint, 'what was bought is told in the new alone');
CREATE ROLE im_test_customer;
GRANT USAGE ON SCHEMA im_test TO im_test_customer;
SELECT im_grant('im_test_customer', 'tenant') \g /dev/null
UPDATE im_app SET tenant = 'im_test_customer' WHERE app_id = 6;
SET ROLE im_test_customer;
SELECT string_agg(currency || ' ' || total, ', ' ORDER BY currency) AS totals, (SELECT count(*) FROM im_invoices(6, '2023-03')) AS documents,
	(SELECT count(*) FROM im_drift('2023-03')) AS drifts, (SELECT count(*) FROM im_audit(6, '2023-03') WHERE event ~ 'note') AS notes
FROM im_monthly_totals('2023-03') \gset
RESET ROLE;
SELECT is(concat_ws('; ', :'totals', :'documents', :'drifts', :'notes'), 'CNY 0.00, USD 3001.00; 4; 0; 3', 'the customer reads the same of the own app');
SELECT is((SELECT string_agg(DISTINCT currency, ' ') FROM im_invoice_line WHERE app_id = 6 AND revision = 3), 'USD', 'no document mixes them');
SELECT is(drift('2023-03'), NULL, 'then nothing drifts');
SELECT agrees('2023-03', 'currency');

-- A row that cannot be metered
CALL chk(3, '2023-03-09 12:00', 'smoke');
CALL daily(4, '2023-03-20', 35000);
SELECT fails_with($$SELECT * FROM im_drift('2023-03')$$, '22023', 'im_check', 'drift says that it cannot tell');
\set ON_ERROR_STOP 0
CALL im_adjust_month('2023-03');
\set ON_ERROR_STOP 1
SELECT is((:'SQLSTATE')::text, '23514', 'adjusting ends in an error');
SELECT matches((:'LAST_ERROR_MESSAGE')::text, 'app 3 for 2023-03 cannot be right, it is not adjusted', 'that names the app');
SELECT is((SELECT max(revision) FROM im_invoice WHERE app_id = 4), 2, 'all others are adjusted');
SELECT is((SELECT sum(amount) FROM im_monthly_bill(3, '2023-03')), 3001.00, 'what was issued can still be read');
SELECT matches((SELECT detail FROM im_audit(3, '2023-03') WHERE event = 'drift'), 'cannot be right now.*smoke', 'the audit tells of it');
DELETE FROM im_moderation_check;

-- A half closed month
CALL app(13);
CALL buy(13, 1, '2023-05-01', 'plan', 'pro');
CALL daily(13, '2023-05-05', -5);
\set ON_ERROR_STOP 0
CALL im_close_month('2023-05');
\set ON_ERROR_STOP 1
CALL buy(12, 2, '2023-05-03', 'plan', 'pro');
SELECT is(drift('2023-05'), '12: 1001.00 - 0 = 1001.00', 'an app that is open does not drift');
CALL im_adjust_month('2023-05');
SELECT is(documents('2023-05'), '12:0 invoice 1001.00', 'nor is it adjusted');

-- Two months of one app, not in their order
CALL im_close_month('2023-02');
CALL daily(1, '2023-03-22', 35000);
CALL im_adjust_month('2023-03');
CALL im_close_month('2023-01');
SELECT is_empty('SELECT * FROM im_verify_invoices()', 'months closed in any order leave the ledger whole');

-- The story of it
SELECT is((SELECT string_agg(concat_ws(' ', event, amount), ', ' ORDER BY n) FROM im_audit(10, '2023-03') WITH ORDINALITY a(at, event, amount, currency, detail, n)),
	'order 1001.00, order -1001.00, invoice 999.00, closed, credit_note -999.00, debit_note 0.00', 'the audit tells orders and documents');

SELECT * FROM finish();
DROP OWNED BY im_test_customer;
DROP ROLE im_test_customer;
