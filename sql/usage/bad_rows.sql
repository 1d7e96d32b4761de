-- Raw rows that no meter takes.
--
-- They are found by plain conditions, the same that the meters raise, because
-- a meter stops at the first and a report must not.  A loader that writes a
-- wrong class writes it thousands of times: rows of one app with the same
-- problem are one row of the report, with their number and an example.

CREATE FUNCTION @extschema@.im_tell_rows(problem text, example text, rows bigint,
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
COMMENT ON FUNCTION @extschema@.im_tell_rows(text, text, bigint, timestamptz, timestamptz, text) IS
'A problem of some rows in words: their number, an example unless it is null, the first and the last by a zone''s clock.';

CREATE FUNCTION @extschema@.im_tell_days(problem text, example text, days bigint, first date, last date)
	RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('%s%s: %s%s', $1, ', such as ' || $2,
		CASE WHEN $3 = 1 THEN '' ELSE format('%s days, the first ', $3) END || to_char($4, 'YYYY-MM-DD'),
		CASE WHEN $3 > 1 THEN ', the last ' || to_char($5, 'YYYY-MM-DD') END)
$$;
COMMENT ON FUNCTION @extschema@.im_tell_days(text, text, bigint, date, date) IS
'The same of days.';

CREATE FUNCTION @extschema@.im_bad_checks(first date, until date)
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
	WHERE m.at >= @extschema@.im_utc_midnight($1 - 1) AND m.at < @extschema@.im_utc_midnight($2 + 1)
		AND (m.kind NOT IN ('text', 'image', 'audio', 'video') OR m.seconds < 0
			OR m.seconds IS NULL AND m.kind IN ('audio', 'video'))
$$;
COMMENT ON FUNCTION @extschema@.im_bad_checks(date, date) IS
'Rows of im_moderation_check around the days [first, until) that cannot be metered.';

CREATE FUNCTION @extschema@.im_bad_calls(first date, until date)
	RETURNS TABLE (app_id bigint, at timestamptz, problem text, example text, seen timestamptz)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT c.app_id, c.at,
		CASE WHEN c.class NOT IN ('audio', 'sd', 'hd', 'fhd')
				THEN format('im_call has the unknown class "%s"', c.class)
			ELSE format('im_call has negative seconds of %s', c.class) END,
		CASE WHEN c.class IN ('audio', 'sd', 'hd', 'fhd') THEN c.seconds::text END, c.at
	FROM @extschema@.im_call c
	WHERE c.at >= @extschema@.im_utc_midnight($1 - 1) AND c.at < @extschema@.im_utc_midnight($2 + 1)
		AND (c.class NOT IN ('audio', 'sd', 'hd', 'fhd') OR c.seconds < 0)
$$;
COMMENT ON FUNCTION @extschema@.im_bad_calls(date, date) IS
'Rows of im_call around the days [first, until) that cannot be metered.';

CREATE FUNCTION @extschema@.im_bad_groups(first date, until date)
	RETURNS TABLE (app_id bigint, at timestamptz, problem text, example text, seen timestamptz)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT g.app_id, greatest(g.created_at, @extschema@.im_utc_midnight($1)),
		'im_group has a group that was disbanded before it was created', format('"%s"', g.group_id), g.created_at
	FROM @extschema@.im_group g
	WHERE g.disbanded_at < g.created_at
		AND g.created_at >= @extschema@.im_utc_midnight($1 - 1)
		AND g.created_at < @extschema@.im_utc_midnight($2 + 1)
$$;
COMMENT ON FUNCTION @extschema@.im_bad_groups(date, date) IS
'Rows of im_group around a month that cannot be metered.';

CREATE FUNCTION @extschema@.im_bad_events(earliest date, first date, until date,
		book @extschema@.im_price_book)
	RETURNS TABLE (app_id bigint, problem text)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT b.app_id, @extschema@.im_tell_rows(b.problem, min(b.example), count(*), min(b.seen), max(b.seen), a.time_zone)
	FROM (SELECT * FROM @extschema@.im_bad_checks($1, $3)
		  UNION ALL SELECT * FROM @extschema@.im_bad_calls($1, $3)
		  UNION ALL SELECT * FROM @extschema@.im_bad_groups($2, $3)) b
	JOIN @extschema@.im_app_cards(NULL::@extschema@.im_rate_card) a ON a.app_id = b.app_id
	LEFT JOIN @extschema@.im_early_usage($2, $3, NULL::@extschema@.im_rate_card, $4) e ON e.app_id = b.app_id
	WHERE a.time_zone IS NOT NULL
		AND @extschema@.im_day(b.at, a.time_zone) >= coalesce(e.since, $2)
		AND @extschema@.im_day(b.at, a.time_zone) < $3
	GROUP BY b.app_id, b.problem, a.time_zone
$$;
COMMENT ON FUNCTION @extschema@.im_bad_events(date, date, date, @extschema@.im_price_book) IS
'Raw rows that make the bill of the month [first, until) fail, a row an app, table and value; packs may make rows matter since the earliest day.';

CREATE FUNCTION @extschema@.im_bad_days(first date, until date,
		book @extschema@.im_price_book)
	RETURNS TABLE (app_id bigint, problem text)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT d.app_id, @extschema@.im_tell_days('im_usage_daily has a negative figure'::text, NULL::text,
			count(*), min(d.day), max(d.day))
	FROM @extschema@.im_daily_rows() d
	LEFT JOIN @extschema@.im_early_usage($1, $2, NULL::@extschema@.im_rate_card, $3) e ON e.app_id = d.app_id
	WHERE d.day >= coalesce(e.since, $1) AND d.day < $2 AND d.metered_at IS NULL
		AND least(d.dau, d.peak_groups, d.text_checks, d.image_checks, d.audio_half_minutes,
			d.video_half_minutes, d.audio_minutes, d.sd_minutes, d.hd_minutes, d.fhd_minutes) < 0
	GROUP BY d.app_id
	UNION ALL
	SELECT d.app_id, @extschema@.im_tell_days('im_usage_daily has no users, which the rate card prices by the month'::text,
			NULL::text, count(*), min(d.day), max(d.day))
	FROM @extschema@.im_daily_rows() d
	JOIN @extschema@.im_app_cards(NULL::@extschema@.im_rate_card) a ON a.app_id = d.app_id
	WHERE d.day >= $1 AND d.day < $2 AND d.metered_at IS NULL AND d.users IS NULL AND a.prices_mau
		AND (d.whole OR d.dau > 0)
	GROUP BY d.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_bad_days(date, date, @extschema@.im_price_book) IS
'Daily figures that make the bill of the month [first, until) fail, a row an app and problem.';
