-- im_create_tables(): tables that are the user's, not the extension's.
--
-- What the tables consist of is told as data (tables/definitions.sql), and the
-- function adds whatever is missing: a table, a column of a newer version, a key, an index,
-- a trigger that a DROP EXTENSION CASCADE took.  It changes no row.

-- Tables that lack a column, a key, a check or an index, or that a missing
-- key refers to.  Nothing is locked where nothing is missing, so that
-- im_create_tables() can be called beside everybody.
CREATE FUNCTION im_internal.im_lacking_tables() RETURNS SETOF regclass
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT r.oid::regclass
	FROM (SELECT d.table_name, NULL
		  FROM im_internal.im_column_definitions() d
		  WHERE NOT EXISTS (
			SELECT FROM pg_attribute a
			WHERE a.attrelid = to_regclass(format('%s.%I', '@extschema@', d.table_name)) AND a.attname = d.column_name)
		  UNION
		  SELECT d.table_name, substring(d.definition FROM '^FOREIGN KEY .* REFERENCES .*[.](im_[a-z_]+) ')
		  FROM im_internal.im_constraint_definitions() d
		  WHERE NOT EXISTS (
			SELECT FROM pg_constraint c
			WHERE c.conrelid = to_regclass(format('%s.%I', '@extschema@', d.table_name)) AND c.conname = d.constraint_name)
		  UNION
		  SELECT d.table_name, NULL
		  FROM im_internal.im_index_definitions() d
		  WHERE to_regclass(format('%s.%I', '@extschema@', d.index_name)) IS NULL) l(table_name, referred)
	JOIN pg_class r ON r.oid IN (to_regclass(format('%s.%I', '@extschema@', l.table_name)),
		to_regclass(format('%s.%I', '@extschema@', coalesce(l.referred, l.table_name))))
	GROUP BY r.oid
$$;
COMMENT ON FUNCTION im_internal.im_lacking_tables() IS
'The tables to which im_create_tables() will add something other than triggers.';

CREATE FUNCTION im_internal.im_lock_lacking() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	tables regclass[] := ARRAY(SELECT l FROM im_internal.im_lacking_tables() l
							   UNION SELECT k FROM im_internal.im_keyless_tables() k);
BEGIN
	IF tables <> '{}' THEN
		PERFORM im_internal.im_lock_tables(tables || ARRAY(SELECT DISTINCT g.on_table FROM im_internal.im_trigger_gaps() g),
			'ACCESS EXCLUSIVE'::text);
	END IF;
END
$$;
COMMENT ON FUNCTION im_internal.im_lock_lacking() IS
'Locks all tables to which im_create_tables() will add something, before it adds anything.';

CREATE FUNCTION im_internal.im_describe_tables() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	t record;
BEGIN
	FOR t IN
		SELECT d.*
		FROM im_internal.im_table_definitions() d
		WHERE obj_description(format('%s.%I', '@extschema@', d.table_name)::regclass, 'pg_class') IS DISTINCT FROM d.description
	LOOP
		EXECUTE format('COMMENT ON TABLE %s.%I IS %L', '@extschema@', t.table_name, t.description);
	END LOOP;
	FOR t IN
		SELECT d.*
		FROM im_internal.im_column_definitions() d
		JOIN pg_attribute a ON a.attrelid = format('%s.%I', '@extschema@', d.table_name)::regclass AND a.attname = d.column_name
		WHERE col_description(a.attrelid, a.attnum) IS DISTINCT FROM d.description
	LOOP
		EXECUTE format('COMMENT ON COLUMN %s.%I.%I IS %L', '@extschema@', t.table_name, t.column_name, t.description);
	END LOOP;
END
$$;
COMMENT ON FUNCTION im_internal.im_describe_tables() IS
'Gives tables and columns the comments that they lack.';

CREATE FUNCTION im_internal.im_add_columns() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
	SET client_min_messages = warning
AS $$
DECLARE
	owner name := im_internal.im_owner_of_new();
	t record;
BEGIN
	PERFORM im_internal.im_lock_lacking();
	FOR t IN
		SELECT d.*
		FROM im_internal.im_table_definitions() d
		WHERE to_regclass(format('%s.%I', '@extschema@', d.table_name)) IS NULL
	LOOP
		EXECUTE format('CREATE TABLE %s.%I ()', '@extschema@', t.table_name);
		EXECUTE format('ALTER TABLE %s.%I OWNER TO %I', '@extschema@', t.table_name, owner);
	END LOOP;
	-- what users gave before the column was there spoke for the whole day
	IF EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = '@extschema@.im_usage_daily'::regclass AND a.attname = 'app_id')
		AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = '@extschema@.im_usage_daily'::regclass AND a.attname = 'whole') THEN
		ALTER TABLE @extschema@.im_usage_daily ADD COLUMN whole boolean DEFAULT true;
		ALTER TABLE @extschema@.im_usage_daily ALTER COLUMN whole SET DEFAULT false;
	END IF;
	FOR t IN
		SELECT d.*
		FROM im_internal.im_column_definitions() WITH ORDINALITY
			d(table_name, column_name, definition, description, place)
		WHERE NOT EXISTS (
			SELECT FROM pg_attribute a
			WHERE a.attrelid = format('%s.%I', '@extschema@', d.table_name)::regclass AND a.attname = d.column_name)
		-- as told, whatever the plan: a COPY goes by the order of columns
		ORDER BY d.place
	LOOP
		EXECUTE format('ALTER TABLE %s.%I ADD COLUMN %I %s',
			'@extschema@', t.table_name, t.column_name, t.definition);
	END LOOP;
	PERFORM im_internal.im_describe_tables();
END
$$;
COMMENT ON FUNCTION im_internal.im_add_columns() IS
'Adds the tables and columns that are missing.';

CREATE FUNCTION im_internal.im_add_constraints() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
	SET client_min_messages = warning
AS $$
DECLARE
	t record;
BEGIN
	-- up to 0.2.0 the key held all apps of a batch, which may be too many for an index
	IF EXISTS (SELECT FROM pg_constraint c
			   WHERE c.conrelid = '@extschema@.im_closing'::regclass AND c.conname = 'im_closing_pkey'
					AND pg_get_constraintdef(c.oid) LIKE '%apps%') THEN
		ALTER TABLE @extschema@.im_closing DROP CONSTRAINT im_closing_pkey;
	END IF;
	-- and the reason of a credit or charge would have been held to the length of a name
	IF EXISTS (SELECT FROM pg_constraint c
			   WHERE c.conrelid = '@extschema@.im_order'::regclass AND c.conname = 'im_order_names_check') THEN
		ALTER TABLE @extschema@.im_order DROP CONSTRAINT im_order_names_check;
	END IF;
	FOR t IN
		SELECT d.*
		FROM im_internal.im_constraint_definitions() d
		WHERE NOT EXISTS (
			SELECT FROM pg_constraint c
			WHERE c.conrelid = format('%s.%I', '@extschema@', d.table_name)::regclass
				AND c.conname = d.constraint_name)
		-- keys before what refers to them
		ORDER BY d.definition LIKE 'FOREIGN KEY%'
	LOOP
		EXECUTE format('ALTER TABLE %s.%I ADD CONSTRAINT %I %s',
			'@extschema@', t.table_name, t.constraint_name, t.definition);
	END LOOP;
	FOR t IN
		SELECT d.*
		FROM im_internal.im_index_definitions() d
		WHERE to_regclass(format('%s.%I', '@extschema@', d.index_name)) IS NULL
	LOOP
		EXECUTE format('CREATE INDEX %I ON %s.%I %s',
			t.index_name, '@extschema@', t.table_name, t.definition);
	END LOOP;
	FOR t IN SELECT k.leaf FROM im_internal.im_keyless_tables() k(leaf) LOOP
		EXECUTE format('ALTER TABLE %s REPLICA IDENTITY FULL', t.leaf);
	END LOOP;
END
$$;
COMMENT ON FUNCTION im_internal.im_add_constraints() IS
'Adds the keys, checks and indexes that are missing, and replaces the key of im_closing and the check of im_order that there were up to version 0.2.0.';

-- A row inserted into a table that somebody else made runs the triggers that
-- he put on it, with the rights of whoever inserts.
CREATE FUNCTION im_internal.im_need_own_table(name text) RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	owner name := (SELECT pg_get_userbyid(c.relowner) FROM pg_class c
				   WHERE c.oid = format('%s.%I', '@extschema@', $1)::regclass);
BEGIN
	IF owner <> current_user THEN
		RAISE EXCEPTION USING
			ERRCODE = 'insufficient_privilege',
			MESSAGE = format('table %s belongs to role "%s"', $1, owner),
			DETAIL = 'The bundled rate cards are written by the owner only: triggers of the table run with the rights of who writes.',
			HINT = format('SET ROLE %I first, or call im_create_tables(false).', owner);
	END IF;
END
$$;
COMMENT ON FUNCTION im_internal.im_need_own_table(text) IS
'Raises 42501 unless the table belongs to the current role.';

CREATE FUNCTION @extschema@.im_create_tables(with_cards boolean DEFAULT true) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	role_before text;
BEGIN
	PERFORM im_internal.im_need_local_tables();
	PERFORM im_internal.im_need_own_objects(im_internal.im_acting_role());
	-- what is new belongs to who acts, who need not be allowed to create it
	PERFORM im_internal.im_add_columns();
	role_before := im_internal.im_act_as_owner();
	PERFORM im_internal.im_add_constraints();
	PERFORM im_internal.im_add_triggers();
	PERFORM im_internal.im_guard_ledger();
	-- a price list that has rows is the user's: nothing of it comes back unasked
	IF $1 AND NOT EXISTS (SELECT FROM @extschema@.im_rate_card_version) THEN
		PERFORM im_internal.im_need_own_table('im_rate_card_version'::text);
		INSERT INTO @extschema@.im_rate_card_version (rate_card, effective_from, terms)
		SELECT b.rate_card, b.effective_from, b.terms
		FROM @extschema@.im_bundled_cards() b;
		-- or the table could not be altered in the same transaction
		SET CONSTRAINTS @extschema@.im_order_check_card IMMEDIATE;
		SET CONSTRAINTS @extschema@.im_order_check_card DEFERRED;
	END IF;
	PERFORM im_internal.im_act_again(role_before);
	PERFORM im_internal.im_add_functions();
	PERFORM im_internal.im_add_views();
	PERFORM im_internal.im_grant_again();
END
$$;
COMMENT ON FUNCTION @extschema@.im_create_tables(boolean) IS
'Creates the tables in the extension''s schema, owned by the caller, the views for BI and the functions that answer readers and tenants, and fills an empty im_rate_card_version with the bundled cards. Run again it adds what is missing and changes no row. A superuser acts as the owner of the tables. Errors: 42501 without CREATE on the schema, where the cards would go into a table of another role, where a function of one of its names belongs to another role, and where a table, or what its triggers, rules, policies, defaults, checks, indexes and columns use, belongs neither to the caller nor to a superuser; 0A000 where Citus has distributed one of them.';
