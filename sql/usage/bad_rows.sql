-- Raw rows that no meter takes.
--
-- They are found by plain conditions, the same that the meters raise, because
-- a meter stops at the first and a report must not.  A loader that writes a
-- wrong class writes it thousands of times: rows of one app with the same
-- problem are one row of the report, with their number and an example.

CREATE FUNCTION im_internal.im_tell_rows(problem text, example text, rows bigint,
		first timestamptz, last timestamptz, zone text)
	RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('%s%s: %s%s (%s)', $1, ', such as ' || $2,
		CASE WHEN $3 = 1 THEN '1 row at ' ELSE format('%s rows, the first at ', $3) END ||
			to_char($4 AT TIME ZONE $6, 'YYYY-MM-DD HH24:MI:SS'),
		CASE WHEN $3 > 1 THEN ', the last at ' || to_char($5 AT TIME ZONE $6, 'YYYY-MM-DD HH24:MI:SS') END, $6)
$$;
COMMENT ON FUNCTION im_internal.im_tell_rows(text, text, bigint, timestamptz, timestamptz, text) IS
'A problem of some rows in words: their number, an example unless it is null, the first and the last by a zone''s clock.';

CREATE FUNCTION im_internal.im_tell_days(problem text, example text, days bigint, first date, last date)
	RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('%s%s: %s%s', $1, ', such as ' || $2,
		CASE WHEN $3 = 1 THEN '' ELSE format('%s days, the first ', $3) END || to_char($4, 'YYYY-MM-DD'),
		CASE WHEN $3 > 1 THEN ', the last ' || to_char($5, 'YYYY-MM-DD') END)
$$;
COMMENT ON FUNCTION im_internal.im_tell_days(text, text, bigint, date, date) IS
'The same of days.';

CREATE FUNCTION im_internal.im_bad_checks(first date, until date)
	RETURNS TABLE (app_id bigint, at timestamptz, problem text, example text, seen timestamptz)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT m.app_id, m.at,
		CASE WHEN m.kind NOT IN ('text', 'image', 'audio', 'video')
				THEN format('im_moderation_check has the unknown kind "%s"', m.kind)
			WHEN m.seconds < 0 THEN format('im_moderation_check has negative seconds of %s', m.kind)
			ELSE format('im_moderation_check has no seconds of %s', m.kind) END,
		CASE WHEN m.kind IN ('text', 'image', 'audio', 'video') THEN m.seconds::text END, m.at
	FROM @extschema@.im_moderation_check m
	WHERE m.at >= im_internal.im_utc_midnight($1 - 1) AND m.at < im_internal.im_utc_midnight($2 + 1)
		AND (m.kind NOT IN ('text', 'image', 'audio', 'video') OR m.seconds < 0
			OR m.seconds IS NULL AND m.kind IN ('audio', 'video'))
$$;
COMMENT ON FUNCTION im_internal.im_bad_checks(date, date) IS
'Rows of im_moderation_check around the days [first, until) that cannot be metered.';

CREATE FUNCTION im_internal.im_bad_calls(first date, until date)
	RETURNS TABLE (app_id bigint, at timestamptz, problem text, example text, seen timestamptz)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT c.app_id, c.at,
		CASE WHEN c.class NOT IN ('audio', 'sd', 'hd', 'fhd')
				THEN format('im_call has the unknown class "%s"', c.class)
			ELSE format('im_call has negative seconds of %s', c.class) END,
		CASE WHEN c.class IN ('audio', 'sd', 'hd', 'fhd') THEN c.seconds::text END, c.at
	FROM @extschema@.im_call c
	WHERE c.at >= im_internal.im_utc_midnight($1 - 1) AND c.at < im_internal.im_utc_midnight($2 + 1)
		AND (c.class NOT IN ('audio', 'sd', 'hd', 'fhd') OR c.seconds < 0)
$$;
COMMENT ON FUNCTION im_internal.im_bad_calls(date, date) IS
'Rows of im_call around the days [first, until) that cannot be metered.';

CREATE FUNCTION im_internal.im_bad_groups(first date, until date)
	RETURNS TABLE (app_id bigint, at timestamptz, problem text, example text, seen timestamptz)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT g.app_id, greatest(g.created_at, im_internal.im_utc_midnight($1)),
		'im_group has a group that was disbanded before it was created', format('"%s"', g.group_id), g.created_at
	FROM @extschema@.im_group g
	WHERE g.disbanded_at < g.created_at
		AND g.created_at >= im_internal.im_utc_midnight($1 - 1)
		AND g.created_at < im_internal.im_utc_midnight($2 + 1)
$$;
COMMENT ON FUNCTION im_internal.im_bad_groups(date, date) IS
'Rows of im_group around a month that cannot be metered.';

-- What no meter by name takes: figures are finite, at least 0, of at most 8
-- places, and an Amount (core/amount.h) holds them.
CREATE FUNCTION im_internal.im_is_figure(quantity numeric) RETURNS boolean
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN quantity >= 0 AND quantity <= 1701411834604692317316873037158.84105727 AND scale(trim_scale(quantity)) <= 8;
COMMENT ON FUNCTION im_internal.im_is_figure(numeric) IS
'Whether a quantity can be metered and billed.';

CREATE FUNCTION im_internal.im_why_no_figure(quantity numeric) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN CASE WHEN quantity < 0 AND quantity > '-Infinity' THEN 'is negative'
		WHEN quantity IN ('NaN', 'Infinity', '-Infinity') THEN 'is not finite'
		WHEN scale(trim_scale(quantity)) > 8 THEN 'has more than 8 decimal places'
		ELSE 'is too large' END;
COMMENT ON FUNCTION im_internal.im_why_no_figure(numeric) IS
'What is wrong with a quantity that cannot be.';

CREATE FUNCTION im_internal.im_bad_quantities(first date, until date)
	RETURNS TABLE (app_id bigint, at timestamptz, problem text, example text, seen timestamptz)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT e.app_id, e.at,
		CASE WHEN m.kind = 'unique' THEN format('im_event has no subject of "%s", which counts distinct ones', e.meter)
			ELSE format('im_event has a quantity of "%s" that %s', e.meter, im_internal.im_why_no_figure(e.quantity)) END,
		CASE WHEN m.kind <> 'unique' THEN left(e.quantity::text, 60) END, e.at
	FROM im_internal.im_named_meters(NULL::@extschema@.im_rate_card, NULL::bigint) m
	JOIN @extschema@.im_app a ON a.rate_card = m.rate_card
	JOIN @extschema@.im_event e ON e.app_id = a.app_id AND e.meter = m.meter
	WHERE e.at >= im_internal.im_utc_midnight($1 - 1) AND e.at < im_internal.im_utc_midnight($2 + 1)
		AND CASE WHEN m.kind = 'unique' THEN e.subject IS NULL ELSE NOT im_internal.im_is_figure(e.quantity) END
$$;
COMMENT ON FUNCTION im_internal.im_bad_quantities(date, date) IS
'Rows of im_event around the days [first, until) that cannot be metered.';

-- What stands when a month begins, or the earlier days of packs, may have been set long before.
CREATE FUNCTION im_internal.im_bad_standing(first date, until date, book im_internal.im_price_book)
	RETURNS TABLE (app_id bigint, at timestamptz, problem text, example text, seen timestamptz)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT e.app_id, im_internal.im_local_noon(f.day, m.time_zone),
		format('im_event has a quantity of "%s" that %s', e.meter, im_internal.im_why_no_figure(e.quantity)),
		left(e.quantity::text, 60), e.at
	FROM im_internal.im_named_meters(NULL::@extschema@.im_rate_card, NULL::bigint) m
	JOIN @extschema@.im_app a ON a.rate_card = m.rate_card
	LEFT JOIN im_internal.im_early_usage($1, $2, NULL::@extschema@.im_rate_card, $3) u ON u.app_id = a.app_id
	CROSS JOIN LATERAL (SELECT coalesce(u.since, $1) AS day) f
	CROSS JOIN LATERAL (
		SELECT l.at
		FROM @extschema@.im_event l
		WHERE l.app_id = a.app_id AND l.meter = m.meter AND l.at > '-infinity'
			AND l.at < im_internal.im_utc_midnight(f.day + 1) AND @extschema@.im_day(l.at, m.time_zone) < f.day
		ORDER BY l.at DESC
		LIMIT 1) s
	JOIN @extschema@.im_event e ON e.app_id = a.app_id AND e.meter = m.meter AND e.at = s.at
	WHERE m.kind IN ('last', 'average') AND NOT im_internal.im_is_figure(e.quantity)
$$;
COMMENT ON FUNCTION im_internal.im_bad_standing(date, date, im_internal.im_price_book) IS
'Rows of im_event that cannot be metered and would stand when the month [first, until) begins, or the days before it from which packs make usage matter.';

CREATE FUNCTION im_internal.im_unknown_meters(first date, until date)
	RETURNS TABLE (app_id bigint, at timestamptz, meter text, time_zone text)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT e.app_id, e.at, e.meter, a.time_zone
	FROM @extschema@.im_event e
	JOIN im_internal.im_app_cards(NULL::@extschema@.im_rate_card) a ON a.app_id = e.app_id
	LEFT JOIN im_internal.im_named_meters(NULL::@extschema@.im_rate_card, NULL::bigint) m
		ON m.rate_card = a.card_name AND m.meter = e.meter
	WHERE e.at >= im_internal.im_utc_midnight($1 - 1) AND e.at < im_internal.im_utc_midnight($2 + 1)
		AND a.time_zone IS NOT NULL AND m.meter IS NULL
		AND @extschema@.im_day(e.at, a.time_zone) >= $1 AND @extschema@.im_day(e.at, a.time_zone) < $2
$$;
COMMENT ON FUNCTION im_internal.im_unknown_meters(date, date) IS
'Events of the days [first, until) of meters that the app''s price list lacks.';

CREATE FUNCTION im_internal.im_bad_events(earliest date, first date, until date,
		book im_internal.im_price_book)
	RETURNS TABLE (app_id bigint, problem text)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT b.app_id, im_internal.im_tell_rows(b.problem, min(b.example), count(*), min(b.seen), max(b.seen), a.time_zone)
	FROM (SELECT * FROM im_internal.im_bad_checks($1, $3)
		  UNION ALL SELECT * FROM im_internal.im_bad_calls($1, $3)
		  UNION ALL SELECT * FROM im_internal.im_bad_quantities($1, $3)
		  UNION ALL SELECT * FROM im_internal.im_bad_standing($2, $3, $4)
		  UNION ALL SELECT * FROM im_internal.im_bad_groups($2, $3)) b
	JOIN im_internal.im_app_cards(NULL::@extschema@.im_rate_card) a ON a.app_id = b.app_id
	LEFT JOIN im_internal.im_early_usage($2, $3, NULL::@extschema@.im_rate_card, $4) e ON e.app_id = b.app_id
	WHERE a.time_zone IS NOT NULL
		AND @extschema@.im_day(b.at, a.time_zone) >= coalesce(e.since, $2)
		AND @extschema@.im_day(b.at, a.time_zone) < $3
	GROUP BY b.app_id, b.problem, a.time_zone
$$;
COMMENT ON FUNCTION im_internal.im_bad_events(date, date, date, im_internal.im_price_book) IS
'Raw rows that make the bill of the month [first, until) fail, a row an app, table and value; packs may make rows matter since the earliest day.';

CREATE FUNCTION im_internal.im_bad_days(first date, until date,
		book im_internal.im_price_book)
	RETURNS TABLE (app_id bigint, problem text)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT d.app_id, im_internal.im_tell_days('im_usage_daily has a negative figure'::text, NULL::text,
			count(*), min(d.day), max(d.day))
	FROM im_internal.im_daily_rows() d
	LEFT JOIN im_internal.im_early_usage($1, $2, NULL::@extschema@.im_rate_card, $3) e ON e.app_id = d.app_id
	WHERE d.day >= coalesce(e.since, $1) AND d.day < $2 AND d.metered_at IS NULL
		AND least(d.dau, d.peak_groups, d.text_checks, d.image_checks, d.audio_half_minutes,
			d.video_half_minutes, d.audio_minutes, d.sd_minutes, d.hd_minutes, d.fhd_minutes) < 0
	GROUP BY d.app_id
	UNION ALL
	SELECT d.app_id, im_internal.im_tell_days('im_usage_daily has no users, which the rate card prices by the month'::text,
			NULL::text, count(*), min(d.day), max(d.day))
	FROM im_internal.im_daily_rows() d
	JOIN im_internal.im_app_cards(NULL::@extschema@.im_rate_card) a ON a.app_id = d.app_id
	WHERE d.day >= $1 AND d.day < $2 AND d.metered_at IS NULL AND d.users IS NULL AND a.prices_mau
		AND (d.whole OR d.dau > 0)
	GROUP BY d.app_id
	UNION ALL
	SELECT d.app_id, im_internal.im_tell_days(format('im_meter_daily has a quantity of "%s" that %s', d.meter,
				im_internal.im_why_no_figure(d.quantity)),
			min(left(d.quantity::text, 60)), count(*), min(d.day), max(d.day))
	FROM im_internal.im_named_meters(NULL::@extschema@.im_rate_card, NULL::bigint) m
	JOIN @extschema@.im_app a ON a.rate_card = m.rate_card
	JOIN @extschema@.im_meter_daily d ON d.app_id = a.app_id AND d.meter = m.meter
	LEFT JOIN im_internal.im_early_usage($1, $2, NULL::@extschema@.im_rate_card, $3) e ON e.app_id = d.app_id
	WHERE d.day >= coalesce(e.since, $1) AND d.day < $2 AND d.metered_at IS NULL
		AND NOT im_internal.im_is_figure(d.quantity)
	GROUP BY d.app_id, d.meter, im_internal.im_why_no_figure(d.quantity)
	UNION ALL
	SELECT d.app_id, im_internal.im_tell_days(format('im_meter_daily has no users of "%s", which the rate card counts by the month', d.meter),
			NULL::text, count(*), min(d.day), max(d.day))
	FROM im_internal.im_named_meters(NULL::@extschema@.im_rate_card, NULL::bigint) m
	JOIN @extschema@.im_app a ON a.rate_card = m.rate_card
	JOIN @extschema@.im_meter_daily d ON d.app_id = a.app_id AND d.meter = m.meter
	WHERE d.day >= $1 AND d.day < $2 AND d.metered_at IS NULL AND d.users IS NULL AND d.quantity > 0 AND m.keeps_users
	GROUP BY d.app_id, d.meter
$$;
COMMENT ON FUNCTION im_internal.im_bad_days(date, date, im_internal.im_price_book) IS
'Daily figures that make the bill of the month [first, until) fail, a row an app and problem.';
