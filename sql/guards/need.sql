-- What a function needs before it answers: the tables, an app, a month.

CREATE FUNCTION im_internal.im_need_tables() RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF to_regclass('@extschema@.im_order') IS NULL
		OR to_regclass('@extschema@.im_rate_card_version') IS NULL
		-- what the last version has added to the last table
		OR NOT EXISTS (SELECT FROM pg_attribute a
					   WHERE a.attrelid = to_regclass('@extschema@.im_closing') AND a.attname = 'digest') THEN
		RAISE EXCEPTION USING
			ERRCODE = 'undefined_table',
			MESSAGE = 'the tables of imbilling do not exist yet, or are of an earlier version',
			DETAIL = 'The extension brings none: money records outlive it. A new version may need further tables and columns.',
			HINT = 'Call im_create_tables() first.';
	END IF;
END
$$;
COMMENT ON FUNCTION im_internal.im_need_tables() IS
'Raises 42P01 before im_create_tables() of this version was called.';

CREATE FUNCTION im_internal.im_raise_no_app(app_id bigint) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION USING
		ERRCODE = 'no_data_found',
		MESSAGE = format('there is no app %s', $1),
		DETAIL = 'im_app has no row of it.',
		HINT = 'Insert the app, or correct the app_id.';
END
$$;
COMMENT ON FUNCTION im_internal.im_raise_no_app(bigint) IS
'Raises P0002 for an app that im_app does not have, or does not have for the caller.';

CREATE FUNCTION im_internal.im_need_app(app_id bigint) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM im_internal.im_need_tables();
	IF NOT EXISTS (SELECT FROM @extschema@.im_app a WHERE a.app_id = $1) THEN
		PERFORM im_internal.im_raise_no_app($1);
	END IF;
END
$$;
COMMENT ON FUNCTION im_internal.im_need_app(bigint) IS
'Raises P0002 if im_app has no such app.';

CREATE FUNCTION im_internal.im_raise_no_account(account_id bigint) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION USING
		ERRCODE = 'no_data_found',
		MESSAGE = format('there is no account %s', $1),
		DETAIL = 'im_account has no row of it.',
		HINT = 'Insert the account, or correct the account_id.';
END
$$;
COMMENT ON FUNCTION im_internal.im_raise_no_account(bigint) IS
'Raises P0002 for an account that im_account does not have, or does not have for the caller.';

CREATE FUNCTION im_internal.im_need_account(account_id bigint) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM im_internal.im_need_tables();
	IF NOT EXISTS (SELECT FROM @extschema@.im_account c WHERE c.account_id = $1) THEN
		PERFORM im_internal.im_raise_no_account($1);
	END IF;
END
$$;
COMMENT ON FUNCTION im_internal.im_need_account(bigint) IS
'Raises P0002 if im_account has no such account.';

CREATE FUNCTION im_internal.im_need_month(app_id bigint, month @extschema@.im_month) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	card text;
BEGIN
	SELECT a.rate_card INTO card FROM @extschema@.im_app a WHERE a.app_id = $1;
	IF NOT EXISTS (SELECT FROM @extschema@.im_rate_card_version v
				   WHERE v.rate_card = card AND v.effective_from < upper($2::daterange)) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'no_data_found',
			MESSAGE = format('rate card "%s" has no version in force on %s', card, to_char(upper($2::daterange) - 1, 'YYYY-MM-DD')),
			DETAIL = format('App %s is billed by it. A month is rated by the version in force on its first day, or by the card''s first version if that starts in the month.', $1),
			HINT = 'Add a version to im_rate_card_version that starts by then, or bill a later month.';
	END IF;
END
$$;
COMMENT ON FUNCTION im_internal.im_need_month(bigint, @extschema@.im_month) IS
'Raises P0002 if no version of the app''s rate card covers the month.';
