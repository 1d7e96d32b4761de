-- R8: upgrades and refunds.
BEGIN;
\ir include/setup.sql

-- Upgrades ------------------------------------------------------------------------
-- The rule's check: 2000 * 244 / (365/12) = 5856000/365 = 16043.8356... -> 16043.84
CALL app(1);
CALL buy(1, 1, '2023-01-01', 'plan', 'pro', 12);
CALL upgrade(1, 2, '2023-05-02 15:00');
SELECT bill_is(1, '2023-05', ARRAY[
	'plan_upgrade:flagship | [2023-05-02,2024-01-01) | 2023-05-02 | 244 0 244 244 2000 16043.84'],
	'the upgrade of 244 days');
SELECT is(im_monthly_total(1, '2023-05'), 16043.84, 'its total');
SELECT is(status(1, '2023-12-31'), 'active', 'the end day stays');
SELECT is(status(1, '2024-01-01'), 'grace', 'the end day stays exclusive');
-- 6000 * 24 / (365/12) = 1728000/365 = 4734.2465... -> 4734.25; a card of 1000 and 7000
CALL card('big', '2019-12-10', jsonb_set(jsonb_set(cn(),
	'{plans,pro,price}', '"1000"'), '{plans,flagship,price}', '"7000"'));
CALL app(2, 'big');
CALL buy(2, 1, '2023-03-01', 'plan', 'pro');
CALL upgrade(2, 2, '2023-03-08');
SELECT lines_are(2, '2023-03', 'plan_upgrade', ARRAY[
	'plan_upgrade:flagship | [2023-03-08,2023-04-01) | 2023-03-08 | 24 0 24 24 6000 4734.25'],
	'the upgrade of 24 days');
-- On the first day: 31 days, 2000 * 31 * 12/365 = 744000/365 = 2038.3561...
CALL app(3);
CALL buy(3, 1, '2023-03-01', 'plan', 'pro');
CALL upgrade(3, 2, '2023-03-01 00:00');
SELECT is(amounts(3, '2023-03', 'plan_upgrade'), '2038.36', 'upgraded on the day of purchase: all days remain');
-- On the last day: 1 day, 24000/365 = 65.7534...
CALL app(4);
CALL buy(4, 1, '2023-03-01', 'plan', 'pro');
CALL upgrade(4, 2, '2023-03-31 23:59:59.999999');
SELECT lines_are(4, '2023-03', 'plan_upgrade', ARRAY[
	'plan_upgrade:flagship | [2023-03-31,2023-04-01) | 2023-03-31 | 1 0 1 1 2000 65.75'],
	'upgraded on the last day: one day remains');
CALL app(5);
CALL buy(5, 1, '2023-03-01', 'plan', 'pro');
SELECT refused($$CALL upgrade(5, 2, '2023-04-01 00:00')$$, 'upgrade|grace', 'not a day later');
-- Queued renewals become flagship too: end 05-01, 2023-03-11 -> 51 days;
-- 2000 * 51 * 12/365 = 1224000/365 = 3353.4246...
CALL app(6);
CALL buy(6, 1, '2023-03-01', 'plan', 'pro');
CALL buy(6, 2, '2023-03-02', 'plan', 'pro');
CALL upgrade(6, 3, '2023-03-11');
SELECT lines_are(6, '2023-03', 'plan_upgrade', ARRAY[
	'plan_upgrade:flagship | [2023-03-11,2023-05-01) | 2023-03-11 | 51 0 51 51 2000 3353.42'],
	'remaining days are those to the end of the last term bought');
CALL daily(6, '2023-04-10', dau => 5);
SELECT lines_are(6, '2023-04', 'dau_overage', ARRAY[
	'dau_overage:flagship | [2023-04-01,2023-05-01) | 2023-05-01 | 5 10000 0 0 1000 0'],
	'the queued renewal runs as flagship');
CALL buy(6, 4, '2023-04-10', 'plan', 'flagship');
SELECT is(periods(6, '2023-04', 'plan'), '[2023-05-01,2023-06-01)',
	'after the upgrade flagship is renewed from the old end day');
SELECT is(amounts(6, '2023-04', 'plan'), '2999', 'at flagship''s price');
SELECT refused($$CALL buy(6, 5, '2023-04-11', 'plan', 'pro')$$, 'pro|flagship', 'not pro');
-- Both prices are of the card version of that day: 2999 - 1499 = 1500 in 2024.
-- 2023-12-15 + 2 months = 2024-02-15; 2024-01-15 -> 31 days; 1500*31*12/365 = 558000/365 = 1528.767...
CALL app(7);
CALL buy(7, 1, '2023-12-15', 'plan', 'pro', 2);
CALL upgrade(7, 2, '2024-01-15');
SELECT lines_are(7, '2024-01', 'plan_upgrade', ARRAY[
	'plan_upgrade:flagship | [2024-01-15,2024-02-15) | 2024-01-15 | 31 0 31 31 1500 1528.77'],
	'both prices are of the card version of the upgrade day');
-- 12-31 -> 46 days; 2000*46*12/365 = 1104000/365 = 3024.657...
CALL app(8);
CALL buy(8, 1, '2023-12-15', 'plan', 'pro', 2);
CALL upgrade(8, 2, '2023-12-31 23:59:59.999999');
SELECT is(amounts(8, '2023-12', 'plan_upgrade'), '3024.66', 'the day before the new version: 2000');
-- At least 0: a card whose flagship is the cheaper.
CALL card('cheap', '2019-12-10', jsonb_set(cn(), '{plans,flagship,price}', '"500"'));
CALL app(9, 'cheap');
CALL buy(9, 1, '2023-03-01', 'plan', 'pro');
CALL upgrade(9, 2, '2023-03-11');
SELECT is(amounts(9, '2023-03', 'plan_upgrade'), '0', 'an upgrade costs at least 0');
-- Agreed
CALL app(10);
CALL buy(10, 1, '2023-03-01', 'plan', 'pro');
CALL upgrade(10, 2, '2023-03-11', paid => 100.5);
SELECT lines_are(10, '2023-03', 'plan_upgrade', ARRAY[
	'plan_upgrade:flagship | [2023-03-11,2023-04-01) | 2023-03-11 | 21 0 21 21 2000 100.5'],
	'an agreed upgrade fee');

-- Full refund: x - purchase day <= 4 -----------------------------------------------------
CALL app(21);
CALL buy(21, 1, '2023-03-01 23:59:59', 'plan', 'pro');
CALL refund(21, 2, '2023-03-05 23:59:59.999999', 1);
SELECT bill_is(21, '2023-03', ARRAY[
	'plan:pro | [2023-03-01,2023-04-01) | 2023-03-01 | 1 0 1 1 999 999',
	'refund:plan | [2023-03-01,2023-04-01) | 2023-03-05 | 1 0 1 1 -999 -999'],
	'the 5th day (x - purchase day = 4): everything back');
SELECT is(im_monthly_total(21, '2023-03'), 0::numeric, 'nothing is owed');
-- The 6th day: used 6 days of 31; back = 999 * 25/31 = 24975/31 = 805.6451...
CALL app(22);
CALL buy(22, 1, '2023-03-01 00:00', 'plan', 'pro');
CALL refund(22, 2, '2023-03-06 00:00', 1);
SELECT lines_are(22, '2023-03', 'refund', ARRAY[
	'refund:plan | [2023-03-01,2023-04-01) | 2023-03-06 | 1 0 1 1 -805.65 -805.65'],
	'the 6th day (x - purchase day = 5): pro rata');
CALL app(23);
CALL buy(23, 1, '2023-03-01', 'plan', 'pro', 12);
CALL refund(23, 2, '2023-03-01', 1);
-- 12 * 999 = 11988
SELECT is(amounts(23, '2023-03', 'refund'), '-11988', 'all months come back, on the very day too');

-- Once per app: the second within five days is pro rata. [03-10,04-10) 31 days, 2 used:
-- 999 * 29/31 = 28971/31 = 934.5483...
CALL app(24);
CALL buy(24, 1, '2023-03-01', 'plan', 'pro');
CALL refund(24, 2, '2023-03-03', 1);
CALL buy(24, 3, '2023-03-10', 'plan', 'pro');
CALL refund(24, 4, '2023-03-11', 3);
SELECT is(amounts(24, '2023-03', 'refund'), '-999 -934.55', 'everything back once per app only');
-- Whatever the item: local moderation took it. [03-10,04-10): 1000 * 29/31 = 935.4838...
CALL app(25);
CALL buy(25, 1, '2023-03-01', 'plan', 'pro', 12);
CALL buy(25, 2, '2023-03-02', 'group_members');
CALL refund(25, 3, '2023-03-03', 2);
CALL buy(25, 4, '2023-03-10', 'local_moderation');
CALL refund(25, 5, '2023-03-11', 4);
SELECT lines_are(25, '2023-03', 'refund', ARRAY[
	'refund:group_members | [2023-03-02,2023-04-02) | 2023-03-03 | 1 0 1 1 -500 -500',
	'refund:local_moderation | [2023-03-10,2023-04-10) | 2023-03-11 | 1 0 1 1 -935.48 -935.48'],
	'once per app, not per item');
-- A pro rata refund does not take it: the first on a day with x - purchase day <= 4 is full.
CALL app(26);
CALL buy(26, 1, '2023-03-01', 'plan', 'pro');
CALL refund(26, 2, '2023-03-06', 1);
CALL buy(26, 3, '2023-03-10', 'plan', 'pro');
CALL refund(26, 4, '2023-03-11', 3);
SELECT is(amounts(26, '2023-03', 'refund'), '-805.65 -999', 'a pro rata refund leaves the full one to come');

-- A term not yet begun --------------------------------------------------------------------
-- Renewal [04-01,05-01) bought 03-02, back on 03-20 (not within five days): everything.
CALL app(31);
CALL buy(31, 1, '2023-03-01', 'plan', 'pro');
CALL buy(31, 2, '2023-03-02', 'plan', 'pro');
CALL refund(31, 3, '2023-03-20', 2);
SELECT lines_are(31, '2023-03', 'refund', ARRAY[
	'refund:plan | [2023-04-01,2023-05-01) | 2023-03-20 | 1 0 1 1 -999 -999'],
	'a term not begun: everything back');
SELECT is(status(31, '2023-03-31'), 'active', 'the earlier term stands');
SELECT is(status(31, '2023-04-01'), 'grace', 'as if never renewed, with its grace');
SELECT is(status(31, '2023-04-07'), 'grace', 'its 7th day');
SELECT is(status(31, '2023-04-08'), 'stopped', 'and its end');
SELECT accepted($$CALL buy(31, 4, '2023-04-03', 'plan', 'pro')$$, 'it can be renewed again');
CALL buy(31, 4, '2023-04-03', 'plan', 'pro');
SELECT is(periods(31, '2023-04', 'plan'), '[2023-04-01,2023-05-01)', 'from its end day');
-- It does not use up the full refund of the app.
CALL app(32);
CALL buy(32, 1, '2023-03-01', 'plan', 'pro');
CALL buy(32, 2, '2023-03-02', 'plan', 'pro');
CALL refund(32, 3, '2023-03-03', 2);
CALL refund(32, 4, '2023-03-04', 1);
SELECT is(amounts(32, '2023-03', 'refund'), '-999 -999', 'it does not use up the full refund');
-- The day before the term begins, and its first day.
CALL app(33);
CALL buy(33, 1, '2023-03-01', 'plan', 'pro');
CALL buy(33, 2, '2023-03-02', 'plan', 'pro');
CALL refund(33, 3, '2023-03-31 23:59:59.999999', 2);
SELECT is(amounts(33, '2023-03', 'refund'), '-999', 'the day before it begins: everything');
CALL app(34);
CALL buy(34, 1, '2023-03-01', 'plan', 'pro');
CALL buy(34, 2, '2023-03-02', 'plan', 'pro');
CALL refund(34, 3, '2023-04-01 00:00', 2);
-- used 1 day of 30: 999 * 29/30 = 965.70
SELECT is(amounts(34, '2023-04', 'refund'), '-965.7', 'its first day is used');
SELECT is(status(34, '2023-04-01'), 'active', 'x is the last day of the term');
SELECT is(status(34, '2023-04-02'), 'stopped', 'a refunded plan has no grace');

-- Pro rata ------------------------------------------------------------------------------------
-- 3 months [03-01,06-01), 2997; x = 04-10: March whole 999, April 10/30 * 999 = 333; back 1665.
CALL app(41);
CALL buy(41, 1, '2023-03-01', 'plan', 'pro', 3);
CALL refund(41, 2, '2023-04-10', 1);
SELECT lines_are(41, '2023-04', 'refund', ARRAY[
	'refund:plan | [2023-03-01,2023-06-01) | 2023-04-10 | 1 0 1 1 -1665 -1665'],
	'a month used whole costs its price, months not begun come back in full');
-- x = 03-31: exactly one month. 04-01: and one day of 30, 33.30.
CALL app(42);
CALL buy(42, 1, '2023-03-01', 'plan', 'pro', 3);
CALL refund(42, 2, '2023-03-31 23:59:59.999999', 1);
SELECT is(amounts(42, '2023-03', 'refund'), '-1998', 'the last day of a term month');
CALL app(43);
CALL buy(43, 1, '2023-03-01', 'plan', 'pro', 3);
CALL refund(43, 2, '2023-04-01 00:00', 1);
-- 2997 - 999 - 33.30 = 1964.70
SELECT is(amounts(43, '2023-04', 'refund'), '-1964.7', 'a started day counts');
-- Clamped: [01-31,04-30), months of 28 [01-31,02-28), 31 [02-28,03-31), 30 [03-31,04-30) days.
-- x = 03-10: 999 + 11/31 * 999 = 999 + 354.4838...; back 2997 - 1353.4838... = 1643.5161...
CALL app(44);
CALL buy(44, 1, '2023-01-31', 'plan', 'pro', 3);
CALL refund(44, 2, '2023-03-10', 1);
SELECT is(amounts(44, '2023-03', 'refund'), '-1643.52', 'term months of Jan 31 run from Feb 28 and Mar 31');
-- Leap: [2020-01-31,2020-02-29): 29 days; x = 02-10: 11 days; 999 * 18/29 = 620.0689...
CALL app(45);
CALL buy(45, 1, '2020-01-31', 'plan', 'pro');
CALL refund(45, 2, '2020-02-10', 1);
SELECT is(amounts(45, '2020-02', 'refund'), '-620.07', 'leap February: a term month of 29 days');
-- Last day: nothing back, and a line of 0. After it: refused.
CALL app(46);
CALL buy(46, 1, '2023-03-01', 'plan', 'pro');
SELECT refused($$CALL refund(46, 2, '2023-04-01 00:00', 1)$$, 'refund|end|over', 'a refund after the end');
CALL refund(46, 2, '2023-03-31 23:59:59.999999', 1);
SELECT lines_are(46, '2023-03', 'refund', ARRAY[
	'refund:plan | [2023-03-01,2023-04-01) | 2023-03-31 | 1 0 1 1 0 0'],
	'on the last day: a refund of 0 is shown');
SELECT is(status(46, '2023-04-01'), 'stopped', 'and the grace is gone');
-- Half up: agreed 0.03, term of 30 days (April), x = 04-15: used 0.015, back 0.015 -> 0.02.
CALL app(47);
CALL buy(47, 1, '2023-04-01', 'plan', 'pro', paid => 0.03);
CALL refund(47, 2, '2023-04-15', 1);
SELECT is(amounts(47, '2023-04', 'refund'), '-0.02', 'half up to 0.01');
-- Agreed 2400 for 3 months: 800 a month. x = 04-10: 800 + 800 * 10/30 = 1066.666...; back 1333.333...
CALL app(48);
CALL buy(48, 1, '2023-03-01', 'plan', 'pro', 3, paid => 2400);
CALL refund(48, 2, '2023-04-10', 1);
SELECT is(amounts(48, '2023-04', 'refund'), '-1333.33', 'the monthly price is the one paid');
-- Renewed in the grace on 04-03: [04-01,05-01). x = 04-10 (7 days after): used 10 days, 333.
CALL app(49);
CALL buy(49, 1, '2023-03-01', 'plan', 'pro');
CALL buy(49, 2, '2023-04-03', 'plan', 'pro');
CALL refund(49, 3, '2023-04-10', 2);
SELECT is(amounts(49, '2023-04', 'refund'), '-666', 'used counts the term''s days, not those since the purchase');
CALL app(50);
CALL buy(50, 1, '2023-03-01', 'plan', 'pro');
CALL buy(50, 2, '2023-04-03', 'plan', 'pro');
CALL refund(50, 3, '2023-04-07', 2);
SELECT is(amounts(50, '2023-04', 'refund'), '-999', 'the five days count from the purchase day, not from the term''s first');
-- The price paid is that of the purchase day: 2023-12-25 at 999, 2 months [12-25,02-25).
-- x = 2024-01-10: 17 days of 31: 1998 - 999 * 17/31 = 1998 - 547.8387 = 1450.1612...
CALL app(51);
CALL buy(51, 1, '2023-12-25', 'plan', 'pro', 2);
CALL refund(51, 2, '2024-01-10', 1);
SELECT is(amounts(51, '2024-01', 'refund'), '-1450.16', 'at the price of the purchase day, not of the new version');

-- Add-ons and local moderation
CALL app(52);
CALL buy(52, 1, '2023-03-01', 'plan', 'pro', 12);
CALL buy(52, 2, '2023-03-01', 'group_members');
CALL buy(52, 3, '2023-03-01', 'local_moderation');
CALL buy(52, 4, '2023-03-01', 'call', 'basic', 2);
CALL refund(52, 5, '2023-03-06', 2);
CALL refund(52, 6, '2023-03-07', 3);
CALL refund(52, 7, '2023-04-15', 4);
-- 500 * 25/31 = 403.2258...; 1000 * 24/31 = 774.1935...; call: 1000 - 500 - 500 * 15/30 = 250
SELECT lines_are(52, '2023-03', 'refund', ARRAY[
	'refund:group_members | [2023-03-01,2023-04-01) | 2023-03-06 | 1 0 1 1 -403.23 -403.23',
	'refund:local_moderation | [2023-03-01,2023-04-01) | 2023-03-07 | 1 0 1 1 -774.19 -774.19'],
	'an add-on and local moderation, by day');
SELECT is(amounts(52, '2023-04', 'refund'), '-250', 'an add-on with an option');

-- With an upgrade ---------------------------------------------------------------------------------
-- pro 03-01, upgrade 03-11: 21 days, 504000/365 = 1380.8219 -> 1380.82.
-- x = 03-20: paid 999 + 1380.82 = 2379.82; used 10 * 999/31 + 10 * 2999/31 = 39980/31 = 1289.6774...
-- back 1090.1425... -> 1090.14
CALL app(61);
CALL buy(61, 1, '2023-03-01', 'plan', 'pro');
CALL upgrade(61, 2, '2023-03-11');
SELECT refused($$CALL refund(61, 3, '2023-03-20', 2)$$, 'upgrade|only purchases', 'an upgrade is never refunded by itself');
CALL refund(61, 3, '2023-03-20', 1);
SELECT is(amounts(61, '2023-03', 'refund'), '-1090.14', 'paid and used with an upgrade');
-- Within five days: everything, the fee too. 30 days: 720000/365 = 1972.6027 -> 1972.60; 2971.60
CALL app(62);
CALL buy(62, 1, '2023-03-01', 'plan', 'pro');
CALL upgrade(62, 2, '2023-03-02');
CALL refund(62, 3, '2023-03-05', 1);
SELECT is(amounts(62, '2023-03', 'refund'), '-2971.6', 'everything back includes the upgrade fee');
SELECT is(im_monthly_total(62, '2023-03'), 0::numeric, 'nothing is owed');
-- Queued: fee 3353.42 over 51 days, 21 of the first term, 30 of the renewal.
-- Renewal on 03-20: 999 + 3353.42 * 30/51 = 999 + 1972.60 = 2971.60
-- First on 03-21: 999 + 3353.42 * 21/51 = 999 + 1380.82 = 2379.82;
-- used 10 * 999/31 + 11 * 2999/31 = 42979/31 = 1386.4193...; back 993.4006...
CALL app(63);
CALL buy(63, 1, '2023-03-01', 'plan', 'pro');
CALL buy(63, 2, '2023-03-02', 'plan', 'pro');
CALL upgrade(63, 3, '2023-03-11');
CALL refund(63, 4, '2023-03-20', 2);
CALL refund(63, 5, '2023-03-21', 1);
SELECT is(amounts(63, '2023-03', 'refund'), '-2971.6 -993.4', 'the fee''s share of a queued renewal');
-- Agreed 930 for March, upgrade 03-11 for nothing: x = 03-31 used 10 * 30 + 21 * 2999/31 = 2331.58;
-- more than paid: 0.
CALL app(64);
CALL buy(64, 1, '2023-03-01', 'plan', 'pro', paid => 930);
CALL upgrade(64, 2, '2023-03-11', paid => 0);
CALL refund(64, 3, '2023-03-31', 1);
SELECT is(amounts(64, '2023-03', 'refund'), '0', 'at least 0');
-- Agreed fee: paid 930 + 700 = 1630; x = 03-15: 10 * 930/31 + 5 * 2999/31 = 300 + 483.7096...; back 846.2903...
CALL app(65);
CALL buy(65, 1, '2023-03-01', 'plan', 'pro', paid => 930);
CALL upgrade(65, 2, '2023-03-11', paid => 700);
CALL refund(65, 3, '2023-03-15', 1);
SELECT is(amounts(65, '2023-03', 'refund'), '-846.29', 'with agreed prices');
-- A renewal bought after the upgrade has no part of the fee. Flagship [04-01,05-01), x = 04-10:
-- 2999 * 20/30 = 1999.3333...
CALL app(66);
CALL buy(66, 1, '2023-03-01', 'plan', 'pro');
CALL upgrade(66, 2, '2023-03-11');
CALL buy(66, 3, '2023-03-12', 'plan', 'flagship');
CALL refund(66, 4, '2023-04-10', 3);
SELECT is(amounts(66, '2023-04', 'refund'), '-1999.33', 'a renewal after the upgrade stands alone');

-- What cannot be refunded -------------------------------------------------------------------------------
CALL app(71);
CALL buy(71, 1, '2023-03-01', 'plan', 'pro');
CALL buy(71, 2, '2023-03-02', 'plan', 'pro');
CALL turn(71, 3, '2023-03-02', 'on', 'moderation');
CALL buy(71, 4, '2023-03-03', 'call', 'basic');
CALL buy(71, 5, '2023-03-04', 'call', 'basic');
CALL app(72);
SELECT refused($$CALL refund(71, 9, '2023-03-05', 1)$$, 'newest|later', 'newest term of its item first');
SELECT accepted($$CALL refund(71, 9, '2023-03-05', 2)$$, 'the newest');
SELECT refused($$CALL refund(71, 9, '2023-03-05', 4)$$, 'newest|later', 'so with add-ons');
SELECT accepted($$CALL refund(71, 9, '2023-03-05', 5)$$, 'other items do not matter');
SELECT accepted($$INSERT INTO im_order (app_id, order_id, at, action, item, refunds)
	VALUES (71, 9, at8('2023-03-05'), 'refund', 'plan', 2), (71, 10, at8('2023-03-05'), 'refund', 'plan', 1)$$,
	'the newest, then the one before it');
SELECT refused($$INSERT INTO im_order (app_id, order_id, at, action, item, refunds)
	VALUES (71, 9, at8('2023-03-05'), 'refund', 'plan', 1), (71, 10, at8('2023-03-05'), 'refund', 'plan', 2)$$,
	'newest|later', 'not the other way round');
SELECT refused($$CALL refund(71, 9, '2023-03-05', 3)$$, 'refund', 'a switch is not refunded');
SELECT refused($$CALL refund(71, 9, '2023-03-05', 99)$$, '99', 'no such order');
SELECT refused($$CALL refund(72, 9, '2023-03-05', 2)$$, 'refund', 'another app''s order');
SELECT refused($$CALL refund(71, 9, '2023-03-05', NULL)$$, 'refund', 'a refund of nothing');
SELECT refused($$CALL refund(71, 9, '2023-03-05', 9)$$, 'refund', 'a refund of itself');
SELECT refused($$CALL refund(71, 9, '2023-03-01', 2)$$, 'refund', 'a refund before the purchase');
SELECT refused($$CALL refund(21, 3, '2023-03-05 23:59:59.999999', 1)$$, 'refunded|once', 'an order is refunded once');
SELECT refused($$CALL refund(21, 3, '2023-03-06', 2)$$, 'refund', 'a refund is not refunded');
SELECT refused($$INSERT INTO im_order (app_id, order_id, at, action, item, refunds)
	VALUES (71, 9, at8('2023-03-05'), 'refund', 'call', 2)$$, 'item|plan|call',
	'a refund names the item of its order');
SELECT accepted($$INSERT INTO im_order (app_id, order_id, at, action, item, refunds)
	VALUES (71, 9, at8('2023-03-05'), 'refund', '', 2)$$, 'or none');
SELECT refused($$INSERT INTO im_order (app_id, order_id, at, action, item, refunds, months)
	VALUES (71, 9, at8('2023-03-05'), 'refund', 'plan', 2, 1)$$, 'months', 'a refund has no months');

-- After a refund --------------------------------------------------------------------------------------------
CALL app(81);
CALL buy(81, 1, '2023-03-01', 'plan', 'pro', 3);
CALL refund(81, 2, '2023-03-10 10:00', 1);
SELECT is(status(81, '2023-03-10'), 'active', 'the day of the refund is the last day');
SELECT is(status(81, '2023-03-11'), 'stopped', 'no grace after a refund');
SELECT is(status(81, '2023-06-08'), 'stopped', '89 days after the stop');
SELECT is(status(81, '2023-06-09'), 'reclaimed', '90 days after the stop on 03-11');
SELECT accepted($$CALL buy(81, 3, '2023-03-10 11:00', 'group_members')$$,
	'an add-on can still be bought on the last day');
SELECT refused($$CALL buy(81, 3, '2023-03-11 00:00', 'group_members')$$, 'plan|stopped', 'not on the next');
SELECT refused($$CALL upgrade(81, 3, '2023-03-12')$$, 'upgrade', 'nor is there anything to upgrade');
CALL buy(81, 4, '2023-03-10 12:00', 'plan', 'flagship');
SELECT lines_are(81, '2023-03', 'plan', ARRAY[
	'plan:pro | [2023-03-01,2023-06-01) | 2023-03-01 | 3 0 3 3 999 2997',
	'plan:flagship | [2023-03-10,2023-04-10) | 2023-03-10 | 1 0 1 1 2999 2999'],
	'a purchase after a refund starts on its own day, even on the same');
CALL daily(81, '2023-03-20', dau => 3);
SELECT lines_are(81, '2023-03', 'dau_overage', ARRAY[
	'dau_overage:flagship | [2023-03-01,2023-04-01) | 2023-04-01 | 3 10000 0 0 1000 0'],
	'and is the plan from then on');
CALL app(82);
CALL buy(82, 1, '2023-03-01', 'plan', 'pro', 3);
CALL refund(82, 2, '2023-03-10 10:00', 1);
CALL buy(82, 3, '2023-03-12', 'plan', 'pro');
SELECT is(periods(82, '2023-03', 'plan'), '[2023-03-01,2023-06-01) [2023-03-12,2023-04-12)',
	'the same plan two days later: no grace to continue from');
CALL app(83);
CALL buy(83, 1, '2023-03-01', 'plan', 'pro', 12);
CALL buy(83, 2, '2023-03-02', 'group_members', '', 3);
CALL refund(83, 3, '2023-03-10 10:00', 2);
CALL buy(83, 4, '2023-03-10 11:00', 'group_members');
SELECT is(periods(83, '2023-03', 'group_members'), '[2023-03-02,2023-06-02) [2023-03-10,2023-04-10)',
	'so with add-ons');
-- The share of a refunded app: counting days 03-01..03-10, k = 10 of 31: 10000/31 = 322.5806...
CALL app(84);
CALL buy(84, 1, '2023-03-01', 'plan', 'pro');
CALL refund(84, 2, '2023-03-10', 1);
CALL daily(84, '2023-03-10', dau => 10001);
CALL daily(84, '2023-03-11', dau => 90001);
SELECT is(amounts(84, '2023-03', 'dau_overage'), '322.58064516',
	'stopped by a refund: the last day counts, the next does not, and the share applies');

-- More of both together --------------------------------------------------------------------------------------
-- A renewal refunded before the upgrade does not count: 21 days remain, 1380.82.
CALL app(91);
CALL buy(91, 1, '2023-03-01', 'plan', 'pro');
CALL buy(91, 2, '2023-03-02', 'plan', 'pro');
CALL refund(91, 3, '2023-03-05', 2);
CALL upgrade(91, 4, '2023-03-11');
SELECT lines_are(91, '2023-03', 'plan_upgrade', ARRAY[
	'plan_upgrade:flagship | [2023-03-11,2023-04-01) | 2023-03-11 | 21 0 21 21 2000 1380.82'],
	'remaining days are those of terms that stand');
-- Upgraded within the renewal: 04-11, 20 days, 480000/365 = 1315.0684... -> 1315.07.
-- Refund on 04-20: 999 + 1315.07 - 10 * 999/30 - 10 * 2999/30 = 2314.07 - 1332.6666... = 981.4033...
CALL app(92);
CALL buy(92, 1, '2023-03-01', 'plan', 'pro');
CALL buy(92, 2, '2023-03-02', 'plan', 'pro');
CALL upgrade(92, 3, '2023-04-11');
CALL refund(92, 4, '2023-04-20', 2);
SELECT is(amounts(92, '2023-04', 'plan_upgrade') || ' ' || amounts(92, '2023-04', 'refund'), '1315.07 -981.4',
	'the whole fee belongs to the term that it was paid in');
SELECT refused($$CALL refund(92, 5, '2023-04-20', 1)$$, 'refund', 'the first term is over and is not refunded');
-- Two upgrades of one term, prices 999, 2999, 5999: fees 1380.82 (03-11) and 1084.93 (03-21).
-- Refund on 03-25: 999 + 1380.82 + 1084.93 = 3464.75; used (10*999 + 10*2999 + 5*5999)/31 = 69975/31 = 2257.2580...
CALL card('three', '2019-12-10', jsonb_set(cn(), '{plans,ultra}', '{"rank": 3, "price": "5999"}'));
CALL app(93, 'three');
CALL buy(93, 1, '2023-03-01', 'plan', 'pro');
CALL upgrade(93, 2, '2023-03-11');
CALL upgrade(93, 3, '2023-03-21', 'ultra');
CALL refund(93, 4, '2023-03-25', 1);
SELECT is(amounts(93, '2023-03', 'refund'), '-1207.49', 'two upgrades of one term');
-- The upgrade day itself is on the new plan: 10 * 999/31 + 1 * 2999/31 = 12989/31 = 419; 2379.82 - 419 = 1960.82
CALL app(94);
CALL buy(94, 1, '2023-03-01', 'plan', 'pro');
CALL upgrade(94, 2, '2023-03-11 10:00');
CALL refund(94, 3, '2023-03-11 11:00', 1);
SELECT is(amounts(94, '2023-03', 'refund'), '-1960.82', 'refunded on the day of the upgrade');
-- The plan's refund leaves an add-on; the add-on's own refund is still possible.
CALL app(95);
CALL buy(95, 1, '2023-03-01', 'plan', 'pro', 3);
CALL buy(95, 2, '2023-03-01', 'group_members', '', 3);
CALL refund(95, 3, '2023-03-10', 1);
SELECT accepted($$CALL refund(95, 4, '2023-04-10', 2)$$, 'an add-on is refunded after the plan');
SELECT refused($$CALL buy(95, 4, '2023-03-15', 'group_members')$$, 'plan|stopped', 'but not renewed without one');
-- pro 12-15 at 999, 2 months [12-15,02-15); upgrade 01-15 (31 days at 1500: 1528.77), refund 01-31:
-- 1998 + 1528.77 = 3526.77; used 999 (first month) + 17 * 2999/31 = 50983/31 = 1644.6129; back 883.1570...
CALL app(96);
CALL buy(96, 1, '2023-12-15', 'plan', 'pro', 2);
CALL upgrade(96, 2, '2024-01-15');
CALL refund(96, 3, '2024-01-31', 1);
SELECT is(amounts(96, '2024-01', 'refund'), '-883.16', 'from the upgrade on the new plan''s price of the upgrade day');
-- A bought pack does not stand in the way, nor do switches: the newest term of the item counts.
CALL app(97);
CALL buy(97, 1, '2023-03-01', 'plan', 'pro');
CALL pack(97, 2, '2023-03-02', 'month');
CALL turn(97, 3, '2023-03-02', 'on', 'history_storage', '30d');
CALL buy(97, 4, '2023-03-02', 'local_moderation');
SELECT accepted($$CALL refund(97, 5, '2023-03-03', 1)$$, 'other items do not stand in the way');
-- Bought in April, refunded within five days in May: each in its own month.
CALL app(98);
CALL buy(98, 1, '2023-04-30', 'plan', 'pro');
CALL refund(98, 2, '2023-05-04', 1);
SELECT is(amounts(98, '2023-04', 'refund') || '|' || amounts(98, '2023-05', 'refund') || '|' || amounts(98, '2023-05', 'plan'),
	'|-999|', 'a refund is on the bill of its own day');

-- A refund may name the option of its order, no other.
SELECT accepted($$INSERT INTO im_order (app_id, order_id, at, action, item, option, refunds)
	VALUES (71, 9, at8('2023-03-05'), 'refund', 'call', 'basic', 5)$$, 'the option of the refunded order');
SELECT refused($$INSERT INTO im_order (app_id, order_id, at, action, item, option, refunds)
	VALUES (71, 9, at8('2023-03-05'), 'refund', 'call', 'premium', 5)$$, 'option|premium|call', 'another option');

-- 122 terms share an upgrade fee, and each refund is rounded by itself: together they give back what was paid.
CALL app(99);
INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
SELECT 99, i, at8('2023-03-01 10:00') + i * interval '1 second', 'buy', 'plan', 'pro', 1 FROM generate_series(1, 122) i;
CALL upgrade(99, 200, '2023-03-01 11:00');
INSERT INTO im_order (app_id, order_id, at, action, item, refunds)
SELECT 99, 1000 - i, at8('2023-03-01 12:00') - i * interval '1 second', 'refund', 'plan', i FROM generate_series(1, 122) i;
SELECT is(im_monthly_total(99, '2023-03')::text, '0.00', 'refunds that share an upgrade fee give back at most what was paid');
SELECT ok((SELECT explanation LIKE '%, cut to what was left of all that was paid.' FROM im_monthly_bill(99, '2023-03')
	WHERE item = 'refund' ORDER BY line DESC LIMIT 1), 'and the last one says that it was cut');
SELECT ok((SELECT bool_or(f.fact = 'cut' AND f.amount = -b.amount)
	FROM (SELECT * FROM im_monthly_bill(99, '2023-03') WHERE item = 'refund' ORDER BY line DESC LIMIT 1) b,
		im_explain(99, '2023-03', b.line) f), 'as do its facts');

CALL settle();
SELECT * FROM finish();
ROLLBACK;
