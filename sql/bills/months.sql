-- The months in which an app can have a bill.

-- A table cut by time is asked for what lies before, which leaves its later
-- partitions alone; any other is asked app by app, for the first row of its index.
CREATE FUNCTION im_internal.im_earliest(name text, col text, before timestamptz) RETURNS timestamptz
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
DECLARE
	found timestamptz;
BEGIN
	EXECUTE format(
		CASE WHEN EXISTS (SELECT FROM pg_partitioned_table p
						  WHERE p.partrelid = format('%s.%I', '@extschema@', $1)::regclass AND p.partstrat = 'r')
			THEN 'SELECT min(x.%3$I) FROM %1$s.%2$I x WHERE x.%3$I < $1'
			ELSE 'SELECT min(e.at) FROM %1$s.im_app a, LATERAL (SELECT min(x.%3$I) FROM %1$s.%2$I x
				WHERE x.app_id = a.app_id AND x.%3$I < $1) e(at)' END,
		'@extschema@', $1, $2)
	INTO found USING $3;
	RETURN found;
END
$$;
COMMENT ON FUNCTION im_internal.im_earliest(text, text, timestamptz) IS
'The earliest instant of a column of a table of events before another instant; null if there is none.';

CREATE FUNCTION im_internal.im_month_number(at timestamp) RETURNS integer
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	RETURN (extract(year FROM at) * 12 + extract(month FROM at))::integer;
COMMENT ON FUNCTION im_internal.im_month_number(timestamp) IS
'The months from the beginning of the calendar to that of an instant.';

-- Terms bought before others are over continue them, so an app is through with
-- all it bought no later than if it had bought them end to end.
CREATE FUNCTION im_internal.im_months_in_force(among bigint[]) RETURNS int4multirange
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(range_agg(int4range(b.bought - 1,
			least(b.months + b.waited + CASE WHEN b.item IN ('moderation_pack', 'pack') THEN c.pack ELSE 0 END + c.grace, 200000)::int, '[]')), '{}')
	FROM (SELECT e.item, e.bought, e.months,
			  max(e.bought - e.before) OVER (PARTITION BY e.app_id ORDER BY e.at, e.order_id) AS waited
		  FROM (SELECT o.app_id, o.at, o.order_id, o.item, im_internal.im_month_number(o.at AT TIME ZONE 'UTC') AS bought,
					sum(coalesce(o.months, 0)) OVER w AS months,
					sum(coalesce(o.months, 0)) OVER w - coalesce(o.months, 0) AS before
				FROM @extschema@.im_order o
				WHERE isfinite(o.at) AND (o.app_id = ANY ($1) OR $1 IS NULL)
				WINDOW w AS (PARTITION BY o.app_id ORDER BY o.at, o.order_id)) e) b,
		(SELECT coalesce(max((p.value ->> 'months')::int), 0) AS pack,
			coalesce(max((v.terms ->> 'grace_days')::int), 0) / 28 + 2 AS grace
		 FROM @extschema@.im_rate_card_version v
		 LEFT JOIN LATERAL (SELECT * FROM jsonb_each(v.terms #> '{moderation,packs}')
			UNION ALL SELECT * FROM jsonb_each(v.terms -> 'packs')) p ON true) c
$$;
COMMENT ON FUNCTION im_internal.im_months_in_force(bigint[]) IS
'The months, as im_month_number() counts them, in which something that the given apps bought can be in force; of all of them if null.';

CREATE FUNCTION @extschema@.im_billed_months() RETURNS TABLE (month date)
	LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 60
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	earliest timestamptz;
	covered date;
	in_force int4multirange;
BEGIN
	IF im_internal.im_guarded('im_billed_months_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_billed_months_guarded();
		RETURN;
	END IF;
	PERFORM im_internal.im_need_tables();
	in_force := im_internal.im_months_in_force(NULL::bigint[]);
	SELECT least((SELECT min(o.at) FROM @extschema@.im_order o),
		(SELECT min(least(d.day, m.day))::timestamp AT TIME ZONE 'UTC'
		 FROM @extschema@.im_app a,
			LATERAL (SELECT min(u.day) FROM @extschema@.im_usage_daily u WHERE u.app_id = a.app_id) d(day),
			LATERAL (SELECT min(u.day) FROM @extschema@.im_meter_daily u WHERE u.app_id = a.app_id) m(day)))
	INTO earliest;
	SELECT least(earliest, min(im_internal.im_earliest(e.name, e.col, coalesce(earliest, 'infinity'))))
	INTO earliest
	FROM (VALUES ('im_login', 'at'), ('im_moderation_check', 'at'), ('im_call', 'at'), ('im_event', 'at')) e(name, col);
	-- the month in which the first version starts is the first that is rated
	SELECT date_trunc('month', min(v.effective_from)::timestamp)::date
	INTO covered
	FROM @extschema@.im_rate_card_version v;
	-- half a day earlier, for zones to the west
	RETURN QUERY
	SELECT m::date
	FROM generate_series(
			greatest(date_trunc('month', greatest(earliest, '0001-01-02 00:00+00') AT TIME ZONE 'UTC' - interval '14 hours'), covered),
			(now() AT TIME ZONE 'Asia/Shanghai'), interval '1 month') m
	WHERE earliest IS NOT NULL AND covered IS NOT NULL
		AND (in_force @> im_internal.im_month_number(m) OR NOT im_internal.im_is_idle(NULL::bigint[], m::date, (m + interval '1 month')::date));
END
$$;
COMMENT ON FUNCTION @extschema@.im_billed_months() IS
'First days of the months from the first order or usage, but not before a rate card takes effect, through the running month in Asia/Shanghai, without those in which nothing was ordered, used or in force. A group alone begins no month.';

CREATE FUNCTION im_internal.im_billed_months_of(apps bigint[], at timestamptz) RETURNS TABLE (month date)
	LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 60
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	earliest timestamptz;
	covered date;
	latest timestamp;
	soon date := (date_trunc('month', now() AT TIME ZONE 'UTC') + interval '2 months')::date;
	quiet date := 'infinity';
	in_force int4multirange := im_internal.im_months_in_force($1);
BEGIN
	IF $1 IS NULL THEN
		RETURN QUERY SELECT * FROM @extschema@.im_billed_months();
		RETURN;
	END IF;
	-- of each app the first row of an index
	SELECT least(min(o.at), min(l.at), min(m.at), min(c.at), min(e.at), min(d.at), min(f.at))
	INTO earliest
	FROM @extschema@.im_app a,
		LATERAL (SELECT min(x.at) FROM @extschema@.im_order x WHERE x.app_id = a.app_id) o(at),
		LATERAL (SELECT min(x.at) FROM @extschema@.im_login x WHERE x.app_id = a.app_id) l(at),
		LATERAL (SELECT min(x.at) FROM @extschema@.im_moderation_check x WHERE x.app_id = a.app_id) m(at),
		LATERAL (SELECT min(x.at) FROM @extschema@.im_call x WHERE x.app_id = a.app_id) c(at),
		LATERAL (SELECT min(x.day)::timestamp AT TIME ZONE 'UTC'
				 FROM @extschema@.im_usage_daily x WHERE x.app_id = a.app_id) d(at),
		LATERAL (SELECT min((SELECT min(x.at) FROM @extschema@.im_event x WHERE x.app_id = a.app_id AND x.meter = n.meter))
				 FROM im_internal.im_named_meters(NULL::@extschema@.im_rate_card, a.app_id) n) e(at),
		LATERAL (SELECT min(x.day)::timestamp AT TIME ZONE 'UTC'
				 FROM @extschema@.im_meter_daily x WHERE x.app_id = a.app_id) f(at)
	WHERE a.app_id = ANY ($1);
	-- the month in which the first version starts is the first that is rated
	SELECT date_trunc('month', min(v.effective_from)::timestamp)::date, max($2 AT TIME ZONE (v.terms ->> 'time_zone'))
	INTO covered, latest
	FROM @extschema@.im_rate_card_version v
	WHERE v.rate_card IN (SELECT a.rate_card FROM @extschema@.im_app a WHERE a.app_id = ANY ($1));
	-- as a rule nothing is known of what is to come: one look instead of 12 a year
	IF latest >= soon AND im_internal.im_is_idle($1, soon, (date_trunc('month', latest) + interval '1 month')::date) THEN
		quiet := soon;
	END IF;
	-- half a day earlier, for zones to the west
	RETURN QUERY
	SELECT m::date
	FROM generate_series(
			greatest(date_trunc('month', greatest(earliest, '0001-01-02 00:00+00') AT TIME ZONE 'UTC' - interval '14 hours'), covered),
			latest, interval '1 month') m
	WHERE earliest IS NOT NULL AND covered IS NOT NULL
		AND (in_force @> im_internal.im_month_number(m) OR m < quiet AND NOT im_internal.im_is_idle($1, m::date, (m + interval '1 month')::date));
END
$$;
COMMENT ON FUNCTION im_internal.im_billed_months_of(bigint[], timestamptz) IS
'im_billed_months() of the given apps through the month of an instant, in the zone of whichever of their price lists begins its day first; null for all of them, through the running one.';

-- A report over all years would bill and spread 120,000 months.  Before the
-- first order or use nothing is billed; nor after the last one when all terms
-- are over: history storage and groups cost nothing without a plan.
CREATE FUNCTION im_internal.im_is_idle(among bigint[], since date, until date) RETURNS boolean
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
	-- in any time zone
	earliest timestamptz := im_internal.im_utc_midnight($2 - 1);
	latest timestamptz := im_internal.im_utc_midnight($3 + 1);
BEGIN
	RETURN NOT EXISTS (SELECT FROM @extschema@.im_order x
			WHERE x.at >= earliest AND x.at < latest AND (x.app_id = ANY ($1) OR $1 IS NULL))
		AND NOT EXISTS (SELECT FROM @extschema@.im_invoice x
			WHERE x.month >= $2 AND x.month < $3 AND (x.app_id = ANY ($1) OR $1 IS NULL))
		AND NOT EXISTS (SELECT FROM @extschema@.im_usage_daily x
			WHERE x.day >= $2 AND x.day < $3 AND (x.app_id = ANY ($1) OR $1 IS NULL))
		AND NOT EXISTS (SELECT FROM @extschema@.im_login x
			WHERE x.at >= earliest AND x.at < latest AND (x.app_id = ANY ($1) OR $1 IS NULL))
		AND NOT EXISTS (SELECT FROM @extschema@.im_moderation_check x
			WHERE x.at >= earliest AND x.at < latest AND (x.app_id = ANY ($1) OR $1 IS NULL))
		AND NOT EXISTS (SELECT FROM @extschema@.im_call x
			WHERE x.at >= earliest AND x.at < latest AND (x.app_id = ANY ($1) OR $1 IS NULL))
		AND NOT EXISTS (SELECT FROM @extschema@.im_event x
			WHERE x.at >= earliest AND x.at < latest AND (x.app_id = ANY ($1) OR $1 IS NULL))
		AND NOT EXISTS (SELECT FROM @extschema@.im_meter_daily x
			WHERE x.day >= $2 AND x.day < $3 AND (x.app_id = ANY ($1) OR $1 IS NULL))
		AND NOT EXISTS (SELECT FROM @extschema@.im_group x
			WHERE x.created_at >= earliest AND x.created_at < latest AND (x.app_id = ANY ($1) OR $1 IS NULL))
		AND NOT EXISTS (SELECT FROM @extschema@.im_group x
			WHERE x.disbanded_at >= earliest AND x.disbanded_at < latest AND (x.app_id = ANY ($1) OR $1 IS NULL));
END
$$;
COMMENT ON FUNCTION im_internal.im_is_idle(bigint[], date, date) IS
'Whether no order, use or document of the given apps, null for all of them, is of the days from the first to before the second.';
