-- Copies at a front of functions of one database, over what all partitions say:
-- the apps of an account are on several of them, and none knows what it owes; a
-- page is made of what each says of its apps.
--
-- A copy reads the front's tables, and the accounts of the first partition,
-- which are those of all.

CREATE FUNCTION im_internal.im_front_copies()
	RETURNS TABLE (place bigint, name text, schema_name text)
	LANGUAGE sql IMMUTABLE ROWS 20
BEGIN ATOMIC
	SELECT c.place, c.name, CASE WHEN EXISTS (SELECT FROM im_internal.im_front_routes() r WHERE r.name = c.name AND r.route = 'copied')
		THEN 'im_front' ELSE 'im_front_parts' END::text
	FROM unnest('{im_need_account,im_account_moves,im_standings,im_arrears_of,im_account_arrears,im_running_arrears,im_end_suspensions,im_begin_suspensions,im_untellable,im_tellable_accounts,im_arrears_facts,im_arrears,im_arrears_reason,im_unpaid,im_suspend_arrears,im_arrears_standing,im_notify_alerts,im_account_html,im_month_html_of,im_month_html}'::text[])
		WITH ORDINALITY c(name, place);
END;
COMMENT ON FUNCTION im_internal.im_front_copies() IS
'The functions that a front has copies of, in the order in which they call each other, and the schema of the copy: im_front for public ones.';

CREATE FUNCTION im_internal.im_front_copy(f oid, schema_name text) RETURNS text
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	body text := replace(pg_get_functiondef($1), '@extschema@.', '{ext}.');
	called record;
BEGIN
	body := regexp_replace(body, E'^(CREATE OR REPLACE FUNCTION )[^(]*\\.', E'\\1' || $2 || '.');
	body := regexp_replace(body, E'\\mim_internal\\.(im_guarded|im_need_tables|im_account_dues|im_account_parts|im_month_parts)\\M', E'im_front_parts.\\1', 'g');
	FOR called IN
		SELECT c.name, c.schema_name, 'im_internal' AS home FROM im_internal.im_front_copies() c WHERE c.schema_name = 'im_front_parts'
		UNION ALL
		SELECT r.name, 'im_front', '{ext}' FROM im_internal.im_front_routes() r WHERE r.route <> 'here'
	LOOP
		body := replace(body, format('%s.%s(', called.home, called.name), format('%s.%s(', called.schema_name, called.name));
	END LOOP;
	body := regexp_replace(body, E'\\{ext\\}\\.(im_app|im_payment|im_suspension)\\M', E'im_front.\\1', 'g');
	body := regexp_replace(body, E'\\{ext\\}\\.im_account\\M', 'im_front_0.im_account', 'g');
	RETURN replace(body, '{ext}.', '@extschema@.');
END
$$;
COMMENT ON FUNCTION im_internal.im_front_copy(oid, text) IS
'The command that makes the copy of a function in a schema of a front, where it calls copies and the front''s functions and reads the front''s tables.';

CREATE FUNCTION im_internal.im_make_front_copies() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	copy record;
BEGIN
	PERFORM im_internal.im_make_routed('im_front_parts'::text, told::oid, 'ALL'::text)
	FROM unnest('{im_internal.im_account_dues,im_internal.im_account_parts,im_internal.im_month_parts}'::regproc[]) told;
	-- who may read is settled on each partition
	CREATE FUNCTION im_front_parts.im_guarded(name text) RETURNS boolean LANGUAGE sql IMMUTABLE RETURN false;
	CREATE FUNCTION im_front_parts.im_need_tables() RETURNS void LANGUAGE sql IMMUTABLE RETURN NULL;
	FOR copy IN
		SELECT im_internal.im_front_copy(p.oid, c.schema_name) AS command
		FROM im_internal.im_front_copies() c
		JOIN pg_proc p ON p.proname = c.name AND p.pronamespace IN ('im_internal'::regnamespace, '@extschema@'::regnamespace)
		ORDER BY c.place, p.pronargs DESC
	LOOP
		EXECUTE copy.command;
	END LOOP;
END
$$;
COMMENT ON FUNCTION im_internal.im_make_front_copies() IS
'Makes the functions of a front that are copies, and what tells them.';
