-- The SQL face is a promise: every type, function, aggregate, operator, table, column
-- and key of it exists under exactly these names; everything has a comment; nothing
-- is SECURITY DEFINER or follows the caller's search_path.
BEGIN;
\ir include/setup.sql
SET LOCAL search_path = public, im_test;

CREATE TEMP TABLE ext AS
SELECT e.oid, n.nspname AS schema FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname = 'imbilling';
CREATE TEMP TABLE member AS
SELECT d.classid, d.objid FROM pg_depend d, ext
WHERE d.refclassid = 'pg_extension'::regclass AND d.refobjid = ext.oid AND d.deptype = 'e';

-- Types -------------------------------------------------------------------------
SELECT ok(EXISTS (SELECT FROM member m JOIN pg_type t ON t.oid = m.objid
	WHERE m.classid = 'pg_type'::regclass AND t.typname = name), format('type %s', name))
FROM unnest('{im_month,im_rate_card,im_userset,im_bill_line}'::text[]) name;
SELECT ok(t.typsend <> 0 AND t.typreceive <> 0, format('%s has a binary form', typname))
FROM pg_type t WHERE typname IN ('im_month', 'im_rate_card', 'im_userset') AND typtype = 'b' ORDER BY typname;
SELECT is((SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum)
	FROM pg_attribute WHERE attrelid = 'im_bill_line'::regclass AND attnum > 0),
	'app_id bigint, month date, line integer, item text, option text, period daterange, due_on date, '
	'quantity numeric, included numeric, billable numeric, units numeric, unit_price numeric, amount numeric, '
	'currency text, explanation text', 'im_bill_line has exactly its columns');

-- Casts
SELECT is((SELECT castcontext::text FROM pg_cast WHERE castsource = s::regtype AND casttarget = t::regtype), c,
	format('cast %s -> %s', s, t))
FROM (VALUES ('date', 'im_month', 'i')) v(s, t, c);
SELECT ok(EXISTS (SELECT FROM pg_cast WHERE castsource = s::regtype AND casttarget = t::regtype), format('cast %s -> %s', s, t))
FROM (VALUES ('im_month', 'date'), ('im_month', 'daterange'), ('im_rate_card', 'jsonb'), ('jsonb', 'im_rate_card')) v(s, t);

-- Operators
SELECT ok(EXISTS (SELECT FROM pg_operator o JOIN member m ON m.objid = o.oid AND m.classid = 'pg_operator'::regclass
	WHERE o.oprname = op AND o.oprleft = l::regtype AND o.oprright = r::regtype AND o.oprresult = res::regtype),
	format('operator %s %s %s -> %s', l, op, r, res))
FROM (VALUES ('im_month', '=', 'im_month', 'bool'), ('im_month', '<>', 'im_month', 'bool'), ('im_month', '<', 'im_month', 'bool'),
	('im_month', '<=', 'im_month', 'bool'), ('im_month', '>', 'im_month', 'bool'), ('im_month', '>=', 'im_month', 'bool'),
	('im_month', '+', 'int', 'im_month'), ('im_month', '-', 'int', 'im_month'), ('im_month', '-', 'im_month', 'int'),
	('im_userset', '|', 'im_userset', 'im_userset'), ('im_userset', '=', 'im_userset', 'bool')) v(l, op, r, res);
SELECT ok(EXISTS (SELECT FROM pg_opclass c JOIN pg_am a ON a.oid = c.opcmethod
	WHERE c.opcintype = 'im_month'::regtype AND a.amname = am AND c.opcdefault), format('default %s opclass of im_month', am))
FROM unnest('{btree,hash}'::text[]) am;

-- Functions ------------------------------------------------------------------------
-- name, arguments by name and type, result, volatility, kind
CREATE TEMP TABLE promise (n serial, name text, args text, result text, volatility text, kind text);
INSERT INTO promise (name, args, result, volatility, kind) VALUES
	('im_create_tables', 'with_cards boolean', NULL, 'v', 'f'),
	('im_meter', 'first_day date, last_day date', 'bigint', 'v', 'f'),
	('im_keep_metered', 'first_day date, last_day date', 'bigint', 'v', 'f'),
	('im_forget_metering', 'first_day date, last_day date', 'bigint', 'v', 'f'),
	('im_monthly_bill', 'app_id bigint, month im_month', 'SETOF im_bill_line', 's', 'f'),
	('im_monthly_bills', 'month im_month', 'SETOF im_bill_line', 's', 'f'),
	('im_monthly_bills', 'month im_month, skip_unbillable boolean', 'SETOF im_bill_line', 's', 'f'),
	('im_monthly_total', 'app_id bigint, month im_month', 'numeric', 's', 'f'),
	('im_monthly_totals', 'month im_month', 'TABLE(app_id bigint, currency text, total numeric)', 's', 'f'),
	('im_preview_bill', 'app_id bigint, month im_month, card im_rate_card', 'SETOF im_bill_line', 's', 'f'),
	('im_check', 'month im_month', 'TABLE(app_id bigint, problem text)', 's', 'f'),
	('im_check_orders', '', NULL, NULL, 'f'),
	('im_block_fee', 'usage bigint, included bigint, block bigint, price numeric', 'numeric', 'i', 'f'),
	('im_dau_overage', 'card im_rate_card, plan text, peak_dau bigint', 'numeric', 'i', 'f'),
	('im_group_overage', 'card im_rate_card, plan text, peak bigint', 'numeric', 'i', 'f'),
	('im_addon_fee', 'card im_rate_card, plan text, addon text, option text', 'numeric', 'i', 'f'),
	('im_moderation_fee', 'card im_rate_card, deductions numeric', 'numeric', 'i', 'f'),
	('im_deductions', 'card im_rate_card, kind text, quantity numeric', 'numeric', 'i', 'f'),
	('im_dau_overage', 'plan text, peak_dau bigint', 'numeric', 's', 'f'),
	('im_group_overage', 'plan text, peak bigint', 'numeric', 's', 'f'),
	('im_addon_fee', 'plan text, addon text, option text', 'numeric', 's', 'f'),
	('im_moderation_fee', 'deductions numeric', 'numeric', 's', 'f'),
	('im_deductions', 'kind text, quantity numeric', 'numeric', 's', 'f'),
	('im_dau', 'user_id anyelement', 'bigint', 'i', 'a'),
	('im_peak_groups', 'created_at timestamp with time zone, disbanded_at timestamp with time zone, '
		'since timestamp with time zone, until timestamp with time zone', 'bigint', 'i', 'a'),
	('im_moderation_deductions', 'card im_rate_card, kind text, at timestamp with time zone, seconds integer', 'numeric', 'i', 'a'),
	('im_userset_agg', 'user_id anyelement', 'im_userset', 'i', 'a'),
	('im_union_agg', '% im_userset', 'im_userset', 'i', 'a'),
	('im_count', '% im_userset', 'bigint', 'i', 'f'),
	('im_users', '% im_userset', 'SETOF text', 'i', 'f'),
	('im_day', '% timestamp with time zone, zone text', 'date', 'i', 'f'),
	('im_month', '% timestamp with time zone, zone text', 'im_month', 'i', 'f'),
	('im_moderation_statement', 'app_id bigint, month im_month', NULL, 's', 'f'),
	('im_moderation_statement', 'app_id bigint, month im_month, by_scene boolean', 'SETOF im_scene_day', 's', 'f'),
	('im_daily_charges', 'day date', 'SETOF im_daily_charge', 's', 'f'),
	('im_daily_charges', 'app_id bigint, first_day date, last_day date', 'SETOF im_daily_charge', 's', 'f'),
	('im_unbilled_usage', 'month im_month', 'TABLE(app_id bigint, day date, kind text, quantity numeric, reason text)', 's', 'f'),
	('im_app_status', 'app_id bigint, at timestamp with time zone', 'text', 's', 'f'),
	('im_card', 'name text', 'im_rate_card', 's', 'f'),
	('im_card', 'name text, on_day date', 'im_rate_card', 's', 'f'),
	('im_months', '', 'SETOF im_month_state', 's', 'f'),
	('im_meter_month', 'month im_month', 'bigint', 'v', 'f'),
	('im_limit', 'app_id bigint, name text', 'numeric', 's', 'f'),
	('im_limit', 'app_id bigint, name text, at timestamp with time zone', 'numeric', 's', 'f'),
	('im_can', 'app_id bigint, name text', 'boolean', 's', 'f'),
	('im_can', 'app_id bigint, name text, at timestamp with time zone', 'boolean', 's', 'f'),
	('im_limits', 'app_id bigint', 'TABLE(name text, value numeric, used numeric, source text)', 's', 'f'),
	('im_limits', 'app_id bigint, at timestamp with time zone', 'TABLE(name text, value numeric, used numeric, source text)', 's', 'f'),
	('im_create_billing_view', 'name text, first_month im_month, last_month im_month', NULL, 'v', 'f'),
	('im_running_bill', 'app_id bigint', 'SETOF im_bill_line', 's', 'f'),
	('im_running_bill', 'app_id bigint, at timestamp with time zone', 'SETOF im_bill_line', 's', 'f'),
	('im_forecast', 'app_id bigint', 'TABLE(month date, currency text, so_far numeric, low numeric, expected numeric, high numeric, method text)', 's', 'f'),
	('im_forecast', 'app_id bigint, at timestamp with time zone', NULL, 's', 'f'),
	('im_revenue', 'first_month im_month, last_month im_month',
		'TABLE(month date, item text, currency text, billed numeric, earned numeric, deferred numeric)', 's', 'f'),
	('im_focus', 'first_month im_month, last_month im_month', 'SETOF im_focus_charge', 's', 'f'),
	('im_app_revenue', 'first_month im_month, last_month im_month', 'TABLE(app_id bigint, month date, item text, option text, '
		'currency text, billed numeric, earned numeric, deferred numeric)', 's', 'f'),
	('im_price_list', 'card im_rate_card', 'TABLE(item text, plan text, option text, charge text, included %, block %, price numeric, "grant" %, coefficient numeric)', NULL, 'f'),
	('im_partition', 'parent regclass, since date, until date, step interval, zone text', 'integer', 'v', 'f'),
	('im_grant', 'role regrole, kind text', NULL, 'v', 'f'),
	('im_revoke', 'role regrole, kind text', NULL, 'v', 'f'),
	('im_grants', '', 'TABLE(role name, kind text)', 's', 'f'),
	('im_apps', '', 'TABLE(app_id bigint, name text, rate_card text, opened_at timestamp with time zone, tenant text)', 's', 'f'),
	('im_app_card', 'app_id bigint, month im_month', 'im_rate_card', 's', 'f'),
	('im_bundled_card', 'name text, effective_from date', 'im_rate_card', 'i', 'f'),
	('im_cards_of_others', '', 'TABLE(rate_card text, effective_from date, terms jsonb, source text, read_on date, remark text)', 'i', 'f');
-- Pages and reasons
INSERT INTO promise (name, args, result, volatility, kind) VALUES
	('im_explain', 'app_id bigint, month im_month, line integer', 'TABLE(ordinal integer, fact text, day date, quantity numeric, amount numeric, note text, source text, detail jsonb)', 's', 'f'),
	('im_bill_html', 'app_id bigint, month im_month, lang text', 'text', 's', 'f'),
	('im_month_html', 'month im_month, lang text', 'text', 's', 'f');
-- What finance asks
INSERT INTO promise (name, args, result, volatility, kind) VALUES
	('im_quote', 'card im_rate_card, plan text, months integer, peak_dau bigint, peak_groups bigint, addons jsonb, deductions numeric', 'SETOF im_bill_line', 'i', 'f'),
	('im_quote', 'plan text, months integer, peak_dau bigint, peak_groups bigint, addons jsonb, deductions numeric', 'SETOF im_bill_line', 's', 'f'),
	('im_cheapest_plan', 'app_id bigint, month im_month', 'TABLE(rank integer, plan text, total numeric, currency text, possible boolean, reason text, held boolean, items jsonb)', 's', 'f'),
	('im_compare_cards', 'month im_month, a im_rate_card, b im_rate_card', 'TABLE(app_id bigint, total_a numeric, currency_a text, total_b numeric, currency_b text, difference numeric, moved jsonb, reason text)', 's', 'f'),
	('im_standing', 'month im_month, at timestamp with time zone', 'TABLE(app_id bigint, kind text, item text, option text, used numeric, allowed numeric, day date, today date, problem text)', 's', 'f'),
	('im_alerts', 'month im_month, share numeric, days integer', 'TABLE(app_id bigint, kind text, item text, used numeric, allowed numeric, ratio numeric, day date, message text)', 's', 'f'),
	('im_notify_alerts', 'channel text, month im_month, share numeric, days integer', 'bigint', 'v', 'f'),
	('im_daily_usage', 'month im_month', 'TABLE(app_id bigint, day date, status text, plan text, given boolean, dau bigint, peak_groups bigint, text_checks bigint, image_checks bigint, audio_half_minutes bigint, video_half_minutes bigint, audio_minutes bigint, sd_minutes bigint, hd_minutes bigint, fhd_minutes bigint)', 's', 'f'),
	('im_order_terms', '', 'TABLE(app_id bigint, order_id bigint, day date, starts_on date, ends_on date, bought_through date, amount numeric, currency text, refunded_on date)', 's', 'f'),
	('im_billed_months', '', 'TABLE(month date)', 's', 'f');
-- Accounts
INSERT INTO promise (name, args, result, volatility, kind) VALUES
	('im_account_bill', 'account_id bigint, month im_month', 'SETOF im_account_line', 's', 'f'),
	('im_account_totals', 'month im_month', 'TABLE(account_id bigint, currency text, total numeric)', 's', 'f'),
	('im_balance', 'account_id bigint', 'SETOF im_balance_line', 's', 'f'),
	('im_balance', 'account_id bigint, at timestamp with time zone', 'SETOF im_balance_line', 's', 'f'),
	('im_arrears', 'at timestamp with time zone', 'SETOF im_arrears_line', 's', 'f'),
	('im_arrears_reason', 'account_id bigint, at timestamp with time zone', 'SETOF im_arrears_fact', 's', 'f'),
	('im_account_html', 'account_id bigint, month im_month, lang text', 'text', 's', 'f'),
	('im_unpaid', 'account_id bigint, at timestamp with time zone', 'SETOF im_unpaid_bill', 's', 'f'),
	('im_suspend_arrears', 'at timestamp with time zone', 'bigint', 'v', 'f'),
	('im_suspend_arrears', 'at timestamp with time zone, days integer', 'bigint', 'v', 'f');
-- What closes the books
INSERT INTO promise (name, args, result, volatility, kind) VALUES
	('im_close_month', 'IN month im_month, IN batch integer', NULL, NULL, 'p'),
	('im_adjust_month', 'IN month im_month, IN batch integer', NULL, NULL, 'p'),
	('im_rebill', 'app_id bigint, month im_month', 'SETOF im_bill_line', 's', 'f'),
	('im_drift', 'month im_month', 'TABLE(app_id bigint, issued numeric, rebilled numeric, difference numeric)', 's', 'f'),
	('im_month_root', 'month im_month', 'bytea', 's', 'f'),
	('im_ledger_anchor', '', 'text', 's', 'f'),
	('im_verify_anchor', 'anchor text', 'SETOF im_invoice_problem', 's', 'f'),
	('im_verify_invoices', 'month im_month, root bytea', 'SETOF im_invoice_problem', 's', 'f'),
	('im_document_html', 'app_id bigint, month im_month, revision integer, lang text', 'text', 's', 'f'),
	('im_invoices', 'app_id bigint, month im_month', 'SETOF im_document', 's', 'f'),
	('im_audit', 'app_id bigint, month im_month', 'TABLE(at timestamp with time zone, event text, amount numeric, currency text, detail text)', 's', 'f');
CREATE TEMP TABLE have AS
SELECT p.oid, p.proname::text AS name, replace(replace(pg_get_function_identity_arguments(p.oid), 'public.', ''), '"', '') AS args,
	coalesce(replace(pg_get_function_result(p.oid), 'public.', ''), '') AS result, p.provolatile::text AS volatility,
	p.prokind::text AS kind, p.proparallel::text AS parallel, p.prosecdef, p.proconfig, p.prosqlbody IS NOT NULL AS atomic,
	l.lanname, p.prosrc, p.proisstrict
FROM member m JOIN pg_proc p ON p.oid = m.objid JOIN pg_language l ON l.oid = p.prolang
WHERE m.classid = 'pg_proc'::regclass;
-- An unnamed argument reads `type`, not `name type`: the pattern '% ' allows both.
CREATE FUNCTION im_test.like_args(have text, wanted text) RETURNS boolean LANGUAGE sql
RETURN replace(have, '"', '') LIKE replace(wanted, '"', '') OR have LIKE replace(wanted, '% ', '');
SELECT ok(EXISTS (SELECT FROM have h WHERE h.name = p.name AND im_test.like_args(h.args, p.args)
	AND h.kind = p.kind AND (p.result IS NULL OR im_test.like_args(h.result, p.result))),
	format('%s(%s) -> %s', p.name, p.args, p.result))
FROM promise p ORDER BY n;
SELECT is(h.volatility, p.volatility, format('%s(%s) is %s', p.name, p.args, p.volatility))
FROM promise p JOIN have h ON h.name = p.name AND im_test.like_args(h.args, p.args)
WHERE p.volatility IS NOT NULL AND p.kind = 'f' ORDER BY n;
SELECT is(h.parallel, 's', format('%s(%s) is parallel safe', p.name, p.args))
FROM promise p JOIN have h ON h.name = p.name AND im_test.like_args(h.args, p.args)
WHERE p.volatility = 'i' ORDER BY n;
SELECT ok(a.aggcombinefn <> 0 AND (a.aggtranstype <> 'internal'::regtype OR (a.aggserialfn <> 0 AND a.aggdeserialfn <> 0)),
	format('%s can be combined by parallel workers', h.name))
FROM have h JOIN pg_aggregate a ON a.aggfnoid = h.oid
-- a slice of a day is counted whole: its state is as large as its input;
-- daily figures are those of an app that one worker takes whole
WHERE h.name NOT IN ('im_app_dau', 'im_usage_agg', 'im_meter_usage') ORDER BY h.name;
SELECT ok(h.lanname = 'c', format('%s(%s) is C', p.name, p.args))
FROM promise p JOIN have h ON h.name = p.name AND im_test.like_args(h.args, p.args)
WHERE p.name ~ '^im_(block_fee|dau_overage|group_overage|addon_fee|moderation_fee|deductions|day)$' AND p.volatility = 'i' ORDER BY n;
-- Defaults
SELECT ok(pg_get_function_arguments(h.oid) ~ d, format('%s: %s', h.name, d))
FROM (VALUES ('im_create_tables', 'with_cards boolean DEFAULT true'), ('im_addon_fee', 'option text DEFAULT '''''),
	('im_create_billing_view', 'last_month [a-z._]*im_month DEFAULT NULL'),
	('im_bill_html', 'lang text DEFAULT ''en'''), ('im_month_html', 'lang text DEFAULT ''en'''),
	('im_close_month', 'batch integer DEFAULT 1000'), ('im_adjust_month', 'batch integer DEFAULT 1000'),
	('im_verify_invoices', 'month [a-z._]*im_month DEFAULT NULL::[a-z._]*im_month, root bytea DEFAULT NULL')) v(name, d) JOIN have h USING (name);

-- Tables --------------------------------------------------------------------------------
-- column, type, NOT NULL as the interface says; other columns may follow
CREATE TEMP TABLE col (n serial, tab text, col text, typ text, nn boolean);
INSERT INTO col (tab, col, typ, nn) VALUES
	('im_rate_card_version', 'rate_card', 'text', true), ('im_rate_card_version', 'effective_from', 'date', true),
	('im_rate_card_version', 'terms', 'jsonb', true),
	('im_app', 'app_id', 'bigint', true), ('im_app', 'name', 'text', true), ('im_app', 'rate_card', 'text', true),
	('im_app', 'opened_at', 'timestamp with time zone', true), ('im_app', 'tenant', 'name', false),
	('im_order', 'app_id', 'bigint', true), ('im_order', 'order_id', 'bigint', true),
	('im_order', 'at', 'timestamp with time zone', true), ('im_order', 'action', 'text', true),
	('im_order', 'item', 'text', true), ('im_order', 'option', 'text', true), ('im_order', 'months', 'integer', false),
	('im_order', 'quantity', 'integer', true), ('im_order', 'refunds', 'bigint', false), ('im_order', 'paid', 'numeric', false),
	('im_suspension', 'app_id', 'bigint', true), ('im_suspension', 'days', 'daterange', true), ('im_suspension', 'reason', 'text', true),
	('im_login', 'app_id', 'bigint', true), ('im_login', 'user_id', 'text', true), ('im_login', 'at', 'timestamp with time zone', true),
	('im_group', 'app_id', 'bigint', true), ('im_group', 'group_id', 'text', true),
	('im_group', 'created_at', 'timestamp with time zone', true), ('im_group', 'disbanded_at', 'timestamp with time zone', false),
	('im_moderation_check', 'app_id', 'bigint', true), ('im_moderation_check', 'at', 'timestamp with time zone', true),
	('im_moderation_check', 'kind', 'text', true), ('im_moderation_check', 'seconds', 'integer', false),
	('im_moderation_check', 'scene', 'text', false),
	('im_call', 'app_id', 'bigint', true), ('im_call', 'at', 'timestamp with time zone', true), ('im_call', 'class', 'text', true),
	('im_call', 'seconds', 'integer', true), ('im_call', 'user_id', 'text', false),
	('im_load', 'source', 'text', true), ('im_load', 'batch', 'text', true), ('im_load', 'at', 'timestamp with time zone', true),
	('im_usage_daily', 'app_id', 'bigint', true), ('im_usage_daily', 'day', 'date', true), ('im_usage_daily', 'dau', 'bigint', false),
	('im_usage_daily', 'users', 'im_userset', false), ('im_usage_daily', 'peak_groups', 'bigint', false),
	('im_usage_daily', 'text_checks', 'bigint', false), ('im_usage_daily', 'image_checks', 'bigint', false),
	('im_usage_daily', 'audio_half_minutes', 'bigint', false), ('im_usage_daily', 'video_half_minutes', 'bigint', false),
	('im_usage_daily', 'audio_minutes', 'bigint', false), ('im_usage_daily', 'sd_minutes', 'bigint', false),
	('im_usage_daily', 'hd_minutes', 'bigint', false), ('im_usage_daily', 'fhd_minutes', 'bigint', false),
	('im_invoice', 'app_id', 'bigint', true), ('im_invoice', 'month', 'date', true), ('im_invoice', 'revision', 'integer', true),
	('im_invoice', 'kind', 'text', true), ('im_invoice', 'currency', 'text', true), ('im_invoice', 'total', 'numeric', true),
	('im_invoice', 'issued_at', 'timestamp with time zone', true), ('im_invoice', 'rate_card', 'text', true),
	('im_invoice', 'card_from', 'date', true), ('im_invoice', 'digest', 'bytea', true), ('im_invoice_line', 'revision', 'integer', true);
-- an invoice has the lines of a bill
INSERT INTO col (tab, col, typ, nn)
SELECT 'im_invoice_line', attname, format_type(atttypid, atttypmod), true
FROM pg_attribute WHERE attrelid = 'im_bill_line'::regclass AND attnum > 0 ORDER BY attnum;
SELECT is((SELECT format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
	FROM pg_attribute a WHERE a.attrelid = to_regclass(tab) AND a.attname = col AND NOT a.attisdropped),
	typ || CASE WHEN nn THEN ' not null' ELSE '' END, format('%s.%s', tab, col))
FROM col ORDER BY n;
-- COPY without a column list and INSERT by position need the promised columns first, in this order.
SELECT is((SELECT string_agg(a.attname, ' ' ORDER BY a.attnum) FROM pg_attribute a
	WHERE a.attrelid = to_regclass(t.tab) AND a.attnum > 0 AND a.attnum <= t.k), t.cols, format('%s: the order of columns', t.tab))
FROM (SELECT tab, string_agg(col, ' ' ORDER BY n) cols, count(*) k FROM col GROUP BY tab) t ORDER BY tab;
-- The event tables are loadable by COPY as they are: nothing more in them.
SELECT is((SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass(t) AND attnum > 0 AND NOT attisdropped),
	(SELECT count(*) FROM col WHERE tab = t), format('%s has only these columns', t))
FROM unnest('{im_login,im_group,im_moderation_check,im_call,im_load}'::text[]) t;
-- Defaults
SELECT matches((SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d JOIN pg_attribute a
	ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE a.attrelid = to_regclass(tab) AND a.attname = col), def,
	format('the default of %s.%s', tab, col))
FROM (VALUES ('im_app', 'rate_card', '^''cn'''), ('im_app', 'opened_at', 'now\(\)'), ('im_order', 'option', '^'''''),
	('im_order', 'quantity', '^1$')) v(tab, col, def);
-- Keys
SELECT is((SELECT string_agg(a.attname, ' ' ORDER BY k.i) FROM pg_index x, unnest(x.indkey) WITH ORDINALITY k(a, i)
	JOIN pg_attribute a ON true WHERE x.indrelid = to_regclass(tab) AND x.indisprimary AND a.attrelid = x.indrelid AND a.attnum = k.a),
	key, format('the key of %s', tab))
FROM (VALUES ('im_rate_card_version', 'rate_card effective_from'), ('im_app', 'app_id'), ('im_order', 'app_id order_id'),
	('im_load', 'source batch'), ('im_usage_daily', 'app_id day'), ('im_invoice', 'app_id month revision'),
	('im_invoice_line', 'app_id month revision line')) v(tab, key);
SELECT ok(NOT EXISTS (SELECT FROM pg_index x JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0]
	WHERE x.indrelid = to_regclass(tab) AND x.indisunique AND a.attname <> 'app_id'), format('every key of %s begins with app_id', tab))
FROM unnest('{im_app,im_order,im_suspension,im_login,im_group,im_moderation_check,im_call,im_usage_daily,im_invoice,im_invoice_line}'::text[]) tab;
-- No table belongs to the extension, so that DROP EXTENSION ... CASCADE takes none.
SELECT is((SELECT string_agg(objid::regclass::text, ' ') FROM member m JOIN pg_class c ON c.oid = m.objid
	WHERE m.classid = 'pg_class'::regclass AND c.relkind IN ('r', 'p', 'm', 'S', 'v')), NULL,
	'no table, view or sequence is a member of the extension');
SELECT is((SELECT string_agg(tab || '.' || col, ' ') FROM col JOIN pg_attribute a ON a.attrelid = to_regclass(tab) AND a.attname = col
	JOIN pg_type t ON t.oid = a.atttypid WHERE t.typname ~ '^im_' AND tab <> 'im_usage_daily'), NULL,
	'no column of money, orders or events has a type of the extension');
SELECT ok(pg_get_userbyid(c.relowner) = current_user, format('%s belongs to who created it', c.relname))
FROM pg_class c WHERE c.oid IN (SELECT to_regclass(tab) FROM col) ORDER BY c.relname;
SELECT ok('security_invoker=true' = ANY (c.reloptions) OR 'security_invoker=on' = ANY (c.reloptions), format('view %s is security_invoker', c.relname))
FROM pg_class c JOIN ext ON c.relnamespace::regnamespace::text = ext.schema WHERE c.relkind = 'v' AND c.relname ~ '^im_';

-- Comments -----------------------------------------------------------------------------------
SELECT is((SELECT string_agg(pg_describe_object(m.classid, m.objid, 0), E'\n') FROM member m
	WHERE obj_description(m.objid, m.classid::regclass::text) IS NULL
		-- a row type's own relation; from 17 on a type's own array type is a member, too
		AND NOT (m.classid = 'pg_class'::regclass)
		AND NOT (m.classid = 'pg_type'::regclass AND EXISTS (SELECT FROM pg_type t WHERE t.typarray = m.objid))), NULL, 'every object of the extension has a comment');
SELECT isnt(obj_description(to_regclass(tab), 'pg_class'), NULL, format('%s has a comment', tab))
FROM (SELECT DISTINCT tab FROM col) t ORDER BY tab;

-- Safety ---------------------------------------------------------------------------------------
SELECT is((SELECT string_agg(name, ' ') FROM have WHERE prosecdef), NULL, 'no function is SECURITY DEFINER');
SELECT is((SELECT string_agg(oid::regprocedure::text, E'\n') FROM have
	WHERE lanname = 'plpgsql' AND NOT coalesce(array_to_string(proconfig, ','), '') ~ 'search_path'
		-- one makes its view where the caller's search_path says, and procedures
		-- that commit may have no settings: they qualify every name and operator
		AND name !~ '^im_create_billing_view(_of)?$' AND kind <> 'p'), NULL, 'every plpgsql function sets its search_path');
SELECT is((SELECT string_agg(oid::regprocedure::text, E'\n') FROM have
	WHERE array_to_string(proconfig, ',') ~ 'search_path' AND array_to_string(proconfig, ',') !~ 'pg_catalog.*pg_temp'), NULL,
	'and looks into pg_temp last');
SELECT is((SELECT string_agg(p.oid::regprocedure::text, E'\n') FROM pg_trigger g JOIN pg_proc p ON p.oid = g.tgfoid
	WHERE g.tgrelid IN (SELECT to_regclass(tab) FROM col) AND p.prosecdef), NULL, 'nor any of its triggers');

-- A schema of traps before everything else, pg_catalog included: tables of the same names,
-- operators and functions that fail. The bill must not notice.
CALL app(1);
CALL buy(1, 1, '2023-03-01', 'plan', 'pro');
CALL buy(1, 2, '2023-03-02', 'call', 'basic');
CALL turn(1, 3, '2023-03-01', 'on', 'moderation');
CALL upgrade(1, 4, '2023-03-10');
CALL pack(1, 5, '2023-03-01', 'month');
CALL login(1, 'a', '2023-03-05 12:00');
CALL grp(1, 'g', '2023-03-05 12:00');
CALL chk(1, '2023-03-05 12:00', 'audio', 31);
CALL talk(1, '2023-03-05 12:00', 'hd', 61);
CALL settle();
CREATE SCHEMA trap;
CREATE FUNCTION trap.boom() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trapped'; END $$;
DO $do$
DECLARE
	r record;
BEGIN
	FOR r IN SELECT DISTINCT tab FROM col LOOP
		EXECUTE format('CREATE TABLE trap.%I (LIKE public.%I)', r.tab, r.tab);
	END LOOP;
	FOR r IN SELECT * FROM unnest('{bigint,integer,text,numeric,date,timestamptz,daterange,jsonb}'::text[]) t,
			unnest('{=,<>,<,<=,>,>=,+,-,||,->,&&,@>}'::text[]) op
			WHERE EXISTS (SELECT FROM pg_operator WHERE oprname = op AND oprleft = t::regtype AND oprright = t::regtype) LOOP
		EXECUTE format('CREATE FUNCTION trap.%I(a %s, b %s) RETURNS %s LANGUAGE plpgsql AS
			$f$ BEGIN RAISE EXCEPTION ''trapped''; END $f$', 'op_' || md5(r.op || r.t), r.t, r.t,
			(SELECT oprresult::regtype FROM pg_operator WHERE oprname = r.op AND oprleft = r.t::regtype AND oprright = r.t::regtype));
		EXECUTE format('CREATE OPERATOR trap.%s (FUNCTION = trap.%I, LEFTARG = %s, RIGHTARG = %s)', r.op,
			'op_' || md5(r.op || r.t), r.t, r.t);
	END LOOP;
	FOR r IN SELECT p.proname, pg_get_function_identity_arguments(p.oid) args, p.prorettype::regtype ret
			FROM pg_proc p WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f' AND NOT p.proretset
			AND p.proname IN ('round', 'lower', 'upper', 'daterange', 'date_trunc', 'timezone', 'to_char', 'greatest', 'abs', 'ceil', 'now')
			AND p.provariadic = 0 AND pg_get_function_identity_arguments(p.oid) !~ 'any|internal'
			AND p.prorettype NOT IN ('internal'::regtype, 'anyelement'::regtype) LOOP
		EXECUTE format('CREATE FUNCTION trap.%I(%s) RETURNS %s LANGUAGE plpgsql AS
			$f$ BEGIN RAISE EXCEPTION ''trapped''; END $f$', r.proname, r.args, r.ret);
	END LOOP;
END $do$;
CREATE TEMP TABLE before_trap AS
SELECT 1 AS q, to_jsonb(l) AS j FROM im_monthly_bill(1, '2023-03') l
UNION ALL SELECT 2, to_jsonb(l) FROM im_monthly_bills('2023-03') l WHERE l.app_id = 1
UNION ALL SELECT 3, to_jsonb(l) FROM im_monthly_totals('2023-03') l WHERE l.app_id = 1
UNION ALL SELECT 4, to_jsonb(im_monthly_total(1, '2023-03'))
UNION ALL SELECT 5, to_jsonb(l) FROM im_preview_bill(1, '2023-03', im_bundled_card('cn', '2024-01-01')) l
UNION ALL SELECT 6, to_jsonb(l) FROM im_moderation_statement(1, '2023-03') l
UNION ALL SELECT 7, to_jsonb(l) FROM im_unbilled_usage('2023-03') l
UNION ALL SELECT 8, to_jsonb(l) FROM im_check('2023-03') l
UNION ALL SELECT 9, to_jsonb(im_app_status(1, '2023-03-15 12:00+08'))
UNION ALL SELECT 10, to_jsonb(im_dau_overage('pro', 10001))
UNION ALL SELECT 11, to_jsonb(l) FROM im_price_list(im_bundled_card('cn', '2024-01-01')) l
UNION ALL SELECT 12, to_jsonb(l) FROM im_quote('pro', 2, 25000, 550000, '{"call": "basic"}', 54) l
UNION ALL SELECT 13, to_jsonb(l) FROM im_cheapest_plan(1, '2023-03') l
UNION ALL SELECT 14, to_jsonb(l) FROM im_compare_cards('2023-03', im_bundled_card('cn', '2019-12-10'), im_bundled_card('cn', '2024-01-01')) l
UNION ALL SELECT 15, to_jsonb(l) FROM im_alerts('2023-03', 0, 400) l
UNION ALL SELECT 16, to_jsonb(im_notify_alerts('x', '2023-03', 0, 400))
UNION ALL SELECT 17, to_jsonb(l) FROM im_bi_bill_line l WHERE month = '2023-03-01'
UNION ALL SELECT 18, to_jsonb(l) FROM im_bi_bill_total l WHERE month = '2023-03-01'
UNION ALL SELECT 19, to_jsonb(l) FROM im_bi_usage_daily l WHERE month = '2023-03-01'
UNION ALL SELECT 20, to_jsonb(l) FROM im_bi_order l;
SET LOCAL search_path = trap, pg_catalog, public, im_test;
CREATE TEMP TABLE in_trap AS
SELECT 1 AS q, pg_catalog.to_jsonb(l) AS j FROM public.im_monthly_bill(1, '2023-03') l
UNION ALL SELECT 2, pg_catalog.to_jsonb(l) FROM public.im_monthly_bills('2023-03') l WHERE l.app_id OPERATOR(pg_catalog.=) 1
UNION ALL SELECT 3, pg_catalog.to_jsonb(l) FROM public.im_monthly_totals('2023-03') l WHERE l.app_id OPERATOR(pg_catalog.=) 1
UNION ALL SELECT 4, pg_catalog.to_jsonb(public.im_monthly_total(1, '2023-03'))
UNION ALL SELECT 5, pg_catalog.to_jsonb(l) FROM public.im_preview_bill(1, '2023-03', public.im_bundled_card('cn', '2024-01-01')) l
UNION ALL SELECT 6, pg_catalog.to_jsonb(l) FROM public.im_moderation_statement(1, '2023-03') l
UNION ALL SELECT 7, pg_catalog.to_jsonb(l) FROM public.im_unbilled_usage('2023-03') l
UNION ALL SELECT 8, pg_catalog.to_jsonb(l) FROM public.im_check('2023-03') l
UNION ALL SELECT 9, pg_catalog.to_jsonb(public.im_app_status(1, '2023-03-15 12:00+08'))
UNION ALL SELECT 10, pg_catalog.to_jsonb(public.im_dau_overage('pro', 10001))
UNION ALL SELECT 11, pg_catalog.to_jsonb(l) FROM public.im_price_list(public.im_bundled_card('cn', '2024-01-01')) l
UNION ALL SELECT 12, pg_catalog.to_jsonb(l) FROM public.im_quote('pro', 2, 25000, 550000, '{"call": "basic"}', 54) l
UNION ALL SELECT 13, pg_catalog.to_jsonb(l) FROM public.im_cheapest_plan(1, '2023-03') l
UNION ALL SELECT 14, pg_catalog.to_jsonb(l) FROM public.im_compare_cards('2023-03', public.im_bundled_card('cn', '2019-12-10'), public.im_bundled_card('cn', '2024-01-01')) l
UNION ALL SELECT 15, pg_catalog.to_jsonb(l) FROM public.im_alerts('2023-03', 0, 400) l
UNION ALL SELECT 16, pg_catalog.to_jsonb(public.im_notify_alerts('x', '2023-03', 0, 400))
UNION ALL SELECT 17, pg_catalog.to_jsonb(l) FROM public.im_bi_bill_line l WHERE month OPERATOR(pg_catalog.=) '2023-03-01'
UNION ALL SELECT 18, pg_catalog.to_jsonb(l) FROM public.im_bi_bill_total l WHERE month OPERATOR(pg_catalog.=) '2023-03-01'
UNION ALL SELECT 19, pg_catalog.to_jsonb(l) FROM public.im_bi_usage_daily l WHERE month OPERATOR(pg_catalog.=) '2023-03-01'
UNION ALL SELECT 20, pg_catalog.to_jsonb(l) FROM public.im_bi_order l;
-- An order is checked in the trap as well.
INSERT INTO public.im_order (app_id, order_id, at, action, item, option) VALUES (1, 6, '2023-03-20 12:00+08', 'off', 'moderation', '');
SET CONSTRAINTS ALL IMMEDIATE;
SELECT FROM public.im_create_billing_view('march', '2023-03', '2023-03');
SET LOCAL search_path = public, im_test;
SELECT results_eq('SELECT q, j FROM in_trap ORDER BY q, j::text', 'SELECT q, j FROM before_trap ORDER BY q, j::text',
	'names and operators of the caller''s search_path do not reach into a bill');
SELECT is((SELECT count(*) FROM trap.march), (SELECT count(*) FROM im_monthly_bill(1, '2023-03')),
	'nor into a billing view, which is made where the search_path says');
SELECT is((SELECT count(DISTINCT q) FROM in_trap WHERE q NOT IN (7, 8)), 18::bigint, 'and all of that was there to compare');

-- In Asuncion the first of October 2023 began at one o'clock, not at midnight.
SET LOCAL timezone = 'America/Asuncion';
CALL app(77);
CALL buy(77, 1, '2023-10-05', 'plan', 'pro');
CALL buy(77, 2, '2023-11-05', 'plan', 'pro');
CALL buy(77, 3, '2023-12-05', 'plan', 'pro');
CALL settle();
SELECT FROM im_create_billing_view('autumn', '2023-10', '2023-12');
SELECT results_eq('SELECT DISTINCT month FROM autumn WHERE app_id = 77 ORDER BY 1',
	ARRAY['2023-10-01', '2023-11-01', '2023-12-01']::date[], 'the months of a billing view do not hang on the time zone of who makes it');

-- Loads go by the order of columns: that of the list, however it is planned (16 and
-- later join from either side).
DROP TABLE im_login, im_load, im_call;
SET LOCAL enable_nestloop = off;
SET LOCAL enable_mergejoin = off;
SELECT im_create_tables() \g /dev/null
SELECT is((SELECT string_agg(a.attname, ', ' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = d.table_name::regclass AND a.attnum > 0),
	string_agg(d.column_name, ', ' ORDER BY d.place), 'the columns of ' || d.table_name || ' are in their order')
FROM im_internal.im_column_definitions() WITH ORDINALITY d(table_name, column_name, definition, description, place)
WHERE d.table_name NOT IN ('im_usage_daily')
GROUP BY d.table_name ORDER BY d.table_name;

SELECT * FROM finish();
ROLLBACK;
