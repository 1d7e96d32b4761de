-- Closing a month: invoices in batches, each in a transaction of its own.
--
-- A batch first locks the rows of its apps in im_app, passing over those that
-- somebody else holds, and only then takes the snapshot that it bills under.
-- So it never waits while it holds a lock and cannot be part of a deadlock;
-- closers of one month share its apps among them; and whoever holds an app's
-- row sees the last document of that app, which the next one's digest covers.
-- When all that is left is held by others, it waits for one of those apps
-- before it has locked any.  At its end it waits for the chain of im_closing,
-- whose holder does nothing but commit.
--
-- An app is closed by a batch that has billed it, and by no other: what a batch
-- covers besides are ids of no app.  So im_closing tells of each app whether it
-- got an invoice or had no lines, and im_verify_invoices() holds it to that.
--
-- The state that goes from batch to batch is the caller's word.  It says what
-- to leave out, never what is done; what is recorded is counted here.
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
	PERFORM @extschema@.im_need_owners_function(CASE $1 WHEN 'im_close_month' THEN 'im_close_batch' ELSE 'im_adjust_batch' END);
	RETURN ROW(NULL, 0, 0, 0, '{}', '{}', NULL, false, NULL, clock_timestamp())::@extschema@.im_run;
END
$$;
COMMENT ON FUNCTION @extschema@.im_start_run(text, @extschema@.im_month, integer) IS
'Checks the arguments of a procedure that commits and that it may commit: errors 22004, 22023 and 25001, 42P01 before im_create_tables(), 42501 where the function of a batch is not one of the owner of the tables.';

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

CREATE FUNCTION @extschema@.im_need_batch(month @extschema@.im_month) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM @extschema@.im_need_tables();
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
COMMENT ON FUNCTION @extschema@.im_need_batch(@extschema@.im_month) IS
'Error 42P01 before im_create_tables(), 22004 without a month, 25006 in a read-only transaction, 25000 in one that is not read committed.';

-- Documents ----------------------------------------------------------------

-- One document an app at most: where the currency of the app changed there
-- are two to issue, and the second one's digest covers the first's.
CREATE FUNCTION @extschema@.im_issue(month @extschema@.im_month, apps bigint[], notes boolean, batch uuid,
		OUT issued bigint[], OUT invoiced bigint[], OUT more boolean)
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
		SELECT DISTINCT ON (s.app_id) s.app_id, s.currency, s.bytes, a.name, a.rate_card, c.card_from,
			coalesce(i.revision + 1, 0) AS revision,
			-- together the documents are the rounded bill (R9)
			round(coalesce(i.amount, 0) + s.amount, CASE WHEN c.currency = s.currency THEN c.scale ELSE 0 END)
				- coalesce(i.total, 0) AS total,
			greatest(at, p.issued_at + interval '1 microsecond') AS issued_at, p.digest AS previous
		FROM sheet s
		-- by its key, however many apps there are
		CROSS JOIN LATERAL (SELECT p.name, p.rate_card FROM @extschema@.im_app p WHERE p.app_id = s.app_id OFFSET 0) a
		LEFT JOIN @extschema@.im_cards_in_force($1) c ON c.rate_card = a.rate_card
		CROSS JOIN LATERAL @extschema@.im_issued_so_far($1::date, s.app_id, s.currency) i
		LEFT JOIN LATERAL @extschema@.im_last_document(s.app_id) p ON true
		-- what was issued in another currency than the app's is taken back first
		ORDER BY s.app_id, s.currency = c.currency),
	document AS (
		INSERT INTO @extschema@.im_invoice (app_id, month, revision, kind, currency, total,
			issued_at, rate_card, card_from, app_name, batch, digest_version, digest)
		SELECT d.app_id, $1::date, d.revision, k.kind, d.currency, d.total, d.issued_at, d.rate_card, d.card_from,
			d.name, $4, 2,
			@extschema@.im_document_digest(2, d.app_id, $1::date, d.revision, k.kind, d.currency,
				d.total, d.issued_at, d.rate_card, d.card_from, d.name, d.previous, d.bytes)
		FROM draft d
		CROSS JOIN LATERAL (SELECT CASE WHEN d.revision = 0 THEN 'invoice' WHEN d.total < 0 THEN 'credit_note'
				ELSE 'debit_note' END AS kind) k
		ORDER BY d.app_id
		RETURNING im_invoice.app_id, im_invoice.revision, im_invoice.currency),
	written AS (
		INSERT INTO @extschema@.im_invoice_line (app_id, month, revision, line, item, option, period,
			due_on, quantity, included, billable, units, unit_price, amount, currency, explanation)
		SELECT d.app_id, $1::date, d.revision, (l.row).line, (l.row).item, (l.row).option, (l.row).period,
			(l.row).due_on, (l.row).quantity, (l.row).included, (l.row).billable, (l.row).units,
			(l.row).unit_price, (l.row).amount, (l.row).currency, (l.row).explanation
		FROM line l
		JOIN document d ON d.app_id = l.app_id AND d.currency = l.currency)
	SELECT ARRAY(SELECT d.app_id FROM document d), ARRAY(SELECT d.app_id FROM document d WHERE d.revision = 0),
		(SELECT count(*) > count(DISTINCT s.app_id) FROM sheet s)
	INTO issued, invoiced, more;
END
$$;
COMMENT ON FUNCTION @extschema@.im_issue(@extschema@.im_month, bigint[], boolean, uuid) IS
'Issues a document for each of the apps that has lines to bill, or with notes a document of what has changed since: the apps that got one, those that got an invoice, and whether some app needs another one. The caller holds the apps'' rows.';

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
		notes boolean, batch uuid, OUT issued bigint[], OUT invoiced bigint[], OUT failed bigint[],
		OUT problem text)
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	middle integer := cardinality($2) / 2;
	step record;
	message text;
	detail text;
BEGIN
	issued := '{}';
	invoiced := '{}';
	failed := '{}';
	BEGIN
		LOOP
			SELECT * INTO step FROM @extschema@.im_issue($1, $2, $3, $4);
			issued := issued || step.issued;
			invoiced := invoiced || step.invoiced;
			EXIT WHEN NOT step.more OR step.issued = '{}';
		END LOOP;
		RETURN;
	EXCEPTION
		WHEN check_violation OR no_data_found OR data_exception OR program_limit_exceeded THEN
			GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	END;
	issued := '{}';
	invoiced := '{}';
	IF middle = 0 THEN
		failed := $2;
		problem := format('%s. %s', message, detail);
		RETURN;
	END IF;
	FOR step IN
		SELECT h.*
		FROM (VALUES (1, $2[:middle]), (2, $2[middle + 1:])) p(half, apps),
			@extschema@.im_issue_what_can_be($1, p.apps, $3, $4) h
		ORDER BY p.half
	LOOP
		issued := issued || step.issued;
		invoiced := invoiced || step.invoiced;
		failed := failed || step.failed;
		problem := coalesce(problem, step.problem);
	END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.im_issue_what_can_be(@extschema@.im_month, bigint[], boolean, uuid) IS
'Issues the documents of all apps whose bill can be computed: the apps of each document and of each invoice, those whose bill cannot, and why the first.';

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

-- The rows of im_closing that say so may be lost; what was issued is issued.
CREATE FUNCTION @extschema@.im_documented(month date, apps bigint[]) RETURNS bigint[]
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found bigint[] := ARRAY(
		SELECT a
		FROM unnest($2) a
		WHERE EXISTS (SELECT FROM @extschema@.im_invoice i WHERE i.app_id = a AND i.month = $1 OFFSET 0)
		ORDER BY a);
BEGIN
	IF found <> '{}' THEN
		RAISE WARNING USING
			MESSAGE = format('%s had documents of %s, though im_closing did not call %s closed',
				CASE cardinality(found) WHEN 1 THEN format('app %s', found[1]) ELSE format('%s apps', cardinality(found)) END,
				to_char($1, 'YYYY-MM'), CASE cardinality(found) WHEN 1 THEN 'it' ELSE 'them' END),
			DETAIL = 'Rows of im_closing were lost. What these apps got is recorded as it is, and no second invoice is issued.',
			HINT = format('SELECT * FROM %s.im_verify_invoices(%L) tells what else is missing.', '@extschema@', to_char($1, 'YYYY-MM'));
	END IF;
	RETURN found;
END
$$;
COMMENT ON FUNCTION @extschema@.im_documented(date, bigint[]) IS
'Those of the apps, which im_closing does not call closed, that have documents of a month, with a warning.';

CREATE FUNCTION @extschema@.im_close_apps(month @extschema@.im_month, batch integer,
		INOUT run @extschema@.im_run)
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	todo int8multirange;
	claimed bigint[];
	step record;
BEGIN
	PERFORM @extschema@.im_need_batch($1);
	IF run.total IS NULL THEN
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
		SELECT * INTO step FROM @extschema@.im_close_claimed($1, claimed, todo, run);
		run := step.run;
		todo := todo - step.span - @extschema@.im_app_points(run.failed);
	END IF;
	run.finished := NOT @extschema@.im_is_app_among(todo);
	IF run.finished THEN
		run := @extschema@.im_close_rest($1, run);
		run.root := @extschema@.im_month_root($1);
	END IF;
	run.done := @extschema@.im_apps_done($1::date);
END
$$;
COMMENT ON FUNCTION @extschema@.im_close_apps(@extschema@.im_month, integer, @extschema@.im_run) IS
'Closes a batch of apps of a month in the transaction of its caller, who must own the tables; called by im_close_some(), without which the ledger takes no row.';

CREATE FUNCTION @extschema@.im_close_some(month @extschema@.im_month, batch integer,
		INOUT run @extschema@.im_run)
	AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION @extschema@.im_close_some(@extschema@.im_month, integer, @extschema@.im_run) IS
'im_close_apps() with the ledger open to what it issues; what im_close_month() repeats.';

CREATE FUNCTION @extschema@.im_close_claimed(month @extschema@.im_month, claimed bigint[],
		todo int8multirange, INOUT run @extschema@.im_run, OUT span int8multirange)
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	batch uuid := gen_random_uuid();
	had bigint[] := @extschema@.im_documented($1::date, $2);
	rest bigint[] := ARRAY(SELECT c FROM unnest($2) c WHERE c <> ALL (had));
	step record;
BEGIN
	PERFORM @extschema@.im_need_over($1, $2);
	SELECT * INTO step FROM @extschema@.im_issue_what_can_be($1, rest, false, batch);
	run.issued := run.issued + cardinality(step.issued);
	run.failed := run.failed || step.failed;
	run.problem := coalesce(run.problem, step.problem);
	PERFORM @extschema@.im_need_few_failures($1, run.failed, run.problem);
	span := '{}';
	IF cardinality(step.failed) < cardinality($2) THEN
		span := @extschema@.im_span_of_batch($3, $2) - @extschema@.im_app_points(step.failed);
		run := @extschema@.im_note_closing($1::date, batch, step.issued, had, span,
			span - @extschema@.im_app_points(had || step.invoiced),
			(cardinality($2) - cardinality(step.failed))::bigint, run);
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_close_claimed(@extschema@.im_month, bigint[], int8multirange, @extschema@.im_run) IS
'Issues the invoices of apps that are held and of those to do, and records which app_ids that closes.';

-- One row that says all, which whoever asks finds first.  It comes when no app
-- is left, those that failed included: which they are is the caller's word.
CREATE FUNCTION @extschema@.im_close_rest(month @extschema@.im_month, INOUT run @extschema@.im_run)
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	rest int8multirange := '{(,)}' - @extschema@.im_closed_apps($1::date);
BEGIN
	IF isempty(rest) THEN
		RETURN;
	END IF;
	PERFORM @extschema@.im_need_over($1, NULL::bigint[]);
	IF @extschema@.im_is_app_among(rest) THEN
		RETURN;
	END IF;
	run := @extschema@.im_note_closing($1::date, gen_random_uuid(), '{}'::bigint[], '{}'::bigint[],
		'{(,)}'::int8multirange, rest, 0::bigint, run);
END
$$;
COMMENT ON FUNCTION @extschema@.im_close_rest(@extschema@.im_month, @extschema@.im_run) IS
'Closes a month for all app_ids of no app, once no app is open.';

-- Apps within the span that others hold, or that have failed, stay open.
CREATE FUNCTION @extschema@.im_span_of_batch(todo int8multirange, claimed bigint[]) RETURNS int8multirange
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	span int8multirange := $1 * @extschema@.im_app_span($2[1], $2[cardinality($2)]);
	passed_over bigint[];
BEGIN
	SELECT array_agg(p.app_id) INTO passed_over
	FROM (SELECT unnest(@extschema@.im_apps_among(span)) AS app_id
		  EXCEPT
		  SELECT unnest($2)) p;
	RETURN span - @extschema@.im_app_points(passed_over);
END
$$;
COMMENT ON FUNCTION @extschema@.im_span_of_batch(int8multirange, bigint[]) IS
'The app_ids to do that a batch is done with: from its first app through its last, without the apps between them that it could not claim.';

CREATE FUNCTION @extschema@.im_apps_done(month date) RETURNS bigint
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(sum(c.done), 0)::bigint FROM @extschema@.im_closing c WHERE c.month = $1
$$;
COMMENT ON FUNCTION @extschema@.im_apps_done(date) IS
'Apps that are closed in a month.';

-- When a call began and how many apps it found is asked of the rows that it has
-- written, not of the caller; its first batch begins it.
CREATE FUNCTION @extschema@.im_noted_run(month date, INOUT run @extschema@.im_run)
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	SELECT c.total, c.begun_at INTO run.total, run.begun_at
	FROM @extschema@.im_closing c
	WHERE c.month = $1 AND c.begun_at = run.begun_at
	LIMIT 1;
	IF NOT FOUND THEN
		run.total := (SELECT count(*) FROM @extschema@.im_app);
		run.begun_at := now();
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_noted_run(date, @extschema@.im_run) IS
'The state of a run with total and begun_at as they are recorded.';

-- The documents that an entry speaks for: those of its batch, and in the first
-- entry of a month all that the month held before, documents and rows.
CREATE FUNCTION @extschema@.im_documents_digest(documents bytea, closings bytea) RETURNS bytea
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN pg_catalog.sha256(@extschema@.im_canonical(ROW('imbilling batch 1'::pg_catalog.text, documents, closings)));
COMMENT ON FUNCTION @extschema@.im_documents_digest(bytea, bytea) IS
'The digest of what an entry of im_closing speaks for: the documents'' bytes and those of the month''s rows of before version 0.3.0; each null if there are none.';

CREATE FUNCTION @extschema@.im_old_closings(month date) RETURNS bytea
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT string_agg(@extschema@.im_canonical(ROW(c.apps::text, c.done, c.invoices, c.total, c.begun_at, c.closed_at)), ''
		ORDER BY c.closed_at, c.begun_at, c.apps)
	FROM @extschema@.im_closing c
	WHERE c.month = $1 AND c.entry IS NULL
$$;
COMMENT ON FUNCTION @extschema@.im_old_closings(date) IS
'The bytes of the rows of a month from before version 0.3.0, which are no entries of the chain.';

CREATE FUNCTION @extschema@.im_digest_of_batch(month date, batch uuid, apps bigint[]) RETURNS bytea
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	first boolean := NOT EXISTS (SELECT FROM @extschema@.im_closing c WHERE c.month = $1 AND c.entry IS NOT NULL);
	bytes bytea;
BEGIN
	SELECT string_agg(@extschema@.im_canonical(ROW(d.app_id, d.revision, d.digest)), '' ORDER BY d.app_id, d.revision)
	INTO bytes
	FROM (SELECT i.app_id, i.revision, i.digest
		  FROM @extschema@.im_invoice i
		  WHERE first AND i.month = $1
		  UNION ALL
		  SELECT i.app_id, i.revision, i.digest
		  FROM (SELECT DISTINCT a FROM unnest($3) a) u(app_id)
		  JOIN @extschema@.im_invoice i ON i.app_id = u.app_id AND i.month = $1 AND i.batch = $2
		  WHERE NOT first) d;
	RETURN @extschema@.im_documents_digest(bytes, CASE WHEN first THEN @extschema@.im_old_closings($1) END);
END
$$;
COMMENT ON FUNCTION @extschema@.im_digest_of_batch(date, uuid, bigint[]) IS
'im_documents_digest() of the entry to come of a batch, which issued documents to the apps.';

-- Entries are numbered in the order in which they are committed: whoever adds
-- one holds the table until then, and has nothing left to do but that.
CREATE FUNCTION @extschema@.im_note_closing(month date, batch uuid, issued bigint[], had bigint[],
		apps int8multirange, without_lines int8multirange, done bigint, INOUT run @extschema@.im_run)
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	last record;
	invoices bigint;
	notes bigint;
	documents bytea;
	at timestamptz;
BEGIN
	LOCK TABLE @extschema@.im_closing IN SHARE ROW EXCLUSIVE MODE;
	run := @extschema@.im_noted_run($1, run);
	SELECT c.entry, c.digest, c.closed_at INTO last
	FROM @extschema@.im_closing c
	WHERE c.entry IS NOT NULL
	ORDER BY c.entry DESC
	LIMIT 1;
	at := greatest(clock_timestamp(), last.closed_at + interval '1 microsecond');
	SELECT count(*) FILTER (WHERE i.revision = 0), count(*) FILTER (WHERE i.revision > 0) INTO invoices, notes
	FROM (SELECT DISTINCT a FROM unnest($3 || $4) a) u(app_id)
	JOIN @extschema@.im_invoice i ON i.app_id = u.app_id AND i.month = $1
	WHERE i.batch = $2 OR u.app_id = ANY ($4);
	documents := @extschema@.im_digest_of_batch($1, $2, $3);
	INSERT INTO @extschema@.im_closing (month, apps, done, invoices, total, begun_at, closed_at,
		without_lines, notes, batch, documents, entry, digest)
	SELECT $1, $5, $7, invoices, run.total, run.begun_at, at, $6, notes, $2, documents, e.entry,
		@extschema@.im_closing_digest(e.entry, $1, $5, $6, $7, invoices, notes, run.total,
			run.begun_at, at, $2, documents, last.digest)
	FROM (SELECT coalesce(last.entry, 0) + 1) e(entry);
END
$$;
COMMENT ON FUNCTION @extschema@.im_note_closing(date, uuid, bigint[], bigint[], int8multirange, int8multirange, bigint, @extschema@.im_run) IS
'Records what a batch has issued, and found issued, and which app_ids that closes, as the next entry of im_closing.';

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
