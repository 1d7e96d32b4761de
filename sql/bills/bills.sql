-- Bills: for one app, for all of them, and under another price list.
--
-- Their time goes into C functions: compiling the expressions around them
-- costs more than it saves, hence jit = off.

CREATE FUNCTION @extschema@.im_need_tables() RETURNS void
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
COMMENT ON FUNCTION @extschema@.im_need_tables() IS
'Raises 42P01 before im_create_tables() of this version was called.';

CREATE FUNCTION @extschema@.im_raise_no_app(app_id bigint) RETURNS void
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
COMMENT ON FUNCTION @extschema@.im_raise_no_app(bigint) IS
'Raises P0002 for an app that im_app does not have, or does not have for the caller.';

CREATE FUNCTION @extschema@.im_need_app(app_id bigint) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM @extschema@.im_need_tables();
	IF NOT EXISTS (SELECT FROM @extschema@.im_app a WHERE a.app_id = $1) THEN
		PERFORM @extschema@.im_raise_no_app($1);
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_need_app(bigint) IS
'Raises P0002 if im_app has no such app.';

CREATE FUNCTION @extschema@.im_need_month(app_id bigint, month @extschema@.im_month) RETURNS void
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
COMMENT ON FUNCTION @extschema@.im_need_month(bigint, @extschema@.im_month) IS
'Raises P0002 if no version of the app''s rate card covers the month.';

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
	book @extschema@.im_price_book := @extschema@.im_price_book($3);
	reading @extschema@.im_reading;
BEGIN
	PERFORM @extschema@.im_need_app($1);
	IF $3 IS NULL THEN
		PERFORM @extschema@.im_need_month($1, $2);
	END IF;
	reading := @extschema@.im_reading(first, until, $3, book, $1);
	RETURN QUERY
	SELECT l.*
	FROM @extschema@.im_gather(first, until, $3, reading) g,
		@extschema@.im_rate_lines(g.app_id, g.card_name, book, g.orders, g.suspensions,
			g.preview, $2, g.since, g.daily, g.logins, g.groups, g.checks,
			g.calls, g.user_days, g.users) l
	WHERE g.app_id = $1;
END
$$;
COMMENT ON FUNCTION @extschema@.im_rebill(bigint, @extschema@.im_month, @extschema@.im_rate_card) IS
'The bill of an app and month computed from the tables, under the given card or, if it is null, the app''s own.';

CREATE FUNCTION @extschema@.im_monthly_bill(app_id bigint, month @extschema@.im_month)
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 10
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF @extschema@.im_guarded('im_monthly_bill_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_monthly_bill_guarded($1, $2);
		RETURN;
	END IF;
	PERFORM @extschema@.im_need_tables();
	IF EXISTS (SELECT FROM @extschema@.im_closing c WHERE c.month = $2::date AND c.apps @> $1)
		OR EXISTS (SELECT FROM @extschema@.im_invoice i WHERE i.app_id = $1 AND i.month = $2::date) THEN
		PERFORM @extschema@.im_need_app($1);
		RETURN QUERY SELECT i.* FROM @extschema@.im_issued_lines($2::date) i WHERE i.app_id = $1 ORDER BY i.line;
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
	IF @extschema@.im_guarded('im_preview_bill_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_preview_bill_guarded($1, $2, $3);
		RETURN;
	END IF;
	RETURN QUERY SELECT * FROM @extschema@.im_rebill($1, $2, $3);
END
$$;
COMMENT ON FUNCTION @extschema@.im_preview_bill(bigint, @extschema@.im_month, @extschema@.im_rate_card) IS
'The bill of a month as it would be under another price list, which stands for every version. What the app holds and that card lacks is a line with null amount and the reason. Errors as im_monthly_bill().';

-- Tells a failed bill of all apps: how many cannot be right, and where to look.
CREATE FUNCTION @extschema@.im_raise_unbillable(month @extschema@.im_month, state text,
		message text, detail text)
	RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	wrong bigint;
BEGIN
	SELECT count(DISTINCT p.app_id) INTO wrong FROM @extschema@.im_problems($1) p WHERE p.fatal;
	RAISE EXCEPTION USING
		ERRCODE = $2,
		MESSAGE = CASE WHEN wrong = 0 THEN $3
			WHEN wrong = 1 THEN format('the bill of 1 app for %s cannot be right', $1)
			ELSE format('the bills of %s apps for %s cannot be right', wrong, $1) END,
		DETAIL = format('The first problem met: %s. %s', $3, $4),
		HINT = format('SELECT * FROM %s.im_check(%L) lists what to correct.', '@extschema@', $1::text);
END
$$;
COMMENT ON FUNCTION @extschema@.im_raise_unbillable(@extschema@.im_month, text, text, text) IS
'Raises the one error of a set-wise bill: with the number of apps that cannot be billed and the hint where they are listed.';

-- Without settings of their own, so that the planner inlines them.
CREATE FUNCTION @extschema@.im_rated_lines(month @extschema@.im_month,
		book @extschema@.im_price_book, reading @extschema@.im_reading,
		low_app bigint, high_app bigint)
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 100000
AS $$
	SELECT l.*
	FROM @extschema@.im_gather_among($1::date, upper($1::daterange), NULL::@extschema@.im_rate_card, $3, $4, $5) g,
		@extschema@.im_rate_lines(g.app_id, g.card_name, $2, g.orders, g.suspensions,
			g.preview, $1, g.since, g.daily, g.logins, g.groups, g.checks,
			g.calls, g.user_days, g.users) l
$$;
COMMENT ON FUNCTION @extschema@.im_rated_lines(@extschema@.im_month, @extschema@.im_price_book, @extschema@.im_reading, bigint, bigint) IS
'The bills of a month of each app from low_app through high_app, or (null) of each, from the usage that im_reading() says.';

CREATE FUNCTION @extschema@.im_rated_totals(month @extschema@.im_month,
		book @extschema@.im_price_book, reading @extschema@.im_reading,
		low_app bigint, high_app bigint)
	RETURNS TABLE (app_id bigint, currency text, total numeric)
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 10000
AS $$
	SELECT t.app_id, t.currency, t.total
	FROM (SELECT g.app_id, g.currency,
				 @extschema@.im_rate_total(g.app_id, g.card_name, $2, g.orders, g.suspensions,
					g.preview, $1, g.since, g.daily, g.logins, g.groups, g.checks,
					g.calls, g.user_days, g.users) AS total
		  FROM @extschema@.im_gather_among($1::date, upper($1::daterange), NULL::@extschema@.im_rate_card, $3, $4, $5) g
		  -- so that a total is computed once; a plain 0 has to be cast, and no
		  -- worker takes a query of which it is not plain that it has no offset
		  OFFSET bigint '0') t
	WHERE t.total IS NOT NULL
$$;
COMMENT ON FUNCTION @extschema@.im_rated_totals(@extschema@.im_month, @extschema@.im_price_book, @extschema@.im_reading, bigint, bigint) IS
'The totals of the same bills, of apps that have lines.';

CREATE FUNCTION @extschema@.im_usage_size() RETURNS numeric
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- a table that is not partitioned has no tree
	RETURN (SELECT sum(pg_relation_size(r.relid))
			FROM unnest('{im_usage_daily,im_login,im_group,im_moderation_check,im_call}'::text[]) t(name),
				LATERAL (SELECT to_regclass(format('%s.%I', '@extschema@', t.name))
						 UNION
						 SELECT p.relid
						 FROM pg_partition_tree(to_regclass(format('%s.%I', '@extschema@', t.name))) p) r(relid));
END
$$;
COMMENT ON FUNCTION @extschema@.im_usage_size() IS
'The bytes of the tables of usage and all their partitions, without indexes.';

-- One query of each range of apps under UNION ALL: a parallel worker takes a
-- whole range, so that rating runs beside rating and nothing is merged.  Each
-- range reads its own part of every table, or all of it where no index helps:
-- so there are no more ranges than processes.  Whoever runs the query rules
-- out parallel scans, or the planner would take the ranges one after the
-- other, each with workers that do no more than read.
CREATE FUNCTION @extschema@.im_by_ranges(function text) RETURNS text
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	query CONSTANT text := 'SELECT * FROM %s.%I($1, $2, $3, %L::bigint, %L::bigint)';
	processes CONSTANT int := 1 + least(current_setting('max_parallel_workers_per_gather')::int,
										current_setting('max_parallel_workers')::int);
	ranges text;
BEGIN
	IF processes > 1 AND @extschema@.im_usage_size() > 16 * 1024 * 1024 THEN
		SELECT string_agg(format(query, '@extschema@', $1, r.low_app, r.high_app), ' UNION ALL ') INTO ranges
		FROM (SELECT min(a.app_id) AS low_app, max(a.app_id) AS high_app
			  FROM (SELECT i.app_id, ntile(processes) OVER (ORDER BY i.app_id) AS range
					FROM @extschema@.im_app i) a
			  GROUP BY a.range) r;
	END IF;
	-- without apps there is no range either
	RETURN coalesce(ranges, format(query, '@extschema@', $1, NULL, NULL));
END
$$;
COMMENT ON FUNCTION @extschema@.im_by_ranges(text) IS
'A query that calls im_rated_lines() or im_rated_totals() for all apps, range by range where there is so much usage that parallel workers should share them.';

CREATE FUNCTION @extschema@.im_rebills(month @extschema@.im_month)
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE plpgsql STABLE STRICT ROWS 100000
	SET search_path = pg_catalog, pg_temp
	SET min_parallel_table_scan_size = '1TB'	-- as im_by_ranges() wants it
	SET min_parallel_index_scan_size = '1TB'
	SET jit = off
AS $$
DECLARE
	book @extschema@.im_price_book := @extschema@.im_price_book(NULL::@extschema@.im_rate_card);
	reading @extschema@.im_reading;
	detail text;
BEGIN
	reading := @extschema@.im_reading($1::date, upper($1::daterange), NULL::@extschema@.im_rate_card, book, NULL::bigint);
	RETURN QUERY EXECUTE @extschema@.im_by_ranges('im_rated_lines'::text) USING $1, book, reading;
EXCEPTION
	WHEN check_violation OR no_data_found OR data_exception OR program_limit_exceeded THEN
		GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
		PERFORM @extschema@.im_raise_unbillable($1, SQLSTATE, SQLERRM, detail);
END
$$;
COMMENT ON FUNCTION @extschema@.im_rebills(@extschema@.im_month) IS
'The bills of a usage month of every app computed anew, set-wise, whether it is closed or not. Raises one error with the number of apps whose bill cannot be right.';

-- The plan follows each app through the index of every table, so that a few
-- apps cost what they have and a batch of them little more than its share.
CREATE FUNCTION @extschema@.im_rebill_apps(month @extschema@.im_month, apps bigint[])
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE plpgsql STABLE ROWS 1000
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
DECLARE
	first date := $1::date;
	until date := upper($1::daterange);
	book @extschema@.im_price_book := @extschema@.im_price_book(NULL::@extschema@.im_rate_card);
	-- that of an app without packs and marks
	usual @extschema@.im_reading := @extschema@.im_reading(first, until, NULL::@extschema@.im_rate_card, NULL::@extschema@.im_price_book, NULL::bigint);
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
		FROM @extschema@.im_early_usage(first, until, NULL::@extschema@.im_rate_card, book) u
		WHERE u.app_id = a.app_id
		OFFSET 0) e ON true
	CROSS JOIN LATERAL (
		SELECT CASE WHEN e.since IS NULL AND (marked IS NULL OR a.app_id <> ALL (marked)) THEN usual
			ELSE @extschema@.im_reading_of(first, until, NULL::@extschema@.im_rate_card,
				CASE WHEN e.since IS NOT NULL THEN ARRAY[a.app_id] END,
				CASE WHEN e.since IS NOT NULL THEN ARRAY[e.since] END, a.app_id) END AS reading
		OFFSET 0) r
	CROSS JOIN LATERAL (
		SELECT *
		FROM @extschema@.im_gather(first, until, NULL::@extschema@.im_rate_card, r.reading) i
		WHERE i.app_id = a.app_id
		OFFSET 0) g,
		@extschema@.im_rate_lines(g.app_id, g.card_name, book, g.orders, g.suspensions,
			g.preview, $1, g.since, g.daily, g.logins, g.groups, g.checks,
			g.calls, g.user_days, g.users) l;
END
$$;
COMMENT ON FUNCTION @extschema@.im_rebill_apps(@extschema@.im_month, bigint[]) IS
'The bills of a usage month of the given apps computed anew, in one query. Errors as im_rebill().';

-- Halved until the apps that fail stand alone.
CREATE FUNCTION @extschema@.im_unbillable(month @extschema@.im_month, apps bigint[])
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
		PERFORM count(*) FROM @extschema@.im_rebill_apps($1, $2);
		RETURN;
	EXCEPTION
		WHEN check_violation OR no_data_found OR data_exception OR program_limit_exceeded THEN
			GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	END;
	IF middle = 0 THEN
		RETURN QUERY SELECT $2[1], format('%s. %s', message, detail);
		RETURN;
	END IF;
	RETURN QUERY SELECT * FROM @extschema@.im_unbillable($1, $2[:middle]);
	RETURN QUERY SELECT * FROM @extschema@.im_unbillable($1, $2[middle + 1:]);
END
$$;
COMMENT ON FUNCTION @extschema@.im_unbillable(@extschema@.im_month, bigint[]) IS
'Those of the apps whose bill of the month cannot be computed, and why.';

CREATE FUNCTION @extschema@.im_rebill_open(month @extschema@.im_month)
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	apps bigint[] := @extschema@.im_open_apps($1);
	detail text;
BEGIN
	IF apps IS NOT NULL THEN
		RETURN QUERY SELECT * FROM @extschema@.im_rebill_apps($1, apps);
	END IF;
EXCEPTION
	WHEN check_violation OR no_data_found OR data_exception OR program_limit_exceeded THEN
		GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
		PERFORM @extschema@.im_raise_unbillable($1, SQLSTATE, SQLERRM, detail);
END
$$;
COMMENT ON FUNCTION @extschema@.im_rebill_open(@extschema@.im_month) IS
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
	IF @extschema@.im_guarded('im_monthly_bills_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_monthly_bills_guarded($1);
		RETURN;
	END IF;
	IF @extschema@.im_is_begun($1) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_issued_lines($1::date);
		RETURN QUERY SELECT * FROM @extschema@.im_rebill_open($1);
		RETURN;
	END IF;
-- what im_rebills() does, without handing every line through two functions
DECLARE
	book @extschema@.im_price_book := @extschema@.im_price_book(NULL::@extschema@.im_rate_card);
	reading @extschema@.im_reading;
	detail text;
BEGIN
	reading := @extschema@.im_reading($1::date, upper($1::daterange), NULL::@extschema@.im_rate_card, book, NULL::bigint);
	RETURN QUERY EXECUTE @extschema@.im_by_ranges('im_rated_lines'::text) USING $1, book, reading;
EXCEPTION
	WHEN check_violation OR no_data_found OR data_exception OR program_limit_exceeded THEN
		GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
		PERFORM @extschema@.im_raise_unbillable($1, SQLSTATE, SQLERRM, detail);
END;
END
$$;
COMMENT ON FUNCTION @extschema@.im_monthly_bills(@extschema@.im_month) IS
'The bills of a usage month of every app, set-wise, in no particular order of apps; of apps that are closed the lines as issued. Raises one error with the number of apps whose bill cannot be right.';

-- What im_check() calls fatal is tried app by app, the others a thousand at
-- once: only a trial tells whether there is a bill.
CREATE FUNCTION @extschema@.im_unbillable_among(month @extschema@.im_month, apps bigint[])
	RETURNS TABLE (app_id bigint, problem text)
	LANGUAGE plpgsql STABLE ROWS 10
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	suspects bigint[] := ARRAY(SELECT DISTINCT p.app_id FROM @extschema@.im_problems_of($2, $1) p WHERE p.fatal);
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
		LATERAL @extschema@.im_unbillable($1, b.apps) u;
END
$$;
COMMENT ON FUNCTION @extschema@.im_unbillable_among(@extschema@.im_month, bigint[]) IS
'im_unbillable() of many apps.';

CREATE FUNCTION @extschema@.im_warn_of_skipped(month @extschema@.im_month, skipped bigint[], problem text)
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
COMMENT ON FUNCTION @extschema@.im_warn_of_skipped(@extschema@.im_month, bigint[], text) IS
'The one warning of a set-wise bill that skips apps: their number, the first of them, and the hint where they are listed.';

CREATE FUNCTION @extschema@.im_billable_bills(month @extschema@.im_month, apps bigint[])
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
	FROM @extschema@.im_unbillable_among($1, $2) u;
	IF skipped IS NOT NULL THEN
		PERFORM @extschema@.im_warn_of_skipped($1, skipped, problem);
	END IF;
	RETURN QUERY SELECT * FROM @extschema@.im_rebill_apps($1, ARRAY(SELECT unnest($2) EXCEPT SELECT unnest(skipped)));
END
$$;
COMMENT ON FUNCTION @extschema@.im_billable_bills(@extschema@.im_month, bigint[]) IS
'The bills of those of the apps that can be billed, computed anew; a warning tells of the others.';

-- In the usual case nothing fails.  A function in FROM gives no row before it
-- has ended: what fails has given none.
CREATE FUNCTION @extschema@.im_monthly_bills(month @extschema@.im_month, skip_unbillable boolean)
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE plpgsql STABLE STRICT ROWS 100000
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF @extschema@.im_guarded('im_monthly_bills_skipping_guarded'::text) THEN
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
	RETURN QUERY SELECT * FROM @extschema@.im_issued_lines($1::date);
	RETURN QUERY SELECT * FROM @extschema@.im_billable_bills($1, @extschema@.im_open_apps($1));
END
$$;
COMMENT ON FUNCTION @extschema@.im_monthly_bills(@extschema@.im_month, boolean) IS
'im_monthly_bills(month); with skip_unbillable the bills of all apps that can be billed, and one warning with the number of the others, which im_check(month) lists.';

CREATE FUNCTION @extschema@.im_retotals(month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, currency text, total numeric)
	LANGUAGE plpgsql STABLE STRICT ROWS 10000
	SET search_path = pg_catalog, pg_temp
	SET min_parallel_table_scan_size = '1TB'	-- as im_by_ranges() wants it
	SET min_parallel_index_scan_size = '1TB'
	SET jit = off
AS $$
DECLARE
	book @extschema@.im_price_book := @extschema@.im_price_book(NULL::@extschema@.im_rate_card);
	reading @extschema@.im_reading;
	detail text;
BEGIN
	reading := @extschema@.im_reading($1::date, upper($1::daterange), NULL::@extschema@.im_rate_card, book, NULL::bigint);
	RETURN QUERY EXECUTE @extschema@.im_by_ranges('im_rated_totals'::text) USING $1, book, reading;
EXCEPTION
	WHEN check_violation OR no_data_found OR data_exception OR program_limit_exceeded THEN
		GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
		PERFORM @extschema@.im_raise_unbillable($1, SQLSTATE, SQLERRM, detail);
END
$$;
COMMENT ON FUNCTION @extschema@.im_retotals(@extschema@.im_month) IS
'The total of every app that has lines in the month computed anew, closed or not, rounded once half away from zero to the places of its currency (R9). Errors as im_monthly_bills().';

CREATE FUNCTION @extschema@.im_monthly_totals(month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, currency text, total numeric)
	LANGUAGE plpgsql STABLE STRICT ROWS 10000
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	IF @extschema@.im_guarded('im_monthly_totals_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_monthly_totals_guarded($1);
		RETURN;
	END IF;
	IF NOT @extschema@.im_is_begun($1) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_retotals($1);
		RETURN;
	END IF;
	RETURN QUERY
	SELECT i.app_id, i.currency, sum(i.total)
	FROM @extschema@.im_invoice i
	WHERE i.month = $1::date
	GROUP BY i.app_id, i.currency;
	RETURN QUERY
	SELECT l.app_id, l.currency, round(sum(l.amount), max(p.scale))
	FROM @extschema@.im_rebill_open($1) l
	JOIN @extschema@.im_app a ON a.app_id = l.app_id
	JOIN @extschema@.im_cards_in_force($1) p ON p.rate_card = a.rate_card
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
	IF @extschema@.im_guarded('im_monthly_total_guarded'::text) THEN
		RETURN @extschema@.im_monthly_total_guarded($1, $2);
	END IF;
	PERFORM @extschema@.im_need_app($1);
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
CREATE FUNCTION @extschema@.im_create_billing_view(name text, first_month @extschema@.im_month,
		last_month @extschema@.im_month DEFAULT NULL)
	RETURNS void
	LANGUAGE plpgsql
AS $$
DECLARE
	view_name text := (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(p), '.')
					   FROM pg_catalog.unnest(pg_catalog.parse_ident($1)) p);
BEGIN
	IF $1 IS NULL OR $2 IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'null_value_not_allowed',
			MESSAGE = 'a billing view has a name and a first month, but one of them is null',
			DETAIL = 'Only the last month may be null: the view then runs through the month of its refresh.',
			HINT = 'Give both.';
	END IF;
	IF $3 OPERATOR(@extschema@.<) $2 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = pg_catalog.format('last month %s is before first month %s', $3, $2),
			DETAIL = 'The view holds the bill lines of the months from the first through the last.',
			HINT = 'Give the months in their order, or leave the last one null for the running month.';
	END IF;
	EXECUTE pg_catalog.format($view$
		CREATE MATERIALIZED VIEW %s AS
		SELECT b.*
		FROM pg_catalog.generate_series(%L::pg_catalog.timestamp, coalesce(%L::pg_catalog.timestamp,
				pg_catalog.now() AT TIME ZONE 'Asia/Shanghai'),
				'1 month'::pg_catalog.interval) m,
			%s.im_monthly_bills(m::pg_catalog.date::%4$s.im_month, true) b
		$view$, view_name, $2::pg_catalog.date, $3::pg_catalog.date, '@extschema@');
	EXECUTE pg_catalog.format('CREATE UNIQUE INDEX ON %s (app_id, month, line)', view_name);
	EXECUTE pg_catalog.format('COMMENT ON MATERIALIZED VIEW %s IS %L', view_name,
		'Bill lines of the months from ' OPERATOR(pg_catalog.||) $2::text OPERATOR(pg_catalog.||)
		' through ' OPERATOR(pg_catalog.||) coalesce($3::text, 'the running one'));
END
$$;
COMMENT ON FUNCTION @extschema@.im_create_billing_view(text, @extschema@.im_month, @extschema@.im_month) IS
'Creates a materialized view of all bill lines of the months from the first through the last, or through the running one, with the unique index that REFRESH MATERIALIZED VIEW CONCURRENTLY needs. Apps that cannot be billed are skipped with a warning. The name may have a schema.';
