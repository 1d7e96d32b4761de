-- im_document_html(): one document as it was issued, whatever came since.

-- A note says which invoice it corrects; one of before version 0.3.0 has no number.
CREATE FUNCTION im_internal.im_html_corrected(lang text, app_id bigint, month date, zone text) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT im_internal.im_html_fact(im_internal.im_html_word($1, 'corrects'::text),
		format(im_internal.im_html_word($1, 'corrects.invoice'::text), coalesce(im_internal.im_html_text(i.number), im_internal.im_html_when($1, $3)),
			im_internal.im_html_times(im_internal.im_html_date((i.issued_at AT TIME ZONE $4)::date))))
	FROM @extschema@.im_invoice i
	WHERE i.app_id = $2 AND i.month = $3 AND i.revision = 0
$$;
COMMENT ON FUNCTION im_internal.im_html_corrected(text, bigint, date, text) IS
'The invoice that the notes of an app and month correct, as a fact of a page.';

CREATE FUNCTION im_internal.im_html_document_facts(lang text, app_id bigint, month date, revision integer, zone text) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT '<dl class="facts">'
		|| im_internal.im_html_fact(im_internal.im_html_word($1, 'number'::text),
			coalesce(im_internal.im_html_text(i.number), im_internal.im_html_word($1, 'number.none'::text)))
		|| im_internal.im_html_fact(im_internal.im_html_word($1, 'issued'::text),
			im_internal.im_html_times(im_internal.im_html_date((i.issued_at AT TIME ZONE $5)::date)))
		|| CASE WHEN $4 > 0 THEN coalesce(im_internal.im_html_corrected($1, $2, $3, $5), '') ELSE '' END
		|| CASE WHEN i.account_id IS NOT NULL THEN im_internal.im_html_fact(im_internal.im_html_word($1, 'account'::text),
			format('<bdi>%s</bdi> (%s)', im_internal.im_html_text(i.account_name), i.account_id)) ELSE '' END
		|| im_internal.im_html_fact(im_internal.im_html_word($1, 'app_id'::text), $2::text)
		|| im_internal.im_html_fact(im_internal.im_html_word($1, 'card'::text), format(im_internal.im_html_word($1, 'card.from'::text),
			'<bdi>' || im_internal.im_html_text(i.rate_card) || '</bdi>', im_internal.im_html_date(i.card_from)))
		|| '</dl>'
	FROM @extschema@.im_invoice i
	WHERE i.app_id = $2 AND i.month = $3 AND i.revision = $4
$$;
COMMENT ON FUNCTION im_internal.im_html_document_facts(text, bigint, date, integer, text) IS
'What a document says of itself beside its total and its lines.';

CREATE FUNCTION im_internal.im_raise_no_document(app_id bigint, month @extschema@.im_month, revision integer) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION USING
		ERRCODE = 'no_data_found',
		MESSAGE = format('app %s has no document of revision %s of %s', $1, $3, $2),
		DETAIL = 'A month has the invoice, revision 0, and notes 1, 2, ... once they are issued.',
		HINT = format('SELECT * FROM %s.im_invoices(%s, %L) lists those that there are.', '@extschema@', $1, $2::text);
END
$$;
COMMENT ON FUNCTION im_internal.im_raise_no_document(bigint, @extschema@.im_month, integer) IS
'Raises P0002 for a document that was not issued.';

CREATE FUNCTION @extschema@.im_document_html(app_id bigint, month @extschema@.im_month, revision integer, lang text DEFAULT 'en')
	RETURNS text
	LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	document record;
	lines @extschema@.im_bill_line[];
	name text;
	zone text;
	title text := im_internal.im_html_month($4, $2::date);
BEGIN
	IF im_internal.im_guarded('im_document_html_guarded'::text) THEN
		RETURN @extschema@.im_document_html_guarded($1, $2, $3, $4);
	END IF;
	PERFORM im_internal.im_need_app($1);
	SELECT i.* INTO document FROM @extschema@.im_invoice i WHERE i.app_id = $1 AND i.month = $2::date AND i.revision = $3;
	IF NOT FOUND THEN
		PERFORM im_internal.im_raise_no_document($1, $2, $3);
	END IF;
	SELECT array_agg(ROW(l.app_id, l.month, l.line, l.item, l.option, l.period, l.due_on, l.quantity, l.included, l.billable,
		l.units, l.unit_price, l.amount, l.currency,
		im_internal.im_line_reason(l.reason, l.figures, l.explanation))::@extschema@.im_bill_line ORDER BY l.line) INTO lines
	FROM @extschema@.im_invoice_line l
	WHERE l.app_id = $1 AND l.month = $2::date AND l.revision = $3;
	name := coalesce(document.app_name, (SELECT a.name FROM @extschema@.im_app a WHERE a.app_id = $1));
	zone := coalesce((SELECT v.terms ->> 'time_zone' FROM @extschema@.im_rate_card_version v
					  WHERE v.rate_card = document.rate_card AND v.effective_from = document.card_from), 'UTC');
	RETURN im_internal.im_html_page($4, format(im_internal.im_html_word($4, 'document.' || document.kind),
			title) || ' - ' || concat_ws(' - ', im_internal.im_html_text(document.number), im_internal.im_html_text(name)),
		'<header>' || im_internal.im_html_top($4, format(im_internal.im_html_word($4, 'document.' || document.kind),
			im_internal.im_html_when($4, $2::date)), name, document.currency, document.total, scale(document.total))
		|| im_internal.im_html_document_facts($4, $1, $2::date, $3, zone) || '</header>' || E'\n'
		|| im_internal.im_html_lines($4, lines, scale(document.total), document.total, false)
		|| format('<footer><p>%s</p><p class="digest">%s</p></footer>' || E'\n',
			format(im_internal.im_html_word($4, 'note'::text), im_internal.im_html_text(zone)),
			format(im_internal.im_html_word($4, 'digest'::text), encode(document.digest, 'hex'))));
END
$$;
COMMENT ON FUNCTION @extschema@.im_document_html(bigint, @extschema@.im_month, integer, text) IS
'A document (revision 0 the invoice, 1, 2, ... its notes) as it was issued, as a self-contained HTML page in English (en) or Chinese (zh): number, lines and total; a note names the invoice that it corrects. Errors: P0002 for an unknown app and a document that was not issued, 22023 for another language.';
