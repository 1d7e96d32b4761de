-- What has been earned: bills against fees spread over what they pay for.
--
-- Billed is what im_monthly_bills() says, so in a closed month what was
-- issued.  What is deferred follows from the orders and the use of packs
-- (core/revenue.h).  Earned is the balance of the two: billed less what more
-- is deferred than a month before.  Nothing else keeps billed = earned +
-- deferred true when an issued bill differs from what the orders come to.

CREATE FUNCTION @extschema@.im_rate_revenue(app_id bigint, card_name text, book @extschema@.im_price_book, orders @extschema@.im_order_entry[], suspensions daterange[], preview boolean, month @extschema@.im_month, since date, daily bigint[], logins bigint[], groups bigint[], checks bigint[], calls bigint[], user_days date[], users @extschema@.im_userset[], last_month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, month date, item text, option text, currency text, billed numeric, earned numeric, deferred numeric)
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE ROWS 20 PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_rate_revenue(bigint, text, @extschema@.im_price_book, @extschema@.im_order_entry[], daterange[], boolean, @extschema@.im_month, date, bigint[], bigint[], bigint[], bigint[], bigint[], date[], @extschema@.im_userset[], @extschema@.im_month) IS
'The prepaid fees and refunds of one app in the months from month through last_month: billed and earned in each, deferred at its end, in the currency named. The arguments are values made by im_gather(), of which only checks and daily rows are used; no table is read.';

CREATE FUNCTION @extschema@.im_app_revenue_of(among bigint[], first_month @extschema@.im_month,
		last_month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, month date, item text, option text, currency text,
		billed numeric, earned numeric, deferred numeric)
	LANGUAGE plpgsql STABLE ROWS 100000
	SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_custom_plan
	SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	first date := $2::date;
	until date := upper($3::daterange);
	book @extschema@.im_price_book := @extschema@.im_price_book(NULL);
	packers bigint[];
	apps bigint[];
	sinces date[];
	reading @extschema@.im_reading;
BEGIN
	IF $3 OPERATOR(@extschema@.<) $2 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('last month %s is before first month %s', $3, $2),
			DETAIL = 'Revenue is told for the months from the first through the last.',
			HINT = 'Give the months in their order.';
	END IF;
	-- only packs are earned by use, so only who bought some needs usage
	SELECT array_agg(DISTINCT k.app_id) INTO packers
	FROM @extschema@.im_order k
	WHERE k.action = 'buy' AND k.item = 'moderation_pack'
		AND k.at < @extschema@.im_utc_midnight(until + 1)
		AND (k.app_id = ANY ($1) OR $1 IS NULL);
	IF $1 IS NOT NULL THEN
		SELECT array_agg(e.app_id), array_agg(e.since) INTO apps, sinces
		FROM @extschema@.im_early_usage_of(packers, first, until, NULL, book) e;
		RETURN QUERY
		WITH billed AS (
			SELECT b.app_id, b.month, b.item, b.option, b.currency, sum(b.amount) AS amount
			FROM generate_series(0, $3 OPERATOR(@extschema@.-) $2) n,
				@extschema@.im_monthly_bills_of($1, $2 OPERATOR(@extschema@.+) n) b
			GROUP BY b.app_id, b.month, b.item, b.option, b.currency),
		spread AS (
			SELECT r.*
			FROM unnest($1) v
			CROSS JOIN LATERAL (
				SELECT * FROM @extschema@.im_app_accounts(until, NULL) i WHERE i.app_id = v OFFSET 0) a
			LEFT JOIN @extschema@.im_gather_of(packers, first, until, NULL, apps, sinces) u ON u.app_id = a.app_id,
				@extschema@.im_rate_revenue(a.app_id, a.card_name, book, a.orders, a.suspensions, false,
					$2, coalesce(u.since, first), u.daily, NULL, NULL, u.checks, u.calls, NULL, NULL, $3) r
			WHERE a.orders IS NOT NULL)
		-- a zero has the places of what it stands beside
		SELECT app_id, month, item, option, currency, coalesce(b.amount, s.billed - s.billed),
			coalesce(b.amount, 0) - coalesce(s.billed, 0) + coalesce(s.earned, 0),
			coalesce(s.deferred, b.amount - b.amount)
		FROM billed b
		FULL JOIN spread s USING (app_id, month, item, option, currency);
		RETURN;
	END IF;
	IF packers IS NOT NULL THEN
		SELECT array_agg(e.app_id), array_agg(e.since) INTO apps, sinces
		FROM @extschema@.im_early_usage(first, until, NULL, book) e
		WHERE e.app_id = ANY (packers);
		reading := @extschema@.im_reading_of(first, until, NULL, apps, sinces);
	END IF;
	RETURN QUERY
	WITH billed AS (
		SELECT b.app_id, b.month, b.item, b.option, b.currency, sum(b.amount) AS amount
		FROM generate_series(0, $3 OPERATOR(@extschema@.-) $2) n,
			@extschema@.im_monthly_bills($2 OPERATOR(@extschema@.+) n) b
		GROUP BY b.app_id, b.month, b.item, b.option, b.currency),
	spread AS (
		SELECT r.*
		FROM @extschema@.im_app_accounts(until, NULL) a
		LEFT JOIN (
			SELECT g.app_id, g.since, g.daily, g.checks, g.calls
			FROM @extschema@.im_gather(first, until, NULL, reading) g
			WHERE packers IS NOT NULL AND g.app_id = ANY (packers)) u ON u.app_id = a.app_id,
			@extschema@.im_rate_revenue(a.app_id, a.card_name, book, a.orders, a.suspensions, false,
				$2, coalesce(u.since, first), u.daily, NULL, NULL, u.checks, u.calls, NULL, NULL, $3) r
		WHERE a.orders IS NOT NULL)
	-- a zero has the places of what it stands beside
	SELECT app_id, month, item, option, currency, coalesce(b.amount, s.billed - s.billed),
		coalesce(b.amount, 0) - coalesce(s.billed, 0) + coalesce(s.earned, 0),
		coalesce(s.deferred, b.amount - b.amount)
	FROM billed b
	FULL JOIN spread s USING (app_id, month, item, option, currency);
END
$$;
COMMENT ON FUNCTION @extschema@.im_app_revenue_of(bigint[], @extschema@.im_month, @extschema@.im_month) IS
'im_app_revenue() of the given apps; null for all of them.';

CREATE FUNCTION @extschema@.im_app_revenue(first_month @extschema@.im_month, last_month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, month date, item text, option text, currency text,
		billed numeric, earned numeric, deferred numeric)
	LANGUAGE plpgsql STABLE STRICT ROWS 100000
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF @extschema@.im_guarded('im_app_revenue_guarded') THEN
		RETURN QUERY SELECT * FROM @extschema@.im_app_revenue_guarded($1, $2);
		RETURN;
	END IF;
	RETURN QUERY SELECT * FROM @extschema@.im_app_revenue_of(NULL, $1, $2);
END
$$;
COMMENT ON FUNCTION @extschema@.im_app_revenue(@extschema@.im_month, @extschema@.im_month) IS
'Per app, month, item and option: billed and earned in the month, deferred at its end, in the currency named; exact to at most 8 places. im_revenue() says how fees are earned. Of a refund option is the refunded item. Errors: 22023 for months in the wrong order, else as im_monthly_bills().';

CREATE FUNCTION @extschema@.im_revenue(first_month @extschema@.im_month, last_month @extschema@.im_month)
	RETURNS TABLE (month date, item text, currency text, billed numeric, earned numeric,
		deferred numeric)
	LANGUAGE plpgsql STABLE STRICT ROWS 100
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	SELECT r.month, r.item, r.currency, sum(r.billed), sum(r.earned), sum(r.deferred)
	FROM @extschema@.im_app_revenue($1, $2) r
	GROUP BY r.month, r.item, r.currency
	ORDER BY r.month, r.currency COLLATE "C", r.item COLLATE "C";
END
$$;
COMMENT ON FUNCTION @extschema@.im_revenue(@extschema@.im_month, @extschema@.im_month) IS
'Billed against earned of all apps per month, item and currency, and what is deferred at the month''s end. Prepaid fees are earned by day over their term, packs as they are used and the lapsed rest on their end day, usage in its month; a refund is negative on its day, on which the unearned rest of the refunded fee is earned. Billed to date = earned to date + deferred. Errors: 22023 for months in the wrong order, else as im_monthly_bills().';
