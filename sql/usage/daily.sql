-- Daily figures that were given or metered, of each app.

-- In what follows reading is what im_reading() says: which days are read from
-- events.  Of any other day the metered row counts, or what was metered beside a
-- user's row (im_metered_beside), and where there is neither there was no usage.
-- What is metered adds up in rating, so no event may be read twice, and none of
-- a day whose metered row counts.

-- A row of a user gives the figures that are not null, and his users give their
-- number.
CREATE FUNCTION im_internal.im_daily_rows() RETURNS TABLE (
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
COMMENT ON FUNCTION im_internal.im_daily_rows() IS
'The rows of im_usage_daily as they count: dau is the number of users where it is null and they are given (R11).';

-- Daily figures are read in two ways, of which each app takes one.  Most apps
-- are in one scan of one table, of which the planner knows how many they are
-- and that its primary key has them in order.  Those some of whose days are
-- read from events after all, or whose usage before the month matters, are
-- looked up one by one.  The two are no union: it would have workers of its
-- own, and who has workers cannot be one (im_by_ranges).
CREATE FUNCTION im_internal.im_gather_daily(first date, until date, reading im_internal.im_reading)
	RETURNS TABLE (app_id bigint, usage im_internal.im_usage)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT u.app_id,
		im_internal.im_usage_agg(u.app_id, u.day, u.dau, u.peak_groups,
			u.text_checks, u.image_checks, u.audio_half_minutes, u.video_half_minutes,
			u.audio_minutes, u.sd_minutes, u.hd_minutes, u.fhd_minutes,
			CASE WHEN u.metered_at IS NULL THEN u.whole IS TRUE END, u.users)
	FROM im_internal.im_daily_rows() u
	WHERE u.app_id <> ALL (coalesce(($3).early_apps || ($3).stale_apps, '{}'))
		AND u.day >= $1 AND u.day < $2
		AND (u.metered_at IS NULL OR u.day < ($3).raw_first OR u.day >= ($3).raw_until)
	GROUP BY u.app_id
$$;
COMMENT ON FUNCTION im_internal.im_gather_daily(date, date, im_internal.im_reading) IS
'The daily figures of most apps: those that users gave, and those that were metered and count.';

CREATE FUNCTION im_internal.im_gather_special_daily(first date, until date, reading im_internal.im_reading)
	RETURNS TABLE (app_id bigint, usage im_internal.im_usage)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT u.app_id,
		im_internal.im_usage_agg(u.app_id, u.day, u.dau, u.peak_groups,
			u.text_checks, u.image_checks, u.audio_half_minutes, u.video_half_minutes,
			u.audio_minutes, u.sd_minutes, u.hd_minutes, u.fhd_minutes,
			CASE WHEN u.metered_at IS NULL THEN u.whole IS TRUE END, CASE WHEN u.day >= $1 THEN u.users END)
	FROM (
		-- those without early usage come later in the array: since is null
		SELECT e.app_id, min(coalesce(e.since, $1)) AS since
		FROM unnest(($3).early_apps || ($3).stale_apps, ($3).early_since) e(app_id, since)
		WHERE ($3).early_apps IS NOT NULL OR ($3).stale_apps IS NOT NULL
		GROUP BY e.app_id) p
	JOIN im_internal.im_daily_rows() u ON u.app_id = p.app_id AND u.day >= p.since AND u.day < $2
	LEFT JOIN unnest(($3).stale_apps, ($3).stale_first, ($3).stale_until) s(stale_id, since, until)
		ON s.stale_id = u.app_id AND u.day >= s.since AND u.day < s.until
	WHERE u.metered_at IS NULL
		OR s.stale_id IS NULL AND (u.day < $1 OR u.day < ($3).raw_first OR u.day >= ($3).raw_until)
	GROUP BY u.app_id
$$;
COMMENT ON FUNCTION im_internal.im_gather_special_daily(date, date, im_internal.im_reading) IS
'The same of the other apps, and their figures before the month as far as they matter.';

-- Most databases have no such rows.  The least of the days leads to the month.
CREATE FUNCTION im_internal.im_gather_beside(first date, until date, reading im_internal.im_reading)
	RETURNS TABLE (app_id bigint, usage im_internal.im_usage)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT b.app_id,
		im_internal.im_usage_agg(b.app_id, b.day, b.dau, b.peak_groups,
			b.text_checks, b.image_checks, b.audio_half_minutes, b.video_half_minutes,
			b.audio_minutes, b.sd_minutes, b.hd_minutes, b.fhd_minutes,
			NULL::boolean, CASE WHEN b.day >= $1 THEN b.users END)
	FROM @extschema@.im_metered_beside b
	LEFT JOIN unnest(($3).early_apps, ($3).early_since) e(early_id, since) ON e.early_id = b.app_id
	LEFT JOIN unnest(($3).stale_apps, ($3).stale_first, ($3).stale_until) s(stale_id, since, until)
		ON s.stale_id = b.app_id AND b.day >= s.since AND b.day < s.until
	WHERE b.day >= least($1, im_internal.im_first_of(($3).early_since)) AND b.day < $2
		AND b.day >= coalesce(e.since, $1) AND s.stale_id IS NULL
		AND (b.day < $1 OR b.day < ($3).raw_first OR b.day >= ($3).raw_until)
	GROUP BY b.app_id
$$;
COMMENT ON FUNCTION im_internal.im_gather_beside(date, date, im_internal.im_reading) IS
'What was metered of days of which users gave other figures, and counts.';
