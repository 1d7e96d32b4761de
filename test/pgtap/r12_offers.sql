-- R12, R6: prices by term, options for renewal only, packs of meters, moderation by plan.
BEGIN;
\ir include/setup.sql

CREATE FUNCTION offers() RETURNS jsonb LANGUAGE sql
RETURN cn() || jsonb_build_object(
	'plans', jsonb_set(cn() -> 'plans', '{pro,prices}', '{"12": "9999", "3": 1000}')
		|| jsonb_build_object('group', '{"rank": 3, "price": "10000"}'::jsonb),
	'addons', jsonb_set(cn() -> 'addons', '{call,renew_only}', '["premium"]'),
	'meters', '{"sms": {"day": "sum", "month": "sum"}}'::jsonb,
	'packs', '{"sms_1k": {"meter": "sms", "holds": "1000", "price": "45", "months": 12, "priority": 10},
		"sms_5k": {"meter": "sms", "holds": "5000.5", "price": "200", "months": 1}}'::jsonb,
	'moderation', jsonb_set(cn() -> 'moderation', '{plans}', '["pro", "flagship"]'));
CREATE PROCEDURE offers_card(name text, terms jsonb) LANGUAGE sql AS $$ CALL card(name, '2019-12-10', terms) $$;
CREATE FUNCTION wrong(path text[], value jsonb, pattern text, what text) RETURNS text LANGUAGE sql
RETURN fails_with(format('SELECT %L::jsonb::im_rate_card', jsonb_set(offers(), path, value)), '22023', pattern, what);

-- Cards: every key, with its path ------------------------------------------------------
SELECT lives_ok('SELECT offers()::im_rate_card', 'a card of offers');
SELECT is(offers()::im_rate_card::jsonb, offers(), 'comes back as it was');
SELECT wrong('{plans,pro,prices}', '{}', 'plans\.pro\.prices', 'no prices');
SELECT wrong('{plans,pro,prices}', '[]', 'plans\.pro\.prices is not an object', 'a list of prices');
SELECT wrong('{plans,pro,prices}', '{"012": "1"}', 'plans\.pro\.prices\.012 is no number of months', 'a zero in front');
SELECT wrong('{plans,pro,prices}', '{"0": "1"}', 'plans\.pro\.prices\.0 is no number of months', 'no months');
SELECT wrong('{plans,pro,prices}', '{"-1": "1"}', 'is no number of months', 'negative months');
SELECT wrong('{plans,pro,prices}', '{"1.5": "1"}', 'is no number of months', 'half months');
SELECT wrong('{plans,pro,prices}', '{"year": "1"}', 'is no number of months', 'a word');
SELECT wrong('{plans,pro,prices}', '{"1201": "1"}', 'too many months', 'more than a hundred years');
SELECT wrong('{plans,pro,prices}', '{"99999999999999999999": "1"}', 'is no number of months', 'many digits');
SELECT wrong('{plans,pro,prices}', '{"12": "-1"}', 'plans\.pro\.prices\.12 is negative', 'a negative price');
SELECT wrong('{plans,pro,prices}', '{"12": null}', 'plans\.pro\.prices\.12 is not a number', 'no price');
SELECT wrong('{plans,pro,prices}', '{"12": "1.123456789"}', 'too many decimal places', '9 places');
SELECT wrong('{plans,trial,prices}', '{"12": "0"}', 'plans\.trial\.prices prices terms though the rank is 0', 'a term of the free plan');
SELECT wrong('{addons,call,renew_only}', '{}', 'addons\.call\.renew_only is not an array', 'options as an object');
SELECT wrong('{addons,call,renew_only}', '[]', 'addons\.call\.renew_only is empty', 'no options');
SELECT wrong('{addons,call,renew_only}', '["gold"]', 'addons\.call\.renew_only\[0\] is "gold"', 'an option that is not sold');
SELECT wrong('{addons,call,renew_only}', '["basic", "basic"]', 'renew_only\[1\] is "basic" once more', 'an option twice');
SELECT wrong('{addons,call,renew_only}', '[1]', 'renew_only\[0\] is not a string', 'a number');
SELECT lives_ok($$SELECT jsonb_set(offers(), '{addons,avchatroom,renew_only}', '[""]')::im_rate_card$$, 'the option without a name can be for renewal only');
SELECT wrong('{moderation,plans}', '[]', 'moderation\.plans is empty', 'no plans');
SELECT wrong('{moderation,plans}', '"pro"', 'moderation\.plans is not an array', 'a plan that is no list');
SELECT wrong('{moderation,plans}', '["gold"]', 'moderation\.plans\[0\] is "gold", a plan that the card does not have', 'an unknown plan');
SELECT wrong('{moderation,plans}', '["pro", "pro"]', 'moderation\.plans\[1\] is "pro" once more', 'a plan twice');
SELECT wrong('{moderation,plans}', '[null]', 'moderation\.plans\[0\] is not a string', 'null');
SELECT results_eq($$SELECT item, plan, option, price, "grant" FROM im_price_list(offers()::im_rate_card)
	WHERE item = 'plan' AND plan = 'pro' OR item = 'pack'$$,
	$$VALUES ('plan', 'pro', '', 999::numeric, NULL::numeric), ('plan', 'pro', '3', 1000, NULL), ('plan', 'pro', '12', 9999, NULL),
		('pack', NULL, 'sms_1k', 45, 1000), ('pack', NULL, 'sms_5k', 200, 5000.5)$$, 'the price list has terms and packs');

-- Prices by term -----------------------------------------------------------------------
CALL offers_card('offers', offers());
CALL app(1, 'offers');
CALL buy(1, 1, '2023-01-01', 'plan', 'pro', 12);
SELECT bill_is(1, '2023-01', ARRAY['plan:pro | [2023-01-01,2024-01-01) | 2023-01-01 | 12 0 12 12 833.25 9999'], 'a year at the price of a year');
SELECT matches((SELECT explanation FROM im_monthly_bill(1, '2023-01')), '2023-12-31, at 9999 CNY for all of them\.', 'says so');
SELECT results_eq($$SELECT fact, amount, detail -> 'path' FROM im_explain(1, '2023-01', 1) WHERE fact = 'price'$$,
	$$SELECT 'price'::text, 9999::numeric, detail -> 'path' FROM im_explain(1, '2023-01', 1) WHERE fact = 'price'$$, 'explained by it');
SELECT matches(im_bill_html(1, '2023-01', 'zh'), '购买 12 个月（<time>2023-01-01</time> 至 <time>2023-12-31</time>），整期价格 9,999 CNY', 'in Chinese too');
-- (2999 - 833.25) * 244 * 12 / 365 = 17373.468...
CALL upgrade(1, 2, '2023-05-02');
SELECT is(amounts(1, '2023-05', 'plan_upgrade'), '17373.47', 'its month costs a twelfth as the old price of an upgrade');
CALL app(2, 'offers');
CALL buy(2, 1, '2023-01-01', 'plan', 'pro', 3);
CALL pack(2, 2, '2023-01-01', 'month');
-- 1000 - 1000/3 * (1 + 14/28) = 500
CALL refund(2, 3, '2023-02-14', 1);
SELECT is(amounts(2, '2023-02', 'refund'), '-500', 'and in a refund');
SELECT is((SELECT amount FROM im_quote(offers()::im_rate_card, 'pro', 12, 0, 0, '{}', 0) WHERE item = 'plan'), 9999.00, 'a quote knows it');
SELECT is((SELECT amount FROM im_quote(offers()::im_rate_card, 'pro', 11, 0, 0, '{}', 0) WHERE item = 'plan'), 10989.00, 'other months are months');
SELECT results_eq($$SELECT difference, moved FROM im_compare_cards('2023-01', jsonb_set(offers(), '{plans,pro}', cn() #> '{plans,pro}')::im_rate_card, offers()::im_rate_card) WHERE app_id = 1$$,
	$$VALUES (-1989.00, '{"plan": -1989.00}'::jsonb)$$, 'so does a comparison of cards');

-- Renewal only ---------------------------------------------------------------------------
CALL card('late', '2019-12-10', cn());
CALL card('late', '2023-02-01', offers());
CALL app(3, 'late');
CALL buy(3, 1, '2023-01-10', 'plan', 'pro', 1);
CALL buy(3, 2, '2023-01-20', 'call', 'premium', 1);
CALL settle();
SELECT accepted($$CALL buy(3, 3, '2023-02-05', 'call', 'premium', 1)$$, 'what is held is renewed');
SELECT accepted($$CALL buy(3, 3, '2023-02-16', 'call', 'premium', 1)$$, 'in the grace as well');
CALL buy(3, 3, '2023-02-16', 'plan', 'pro', 2);
SELECT accepted($$CALL buy(3, 4, '2023-02-19', 'call', 'premium', 1)$$, 'on its last day');
SELECT refused($$CALL buy(3, 4, '2023-02-20', 'call', 'premium', 1)$$, 'is sold only to an app that holds it', 'not a day later');
SELECT accepted($$CALL buy(3, 4, '2023-02-20', 'call', 'basic', 1)$$, 'another option is');
CALL app(4, 'late');
CALL buy(4, 1, '2023-02-10', 'plan', 'pro', 1);
SELECT refused($$CALL buy(4, 2, '2023-02-10', 'call', 'premium', 1)$$, 'is sold only to an app that holds it', 'who never held it does not get it');
SELECT fails_with($$SELECT im_quote(offers()::im_rate_card, 'pro', 1, 0, 0, '{"call": "premium"}', 0)$$, '22023', 'sold only to an app that holds it', 'nor a quote');
SELECT is((SELECT possible FROM im_cheapest_plan(3, '2023-02') WHERE plan = 'flagship'), true, 'but every plan carries what is held');

-- Packs of meters --------------------------------------------------------------------------
CALL app(5, 'offers');
INSERT INTO im_order (app_id, order_id, at, action, item, option, quantity) VALUES (5, 1, at8('2023-01-31 23:59'), 'buy', 'pack', 'sms_1k', 3),
	(5, 2, at8('2023-01-31 12:00'), 'buy', 'pack', 'sms_5k', 1), (5, 3, at8('2023-01-30'), 'buy', 'moderation_pack', 'month', 1);
SELECT bill_is(5, '2023-01', ARRAY[
	'moderation_pack:month | [2023-01-30,2023-02-28) | 2023-01-30 | 1 0 1 1 1050 1050',
	'pack:sms_1k | [2023-01-31,2024-01-31) | 2023-01-31 | 3 0 3 3 45 135',
	'pack:sms_5k | [2023-01-31,2023-02-28) | 2023-01-31 | 1 0 1 1 200 200'],
	'packs are due on their day, without a plan too, for their own months');
SELECT results_eq($$SELECT fact, quantity, amount FROM im_explain(5, '2023-01', 2) WHERE fact IN ('price', 'content', 'amount')$$,
	$$VALUES ('price', NULL::numeric, 45::numeric), ('content', 3000, NULL), ('amount', 3, 135)$$, 'explained by price and content');
SELECT matches(im_bill_html(5, '2023-01', 'zh'), '购买 3 个资源包', 'in Chinese');
CALL settle();
SELECT refused($$CALL buy(5, 4, '2023-02-01', 'pack', 'sms_9k', NULL)$$, 'there is no pack "sms_9k"', 'an unknown pack');
SELECT refused($$CALL buy(5, 4, '2023-02-01', 'pack', 'sms_1k', 3)$$, 'months 3', 'other months');
SELECT accepted($$CALL buy(5, 4, '2023-02-01', 'pack', 'sms_1k', 12, 1, 5)$$, 'its own, at an agreed price');
SELECT refused($$CALL buy(5, 4, '2023-02-01', 'pack', 'sms_1k', NULL, 0)$$, 'quantity 0', 'none');
SELECT refused($$CALL refund(5, 4, '2023-02-01', 1)$$, 'order 1 cannot be refunded', 'no refund');
SELECT accepted($$INSERT INTO im_order (app_id, order_id, at, action, item, refunds) VALUES (5, 4, at8('2023-02-01'), 'void', '', 1)$$, 'but a void');
SELECT is((SELECT string_agg(n(amount), ' ') FROM im_quote(offers()::im_rate_card, 'pro', 1, 0, 0, '{"pack": {"option": "sms_1k", "quantity": 2}}', 0) WHERE item = 'pack'), '90', 'a quote of packs');
SELECT fails_with($$SELECT im_quote(offers()::im_rate_card, 'pro', 1, 0, 0, '{"pack": "sms_9k"}', 0)$$, '22023', 'does not sell a pack "sms_9k"', 'not of unknown ones');
-- A card of before may have an add-on of that name.
CALL offers_card('old', jsonb_set(cn(), '{addons,pack}', '{"charge": "prepaid", "prices": {"pro": {"x": "7"}}}'));
CALL app(6, 'old');
CALL buy(6, 1, '2023-01-01', 'plan', 'pro', 1);
CALL buy(6, 2, '2023-01-01', 'pack', 'x', 2);
SELECT lines_are(6, '2023-01', 'pack', ARRAY['pack:x | [2023-01-01,2023-03-01) | 2023-01-01 | 2 0 2 2 7 14'], 'an add-on named pack stays one');
SELECT refused($$CALL buy(6, 3, '2023-01-01', 'pack', 'x', 1, 2)$$, 'quantity 2', 'and is bought by the month');
SELECT accepted($$CALL refund(6, 3, '2023-01-02', 2)$$, 'and refunded');

-- Moderation by plan ---------------------------------------------------------------------
CALL app(7, 'offers');
CALL turn(7, 1, '2023-01-01', 'on', 'moderation');
CALL pack(7, 2, '2023-01-01', 'month');
CALL buy(7, 3, '2023-01-10', 'plan', 'pro', 1);
CALL daily(7, '2023-01-09', texts => 100);
CALL daily(7, '2023-01-10', texts => 30);
SELECT lines_are(7, '2023-01', 'moderation', ARRAY['moderation: | [2023-01-01,2023-02-01) | 2023-02-01 | 30 30 0 0 0.001 0'],
	'on a plan outside the list the switch counts as off');
SELECT results_eq($$SELECT day, kind, quantity, reason FROM im_unbilled_usage('2023-01') WHERE app_id = 7$$,
	$$VALUES ('2023-01-09'::date, 'text', 100::numeric, 'switched off')$$, 'and its usage is nobody''s');
SELECT results_eq($$SELECT day, service FROM im_moderation_statement(7, '2023-01') WHERE day IN ('2023-01-09', '2023-01-10')$$,
	$$VALUES ('2023-01-09'::date, 'off'), ('2023-01-10', 'on')$$, 'the statement says so');
SELECT matches((SELECT string_agg(problem, ' ') FROM im_check('2023-01') WHERE app_id = 7), 'switched off: on 9 days, the first 2023-01-01, the last 2023-01-09', 'im_check() tells of the packs');
SELECT results_eq($$SELECT possible, reason FROM im_cheapest_plan(7, '2023-01') WHERE plan = 'trial'$$,
	$$VALUES (false, 'moderation is not offered on it')$$, 'the free plan would not carry the month');
SELECT fails_with($$SELECT im_quote(offers()::im_rate_card, 'trial', 1, 0, 0, '{}', 10)$$, '22023', 'does not offer moderation on plan "trial"', 'nor is it quoted');
SELECT fails_with($$SELECT im_quote(offers()::im_rate_card, 'group', 1, 0, 0, '["moderation"]', 0)$$, '22023', 'does not offer moderation on plan "group"', 'nor its switch');

SELECT * FROM finish();
