-- Accounts: the apps that one customer pays for, and their bills together.
--
-- A document keeps the account as it was when it was issued; what is not
-- closed belongs to the account of now (R15).

CREATE TYPE @extschema@.im_account_line AS (
	account_id bigint,
	app_id bigint,
	month date,
	line integer,
	item text,
	option text,
	period daterange,
	due_on date,
	quantity numeric,
	included numeric,
	billable numeric,
	units numeric,
	unit_price numeric,
	amount numeric,
	currency text,
	explanation text
);
COMMENT ON TYPE @extschema@.im_account_line IS
'A line of the bill of an account: im_bill_line with the account before it.';
COMMENT ON COLUMN @extschema@.im_account_line.account_id IS 'The account that pays.';
COMMENT ON COLUMN @extschema@.im_account_line.app_id IS 'The app (SDKAppID) that the line is of.';
COMMENT ON COLUMN @extschema@.im_account_line.month IS 'First day of the usage month.';
COMMENT ON COLUMN @extschema@.im_account_line.line IS 'Number of the line in the bill of the app.';
COMMENT ON COLUMN @extschema@.im_account_line.item IS 'As in im_bill_line, as all that follows.';
COMMENT ON COLUMN @extschema@.im_account_line.option IS 'Plan, option, class or pack.';
COMMENT ON COLUMN @extschema@.im_account_line.period IS 'Days that the line pays for.';
COMMENT ON COLUMN @extschema@.im_account_line.due_on IS 'Day on which the amount falls due.';
COMMENT ON COLUMN @extschema@.im_account_line.quantity IS 'What was used or bought.';
COMMENT ON COLUMN @extschema@.im_account_line.included IS 'What a quota or packs covered.';
COMMENT ON COLUMN @extschema@.im_account_line.billable IS 'The rest.';
COMMENT ON COLUMN @extschema@.im_account_line.units IS 'What is multiplied by unit_price.';
COMMENT ON COLUMN @extschema@.im_account_line.unit_price IS 'Price of a unit.';
COMMENT ON COLUMN @extschema@.im_account_line.amount IS 'Exact, to at most 8 places.';
COMMENT ON COLUMN @extschema@.im_account_line.currency IS 'ISO 4217 code of amount.';
COMMENT ON COLUMN @extschema@.im_account_line.explanation IS 'One sentence on how the amount came about.';

CREATE FUNCTION im_internal.im_account_apps(accounts bigint[]) RETURNS bigint[]
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(array_agg(a.app_id ORDER BY a.app_id), '{}')
	FROM @extschema@.im_app a
	WHERE a.account_id = ANY ($1) OR $1 IS NULL AND a.account_id IS NOT NULL
$$;
COMMENT ON FUNCTION im_internal.im_account_apps(bigint[]) IS
'The apps of the given accounts; null for those of all accounts.';

CREATE FUNCTION im_internal.im_account_documents(accounts bigint[])
	RETURNS TABLE (account_id bigint, app_id bigint, month date, revision integer,
		currency text, total numeric, issued_at timestamptz)
	LANGUAGE sql STABLE
AS $$
	SELECT i.account_id, i.app_id, i.month, i.revision, i.currency, i.total, i.issued_at
	FROM @extschema@.im_invoice i
	WHERE i.account_id = ANY ($1) OR $1 IS NULL AND i.account_id IS NOT NULL
	UNION ALL
	-- those of before version 0.3.0 keep none
	SELECT a.account_id, i.app_id, i.month, i.revision, i.currency, i.total, i.issued_at
	FROM @extschema@.im_app a
	JOIN @extschema@.im_invoice i ON i.app_id = a.app_id AND i.digest_version < 3
	WHERE a.account_id = ANY ($1) OR $1 IS NULL AND a.account_id IS NOT NULL
$$;
COMMENT ON FUNCTION im_internal.im_account_documents(bigint[]) IS
'The documents that were issued to the given accounts, null for all of them; documents of before version 0.3.0 are those of the apps'' accounts of now.';

CREATE FUNCTION im_internal.im_account_lines(account_id bigint, month @extschema@.im_month, reasons boolean)
	RETURNS SETOF @extschema@.im_account_line
	LANGUAGE plpgsql STABLE STRICT ROWS 30
	SET search_path = pg_catalog, pg_temp
	SET jit = off	-- as in im_rebill()
AS $$
BEGIN
	PERFORM im_internal.im_need_account($1);
	RETURN QUERY
	SELECT $1, b.*
	FROM (SELECT l.app_id, l.month,
				 row_number() OVER (PARTITION BY l.app_id ORDER BY l.revision, l.line)::integer,
				 l.item, l.option, l.period, l.due_on, l.quantity, l.included, l.billable, l.units,
				 l.unit_price, l.amount, l.currency,
				 CASE WHEN $3 THEN im_internal.im_line_reason(l.reason, l.figures, l.explanation) ELSE l.explanation END
		  FROM im_internal.im_account_documents(ARRAY[$1]) d
		  JOIN @extschema@.im_invoice_line l
			ON l.app_id = d.app_id AND l.month = d.month AND l.revision = d.revision
		  WHERE d.month = $2::date
		  UNION ALL
		  SELECT r.*
		  FROM im_internal.im_rebill_apps($2,
			im_internal.im_open_among(im_internal.im_account_apps(ARRAY[$1]), $2), $3) r
		 ) b(app_id, month, line)
	ORDER BY b.app_id, b.line;
END
$$;
COMMENT ON FUNCTION im_internal.im_account_lines(bigint, @extschema@.im_month, boolean) IS
'im_account_bill(), with sentences or with reasons (im_line_reason()).';

CREATE FUNCTION @extschema@.im_account_bill(account_id bigint, month @extschema@.im_month)
	RETURNS SETOF @extschema@.im_account_line
	LANGUAGE plpgsql STABLE STRICT ROWS 30
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF im_internal.im_guarded('im_account_bill_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_account_bill_guarded($1, $2);
	ELSE
		RETURN QUERY SELECT * FROM im_internal.im_account_lines($1, $2, false);
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_account_bill(bigint, @extschema@.im_month) IS
'The bill of a month of an account: the lines of all its apps, by app and line; of closed apps those of the documents that were issued to the account. Errors: P0002 for an unknown account, else as im_monthly_bill().';

CREATE FUNCTION im_internal.im_account_totals_of(accounts bigint[], month @extschema@.im_month)
	RETURNS TABLE (account_id bigint, currency text, total numeric)
	LANGUAGE plpgsql STABLE ROWS 1000
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	SELECT t.account_id, t.currency, sum(t.total)
	FROM (SELECT d.account_id, d.currency, d.total
		  FROM im_internal.im_account_documents($1) d
		  WHERE d.month = $2::date
		  UNION ALL
		  SELECT a.account_id, l.currency, round(sum(l.amount), max(p.scale))
		  FROM im_internal.im_rebill_apps($2,
			im_internal.im_open_among(im_internal.im_account_apps($1), $2), false) l
		  JOIN @extschema@.im_app a ON a.app_id = l.app_id
		  JOIN im_internal.im_cards_in_force($2) p ON p.rate_card = a.rate_card
		  GROUP BY a.account_id, l.app_id, l.currency) t(account_id, currency, total)
	GROUP BY t.account_id, t.currency
	ORDER BY t.account_id, t.currency COLLATE "C";
END
$$;
COMMENT ON FUNCTION im_internal.im_account_totals_of(bigint[], @extschema@.im_month) IS
'im_account_totals() of the given accounts; null for all of them.';

CREATE FUNCTION @extschema@.im_account_totals(month @extschema@.im_month)
	RETURNS TABLE (account_id bigint, currency text, total numeric)
	LANGUAGE plpgsql STABLE STRICT ROWS 1000
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF im_internal.im_guarded('im_account_totals_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_account_totals_guarded($1);
		RETURN;
	END IF;
	PERFORM im_internal.im_need_tables();
	RETURN QUERY SELECT * FROM im_internal.im_account_totals_of(NULL::bigint[], $1);
END
$$;
COMMENT ON FUNCTION @extschema@.im_account_totals(@extschema@.im_month) IS
'What a month of every account comes to in each currency: the sum of the totals of its apps, each rounded by itself; of closed apps what the documents that were issued to the account come to. Errors as im_monthly_bill().';
