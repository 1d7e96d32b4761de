-- Thresholds: how all apps stand on a day, and who has to be told.

CREATE FUNCTION im_internal.im_rate_standing(account im_internal.im_app_account, usage im_internal.im_usage, book im_internal.im_price_book, month @extschema@.im_month, at timestamptz)
	RETURNS TABLE (kind text, item text, option text, used numeric, allowed numeric, day date, today date, problem text)
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE ROWS 5 PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_rate_standing(im_internal.im_app_account, im_internal.im_usage, im_internal.im_price_book, @extschema@.im_month, timestamptz) IS
'How one app stands on a day. The arguments are values made by im_gather(), and the instant; no table is read.';

CREATE FUNCTION im_internal.im_standing_in(apps bigint[], month @extschema@.im_month, at timestamptz)
	RETURNS TABLE (app_id bigint, kind text, item text, option text, used numeric,
		allowed numeric, day date, today date, problem text)
	LANGUAGE plpgsql STABLE ROWS 50000
	SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_custom_plan
	SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	first date := $2::date;
	until date := upper($2::daterange);
	book im_internal.im_price_book := im_internal.im_price_book(NULL::@extschema@.im_rate_card);
	reading im_internal.im_reading;
	early bigint[];
	since date[];
	detail text;
BEGIN
	IF $1 IS NOT NULL THEN
		SELECT array_agg(e.app_id), array_agg(e.since) INTO early, since
		FROM im_internal.im_early_usage_of($1, first, until, NULL::@extschema@.im_rate_card, book) e;
		RETURN QUERY
		SELECT g.app_id, s.*
		FROM im_internal.im_gather_of($1, first, until, NULL::@extschema@.im_rate_card, early, since) g,
			im_internal.im_rate_standing(g.account, g.usage, book, $2, $3) s;
		RETURN;
	END IF;
	reading := im_internal.im_reading(first, until, NULL::@extschema@.im_rate_card, book, NULL::bigint);
	RETURN QUERY
	SELECT g.app_id, s.*
	FROM im_internal.im_gather(first, until, NULL::@extschema@.im_rate_card, reading) g,
		im_internal.im_rate_standing(g.account, g.usage, book, $2, $3) s;
EXCEPTION
	WHEN check_violation OR no_data_found OR data_exception OR program_limit_exceeded THEN
		IF $1 IS NOT NULL THEN
			RAISE;
		END IF;
		GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
		PERFORM im_internal.im_raise_unbillable($2, SQLSTATE, SQLERRM, detail);
END
$$;
COMMENT ON FUNCTION im_internal.im_standing_in(bigint[], @extschema@.im_month, timestamptz) IS
'im_standing() of the given apps in the given month; null for all of them.';

-- At any instant at most two months run on earth.
CREATE FUNCTION im_internal.im_standing_of(among bigint[], month @extschema@.im_month, at timestamptz)
	RETURNS TABLE (app_id bigint, kind text, item text, option text, used numeric,
		allowed numeric, day date, today date, problem text)
	LANGUAGE plpgsql STABLE ROWS 50000
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	IF $3 IS NULL THEN
		RETURN;
	END IF;
	RETURN QUERY SELECT * FROM im_internal.im_arrears_standing($1, $2, $3);
	IF $2 IS NOT NULL THEN
		RETURN QUERY SELECT * FROM im_internal.im_standing_in($1, $2, $3);
		RETURN;
	END IF;
	RETURN QUERY
	WITH running AS MATERIALIZED (
		SELECT a.app_id, @extschema@.im_month($3, coalesce(a.time_zone, 'UTC'))::date AS first
		FROM im_internal.im_app_cards(NULL::@extschema@.im_rate_card) a)
	SELECT s.*
	FROM (SELECT DISTINCT r.first FROM running r) m,
		LATERAL im_internal.im_standing_in($1, m.first::@extschema@.im_month, $3) s
	WHERE EXISTS (SELECT FROM running r WHERE r.app_id = s.app_id AND r.first = m.first);
END
$$;
COMMENT ON FUNCTION im_internal.im_standing_of(bigint[], @extschema@.im_month, timestamptz) IS
'im_standing() of the given apps; null for all of them.';

CREATE FUNCTION @extschema@.im_standing(month @extschema@.im_month, at timestamptz DEFAULT now())
	RETURNS TABLE (app_id bigint, kind text, item text, option text, used numeric,
		allowed numeric, day date, today date, problem text)
	LANGUAGE plpgsql STABLE ROWS 50000
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM im_internal.im_need_tables();
	IF im_internal.im_guarded('im_standing_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_standing_guarded($1, $2);
		RETURN;
	END IF;
	RETURN QUERY SELECT * FROM im_internal.im_standing_of(NULL::bigint[], $1, $2);
END
$$;
COMMENT ON FUNCTION @extschema@.im_standing(@extschema@.im_month, timestamptz) IS
'How every app stands on the day of an instant, or on the last day of the month where that is earlier, set-wise: used of allowed. kind: dau, mau, groups (peak of the month through that day against the quota of the plan; of the free plan against its limit, 100 where the card states no limits), meter (quantity of a meter by name through that day, less what packs gave, against what is included), call_minutes (pack minutes), moderation_pack (deductions) and pack (of the meter that is the item) of the packs in force on the day, term (days of a term that nothing follows), grace (its days), arrears (the days that those of its account have stood, of the seven after which im_suspend_arrears() suspends the app, on day), problem (why the app cannot be rated). day: of the peak, the last of the term, or the day asked for, which is today. Without a month each app in the one that runs at the instant in the time zone of its card. Error for raw rows that cannot be metered as im_monthly_bills().';

CREATE FUNCTION im_internal.im_sentence(sentence text) RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_sentence(text) IS
'A sentence with characters that change the direction of text replaced by U+FFFD: names of plans and add-ons stand in it.';

CREATE FUNCTION im_internal.im_alert_message(kind text, item text, option text, used numeric,
		allowed numeric, day date, today date, problem text)
	RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT im_internal.im_sentence(CASE $1
		WHEN 'dau' THEN format('Peak DAU %s on %s: the limit of plan %s is %s%s.', $4, d.day, $3, $5, d.percent)
		WHEN 'mau' THEN format('%s users of the month by %s: the limit of plan %s is %s%s.', $4, d.day, $3, $5, d.percent)
		WHEN 'groups' THEN format('Peak of %s groups on %s: the limit of plan %s is %s%s.', $4, d.day, $3, $5, d.percent)
		WHEN 'meter' THEN format('%s %s of the month by %s: %s are included%s.', $4, $2, d.day, $5, d.percent)
		WHEN 'pack' THEN format('%s of %s %s of the packs in force on %s are used%s.', $4, $5, $2, d.day, d.percent)
		WHEN 'call_minutes' THEN format('%s of %s pack minutes in force on %s are used%s.', $4, $5, d.day, d.percent)
		WHEN 'moderation_pack' THEN format('%s of %s deductions of the packs in force on %s are used%s.', $4, $5, d.day, d.percent)
		WHEN 'term' THEN format('%s ends on %s, %s, and nothing follows it.', concat_ws(' ', $2, nullif($3, '')), d.day, d.left)
		WHEN 'arrears' THEN format('Its account is in arrears since %s: the app is suspended from %s on unless that is paid.', to_char($6 - $5::integer, 'YYYY-MM-DD'), d.day)
		WHEN 'grace' THEN format('The grace of %s ends on %s, %s: then the app stops.', concat_ws(' ', $2, nullif($3, '')), d.day, d.left)
		ELSE $8 END)
	FROM (SELECT to_char($6, 'YYYY-MM-DD'),
			coalesce(format(' (%s %%)', trunc(100 * $4 / nullif($5, 0), 1)), ''),
			CASE $6 - $7 WHEN 0 THEN 'today' WHEN 1 THEN 'in 1 day' ELSE format('in %s days', $6 - $7) END
		 ) d(day, percent, "left")
$$;
COMMENT ON FUNCTION im_internal.im_alert_message(text, text, text, numeric, numeric, date, date, text) IS
'A row of im_standing() in one sentence.';

CREATE FUNCTION @extschema@.im_alerts(month @extschema@.im_month, share numeric DEFAULT 0.8,
		days integer DEFAULT 7)
	RETURNS TABLE (app_id bigint, kind text, item text, used numeric, allowed numeric,
		ratio numeric, day date, message text)
	LANGUAGE plpgsql STABLE ROWS 1000
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	IF NOT ($2 >= 0 AND $2 < 'infinity') OR $3 < 0 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('share %s and days %s are no thresholds', $2, $3),
			DETAIL = 'Both are at least 0; share is a part of what is allowed, 1 being all of it.',
			HINT = 'Call im_alerts(month, 0.8, 7) to hear of four fifths used and of a week left.';
	END IF;
	RETURN QUERY
	SELECT s.app_id, s.kind, s.item, s.used, s.allowed, round(s.used / nullif(s.allowed, 0), 4), s.day,
		im_internal.im_alert_message(s.kind, s.item, s.option, s.used, s.allowed, s.day, s.today, s.problem)
	FROM @extschema@.im_standing($1, now()) s
	WHERE $2 IS NOT NULL AND $3 IS NOT NULL AND CASE s.kind
		WHEN 'problem' THEN true
		WHEN 'term' THEN s.day - s.today <= $3
		WHEN 'grace' THEN s.day - s.today <= $3
		WHEN 'arrears' THEN s.day - s.today <= $3
		ELSE s.used > 0 AND s.used >= $2 * s.allowed END;
END
$$;
COMMENT ON FUNCTION @extschema@.im_alerts(@extschema@.im_month, numeric, integer) IS
'Apps that have used at least a share of a quota or of their packs, or with a term or grace that ends within so many days and that nothing follows, or that within so many days will be suspended for the arrears of their account, as of today or of the last day of the month where that is earlier, without a month in the one that runs for the app: rows of im_standing() with used / allowed (ratio) and a sentence. item: of the bill, or what the term is of. Errors: 22023 for a negative share or days; raw rows that cannot be metered as im_monthly_bills().';

CREATE FUNCTION @extschema@.im_notify_alerts(channel text, month @extschema@.im_month DEFAULT NULL,
		share numeric DEFAULT 0.8, days integer DEFAULT 7)
	RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	told bigint;
BEGIN
	SELECT count(pg_notify($1, row_to_json(a)::text)) INTO told
	FROM (SELECT * FROM @extschema@.im_alerts($2, $3, $4)
		  ORDER BY app_id, kind, item) a;
	RETURN told;
END
$$;
COMMENT ON FUNCTION @extschema@.im_notify_alerts(text, @extschema@.im_month, numeric, integer) IS
'Sends every row of im_alerts() as JSON to a channel of NOTIFY and returns their number; without a month those of the one that runs in each app''s time zone. Errors as im_alerts() and pg_notify().';
