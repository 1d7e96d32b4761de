-- Bills: for one app, for all of them, and under another price list.  Of what is
-- closed they are what was issued.

CREATE FUNCTION @extschema@.im_monthly_bill(app_id bigint, month @extschema@.im_month)
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 10
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF im_internal.im_guarded('im_monthly_bill_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_monthly_bill_guarded($1, $2);
		RETURN;
	END IF;
	PERFORM im_internal.im_need_tables();
	IF EXISTS (SELECT FROM @extschema@.im_closing c WHERE c.month = $2::date AND c.apps @> $1)
		OR EXISTS (SELECT FROM @extschema@.im_invoice i WHERE i.app_id = $1 AND i.month = $2::date) THEN
		PERFORM im_internal.im_need_app($1);
		RETURN QUERY SELECT i.* FROM im_internal.im_issued_lines($2::date, false) i WHERE i.app_id = $1 ORDER BY i.line;
	ELSE
		RETURN QUERY SELECT * FROM @extschema@.im_rebill($1, $2, NULL::@extschema@.im_rate_card);
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_monthly_bill(bigint, @extschema@.im_month) IS
'The whole bill of a usage month of one app, a line a row, in the currency of its rate card; of a closed month the lines as issued, those of the invoice and its notes, numbered on. Errors: P0002 for an unknown app or a month that no card version covers; 22023 for a raw row that cannot be metered, named; 23514 for an order that the rules forbid.';

CREATE FUNCTION @extschema@.im_preview_bill(app_id bigint, month @extschema@.im_month,
		card @extschema@.im_rate_card)
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 10
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF im_internal.im_guarded('im_preview_bill_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_preview_bill_guarded($1, $2, $3);
		RETURN;
	END IF;
	RETURN QUERY SELECT * FROM @extschema@.im_rebill($1, $2, $3);
END
$$;
COMMENT ON FUNCTION @extschema@.im_preview_bill(bigint, @extschema@.im_month, @extschema@.im_rate_card) IS
'The bill of a month as it would be under another price list, which stands for every version. What the app holds and that card lacks is a line with null amount and the reason. Errors as im_monthly_bill().';

CREATE FUNCTION im_internal.im_rebill_open(month @extschema@.im_month)
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	apps bigint[] := im_internal.im_open_apps($1);
	detail text;
BEGIN
	IF apps IS NOT NULL THEN
		RETURN QUERY SELECT * FROM im_internal.im_rebill_apps($1, apps, false);
	END IF;
EXCEPTION
	WHEN check_violation OR no_data_found OR data_exception OR program_limit_exceeded THEN
		GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
		PERFORM im_internal.im_raise_unbillable($1, SQLSTATE, SQLERRM, detail);
END
$$;
COMMENT ON FUNCTION im_internal.im_rebill_open(@extschema@.im_month) IS
'The bills of the apps that are not closed yet in a month whose close has begun. Errors as im_monthly_bills().';

CREATE FUNCTION @extschema@.im_monthly_bills(month @extschema@.im_month)
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE plpgsql STABLE STRICT ROWS 100000
	SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_custom_plan
	SET min_parallel_table_scan_size = '1TB'	-- as im_by_ranges() wants it
	SET min_parallel_index_scan_size = '1TB'
	SET jit = off
AS $$
BEGIN
	IF im_internal.im_guarded('im_monthly_bills_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_monthly_bills_guarded($1);
		RETURN;
	END IF;
	IF im_internal.im_is_begun($1) THEN
		RETURN QUERY SELECT * FROM im_internal.im_issued_lines($1::date, false);
		RETURN QUERY SELECT * FROM im_internal.im_rebill_open($1);
		RETURN;
	END IF;
-- what im_rebills() does, without handing every line through two functions
DECLARE
	book im_internal.im_price_book := im_internal.im_price_book(NULL::@extschema@.im_rate_card);
	reading im_internal.im_reading;
	detail text;
BEGIN
	reading := im_internal.im_reading($1::date, upper($1::daterange), NULL::@extschema@.im_rate_card, book, NULL::bigint);
	RETURN QUERY EXECUTE im_internal.im_by_ranges('im_rated_lines'::text) USING $1, book, reading;
EXCEPTION
	WHEN check_violation OR no_data_found OR data_exception OR program_limit_exceeded THEN
		GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
		PERFORM im_internal.im_raise_unbillable($1, SQLSTATE, SQLERRM, detail);
END;
END
$$;
COMMENT ON FUNCTION @extschema@.im_monthly_bills(@extschema@.im_month) IS
'The bills of a usage month of every app, set-wise, in no particular order of apps; of apps that are closed the lines as issued. Raises one error with the number of apps whose bill cannot be right.';

-- What im_check() calls fatal is tried app by app, the others a thousand at
-- once: only a trial tells whether there is a bill.
CREATE FUNCTION im_internal.im_unbillable_among(month @extschema@.im_month, apps bigint[])
	RETURNS TABLE (app_id bigint, problem text)
	LANGUAGE plpgsql STABLE ROWS 10
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	suspects bigint[] := ARRAY(SELECT DISTINCT p.app_id FROM im_internal.im_problems_of($2, $1) p WHERE p.fatal);
BEGIN
	RETURN QUERY
	SELECT u.*
	FROM (SELECT ARRAY[s] AS apps FROM unnest(suspects) s
		  UNION ALL
		  SELECT array_agg(o.app_id)
		  FROM (SELECT a AS app_id, row_number() OVER () / 1000 AS batch
				FROM unnest($2) a
				WHERE a <> ALL (suspects)) o
		  GROUP BY o.batch) b,
		LATERAL im_internal.im_unbillable($1, b.apps) u;
END
$$;
COMMENT ON FUNCTION im_internal.im_unbillable_among(@extschema@.im_month, bigint[]) IS
'im_unbillable() of many apps.';

CREATE FUNCTION im_internal.im_warn_of_skipped(month @extschema@.im_month, skipped bigint[], problem text)
	RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE WARNING USING
		MESSAGE = CASE WHEN cardinality($2) = 1 THEN format('the bill of app %s for %s cannot be right, it is skipped', $2[1], $1)
			ELSE format('the bills of %s apps for %s cannot be right, they are skipped', cardinality($2), $1) END,
		DETAIL = format('Skipped: %s%s. The first problem met: %s', array_to_string($2[:20], ', '),
			CASE WHEN cardinality($2) > 20 THEN ', ...' END, $3),
		HINT = format('SELECT * FROM %s.im_check(%L) lists what to correct.', '@extschema@', $1::text);
END
$$;
COMMENT ON FUNCTION im_internal.im_warn_of_skipped(@extschema@.im_month, bigint[], text) IS
'The one warning of a set-wise bill that skips apps: their number, the first of them, and the hint where they are listed.';

CREATE FUNCTION im_internal.im_billable_bills(month @extschema@.im_month, apps bigint[])
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE plpgsql STABLE ROWS 100000
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	skipped bigint[];
	problem text;
BEGIN
	SELECT array_agg(u.app_id ORDER BY u.app_id), (array_agg(u.problem ORDER BY u.app_id))[1]
	INTO skipped, problem
	FROM im_internal.im_unbillable_among($1, $2) u;
	IF skipped IS NOT NULL THEN
		PERFORM im_internal.im_warn_of_skipped($1, skipped, problem);
	END IF;
	RETURN QUERY SELECT * FROM im_internal.im_rebill_apps($1, ARRAY(SELECT unnest($2) EXCEPT SELECT unnest(skipped)), false);
END
$$;
COMMENT ON FUNCTION im_internal.im_billable_bills(@extschema@.im_month, bigint[]) IS
'The bills of those of the apps that can be billed, computed anew; a warning tells of the others.';

-- In the usual case nothing fails.  A function in FROM gives no row before it
-- has ended: what fails has given none.
CREATE FUNCTION @extschema@.im_monthly_bills(month @extschema@.im_month, skip_unbillable boolean)
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE plpgsql STABLE STRICT ROWS 100000
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF im_internal.im_guarded('im_monthly_bills_skipping_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_monthly_bills_skipping_guarded($1, $2);
		RETURN;
	END IF;
	IF NOT $2 THEN
		RETURN QUERY SELECT * FROM @extschema@.im_monthly_bills($1);
		RETURN;
	END IF;
	BEGIN
		RETURN QUERY SELECT * FROM @extschema@.im_monthly_bills($1);
		RETURN;
	EXCEPTION
		WHEN check_violation OR no_data_found OR data_exception OR program_limit_exceeded THEN
			NULL;	-- what is wrong is told below
	END;
	RETURN QUERY SELECT * FROM im_internal.im_issued_lines($1::date, false);
	RETURN QUERY SELECT * FROM im_internal.im_billable_bills($1, im_internal.im_open_apps($1));
END
$$;
COMMENT ON FUNCTION @extschema@.im_monthly_bills(@extschema@.im_month, boolean) IS
'im_monthly_bills(month); with skip_unbillable the bills of all apps that can be billed, and one warning with the number of the others, which im_check(month) lists.';

CREATE FUNCTION im_internal.im_retotals(month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, currency text, total numeric)
	LANGUAGE plpgsql STABLE STRICT ROWS 10000
	SET search_path = pg_catalog, pg_temp
	SET min_parallel_table_scan_size = '1TB'	-- as im_by_ranges() wants it
	SET min_parallel_index_scan_size = '1TB'
	SET jit = off
AS $$
DECLARE
	book im_internal.im_price_book := im_internal.im_price_book(NULL::@extschema@.im_rate_card);
	reading im_internal.im_reading;
	detail text;
BEGIN
	reading := im_internal.im_reading($1::date, upper($1::daterange), NULL::@extschema@.im_rate_card, book, NULL::bigint);
	RETURN QUERY EXECUTE im_internal.im_by_ranges('im_rated_totals'::text) USING $1, book, reading;
EXCEPTION
	WHEN check_violation OR no_data_found OR data_exception OR program_limit_exceeded THEN
		GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
		PERFORM im_internal.im_raise_unbillable($1, SQLSTATE, SQLERRM, detail);
END
$$;
COMMENT ON FUNCTION im_internal.im_retotals(@extschema@.im_month) IS
'The total of every app that has lines in the month computed anew, closed or not, rounded once half away from zero to the places of its currency (R9). Errors as im_monthly_bills().';

CREATE FUNCTION @extschema@.im_monthly_totals(month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, currency text, total numeric)
	LANGUAGE plpgsql STABLE STRICT ROWS 10000
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	IF im_internal.im_guarded('im_monthly_totals_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_monthly_totals_guarded($1);
		RETURN;
	END IF;
	IF NOT im_internal.im_is_begun($1) THEN
		RETURN QUERY SELECT * FROM im_internal.im_retotals($1);
		RETURN;
	END IF;
	RETURN QUERY
	SELECT i.app_id, i.currency, sum(i.total)
	FROM @extschema@.im_invoice i
	WHERE i.month = $1::date
	GROUP BY i.app_id, i.currency;
	RETURN QUERY
	SELECT l.app_id, l.currency, round(sum(l.amount), max(p.scale))
	FROM im_internal.im_rebill_open($1) l
	JOIN @extschema@.im_app a ON a.app_id = l.app_id
	JOIN im_internal.im_cards_in_force($1) p ON p.rate_card = a.rate_card
	GROUP BY l.app_id, l.currency;
END
$$;
COMMENT ON FUNCTION @extschema@.im_monthly_totals(@extschema@.im_month) IS
'The total of every app that has lines in the month, rounded once half away from zero to the places of its currency (R9); of apps that are closed what their documents come to together. Errors as im_monthly_bills().';

CREATE FUNCTION @extschema@.im_monthly_total(app_id bigint, month @extschema@.im_month)
	RETURNS numeric
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	scale int;
BEGIN
	IF im_internal.im_guarded('im_monthly_total_guarded'::text) THEN
		RETURN @extschema@.im_monthly_total_guarded($1, $2);
	END IF;
	PERFORM im_internal.im_need_app($1);
	-- issued in two currencies only if the app changed to another price list
	IF EXISTS (SELECT FROM @extschema@.im_invoice i WHERE i.app_id = $1 AND i.month = $2::date) THEN
		RETURN (SELECT sum(i.total)
				FROM @extschema@.im_invoice i
				WHERE i.app_id = $1 AND i.month = $2::date
				GROUP BY i.currency
				ORDER BY max(i.revision) DESC
				LIMIT 1);
	END IF;
	-- a card may write its scale as 2.0
	SELECT (v.terms ->> 'scale')::numeric INTO scale
	FROM @extschema@.im_app a
	JOIN @extschema@.im_rate_card_version v ON v.rate_card = a.rate_card
	WHERE a.app_id = $1
	LIMIT 1;
	RETURN (SELECT round(coalesce(sum(b.amount), 0), scale)
			FROM @extschema@.im_monthly_bill($1, $2) b);
END
$$;
COMMENT ON FUNCTION @extschema@.im_monthly_total(bigint, @extschema@.im_month) IS
'The total of a month of one app, rounded once half away from zero to the places of its currency (R9); 0 without lines; of a closed month what its documents come to together, those of the last one''s currency. Errors as im_monthly_bill().';

-- The months are stepped through as instants without a zone: where a zone
-- skips the midnight of a 1st, its later midnights would be missed.
CREATE FUNCTION im_internal.im_create_billing_view_of(bills text, name text, first_month @extschema@.im_month,
		last_month @extschema@.im_month)
	RETURNS void
	LANGUAGE plpgsql
AS $$
DECLARE
	view_name text := (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(p), '.')
					   FROM pg_catalog.unnest(pg_catalog.parse_ident($2)) p);
BEGIN
	IF $2 IS NULL OR $3 IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'null_value_not_allowed',
			MESSAGE = 'a billing view has a name and a first month, but one of them is null',
			DETAIL = 'Only the last month may be null: the view then runs through the month of its refresh.',
			HINT = 'Give both.';
	END IF;
	IF $4 OPERATOR(@extschema@.<) $3 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = pg_catalog.format('last month %s is before first month %s', $4, $3),
			DETAIL = 'The view holds the bill lines of the months from the first through the last.',
			HINT = 'Give the months in their order, or leave the last one null for the running month.';
	END IF;
	EXECUTE pg_catalog.format($view$
		CREATE MATERIALIZED VIEW %s AS
		SELECT b.*
		FROM pg_catalog.generate_series(%L::pg_catalog.timestamp, coalesce(%L::pg_catalog.timestamp,
				pg_catalog.now() AT TIME ZONE 'Asia/Shanghai'),
				'1 month'::pg_catalog.interval) m,
			%4$s.im_monthly_bills(m::pg_catalog.date::%5$s.im_month, true) b
		$view$, view_name, $3::pg_catalog.date, $4::pg_catalog.date, $1, '@extschema@');
	EXECUTE pg_catalog.format('CREATE UNIQUE INDEX ON %s (app_id, month, line)', view_name);
	EXECUTE pg_catalog.format('COMMENT ON MATERIALIZED VIEW %s IS %L', view_name,
		'Bill lines of the months from ' OPERATOR(pg_catalog.||) $3::text OPERATOR(pg_catalog.||)
		' through ' OPERATOR(pg_catalog.||) coalesce($4::text, 'the running one'));
END
$$;
COMMENT ON FUNCTION im_internal.im_create_billing_view_of(text, text, @extschema@.im_month, @extschema@.im_month) IS
'im_create_billing_view() over the im_monthly_bills() of a schema.';

CREATE FUNCTION @extschema@.im_create_billing_view(name text, first_month @extschema@.im_month,
		last_month @extschema@.im_month DEFAULT NULL)
	RETURNS void
	LANGUAGE sql
AS $$
	SELECT im_internal.im_create_billing_view_of('@extschema@'::text, $1, $2, $3);
$$;
COMMENT ON FUNCTION @extschema@.im_create_billing_view(text, @extschema@.im_month, @extschema@.im_month) IS
'Creates a materialized view of all bill lines of the months from the first through the last, or through the running one, with the unique index that REFRESH MATERIALIZED VIEW CONCURRENTLY needs. Apps that cannot be billed are skipped with a warning. The name may have a schema.';
