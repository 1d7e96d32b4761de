-- Closing a month: invoices in batches, each in a transaction of its own.
--
-- A batch first locks the rows of its apps in im_app, passing over those that
-- somebody else holds, and only then takes the snapshot that it bills under.
-- So it never waits while it holds a lock and cannot be part of a deadlock;
-- closers of one month share its apps among them; and whoever holds an app's
-- row sees the last document of that app, which the next one's digest covers.
-- When all that is left is held by others, it waits for one of those apps
-- before it has locked any.  Once all is rated it waits for the lock of the
-- ledger, whose holder has nothing left but to number, write and commit.
--
-- An app is closed by a batch that has billed it, and by no other: what a batch
-- covers besides are ids of no app.  So im_closing tells of each app whether it
-- got an invoice or had no lines, and im_verify_invoices() holds it to that.
--
-- The state that goes from batch to batch is the caller's word.  It says what
-- to leave out, never what is done; what is recorded is counted here.
--
-- An order that is being placed holds the app's row while it is checked (see
-- accounts/orders.sql): what commits before the snapshot is in the invoice, what
-- commits later is drift.

CREATE FUNCTION im_internal.im_close_apps(month @extschema@.im_month, batch integer,
		INOUT run @extschema@.im_run)
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	todo int8multirange;
	claimed bigint[];
	step record;
BEGIN
	PERFORM im_internal.im_need_batch($1);
	IF run.total IS NULL THEN
		PERFORM im_internal.im_need_over($1, NULL::bigint[]);
		run.total := (SELECT count(*) FROM @extschema@.im_app);
		run.before := im_internal.im_apps_done($1::date);
	END IF;
	todo := '{(,)}' - im_internal.im_closed_apps($1::date) - im_internal.im_app_points(run.failed);
	claimed := im_internal.im_claim_apps(todo, $2);
	-- what others closed before we held the apps is seen only now
	todo := '{(,)}' - im_internal.im_closed_apps($1::date) - im_internal.im_app_points(run.failed);
	claimed := (SELECT array_agg(c ORDER BY c) FROM unnest(claimed) c WHERE c <@ todo);
	IF claimed IS NOT NULL THEN
		SELECT * INTO step FROM im_internal.im_close_claimed($1, claimed, todo, run);
		run := step.run;
		todo := todo - step.span - im_internal.im_app_points(run.failed);
	END IF;
	run.finished := NOT im_internal.im_is_app_among(todo);
	IF run.finished THEN
		run := im_internal.im_close_rest($1, run);
		run.root := @extschema@.im_month_root($1);
	END IF;
	run.done := im_internal.im_apps_done($1::date);
END
$$;
COMMENT ON FUNCTION im_internal.im_close_apps(@extschema@.im_month, integer, @extschema@.im_run) IS
'Closes a batch of apps of a month in the transaction of its caller, who must own the tables; called by im_close_some(), without which the ledger takes no row.';

CREATE FUNCTION im_internal.im_close_some(month @extschema@.im_month, batch integer,
		INOUT run @extschema@.im_run)
	AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION im_internal.im_close_some(@extschema@.im_month, integer, @extschema@.im_run) IS
'im_close_apps() with the ledger open to what it issues; what im_close_month() repeats.';

CREATE FUNCTION im_internal.im_close_claimed(month @extschema@.im_month, claimed bigint[],
		todo int8multirange, INOUT run @extschema@.im_run, OUT span int8multirange)
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	batch uuid := gen_random_uuid();
	had bigint[] := im_internal.im_documented($1::date, $2);
	rest bigint[] := ARRAY(SELECT c FROM unnest($2) c WHERE c <> ALL (had));
	step record;
	done record;
BEGIN
	PERFORM im_internal.im_need_over($1, $2);
	SELECT * INTO step FROM im_internal.im_draft_what_can_be($1, rest, false);
	run.failed := run.failed || step.failed;
	run.problem := coalesce(run.problem, step.problem);
	PERFORM im_internal.im_need_few_failures($1, run.failed, run.problem);
	span := '{}';
	IF cardinality(step.failed) < cardinality($2) THEN
		span := im_internal.im_span_of_batch($3, $2) - im_internal.im_app_points(step.failed);
		SELECT * INTO done FROM im_internal.im_issue($1::date, step.drafts, batch);
		run.issued := run.issued + cardinality(done.issued);
		run := im_internal.im_note_closing($1::date, batch, done.issued, had, span,
			span - im_internal.im_app_points(had || done.invoiced),
			(cardinality($2) - cardinality(step.failed))::bigint, run);
	END IF;
END
$$;
COMMENT ON FUNCTION im_internal.im_close_claimed(@extschema@.im_month, bigint[], int8multirange, @extschema@.im_run) IS
'Issues the invoices of apps that are held and of those to do, and records which app_ids that closes.';

-- One row that says all, which whoever asks finds first.  It comes when no app
-- is left, those that failed included: which they are is the caller's word.
CREATE FUNCTION im_internal.im_close_rest(month @extschema@.im_month, INOUT run @extschema@.im_run)
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	rest int8multirange := '{(,)}' - im_internal.im_closed_apps($1::date);
BEGIN
	IF isempty(rest) THEN
		RETURN;
	END IF;
	PERFORM im_internal.im_need_over($1, NULL::bigint[]);
	IF im_internal.im_is_app_among(rest) THEN
		RETURN;
	END IF;
	run := im_internal.im_note_closing($1::date, gen_random_uuid(), '{}'::bigint[], '{}'::bigint[],
		'{(,)}'::int8multirange, rest, 0::bigint, run);
END
$$;
COMMENT ON FUNCTION im_internal.im_close_rest(@extschema@.im_month, @extschema@.im_run) IS
'Closes a month for all app_ids of no app, once no app is open.';

-- Apps within the span that others hold, or that have failed, stay open.
CREATE FUNCTION im_internal.im_span_of_batch(todo int8multirange, claimed bigint[]) RETURNS int8multirange
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	span int8multirange := $1 * im_internal.im_app_span($2[1], $2[cardinality($2)]);
	passed_over bigint[];
BEGIN
	SELECT array_agg(p.app_id) INTO passed_over
	FROM (SELECT unnest(im_internal.im_apps_among(span)) AS app_id
		  EXCEPT
		  SELECT unnest($2)) p;
	RETURN span - im_internal.im_app_points(passed_over);
END
$$;
COMMENT ON FUNCTION im_internal.im_span_of_batch(int8multirange, bigint[]) IS
'The app_ids to do that a batch is done with: from its first app through its last, without the apps between them that it could not claim.';

CREATE FUNCTION im_internal.im_apps_done(month date) RETURNS bigint
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(sum(c.done), 0)::bigint FROM @extschema@.im_closing c WHERE c.month = $1
$$;
COMMENT ON FUNCTION im_internal.im_apps_done(date) IS
'Apps that are closed in a month.';

-- When a call began and how many apps it found is asked of the rows that it has
-- written, not of the caller; its first batch begins it.
CREATE FUNCTION im_internal.im_noted_run(month date, INOUT run @extschema@.im_run)
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
COMMENT ON FUNCTION im_internal.im_noted_run(date, @extschema@.im_run) IS
'The state of a run with total and begun_at as they are recorded.';

-- The documents that an entry speaks for: those of its batch, and in the first
-- entry of a month all that the month held before, documents and rows.
CREATE FUNCTION im_internal.im_documents_digest(documents bytea, closings bytea) RETURNS bytea
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN pg_catalog.sha256(im_internal.im_canonical(ROW('imbilling batch 1'::pg_catalog.text, documents, closings)));
COMMENT ON FUNCTION im_internal.im_documents_digest(bytea, bytea) IS
'The digest of what an entry of im_closing speaks for: the documents'' bytes and those of the month''s rows of before version 0.3.0; each null if there are none.';

CREATE FUNCTION im_internal.im_old_closings(month date) RETURNS bytea
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT string_agg(im_internal.im_canonical(ROW(c.apps::text, c.done, c.invoices, c.total, c.begun_at, c.closed_at)), ''
		ORDER BY c.closed_at, c.begun_at, c.apps)
	FROM @extschema@.im_closing c
	WHERE c.month = $1 AND c.entry IS NULL
$$;
COMMENT ON FUNCTION im_internal.im_old_closings(date) IS
'The bytes of the rows of a month from before version 0.3.0, which are no entries of the chain.';

CREATE FUNCTION im_internal.im_digest_of_batch(month date, batch uuid, apps bigint[]) RETURNS bytea
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	first boolean := NOT EXISTS (SELECT FROM @extschema@.im_closing c WHERE c.month = $1 AND c.entry IS NOT NULL);
	bytes bytea;
BEGIN
	SELECT string_agg(im_internal.im_canonical(ROW(d.app_id, d.revision, d.digest)), '' ORDER BY d.app_id, d.revision)
	INTO bytes
	FROM (SELECT i.app_id, i.revision, i.digest
		  FROM @extschema@.im_invoice i
		  WHERE first AND i.month = $1
		  UNION ALL
		  SELECT i.app_id, i.revision, i.digest
		  FROM (SELECT DISTINCT a FROM unnest($3) a) u(app_id)
		  JOIN @extschema@.im_invoice i ON i.app_id = u.app_id AND i.month = $1 AND i.batch = $2
		  WHERE NOT first) d;
	RETURN im_internal.im_documents_digest(bytes, CASE WHEN first THEN im_internal.im_old_closings($1) END);
END
$$;
COMMENT ON FUNCTION im_internal.im_digest_of_batch(date, uuid, bigint[]) IS
'im_documents_digest() of the entry to come of a batch, which issued documents to the apps.';

-- Entries are numbered in the order in which they are committed.
CREATE FUNCTION im_internal.im_note_closing(month date, batch uuid, issued bigint[], had bigint[],
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
	PERFORM im_internal.im_lock_ledger();
	run := im_internal.im_noted_run($1, run);
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
	documents := im_internal.im_digest_of_batch($1, $2, $3);
	INSERT INTO @extschema@.im_closing (month, apps, done, invoices, total, begun_at, closed_at,
		without_lines, notes, batch, documents, entry, digest)
	SELECT $1, $5, $7, invoices, run.total, run.begun_at, at, $6, notes, $2, documents, e.entry,
		im_internal.im_closing_digest(e.entry, $1, $5, $6, $7, invoices, notes, run.total,
			run.begun_at, at, $2, documents, last.digest)
	FROM (SELECT coalesce(last.entry, 0) + 1) e(entry);
END
$$;
COMMENT ON FUNCTION im_internal.im_note_closing(date, uuid, bigint[], bigint[], int8multirange, int8multirange, bigint, @extschema@.im_run) IS
'Records what a batch has issued, and found issued, and which app_ids that closes, as the next entry of im_closing.';

-- No SET clause and no SECURITY DEFINER, with which a procedure cannot commit:
-- so names are qualified and there is not one operator.
CREATE PROCEDURE @extschema@.im_close_month(month @extschema@.im_month, batch integer DEFAULT 1000)
	LANGUAGE plpgsql
AS $$
DECLARE
	run @extschema@.im_run;
BEGIN
	run := im_internal.im_start_run('im_close_month'::text, $1, $2);
	LOOP
		COMMIT;
		SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
		run := @extschema@.im_close_batch($1, $2, run);
		COMMIT;
		PERFORM im_internal.im_tell_run($1, 'closed'::text, run);
		EXIT WHEN run.finished;
	END LOOP;
	PERFORM im_internal.im_end_run($1, 'closed'::text, run);
END
$$;
COMMENT ON PROCEDURE @extschema@.im_close_month(@extschema@.im_month, integer) IS
'Closes a month: issues the invoice of every app with lines, batch apps a transaction, in the order of app_id; goes on where an earlier call stopped. Errors: 55000 for a month that is not over, 25001 inside a transaction block, 23514 at its end for apps whose bill cannot be right, which stay open.';
