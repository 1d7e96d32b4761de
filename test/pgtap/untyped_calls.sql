-- Calls by drivers that send parameters without types: where the number of
-- arguments tells which function is meant, PostgreSQL finds it; where it does
-- not, a cast does, and the comment says which.
BEGIN;
\ir include/setup.sql

CREATE TEMP TABLE callable AS
SELECT p.proname::text AS name, n, count(*) AS candidates
FROM pg_depend d JOIN pg_proc p ON p.oid = d.objid,
	generate_series((p.pronargs - p.pronargdefaults)::int, p.pronargs::int) n
WHERE d.classid = 'pg_proc'::regclass AND d.deptype = 'e' AND n > 0
	AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'imbilling')
	AND p.prokind IN ('f', 'a') AND p.pronamespace <> 'im_internal'::regnamespace AND p.proname ~ '^im_' AND 'internal'::regtype <> ALL (p.proargtypes)
	AND p.prorettype NOT IN ('internal'::regtype, 'trigger'::regtype)
GROUP BY p.proname, n;

-- The types that the parameters get, or the error
CREATE FUNCTION resolved(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	found text;
BEGIN
	EXECUTE 'PREPARE untyped AS SELECT ' || call;
	SELECT parameter_types::text INTO found FROM pg_prepared_statements WHERE name = 'untyped';
	DEALLOCATE untyped;
	RETURN found;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
CREATE FUNCTION untyped(name text, n int) RETURNS text LANGUAGE sql
RETURN resolved(format('%I(%s)', name, (SELECT string_agg('$' || i, ', ') FROM generate_series(1, n) i)));

SELECT ok(count(*) > 60, 'functions are found') FROM callable;
SELECT is((SELECT string_agg(format('%s/%s: %s', name, n, untyped(name, n)), ', ' ORDER BY name, n)
	FROM callable WHERE untyped(name, n) !~ '^{'),
	'im_dau/1: 42804, im_meter_unique/1: 42804, im_quote/2: 42725, im_quote/3: 42725, im_quote/4: 42725, im_quote/5: 42725, im_quote/6: 42725, im_userset_agg/1: 42804',
	'untyped parameters find every function but those of any type, and im_quote where both of its forms take as many');

-- Two forms that take as many: the plan is meant where nothing says otherwise
SELECT is((SELECT string_agg(format('%s/%s', name, n), ', ' ORDER BY name, n) FROM callable WHERE candidates > 1),
	'im_addon_fee/3, im_quote/2, im_quote/3, im_quote/4, im_quote/5, im_quote/6', 'these exist twice');
SELECT is(resolved(call), types, call) FROM (VALUES
	('im_quote($1)', '{text}'),
	('im_quote($1, $2, $3, $4, $5, $6, $7)', '{im_rate_card,text,integer,bigint,bigint,jsonb,numeric}'),
	('im_quote($1::im_rate_card, $2)', '{im_rate_card,text}'),
	('im_quote($1::im_rate_card, $2, $3, $4, $5, $6)', '{im_rate_card,text,integer,bigint,bigint,jsonb}'),
	('im_quote($1::text, $2)', '{text,integer}'),
	('im_quote($1::text, $2, $3, $4, $5, $6)', '{text,integer,bigint,bigint,jsonb,numeric}'),
	('im_quote(plan => $1, months => $2)', '{text,integer}'),
	('im_quote(card => $1, plan => $2, peak_dau => $3)', '{im_rate_card,text,bigint}'),
	('im_addon_fee($1, $2, $3)', '{text,text,text}'),
	('im_addon_fee($1::im_rate_card, $2, $3)', '{im_rate_card,text,text}'),
	('im_dau($1::text)', '{text}'), ('im_userset_agg($1::text)', '{text}'), ('im_meter_unique($1::text)', '{text}')) c(call, types);
SELECT ok(obj_description(p.oid, 'pg_proc') ~ '::im_rate_card', format('the comment of %s says so', p.oid::regprocedure))
FROM pg_proc p WHERE p.proname IN ('im_quote', 'im_addon_fee') AND p.proargnames[1] = 'card';

SELECT * FROM finish();
ROLLBACK;
