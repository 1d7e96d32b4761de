-- R10: the bundled cards; previews and price lists.
BEGIN;
\ir include/setup.sql

SELECT results_eq('SELECT rate_card, effective_from FROM im_rate_card_version ORDER BY 1, 2',
	$$VALUES ('cn', '2019-12-10'::date), ('cn', '2024-01-01'), ('intl', '2022-12-26'), ('overseas', '2019-12-10')$$,
	'im_create_tables() brings the four bundled versions');
SELECT is(terms, im_bundled_card(rate_card, effective_from)::jsonb,
	format('the stored %s of %s is the bundled one', rate_card, effective_from))
FROM im_rate_card_version ORDER BY rate_card, effective_from;
SELECT throws_ok($$SELECT im_bundled_card('cn', '2020-01-01')$$, NULL, NULL, 'no version of that day');
SELECT throws_ok($$SELECT im_bundled_card('mars', '2020-01-01')$$, NULL, NULL, 'no such card');

CREATE TEMP TABLE expected (card text, since date, plan text, price numeric, dau_q bigint, dau_b bigint, dau_p numeric,
	grp_q bigint, grp_b bigint, grp_p numeric, mau_q bigint, mau_b bigint, mau_p numeric);
INSERT INTO expected VALUES
	('cn', '2019-12-10', 'trial', 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('cn', '2019-12-10', 'pro', 999, 10000, 10000, 1000, 100000, 100000, 1000, NULL, NULL, NULL),
	('cn', '2019-12-10', 'flagship', 2999, 10000, 10000, 1000, 100000, 100000, 1000, NULL, NULL, NULL),
	('cn', '2024-01-01', 'trial', 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('cn', '2024-01-01', 'pro', 1499, 10000, 10000, 1000, 100000, 100000, 1000, NULL, NULL, NULL),
	('cn', '2024-01-01', 'flagship', 2999, 10000, 10000, 1000, 100000, 100000, 1000, NULL, NULL, NULL),
	('overseas', '2019-12-10', 'trial', 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('overseas', '2019-12-10', 'pro', 2999, 10000, 10000, 3000, 100000, 100000, 3000, NULL, NULL, NULL),
	('overseas', '2019-12-10', 'flagship', 5999, 10000, 10000, 3000, 100000, 100000, 3000, NULL, NULL, NULL),
	('intl', '2022-12-26', 'developer', 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('intl', '2022-12-26', 'standard', 399, NULL, NULL, NULL, NULL, NULL, NULL, 10000, 1, 0.015),
	('intl', '2022-12-26', 'premium', 699, NULL, NULL, NULL, NULL, NULL, NULL, 10000, 1, 0.015);
SELECT is((SELECT string_agg(k, ' ' ORDER BY k) FROM jsonb_object_keys(terms -> 'plans') k),
	(SELECT string_agg(plan, ' ' ORDER BY plan) FROM expected e
	 WHERE (e.card, e.since) = (rate_card, effective_from)), format('the plans of %s %s', rate_card, effective_from))
FROM im_rate_card_version ORDER BY rate_card, effective_from;
SELECT is(concat_ws(' ', n((p ->> 'price')::numeric),
		n((p #>> '{dau,included}')::numeric), n((p #>> '{dau,block}')::numeric), n((p #>> '{dau,price}')::numeric),
		n((p #>> '{groups,included}')::numeric), n((p #>> '{groups,block}')::numeric), n((p #>> '{groups,price}')::numeric),
		n((p #>> '{mau,included}')::numeric), n((p #>> '{mau,block}')::numeric), n((p #>> '{mau,price}')::numeric)),
	concat_ws(' ', n(price), n(dau_q), n(dau_b), n(dau_p), n(grp_q), n(grp_b), n(grp_p), n(mau_q), n(mau_b), n(mau_p)),
	format('%s %s %s', card, since, plan))
FROM expected, LATERAL (SELECT terms #> ARRAY['plans', plan] p FROM im_rate_card_version v
	WHERE (v.rate_card, v.effective_from) = (card, since)) t
ORDER BY card, since, plan;
SELECT is((terms #>> ARRAY['plans', 'trial', 'rank']), '0', format('trial is free: %s', effective_from))
FROM im_rate_card_version WHERE rate_card IN ('cn', 'overseas') ORDER BY rate_card, effective_from;
SELECT is((SELECT terms #>> '{plans,developer,rank}' FROM im_rate_card_version WHERE rate_card = 'intl'), '0',
	'developer is free');
SELECT is(concat_ws(' ', terms ->> 'currency', terms ->> 'scale', terms ->> 'time_zone', terms ->> 'grace_days'),
	CASE rate_card WHEN 'intl' THEN 'USD' ELSE 'CNY' END || ' 2 Asia/Shanghai 7',
	format('%s %s: currency, places, zone, grace', rate_card, effective_from))
FROM im_rate_card_version ORDER BY rate_card, effective_from;
SELECT is((SELECT string_agg(k, ' ' ORDER BY k) FROM jsonb_object_keys(terms) k
		   WHERE k NOT IN ('currency', 'scale', 'time_zone', 'grace_days', 'plans')
			 AND terms -> k <> '{}'),
	CASE rate_card WHEN 'cn' THEN 'addons call_minutes local_moderation moderation'
		WHEN 'overseas' THEN 'addons' END,
	format('%s %s: what else it prices', rate_card, effective_from))
FROM im_rate_card_version ORDER BY rate_card, effective_from;
SELECT is((SELECT terms FROM im_rate_card_version WHERE rate_card = 'cn' AND effective_from = '2024-01-01'),
	jsonb_set(cn(), '{plans,pro,price}', '"1499"'), '`cn` of 2024 is that of 2019 but for pro');

-- overseas add-ons
SELECT is(im_addon_fee(im_bundled_card('overseas', '2019-12-10'), plan, addon, option), fee,
	format('overseas %s %s %s', plan, addon, option))
FROM (VALUES ('pro', 'avchatroom', '', 3200::numeric), ('pro', 'group_members', '', 1700),
	('flagship', 'group_members', '', 1700), ('pro', 'joined_groups', '', 3200), ('flagship', 'joined_groups', '', 3200),
	('pro', 'history_storage', '30d', 700), ('pro', 'history_storage', '90d', 1280),
	('pro', 'history_storage', '180d', 1920), ('pro', 'history_storage', '360d', 2850),
	('flagship', 'history_storage', '90d', 700), ('flagship', 'history_storage', '180d', 1280),
	('flagship', 'history_storage', '360d', 2280)) v(plan, addon, option, fee);
SELECT throws_ok(format('SELECT im_addon_fee(im_bundled_card(%L, %L), %L, %L, %L)', card, since, plan, addon, option),
	'22023', NULL, format('%s %s %s %s is not sold', card, plan, addon, option))
FROM (VALUES ('overseas', '2019-12-10', 'flagship', 'avchatroom', ''), ('overseas', '2019-12-10', 'pro', 'call', 'basic'),
	('overseas', '2019-12-10', 'flagship', 'history_storage', '30d'),
	('intl', '2022-12-26', 'standard', 'group_members', '')) v(card, since, plan, addon, option);

-- Bills
CALL app(1, 'overseas');
CALL buy(1, 1, '2023-03-01', 'plan', 'pro');
CALL upgrade(1, 2, '2023-03-11');
CALL daily(1, '2023-03-15', dau => 25000, peak_groups => 550000);
-- upgrade 3000 * 21 * 12/365 = 756000/365 = 2071.2328...; 2 * 3000; 5 * 3000
SELECT bill_is(1, '2023-03', ARRAY[
	'plan:pro | [2023-03-01,2023-04-01) | 2023-03-01 | 1 0 1 1 2999 2999',
	'plan_upgrade:flagship | [2023-03-11,2023-04-01) | 2023-03-11 | 21 0 21 21 3000 2071.23',
	'dau_overage:flagship | [2023-03-01,2023-04-01) | 2023-04-01 | 25000 10000 15000 2 3000 6000',
	'group_overage:flagship | [2023-03-01,2023-04-01) | 2023-04-01 | 550000 100000 450000 5 3000 15000'],
	'an overseas bill');
CALL app(2, 'intl');
CALL buy(2, 1, '2023-03-01', 'plan', 'standard');
CALL upgrade(2, 2, '2023-03-11', 'premium');
INSERT INTO im_usage_daily (app_id, day, users)
SELECT 2, '2023-03-15', im_userset_agg('u' || g) FROM generate_series(1, 10000) g;
INSERT INTO im_login SELECT 2, 'u' || g, at8('2023-03-16 12:00') FROM generate_series(9991, 10001) g;
-- 300 * 21 * 12/365 = 75600/365 = 207.1232...; 399 + 207.12 + 0.015 = 606.135 -> 606.14
SELECT bill_is(2, '2023-03', ARRAY[
	'plan:standard | [2023-03-01,2023-04-01) | 2023-03-01 | 1 0 1 1 399 399',
	'plan_upgrade:premium | [2023-03-11,2023-04-01) | 2023-03-11 | 21 0 21 21 300 207.12',
	'mau_overage:premium | [2023-03-01,2023-04-01) | 2023-04-01 | 10001 10000 1 1 0.015 0.015'],
	'an intl bill: 10,001 users of the month');
SELECT is(im_monthly_total(2, '2023-03'), 606.14, 'in dollars and cents');
CALL app(3, 'intl');
CALL buy(3, 1, '2023-03-01', 'plan', 'standard');
CALL daily(3, '2023-03-05', dau => 10, peak_groups => 1000000, audio => 10, texts => 10);
UPDATE im_usage_daily SET users = (SELECT im_userset_agg(g) FROM generate_series(1, 10) g) WHERE app_id = 3;
SELECT bill_is(3, '2023-03', ARRAY[
	'plan:standard | [2023-03-01,2023-04-01) | 2023-03-01 | 1 0 1 1 399 399',
	'mau_overage:standard | [2023-03-01,2023-04-01) | 2023-04-01 | 10 10000 0 0 0.015 0'],
	'intl prices no groups, calls or moderation');
SELECT refused($$CALL buy(3, 2, '2023-03-05', 'plan', 'pro')$$, 'pro', 'pro is not a plan of intl');
SELECT refused($$CALL buy(3, 2, '2023-03-05', 'plan', 'developer')$$, 'developer', 'nor can developer be bought');

-- Preview: the card stands for every version ---------------------------------------------------------
CALL app(11);
CALL buy(11, 1, '2023-03-01', 'plan', 'pro', 2);
CALL buy(11, 2, '2023-03-02', 'group_members');
CALL buy(11, 3, '2023-03-03', 'local_moderation');
CALL daily(11, '2023-03-15', dau => 10001);
SELECT is((SELECT string_agg(item || ' ' || n(amount), E'\n' ORDER BY line)
		   FROM im_preview_bill(11, '2023-03', im_bundled_card('cn', '2024-01-01'))),
	E'plan 2998\ndau_overage 1000\ngroup_members 500\nlocal_moderation 1000',
	'what if pro cost 1499: 2 * 1499');
SELECT is(amounts(11, '2023-03', 'plan'), '1998', 'the bill itself is as it was');
SELECT results_eq($$SELECT * FROM im_preview_bill(11, '2023-03', im_bundled_card('cn', '2019-12-10'))$$,
	$$SELECT * FROM im_monthly_bill(11, '2023-03')$$, 'under its own card the preview is the bill');
SELECT is((SELECT string_agg(item || ' ' || n(amount), E'\n' ORDER BY line)
		   FROM im_preview_bill(11, '2023-03', im_bundled_card('overseas', '2019-12-10'))),
	E'plan 5998\ndau_overage 3000\ngroup_members 1700\nlocal_moderation -',
	'what the card lacks is a line without an amount');
SELECT ok(bool_and(explanation ~ '\w'), 'with the reason in its explanation')
FROM im_preview_bill(11, '2023-03', im_bundled_card('overseas', '2019-12-10')) WHERE amount IS NULL;
CALL app(12);
CALL buy(12, 1, '2023-03-01', 'plan', 'pro', 2);
SELECT is((SELECT count(*) FROM im_preview_bill(12, '2023-03', im_bundled_card('intl', '2022-12-26'))
		   WHERE item = 'plan' AND amount IS NULL), 1::bigint, 'a plan that the card lacks, too');

-- An app that holds one of everything
CALL app(13);
CALL buy(13, 1, '2023-03-01', 'plan', 'pro', 2);
CALL upgrade(13, 2, '2023-03-11');
CALL buy(13, 3, '2023-03-02', 'call', 'basic');
CALL buy(13, 4, '2023-03-02', 'group_members');
CALL turn(13, 5, '2023-03-05', 'on', 'history_storage', '90d');
CALL turn(13, 6, '2023-03-01', 'on', 'moderation');
CALL pack(13, 7, '2023-03-02', 'month');
CALL buy(13, 8, '2023-03-03', 'local_moderation', paid => 900);
CALL refund(13, 9, '2023-03-20', 8);
CALL daily(13, '2023-03-15', dau => 10001, peak_groups => 100001, texts => 5, audio => 7);
CREATE FUNCTION preview(app bigint, card im_rate_card) RETURNS text LANGUAGE sql
BEGIN ATOMIC
	SELECT string_agg(item || ' ' || n(amount), E'\n' ORDER BY line) FROM im_preview_bill(app, '2023-03'::im_month, card);
END;
-- upgrade 3000 * 51 * 12/365 = 1836000/365 = 5030.1369...; an agreed price stays as agreed
SELECT is(preview(13, im_bundled_card('overseas', '2019-12-10')), 'plan 5998
plan_upgrade 5030.14
dau_overage 3000
group_overage 3000
call -
group_members 1700
history_storage 700
local_moderation -
moderation_pack -
moderation -
refund -', 'what overseas would cost, and what it lacks');
SELECT is((SELECT string_agg(item, ' ' ORDER BY line) FROM im_preview_bill(13, '2023-03', im_bundled_card('intl', '2022-12-26'))),
	'plan plan_upgrade dau_overage group_overage call group_members history_storage local_moderation moderation_pack '
	'moderation refund', 'intl lacks all of it, and says so line by line');
SELECT is((SELECT count(*) FROM im_preview_bill(13, '2023-03', im_bundled_card('intl', '2022-12-26'))
		   WHERE amount IS NOT NULL OR explanation !~ '\w+ \w+'), 0::bigint, 'without an amount, with the reason');
-- Another price list with other numbers: minutes, quotas and coefficients too.
SELECT is(preview(13, jsonb_set(jsonb_set(jsonb_set(cn(), '{addons,call,minutes,basic}', '5'),
	'{moderation,packs,month,deductions}', '4'), '{plans,flagship,dau,included}', '0')::im_rate_card),
	-- ceil(10001/10000) = 2 blocks; 2 of 7 minutes postpaid; 1 of 5 deductions postpaid; 900 - 18 * 900/31 = 377.4193...
	'plan 1998
plan_upgrade 3353.42
dau_overage 2000
group_overage 1000
call 500
group_members 500
history_storage 500
call_minutes 0.014
local_moderation 900
moderation_pack 1050
moderation 0.001
refund -377.42', 'grants and quotas of the preview''s card');
SELECT is((SELECT sum(amount) FROM im_monthly_bill(13, '2023-03')), (SELECT sum(amount) FROM
	im_preview_bill(13, '2023-03', im_bundled_card('cn', '2019-12-10'))), 'and none of its own card');

-- im_price_list ------------------------------------------------------------------------------------------
SELECT is((SELECT count(*) FROM im_price_list(im_bundled_card('cn', '2019-12-10')) WHERE item = 'history_storage'),
	7::bigint, 'a row for each price of history_storage');
SELECT is((SELECT n(price) || ' ' || n("grant") FROM im_price_list(im_bundled_card('cn', '2019-12-10'))
		   WHERE item = 'call' AND plan = 'pro' AND option = 'advanced'), '1000 235000', 'price and minutes of call advanced');
SELECT is((SELECT concat_ws(' ', n(included), n(block), n(price)) FROM im_price_list(im_bundled_card('cn', '2019-12-10'))
		   WHERE item = 'dau_overage' AND plan = 'flagship'), '10000 10000 1000', 'the DAU overage of flagship');
SELECT is((SELECT n(price) || ' ' || n("grant") FROM im_price_list(im_bundled_card('cn', '2019-12-10'))
		   WHERE item = 'moderation_pack' AND option = 'year_large'), '72000 125000000', 'price and deductions of year_large');
SELECT is((SELECT string_agg(option || ' ' || n(coefficient), ', ' ORDER BY coefficient)
		   FROM im_price_list(im_bundled_card('cn', '2019-12-10'))
		   WHERE item = 'moderation' AND coefficient IS NOT NULL), 'image 0.65, text 1, audio 15, video 56',
	'the coefficients');

CALL settle();
SELECT * FROM finish();
ROLLBACK;
