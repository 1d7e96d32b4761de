-- Issuing: bills and differences become documents.
--
-- First all of a batch is rated and its lines are written, beside other closers.
-- Then the one lock of the ledger is taken (numbers.sql), under which documents
-- get their numbers and digests and the batch its entry in the chain; nothing
-- is left to do after that but to commit.

CREATE TYPE im_internal.im_draft AS (
	app_id bigint,
	place integer,
	revision integer,
	kind text,
	currency text,
	total numeric,
	rate_card text,
	card_from date,
	time_zone text,
	app_name text,
	account_id bigint,
	account_name text,
	previous bytea,
	previous_at timestamptz,
	lines bytea
);
COMMENT ON TYPE im_internal.im_draft IS
'A document that is rated, whose lines are written, and that has no number yet; internal.';
COMMENT ON COLUMN im_internal.im_draft.app_id IS 'The app.';
COMMENT ON COLUMN im_internal.im_draft.place IS '1, or more where an app gets a document in each of several currencies.';
COMMENT ON COLUMN im_internal.im_draft.revision IS '0 for the invoice, 1, 2, ... for notes.';
COMMENT ON COLUMN im_internal.im_draft.kind IS 'invoice, credit_note or debit_note.';
COMMENT ON COLUMN im_internal.im_draft.currency IS 'ISO 4217 code of total.';
COMMENT ON COLUMN im_internal.im_draft.total IS 'What the document comes to.';
COMMENT ON COLUMN im_internal.im_draft.rate_card IS 'The price list of the app.';
COMMENT ON COLUMN im_internal.im_draft.card_from IS 'First day of the version of it that rates the month.';
COMMENT ON COLUMN im_internal.im_draft.time_zone IS 'Its time zone, which tells the year of issue.';
COMMENT ON COLUMN im_internal.im_draft.app_name IS 'The name of the app.';
COMMENT ON COLUMN im_internal.im_draft.account_id IS 'Its account, or null.';
COMMENT ON COLUMN im_internal.im_draft.account_name IS 'The name of that.';
COMMENT ON COLUMN im_internal.im_draft.previous IS 'Digest of the app''s document before those of the batch; null for the first.';
COMMENT ON COLUMN im_internal.im_draft.previous_at IS 'When that was issued.';
COMMENT ON COLUMN im_internal.im_draft.lines IS 'The bytes of the lines.';

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

-- Where the currency of an app changed it gets a document in each: first what
-- was issued in another currency than the app's is taken back.
CREATE FUNCTION im_internal.im_draft_documents(month @extschema@.im_month, apps bigint[], notes boolean)
	RETURNS im_internal.im_draft[]
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
DECLARE
	drafts im_internal.im_draft[];
BEGIN
	WITH line AS MATERIALIZED (
		SELECT l.*, im_internal.im_reason_sentence(l.reason, l.figures) AS sentence
		-- each step once a line: a plan that pulls them up would take texts apart again and again
		FROM (SELECT r.row, r.app_id, r.currency, r.line, r.amount, r.because ->> 'reason' AS reason, r.because -> 'figures' AS figures
			  FROM (SELECT l AS row, l.app_id, l.currency, l.line, l.amount, l.explanation::jsonb AS because
					FROM im_internal.im_rebill_apps($1, $2, true) l
					WHERE NOT $3
					UNION ALL
					SELECT l, l.app_id, l.currency, l.line, l.amount, l.explanation::jsonb
					FROM im_internal.im_note_lines($1, $2) l
					WHERE $3
					OFFSET 0) r
			  OFFSET 0) l),
	sheet AS (
		SELECT l.app_id, l.currency, sum(l.amount) AS amount,
			string_agg(im_internal.im_line_bytes(l.row, l.sentence, l.reason, l.figures), '' ORDER BY l.line) AS bytes
		FROM line l
		GROUP BY l.app_id, l.currency),
	sized AS (
		SELECT s.app_id, s.currency, s.bytes, a.name, a.rate_card, c.card_from, c.time_zone, p.digest, p.issued_at,
			o.account_id, coalesce(o.name, f.account_name) AS account_name,
			(row_number() OVER app)::integer AS place,
			coalesce(i.revision, -1) + (row_number() OVER app)::integer AS revision,
			-- together the documents are the rounded bill (R9)
			round(coalesce(i.amount, 0) + s.amount, CASE WHEN c.currency = s.currency THEN c.scale ELSE 0 END)
				- coalesce(i.total, 0) AS total
		FROM sheet s
		-- by its key, however many apps there are
		CROSS JOIN LATERAL (SELECT p.name, p.rate_card, p.account_id FROM @extschema@.im_app p WHERE p.app_id = s.app_id OFFSET 0) a
		LEFT JOIN im_internal.im_cards_in_force($1) c ON c.rate_card = a.rate_card
		CROSS JOIN LATERAL im_internal.im_issued_so_far($1::date, s.app_id, s.currency) i
		LEFT JOIN LATERAL im_internal.im_last_document(s.app_id) p ON true
		-- notes are of the account that the invoice was issued to (R15)
		LEFT JOIN @extschema@.im_invoice f ON f.app_id = s.app_id AND f.month = $1::date AND f.revision = 0 AND f.digest_version >= 3
		LEFT JOIN LATERAL (SELECT o.account_id, c.name
						   FROM (SELECT CASE WHEN f.app_id IS NULL THEN a.account_id ELSE f.account_id END) o(account_id)
						   LEFT JOIN @extschema@.im_account c ON c.account_id = o.account_id) o ON true
		WINDOW app AS (PARTITION BY s.app_id ORDER BY s.currency = c.currency, s.currency COLLATE "C")),
	draft AS MATERIALIZED (
		SELECT s.app_id, s.place, s.revision, CASE WHEN s.revision = 0 THEN 'invoice'
				WHEN s.total < 0 THEN 'credit_note' ELSE 'debit_note' END AS kind,
			s.currency, s.total, s.rate_card, s.card_from, s.time_zone, s.name AS app_name, s.account_id,
			s.account_name, s.digest AS previous, s.issued_at AS previous_at, s.bytes AS lines
		FROM sized s),
	written AS (
		INSERT INTO @extschema@.im_invoice_line (app_id, month, revision, line, item, option, period,
			due_on, quantity, included, billable, units, unit_price, amount, currency, explanation, reason, figures)
		SELECT d.app_id, $1::date, d.revision, (l.row).line, (l.row).item, (l.row).option, (l.row).period,
			(l.row).due_on, (l.row).quantity, (l.row).included, (l.row).billable, (l.row).units,
			(l.row).unit_price, (l.row).amount, (l.row).currency, l.sentence, l.reason, l.figures
		FROM line l
		JOIN draft d ON d.app_id = l.app_id AND d.currency = l.currency)
	SELECT array_agg(ROW(d.*)::im_internal.im_draft ORDER BY d.app_id, d.place) INTO drafts FROM draft d;
	RETURN coalesce(drafts, '{}');
END
$$;
COMMENT ON FUNCTION im_internal.im_draft_documents(@extschema@.im_month, bigint[], boolean) IS
'Rates the apps and writes the lines of their documents: a draft for each of them that has lines to bill, or with notes one of what has changed since. The caller holds the apps'' rows.';

-- One app whose bill cannot be right must not hold up the others: the batch is
-- halved until it stands alone.
CREATE FUNCTION im_internal.im_draft_what_can_be(month @extschema@.im_month, apps bigint[], notes boolean,
		OUT drafts im_internal.im_draft[], OUT failed bigint[], OUT problem text)
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	middle integer := cardinality($2) / 2;
	half record;
	message text;
	detail text;
BEGIN
	failed := '{}';
	BEGIN
		drafts := im_internal.im_draft_documents($1, $2, $3);
		RETURN;
	EXCEPTION
		WHEN check_violation OR no_data_found OR data_exception OR program_limit_exceeded THEN
			GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	END;
	drafts := '{}';
	IF middle = 0 THEN
		failed := $2;
		problem := format('%s. %s', message, detail);
		RETURN;
	END IF;
	FOR half IN
		SELECT h.*
		FROM (VALUES (1, $2[:middle]), (2, $2[middle + 1:])) p(n, apps),
			im_internal.im_draft_what_can_be($1, p.apps, $3) h
		ORDER BY p.n
	LOOP
		drafts := drafts || half.drafts;
		failed := failed || half.failed;
		problem := coalesce(problem, half.problem);
	END LOOP;
END
$$;
COMMENT ON FUNCTION im_internal.im_draft_what_can_be(@extschema@.im_month, bigint[], boolean) IS
'Drafts the documents of all apps whose bill can be computed; those whose bill cannot, and why the first.';

-- Documents are numbered in the order of issued_at, which is later than that of
-- the app's last document and not before that of the series' last one.
CREATE FUNCTION im_internal.im_issue_in_place(month date, drafts im_internal.im_draft[], place integer, batch uuid)
	RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	at timestamptz := clock_timestamp();
	name text := im_internal.im_series_in_use();
BEGIN
	WITH dated AS MATERIALIZED (
		SELECT d.*, coalesce(p.digest, d.previous) AS after, n.issued_at,
			im_internal.im_number_series(name, d.currency, n.issued_at, d.time_zone) AS series
		FROM unnest($2) d
		-- of the same batch only where there are several of an app
		LEFT JOIN LATERAL im_internal.im_last_document(CASE WHEN $3 > 1 THEN d.app_id END) p ON true,
			LATERAL (SELECT greatest(at, coalesce(p.issued_at, d.previous_at) + interval '1 microsecond') AS issued_at) n
		WHERE d.place = $3),
	last AS MATERIALIZED (
		SELECT s.series, l.place, l.issued_at
		FROM (SELECT DISTINCT d.series FROM dated d) s
		LEFT JOIN LATERAL im_internal.im_last_numbered(s.series) l ON true),
	numbered AS (
		SELECT d.*, n.at, im_internal.im_number(d.series, coalesce(l.place, 0)
			+ row_number() OVER (PARTITION BY d.series ORDER BY n.at, d.app_id)) AS number
		FROM dated d
		JOIN last l ON l.series = d.series,
			LATERAL (SELECT greatest(d.issued_at, l.issued_at) AS at) n),
	document AS (
		INSERT INTO @extschema@.im_invoice (app_id, month, revision, kind, currency, total, issued_at, rate_card,
			card_from, app_name, number, account_id, account_name, batch, digest_version, digest)
		SELECT d.app_id, $1, d.revision, d.kind, d.currency, d.total, d.at, d.rate_card,
			d.card_from, d.app_name, d.number, d.account_id, d.account_name, $4, 3,
			im_internal.im_document_digest(3, d.app_id, $1, d.revision, d.kind, d.currency, d.total, d.at, d.rate_card,
				d.card_from, d.app_name, d.number, d.account_id, d.account_name, d.after, d.lines)
		FROM numbered d
		ORDER BY d.app_id
		RETURNING im_invoice.*)
	INSERT INTO @extschema@.im_outbox (at, kind, app_id, account_id, month, revision, body)
	SELECT d.issued_at, CASE d.revision WHEN 0 THEN 'document_issued' ELSE 'note_issued' END, d.app_id, d.account_id,
		d.month, d.revision, jsonb_build_object('number', d.number, 'kind', d.kind, 'currency', d.currency,
			'total', d.total::text, 'app_name', d.app_name, 'account_name', d.account_name,
			'digest', encode(d.digest, 'hex'))
	FROM document d;
END
$$;
COMMENT ON FUNCTION im_internal.im_issue_in_place(date, im_internal.im_draft[], integer, uuid) IS
'Issues those of the drafts that have a place, and tells the outbox. The caller holds the lock of the ledger.';

CREATE FUNCTION im_internal.im_issue(month date, drafts im_internal.im_draft[], batch uuid,
		OUT issued bigint[], OUT invoiced bigint[])
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	places integer := coalesce((SELECT max(d.place) FROM unnest($2) d), 0);
BEGIN
	PERFORM im_internal.im_lock_ledger();
	FOR place IN 1 .. places LOOP
		PERFORM im_internal.im_issue_in_place($1, $2, place, $3);
	END LOOP;
	SELECT coalesce(array_agg(d.app_id), '{}'), coalesce(array_agg(d.app_id) FILTER (WHERE d.revision = 0), '{}')
	INTO issued, invoiced
	FROM unnest($2) d;
END
$$;
COMMENT ON FUNCTION im_internal.im_issue(date, im_internal.im_draft[], uuid) IS
'Makes documents of drafts, and takes the lock of the ledger for that: the apps of each document, and of each invoice.';

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
