-- The functions that im_create_tables() makes for the owner of the tables.

-- Who calls im_create_tables() runs what others made of the tables before: a
-- trigger, a cast behind a column, a function in a check.  So all of it must be
-- of roles that the caller trusts, which are superusers and the one to act as.
CREATE FUNCTION im_internal.im_foreign_objects(trusted name) RETURNS TABLE (object text, owner name)
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	WITH RECURSIVE ours(oid) AS (
		SELECT to_regclass(format('%s.%I', '@extschema@', n.name))::oid
		FROM (SELECT d.table_name FROM im_internal.im_table_definitions() d
			  UNION ALL
			  SELECT v.view_name FROM im_internal.im_view_definitions() v) n(name)
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
	FROM im_internal.im_column_definitions() d
	JOIN pg_attribute a ON a.attrelid = to_regclass(format('%s.%I', '@extschema@', d.table_name))
		AND a.attname = d.column_name AND NOT a.attisdropped
	JOIN pg_type t ON t.oid = a.atttypid
	WHERE t.typnamespace <> 'pg_catalog'::regnamespace
		AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_type'::regclass AND e.objid = t.oid AND e.deptype = 'e')
$$;
COMMENT ON FUNCTION im_internal.im_foreign_objects(name) IS
'Tables and views of im_create_tables(), partitions, and what their triggers, rules, policies, defaults, checks, indexes and columns use, that belong neither to the role given nor to a superuser; and types in columns of ours that are not built in.';

CREATE FUNCTION im_internal.im_need_own_objects(acting name) RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	f record;
BEGIN
	SELECT o.object, o.owner INTO f
	FROM im_internal.im_foreign_objects($1) o
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
COMMENT ON FUNCTION im_internal.im_need_own_objects(name) IS
'Raises 42501 with the first of im_foreign_objects().';

CREATE FUNCTION im_internal.im_need_own_function(name text, owner name) RETURNS void
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
COMMENT ON FUNCTION im_internal.im_need_own_function(text, name) IS
'Raises 42501 if another role has made a function of this name in the extension''s schema.';

-- A result that a newer version changed cannot be replaced.  Messages of the
-- debugging settings would print the owner's plans to the caller.
CREATE FUNCTION im_internal.im_make_function(name text, arguments text, result text,
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
COMMENT ON FUNCTION im_internal.im_make_function(text, text, text, text, text, text) IS
'Creates or replaces a function that runs with the rights of its owner.';

CREATE FUNCTION im_internal.im_add_functions() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	owner name := im_internal.im_tables_owner();
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
	FOR f IN SELECT * FROM im_internal.im_function_definitions() LOOP
		PERFORM im_internal.im_need_own_function(f.function_name, owner);
		PERFORM im_internal.im_make_function(f.function_name, f.arguments, f.result, f.language,
			f.volatility, f.body);
		signature := format('%s.%I(%s)', '@extschema@', f.function_name, f.arguments);
		EXECUTE format('COMMENT ON FUNCTION %s IS %L', signature, f.description);
		EXECUTE format('ALTER FUNCTION %s DEPENDS ON EXTENSION imbilling', signature);
		EXECUTE format('ALTER FUNCTION %s OWNER TO %I', signature, owner);
	END LOOP;
END
$$;
COMMENT ON FUNCTION im_internal.im_add_functions() IS
'Makes the functions of im_function_definitions(), or replaces them. Error 42501 if another role has one of their names.';
