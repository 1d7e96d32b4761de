-- The apps that whoever asks may see, and the rate card of one.

CREATE FUNCTION im_internal.im_apps_of(apps bigint[])
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
COMMENT ON FUNCTION im_internal.im_apps_of(bigint[]) IS
'im_apps() of the given apps; null for all of them.';

CREATE FUNCTION @extschema@.im_apps()
	RETURNS TABLE (app_id bigint, name text, rate_card text, opened_at timestamptz, tenant text)
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM im_internal.im_need_tables();
	IF im_internal.im_guarded('im_apps_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_apps_guarded();
		RETURN;
	END IF;
	RETURN QUERY SELECT * FROM im_internal.im_apps_of(NULL::bigint[]);
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
	IF im_internal.im_guarded('im_app_card_guarded'::text) THEN
		RETURN @extschema@.im_app_card_guarded($1, $2);
	END IF;
	PERFORM im_internal.im_need_app($1);
	PERFORM im_internal.im_need_month($1, $2);
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

CREATE FUNCTION im_internal.im_raise_no_card(name text, on_day date) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	first date := (SELECT min(v.effective_from) FROM @extschema@.im_rate_card_version v WHERE v.rate_card = $1);
BEGIN
	RAISE EXCEPTION USING
		ERRCODE = 'no_data_found',
		MESSAGE = CASE WHEN first IS NULL THEN format('there is no rate card "%s"', $1)
			ELSE format('rate card "%s" has no version in force on %s', $1, to_char($2, 'YYYY-MM-DD')) END,
		DETAIL = CASE WHEN first IS NULL THEN 'im_rate_card_version has no row of that name.'
			ELSE format('Its first version takes effect on %s.', to_char(first, 'YYYY-MM-DD')) END,
		HINT = CASE WHEN first IS NULL THEN 'Name a rate card of im_rate_card_version; im_bundled_cards() has those that the extension brings.'
			ELSE 'Ask for a later day, or add a version to im_rate_card_version.' END;
END
$$;
COMMENT ON FUNCTION im_internal.im_raise_no_card(text, date) IS
'Raises P0002 for a rate card that has no version in force on a day.';

CREATE FUNCTION @extschema@.im_card(name text, on_day date) RETURNS @extschema@.im_rate_card
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	terms jsonb;
BEGIN
	PERFORM im_internal.im_need_tables();
	IF im_internal.im_guarded('im_card_guarded'::text) THEN
		RETURN @extschema@.im_card_guarded($1, $2);
	END IF;
	SELECT v.terms INTO terms
	FROM @extschema@.im_rate_card_version v
	WHERE v.rate_card = $1 AND v.effective_from <= $2
	ORDER BY v.effective_from DESC
	LIMIT 1;
	IF NOT FOUND THEN
		PERFORM im_internal.im_raise_no_card($1, $2);
	END IF;
	RETURN terms::@extschema@.im_rate_card;
END
$$;
COMMENT ON FUNCTION @extschema@.im_card(text, date) IS
'The version of a rate card in force on a day, by its name in im_rate_card_version. Errors: 42P01 before im_create_tables(), P0002 without such a version.';

CREATE FUNCTION @extschema@.im_card(name text) RETURNS @extschema@.im_rate_card
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM im_internal.im_need_tables();
	IF im_internal.im_guarded('im_card_today_guarded'::text) THEN
		RETURN @extschema@.im_card_today_guarded($1);
	END IF;
	RETURN @extschema@.im_card($1, (
		SELECT (now() AT TIME ZONE coalesce(min(v.terms ->> 'time_zone'), 'UTC'))::date
		FROM @extschema@.im_rate_card_version v
		WHERE v.rate_card = $1));
END
$$;
COMMENT ON FUNCTION @extschema@.im_card(text) IS
'The version of a rate card in force today, in its own time zone. Errors as of im_card(name, on_day).';
