-- What im_meter() does with events of meters by name.

CREATE TYPE im_internal.im_metered_meter AS (
	app_id bigint,
	day date,
	meter text,
	quantity numeric,
	users @extschema@.im_userset,
	area numeric,
	before bigint,
	length bigint
);
COMMENT ON TYPE im_internal.im_metered_meter IS
'What was metered of an app, day and meter by name, as im_meter_daily has it; internal.';

CREATE FUNCTION im_internal.im_collect_events(reading im_internal.im_reading) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
	SET client_min_messages = warning
AS $$
BEGIN
	DROP TABLE IF EXISTS pg_temp.im_metering_found;
	IF ($1).meters IS NULL THEN
		RETURN;
	END IF;
	EXECUTE 'CREATE TEMP TABLE im_metering_found ON COMMIT DROP AS '
		|| CASE WHEN ($1).raw_first < ($1).raw_until
			THEN 'SELECT r.* FROM im_internal.im_raw_events($1) r UNION ALL ' ELSE '' END
		|| 'SELECT s.* FROM im_internal.im_stale_events($1) s'
	USING $1;
END
$$;
COMMENT ON FUNCTION im_internal.im_collect_events(im_internal.im_reading) IS
'Meters the meters by name of a reading into a temporary table.';

CREATE FUNCTION im_internal.im_take_events() RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found bigint := 0;
BEGIN
	IF to_regclass('pg_temp.im_metering_found') IS NOT NULL THEN
		INSERT INTO pg_temp.im_metering_meter
		SELECT f.*
		FROM pg_temp.im_metering_found f
		WHERE NOT EXISTS (SELECT FROM pg_temp.im_metering_bad b WHERE b.app_id = f.app_id AND f.day <@ b.days);
		GET DIAGNOSTICS found = ROW_COUNT;
	END IF;
	RETURN found;
END
$$;
COMMENT ON FUNCTION im_internal.im_take_events() IS
'Takes what im_collect_events() found, but for days with events that cannot be metered: the number of apps, days and meters.';

CREATE FUNCTION im_internal.im_meter_few_events(reading im_internal.im_reading)
	RETURNS im_internal.im_metered_meter[]
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF ($1).meters IS NULL THEN
		RETURN '{}';
	END IF;
	RETURN coalesce((SELECT array_agg(ROW(s.app_id, s.day, s.meter, s.quantity, NULL, s.area, s.before, s.length)::im_internal.im_metered_meter)
					 FROM im_internal.im_stale_events($1) s), '{}');
EXCEPTION WHEN data_exception THEN
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION im_internal.im_meter_few_events(im_internal.im_reading) IS
'Meters the meters by name of a few days of single apps, of whose cards none counts subjects of the month; null where an event cannot be metered.';

CREATE FUNCTION im_internal.im_delete_meters(spans datemultirange, reading im_internal.im_reading) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NOT isempty($1) THEN
		DELETE FROM @extschema@.im_meter_daily u
		USING unnest($1) s(days)
		WHERE u.day >= lower(s.days) AND u.day < upper(s.days) AND u.metered_at IS NOT NULL;
		DELETE FROM @extschema@.im_meter_beside b
		USING unnest($1) s(days)
		WHERE b.day >= lower(s.days) AND b.day < upper(s.days);
	END IF;
	DELETE FROM @extschema@.im_meter_daily u
	USING unnest(($2).stale_apps, ($2).stale_first, ($2).stale_until) s(app_id, first, until)
	WHERE u.app_id = s.app_id AND u.day >= s.first AND u.day < s.until AND u.metered_at IS NOT NULL;
	DELETE FROM @extschema@.im_meter_beside b
	USING unnest(($2).stale_apps, ($2).stale_first, ($2).stale_until) s(app_id, first, until)
	WHERE b.app_id = s.app_id AND b.day >= s.first AND b.day < s.until;
END
$$;
COMMENT ON FUNCTION im_internal.im_delete_meters(datemultirange, im_internal.im_reading) IS
'Deletes what was metered before of meters by name on days of all apps and of single ones.';

-- A function, so that one text serves both.
CREATE FUNCTION im_internal.im_metered_meters(figures im_internal.im_metered_meter[])
	RETURNS TABLE (app_id bigint, day date, meter text, quantity numeric, users @extschema@.im_userset,
		area numeric, before bigint, length bigint)
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF $1 IS NOT NULL THEN
		RETURN QUERY SELECT f.* FROM unnest($1) f;
	ELSE
		RETURN QUERY SELECT m.* FROM pg_temp.im_metering_meter m;
	END IF;
END
$$;
COMMENT ON FUNCTION im_internal.im_metered_meters(im_internal.im_metered_meter[]) IS
'What im_meter() has found of meters by name: as given, or (null) in the session that meters.';

CREATE FUNCTION im_internal.im_write_meters(spans datemultirange, reading im_internal.im_reading,
		figures im_internal.im_metered_meter[])
	RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	written bigint;
	beside bigint;
BEGIN
	-- as im_write_metered()
	PERFORM im_internal.im_try_lock('@extschema@.im_meter_daily'::regclass, 'SHARE ROW EXCLUSIVE'::text);
	PERFORM im_internal.im_delete_meters($1, $2);
	INSERT INTO @extschema@.im_meter_daily (app_id, day, meter, quantity, users, area, before, length, metered_at)
	SELECT m.app_id, m.day, m.meter, m.quantity, m.users, m.area, m.before, m.length, now()
	FROM im_internal.im_metered_meters($3) m
	ORDER BY m.app_id, m.day, m.meter COLLATE "C"
	ON CONFLICT DO NOTHING;
	GET DIAGNOSTICS written = ROW_COUNT;
	INSERT INTO @extschema@.im_meter_beside (app_id, day, meter, quantity, users, area, before, length)
	SELECT m.app_id, m.day, m.meter, m.quantity, m.users, m.area, m.before, m.length
	FROM @extschema@.im_meter_daily u
	JOIN im_internal.im_metered_meters($3) m ON m.app_id = u.app_id AND m.day = u.day AND m.meter = u.meter
	WHERE u.metered_at IS NULL;
	GET DIAGNOSTICS beside = ROW_COUNT;
	RETURN written + beside;
END
$$;
COMMENT ON FUNCTION im_internal.im_write_meters(datemultirange, im_internal.im_reading, im_internal.im_metered_meter[]) IS
'Writes what was found of meters by name into im_meter_daily, and where a user has a row into im_meter_beside: the number of rows. Figures null: it is in a temporary table.';

-- The figures of an average need what stood before them; so the row keeps what
-- the events of its day said, and goes on to count by that.
CREATE FUNCTION im_internal.im_keep_meters(first_day date, last_day date) RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	kept bigint;
	filled bigint;
BEGIN
	UPDATE @extschema@.im_meter_daily u
	SET metered_at = NULL, quantity = u.quantity, users = u.users, area = u.area, before = u.before, length = u.length
	WHERE u.metered_at IS NOT NULL AND u.day >= $1 AND u.day <= $2;
	GET DIAGNOSTICS kept = ROW_COUNT;
	UPDATE @extschema@.im_meter_daily u
	SET quantity = b.quantity, users = b.users, area = b.area, before = b.before, length = b.length
	FROM @extschema@.im_meter_beside b
	WHERE b.app_id = u.app_id AND b.day = u.day AND b.meter = u.meter
		AND u.day >= $1 AND u.day <= $2 AND u.quantity IS NULL AND u.users IS NULL;
	GET DIAGNOSTICS filled = ROW_COUNT;
	RETURN kept + filled;
END
$$;
COMMENT ON FUNCTION im_internal.im_keep_meters(date, date) IS
'Makes rows of im_meter_daily of these days the users'' own and fills those that users left open with what was metered, for im_keep_metered(): the number of rows.';
