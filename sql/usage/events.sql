-- The usage of meters by name, of each app: given, metered, or read from events.
--
-- Of a day only what its own events say is kept and read, so that a late event
-- changes one day.  Where quantities stand until the next event, the last one
-- before the span is looked up beside it, and a bill carries it on.
--
-- The meters of the cards stand in the reading: where no card names any, the
-- joins that begin with them have nothing to do.

CREATE FUNCTION im_internal.im_read_meters(reading im_internal.im_reading)
	RETURNS TABLE (app_id bigint, meter text, kind text, keeps_users boolean, time_zone text)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT a.app_id, m.meter, m.kind, m.keeps_users, m.time_zone
	FROM unnest(($1).meter_cards, ($1).meters, ($1).meter_kinds, ($1).meter_users, ($1).meter_zones)
		m(rate_card, meter, kind, keeps_users, time_zone)
	JOIN @extschema@.im_app a ON a.rate_card = m.rate_card
$$;
COMMENT ON FUNCTION im_internal.im_read_meters(im_internal.im_reading) IS
'Each app with each meter by name that a reading reads of it.';

-- A row of a user with an area is what im_keep_metered() made of an average,
-- and all that counts of its day: its events may be gone.
CREATE FUNCTION im_internal.im_meter_rows()
	RETURNS TABLE (app_id bigint, day date, meter text, given numeric, quantity numeric,
		users @extschema@.im_userset, area numeric, before bigint, length bigint, metered_at timestamptz)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT d.app_id, d.day, d.meter,
		CASE WHEN d.metered_at IS NULL AND d.area IS NULL THEN coalesce(d.quantity, @extschema@.im_count(d.users)) END,
		CASE WHEN d.metered_at IS NOT NULL OR d.area IS NOT NULL THEN d.quantity END,
		d.users, d.area, d.before, d.length, d.metered_at
	FROM @extschema@.im_meter_daily d
$$;
COMMENT ON FUNCTION im_internal.im_meter_rows() IS
'The rows of im_meter_daily as they count: given is what the user gave, the number of users where he gave those alone (R11), quantity what the events of the day say.';

CREATE FUNCTION im_internal.im_is_kept(app_id bigint, day date, meter text) RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT EXISTS (SELECT FROM @extschema@.im_meter_daily k
				   WHERE k.app_id = $1 AND k.day = $2 AND k.meter = $3 AND k.metered_at IS NULL AND k.area IS NOT NULL)
$$;
COMMENT ON FUNCTION im_internal.im_is_kept(bigint, date, text) IS
'Whether im_keep_metered() has kept an average of a day, beside which its events do not count.';

CREATE FUNCTION im_internal.im_gather_meter_days(first date, until date, reading im_internal.im_reading)
	RETURNS TABLE (app_id bigint, usage im_internal.im_usage)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT u.app_id,
		im_internal.im_meter_usage(u.app_id, u.meter, u.day, u.given, u.quantity, u.users, u.area, u.before, u.length)
	FROM im_internal.im_read_meters($3) m
	JOIN im_internal.im_meter_rows() u ON u.app_id = m.app_id AND u.meter = m.meter
	LEFT JOIN unnest(($3).early_apps, ($3).early_since) e(early_id, since) ON e.early_id = u.app_id
	LEFT JOIN unnest(($3).stale_apps, ($3).stale_first, ($3).stale_until) s(stale_id, since, until)
		ON s.stale_id = u.app_id AND u.day >= s.since AND u.day < s.until
	WHERE u.day >= least($1, im_internal.im_first_of(($3).early_since)) AND u.day < $2
		AND u.day >= coalesce(e.since, $1)
		AND CASE WHEN u.metered_at IS NULL THEN u.given IS NOT NULL OR u.area IS NOT NULL
			ELSE s.stale_id IS NULL AND (u.day < $1 OR u.day < ($3).raw_first OR u.day >= ($3).raw_until) END
	GROUP BY u.app_id
$$;
COMMENT ON FUNCTION im_internal.im_gather_meter_days(date, date, im_internal.im_reading) IS
'The daily figures of meters by name: those that users gave, and those that were metered and count.';

CREATE FUNCTION im_internal.im_gather_meters_beside(first date, until date, reading im_internal.im_reading)
	RETURNS TABLE (app_id bigint, usage im_internal.im_usage)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT b.app_id,
		im_internal.im_meter_usage(b.app_id, b.meter, b.day, NULL::numeric, b.quantity, b.users, b.area, b.before, b.length)
	FROM im_internal.im_read_meters($3) m
	JOIN @extschema@.im_meter_beside b ON b.app_id = m.app_id AND b.meter = m.meter
	LEFT JOIN unnest(($3).early_apps, ($3).early_since) e(early_id, since) ON e.early_id = b.app_id
	LEFT JOIN unnest(($3).stale_apps, ($3).stale_first, ($3).stale_until) s(stale_id, since, until)
		ON s.stale_id = b.app_id AND b.day >= s.since AND b.day < s.until
	WHERE b.day >= least($1, im_internal.im_first_of(($3).early_since)) AND b.day < $2
		AND b.day >= coalesce(e.since, $1) AND s.stale_id IS NULL
		AND (b.day < $1 OR b.day < ($3).raw_first OR b.day >= ($3).raw_until)
		AND (b.area IS NULL OR NOT im_internal.im_is_kept(b.app_id, b.day, b.meter))
	GROUP BY b.app_id
$$;
COMMENT ON FUNCTION im_internal.im_gather_meters_beside(date, date, im_internal.im_reading) IS
'What was metered of meters by name on days of which users have rows, and counts.';

CREATE FUNCTION im_internal.im_raw_events(reading im_internal.im_reading)
	RETURNS TABLE (app_id bigint, day date, meter text, quantity numeric, users @extschema@.im_userset,
		area numeric, before bigint, length bigint)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT d.app_id, d.day, d.meter,
		CASE WHEN d.keeps_users THEN @extschema@.im_count(d.users) WHEN d.kind = 'unique' THEN d.subjects ELSE (d.state).quantity END,
		CASE WHEN d.keeps_users THEN d.users END, (d.state).area, (d.state).before, (d.state).length
	FROM (
		SELECT e.app_id, e.meter, m.kind, m.keeps_users, @extschema@.im_day(e.at, m.time_zone) AS day,
			im_internal.im_event_day(e.app_id, e.meter, m.kind, e.at, e.quantity, e.subject, m.time_zone) AS state,
			im_internal.im_login_dau(e.subject) FILTER (WHERE m.kind = 'unique' AND NOT m.keeps_users) AS subjects,
			im_internal.im_login_users(e.subject) FILTER (WHERE m.keeps_users) AS users
		FROM im_internal.im_read_meters($1) m
		JOIN @extschema@.im_event e ON e.app_id = m.app_id AND e.meter = m.meter
		WHERE ($1).raw_first < ($1).raw_until
			AND e.at >= im_internal.im_utc_midnight(($1).raw_first - 1)
			AND e.at < im_internal.im_utc_midnight(($1).raw_until + 1)
			AND @extschema@.im_day(e.at, m.time_zone) >= ($1).raw_first
			AND @extschema@.im_day(e.at, m.time_zone) < ($1).raw_until
			AND (($1).skip_apps IS NULL OR e.app_id <> ALL (($1).skip_apps))
		GROUP BY e.app_id, e.meter, m.kind, m.keeps_users, @extschema@.im_day(e.at, m.time_zone)) d
$$;
COMMENT ON FUNCTION im_internal.im_raw_events(im_internal.im_reading) IS
'What events of meters by name say of the days whose events are read, by app, day and meter.';

CREATE FUNCTION im_internal.im_stale_events(reading im_internal.im_reading)
	RETURNS TABLE (app_id bigint, day date, meter text, quantity numeric, users @extschema@.im_userset,
		area numeric, before bigint, length bigint)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT d.app_id, d.day, d.meter,
		CASE WHEN d.keeps_users THEN @extschema@.im_count(d.users) WHEN d.kind = 'unique' THEN d.subjects ELSE (d.state).quantity END,
		CASE WHEN d.keeps_users THEN d.users END, (d.state).area, (d.state).before, (d.state).length
	FROM (
		SELECT e.app_id, e.meter, m.kind, m.keeps_users, @extschema@.im_day(e.at, m.time_zone) AS day,
			im_internal.im_event_day(e.app_id, e.meter, m.kind, e.at, e.quantity, e.subject, m.time_zone) AS state,
			im_internal.im_login_dau(e.subject) FILTER (WHERE m.kind = 'unique' AND NOT m.keeps_users) AS subjects,
			im_internal.im_login_users(e.subject) FILTER (WHERE m.keeps_users) AS users
		FROM unnest(($1).stale_apps, ($1).stale_first, ($1).stale_until) s(app_id, since, until)
		JOIN im_internal.im_read_meters($1) m ON m.app_id = s.app_id
		JOIN @extschema@.im_event e ON e.app_id = m.app_id AND e.meter = m.meter
			AND e.at >= im_internal.im_utc_midnight(s.since - 1)
			AND e.at < im_internal.im_utc_midnight(s.until + 1)
			AND e.at >= im_internal.im_utc_midnight(($1).stale_low - 1)
			AND e.at < im_internal.im_utc_midnight(($1).stale_high + 1)
		WHERE ($1).stale_apps IS NOT NULL
			AND @extschema@.im_day(e.at, m.time_zone) >= s.since
			AND @extschema@.im_day(e.at, m.time_zone) < s.until
		GROUP BY e.app_id, e.meter, m.kind, m.keeps_users, @extschema@.im_day(e.at, m.time_zone)) d
$$;
COMMENT ON FUNCTION im_internal.im_stale_events(im_internal.im_reading) IS
'The same of the stale days of single apps.';

CREATE FUNCTION im_internal.im_gather_raw_events(reading im_internal.im_reading)
	RETURNS TABLE (app_id bigint, usage im_internal.im_usage)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT e.app_id,
		im_internal.im_meter_usage(e.app_id, e.meter, e.day, NULL::numeric, e.quantity, e.users, e.area, e.before, e.length)
	FROM im_internal.im_raw_events($1) e
	WHERE e.area IS NULL OR NOT im_internal.im_is_kept(e.app_id, e.day, e.meter)
	GROUP BY e.app_id
$$;
COMMENT ON FUNCTION im_internal.im_gather_raw_events(im_internal.im_reading) IS
'Meters by name of the days whose events are read, by app.';

CREATE FUNCTION im_internal.im_gather_stale_events(reading im_internal.im_reading)
	RETURNS TABLE (app_id bigint, usage im_internal.im_usage)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT e.app_id,
		im_internal.im_meter_usage(e.app_id, e.meter, e.day, NULL::numeric, e.quantity, e.users, e.area, e.before, e.length)
	FROM im_internal.im_stale_events($1) e
	WHERE e.area IS NULL OR NOT im_internal.im_is_kept(e.app_id, e.day, e.meter)
	GROUP BY e.app_id
$$;
COMMENT ON FUNCTION im_internal.im_gather_stale_events(im_internal.im_reading) IS
'Meters by name of the stale days of single apps, by app.';

-- The end of an index: events are at hand, metered or not, or the row of a user
-- stands in their place.  Of the day only what stands after it is told.
CREATE FUNCTION im_internal.im_stands_before(app_id bigint, meter text, kind text, day date, time_zone text)
	RETURNS @extschema@.im_standing
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	SET jit = off
	SET plan_cache_mode = force_generic_plan	-- as in im_rebill()
AS $$
DECLARE
	last timestamptz;
	last_day date;
	own @extschema@.im_standing;
	end_of_day timestamptz := (im_internal.im_day_slice($4 - 1, $5)).until;
BEGIN
	SELECT u.meter, u.day, u.given, u.quantity INTO own.meter, own.day, own.given, own.quantity
	FROM im_internal.im_meter_rows() u
	WHERE u.app_id = $1 AND u.meter = $2 AND u.day < $4 AND u.metered_at IS NULL
		AND CASE $3 WHEN 'last' THEN u.given IS NOT NULL ELSE u.area IS NOT NULL END
	ORDER BY u.day DESC
	LIMIT 1;
	SELECT e.at INTO last
	FROM @extschema@.im_event e
	WHERE e.app_id = $1 AND e.meter = $2 AND e.at > '-infinity' AND e.at < end_of_day
		AND @extschema@.im_day(e.at, $5) < $4
	ORDER BY e.at DESC
	LIMIT 1;
	last_day := @extschema@.im_day(last, $5);
	IF last_day IS NULL OR own.day >= last_day THEN
		RETURN CASE WHEN own.day IS NOT NULL THEN own END;
	END IF;
	RETURN (
		SELECT ROW($2, last_day, NULL, (s.state).quantity)::@extschema@.im_standing
		FROM (SELECT im_internal.im_event_day(e.app_id, e.meter, 'last'::text, e.at, e.quantity, e.subject, $5) AS state
			  FROM @extschema@.im_event e
			  WHERE e.app_id = $1 AND e.meter = $2 AND e.at = last) s);
END
$$;
COMMENT ON FUNCTION im_internal.im_stands_before(bigint, text, text, date, text) IS
'What stands of a meter of kind last or average when a day begins: the latest day before it with an event, or with what a user gave or kept that stands; null without any.';

CREATE FUNCTION im_internal.im_gather_standing(first date, reading im_internal.im_reading)
	RETURNS TABLE (app_id bigint, usage im_internal.im_usage)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT s.app_id,
		im_internal.im_meter_usage(s.app_id, (s.stands).meter, (s.stands).day, (s.stands).given, (s.stands).quantity,
			NULL::@extschema@.im_userset, NULL::numeric, NULL::bigint, NULL::bigint)
	FROM (SELECT m.app_id,
				 im_internal.im_stands_before(m.app_id, m.meter, m.kind, coalesce(e.since, $1), m.time_zone) AS stands
		  FROM im_internal.im_read_meters($2) m
		  LEFT JOIN unnest(($2).early_apps, ($2).early_since) e(early_id, since) ON e.early_id = m.app_id
		  WHERE m.kind IN ('last', 'average')
		  -- once for each; cast, as in im_rated_totals()
		  OFFSET bigint '0') s
	WHERE (s.stands).day IS NOT NULL
	GROUP BY s.app_id
$$;
COMMENT ON FUNCTION im_internal.im_gather_standing(date, im_internal.im_reading) IS
'What stands of meters by name when the days that are asked for begin, by app.';

CREATE FUNCTION im_internal.im_gather_events(first date, until date, reading im_internal.im_reading)
	RETURNS TABLE (app_id bigint, usage im_internal.im_usage)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT a.app_id, d.usage OPERATOR(im_internal.+) b.usage OPERATOR(im_internal.+) r.usage
		OPERATOR(im_internal.+) k.usage OPERATOR(im_internal.+) s.usage
	FROM (SELECT m.app_id FROM im_internal.im_read_meters($3) m GROUP BY m.app_id) a
	LEFT JOIN im_internal.im_gather_meter_days($1, $2, $3) d ON d.app_id = a.app_id
	LEFT JOIN im_internal.im_gather_meters_beside($1, $2, $3) b ON b.app_id = a.app_id
	LEFT JOIN im_internal.im_gather_raw_events($3) r ON r.app_id = a.app_id
	LEFT JOIN im_internal.im_gather_stale_events($3) k ON k.app_id = a.app_id
	LEFT JOIN im_internal.im_gather_standing($1, $3) s ON s.app_id = a.app_id
$$;
COMMENT ON FUNCTION im_internal.im_gather_events(date, date, im_internal.im_reading) IS
'What is known of the meters by name of each app whose card has any, on the days [first, until), since the earlier day that a reading names, and of what stands when they begin.';
