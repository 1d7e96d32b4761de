-- What im_meter() writes: daily figures, and those beside a user's.

CREATE FUNCTION im_internal.im_delete_metered(spans datemultirange, reading im_internal.im_reading) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NOT isempty($1) THEN
		DELETE FROM @extschema@.im_usage_daily u
		USING unnest($1) s(days)
		WHERE u.day >= lower(s.days) AND u.day < upper(s.days) AND u.metered_at IS NOT NULL;
		DELETE FROM @extschema@.im_metered_beside b
		USING unnest($1) s(days)
		WHERE b.day >= lower(s.days) AND b.day < upper(s.days);
	END IF;
	DELETE FROM @extschema@.im_usage_daily u
	USING unnest(($2).stale_apps, ($2).stale_first, ($2).stale_until) s(app_id, first, until)
	WHERE u.app_id = s.app_id AND u.day >= s.first AND u.day < s.until AND u.metered_at IS NOT NULL;
	DELETE FROM @extschema@.im_metered_beside b
	USING unnest(($2).stale_apps, ($2).stale_first, ($2).stale_until) s(app_id, first, until)
	WHERE b.app_id = s.app_id AND b.day >= s.first AND b.day < s.until;
END
$$;
COMMENT ON FUNCTION im_internal.im_delete_metered(datemultirange, im_internal.im_reading) IS
'Deletes what was metered before of days of all apps and of single ones.';

-- Inlined, as long as im_metering_row is there.
CREATE FUNCTION im_internal.im_metered_rows() RETURNS TABLE (
		app_id bigint, day date, dau bigint, users @extschema@.im_userset, peak_groups bigint,
		text_checks bigint, image_checks bigint, audio_half_minutes bigint, video_half_minutes bigint,
		audio_minutes bigint, sd_minutes bigint, hd_minutes bigint, fhd_minutes bigint)
	LANGUAGE sql STABLE
AS $$
	SELECT r.app_id, r.day, CASE WHEN a.prices_mau THEN @extschema@.im_count(r.users) ELSE r.dau END,
		CASE WHEN a.prices_mau THEN coalesce(r.users, '{}') END, r.peak_groups, r.text_checks, r.image_checks,
		r.audio_half_minutes, r.video_half_minutes, r.audio_minutes, r.sd_minutes, r.hd_minutes,
		r.fhd_minutes
	FROM pg_temp.im_metering_row r
	JOIN im_internal.im_app_cards(NULL::@extschema@.im_rate_card) a ON a.app_id = r.app_id
$$;
COMMENT ON FUNCTION im_internal.im_metered_rows() IS
'What im_meter() has found, as it is stored; in the session that meters.';

-- Called by im_store_usage(), which tells the triggers whose rows these are.
-- Apps without a card, or that are not in im_app, are never metered.
CREATE FUNCTION im_internal.im_write_metered(spans datemultirange, reading im_internal.im_reading,
		figures im_internal.im_metered_figures[], meters im_internal.im_metered_meter[])
	RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	written bigint;
	beside bigint;
BEGIN
	-- so that an UPDATE of now finds what is written; im_store_usage() holds those off who insert
	PERFORM im_internal.im_try_lock('@extschema@.im_usage_daily'::regclass, 'SHARE ROW EXCLUSIVE'::text);
	PERFORM im_internal.im_delete_metered($1, $2);
	IF $3 IS NOT NULL THEN
		INSERT INTO @extschema@.im_usage_daily (app_id, day, dau, peak_groups, text_checks, image_checks,
			audio_half_minutes, video_half_minutes, audio_minutes, sd_minutes, hd_minutes, fhd_minutes, metered_at)
		SELECT r.*, now()
		FROM unnest($3) r
		ON CONFLICT DO NOTHING;
		GET DIAGNOSTICS written = ROW_COUNT;
		IF written < cardinality($3) THEN
			INSERT INTO @extschema@.im_metered_beside (app_id, day, dau, peak_groups, text_checks, image_checks,
				audio_half_minutes, video_half_minutes, audio_minutes, sd_minutes, hd_minutes, fhd_minutes)
			SELECT r.*
			FROM unnest($3) r
			JOIN @extschema@.im_usage_daily u ON u.app_id = r.app_id AND u.day = r.day
			WHERE u.metered_at IS NULL AND u.whole IS NOT TRUE;
			GET DIAGNOSTICS beside = ROW_COUNT;
		END IF;
	ELSE
		INSERT INTO @extschema@.im_usage_daily (app_id, day, dau, users, peak_groups, text_checks, image_checks,
			audio_half_minutes, video_half_minutes, audio_minutes, sd_minutes, hd_minutes, fhd_minutes, metered_at)
		SELECT m.*, now()
		FROM im_internal.im_metered_rows() m
		-- bills read them in the order of the primary key, app by app
		ORDER BY m.app_id, m.day
		ON CONFLICT DO NOTHING;
		GET DIAGNOSTICS written = ROW_COUNT;
		INSERT INTO @extschema@.im_metered_beside (app_id, day, dau, users, peak_groups, text_checks, image_checks,
			audio_half_minutes, video_half_minutes, audio_minutes, sd_minutes, hd_minutes, fhd_minutes)
		SELECT m.*
		FROM im_internal.im_metered_rows() m
		JOIN @extschema@.im_usage_daily u ON u.app_id = m.app_id AND u.day = m.day
		WHERE u.metered_at IS NULL AND u.whole IS NOT TRUE
		ORDER BY m.app_id, m.day;
		GET DIAGNOSTICS beside = ROW_COUNT;
	END IF;
	IF ($2).meters IS NOT NULL THEN
		written := written + im_internal.im_write_meters($1, $2, $4);
	END IF;
	RETURN written + coalesce(beside, 0);
END
$$;
COMMENT ON FUNCTION im_internal.im_write_metered(datemultirange, im_internal.im_reading, im_internal.im_metered_figures[], im_internal.im_metered_meter[]) IS
'Writes what was found on days of all apps and of single ones into im_usage_daily, and where a user has a row that leaves figures open into im_metered_beside; meters by name by im_write_meters(): the number of rows. Figures null: it is in a temporary table.';

CREATE FUNCTION im_internal.im_store_usage(spans datemultirange, reading im_internal.im_reading,
		figures im_internal.im_metered_figures[], meters im_internal.im_metered_meter[])
	RETURNS bigint
	AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION im_internal.im_store_usage(datemultirange, im_internal.im_reading, im_internal.im_metered_figures[], im_internal.im_metered_meter[]) IS
'Writes what im_meter() has metered as rows of the extension, not of a user: their number.';

-- What could not be metered is marked again.
CREATE FUNCTION im_internal.im_leave_bad() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	bad bigint;
	month text;
BEGIN
	INSERT INTO @extschema@.im_usage_mark (app_id, since, until)
	SELECT DISTINCT b.app_id, b.since, b.until FROM pg_temp.im_metering_bad b;
	SELECT count(DISTINCT (b.app_id, lower(b.days))), to_char(min(upper(b.days) - 1), 'YYYY-MM')
	INTO bad, month
	FROM pg_temp.im_metering_bad b;
	IF bad > 0 THEN
		RAISE WARNING USING
			MESSAGE = format('%s days of apps have events that cannot be metered', bad),
			DETAIL = 'They are left as they are: their bills fail until the events are corrected.',
			HINT = format('SELECT * FROM %s.im_check(%L) lists them, of the first month.', '@extschema@', month);
	END IF;
END
$$;
COMMENT ON FUNCTION im_internal.im_leave_bad() IS
'Marks the days with events that im_meter() could not meter, and warns of them.';

CREATE FUNCTION im_internal.im_keep_beside(first_day date, last_day date) RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	kept bigint;
BEGIN
	UPDATE @extschema@.im_usage_daily u
	SET dau = coalesce(u.dau, @extschema@.im_count(u.users), m.dau),
		-- of users by number nobody knows who they were, and bills go on to say so
		users = CASE WHEN u.users IS NULL AND coalesce(u.dau, 0) = 0 THEN m.users ELSE u.users END,
		peak_groups = coalesce(u.peak_groups, m.peak_groups),
		text_checks = coalesce(u.text_checks, m.text_checks),
		image_checks = coalesce(u.image_checks, m.image_checks),
		audio_half_minutes = coalesce(u.audio_half_minutes, m.audio_half_minutes),
		video_half_minutes = coalesce(u.video_half_minutes, m.video_half_minutes),
		audio_minutes = coalesce(u.audio_minutes, m.audio_minutes),
		sd_minutes = coalesce(u.sd_minutes, m.sd_minutes),
		hd_minutes = coalesce(u.hd_minutes, m.hd_minutes),
		fhd_minutes = coalesce(u.fhd_minutes, m.fhd_minutes),
		whole = true
	FROM (SELECT o.app_id, o.day, b.dau, coalesce(b.users, CASE WHEN a.prices_mau THEN '{}'::@extschema@.im_userset END) AS users,
			  b.peak_groups, b.text_checks, b.image_checks, b.audio_half_minutes, b.video_half_minutes,
			  b.audio_minutes, b.sd_minutes, b.hd_minutes, b.fhd_minutes
		  FROM @extschema@.im_usage_daily o
		  JOIN im_internal.im_app_cards(NULL::@extschema@.im_rate_card) a ON a.app_id = o.app_id
		  LEFT JOIN @extschema@.im_metered_beside b ON b.app_id = o.app_id AND b.day = o.day
		  WHERE o.day >= $1 AND o.day <= $2 AND o.whole IS NOT TRUE AND a.time_zone IS NOT NULL) m
	WHERE u.app_id = m.app_id AND u.day = m.day;
	GET DIAGNOSTICS kept = ROW_COUNT;
	DELETE FROM @extschema@.im_metered_beside b WHERE b.day >= $1 AND b.day <= $2;
	RETURN kept;
END
$$;
COMMENT ON FUNCTION im_internal.im_keep_beside(date, date) IS
'Fills the figures that users left open on these days with what was metered, for im_keep_metered(): the number of rows.';

CREATE FUNCTION @extschema@.im_keep_metered(first_day date, last_day date) RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	role_before text;
	kept bigint;
	odd bigint;
BEGIN
	IF $1 IS NULL OR $2 IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'null_value_not_allowed',
			MESSAGE = 'what was metered is kept from a first through a last day, but one of them is null',
			DETAIL = 'Rows of these days become rows of the users, which are never metered again.',
			HINT = 'Give both days.';
	END IF;
	role_before := im_internal.im_act_as_owner();
	PERFORM im_internal.im_meter_days($1, $2);
	IF to_regclass('pg_temp.im_metering_bad') IS NOT NULL THEN
		SELECT count(*) INTO odd FROM pg_temp.im_metering_bad b WHERE b.days && daterange($1, $2, '[]');
	END IF;
	IF odd > 0 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = format('%s events from %s through %s cannot be metered', odd, $1, $2),
			DETAIL = 'What was metered can take the place of the events only if all of them are in it.',
			HINT = format('SELECT * FROM %s.im_check(%L) lists them.', '@extschema@', to_char($1, 'YYYY-MM'));
	END IF;
	UPDATE @extschema@.im_usage_daily u
	SET metered_at = NULL, whole = true
	WHERE u.metered_at IS NOT NULL AND u.day >= $1 AND u.day <= $2;
	GET DIAGNOSTICS kept = ROW_COUNT;
	kept := kept + im_internal.im_keep_beside($1, $2) + im_internal.im_keep_meters($1, $2);
	PERFORM im_internal.im_act_again(role_before);
	RETURN kept;
END
$$;
COMMENT ON FUNCTION @extschema@.im_keep_metered(date, date) IS
'Meters the days from the first through the last and makes the rows the users'' own and whole, those with figures left open too, so that the events of these days can be dropped: the number of rows. Errors: 22004 for null, 55000 where an event cannot be metered, and those of im_meter().';
