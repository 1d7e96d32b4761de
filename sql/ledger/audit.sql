-- The documents of an app, and how they came about.

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

CREATE FUNCTION @extschema@.im_invoices(app_id bigint, month @extschema@.im_month DEFAULT NULL)
	RETURNS SETOF @extschema@.im_document
	LANGUAGE plpgsql STABLE ROWS 10
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	PERFORM im_internal.im_need_tables();
	IF im_internal.im_guarded('im_invoices_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_invoices_guarded($1, $2);
		RETURN;
	END IF;
	PERFORM im_internal.im_need_app($1);
	RETURN QUERY
	SELECT i.month, i.revision, i.kind, i.currency, i.total, i.issued_at, i.rate_card, i.card_from, i.digest
	FROM @extschema@.im_invoice i
	WHERE i.app_id = $1 AND ($2 IS NULL OR i.month = $2::date)
	ORDER BY i.issued_at, i.month, i.revision;
END
$$;
COMMENT ON FUNCTION @extschema@.im_invoices(bigint, @extschema@.im_month) IS
'The documents of an app in the order in which they were issued, of one month or, if it is null, of all. Error P0002 for an unknown app.';

CREATE FUNCTION im_internal.im_audit_orders(app_id bigint, month @extschema@.im_month)
	RETURNS TABLE (at timestamptz, event text, amount numeric, currency text, detail text)
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
	SET enable_nestloop = off	-- whatever is expected of an app, it may hold many orders
AS $$
	WITH app AS MATERIALIZED (
		SELECT a.app_id, a.card_name, a.time_zone
		FROM im_internal.im_app_cards(NULL::@extschema@.im_rate_card) a
		WHERE a.app_id = $1),
	terms AS MATERIALIZED (
		SELECT t.order_id, t.amount, t.currency
		FROM app a
		JOIN im_internal.im_app_orders('infinity'::timestamptz) e ON e.app_id = a.app_id,
			im_internal.im_rate_terms(ROW(a.app_id, a.card_name, e.orders, NULL, false)::im_internal.im_app_account,
				im_internal.im_price_book(NULL::@extschema@.im_rate_card)) t
		WHERE e.app_id = $1)
	SELECT o.at, 'order', t.amount, t.currency,
		format('Order %s: %s', o.order_id, concat_ws(' ', o.action, nullif(o.item, ''), nullif(o.option, ''),
			CASE WHEN o.months = 1 THEN 'for 1 month' WHEN o.months > 1 THEN format('for %s months', o.months) END,
			CASE WHEN o.quantity <> 1 THEN format('x %s', o.quantity) END,
			CASE WHEN o.refunds IS NOT NULL THEN format('of order %s', o.refunds) END))
	FROM @extschema@.im_order o
	JOIN app a ON a.app_id = o.app_id
	LEFT JOIN terms t ON t.order_id = o.order_id
	WHERE o.app_id = $1
		AND o.at < upper($2::daterange)::timestamp AT TIME ZONE coalesce(a.time_zone, 'UTC')
	UNION ALL
	SELECT greatest(lower(s.days), CASE WHEN NOT lower_inf(s.days) THEN date '0001-01-01' END)::timestamp
			AT TIME ZONE coalesce(a.time_zone, 'UTC'), 'suspension', NULL, NULL,
		format('Suspended %s through %s: %s', to_char(lower(s.days), 'YYYY-MM-DD'),
			coalesce(to_char(upper(s.days) - 1, 'YYYY-MM-DD'), 'now'), s.reason)
	FROM @extschema@.im_suspension s
	JOIN app a ON a.app_id = s.app_id
	WHERE s.app_id = $1 AND s.days && daterange(NULL, upper($2::daterange))
$$;
COMMENT ON FUNCTION im_internal.im_audit_orders(bigint, @extschema@.im_month) IS
'What the bill of a month follows from: the orders of an app before the end of the month with their amounts, and its suspensions.';

CREATE FUNCTION im_internal.im_audit_documents(app_id bigint, month @extschema@.im_month)
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
		format('Revision %s with %s, digest %s%s', i.revision,
			(SELECT CASE count(*) WHEN 1 THEN '1 line' ELSE format('%s lines', count(*)) END
			 FROM @extschema@.im_invoice_line l
			 WHERE l.app_id = i.app_id AND l.month = i.month AND l.revision = i.revision),
			encode(i.digest, 'hex'), ', number ' || i.number)
	FROM @extschema@.im_invoice i
	WHERE i.app_id = $1 AND i.month = $2::date
	UNION ALL
	SELECT i.issued_at, 'number', NULL, NULL, p.problem
	FROM im_internal.im_number_problems($2::date, $1) p
	JOIN @extschema@.im_invoice i ON i.app_id = p.app_id AND i.month = p.month AND i.revision = p.revision
$$;
COMMENT ON FUNCTION im_internal.im_audit_documents(bigint, @extschema@.im_month) IS
'When a month was closed for an app, its documents, and what is wrong with their numbers.';

-- A bill that cannot be right any more must not hide what was issued.
CREATE FUNCTION im_internal.im_audit_drift(app_id bigint, month @extschema@.im_month)
	RETURNS TABLE (at timestamptz, event text, amount numeric, currency text, detail text)
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	SELECT now(), 'drift', d.difference, NULL::text,
		format('Issued as %s, comes to %s now', d.issued, d.rebilled)
	FROM im_internal.im_drift_of(ARRAY[$1], $2) d;
EXCEPTION
	WHEN check_violation OR no_data_found OR data_exception OR program_limit_exceeded THEN
		RETURN QUERY SELECT now(), 'drift', NULL::numeric, NULL::text, format('The bill cannot be right now: %s', SQLERRM);
END
$$;
COMMENT ON FUNCTION im_internal.im_audit_drift(bigint, @extschema@.im_month) IS
'What would change now in the closed month of an app.';

CREATE FUNCTION @extschema@.im_audit(app_id bigint, month @extschema@.im_month)
	RETURNS TABLE (at timestamptz, event text, amount numeric, currency text, detail text)
	LANGUAGE plpgsql STABLE STRICT ROWS 20
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	PERFORM im_internal.im_need_tables();
	IF im_internal.im_guarded('im_audit_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_audit_guarded($1, $2);
		RETURN;
	END IF;
	PERFORM im_internal.im_need_app($1);
	RETURN QUERY
	SELECT e.at, e.event, e.amount, e.currency, e.detail
	FROM (SELECT 1 AS part, o.* FROM im_internal.im_audit_orders($1, $2) o
		  UNION ALL
		  SELECT 2, d.* FROM im_internal.im_audit_documents($1, $2) d
		  UNION ALL
		  SELECT 3, d.* FROM im_internal.im_audit_drift($1, $2) d) e
	ORDER BY e.part = 3, e.at NULLS FIRST, e.part, e.event = 'closed', e.detail COLLATE "C";
END
$$;
COMMENT ON FUNCTION @extschema@.im_audit(bigint, @extschema@.im_month) IS
'The whole story of an app and month in its order: orders and suspensions that bear on it, the closing, the documents and what would change now (drift), with times and amounts. Error P0002 for an unknown app.';
