-- R15: accounts, payments, what is owed and since when. If a step were on another
-- day, a customer would be stopped, or run on, without the rules saying so.
BEGIN;
\ir include/setup.sql

CREATE PROCEDURE account(account_id bigint, opened_on date, apps bigint[] DEFAULT '{}', zone text DEFAULT 'Asia/Shanghai') LANGUAGE sql AS $$
	INSERT INTO im_account (account_id, name, opened_on, time_zone) VALUES (account_id, 'account ' || account_id, opened_on, zone);
	UPDATE im_app a SET account_id = account.account_id WHERE a.app_id = ANY (apps);
$$;
CREATE PROCEDURE pay(account_id bigint, id bigint, at text, amount numeric, currency text DEFAULT 'CNY') LANGUAGE sql AS $$
	INSERT INTO im_payment (account_id, payment_id, at, amount, currency) VALUES (account_id, id, at8(at), amount, currency);
$$;
-- currency owed paid balance, at a wall clock time
CREATE FUNCTION balance(account_id bigint, at text) RETURNS text LANGUAGE sql
BEGIN ATOMIC
	SELECT coalesce(string_agg(concat_ws(' ', b.currency, n(b.owed), n(b.paid), n(b.balance)), E'\n'), '')
	FROM im_balance(balance.account_id, at8(balance.at)) b;
END;
CREATE FUNCTION arrears(account_id bigint, at text) RETURNS text LANGUAGE sql
BEGIN ATOMIC
	SELECT coalesce(string_agg(concat_ws(' ', a.currency, n(a.balance), a.since), E'\n'), '')
	FROM im_arrears(at8(arrears.at)) a WHERE a.account_id = arrears.account_id;
END;

-- Prepaid: owed on the day of purchase, and a payment from its instant
CALL app(1);
CALL app(2);
CALL account(7, '2023-01-01', '{1,2}');
CALL buy(1, 1, '2023-03-10 15:00', 'plan', 'pro', 2);
CALL pay(7, 1, '2023-03-12 12:00', 1998);
CALL settle();
SELECT is(balance(7, '2023-03-09 23:59'), '', 'nothing is owed before the purchase');
SELECT is(balance(7, '2023-03-10 00:00'), 'CNY 1998 0 -1998', 'all months are owed on its day');
SELECT is(balance(7, '2023-03-12 11:59'), 'CNY 1998 0 -1998', 'nothing is paid before the instant of the payment');
SELECT is(balance(7, '2023-03-12 12:00'), 'CNY 1998 1998 0', 'and all of it at that instant');
SELECT is(arrears(7, '2023-03-12 11:59'), 'CNY -1998 2023-03-10', 'arrears since the purchase');
SELECT is(arrears(7, '2023-03-12 12:00'), '', 'none once it is paid');
SELECT is(arrears(7, '2023-03-09 12:00'), '', 'none before it');

-- Usage: overage with its line on the 1st, minutes and deductions on the day after
CALL app(3);
CALL account(8, '2023-01-01', '{3}');
CALL buy(3, 1, '2023-02-01 10:00', 'plan', 'pro', 12, paid => 0);
CALL turn(3, 2, '2023-02-01 10:00', 'on', 'moderation');
CALL daily(3, '2023-03-05', dau => 10001, texts => 10, audio => 1000);
CALL daily(3, '2023-03-31', texts => 20);
CALL settle();
SELECT is(balance(8, '2023-03-05 23:59'), '', 'what is used today is not owed yet');
SELECT is(balance(8, '2023-03-06 00:00'), 'CNY 7.01 0 -7.01', 'minutes and deductions are owed on the day after');
SELECT is(balance(8, '2023-03-31 23:59'), 'CNY 7.01 0 -7.01', 'and until the 1st no more');
SELECT is(balance(8, '2023-04-01 00:00'), 'CNY 1007.03 0 -1007.03', 'then the overage, and not the minutes again');
SELECT is((SELECT n(total) FROM im_account_totals('2023-03') WHERE account_id = 8), '1007.03', 'together the total of the month');
SELECT is(arrears(8, '2023-04-02 00:00'), E'CNY -1007.03 2023-03-06', 'since the first of it');

-- Rounded as a total: three times 0.004 are 0.01, not 0.00
CALL app(4);
CALL account(9, '2023-01-01', '{4}');
CALL turn(4, 1, '2023-03-01 10:00', 'on', 'moderation');
CALL daily(4, '2023-03-01', texts => 4);
CALL daily(4, '2023-03-02', texts => 4);
CALL daily(4, '2023-03-03', texts => 4);
CALL settle();
SELECT is(array(SELECT balance(9, d) FROM unnest('{2023-03-02,2023-03-03,2023-03-04,2023-05-01}'::text[]) d),
	'{"CNY 0 0 0","CNY 0.01 0 -0.01","CNY 0.01 0 -0.01","CNY 0.01 0 -0.01"}'::text[], 'what is due so far is summed exactly and rounded once');

-- opened_on: what fell due before is not owed, on neither side of the day
CALL app(5);
CALL account(10, '2023-03-10', '{5}');
CALL buy(5, 1, '2023-03-09 23:59', 'plan', 'pro', 12);
CALL buy(5, 2, '2023-03-10 00:00', 'group_members', '', 1);
CALL turn(5, 3, '2023-03-01 10:00', 'on', 'moderation');
CALL daily(5, '2023-03-08', texts => 1000);
CALL daily(5, '2023-03-09', texts => 2000, dau => 10001);
CALL daily(5, '2023-02-20', texts => 1000);
CALL settle();
SELECT is(balance(10, '2023-03-10 12:00'), 'CNY 502 0 -502', 'the purchase of the day before is not owed; the deductions of that day are, since they are due on the day of opening');
SELECT is(balance(10, '2023-04-01 12:00'), 'CNY 1502 0 -1502', 'the overage of the whole month falls due after it');
UPDATE im_account SET opened_on = '2023-04-01' WHERE account_id = 10;
SELECT is(balance(10, '2023-04-01 12:00'), 'CNY 1000 0 -1000', 'opened on the 1st it owes what falls due on it');
UPDATE im_account SET opened_on = '2023-04-02' WHERE account_id = 10;
SELECT is(balance(10, '2023-04-05 12:00'), '', 'a day later nothing');
UPDATE im_account SET opened_on = '2023-03-10' WHERE account_id = 10;

-- Days are those of the account: Auckland is five hours ahead of Shanghai in March
CALL app(6);
CALL account(11, '2023-01-01', '{6}', 'Pacific/Auckland');
CALL buy(6, 1, '2023-03-10 15:00', 'plan', 'pro', 1);
CALL pay(11, 1, '2023-03-12 18:59', 998);
CALL pay(11, 2, '2023-03-12 19:00', 1);
CALL settle();
SELECT is(balance(11, '2023-03-09 18:59'), '', 'before the day of purchase there');
SELECT is(balance(11, '2023-03-09 19:00'), 'CNY 999 0 -999', 'and on it');
SELECT is(arrears(11, '2023-03-12 18:59'), 'CNY -1 2023-03-10', 'arrears by its days');

-- Currencies are apart; a payment in another one pays nothing
CALL app(12, 'intl');
CALL app(13);
CALL account(12, '2023-01-01', '{12,13}');
CALL buy(12, 1, '2023-03-05 10:00', 'plan', 'standard', 1);
CALL buy(13, 1, '2023-03-02 10:00', 'plan', 'pro', 1);
CALL pay(12, 1, '2023-03-04 10:00', 2000);
CALL settle();
SELECT is(balance(12, '2023-03-06 12:00'), E'CNY 999 2000 1001\nUSD 399 0 -399', 'a balance each');
SELECT is(arrears(12, '2023-03-06 12:00'), 'USD -399 2023-03-05', 'one of them in arrears');
CALL pay(12, 2, '2023-03-06 10:00', -1500);
SELECT is(arrears(12, '2023-03-06 12:00'), E'CNY -499 2023-03-06\nUSD -399 2023-03-05', 'money given back brings the other one there');

-- Arrears with a break begin anew; old ones are followed back over months
CALL pay(12, 3, '2023-03-07 10:00', 499);
CALL pay(12, 4, '2023-03-09 10:00', -1);
CALL settle();
SELECT is(arrears(12, '2023-09-09 12:00'), E'CNY -1 2023-03-09\nUSD -399 2023-03-05', 'since the last day that was not of arrears');

-- What is corrected by hand is owed on its day; what is voided never was
CALL app(30);
CALL account(30, '2023-01-01', '{30}');
CALL buy(30, 1, '2023-03-02 10:00', 'plan', 'pro', 12);
INSERT INTO im_order (app_id, order_id, at, action, item, option, paid) VALUES
	(30, 2, at8('2023-03-05 10:00'), 'charge', 'manual', 'a late fee', 10), (30, 3, at8('2023-03-06 10:00'), 'credit', 'manual', 'a gift', 30.5);
CALL settle();
SELECT is(array(SELECT balance(30, d) FROM unnest('{2023-03-04,2023-03-05,2023-03-06}'::text[]) d),
	'{"CNY 11988 0 -11988","CNY 11998 0 -11998","CNY 11967.5 0 -11967.5"}'::text[], 'charges and credits');
INSERT INTO im_order (app_id, order_id, at, action, item, refunds) VALUES (30, 4, at8('2023-03-07 10:00'), 'void', 'plan', 1);
CALL settle();
SELECT is(balance(30, '2023-03-06'), 'CNY -20.5 0 20.5', 'a month typed as twelve leaves no trace in money');
SELECT is(arrears(30, '2023-03-05'), 'CNY -10 2023-03-05', 'nor in arrears');

-- Bills of an account
SELECT is((SELECT string_agg(concat_ws(' ', b.account_id, b.app_id, b.line, b.item, n(b.amount), b.currency), E'\n') FROM im_account_bill(12, '2023-03') b),
	E'12 12 1 plan 399 USD\n12 13 1 plan 999 CNY', 'the lines of all apps');
SELECT is((SELECT string_agg(concat_ws(' ', t.account_id, t.currency, n(t.total)), E'\n') FROM im_account_totals('2023-03') t WHERE t.account_id = 12),
	E'12 CNY 999\n12 USD 399', 'and a total for each currency');
SELECT is_empty($$SELECT FROM im_account_bill(7, '2022-01')$$, 'a month without lines has none');
-- 0.005 each: rounded by themselves 0.01 and 0.01
CALL app(14);
CALL app(15);
CALL account(13, '2023-01-01', '{14,15}');
CALL turn(14, 1, '2023-03-01 10:00', 'on', 'moderation');
CALL turn(15, 1, '2023-03-01 10:00', 'on', 'moderation');
CALL daily(14, '2023-03-02', texts => 5);
CALL daily(15, '2023-03-02', texts => 5);
CALL settle();
SELECT is((SELECT n(t.total) FROM im_account_totals('2023-03') t WHERE t.account_id = 13), '0.02', 'apps are rounded by themselves');
SELECT is(balance(13, '2023-04-01 12:00'), 'CNY 0.02 0 -0.02', 'in the balance too');

-- An app without account has no balance
CALL app(20);
CALL buy(20, 1, '2023-03-02 10:00', 'plan', 'pro', 1);
CALL settle();
SELECT set_eq($$SELECT DISTINCT account_id FROM im_account_totals('2023-03')$$, '{7,8,9,10,11,12,13,30}'::bigint[], 'no account, no total');
UPDATE im_app SET account_id = 7 WHERE app_id = 20;
SELECT is(balance(7, '2023-03-12 12:00'), 'CNY 2997 1998 -999', 'what is open belongs to the account of now');

-- The page: all apps, their totals, each bill below, and nothing that a name smuggles in
UPDATE im_account SET name = '<script>alert(1)</script> & "Sons"' WHERE account_id = 12;
UPDATE im_app SET name = '"><img src=x onerror=y>' WHERE app_id = 13;
CREATE TEMP TABLE page AS SELECT lang, im_account_html(12, '2023-03', lang) AS html FROM unnest('{en,zh}'::text[]) lang;
SELECT ok(html ~ '<data value="999.00">999.00</data>' AND html ~ '<data value="399.00">399.00</data>', 'totals of both currencies, ' || lang) FROM page;
SELECT ok(html ~ 'id="app-12"' AND html ~ 'id="app-13"' AND html ~ 'id="lines-12-USD"' AND html ~ 'id="lines-13-CNY"', 'both apps, ' || lang) FROM page;
SELECT ok(html !~ '<script|<img' AND html ~ '&lt;script&gt;', 'names are text, ' || lang) FROM page;
SELECT is((SELECT count(*) - count(DISTINCT m) FROM regexp_matches(html, ' id="([^"]*)"', 'g') m), 0::bigint, 'an id stands once, ' || lang) FROM page;
SELECT ok(html !~ '<td>' AND html ~ '<td data-label="[^"]+">12</td>', 'every figure says what it is where its column''s head is not seen, ' || lang) FROM page;
SELECT ok(im_account_html(12, '2023-03') = html, 'English by default') FROM page WHERE lang = 'en';
SELECT matches(im_account_html(7, '2022-01', 'zh'), '本月无应付费用', 'a month without lines says so');
CALL app(120);
UPDATE im_app SET account_id = 12 WHERE app_id = 120;
SELECT is((SELECT count(*) FROM regexp_matches(im_account_html(12, '2023-03'), '<a href="#app-120">|<h2 id="app-120">|<p class="none">Nothing to bill</p>', 'g')), 3::bigint,
	'an app without lines is told as one');
SELECT matches(im_account_html(12, '2023-03'), '<td data-label="[^"]+">120</td><td data-label="[^"]+">CNY</td><td class="n" data-label="[^"]+">0</td><td role="cell" class="n amount" data-label="[^"]+"><data value="0.00">0.00</data></td>',
	'of 0 lines, which come to 0');
INSERT INTO im_account (account_id, name) VALUES (121, 'no app');
SELECT matches(im_account_html(121, '2023-03'), 'Nothing to bill', 'an account without apps has a page');
SELECT fails_with($$SELECT im_account_html(12, '2023-03', 'fr')$$, '22023', 'fr', 'no other language');
SELECT fails_with($$SELECT im_account_html(99, '2023-03')$$, 'P0002', 'there is no account 99', 'no page of no account');

-- What the tables refuse
SELECT fails_with(format('UPDATE im_payment SET %s', what), '55000', 'append-only.*payment of the negative amount', 'no UPDATE of ' || what)
FROM unnest('{amount = 1,note = ''x'',account_id = 8}'::text[]) what;
SELECT fails_with('DELETE FROM im_payment', '55000', 'append-only', 'no DELETE of payments');
SELECT fails_with('TRUNCATE im_payment', '55000', 'append-only', 'no TRUNCATE of payments');
SELECT fails_with(format('INSERT INTO im_payment (account_id, payment_id, at, amount, currency) VALUES (%s)', v.vals), v.state, v.said, 'no payment ' || v.vals)
FROM (VALUES ('7, 90, now(), 0, ''CNY''', '23514', 'amount'), ('7, 90, now(), ''NaN'', ''CNY''', '23514', 'amount'),
	('7, 90, now(), ''Infinity'', ''CNY''', '23514', 'amount'), ('7, 90, now(), ''-Infinity'', ''CNY''', '23514', 'amount'),
	('7, 90, now(), 0.000000001, ''CNY''', '23514', 'amount'), ('7, 90, now(), 1, ''cny''', '23514', 'currency'),
	('7, 90, now(), 1, ''''', '23514', 'currency'), ('7, 90, now(), 1, ''CNYY''', '23514', 'currency'),
	('7, 90, ''infinity'', 1, ''CNY''', '23514', 'at_check'), ('7, 90, ''-infinity'', 1, ''CNY''', '23514', 'at_check'),
	('7, 90, now(), NULL, ''CNY''', '23502', 'amount'), ('7, 90, now(), 1, NULL', '23502', 'currency'),
	('99, 90, now(), 1, ''CNY''', '23503', 'account'), ('7, 1, now(), 1, ''CNY''', '23505', 'pkey')) v(vals, state, said);
SELECT fails_with($$INSERT INTO im_account (account_id, name, time_zone) VALUES (90, 'x', 'Nowhere/Land')$$, '22023', 'time zone', 'no account in a zone that there is not');
SELECT fails_with($$UPDATE im_app SET account_id = 99 WHERE app_id = 1$$, '23503', 'account', 'no app of an account that there is not');
SELECT fails_with($$DELETE FROM im_account WHERE account_id = 7$$, '23503', 'account', 'an account with apps or payments stays');
SELECT fails_with(call, 'P0002', 'there is no account 99', call)
FROM unnest(ARRAY[$$SELECT * FROM im_balance(99)$$, $$SELECT * FROM im_balance(99, now())$$, $$SELECT * FROM im_account_bill(99, '2023-03')$$]) call;
SELECT fails_with(format(call, at), '22008', '', format(call, at))
FROM unnest(ARRAY['SELECT * FROM im_balance(7, %L)', 'SELECT * FROM im_arrears(%L)', 'SELECT * FROM im_unpaid(7, %L)', 'SELECT * FROM im_arrears_reason(7, %L)']) call,
	unnest('{infinity,-infinity,12000-01-01,4000-01-01 BC}'::text[]) at;

-- A month begins with its first zone: what is bought in its first hours there is owed at once
CALL card('first', '2019-12-10', jsonb_set(cn(), '{time_zone}', '"Pacific/Kiritimati"'));
INSERT INTO im_account (account_id, name, time_zone, opened_on) VALUES (92, 'early', 'Pacific/Kiritimati', '2020-01-01');
CALL app(92, 'first');
UPDATE im_app SET account_id = 92 WHERE app_id = 92;
INSERT INTO im_order (app_id, order_id, at, action, item, option, months) VALUES (92, 1, '2024-02-01 00:30+14', 'buy', 'plan', 'pro', 1);
SELECT is((SELECT string_agg(owed::text, ' ') FROM im_balance(92, '2024-02-01 01:00+14')), im_monthly_total(92, '2024-02')::text, 'where the day begins first');
SELECT is((SELECT string_agg(since::text, ' ') FROM im_arrears('2024-02-01 01:00+14') WHERE account_id = 92), '2024-02-01', 'and in arrears');

-- An account of now without anything
INSERT INTO im_account (account_id, name) VALUES (91, 'new');
SELECT is((SELECT concat_ws(' ', tenant, time_zone, opened_on = current_date) FROM im_account WHERE account_id = 91), 'Asia/Shanghai t', 'defaults of an account');
SELECT is_empty('SELECT FROM im_balance(91)', 'a new account has no balance');

SELECT * FROM finish();
ROLLBACK;
