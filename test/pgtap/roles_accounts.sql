-- Who may ask for accounts, and what a cashier may do: records payments, asks
-- balances, suspends for arrears, and nothing else.
BEGIN;
\ir include/setup.sql
\ir include/roles.sql

CREATE ROLE till;
CREATE ROLE rich;
GRANT USAGE ON SCHEMA im_test TO till, rich;
SELECT im_grant('till', 'cashier'), im_grant('rich', 'tenant') \g /dev/null

-- Account 1 has an app of acme's and one of nobody's, account 2 those of the other
INSERT INTO im_account (account_id, name, tenant, opened_on) VALUES
	(1, 'one', 'rich', '2023-01-01'), (2, 'Rivalry 777', 'other', '2023-01-01'), (3, 'three', NULL, '2023-01-01');
UPDATE im_app SET account_id = CASE app_id WHEN 500 THEN 2 ELSE 1 END WHERE app_id IN (11, 99, 500);
INSERT INTO im_payment (account_id, payment_id, at, amount, currency, note) VALUES
	(1, 1, '2023-03-02 12:00+08', 100, 'CNY', 'one'), (2, 1, '2023-03-02 12:00+08', 777, 'CNY', 'rival');

CREATE TEMP TABLE of_account (call text);
INSERT INTO of_account VALUES ('im_account_bill(%s, ''2023-03'')'), ('im_balance(%s, ''2023-04-02 12:00+08'')'), ('im_balance(%s)'),
	('im_arrears_reason(%s, ''2023-04-02 12:00+08'')'), ('im_unpaid(%s, ''2023-04-02 12:00+08'')'), ('im_account_html(%s, ''2023-03'')');
CREATE TEMP TABLE of_accounts (call text);
INSERT INTO of_accounts VALUES ('im_account_totals(''2023-03'')'), ('im_arrears(''2023-04-02 12:00+08'')');
GRANT SELECT ON of_account, of_accounts TO PUBLIC;

SELECT is(seen('clerk', 'SELECT * FROM ' || format(call, a)), seen(current_user, 'SELECT * FROM ' || format(call, a)), format('a reader gets what the owner gets: ' || call, a))
FROM of_account, generate_series(1, 2) a ORDER BY call, a;
SELECT isnt(seen('clerk', 'SELECT * FROM ' || format(call, 2)), '', 'and it is something: ' || call) FROM of_account ORDER BY call;
SELECT is(seen('clerk', 'SELECT * FROM ' || call), seen(current_user, 'SELECT * FROM ' || call), 'a reader gets what the owner gets: ' || call) FROM of_accounts ORDER BY call;
SELECT matches(seen('clerk', 'SELECT * FROM ' || call), '(?n)^\(1,.*\n\(2,', 'and it is something: ' || call) FROM of_accounts ORDER BY call;
SELECT is(seen('rich', 'SELECT * FROM ' || format(call, 1)), seen(current_user, 'SELECT * FROM ' || format(call, 1)), 'the account''s tenant gets what the owner gets: ' || call)
FROM of_account ORDER BY call;
SELECT is(seen('rich', 'SELECT * FROM ' || call), seen(current_user, format('SELECT * FROM %s WHERE account_id = 1', call)), 'of its account alone: ' || call)
FROM of_accounts ORDER BY call;
SELECT count(seen('rich', 'SELECT * FROM ' || format(call, 778))) FROM of_account \g /dev/null
SELECT is(seen(role, 'SELECT * FROM ' || format(call, a)), replace(seen(role, 'SELECT * FROM ' || format(call, 778)), '778', a::text),
	format('%s is told of account %s as of none: %s', role, a, call))
FROM of_account, (VALUES ('rich', 2), ('rich', 3), ('other', 1), ('acme', 1)) v(role, a) ORDER BY call, role, a;
SELECT is(seen('acme', 'SELECT * FROM ' || call), '', 'the tenant of an app alone has no account: ' || call) FROM of_accounts ORDER BY call;

-- All apps of the account, also those whose tenant is another or nobody
SELECT is(seen('rich', 'SELECT app_id FROM im_apps()'), E'(11)\n(99)', 'the account''s tenant has all its apps');
SELECT is(seen('rich', $$SELECT app_id, total FROM im_monthly_totals('2023-03') ORDER BY 1$$),
	seen(current_user, $$SELECT app_id, total FROM im_monthly_totals('2023-03') WHERE app_id IN (11, 99) ORDER BY 1$$), 'their bills');
SELECT is(seen('rich', $$SELECT * FROM im_monthly_bill(99, '2023-03')$$), seen(current_user, $$SELECT * FROM im_monthly_bill(99, '2023-03')$$), 'each');
SELECT matches(seen('rich', $$SELECT * FROM im_monthly_bill(500, '2023-03')$$), '^P0002: there is no app 500', 'and no other');
SELECT is(seen('acme', 'SELECT app_id FROM im_apps()'), E'(11)\n(12)', 'whose own tenant keeps it');

-- A cashier
SELECT is(done('till', $$INSERT INTO im_payment (account_id, payment_id, at, amount, currency) VALUES (1, 2, '2023-03-03 12:00+08', 5, 'CNY')$$), 'done', 'records a payment');
SELECT is(done('till', $$INSERT INTO im_payment (account_id, payment_id, at, amount, currency) VALUES (2, 2, '2023-03-03 12:00+08', -7, 'CNY')$$), 'done', 'and what is given back');
SELECT is(seen('till', 'SELECT * FROM ' || format(call, a)), seen(current_user, 'SELECT * FROM ' || format(call, a)), format('asks balances: ' || call, a))
FROM of_account, generate_series(1, 2) a WHERE call ~ 'im_balance' ORDER BY 1;
SELECT is(seen('till', $$SELECT * FROM im_arrears('2023-04-02 12:00+08')$$), seen(current_user, $$SELECT * FROM im_arrears('2023-04-02 12:00+08')$$), 'and arrears of all');
SELECT matches(seen('till', call), '^42501', 'but not ' || call)
FROM unnest(ARRAY['TABLE im_payment', 'TABLE im_account', 'TABLE im_app', 'TABLE im_suspension', 'TABLE im_order', 'TABLE im_invoice',
	$$SELECT * FROM im_account_bill(1, '2023-03')$$, $$SELECT * FROM im_arrears_reason(1, now())$$, $$SELECT * FROM im_unpaid(1, now())$$, $$SELECT * FROM im_account_totals('2023-03')$$, $$SELECT * FROM im_monthly_bill(11, '2023-03')$$,
	$$SELECT * FROM im_monthly_totals('2023-03')$$, $$SELECT * FROM im_apps()$$, $$SELECT im_app_status(11, now())$$]) call;
SELECT matches(done('till', call), '^(42501|55000)', 'nor ' || call)
FROM unnest(ARRAY['UPDATE im_payment SET amount = 1', 'DELETE FROM im_payment', 'TRUNCATE im_payment',
	$$INSERT INTO im_account (account_id, name) VALUES (9, 'x')$$, $$UPDATE im_account SET opened_on = current_date$$,
	$$UPDATE im_app SET account_id = NULL$$, $$INSERT INTO im_suspension VALUES (11, '[2023-03-01,)', 'arrears')$$, 'DELETE FROM im_suspension',
	$$INSERT INTO im_order (app_id, order_id, at, action, item) VALUES (11, 90, now(), 'on', 'moderation')$$,
	$$SELECT im_internal.im_end_suspensions(NULL, now())$$, $$SELECT im_internal.im_begin_suspensions(NULL, now(), 0)$$, $$SELECT im_internal.im_lock_apps('{11}')$$]) call;
SELECT is(seen('till', $$SELECT im_suspend_arrears('2023-03-20 12:00+08')$$), '(3)', 'suspends for arrears');
SELECT set_eq('SELECT app_id, days, reason FROM im_suspension', $$VALUES (11, '[2023-03-20,)'::daterange, 'arrears'), (99, '[2023-03-20,)', 'arrears'), (500, '[2023-03-20,)', 'arrears')$$,
	'whose accounts are in arrears');
SELECT is(seen('till', $$SELECT im_suspend_arrears('2023-03-20 12:00+08', 3)$$), '(0)', 'in days of his own, once');
SELECT matches(seen(role, $$SELECT im_suspend_arrears('2023-03-20 12:00+08')$$), '^42501', role || ' does not suspend')
FROM unnest('{clerk,acme,rich,gateway,stranger}'::text[]) role;
SELECT matches(done(role, $$INSERT INTO im_payment (account_id, payment_id, at, amount, currency) VALUES (1, 3, now(), 5, 'CNY')$$), '^42501', role || ' records no payment')
FROM unnest('{clerk,acme,rich,gateway,stranger}'::text[]) role;
SELECT matches(seen(role, 'SELECT * FROM ' || call), '^42501', format('%s may not ask: %s', role, call))
FROM unnest('{gateway,stranger}'::text[]) role, (SELECT format(call, 1) FROM of_account UNION ALL TABLE of_accounts) c(call) ORDER BY 1;

-- The functions behind are not called by another way
SELECT matches(seen(role, 'SELECT * FROM ' || call), '^42501', format('%s does not call %s', role, call))
FROM unnest('{till,rich,clerk}'::text[]) role,
	unnest(ARRAY['im_balance_guarded(2, now())', 'im_arrears_guarded(now())', 'im_account_bill_guarded(2, ''2023-03'')', 'im_suspend_arrears_guarded(now(), 0)']) call;

-- A tenant that is a cashier sees balances of all, and bills of its own account
SELECT im_grant('rich', 'cashier') \g /dev/null
SELECT isnt(seen('rich', 'SELECT * FROM im_balance(2)'), '', 'balances of all');
SELECT matches(seen('rich', $$SELECT * FROM im_account_bill(2, '2023-03')$$), '^P0002', 'bills of its own');
SELECT im_revoke('rich', 'cashier') \g /dev/null
SELECT matches(seen('rich', 'SELECT * FROM im_balance(2)'), '^P0002', 'no more of either');

SELECT * FROM finish();
ROLLBACK;
