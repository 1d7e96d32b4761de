-- Reports: what is wrong, what nobody pays, what state an app is in, what a
-- card says.

CREATE FUNCTION @extschema@.im_current_card() RETURNS @extschema@.im_rate_card
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	card @extschema@.im_rate_card;
BEGIN
	IF to_regclass('@extschema@.im_rate_card_version') IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'undefined_table',
			MESSAGE = 'there is no table im_rate_card_version yet',
			DETAIL = 'Without a card given, prices are those of the version of "cn" in force today.',
			HINT = 'Call im_create_tables() first, or give a card, such as im_bundled_card(''cn'', ''2024-01-01'').';
	END IF;
	IF im_internal.im_guarded('im_current_card_guarded'::text) THEN
		RETURN @extschema@.im_current_card_guarded();
	END IF;
	SELECT v.terms::@extschema@.im_rate_card INTO card
	FROM @extschema@.im_rate_card_version v
	WHERE v.rate_card = 'cn'
		AND v.effective_from <= (now() AT TIME ZONE (v.terms ->> 'time_zone'))::date
	ORDER BY v.effective_from DESC
	LIMIT 1;
	IF card IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'no_data_found',
			MESSAGE = 'rate card "cn" has no version in force today',
			DETAIL = 'Without a card given, prices are those of that version.',
			HINT = 'Add a version to im_rate_card_version, or give a card.';
	END IF;
	RETURN card;
END
$$;
COMMENT ON FUNCTION @extschema@.im_current_card() IS
'The version of rate card cn in force today. Errors: 42P01 before im_create_tables(), P0002 without such a version.';

CREATE FUNCTION @extschema@.im_dau_overage(plan text, peak_dau bigint) RETURNS numeric
	LANGUAGE sql STABLE PARALLEL SAFE
	RETURN @extschema@.im_dau_overage(@extschema@.im_current_card(), plan, peak_dau);
COMMENT ON FUNCTION @extschema@.im_dau_overage(text, bigint) IS
'im_dau_overage() by the version of cn in force today, in CNY.';

CREATE FUNCTION @extschema@.im_group_overage(plan text, peak bigint) RETURNS numeric
	LANGUAGE sql STABLE PARALLEL SAFE
	RETURN @extschema@.im_group_overage(@extschema@.im_current_card(), plan, peak);
COMMENT ON FUNCTION @extschema@.im_group_overage(text, bigint) IS
'im_group_overage() by the version of cn in force today, in CNY.';

CREATE FUNCTION @extschema@.im_addon_fee(plan text, addon text, option text DEFAULT '') RETURNS numeric
	LANGUAGE sql STABLE PARALLEL SAFE
	RETURN @extschema@.im_addon_fee(@extschema@.im_current_card(), plan, addon, option);
COMMENT ON FUNCTION @extschema@.im_addon_fee(text, text, text) IS
'im_addon_fee() by the version of cn in force today, in CNY per month.';

CREATE FUNCTION @extschema@.im_moderation_fee(deductions numeric) RETURNS numeric
	LANGUAGE sql STABLE PARALLEL SAFE
	RETURN @extschema@.im_moderation_fee(@extschema@.im_current_card(), deductions);
COMMENT ON FUNCTION @extschema@.im_moderation_fee(numeric) IS
'im_moderation_fee() by the version of cn in force today, in CNY.';

CREATE FUNCTION @extschema@.im_deductions(kind text, quantity numeric) RETURNS numeric
	LANGUAGE sql STABLE PARALLEL SAFE
	RETURN @extschema@.im_deductions(@extschema@.im_current_card(), kind, quantity);
COMMENT ON FUNCTION @extschema@.im_deductions(text, numeric) IS
'im_deductions() by the version of cn in force today.';

CREATE FUNCTION im_internal.im_raise_no_bundled_card(name text, effective_from date) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION USING
		ERRCODE = 'no_data_found',
		MESSAGE = format('no bundled rate card "%s" takes effect on %s', $1, to_char($2, 'YYYY-MM-DD')),
		DETAIL = (SELECT format('The versions are %s.', string_agg(format('%s from %s', b.rate_card,
					to_char(b.effective_from, 'YYYY-MM-DD')), ', ' ORDER BY b.theirs, b.rate_card, b.effective_from))
				  FROM (SELECT false AS theirs, c.rate_card, c.effective_from FROM @extschema@.im_bundled_cards() c
						UNION ALL
						SELECT true, o.rate_card, o.effective_from FROM @extschema@.im_cards_of_others() o) b
				  WHERE b.rate_card = $1 OR NOT EXISTS (
						SELECT FROM @extschema@.im_bundled_cards() c WHERE c.rate_card = $1
						UNION ALL
						SELECT FROM @extschema@.im_cards_of_others() o WHERE o.rate_card = $1)),
		HINT = 'Name a version by its first day.';
END
$$;
COMMENT ON FUNCTION im_internal.im_raise_no_bundled_card(text, date) IS
'Raises P0002 for a card that the extension does not bring, and names those that it does: of that name where there are any, else all.';

CREATE FUNCTION @extschema@.im_bundled_card(name text, effective_from date)
	RETURNS @extschema@.im_rate_card
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	card jsonb;
BEGIN
	SELECT b.terms INTO card
	FROM (SELECT c.rate_card, c.effective_from, c.terms FROM @extschema@.im_bundled_cards() c
		UNION ALL
		SELECT o.rate_card, o.effective_from, o.terms FROM @extschema@.im_cards_of_others() o) b
	WHERE b.rate_card = $1 AND b.effective_from = $2;
	IF NOT FOUND THEN
		PERFORM im_internal.im_raise_no_bundled_card($1, $2);
	END IF;
	RETURN card::@extschema@.im_rate_card;
END
$$;
COMMENT ON FUNCTION @extschema@.im_bundled_card(text, date) IS
'A rate card that the extension brings, by name and first day: a bundled one (R10, im_bundled_cards()) or another vendor''s (im_cards_of_others()). Error P0002 for any other.';

CREATE FUNCTION @extschema@.im_price_list(card @extschema@.im_rate_card)
	RETURNS TABLE (item text, plan text, option text, charge text, included numeric,
		block numeric, price numeric, "grant" numeric, coefficient numeric)
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	SET jit = off	-- as in im_rebill()
AS $$
	WITH c AS (SELECT $1::jsonb AS terms),
	-- what plans and add-ons charge for meters: who pays stands in option where no plan does
	usage(rank, meter, plan, option, charge) AS (
		SELECT CASE WHEN u.key IN ('dau', 'mau', 'groups') THEN 2 ELSE 3 END, u.key, p.key, '', u.value
		FROM c, jsonb_each(c.terms -> 'plans') p,
			LATERAL (SELECT b.key, b.value FROM jsonb_each(p.value) b WHERE b.key IN ('dau', 'mau', 'groups')
				UNION ALL
				SELECT b.key, b.value FROM jsonb_each(p.value -> 'usage') b) u
		UNION ALL
		SELECT 6, u.key, NULL, a.key, u.value
		FROM c, jsonb_each(c.terms -> 'addons') a, jsonb_each(a.value -> 'usage') u),
	-- a price, or tiers and their flats, then what bounds the amount
	parts(rank, meter, plan, option, included, block, price, coefficient, position) AS (
		SELECT u.rank, u.meter, u.plan, concat_ws(' ', nullif(u.option, ''), t.name),
			CASE WHEN t.first AND jsonb_typeof(u.charge -> 'included') <> 'object' THEN u.charge ->> 'included' END,
			t.block, t.price,
			CASE WHEN t.first THEN u.charge #>> '{included,share}' END, t.position
		FROM usage u,
			LATERAL (SELECT NULL::text AS name, true AS first, u.charge ->> 'block' AS block,
					u.charge ->> 'price' AS price, 0 AS position
				WHERE u.charge ? 'price'
				UNION ALL
				SELECT format('tier %s%s', e.n, ' to ' || (e.tier ->> 'to')), e.n = 1, e.tier ->> 'block',
					coalesce(e.tier ->> 'price', '0'), 2 * e.n::integer
				FROM jsonb_array_elements(u.charge -> 'tiers') WITH ORDINALITY e(tier, n)
				UNION ALL
				SELECT format('tier %s flat', e.n), false, NULL, e.tier ->> 'flat', 2 * e.n::integer + 1
				FROM jsonb_array_elements(u.charge -> 'tiers') WITH ORDINALITY e(tier, n) WHERE e.tier ? 'flat'
				UNION ALL
				SELECT b.key, false, NULL, b.value, 1000000
				FROM jsonb_each_text(u.charge) b WHERE b.key IN ('minimum', 'maximum')) t),
	list(rank, item, plan, option, charge, included, block, price, granted, coefficient, position) AS (
		SELECT 1, 'plan', p.key, '', 'prepaid', NULL::numeric, NULL::numeric,
			(p.value ->> 'price')::numeric, NULL::numeric, NULL::numeric, 0
		FROM c, jsonb_each(c.terms -> 'plans') p
		UNION ALL
		SELECT 1, 'plan', p.key, t.key, 'prepaid', NULL, NULL, t.value::numeric, NULL, NULL, 0
		FROM c, jsonb_each(c.terms -> 'plans') p, jsonb_each_text(p.value -> 'prices') t
		UNION ALL
		SELECT u.rank, CASE WHEN u.rank <> 2 THEN u.meter ELSE CASE u.meter WHEN 'groups' THEN 'group' ELSE u.meter END || '_overage' END,
			u.plan, u.option, 'postpaid', u.included::numeric, u.block::numeric, u.price::numeric,
			NULL, u.coefficient::numeric, u.position
		FROM parts u
		UNION ALL
		SELECT 4, a.key, p.key, o.key, a.value ->> 'charge', NULL, NULL,
			o.value::numeric, (a.value -> 'minutes' ->> o.key)::numeric, NULL, 0
		FROM c, jsonb_each(c.terms -> 'addons') a, jsonb_each(a.value -> 'prices') p,
			jsonb_each_text(p.value) o
		UNION ALL
		SELECT 5, 'call_minutes', NULL, m.key, 'postpaid', NULL, NULL,
			(m.value ->> 'price')::numeric, NULL, (m.value ->> 'ratio')::numeric, 0
		FROM c, jsonb_each(c.terms -> 'call_minutes') m
		UNION ALL
		SELECT 7, 'local_moderation', NULL, '', 'prepaid', NULL, NULL,
			(c.terms ->> 'local_moderation')::numeric, NULL, NULL, 0
		FROM c WHERE c.terms ? 'local_moderation'
		UNION ALL
		SELECT 8, 'moderation_pack', NULL, k.key, 'prepaid', NULL, NULL,
			(k.value ->> 'price')::numeric, (k.value ->> 'deductions')::numeric, NULL, 0
		FROM c, jsonb_each(c.terms -> 'moderation' -> 'packs') k
		UNION ALL
		SELECT 9, 'pack', NULL, k.key, 'prepaid', NULL, NULL,
			(k.value ->> 'price')::numeric, (k.value ->> 'holds')::numeric, NULL, 0
		FROM c, jsonb_each(c.terms -> 'packs') k
		UNION ALL
		SELECT 10, 'moderation', NULL, w.key, 'postpaid', NULL, NULL,
			(c.terms -> 'moderation' ->> 'price')::numeric, NULL, w.value::numeric, 0
		FROM c, jsonb_each_text(c.terms -> 'moderation' -> 'coefficients') w)
	SELECT l.item, l.plan, l.option, l.charge, l.included, l.block, l.price, l.granted, l.coefficient
	FROM list l
	ORDER BY l.rank, l.item COLLATE "C", l.plan COLLATE "C", l.position, l.price, l.option COLLATE "C"
$$;
COMMENT ON FUNCTION @extschema@.im_price_list(@extschema@.im_rate_card) IS
'What a card sells, a price a row, in its currency: per month for plans, add-ons and local moderation, per block or unit for usage, per minute for calls, per deduction for moderation, per pack; of a plan with a number of months as option for just so many months. A meter by name is an item; option tells the add-on that prices it, the tier and its bound, its flat, or minimum and maximum. grant: minutes each month, or what a pack holds; coefficient: deductions of a check or minute, pack minutes of a call minute, or the share of another meter that is included.';

CREATE FUNCTION @extschema@.im_app_status(app_id bigint, at timestamptz) RETURNS text
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF im_internal.im_guarded('im_app_status_guarded'::text) THEN
		RETURN @extschema@.im_app_status_guarded($1, $2);
	END IF;
	PERFORM im_internal.im_need_app($1);
	RETURN (
		SELECT im_internal.im_rate_state(ROW(a.app_id, a.card_name, o.orders, s.suspensions, false)::im_internal.im_app_account,
			im_internal.im_price_book(NULL::@extschema@.im_rate_card), $2)
		FROM im_internal.im_app_cards(NULL::@extschema@.im_rate_card) a
		LEFT JOIN im_internal.im_app_orders('infinity'::timestamptz) o ON o.app_id = a.app_id
		LEFT JOIN im_internal.im_app_suspensions() s ON s.app_id = a.app_id
		WHERE a.app_id = $1);
END
$$;
COMMENT ON FUNCTION @extschema@.im_app_status(bigint, timestamptz) IS
'The state of an app on the day of an instant, in its rate card''s time zone (R2, R7): trial, active, grace, stopped, suspended or reclaimed. Errors: P0002 for an unknown app or rate card, 22008 for an instant outside the years 1 to 9999.';

CREATE FUNCTION @extschema@.im_moderation_statement(app_id bigint, month @extschema@.im_month)
	RETURNS TABLE (day date, service text, text_checks bigint, image_checks bigint,
		audio_half_minutes bigint, video_half_minutes bigint, deductions numeric,
		from_packs numeric, packs jsonb, postpaid numeric, amount numeric)
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 31
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
	IF im_internal.im_guarded('im_moderation_statement_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_moderation_statement_guarded($1, $2);
		RETURN;
	END IF;
	book := im_internal.im_price_book(NULL::@extschema@.im_rate_card);
	PERFORM im_internal.im_need_app($1);
	PERFORM im_internal.im_need_month($1, $2);
	reading := im_internal.im_reading(first, until, NULL::@extschema@.im_rate_card, book, $1);
	RETURN QUERY
	SELECT l.*
	FROM im_internal.im_gather(first, until, NULL::@extschema@.im_rate_card, reading) g,
		im_internal.im_rate_statement(g.account, g.usage, book, $2) l
	WHERE g.app_id = $1;
END
$$;
COMMENT ON FUNCTION @extschema@.im_moderation_statement(bigint, @extschema@.im_month) IS
'Cloud moderation of a month day by day (R6): checks and half minutes by kind, deductions, what packs gave in all and each (order_id: deductions), the postpaid rest and its amount. service is on, off, suspended, stopped or reclaimed. Errors as im_monthly_bill().';

-- The packs of a day depend on the days before it, and a refund later in the
-- month takes minutes from them: so the whole month is rated, as im_rebill()
-- rates it, and the day taken out.
CREATE FUNCTION @extschema@.im_daily_charges(day date)
	RETURNS SETOF @extschema@.im_daily_charge
	LANGUAGE plpgsql STABLE STRICT ROWS 1000
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
DECLARE
	month @extschema@.im_month := $1::@extschema@.im_month;
	book im_internal.im_price_book;
	reading im_internal.im_reading;
BEGIN
	IF im_internal.im_guarded('im_daily_charges_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_daily_charges_guarded($1);
		RETURN;
	END IF;
	book := im_internal.im_price_book(NULL::@extschema@.im_rate_card);
	reading := im_internal.im_reading(month::date, upper(month::daterange), NULL::@extschema@.im_rate_card, book, NULL::bigint);
	RETURN QUERY
	SELECT l.*
	FROM im_internal.im_gather(month::date, upper(month::daterange), NULL::@extschema@.im_rate_card, reading) g,
		im_internal.im_rate_charges(g.account, g.usage, book, month) l
	WHERE l.day = $1;
END
$$;
COMMENT ON FUNCTION @extschema@.im_daily_charges(date) IS
'What is settled by the day (R13): call minutes by class and deductions of cloud moderation used on a day, of every app, in the currency of its card; due on the day after. Computed anew, also in a closed month, and not rounded: the days of a month add up to the lines of im_rebill(). Errors: as im_monthly_bill(); 22003 for a product past 8 places.';

CREATE FUNCTION @extschema@.im_daily_charges(app_id bigint, first_day date, last_day date)
	RETURNS SETOF @extschema@.im_daily_charge
	LANGUAGE plpgsql STABLE STRICT ROWS 100
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
DECLARE
	book im_internal.im_price_book;
	reading im_internal.im_reading;
	month @extschema@.im_month := $2::@extschema@.im_month;
BEGIN
	IF im_internal.im_guarded('im_daily_charges_app_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_daily_charges_app_guarded($1, $2, $3);
		RETURN;
	END IF;
	IF $3 < $2 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('last day %s is before first day %s', $3, $2),
			DETAIL = 'Charges are told for the days from the first through the last.',
			HINT = 'Give the days in their order.';
	END IF;
	book := im_internal.im_price_book(NULL::@extschema@.im_rate_card);
	PERFORM im_internal.im_need_app($1);
	WHILE month::date <= $3 LOOP
		reading := im_internal.im_reading(month::date, upper(month::daterange), NULL::@extschema@.im_rate_card, book, $1);
		RETURN QUERY
		SELECT l.*
		FROM im_internal.im_gather(month::date, upper(month::daterange), NULL::@extschema@.im_rate_card, reading) g,
			im_internal.im_rate_charges(g.account, g.usage, book, month) l
		WHERE g.app_id = $1 AND l.day BETWEEN $2 AND $3
		ORDER BY l.day, l.item COLLATE "C";
		month := month OPERATOR(@extschema@.+) 1;
	END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.im_daily_charges(bigint, date, date) IS
'The same of one app, of each day from the first through the last, by day and item. Errors as there, P0002 for an unknown app, 22023 for days in the wrong order.';

-- Nobody knows what a day of such a meter comes to: its events are counted.
CREATE FUNCTION im_internal.im_unmetered_usage(first date, until date)
	RETURNS TABLE (app_id bigint, day date, kind text, quantity numeric, reason text)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT u.app_id, @extschema@.im_day(u.at, u.time_zone), u.meter, count(*)::numeric, 'not priced by the card'
	FROM im_internal.im_unknown_meters($1, $2) u
	GROUP BY u.app_id, @extschema@.im_day(u.at, u.time_zone), u.meter
	UNION ALL
	SELECT o.app_id, o.day, o.meter, count(*)::numeric, 'no such app'
	FROM (SELECT e.app_id, @extschema@.im_day(e.at, 'Asia/Shanghai'::text) AS day, e.meter
		  FROM @extschema@.im_event e
		  WHERE e.at >= im_internal.im_utc_midnight($1 - 1) AND e.at < im_internal.im_utc_midnight($2 + 1)
			AND NOT EXISTS (SELECT FROM @extschema@.im_app a WHERE a.app_id = e.app_id)) o
	WHERE o.day >= $1 AND o.day < $2
	GROUP BY o.app_id, o.day, o.meter
	UNION ALL
	SELECT d.app_id, d.day, d.meter, d.given, CASE WHEN a.app_id IS NULL THEN 'no such app' ELSE 'not priced by the card' END
	FROM im_internal.im_meter_rows() d
	LEFT JOIN @extschema@.im_app a ON a.app_id = d.app_id
	LEFT JOIN im_internal.im_named_meters(NULL::@extschema@.im_rate_card, NULL::bigint) m
		ON m.rate_card = a.rate_card AND m.meter = d.meter
	WHERE d.day >= $1 AND d.day < $2 AND d.given > 0 AND m.meter IS NULL
$$;
COMMENT ON FUNCTION im_internal.im_unmetered_usage(date, date) IS
'What im_unbilled_usage() tells of the days [first, until) of meters that the price list lacks and of meters by name of no such app: events, or the figure that a user gave.';

CREATE FUNCTION @extschema@.im_unbilled_usage(month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, day date, kind text, quantity numeric, reason text)
	LANGUAGE plpgsql STABLE STRICT ROWS 1000
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	first date := $1::date;
	until date := upper($1::daterange);
	book im_internal.im_price_book;
	reading im_internal.im_reading;
BEGIN
	IF im_internal.im_guarded('im_unbilled_usage_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_unbilled_usage_guarded($1);
		RETURN;
	END IF;
	book := im_internal.im_price_book(NULL::@extschema@.im_rate_card);
	reading := im_internal.im_reading(first, until, NULL::@extschema@.im_rate_card, NULL::im_internal.im_price_book, NULL::bigint);
	RETURN QUERY
	SELECT l.*
	FROM im_internal.im_gather(first, until, NULL::@extschema@.im_rate_card, reading) g,
		im_internal.im_rate_unbilled(g.account, g.usage, book, $1) l;
	RETURN QUERY
	SELECT l.*
	FROM im_internal.im_orphaned_usage(first, until) g,
		im_internal.im_rate_unbilled(ROW(g.app_id, NULL, NULL, NULL, false)::im_internal.im_app_account, g.usage,
			NULL::im_internal.im_price_book, $1) l;
	RETURN QUERY SELECT * FROM im_internal.im_unmetered_usage(first, until);
END
$$;
COMMENT ON FUNCTION @extschema@.im_unbilled_usage(@extschema@.im_month) IS
'Usage of a month that nobody pays, by app, day and kind (dau, groups, text, image, audio, video, call_audio, call_sd, call_hd, call_fhd, or the name of a meter), with the reason: suspended, stopped, switched off, not priced by the card (also on days before its first version), no such app. quantity: users, groups, checks, minutes or what the meter makes of its events; their number where the card lacks the meter or there is no such app.';
