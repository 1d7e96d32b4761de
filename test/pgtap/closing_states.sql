-- What a close records: of each app that it got an invoice or had no lines, whatever
-- the caller says, whatever came before, whatever was lost since; and that what was
-- issued prints as it was issued.
BEGIN;
\ir include/setup.sql
\ir include/ledger.sql

-- Which apps were closed without an invoice
CREATE FUNCTION idle(month text) RETURNS bigint[] LANGUAGE sql
RETURN (SELECT array_agg(a.app_id ORDER BY a.app_id) FROM im_app a
		WHERE EXISTS (SELECT FROM im_closing c WHERE c.month = idle.month::im_month::date AND c.without_lines @> a.app_id));
CREATE FUNCTION open(month text) RETURNS bigint[] LANGUAGE sql
RETURN (SELECT array_agg(a.app_id ORDER BY a.app_id) FROM im_app a
		WHERE NOT EXISTS (SELECT FROM im_closing c WHERE c.month = open.month::im_month::date AND c.apps @> a.app_id));
CREATE FUNCTION run(total bigint, failed bigint[], begun_at timestamptz, visited int8multirange DEFAULT '{}') RETURNS im_run LANGUAGE sql
RETURN ROW(total, 0, 0, 0, visited, failed, NULL, false, NULL, begun_at)::im_run;
CREATE FUNCTION said(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	EXECUTE query INTO answer;
	RETURN answer;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;

INSERT INTO im_app (app_id, name) SELECT n, 'app ' || n FROM generate_series(1, 9) n;
INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
SELECT a, 1, at8('2023-01-01'), 'buy', 'plan', 'pro', 1 FROM unnest('{1,2,3,5,6,8}'::bigint[]) a;
CALL daily(6, '2023-01-05', -1);

-- A caller who forges the state that goes from batch to batch --------------------
SELECT im_close_batch('2023-01', 3, run(77, '{2}', 'infinity')) \g /dev/null
SELECT is(open('2023-01'), '{2,5,6,7,8,9}', 'an app that is said to have failed stays open');
SELECT is((SELECT (done, total, begun_at <= now())::text FROM im_closing), '(3,9,t)', 'total and begin are counted, not believed');
SELECT im_close_batch('2023-01', 1, run(-1, '{5,6,7,8,9}', '-infinity')) \g /dev/null
SELECT is(open('2023-01'), '{5,6,7,8,9}', 'a batch of one closes that one');
SELECT im_close_batch('2023-01', 100, run(0, '{1,2,3,4,5,6,7,8,9,10,11}', NULL)) \g /dev/null
SELECT is(open('2023-01'), '{5,6,7,8,9}', 'who says that all failed closes nothing');
SELECT is((SELECT state || ' ' || done || ' of ' || total FROM im_close_progress), 'closing 4 of 9', 'nor the month');
SELECT ok((SELECT isfinite(begun_at) AND isfinite(last_at) AND apps_per_second > 0 AND seconds_left >= 0 FROM im_close_progress), 'and progress stays one');
SELECT im_close_batch('2023-01', 2, run(9, NULL, NULL, NULL)), im_close_batch('2023-01', 2, NULL) \g /dev/null
SELECT is(open('2023-01'), '{6,8,9}', 'nulls are no state');
SELECT is((im_close_batch('2023-01', 3, run(9, '{6}', now()))).finished, true, 'the rest');
SELECT is(open('2023-01'), '{6}', 'but for the app whose bill cannot be right');
SELECT is((SELECT state FROM im_close_progress), 'closing', 'so the month is not closed');
SELECT is(said($$SELECT im_close_batch(NULL, 2, NULL)$$), '22004 documents are issued for a month, but it is null', 'a null month');
SELECT matches(said($$SELECT im_adjust_batch(NULL, 2, NULL)$$), '^22004', 'of either kind');
SELECT matches(said($$SELECT im_close_batch('2023-01', -1, NULL)$$), '^2201W', 'a batch below 0');
SELECT is(idle('2023-01'), '{4,7,9}', 'im_closing tells who had no lines');
SELECT is_empty($$SELECT * FROM im_verify_invoices()$$, 'and all of it holds');

CALL app(10);
CALL buy(10, 1, '2023-01-20', 'plan', 'pro');
UPDATE im_usage_daily SET dau = 1 WHERE app_id = 6;
\set ON_ERROR_STOP 0
CALL im_close_month('2023-01');
\set ON_ERROR_STOP 1
SELECT is(documents('2023-01'), '1:0 invoice 999.00, 2:0 invoice 999.00, 3:0 invoice 999.00, 5:0 invoice 999.00, 6:0 invoice 999.00, 8:0 invoice 999.00, 10:0 invoice 999.00',
	'once it can be billed it is, and so is an app that came while the month was open');
SELECT is(open('2023-01'), NULL, 'then all are closed');
SELECT is(said($$SELECT im_adjust_batch('2023-01', 9, run(-5, '{1}', 'infinity', '{(,)}'))$$) ~ ',t,', true, 'who says that all were visited adjusts nothing');
CALL buy(4, 1, '2023-01-20', 'plan', 'pro');
SELECT im_adjust_batch('2023-01', 9, run(-5, '{1}', 'infinity', NULL)), im_adjust_batch('2023-01', 9, run(-5, NULL, 'infinity')) \g /dev/null
SELECT is((SELECT string_agg(format('%s %s', kind, total), ', ') FROM im_invoice WHERE app_id = 4), 'invoice 999.00', 'a forged state does no more');
SELECT is((SELECT count(*) FROM im_closing WHERE NOT isfinite(begun_at) OR total NOT IN (9, 10) OR done > 3), 0::bigint, 'and leaves no trace');
SELECT is((SELECT state || ' ' || done || ' of ' || total || ', ' || invoices FROM im_close_progress), 'closed 10 of 10, 8', 'of which progress would tell');
SELECT is_empty($$SELECT * FROM im_verify_invoices()$$, 'all is whole');

-- An app that is closed without an invoice, as 0.2.0 closed some ----------------
CREATE FUNCTION after(statement text, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	SET LOCAL session_replication_role = replica;
	EXECUTE 'ALTER TABLE im_closing DISABLE TRIGGER USER; ALTER TABLE im_invoice DISABLE TRIGGER USER; ALTER TABLE im_invoice_line DISABLE TRIGGER USER';
	EXECUTE statement;
	EXECUTE 'ALTER TABLE im_closing ENABLE TRIGGER USER; ALTER TABLE im_invoice ENABLE TRIGGER USER; ALTER TABLE im_invoice_line ENABLE TRIGGER USER';
	SET LOCAL session_replication_role = origin;
	EXECUTE query INTO answer;
	RAISE EXCEPTION '%', coalesce(answer, 'nothing') USING ERRCODE = 'T0000';
EXCEPTION WHEN SQLSTATE 'T0000' THEN
	RETURN SQLERRM;
END $$;
SELECT is(after($$DELETE FROM im_invoice WHERE app_id = 5; DELETE FROM im_invoice_line WHERE app_id = 5$$,
	$$SELECT string_agg(problem, '; ') FROM im_verify_invoices() WHERE app_id = 5$$), 'the app is closed without an invoice, though it had lines to bill', 'it is told by verifying');
SELECT matches(after($$DELETE FROM im_invoice WHERE app_id = 5; DELETE FROM im_invoice_line WHERE app_id = 5$$,
	$$SELECT string_agg(problem, '; ') FROM im_check('2023-01') WHERE app_id = 5$$), 'closed for the app without an invoice', 'and by im_check');
SELECT matches(after($$DELETE FROM im_invoice WHERE app_id = 5; DELETE FROM im_invoice_line WHERE app_id = 5$$,
	$$SELECT im_adjust_batch('2023-01', 100, run(NULL, '{}', now()))$$), '\{5\},"The invoice of app 5 was issued and is gone: restore it from a backup."', 'an adjustment does not issue it again');
SELECT is(after($$DELETE FROM im_invoice WHERE app_id = 5; DELETE FROM im_invoice_line WHERE app_id = 5; SELECT im_adjust_batch('2023-01', 100, run(NULL, '{}', now()))$$,
	$$SELECT count(*) FROM im_invoice WHERE app_id = 5$$), '0', 'under no number');

SELECT matches(after($$DELETE FROM im_invoice WHERE app_id = 5; DELETE FROM im_invoice_line WHERE app_id = 5$$,
	$$SELECT said('SELECT im_adjust_batch(''2023-01'', 100, run(9, ''{}'', now()))')$$), '^23514 app 5 was invoiced for 2023-01 before', 'nor where its caller says that it is under way');
SELECT matches(after($$DELETE FROM im_invoice WHERE app_id = 4; DELETE FROM im_invoice_line WHERE app_id = 4$$,
	$$SELECT said('SELECT im_adjust_batch(''2023-01'', 100, run(9, ''{}'', now()))')$$), '^23514 app 4 was invoiced for 2023-01 before', 'nor one that an adjustment had issued');

-- Rows of im_closing that are lost ----------------------------------------------
SELECT is(after(statement || $$; SELECT im_close_batch('2023-01', 100, NULL)$$,
	$$SELECT ((SELECT count(*) FROM im_invoice), (SELECT string_agg(total::text, ' ') FROM im_monthly_totals('2023-01')))$$),
	'(8,"999.00 999.00 999.00 999.00 999.00 999.00 999.00 999.00")', 'nobody is invoiced twice: ' || statement)
FROM unnest(ARRAY['DELETE FROM im_closing', 'DELETE FROM im_closing WHERE entry = 1', 'DELETE FROM im_closing WHERE entry <> 1', $$DELETE FROM im_closing WHERE apps @> '(,)'::int8range$$]) statement;
SELECT is(after(statement, $$SELECT string_agg(total::text, ' ') FROM im_monthly_totals('2023-01')$$), '999.00 999.00 999.00 999.00 999.00 999.00 999.00 999.00', 'nor billed beside what was issued: ' || statement)
FROM unnest(ARRAY['DELETE FROM im_closing', 'DELETE FROM im_closing WHERE entry = 1', 'DELETE FROM im_closing WHERE entry <> 1', $$DELETE FROM im_closing WHERE apps @> '(,)'::int8range$$]) statement;
SELECT is(after('DELETE FROM im_closing WHERE entry <> 1', $$SELECT count(*) FROM (SELECT app_id, sum(amount) FROM im_monthly_bills('2023-01') GROUP BY 1 EXCEPT SELECT a.app_id, sum(b.amount) FROM im_app a, im_monthly_bill(a.app_id, '2023-01') b GROUP BY 1) x$$), '0', 'bills agree');
SELECT is(after('DELETE FROM im_closing', $$SELECT string_agg(DISTINCT problem, '; ') FROM im_verify_invoices()$$), '0 invoices were issued, but there are 8; the app is not recorded as closed in this month',
	'verifying tells of the loss');
SELECT is(after('DELETE FROM im_closing; SELECT im_close_batch(''2023-01'', 4, run(NULL, ''{}'', now())), im_close_batch(''2023-01'', 4, run(9, ''{}'', now())), im_close_batch(''2023-01'', 4, run(9, ''{}'', now()))',
	$$SELECT string_agg(DISTINCT problem, '; ') FROM im_verify_invoices()$$), 'nothing', 'and of nothing once the month is closed again: the documents are those that were there');
SELECT is(after('DELETE FROM im_closing; SELECT im_close_batch(''2023-01'', 100, NULL)', $$SELECT state || ' ' || done || ' of ' || total || ', ' || invoices FROM im_close_progress$$), 'closed 10 of 10, 8', 'which progress counts');
SELECT matches(after('DELETE FROM im_closing WHERE entry = 1; SELECT im_close_batch(''2023-01'', 100, NULL)', $$SELECT string_agg(DISTINCT problem, '; ') FROM im_verify_invoices()$$),
	'entries of im_closing before entry 2 are missing: 1', 'where a part is lost that stays told');

-- A batch of apps far apart from each other ---------------------------------------
INSERT INTO im_app (app_id, name) SELECT hashint8extended(n, 0), 'far' FROM generate_series(1, 1500) n;
CALL im_close_month('2023-02');
INSERT INTO im_order (app_id, order_id, at, action, item, option, months) SELECT app_id, 1, at8('2023-02-05'), 'buy', 'plan', 'pro', 1 FROM im_app WHERE name = 'far';
\set ON_ERROR_STOP 0
CALL im_adjust_month('2023-02');
\set ON_ERROR_STOP 1
SELECT is((:'SQLSTATE')::text, '00000', 'thousands of apps are adjusted in one batch');
SELECT is((SELECT count(*) FROM im_invoice WHERE month = '2023-02-01'), 1500::bigint, 'each of them');
SELECT is_empty($$SELECT * FROM im_verify_invoices()$$, 'and all is whole');

-- As issued ------------------------------------------------------------------------
CREATE FUNCTION pages() RETURNS text LANGUAGE sql RETURN im_bill_html(1, '2023-01') || im_bill_html(1, '2023-01', 'zh');
CREATE TABLE printed AS SELECT pages() AS page, substring(im_month_html('2023-01') FROM '<tr><th scope="row"><bdi>app 1</bdi>.*?</tr>') AS line;
SELECT matches(page, '<h1><bdi>app 1</bdi></h1>', 'a page') FROM printed;
INSERT INTO im_rate_card_version SELECT 'other', effective_from, jsonb_set(jsonb_set(terms, '{time_zone}', '"Pacific/Apia"'), '{currency}', '"EUR"') FROM im_rate_card_version WHERE rate_card = 'cn';
UPDATE im_app SET name = 'renamed' WHERE app_id = 1;
SELECT is(pages(), page, 'of a closed month has the name that the app had') FROM printed;
SELECT is(position(line IN im_month_html('2023-01')) > 0, true, 'so has the page of the month') FROM printed;
SELECT matches(im_bill_html(1, '2023-04'), '<h1><bdi>renamed</bdi></h1>', 'that of an open one the name of now');
SELECT isnt_empty($$SELECT FROM im_apps() WHERE name = 'renamed'$$, 'as the list of apps');
UPDATE im_app SET rate_card = 'other' WHERE app_id = 1;
SELECT is(pages(), page, 'and the price list that it had') FROM printed;
UPDATE im_app SET rate_card = 'cn' WHERE app_id = 1;
SELECT is((SELECT app_name || ' ' || digest_version FROM im_invoice WHERE app_id = 1 AND month = '2023-01-01'), 'app 1 3', 'the name is in the document');
CALL turn(1, 2, '2023-01-10', 'on', 'history_storage', '30d');
CALL im_adjust_month('2023-01');
SELECT is((SELECT string_agg(app_name, ', ' ORDER BY revision) FROM im_invoice WHERE app_id = 1 AND month = '2023-01-01'), 'app 1, renamed', 'a note has the name of its day');
SELECT matches(im_bill_html(1, '2023-01'), '<h1><bdi>renamed</bdi></h1>', 'and the page that of the last document');
SELECT is_empty($$SELECT * FROM im_verify_invoices()$$, 'all is whole');
SELECT is(after($$UPDATE im_invoice SET app_name = 'forged' WHERE app_id = 1 AND revision = 0$$, $$SELECT string_agg(problem, '; ') FROM im_verify_invoices()$$),
	'the document or its lines were changed, or the app''s document before it was changed or removed', 'a name is under the digest');

-- A currency without decimal places: a note may differ from its lines by one unit of it
INSERT INTO im_rate_card_version SELECT 'jp', effective_from, terms || '{"currency": "JPY", "scale": 0}' FROM im_rate_card_version WHERE rate_card = 'cn';
INSERT INTO im_app (app_id, name, rate_card) VALUES (20, 'yen', 'jp');
CALL talk(20, '2023-03-05 12:00', 'audio', 60 * 72);
CALL im_close_month('2023-03');
CALL talk(20, '2023-03-06 12:00', 'audio', 60 * 140);
CALL im_adjust_month('2023-03');
SELECT is((SELECT string_agg(format('%s of %s', total, l.amount), ', ' ORDER BY revision) FROM im_invoice i
	CROSS JOIN LATERAL (SELECT trim_scale(sum(amount)) AS amount FROM im_invoice_line l WHERE (l.app_id, l.month, l.revision) = (i.app_id, i.month, i.revision)) l WHERE app_id = 20),
	'1 of 0.504, 0 of 0.98', 'of 1.484, which is 1, the invoice said 1: so the note over 0.98 says 0');
SELECT * FROM finish();
