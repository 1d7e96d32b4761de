-- What each kind of role may do, and its roles.

-- What a kind of role holds on the tables themselves.  Whether it is a
-- role's kind is told by the table im_role_grant, which has no row: the role
-- has REFERENCES on the column of that name, for which there is no other use.
-- So it follows a renamed or dropped role and a dump, and a DROP EXTENSION
-- takes the functions, but not the knowledge whom to grant them to again.
CREATE FUNCTION im_internal.im_privilege_definitions()
	RETURNS TABLE (kind text, table_name text, privilege text)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT * FROM (VALUES
			('reader', 'im_role_grant', 'REFERENCES (reader)'),
			('tenant', 'im_role_grant', 'REFERENCES (tenant)'),
			('loader', 'im_role_grant', 'REFERENCES (loader)'),
			('closer', 'im_role_grant', 'REFERENCES (closer)'),
			('cashier', 'im_role_grant', 'REFERENCES (cashier)'),
			('reader', 'im_app', 'SELECT'),
			('reader', 'im_account', 'SELECT'),
			('reader', 'im_payment', 'SELECT'),
			('cashier', 'im_payment', 'INSERT'),
			('reader', 'im_rate_card_version', 'SELECT'),
			('reader', 'im_order', 'SELECT'),
			('reader', 'im_suspension', 'SELECT'),
			-- but not of whom
			('reader', 'im_event', 'SELECT (app_id, meter, at, quantity)'),
			('reader', 'im_meter_daily', 'SELECT (app_id, day, meter, quantity, metered_at, area, before, length)'),
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
			('reader', 'im_series', 'SELECT'),
			('reader', 'im_outbox', 'SELECT'),
			('closer', 'im_closing', 'SELECT'),
			('reader', 'im_close_progress', 'SELECT'),
			('closer', 'im_close_progress', 'SELECT'),
			('loader', 'im_load', 'INSERT'),
			('loader', 'im_order', 'INSERT'),
			('loader', 'im_login', 'INSERT'),
			('loader', 'im_group', 'INSERT'),
			('loader', 'im_moderation_check', 'INSERT'),
			('loader', 'im_call', 'INSERT'),
			('loader', 'im_event', 'INSERT'),
			('loader', 'im_usage_daily', 'INSERT'),
			('loader', 'im_meter_daily', 'INSERT')
	) AS t(kind, table_name, privilege)
$$;
COMMENT ON FUNCTION im_internal.im_privilege_definitions() IS
'What im_grant() grants on tables, by kind of role.';

CREATE FUNCTION @extschema@.im_grants() RETURNS TABLE (role name, kind text)
	LANGUAGE plpgsql STABLE ROWS 10
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM im_internal.im_need_tables();
	RETURN QUERY
	SELECT r.rolname, a.attname::text
	FROM pg_attribute a, aclexplode(a.attacl) g
	JOIN pg_roles r ON r.oid = g.grantee
	WHERE a.attrelid = to_regclass('@extschema@.im_role_grant') AND g.privilege_type = 'REFERENCES'
	ORDER BY r.rolname, a.attnum;
END
$$;
COMMENT ON FUNCTION @extschema@.im_grants() IS
'The roles that im_grant() made readers, tenants, loaders, closers and cashiers.';

-- Grants or revokes all that a kind of role holds, for many roles at once.
CREATE FUNCTION im_internal.im_change_privileges(command text, kind text, roles name[]) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	names text := (SELECT string_agg(quote_ident(r), ', ') FROM unnest($3) r);
	statement text;
BEGIN
	FOR statement IN
		SELECT format('%s ON TABLE %s.%I', p.privilege, '@extschema@', p.table_name)
		FROM im_internal.im_privilege_definitions() p
		WHERE p.kind = $2 AND to_regclass(format('%s.%I', '@extschema@', p.table_name)) IS NOT NULL
		UNION ALL
		-- partitions are loaded directly, too
		SELECT format('%s ON TABLE %s', p.privilege, l.partition::regclass)
		FROM im_internal.im_privilege_definitions() p
		JOIN im_internal.im_raw_leaves() l ON l.table_name = p.table_name
		JOIN pg_class c ON c.oid = l.partition
		WHERE p.kind = $2 AND pg_has_role(c.relowner, 'USAGE')
		UNION ALL
		SELECT format('EXECUTE ON FUNCTION %s', p.oid::regprocedure)
		FROM im_internal.im_function_definitions() f
		JOIN pg_proc p ON p.proname = f.function_name
			AND p.pronamespace = '@extschema@'::regnamespace AND p.prosecdef
		WHERE $2 = ANY (f.kinds)
	LOOP
		EXECUTE format('%s %s %s %s', $1, statement, CASE $1 WHEN 'GRANT' THEN 'TO' ELSE 'FROM' END, names);
	END LOOP;
END
$$;
COMMENT ON FUNCTION im_internal.im_change_privileges(text, text, name[]) IS
'Executes GRANT or REVOKE of all that a kind of role holds.';

-- What im_create_tables() has just made is nobody's, whatever the default
-- privileges say, but the owner's and those roles' that were granted its kind.
CREATE FUNCTION im_internal.im_grant_again() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	t record;
BEGIN
	IF im_internal.im_tables_owner() IS NULL THEN
		RETURN;
	END IF;
	FOR t IN
		SELECT p.oid::regprocedure AS signature,
			string_agg(DISTINCT CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END, ', ') AS names
		FROM im_internal.im_function_definitions() f
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
		PERFORM im_internal.im_change_privileges('GRANT'::text, t.kind, t.roles);
	END LOOP;
END
$$;
COMMENT ON FUNCTION im_internal.im_grant_again() IS
'Grants anew what the roles of im_grants() hold, and takes from others the functions that im_create_tables() makes.';

-- All that a kind holds an owner holds by owning it: to revoke it from him would
-- take the tables away from all that runs with his rights.
CREATE FUNCTION im_internal.im_need_no_owner(role regrole) RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	owned regclass := (
		SELECT min(c.oid)::regclass
		FROM pg_class c
		WHERE c.relowner = $1
			AND (c.oid IN (SELECT to_regclass(format('%s.%I', '@extschema@', p.table_name))
						   FROM im_internal.im_privilege_definitions() p)
				OR c.oid IN (SELECT l.partition FROM im_internal.im_raw_leaves() l)));
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
COMMENT ON FUNCTION im_internal.im_need_no_owner(regrole) IS
'Error 0LP01 for a superuser and for the owner of a table or view that kinds of roles hold.';

CREATE FUNCTION im_internal.im_need_kind(role regrole, kind text) RETURNS void
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
	IF $2 NOT IN ('reader', 'tenant', 'loader', 'closer', 'cashier') THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('there is no kind of role "%s"', $2),
			DETAIL = 'A role is a reader, a tenant, a loader, a closer or a cashier, or several of them.',
			HINT = 'Name one of the five in the singular.';
	END IF;
	PERFORM im_internal.im_need_no_owner($1);
END
$$;
COMMENT ON FUNCTION im_internal.im_need_kind(regrole, text) IS
'Raises an error unless the caller may grant, the role exists, is no owner and no superuser, and the kind is one: 42P01, 42501, 22004, 42704, 0LP01, 22023.';

CREATE FUNCTION @extschema@.im_grant(role regrole, kind text) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM im_internal.im_need_kind($1, $2);
	IF NOT has_schema_privilege($1, '@extschema@'::regnamespace, 'USAGE') THEN
		EXECUTE format('GRANT USAGE ON SCHEMA %s TO %s', '@extschema@', $1);
	END IF;
	PERFORM im_internal.im_change_privileges('GRANT'::text, $2,
		ARRAY(SELECT r.rolname FROM pg_roles r WHERE r.oid = $1));
END
$$;
COMMENT ON FUNCTION @extschema@.im_grant(regrole, text) IS
'Makes a role a reader (bills and invoices of all apps, no user ids), a tenant (the same for the apps whose im_app.tenant or im_account.tenant is that role), a loader (COPY and INSERT of usage and orders, reads nothing back), a closer (closes and adjusts months) or a cashier (INSERT of payments, balances, im_suspend_arrears()). Errors: 42501 unless called by the owner of the tables, 22023 for another kind, 0LP01 for an owner of the tables and for superusers.';

CREATE FUNCTION @extschema@.im_revoke(role regrole, kind text) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	role_name name := (SELECT r.rolname FROM pg_roles r WHERE r.oid = $1);
	other text;
BEGIN
	PERFORM im_internal.im_need_kind($1, $2);
	-- what somebody granted by hand to a role that is not of the kind stays
	IF NOT EXISTS (SELECT FROM @extschema@.im_grants() g WHERE g.role = role_name AND g.kind = $2) THEN
		RETURN;
	END IF;
	PERFORM im_internal.im_change_privileges('REVOKE'::text, $2, ARRAY[role_name]);
	-- what a kind shares with another that the role keeps
	FOR other IN SELECT g.kind FROM @extschema@.im_grants() g WHERE g.role = role_name LOOP
		PERFORM im_internal.im_change_privileges('GRANT'::text, other, ARRAY[role_name]);
	END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.im_revoke(regrole, text) IS
'Takes back what im_grant() gave, except USAGE on the schema; nothing from a role that is not of the kind. Errors as im_grant().';
