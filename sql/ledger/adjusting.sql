-- What would change in a closed month, and the notes that say so.
--
-- Lines are compared by what identifies them: item, option, period, day due,
-- unit price and currency.  Of lines alike in all of these (two packs bought
-- on one day) the sums are compared.  All figures of a note's line are
-- differences, so the documents of an app add up to its bill line by line,
-- and nothing is left to compare once they are issued.  A price that changed
-- is another line: the old one is taken back, the new one billed.

CREATE FUNCTION @extschema@.im_rebill(app_id bigint, month @extschema@.im_month)
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 10
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF im_internal.im_guarded('im_rebill_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_rebill_guarded($1, $2);
		RETURN;
	END IF;
	RETURN QUERY SELECT * FROM @extschema@.im_rebill($1, $2, NULL::@extschema@.im_rate_card);
END
$$;
COMMENT ON FUNCTION @extschema@.im_rebill(bigint, @extschema@.im_month) IS
'The bill of a usage month of one app computed anew from orders and usage, whether the month is closed or not. Errors: P0002 for an unknown app or a month that no card version covers; 22023 for a raw row that cannot be metered, named; 23514 for an order that the rules forbid.';

CREATE FUNCTION im_internal.im_line_changes(month @extschema@.im_month, apps bigint[], reasons boolean)
	RETURNS TABLE (app_id bigint, currency text, item text, option text, period daterange,
		due_on date, unit_price numeric, quantity numeric, included numeric, billable numeric,
		units numeric, amount numeric, issued numeric, rebilled numeric, old_line integer,
		new_line integer, explanation text)
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
	SELECT c.app_id, c.currency, c.item, c.option, c.period, c.due_on, c.unit_price,
		sum(c.quantity), sum(c.included), sum(c.billable), sum(c.units), sum(c.amount),
		-sum(c.amount) FILTER (WHERE c.is_issued), sum(c.amount) FILTER (WHERE NOT c.is_issued),
		min(c.line) FILTER (WHERE c.is_issued), min(c.line) FILTER (WHERE NOT c.is_issued),
		max(c.explanation) FILTER (WHERE NOT c.is_issued)
	FROM (
		SELECT l.app_id, l.currency, l.item, l.option, l.period, l.due_on, l.unit_price, -l.quantity AS quantity,
			-l.included AS included, -l.billable AS billable, -l.units AS units, -l.amount AS amount,
			true AS is_issued, l.line, NULL AS explanation
		FROM (SELECT i.* FROM @extschema@.im_invoice_line i WHERE $2 IS NULL AND i.month = $1::date
			  UNION ALL
			  SELECT i.*
			  FROM unnest($2) a(app_id)
			  JOIN @extschema@.im_invoice_line i ON i.app_id = a.app_id AND i.month = $1::date) l
		UNION ALL
		SELECT r.app_id, r.currency, r.item, r.option, r.period, r.due_on, r.unit_price, r.quantity,
			r.included, r.billable, r.units, r.amount, false, r.line, r.explanation
		FROM (SELECT b.* FROM im_internal.im_rebills($1) b WHERE $2 IS NULL
			  UNION ALL
			  SELECT b.* FROM im_internal.im_rebill_apps($1, $2, $3) b) r) c
	GROUP BY c.app_id, c.currency, c.item, c.option, c.period, c.due_on, c.unit_price
	HAVING sum(c.amount) <> 0 OR sum(c.quantity) <> 0 OR sum(c.units) <> 0
		OR sum(c.billable) <> 0 OR sum(c.included) <> 0
$$;
COMMENT ON FUNCTION im_internal.im_line_changes(@extschema@.im_month, bigint[], boolean) IS
'The differences between the lines that were issued for a month and those of the bill computed anew, for the given apps or, if null, for all in one pass; with reasons (im_rate_lines()) only of the former.';

CREATE FUNCTION im_internal.im_note_lines(month @extschema@.im_month, apps bigint[])
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	invoiced bigint[];
	missing bigint[];
BEGIN
	SELECT coalesce(array_agg(k.app_id) FILTER (WHERE k.invoiced), '{}'),
		coalesce(array_agg(k.app_id) FILTER (WHERE NOT k.invoiced), '{}')
	INTO invoiced, missing
	FROM (SELECT a.app_id,
				 EXISTS (SELECT FROM @extschema@.im_invoice i
						 WHERE i.app_id = a.app_id AND i.month = $1::date
						 OFFSET 0) AS invoiced	-- by its key, not by hashing all invoices
		  FROM unnest($2) a(app_id)) k;
	RETURN QUERY SELECT * FROM im_internal.im_rebill_apps($1, missing, true);
	RETURN QUERY
	SELECT c.app_id, $1::date,
		row_number() OVER (PARTITION BY c.app_id, c.currency
			ORDER BY coalesce(c.new_line, c.old_line), c.old_line, c.item COLLATE "C", c.option COLLATE "C",
				c.period, c.due_on, c.unit_price)::integer,
		c.item, c.option, c.period, c.due_on, c.quantity, c.included, c.billable, c.units,
		c.unit_price, c.amount, c.currency,
		jsonb_build_object('reason', CASE WHEN c.rebilled IS NULL THEN 'note_gone' WHEN c.issued IS NULL THEN 'note_new' ELSE 'note_changed' END,
			'figures', jsonb_strip_nulls(jsonb_build_object('currency', c.currency, 'difference', c.amount, 'issued', c.issued,
				'rebilled', c.rebilled, 'because', c.explanation::jsonb)))::text
	FROM im_internal.im_line_changes($1, invoiced, true) c;
END
$$;
COMMENT ON FUNCTION im_internal.im_note_lines(@extschema@.im_month, bigint[]) IS
'The lines of the next document of each app in a closed month, with reasons: the differences to what was issued, or the whole bill where nothing was.';

-- With no apps given all are rated in one pass, unless the close stopped
-- halfway: then an app that is still open, and may be so because its bill
-- cannot be right, is left alone.
CREATE FUNCTION im_internal.im_drift_of(apps bigint[], month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, issued numeric, rebilled numeric, difference numeric)
	LANGUAGE plpgsql STABLE ROWS 100
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	closed int8multirange := im_internal.im_closed_apps($2::date);
	those bigint[] := $1;
BEGIN
	IF those IS NOT NULL THEN
		those := ARRAY(SELECT a FROM unnest(those) a WHERE a <@ closed);
	ELSIF NOT closed @> '(,)'::int8range THEN
		those := coalesce(im_internal.im_apps_among(closed), '{}');
	END IF;
	RETURN QUERY
	SELECT d.app_id, d.issued, d.rebilled, d.rebilled - d.issued
	FROM (SELECT c.app_id, coalesce(i.total, 0) AS issued,
				 round(coalesce(i.amount, 0) + c.amount,
					CASE WHEN f.currency = c.currency THEN f.scale ELSE 0 END) AS rebilled,
				 c.currency
		  FROM (SELECT k.app_id, k.currency, sum(k.amount) AS amount
				FROM im_internal.im_line_changes($2, those, false) k
				GROUP BY k.app_id, k.currency) c
		  JOIN @extschema@.im_app a ON a.app_id = c.app_id
		  LEFT JOIN im_internal.im_cards_in_force($2) f ON f.rate_card = a.rate_card
		  CROSS JOIN LATERAL im_internal.im_issued_so_far($2::date, c.app_id, c.currency) i) d
	ORDER BY d.app_id, d.currency COLLATE "C";
END
$$;
COMMENT ON FUNCTION im_internal.im_drift_of(bigint[], @extschema@.im_month) IS
'im_drift() of the given apps; null for all of them.';

CREATE FUNCTION @extschema@.im_drift(month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, issued numeric, rebilled numeric, difference numeric)
	LANGUAGE plpgsql STABLE STRICT ROWS 100
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM im_internal.im_need_tables();
	IF im_internal.im_guarded('im_drift_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_drift_guarded($1);
		RETURN;
	END IF;
	RETURN QUERY SELECT * FROM im_internal.im_drift_of(NULL::bigint[], $1);
END
$$;
COMMENT ON FUNCTION @extschema@.im_drift(@extschema@.im_month) IS
'The closed apps whose bill of the month, computed anew, differs in any line from what was issued: totals issued and rebilled and their difference, in the currency of the app; 0 where only lines differ. An app whose currency changed has a row for each. Empty for a month that is not closed. Errors as im_monthly_bills().';

CREATE FUNCTION im_internal.im_adjust_begin(month @extschema@.im_month, closed int8multirange,
		INOUT run @extschema@.im_run)
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	lost bigint[];
BEGIN
	run.total := coalesce(cardinality(im_internal.im_apps_among($2)), 0);
	IF EXISTS (SELECT FROM im_internal.im_count_problems($1::date)) THEN
		lost := ARRAY(SELECT l.app_id FROM im_internal.im_lost_invoices($1::date) l ORDER BY l.app_id);
		run.failed := run.failed || lost;
		run.visited := run.visited + im_internal.im_app_points(lost);
		run.problem := 'The invoice of app ' || lost[1] || ' was issued and is gone: restore it from a backup.';
	END IF;
	PERFORM im_internal.im_need_few_failures($1, run.failed, run.problem);
END
$$;
COMMENT ON FUNCTION im_internal.im_adjust_begin(@extschema@.im_month, int8multirange, @extschema@.im_run) IS
'The state of an adjustment that begins: how many apps there are, and those left out because their invoice is lost.';

-- Of a run that did not begin so, as its caller says, it is asked here.
CREATE FUNCTION im_internal.im_need_first_invoices(month @extschema@.im_month, apps bigint[]) RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	lost bigint := (
		SELECT min(a)
		FROM unnest($2) a
		WHERE EXISTS (SELECT FROM @extschema@.im_closing c
					  WHERE c.month = $1::date AND c.entry IS NOT NULL AND c.apps @> a
						AND NOT c.without_lines @> a AND c.apps <> '{(,)}'));
BEGIN
	IF lost IS NOT NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'check_violation',
			MESSAGE = format('app %s was invoiced for %s before', lost, $1),
			DETAIL = 'im_closing says so, but its invoice is gone. An app gets one invoice of a month.',
			HINT = 'Restore the documents of the app from a backup.';
	END IF;
END
$$;
COMMENT ON FUNCTION im_internal.im_need_first_invoices(@extschema@.im_month, bigint[]) IS
'Error 23514 where im_closing knows of an earlier invoice of one of the apps, which were just invoiced.';

CREATE FUNCTION im_internal.im_adjust_claimed(month @extschema@.im_month, claimed bigint[],
		INOUT run @extschema@.im_run)
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	batch uuid := gen_random_uuid();
	step record;
	done record;
BEGIN
	SELECT * INTO step FROM im_internal.im_draft_what_can_be($1, $2, true);
	run.failed := run.failed || step.failed;
	run.problem := coalesce(run.problem, step.problem);
	PERFORM im_internal.im_need_few_failures($1, run.failed, run.problem);
	IF step.drafts <> '{}' THEN
		SELECT * INTO done FROM im_internal.im_issue($1::date, step.drafts, batch);
		run.issued := run.issued + cardinality(done.issued);
		PERFORM im_internal.im_need_first_invoices($1, done.invoiced);
		run.begun_at := (im_internal.im_note_closing($1::date, batch, done.issued, '{}'::bigint[],
			im_internal.im_app_points(done.invoiced), '{}'::int8multirange, 0::bigint, run)).begun_at;
	END IF;
	run.done := run.done + cardinality($2);
END
$$;
COMMENT ON FUNCTION im_internal.im_adjust_claimed(@extschema@.im_month, bigint[], @extschema@.im_run) IS
'Issues the notes of apps of a closed month that are held.';

CREATE FUNCTION im_internal.im_adjust_apps(month @extschema@.im_month, batch integer,
		INOUT run @extschema@.im_run)
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	closed int8multirange;
	todo int8multirange;
	claimed bigint[];
BEGIN
	PERFORM im_internal.im_need_batch($1);
	closed := im_internal.im_closed_apps($1::date);
	IF isempty(closed) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = format('%s is not closed', $1),
			DETAIL = 'A note corrects what was issued; until then the bill itself changes.',
			HINT = format('CALL %s.im_close_month(%L).', '@extschema@', $1::text);
	END IF;
	IF run.total IS NULL THEN
		run := im_internal.im_adjust_begin($1, closed, run);
	END IF;
	todo := closed - run.visited;
	claimed := im_internal.im_claim_apps(todo, $2);
	IF claimed IS NOT NULL THEN
		run := im_internal.im_adjust_claimed($1, claimed, run);
		run.visited := run.visited + im_internal.im_span_of_batch(todo, claimed);
	END IF;
	run.finished := NOT im_internal.im_is_app_among(closed - run.visited);
	IF run.finished THEN
		-- a month of before 0.3.0 enters the chain
		IF NOT EXISTS (SELECT FROM @extschema@.im_closing c WHERE c.month = $1::date AND c.entry IS NOT NULL) THEN
			PERFORM im_internal.im_note_closing($1::date, gen_random_uuid(), '{}'::bigint[], '{}'::bigint[],
				'{}'::int8multirange, '{}'::int8multirange, 0::bigint, run);
		END IF;
		run.root := @extschema@.im_month_root($1);
	END IF;
END
$$;
COMMENT ON FUNCTION im_internal.im_adjust_apps(@extschema@.im_month, integer, @extschema@.im_run) IS
'Issues the notes of a batch of apps of a closed month in the transaction of its caller, who must own the tables; called by im_adjust_some(), without which the ledger takes no row.';

CREATE FUNCTION im_internal.im_adjust_some(month @extschema@.im_month, batch integer,
		INOUT run @extschema@.im_run)
	AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION im_internal.im_adjust_some(@extschema@.im_month, integer, @extschema@.im_run) IS
'im_adjust_apps() with the ledger open to what it issues; what im_adjust_month() repeats.';

CREATE PROCEDURE @extschema@.im_adjust_month(month @extschema@.im_month, batch integer DEFAULT 1000)
	LANGUAGE plpgsql
AS $$
DECLARE
	run @extschema@.im_run;
BEGIN
	run := im_internal.im_start_run('im_adjust_month'::text, $1, $2);
	LOOP
		COMMIT;
		SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
		run := @extschema@.im_adjust_batch($1, $2, run);
		COMMIT;
		PERFORM im_internal.im_tell_run($1, 'compared'::text, run);
		EXIT WHEN run.finished;
	END LOOP;
	PERFORM im_internal.im_end_run($1, 'adjusted'::text, run);
END
$$;
COMMENT ON PROCEDURE @extschema@.im_adjust_month(@extschema@.im_month, integer) IS
'Issues for each closed app whose bill differs from what was issued a note of the differences: a credit_note if its total is negative, else a debit_note; for an app without an invoice the invoice. batch apps a transaction, in the order of app_id. Errors: 55000 for a month that is not closed, 25001 inside a transaction block, 23514 at its end for apps whose bill cannot be right.';
