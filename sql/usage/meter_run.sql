-- im_meter(): meters the days and apps that are not metered or have changed.
--
-- Whole days, and many days of single apps, are collected in temporary tables
-- by CREATE TABLE AS, which can use parallel workers where INSERT ... SELECT
-- cannot.  A few days of single apps, as after a late row, are collected in an
-- array: making the tables would take longer than metering.  Either is written
-- into im_usage_daily at the very end: writers of daily figures wait only then.

CREATE TYPE @extschema@.im_metered_figures AS (
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
COMMENT ON TYPE @extschema@.im_metered_figures IS
'What was metered of an app and day, as im_usage_daily has it; internal.';

CREATE FUNCTION @extschema@.im_usage_days(usage bigint[])
	RETURNS TABLE (day date, dau bigint, peak_groups bigint, text_checks bigint, image_checks bigint,
		audio_half_minutes bigint, video_half_minutes bigint, audio_minutes bigint, sd_minutes bigint,
		hd_minutes bigint, fhd_minutes bigint)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT date '2000-01-01' + ($1)[i]::int, ($1)[i + 1], ($1)[i + 2], ($1)[i + 3], ($1)[i + 4],
		($1)[i + 5], ($1)[i + 6], ($1)[i + 7], ($1)[i + 8], ($1)[i + 9], ($1)[i + 10]
	FROM generate_series(1, cardinality($1), 11) i
$$;
COMMENT ON FUNCTION @extschema@.im_usage_days(bigint[]) IS
'The days of an array that the per-app meters give, as rows.';

-- Whether one query for each local day reads about the rows of that day: its
-- partition is that day, or a BRIN index leads to it since rows came in by
-- time.  Elsewhere each of them would read the whole table.
CREATE FUNCTION @extschema@.im_can_slice(first date, until date) RETURNS boolean
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	p record;
	brin oid;
BEGIN
	FOR p IN
		SELECT s.partition
		FROM @extschema@.im_metered_partition s
		WHERE s.table_name = 'im_login' AND s.filenode <> 0
			AND (NOT isfinite(s.since) OR NOT isfinite(s.until) OR s.until > s.since + interval '49 hours')
			AND s.since < @extschema@.im_utc_midnight($2 + 1) AND s.until > @extschema@.im_utc_midnight($1 - 1)
	LOOP
		SELECT i.indexrelid INTO brin
		FROM pg_index i
		JOIN pg_class c ON c.oid = i.indexrelid
		JOIN pg_am m ON m.oid = c.relam AND m.amname = 'brin'
		JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] AND a.attname = 'at'
		WHERE i.indrelid = p.partition AND i.indisvalid
		LIMIT 1;
		IF NOT FOUND OR starts_with(p.partition::regclass::text, 'pg_temp')
			OR NOT @extschema@.im_try_lock(p.partition::regclass, 'SHARE UPDATE EXCLUSIVE'::text) THEN
			RETURN false;
		END IF;
		PERFORM brin_summarize_new_values(brin);
		-- pg_statistic is for superusers
		IF NOT EXISTS (SELECT FROM pg_stats v
					   JOIN pg_class c ON c.relname = v.tablename
					   JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = v.schemaname
					   WHERE c.oid = p.partition AND v.attname = 'at') THEN
			EXECUTE format('ANALYZE %s (at)', p.partition::regclass);
		END IF;
		IF coalesce((SELECT min(abs(v.correlation))
					 FROM pg_stats v
					 JOIN pg_class c ON c.relname = v.tablename
					 JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = v.schemaname
					 WHERE c.oid = p.partition AND v.attname = 'at'), 1) < 0.95 THEN
			RETURN false;
		END IF;
	END LOOP;
	RETURN true;
END
$$;
COMMENT ON FUNCTION @extschema@.im_can_slice(date, date) IS
'Whether the logins of single days from the first until the last can be read without those of other days. Completes BRIN indexes and statistics.';

-- No group spans two queries, so workers take whole days and merge nothing.
CREATE FUNCTION @extschema@.im_slices_query(first date, until date) RETURNS text
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
	SET datestyle = 'ISO, YMD'	-- others name zones by abbreviations of several meanings
AS $$
DECLARE
	-- where some apps cut other days, or need sets of users, theirs are left out
	choose text := CASE WHEN (SELECT count(DISTINCT a.time_zone) > 1 OR bool_or(a.prices_mau)
							  FROM @extschema@.im_app_cards(NULL::@extschema@.im_rate_card) a)
		THEN 'JOIN %6$s.im_app_cards(NULL::%6$s.im_rate_card) a ON a.app_id = l.app_id AND a.time_zone = %1$L AND NOT a.prices_mau'
		ELSE '' END;
	slices text;
BEGIN
	SELECT string_agg(format(
			'SELECT %2$L::date AS day, %1$L::text AS zone, %6$s.im_app_dau(l.app_id, l.user_id) AS pairs '
			'FROM %6$s.im_login l ' || choose || ' WHERE l.at >= %3$L AND l.at < %4$L%5$s',
			z.zone, d.day, s.since, s.until,
			CASE WHEN s.shared THEN format(' AND %s.im_day(l.at, %L::text) = %L', '@extschema@', z.zone, d.day) END,
			'@extschema@'), ' UNION ALL ')
	INTO slices
	FROM (SELECT DISTINCT a.time_zone FROM @extschema@.im_app_cards(NULL::@extschema@.im_rate_card) a WHERE NOT a.prices_mau) z(zone),
		(SELECT $1 + i FROM generate_series(0, $2 - $1 - 1) i) d(day),
		@extschema@.im_day_slice(d.day, z.zone) s;
	IF slices IS NULL THEN
		RETURN NULL;
	END IF;
	RETURN format('SELECT r.app_id, q.day, r.dau, NULL::%1$s.im_userset AS users '
		'FROM (%2$s) q, %1$s.im_app_dau_rows(q.pairs) r, %1$s.im_app_cards(NULL::%1$s.im_rate_card) c '
		'WHERE c.app_id = r.app_id AND c.time_zone = q.zone AND NOT c.prices_mau',
		'@extschema@', slices);
END
$$;
COMMENT ON FUNCTION @extschema@.im_slices_query(date, date) IS
'A query for the distinct users of each day of apps whose card does not price users of the month, with one part for each local day; null without such apps.';

CREATE FUNCTION @extschema@.im_logins_query(reading @extschema@.im_reading) RETURNS text
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	whole text := 'SELECT l.app_id, l.day, l.dau, l.users FROM %1$s.im_raw_logins(NULL::%1$s.im_rate_card, $1) l';
	slices text;
BEGIN
	IF ($1).raw_first < ($1).raw_until THEN
		IF @extschema@.im_can_slice(($1).raw_first, ($1).raw_until) THEN
			slices := @extschema@.im_slices_query(($1).raw_first, ($1).raw_until);
		END IF;
		RETURN CASE WHEN slices IS NULL THEN format(whole, '@extschema@')
			WHEN EXISTS (SELECT FROM @extschema@.im_app_cards(NULL::@extschema@.im_rate_card) a WHERE a.prices_mau)
				THEN format('%s UNION ALL %s WHERE l.prices_mau', slices, format(whole, '@extschema@'))
			ELSE slices END;
	END IF;
	RETURN format('SELECT s.app_id, s.day, s.dau, s.users FROM %1$s.im_stale_logins(''-infinity''::date, NULL::%1$s.im_rate_card, $1) s', '@extschema@');
END
$$;
COMMENT ON FUNCTION @extschema@.im_logins_query(@extschema@.im_reading) IS
'A query for the distinct users that im_meter() meters of a reading, given as its parameter.';

CREATE FUNCTION @extschema@.im_forget_temporary() RETURNS void
	AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION @extschema@.im_forget_temporary() IS
'Empties what the session''s catalogue cache holds of pg_statistic and pg_type, where temporary tables leave entries that the server never takes back.';

CREATE FUNCTION @extschema@.im_open_metering() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
	SET client_min_messages = warning
AS $$
BEGIN
	-- what the im_meter() before this one left, also one that was cancelled
	PERFORM @extschema@.im_forget_temporary();
	DROP TABLE IF EXISTS pg_temp.im_metering_bad, pg_temp.im_metering_row;
	-- events that cannot be metered, what was found
	CREATE TEMP TABLE im_metering_bad (app_id bigint, since timestamptz, until timestamptz, days daterange) ON COMMIT DROP;
	CREATE TEMP TABLE im_metering_row (app_id bigint, day date, dau bigint, users @extschema@.im_userset,
		peak_groups bigint, text_checks bigint, image_checks bigint, audio_half_minutes bigint,
		video_half_minutes bigint, audio_minutes bigint, sd_minutes bigint, hd_minutes bigint,
		fhd_minutes bigint) ON COMMIT DROP;
END
$$;
COMMENT ON FUNCTION @extschema@.im_open_metering() IS
'Makes the temporary tables of im_meter().';

CREATE FUNCTION @extschema@.im_collect(reading @extschema@.im_reading) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
	SET client_min_messages = warning
AS $$
BEGIN
	DROP TABLE IF EXISTS pg_temp.im_metering_login, pg_temp.im_metering_event;
	EXECUTE 'CREATE TEMP TABLE im_metering_login ON COMMIT DROP AS ' || @extschema@.im_logins_query($1)
	USING $1;
	-- what is not read is not planned either
	EXECUTE 'CREATE TEMP TABLE im_metering_event ON COMMIT DROP AS '
		|| CASE WHEN ($1).raw_first < ($1).raw_until THEN $query$
			SELECT g.app_id, g.groups AS usage FROM @extschema@.im_gather_groups(NULL::@extschema@.im_rate_card, $1) g
			UNION ALL
			SELECT k.app_id, k.checks FROM @extschema@.im_gather_checks(NULL::@extschema@.im_rate_card, $1) k
			UNION ALL
			SELECT c.app_id, c.calls FROM @extschema@.im_gather_calls(NULL::@extschema@.im_rate_card, $1) c
			UNION ALL $query$ ELSE '' END
		|| $query$
			SELECT g.app_id, g.groups AS usage FROM @extschema@.im_stale_groups('-infinity'::date, NULL::@extschema@.im_rate_card, $1) g
			UNION ALL
			SELECT k.app_id, k.checks FROM @extschema@.im_stale_checks('-infinity'::date, NULL::@extschema@.im_rate_card, $1) k
			UNION ALL
			SELECT c.app_id, c.calls FROM @extschema@.im_stale_calls('-infinity'::date, NULL::@extschema@.im_rate_card, $1) c $query$
	USING $1;
END
$$;
COMMENT ON FUNCTION @extschema@.im_collect(@extschema@.im_reading) IS
'Meters the days of a reading into temporary tables.';

-- Only events that no meter takes make metering fail; the rest of their apps
-- is metered without them.
CREATE FUNCTION @extschema@.im_find_bad(first date, until date, apps bigint[]) RETURNS bigint[]
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO pg_temp.im_metering_bad
	SELECT b.app_id, b.since, b.until, @extschema@.im_local_days(b.since, b.until, a.time_zone)
	FROM (SELECT c.app_id, c.at AS since, c.at AS until
		  FROM @extschema@.im_bad_checks($1, $2) c
		  WHERE c.at >= @extschema@.im_utc_midnight($1 - 1)
		  UNION ALL
		  SELECT c.app_id, c.at, c.at
		  FROM @extschema@.im_bad_calls($1, $2) c
		  WHERE c.at >= @extschema@.im_utc_midnight($1 - 1)
		  UNION ALL
		  SELECT g.app_id, g.at, g.at
		  FROM @extschema@.im_bad_groups($1, $2) g) b
	JOIN @extschema@.im_app_cards(NULL::@extschema@.im_rate_card) a ON a.app_id = b.app_id
	WHERE a.time_zone IS NOT NULL AND ($3 IS NULL OR b.app_id = ANY ($3))
		AND @extschema@.im_local_days(b.since, b.until, a.time_zone) && daterange($1, $2);
	RETURN (SELECT array_agg(DISTINCT b.app_id)
			FROM pg_temp.im_metering_bad b
			WHERE b.days && daterange($1, $2));
END
$$;
COMMENT ON FUNCTION @extschema@.im_find_bad(date, date, bigint[]) IS
'Notes the events of [first, until) that cannot be metered, of these apps or (null) of all: the apps that have any.';

CREATE FUNCTION @extschema@.im_collect_around_bad(reading @extschema@.im_reading) RETURNS boolean
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	whole boolean := ($1).raw_first < ($1).raw_until;
	first date := least(CASE WHEN whole THEN ($1).raw_first END, (SELECT min(s) FROM unnest(($1).stale_first) s));
	until date := greatest(CASE WHEN whole THEN ($1).raw_until END, (SELECT max(s) FROM unnest(($1).stale_until) s));
	r @extschema@.im_reading := $1;
BEGIN
	r.skip_apps := @extschema@.im_find_bad(first, until, ($1).stale_apps);
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
	PERFORM @extschema@.im_collect(r);
	RETURN true;
END
$$;
COMMENT ON FUNCTION @extschema@.im_collect_around_bad(@extschema@.im_reading) IS
'Meters a reading without the apps and days on which an event cannot be metered; false if there is no such event.';

CREATE FUNCTION @extschema@.im_meter_reading(reading @extschema@.im_reading) RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found bigint;
BEGIN
	BEGIN
		PERFORM @extschema@.im_collect($1);
	EXCEPTION WHEN data_exception THEN
		IF NOT @extschema@.im_collect_around_bad($1) THEN
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
			FROM pg_temp.im_metering_event m, @extschema@.im_usage_days(m.usage) d
			GROUP BY m.app_id, d.day) e USING (app_id, day)) r
	WHERE NOT EXISTS (SELECT FROM pg_temp.im_metering_bad b WHERE b.app_id = r.app_id AND r.day <@ b.days);
	GET DIAGNOSTICS found = ROW_COUNT;
	RETURN found;
END
$$;
COMMENT ON FUNCTION @extschema@.im_meter_reading(@extschema@.im_reading) IS
'Meters a reading: the number of apps and days with usage.';

CREATE FUNCTION @extschema@.im_meter_spans(spans datemultirange) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	started CONSTANT timestamptz := clock_timestamp();
	total CONSTANT int := (SELECT sum(upper(s.days) - lower(s.days)) FROM unnest($1) s(days));
	done int := 0;
	step int := 31;
	span record;
	reading @extschema@.im_reading;
	found bigint;
BEGIN
	FOR span IN SELECT lower(s.days) AS first, upper(s.days) AS until FROM unnest($1) s(days) ORDER BY s.days LOOP
		WHILE span.first < span.until LOOP
			reading.raw_first := span.first;
			reading.raw_until := least(span.first + step, span.until);
			found := @extschema@.im_meter_reading(reading);
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
COMMENT ON FUNCTION @extschema@.im_meter_spans(datemultirange) IS
'Meters the days of all apps that im_meter() chose, a month at a time.';

-- What im_stale_logins(), im_stale_checks() and their like read, for bills,
-- has a day of slack on either side, for any zone; here the zone of each app
-- is at hand.  One query for each app and day, of a plan that has no joins:
-- parsing and planning one query of all of them would take longer than
-- running these.
CREATE FUNCTION @extschema@.im_meter_few(reading @extschema@.im_reading, zones text[])
	RETURNS @extschema@.im_metered_figures[]
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	app bigint;
	zone text;
	day date;
	slice record;
	dau bigint;
	groups bigint[];
	checks bigint[];
	calls bigint[];
	-- what a day with events of another kind has
	nothing bigint;
	figures @extschema@.im_metered_figures[] := '{}';
BEGIN
	FOR i IN 1 .. cardinality(($1).stale_apps) LOOP
		app := ($1).stale_apps[i];
		zone := $2[i];
		day := ($1).stale_first[i];
		WHILE day < ($1).stale_until[i] LOOP
			slice := @extschema@.im_day_slice(day, zone);
			SELECT
				(SELECT nullif(@extschema@.im_login_dau(l.user_id), 0)
				 FROM @extschema@.im_login l
				 WHERE l.app_id = app AND l.at >= slice.since AND l.at < slice.until
					AND (NOT slice.shared OR @extschema@.im_day(l.at, zone) = day)),
				(SELECT @extschema@.im_group_days(g.app_id, g.group_id, g.created_at, g.disbanded_at, zone, day, day)
				 FROM @extschema@.im_group g
				 WHERE g.app_id = app AND g.created_at < slice.until
					AND (g.disbanded_at IS NULL OR g.disbanded_at >= slice.since OR g.created_at >= slice.since)),
				(SELECT @extschema@.im_check_days(k.app_id, k.at, k.kind, k.seconds, zone, day, day)
				 FROM @extschema@.im_moderation_check k
				 WHERE k.app_id = app AND k.at >= slice.since AND k.at < slice.until),
				(SELECT @extschema@.im_call_days(c.app_id, c.at, c.class, c.seconds, zone, day, day)
				 FROM @extschema@.im_call c
				 WHERE c.app_id = app AND c.at >= slice.since AND c.at < slice.until)
			INTO dau, groups, checks, calls;
			IF dau IS NOT NULL OR groups IS NOT NULL OR checks IS NOT NULL OR calls IS NOT NULL THEN
				nothing := CASE WHEN groups IS NOT NULL OR checks IS NOT NULL OR calls IS NOT NULL THEN 0 END;
				-- a figure of im_usage_days() stands at its place in the array
				figures := figures || ROW(app, day, dau, coalesce(groups[3], nothing),
					coalesce(checks[4], nothing), coalesce(checks[5], nothing), coalesce(checks[6], nothing),
					coalesce(checks[7], nothing), coalesce(calls[8], nothing), coalesce(calls[9], nothing),
					coalesce(calls[10], nothing), coalesce(calls[11], nothing))::@extschema@.im_metered_figures;
			END IF;
			day := day + 1;
		END LOOP;
	END LOOP;
	RETURN figures;
EXCEPTION WHEN data_exception THEN
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION @extschema@.im_meter_few(@extschema@.im_reading, text[]) IS
'Meters a few days of single apps, in these time zones, of whose cards none prices users of the month; null where an event cannot be metered.';

CREATE FUNCTION @extschema@.im_meter_stale(reading @extschema@.im_reading) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found bigint;
BEGIN
	IF ($1).stale_apps IS NULL THEN
		RETURN;
	END IF;
	found := @extschema@.im_meter_reading($1);
	RAISE NOTICE 'metered % changed spans of single apps: % rows', cardinality(($1).stale_apps), found;
END
$$;
COMMENT ON FUNCTION @extschema@.im_meter_stale(@extschema@.im_reading) IS
'Meters the changed days of single apps that im_meter() chose.';

CREATE FUNCTION @extschema@.im_delete_metered(spans datemultirange, reading @extschema@.im_reading) RETURNS void
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
COMMENT ON FUNCTION @extschema@.im_delete_metered(datemultirange, @extschema@.im_reading) IS
'Deletes what was metered before of days of all apps and of single ones.';

-- Inlined, as long as im_metering_row is there.
CREATE FUNCTION @extschema@.im_metered_rows() RETURNS TABLE (
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
	JOIN @extschema@.im_app_cards(NULL::@extschema@.im_rate_card) a ON a.app_id = r.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_metered_rows() IS
'What im_meter() has found, as it is stored; in the session that meters.';

-- Called by im_store_usage(), which tells the triggers whose rows these are.
-- Apps without a card, or that are not in im_app, are never metered.
CREATE FUNCTION @extschema@.im_write_metered(spans datemultirange, reading @extschema@.im_reading,
		figures @extschema@.im_metered_figures[])
	RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	written bigint;
	beside bigint;
BEGIN
	-- so that an UPDATE of now finds what is written; im_store_usage() holds those off who insert
	PERFORM @extschema@.im_try_lock('@extschema@.im_usage_daily'::regclass, 'SHARE ROW EXCLUSIVE'::text);
	PERFORM @extschema@.im_delete_metered($1, $2);
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
		FROM @extschema@.im_metered_rows() m
		-- bills read them in the order of the primary key, app by app
		ORDER BY m.app_id, m.day
		ON CONFLICT DO NOTHING;
		GET DIAGNOSTICS written = ROW_COUNT;
		INSERT INTO @extschema@.im_metered_beside (app_id, day, dau, users, peak_groups, text_checks, image_checks,
			audio_half_minutes, video_half_minutes, audio_minutes, sd_minutes, hd_minutes, fhd_minutes)
		SELECT m.*
		FROM @extschema@.im_metered_rows() m
		JOIN @extschema@.im_usage_daily u ON u.app_id = m.app_id AND u.day = m.day
		WHERE u.metered_at IS NULL AND u.whole IS NOT TRUE
		ORDER BY m.app_id, m.day;
		GET DIAGNOSTICS beside = ROW_COUNT;
	END IF;
	RETURN written + coalesce(beside, 0);
END
$$;
COMMENT ON FUNCTION @extschema@.im_write_metered(datemultirange, @extschema@.im_reading, @extschema@.im_metered_figures[]) IS
'Writes what was found on days of all apps and of single ones into im_usage_daily, and where a user has a row that leaves figures open into im_metered_beside: the number of rows. Figures null: it is in a temporary table.';

CREATE FUNCTION @extschema@.im_store_usage(spans datemultirange, reading @extschema@.im_reading,
		figures @extschema@.im_metered_figures[])
	RETURNS bigint
	AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION @extschema@.im_store_usage(datemultirange, @extschema@.im_reading, @extschema@.im_metered_figures[]) IS
'Writes what im_meter() has metered as rows of the extension, not of a user: their number.';

-- What could not be metered is marked again.
CREATE FUNCTION @extschema@.im_leave_bad() RETURNS void
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
COMMENT ON FUNCTION @extschema@.im_leave_bad() IS
'Marks the days with events that im_meter() could not meter, and warns of them.';

-- The last steps, where what was found is in temporary tables.
CREATE FUNCTION @extschema@.im_meter_many(spans datemultirange, reading @extschema@.im_reading) RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	written bigint;
BEGIN
	PERFORM @extschema@.im_open_metering();
	PERFORM @extschema@.im_meter_spans($1);
	PERFORM @extschema@.im_meter_stale($2);
	written := @extschema@.im_store_usage($1, $2, NULL::@extschema@.im_metered_figures[]);
	INSERT INTO @extschema@.im_metered_day (day, metered_at)
	SELECT d::date, now()
	FROM unnest($1) s(days),
		generate_series(lower(s.days)::timestamp, upper(s.days)::timestamp - interval '1 day', interval '1 day') d
	ON CONFLICT (day) DO UPDATE SET metered_at = excluded.metered_at;
	PERFORM @extschema@.im_leave_bad();
	RETURN written;
END
$$;
COMMENT ON FUNCTION @extschema@.im_meter_many(datemultirange, @extschema@.im_reading) IS
'Meters days of all apps and of single ones through temporary tables: reads events, writes rows, days and marks.';

CREATE FUNCTION @extschema@.im_meter(first_day date DEFAULT NULL, last_day date DEFAULT NULL)
	RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
DECLARE
	marks @extschema@.im_marks;
	days datemultirange;
	metered datemultirange;
	spans datemultirange;
	plan record;
	figures @extschema@.im_metered_figures[];
BEGIN
	PERFORM @extschema@.im_begin_metering();
	marks := @extschema@.im_take_marks();
	days := datemultirange(@extschema@.im_days_to_meter($1, $2, marks));
	metered := @extschema@.im_all_metered_days();
	spans := @extschema@.im_plan_spans(days, metered);
	IF isempty(spans) AND marks IS NULL THEN
		RETURN 0;
	END IF;
	plan := @extschema@.im_plan_marks(days, metered, marks);
	IF isempty(spans) AND (plan.reading).stale_apps IS NULL THEN
		RETURN 0;
	END IF;
	-- sets of users can be too large for an array, and the groups of an app are
	-- read for each of its days
	IF isempty(spans) AND NOT plan.some_price_mau
		AND (SELECT sum(u - f) <= 100 AND max(u - f) <= 3
			 FROM unnest((plan.reading).stale_first, (plan.reading).stale_until) s(f, u)) THEN
		figures := @extschema@.im_meter_few(plan.reading, plan.zones);
	END IF;
	IF figures IS NULL THEN
		RETURN @extschema@.im_meter_many(spans, plan.reading);
	END IF;
	RAISE NOTICE 'metered % changed spans of single apps: % rows',
		cardinality((plan.reading).stale_apps), cardinality(figures);
	RETURN @extschema@.im_store_usage('{}'::datemultirange, plan.reading, figures);
END
$$;
COMMENT ON FUNCTION @extschema@.im_meter(date, date) IS
'Meters the days from the first through the last into im_usage_daily, as far as they are not metered or have changed since; null: all days of which events are known, through today. Rows of users stay as they are; what is metered of the figures that they leave open goes into im_metered_beside. Returns the number of rows written. Errors: 22023 for days out of order, 25000 above isolation level read committed, 42501 without the rights of the tables'' owner, 55000 where a raw table is fed by a subscription.';

CREATE FUNCTION @extschema@.im_keep_beside(first_day date, last_day date) RETURNS bigint
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
		  JOIN @extschema@.im_app_cards(NULL::@extschema@.im_rate_card) a ON a.app_id = o.app_id
		  LEFT JOIN @extschema@.im_metered_beside b ON b.app_id = o.app_id AND b.day = o.day
		  WHERE o.day >= $1 AND o.day <= $2 AND o.whole IS NOT TRUE AND a.time_zone IS NOT NULL) m
	WHERE u.app_id = m.app_id AND u.day = m.day;
	GET DIAGNOSTICS kept = ROW_COUNT;
	DELETE FROM @extschema@.im_metered_beside b WHERE b.day >= $1 AND b.day <= $2;
	RETURN kept;
END
$$;
COMMENT ON FUNCTION @extschema@.im_keep_beside(date, date) IS
'Fills the figures that users left open on these days with what was metered, for im_keep_metered(): the number of rows.';

CREATE FUNCTION @extschema@.im_keep_metered(first_day date, last_day date) RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
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
	PERFORM @extschema@.im_meter($1, $2);
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
	RETURN kept + @extschema@.im_keep_beside($1, $2);
END
$$;
COMMENT ON FUNCTION @extschema@.im_keep_metered(date, date) IS
'Meters the days from the first through the last and makes the rows the users'' own and whole, those with figures left open too, so that the events of these days can be dropped: the number of rows. Errors: 22004 for null, 55000 where an event cannot be metered, and those of im_meter().';
