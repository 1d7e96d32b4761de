-- im_meter(): meters the days and apps that are not metered or have changed.
--
-- What it finds is collected in temporary tables by CREATE TABLE AS, which
-- can use parallel workers where INSERT ... SELECT cannot, and written into
-- im_usage_daily at the very end: writers of daily figures wait only then.

-- The order of the steps is what keeps bills right beside concurrent loads:
-- first the triggers are in place, then the partitions are listed, then marks
-- are deleted, and only then events are read.  What happens after a step is
-- seen by the comparison or the mark that the step left to it.
CREATE FUNCTION @extschema@.im_begin_metering() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	subscribed text;
BEGIN
	PERFORM @extschema@.im_need_tables();
	IF current_setting('transaction_isolation') <> 'read committed' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_transaction_state',
			MESSAGE = format('usage is not metered in a transaction at isolation level %s', current_setting('transaction_isolation')),
			DETAIL = 'Metering has to see what was committed before each of its steps, not what was when the transaction began.',
			HINT = 'Meter in a transaction of its own, at isolation level read committed.';
	END IF;
	SELECT t.name::text INTO subscribed
	FROM pg_subscription_rel s
	JOIN (SELECT l.partition, l.partition::regclass AS name FROM @extschema@.im_raw_leaves() l
		  UNION ALL
		  SELECT c.oid, c.oid::regclass
		  FROM @extschema@.im_mark_definitions() d
		  JOIN pg_class c ON c.oid = to_regclass(format('%s.%I', '@extschema@', d.table_name))) t(relid, name)
		ON t.relid = s.srrelid
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = format('table %s is fed by a subscription', subscribed),
			DETAIL = 'Replicated rows fire no trigger of a statement, so changes of what was metered would not be marked.',
			HINT = 'Meter on the publisher and replicate im_usage_daily; bills here are right from the events as they are.';
	END IF;
	PERFORM @extschema@.im_lock_metering();
	-- whoever loads unmarked, since nothing is metered, is waited for
	IF NOT EXISTS (SELECT FROM @extschema@.im_metered_day) THEN
		LOCK TABLE @extschema@.im_metered_day IN SHARE MODE;
		-- nor is known what was loaded since the last look
		UPDATE @extschema@.im_metered_partition p
		SET first_event = NULL, last_event = NULL
		WHERE p.first_event IS NOT NULL;
	END IF;
	PERFORM @extschema@.im_add_triggers();
	PERFORM @extschema@.im_compare_partitions();
	PERFORM @extschema@.im_open_metering();
END
$$;
COMMENT ON FUNCTION @extschema@.im_begin_metering() IS
'The first steps of im_meter(): locks, triggers, partitions. Errors: 25000 above isolation level read committed, 55000 where a raw table is fed by a subscription.';

CREATE FUNCTION @extschema@.im_compare_partitions() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	changed datemultirange;
BEGIN
	SELECT range_agg(daterange((c.since AT TIME ZONE 'UTC')::date - 1, (c.until AT TIME ZONE 'UTC')::date + 2))
	INTO changed
	FROM (SELECT s.since, s.until
		  FROM @extschema@.im_metered_partition s
		  LEFT JOIN @extschema@.im_raw_leaves() l USING (partition, filenode)
		  WHERE l.partition IS NULL OR s.filenode = 0
		  UNION ALL
		  SELECT l.since, l.until
		  FROM @extschema@.im_raw_leaves() l
		  LEFT JOIN @extschema@.im_metered_partition s USING (partition, filenode)
		  WHERE s.partition IS NULL) c;
	UPDATE @extschema@.im_metered_day d
	SET metered_at = NULL
	WHERE d.metered_at IS NOT NULL AND d.day <@ changed;
	DELETE FROM @extschema@.im_metered_partition s
	WHERE NOT EXISTS (SELECT FROM @extschema@.im_raw_leaves() l
					  WHERE l.partition = s.partition AND l.filenode = s.filenode
						AND l.table_name = s.table_name AND l.since = s.since AND l.until = s.until);
	INSERT INTO @extschema@.im_metered_partition (table_name, partition, filenode, since, until)
	SELECT l.table_name, l.partition, l.filenode, l.since, l.until
	FROM @extschema@.im_raw_leaves() l
	-- one that was attached a moment ago has no triggers yet: it is not seen
	WHERE l.filenode = 0 OR @extschema@.im_is_watched(l.partition, l.table_name)
	ON CONFLICT DO NOTHING;
END
$$;
COMMENT ON FUNCTION @extschema@.im_compare_partitions() IS
'Makes metered days count no more whose partitions have changed, and remembers the partitions of now.';

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
	DROP TABLE IF EXISTS pg_temp.im_metering_mark, pg_temp.im_metering_span, pg_temp.im_metering_stale,
		pg_temp.im_metering_bad, pg_temp.im_metering_row;
	-- marks that were there, days of all apps, days of single apps, events
	-- that cannot be metered, what was found
	CREATE TEMP TABLE im_metering_mark (app_id bigint, days daterange) ON COMMIT DROP;
	CREATE TEMP TABLE im_metering_span (first date, until date) ON COMMIT DROP;
	CREATE TEMP TABLE im_metering_stale (app_id bigint, first date, until date) ON COMMIT DROP;
	CREATE TEMP TABLE im_metering_bad (app_id bigint, since timestamptz, until timestamptz, days daterange) ON COMMIT DROP;
	CREATE TEMP TABLE im_metering_row (app_id bigint, day date, dau bigint, users @extschema@.im_userset,
		peak_groups bigint, text_checks bigint, image_checks bigint, audio_half_minutes bigint,
		video_half_minutes bigint, audio_minutes bigint, sd_minutes bigint, hd_minutes bigint,
		fhd_minutes bigint) ON COMMIT DROP;
END
$$;
COMMENT ON FUNCTION @extschema@.im_open_metering() IS
'Makes the temporary tables of im_meter().';

-- Takes all marks away and turns them into local days.  Days on which all
-- apps are marked count no more.
CREATE FUNCTION @extschema@.im_take_marks() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	WITH taken AS (
		DELETE FROM @extschema@.im_usage_mark RETURNING app_id, since, until)
	INSERT INTO pg_temp.im_metering_mark
	SELECT t.app_id, @extschema@.im_local_days(t.since, t.until, a.time_zone)
	FROM taken t
	JOIN @extschema@.im_app_cards(NULL) a ON a.app_id = t.app_id
	WHERE a.time_zone IS NOT NULL
	UNION ALL
	SELECT NULL, @extschema@.im_local_days(t.since, t.until, z.zone)
	FROM taken t,
		(SELECT DISTINCT v.terms ->> 'time_zone' FROM @extschema@.im_rate_card_version v) z(zone)
	WHERE t.app_id IS NULL;
	DELETE FROM pg_temp.im_metering_mark m WHERE m.days IS NULL;
	UPDATE @extschema@.im_metered_day d
	SET metered_at = NULL
	WHERE d.metered_at IS NOT NULL
		AND d.day <@ (SELECT range_agg(m.days) FROM pg_temp.im_metering_mark m WHERE m.app_id IS NULL);
END
$$;
COMMENT ON FUNCTION @extschema@.im_take_marks() IS
'Takes the marks that there are out of im_usage_mark, as local days.';

-- Events that were loaded before anything was metered have no marks: so a
-- partition is looked through once.
CREATE FUNCTION @extschema@.im_look_for_events() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	p record;
	first timestamptz;
	last timestamptz;
BEGIN
	FOR p IN
		SELECT s.partition, CASE s.table_name WHEN 'im_group' THEN 'created_at' ELSE 'at' END AS starts,
			CASE s.table_name WHEN 'im_group' THEN 'disbanded_at' ELSE 'at' END AS ends
		FROM @extschema@.im_metered_partition s
		WHERE s.first_event IS NULL AND s.filenode <> 0 AND s.table_name <> 'im_usage_daily'
	LOOP
		EXECUTE format('SELECT min(%1$I) FILTER (WHERE isfinite(%1$I)), '
				'greatest(max(%1$I) FILTER (WHERE isfinite(%1$I)), max(%2$I) FILTER (WHERE isfinite(%2$I))) FROM ONLY %3$s',
				p.starts, p.ends, p.partition::regclass)
		INTO first, last;
		UPDATE @extschema@.im_metered_partition s
		SET first_event = coalesce(first, 'infinity'), last_event = coalesce(last, '-infinity')
		WHERE s.partition = p.partition;
	END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.im_look_for_events() IS
'Finds the first and the last event of each partition of which that is not known.';

CREATE FUNCTION @extschema@.im_days_to_meter(first_day date, last_day date) RETURNS daterange
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	first date := $1;
	last date := $2;
	known daterange;
	today date;
BEGIN
	IF first IS NULL OR last IS NULL THEN
		PERFORM @extschema@.im_look_for_events();
		SELECT max(@extschema@.im_day(now(), z.zone)) INTO today
		FROM (SELECT DISTINCT v.terms ->> 'time_zone' FROM @extschema@.im_rate_card_version v) z(zone);
		SELECT range_merge(range_agg(d.days)) INTO known
		FROM (SELECT daterange(min(m.day), max(m.day), '[]') FROM @extschema@.im_metered_day m
			  UNION ALL
			  SELECT daterange((greatest(min(p.first_event), '0001-01-02 00:00+00') AT TIME ZONE 'UTC')::date - 1,
							   least((greatest(max(p.last_event), '0001-01-02 00:00+00') AT TIME ZONE 'UTC')::date + 1, today), '[]')
			  FROM @extschema@.im_metered_partition p
			  WHERE p.first_event <= p.last_event AND p.first_event < now()
			  UNION ALL
			  SELECT daterange(b.day, b.day, '[]')
			  FROM pg_temp.im_metering_mark m, unnest(ARRAY[lower(m.days), upper(m.days) - 1]) b(day)
			  WHERE isfinite(b.day) AND b.day <= today) d(days)
		WHERE NOT lower_inf(d.days) AND NOT upper_inf(d.days);
		-- what was used before there were prices is on no bill
		known := known * daterange((SELECT greatest(date_trunc('month', min(v.effective_from)::timestamp)::date, '0001-01-01')
									FROM @extschema@.im_rate_card_version v), '9999-12-31', '[]');
		first := coalesce(first, lower(known), last);
		last := coalesce(last, greatest(upper(known) - 1, first));
	END IF;
	IF first IS NULL THEN
		RETURN 'empty';
	END IF;
	IF NOT isfinite(first) OR NOT isfinite(last) OR first > last
		OR first < '0001-01-01' OR last > '9999-12-31' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('no days lie between %s and %s', first, last),
			DETAIL = 'Days are metered from the first through the last; they run from 0001-01-01 through 9999-12-31.',
			HINT = 'Give the days in their order, or leave them out.';
	END IF;
	RETURN daterange(first, last, '[]');
END
$$;
COMMENT ON FUNCTION @extschema@.im_days_to_meter(date, date) IS
'The days from the first through the last, or where one is null from the first to the last day of which events are known, at most today. Error 22023 for days that are not in their order, infinite or outside the years 1 to 9999.';

-- Splits the marks: what is done now, and what lies outside the days asked
-- for and goes back.  Of a mark on days that were never metered only its ends
-- are kept, which tell the next im_meter() that there is something.
CREATE FUNCTION @extschema@.im_plan_metering(days daterange) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	metered datemultirange;
	foreigners datemultirange;
BEGIN
	SELECT range_agg(daterange(d.day, d.day + 1)) INTO metered
	FROM @extschema@.im_metered_day d
	WHERE d.metered_at IS NOT NULL;
	metered := coalesce(metered, '{}');
	-- what a foreign table holds can change unseen: it is never metered
	SELECT range_agg(daterange((p.since AT TIME ZONE 'UTC')::date - 1, (p.until AT TIME ZONE 'UTC')::date + 2)) INTO foreigners
	FROM @extschema@.im_metered_partition p
	WHERE p.filenode = 0;
	INSERT INTO pg_temp.im_metering_span
	SELECT lower(s.days), upper(s.days)
	FROM unnest(datemultirange($1) - metered - coalesce(foreigners, '{}')) s(days);
	INSERT INTO pg_temp.im_metering_stale
	SELECT m.app_id, lower(s.days), upper(s.days)
	FROM (SELECT k.app_id, range_agg(k.days) * metered * datemultirange($1) AS days
		  FROM pg_temp.im_metering_mark k
		  WHERE k.app_id IS NOT NULL
		  GROUP BY k.app_id) m, unnest(m.days) s(days);
	INSERT INTO @extschema@.im_usage_mark (app_id, since, until)
	SELECT m.app_id, @extschema@.im_local_noon(lower(s.days), coalesce(a.time_zone, 'UTC')),
		@extschema@.im_local_noon(upper(s.days) - 1, coalesce(a.time_zone, 'UTC'))
	FROM (SELECT k.app_id, range_agg(k.days) * metered
			  + coalesce(range_agg(daterange(lower(k.days), lower(k.days) + 1))
						 FILTER (WHERE NOT lower_inf(k.days)), '{}')
			  + coalesce(range_agg(daterange(upper(k.days) - 1, upper(k.days)))
						 FILTER (WHERE NOT upper_inf(k.days)), '{}')
			  - datemultirange($1) AS days
		  FROM pg_temp.im_metering_mark k
		  GROUP BY k.app_id) m
	LEFT JOIN @extschema@.im_app_cards(NULL) a ON a.app_id = m.app_id,
		unnest(m.days) s(days);
END
$$;
COMMENT ON FUNCTION @extschema@.im_plan_metering(daterange) IS
'Decides which days of all apps and which of single apps im_meter() meters, and puts marks back that it leaves.';

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
		WHERE s.table_name = 'im_login'
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
		IF NOT FOUND OR p.partition::regclass::text LIKE 'pg\_temp%' THEN
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
							  FROM @extschema@.im_app_cards(NULL) a)
		THEN 'JOIN %6$s.im_app_cards(NULL) a ON a.app_id = l.app_id AND a.time_zone = %1$L AND NOT a.prices_mau'
		ELSE '' END;
	slices text;
BEGIN
	SELECT string_agg(format(
			'SELECT %2$L::date AS day, %1$L::text AS zone, %6$s.im_app_dau(l.app_id, l.user_id) AS pairs '
			'FROM %6$s.im_login l ' || choose || ' WHERE l.at >= %3$L AND l.at < %4$L%5$s',
			z.zone, d.day, s.since, s.until,
			CASE WHEN s.shared THEN format(' AND %s.im_day(l.at, %L) = %L', '@extschema@', z.zone, d.day) END,
			'@extschema@'), ' UNION ALL ')
	INTO slices
	FROM (SELECT DISTINCT a.time_zone FROM @extschema@.im_app_cards(NULL) a WHERE NOT a.prices_mau) z(zone),
		(SELECT $1 + i FROM generate_series(0, $2 - $1 - 1) i) d(day),
		@extschema@.im_day_slice(d.day, z.zone) s;
	IF slices IS NULL THEN
		RETURN NULL;
	END IF;
	RETURN format('SELECT r.app_id, q.day, r.dau, NULL::%1$s.im_userset AS users '
		'FROM (%2$s) q, %1$s.im_app_dau_rows(q.pairs) r, %1$s.im_app_cards(NULL) c '
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
	whole text := 'SELECT l.app_id, l.day, l.dau, l.users FROM %s.im_raw_logins(NULL, $1) l';
	slices text;
BEGIN
	IF ($1).raw_first < ($1).raw_until THEN
		IF @extschema@.im_can_slice(($1).raw_first, ($1).raw_until) THEN
			slices := @extschema@.im_slices_query(($1).raw_first, ($1).raw_until);
		END IF;
		RETURN CASE WHEN slices IS NULL THEN format(whole, '@extschema@')
			WHEN EXISTS (SELECT FROM @extschema@.im_app_cards(NULL) a WHERE a.prices_mau)
				THEN format('%s UNION ALL %s WHERE l.prices_mau', slices, format(whole, '@extschema@'))
			ELSE slices END;
	END IF;
	RETURN format('SELECT s.app_id, s.day, s.dau, s.users FROM %s.im_stale_logins(''-infinity'', NULL, $1) s', '@extschema@');
END
$$;
COMMENT ON FUNCTION @extschema@.im_logins_query(@extschema@.im_reading) IS
'A query for the distinct users that im_meter() meters of a reading, given as its parameter.';

CREATE FUNCTION @extschema@.im_collect(reading @extschema@.im_reading) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
	SET client_min_messages = warning
AS $$
BEGIN
	DROP TABLE IF EXISTS pg_temp.im_metering_login, pg_temp.im_metering_event;
	EXECUTE 'CREATE TEMP TABLE im_metering_login ON COMMIT DROP AS ' || @extschema@.im_logins_query($1)
	USING $1;
	-- planning what is not read would take most of the time after a late row
	EXECUTE 'CREATE TEMP TABLE im_metering_event ON COMMIT DROP AS '
		|| CASE WHEN ($1).raw_first < ($1).raw_until THEN $query$
			SELECT g.app_id, g.groups AS usage FROM @extschema@.im_gather_groups(NULL, $1) g
			UNION ALL
			SELECT k.app_id, k.checks FROM @extschema@.im_gather_checks(NULL, $1) k
			UNION ALL
			SELECT c.app_id, c.calls FROM @extschema@.im_gather_calls(NULL, $1) c
			UNION ALL $query$ ELSE '' END
		|| 'SELECT s.app_id, s.events AS usage FROM @extschema@.im_stale_events(''-infinity'', NULL, $1) s'
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
	JOIN @extschema@.im_app_cards(NULL) a ON a.app_id = b.app_id
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

CREATE FUNCTION @extschema@.im_meter_spans() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	started CONSTANT timestamptz := clock_timestamp();
	total CONSTANT int := (SELECT sum(s.until - s.first) FROM pg_temp.im_metering_span s);
	done int := 0;
	step int := 31;
	span record;
	reading @extschema@.im_reading;
	found bigint;
BEGIN
	FOR span IN SELECT s.first, s.until FROM pg_temp.im_metering_span s ORDER BY s.first LOOP
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
COMMENT ON FUNCTION @extschema@.im_meter_spans() IS
'Meters the days of all apps that im_meter() chose, a month at a time.';

CREATE FUNCTION @extschema@.im_meter_stale() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	reading @extschema@.im_reading;
	found bigint;
BEGIN
	SELECT array_agg(s.app_id), array_agg(s.first), array_agg(s.until), min(s.first), max(s.until)
	INTO reading.stale_apps, reading.stale_first, reading.stale_until, reading.stale_low, reading.stale_high
	FROM pg_temp.im_metering_stale s;
	IF reading.stale_apps IS NULL THEN
		RETURN;
	END IF;
	reading.raw_first := 'infinity';
	reading.raw_until := 'infinity';
	found := @extschema@.im_meter_reading(reading);
	RAISE NOTICE 'metered % changed spans of single apps: % rows', cardinality(reading.stale_apps), found;
END
$$;
COMMENT ON FUNCTION @extschema@.im_meter_stale() IS
'Meters the changed days of single apps that im_meter() chose.';

-- Called by im_store_metered(), which tells the triggers whose rows these are.
-- Apps without a card, or that are not in im_app, are never metered.
CREATE FUNCTION @extschema@.im_write_metered() RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	written bigint;
BEGIN
	LOCK TABLE @extschema@.im_usage_daily IN SHARE ROW EXCLUSIVE MODE;
	DELETE FROM @extschema@.im_usage_daily u
	USING pg_temp.im_metering_span s
	WHERE u.day >= s.first AND u.day < s.until AND u.metered_at IS NOT NULL;
	DELETE FROM @extschema@.im_usage_daily u
	USING pg_temp.im_metering_stale s
	WHERE u.app_id = s.app_id AND u.day >= s.first AND u.day < s.until AND u.metered_at IS NOT NULL;
	INSERT INTO @extschema@.im_usage_daily (app_id, day, dau, users, peak_groups, text_checks, image_checks,
		audio_half_minutes, video_half_minutes, audio_minutes, sd_minutes, hd_minutes, fhd_minutes, metered_at)
	SELECT r.app_id, r.day, CASE WHEN a.prices_mau THEN @extschema@.im_count(r.users) ELSE r.dau END,
		CASE WHEN a.prices_mau THEN coalesce(r.users, '{}') END, r.peak_groups, r.text_checks, r.image_checks,
		r.audio_half_minutes, r.video_half_minutes, r.audio_minutes, r.sd_minutes, r.hd_minutes,
		r.fhd_minutes, now()
	FROM pg_temp.im_metering_row r
	JOIN @extschema@.im_app_cards(NULL) a ON a.app_id = r.app_id
	ON CONFLICT DO NOTHING;
	GET DIAGNOSTICS written = ROW_COUNT;
	RETURN written;
END
$$;
COMMENT ON FUNCTION @extschema@.im_write_metered() IS
'Writes what was found into im_usage_daily, where no user has a row: the number of rows.';

CREATE FUNCTION @extschema@.im_end_metering() RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	written bigint := @extschema@.im_store_metered();
	bad bigint;
	month text;
BEGIN
	INSERT INTO @extschema@.im_metered_day (day, metered_at)
	SELECT d::date, now()
	FROM pg_temp.im_metering_span s, generate_series(s.first::timestamp, s.until::timestamp - interval '1 day', interval '1 day') d
	ON CONFLICT (day) DO UPDATE SET metered_at = excluded.metered_at;
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
	RETURN written;
END
$$;
COMMENT ON FUNCTION @extschema@.im_end_metering() IS
'The last steps of im_meter(): writes rows, days and marks.';

CREATE FUNCTION @extschema@.im_meter(first_day date DEFAULT NULL, last_day date DEFAULT NULL)
	RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
BEGIN
	PERFORM @extschema@.im_begin_metering();
	PERFORM @extschema@.im_take_marks();
	PERFORM @extschema@.im_plan_metering(@extschema@.im_days_to_meter($1, $2));
	PERFORM @extschema@.im_meter_spans();
	PERFORM @extschema@.im_meter_stale();
	RETURN @extschema@.im_end_metering();
END
$$;
COMMENT ON FUNCTION @extschema@.im_meter(date, date) IS
'Meters the days from the first through the last into im_usage_daily, as far as they are not metered or have changed since; null: all days of which events are known, through today. Rows of users stay as they are. Returns the number of rows written. Errors: 22023 for days out of order, 25000 above isolation level read committed, 42501 without the rights of the tables'' owner, 55000 where a raw table is fed by a subscription.';

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
	SELECT count(*) INTO odd FROM pg_temp.im_metering_bad b WHERE b.days && daterange($1, $2, '[]');
	IF odd > 0 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = format('%s events from %s through %s cannot be metered', odd, $1, $2),
			DETAIL = 'What was metered can take the place of the events only if all of them are in it.',
			HINT = format('SELECT * FROM %s.im_check(%L) lists them.', '@extschema@', to_char($1, 'YYYY-MM'));
	END IF;
	UPDATE @extschema@.im_usage_daily u
	SET metered_at = NULL
	WHERE u.metered_at IS NOT NULL AND u.day >= $1 AND u.day <= $2;
	GET DIAGNOSTICS kept = ROW_COUNT;
	RETURN kept;
END
$$;
COMMENT ON FUNCTION @extschema@.im_keep_metered(date, date) IS
'Meters the days from the first through the last and makes the rows the users'' own, so that the events of these days can be dropped: the number of rows. Errors: 22004 for null, 55000 where an event cannot be metered, and those of im_meter().';
