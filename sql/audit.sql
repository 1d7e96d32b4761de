-- Proving the ledger: which documents are whole, and how they came about.

-- The documents of an app follow each other in the order in which they were
-- issued, whatever their months.  A digest that does not follow the one before
-- it, but the one before that, tells that what stands between was inserted.
CREATE FUNCTION @extschema@.im_checked_documents(month date)
	RETURNS TABLE (app_id bigint, month date, revision integer, copies bigint, whole boolean,
		skips boolean)
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
	WITH chain AS (
		SELECT i.*,
			lag(i.digest, 1) OVER app AS previous, lag(i.digest, 2) OVER app AS last_but_one,
			row_number() OVER app AS place,
			count(*) OVER (PARTITION BY i.app_id, i.month, i.revision) AS copies
		FROM @extschema@.im_invoice i
		WINDOW app AS (PARTITION BY i.app_id ORDER BY i.issued_at, i.month, i.revision)),
	lines AS (
		SELECT l.app_id, l.month, l.revision,
			string_agg(@extschema@.im_line_bytes(ROW(l.app_id, l.month, l.line, l.item, l.option, l.period,
				l.due_on, l.quantity, l.included, l.billable, l.units, l.unit_price, l.amount,
				l.currency, l.explanation)::@extschema@.im_bill_line), '' ORDER BY l.line) AS bytes
		FROM @extschema@.im_invoice_line l
		WHERE $1 IS NULL OR l.month = $1
		GROUP BY l.app_id, l.month, l.revision)
	SELECT c.app_id, c.month, c.revision, c.copies,
		c.digest IS NOT DISTINCT FROM @extschema@.im_invoice_digest(c.app_id, c.month, c.revision, c.kind,
			c.currency, c.total, c.issued_at, c.rate_card, c.card_from, c.previous, l.bytes),
		c.place > 1 AND c.digest IS NOT DISTINCT FROM @extschema@.im_invoice_digest(c.app_id, c.month,
			c.revision, c.kind, c.currency, c.total, c.issued_at, c.rate_card, c.card_from,
			c.last_but_one, l.bytes)
	FROM chain c
	LEFT JOIN lines l ON l.app_id = c.app_id AND l.month = c.month AND l.revision = c.revision
	WHERE $1 IS NULL OR c.month = $1
$$;
COMMENT ON FUNCTION @extschema@.im_checked_documents(date) IS
'The documents of a month, or of all if null: whether each matches its digest after the app''s document before it (whole), or else after the one before that (skips).';
