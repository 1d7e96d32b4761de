-- The ledger: what was issued, how it is read, digested and guarded.
--
-- The key of a document is (app_id, month, revision): it alone keeps two closers
-- from issuing one document twice.  Its number, which people use, comes from the
-- ledger itself, under the lock that a batch takes last (ledger/numbers.sql).

CREATE FUNCTION im_internal.im_canonical("values" record) RETURNS bytea
	AS 'MODULE_PATHNAME', 'im_canonical_record'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_canonical(record) IS
'The values of a row as bytes that no session setting, encoding or version changes and that no other values have: what digests are computed of. Error 0A000 for types that no invoice has.';

-- Lines of before version 0.3.0 have no reason, and their bytes none either.
CREATE FUNCTION im_internal.im_line_bytes(l @extschema@.im_bill_line, explanation text, reason text, figures jsonb)
	RETURNS bytea
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN im_internal.im_canonical(ROW((l).line, (l).item, (l).option, (l).period, (l).due_on,
			(l).quantity, (l).included, (l).billable, (l).units, (l).unit_price, (l).amount,
			(l).currency, explanation))
		|| CASE WHEN pg_catalog.num_nonnulls(reason, figures) = 0 THEN ''::pg_catalog.bytea
			ELSE im_internal.im_canonical(ROW(reason, figures::pg_catalog.text)) END;
COMMENT ON FUNCTION im_internal.im_line_bytes(@extschema@.im_bill_line, text, text, jsonb) IS
'What of a line goes into the digest of its document: all but app and month, which are the document''s. Explanation, reason and figures are given apart.';

CREATE FUNCTION im_internal.im_reason_sentence(reason text, figures jsonb) RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_reason_sentence(text, jsonb) IS
'The English sentence of the reason of a line, from its code and figures; null for a code that is not known, or where figures are lacking.';

CREATE FUNCTION im_internal.im_line_reason(reason text, figures jsonb, explanation text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	RETURN CASE WHEN im_internal.im_reason_sentence(reason, figures) IS NULL THEN explanation
		ELSE jsonb_build_object('reason', reason, 'figures', figures)::text END;
COMMENT ON FUNCTION im_internal.im_line_reason(text, jsonb, text) IS
'The reason of an issued line as the text that pages make a sentence of: {"reason": code, "figures": {...}}; its explanation where there is none.';

-- The text at the front tells these digests from any other use of the same
-- bytes, and a later way of computing them from this one.
CREATE FUNCTION im_internal.im_invoice_digest(app_id bigint, month date, revision integer,
		kind text, currency text, total numeric, issued_at timestamptz, rate_card text,
		card_from date, previous bytea, lines bytea)
	RETURNS bytea
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN pg_catalog.sha256(
		im_internal.im_canonical(ROW('imbilling invoice 1'::pg_catalog.text, app_id, month, revision, kind,
			currency, total, issued_at, rate_card, card_from, previous, lines)));
COMMENT ON FUNCTION im_internal.im_invoice_digest(bigint, date, integer, text, text, numeric, timestamptz, text, date, bytea, bytea) IS
'The digest of a document (SHA-256): of its columns, the digest of the app''s document before it (null for the first) and the bytes of its lines in their order.';

-- Which columns a digest covers is told by the document's digest_version.  A
-- later version adds its columns as arguments and a branch of its own; in the
-- documents of earlier versions those columns are null.
CREATE FUNCTION im_internal.im_document_digest(version integer, app_id bigint, month date,
		revision integer, kind text, currency text, total numeric, issued_at timestamptz,
		rate_card text, card_from date, app_name text, number text, account_id bigint,
		account_name text, previous bytea, lines bytea)
	RETURNS bytea
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN CASE
		WHEN version = 1 AND pg_catalog.num_nonnulls(app_name, number, account_id, account_name) = 0 THEN
			im_internal.im_invoice_digest(app_id, month, revision, kind, currency, total, issued_at,
				rate_card, card_from, previous, lines)
		WHEN version = 2 AND pg_catalog.num_nonnulls(number, account_id, account_name) = 0 THEN pg_catalog.sha256(
			im_internal.im_canonical(ROW('imbilling invoice 2'::pg_catalog.text, app_id, month, revision, kind,
				currency, total, issued_at, rate_card, card_from, app_name, previous, lines)))
		WHEN version = 3 THEN pg_catalog.sha256(
			im_internal.im_canonical(ROW('imbilling invoice 3'::pg_catalog.text, app_id, month, revision, kind,
				currency, total, issued_at, rate_card, card_from, app_name, number, account_id,
				account_name, previous, lines))) END;
COMMENT ON FUNCTION im_internal.im_document_digest(integer, bigint, date, integer, text, text, numeric, timestamptz, text, date, text, text, bigint, text, bytea, bytea) IS
'The digest of a document by the version that it names; null where the version is unknown or the document has what that version does not cover.';

-- The entries of im_closing are a chain as well, over all months.
CREATE FUNCTION im_internal.im_closing_digest(entry bigint, month date, apps int8multirange,
		without_lines int8multirange, done bigint, invoices bigint, notes bigint, total bigint,
		begun_at timestamptz, closed_at timestamptz, batch uuid, documents bytea, previous bytea)
	RETURNS bytea
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN pg_catalog.sha256(
		im_internal.im_canonical(ROW('imbilling closing 1'::pg_catalog.text, entry, month, apps::pg_catalog.text,
			without_lines::pg_catalog.text, done, invoices, notes, total, begun_at, closed_at,
			batch::pg_catalog.text, documents, previous)));
COMMENT ON FUNCTION im_internal.im_closing_digest(bigint, date, int8multirange, int8multirange, bigint, bigint, bigint, bigint, timestamptz, timestamptz, uuid, bytea, bytea) IS
'The digest of an entry of im_closing (SHA-256): of its columns and the digest of the entry before it, null for the first.';

-- ENABLE ALWAYS: session_replication_role = replica does not get past it.  Only
-- what is inserted there was issued elsewhere.
CREATE FUNCTION im_internal.im_guard_ledger() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	t record;
BEGIN
	FOR t IN
		SELECT d.table_name, d.trigger_name, w.enabled
		FROM im_internal.im_trigger_definitions() d
		JOIN (VALUES ('im_as_issued', 'A', 'ALWAYS'), ('im_only_issued', 'O', '')) w(function_name, state, enabled)
			ON d.definition LIKE '%.' || w.function_name || '()'
		JOIN pg_trigger g ON g.tgrelid = format('%s.%I', '@extschema@', d.table_name)::regclass
			AND g.tgname = d.trigger_name AND g.tgenabled <> w.state::"char"
	LOOP
		EXECUTE format('ALTER TABLE %s.%I ENABLE %s TRIGGER %I',
			'@extschema@', t.table_name, t.enabled, t.trigger_name);
	END LOOP;
END
$$;
COMMENT ON FUNCTION im_internal.im_guard_ledger() IS
'Enables the triggers that guard the ledger where somebody disabled them: those against changes whatever the session''s replication role, those against inserts in the origin role.';

-- Which apps are closed ----------------------------------------------------

-- A row of im_closing covers the ids between the apps of its batch as well: an
-- app that is inserted into a closed month later is closed without an invoice,
-- and what it used shows as drift.  An app with documents is closed, also where
-- the row that says so was lost: it is not billed beside them.

CREATE FUNCTION im_internal.im_closed_apps(month date) RETURNS int8multirange
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(range_agg(c.apps), '{}') FROM @extschema@.im_closing c WHERE c.month = $1
$$;
COMMENT ON FUNCTION im_internal.im_closed_apps(date) IS
'The app_ids that are closed in a month; all of them once the close is complete.';

-- What one statement loads was not placed now: a copy of a log brings an order
-- and its void together, and restores know nothing of the order of their tables.
CREATE FUNCTION im_internal.im_need_open_for_voids(apps bigint[], voids bigint[]) RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
	SET client_min_messages = warning
AS $$
DECLARE
	closed record;
BEGIN
	SELECT v.app_id, v.order_id, v.refunds, m.month INTO closed
	FROM unnest($1, $2) n(app_id, order_id)
	JOIN @extschema@.im_order v ON v.app_id = n.app_id AND v.order_id = n.order_id
	JOIN @extschema@.im_order o ON o.app_id = v.app_id AND o.order_id = v.refunds
		AND NOT (o.xmin = v.xmin AND o.cmin = v.cmin)
	JOIN im_internal.im_app_cards(NULL::@extschema@.im_rate_card) a ON a.app_id = v.app_id,
		LATERAL (SELECT date_trunc('month', o.at AT TIME ZONE a.time_zone)::date AS month) m
	WHERE v.app_id <@ im_internal.im_closed_apps(m.month)
		OR EXISTS (SELECT FROM @extschema@.im_invoice i WHERE i.app_id = v.app_id AND i.month = m.month)
	ORDER BY v.app_id, v.order_id
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'check_violation',
			MESSAGE = format('order %s of app %s is refused: order %s cannot be voided, its month %s is closed',
				closed.order_id, closed.app_id, closed.refunds, to_char(closed.month, 'YYYY-MM')),
			DETAIL = 'What was issued stays as it is: an order is voided while the month of its day is open for the app.',
			HINT = 'Refund the order, or order a credit or charge.';
	END IF;
END
$$;
COMMENT ON FUNCTION im_internal.im_need_open_for_voids(bigint[], bigint[]) IS
'Error 23514 where one of the voids that were placed just now is of an order whose month is closed for its app, or has documents.';

CREATE FUNCTION im_internal.im_is_begun(month @extschema@.im_month) RETURNS boolean
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM im_internal.im_need_tables();
	RETURN EXISTS (SELECT FROM @extschema@.im_closing c WHERE c.month = $1::date)
		OR EXISTS (SELECT FROM @extschema@.im_invoice i WHERE i.month = $1::date);
END
$$;
COMMENT ON FUNCTION im_internal.im_is_begun(@extschema@.im_month) IS
'Whether any app of the month is closed or has a document. Error 42P01 before im_create_tables().';

CREATE FUNCTION im_internal.im_open_apps(month @extschema@.im_month) RETURNS bigint[]
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	closed int8multirange := im_internal.im_closed_apps($1::date);
BEGIN
	-- the usual case needs no look at the apps
	IF closed @> '(,)'::int8range THEN
		RETURN NULL;
	END IF;
	RETURN (SELECT array_agg(a.app_id)
			FROM @extschema@.im_app a
			WHERE NOT a.app_id <@ closed
				AND NOT EXISTS (SELECT FROM @extschema@.im_invoice i WHERE i.app_id = a.app_id AND i.month = $1::date));
END
$$;
COMMENT ON FUNCTION im_internal.im_open_apps(@extschema@.im_month) IS
'The apps that are not closed in a month and have no documents of it; null if there are none.';

CREATE FUNCTION im_internal.im_cards_in_force(month @extschema@.im_month)
	RETURNS TABLE (rate_card text, card_from date, currency text, scale integer, time_zone text)
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT DISTINCT ON (v.rate_card) v.rate_card, v.effective_from, v.terms ->> 'currency',
		-- a card may write its scale as 2.0
		(v.terms ->> 'scale')::numeric::integer, v.terms ->> 'time_zone'
	FROM @extschema@.im_rate_card_version v
	WHERE v.effective_from < upper($1::daterange)
	-- in force on the first day, else the first one if it starts in the month
	ORDER BY v.rate_card, v.effective_from > $1::date, abs(v.effective_from - $1::date)
$$;
COMMENT ON FUNCTION im_internal.im_cards_in_force(@extschema@.im_month) IS
'The version of each rate card that rates usage of a month (R9), with its currency, the places of it and its time zone.';

-- What was issued ----------------------------------------------------------

CREATE FUNCTION im_internal.im_issued_lines(month date, reasons boolean) RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 100000
AS $$
	SELECT l.app_id, l.month,
		CASE WHEN l.revision = 0 THEN l.line
			ELSE l.line + (SELECT count(*)::integer
						   FROM @extschema@.im_invoice_line e
						   WHERE e.app_id = l.app_id AND e.month = l.month AND e.revision < l.revision) END,
		l.item, l.option, l.period, l.due_on, l.quantity, l.included, l.billable, l.units,
		l.unit_price, l.amount, l.currency,
		CASE WHEN $2 THEN im_internal.im_line_reason(l.reason, l.figures, l.explanation) ELSE l.explanation END
	FROM @extschema@.im_invoice_line l
	WHERE l.month = $1
$$;
COMMENT ON FUNCTION im_internal.im_issued_lines(date, boolean) IS
'The lines of all documents of a month as issued, with sentences or with reasons (im_line_reason()); those of an app''s notes are numbered on from those of its invoice.';

CREATE FUNCTION @extschema@.im_month_root(month @extschema@.im_month) RETURNS bytea
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM im_internal.im_need_tables();
	RETURN (
		SELECT sha256(im_internal.im_canonical(ROW('imbilling month 1'::text, $1::date,
			string_agg(im_internal.im_canonical(ROW(i.app_id, i.revision, i.digest)), ''
				ORDER BY i.app_id, i.revision))))
		FROM @extschema@.im_invoice i
		WHERE i.month = $1::date);
END
$$;
COMMENT ON FUNCTION @extschema@.im_month_root(@extschema@.im_month) IS
'One digest (SHA-256) of all documents of a month. Kept outside the database it proves later that none was changed, removed or added: im_verify_invoices(month, root).';
