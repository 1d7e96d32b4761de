-- im_meter(): meters the days and apps that are not metered or have changed.
--
-- Whole days, and many days of single apps, are collected in temporary tables
-- by CREATE TABLE AS, which can use parallel workers where INSERT ... SELECT
-- cannot.  A few days of single apps, as after a late row, are collected in an
-- array: making the tables would take longer than metering.  Either is written
-- into im_usage_daily at the very end: writers of daily figures wait only then.

CREATE TYPE im_internal.im_metered_figures AS (
	app_id bigint,
	day date,
	dau bigint,
	peak_groups bigint,
	text_checks bigint,
	image_checks bigint,
	audio_half_minutes bigint,
	video_half_minutes bigint,
	audio_minutes bigint,
	sd_minutes bigint,
	hd_minutes bigint,
	fhd_minutes bigint
);
COMMENT ON TYPE im_internal.im_metered_figures IS
'What was metered of an app and day, as im_usage_daily has it; internal.';

CREATE FUNCTION im_internal.im_forget_temporary() RETURNS void
	AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION im_internal.im_forget_temporary() IS
'Empties what the session''s catalogue cache holds of pg_statistic and pg_type, where temporary tables leave entries that the server never takes back.';

CREATE FUNCTION im_internal.im_open_metering() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
	SET client_min_messages = warning
AS $$
BEGIN
	-- what the im_meter() before this one left, also one that was cancelled
	PERFORM im_internal.im_forget_temporary();
	DROP TABLE IF EXISTS pg_temp.im_metering_bad, pg_temp.im_metering_row, pg_temp.im_metering_meter;
	-- events that cannot be metered, what was found
	CREATE TEMP TABLE im_metering_bad (app_id bigint, since timestamptz, until timestamptz, days daterange) ON COMMIT DROP;
	CREATE TEMP TABLE im_metering_row (app_id bigint, day date, dau bigint, users @extschema@.im_userset,
		peak_groups bigint, text_checks bigint, image_checks bigint, audio_half_minutes bigint,
		video_half_minutes bigint, audio_minutes bigint, sd_minutes bigint, hd_minutes bigint,
		fhd_minutes bigint) ON COMMIT DROP;
	CREATE TEMP TABLE im_metering_meter (app_id bigint, day date, meter text, quantity numeric,
		users @extschema@.im_userset, area numeric, before bigint, length bigint) ON COMMIT DROP;
END
$$;
COMMENT ON FUNCTION im_internal.im_open_metering() IS
'Makes the temporary tables of im_meter().';

CREATE FUNCTION im_internal.im_collect(reading im_internal.im_reading) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
	SET client_min_messages = warning
AS $$
BEGIN
	DROP TABLE IF EXISTS pg_temp.im_metering_login, pg_temp.im_metering_event;
	EXECUTE 'CREATE TEMP TABLE im_metering_login ON COMMIT DROP AS ' || im_internal.im_logins_query($1)
	USING $1;
	-- what is not read is not planned either
	EXECUTE 'CREATE TEMP TABLE im_metering_event ON COMMIT DROP AS '
		|| CASE WHEN ($1).raw_first < ($1).raw_until THEN $query$
			SELECT g.app_id, g.usage FROM im_internal.im_gather_groups(NULL::@extschema@.im_rate_card, $1) g
			UNION ALL
			SELECT k.app_id, k.usage FROM im_internal.im_gather_checks(NULL::@extschema@.im_rate_card, $1) k
			UNION ALL
			SELECT c.app_id, c.usage FROM im_internal.im_gather_calls(NULL::@extschema@.im_rate_card, $1) c
			UNION ALL $query$ ELSE '' END
		|| $query$
			SELECT g.app_id, g.usage FROM im_internal.im_stale_groups('-infinity'::date, NULL::@extschema@.im_rate_card, $1) g
			UNION ALL
			SELECT k.app_id, k.usage FROM im_internal.im_stale_checks('-infinity'::date, NULL::@extschema@.im_rate_card, $1) k
			UNION ALL
			SELECT c.app_id, c.usage FROM im_internal.im_stale_calls('-infinity'::date, NULL::@extschema@.im_rate_card, $1) c $query$
	USING $1;
	PERFORM im_internal.im_collect_events($1);
END
$$;
COMMENT ON FUNCTION im_internal.im_collect(im_internal.im_reading) IS
'Meters the days of a reading into temporary tables.';

-- Only events that no meter takes make metering fail; the rest of their apps
-- is metered without them.
CREATE FUNCTION im_internal.im_find_bad(first date, until date, apps bigint[]) RETURNS bigint[]
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO pg_temp.im_metering_bad
	SELECT b.app_id, b.since, b.until, im_internal.im_local_days(b.since, b.until, a.time_zone)
	FROM (SELECT c.app_id, c.at AS since, c.at AS until
		  FROM im_internal.im_bad_checks($1, $2) c
		  WHERE c.at >= im_internal.im_utc_midnight($1 - 1)
		  UNION ALL
		  SELECT c.app_id, c.at, c.at
		  FROM im_internal.im_bad_calls($1, $2) c
		  WHERE c.at >= im_internal.im_utc_midnight($1 - 1)
		  UNION ALL
		  SELECT e.app_id, e.at, e.at
		  FROM im_internal.im_bad_quantities($1, $2) e
		  WHERE e.at >= im_internal.im_utc_midnight($1 - 1)
		  UNION ALL
		  SELECT g.app_id, g.at, g.at
		  FROM im_internal.im_bad_groups($1, $2) g) b
	JOIN im_internal.im_app_cards(NULL::@extschema@.im_rate_card) a ON a.app_id = b.app_id
	WHERE a.time_zone IS NOT NULL AND ($3 IS NULL OR b.app_id = ANY ($3))
		AND im_internal.im_local_days(b.since, b.until, a.time_zone) && daterange($1, $2);
	RETURN (SELECT array_agg(DISTINCT b.app_id)
			FROM pg_temp.im_metering_bad b
			WHERE b.days && daterange($1, $2));
END
$$;
COMMENT ON FUNCTION im_internal.im_find_bad(date, date, bigint[]) IS
'Notes the events of [first, until) that cannot be metered, of these apps or (null) of all: the apps that have any.';

CREATE FUNCTION im_internal.im_collect_around_bad(reading im_internal.im_reading) RETURNS boolean
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	whole boolean := ($1).raw_first < ($1).raw_until;
	first date := least(CASE WHEN whole THEN ($1).raw_first END, (SELECT min(s) FROM unnest(($1).stale_first) s));
	until date := greatest(CASE WHEN whole THEN ($1).raw_until END, (SELECT max(s) FROM unnest(($1).stale_until) s));
	r im_internal.im_reading := $1;
BEGIN
	r.skip_apps := im_internal.im_find_bad(first, until, ($1).stale_apps);
	IF r.skip_apps IS NULL THEN
		RETURN false;
	END IF;
	SELECT array_agg(s.app_id), array_agg(lower(d.days)), array_agg(upper(d.days)), min(lower(d.days)), max(upper(d.days))
	INTO r.stale_apps, r.stale_first, r.stale_until, r.stale_low, r.stale_high
	FROM (SELECT unnest(r.skip_apps) AS app_id, r.raw_first AS first, r.raw_until AS until
		  WHERE whole
		  UNION ALL
		  SELECT * FROM unnest(($1).stale_apps, ($1).stale_first, ($1).stale_until)) s,
		unnest(datemultirange(daterange(s.first, s.until))
			   - coalesce((SELECT range_agg(b.days) FROM pg_temp.im_metering_bad b
						   WHERE b.app_id = s.app_id), '{}')) d(days);
	PERFORM im_internal.im_collect(r);
	RETURN true;
END
$$;
COMMENT ON FUNCTION im_internal.im_collect_around_bad(im_internal.im_reading) IS
'Meters a reading without the apps and days on which an event cannot be metered; false if there is no such event.';

CREATE FUNCTION im_internal.im_meter_reading(reading im_internal.im_reading) RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found bigint;
BEGIN
	BEGIN
		PERFORM im_internal.im_collect($1);
	EXCEPTION WHEN data_exception THEN
		IF NOT im_internal.im_collect_around_bad($1) THEN
			RAISE;
		END IF;
	END;
	INSERT INTO pg_temp.im_metering_row
	SELECT r.*
	FROM (
		SELECT app_id, day, l.dau, l.users, e.peak_groups, e.text_checks, e.image_checks,
			e.audio_half_minutes, e.video_half_minutes, e.audio_minutes, e.sd_minutes, e.hd_minutes, e.fhd_minutes
		FROM pg_temp.im_metering_login l
		FULL JOIN (
			SELECT m.app_id, d.day, sum(d.peak_groups)::bigint AS peak_groups,
				sum(d.text_checks)::bigint AS text_checks, sum(d.image_checks)::bigint AS image_checks,
				sum(d.audio_half_minutes)::bigint AS audio_half_minutes,
				sum(d.video_half_minutes)::bigint AS video_half_minutes,
				sum(d.audio_minutes)::bigint AS audio_minutes, sum(d.sd_minutes)::bigint AS sd_minutes,
				sum(d.hd_minutes)::bigint AS hd_minutes, sum(d.fhd_minutes)::bigint AS fhd_minutes
			FROM pg_temp.im_metering_event m, im_internal.im_usage_days(m.usage) d
			GROUP BY m.app_id, d.day) e USING (app_id, day)) r
	WHERE NOT EXISTS (SELECT FROM pg_temp.im_metering_bad b WHERE b.app_id = r.app_id AND r.day <@ b.days);
	GET DIAGNOSTICS found = ROW_COUNT;
	RETURN found + im_internal.im_take_events();
END
$$;
COMMENT ON FUNCTION im_internal.im_meter_reading(im_internal.im_reading) IS
'Meters a reading: the number of apps and days with usage.';

CREATE FUNCTION im_internal.im_meter_spans(spans datemultirange) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	started CONSTANT timestamptz := clock_timestamp();
	total CONSTANT int := (SELECT sum(upper(s.days) - lower(s.days)) FROM unnest($1) s(days));
	done int := 0;
	step int := 31;
	span record;
	reading im_internal.im_reading;
	found bigint;
BEGIN
	reading := im_internal.im_with_meters(reading, NULL::@extschema@.im_rate_card, NULL::bigint);
	FOR span IN SELECT lower(s.days) AS first, upper(s.days) AS until FROM unnest($1) s(days) ORDER BY s.days LOOP
		WHILE span.first < span.until LOOP
			reading.raw_first := span.first;
			reading.raw_until := least(span.first + step, span.until);
			found := im_internal.im_meter_reading(reading);
			done := done + (reading.raw_until - reading.raw_first);
			RAISE NOTICE 'metered % through %: % rows, % %% of the days, about % s left',
				reading.raw_first, reading.raw_until - 1, found, done * 100 / total,
				round(extract(epoch FROM clock_timestamp() - started) * (total - done) / done);
			-- where there is nothing, hurry on
			step := CASE WHEN found = 0 THEN least(step * 2, 3650) ELSE 31 END;
			span.first := reading.raw_until;
		END LOOP;
	END LOOP;
END
$$;
COMMENT ON FUNCTION im_internal.im_meter_spans(datemultirange) IS
'Meters the days of all apps that im_meter() chose, a month at a time.';

-- What im_stale_logins(), im_stale_checks() and their like read, for bills,
-- has a day of slack on either side, for any zone; here the zone of each app
-- is at hand.  One query for each app and day, of a plan that has no joins:
-- parsing and planning one query of all of them would take longer than
-- running these.
CREATE FUNCTION im_internal.im_meter_few(reading im_internal.im_reading, zones text[])
	RETURNS im_internal.im_metered_figures[]
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	app bigint;
	zone text;
	on_day date;
	slice record;
	users bigint;
	usage im_internal.im_usage;
	figures im_internal.im_metered_figures[] := '{}';
BEGIN
	FOR i IN 1 .. cardinality(($1).stale_apps) LOOP
		app := ($1).stale_apps[i];
		zone := $2[i];
		on_day := ($1).stale_first[i];
		WHILE on_day < ($1).stale_until[i] LOOP
			slice := im_internal.im_day_slice(on_day, zone);
			SELECT
				(SELECT nullif(im_internal.im_login_dau(l.user_id), 0)
				 FROM @extschema@.im_login l
				 WHERE l.app_id = app AND l.at >= slice.since AND l.at < slice.until
					AND (NOT slice.shared OR @extschema@.im_day(l.at, zone) = on_day)),
				(SELECT im_internal.im_group_days(g.app_id, g.group_id, g.created_at, g.disbanded_at, zone, on_day, on_day)
				 FROM @extschema@.im_group g
				 WHERE g.app_id = app AND g.created_at < slice.until
					AND (g.disbanded_at IS NULL OR g.disbanded_at >= slice.since OR g.created_at >= slice.since))
				OPERATOR(im_internal.+)
				(SELECT im_internal.im_check_days(k.app_id, k.at, k.kind, k.seconds, zone, on_day, on_day)
				 FROM @extschema@.im_moderation_check k
				 WHERE k.app_id = app AND k.at >= slice.since AND k.at < slice.until)
				OPERATOR(im_internal.+)
				(SELECT im_internal.im_call_days(c.app_id, c.at, c.class, c.seconds, zone, on_day, on_day)
				 FROM @extschema@.im_call c
				 WHERE c.app_id = app AND c.at >= slice.since AND c.at < slice.until)
			INTO users, usage;
			IF users IS NOT NULL OR usage IS NOT NULL THEN
				figures := figures || (
					SELECT ROW(app, on_day, users, d.peak_groups, d.text_checks, d.image_checks, d.audio_half_minutes,
						d.video_half_minutes, d.audio_minutes, d.sd_minutes, d.hd_minutes, d.fhd_minutes)::im_internal.im_metered_figures
					FROM (SELECT) one
					LEFT JOIN im_internal.im_usage_days(usage) d ON true);
			END IF;
			on_day := on_day + 1;
		END LOOP;
	END LOOP;
	RETURN figures;
EXCEPTION WHEN data_exception THEN
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION im_internal.im_meter_few(im_internal.im_reading, text[]) IS
'Meters a few days of single apps, in these time zones, of whose cards none prices users of the month; null where an event cannot be metered.';

CREATE FUNCTION im_internal.im_meter_stale(reading im_internal.im_reading) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found bigint;
BEGIN
	IF ($1).stale_apps IS NULL THEN
		RETURN;
	END IF;
	found := im_internal.im_meter_reading($1);
	RAISE NOTICE 'metered % changed spans of single apps: % rows', cardinality(($1).stale_apps), found;
END
$$;
COMMENT ON FUNCTION im_internal.im_meter_stale(im_internal.im_reading) IS
'Meters the changed days of single apps that im_meter() chose.';

-- The last steps, where what was found is in temporary tables.
CREATE FUNCTION im_internal.im_meter_many(spans datemultirange, reading im_internal.im_reading) RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	written bigint;
BEGIN
	PERFORM im_internal.im_open_metering();
	PERFORM im_internal.im_meter_spans($1);
	PERFORM im_internal.im_meter_stale($2);
	written := im_internal.im_store_usage($1, $2, NULL::im_internal.im_metered_figures[], NULL::im_internal.im_metered_meter[]);
	INSERT INTO @extschema@.im_metered_day (day, metered_at)
	SELECT d::date, now()
	FROM unnest($1) s(days),
		generate_series(lower(s.days)::timestamp, upper(s.days)::timestamp - interval '1 day', interval '1 day') d
	ON CONFLICT (day) DO UPDATE SET metered_at = excluded.metered_at;
	PERFORM im_internal.im_leave_bad();
	RETURN written;
END
$$;
COMMENT ON FUNCTION im_internal.im_meter_many(datemultirange, im_internal.im_reading) IS
'Meters days of all apps and of single ones through temporary tables: reads events, writes rows, days and marks.';

CREATE FUNCTION im_internal.im_meter_days(first_day date, last_day date) RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
DECLARE
	marks im_internal.im_marks;
	days datemultirange;
	metered datemultirange;
	spans datemultirange;
	plan record;
	figures im_internal.im_metered_figures[];
	meters im_internal.im_metered_meter[];
BEGIN
	PERFORM im_internal.im_need_local_tables();
	PERFORM im_internal.im_begin_metering();
	marks := im_internal.im_take_marks();
	days := datemultirange(im_internal.im_days_to_meter($1, $2, marks));
	metered := im_internal.im_all_metered_days();
	spans := im_internal.im_plan_spans(days, metered);
	IF isempty(spans) AND marks IS NULL THEN
		RETURN 0;
	END IF;
	plan := im_internal.im_plan_marks(days, metered, marks);
	IF isempty(spans) AND (plan.reading).stale_apps IS NULL THEN
		RETURN 0;
	END IF;
	-- sets of users can be too large for an array, and the groups of an app are
	-- read for each of its days
	IF isempty(spans) AND NOT plan.some_price_mau AND array_position((plan.reading).meter_users, true) IS NULL
		AND (SELECT sum(u - f) <= 100 AND max(u - f) <= 3
			 FROM unnest((plan.reading).stale_first, (plan.reading).stale_until) s(f, u)) THEN
		figures := im_internal.im_meter_few(plan.reading, plan.zones);
		meters := im_internal.im_meter_few_events(plan.reading);
	END IF;
	IF figures IS NULL OR meters IS NULL THEN
		RETURN im_internal.im_meter_many(spans, plan.reading);
	END IF;
	RAISE NOTICE 'metered % changed spans of single apps: % rows',
		cardinality((plan.reading).stale_apps), cardinality(figures) + cardinality(meters);
	RETURN im_internal.im_store_usage('{}'::datemultirange, plan.reading, figures, meters);
END
$$;
COMMENT ON FUNCTION im_internal.im_meter_days(date, date) IS
'im_meter() with the rights of the current role.';

CREATE FUNCTION @extschema@.im_meter(first_day date DEFAULT NULL, last_day date DEFAULT NULL) RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	role_before text := im_internal.im_act_as_owner();
	written bigint := im_internal.im_meter_days($1, $2);
BEGIN
	PERFORM im_internal.im_act_again(role_before);
	RETURN written;
END
$$;
COMMENT ON FUNCTION @extschema@.im_meter(date, date) IS
'Meters the days from the first through the last into im_usage_daily, as far as they are not metered or have changed since; null: all days of which events are known, through today. Rows of users stay as they are; what is metered of the figures that they leave open goes into im_metered_beside, meters by name into im_meter_daily and im_meter_beside. Returns the number of rows written. Errors: 22023 for days out of order, 25000 above isolation level read committed, 42501 without the rights of the tables'' owner, 55000 where a raw table is fed by a subscription, 0A000 where Citus has distributed one of the tables.';
