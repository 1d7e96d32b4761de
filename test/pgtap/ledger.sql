-- The ledger stays as it was issued: nobody changes a row, and who gets past
-- the triggers is found out.
BEGIN;
\ir include/setup.sql
\ir include/ledger.sql

INSERT INTO im_series (series) VALUES ('T');
INSERT INTO im_app (app_id, name) SELECT n, 'app ' || n FROM generate_series(1, 4) n;
INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
SELECT a, 1, at8('2023-01-01'), 'buy', 'plan', 'pro', 6 FROM generate_series(1, 4) a;
INSERT INTO im_usage_daily (app_id, day, dau) SELECT a, d, 25000 + a FROM generate_series(1, 4) a, unnest('{2023-01-05,2023-02-05,2023-03-05}'::date[]) d;
CALL im_close_month('2023-01');
CALL im_close_month('2023-02');
CALL im_close_month('2023-03');
CALL daily(1, '2023-02-20', 35000);
CALL daily(2, '2023-02-20', 45000);
CALL im_adjust_month('2023-02');
CALL daily(1, '2023-02-21', 55000);
CALL im_adjust_month('2023-02');
SELECT is(documents('2023-02'), '1:0 invoice 2000.00, 1:1 debit_note 1000.00, 1:2 debit_note 2000.00, 2:0 invoice 2000.00, 2:1 debit_note 2000.00, '
	'3:0 invoice 2000.00, 4:0 invoice 2000.00', 'there is something to guard');
SELECT is_empty('SELECT * FROM im_verify_invoices()', 'and it is whole');

-- Guarded -----------------------------------------------------------------
CREATE ROLE im_test_owner;
GRANT CREATE ON SCHEMA public TO im_test_owner;
GRANT USAGE ON SCHEMA im_test TO im_test_owner;
DO $$ DECLARE t text; BEGIN FOREACH t IN ARRAY ARRAY['im_invoice', 'im_invoice_line', 'im_closing'] LOOP
	EXECUTE format('ALTER TABLE %I OWNER TO im_test_owner', t); END LOOP; END $$;
CREATE TABLE attack (tab text, statement text);
INSERT INTO attack
SELECT t, replace(s, '~', t) FROM unnest('{im_invoice,im_invoice_line,im_closing}'::text[]) t, unnest(ARRAY[
	'UPDATE ~ SET month = month', 'DELETE FROM ~', 'TRUNCATE ~', 'TRUNCATE ~ CASCADE',
	'INSERT INTO ~ SELECT * FROM ~ ON CONFLICT ON CONSTRAINT ~_pkey DO UPDATE SET month = excluded.month',
	'MERGE INTO ~ USING (SELECT 1) x ON true WHEN MATCHED THEN DELETE',
	'MERGE INTO ~ USING (SELECT 1) x ON true WHEN MATCHED THEN UPDATE SET month = ~.month',
	'WITH d AS (DELETE FROM ~ RETURNING *) INSERT INTO ~ SELECT * FROM d',
	'DO $d$ DECLARE c CURSOR FOR SELECT * FROM ~ FOR UPDATE; r record; BEGIN OPEN c; FETCH c INTO r; DELETE FROM ~ WHERE CURRENT OF c; END $d$']) s;
SELECT is((attempt(statement)).state, '55000', 'a superuser is refused: ' || statement) FROM attack ORDER BY tab, statement;
GRANT SELECT ON attack TO im_test_owner;
SET ROLE im_test_owner;
SELECT is((attempt(statement)).state, '55000', 'the owner is refused: ' || statement) FROM attack ORDER BY tab, statement;
RESET ROLE;
SET session_replication_role = replica;
SELECT is((attempt(statement)).state, '55000', 'in the role of a replica, too: ' || statement) FROM attack ORDER BY tab, statement;
RESET session_replication_role;
-- COPY ... FREEZE needs a truncation, views and rules lead to the same rows.
CREATE VIEW way_round AS SELECT * FROM im_invoice;
SELECT is((attempt('UPDATE way_round SET total = 0')).state, '55000', 'through a view');
CREATE RULE way_round AS ON UPDATE TO im_app DO ALSO UPDATE im_invoice SET total = 0 WHERE app_id = old.app_id;
SELECT is((attempt('UPDATE im_app SET name = name')).state, '55000', 'through a rule');
DROP RULE way_round ON im_app;
SELECT is((attempt('TRUNCATE im_app CASCADE')).state, '55000', 'through the table of apps');
SELECT is((attempt('DELETE FROM im_app WHERE app_id = 3')).state, '23503', 'and not with the app either');
DROP VIEW way_round;
SELECT is_empty('SELECT * FROM im_verify_invoices()', 'nothing was changed');

-- Found out -----------------------------------------------------------------
-- What verifying says after a statement past the triggers, undone again.
CREATE FUNCTION tampered(statement text, month text DEFAULT NULL, root bytea DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	said text;
BEGIN
	EXECUTE 'ALTER TABLE im_invoice DISABLE TRIGGER USER';
	EXECUTE 'ALTER TABLE im_invoice_line DISABLE TRIGGER USER';
	EXECUTE 'ALTER TABLE im_closing DISABLE TRIGGER USER';
	EXECUTE statement;
	SELECT string_agg(concat_ws(' ', v.app_id, v.month, v.revision, v.problem), E'\n') INTO said
	FROM im_verify_invoices(tampered.month::im_month, tampered.root) v;
	RAISE EXCEPTION '%', coalesce(said, 'nothing') USING ERRCODE = 'T0000';
EXCEPTION WHEN SQLSTATE 'T0000' THEN
	RETURN SQLERRM;
END $$;
SELECT im_month_root('2023-02') AS root \gset
SELECT is(tampered('SELECT 1', '2023-02', :'root'), 'nothing', 'the root printed is that of the month');
SELECT matches(tampered(format('UPDATE im_invoice SET %I = %s WHERE app_id = 2 AND month = ''2023-02-01'' AND revision = 0', c, v)),
	'2 2023-02-01 .*changed', format('a changed %s of a document', c))
FROM (VALUES ('total', 'total + 0.01'), ('currency', '''USD'''), ('issued_at', 'issued_at - interval ''1 microsecond'''),
	('rate_card', 'rate_card || '' '''), ('card_from', 'card_from + 1'), ('digest', '''\x00'''), ('number', 'number || ''1'''), ('account_id', '1'), ('account_name', '''x'''), ('revision', '7, kind = ''debit_note''')) t(c, v);
SELECT matches(tampered('ALTER TABLE im_invoice DROP CONSTRAINT im_invoice_kind_check; UPDATE im_invoice SET kind = ''credit_note'' WHERE app_id = 2 AND month = ''2023-02-01'' AND revision = 0'),
	'2 2023-02-01 0 .*changed', 'a changed kind of a document');
SELECT matches(tampered(format('UPDATE im_invoice_line SET %I = %s WHERE app_id = 2 AND month = ''2023-02-01'' AND revision = 1', c, v)),
	'^2 2023-02-01 1 .*changed', format('a changed %s of a line', c))
FROM (VALUES ('line', 'line + 1'), ('item', '''plan'''), ('option', 'option || ''x'''), ('period', '''[2023-02-01,2023-02-28)'''), ('due_on', 'due_on + 1'),
	('quantity', 'quantity + 1'), ('included', 'included + 1'), ('billable', 'billable + 1'), ('units', 'units + 1'), ('unit_price', 'unit_price + 1'),
	('amount', 'amount + 0.00000001'), ('currency', '''USD'''), ('explanation', ''''''), ('reason', 'NULL'), ('reason', 'reason || ''x'''), ('figures', 'NULL'), ('figures', 'figures || ''{"issued": 1}''')) t(c, v);
SELECT is(tampered('DELETE FROM im_invoice_line WHERE app_id = 2 AND month = ''2023-02-01'' AND revision = 1'),
	'2 2023-02-01 1 the document or its lines were changed, or the app''s document before it was changed or removed', 'a line that is gone');
SELECT is(tampered('DELETE FROM im_invoice WHERE app_id = 1 AND month = ''2023-02-01'' AND revision = 1'),
	E'1 2023-02-01 1 lines without a document: 1\n1 2023-02-01 1 the document is missing\n'
	'1 2023-02-01 2 the document or its lines were changed, or the app''s document before it was changed or removed\n'
	'2 2023-02-01 1 no document has the number T-CNY-' || to_char(now() AT TIME ZONE 'Asia/Shanghai', 'YYYY') || E'-00000013\n'
	'2023-02-01 3 notes were issued, but there are 2\n'
	'2023-02-01 the documents of entry 7 of im_closing are not those that were issued', 'a document that is gone');
SELECT is(tampered('DELETE FROM im_invoice WHERE app_id = 3 AND month = ''2023-02-01''; DELETE FROM im_invoice_line WHERE app_id = 3 AND month = ''2023-02-01'''),
	E'3 2023-02-01 0 the app is closed without an invoice, though it had lines to bill\n'
	'3 2023-03-01 0 the document or its lines were changed, or the app''s document before it was changed or removed\n'
	'4 2023-02-01 0 no document has the number T-CNY-' || to_char(now() AT TIME ZONE 'Asia/Shanghai', 'YYYY') || E'-00000007\n'
	'2023-02-01 4 invoices were issued, but there are 3\n'
	'2023-02-01 the documents of entry 3 of im_closing are not those that were issued', 'a month of an app that is gone');
SELECT is(tampered('DELETE FROM im_invoice WHERE app_id = 3 AND month = ''2023-03-01''; DELETE FROM im_invoice_line WHERE app_id = 3 AND month = ''2023-03-01'''),
	E'3 2023-03-01 0 the app is closed without an invoice, though it had lines to bill\n'
	'4 2023-03-01 0 no document has the number T-CNY-' || to_char(now() AT TIME ZONE 'Asia/Shanghai', 'YYYY') || E'-00000011\n'
	'2023-03-01 4 invoices were issued, but there are 3\n'
	'2023-03-01 the documents of entry 5 of im_closing are not those that were issued', 'the last document of an app');
SELECT is(tampered('INSERT INTO im_invoice_line SELECT 9, app_id, month, line, item, option, period, due_on, quantity, included, billable, units, unit_price, amount, currency, explanation
	FROM im_invoice_line WHERE app_id = 4 AND month = ''2023-02-01'''), '4 2023-02-01 9 lines without a document: 1', 'lines that belong to nothing');

-- A forger who knows how digests are made
CREATE FUNCTION forge(app bigint, of_month date, rev int, amount numeric, at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	previous bytea := (SELECT digest FROM im_invoice WHERE app_id = app AND issued_at < at ORDER BY issued_at DESC LIMIT 1);
	bytes bytea;
BEGIN
	INSERT INTO im_invoice_line SELECT rev, app, of_month, 1, 'plan', 'pro', '[2023-01-01,2023-02-01)', of_month, 1, 0, 1, 1, amount, amount, 'CNY', 'forged';
	SELECT im_internal.im_line_bytes(ROW(l.app_id, l.month, l.line, l.item, l.option, l.period, l.due_on, l.quantity, l.included, l.billable,
		l.units, l.unit_price, l.amount, l.currency, NULL)::im_bill_line, l.explanation, l.reason, l.figures) INTO bytes
	FROM im_invoice_line l WHERE app_id = app AND month = of_month AND revision = rev;
	INSERT INTO im_invoice (app_id, month, revision, kind, currency, total, issued_at, rate_card, card_from, app_name, digest_version, digest)
	VALUES (app, of_month, rev, 'credit_note', 'CNY', amount, at, 'cn', '2019-12-10', 'app', 2,
		im_internal.im_document_digest(2, app, of_month, rev, 'credit_note', 'CNY', amount, at, 'cn', '2019-12-10', 'app', NULL, NULL, NULL, previous, bytes));
END $$;
-- What every entry says is made anew by whoever knows how.
CREATE FUNCTION forge_chain() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	c record;
	last bytea;
BEGIN
	FOR c IN SELECT * FROM im_closing WHERE entry IS NOT NULL ORDER BY entry LOOP
		c.documents := im_internal.im_documents_digest((SELECT d.bytes FROM im_internal.im_found_documents(c.month) d WHERE d.batch = c.batch),
			CASE WHEN c.entry = (SELECT min(k.entry) FROM im_closing k WHERE k.month = c.month) THEN im_internal.im_old_closings(c.month) END);
		last := im_internal.im_closing_digest(c.entry, c.month, c.apps, c.without_lines, c.done, c.invoices, c.notes, c.total,
			c.begun_at, c.closed_at, c.batch, c.documents, last);
		UPDATE im_closing SET documents = c.documents, digest = last WHERE entry = c.entry;
	END LOOP;
END $$;
CREATE TABLE forgery (n serial, what text, statement text, problem text);
INSERT INTO forgery (what, statement, problem) VALUES
	('a document put between two is named', $$SELECT forge(4, '2023-02-01', 1, -100, (SELECT issued_at + interval '1 microsecond' FROM im_invoice WHERE app_id = 4 AND month = '2023-02-01'))$$,
		'^4 2023-02-01 1 the document was inserted: the one after it follows the one before it$'),
	('a note appended', $$SELECT forge(4, '2023-02-01', 1, -100, now())$$, '^2023-02-01 3 notes were issued, but there are 4$'),
	('with the number of notes raised', $$SELECT forge(4, '2023-02-01', 1, -100, now()); UPDATE im_closing SET notes = notes + 1 WHERE entry = 7$$,
		'^2023-02-01 entry 7 of im_closing was changed'),
	('under the mark of a batch', $$SELECT forge(4, '2023-02-01', 1, -100, now()); UPDATE im_invoice SET batch = (SELECT batch FROM im_closing WHERE entry = 7) WHERE app_id = 4 AND revision = 1$$,
		'^2023-02-01 the documents of entry 7 of im_closing are not those'),
	('the newest note of an app removed', $$DELETE FROM im_invoice WHERE app_id = 1 AND month = '2023-02-01' AND revision = 2;
		DELETE FROM im_invoice_line WHERE app_id = 1 AND month = '2023-02-01' AND revision = 2$$, '^2023-02-01 3 notes were issued, but there are 2$'),
	('and another one forged instead', $$DELETE FROM im_invoice WHERE app_id = 1 AND month = '2023-02-01' AND revision = 2;
		DELETE FROM im_invoice_line WHERE app_id = 1 AND month = '2023-02-01' AND revision = 2; SELECT forge(4, '2023-02-01', 1, -100, now())$$,
		'^2023-02-01 the documents of entry 8 of im_closing are not those'),
	('the newest note of an app made another', $$DELETE FROM im_invoice WHERE app_id = 1 AND month = '2023-02-01' AND revision = 2;
		DELETE FROM im_invoice_line WHERE app_id = 1 AND month = '2023-02-01' AND revision = 2; SELECT forge(1, '2023-02-01', 2, -100, now())$$,
		'^2023-02-01 the documents of entry 8 of im_closing are not those'),
	('the last invoice of an app removed, and counted down', $$DELETE FROM im_invoice WHERE app_id = 3 AND month = '2023-03-01';
		DELETE FROM im_invoice_line WHERE app_id = 3 AND month = '2023-03-01'; UPDATE im_closing SET invoices = 3 WHERE month = '2023-03-01' AND invoices = 4$$,
		'^2023-03-01 entry 5 of im_closing was changed'),
	('all of an app removed, and counted down', $$DELETE FROM im_invoice WHERE app_id = 3; DELETE FROM im_invoice_line WHERE app_id = 3; UPDATE im_closing SET invoices = 3 WHERE invoices = 4$$,
		'^3 2023-01-01 0 the app is closed without an invoice, though it had lines to bill$'),
	('the last entries removed', $$DELETE FROM im_closing WHERE entry > 6$$, '^2023-02-01 3 notes were issued, but there are 0|0 notes were issued, but there are 3$'),
	('an entry within removed', $$DELETE FROM im_closing WHERE entry = 4$$, '^2023-03-01 entries of im_closing before entry 5 are missing: 1$'),
	('an entry made one of before', $$UPDATE im_closing SET entry = NULL WHERE entry = 8$$, '2023-02-01 the documents of entry 3 of im_closing are not those'),
	('an app called one without lines', $$UPDATE im_closing SET without_lines = '{(,)}' WHERE entry = 1$$, '^2023-01-01 entry 1 of im_closing was changed'),
	('a mark of a batch changed', $$UPDATE im_closing SET batch = gen_random_uuid() WHERE entry = 1$$, '^2023-01-01 entry 1 of im_closing was changed'),
	('a row of before put in', $$INSERT INTO im_closing (month, apps, done, invoices, total, begun_at, closed_at) VALUES ('2023-01-01', '{[9,10)}', 1, 0, 4, now(), now())$$,
		'^2023-01-01 the documents of entry 1 of im_closing are not those'),
	('a document given the digest of before', $$UPDATE im_invoice SET app_name = NULL, digest_version = 1 WHERE app_id = 4$$, '^4 2023-01-01 0 the document or its lines were changed'),
	('a document of a version to come', $$UPDATE im_invoice SET digest_version = 4 WHERE app_id = 4$$, '^4 2023-01-01 0 the document or its lines were changed');
INSERT INTO forgery (what, statement, problem)
SELECT format('%s of an entry changed', c), format('UPDATE im_closing SET %s WHERE entry = 3', c), '^2023-02-01 entry 3 of im_closing was changed'
FROM unnest('{month = month,done = done + 1,total = total - 1,begun_at = begun_at + ''1s'',closed_at = closed_at - interval ''1s'',documents = ''\x00'',digest = ''\x00'',notes = 1}'::text[]) c
WHERE c <> 'month = month';
SELECT matches(tampered(statement), '(?n)' || problem, what) FROM forgery ORDER BY n;
SELECT is(tampered(statement, '2023-02') ~ '2023-02', problem ~ '2023-02', what || ', asked for one month') FROM forgery
WHERE problem ~ '^\^(\d )?2023-0[23]-01 [1-9e]' AND problem !~ 'missing' ORDER BY n;
-- Whoever owns the tables and makes everything anew agrees with himself, and is told by what is kept elsewhere.
SELECT im_ledger_anchor() AS anchor \gset
SELECT matches((:'anchor')::text, '^imbilling 8 [0-9a-f]{64}$', 'an anchor is a line');
SELECT is_empty(format('SELECT * FROM im_verify_anchor(%L)', :'anchor'), 'that the ledger agrees with');
SELECT is_empty(format('SELECT * FROM im_verify_anchor(%L)', ' ' || :'anchor' || E'\n'), 'with spaces about it, too');
SELECT fails_with(format('SELECT * FROM im_verify_anchor(%L)', a), '22023', 'no anchor', coalesce(a, 'null') || ' is none')
FROM unnest(ARRAY['', 'imbilling', 'imbilling 8', 'imbilling 0 ' || repeat('0', 64), 'imbilling 99999999999999999999 ' || repeat('0', 64),
	'imbilling 8 ' || repeat('g', 64), repeat('imbilling 8 ', 100000)]) a;
SELECT fails_with('SELECT * FROM im_verify_anchor(NULL)', '22004', 'no anchor of a ledger: null', 'nor is null');
CREATE FUNCTION anchored(statement text, anchor text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	said text;
BEGIN
	SET LOCAL session_replication_role = replica;
	EXECUTE 'ALTER TABLE im_invoice DISABLE TRIGGER USER; ALTER TABLE im_invoice_line DISABLE TRIGGER USER; ALTER TABLE im_closing DISABLE TRIGGER USER';
	EXECUTE statement;
	PERFORM forge_chain();
	SELECT concat_ws('; ', (SELECT string_agg(v.problem, ', ') FROM im_verify_invoices() v), (SELECT string_agg(v.problem, ', ') FROM im_verify_anchor(anchor) v))
	INTO said;
	RAISE EXCEPTION '%', coalesce(said, 'nothing') USING ERRCODE = 'T0000';
EXCEPTION WHEN SQLSTATE 'T0000' THEN
	RETURN SQLERRM;
END $$;
SELECT matches(anchored($$SELECT forge(4, '2023-02-01', 1, -100, now()); UPDATE im_closing SET notes = notes + 1 WHERE entry = 7$$, :'anchor'),
	'^entry 8 of im_closing is not the one of the anchor[^;]*$', 'a forger of everything is told by the anchor alone');
SELECT matches(anchored('DELETE FROM im_closing; DELETE FROM im_invoice; DELETE FROM im_invoice_line', :'anchor'),
	'^entry 8 of im_closing is not the one of the anchor[^;]*$', 'and so is one who removes everything');
SELECT matches(tampered($$SELECT forge(4, '2023-02-01', 1, -100, now())$$, '2023-02', :'root'), 'the root of the month is', 'nor does a month agree with its root');
SELECT matches(tampered($$DELETE FROM im_invoice WHERE app_id = 1 AND month = '2023-02-01' AND revision = 2; DELETE FROM im_invoice_line WHERE app_id = 1 AND month = '2023-02-01' AND revision = 2$$,
	'2023-02', :'root'), 'the root of the month is', 'whose last note is gone');

-- Nobody inserts by hand -------------------------------------------------------
CREATE TABLE by_hand (statement text);
INSERT INTO by_hand
SELECT format(s, t) FROM unnest('{im_invoice,im_invoice_line,im_closing}'::text[]) t,
	unnest(ARRAY['INSERT INTO %s SELECT * FROM %1$s', 'INSERT INTO %s SELECT * FROM %1$s ON CONFLICT DO NOTHING', 'INSERT INTO %s SELECT * FROM %1$s LIMIT 1']) s
UNION ALL VALUES ('SELECT forge(4, ''2023-02-01'', 1, -100, now())'),
	('SELECT im_internal.im_close_apps(''2023-05'', 10, ROW(NULL, 0, 0, 0, ''{}'', ''{}'', NULL, false, NULL, now())::im_run)'),
	('SELECT im_internal.im_note_closing(''2023-05-01'', gen_random_uuid(), ''{}'', ''{}'', ''{(,)}'', ''{(,)}'', 0, NULL::im_run)'),
	('WITH x AS (SELECT * FROM im_invoice) MERGE INTO im_invoice i USING x ON false WHEN NOT MATCHED THEN INSERT VALUES (x.app_id, x.month, 9, ''debit_note'', ''CNY'', 0, now(), ''cn'', ''2019-12-10'', '''')'),
	('DO $d$ BEGIN PERFORM im_close_batch(''2023-05'', -1, ROW(NULL, 0, 0, 0, ''{}'', ''{}'', NULL, false, NULL, now())::im_run); EXCEPTION WHEN OTHERS THEN INSERT INTO im_closing SELECT * FROM im_closing; END $d$');
GRANT SELECT ON by_hand TO im_test_owner;
SELECT is((attempt(statement)).state, '55000', 'a superuser is refused: ' || statement) FROM by_hand ORDER BY 1;
SET ROLE im_test_owner;
SELECT is((attempt(statement)).state, '55000', 'the owner is refused: ' || statement) FROM by_hand WHERE statement ~ '^INSERT' ORDER BY 1;
RESET ROLE;
SELECT fails_with('SELECT im_only_issued()', '39P01', 'before each row', 'the guard is a trigger');
CREATE TABLE guarded (a int);
CREATE TRIGGER guard AFTER INSERT ON guarded FOR EACH STATEMENT EXECUTE FUNCTION im_only_issued();
SELECT fails_with('INSERT INTO guarded VALUES (1)', '39P01', 'before each row', 'of one kind');
DROP TABLE guarded;
SELECT is_empty('SELECT * FROM im_verify_invoices()', 'nothing was added');
SELECT matches(tampered('DELETE FROM im_closing WHERE month = ''2023-03-01'''), '4 2023-03-01 0 the app is not recorded as closed', 'closings that are gone');

-- Garbage is reported, never an error
SELECT isnt(tampered(statement), 'nothing', 'garbage: ' || statement) FROM unnest(ARRAY[
	$$ALTER TABLE im_invoice DROP CONSTRAINT im_invoice_kind_check; ALTER TABLE im_invoice DROP CONSTRAINT im_invoice_month_check;
	  INSERT INTO im_invoice VALUES (1, 'infinity', -2147483648, '', '', 'NaN', '-infinity', '', '-infinity', ''),
		(1, '-infinity', 2147483647, '', '', 'Infinity', 'infinity', '', 'infinity', ''), (2, '2023-02-17', 5, 'x', 'x', -1e100, 'infinity', '', '0001-01-01 BC', '\x00')$$,
	$$UPDATE im_invoice SET issued_at = 'infinity'$$,
	$$ALTER TABLE im_invoice_line ALTER period DROP NOT NULL, ALTER amount DROP NOT NULL, ALTER item DROP NOT NULL; UPDATE im_invoice_line SET period = NULL, amount = NULL, item = NULL$$,
	$$UPDATE im_invoice_line SET period = 'empty'$$, $$UPDATE im_invoice_line SET period = '(,)', amount = 'NaN', quantity = '-Infinity'$$,
	$$ALTER TABLE im_invoice DROP CONSTRAINT im_invoice_pkey; INSERT INTO im_invoice SELECT * FROM im_invoice$$,
	$$ALTER TABLE im_invoice ALTER digest DROP NOT NULL, ALTER total DROP NOT NULL, ALTER issued_at DROP NOT NULL; UPDATE im_invoice SET digest = NULL, total = NULL, issued_at = NULL$$,
	$$UPDATE im_closing SET apps = '{}'$$, $$UPDATE im_closing SET invoices = -9223372036854775808$$,
	$$INSERT INTO im_invoice_line SELECT -1, -9223372036854775808, 'infinity', -1, '', '', 'empty', '-infinity', 'NaN', 'NaN', 'NaN', 'NaN', 'NaN', 'NaN', '', ''$$]) statement;
SELECT fails_with($$SELECT * FROM im_verify_invoices(NULL, '\x00')$$, '22004', 'month is null', 'a root without its month');

-- A digest is of the values alone --------------------------------------------
SELECT is(im_internal.im_canonical(ROW(1::bigint, NULL::text, ''::text, 'pro'::text, date '2023-02-01', 9.90, true))::text,
	concat('\x', '0100000008', '0000000000000001', '00', '0100000000', '0100000003', '70726f', '0100000004', '000020f0',
		'010000000c', '0002', '0000', '0000', '0002', '0009', '2328', '0100000001', '01'), 'the bytes of values, for ever');
SELECT isnt(im_internal.im_canonical(ROW('a'::text, 'bc'::text)), im_internal.im_canonical(ROW('ab'::text, 'c'::text)), 'texts do not run into each other');
SELECT isnt(im_internal.im_canonical(ROW(NULL::text)), im_internal.im_canonical(ROW(''::text)), 'null is not nothing');
SELECT is(encode(im_internal.im_invoice_digest(1, '2023-02-01', 0, 'invoice', 'CNY', 999.00, '2023-03-01 00:00+00', 'cn', '2019-12-10', NULL, '\x00'), 'hex'),
	encode(sha256(im_internal.im_canonical(ROW('imbilling invoice 1'::text, 1::bigint, date '2023-02-01', 0, 'invoice'::text, 'CNY'::text, 999.00,
		timestamptz '2023-03-01 00:00+00', 'cn'::text, date '2019-12-10', NULL::bytea, '\x00'::bytea))), 'hex'), 'the digest of a document');
SELECT fails_with('SELECT im_internal.im_canonical(ROW(1.5::float8))', '0A000', 'double precision', 'other types have no bytes');
SELECT fails_with('SELECT im_internal.im_canonical(ROW(ARRAY[1, 2]))', '0A000', 'integer', 'nor have arrays');
CREATE FUNCTION under(setting text, value text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	old text := current_setting(setting);
	root bytea;
	said text;
BEGIN
	PERFORM set_config(setting, value, true);
	root := public.im_month_root('2023-02');
	said := (SELECT pg_catalog.string_agg(v.problem, ' ') FROM public.im_verify_invoices() v);
	PERFORM pg_catalog.set_config(setting, old, true);
	RETURN im_test.is(coalesce(said, '') || root::text, (SELECT r FROM im_test.root), pg_catalog.format('%s = %s', setting, value));
END $$;
CREATE FUNCTION is(a text, b text, c text) RETURNS text LANGUAGE sql RETURN public.is(a, b, c);
CREATE TABLE root AS SELECT im_month_root('2023-02')::text AS r;
SELECT under(s, v) FROM (VALUES ('DateStyle', 'German, DMY'), ('DateStyle', 'SQL, MDY'), ('TimeZone', 'Asia/Shanghai'), ('TimeZone', 'America/New_York'),
	('extra_float_digits', '-15'), ('IntervalStyle', 'iso_8601'), ('search_path', ''), ('search_path', 'pg_temp'), ('standard_conforming_strings', 'off'),
	('enable_hashagg', 'off'), ('enable_sort', 'off'), ('enable_hashjoin', 'off'), ('work_mem', '64kB'), ('array_nulls', 'off'), ('quote_all_identifiers', 'on')) x(s, v);
SET bytea_output = escape;
SELECT is(count(*), 0::bigint, 'bytea_output = escape') FROM im_verify_invoices('2023-02', :'root');
RESET bytea_output;
SET client_encoding = LATIN1;
SELECT is(count(*), 0::bigint, 'client_encoding = LATIN1') FROM im_verify_invoices('2023-02', :'root');
RESET client_encoding;

-- Closing takes tables of one owner.
REASSIGN OWNED BY im_test_owner TO current_user;

-- A clock that went back: the next document is still the later one.
SET session_replication_role = replica;
SELECT forge(4, '2023-01-01', 1, -100, now() + interval '1 hour') \g /dev/null
RESET session_replication_role;
CALL im_adjust_month('2023-01');
SELECT is((SELECT string_agg(revision || ' ' || total, ', ' ORDER BY issued_at) FROM im_invoice WHERE app_id = 4 AND month = '2023-01-01'),
	'0 7994.00, 1 -100, 2 100.00', 'a document is later than the app''s last one, whatever the clock says');
SELECT is_empty('SELECT * FROM im_verify_invoices() WHERE app_id IS NOT NULL', 'so the chain stays whole');
SELECT is((SELECT string_agg(v.problem, '; ' ORDER BY v.problem) FROM im_verify_invoices() v), '1 notes were issued, but there are 2; '
	'the documents of entry 1 of im_closing are not those that were issued', 'and the forged one, which a subscriber could have got, is told');
SET session_replication_role = replica;
ALTER TABLE im_invoice DISABLE TRIGGER USER;
ALTER TABLE im_closing DISABLE TRIGGER USER;
UPDATE im_closing SET notes = 2 WHERE month = '2023-01-01' AND notes = 1;
SELECT forge_chain() \g /dev/null
RESET session_replication_role;
SELECT im_create_tables() \g /dev/null
SELECT is_empty('SELECT * FROM im_verify_invoices()', 'unless everything is made anew');

-- Guarded again ---------------------------------------------------------------
DROP EXTENSION imbilling CASCADE;
CREATE EXTENSION imbilling SCHEMA public;
ALTER TABLE im_usage_daily ADD COLUMN IF NOT EXISTS users im_userset;
SELECT is((attempt('DELETE FROM im_invoice')).state, 'T0000', 'without im_create_tables() the ledger stands open');
SELECT im_create_tables() \g /dev/null
SELECT is((attempt(statement)).state, '55000', 'guarded again: ' || statement) FROM attack WHERE statement ~ '^(UPDATE|DELETE|TRUNCATE \w+$)' ORDER BY 1;
SET session_replication_role = replica;
SELECT is((attempt('DELETE FROM im_invoice')).state, '55000', 'also in the role of a replica');
RESET session_replication_role;
SELECT is(count(*), 0::bigint, 'and every document is whole') FROM im_verify_invoices('2023-02', :'root');
ALTER TABLE im_invoice DISABLE TRIGGER ALL;
SELECT is((attempt('DELETE FROM im_invoice')).state, 'T0000', 'disabled');
SELECT im_create_tables() \g /dev/null
SELECT is((attempt('DELETE FROM im_invoice')).state, '55000', 'im_create_tables() enables what somebody disabled');
SELECT is((attempt(statement)).state, '55000', 'also against ' || statement) FROM by_hand WHERE statement ~ '^INSERT.*im_invoice ' ORDER BY 1;
SELECT is((SELECT string_agg(DISTINCT tgenabled::text, '') FROM pg_trigger WHERE tgname ~ '_only_issued$'), 'O', 'in the origin role');

SELECT * FROM finish();
DROP OWNED BY im_test_owner;
DROP ROLE im_test_owner;
