-- Views for BI: plain columns that Metabase, Grafana and Excel read without
-- knowing our types. Like the tables they are the user's, made by
-- im_create_tables() from the lists below.
--
-- A month is a column of the views that comes from im_billed_months(), and
-- everything else of its row is computed from it: a condition on month is
-- applied first, so that only the months that were asked for are rated.
--
-- Numerics say how many places they have, all that amounts can have: ODBC
-- describes a numeric without them as one of 6, and clients cut there.

CREATE FUNCTION im_internal.im_view_definitions()
	RETURNS TABLE (view_name text, definition text, description text)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT * FROM (VALUES
			('im_bi_bill_line', 'SELECT m.month, l.app_id, a.name AS app_name, l.line, l.item, l.option, '
				'lower(l.period) AS period_from, upper(l.period) - 1 AS period_through, l.due_on, '
				'l.quantity::numeric(38,8) AS quantity, l.included::numeric(38,8) AS included, l.billable::numeric(38,8) AS billable, '
				'l.units::numeric(38,8) AS units, l.unit_price::numeric(38,8) AS unit_price, l.amount::numeric(38,8) AS amount, l.currency, l.explanation '
				'FROM @extschema@.im_billed_months() m CROSS JOIN LATERAL @extschema@.im_monthly_bills(m.month::@extschema@.im_month) l '
				'LEFT JOIN @extschema@.im_apps() a ON a.app_id = l.app_id',
				'All bill lines of all apps, from the first month through the running one. Give a condition on month: only those months are rated.'),
			('im_bi_bill_total', 'SELECT m.month, t.app_id, a.name AS app_name, t.total::numeric(38,8) AS total, t.currency '
				'FROM @extschema@.im_billed_months() m CROSS JOIN LATERAL @extschema@.im_monthly_totals(m.month::@extschema@.im_month) t '
				'LEFT JOIN @extschema@.im_apps() a ON a.app_id = t.app_id',
				'Totals of the bills of all apps, rounded once, from the first month through the running one. Give a condition on month.'),
			('im_bi_usage_daily', 'SELECT m.month, u.app_id, a.name AS app_name, u.day, u.status, u.plan, '
				'CASE WHEN u.given THEN ''given'' ELSE ''metered'' END AS source, u.dau, u.peak_groups, u.text_checks, '
				'u.image_checks, u.audio_half_minutes, u.video_half_minutes, u.audio_minutes, u.sd_minutes, u.hd_minutes, u.fhd_minutes '
				'FROM @extschema@.im_billed_months() m CROSS JOIN LATERAL @extschema@.im_daily_usage(m.month::@extschema@.im_month) u '
				'LEFT JOIN @extschema@.im_apps() a ON a.app_id = u.app_id',
				'Usage of all apps by day, as bills see it, from the first month through the running one. Give a condition on month.'),
			('im_bi_revenue', 'SELECT m.month, r.app_id, a.name AS app_name, r.item, r.option, r.billed::numeric(38,8) AS billed, '
				'r.earned::numeric(38,8) AS earned, r.deferred::numeric(38,8) AS deferred, r.currency '
				'FROM @extschema@.im_billed_months() m CROSS JOIN LATERAL @extschema@.im_app_revenue(m.month::@extschema@.im_month, m.month::@extschema@.im_month) r '
				'LEFT JOIN @extschema@.im_apps() a ON a.app_id = r.app_id',
				'What was billed and earned in each month, and what is deferred at its end, by app and item. Give a condition on month.'),
			('im_bi_order', 'SELECT o.app_id, a.name AS app_name, o.order_id, o.at, t.day, o.action, o.item, o.option, '
				'o.months::bigint AS months, o.quantity::bigint AS quantity, o.refunds, o.paid::numeric(38,8) AS paid, t.starts_on, t.ends_on, t.bought_through, '
				't.amount::numeric(38,8) AS amount, t.currency, t.refunded_on '
				'FROM @extschema@.im_order o LEFT JOIN @extschema@.im_app a ON a.app_id = o.app_id '
				'LEFT JOIN @extschema@.im_order_terms() t ON t.app_id = o.app_id AND t.order_id = o.order_id',
				'The order log with what became of each order: its term and its amount.'),
			-- the ledger
			('im_close_progress', 'SELECT p.*, CASE p.state WHEN ''closed'' THEN 0 ELSE ceil(greatest(p.total - p.done, 0) / nullif(p.apps_per_second, 0)) END AS seconds_left '
				'FROM (SELECT c.month, CASE WHEN range_agg(c.apps) @> ''(,)''::int8range THEN ''closed'' ELSE ''closing'' END AS state, '
				'sum(c.done)::bigint AS done, (array_agg(c.total ORDER BY c.closed_at DESC) FILTER (WHERE c.is_close))[1] AS total, '
				'sum(c.invoices)::bigint AS invoices, max(c.last_begun) AS begun_at, max(c.closed_at) FILTER (WHERE c.is_close) AS last_at, '
				'round(sum(c.done) FILTER (WHERE c.closed_at >= c.last_begun) '
				'/ nullif(extract(epoch FROM max(c.closed_at) FILTER (WHERE c.is_close) - max(c.last_begun)), 0), 1) AS apps_per_second '
				'FROM (SELECT i.month, i.apps, i.done, i.total, i.invoices, i.closed_at, i.done > 0 OR i.invoices = 0 AND NOT isempty(i.apps) AS is_close, '
				'max(i.begun_at) FILTER (WHERE i.done > 0 OR i.invoices = 0 AND NOT isempty(i.apps)) OVER (PARTITION BY i.month) AS last_begun '
				'FROM @extschema@.im_closing i) c GROUP BY c.month) p',
				'How far the close of each month has come, batch by batch: for another connection to watch.')
	) AS v(view_name, definition, description)
$$;
COMMENT ON FUNCTION im_internal.im_view_definitions() IS
'The views for BI that im_create_tables() makes. A later version adds columns at the end of a view, and may change the type of one.';

CREATE FUNCTION im_internal.im_view_column_definitions()
	RETURNS TABLE (view_name text, column_name text, description text)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT * FROM (VALUES
			('im_bi_bill_line', 'month', 'First day of the usage month; conditions on it are applied before rating.'),
			('im_bi_bill_line', 'app_id', 'The app (SDKAppID) that pays.'),
			('im_bi_bill_line', 'app_name', 'Its name.'),
			('im_bi_bill_line', 'line', 'Number of the line in the bill of the app and month, from 1.'),
			('im_bi_bill_line', 'item', 'plan, plan_upgrade, dau_overage, mau_overage, group_overage, an add-on, call_minutes, local_moderation, moderation_pack, pack, moderation, refund, credit or charge.'),
			('im_bi_bill_line', 'option', 'Plan, option, class or pack; of a refund the refunded item, of a credit or charge the reason; empty where there is none.'),
			('im_bi_bill_line', 'period_from', 'First day that the line pays for.'),
			('im_bi_bill_line', 'period_through', 'Last day that the line pays for.'),
			('im_bi_bill_line', 'due_on', 'Day on which the amount falls due.'),
			('im_bi_bill_line', 'quantity', 'What was used or bought.'),
			('im_bi_bill_line', 'included', 'What a quota or packs covered.'),
			('im_bi_bill_line', 'billable', 'quantity - included, at least 0.'),
			('im_bi_bill_line', 'units', 'What is multiplied by unit_price: started blocks, months, minutes, deductions.'),
			('im_bi_bill_line', 'unit_price', 'Price of a unit.'),
			('im_bi_bill_line', 'amount', 'The amount, exact to at most 8 places; only totals are rounded.'),
			('im_bi_bill_line', 'currency', 'ISO 4217 code.'),
			('im_bi_bill_line', 'explanation', 'One sentence on how the amount came about.'),
			('im_bi_bill_total', 'month', 'First day of the usage month; conditions on it are applied before rating.'),
			('im_bi_bill_total', 'app_id', 'The app (SDKAppID) that pays.'),
			('im_bi_bill_total', 'app_name', 'Its name.'),
			('im_bi_bill_total', 'total', 'The total of the bill, rounded once to the places of the currency.'),
			('im_bi_bill_total', 'currency', 'ISO 4217 code.'),
			('im_bi_usage_daily', 'month', 'First day of the usage month; conditions on it are applied before metering.'),
			('im_bi_usage_daily', 'app_id', 'The app (SDKAppID).'),
			('im_bi_usage_daily', 'app_name', 'Its name.'),
			('im_bi_usage_daily', 'day', 'Day in the time zone of the rate card.'),
			('im_bi_usage_daily', 'status', 'trial, active, grace, stopped, suspended or reclaimed; null where the orders break the rules.'),
			('im_bi_usage_daily', 'plan', 'Paid plan in force on the day; null where there is none.'),
			('im_bi_usage_daily', 'source', 'given: some figure of the day is of a row in im_usage_daily; metered: all are from events.'),
			('im_bi_usage_daily', 'dau', 'Distinct users that logged in.'),
			('im_bi_usage_daily', 'peak_groups', 'Most groups existing at one moment.'),
			('im_bi_usage_daily', 'text_checks', 'Texts checked.'),
			('im_bi_usage_daily', 'image_checks', 'Images checked.'),
			('im_bi_usage_daily', 'audio_half_minutes', 'Half minutes of audio checked, each clock hour rounded down.'),
			('im_bi_usage_daily', 'video_half_minutes', 'Half minutes of video checked, each clock hour rounded down.'),
			('im_bi_usage_daily', 'audio_minutes', 'Minutes of audio calls, started ones counted.'),
			('im_bi_usage_daily', 'sd_minutes', 'Minutes of sd video calls.'),
			('im_bi_usage_daily', 'hd_minutes', 'Minutes of hd video calls.'),
			('im_bi_usage_daily', 'fhd_minutes', 'Minutes of fhd video calls.'),
			('im_bi_revenue', 'month', 'First day of the month; conditions on it are applied before anything is computed.'),
			('im_bi_revenue', 'app_id', 'The app (SDKAppID).'),
			('im_bi_revenue', 'app_name', 'Its name.'),
			('im_bi_revenue', 'item', 'Item of the bill lines.'),
			('im_bi_revenue', 'option', 'Plan, option, class or pack; of a refund the refunded item, of a credit or charge the reason.'),
			('im_bi_revenue', 'billed', 'Sum of the bill lines of the month.'),
			('im_bi_revenue', 'earned', 'Earned in the month: fees by day of their term, packs as they are used, usage as it happens.'),
			('im_bi_revenue', 'deferred', 'Billed by the end of the month and not yet earned.'),
			('im_bi_revenue', 'currency', 'ISO 4217 code.'),
			('im_bi_order', 'app_id', 'The app (SDKAppID) that ordered.'),
			('im_bi_order', 'app_name', 'Its name.'),
			('im_bi_order', 'order_id', 'Number of the order within the app.'),
			('im_bi_order', 'at', 'When it was placed.'),
			('im_bi_order', 'day', 'That day in the time zone of the rate card; null, as all that follows from the rules, where the orders break them.'),
			('im_bi_order', 'action', 'buy, upgrade, refund, on, off, void, credit or charge.'),
			('im_bi_order', 'item', 'What it is about.'),
			('im_bi_order', 'option', 'Plan, option or pack.'),
			('im_bi_order', 'months', 'Months bought.'),
			('im_bi_order', 'quantity', 'Packs bought.'),
			('im_bi_order', 'refunds', 'The order that it refunds or voids.'),
			('im_bi_order', 'paid', 'Agreed amount instead of the price of the card.'),
			('im_bi_order', 'starts_on', 'First day in force of what was bought; null for refunds, switches, voids, credits and charges, and for what was refunded before it began or voided.'),
			('im_bi_order', 'ends_on', 'Last day in force, a refund considered.'),
			('im_bi_order', 'bought_through', 'Last day as bought.'),
			('im_bi_order', 'amount', 'What it cost; negative for refunds and credits, null for switches, voids and what was voided.'),
			('im_bi_order', 'currency', 'ISO 4217 code.'),
			('im_bi_order', 'refunded_on', 'Day on which it was refunded.'),
			('im_close_progress', 'month', 'First day of the usage month.'),
			('im_close_progress', 'state', 'closing, or closed when no app is open.'),
			('im_close_progress', 'done', 'Apps that are closed.'),
			('im_close_progress', 'total', 'Apps to close when the last call began.'),
			('im_close_progress', 'invoices', 'Invoices issued.'),
			('im_close_progress', 'begun_at', 'When the last call began.'),
			('im_close_progress', 'last_at', 'When the last batch was closed.'),
			('im_close_progress', 'apps_per_second', 'Apps that were closed a second since the last call began.'),
			('im_close_progress', 'seconds_left', 'Seconds until all are closed at that rate.')
	) AS c(view_name, column_name, description)
$$;
COMMENT ON FUNCTION im_internal.im_view_column_definitions() IS
'The columns of those views.';

-- Replacing a view locks out those who read it.  What PostgreSQL makes of a
-- definition is compared by a view that nobody reads.
CREATE FUNCTION im_internal.im_view_stands(name text, definition text, owner name) RETURNS boolean
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
	SET client_min_messages = warning
AS $$
DECLARE
	stands regclass := (SELECT c.oid::regclass FROM pg_class c
						WHERE c.oid = to_regclass(format('%s.%I', '@extschema@', $1)) AND pg_get_userbyid(c.relowner) = $3
							AND c.reloptions = '{security_invoker=true}');
	same boolean;
BEGIN
	IF stands IS NULL THEN
		RETURN false;
	END IF;
	EXECUTE 'CREATE TEMPORARY VIEW im_view_of_now AS ' || $2;
	same := pg_get_viewdef('pg_temp.im_view_of_now'::regclass) = pg_get_viewdef(stands);
	DROP VIEW pg_temp.im_view_of_now;
	RETURN same;
END
$$;
COMMENT ON FUNCTION im_internal.im_view_stands(text, text, name) IS
'Whether a view is there as it is defined, with this owner.';

CREATE FUNCTION im_internal.im_view_grants(view regclass) RETURNS SETOF text
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('GRANT %s%s ON %s TO %s%s', g.privilege_type, g.columns, $1,
		CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END,
		CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' END)
	FROM (SELECT x.*, '' AS columns
		  FROM pg_class c, aclexplode(c.relacl) x WHERE c.oid = $1 AND x.grantee <> c.relowner
		  UNION ALL
		  SELECT x.*, format('(%I)', a.attname)
		  FROM pg_attribute a, aclexplode(a.attacl) x WHERE a.attrelid = $1) g
$$;
COMMENT ON FUNCTION im_internal.im_view_grants(regclass) IS
'The statements that grant again what is granted on a view.';

-- A view cannot be given other types. It is made anew with what is granted on
-- it, unless something of the user's depends on it: then it keeps its types.
CREATE FUNCTION im_internal.im_retype_view(view regclass, definition text) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	grants text[] := ARRAY(SELECT * FROM im_internal.im_view_grants($1));
	name text := $1::text;
	kept text := (
		SELECT string_agg(format('q.%I::%s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum)
		FROM pg_attribute a WHERE a.attrelid = $1 AND a.attnum > 0);
	command text;
BEGIN
	EXECUTE format('DROP VIEW %s', name);
	EXECUTE format('CREATE VIEW %s WITH (security_invoker = true) AS %s', name, $2);
	FOREACH command IN ARRAY grants LOOP
		EXECUTE command;
	END LOOP;
EXCEPTION WHEN dependent_objects_still_exist THEN
	EXECUTE format('CREATE OR REPLACE VIEW %s WITH (security_invoker = true) AS SELECT %s FROM (%s) q', name, kept, $2);
	RAISE NOTICE 'view % keeps the types of its columns, since other objects depend on it', name
		USING HINT = 'Drop those, call im_create_tables() again and make them anew.';
END
$$;
COMMENT ON FUNCTION im_internal.im_retype_view(regclass, text) IS
'Gives a view for BI the types of its columns in this version.';

CREATE FUNCTION im_internal.im_add_views() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	owner name := coalesce(im_internal.im_tables_owner(), current_user);
	v record;
BEGIN
	FOR v IN
		SELECT * FROM im_internal.im_view_definitions() d
		WHERE NOT im_internal.im_view_stands(d.view_name, d.definition, owner)
	LOOP
		BEGIN
			EXECUTE format('CREATE OR REPLACE VIEW %s.%I WITH (security_invoker = true) AS %s',
				'@extschema@', v.view_name, v.definition);
		EXCEPTION WHEN invalid_table_definition THEN
			PERFORM im_internal.im_retype_view(format('%s.%I', '@extschema@', v.view_name)::regclass, v.definition);
		END;
		EXECUTE format('ALTER VIEW %s.%I OWNER TO %I', '@extschema@', v.view_name, owner);
		EXECUTE format('COMMENT ON VIEW %s.%I IS %L', '@extschema@', v.view_name, v.description);
	END LOOP;
	FOR v IN
		SELECT d.*
		FROM im_internal.im_view_column_definitions() d
		JOIN pg_attribute a ON a.attrelid = format('%s.%I', '@extschema@', d.view_name)::regclass AND a.attname = d.column_name
		WHERE col_description(a.attrelid, a.attnum) IS DISTINCT FROM d.description
	LOOP
		EXECUTE format('COMMENT ON COLUMN %s.%I.%I IS %L',
			'@extschema@', v.view_name, v.column_name, v.description);
	END LOOP;
END
$$;
COMMENT ON FUNCTION im_internal.im_add_views() IS
'Makes the views for BI, or brings them up to date.';
