-- Suspending for arrears (R15).
--
-- What a run writes follows from the rows that it finds, and settles: a
-- suspension changes only what falls due after its first day, so the day on
-- which it ends does not move once it has ended there.

CREATE FUNCTION @extschema@.im_account_arrears(accounts bigint[], at timestamptz, since date)
	RETURNS TABLE (account_id bigint, today date, opened_on date, arrears datemultirange)
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT c.account_id, @extschema@.im_day($2, c.time_zone), c.opened_on,
		coalesce(range_agg(s.arrears) FILTER (WHERE NOT isempty(s.arrears)), '{}')
	FROM @extschema@.im_account c
	LEFT JOIN @extschema@.im_standings($1, $2, $3) s ON s.account_id = c.account_id
	WHERE c.account_id = ANY ($1)
	GROUP BY c.account_id
$$;
COMMENT ON FUNCTION @extschema@.im_account_arrears(bigint[], timestamptz, date) IS
'The days of arrears of the given accounts, in whatever currency, through the day of an instant (today), exact from the given first of a month on.';

CREATE FUNCTION @extschema@.im_running_arrears(at timestamptz)
	RETURNS TABLE (app_id bigint, days daterange, account_id bigint)
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT s.app_id, s.days, a.account_id
	FROM @extschema@.im_suspension s
	JOIN @extschema@.im_app a ON a.app_id = s.app_id
	JOIN @extschema@.im_account c ON c.account_id = a.account_id
	WHERE s.reason = 'arrears' AND upper_inf(s.days) AND NOT lower_inf(s.days)
		AND lower(s.days) <= @extschema@.im_day($1, c.time_zone)
$$;
COMMENT ON FUNCTION @extschema@.im_running_arrears(timestamptz) IS
'The suspensions for arrears of apps with an account that have begun by the day of an instant and have no end.';

CREATE FUNCTION @extschema@.im_end_suspensions(at timestamptz) RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	accounts bigint[];
	earliest date;
	removed bigint;
	ended bigint;
BEGIN
	SELECT array_agg(DISTINCT r.account_id), min(lower(r.days)) INTO accounts, earliest
	FROM @extschema@.im_running_arrears($1) r;
	IF accounts IS NULL THEN
		RETURN 0;
	END IF;
	WITH over AS MATERIALIZED (
		SELECT r.app_id, r.days, e.day
		FROM @extschema@.im_running_arrears($1) r
		JOIN @extschema@.im_account_arrears(accounts, $1, date_trunc('month', earliest::timestamp)::date) a
			ON a.account_id = r.account_id
		CROSS JOIN LATERAL (
			-- its first day, or the day after the arrears of that day
			SELECT coalesce((SELECT upper(n) FROM unnest(a.arrears) n WHERE n @> greatest(lower(r.days), a.opened_on)),
				greatest(lower(r.days), a.opened_on))) e(day)
		WHERE e.day <= a.today),
	gone AS (
		DELETE FROM @extschema@.im_suspension s
		USING over o
		WHERE s.app_id = o.app_id AND s.days = o.days AND s.reason = 'arrears' AND o.day = lower(o.days)
		RETURNING s.app_id),
	cut AS (
		UPDATE @extschema@.im_suspension s
		SET days = daterange(lower(o.days), o.day)
		FROM over o
		WHERE s.app_id = o.app_id AND s.days = o.days AND s.reason = 'arrears' AND o.day > lower(o.days)
		RETURNING s.app_id)
	SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM cut) INTO removed, ended;
	RETURN removed + ended;
END
$$;
COMMENT ON FUNCTION @extschema@.im_end_suspensions(timestamptz) IS
'Ends the suspensions for arrears of apps with an account on the first day on which no balance of it was negative, and removes those that would be empty: how many.';

CREATE FUNCTION @extschema@.im_begin_suspensions(at timestamptz, days integer) RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	owing bigint[] := ARRAY(
		SELECT DISTINCT s.account_id
		FROM @extschema@.im_standings(NULL::bigint[], $1, @extschema@.im_first_of_month($1, 0)) s
		WHERE s.balance < 0);
	begun bigint;
BEGIN
	INSERT INTO @extschema@.im_suspension (app_id, days, reason)
	SELECT p.app_id, daterange(a.today, NULL), 'arrears'
	FROM @extschema@.im_account_arrears(owing, $1, @extschema@.im_first_of_month($1, $2)) a
	JOIN @extschema@.im_app p ON p.account_id = a.account_id
	WHERE a.arrears @> daterange(a.today - $2, a.today, '[]')
		AND NOT EXISTS (SELECT FROM @extschema@.im_suspension s
						WHERE s.app_id = p.app_id AND s.reason = 'arrears'
							AND (s.days @> a.today OR upper_inf(s.days)))
	ORDER BY p.app_id;
	GET DIAGNOSTICS begun = ROW_COUNT;
	RETURN begun;
END
$$;
COMMENT ON FUNCTION @extschema@.im_begin_suspensions(timestamptz, integer) IS
'Suspends from the day of an instant the apps of accounts that were in arrears on so many days before it and still are: how many.';

CREATE FUNCTION @extschema@.im_suspend_arrears(at timestamptz, days integer) RETURNS bigint
	LANGUAGE plpgsql STRICT
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
BEGIN
	IF @extschema@.im_guarded('im_suspend_arrears_guarded'::text) THEN
		RETURN @extschema@.im_suspend_arrears_guarded($1, $2);
	END IF;
	PERFORM @extschema@.im_need_tables();
	IF $2 NOT BETWEEN 0 AND 3660 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('arrears cannot stand %s days', $2),
			DETAIL = 'It is the number of days of arrears that pass before an app is suspended, from 0 to 3660.',
			HINT = 'Call im_suspend_arrears(now(), 7) to suspend on the eighth day.';
	END IF;
	-- who waits for another run has to see what that one wrote
	IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_transaction_state',
			MESSAGE = format('im_suspend_arrears() does not run in a transaction that is %s', current_setting('transaction_isolation')),
			DETAIL = 'Such a transaction does not see what was committed after its first query: a run beside another one would suspend twice.',
			HINT = 'Call it in a transaction that is READ COMMITTED.';
	END IF;
	-- whoever else writes suspensions waits, and those who read them do not
	LOCK TABLE @extschema@.im_suspension IN SHARE ROW EXCLUSIVE MODE;
	RETURN @extschema@.im_end_suspensions($1) + @extschema@.im_begin_suspensions($1, $2);
END
$$;
COMMENT ON FUNCTION @extschema@.im_suspend_arrears(timestamptz, integer) IS
'Suspends the apps of accounts whose arrears have stood so many days, the first one counted, from the day after, but never from before the day of the instant; ends the suspensions for arrears of apps with an account on the first day on which no balance was negative, and removes those that are empty: the number of suspensions begun, ended or removed. Run again it changes nothing. Apps without account are left alone. Errors: 22023 for other days than 0 to 3660, 25000 but in READ COMMITTED, else as im_balance().';

CREATE FUNCTION @extschema@.im_suspend_arrears(at timestamptz) RETURNS bigint
	LANGUAGE plpgsql STRICT
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN @extschema@.im_suspend_arrears($1, 7);
END
$$;
COMMENT ON FUNCTION @extschema@.im_suspend_arrears(timestamptz) IS
'im_suspend_arrears(at, 7).';
