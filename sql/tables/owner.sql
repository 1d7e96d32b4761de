-- The owner of the tables, as whom everything acts that writes for others.

-- The one role that owns all tables, null if several do.  A function that
-- runs with the rights of one must not read what another may have made a view.
CREATE FUNCTION im_internal.im_tables_owner() RETURNS name
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (
		SELECT min(pg_get_userbyid(c.relowner))
		FROM im_internal.im_table_definitions() d
		JOIN pg_class c ON c.oid = to_regclass(format('%s.%I', '@extschema@', d.table_name))
		HAVING count(DISTINCT c.relowner) = 1 AND bool_and(c.relkind IN ('r', 'p')));
END
$$;
COMMENT ON FUNCTION im_internal.im_tables_owner() IS
'The role that owns the tables of im_create_tables(); null if they belong to several, or one of them is no table.';

-- A table that a newer version adds belongs to the owner of the others, also
-- where an administrator adds it.  A few tables that somebody made beforehand
-- make nobody the owner of what follows.
CREATE FUNCTION im_internal.im_owner_of_new() RETURNS name
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	first_tables text[] := '{im_rate_card_version,im_app,im_order,im_suspension,im_login,im_group,im_moderation_check,im_call,im_load,im_usage_daily}';
BEGIN
	RETURN CASE
		WHEN EXISTS (SELECT FROM unnest(first_tables) t
					 WHERE to_regclass(format('%s.%I', '@extschema@', t)) IS NULL) THEN current_user
		ELSE coalesce(im_internal.im_tables_owner(), current_user) END;
END
$$;
COMMENT ON FUNCTION im_internal.im_owner_of_new() IS
'The role that is to own a table that im_create_tables() adds: the one that owns all that a bill reads, else the current one.';

-- A superuser acts as the owner of the tables, so that nothing of theirs runs
-- with more rights than he has: triggers, checks, casts behind columns.
CREATE FUNCTION im_internal.im_acting_role() RETURNS name
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN CASE WHEN (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user)
		THEN im_internal.im_owner_of_new() ELSE current_user END;
END
$$;
COMMENT ON FUNCTION im_internal.im_acting_role() IS
'The role that im_create_tables(), metering and partitioning act as: the owner of the tables where a superuser calls, else the caller.';

CREATE FUNCTION im_internal.im_act_as_owner() RETURNS text
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	role_before CONSTANT text := current_setting('role');
	acting CONSTANT name := im_internal.im_acting_role();
BEGIN
	IF acting <> current_user THEN
		PERFORM set_config('role', acting, true);
	END IF;
	RETURN role_before;
END
$$;
COMMENT ON FUNCTION im_internal.im_act_as_owner() IS
'Becomes im_acting_role(), and gives the setting of the role that im_act_again() is to be given at the end. Error 42501 within a SECURITY DEFINER function of a superuser.';

CREATE FUNCTION im_internal.im_act_again(role_before text) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF current_setting('role') <> $1 THEN
		PERFORM set_config('role', $1, true);
	END IF;
END
$$;
COMMENT ON FUNCTION im_internal.im_act_again(text) IS
'Becomes again who im_act_as_owner() found.';

-- A procedure calls with the rights of its caller what answers with those of
-- the tables' owner, or of somebody who put a function of that name there.
CREATE FUNCTION im_internal.im_need_owners_function(name text) RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	tables_owner name := im_internal.im_tables_owner();
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
COMMENT ON FUNCTION im_internal.im_need_owners_function(text) IS
'Raises 42501 unless the tables have one owner and every function of this name is his and runs with his rights.';
