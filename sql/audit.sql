-- Proving the ledger: which documents are whole, and how they came about.

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

CREATE TYPE @extschema@.im_document AS (
	month date,
	revision integer,
	kind text,
	currency text,
	total numeric,
	issued_at timestamptz,
	rate_card text,
	card_from date,
	digest bytea
);
COMMENT ON TYPE @extschema@.im_document IS
'A document of an app: the columns of im_invoice without the app.';
COMMENT ON COLUMN @extschema@.im_document.month IS 'First day of the usage month.';
COMMENT ON COLUMN @extschema@.im_document.revision IS '0 for the invoice, 1, 2, ... for its notes.';
COMMENT ON COLUMN @extschema@.im_document.kind IS 'invoice, credit_note or debit_note.';
COMMENT ON COLUMN @extschema@.im_document.currency IS 'ISO 4217 code of total.';
COMMENT ON COLUMN @extschema@.im_document.total IS 'What the document comes to.';
COMMENT ON COLUMN @extschema@.im_document.issued_at IS 'When.';
COMMENT ON COLUMN @extschema@.im_document.rate_card IS 'The price list of the app when it was issued.';
COMMENT ON COLUMN @extschema@.im_document.card_from IS 'First day of the version of it that rates usage of the month.';
COMMENT ON COLUMN @extschema@.im_document.digest IS 'SHA-256 over the document, its lines and the digest of the app''s document before it.';

-- The documents of an app follow each other in the order in which they were
-- issued, whatever their months.  One that does not follow the document before
-- it but the one before that tells that what stands between was inserted.  To
-- judge a month its documents and those right after them are computed again.
CREATE FUNCTION @extschema@.im_checked_documents(of_month date)
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
			string_agg(@extschema@.im_line_bytes(ROW(l.app_id, l.month, l.line, l.item, l.option, l.period,
				l.due_on, l.quantity, l.included, l.billable, l.units, l.unit_price, l.amount,
				l.currency, l.explanation)::@extschema@.im_bill_line), '' ORDER BY l.line) AS bytes
		FROM @extschema@.im_invoice_line l
		WHERE EXISTS (SELECT FROM document d
					  WHERE d.app_id = l.app_id AND d.month = l.month AND d.revision = l.revision)
		GROUP BY l.app_id, l.month, l.revision),
	checked AS (
		SELECT d.*,
			d.digest IS NOT DISTINCT FROM @extschema@.im_invoice_digest(d.app_id, d.month, d.revision, d.kind,
				d.currency, d.total, d.issued_at, d.rate_card, d.card_from, d.previous, l.bytes) AS follows,
			d.digest IS NOT DISTINCT FROM @extschema@.im_invoice_digest(d.app_id, d.month, d.revision, d.kind,
				d.currency, d.total, d.issued_at, d.rate_card, d.card_from, d.last_but_one, l.bytes) AS skips
		FROM document d
		LEFT JOIN lines l ON l.app_id = d.app_id AND l.month = d.month AND l.revision = d.revision)
	SELECT j.app_id, j.month, j.revision, j.copies, j.follows OR j.place > 1 AND j.skips, j.inserted
	FROM (SELECT c.*,
				 coalesce(lead(c.skips AND NOT c.follows) OVER (PARTITION BY c.app_id ORDER BY c.place), false)
					AND c.place = lead(c.place) OVER (PARTITION BY c.app_id ORDER BY c.place) - 1 AS inserted
		  FROM checked c) j
	WHERE $1 IS NULL OR j.month = $1
$$;
COMMENT ON FUNCTION @extschema@.im_checked_documents(date) IS
'The documents of a month, or all if null: how often each is there, whether it matches its digest, and whether the document after it shows that it was inserted.';

CREATE FUNCTION @extschema@.im_document_problems(of_month date)
	RETURNS TABLE (app_id bigint, month date, revision integer, problem text)
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT c.app_id, c.month, c.revision,
		CASE WHEN c.copies > 1 THEN format('there are %s documents of this number', c.copies)
			WHEN c.inserted THEN 'the document was inserted: the one after it follows the one before it'
			ELSE 'the document or its lines were changed, or the app''s document before it was changed or removed' END
	FROM @extschema@.im_checked_documents($1) c
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
COMMENT ON FUNCTION @extschema@.im_document_problems(date) IS
'What is wrong with single documents of a month, or of all months if null.';

CREATE FUNCTION @extschema@.im_count_problems(of_month date)
	RETURNS TABLE (app_id bigint, month date, revision integer, problem text)
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT NULL::bigint, coalesce(c.month, i.month), NULL::integer,
		format('%s invoices were issued, but there are %s', coalesce(c.invoices, 0), coalesce(i.invoices, 0))
	FROM (SELECT k.month, sum(k.invoices) AS invoices
		  FROM @extschema@.im_closing k
		  WHERE $1 IS NULL OR k.month = $1
		  GROUP BY k.month) c
	FULL JOIN (SELECT v.month, count(*) AS invoices
			   FROM @extschema@.im_invoice v
			   WHERE v.revision = 0 AND ($1 IS NULL OR v.month = $1)
			   GROUP BY v.month) i ON i.month = c.month
	WHERE coalesce(c.invoices, 0) <> coalesce(i.invoices, 0)
$$;
COMMENT ON FUNCTION @extschema@.im_count_problems(date) IS
'Months whose number of invoices is not the one that was recorded when they were issued.';

CREATE FUNCTION @extschema@.im_verify_invoices(month @extschema@.im_month DEFAULT NULL, root bytea DEFAULT NULL)
	RETURNS SETOF @extschema@.im_invoice_problem
	LANGUAGE plpgsql STABLE ROWS 10
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	PERFORM @extschema@.im_need_tables();
	IF $2 IS NOT NULL AND $1 IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'null_value_not_allowed',
			MESSAGE = 'a root is given, but the month is null',
			DETAIL = 'A root is the digest of the documents of one month.',
			HINT = 'Give the month that it was printed for.';
	END IF;
	RETURN QUERY
	SELECT p.app_id, p.month, p.revision, p.problem
	FROM (SELECT * FROM @extschema@.im_document_problems($1::date)
		  UNION ALL
		  SELECT * FROM @extschema@.im_count_problems($1::date)
		  UNION ALL
		  SELECT NULL, $1::date, NULL, format('the root of the month is %s, not the one that was given: documents were '
				'changed, removed or added since', encode(@extschema@.im_month_root($1), 'hex'))
		  WHERE @extschema@.im_month_root($1) <> $2) p
	ORDER BY p.app_id, p.month, p.revision, p.problem COLLATE "C";
END
$$;
COMMENT ON FUNCTION @extschema@.im_verify_invoices(@extschema@.im_month, bytea) IS
'Documents of a month, or of all, that were changed, removed or inserted since they were issued; empty when all are whole. With the root that the last close or adjust of the month printed it proves that; without one it proves only that the ledger agrees with itself, which whoever can disable triggers can arrange.';

-- One app ------------------------------------------------------------------

CREATE FUNCTION @extschema@.im_invoices(app_id bigint, month @extschema@.im_month DEFAULT NULL)
	RETURNS SETOF @extschema@.im_document
	LANGUAGE plpgsql STABLE ROWS 10
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	PERFORM @extschema@.im_need_tables();
	IF @extschema@.im_guarded('im_invoices_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_invoices_guarded($1, $2);
		RETURN;
	END IF;
	PERFORM @extschema@.im_need_app($1);
	RETURN QUERY
	SELECT i.month, i.revision, i.kind, i.currency, i.total, i.issued_at, i.rate_card, i.card_from, i.digest
	FROM @extschema@.im_invoice i
	WHERE i.app_id = $1 AND ($2 IS NULL OR i.month = $2::date)
	ORDER BY i.issued_at, i.month, i.revision;
END
$$;
COMMENT ON FUNCTION @extschema@.im_invoices(bigint, @extschema@.im_month) IS
'The documents of an app in the order in which they were issued, of one month or, if it is null, of all. Error P0002 for an unknown app.';

CREATE FUNCTION @extschema@.im_audit_orders(app_id bigint, month @extschema@.im_month)
	RETURNS TABLE (at timestamptz, event text, amount numeric, currency text, detail text)
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT o.at, 'order', t.amount, t.currency,
		format('Order %s: %s', o.order_id, concat_ws(' ', o.action, o.item, nullif(o.option, ''),
			CASE WHEN o.months = 1 THEN 'for 1 month' WHEN o.months > 1 THEN format('for %s months', o.months) END,
			CASE WHEN o.quantity <> 1 THEN format('x %s', o.quantity) END,
			CASE WHEN o.refunds IS NOT NULL THEN format('of order %s', o.refunds) END))
	FROM @extschema@.im_order o
	JOIN @extschema@.im_app_cards(NULL::@extschema@.im_rate_card) a ON a.app_id = o.app_id
	LEFT JOIN @extschema@.im_app_orders('infinity'::timestamptz) e ON e.app_id = o.app_id
	LEFT JOIN LATERAL @extschema@.im_rate_terms(a.app_id, a.card_name, @extschema@.im_price_book(NULL::@extschema@.im_rate_card),
		e.orders, NULL::daterange[], false) t ON t.order_id = o.order_id
	WHERE o.app_id = $1
		AND o.at < upper($2::daterange)::timestamp AT TIME ZONE coalesce(a.time_zone, 'UTC')
	UNION ALL
	SELECT greatest(lower(s.days), CASE WHEN NOT lower_inf(s.days) THEN date '0001-01-01' END)::timestamp
			AT TIME ZONE coalesce(a.time_zone, 'UTC'), 'suspension', NULL, NULL,
		format('Suspended %s through %s: %s', to_char(lower(s.days), 'YYYY-MM-DD'),
			coalesce(to_char(upper(s.days) - 1, 'YYYY-MM-DD'), 'now'), s.reason)
	FROM @extschema@.im_suspension s
	JOIN @extschema@.im_app_cards(NULL::@extschema@.im_rate_card) a ON a.app_id = s.app_id
	WHERE s.app_id = $1 AND s.days && daterange(NULL, upper($2::daterange))
$$;
COMMENT ON FUNCTION @extschema@.im_audit_orders(bigint, @extschema@.im_month) IS
'What the bill of a month follows from: the orders of an app before the end of the month with their amounts, and its suspensions.';

CREATE FUNCTION @extschema@.im_audit_documents(app_id bigint, month @extschema@.im_month)
	RETURNS TABLE (at timestamptz, event text, amount numeric, currency text, detail text)
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT min(c.closed_at), 'closed', NULL, NULL, format('%s was closed for the app', $2)
	FROM @extschema@.im_closing c
	WHERE c.month = $2::date AND c.apps @> $1
	HAVING count(*) > 0
	UNION ALL
	SELECT i.issued_at, i.kind, i.total, i.currency,
		format('Revision %s with %s, digest %s', i.revision,
			(SELECT CASE count(*) WHEN 1 THEN '1 line' ELSE format('%s lines', count(*)) END
			 FROM @extschema@.im_invoice_line l
			 WHERE l.app_id = i.app_id AND l.month = i.month AND l.revision = i.revision),
			encode(i.digest, 'hex'))
	FROM @extschema@.im_invoice i
	WHERE i.app_id = $1 AND i.month = $2::date
$$;
COMMENT ON FUNCTION @extschema@.im_audit_documents(bigint, @extschema@.im_month) IS
'When a month was closed for an app, and its documents.';

-- A bill that cannot be right any more must not hide what was issued.
CREATE FUNCTION @extschema@.im_audit_drift(app_id bigint, month @extschema@.im_month)
	RETURNS TABLE (at timestamptz, event text, amount numeric, currency text, detail text)
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	SELECT now(), 'drift', d.difference, NULL::text,
		format('Issued as %s, comes to %s now', d.issued, d.rebilled)
	FROM @extschema@.im_drift_of(ARRAY[$1], $2) d;
EXCEPTION
	WHEN check_violation OR no_data_found OR data_exception OR program_limit_exceeded THEN
		RETURN QUERY SELECT now(), 'drift', NULL::numeric, NULL::text, format('The bill cannot be right now: %s', SQLERRM);
END
$$;
COMMENT ON FUNCTION @extschema@.im_audit_drift(bigint, @extschema@.im_month) IS
'What would change now in the closed month of an app.';

CREATE FUNCTION @extschema@.im_audit(app_id bigint, month @extschema@.im_month)
	RETURNS TABLE (at timestamptz, event text, amount numeric, currency text, detail text)
	LANGUAGE plpgsql STABLE STRICT ROWS 20
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	PERFORM @extschema@.im_need_tables();
	IF @extschema@.im_guarded('im_audit_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_audit_guarded($1, $2);
		RETURN;
	END IF;
	PERFORM @extschema@.im_need_app($1);
	RETURN QUERY
	SELECT e.at, e.event, e.amount, e.currency, e.detail
	FROM (SELECT 1 AS part, o.* FROM @extschema@.im_audit_orders($1, $2) o
		  UNION ALL
		  SELECT 2, d.* FROM @extschema@.im_audit_documents($1, $2) d
		  UNION ALL
		  SELECT 3, d.* FROM @extschema@.im_audit_drift($1, $2) d) e
	ORDER BY e.part = 3, e.at NULLS FIRST, e.part, e.event = 'closed', e.detail COLLATE "C";
END
$$;
COMMENT ON FUNCTION @extschema@.im_audit(bigint, @extschema@.im_month) IS
'The whole story of an app and month in its order: orders and suspensions that bear on it, the closing, the documents and what would change now (drift), with times and amounts. Error P0002 for an unknown app.';
