-- A run of closing or adjusting: what it needs before it starts, which apps it
-- claims, and how far it has come.

CREATE TYPE @extschema@.im_run AS (
	total bigint,
	done bigint,
	before bigint,
	issued bigint,
	visited int8multirange,
	failed bigint[],
	problem text,
	finished boolean,
	root bytea,
	begun_at timestamptz
);
COMMENT ON TYPE @extschema@.im_run IS
'How far a call of im_close_month() or im_adjust_month() has come; goes from batch to batch.';
COMMENT ON COLUMN @extschema@.im_run.total IS 'Apps to go through.';
COMMENT ON COLUMN @extschema@.im_run.done IS 'Apps that are done, those of other closers included.';
COMMENT ON COLUMN @extschema@.im_run.before IS 'Apps that were done when this call began.';
COMMENT ON COLUMN @extschema@.im_run.issued IS 'Documents that this call issued.';
COMMENT ON COLUMN @extschema@.im_run.visited IS 'app_ids that this call need not look at again.';
COMMENT ON COLUMN @extschema@.im_run.failed IS 'Apps whose bill cannot be right.';
COMMENT ON COLUMN @extschema@.im_run.problem IS 'What is wrong with the first of them.';
COMMENT ON COLUMN @extschema@.im_run.finished IS 'Whether nothing is left to do.';
COMMENT ON COLUMN @extschema@.im_run.root IS 'Then the digest of the month.';
COMMENT ON COLUMN @extschema@.im_run.begun_at IS 'When this call began.';

CREATE FUNCTION im_internal.im_in_transaction_block() RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE;
COMMENT ON FUNCTION im_internal.im_in_transaction_block() IS
'Whether the session is inside a transaction block, where a procedure cannot commit.';

CREATE FUNCTION im_internal.im_start_run(what text, month @extschema@.im_month, batch integer)
	RETURNS @extschema@.im_run
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF $2 IS NULL OR $3 IS NULL OR $3 < 1 THEN
		RAISE EXCEPTION USING
			ERRCODE = CASE WHEN $3 < 1 THEN 'invalid_parameter_value' ELSE 'null_value_not_allowed' END,
			MESSAGE = format('%s needs a month and a batch of at least 1 app, not %s and %s', $1,
				coalesce($2::text, 'null'), coalesce($3::text, 'null')),
			DETAIL = 'batch is the number of apps whose documents are issued in one transaction.',
			HINT = format('CALL %s(''2024-03'').', $1);
	END IF;
	IF im_internal.im_in_transaction_block() THEN
		RAISE EXCEPTION USING
			ERRCODE = 'active_sql_transaction',
			MESSAGE = format('%s cannot run inside a transaction block', $1),
			DETAIL = 'It commits after every batch, so that what is issued stays issued.',
			HINT = 'CALL it by itself: without BEGIN, not from a function, and not among other statements sent as one.';
	END IF;
	PERFORM im_internal.im_need_tables();
	PERFORM im_internal.im_need_owners_function(CASE $1 WHEN 'im_close_month' THEN 'im_close_batch' ELSE 'im_adjust_batch' END);
	RETURN ROW(NULL, 0, 0, 0, '{}', '{}', NULL, false, NULL, clock_timestamp())::@extschema@.im_run;
END
$$;
COMMENT ON FUNCTION im_internal.im_start_run(text, @extschema@.im_month, integer) IS
'Checks the arguments of a procedure that commits and that it may commit: errors 22004, 22023 and 25001, 42P01 before im_create_tables(), 42501 where the function of a batch is not one of the owner of the tables.';

CREATE FUNCTION im_internal.im_tell_run(month @extschema@.im_month, what text, run @extschema@.im_run)
	RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	rate numeric := ($3.done - $3.before)
		/ greatest(extract(epoch FROM clock_timestamp() - $3.begun_at), 0.001);
	left_over bigint := $3.total - $3.done;
BEGIN
	RAISE NOTICE USING MESSAGE = format('%s: %s of %s apps %s, %s; %s apps a second%s', $1,
		$3.done, $3.total, $2,
		CASE $3.issued WHEN 1 THEN '1 document issued' ELSE format('%s documents issued', $3.issued) END,
		round(rate),
		CASE WHEN left_over > 0 AND rate > 0 THEN format(', %s s left', ceil(left_over / rate)) END);
END
$$;
COMMENT ON FUNCTION im_internal.im_tell_run(@extschema@.im_month, text, @extschema@.im_run) IS
'A notice of how far a procedure has come: done, total, rate and time left.';

CREATE FUNCTION im_internal.im_end_run(month @extschema@.im_month, what text, run @extschema@.im_run)
	RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	failures integer := cardinality($3.failed);
BEGIN
	RAISE NOTICE USING MESSAGE = format('%s: root %s', $1, encode($3.root, 'hex'));
	IF failures > 0 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'check_violation',
			MESSAGE = CASE WHEN failures = 1 THEN format('the bill of app %s for %s cannot be right, it is not %s', $3.failed[1], $1, $2)
				ELSE format('the bills of %s apps for %s cannot be right, they are not %s', failures, $1, $2) END,
			DETAIL = format('The first problem met: %s All other apps are %s.', $3.problem, $2),
			HINT = format('SELECT * FROM %s.im_check(%L) lists what to correct; then CALL again.', '@extschema@', $1::text);
	END IF;
END
$$;
COMMENT ON FUNCTION im_internal.im_end_run(@extschema@.im_month, text, @extschema@.im_run) IS
'A notice of the digest of the month; error 23514 if apps were left out because their bill cannot be right.';

CREATE FUNCTION im_internal.im_app_span(first_app bigint, last_app bigint) RETURNS int8multirange
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	RETURN int8multirange(int8range(first_app,
		-- the bound above the greatest id is none
		CASE WHEN last_app < 9223372036854775807 THEN last_app + 1 END));
COMMENT ON FUNCTION im_internal.im_app_span(bigint, bigint) IS
'The app_ids from the first through the last.';

CREATE FUNCTION im_internal.im_app_points(apps bigint[]) RETURNS int8multirange
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(range_agg(im_internal.im_app_span(a, a)), '{}') FROM unnest($1) a
$$;
COMMENT ON FUNCTION im_internal.im_app_points(bigint[]) IS
'The given app_ids and none between them.';

CREATE FUNCTION im_internal.im_apps_among(todo int8multirange) RETURNS bigint[]
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT array_agg(a.app_id)
	FROM @extschema@.im_app a
	WHERE a.app_id >= coalesce(lower($1), -9223372036854775808)
		AND a.app_id <= coalesce(upper($1) - 1, 9223372036854775807)
		AND a.app_id <@ $1
$$;
COMMENT ON FUNCTION im_internal.im_apps_among(int8multirange) IS
'The apps among some app_ids; null if there are none.';

CREATE FUNCTION im_internal.im_is_app_among(todo int8multirange) RETURNS boolean
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT EXISTS (
		SELECT FROM @extschema@.im_app a
		WHERE a.app_id >= coalesce(lower($1), -9223372036854775808) AND a.app_id <@ $1)
$$;
COMMENT ON FUNCTION im_internal.im_is_app_among(int8multirange) IS
'Whether there is an app among some app_ids.';

CREATE FUNCTION im_internal.im_claim_free_apps(todo int8multirange, batch integer) RETURNS bigint[]
	LANGUAGE sql
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT array_agg(f.app_id ORDER BY f.app_id)
	FROM (SELECT a.app_id
		  FROM @extschema@.im_app a
		  WHERE a.app_id >= coalesce(lower($1), -9223372036854775808) AND a.app_id <@ $1
		  ORDER BY a.app_id
		  LIMIT $2
		  FOR NO KEY UPDATE SKIP LOCKED) f
$$;
COMMENT ON FUNCTION im_internal.im_claim_free_apps(int8multirange, integer) IS
'Locks so many of the first apps among some app_ids until the end of the transaction, passing over those that others hold; null if there are none.';

CREATE FUNCTION im_internal.im_claim_apps(todo int8multirange, batch integer) RETURNS bigint[]
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	claimed bigint[] := im_internal.im_claim_free_apps($1, $2);
	awaited bigint;
BEGIN
	IF claimed IS NOT NULL OR NOT im_internal.im_is_app_among($1) THEN
		RETURN claimed;
	END IF;
	RAISE NOTICE 'waiting for the transactions that hold the apps left';
	SELECT a.app_id INTO awaited
	FROM @extschema@.im_app a
	WHERE a.app_id >= coalesce(lower($1), -9223372036854775808) AND a.app_id <@ $1
	ORDER BY a.app_id
	LIMIT 1
	FOR NO KEY UPDATE;
	RETURN im_internal.im_claim_free_apps($1, $2);
END
$$;
COMMENT ON FUNCTION im_internal.im_claim_apps(int8multirange, integer) IS
'As im_claim_free_apps(), but where others hold all of them it waits for the first, while it holds none.';

CREATE FUNCTION im_internal.im_need_over(month @extschema@.im_month, apps bigint[]) RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	zone text;
	over date;
BEGIN
	-- without apps any card tells what a month is
	SELECT z.time_zone, z.today INTO zone, over
	FROM (SELECT v.terms ->> 'time_zone' AS time_zone,
				 (now() AT TIME ZONE (v.terms ->> 'time_zone'))::date AS today
		  FROM @extschema@.im_rate_card_version v
		  WHERE v.rate_card IN (SELECT a.rate_card FROM @extschema@.im_app a WHERE $2 IS NULL
								UNION
								SELECT a.rate_card
								FROM unnest($2) u(app_id)
								JOIN @extschema@.im_app a ON a.app_id = u.app_id)
			OR NOT EXISTS (SELECT FROM @extschema@.im_app)) z
	ORDER BY z.today
	LIMIT 1;
	IF over < upper($1::daterange) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = format('%s is not over: it is %s in %s', $1, to_char(over, 'YYYY-MM-DD'), zone),
			DETAIL = 'A month is over when its last day has ended in the time zone of the rate cards of all apps.',
			HINT = format('Close it on %s or later.', to_char(upper($1::daterange), 'YYYY-MM-DD'));
	END IF;
END
$$;
COMMENT ON FUNCTION im_internal.im_need_over(@extschema@.im_month, bigint[]) IS
'Error 55000 unless the month is over in the zone of every rate card of the given apps, of all apps if null.';

CREATE FUNCTION im_internal.im_need_batch(month @extschema@.im_month) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM im_internal.im_need_tables();
	IF $1 IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'null_value_not_allowed',
			MESSAGE = 'documents are issued for a month, but it is null',
			DETAIL = 'A batch closes or adjusts apps of one month.',
			HINT = 'CALL im_close_month(month) or im_adjust_month(month), which call this for each batch.';
	END IF;
	IF current_setting('transaction_read_only')::boolean THEN
		RAISE EXCEPTION USING
			ERRCODE = 'read_only_sql_transaction',
			MESSAGE = 'no document can be issued in a read-only transaction',
			DETAIL = CASE WHEN pg_is_in_recovery() THEN 'This server is a standby.'
				ELSE 'The session''s transactions are read-only by default.' END,
			HINT = 'Call it on the primary, with default_transaction_read_only off.';
	END IF;
	-- what an older snapshot hides would be issued twice or digested wrongly
	IF current_setting('transaction_isolation') <> 'read committed' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_transaction_state',
			MESSAGE = format('documents are issued in transactions that are read committed, not %s',
				current_setting('transaction_isolation')),
			DETAIL = 'Each batch must see what was issued before it locked its apps.',
			HINT = 'CALL im_close_month(month) or im_adjust_month(month), which begin such transactions themselves.';
	END IF;
END
$$;
COMMENT ON FUNCTION im_internal.im_need_batch(@extschema@.im_month) IS
'Error 42P01 before im_create_tables(), 22004 without a month, 25006 in a read-only transaction, 25000 in one that is not read committed.';

CREATE FUNCTION im_internal.im_need_few_failures(month @extschema@.im_month, failed bigint[], problem text)
	RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF cardinality($2) > 100 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'check_violation',
			MESSAGE = format('the bills of more than 100 apps for %s cannot be right', $1),
			DETAIL = format('The first problem met: %s What was issued so far stays.', $3),
			HINT = format('SELECT * FROM %s.im_check(%L) lists what to correct; then CALL again.', '@extschema@', $1::text);
	END IF;
END
$$;
COMMENT ON FUNCTION im_internal.im_need_few_failures(@extschema@.im_month, bigint[], text) IS
'Error 23514 where so many bills fail that something common to them must be wrong.';
