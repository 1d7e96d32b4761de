-- The months and how far each is: open, closed, drifted.

CREATE TYPE @extschema@.im_month_state AS (
	month date,
	state text,
	apps bigint,
	documents bigint,
	currency text,
	total numeric
);
COMMENT ON TYPE @extschema@.im_month_state IS
'A month and currency of im_months().';
COMMENT ON COLUMN @extschema@.im_month_state.month IS 'First day of the month.';
COMMENT ON COLUMN @extschema@.im_month_state.state IS 'open (not over yet), closable, closing (some apps are closed), closed, or drifted (closed, and a bill has changed since).';
COMMENT ON COLUMN @extschema@.im_month_state.apps IS 'Apps with a bill in that currency.';
COMMENT ON COLUMN @extschema@.im_month_state.documents IS 'Invoices and notes in that currency.';
COMMENT ON COLUMN @extschema@.im_month_state.currency IS 'ISO 4217 code; null for a month in which nothing is billed.';
COMMENT ON COLUMN @extschema@.im_month_state.total IS 'What the apps'' totals, or documents where they are closed, come to together; null for a month in which nothing is billed.';

CREATE FUNCTION im_internal.im_is_over(among bigint[], month @extschema@.im_month) RETURNS boolean
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN NOT EXISTS (
		SELECT FROM @extschema@.im_rate_card_version v
		WHERE v.rate_card IN (SELECT a.rate_card FROM @extschema@.im_app a WHERE a.app_id = ANY ($1) OR $1 IS NULL)
			AND (now() AT TIME ZONE (v.terms ->> 'time_zone'))::date < upper($2::daterange));
END
$$;
COMMENT ON FUNCTION im_internal.im_is_over(bigint[], @extschema@.im_month) IS
'Whether a month is over in the zone of every rate card of the given apps, of all apps if null: what im_need_over() asks for.';

CREATE FUNCTION im_internal.im_state_of_month(among bigint[], month @extschema@.im_month) RETURNS text
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	closed int8multirange := im_internal.im_closed_apps($2::date);
	some_open boolean;
	some_closed boolean;
BEGIN
	IF $1 IS NULL THEN
		some_open := im_internal.im_is_app_among('{(,)}'::int8multirange - closed);
		some_closed := im_internal.im_is_app_among(closed);
	ELSE
		SELECT bool_or(NOT a <@ closed), bool_or(a <@ closed) INTO some_open, some_closed FROM unnest($1) a;
	END IF;
	RETURN CASE
		WHEN some_open AND some_closed THEN 'closing'
		WHEN some_open AND im_internal.im_is_over($1, $2) THEN 'closable'
		WHEN some_open THEN 'open'
		WHEN EXISTS (SELECT FROM im_internal.im_drift_of($1, $2)) THEN 'drifted'
		ELSE 'closed' END;
END
$$;
COMMENT ON FUNCTION im_internal.im_state_of_month(bigint[], @extschema@.im_month) IS
'How far a month is for the given apps, null for all of them. Errors as im_drift().';

CREATE FUNCTION im_internal.im_months_of(among bigint[]) RETURNS SETOF @extschema@.im_month_state
	LANGUAGE plpgsql STABLE ROWS 60
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
BEGIN
	RETURN QUERY
	SELECT b.month, im_internal.im_state_of_month($1, b.month::@extschema@.im_month), coalesce(t.apps, 0),
		(SELECT count(*) FROM @extschema@.im_invoice i
		 WHERE i.month = b.month AND (t.currency IS NULL OR i.currency = t.currency)
			AND (i.app_id = ANY ($1) OR $1 IS NULL)),
		t.currency, t.total
	FROM im_internal.im_billed_months_of($1, now()) b
	LEFT JOIN LATERAL (
		SELECT m.currency, count(*) AS apps, sum(m.total) AS total
		FROM im_internal.im_monthly_totals_of($1, b.month::@extschema@.im_month) m
		GROUP BY m.currency) t ON true
	ORDER BY b.month, t.currency COLLATE "C";
END
$$;
COMMENT ON FUNCTION im_internal.im_months_of(bigint[]) IS
'im_months() of the given apps; null for all of them.';

CREATE FUNCTION @extschema@.im_months() RETURNS SETOF @extschema@.im_month_state
	LANGUAGE plpgsql STABLE ROWS 60
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM im_internal.im_need_tables();
	IF im_internal.im_guarded('im_months_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_months_guarded();
		RETURN;
	END IF;
	RETURN QUERY SELECT * FROM im_internal.im_months_of(NULL::bigint[]);
END
$$;
COMMENT ON FUNCTION @extschema@.im_months() IS
'The months in which something was ordered, used or in force, a row a month and currency: how far each is, how many apps have a bill, how many documents there are, and what all comes to. A tenant''s are of the own apps. Every open month is billed, and every closed one computed anew, so it takes as long. Errors as im_monthly_bills().';
