-- What a front has of its own: who may use it, jobs on all partitions at once,
-- the checks that only a front can make.
--
-- It is text because dblink is there only where a front is: {ext} stands for our
-- schema, {dblink} for that of dblink, {partitions} for their number, {place} for
-- that of an app.

CREATE FUNCTION im_internal.im_front_script() RETURNS text
	LANGUAGE sql IMMUTABLE
AS $script$
SELECT $front$
CREATE FUNCTION im_front.im_partition_of(app_id bigint) RETURNS integer LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN {place};
COMMENT ON FUNCTION im_front.im_partition_of(bigint) IS
'The number of the partition that an app, or what an account pays, belongs to, from 0.';

CREATE FUNCTION im_front.im_front_admit(role regrole, remote_user name) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	server text;
	place text;
BEGIN
	FOR server IN
		SELECT s.srvname FROM pg_foreign_server s
		WHERE s.srvname = 'im_front' OR s.srvname ~ '^im_partition_[0-9]+$'
	LOOP
		EXECUTE format('CREATE USER MAPPING FOR %s SERVER %I OPTIONS ("user" %L)', $1, server, $2);
		EXECUTE format('GRANT USAGE ON FOREIGN SERVER %I TO %s', server, $1);
	END LOOP;
	EXECUTE format('GRANT EXECUTE ON ALL ROUTINES IN SCHEMA im_front, im_front_parts TO %s', $1);
	FOR place IN SELECT s.nspname FROM pg_namespace s WHERE s.nspname ~ '^im_front(_[0-9]+)?$' LOOP
		EXECUTE format('GRANT USAGE ON SCHEMA %I TO %s', place, $1);
		EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO %s', place, $1);
	END LOOP;
END
$$;
COMMENT ON FUNCTION im_front.im_front_admit(regrole, name) IS
'Lets a role ask through this front, as the given user of the partitions, whose rights decide. Where the partitions want a password: ALTER USER MAPPING FOR role SERVER im_front OPTIONS (ADD password ...), and the same for im_partition_0 and on.';

-- Runs a statement on all partitions at once, in transactions of their own.
-- One that fails or is down keeps none from the rest.
CREATE FUNCTION im_front_parts.im_run(statement text)
	RETURNS TABLE (partition integer, answer text, problem text)
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	left_over integer[] := '{}';
	connection text;
BEGIN
	FOR i IN 0 .. {partitions} - 1 LOOP
		partition := i; answer := NULL; problem := NULL;
		BEGIN
			PERFORM {dblink}.dblink_connect('im_run_' || i, 'im_partition_' || i);
			PERFORM {dblink}.dblink_send_query('im_run_' || i, $1);
			left_over := left_over || i;
		EXCEPTION WHEN OTHERS THEN
			problem := SQLERRM;
			RETURN NEXT;
		END;
	END LOOP;
	WHILE left_over <> '{}' LOOP
		PERFORM pg_sleep(0.01);
		FOREACH partition IN ARRAY left_over LOOP
			connection := 'im_run_' || partition;
			CONTINUE WHEN {dblink}.dblink_is_busy(connection) = 1;
			answer := NULL; problem := NULL;
			SELECT r.said INTO answer FROM {dblink}.dblink_get_result(connection, false) r(said text);
			problem := nullif({dblink}.dblink_error_message(connection), 'OK');
			PERFORM {dblink}.dblink_disconnect(connection);
			left_over := array_remove(left_over, partition);
			RETURN NEXT;
		END LOOP;
	END LOOP;
EXCEPTION WHEN query_canceled OR admin_shutdown THEN
	FOREACH partition IN ARRAY left_over LOOP
		PERFORM {dblink}.dblink_cancel_query('im_run_' || partition);
		PERFORM {dblink}.dblink_disconnect('im_run_' || partition);
	END LOOP;
	RAISE;
END
$$;
COMMENT ON FUNCTION im_front_parts.im_run(text) IS
'Runs a statement on all partitions at once, each in a transaction of its own: what it answered as text, or what was wrong. A cancel here cancels it there.';

CREATE FUNCTION im_front_parts.im_job(what text, statement text) RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	r record;
	done integer := 0;
	total bigint := 0;
	problems text := '';
	names text := '';
BEGIN
	FOR r IN SELECT * FROM im_front_parts.im_run($2) LOOP
		IF r.problem IS NULL THEN
			done := done + 1;
			total := total + CASE WHEN r.answer ~ '^-?[0-9]+$' THEN r.answer::bigint ELSE 0 END;
			RAISE NOTICE '%: partition % is done, % of {partitions}', $1, r.partition, done;
		ELSE
			names := names || ', ' || r.partition;
			problems := problems || format(' Partition %s: %s.', r.partition, rtrim(r.problem, '.' || chr(10)));
		END IF;
	END LOOP;
	IF problems <> '' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = format('%s: not done on partition %s', $1, substr(names, 3)),
			DETAIL = format('The other %s are done.%s', done, problems),
			HINT = 'Mend what is wrong there and call it again: what is done is not done anew.';
	END IF;
	RETURN total;
END
$$;
COMMENT ON FUNCTION im_front_parts.im_job(text, text) IS
'Runs a job on all partitions and sums what they answer. Errors: 55000 that names the partitions on which it failed, after the others are done.';

CREATE FUNCTION im_front.im_meter(first_day date DEFAULT NULL, last_day date DEFAULT NULL) RETURNS bigint LANGUAGE sql
RETURN im_front_parts.im_job('im_meter'::text, pg_catalog.concat('SELECT {ext}.im_meter(', pg_catalog.quote_nullable(first_day), '::pg_catalog.date, ', pg_catalog.quote_nullable(last_day), '::pg_catalog.date)'));
CREATE FUNCTION im_front.im_meter_month(month {ext}.im_month) RETURNS bigint LANGUAGE sql
RETURN im_front_parts.im_job('im_meter_month'::text, pg_catalog.concat('SELECT {ext}.im_meter_month(', pg_catalog.quote_nullable(month), ')'));
CREATE FUNCTION im_front.im_forget_metering(first_day date DEFAULT NULL, last_day date DEFAULT NULL) RETURNS bigint LANGUAGE sql
RETURN im_front_parts.im_job('im_forget_metering'::text, pg_catalog.concat('SELECT {ext}.im_forget_metering(', pg_catalog.quote_nullable(first_day), '::pg_catalog.date, ', pg_catalog.quote_nullable(last_day), '::pg_catalog.date)'));
CREATE FUNCTION im_front.im_keep_metered(first_day date, last_day date) RETURNS bigint LANGUAGE sql
RETURN im_front_parts.im_job('im_keep_metered'::text, pg_catalog.concat('SELECT {ext}.im_keep_metered(', pg_catalog.quote_nullable(first_day), '::pg_catalog.date, ', pg_catalog.quote_nullable(last_day), '::pg_catalog.date)'));
CREATE PROCEDURE im_front.im_close_month(month {ext}.im_month, batch integer DEFAULT 1000) LANGUAGE sql
BEGIN ATOMIC
SELECT im_front_parts.im_job('im_close_month'::text, pg_catalog.concat('CALL {ext}.im_close_month(', pg_catalog.quote_nullable(month), ', ', pg_catalog.quote_nullable(batch), ')'));
END;
CREATE PROCEDURE im_front.im_adjust_month(month {ext}.im_month, batch integer DEFAULT 1000) LANGUAGE sql
BEGIN ATOMIC
SELECT im_front_parts.im_job('im_adjust_month'::text, pg_catalog.concat('CALL {ext}.im_adjust_month(', pg_catalog.quote_nullable(month), ', ', pg_catalog.quote_nullable(batch), ')'));
END;

-- Says a statement to a partition and waits for its end as a query does: a cancel is heeded.
CREATE FUNCTION im_front_parts.im_say(connection text, statement text) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM {dblink}.dblink_send_query($1, $2);
	WHILE {dblink}.dblink_is_busy($1) = 1 LOOP
		PERFORM pg_sleep(0.002);
	END LOOP;
	PERFORM r.said FROM {dblink}.dblink_get_result($1) r(said text);
	-- the end of the results, without which the connection takes no other statement
	PERFORM r.said FROM {dblink}.dblink_get_result($1) r(said text);
END
$$;
COMMENT ON FUNCTION im_front_parts.im_say(text, text) IS
'Runs a statement on an open connection to a partition. Errors: those of the partition.';

-- Two partitions with two price lists are the worst fault of such a system.
CREATE FUNCTION im_front.im_front_set_card(rate_card text, effective_from date, terms {ext}.im_rate_card) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	asked integer;
	written integer := 0;
	state text;
	message text;
	detail text;
	hint text;
BEGIN
	IF $1 IS NULL OR $2 IS NULL OR $3 IS NULL THEN
		PERFORM im_internal.im_raise_front('22004'::text, 'a version of a price list has a name, a first day and terms, but one of them is null'::text,
			'It is written on all partitions or on none.'::text, 'Give all three.'::text);
	END IF;
	FOR i IN 0 .. {partitions} - 1 LOOP
		asked := i;
		PERFORM {dblink}.dblink_connect('im_card_' || i, 'im_partition_' || i);
		PERFORM im_front_parts.im_say('im_card_' || i, 'BEGIN');
		PERFORM im_front_parts.im_say('im_card_' || i, concat('INSERT INTO {ext}.im_rate_card_version (rate_card, effective_from, terms) VALUES (',
			quote_literal($1), ', ', quote_literal($2), ', ', quote_literal($3::text), ') ON CONFLICT (rate_card, effective_from) DO UPDATE SET terms = excluded.terms'));
		-- what is checked at the end is checked here
		PERFORM im_front_parts.im_say('im_card_' || i, 'SET CONSTRAINTS ALL IMMEDIATE');
	END LOOP;
	FOR i IN 0 .. {partitions} - 1 LOOP
		asked := i;
		PERFORM im_front_parts.im_say('im_card_' || i, 'COMMIT');
		written := written + 1;
	END LOOP;
	FOR i IN 0 .. {partitions} - 1 LOOP
		PERFORM {dblink}.dblink_disconnect('im_card_' || i);
	END LOOP;
EXCEPTION WHEN OTHERS OR query_canceled THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	-- one that waits there would not see that nobody is here any more
	PERFORM {dblink}.dblink_cancel_query(c) FROM unnest({dblink}.dblink_get_connections()) c WHERE c ~ '^im_card_[0-9]+$';
	PERFORM {dblink}.dblink_disconnect(c) FROM unnest({dblink}.dblink_get_connections()) c WHERE c ~ '^im_card_[0-9]+$';
	IF written > 0 THEN
		RAISE WARNING '% of {partitions} partitions have the new version, the others not: call it again', written;
	END IF;
	RAISE EXCEPTION USING ERRCODE = state, MESSAGE = concat(message, ' (partition ' || asked || ')'),
		DETAIL = coalesce(nullif(detail, ''), 'A version is written on all partitions or on none.'),
		HINT = coalesce(nullif(hint, ''), 'Mend what is wrong there and call it again.');
END
$$;
COMMENT ON FUNCTION im_front.im_front_set_card(text, date, {ext}.im_rate_card) IS
'Writes a version of a price list on all partitions, or on none where one refuses it or is down. A server that dies between the first COMMIT and the last leaves it halfway: im_check() says so, and the same call again mends it.';

CREATE FUNCTION im_front_parts.im_state(partition integer) RETURNS text LANGUAGE plproxy AS $$
CLUSTER 'im_front'; RUN ON partition;
SELECT coalesce((SELECT pg_catalog.concat(e.extversion, ' in ', e.extnamespace::pg_catalog.regnamespace) FROM pg_catalog.pg_extension e WHERE e.extname = 'imbilling'), 'none');
$$;
CREATE FUNCTION im_front_parts.im_cards(partition integer) RETURNS text LANGUAGE plproxy AS $$
CLUSTER 'im_front'; RUN ON partition;
SELECT pg_catalog.md5(pg_catalog.string_agg(pg_catalog.concat_ws(' ', v.rate_card, v.effective_from, v.terms), ',' ORDER BY v.rate_card, v.effective_from))
FROM {ext}.im_rate_card_version v;
$$;
CREATE FUNCTION im_front_parts.im_database(partition integer) RETURNS text LANGUAGE plproxy AS $$
CLUSTER 'im_front'; RUN ON partition;
SELECT pg_catalog.concat(c.system_identifier, ' ', d.oid) FROM pg_catalog.pg_control_system() c, pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database();
$$;

-- What an app uses on a database that is asked twice would be billed twice.
CREATE FUNCTION im_front_parts.im_need_partitions() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	wanted text := (SELECT concat(e.extversion, ' in ', e.extnamespace::regnamespace) FROM pg_extension e WHERE e.extname = 'imbilling');
	found text;
	seen text[] := '{}';
BEGIN
	FOR i IN 0 .. {partitions} - 1 LOOP
		found := im_front_parts.im_state(i);
		IF found <> wanted THEN
			PERFORM im_internal.im_raise_front('55000'::text, format('partition %s has imbilling %s, not %s', i, found, wanted),
				'Front and partitions have the same version, in a schema of the same name.'::text,
				'Create or update the extension there, call im_create_tables() there, and make the front again.'::text);
		END IF;
		found := im_front_parts.im_database(i);
		IF found = ANY (seen) THEN
			PERFORM im_internal.im_raise_front('22023'::text, format('partitions %s and %s are one database', array_position(seen, found) - 1, i),
				'All apps on it would be billed twice.'::text, 'Give each partition a database of its own.'::text);
		END IF;
		seen := seen || found;
	END LOOP;
END
$$;

CREATE FUNCTION im_front_parts.im_misplaced_apps(partition integer) RETURNS SETOF bigint LANGUAGE plproxy AS $$
CLUSTER 'im_front'; RUN ON partition;
SELECT a.app_id FROM {ext}.im_app a WHERE ({place}) <> partition ORDER BY a.app_id;
$$;
CREATE FUNCTION im_front_parts.im_misplaced_payments(partition integer) RETURNS SETOF bigint LANGUAGE plproxy AS $$
CLUSTER 'im_front'; RUN ON partition;
SELECT DISTINCT a.app_id FROM (SELECT p.account_id AS app_id FROM {ext}.im_payment p) a WHERE ({place}) <> partition ORDER BY a.app_id;
$$;
CREATE FUNCTION im_front_parts.im_check(month {ext}.im_month) RETURNS TABLE (app_id bigint, problem text) LANGUAGE plproxy AS $$
CLUSTER 'im_front'; RUN ON ALL; TARGET {ext}.im_check;
$$;
CREATE FUNCTION im_front.im_check(month {ext}.im_month) RETURNS TABLE (app_id bigint, problem text) LANGUAGE sql AS $$
	SELECT c.app_id, c.problem FROM im_front_parts.im_check($1) c
	UNION ALL
	SELECT NULL::pg_catalog.int8, pg_catalog.format('partition %s has another version of imbilling or other price lists than partition 0', p.n)
	FROM pg_catalog.generate_series(1, {partitions} - 1) p(n)
	WHERE im_front_parts.im_state(p.n) <> im_front_parts.im_state(0) OR im_front_parts.im_cards(p.n) IS DISTINCT FROM im_front_parts.im_cards(0)
	UNION ALL
	SELECT a.id, pg_catalog.format('the app is on partition %s and belongs to partition %s', p.n, im_front.im_partition_of(a.id))
	FROM pg_catalog.generate_series(0, {partitions} - 1) p(n), LATERAL im_front_parts.im_misplaced_apps(p.n) a(id)
	UNION ALL
	SELECT NULL::pg_catalog.int8, pg_catalog.format('payments of account %s are on partition %s and belong to partition %s', a.id, p.n, im_front.im_partition_of(a.id))
	FROM pg_catalog.generate_series(0, {partitions} - 1) p(n), LATERAL im_front_parts.im_misplaced_payments(p.n) a(id);
$$;

CREATE FUNCTION im_front_parts.im_month_root(partition integer, month {ext}.im_month) RETURNS bytea LANGUAGE plproxy AS $$
CLUSTER 'im_front'; RUN ON partition; SELECT {ext}.im_month_root(month);
$$;
-- null until every partition has one
CREATE FUNCTION im_front.im_month_root(month {ext}.im_month) RETURNS bytea LANGUAGE sql AS $$
	SELECT CASE WHEN pg_catalog.bool_and(r.root IS NOT NULL) THEN pg_catalog.sha256(pg_catalog.string_agg(r.root, '' ORDER BY r.n)) END
	FROM (SELECT p.n, im_front_parts.im_month_root(p.n, $1) AS root FROM pg_catalog.generate_series(0, {partitions} - 1) p(n)) r;
$$;
COMMENT ON FUNCTION im_front.im_month_root({ext}.im_month) IS
'The root of a closed month over all partitions: the SHA-256 of their roots, one behind the other in the order of the partitions; null until each has one.';

CREATE FUNCTION im_front_parts.im_verify_invoices(month {ext}.im_month, root bytea) RETURNS SETOF {ext}.im_invoice_problem LANGUAGE plproxy AS $$
CLUSTER 'im_front'; RUN ON ALL; TARGET {ext}.im_verify_invoices;
$$;
CREATE FUNCTION im_front.im_verify_invoices(month {ext}.im_month DEFAULT NULL, root bytea DEFAULT NULL) RETURNS SETOF {ext}.im_invoice_problem LANGUAGE sql AS $$
	SELECT v.* FROM im_front_parts.im_verify_invoices($1, NULL::pg_catalog.bytea) v
	UNION ALL
	SELECT NULL::pg_catalog.int8, $1::pg_catalog.date, NULL::pg_catalog.int4, 'the root is another one'
	WHERE $2 IS NOT NULL AND im_front.im_month_root($1) IS DISTINCT FROM $2;
$$;

CREATE FUNCTION im_front_parts.im_reads_tables() RETURNS boolean LANGUAGE plproxy AS $$
CLUSTER 'im_front'; RUN ON 0; SELECT NOT im_internal.im_guarded('im_standing_guarded'::pg_catalog.text);
$$;
CREATE FUNCTION im_front_parts.im_told_arrears(month {ext}.im_month, at timestamptz)
	RETURNS TABLE (app_id bigint, kind text, item text, option text, used numeric, allowed numeric, day date, today date, problem text)
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF im_front_parts.im_reads_tables() THEN
		RETURN QUERY SELECT * FROM im_front_parts.im_arrears_standing(NULL::bigint[], $1, $2);
	ELSE
		RAISE WARNING USING
			MESSAGE = 'arrears are left out',
			DETAIL = format('At a front they are told from tables of all partitions, which user %s of this front may not read there.', current_user),
			HINT = 'Let a role ask that may read the tables of the partitions.';
	END IF;
END
$$;
COMMENT ON FUNCTION im_front_parts.im_told_arrears({ext}.im_month, timestamptz) IS
'The rows of kind arrears of im_standing(), over what all partitions say is due; none, and a warning, for who may not read the partitions'' tables.';

CREATE FUNCTION im_front.im_create_billing_view(name text, first_month {ext}.im_month, last_month {ext}.im_month DEFAULT NULL) RETURNS void
	LANGUAGE sql
AS $$ SELECT im_internal.im_create_billing_view_of('im_front'::pg_catalog.text, $1, $2, $3); $$;
$front$
$script$;
COMMENT ON FUNCTION im_internal.im_front_script() IS
'The script with which im_create_front() makes what a front has of its own.';
