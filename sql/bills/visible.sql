-- Bills of the apps that a reader or a tenant may see.

-- Set-wise answers of some apps, which touch no row of another one.  A
-- condition on a list of apps does not reach the raw tables through the
-- grouping of each; im_rebill_apps() follows each app instead.
CREATE FUNCTION im_internal.im_open_among(apps bigint[], month @extschema@.im_month)
	RETURNS bigint[]
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	closed int8multirange := im_internal.im_closed_apps($2::date);
BEGIN
	RETURN ARRAY(
		SELECT a
		FROM unnest($1) a
		WHERE NOT a <@ closed
			AND NOT EXISTS (SELECT FROM @extschema@.im_invoice i WHERE i.app_id = a AND i.month = $2::date));
END
$$;
COMMENT ON FUNCTION im_internal.im_open_among(bigint[], @extschema@.im_month) IS
'Those of the apps that are not closed in the month and have no documents of it.';

CREATE FUNCTION im_internal.im_monthly_bills_of(apps bigint[], month @extschema@.im_month)
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE plpgsql STABLE ROWS 100
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF $1 IS NULL THEN
		RETURN QUERY SELECT * FROM @extschema@.im_monthly_bills($2);
	ELSE
		RETURN QUERY SELECT i.* FROM im_internal.im_issued_lines($2::date, false) i WHERE i.app_id = ANY ($1);
		RETURN QUERY SELECT * FROM im_internal.im_rebill_apps($2, im_internal.im_open_among($1, $2), false);
	END IF;
END
$$;
COMMENT ON FUNCTION im_internal.im_monthly_bills_of(bigint[], @extschema@.im_month) IS
'im_monthly_bills() of the given apps; null for all of them.';

CREATE FUNCTION im_internal.im_monthly_bills_of(apps bigint[], month @extschema@.im_month, skip_unbillable boolean)
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE plpgsql STABLE ROWS 100
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF $1 IS NULL THEN
		RETURN QUERY SELECT * FROM @extschema@.im_monthly_bills($2, $3);
	ELSIF $3 THEN
		RETURN QUERY SELECT i.* FROM im_internal.im_issued_lines($2::date, false) i WHERE i.app_id = ANY ($1);
		RETURN QUERY SELECT * FROM im_internal.im_billable_bills($2, im_internal.im_open_among($1, $2));
	ELSE
		RETURN QUERY SELECT * FROM im_internal.im_monthly_bills_of($1, $2);
	END IF;
END
$$;
COMMENT ON FUNCTION im_internal.im_monthly_bills_of(bigint[], @extschema@.im_month, boolean) IS
'im_monthly_bills() of the given apps, which skips what cannot be billed where it is told so; null for all of them.';

CREATE FUNCTION im_internal.im_monthly_totals_of(apps bigint[], month @extschema@.im_month)
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
		FROM im_internal.im_rebill_apps($2, im_internal.im_open_among($1, $2), false) l
		JOIN @extschema@.im_app a ON a.app_id = l.app_id
		JOIN im_internal.im_cards_in_force($2) p ON p.rate_card = a.rate_card
		GROUP BY l.app_id, l.currency;
	END IF;
END
$$;
COMMENT ON FUNCTION im_internal.im_monthly_totals_of(bigint[], @extschema@.im_month) IS
'im_monthly_totals() of the given apps; null for all of them.';

CREATE FUNCTION im_internal.im_unbilled_usage_of(apps bigint[], month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, day date, kind text, quantity numeric, reason text)
	LANGUAGE plpgsql STABLE ROWS 100
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	book im_internal.im_price_book;
BEGIN
	IF $1 IS NULL THEN
		RETURN QUERY SELECT * FROM @extschema@.im_unbilled_usage($2);
		RETURN;
	END IF;
	book := im_internal.im_price_book(NULL::@extschema@.im_rate_card);
	RETURN QUERY
	SELECT l.*
	FROM im_internal.im_gather_of($1, $2::date, upper($2::daterange), NULL::@extschema@.im_rate_card, NULL::bigint[], NULL::date[]) g,
		im_internal.im_rate_unbilled(g.account, g.usage, book, $2) l;
END
$$;
COMMENT ON FUNCTION im_internal.im_unbilled_usage_of(bigint[], @extschema@.im_month) IS
'im_unbilled_usage() of the given apps; null for all of them and for those that im_app lacks.';

CREATE FUNCTION im_internal.im_daily_charges_of(apps bigint[], day date)
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
COMMENT ON FUNCTION im_internal.im_daily_charges_of(bigint[], date) IS
'im_daily_charges() of the given apps; null for all of them.';

CREATE FUNCTION im_internal.im_check_of(apps bigint[], month @extschema@.im_month)
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
		FROM (SELECT f.app_id, f.problem FROM im_internal.im_problems_of($1, $2) f
			  UNION ALL
			  SELECT m.app_id, m.problem FROM im_internal.im_misleading_of($1, $2) m) p
		ORDER BY p.app_id, p.problem COLLATE "C";
	END IF;
END
$$;
COMMENT ON FUNCTION im_internal.im_check_of(bigint[], @extschema@.im_month) IS
'im_check() of the given apps; null for all of them.';
