-- The apps that whoever asks may see, and the rate card of one.

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
