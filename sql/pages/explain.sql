-- Why this amount: the facts behind a line of a bill, each with the rows that
-- it comes from.

CREATE FUNCTION im_internal.im_rate_facts(account im_internal.im_app_account, usage im_internal.im_usage, book im_internal.im_price_book, month @extschema@.im_month, line integer)
	RETURNS TABLE (ordinal integer, fact text, day date, quantity numeric, amount numeric, note text, source text, order_id bigint, class text, declared boolean, card_from date, card_path text[], detail jsonb)
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE ROWS 200 PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_rate_facts(im_internal.im_app_account, im_internal.im_usage, im_internal.im_price_book, @extschema@.im_month, integer) IS
'The facts behind a line of the bill of one app and month, told by what computes the bill. The arguments are values made by im_gather(); no table is read. Errors as im_rate_lines().';

CREATE FUNCTION im_internal.im_rate_days(account im_internal.im_app_account, usage im_internal.im_usage, book im_internal.im_price_book, month @extschema@.im_month)
	RETURNS TABLE (day date, state text, plan text, counts boolean, dau bigint, groups bigint, deductions numeric, deductions_from_packs numeric, deductions_left numeric, minutes numeric, minutes_from_packs numeric, minutes_left numeric)
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE ROWS 31 PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_rate_days(im_internal.im_app_account, im_internal.im_usage, im_internal.im_price_book, @extschema@.im_month) IS
'The days of a month of one app: state, plan, whether the day counts (R3), users, groups, billed deductions and call minutes with what packs gave, and what the packs in force hold at the day''s end (null without any). The arguments are values made by im_gather(); no table is read. Errors as im_rate_lines().';

CREATE FUNCTION im_internal.im_rebill_facts(app_id bigint, month @extschema@.im_month, line integer)
	RETURNS TABLE (ordinal integer, fact text, day date, quantity numeric,
		amount numeric, note text, source text, order_id bigint, class text, declared boolean,
		card_from date, card_path text[], detail jsonb)
	LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 200
	SET search_path = pg_catalog, pg_temp
	SET jit = off	-- as in im_rebill()
AS $$
#variable_conflict use_column
DECLARE
	first date := $2::date;
	until date := upper($2::daterange);
	book im_internal.im_price_book := im_internal.im_price_book(NULL::@extschema@.im_rate_card);
	reading im_internal.im_reading;
BEGIN
	reading := im_internal.im_reading(first, until, NULL::@extschema@.im_rate_card, book, $1);
	RETURN QUERY
	SELECT f.ordinal, f.fact, f.day, f.quantity, f.amount, f.note, f.source, f.order_id,
		f.class, f.declared, f.card_from, f.card_path, f.detail
	FROM im_internal.im_gather(first, until, NULL::@extschema@.im_rate_card, reading) g,
		im_internal.im_rate_facts(g.account, g.usage, book, $2, $3) f
	WHERE g.app_id = $1;
END
$$;
COMMENT ON FUNCTION im_internal.im_rebill_facts(bigint, @extschema@.im_month, integer) IS
'The facts behind a line of a bill computed from the tables.';

-- Events of a local day: the day itself decides, and the bounds, which are
-- wider, are for indexes and partitions.
CREATE FUNCTION im_internal.im_fact_events(table_name text, app_id bigint, day date, zone text)
	RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	RETURN format('%s.%I WHERE app_id = %s AND %s.im_day(at, %L) = %L AND at >= %L AND at < %L',
		'@extschema@', $1, $2, '@extschema@', $4, to_char($3, 'YYYY-MM-DD'),
		to_char($3 - 1, 'YYYY-MM-DD 00:00+00'), to_char($3 + 2, 'YYYY-MM-DD 00:00+00'));
COMMENT ON FUNCTION im_internal.im_fact_events(text, bigint, date, text) IS
'What follows FROM in a query of the events of an app and local day.';

CREATE FUNCTION im_internal.im_fact_source(source text, app_id bigint, card_name text, zone text,
		day date, order_id bigint, class text, declared boolean, card_from date)
	RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	RETURN CASE
		WHEN $1 = 'order' THEN
			format('%s.im_order WHERE app_id = %s AND order_id = %s', '@extschema@', $2, $6)
		WHEN $1 = 'card' THEN
			format('%s.im_rate_card_version WHERE rate_card = %L AND effective_from = %L',
				'@extschema@', $3, to_char($9, 'YYYY-MM-DD'))
		WHEN $8 AND $1 = 'events' THEN
			format('%s.im_meter_daily WHERE app_id = %s AND day = %L AND meter = %L',
				'@extschema@', $2, to_char($5, 'YYYY-MM-DD'), $7)
		WHEN $8 THEN
			format('%s.im_usage_daily WHERE app_id = %s AND day = %L',
				'@extschema@', $2, to_char($5, 'YYYY-MM-DD'))
		WHEN $1 = 'logins' THEN
			im_internal.im_fact_events('im_login'::text, $2, $5, $4)
		WHEN $1 = 'checks' THEN
			im_internal.im_fact_events('im_moderation_check'::text, $2, $5, $4) || CASE WHEN $7 IS NULL THEN '' ELSE format(' AND kind = %L', $7) END
		WHEN $1 = 'calls' THEN
			im_internal.im_fact_events('im_call'::text, $2, $5, $4) || format(' AND class = %L', $7)
		WHEN $1 = 'events' THEN
			im_internal.im_fact_events('im_event'::text, $2, $5, $4) || format(' AND meter = %L', $7)
		WHEN $1 = 'groups' THEN
			format('%1$s.im_group WHERE app_id = %2$s AND %1$s.im_day(created_at, %3$L) <= %4$L'
				' AND (disbanded_at IS NULL OR %1$s.im_day(disbanded_at, %3$L) >= %4$L)',
				'@extschema@', $2, $4, to_char($5, 'YYYY-MM-DD'))
	END;
COMMENT ON FUNCTION im_internal.im_fact_source(text, bigint, text, text, date, bigint, text, boolean, date) IS
'The rows that a fact comes from, as what follows FROM in a query; null for a fact that follows from others.';

-- Where a price was published.  What the price page for mainland China does
-- not say (quotas, prices of call minutes, the price of 2024) stands in the
-- vendor's other documents of the time.
CREATE FUNCTION im_internal.im_price_reference(rate_card text, effective_from date, path text[])
	RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	bundled numeric;
	stored numeric;
BEGIN
	SELECT (b.terms #>> $3)::numeric INTO bundled
	FROM @extschema@.im_bundled_cards() b
	WHERE b.rate_card = $1 AND b.effective_from = $2;
	SELECT (v.terms #>> $3)::numeric INTO stored
	FROM @extschema@.im_rate_card_version v
	WHERE v.rate_card = $1 AND v.effective_from = $2;
	RETURN CASE
		WHEN bundled IS DISTINCT FROM stored OR bundled IS NULL THEN
			'the owner''s price list'
		WHEN $1 = 'cn' AND $3[4] IS DISTINCT FROM 'included' AND $3[1] <> 'call_minutes'
			AND ($3 <> ARRAY['plans', 'pro', 'price'] OR $2 < '2024-01-01') THEN
			'price page of the vendor for mainland China, https://cloud.tencent.com/document/product/269/81908'
		ELSE 'public documents of the vendor, as bundled' END;
END
$$;
COMMENT ON FUNCTION im_internal.im_price_reference(text, date, text[]) IS
'Who published an element of a card version: the vendor''s price page or other documents where it still is as bundled, else the owner of the price list.';

-- A closed month is explained by its bill computed anew, as long as that comes
-- to what was issued: the line itself, or with what notes added to it.
CREATE FUNCTION im_internal.im_same_line(a @extschema@.im_bill_line, b @extschema@.im_bill_line) RETURNS boolean
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	RETURN (a.item, a.option, a.period, a.due_on, a.unit_price, a.currency)
		IS NOT DISTINCT FROM (b.item, b.option, b.period, b.due_on, b.unit_price, b.currency);
COMMENT ON FUNCTION im_internal.im_same_line(@extschema@.im_bill_line, @extschema@.im_bill_line) IS
'Whether two lines are of the same thing: what notes change are figures of a line, never these.';

CREATE FUNCTION im_internal.im_issued_facts(lines @extschema@.im_bill_line[], line @extschema@.im_bill_line)
	RETURNS TABLE (fact text, quantity numeric, amount numeric, note text, detail jsonb)
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT 'issued', b.quantity, b.amount, b.explanation, jsonb_build_object('line', b.line)
	FROM unnest($1) b
	WHERE im_internal.im_same_line(b, $2)
	ORDER BY b.line
$$;
COMMENT ON FUNCTION im_internal.im_issued_facts(@extschema@.im_bill_line[], @extschema@.im_bill_line) IS
'The lines of an invoice and its notes that are of the same thing as a line.';

CREATE FUNCTION im_internal.im_explained_line(app_id bigint, month @extschema@.im_month,
		bill @extschema@.im_bill_line[], billed @extschema@.im_bill_line, OUT line integer, OUT alone boolean)
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	WITH issued AS MATERIALIZED (	-- once, not for each line
		SELECT sum(f.quantity) AS quantity, sum(f.amount) AS amount
		FROM im_internal.im_issued_facts($3, $4) f)
	SELECT r.line, same.alone
	FROM @extschema@.im_rebill($1, $2, NULL::@extschema@.im_rate_card) r, issued,
		LATERAL (SELECT (r.quantity, r.included, r.amount)
					IS NOT DISTINCT FROM (($4).quantity, ($4).included, ($4).amount) AS alone) same
	WHERE im_internal.im_same_line(r, $4)
		AND (same.alone OR (r.quantity, r.amount) IS NOT DISTINCT FROM (issued.quantity, issued.amount))
	ORDER BY same.alone DESC, r.line = ($4).line DESC, r.line
	LIMIT 1
$$;
COMMENT ON FUNCTION im_internal.im_explained_line(bigint, @extschema@.im_month, @extschema@.im_bill_line[], @extschema@.im_bill_line) IS
'The line of the bill computed anew that explains a line as billed: alone, if it is the same, or what the lines of all documents come to; null without one.';

CREATE FUNCTION im_internal.im_told_facts(app_id bigint, month @extschema@.im_month, line integer)
	RETURNS TABLE (ordinal integer, fact text, day date, quantity numeric, amount numeric,
		note text, source text, detail jsonb)
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 50
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT f.ordinal, f.fact, f.day, f.quantity, f.amount, f.note,
		im_internal.im_fact_source(f.source, $1, c.card_name, c.time_zone, f.day, f.order_id, f.class, f.declared, f.card_from),
		f.detail
			|| CASE WHEN f.card_path IS NULL THEN '{}' ELSE jsonb_build_object('path', f.card_path,
				'published', im_internal.im_price_reference(c.card_name, f.card_from, f.card_path)) END
			|| CASE WHEN f.detail ->> 'state' IS DISTINCT FROM 'suspended' THEN '{}' ELSE jsonb_build_object('because',
				format('%s.im_suspension WHERE app_id = %s AND days @> date %L', '@extschema@', $1,
					to_char(f.day, 'YYYY-MM-DD'))) END
	FROM im_internal.im_rebill_facts($1, $2, $3) f
	JOIN im_internal.im_app_cards(NULL::@extschema@.im_rate_card) c ON c.app_id = $1
$$;
COMMENT ON FUNCTION im_internal.im_told_facts(bigint, @extschema@.im_month, integer) IS
'The facts of a line of the bill computed anew, with the rows that they come from.';

CREATE FUNCTION @extschema@.im_explain(app_id bigint, month @extschema@.im_month, line integer)
	RETURNS TABLE (ordinal integer, fact text, day date, quantity numeric, amount numeric,
		note text, source text, detail jsonb)
	LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED ROWS 50
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	bill @extschema@.im_bill_line[];
	billed @extschema@.im_bill_line;
	explained record;
	told int := 1;
BEGIN
	IF im_internal.im_guarded('im_explain_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_explain_guarded($1, $2, $3);
		RETURN;
	END IF;
	SELECT array_agg(b) INTO bill FROM @extschema@.im_monthly_bill($1, $2) b;
	SELECT b.* INTO billed FROM unnest(bill) b WHERE b.line = $3;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'no_data_found',
			MESSAGE = format('the bill of app %s for %s has no line %s', $1, $2, $3),
			DETAIL = format('The bill has %s lines, numbered from 1.', coalesce(cardinality(bill), 0)),
			HINT = format('SELECT line, item, amount FROM %s.im_monthly_bill(%s, %L) lists them.', '@extschema@', $1, $2::text);
	END IF;
	RETURN QUERY
	SELECT 1, 'line', billed.due_on, billed.quantity, billed.amount, billed.explanation, NULL::text,
		jsonb_build_object('item', billed.item, 'option', billed.option, 'currency', billed.currency);
	SELECT x.line, coalesce(x.alone, false) AS alone INTO explained
	FROM im_internal.im_explained_line($1, $2, bill, billed) x;
	IF NOT explained.alone THEN
		RETURN QUERY
		SELECT 1 + (row_number() OVER ())::int, i.fact, NULL::date, i.quantity, i.amount, i.note,
			format('%s.im_invoice_line WHERE app_id = %s AND month = %L', '@extschema@', $1, to_char($2::date, 'YYYY-MM-DD')), i.detail
		FROM im_internal.im_issued_facts(bill, billed) i;
		GET DIAGNOSTICS told = ROW_COUNT;
		told := told + 1;
	END IF;
	IF explained.line IS NULL THEN
		RETURN QUERY
		SELECT told + 1, 'changed', NULL::date, NULL::numeric, NULL::numeric,
			'The line stands as it was issued, and what the tables hold now leads to another: its facts can be told no more.',
			NULL::text, '{}'::jsonb;
		RETURN;
	END IF;
	RETURN QUERY
	SELECT f.ordinal + told, f.fact, f.day, f.quantity, f.amount, f.note, f.source, f.detail
	FROM im_internal.im_told_facts($1, $2, explained.line) f
	ORDER BY f.ordinal;
END
$$;
COMMENT ON FUNCTION @extschema@.im_explain(bigint, @extschema@.im_month, integer) IS
'Why a line of a bill has its amount: the facts in their order, each with a note and with the rows that it comes from. source is what follows FROM in a query of them; null for what follows from other facts. The facts before "amount" add up to it. quantity and amount are in the units and the currency of the line. Errors: P0002 for a line that the bill does not have; else as im_monthly_bill().';
