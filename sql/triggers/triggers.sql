-- All triggers of the tables and of their partitions: told as data, looked
-- for, and added where they are missing.

CREATE FUNCTION im_internal.im_raw_leaves()
	RETURNS TABLE (table_name text, partition oid, filenode oid, since timestamptz, until timestamptz, watch bigint)
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE ROWS 50;
COMMENT ON FUNCTION im_internal.im_raw_leaves() IS
'The tables that metered figures depend on, their partitions of all levels and children: with the filenode (0 without files), the instants [since, until) on which their rows can count, and a number that tells the columns and the triggers that mark changes from any others (null where changes cannot be known).';

-- A load that suppresses triggers by its replication role must be marked.
CREATE FUNCTION im_internal.im_trigger_firing(trigger_name text) RETURNS "char"
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN CASE WHEN trigger_name = 'im_mark_applied' THEN 'R'
		WHEN starts_with(trigger_name, 'im_mark_') OR trigger_name = 'im_own_day' THEN 'A' ELSE 'O' END::"char";
COMMENT ON FUNCTION im_internal.im_trigger_firing(text) IS
'In which replication roles a trigger of the extension fires, as pg_trigger.tgenabled has it.';

CREATE FUNCTION im_internal.im_add_trigger(on_table regclass, trigger_name text, command text,
		events text, definition text)
	RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	firing "char" := im_internal.im_trigger_firing($2);
BEGIN
	IF NOT EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = $1 AND g.tgname = $2) THEN
		EXECUTE format('%s %I %s ON %s %s', $3, $2, $4, $1, $5);
	END IF;
	IF firing <> 'O' THEN
		EXECUTE format('ALTER TABLE %s ENABLE %s TRIGGER %I', $1, CASE firing WHEN 'R' THEN 'REPLICA' ELSE 'ALWAYS' END, $2);
	END IF;
END
$$;
COMMENT ON FUNCTION im_internal.im_add_trigger(regclass, text, text, text, text) IS
'Adds a trigger to a table that lacks it; those that mark changes fire in every replication role, whatever somebody made of them.';

CREATE FUNCTION im_internal.im_is_watched(partition oid, table_name text) RETURNS boolean
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
	SET quote_all_identifiers = off
AS $$
DECLARE
	-- quoted above where everything was when the extension was created
	schema text := '@extschema@'::regnamespace;
BEGIN
	RETURN NOT EXISTS (
		SELECT FROM im_internal.im_mark_definitions() d
		WHERE d.table_name = $2
			AND NOT EXISTS (
				SELECT FROM pg_trigger g
				WHERE g.tgrelid = $1 AND g.tgname = d.trigger_name
					AND g.tgenabled = im_internal.im_trigger_firing(d.trigger_name)
					AND pg_get_triggerdef(g.oid)
						= format('%s %I %s ON %s %s', d.command, d.trigger_name, d.events, $1::regclass,
							replace(d.definition, '@extschema@.', schema || '.'))));
END
$$;
COMMENT ON FUNCTION im_internal.im_is_watched(oid, text) IS
'Whether a table or partition has all triggers that mark changes, no others by their names, and they fire.';

-- Not a lock of a table: CREATE INDEX CONCURRENTLY on it would hold that one
-- and wait for the transaction that waits for it.
CREATE FUNCTION im_internal.im_lock_metering() RETURNS void
	AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION im_internal.im_lock_metering() IS
'Waits until nobody else meters, and keeps others from metering until the end of the transaction; loaders append marks meanwhile.';

-- Who waits holds none of the locks, so no order in which others take them
-- makes a deadlock.
CREATE FUNCTION im_internal.im_lock_tables(tables regclass[], mode text) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	one regclass := $1[1];
BEGIN
	WHILE one IS NOT NULL LOOP
		BEGIN
			EXECUTE format('LOCK TABLE ONLY %s IN %s MODE', one, $2);
			FOREACH one IN ARRAY $1 LOOP
				EXECUTE format('LOCK TABLE ONLY %s IN %s MODE NOWAIT', one, $2);
			END LOOP;
			RETURN;
		EXCEPTION WHEN lock_not_available THEN
			-- the one that was not free is waited for first
			NULL;
		END;
	END LOOP;
END
$$;
COMMENT ON FUNCTION im_internal.im_lock_tables(regclass[], text) IS
'Locks all of these tables, and while it waits for one none of them.';

-- Triggers of a row fire in the order of their names: an app is noted before
-- it is checked, which matters once constraints are immediate.
CREATE FUNCTION im_internal.im_trigger_definitions()
	RETURNS TABLE (table_name text, trigger_name text, command text, events text, definition text)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT * FROM (VALUES
			('im_order', 'im_note_order', 'CREATE TRIGGER', 'AFTER INSERT', 'FOR EACH ROW EXECUTE FUNCTION @extschema@.im_order_note()'),
			('im_order', 'im_order_check', 'CREATE CONSTRAINT TRIGGER', 'AFTER INSERT', 'DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION @extschema@.im_order_check()'),
			('im_order', 'im_order_append_only', 'CREATE TRIGGER', 'BEFORE UPDATE OR DELETE', 'FOR EACH ROW EXECUTE FUNCTION @extschema@.im_append_only()'),
			('im_order', 'im_order_no_truncate', 'CREATE TRIGGER', 'BEFORE TRUNCATE', 'FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.im_append_only()'),
			('im_app', 'im_note_order', 'CREATE TRIGGER', 'AFTER UPDATE OF rate_card', 'FOR EACH ROW EXECUTE FUNCTION @extschema@.im_order_note()'),
			('im_app', 'im_order_check', 'CREATE CONSTRAINT TRIGGER', 'AFTER UPDATE OF rate_card', 'DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION @extschema@.im_order_check()'),
			('im_app', 'im_note_app', 'CREATE TRIGGER', 'AFTER INSERT OR UPDATE OF app_id', 'FOR EACH ROW EXECUTE FUNCTION @extschema@.im_order_note()'),
			('im_app', 'im_order_check_app', 'CREATE CONSTRAINT TRIGGER', 'AFTER INSERT OR UPDATE OF app_id', 'DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION @extschema@.im_order_check()'),
			('im_rate_card_version', 'im_cards_lock', 'CREATE TRIGGER', 'BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE', 'FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.im_cards_lock()'),
			('im_rate_card_version', 'im_note_card', 'CREATE TRIGGER', 'AFTER INSERT OR UPDATE OR DELETE', 'FOR EACH ROW EXECUTE FUNCTION @extschema@.im_order_note()'),
			('im_rate_card_version', 'im_order_check_card', 'CREATE CONSTRAINT TRIGGER', 'AFTER INSERT OR UPDATE OR DELETE', 'DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION @extschema@.im_order_check()'),
			('im_rate_card_version', 'im_rate_card_version_agree', 'CREATE TRIGGER', 'AFTER INSERT OR UPDATE', 'FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.im_card_versions_agree()'),
			('im_payment', 'im_payment_append_only', 'CREATE TRIGGER', 'BEFORE UPDATE OR DELETE', 'FOR EACH ROW EXECUTE FUNCTION @extschema@.im_append_only()'),
			('im_payment', 'im_payment_no_truncate', 'CREATE TRIGGER', 'BEFORE TRUNCATE', 'FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.im_append_only()'),
			('im_suspension', 'im_tell_suspension', 'CREATE TRIGGER', 'AFTER INSERT OR UPDATE OR DELETE', 'FOR EACH ROW EXECUTE FUNCTION @extschema@.im_tell_suspension()'),
			-- the ledger
			('im_invoice', 'im_invoice_only_issued', 'CREATE TRIGGER', 'BEFORE INSERT', 'FOR EACH ROW EXECUTE FUNCTION @extschema@.im_only_issued()'),
			('im_invoice_line', 'im_invoice_line_only_issued', 'CREATE TRIGGER', 'BEFORE INSERT', 'FOR EACH ROW EXECUTE FUNCTION @extschema@.im_only_issued()'),
			('im_closing', 'im_closing_only_issued', 'CREATE TRIGGER', 'BEFORE INSERT', 'FOR EACH ROW EXECUTE FUNCTION @extschema@.im_only_issued()'),
			('im_invoice', 'im_invoice_stays', 'CREATE TRIGGER', 'BEFORE UPDATE OR DELETE', 'FOR EACH ROW EXECUTE FUNCTION @extschema@.im_as_issued()'),
			('im_invoice', 'im_invoice_no_truncate', 'CREATE TRIGGER', 'BEFORE TRUNCATE', 'FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.im_as_issued()'),
			('im_invoice_line', 'im_invoice_line_stays', 'CREATE TRIGGER', 'BEFORE UPDATE OR DELETE', 'FOR EACH ROW EXECUTE FUNCTION @extschema@.im_as_issued()'),
			('im_invoice_line', 'im_invoice_line_no_truncate', 'CREATE TRIGGER', 'BEFORE TRUNCATE', 'FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.im_as_issued()'),
			('im_closing', 'im_closing_stays', 'CREATE TRIGGER', 'BEFORE UPDATE OR DELETE', 'FOR EACH ROW EXECUTE FUNCTION @extschema@.im_as_issued()'),
			('im_closing', 'im_closing_no_truncate', 'CREATE TRIGGER', 'BEFORE TRUNCATE', 'FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.im_as_issued()')
	) AS t(table_name, trigger_name, command, events, definition)
	UNION ALL
	SELECT * FROM im_internal.im_mark_definitions()
$$;
COMMENT ON FUNCTION im_internal.im_trigger_definitions() IS
'The triggers of those tables.';

-- A trigger of a partitioned table is not fired by what goes to a partition
-- directly, so each has those of a statement.  Those of a row PostgreSQL gives
-- to partitions itself.
CREATE FUNCTION im_internal.im_trigger_gaps()
	RETURNS TABLE (on_table regclass, trigger_name text, command text, events text, definition text)
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT w.on_table, w.trigger_name, w.command, w.events, w.definition
	FROM (SELECT to_regclass(format('%s.%I', '@extschema@', d.table_name)) AS on_table, d.*
		  FROM im_internal.im_trigger_definitions() d
		  UNION
		  SELECT l.partition::regclass, d.*
		  FROM im_internal.im_raw_leaves() l
		  JOIN im_internal.im_mark_definitions() d ON d.table_name = l.table_name) w
	JOIN pg_class c ON c.oid = w.on_table AND c.relkind IN ('r', 'p')
	LEFT JOIN pg_trigger g ON g.tgrelid = w.on_table AND g.tgname = w.trigger_name
	WHERE CASE WHEN g.oid IS NULL THEN NOT (c.relispartition AND w.definition LIKE 'FOR EACH ROW%')
		ELSE im_internal.im_trigger_firing(w.trigger_name) NOT IN (g.tgenabled, 'O') END
	ORDER BY w.on_table, w.trigger_name
$$;
COMMENT ON FUNCTION im_internal.im_trigger_gaps() IS
'The triggers of the extension that tables, partitions and children lack, and those that mark changes but do not fire as they should.';

-- Who writes daily figures may write events next: all are locked at once.
CREATE FUNCTION im_internal.im_add_triggers() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	tables CONSTANT regclass[] := ARRAY(SELECT DISTINCT g.on_table FROM im_internal.im_trigger_gaps() g);
	t record;
BEGIN
	IF tables = '{}' THEN
		RETURN;
	END IF;
	PERFORM im_internal.im_lock_tables(tables || ARRAY(
		SELECT l.partition::regclass
		FROM im_internal.im_raw_leaves() l
		WHERE l.table_name IN ('im_usage_daily', 'im_meter_daily') AND l.watch IS NOT NULL), 'SHARE ROW EXCLUSIVE'::text);
	FOR t IN SELECT * FROM im_internal.im_trigger_gaps() LOOP
		PERFORM im_internal.im_add_trigger(t.on_table, t.trigger_name, t.command, t.events, t.definition);
	END LOOP;
END
$$;
COMMENT ON FUNCTION im_internal.im_add_triggers() IS
'Adds the triggers that are missing, to partitions too, and makes those that mark changes fire. What was metered of such a table counts no more until it is metered again.';
