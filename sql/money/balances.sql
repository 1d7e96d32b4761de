-- Balances and arrears.

CREATE TYPE @extschema@.im_balance_line AS (
	currency text,
	owed numeric,
	paid numeric,
	balance numeric
);
COMMENT ON TYPE @extschema@.im_balance_line IS
'How an account stands in a currency.';
COMMENT ON COLUMN @extschema@.im_balance_line.currency IS 'ISO 4217 code of the amounts.';
COMMENT ON COLUMN @extschema@.im_balance_line.owed IS 'What is due, each app and month rounded as a total.';
COMMENT ON COLUMN @extschema@.im_balance_line.paid IS 'What was paid, less what was given back.';
COMMENT ON COLUMN @extschema@.im_balance_line.balance IS 'paid - owed: negative where the account is in arrears.';

CREATE TYPE @extschema@.im_arrears_line AS (
	account_id bigint,
	currency text,
	balance numeric,
	since date
);
COMMENT ON TYPE @extschema@.im_arrears_line IS
'The arrears of an account in a currency.';
COMMENT ON COLUMN @extschema@.im_arrears_line.account_id IS 'The account.';
COMMENT ON COLUMN @extschema@.im_arrears_line.currency IS 'ISO 4217 code of balance.';
COMMENT ON COLUMN @extschema@.im_arrears_line.balance IS 'What was paid less what is owed: negative.';
COMMENT ON COLUMN @extschema@.im_arrears_line.since IS 'First of the days, without a break until now, at whose end the balance was negative.';

-- Within it, and from it on, days are told apart.
CREATE FUNCTION im_internal.im_first_of_month(at timestamptz, days integer) RETURNS date
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	-- a day earlier, for zones to the west
	RETURN date_trunc('month', greatest((at AT TIME ZONE 'UTC')::date - 1 - days, '0001-01-01')::timestamp)::date;
COMMENT ON FUNCTION im_internal.im_first_of_month(timestamptz, integer) IS
'The first of a month that is no later than so many days before an instant, in any time zone.';

CREATE FUNCTION @extschema@.im_balance(account_id bigint, at timestamptz)
	RETURNS SETOF @extschema@.im_balance_line
	LANGUAGE plpgsql STABLE STRICT ROWS 1
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF im_internal.im_guarded('im_balance_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_balance_guarded($1, $2);
		RETURN;
	END IF;
	PERFORM im_internal.im_need_account($1);
	PERFORM @extschema@.im_month($2, 'UTC'::text);
	RETURN QUERY
	SELECT m.currency, sum(m.owed), sum(m.paid), sum(m.paid) - sum(m.owed)
	FROM im_internal.im_account_moves(ARRAY[$1], $2, im_internal.im_first_of_month($2, 0)) m
	GROUP BY m.currency
	ORDER BY m.currency COLLATE "C";
END
$$;
COMMENT ON FUNCTION @extschema@.im_balance(bigint, timestamptz) IS
'How an account stands at an instant, a row a currency (R15): owed is what fell due since im_account.opened_on, call minutes and deductions on the day after use, a note with its issue, all else on its day; paid what was paid until the instant. Errors: P0002 for an unknown account, else as im_monthly_bill(); 22008 for an instant outside the years 1 to 9999.';

CREATE FUNCTION @extschema@.im_balance(account_id bigint)
	RETURNS SETOF @extschema@.im_balance_line
	LANGUAGE plpgsql STABLE STRICT ROWS 1
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY SELECT * FROM @extschema@.im_balance($1, now());
END
$$;
COMMENT ON FUNCTION @extschema@.im_balance(bigint) IS
'How an account stands now, a row a currency. Errors as im_balance(account_id, at).';

CREATE FUNCTION im_internal.im_standings(accounts bigint[], at timestamptz, since date)
	RETURNS TABLE (account_id bigint, currency text, balance numeric, arrears datemultirange)
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT b.account_id, b.currency, (array_agg(b.balance ORDER BY b.day DESC))[1],
		coalesce(range_agg(daterange(b.day, coalesce(b.next_day, @extschema@.im_day($2, c.time_zone) + 1)))
			FILTER (WHERE b.balance < 0), '{}')
	FROM (SELECT m.account_id, m.currency, m.day,
				 sum(m.paid - m.owed) OVER following AS balance,
				 lead(m.day) OVER following AS next_day
		  FROM im_internal.im_account_moves($1, $2, $3) m
		  WINDOW following AS (PARTITION BY m.account_id, m.currency ORDER BY m.day)) b
	JOIN @extschema@.im_account c ON c.account_id = b.account_id
	GROUP BY b.account_id, b.currency
$$;
COMMENT ON FUNCTION im_internal.im_standings(bigint[], timestamptz, date) IS
'The balances of the given accounts, null for all, at an instant, and the days of arrears through its day, exact from the given first of a month on.';

-- The days of a document are told apart as far back as the arrears reach.
CREATE FUNCTION im_internal.im_arrears_of(accounts bigint[], at timestamptz)
	RETURNS SETOF @extschema@.im_arrears_line
	LANGUAGE plpgsql STABLE ROWS 100
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
DECLARE
	among bigint[] := $1;
	looking date[] := ARRAY[im_internal.im_first_of_month($2, 0), im_internal.im_first_of_month($2, 93), '0001-01-01'::date];
	found @extschema@.im_arrears_line[];
	exact date;
BEGIN
	FOREACH exact IN ARRAY looking LOOP
		found := ARRAY(
			SELECT ROW(s.account_id, s.currency, s.balance,
				(SELECT max(lower(r)) FROM unnest(s.arrears) r))::@extschema@.im_arrears_line
			FROM im_internal.im_standings(among, $2, exact) s
			WHERE s.balance < 0);
		among := ARRAY(SELECT DISTINCT f.account_id FROM unnest(found) f WHERE f.since <= exact AND exact > '0001-01-01');
		RETURN QUERY SELECT f.* FROM unnest(found) f WHERE f.account_id <> ALL (among);
		EXIT WHEN among = '{}';
	END LOOP;
END
$$;
COMMENT ON FUNCTION im_internal.im_arrears_of(bigint[], timestamptz) IS
'im_arrears() of the given accounts; null for all of them.';

CREATE FUNCTION @extschema@.im_arrears(at timestamptz)
	RETURNS SETOF @extschema@.im_arrears_line
	LANGUAGE plpgsql STABLE STRICT ROWS 100
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF im_internal.im_guarded('im_arrears_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_arrears_guarded($1);
		RETURN;
	END IF;
	PERFORM im_internal.im_need_tables();
	PERFORM @extschema@.im_month($1, 'UTC'::text);
	RETURN QUERY
	SELECT a.*
	FROM im_internal.im_arrears_of(NULL::bigint[], $1) a
	ORDER BY a.account_id, a.currency COLLATE "C";
END
$$;
COMMENT ON FUNCTION @extschema@.im_arrears(timestamptz) IS
'The accounts that are in arrears at an instant: each currency whose balance is negative, and the first of the days, in the time zone of the account and without a break until the instant, at whose end it was. Errors as im_balance().';
