-- What the files about the ledger need beside setup.sql.  A month cannot be
-- closed inside a transaction, so these files commit; each has its database
-- to itself.  An error of a CALL is looked at in psql's own variables, with
-- ON_ERROR_STOP off for its line.
COMMIT;
SET client_min_messages = error;
SET datestyle = ISO;
SET search_path = im_test, public;
\set QUIET 1
\set VERBOSITY terse

-- All documents of a month: 1:0 invoice 999.00, ...
CREATE FUNCTION documents(month text) RETURNS text LANGUAGE sql
RETURN (SELECT string_agg(format('%s:%s %s %s', i.app_id, i.revision, i.kind, i.total), ', ' ORDER BY i.app_id, i.revision)
		FROM im_invoice i WHERE i.month = documents.month::im_month::date);

-- The lines of a document: item:option quantity units unit_price amount
CREATE FUNCTION note(app_id bigint, month text, revision int) RETURNS text LANGUAGE sql
RETURN (SELECT string_agg(format('%s:%s %s %s %s %s', l.item, l.option, n(l.quantity), n(l.units), n(l.unit_price), n(l.amount)), E'\n' ORDER BY l.line)
		FROM im_invoice_line l
		WHERE l.app_id = note.app_id AND l.month = note.month::im_month::date AND l.revision = note.revision);

CREATE FUNCTION drift(month text) RETURNS text LANGUAGE sql
RETURN (SELECT string_agg(format('%s: %s - %s = %s', d.app_id, d.rebilled, d.issued, d.difference), ', ')
		FROM im_drift(drift.month::im_month) d);

-- Every way to read a closed month agrees with every other.
CREATE FUNCTION agrees(month text, what text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	m im_month := month::im_month;
BEGIN
	RETURN NEXT results_eq(format($q$SELECT * FROM im_monthly_bills(%L) ORDER BY app_id, line$q$, month),
		format($q$SELECT b.* FROM im_app a, im_monthly_bill(a.app_id, %L) b ORDER BY b.app_id, b.line$q$, month),
		what || ': all bills are the bills of each app');
	RETURN NEXT is_empty(format($q$SELECT app_id, count(*), max(line) FROM im_monthly_bills(%L) GROUP BY app_id
		HAVING count(*) <> max(line) OR count(*) <> count(DISTINCT line)$q$, month), what || ': lines are numbered on');
	RETURN NEXT results_eq(format($q$SELECT app_id, total FROM im_monthly_totals(%L) ORDER BY app_id, currency$q$, month),
		format($q$SELECT app_id, round(sum(amount), 2) FROM im_monthly_bills(%L) GROUP BY app_id, currency ORDER BY app_id, currency$q$, month),
		what || ': totals are the rounded sums of the lines');
	RETURN NEXT results_eq(format($q$SELECT app_id, im_monthly_total(app_id, %L) FROM im_app ORDER BY 1$q$, month),
		format($q$SELECT a.app_id, coalesce((SELECT t.total FROM im_monthly_totals(%1$L) t WHERE t.app_id = a.app_id
			ORDER BY (SELECT max(i.revision) FROM im_invoice i
				WHERE i.app_id = t.app_id AND i.month = %1$L::im_month::date AND i.currency = t.currency) DESC LIMIT 1), 0.00)
			FROM im_app a ORDER BY 1$q$, month),
		what || ': a total is that of all totals');
	EXECUTE format('SELECT im_create_billing_view(%L, %L, %L)', 'view_of_agrees', month, month);
	RETURN NEXT results_eq('SELECT app_id, line, item, amount FROM view_of_agrees ORDER BY 1, 2',
		format($q$SELECT app_id, line, item, amount FROM im_monthly_bills(%L) ORDER BY 1, 2$q$, month), what || ': so does a billing view');
	DROP MATERIALIZED VIEW view_of_agrees;
	RETURN NEXT is_empty(format($q$SELECT * FROM im_verify_invoices(%L)$q$, month), what || ': all documents are whole');
END $$;
