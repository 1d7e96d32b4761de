-- Before im_create_tables() every function that needs a table says what to call.
BEGIN;
\set QUIET 1
\pset format unaligned
\pset tuples_only true
SET LOCAL client_min_messages = error;
DROP EXTENSION imbilling CASCADE;
CREATE SCHEMA bare;
CREATE EXTENSION imbilling SCHEMA bare;
SET LOCAL search_path = bare, public;

CREATE FUNCTION hint_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN SQLSTATE || ' ' || hint;
END $$;

SELECT * FROM no_plan();
SELECT matches(hint_of('SELECT * FROM ' || call), '^42P01 .*im_create_tables', call)
FROM unnest(ARRAY[$$im_monthly_bill(1, '2024-01')$$, $$im_monthly_bills('2024-01')$$, $$im_monthly_total(1, '2024-01')$$,
	$$im_monthly_totals('2024-01')$$, $$im_preview_bill(1, '2024-01', im_bundled_card('cn', '2024-01-01'))$$, $$im_check('2024-01')$$,
	'im_check_orders()', $$im_unbilled_usage('2024-01')$$, $$im_moderation_statement(1, '2024-01')$$, $$im_moderation_statement(1, '2024-01', true)$$, 'im_app_status(1, now())',
	'im_limit(1, ''dau'')', 'im_card(''cn'')', 'im_card(''cn'', ''2024-01-01'')', 'im_months()', 'im_meter_month(''2024-01'')', 'im_can(1, ''dau'')', 'im_limits(1)',
	$$im_create_billing_view('v', '2024-01')$$, $$im_addon_fee('pro', 'call', 'basic')$$, $$im_dau_overage('pro', 20000)$$,
	$$im_rebill(1, '2024-01')$$, $$im_drift('2024-01')$$, 'im_verify_invoices()', $$im_month_root('2024-01')$$, $$im_audit(1, '2024-01')$$,
	'im_invoices(1)', 'im_ledger_anchor()', 'im_verify_anchor(''x'')', $$im_bill_html(1, '2024-01')$$, $$im_month_html('2024-01')$$, $$im_document_html(1, '2024-01', 0)$$, $$im_focus('2024-01', '2024-01')$$, $$im_explain(1, '2024-01', 1)$$, 'im_running_bill(1)',
	'im_forecast(1)', $$im_alerts('2024-01')$$, $$im_cheapest_plan(1, '2024-01')$$, $$im_quote('pro')$$, $$im_revenue('2024-01', '2024-01')$$,
	$$im_compare_cards('2024-01', im_bundled_card('cn', '2024-01-01'), im_bundled_card('cn', '2019-12-10'))$$,
	'im_meter()', $$im_keep_metered('2024-01-01', '2024-01-02')$$, 'im_forget_metering()', 'im_grants()',
	$$im_grant(current_user::regrole, 'reader')$$, 'im_billed_months()', $$im_daily_usage('2024-01')$$]) call;
SELECT matches(hint_of(format('CALL %s(''2024-01'')', name)), '^42P01 .*im_create_tables|^25001', name)
FROM unnest('{im_close_month,im_adjust_month}'::text[]) name;

SELECT * FROM finish();
ROLLBACK;
