-- Events of days whose metered figures do not count any more, read on the fly.

-- Events of single apps.  Spans of one app do not overlap, but the slack
-- around them does: so each event is taken for the span that holds its day.
-- Of the time before the month only checks and calls matter.  Bounds around
-- all spans say again which partitions are opened at all.

CREATE FUNCTION im_internal.im_stale_logins(first date, card @extschema@.im_rate_card,
		reading im_internal.im_reading)
	RETURNS TABLE (app_id bigint, day date, prices_mau boolean, dau bigint, users @extschema@.im_userset)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT l.app_id, @extschema@.im_day(l.at, a.time_zone), a.prices_mau,
		im_internal.im_login_dau(l.user_id) FILTER (WHERE NOT a.prices_mau),
		im_internal.im_login_users(l.user_id) FILTER (WHERE a.prices_mau)
	FROM unnest(($3).stale_apps, ($3).stale_first, ($3).stale_until) s(app_id, since, until)
	JOIN im_internal.im_app_cards($2) a ON a.app_id = s.app_id
	JOIN @extschema@.im_login l ON l.app_id = s.app_id
		AND l.at >= im_internal.im_utc_midnight(s.since - 1)
		AND l.at < im_internal.im_utc_midnight(s.until + 1)
		AND l.at >= im_internal.im_utc_midnight(($3).stale_low - 1)
		AND l.at < im_internal.im_utc_midnight(($3).stale_high + 1)
	WHERE ($3).stale_apps IS NOT NULL AND s.since >= $1 AND a.time_zone IS NOT NULL
		AND @extschema@.im_day(l.at, a.time_zone) >= s.since
		AND @extschema@.im_day(l.at, a.time_zone) < s.until
	GROUP BY l.app_id, a.prices_mau, @extschema@.im_day(l.at, a.time_zone)
$$;
COMMENT ON FUNCTION im_internal.im_stale_logins(date, @extschema@.im_rate_card, im_internal.im_reading) IS
'Distinct users of the stale days of single apps from a day on, by app and day.';

CREATE FUNCTION im_internal.im_gather_stale_logins(first date, card @extschema@.im_rate_card,
		reading im_internal.im_reading)
	RETURNS TABLE (app_id bigint, usage im_internal.im_usage)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT d.app_id,
		im_internal.im_usage_agg(d.app_id, d.day,
			CASE WHEN d.prices_mau THEN @extschema@.im_count(d.users) ELSE d.dau END,
			NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint,
			NULL::boolean, CASE WHEN d.prices_mau THEN d.users END)
	FROM im_internal.im_stale_logins($1, $2, $3) d
	GROUP BY d.app_id
$$;
COMMENT ON FUNCTION im_internal.im_gather_stale_logins(date, @extschema@.im_rate_card, im_internal.im_reading) IS
'The same as im_gather_logins() gives it, of the stale days of single apps.';

CREATE FUNCTION im_internal.im_stale_groups(first date, card @extschema@.im_rate_card,
		reading im_internal.im_reading)
	RETURNS TABLE (app_id bigint, usage im_internal.im_usage)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT g.app_id,
		im_internal.im_group_days(g.app_id, g.group_id, g.created_at, g.disbanded_at, a.time_zone,
			s.since, s.until - 1)
	FROM unnest(($3).stale_apps, ($3).stale_first, ($3).stale_until) s(app_id, since, until)
	JOIN im_internal.im_app_cards($2) a ON a.app_id = s.app_id
	JOIN @extschema@.im_group g ON g.app_id = s.app_id
		AND g.created_at < im_internal.im_utc_midnight(s.until + 1)
		AND g.created_at < im_internal.im_utc_midnight(($3).stale_high + 1)
	WHERE ($3).stale_apps IS NOT NULL AND s.since >= $1 AND a.time_zone IS NOT NULL
		AND (g.disbanded_at IS NULL
			OR g.disbanded_at >= im_internal.im_utc_midnight(s.since - 1)
			OR g.created_at >= im_internal.im_utc_midnight(s.since - 1))
	GROUP BY g.app_id, s.since
$$;
COMMENT ON FUNCTION im_internal.im_stale_groups(date, @extschema@.im_rate_card, im_internal.im_reading) IS
'Peak groups of the stale days of single apps from a day on, a value for each span.';

CREATE FUNCTION im_internal.im_stale_checks(first date, card @extschema@.im_rate_card,
		reading im_internal.im_reading)
	RETURNS TABLE (app_id bigint, usage im_internal.im_usage)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT k.app_id,
		im_internal.im_check_days(k.app_id, k.at, k.kind, k.seconds, a.time_zone, s.since, s.until - 1)
	FROM unnest(($3).stale_apps, ($3).stale_first, ($3).stale_until) s(app_id, since, until)
	JOIN im_internal.im_app_cards($2) a ON a.app_id = s.app_id
	JOIN @extschema@.im_moderation_check k ON k.app_id = s.app_id
		AND k.at >= im_internal.im_utc_midnight(s.since - 1)
		AND k.at < im_internal.im_utc_midnight(s.until + 1)
		AND k.at >= im_internal.im_utc_midnight(($3).stale_low - 1)
		AND k.at < im_internal.im_utc_midnight(($3).stale_high + 1)
	WHERE ($3).stale_apps IS NOT NULL AND a.time_zone IS NOT NULL
	GROUP BY k.app_id, s.since
$$;
COMMENT ON FUNCTION im_internal.im_stale_checks(date, @extschema@.im_rate_card, im_internal.im_reading) IS
'Moderation checks of the stale days of single apps, a value for each span.';

CREATE FUNCTION im_internal.im_stale_calls(first date, card @extschema@.im_rate_card,
		reading im_internal.im_reading)
	RETURNS TABLE (app_id bigint, usage im_internal.im_usage)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT k.app_id,
		im_internal.im_call_days(k.app_id, k.at, k.class, k.seconds, a.time_zone, s.since, s.until - 1)
	FROM unnest(($3).stale_apps, ($3).stale_first, ($3).stale_until) s(app_id, since, until)
	JOIN im_internal.im_app_cards($2) a ON a.app_id = s.app_id
	JOIN @extschema@.im_call k ON k.app_id = s.app_id
		AND k.at >= im_internal.im_utc_midnight(s.since - 1)
		AND k.at < im_internal.im_utc_midnight(s.until + 1)
		AND k.at >= im_internal.im_utc_midnight(($3).stale_low - 1)
		AND k.at < im_internal.im_utc_midnight(($3).stale_high + 1)
	WHERE ($3).stale_apps IS NOT NULL AND a.time_zone IS NOT NULL
	GROUP BY k.app_id, s.since
$$;
COMMENT ON FUNCTION im_internal.im_stale_calls(date, @extschema@.im_rate_card, im_internal.im_reading) IS
'Call minutes of the stale days of single apps, a value for each span.';

CREATE FUNCTION im_internal.im_gather_stale_groups(first date, card @extschema@.im_rate_card,
		reading im_internal.im_reading)
	RETURNS TABLE (app_id bigint, usage im_internal.im_usage)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT s.app_id, im_internal.im_usage_sum(s.usage)
	FROM im_internal.im_stale_groups($1, $2, $3) s
	GROUP BY s.app_id
$$;
COMMENT ON FUNCTION im_internal.im_gather_stale_groups(date, @extschema@.im_rate_card, im_internal.im_reading) IS
'Peak groups of the stale days of single apps, by app.';

CREATE FUNCTION im_internal.im_gather_stale_checks(first date, card @extschema@.im_rate_card,
		reading im_internal.im_reading)
	RETURNS TABLE (app_id bigint, usage im_internal.im_usage)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT s.app_id, im_internal.im_usage_sum(s.usage)
	FROM im_internal.im_stale_checks($1, $2, $3) s
	GROUP BY s.app_id
$$;
COMMENT ON FUNCTION im_internal.im_gather_stale_checks(date, @extschema@.im_rate_card, im_internal.im_reading) IS
'Moderation checks of the stale days of single apps, by app.';

CREATE FUNCTION im_internal.im_gather_stale_calls(first date, card @extschema@.im_rate_card,
		reading im_internal.im_reading)
	RETURNS TABLE (app_id bigint, usage im_internal.im_usage)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT s.app_id, im_internal.im_usage_sum(s.usage)
	FROM im_internal.im_stale_calls($1, $2, $3) s
	GROUP BY s.app_id
$$;
COMMENT ON FUNCTION im_internal.im_gather_stale_calls(date, @extschema@.im_rate_card, im_internal.im_reading) IS
'Call minutes of the stale days of single apps, by app.';
