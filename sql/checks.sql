-- im_check(): all that would make a bill fail or mislead.
--
-- Bad rows are found here by plain conditions, the same that the meters
-- raise, because a meter stops at the first and a report must not.

CREATE FUNCTION @extschema@.im_bad_checks(first date, until date)
	RETURNS TABLE (app_id bigint, at timestamptz, problem text)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT m.app_id, m.at,
		CASE WHEN m.kind NOT IN ('text', 'image', 'audio', 'video')
				THEN format('im_moderation_check has the unknown kind "%s"', m.kind)
			WHEN m.seconds < 0 THEN format('im_moderation_check has %s seconds', m.seconds)
			ELSE format('im_moderation_check has no seconds of %s', m.kind) END
	FROM @extschema@.im_moderation_check m
	WHERE m.at >= @extschema@.im_utc_midnight($1 - 1) AND m.at < @extschema@.im_utc_midnight($2 + 1)
		AND (m.kind NOT IN ('text', 'image', 'audio', 'video') OR m.seconds < 0
			OR m.seconds IS NULL AND m.kind IN ('audio', 'video'))
$$;
COMMENT ON FUNCTION @extschema@.im_bad_checks(date, date) IS
'Rows of im_moderation_check around the days [first, until) that cannot be metered.';

CREATE FUNCTION @extschema@.im_bad_calls(first date, until date)
	RETURNS TABLE (app_id bigint, at timestamptz, problem text)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT c.app_id, c.at,
		CASE WHEN c.class NOT IN ('audio', 'sd', 'hd', 'fhd')
				THEN format('im_call has the unknown class "%s"', c.class)
			ELSE format('im_call has %s seconds', c.seconds) END
	FROM @extschema@.im_call c
	WHERE c.at >= @extschema@.im_utc_midnight($1 - 1) AND c.at < @extschema@.im_utc_midnight($2 + 1)
		AND (c.class NOT IN ('audio', 'sd', 'hd', 'fhd') OR c.seconds < 0)
$$;
COMMENT ON FUNCTION @extschema@.im_bad_calls(date, date) IS
'Rows of im_call around the days [first, until) that cannot be metered.';

CREATE FUNCTION @extschema@.im_bad_groups(first date, until date)
	RETURNS TABLE (app_id bigint, at timestamptz, problem text)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT g.app_id, greatest(g.created_at, @extschema@.im_utc_midnight($1)),
		format('im_group "%s" was disbanded before it was created', g.group_id)
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
	SELECT b.app_id, format('%s at %s', b.problem,
			to_char(b.at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS"+00"'))
	FROM (SELECT * FROM @extschema@.im_bad_checks($1, $3)
		  UNION ALL SELECT * FROM @extschema@.im_bad_calls($1, $3)
		  UNION ALL SELECT * FROM @extschema@.im_bad_groups($2, $3)) b
	JOIN @extschema@.im_app_cards(NULL::@extschema@.im_rate_card) a ON a.app_id = b.app_id
	LEFT JOIN @extschema@.im_early_usage($2, $3, NULL::@extschema@.im_rate_card, $4) e ON e.app_id = b.app_id
	WHERE a.time_zone IS NOT NULL
		AND @extschema@.im_day(b.at, a.time_zone) >= coalesce(e.since, $2)
		AND @extschema@.im_day(b.at, a.time_zone) < $3
$$;
COMMENT ON FUNCTION @extschema@.im_bad_events(date, date, date, @extschema@.im_price_book) IS
'Raw rows that make the bill of the month [first, until) fail, by app; packs may make rows matter since the earliest day.';

CREATE FUNCTION @extschema@.im_bad_days(first date, until date,
		book @extschema@.im_price_book)
	RETURNS TABLE (app_id bigint, problem text)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT d.app_id, format('im_usage_daily of %s has a negative figure', to_char(d.day, 'YYYY-MM-DD'))
	FROM @extschema@.im_daily_rows() d
	LEFT JOIN @extschema@.im_early_usage($1, $2, NULL::@extschema@.im_rate_card, $3) e ON e.app_id = d.app_id
	WHERE d.day >= coalesce(e.since, $1) AND d.day < $2 AND d.metered_at IS NULL
		AND least(d.dau, d.peak_groups, d.text_checks, d.image_checks, d.audio_half_minutes,
			d.video_half_minutes, d.audio_minutes, d.sd_minutes, d.hd_minutes, d.fhd_minutes) < 0
	UNION ALL
	SELECT d.app_id, format('im_usage_daily of %s has no users, which the rate card prices by the month',
			to_char(d.day, 'YYYY-MM-DD'))
	FROM @extschema@.im_daily_rows() d
	JOIN @extschema@.im_app_cards(NULL::@extschema@.im_rate_card) a ON a.app_id = d.app_id
	WHERE d.day >= $1 AND d.day < $2 AND d.metered_at IS NULL AND d.users IS NULL AND a.prices_mau
		AND (d.whole OR d.dau > 0)
$$;
COMMENT ON FUNCTION @extschema@.im_bad_days(date, date, @extschema@.im_price_book) IS
'Daily figures that make the bill of the month [first, until) fail, by app.';

CREATE FUNCTION @extschema@.im_usage_apps(first date, until date) RETURNS TABLE (app_id bigint)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT l.app_id FROM @extschema@.im_login l
	WHERE l.at >= @extschema@.im_utc_midnight($1 - 1) AND l.at < @extschema@.im_utc_midnight($2 + 1)
	UNION
	SELECT m.app_id FROM @extschema@.im_moderation_check m
	WHERE m.at >= @extschema@.im_utc_midnight($1 - 1) AND m.at < @extschema@.im_utc_midnight($2 + 1)
	UNION
	SELECT c.app_id FROM @extschema@.im_call c
	WHERE c.at >= @extschema@.im_utc_midnight($1 - 1) AND c.at < @extschema@.im_utc_midnight($2 + 1)
	UNION
	SELECT g.app_id FROM @extschema@.im_group g
	WHERE g.created_at < @extschema@.im_utc_midnight($2 + 1)
		AND (g.disbanded_at IS NULL OR g.disbanded_at >= @extschema@.im_utc_midnight($1 - 1))
	UNION
	SELECT d.app_id FROM @extschema@.im_usage_daily d
	WHERE d.day >= $1 AND d.day < $2 AND d.metered_at IS NULL
$$;
COMMENT ON FUNCTION @extschema@.im_usage_apps(date, date) IS
'Apps with any usage around the month [first, until).';

CREATE FUNCTION @extschema@.im_odd_days(first date, until date)
	RETURNS TABLE (app_id bigint, problem text)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT d.app_id, format('im_usage_daily of %s has %s users, but its dau is %s',
			to_char(d.day, 'YYYY-MM-DD'), @extschema@.im_count(d.users), coalesce(d.dau::text, 'null, which counts as 0'))
	FROM @extschema@.im_daily_rows() d
	JOIN @extschema@.im_app_cards(NULL::@extschema@.im_rate_card) a ON a.app_id = d.app_id
	WHERE d.day >= $1 AND d.day < $2 AND d.metered_at IS NULL AND d.users IS NOT NULL
		AND (d.dau IS NOT NULL OR NOT a.prices_mau) AND @extschema@.im_count(d.users) <> coalesce(d.dau, 0)
$$;
COMMENT ON FUNCTION @extschema@.im_odd_days(date, date) IS
'Daily figures of the month [first, until) that contradict themselves, by app.';

-- Fatal problems make the bill of the app, and so the bills of all, fail.
-- The plans are made for the apps given, or for none: the condition on them then
-- leads to their rows, or is none.
CREATE FUNCTION @extschema@.im_problems_of(apps bigint[], month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, problem text, fatal boolean)
	LANGUAGE plpgsql STABLE ROWS 10
	SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_custom_plan
	SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	first date := $2::date;
	until date := upper($2::daterange);
	book @extschema@.im_price_book := @extschema@.im_price_book(NULL::@extschema@.im_rate_card);
	earliest date := least(first, (SELECT min(e.since)
								   FROM @extschema@.im_early_usage(first, until, NULL::@extschema@.im_rate_card, book) e
								   WHERE e.app_id = ANY ($1) OR $1 IS NULL));
BEGIN
	RETURN QUERY
	SELECT r.app_id, r.problem, true
	FROM (SELECT a.app_id,
				 @extschema@.im_rate_problem(a.app_id, a.card_name, book, a.orders, a.suspensions, false, $2, first, NULL::bigint[], NULL::bigint[], NULL::bigint[], NULL::bigint[], NULL::bigint[], NULL::date[], NULL::@extschema@.im_userset[]) AS problem
		  FROM @extschema@.im_app_accounts(until, NULL::@extschema@.im_rate_card) a
		  WHERE a.app_id = ANY ($1) OR $1 IS NULL
		  OFFSET 0) r
	WHERE r.problem IS NOT NULL;
	-- alone such a bill fails; among all it is empty as long as nothing was used
	RETURN QUERY
	SELECT a.app_id, format('rate card "%s" has no version in force on %s',
			a.card_name, to_char(until - 1, 'YYYY-MM-DD')),
		EXISTS (SELECT FROM @extschema@.im_usage_apps(first, until) u WHERE u.app_id = a.app_id)
	FROM @extschema@.im_app_accounts(until, NULL::@extschema@.im_rate_card) a
	WHERE a.card_from >= until AND a.orders IS NULL AND (a.app_id = ANY ($1) OR $1 IS NULL);
	RETURN QUERY
	SELECT b.app_id, b.problem, true
	FROM @extschema@.im_bad_events(earliest, first, until, book) b
	WHERE b.app_id = ANY ($1) OR $1 IS NULL;
	RETURN QUERY
	SELECT b.app_id, b.problem, true
	FROM @extschema@.im_bad_days(first, until, book) b
	WHERE b.app_id = ANY ($1) OR $1 IS NULL;
	RETURN QUERY
	SELECT o.app_id, o.problem, false
	FROM @extschema@.im_odd_days(first, until) o
	WHERE o.app_id = ANY ($1) OR $1 IS NULL;
END
$$;
COMMENT ON FUNCTION @extschema@.im_problems_of(bigint[], @extschema@.im_month) IS
'What im_check() reports of the given apps that im_app has, of all of them if it is null.';

CREATE FUNCTION @extschema@.im_problems(month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, problem text, fatal boolean)
	LANGUAGE plpgsql STABLE STRICT ROWS 10
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY SELECT * FROM @extschema@.im_problems_of(NULL::bigint[], $1);
	RETURN QUERY
	SELECT u.app_id, 'there is usage of this app, but im_app has no row of it'::text, false
	FROM @extschema@.im_usage_apps($1::date, upper($1::daterange)) u
	WHERE NOT EXISTS (SELECT FROM @extschema@.im_app a WHERE a.app_id = u.app_id);
	RETURN QUERY
	SELECT l.app_id, 'the month is closed for the app without an invoice, though it had lines to bill'::text, false
	FROM @extschema@.im_lost_invoices($1::date) l;
END
$$;
COMMENT ON FUNCTION @extschema@.im_problems(@extschema@.im_month) IS
'What im_check() reports, with the difference between what makes a bill fail (fatal) and what only misleads.';

CREATE FUNCTION @extschema@.im_check(month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, problem text)
	LANGUAGE plpgsql STABLE STRICT ROWS 10
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	IF @extschema@.im_guarded('im_check_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_check_guarded($1);
		RETURN;
	END IF;
	RETURN QUERY
	SELECT p.app_id, p.problem
	FROM @extschema@.im_problems($1) p
	ORDER BY p.app_id, p.problem COLLATE "C";
END
$$;
COMMENT ON FUNCTION @extschema@.im_check(@extschema@.im_month) IS
'All that would make a bill of the month fail or mislead, by app: orders that break a rule, days without a card version, plans that the version does not price, raw rows that cannot be metered, daily figures that are negative, lack users or contradict them, usage of no such app. Empty when all is well.';
