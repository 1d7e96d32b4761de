-- The order log: rules checked per app at the end of the transaction.
--
-- An immediate trigger notes which apps a transaction ordered for; the first
-- deferred trigger to fire checks all of them in one query.  Before it reads
-- the logs it locks the apps' rows in im_app, in the order of app_id: two
-- transactions that order for one app are checked one after the other, and
-- the second one sees what the first has committed, whatever its isolation.

CREATE FUNCTION @extschema@.im_order_note() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION @extschema@.im_order_note() IS
'Trigger: notes that an app''s orders are to be checked at the end of the transaction.';

CREATE FUNCTION @extschema@.im_order_check() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION @extschema@.im_order_check() IS
'Deferred trigger: checks the orders of every app noted in the transaction, once. Error 23514 with the rule that an order breaks.';

CREATE FUNCTION @extschema@.im_append_only() RETURNS trigger
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION USING
		ERRCODE = 'object_not_in_prerequisite_state',
		MESSAGE = format('%s is an append-only log: %s is refused', TG_TABLE_NAME, TG_OP),
		DETAIL = 'Bills were computed from its rows; what happened is corrected by a further row.',
		HINT = 'Insert a refund or another order instead.';
END
$$;
COMMENT ON FUNCTION @extschema@.im_append_only() IS
'Trigger: refuses UPDATE, DELETE and TRUNCATE with error 55000.';

CREATE FUNCTION @extschema@.im_card_versions_agree() RETURNS trigger
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	odd text;
BEGIN
	SELECT v.rate_card INTO odd
	FROM @extschema@.im_rate_card_version v
	GROUP BY v.rate_card
	HAVING count(DISTINCT (v.terms ->> 'time_zone', v.terms ->> 'currency', (v.terms ->> 'scale')::numeric)) > 1
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'check_violation',
			MESSAGE = format('the versions of rate card "%s" disagree', odd),
			DETAIL = 'All versions of a rate card share time_zone, currency and scale: a month cannot be cut by two calendars or summed in two currencies.',
			HINT = 'Give the other zone or currency a rate card of its own.';
	END IF;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION @extschema@.im_card_versions_agree() IS
'Trigger: refuses versions of one rate card that differ in time zone, currency or scale, with error 23514.';

-- These two run with the rights of the log's owner: debugging settings of the
-- session must not print their plans to whoever places the order.
CREATE FUNCTION @extschema@.im_lock_apps(apps bigint[]) RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
	SET client_min_messages = warning
AS $$
BEGIN
	PERFORM a.app_id
	FROM @extschema@.im_app a
	WHERE a.app_id = ANY ($1)
	ORDER BY a.app_id
	FOR NO KEY UPDATE;
	RETURN cardinality($1);
END
$$;
COMMENT ON FUNCTION @extschema@.im_lock_apps(bigint[]) IS
'Makes the writers of orders of these apps wait for each other until the end of the transaction, in the order of app_id.';

-- STABLE, so that it reads under the snapshot of its caller, which takes a
-- fresh one after the lock even in a transaction that must not see new rows.
CREATE FUNCTION @extschema@.im_verify_apps(apps bigint[]) RETURNS bigint
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
	SET client_min_messages = warning
AS $$
DECLARE
	checked bigint;
	book @extschema@.im_price_book := @extschema@.im_price_book(NULL::@extschema@.im_rate_card);
BEGIN
	IF NOT EXISTS (SELECT FROM @extschema@.im_rate_card_version) THEN
		RAISE WARNING USING
			MESSAGE = format('the orders of %s apps are not checked: im_rate_card_version is empty', cardinality($1)),
			HINT = 'A data-only restore loads it after the orders; call im_check_orders() when all is loaded.';
		RETURN 0;
	END IF;
	SELECT count(*) FILTER (WHERE @extschema@.im_verify_orders(a.app_id, a.card_name, book,
								o.orders, NULL::daterange[], false))
	INTO checked
	FROM @extschema@.im_app_cards(NULL::@extschema@.im_rate_card) a
	JOIN (SELECT k.app_id,
				 array_agg(ROW(k.order_id, k.at, k.action, k.item, k.option, k.months, k.quantity,
							   k.refunds, k.paid)::@extschema@.im_order_entry
						   ORDER BY k.at, k.order_id) AS orders
		  FROM @extschema@.im_order k
		  WHERE k.app_id = ANY ($1)
		  GROUP BY k.app_id) o ON o.app_id = a.app_id
	WHERE a.app_id = ANY ($1);
	RETURN checked;
END
$$;
COMMENT ON FUNCTION @extschema@.im_verify_apps(bigint[]) IS
'Checks the order logs of the given apps: their number, or error 23514 with the rule that an order breaks.';

CREATE FUNCTION @extschema@.im_check_orders() RETURNS bigint
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	wrong bigint;
	checked bigint;
	example text;
	book @extschema@.im_price_book := @extschema@.im_price_book(NULL::@extschema@.im_rate_card);
BEGIN
	SELECT count(*), count(p.problem), min(p.problem)
	INTO checked, wrong, example
	FROM (SELECT @extschema@.im_order_problem(a.app_id, a.card_name, book, a.orders,
					a.suspensions, false) AS problem
		  FROM @extschema@.im_app_accounts('9999-12-31'::date, NULL::@extschema@.im_rate_card) a
		  WHERE a.orders IS NOT NULL) p;
	IF wrong > 0 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'check_violation',
			MESSAGE = format('%s of %s apps with orders break a rule', wrong, checked),
			DETAIL = format('One of them: %s.', example),
			HINT = 'im_check(month) lists them all.';
	END IF;
	RETURN checked;
END
$$;
COMMENT ON FUNCTION @extschema@.im_check_orders() IS
'Checks the order logs of all apps, for use after a data-only restore: the number of apps with orders. Error 23514 if any breaks a rule.';
