-- What the files about roles need beside setup.sql: two tenants, a reader, a
-- loader, a stranger; an app of each tenant's and one of nobody's; and marks
-- in all that a tenant must not see of the other.  A file includes it after
-- setup.sql.
CREATE ROLE acme;
CREATE ROLE other;
CREATE ROLE clerk;
CREATE ROLE gateway;
CREATE ROLE stranger;
GRANT USAGE ON SCHEMA im_test TO acme, other, clerk, gateway, stranger;
SELECT im_grant('acme', 'tenant'), im_grant('other', 'tenant'), im_grant('clerk', 'reader'),
	im_grant('gateway', 'loader') \g /dev/null

-- The other's app is 500.  Its name, price list, figures, groups and mistakes
-- have "777" or "rival" in them; ids of users have "secret" in them, whoever's
-- they are.
CALL card('rival list', '2019-12-10', jsonb_set(cn(), '{plans,pro,price}', '"7771"'));
CALL app(11);
CALL app(12);
CALL app(500, 'rival list');
CALL app(99);
UPDATE im_app SET tenant = 'acme' WHERE app_id IN (11, 12);
UPDATE im_app SET tenant = 'other', name = 'Rivalry' WHERE app_id = 500;
CALL buy(11, 1, '2023-03-01 10:00', 'plan', 'pro', 12);
CALL buy(500, 1, '2023-03-01 10:00', 'plan', 'pro', 12);
CALL pack(500, 2, '2023-03-01 10:00', 'month');
CALL turn(500, 3, '2023-03-01 10:00', 'on', 'moderation');
CALL turn(11, 3, '2023-03-01 10:00', 'on', 'moderation');
CALL buy(99, 1, '2023-03-01 10:00', 'plan', 'flagship', 12);
CALL settle();
INSERT INTO im_login (app_id, user_id, at)
SELECT a, 'secret ' || n, at8('2023-03-05 12:00') FROM unnest('{11,500,99,4777}'::bigint[]) a, generate_series(1, 20) n;
CALL daily(500, '2023-03-07', 17770, 7770);
CALL daily(12, '2023-03-07', 30, 20);
CALL chk(500, '2023-03-05 12:00', 'text');
CALL chk(11, '2023-03-05 12:00', 'text');
CALL talk(500, '2023-03-05 12:00', 'hd', 7770);
CALL talk(11, '2023-03-05 12:00', 'hd', 61);
CALL grp(500, 'rival group', '2023-03-05 12:00');

-- A row of everything that makes a bill fail, of the other tenant.
CREATE PROCEDURE spoil_other() LANGUAGE sql AS $$
	CALL chk(500, '2023-03-05 13:00', 'rival');
	CALL talk(500, '2023-03-05 13:00', 'rival', 7777);
	CALL grp(500, 'rival group', '2023-03-06 12:00', '2023-03-05 12:00');
	CALL daily(500, '2023-03-08', -7777);
$$;

-- What a role gets to see of a query: its rows, or the whole error.
CREATE FUNCTION seen(role name, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
	state text;
	message text;
	detail text;
	hint text;
	context text;
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role);
	EXECUTE format('SELECT string_agg(q::text, E''\n'') FROM (%s) q', query) INTO answer;
	RESET ROLE;
	RETURN coalesce(answer, '');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
	RETURN concat_ws(E'\n', state || ': ' || message, nullif(detail, ''), nullif(hint, ''), context);
END $$;

-- The same of a statement without rows.
CREATE FUNCTION done(role name, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	state text;
	message text;
	detail text;
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role);
	EXECUTE statement;
	RESET ROLE;
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(E'\n', state || ': ' || message, nullif(detail, ''));
END $$;
