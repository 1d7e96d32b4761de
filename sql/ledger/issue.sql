-- Issuing: bills and differences become documents.

-- One document an app at most: where the currency of the app changed there
-- are two to issue, and the second one's digest covers the first's.
CREATE FUNCTION im_internal.im_issue(month @extschema@.im_month, apps bigint[], notes boolean, batch uuid,
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
		FROM im_internal.im_rebill_apps($1, $2) l
		WHERE NOT $3
		UNION ALL
		SELECT l, l.app_id, l.currency, l.line, l.amount
		FROM im_internal.im_note_lines($1, $2) l
		WHERE $3),
	sheet AS (
		SELECT l.app_id, l.currency, sum(l.amount) AS amount,
			string_agg(im_internal.im_line_bytes(l.row), '' ORDER BY l.line) AS bytes
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
		LEFT JOIN im_internal.im_cards_in_force($1) c ON c.rate_card = a.rate_card
		CROSS JOIN LATERAL im_internal.im_issued_so_far($1::date, s.app_id, s.currency) i
		LEFT JOIN LATERAL im_internal.im_last_document(s.app_id) p ON true
		-- what was issued in another currency than the app's is taken back first
		ORDER BY s.app_id, s.currency = c.currency),
	document AS (
		INSERT INTO @extschema@.im_invoice (app_id, month, revision, kind, currency, total,
			issued_at, rate_card, card_from, app_name, batch, digest_version, digest)
		SELECT d.app_id, $1::date, d.revision, k.kind, d.currency, d.total, d.issued_at, d.rate_card, d.card_from,
			d.name, $4, 2,
			im_internal.im_document_digest(2, d.app_id, $1::date, d.revision, k.kind, d.currency,
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
COMMENT ON FUNCTION im_internal.im_issue(@extschema@.im_month, bigint[], boolean, uuid) IS
'Issues a document for each of the apps that has lines to bill, or with notes a document of what has changed since: the apps that got one, those that got an invoice, and whether some app needs another one. The caller holds the apps'' rows.';

-- These two have no settings of their own, so that the planner inlines them.
CREATE FUNCTION im_internal.im_issued_so_far(month date, app_id bigint, currency text)
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
COMMENT ON FUNCTION im_internal.im_issued_so_far(date, bigint, text) IS
'The last revision of an app and month, and what was issued in a currency: totals of documents and exact amounts of lines.';

CREATE FUNCTION im_internal.im_last_document(app_id bigint)
	RETURNS TABLE (digest bytea, issued_at timestamptz)
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
AS $$
	SELECT i.digest, i.issued_at
	FROM @extschema@.im_invoice i
	WHERE i.app_id = $1
	ORDER BY i.issued_at DESC, i.month DESC, i.revision DESC
	LIMIT 1
$$;
COMMENT ON FUNCTION im_internal.im_last_document(bigint) IS
'The app''s last document.';

-- One app whose bill cannot be right must not hold up the others: the batch is
-- halved until it stands alone.
CREATE FUNCTION im_internal.im_issue_what_can_be(month @extschema@.im_month, apps bigint[],
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
			SELECT * INTO step FROM im_internal.im_issue($1, $2, $3, $4);
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
			im_internal.im_issue_what_can_be($1, p.apps, $3, $4) h
		ORDER BY p.half
	LOOP
		issued := issued || step.issued;
		invoiced := invoiced || step.invoiced;
		failed := failed || step.failed;
		problem := coalesce(problem, step.problem);
	END LOOP;
END
$$;
COMMENT ON FUNCTION im_internal.im_issue_what_can_be(@extschema@.im_month, bigint[], boolean, uuid) IS
'Issues the documents of all apps whose bill can be computed: the apps of each document and of each invoice, those whose bill cannot, and why the first.';

-- The rows of im_closing that say so may be lost; what was issued is issued.
CREATE FUNCTION im_internal.im_documented(month date, apps bigint[]) RETURNS bigint[]
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
COMMENT ON FUNCTION im_internal.im_documented(date, bigint[]) IS
'Those of the apps, which im_closing does not call closed, that have documents of a month, with a warning.';
