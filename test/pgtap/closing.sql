-- Closing a month: who gets an invoice, when, and once; what a closed month shows.
BEGIN;
\ir include/setup.sql
\ir include/ledger.sql

INSERT INTO im_app (app_id, name) SELECT n, 'app ' || n FROM unnest('{1,2,3,4,5,7,-5,9223372036854775807,-9223372036854775808}'::bigint[]) n;
INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
SELECT a, 1, at8('2023-03-01'), 'buy', 'plan', 'pro', 1 FROM unnest('{1,4,5,-5,9223372036854775807,-9223372036854775808}'::bigint[]) a;
CALL buy(3, 1, '2023-03-09', 'local_moderation', '', 1, paid => 0);
CALL daily(1, '2023-03-05', 25000);
CALL daily(4, '2023-03-05', -1);
-- one call of each class, so that fractions of a cent are about
CALL talk(5, '2023-03-05 12:00', 'audio', 59);
CALL talk(7, '2023-03-05 12:00', 'audio', 59);

\set ON_ERROR_STOP 0
CALL im_close_month('2023-03', 2);
\set ON_ERROR_STOP 1
SELECT is((:'SQLSTATE')::text, '23514', 'a bill that cannot be right ends the close in an error');
SELECT matches((:'LAST_ERROR_MESSAGE')::text, 'app 4 for 2023-03 cannot be right', 'which names the app');
SELECT is(documents('2023-03'), '-9223372036854775808:0 invoice 999.00, -5:0 invoice 999.00, 1:0 invoice 2999.00, '
	'3:0 invoice 0.00, 5:0 invoice 999.01, 7:0 invoice 0.01, 9223372036854775807:0 invoice 999.00',
	'all other apps with lines have an invoice, one of 0 too; an app without lines has none');
SELECT is((SELECT state || ' ' || done || ' of ' || total || ', ' || invoices FROM im_close_progress), 'closing 8 of 9, 7',
	'progress tells that one app is open');
SELECT ok((SELECT apps_per_second > 0 AND seconds_left > 0 AND begun_at < last_at FROM im_close_progress), 'how fast it goes and when it will be done');
SELECT fails_with($$SELECT * FROM im_monthly_bills('2023-03')$$, '22023', 'im_check', 'the open app is still billed from its usage');
UPDATE im_usage_daily SET dau = 10001 WHERE app_id = 4;
SELECT is(im_monthly_total(4, '2023-03'), 1999.00, 'and anew after each correction');
SELECT agrees('2023-03', 'half closed');

CREATE TABLE first_close AS SELECT * FROM im_invoice;
\set ON_ERROR_STOP 0
CALL im_close_month('2023-03', 1);
\set ON_ERROR_STOP 1
SELECT is((:'SQLSTATE')::text, '00000', 'the next call goes on');
SELECT is((SELECT string_agg(app_id || ' ' || total, ', ') FROM (TABLE im_invoice EXCEPT TABLE first_close) n), '4 1999.00',
	'and issues what is missing, nothing else');
SELECT is((SELECT state || ' ' || done || ' of ' || total || ', ' || invoices FROM im_close_progress), 'closed 9 of 9, 8', 'now the month is closed');
CREATE TABLE root AS SELECT im_month_root('2023-03') AS r;
CALL im_close_month('2023-03');
CALL im_close_month('2023-03', 2147483647);
SELECT is(im_month_root('2023-03'), r, 'further calls change nothing') FROM root;
SELECT is((SELECT count(*) FROM im_invoice), 8::bigint, 'nor issue anything');
SELECT results_eq($$SELECT (b).* FROM im_monthly_bills('2023-03') b WHERE app_id <> 4 ORDER BY 1, 3$$,
	$$SELECT b.* FROM im_app a, im_rebill(a.app_id, '2023-03') b WHERE a.app_id <> 4 ORDER BY 1, 3$$, 'the lines issued are those of the bill, to the letter');
SELECT agrees('2023-03', 'closed');
SELECT is((SELECT string_agg(DISTINCT rate_card || ' ' || card_from || ' ' || currency, ', ') FROM im_invoice), 'cn 2019-12-10 CNY',
	'a document names its price list and the version that rates the month');

-- What comes late
CREATE TABLE issued AS SELECT * FROM im_monthly_bills('2023-03');
CALL daily(1, '2023-03-06', 45000);
CALL buy(2, 1, '2023-03-20', 'plan', 'pro');
CALL app(6);
CALL buy(6, 1, '2023-03-20', 'plan', 'pro');
DELETE FROM im_usage_daily WHERE app_id = 4;
SELECT results_eq($$SELECT * FROM im_monthly_bills('2023-03') ORDER BY 1, 3$$, 'SELECT * FROM issued ORDER BY 1, 3',
	'late usage, orders and apps do not change what was issued');
SELECT agrees('2023-03', 'late');
SELECT is(im_monthly_total(2, '2023-03'), 0.00, 'an app without an invoice was billed nothing');
SELECT is((SELECT count(*) FROM im_monthly_bill(6, '2023-03')), 0::bigint, 'an app of later neither');
SELECT is((SELECT sum(amount) FROM im_rebill(1, '2023-03')), 4999.00, 'im_rebill computes anew');
SELECT is(drift('2023-03'), '1: 4999.00 - 2999.00 = 2000.00, 2: 999.00 - 0 = 999.00, 4: 999.00 - 1999.00 = -1000.00, 6: 999.00 - 0 = 999.00',
	'drift finds all of it');
SELECT fails_with('SELECT * FROM im_monthly_bill(77, ''2023-03'')', 'P0002', 'no app 77', 'an unknown app is one in a closed month, too');
SELECT fails_with('DELETE FROM im_app WHERE app_id = 7', '23503', 'im_invoice', 'an app with documents stays');
SELECT is((SELECT sum(amount) FROM im_preview_bill(1, '2023-03', im_bundled_card('cn', '2019-12-10'))), 4999.00,
	'a preview is computed from usage');
SELECT is(drift('2023-02'), NULL, 'a month that is not closed has no drift');

-- Refused
\set ON_ERROR_STOP 0
CALL im_close_month(im_month(now(), 'Asia/Shanghai'));
\set ON_ERROR_STOP 1
SELECT is((:'SQLSTATE')::text, '55000', 'the running month is refused');
\set ON_ERROR_STOP 0
CALL im_close_month(im_month(now(), 'Asia/Shanghai') + 1);
\set ON_ERROR_STOP 1
SELECT matches((:'LAST_ERROR_MESSAGE')::text, 'is not over', 'a month to come as well');
SELECT is((SELECT count(*) FROM im_closing WHERE month > '2023-03-01'), 0::bigint, 'and not begun');
\set ON_ERROR_STOP 0
CALL im_close_month(NULL);
\set ON_ERROR_STOP 1
SELECT is((:'SQLSTATE')::text, '22004', 'no month');
\set ON_ERROR_STOP 0
CALL im_close_month('2023-04', NULL);
\set ON_ERROR_STOP 1
SELECT is((:'SQLSTATE')::text, '22004', 'no batch');
\set ON_ERROR_STOP 0
CALL im_close_month('2023-04', 0);
\set ON_ERROR_STOP 1
SELECT is((:'SQLSTATE')::text, '22023', 'a batch of nothing');
BEGIN;
\set ON_ERROR_STOP 0
CALL im_close_month('2023-04');
\set ON_ERROR_STOP 1
SELECT :'SQLSTATE' AS state, :'LAST_ERROR_MESSAGE' AS said \gset
ROLLBACK;
SELECT is((:'state')::text, '25001', 'a transaction block');
SELECT matches((:'said')::text, 'transaction block', 'is named');
\set ON_ERROR_STOP 0
DO $$ BEGIN CALL public.im_close_month('2023-04'); EXCEPTION WHEN OTHERS THEN RAISE; END $$;
\set ON_ERROR_STOP 1
SELECT is((:'SQLSTATE')::text, '25001', 'a block that catches errors');
CREATE FUNCTION close() RETURNS void LANGUAGE plpgsql AS $$ BEGIN CALL public.im_close_month('2023-04'); END $$;
\set ON_ERROR_STOP 0
SELECT close();
\set ON_ERROR_STOP 1
SELECT is((:'SQLSTATE')::text, '2D000', 'a function');
SET default_transaction_read_only = on;
\set ON_ERROR_STOP 0
CALL im_close_month('2023-04');
\set ON_ERROR_STOP 1
SELECT is((:'SQLSTATE')::text, '25006', 'a read-only session');
RESET default_transaction_read_only;
SELECT is((SELECT count(*) FROM im_closing WHERE month > '2023-03-01'), 0::bigint, 'none of these closed anything');
SELECT fails_with($$SELECT im_close_batch(im_month(now(), 'Asia/Shanghai'), 10, ROW(NULL, 0, 0, 0, '{}', '{}', NULL, false, NULL, now())::im_run)$$, '55000', 'not over',
	'the function behind the procedure refuses the running month itself');
SELECT fails_with($$SELECT im_close_batch(im_month(now(), 'Asia/Shanghai'), 10,
	ROW(1, 0, 0, 0, '{}', ARRAY(SELECT app_id FROM im_app), NULL, false, NULL, now())::im_run)$$, '55000', 'not over',
	'nor by a closer who says that the run is under way and that all apps have failed');
BEGIN ISOLATION LEVEL REPEATABLE READ;
\set ON_ERROR_STOP 0
SELECT im_close_batch('2023-04', 10, ROW(NULL, 0, 0, 0, '{}', '{}', NULL, false, NULL, now())::im_run);
\set ON_ERROR_STOP 1
SELECT :'SQLSTATE' AS state \gset
ROLLBACK;
SELECT is((:'state')::text, '25000', 'and an old snapshot');

-- Zones: where the card's month is not over
INSERT INTO im_rate_card_version SELECT 'west', effective_from, jsonb_set(terms, '{time_zone}', '"Pacific/Pago_Pago"')
FROM im_rate_card_version WHERE rate_card = 'cn' AND effective_from = '2019-12-10';
SELECT is((SELECT count(*) FROM (SELECT im_internal.im_need_over(im_month(now(), 'Asia/Shanghai') - 1, NULL)) x), 1::bigint, 'a month that is over in every zone of an app');

-- Sessions of any kind
SET default_transaction_isolation = serializable;
\set ON_ERROR_STOP 0
CALL im_close_month('2023-01');
\set ON_ERROR_STOP 1
SELECT is((:'SQLSTATE')::text, '00000', 'a serializable session closes');
RESET default_transaction_isolation;
SET search_path = '';
\set ON_ERROR_STOP 0
CALL public.im_close_month('2023-04', 3);
\set ON_ERROR_STOP 1
\set state :SQLSTATE
SET search_path = im_test, public;
SELECT is((:'state')::text, '00000', 'one without a search_path');
CREATE SCHEMA trap;
CREATE FUNCTION trap.boom(a bigint, b bigint) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trapped'; END $$;
CREATE FUNCTION trap.boom(a int, b int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trapped'; END $$;
CREATE OPERATOR trap.= (FUNCTION = trap.boom, LEFTARG = bigint, RIGHTARG = bigint);
CREATE OPERATOR trap.> (FUNCTION = trap.boom, LEFTARG = bigint, RIGHTARG = bigint);
CREATE OPERATOR trap.= (FUNCTION = trap.boom, LEFTARG = int, RIGHTARG = int);
CREATE OPERATOR trap.< (FUNCTION = trap.boom, LEFTARG = int, RIGHTARG = int);
CREATE FUNCTION trap.im_close_batch(month public.im_month, batch int, run public.im_run) RETURNS public.im_run LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trapped'; END $$;
CREATE TABLE trap.im_invoice (LIKE im_invoice);
SET search_path = trap, pg_catalog, public;
\set ON_ERROR_STOP 0
CALL im_close_month('2023-05', 3);
\set ON_ERROR_STOP 1
\set closed :SQLSTATE
\set ON_ERROR_STOP 0
CALL im_adjust_month('2023-05', 3);
\set ON_ERROR_STOP 1
\set adjusted :SQLSTATE
SET search_path = im_test, public;
SELECT is((:'closed' || :'adjusted')::text, '0000000000', 'and one with traps in its search_path');

-- Who may
CREATE ROLE im_test_clerk;
CREATE ROLE im_test_stranger;
GRANT USAGE ON SCHEMA im_test TO im_test_clerk, im_test_stranger;
SELECT im_grant('im_test_clerk', 'closer') \g /dev/null
SET ROLE im_test_stranger;
\set ON_ERROR_STOP 0
CALL im_close_month('2023-06');
\set ON_ERROR_STOP 1
\set state :SQLSTATE
RESET ROLE;
SELECT is((:'state')::text, '42501', 'a stranger may not close');
SET ROLE im_test_clerk;
\set ON_ERROR_STOP 0
CALL im_close_month('2023-06', 3);
\set ON_ERROR_STOP 1
\set closed :SQLSTATE
\set ON_ERROR_STOP 0
CALL im_adjust_month('2023-03', 3);
\set ON_ERROR_STOP 1
\set adjusted :SQLSTATE
SELECT count(*) AS seen FROM im_close_progress \gset
RESET ROLE;
SELECT is((:'closed' || :'adjusted')::text, '0000000000', 'a closer may close and adjust');
SELECT ok(:seen >= 5, 'and watch the progress');
SELECT is((SELECT string_agg(format('%s %s %s', r.rolname, t, p), ', ')
	FROM pg_roles r, unnest('{im_invoice,im_invoice_line,im_closing}'::text[]) t, unnest('{INSERT,UPDATE,DELETE,TRUNCATE}'::text[]) p
	WHERE NOT r.rolsuper AND r.rolname !~ '^pg_' AND has_table_privilege(r.oid, t::regclass, p)), NULL,
	'no role may write the ledger');
SELECT is((SELECT string_agg(t, ', ') FROM unnest('{im_app,im_order,im_usage_daily,im_login,im_invoice}'::text[]) t
	WHERE has_table_privilege('im_test_clerk', t::regclass, 'SELECT')), NULL, 'a closer reads neither usage nor invoices');
SELECT ok(p.prosecdef AND NOT has_function_privilege('im_test_stranger', p.oid, 'EXECUTE')
	AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'),
	format('%s runs as the owner, for closers only, and is no member of the extension', p.proname))
FROM pg_proc p WHERE p.proname IN ('im_close_batch', 'im_adjust_batch') AND p.pronamespace = 'public'::regnamespace ORDER BY p.proname;
SELECT is((SELECT string_agg(proname, ', ') FROM pg_proc WHERE proname IN ('im_close_month', 'im_adjust_month') AND (prosecdef OR proconfig IS NOT NULL)),
	NULL, 'the procedures are plain, or they could not commit');

-- A price list without a version, as a restore without triggers may leave it: something common to all is wrong
SET session_replication_role = replica;
INSERT INTO im_app (app_id, name, rate_card) SELECT n, 'many', 'none' FROM generate_series(1001, 1200) n;
RESET session_replication_role;
INSERT INTO im_login (app_id, user_id, at) SELECT n, 'a', at8('2023-07-05 12:00') FROM generate_series(1001, 1200) n;
\set ON_ERROR_STOP 0
CALL im_close_month('2023-07', 500);
\set ON_ERROR_STOP 1
SELECT matches((:'LAST_ERROR_MESSAGE')::text, 'more than 100 apps', 'where very many bills fail the close stops at once');

SELECT is_empty($$SELECT * FROM im_verify_invoices()$$, 'all documents of all months are whole');

DROP SCHEMA trap CASCADE;
SELECT * FROM finish();
DROP OWNED BY im_test_clerk, im_test_stranger;
DROP ROLE im_test_clerk, im_test_stranger;
