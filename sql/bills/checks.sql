-- im_check(): all that would make a bill fail or mislead.

CREATE FUNCTION im_internal.im_usage_apps(first date, until date) RETURNS TABLE (app_id bigint)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT l.app_id FROM @extschema@.im_login l
	WHERE l.at >= im_internal.im_utc_midnight($1 - 1) AND l.at < im_internal.im_utc_midnight($2 + 1)
	UNION
	SELECT m.app_id FROM @extschema@.im_moderation_check m
	WHERE m.at >= im_internal.im_utc_midnight($1 - 1) AND m.at < im_internal.im_utc_midnight($2 + 1)
	UNION
	SELECT c.app_id FROM @extschema@.im_call c
	WHERE c.at >= im_internal.im_utc_midnight($1 - 1) AND c.at < im_internal.im_utc_midnight($2 + 1)
	UNION
	SELECT e.app_id FROM @extschema@.im_event e
	WHERE e.at >= im_internal.im_utc_midnight($1 - 1) AND e.at < im_internal.im_utc_midnight($2 + 1)
	UNION
	SELECT g.app_id FROM @extschema@.im_group g
	WHERE g.created_at < im_internal.im_utc_midnight($2 + 1)
		AND (g.disbanded_at IS NULL OR g.disbanded_at >= im_internal.im_utc_midnight($1 - 1))
	UNION
	SELECT d.app_id FROM @extschema@.im_usage_daily d
	WHERE d.day >= $1 AND d.day < $2 AND d.metered_at IS NULL
	UNION
	SELECT d.app_id FROM @extschema@.im_meter_daily d
	WHERE d.day >= $1 AND d.day < $2 AND d.metered_at IS NULL
$$;
COMMENT ON FUNCTION im_internal.im_usage_apps(date, date) IS
'Apps with any usage around the month [first, until).';

CREATE FUNCTION im_internal.im_odd_days(first date, until date)
	RETURNS TABLE (app_id bigint, problem text)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT d.app_id, im_internal.im_tell_days('im_usage_daily has another dau than users'::text,
			(array_agg(format('dau %s beside %s users', coalesce(d.dau::text, 'null, which counts as 0,'),
				@extschema@.im_count(d.users)) ORDER BY d.day))[1], count(*), min(d.day), max(d.day))
	FROM im_internal.im_daily_rows() d
	JOIN im_internal.im_app_cards(NULL::@extschema@.im_rate_card) a ON a.app_id = d.app_id
	WHERE d.day >= $1 AND d.day < $2 AND d.metered_at IS NULL AND d.users IS NOT NULL
		AND (d.dau IS NOT NULL OR NOT a.prices_mau) AND @extschema@.im_count(d.users) <> coalesce(d.dau, 0)
	GROUP BY d.app_id
	UNION ALL
	SELECT d.app_id, im_internal.im_tell_days(format('im_meter_daily has another quantity than users of "%s"', d.meter),
			(array_agg(format('%s beside %s users', d.quantity, @extschema@.im_count(d.users)) ORDER BY d.day))[1],
			count(*), min(d.day), max(d.day))
	FROM @extschema@.im_meter_daily d
	JOIN @extschema@.im_app a ON a.app_id = d.app_id
	WHERE d.day >= $1 AND d.day < $2 AND d.metered_at IS NULL AND @extschema@.im_count(d.users) <> d.quantity
	GROUP BY d.app_id, d.meter
$$;
COMMENT ON FUNCTION im_internal.im_odd_days(date, date) IS
'Daily figures of the month [first, until) that contradict themselves, a row an app.';

CREATE FUNCTION im_internal.im_unknown_usage(first date, until date)
	RETURNS TABLE (app_id bigint, problem text)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT u.app_id, im_internal.im_tell_rows(format('im_event has the meter "%s", which the rate card lacks', u.meter),
			NULL::text, count(*), min(u.at), max(u.at), u.time_zone)
	FROM im_internal.im_unknown_meters($1, $2) u
	GROUP BY u.app_id, u.meter, u.time_zone
	UNION ALL
	SELECT d.app_id, im_internal.im_tell_days(format('im_meter_daily has the meter "%s", which the rate card lacks', d.meter),
			NULL::text, count(*), min(d.day), max(d.day))
	FROM @extschema@.im_meter_daily d
	JOIN @extschema@.im_app a ON a.app_id = d.app_id
	LEFT JOIN im_internal.im_named_meters(NULL::@extschema@.im_rate_card, NULL::bigint) m
		ON m.rate_card = a.rate_card AND m.meter = d.meter
	WHERE d.day >= $1 AND d.day < $2 AND d.metered_at IS NULL AND m.meter IS NULL
	GROUP BY d.app_id, d.meter
$$;
COMMENT ON FUNCTION im_internal.im_unknown_usage(date, date) IS
'Usage of the month [first, until) that is not billed since the price list does not know its meter, a row an app, table and meter.';

-- What misleads without making a bill fail: what was ordered and recorded,
-- rather than used.

CREATE FUNCTION im_internal.im_idle_packs(apps bigint[], month @extschema@.im_month, book im_internal.im_price_book)
	RETURNS TABLE (app_id bigint, problem text)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT p.app_id, p.problem
	FROM (SELECT a.app_id,
				 im_internal.im_idle_pack(ROW(a.app_id, a.card_name, o.orders, NULL, false)::im_internal.im_app_account, $3, $2) AS problem
		  FROM (SELECT DISTINCT k.app_id
				FROM @extschema@.im_order k
				WHERE k.item = 'moderation_pack' AND (k.app_id = ANY ($1) OR $1 IS NULL)
					AND k.at < im_internal.im_utc_midnight(upper($2::daterange) + 1)) b
		  JOIN im_internal.im_app_cards(NULL::@extschema@.im_rate_card) a ON a.app_id = b.app_id
		  CROSS JOIN LATERAL (
			SELECT c.orders
			FROM im_internal.im_app_orders(im_internal.im_utc_midnight(upper($2::daterange) + 1)) c
			WHERE c.app_id = b.app_id) o
		  WHERE a.time_zone IS NOT NULL
		  OFFSET 0) p
	WHERE p.problem IS NOT NULL
$$;
COMMENT ON FUNCTION im_internal.im_idle_packs(bigint[], @extschema@.im_month, im_internal.im_price_book) IS
'Apps with packs in force on days of the month on which cloud moderation is switched off; of the given apps, of all if they are null.';

-- By the first day, what came before reaches over the latest end of it.
CREATE FUNCTION im_internal.im_double_suspensions(apps bigint[], month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, problem text)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT o.app_id, format('suspensions for %s overlap: %s', o.reason, string_agg(o.days::text, ', ' ORDER BY o.days))
	FROM (SELECT s.app_id, s.reason,
				 CASE WHEN coalesce(lower(s.days), '-infinity') < s.before
					THEN daterange(lower(s.days), least(upper(s.days), nullif(s.before, 'infinity'))) END AS days
		  FROM (SELECT p.app_id, p.reason, p.days,
					   max(coalesce(upper(p.days), 'infinity')) OVER (PARTITION BY p.app_id, p.reason
							ORDER BY p.days ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
				FROM @extschema@.im_suspension p
				WHERE p.app_id = ANY ($1) OR $1 IS NULL) s) o
	WHERE o.days && $2::daterange
	GROUP BY o.app_id, o.reason
$$;
COMMENT ON FUNCTION im_internal.im_double_suspensions(bigint[], @extschema@.im_month) IS
'Suspensions of one app for one reason that share days of the month; of the given apps, of all if they are null.';

CREATE FUNCTION im_internal.im_apps_with_lines(month @extschema@.im_month, apps bigint[]) RETURNS bigint[]
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
DECLARE
	unbillable bigint[] := ARRAY(SELECT u.app_id FROM im_internal.im_unbillable($1, $2) u);
BEGIN
	RETURN ARRAY(
		SELECT unnest(unbillable)
		UNION
		SELECT l.app_id
		FROM im_internal.im_rebill_apps($1, ARRAY(SELECT unnest($2) EXCEPT SELECT unnest(unbillable)), false) l);
END
$$;
COMMENT ON FUNCTION im_internal.im_apps_with_lines(@extschema@.im_month, bigint[]) IS
'Those of the apps that the month has something to bill for, or whose bill cannot be computed.';

-- Months are closed in their order: of a closed one the nearest open month
-- with lines before it is told, of an open one the first closed month behind it.
CREATE FUNCTION im_internal.im_open_before(apps bigint[], month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, problem text)
	LANGUAGE plpgsql STABLE ROWS 10
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	closed int8multirange := im_internal.im_closed_apps($2::date);
	asked bigint[] := coalesce($1, ARRAY(SELECT a.app_id FROM @extschema@.im_app a));
	left_over bigint[] := ARRAY(SELECT a FROM unnest(asked) a WHERE a <@ closed);
	found bigint[];
	open date;
BEGIN
	IF cardinality(left_over) > 0 THEN
		FOR open IN
			SELECT m.month FROM im_internal.im_billed_months_of(left_over, now()) m WHERE m.month < $2::date ORDER BY m.month DESC
		LOOP
			closed := im_internal.im_closed_apps(open);
			found := ARRAY(SELECT a FROM unnest(left_over) a WHERE NOT a <@ closed);
			CONTINUE WHEN cardinality(found) = 0;
			found := im_internal.im_apps_with_lines(open::@extschema@.im_month, found);
			RETURN QUERY
			SELECT a, format('%s is closed, but %s before it is open and has lines', $2, open::@extschema@.im_month)
			FROM unnest(found) a;
			left_over := ARRAY(SELECT unnest(left_over) EXCEPT SELECT unnest(found));
			EXIT WHEN cardinality(left_over) = 0;
		END LOOP;
	END IF;
	closed := im_internal.im_closed_apps($2::date);
	RETURN QUERY
	SELECT a, format('%s is open and has lines, but %s behind it is closed', $2, c.month::@extschema@.im_month)
	FROM unnest(im_internal.im_apps_with_lines($2, ARRAY(
			SELECT o FROM unnest(asked) o
			WHERE NOT o <@ closed
				AND EXISTS (SELECT FROM @extschema@.im_closing k WHERE k.month > $2::date AND k.apps @> o)))) a
	CROSS JOIN LATERAL (
		SELECT min(k.month) AS month FROM @extschema@.im_closing k WHERE k.month > $2::date AND k.apps @> a) c;
END
$$;
COMMENT ON FUNCTION im_internal.im_open_before(bigint[], @extschema@.im_month) IS
'Apps of which a month is closed while one before it is open and has lines, whichever of the two is asked for; of the given apps, of all if they are null.';

CREATE FUNCTION im_internal.im_misleading_of(apps bigint[], month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, problem text)
	LANGUAGE plpgsql STABLE ROWS 10
	SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_custom_plan
	SET jit = off
AS $$
BEGIN
	RETURN QUERY
	SELECT * FROM im_internal.im_idle_packs($1, $2, im_internal.im_price_book(NULL::@extschema@.im_rate_card));
	RETURN QUERY SELECT * FROM im_internal.im_double_suspensions($1, $2);
	RETURN QUERY SELECT * FROM im_internal.im_open_before($1, $2);
END
$$;
COMMENT ON FUNCTION im_internal.im_misleading_of(bigint[], @extschema@.im_month) IS
'What im_check() reports beside im_problems_of(): what was ordered, recorded and closed and may not be what was meant.';

-- Orders and suspensions wait for their app only where triggers and foreign keys do.
CREATE FUNCTION im_internal.im_orphans(first date, until date)
	RETURNS TABLE (app_id bigint, problem text)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT u.app_id, 'there is usage of this app, but im_app has no row of it'
	FROM im_internal.im_usage_apps($1, $2) u
	WHERE NOT EXISTS (SELECT FROM @extschema@.im_app a WHERE a.app_id = u.app_id)
	UNION ALL
	SELECT o.app_id, im_internal.im_tell_rows('im_order has orders of this app, but im_app has no row of it'::text, NULL::text,
			count(*), min(o.at), max(o.at), 'Asia/Shanghai'::text)
	FROM @extschema@.im_order o
	WHERE @extschema@.im_day(o.at, 'Asia/Shanghai'::text) < $2
		AND NOT EXISTS (SELECT FROM @extschema@.im_app a WHERE a.app_id = o.app_id)
	GROUP BY o.app_id
	UNION ALL
	SELECT s.app_id, format('im_suspension has suspensions of this app, but im_app has no row of it: %s',
			string_agg(s.days::text, ', ' ORDER BY s.days))
	FROM @extschema@.im_suspension s
	WHERE s.days && daterange($1, $2)
		AND NOT EXISTS (SELECT FROM @extschema@.im_app a WHERE a.app_id = s.app_id)
	GROUP BY s.app_id
$$;
COMMENT ON FUNCTION im_internal.im_orphans(date, date) IS
'Apps that im_app lacks with usage or suspensions of the month [first, until), or with orders before its end.';

-- Fatal problems make the bill of the app, and so the bills of all, fail.
-- The plans are made for the apps given, or for none: the condition on them then
-- leads to their rows, or is none.
CREATE FUNCTION im_internal.im_problems_of(apps bigint[], month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, problem text, fatal boolean)
	LANGUAGE plpgsql STABLE ROWS 10
	SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_custom_plan
	SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	first date := $2::date;
	until date := upper($2::daterange);
	book im_internal.im_price_book := im_internal.im_price_book(NULL::@extschema@.im_rate_card);
	earliest date := least(first, (SELECT min(e.since)
								   FROM im_internal.im_early_usage(first, until, NULL::@extschema@.im_rate_card, book) e
								   WHERE e.app_id = ANY ($1) OR $1 IS NULL));
BEGIN
	RETURN QUERY
	SELECT r.app_id, r.problem, true
	FROM (SELECT a.app_id,
				 im_internal.im_rate_problem(a.account, im_internal.im_usage_from(NULL::im_internal.im_usage, first), book, $2) AS problem
		  FROM im_internal.im_app_accounts(until, NULL::@extschema@.im_rate_card) a
		  WHERE a.app_id = ANY ($1) OR $1 IS NULL
		  OFFSET 0) r
	WHERE r.problem IS NOT NULL;
	-- alone such a bill fails; among all it is empty as long as nothing was used
	RETURN QUERY
	SELECT a.app_id, format('rate card "%s" has no version in force on %s',
			(a.account).card_name, to_char(until - 1, 'YYYY-MM-DD')),
		EXISTS (SELECT FROM im_internal.im_usage_apps(first, until) u WHERE u.app_id = a.app_id)
	FROM im_internal.im_app_accounts(until, NULL::@extschema@.im_rate_card) a
	WHERE a.card_from >= until AND a.orders IS NULL AND (a.app_id = ANY ($1) OR $1 IS NULL);
	RETURN QUERY
	SELECT b.app_id, b.problem, true
	FROM im_internal.im_bad_events(earliest, first, until, book) b
	WHERE b.app_id = ANY ($1) OR $1 IS NULL;
	RETURN QUERY
	SELECT b.app_id, b.problem, true
	FROM im_internal.im_bad_days(first, until, book) b
	WHERE b.app_id = ANY ($1) OR $1 IS NULL;
	RETURN QUERY
	SELECT o.app_id, o.problem, false
	FROM im_internal.im_odd_days(first, until) o
	WHERE o.app_id = ANY ($1) OR $1 IS NULL;
	RETURN QUERY
	SELECT u.app_id, u.problem, false
	FROM im_internal.im_unknown_usage(first, until) u
	WHERE u.app_id = ANY ($1) OR $1 IS NULL;
END
$$;
COMMENT ON FUNCTION im_internal.im_problems_of(bigint[], @extschema@.im_month) IS
'What im_check() reports of the given apps that im_app has, of all of them if it is null.';

CREATE FUNCTION im_internal.im_problems(month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, problem text, fatal boolean)
	LANGUAGE plpgsql STABLE STRICT ROWS 10
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY SELECT * FROM im_internal.im_problems_of(NULL::bigint[], $1);
	RETURN QUERY SELECT o.app_id, o.problem, false FROM im_internal.im_orphans($1::date, upper($1::daterange)) o;
	RETURN QUERY
	SELECT l.app_id, 'the month is closed for the app without an invoice, though it had lines to bill'::text, false
	FROM im_internal.im_lost_invoices($1::date) l;
END
$$;
COMMENT ON FUNCTION im_internal.im_problems(@extschema@.im_month) IS
'What im_check() reports, with the difference between what makes a bill fail (fatal) and what only misleads.';

CREATE FUNCTION @extschema@.im_check(month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, problem text)
	LANGUAGE plpgsql STABLE STRICT ROWS 10
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	IF im_internal.im_guarded('im_check_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_check_guarded($1);
		RETURN;
	END IF;
	RETURN QUERY
	SELECT p.app_id, p.problem
	FROM (SELECT f.app_id, f.problem FROM im_internal.im_problems($1) f
		  UNION ALL
		  SELECT m.app_id, m.problem FROM im_internal.im_misleading_of(NULL::bigint[], $1) m) p
	ORDER BY p.app_id, p.problem COLLATE "C";
END
$$;
COMMENT ON FUNCTION @extschema@.im_check(@extschema@.im_month) IS
'All that would make a bill of the month fail or mislead, by app: orders that break a rule, days without a card version, plans that the version does not price, raw rows that cannot be metered, events of meters that the price list lacks, daily figures that are negative, lack users or contradict them, usage, orders and suspensions of no such app, packs in force while moderation is off, suspensions that overlap, months closed before an earlier one. Rows with the same problem are one, with their number, the first and the last in the zone of the card. Empty when all is well.';

-- What im_closing calls invoiced was issued once, wherever it is now: it is no
-- app to invoice, and only who restores it can tell what has changed.
CREATE FUNCTION im_internal.im_lost_invoices(of_month date)
	RETURNS TABLE (month date, app_id bigint)
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT k.month, a.app_id
	FROM (SELECT c.month, coalesce(range_agg(c.apps) FILTER (WHERE c.entry IS NOT NULL), '{}')
				- coalesce(range_agg(c.without_lines), '{}')
				- coalesce(range_agg(c.apps) FILTER (WHERE c.entry IS NULL), '{}') AS due
		  FROM @extschema@.im_closing c
		  WHERE $1 IS NULL OR c.month = $1
		  GROUP BY c.month) k
	JOIN @extschema@.im_app a ON a.app_id <@ k.due
	WHERE NOT EXISTS (SELECT FROM @extschema@.im_invoice i
					  WHERE i.app_id = a.app_id AND i.month = k.month AND i.revision = 0)
$$;
COMMENT ON FUNCTION im_internal.im_lost_invoices(date) IS
'The apps that have no invoice of a month, or of any if null, though im_closing does not count them among those without lines.';
