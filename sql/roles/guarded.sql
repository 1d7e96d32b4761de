-- Roles: who may read what, without a grant on a single raw row.
--
-- The tables hold user ids and the rows of all customers, and COPY, which
-- loads them, refuses tables under row security.  So readers and tenants hold
-- no grant on them.  What must read the tables for a caller is a function
-- that im_create_tables() makes from the lists below: it belongs to the owner
-- of the tables, not to the extension, is SECURITY DEFINER with a fixed
-- search_path, and answers the role that asks.
--
-- How a public function im_foo() becomes readable by readers and tenants:
--
-- 1. It is LANGUAGE plpgsql and begins (a scalar: RETURN schema.im_foo_guarded(...)) with
--        IF im_internal.im_guarded('im_foo_guarded'::text) THEN
--            RETURN QUERY SELECT * FROM @extschema@.im_foo_guarded($1, $2);
--            RETURN;
--        END IF;
--    Who may read the tables goes on below, with rights, plan and speed of
--    its own; readers and tenants are answered by im_foo_guarded().
-- 2. A row in im_guarded_definitions(): name, arguments, result, guard, call.
--    guard app:  the first argument is an app; another customer's app raises
--                the error of an app that does not exist.  The call may be of
--                im_foo() itself: it then runs as the owner of the tables.
--    guard apps: the call takes the variable "apps", the apps that the caller
--                may see, null for all of them: im_foo_of(apps, $1).  With apps
--                it must neither read rows of others nor speak of them in an
--                error: im_gather_of() and im_early_usage_of() see to that.
--    guard none: the same answer for every reader and tenant.
-- 3. Its signature in test/pgtap/roles_routes.sql.
--
-- What changes rows for a closer or a loader is a row of
-- im_function_definitions(): its body runs as the owner of the tables, and
-- EXECUTE is granted to the kinds named and to nobody else.  Body and call had
-- best be no more than a call of a function of the extension: what
-- im_create_tables() made changes only when it runs again.

-- The functions that answer readers and tenants, named after the public ones.
CREATE FUNCTION im_internal.im_guarded_definitions()
	RETURNS TABLE (function_name text, arguments text, result text, guard text, call text)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $list$
	SELECT * FROM (VALUES
			('im_monthly_bill', 'app_id bigint, month @extschema@.im_month', 'SETOF @extschema@.im_bill_line',
				'app', '@extschema@.im_monthly_bill($1, $2)'),
			('im_monthly_total', 'app_id bigint, month @extschema@.im_month', 'numeric',
				'app', '@extschema@.im_monthly_total($1, $2)'),
			('im_preview_bill', 'app_id bigint, month @extschema@.im_month, card @extschema@.im_rate_card',
				'SETOF @extschema@.im_bill_line', 'app', '@extschema@.im_preview_bill($1, $2, $3)'),
			('im_moderation_statement', 'app_id bigint, month @extschema@.im_month',
				'TABLE (day date, service text, text_checks bigint, image_checks bigint,
					audio_half_minutes bigint, video_half_minutes bigint, deductions numeric,
					from_packs numeric, packs jsonb, postpaid numeric, amount numeric)',
				'app', '@extschema@.im_moderation_statement($1, $2)'),
			('im_moderation_statement_scenes', 'app_id bigint, month @extschema@.im_month, by_scene boolean',
				'SETOF @extschema@.im_scene_day', 'app', '@extschema@.im_moderation_statement($1, $2, $3)'),
			('im_daily_charges_app', 'app_id bigint, first_day date, last_day date', 'SETOF @extschema@.im_daily_charge',
				'app', '@extschema@.im_daily_charges($1, $2, $3)'),
			('im_daily_charges', 'day date', 'SETOF @extschema@.im_daily_charge',
				'apps', 'im_internal.im_daily_charges_of(apps, $1)'),
			('im_app_status', 'app_id bigint, at timestamptz', 'text', 'app', '@extschema@.im_app_status($1, $2)'),
			('im_limit', 'app_id bigint, name text, at timestamptz', 'numeric', 'app', '@extschema@.im_limit($1, $2, $3)'),
			('im_limits', 'app_id bigint, at timestamptz', 'TABLE (name text, value numeric, used numeric, source text)',
				'app', '@extschema@.im_limits($1, $2)'),
			('im_app_card', 'app_id bigint, month @extschema@.im_month', '@extschema@.im_rate_card',
				'app', '@extschema@.im_app_card($1, $2)'),
			('im_monthly_bills', 'month @extschema@.im_month', 'SETOF @extschema@.im_bill_line',
				'apps', 'im_internal.im_monthly_bills_of(apps, $1)'),
			('im_monthly_bills_skipping', 'month @extschema@.im_month, skip_unbillable boolean', 'SETOF @extschema@.im_bill_line',
				'apps', 'im_internal.im_monthly_bills_of(apps, $1, $2)'),
			('im_monthly_totals', 'month @extschema@.im_month', 'TABLE (app_id bigint, currency text, total numeric)',
				'apps', 'im_internal.im_monthly_totals_of(apps, $1)'),
			('im_unbilled_usage', 'month @extschema@.im_month',
				'TABLE (app_id bigint, day date, kind text, quantity numeric, reason text)',
				'apps', 'im_internal.im_unbilled_usage_of(apps, $1)'),
			('im_check', 'month @extschema@.im_month', 'TABLE (app_id bigint, problem text)',
				'apps', 'im_internal.im_check_of(apps, $1)'),
			-- the ledger
			('im_rebill', 'app_id bigint, month @extschema@.im_month', 'SETOF @extschema@.im_bill_line',
				'app', '@extschema@.im_rebill($1, $2)'),
			('im_audit', 'app_id bigint, month @extschema@.im_month',
				'TABLE (at timestamptz, event text, amount numeric, currency text, detail text)',
				'app', '@extschema@.im_audit($1, $2)'),
			('im_document_html', 'app_id bigint, month @extschema@.im_month, revision integer, lang text', 'text',
				'app', '@extschema@.im_document_html($1, $2, $3, $4)'),
			('im_invoices', 'app_id bigint, month @extschema@.im_month', 'SETOF @extschema@.im_document',
				'app', '@extschema@.im_invoices($1, $2)'),
			('im_drift', 'month @extschema@.im_month', 'TABLE (app_id bigint, issued numeric, rebilled numeric, difference numeric)',
				'apps', 'im_internal.im_drift_of(apps, $1)'),
			('im_months', '', 'SETOF @extschema@.im_month_state', 'apps', 'im_internal.im_months_of(apps)'),
			-- the counter
			('im_explain', 'app_id bigint, month @extschema@.im_month, line integer',
				'TABLE (ordinal integer, fact text, day date, quantity numeric, amount numeric, note text, source text, detail jsonb)',
				'app', '@extschema@.im_explain($1, $2, $3)'),
			('im_cheapest_plan', 'app_id bigint, month @extschema@.im_month',
				'TABLE (rank integer, plan text, total numeric, currency text, possible boolean, reason text, held boolean, items jsonb)',
				'app', '@extschema@.im_cheapest_plan($1, $2)'),
			('im_running_bill', 'app_id bigint, at timestamptz', 'SETOF @extschema@.im_bill_line',
				'app', '@extschema@.im_running_bill($1, $2)'),
			('im_forecast', 'app_id bigint, at timestamptz',
				'TABLE (month date, currency text, so_far numeric, low numeric, expected numeric, high numeric, method text)',
				'app', '@extschema@.im_forecast($1, $2)'),
			('im_compare_cards', 'month @extschema@.im_month, a @extschema@.im_rate_card, b @extschema@.im_rate_card',
				'TABLE (app_id bigint, total_a numeric, currency_a text, total_b numeric,
					currency_b text, difference numeric, moved jsonb, reason text)',
				'apps', 'im_internal.im_compare_cards_of(apps, $1, $2, $3)'),
			('im_standing', 'month @extschema@.im_month, at timestamptz',
				'TABLE (app_id bigint, kind text, item text, option text, used numeric,
					allowed numeric, day date, today date, problem text)',
				'apps', 'im_internal.im_standing_of(apps, $1, $2)'),
			('im_focus', 'first_month @extschema@.im_month, last_month @extschema@.im_month', 'SETOF @extschema@.im_focus_charge',
				'apps', 'im_internal.im_focus_of(apps, $1, $2)'),
			('im_app_revenue', 'first_month @extschema@.im_month, last_month @extschema@.im_month',
				'TABLE (app_id bigint, month date, item text, option text, currency text,
					billed numeric, earned numeric, deferred numeric)',
				'apps', 'im_internal.im_app_revenue_of(apps, $1, $2)'),
			('im_daily_usage', 'month @extschema@.im_month',
				'TABLE (app_id bigint, day date, status text, plan text, given boolean, dau bigint,
					peak_groups bigint, text_checks bigint, image_checks bigint, audio_half_minutes bigint,
					video_half_minutes bigint, audio_minutes bigint, sd_minutes bigint, hd_minutes bigint,
					fhd_minutes bigint)',
				'apps', 'im_internal.im_daily_usage_of(apps, $1)'),
			('im_billed_months', '', 'TABLE (month date)', 'apps', 'im_internal.im_billed_months_of(apps, now())'),
			-- accounts
			('im_account_bill', 'account_id bigint, month @extschema@.im_month', 'SETOF @extschema@.im_account_line',
				'account', '@extschema@.im_account_bill($1, $2)'),
			('im_account_totals', 'month @extschema@.im_month', 'TABLE (account_id bigint, currency text, total numeric)',
				'accounts', 'im_internal.im_account_totals_of(accounts, $1)'),
			('im_balance', 'account_id bigint, at timestamptz', 'SETOF @extschema@.im_balance_line',
				'balance', '@extschema@.im_balance($1, $2)'),
			('im_arrears', 'at timestamptz', 'SETOF @extschema@.im_arrears_line',
				'balances', 'im_internal.im_arrears_of(accounts, $1)'),
			('im_arrears_reason', 'account_id bigint, at timestamptz', 'SETOF @extschema@.im_arrears_fact',
				'account', '@extschema@.im_arrears_reason($1, $2)'),
			('im_unpaid', 'account_id bigint, at timestamptz', 'SETOF @extschema@.im_unpaid_bill',
				'account', '@extschema@.im_unpaid($1, $2)'),
			-- pages and reasons
			('im_bill_html', 'app_id bigint, month @extschema@.im_month, lang text', 'text',
				'app', '@extschema@.im_bill_html($1, $2, $3)'),
			('im_account_html', 'account_id bigint, month @extschema@.im_month, lang text', 'text',
				'account', '@extschema@.im_account_html($1, $2, $3)'),
			('im_month_html', 'month @extschema@.im_month, lang text', 'text',
				'apps', 'im_internal.im_month_html_of(apps, $1, $2)'),
			-- what a front makes these two of
			('im_account_parts', 'account_id bigint, month @extschema@.im_month, lang text',
				'TABLE (account_name text, app_id bigint, totals jsonb, html_row text, html text)',
				'account', 'im_internal.im_account_parts($1, $2, $3)'),
			('im_month_parts', 'month @extschema@.im_month',
				'TABLE (app_id bigint, name text, currency text, total numeric, item text, sort text, lines bigint, amount numeric)',
				'apps', 'im_internal.im_month_parts(apps, $1)'),
			('im_apps', '', 'TABLE (app_id bigint, name text, rate_card text, opened_at timestamptz, tenant text)',
				'apps', 'im_internal.im_apps_of(apps)'),
			('im_card', 'name text, on_day date', '@extschema@.im_rate_card', 'none', '@extschema@.im_card($1, $2)'),
			('im_card_today', 'name text', '@extschema@.im_rate_card', 'none', '@extschema@.im_card($1)'),
			('im_current_card', '', '@extschema@.im_rate_card', 'none', '@extschema@.im_current_card()')
	) AS t(function_name, arguments, result, guard, call)
$list$;
COMMENT ON FUNCTION im_internal.im_guarded_definitions() IS
'The public functions that readers and tenants may call, and what answers them: a function of the name with _guarded behind it.';

CREATE FUNCTION im_internal.im_guarded_body(function_name text, result text, guard text, call text)
	RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $list$
	SELECT format($body$
#variable_conflict use_variable
DECLARE
	caller oid := im_internal.im_caller(%2$L::text);
	%3$s
BEGIN
	%4$s
	%5$s %6$s;
END
$body$, '@extschema@', function_name || '_guarded',
		CASE guard WHEN 'apps' THEN 'apps bigint[] := im_internal.im_visible_apps(caller);'
			WHEN 'account' THEN 'accounts bigint[] := im_internal.im_visible_accounts(caller);'
			WHEN 'accounts' THEN 'accounts bigint[] := im_internal.im_visible_accounts(caller);'
			WHEN 'balance' THEN 'accounts bigint[] := im_internal.im_visible_balances(caller);'
			WHEN 'balances' THEN 'accounts bigint[] := im_internal.im_visible_balances(caller);' END,
		CASE WHEN guard = 'app' THEN 'PERFORM im_internal.im_need_visible(caller, $1);'
			WHEN guard IN ('account', 'balance') THEN 'PERFORM im_internal.im_need_among($1, accounts);' END,
		CASE WHEN result ~ '^(SETOF|TABLE) ?' THEN 'RETURN QUERY SELECT * FROM' ELSE 'RETURN' END,
		call)
$list$;
COMMENT ON FUNCTION im_internal.im_guarded_body(text, text, text, text) IS
'The body of a function that answers readers and tenants.';

-- All functions that im_create_tables() makes.  Those that change rows for a
-- role stand here themselves.
CREATE FUNCTION im_internal.im_function_definitions()
	RETURNS TABLE (function_name text, arguments text, result text, language text,
		volatility text, body text, kinds text[], description text)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $list$
	SELECT g.function_name || '_guarded', g.arguments, g.result, 'plpgsql', 'STABLE',
		im_internal.im_guarded_body(g.function_name, g.result, g.guard, g.call),
		CASE WHEN g.guard IN ('balance', 'balances') THEN ARRAY['reader', 'tenant', 'cashier'] ELSE ARRAY['reader', 'tenant'] END,
		format('%s() for roles that may not read the tables. It runs with the rights of their owner and is called by %s() alone.',
			g.function_name, g.function_name)
	FROM im_internal.im_guarded_definitions() g
	UNION ALL
	SELECT * FROM (VALUES
			-- the ledger
			('im_close_batch', 'month @extschema@.im_month, batch integer, run @extschema@.im_run', '@extschema@.im_run', 'sql', 'VOLATILE',
				'SELECT im_internal.im_close_some($1, $2, $3)', ARRAY['closer'],
				'A batch of im_close_month(): issues invoices with the rights of the owner of the tables.'),
			('im_adjust_batch', 'month @extschema@.im_month, batch integer, run @extschema@.im_run', '@extschema@.im_run', 'sql', 'VOLATILE',
				'SELECT im_internal.im_adjust_some($1, $2, $3)', ARRAY['closer'],
				'A batch of im_adjust_month(): issues notes with the rights of the owner of the tables.'),
			-- accounts
			('im_suspend_arrears_guarded', 'at timestamptz, days integer', 'bigint', 'plpgsql', 'VOLATILE',
				im_internal.im_guarded_body('im_suspend_arrears'::text, 'bigint'::text, 'none'::text, '@extschema@.im_suspend_arrears($1, $2)'::text),
				ARRAY['cashier'],
				'im_suspend_arrears() for cashiers. It runs with the rights of the owner of the tables and is called by im_suspend_arrears() alone.')
	) AS t(function_name, arguments, result, language, volatility, body, kinds, description)
$list$;
COMMENT ON FUNCTION im_internal.im_function_definitions() IS
'The functions that im_create_tables() makes: owned by the owner of the tables, SECURITY DEFINER, EXECUTE for the kinds of roles named only.';
