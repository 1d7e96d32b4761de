-- Gathers the values of a bill set-wise: rate cards, orders, suspensions and
-- usage of each app, one row an app.
--
-- These functions are single queries without settings of their own, so that
-- the planner inlines them: a condition on app_id given outside reaches every
-- table's index, and one text serves one app as well as all of them.  Their
-- operators resolve in the search_path of the functions that call them,
-- which all set it to pg_catalog and the extension's schema.
--
-- Raw rows are chosen by instants of UTC with a day of slack on either side,
-- which is what indexes and partitions understand; the meters then take the
-- local days that they are told.

CREATE FUNCTION @extschema@.im_utc_midnight(day date) RETURNS timestamptz
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN (day::pg_catalog.timestamp AT TIME ZONE 'UTC');
COMMENT ON FUNCTION @extschema@.im_utc_midnight(date) IS
'The instant at which a day begins in UTC, whatever the session''s time zone.';

CREATE FUNCTION @extschema@.im_price_book(card @extschema@.im_rate_card)
	RETURNS @extschema@.im_price_book
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM @extschema@.im_need_tables();
	IF $1 IS NOT NULL THEN
		RETURN ROW(ARRAY[''], ARRAY['-infinity'::date], ARRAY[$1])::@extschema@.im_price_book;
	END IF;
	RETURN (
		SELECT ROW(array_agg(v.rate_card ORDER BY v.rate_card COLLATE "C", v.effective_from),
				   array_agg(v.effective_from ORDER BY v.rate_card COLLATE "C", v.effective_from),
				   array_agg(v.terms::@extschema@.im_rate_card
							 ORDER BY v.rate_card COLLATE "C", v.effective_from)
				  )::@extschema@.im_price_book
		FROM @extschema@.im_rate_card_version v);
END
$$;
COMMENT ON FUNCTION @extschema@.im_price_book(@extschema@.im_rate_card) IS
'All versions of im_rate_card_version as one value; with a card given, that card alone, in force since ever. Error 42P01 before im_create_tables().';

-- With a card given it stands for every version of every app's card.  What is
-- read from it stands in a SELECT of its own, which is run once: a plan kept
-- for any card would read it again for every login.
CREATE FUNCTION @extschema@.im_app_cards(card @extschema@.im_rate_card) RETURNS TABLE (
		app_id bigint, card_name text, card_from date, time_zone text, prices_mau boolean,
		currency text)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT a.app_id, a.rate_card,
		CASE WHEN $1 IS NULL THEN c.card_from ELSE '-infinity' END,
		CASE WHEN $1 IS NULL THEN c.time_zone ELSE (SELECT $1::jsonb ->> 'time_zone') END,
		CASE WHEN $1 IS NULL THEN c.prices_mau ELSE (SELECT $1::jsonb @? '$.plans.*.mau') END,
		CASE WHEN $1 IS NULL THEN c.currency ELSE (SELECT $1::jsonb ->> 'currency') END
	FROM @extschema@.im_app a
	LEFT JOIN (
		SELECT v.rate_card, min(v.effective_from) AS card_from,
			min(v.terms ->> 'time_zone') AS time_zone,
			bool_or(v.terms @? '$.plans.*.mau') AS prices_mau,
			min(v.terms ->> 'currency') AS currency
		FROM @extschema@.im_rate_card_version v
		GROUP BY v.rate_card) c ON c.rate_card = a.rate_card
$$;
COMMENT ON FUNCTION @extschema@.im_app_cards(@extschema@.im_rate_card) IS
'Each app with what its meters and totals need of its rate card, or of the given one instead.';

CREATE FUNCTION @extschema@.im_app_orders(until timestamptz) RETURNS TABLE (
		app_id bigint, orders @extschema@.im_order_entry[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT o.app_id,
		array_agg(ROW(o.order_id, o.at, o.action, o.item, o.option, o.months, o.quantity,
					  o.refunds, o.paid)::@extschema@.im_order_entry
				  ORDER BY o.at, o.order_id)
	FROM @extschema@.im_order o
	WHERE o.at < $1
	GROUP BY o.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_app_orders(timestamptz) IS
'The orders of each app before an instant, by time, then order_id.';

CREATE FUNCTION @extschema@.im_app_suspensions() RETURNS TABLE (
		app_id bigint, suspensions daterange[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT s.app_id, array_agg(s.days)
	FROM @extschema@.im_suspension s
	GROUP BY s.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_app_suspensions() IS
'The suspensions of each app.';

CREATE FUNCTION @extschema@.im_app_accounts(until date, card @extschema@.im_rate_card)
	RETURNS TABLE (
		app_id bigint, card_name text, card_from date, orders @extschema@.im_order_entry[],
		suspensions daterange[], prices_mau boolean, currency text)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT a.app_id, a.card_name, a.card_from, o.orders, s.suspensions, a.prices_mau, a.currency
	FROM @extschema@.im_app_cards($2) a
	LEFT JOIN @extschema@.im_app_orders(@extschema@.im_utc_midnight($1 + 1)) o
		ON o.app_id = a.app_id
	LEFT JOIN @extschema@.im_app_suspensions() s ON s.app_id = a.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_app_accounts(date, @extschema@.im_rate_card) IS
'Each app with what its state before a day follows from.';

CREATE FUNCTION @extschema@.im_early_usage(first date, until date, card @extschema@.im_rate_card,
		book @extschema@.im_price_book)
	RETURNS TABLE (app_id bigint, since date)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT e.app_id, e.since
	FROM (SELECT a.app_id,
				 @extschema@.im_usage_since(a.app_id, a.card_name, $4, a.orders, a.suspensions,
					$3 IS NOT NULL, $1::@extschema@.im_month) AS since
		  FROM @extschema@.im_app_accounts($2, $3) a
		  WHERE a.app_id IN (
			SELECT k.app_id
			FROM @extschema@.im_order k
			WHERE k.action = 'buy' AND k.item NOT IN ('plan', 'local_moderation')
				AND k.at < @extschema@.im_utc_midnight($2 + 1))) e
	WHERE e.since < $1
$$;
COMMENT ON FUNCTION @extschema@.im_early_usage(date, date, @extschema@.im_rate_card, @extschema@.im_price_book) IS
'Apps whose packs were in use before the month [first, until), and the day from which their usage must be known to tell what is left of them.';

-- The users of a day that users gave are theirs alone: metered ones are left
-- out on such days, as the metered figures are.
-- A row that was metered (metered_at) is no source: the raw rows are.
-- In what follows early_apps and early_since are what im_early_usage() gives.

CREATE FUNCTION @extschema@.im_gather_daily(first date, until date,
		early_apps bigint[], early_since date[])
	RETURNS TABLE (app_id bigint, daily bigint[], user_days date[], users @extschema@.im_userset[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT d.app_id,
		@extschema@.im_usage_pack(d.app_id, d.day,
			d.dau, d.peak_groups,
			d.text_checks, d.image_checks, d.audio_half_minutes, d.video_half_minutes,
			d.audio_minutes, d.sd_minutes, d.hd_minutes, d.fhd_minutes),
		array_agg(d.day) FILTER (WHERE d.in_month AND d.users IS NOT NULL),
		array_agg(d.users) FILTER (WHERE d.in_month AND d.users IS NOT NULL)
	FROM (
		SELECT u.*, true AS in_month
		FROM @extschema@.im_usage_daily u
		WHERE u.day >= $1 AND u.day < $2 AND u.metered_at IS NULL
		UNION ALL
		SELECT u.*, false
		FROM unnest($3, $4) e(app_id, since)
		JOIN @extschema@.im_usage_daily u
			ON u.app_id = e.app_id AND u.day >= e.since AND u.day < $1 AND u.metered_at IS NULL) d
	GROUP BY d.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_gather_daily(date, date, bigint[], date[]) IS
'The daily figures that users gave, by app.';

CREATE FUNCTION @extschema@.im_gather_logins(first date, until date, card @extschema@.im_rate_card)
	RETURNS TABLE (app_id bigint, logins bigint[], user_days date[], users @extschema@.im_userset[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT d.app_id,
		@extschema@.im_usage_agg(d.app_id, d.day,
			CASE WHEN d.prices_mau THEN @extschema@.im_count(d.users) ELSE d.dau END,
			NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
		array_agg(d.day) FILTER (WHERE d.prices_mau AND NOT EXISTS (
			SELECT FROM @extschema@.im_usage_daily u
			WHERE u.app_id = d.app_id AND u.day = d.day AND u.metered_at IS NULL)),
		array_agg(d.users) FILTER (WHERE d.prices_mau AND NOT EXISTS (
			SELECT FROM @extschema@.im_usage_daily u
			WHERE u.app_id = d.app_id AND u.day = d.day AND u.metered_at IS NULL))
	FROM (
		SELECT l.app_id, @extschema@.im_day(l.at, a.time_zone) AS day, a.prices_mau,
			@extschema@.im_dau(l.user_id) FILTER (WHERE NOT a.prices_mau) AS dau,
			@extschema@.im_userset_agg(l.user_id) FILTER (WHERE a.prices_mau) AS users
		FROM @extschema@.im_login l
		JOIN @extschema@.im_app_cards($3) a ON a.app_id = l.app_id
		WHERE l.at >= @extschema@.im_utc_midnight($1 - 1)
			AND l.at < @extschema@.im_utc_midnight($2 + 1)
			AND a.time_zone IS NOT NULL
		GROUP BY l.app_id, a.prices_mau, @extschema@.im_day(l.at, a.time_zone)) d
	WHERE d.day >= $1 AND d.day < $2
	GROUP BY d.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_gather_logins(date, date, @extschema@.im_rate_card) IS
'Distinct users of each day of the month by app: their number, or the sets where the card prices users of the month.';

CREATE FUNCTION @extschema@.im_gather_groups(first date, until date, card @extschema@.im_rate_card)
	RETURNS TABLE (app_id bigint, groups bigint[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT g.app_id,
		@extschema@.im_group_days(g.app_id, g.group_id, g.created_at, g.disbanded_at, a.time_zone,
			$1, $2 - 1)
	FROM @extschema@.im_group g
	JOIN @extschema@.im_app_cards($3) a ON a.app_id = g.app_id
	WHERE g.created_at < @extschema@.im_utc_midnight($2 + 1)
		AND (g.disbanded_at IS NULL
			OR g.disbanded_at >= @extschema@.im_utc_midnight($1 - 1)
			OR g.created_at >= @extschema@.im_utc_midnight($1 - 1))
		AND a.time_zone IS NOT NULL
	GROUP BY g.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_gather_groups(date, date, @extschema@.im_rate_card) IS
'Peak groups of each day of the month by app.';

CREATE FUNCTION @extschema@.im_gather_checks(first date, until date, card @extschema@.im_rate_card,
		early_apps bigint[], early_since date[])
	RETURNS TABLE (app_id bigint, checks bigint[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT m.app_id,
		@extschema@.im_check_days(m.app_id, m.at, m.kind, m.seconds, a.time_zone,
			coalesce(e.since, $1), $2 - 1)
	FROM (
		SELECT k.app_id, k.at, k.kind, k.seconds
		FROM @extschema@.im_moderation_check k
		WHERE k.at >= @extschema@.im_utc_midnight($1 - 1)
			AND k.at < @extschema@.im_utc_midnight($2 + 1)
		UNION ALL
		SELECT k.app_id, k.at, k.kind, k.seconds
		FROM unnest($4, $5) s(app_id, since)
		JOIN @extschema@.im_moderation_check k ON k.app_id = s.app_id
			AND k.at >= @extschema@.im_utc_midnight(s.since - 1)
		WHERE k.at < @extschema@.im_utc_midnight($1 - 1)) m
	JOIN @extschema@.im_app_cards($3) a ON a.app_id = m.app_id
	LEFT JOIN unnest($4, $5) e(app_id, since) ON e.app_id = m.app_id
	WHERE a.time_zone IS NOT NULL
	GROUP BY m.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_gather_checks(date, date, @extschema@.im_rate_card, bigint[], date[]) IS
'Moderation checks of each day by app.';

CREATE FUNCTION @extschema@.im_gather_calls(first date, until date, card @extschema@.im_rate_card,
		early_apps bigint[], early_since date[])
	RETURNS TABLE (app_id bigint, calls bigint[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT m.app_id,
		@extschema@.im_call_days(m.app_id, m.at, m.class, m.seconds, a.time_zone,
			coalesce(e.since, $1), $2 - 1)
	FROM (
		SELECT k.app_id, k.at, k.class, k.seconds
		FROM @extschema@.im_call k
		WHERE k.at >= @extschema@.im_utc_midnight($1 - 1)
			AND k.at < @extschema@.im_utc_midnight($2 + 1)
		UNION ALL
		SELECT k.app_id, k.at, k.class, k.seconds
		FROM unnest($4, $5) s(app_id, since)
		JOIN @extschema@.im_call k ON k.app_id = s.app_id
			AND k.at >= @extschema@.im_utc_midnight(s.since - 1)
		WHERE k.at < @extschema@.im_utc_midnight($1 - 1)) m
	JOIN @extschema@.im_app_cards($3) a ON a.app_id = m.app_id
	LEFT JOIN unnest($4, $5) e(app_id, since) ON e.app_id = m.app_id
	WHERE a.time_zone IS NOT NULL
	GROUP BY m.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_gather_calls(date, date, @extschema@.im_rate_card, bigint[], date[]) IS
'Call minutes of each day by app.';

CREATE FUNCTION @extschema@.im_gather(first date, until date, card @extschema@.im_rate_card,
		early_apps bigint[], early_since date[])
	RETURNS TABLE (
		app_id bigint, card_name text, orders @extschema@.im_order_entry[],
		suspensions daterange[], preview boolean,
		since date, daily bigint[], logins bigint[], groups bigint[], checks bigint[],
		calls bigint[], user_days date[], users @extschema@.im_userset[], currency text)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT a.app_id, a.card_name, a.orders, a.suspensions,
		$3 IS NOT NULL, coalesce(e.since, $1),
		d.daily, l.logins, g.groups, m.checks, c.calls,
		CASE WHEN a.prices_mau THEN d.user_days || l.user_days END,
		CASE WHEN a.prices_mau THEN d.users || l.users END,
		a.currency
	FROM @extschema@.im_app_accounts($2, $3) a
	LEFT JOIN unnest($4, $5) e(app_id, since) ON e.app_id = a.app_id
	LEFT JOIN @extschema@.im_gather_daily($1, $2, $4, $5) d ON d.app_id = a.app_id
	LEFT JOIN @extschema@.im_gather_logins($1, $2, $3) l ON l.app_id = a.app_id
	LEFT JOIN @extschema@.im_gather_groups($1, $2, $3) g ON g.app_id = a.app_id
	LEFT JOIN @extschema@.im_gather_checks($1, $2, $3, $4, $5) m ON m.app_id = a.app_id
	LEFT JOIN @extschema@.im_gather_calls($1, $2, $3, $4, $5) c ON c.app_id = a.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_gather(date, date, @extschema@.im_rate_card, bigint[], date[]) IS
'Each app with all values that its bill of the month [first, until) is a function of; with a card given, under that card.';

-- Usage whose app is not in im_app has no card; its days are those of the
-- default card's zone.
CREATE FUNCTION @extschema@.im_orphaned_usage(first date, until date)
	RETURNS TABLE (app_id bigint, usage bigint[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT d.app_id,
		@extschema@.im_usage_agg(d.app_id, d.day, d.dau, d.peak_groups,
			d.text_checks, d.image_checks, d.audio_half_minutes, d.video_half_minutes,
			d.audio_minutes, d.sd_minutes, d.hd_minutes, d.fhd_minutes)
	FROM @extschema@.im_usage_daily d
	WHERE d.day >= $1 AND d.day < $2 AND d.metered_at IS NULL
		AND NOT EXISTS (SELECT FROM @extschema@.im_app a WHERE a.app_id = d.app_id)
	GROUP BY d.app_id
	UNION ALL
	SELECT l.app_id,
		@extschema@.im_usage_agg(l.app_id, l.day, l.dau,
			NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
	FROM (SELECT k.app_id, @extschema@.im_day(k.at, 'Asia/Shanghai') AS day,
				 @extschema@.im_dau(k.user_id) AS dau
		  FROM @extschema@.im_login k
		  WHERE k.at >= @extschema@.im_utc_midnight($1 - 1)
			AND k.at < @extschema@.im_utc_midnight($2 + 1)
			AND NOT EXISTS (SELECT FROM @extschema@.im_app a WHERE a.app_id = k.app_id)
		  GROUP BY k.app_id, @extschema@.im_day(k.at, 'Asia/Shanghai')) l
	WHERE l.day >= $1 AND l.day < $2
	GROUP BY l.app_id
	UNION ALL
	SELECT g.app_id,
		@extschema@.im_group_days(g.app_id, g.group_id, g.created_at, g.disbanded_at, 'Asia/Shanghai',
			$1, $2 - 1)
	FROM @extschema@.im_group g
	WHERE g.created_at < @extschema@.im_utc_midnight($2 + 1)
		AND (g.disbanded_at IS NULL OR g.disbanded_at >= @extschema@.im_utc_midnight($1 - 1))
		AND NOT EXISTS (SELECT FROM @extschema@.im_app a WHERE a.app_id = g.app_id)
	GROUP BY g.app_id
	UNION ALL
	SELECT m.app_id,
		@extschema@.im_check_days(m.app_id, m.at, m.kind, m.seconds, 'Asia/Shanghai', $1, $2 - 1)
	FROM @extschema@.im_moderation_check m
	WHERE m.at >= @extschema@.im_utc_midnight($1 - 1)
		AND m.at < @extschema@.im_utc_midnight($2 + 1)
		AND NOT EXISTS (SELECT FROM @extschema@.im_app a WHERE a.app_id = m.app_id)
	GROUP BY m.app_id
	UNION ALL
	SELECT c.app_id,
		@extschema@.im_call_days(c.app_id, c.at, c.class, c.seconds, 'Asia/Shanghai', $1, $2 - 1)
	FROM @extschema@.im_call c
	WHERE c.at >= @extschema@.im_utc_midnight($1 - 1)
		AND c.at < @extschema@.im_utc_midnight($2 + 1)
		AND NOT EXISTS (SELECT FROM @extschema@.im_app a WHERE a.app_id = c.app_id)
	GROUP BY c.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_orphaned_usage(date, date) IS
'Usage of the month [first, until) whose app is not in im_app.';
