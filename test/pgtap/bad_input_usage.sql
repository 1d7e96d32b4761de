-- Bad input to what R12, R13 and R14 add, table-driven: cards, events, daily figures, charges, orders.  A clear
-- error that names what is wrong, never a wrong digit, and nothing that others have is lost.
BEGIN;
\ir include/setup.sql

-- A card with every key that the second round adds.
CREATE FUNCTION whole() RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
	SELECT '{"currency": "EUR", "scale": 2, "time_zone": "Asia/Shanghai", "grace_days": 7,
		"meters": {"sms": {"day": "sum", "month": "sum"}, "seats": {"day": "max", "month": "max"}, "gb": {"day": "average", "month": "average"},
			"disk": {"day": "last", "month": "last"}, "push": {"day": "unique", "month": "unique"}, "chars": {"day": "sum", "month": "sum"}},
		"plans": {"free": {"rank": 0, "price": "0", "limits": {"members": 20, "community": false}},
			"start": {"rank": 1, "price": "499", "prices": {"12": "4788"},
				"usage": {"sms": {"included": 100, "block": 10, "price": "20", "round": "up", "minimum": "1", "maximum": "1000000"},
					"seats": {"included": {"share": "0.05", "of": "sms"}, "price": "1"}, "push": {"price": 1}, "disk": {"price": 1},
					"gb": {"mode": "graduated", "tiers": [{"to": "50", "price": "5"}, {"to": "100", "flat": "4"}, {"block": 10, "price": "3.5"}]},
					"dau": {"mode": "volume", "tiers": [{"to": 2000, "flat": "300"}, {"flat": "500", "excess": true, "block": 10000, "price": "100"}]}},
				"limits": {"members": 200, "community": true, "live_groups": null}}},
		"addons": {"translation": {"charge": "postpaid", "prices": {"start": {"": "500"}}, "usage": {"chars": {"included": 2000000, "price": "0.00027"}},
				"limits": {"start": {"members": 300}}},
			"call": {"charge": "prepaid", "prices": {"start": {"basic": "5", "premium": "9"}}, "renew_only": ["premium"]}},
		"packs": {"sms_1k": {"meter": "sms", "holds": "1000", "price": "45", "months": 12, "priority": 10}},
		"moderation": {"price": "0.001", "coefficients": {"text": "1"}, "packs": {}, "plans": ["start"]}}'::jsonb $$;
SELECT is(whole()::im_rate_card::jsonb, whole(), 'the card is one, and comes out as it went in');

-- Cards: one element replaced, or removed where new is NULL; the error is 22023 and names the element.
CREATE TEMP TABLE card_case (n serial, path text[], new jsonb, place text);
INSERT INTO card_case (path, new, place) VALUES
	('{meters}', '"sms"', 'meters'), ('{meters}', 'null', 'meters'), ('{meters,sms}', '"sum"', 'meters\.sms'), ('{meters,sms}', '[]', 'meters\.sms'),
	('{meters,sms,day}', '"SUM"', 'meters\.sms\.day'), ('{meters,sms,day}', 'null', 'meters\.sms\.day'), ('{meters,sms,month}', '""', 'meters\.sms\.month'),
	('{meters,seats,month}', '"unique"', 'meters\.seats\.month'), ('{meters,""}', '{"day": "sum", "month": "sum"}', 'meters\.'),
	('{meters,call}', '{"day": "sum", "month": "sum"}', 'meters\.call'), ('{meters,pack}', '{"day": "sum", "month": "sum"}', 'meters\.pack'),
	('{meters,plan}', '{"day": "sum", "month": "sum"}', 'meters\.plan'), ('{meters,charge}', '{"day": "sum", "month": "sum"}', 'meters\.charge'),
	('{meters,dau_overage}', '{"day": "sum", "month": "sum"}', 'meters\.dau_overage'), ('{meters,moderation}', '{"day": "sum", "month": "sum"}', 'meters\.moderation'),
	('{meters,a234567890123456789012345678901234567890123456789012345678901234}', '{"day": "sum", "month": "sum"}', 'meters\.a23'),
	('{meters,sms}', NULL, 'sms'), ('{meters,push}', NULL, 'push'),
	('{plans,start,usage}', 'null', 'plans\.start\.usage'), ('{plans,start,usage,sms}', 'null', 'usage\.sms'), ('{plans,start,usage,sms}', '"20"', 'usage\.sms'),
	('{plans,start,usage,sms}', '[{"price": 1}]', 'usage\.sms'), ('{plans,start,usage,sms,block}', '"ten"', 'usage\.sms\.block'),
	('{plans,start,usage,sms,block}', '-10', 'usage\.sms\.block'), ('{plans,start,usage,sms,block}', 'null', 'usage\.sms\.block'),
	('{plans,start,usage,sms,included}', '-1', 'usage\.sms\.included'), ('{plans,start,usage,sms,included}', 'null', 'usage\.sms\.included'),
	('{plans,start,usage,sms,included}', '0.000000001', 'usage\.sms\.included'), ('{plans,start,usage,sms,round}', '"UP"', 'usage\.sms\.round'),
	('{plans,start,usage,sms,round}', 'null', 'usage\.sms\.round'), ('{plans,start,usage,sms,minimum}', '"x"', 'usage\.sms\.minimum'),
	('{plans,start,usage,sms,minimum}', '1000001', 'usage\.sms\.maximum'), ('{plans,start,usage,sms,maximum}', '-1', 'usage\.sms\.maximum'),
	('{plans,start,usage,sms,price}', '"1e13"', 'usage\.sms\.price'), ('{plans,start,usage,sms,tiers}', '[{"price": 1}]', 'usage\.sms\.'),
	('{plans,start,usage,seats,included,share}', '"NaN"', 'included\.share'), ('{plans,start,usage,seats,included,share}', '-0.05', 'included\.share'),
	('{plans,start,usage,seats,included,of}', '"chairs"', 'included\.of'), ('{plans,start,usage,seats,included}', '{}', 'included\.share'),
	('{plans,start,usage,gb,tiers}', 'null', 'usage\.gb\.tiers'), ('{plans,start,usage,gb,tiers,0,to}', NULL, 'usage\.gb\.tiers\[0\]\.to'),
	('{plans,start,usage,gb,tiers,0,to}', '100', 'usage\.gb\.tiers\[1\]\.to'), ('{plans,start,usage,gb,tiers,2,to}', '500', 'usage\.gb\.tiers\[2\]\.to'),
	('{plans,start,usage,gb,tiers,0,price}', '"0.123456789"', 'usage\.gb\.tiers\[0\]\.price'), ('{plans,start,usage,gb,tiers,1,flat}', '-4', 'usage\.gb\.tiers\[1\]\.flat'),
	('{plans,start,usage,gb,tiers,2,block}', '0', 'usage\.gb\.tiers\[2\]\.block'), ('{plans,start,usage,gb,tiers,2,excess}', 'true', 'usage\.gb\.tiers\[2\]\.excess'),
	('{plans,start,usage,gb,tiers,1,until}', '5', 'usage\.gb\.tiers\[1\]\.until'), ('{plans,start,usage,dau,tiers,1,excess}', '1', 'usage\.dau\.tiers\[1\]\.excess'),
	('{plans,start,usage,dau,mode}', '5', 'usage\.dau\.mode'), ('{plans,start,usage,gb,block}', '5', 'usage\.gb\.block'),
	('{plans,start,prices}', 'null', 'plans\.start\.prices'), ('{plans,start,prices,12}', 'true', 'plans\.start\.prices\.12'),
	('{plans,start,prices,12}', '"1e13"', 'plans\.start\.prices\.12'), ('{plans,start,prices," 12"}', '1', 'plans\.start\.prices\. 12'),
	('{plans,free,prices}', '{"1": 0}', 'plans\.free\.prices'), ('{plans,free,dau}', '{"included": 1, "block": 1, "price": 1}', 'plans\.free'),
	('{plans,start,limits,members}', '"true"', 'limits\.members'), ('{plans,start,limits,members}', 'true', 'limits\.members'),
	('{plans,start,limits,community}', '5', 'limits\.community'), ('{plans,start,limits,members}', '"NaN"', 'limits\.members'),
	('{addons,translation,limits}', 'null', 'translation\.limits'), ('{addons,translation,limits,start,members}', '"many"', 'limits\.start\.members'),
	('{addons,translation,usage}', 'null', 'translation\.usage'), ('{addons,translation,usage,sms}', '{"price": 1}', 'translation\.usage\.sms'),
	('{addons,translation,usage,chars,included}', '"all"', 'usage\.chars\.included'), ('{addons,translation,renew_only}', '["gold"]', 'translation\.renew_only'),
	('{addons,call,renew_only}', 'null', 'call\.renew_only'), ('{addons,call,renew_only}', '"premium"', 'call\.renew_only'), ('{addons,call,renew_only}', '[""]', 'call\.renew_only\[0\]'),
	('{packs,sms_1k}', 'null', 'packs\.sms_1k'), ('{packs,sms_1k,meter}', '5', 'packs\.sms_1k\.meter'), ('{packs,sms_1k,meter}', '"gb"', 'packs\.sms_1k\.meter'),
	('{packs,sms_1k,holds}', '"NaN"', 'packs\.sms_1k\.holds'), ('{packs,sms_1k,holds}', '0.000000001', 'packs\.sms_1k\.holds'),
	('{packs,sms_1k,holds}', '1e30', 'packs\.sms_1k\.holds'), ('{packs,sms_1k,price}', '-45', 'packs\.sms_1k\.price'), ('{packs,sms_1k,months}', '1201', 'packs\.sms_1k\.months'),
	('{packs,sms_1k,priority}', '1.5', 'packs\.sms_1k\.priority'), ('{packs,sms_1k,priority}', 'null', 'packs\.sms_1k\.priority'), ('{packs,""}', '{"meter": "sms", "holds": 1, "price": 1, "months": 1}', 'packs\.'),
	('{moderation,plans}', '{}', 'moderation\.plans'), ('{moderation,plans}', 'null', 'moderation\.plans'), ('{moderation,plans}', '[{}]', 'moderation\.plans\[0\]'), ('{moderation,plans}', '["gold"]', 'moderation\.plans\[0\]');
SELECT fails_with(format('SELECT %L::im_rate_card', CASE WHEN new IS NULL THEN whole() #- path ELSE jsonb_set(whole(), path, new) END), '22023', place,
	format('card: %s = %s', path, coalesce(left(new::text, 40), 'nothing')))
FROM card_case ORDER BY n;

-- Everything else: state and said are patterns.
CALL card('whole', '2023-01-01', whole());
CALL app(1, 'whole'); CALL app(2, 'whole'); CALL app(3, 'whole');
CALL buy(1, 1, '2023-03-01', 'plan', 'start'); CALL buy(2, 1, '2023-03-01', 'plan', 'start');
INSERT INTO im_event VALUES (2, 'sms', at8('2023-03-05 10:00'), 105, NULL);
CALL settle();
CREATE TEMP TABLE before AS SELECT * FROM im_monthly_bill(2, '2023-03');
CREATE TEMP TABLE bad (n serial, what text, sql text, state text, said text);
INSERT INTO bad (what, sql, state, said)
SELECT format('event: %s of %s, subject %s', quantity, meter, coalesce(subject, 'NULL')), format('INSERT INTO im_event VALUES (1, %L, im_test.at8(''2023-03-05 10:00''), %L, %L); SELECT * FROM im_monthly_bill(1, ''2023-03'')', meter, quantity, subject),
	state, said || '.*im_event, app 1, meter "' || meter || '"'
FROM (VALUES ('sms', 'NaN', NULL, '22023', 'NaN is not finite'), ('sms', 'Infinity', NULL, '22023', 'not finite'), ('sms', '-Infinity', NULL, '22023', ''),
	('gb', 'NaN', NULL, '22023', 'NaN'), ('disk', 'Infinity', NULL, '22023', 'not finite'), ('sms', '-1', NULL, '22023', '-1 is negative'),
	('seats', '-0.5', NULL, '22023', 'is negative'), ('gb', '-1', NULL, '22023', 'is negative'), ('disk', '-1', NULL, '22023', 'is negative'),
	('sms', '0.123456789', NULL, '22023', 'more than 8 decimal places'), ('gb', '1.000000001', NULL, '22023', 'more than 8 decimal places'),
	('sms', '1e31', NULL, '22023', 'too large'), ('push', '1', NULL, '22023', 'subject missing')) v(meter, quantity, subject, state, said);
INSERT INTO bad (what, sql, state, said) VALUES
	('event: without a quantity', $$INSERT INTO im_event VALUES (1, 'sms', now(), NULL)$$, '23502', 'quantity'),
	('event: without an instant', $$INSERT INTO im_event VALUES (1, 'sms', NULL, 1)$$, '23502', '"at"'),
	('event: without a meter', $$INSERT INTO im_event VALUES (1, NULL, now(), 1)$$, '23502', 'meter'),
	('event: without an app', $$INSERT INTO im_event VALUES (NULL, 'sms', now(), 1)$$, '23502', 'app_id'),
	('event: a word for a quantity', $$INSERT INTO im_event VALUES (1, 'sms', now(), 'many')$$, '22P02', 'many'),
	('events: a sum past range', $$INSERT INTO im_event SELECT 1, 'sms', im_test.at8('2023-03-05 10:00'), 9e29 FROM generate_series(1, 3); SELECT * FROM im_monthly_bill(1, '2023-03')$$, '22003', ''),
	('figure: NaN', $$INSERT INTO im_meter_daily VALUES (1, '2023-03-05', 'sms', 'NaN'); SELECT * FROM im_monthly_bill(1, '2023-03')$$, '22023', 'NaN is not finite.*im_meter_daily, app 1, meter "sms", day 2023-03-05'),
	('figure: negative', $$INSERT INTO im_meter_daily VALUES (1, '2023-03-05', 'gb', -1); SELECT * FROM im_monthly_bill(1, '2023-03')$$, '22023', 'negative.*im_meter_daily, app 1, meter "gb"'),
	('figure: users of a month as a number', $$INSERT INTO im_meter_daily VALUES (1, '2023-03-05', 'push', 3); SELECT * FROM im_monthly_bill(1, '2023-03')$$, '22023', 'subjects of meter "push" of app 1 on 2023-03-05'),
	('figure: twice a day', $$INSERT INTO im_meter_daily VALUES (1, '2023-03-05', 'sms', 1), (1, '2023-03-05', 'sms', 2)$$, '23505', 'im_meter_daily'),
	('figure: dau', $$INSERT INTO im_meter_daily VALUES (1, '2023-03-05', 'dau', 1)$$, '23514', 'im_meter_daily'),
	('charge: a product past range', $$SELECT im_charge_amount('{"price": "999999999999"}', 1e20)$$, '22003', ''),
	('charge: a sum of tiers past range', $$SELECT im_charge_amount('{"mode": "graduated", "tiers": [{"to": 1e11, "price": "999999999999"}, {"price": "999999999999"}]}', 1e25)$$, '22003', ''),
	('charge: a quantity past range', $$SELECT im_charge_amount('{"price": 1}', 1e31)$$, '22003', 'too large'),
	('charge: a quantity of 9 places', $$SELECT im_charge_lines('{"price": 1}', 0.123456789)$$, '22003', 'decimal places'),
	('charge: a share without what it is of', $$SELECT im_charge_lines('{"included": {"share": 1, "of": "mau"}, "price": 1}', 1)$$, '22023', 'mau'),
	('charge: a share of NaN', $$SELECT im_charge_amount('{"included": {"share": 1, "of": "mau"}, "price": 1}', 1, 'NaN')$$, '22023', 'finite'),
	('fee: an unknown meter', $$SELECT im_usage_fee(im_test.whole()::im_rate_card, 'start', 'stickers', 1)$$, '22023', 'stickers'),
	('fee: an unknown plan', $$SELECT im_usage_fee(im_test.whole()::im_rate_card, 'gold', 'sms', 1)$$, '22023', 'gold'),
	('fee: a negative quantity', $$SELECT im_usage_fee(im_test.whole()::im_rate_card, 'start', 'sms', -1)$$, '22023', '-1'),
	('order: an unknown pack', $$CALL im_test.buy(1, 9, '2023-03-05', 'pack', 'sms_9k', NULL)$$, '23514', 'sms_9k'),
	('order: a pack for months', $$CALL im_test.buy(1, 9, '2023-03-05', 'pack', 'sms_1k', 2)$$, '23514', ''),
	('order: no packs', $$CALL im_test.buy(1, 9, '2023-03-05', 'pack', 'sms_1k', NULL, 0)$$, '23514', ''),
	('order: a pack switched on', $$CALL im_test.turn(1, 9, '2023-03-05', 'on', 'pack', 'sms_1k')$$, '23514', ''),
	('order: a meter', $$CALL im_test.buy(1, 9, '2023-03-05', 'sms', '', 1)$$, '23514', 'sms'),
	('order: for renewal only', $$CALL im_test.buy(1, 9, '2023-03-05', 'call', 'premium', 1)$$, '23514', 'premium'),
	('limit: of no such app', $$SELECT im_limit(99, 'members')$$, 'P0002', '99'),
	('limit: at no instant', $$SELECT im_limit(1, 'members', 'infinity')$$, '22\w{3}', ''),
	('daily charges: days in the wrong order', $$SELECT im_daily_charges(1, '2023-03-02'::date, '2023-03-01'::date)$$, '22023', 'before first day'),
	('daily charges: of no day', $$SELECT im_daily_charges('infinity'::date)$$, '22\w{3}', ''),
	('card by name: no such', $$SELECT im_card('mars', '2023-03-05')$$, 'P0002', 'mars'),
	('card by name: before its first version', $$SELECT im_card('whole', '2022-12-31')$$, 'P0002', 'Its first version takes effect on 2023-01-01');
SELECT fails_with(sql, state, said, what) FROM bad ORDER BY n;
SELECT cmp_ok((SELECT count(*) FROM card_case) + (SELECT count(*) FROM bad), '>=', 60::bigint, '60 cases at least');

-- What is wrong of one app is told, and costs others nothing
INSERT INTO im_event VALUES (3, 'stickers', at8('2023-03-05 10:00'), 7, NULL);
SELECT results_eq($$SELECT kind, n(quantity), reason FROM im_unbilled_usage('2023-03') WHERE app_id = 3$$,
	$$VALUES ('stickers', '1', 'not priced by the card')$$, 'events of a meter that no card knows fail nothing: counted, unbilled');
INSERT INTO im_event VALUES (1, 'sms', at8('2023-03-05 10:00'), 'NaN', NULL);
SELECT results_eq($$SELECT * FROM im_monthly_bill(2, '2023-03')$$, 'TABLE before', 'the bill of another app');
SET LOCAL client_min_messages = error;
SELECT set_eq($$SELECT * FROM im_monthly_bills('2023-03', true) WHERE app_id <> 3$$, 'TABLE before', 'and with the bad one left out');
SELECT fails_with($$SELECT * FROM im_monthly_bills('2023-03')$$, '22023', '1 app|app 1', 'which is not passed over unasked');
SELECT results_eq($$SELECT app_id, substring(problem FROM 'stickers|not finite') FROM im_check('2023-03') ORDER BY 1$$,
	$$VALUES (1::bigint, 'not finite'), (3, 'stickers')$$, 'im_check() tells both');

SELECT * FROM finish();
ROLLBACK;
