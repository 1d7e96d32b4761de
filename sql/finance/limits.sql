-- Limits and features of an app (R14).
--
-- An app asks for one in its own transactions, so the way is short: one query
-- over the rows of that app, and no usage.  All of them with what was used are
-- for who looks at an app, and usage is gathered where a limit has a meter.

CREATE FUNCTION im_internal.im_rate_limit(account im_internal.im_app_account, book im_internal.im_price_book, at timestamptz, name text)
	RETURNS numeric
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_rate_limit(im_internal.im_app_account, im_internal.im_price_book, timestamptz, text) IS
'A limit of an app on the day of an instant (R14); null where nothing states it. No table is read.';

CREATE FUNCTION im_internal.im_rate_limits(account im_internal.im_app_account, book im_internal.im_price_book, at timestamptz)
	RETURNS TABLE (name text, value numeric, source text)
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE ROWS 10 PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_rate_limits(im_internal.im_app_account, im_internal.im_price_book, timestamptz) IS
'All limits of an app on the day of an instant (R14). No table is read.';

CREATE FUNCTION im_internal.im_rate_used(account im_internal.im_app_account, usage im_internal.im_usage, book im_internal.im_price_book, today date, meter text)
	RETURNS numeric
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_rate_used(im_internal.im_app_account, im_internal.im_usage, im_internal.im_price_book, date, text) IS
'What a meter of the price list comes to in a month through a day of it: over its days with a paid plan in force or, on trial, those of the trial (R12); packs do not matter. Null for what is no meter of the list, and where distinct users are counted and a day was given without them. The arguments are values made by im_gather(); no table is read.';

-- Inlined, as all that gathers: a function that is called plans its query anew
-- in every statement.
CREATE FUNCTION im_internal.im_limit_values(app_id bigint) RETURNS TABLE (
		account im_internal.im_app_account, book im_internal.im_price_book)
	LANGUAGE sql STABLE ROWS 1
AS $$
	SELECT ROW(a.app_id, a.rate_card,
			(SELECT o.orders FROM im_internal.im_app_orders('infinity'::timestamptz) o
			 WHERE o.app_id OPERATOR(pg_catalog.=) $1),
			(SELECT s.suspensions FROM im_internal.im_app_suspensions() s
			 WHERE s.app_id OPERATOR(pg_catalog.=) $1), false)::im_internal.im_app_account,
		ROW(v.names, v.dates, v.cards)::im_internal.im_price_book
	FROM @extschema@.im_app a,
		LATERAL (
			SELECT pg_catalog.array_agg(x.rate_card) AS names, pg_catalog.array_agg(x.effective_from) AS dates,
				pg_catalog.array_agg(x.terms::@extschema@.im_rate_card) AS cards
			FROM (SELECT y.rate_card, y.effective_from, y.terms
				  FROM @extschema@.im_rate_card_version y
				  WHERE y.rate_card OPERATOR(pg_catalog.=) a.rate_card
				  ORDER BY y.effective_from) x) v
	WHERE a.app_id OPERATOR(pg_catalog.=) $1
$$;
COMMENT ON FUNCTION im_internal.im_limit_values(bigint) IS
'The account of one app, and of the price book the versions of its card; no row for an app that im_app lacks.';

CREATE FUNCTION @extschema@.im_limit(app_id bigint, name text, at timestamptz) RETURNS numeric
	LANGUAGE plpgsql STABLE STRICT
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	value numeric;
BEGIN
	IF im_internal.im_guarded('im_limit_guarded'::text) THEN
		RETURN @extschema@.im_limit_guarded($1, $2, $3);
	END IF;
	IF to_regclass('@extschema@.im_order') IS NULL THEN
		PERFORM im_internal.im_need_tables();
	END IF;
	SELECT im_internal.im_rate_limit(v.account, v.book, $3, $2)
	INTO value
	FROM im_internal.im_limit_values($1) v;
	IF NOT FOUND THEN
		PERFORM im_internal.im_raise_no_app($1);
	END IF;
	RETURN value;
END
$$;
COMMENT ON FUNCTION @extschema@.im_limit(bigint, text, timestamptz) IS
'A limit of an app on the day of an instant, in the time zone of its rate card, by the version in force on it (R14): what the plan states, replaced by what add-ons in force state; of a feature 1 or 0; Infinity where there is no limit; null where nothing states it; 0 while no plan is in force. Errors: P0002 for an unknown app, or before the first version of its card; 22008 for an instant outside the years 1 to 9999; 23514 where its orders break a rule.';

CREATE FUNCTION @extschema@.im_limit(app_id bigint, name text) RETURNS numeric
	LANGUAGE sql STABLE STRICT
	RETURN @extschema@.im_limit(app_id, name, pg_catalog.now());
COMMENT ON FUNCTION @extschema@.im_limit(bigint, text) IS
'The same now. Errors as there.';

CREATE FUNCTION @extschema@.im_can(app_id bigint, name text, at timestamptz) RETURNS boolean
	LANGUAGE sql STABLE STRICT
	RETURN @extschema@.im_limit(app_id, name, at) OPERATOR(pg_catalog.>) 0::pg_catalog.numeric;
COMMENT ON FUNCTION @extschema@.im_can(bigint, text, timestamptz) IS
'Whether an app has a feature on the day of an instant (R14), or a limit above 0; null where nothing states it; false while no plan is in force. Errors as im_limit().';

CREATE FUNCTION @extschema@.im_can(app_id bigint, name text) RETURNS boolean
	LANGUAGE sql STABLE STRICT
	RETURN @extschema@.im_can(app_id, name, pg_catalog.now());
COMMENT ON FUNCTION @extschema@.im_can(bigint, text) IS
'The same now. Errors as im_limit().';

CREATE FUNCTION @extschema@.im_limits(app_id bigint, at timestamptz)
	RETURNS TABLE (name text, value numeric, used numeric, source text)
	LANGUAGE plpgsql STABLE STRICT ROWS 10
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v record;
	zone text;
	meters text[];
BEGIN
	IF im_internal.im_guarded('im_limits_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_limits_guarded($1, $2);
		RETURN;
	END IF;
	PERFORM im_internal.im_need_app($1);
	SELECT * INTO v FROM im_internal.im_limit_values($1);
	zone := (v.book).cards[1]::jsonb ->> 'time_zone';
	SELECT array_agg(l.name) INTO meters
	FROM im_internal.im_rate_limits(v.account, v.book, $2) l
	WHERE EXISTS (
		SELECT FROM unnest((v.book).cards) c
		WHERE c::jsonb -> 'meters' ? l.name OR l.name = 'mau' AND im_internal.im_prices_users(c::jsonb));
	RETURN QUERY
	SELECT l.name, l.value,
		CASE WHEN l.name = ANY (meters)
			THEN im_internal.im_rate_used(k.account, k.usage, k.book, k.today, l.name)
			WHEN l.name IN ('dau', 'groups') THEN coalesce((
			SELECT CASE l.name WHEN 'dau' THEN d.dau ELSE d.peak_groups END
			FROM im_internal.im_daily_usage_of(ARRAY[$1], @extschema@.im_month($2, zone)) d
			WHERE d.day = @extschema@.im_day($2, zone)), 0)::numeric END,
		l.source
	FROM im_internal.im_rate_limits(v.account, v.book, $2) l
	LEFT JOIN (
		SELECT g.*
		FROM im_internal.im_gather_known($1, $2, false) g
		WHERE meters IS NOT NULL) k ON true;
END
$$;
COMMENT ON FUNCTION @extschema@.im_limits(bigint, timestamptz) IS
'All limits and features of an app on the day of an instant, by name (R14): value as im_limit() gives it, and its source: the plan ("plan pro"), an add-on in force with its option ("history_storage 90d"), or the state in which nothing is allowed (suspended, stopped, reclaimed). used, of dau and groups: the users and the most groups of that day as bills see them; of mau and of a meter of the price list: what it comes to in the month through that day by its own kind (sum, max, unique, last, average), from what im_running_bill() reads, over the days with a paid plan in force or, on trial, those of the trial, packs and who prices it aside. Null for what no meter counts, for mau under a price list that does not price it (who logged in is not kept then), and for distinct users of days given without them. Errors: as im_limit(), and 22023 for a raw row that cannot be metered.';

CREATE FUNCTION @extschema@.im_limits(app_id bigint)
	RETURNS TABLE (name text, value numeric, used numeric, source text)
	LANGUAGE sql STABLE STRICT ROWS 10
BEGIN ATOMIC
	SELECT l.name, l.value, l.used, l.source FROM @extschema@.im_limits(app_id, pg_catalog.now()) l;
END;
COMMENT ON FUNCTION @extschema@.im_limits(bigint) IS
'The same now. Errors as there.';
