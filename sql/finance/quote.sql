-- What would it cost: the price calculator, the cheapest plan for an app's
-- usage, and a month of all apps under two price lists.

CREATE FUNCTION @extschema@.im_quote(card @extschema@.im_rate_card, plan text, months integer DEFAULT 1,
		peak_dau bigint DEFAULT 0, peak_groups bigint DEFAULT 0, addons jsonb DEFAULT '{}',
		deductions numeric DEFAULT 0)
	RETURNS SETOF @extschema@.im_bill_line
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE ROWS 10 PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_quote(@extschema@.im_rate_card, text, integer, bigint, bigint, jsonb, numeric) IS
'What a plan with add-ons costs for so many months with the same usage in each, as the lines of the bills of an app that orders it all on the first day; app_id is null and the months are 2001-01 onwards, by convention. peak_dau also stands for the users of a month where the card prices those; deductions are those of a month. addons: {"avchatroom": true, "history_storage": "90d", "call": {"option": "basic", "months": 3}, "moderation_pack": {"option": "month", "quantity": 2}, "local_moderation": true, "call_minutes": {"sd": 70000}}, or a list of names and such objects. Errors: 22004 without card, plan or months; 22023 for what the card does not sell on the plan, for usage below 0 and for JSON that is not understood; 22003 for figures past exact arithmetic. Parameters without types are given one, $1::im_rate_card or $1::text, or passed by name, since both forms take 2 to 6 arguments.';

CREATE FUNCTION @extschema@.im_quote(plan text, months integer DEFAULT 1, peak_dau bigint DEFAULT 0,
		peak_groups bigint DEFAULT 0, addons jsonb DEFAULT '{}', deductions numeric DEFAULT 0)
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE sql STABLE ROWS 10 PARALLEL SAFE
BEGIN ATOMIC
	SELECT q.* FROM @extschema@.im_quote(@extschema@.im_current_card(), plan, months, peak_dau,
		peak_groups, addons, deductions) q;
END;
COMMENT ON FUNCTION @extschema@.im_quote(text, integer, bigint, bigint, jsonb, numeric) IS
'im_quote() by the version of cn in force today, in CNY.';

-- The cheapest plan. What is in force and held is read from the app's own
-- bill; the core rates the month anew under each plan of the card.

CREATE FUNCTION im_internal.im_rate_plans(account im_internal.im_app_account, usage im_internal.im_usage, book im_internal.im_price_book, month @extschema@.im_month)
	RETURNS TABLE (plan text, tier integer, total numeric, currency text, lacks text, held boolean, items jsonb)
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE ROWS 3 PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_rate_plans(im_internal.im_app_account, im_internal.im_usage, im_internal.im_price_book, @extschema@.im_month) IS
'The month of one app under every plan of its card. The arguments are values made by im_gather(); no table is read.';

CREATE FUNCTION @extschema@.im_cheapest_plan(app_id bigint, month @extschema@.im_month)
	RETURNS TABLE (rank integer, plan text, total numeric, currency text, possible boolean,
		reason text, held boolean, items jsonb)
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 3
	SET search_path = pg_catalog, pg_temp
	SET jit = off	-- as in im_rebill()
AS $$
#variable_conflict use_column
DECLARE
	first date := $2::date;
	until date := upper($2::daterange);
	book im_internal.im_price_book;
	reading im_internal.im_reading;
BEGIN
	IF im_internal.im_guarded('im_cheapest_plan_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_cheapest_plan_guarded($1, $2);
		RETURN;
	END IF;
	book := im_internal.im_price_book(NULL::@extschema@.im_rate_card);
	PERFORM im_internal.im_need_app($1);
	PERFORM im_internal.im_need_month($1, $2);
	reading := im_internal.im_reading(first, until, NULL::@extschema@.im_rate_card, book, $1);
	RETURN QUERY
	SELECT CASE WHEN p.lacks IS NULL THEN (row_number() OVER cheapest)::integer END,
		p.plan, p.total, p.currency, p.lacks IS NULL, p.lacks, p.held, p.items
	FROM im_internal.im_gather(first, until, NULL::@extschema@.im_rate_card, reading) g,
		im_internal.im_rate_plans(g.account, g.usage, book, $2) p
	WHERE g.app_id = $1
	WINDOW cheapest AS (ORDER BY p.lacks IS NOT NULL, p.total, p.tier, p.plan COLLATE "C")
	ORDER BY p.lacks IS NOT NULL, p.total, p.tier, p.plan COLLATE "C";
END
$$;
COMMENT ON FUNCTION @extschema@.im_cheapest_plan(bigint, @extschema@.im_month) IS
'What a month of an app would have come to under every plan of its card in force, cheapest first. total and items price the plan for that month, in service on all its days; each add-on and local moderation that it held on a day of the month, for a month at the card''s price; and the month''s overage, call minutes and deductions. They do not price packs, which give what they hold, those bought in the month too, and cost the same under every plan; nor refunds, upgrade fees and prices agreed as paid. A plan that could not carry the month has possible false, no rank and the reason, and its total leaves out what it does not sell. held: the plan that the app had; items: {"item": amount}. Errors as im_monthly_bill().';

-- All apps under two price lists.

CREATE FUNCTION im_internal.im_rate_summary(account im_internal.im_app_account, usage im_internal.im_usage, book im_internal.im_price_book, month @extschema@.im_month,
		OUT total numeric, OUT currency text, OUT items jsonb, OUT problem text)
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_rate_summary(im_internal.im_app_account, im_internal.im_usage, im_internal.im_price_book, @extschema@.im_month) IS
'The bill of one app and month in short: its total, {"item": amount}, and why it has no total. The arguments are values made by im_gather(); no table is read.';

CREATE FUNCTION im_internal.im_items_moved(a jsonb, b jsonb) RETURNS jsonb
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(jsonb_object_agg(coalesce(x.key, y.key), d.difference), '{}')
	FROM jsonb_each_text($1) x
	FULL JOIN jsonb_each_text($2) y ON y.key = x.key,
		LATERAL (SELECT CASE WHEN y.key IS NULL THEN 0 ELSE y.value::numeric END
					- CASE WHEN x.key IS NULL THEN 0 ELSE x.value::numeric END) d(difference)
	WHERE d.difference IS DISTINCT FROM 0
$$;
COMMENT ON FUNCTION im_internal.im_items_moved(jsonb, jsonb) IS
'What moved from one {"item": amount} to another: {"item": difference}, null where one of them has no price.';

CREATE FUNCTION im_internal.im_meters_beyond(a @extschema@.im_rate_card, b @extschema@.im_rate_card) RETURNS text[]
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT array_agg(m.key ORDER BY m.key COLLATE "C")
	FROM jsonb_each($1::jsonb -> 'meters') m
	WHERE NOT coalesce($2::jsonb -> 'meters' ? m.key, false)
$$;
COMMENT ON FUNCTION im_internal.im_meters_beyond(@extschema@.im_rate_card, @extschema@.im_rate_card) IS
'The meters by name of a card that another lacks, by name; null without any.';

-- Inlined: most cards lack no meter of the other.
CREATE FUNCTION im_internal.im_meters_lacked(items jsonb, meters text[]) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT CASE WHEN $1 ?| $2 THEN im_internal.im_sentence((
		SELECT format('It has no meter %s, so that is not billed.', string_agg(m, ', ' ORDER BY m COLLATE "C"))
		FROM unnest($2) m
		WHERE $1 ? m)) END
$$;
COMMENT ON FUNCTION im_internal.im_meters_lacked(jsonb, text[]) IS
'A sentence on meters that one card bills in {"item": amount} and the other lacks; null where there are none.';

-- Where both cards cut days and count users alike, the usage is gathered once.
CREATE FUNCTION im_internal.im_compare_cards_of(among bigint[], month @extschema@.im_month,
		a @extschema@.im_rate_card, b @extschema@.im_rate_card)
	RETURNS TABLE (app_id bigint, total_a numeric, currency_a text, total_b numeric,
		currency_b text, difference numeric, moved jsonb, reason text)
	LANGUAGE plpgsql STABLE ROWS 10000
	SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_custom_plan
	SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	first date := $2::date;
	until date := upper($2::daterange);
	book_a im_internal.im_price_book := im_internal.im_price_book($3);
	book_b im_internal.im_price_book := im_internal.im_price_book($4);
	alike boolean := $3::jsonb ->> 'time_zone' = $4::jsonb ->> 'time_zone'
		AND im_internal.im_prices_users($3::jsonb) = im_internal.im_prices_users($4::jsonb)
		AND $3::jsonb -> 'meters' IS NOT DISTINCT FROM $4::jsonb -> 'meters';
	lacked_a text[] := im_internal.im_meters_beyond($4, $3);
	lacked_b text[] := im_internal.im_meters_beyond($3, $4);
	apps bigint[];
	sinces date[];
	reading_a im_internal.im_reading;
	reading_b im_internal.im_reading;
	detail text;
BEGIN
	IF $1 IS NOT NULL THEN
		SELECT array_agg(e.app_id), array_agg(e.since) INTO apps, sinces
		FROM (SELECT s.app_id, min(s.since) AS since
			  FROM (SELECT * FROM im_internal.im_early_usage_of($1, first, until, $3, book_a)
					UNION ALL
					SELECT * FROM im_internal.im_early_usage_of($1, first, until, $4, book_b)) s
			  GROUP BY s.app_id) e;
		RETURN QUERY
		SELECT g.app_id, x.total, x.currency, y.total, y.currency,
			CASE WHEN x.currency = y.currency THEN y.total - x.total END,
			CASE WHEN x.currency = y.currency THEN im_internal.im_items_moved(x.items, y.items) END,
			nullif(concat_ws(' ', 'Under a: ' || x.problem, 'Under b: ' || y.problem,
				'Under a: ' || im_internal.im_meters_lacked(y.items, lacked_a),
				'Under b: ' || im_internal.im_meters_lacked(x.items, lacked_b),
				CASE WHEN x.currency <> y.currency
					THEN format('%s and %s cannot be compared.', x.currency, y.currency) END), '')
		FROM im_internal.im_gather_of($1, first, until, $3, apps, sinces) g
		LEFT JOIN im_internal.im_gather_of(CASE WHEN NOT alike THEN $1 END, first, until, $4, apps, sinces) h
			ON h.app_id = g.app_id,
			im_internal.im_rate_summary(g.account, g.usage, book_a, $2) x,
			im_internal.im_rate_summary(g.account, CASE WHEN alike THEN g.usage ELSE h.usage END, book_b, $2) y
		WHERE x.problem IS NOT NULL OR y.problem IS NOT NULL
			OR x.items <> '{}' OR y.items <> '{}';
		RETURN;
	END IF;
	SELECT array_agg(e.app_id), array_agg(e.since) INTO apps, sinces
	FROM (SELECT s.app_id, min(s.since) AS since
		  FROM (SELECT * FROM im_internal.im_early_usage(first, until, $3, book_a)
				UNION ALL
				SELECT * FROM im_internal.im_early_usage(first, until, $4, book_b)) s
		  GROUP BY s.app_id) e;
	reading_a := im_internal.im_reading_of(first, until, $3, apps, sinces, NULL::bigint);
	reading_b := im_internal.im_reading_of(first, until, $4, apps, sinces, NULL::bigint);
	RETURN QUERY
	SELECT g.app_id, x.total, x.currency, y.total, y.currency,
		CASE WHEN x.currency = y.currency THEN y.total - x.total END,
		CASE WHEN x.currency = y.currency THEN im_internal.im_items_moved(x.items, y.items) END,
		nullif(concat_ws(' ', 'Under a: ' || x.problem, 'Under b: ' || y.problem,
			'Under a: ' || im_internal.im_meters_lacked(y.items, lacked_a),
			'Under b: ' || im_internal.im_meters_lacked(x.items, lacked_b),
			CASE WHEN x.currency <> y.currency
				THEN format('%s and %s cannot be compared.', x.currency, y.currency) END), '')
	FROM im_internal.im_gather(first, until, $3, reading_a) g
	LEFT JOIN im_internal.im_gather(first, until, $4, reading_b) h
		ON NOT alike AND h.app_id = g.app_id,
		im_internal.im_rate_summary(g.account, g.usage, book_a, $2) x,
		im_internal.im_rate_summary(g.account, CASE WHEN alike THEN g.usage ELSE h.usage END, book_b, $2) y
	WHERE x.problem IS NOT NULL OR y.problem IS NOT NULL
		OR x.items <> '{}' OR y.items <> '{}';
EXCEPTION
	WHEN check_violation OR no_data_found OR data_exception OR program_limit_exceeded THEN
		IF $1 IS NOT NULL THEN
			RAISE;
		END IF;
		GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
		PERFORM im_internal.im_raise_unbillable($2, SQLSTATE, SQLERRM, detail);
END
$$;
COMMENT ON FUNCTION im_internal.im_compare_cards_of(bigint[], @extschema@.im_month, @extschema@.im_rate_card, @extschema@.im_rate_card) IS
'im_compare_cards() of the given apps; null for all of them.';

CREATE FUNCTION @extschema@.im_compare_cards(month @extschema@.im_month, a @extschema@.im_rate_card,
		b @extschema@.im_rate_card)
	RETURNS TABLE (app_id bigint, total_a numeric, currency_a text, total_b numeric,
		currency_b text, difference numeric, moved jsonb, reason text)
	LANGUAGE plpgsql STABLE STRICT ROWS 10000
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF im_internal.im_guarded('im_compare_cards_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_compare_cards_guarded($1, $2, $3);
		RETURN;
	END IF;
	RETURN QUERY SELECT * FROM im_internal.im_compare_cards_of(NULL::bigint[], $1, $2, $3);
END
$$;
COMMENT ON FUNCTION @extschema@.im_compare_cards(@extschema@.im_month, @extschema@.im_rate_card, @extschema@.im_rate_card) IS
'The bills of a month of all apps under two price lists, set-wise, each standing for every version: both totals, b - a, and what moved it as {"item": difference}. An app with anything that a card does not price has no total under it, and the reason; so has one that cannot be billed. A meter that one card bills and the other lacks is no error (R12): it counts as nothing there, and the reason says so beside both totals. Totals are rounded, what moved is not. Error for raw rows that cannot be metered as im_monthly_bills().';
