-- Metering: daily figures kept in im_usage_daily that never go stale.
--
-- A metered row (metered_at is not null), or that there is none, counts for
-- an app and local day if
--   im_metered_day says that the day was metered for all apps,
--   no mark in im_usage_mark covers it, and
--   the tables that hold its events are those seen at metering, and the
--   triggers that mark changes are those that were there then.
-- What does not count is metered on the fly, for exactly these apps and days.
-- What was metered is read under the snapshot of the bill.
--
-- Marks are appended by triggers (src/triggers/mark_events.c) in the transaction
-- of the change: whoever sees a changed event sees its mark.  im_meter()
-- deletes marks before it looks at the events: a change that is committed in
-- between keeps its mark, which is too much but not wrong.

CREATE FUNCTION im_internal.im_changed_days(first date, until date) RETURNS daterange
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_changed_days(date, date) IS
'The days of [first, until), as one span, on which rows can count of tables and partitions that are not as im_meter() saw them, or whose changes cannot be known; null without any.';

CREATE FUNCTION im_internal.im_leaves_unchanged() RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION im_internal.im_leaves_unchanged() IS
'Whether im_metered_partition lists the tables and partitions just as they are now, and the changes of all of them are marked.';

CREATE FUNCTION im_internal.im_local_days(since timestamptz, until timestamptz, zone text)
	RETURNS daterange
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_local_days(timestamptz, timestamptz, text) IS
'The local days of the instants from since through until, both included.';

CREATE FUNCTION im_internal.im_day_slice(day date, zone text,
		OUT since timestamptz, OUT until timestamptz, OUT shared boolean)
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_day_slice(date, text) IS
'The instants [since, until) among which all of a local day are, and whether some of them are of another day, as where clocks were set back over midnight.';

CREATE FUNCTION im_internal.im_local_noon(day date, zone text) RETURNS timestamptz
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN ((day + time '12:00') AT TIME ZONE zone);
COMMENT ON FUNCTION im_internal.im_local_noon(date, text) IS
'An instant of a local day, whatever clocks do that day.';

CREATE FUNCTION im_internal.im_try_lock(on_table regclass, mode text) RETURNS boolean
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
	-- shorter than deadlock_timeout: whoever waits for us is not hurt
	SET lock_timeout = '500ms'
AS $$
BEGIN
	EXECUTE format('LOCK TABLE %s IN %s MODE', $1, $2);
	RETURN true;
EXCEPTION WHEN lock_not_available THEN
	RETURN false;
END
$$;
COMMENT ON FUNCTION im_internal.im_try_lock(regclass, text) IS
'Locks a table with all below it, unless somebody keeps it for long, as who builds an index: then false.';

CREATE FUNCTION @extschema@.im_forget_metering(first_day date DEFAULT NULL, last_day date DEFAULT NULL)
	RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	role_before text;
	forgotten bigint;
BEGIN
	PERFORM im_internal.im_need_tables();
	role_before := im_internal.im_act_as_owner();
	PERFORM im_internal.im_lock_metering();
	UPDATE @extschema@.im_metered_day d
	SET metered_at = NULL
	WHERE d.metered_at IS NOT NULL
		AND d.day >= coalesce($1, '-infinity') AND d.day <= coalesce($2, 'infinity');
	GET DIAGNOSTICS forgotten = ROW_COUNT;
	PERFORM im_internal.im_act_again(role_before);
	RETURN forgotten;
END
$$;
COMMENT ON FUNCTION @extschema@.im_forget_metering(date, date) IS
'Makes what was metered on the days from the first through the last (null: from the beginning, to the end) count no more: bills meter these days from the events until im_meter() has done so again. Needed only after events were changed past the triggers. Returns the number of days.';

-- What a bill reads of metered and of raw usage.
CREATE TYPE im_internal.im_reading AS (
	raw_first date,
	raw_until date,
	early_apps bigint[],
	early_since date[],
	stale_apps bigint[],
	stale_first date[],
	stale_until date[],
	stale_low date,
	stale_high date,
	skip_apps bigint[],
	meter_cards text[],
	meters text[],
	meter_kinds text[],
	meter_users boolean[],
	meter_zones text[]
);
COMMENT ON TYPE im_internal.im_reading IS
'Where the usage of a month is read from: raw events of all apps on the days [raw_first, raw_until), raw events of single apps on [stale_first, stale_until), daily figures for everything else; internal.';
COMMENT ON COLUMN im_internal.im_reading.raw_first IS 'First day on which events of all apps are read; raw_until where there is none.';
COMMENT ON COLUMN im_internal.im_reading.raw_until IS 'The day until which they are, exclusive.';
COMMENT ON COLUMN im_internal.im_reading.early_apps IS 'Apps whose packs were in use before the month.';
COMMENT ON COLUMN im_internal.im_reading.early_since IS 'The day from which their usage must be known.';
COMMENT ON COLUMN im_internal.im_reading.stale_apps IS 'Apps of which events are read on further days; null without any.';
COMMENT ON COLUMN im_internal.im_reading.stale_first IS 'The first of these days; an app can have several spans, which do not overlap.';
COMMENT ON COLUMN im_internal.im_reading.stale_until IS 'The day until which they reach, exclusive; a span lies in the month or before it.';
COMMENT ON COLUMN im_internal.im_reading.stale_low IS 'The earliest stale_first; null without any, which prunes every partition.';
COMMENT ON COLUMN im_internal.im_reading.stale_high IS 'The latest stale_until.';
COMMENT ON COLUMN im_internal.im_reading.skip_apps IS 'Apps whose groups, checks and calls im_meter() meters day by day, since some cannot be metered.';
COMMENT ON COLUMN im_internal.im_reading.meter_cards IS 'The price lists that name meters, a place for each of their meters; null without any.';
COMMENT ON COLUMN im_internal.im_reading.meters IS 'The name of each meter.';
COMMENT ON COLUMN im_internal.im_reading.meter_kinds IS 'How its day makes a figure of events.';
COMMENT ON COLUMN im_internal.im_reading.meter_users IS 'Whether its month counts distinct subjects, so that those of a day must be known.';
COMMENT ON COLUMN im_internal.im_reading.meter_zones IS 'The time zone of the price list.';

-- The days of [first, until) that were not metered for all apps, or not as
-- things are now.
CREATE FUNCTION im_internal.im_unmetered_days(first date, until date, zones text[])
	RETURNS datemultirange
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_generic_plan	-- as in im_rebill()
AS $$
DECLARE
	span CONSTANT datemultirange := datemultirange(daterange($1, $2));
	metered datemultirange;
	marked datemultirange;
	changed daterange;
BEGIN
	SELECT range_agg(daterange(d.day, d.day + 1)) INTO metered
	FROM @extschema@.im_metered_day d
	WHERE d.day >= $1 AND d.day < $2 AND d.metered_at IS NOT NULL;
	IF metered IS NULL THEN
		RETURN span;
	END IF;
	SELECT range_agg(im_internal.im_local_days(m.since, m.until, z.zone)) INTO marked
	FROM @extschema@.im_usage_mark m, unnest($3) z(zone)
	WHERE m.app_id IS NULL;
	changed := im_internal.im_changed_days($1, $2);
	IF changed IS NOT NULL THEN
		metered := metered - datemultirange(changed);
	END IF;
	IF marked IS NOT NULL THEN
		metered := metered - marked;
	END IF;
	RETURN span - metered;
END
$$;
COMMENT ON FUNCTION im_internal.im_unmetered_days(date, date, text[]) IS
'The days of [first, until) on which events of all apps must be read, in the calendars of these zones.';

-- With a card given it stands for every app's.  All versions of a card agree on
-- the zone, and on how a day of a meter makes its figure.
CREATE FUNCTION im_internal.im_named_meters(card @extschema@.im_rate_card, app_id bigint)
	RETURNS TABLE (rate_card text, meter text, kind text, keeps_users boolean, time_zone text)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT c.rate_card, m.key, min(m.value ->> 'day'), bool_or(m.value ->> 'month' = 'unique'), min(c.terms ->> 'time_zone')
	FROM (SELECT v.rate_card, v.terms
		  FROM @extschema@.im_rate_card_version v
		  WHERE $1 IS NULL AND v.terms ? 'meters'
			AND ($2 IS NULL OR v.rate_card = (SELECT a.rate_card FROM @extschema@.im_app a WHERE a.app_id = $2))
		  UNION ALL
		  SELECT DISTINCT a.rate_card, $1::jsonb
		  FROM @extschema@.im_app a
		  WHERE $1::jsonb ? 'meters' AND ($2 IS NULL OR a.app_id = $2)) c,
		jsonb_each(c.terms -> 'meters') m
	GROUP BY c.rate_card, m.key
$$;
COMMENT ON FUNCTION im_internal.im_named_meters(@extschema@.im_rate_card, bigint) IS
'The meters by name of the price list of an app or (null) of each price list; with a card given, that card''s instead.';

CREATE FUNCTION im_internal.im_with_meters(reading im_internal.im_reading, card @extschema@.im_rate_card, app_id bigint)
	RETURNS im_internal.im_reading
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_generic_plan	-- as in im_rebill()
AS $$
DECLARE
	r im_internal.im_reading := $1;
BEGIN
	SELECT array_agg(m.rate_card), array_agg(m.meter), array_agg(m.kind), array_agg(m.keeps_users), array_agg(m.time_zone)
	INTO r.meter_cards, r.meters, r.meter_kinds, r.meter_users, r.meter_zones
	FROM im_internal.im_named_meters($2, $3) m;
	RETURN r;
END
$$;
COMMENT ON FUNCTION im_internal.im_with_meters(im_internal.im_reading, @extschema@.im_rate_card, bigint) IS
'A reading that reads the meters by name of an app or (null) of all; with a card given, under that card.';

CREATE FUNCTION im_internal.im_meters_differ(card @extschema@.im_rate_card, app_id bigint)
	RETURNS boolean
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_generic_plan	-- as in im_rebill()
AS $$
BEGIN
	RETURN $1::jsonb ? 'meters' AND EXISTS (
		SELECT FROM im_internal.im_named_meters($1, $2) n
		LEFT JOIN im_internal.im_named_meters(NULL::@extschema@.im_rate_card, $2) o
			ON o.rate_card = n.rate_card AND o.meter = n.meter
		WHERE o.kind IS DISTINCT FROM n.kind OR n.keeps_users AND NOT o.keeps_users);
END
$$;
COMMENT ON FUNCTION im_internal.im_meters_differ(@extschema@.im_rate_card, bigint) IS
'Whether a card has meters by name that were not metered for the card of an app or (null) of all apps.';

-- A day of another calendar was not metered; one of the same calendar was, but
-- for its users where only the other card wants to know who they were, and its
-- meters by name where only the other card has them.
CREATE FUNCTION im_internal.im_metered_alike(card @extschema@.im_rate_card, app_id bigint)
	RETURNS boolean
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_generic_plan	-- as in im_rebill()
AS $$
BEGIN
	IF $1 IS NULL THEN
		RETURN true;
	END IF;
	IF $2 IS NULL THEN
		RETURN NOT EXISTS (
			SELECT FROM im_internal.im_app_cards(NULL::@extschema@.im_rate_card) a
			WHERE a.time_zone IS DISTINCT FROM $1::jsonb ->> 'time_zone'
				OR NOT a.prices_mau AND im_internal.im_prices_users($1::jsonb))
			AND NOT im_internal.im_meters_differ($1, $2);
	END IF;
	RETURN NOT EXISTS (
		SELECT FROM im_internal.im_app_cards(NULL::@extschema@.im_rate_card) a
		WHERE a.app_id = $2
			AND (a.time_zone IS DISTINCT FROM $1::jsonb ->> 'time_zone'
				OR NOT a.prices_mau AND im_internal.im_prices_users($1::jsonb)))
		AND NOT im_internal.im_meters_differ($1, $2);
END
$$;
COMMENT ON FUNCTION im_internal.im_metered_alike(@extschema@.im_rate_card, bigint) IS
'Whether usage that was metered for the app''s own card, or (null) for those of all apps, serves for this one.';

CREATE FUNCTION im_internal.im_reading_of(first date, until date, card @extschema@.im_rate_card,
		early_apps bigint[], early_since date[], app_id bigint DEFAULT NULL)
	RETURNS im_internal.im_reading
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	SET jit = off
	SET plan_cache_mode = force_generic_plan	-- as in im_rebill()
AS $$
DECLARE
	r im_internal.im_reading;
	-- before 0001-01-01 there are no days
	low date := greatest(least($1, (SELECT min(s) FROM unnest($5) s)), '0001-01-01');
	zones text[];
	unmetered datemultirange := datemultirange(daterange(low, $2));
	early datemultirange;
BEGIN
	r := im_internal.im_with_meters(r, $3, $6);
	r.early_apps := $4;
	r.early_since := $5;
	IF to_regclass('@extschema@.im_metered_day') IS NOT NULL AND im_internal.im_metered_alike($3, $6) THEN
		IF $6 IS NULL THEN
			zones := (SELECT array_agg(DISTINCT v.terms ->> 'time_zone') FROM @extschema@.im_rate_card_version v);
		ELSE
			zones := (SELECT ARRAY[a.time_zone] FROM im_internal.im_app_cards(NULL::@extschema@.im_rate_card) a WHERE a.app_id = $6);
		END IF;
		unmetered := im_internal.im_unmetered_days(low, $2, zones);
	END IF;
	r.raw_first := coalesce(lower(unmetered * datemultirange(daterange($1, $2))), $2);
	r.raw_until := coalesce(upper(unmetered * datemultirange(daterange($1, $2))), $2);
	IF r.raw_first = $1 AND r.raw_until = $2 AND $4 IS NULL THEN
		RETURN r;
	END IF;
	early := unmetered * datemultirange(daterange(low, $1));
	-- two queries, so that one app's is planned for one app
	IF $6 IS NULL THEN
		SELECT array_agg(s.app_id), array_agg(s.first), array_agg(s.until), min(s.first), max(s.until)
		INTO r.stale_apps, r.stale_first, r.stale_until, r.stale_low, r.stale_high
		FROM im_internal.im_stale_days($1, $2, r, early) s;
	ELSE
		SELECT array_agg(s.app_id), array_agg(s.first), array_agg(s.until), min(s.first), max(s.until)
		INTO r.stale_apps, r.stale_first, r.stale_until, r.stale_low, r.stale_high
		FROM im_internal.im_stale_days($1, $2, r, early) s
		WHERE s.app_id = $6;
	END IF;
	RETURN r;
END
$$;
COMMENT ON FUNCTION im_internal.im_reading_of(date, date, @extschema@.im_rate_card, bigint[], date[], bigint) IS
'Where to read the usage of the days [first, until) from, of one app or (null) of all, and of these apps since these earlier days; with a card given, under that card.';

CREATE FUNCTION im_internal.im_reading(first date, until date, card @extschema@.im_rate_card,
		book im_internal.im_price_book, app_id bigint DEFAULT NULL)
	RETURNS im_internal.im_reading
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	SET jit = off
	SET plan_cache_mode = force_generic_plan	-- as in im_rebill()
AS $$
DECLARE
	apps bigint[];
	since date[];
BEGIN
	IF $4 IS NOT NULL AND $5 IS NULL THEN
		SELECT array_agg(e.app_id), array_agg(e.since) INTO apps, since
		FROM im_internal.im_early_usage($1, $2, $3, $4) e;
	ELSIF $4 IS NOT NULL THEN
		SELECT array_agg(e.app_id), array_agg(e.since) INTO apps, since
		FROM im_internal.im_early_usage($1, $2, $3, $4) e
		WHERE e.app_id = $5;
	END IF;
	RETURN im_internal.im_reading_of($1, $2, $3, apps, since, $5);
END
$$;
COMMENT ON FUNCTION im_internal.im_reading(date, date, @extschema@.im_rate_card, im_internal.im_price_book, bigint) IS
'Where to read the usage of the month [first, until) from, of one app or (null) of all; with a card given, under that card. Without a book packs of earlier months are left out.';

-- Spans of single apps: marked days of the month outside [raw_first,
-- raw_until), and of the time before it what is marked or not metered.
CREATE FUNCTION im_internal.im_stale_days(first date, until date, reading im_internal.im_reading,
		early datemultirange)
	RETURNS TABLE (app_id bigint, first date, until date)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT s.app_id, lower(p.days), upper(p.days)
	FROM (SELECT d.app_id, range_agg(d.days) AS days
		  FROM (SELECT m.app_id, im_internal.im_local_days(m.since, m.until, a.time_zone) AS days
				FROM @extschema@.im_usage_mark m
				JOIN im_internal.im_app_cards(NULL::@extschema@.im_rate_card) a ON a.app_id = m.app_id
				WHERE a.time_zone IS NOT NULL
				UNION ALL
				SELECT e.app_id, u.days
				FROM unnest(($3).early_apps, ($3).early_since) e(app_id, since), unnest($4) u(days)
				WHERE upper(u.days) > e.since) d
		  WHERE d.days IS NOT NULL
		  GROUP BY d.app_id) s
	LEFT JOIN unnest(($3).early_apps, ($3).early_since) e(app_id, since) ON e.app_id = s.app_id,
		unnest(s.days * (datemultirange(daterange($1, $2)) - datemultirange(daterange(($3).raw_first, ($3).raw_until)))
			   + s.days * datemultirange(daterange(least(e.since, $1), $1))) w(whole),
		-- a span on both sides of the first of the month is two
		unnest(ARRAY[w.whole * daterange(NULL, $1), w.whole * daterange($1, NULL)]) p(days)
	WHERE NOT isempty(p.days)
$$;
COMMENT ON FUNCTION im_internal.im_stale_days(date, date, im_internal.im_reading, datemultirange) IS
'The apps and spans of days whose events are read beside those of all apps; early: days before the month that were not metered.';
