-- im_month_html(): the bills of a month of all apps on one page.

-- A bar as wide as a share of the largest; the number beside it says it too.
CREATE FUNCTION im_internal.im_html_share(amount numeric, largest numeric) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	RETURN format('<svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true"><rect width="%s" height="6"/></svg>',
		CASE WHEN largest > 0 AND amount > 0 THEN round(100 * amount / largest, 1) ELSE 0 END);
COMMENT ON FUNCTION im_internal.im_html_share(numeric, numeric) IS
'A bar beside an amount.';

CREATE FUNCTION im_internal.im_html_heads(lang text, keys text[], numbers integer) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT '<thead><tr>' || string_agg(format('<th scope="col"%s>%s</th>', CASE WHEN k.n >= $3 AND k.key <> 'share' THEN ' class="n"' ELSE '' END,
			im_internal.im_html_word($1, k.key)), '' ORDER BY k.n) || '</tr></thead>' || E'\n'
	FROM unnest($2) WITH ORDINALITY k(key, n)
$$;
COMMENT ON FUNCTION im_internal.im_html_heads(text, text[], integer) IS
'The head of a table; columns from the given one on are numbers.';

CREATE FUNCTION im_internal.im_html_section(id text, heading text, class text, inner_html text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	RETURN format('<section><h2 id="%1$s">%2$s</h2><div class="scroll" tabindex="0" role="region" aria-labelledby="%1$s">'
		'<table class="%3$s"><caption>%2$s</caption>%4$s</table></div></section>', id, heading, class, inner_html) || E'\n';
COMMENT ON FUNCTION im_internal.im_html_section(text, text, text, text) IS
'A section with a table.';

-- What each item came to in a currency.
CREATE FUNCTION im_internal.im_html_items(lang text, items text[], sorts text[], lines bigint[], amounts numeric[], places integer) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT im_internal.im_html_heads($1, ARRAY['item', 'lines.count', 'share', 'amount'], 2) || '<tbody>'
		|| string_agg(format('<tr><th scope="row"><span class="item">%s</span></th><td class="n" data-label="%s">%s</td><td>%s</td>%s</tr>',
				im_internal.im_html_name($1, 'item.' || i.sort, i.item), im_internal.im_html_word($1, 'lines.count'::text),
				im_internal.im_html_number(i.lines::numeric, 0),
				im_internal.im_html_share(i.amount, (SELECT max(m) FROM unnest($5) m)),
				im_internal.im_html_amount('td'::text, ''::text, im_internal.im_html_word($1, 'amount'::text), i.amount, $6)), E'\n' ORDER BY i.amount DESC, i.item COLLATE "C", i.sort COLLATE "C")
		|| '</tbody>'
	FROM unnest($2, $3, $4, $5) i(item, sort, lines, amount)
$$;
COMMENT ON FUNCTION im_internal.im_html_items(text, text[], text[], bigint[], numeric[], integer) IS
'A table of what each item came to in a currency: items, what they are, their lines and amounts.';

-- The lines of all apps pass through once and are summed; they are too many
-- to be held.  At a front each partition sums its own.
CREATE FUNCTION im_internal.im_month_parts(apps bigint[], month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, name text, currency text, total numeric, item text, sort text, lines bigint, amount numeric)
	LANGUAGE plpgsql STABLE ROWS 10000
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
#variable_conflict use_column
BEGIN
	IF im_internal.im_guarded('im_month_parts_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_month_parts_guarded($2);
		RETURN;
	END IF;
	RETURN QUERY
	WITH sum AS MATERIALIZED (
		SELECT b.app_id, b.currency, b.item, im_internal.im_line_sort(b.item, b.period, b.explanation) AS sort, count(*) AS lines, sum(b.amount) AS amount
		FROM im_internal.im_monthly_bills_of($1, $2) b
		GROUP BY b.app_id, b.currency, b.item, sort),
	total AS MATERIALIZED (
		SELECT t.app_id, t.currency, t.total
		FROM im_internal.im_monthly_totals_of($1, $2) t)
	SELECT t.app_id, coalesce(d.app_name, a.name), t.currency, t.total, s.item, s.sort, s.lines, s.amount
	FROM total t
	JOIN @extschema@.im_app a ON a.app_id = t.app_id
	-- what was issued stands under the name of its last document
	LEFT JOIN LATERAL (SELECT i.app_name
					   FROM @extschema@.im_invoice i
					   WHERE i.app_id = t.app_id AND i.month = $2::date
					   ORDER BY i.revision DESC
					   LIMIT 1) d ON true
	LEFT JOIN sum s ON s.app_id = t.app_id AND s.currency = t.currency;
END
$$;
COMMENT ON FUNCTION im_internal.im_month_parts(bigint[], @extschema@.im_month) IS
'What im_month_html() of the given apps, null for all, is made of: each app and currency with its total and, a row an item, what it came to. Errors as im_monthly_bills().';

CREATE FUNCTION im_internal.im_month_html_of(apps bigint[], month @extschema@.im_month, lang text) RETURNS text
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	title text := format(im_internal.im_html_word($3, 'month.title'::text), im_internal.im_html_month($3, $2::date));
	head text;
	bills bigint;
	item_tables text;
	app_rows text;
BEGIN
	WITH part AS MATERIALIZED (SELECT * FROM im_internal.im_month_parts($1, $2)),
	total AS MATERIALIZED (
		SELECT p.app_id, p.name, p.currency, p.total, scale(p.total) AS places, sum(p.lines)::bigint AS lines
		FROM part p
		GROUP BY p.app_id, p.name, p.currency, p.total),
	currency AS (
		SELECT t.currency, sum(t.total) AS total, count(*) AS apps, max(t.places) AS places
		FROM total t
		GROUP BY t.currency),
	item AS (
		SELECT i.currency, array_agg(i.item) AS items, array_agg(i.sort) AS sorts, array_agg(i.lines) AS lines, array_agg(i.amount) AS amounts
		FROM (SELECT p.currency, p.item, p.sort, sum(p.lines)::bigint AS lines, sum(p.amount) AS amount
			  FROM part p
			  WHERE p.item IS NOT NULL
			  GROUP BY p.currency, p.item, p.sort) i
		GROUP BY i.currency)
	SELECT sum(c.apps),
		string_agg(format('<p class="sum"><span class="currency">%s</span><data value="%s">%s</data></p>',
			im_internal.im_html_text(c.currency), c.total, im_internal.im_html_number(c.total, c.places)), '' ORDER BY c.currency COLLATE "C"),
		string_agg(im_internal.im_html_section('items-' || c.currency,
			format('%s, %s', im_internal.im_html_word($3, 'items'::text), im_internal.im_html_text(c.currency)),
			'items'::text, im_internal.im_html_items($3, i.items, i.sorts, i.lines, i.amounts, c.places)), '' ORDER BY c.currency COLLATE "C"),
		(SELECT im_internal.im_html_heads($3, ARRAY['app', 'app_id', 'currency', 'lines.count', 'total'], 4) || '<tbody>'
				|| string_agg(format('<tr><th scope="row"><bdi>%s</bdi></th><td data-label="%s">%s</td><td data-label="%s">%s</td><td class="n" data-label="%s">%s</td>%s</tr>',
					im_internal.im_html_text(t.name), im_internal.im_html_word($3, 'app_id'::text), t.app_id,
					im_internal.im_html_word($3, 'currency'::text), im_internal.im_html_text(t.currency),
					im_internal.im_html_word($3, 'lines.count'::text), im_internal.im_html_number(t.lines::numeric, 0),
					im_internal.im_html_amount('td'::text, ''::text, im_internal.im_html_word($3, 'total'::text), t.total, t.places)), E'\n'
					ORDER BY t.currency COLLATE "C", t.total DESC, t.app_id)
				|| '</tbody>'
		 FROM total t
		 WHERE t.lines > 0)
	INTO bills, head, item_tables, app_rows
	FROM currency c
	JOIN item i ON i.currency = c.currency;
	RETURN im_internal.im_html_page($3, title,
		format('<header><div class="top"><div><p class="kicker">%s</p><h1><time datetime="%s">%s</time></h1></div><div class="total"><p class="kicker">%s</p>%s</div></div></header>' || E'\n',
			format(im_internal.im_html_word($3, 'apps.count'::text), coalesce(bills, 0)), to_char($2::date, 'YYYY-MM'), title, im_internal.im_html_word($3, 'total'::text), head)
		|| CASE WHEN app_rows IS NULL THEN format('<section class="nothing"><p>%s</p></section>' || E'\n', im_internal.im_html_word($3, 'nothing'::text))
			ELSE item_tables || im_internal.im_html_section('apps'::text, im_internal.im_html_word($3, 'apps'::text), 'apps'::text, app_rows) END);
END
$$;
COMMENT ON FUNCTION im_internal.im_month_html_of(bigint[], @extschema@.im_month, text) IS
'im_month_html() of the given apps; null for all of them.';

CREATE FUNCTION @extschema@.im_month_html(month @extschema@.im_month, lang text DEFAULT 'en') RETURNS text
	LANGUAGE plpgsql STABLE STRICT	-- im_monthly_bills() catches errors, which no parallel plan may
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF im_internal.im_guarded('im_month_html_guarded'::text) THEN
		RETURN @extschema@.im_month_html_guarded($1, $2);
	END IF;
	PERFORM im_internal.im_need_tables();
	RETURN im_internal.im_month_html_of(NULL::bigint[], $1, $2);
END
$$;
COMMENT ON FUNCTION @extschema@.im_month_html(@extschema@.im_month, text) IS
'The totals of a month of all apps as a self-contained HTML page in English (en) or Chinese (zh): per currency what each item came to, and a row an app. Errors: 22023 for another language; else as im_monthly_bills().';
