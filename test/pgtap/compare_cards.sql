-- im_compare_cards(): all apps under two price lists. If this failed, a price
-- change would be decided on wrong figures, or one odd app would stop the rest.
BEGIN;
\ir include/setup.sql

CREATE FUNCTION compared(month text, a im_rate_card, b im_rate_card) RETURNS text LANGUAGE sql
BEGIN ATOMIC
	SELECT string_agg(concat_ws(' ', c.app_id, n(c.total_a), c.currency_a, n(c.total_b), c.currency_b,
		n(c.difference), c.moved, '(' || c.reason || ')'), E'\n' ORDER BY c.app_id)
	FROM im_compare_cards(month::im_month, a, b) c;
END;
CREATE FUNCTION c19() RETURNS im_rate_card LANGUAGE sql RETURN im_bundled_card('cn', '2019-12-10');
CREATE FUNCTION with_price(path text[], price text) RETURNS im_rate_card LANGUAGE sql
RETURN jsonb_set(cn(), path, to_jsonb(price))::im_rate_card;

CALL app(1);
CALL buy(1, 1, '2023-03-01', 'plan', 'pro');
CALL daily(1, '2023-03-10', 25000, 550000);
CALL app(2);
CALL buy(2, 1, '2023-03-01', 'plan', 'flagship');
CALL buy(2, 2, '2023-03-01', 'call', 'basic');
CALL daily(2, '2023-03-10', 10001);
CALL app(3);	-- nothing to bill
CALL app(4);
CALL daily(4, '2023-03-10', audio => 1000);
CALL settle();
SELECT is(compared('2023-03', c19(), im_bundled_card('cn', '2024-01-01')),
	E'1 7999 CNY 8499 CNY 500 {"plan": 500.00}\n2 4499 CNY 4499 CNY 0 {}\n4 7 CNY 7 CNY 0 {}', 'pro for 1499: 500 more for who bought it');
SELECT is(compared('2023-03', c19(), c19()), E'1 7999 CNY 7999 CNY 0 {}\n2 4499 CNY 4499 CNY 0 {}\n4 7 CNY 7 CNY 0 {}', 'a card against itself');
SELECT is(compared('2023-03', c19(), with_price('{plans,pro,dau,block}', '5000')),
	E'1 7999 CNY 8999 CNY 1000 {"dau_overage": 1000.00}\n2 4499 CNY 4499 CNY 0 {}\n4 7 CNY 7 CNY 0 {}', 'smaller blocks: 3 of 5000 and not 2 of 10000');
SELECT is(compared('2023-03', with_price('{plans,pro,price}', '0.005'), with_price('{plans,pro,price}', '0.004')),
	E'1 7000.01 CNY 7000 CNY -0.01 {"plan": -0.001}\n2 4499 CNY 4499 CNY 0 {}\n4 7 CNY 7 CNY 0 {}', 'totals are rounded, what moved is not');
-- What a card lacks: a reason, and the others all the same
SELECT is(compared('2023-03', c19(), (cn() #- '{addons,call}')::im_rate_card),
	E'1 7999 CNY 7999 CNY 0 {}\n2 4499 CNY - CNY - {"call": null} (Under b: Not sold on this rate card: call basic, bought for 2023-03-01 through 2023-03-31.)\n4 7 CNY 7 CNY 0 {}',
	'an add-on that the second does not sell');
SELECT is(compared('2023-03', (cn() #- '{addons,call}')::im_rate_card, (cn() #- '{call_minutes}')::im_rate_card),
	E'1 7999 CNY 7999 CNY 0 {}\n2 - CNY 4499 CNY - {"call": null} (Under a: Not sold on this rate card: call basic, bought for 2023-03-01 through 2023-03-31.)\n4 7 CNY 0 CNY -7 {"call_minutes": -7.00}',
	'or the first; and an item that is there only once');
SELECT is(compared('2023-03', c19(), jsonb_set(cn(), '{currency}', '"USD"')::im_rate_card),
	E'1 7999 CNY 7999 USD - (CNY and USD cannot be compared.)\n2 4499 CNY 4499 USD - (CNY and USD cannot be compared.)\n4 7 CNY 7 USD - (CNY and USD cannot be compared.)',
	'two currencies');
-- An app that cannot be billed under one: users of the month are not known.
SELECT is(compared('2023-03', c19(), jsonb_set(cn() #- '{plans,pro,dau}', '{plans,pro,mau}', '{"included": 0, "block": 1, "price": 1}')::im_rate_card),
	E'1 7999 CNY - - (Under b: the users of app 1 on 2023-03-10 are null)\n2 4499 CNY 4499 CNY 0 {}\n4 7 CNY 7 CNY 0 {}', 'months of users asked of daily counts');
-- Orders that break the rules of the one card
CALL card('rude', '2020-01-01', jsonb_set(cn(), '{plans,gold}', '{"rank": 3, "price": 5}'));
CALL app(5, 'rude');
CALL buy(5, 1, '2023-03-01', 'plan', 'gold');
CALL settle();
SELECT is(compared('2023-03', c19(), jsonb_set(cn(), '{plans,gold}', '{"rank": 3, "price": 7}')::im_rate_card),
	E'1 7999 CNY 7999 CNY 0 {}\n2 4499 CNY 4499 CNY 0 {}\n4 7 CNY 7 CNY 0 {}\n'
	'5 - CNY 7 CNY - {"plan": null} (Under a: Not sold on this rate card: plan gold, bought for 2023-03-01 through 2023-03-31.)', 'a plan of another card');

-- Days are cut in the zone of each card: 16:30 in UTC is the 11th in Shanghai, the 10th in New York.
CALL app(6);
CALL buy(6, 1, '2023-02-20', 'plan', 'pro', 3);
INSERT INTO im_login (app_id, user_id, at)
SELECT 6, n, timestamptz '2023-03-31 17:00+00' FROM generate_series(1, 10001) n;
CALL settle();
SELECT is((SELECT concat_ws(' ', n(c.total_a), n(c.total_b), c.moved) FROM im_compare_cards('2023-03', c19(), with_price('{time_zone}', 'America/New_York')) c
	WHERE c.app_id = 6), '0 1000 {"dau_overage": 1000.00}', 'the last evening of March in New York is April in Shanghai');

-- A meter that one card bills and the other does not know: not billed there, which is said
CREATE FUNCTION with_sms(price text) RETURNS jsonb LANGUAGE sql
RETURN jsonb_set(cn(), '{plans,pro,usage}', jsonb_build_object('sms', jsonb_build_object('price', price)))
	|| '{"meters": {"sms": {"day": "sum", "month": "sum"}}}';
CALL card('texting', '2020-01-01', with_sms('0.5'));
CALL app(7, 'texting');
CALL app(8, 'texting');
CALL buy(7, 1, '2023-03-01', 'plan', 'pro');
CALL buy(8, 1, '2023-03-01', 'plan', 'pro');
CALL settle();
INSERT INTO im_event (app_id, meter, at, quantity) VALUES (7, 'sms', at8('2023-03-10 10:00'), 80);
CREATE FUNCTION of_sms(a im_rate_card, b im_rate_card) RETURNS text LANGUAGE sql
BEGIN ATOMIC
	SELECT string_agg(concat_ws(' ', c.app_id, n(c.total_b - c.total_a), n(c.difference), c.moved, '(' || c.reason || ')'), E'\n' ORDER BY c.app_id)
	FROM im_compare_cards('2023-03', a, b) c
	WHERE c.app_id IN (7, 8);
END;
SELECT is(of_sms(with_sms('0.5')::im_rate_card, c19()), E'7 -40 -40 {"sms": -40.00} (Under b: It has no meter sms, so that is not billed.)\n8 0 0 {}', 'a meter that the second lacks');
SELECT is(of_sms(c19(), with_sms('0.5')::im_rate_card), E'7 40 40 {"sms": 40.00} (Under a: It has no meter sms, so that is not billed.)\n8 0 0 {}', 'or the first');
SELECT is(of_sms(with_sms('0.5')::im_rate_card, with_sms('0')::im_rate_card), E'7 -40 -40 {"sms": -40.00}\n8 0 0 {}', 'free is not lacking');
SELECT is(of_sms(c19(), c19()), E'7 0 0 {}\n8 0 0 {}', 'what neither knows moves nothing');

-- A raw row that cannot be metered stops it as it stops the bills.
CALL chk(1, '2023-03-05 12:00', 'smell');
SELECT fails_with($$SELECT * FROM im_compare_cards('2023-03', im_test.c19(), im_test.c19())$$, '22023', '1 app.*im_check', 'an unknown kind of check');
SELECT is((SELECT count(*) FROM im_compare_cards('2023-04', NULL, c19())), 0::bigint, 'null in, nothing out');
SELECT is(im_internal.im_items_moved('{"a": 1, "b": 2, "c": null, "d": 0}', '{"a": 1, "b": 5, "c": 3, "e": 4}'), '{"b": 3, "c": null, "e": 4}', 'items moved');

SELECT * FROM finish();
ROLLBACK;
