-- A tenant tries to see another's rows, everybody tries to see user ids, and
-- all they get holds no trace of either.  What must not be seen has "777" or
-- "rival" in it (the other tenant's) or "secret" (a user id).
BEGIN;
\ir include/setup.sql
\ir include/roles.sql
CALL spoil_other();
ANALYZE;

CREATE FUNCTION clean(answer text, what text, mark text DEFAULT '777|rival|secret') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN ok(answer !~* mark, what)
		|| CASE WHEN answer ~* mark THEN E'\n' || diag(left(answer, 2000)) ELSE '' END;
END $$;

-- The marks are there to be seen: the owner does.
SELECT matches(seen(current_user, query), mark, 'the owner sees it: ' || query)
FROM (VALUES ('TABLE im_app', 'Rivalry'), ('TABLE im_login', 'secret'), ('TABLE im_usage_daily', '17770'),
	('SELECT * FROM im_check(''2023-03'')', 'rival'), ('SELECT * FROM im_monthly_bill(500, ''2023-03'')', 'rival|777'),
	('SELECT * FROM pg_stats WHERE tablename = ''im_login''', 'secret')) v(query, mark);

-- The tables ------------------------------------------------------------------
SELECT is(role || ': ' || left(seen(role, format('SELECT %s FROM %s', what, table_name)), 5), role || ': 42501',
	format('%s cannot SELECT %s FROM %s', role, what, table_name))
FROM im_internal.im_table_definitions() t, unnest('{acme,gateway,clerk}'::name[]) role, unnest('{*,count(*),1,ctid}'::text[]) what
WHERE role <> 'clerk' OR table_name NOT IN (SELECT p.table_name FROM im_internal.im_privilege_definitions() p WHERE p.kind = 'reader' AND p.privilege ~ '^SELECT');
-- a reader sees what was used, but not by whom
SELECT is(left(seen('clerk', format('SELECT %s FROM %s', what, table_name)), 5), '42501', format('clerk cannot SELECT %s FROM %s', what, table_name))
FROM (VALUES ('im_event', '*'), ('im_event', 'subject'), ('im_event', 'ctid'), ('im_meter_daily', '*'), ('im_meter_daily', 'users')) v(table_name, what);
SELECT is(left(done('acme', format('COPY %s TO ''/dev/null''', table_name)), 5), '42501', 'no COPY FROM ' || table_name)
FROM im_internal.im_table_definitions() t;
SELECT is(seen(role, format('SELECT * FROM pg_stats WHERE tablename = %L', table_name)), '',
	format('%s finds no statistics of %s', role, table_name))
FROM im_internal.im_table_definitions() t, unnest('{acme,gateway}'::name[]) role;

SELECT is(left(done('acme', format('EXPLAIN SELECT * FROM %s', table_name)), 5), '42501', 'nor a plan of it: ' || table_name)
FROM im_internal.im_table_definitions() t;
SELECT is(seen('acme', $$SELECT sequence_name FROM information_schema.sequences WHERE sequence_schema = 'public'$$), '',
	'there is no sequence whose value would tell of others');

SET LOCAL client_min_messages = error;
SET LOCAL jit = off;
-- Every function there is, with the other's app, one's own and whatever fits ------
CREATE FUNCTION argument(type oid, app bigint, word text) RETURNS text LANGUAGE sql
RETURN CASE format_type(type, NULL)
	WHEN 'bigint' THEN format('%s::bigint', app)
	WHEN 'bigint[]' THEN format('''{%s,500}''::bigint[]', app)
	WHEN 'integer' THEN '1' WHEN 'numeric' THEN '1::numeric' WHEN 'boolean' THEN 'true'
	WHEN 'im_month' THEN '''2023-03''::im_month' WHEN 'date' THEN '''2023-03-01''::date'
	WHEN 'timestamp with time zone' THEN '''2023-03-06 12:00+08''::timestamptz'
	WHEN 'text' THEN format('%L::text', word) WHEN 'name' THEN '''other''::name'
	WHEN 'oid' THEN '''other''::regrole::oid' WHEN 'regrole' THEN '''other''::regrole' WHEN 'regclass' THEN '''im_login''::regclass'
	WHEN 'im_rate_card' THEN 'im_bundled_card(''cn'', ''2019-12-10'')'
	WHEN 'jsonb' THEN '''{}''::jsonb'
	ELSE format('NULL::%s', format_type(type, NULL)) END;
-- What happened is undone.
CREATE FUNCTION glimpse(role name, kind "char", function text, arguments text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	answer := CASE kind WHEN 'p' THEN done(role, format('CALL %s(%s)', function, arguments))
		ELSE seen(role, format('SELECT * FROM %s(%s)', function, arguments)) END;
	RAISE EXCEPTION USING ERRCODE = 'T0000';
EXCEPTION WHEN SQLSTATE 'T0000' THEN
	RETURN answer;
END $$;
CREATE FUNCTION sweep(role name, mark text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	f record;
	app bigint;
	word text;
	answer text;
BEGIN
	FOR f IN
		SELECT p.oid, format('%s.%I', p.pronamespace::regnamespace, p.proname) AS name, p.prokind, p.proargtypes
		FROM pg_proc p
		WHERE p.pronamespace IN ('public'::regnamespace, 'im_internal'::regnamespace) AND p.proname ~ '^im_' AND p.prokind IN ('f', 'p')
			AND NOT EXISTS (SELECT FROM pg_type t WHERE t.oid = ANY (p.proargtypes) AND t.typtype = 'p')
			AND p.prorettype <> 'trigger'::regtype
			-- it gives numbers of the catalogue, which may have any digits
			AND p.proname <> 'im_raw_leaves'
		ORDER BY p.oid
	LOOP
		FOREACH app IN ARRAY '{500,11}'::bigint[] LOOP
			FOREACH word IN ARRAY '{pro,im_login,cn,2023-03,tenant,im_monthly_bills_guarded}'::text[] LOOP
				SELECT coalesce(string_agg(argument(t, app, word), ', ' ORDER BY i), '') INTO answer
				FROM unnest(f.proargtypes) WITH ORDINALITY a(t, i);
				answer := glimpse(role, f.prokind, f.name, answer);
				IF answer ~* mark THEN
					RETURN NEXT format('%s(%s, %s): %s', f.oid::regprocedure, app, word, left(answer, 500));
				END IF;
				EXIT WHEN NOT 'text'::regtype = ANY (f.proargtypes);
			END LOOP;
			EXIT WHEN NOT 'bigint'::regtype = ANY (f.proargtypes) AND NOT 'bigint[]'::regtype = ANY (f.proargtypes);
		END LOOP;
	END LOOP;
END $$;
SELECT cmp_ok((SELECT count(*) FROM sweep(current_user, '777|rival')), '>', 5::bigint, 'the owner finds the other''s rows by calling everything');
SELECT is((SELECT string_agg(s, E'\n') FROM sweep('acme', '777|rival|secret') s), NULL, 'a tenant does not');
SELECT is((SELECT string_agg(s, E'\n') FROM sweep('gateway', '777|rival|secret') s), NULL, 'nor a loader');
SELECT is((SELECT string_agg(s, E'\n') FROM sweep('stranger', '777|rival|secret') s), NULL, 'nor a stranger');
SELECT is((SELECT string_agg(s, E'\n') FROM sweep('clerk', 'secret') s), NULL, 'and a reader finds no user id');

-- The other's mistakes make no bill of one's own fail.
SELECT matches(seen('acme', $$SELECT count(*) FROM im_monthly_bills('2023-03')$$), '^\([1-9]', 'bad rows of the other do not matter');
SELECT is(seen('acme', $$SELECT * FROM im_check('2023-03')$$), '', 'and are no problem of one''s own');

-- Code of the tenant's around public functions ---------------------------------
CREATE SCHEMA lair AUTHORIZATION acme;
GRANT USAGE ON SCHEMA lair TO PUBLIC;
SET LOCAL ROLE acme;
CREATE TABLE lair.loot (what text);
GRANT ALL ON lair.loot TO PUBLIC;
CREATE FUNCTION lair.peek(what anyelement) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$
BEGIN
	INSERT INTO lair.loot VALUES (what::text);
	RETURN true;
END $$;
CREATE FUNCTION lair.same(a bigint, b bigint) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$
BEGIN
	INSERT INTO lair.loot VALUES (a::text), (b::text);
	RETURN true;
END $$;
CREATE OPERATOR lair.= (FUNCTION = lair.same, LEFTARG = bigint, RIGHTARG = bigint);
CREATE OPERATOR lair.< (FUNCTION = lair.same, LEFTARG = bigint, RIGHTARG = bigint);
CREATE TABLE lair.im_app (app_id bigint, name text, rate_card text, opened_at timestamptz, tenant name);
RESET ROLE;
INSERT INTO lair.im_app SELECT app_id, name, rate_card, opened_at, 'acme' FROM im_app;
SELECT set_config('search_path', 'lair, pg_catalog, public, im_test', true) \g /dev/null
SELECT clean(seen('acme', format('SELECT * FROM %s x WHERE lair.peek(x) AND lair.peek(x.app_id)', call)), 'a leaky condition on ' || call)
FROM unnest(ARRAY['im_monthly_bills(''2023-03'')', 'im_monthly_totals(''2023-03'')', 'im_unbilled_usage(''2023-03'')',
	'im_check(''2023-03'')', 'im_apps()', 'im_monthly_bill(11, ''2023-03'')']) call;
SELECT is((SELECT string_agg(what, E'\n') FROM lair.loot WHERE what ~* '777|rival|secret|500'), NULL, 'is shown no row of the other''s');
SELECT clean(seen('acme', $$SELECT * FROM im_apps()$$), 'operators, tables and functions in front of the search_path change nothing');
SELECT set_config('search_path', 'im_test, public', true) \g /dev/null
SELECT isnt((SELECT count(*) FROM lair.loot), 0::bigint, 'though it was shown some');

-- The same in the temporary schema, which is searched first for tables.
SET LOCAL ROLE acme;
CREATE TEMP TABLE im_app (app_id bigint, name text, rate_card text, opened_at timestamptz, tenant name);
CREATE TEMP TABLE im_role_grant (reader boolean, tenant boolean);
GRANT ALL ON im_role_grant, im_app TO PUBLIC;
CREATE FUNCTION pg_temp.im_tenant_apps(oid) RETURNS bigint[] LANGUAGE sql RETURN '{500}'::bigint[];
CREATE FUNCTION pg_temp.im_caller(text) RETURNS oid LANGUAGE sql RETURN 10;
RESET ROLE;
INSERT INTO pg_temp.im_app SELECT app_id, name, rate_card, opened_at, 'acme' FROM public.im_app;
SET LOCAL search_path = im_test, pg_temp, public;
SELECT is(seen('acme', 'SELECT app_id FROM im_apps()'), E'(11)\n(12)', 'tables and functions in pg_temp change nothing');
SELECT clean(seen('acme', $$SELECT * FROM im_monthly_bills('2023-03')$$), 'nor do they in a bill');
SET LOCAL search_path = im_test, public;
DROP TABLE pg_temp.im_app, pg_temp.im_role_grant;

-- Plans
CREATE FUNCTION plan(role name, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	whole text := '';
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role);
	FOR line IN EXECUTE 'EXPLAIN (ANALYZE, VERBOSE, BUFFERS OFF, TIMING OFF, SUMMARY OFF) ' || query LOOP
		whole := whole || line || E'\n';
	END LOOP;
	RESET ROLE;
	RETURN whole;
END $$;
SELECT clean(plan('acme', 'SELECT * FROM ' || call), 'the plan of ' || call, '777|rival|secret|500|Seq|Index|im_login|im_order')
FROM unnest(ARRAY['im_monthly_bills(''2023-03'')', 'im_monthly_totals(''2023-03'')', 'im_unbilled_usage(''2023-03'')',
	'im_check(''2023-03'')', 'im_apps()', 'im_monthly_bill(11, ''2023-03'')']) call;

-- Price lists of the tenant's own making
SELECT clean(seen('acme', format('SELECT * FROM im_preview_bill(%s, ''2023-03'', %L)', app, terms)), format('a preview of app %s', app))
FROM unnest('{11,500}'::bigint[]) app, unnest(ARRAY[cn(),
	jsonb_set(cn(), '{plans}', '{"rival %s %I": {"rank": 0, "price": "0"}}'),
	jsonb_set(cn(), '{plans,pro,price}', '"999999999999"'),
	jsonb_set(cn(), '{time_zone}', '"UTC"'),
	jsonb_set(jsonb_set(cn(), '{plans,pro}', cn() #> '{plans,pro}' #- '{dau}'), '{plans,pro,mau}', '{"included": 1, "block": 1, "price": "1"}')]) terms
WHERE app <> 11 OR NOT terms::text ~ 'rival';
SELECT clean(seen('acme', $$SELECT * FROM im_preview_bill(11, '2023-03', jsonb_set(im_bundled_card('cn', '2019-12-10')::jsonb,
	'{plans}', '{"%s %I %1$s": {"rank": 0, "price": "0"}}')::im_rate_card)$$), 'a preview by a list with formats for names');

-- In whose name a function of a tenant's asks ------------------------------------
SET LOCAL ROLE acme;
CREATE FUNCTION lair.steal() RETURNS text LANGUAGE sql SECURITY DEFINER AS
$$SELECT string_agg(app_id::text, ' ') FROM public.im_apps()$$;
CREATE FUNCTION lair.steal_guarded() RETURNS text LANGUAGE sql SECURITY DEFINER AS
$$SELECT string_agg(app_id::text, ' ') FROM public.im_apps_guarded()$$;
CREATE VIEW lair.bait AS SELECT * FROM public.im_apps();
GRANT SELECT ON lair.bait TO PUBLIC;
RESET ROLE;
SELECT is(seen('other', 'SELECT lair.steal()'), '("11 12")', 'with its owner''s rights: the tenant''s, called by another tenant');
SELECT is(seen('clerk', 'SELECT lair.steal()'), '("11 12")', 'called by a reader');
SELECT is(seen(current_user, 'SELECT lair.steal()'), '("11 12")', 'called by a superuser');
SELECT matches(seen(current_user, 'SELECT lair.steal_guarded()'), '^42501: function im_apps_guarded is not to be called directly',
	'and not at all if it leaves the public function out');
SELECT is(seen('other', 'SELECT app_id FROM lair.bait'), '(500)', 'a view asks in the name of who reads it');

-- Commands of a superuser run a tenant's code with the tenant's rights, in a
-- session that is the superuser's.
SET LOCAL ROLE acme;
CREATE FUNCTION lair.note(n int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO lair.loot SELECT 'noted ' || app_id FROM public.im_apps();
	BEGIN
		INSERT INTO lair.loot SELECT 'noted ' || app_id FROM public.im_apps_guarded();
	EXCEPTION WHEN insufficient_privilege THEN
		INSERT INTO lair.loot VALUES ('refused');
	END;
	RETURN n;
END $$;
CREATE FUNCTION lair.noted(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN lair.note(n); END';
CREATE TABLE lair.trap AS SELECT 1 AS n;
CREATE INDEX ON lair.trap (lair.noted(n));
CREATE MATERIALIZED VIEW lair.copy AS SELECT * FROM public.im_apps();
RESET ROLE;
TRUNCATE lair.loot;
REINDEX TABLE lair.trap;
SELECT set_eq('SELECT what FROM lair.loot', $$VALUES ('noted 11'), ('noted 12'), ('refused')$$, 'REINDEX by a superuser');
TRUNCATE lair.loot;
ANALYZE lair.trap;
SELECT set_eq('SELECT what FROM lair.loot', $$VALUES ('noted 11'), ('noted 12'), ('refused')$$, 'ANALYZE by a superuser');
REFRESH MATERIALIZED VIEW lair.copy;
SELECT set_eq('SELECT app_id FROM lair.copy', $$VALUES (11::bigint), (12)$$, 'REFRESH MATERIALIZED VIEW by a superuser');

-- The note of who asks
SELECT matches(seen('acme', format('SELECT * FROM %s(%s)', p.oid::regproc,
		(SELECT string_agg(argument(t, 11, ''), ', ' ORDER BY i) FROM unnest(p.proargtypes) WITH ORDINALITY a(t, i)))),
	'^42501: (function \w+ is not to be called directly|permission denied)', format('%s is not to be called directly', p.proname))
FROM im_internal.im_function_definitions() d JOIN pg_proc p ON p.proname = d.function_name AND p.pronamespace = 'public'::regnamespace;
SELECT is(seen('acme', $$SELECT im_internal.im_guarded('im_apps_guarded'), im_internal.im_caller('im_apps_guarded') = 'acme'::regrole$$), '(t,t)', 'a note is taken');
SELECT matches(seen('acme', $$SELECT im_internal.im_guarded('im_apps_guarded'), im_internal.im_caller('im_apps_guarded'), im_internal.im_caller('im_apps_guarded')$$), '^42501', 'once');
SELECT matches(seen('acme', $$SELECT im_internal.im_guarded('im_apps_guarded'), im_internal.im_caller('im_check_guarded')$$), '^42501', 'and only by the function it was meant for');
SELECT is(seen('acme', format('SELECT im_internal.im_guarded(%L)', name)), '(f)', 'nothing is noted for ' || left(name, 20))
FROM unnest(ARRAY['pg_read_file', '', repeat('x', 100), 'im_apps_guarded()', 'nosuch']) name;
SELECT is(seen(role, $$SELECT im_internal.im_guarded('im_apps_guarded')$$), '(f)', 'nor for ' || role)
FROM unnest(ARRAY['gateway', 'stranger', current_user]) role;
-- a note that an error left behind must not serve whoever comes next
SELECT matches(seen('clerk', $$SELECT im_internal.im_guarded('im_apps_guarded') AND 1 / (random() * 0)::int > 0$$), '^22012', 'a note that an error leaves behind');
SELECT matches(seen('acme', 'SELECT * FROM im_apps_guarded()'), '^42501', 'is gone');
SELECT is(seen('clerk', $$SELECT im_internal.im_guarded('im_apps_guarded')$$), '(t)', 'a reader''s note that nobody took');
SELECT matches(seen('acme', 'SELECT * FROM im_apps_guarded()'), '^42501', 'is void in the next statement');
SELECT is(seen('acme', 'SELECT app_id FROM im_apps()'), E'(11)\n(12)', 'does not serve a tenant who asks');

-- A function of the name by somebody else, who may create one in the schema.
GRANT CREATE ON SCHEMA public TO stranger;
SET LOCAL ROLE stranger;
CREATE FUNCTION public.im_apps_guarded(boolean DEFAULT true) RETURNS SETOF record LANGUAGE sql AS 'SELECT 1';
RESET ROLE;
SELECT matches(seen('acme', 'SELECT * FROM im_apps()'), '^42501: function im_apps_guarded is not one of the owner of the tables',
	'a stranger''s function beside it is not called');
SELECT matches(done(current_user, 'SELECT im_create_tables()'), '^42501: function im_apps_guarded belongs to role "stranger"',
	'nor left standing in silence');
DROP FUNCTION public.im_apps_guarded(boolean);

-- Triggers that act with the rights of the owner of the tables, on a table of
-- the tenant's, whose columns have a cast that tells who runs it.
SET LOCAL ROLE acme;
CREATE TYPE lair.word AS (x text);
CREATE FUNCTION lair.tell(lair.word) RETURNS text LANGUAGE plpgsql AS
$$BEGIN INSERT INTO lair.loot VALUES ('run as ' || current_user); RETURN 'cn'; END$$;
CREATE CAST (lair.word AS text) WITH FUNCTION lair.tell(lair.word) AS IMPLICIT;
CREATE TABLE lair.cards (rate_card lair.word, effective_from date);
CREATE TABLE lair.orders (app_id bigint, day date, metered_at timestamptz, user_id text, at timestamptz);
RESET ROLE;
TRUNCATE lair.loot;
-- something has been metered, so that changes are marked
SELECT im_meter('2023-03-01', '2023-03-31') \g /dev/null
CREATE FUNCTION hung(trigger text, events text, level text, rows text) RETURNS text LANGUAGE sql
RETURN format('DO $do$ BEGIN CREATE TRIGGER t %2$s ON lair.%5$s %4$s FOR EACH %3$s EXECUTE FUNCTION public.%1$s();
	INSERT INTO lair.%5$s (%6$s) VALUES (%7$s); TRUNCATE lair.%5$s; END $do$', trigger, events, level, rows,
	CASE trigger WHEN 'im_mark_cards' THEN 'cards' ELSE 'orders' END,
	CASE trigger WHEN 'im_mark_cards' THEN 'rate_card' ELSE 'app_id, day, at' END,
	CASE trigger WHEN 'im_mark_cards' THEN 'ROW(''x'')' ELSE '500, ''2023-03-05'', ''2023-03-05''' END);
SELECT matches(done('acme', hung(trigger, events, level, rows)), '^39P01', trigger || ' serves no table of a tenant''s')
FROM (VALUES ('im_mark_cards', 'AFTER INSERT', 'STATEMENT', 'REFERENCING NEW TABLE AS new_rows'),
	('im_mark_apps', 'AFTER INSERT', 'STATEMENT', 'REFERENCING NEW TABLE AS new_rows'),
	('im_mark_events', 'AFTER INSERT', 'STATEMENT', 'REFERENCING NEW TABLE AS new_rows'),
	('im_mark_all', 'AFTER TRUNCATE', 'STATEMENT', ''),
	('im_mark_days', 'AFTER INSERT', 'STATEMENT', ''),
	('im_own_day', 'BEFORE INSERT', 'ROW', ''),
	('im_order_note', 'AFTER INSERT', 'ROW', ''),
	('im_order_check', 'AFTER INSERT', 'ROW', '')) v(trigger, events, level, rows);
SELECT is((SELECT string_agg(what, ', ') FROM lair.loot), NULL, 'and none runs a cast of its making');

-- Nothing can be changed ------------------------------------------------------------
SELECT is(left(done('acme', statement), 5), '42501', statement)
FROM unnest(ARRAY['UPDATE im_app SET tenant = ''acme''', 'INSERT INTO im_app (app_id, name, tenant) VALUES (1, ''x'', ''acme'')',
	'GRANT other TO acme', 'SELECT im_grant(''acme'', ''reader'')', 'SELECT im_revoke(''other'', ''tenant'')',
	'GRANT REFERENCES (reader) ON im_role_grant TO acme', 'ALTER FUNCTION im_apps_guarded() OWNER TO acme',
	'CREATE OR REPLACE FUNCTION public.im_apps_guarded() RETURNS int LANGUAGE sql AS ''SELECT 1''',
	'CREATE VIEW lair.v AS TABLE im_app; SELECT * FROM lair.v', 'CREATE TABLE lair.f (app_id bigint REFERENCES im_app)',
	'LOCK im_order', 'TRUNCATE im_login', 'SELECT im_create_tables()', 'CREATE TRIGGER t AFTER INSERT ON im_app EXECUTE FUNCTION im_order_note()',
	'SELECT im_monthly_bill(500, ''2023-03'') FROM im_app']) statement;

SELECT * FROM finish();
ROLLBACK;
