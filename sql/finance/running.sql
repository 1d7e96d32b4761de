-- The month so far, and what it will come to.
--
-- Both take an instant, by default the present one, and know what was known
-- then: orders placed by it, less those voided since, suspensions begun by its day, and usage through
-- its day (local to the rate card), which is as fine as daily figures are.

CREATE FUNCTION im_internal.im_rate_forecast(account im_internal.im_app_account, usage im_internal.im_usage, book im_internal.im_price_book, month @extschema@.im_month, today date)
	RETURNS TABLE (currency text, so_far numeric, low numeric, expected numeric, high numeric, method text)
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE ROWS 1 PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_rate_forecast(im_internal.im_app_account, im_internal.im_usage, im_internal.im_price_book, @extschema@.im_month, date) IS
'The total of one app and month so far and at its end, low, expected and high, in the currency named, and the method in words; today is a day of that month. The arguments are values made by im_gather(); no table is read.';

CREATE FUNCTION im_internal.im_gather_known(app bigint, at timestamptz, history boolean)
	RETURNS TABLE (account im_internal.im_app_account, usage im_internal.im_usage,
		book im_internal.im_price_book, month @extschema@.im_month, today date)
	LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1
	SET search_path = pg_catalog, pg_temp
	SET jit = off	-- as in im_rebill()
AS $$
#variable_conflict use_column
DECLARE
	zone text;
	today date;
	month @extschema@.im_month;
	first date;
	begins date;
	book im_internal.im_price_book := im_internal.im_price_book(NULL::@extschema@.im_rate_card);
	apps bigint[];
	sinces date[];
	reading im_internal.im_reading;
BEGIN
	PERFORM im_internal.im_need_app($1);
	SELECT a.time_zone INTO zone FROM im_internal.im_app_cards(NULL::@extschema@.im_rate_card) a WHERE a.app_id = $1;
	month := @extschema@.im_month($2, coalesce(zone, 'UTC'));
	PERFORM im_internal.im_need_month($1, month);
	today := @extschema@.im_day($2, zone);
	first := month::date;
	begins := first;
	-- as far back as core/finance/forecast.h looks
	IF $3 THEN
		begins := greatest(least(today - 182, (first - interval '3 months')::date), '0001-01-01');
	END IF;
	SELECT array_agg(e.app_id), array_agg(e.since) INTO apps, sinces
	FROM im_internal.im_early_usage(first, upper(month::daterange), NULL::@extschema@.im_rate_card, book) e
	WHERE e.app_id = $1 AND e.since < begins;
	reading := im_internal.im_reading_of(begins, today + 1, NULL::@extschema@.im_rate_card, apps, sinces, $1);
	RETURN QUERY
	SELECT ROW(g.app_id, (g.account).card_name,
			(SELECT array_agg(o ORDER BY o.at, o.order_id) FROM unnest((g.account).orders) o
			 WHERE o.at <= $2 OR o.action = 'void' AND o.refunds IN (SELECT v.order_id FROM unnest((g.account).orders) v WHERE v.at <= $2)),
			(SELECT array_agg(s) FROM unnest((g.account).suspensions) s
			 WHERE lower_inf(s) OR lower(s) <= today),
			(g.account).preview)::im_internal.im_app_account,
		g.usage, book, month, today
	FROM im_internal.im_gather(begins, today + 1, NULL::@extschema@.im_rate_card, reading) g
	WHERE g.app_id = $1;
END
$$;
COMMENT ON FUNCTION im_internal.im_gather_known(bigint, timestamptz, boolean) IS
'What was known of an app at an instant: the values of the bill of its month, and with history the usage that forecasts look back on. Errors: P0002 for an unknown app or a month that no card version covers, 22008 for an instant outside the years 1 to 9999.';

CREATE FUNCTION @extschema@.im_running_bill(app_id bigint, at timestamptz)
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 10
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF im_internal.im_guarded('im_running_bill_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_running_bill_guarded($1, $2);
		RETURN;
	END IF;
	RETURN QUERY
	SELECT l.*
	FROM im_internal.im_gather_known($1, $2, false) g,
		im_internal.im_rate_lines(g.account, g.usage, g.book, g.month, false) l;
END
$$;
COMMENT ON FUNCTION @extschema@.im_running_bill(bigint, timestamptz) IS
'The bill of the month of an instant, in the app''s rate card''s time zone, if nothing more were ordered or used: orders until the instant, usage through its day. Errors as im_monthly_bill(), and 22008 for an instant outside the years 1 to 9999.';

CREATE FUNCTION @extschema@.im_running_bill(app_id bigint)
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 10
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY SELECT * FROM @extschema@.im_running_bill($1, now());
END
$$;
COMMENT ON FUNCTION @extschema@.im_running_bill(bigint) IS
'The bill of the running month so far, in the app''s rate card''s time zone, if nothing more were ordered or used. Errors as im_monthly_bill().';

CREATE FUNCTION @extschema@.im_forecast(app_id bigint, at timestamptz)
	RETURNS TABLE (month date, currency text, so_far numeric, low numeric,
		expected numeric, high numeric, method text)
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 1
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	IF im_internal.im_guarded('im_forecast_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_forecast_guarded($1, $2);
		RETURN;
	END IF;
	RETURN QUERY
	SELECT g.month::date, f.currency, f.so_far, f.low, f.expected, f.high, f.method
	FROM im_internal.im_gather_known($1, $2, true) g,
		im_internal.im_rate_forecast(g.account, g.usage, g.book, g.month, g.today) f;
END
$$;
COMMENT ON FUNCTION @extschema@.im_forecast(bigint, timestamptz) IS
'What the bill of the month of an instant will come to, from what was known then: the total so far (im_running_bill), and at the month''s end low, expected and high, with the method in words. Users of the month and subjects of meters that count them by the month grow as in the months before, and are never fewer than so far. Orders to come are not foreseen. Errors as im_running_bill().';

CREATE FUNCTION @extschema@.im_forecast(app_id bigint)
	RETURNS TABLE (month date, currency text, so_far numeric, low numeric,
		expected numeric, high numeric, method text)
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 1
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY SELECT f.* FROM @extschema@.im_forecast($1, now()) f;
END
$$;
COMMENT ON FUNCTION @extschema@.im_forecast(bigint) IS
'What the bill of the running month will come to: the total so far, and at the month''s end low, expected and high, with the method in words. Orders to come are not foreseen. Errors as im_monthly_bill().';
