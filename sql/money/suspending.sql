-- Suspending for arrears (R15).
--
-- What a run writes follows from the rows that it finds, and settles: a
-- suspension changes only what falls due after its first day, so the day on
-- which it ends does not move once it has ended there.

CREATE FUNCTION im_internal.im_account_arrears(accounts bigint[], at timestamptz, since date)
	RETURNS TABLE (account_id bigint, today date, opened_on date, arrears datemultirange)
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT c.account_id, @extschema@.im_day($2, c.time_zone), c.opened_on,
		coalesce(range_agg(s.arrears) FILTER (WHERE NOT isempty(s.arrears)), '{}')
	FROM @extschema@.im_account c
	LEFT JOIN im_internal.im_standings($1, $2, $3) s ON s.account_id = c.account_id
	WHERE c.account_id = ANY ($1)
	GROUP BY c.account_id, c.time_zone, c.opened_on
$$;
COMMENT ON FUNCTION im_internal.im_account_arrears(bigint[], timestamptz, date) IS
'The days of arrears of the given accounts, in whatever currency, through the day of an instant (today), exact from the given first of a month on.';

CREATE FUNCTION im_internal.im_running_arrears(accounts bigint[], at timestamptz)
	RETURNS TABLE (app_id bigint, days daterange, account_id bigint)
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT s.app_id, s.days, a.account_id
	FROM @extschema@.im_suspension s
	JOIN @extschema@.im_app a ON a.app_id = s.app_id
	JOIN @extschema@.im_account c ON c.account_id = a.account_id
	WHERE (c.account_id = ANY ($1) OR $1 IS NULL)
		AND s.reason = 'arrears' AND upper_inf(s.days) AND NOT lower_inf(s.days)
		AND lower(s.days) <= @extschema@.im_day($2, c.time_zone)
$$;
COMMENT ON FUNCTION im_internal.im_running_arrears(bigint[], timestamptz) IS
'The suspensions for arrears of the apps of the given accounts, null for all, that have begun by the day of an instant and have no end.';

CREATE FUNCTION im_internal.im_end_suspensions(among bigint[], at timestamptz) RETURNS bigint
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
	FROM im_internal.im_running_arrears($1, $2) r;
	IF accounts IS NULL THEN
		RETURN 0;
	END IF;
	WITH over AS MATERIALIZED (
		SELECT r.app_id, r.days, e.day
		FROM im_internal.im_running_arrears(accounts, $2) r
		JOIN im_internal.im_account_arrears(accounts, $2, date_trunc('month', earliest::timestamp)::date) a
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
COMMENT ON FUNCTION im_internal.im_end_suspensions(bigint[], timestamptz) IS
'Ends the suspensions for arrears of the apps of the given accounts, null for all, on the first day on which no balance was negative, and removes those that would be empty: how many.';

CREATE FUNCTION im_internal.im_begin_suspensions(among bigint[], at timestamptz, days integer) RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	owing bigint[] := ARRAY(
		SELECT DISTINCT s.account_id
		FROM im_internal.im_standings($1, $2, im_internal.im_first_of_month($2, 0)) s
		WHERE s.balance < 0);
	begun bigint;
BEGIN
	INSERT INTO @extschema@.im_suspension (app_id, days, reason)
	SELECT p.app_id, daterange(a.today, NULL), 'arrears'
	FROM im_internal.im_account_arrears(owing, $2, im_internal.im_first_of_month($2, $3)) a
	JOIN @extschema@.im_app p ON p.account_id = a.account_id
	WHERE a.arrears @> daterange(a.today - $3, a.today, '[]')
		AND NOT EXISTS (SELECT FROM @extschema@.im_suspension s
						WHERE s.app_id = p.app_id AND s.reason = 'arrears'
							AND (s.days @> a.today OR upper_inf(s.days)))
	ORDER BY p.app_id;
	GET DIAGNOSTICS begun = ROW_COUNT;
	RETURN begun;
END
$$;
COMMENT ON FUNCTION im_internal.im_begin_suspensions(bigint[], timestamptz, integer) IS
'Suspends from the day of an instant the apps of those of the given accounts, null for all, that were in arrears on so many days before it and still are: how many.';

-- Halved until the accounts that fail stand alone.
CREATE FUNCTION im_internal.im_untellable(accounts bigint[], at timestamptz)
	RETURNS TABLE (account_id bigint, problem text)
	LANGUAGE plpgsql STABLE ROWS 10
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	middle integer := cardinality($1) / 2;
	message text;
	detail text;
BEGIN
	IF cardinality($1) = 0 THEN
		RETURN;
	END IF;
	BEGIN
		PERFORM count(*) FROM im_internal.im_account_dues($1, $2, '0001-01-01'::date);
		RETURN;
	EXCEPTION
		WHEN check_violation OR no_data_found OR data_exception OR program_limit_exceeded THEN
			GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	END;
	IF middle = 0 THEN
		RETURN QUERY SELECT $1[1], format('%s. %s', message, detail);
		RETURN;
	END IF;
	RETURN QUERY SELECT * FROM im_internal.im_untellable($1[:middle], $2);
	RETURN QUERY SELECT * FROM im_internal.im_untellable($1[middle + 1:], $2);
END
$$;
COMMENT ON FUNCTION im_internal.im_untellable(bigint[], timestamptz) IS
'Those of the accounts whose balance cannot be told because a bill of theirs cannot be computed, and why.';

CREATE FUNCTION im_internal.im_tellable_accounts(at timestamptz, warn boolean) RETURNS bigint[]
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	accounts bigint[] := ARRAY(SELECT c.account_id FROM @extschema@.im_account c ORDER BY c.account_id);
	wrong bigint[];
	problem text;
BEGIN
	SELECT array_agg(u.account_id ORDER BY u.account_id), (array_agg(u.problem ORDER BY u.account_id))[1]
	INTO wrong, problem
	FROM im_internal.im_untellable(accounts, $1) u;
	IF $2 AND wrong IS NOT NULL THEN
		RAISE WARNING USING
			MESSAGE = CASE WHEN cardinality(wrong) = 1 THEN format('the balance of account %s cannot be told, its apps are left as they are', wrong[1])
				ELSE format('the balances of %s accounts cannot be told, their apps are left as they are', cardinality(wrong)) END,
			DETAIL = format('Accounts: %s%s. The first problem met: %s', array_to_string(wrong[:20], ', '),
				CASE WHEN cardinality(wrong) > 20 THEN ', ...' END, problem),
			HINT = format('SELECT * FROM %s.im_check(month) lists what to correct in a month.', '@extschema@');
	END IF;
	RETURN ARRAY(SELECT unnest(accounts) EXCEPT SELECT unnest(wrong));
END
$$;
COMMENT ON FUNCTION im_internal.im_tellable_accounts(timestamptz, boolean) IS
'The accounts whose balance at an instant can be told; a warning tells of the others.';

CREATE FUNCTION @extschema@.im_suspend_arrears(at timestamptz, days integer) RETURNS bigint
	LANGUAGE plpgsql STRICT
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
DECLARE
	others bigint[];
BEGIN
	IF im_internal.im_guarded('im_suspend_arrears_guarded'::text) THEN
		RETURN @extschema@.im_suspend_arrears_guarded($1, $2);
	END IF;
	PERFORM im_internal.im_need_tables();
	IF $1 NOT BETWEEN '0001-01-02 00:00+00' AND '9999-12-30 00:00+00' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'datetime_field_overflow',
			MESSAGE = format('no app is suspended at %s', $1),
			DETAIL = 'Days of arrears are counted in the years 1 to 9999.',
			HINT = 'Call im_suspend_arrears(now()).';
	END IF;
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
	BEGIN
		RETURN im_internal.im_end_suspensions(NULL::bigint[], $1) + im_internal.im_begin_suspensions(NULL::bigint[], $1, $2);
	EXCEPTION
		WHEN check_violation OR no_data_found OR data_exception OR program_limit_exceeded THEN
			others := im_internal.im_tellable_accounts($1, true);
	END;
	RETURN im_internal.im_end_suspensions(others, $1) + im_internal.im_begin_suspensions(others, $1, $2);
END
$$;
COMMENT ON FUNCTION @extschema@.im_suspend_arrears(timestamptz, integer) IS
'Suspends the apps of accounts whose arrears have stood so many days, the first one counted, from the day after, but never from before the day of the instant; ends the suspensions for arrears of apps with an account on the first day on which no balance was negative, and removes those that are empty: the number of suspensions begun, ended or removed. Run again it changes nothing. Apps without account are left alone, and with a warning so are those of accounts whose balance cannot be told because a bill cannot be right. Errors: 22023 for other days than 0 to 3660, 25000 but in READ COMMITTED, 22008 for an instant outside the years 1 to 9999.';

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
