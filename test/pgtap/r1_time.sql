-- R1: days, hours and months are those of the card's time zone (UTC+8), and a
-- term runs from the day of purchase through the day before d + n months.
BEGIN;
\ir include/setup.sql

-- The day ----------------------------------------------------------------
-- 24:00 in Shanghai is 16:00 UTC.
SELECT is(im_day('2023-03-09 15:59:59.999999+00', 'Asia/Shanghai'), '2023-03-09'::date,
	'the last microsecond before midnight belongs to the old day');
SELECT is(im_day('2023-03-09 16:00:00+00', 'Asia/Shanghai'), '2023-03-10'::date,
	'midnight belongs to the day that begins there');
SELECT is(im_day('2023-03-09 16:00:00+00', 'UTC'), '2023-03-09'::date,
	'the day is that of the zone given');
SELECT is(im_day('1999-12-31 23:59:59.999999+00', 'UTC'), '1999-12-31'::date,
	'before 2000 a day is cut downwards, not towards zero');
SELECT is(im_day('2000-01-01 00:00:00+00', 'UTC'), '2000-01-01'::date,
	'the epoch belongs to the day that begins there');
SELECT is(im_day('1969-12-31 15:59:59.999999+00', 'Asia/Shanghai'), '1969-12-31'::date,
	'so it is before 1970');
SELECT is(im_day('2023-11-05 05:30:00+00', 'America/New_York'), '2023-11-05'::date,
	'a day of 25 hours: 01:30 the first time');
SELECT is(im_day('2023-11-06 04:59:59.999999+00', 'America/New_York'), '2023-11-05'::date,
	'a day of 25 hours ends at midnight standard time');
SELECT is(im_day('2023-11-06 05:00:00+00', 'America/New_York'), '2023-11-06'::date,
	'and the next begins there');

-- The month --------------------------------------------------------------
SELECT is(im_month('2023-03-31 15:59:59.999999+00'::timestamptz, 'Asia/Shanghai')::text,
	'2023-03', 'the last microsecond of March');
SELECT is(im_month('2023-03-31 16:00:00+00'::timestamptz, 'Asia/Shanghai')::text,
	'2023-04', 'April begins at midnight of the zone');

-- A login at midnight counts for the new day, the new month.
CALL app(1);
CALL buy(1, 1, '2023-03-01 00:00', 'plan', 'pro', 2);
CALL login(1, 'a', '2023-03-31 23:59:59.999999');
CALL login(1, 'b', '2023-04-01 00:00:00');
CALL login(1, 'c', '2023-04-01 23:59:59.999999');
CALL login(1, 'd', '2023-04-02 00:00:00');
CALL login(1, 'e', '2023-04-30 23:59:59.999999');
CALL login(1, 'f', '2023-05-01 00:00:00');
SELECT is(quantities(1, '2023-03', 'dau_overage'), '1',
	'March: only the login before midnight');
SELECT is(quantities(1, '2023-04', 'dau_overage'), '2',
	'April 1: the two logins from 00:00 through 23:59:59.999999');

-- Groups at the turn of the month: g1 lives to the instant, g2 from it on.
CALL grp(1, 'g1', '2023-03-30 08:00', '2023-04-01 00:00');
CALL grp(1, 'g2', '2023-04-01 00:00', '2023-04-01 00:01');
CALL grp(1, 'g3', '2023-04-01 00:00', NULL);
SELECT is(quantities(1, '2023-03', 'group_overage'), '1',
	'a group created at the turn of the month does not exist in March');
SELECT is(quantities(1, '2023-04', 'group_overage'), '2',
	'a group disbanded at the turn of the month does not exist in April');

-- Terms -------------------------------------------------------------------
CALL app(2);
CALL buy(2, 1, '2023-01-31 10:00', 'plan', 'pro', 1);
SELECT is(periods(2, '2023-01', 'plan'), '[2023-01-31,2023-02-28)',
	'Jan 31 + 1 month is Feb 28: the last day is Feb 27');
SELECT is(status(2, '2023-02-27'), 'active', 'the last day of that term');
SELECT is(status(2, '2023-02-28'), 'grace', 'the end day is exclusive');

CALL app(3);
CALL buy(3, 1, '2023-01-31 10:00', 'plan', 'pro', 2);
SELECT is(periods(3, '2023-01', 'plan'), '[2023-01-31,2023-03-31)',
	'Jan 31 + 2 months ends the day before Mar 31, not before Mar 28');

CALL app(31);
CALL buy(31, 1, '2023-01-31 10:00', 'plan', 'pro', 1);
CALL buy(31, 2, '2023-01-31 10:00', 'plan', 'pro', 1);
CALL buy(31, 3, '2023-01-31 10:00', 'plan', 'pro', 1);
SELECT is(periods(31, '2023-01', 'plan'), '[2023-01-31,2023-02-28) [2023-02-28,2023-03-28) [2023-03-28,2023-04-28)',
	'months bought one by one begin on each other''s end day, and stay on the 28th');

CALL app(4);
CALL buy(4, 1, '2020-01-31 10:00', 'plan', 'pro', 1);
SELECT is(periods(4, '2020-01', 'plan'), '[2020-01-31,2020-02-29)',
	'leap February: Jan 31 + 1 month is Feb 29');
SELECT is(status(4, '2020-02-28'), 'active', 'leap February: Feb 28 is in the term');
SELECT is(status(4, '2020-02-29'), 'grace', 'leap February: Feb 29 is not');

CALL app(5);
CALL buy(5, 1, '2020-02-29 10:00', 'plan', 'pro', 12);
SELECT is(periods(5, '2020-02', 'plan'), '[2020-02-29,2021-02-28)',
	'Feb 29 + 12 months is Feb 28');

CALL app(6);
CALL buy(6, 1, '2023-03-01 00:00', 'plan', 'pro', 1);
SELECT is(periods(6, '2023-03', 'plan'), '[2023-03-01,2023-04-01)',
	'bought on the 1st: through the last day of the month');
SELECT is(status(6, '2023-03-31'), 'active', 'March 31 is in it');
SELECT is(status(6, '2023-04-01'), 'grace', 'April 1 is not');

-- The day of purchase is the zone's.
CALL app(7);
CALL buy(7, 1, '2023-03-31 23:59:59.999999', 'plan', 'pro', 1);
SELECT is(bill(7, '2023-03'),
	ARRAY['plan:pro | [2023-03-31,2023-04-30) | 2023-03-31 | 1 0 1 1 999 999'],
	'bought at the last microsecond of March: the fee is in March');
SELECT is(bill(7, '2023-04'), '{}'::text[], 'and not in April');
CALL app(8);
CALL buy(8, 1, '2023-04-01 00:00', 'plan', 'pro', 1);
SELECT is(bill(8, '2023-03'), '{}'::text[], 'bought at midnight: nothing in March');
SELECT is(bill(8, '2023-04'),
	ARRAY['plan:pro | [2023-04-01,2023-05-01) | 2023-04-01 | 1 0 1 1 999 999'],
	'but in April');

-- In force from the whole day of purchase: status and usage are by day.
CALL app(9);
CALL buy(9, 1, '2023-03-10 22:00', 'plan', 'pro', 1);
CALL daily(9, '2023-03-09', dau => 50);
CALL daily(9, '2023-03-10', dau => 7);
SELECT is(im_app_status(9, at8('2023-03-09 23:59:59.999999')), 'trial',
	'the day before the purchase is trial to its end');
SELECT is(im_app_status(9, at8('2023-03-10 00:00')), 'active',
	'the day of purchase is active from 00:00, though bought at 22:00');
SELECT is(quantities(9, '2023-03', 'dau_overage'), '7',
	'the day of purchase counts whole, the day before not at all');

-- A card of another zone has other days.
CALL card('ny', '2019-12-10', jsonb_set(cn(), '{time_zone}', '"America/New_York"'));
CALL app(10, 'ny');
-- 2023-03-31 23:30 in New York (EDT, UTC-4) is 2023-04-01 03:30 UTC.
INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
VALUES (10, 1, '2023-04-01 03:30+00', 'buy', 'plan', 'pro', 1);
SELECT is(periods(10, '2023-03', 'plan'), '[2023-03-31,2023-04-30)',
	'the day of purchase is that of the card''s own zone');

-- Zones far from UTC, one app and all apps: logins a microsecond around local midnight.
-- Kiritimati is UTC+14: April 1 begins 2023-03-31 10:00 UTC; Pago Pago is UTC-11: 2023-04-01 11:00 UTC.
CALL card('east', '2019-12-10', jsonb_set(cn(), '{time_zone}', '"Pacific/Kiritimati"'));
CALL card('west', '2019-12-10', jsonb_set(cn(), '{time_zone}', '"Pacific/Pago_Pago"'));
CALL app(11, 'east');
CALL app(12, 'west');
INSERT INTO im_order (app_id, order_id, at, action, item, option, months) VALUES
	(11, 1, '2023-02-28 12:00+14', 'buy', 'plan', 'pro', 6), (12, 1, '2023-02-28 12:00-11', 'buy', 'plan', 'pro', 6);
INSERT INTO im_login (app_id, user_id, at) VALUES
	(11, 'a', '2023-03-31 09:59:59.999999+00'), (11, 'b', '2023-03-31 10:00+00'), (11, 'c', '2023-03-31 10:00+00'),
	(11, 'd', '2023-02-28 10:00+00'), (11, 'e', '2023-02-28 10:00+00'), (11, 'f', '2023-02-28 10:00+00'),
	(12, 'a', '2023-04-01 10:59:59.999999+00'), (12, 'b', '2023-04-01 11:00+00'), (12, 'c', '2023-04-01 11:00+00'),
	(12, 'd', '2023-03-01 11:00+00'), (12, 'e', '2023-03-01 11:00+00'), (12, 'f', '2023-03-01 11:00+00');
-- March: d, e, f on the 1st, a on the 31st; April: b, c on the 1st.
SELECT is(quantities(a, '2023-03', 'dau_overage') || ' ' || quantities(a, '2023-04', 'dau_overage'), '3 2',
	format('app %s: the month of its own zone', a)) FROM unnest('{11,12}'::bigint[]) a;
SELECT is((SELECT string_agg(n(quantity), ' ' ORDER BY month) FROM (SELECT * FROM im_monthly_bills('2023-03')
	UNION ALL SELECT * FROM im_monthly_bills('2023-04')) l WHERE l.app_id = a AND l.item = 'dau_overage'), '3 2',
	format('app %s: among all apps too', a)) FROM unnest('{11,12}'::bigint[]) a;
-- A month with a change of clocks: 2023-03-12 has 23 hours in New York, 2023-11-05 has 25.
-- The last hour of 2023-11-05 is 2023-11-06 04:00-05:00 UTC.
INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
VALUES (10, 2, '2023-04-02 12:00-04', 'buy', 'plan', 'pro', 12);
INSERT INTO im_login (app_id, user_id, at) VALUES
	(10, 'a', '2023-11-05 04:00+00'), (10, 'b', '2023-11-06 04:59:59.999999+00'), (10, 'c', '2023-11-06 05:00+00'),
	(10, 'd', '2023-11-05 03:59:59.999999+00'), (10, 'e', '2023-11-01 03:59:59.999999+00'),
	(10, 'f', '2023-12-01 04:59:59.999999+00'), (10, 'g', '2023-12-01 04:59:59.999999+00'),
	(10, 'h', '2023-12-01 04:59:59.999999+00');
SELECT is(quantities(10, '2023-10', 'dau_overage'), '1', 'October ends at 04:00 UTC, in summer time');
SELECT is(quantities(10, '2023-11', 'dau_overage'), '3', 'November ends at 05:00 UTC, in winter time');
DELETE FROM im_login WHERE app_id = 10 AND user_id IN ('f', 'g', 'h');
SELECT is(quantities(10, '2023-11', 'dau_overage'), '2', 'the day of 25 hours is one day');

CALL settle();
SELECT * FROM finish();
ROLLBACK;
