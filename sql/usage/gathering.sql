-- Gathers the values of a bill set-wise: the usage of each app beside its rate
-- card, orders and suspensions, one row an app.
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

CREATE FUNCTION im_internal.im_early_usage(first date, until date, card @extschema@.im_rate_card,
		book im_internal.im_price_book)
	RETURNS TABLE (app_id bigint, since date)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT e.app_id, e.since
	FROM (SELECT a.app_id,
				 im_internal.im_usage_since(
					ROW(a.app_id, a.card_name, o.orders, s.suspensions, $3 IS NOT NULL)::im_internal.im_app_account,
					$4, $1::@extschema@.im_month) AS since
		  FROM (SELECT DISTINCT k.app_id
				FROM @extschema@.im_order k
				WHERE k.action = 'buy' AND k.item NOT IN ('plan', 'local_moderation')
					AND k.at < im_internal.im_utc_midnight($1 + 1)) p
		  JOIN im_internal.im_app_cards($3) a ON a.app_id = p.app_id
		  CROSS JOIN LATERAL (
			SELECT c.orders
			FROM im_internal.im_app_orders(im_internal.im_utc_midnight($2 + 1)) c
			WHERE c.app_id = p.app_id) o
		  LEFT JOIN im_internal.im_app_suspensions() s ON s.app_id = a.app_id) e
	WHERE e.since < $1
$$;
COMMENT ON FUNCTION im_internal.im_early_usage(date, date, @extschema@.im_rate_card, im_internal.im_price_book) IS
'Apps whose packs were in use before the month [first, until), and the day from which their usage must be known to tell what is left of them.';

-- A subquery here would keep workers from the ranges of apps.
CREATE FUNCTION im_internal.im_first_of(days date[]) RETURNS date
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT min(d) FROM unnest($1) d;
END;
COMMENT ON FUNCTION im_internal.im_first_of(date[]) IS
'The earliest of the days; null without any.';

CREATE FUNCTION im_internal.im_raw_logins(card @extschema@.im_rate_card, reading im_internal.im_reading)
	RETURNS TABLE (app_id bigint, day date, prices_mau boolean, dau bigint, users @extschema@.im_userset)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT d.app_id, d.day, d.prices_mau, d.dau, d.users
	FROM (
		SELECT l.app_id, @extschema@.im_day(l.at, a.time_zone) AS day, a.prices_mau,
			im_internal.im_login_dau(l.user_id) FILTER (WHERE NOT a.prices_mau) AS dau,
			im_internal.im_login_users(l.user_id) FILTER (WHERE a.prices_mau) AS users
		FROM @extschema@.im_login l
		JOIN im_internal.im_app_cards($1) a ON a.app_id = l.app_id
		WHERE ($2).raw_first < ($2).raw_until
			AND l.at >= im_internal.im_utc_midnight(($2).raw_first - 1)
			AND l.at < im_internal.im_utc_midnight(($2).raw_until + 1)
			AND a.time_zone IS NOT NULL
		GROUP BY l.app_id, a.prices_mau, @extschema@.im_day(l.at, a.time_zone)) d
	WHERE d.day >= ($2).raw_first AND d.day < ($2).raw_until
$$;
COMMENT ON FUNCTION im_internal.im_raw_logins(@extschema@.im_rate_card, im_internal.im_reading) IS
'Distinct users of the days whose events are read, by app and day: their number, or the set where the card prices users of the month.';

CREATE FUNCTION im_internal.im_gather_logins(card @extschema@.im_rate_card, reading im_internal.im_reading)
	RETURNS TABLE (app_id bigint, usage im_internal.im_usage)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT d.app_id,
		im_internal.im_usage_agg(d.app_id, d.day,
			CASE WHEN d.prices_mau THEN @extschema@.im_count(d.users) ELSE d.dau END,
			NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint,
			NULL::boolean, CASE WHEN d.prices_mau THEN d.users END)
	FROM im_internal.im_raw_logins($1, $2) d
	GROUP BY d.app_id
$$;
COMMENT ON FUNCTION im_internal.im_gather_logins(@extschema@.im_rate_card, im_internal.im_reading) IS
'Distinct users of the days whose events are read, by app: their number, or the sets where the card prices users of the month.';

CREATE FUNCTION im_internal.im_gather_groups(card @extschema@.im_rate_card, reading im_internal.im_reading)
	RETURNS TABLE (app_id bigint, usage im_internal.im_usage)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT g.app_id,
		im_internal.im_group_days(g.app_id, g.group_id, g.created_at, g.disbanded_at, a.time_zone,
			($2).raw_first, ($2).raw_until - 1)
	FROM @extschema@.im_group g
	JOIN im_internal.im_app_cards($1) a ON a.app_id = g.app_id
	WHERE ($2).raw_first < ($2).raw_until
		AND g.created_at < im_internal.im_utc_midnight(($2).raw_until + 1)
		AND (g.disbanded_at IS NULL
			OR g.disbanded_at >= im_internal.im_utc_midnight(($2).raw_first - 1)
			OR g.created_at >= im_internal.im_utc_midnight(($2).raw_first - 1))
		AND a.time_zone IS NOT NULL
		AND (($2).skip_apps IS NULL OR g.app_id <> ALL (($2).skip_apps))
	GROUP BY g.app_id
$$;
COMMENT ON FUNCTION im_internal.im_gather_groups(@extschema@.im_rate_card, im_internal.im_reading) IS
'Peak groups of the days whose events are read, by app.';

CREATE FUNCTION im_internal.im_gather_checks(card @extschema@.im_rate_card, reading im_internal.im_reading)
	RETURNS TABLE (app_id bigint, usage im_internal.im_usage)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT k.app_id,
		im_internal.im_check_days(k.app_id, k.at, k.kind, k.seconds, a.time_zone,
			($2).raw_first, ($2).raw_until - 1)
	FROM @extschema@.im_moderation_check k
	JOIN im_internal.im_app_cards($1) a ON a.app_id = k.app_id
	WHERE ($2).raw_first < ($2).raw_until
		AND k.at >= im_internal.im_utc_midnight(($2).raw_first - 1)
		AND k.at < im_internal.im_utc_midnight(($2).raw_until + 1)
		AND a.time_zone IS NOT NULL
		AND (($2).skip_apps IS NULL OR k.app_id <> ALL (($2).skip_apps))
	GROUP BY k.app_id
$$;
COMMENT ON FUNCTION im_internal.im_gather_checks(@extschema@.im_rate_card, im_internal.im_reading) IS
'Moderation checks of the days whose events are read, by app.';

CREATE FUNCTION im_internal.im_gather_calls(card @extschema@.im_rate_card, reading im_internal.im_reading)
	RETURNS TABLE (app_id bigint, usage im_internal.im_usage)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT k.app_id,
		im_internal.im_call_days(k.app_id, k.at, k.class, k.seconds, a.time_zone,
			($2).raw_first, ($2).raw_until - 1)
	FROM @extschema@.im_call k
	JOIN im_internal.im_app_cards($1) a ON a.app_id = k.app_id
	WHERE ($2).raw_first < ($2).raw_until
		AND k.at >= im_internal.im_utc_midnight(($2).raw_first - 1)
		AND k.at < im_internal.im_utc_midnight(($2).raw_until + 1)
		AND a.time_zone IS NOT NULL
		AND (($2).skip_apps IS NULL OR k.app_id <> ALL (($2).skip_apps))
	GROUP BY k.app_id
$$;
COMMENT ON FUNCTION im_internal.im_gather_calls(@extschema@.im_rate_card, im_internal.im_reading) IS
'Call minutes of the days whose events are read, by app.';

-- Inlined, so that without bounds nothing is left of it, and with bounds an
-- index can serve it.
CREATE FUNCTION im_internal.im_is_among(app_id bigint, low_app bigint, high_app bigint) RETURNS boolean
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN low_app IS NULL OR app_id BETWEEN low_app AND high_app;
COMMENT ON FUNCTION im_internal.im_is_among(bigint, bigint, bigint) IS
'Whether an app is one of those from low_app through high_app; all are where low_app is null.';

-- The planner carries an equality from one table to the next, but not the
-- bounds of a range: each table is told.
CREATE FUNCTION im_internal.im_gather_built_in(first date, until date, card @extschema@.im_rate_card,
		reading im_internal.im_reading, low_app bigint, high_app bigint)
	RETURNS TABLE (app_id bigint, account im_internal.im_app_account, usage im_internal.im_usage,
		services im_internal.im_usage, currency text)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT a.app_id,
		ROW(a.app_id, a.card_name, o.orders, s.suspensions, $3 IS NOT NULL)::im_internal.im_app_account,
		im_internal.im_usage_from(
			d.usage OPERATOR(im_internal.+) x.usage OPERATOR(im_internal.+) b.usage
			OPERATOR(im_internal.+) l.usage OPERATOR(im_internal.+) k.usage
			OPERATOR(im_internal.+) g.usage OPERATOR(im_internal.+) vg.usage
			OPERATOR(im_internal.+) m.usage OPERATOR(im_internal.+) vm.usage
			OPERATOR(im_internal.+) c.usage OPERATOR(im_internal.+) vc.usage, coalesce(e.since, $1)),
		im_internal.im_usage_from(
			d.usage OPERATOR(im_internal.+) x.usage OPERATOR(im_internal.+) b.usage
			OPERATOR(im_internal.+) m.usage OPERATOR(im_internal.+) vm.usage
			OPERATOR(im_internal.+) c.usage OPERATOR(im_internal.+) vc.usage, coalesce(e.since, $1)),
		a.currency
	FROM im_internal.im_app_cards($3) a
	-- a refund of call minutes is known from the first day of its term month,
	-- of which at most 31 days lie behind the month
	LEFT JOIN im_internal.im_app_orders(im_internal.im_utc_midnight($2 + 32)) o
		ON o.app_id = a.app_id AND im_internal.im_is_among(o.app_id, $5, $6)
	LEFT JOIN im_internal.im_app_suspensions() s
		ON s.app_id = a.app_id AND im_internal.im_is_among(s.app_id, $5, $6)
	LEFT JOIN unnest(($4).early_apps, ($4).early_since) e(app_id, since)
		ON e.app_id = a.app_id AND im_internal.im_is_among(e.app_id, $5, $6)
	LEFT JOIN im_internal.im_gather_daily($1, $2, $4) d
		ON d.app_id = a.app_id AND im_internal.im_is_among(d.app_id, $5, $6)
	LEFT JOIN im_internal.im_gather_special_daily($1, $2, $4) x
		ON x.app_id = a.app_id AND im_internal.im_is_among(x.app_id, $5, $6)
	LEFT JOIN im_internal.im_gather_beside($1, $2, $4) b
		ON b.app_id = a.app_id AND im_internal.im_is_among(b.app_id, $5, $6)
	LEFT JOIN im_internal.im_gather_logins($3, $4) l
		ON l.app_id = a.app_id AND im_internal.im_is_among(l.app_id, $5, $6)
	LEFT JOIN im_internal.im_gather_groups($3, $4) g
		ON g.app_id = a.app_id AND im_internal.im_is_among(g.app_id, $5, $6)
	LEFT JOIN im_internal.im_gather_checks($3, $4) m
		ON m.app_id = a.app_id AND im_internal.im_is_among(m.app_id, $5, $6)
	LEFT JOIN im_internal.im_gather_calls($3, $4) c
		ON c.app_id = a.app_id AND im_internal.im_is_among(c.app_id, $5, $6)
	LEFT JOIN im_internal.im_gather_stale_logins($1, $3, $4) k
		ON k.app_id = a.app_id AND im_internal.im_is_among(k.app_id, $5, $6)
	LEFT JOIN im_internal.im_gather_stale_groups($1, $3, $4) vg
		ON vg.app_id = a.app_id AND im_internal.im_is_among(vg.app_id, $5, $6)
	LEFT JOIN im_internal.im_gather_stale_checks($1, $3, $4) vm
		ON vm.app_id = a.app_id AND im_internal.im_is_among(vm.app_id, $5, $6)
	LEFT JOIN im_internal.im_gather_stale_calls($1, $3, $4) vc
		ON vc.app_id = a.app_id AND im_internal.im_is_among(vc.app_id, $5, $6)
	WHERE im_internal.im_is_among(a.app_id, $5, $6)
$$;
COMMENT ON FUNCTION im_internal.im_gather_built_in(date, date, @extschema@.im_rate_card, im_internal.im_reading, bigint, bigint) IS
'What im_gather_among() gives, without meters by name.';

CREATE FUNCTION im_internal.im_gather_among(first date, until date, card @extschema@.im_rate_card,
		reading im_internal.im_reading, low_app bigint, high_app bigint)
	RETURNS TABLE (app_id bigint, account im_internal.im_app_account, usage im_internal.im_usage,
		services im_internal.im_usage, currency text)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT g.app_id, g.account, g.usage OPERATOR(im_internal.+) n.usage,
		g.services OPERATOR(im_internal.+) n.usage, g.currency
	FROM im_internal.im_gather_built_in($1, $2, $3, $4, $5, $6) g
	LEFT JOIN im_internal.im_gather_events($1, $2, $4) n
		ON n.app_id = g.app_id AND im_internal.im_is_among(n.app_id, $5, $6)
$$;
COMMENT ON FUNCTION im_internal.im_gather_among(date, date, @extschema@.im_rate_card, im_internal.im_reading, bigint, bigint) IS
'Each app from low_app through high_app, or (null) each, with all values that its bill of the month [first, until) is a function of, read as im_reading() says; with a card given, under that card. services is usage without logins and groups: who asks for it alone reads none.';

CREATE FUNCTION im_internal.im_events_of(app_id bigint, first date, until date, reading im_internal.im_reading)
	RETURNS im_internal.im_usage
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	SET jit = off
	SET plan_cache_mode = force_generic_plan	-- as in im_rebill()
AS $$
BEGIN
	RETURN (SELECT n.usage FROM im_internal.im_gather_events($2, $3, $4) n WHERE n.app_id = $1);
END
$$;
COMMENT ON FUNCTION im_internal.im_events_of(bigint, date, date, im_internal.im_reading) IS
'im_gather_events() of one app, by a plan of its own, which starts only where a card names meters.';

CREATE FUNCTION im_internal.im_gather(first date, until date, card @extschema@.im_rate_card,
		reading im_internal.im_reading)
	RETURNS TABLE (app_id bigint, account im_internal.im_app_account, usage im_internal.im_usage,
		services im_internal.im_usage, currency text)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT g.app_id, g.account,
		CASE WHEN (g.account).card_name = ANY (($4).meter_cards)
			THEN g.usage OPERATOR(im_internal.+) im_internal.im_events_of(g.app_id, $1, $2, $4) ELSE g.usage END,
		CASE WHEN (g.account).card_name = ANY (($4).meter_cards)
			THEN g.services OPERATOR(im_internal.+) im_internal.im_events_of(g.app_id, $1, $2, $4) ELSE g.services END,
		g.currency
	FROM im_internal.im_gather_built_in($1, $2, $3, $4, NULL::bigint, NULL::bigint) g
$$;
COMMENT ON FUNCTION im_internal.im_gather(date, date, @extschema@.im_rate_card, im_internal.im_reading) IS
'im_gather_among() of all apps, for who looks for a few of them: to begin with a plan of meters by name takes long beside the bill of an app that has none.';

-- Usage whose app is not in im_app has no card; its days are those of the
-- default card's zone.
CREATE FUNCTION im_internal.im_orphaned_usage(first date, until date)
	RETURNS TABLE (app_id bigint, usage im_internal.im_usage)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT v.app_id, im_internal.im_usage_from(im_internal.im_usage_sum(v.usage), $1)
	FROM (
		SELECT u.app_id,
			im_internal.im_usage_agg(u.app_id, u.day, u.dau, u.peak_groups,
				u.text_checks, u.image_checks, u.audio_half_minutes, u.video_half_minutes,
				u.audio_minutes, u.sd_minutes, u.hd_minutes, u.fhd_minutes, u.whole IS TRUE, NULL::@extschema@.im_userset)
		FROM im_internal.im_daily_rows() u
		WHERE u.day >= $1 AND u.day < $2 AND u.metered_at IS NULL
			AND NOT EXISTS (SELECT FROM @extschema@.im_app a WHERE a.app_id = u.app_id)
		GROUP BY u.app_id
		UNION ALL
		SELECT l.app_id,
			im_internal.im_usage_agg(l.app_id, l.day, l.dau,
				NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint,
				NULL::boolean, NULL::@extschema@.im_userset)
		FROM (SELECT k.app_id, @extschema@.im_day(k.at, 'Asia/Shanghai'::text) AS day,
					 im_internal.im_login_dau(k.user_id) AS dau
			  FROM @extschema@.im_login k
			  WHERE k.at >= im_internal.im_utc_midnight($1 - 1)
				AND k.at < im_internal.im_utc_midnight($2 + 1)
				AND NOT EXISTS (SELECT FROM @extschema@.im_app a WHERE a.app_id = k.app_id)
			  GROUP BY k.app_id, @extschema@.im_day(k.at, 'Asia/Shanghai'::text)) l
		WHERE l.day >= $1 AND l.day < $2
		GROUP BY l.app_id
		UNION ALL
		SELECT g.app_id,
			im_internal.im_group_days(g.app_id, g.group_id, g.created_at, g.disbanded_at, 'Asia/Shanghai'::text,
				$1, $2 - 1)
		FROM @extschema@.im_group g
		WHERE g.created_at < im_internal.im_utc_midnight($2 + 1)
			AND (g.disbanded_at IS NULL OR g.disbanded_at >= im_internal.im_utc_midnight($1 - 1))
			AND NOT EXISTS (SELECT FROM @extschema@.im_app a WHERE a.app_id = g.app_id)
		GROUP BY g.app_id
		UNION ALL
		SELECT m.app_id,
			im_internal.im_check_days(m.app_id, m.at, m.kind, m.seconds, 'Asia/Shanghai'::text, $1, $2 - 1)
		FROM @extschema@.im_moderation_check m
		WHERE m.at >= im_internal.im_utc_midnight($1 - 1)
			AND m.at < im_internal.im_utc_midnight($2 + 1)
			AND NOT EXISTS (SELECT FROM @extschema@.im_app a WHERE a.app_id = m.app_id)
		GROUP BY m.app_id
		UNION ALL
		SELECT c.app_id,
			im_internal.im_call_days(c.app_id, c.at, c.class, c.seconds, 'Asia/Shanghai'::text, $1, $2 - 1)
		FROM @extschema@.im_call c
		WHERE c.at >= im_internal.im_utc_midnight($1 - 1)
			AND c.at < im_internal.im_utc_midnight($2 + 1)
			AND NOT EXISTS (SELECT FROM @extschema@.im_app a WHERE a.app_id = c.app_id)
		GROUP BY c.app_id
	) v(app_id, usage)
	GROUP BY v.app_id
$$;
COMMENT ON FUNCTION im_internal.im_orphaned_usage(date, date) IS
'Usage of the month [first, until) whose app is not in im_app.';

-- The same of some apps.  A condition on a list of apps does not reach the raw
-- tables through the grouping of each; so the plan follows each app through
-- the index of every table, and touches no row of another one.
CREATE FUNCTION im_internal.im_early_usage_of(apps bigint[], first date, until date,
		card @extschema@.im_rate_card, book im_internal.im_price_book)
	RETURNS TABLE (app_id bigint, since date)
	LANGUAGE plpgsql STABLE ROWS 10
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
BEGIN
	RETURN QUERY
	SELECT e.*
	FROM unnest($1) a
	CROSS JOIN LATERAL (
		SELECT u.app_id, u.since
		FROM im_internal.im_early_usage($2, $3, $4, $5) u
		WHERE u.app_id = a
		OFFSET 0) e;
END
$$;
COMMENT ON FUNCTION im_internal.im_early_usage_of(bigint[], date, date, @extschema@.im_rate_card, im_internal.im_price_book) IS
'im_early_usage() of the given apps.';

CREATE FUNCTION im_internal.im_gather_of(apps bigint[], first date, until date,
		card @extschema@.im_rate_card, early_apps bigint[], early_since date[])
	RETURNS TABLE (app_id bigint, account im_internal.im_app_account, usage im_internal.im_usage,
		services im_internal.im_usage, currency text)
	LANGUAGE plpgsql STABLE ROWS 100
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	-- that of an app without packs and marks
	usual im_internal.im_reading := im_internal.im_reading($2, $3, $4, NULL::im_internal.im_price_book, NULL::bigint);
	marked bigint[] := usual.stale_apps;
BEGIN
	usual.stale_apps := NULL;
	usual.stale_first := NULL;
	usual.stale_until := NULL;
	RETURN QUERY
	SELECT g.*
	FROM unnest($1) a
	LEFT JOIN unnest($5, $6) e(app_id, since) ON e.app_id = a
	CROSS JOIN LATERAL (
		SELECT CASE WHEN e.since IS NULL AND (marked IS NULL OR a <> ALL (marked)) THEN usual
			ELSE im_internal.im_reading_of($2, $3, $4,
				CASE WHEN e.since IS NOT NULL THEN ARRAY[a] END,
				CASE WHEN e.since IS NOT NULL THEN ARRAY[e.since] END, a) END AS reading
		OFFSET 0) r
	CROSS JOIN LATERAL (
		SELECT *
		FROM im_internal.im_gather($2, $3, $4, r.reading) i
		WHERE i.app_id = a
		OFFSET 0) g;
END
$$;
COMMENT ON FUNCTION im_internal.im_gather_of(bigint[], date, date, @extschema@.im_rate_card, bigint[], date[]) IS
'im_gather() of the given apps; early_apps and early_since are what im_early_usage_of() gives.';
