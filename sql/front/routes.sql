-- How each public function is answered where the apps stand on many servers:
-- told once, so that none is forgotten.

CREATE FUNCTION im_internal.im_front_routes()
	RETURNS TABLE (name text, route text, detail text)
	LANGUAGE sql IMMUTABLE ROWS 100
BEGIN ATOMIC
	SELECT r.name, r.route, coalesce(r.detail, ''::text)
	FROM (VALUES
		-- values in, values out: no partition is asked
		('im_addon_fee'::text, 'any'::text, NULL::text),
		('im_block_fee', 'here', NULL),
		('im_bundled_card', 'here', NULL),
		('im_bundled_cards', 'here', NULL),
		('im_cards_of_others', 'here', NULL),
		('im_charge_amount', 'here', NULL),
		('im_charge_lines', 'here', NULL),
		('im_count', 'here', NULL),
		('im_dau', 'here', NULL),
		('im_day', 'here', NULL),
		('im_meter_average', 'here', NULL),
		('im_meter_last', 'here', NULL),
		('im_meter_max', 'here', NULL),
		('im_meter_sum', 'here', NULL),
		('im_meter_unique', 'here', NULL),
		('im_moderation_deductions', 'here', NULL),
		('im_month', 'here', NULL),
		('im_peak_groups', 'here', NULL),
		('im_price_list', 'here', NULL),
		('im_union_agg', 'here', NULL),
		('im_users', 'here', NULL),
		('im_userset_agg', 'here', NULL),
		('im_usage_fee', 'here', NULL),
		('im_app_dau', 'here', NULL),
		('im_app_dau_rows', 'here', NULL),
		-- all partitions have the same cards
		('im_current_card', 'any', NULL),
		('im_card', 'any', NULL),
		('im_dau_overage', 'any', NULL),
		('im_deductions', 'any', NULL),
		('im_group_overage', 'any', NULL),
		('im_moderation_fee', 'any', NULL),
		('im_quote', 'any', NULL),
		-- the partition of the app, which is the first argument
		('im_app_card', 'app', NULL),
		('im_app_status', 'app', NULL),
		('im_audit', 'app', NULL),
		('im_bill_html', 'app', NULL),
		('im_can', 'app', NULL),
		('im_cheapest_plan', 'app', NULL),
		('im_document_html', 'app', NULL),
		('im_explain', 'app', NULL),
		('im_forecast', 'app', NULL),
		('im_invoices', 'app', NULL),
		('im_limit', 'app', NULL),
		('im_limits', 'app', NULL),
		('im_moderation_statement', 'app', NULL),
		('im_monthly_bill', 'app', NULL),
		('im_monthly_total', 'app', NULL),
		('im_preview_bill', 'app', NULL),
		('im_rebill', 'app', NULL),
		('im_running_bill', 'app', NULL),
		-- all partitions side by side, their rows together
		('im_account_bill', 'all', NULL),
		('im_app_revenue', 'all', NULL),
		('im_apps', 'all', NULL),
		('im_compare_cards', 'all', NULL),
		('im_daily_charges', 'all', NULL),
		('im_daily_usage', 'all', NULL),
		('im_drift', 'all', NULL),
		('im_focus', 'all', NULL),
		('im_monthly_bills', 'all', NULL),
		('im_monthly_totals', 'all', NULL),
		('im_order_terms', 'all', NULL),
		('im_unbilled_usage', 'all', NULL),
		-- the same, put together anew: the query over what they say
		('im_account_totals', 'together', 'SELECT r.account_id, r.currency, pg_catalog.sum(r.total) FROM %s r GROUP BY 1, 2 ORDER BY 1, 2'),
		('im_balance', 'together', 'SELECT r.currency, pg_catalog.sum(r.owed), pg_catalog.sum(r.paid), pg_catalog.sum(r.balance) FROM %s r GROUP BY 1 ORDER BY 1'),
		-- of an account whose apps are on several partitions none knows the arrears
		('im_alerts', 'together', 'SELECT r.* FROM %s r WHERE r.kind <> ''arrears''
			UNION ALL
			SELECT a.app_id, a.kind, a.item, a.used, a.allowed, pg_catalog.round(a.used / a.allowed, 4), a.day,
				im_internal.im_alert_message(a.kind, a.item, a.option, a.used, a.allowed, a.day, a.today, a.problem)
			FROM im_front_parts.im_told_arrears($1, pg_catalog.now()) a WHERE $2 IS NOT NULL AND a.day - a.today <= $3'),
		('im_standing', 'together', 'SELECT r.* FROM %s r WHERE r.kind <> ''arrears'' UNION ALL SELECT a.* FROM im_front_parts.im_told_arrears($1, $2) a'),
		('im_billed_months', 'together', 'SELECT DISTINCT r.* FROM %s r ORDER BY 1'),
		('im_check_orders', 'together', 'SELECT pg_catalog.sum(r)::pg_catalog.int8 FROM %s r'),
		-- as one node does, a month that is closed in part is closing, and drift is told of what is closed whole
		('im_months', 'together', 'WITH said AS MATERIALIZED (SELECT r.* FROM %s r),
			far AS (
				SELECT s.month, pg_catalog.count(s.currency) > 0 AS billed,
					CASE WHEN pg_catalog.bool_or(s.state = ''closing'') OR pg_catalog.count(DISTINCT s.state IN (''open'', ''closable'')) > 1 THEN ''closing''
						WHEN pg_catalog.bool_or(s.state = ''open'') THEN ''open''
						WHEN pg_catalog.bool_or(s.state = ''closable'') THEN ''closable''
						WHEN pg_catalog.bool_or(s.state = ''drifted'') THEN ''drifted''
						ELSE ''closed'' END AS state
				FROM said s GROUP BY s.month)
			SELECT s.month, f.state, pg_catalog.sum(s.apps)::pg_catalog.int8, pg_catalog.sum(s.documents)::pg_catalog.int8, s.currency, pg_catalog.sum(s.total)
			FROM said s JOIN far f ON f.month = s.month
			WHERE s.currency IS NOT NULL OR NOT f.billed
			GROUP BY 1, 2, 5 ORDER BY s.month, s.currency COLLATE "C"'),
		('im_revenue', 'together', 'SELECT r.month, r.item, r.currency, pg_catalog.sum(r.billed), pg_catalog.sum(r.earned), pg_catalog.sum(r.deferred) FROM %s r GROUP BY 1, 2, 3 ORDER BY 1, 2, 3'),
		-- what front.sql and jobs.sql make by hand
		('im_check', 'own', NULL),
		('im_create_billing_view', 'own', NULL),
		('im_month_root', 'own', NULL),
		('im_verify_invoices', 'own', NULL),
		('im_meter', 'own', NULL),
		('im_meter_month', 'own', NULL),
		('im_keep_metered', 'own', NULL),
		('im_forget_metering', 'own', NULL),
		('im_close_month', 'own', NULL),
		('im_adjust_month', 'own', NULL),
		-- the same functions again, over what all partitions say
		('im_account_html', 'copied', NULL),
		('im_arrears', 'copied', NULL),
		('im_arrears_reason', 'copied', NULL),
		('im_month_html', 'copied', NULL),
		('im_notify_alerts', 'copied', NULL),
		('im_suspend_arrears', 'copied', NULL),
		('im_unpaid', 'copied', NULL),
		-- what stands here, and makes or leaves a front
		('im_create_front', 'here', NULL),
		-- what belongs to one database
		('im_create_tables', 'refused', 'Call it in each partition.'),
		('im_grant', 'refused', 'Call it in each partition, then im_front_admit(role, remote_user) here.'),
		('im_grants', 'refused', 'Call it in each partition.'),
		('im_revoke', 'refused', 'Call it in each partition, then drop the user mappings here.'),
		('im_ledger_anchor', 'refused', 'Call it in each partition: each has a ledger of its own.'),
		('im_verify_anchor', 'refused', 'Call it in the partition that printed the line.'),
		('im_partition', 'refused', 'Call it in each partition.'))
		r(name, route, detail);
END;
COMMENT ON FUNCTION im_internal.im_front_routes() IS
'How im_create_front() has each public function answered: here, by the partition of the app, by any one, by all together, by a query over what all say, by a function of the front''s own, by a copy over what all say, or refused with the sentence where to call it.';

-- PL/Proxy wants its functions volatile.
CREATE FUNCTION im_internal.im_make_routed(place text, f oid, run_on text) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	p pg_proc;
	gives text := pg_get_function_result($2);
BEGIN
	SELECT * INTO STRICT p FROM pg_proc WHERE oid = $2;
	IF $3 = 'ALL' AND NOT p.proretset THEN
		gives := 'SETOF ' || gives;
	END IF;
	EXECUTE format('CREATE FUNCTION %s.%I(%s) RETURNS %s LANGUAGE plproxy %s AS %L', $1, p.proname,
		pg_get_function_arguments($2), gives, CASE WHEN p.proisstrict THEN 'STRICT' ELSE '' END,
		format('CLUSTER ''im_front''; RUN ON %s; TARGET %s.%I;', $3, p.pronamespace::regnamespace, p.proname));
END
$$;
COMMENT ON FUNCTION im_internal.im_make_routed(text, oid, text) IS
'Makes a function of the same face in another schema that runs on some or all partitions.';
