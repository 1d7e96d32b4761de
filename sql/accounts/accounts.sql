-- The values of an account and the price book, set-wise: rate cards, orders and
-- suspensions of each app.
--
-- These are single queries without settings of their own, so that the planner
-- inlines them: see usage/gathering.sql.

CREATE FUNCTION im_internal.im_utc_midnight(day date) RETURNS timestamptz
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN (day::pg_catalog.timestamp AT TIME ZONE 'UTC');
COMMENT ON FUNCTION im_internal.im_utc_midnight(date) IS
'The instant at which a day begins in UTC, whatever the session''s time zone.';

CREATE FUNCTION im_internal.im_price_book(card @extschema@.im_rate_card)
	RETURNS im_internal.im_price_book
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM im_internal.im_need_tables();
	IF $1 IS NOT NULL THEN
		RETURN ROW(ARRAY[''], ARRAY['-infinity'::date], ARRAY[$1])::im_internal.im_price_book;
	END IF;
	RETURN (
		SELECT ROW(array_agg(v.rate_card ORDER BY v.rate_card COLLATE "C", v.effective_from),
				   array_agg(v.effective_from ORDER BY v.rate_card COLLATE "C", v.effective_from),
				   array_agg(v.terms::@extschema@.im_rate_card
							 ORDER BY v.rate_card COLLATE "C", v.effective_from)
				  )::im_internal.im_price_book
		FROM @extschema@.im_rate_card_version v);
END
$$;
COMMENT ON FUNCTION im_internal.im_price_book(@extschema@.im_rate_card) IS
'All versions of im_rate_card_version as one value; with a card given, that card alone, in force since ever. Error 42P01 before im_create_tables().';

-- With a card given it stands for every version of every app's card.  What is
-- read from it stands in a SELECT of its own, which is run once: a plan kept
-- for any card would read it again for every login.
CREATE FUNCTION im_internal.im_app_cards(card @extschema@.im_rate_card) RETURNS TABLE (
		app_id bigint, card_name text, card_from date, time_zone text, prices_mau boolean,
		currency text)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT a.app_id, a.rate_card,
		CASE WHEN $1 IS NULL THEN c.card_from ELSE '-infinity' END,
		CASE WHEN $1 IS NULL THEN c.time_zone ELSE (SELECT $1::jsonb ->> 'time_zone') END,
		CASE WHEN $1 IS NULL THEN c.prices_mau ELSE (SELECT im_internal.im_prices_users($1::jsonb)) END,
		CASE WHEN $1 IS NULL THEN c.currency ELSE (SELECT $1::jsonb ->> 'currency') END
	FROM @extschema@.im_app a
	LEFT JOIN (
		SELECT v.rate_card, min(v.effective_from) AS card_from,
			min(v.terms ->> 'time_zone') AS time_zone,
			bool_or(im_internal.im_prices_users(v.terms)) AS prices_mau,
			min(v.terms ->> 'currency') AS currency
		FROM @extschema@.im_rate_card_version v
		GROUP BY v.rate_card) c ON c.rate_card = a.rate_card
$$;
COMMENT ON FUNCTION im_internal.im_app_cards(@extschema@.im_rate_card) IS
'Each app with what its meters and totals need of its rate card, or of the given one instead.';

CREATE FUNCTION im_internal.im_app_orders(until timestamptz) RETURNS TABLE (
		app_id bigint, orders im_internal.im_order_entry[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT o.app_id,
		array_agg(ROW(o.order_id, o.at, o.action, o.item, o.option, o.months, o.quantity,
					  o.refunds, o.paid)::im_internal.im_order_entry
				  ORDER BY o.at, o.order_id)
	FROM @extschema@.im_order o
	WHERE o.at < $1 OR o.action = 'void'
	GROUP BY o.app_id
$$;
COMMENT ON FUNCTION im_internal.im_app_orders(timestamptz) IS
'The orders of each app before an instant, by time, then order_id, and all voids: an order that is voided later counts as never placed.';

CREATE FUNCTION im_internal.im_app_suspensions() RETURNS TABLE (
		app_id bigint, suspensions daterange[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT s.app_id, array_agg(s.days)
	FROM @extschema@.im_suspension s
	GROUP BY s.app_id
$$;
COMMENT ON FUNCTION im_internal.im_app_suspensions() IS
'The suspensions of each app.';

CREATE FUNCTION im_internal.im_app_accounts(until date, card @extschema@.im_rate_card)
	RETURNS TABLE (
		app_id bigint, account im_internal.im_app_account, card_from date, orders im_internal.im_order_entry[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT a.app_id, ROW(a.app_id, a.card_name, o.orders, s.suspensions, $2 IS NOT NULL)::im_internal.im_app_account,
		a.card_from, o.orders
	FROM im_internal.im_app_cards($2) a
	LEFT JOIN im_internal.im_app_orders(im_internal.im_utc_midnight($1 + 1)) o
		ON o.app_id = a.app_id
	LEFT JOIN im_internal.im_app_suspensions() s ON s.app_id = a.app_id
$$;
COMMENT ON FUNCTION im_internal.im_app_accounts(date, @extschema@.im_rate_card) IS
'Each app with what its state before a day follows from.';

-- Inlined.
CREATE FUNCTION im_internal.im_with_orders(account im_internal.im_app_account, orders im_internal.im_order_entry[])
	RETURNS im_internal.im_app_account
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN ROW(($1).app_id, ($1).card_name, $2, ($1).suspensions, ($1).preview)::im_internal.im_app_account;
COMMENT ON FUNCTION im_internal.im_with_orders(im_internal.im_app_account, im_internal.im_order_entry[]) IS
'An account with other orders.';
