-- R9: rounding, and which card version rates what. Also the order of lines.
BEGIN;
\ir include/setup.sql

-- Rounding -----------------------------------------------------------------------
-- Deductions at 0.0010: 4 -> 0.004, 5 -> 0.005, 6 -> 0.006, 15 -> 0.015, 25 -> 0.025
CREATE TEMP TABLE cent (id int, texts int, amount numeric, total text);
INSERT INTO cent VALUES (1, 4, 0.004, '0.00'), (2, 5, 0.005, '0.01'), (3, 6, 0.006, '0.01'),
	(4, 14, 0.014, '0.01'), (5, 15, 0.015, '0.02'), (6, 24, 0.024, '0.02'), (7, 25, 0.025, '0.03');
DO $$ DECLARE c record; BEGIN
	FOR c IN SELECT * FROM cent LOOP
		CALL im_test.app(c.id);
		CALL im_test.turn(c.id, 1, '2023-03-01', 'on', 'moderation');
		CALL im_test.daily(c.id, '2023-03-05', texts => c.texts);
	END LOOP;
END $$;
SELECT is(amounts(id, '2023-03', 'moderation'), n(amount), format('%s deductions are not rounded', texts))
FROM cent ORDER BY id;
SELECT is(im_monthly_total(id, '2023-03')::text, total, format('%s rounds to %s', amount, total))
FROM cent ORDER BY id;
-- Two lines of 0.004 and 0.007: 0.011 -> 0.01, not 0.00 + 0.01
CALL app(8);
CALL turn(8, 1, '2023-03-01', 'on', 'moderation');
CALL daily(8, '2023-03-05', texts => 4);
CALL daily(8, '2023-03-06', audio => 1);
SELECT is(im_monthly_total(8, '2023-03'), 0.01, '0.004 + 0.007 = 0.011: the sum is rounded, not the lines');
-- 0.0045 + 0.0005 ... two days of 2 and 3 texts are one line of 5
CALL app(9);
CALL turn(9, 1, '2023-03-01', 'on', 'moderation');
CALL daily(9, '2023-03-05', texts => 2);
CALL daily(9, '2023-03-06', texts => 3);
SELECT is(im_monthly_total(9, '2023-03'), 0.01, 'daily amounts are not rounded either');
-- Below zero half goes away from zero too: bought in March, refunded in April, 5 deductions:
-- -999 + 0.005 = -998.995 -> -999.00; with 4: -998.996 -> -999.00; with 6: -998.994 -> -998.99
CREATE PROCEDURE negative(id bigint, texts bigint) LANGUAGE plpgsql AS $$
BEGIN
	CALL im_test.app(id);
	CALL im_test.buy(id, 1, '2023-03-30', 'plan', 'pro');
	CALL im_test.refund(id, 2, '2023-04-02', 1);
	CALL im_test.turn(id, 3, '2023-04-01', 'on', 'moderation');
	CALL im_test.daily(id, '2023-04-01', texts => texts);
END $$;
CALL negative(10, 5);
CALL negative(11, 6);
SELECT is(im_monthly_total(10, '2023-04'), -999.00, '-998.995 rounds away from zero');
SELECT is(im_monthly_total(11, '2023-04'), -998.99, '-998.994 does not');
-- A share of 8 places: 20000 DAU is 1 block; suspended on the last 11 of 31 days: 1000 * 20/31.
CALL app(12);
CALL buy(12, 1, '2023-03-01', 'plan', 'pro');
CALL suspend(12, '[2023-03-21,2023-04-01)');
CALL daily(12, '2023-03-02', dau => 20000);
SELECT is((SELECT amount FROM im_monthly_bill(12, '2023-03') WHERE item = 'dau_overage'), 645.16129032,
	'1000 * 20/31 = 645.161290322... has 8 places');
SELECT is(amounts(12, '2023-03', 'plan'), '999', 'the plan itself has no share');
-- Half up at the 8th place: block price 0.00000001 * 15 of 30 days = 0.000000005 -> 0.00000001
CALL card('atom', '2019-12-10', jsonb_set(cn(),
	'{plans,pro,dau}', '{"included": 0, "block": 1, "price": "0.00000001"}'));
CALL app(13, 'atom');
CALL buy(13, 1, '2023-03-10', 'plan', 'pro', 2);
CALL suspend(13, '[2023-04-16,2023-05-02)');
CALL daily(13, '2023-04-02', dau => 1);
SELECT is((SELECT amount FROM im_monthly_bill(13, '2023-04')), 0.00000001,
	'half of the 8th place goes up');
CALL app(14, 'atom');
CALL buy(14, 1, '2023-03-10', 'plan', 'pro', 2);
CALL suspend(14, '[2023-04-15,2023-05-02)');
CALL daily(14, '2023-04-02', dau => 1);
SELECT is((SELECT amount FROM im_monthly_bill(14, '2023-04')), 0::numeric, 'less than half does not');

-- Totals ----------------------------------------------------------------------------
SELECT is((SELECT count(*) FROM im_monthly_totals('2023-03') WHERE app_id = 2), 1::bigint,
	'every app with lines has a total');
CALL app(15);
SELECT is((SELECT count(*) FROM im_monthly_totals('2023-03') WHERE app_id = 15), 0::bigint,
	'an app without lines has none');
SELECT is(im_monthly_total(15, '2023-03'), 0::numeric, 'and its total is 0');
SELECT ok(NOT EXISTS (
	SELECT FROM im_monthly_totals('2023-03') t
	FULL JOIN (SELECT app_id, round(sum(amount), 2) total FROM im_monthly_bills('2023-03') GROUP BY 1) b
		USING (app_id)
	WHERE t.total IS DISTINCT FROM b.total), 'totals are the rounded sums of the lines');
SELECT ok(NOT EXISTS (SELECT FROM im_monthly_totals('2023-03') t
	WHERE t.total IS DISTINCT FROM im_monthly_total(t.app_id, '2023-03')),
	'im_monthly_total and im_monthly_totals agree');

-- Versions ----------------------------------------------------------------------------
-- `cn` 2024-01-01: pro 1499.
CALL app(21);
CALL buy(21, 1, '2023-12-31 23:59:59.999999', 'plan', 'pro');
SELECT is(amounts(21, '2023-12', 'plan'), '999', 'bought on the last day of the old version');
CALL app(22);
CALL buy(22, 1, '2024-01-01 00:00', 'plan', 'pro');
SELECT is(amounts(22, '2024-01', 'plan'), '1499', 'bought on the first day of the new');
CALL app(23);
CALL buy(23, 1, '2023-12-31', 'plan', 'pro', 12);
SELECT bill_is(23, '2024-01', '{}', 'a term under way keeps its price');
CALL buy(23, 2, '2024-01-02', 'plan', 'pro');
SELECT is(amounts(23, '2024-01', 'plan'), '1499', 'its renewal is at the price of its own day');

-- A card that changes everything on 2023-03-15.
CALL card('mid', '2023-01-01', cn());
CALL card('mid', '2023-03-15', '{"currency": "CNY", "scale": 2, "time_zone": "Asia/Shanghai", "grace_days": 3,
	"plans": {"trial": {"rank": 0, "price": "0"},
		"pro": {"rank": 1, "price": "100", "dau": {"included": 10, "block": 1, "price": "2"}},
		"flagship": {"rank": 2, "price": "300", "dau": {"included": 10, "block": 1, "price": "2"}}},
	"addons": {"call": {"charge": "prepaid", "prices": {"pro": {"basic": "5"}}, "minutes": {"basic": 100}},
		"history_storage": {"charge": "postpaid", "prices": {"pro": {"30d": "50"}}}},
	"call_minutes": {"audio": {"ratio": 2, "price": "1"}},
	"local_moderation": "10",
	"moderation": {"price": "1", "coefficients": {"text": "2"},
		"packs": {"month": {"price": "7", "deductions": 50, "months": 2}}}}');
CALL app(31, 'mid');
CALL buy(31, 1, '2023-03-14 23:59', 'plan', 'pro', 2);
CALL buy(31, 2, '2023-03-14 23:59', 'call', 'basic', 2);
CALL pack(31, 3, '2023-03-14 23:59', 'month');
CALL buy(31, 4, '2023-03-14 23:59', 'local_moderation');
CALL turn(31, 5, '2023-03-14 23:59', 'on', 'history_storage', '30d');
CALL turn(31, 6, '2023-03-14 23:59', 'on', 'moderation');
CALL app(32, 'mid');
CALL buy(32, 1, '2023-03-15 00:00', 'plan', 'pro', 2);
CALL buy(32, 2, '2023-03-15 00:00', 'call', 'basic', 2);
CALL pack(32, 3, '2023-03-15 00:00', 'month');
CALL buy(32, 4, '2023-03-15 00:00', 'local_moderation');
CALL turn(32, 5, '2023-03-15 00:00', 'on', 'history_storage', '30d');
CALL turn(32, 6, '2023-03-15 00:00', 'on', 'moderation');
CALL daily(31, '2023-03-20', dau => 20, texts => 10, audio => 110001);
CALL daily(32, '2023-03-20', dau => 20, texts => 60, audio => 102);
SELECT bill_is(31, '2023-03', ARRAY[
	'plan:pro | [2023-03-14,2023-05-14) | 2023-03-14 | 2 0 2 2 999 1998',
	'dau_overage:pro | [2023-03-01,2023-04-01) | 2023-04-01 | 20 10000 0 0 1000 0',
	'call:basic | [2023-03-14,2023-05-14) | 2023-03-14 | 2 0 2 2 500 1000',
	'history_storage:30d | [2023-03-01,2023-04-01) | 2023-04-01 | 1 0 1 1 500 500',
	'call_minutes:audio | [2023-03-01,2023-04-01) | 2023-04-01 | 110001 110000 1 1 0.007 0.007',
	'local_moderation: | [2023-03-14,2023-04-14) | 2023-03-14 | 1 0 1 1 1000 1000',
	'moderation_pack:month | [2023-03-14,2023-04-14) | 2023-03-14 | 1 0 1 1 1050 1050',
	'moderation: | [2023-03-01,2023-04-01) | 2023-04-01 | 10 10 0 0 0.001 0'],
	'bought the day before the new version: all old');
-- Purchases by the new version, usage by that of March 1: minutes 100 of ratio 1; pack 50.
SELECT bill_is(32, '2023-03', ARRAY[
	'plan:pro | [2023-03-15,2023-05-15) | 2023-03-15 | 2 0 2 2 100 200',
	'dau_overage:pro | [2023-03-01,2023-04-01) | 2023-04-01 | 20 10000 0 0 1000 0',
	'call:basic | [2023-03-15,2023-05-15) | 2023-03-15 | 2 0 2 2 5 10',
	'history_storage:30d | [2023-03-01,2023-04-01) | 2023-04-01 | 1 0 1 1 500 500',
	'call_minutes:audio | [2023-03-01,2023-04-01) | 2023-04-01 | 102 100 2 2 0.007 0.014',
	'local_moderation: | [2023-03-15,2023-04-15) | 2023-03-15 | 1 0 1 1 10 10',
	'moderation_pack:month | [2023-03-15,2023-05-15) | 2023-03-15 | 1 0 1 1 7 7',
	'moderation: | [2023-03-01,2023-04-01) | 2023-04-01 | 60 50 10 10 0.001 0.01'],
	'bought on its first day: purchases new, usage old');
-- April usage by the new version: quota 10, block 1 at 2; ratio 2; text 2 at 1; history 50.
CALL daily(31, '2023-04-13', dau => 20, texts => 30, audio => 54990);
-- App 31's call month of 03-14 is used up; from 04-14 on 110000 pack minutes at ratio 2 hold 55000.
-- Its moderation pack of 1,100,000 took 10 in March and ends on 04-13: 30 texts * 2 = 60 from it.
CALL daily(31, '2023-04-20', audio => 55001, texts => 4);
SELECT bill_is(31, '2023-04', ARRAY[
	'dau_overage:pro | [2023-04-01,2023-05-01) | 2023-05-01 | 20 10 10 10 2 20',
	'history_storage:30d | [2023-04-01,2023-05-01) | 2023-05-01 | 1 0 1 1 50 50',
	'call_minutes:audio | [2023-04-01,2023-05-01) | 2023-05-01 | 109991 55000 54991 54991 1 54991',
	'moderation: | [2023-04-01,2023-05-01) | 2023-05-01 | 68 60 8 8 1 8'],
	'the usage of April by the new version, though bought under the old');
-- Grace: 7 days of the old version for app 31's plan [03-14,05-14), 3 of the new for app 32's.
SELECT is(status(31, '2023-05-20'), 'grace', 'the grace is that of the purchase day: the 7th day');
SELECT is(status(31, '2023-05-21'), 'stopped', 'the 8th');
SELECT is(status(32, '2023-05-17'), 'grace', 'three days under the new version');
SELECT is(status(32, '2023-05-18'), 'stopped', 'the 4th');
-- A new version may stop selling: its purchase days decide.
SELECT refused($$CALL buy(31, 7, '2023-03-16', 'group_members')$$, 'group_members', 'no longer sold');
SELECT accepted($$CALL buy(31, 7, '2023-03-14 23:59:59', 'group_members')$$, 'sold the day before');

-- Before the first version
CALL app(41);
SELECT accepted($$CALL buy(41, 1, '2019-12-10 00:00', 'plan', 'pro')$$, 'the first day of the card');
SELECT fails_with($$CALL buy(41, 1, '2019-12-09 23:59:59.999999', 'plan', 'pro')$$, '.*',
	'2019-12-09|version', 'an order before the first version');
SELECT isnt((attempt($$CALL buy(41, 1, '2019-12-09 23:59:59.999999', 'plan', 'pro')$$)).state, 'T0000',
	'it does not pass');
SELECT isnt((attempt($$SELECT * FROM im_monthly_bill(41, '2019-11')$$)).state, 'T0000',
	'a month before the first version is an error');
SELECT fails_with($$SELECT * FROM im_monthly_bill(41, '2019-11')$$, '.*', '2019-11',
	'and the error names the month');
SELECT is((attempt($$SELECT * FROM im_monthly_bill(41, '2019-12')$$)).state, 'T0000', 'the month in which it starts is not (R12)');
SELECT fails_with($$SELECT * FROM im_monthly_bill(999, '2023-03')$$, '.*', '999', 'an unknown app is named');
SELECT isnt((attempt($$SELECT * FROM im_monthly_bill(999, '2023-03')$$)).state, 'T0000', 'as an error');

-- The order of lines ----------------------------------------------------------------------
CALL app(51);
CALL buy(51, 1, '2023-03-01', 'plan', 'pro');
CALL buy(51, 2, '2023-03-02', 'plan', 'pro');
CALL upgrade(51, 3, '2023-03-03');
CALL buy(51, 14, '2023-03-04 10:00', 'joined_groups');
CALL buy(51, 5, '2023-03-04 11:00', 'joined_groups');
CALL buy(51, 6, '2023-03-06', 'group_members');
CALL buy(51, 7, '2023-03-05', 'call', 'basic');
CALL turn(51, 8, '2023-03-05', 'on', 'history_storage', '90d');
CALL turn(51, 9, '2023-03-05', 'on', 'moderation');
CALL pack(51, 10, '2023-03-07', 'year_small');
CALL pack(51, 11, '2023-03-06', 'month');
CALL buy(51, 12, '2023-03-05', 'local_moderation');
CALL refund(51, 13, '2023-03-20', 12);
CALL refund(51, 4, '2023-03-19', 6);
CALL daily(51, '2023-03-10', dau => 1, peak_groups => 1, texts => 1, audio => 1, sd => 1, hd => 1, fhd => 1);
SELECT is((SELECT string_agg(concat_ws(' ', line, item, option, due_on), E'\n' ORDER BY line)
		   FROM im_monthly_bill(51, '2023-03')),
$$1 plan pro 2023-03-01
2 plan pro 2023-03-02
3 plan_upgrade flagship 2023-03-03
4 dau_overage flagship 2023-04-01
5 group_overage flagship 2023-04-01
6 call basic 2023-03-05
7 group_members  2023-03-06
8 joined_groups  2023-03-04
9 joined_groups  2023-03-04
10 history_storage 90d 2023-04-01
11 call_minutes audio 2023-04-01
12 call_minutes sd 2023-04-01
13 call_minutes hd 2023-04-01
14 call_minutes fhd 2023-04-01
15 local_moderation  2023-03-05
16 moderation_pack month 2023-03-06
17 moderation_pack year_small 2023-03-07
18 moderation  2023-04-01
19 refund group_members 2023-03-19
20 refund local_moderation 2023-03-20$$, 'the order of the lines');
-- Order 5 was made after order 14, on the same day: by day, then order_id, 5 comes first.
SELECT is(periods(51, '2023-03', 'joined_groups'), '[2023-04-04,2023-05-04) [2023-03-04,2023-04-04)',
	'within an item by day, then order_id');
SELECT ok(NOT EXISTS (SELECT FROM im_monthly_bill(51, '2023-03')
	WHERE explanation IS NULL OR explanation = '' OR app_id <> 51 OR month <> '2023-03-01' OR currency <> 'CNY'),
	'every line has its app, month, currency and explanation');
-- All but shares, agreed prices and R8: amount = units * unit_price
SELECT ok(NOT EXISTS (SELECT FROM im_monthly_bill(51, '2023-03')
	WHERE item <> 'plan_upgrade' AND amount <> units * unit_price), 'amount = units * unit_price');
SELECT results_eq($$SELECT * FROM im_monthly_bills('2023-03') WHERE app_id = 51 ORDER BY line$$,
	$$SELECT * FROM im_monthly_bill(51, '2023-03') ORDER BY line$$, 'the set-wise bill has the same lines');

-- Another scale: a currency without cents. 0.5 -> 1, 0.499 -> 0
CALL card('yen', '2019-12-10', jsonb_set(jsonb_set(cn(), '{scale}', '0'), '{currency}', '"JPY"'));
CALL app(61, 'yen');
CALL turn(61, 1, '2023-03-01', 'on', 'moderation');
CALL daily(61, '2023-03-05', texts => 500);
CALL app(62, 'yen');
CALL turn(62, 1, '2023-03-01', 'on', 'moderation');
CALL daily(62, '2023-03-05', texts => 499);
SELECT is(im_monthly_total(61, '2023-03')::text || ' ' || im_monthly_total(62, '2023-03')::text, '1 0',
	'the total has the places of the currency');
SELECT is((SELECT currency || ' ' || total FROM im_monthly_totals('2023-03') WHERE app_id = 61), 'JPY 1', 'so in im_monthly_totals');
-- The same number of places, written otherwise
CALL card('two', '2023-01-01', jsonb_set(cn(), '{scale}', '2.0'));
CALL card('two', '2023-04-01', jsonb_set(cn(), '{scale}', '"2"'));
CALL app(63, 'two');
CALL turn(63, 1, '2023-03-01', 'on', 'moderation');
CALL daily(63, '2023-03-05', texts => 15);
SELECT is(im_monthly_total(63, '2023-03')::text, '0.02', 'a scale of 2.0 is 2, and versions that write it differently agree');

-- The new version of `mid` prices audio minutes and texts only: the rest is nobody's bill, and listed.
CALL daily(32, '2023-04-20', images => 3, sd => 4, texts => 1, audio => 1);
SELECT is(quantities(32, '2023-04', 'call_minutes') || '|' || quantities(32, '2023-04', 'moderation'), '1|2',
	'a class and a kind that the version does not price are not billed');
SELECT is((SELECT string_agg(n(quantity), ' ' ORDER BY quantity) FROM im_unbilled_usage('2023-04')
		   WHERE app_id = 32), '3 4', 'but listed');

CALL settle();
SELECT * FROM finish();
ROLLBACK;
