-- Closing a month: invoices in batches, each in a transaction of its own.
--
-- A batch first locks the rows of its apps in im_app, passing over those that
-- somebody else holds, and only then takes the snapshot that it bills under.
-- So it never waits while it holds a lock and cannot be part of a deadlock;
-- closers of one month share its apps among them; and whoever holds an app's
-- row sees the last document of that app, which the next one's digest covers.
-- When all that is left is held by others, it waits for one of those apps
-- before it has locked any.
--
-- An order that is being placed holds the app's row while it is checked (see
-- orders.sql): what commits before the snapshot is in the invoice, what
-- commits later is drift.

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

CREATE FUNCTION @extschema@.im_in_transaction_block() RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE;
COMMENT ON FUNCTION @extschema@.im_in_transaction_block() IS
'Whether the session is inside a transaction block, where a procedure cannot commit.';

CREATE FUNCTION @extschema@.im_start_run(what text, month @extschema@.im_month, batch integer)
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
	IF @extschema@.im_in_transaction_block() THEN
		RAISE EXCEPTION USING
			ERRCODE = 'active_sql_transaction',
			MESSAGE = format('%s cannot run inside a transaction block', $1),
			DETAIL = 'It commits after every batch, so that what is issued stays issued.',
			HINT = 'CALL it by itself: without BEGIN, not from a function, and not among other statements sent as one.';
	END IF;
	PERFORM @extschema@.im_need_tables();
	RETURN ROW(NULL, 0, 0, 0, '{}', '{}', NULL, false, NULL, clock_timestamp())::@extschema@.im_run;
END
$$;
COMMENT ON FUNCTION @extschema@.im_start_run(text, @extschema@.im_month, integer) IS
'Checks the arguments of a procedure that commits and that it may commit: errors 22004, 22023 and 25001, 42P01 before im_create_tables().';

CREATE FUNCTION @extschema@.im_tell_run(month @extschema@.im_month, what text, run @extschema@.im_run)
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
COMMENT ON FUNCTION @extschema@.im_tell_run(@extschema@.im_month, text, @extschema@.im_run) IS
'A notice of how far a procedure has come: done, total, rate and time left.';

CREATE FUNCTION @extschema@.im_end_run(month @extschema@.im_month, what text, run @extschema@.im_run)
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
COMMENT ON FUNCTION @extschema@.im_end_run(@extschema@.im_month, text, @extschema@.im_run) IS
'A notice of the digest of the month; error 23514 if apps were left out because their bill cannot be right.';

-- Apps ---------------------------------------------------------------------

CREATE FUNCTION @extschema@.im_app_span(first_app bigint, last_app bigint) RETURNS int8multirange
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	RETURN int8multirange(int8range(first_app,
		-- the bound above the greatest id is none
		CASE WHEN last_app < 9223372036854775807 THEN last_app + 1 END));
COMMENT ON FUNCTION @extschema@.im_app_span(bigint, bigint) IS
'The app_ids from the first through the last.';

CREATE FUNCTION @extschema@.im_app_points(apps bigint[]) RETURNS int8multirange
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(range_agg(@extschema@.im_app_span(a, a)), '{}') FROM unnest($1) a
$$;
COMMENT ON FUNCTION @extschema@.im_app_points(bigint[]) IS
'The given app_ids and none between them.';

CREATE FUNCTION @extschema@.im_apps_among(todo int8multirange) RETURNS bigint[]
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT array_agg(a.app_id)
	FROM @extschema@.im_app a
	WHERE a.app_id >= coalesce(lower($1), -9223372036854775808)
		AND a.app_id <= coalesce(upper($1) - 1, 9223372036854775807)
		AND a.app_id <@ $1
$$;
COMMENT ON FUNCTION @extschema@.im_apps_among(int8multirange) IS
'The apps among some app_ids; null if there are none.';

CREATE FUNCTION @extschema@.im_is_app_among(todo int8multirange) RETURNS boolean
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT EXISTS (
		SELECT FROM @extschema@.im_app a
		WHERE a.app_id >= coalesce(lower($1), -9223372036854775808) AND a.app_id <@ $1)
$$;
COMMENT ON FUNCTION @extschema@.im_is_app_among(int8multirange) IS
'Whether there is an app among some app_ids.';

CREATE FUNCTION @extschema@.im_claim_free_apps(todo int8multirange, batch integer) RETURNS bigint[]
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
COMMENT ON FUNCTION @extschema@.im_claim_free_apps(int8multirange, integer) IS
'Locks so many of the first apps among some app_ids until the end of the transaction, passing over those that others hold; null if there are none.';

CREATE FUNCTION @extschema@.im_claim_apps(todo int8multirange, batch integer) RETURNS bigint[]
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	claimed bigint[] := @extschema@.im_claim_free_apps($1, $2);
	awaited bigint;
BEGIN
	IF claimed IS NOT NULL OR NOT @extschema@.im_is_app_among($1) THEN
		RETURN claimed;
	END IF;
	RAISE NOTICE 'waiting for the transactions that hold the apps left';
	SELECT a.app_id INTO awaited
	FROM @extschema@.im_app a
	WHERE a.app_id >= coalesce(lower($1), -9223372036854775808) AND a.app_id <@ $1
	ORDER BY a.app_id
	LIMIT 1
	FOR NO KEY UPDATE;
	RETURN @extschema@.im_claim_free_apps($1, $2);
END
$$;
COMMENT ON FUNCTION @extschema@.im_claim_apps(int8multirange, integer) IS
'As im_claim_free_apps(), but where others hold all of them it waits for the first, while it holds none.';

CREATE FUNCTION @extschema@.im_need_over(month @extschema@.im_month, apps bigint[]) RETURNS void
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
COMMENT ON FUNCTION @extschema@.im_need_over(@extschema@.im_month, bigint[]) IS
'Error 55000 unless the month is over in the zone of every rate card of the given apps, of all apps if null.';

CREATE FUNCTION @extschema@.im_need_batch() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
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
COMMENT ON FUNCTION @extschema@.im_need_batch() IS
'Error 25006 in a read-only transaction, 25000 in one that is not read committed.';

-- Documents ----------------------------------------------------------------

-- One document an app at most: where the currency of the app changed there
-- are two to issue, and the second one's digest covers the first's.
CREATE FUNCTION @extschema@.im_issue(month @extschema@.im_month, apps bigint[], notes boolean,
		OUT issued bigint, OUT invoices bigint, OUT more boolean)
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
DECLARE
	at timestamptz := clock_timestamp();
BEGIN
	WITH line AS MATERIALIZED (
		SELECT l AS row, l.app_id, l.currency, l.line, l.amount
		FROM @extschema@.im_rebill_apps($1, $2) l
		WHERE NOT $3
		UNION ALL
		SELECT l, l.app_id, l.currency, l.line, l.amount
		FROM @extschema@.im_note_lines($1, $2) l
		WHERE $3),
	sheet AS (
		SELECT l.app_id, l.currency, sum(l.amount) AS amount,
			string_agg(@extschema@.im_line_bytes(l.row), '' ORDER BY l.line) AS bytes
		FROM line l
		GROUP BY l.app_id, l.currency),
	draft AS (
		SELECT DISTINCT ON (s.app_id) s.app_id, s.currency, s.bytes, a.rate_card, c.card_from,
			coalesce(i.revision + 1, 0) AS revision,
			-- together the documents are the rounded bill (R9)
			round(coalesce(i.amount, 0) + s.amount, CASE WHEN c.currency = s.currency THEN c.scale ELSE 0 END)
				- coalesce(i.total, 0) AS total,
			greatest(at, p.issued_at + interval '1 microsecond') AS issued_at, p.digest AS previous
		FROM sheet s
		-- by its key, however many apps there are
		CROSS JOIN LATERAL (SELECT p.rate_card FROM @extschema@.im_app p WHERE p.app_id = s.app_id OFFSET 0) a
		LEFT JOIN @extschema@.im_cards_in_force($1) c ON c.rate_card = a.rate_card
		CROSS JOIN LATERAL @extschema@.im_issued_so_far($1::date, s.app_id, s.currency) i
		LEFT JOIN LATERAL @extschema@.im_last_document(s.app_id) p ON true
		-- what was issued in another currency than the app's is taken back first
		ORDER BY s.app_id, s.currency = c.currency),
	document AS (
		INSERT INTO @extschema@.im_invoice (app_id, month, revision, kind, currency, total,
			issued_at, rate_card, card_from, digest)
		SELECT d.app_id, $1::date, d.revision, k.kind, d.currency, d.total, d.issued_at, d.rate_card, d.card_from,
			@extschema@.im_invoice_digest(d.app_id, $1::date, d.revision, k.kind, d.currency,
				d.total, d.issued_at, d.rate_card, d.card_from, d.previous, d.bytes)
		FROM draft d
		CROSS JOIN LATERAL (SELECT CASE WHEN d.revision = 0 THEN 'invoice' WHEN d.total < 0 THEN 'credit_note'
				ELSE 'debit_note' END AS kind) k
		ORDER BY d.app_id
		ON CONFLICT DO NOTHING
		RETURNING im_invoice.app_id, im_invoice.revision, im_invoice.currency),
	written AS (
		INSERT INTO @extschema@.im_invoice_line (app_id, month, revision, line, item, option, period,
			due_on, quantity, included, billable, units, unit_price, amount, currency, explanation)
		SELECT d.app_id, $1::date, d.revision, (l.row).line, (l.row).item, (l.row).option, (l.row).period,
			(l.row).due_on, (l.row).quantity, (l.row).included, (l.row).billable, (l.row).units,
			(l.row).unit_price, (l.row).amount, (l.row).currency, (l.row).explanation
		FROM line l
		JOIN document d ON d.app_id = l.app_id AND d.currency = l.currency)
	SELECT (SELECT count(*) FROM document), (SELECT count(*) FROM document d WHERE d.revision = 0),
		(SELECT count(*) > count(DISTINCT s.app_id) FROM sheet s)
	INTO issued, invoices, more;
END
$$;
COMMENT ON FUNCTION @extschema@.im_issue(@extschema@.im_month, bigint[], boolean) IS
'Issues a document for each of the apps that has lines to bill, or with notes a document of what has changed since: how many, how many of them invoices, and whether some app needs another one. The caller holds the apps'' rows.';

-- These two have no settings of their own, so that the planner inlines them.
CREATE FUNCTION @extschema@.im_issued_so_far(month date, app_id bigint, currency text)
	RETURNS TABLE (revision integer, total numeric, amount numeric)
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
AS $$
	SELECT max(i.revision), sum(i.total) FILTER (WHERE i.currency = $3),
		(SELECT sum(l.amount)
		 FROM @extschema@.im_invoice_line l
		 WHERE l.app_id = $2 AND l.month = $1 AND l.currency = $3)
	FROM @extschema@.im_invoice i
	WHERE i.app_id = $2 AND i.month = $1
$$;
COMMENT ON FUNCTION @extschema@.im_issued_so_far(date, bigint, text) IS
'The last revision of an app and month, and what was issued in a currency: totals of documents and exact amounts of lines.';

CREATE FUNCTION @extschema@.im_last_document(app_id bigint)
	RETURNS TABLE (digest bytea, issued_at timestamptz)
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
AS $$
	SELECT i.digest, i.issued_at
	FROM @extschema@.im_invoice i
	WHERE i.app_id = $1
	ORDER BY i.issued_at DESC, i.month DESC, i.revision DESC
	LIMIT 1
$$;
COMMENT ON FUNCTION @extschema@.im_last_document(bigint) IS
'The app''s last document.';

-- One app whose bill cannot be right must not hold up the others: the batch is
-- halved until it stands alone.
CREATE FUNCTION @extschema@.im_issue_what_can_be(month @extschema@.im_month, apps bigint[],
		notes boolean, OUT issued bigint, OUT invoices bigint, OUT failed bigint[], OUT problem text)
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	middle integer := cardinality($2) / 2;
	step record;
	message text;
	detail text;
BEGIN
	issued := 0;
	invoices := 0;
	failed := '{}';
	BEGIN
		LOOP
			SELECT * INTO step FROM @extschema@.im_issue($1, $2, $3);
			issued := issued + step.issued;
			invoices := invoices + step.invoices;
			EXIT WHEN NOT step.more OR step.issued = 0;
		END LOOP;
		RETURN;
	EXCEPTION
		WHEN check_violation OR no_data_found OR data_exception OR program_limit_exceeded THEN
			GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	END;
	issued := 0;
	invoices := 0;
	IF middle = 0 THEN
		failed := $2;
		problem := format('%s. %s', message, detail);
		RETURN;
	END IF;
	FOR step IN
		SELECT h.*
		FROM (VALUES (1, $2[:middle]), (2, $2[middle + 1:])) p(half, apps),
			@extschema@.im_issue_what_can_be($1, p.apps, $3) h
		ORDER BY p.half
	LOOP
		issued := issued + step.issued;
		invoices := invoices + step.invoices;
		failed := failed || step.failed;
		problem := coalesce(problem, step.problem);
	END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.im_issue_what_can_be(@extschema@.im_month, bigint[], boolean) IS
'Issues the documents of all apps whose bill can be computed: how many, how many of them invoices, which apps cannot, and why the first.';

CREATE FUNCTION @extschema@.im_need_few_failures(month @extschema@.im_month, failed bigint[], problem text)
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
COMMENT ON FUNCTION @extschema@.im_need_few_failures(@extschema@.im_month, bigint[], text) IS
'Error 23514 where so many bills fail that something common to them must be wrong.';

-- A batch ------------------------------------------------------------------

CREATE FUNCTION @extschema@.im_close_some(month @extschema@.im_month, batch integer,
		INOUT run @extschema@.im_run)
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	begun boolean := run.total IS NULL;
	todo int8multirange;
	claimed bigint[];
	step record;
	span int8multirange;
BEGIN
	PERFORM @extschema@.im_need_batch();
	IF begun THEN
		PERFORM @extschema@.im_need_over($1, NULL::bigint[]);
		run.total := (SELECT count(*) FROM @extschema@.im_app);
		run.before := @extschema@.im_apps_done($1::date);
	END IF;
	todo := '{(,)}' - @extschema@.im_closed_apps($1::date) - @extschema@.im_app_points(run.failed);
	claimed := @extschema@.im_claim_apps(todo, $2);
	-- what others closed before we held the apps is seen only now
	todo := '{(,)}' - @extschema@.im_closed_apps($1::date) - @extschema@.im_app_points(run.failed);
	claimed := (SELECT array_agg(c ORDER BY c) FROM unnest(claimed) c WHERE c <@ todo);
	IF claimed IS NOT NULL THEN
		PERFORM @extschema@.im_need_over($1, claimed);
		SELECT * INTO step FROM @extschema@.im_issue_what_can_be($1, claimed, false);
		run.issued := run.issued + step.issued;
		run.failed := run.failed || step.failed;
		run.problem := coalesce(run.problem, step.problem);
		PERFORM @extschema@.im_need_few_failures($1, run.failed, run.problem);
		span := @extschema@.im_span_of_batch(todo, claimed) - @extschema@.im_app_points(step.failed);
		IF NOT isempty(span) THEN
			PERFORM @extschema@.im_note_closing($1::date, span,
				cardinality(claimed) - cardinality(step.failed), step.invoices, run);
		END IF;
		todo := todo - span - @extschema@.im_app_points(step.failed);
	END IF;
	run.done := @extschema@.im_apps_done($1::date);
	run.finished := NOT @extschema@.im_is_app_among(todo);
	IF run.finished THEN
		-- one row that says all, which whoever asks finds first
		IF NOT isempty(todo) THEN
			-- without an app to issue for nothing was asked yet, and run is the caller's word
			PERFORM @extschema@.im_need_over($1, NULL::bigint[]);
			PERFORM @extschema@.im_note_closing($1::date, '{(,)}' - @extschema@.im_app_points(run.failed), 0::bigint, 0::bigint, run);
		END IF;
		run.root := @extschema@.im_month_root($1);
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_close_some(@extschema@.im_month, integer, @extschema@.im_run) IS
'Closes a batch of apps of a month in the transaction of its caller, who must own the tables; what im_close_month() repeats.';

-- Apps within the span that others hold stay open.
CREATE FUNCTION @extschema@.im_span_of_batch(todo int8multirange, claimed bigint[]) RETURNS int8multirange
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	span int8multirange := @extschema@.im_app_span($2[1], $2[cardinality($2)]);
	passed_over bigint[];
BEGIN
	SELECT array_agg(p.app_id) INTO passed_over
	FROM (SELECT unnest(@extschema@.im_apps_among($1 * span)) AS app_id
		  EXCEPT
		  SELECT unnest($2)) p;
	RETURN span - @extschema@.im_app_points(passed_over);
END
$$;
COMMENT ON FUNCTION @extschema@.im_span_of_batch(int8multirange, bigint[]) IS
'The app_ids that a batch is done with: from its first app through its last, without the apps between them that it could not claim.';

CREATE FUNCTION @extschema@.im_apps_done(month date) RETURNS bigint
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(sum(c.done), 0)::bigint FROM @extschema@.im_closing c WHERE c.month = $1
$$;
COMMENT ON FUNCTION @extschema@.im_apps_done(date) IS
'Apps that are closed in a month.';

CREATE FUNCTION @extschema@.im_note_closing(month date, apps int8multirange, done bigint,
		invoices bigint, run @extschema@.im_run)
	RETURNS void
	LANGUAGE sql
	SET search_path = pg_catalog, pg_temp
AS $$
	INSERT INTO @extschema@.im_closing (month, apps, done, invoices, total, begun_at, closed_at)
	SELECT $1, $2, $3, $4, ($5).total, ($5).begun_at, clock_timestamp()
	ON CONFLICT DO NOTHING
$$;
COMMENT ON FUNCTION @extschema@.im_note_closing(date, int8multirange, bigint, bigint, @extschema@.im_run) IS
'Records that app_ids are closed in a month.';

-- No SET clause and no SECURITY DEFINER, with which a procedure cannot commit:
-- so names are qualified and there is not one operator.
CREATE PROCEDURE @extschema@.im_close_month(month @extschema@.im_month, batch integer DEFAULT 1000)
	LANGUAGE plpgsql
AS $$
DECLARE
	run @extschema@.im_run;
BEGIN
	run := @extschema@.im_start_run('im_close_month'::text, $1, $2);
	LOOP
		COMMIT;
		SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
		run := @extschema@.im_close_batch($1, $2, run);
		COMMIT;
		PERFORM @extschema@.im_tell_run($1, 'closed'::text, run);
		EXIT WHEN run.finished;
	END LOOP;
	PERFORM @extschema@.im_end_run($1, 'closed'::text, run);
END
$$;
COMMENT ON PROCEDURE @extschema@.im_close_month(@extschema@.im_month, integer) IS
'Closes a month: issues the invoice of every app with lines, batch apps a transaction, in the order of app_id; goes on where an earlier call stopped. Errors: 55000 for a month that is not over, 25001 inside a transaction block, 23514 at its end for apps whose bill cannot be right, which stay open.';
