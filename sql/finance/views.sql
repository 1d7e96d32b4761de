-- Views for BI: plain columns that Metabase, Grafana and Excel read without
-- knowing our types. Like the tables they are the user's, made by
-- im_create_tables() from the lists below.
--
-- A month is a column of the views that comes from im_billed_months(), and
-- everything else of its row is computed from it: a condition on month is
-- applied first, so that only the months that were asked for are rated.
--
-- Numerics say how many places they have, all that amounts can have: ODBC
-- describes a numeric without them as one of 6, and clients cut there.

CREATE FUNCTION @extschema@.im_rate_usage(app_id bigint, card_name text, book @extschema@.im_price_book, orders @extschema@.im_order_entry[], suspensions daterange[], preview boolean, month @extschema@.im_month, since date, daily bigint[], logins bigint[], groups bigint[], checks bigint[], calls bigint[], user_days date[], users @extschema@.im_userset[])
	RETURNS TABLE (day date, status text, plan text, given boolean, dau bigint, peak_groups bigint, text_checks bigint, image_checks bigint, audio_half_minutes bigint, video_half_minutes bigint, audio_minutes bigint, sd_minutes bigint, hd_minutes bigint, fhd_minutes bigint)
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE ROWS 31 PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_rate_usage(bigint, text, @extschema@.im_price_book, @extschema@.im_order_entry[], daterange[], boolean, @extschema@.im_month, date, bigint[], bigint[], bigint[], bigint[], bigint[], date[], @extschema@.im_userset[]) IS
'The usage of one app and month day by day. The arguments are values made by im_gather(); no table is read.';

CREATE FUNCTION @extschema@.im_daily_usage_of(apps bigint[], month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, day date, status text, plan text, given boolean, dau bigint,
		peak_groups bigint, text_checks bigint, image_checks bigint, audio_half_minutes bigint,
		video_half_minutes bigint, audio_minutes bigint, sd_minutes bigint, hd_minutes bigint,
		fhd_minutes bigint)
	LANGUAGE plpgsql STABLE ROWS 100000
	SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_custom_plan
	SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	first date := $2::date;
	until date := upper($2::daterange);
	book @extschema@.im_price_book := @extschema@.im_price_book(NULL::@extschema@.im_rate_card);
	reading @extschema@.im_reading;
BEGIN
	IF $1 IS NOT NULL THEN
		RETURN QUERY
		SELECT g.app_id, d.*
		FROM @extschema@.im_gather_of($1, first, until, NULL::@extschema@.im_rate_card, NULL::bigint[], NULL::date[]) g
		LEFT JOIN LATERAL (
			SELECT c.orders
			FROM @extschema@.im_app_orders('infinity'::timestamptz) c
			WHERE c.app_id = g.app_id
			OFFSET 0) o ON true
		CROSS JOIN LATERAL
			@extschema@.im_rate_usage(g.app_id, g.card_name, book, o.orders, g.suspensions,
				g.preview, $2, g.since, g.daily, g.logins, g.groups, g.checks,
				g.calls, g.user_days, g.users) d;
		RETURN;
	END IF;
	reading := @extschema@.im_reading(first, until, NULL::@extschema@.im_rate_card, NULL::@extschema@.im_price_book, NULL::bigint);
	RETURN QUERY
	SELECT g.app_id, d.*
	FROM @extschema@.im_gather(first, until, NULL::@extschema@.im_rate_card, reading) g
	-- a renewal in the grace makes days of a month before days of its term
	LEFT JOIN @extschema@.im_app_orders('infinity'::timestamptz) o ON o.app_id = g.app_id
	CROSS JOIN LATERAL
		@extschema@.im_rate_usage(g.app_id, g.card_name, book, o.orders, g.suspensions,
			g.preview, $2, g.since, g.daily, g.logins, g.groups, g.checks,
			g.calls, g.user_days, g.users) d;
END
$$;
COMMENT ON FUNCTION @extschema@.im_daily_usage_of(bigint[], @extschema@.im_month) IS
'im_daily_usage() of the given apps; null for all of them.';

CREATE FUNCTION @extschema@.im_daily_usage(month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, day date, status text, plan text, given boolean, dau bigint,
		peak_groups bigint, text_checks bigint, image_checks bigint, audio_half_minutes bigint,
		video_half_minutes bigint, audio_minutes bigint, sd_minutes bigint, hd_minutes bigint,
		fhd_minutes bigint)
	LANGUAGE plpgsql STABLE STRICT ROWS 100000
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF @extschema@.im_guarded('im_daily_usage_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_daily_usage_guarded($1);
		RETURN;
	END IF;
	RETURN QUERY SELECT * FROM @extschema@.im_daily_usage_of(NULL::bigint[], $1);
END
$$;
COMMENT ON FUNCTION @extschema@.im_daily_usage(@extschema@.im_month) IS
'The usage of a month by app and day as bills see it, set-wise: figures that were given in im_usage_daily (given true if any was) or metered from events. A day without either has no row. status and plan are those of the day, null where the orders break the rules. Error 22023 for a raw row that cannot be metered.';

CREATE FUNCTION @extschema@.im_rate_terms(app_id bigint, card_name text, book @extschema@.im_price_book, orders @extschema@.im_order_entry[], suspensions daterange[], preview boolean)
	RETURNS TABLE (order_id bigint, day date, starts_on date, ends_on date, bought_through date, amount numeric, currency text, refunded_on date)
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE ROWS 10 PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_rate_terms(bigint, text, @extschema@.im_price_book, @extschema@.im_order_entry[], daterange[], boolean) IS
'What became of the orders of one app; nothing where they break the rules. The arguments are values made by im_app_orders(); no table is read.';

-- Inlined, so that a condition on app_id reads the orders of that app alone;
-- hence without a search_path of its own, and qualified to the last operator.
CREATE FUNCTION @extschema@.im_order_terms()
	RETURNS TABLE (app_id bigint, order_id bigint, day date, starts_on date, ends_on date,
		bought_through date, amount numeric, currency text, refunded_on date)
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 10000
AS $$
	SELECT a.app_id, t.order_id, t.day, t.starts_on, t.ends_on, t.bought_through, t.amount,
		t.currency, t.refunded_on
	FROM @extschema@.im_app a
	JOIN (SELECT e.app_id,
				 pg_catalog.array_agg(ROW(e.order_id, e.at, e.action, e.item, e.option, e.months,
						e.quantity, e.refunds, e.paid)::@extschema@.im_order_entry
					ORDER BY e.at, e.order_id) AS orders
		  FROM @extschema@.im_order e
		  GROUP BY e.app_id) o ON o.app_id OPERATOR(pg_catalog.=) a.app_id,
		@extschema@.im_rate_terms(a.app_id, a.rate_card, (SELECT @extschema@.im_price_book(NULL::@extschema@.im_rate_card)),
			o.orders, NULL::daterange[], false) t
$$;
COMMENT ON FUNCTION @extschema@.im_order_terms() IS
'What became of every order of all apps: its local day, first and last day in force, last day as bought, amount (negative for refunds), and the day on which it was refunded. Switches have a day only; apps whose orders break the rules have no rows.';

-- A table cut by time is asked for what lies before, which leaves its later
-- partitions alone; any other is asked app by app, for the first row of its index.
CREATE FUNCTION @extschema@.im_earliest(name text, col text, before timestamptz) RETURNS timestamptz
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
COMMENT ON FUNCTION @extschema@.im_earliest(text, text, timestamptz) IS
'The earliest instant of a column of a table of events before another instant; null if there is none.';

CREATE FUNCTION @extschema@.im_month_number(at timestamp) RETURNS integer
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	RETURN (extract(year FROM at) * 12 + extract(month FROM at))::integer;
COMMENT ON FUNCTION @extschema@.im_month_number(timestamp) IS
'The months from the beginning of the calendar to that of an instant.';

-- Terms bought before others are over continue them, so an app is through with
-- all it bought no later than if it had bought them end to end.
CREATE FUNCTION @extschema@.im_months_in_force(among bigint[]) RETURNS int4multirange
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(range_agg(int4range(b.bought - 1,
			least(b.months + b.waited + CASE b.item WHEN 'moderation_pack' THEN c.pack ELSE 0 END + c.grace, 200000)::int, '[]')), '{}')
	FROM (SELECT e.item, e.bought, e.months,
			  max(e.bought - e.before) OVER (PARTITION BY e.app_id ORDER BY e.at, e.order_id) AS waited
		  FROM (SELECT o.app_id, o.at, o.order_id, o.item, @extschema@.im_month_number(o.at AT TIME ZONE 'UTC') AS bought,
					sum(coalesce(o.months, 0)) OVER w AS months,
					sum(coalesce(o.months, 0)) OVER w - coalesce(o.months, 0) AS before
				FROM @extschema@.im_order o
				WHERE isfinite(o.at) AND (o.app_id = ANY ($1) OR $1 IS NULL)
				WINDOW w AS (PARTITION BY o.app_id ORDER BY o.at, o.order_id)) e) b,
		(SELECT coalesce(max((p.value ->> 'months')::int), 0) AS pack,
			coalesce(max((v.terms ->> 'grace_days')::int), 0) / 28 + 2 AS grace
		 FROM @extschema@.im_rate_card_version v
		 LEFT JOIN LATERAL jsonb_each(v.terms #> '{moderation,packs}') p ON true) c
$$;
COMMENT ON FUNCTION @extschema@.im_months_in_force(bigint[]) IS
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
	IF @extschema@.im_guarded('im_billed_months_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_billed_months_guarded();
		RETURN;
	END IF;
	PERFORM @extschema@.im_need_tables();
	in_force := @extschema@.im_months_in_force(NULL::bigint[]);
	SELECT least((SELECT min(o.at) FROM @extschema@.im_order o),
		(SELECT min(d.day)::timestamp AT TIME ZONE 'UTC'
		 FROM @extschema@.im_app a,
			LATERAL (SELECT min(u.day) FROM @extschema@.im_usage_daily u WHERE u.app_id = a.app_id) d(day)))
	INTO earliest;
	SELECT least(earliest, min(@extschema@.im_earliest(e.name, e.col, coalesce(earliest, 'infinity'))))
	INTO earliest
	FROM (VALUES ('im_login', 'at'), ('im_moderation_check', 'at'), ('im_call', 'at')) e(name, col);
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
		AND (in_force @> @extschema@.im_month_number(m) OR NOT @extschema@.im_is_idle(NULL::bigint[], m::date, (m + interval '1 month')::date));
END
$$;
COMMENT ON FUNCTION @extschema@.im_billed_months() IS
'First days of the months from the first order or usage, but not before a rate card takes effect, through the running month in Asia/Shanghai, without those in which nothing was ordered, used or in force. A group alone begins no month.';

CREATE FUNCTION @extschema@.im_billed_months_of(apps bigint[]) RETURNS TABLE (month date)
	LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 60
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	earliest timestamptz;
	covered date;
	in_force int4multirange := @extschema@.im_months_in_force($1);
BEGIN
	IF $1 IS NULL THEN
		RETURN QUERY SELECT * FROM @extschema@.im_billed_months();
		RETURN;
	END IF;
	-- of each app the first row of an index
	SELECT least(min(o.at), min(l.at), min(m.at), min(c.at), min(d.at))
	INTO earliest
	FROM @extschema@.im_app a,
		LATERAL (SELECT min(x.at) FROM @extschema@.im_order x WHERE x.app_id = a.app_id) o(at),
		LATERAL (SELECT min(x.at) FROM @extschema@.im_login x WHERE x.app_id = a.app_id) l(at),
		LATERAL (SELECT min(x.at) FROM @extschema@.im_moderation_check x WHERE x.app_id = a.app_id) m(at),
		LATERAL (SELECT min(x.at) FROM @extschema@.im_call x WHERE x.app_id = a.app_id) c(at),
		LATERAL (SELECT min(x.day)::timestamp AT TIME ZONE 'UTC'
				 FROM @extschema@.im_usage_daily x WHERE x.app_id = a.app_id) d(at)
	WHERE a.app_id = ANY ($1);
	-- the month in which the first version starts is the first that is rated
	SELECT date_trunc('month', min(v.effective_from)::timestamp)::date
	INTO covered
	FROM @extschema@.im_rate_card_version v
	WHERE v.rate_card IN (SELECT a.rate_card FROM @extschema@.im_app a WHERE a.app_id = ANY ($1));
	-- half a day earlier, for zones to the west
	RETURN QUERY
	SELECT m::date
	FROM generate_series(
			greatest(date_trunc('month', greatest(earliest, '0001-01-02 00:00+00') AT TIME ZONE 'UTC' - interval '14 hours'), covered),
			(now() AT TIME ZONE 'Asia/Shanghai'), interval '1 month') m
	WHERE earliest IS NOT NULL AND covered IS NOT NULL
		AND (in_force @> @extschema@.im_month_number(m) OR NOT @extschema@.im_is_idle($1, m::date, (m + interval '1 month')::date));
END
$$;
COMMENT ON FUNCTION @extschema@.im_billed_months_of(bigint[]) IS
'im_billed_months() of the given apps; null for all of them.';

CREATE FUNCTION @extschema@.im_view_definitions()
	RETURNS TABLE (view_name text, definition text, description text)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT * FROM (VALUES
			('im_bi_bill_line', 'SELECT m.month, l.app_id, a.name AS app_name, l.line, l.item, l.option, '
				'lower(l.period) AS period_from, upper(l.period) - 1 AS period_through, l.due_on, '
				'l.quantity::numeric(38,8) AS quantity, l.included::numeric(38,8) AS included, l.billable::numeric(38,8) AS billable, '
				'l.units::numeric(38,8) AS units, l.unit_price::numeric(38,8) AS unit_price, l.amount::numeric(38,8) AS amount, l.currency, l.explanation '
				'FROM @extschema@.im_billed_months() m CROSS JOIN LATERAL @extschema@.im_monthly_bills(m.month::@extschema@.im_month) l '
				'LEFT JOIN @extschema@.im_apps() a ON a.app_id = l.app_id',
				'All bill lines of all apps, from the first month through the running one. Give a condition on month: only those months are rated.'),
			('im_bi_bill_total', 'SELECT m.month, t.app_id, a.name AS app_name, t.total::numeric(38,8) AS total, t.currency '
				'FROM @extschema@.im_billed_months() m CROSS JOIN LATERAL @extschema@.im_monthly_totals(m.month::@extschema@.im_month) t '
				'LEFT JOIN @extschema@.im_apps() a ON a.app_id = t.app_id',
				'Totals of the bills of all apps, rounded once, from the first month through the running one. Give a condition on month.'),
			('im_bi_usage_daily', 'SELECT m.month, u.app_id, a.name AS app_name, u.day, u.status, u.plan, '
				'CASE WHEN u.given THEN ''given'' ELSE ''metered'' END AS source, u.dau, u.peak_groups, u.text_checks, '
				'u.image_checks, u.audio_half_minutes, u.video_half_minutes, u.audio_minutes, u.sd_minutes, u.hd_minutes, u.fhd_minutes '
				'FROM @extschema@.im_billed_months() m CROSS JOIN LATERAL @extschema@.im_daily_usage(m.month::@extschema@.im_month) u '
				'LEFT JOIN @extschema@.im_apps() a ON a.app_id = u.app_id',
				'Usage of all apps by day, as bills see it, from the first month through the running one. Give a condition on month.'),
			('im_bi_revenue', 'SELECT m.month, r.app_id, a.name AS app_name, r.item, r.option, r.billed::numeric(38,8) AS billed, '
				'r.earned::numeric(38,8) AS earned, r.deferred::numeric(38,8) AS deferred, r.currency '
				'FROM @extschema@.im_billed_months() m CROSS JOIN LATERAL @extschema@.im_app_revenue(m.month::@extschema@.im_month, m.month::@extschema@.im_month) r '
				'LEFT JOIN @extschema@.im_apps() a ON a.app_id = r.app_id',
				'What was billed and earned in each month, and what is deferred at its end, by app and item. Give a condition on month.'),
			('im_bi_order', 'SELECT o.app_id, a.name AS app_name, o.order_id, o.at, t.day, o.action, o.item, o.option, '
				'o.months::bigint AS months, o.quantity::bigint AS quantity, o.refunds, o.paid::numeric(38,8) AS paid, t.starts_on, t.ends_on, t.bought_through, '
				't.amount::numeric(38,8) AS amount, t.currency, t.refunded_on '
				'FROM @extschema@.im_order o LEFT JOIN @extschema@.im_app a ON a.app_id = o.app_id '
				'LEFT JOIN @extschema@.im_order_terms() t ON t.app_id = o.app_id AND t.order_id = o.order_id',
				'The order log with what became of each order: its term and its amount.'),
			-- the ledger
			('im_close_progress', 'SELECT p.*, CASE p.state WHEN ''closed'' THEN 0 ELSE ceil(greatest(p.total - p.done, 0) / nullif(p.apps_per_second, 0)) END AS seconds_left '
				'FROM (SELECT c.month, CASE WHEN range_agg(c.apps) @> ''(,)''::int8range THEN ''closed'' ELSE ''closing'' END AS state, '
				'sum(c.done)::bigint AS done, (array_agg(c.total ORDER BY c.closed_at DESC) FILTER (WHERE c.is_close))[1] AS total, '
				'sum(c.invoices)::bigint AS invoices, max(c.last_begun) AS begun_at, max(c.closed_at) FILTER (WHERE c.is_close) AS last_at, '
				'round(sum(c.done) FILTER (WHERE c.closed_at >= c.last_begun) '
				'/ nullif(extract(epoch FROM max(c.closed_at) FILTER (WHERE c.is_close) - max(c.last_begun)), 0), 1) AS apps_per_second '
				'FROM (SELECT i.month, i.apps, i.done, i.total, i.invoices, i.closed_at, i.done > 0 OR i.invoices = 0 AND NOT isempty(i.apps) AS is_close, '
				'max(i.begun_at) FILTER (WHERE i.done > 0 OR i.invoices = 0 AND NOT isempty(i.apps)) OVER (PARTITION BY i.month) AS last_begun '
				'FROM @extschema@.im_closing i) c GROUP BY c.month) p',
				'How far the close of each month has come, batch by batch: for another connection to watch.')
	) AS v(view_name, definition, description)
$$;
COMMENT ON FUNCTION @extschema@.im_view_definitions() IS
'The views for BI that im_create_tables() makes. A later version adds columns at the end of a view, and may change the type of one.';

CREATE FUNCTION @extschema@.im_view_column_definitions()
	RETURNS TABLE (view_name text, column_name text, description text)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT * FROM (VALUES
			('im_bi_bill_line', 'month', 'First day of the usage month; conditions on it are applied before rating.'),
			('im_bi_bill_line', 'app_id', 'The app (SDKAppID) that pays.'),
			('im_bi_bill_line', 'app_name', 'Its name.'),
			('im_bi_bill_line', 'line', 'Number of the line in the bill of the app and month, from 1.'),
			('im_bi_bill_line', 'item', 'plan, plan_upgrade, dau_overage, mau_overage, group_overage, an add-on, call_minutes, local_moderation, moderation_pack, moderation or refund.'),
			('im_bi_bill_line', 'option', 'Plan, option, class or pack; of a refund the refunded item; empty where there is none.'),
			('im_bi_bill_line', 'period_from', 'First day that the line pays for.'),
			('im_bi_bill_line', 'period_through', 'Last day that the line pays for.'),
			('im_bi_bill_line', 'due_on', 'Day on which the amount falls due.'),
			('im_bi_bill_line', 'quantity', 'What was used or bought.'),
			('im_bi_bill_line', 'included', 'What a quota or packs covered.'),
			('im_bi_bill_line', 'billable', 'quantity - included, at least 0.'),
			('im_bi_bill_line', 'units', 'What is multiplied by unit_price: started blocks, months, minutes, deductions.'),
			('im_bi_bill_line', 'unit_price', 'Price of a unit.'),
			('im_bi_bill_line', 'amount', 'The amount, exact to at most 8 places; only totals are rounded.'),
			('im_bi_bill_line', 'currency', 'ISO 4217 code.'),
			('im_bi_bill_line', 'explanation', 'One sentence on how the amount came about.'),
			('im_bi_bill_total', 'month', 'First day of the usage month; conditions on it are applied before rating.'),
			('im_bi_bill_total', 'app_id', 'The app (SDKAppID) that pays.'),
			('im_bi_bill_total', 'app_name', 'Its name.'),
			('im_bi_bill_total', 'total', 'The total of the bill, rounded once to the places of the currency.'),
			('im_bi_bill_total', 'currency', 'ISO 4217 code.'),
			('im_bi_usage_daily', 'month', 'First day of the usage month; conditions on it are applied before metering.'),
			('im_bi_usage_daily', 'app_id', 'The app (SDKAppID).'),
			('im_bi_usage_daily', 'app_name', 'Its name.'),
			('im_bi_usage_daily', 'day', 'Day in the time zone of the rate card.'),
			('im_bi_usage_daily', 'status', 'trial, active, grace, stopped, suspended or reclaimed; null where the orders break the rules.'),
			('im_bi_usage_daily', 'plan', 'Paid plan in force on the day; null where there is none.'),
			('im_bi_usage_daily', 'source', 'given: some figure of the day is of a row in im_usage_daily; metered: all are from events.'),
			('im_bi_usage_daily', 'dau', 'Distinct users that logged in.'),
			('im_bi_usage_daily', 'peak_groups', 'Most groups existing at one moment.'),
			('im_bi_usage_daily', 'text_checks', 'Texts checked.'),
			('im_bi_usage_daily', 'image_checks', 'Images checked.'),
			('im_bi_usage_daily', 'audio_half_minutes', 'Half minutes of audio checked, each clock hour rounded down.'),
			('im_bi_usage_daily', 'video_half_minutes', 'Half minutes of video checked, each clock hour rounded down.'),
			('im_bi_usage_daily', 'audio_minutes', 'Minutes of audio calls, started ones counted.'),
			('im_bi_usage_daily', 'sd_minutes', 'Minutes of sd video calls.'),
			('im_bi_usage_daily', 'hd_minutes', 'Minutes of hd video calls.'),
			('im_bi_usage_daily', 'fhd_minutes', 'Minutes of fhd video calls.'),
			('im_bi_revenue', 'month', 'First day of the month; conditions on it are applied before anything is computed.'),
			('im_bi_revenue', 'app_id', 'The app (SDKAppID).'),
			('im_bi_revenue', 'app_name', 'Its name.'),
			('im_bi_revenue', 'item', 'Item of the bill lines.'),
			('im_bi_revenue', 'option', 'Plan, option, class or pack; of a refund the refunded item.'),
			('im_bi_revenue', 'billed', 'Sum of the bill lines of the month.'),
			('im_bi_revenue', 'earned', 'Earned in the month: fees by day of their term, packs as they are used, usage as it happens.'),
			('im_bi_revenue', 'deferred', 'Billed by the end of the month and not yet earned.'),
			('im_bi_revenue', 'currency', 'ISO 4217 code.'),
			('im_bi_order', 'app_id', 'The app (SDKAppID) that ordered.'),
			('im_bi_order', 'app_name', 'Its name.'),
			('im_bi_order', 'order_id', 'Number of the order within the app.'),
			('im_bi_order', 'at', 'When it was placed.'),
			('im_bi_order', 'day', 'That day in the time zone of the rate card; null, as all that follows from the rules, where the orders break them.'),
			('im_bi_order', 'action', 'buy, upgrade, refund, on or off.'),
			('im_bi_order', 'item', 'What it is about.'),
			('im_bi_order', 'option', 'Plan, option or pack.'),
			('im_bi_order', 'months', 'Months bought.'),
			('im_bi_order', 'quantity', 'Packs bought.'),
			('im_bi_order', 'refunds', 'The order that it refunds.'),
			('im_bi_order', 'paid', 'Agreed amount instead of the price of the card.'),
			('im_bi_order', 'starts_on', 'First day in force of what was bought; null for refunds, switches, and what was refunded before it began.'),
			('im_bi_order', 'ends_on', 'Last day in force, a refund considered.'),
			('im_bi_order', 'bought_through', 'Last day as bought.'),
			('im_bi_order', 'amount', 'What it cost; negative for a refund, null for switches.'),
			('im_bi_order', 'currency', 'ISO 4217 code.'),
			('im_bi_order', 'refunded_on', 'Day on which it was refunded.'),
			('im_close_progress', 'month', 'First day of the usage month.'),
			('im_close_progress', 'state', 'closing, or closed when no app is open.'),
			('im_close_progress', 'done', 'Apps that are closed.'),
			('im_close_progress', 'total', 'Apps to close when the last call began.'),
			('im_close_progress', 'invoices', 'Invoices issued.'),
			('im_close_progress', 'begun_at', 'When the last call began.'),
			('im_close_progress', 'last_at', 'When the last batch was closed.'),
			('im_close_progress', 'apps_per_second', 'Apps that were closed a second since the last call began.'),
			('im_close_progress', 'seconds_left', 'Seconds until all are closed at that rate.')
	) AS c(view_name, column_name, description)
$$;
COMMENT ON FUNCTION @extschema@.im_view_column_definitions() IS
'The columns of those views.';

-- Replacing a view locks out those who read it.  What PostgreSQL makes of a
-- definition is compared by a view that nobody reads.
CREATE FUNCTION @extschema@.im_view_stands(name text, definition text, owner name) RETURNS boolean
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
	SET client_min_messages = warning
AS $$
DECLARE
	stands regclass := (SELECT c.oid::regclass FROM pg_class c
						WHERE c.oid = to_regclass(format('%s.%I', '@extschema@', $1)) AND pg_get_userbyid(c.relowner) = $3
							AND c.reloptions = '{security_invoker=true}');
	same boolean;
BEGIN
	IF stands IS NULL THEN
		RETURN false;
	END IF;
	EXECUTE 'CREATE TEMPORARY VIEW im_view_of_now AS ' || $2;
	same := pg_get_viewdef('pg_temp.im_view_of_now'::regclass) = pg_get_viewdef(stands);
	DROP VIEW pg_temp.im_view_of_now;
	RETURN same;
END
$$;
COMMENT ON FUNCTION @extschema@.im_view_stands(text, text, name) IS
'Whether a view is there as it is defined, with this owner.';

CREATE FUNCTION @extschema@.im_view_grants(view regclass) RETURNS SETOF text
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('GRANT %s%s ON %s TO %s%s', g.privilege_type, g.columns, $1,
		CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END,
		CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' END)
	FROM (SELECT x.*, '' AS columns
		  FROM pg_class c, aclexplode(c.relacl) x WHERE c.oid = $1 AND x.grantee <> c.relowner
		  UNION ALL
		  SELECT x.*, format('(%I)', a.attname)
		  FROM pg_attribute a, aclexplode(a.attacl) x WHERE a.attrelid = $1) g
$$;
COMMENT ON FUNCTION @extschema@.im_view_grants(regclass) IS
'The statements that grant again what is granted on a view.';

-- A view cannot be given other types. It is made anew with what is granted on
-- it, unless something of the user's depends on it: then it keeps its types.
CREATE FUNCTION @extschema@.im_retype_view(view regclass, definition text) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	grants text[] := ARRAY(SELECT * FROM @extschema@.im_view_grants($1));
	name text := $1::text;
	kept text := (
		SELECT string_agg(format('q.%I::%s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum)
		FROM pg_attribute a WHERE a.attrelid = $1 AND a.attnum > 0);
	command text;
BEGIN
	EXECUTE format('DROP VIEW %s', name);
	EXECUTE format('CREATE VIEW %s WITH (security_invoker = true) AS %s', name, $2);
	FOREACH command IN ARRAY grants LOOP
		EXECUTE command;
	END LOOP;
EXCEPTION WHEN dependent_objects_still_exist THEN
	EXECUTE format('CREATE OR REPLACE VIEW %s WITH (security_invoker = true) AS SELECT %s FROM (%s) q', name, kept, $2);
	RAISE NOTICE 'view % keeps the types of its columns, since other objects depend on it', name
		USING HINT = 'Drop those, call im_create_tables() again and make them anew.';
END
$$;
COMMENT ON FUNCTION @extschema@.im_retype_view(regclass, text) IS
'Gives a view for BI the types of its columns in this version.';

CREATE FUNCTION @extschema@.im_add_views() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	owner name := coalesce(@extschema@.im_tables_owner(), current_user);
	v record;
BEGIN
	FOR v IN
		SELECT * FROM @extschema@.im_view_definitions() d
		WHERE NOT @extschema@.im_view_stands(d.view_name, d.definition, owner)
	LOOP
		BEGIN
			EXECUTE format('CREATE OR REPLACE VIEW %s.%I WITH (security_invoker = true) AS %s',
				'@extschema@', v.view_name, v.definition);
		EXCEPTION WHEN invalid_table_definition THEN
			PERFORM @extschema@.im_retype_view(format('%s.%I', '@extschema@', v.view_name)::regclass, v.definition);
		END;
		EXECUTE format('ALTER VIEW %s.%I OWNER TO %I', '@extschema@', v.view_name, owner);
		EXECUTE format('COMMENT ON VIEW %s.%I IS %L', '@extschema@', v.view_name, v.description);
	END LOOP;
	FOR v IN
		SELECT d.*
		FROM @extschema@.im_view_column_definitions() d
		JOIN pg_attribute a ON a.attrelid = format('%s.%I', '@extschema@', d.view_name)::regclass AND a.attname = d.column_name
		WHERE col_description(a.attrelid, a.attnum) IS DISTINCT FROM d.description
	LOOP
		EXECUTE format('COMMENT ON COLUMN %s.%I.%I IS %L',
			'@extschema@', v.view_name, v.column_name, v.description);
	END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.im_add_views() IS
'Makes the views for BI, or brings them up to date.';
