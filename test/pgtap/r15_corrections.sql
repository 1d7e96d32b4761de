-- R15: voids, credits and charges.
BEGIN;
\ir include/setup.sql

CREATE PROCEDURE voids(app_id bigint, id bigint, at text, refunds bigint) LANGUAGE sql AS $$
	INSERT INTO im_order (app_id, order_id, at, action, item, refunds) VALUES (app_id, id, at8(at), 'void', '', refunds);
$$;
CREATE PROCEDURE by_hand(app_id bigint, id bigint, at text, action text, option text, paid numeric) LANGUAGE sql AS $$
	INSERT INTO im_order (app_id, order_id, at, action, item, option, paid) VALUES (app_id, id, at8(at), action, 'manual', option, paid);
$$;

-- A month typed as twelve -----------------------------------------------------------
CALL app(1);
CALL app(2);
CALL buy(1, 1, '2023-03-10 10:00', 'plan', 'pro', 12);
CALL voids(1, 2, '2023-03-10 10:20', 1);
CALL buy(1, 3, '2023-03-10 10:21', 'plan', 'pro', 1);
CALL buy(2, 3, '2023-03-10 10:21', 'plan', 'pro', 1);
CALL settle();
SELECT bill_is(1, '2023-03', bill(2, '2023-03'), 'a voided order leaves no trace in the bill');
SELECT is(bill(1, '2023-03'), ARRAY['plan:pro | [2023-03-10,2023-04-10) | 2023-03-10 | 1 0 1 1 999 999'], 'which is that of the order in its place');
SELECT is(status(1, '2023-04-17'), 'stopped', 'nor in the state of the app');
SELECT results_eq($$SELECT item, option, billed, earned, deferred FROM im_app_revenue('2023-03', '2023-05') WHERE app_id = 1 ORDER BY month$$,
	$$SELECT item, option, billed, earned, deferred FROM im_app_revenue('2023-03', '2023-05') WHERE app_id = 2 ORDER BY month$$,
	'nor in what is earned');
SELECT is((SELECT count(*) FROM im_audit(1, '2023-03') WHERE event = 'order'), 3::bigint, 'but in the log it stays');
SELECT matches((SELECT string_agg(detail, E'\n') FROM im_audit(1, '2023-03')), 'Order 2: void of order 1', 'with its void');
SELECT is(im_check_orders(), 2::bigint, 'and the log is sound');

-- Voided much later: the bill of the order's month is another one.
CALL app(3);
CALL buy(3, 1, '2023-03-10', 'plan', 'pro', 1);
CALL pack(3, 2, '2023-03-11', 'year_large');
CALL voids(3, 3, '2023-09-11', 2);
SELECT is(amounts(3, '2023-03', 'moderation_pack'), '', 'a void of September takes an order out of the bill of March');
SELECT is((SELECT sum(total) FROM im_monthly_totals('2023-03') WHERE app_id = 3), 999.00, 'and out of the bills of all apps');

-- What is refused --------------------------------------------------------------------
CALL app(4);
CALL buy(4, 1, '2023-03-01', 'plan', 'pro', 2);
CALL buy(4, 2, '2023-03-02', 'call', 'basic');
CALL buy(4, 3, '2023-03-03', 'plan', 'pro', 1);
CALL refund(4, 4, '2023-03-04', 2);
CALL settle();
SELECT refused($$CALL voids(4, 5, '2023-03-05', 9)$$, 'order 9 cannot be voided.*no order of that number', 'an unknown order');
SELECT refused($$CALL voids(4, 5, '2023-03-05', 5)$$, 'A void is never voided', 'itself');
SELECT refused($$CALL voids(4, 5, '2023-03-02 23:59:59.999999', 3)$$, 'earlier time than the order', 'an order of a later time');
SELECT accepted($$CALL voids(4, 5, '2023-03-03', 3)$$, 'not one of the same instant');
SELECT accepted($$CALL voids(4, -5, '2023-03-03', 3)$$, 'whatever the numbers');
SELECT refused($$CALL voids(4, 5, '2023-03-05', 2)$$, 'without order 2, order 4 would break a rule', 'what was refunded');
SELECT refused($$CALL voids(4, 5, '2023-03-05', 1)$$, 'without order 1, order 2 would break a rule: add-on "call" needs a paid plan', 'a plan under an add-on');
CALL voids(4, 5, '2023-03-05', 4);
CALL voids(4, 6, '2023-03-05', 2);
SELECT accepted('SELECT', 'the refund first, then what it refunded');
SELECT refused($$CALL voids(4, 7, '2023-03-06', 1)$$, 'without order 1, order 3 would have another term, price or amount', 'a term that another one follows');
SELECT refused($$CALL voids(4, 7, '2023-03-06', 2)$$, 'An order is voided once', 'a second void of the same order');
SELECT refused($$CALL voids(4, 7, '2023-03-06', 5)$$, 'A void is never voided', 'a void');
SELECT refused($$CALL refund(4, 7, '2023-03-06', 2)$$, 'no earlier purchase', 'a refund of what was voided');
SELECT refused($$INSERT INTO im_order VALUES (4, 7, at8('2023-03-06'), 'void', 'call', '', NULL, 1, 3)$$, 'That order is of "plan"', 'a void that names another item');
SELECT refused($$INSERT INTO im_order VALUES (4, 7, at8('2023-03-06'), 'void', '', '', NULL, 1, NULL)$$, 'must name the order to void', 'a void of nothing');
SELECT refused($$INSERT INTO im_order VALUES (4, 7, at8('2023-03-06'), 'void', '', '', 1, 1, 3)$$, 'Leave months null', 'a void with months');
SELECT refused($$INSERT INTO im_order VALUES (4, 7, at8('2023-03-06'), 'void', '', '', NULL, 1, 3, 5)$$, 'Leave paid null', 'a void with an amount');
SELECT refused($$INSERT INTO im_order VALUES (4, 7, at8('2023-03-06'), 'buy', 'plan', 'pro', 1, 1, 3)$$, 'only a refund or a void names', 'a purchase that names an order');
-- 1998 for the price of a month are gone if the first refund counts no more.
CALL app(5);
CALL buy(5, 1, '2023-03-01', 'plan', 'pro');
CALL buy(5, 2, '2023-03-01', 'local_moderation', '', 1);
CALL refund(5, 3, '2023-03-02', 1);
CALL refund(5, 4, '2023-03-03', 2);
SELECT refused($$CALL voids(5, 5, '2023-03-04', 3)$$, 'without order 3, order 4 would have another term, price or amount', 'the first refund under the second');
SELECT accepted($$CALL voids(5, 5, '2023-03-04', 4)$$, 'not the second');
SELECT refused($$CALL buy(5, 6, '2023-03-02', 'plan', 'flagship'); CALL voids(5, 7, '2023-03-04', 3)$$,
	'without order 3, order 6 would break a rule', 'a refund under what was bought in its place');

-- Credits and charges ----------------------------------------------------------------
CALL app(6);
CALL by_hand(6, 1, '2023-03-15 23:59', 'credit', 'outage of 3 hours', 100.005);
CALL by_hand(6, 2, '2023-03-14', 'charge', 'set-up', 250);
CALL by_hand(6, 3, '2023-03-15', 'credit', 'outage of 3 hours', 0.00000001);
SELECT bill_is(6, '2023-03', ARRAY[
	'credit:outage of 3 hours | [2023-03-15,2023-03-16) | 2023-03-15 | 1 0 1 1 -100.005 -100.005',
	'credit:outage of 3 hours | [2023-03-15,2023-03-16) | 2023-03-15 | 1 0 1 1 -0.00000001 -0.00000001',
	'charge:set-up | [2023-03-14,2023-03-15) | 2023-03-14 | 1 0 1 1 250 250'],
	'credits and charges are lines of their day, signed, without a plan too');
SELECT is(im_monthly_total(6, '2023-03'), 149.99, 'and of the total');
SELECT is((SELECT explanation FROM im_monthly_bill(6, '2023-03') WHERE line = 1), 'Credit of 100.005 CNY by order 1: outage of 3 hours.', 'with their reason');
SELECT results_eq($$SELECT month, item, option, billed, earned, deferred FROM im_app_revenue('2023-02', '2023-04') WHERE app_id = 6 ORDER BY month, item$$,
	$$VALUES ('2023-03-01'::date, 'charge', 'set-up', 250::numeric, 250::numeric, 0::numeric),
		('2023-03-01', 'credit', 'outage of 3 hours', -100.00500001, -100.00500001, 0)$$,
	'earned on their day');
SELECT results_eq($$SELECT fact, day, amount, source FROM im_explain(6, '2023-03', 3) WHERE fact <> 'line' ORDER BY ordinal$$,
	$$VALUES ('order', '2023-03-14'::date, 250::numeric, im_internal.im_fact_source('order', 6, NULL, NULL, NULL, 2, NULL, NULL, NULL)),
		('reason', '2023-03-14', NULL, im_internal.im_fact_source('order', 6, NULL, NULL, NULL, 2, NULL, NULL, NULL)),
		('amount', NULL, 250, NULL)$$,
	'explained by their order');
SELECT results_eq($$SELECT order_id, day, starts_on, amount FROM im_order_terms() WHERE app_id = 6 ORDER BY order_id$$,
	$$VALUES (1::bigint, '2023-03-15'::date, NULL::date, -100.005), (2, '2023-03-14', NULL, 250.00), (3, '2023-03-15', NULL, -0.00000001)$$,
	'and shown with the orders');
SELECT matches(im_bill_html(6, '2023-03', 'en'), 'Credits and charges.*outage of 3 hours', 'a page shows them');
SELECT matches(im_bill_html(6, '2023-03', 'zh'), '人工加收，金额 250 CNY', 'in Chinese as well');
SELECT results_eq($$SELECT total, reason FROM im_compare_cards('2023-03', im_bundled_card('cn', '2019-12-10'), im_bundled_card('cn', '2024-01-01')) c(app_id, total, c1, total_b, c2, difference, moved, reason)
	WHERE app_id = 6$$, $$VALUES (149.99, NULL::text)$$, 'under another card they are what they are');
CALL voids(6, 4, '2023-04-01', 2);
CALL voids(6, 5, '2023-04-01', 1);
SELECT bill_is(6, '2023-03', ARRAY[
	'credit:outage of 3 hours | [2023-03-15,2023-03-16) | 2023-03-15 | 1 0 1 1 -0.00000001 -0.00000001'], 'voided they are gone');
SELECT refused($$CALL by_hand(6, 9, '2023-03-15', 'credit', '', NULL)$$, 'a credit without an amount', 'no amount');
SELECT refused($$CALL by_hand(6, 9, '2023-03-15', 'charge', '', 0)$$, 'a charge of 0', 'nothing');
SELECT refused($$CALL by_hand(6, 9, '2023-03-15', 'charge', '', -1)$$, 'amount paid is -1', 'a negative amount');
SELECT refused($$CALL by_hand(6, 9, '2023-03-15', 'charge', '', 'NaN')$$, 'amount paid is NaN', 'no number');
SELECT refused($$CALL by_hand(6, 9, '2023-03-15', 'charge', '', 'Infinity')$$, 'amount paid is Infinity', 'infinity');
SELECT refused($$CALL by_hand(6, 9, '2023-03-15', 'credit', '', 0.000000001)$$, 'at most 8 decimal places', '9 places');
SELECT refused($$CALL by_hand(6, 9, '2023-03-15', 'credit', '', 1e12)$$, 'amount paid is 1000000000000', 'past range');
SELECT refused($$INSERT INTO im_order (app_id, order_id, at, action, item, paid) VALUES (6, 9, at8('2023-03-15'), 'credit', 'plan', 1)$$, 'a credit of "plan"', 'another item');
SELECT refused($$INSERT INTO im_order (app_id, order_id, at, action, item, paid, months) VALUES (6, 9, at8('2023-03-15'), 'credit', 'manual', 1, 1)$$, 'Leave months null', 'months');
SELECT refused($$INSERT INTO im_order (app_id, order_id, at, action, item, paid, quantity) VALUES (6, 9, at8('2023-03-15'), 'credit', 'manual', 1, 2)$$, 'quantity 2', 'a quantity');
SELECT refused($$INSERT INTO im_order (app_id, order_id, at, action, item, paid, refunds) VALUES (6, 9, at8('2023-03-15'), 'credit', 'manual', 1, 3)$$, 'only a refund or a void', 'another order');
SELECT refused($$INSERT INTO im_order (app_id, order_id, at, action, item, option, months) VALUES (6, 9, at8('2023-03-15'), 'buy', 'manual', '', 1)$$, 'unknown item "manual"', 'manual is not bought');
SELECT accepted($$CALL by_hand(6, 9, '2023-03-15', 'credit', repeat('x', 255), 1)$$, 'a reason of 255 bytes');
SELECT accepted($$CALL by_hand(6, 9, '2023-03-15', 'credit', repeat('x', 255), 1);
	INSERT INTO im_order (app_id, order_id, at, action, item, option, refunds) VALUES (6, 10, at8('2023-03-15'), 'void', 'manual', repeat('x', 255), 9)$$, 'which its void may name');
SELECT refused($$CALL by_hand(6, 9, '2023-03-15', 'credit', repeat('x', 256), 1)$$, 'im_order_texts_check', 'not of 256');
SELECT refused($$CALL by_hand(6, 9, '2023-03-15', 'credit', repeat('报', 86), 1)$$, 'im_order_texts_check', 'bytes, not characters');
SELECT refused($$CALL buy(6, 9, '2023-03-15', 'plan', repeat('x', 64))$$, 'im_order_texts_check', 'names stay within 63 bytes');

-- Closed months ----------------------------------------------------------------------
\ir include/ledger.sql

CALL app(7);
CALL app(8);
CALL buy(7, 1, '2022-03-01', 'plan', 'pro');
CALL pack(7, 2, '2022-03-02', 'month');
CALL pack(7, 3, '2022-03-02', 'month');
CALL pack(7, 4, '2022-04-01 00:00', 'month');
CALL voids(7, 5, '2022-05-01', 3);
\set ON_ERROR_STOP 0
CALL im_close_month('2022-03');
\set ON_ERROR_STOP 1
SELECT is((:'SQLSTATE')::text, '00000', 'closed with an order that was voided');
SELECT is(documents('2022-03'), '7:0 invoice 2049.00', 'which is not billed');
SELECT is(drift('2022-03'), NULL, 'the close does not question the void');
SELECT is(im_check_orders(), (SELECT count(DISTINCT app_id) FROM im_order), 'nor does im_check_orders()');
CALL voids(7, 6, '2022-05-02', 4);
SELECT accepted('SELECT', 'nor does a further void, of an order of an open month');
SELECT refused($$CALL voids(7, 7, '2022-05-02', 2)$$, 'order 7 of app 7 is refused: order 2 cannot be voided, its month 2022-03 is closed', 'an order of a closed month is not voided');
SELECT refused($$CALL pack(8, 1, '2022-03-15', 'month'); CALL voids(8, 2, '2022-03-15', 1)$$, 'its month 2022-03 is closed', 'nor one that came after the close');
SELECT accepted($$INSERT INTO im_order (app_id, order_id, at, action, item, option, refunds)
	VALUES (8, 1, at8('2022-03-15'), 'buy', 'moderation_pack', 'month', NULL), (8, 2, at8('2022-03-15'), 'void', '', '', 1)$$,
	'an order and its void in one statement are a log that is loaded, not an order that was issued');
-- Here each statement is a transaction: what was ordered after the void's time is there already.
CALL app(9);
CALL buy(9, 1, '2023-03-01', 'plan', 'pro', 12);
CALL buy(9, 2, '2023-03-20', 'plan', 'pro', 1);
CALL buy(9, 3, '2023-03-21', 'call', 'basic', 1);
SELECT refused($$CALL voids(9, 4, '2023-03-02', 1)$$, 'order 4 of app 9 is refused: without order 1, order 2 would have another term', 'a void of an early time does not move what is there');
SELECT accepted($$CALL voids(9, 5, '2023-03-22', 3); CALL voids(9, 6, '2023-03-22', 2); CALL voids(9, 4, '2023-03-02', 1)$$, 'unless that is voided as well');
SELECT accepted($$CALL voids(9, 5, '2023-03-20', 2); CALL buy(9, 6, '2023-03-20', 'plan', 'pro', 2)$$, 'what is ordered with it may well be another');
CALL by_hand(7, 8, '2022-03-31', 'credit', 'goodwill', 50);
SELECT is(drift('2022-03'), '7: 1999.00 - 2049.00 = -50.00', 'a credit of a closed month is drift');
CALL im_adjust_month('2022-03');
SELECT is(note(7, '2022-03', 1), 'credit:goodwill 1 1 -50 -50', 'and issued as a note');
SELECT is(drift('2022-03'), NULL, 'then nothing drifts');

SELECT * FROM finish();
