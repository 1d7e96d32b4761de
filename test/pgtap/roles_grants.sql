-- im_grant() and im_revoke(), what they grant, and the functions that
-- im_create_tables() makes for it.
BEGIN;
\ir include/setup.sql
\ir include/roles.sql

-- The functions -------------------------------------------------------------
CREATE VIEW made AS
SELECT p.*, d.kinds, d.description
FROM im_internal.im_function_definitions() d
LEFT JOIN pg_proc p ON p.proname = d.function_name AND p.pronamespace = 'public'::regnamespace;
SELECT is((SELECT count(*) FROM made), (SELECT count(DISTINCT proname) FROM made), 'every function of the list is made, each under a name of its own');
SELECT is((SELECT string_agg(oid::regprocedure::text, E'\n') FROM made WHERE NOT prosecdef), NULL, 'SECURITY DEFINER');
SELECT is((SELECT string_agg(oid::regprocedure::text, E'\n') FROM made
	WHERE proowner <> (SELECT relowner FROM pg_class WHERE oid = 'im_order'::regclass)), NULL, 'owned by the owner of the tables');
SELECT is((SELECT string_agg(oid::regprocedure::text, E'\n') FROM made
	WHERE NOT proconfig @> '{"search_path=pg_catalog, pg_temp",client_min_messages=notice}'), NULL,
	'with a fixed search_path, and mute to debugging settings');
SELECT is((SELECT string_agg(oid::regprocedure::text, E'\n') FROM made WHERE proparallel <> 'u'), NULL,
	'in the process that noted who asks');
SELECT is((SELECT string_agg(m.oid::regprocedure::text, E'\n') FROM made m, unnest(m.proargtypes) a JOIN pg_type t ON t.oid = a
	WHERE t.typtype = 'p' OR t.typinput = 'any_in'::regproc), NULL, 'with typed arguments');
SELECT is((SELECT string_agg(oid::regprocedure::text, E'\n') FROM made
	WHERE obj_description(oid, 'pg_proc') IS DISTINCT FROM description), NULL, 'with a comment');
SELECT is((SELECT string_agg(m.oid::regprocedure::text, E'\n') FROM made m JOIN pg_depend d
	ON d.classid = 'pg_proc'::regclass AND d.objid = m.oid AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'), NULL,
	'no member of the extension');
SELECT is((SELECT count(*) FROM made m JOIN pg_depend d
	ON d.classid = 'pg_proc'::regclass AND d.objid = m.oid AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'x'),
	(SELECT count(*) FROM made), 'that goes with it all the same');
SELECT is((SELECT string_agg(format('%s: %s', m.oid::regprocedure, g.grantee::regrole), E'\n')
	FROM made m, aclexplode(m.proacl) g
	WHERE g.grantee NOT IN (m.proowner, 'acme'::regrole, 'other'::regrole, 'clerk'::regrole)), NULL, 'that nobody else may call');
SELECT is((SELECT count(*) FROM made WHERE proacl IS NULL), 0::bigint, 'PUBLIC least of all');
SELECT is(has_function_privilege(role, m.oid, 'EXECUTE'), kind = ANY (m.kinds), format('%s calls %s: %s', kind, m.proname, kind = ANY (m.kinds)))
FROM made m, (VALUES ('acme', 'tenant'), ('clerk', 'reader'), ('gateway', 'loader')) v(role, kind);

-- Granting --------------------------------------------------------------------
SELECT set_eq('SELECT * FROM im_grants()', $$VALUES ('acme'::name, 'tenant'), ('clerk', 'reader'), ('gateway', 'loader'), ('other', 'tenant')$$,
	'im_grants() lists who was made what');
SELECT fails_with(statement, state, pattern, statement)
FROM (VALUES ($$SELECT im_grant('acme', 'king')$$, '22023', 'no kind of role "king".*reader, a tenant, a loader, a closer or a cashier'),
	($$SELECT im_grant('acme', 'Reader')$$, '22023', 'no kind'),
	($$SELECT im_grant('acme', '')$$, '22023', 'no kind'),
	($$SELECT im_grant('acme', NULL)$$, '22004', 'role acme cannot be a kind that is null'),
	($$SELECT im_grant(NULL, 'reader')$$, '22004', 'role null cannot be a reader'),
	($$SELECT im_grant('nobody_at_all', 'reader')$$, '42704', 'nobody_at_all'),
	($$SELECT im_grant(0, 'reader')$$, '42704', 'role - cannot be'),
	($$SELECT im_grant(4000000000::oid::regrole, 'reader')$$, '42704', 'role 4000000000 cannot be'),
	($$SELECT im_revoke('acme', 'king')$$, '22023', 'no kind'),
	($$SELECT im_revoke(NULL, 'tenant')$$, '22004', 'null')) v(statement, state, pattern);
SELECT matches(done(role, $$SELECT im_grant('stranger', 'reader')$$), '^42501: role "\w+" may not grant rights', role || ' may not grant')
FROM unnest('{acme,clerk,gateway,stranger}'::name[]) role;
SELECT matches(done('clerk', $$SELECT im_revoke('acme', 'tenant')$$), '^42501', 'nor revoke');

-- Owners and superusers hold everything already: nothing is granted them that could be revoked.
CREATE ROLE root SUPERUSER;
CREATE ROLE keeper;
CREATE ROLE owner_of_one;
CREATE ROLE owner_of_view;
CREATE ROLE owner_of_leaf;
GRANT CREATE ON SCHEMA public TO keeper, owner_of_one, owner_of_view, owner_of_leaf;
GRANT USAGE ON SCHEMA im_test TO keeper, owner_of_one;
ALTER TABLE im_suspension OWNER TO owner_of_one;
ALTER VIEW im_bi_order OWNER TO owner_of_view;
SAVEPOINT split;
SELECT im_partition('im_call', '2023-03-01', '2023-04-01', '1 month') \g /dev/null
ALTER TABLE im_call_p2023_03 OWNER TO owner_of_leaf;
SELECT fails_with(format('SELECT im_%s(%L, %L)', action, role, kind), '0LP01', format('role %s is of no kind, it (owns|is a superuser)', role), format('%s %s as a %s', action, role, kind))
FROM unnest('{grant,revoke}'::text[]) action, (VALUES ('root'), ('owner_of_one'), ('owner_of_view'), ('owner_of_leaf'), (current_user)) r(role), unnest('{reader,tenant,loader,closer,cashier}'::text[]) kind;
ROLLBACK TO split;
ALTER TABLE im_suspension OWNER TO current_user;
ALTER VIEW im_bi_order OWNER TO current_user;
-- a plain owner of all of it, who tries
SAVEPOINT given;
DO $$
DECLARE t record;
BEGIN
	FOR t IN SELECT c.oid::regclass AS name FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relname ~ '^im_' AND c.relkind IN ('r', 'v')
			AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e') LOOP
		EXECUTE format('ALTER TABLE %s OWNER TO keeper', t.name);
	END LOOP;
	FOR t IN SELECT oid::regprocedure AS name FROM made LOOP
		EXECUTE format('ALTER FUNCTION %s OWNER TO keeper', t.name);
	END LOOP;
END $$;
SELECT matches(done('keeper', format('SELECT im_revoke(''keeper'', %L)', kind)), '^0LP01', 'the owner is no ' || kind || ' to revoke')
FROM unnest('{reader,tenant,loader,closer,cashier}'::text[]) kind;
SELECT is((SELECT string_agg(format('%s %s', p.privilege, p.table_name), ', ') FROM im_internal.im_privilege_definitions() p
	WHERE p.privilege !~ 'REFERENCES' AND NOT has_table_privilege('keeper', p.table_name, split_part(p.privilege, ' ', 1))), NULL, 'and keeps what he had');
SELECT is(done('keeper', 'SELECT im_create_tables()'), 'done', 'calls im_create_tables()');
SELECT matches(seen('acme', 'SELECT * FROM im_apps()'), '11', 'and tenants are answered');
ROLLBACK TO given;

-- What im_grant() did not give im_revoke() does not take.
GRANT SELECT ON im_app, im_closing TO stranger;
GRANT INSERT ON im_login TO stranger;
GRANT EXECUTE ON FUNCTION im_apps_guarded() TO stranger;
SELECT im_revoke('stranger', kind) FROM unnest('{reader,tenant,loader,closer,cashier}'::text[]) kind \g /dev/null
SELECT ok(has_table_privilege('stranger', 'im_app', 'SELECT') AND has_table_privilege('stranger', 'im_closing', 'SELECT') AND has_table_privilege('stranger', 'im_login', 'INSERT')
	AND has_function_privilege('stranger', 'im_apps_guarded()', 'EXECUTE'), 'what was granted by hand to a role of no kind stays');
REVOKE ALL ON im_app, im_closing, im_login FROM stranger;
REVOKE ALL ON FUNCTION im_apps_guarded() FROM stranger;
SELECT im_grant('stranger', 'closer') \g /dev/null
GRANT SELECT ON im_order TO stranger;
SELECT im_revoke('stranger', 'reader'), im_revoke('stranger', 'loader') \g /dev/null
SELECT ok(has_table_privilege('stranger', 'im_order', 'SELECT') AND has_table_privilege('stranger', 'im_close_progress', 'SELECT'), 'also where it is of another kind');
SELECT im_revoke('stranger', 'closer') \g /dev/null
REVOKE ALL ON im_order FROM stranger;

-- A role of several kinds loses one of them.
CREATE ROLE "We%ird ""one""";
CREATE VIEW held AS
SELECT 'function ' || p.proname AS what FROM made p WHERE has_function_privilege('We%ird "one"', p.oid, 'EXECUTE')
UNION ALL
SELECT format('%s %s', v.privilege, d.table_name)
FROM im_internal.im_table_definitions() d, unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) v(privilege)
WHERE CASE WHEN v.privilege IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES')
	THEN has_any_column_privilege('We%ird "one"', d.table_name, v.privilege)
	ELSE has_table_privilege('We%ird "one"', d.table_name, v.privilege) END;
SELECT is((SELECT count(*) FROM held), 0::bigint, 'a new role holds nothing');
SELECT im_grant('"We%ird ""one"""', k) FROM unnest('{tenant,reader,loader,closer,cashier}'::text[]) k \g /dev/null
SELECT im_grant('"We%ird ""one"""', 'tenant') \g /dev/null
SELECT set_eq($$SELECT kind FROM im_grants() WHERE role = 'We%ird "one"'$$, '{tenant,reader,loader,closer,cashier}'::text[], 'one role may be of all kinds');
SELECT is(seen('We%ird "one"', 'SELECT count(*) FROM im_apps()'), '(4)', 'of a reader and tenant the reader counts');
SELECT im_revoke('"We%ird ""one"""', 'reader') \g /dev/null
SELECT is(seen('We%ird "one"', 'SELECT count(*) FROM im_apps()'), '(0)', 'without which it is a tenant');
SELECT is((SELECT count(*) FROM held WHERE what ~ '^SELECT' AND what <> 'SELECT im_closing'), 0::bigint, 'that reads nothing of apps');
SELECT isnt((SELECT count(*) FROM held WHERE what ~ '^INSERT'), 0::bigint, 'and still a loader');
SELECT im_revoke('"We%ird ""one"""', k) FROM unnest('{tenant,loader,closer,closer,cashier}'::text[]) k \g /dev/null
SELECT is((SELECT string_agg(what, ', ') FROM held), NULL, 'with all kinds everything is gone');

-- Who is what follows the role.
ALTER ROLE clerk RENAME TO scribe;
SELECT ok(EXISTS (SELECT FROM im_grants() WHERE role = 'scribe' AND kind = 'reader'), 'a renamed role is the same reader');
DROP OWNED BY scribe;
SELECT ok(NOT EXISTS (SELECT FROM im_grants() WHERE role = 'scribe'), 'DROP OWNED takes all');
DROP ROLE scribe;
CREATE ROLE scribe;
SELECT im_grant('scribe', 'tenant') \g /dev/null
SELECT im_create_tables() \g /dev/null
GRANT USAGE ON SCHEMA im_test TO scribe;
SELECT is(seen('scribe', 'SELECT * FROM im_apps()'), '', 'and the next of the name is no reader for it');

-- im_create_tables() again --------------------------------------------------------
DROP FUNCTION public.im_apps_guarded();
SELECT matches(seen('acme', 'SELECT * FROM im_apps()'), '^42501: permission denied for table', 'without its function nobody is let in');
CREATE FUNCTION public.im_apps_guarded() RETURNS int LANGUAGE sql RETURN 1;
SELECT matches(seen('acme', 'SELECT * FROM im_apps()'), '^42501: function im_apps_guarded is not one of the owner',
	'nor by one of the name that runs with the caller''s rights');
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO stranger;
SELECT im_create_tables() \g /dev/null
SELECT is(seen('acme', 'SELECT app_id FROM im_apps()'), E'(11)\n(12)', 'im_create_tables() makes it, even with another result, and grants it again');
SELECT ok(NOT has_function_privilege('stranger', 'public.im_apps_guarded()', 'EXECUTE'), 'to nobody else, whatever the default privileges');
GRANT EXECUTE ON FUNCTION public.im_apps_guarded() TO PUBLIC;
SELECT im_create_tables() \g /dev/null
SELECT ok(NOT has_function_privilege('stranger', 'public.im_apps_guarded()', 'EXECUTE'), 'and takes back what somebody granted');

-- Tables of several roles: no function reads one role's tables with the rights of another.
CREATE ROLE second;
GRANT CREATE ON SCHEMA public TO second;
ALTER TABLE im_load OWNER TO second;
SELECT is(im_internal.im_tables_owner(), NULL, 'tables of two roles have no one owner');
DROP FUNCTION public.im_apps_guarded();
SET LOCAL client_min_messages = error;
SELECT matches(done(current_user, 'SELECT im_create_tables(false)'), '^42501: table public.im_load belongs to role "second"', 'im_create_tables() names the one of another');
SET LOCAL client_min_messages = warning;
SELECT is(to_regprocedure('public.im_apps_guarded()'), NULL, 'and makes no function');
CREATE ROLE another_root SUPERUSER;
ALTER TABLE im_load OWNER TO another_root;
SELECT is(done(current_user, 'SELECT im_create_tables(false)'), 'done', 'one of a superuser is nobody''s to fear');
SELECT is(to_regprocedure('public.im_apps_guarded()'), NULL, 'but no function reads the tables of two');
ALTER TABLE im_load OWNER TO current_user;
SELECT im_create_tables() \g /dev/null
SELECT isnt(to_regprocedure('public.im_apps_guarded()'), NULL, 'until they are of one again');
ALTER TABLE im_load RENAME TO im_loaded;
CREATE VIEW public.im_load AS TABLE im_loaded;
SELECT is(im_internal.im_tables_owner(), NULL, 'a view in place of a table makes none, either');
DROP VIEW public.im_load;
ALTER TABLE im_loaded RENAME TO im_load;

-- Tables given to another owner, functions not: they are not trusted.
CREATE ROLE buyer;
GRANT CREATE ON SCHEMA public TO buyer;
DO $$
DECLARE t record;
BEGIN
	FOR t IN SELECT table_name FROM im_internal.im_table_definitions() LOOP
		EXECUTE format('ALTER TABLE %I OWNER TO buyer', t.table_name);
	END LOOP;
END $$;
SELECT matches(seen('acme', 'SELECT * FROM im_apps()'), '^42501: function im_apps_guarded is not one of the owner of the tables',
	'functions of the former owner answer nobody');
SELECT matches(done(current_user, 'SELECT im_create_tables()'), '^42501: function \w+ belongs to role', 'im_create_tables() says so');
DO $$
DECLARE f record;
BEGIN
	FOR f IN SELECT oid::regprocedure AS signature FROM made LOOP
		EXECUTE format('ALTER FUNCTION %s OWNER TO buyer', f.signature);
	END LOOP;
END $$;
DROP FUNCTION public.im_apps_guarded();
SELECT im_create_tables(false) \g /dev/null
SELECT is((SELECT string_agg(DISTINCT pg_get_userbyid(proowner), ' ') FROM made), 'buyer', 'a superuser makes them for the owner of the tables');
SELECT is(seen('acme', 'SELECT app_id FROM im_apps()'), E'(11)\n(12)', 'and they answer again');

-- Loading ---------------------------------------------------------------------------
SELECT is(done('gateway', statement), 'done', statement)
FROM unnest(ARRAY[
	'INSERT INTO im_login VALUES (11, ''u'', now())',
	'INSERT INTO im_login VALUES (11, ''u'', now()) ON CONFLICT DO NOTHING',
	'INSERT INTO im_group VALUES (11, ''g'', now(), NULL)',
	'INSERT INTO im_moderation_check VALUES (11, now(), ''text'', NULL, NULL)',
	'INSERT INTO im_call VALUES (11, now(), ''hd'', 60, ''u'')',
	'INSERT INTO im_load (source, batch) VALUES (''gateway'', ''b1'')',
	'INSERT INTO im_usage_daily (app_id, day, dau, users) VALUES (11, ''2023-05-05'', 1, NULL)',
	'INSERT INTO im_usage_daily (app_id, day, dau) VALUES (11, ''2023-05-05'', 1) ON CONFLICT DO NOTHING',
	'INSERT INTO im_usage_daily (app_id, day, dau, metered_at) VALUES (11, ''2023-05-06'', 1, now())',
	'INSERT INTO im_order (app_id, order_id, at, action, item, option, months) VALUES (11, 50, ''2023-05-01'', ''buy'', ''call'', ''basic'', 1); SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED',
	'INSERT INTO im_order (app_id, order_id, at, action, item, option, months) VALUES (11, 50, ''2023-05-01'', ''buy'', ''call'', ''basic'', 1) ON CONFLICT DO NOTHING'
	]) statement;
SELECT matches(done('gateway', statement), pattern, statement)
FROM (VALUES
	('INSERT INTO im_login VALUES (11, ''u'', now()) RETURNING user_id', '^42501'),
	('INSERT INTO im_load (source, batch) VALUES (''gateway'', ''b1'') RETURNING at', '^42501'),
	('INSERT INTO im_load (source, batch) VALUES (''gateway'', ''b1'')', '^23505: duplicate key value violates unique constraint "im_load_pkey"$'),
	('INSERT INTO im_usage_daily (app_id, day, dau) VALUES (11, ''2023-05-05'', 1)', '^23505: duplicate key value violates unique constraint "im_usage_daily_pkey"$'),
	('INSERT INTO im_usage_daily (app_id, day, dau) VALUES (11, ''2023-05-05'', 1) ON CONFLICT (app_id, day) DO NOTHING', '^42501'),
	('INSERT INTO im_usage_daily (app_id, day, dau) VALUES (11, ''2023-05-05'', 1) ON CONFLICT (app_id, day) DO UPDATE SET dau = 5', '^42501'),
	('INSERT INTO im_order (app_id, order_id, at, action, item, option, months) VALUES (11, 51, ''2023-05-01'', ''buy'', ''call'', ''advanced'', 1); SET CONSTRAINTS ALL IMMEDIATE', '^23514'),
	('INSERT INTO im_app (app_id, name) VALUES (7, ''mine'')', '^42501'),
	('INSERT INTO im_rate_card_version VALUES (''cn'', ''2030-01-01'', ''{}'')', '^42501'),
	('INSERT INTO im_suspension VALUES (11, ''[2023-05-01,)'', ''arrears'')', '^42501'),
	('UPDATE im_login SET user_id = ''x''', '^42501'), ('DELETE FROM im_login', '^42501'), ('TRUNCATE im_login', '^42501'),
	('SELECT FROM im_login', '^42501'), ('LOCK im_login IN EXCLUSIVE MODE', '^42501'),
	('CREATE RULE r AS ON INSERT TO im_login DO ALSO SELECT 1', '^42501')
	) v(statement, pattern);

-- A table that is partitioned afterwards keeps its loader.
SELECT im_partition('im_login', '2023-03-01', '2023-05-01', '1 month') \g /dev/null
SELECT is(done('gateway', 'INSERT INTO im_login VALUES (11, ''u'', ''2023-03-09'')'), 'done', 'partitioned or not');
SELECT is(done('gateway', format('INSERT INTO im_login_%s VALUES (11, ''u'', %L)', leaf, at)), 'done', 'into ' || leaf)
FROM (VALUES ('p2023_03', '2023-03-09'), ('default', '2023-06-09')) v(leaf, at);
SELECT im_partition('im_login', '2023-05-01', '2023-06-01', '1 month') \g /dev/null
SELECT is(done('gateway', 'INSERT INTO im_login_p2023_05 VALUES (11, ''u'', ''2023-05-09'')'), 'done', 'and into one that is added');
SELECT is(done(role, 'INSERT INTO im_login_p2023_03 VALUES (11, ''u'', ''2023-03-09'')'), '42501: permission denied for table im_login_p2023_03', 'but not the ' || role)
FROM unnest('{acme,stranger}'::name[]) role;
SELECT matches(seen('gateway', 'SELECT * FROM im_login_p2023_03'), '^42501', 'nor can the loader read it');
SELECT im_revoke('gateway', 'loader') \g /dev/null
SELECT is(done('gateway', 'INSERT INTO im_login_p2023_03 VALUES (11, ''u'', ''2023-03-09'')'), '42501: permission denied for table im_login_p2023_03', 'nor one who was');

SELECT * FROM finish();
ROLLBACK;
