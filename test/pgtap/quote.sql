-- im_quote(): what the price page says a purchase and a month's usage cost.
-- Every amount below was worked out by hand from the page; the arithmetic
-- stands beside it. A quote that differs promises a customer a wrong price.
BEGIN;
\ir include/setup.sql

CREATE FUNCTION c19() RETURNS im_rate_card LANGUAGE sql RETURN im_bundled_card('cn', '2019-12-10');

-- "item:option amount" of each line, in the order of the quote
CREATE FUNCTION quoted(card im_rate_card, plan text, months int, dau bigint, groups bigint, addons jsonb,
	deductions numeric) RETURNS text LANGUAGE sql
BEGIN ATOMIC
	SELECT coalesce(string_agg(concat_ws(' ', q.item || CASE WHEN q.option <> '' THEN ':' || q.option ELSE '' END, n(q.amount)),
		', ' ORDER BY q.line), '')
	FROM im_quote(card, plan, months, dau, groups, addons, deductions) q;
END;

CREATE TEMP TABLE quotes (n serial, card text DEFAULT 'cn', plan text, months int, dau bigint, groups bigint, addons jsonb,
	deductions numeric, lines text, total numeric, why text);
INSERT INTO quotes (plan, months, dau, groups, addons, deductions, lines, total, why) VALUES
	-- plans: 999 and 2999 a month
	('pro', 1, 0, 0, '{}', 0, 'plan:pro 999', 999, '999'),
	('pro', 12, 0, 0, '{}', 0, 'plan:pro 11988', 11988, '12 x 999'),
	('flagship', 1, 0, 0, '{}', 0, 'plan:flagship 2999', 2999, '2999'),
	('flagship', 3, 0, 0, '{}', 0, 'plan:flagship 8997', 8997, '3 x 2999'),
	('trial', 1, 0, 0, '{}', 0, '', 0, 'the trial plan is free'),
	('trial', 6, 5000, 5000, '{}', 0, '', 0, 'and its usage is never charged'),
	-- peak DAU: 10,000 free, 1000 per started 10,000
	('pro', 1, 1, 0, '{}', 0, 'plan:pro 999, dau_overage:pro 0', 999, '1 is within 10000: a line of 0'),
	('pro', 1, 10000, 0, '{}', 0, 'plan:pro 999, dau_overage:pro 0', 999, '10000 is within'),
	('pro', 1, 10001, 0, '{}', 0, 'plan:pro 999, dau_overage:pro 1000', 1999, 'ceil(1 / 10000) x 1000'),
	('pro', 1, 20000, 0, '{}', 0, 'plan:pro 999, dau_overage:pro 1000', 1999, 'ceil(10000 / 10000) x 1000'),
	('pro', 1, 20001, 0, '{}', 0, 'plan:pro 999, dau_overage:pro 2000', 2999, 'ceil(10001 / 10000) x 1000'),
	('flagship', 1, 25000, 0, '{}', 0, 'plan:flagship 2999, dau_overage:flagship 2000', 4999, 'ceil(15000 / 10000) x 1000'),
	-- peak groups: 100,000 free, 1000 per started 100,000
	('pro', 1, 0, 100000, '{}', 0, 'plan:pro 999, group_overage:pro 0', 999, '100000 is within'),
	('pro', 1, 0, 100001, '{}', 0, 'plan:pro 999, group_overage:pro 1000', 1999, 'ceil(1 / 100000) x 1000'),
	('pro', 1, 25000, 550000, '{}', 0, 'plan:pro 999, dau_overage:pro 2000, group_overage:pro 5000', 7999, '999 + 2000 + ceil(450000 / 100000) x 1000'),
	-- the usage of a month comes back in each month of the quote
	('pro', 2, 25000, 550000, '{}', 0,
		'plan:pro 1998, dau_overage:pro 2000, group_overage:pro 5000, dau_overage:pro 2000, group_overage:pro 5000', 15998,
		'2 x 999 + 2 x (2000 + 5000)'),
	-- add-ons
	('pro', 1, 0, 0, '{"avchatroom": true}', 0, 'plan:pro 999, avchatroom 1000', 1999, '999 + 1000'),
	('pro', 3, 0, 0, '["avchatroom"]', 0, 'plan:pro 2997, avchatroom 3000', 5997, '3 x (999 + 1000)'),
	('pro', 1, 0, 0, '["group_members", "joined_groups"]', 0, 'plan:pro 999, group_members 500, joined_groups 1100', 2599, '999 + 500 + 1100'),
	('flagship', 1, 0, 0, '["group_members", "joined_groups"]', 0, 'plan:flagship 2999, group_members 500, joined_groups 900', 4399, '2999 + 500 + 900'),
	('pro', 1, 0, 0, '{"history_storage": "30d"}', 0, 'plan:pro 999, history_storage:30d 500', 1499, '999 + 500'),
	('pro', 1, 0, 0, '{"history_storage": "360d"}', 0, 'plan:pro 999, history_storage:360d 2500', 3499, '999 + 2500'),
	('flagship', 1, 0, 0, '{"history_storage": "360d"}', 0, 'plan:flagship 2999, history_storage:360d 2000', 4999, '2999 + 2000'),
	('flagship', 2, 0, 0, '[{"history_storage": "90d"}]', 0, 'plan:flagship 5998, history_storage:90d 500, history_storage:90d 500', 6998,
		'2 x 2999, and postpaid 500 in each of two months'),
	('pro', 1, 0, 0, '{"call": "basic"}', 0, 'plan:pro 999, call:basic 500', 1499, '999 + 500'),
	('flagship', 1, 0, 0, '{"call": "premium"}', 0, 'plan:flagship 2999, call:premium 1500', 4499, '2999 + 1500'),
	('pro', 6, 0, 0, '{"call": {"option": "advanced", "months": 2}}', 0, 'plan:pro 5994, call:advanced 2000', 7994, '6 x 999 + 2 x 1000'),
	-- call minutes: 110,000 pack minutes of basic; an sd minute takes 2 and costs 14 per 1000
	('pro', 1, 0, 0, '{"call": "basic", "call_minutes": {"sd": 70000}}', 0, 'plan:pro 999, call:basic 500, call_minutes:sd 210', 1709,
		'70000 - 110000 / 2 = 15000 minutes x 0.014'),
	('pro', 1, 0, 0, '{"call_minutes": {"audio": 1000, "fhd": 10}}', 0, 'plan:pro 999, call_minutes:audio 7, call_minutes:fhd 1.05', 1007.05,
		'1000 x 0.007 + 10 x 0.105'),
	-- moderation: 0.0010 per deduction; local moderation 1000 a month, on the trial plan too
	('trial', 2, 0, 0, '["local_moderation"]', 0, 'local_moderation 2000', 2000, '2 x 1000'),
	('trial', 1, 0, 0, '{}', 1000000, 'moderation 1000', 1000, '1000000 x 0.001'),
	('pro', 1, 0, 0, '{}', 54, 'plan:pro 999, moderation 0.054', 999.054, '10 x 1 + 10 x 0.65 + 2.5 x 15 = 54; 54 x 0.001'),
	('pro', 1, 0, 0, '{}', 0.65, 'plan:pro 999, moderation 0.00065', 999.00065, 'one image: 0.65 x 0.001'),
	('pro', 1, 0, 0, '{"moderation_pack": "month"}', 1100000, 'plan:pro 999, moderation_pack:month 1050, moderation 0', 2049, '1100000 are in the pack'),
	('pro', 1, 0, 0, '{"moderation_pack": "month"}', 1300000, 'plan:pro 999, moderation_pack:month 1050, moderation 200', 2249, '999 + 1050 + 200000 x 0.001'),
	('pro', 1, 0, 0, '{"moderation_pack": {"option": "month", "quantity": 2}}', 2200001,
		'plan:pro 999, moderation_pack:month 2100, moderation 0.001', 3099.001, '999 + 2 x 1050 + 1 x 0.001'),
	('pro', 2, 0, 0, '{"moderation_pack": "month"}', 1000000,
		'plan:pro 1998, moderation_pack:month 1050, moderation 0, moderation 1000', 4048, 'the pack ends with the first month: 2 x 999 + 1050 + 1000000 x 0.001'),
	('pro', 2, 0, 0, '{"moderation_pack": "year_small"}', 6000000,
		'plan:pro 1998, moderation_pack:year_small 9500, moderation 0, moderation 2000', 13498, '1998 + 9500 + (12 - 10) million x 0.001'),
	('trial', 1, 0, 0, '{"moderation_pack": ["year_medium", "year_large"]}', 195000000,
		'moderation_pack:year_medium 49000, moderation_pack:year_large 72000, moderation 0', 121000, '70 + 125 million are in the packs'),
	-- everything at once
	('pro', 1, 25000, 550000, '{"avchatroom": true, "group_members": true, "joined_groups": true, "history_storage": "90d", "call": "basic", "local_moderation": true}', 1000,
		'plan:pro 999, dau_overage:pro 2000, group_overage:pro 5000, avchatroom 1000, call:basic 500, group_members 500, joined_groups 1100, history_storage:90d 1000, local_moderation 1000, moderation 1',
		13100, '999 + 2000 + 5000 + 1000 + 500 + 500 + 1100 + 1000 + 1000 + 1'),
	-- what is not taken costs nothing
	('pro', 1, 0, 0, '{"avchatroom": false, "call": null, "moderation": true}', 0, 'plan:pro 999', 999, 'false and null are not taken, a switch alone is free');
-- other cards: [doc] of the overseas and international pages
INSERT INTO quotes (card, plan, months, dau, groups, addons, deductions, lines, total, why) VALUES
	('cn24', 'pro', 1, 10001, 0, '{}', 0, 'plan:pro 1499, dau_overage:pro 1000', 2499, '1499 + 1000'),
	('overseas', 'pro', 1, 25000, 100001, '["avchatroom"]', 0, 'plan:pro 2999, dau_overage:pro 6000, group_overage:pro 3000, avchatroom 3200', 15199, '2999 + 2 x 3000 + 3000 + 3200'),
	('overseas', 'flagship', 2, 0, 0, '{"group_members": {"months": 1}}', 0, 'plan:flagship 11998, group_members 1700', 13698, '2 x 5999 + 1700'),
	('intl', 'standard', 1, 25000, 550000, '{}', 0, 'plan:standard 399, mau_overage:standard 225', 624, '399 + 15000 x 0.015; groups are free'),
	('intl', 'premium', 1, 10000, 0, '{}', 0, 'plan:premium 699, mau_overage:premium 0', 699, '10000 users are included'),
	('intl', 'developer', 1, 50000, 0, '{}', 0, '', 0, 'free');
CREATE FUNCTION card_of(name text) RETURNS im_rate_card LANGUAGE sql
RETURN CASE name WHEN 'cn' THEN im_bundled_card('cn', '2019-12-10') WHEN 'cn24' THEN im_bundled_card('cn', '2024-01-01')
	WHEN 'overseas' THEN im_bundled_card('overseas', '2019-12-10') ELSE im_bundled_card('intl', '2022-12-26') END;
SELECT cmp_ok(count(*), '>=', 30::bigint, 'at least thirty quotes are checked') FROM quotes;
SELECT is(quoted(card_of(card), plan, months, dau, groups, addons, deductions), lines,
	format('%s %s x %s, %s DAU, %s groups, %s, %s deductions: %s', card, plan, months, dau, groups, addons, deductions, why))
FROM quotes ORDER BY n;
SELECT is((SELECT coalesce(sum(q.amount), 0) FROM im_quote(card_of(card), plan, months, dau, groups, addons, deductions) q), total,
	format('%s %s: %s = %s', card, plan, why, n(total)))
FROM quotes ORDER BY n;

-- What a line of a quote says: no app, months from 2001-01 on, due as on a bill.
SELECT is(array_to_string(array(SELECT concat_ws(' | ', coalesce(q.app_id::text, 'no app'), q.month, q.line, line_text(q), q.currency)
		FROM im_quote(c19(), 'pro', 2, 10001, 0, '{"call": "basic"}') q ORDER BY q.line), E'\n'),
	E'no app | 2001-01-01 | 1 | plan:pro | [2001-01-01,2001-03-01) | 2001-01-01 | 2 0 2 2 999 1998 | CNY\n'
	'no app | 2001-01-01 | 2 | dau_overage:pro | [2001-01-01,2001-02-01) | 2001-02-01 | 10001 10000 1 1 1000 1000 | CNY\n'
	'no app | 2001-01-01 | 3 | call:basic | [2001-01-01,2001-03-01) | 2001-01-01 | 2 0 2 2 500 1000 | CNY\n'
	'no app | 2001-02-01 | 4 | dau_overage:pro | [2001-02-01,2001-03-01) | 2001-03-01 | 10001 10000 1 1 1000 1000 | CNY',
	'the columns of a quote');
SELECT is(q.explanation, 'Peak DAU 10001 on 2001-01-01; 1 over the 10000 included in plan pro, in 1 started block of 10000 at 1000 CNY each.',
	'a quote explains itself as a bill does')
FROM im_quote(c19(), 'pro', 1, 10001) q WHERE q.item = 'dau_overage';

-- Defaults, names of arguments, and nulls that count as nothing
SELECT is((SELECT sum(amount) FROM im_quote(c19(), 'pro')), 999::numeric, 'months and usage have defaults');
SELECT is((SELECT sum(amount) FROM im_quote(card => c19(), plan => 'pro', months => 1, peak_dau => 10001, peak_groups => 100001,
	addons => '{"call": "basic"}', deductions => 1000)), 999 + 1000 + 1000 + 500 + 1::numeric, 'arguments have their promised names');
SELECT is((SELECT sum(amount) FROM im_quote(c19(), 'pro', 1, NULL, NULL, NULL, NULL)), 999::numeric, 'null usage and add-ons are none');
SELECT is((SELECT sum(amount) FROM im_quote(c19(), 'pro', 1, 0, 0, addons::jsonb)), 999::numeric, format('%s is no add-on', addons))
FROM unnest('{"{}","[]","null","[null]","[{}]"}'::text[]) addons;

-- Without a card: the version of cn in force today
SELECT is((SELECT sum(amount) FROM im_quote('pro')), 1499::numeric, 'without a card, the plan alone');
SELECT is((SELECT sum(amount) FROM im_quote(plan => 'pro', months => 2, peak_dau => 10001, peak_groups => 100001,
	addons => '{"call": "basic"}', deductions => 1000)), 2 * (1499 + 1000 + 1000 + 500 + 1)::numeric, 'without a card, all arguments');

-- Pure: the card decides, not the clock, the session or a table
SELECT is((SELECT p.provolatile::text FROM pg_proc p WHERE p.oid = 'im_quote(im_rate_card, text, integer, bigint, bigint, jsonb, numeric)'::regprocedure),
	'i', 'a quote of a card is immutable');
SELECT is((SELECT p.provolatile::text FROM pg_proc p WHERE p.oid = 'im_quote(text, integer, bigint, bigint, jsonb, numeric)'::regprocedure),
	's', 'without a card it is stable');

-- Refused, with what is wrong and what to do
SELECT fails_with(format('SELECT * FROM im_quote(im_test.c19(), %s)', args), state, pattern, args || ' is refused')
FROM (VALUES
	($$'gold'$$, '22023', 'gold.*im_price_list'), ($$''$$, '22023', 'plan ""'),
	($$'pro', 0$$, '22023', '0 months'), ($$'pro', -1$$, '22023', '-1 months'), ($$'pro', 1201$$, '22023', '1200'),
	($$'pro', 1, -1$$, '22023', 'DAU -1 is negative'), ($$'pro', 1, 0, -1$$, '22023', 'groups -1 is negative'),
	($$'pro', 1, 0, 0, '{}', -0.5$$, '22023', '-0.5'), ($$'pro', 1, 0, 0, '{}', 'NaN'$$, '22023', 'NaN'),
	($$'pro', 1, 0, 0, '{}', 'Infinity'$$, '22023', 'Infinity'), ($$'pro', 1, 0, 0, '{}', 1e12$$, '22023', '1000000000000'),
	($$'pro', 1, 0, 0, '{}', 0.000000001$$, '22023', '8 decimal places'),
	($$'pro', 1, 0, 0, '{}', 0.000001$$, '22003', '8 places'),
	($$NULL$$, '22004', 'plan of a quote is null'), ($$'pro', NULL$$, '22004', 'months of a quote is null'),
	($$'pro', 1, 0, 0, '{"unicorn": true}'$$, '22023', 'unicorn.*im_price_list'),
	($$'pro', 1, 0, 0, '{"unicorn": 1}'$$, '22023', 'unicorn'),
	($$'pro', 1, 0, 0, '["unicorn"]'$$, '22023', 'unicorn'),
	($$'pro', 1, 0, 0, '{"": true}'$$, '22023', '""'),
	($$'pro', 1, 0, 0, '{"<b>%s\"": true}'$$, '22023', '<b>%s"'),
	($$'pro', 1, 0, 0, '{"plan": "flagship"}'$$, '22023', 'argument plan'),
	($$'pro', 1, 0, 0, '["history_storage"]'$$, '22023', '"30d", "90d", "180d", "360d"'),
	($$'pro', 1, 0, 0, '{"history_storage": "10d"}'$$, '22023', '10d'),
	($$'pro', 1, 0, 0, '{"history_storage": ["30d", "90d"]}'$$, '22023', 'twice'),
	($$'pro', 1, 0, 0, '{"history_storage": {"option": "30d", "months": 1}}'$$, '22023', 'months'),
	($$'flagship', 1, 0, 0, '{"history_storage": "30d"}'$$, '22023', 'plan "flagship" are "90d"'),
	($$'flagship', 1, 0, 0, '["avchatroom"]'$$, '22023', 'not sell it on plan "flagship"'),
	($$'trial', 1, 0, 0, '["avchatroom"]'$$, '22023', 'paid plan'),
	($$'pro', 1, 0, 0, '[{"call": "basic"}, {"call": "premium"}]'$$, '22023', 'twice'),
	($$'pro', 1, 0, 0, '{"call": {"option": "basic", "months": 0}}'$$, '22023', '1 to 1200'),
	($$'pro', 1, 0, 0, '{"call": {"option": "basic", "months": 1.5}}'$$, '22023', 'whole number'),
	($$'pro', 1, 0, 0, '{"call": {"option": "basic", "quantity": 2}}'$$, '22023', 'quantity of 2'),
	($$'pro', 1, 0, 0, '{"call": {"option": "basic", "colour": "red"}}'$$, '22023', 'colour'),
	($$'pro', 1, 0, 0, '{"call": {"option": 5}}'$$, '22023', 'option'),
	($$'pro', 1, 0, 0, '{"call": 5}'$$, '22023', 'number'),
	($$'pro', 1, 0, 0, '{"moderation_pack": "week"}'$$, '22023', 'week'),
	($$'pro', 1, 0, 0, '{"moderation_pack": true}'$$, '22023', 'pack ""'),
	($$'pro', 1, 0, 0, '{"moderation_pack": {"option": "month", "quantity": 0}}'$$, '22023', '1 to 2147483647'),
	($$'pro', 1, 0, 0, '{"moderation_pack": {"option": "month", "quantity": 1e400}}'$$, '22023', '2147483647'),
	($$'pro', 1, 0, 0, '{"moderation_pack": {"option": "month", "months": 3}}'$$, '22023', '3 months'),
	($$'pro', 1, 0, 0, '{"moderation_pack": [["month"]]}'$$, '22023', 'list of lists'),
	($$'pro', 1, 0, 0, '{"local_moderation": "yes"}'$$, '22023', 'no option "yes"'),
	($$'pro', 1, 0, 0, '{"call_minutes": {"4k": 5}}'$$, '22023', '4k'),
	($$'pro', 1, 0, 0, '{"call_minutes": {"hd": -5}}'$$, '22023', 'whole number'),
	($$'pro', 1, 0, 0, '{"call_minutes": {"hd": 1000000000000}}'$$, '22023', '999999999999'),
	($$'pro', 1, 0, 0, '{"call_minutes": 5}'$$, '22023', 'call_minutes'),
	($$'pro', 1, 0, 0, '7'$$, '22023', 'neither'),
	($$'pro', 1, 0, 0, '[7]'$$, '22023', 'neither'), ($$'pro', 1, 0, 0, '[["avchatroom"]]'$$, '22023', 'neither')) v(args, state, pattern);
SELECT is((SELECT sum(amount) FROM im_quote(c19(), 'pro', 1, 0, 0, '"avchatroom"')), 1999::numeric, 'one name alone is a list of one');
SELECT fails_with($$SELECT * FROM im_quote(NULL::im_rate_card, 'pro')$$, '22004', 'rate card of a quote is null', 'no card is refused');
SELECT fails_with($$SELECT * FROM im_quote(im_bundled_card('intl', '2022-12-26'), 'standard', 1, 0, 0, '{}', 1)$$, '22023', 'moderation',
	'deductions on a card without moderation are refused');
SELECT fails_with($$SELECT * FROM im_quote(im_bundled_card('intl', '2022-12-26'), 'standard', 1, 0, 0, '{"call_minutes": {"hd": 1}}')$$, '22023', 'hd',
	'call minutes on a card without them are refused');

-- The largest figures are exact or an error, never wrong.
SELECT is(quoted(c19(), 'pro', 1, 9223372036854775807, 0, '{}', 0), 'plan:pro 999, dau_overage:pro 922337203685477000',
	'ceil((2^63 - 1 - 10000) / 10000) = 922337203685477 blocks');
SELECT is(quoted(c19(), 'trial', 1, 0, 0, '{}', 999999999999.999), 'moderation 999999999.999999', '12 digits of deductions');
SELECT is(quoted(c19(), 'trial', 1, 0, 0, '{"call_minutes": {"fhd": 999999999999}}', 0), 'call_minutes:fhd 104999999999.895', '12 digits of minutes x 0.105');
SELECT is((SELECT count(*) || ' ' || n(sum(amount)) FROM im_quote(c19(), 'pro', 1200, 10001)), '1201 2398800',
	'a hundred years: 1200 x 999 + 1200 x 1000');

-- The property: the quote of a month is the bill of an app with just that usage.
CALL app(1);
CALL buy(1, 1, '2023-03-01', 'plan', 'pro', 2);
CALL turn(1, 2, '2023-03-01', 'on', 'history_storage', '90d');
CALL turn(1, 3, '2023-03-01', 'on', 'moderation');
CALL buy(1, 4, '2023-03-01', 'call', 'basic', 1);
CALL pack(1, 5, '2023-03-01', 'month');
CALL daily(1, '2023-03-05', 25000, 550000, texts => 1300000, sd => 70000);
CALL daily(1, '2023-04-05', 25000, 550000, texts => 1300000, sd => 70000);
CALL settle();
SELECT is(array_to_string(array(SELECT concat_ws(' ', q.item, q.option, n(q.quantity), n(q.included), n(q.billable), n(q.units), n(q.unit_price), n(q.amount))
		FROM im_quote(c19(), 'pro', 2, 25000, 550000, '{"history_storage": "90d", "call": {"option": "basic", "months": 1},
			"moderation_pack": "month", "call_minutes": {"sd": 70000}}', 1300000) q ORDER BY q.line), E'\n'),
	array_to_string(array(SELECT concat_ws(' ', b.item, b.option, n(b.quantity), n(b.included), n(b.billable), n(b.units), n(b.unit_price), n(b.amount))
		FROM unnest('{2023-03,2023-04}'::text[]) m, im_monthly_bill(1, m::im_month) b ORDER BY m, b.line), E'\n'),
	'a quote of two months is the two bills of an app with that usage');

SELECT * FROM finish();
ROLLBACK;
