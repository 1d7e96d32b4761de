-- R4: add-ons, prepaid and postpaid.
BEGIN;
\ir include/setup.sql

-- The price list ------------------------------------------------------------
SELECT is(im_addon_fee(im_bundled_card('cn', '2019-12-10'), plan, addon, option), fee,
	format('%s %s %s', plan, addon, option))
FROM (VALUES
	('pro', 'avchatroom', '', 1000::numeric),
	('pro', 'group_members', '', 500), ('flagship', 'group_members', '', 500),
	('pro', 'joined_groups', '', 1100), ('flagship', 'joined_groups', '', 900),
	('pro', 'history_storage', '30d', 500), ('pro', 'history_storage', '90d', 1000),
	('pro', 'history_storage', '180d', 1500), ('pro', 'history_storage', '360d', 2500),
	('flagship', 'history_storage', '90d', 500), ('flagship', 'history_storage', '180d', 1000),
	('flagship', 'history_storage', '360d', 2000),
	('pro', 'call', 'basic', 500), ('pro', 'call', 'advanced', 1000), ('pro', 'call', 'premium', 1500),
	('flagship', 'call', 'basic', 500), ('flagship', 'call', 'advanced', 1000),
	('flagship', 'call', 'premium', 1500)) v(plan, addon, option, fee);
SELECT throws_ok(format('SELECT im_addon_fee(im_bundled_card(%L, %L), %L, %L, %L)',
	'cn', '2019-12-10', plan, addon, option), '22023', NULL, format('%s %s %s is not sold: %s', plan, addon, option, why))
FROM (VALUES
	('flagship', 'avchatroom', '', 'included'), ('flagship', 'history_storage', '30d', '-'),
	('trial', 'avchatroom', '', 'trial'), ('trial', 'call', 'basic', 'trial'),
	('pro', 'call', '', 'no such option'), ('pro', 'avchatroom', 'big', 'no such option'),
	('pro', 'unicorn', '', 'no such add-on'), ('gold', 'call', 'basic', 'no such plan')) v(plan, addon, option, why);

-- Prepaid: due on the purchase day for all months ------------------------------
CALL app(1);
CALL buy(1, 1, '2023-03-01', 'plan', 'pro', 6);
CALL buy(1, 2, '2023-03-31', 'avchatroom');
CALL buy(1, 3, '2023-03-31', 'group_members', '', 2);
CALL buy(1, 4, '2023-03-31', 'joined_groups', '', 3);
CALL buy(1, 5, '2023-03-31', 'call', 'premium', 4);
-- 6*999 = 5994; 2*500 = 1000; 3*1100 = 3300; 4*1500 = 6000. Add-ons by name.
SELECT bill_is(1, '2023-03', ARRAY[
	'plan:pro | [2023-03-01,2023-09-01) | 2023-03-01 | 6 0 6 6 999 5994',
	'avchatroom: | [2023-03-31,2023-04-30) | 2023-03-31 | 1 0 1 1 1000 1000',
	'call:premium | [2023-03-31,2023-07-31) | 2023-03-31 | 4 0 4 4 1500 6000',
	'group_members: | [2023-03-31,2023-05-31) | 2023-03-31 | 2 0 2 2 500 1000',
	'joined_groups: | [2023-03-31,2023-06-30) | 2023-03-31 | 3 0 3 3 1100 3300'],
	'prepaid add-ons: all months at once, by name');
-- 5994 + 1000 + 6000 + 1000 + 3300 = 17294
SELECT is(im_monthly_total(1, '2023-03'), 17294::numeric, 'their total');
SELECT bill_is(1, '2023-04', '{}', 'nothing of it later');
CALL app(2);
CALL buy(2, 1, '2023-03-01', 'plan', 'flagship', 6);
CALL buy(2, 2, '2023-03-02', 'joined_groups', '', 1, paid => 850);
SELECT lines_are(2, '2023-03', 'joined_groups', ARRAY[
	'joined_groups: | [2023-03-02,2023-04-02) | 2023-03-02 | 1 0 1 1 900 850'],
	'flagship''s price in unit_price, the agreed one in amount');

-- Who may buy -----------------------------------------------------------------
CALL app(3);
SELECT refused($$CALL buy(3, 1, '2023-03-05', 'group_members')$$, 'plan|trial',
	'an add-on on trial');
SELECT refused($$CALL buy(2, 3, '2023-03-05', 'avchatroom')$$, 'avchatroom',
	'an add-on that flagship includes');
SELECT refused($$CALL buy(1, 9, '2023-04-05', 'call', '')$$, 'call|option', 'call without an option');
SELECT refused($$CALL buy(1, 9, '2023-04-05', 'call', 'gold')$$, 'gold', 'call with an unknown option');
SELECT refused($$CALL buy(1, 9, '2023-06-05', 'group_members', '', 0)$$, 'months', '0 months');
SELECT refused($$CALL buy(1, 9, '2023-06-05', 'group_members', '', NULL)$$, 'months', 'no months');
SELECT refused($$CALL buy(1, 9, '2023-06-05', 'group_members', '', 1201)$$, 'months', '1201 months');
SELECT accepted($$CALL buy(1, 9, '2023-06-05', 'group_members', '', 1200)$$, '1200 months');
SELECT refused($$CALL buy(1, 9, '2023-06-05', 'group_members', '', 1, 2)$$, 'quantity', 'two of it');
-- pro [2023-03-05,2023-04-05), grace 04-05..04-11
CALL app(4);
CALL buy(4, 1, '2023-03-05', 'plan', 'pro');
SELECT refused($$CALL buy(4, 2, '2023-03-04 23:59:59.999999', 'group_members')$$, 'plan|trial',
	'the day before the plan');
SELECT accepted($$CALL buy(4, 2, '2023-04-04 23:59:59.999999', 'group_members')$$,
	'the last day of the plan');
SELECT accepted($$CALL buy(4, 2, '2023-04-11 23:59:59.999999', 'group_members')$$,
	'the 7th day of the grace');
SELECT refused($$CALL buy(4, 2, '2023-04-12 00:00', 'group_members')$$, 'plan|stopped',
	'the 8th day: stopped');

-- Again, and another option ------------------------------------------------------
CALL app(11);
CALL buy(11, 1, '2023-03-01', 'plan', 'pro', 12);
CALL buy(11, 2, '2023-03-10', 'call', 'basic');
CALL buy(11, 3, '2023-04-09 23:59', 'call', 'basic', 2);
SELECT is(periods(11, '2023-04', 'call'), '[2023-04-10,2023-06-10)',
	'again on the last day: continues from the end day');
SELECT refused($$CALL buy(11, 4, '2023-05-01', 'call', 'advanced')$$, 'call|option',
	'another option while one is in force');
SELECT refused($$CALL buy(11, 4, '2023-06-09 23:59', 'call', 'advanced')$$, 'call|option',
	'another option on its last day');
SELECT accepted($$CALL buy(11, 4, '2023-06-10 00:00', 'call', 'advanced')$$,
	'another option when it is over');
CALL buy(11, 5, '2023-06-11', 'call', 'basic');
SELECT is(periods(11, '2023-06', 'call'), '[2023-06-11,2023-07-11)',
	'after its end: its own day; an add-on has no grace');
CALL app(12);
CALL buy(12, 1, '2023-03-01', 'plan', 'pro', 12);
CALL buy(12, 2, '2023-03-10', 'call', 'basic', 3);
CALL refund(12, 3, '2023-03-20 10:00', 2);
SELECT accepted($$CALL buy(12, 4, '2023-03-20 10:01', 'call', 'advanced')$$,
	'another option once the first is refunded');
SELECT refused($$CALL buy(12, 4, '2023-03-20 09:59', 'call', 'advanced')$$, 'call|option',
	'not a minute before the refund');

-- Price and permission follow the plan of the instant ---------------------------------
CALL app(21);
CALL buy(21, 1, '2023-03-01', 'plan', 'pro', 3);
CALL buy(21, 2, '2023-03-05 10:00', 'joined_groups');
CALL upgrade(21, 3, '2023-03-05 10:00');
CALL buy(21, 4, '2023-03-05 10:00', 'joined_groups');
SELECT lines_are(21, '2023-03', 'joined_groups', ARRAY[
	'joined_groups: | [2023-03-05,2023-04-05) | 2023-03-05 | 1 0 1 1 1100 1100',
	'joined_groups: | [2023-04-05,2023-05-05) | 2023-03-05 | 1 0 1 1 900 900'],
	'at one instant orders take effect by order_id: before the upgrade 1100, after it 900');
CALL app(22);
CALL buy(22, 5, '2023-03-05 10:00', 'plan', 'pro', 3);
SELECT refused($$CALL buy(22, 4, '2023-03-05 10:00', 'joined_groups')$$, 'plan|trial',
	'at one instant, an order before the plan''s by order_id');
SELECT refused($$CALL buy(22, 6, '2023-03-05 09:59:59.999999', 'joined_groups')$$, 'plan|trial',
	'a microsecond before the plan''s, on its day');
SELECT accepted($$CALL buy(22, 6, '2023-03-05 10:00', 'joined_groups')$$, 'and after it');
CALL buy(22, 7, '2023-03-06', 'avchatroom', '', 2);
CALL upgrade(22, 8, '2023-03-10');
SELECT lines_are(22, '2023-03', 'avchatroom', ARRAY[
	'avchatroom: | [2023-03-06,2023-05-06) | 2023-03-06 | 2 0 2 2 1000 2000'],
	'an upgrade leaves a prepaid add-on to run out');
SELECT refused($$CALL buy(22, 9, '2023-03-11', 'avchatroom')$$, 'avchatroom',
	'its renewal is refused where the new plan does not sell it');
SELECT lives_ok('CALL settle()', 'all orders so far stand');

-- history_storage -----------------------------------------------------------------------
CALL app(31);
CALL buy(31, 1, '2023-03-01', 'plan', 'pro', 6);
CALL turn(31, 2, '2023-03-31 23:59:59.999999', 'on', 'history_storage', '30d');
CALL turn(31, 3, '2023-04-01 00:00', 'off', 'history_storage');
SELECT lines_are(31, '2023-03', 'history_storage', ARRAY[
	'history_storage:30d | [2023-03-01,2023-04-01) | 2023-04-01 | 1 0 1 1 500 500'],
	'on at the last microsecond of March: March is charged whole');
SELECT lines_are(31, '2023-04', 'history_storage', ARRAY[
	'history_storage:30d | [2023-04-01,2023-05-01) | 2023-05-01 | 1 0 1 1 500 500'],
	'the day of switching off counts as on: April too');
SELECT bill_is(31, '2023-05', '{}', 'May is not');
CALL app(32);
CALL buy(32, 1, '2023-03-01', 'plan', 'pro', 6);
CALL turn(32, 2, '2023-03-10', 'on', 'history_storage', '360d');
CALL turn(32, 3, '2023-03-31 23:59:59.999999', 'off', 'history_storage');
SELECT is(amounts(32, '2023-03', 'history_storage'), '2500', 'off on the last day of March: March');
SELECT is(amounts(32, '2023-04', 'history_storage'), '', 'and no April');

-- A switch of option
CALL app(33);
CALL buy(33, 1, '2023-03-01', 'plan', 'pro', 6);
CALL turn(33, 2, '2023-03-05', 'on', 'history_storage', '360d');
CALL turn(33, 3, '2023-03-31 23:59', 'on', 'history_storage', '90d');
SELECT lines_are(33, '2023-03', 'history_storage', ARRAY[
	'history_storage:360d | [2023-03-01,2023-04-01) | 2023-04-01 | 1 0 1 1 2500 2500'],
	'the dearest option of the month, for the whole month');
SELECT is((SELECT explanation FROM im_monthly_bill(33, '2023-03') WHERE item = 'history_storage'),
	'Switched on in the month with several options: history_storage 360d is the dearest of them, last day on 2023-03-31 with plan pro, one month at 2500 CNY.',
	'and the line says so');
SELECT refused($$CALL turn(33, 4, '2023-03-31 23:59:59.999999', 'on', 'history_storage', '30d')$$,
	'option|month', 'one switch of option per calendar month');
SELECT accepted($$CALL turn(33, 4, '2023-04-01 00:00', 'on', 'history_storage', '30d')$$,
	'the next is allowed in the next month');
SELECT accepted($$CALL turn(33, 4, '2023-03-31 23:59:59.999999', 'on', 'history_storage', '90d')$$,
	'on when on with the same option is no switch');
CALL turn(33, 5, '2023-04-30 12:00', 'on', 'history_storage', '180d');
SELECT is(amounts(33, '2023-04', 'history_storage'), '1500', 'the switch of April: 180d');
SELECT is(amounts(33, '2023-05', 'history_storage'), '1500', 'and it stays on in May');

-- Without effect
CALL app(34);
CALL buy(34, 1, '2023-03-01', 'plan', 'pro', 6);
CALL turn(34, 2, '2023-03-05', 'off', 'history_storage');
SELECT is(amounts(34, '2023-03', 'history_storage'), '', 'off when off is accepted and does nothing');
CALL turn(34, 3, '2023-04-05', 'on', 'history_storage', '30d');
CALL turn(34, 4, '2023-04-06', 'on', 'history_storage', '30d');
CALL turn(34, 5, '2023-04-07', 'off', 'history_storage');
SELECT is(amounts(34, '2023-04', 'history_storage'), '500', 'on when on: charged once');
SELECT is(amounts(34, '2023-05', 'history_storage'), '', 'and one off ends it');
SELECT lives_ok('CALL settle()', 'switches without effect are accepted');

-- Paid plan in force and not suspended
CALL app(35);
CALL turn(35, 1, '2023-02-20', 'on', 'history_storage', '90d');
CALL buy(35, 2, '2023-03-20', 'plan', 'pro', 1);
SELECT is(amounts(35, '2023-02', 'history_storage'), '', 'on in trial: not charged');
SELECT is(amounts(35, '2023-03', 'history_storage'), '1000', 'from the month of the plan on it is');
-- pro [03-20,04-20), grace through 04-26; stopped on 04-30: k = 26, D = 30.
-- 1000 * 26/30 = 866.6666...
SELECT lines_are(35, '2023-04', 'history_storage', ARRAY[
	'history_storage:90d | [2023-04-01,2023-05-01) | 2023-05-01 | 1 0 1 1 1000 866.66666667'],
	'the stop share applies: 26 counting days of 30');
SELECT is(amounts(35, '2023-05', 'history_storage'), '', 'stopped: not charged');
CALL app(36);
CALL buy(36, 1, '2023-03-01', 'plan', 'pro', 6);
CALL suspend(36, '[2023-03-10,2023-03-15)');
CALL turn(36, 2, '2023-03-10', 'on', 'history_storage', '30d');
CALL turn(36, 3, '2023-03-14', 'off', 'history_storage');
SELECT is(amounts(36, '2023-03', 'history_storage'), '', 'on only on suspended days: not charged');
CALL app(37);
CALL buy(37, 1, '2023-03-01', 'plan', 'pro', 6);
CALL suspend(37, '[2023-03-10,2023-03-15)');
CALL turn(37, 2, '2023-03-10', 'on', 'history_storage', '30d');
CALL turn(37, 3, '2023-03-15', 'off', 'history_storage');
SELECT is(amounts(37, '2023-03', 'history_storage'), '500', 'one day after the suspension is enough');
-- The share counts the app's counting days, not those of the switch.
CALL app(38);
CALL buy(38, 1, '2023-03-01', 'plan', 'pro', 6);
CALL suspend(38, '[2023-03-21,2023-05-01)');
CALL turn(38, 2, '2023-03-20', 'on', 'history_storage', '30d');
-- k = 20, D = 31: 500 * 20/31 = 322.580645161...
SELECT is(amounts(38, '2023-03', 'history_storage'), '322.58064516',
	'suspended at the month''s end: 20 counting days of 31');
SELECT is(amounts(38, '2023-04', 'history_storage'), '', 'a month without such a day is not charged');

-- Plan of the last day it was on; options that a plan does not sell
CALL app(41);
CALL buy(41, 1, '2023-03-01', 'plan', 'pro', 6);
CALL turn(41, 2, '2023-03-05', 'on', 'history_storage', '90d');
CALL upgrade(41, 3, '2023-03-31 12:00');
SELECT lines_are(41, '2023-03', 'history_storage', ARRAY[
	'history_storage:90d | [2023-03-01,2023-04-01) | 2023-04-01 | 1 0 1 1 500 500'],
	'upgraded on the last day it was on: flagship''s price');
CALL app(42);
CALL buy(42, 1, '2023-03-01', 'plan', 'pro', 6);
CALL turn(42, 2, '2023-03-05', 'on', 'history_storage', '90d');
CALL turn(42, 3, '2023-03-19', 'off', 'history_storage');
CALL upgrade(42, 4, '2023-03-20');
SELECT is(amounts(42, '2023-03', 'history_storage'), '1000', 'off before the upgrade: pro''s price');
CALL app(43);
CALL buy(43, 1, '2023-03-01', 'plan', 'pro', 6);
CALL turn(43, 2, '2023-03-05', 'on', 'history_storage', '30d');
CALL upgrade(43, 3, '2023-03-20');
SELECT lines_are(43, '2023-03', 'history_storage', ARRAY[
	'history_storage:30d | [2023-03-01,2023-04-01) | 2023-04-01 | 1 0 1 1 500 500'],
	'30d counts as on until the upgrade, at pro''s price');
SELECT is(amounts(43, '2023-04', 'history_storage'), '', '30d counts as off on flagship');
CALL app(44);
CALL buy(44, 1, '2023-03-01', 'plan', 'flagship', 6);
SELECT refused($$CALL turn(44, 2, '2023-03-05', 'on', 'history_storage', '30d')$$, '30d|history_storage',
	'30d is not switched on on flagship');
SELECT accepted($$CALL turn(44, 2, '2023-03-05', 'on', 'history_storage', '90d')$$, '90d is');
SELECT refused($$CALL turn(44, 2, '2023-03-05', 'on', 'history_storage', '45d')$$, '45d',
	'an unknown option');
SELECT refused($$CALL turn(44, 2, '2023-03-05', 'on', 'history_storage', '')$$, 'option|history_storage',
	'no option');
SELECT refused($$CALL turn(3, 2, '2023-03-05', 'on', 'history_storage', '45d')$$, '45d',
	'an unknown option on trial');
SELECT accepted($$CALL turn(3, 2, '2023-03-05', 'on', 'history_storage', '30d')$$,
	'a switch may be turned on trial');
SELECT accepted($$CALL turn(4, 2, '2023-06-05', 'on', 'history_storage', '30d')$$,
	'and on a stopped app');
SELECT refused($$CALL turn(1, 9, '2023-03-05', 'on', 'group_members', '')$$, 'group_members',
	'a prepaid add-on is no switch');

-- On, off and on again within a month is charged once.
CALL app(51);
CALL buy(51, 1, '2023-03-01', 'plan', 'pro', 6);
CALL turn(51, 2, '2023-03-05', 'on', 'history_storage', '30d');
CALL turn(51, 3, '2023-03-07', 'off', 'history_storage');
CALL turn(51, 4, '2023-03-20', 'on', 'history_storage', '30d');
SELECT is(amounts(51, '2023-03', 'history_storage'), '500', 'a month is charged once');
-- pro [03-05,04-05), in its grace flagship from 04-07: on through 04-06 or through 04-07.
CALL app(52);
CALL buy(52, 1, '2023-03-05', 'plan', 'pro');
CALL buy(52, 2, '2023-04-07', 'plan', 'flagship');
CALL turn(52, 3, '2023-03-06', 'on', 'history_storage', '90d');
CALL turn(52, 4, '2023-04-06', 'off', 'history_storage');
SELECT is(amounts(52, '2023-04', 'history_storage'), '1000', 'the last day on is in pro''s grace');
CALL app(53);
CALL buy(53, 1, '2023-03-05', 'plan', 'pro');
CALL buy(53, 2, '2023-04-07', 'plan', 'flagship');
CALL turn(53, 3, '2023-03-06', 'on', 'history_storage', '90d');
CALL turn(53, 4, '2023-04-07', 'off', 'history_storage');
SELECT is(amounts(53, '2023-04', 'history_storage'), '500', 'the last day on is flagship''s first');
-- Stopped within a month and back: charged whole, once.
CALL app(54);
CALL buy(54, 1, '2023-03-05', 'plan', 'pro');
CALL turn(54, 2, '2023-03-06', 'on', 'history_storage', '90d');
CALL buy(54, 3, '2023-04-20', 'plan', 'pro');
SELECT is(amounts(54, '2023-04', 'history_storage'), '1000', 'stopped and back within a month: charged whole, once');
-- An add-on outlives the plan it was bought on, and its renewal waits for a plan.
CALL app(55);
CALL buy(55, 1, '2023-03-01', 'plan', 'pro');
CALL buy(55, 2, '2023-03-02', 'group_members', '', 6);
SELECT refused($$CALL buy(55, 3, '2023-05-02', 'group_members')$$, 'plan|stopped', 'no renewal on a stopped app');
CALL buy(55, 4, '2023-06-01', 'plan', 'flagship');
CALL buy(55, 5, '2023-06-02', 'group_members');
SELECT is(periods(55, '2023-06', 'group_members'), '[2023-09-02,2023-10-02)', 'with a plan again it continues');

-- Off and on again with another option within the month is a change of option too (or the rule could be
-- walked around); with another option in a later month it is none.
CALL app(61);
CALL buy(61, 1, '2023-03-01', 'plan', 'pro', 6);
CALL turn(61, 2, '2023-03-05', 'on', 'history_storage', '30d');
CALL turn(61, 3, '2023-03-07', 'off', 'history_storage');
CALL turn(61, 4, '2023-03-09', 'on', 'history_storage', '90d');
SELECT refused($$CALL turn(61, 5, '2023-03-11', 'on', 'history_storage', '180d')$$, 'option|month',
	'off and on with another option was the change of the month');
CALL turn(61, 5, '2023-03-13', 'off', 'history_storage');
CALL turn(61, 6, '2023-04-05', 'on', 'history_storage', '180d');
SELECT accepted($$CALL turn(61, 7, '2023-04-06', 'on', 'history_storage', '360d')$$,
	'on with another option after a month off is no change: the month''s change is still to come');
SELECT is(amounts(61, '2023-03', 'history_storage') || ' ' || amounts(61, '2023-04', 'history_storage'), '1000 1500',
	'each month at its last option');

-- 360d at the price of 30d, month after month: a switch on the last day, then off.
CALL app(71);
CALL buy(71, 1, '2023-03-01', 'plan', 'pro', 6);
CALL turn(71, 2, '2023-03-01', 'on', 'history_storage', '360d');
CALL turn(71, 3, '2023-03-31 10:00', 'on', 'history_storage', '30d');
CALL turn(71, 4, '2023-03-31 11:00', 'off', 'history_storage');
CALL turn(71, 5, '2023-04-01', 'on', 'history_storage', '360d');
CALL turn(71, 6, '2023-04-01 00:00:01', 'on', 'history_storage', '30d');
CALL turn(71, 7, '2023-04-01 00:00:02', 'off', 'history_storage');
SELECT is(amounts(71, '2023-03', 'history_storage'), '2500', 'a switch on the last day does not make 360d cheaper');
SELECT is(amounts(71, '2023-04', 'history_storage'), '2500', 'nor one a second after it was switched on');
SELECT is(amounts(71, '2023-05', 'history_storage'), '', 'off is off');
-- The day on which an option gives way to another one is a day of both, as that of switching off is one.
CALL app(72);
CALL buy(72, 1, '2023-03-01', 'plan', 'pro', 6);
CALL turn(72, 2, '2023-03-01', 'on', 'history_storage', '360d');
CALL turn(72, 3, '2023-04-01', 'on', 'history_storage', '30d');
SELECT is(amounts(72, '2023-04', 'history_storage') || ' ' || amounts(72, '2023-05', 'history_storage'), '2500 500',
	'switched on the 1st: the month is one of both options, the next is not');
-- 30d, which the plan of the last day on does not sell, takes no part; nor does an option of suspended days.
CALL app(73);
CALL buy(73, 1, '2023-03-01', 'plan', 'pro', 6);
CALL turn(73, 2, '2023-03-02', 'on', 'history_storage', '30d');
CALL turn(73, 3, '2023-03-10', 'on', 'history_storage', '90d');
CALL upgrade(73, 4, '2023-03-20');
SELECT is(amounts(73, '2023-03', 'history_storage'), '500', 'all at the prices of the plan of the last day on');
CALL app(74);
CALL buy(74, 1, '2023-03-01', 'plan', 'pro', 6);
CALL suspend(74, '[2023-03-10,2023-03-15)');
CALL turn(74, 2, '2023-03-10', 'on', 'history_storage', '360d');
CALL turn(74, 3, '2023-03-14', 'on', 'history_storage', '30d');
SELECT is(amounts(74, '2023-03', 'history_storage'), '500', 'an option that was on only on suspended days takes no part');
-- Of equal prices the latest.
INSERT INTO im_rate_card_version (rate_card, effective_from, terms)
SELECT 'equal', '2020-01-01', jsonb_set(terms, '{addons,history_storage,prices,pro,30d}', '"1000"')
FROM im_rate_card_version WHERE rate_card = 'cn' AND effective_from = '2019-12-10';
CALL app(75, 'equal');
CALL buy(75, 1, '2023-03-01', 'plan', 'pro', 6);
CALL turn(75, 2, '2023-03-02', 'on', 'history_storage', '90d');
CALL turn(75, 3, '2023-03-10', 'on', 'history_storage', '30d');
SELECT is((SELECT option FROM im_monthly_bill(75, '2023-03') WHERE item = 'history_storage'), '30d', 'of equally dear options the latest');
-- A card of a preview that lacks one of the options says so beside the price of the other.
SELECT is((SELECT string_agg(p.option || ' ' || coalesce(p.amount::text, 'null: ' || p.explanation), ', ' ORDER BY p.line)
	FROM im_preview_bill(71, '2023-03', (SELECT im_rate_card((terms #- '{addons,history_storage,prices,pro,360d}'
		#- '{addons,history_storage,prices,flagship,360d}')::text) FROM im_rate_card_version
		WHERE rate_card = 'cn' AND effective_from = '2019-12-10')) p WHERE p.item = 'history_storage'),
	'360d null: Not sold on this rate card: history_storage 360d., 30d 500.00', 'an option that another card lacks is told');

CALL settle();
SELECT * FROM finish();
ROLLBACK;
