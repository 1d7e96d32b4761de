-- Numbers of documents (R15): unique, without gaps within their series, in the
-- order of issue, whatever is done a second time, fails or is lost; and what
-- happened of them is told in the outbox, once.
BEGIN;
\ir include/setup.sql
\ir include/ledger.sql

CREATE FUNCTION year_of(at timestamptz, zone text DEFAULT 'Asia/Shanghai') RETURNS text LANGUAGE sql
RETURN to_char(at AT TIME ZONE zone, 'YYYY');
-- The numbers of a month's documents without the year: 1:0 S-CNY-1, ...
CREATE FUNCTION numbers(month text) RETURNS text LANGUAGE sql
RETURN (SELECT string_agg(format('%s:%s %s', i.app_id, i.revision, coalesce(regexp_replace(i.number, '-\d{4}-0*', '-'), 'none')), ', ' ORDER BY i.app_id, i.revision)
		FROM im_invoice i WHERE i.month = numbers.month::im_month::date);
-- Every series is 1, 2, 3, ... in the order of issue; nothing else has a number.
CREATE FUNCTION in_order(what text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN NEXT is_empty($q$SELECT number FROM (SELECT number, row_number() OVER (PARTITION BY left(number, -8) ORDER BY issued_at, number) AS n
		FROM im_invoice WHERE number IS NOT NULL) d WHERE right(number, 8)::bigint <> n$q$, what || ': no gap, no double, in order');
	RETURN NEXT is_empty($q$SELECT app_id, month, revision FROM im_invoice
		EXCEPT ALL SELECT app_id, month, revision FROM im_outbox WHERE kind IN ('document_issued', 'note_issued')$q$, what || ': the outbox has each document');
	RETURN NEXT is_empty($q$SELECT app_id, month, revision FROM im_outbox WHERE kind IN ('document_issued', 'note_issued')
		EXCEPT ALL SELECT app_id, month, revision FROM im_invoice$q$, what || ': once, and no other');
	RETURN NEXT is_empty('SELECT * FROM im_verify_invoices()', what || ': all is whole');
END $$;

INSERT INTO im_app (app_id, name, rate_card) SELECT n, 'app ' || n, CASE WHEN n = 4 THEN 'intl' ELSE 'cn' END FROM generate_series(1, 6) n;
INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
SELECT a, 1, at8('2023-01-01'), 'buy', 'plan', CASE WHEN a = 4 THEN 'standard' ELSE 'pro' END, 12 FROM generate_series(1, 4) a;
CALL im_close_month('2023-01');
SELECT is((SELECT count(*) FROM im_series), 1::bigint, 'a database without a name for its series gets one');
SELECT matches((SELECT series FROM im_series), '^IM[0-9A-F]{6}$', 'made up, so that two databases differ');
SELECT is((SELECT string_agg(number, ' ' ORDER BY number) FROM im_invoice),
	(SELECT string_agg(format('%s-%s-%s-%s', s.series, c, year_of(now()), lpad(n::text, 8, '0')), ' ' ORDER BY c, n)
	 FROM im_series s, (VALUES ('CNY', 1), ('CNY', 2), ('CNY', 3), ('USD', 1)) v(c, n)), 'a number says series, currency, year of issue and place');
SELECT in_order('the first close');
INSERT INTO im_series (series) VALUES ('S');
CALL im_close_month('2023-02');
SELECT is(numbers('2023-02'), NULL, 'a month without documents has no numbers');
CALL buy(5, 1, '2023-02-03', 'plan', 'pro');
CALL buy(1, 2, '2023-02-03', 'local_moderation');
CALL im_adjust_month('2023-02');
SELECT is(numbers('2023-02'), '1:0 S-CNY-1, 5:0 S-CNY-2', 'a new name begins a new series');
CALL daily(2, '2023-01-05', 25000);
UPDATE im_app SET name = 'renamed' WHERE app_id = 2;
CALL im_adjust_month('2023-01');
SELECT is(split_part(numbers('2023-01'), ', ', 3), '2:1 S-CNY-3', 'notes share it');
CALL im_adjust_month('2023-01');
CALL im_close_month('2023-01');
SELECT in_order('notes and calls that had nothing to do');

-- An app whose bill cannot be right takes no number, nor does its half of a batch.
CALL im_close_month('2023-03');
INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
SELECT a, 7, at8('2023-04-10'), 'buy', CASE WHEN a = 4 THEN 'plan' ELSE 'local_moderation' END, CASE WHEN a = 4 THEN 'standard' ELSE '' END, 1
FROM generate_series(1, 6) a;
CALL daily(3, '2023-04-05', -1);
CALL settle();
\set ON_ERROR_STOP 0
CALL im_close_month('2023-04');
\set ON_ERROR_STOP 1
SELECT in_order('an app that cannot be billed');
UPDATE im_usage_daily SET dau = 1 WHERE app_id = 3;
CALL im_close_month('2023-04');
SELECT matches(numbers('2023-04'), '3:0 S-CNY-8, 4:0 S-USD-1, 5:0', 'its turn comes once it can be billed');
SELECT in_order('and once it can');

-- A batch that does not come to its end leaves no gap.
CALL buy(1, 8, '2023-05-03', 'local_moderation');
CALL buy(2, 8, '2023-05-03', 'local_moderation');
BEGIN;
SELECT (im_close_batch('2023-05', 1, ROW(NULL, 0, 0, 0, '{}', '{}', NULL, false, NULL, now())::im_run)).issued \g /dev/null
ROLLBACK;
CALL im_close_month('2023-05');
SELECT in_order('a batch that was rolled back');

-- Another currency: two documents of one batch, each in its series.
INSERT INTO im_rate_card_version
SELECT 'dollars', effective_from, jsonb_set(terms, '{currency}', '"USD"') FROM im_rate_card_version WHERE rate_card = 'cn';
UPDATE im_app SET rate_card = 'dollars' WHERE app_id = 2;
SELECT count(*) AS before FROM im_invoice WHERE app_id = 2 \gset
CALL im_adjust_month('2023-05');
SELECT is((SELECT string_agg(format('%s %s %s', revision, total, left(number, 5)), ', ' ORDER BY revision) FROM im_invoice WHERE app_id = 2 AND month = '2023-05-01'),
	'0 1000.00 S-CNY, 1 -1000.00 S-CNY, 2 1000.00 S-USD', 'what was issued in the one is taken back, then the other is due');
SELECT in_order('two currencies');
UPDATE im_app SET rate_card = 'cn' WHERE app_id = 2;

-- The account as it was ------------------------------------------------------------
INSERT INTO im_account (account_id, name) VALUES (71, 'Seven'), (72, 'Other');
UPDATE im_app SET account_id = 71 WHERE app_id = 1;
CALL buy(1, 30, '2023-06-03', 'local_moderation');
CALL buy(3, 30, '2023-06-03', 'local_moderation');
CALL im_close_month('2023-06');
SELECT is((SELECT string_agg(concat_ws(' ', app_id, account_id, account_name), ', ' ORDER BY app_id) FROM im_invoice WHERE month = '2023-06-01'),
	'1 71 Seven, 3', 'a document keeps the account of its app, if it has one');
UPDATE im_app SET account_id = 72 WHERE app_id IN (1, 3);
UPDATE im_account SET name = 'Seventh' WHERE account_id = 71;
CALL daily(1, '2023-06-05', 25000);
CALL buy(1, 31, '2023-06-10', 'local_moderation');
CALL buy(3, 31, '2023-06-10', 'local_moderation');
CALL im_adjust_month('2023-06');
SELECT is((SELECT string_agg(concat_ws(' ', app_id, account_id, account_name), ', ' ORDER BY app_id) FROM im_invoice WHERE month = '2023-06-01' AND revision = 1),
	'1 71 Seventh, 3', 'a note is of the account of its invoice, whatever the app''s is by now');
SELECT is((SELECT string_agg(concat_ws(' ', account_id, total), ', ') FROM im_account_totals('2023-06')),
	'71 ' || (SELECT sum(total) FROM im_invoice WHERE app_id = 1 AND month = '2023-06-01'), 'so the account that got the documents pays them');
SELECT is((SELECT string_agg(concat_ws(' ', app_id, account_id, kind), ', ' ORDER BY app_id, revision) FROM im_outbox WHERE month = '2023-06-01'),
	'1 71 document_issued, 1 71 note_issued, 3 document_issued, 3 note_issued', 'the outbox says the same');
SELECT in_order('accounts');

-- Names --------------------------------------------------------------------------
SELECT fails_with(format('INSERT INTO im_series (series, since) VALUES (%L, now() + interval ''1s'')', s), '23514', 'im_series_series_check', 'no name: ' || s)
FROM unnest(ARRAY['', 'a-b', 'a b', repeat('x', 33), 'é']) s;
INSERT INTO im_series (series, since) VALUES ('LATER', now() + interval '1 year');
CALL im_adjust_month('2023-05');
SELECT is((SELECT count(*) FROM im_invoice WHERE number ~ '^LATER'), 0::bigint, 'a name that begins later is not in use yet');
SELECT is(im_internal.im_number('S-CNY-2024-', 1), 'S-CNY-2024-00000001', 'the first');
SELECT is(im_internal.im_number('S-CNY-2024-', 99999999), 'S-CNY-2024-99999999', 'the last');
SELECT fails_with($$SELECT im_internal.im_number('S-CNY-2024-', 100000000)$$, '54000', 'S-CNY-2024- is full', 'one more is refused');
SELECT is(im_internal.im_number_series('S', 'CNY', '2023-12-31 16:00+00', z), 'S-CNY-' || y || '-', 'the year in ' || z)
FROM (VALUES ('Asia/Shanghai', '2024'), ('UTC', '2023')) v(z, y);

-- What was given before a failover may be given again; what is wrong is told ---------
CREATE FUNCTION after(statement text, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	SET LOCAL session_replication_role = replica;
	ALTER TABLE im_invoice DISABLE TRIGGER USER;
	EXECUTE statement;
	SET LOCAL session_replication_role = origin;
	EXECUTE query INTO answer;
	RAISE EXCEPTION '%', coalesce(answer, 'nothing') USING ERRCODE = 'T0000';
EXCEPTION WHEN SQLSTATE 'T0000' THEN
	RETURN regexp_replace(SQLERRM, '-\d{4}-', '-Y-', 'g');
END $$;
-- Of month 2023-01: 1:0 has the first number of its series, 3:0 the third.
CREATE TABLE wrong (what text, statement text, problem text);
INSERT INTO wrong
SELECT v.what, v.statement, replace(v.problem, '~', s.series)
FROM (SELECT * FROM im_series ORDER BY since LIMIT 1) s, (VALUES
	('one is missing', 'DELETE FROM im_invoice WHERE app_id = 2 AND month = ''2023-01-01'' AND revision = 0', '3 2023-01-01 0 no document has the number ~-CNY-Y-00000002'),
	('the first ones are', 'DELETE FROM im_invoice WHERE app_id IN (1, 2) AND month = ''2023-01-01'' AND revision = 0', '3 2023-01-01 0 no documents have the numbers ~-CNY-Y-00000001 through 00000002'),
	('out of order', 'UPDATE im_invoice SET issued_at = issued_at + interval ''1h'' WHERE app_id = 2 AND month = ''2023-01-01'' AND revision = 0', '3 2023-01-01 0 the number ~-CNY-Y-00000003 was given out of order: ~-CNY-Y-00000002 was issued later'),
	('double', 'UPDATE im_invoice SET number = (SELECT number FROM im_invoice WHERE app_id = 3 AND month = ''2023-01-01'') WHERE app_id = 2 AND month = ''2023-01-01'' AND revision = 0',
		'^2 2023-01-01 0 2 documents have the number ~-CNY-Y-00000003; .*3 2023-01-01 0 2 documents have the number ~-CNY-Y-00000003'),
	('none at all', 'UPDATE im_invoice SET number = ''garbage'' WHERE app_id = 3 AND month = ''2023-01-01''', '3 2023-01-01 0 the number garbage is none')) v(what, statement, problem);
SELECT matches(after(statement, $q$SELECT string_agg(concat_ws(' ', app_id, month, revision, problem), '; ' ORDER BY app_id, month, revision, problem COLLATE "C")
	FROM im_verify_invoices() WHERE problem ~ 'number'$q$), problem, what || ': verifying tells') FROM wrong;
SELECT matches(after(statement, $q$SELECT string_agg(detail, '; ') FROM im_audit(3, '2023-01') WHERE event = 'number'$q$),
	regexp_replace(problem, '^.*3 2023-01-01 0 ', ''), what || ': so does the audit') FROM wrong;
SELECT matches((SELECT detail FROM im_audit(3, '2023-01') WHERE event = 'invoice'), '^Revision 0 with 1 line, digest [0-9a-f]{64}, number IM[0-9A-F]{6}-CNY-\d{4}-00000003$', 'the audit names the number');

SELECT * FROM finish();
