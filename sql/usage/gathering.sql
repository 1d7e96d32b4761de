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
				 @extschema@.im_usage_since(a.app_id, a.card_name, $4, o.orders, s.suspensions,
					$3 IS NOT NULL, $1::@extschema@.im_month) AS since
		  FROM (SELECT DISTINCT k.app_id
				FROM @extschema@.im_order k
				WHERE k.action = 'buy' AND k.item NOT IN ('plan', 'local_moderation')
					AND k.at < @extschema@.im_utc_midnight($1 + 1)) p
		  JOIN @extschema@.im_app_cards($3) a ON a.app_id = p.app_id
		  CROSS JOIN LATERAL (
			SELECT c.orders
			FROM @extschema@.im_app_orders(@extschema@.im_utc_midnight($2 + 1)) c
			WHERE c.app_id = p.app_id) o
		  LEFT JOIN @extschema@.im_app_suspensions() s ON s.app_id = a.app_id) e
	WHERE e.since < $1
$$;
COMMENT ON FUNCTION @extschema@.im_early_usage(date, date, @extschema@.im_rate_card, @extschema@.im_price_book) IS
'Apps whose packs were in use before the month [first, until), and the day from which their usage must be known to tell what is left of them.';

-- In what follows reading is what im_reading() says: which days are read from
-- events.  Of any other day the metered row counts, or what was metered beside a
-- user's row (im_metered_beside), and where there is neither there was no usage.
-- What is metered adds up in rating, so no event may be read twice, and none of
-- a day whose metered row counts.

-- A row of a user gives the figures that are not null, and his users give their
-- number.
CREATE FUNCTION @extschema@.im_daily_rows() RETURNS TABLE (
		app_id bigint, day date, dau bigint, users @extschema@.im_userset, peak_groups bigint,
		text_checks bigint, image_checks bigint, audio_half_minutes bigint, video_half_minutes bigint,
		audio_minutes bigint, sd_minutes bigint, hd_minutes bigint, fhd_minutes bigint,
		metered_at timestamptz, whole boolean)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT d.app_id, d.day,
		coalesce(d.dau, CASE WHEN d.whole IS NOT TRUE THEN @extschema@.im_count(d.users) END),
		d.users, d.peak_groups, d.text_checks, d.image_checks, d.audio_half_minutes,
		d.video_half_minutes, d.audio_minutes, d.sd_minutes, d.hd_minutes, d.fhd_minutes,
		d.metered_at, d.whole
	FROM @extschema@.im_usage_daily d
$$;
COMMENT ON FUNCTION @extschema@.im_daily_rows() IS
'The rows of im_usage_daily as they count: dau is the number of users where it is null and they are given (R11).';

-- Daily figures are read in two ways, of which each app takes one.  Most apps
-- are in one scan of one table, of which the planner knows how many they are
-- and that its primary key has them in order.  Those some of whose days are
-- read from events after all, or whose usage before the month matters, are
-- looked up one by one.  The two are no union: it would have workers of its
-- own, and who has workers cannot be one (im_by_ranges).
CREATE FUNCTION @extschema@.im_gather_daily(first date, until date, reading @extschema@.im_reading)
	RETURNS TABLE (app_id bigint, daily bigint[], metered bigint[], user_days date[],
		users @extschema@.im_userset[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT u.app_id,
		@extschema@.im_given_pack(u.app_id, u.day, u.dau, u.peak_groups,
			u.text_checks, u.image_checks, u.audio_half_minutes, u.video_half_minutes,
			u.audio_minutes, u.sd_minutes, u.hd_minutes, u.fhd_minutes, u.whole)
			FILTER (WHERE u.metered_at IS NULL),
		@extschema@.im_usage_pack(u.app_id, u.day, u.dau, u.peak_groups,
			u.text_checks, u.image_checks, u.audio_half_minutes, u.video_half_minutes,
			u.audio_minutes, u.sd_minutes, u.hd_minutes, u.fhd_minutes)
			FILTER (WHERE u.metered_at IS NOT NULL),
		array_agg(u.day) FILTER (WHERE u.users IS NOT NULL),
		array_agg(u.users) FILTER (WHERE u.users IS NOT NULL)
	FROM @extschema@.im_daily_rows() u
	WHERE u.app_id <> ALL (coalesce(($3).early_apps || ($3).stale_apps, '{}'))
		AND u.day >= $1 AND u.day < $2
		AND (u.metered_at IS NULL OR u.day < ($3).raw_first OR u.day >= ($3).raw_until)
	GROUP BY u.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_gather_daily(date, date, @extschema@.im_reading) IS
'The daily figures of most apps: those that users gave, and those that were metered and count.';

CREATE FUNCTION @extschema@.im_gather_special_daily(first date, until date, reading @extschema@.im_reading)
	RETURNS TABLE (app_id bigint, daily bigint[], metered bigint[], user_days date[],
		users @extschema@.im_userset[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT u.app_id,
		@extschema@.im_given_pack(u.app_id, u.day, u.dau, u.peak_groups,
			u.text_checks, u.image_checks, u.audio_half_minutes, u.video_half_minutes,
			u.audio_minutes, u.sd_minutes, u.hd_minutes, u.fhd_minutes, u.whole)
			FILTER (WHERE u.metered_at IS NULL),
		@extschema@.im_usage_pack(u.app_id, u.day, u.dau, u.peak_groups,
			u.text_checks, u.image_checks, u.audio_half_minutes, u.video_half_minutes,
			u.audio_minutes, u.sd_minutes, u.hd_minutes, u.fhd_minutes)
			FILTER (WHERE u.metered_at IS NOT NULL),
		array_agg(u.day) FILTER (WHERE u.day >= $1 AND u.users IS NOT NULL),
		array_agg(u.users) FILTER (WHERE u.day >= $1 AND u.users IS NOT NULL)
	FROM (
		-- those without early usage come later in the array: since is null
		SELECT e.app_id, min(coalesce(e.since, $1)) AS since
		FROM unnest(($3).early_apps || ($3).stale_apps, ($3).early_since) e(app_id, since)
		WHERE ($3).early_apps IS NOT NULL OR ($3).stale_apps IS NOT NULL
		GROUP BY e.app_id) p
	JOIN @extschema@.im_daily_rows() u ON u.app_id = p.app_id AND u.day >= p.since AND u.day < $2
	LEFT JOIN unnest(($3).stale_apps, ($3).stale_first, ($3).stale_until) s(stale_id, since, until)
		ON s.stale_id = u.app_id AND u.day >= s.since AND u.day < s.until
	WHERE u.metered_at IS NULL
		OR s.stale_id IS NULL AND (u.day < $1 OR u.day < ($3).raw_first OR u.day >= ($3).raw_until)
	GROUP BY u.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_gather_special_daily(date, date, @extschema@.im_reading) IS
'The same of the other apps, and their figures before the month as far as they matter.';

-- A subquery here would keep workers from the ranges of apps.
CREATE FUNCTION @extschema@.im_first_of(days date[]) RETURNS date
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT min(d) FROM unnest($1) d;
END;
COMMENT ON FUNCTION @extschema@.im_first_of(date[]) IS
'The earliest of the days; null without any.';

-- Most databases have no such rows.  The least of the days leads to the month.
CREATE FUNCTION @extschema@.im_gather_beside(first date, until date, reading @extschema@.im_reading)
	RETURNS TABLE (app_id bigint, usage bigint[], user_days date[], users @extschema@.im_userset[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT b.app_id,
		@extschema@.im_usage_agg(b.app_id, b.day, b.dau, b.peak_groups,
			b.text_checks, b.image_checks, b.audio_half_minutes, b.video_half_minutes,
			b.audio_minutes, b.sd_minutes, b.hd_minutes, b.fhd_minutes),
		array_agg(b.day) FILTER (WHERE b.day >= $1 AND b.users IS NOT NULL),
		array_agg(b.users) FILTER (WHERE b.day >= $1 AND b.users IS NOT NULL)
	FROM @extschema@.im_metered_beside b
	LEFT JOIN unnest(($3).early_apps, ($3).early_since) e(early_id, since) ON e.early_id = b.app_id
	LEFT JOIN unnest(($3).stale_apps, ($3).stale_first, ($3).stale_until) s(stale_id, since, until)
		ON s.stale_id = b.app_id AND b.day >= s.since AND b.day < s.until
	WHERE b.day >= least($1, @extschema@.im_first_of(($3).early_since)) AND b.day < $2
		AND b.day >= coalesce(e.since, $1) AND s.stale_id IS NULL
		AND (b.day < $1 OR b.day < ($3).raw_first OR b.day >= ($3).raw_until)
	GROUP BY b.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_gather_beside(date, date, @extschema@.im_reading) IS
'What was metered of days of which users gave other figures, and counts.';

CREATE FUNCTION @extschema@.im_raw_logins(card @extschema@.im_rate_card, reading @extschema@.im_reading)
	RETURNS TABLE (app_id bigint, day date, prices_mau boolean, dau bigint, users @extschema@.im_userset)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT d.app_id, d.day, d.prices_mau, d.dau, d.users
	FROM (
		SELECT l.app_id, @extschema@.im_day(l.at, a.time_zone) AS day, a.prices_mau,
			@extschema@.im_login_dau(l.user_id) FILTER (WHERE NOT a.prices_mau) AS dau,
			@extschema@.im_login_users(l.user_id) FILTER (WHERE a.prices_mau) AS users
		FROM @extschema@.im_login l
		JOIN @extschema@.im_app_cards($1) a ON a.app_id = l.app_id
		WHERE ($2).raw_first < ($2).raw_until
			AND l.at >= @extschema@.im_utc_midnight(($2).raw_first - 1)
			AND l.at < @extschema@.im_utc_midnight(($2).raw_until + 1)
			AND a.time_zone IS NOT NULL
		GROUP BY l.app_id, a.prices_mau, @extschema@.im_day(l.at, a.time_zone)) d
	WHERE d.day >= ($2).raw_first AND d.day < ($2).raw_until
$$;
COMMENT ON FUNCTION @extschema@.im_raw_logins(@extschema@.im_rate_card, @extschema@.im_reading) IS
'Distinct users of the days whose events are read, by app and day: their number, or the set where the card prices users of the month.';

CREATE FUNCTION @extschema@.im_gather_logins(card @extschema@.im_rate_card, reading @extschema@.im_reading)
	RETURNS TABLE (app_id bigint, logins bigint[], user_days date[], users @extschema@.im_userset[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT d.app_id,
		@extschema@.im_usage_agg(d.app_id, d.day,
			CASE WHEN d.prices_mau THEN @extschema@.im_count(d.users) ELSE d.dau END,
			NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint),
		array_agg(d.day) FILTER (WHERE d.prices_mau),
		array_agg(d.users) FILTER (WHERE d.prices_mau)
	FROM @extschema@.im_raw_logins($1, $2) d
	GROUP BY d.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_gather_logins(@extschema@.im_rate_card, @extschema@.im_reading) IS
'Distinct users of the days whose events are read, by app: their number, or the sets where the card prices users of the month.';

CREATE FUNCTION @extschema@.im_gather_groups(card @extschema@.im_rate_card, reading @extschema@.im_reading)
	RETURNS TABLE (app_id bigint, groups bigint[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT g.app_id,
		@extschema@.im_group_days(g.app_id, g.group_id, g.created_at, g.disbanded_at, a.time_zone,
			($2).raw_first, ($2).raw_until - 1)
	FROM @extschema@.im_group g
	JOIN @extschema@.im_app_cards($1) a ON a.app_id = g.app_id
	WHERE ($2).raw_first < ($2).raw_until
		AND g.created_at < @extschema@.im_utc_midnight(($2).raw_until + 1)
		AND (g.disbanded_at IS NULL
			OR g.disbanded_at >= @extschema@.im_utc_midnight(($2).raw_first - 1)
			OR g.created_at >= @extschema@.im_utc_midnight(($2).raw_first - 1))
		AND a.time_zone IS NOT NULL
		AND (($2).skip_apps IS NULL OR g.app_id <> ALL (($2).skip_apps))
	GROUP BY g.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_gather_groups(@extschema@.im_rate_card, @extschema@.im_reading) IS
'Peak groups of the days whose events are read, by app.';

CREATE FUNCTION @extschema@.im_gather_checks(card @extschema@.im_rate_card, reading @extschema@.im_reading)
	RETURNS TABLE (app_id bigint, checks bigint[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT k.app_id,
		@extschema@.im_check_days(k.app_id, k.at, k.kind, k.seconds, a.time_zone,
			($2).raw_first, ($2).raw_until - 1)
	FROM @extschema@.im_moderation_check k
	JOIN @extschema@.im_app_cards($1) a ON a.app_id = k.app_id
	WHERE ($2).raw_first < ($2).raw_until
		AND k.at >= @extschema@.im_utc_midnight(($2).raw_first - 1)
		AND k.at < @extschema@.im_utc_midnight(($2).raw_until + 1)
		AND a.time_zone IS NOT NULL
		AND (($2).skip_apps IS NULL OR k.app_id <> ALL (($2).skip_apps))
	GROUP BY k.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_gather_checks(@extschema@.im_rate_card, @extschema@.im_reading) IS
'Moderation checks of the days whose events are read, by app.';

CREATE FUNCTION @extschema@.im_gather_calls(card @extschema@.im_rate_card, reading @extschema@.im_reading)
	RETURNS TABLE (app_id bigint, calls bigint[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT k.app_id,
		@extschema@.im_call_days(k.app_id, k.at, k.class, k.seconds, a.time_zone,
			($2).raw_first, ($2).raw_until - 1)
	FROM @extschema@.im_call k
	JOIN @extschema@.im_app_cards($1) a ON a.app_id = k.app_id
	WHERE ($2).raw_first < ($2).raw_until
		AND k.at >= @extschema@.im_utc_midnight(($2).raw_first - 1)
		AND k.at < @extschema@.im_utc_midnight(($2).raw_until + 1)
		AND a.time_zone IS NOT NULL
		AND (($2).skip_apps IS NULL OR k.app_id <> ALL (($2).skip_apps))
	GROUP BY k.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_gather_calls(@extschema@.im_rate_card, @extschema@.im_reading) IS
'Call minutes of the days whose events are read, by app.';

-- Events of single apps.  Spans of one app do not overlap, but the slack
-- around them does: so each event is taken for the span that holds its day.
-- Of the time before the month only checks and calls matter.  Bounds around
-- all spans say again which partitions are opened at all.

CREATE FUNCTION @extschema@.im_stale_logins(first date, card @extschema@.im_rate_card,
		reading @extschema@.im_reading)
	RETURNS TABLE (app_id bigint, day date, prices_mau boolean, dau bigint, users @extschema@.im_userset)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT l.app_id, @extschema@.im_day(l.at, a.time_zone), a.prices_mau,
		@extschema@.im_login_dau(l.user_id) FILTER (WHERE NOT a.prices_mau),
		@extschema@.im_login_users(l.user_id) FILTER (WHERE a.prices_mau)
	FROM unnest(($3).stale_apps, ($3).stale_first, ($3).stale_until) s(app_id, since, until)
	JOIN @extschema@.im_app_cards($2) a ON a.app_id = s.app_id
	JOIN @extschema@.im_login l ON l.app_id = s.app_id
		AND l.at >= @extschema@.im_utc_midnight(s.since - 1)
		AND l.at < @extschema@.im_utc_midnight(s.until + 1)
		AND l.at >= @extschema@.im_utc_midnight(($3).stale_low - 1)
		AND l.at < @extschema@.im_utc_midnight(($3).stale_high + 1)
	WHERE ($3).stale_apps IS NOT NULL AND s.since >= $1 AND a.time_zone IS NOT NULL
		AND @extschema@.im_day(l.at, a.time_zone) >= s.since
		AND @extschema@.im_day(l.at, a.time_zone) < s.until
	GROUP BY l.app_id, a.prices_mau, @extschema@.im_day(l.at, a.time_zone)
$$;
COMMENT ON FUNCTION @extschema@.im_stale_logins(date, @extschema@.im_rate_card, @extschema@.im_reading) IS
'Distinct users of the stale days of single apps from a day on, by app and day.';

CREATE FUNCTION @extschema@.im_gather_stale_logins(first date, card @extschema@.im_rate_card,
		reading @extschema@.im_reading)
	RETURNS TABLE (app_id bigint, logins bigint[], user_days date[], users @extschema@.im_userset[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT d.app_id,
		@extschema@.im_usage_agg(d.app_id, d.day,
			CASE WHEN d.prices_mau THEN @extschema@.im_count(d.users) ELSE d.dau END,
			NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint),
		array_agg(d.day) FILTER (WHERE d.prices_mau),
		array_agg(d.users) FILTER (WHERE d.prices_mau)
	FROM @extschema@.im_stale_logins($1, $2, $3) d
	GROUP BY d.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_gather_stale_logins(date, @extschema@.im_rate_card, @extschema@.im_reading) IS
'The same as im_gather_logins() gives it, of the stale days of single apps.';

CREATE FUNCTION @extschema@.im_stale_groups(first date, card @extschema@.im_rate_card,
		reading @extschema@.im_reading)
	RETURNS TABLE (app_id bigint, groups bigint[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT g.app_id,
		@extschema@.im_group_days(g.app_id, g.group_id, g.created_at, g.disbanded_at, a.time_zone,
			s.since, s.until - 1)
	FROM unnest(($3).stale_apps, ($3).stale_first, ($3).stale_until) s(app_id, since, until)
	JOIN @extschema@.im_app_cards($2) a ON a.app_id = s.app_id
	JOIN @extschema@.im_group g ON g.app_id = s.app_id
		AND g.created_at < @extschema@.im_utc_midnight(s.until + 1)
		AND g.created_at < @extschema@.im_utc_midnight(($3).stale_high + 1)
	WHERE ($3).stale_apps IS NOT NULL AND s.since >= $1 AND a.time_zone IS NOT NULL
		AND (g.disbanded_at IS NULL
			OR g.disbanded_at >= @extschema@.im_utc_midnight(s.since - 1)
			OR g.created_at >= @extschema@.im_utc_midnight(s.since - 1))
	GROUP BY g.app_id, s.since
$$;
COMMENT ON FUNCTION @extschema@.im_stale_groups(date, @extschema@.im_rate_card, @extschema@.im_reading) IS
'Peak groups of the stale days of single apps from a day on, an array for each span.';

CREATE FUNCTION @extschema@.im_stale_checks(first date, card @extschema@.im_rate_card,
		reading @extschema@.im_reading)
	RETURNS TABLE (app_id bigint, checks bigint[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT k.app_id,
		@extschema@.im_check_days(k.app_id, k.at, k.kind, k.seconds, a.time_zone, s.since, s.until - 1)
	FROM unnest(($3).stale_apps, ($3).stale_first, ($3).stale_until) s(app_id, since, until)
	JOIN @extschema@.im_app_cards($2) a ON a.app_id = s.app_id
	JOIN @extschema@.im_moderation_check k ON k.app_id = s.app_id
		AND k.at >= @extschema@.im_utc_midnight(s.since - 1)
		AND k.at < @extschema@.im_utc_midnight(s.until + 1)
		AND k.at >= @extschema@.im_utc_midnight(($3).stale_low - 1)
		AND k.at < @extschema@.im_utc_midnight(($3).stale_high + 1)
	WHERE ($3).stale_apps IS NOT NULL AND a.time_zone IS NOT NULL
	GROUP BY k.app_id, s.since
$$;
COMMENT ON FUNCTION @extschema@.im_stale_checks(date, @extschema@.im_rate_card, @extschema@.im_reading) IS
'Moderation checks of the stale days of single apps, an array for each span.';

CREATE FUNCTION @extschema@.im_stale_calls(first date, card @extschema@.im_rate_card,
		reading @extschema@.im_reading)
	RETURNS TABLE (app_id bigint, calls bigint[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT k.app_id,
		@extschema@.im_call_days(k.app_id, k.at, k.class, k.seconds, a.time_zone, s.since, s.until - 1)
	FROM unnest(($3).stale_apps, ($3).stale_first, ($3).stale_until) s(app_id, since, until)
	JOIN @extschema@.im_app_cards($2) a ON a.app_id = s.app_id
	JOIN @extschema@.im_call k ON k.app_id = s.app_id
		AND k.at >= @extschema@.im_utc_midnight(s.since - 1)
		AND k.at < @extschema@.im_utc_midnight(s.until + 1)
		AND k.at >= @extschema@.im_utc_midnight(($3).stale_low - 1)
		AND k.at < @extschema@.im_utc_midnight(($3).stale_high + 1)
	WHERE ($3).stale_apps IS NOT NULL AND a.time_zone IS NOT NULL
	GROUP BY k.app_id, s.since
$$;
COMMENT ON FUNCTION @extschema@.im_stale_calls(date, @extschema@.im_rate_card, @extschema@.im_reading) IS
'Call minutes of the stale days of single apps, an array for each span.';

CREATE FUNCTION @extschema@.im_gather_stale_groups(first date, card @extschema@.im_rate_card,
		reading @extschema@.im_reading)
	RETURNS TABLE (app_id bigint, groups bigint[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT s.app_id, @extschema@.im_join_usage(s.groups)
	FROM @extschema@.im_stale_groups($1, $2, $3) s
	GROUP BY s.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_gather_stale_groups(date, @extschema@.im_rate_card, @extschema@.im_reading) IS
'Peak groups of the stale days of single apps, by app.';

CREATE FUNCTION @extschema@.im_gather_stale_checks(first date, card @extschema@.im_rate_card,
		reading @extschema@.im_reading)
	RETURNS TABLE (app_id bigint, checks bigint[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT s.app_id, @extschema@.im_join_usage(s.checks)
	FROM @extschema@.im_stale_checks($1, $2, $3) s
	GROUP BY s.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_gather_stale_checks(date, @extschema@.im_rate_card, @extschema@.im_reading) IS
'Moderation checks of the stale days of single apps, by app.';

CREATE FUNCTION @extschema@.im_gather_stale_calls(first date, card @extschema@.im_rate_card,
		reading @extschema@.im_reading)
	RETURNS TABLE (app_id bigint, calls bigint[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT s.app_id, @extschema@.im_join_usage(s.calls)
	FROM @extschema@.im_stale_calls($1, $2, $3) s
	GROUP BY s.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_gather_stale_calls(date, @extschema@.im_rate_card, @extschema@.im_reading) IS
'Call minutes of the stale days of single apps, by app.';

-- Inlined, so that without bounds nothing is left of it, and with bounds an
-- index can serve it.
CREATE FUNCTION @extschema@.im_is_among(app_id bigint, low_app bigint, high_app bigint) RETURNS boolean
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN low_app IS NULL OR app_id BETWEEN low_app AND high_app;
COMMENT ON FUNCTION @extschema@.im_is_among(bigint, bigint, bigint) IS
'Whether an app is one of those from low_app through high_app; all are where low_app is null.';

-- The planner carries an equality from one table to the next, but not the
-- bounds of a range: each table is told.
CREATE FUNCTION @extschema@.im_gather_among(first date, until date, card @extschema@.im_rate_card,
		reading @extschema@.im_reading, low_app bigint, high_app bigint)
	RETURNS TABLE (
		app_id bigint, card_name text, orders @extschema@.im_order_entry[],
		suspensions daterange[], preview boolean,
		since date, daily bigint[], logins bigint[], groups bigint[], checks bigint[],
		calls bigint[], user_days date[], users @extschema@.im_userset[], currency text)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT a.app_id, a.card_name, o.orders, s.suspensions,
		$3 IS NOT NULL, coalesce(e.since, $1),
		-- rating adds up the four of metered usage; what is packed stands alone
		coalesce(d.daily, x.daily), l.logins || k.logins,
		g.groups || c.calls || vg.groups || vc.calls, m.checks || vm.checks || b.usage,
		coalesce(d.metered, x.metered),
		-- what stands behind the null is of events, which count only on days
		-- whose users were not given
		CASE WHEN a.prices_mau THEN coalesce(d.user_days, x.user_days) || NULL::date || l.user_days || k.user_days || b.user_days END,
		CASE WHEN a.prices_mau THEN coalesce(d.users, x.users) || NULL::@extschema@.im_userset || l.users || k.users || b.users END,
		a.currency
	FROM @extschema@.im_app_cards($3) a
	-- a refund of call minutes is known from the first day of its term month,
	-- of which at most 31 days lie behind the month
	LEFT JOIN @extschema@.im_app_orders(@extschema@.im_utc_midnight($2 + 32)) o
		ON o.app_id = a.app_id AND @extschema@.im_is_among(o.app_id, $5, $6)
	LEFT JOIN @extschema@.im_app_suspensions() s
		ON s.app_id = a.app_id AND @extschema@.im_is_among(s.app_id, $5, $6)
	LEFT JOIN unnest(($4).early_apps, ($4).early_since) e(app_id, since)
		ON e.app_id = a.app_id AND @extschema@.im_is_among(e.app_id, $5, $6)
	LEFT JOIN @extschema@.im_gather_daily($1, $2, $4) d
		ON d.app_id = a.app_id AND @extschema@.im_is_among(d.app_id, $5, $6)
	LEFT JOIN @extschema@.im_gather_special_daily($1, $2, $4) x
		ON x.app_id = a.app_id AND @extschema@.im_is_among(x.app_id, $5, $6)
	LEFT JOIN @extschema@.im_gather_beside($1, $2, $4) b
		ON b.app_id = a.app_id AND @extschema@.im_is_among(b.app_id, $5, $6)
	LEFT JOIN @extschema@.im_gather_logins($3, $4) l
		ON l.app_id = a.app_id AND @extschema@.im_is_among(l.app_id, $5, $6)
	LEFT JOIN @extschema@.im_gather_groups($3, $4) g
		ON g.app_id = a.app_id AND @extschema@.im_is_among(g.app_id, $5, $6)
	LEFT JOIN @extschema@.im_gather_checks($3, $4) m
		ON m.app_id = a.app_id AND @extschema@.im_is_among(m.app_id, $5, $6)
	LEFT JOIN @extschema@.im_gather_calls($3, $4) c
		ON c.app_id = a.app_id AND @extschema@.im_is_among(c.app_id, $5, $6)
	LEFT JOIN @extschema@.im_gather_stale_logins($1, $3, $4) k
		ON k.app_id = a.app_id AND @extschema@.im_is_among(k.app_id, $5, $6)
	LEFT JOIN @extschema@.im_gather_stale_groups($1, $3, $4) vg
		ON vg.app_id = a.app_id AND @extschema@.im_is_among(vg.app_id, $5, $6)
	LEFT JOIN @extschema@.im_gather_stale_checks($1, $3, $4) vm
		ON vm.app_id = a.app_id AND @extschema@.im_is_among(vm.app_id, $5, $6)
	LEFT JOIN @extschema@.im_gather_stale_calls($1, $3, $4) vc
		ON vc.app_id = a.app_id AND @extschema@.im_is_among(vc.app_id, $5, $6)
	WHERE @extschema@.im_is_among(a.app_id, $5, $6)
$$;
COMMENT ON FUNCTION @extschema@.im_gather_among(date, date, @extschema@.im_rate_card, @extschema@.im_reading, bigint, bigint) IS
'Each app from low_app through high_app, or (null) each, with all values that its bill of the month [first, until) is a function of, read as im_reading() says; with a card given, under that card.';

CREATE FUNCTION @extschema@.im_gather(first date, until date, card @extschema@.im_rate_card,
		reading @extschema@.im_reading)
	RETURNS TABLE (
		app_id bigint, card_name text, orders @extschema@.im_order_entry[],
		suspensions daterange[], preview boolean,
		since date, daily bigint[], logins bigint[], groups bigint[], checks bigint[],
		calls bigint[], user_days date[], users @extschema@.im_userset[], currency text)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT g.* FROM @extschema@.im_gather_among($1, $2, $3, $4, NULL::bigint, NULL::bigint) g
$$;
COMMENT ON FUNCTION @extschema@.im_gather(date, date, @extschema@.im_rate_card, @extschema@.im_reading) IS
'im_gather_among() of all apps.';

-- The same from events alone, metered or not.
CREATE FUNCTION @extschema@.im_gather(first date, until date, card @extschema@.im_rate_card,
		early_apps bigint[], early_since date[])
	RETURNS TABLE (
		app_id bigint, card_name text, orders @extschema@.im_order_entry[],
		suspensions daterange[], preview boolean,
		since date, daily bigint[], logins bigint[], groups bigint[], checks bigint[],
		calls bigint[], user_days date[], users @extschema@.im_userset[], currency text)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT g.*
	FROM @extschema@.im_gather($1, $2, $3, ROW($1, $2, $4, $5, $4, $5,
		(SELECT array_agg($1) FROM unnest($4)), (SELECT min(s) FROM unnest($5) s), $1, NULL)::@extschema@.im_reading) g
$$;
COMMENT ON FUNCTION @extschema@.im_gather(date, date, @extschema@.im_rate_card, bigint[], date[]) IS
'im_gather() that reads events only; early_apps and early_since are what im_early_usage() gives.';

-- Usage whose app is not in im_app has no card; its days are those of the
-- default card's zone.
CREATE FUNCTION @extschema@.im_orphaned_usage(first date, until date)
	RETURNS TABLE (app_id bigint, daily bigint[], usage bigint[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT app_id, d.daily, e.usage
	FROM (
		SELECT u.app_id,
			@extschema@.im_given_pack(u.app_id, u.day, u.dau, u.peak_groups,
				u.text_checks, u.image_checks, u.audio_half_minutes, u.video_half_minutes,
				u.audio_minutes, u.sd_minutes, u.hd_minutes, u.fhd_minutes, u.whole) AS daily
		FROM @extschema@.im_daily_rows() u
		WHERE u.day >= $1 AND u.day < $2 AND u.metered_at IS NULL
			AND NOT EXISTS (SELECT FROM @extschema@.im_app a WHERE a.app_id = u.app_id)
		GROUP BY u.app_id) d
	FULL JOIN (
		SELECT v.app_id, @extschema@.im_join_usage(v.usage) AS usage
		FROM (
			SELECT l.app_id,
				@extschema@.im_usage_agg(l.app_id, l.day, l.dau,
					NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint)
			FROM (SELECT k.app_id, @extschema@.im_day(k.at, 'Asia/Shanghai'::text) AS day,
						 @extschema@.im_login_dau(k.user_id) AS dau
				  FROM @extschema@.im_login k
				  WHERE k.at >= @extschema@.im_utc_midnight($1 - 1)
					AND k.at < @extschema@.im_utc_midnight($2 + 1)
					AND NOT EXISTS (SELECT FROM @extschema@.im_app a WHERE a.app_id = k.app_id)
				  GROUP BY k.app_id, @extschema@.im_day(k.at, 'Asia/Shanghai'::text)) l
			WHERE l.day >= $1 AND l.day < $2
			GROUP BY l.app_id
			UNION ALL
			SELECT g.app_id,
				@extschema@.im_group_days(g.app_id, g.group_id, g.created_at, g.disbanded_at, 'Asia/Shanghai'::text,
					$1, $2 - 1)
			FROM @extschema@.im_group g
			WHERE g.created_at < @extschema@.im_utc_midnight($2 + 1)
				AND (g.disbanded_at IS NULL OR g.disbanded_at >= @extschema@.im_utc_midnight($1 - 1))
				AND NOT EXISTS (SELECT FROM @extschema@.im_app a WHERE a.app_id = g.app_id)
			GROUP BY g.app_id
			UNION ALL
			SELECT m.app_id,
				@extschema@.im_check_days(m.app_id, m.at, m.kind, m.seconds, 'Asia/Shanghai'::text, $1, $2 - 1)
			FROM @extschema@.im_moderation_check m
			WHERE m.at >= @extschema@.im_utc_midnight($1 - 1)
				AND m.at < @extschema@.im_utc_midnight($2 + 1)
				AND NOT EXISTS (SELECT FROM @extschema@.im_app a WHERE a.app_id = m.app_id)
			GROUP BY m.app_id
			UNION ALL
			SELECT c.app_id,
				@extschema@.im_call_days(c.app_id, c.at, c.class, c.seconds, 'Asia/Shanghai'::text, $1, $2 - 1)
			FROM @extschema@.im_call c
			WHERE c.at >= @extschema@.im_utc_midnight($1 - 1)
				AND c.at < @extschema@.im_utc_midnight($2 + 1)
				AND NOT EXISTS (SELECT FROM @extschema@.im_app a WHERE a.app_id = c.app_id)
			GROUP BY c.app_id
		) v(app_id, usage)
		GROUP BY v.app_id) e USING (app_id)
$$;
COMMENT ON FUNCTION @extschema@.im_orphaned_usage(date, date) IS
'Usage of the month [first, until) whose app is not in im_app.';

-- The same of some apps.  A condition on a list of apps does not reach the raw
-- tables through the grouping of each; so the plan follows each app through
-- the index of every table, and touches no row of another one.
CREATE FUNCTION @extschema@.im_early_usage_of(apps bigint[], first date, until date,
		card @extschema@.im_rate_card, book @extschema@.im_price_book)
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
		FROM @extschema@.im_early_usage($2, $3, $4, $5) u
		WHERE u.app_id = a
		OFFSET 0) e;
END
$$;
COMMENT ON FUNCTION @extschema@.im_early_usage_of(bigint[], date, date, @extschema@.im_rate_card, @extschema@.im_price_book) IS
'im_early_usage() of the given apps.';

CREATE FUNCTION @extschema@.im_gather_of(apps bigint[], first date, until date,
		card @extschema@.im_rate_card, early_apps bigint[], early_since date[])
	RETURNS TABLE (
		app_id bigint, card_name text, orders @extschema@.im_order_entry[],
		suspensions daterange[], preview boolean,
		since date, daily bigint[], logins bigint[], groups bigint[], checks bigint[],
		calls bigint[], user_days date[], users @extschema@.im_userset[], currency text)
	LANGUAGE plpgsql STABLE ROWS 100
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	-- that of an app without packs and marks
	usual @extschema@.im_reading := @extschema@.im_reading($2, $3, $4, NULL::@extschema@.im_price_book, NULL::bigint);
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
			ELSE @extschema@.im_reading_of($2, $3, $4,
				CASE WHEN e.since IS NOT NULL THEN ARRAY[a] END,
				CASE WHEN e.since IS NOT NULL THEN ARRAY[e.since] END, a) END AS reading
		OFFSET 0) r
	CROSS JOIN LATERAL (
		SELECT *
		FROM @extschema@.im_gather($2, $3, $4, r.reading) i
		WHERE i.app_id = a
		OFFSET 0) g;
END
$$;
COMMENT ON FUNCTION @extschema@.im_gather_of(bigint[], date, date, @extschema@.im_rate_card, bigint[], date[]) IS
'im_gather() of the given apps; early_apps and early_since are what im_early_usage_of() gives.';
