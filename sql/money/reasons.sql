-- Why an account is in arrears, and what it has not paid.

CREATE TYPE @extschema@.im_arrears_fact AS (
	ordinal integer,
	day date,
	currency text,
	fact text,
	app_id bigint,
	month date,
	item text,
	option text,
	payment_id bigint,
	amount numeric,
	balance numeric,
	note text
);
COMMENT ON TYPE @extschema@.im_arrears_fact IS
'What made the arrears of an account.';
COMMENT ON COLUMN @extschema@.im_arrears_fact.ordinal IS 'Place in the story, from 1.';
COMMENT ON COLUMN @extschema@.im_arrears_fact.day IS 'Day in the time zone of the account.';
COMMENT ON COLUMN @extschema@.im_arrears_fact.currency IS 'ISO 4217 code of the amounts; null of a suspension.';
COMMENT ON COLUMN @extschema@.im_arrears_fact.fact IS 'balance (before the arrears), charge, document, payment, suspended, resumed.';
COMMENT ON COLUMN @extschema@.im_arrears_fact.app_id IS 'The app that a charge, a document or a suspension is of.';
COMMENT ON COLUMN @extschema@.im_arrears_fact.month IS 'The usage month of a charge or a document.';
COMMENT ON COLUMN @extschema@.im_arrears_fact.item IS 'Item of the line of a charge.';
COMMENT ON COLUMN @extschema@.im_arrears_fact.option IS 'Option of the line of a charge.';
COMMENT ON COLUMN @extschema@.im_arrears_fact.payment_id IS 'The payment.';
COMMENT ON COLUMN @extschema@.im_arrears_fact.amount IS 'What it does to the balance: a charge negative, a payment positive, both exact.';
COMMENT ON COLUMN @extschema@.im_arrears_fact.balance IS 'The balance at the end of the day, or at the instant asked for.';
COMMENT ON COLUMN @extschema@.im_arrears_fact.note IS 'The fact in one sentence.';

CREATE FUNCTION im_internal.im_arrears_facts(account bigint, at timestamptz)
	RETURNS TABLE (place integer, day date, currency text, fact text, app_id bigint, month date,
		item text, option text, payment_id bigint, amount numeric, note text)
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT 2, d.day, d.currency, CASE WHEN d.item IS NULL THEN 'document' ELSE 'charge' END, d.app_id, d.month,
		d.item, d.option, NULL::bigint, -d.amount,
		CASE WHEN d.item IS NULL THEN format('Note %s of app %s for %s was issued.', d.revision, d.app_id, to_char(d.month, 'YYYY-MM'))
			WHEN im_internal.im_is_settled_by_day(d.item) AND extract(day FROM d.day) <> 1
				THEN format('%s of app %s, used the day before.', concat_ws(' ', d.item, nullif(d.option, '')), d.app_id)
			ELSE format('%s of app %s for %s fell due.', concat_ws(' ', d.item, nullif(d.option, '')), d.app_id, to_char(d.month, 'YYYY-MM')) END
	FROM im_internal.im_account_dues(ARRAY[$1], $2, '0001-01-01'::date) d
	UNION ALL
	SELECT 3, @extschema@.im_day(p.at, c.time_zone), p.currency, 'payment', NULL, NULL, NULL, NULL, p.payment_id, p.amount,
		CASE WHEN p.amount > 0 THEN 'Paid' ELSE 'Given back' END || coalesce(': ' || nullif(p.note, ''), '') || '.'
	FROM @extschema@.im_account c
	JOIN @extschema@.im_payment p ON p.account_id = c.account_id AND p.at <= $2
	WHERE c.account_id = $1
	UNION ALL
	SELECT CASE e.fact WHEN 'suspended' THEN 1 ELSE 4 END, e.day, NULL, e.fact, s.app_id, NULL, NULL, NULL, NULL, NULL,
		format(CASE e.fact WHEN 'suspended' THEN 'App %s is suspended from this day on.' ELSE 'App %s is in service again.' END, s.app_id)
	FROM @extschema@.im_app a
	JOIN @extschema@.im_suspension s ON s.app_id = a.app_id AND s.reason = 'arrears',
		LATERAL (VALUES ('suspended', lower(s.days)), ('resumed', upper(s.days))) e(fact, day)
	WHERE a.account_id = $1
$$;
COMMENT ON FUNCTION im_internal.im_arrears_facts(bigint, timestamptz) IS
'All that moved the balances of an account, and suspended its apps for arrears.';

CREATE FUNCTION @extschema@.im_arrears_reason(account_id bigint, at timestamptz)
	RETURNS SETOF @extschema@.im_arrears_fact
	LANGUAGE plpgsql STABLE STRICT ROWS 20
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
DECLARE
	story daterange;
BEGIN
	IF im_internal.im_guarded('im_arrears_reason_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_arrears_reason_guarded($1, $2);
		RETURN;
	END IF;
	PERFORM im_internal.im_need_account($1);
	PERFORM @extschema@.im_month($2, 'UTC'::text);
	-- the last arrears, with the day on which they ended
	SELECT daterange(lower(r), upper(r), '[]') INTO story
	FROM im_internal.im_account_arrears(ARRAY[$1], $2, '0001-01-01'::date) a, unnest(a.arrears) r
	ORDER BY r DESC
	LIMIT 1;
	RETURN QUERY
	WITH step AS MATERIALIZED (
		SELECT m.currency, m.day, sum(m.paid - m.owed) OVER (PARTITION BY m.currency ORDER BY m.day) AS balance
		FROM im_internal.im_account_moves(ARRAY[$1], $2, '0001-01-01'::date) m)
	SELECT row_number() OVER (ORDER BY f.day, f.place, f.currency COLLATE "C", f.app_id, f.month, f.payment_id, f.item COLLATE "C", f.option COLLATE "C", f.amount)::integer,
		f.day, f.currency, f.fact, f.app_id, f.month, f.item, f.option, f.payment_id, f.amount,
		(SELECT s.balance FROM step s WHERE s.currency = f.currency AND s.day <= f.day ORDER BY s.day DESC LIMIT 1), f.note
	FROM (SELECT 0 AS place, lower(story) - 1 AS day, b.currency, 'balance' AS fact, NULL::bigint AS app_id, NULL::date AS month,
				 NULL::text AS item, NULL::text AS option, NULL::bigint AS payment_id, NULL::numeric AS amount,
				 'The balance before the arrears.' AS note
		  FROM (SELECT DISTINCT s.currency FROM step s WHERE s.day < lower(story)) b
		  UNION ALL
		  SELECT e.* FROM im_internal.im_arrears_facts($1, $2) e WHERE e.day <@ story) f;
END
$$;
COMMENT ON FUNCTION @extschema@.im_arrears_reason(bigint, timestamptz) IS
'The story of the last arrears of an account until an instant: the balances before, each charge that fell due, each document and payment since, through the day on which no balance was negative any more, and where its apps were suspended and in service again. Nothing for an account that was never in arrears. Errors as im_balance().';

CREATE TYPE @extschema@.im_unpaid_bill AS (
	app_id bigint,
	month date,
	revision integer,
	currency text,
	since date,
	owed numeric,
	paid numeric,
	unpaid numeric
);
COMMENT ON TYPE @extschema@.im_unpaid_bill IS
'A document, or a month that is still open, of which not all that is due was paid.';
COMMENT ON COLUMN @extschema@.im_unpaid_bill.app_id IS 'The app (SDKAppID) that it is of.';
COMMENT ON COLUMN @extschema@.im_unpaid_bill.month IS 'First day of the usage month.';
COMMENT ON COLUMN @extschema@.im_unpaid_bill.revision IS 'The document: 0 the invoice, then its notes; null while the month is open.';
COMMENT ON COLUMN @extschema@.im_unpaid_bill.currency IS 'ISO 4217 code of the amounts.';
COMMENT ON COLUMN @extschema@.im_unpaid_bill.since IS 'First day on which something of it was due.';
COMMENT ON COLUMN @extschema@.im_unpaid_bill.owed IS 'What of it is due.';
COMMENT ON COLUMN @extschema@.im_unpaid_bill.paid IS 'What payments and credits cover of it, the oldest due first.';
COMMENT ON COLUMN @extschema@.im_unpaid_bill.unpaid IS 'The rest; together with all others what the account is in arrears.';

CREATE FUNCTION @extschema@.im_unpaid(account_id bigint, at timestamptz)
	RETURNS SETOF @extschema@.im_unpaid_bill
	LANGUAGE plpgsql STABLE STRICT ROWS 10
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
BEGIN
	IF im_internal.im_guarded('im_unpaid_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_unpaid_guarded($1, $2);
		RETURN;
	END IF;
	PERFORM im_internal.im_need_account($1);
	PERFORM @extschema@.im_month($2, 'UTC'::text);
	RETURN QUERY
	WITH bill AS MATERIALIZED (
		SELECT d.app_id, d.month, d.revision, d.currency, min(d.day) AS since, round(sum(d.amount), max(d.places)) AS owed
		FROM im_internal.im_account_dues(ARRAY[$1], $2, '0001-01-01'::date) d
		GROUP BY d.app_id, d.month, d.revision, d.currency),
	-- what was credited pays for the others
	money AS (
		SELECT m.currency, sum(m.amount) AS amount
		FROM (SELECT p.currency, p.amount FROM @extschema@.im_payment p WHERE p.account_id = $1 AND p.at <= $2
			  UNION ALL
			  SELECT b.currency, -b.owed FROM bill b WHERE b.owed < 0) m
		GROUP BY m.currency),
	covered AS (
		SELECT b.*, least(b.owed, greatest(0, coalesce(m.amount, 0)
			- (sum(b.owed) OVER (PARTITION BY b.currency ORDER BY b.since, b.app_id, b.month, b.revision) - b.owed))) AS paid
		FROM bill b
		LEFT JOIN money m ON m.currency = b.currency
		WHERE b.owed > 0)
	SELECT c.app_id, c.month, c.revision, c.currency, c.since, c.owed, c.paid, c.owed - c.paid
	FROM covered c
	WHERE c.owed > c.paid
	ORDER BY c.currency COLLATE "C", c.since, c.app_id, c.month, c.revision;
END
$$;
COMMENT ON FUNCTION @extschema@.im_unpaid(bigint, timestamptz) IS
'Which documents and open months an account has not paid at an instant: payments and credits cover what fell due first. Where more was given back than paid, the arrears exceed what is unpaid. Errors as im_balance().';
