-- The order log: rules checked per app at the end of the transaction.
--
-- An immediate trigger notes which apps a transaction ordered for; the first
-- deferred trigger to fire checks all of them in one query.  Before it reads
-- the logs it locks the apps' rows in im_app, in the order of app_id: two
-- transactions that order for one app are checked one after the other, and
-- the second one sees what the first has committed, whatever its isolation.
-- New apps, and apps that another rate card bills from now on, are noted and
-- checked like those with orders.
--
-- A transaction that changes versions of rate cards checks the orders of all
-- apps that these bill, likewise at its end.  It holds a lock from its first
-- change on, which whoever checks an app's orders needs shared.

CREATE FUNCTION @extschema@.im_order_note() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION @extschema@.im_order_note() IS
'Trigger: notes that an app''s orders, or those of all apps of a rate card, are to be checked at the end of the transaction.';

CREATE FUNCTION @extschema@.im_order_check() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION @extschema@.im_order_check() IS
'Deferred trigger: checks every app and rate card noted in the transaction, once. Error 23514 with the rule that an order breaks, or for a rate card without a version.';

CREATE FUNCTION @extschema@.im_cards_lock() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION @extschema@.im_cards_lock() IS
'Trigger: keeps orders from being checked until the transaction that changes rate cards has ended.';

CREATE FUNCTION @extschema@.im_append_only() RETURNS trigger
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION USING
		ERRCODE = 'object_not_in_prerequisite_state',
		MESSAGE = format('%s is an append-only log: %s is refused', TG_TABLE_NAME, TG_OP),
		DETAIL = 'Bills were computed from its rows; what happened is corrected by a further row.',
		HINT = CASE TG_TABLE_NAME WHEN 'im_payment' THEN 'Insert a payment of the negative amount instead.'
			ELSE 'Insert a refund, a void or another order instead.' END;
END
$$;
COMMENT ON FUNCTION @extschema@.im_append_only() IS
'Trigger: refuses UPDATE, DELETE and TRUNCATE with error 55000.';

CREATE FUNCTION im_internal.im_need_agreement() RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	odd text;
	meter text;
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
	SELECT v.rate_card, m.meter INTO odd, meter
	FROM @extschema@.im_rate_card_version v, im_internal.im_card_meters(v.terms::@extschema@.im_rate_card) m
	WHERE v.terms ? 'meters'
	GROUP BY v.rate_card, m.meter
	HAVING count(DISTINCT m.day) > 1
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'check_violation',
			MESSAGE = format('the versions of rate card "%s" disagree on the day of meter "%s"', odd, meter),
			DETAIL = 'All versions of a rate card make a day''s figure of a meter in the same way: days were metered in that way, and packs look back on them.',
			HINT = 'Give the meter another name in the version that counts in another way.';
	END IF;
END
$$;
COMMENT ON FUNCTION im_internal.im_need_agreement() IS
'Error 23514 where versions of one rate card differ in time zone, currency or scale, or in the day of a meter.';

CREATE FUNCTION @extschema@.im_card_versions_agree() RETURNS trigger
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM im_internal.im_need_agreement();
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION @extschema@.im_card_versions_agree() IS
'Trigger: refuses versions of one rate card that differ in time zone, currency or scale, or in the day of a meter, with error 23514.';

-- These run with the rights of the log's owner: debugging settings of the
-- session must not print their plans to whoever places the order.
CREATE FUNCTION im_internal.im_lock_apps(apps bigint[]) RETURNS bigint[]
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
	SET client_min_messages = warning
AS $$
BEGIN
	RETURN ARRAY(
		SELECT a.app_id
		FROM @extschema@.im_app a
		WHERE a.app_id = ANY ($1)
		ORDER BY a.app_id
		FOR NO KEY UPDATE);
END
$$;
COMMENT ON FUNCTION im_internal.im_lock_apps(bigint[]) IS
'Makes the writers of orders of these apps wait for each other until the end of the transaction, in the order of app_id: those of the apps that there are.';

CREATE FUNCTION im_internal.im_need_cards(apps bigint[], cards text[]) RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
	SET client_min_messages = warning
AS $$
DECLARE
	example record;
BEGIN
	SELECT a.app_id, a.rate_card, count(*) OVER () AS among INTO example
	FROM @extschema@.im_app a
	WHERE (a.app_id = ANY ($1) OR a.rate_card = ANY ($2) OR array_position($2, NULL::text) IS NOT NULL)
		AND NOT EXISTS (SELECT FROM @extschema@.im_rate_card_version v WHERE v.rate_card = a.rate_card)
	ORDER BY a.app_id
	LIMIT 1;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	IF NOT EXISTS (SELECT FROM @extschema@.im_rate_card_version) THEN
		RAISE WARNING USING
			MESSAGE = format('rate cards and orders of %s apps are not checked: im_rate_card_version is empty', example.among),
			HINT = 'A data-only restore loads it after them; call im_check_orders() when all is loaded.';
		RETURN;
	END IF;
	RAISE EXCEPTION USING
		ERRCODE = 'check_violation',
		MESSAGE = format('app %s is billed by the rate card "%s", which has no version', example.app_id, example.rate_card),
		DETAIL = 'im_rate_card_version has no row of that name: neither its bill nor those of all apps could be computed.',
		HINT = 'Correct im_app.rate_card, or give the rate card a version first.';
END
$$;
COMMENT ON FUNCTION im_internal.im_need_cards(bigint[], text[]) IS
'Error 23514 where the rate card of one of the apps, or one of the rate cards that bills an app, has no version; a warning while none has. A null among the rate cards stands for all.';

-- STABLE, so that it reads under the snapshot of its caller, which takes a
-- fresh one after the lock even in a transaction that must not see new rows.
CREATE FUNCTION im_internal.im_verify_apps(apps bigint[], sinces timestamptz[]) RETURNS bigint
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
	SET client_min_messages = warning
AS $$
DECLARE
	checked bigint;
	book im_internal.im_price_book := im_internal.im_price_book(NULL::@extschema@.im_rate_card);
BEGIN
	PERFORM im_internal.im_need_cards($1, NULL::text[]);
	IF NOT EXISTS (SELECT FROM @extschema@.im_rate_card_version) THEN
		RETURN 0;
	END IF;
	SELECT count(*) FILTER (WHERE im_internal.im_verify_orders(
								ROW(a.app_id, a.card_name, o.orders, NULL, false)::im_internal.im_app_account, book, n.since))
	INTO checked
	FROM im_internal.im_app_cards(NULL::@extschema@.im_rate_card) a
	JOIN unnest($1, $2) n(app_id, since) ON n.app_id = a.app_id
	JOIN (SELECT k.app_id,
				 array_agg(ROW(k.order_id, k.at, k.action, k.item, k.option, k.months, k.quantity,
							   k.refunds, k.paid)::im_internal.im_order_entry
						   ORDER BY k.at, k.order_id) AS orders
		  FROM @extschema@.im_order k
		  WHERE k.app_id = ANY ($1)
		  GROUP BY k.app_id) o ON o.app_id = a.app_id
	WHERE a.app_id = ANY ($1);
	RETURN checked;
END
$$;
COMMENT ON FUNCTION im_internal.im_verify_apps(bigint[], timestamptz[]) IS
'Checks rate cards and order logs of the given apps, which have changed from the given instants on: the number of those with orders, or error 23514 with the rule that an order breaks.';

-- A void may have a time before orders that are there already: whoever places
-- it must not change them either.  So what this transaction found is checked
-- with its voids behind all else; what it orders itself knows of them.
CREATE FUNCTION im_internal.im_placed_voids(apps bigint[], voids bigint[]) RETURNS bigint[]
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
	SET client_min_messages = warning
AS $$
	SELECT coalesce(array_agg(f.figure ORDER BY n.position, f.place), '{}')
	FROM unnest($1, $2) WITH ORDINALITY n(app_id, order_id, position)
	JOIN @extschema@.im_order v ON v.app_id = n.app_id AND v.order_id = n.order_id,
		LATERAL (VALUES (1, v.app_id), (2, v.order_id), (3, v.refunds)) f(place, figure)
$$;
COMMENT ON FUNCTION im_internal.im_placed_voids(bigint[], bigint[]) IS
'Of voids that were placed: app, order_id and the voided order, three figures each.';

CREATE FUNCTION im_internal.im_verify_voids(placed bigint[]) RETURNS bigint
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
	SET client_min_messages = warning
AS $$
DECLARE
	checked bigint;
	book im_internal.im_price_book := im_internal.im_price_book(NULL::@extschema@.im_rate_card);
BEGIN
	SELECT count(*) FILTER (WHERE im_internal.im_verify_orders(
								ROW(a.app_id, a.card_name, o.orders || v.voids, NULL, false)::im_internal.im_app_account, book, v.at))
	INTO checked
	FROM (SELECT p.app_id, min(p.at) AS at,
				 array_agg(ROW(p.order_id, p.at, 'void', '', '', NULL, 1, p.voided, NULL)::im_internal.im_order_entry ORDER BY p.order_id) AS voids
		  FROM (SELECT $1[3 * n - 2] AS app_id, $1[3 * n - 1] AS order_id, $1[3 * n] AS voided,
					(SELECT max(l.at) + interval '1 microsecond' FROM @extschema@.im_order l WHERE l.app_id = $1[3 * n - 2]) AS at
				FROM generate_series(1, cardinality($1) / 3) n) p
		  JOIN @extschema@.im_order x ON x.app_id = p.app_id AND x.order_id = p.voided
		  GROUP BY p.app_id) v
	JOIN im_internal.im_app_cards(NULL::@extschema@.im_rate_card) a ON a.app_id = v.app_id
	JOIN LATERAL (
		SELECT array_agg(ROW(k.order_id, k.at, k.action, k.item, k.option, k.months, k.quantity,
							 k.refunds, k.paid)::im_internal.im_order_entry
						 ORDER BY k.at, k.order_id) AS orders
		FROM @extschema@.im_order k
		WHERE k.app_id = v.app_id) o ON true;
	RETURN checked;
END
$$;
COMMENT ON FUNCTION im_internal.im_verify_voids(bigint[]) IS
'Checks that voids, given as by im_placed_voids(), change no order of those that the snapshot shows: the number of apps; error 23514 where they do.';

CREATE FUNCTION im_internal.im_broken_apps(cards text[]) RETURNS bigint[]
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
	SET client_min_messages = warning
AS $$
DECLARE
	book im_internal.im_price_book := im_internal.im_price_book(NULL::@extschema@.im_rate_card);
BEGIN
	RETURN ARRAY(
		SELECT p.app_id
		FROM (SELECT a.app_id,
					 im_internal.im_order_problem(ROW(a.app_id, a.rate_card, o.orders, NULL, false)::im_internal.im_app_account, book) AS problem
			  FROM @extschema@.im_app a
			  JOIN im_internal.im_app_orders('infinity'::timestamptz) o ON o.app_id = a.app_id
			  WHERE a.rate_card = ANY ($1) OR array_position($1, NULL::text) IS NOT NULL
			  OFFSET 0) p
		WHERE p.problem IS NOT NULL
		ORDER BY p.app_id);
END
$$;
COMMENT ON FUNCTION im_internal.im_broken_apps(text[]) IS
'The apps of some rate cards whose orders break a rule. A null among the rate cards stands for all.';

CREATE FUNCTION im_internal.im_verify_cards(cards text[]) RETURNS bigint[]
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
	SET client_min_messages = warning
AS $$
BEGIN
	PERFORM im_internal.im_need_agreement();
	PERFORM im_internal.im_need_cards(NULL::bigint[], $1);
	RETURN im_internal.im_broken_apps($1);
END
$$;
COMMENT ON FUNCTION im_internal.im_verify_cards(text[]) IS
'Checks rate cards whose versions changed, errors 23514: the apps whose orders break a rule under them.';

CREATE FUNCTION im_internal.im_refuse_cards(broken bigint[], before bigint[]) RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
	SET client_min_messages = warning
AS $$
DECLARE
	book im_internal.im_price_book := im_internal.im_price_book(NULL::@extschema@.im_rate_card);
	worse bigint[] := ARRAY(SELECT unnest($1) EXCEPT SELECT unnest($2) ORDER BY 1);
BEGIN
	IF cardinality(worse) = 0 THEN
		RAISE WARNING USING
			MESSAGE = format('the orders of %s apps break a rule of their rate card, as they did before', cardinality($1)),
			HINT = 'im_check_orders() names one of them, im_check(month) lists them all.';
		RETURN;
	END IF;
	RAISE EXCEPTION USING
		ERRCODE = 'check_violation',
		MESSAGE = format('under the changed rate card existing orders of %s apps break a rule', cardinality(worse)),
		DETAIL = format('One of them: %s.', (
			SELECT im_internal.im_order_problem(ROW(a.app_id, a.rate_card, o.orders, NULL, false)::im_internal.im_app_account, book)
			FROM @extschema@.im_app a
			JOIN im_internal.im_app_orders('infinity'::timestamptz) o ON o.app_id = a.app_id
			WHERE a.app_id = worse[1])),
		HINT = 'Orders stand as they were placed: let a new version of the rate card start after them, or give it another name.';
END
$$;
COMMENT ON FUNCTION im_internal.im_refuse_cards(bigint[], bigint[]) IS
'Error 23514 if apps are broken that were not before the transaction changed their rate card; else a warning.';

CREATE FUNCTION @extschema@.im_check_orders() RETURNS bigint
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	wrong bigint;
	checked bigint;
	example text;
	book im_internal.im_price_book := im_internal.im_price_book(NULL::@extschema@.im_rate_card);
BEGIN
	SELECT count(*), count(p.problem), min(p.problem)
	INTO checked, wrong, example
	FROM (SELECT im_internal.im_order_problem(a.account, book) AS problem
		  FROM im_internal.im_app_accounts('9999-12-31'::date, NULL::@extschema@.im_rate_card) a
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
