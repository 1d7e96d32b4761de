-- im_explain(app_id, month, line): the facts behind each kind of line, as text and as numbers that were
-- worked out by hand.  That facts add up over random histories is tested in test/t/131_explain_adds_up.pl.
BEGIN;
\ir include/setup.sql

-- fact day quantity amount, of the facts named or of all.
CREATE FUNCTION facts(app bigint, month text, line int, of text[] DEFAULT NULL) RETURNS text LANGUAGE sql
BEGIN ATOMIC
	SELECT string_agg(concat_ws(' ', e.fact, to_char(e.day, 'MM-DD'), n(e.quantity), n(e.amount)), ', ' ORDER BY e.ordinal)
	FROM im_explain(app, month::im_month, line) e
	WHERE of IS NULL OR e.fact = ANY (of);
END;
CREATE FUNCTION line_of(app bigint, month text, item text, option text DEFAULT NULL) RETURNS int LANGUAGE sql
BEGIN ATOMIC
	SELECT min(b.line) FROM im_monthly_bill(app, month::im_month) b
	WHERE b.item = line_of.item AND (line_of.option IS NULL OR b.option = line_of.option);
END;
CREATE FUNCTION notes(app bigint, month text, line int, fact text) RETURNS text LANGUAGE sql
BEGIN ATOMIC
	SELECT string_agg(e.note, E'\n' ORDER BY e.ordinal) FROM im_explain(app, month::im_month, line) e WHERE e.fact = notes.fact;
END;

-- A plan: the order, the version, the price and who published it, the term
CALL app(1);
CALL buy(1, 7, '2023-03-10', 'plan', 'pro', 2);
CALL buy(1, 8, '2023-03-20', 'plan', 'pro', 1, 1, 900);
SELECT is(facts(1, '2023-03', 1), 'line 03-10 2 1998, order 03-10 2 -, card version 12-10 - -, price - 999, term 03-10 61 -, amount 2 1998',
	'a plan: months x price');
SELECT is(facts(1, '2023-03', 2), 'line 03-20 1 900, order 03-20 1 900, card version 12-10 - -, price - 999, '
	'agreed price 03-20 - 900, term 05-10 31 -, amount 1 900', 'an agreed price stands instead of the card''s');
SELECT is(notes(1, '2023-03', 2, 'term'), '1 month from the end of the term of order 7: 2023-05-10 through 2023-06-09.',
	'a renewal continues the term before');
SELECT is((SELECT source FROM im_explain(1, '2023-03', 2) WHERE fact = 'term'), 'public.im_order WHERE app_id = 1 AND order_id = 7',
	'which is the order that is meant');
SELECT is((SELECT source || ' ' || (detail ->> 'path') FROM im_explain(1, '2023-03', 1) WHERE fact = 'price'),
	'public.im_rate_card_version WHERE rate_card = ''cn'' AND effective_from = ''2019-12-10'' ["plans", "pro", "price"]',
	'the price is an element of a version');
SELECT matches((SELECT detail ->> 'published' FROM im_explain(1, '2023-03', 1) WHERE fact = 'price'),
	'^price page .* https://cloud.tencent.com/document/product/269/81908$', 'that stands on the price page');

-- Where a price was published
SELECT is(im_internal.im_price_reference('cn', '2024-01-01', '{plans,pro,price}'), 'public documents of the vendor, as bundled',
	'the price of 2024 is not on that page');
SELECT matches(im_internal.im_price_reference('cn', '2024-01-01', '{plans,flagship,price}'), '^price page', 'others of that version are');
SELECT is(im_internal.im_price_reference('cn', '2019-12-10', '{plans,pro,dau,included}'), 'public documents of the vendor, as bundled', 'quotas are not');
SELECT is(im_internal.im_price_reference('intl', '2022-12-26', '{plans,standard,price}'), 'public documents of the vendor, as bundled', 'nor other cards');
CALL card('mine', '2020-01-01', cn());
SELECT is(im_internal.im_price_reference('mine', '2020-01-01', '{plans,pro,price}'), 'the owner''s price list', 'an own price list is the owner''s');
UPDATE im_rate_card_version SET terms = jsonb_set(terms, '{plans,flagship,price}', '"3000"') WHERE rate_card = 'overseas';
SELECT is(im_internal.im_price_reference('overseas', '2019-12-10', '{plans,flagship,price}'), 'the owner''s price list', 'so is a bundled price that was edited');
SELECT is(im_internal.im_price_reference('overseas', '2019-12-10', '{plans,pro,price}'), 'public documents of the vendor, as bundled', 'the others stay as bundled');

-- Upgrade (R8): 2000 x 244 / (365/12)
CALL app(2);
CALL buy(2, 1, '2023-11-11', 'plan', 'pro', 9);
CALL upgrade(2, 2, '2023-12-11');
SELECT is(facts(2, '2023-12', 1), 'line 12-11 244 16043.84, order 12-11 - -, card version 12-10 - -, new price - 2999, old price - 999, '
	'remaining days 12-11 244 -, amount 244 16043.84', 'an upgrade: price difference and remaining days');
SELECT is(notes(2, '2023-12', 1, 'amount'), '(2999 - 999) x 244 / (365/12), at least 0, rounded half up to 0.01.', 'and its arithmetic');
CALL app(3);
CALL buy(3, 1, '2023-11-11', 'plan', 'pro', 9);
CALL upgrade(3, 2, '2023-12-11', 'flagship', 100);
SELECT is(notes(3, '2023-12', 1, 'amount'), 'The agreed price.', 'unless a fee was agreed');

-- Refund (R8): 999 x 3 paid, a month used whole and 10 of the next one's 30 days
CALL app(4);
CALL buy(4, 1, '2023-03-10', 'plan', 'pro', 3);
CALL refund(4, 2, '2023-04-19', 1);
SELECT is(facts(4, '2023-04', line_of(4, '2023-04', 'refund'), '{paid,used,amount}'),
	'paid 03-10 - 2997, used 03-10 31 999, used 04-10 10 333, amount 1 -1665', 'a refund: paid less used, month by month');
-- after an upgrade the days cost the new plan's price: 6 months, 184 days of which 24 remain at the upgrade's price
CALL app(5);
CALL buy(5, 1, '2023-01-01', 'plan', 'pro', 2);
CALL upgrade(5, 2, '2023-02-01');
CALL refund(5, 3, '2023-02-14', 1);
SELECT is(facts(5, '2023-02', line_of(5, '2023-02', 'refund'), '{paid,upgrade fee,used,amount}'),
	'paid 01-01 - 1998, upgrade fee 02-01 28 1841.1, used 01-01 31 999, used 02-01 14 1499.5, amount 1 -1340.6',
	'the fee of an upgrade was paid, too, and its days cost the new price');
CALL app(6);
CALL buy(6, 1, '2023-03-10', 'plan', 'pro', 3);
CALL refund(6, 2, '2023-03-14', 1);
SELECT is(facts(6, '2023-03', line_of(6, '2023-03', 'refund'), '{paid,used,amount}'), 'paid 03-10 - 2997, amount 1 -2997', 'everything back');
SELECT is(notes(6, '2023-03', line_of(6, '2023-03', 'refund'), 'amount'),
	'The app''s first refund within 5 days of the purchase: everything comes back.', 'and why');
-- an upgrade of another term on the day of the refund is none of the refunded one's
CALL app(7);
CALL buy(7, 1, '2023-01-01', 'plan', 'pro', 2);
CALL refund(7, 2, '2023-02-14', 1);
CALL buy(7, 3, '2023-02-14', 'plan', 'pro', 1);
CALL upgrade(7, 4, '2023-02-14');
SELECT is(facts(7, '2023-02', line_of(7, '2023-02', 'refund'), '{paid,upgrade fee,used,amount}'),
	'paid 01-01 - 1998, used 01-01 31 999, used 02-01 14 499.5, amount 1 -499.5', 'a later upgrade does not enter a refund');

-- Overage: days that count and days that do not
CALL app(10);
CALL buy(10, 1, '2023-02-01', 'plan', 'pro', 1);
CALL suspend(10, '[2023-02-10,2023-02-12)');
CALL daily(10, '2023-02-05', dau => 25000);
CALL daily(10, '2023-02-10', dau => 90000);
CALL login(10, 'a', '2023-02-06 00:00');
CALL login(10, 'a', '2023-02-06 23:59:59');
SELECT is(facts(10, '2023-02', 2, '{plan,counting days,peak,included,excess,block,started blocks,price,full amount,share,amount}'),
	'plan 02-28 - -, counting days 26 -, peak 02-05 25000 -, included 10000 -, excess 15000 -, block 10000 -, started blocks 2 -, '
	'price - 1000, amount 2 2000', 'overage: peak, quota, blocks, price');
SELECT is((SELECT count(*) || ' ' || sum(quantity) FROM im_explain(10, '2023-02', 2) WHERE fact = 'daily users'), '26 25001', 'the days that count');
SELECT is(facts(10, '2023-02', 2, '{not counted}'), 'not counted 02-10 90000 -, not counted 02-11 0 -', 'suspended days do not');
SELECT is((SELECT note || ' ' || (detail ->> 'because') FROM im_explain(10, '2023-02', 2) WHERE fact = 'not counted' LIMIT 1),
	'The app was suspended on that day. public.im_suspension WHERE app_id = 10 AND days @> date ''2023-02-10''', 'which leads to the suspension');
SELECT is((SELECT note FROM im_explain(10, '2023-02', 2) WHERE fact = 'daily users' AND quantity = 25000), 'The peak.', 'the peak is marked');
SELECT is((SELECT source FROM im_explain(10, '2023-02', 2) WHERE day = '2023-02-05' AND fact = 'daily users'),
	'public.im_usage_daily WHERE app_id = 10 AND day = ''2023-02-05''', 'a figure that was given leads to its row');
SELECT is((SELECT source FROM im_explain(10, '2023-02', 2) WHERE day = '2023-02-06' AND fact = 'daily users'),
	'public.im_login WHERE app_id = 10 AND public.im_day(at, ''Asia/Shanghai'') = ''2023-02-06'''
	' AND at >= ''2023-02-05 00:00+00'' AND at < ''2023-02-08 00:00+00''', 'a metered one to its events');
-- stopped at the end: 1000 x 11 / 31
CALL app(11);
CALL buy(11, 1, '2023-11-05', 'plan', 'pro', 1);
CALL daily(11, '2023-12-09', dau => 10001);
SELECT is(facts(11, '2023-12', 1, '{counting days,full amount,share,amount}'),
	'counting days 11 -, full amount - 1000, share 11 -, amount 1 354.83870968', 'the share of a stopped app');

-- A postpaid add-on
CALL app(12);
CALL buy(12, 1, '2023-03-01', 'plan', 'pro', 1);
CALL turn(12, 2, '2023-03-05', 'on', 'history_storage', '30d');
CALL turn(12, 3, '2023-03-09', 'on', 'history_storage', '90d');
CALL turn(12, 4, '2023-03-19', 'off', 'history_storage');
SELECT is(facts(12, '2023-03', 2, '{switched on,last day on,price,amount}'),
	'switched on 03-05 - -, switched on 03-09 - -, last day on 03-19 - -, price - 1000, amount 1 1000', 'when it was on, and which day decides');
SELECT is(notes(12, '2023-03', 2, 'switched on'), E'history_storage 30d from 2023-03-05 through 2023-03-09.\nhistory_storage 90d from 2023-03-09 through 2023-03-19.',
	'in words');

-- Moderation: packs in their order, the rest
CALL app(13);
CALL turn(13, 1, '2023-03-01', 'on', 'moderation');
CALL pack(13, 2, '2023-03-02', 'month');
CALL pack(13, 3, '2023-03-03', 'month');
CALL turn(13, 4, '2023-03-06', 'off', 'moderation');
CALL daily(13, '2023-03-01', texts => 5);
CALL daily(13, '2023-03-04', texts => 1099999, images => 10, audio_half => 3);
CALL daily(13, '2023-03-05', texts => 2000000);
CALL daily(13, '2023-03-07', texts => 77);
SELECT is(facts(13, '2023-03', line_of(13, '2023-03', 'moderation'), '{deductions,from pack,postpaid,not counted,amount}'),
	'deductions 03-01 5 -, postpaid 03-01 5 0.005, deductions 03-04 1100028 -, from pack 03-04 1100000 -, from pack 03-04 28 -, '
	'deductions 03-05 2000000 -, from pack 03-05 1099972 -, postpaid 03-05 900028 900.028, not counted 03-07 77 -, amount 900033 900.033',
	'which pack gave how much on which day, and what was postpaid');
SELECT is((SELECT detail - '{from,through}'::text[] FROM im_explain(13, '2023-03', line_of(13, '2023-03', 'moderation')) WHERE fact = 'from pack' OFFSET 1 LIMIT 1),
	'{"order_id": 3, "pack": "month", "held": 1100000, "taken": 28, "left": 1099972}', 'what it held and what is left');
SELECT is(notes(13, '2023-03', line_of(13, '2023-03', 'moderation'), 'not counted'), 'Cloud moderation was switched off on that day.', 'days off do not count');

-- Call minutes: whole minutes, 4 pack minutes each
CALL app(14);
CALL buy(14, 1, '2023-03-01', 'plan', 'pro', 1);
CALL buy(14, 2, '2023-03-02', 'call', 'basic', 1);
CALL daily(14, '2023-03-01', hd => 10);
CALL daily(14, '2023-03-02', hd => 27499);
CALL daily(14, '2023-03-03', hd => 5);
SELECT is(facts(14, '2023-03', line_of(14, '2023-03', 'call_minutes'), '{pack minutes,minutes,from pack,postpaid,amount}'),
	'pack minutes 4 -, minutes 03-01 10 -, postpaid 03-01 10 0.28, minutes 03-02 27499 -, from pack 03-02 27499 -, minutes 03-03 5 -, '
	'from pack 03-03 1 -, postpaid 03-03 4 0.112, amount 14 0.392', 'call minutes by day');
SELECT is(facts(14, '2023-03', line_of(14, '2023-03', 'call'), '{content}'), 'content 110000 -', 'an add-on with minutes says how many');
SELECT is((SELECT detail ->> 'path' FROM im_explain(14, '2023-03', line_of(14, '2023-03', 'call')) WHERE fact = 'price'),
	'["addons", "call", "prices", "pro", "basic"]', 'and by which plan its price is');

-- Lines that do not exist
SELECT fails_with('SELECT * FROM im_explain(1, ''2023-03'', 3)', 'P0002', 'the bill of app 1 for 2023-03 has no line 3.*has 2 lines.*im_monthly_bill\(1', 'an unknown line');
SELECT fails_with('SELECT * FROM im_explain(1, ''2023-03'', 0)', 'P0002', 'no line 0', 'line 0');
SELECT fails_with('SELECT * FROM im_explain(1, ''2023-02'', 1)', 'P0002', 'has no line 1.*has 0 lines', 'a bill without lines');
SELECT fails_with('SELECT * FROM im_explain(99, ''2023-03'', 1)', 'P0002', 'there is no app 99', 'an unknown app');
SELECT is((SELECT count(*) FROM im_explain(1, '2023-03', NULL)), 0::bigint, 'null is no line');

-- Names that need quoting do not break sources
CALL card('o''brien"', '2020-01-01', jsonb_set(cn(), '{plans,"p''l}an"}', cn() #> '{plans,pro}'));
CALL app(20, 'o''brien"');
CALL buy(20, 1, '2023-03-10', 'plan', 'p''l}an', 1);
CALL daily(20, '2023-03-11', dau => 10);
CREATE FUNCTION found(source text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE n bigint; BEGIN EXECUTE 'SELECT count(*) FROM ' || source INTO n; RETURN n; END $$;
SELECT is((SELECT string_agg(DISTINCT found(e.source)::text, ' ') FROM im_explain(20, '2023-03', 1) e WHERE e.source IS NOT NULL), '1',
	'hostile names are quoted in sources');
SELECT is((SELECT terms #>> ARRAY(SELECT jsonb_array_elements_text(e.detail -> 'path')) FROM im_rate_card_version, im_explain(20, '2023-03', 1) e
	WHERE rate_card = 'o''brien"' AND e.fact = 'price'), '999', 'and their paths lead to the price');

SELECT * FROM finish();
ROLLBACK;
