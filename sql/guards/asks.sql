-- Who asks, and for whom a function answers.

-- The note of who asks is one of the process.  Neither these two nor what
-- im_create_tables() makes goes to a worker of the statement that calls it; a
-- public function as a whole may, for what runs in a worker has none of its own.
CREATE FUNCTION im_internal.im_guarded(function_name text) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION im_internal.im_guarded(text) IS
'Whether the current role, which may not read all tables, is to be answered by the function of this name that im_create_tables() made, which has to be called next. Error 42501 if a function of this name does not belong to the owner of the tables.';

CREATE FUNCTION im_internal.im_caller(function_name text) RETURNS oid
	AS 'MODULE_PATHNAME' LANGUAGE C STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION im_internal.im_caller(text) IS
'The role that im_guarded() sent to the function of this name; the second time, or without im_guarded(), error 42501.';

CREATE FUNCTION im_internal.im_tenants(caller oid) RETURNS name[]
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (
		WITH RECURSIVE granted(role) AS (
			SELECT $1
			UNION
			SELECT m.roleid FROM pg_auth_members m JOIN granted g ON m.member = g.role)
		SELECT array_agg(r.rolname)
		FROM granted g
		JOIN pg_roles r ON r.oid = g.role
		WHERE pg_has_role($1, g.role, 'USAGE'));
END
$$;
COMMENT ON FUNCTION im_internal.im_tenants(oid) IS
'The role and those whose privileges it has: as any of them it is a tenant.';

CREATE FUNCTION im_internal.im_tenant_accounts(caller oid) RETURNS bigint[]
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM im_internal.im_need_tables();
	RETURN (
		SELECT coalesce(array_agg(c.account_id ORDER BY c.account_id), '{}')
		FROM @extschema@.im_account c
		WHERE c.tenant = ANY (im_internal.im_tenants($1)));
END
$$;
COMMENT ON FUNCTION im_internal.im_tenant_accounts(oid) IS
'The accounts whose tenant is the role, or one whose privileges it has.';

-- A role sees an app when it has the privileges of the role im_app.tenant, or
-- of the tenant of the account that owns it.
CREATE FUNCTION im_internal.im_tenant_apps(caller oid) RETURNS bigint[]
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (
		SELECT coalesce(array_agg(a.app_id ORDER BY a.app_id), '{}')
		FROM @extschema@.im_app a
		WHERE a.tenant = ANY (im_internal.im_tenants($1))
			OR a.account_id = ANY (im_internal.im_tenant_accounts($1)));
END
$$;
COMMENT ON FUNCTION im_internal.im_tenant_apps(oid) IS
'The apps whose tenant, or whose account''s, is the role, or one whose privileges it has.';

-- Of each tenant and account the next app in the order of an index is read,
-- whether that is the app, and whether there is such an app: counters of the
-- server tell a tenant nothing.
CREATE FUNCTION im_internal.im_is_tenant(caller oid, app_id bigint) RETURNS boolean
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	tenants name[] := im_internal.im_tenants($1);
BEGIN
	IF to_regclass('@extschema@.im_account') IS NULL THEN
		PERFORM im_internal.im_need_tables();
	END IF;
	RETURN EXISTS (
		SELECT
		FROM unnest(tenants) t(name),
			LATERAL (SELECT a.tenant, a.app_id
					 FROM @extschema@.im_app a
					 WHERE (a.tenant, a.app_id) >= (t.name, $2)
					 ORDER BY a.tenant, a.app_id
					 LIMIT 1) f
		WHERE f.tenant = t.name AND f.app_id = $2)
		OR EXISTS (
		SELECT
		FROM @extschema@.im_account c,
			LATERAL (SELECT a.account_id, a.app_id
					 FROM @extschema@.im_app a
					 WHERE (a.account_id, a.app_id) >= (c.account_id, $2)
					 ORDER BY a.account_id, a.app_id
					 LIMIT 1) f
		WHERE c.tenant = ANY (tenants) AND f.account_id = c.account_id AND f.app_id = $2);
END
$$;
COMMENT ON FUNCTION im_internal.im_is_tenant(oid, bigint) IS
'Whether an app is one of im_tenant_apps().';

CREATE FUNCTION im_internal.im_sees_all(caller oid) RETURNS boolean
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN has_column_privilege($1, '@extschema@.im_role_grant', 'reader', 'REFERENCES');
END
$$;
COMMENT ON FUNCTION im_internal.im_sees_all(oid) IS
'Whether the role is a reader, itself or through the privileges of another.';

CREATE FUNCTION im_internal.im_visible_apps(caller oid) RETURNS bigint[]
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN CASE WHEN NOT im_internal.im_sees_all($1) THEN im_internal.im_tenant_apps($1) END;
END
$$;
COMMENT ON FUNCTION im_internal.im_visible_apps(oid) IS
'The apps that the role may ask for; null for all.';

-- Another customer's app and one that does not exist are told by the same
-- line, after the same work.
CREATE FUNCTION im_internal.im_need_visible(caller oid, app_id bigint) RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NOT (im_internal.im_sees_all($1) OR im_internal.im_is_tenant($1, $2)) THEN
		PERFORM im_internal.im_raise_no_app($2);
	END IF;
END
$$;
COMMENT ON FUNCTION im_internal.im_need_visible(oid, bigint) IS
'Raises P0002 unless the role may ask for the app, in the words of an app that does not exist.';

CREATE FUNCTION im_internal.im_visible_accounts(caller oid) RETURNS bigint[]
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN CASE WHEN NOT im_internal.im_sees_all($1) THEN im_internal.im_tenant_accounts($1) END;
END
$$;
COMMENT ON FUNCTION im_internal.im_visible_accounts(oid) IS
'The accounts that the role may ask for; null for all.';

CREATE FUNCTION im_internal.im_visible_balances(caller oid) RETURNS bigint[]
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN CASE WHEN NOT has_column_privilege($1, '@extschema@.im_role_grant', 'cashier', 'REFERENCES')
		THEN im_internal.im_visible_accounts($1) END;
END
$$;
COMMENT ON FUNCTION im_internal.im_visible_balances(oid) IS
'The accounts of whose balance the role may ask: those that it may ask for, of a cashier all; null for all.';

CREATE FUNCTION im_internal.im_need_among(account_id bigint, visible bigint[]) RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NOT $1 = ANY (coalesce($2, ARRAY[$1])) THEN
		PERFORM im_internal.im_raise_no_account($1);
	END IF;
END
$$;
COMMENT ON FUNCTION im_internal.im_need_among(bigint, bigint[]) IS
'Raises P0002 unless the account is among those that may be asked for, null for all, in the words of an account that does not exist.';
