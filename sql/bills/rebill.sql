-- Bills computed anew from what counts now: for one app, and for all of them
-- range by range.
--
-- Their time goes into C functions: compiling the expressions around them
-- costs more than it saves, hence jit = off here and in bills.sql.

-- The planner cannot know how few rows one app has, and compiling its plan
-- takes seconds where running it takes milliseconds: no JIT.  Planning takes
-- longer than running, and one plan serves every app and month: what a month
-- does not read is switched off in it when it begins to run.
CREATE FUNCTION @extschema@.im_rebill(app_id bigint, month @extschema@.im_month,
		card @extschema@.im_rate_card)
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 10
	SET search_path = pg_catalog, pg_temp
	SET jit = off
	SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
	first date := $2::date;
	until date := upper($2::daterange);
	book im_internal.im_price_book := im_internal.im_price_book($3);
	reading im_internal.im_reading;
BEGIN
	PERFORM im_internal.im_need_app($1);
	IF $3 IS NULL THEN
		PERFORM im_internal.im_need_month($1, $2);
	END IF;
	reading := im_internal.im_reading(first, until, $3, book, $1);
	RETURN QUERY
	SELECT l.*
	FROM im_internal.im_gather(first, until, $3, reading) g,
		im_internal.im_rate_lines(g.account, g.usage, book, $2, false) l
	WHERE g.app_id = $1;
END
$$;
COMMENT ON FUNCTION @extschema@.im_rebill(bigint, @extschema@.im_month, @extschema@.im_rate_card) IS
'The bill of an app and month computed from the tables, under the given card or, if it is null, the app''s own.';

-- Tells a failed bill of all apps: how many cannot be right, and where to look.
CREATE FUNCTION im_internal.im_raise_unbillable(month @extschema@.im_month, state text,
		message text, detail text)
	RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	wrong bigint;
BEGIN
	SELECT count(DISTINCT p.app_id) INTO wrong FROM im_internal.im_problems($1) p WHERE p.fatal;
	RAISE EXCEPTION USING
		ERRCODE = $2,
		MESSAGE = CASE WHEN wrong = 0 THEN $3
			WHEN wrong = 1 THEN format('the bill of 1 app for %s cannot be right', $1)
			ELSE format('the bills of %s apps for %s cannot be right', wrong, $1) END,
		DETAIL = format('The first problem met: %s. %s', $3, $4),
		HINT = format('SELECT * FROM %s.im_check(%L) lists what to correct.', '@extschema@', $1::text);
END
$$;
COMMENT ON FUNCTION im_internal.im_raise_unbillable(@extschema@.im_month, text, text, text) IS
'Raises the one error of a set-wise bill: with the number of apps that cannot be billed and the hint where they are listed.';

-- Without settings of their own, so that the planner inlines them.
CREATE FUNCTION im_internal.im_rated_lines(month @extschema@.im_month,
		book im_internal.im_price_book, reading im_internal.im_reading,
		low_app bigint, high_app bigint)
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 100000
AS $$
	SELECT l.*
	FROM im_internal.im_gather_among($1::date, upper($1::daterange), NULL::@extschema@.im_rate_card, $3, $4, $5) g,
		im_internal.im_rate_lines(g.account, g.usage, $2, $1, false) l
$$;
COMMENT ON FUNCTION im_internal.im_rated_lines(@extschema@.im_month, im_internal.im_price_book, im_internal.im_reading, bigint, bigint) IS
'The bills of a month of each app from low_app through high_app, or (null) of each, from the usage that im_reading() says.';

CREATE FUNCTION im_internal.im_rated_totals(month @extschema@.im_month,
		book im_internal.im_price_book, reading im_internal.im_reading,
		low_app bigint, high_app bigint)
	RETURNS TABLE (app_id bigint, currency text, total numeric)
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 10000
AS $$
	SELECT t.app_id, t.currency, t.total
	FROM (SELECT g.app_id, g.currency,
				 im_internal.im_rate_total(g.account, g.usage, $2, $1) AS total
		  FROM im_internal.im_gather_among($1::date, upper($1::daterange), NULL::@extschema@.im_rate_card, $3, $4, $5) g
		  -- so that a total is computed once; a plain 0 has to be cast, and no
		  -- worker takes a query of which it is not plain that it has no offset
		  OFFSET bigint '0') t
	WHERE t.total IS NOT NULL
$$;
COMMENT ON FUNCTION im_internal.im_rated_totals(@extschema@.im_month, im_internal.im_price_book, im_internal.im_reading, bigint, bigint) IS
'The totals of the same bills, of apps that have lines.';

CREATE FUNCTION im_internal.im_usage_size() RETURNS numeric
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- a table that is not partitioned has no tree
	RETURN (SELECT sum(pg_relation_size(r.relid))
			FROM unnest('{im_usage_daily,im_meter_daily,im_login,im_group,im_moderation_check,im_call,im_event}'::text[]) t(name),
				LATERAL (SELECT to_regclass(format('%s.%I', '@extschema@', t.name))
						 UNION
						 SELECT p.relid
						 FROM pg_partition_tree(to_regclass(format('%s.%I', '@extschema@', t.name))) p) r(relid));
END
$$;
COMMENT ON FUNCTION im_internal.im_usage_size() IS
'The bytes of the tables of usage and all their partitions, without indexes.';

-- One query of each range of apps under UNION ALL: a parallel worker takes a
-- whole range, so that rating runs beside rating and nothing is merged.  Each
-- range reads its own part of every table, or all of it where no index helps:
-- so there are no more ranges than processes.  Whoever runs the query rules
-- out parallel scans, or the planner would take the ranges one after the
-- other, each with workers that do no more than read.
CREATE FUNCTION im_internal.im_by_ranges(function text) RETURNS text
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	query CONSTANT text := 'SELECT * FROM im_internal.%I($1, $2, $3, %L::bigint, %L::bigint)';
	processes CONSTANT int := 1 + least(current_setting('max_parallel_workers_per_gather')::int,
										current_setting('max_parallel_workers')::int);
	ranges text;
BEGIN
	IF processes > 1 AND im_internal.im_usage_size() > 16 * 1024 * 1024 THEN
		SELECT string_agg(format(query, $1, r.low_app, r.high_app), ' UNION ALL ') INTO ranges
		FROM (SELECT min(a.app_id) AS low_app, max(a.app_id) AS high_app
			  FROM (SELECT i.app_id, ntile(processes) OVER (ORDER BY i.app_id) AS range
					FROM @extschema@.im_app i) a
			  GROUP BY a.range) r;
	END IF;
	-- without apps there is no range either
	RETURN coalesce(ranges, format(query, $1, NULL, NULL));
END
$$;
COMMENT ON FUNCTION im_internal.im_by_ranges(text) IS
'A query that calls im_rated_lines() or im_rated_totals() for all apps, range by range where there is so much usage that parallel workers should share them.';

CREATE FUNCTION im_internal.im_rebills(month @extschema@.im_month)
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE plpgsql STABLE STRICT ROWS 100000
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
	RETURN QUERY EXECUTE im_internal.im_by_ranges('im_rated_lines'::text) USING $1, book, reading;
EXCEPTION
	WHEN check_violation OR no_data_found OR data_exception OR program_limit_exceeded THEN
		GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
		PERFORM im_internal.im_raise_unbillable($1, SQLSTATE, SQLERRM, detail);
END
$$;
COMMENT ON FUNCTION im_internal.im_rebills(@extschema@.im_month) IS
'The bills of a usage month of every app computed anew, set-wise, whether it is closed or not. Raises one error with the number of apps whose bill cannot be right.';

-- The plan follows each app through the index of every table, so that a few
-- apps cost what they have and a batch of them little more than its share.
CREATE FUNCTION im_internal.im_rebill_apps(month @extschema@.im_month, apps bigint[], reasons boolean)
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1000
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
DECLARE
	first date := $1::date;
	until date := upper($1::daterange);
	book im_internal.im_price_book := im_internal.im_price_book(NULL::@extschema@.im_rate_card);
	-- that of an app without packs and marks
	usual im_internal.im_reading := im_internal.im_reading(first, until, NULL::@extschema@.im_rate_card, NULL::im_internal.im_price_book, NULL::bigint);
	marked bigint[] := usual.stale_apps;
BEGIN
	usual.stale_apps := NULL;
	usual.stale_first := NULL;
	usual.stale_until := NULL;
	usual.stale_low := NULL;
	usual.stale_high := NULL;
	RETURN QUERY
	SELECT l.*
	FROM unnest($2) a(app_id)
	LEFT JOIN LATERAL (
		SELECT u.since
		FROM im_internal.im_early_usage(first, until, NULL::@extschema@.im_rate_card, book) u
		WHERE u.app_id = a.app_id
		OFFSET 0) e ON true
	CROSS JOIN LATERAL (
		SELECT CASE WHEN e.since IS NULL AND (marked IS NULL OR a.app_id <> ALL (marked)) THEN usual
			ELSE im_internal.im_reading_of(first, until, NULL::@extschema@.im_rate_card,
				CASE WHEN e.since IS NOT NULL THEN ARRAY[a.app_id] END,
				CASE WHEN e.since IS NOT NULL THEN ARRAY[e.since] END, a.app_id) END AS reading
		OFFSET 0) r
	CROSS JOIN LATERAL (
		SELECT *
		FROM im_internal.im_gather(first, until, NULL::@extschema@.im_rate_card, r.reading) i
		WHERE i.app_id = a.app_id
		OFFSET 0) g,
		im_internal.im_rate_lines(g.account, g.usage, book, $1, $3) l;
END
$$;
COMMENT ON FUNCTION im_internal.im_rebill_apps(@extschema@.im_month, bigint[], boolean) IS
'The bills of a usage month of the given apps computed anew, in one query, with sentences or reasons (im_rate_lines()). Errors as im_rebill().';

-- Halved until the apps that fail stand alone.
CREATE FUNCTION im_internal.im_unbillable(month @extschema@.im_month, apps bigint[])
	RETURNS TABLE (app_id bigint, problem text)
	LANGUAGE plpgsql STABLE ROWS 10
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	middle integer := cardinality($2) / 2;
	message text;
	detail text;
BEGIN
	IF cardinality($2) = 0 THEN
		RETURN;
	END IF;
	BEGIN
		PERFORM count(*) FROM im_internal.im_rebill_apps($1, $2, false);
		RETURN;
	EXCEPTION
		WHEN check_violation OR no_data_found OR data_exception OR program_limit_exceeded THEN
			GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	END;
	IF middle = 0 THEN
		RETURN QUERY SELECT $2[1], format('%s. %s', message, detail);
		RETURN;
	END IF;
	RETURN QUERY SELECT * FROM im_internal.im_unbillable($1, $2[:middle]);
	RETURN QUERY SELECT * FROM im_internal.im_unbillable($1, $2[middle + 1:]);
END
$$;
COMMENT ON FUNCTION im_internal.im_unbillable(@extschema@.im_month, bigint[]) IS
'Those of the apps whose bill of the month cannot be computed, and why.';

-- A price list may call an add-on or a meter credit, charge or pack.  What is
-- given or charged by hand is of one day, and no term or usage is; a pack is
-- counted in packs.  A line is told by its reason or by its sentence.
CREATE FUNCTION im_internal.im_line_sort(item text, period daterange, explanation text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	RETURN CASE WHEN item IN ('credit', 'charge') AND upper(period) - lower(period) > 1 THEN ''
		WHEN item = 'pack' AND explanation ~ '"reason": "(switched_on|term)|Switched on in the month| for [0-9]+ months?, [0-9]{4}-' THEN ''
		ELSE item END;
COMMENT ON FUNCTION im_internal.im_line_sort(text, daterange, text) IS
'What a line is: its item, or nothing where a price list gives an add-on or a meter the name of what is entered by hand or of packs.';
