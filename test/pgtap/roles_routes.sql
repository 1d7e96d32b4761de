-- What readers and tenants may call answers a reader like the owner, and a
-- tenant of one's own apps alone.
BEGIN;
\ir include/setup.sql
\ir include/roles.sql

-- Public functions by what they are asked: an app, or all the caller's apps.
CREATE TABLE of_app (call text);
INSERT INTO of_app VALUES
	('im_monthly_bill(%s, ''2023-03'')'),
	('im_monthly_total(%s, ''2023-03'')'),
	('im_preview_bill(%s, ''2023-03'', im_bundled_card(''cn'', ''2024-01-01''))'),
	('im_moderation_statement(%s, ''2023-03'')'),
	('im_moderation_statement(%s, ''2023-03'', true)'),
	('im_daily_charges(%s, ''2023-02-27'', ''2023-03-31'')'),
	('im_app_status(%s, ''2023-03-10 12:00+08'')'),
	('im_app_card(%s, ''2023-03'')'),
	('im_limit(%s, ''friends'', ''2023-03-10 12:00+08'')'),
	('im_limits(%s, ''2023-03-10 12:00+08'')'),
	('im_rebill(%s, ''2023-03'')'),
	('im_document_html(%s, ''2023-02'', 0, ''en'')'), ('im_invoices(%s, ''2023-02'')'),
	('im_audit(%s, ''2023-03'')'),
	('im_explain(%s, ''2023-03'', 1)'),
	('im_cheapest_plan(%s, ''2023-03'')'),
	('im_running_bill(%s, ''2023-03-20 12:00+08'')'),
	('im_forecast(%s, ''2023-03-20 12:00+08'')'),
	('im_bill_html(%s, ''2023-03'', ''zh'')');
CREATE TABLE of_apps (call text);
INSERT INTO of_apps VALUES
	('im_monthly_bills(''2023-03'')'),
	('im_monthly_bills(''2023-03'', true)'),
	('im_monthly_bills(''2023-03'', false)'),
	('im_monthly_totals(''2023-03'')'),
	('im_unbilled_usage(''2023-03'')'),
	('im_daily_charges(''2023-03-20'')'),
	('im_check(''2023-03'')'),
	('im_drift(''2023-02'')'),
	('im_compare_cards(''2023-03'', im_bundled_card(''cn'', ''2019-12-10''), im_bundled_card(''cn'', ''2024-01-01''))'),
	('im_standing(''2023-03'', ''2023-03-20 12:00+08'')'),
	('im_app_revenue(''2023-02'', ''2023-04'')'),
	('im_daily_usage(''2023-03'')'),
	('im_apps()');
CREATE TABLE of_all (call text);
INSERT INTO of_all VALUES
	('im_dau_overage(''pro'', 10001)'),
	('im_group_overage(''pro'', 100001)'),
	('im_addon_fee(''pro'', ''call'', ''basic'')'),
	('im_moderation_fee(10)'),
	('im_deductions(''image'', 1)'),
	('im_card(''cn'', ''2023-03-01'')'),
	('im_card(''cn'')');

SELECT set_eq(
	$$SELECT function_name FROM im_internal.im_guarded_definitions()$$,
	$$SELECT substring(call FROM '^\w+') FROM (TABLE of_app UNION ALL TABLE of_apps) c
	UNION VALUES ('im_daily_charges_app'), ('im_moderation_statement_scenes'), ('im_monthly_bills_skipping'), ('im_card'), ('im_card_today'), ('im_current_card'), ('im_billed_months'), ('im_months'), ('im_month_html'), ('im_month_parts'), ('im_focus'),
		('im_account_bill'), ('im_account_totals'), ('im_balance'), ('im_arrears'), ('im_arrears_reason'), ('im_unpaid'), ('im_account_html'), ('im_account_parts')$$,
	'every function that readers and tenants may call is tried here, those of accounts in roles_accounts');

-- A closed month that has drifted since: an app of each tenant's had ordered in it.
CALL buy(12, 1, '2023-02-01 10:00', 'plan', 'pro', 1);
CALL buy(500, 4, '2022-02-01 10:00', 'plan', 'pro', 13);
CALL buy(500, 6, '2023-02-01 10:00', 'avchatroom');
CALL buy(11, 96, '2023-02-01 10:00', 'local_moderation');
CALL settle();
SELECT im_close_batch('2023-02', 100, ROW(NULL, 0, 0, 0, '{}', '{}', NULL, false, NULL, now())::im_run) \g /dev/null
SELECT isnt((SELECT count(*) FROM im_invoice), 0::bigint, 'something was issued');
CALL buy(12, 2, '2023-02-02 10:00', 'call', 'basic', 1);
CALL buy(500, 5, '2023-02-02 10:00', 'call', 'basic', 1);
CALL settle();

-- The page of a month is one value: it names the apps that the caller may see.
SELECT is(seen('clerk', $$SELECT im_month_html('2023-03')$$), seen(current_user, $$SELECT im_month_html('2023-03')$$),
	'a reader gets the page of the month that the owner gets');
SELECT matches(seen('acme', $$SELECT im_month_html('2023-03')$$), '<td[^>]*>11</td>', 'a tenant''s page of the month has the own apps');
SELECT doesnt_match(seen('acme', $$SELECT im_month_html('2023-03')$$), '<td[^>]*>500</td>', 'and no other''s');
SELECT matches(seen(current_user, $$SELECT im_month_html('2023-03')$$), '<td[^>]*>500</td>', 'which the owner''s has');

-- Suspended usage, so that reports have something to say of each app.
CALL suspend(11, '[2023-03-04,2023-03-08)');
CALL suspend(500, '[2023-03-04,2023-03-08)');
CALL talk(11, '2023-03-20 12:00', 'hd', 61);
CALL talk(500, '2023-03-20 12:00', 'hd', 61);
CALL daily(99, '2023-03-11', -1);
UPDATE im_usage_daily SET users = (SELECT im_userset_agg(n) FROM generate_series(1, 3) n) WHERE app_id IN (12, 500);
DELETE FROM im_usage_daily WHERE app_id = 99;

SELECT is(seen('clerk', 'SELECT * FROM ' || format(call, 500)), seen(current_user, 'SELECT * FROM ' || format(call, 500)),
	'a reader gets what the owner gets: ' || call)
FROM of_app ORDER BY call;
SELECT isnt(seen('clerk', 'SELECT * FROM ' || format(call, 500)), '', 'and it is something: ' || call)
FROM of_app ORDER BY call;
SELECT is(seen('acme', 'SELECT * FROM ' || format(call, 11)), seen(current_user, 'SELECT * FROM ' || format(call, 11)),
	'a tenant gets what the owner gets of an own app: ' || call)
FROM of_app ORDER BY call;
-- The first call of a session words the context otherwise.
SELECT count(seen('acme', 'SELECT * FROM ' || format(call, 778))) FROM of_app \g /dev/null
SELECT is(seen('acme', 'SELECT * FROM ' || format(call, 500)),
	replace(seen('acme', 'SELECT * FROM ' || format(call, 778)), '778', '500'),
	'another''s app is told like one that does not exist: ' || call)
FROM of_app ORDER BY call;
SELECT matches(seen('acme', 'SELECT * FROM ' || format(call, 500)), '^P0002: there is no app 500\n', 'as P0002: ' || call)
FROM of_app ORDER BY call;
SELECT is(seen('acme', 'SELECT * FROM ' || format(call, 99)),
	replace(seen('acme', 'SELECT * FROM ' || format(call, 778)), '778', '99'),
	'so is an app of no tenant: ' || call)
FROM of_app ORDER BY call;

SELECT is(seen('clerk', format('SELECT * FROM %s ORDER BY 1, 2, 3', call)),
	seen(current_user, format('SELECT * FROM %s ORDER BY 1, 2, 3', call)),
	'a reader gets what the owner gets: ' || call)
FROM of_apps WHERE call !~ 'im_check' ORDER BY call;
SELECT is(seen('clerk', 'SELECT * FROM im_check(''2023-03'')'), seen(current_user, 'SELECT * FROM im_check(''2023-03'')'),
	'a reader gets what the owner gets: im_check');
SELECT isnt(seen('clerk', 'SELECT * FROM ' || call || ' WHERE app_id = 500'), '', 'and it is something: ' || call)
FROM of_apps ORDER BY call;
SELECT is(seen('acme', format('SELECT * FROM %s c ORDER BY c::text', call)),
	seen(current_user, format('SELECT * FROM %s c WHERE app_id IN (11, 12) ORDER BY c::text', call)),
	'a tenant gets what the owner gets of the own apps: ' || call)
FROM of_apps ORDER BY call;
SELECT isnt(seen('acme', 'SELECT * FROM ' || call), '', 'and it is something: ' || call)
FROM of_apps ORDER BY call;

SELECT is(seen(role, 'SELECT ' || call), seen(current_user, 'SELECT ' || call), format('%s knows the public prices: %s', role, call))
FROM of_all, unnest('{acme,clerk}'::name[]) role ORDER BY call, role;
SELECT is(seen('acme', $$SELECT price FROM im_price_list(im_app_card(11, '2023-03')) WHERE item = 'plan' AND plan = 'pro'$$),
	'(999)', 'a tenant reads the own price list');

SELECT is(seen('acme', format('SELECT * FROM %s c ORDER BY c::text', call)),
	seen(current_user, format('SELECT * FROM %s c WHERE app_id IN (11, 12) ORDER BY c::text', call)),
	'what goes through those shows a tenant the own apps: ' || call)
FROM unnest(ARRAY['im_alerts(''2023-03'', 0)', 'im_bi_bill_line', 'im_bi_bill_total', 'im_bi_usage_daily', 'im_bi_revenue']) call;
SELECT is(seen('clerk', format('SELECT * FROM %s c ORDER BY c::text', call)),
	seen(current_user, format('SELECT * FROM %s c ORDER BY c::text', call)), 'and a reader all: ' || call)
FROM unnest(ARRAY['im_alerts(''2023-03'', 0)', 'im_bi_bill_line', 'im_bi_bill_total', 'im_bi_usage_daily', 'im_bi_revenue', 'im_bi_order',
	'im_close_progress', 'im_verify_invoices(''2023-02'', ''\x00'')', 'im_month_root(''2023-02'')', 'im_ledger_anchor()', 'im_verify_anchor(im_ledger_anchor())']) call;
SELECT is(seen('acme', $$SELECT * FROM im_focus('2023-02', '2023-04') f ORDER BY f::text$$),
	seen(current_user, $$SELECT * FROM im_focus('2023-02', '2023-04') f WHERE "SubAccountId" IN ('11', '12') ORDER BY f::text$$), 'a tenant''s im_focus has the own apps');
SELECT is(seen('clerk', $$SELECT * FROM im_focus('2023-02', '2023-04')$$), seen(current_user, $$SELECT * FROM im_focus('2023-02', '2023-04')$$), 'a reader''s all');
SELECT is(seen('acme', $$SELECT sum(billed) FROM im_revenue('2023-02', '2023-04')$$),
	seen(current_user, $$SELECT sum(billed) FROM im_app_revenue('2023-02', '2023-04') WHERE app_id IN (11, 12)$$), 'so does im_revenue');
SELECT is(seen('acme', 'SELECT * FROM im_months()'), seen(current_user, 'SELECT * FROM im_internal.im_months_of(ARRAY[11, 12])'),
	'a tenant is told how far the months of other apps are');
SELECT is(seen('clerk', 'SELECT * FROM im_months()'), seen(current_user, 'SELECT * FROM im_months()'), 'a reader gets other months than the owner');
SELECT is(seen('acme', $$SELECT min(month) FROM im_billed_months()$$), '(2023-01-01)', 'months are those of the own apps');
SELECT is(seen(role, $$SELECT min(month) FROM im_billed_months()$$), '(2022-01-01)', 'of all apps for ' || role)
FROM unnest(ARRAY['clerk', current_user]) role;
SELECT is(seen('clerk', $$SELECT im_month_html('2023-03')$$), seen(current_user, $$SELECT im_month_html('2023-03')$$), 'the page of a month is a reader''s');
SELECT matches(seen('acme', $$SELECT im_month_html('2023-03')$$), 'app 11', 'a tenant''s has the own apps');
SELECT doesnt_match(seen('acme', $$SELECT im_month_html('2023-03')$$), '777|Rivalry', 'and no other');
SELECT matches(seen('acme', 'SELECT * FROM ' || call), '^\(', call || ' answers a tenant')
FROM unnest(ARRAY['im_forecast(11)', 'im_quote(''pro'')']) call;

-- A month that no version covers: no bill alone, nothing among others.
CALL card('late', '2023-06-01', cn());
CALL app(13, 'late');
UPDATE im_app SET tenant = 'acme' WHERE app_id = 13;
SELECT matches(seen('acme', $$SELECT * FROM im_monthly_bill(13, '2023-03')$$), '^P0002: rate card "late" has no version',
	'a tenant''s bill of a month without a version fails');
SELECT is(seen('acme', $$SELECT app_id, total FROM im_monthly_totals('2023-03')$$),
	seen(current_user, $$SELECT app_id, total FROM im_monthly_totals('2023-03') WHERE app_id IN (11, 12, 13)$$),
	'among others it is left out, as for the owner');
CALL login(13, 'a', '2023-03-05 12:00');
SELECT matches(seen('acme', $$SELECT * FROM im_monthly_totals('2023-03')$$), '^P0002: rate card "late" has no version',
	'unless there was usage');
SELECT matches(seen(current_user, $$SELECT * FROM im_monthly_totals('2023-03')$$), '^P0002', 'as for the owner');
DELETE FROM im_login WHERE app_id = 13;
SELECT matches(seen('acme', $$SELECT * FROM im_monthly_bills('1999-03')$$), '^$', 'a month before all versions is empty for a tenant');

-- Nobody else.
SELECT matches(seen('stranger', 'SELECT * FROM ' || format(call, 11)), '^42501: permission denied for table', 'a stranger may not: ' || call)
FROM (TABLE of_app UNION ALL TABLE of_apps) c ORDER BY call;
SELECT matches(seen('gateway', 'SELECT * FROM ' || format(call, 11)), '^42501: permission denied for table', 'nor a loader: ' || call)
FROM (TABLE of_app UNION ALL TABLE of_apps) c ORDER BY call;

-- A tenant without an app, and a tenant by name alone.
CREATE ROLE nobodys;
SELECT im_grant('nobodys', 'tenant') \g /dev/null
SELECT is(seen('nobodys', 'SELECT * FROM ' || call), '', 'a tenant without apps gets nothing: ' || call)
FROM of_apps ORDER BY call;
UPDATE im_app SET tenant = 'stranger' WHERE app_id = 99;
SELECT matches(seen('stranger', $$SELECT * FROM im_monthly_bill(99, '2023-03')$$), '^42501',
	'a role that is named as tenant still has to be made one');

-- Membership counts as for any privilege: what is inherited, one has.
CREATE ROLE holding;
CREATE ROLE heir NOINHERIT;
CREATE ROLE office;
CREATE ROLE customers;
CREATE ROLE small;
GRANT USAGE ON SCHEMA im_test TO holding, heir, office, customers, small, nobodys;
GRANT acme, other TO holding;
GRANT acme TO heir;
GRANT clerk TO office;
GRANT customers TO small;
SELECT im_grant('customers', 'tenant') \g /dev/null
UPDATE im_app SET tenant = 'small' WHERE app_id = 12;
SELECT is(seen('holding', 'SELECT app_id FROM im_apps()'), E'(11)\n(13)\n(500)', 'a member of two tenants has the apps of both');
SELECT matches(seen('heir', 'SELECT app_id FROM im_apps()'), '^42501', 'one that does not inherit has none');
SELECT is(seen('office', 'SELECT count(*) FROM im_apps()'), '(5)', 'a member of a reader reads');
SELECT is(seen('small', 'SELECT app_id FROM im_apps()'), '(12)', 'all tenants may be made so through one group');
SELECT is(seen('customers', 'SELECT app_id FROM im_apps()'), '', 'and the group has no app for that');

-- Who may read the tables does so, and rows hidden by policies stay hidden.
CREATE ROLE auditor;
GRANT USAGE ON SCHEMA im_test TO auditor;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO auditor;
SELECT is(seen('auditor', $$SELECT app_id, total FROM im_monthly_totals('2023-03')$$),
	seen(current_user, $$SELECT app_id, total FROM im_monthly_totals('2023-03')$$), 'SELECT on all tables reads bills, too');
SELECT im_grant('auditor', 'tenant') \g /dev/null
SELECT isnt(seen('auditor', 'SELECT * FROM im_apps()'), '', 'also of a tenant');
REVOKE SELECT ON im_call FROM auditor;
SELECT is(seen('auditor', 'SELECT * FROM im_apps()'), '', 'on all but one table it does not');

SELECT * FROM finish();
ROLLBACK;
