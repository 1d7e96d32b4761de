-- R12 in price lists: meters by name. What is refused, and where.
BEGIN;
\ir include/setup.sql

-- A card with everything that R12 adds.
CREATE FUNCTION im_test.r12() RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
	SELECT '{"currency": "EUR", "scale": 2, "time_zone": "Europe/Berlin", "grace_days": 7,
		"plans": {"free": {"rank": 0, "price": "0"},
			"start": {"rank": 1, "price": "499", "usage": {
				"sms": {"included": 100, "block": 10, "price": "20"},
				"connections": {"included": {"share": "0.05", "of": "mau"}, "price": "1"},
				"storage_gb": {"mode": "graduated", "tiers": [{"to": "50", "price": "5"}, {"to": "100", "price": "4"}, {"price": "3.5"}]},
				"dau": {"mode": "volume", "tiers": [{"to": 2000, "flat": "300"}, {"flat": "500", "excess": true, "block": 10000, "price": "100"}]}}}},
		"addons": {"translation": {"charge": "postpaid", "prices": {"start": {"": "500"}},
			"usage": {"chars": {"included": 2000000, "price": "0.00027", "minimum": "5"}}}},
		"meters": {"sms": {"day": "sum", "month": "sum"}, "connections": {"day": "max", "month": "max"},
			"storage_gb": {"day": "average", "month": "average"}, "push_users": {"day": "unique", "month": "unique"},
			"chars": {"day": "sum", "month": "sum"}},
		"packs": {"sms_1k": {"meter": "sms", "holds": "1000", "price": "45", "months": 12, "priority": 10}}}'::jsonb $$;
SELECT lives_ok($$SELECT im_test.r12()::im_rate_card$$, 'the card is one');
SELECT is(im_test.r12()::im_rate_card::jsonb, im_test.r12(), 'and comes out as it went in');
SELECT results_eq($$SELECT * FROM im_internal.im_card_meters(im_test.r12()::im_rate_card) WHERE meter < 'd'$$,
	$$VALUES ('chars', 'sum', 'sum'), ('connections', 'max', 'max')$$, 'its meters are told');
SELECT is_empty($$SELECT * FROM im_internal.im_card_meters(im_test.cn()::im_rate_card)$$, 'an older card has none');

-- One element replaced, or removed where new is NULL: 22023 with the path of the element.
CREATE TEMP TABLE wrong (n serial, path text, new jsonb, why text);
INSERT INTO wrong (path, new, why) VALUES
	('meters', '[]', 'not an object'),
	('meters.sms', '1', 'not an object'),
	('meters.sms.day', NULL, 'missing'),
	('meters.sms.month', NULL, 'missing'),
	('meters.sms.per', '"sum"', 'unknown key'),
	('meters.sms.day', '"median"', 'an unknown kind'),
	('meters.sms.month', '5', 'not a string'),
	('meters.sms.month', '"unique"', 'subjects of a month whose days know none'),
	('meters.dau', '{"day": "unique", "month": "max"}', 'a built-in meter'),
	('meters.mau', '{"day": "unique", "month": "unique"}', 'a built-in meter'),
	('meters.groups', '{"day": "max", "month": "max"}', 'a built-in meter'),
	('meters.translation', '{"day": "sum", "month": "sum"}', 'the name of an add-on'),
	('meters.refund', '{"day": "sum", "month": "sum"}', 'the name of an item'),
	('meters.credit', '{"day": "sum", "month": "sum"}', 'the name of a later item'),
	('meters.manual', '{"day": "sum", "month": "sum"}', 'the name of a later item'),
	('plans.start.usage', '[]', 'not an object'),
	('plans.start.usages', '{}', 'unknown key'),
	('plans.start.usage.unicorn', '{"price": 1}', 'no meter of the card'),
	('plans.start.usage.sms', '{}', 'no price'),
	('plans.start.usage.sms.price', NULL, 'missing'),
	('plans.start.usage.sms.price', '-1', 'negative'),
	('plans.start.usage.sms.price', '"0.123456789"', '9 places'),
	('plans.start.usage.sms.included', '"many"', 'not a number'),
	('plans.start.usage.sms.block', '0', 'a block of nothing'),
	('plans.start.usage.sms.blocks', '1', 'unknown key'),
	('plans.start.usage.storage_gb.price', '1', 'a price beside tiers'),
	('plans.start.usage.connections.included.of', '"unicorn"', 'no meter of the card'),
	('plans.start.usage.connections.included.of', NULL, 'missing'),
	('plans.start.usage.connections.included.share', NULL, 'missing'),
	('plans.start.usage.connections.included.share', '"half"', 'not a number'),
	('plans.start.usage.connections.included.per', '1', 'unknown key'),
	('plans.start.usage.storage_gb.mode', '"stairs"', 'an unknown mode'),
	('plans.start.usage.storage_gb.mode', NULL, 'missing'),
	('plans.start.usage.storage_gb.tiers', '[]', 'no tier'),
	('plans.start.dau', '{"included": 1, "block": 1, "price": 1}', 'stated twice'),
	('plans.free.usage', '{"sms": {"price": 1}}', 'usage of the free plan'),
	('addons.translation.usage', '[]', 'not an object'),
	('addons.translation.usage.unicorn', '{"price": 1}', 'no meter of the card'),
	('addons.translation.usage.sms', '{"price": 1}', 'a meter that a plan prices'),
	('addons.translation.usage.chars.price', NULL, 'missing'),
	('addons.translation.usage.chars.minimum', '-5', 'negative'),
	('addons.translation.usage.chars.maximum', '4', 'below the minimum'),
	('packs', '[]', 'not an object'),
	('packs.sms_1k', '5', 'not an object'),
	('packs.sms_1k.meter', NULL, 'missing'),
	('packs.sms_1k.meter', '"unicorn"', 'no meter of the card'),
	('packs.sms_1k.meter', '"connections"', 'a meter whose month is no sum'),
	('packs.sms_1k.meter', '"dau"', 'a meter whose month is no sum'),
	('packs.sms_1k.holds', NULL, 'missing'),
	('packs.sms_1k.holds', '0', 'a pack of nothing'),
	('packs.sms_1k.holds', '-1', 'negative'),
	('packs.sms_1k.price', NULL, 'missing'),
	('packs.sms_1k.price', '"x"', 'not a number'),
	('packs.sms_1k.months', NULL, 'missing'),
	('packs.sms_1k.months', '0', 'a pack for no time'),
	('packs.sms_1k.months', '1.5', 'not whole'),
	('packs.sms_1k.priority', '-1', 'negative'),
	('packs.sms_1k.priority', '"first"', 'not a number'),
	('packs.sms_1k.deductions', '1', 'unknown key');
-- A key that is wrong beside another is told at the one or at its section.
SELECT fails_with(format('SELECT %L::im_rate_card', CASE WHEN new IS NULL
		THEN im_test.r12() #- string_to_array(path, '.')
		ELSE jsonb_set(im_test.r12(), string_to_array(path, '.'), new) END::text),
	'22023', CASE why WHEN 'stated twice' THEN 'usage\.dau' ELSE regexp_replace(path, '\.', '\\.', 'g') END,
	format('card: %s = %s: %s', path, coalesce(left(new::text, 40), 'nothing'), why))
FROM wrong ORDER BY n;

SELECT fails_with(format('SELECT %L::im_rate_card', jsonb_set(im_test.r12(), '{addons,other}',
	'{"charge": "prepaid", "prices": {}, "usage": {"chars": {"price": 1}}}')::text), '22023', 'addons\.\w+\.usage\.chars',
	'a meter that two add-ons price');
SELECT fails_with(format('SELECT %L::im_rate_card', jsonb_set(im_test.r12(), '{addons,pack}',
	'{"charge": "prepaid", "prices": {}}')::text), '22023', 'packs', 'packs beside an add-on of that name');
SELECT lives_ok(format('SELECT %L::im_rate_card', jsonb_set(im_test.cn(), ARRAY['addons', name], im_test.cn() #> '{addons,call}')::text),
	'an older card may have an add-on ' || name) FROM unnest('{pack,credit,charge,manual}'::text[]) name;
SELECT is(im_usage_fee(jsonb_set(im_test.r12(), '{plans,start,groups}', charge::jsonb)::im_rate_card, 'start', 'groups', 7), fee,
	'the short form takes ' || charge) FROM (VALUES ('{"included": 5, "block": 1, "price": 2}', 4::numeric),
	('{"mode": "graduated", "tiers": [{"price": 2}]}', 14)) v(charge, fee);

-- versions agree on how days are made ------------------------------------------------
CALL card('others', '2024-01-01', im_test.r12());
SELECT fails_with($$CALL card('others', '2024-06-01', jsonb_set(im_test.r12(), '{meters,sms,day}', '"max"'))$$, '23514', 'sms',
	'another day of a meter is refused');
CALL card('others', '2024-06-01', jsonb_set(im_test.r12(), '{meters,connections,month}', '"sum"'));
CALL card('others', '2024-07-01', im_test.r12() #- '{meters,push_users}');
SELECT is((SELECT count(*) FROM im_rate_card_version WHERE rate_card = 'others'), 3::bigint, 'another month, or no such meter, is not');

-- single figures -----------------------------------------------------------------------
SELECT is(im_usage_fee(im_test.r12()::im_rate_card, plan, meter, q), fee, format('%s of %s on %s', q, meter, plan))
FROM (VALUES ('start', 'sms', 100::numeric, 0::numeric), ('start', 'sms', 100.00000001, 20), ('start', 'sms', 110, 20), ('start', 'sms', 110.5, 40),
	('start', 'storage_gb', 120, 520), ('start', 'dau', 0, 300), ('start', 'dau', 2000, 300), ('start', 'dau', 2001, 600),
	('start', 'chars', 2000000, 5), ('start', 'chars', 0, 5), ('start', 'chars', 2100000, 27), ('start', 'push_users', 5, 0),
	('free', 'sms', 1000, 0), ('free', 'chars', 9999999, 0), ('start', 'groups', 1000000, 0)) v(plan, meter, q, fee);
SELECT is(im_usage_fee(card => im_test.r12()::im_rate_card, plan => 'start', meter => 'connections', quantity => 600, of_quantity => 10000), 100::numeric,
	'a share of another meter is included');
SELECT is(im_usage_fee(im_test.r12()::im_rate_card, 'start', 'sms', 110, 10000), 20::numeric, 'without a share the other quantity does not matter');
SELECT is(im_usage_fee(im_test.r12()::im_rate_card, 'start', NULL, 110), NULL::numeric, 'NULL in, NULL out');
SELECT is(im_dau_overage(im_test.r12()::im_rate_card, 'start', 2001), 600::numeric, 'im_dau_overage takes any shape');
SELECT fails_with(format('SELECT im_usage_fee(im_test.r12()::im_rate_card, %s)', args), state, said, args)
FROM (VALUES ($$'gold', 'sms', 1$$, '22023', 'gold'), ($$'start', 'unicorn', 1$$, '22023', 'unicorn'),
	($$'start', 'sms', -1$$, '22023', '-1'), ($$'start', 'sms', 'NaN'$$, '22023', 'NaN'), ($$'start', 'sms', 'Infinity'$$, '22023', 'Infinity'),
	($$'start', 'sms', 0.000000001$$, '22003', ''), ($$'start', 'sms', 1e40$$, '22003', ''), ($$'start', 'storage_gb', 1e30$$, '22003', ''),
	($$'start', 'connections', 1$$, '22023', 'mau'), ($$'start', 'connections', 1, -1$$, '22023', '-1')) v(args, state, said);
SELECT is(im_dau_overage(im_test.r12()::im_rate_card, 'start', q), im_usage_fee(im_test.r12()::im_rate_card, 'start', 'dau', q), 'both ways agree')
FROM unnest('{1,2000,12000,12001}'::bigint[]) q;

-- the price list -------------------------------------------------------------------------
SELECT results_eq($$SELECT item, plan, option, included, block, price, "grant", coefficient FROM im_price_list(im_test.r12()::im_rate_card)$$,
	$$VALUES ('plan', 'free', '', NULL::numeric, NULL::numeric, 0::numeric, NULL::numeric, NULL::numeric),
		('plan', 'start', '', NULL, NULL, 499, NULL, NULL),
		('dau_overage', 'start', 'tier 1 to 2000', NULL, NULL, 0, NULL, NULL), ('dau_overage', 'start', 'tier 1 flat', NULL, NULL, 300, NULL, NULL),
		('dau_overage', 'start', 'tier 2', NULL, 10000, 100, NULL, NULL), ('dau_overage', 'start', 'tier 2 flat', NULL, NULL, 500, NULL, NULL),
		('connections', 'start', '', NULL, NULL, 1, NULL, 0.05),
		('sms', 'start', '', 100, 10, 20, NULL, NULL),
		('storage_gb', 'start', 'tier 1 to 50', NULL, NULL, 5, NULL, NULL), ('storage_gb', 'start', 'tier 2 to 100', NULL, NULL, 4, NULL, NULL),
		('storage_gb', 'start', 'tier 3', NULL, NULL, 3.5, NULL, NULL),
		('translation', 'start', '', NULL, NULL, 500, NULL, NULL),
		('chars', NULL, 'translation', 2000000, NULL, 0.00027, NULL, NULL), ('chars', NULL, 'translation minimum', NULL, NULL, 5, NULL, NULL),
		('pack', NULL, 'sms_1k', NULL, NULL, 45, 1000, NULL)$$, 'the price list tells usage, tiers and packs');

-- users of the month ----------------------------------------------------------------------
SELECT is(im_internal.im_prices_users(card), wanted, what) FROM (VALUES (im_test.r12(), true, 'a share of mau needs who they were'),
	(im_test.r12() #- '{plans,start,usage,connections}', false, 'else nobody asks'), (im_test.cn(), false, 'nor does cn'),
	(im_bundled_card('intl', '2022-12-26')::jsonb, true, 'a price of mau does'),
	(jsonb_set(im_test.cn(), '{plans,pro,usage}', '{"mau": {"price": 1}}'), true, 'in the long form too')) v(card, wanted, what);

SELECT * FROM finish();
ROLLBACK;
