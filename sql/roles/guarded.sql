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
--        IF @extschema@.im_guarded('im_foo_guarded'::text) THEN
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

-- The note of who asks is one of the process.  Neither these two nor what
-- im_create_tables() makes goes to a worker of the statement that calls it; a
-- public function as a whole may, for what runs in a worker has none of its own.
CREATE FUNCTION @extschema@.im_guarded(function_name text) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION @extschema@.im_guarded(text) IS
'Whether the current role, which may not read all tables, is to be answered by the function of this name that im_create_tables() made, which has to be called next. Error 42501 if a function of this name does not belong to the owner of the tables.';

CREATE FUNCTION @extschema@.im_caller(function_name text) RETURNS oid
	AS 'MODULE_PATHNAME' LANGUAGE C STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION @extschema@.im_caller(text) IS
'The role that im_guarded() sent to the function of this name; the second time, or without im_guarded(), error 42501.';

-- A role sees an app when it has the privileges of the role im_app.tenant.
CREATE FUNCTION @extschema@.im_tenant_apps(caller oid) RETURNS bigint[]
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (
		WITH RECURSIVE granted(role) AS (
			SELECT $1
			UNION
			SELECT m.roleid FROM pg_auth_members m JOIN granted g ON m.member = g.role)
		SELECT coalesce(array_agg(a.app_id ORDER BY a.app_id), '{}')
		FROM @extschema@.im_app a
		WHERE a.tenant = ANY (ARRAY(
			SELECT r.rolname
			FROM granted g
			JOIN pg_roles r ON r.oid = g.role
			WHERE pg_has_role($1, g.role, 'USAGE'))));
END
$$;
COMMENT ON FUNCTION @extschema@.im_tenant_apps(oid) IS
'The apps whose tenant is the role, or one whose privileges it has.';

CREATE FUNCTION @extschema@.im_sees_all(caller oid) RETURNS boolean
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN has_column_privilege($1, '@extschema@.im_role_grant', 'reader', 'REFERENCES');
END
$$;
COMMENT ON FUNCTION @extschema@.im_sees_all(oid) IS
'Whether the role is a reader, itself or through the privileges of another.';

CREATE FUNCTION @extschema@.im_visible_apps(caller oid) RETURNS bigint[]
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN CASE WHEN NOT @extschema@.im_sees_all($1) THEN @extschema@.im_tenant_apps($1) END;
END
$$;
COMMENT ON FUNCTION @extschema@.im_visible_apps(oid) IS
'The apps that the role may ask for; null for all.';

-- Another customer's app and one that does not exist are told by the same
-- line, after the same work.
CREATE FUNCTION @extschema@.im_need_visible(caller oid, app_id bigint) RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NOT $2 = ANY (coalesce(@extschema@.im_visible_apps($1), ARRAY[$2])) THEN
		PERFORM @extschema@.im_raise_no_app($2);
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_need_visible(oid, bigint) IS
'Raises P0002 unless the role may ask for the app, in the words of an app that does not exist.';

-- Set-wise answers of some apps, which touch no row of another one.  A
-- condition on a list of apps does not reach the raw tables through the
-- grouping of each; im_rebill_apps() follows each app instead.
CREATE FUNCTION @extschema@.im_open_among(apps bigint[], month @extschema@.im_month)
	RETURNS bigint[]
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	closed int8multirange := @extschema@.im_closed_apps($2::date);
BEGIN
	RETURN ARRAY(
		SELECT a
		FROM unnest($1) a
		WHERE NOT a <@ closed
			AND NOT EXISTS (SELECT FROM @extschema@.im_invoice i WHERE i.app_id = a AND i.month = $2::date));
END
$$;
COMMENT ON FUNCTION @extschema@.im_open_among(bigint[], @extschema@.im_month) IS
'Those of the apps that are not closed in the month and have no documents of it.';

CREATE FUNCTION @extschema@.im_monthly_bills_of(apps bigint[], month @extschema@.im_month)
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE plpgsql STABLE ROWS 100
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF $1 IS NULL THEN
		RETURN QUERY SELECT * FROM @extschema@.im_monthly_bills($2);
	ELSE
		RETURN QUERY SELECT i.* FROM @extschema@.im_issued_lines($2::date) i WHERE i.app_id = ANY ($1);
		RETURN QUERY SELECT * FROM @extschema@.im_rebill_apps($2, @extschema@.im_open_among($1, $2));
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_monthly_bills_of(bigint[], @extschema@.im_month) IS
'im_monthly_bills() of the given apps; null for all of them.';

CREATE FUNCTION @extschema@.im_monthly_bills_of(apps bigint[], month @extschema@.im_month, skip_unbillable boolean)
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE plpgsql STABLE ROWS 100
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF $1 IS NULL THEN
		RETURN QUERY SELECT * FROM @extschema@.im_monthly_bills($2, $3);
	ELSIF $3 THEN
		RETURN QUERY SELECT i.* FROM @extschema@.im_issued_lines($2::date) i WHERE i.app_id = ANY ($1);
		RETURN QUERY SELECT * FROM @extschema@.im_billable_bills($2, @extschema@.im_open_among($1, $2));
	ELSE
		RETURN QUERY SELECT * FROM @extschema@.im_monthly_bills_of($1, $2);
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_monthly_bills_of(bigint[], @extschema@.im_month, boolean) IS
'im_monthly_bills() of the given apps, which skips what cannot be billed where it is told so; null for all of them.';

CREATE FUNCTION @extschema@.im_monthly_totals_of(apps bigint[], month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, currency text, total numeric)
	LANGUAGE plpgsql STABLE ROWS 100
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	IF $1 IS NULL THEN
		RETURN QUERY SELECT * FROM @extschema@.im_monthly_totals($2);
	ELSE
		RETURN QUERY
		SELECT i.app_id, i.currency, sum(i.total)
		FROM @extschema@.im_invoice i
		WHERE i.app_id = ANY ($1) AND i.month = $2::date
		GROUP BY i.app_id, i.currency;
		RETURN QUERY
		SELECT l.app_id, l.currency, round(sum(l.amount), max(p.scale))
		FROM @extschema@.im_rebill_apps($2, @extschema@.im_open_among($1, $2)) l
		JOIN @extschema@.im_app a ON a.app_id = l.app_id
		JOIN @extschema@.im_cards_in_force($2) p ON p.rate_card = a.rate_card
		GROUP BY l.app_id, l.currency;
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_monthly_totals_of(bigint[], @extschema@.im_month) IS
'im_monthly_totals() of the given apps; null for all of them.';

CREATE FUNCTION @extschema@.im_unbilled_usage_of(apps bigint[], month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, day date, kind text, quantity numeric, reason text)
	LANGUAGE plpgsql STABLE ROWS 100
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	book @extschema@.im_price_book;
BEGIN
	IF $1 IS NULL THEN
		RETURN QUERY SELECT * FROM @extschema@.im_unbilled_usage($2);
		RETURN;
	END IF;
	book := @extschema@.im_price_book(NULL::@extschema@.im_rate_card);
	RETURN QUERY
	SELECT l.*
	FROM @extschema@.im_gather_of($1, $2::date, upper($2::daterange), NULL::@extschema@.im_rate_card, NULL::bigint[], NULL::date[]) g,
		@extschema@.im_rate_unbilled(g.app_id, g.card_name, book, g.orders, g.suspensions,
			g.preview, $2, g.since, g.daily, g.logins, g.groups, g.checks,
			g.calls, g.user_days, g.users) l;
END
$$;
COMMENT ON FUNCTION @extschema@.im_unbilled_usage_of(bigint[], @extschema@.im_month) IS
'im_unbilled_usage() of the given apps; null for all of them and for those that im_app lacks.';

CREATE FUNCTION @extschema@.im_daily_charges_of(apps bigint[], day date)
	RETURNS SETOF @extschema@.im_daily_charge
	LANGUAGE plpgsql STABLE ROWS 100
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF $1 IS NULL THEN
		RETURN QUERY SELECT * FROM @extschema@.im_daily_charges($2);
	ELSE
		RETURN QUERY SELECT c.* FROM unnest($1) a, @extschema@.im_daily_charges(a, $2, $2) c;
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_daily_charges_of(bigint[], date) IS
'im_daily_charges() of the given apps; null for all of them.';

CREATE FUNCTION @extschema@.im_check_of(apps bigint[], month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, problem text)
	LANGUAGE plpgsql STABLE ROWS 10
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	IF $1 IS NULL THEN
		RETURN QUERY SELECT * FROM @extschema@.im_check($2);
	ELSE
		RETURN QUERY
		SELECT p.app_id, p.problem
		FROM (SELECT f.app_id, f.problem FROM @extschema@.im_problems_of($1, $2) f
			  UNION ALL
			  SELECT m.app_id, m.problem FROM @extschema@.im_misleading_of($1, $2) m) p
		ORDER BY p.app_id, p.problem COLLATE "C";
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_check_of(bigint[], @extschema@.im_month) IS
'im_check() of the given apps; null for all of them.';

CREATE FUNCTION @extschema@.im_apps_of(apps bigint[])
	RETURNS TABLE (app_id bigint, name text, rate_card text, opened_at timestamptz, tenant text)
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	SELECT a.app_id, a.name, a.rate_card, a.opened_at, a.tenant::text
	FROM @extschema@.im_app a
	WHERE a.app_id = ANY ($1) OR $1 IS NULL
	ORDER BY a.app_id;
END
$$;
COMMENT ON FUNCTION @extschema@.im_apps_of(bigint[]) IS
'im_apps() of the given apps; null for all of them.';

CREATE FUNCTION @extschema@.im_apps()
	RETURNS TABLE (app_id bigint, name text, rate_card text, opened_at timestamptz, tenant text)
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM @extschema@.im_need_tables();
	IF @extschema@.im_guarded('im_apps_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_apps_guarded();
		RETURN;
	END IF;
	RETURN QUERY SELECT * FROM @extschema@.im_apps_of(NULL::bigint[]);
END
$$;
COMMENT ON FUNCTION @extschema@.im_apps() IS
'The apps that the caller may ask for: a tenant''s own, all for others who read bills.';

CREATE FUNCTION @extschema@.im_app_card(app_id bigint, month @extschema@.im_month)
	RETURNS @extschema@.im_rate_card
	LANGUAGE plpgsql STABLE STRICT
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF @extschema@.im_guarded('im_app_card_guarded'::text) THEN
		RETURN @extschema@.im_app_card_guarded($1, $2);
	END IF;
	PERFORM @extschema@.im_need_app($1);
	PERFORM @extschema@.im_need_month($1, $2);
	RETURN (
		SELECT v.terms
		FROM @extschema@.im_app a
		JOIN @extschema@.im_rate_card_version v ON v.rate_card = a.rate_card
		WHERE a.app_id = $1
		ORDER BY v.effective_from > $2::date, abs(v.effective_from - $2::date)
		LIMIT 1)::@extschema@.im_rate_card;
END
$$;
COMMENT ON FUNCTION @extschema@.im_app_card(bigint, @extschema@.im_month) IS
'The version of its rate card that bills a month of an app; im_price_list() shows what it sells. Errors as im_monthly_bill().';

-- The functions that answer readers and tenants, named after the public ones.
CREATE FUNCTION @extschema@.im_guarded_definitions()
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
			('im_daily_charges_app', 'app_id bigint, first_day date, last_day date', 'SETOF @extschema@.im_daily_charge',
				'app', '@extschema@.im_daily_charges($1, $2, $3)'),
			('im_daily_charges', 'day date', 'SETOF @extschema@.im_daily_charge',
				'apps', '@extschema@.im_daily_charges_of(apps, $1)'),
			('im_app_status', 'app_id bigint, at timestamptz', 'text', 'app', '@extschema@.im_app_status($1, $2)'),
			('im_app_card', 'app_id bigint, month @extschema@.im_month', '@extschema@.im_rate_card',
				'app', '@extschema@.im_app_card($1, $2)'),
			('im_monthly_bills', 'month @extschema@.im_month', 'SETOF @extschema@.im_bill_line',
				'apps', '@extschema@.im_monthly_bills_of(apps, $1)'),
			('im_monthly_bills_skipping', 'month @extschema@.im_month, skip_unbillable boolean', 'SETOF @extschema@.im_bill_line',
				'apps', '@extschema@.im_monthly_bills_of(apps, $1, $2)'),
			('im_monthly_totals', 'month @extschema@.im_month', 'TABLE (app_id bigint, currency text, total numeric)',
				'apps', '@extschema@.im_monthly_totals_of(apps, $1)'),
			('im_unbilled_usage', 'month @extschema@.im_month',
				'TABLE (app_id bigint, day date, kind text, quantity numeric, reason text)',
				'apps', '@extschema@.im_unbilled_usage_of(apps, $1)'),
			('im_check', 'month @extschema@.im_month', 'TABLE (app_id bigint, problem text)',
				'apps', '@extschema@.im_check_of(apps, $1)'),
			-- the ledger
			('im_rebill', 'app_id bigint, month @extschema@.im_month', 'SETOF @extschema@.im_bill_line',
				'app', '@extschema@.im_rebill($1, $2)'),
			('im_audit', 'app_id bigint, month @extschema@.im_month',
				'TABLE (at timestamptz, event text, amount numeric, currency text, detail text)',
				'app', '@extschema@.im_audit($1, $2)'),
			('im_invoices', 'app_id bigint, month @extschema@.im_month', 'SETOF @extschema@.im_document',
				'app', '@extschema@.im_invoices($1, $2)'),
			('im_drift', 'month @extschema@.im_month', 'TABLE (app_id bigint, issued numeric, rebilled numeric, difference numeric)',
				'apps', '@extschema@.im_drift_of(apps, $1)'),
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
				'apps', '@extschema@.im_compare_cards_of(apps, $1, $2, $3)'),
			('im_standing', 'month @extschema@.im_month, at timestamptz',
				'TABLE (app_id bigint, kind text, item text, option text, used numeric,
					allowed numeric, day date, today date, problem text)',
				'apps', '@extschema@.im_standing_of(apps, $1, $2)'),
			('im_app_revenue', 'first_month @extschema@.im_month, last_month @extschema@.im_month',
				'TABLE (app_id bigint, month date, item text, option text, currency text,
					billed numeric, earned numeric, deferred numeric)',
				'apps', '@extschema@.im_app_revenue_of(apps, $1, $2)'),
			('im_daily_usage', 'month @extschema@.im_month',
				'TABLE (app_id bigint, day date, status text, plan text, given boolean, dau bigint,
					peak_groups bigint, text_checks bigint, image_checks bigint, audio_half_minutes bigint,
					video_half_minutes bigint, audio_minutes bigint, sd_minutes bigint, hd_minutes bigint,
					fhd_minutes bigint)',
				'apps', '@extschema@.im_daily_usage_of(apps, $1)'),
			('im_billed_months', '', 'TABLE (month date)', 'apps', '@extschema@.im_billed_months_of(apps)'),
			-- pages and reasons
			('im_bill_html', 'app_id bigint, month @extschema@.im_month, lang text', 'text',
				'app', '@extschema@.im_bill_html($1, $2, $3)'),
			('im_month_html', 'month @extschema@.im_month, lang text', 'text',
				'apps', '@extschema@.im_month_html_of(apps, $1, $2)'),
			('im_apps', '', 'TABLE (app_id bigint, name text, rate_card text, opened_at timestamptz, tenant text)',
				'apps', '@extschema@.im_apps_of(apps)'),
			('im_current_card', '', '@extschema@.im_rate_card', 'none', '@extschema@.im_current_card()')
	) AS t(function_name, arguments, result, guard, call)
$list$;
COMMENT ON FUNCTION @extschema@.im_guarded_definitions() IS
'The public functions that readers and tenants may call, and what answers them: a function of the name with _guarded behind it.';

CREATE FUNCTION @extschema@.im_guarded_body(function_name text, result text, guard text, call text)
	RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $list$
	SELECT format($body$
#variable_conflict use_variable
DECLARE
	caller oid := %1$s.im_caller(%2$L::text);
	%3$s
BEGIN
	%4$s
	%5$s %6$s;
END
$body$, '@extschema@', function_name || '_guarded',
		CASE WHEN guard = 'apps' THEN format('apps bigint[] := %s.im_visible_apps(caller);', '@extschema@') END,
		CASE WHEN guard = 'app' THEN format('PERFORM %s.im_need_visible(caller, $1);', '@extschema@') END,
		CASE WHEN result ~ '^(SETOF|TABLE) ?' THEN 'RETURN QUERY SELECT * FROM' ELSE 'RETURN' END,
		call)
$list$;
COMMENT ON FUNCTION @extschema@.im_guarded_body(text, text, text, text) IS
'The body of a function that answers readers and tenants.';

-- All functions that im_create_tables() makes.  Those that change rows for a
-- role stand here themselves.
CREATE FUNCTION @extschema@.im_function_definitions()
	RETURNS TABLE (function_name text, arguments text, result text, language text,
		volatility text, body text, kinds text[], description text)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $list$
	SELECT g.function_name || '_guarded', g.arguments, g.result, 'plpgsql', 'STABLE',
		@extschema@.im_guarded_body(g.function_name, g.result, g.guard, g.call),
		ARRAY['reader', 'tenant'],
		format('%s() for roles that may not read the tables. It runs with the rights of their owner and is called by %s() alone.',
			g.function_name, g.function_name)
	FROM @extschema@.im_guarded_definitions() g
	UNION ALL
	SELECT * FROM (VALUES
			-- the ledger
			('im_close_batch', 'month @extschema@.im_month, batch integer, run @extschema@.im_run', '@extschema@.im_run', 'sql', 'VOLATILE',
				'SELECT @extschema@.im_close_some($1, $2, $3)', ARRAY['closer'],
				'A batch of im_close_month(): issues invoices with the rights of the owner of the tables.'),
			('im_adjust_batch', 'month @extschema@.im_month, batch integer, run @extschema@.im_run', '@extschema@.im_run', 'sql', 'VOLATILE',
				'SELECT @extschema@.im_adjust_some($1, $2, $3)', ARRAY['closer'],
				'A batch of im_adjust_month(): issues notes with the rights of the owner of the tables.')
	) AS t(function_name, arguments, result, language, volatility, body, kinds, description)
$list$;
COMMENT ON FUNCTION @extschema@.im_function_definitions() IS
'The functions that im_create_tables() makes: owned by the owner of the tables, SECURITY DEFINER, EXECUTE for the kinds of roles named only.';

-- The one role that owns all tables, null if several do.  A function that
-- runs with the rights of one must not read what another may have made a view.
CREATE FUNCTION @extschema@.im_tables_owner() RETURNS name
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (
		SELECT min(pg_get_userbyid(c.relowner))
		FROM @extschema@.im_table_definitions() d
		JOIN pg_class c ON c.oid = to_regclass(format('%s.%I', '@extschema@', d.table_name))
		HAVING count(DISTINCT c.relowner) = 1 AND bool_and(c.relkind IN ('r', 'p')));
END
$$;
COMMENT ON FUNCTION @extschema@.im_tables_owner() IS
'The role that owns the tables of im_create_tables(); null if they belong to several, or one of them is no table.';

-- A table that a newer version adds belongs to the owner of the others, also
-- where an administrator adds it.  A few tables that somebody made beforehand
-- make nobody the owner of what follows.
CREATE FUNCTION @extschema@.im_owner_of_new() RETURNS name
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	first_tables text[] := '{im_rate_card_version,im_app,im_order,im_suspension,im_login,im_group,im_moderation_check,im_call,im_load,im_usage_daily}';
BEGIN
	RETURN CASE
		WHEN EXISTS (SELECT FROM unnest(first_tables) t
					 WHERE to_regclass(format('%s.%I', '@extschema@', t)) IS NULL) THEN current_user
		ELSE coalesce(@extschema@.im_tables_owner(), current_user) END;
END
$$;
COMMENT ON FUNCTION @extschema@.im_owner_of_new() IS
'The role that is to own a table that im_create_tables() adds: the one that owns all that a bill reads, else the current one.';

-- Who calls im_create_tables() runs what others made of the tables before: a
-- trigger, a cast behind a column, a function in a check.  So all of it must be
-- of roles that the caller trusts, which are superusers and the one to act as.
CREATE FUNCTION @extschema@.im_foreign_objects(trusted name) RETURNS TABLE (object text, owner name)
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	WITH RECURSIVE ours(oid) AS (
		SELECT to_regclass(format('%s.%I', '@extschema@', n.name))::oid
		FROM (SELECT d.table_name FROM @extschema@.im_table_definitions() d
			  UNION ALL
			  SELECT v.view_name FROM @extschema@.im_view_definitions() v) n(name)
		UNION
		SELECT i.inhrelid FROM ours o JOIN pg_inherits i ON i.inhparent = o.oid),
	part(classid, objid) AS (
		SELECT 'pg_class'::regclass, o.oid FROM ours o
		UNION ALL SELECT 'pg_trigger'::regclass, t.oid FROM ours o JOIN pg_trigger t ON t.tgrelid = o.oid
		UNION ALL SELECT 'pg_rewrite'::regclass, r.oid FROM ours o JOIN pg_rewrite r ON r.ev_class = o.oid
		UNION ALL SELECT 'pg_policy'::regclass, p.oid FROM ours o JOIN pg_policy p ON p.polrelid = o.oid
		UNION ALL SELECT 'pg_attrdef'::regclass, d.oid FROM ours o JOIN pg_attrdef d ON d.adrelid = o.oid
		UNION ALL SELECT 'pg_constraint'::regclass, c.oid FROM ours o JOIN pg_constraint c ON c.conrelid = o.oid
		UNION ALL SELECT 'pg_class'::regclass, i.indexrelid FROM ours o JOIN pg_index i ON i.indrelid = o.oid
		UNION ALL SELECT 'pg_statistic_ext'::regclass, s.oid FROM ours o JOIN pg_statistic_ext s ON s.stxrelid = o.oid),
	used(classid, objid, by_class, by_object) AS (
		SELECT p.classid, p.objid, p.classid, p.objid FROM part p WHERE p.classid = 'pg_class'::regclass
		UNION
		SELECT d.refclassid, d.refobjid, p.classid, p.objid
		FROM part p
		JOIN pg_depend d ON d.classid = p.classid AND d.objid = p.objid
		-- what an extension brought is its author's
		WHERE NOT EXISTS (SELECT FROM pg_depend e
						  WHERE e.classid = d.refclassid AND e.objid = d.refobjid AND e.deptype = 'e')),
	owned(classid, oid, owner) AS (
		SELECT 'pg_class'::regclass, c.oid, c.relowner FROM pg_class c
		UNION ALL SELECT 'pg_proc'::regclass, p.oid, p.proowner FROM pg_proc p
		UNION ALL SELECT 'pg_type'::regclass, t.oid, t.typowner FROM pg_type t
		UNION ALL SELECT 'pg_operator'::regclass, o.oid, o.oprowner FROM pg_operator o)
	SELECT pg_describe_object(u.classid, u.objid, 0)
			|| CASE WHEN (u.classid, u.objid) = (u.by_class, u.by_object) THEN ''
				ELSE ', used by ' || pg_describe_object(u.by_class, u.by_object, 0) END,
		r.rolname
	FROM used u
	JOIN owned w ON w.classid = u.classid AND w.oid = u.objid
	JOIN pg_roles r ON r.oid = w.owner
	WHERE NOT r.rolsuper AND r.rolname <> $1
	UNION ALL
	-- ours have built-in types, whose casts and operators nobody can make
	SELECT format('type %s of column %I of table %s', format_type(a.atttypid, NULL), a.attname, a.attrelid::regclass),
		pg_get_userbyid(t.typowner)
	FROM @extschema@.im_column_definitions() d
	JOIN pg_attribute a ON a.attrelid = to_regclass(format('%s.%I', '@extschema@', d.table_name))
		AND a.attname = d.column_name AND NOT a.attisdropped
	JOIN pg_type t ON t.oid = a.atttypid
	WHERE t.typnamespace <> 'pg_catalog'::regnamespace
		AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_type'::regclass AND e.objid = t.oid AND e.deptype = 'e')
$$;
COMMENT ON FUNCTION @extschema@.im_foreign_objects(name) IS
'Tables and views of im_create_tables(), partitions, and what their triggers, rules, policies, defaults, checks, indexes and columns use, that belong neither to the role given nor to a superuser; and types in columns of ours that are not built in.';

-- A superuser acts as the owner of the tables, so that nothing of theirs runs
-- with more rights than he has.
CREATE FUNCTION @extschema@.im_acting_role() RETURNS name
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN CASE WHEN (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user)
		THEN @extschema@.im_owner_of_new() ELSE current_user END;
END
$$;
COMMENT ON FUNCTION @extschema@.im_acting_role() IS
'The role that im_create_tables() acts as: the owner of the tables where a superuser calls, else the caller.';

CREATE FUNCTION @extschema@.im_need_own_objects(acting name) RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	f record;
BEGIN
	SELECT o.object, o.owner INTO f
	FROM @extschema@.im_foreign_objects($1) o
	-- the table before what hangs on it
	ORDER BY o.object !~ '^(table|view) ', o.object
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'insufficient_privilege',
			MESSAGE = format('%s belongs to role "%s"', f.object, f.owner),
			DETAIL = format('What the tables are and use is run by whoever calls: it must belong to role "%s" or to a superuser, and columns have the types of im_create_tables().', $1),
			HINT = 'Drop it, or have it given to that role by a superuser who has looked at it; the owner of all tables calls im_create_tables() himself.';
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_need_own_objects(name) IS
'Raises 42501 with the first of im_foreign_objects().';

-- A procedure calls with the rights of its caller what answers with those of
-- the tables' owner, or of somebody who put a function of that name there.
CREATE FUNCTION @extschema@.im_need_owners_function(name text) RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	tables_owner name := @extschema@.im_tables_owner();
	f record;
BEGIN
	IF tables_owner IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'insufficient_privilege',
			MESSAGE = format('%s runs with the rights of the owner of the tables, but they have none', $1),
			DETAIL = 'They belong to several roles, or one of them is no table.',
			HINT = 'Give the tables to one role with ALTER TABLE ... OWNER TO, which then calls im_create_tables().';
	END IF;
	SELECT p.oid::regprocedure AS signature, pg_get_userbyid(p.proowner) AS owner INTO f
	FROM pg_proc p
	WHERE p.proname = $1 AND p.pronamespace = '@extschema@'::regnamespace
		AND (NOT p.prosecdef OR pg_get_userbyid(p.proowner) <> tables_owner)
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'insufficient_privilege',
			MESSAGE = format('function %s is not one of the owner of the tables', f.signature),
			DETAIL = format('It belongs to role "%s", or runs with the rights of its caller; the tables belong to "%s".', f.owner, tables_owner),
			HINT = 'Drop it, or give it to the owner of the tables, and call im_create_tables().';
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_need_owners_function(text) IS
'Raises 42501 unless the tables have one owner and every function of this name is his and runs with his rights.';

CREATE FUNCTION @extschema@.im_need_own_function(name text, owner name) RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	other name := (SELECT min(pg_get_userbyid(p.proowner))
				   FROM pg_proc p
				   WHERE p.proname = $1 AND p.pronamespace = '@extschema@'::regnamespace
						AND p.proowner <> (SELECT r.oid FROM pg_roles r WHERE r.rolname = $2));
BEGIN
	IF other IS NOT NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'insufficient_privilege',
			MESSAGE = format('function %s belongs to role "%s"', $1, other),
			DETAIL = format('im_create_tables() makes a function of this name, which belongs to the owner of the tables, "%s".', $2),
			HINT = 'Drop it, or give it to that role with ALTER FUNCTION ... OWNER TO.';
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_need_own_function(text, name) IS
'Raises 42501 if another role has made a function of this name in the extension''s schema.';

-- A result that a newer version changed cannot be replaced.  Messages of the
-- debugging settings would print the owner's plans to the caller.
CREATE FUNCTION @extschema@.im_make_function(name text, arguments text, result text,
		language text, volatility text, body text)
	RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	definition text := format('FUNCTION %s.%I(%s) RETURNS %s LANGUAGE %I %s SECURITY DEFINER
		SET search_path = pg_catalog, pg_temp SET client_min_messages = notice AS %L',
		'@extschema@', $1, $2, $3, $4, $5, $6);
BEGIN
	EXECUTE 'CREATE OR REPLACE ' || definition;
EXCEPTION WHEN invalid_function_definition THEN
	EXECUTE format('DROP FUNCTION IF EXISTS %s.%I(%s)', '@extschema@', $1, $2);
	EXECUTE 'CREATE ' || definition;
END
$$;
COMMENT ON FUNCTION @extschema@.im_make_function(text, text, text, text, text, text) IS
'Creates or replaces a function that runs with the rights of its owner.';

CREATE FUNCTION @extschema@.im_add_functions() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	owner name := @extschema@.im_tables_owner();
	f record;
	signature text;
BEGIN
	IF owner IS NULL THEN
		RAISE WARNING USING
			MESSAGE = 'the tables belong to several roles: no functions are made for readers, tenants and closers',
			DETAIL = 'Such a function runs with the rights of the one owner of all tables.',
			HINT = 'Give the tables to one role with ALTER TABLE ... OWNER TO and call im_create_tables() again.';
		RETURN;
	END IF;
	FOR f IN SELECT * FROM @extschema@.im_function_definitions() LOOP
		PERFORM @extschema@.im_need_own_function(f.function_name, owner);
		PERFORM @extschema@.im_make_function(f.function_name, f.arguments, f.result, f.language,
			f.volatility, f.body);
		signature := format('%s.%I(%s)', '@extschema@', f.function_name, f.arguments);
		EXECUTE format('COMMENT ON FUNCTION %s IS %L', signature, f.description);
		EXECUTE format('ALTER FUNCTION %s DEPENDS ON EXTENSION imbilling', signature);
		EXECUTE format('ALTER FUNCTION %s OWNER TO %I', signature, owner);
	END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.im_add_functions() IS
'Makes the functions of im_function_definitions(), or replaces them. Error 42501 if another role has one of their names.';

-- What a kind of role holds on the tables themselves.  Whether it is a
-- role's kind is told by the table im_role_grant, which has no row: the role
-- has REFERENCES on the column of that name, for which there is no other use.
-- So it follows a renamed or dropped role and a dump, and a DROP EXTENSION
-- takes the functions, but not the knowledge whom to grant them to again.
CREATE FUNCTION @extschema@.im_privilege_definitions()
	RETURNS TABLE (kind text, table_name text, privilege text)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT * FROM (VALUES
			('reader', 'im_role_grant', 'REFERENCES (reader)'),
			('tenant', 'im_role_grant', 'REFERENCES (tenant)'),
			('loader', 'im_role_grant', 'REFERENCES (loader)'),
			('closer', 'im_role_grant', 'REFERENCES (closer)'),
			('reader', 'im_app', 'SELECT'),
			('reader', 'im_rate_card_version', 'SELECT'),
			('reader', 'im_order', 'SELECT'),
			('reader', 'im_suspension', 'SELECT'),
			('reader', 'im_bi_bill_line', 'SELECT'),
			('reader', 'im_bi_bill_total', 'SELECT'),
			('reader', 'im_bi_usage_daily', 'SELECT'),
			('reader', 'im_bi_revenue', 'SELECT'),
			('reader', 'im_bi_order', 'SELECT'),
			('tenant', 'im_bi_bill_line', 'SELECT'),
			('tenant', 'im_bi_bill_total', 'SELECT'),
			('tenant', 'im_bi_usage_daily', 'SELECT'),
			('tenant', 'im_bi_revenue', 'SELECT'),
			-- the ledger
			('reader', 'im_invoice', 'SELECT'),
			('reader', 'im_invoice_line', 'SELECT'),
			('reader', 'im_closing', 'SELECT'),
			('closer', 'im_closing', 'SELECT'),
			('reader', 'im_close_progress', 'SELECT'),
			('closer', 'im_close_progress', 'SELECT'),
			('loader', 'im_load', 'INSERT'),
			('loader', 'im_order', 'INSERT'),
			('loader', 'im_login', 'INSERT'),
			('loader', 'im_group', 'INSERT'),
			('loader', 'im_moderation_check', 'INSERT'),
			('loader', 'im_call', 'INSERT'),
			('loader', 'im_usage_daily', 'INSERT')
	) AS t(kind, table_name, privilege)
$$;
COMMENT ON FUNCTION @extschema@.im_privilege_definitions() IS
'What im_grant() grants on tables, by kind of role.';

CREATE FUNCTION @extschema@.im_grants() RETURNS TABLE (role name, kind text)
	LANGUAGE plpgsql STABLE ROWS 10
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM @extschema@.im_need_tables();
	RETURN QUERY
	SELECT r.rolname, a.attname::text
	FROM pg_attribute a, aclexplode(a.attacl) g
	JOIN pg_roles r ON r.oid = g.grantee
	WHERE a.attrelid = to_regclass('@extschema@.im_role_grant') AND g.privilege_type = 'REFERENCES'
	ORDER BY r.rolname, a.attnum;
END
$$;
COMMENT ON FUNCTION @extschema@.im_grants() IS
'The roles that im_grant() made readers, tenants, loaders and closers.';

-- Grants or revokes all that a kind of role holds, for many roles at once.
CREATE FUNCTION @extschema@.im_change_privileges(command text, kind text, roles name[]) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	names text := (SELECT string_agg(quote_ident(r), ', ') FROM unnest($3) r);
	statement text;
BEGIN
	FOR statement IN
		SELECT format('%s ON TABLE %s.%I', p.privilege, '@extschema@', p.table_name)
		FROM @extschema@.im_privilege_definitions() p
		WHERE p.kind = $2 AND to_regclass(format('%s.%I', '@extschema@', p.table_name)) IS NOT NULL
		UNION ALL
		-- partitions are loaded directly, too
		SELECT format('%s ON TABLE %s', p.privilege, l.partition::regclass)
		FROM @extschema@.im_privilege_definitions() p
		JOIN @extschema@.im_raw_leaves() l ON l.table_name = p.table_name
		JOIN pg_class c ON c.oid = l.partition
		WHERE p.kind = $2 AND pg_has_role(c.relowner, 'USAGE')
		UNION ALL
		SELECT format('EXECUTE ON FUNCTION %s', p.oid::regprocedure)
		FROM @extschema@.im_function_definitions() f
		JOIN pg_proc p ON p.proname = f.function_name
			AND p.pronamespace = '@extschema@'::regnamespace AND p.prosecdef
		WHERE $2 = ANY (f.kinds)
	LOOP
		EXECUTE format('%s %s %s %s', $1, statement, CASE $1 WHEN 'GRANT' THEN 'TO' ELSE 'FROM' END, names);
	END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.im_change_privileges(text, text, name[]) IS
'Executes GRANT or REVOKE of all that a kind of role holds.';

-- What im_create_tables() has just made is nobody's, whatever the default
-- privileges say, but the owner's and those roles' that were granted its kind.
CREATE FUNCTION @extschema@.im_grant_again() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	t record;
BEGIN
	IF @extschema@.im_tables_owner() IS NULL THEN
		RETURN;
	END IF;
	FOR t IN
		SELECT p.oid::regprocedure AS signature,
			string_agg(DISTINCT CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END, ', ') AS names
		FROM @extschema@.im_function_definitions() f
		JOIN pg_proc p ON p.proname = f.function_name
			AND p.pronamespace = '@extschema@'::regnamespace AND p.prosecdef,
			aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) g
		WHERE g.grantee <> p.proowner
		GROUP BY p.oid
	LOOP
		EXECUTE format('REVOKE ALL ON FUNCTION %s FROM %s CASCADE', t.signature, t.names);
	END LOOP;
	FOR t IN
		SELECT g.kind, array_agg(g.role) AS roles FROM @extschema@.im_grants() g GROUP BY g.kind
	LOOP
		PERFORM @extschema@.im_change_privileges('GRANT'::text, t.kind, t.roles);
	END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.im_grant_again() IS
'Grants anew what the roles of im_grants() hold, and takes from others the functions that im_create_tables() makes.';

-- All that a kind holds an owner holds by owning it: to revoke it from him would
-- take the tables away from all that runs with his rights.
CREATE FUNCTION @extschema@.im_need_no_owner(role regrole) RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	owned regclass := (
		SELECT min(c.oid)::regclass
		FROM pg_class c
		WHERE c.relowner = $1
			AND (c.oid IN (SELECT to_regclass(format('%s.%I', '@extschema@', p.table_name))
						   FROM @extschema@.im_privilege_definitions() p)
				OR c.oid IN (SELECT l.partition FROM @extschema@.im_raw_leaves() l)));
BEGIN
	IF owned IS NOT NULL OR (SELECT r.rolsuper FROM pg_roles r WHERE r.oid = $1) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_grant_operation',
			MESSAGE = format('role %s is of no kind, it %s', $1,
				coalesce(format('owns %s', owned), 'is a superuser')),
			DETAIL = 'Owners and superusers may do all that a kind of role may, without a grant that could be revoked.',
			HINT = 'Grant a kind to roles that own none of the tables.';
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_need_no_owner(regrole) IS
'Error 0LP01 for a superuser and for the owner of a table or view that kinds of roles hold.';

CREATE FUNCTION @extschema@.im_need_kind(role regrole, kind text) RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	owner name;
BEGIN
	IF to_regclass('@extschema@.im_role_grant') IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'undefined_table',
			MESSAGE = 'the tables of imbilling are not there, or of an older version',
			DETAIL = 'Roles are granted rights on tables and functions that im_create_tables() makes.',
			HINT = 'Call im_create_tables() first.';
	END IF;
	SELECT pg_get_userbyid(c.relowner) INTO owner
	FROM pg_class c WHERE c.oid = '@extschema@.im_role_grant'::regclass;
	IF NOT pg_has_role(owner, 'USAGE') THEN
		RAISE EXCEPTION USING
			ERRCODE = 'insufficient_privilege',
			MESSAGE = format('role "%s" may not grant rights on the tables', current_user),
			DETAIL = format('The tables belong to role "%s".', owner),
			HINT = 'Only their owner says who reads, loads and closes.';
	END IF;
	IF $1 IS NULL OR $2 IS NULL OR NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = $1) THEN
		RAISE EXCEPTION USING
			ERRCODE = CASE WHEN $1 IS NULL OR $2 IS NULL THEN 'null_value_not_allowed' ELSE 'undefined_object' END,
			MESSAGE = format('role %s cannot be a %s', coalesce($1::text, 'null'), coalesce($2, 'kind that is null')),
			DETAIL = 'Rights are granted to a role that exists, by the name of a kind.',
			HINT = 'Give both, as in im_grant(''acme'', ''tenant'').';
	END IF;
	IF $2 NOT IN ('reader', 'tenant', 'loader', 'closer') THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('there is no kind of role "%s"', $2),
			DETAIL = 'A role is a reader, a tenant, a loader or a closer, or several of them.',
			HINT = 'Name one of the four in the singular.';
	END IF;
	PERFORM @extschema@.im_need_no_owner($1);
END
$$;
COMMENT ON FUNCTION @extschema@.im_need_kind(regrole, text) IS
'Raises an error unless the caller may grant, the role exists, is no owner and no superuser, and the kind is one: 42P01, 42501, 22004, 42704, 0LP01, 22023.';

CREATE FUNCTION @extschema@.im_grant(role regrole, kind text) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM @extschema@.im_need_kind($1, $2);
	IF NOT has_schema_privilege($1, '@extschema@'::regnamespace, 'USAGE') THEN
		EXECUTE format('GRANT USAGE ON SCHEMA %s TO %s', '@extschema@', $1);
	END IF;
	PERFORM @extschema@.im_change_privileges('GRANT'::text, $2,
		ARRAY(SELECT r.rolname FROM pg_roles r WHERE r.oid = $1));
END
$$;
COMMENT ON FUNCTION @extschema@.im_grant(regrole, text) IS
'Makes a role a reader (bills and invoices of all apps, no user ids), a tenant (the same for the apps whose im_app.tenant is that role), a loader (COPY and INSERT of usage and orders, reads nothing back) or a closer (closes and adjusts months). Errors: 42501 unless called by the owner of the tables, 22023 for another kind, 0LP01 for an owner of the tables and for superusers.';

CREATE FUNCTION @extschema@.im_revoke(role regrole, kind text) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	role_name name := (SELECT r.rolname FROM pg_roles r WHERE r.oid = $1);
	other text;
BEGIN
	PERFORM @extschema@.im_need_kind($1, $2);
	-- what somebody granted by hand to a role that is not of the kind stays
	IF NOT EXISTS (SELECT FROM @extschema@.im_grants() g WHERE g.role = role_name AND g.kind = $2) THEN
		RETURN;
	END IF;
	PERFORM @extschema@.im_change_privileges('REVOKE'::text, $2, ARRAY[role_name]);
	-- what a kind shares with another that the role keeps
	FOR other IN SELECT g.kind FROM @extschema@.im_grants() g WHERE g.role = role_name LOOP
		PERFORM @extschema@.im_change_privileges('GRANT'::text, other, ARRAY[role_name]);
	END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.im_revoke(regrole, text) IS
'Takes back what im_grant() gave, except USAGE on the schema; nothing from a role that is not of the kind. Errors as im_grant().';
