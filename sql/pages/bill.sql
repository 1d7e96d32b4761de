-- im_bill_html(): the bill of an app as a page to read, print and keep.

CREATE FUNCTION im_internal.im_html_amount(tag text, class text, label text, amount numeric, places integer) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	RETURN format('<%1$s role="cell" class="n amount%2$s%3$s%6$s" data-label="%4$s">%5$s</%1$s>',
		tag, class, CASE WHEN amount < 0 THEN ' minus' ELSE '' END, label,
		im_internal.im_html_money(amount, amount, places), im_internal.im_html_long(im_internal.im_html_number(amount, places)));
COMMENT ON FUNCTION im_internal.im_html_amount(text, text, text, numeric, integer) IS
'A cell with an amount of money in the places of its currency, with the exact one where they differ.';

CREATE FUNCTION im_internal.im_html_cell(label text, value numeric) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	RETURN format('<td role="cell" class="n%s" data-label="%s">%s</td>',
		CASE WHEN value IS NULL THEN ' none' ELSE im_internal.im_html_long(im_internal.im_html_number(value, 0)) END, label, im_internal.im_html_number(value, 0));
COMMENT ON FUNCTION im_internal.im_html_cell(text, numeric) IS
'A cell with a number; empty for null.';

CREATE FUNCTION im_internal.im_html_line(lang text, line @extschema@.im_bill_line, places integer) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('<tr role="row"><td role="cell" class="no">%s</td><th role="rowheader" scope="row">'
			'<span class="item">%s</span> <span class="option">%s</span>'
			'<p class="why">%s</p><p class="when">%s</p></th>',
			($2).line, im_internal.im_html_name($1, 'item.' || im_internal.im_line_sort(($2).item, ($2).period, ($2).explanation), ($2).item),
			im_internal.im_html_item($1, ($2).item, ($2).option),
			im_internal.im_html_times(im_internal.im_html_grouped(im_internal.im_html_reason($1, ($2).explanation))),
			im_internal.im_html_times(format(im_internal.im_html_word($1, 'when'::text), im_internal.im_html_date(lower(($2).period)),
				im_internal.im_html_date(upper(($2).period) - 1), im_internal.im_html_date(($2).due_on))))
		|| im_internal.im_html_cell(im_internal.im_html_word($1, 'quantity'::text), ($2).quantity)
		|| im_internal.im_html_cell(im_internal.im_html_word($1, 'included'::text), nullif(($2).included, 0))
		|| im_internal.im_html_cell(im_internal.im_html_word($1, 'units'::text), ($2).units)
		|| im_internal.im_html_cell(im_internal.im_html_word($1, 'unit_price'::text), ($2).unit_price)
		|| coalesce(im_internal.im_html_amount('td'::text, ''::text, im_internal.im_html_word($1, 'amount'::text), ($2).amount, $3),
			format('<td role="cell" class="n amount">%s</td>', im_internal.im_html_word($1, 'no_price'::text)))
		|| '</tr>' || E'\n'
$$;
COMMENT ON FUNCTION im_internal.im_html_line(text, @extschema@.im_bill_line, integer) IS
'A line of a bill, with its reason, as a row of its table.';

CREATE FUNCTION im_internal.im_html_lines(lang text, lines @extschema@.im_bill_line[], places integer, total numeric,
		one_of_several boolean) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	exact numeric := (SELECT sum(b.amount) FROM unnest($2) b);
	shown numeric := (SELECT sum(round(b.amount, $3)) FROM unnest($2) b);
	currency text := im_internal.im_html_text(($2[1]).currency);
BEGIN
	RETURN format('<section><h2 id="lines%2$s">%1$s</h2><div class="scroll" tabindex="0" role="region" aria-labelledby="lines%2$s">'
			'<table role="table" class="lines"><caption>%1$s</caption><thead role="rowgroup"><tr role="row">',
			im_internal.im_html_word($1, 'lines'::text) || CASE WHEN $5 THEN ', ' || currency ELSE '' END,
			CASE WHEN $5 THEN '-' || currency ELSE '' END)
		|| (SELECT string_agg(format('<th role="columnheader" scope="col"%s>%s%s</th>', h.class,
					im_internal.im_html_word($1, h.key),
					CASE WHEN h.key IN ('unit_price', 'amount') THEN ' (' || currency || ')' ELSE '' END), '' ORDER BY h.n)
			FROM (VALUES (1, 'line', ' class="no"'), (2, 'item', ''), (3, 'quantity', ' class="n"'), (4, 'included', ' class="n"'),
						 (5, 'units', ' class="n"'), (6, 'unit_price', ' class="n"'), (7, 'amount', ' class="n"')) h(n, key, class))
		|| '</tr></thead>' || E'\n' || '<tbody role="rowgroup">'
		|| (SELECT string_agg(im_internal.im_html_line($1, b, $3), '' ORDER BY b.line)
			FROM unnest($2) b)
		|| '</tbody>' || E'\n' || '<tfoot role="rowgroup">'
		-- what is shown adds up as well as what is exact
		|| CASE WHEN total = exact AND total = shown THEN '' ELSE
			format('<tr role="row" class="round"><th role="rowheader" scope="row" colspan="6">%s</th><td role="cell" class="n amount">%s</td></tr>',
				im_internal.im_html_word($1, 'total.rounding'::text),
				im_internal.im_html_money(total - exact, total - shown, $3)) END
		|| format('<tr role="row"><th role="rowheader" scope="row" colspan="6">%s</th>%s</tr>',
			format(im_internal.im_html_word($1, 'total.in'::text), currency),
			im_internal.im_html_amount('td'::text, ''::text, ''::text, total, $3))
		|| '</tfoot></table></div></section>' || E'\n';
END
$$;
COMMENT ON FUNCTION im_internal.im_html_lines(text, @extschema@.im_bill_line[], integer, numeric, boolean) IS
'The table of the lines of a bill that are in one currency, with their total.';

CREATE FUNCTION im_internal.im_html_fact(heading text, fact text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	RETURN format('<div><dt>%s</dt><dd>%s</dd></div>', heading, fact);
COMMENT ON FUNCTION im_internal.im_html_fact(text, text) IS
'A heading with a fact below it.';

-- What of the total was bought, used, given back and entered by hand.
CREATE FUNCTION im_internal.im_html_sums(lang text, month date, lines @extschema@.im_bill_line[], places integer) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT string_agg(im_internal.im_html_fact(s.heading, im_internal.im_html_number(round(s.amount, $4), $4)), '' ORDER BY s.n)
	FROM (SELECT k.n, k.heading, sum(b.amount) AS amount
		  FROM unnest($3) b,
			LATERAL (SELECT CASE WHEN b.item = 'refund' THEN 3
				WHEN im_internal.im_line_sort(b.item, b.period, b.explanation) IN ('credit', 'charge') THEN 4
				WHEN b.due_on = $2 + interval '1 month' THEN 2 ELSE 1 END AS n) kind,
			LATERAL (VALUES (1, im_internal.im_html_word($1, 'bought'::text)),
							(2, format(im_internal.im_html_word($1, 'used'::text), im_internal.im_html_date(($2 + interval '1 month')::date))),
							(3, im_internal.im_html_word($1, 'refunded'::text)),
							(4, im_internal.im_html_word($1, 'by_hand'::text))) k(n, heading)
		  WHERE k.n = kind.n
		  GROUP BY k.n, k.heading) s
$$;
COMMENT ON FUNCTION im_internal.im_html_sums(text, date, @extschema@.im_bill_line[], integer) IS
'The sums of what was bought, used, refunded, and credited or charged by hand.';

-- Whether the month is closed for the app, and what was issued.
CREATE FUNCTION im_internal.im_html_status(lang text, app_id bigint, month date, zone text) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN count(*) = 0 THEN im_internal.im_html_word($1, 'status.open'::text)
		ELSE format(im_internal.im_html_word($1, 'status.issued'::text),
			im_internal.im_html_date((min(i.issued_at) AT TIME ZONE $4)::date)) END
		|| CASE WHEN count(*) < 2 THEN '' ELSE format(im_internal.im_html_word($1, 'status.notes'::text), count(*) - 1) END
	FROM @extschema@.im_invoice i
	WHERE i.app_id = $2 AND i.month = $3
$$;
COMMENT ON FUNCTION im_internal.im_html_status(text, bigint, date, text) IS
'When the invoice of a month was issued and how many notes followed, or that the bill may still change.';

CREATE TYPE im_internal.im_html_head AS (
	name text,
	card text,
	card_from date,
	terms jsonb,
	places integer,
	currency text,
	zone text,
	total numeric
);
COMMENT ON TYPE im_internal.im_html_head IS
'What a page says of an app beside its lines and days; internal.';
COMMENT ON COLUMN im_internal.im_html_head.name IS 'Its name.';
COMMENT ON COLUMN im_internal.im_html_head.card IS 'Its price list.';
COMMENT ON COLUMN im_internal.im_html_head.card_from IS 'First day of the version that rates the month.';
COMMENT ON COLUMN im_internal.im_html_head.terms IS 'That version.';
COMMENT ON COLUMN im_internal.im_html_head.places IS 'Decimal places of the currency.';
COMMENT ON COLUMN im_internal.im_html_head.currency IS 'ISO 4217 code.';
COMMENT ON COLUMN im_internal.im_html_head.zone IS 'Time zone of its days.';
COMMENT ON COLUMN im_internal.im_html_head.total IS 'Total of the bill in that currency.';

-- What was issued stands under the name and price list that its last document
-- has, and in its currency, whatever the app is called and pays by now.
CREATE FUNCTION im_internal.im_html_head_of(app_id bigint, month @extschema@.im_month,
		lines @extschema@.im_bill_line[])
	RETURNS im_internal.im_html_head
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	head im_internal.im_html_head;
BEGIN
	SELECT coalesce(i.app_name, a.name), coalesce(i.rate_card, v.rate_card), coalesce(i.card_from, v.effective_from),
		v.terms, (v.terms ->> 'scale')::numeric::int, coalesce(($3[cardinality($3)]).currency, v.terms ->> 'currency'),
		v.terms ->> 'time_zone', NULL INTO head
	FROM @extschema@.im_app a
	LEFT JOIN LATERAL (SELECT i.app_name, i.rate_card, i.card_from
					   FROM @extschema@.im_invoice i
					   WHERE i.app_id = a.app_id AND i.month = $2::date
					   ORDER BY i.revision DESC
					   LIMIT 1) i ON true
	JOIN @extschema@.im_rate_card_version v ON v.rate_card IN (i.rate_card, a.rate_card)
	WHERE a.app_id = $1
	ORDER BY v.rate_card IS NOT DISTINCT FROM i.rate_card DESC, v.effective_from IS NOT DISTINCT FROM i.card_from DESC,
		v.effective_from > $2::date, abs(v.effective_from - $2::date)
	LIMIT 1;
	IF EXISTS (SELECT FROM @extschema@.im_invoice i WHERE i.app_id = $1 AND i.month = $2::date) THEN
		head.total := @extschema@.im_monthly_total($1, $2);
		head.places := greatest(head.places, scale(head.total));
	ELSE
		head.total := round(coalesce((SELECT sum(b.amount) FROM unnest($3) b), 0), head.places);
	END IF;
	RETURN head;
END
$$;
COMMENT ON FUNCTION im_internal.im_html_head_of(bigint, @extschema@.im_month, @extschema@.im_bill_line[]) IS
'App, price list and total of a page.';

-- Lines are in two currencies where an app's price list came to have another one
-- after its month was closed.
CREATE FUNCTION im_internal.im_html_tables(lang text, app_id bigint, month date, lines @extschema@.im_bill_line[],
		head im_internal.im_html_head) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT string_agg(im_internal.im_html_lines($1, c.lines, CASE WHEN c.current THEN ($5).places ELSE scale(t.total) END,
			t.total, c.several), '' ORDER BY c.current, c.currency COLLATE "C")
	FROM (SELECT b.currency, b.currency IS NOT DISTINCT FROM ($5).currency AS current,
				 count(*) OVER () > 1 AS several, array_agg(b ORDER BY b.line) AS lines
		  FROM unnest($4) b
		  GROUP BY b.currency) c,
		LATERAL (SELECT CASE WHEN c.current THEN ($5).total ELSE
					(SELECT sum(i.total)
					 FROM @extschema@.im_invoice i
					 WHERE i.app_id = $2 AND i.month = $3 AND i.currency = c.currency) END AS total) t
$$;
COMMENT ON FUNCTION im_internal.im_html_tables(text, bigint, date, @extschema@.im_bill_line[], im_internal.im_html_head) IS
'The lines of a bill: a table for each currency, last the one of its total.';

CREATE FUNCTION im_internal.im_html_top(lang text, kicker text, name text, currency text, total numeric, places integer) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
	RETURN format('<div class="top"><div><p class="kicker">%s</p><h1><bdi>%s</bdi></h1></div>'
		'<div class="total"><p class="kicker">%s</p><p class="sum"><span class="currency">%s</span><data id="total" value="%s">%s</data></p></div></div>',
		kicker, im_internal.im_html_text(name), im_internal.im_html_word(lang, 'total'::text), im_internal.im_html_text(currency),
		total, im_internal.im_html_number(total, places));
COMMENT ON FUNCTION im_internal.im_html_top(text, text, text, text, numeric, integer) IS
'The first line of a page: what it is, whose, how much.';

CREATE FUNCTION im_internal.im_html_header(lang text, app_id bigint, month date, head im_internal.im_html_head,
		plan text, lines @extschema@.im_bill_line[]) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT '<header>' || im_internal.im_html_top($1, format(im_internal.im_html_word($1, 'bill'::text), im_internal.im_html_when($1, $3)),
			($4).name, ($4).currency, ($4).total, ($4).places)
		|| '<dl class="facts">'
		|| im_internal.im_html_fact(im_internal.im_html_word($1, 'app_id'::text), $2::text)
		|| im_internal.im_html_fact(im_internal.im_html_word($1, 'plan'::text),
			coalesce(im_internal.im_html_name($1, 'plan.' || $5, $5), im_internal.im_html_word($1, 'plan.none'::text)))
		|| im_internal.im_html_fact(im_internal.im_html_word($1, 'card'::text), format(im_internal.im_html_word($1, 'card.from'::text),
			'<bdi>' || im_internal.im_html_text(($4).card) || '</bdi>', im_internal.im_html_date(($4).card_from)))
		|| coalesce(im_internal.im_html_sums($1, $3,
			ARRAY(SELECT b FROM unnest($6) b WHERE b.currency IS NOT DISTINCT FROM ($4).currency), ($4).places), '')
		|| im_internal.im_html_fact(im_internal.im_html_word($1, 'status'::text),
			im_internal.im_html_status($1, $2, $3, ($4).zone))
		|| '</dl></header>' || E'\n'
$$;
COMMENT ON FUNCTION im_internal.im_html_header(text, bigint, date, im_internal.im_html_head, text, @extschema@.im_bill_line[]) IS
'The head of a bill: whose, for when, how much.';

-- What im_monthly_bill() says, told by reasons.
CREATE FUNCTION im_internal.im_bill_reasons(app_id bigint, month @extschema@.im_month)
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 10
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM im_internal.im_need_tables();
	PERFORM im_internal.im_need_app($1);
	IF EXISTS (SELECT FROM @extschema@.im_closing c WHERE c.month = $2::date AND c.apps @> $1)
		OR EXISTS (SELECT FROM @extschema@.im_invoice i WHERE i.app_id = $1 AND i.month = $2::date) THEN
		RETURN QUERY SELECT i.* FROM im_internal.im_issued_lines($2::date, true) i WHERE i.app_id = $1;
	ELSE
		PERFORM im_internal.im_need_month($1, $2);
		RETURN QUERY SELECT * FROM im_internal.im_rebill_apps($2, ARRAY[$1], true);
	END IF;
END
$$;
COMMENT ON FUNCTION im_internal.im_bill_reasons(bigint, @extschema@.im_month) IS
'The lines of im_monthly_bill() with reasons as text (im_line_reason()). Errors as im_monthly_bill().';

CREATE FUNCTION @extschema@.im_bill_html(app_id bigint, month @extschema@.im_month, lang text DEFAULT 'en')
	RETURNS text
	LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	title text;
	lines @extschema@.im_bill_line[];
	days im_internal.im_html_day[];
	head im_internal.im_html_head;
	plan text;
	dau_day date;
	group_day date;
BEGIN
	IF im_internal.im_guarded('im_bill_html_guarded'::text) THEN
		RETURN @extschema@.im_bill_html_guarded($1, $2, $3);
	END IF;
	title := im_internal.im_html_month($3, $2::date);
	SELECT array_agg(b ORDER BY b.line) INTO lines FROM im_internal.im_bill_reasons($1, $2) b;
	SELECT array_agg(ROW(d.*)::im_internal.im_html_day ORDER BY d.day) INTO days
	FROM im_internal.im_rebill_days($1, $2) d;
	head := im_internal.im_html_head_of($1, $2, lines);
	-- on the free plan none is in force, but it has a name
	SELECT coalesce(d.plan, CASE d.state WHEN 'trial' THEN
		(SELECT p.key FROM jsonb_each(head.terms -> 'plans') p WHERE (p.value ->> 'rank')::numeric = 0) END) INTO plan
	FROM unnest(days) d ORDER BY d.counts DESC, d.day DESC LIMIT 1;
	SELECT d.day INTO dau_day FROM unnest(days) d WHERE d.counts AND d.dau > 0 ORDER BY d.dau DESC, d.day LIMIT 1;
	SELECT d.day INTO group_day FROM unnest(days) d WHERE d.counts AND d.groups > 0 ORDER BY d.groups DESC, d.day LIMIT 1;
	RETURN im_internal.im_html_page($3, format(im_internal.im_html_word($3, 'bill.title'::text), im_internal.im_html_text(head.name), title),
		im_internal.im_html_header($3, $1, $2::date, head, plan, lines)
		|| CASE WHEN lines IS NULL THEN format('<section class="nothing"><p>%s</p><p>%s</p></section>' || E'\n',
				im_internal.im_html_word($3, 'nothing'::text), format(im_internal.im_html_word($3, 'nothing.note'::text), title))
			ELSE im_internal.im_html_tables($3, $1, $2::date, lines, head) END
		|| im_internal.im_html_charts($3, days,
			(head.terms #>> ARRAY['plans', plan, 'dau', 'included'])::numeric,
			(head.terms #>> ARRAY['plans', plan, 'groups', 'included'])::numeric,
			im_internal.im_html_meter_charts($3, $1, $2, days, head.terms))
		|| CASE WHEN EXISTS (SELECT FROM unnest(days) d WHERE d.dau > 0 OR d.groups > 0 OR d.deductions > 0 OR d.minutes > 0
					OR d.deductions_left IS NOT NULL OR d.minutes_left IS NOT NULL)
				THEN im_internal.im_html_days($3, days, dau_day, group_day) ELSE '' END
		|| format('<footer><p>%s</p></footer>' || E'\n',
			format(im_internal.im_html_word($3, 'note'::text), im_internal.im_html_text(head.zone))));
END
$$;
COMMENT ON FUNCTION @extschema@.im_bill_html(bigint, @extschema@.im_month, text) IS
'The bill of an app and month as a self-contained HTML page in English (en) or Chinese (zh): lines with their reasons, total, charts and figures of each day; it prints on A4. No script, no outside resource, every text escaped. Errors: 22023 for another language; else as im_monthly_bill().';
