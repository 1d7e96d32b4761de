-- Properties: shuffled events, a load split into many, 0/1/2 workers, one app against
-- all apps, and every session setting leave a bill the same to the digit.
BEGIN;
\ir include/setup.sql

-- A month of an app with everything in it, as values. Apps differ only in how they are loaded.
CREATE TABLE login_ev AS
SELECT 'u' || (g * 7919) % 61 AS user_id, at8('2023-03-01 00:00') + (g * 6991 % 44640) * interval '1 minute' AS at
FROM generate_series(1, 900) g;
CREATE TABLE group_ev AS
SELECT 'g' || g AS group_id, at8('2023-02-20 00:00') + (g * 6991 % 50000) * interval '1 minute' AS created_at,
	CASE WHEN g % 3 <> 0 THEN at8('2023-02-20 00:00') + (g * 6991 % 50000 + g * 131 % 9000) * interval '1 minute' END AS disbanded_at
FROM generate_series(1, 300) g;
CREATE TABLE check_ev AS
SELECT at8('2023-03-01 00:00') + (g * 6991 % 44640) * interval '1 minute' AS at,
	(ARRAY['text', 'image', 'audio', 'video'])[1 + g % 4] AS kind, CASE WHEN g % 4 > 1 THEN g * 37 % 200 END AS seconds
FROM generate_series(1, 900) g;
CREATE TABLE call_ev AS
SELECT at8('2023-03-01 00:00') + (g * 6991 % 44640) * interval '1 minute' AS at,
	(ARRAY['audio', 'sd', 'hd', 'fhd'])[1 + g % 4] AS class, g * 41 % 500 AS seconds
FROM generate_series(1, 400) g;
-- Small numbers, so that quotas, blocks and packs matter.
CALL card('small', '2019-12-10', jsonb_set(jsonb_set(jsonb_set(jsonb_set(jsonb_set(cn(),
	'{plans,pro,dau}', '{"included": 5, "block": 3, "price": "1.01"}'),
	'{plans,flagship,dau}', '{"included": 4, "block": 2, "price": "0.37"}'),
	'{plans,flagship,groups}', '{"included": 10, "block": 7, "price": "0.013"}'),
	'{addons,call,minutes,basic}', '333'),
	'{moderation,packs,month,deductions}', '1234'));
CREATE PROCEDURE make(id bigint) LANGUAGE plpgsql AS $$
BEGIN
	CALL im_test.app(id, 'small');
	CALL im_test.buy(id, 1, '2023-03-02', 'plan', 'pro');
	CALL im_test.upgrade(id, 2, '2023-03-12');
	CALL im_test.buy(id, 3, '2023-03-03', 'call', 'basic');
	CALL im_test.turn(id, 4, '2023-03-04', 'on', 'moderation');
	CALL im_test.pack(id, 5, '2023-03-06', 'month', 2);
	CALL im_test.turn(id, 6, '2023-03-05', 'on', 'history_storage', '90d');
	CALL im_test.buy(id, 7, '2023-03-05', 'local_moderation');
	CALL im_test.refund(id, 8, '2023-03-25', 7);
	CALL im_test.suspend(id, '[2023-03-14,2023-03-16)');
	CALL im_test.suspend(id, '[2023-03-30,2023-04-02)');
END $$;

-- The bill of an app as one text, the same under every session setting.
CREATE FUNCTION fingerprint(app bigint) RETURNS text LANGUAGE sql
BEGIN ATOMIC
	SELECT string_agg(concat_ws('|', l.line, l.item, l.option, to_char(lower(l.period), 'YYYYMMDD'),
		to_char(upper(l.period), 'YYYYMMDD'), to_char(l.due_on, 'YYYYMMDD'), l.quantity, l.included, l.billable, l.units,
		l.unit_price, l.amount, l.currency, l.explanation), E'\n' ORDER BY l.line)
		|| E'\n' || im_monthly_total(app, '2023-03'::im_month)
	FROM im_monthly_bill(fingerprint.app, '2023-03'::im_month) l;
END;
CREATE FUNCTION fingerprint_of_all(app bigint) RETURNS text LANGUAGE sql
BEGIN ATOMIC
	SELECT (SELECT string_agg(concat_ws('|', l.line, l.item, l.option, to_char(lower(l.period), 'YYYYMMDD'),
		to_char(upper(l.period), 'YYYYMMDD'), to_char(l.due_on, 'YYYYMMDD'), l.quantity, l.included, l.billable, l.units,
		l.unit_price, l.amount, l.currency, l.explanation), E'\n' ORDER BY l.line)
		FROM im_monthly_bills('2023-03'::im_month) l WHERE l.app_id = fingerprint_of_all.app)
		|| E'\n' || (SELECT t.total FROM im_monthly_totals('2023-03'::im_month) t WHERE t.app_id = fingerprint_of_all.app);
END;

-- App 1: the events in their sequence, one statement each.
CALL make(1);
INSERT INTO im_login SELECT 1, * FROM login_ev ORDER BY at;
INSERT INTO im_group SELECT 1, * FROM group_ev ORDER BY created_at;
INSERT INTO im_moderation_check SELECT 1, * FROM check_ev ORDER BY at;
INSERT INTO im_call SELECT 1, * FROM call_ev ORDER BY at;
CALL settle();
CREATE TEMP TABLE wanted AS SELECT fingerprint(1) f;
SELECT ok((SELECT count(*) FROM im_monthly_bill(1, '2023-03')) >= 14, 'the month has lines of every kind');
SELECT ok((SELECT bool_and(billable > 0 AND included > 0) FROM im_monthly_bill(1, '2023-03') WHERE item = 'moderation'),
	'the packs are used up within it');
SELECT ok((SELECT amount > 0 FROM im_monthly_bill(1, '2023-03') WHERE item = 'group_overage'), 'groups are over the quota');

-- App 2: shuffled. App 3: backwards and in 40 loads with bills in between.
CALL make(2);
INSERT INTO im_call SELECT 2, * FROM call_ev ORDER BY md5(at::text || class);
INSERT INTO im_login SELECT 2, * FROM login_ev ORDER BY md5(at::text || user_id);
INSERT INTO im_moderation_check SELECT 2, * FROM check_ev ORDER BY md5(at::text || kind);
INSERT INTO im_group SELECT 2, * FROM group_ev ORDER BY md5(group_id);
SELECT is(fingerprint(2), f, 'shuffled events: the same bill') FROM wanted;
CALL make(3);
DO $$
DECLARE
	between numeric;
BEGIN
	FOR i IN 0..9 LOOP
		INSERT INTO im_login SELECT 3, * FROM im_test.login_ev WHERE abs(hashtext(at::text || user_id)) % 10 = i ORDER BY at DESC;
		INSERT INTO im_group SELECT 3, * FROM im_test.group_ev WHERE abs(hashtext(group_id)) % 10 = i ORDER BY created_at DESC;
		INSERT INTO im_moderation_check SELECT 3, * FROM im_test.check_ev WHERE abs(hashtext(at::text || kind)) % 10 = i ORDER BY at DESC;
		INSERT INTO im_call SELECT 3, * FROM im_test.call_ev WHERE abs(hashtext(at::text || class)) % 10 = i ORDER BY at DESC;
		between := im_monthly_total(3, '2023-03');
	END LOOP;
END $$;
SELECT is(fingerprint(3), f, 'a load split into many, billed in between: the same bill') FROM wanted;
-- App 4: too much loaded, then deleted and corrected.
CALL make(4);
INSERT INTO im_login SELECT 4, * FROM login_ev UNION ALL SELECT 4, 'wrong', at FROM login_ev;
INSERT INTO im_group SELECT 4, * FROM group_ev;
INSERT INTO im_moderation_check SELECT 4, at, kind, seconds + 1 FROM check_ev;
INSERT INTO im_call SELECT 4, at + interval '40 days', class, seconds FROM call_ev;
SELECT isnt(fingerprint(4), f, 'wrong events: another bill') FROM wanted;
DELETE FROM im_login WHERE app_id = 4 AND user_id = 'wrong';
UPDATE im_moderation_check SET seconds = seconds - 1 WHERE app_id = 4;
UPDATE im_call SET at = at - interval '40 days' WHERE app_id = 4;
SELECT is(fingerprint(4), f, 'corrected: the same bill') FROM wanted;
-- Users loaded twice are the same users.
INSERT INTO im_login SELECT 4, * FROM login_ev;
SELECT is(fingerprint(4), f, 'logins loaded twice: the same bill') FROM wanted;

-- One app against all apps.
SELECT is(fingerprint_of_all(a), f, format('app %s among all apps: the same bill', a)) FROM wanted, generate_series(1, 4) a;

-- Workers.
ANALYZE im_login;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL min_parallel_index_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 0;
SELECT is(fingerprint(1), f, 'no worker, one app') FROM wanted;
SELECT is(fingerprint_of_all(1), f, 'no worker, all apps') FROM wanted;
SET LOCAL max_parallel_workers_per_gather = 1;
SELECT is(fingerprint(1), f, 'one worker, one app') FROM wanted;
SELECT is(fingerprint_of_all(1), f, 'one worker, all apps') FROM wanted;
SET LOCAL max_parallel_workers_per_gather = 2;
SELECT is(fingerprint(1), f, 'two workers, one app') FROM wanted;
SELECT is(fingerprint_of_all(1), f, 'two workers, all apps') FROM wanted;
SELECT is(im_dau(user_id), 61::bigint, 'two workers: im_dau') FROM im_login WHERE app_id = 1;
SET LOCAL parallel_leader_participation = off;
SELECT is(fingerprint_of_all(1), f, 'the workers alone, all apps') FROM wanted;
SELECT is(fingerprint_of_all(1), f, 'forced into a worker, all apps') FROM wanted, set_config(
	CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'debug_parallel_query' ELSE 'force_parallel_mode' END,
	'on', true);
SELECT is(im_dau(user_id), 61::bigint, 'forced into a worker: im_dau') FROM im_login WHERE app_id = 1;
SELECT set_config(CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'debug_parallel_query'
	ELSE 'force_parallel_mode' END, 'off', true) \g /dev/null


-- Where there is much usage the bills of all apps are a query for each range of apps.
SET LOCAL parallel_leader_participation = on;
SET LOCAL max_parallel_workers_per_gather = 2;
CREATE FUNCTION ranges() RETURNS bigint LANGUAGE sql
RETURN (SELECT count(*) FROM regexp_matches(im_internal.im_by_ranges('im_rated_lines'), 'im_rated_lines', 'g'));
SELECT is(ranges(), 1::bigint, 'little usage is one range of apps');
INSERT INTO im_call SELECT 4, at8('2024-03-01 00:00'), 'audio', 1 FROM generate_series(1, 350000);
SELECT is(ranges(), 3::bigint, 'much usage is a range for each process');
SELECT is(fingerprint_of_all(a), f, format('app %s, %s workers for ranges: the same bill', a, w))
FROM wanted, unnest('{0,1,2,7}'::int[]) w, set_config('max_parallel_workers_per_gather', w::text, true), generate_series(1, 4) a;
SET LOCAL max_parallel_workers_per_gather = 2;
CALL app(5, 'small');
INSERT INTO im_moderation_check VALUES (5, at8('2023-03-10 00:00'), 'audio', -1);
SELECT throws_like($$SELECT im_monthly_bills('2023-03')$$, '%the bill of 1 app for 2023-03 cannot be right%', 'a fault that a worker meets is told alike');
DELETE FROM im_moderation_check WHERE app_id = 5;
DELETE FROM im_app WHERE app_id = 5;
TRUNCATE im_call;
INSERT INTO im_call SELECT a, * FROM call_ev, generate_series(1, 4) a;
SELECT is(ranges(), 1::bigint, 'little usage again');

SET LOCAL max_parallel_workers_per_gather = DEFAULT;
SET LOCAL parallel_leader_participation = DEFAULT;
SET LOCAL parallel_setup_cost = DEFAULT;
SET LOCAL parallel_tuple_cost = DEFAULT;
SET LOCAL min_parallel_table_scan_size = DEFAULT;
SET LOCAL min_parallel_index_scan_size = DEFAULT;

-- Session settings.
CREATE FUNCTION under(setting text, value text, what text DEFAULT '') RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	old text := current_setting(setting);
	one text;
	every text;
BEGIN
	PERFORM set_config(setting, value, true);
	one := im_test.fingerprint(1);
	every := im_test.fingerprint_of_all(1);
	PERFORM set_config(setting, old, true);
	RETURN NEXT is(one, (SELECT f FROM wanted), format('%s = %s, one app', setting, left(value, 40)));
	RETURN NEXT is(every, (SELECT f FROM wanted), format('%s = %s, all apps', setting, left(value, 40)));
END $$;
SELECT u FROM (VALUES
	('TimeZone', 'UTC'), ('TimeZone', 'Asia/Shanghai'), ('TimeZone', 'America/New_York'),
	('TimeZone', 'Pacific/Kiritimati'), ('TimeZone', 'Asia/Kolkata'), ('TimeZone', 'Pacific/Pago_Pago'),
	('DateStyle', 'German, DMY'), ('DateStyle', 'SQL, MDY'), ('DateStyle', 'Postgres, DMY'), ('DateStyle', 'ISO, YMD'),
	('IntervalStyle', 'sql_standard'), ('IntervalStyle', 'iso_8601'),
	('extra_float_digits', '-15'), ('bytea_output', 'escape'), ('timezone_abbreviations', 'Australia'),
	('standard_conforming_strings', 'off'), ('quote_all_identifiers', 'on'), ('array_nulls', 'off'),
	('transform_null_equals', 'on'), ('default_text_search_config', 'pg_catalog.german'), ('xmloption', 'document'),
	('search_path', ''), ('search_path', 'pg_catalog'), ('search_path', 'pg_temp'), ('search_path', 'no_such_schema'),
	('work_mem', '64kB'), ('enable_hashagg', 'off'), ('enable_sort', 'off'), ('enable_seqscan', 'off'),
	('enable_hashjoin', 'off'), ('enable_nestloop', 'off'), ('jit', 'off'), ('plan_cache_mode', 'force_generic_plan'),
	('plan_cache_mode', 'force_custom_plan'), ('from_collapse_limit', '1'), ('row_security', 'off'),
	('default_transaction_isolation', 'serializable'), ('lc_messages', 'C')) s(setting, value), under(setting, value) u;
-- Locales of numbers, money and time: all that the machine has.
SELECT u FROM (SELECT DISTINCT collcollate FROM pg_collation WHERE collprovider = 'c' AND collcollate <> '' ORDER BY 1 LIMIT 20) c,
	unnest('{lc_numeric,lc_monetary,lc_time}'::text[]) s, under(s, c.collcollate) u;

-- Temporary tables that hide the extension's.
CREATE TEMP TABLE im_app (app_id bigint);
CREATE TEMP TABLE im_order (app_id bigint);
CREATE TEMP TABLE im_login (app_id bigint);
SELECT is(fingerprint(1), f, 'temporary tables of the same names, one app') FROM wanted;
SELECT is(fingerprint_of_all(1), f, 'temporary tables of the same names, all apps') FROM wanted;

SELECT * FROM finish();
ROLLBACK;
