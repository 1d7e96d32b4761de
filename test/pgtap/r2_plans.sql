-- R2: plans, upgrades only, renewals, the grace, stopping and reclaiming.
BEGIN;
\ir include/setup.sql

-- Prices ------------------------------------------------------------------
CALL app(1);
CALL buy(1, 1, '2023-03-05 10:00', 'plan', 'pro', 1);
SELECT bill_is(1, '2023-03', ARRAY[
	'plan:pro | [2023-03-05,2023-04-05) | 2023-03-05 | 1 0 1 1 999 999'],
	'pro: 999 a month, due on the purchase day');
CALL app(2);
CALL buy(2, 1, '2023-03-05 10:00', 'plan', 'flagship', 1);
SELECT bill_is(2, '2023-03', ARRAY[
	'plan:flagship | [2023-03-05,2023-04-05) | 2023-03-05 | 1 0 1 1 2999 2999'],
	'flagship: 2999 a month');
CALL app(3);
CALL buy(3, 1, '2023-03-05 10:00', 'plan', 'flagship', 12);
-- 12 * 2999 = 35988
SELECT bill_is(3, '2023-03', ARRAY[
	'plan:flagship | [2023-03-05,2024-03-05) | 2023-03-05 | 12 0 12 12 2999 35988'],
	'all months of a purchase fall due at once');
SELECT bill_is(3, '2023-04', '{}', 'and none of them later');

-- Trial: limits are never charged.
CALL app(4);
CALL daily(4, '2023-03-05', dau => 200000, peak_groups => 300000);
SELECT bill_is(4, '2023-03', '{}', 'trial over its limits is not charged');
SELECT is(im_monthly_total(4, '2023-03'), 0::numeric, 'and its total is 0');
SELECT is(status(4, '2023-03-05'), 'trial', 'every app starts on trial');

-- What may be bought on trial ---------------------------------------------
CALL app(5);
SELECT accepted($$CALL buy(5, 1, '2023-03-05', 'plan', 'pro')$$, 'trial -> pro');
SELECT accepted($$CALL buy(5, 1, '2023-03-05', 'plan', 'flagship')$$, 'trial -> flagship');
SELECT refused($$CALL buy(5, 1, '2023-03-05', 'plan', 'trial')$$, 'trial',
	'the free plan cannot be bought');
SELECT refused($$CALL buy(5, 1, '2023-03-05', 'plan', 'gold')$$, 'gold',
	'nor a plan that the card does not have');
SELECT refused($$CALL buy(5, 1, '2023-03-05', 'plan', '')$$, 'plan', 'nor no plan at all');
SELECT refused($$CALL upgrade(5, 1, '2023-03-05')$$, 'upgrade', 'no upgrade on trial');

-- Months and quantity
SELECT refused($$CALL buy(5, 1, '2023-03-05', 'plan', 'pro', 0)$$, 'months', '0 months');
SELECT refused($$CALL buy(5, 1, '2023-03-05', 'plan', 'pro', -1)$$, 'months', '-1 months');
SELECT refused($$CALL buy(5, 1, '2023-03-05', 'plan', 'pro', NULL)$$, 'months',
	'a plan without months');
SELECT accepted($$CALL buy(5, 1, '2023-03-05', 'plan', 'pro', 1200)$$, '1200 months');
SELECT refused($$CALL buy(5, 1, '2023-03-05', 'plan', 'pro', 1201)$$, 'months', '1201 months');
SELECT refused($$CALL buy(5, 1, '2023-03-05', 'plan', 'pro', 1, 2)$$, 'quantity',
	'two plans in one order');
SELECT refused($$CALL buy(5, 1, '2023-03-05', 'plan', 'pro', 1, 0)$$, 'quantity',
	'no plan in an order');
SELECT refused($$CALL buy(5, 1, '2023-03-05', 'plan', 'pro', 1, 1, -1)$$, 'paid',
	'a negative agreed price');
SELECT refused($$INSERT INTO im_order (app_id, order_id, at, action, item, option, months, refunds)
	VALUES (5, 1, at8('2023-03-05'), 'buy', 'plan', 'pro', 1, 1)$$, 'refunds',
	'a purchase refunds nothing');

-- During a term -----------------------------------------------------------
-- pro [2023-03-05,2023-04-05), grace 04-05..04-11, stopped from 04-12.
SELECT refused($$CALL buy(1, 2, '2023-03-20', 'plan', 'flagship')$$, 'upgrade',
	'flagship is not bought but upgraded to during a pro term');
SELECT refused($$CALL buy(1, 2, '2023-03-05 10:00', 'plan', 'flagship')$$, 'upgrade',
	'not even at the instant of the purchase of pro');
SELECT accepted($$CALL upgrade(1, 2, '2023-03-20')$$, 'pro -> flagship by upgrade');
SELECT refused($$CALL upgrade(1, 2, '2023-03-20', 'pro')$$, 'upgrade|pro', 'pro -> pro');
SELECT refused($$CALL upgrade(1, 2, '2023-03-20', 'trial')$$, 'upgrade|trial', 'pro -> trial');
SELECT accepted($$CALL upgrade(1, 2, '2023-04-04 23:59:59.999999')$$,
	'upgrade on the last day of the term');
SELECT refused($$CALL upgrade(1, 2, '2023-04-05 00:00')$$, 'upgrade|grace',
	'no upgrade on the first day of the grace');
SELECT refused($$CALL upgrade(1, 2, '2023-04-12')$$, 'upgrade', 'no upgrade when stopped');
SELECT refused($$CALL buy(2, 2, '2023-03-20', 'plan', 'pro')$$, 'pro|flagship',
	'never flagship -> pro while the flagship term runs');
SELECT refused($$CALL buy(2, 2, '2023-04-04 23:59:59.999999', 'plan', 'pro')$$,
	'pro|flagship', 'not on its last day either');
SELECT refused($$CALL upgrade(2, 2, '2023-03-20', 'pro')$$, 'pro|upgrade',
	'nor by an upgrade');
SELECT refused($$CALL upgrade(2, 2, '2023-03-20', 'flagship')$$, 'flagship|upgrade',
	'flagship cannot be upgraded');

-- After the term
SELECT accepted($$CALL buy(2, 2, '2023-04-05 00:00', 'plan', 'pro')$$,
	'after a flagship term has ended pro may be bought, in the grace');
SELECT accepted($$CALL buy(2, 2, '2023-04-20 00:00', 'plan', 'pro')$$,
	'and when stopped');

-- Status around the end ----------------------------------------------------
SELECT is(status(1, '2023-03-04'), 'trial', 'trial before the first purchase');
SELECT is(status(1, '2023-03-05'), 'active', 'the first day of the term');
SELECT is(im_app_status(1, at8('2023-04-04 23:59:59.999999')), 'active',
	'the last instant of the term');
SELECT is(im_app_status(1, at8('2023-04-05 00:00')), 'grace', 'the first of the grace');
SELECT is(im_app_status(1, at8('2023-04-11 23:59:59.999999')), 'grace',
	'the 7th day of the grace');
SELECT is(im_app_status(1, at8('2023-04-12 00:00')), 'stopped',
	'the 8th day is out of the grace');
-- Stopped on 04-12; 04-12 + 90 days = 07-11.
SELECT is(status(1, '2023-07-10'), 'stopped', 'the 90th day of the stop: data are kept');
SELECT is(status(1, '2023-07-11'), 'reclaimed', 'reclaimed 90 days after the stop');

-- A card says how long its grace is.
CALL card('grace0', '2019-12-10', jsonb_set(cn(), '{grace_days}', '0'));
CALL app(6, 'grace0');
CALL buy(6, 1, '2023-03-05', 'plan', 'pro');
SELECT is(status(6, '2023-04-04'), 'active', 'no grace: the last day');
SELECT is(status(6, '2023-04-05'), 'stopped', 'no grace: stopped at once');

-- Renewals ------------------------------------------------------------------
CALL app(11);
CALL buy(11, 1, '2023-03-05', 'plan', 'pro');
CALL buy(11, 2, '2023-03-20', 'plan', 'pro', 2);
SELECT bill_is(11, '2023-03', ARRAY[
	'plan:pro | [2023-03-05,2023-04-05) | 2023-03-05 | 1 0 1 1 999 999',
	'plan:pro | [2023-04-05,2023-06-05) | 2023-03-20 | 2 0 2 2 999 1998'],
	'a renewal within the term continues from its end day and is due on its own day');
SELECT is(status(11, '2023-06-04'), 'active', 'the renewed term runs to its end');
SELECT is(status(11, '2023-06-05'), 'grace', 'and then has its grace');

CALL app(12);
CALL buy(12, 1, '2023-03-05', 'plan', 'pro');
CALL buy(12, 2, '2023-04-11 23:59:59.999999', 'plan', 'pro');
SELECT lines_are(12, '2023-04', 'plan', ARRAY[
	'plan:pro | [2023-04-05,2023-05-05) | 2023-04-11 | 1 0 1 1 999 999'],
	'renewed on the 7th day of the grace: from the old end day');
SELECT is(status(12, '2023-04-08'), 'active', 'the days of the grace became days of the term');

CALL app(13);
CALL buy(13, 1, '2023-03-05', 'plan', 'pro');
CALL buy(13, 2, '2023-04-12 00:00', 'plan', 'pro');
SELECT lines_are(13, '2023-04', 'plan', ARRAY[
	'plan:pro | [2023-04-12,2023-05-12) | 2023-04-12 | 1 0 1 1 999 999'],
	'bought on the 8th day: from its own day');
SELECT is(status(13, '2023-04-11'), 'grace', 'the grace before it stays a grace');

CALL app(14);
CALL buy(14, 1, '2023-03-05', 'plan', 'pro');
CALL buy(14, 2, '2023-04-07', 'plan', 'flagship');
SELECT lines_are(14, '2023-04', 'plan', ARRAY[
	'plan:flagship | [2023-04-07,2023-05-07) | 2023-04-07 | 1 0 1 1 2999 2999'],
	'another plan in the grace starts on its own day');
SELECT is(status(14, '2023-04-06'), 'grace', 'the day before it is still grace');

-- Jan 31 + 1 month = Feb 28; the renewal's first day is Feb 28, so it ends Mar 28.
CALL app(15);
CALL buy(15, 1, '2023-01-31', 'plan', 'pro');
CALL buy(15, 2, '2023-02-10', 'plan', 'pro');
SELECT is(periods(15, '2023-02', 'plan'), '[2023-02-28,2023-03-28)',
	'months are added to the first day of the renewal, not of the first purchase');

-- Two renewals in the queue, all due on the days paid.
CALL app(16);
CALL buy(16, 1, '2023-03-05', 'plan', 'flagship');
CALL buy(16, 2, '2023-03-05', 'plan', 'flagship');
CALL buy(16, 3, '2023-03-06', 'plan', 'flagship', 6);
SELECT is(periods(16, '2023-03', 'plan'),
	'[2023-03-05,2023-04-05) [2023-04-05,2023-05-05) [2023-05-05,2023-11-05)',
	'renewals queue up');
SELECT refused($$CALL buy(16, 4, '2023-10-01', 'plan', 'pro')$$, 'pro|flagship',
	'a queued renewal keeps the term running');

-- Bought back after the stop, after the data are gone.
CALL app(17);
CALL buy(17, 1, '2023-03-05', 'plan', 'pro');
CALL buy(17, 2, '2023-08-01', 'plan', 'pro');
SELECT is(status(17, '2023-07-31'), 'reclaimed', 'reclaimed until the purchase');
SELECT is(status(17, '2023-08-01'), 'active', 'a purchase brings the app back');

-- Agreed price
CALL app(18);
CALL buy(18, 1, '2023-03-05', 'plan', 'pro', 3, paid => 2400.5);
SELECT bill_is(18, '2023-03', ARRAY[
	'plan:pro | [2023-03-05,2023-06-05) | 2023-03-05 | 3 0 3 3 999 2400.5'],
	'an agreed price sets the amount');
CALL app(19);
CALL buy(19, 1, '2023-03-05', 'plan', 'pro', 3, paid => 0);
SELECT is(amounts(19, '2023-03', 'plan'), '0', 'an agreed price of 0 is a price');

-- One app's plan is not another's.
SELECT is(status(5, '2023-03-20'), 'trial', 'a plan belongs to one app');

-- Orders may come in any sequence within a transaction.
CALL app(20);
CALL buy(20, 9, '2023-03-20', 'plan', 'pro');
CALL buy(20, 3, '2023-03-05', 'plan', 'pro');
SELECT is(periods(20, '2023-03', 'plan'), '[2023-03-05,2023-04-05) [2023-04-05,2023-05-05)',
	'orders take effect by time, not by the sequence of their loading');
SELECT accepted($$INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
	VALUES (5, 2, at8('2023-03-20'), 'upgrade', 'plan', 'flagship', NULL),
		   (5, 1, at8('2023-03-05'), 'buy', 'plan', 'pro', 1)$$,
	'an upgrade may be loaded before the purchase it needs');
SELECT refused($$DO $do$ BEGIN
		CALL im_test.buy(5, 1, '2023-03-05', 'plan', 'pro');
		SET CONSTRAINTS ALL IMMEDIATE;
		CALL im_test.buy(5, 2, '2023-03-20', 'plan', 'flagship');
	END $do$ $$, 'upgrade',
	'an app whose orders passed a check in this transaction is checked again');

-- Keys
SELECT fails_with($$CALL buy(1, 1, '2023-05-05', 'plan', 'pro')$$, '23505', '',
	'an order_id twice in an app');
SELECT lives_ok($$INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
	VALUES (1, 1, at8('2023-05-05'), 'buy', 'plan', 'pro', 1) ON CONFLICT DO NOTHING$$,
	'a loader may say ON CONFLICT DO NOTHING');
SELECT fails_with($$CALL buy(999, 1, '2023-05-05', 'plan', 'pro')$$, '23503', '',
	'an order of no such app');

-- Actions, items
SELECT refused($$CALL turn(5, 1, '2023-03-05', 'sell', 'plan', 'pro')$$, 'action|sell',
	'an unknown action');
SELECT refused($$CALL buy(5, 1, '2023-03-05', 'unicorn', '')$$, 'unicorn', 'an unknown item');
SELECT refused($$CALL turn(1, 2, '2023-03-06', 'on', 'plan', 'pro')$$, 'plan|on',
	'a plan is no switch');
SELECT refused($$CALL buy(1, 2, '2023-03-06', 'moderation', '')$$, 'moderation',
	'a switch is not bought');
SELECT refused($$CALL buy(1, 2, '2023-03-06', 'history_storage', '30d')$$, 'history_storage',
	'a postpaid add-on is not bought');
SELECT refused($$INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
	VALUES (1, 2, at8('2023-03-20'), 'upgrade', 'plan', 'flagship', 1)$$, 'months',
	'an upgrade takes no months');
SELECT refused($$INSERT INTO im_order (app_id, order_id, at, action, item, option, quantity)
	VALUES (1, 2, at8('2023-03-20'), 'upgrade', 'plan', 'flagship', 2)$$, 'quantity',
	'an upgrade is one');
SELECT refused($$CALL upgrade(1, 2, '2023-03-20', 'flagship', -0.01)$$, 'paid',
	'an upgrade for less than nothing');
SELECT refused($$INSERT INTO im_order (app_id, order_id, at, action, item, refunds, paid)
	VALUES (1, 2, at8('2023-03-20'), 'refund', 'plan', 1, 5)$$, 'paid',
	'a refund''s amount is not agreed but reckoned');
SELECT refused($$INSERT INTO im_order (app_id, order_id, at, action, item, paid)
	VALUES (1, 2, at8('2023-03-20'), 'on', 'moderation', 5)$$, 'paid',
	'a switch has no price');
SELECT refused($$INSERT INTO im_order (app_id, order_id, at, action, item, months)
	VALUES (1, 2, at8('2023-03-20'), 'on', 'moderation', 1)$$, 'months',
	'a switch has no months');
SELECT refused($$INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
	VALUES (1, 2, at8('2023-03-20'), 'on', 'moderation', 'fast', NULL)$$, 'option|fast',
	'the switch of moderation has no option');
SELECT refused($$INSERT INTO im_order (app_id, order_id, at, action, item, option)
	VALUES (1, 2, 'infinity', 'on', 'moderation', '')$$, '', 'an order at no time');

-- The log is append-only.
CALL settle();
SELECT fails_with('UPDATE im_order SET paid = 1 WHERE app_id = 1', '.*', 'append',
	'orders are not changed');
SELECT fails_with('DELETE FROM im_order WHERE app_id = 1', '.*', 'append',
	'orders are not deleted');
SELECT fails_with('TRUNCATE im_order', '.*', 'append', 'orders are not truncated');
SELECT is((SELECT count(*) FROM im_order WHERE app_id = 1), 1::bigint, 'they still stand');

-- Checks and savepoints: what a rolled back part of the transaction made valid is not valid.
SELECT refused($$DO $do$ BEGIN
		BEGIN
			CALL im_test.buy(5, 1, '2023-03-05', 'plan', 'pro');
			SET CONSTRAINTS ALL IMMEDIATE;
			RAISE EXCEPTION 'back';
		EXCEPTION WHEN raise_exception THEN NULL;
		END;
		CALL im_test.buy(5, 2, '2023-03-06', 'group_members');
	END $do$ $$, 'plan|trial', 'an add-on after a plan that was rolled back');
SELECT refused($$DO $do$ BEGIN
		CALL im_test.buy(5, 2, '2023-03-06', 'group_members');
		BEGIN
			CALL im_test.buy(5, 1, '2023-03-05', 'plan', 'pro');
			SET CONSTRAINTS ALL IMMEDIATE;
			RAISE EXCEPTION 'back';
		EXCEPTION WHEN raise_exception THEN NULL;
		END;
	END $do$ $$, 'plan|trial', 'an add-on before it');
CALL app(23);
SELECT refused($$DO $do$ BEGIN
		SET CONSTRAINTS ALL IMMEDIATE;
		CALL im_test.buy(23, 1, '2023-03-05', 'plan', 'trial');
	END $do$ $$, 'trial', 'the first order of an app, under immediate constraints');
SELECT refused($$INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
	SELECT 5, g, at8('2023-03-05') + g * interval '1 day', 'buy', 'plan', CASE g WHEN 50 THEN 'flagship' ELSE 'pro' END, 1
	FROM generate_series(1, 100) g$$, 'order 50', 'the one bad order of a hundred is named');
-- Another plan in the grace ends the grace; then it has one of its own.
CALL app(21);
CALL buy(21, 1, '2023-03-05', 'plan', 'pro');
CALL buy(21, 2, '2023-04-07', 'plan', 'flagship');
SELECT is(status(21, '2023-05-06') || ' ' || status(21, '2023-05-07') || ' ' || status(21, '2023-05-13') || ' '
	|| status(21, '2023-05-14'), 'active grace grace stopped', 'the grace of the second plan');
-- Keys of an app that has orders
SELECT fails_with('DELETE FROM im_app WHERE app_id = 21', '23503', '', 'an app with orders is not deleted');
SELECT fails_with($$CALL suspend(998, '[2023-03-10,)')$$, '23503', '', 'a suspension of no such app');
-- Three paid plans: only steps up, also over one.
CALL card('three', '2019-12-10', jsonb_set(cn(), '{plans,ultra}', '{"rank": 3, "price": "5999"}'));
CALL app(22, 'three');
CALL buy(22, 1, '2023-03-01', 'plan', 'pro');
SELECT accepted($$CALL upgrade(22, 2, '2023-03-11', 'ultra')$$, 'an upgrade over a plan');
CALL upgrade(22, 2, '2023-03-11', 'flagship');
CALL upgrade(22, 3, '2023-03-21', 'ultra');
-- 2000 * 21 * 12/365 = 1380.82; 3000 * 11 * 12/365 = 396000/365 = 1084.93
SELECT is(amounts(22, '2023-03', 'plan_upgrade'), '1380.82 1084.93', 'an upgrade of an upgrade');
SELECT refused($$CALL upgrade(22, 4, '2023-03-22', 'flagship')$$, 'flagship|ultra', 'a step down');
SELECT refused($$CALL buy(22, 4, '2023-03-22', 'plan', 'flagship')$$, 'flagship|ultra', 'a step down by buying');
SELECT accepted($$CALL buy(22, 4, '2023-03-22', 'plan', 'ultra')$$, 'a renewal of what it was upgraded to');

CALL settle();
-- Checks everything, and finds nothing wrong with what the triggers let in.
SELECT lives_ok('SELECT * FROM im_check_orders()', 'im_check_orders agrees');

SELECT * FROM finish();
ROLLBACK;
