-- What has been earned: bills against fees spread over what they pay for.
--
-- Billed is what im_monthly_bills() says, so of closed apps what was issued.
-- What is deferred follows from the orders and the use of packs
-- (core/finance/revenue.h), of fees that were issued otherwise than the orders come
-- to in proportion to what was issued: nothing is deferred that no document
-- bills.  Earned is what is billed less what more is deferred than before.

CREATE FUNCTION im_internal.im_rate_revenue(account im_internal.im_app_account, usage im_internal.im_usage, book im_internal.im_price_book, month @extschema@.im_month, last_month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, month date, billed_month date, item text, option text, currency text, fees numeric, deferred numeric)
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE ROWS 20 PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_rate_revenue(im_internal.im_app_account, im_internal.im_usage, im_internal.im_price_book, @extschema@.im_month, @extschema@.im_month) IS
'What is deferred of one app''s fees at the ends of the months from the one before month through last_month, by the month they were billed in, with all fees of that month, item and option, in the currency named. The arguments are values made by im_gather(), of which only checks are used; no table is read.';

CREATE FUNCTION im_internal.im_pack_usage(packers bigint[], few boolean, first date, until date,
		early_apps bigint[], early_since date[])
	RETURNS TABLE (app_id bigint, usage im_internal.im_usage)
	LANGUAGE plpgsql STABLE ROWS 1000
	SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_custom_plan
	SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	reading im_internal.im_reading;
BEGIN
	IF $2 THEN
		RETURN QUERY
		SELECT g.app_id, g.services
		FROM im_internal.im_gather_of($1, $3, $4, NULL::@extschema@.im_rate_card, $5, $6) g;
	ELSIF $1 IS NOT NULL THEN
		reading := im_internal.im_reading_of($3, $4, NULL::@extschema@.im_rate_card, $5, $6, NULL::bigint);
		RETURN QUERY
		SELECT g.app_id, g.services
		FROM im_internal.im_gather($3, $4, NULL::@extschema@.im_rate_card, reading) g
		WHERE g.app_id = ANY ($1);
	END IF;
END
$$;
COMMENT ON FUNCTION im_internal.im_pack_usage(bigint[], boolean, date, date, bigint[], date[]) IS
'The usage by which the packs of the given apps are earned; if they are few, app by app, which touches no row of others.';

CREATE FUNCTION im_internal.im_terms_over(among bigint[]) RETURNS date
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT least(max((o.last + least(o.months + c.months, 120000) * interval '1 month') AT TIME ZONE 'UTC')
			+ max(c.days) * interval '1 day', '9999-12-31')::date
	FROM (SELECT max(k.at) AS last, coalesce(sum(k.months), 0) AS months
		  FROM @extschema@.im_order k
		  WHERE isfinite(k.at) AND (k.app_id = ANY ($1) OR $1 IS NULL)
		  GROUP BY k.app_id) o,
		-- the longest pack, the longest grace and the days between time zones
		(SELECT coalesce(max((p.value ->> 'months')::int), 0) AS months,
			max((v.terms ->> 'grace_days')::int) + 2 AS days
		 FROM @extschema@.im_rate_card_version v
		 LEFT JOIN LATERAL (SELECT * FROM jsonb_each(v.terms #> '{moderation,packs}')
			UNION ALL SELECT * FROM jsonb_each(v.terms -> 'packs')) p ON true) c
$$;
COMMENT ON FUNCTION im_internal.im_terms_over(bigint[]) IS
'A day on which nothing that the given apps bought runs any more, null for all of them: as if all of it ran one after the other from the last order. Null without orders.';

CREATE FUNCTION im_internal.im_revenue_span(among bigint[], first_month @extschema@.im_month,
		last_month @extschema@.im_month)
	RETURNS int4range
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	first int := 0;
	last int := $3 OPERATOR(@extschema@.-) $2;
	low int;
	high int := last;
	middle int;
BEGIN
	-- looking for the ends costs as much as the bills of some ten years
	IF last < 120 THEN
		RETURN int4range(first, last, '[]');
	END IF;
	WHILE first < high LOOP
		middle := (first + high) / 2;
		IF im_internal.im_is_idle($1, '-infinity'::date, upper(($2 OPERATOR(@extschema@.+) middle)::daterange)) THEN
			first := middle + 1;
		ELSE
			high := middle;
		END IF;
	END LOOP;
	-- the month in which all terms are over stays: where orders cannot be
	-- followed its bill says so, as that of any later month would
	low := greatest(first, coalesce(im_internal.im_terms_over($1)::@extschema@.im_month OPERATOR(@extschema@.-) $2, 0));
	WHILE low < last LOOP
		middle := (low + last) / 2;
		IF im_internal.im_is_idle($1, ($2 OPERATOR(@extschema@.+) (middle + 1))::date, upper($3::daterange)) THEN
			last := middle;
		ELSE
			low := middle + 1;
		END IF;
	END LOOP;
	RETURN int4range(first, last, '[]');
END
$$;
COMMENT ON FUNCTION im_internal.im_revenue_span(bigint[], @extschema@.im_month, @extschema@.im_month) IS
'Which of the months from the first through the last, counted from 0, may have revenue of the given apps; null for all of them.';

CREATE FUNCTION im_internal.im_app_revenue_of(among bigint[], first_month @extschema@.im_month,
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
	book im_internal.im_price_book := im_internal.im_price_book(NULL::@extschema@.im_rate_card);
	span int4range;
	since_month @extschema@.im_month;
	through_month @extschema@.im_month;
	first date;
	earlier date;
	until date;
	packers bigint[];
	apps bigint[];
	sinces date[];
BEGIN
	IF $3 OPERATOR(@extschema@.<) $2 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('last month %s is before first month %s', $3, $2),
			DETAIL = 'Revenue is told for the months from the first through the last.',
			HINT = 'Give the months in their order.';
	END IF;
	span := im_internal.im_revenue_span($1, $2, $3);
	since_month := $2 OPERATOR(@extschema@.+) lower(span);
	through_month := $2 OPERATOR(@extschema@.+) (upper(span) - 1);
	first := since_month::date;
	-- a pack that ends on the first lapses on it: what it gave must be known
	earlier := greatest(first - interval '1 month', '0001-01-01')::date;
	until := upper(through_month::daterange);
	-- only packs are earned by use, so only who bought some needs usage
	SELECT array_agg(DISTINCT k.app_id) INTO packers
	FROM @extschema@.im_order k
	WHERE k.action = 'buy' AND k.item IN ('moderation_pack', 'pack')
		AND k.at < im_internal.im_utc_midnight(until + 1)
		AND (k.app_id = ANY ($1) OR $1 IS NULL);
	IF packers IS NOT NULL THEN
		SELECT array_agg(e.app_id), array_agg(e.since) INTO apps, sinces
		FROM im_internal.im_early_usage(earlier, until, NULL::@extschema@.im_rate_card, book) e
		WHERE e.app_id = ANY (packers);
	END IF;
	RETURN QUERY
	WITH billed AS (
		SELECT b.app_id, b.month, b.item, b.option, b.currency, sum(b.amount) AS amount
		FROM generate_series(0, through_month OPERATOR(@extschema@.-) since_month) n,
			im_internal.im_monthly_bills_of($1, since_month OPERATOR(@extschema@.+) n) b
		GROUP BY b.app_id, b.month, b.item, b.option, b.currency),
	spread AS MATERIALIZED (
		SELECT r.*
		FROM im_internal.im_app_accounts(until, NULL::@extschema@.im_rate_card) a
		LEFT JOIN im_internal.im_pack_usage(packers, $1 IS NOT NULL, earlier, until, apps, sinces) u
			ON u.app_id = a.app_id,
			im_internal.im_rate_revenue(a.account, coalesce(u.usage, im_internal.im_usage_from(NULL::im_internal.im_usage, first)), book,
				since_month, through_month) r
		WHERE a.orders IS NOT NULL AND (a.app_id = ANY ($1) OR $1 IS NULL)),
	-- of the months of the report the bills tell what was issued
	before AS (
		SELECT m.month, im_internal.im_closed_apps(m.month) AS closed
		FROM (SELECT DISTINCT s.billed_month AS month FROM spread s WHERE s.billed_month < first) m),
	documented AS (
		SELECT b.app_id, b.month, b.item, b.option, b.amount
		FROM billed b
		UNION ALL
		SELECT i.app_id, i.month, i.item, i.option, sum(i.amount)
		FROM before m, im_internal.im_issued_lines(m.month, false) i
		WHERE NOT isempty(m.closed) AND (i.app_id = ANY ($1) OR $1 IS NULL)
		GROUP BY i.app_id, i.month, i.item, i.option),
	deferred AS (
		SELECT s.app_id, s.month, s.item, s.option, s.currency,
			CASE WHEN d.amount = s.fees
					OR s.billed_month < first AND NOT coalesce(s.app_id <@ m.closed, false)
				THEN s.deferred
				WHEN d.amount > 0 THEN round(s.deferred * d.amount / s.fees, 8)
				ELSE 0 END AS deferred,
			s.fees - s.fees AS zero	-- with the places of the fees
		FROM spread s
		LEFT JOIN before m ON m.month = s.billed_month
		LEFT JOIN documented d ON d.app_id = s.app_id AND d.month = s.billed_month
			AND d.item = s.item AND d.option = s.option)
	SELECT e.app_id, e.month, e.item, e.option, e.currency, sum(e.billed),
		sum(e.billed) + sum(e.before) - sum(e.deferred), sum(e.deferred)
	FROM (
		SELECT b.app_id, b.month, b.item, b.option, b.currency, b.amount AS billed,
			0 AS before, b.amount - b.amount AS deferred
		FROM billed b
		UNION ALL
		SELECT d.app_id, d.month, d.item, d.option, d.currency, d.zero, 0, d.deferred
		FROM deferred d
		WHERE d.deferred <> 0 AND d.month >= first
		UNION ALL
		SELECT d.app_id, (d.month + interval '1 month')::date, d.item, d.option, d.currency,
			d.zero, d.deferred, 0
		FROM deferred d
		WHERE d.deferred <> 0 AND d.month + interval '1 month' < until) e
	GROUP BY e.app_id, e.month, e.item, e.option, e.currency;
END
$$;
COMMENT ON FUNCTION im_internal.im_app_revenue_of(bigint[], @extschema@.im_month, @extschema@.im_month) IS
'im_app_revenue() of the given apps; null for all of them.';

CREATE FUNCTION @extschema@.im_app_revenue(first_month @extschema@.im_month, last_month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, month date, item text, option text, currency text,
		billed numeric, earned numeric, deferred numeric)
	LANGUAGE plpgsql STABLE STRICT ROWS 100000
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF im_internal.im_guarded('im_app_revenue_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_app_revenue_guarded($1, $2);
		RETURN;
	END IF;
	RETURN QUERY SELECT * FROM im_internal.im_app_revenue_of(NULL::bigint[], $1, $2);
END
$$;
COMMENT ON FUNCTION @extschema@.im_app_revenue(@extschema@.im_month, @extschema@.im_month) IS
'Per app, month, item and option: billed and earned in the month, deferred at its end, in the currency named; exact to at most 8 places. im_revenue() says how fees are earned. Of a refund option is the refunded item, of a credit or charge the reason. Errors: 22023 for months in the wrong order, else as im_monthly_bills().';

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
'Billed against earned of all apps per month, item and currency, and what is deferred at the month''s end. Prepaid fees are earned by day over their term, packs as they are used and the lapsed rest on their end day, usage in its month; a refund is negative on its day, on which the unearned rest of the refunded fee is earned; a credit or charge is earned on its day. Billed to date = earned to date + deferred. Errors: 22023 for months in the wrong order, else as im_monthly_bills().';
