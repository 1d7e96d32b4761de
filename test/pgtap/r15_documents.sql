-- R15: closed months belong to the account that their documents were issued to, and
-- are owed as they were issued. If one moved with its app, a customer would owe what
-- another was billed.
BEGIN;
\ir include/setup.sql
\ir include/ledger.sql

CREATE FUNCTION balance(account_id bigint, at text) RETURNS text LANGUAGE sql
RETURN (SELECT string_agg(concat_ws(' ', b.currency, n(b.owed), n(b.paid), n(b.balance)), E'\n')
		FROM im_balance(balance.account_id, balance.at::timestamptz) b);
CREATE FUNCTION totals(month text) RETURNS text LANGUAGE sql
RETURN (SELECT string_agg(t.account_id || ' ' || n(t.total), ', ' ORDER BY t.account_id) FROM im_account_totals(totals.month::im_month) t);

INSERT INTO im_account (account_id, name, opened_on) VALUES (7, 'seven', '2023-01-01'), (8, 'eight', '2023-01-01');
CALL app(1);
UPDATE im_app SET account_id = 7 WHERE app_id = 1;
CALL buy(1, 1, '2023-03-01 10:00', 'plan', 'pro', 1);
CALL buy(1, 2, '2023-03-31 10:00', 'plan', 'pro', 1);
CALL turn(1, 3, '2023-03-01 10:00', 'on', 'moderation');
CALL daily(1, '2023-03-05', texts => 1000, dau => 10001);
CALL daily(1, '2023-04-05', texts => 3000);
SELECT is(balance(7, '2023-03-10 12:00+08'), 'CNY 1000 0 -1000', 'an open month, part of it due');
CREATE TABLE open AS SELECT d::date AS day, balance(7, d::text) AS balance FROM generate_series('2023-02-27 12:00+08'::timestamptz, '2023-04-03 12:00+08', '1 day') d;
CALL im_close_month('2023-03');
SELECT results_eq('SELECT day, balance FROM open ORDER BY day',
	$$SELECT d::date, balance(7, d::text) FROM generate_series('2023-02-27 12:00+08'::timestamptz, '2023-04-03 12:00+08', '1 day') d ORDER BY 1$$,
	'a close moves no balance of any day');
SELECT is(balance(7, '2023-05-02 12:00+08'), 'CNY 3002 0 -3002', 'nor of a later month, of which the documents are added');

UPDATE im_app SET account_id = 8 WHERE app_id = 1;
SELECT is(totals('2023-03'), '7 2999', 'the closed month stays with the account');
SELECT is(totals('2023-04'), '8 3', 'the open one goes with the app');
SELECT is((SELECT string_agg(b.item || ' ' || n(b.amount), ', ' ORDER BY b.line) FROM im_account_bill(7, '2023-03') b),
	'plan 999, plan 999, dau_overage 1000, moderation 1', 'its lines, too');
SELECT is(balance(7, '2023-05-02 12:00+08'), 'CNY 2999 0 -2999', 'and what is owed for it');
SELECT is(balance(8, '2023-05-02 12:00+08'), 'CNY 3 0 -3', 'beside what is open');

-- Late usage is not owed before its note, whatever the days come to now
CALL daily(1, '2023-03-06', texts => 5000);
SELECT is(balance(7, '2023-05-02 12:00+08'), 'CNY 2999 0 -2999', 'drift is not owed');
CALL im_adjust_month('2023-03');
SELECT is(documents('2023-03'), '1:0 invoice 2999.00, 1:1 debit_note 5.00', 'until its note');
SELECT is(balance(7, '2023-05-02 12:00+08'), 'CNY 2999 0 -2999', 'which is not owed before its issue');
SELECT is(balance(7, (now() + interval '1 second')::text), 'CNY 3004 0 -3004', 'and then by the account of the invoice');
SELECT is(balance(8, (now() + interval '1 second')::text), 'CNY 3 0 -3', 'not by that of the app');
SELECT is((SELECT string_agg(concat_ws(' ', u.app_id, u.month, u.revision, n(u.unpaid)), E'\n') FROM im_unpaid(7, now() + interval '1 second') u),
	E'1 2023-03-01 0 2999\n1 2023-03-01 1 5', 'both make up the arrears');

-- A month that came before the account does not bring its document
INSERT INTO im_account (account_id, name, opened_on) VALUES (9, 'nine', '2023-01-01');
CALL im_close_month('2023-04');
UPDATE im_app SET account_id = 9 WHERE app_id = 1;
SELECT is(balance(9, '2023-06-02 12:00+08'), NULL, 'documents of another account are not brought along');
UPDATE im_account SET opened_on = '2023-03-07' WHERE account_id = 7;
SELECT is(balance(7, '2023-05-02 12:00+08'), 'CNY 1999 0 -1999', 'of a closed month what fell due before the account was opened is not owed: not a plan, nor what was used by then');
SELECT is(totals('2023-04'), '8 3', 'nor does its close');

SELECT * FROM finish();
