-- Whether what was issued is still as it was issued.

-- Both have a column month beside an argument of that name, which only a type
-- can bring together.
CREATE TYPE @extschema@.im_invoice_problem AS (
	app_id bigint,
	month date,
	revision integer,
	problem text
);
COMMENT ON TYPE @extschema@.im_invoice_problem IS
'What im_verify_invoices() finds wrong with a document, or with a month.';
COMMENT ON COLUMN @extschema@.im_invoice_problem.app_id IS 'The app; null for a month as a whole.';
COMMENT ON COLUMN @extschema@.im_invoice_problem.month IS 'First day of the month.';
COMMENT ON COLUMN @extschema@.im_invoice_problem.revision IS 'The document; null for a month as a whole.';
COMMENT ON COLUMN @extschema@.im_invoice_problem.problem IS 'What is wrong.';

-- The documents of an app follow each other in the order in which they were
-- issued, whatever their months.  One that does not follow the document before
-- it but the one before that tells that what stands between was inserted.  To
-- judge a month its documents and those right after them are computed again.
CREATE FUNCTION im_internal.im_checked_documents(of_month date)
	RETURNS TABLE (app_id bigint, month date, revision integer, copies bigint, whole boolean,
		inserted boolean)
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
	WITH chain AS (
		SELECT i.*, lag(i.digest, 1) OVER app AS previous, lag(i.digest, 2) OVER app AS last_but_one,
			lag(i.month) OVER app AS previous_month, row_number() OVER app AS place,
			count(*) OVER (PARTITION BY i.app_id, i.month, i.revision) AS copies
		FROM @extschema@.im_invoice i
		WINDOW app AS (PARTITION BY i.app_id ORDER BY i.issued_at, i.month, i.revision)),
	document AS (
		SELECT * FROM chain c WHERE $1 IS NULL OR c.month = $1 OR c.previous_month = $1),
	lines AS (
		SELECT l.app_id, l.month, l.revision,
			string_agg(im_internal.im_line_bytes(ROW(l.app_id, l.month, l.line, l.item, l.option, l.period,
				l.due_on, l.quantity, l.included, l.billable, l.units, l.unit_price, l.amount,
				l.currency, NULL)::@extschema@.im_bill_line, l.explanation, l.reason, l.figures), '' ORDER BY l.line) AS bytes
		FROM @extschema@.im_invoice_line l
		WHERE EXISTS (SELECT FROM document d
					  WHERE d.app_id = l.app_id AND d.month = l.month AND d.revision = l.revision)
		GROUP BY l.app_id, l.month, l.revision),
	checked AS (
		SELECT d.*,
			coalesce(d.digest = im_internal.im_document_digest(d.digest_version, d.app_id, d.month, d.revision, d.kind,
				d.currency, d.total, d.issued_at, d.rate_card, d.card_from, d.app_name,
				d.number, d.account_id, d.account_name, d.previous, l.bytes), false) AS follows,
			coalesce(d.digest = im_internal.im_document_digest(d.digest_version, d.app_id, d.month, d.revision, d.kind,
				d.currency, d.total, d.issued_at, d.rate_card, d.card_from, d.app_name,
				d.number, d.account_id, d.account_name, d.last_but_one, l.bytes), false) AS skips
		FROM document d
		LEFT JOIN lines l ON l.app_id = d.app_id AND l.month = d.month AND l.revision = d.revision)
	SELECT j.app_id, j.month, j.revision, j.copies, j.follows OR j.place > 1 AND j.skips, j.inserted
	FROM (SELECT c.*,
				 coalesce(lead(c.skips AND NOT c.follows) OVER (PARTITION BY c.app_id ORDER BY c.place), false)
					AND c.place = lead(c.place) OVER (PARTITION BY c.app_id ORDER BY c.place) - 1 AS inserted
		  FROM checked c) j
	WHERE $1 IS NULL OR j.month = $1
$$;
COMMENT ON FUNCTION im_internal.im_checked_documents(date) IS
'The documents of a month, or all if null: how often each is there, whether it matches its digest, and whether the document after it shows that it was inserted.';

CREATE FUNCTION im_internal.im_document_problems(of_month date)
	RETURNS TABLE (app_id bigint, month date, revision integer, problem text)
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT c.app_id, c.month, c.revision,
		CASE WHEN c.copies > 1 THEN format('there are %s documents of this revision', c.copies)
			WHEN c.inserted THEN 'the document was inserted: the one after it follows the one before it'
			ELSE 'the document or its lines were changed, or the app''s document before it was changed or removed' END
	FROM im_internal.im_checked_documents($1) c
	WHERE NOT c.whole OR c.inserted OR c.copies > 1
	UNION ALL
	SELECT g.app_id, g.month, g.last + 1,
		CASE WHEN g.revision = g.last + 2 THEN 'the document is missing'
			ELSE format('the documents from this through revision %s are missing', g.revision - 1) END
	FROM (SELECT i.app_id, i.month, i.revision,
				 coalesce(lag(i.revision) OVER (PARTITION BY i.app_id, i.month ORDER BY i.revision), -1) AS last
		  FROM @extschema@.im_invoice i
		  WHERE $1 IS NULL OR i.month = $1) g
	WHERE g.revision::bigint > g.last::bigint + 1
	UNION ALL
	SELECT l.app_id, l.month, l.revision, format('lines without a document: %s', count(*))
	FROM @extschema@.im_invoice_line l
	WHERE ($1 IS NULL OR l.month = $1)
		AND NOT EXISTS (SELECT FROM @extschema@.im_invoice i
						WHERE i.app_id = l.app_id AND i.month = l.month AND i.revision = l.revision)
	GROUP BY l.app_id, l.month, l.revision
	UNION ALL
	SELECT i.app_id, i.month, i.revision, 'the app is not recorded as closed in this month'
	FROM @extschema@.im_invoice i
	LEFT JOIN (SELECT c.month, range_agg(c.apps) AS apps
			   FROM @extschema@.im_closing c
			   GROUP BY c.month) k ON k.month = i.month
	WHERE ($1 IS NULL OR i.month = $1) AND (i.app_id <@ k.apps) IS NOT TRUE
$$;
COMMENT ON FUNCTION im_internal.im_document_problems(date) IS
'What is wrong with single documents of a month, or of all months if null.';

-- How many notes there were before version 0.3.0 nobody counted.
CREATE FUNCTION im_internal.im_count_problems(of_month date)
	RETURNS TABLE (app_id bigint, month date, revision integer, problem text)
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT NULL::bigint, p.month, NULL::integer,
		format('%s %s were issued, but there are %s', p.recorded, p.kind, p.found)
	FROM (SELECT coalesce(c.month, i.month) AS month, coalesce(c.invoices, 0) AS invoices, coalesce(c.notes, 0) AS notes,
				 coalesce(i.invoices, 0) AS invoices_found, coalesce(i.notes, 0) AS notes_found, coalesce(c.old, false) AS old
		  FROM (SELECT k.month, sum(k.invoices) AS invoices, sum(k.notes) AS notes, bool_or(k.entry IS NULL) AS old
				FROM @extschema@.im_closing k
				WHERE $1 IS NULL OR k.month = $1
				GROUP BY k.month) c
		  FULL JOIN (SELECT v.month, count(*) FILTER (WHERE v.revision = 0) AS invoices,
							count(*) FILTER (WHERE v.revision <> 0) AS notes
					 FROM @extschema@.im_invoice v
					 WHERE $1 IS NULL OR v.month = $1
					 GROUP BY v.month) i ON i.month = c.month) m,
		LATERAL (VALUES (m.month, 'invoices', m.invoices, m.invoices_found, false),
						(m.month, 'notes', m.notes, m.notes_found, m.old)) p(month, kind, recorded, found, unknown)
	WHERE p.recorded <> p.found AND NOT p.unknown
$$;
COMMENT ON FUNCTION im_internal.im_count_problems(date) IS
'Months whose number of invoices or notes is not the one that was recorded when they were issued.';

-- The documents of no entry, which are older than the chain or whose entry was
-- lost, are those of the first entry of their month: see im_digest_of_batch().
CREATE FUNCTION im_internal.im_found_documents(of_month date)
	RETURNS TABLE (month date, batch uuid, bytes bytea)
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
	SELECT i.month, coalesce(c.batch, f.batch),
		string_agg(im_internal.im_canonical(ROW(i.app_id, i.revision, i.digest)), '' ORDER BY i.app_id, i.revision)
	FROM @extschema@.im_invoice i
	LEFT JOIN (SELECT DISTINCT k.month, k.batch
			   FROM @extschema@.im_closing k
			   WHERE k.entry IS NOT NULL) c ON c.month = i.month AND c.batch = i.batch
	LEFT JOIN (SELECT DISTINCT ON (k.month) k.month, k.batch
			   FROM @extschema@.im_closing k
			   WHERE k.entry IS NOT NULL
			   ORDER BY k.month, k.entry) f ON f.month = i.month
	WHERE $1 IS NULL OR i.month = $1
	GROUP BY i.month, coalesce(c.batch, f.batch)
$$;
COMMENT ON FUNCTION im_internal.im_found_documents(date) IS
'The bytes of the documents that each entry of im_closing speaks for, as they are now.';

CREATE FUNCTION im_internal.im_checked_entries(of_month date)
	RETURNS TABLE (month date, entry bigint, last bigint, whole boolean, complete boolean)
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT e.month, e.entry, e.last,
		coalesce(e.digest = im_internal.im_closing_digest(e.entry, e.month, e.apps, e.without_lines, e.done, e.invoices,
			e.notes, e.total, e.begun_at, e.closed_at, e.batch, e.documents, e.previous), false),
		coalesce(e.documents = im_internal.im_documents_digest(d.bytes,
			CASE WHEN e.place = 1 THEN im_internal.im_old_closings(e.month) END), false)
	FROM (SELECT c.*, coalesce(lag(c.entry) OVER chain, 0) AS last, lag(c.digest) OVER chain AS previous,
				 row_number() OVER (PARTITION BY c.month ORDER BY c.entry) AS place
		  FROM @extschema@.im_closing c
		  WHERE c.entry IS NOT NULL
		  WINDOW chain AS (ORDER BY c.entry)) e
	LEFT JOIN im_internal.im_found_documents($1) d ON d.month = e.month AND d.batch = e.batch
	WHERE $1 IS NULL OR e.month = $1
$$;
COMMENT ON FUNCTION im_internal.im_checked_entries(date) IS
'The entries of im_closing of a month, or of all: the number before it, whether it matches its digest, and whether the documents that it speaks for are those it was made with.';

CREATE FUNCTION im_internal.im_closing_problems(of_month date)
	RETURNS TABLE (app_id bigint, month date, revision integer, problem text)
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT NULL::bigint, e.month, NULL::integer, p.problem
	FROM im_internal.im_checked_entries($1) e,
		LATERAL (VALUES
			(NOT e.whole, format('entry %s of im_closing was changed, or the entry before it was changed or removed', e.entry)),
			(NOT e.complete, format('the documents of entry %s of im_closing are not those that were issued', e.entry)),
			(e.entry::numeric > e.last::numeric + 1, format('entries of im_closing before entry %s are missing: %s',
				e.entry, e.entry::numeric - e.last::numeric - 1))) p(found, problem)
	WHERE p.found
	UNION ALL
	SELECT l.app_id, l.month, 0, 'the app is closed without an invoice, though it had lines to bill'
	FROM im_internal.im_lost_invoices($1) l
$$;
COMMENT ON FUNCTION im_internal.im_closing_problems(date) IS
'What is wrong with im_closing, or with what it says of the documents, in a month or in all if null.';

CREATE FUNCTION @extschema@.im_verify_invoices(month @extschema@.im_month DEFAULT NULL, root bytea DEFAULT NULL)
	RETURNS SETOF @extschema@.im_invoice_problem
	LANGUAGE plpgsql STABLE ROWS 10
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	PERFORM im_internal.im_need_tables();
	IF $2 IS NOT NULL AND $1 IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'null_value_not_allowed',
			MESSAGE = 'a root is given, but the month is null',
			DETAIL = 'A root is the digest of the documents of one month.',
			HINT = 'Give the month that it was printed for.';
	END IF;
	RETURN QUERY
	SELECT p.app_id, p.month, p.revision, p.problem
	FROM (SELECT * FROM im_internal.im_document_problems($1::date)
		  UNION ALL
		  SELECT * FROM im_internal.im_number_problems($1::date, NULL::bigint)
		  UNION ALL
		  SELECT * FROM im_internal.im_count_problems($1::date)
		  UNION ALL
		  SELECT * FROM im_internal.im_closing_problems($1::date)
		  UNION ALL
		  SELECT NULL, $1::date, NULL, format('the root of the month is %s, not the one that was given: documents were '
				'changed, removed or added since', encode(@extschema@.im_month_root($1), 'hex'))
		  WHERE @extschema@.im_month_root($1) <> $2) p
	ORDER BY p.app_id, p.month, p.revision, p.problem COLLATE "C";
END
$$;
COMMENT ON FUNCTION @extschema@.im_verify_invoices(@extschema@.im_month, bytea) IS
'Documents of a month, or of all, that were changed, removed or inserted since they were issued; empty when all are whole. With the root that the last close or adjust of the month printed it proves that; without one it proves only that the ledger agrees with itself, which whoever can disable triggers can arrange with all digests computed anew: im_verify_anchor().';

-- An anchor is the last entry of im_closing.  Its digest covers all entries and
-- documents before it, so that whoever keeps it elsewhere can tell later.
CREATE FUNCTION @extschema@.im_ledger_anchor() RETURNS text
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM im_internal.im_need_tables();
	RETURN (
		SELECT format('imbilling %s %s', c.entry, encode(c.digest, 'hex'))
		FROM @extschema@.im_closing c
		WHERE c.entry IS NOT NULL
		ORDER BY c.entry DESC
		LIMIT 1);
END
$$;
COMMENT ON FUNCTION @extschema@.im_ledger_anchor() IS
'A line to keep outside of the database after each close and adjustment: the number and digest of the last entry of im_closing. im_verify_anchor(line) proves later that nothing that was issued until then was changed, removed or added. Null before anything was issued.';

CREATE FUNCTION @extschema@.im_verify_anchor(anchor text) RETURNS SETOF @extschema@.im_invoice_problem
	LANGUAGE plpgsql STABLE ROWS 10
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	part text[] := regexp_match($1, '^[[:space:]]*imbilling ([1-9][0-9]{0,17}) ([0-9a-f]{64})[[:space:]]*$');
	found @extschema@.im_invoice_problem;
BEGIN
	PERFORM im_internal.im_need_tables();
	IF part IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = CASE WHEN $1 IS NULL THEN 'null_value_not_allowed' ELSE 'invalid_parameter_value' END,
			MESSAGE = format('this is no anchor of a ledger: %s', coalesce(quote_literal(left($1, 100)), 'null')),
			DETAIL = 'An anchor is the word imbilling, the number of an entry of im_closing and its digest of 64 hexadecimal digits.',
			HINT = 'Give the line that SELECT im_ledger_anchor() printed.';
	END IF;
	IF NOT EXISTS (SELECT FROM @extschema@.im_closing c
				   WHERE c.entry = part[1]::bigint AND c.digest = decode(part[2], 'hex')) THEN
		found.problem := format('entry %s of im_closing is not the one of the anchor: what was issued until then was changed, removed or added', part[1]);
		RETURN NEXT found;
	END IF;
	RETURN QUERY SELECT v.* FROM @extschema@.im_verify_invoices(NULL::@extschema@.im_month, NULL::bytea) v;
END
$$;
COMMENT ON FUNCTION @extschema@.im_verify_anchor(text) IS
'im_verify_invoices() of all months, held to a line that im_ledger_anchor() printed: empty when all that was issued until then is still as it was. Errors: 22004 for null, 22023 for another text.';
