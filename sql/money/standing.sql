-- Who will be suspended for arrears: what alerts tell.

-- Told of the running month alone, and without what the
-- account owes: an app may have a tenant of its own.
CREATE FUNCTION im_internal.im_arrears_standing(apps bigint[], month @extschema@.im_month, at timestamptz)
	RETURNS TABLE (app_id bigint, kind text, item text, option text, used numeric,
		allowed numeric, day date, today date, problem text)
	LANGUAGE plpgsql STABLE ROWS 10
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	accounts bigint[] := ARRAY(
		SELECT DISTINCT a.account_id
		FROM @extschema@.im_app a
		JOIN @extschema@.im_account c ON c.account_id = a.account_id
		WHERE (a.app_id = ANY ($1) OR $1 IS NULL)
			AND ($2 IS NULL OR $2::date = @extschema@.im_month($3, c.time_zone)::date));
	found @extschema@.im_arrears_line[];
BEGIN
	IF accounts = '{}' THEN
		RETURN;
	END IF;
	-- an app that cannot be rated has a row of its own
	BEGIN
		found := ARRAY(SELECT r FROM im_internal.im_arrears_of(accounts, $3) r);
	EXCEPTION
		WHEN check_violation OR no_data_found OR data_exception OR program_limit_exceeded THEN
			found := ARRAY(SELECT r FROM im_internal.im_arrears_of(ARRAY(
				SELECT unnest(accounts) EXCEPT SELECT u.account_id FROM im_internal.im_untellable(accounts, $3) u), $3) r);
	END;
	RETURN QUERY
	SELECT p.app_id, 'arrears', '', '', (s.today - s.since + 1)::numeric, 7::numeric, s.since + 7, s.today, NULL
	FROM (SELECT r.account_id, min(r.since) AS since, @extschema@.im_day($3, min(c.time_zone)) AS today
		  FROM unnest(found) r
		  JOIN @extschema@.im_account c ON c.account_id = r.account_id
		  GROUP BY r.account_id) s
	JOIN @extschema@.im_app p ON p.account_id = s.account_id
	WHERE (p.app_id = ANY ($1) OR $1 IS NULL)
		AND NOT EXISTS (SELECT FROM @extschema@.im_suspension u
						WHERE u.app_id = p.app_id AND u.reason = 'arrears' AND u.days @> s.today);
END
$$;
COMMENT ON FUNCTION im_internal.im_arrears_standing(bigint[], @extschema@.im_month, timestamptz) IS
'The apps, among the given ones, null for all, that im_suspend_arrears() will suspend unless their account pays: rows of im_standing().';
