-- im_account_html(): the month of an account, all its apps on one page.

-- The headings of the tables of one app are told from those of another by its id.
CREATE FUNCTION im_internal.im_html_account_app(lang text, account_id bigint, app_id bigint,
		month @extschema@.im_month, lines @extschema@.im_bill_line[], totals jsonb)
	RETURNS text
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	head im_internal.im_html_head := im_internal.im_html_head_of($3, $4, $5);
	tables text;
BEGIN
	SELECT string_agg(im_internal.im_html_lines($1, c.lines, scale(c.total), c.total, true),
		'' ORDER BY c.currency COLLATE "C")
	INTO tables
	FROM (SELECT b.currency, array_agg(b ORDER BY b.line) AS lines, ($6 ->> b.currency)::numeric AS total
		  FROM unnest($5) b
		  GROUP BY b.currency) c;
	RETURN format('<article><h2 id="app-%1$s"><bdi>%2$s</bdi></h2><dl class="facts">', $3, im_internal.im_html_text(head.name))
		|| im_internal.im_html_fact(im_internal.im_html_word($1, 'app_id'::text), $3::text)
		|| im_internal.im_html_fact(im_internal.im_html_word($1, 'card'::text), format(im_internal.im_html_word($1, 'card.from'::text),
			'<bdi>' || im_internal.im_html_text(head.card) || '</bdi>', im_internal.im_html_date(head.card_from)))
		|| im_internal.im_html_fact(im_internal.im_html_word($1, 'status'::text), im_internal.im_html_status($1, $3, $4::date, head.zone))
		|| '</dl>' || coalesce(replace(tables, '="lines-', format('="lines-%s-', $3)),
			format('<p class="none">%s</p>', im_internal.im_html_word($1, 'nothing'::text))) || '</article>' || E'\n';
END
$$;
COMMENT ON FUNCTION im_internal.im_html_account_app(text, bigint, bigint, @extschema@.im_month, @extschema@.im_bill_line[], jsonb) IS
'The bill of one app on the page of its account, or that there is nothing to bill; totals are those of its currencies.';

-- What each app of an account comes to: of closed ones what their documents do.
-- An app of now without lines comes to 0, unless others were sent its documents.
CREATE FUNCTION im_internal.im_account_app_totals(account_id bigint, month @extschema@.im_month,
		lines @extschema@.im_account_line[])
	RETURNS TABLE (app_id bigint, currency text, lines bigint, total numeric)
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT l.app_id, l.currency, count(*), coalesce(
		(SELECT sum(d.total)
		 FROM im_internal.im_account_documents(ARRAY[$1]) d
		 WHERE d.app_id = l.app_id AND d.month = $2::date AND d.currency = l.currency),
		round(sum(l.amount), (SELECT p.scale
							  FROM @extschema@.im_app a
							  JOIN im_internal.im_cards_in_force($2) p ON p.rate_card = a.rate_card
							  WHERE a.app_id = l.app_id)))
	FROM unnest($3) l
	GROUP BY l.app_id, l.currency
	UNION ALL
	SELECT a.app_id, p.currency, bigint '0', round(0::numeric, p.scale)
	FROM @extschema@.im_app a
	JOIN im_internal.im_cards_in_force($2) p ON p.rate_card = a.rate_card
	WHERE a.account_id = $1 AND a.app_id <> ALL (ARRAY(SELECT l.app_id FROM unnest($3) l))
		AND NOT EXISTS (SELECT FROM @extschema@.im_invoice i WHERE i.app_id = a.app_id AND i.month = $2::date)
$$;
COMMENT ON FUNCTION im_internal.im_account_app_totals(bigint, @extschema@.im_month, @extschema@.im_account_line[]) IS
'The totals of the apps of an account with the lines of its bill, each rounded by itself; 0 of those without.';

-- What is told of the apps apart from the page around it: at a front each
-- partition tells of its own.
CREATE FUNCTION im_internal.im_account_parts(account_id bigint, month @extschema@.im_month, lang text)
	RETURNS TABLE (account_name text, app_id bigint, totals jsonb, html_row text, html text)
	LANGUAGE plpgsql STABLE STRICT
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	bill @extschema@.im_account_line[];
BEGIN
	IF im_internal.im_guarded('im_account_parts_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_account_parts_guarded($1, $2, $3);
		RETURN;
	END IF;
	bill := ARRAY(SELECT b FROM im_internal.im_account_lines($1, $2, true) b);
	RETURN QUERY
	WITH total AS MATERIALIZED (
		SELECT t.*, coalesce(d.app_name, a.name) AS name
		FROM im_internal.im_account_app_totals($1, $2, bill) t
		JOIN @extschema@.im_app a ON a.app_id = t.app_id
		-- what was issued stands under the name of its last document
		LEFT JOIN LATERAL (SELECT i.app_name
						   FROM @extschema@.im_invoice i
						   WHERE i.app_id = t.app_id AND i.month = $2::date
						   ORDER BY i.revision DESC
						   LIMIT 1) d ON true),
	app AS (
		SELECT t.app_id, jsonb_object_agg(t.currency, t.total) AS totals,
			string_agg(format('<tr><th scope="row"><a href="#app-%1$s"><bdi>%2$s</bdi></a></th><td data-label="%6$s">%1$s</td><td data-label="%7$s">%3$s</td><td class="n" data-label="%8$s">%4$s</td>%5$s</tr>',
				t.app_id, im_internal.im_html_text(t.name), im_internal.im_html_text(t.currency), im_internal.im_html_number(t.lines::numeric, 0),
				im_internal.im_html_amount('td'::text, ''::text, im_internal.im_html_word($3, 'total'::text), t.total, scale(t.total)),
				im_internal.im_html_word($3, 'app_id'::text), im_internal.im_html_word($3, 'currency'::text), im_internal.im_html_word($3, 'lines.count'::text)), E'\n' ORDER BY t.currency COLLATE "C") AS html_row
		FROM total t
		GROUP BY t.app_id)
	SELECT c.name, p.app_id, p.totals, p.html_row,
		CASE WHEN p.app_id IS NOT NULL THEN im_internal.im_html_account_app($3, $1, p.app_id, $2, b.lines, p.totals) END
	FROM @extschema@.im_account c
	LEFT JOIN app p ON true
	LEFT JOIN (SELECT l.app_id, array_agg(ROW(l.app_id, l.month, l.line, l.item, l.option, l.period, l.due_on, l.quantity, l.included,
					l.billable, l.units, l.unit_price, l.amount, l.currency, l.explanation)::@extschema@.im_bill_line ORDER BY l.line) AS lines
			   FROM unnest(bill) l
			   GROUP BY l.app_id) b ON b.app_id = p.app_id
	WHERE c.account_id = $1;
END
$$;
COMMENT ON FUNCTION im_internal.im_account_parts(bigint, @extschema@.im_month, text) IS
'What im_account_html() is made of: the name of the account, and of each app its totals, its rows of their table and its bill; the name alone where it has no app. Errors: P0002 for an unknown account; else as im_monthly_bill().';

CREATE FUNCTION @extschema@.im_account_html(account_id bigint, month @extschema@.im_month, lang text DEFAULT 'en')
	RETURNS text
	LANGUAGE plpgsql STABLE STRICT
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
DECLARE
	month_name text;
	account_name text;
	sums text;
	app_rows text;
	apps text;
BEGIN
	IF im_internal.im_guarded('im_account_html_guarded'::text) THEN
		RETURN @extschema@.im_account_html_guarded($1, $2, $3);
	END IF;
	month_name := im_internal.im_html_month($3, $2::date);
	WITH part AS MATERIALIZED (SELECT * FROM im_internal.im_account_parts($1, $2, $3))
	SELECT im_internal.im_html_text(min(p.account_name)),
		(SELECT string_agg(format('<p class="sum"><span class="currency">%s</span><data value="%s">%s</data></p>',
				im_internal.im_html_text(s.currency), s.total, im_internal.im_html_number(s.total, scale(s.total))), '' ORDER BY s.currency COLLATE "C")
			FROM (SELECT t.key AS currency, sum(t.value::numeric) AS total FROM part a, jsonb_each_text(a.totals) t GROUP BY t.key) s),
		string_agg(p.html_row, E'\n' ORDER BY p.app_id), string_agg(p.html, '' ORDER BY p.app_id)
	INTO account_name, sums, app_rows, apps
	FROM part p;
	RETURN im_internal.im_html_page($3, format(im_internal.im_html_word($3, 'bill.title'::text), account_name, month_name),
		format('<header><div class="top"><div><p class="kicker">%s</p><h1><bdi>%s</bdi></h1></div><div class="total"><p class="kicker">%s</p>%s</div></div><dl class="facts">%s</dl></header>' || E'\n',
			format(im_internal.im_html_word($3, 'bill'::text), format('<time datetime="%s">%s</time>', to_char($2::date, 'YYYY-MM'), month_name)),
			account_name, im_internal.im_html_word($3, 'total'::text), sums,
			im_internal.im_html_fact(im_internal.im_html_word($3, 'account_id'::text), $1::text))
		|| CASE WHEN app_rows IS NULL THEN format('<section class="nothing"><p>%s</p></section>' || E'\n', im_internal.im_html_word($3, 'nothing'::text))
			ELSE im_internal.im_html_section('apps'::text, im_internal.im_html_word($3, 'apps'::text), 'apps'::text,
				im_internal.im_html_heads($3, ARRAY['app', 'app_id', 'currency', 'lines.count', 'total'], 4) || '<tbody>' || app_rows || '</tbody>') || apps END);
END
$$;
COMMENT ON FUNCTION @extschema@.im_account_html(bigint, @extschema@.im_month, text) IS
'The bill of an account and month as a self-contained HTML page in English (en) or Chinese (zh): a table of the totals of its apps, those of 0 as well, and each app''s lines below. No script, no outside resource, every text escaped. Errors: 22023 for another language, P0002 for an unknown account; else as im_monthly_bill().';
