-- What accounts owe and paid, by day (R15): the one source of balances,
-- arrears and suspensions.
--
-- Owed is a step function over days.  An app and month step by what falls due
-- on a day: lines on due_on, call minutes and deductions on the day after use,
-- a note on the day of its issue.  The steps are exact and their sum is rounded
-- as a total, so what an app and month have come to on a day is what a bill of
-- all that was due by then would say.
--
-- An invoice stands as it was issued.  What of it is settled by the day is
-- spread over the days as they are rated now; where usage came in since, the
-- difference is due with the line, so that it comes to what was issued.
--
-- Only the days from "since" on, the first of a month, are told apart.  What
-- was closed before then and is due whole comes as one step on that day or
-- before it, from the documents' totals, without a look at a line.

CREATE TYPE im_internal.im_account_due AS (
	account_id bigint,
	app_id bigint,
	month date,
	revision integer,
	day date,
	item text,
	option text,
	amount numeric,
	currency text,
	places integer
);
COMMENT ON TYPE im_internal.im_account_due IS
'A step of what an account owes for an app and month.';
COMMENT ON COLUMN im_internal.im_account_due.account_id IS 'The account that owes.';
COMMENT ON COLUMN im_internal.im_account_due.app_id IS 'The app (SDKAppID) that it is for.';
COMMENT ON COLUMN im_internal.im_account_due.month IS 'First day of the usage month.';
COMMENT ON COLUMN im_internal.im_account_due.revision IS 'The document that it is of; null while the month is open.';
COMMENT ON COLUMN im_internal.im_account_due.day IS 'Day from which it is owed.';
COMMENT ON COLUMN im_internal.im_account_due.item IS 'Item of the line; null of a whole document.';
COMMENT ON COLUMN im_internal.im_account_due.option IS 'Option of the line.';
COMMENT ON COLUMN im_internal.im_account_due.amount IS 'Exact, to at most 8 places.';
COMMENT ON COLUMN im_internal.im_account_due.currency IS 'ISO 4217 code of amount.';
COMMENT ON COLUMN im_internal.im_account_due.places IS 'Places of the currency, to which the sum is rounded.';

CREATE FUNCTION im_internal.im_is_settled_by_day(item text) RETURNS boolean
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN item IN ('call_minutes', 'moderation');
COMMENT ON FUNCTION im_internal.im_is_settled_by_day(text) IS
'Whether an item is owed on the day after its use (R13), not with its line.';

CREATE FUNCTION im_internal.im_rebilled_dues(month @extschema@.im_month, apps bigint[])
	RETURNS SETOF im_internal.im_due
	LANGUAGE plpgsql STABLE ROWS 1000
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
DECLARE
	first date := $1::date;
	until date := upper($1::daterange);
	book im_internal.im_price_book := im_internal.im_price_book(NULL::@extschema@.im_rate_card);
	early bigint[];
	sinces date[];
BEGIN
	SELECT array_agg(e.app_id), array_agg(e.since) INTO early, sinces
	FROM im_internal.im_early_usage_of($2, first, until, NULL::@extschema@.im_rate_card, book) e;
	RETURN QUERY
	SELECT d.*
	FROM im_internal.im_gather_of($2, first, until, NULL::@extschema@.im_rate_card, early, sinces) g,
		im_internal.im_rate_due(g.account, g.usage, book, $1) d;
END
$$;
COMMENT ON FUNCTION im_internal.im_rebilled_dues(@extschema@.im_month, bigint[]) IS
'What falls due of a month of the given apps, computed anew. Errors as im_monthly_bill().';

-- Whether all of a document comes as one step.
CREATE FUNCTION im_internal.im_comes_whole(month date, revision integer, since date, opened_on date)
	RETURNS boolean
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN revision > 0 OR month < since AND opened_on <= month;
COMMENT ON FUNCTION im_internal.im_comes_whole(date, integer, date, date) IS
'Whether a document is owed in one step: a note, or an invoice whose days need not be told apart.';

CREATE FUNCTION im_internal.im_settled_dues(month date, apps bigint[])
	RETURNS SETOF im_internal.im_due
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	WITH line AS (
		SELECT l.app_id, l.item, l.option, l.due_on, l.currency, l.amount
		FROM unnest($2) a
		JOIN @extschema@.im_invoice_line l ON l.app_id = a AND l.month = $1 AND l.revision = 0
		WHERE im_internal.im_is_settled_by_day(l.item)),
	used AS MATERIALIZED (
		SELECT u.*
		FROM im_internal.im_rebilled_dues($1::@extschema@.im_month, ARRAY(SELECT DISTINCT l.app_id FROM line l)) u
		WHERE im_internal.im_is_settled_by_day(u.item))
	SELECT u.*
	FROM used u
	JOIN line l ON (l.app_id, l.item, l.option, l.currency) = (u.app_id, u.item, u.option, u.currency)
	UNION ALL
	SELECT l.app_id, $1, l.due_on, l.item, l.option, l.amount - coalesce(s.amount, 0), l.currency, NULL::integer
	FROM line l
	LEFT JOIN (SELECT u.app_id, u.item, u.option, u.currency, sum(u.amount) AS amount
			   FROM used u
			   GROUP BY u.app_id, u.item, u.option, u.currency) s
		ON (s.app_id, s.item, s.option, s.currency) = (l.app_id, l.item, l.option, l.currency)
	WHERE l.amount <> coalesce(s.amount, 0)
$$;
COMMENT ON FUNCTION im_internal.im_settled_dues(date, bigint[]) IS
'What of the invoices of a month is settled by the day, as the days are rated now; what these differ from the line falls due with it.';

CREATE FUNCTION im_internal.im_issued_dues(accounts bigint[], at timestamptz, since date)
	RETURNS SETOF im_internal.im_account_due
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	WITH document AS MATERIALIZED (
		SELECT d.*, scale(d.total) AS places, c.time_zone,
			im_internal.im_comes_whole(d.month, d.revision, $3, c.opened_on) AS whole
		FROM @extschema@.im_account c
		JOIN im_internal.im_account_documents($1) d ON d.account_id = c.account_id
		-- all of an invoice is due by the first of the next month
		WHERE CASE d.revision WHEN 0 THEN c.opened_on <= d.month + interval '1 month' ELSE d.issued_at <= $2 END)
	SELECT d.account_id, d.app_id, d.month, d.revision,
		CASE d.revision WHEN 0 THEN (d.month + interval '1 month')::date
			ELSE @extschema@.im_day(d.issued_at, d.time_zone) END,
		NULL::text, NULL::text, d.total, d.currency, d.places
	FROM document d
	WHERE d.whole
	UNION ALL
	SELECT d.account_id, d.app_id, d.month, 0, l.due_on, l.item, l.option, l.amount, l.currency, d.places
	FROM document d
	JOIN @extschema@.im_invoice_line l ON l.app_id = d.app_id AND l.month = d.month AND l.revision = 0
	WHERE NOT d.whole AND NOT im_internal.im_is_settled_by_day(l.item)
	UNION ALL
	SELECT d.account_id, d.app_id, d.month, 0, s.due_on, s.item, s.option, s.amount, s.currency, d.places
	FROM (SELECT w.month, array_agg(w.app_id) AS apps FROM document w WHERE NOT w.whole GROUP BY w.month) m,
		LATERAL im_internal.im_settled_dues(m.month, m.apps) s
	JOIN document d ON d.app_id = s.app_id AND d.revision = 0
	WHERE d.month = m.month
$$;
COMMENT ON FUNCTION im_internal.im_issued_dues(bigint[], timestamptz, date) IS
'What was issued to the given accounts, null for all, notes until an instant, by the day from which it is owed; before the given first of a month the days of a document are one.';

CREATE FUNCTION im_internal.im_open_dues(accounts bigint[], at timestamptz)
	RETURNS SETOF im_internal.im_account_due
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT a.account_id, r.app_id, r.month, NULL::integer, r.due_on, r.item, r.option, r.amount, r.currency, r.places
	FROM im_internal.im_billed_months_of(im_internal.im_account_apps($1), $2) m,
		LATERAL im_internal.im_rebilled_dues(m.month::@extschema@.im_month,
			im_internal.im_open_among(ARRAY(
				SELECT o.app_id
				FROM @extschema@.im_account c
				JOIN @extschema@.im_app o ON o.account_id = c.account_id
				WHERE (c.account_id = ANY ($1) OR $1 IS NULL) AND c.opened_on <= m.month + interval '1 month'),
				m.month::@extschema@.im_month)) r
	JOIN @extschema@.im_app a ON a.app_id = r.app_id
$$;
COMMENT ON FUNCTION im_internal.im_open_dues(bigint[], timestamptz) IS
'What falls due of the months of the given accounts, null for all, that are not closed, through the one of an instant. Errors as im_monthly_bill().';

CREATE FUNCTION im_internal.im_account_dues(accounts bigint[], at timestamptz, since date)
	RETURNS SETOF im_internal.im_account_due
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT d.*
	FROM (SELECT * FROM im_internal.im_issued_dues($1, $2, $3)
		  UNION ALL
		  SELECT * FROM im_internal.im_open_dues($1, $2)) d
	JOIN @extschema@.im_account c ON c.account_id = d.account_id
	WHERE d.day BETWEEN c.opened_on AND @extschema@.im_day($2, c.time_zone)
$$;
COMMENT ON FUNCTION im_internal.im_account_dues(bigint[], timestamptz, date) IS
'What the given accounts, null for all, owe at an instant, step by step; before the given first of a month the days of a document are one. Errors as im_monthly_bill().';

CREATE TYPE im_internal.im_account_move AS (
	account_id bigint,
	currency text,
	day date,
	owed numeric,
	paid numeric
);
COMMENT ON TYPE im_internal.im_account_move IS
'By how much a day moved what an account owes and paid.';
COMMENT ON COLUMN im_internal.im_account_move.account_id IS 'The account.';
COMMENT ON COLUMN im_internal.im_account_move.currency IS 'ISO 4217 code of both amounts.';
COMMENT ON COLUMN im_internal.im_account_move.day IS 'Day in the time zone of the account.';
COMMENT ON COLUMN im_internal.im_account_move.owed IS 'What fell due, each app and month rounded as a total.';
COMMENT ON COLUMN im_internal.im_account_move.paid IS 'What was paid, less what was given back.';

CREATE FUNCTION im_internal.im_account_moves(accounts bigint[], at timestamptz, since date)
	RETURNS SETOF im_internal.im_account_move
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT m.account_id, m.currency, m.day, sum(m.owed), sum(m.paid)
	FROM (SELECT t.account_id, t.currency, t.day, t.due - coalesce(lag(t.due) OVER step, 0) AS owed, 0 AS paid
		  FROM (SELECT d.account_id, d.app_id, d.month, d.revision, d.currency, d.day,
					round(sum(sum(d.amount)) OVER (PARTITION BY d.account_id, d.app_id, d.month, d.revision, d.currency ORDER BY d.day),
						max(d.places)) AS due
				FROM im_internal.im_account_dues($1, $2, $3) d
				GROUP BY d.account_id, d.app_id, d.month, d.revision, d.currency, d.day) t
		  WINDOW step AS (PARTITION BY t.account_id, t.app_id, t.month, t.revision, t.currency ORDER BY t.day)
		  UNION ALL
		  SELECT c.account_id, p.currency, @extschema@.im_day(p.at, c.time_zone), 0, p.amount
		  FROM @extschema@.im_account c
		  JOIN @extschema@.im_payment p ON p.account_id = c.account_id AND p.at <= $2
		  WHERE c.account_id = ANY ($1) OR $1 IS NULL) m
	GROUP BY m.account_id, m.currency, m.day
$$;
COMMENT ON FUNCTION im_internal.im_account_moves(bigint[], timestamptz, date) IS
'What the given accounts, null for all, owe and paid until an instant, by day; before the given first of a month the days of a document are one. Errors as im_monthly_bill().';
