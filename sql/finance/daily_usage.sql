-- Usage day by day, and the terms of what was ordered.

CREATE FUNCTION im_internal.im_daily_usage_of(apps bigint[], month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, day date, status text, plan text, given boolean, dau bigint,
		peak_groups bigint, text_checks bigint, image_checks bigint, audio_half_minutes bigint,
		video_half_minutes bigint, audio_minutes bigint, sd_minutes bigint, hd_minutes bigint,
		fhd_minutes bigint)
	LANGUAGE plpgsql STABLE ROWS 100000
	SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_custom_plan
	SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	first date := $2::date;
	until date := upper($2::daterange);
	book im_internal.im_price_book := im_internal.im_price_book(NULL::@extschema@.im_rate_card);
	reading im_internal.im_reading;
BEGIN
	IF $1 IS NOT NULL THEN
		RETURN QUERY
		SELECT g.app_id, d.*
		FROM im_internal.im_gather_of($1, first, until, NULL::@extschema@.im_rate_card, NULL::bigint[], NULL::date[]) g
		LEFT JOIN LATERAL (
			SELECT c.orders
			FROM im_internal.im_app_orders('infinity'::timestamptz) c
			WHERE c.app_id = g.app_id
			OFFSET 0) o ON true
		CROSS JOIN LATERAL
			im_internal.im_rate_usage(im_internal.im_with_orders(g.account, o.orders), g.usage, book, $2) d;
		RETURN;
	END IF;
	reading := im_internal.im_reading(first, until, NULL::@extschema@.im_rate_card, NULL::im_internal.im_price_book, NULL::bigint);
	RETURN QUERY
	SELECT g.app_id, d.*
	FROM im_internal.im_gather(first, until, NULL::@extschema@.im_rate_card, reading) g
	-- a renewal in the grace makes days of a month before days of its term
	LEFT JOIN im_internal.im_app_orders('infinity'::timestamptz) o ON o.app_id = g.app_id
	CROSS JOIN LATERAL
		im_internal.im_rate_usage(im_internal.im_with_orders(g.account, o.orders), g.usage, book, $2) d;
END
$$;
COMMENT ON FUNCTION im_internal.im_daily_usage_of(bigint[], @extschema@.im_month) IS
'im_daily_usage() of the given apps; null for all of them.';

CREATE FUNCTION @extschema@.im_daily_usage(month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, day date, status text, plan text, given boolean, dau bigint,
		peak_groups bigint, text_checks bigint, image_checks bigint, audio_half_minutes bigint,
		video_half_minutes bigint, audio_minutes bigint, sd_minutes bigint, hd_minutes bigint,
		fhd_minutes bigint)
	LANGUAGE plpgsql STABLE STRICT ROWS 100000
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF im_internal.im_guarded('im_daily_usage_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_daily_usage_guarded($1);
		RETURN;
	END IF;
	RETURN QUERY SELECT * FROM im_internal.im_daily_usage_of(NULL::bigint[], $1);
END
$$;
COMMENT ON FUNCTION @extschema@.im_daily_usage(@extschema@.im_month) IS
'The usage of a month by app and day as bills see it, set-wise: figures that were given in im_usage_daily (given true if any was) or metered from events. A day without either has no row. status and plan are those of the day, null where the orders break the rules. Error 22023 for a raw row that cannot be metered.';

-- Inlined, so that a condition on app_id reads the orders of that app alone;
-- hence without a search_path of its own, and qualified to the last operator.
CREATE FUNCTION @extschema@.im_order_terms()
	RETURNS TABLE (app_id bigint, order_id bigint, day date, starts_on date, ends_on date,
		bought_through date, amount numeric, currency text, refunded_on date)
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 10000
AS $$
	SELECT a.app_id, t.order_id, t.day, t.starts_on, t.ends_on, t.bought_through, t.amount,
		t.currency, t.refunded_on
	FROM @extschema@.im_app a
	JOIN (SELECT e.app_id,
				 pg_catalog.array_agg(ROW(e.order_id, e.at, e.action, e.item, e.option, e.months,
						e.quantity, e.refunds, e.paid)::im_internal.im_order_entry
					ORDER BY e.at, e.order_id) AS orders
		  FROM @extschema@.im_order e
		  GROUP BY e.app_id) o ON o.app_id OPERATOR(pg_catalog.=) a.app_id,
		im_internal.im_rate_terms(ROW(a.app_id, a.rate_card, o.orders, NULL, false)::im_internal.im_app_account,
			(SELECT im_internal.im_price_book(NULL::@extschema@.im_rate_card))) t
$$;
COMMENT ON FUNCTION @extschema@.im_order_terms() IS
'What became of every order of all apps: its local day, first and last day in force, last day as bought, amount (negative for refunds), and the day on which it was refunded. Switches have a day only; apps whose orders break the rules have no rows.';
