-- R3: peak overage, counting days, the share of a stopped app.
BEGIN;
\ir include/setup.sql

-- The checks of the rule, by primitive and by bill --------------------------
-- blocks = ceil(max(0, peak - 10000) / 10000), amount = blocks * 1000
CREATE TEMP TABLE check_number (n int, peak bigint, billable bigint, blocks int, amount numeric);
INSERT INTO check_number VALUES
	(1, 1, 0, 0, 0),
	(2, 9999, 0, 0, 0),
	(3, 10000, 0, 0, 0),            -- exactly the quota is free
	(4, 10001, 1, 1, 1000),         -- one more is one block
	(5, 19999, 9999, 1, 1000),
	(6, 20000, 10000, 1, 1000),
	(7, 20001, 10001, 2, 2000),
	(8, 25000, 15000, 2, 2000),
	(9, 30000, 20000, 2, 2000),
	(10, 30001, 20001, 3, 3000);
SELECT is(im_dau_overage(im_bundled_card('cn', '2019-12-10'), plan, peak), amount,
	format('im_dau_overage %s %s', plan, peak))
FROM check_number, unnest('{pro,flagship}'::text[]) plan ORDER BY plan, n;
SELECT is(im_block_fee(peak, 10000, 10000, 1000), amount, format('im_block_fee %s', peak))
FROM check_number ORDER BY n;
DO $$ DECLARE c record; BEGIN
	FOR c IN SELECT * FROM check_number LOOP
		CALL im_test.app(c.n);
		CALL im_test.buy(c.n, 1, '2023-03-01', 'plan', 'pro');
		CALL im_test.daily(c.n, '2023-03-15', dau => c.peak);
	END LOOP;
END $$;
SELECT lines_are(n, '2023-03', 'dau_overage', ARRAY[format(
	'dau_overage:pro | [2023-03-01,2023-04-01) | 2023-04-01 | %s 10000 %s %s 1000 %s',
	peak, billable, blocks, amount)], format('a peak DAU of %s', peak))
FROM check_number ORDER BY n;

-- Groups: (550000 - 100000) / 100000 = 4.5 -> 5 blocks of 1000
CREATE TEMP TABLE group_number (n int, peak bigint, billable bigint, blocks int, amount numeric);
INSERT INTO group_number VALUES
	(11, 100000, 0, 0, 0), (12, 100001, 1, 1, 1000), (13, 200000, 100000, 1, 1000),
	(14, 200001, 100001, 2, 2000), (15, 550000, 450000, 5, 5000);
SELECT is(im_group_overage(im_bundled_card('cn', '2019-12-10'), plan, peak), amount,
	format('im_group_overage %s %s', plan, peak))
FROM group_number, unnest('{pro,flagship}'::text[]) plan ORDER BY plan, n;
DO $$ DECLARE c record; BEGIN
	FOR c IN SELECT * FROM group_number LOOP
		CALL im_test.app(c.n);
		CALL im_test.buy(c.n, 1, '2023-03-01', 'plan', 'flagship');
		CALL im_test.daily(c.n, '2023-03-15', peak_groups => c.peak);
	END LOOP;
END $$;
SELECT lines_are(n, '2023-03', 'group_overage', ARRAY[format(
	'group_overage:flagship | [2023-03-01,2023-04-01) | 2023-04-01 | %s 100000 %s %s 1000 %s',
	peak, billable, blocks, amount)], format('peak groups of %s', peak))
FROM group_number ORDER BY n;

-- DAU: distinct users of a day, the highest day --------------------------------
CALL app(21);
CALL buy(21, 1, '2023-03-01', 'plan', 'pro');
CALL login(21, 'ann', '2023-03-02 08:00');
CALL login(21, 'ann', '2023-03-02 09:00');
CALL login(21, 'bob', '2023-03-02 09:00');
CALL login(21, 'Ann', '2023-03-02 09:00');
CALL login(21, 'cat', '2023-03-03 09:00');
CALL login(21, 'dan', '2023-03-03 09:00');
SELECT lines_are(21, '2023-03', 'dau_overage', ARRAY[
	'dau_overage:pro | [2023-03-01,2023-04-01) | 2023-04-01 | 3 10000 0 0 1000 0'],
	'a user counts once a day, the highest day of the month counts');
SELECT ok(explanation LIKE '%2023-03-02%', 'the explanation names the day of the peak')
FROM im_monthly_bill(21, '2023-03') WHERE item = 'dau_overage';
SELECT is(amounts(21, '2023-03', 'group_overage'), '', 'no groups, no line of groups');
SELECT is(amounts(11, '2023-03', 'dau_overage'), '', 'no logins, no line of DAU');

-- Groups: created included, disbanded excluded -----------------------------------
CALL app(22);
CALL buy(22, 1, '2023-03-01', 'plan', 'pro');
CALL grp(22, 'a', '2023-03-02 10:00', '2023-03-02 11:00');
CALL grp(22, 'b', '2023-03-02 11:00', '2023-03-02 12:00');
SELECT is(quantities(22, '2023-03', 'group_overage'), '1',
	'a group disbanded when another is created: never two at one moment');
CALL app(23);
CALL buy(23, 1, '2023-03-01', 'plan', 'pro');
CALL grp(23, 'a', '2023-03-02 10:00', '2023-03-02 11:00');
CALL grp(23, 'b', '2023-03-02 10:59:59.999999', '2023-03-02 12:00');
SELECT is(quantities(23, '2023-03', 'group_overage'), '2', 'two for one microsecond');
CALL app(24);
CALL buy(24, 1, '2023-03-01', 'plan', 'pro');
CALL grp(24, 'a', '2023-03-02 10:00', '2023-03-02 10:00');
CALL grp(24, 'b', '2023-01-02 10:00', NULL);
CALL grp(24, 'c', '2023-02-02 10:00', '2023-03-01 00:00');
CALL grp(24, 'd', '2023-04-01 00:00', NULL);
SELECT is(quantities(24, '2023-03', 'group_overage'), '1',
	'a group of an earlier month still exists; one without a moment of the month does not');

-- Counting days ---------------------------------------------------------------
-- pro [2023-03-10,2023-04-10), grace 04-10..04-16, stopped from 04-17.
CALL app(31);
CALL buy(31, 1, '2023-03-10 18:00', 'plan', 'pro');
CALL daily(31, '2023-03-09', dau => 900, peak_groups => 901);
CALL daily(31, '2023-03-10', dau => 100, peak_groups => 101);
CALL daily(31, '2023-04-09', dau => 50, peak_groups => 51);
CALL daily(31, '2023-04-16', dau => 60, peak_groups => 61);
CALL daily(31, '2023-04-17', dau => 700, peak_groups => 701);
SELECT is(quantities(31, '2023-03', 'dau_overage'), '100', 'trial days do not count towards the DAU');
SELECT is(quantities(31, '2023-03', 'group_overage'), '101', 'nor towards the groups');
SELECT is(quantities(31, '2023-04', 'dau_overage'), '60',
	'the 7th day of the grace counts, the 8th does not');
SELECT is(quantities(31, '2023-04', 'group_overage'), '61', 'so with groups');
SELECT bill_is(31, '2023-05', '{}', 'no counting day, no overage');

-- Groups that exist only at moments of days that do not count
CALL app(32);
CALL buy(32, 1, '2023-03-10 18:00', 'plan', 'pro');
CALL grp(32, 'a', '2023-03-02 10:00', '2023-03-10 00:00');
CALL grp(32, 'b', '2023-03-02 10:00', '2023-03-09 23:00');
CALL grp(32, 'c', '2023-03-02 10:00', '2023-03-10 00:00:00.000001');
SELECT is(quantities(32, '2023-03', 'group_overage'), '1',
	'groups disbanded before the first counting day do not count');
-- Two groups live through the suspended span only, one of them into it.
CALL app(33);
CALL buy(33, 1, '2023-03-01', 'plan', 'pro');
CALL suspend(33, '[2023-03-10,2023-03-15)');
CALL grp(33, 'a', '2023-03-10 00:00', '2023-03-15 00:00');
CALL grp(33, 'b', '2023-03-12 00:00', '2023-03-14 00:00');
CALL grp(33, 'c', '2023-03-09 23:59:59', '2023-03-12 00:00');
CALL grp(33, 'd', '2023-03-14 23:59:59', '2023-03-15 00:00:00.000001');
SELECT is(quantities(33, '2023-03', 'group_overage'), '1',
	'groups of suspended days do not count, those around them do');

-- A suspended peak does not count; a suspension within the month costs no share.
CALL app(34);
CALL buy(34, 1, '2023-03-01', 'plan', 'pro', 2);
CALL suspend(34, '[2023-03-10,2023-03-15)');
CALL daily(34, '2023-03-09', dau => 10001);
CALL daily(34, '2023-03-10', dau => 90000);
CALL daily(34, '2023-03-14', dau => 80000);
CALL daily(34, '2023-03-15', dau => 10002);
SELECT lines_are(34, '2023-03', 'dau_overage', ARRAY[
	'dau_overage:pro | [2023-03-01,2023-04-01) | 2023-04-01 | 10002 10000 2 1 1000 1000'],
	'suspended days do not count; the app runs on the last day: no share');

-- The plan of the last counting day -----------------------------------------------
-- A card whose plans differ: pro 2 free, 10 a block of 3; flagship 5 free, 7 a block of 2.
CALL card('duo', '2019-12-10', jsonb_set(jsonb_set(cn(),
	'{plans,pro,dau}', '{"included": 2, "block": 3, "price": "10"}'),
	'{plans,flagship,dau}', '{"included": 5, "block": 2, "price": "7"}'));
CALL app(41, 'duo');
CALL buy(41, 1, '2023-03-01', 'plan', 'pro');
CALL daily(41, '2023-03-02', dau => 10);
-- pro: ceil((10-2)/3) = 3 blocks, 30; flagship: ceil((10-5)/2) = 3 blocks, 21
SELECT lines_are(41, '2023-03', 'dau_overage', ARRAY[
	'dau_overage:pro | [2023-03-01,2023-04-01) | 2023-04-01 | 10 2 8 3 10 30'], 'pro''s numbers');
CALL upgrade(41, 2, '2023-03-31 23:59:59');
SELECT lines_are(41, '2023-03', 'dau_overage', ARRAY[
	'dau_overage:flagship | [2023-03-01,2023-04-01) | 2023-04-01 | 10 5 5 3 7 21'],
	'upgraded on the last day: the whole month is rated as flagship');
CALL app(42, 'duo');
CALL buy(42, 1, '2023-03-01', 'plan', 'pro');
CALL upgrade(42, 2, '2023-03-20');
CALL suspend(42, '[2023-03-20,2023-03-25)');
CALL suspend(42, '[2023-03-25,2023-04-10)');
CALL daily(42, '2023-03-02', dau => 10);
-- Counting days 03-01..03-19: k = 19; 30 * 19/31 = 570/31 = 18.387096774193...
SELECT lines_are(42, '2023-03', 'dau_overage', ARRAY[
	'dau_overage:pro | [2023-03-01,2023-04-01) | 2023-04-01 | 10 2 8 3 10 18.38709677'],
	'suspended since the upgrade: pro was in force on the last counting day');

-- The share k/D -----------------------------------------------------------------------
-- pro [2023-03-05,2023-04-05), grace through 04-11: k = 11 of D = 30 days.
CALL app(51);
CALL buy(51, 1, '2023-03-05', 'plan', 'pro');
CALL daily(51, '2023-04-02', dau => 25000, peak_groups => 550000);
-- 2000 * 11/30 = 733.3333..., 5000 * 11/30 = 1833.3333...
SELECT bill_is(51, '2023-04', ARRAY[
	'dau_overage:pro | [2023-04-01,2023-05-01) | 2023-05-01 | 25000 10000 15000 2 1000 733.33333333',
	'group_overage:pro | [2023-04-01,2023-05-01) | 2023-05-01 | 550000 100000 450000 5 1000 1833.33333333'],
	'stopped on the last day of the month: amount * 11/30, 8 places');
-- 733.33333333 + 1833.33333333 = 2566.66666666
SELECT is(im_monthly_total(51, '2023-04'), 2566.67, 'the total is rounded once');

-- In grace on the last day: no share. pro [2023-03-25,2023-04-25), grace 04-25..05-01.
CALL app(52);
CALL buy(52, 1, '2023-03-25', 'plan', 'pro');
CALL daily(52, '2023-04-02', dau => 10001);
SELECT is(amounts(52, '2023-04', 'dau_overage'), '1000',
	'in the grace on the last day: the whole amount');
CALL daily(52, '2023-05-01', dau => 10001);
-- k = 1 (05-01), D = 31: 1000/31 = 32.2580645161...
SELECT is(amounts(52, '2023-05', 'dau_overage'), '32.25806452',
	'one counting day of 31, rounded half up to 8 places');
-- [2023-03-24,2023-04-24), grace 04-24..04-30: the 7th day is the month's last.
CALL app(53);
CALL buy(53, 1, '2023-03-24', 'plan', 'pro');
CALL daily(53, '2023-04-02', dau => 10001);
SELECT is(amounts(53, '2023-04', 'dau_overage'), '1000',
	'the 7th day of the grace on the last day of the month: no share');
-- [2023-03-23,2023-04-23), grace 04-23..04-29: stopped on 04-30, k = 29.
CALL app(54);
CALL buy(54, 1, '2023-03-23', 'plan', 'pro');
CALL daily(54, '2023-04-02', dau => 10001);
-- 1000 * 29/30 = 966.6666...
SELECT is(amounts(54, '2023-04', 'dau_overage'), '966.66666667',
	'the 8th day is: 29 of 30 days');

-- Suspended on the last day only: k = 30 of 31; 1000 * 30/31 = 967.741935483...
CALL app(55);
CALL buy(55, 1, '2023-03-01', 'plan', 'pro', 2);
CALL suspend(55, '[2023-03-31,2023-04-01)');
CALL daily(55, '2023-03-02', dau => 10001);
SELECT is(amounts(55, '2023-03', 'dau_overage'), '967.74193548', 'suspended on the last day');
CALL app(56);
CALL buy(56, 1, '2023-03-01', 'plan', 'pro', 2);
CALL suspend(56, '[2023-03-30,2023-03-31)');
CALL daily(56, '2023-03-02', dau => 10001);
SELECT is(amounts(56, '2023-03', 'dau_overage'), '1000', 'suspended on the day before it only');

-- Began late and suspended late: counting days are 03-11..03-20, k = 10 of 31.
CALL app(57);
CALL buy(57, 1, '2023-03-11', 'plan', 'pro');
CALL suspend(57, '[2023-03-21,)');
CALL daily(57, '2023-03-12', dau => 10001);
-- 1000 * 10/31 = 322.580645161...
SELECT is(amounts(57, '2023-03', 'dau_overage'), '322.58064516',
	'k counts the counting days, not the days to the stop');
-- Began late, runs on: whole.
CALL app(58);
CALL buy(58, 1, '2023-03-31', 'plan', 'pro');
CALL daily(58, '2023-03-31', dau => 10001);
SELECT is(amounts(58, '2023-03', 'dau_overage'), '1000', 'one counting day, but the app runs: no share');

-- Leap February: k = 11, D = 29. pro [2020-01-05,2020-02-05), grace 02-05..02-11.
CALL app(59);
CALL buy(59, 1, '2020-01-05', 'plan', 'pro');
CALL daily(59, '2020-02-02', dau => 10001);
-- 1000 * 11/29 = 379.31034482758...
SELECT is(amounts(59, '2020-02', 'dau_overage'), '379.31034483', 'leap February has 29 days');

-- A gap between two plans: stopped 04-12..04-19, bought again 04-20; runs on the last day.
CALL app(60);
CALL buy(60, 1, '2023-03-05', 'plan', 'pro');
CALL buy(60, 2, '2023-04-20', 'plan', 'flagship');
CALL daily(60, '2023-04-01', dau => 10001);
CALL daily(60, '2023-04-15', dau => 90001);
SELECT lines_are(60, '2023-04', 'dau_overage', ARRAY[
	'dau_overage:flagship | [2023-04-01,2023-05-01) | 2023-05-01 | 10001 10000 1 1 1000 1000'],
	'stopped within the month, running again at its end: no share');

-- MAU ---------------------------------------------------------------------------------
CALL card('mau', '2019-12-10', jsonb_set(im_bundled_card('intl', '2022-12-26')::jsonb,
	'{plans,standard,mau,included}', '2'));
CALL app(71, 'mau');
CALL buy(71, 1, '2023-03-10', 'plan', 'standard');
CALL login(71, 'zoe', '2023-03-09 23:59:59.999999');
CALL login(71, 'ann', '2023-03-10 00:00');
CALL login(71, 'bob', '2023-03-11 00:00');
CALL login(71, 'ann', '2023-03-12 00:00');
SELECT lines_are(71, '2023-03', 'mau_overage', ARRAY[
	'mau_overage:standard | [2023-03-01,2023-04-01) | 2023-04-01 | 2 2 0 0 0.015 0'],
	'exactly the quota of distinct users of the counting days is free');
CALL login(71, 'cat', '2023-03-31 23:59:59.999999');
CALL login(71, 'dan', '2023-04-01 00:00');
SELECT lines_are(71, '2023-03', 'mau_overage', ARRAY[
	'mau_overage:standard | [2023-03-01,2023-04-01) | 2023-04-01 | 3 2 1 1 0.015 0.015'],
	'one more is one block of one user');
SELECT is(amounts(71, '2023-03', 'dau_overage'), '', 'a card that prices MAU has no DAU line');
-- 399 + 0.015 = 399.015 -> 399.02
SELECT is(im_monthly_total(71, '2023-03'), 399.02, 'half a cent goes away from zero');
SELECT is((SELECT currency FROM im_monthly_totals('2023-03') WHERE app_id = 71), 'USD',
	'in the currency of the card');

-- Daily rows with stored user sets, some days raw: distinct over both.
CALL app(72, 'mau');
CALL buy(72, 1, '2023-03-01', 'plan', 'standard');
INSERT INTO im_usage_daily (app_id, day, dau, users)
SELECT 72, '2023-03-02', 3, im_userset_agg(u) FROM unnest('{ann,bob,cat}'::text[]) u;
INSERT INTO im_usage_daily (app_id, day, dau, users)
SELECT 72, '2023-03-03', 2, im_userset_agg(u) FROM unnest('{cat,dan}'::text[]) u;
CALL login(72, 'dan', '2023-03-04 12:00');
CALL login(72, 'eve', '2023-03-04 12:00');
CALL login(72, 'fay', '2023-03-03 12:00');  -- a day whose row is the truth
-- ann bob cat dan eve = 5; 5 - 2 = 3; 3 * 0.015 = 0.045
SELECT lines_are(72, '2023-03', 'mau_overage', ARRAY[
	'mau_overage:standard | [2023-03-01,2023-04-01) | 2023-04-01 | 5 2 3 3 0.015 0.045'],
	'stored sets and raw logins make one set of the month');
-- The share: standard [03-01,04-01), grace through 04-07, k = 7, D = 30.
INSERT INTO im_usage_daily (app_id, day, users)
SELECT 72, '2023-04-07', im_userset_agg(u) FROM generate_series(1, 6) u;
-- (6 - 2) * 0.015 * 7/30 = 0.06 * 7/30 = 0.014
SELECT is(amounts(72, '2023-04', 'mau_overage'), '0.014', 'the share of MAU overage');

-- Users given by number alone are an error also where raw logins of that day
-- could tell them: who they were is not known (R11).
CALL app(73, 'mau');
CALL buy(73, 1, '2023-03-01', 'plan', 'standard');
CALL login(73, 'ann', '2023-03-02 12:00');
CALL daily(73, '2023-03-02', dau => 1);
SELECT throws_like('SELECT * FROM im_monthly_bill(73, ''2023-03'')', '%users of app 73 on 2023-03-02 are null%',
	'a daily row without users on a card that prices MAU');
DELETE FROM im_usage_daily WHERE app_id = 73;
SELECT is(quantities(73, '2023-03', 'mau_overage'), '1', 'without the row its logins are metered');

-- A figure given is the truth of its app and day, one left open is metered (R11) --------
CALL app(81);
CALL buy(81, 1, '2023-03-01', 'plan', 'pro');
CALL daily(81, '2023-03-05', dau => 4);
CALL login(81, 'a', '2023-03-05 12:00');
CALL login(81, 'b', '2023-03-05 12:00');
SELECT is(quantities(81, '2023-03', 'dau_overage'), '4', 'raw rows do not change a daily row');
INSERT INTO im_login SELECT 81, 'c' || n, at8('2023-03-06 12:00') FROM generate_series(1, 5) n;
SELECT is(quantities(81, '2023-03', 'dau_overage'), '5', 'other days are metered from raw rows');
DELETE FROM im_login WHERE app_id = 81 AND user_id IN ('c1', 'c2');
SELECT is(quantities(81, '2023-03', 'dau_overage'), '4', 'a late delete is seen by the next bill');
UPDATE im_login SET at = at8('2023-02-06 12:00') WHERE app_id = 81;
INSERT INTO im_login SELECT 81, 'd' || n, at8('2023-03-07 12:00') FROM generate_series(1, 9) n;
SELECT is(quantities(81, '2023-03', 'dau_overage'), '9', 'so is a late load');
-- A row that gives nothing takes nothing away, unless it says that it is whole.
CALL app(82);
CALL buy(82, 1, '2023-03-01', 'plan', 'pro');
CALL daily(82, '2023-03-05');
CALL login(82, 'a', '2023-03-05 12:00');
SELECT is(quantities(82, '2023-03', 'dau_overage'), '1', 'a row without figures leaves all to the events');
UPDATE im_usage_daily SET whole = true WHERE app_id = 82;
SELECT is(amounts(82, '2023-03', 'dau_overage'), '', 'a whole row without figures says that there was nothing');
UPDATE im_usage_daily SET whole = false, dau = 0 WHERE app_id = 82;
SELECT is(amounts(82, '2023-03', 'dau_overage'), '', 'and so does a figure of 0');

CALL app(83);
CALL buy(83, 1, '2023-03-01', 'plan', 'pro');
CALL grp(83, 'a', '2023-03-05 10:00', '2023-03-05 11:00');
CALL grp(83, 'b', '2023-03-05 10:00', '2023-03-05 11:00');
CALL grp(83, 'c', '2023-03-05 10:00', '2023-03-06 00:00:00.000001');
CALL daily(83, '2023-03-05', dau => 1);
SELECT is(quantities(83, '2023-03', 'group_overage'), '3', 'a daily row without groups leaves them to the events');
UPDATE im_usage_daily SET peak_groups = 0 WHERE app_id = 83;
SELECT is(quantities(83, '2023-03', 'group_overage'), '1', 'of a day whose groups are given only the rest counts');
CALL daily(83, '2023-03-07', peak_groups => 2);
SELECT is(quantities(83, '2023-03', 'group_overage'), '2', 'the peak of the month is that of daily rows and raw rows');
-- Groups that never overlap on a day but meet at its turn
CALL app(84);
CALL buy(84, 1, '2023-03-01', 'plan', 'pro');
INSERT INTO im_group SELECT 84, 'g' || n, at8('2023-03-01 00:00') + n * interval '12 hours',
	at8('2023-03-01 00:00') + (n + 1) * interval '12 hours' FROM generate_series(0, 40) n;
SELECT is(quantities(84, '2023-03', 'group_overage'), '1', 'one group after another: a peak of one');

-- A row of daily figures that the extension metered is never the truth, however late raw rows come.
CALL app(901);
CALL buy(901, 1, '2023-03-01', 'plan', 'pro');
INSERT INTO im_usage_daily (app_id, day, dau, peak_groups, metered_at) VALUES (901, '2023-03-05', 77, -1, now());
CALL login(901, 'late', '2023-03-05 12:00');
SELECT is(quantities(901, '2023-03', 'dau_overage'), '1', 'what was metered is metered again from the raw rows');
SELECT is((SELECT count(*) FROM im_check('2023-03') WHERE app_id = 901), 0::bigint, 'and is nobody''s mistake');

CALL settle();
SELECT * FROM finish();
ROLLBACK;
