-- im_cheapest_plan(): a month's usage under every plan of the card. Worked
-- out by hand; if a line differed, the advice would not be what it claims.
BEGIN;
\ir include/setup.sql

CREATE FUNCTION plans(app bigint, month text) RETURNS text LANGUAGE sql
BEGIN ATOMIC
	SELECT string_agg(concat_ws(' ', coalesce(c.rank::text, '-'), c.plan, n(c.total), c.currency,
		CASE WHEN c.held THEN 'held' END, '(' || c.reason || ')'), E'\n' ORDER BY c.n)
	FROM im_cheapest_plan(plans.app, plans.month::im_month) WITH ORDINALITY c(rank, plan, total, currency, possible, reason, held, items, n);
END;

-- A plan for the whole month, whatever term it came from.
CALL app(1);
CALL buy(1, 1, '2023-01-20', 'plan', 'pro', 6);
CALL daily(1, '2023-03-10', 10001, 100);
CALL settle();
SELECT is(plans(1, '2023-03'),
	E'1 pro 1999 CNY held\n2 flagship 3999 CNY\n- trial 0 CNY (it carries at most 100 users a day, and there were 10001 on 2023-03-10)',
	'a month of pro is 999 + 1000, of flagship 2999 + 1000; trial does not carry it');
SELECT is(im_monthly_total(1, '2023-03'), 1000.00, 'the bill itself has no plan fee: it was paid in January');

-- The free plan up to its limits, both sides
CALL app(2);
CALL daily(2, '2023-03-10', 100, 100);
CALL app(3);
CALL daily(3, '2023-03-10', 101, 100);
CALL app(4);
CALL daily(4, '2023-03-10', 100, 101);
CALL app(5);
CALL settle();
SELECT is(plans(2, '2023-03'), E'1 trial 0 CNY held\n2 pro 999 CNY\n3 flagship 2999 CNY', 'trial carries 100 users and 100 groups');
SELECT matches(plans(3, '2023-03'), '^1 pro 999 CNY\n2 flagship 2999 CNY\n- trial 0 CNY held \(.*100 users a day.*101 on 2023-03-10\)$', '101 users are too many');
SELECT matches(plans(4, '2023-03'), '- trial 0 CNY held \(.*100 groups, and there were 101 on 2023-03-10\)$', '101 groups are too many');
SELECT is(plans(5, '2023-03'), E'1 trial 0 CNY held\n2 pro 999 CNY\n3 flagship 2999 CNY', 'an app without anything');

-- Add-ons held: a month of each at the plan's price, or the reason
CALL app(6);
CALL buy(6, 1, '2023-03-05', 'plan', 'pro', 12);
CALL buy(6, 2, '2023-03-05', 'avchatroom', '', 12);
CALL buy(6, 3, '2023-03-05', 'joined_groups', '', 12);
CALL turn(6, 4, '2023-03-05', 'on', 'history_storage', '30d');
CALL buy(6, 5, '2023-03-05', 'local_moderation', '', 12);
CALL settle();
SELECT is(plans(6, '2023-03'),
	E'1 pro 4599 CNY held\n- trial 1000 CNY (avchatroom is not sold on it; joined_groups is not sold on it; history_storage 30d is not sold on it)\n'
	'- flagship 4899 CNY (avchatroom is not sold on it; history_storage 30d is not sold on it)',
	'pro 999 + 1000 + 1100 + 500 + 1000; flagship sells 2999 + 900 + 1000 of it');
SELECT is((SELECT c.items::text FROM im_cheapest_plan(6, '2023-03') c WHERE c.plan = 'pro'),
	'{"plan": 999.00, "avchatroom": 1000.00, "joined_groups": 1100.00, "history_storage": 500.00, "local_moderation": 1000.00}', 'items of a plan');

-- Of an add-on the option held last counts, and one that ended before the month does not.
CALL app(11);
CALL buy(11, 1, '2023-01-05', 'plan', 'pro', 12);
CALL buy(11, 2, '2023-01-05', 'group_members', '', 1);
CALL buy(11, 3, '2023-01-05', 'avchatroom', '', 2);
CALL buy(11, 4, '2023-02-10', 'call', 'basic', 2);
CALL refund(11, 5, '2023-03-10', 4);
CALL buy(11, 6, '2023-03-11', 'call', 'premium', 1);
CALL settle();
SELECT is(plans(11, '2023-03'), E'1 pro 3499 CNY held\n- trial 0 CNY (avchatroom is not sold on it; call premium is not sold on it)\n'
	'- flagship 4499 CNY (avchatroom is not sold on it)', '999 + 1000 for days through March 4 + 1500; group_members ended on February 4');
SELECT matches(plans(11, '2023-04'), '^1 pro 2499 CNY held\n2 flagship 4499 CNY\n', 'in April call alone is left: 999 + 1500');

-- Where the dearer plan is the cheaper one
CALL app(7);
CALL buy(7, 1, '2024-03-01', 'plan', 'pro', 1);
CALL buy(7, 2, '2024-03-01', 'joined_groups', '', 1);
CALL turn(7, 3, '2024-03-01', 'on', 'history_storage', '360d');
CALL card('dear', '2024-01-01', jsonb_set(cn(), '{plans,pro,price}', '"2900"'));
CALL settle();
UPDATE im_app SET rate_card = 'dear' WHERE app_id = 7;
SELECT is(plans(7, '2024-03'), E'1 flagship 5899 CNY\n2 pro 6500 CNY held\n- trial 0 CNY (joined_groups is not sold on it; history_storage 360d is not sold on it)',
	'flagship 2999 + 900 + 2000 beats pro 2900 + 1100 + 2500');

-- Packs: what they hold is given, what they cost is left out, earlier days count
CALL app(8);
CALL turn(8, 1, '2023-02-15', 'on', 'moderation');
CALL pack(8, 2, '2023-02-15', 'month');
CALL pack(8, 3, '2023-03-20', 'month');
CALL daily(8, '2023-02-20', texts => 1000000);
CALL daily(8, '2023-03-10', texts => 150000);
CALL daily(8, '2023-03-20', texts => 1100001);
CALL settle();
SELECT is(plans(8, '2023-03'), E'1 trial 50 CNY held\n2 pro 1049 CNY\n3 flagship 3049 CNY',
	'100000 of the first pack are left for March, the second holds 1100000: 50001 x 0.001, rounded once');

-- In service through the month: a plan that began late, a suspension
CALL app(9);
CALL buy(9, 1, '2023-03-20', 'plan', 'pro', 1);
CALL suspend(9, '[2023-03-25,2023-03-29)');
CALL daily(9, '2023-03-05', 20001);
CALL daily(9, '2023-03-26', 30001);
CALL settle();
SELECT matches(plans(9, '2023-03'), '^1 pro 3999 CNY held', 'all days count: 999 + 3 x 1000');
SELECT is(im_monthly_total(9, '2023-03'), 999.00, 'though the bill has no overage');

-- Users of the month are those of all days
CALL app(10, 'intl');
CALL buy(10, 1, '2023-03-01', 'plan', 'standard');
INSERT INTO im_usage_daily (app_id, day, dau, users)
SELECT 10, date '2023-03-01' + d, 6000, (SELECT im_userset_agg(n) FROM generate_series(d * 5000 + 1, d * 5000 + 6000) n) FROM generate_series(0, 1) d;
CALL settle();
SELECT is(plans(10, '2023-03'),
	E'1 standard 414 USD held\n2 premium 714 USD\n- developer 0 USD (it carries at most 100 users a day, and there were 6000 on 2023-03-01)',
	'11000 users: 399 + 1000 x 0.015');

-- Given back and bought again on one day: what was bought last is held, once.
CALL app(30);
CALL buy(30, 1, '2023-02-20', 'plan', 'pro', 6);
CALL buy(30, 2, '2023-03-01 10:00', 'group_members');
CALL refund(30, 3, '2023-03-01 11:00', 2);
CALL buy(30, 4, '2023-03-01 12:00', 'group_members', '', 2);
CALL buy(30, 5, '2023-03-01 10:00', 'call', 'basic');
CALL refund(30, 6, '2023-03-01 11:00', 5);
CALL buy(30, 7, '2023-03-01 12:00', 'call', 'premium');
CALL buy(30, 8, '2023-03-01 10:00', 'local_moderation');
CALL refund(30, 9, '2023-03-01 11:00', 8);
CALL buy(30, 10, '2023-03-01 12:00', 'local_moderation');
CALL settle();
SELECT is((SELECT items - 'plan' FROM im_cheapest_plan(30, '2023-03') WHERE plan = 'pro')::text,
	'{"call": 1500.00, "group_members": 500.00, "local_moderation": 1000.00}', 'a purchase after a refund on one day is held once');

SELECT fails_with($$SELECT * FROM im_cheapest_plan(99, '2023-03')$$, 'P0002', 'no app 99', 'an unknown app');
SELECT fails_with($$SELECT * FROM im_cheapest_plan(1, '2019-11')$$, 'P0002', 'no version in force on 2019-11-30', 'a month before the card');
SELECT is((SELECT count(*) FROM im_cheapest_plan(NULL, '2023-03')), 0::bigint, 'null in, nothing out');

SELECT * FROM finish();
ROLLBACK;
