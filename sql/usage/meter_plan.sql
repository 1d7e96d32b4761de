-- What im_meter() does before it reads events: it makes sure that changes are
-- marked, and decides which days to meter.
--
-- A session that meters is mostly a new one, and most of what a late row costs
-- it is reading the catalogs.  So what can be told without a further table or
-- function is, and the queries of the usual case are few.

-- The marks that there were, a row for each app; its arrays are of one length.
CREATE TYPE im_internal.im_marks AS (
	apps bigint[],
	zones text[],
	prices_mau boolean[],
	days datemultirange[],
	ends datemultirange[]
);
COMMENT ON TYPE im_internal.im_marks IS
'Marks as local days, by app; internal.';
COMMENT ON COLUMN im_internal.im_marks.apps IS 'The apps; null stands for all.';
COMMENT ON COLUMN im_internal.im_marks.zones IS 'The time zone of each one''s card; null for all apps.';
COMMENT ON COLUMN im_internal.im_marks.prices_mau IS 'Whether it prices users of the month.';
COMMENT ON COLUMN im_internal.im_marks.days IS 'The days that are marked.';
COMMENT ON COLUMN im_internal.im_marks.ends IS 'The first and the last day of each mark, where it has one.';

CREATE FUNCTION im_internal.im_need_no_subscription() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	subscribed text;
BEGIN
	SELECT l.partition::regclass::text INTO subscribed
	FROM pg_subscription_rel s
	JOIN im_internal.im_raw_leaves() l ON l.partition = s.srrelid
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = format('table %s is fed by a subscription', subscribed),
			DETAIL = 'Replicated rows fire no trigger of a statement, so changes of what was metered would not be marked.',
			HINT = 'Meter on the publisher and replicate im_usage_daily; bills here are right from the events as they are.';
	END IF;
END
$$;
COMMENT ON FUNCTION im_internal.im_need_no_subscription() IS
'Raises 55000 where a raw table is fed by a subscription.';

-- The order of the steps is what keeps bills right beside concurrent loads:
-- first the triggers are in place, then the partitions are listed, then marks
-- are deleted, and only then events are read.  What happens after a step is
-- seen by the comparison or the mark that the step left to it.
CREATE FUNCTION im_internal.im_begin_metering() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM im_internal.im_need_tables();
	IF current_setting('transaction_isolation') <> 'read committed' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_transaction_state',
			MESSAGE = format('usage is not metered in a transaction at isolation level %s', current_setting('transaction_isolation')),
			DETAIL = 'Metering has to see what was committed before each of its steps, not what was when the transaction began.',
			HINT = 'Meter in a transaction of its own, at isolation level read committed.';
	END IF;
	PERFORM im_internal.im_lock_metering();
	-- whoever loads unmarked, since nothing is metered, is waited for
	IF NOT EXISTS (SELECT FROM @extschema@.im_metered_day) THEN
		LOCK TABLE @extschema@.im_metered_day IN SHARE MODE;
		-- nor is known what was loaded since the last look
		UPDATE @extschema@.im_metered_partition p
		SET first_event = NULL, last_event = NULL
		WHERE p.first_event IS NOT NULL;
	END IF;
	IF NOT im_internal.im_leaves_unchanged() THEN
		PERFORM im_internal.im_need_no_subscription();
		PERFORM im_internal.im_add_triggers();
		PERFORM im_internal.im_compare_partitions();
	END IF;
	-- of an earlier call in this transaction
	IF to_regclass('pg_temp.im_metering_bad') IS NOT NULL THEN
		DROP TABLE pg_temp.im_metering_bad;
	END IF;
END
$$;
COMMENT ON FUNCTION im_internal.im_begin_metering() IS
'The first steps of im_meter(): locks, triggers, partitions. Errors: 25000 above isolation level read committed, 55000 where a raw table is fed by a subscription.';

CREATE FUNCTION im_internal.im_compare_partitions() RETURNS void
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
		  LEFT JOIN im_internal.im_raw_leaves() l USING (partition, filenode, watch)
		  WHERE l.partition IS NULL
		  UNION ALL
		  SELECT l.since, l.until
		  FROM im_internal.im_raw_leaves() l
		  LEFT JOIN @extschema@.im_metered_partition s USING (partition, filenode, watch)
		  WHERE s.partition IS NULL) c;
	UPDATE @extschema@.im_metered_day d
	SET metered_at = NULL
	WHERE d.metered_at IS NOT NULL AND d.day <@ changed;
	DELETE FROM @extschema@.im_metered_partition s
	WHERE NOT EXISTS (SELECT FROM im_internal.im_raw_leaves() l
					  WHERE l.partition = s.partition AND l.filenode = s.filenode
						AND l.watch IS NOT DISTINCT FROM s.watch AND l.table_name = s.table_name AND l.since = s.since AND l.until = s.until);
	INSERT INTO @extschema@.im_metered_partition (table_name, partition, filenode, since, until, watch)
	SELECT l.table_name, l.partition, l.filenode, l.since, l.until, l.watch
	FROM im_internal.im_raw_leaves() l
	-- one that was attached a moment ago has no triggers yet: it is not seen
	WHERE l.watch IS NULL OR im_internal.im_is_watched(l.partition, l.table_name)
	ON CONFLICT DO NOTHING;
END
$$;
COMMENT ON FUNCTION im_internal.im_compare_partitions() IS
'Makes metered days count no more whose partitions have changed, and remembers the partitions of now.';

-- Takes all marks away and turns them into local days.  Days on which all
-- apps are marked count no more.
CREATE FUNCTION im_internal.im_take_marks() RETURNS im_internal.im_marks
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	marks im_internal.im_marks;
BEGIN
	IF NOT EXISTS (SELECT FROM @extschema@.im_usage_mark) THEN
		RETURN NULL;
	END IF;
	WITH taken AS (
		DELETE FROM @extschema@.im_usage_mark RETURNING app_id, since, until),
	-- few have marks, so that the index of im_app leads to them
	marked AS (
		SELECT a.app_id, a.time_zone, a.prices_mau
		FROM (SELECT DISTINCT t.app_id FROM taken t) t
		JOIN im_internal.im_app_cards(NULL::@extschema@.im_rate_card) a ON a.app_id = t.app_id
		WHERE a.time_zone IS NOT NULL)
	SELECT array_agg(m.app_id), array_agg(m.time_zone), array_agg(m.prices_mau), array_agg(m.days),
		array_agg(coalesce(m.starts, '{}') + coalesce(m.stops, '{}'))
	INTO marks
	FROM (SELECT k.app_id, min(k.time_zone) AS time_zone, bool_or(k.prices_mau) AS prices_mau, range_agg(k.days) AS days,
			  range_agg(daterange(lower(k.days), lower(k.days) + 1)) FILTER (WHERE NOT lower_inf(k.days)) AS starts,
			  range_agg(daterange(upper(k.days) - 1, upper(k.days))) FILTER (WHERE NOT upper_inf(k.days)) AS stops
		  FROM (SELECT t.app_id, a.time_zone, a.prices_mau, im_internal.im_local_days(t.since, t.until, a.time_zone) AS days
				FROM taken t
				JOIN marked a ON a.app_id = t.app_id
				UNION ALL
				SELECT NULL, NULL, NULL, im_internal.im_local_days(t.since, t.until, z.zone)
				FROM taken t,
					(SELECT DISTINCT v.terms ->> 'time_zone' FROM @extschema@.im_rate_card_version v) z(zone)
				WHERE t.app_id IS NULL) k
		  WHERE k.days IS NOT NULL
		  GROUP BY k.app_id) m;
	IF array_position(marks.apps, NULL) IS NOT NULL THEN
		UPDATE @extschema@.im_metered_day d
		SET metered_at = NULL
		WHERE d.metered_at IS NOT NULL AND d.day <@ marks.days[array_position(marks.apps, NULL)];
	END IF;
	RETURN marks;
END
$$;
COMMENT ON FUNCTION im_internal.im_take_marks() IS
'Takes the marks that there are out of im_usage_mark, as local days.';

-- Events that were loaded before anything was metered have no marks: so a
-- partition is looked through once.
CREATE FUNCTION im_internal.im_look_for_events() RETURNS void
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
		WHERE s.first_event IS NULL AND s.filenode <> 0 AND s.watch IS NOT NULL
			AND s.table_name IN ('im_login', 'im_group', 'im_moderation_check', 'im_call', 'im_event')
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
COMMENT ON FUNCTION im_internal.im_look_for_events() IS
'Finds the first and the last event of each partition of which that is not known.';

-- What was used before there were prices is on no bill; of days to come
-- nothing is known, whatever was metered or marked there.
CREATE FUNCTION im_internal.im_known_days(marks im_internal.im_marks) RETURNS daterange
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	priced date;
	today date;
	known daterange;
BEGIN
	SELECT greatest(date_trunc('month', min(v.effective_from)::timestamp)::date, '0001-01-01'),
		max(@extschema@.im_day(now(), v.terms ->> 'time_zone'))
	INTO priced, today
	FROM @extschema@.im_rate_card_version v;
	SELECT daterange(min(k.first), max(k.last), '[]')
	INTO known
	FROM (SELECT min(m.day), max(m.day)
		  FROM @extschema@.im_metered_day m
		  WHERE m.day <= today
		  UNION ALL
		  SELECT (greatest(min(p.first_event), '0001-01-02 00:00+00') AT TIME ZONE 'UTC')::date - 1,
			  (greatest(max(p.last_event), '0001-01-02 00:00+00') AT TIME ZONE 'UTC')::date + 1
		  FROM @extschema@.im_metered_partition p
		  WHERE p.first_event <= p.last_event AND p.first_event < now()
		  HAVING count(*) > 0
		  UNION ALL
		  SELECT lower(e.days), upper(e.days) - 1
		  FROM unnest(($1).ends) m(ends), unnest(m.ends * datemultirange(daterange(NULL, today, '[]'))) e(days)) k(first, last)
	WHERE k.first IS NOT NULL;
	RETURN known * daterange(priced, least(today, '9999-12-31'), '[]');
END
$$;
COMMENT ON FUNCTION im_internal.im_known_days(im_internal.im_marks) IS
'The days from the first to the last of which events are known, at most today; null or empty without any.';

CREATE FUNCTION im_internal.im_days_to_meter(first_day date, last_day date, marks im_internal.im_marks) RETURNS daterange
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	first date := $1;
	last date := $2;
	known daterange;
BEGIN
	IF first IS NULL OR last IS NULL THEN
		PERFORM im_internal.im_look_for_events();
		known := im_internal.im_known_days($3);
		first := coalesce(first, lower(known), last);
		last := coalesce(last, greatest(upper(known) - 1, first));
	END IF;
	IF first IS NULL THEN
		RETURN 'empty';
	END IF;
	IF least(first, last) < '0001-01-01' OR greatest(first, last) > '9999-12-31' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('days to meter are out of range: %s through %s', first, last),
			DETAIL = 'Days run from 0001-01-01 through 9999-12-31; infinity is none of them.',
			HINT = 'Give days in that range, or leave them out.';
	END IF;
	IF first > last THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('no days lie between %s and %s', first, last),
			DETAIL = 'Days are metered from the first through the last.',
			HINT = 'Give the days in their order, or leave them out.';
	END IF;
	RETURN daterange(first, last, '[]');
END
$$;
COMMENT ON FUNCTION im_internal.im_days_to_meter(date, date, im_internal.im_marks) IS
'The days from the first through the last, or where one is null from the first to the last day of which events are known, at most today. Error 22023 for days that are not in their order, infinite or outside the years 1 to 9999.';

CREATE FUNCTION im_internal.im_all_metered_days() RETURNS datemultirange
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	n bigint;
	first date;
	last date;
BEGIN
	SELECT count(*), min(d.day), max(d.day)
	INTO n, first, last
	FROM @extschema@.im_metered_day d
	WHERE d.metered_at IS NOT NULL;
	IF n = 0 THEN
		RETURN '{}';
	ELSIF n = last - first + 1 THEN
		-- mostly no day is left out between years of them
		RETURN datemultirange(daterange(first, last, '[]'));
	END IF;
	RETURN (SELECT range_agg(daterange(d.day, d.day + 1))
			FROM @extschema@.im_metered_day d
			WHERE d.metered_at IS NOT NULL);
END
$$;
COMMENT ON FUNCTION im_internal.im_all_metered_days() IS
'The days that were metered for all apps.';

-- Splits the marks: what is done now, and what lies outside the days asked
-- for and goes back.  Of a mark on days that were never metered only its ends
-- are kept, which tell the next im_meter() that there is something.
CREATE FUNCTION im_internal.im_plan_marks(days datemultirange, metered datemultirange, marks im_internal.im_marks,
		OUT reading im_internal.im_reading, OUT zones text[], OUT some_price_mau boolean)
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	some_left boolean;
BEGIN
	reading := im_internal.im_with_meters(reading, NULL::@extschema@.im_rate_card, NULL::bigint);
	reading.raw_first := 'infinity';
	reading.raw_until := 'infinity';
	SELECT array_agg(m.app_id) FILTER (WHERE s.days IS NOT NULL),
		array_agg(lower(s.days)) FILTER (WHERE s.days IS NOT NULL),
		array_agg(upper(s.days)) FILTER (WHERE s.days IS NOT NULL),
		min(lower(s.days)), max(upper(s.days)), array_agg(m.zone) FILTER (WHERE s.days IS NOT NULL),
		bool_or(m.prices_mau AND s.days IS NOT NULL),
		bool_or(NOT m.days * $2 + m.ends <@ $1)
	INTO reading.stale_apps, reading.stale_first, reading.stale_until, reading.stale_low, reading.stale_high,
		zones, some_price_mau, some_left
	FROM unnest(($3).apps, ($3).zones, ($3).prices_mau, ($3).days, ($3).ends) m(app_id, zone, prices_mau, days, ends)
	LEFT JOIN LATERAL unnest(m.days * $2 * $1) s(days) ON m.app_id IS NOT NULL;
	IF some_left THEN
		INSERT INTO @extschema@.im_usage_mark (app_id, since, until)
		SELECT m.app_id, im_internal.im_local_noon(lower(s.days), coalesce(m.zone, 'UTC')),
			im_internal.im_local_noon(upper(s.days) - 1, coalesce(m.zone, 'UTC'))
		FROM unnest(($3).apps, ($3).zones, ($3).days, ($3).ends) m(app_id, zone, days, ends),
			unnest(m.days * $2 + m.ends - $1) s(days);
	END IF;
END
$$;
COMMENT ON FUNCTION im_internal.im_plan_marks(datemultirange, datemultirange, im_internal.im_marks) IS
'Decides which days of single apps im_meter() meters, and puts marks back that it leaves.';

CREATE FUNCTION im_internal.im_plan_spans(days datemultirange, metered datemultirange) RETURNS datemultirange
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	spans datemultirange := $1 - $2;
BEGIN
	IF NOT isempty(spans) THEN
		-- what a foreign table, say, holds can change unseen: it is never metered
		spans := spans - coalesce(
			(SELECT range_agg(daterange((p.since AT TIME ZONE 'UTC')::date - 1, (p.until AT TIME ZONE 'UTC')::date + 2))
			 FROM @extschema@.im_metered_partition p
			 WHERE p.watch IS NULL), '{}');
	END IF;
	RETURN spans;
END
$$;
COMMENT ON FUNCTION im_internal.im_plan_spans(datemultirange, datemultirange) IS
'Decides which days of all apps im_meter() meters.';
