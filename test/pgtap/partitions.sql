-- im_partition(): bills, rows, grants and triggers are the same before and after; every
-- reading function leaves the partitions of other months alone; bad calls change nothing.
BEGIN;
\ir include/setup.sql

CALL app(1);
CALL buy(1, 1, '2024-01-05', 'plan', 'pro', 3);
CALL turn(1, 2, '2024-01-05', 'on', 'moderation');
INSERT INTO im_login (app_id, user_id, at)
SELECT 1, 'u' || g % 50, at8('2023-12-30 00:30') + g * interval '50 minutes' FROM generate_series(0, 3000) g;
INSERT INTO im_group (app_id, group_id, created_at, disbanded_at)
SELECT 1, 'g' || g, at8('2023-12-30 00:30') + g * interval '5 hours',
	CASE WHEN g % 2 = 0 THEN at8('2023-12-30 00:30') + g * interval '7 hours' END FROM generate_series(0, 300) g;
INSERT INTO im_moderation_check (app_id, at, kind, seconds)
SELECT 1, at8('2023-12-30 00:30') + g * interval '50 minutes', 'audio', 70 FROM generate_series(0, 3000) g;
INSERT INTO im_call (app_id, at, class, seconds)
SELECT 1, at8('2023-12-30 00:30') + g * interval '50 minutes', 'sd', 70 FROM generate_series(0, 3000) g;
CALL settle();
CREATE TEMP TABLE months AS SELECT date '2024-01-01' + (g || ' months')::interval AS m FROM generate_series(0, 3) g;
CREATE FUNCTION all_bills() RETURNS text LANGUAGE sql
RETURN (SELECT string_agg(line_text(b), E'\n' ORDER BY m, b.line)
	FROM months, im_monthly_bill(1, m::date) b);
CREATE TEMP TABLE before AS SELECT all_bills() AS bills, (SELECT count(*) FROM im_login) AS logins;
SELECT ok(bills ~ 'dau|moderation', 'there is something to compare') FROM before;

CREATE ROLE im_test_loader;
GRANT INSERT ON im_login TO im_test_loader;
GRANT SELECT (app_id) ON im_login TO im_test_loader;
CREATE TEMP TABLE triggers AS
SELECT tgname, pg_get_triggerdef(oid) AS def FROM pg_trigger WHERE tgrelid = 'im_login'::regclass AND NOT tgisinternal;
CREATE TEMP TABLE indexes AS SELECT indexname FROM pg_indexes WHERE tablename = 'im_login';

SELECT is((SELECT relreplident::text FROM pg_class WHERE oid = 'im_login'::regclass), 'f', 'a table without a key is replicated by its rows');

-- Turning plain tables into partitioned ones
SELECT is(im_partition('im_login', '2024-01-01', '2024-04-01', '1 month'), 3, 'three months make three partitions');
SELECT is(im_partition('im_group', '2024-01-01', '2024-03-01', '1 month'), 2, 'im_group too');
SELECT is(im_partition('im_moderation_check', '2024-01-01', '2024-01-11', '1 day'), 10, 'and by the day');
SELECT is(im_partition('im_call', '2024-01-01', '2024-01-15', '7 days'), 2, 'and by the week');
SELECT is(all_bills(), b.bills, 'bills over partitions are the bills over plain tables') FROM before b;
SELECT is((SELECT count(*) FROM im_login), b.logins, 'no row was lost or doubled') FROM before b;
SELECT is((SELECT min(at) FROM im_login_p2024_02), (SELECT min(at) FROM im_login WHERE at >= at8('2024-02-01 00:00')),
	'a partition begins at local midnight');
SELECT ok((SELECT count(*) FROM im_login_default) > 0, 'rows of other months are in the default partition');
SELECT ok(has_table_privilege('im_test_loader', 'im_login', 'INSERT')
	AND has_column_privilege('im_test_loader', 'im_login', 'app_id', 'SELECT')
	AND NOT has_column_privilege('im_test_loader', 'im_login', 'user_id', 'SELECT'), 'grants are kept');
SELECT set_eq($$SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'im_login'::regclass AND NOT tgisinternal$$,
	'SELECT * FROM triggers', 'triggers are kept');
SELECT set_eq($$SELECT indexname FROM pg_indexes WHERE tablename = 'im_login'$$, 'SELECT * FROM indexes', 'indexes keep their names');
SELECT is(col_description('im_login'::regclass, 1), 'The app.', 'comments are kept');
SELECT is((SELECT string_agg(DISTINCT c.relreplident::text, '') FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
	WHERE i.inhparent = 'im_login'::regclass), 'f', 'partitions can be replicated by their rows');
SELECT lives_ok('SELECT im_create_tables()', 'im_create_tables() runs over partitioned tables');
SELECT set_eq($$SELECT indexname FROM pg_indexes WHERE tablename = 'im_login'$$, 'SELECT * FROM indexes', 'and adds no index twice');

-- Adding to what is partitioned
CALL login(1, 'late', '2024-05-03 10:00');
SELECT is(im_partition('im_login', '2024-01-01', '2024-07-01', '1 month'), 3, 'only what is missing is added');
SELECT is((SELECT count(*) FROM im_login_p2024_05), 1::bigint, 'a row that was early moves from the default partition into its own');
SELECT is(im_partition('im_login', '2024-01-01', '2024-07-01', '1 month'), 0, 'a second time there is nothing to add');
SELECT is((SELECT count(*) FROM im_login), b.logins + 1, 'no row was lost by adding') FROM before b;

-- Pruning: reading January touches no index and no page of other months' partitions
CREATE FUNCTION touched() RETURNS bigint LANGUAGE sql VOLATILE
RETURN (SELECT coalesce(sum(seq_scan + coalesce(idx_scan, 0)), 0)::bigint FROM pg_stat_xact_user_tables
	WHERE relname IN ('im_login_p2024_03', 'im_login_p2024_06', 'im_moderation_check_p2024_01_05'));
CREATE FUNCTION touches(statement text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	b bigint := im_test.touched();
BEGIN
	EXECUTE statement;
	RETURN im_test.touched() - b;
END $$;
SELECT ok(touches($$SELECT count(*) FROM im_login_p2024_03 WHERE at < 'infinity'$$) > 0, 'a read of a partition is noticed');
SELECT is(touches(format(s, '2023-12')), 0::bigint, format(s, '2023-12') || ' leaves later partitions alone')
FROM unnest(ARRAY[
	$$SELECT count(*) FROM im_monthly_bill(1, '%s')$$,
	$$SELECT im_monthly_total(1, '%s')$$,
	$$SELECT count(*) FROM im_monthly_bills('%s')$$,
	$$SELECT count(*) FROM im_monthly_totals('%s')$$,
	$$SELECT count(*) FROM im_preview_bill(1, '%s', im_bundled_card('cn', '2019-12-10'))$$,
	$$SELECT count(*) FROM im_moderation_statement(1, '%s')$$,
	$$SELECT count(*) FROM im_unbilled_usage('%s')$$,
	$$SELECT count(*) FROM im_check('%s')$$]) s;
SELECT is(touches(s), 0::bigint, s || ' leaves earlier partitions alone')
FROM unnest(ARRAY[
	$$SELECT count(*) FROM im_monthly_bills('2024-08')$$,
	$$SELECT count(*) FROM im_monthly_bill(1, '2024-08')$$,
	$$SELECT count(*) FROM im_unbilled_usage('2024-08')$$,
	$$SELECT count(*) FROM im_check('2024-08')$$]) s;

-- What is refused changes nothing
SELECT fails_with($$SELECT im_partition('im_order', '2024-01-01', '2024-02-01', '1 month')$$, '42809', 'raw table', 'im_order is not partitioned');
SELECT fails_with($$SELECT im_partition(NULL, '2024-01-01', '2024-02-01', '1 month')$$, '42809', 'null', 'a null table');
SELECT fails_with($$SELECT im_partition('im_call', NULL, '2024-02-01', '1 month')$$, '22004', 'null', 'a null day');
SELECT fails_with($$SELECT im_partition('im_call', '2024-03-01', '2024-02-01', '1 month')$$, '22023', 'order', 'days backwards');
SELECT fails_with($$SELECT im_partition('im_call', '-infinity', '2024-02-01', '1 month')$$, '22023', 'finite', 'no first day');
SELECT fails_with(format($$SELECT im_partition('im_call', '2024-01-01', '2024-02-01', %L)$$, step), '22023', 'whole months or whole days', 'step ' || step)
FROM unnest('{0,-1 day,1 hour,36 hours,1 month 1 day,-1 month}'::text[]) step;
SELECT fails_with($$SELECT im_partition('im_call', '0001-01-01', '9999-01-01', '1 day')$$, '54000', '2000', 'millions of partitions');
SELECT fails_with($$SELECT im_partition('im_call', '2024-01-01', '2024-02-01', '1 month', 'Mars/Base')$$, '22023', 'Mars/Base', 'an unknown zone');
SELECT fails_with($$SELECT im_partition('im_login', '2023-12-15', '2024-02-15', '1 month')$$, '42P17', 'overlap', 'a partition across two others');
CREATE TABLE whole (LIKE im_call INCLUDING ALL);
DROP TABLE im_call;
ALTER TABLE whole SET SCHEMA public;
ALTER TABLE public.whole RENAME TO im_call;
CREATE VIEW on_it AS SELECT app_id FROM public.im_call;
SELECT fails_with($$SELECT im_partition('im_call', '2024-01-01', '2024-02-01', '1 month')$$, '55000', 'view im_test.on_it', 'a table that a view reads is not replaced');
DROP VIEW on_it;
SELECT is(im_partition('im_call', '2024-01-01', '2024-01-01', '1 month'), 0, 'an empty table may become partitioned without partitions');
SELECT is(pg_get_partkeydef('im_call'::regclass), 'RANGE (at)', 'it did');

-- Bounds are instants, not what a style of dates calls them: CST is a zone of America to PostgreSQL.
SET LOCAL datestyle = 'SQL, DMY';
SET LOCAL timezone = 'Asia/Shanghai';
SELECT is(im_partition('im_call', '2024-01-01', '2024-02-01', '1 month'), 1, 'a partition made under another DateStyle');
SELECT is(im_partition('im_call', '2024-01-01', '2024-02-01', '1 month'), 0, 'is found again');
SET LOCAL datestyle = ISO;
SELECT is((SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE oid = 'im_call_p2024_01'::regclass),
	'FOR VALUES FROM (''2024-01-01 00:00:00+08'') TO (''2024-02-01 00:00:00+08'')', 'and begins at midnight');

-- A day that its zone leaves out has no partition; those beside it meet.
SELECT is(im_partition('im_call', from_day::date, until::date, step::interval, zone), made, zone || ' by ' || step)
FROM (VALUES ('2011-12-29', '2012-01-01', '1 day', 'Pacific/Apia', 2),
	('1993-08-20', '1993-08-23', '1 day', 'Pacific/Kwajalein', 2),
	('1994-12-30', '1995-01-02', '1 day', 'Pacific/Kiritimati', 2),
	('1994-12-31', '1995-01-01', '1 day', 'Pacific/Kanton', 0)) v(from_day, until, step, zone, made);
SELECT is((SELECT max(upper) FROM im_internal.im_partition_slots('2011-12-29', '2011-12-31', '1 day', 'Pacific/Apia')),
	(SELECT min(lower) FROM im_internal.im_partition_slots('2011-12-31', '2012-01-01', '1 day', 'Pacific/Apia')), 'no instant is between them');
CALL card('apia', '2010-01-01', jsonb_set(cn(), '{time_zone}', '"Pacific/Apia"'));
CALL app(2, 'apia');
INSERT INTO im_order (app_id, order_id, at, action, item, option, months) VALUES (2, 1, '2011-12-01 12:00-10', 'buy', 'plan', 'pro', 3);
CALL settle();
SELECT is(im_partition('im_login', '2011-12-29', '2012-01-01', '1 day', 'Pacific/Apia'), 2, 'partitions of the two days');
INSERT INTO im_login (app_id, user_id, at)
SELECT 2, 'u' || g, timestamptz '2011-12-29 00:00-10' + g * interval '1 hour' FROM generate_series(0, 47) g;
SELECT is((SELECT string_agg(u.day || ' ' || u.dau, ', ' ORDER BY u.day) FROM im_daily_usage('2011-12') u WHERE u.app_id = 2),
	'2011-12-29 24, 2011-12-31 24', 'their days are whole');

SELECT * FROM finish();
ROLLBACK;
