-- The triggers that mark what changed since it was metered: see
-- usage/metering.sql for what marks are for.

CREATE FUNCTION @extschema@.im_mark_events() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION @extschema@.im_mark_events() IS
'Trigger: marks the apps and instants of the logins, checks, calls or events of meters by name that a statement changed.';

CREATE FUNCTION @extschema@.im_mark_groups() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION @extschema@.im_mark_groups() IS
'Trigger: marks the apps and spans of the groups that a statement changed.';

CREATE FUNCTION @extschema@.im_mark_apps() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION @extschema@.im_mark_apps() IS
'Trigger: marks the apps that a statement added, removed or gave another rate card.';

CREATE FUNCTION @extschema@.im_mark_cards() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION @extschema@.im_mark_cards() IS
'Trigger: marks the apps of rate cards of which a statement changed the time zone, the meters by name, or whether they price users of the month.';

CREATE FUNCTION @extschema@.im_mark_days() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION @extschema@.im_mark_days() IS
'Trigger: marks the apps and days whose daily figures a statement removed.';

CREATE FUNCTION @extschema@.im_mark_all() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION @extschema@.im_mark_all() IS
'Trigger: marks everything when a table is truncated.';

CREATE FUNCTION @extschema@.im_mark_applied() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION @extschema@.im_mark_applied() IS
'Trigger: marks everything when a row comes by a subscription, whose statements fire no other trigger.';

CREATE FUNCTION @extschema@.im_own_day() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION @extschema@.im_own_day() IS
'Trigger: a user''s row of daily figures takes the place of a metered one.';

-- The triggers that mark changes: one for each event, with the rows that it
-- has, and one for rows that come by replication.  They are told just as
-- pg_get_triggerdef() does.
CREATE FUNCTION im_internal.im_mark_definitions()
	RETURNS TABLE (table_name text, trigger_name text, command text, events text, definition text)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT w.table_name, 'im_mark_' || lower(e.event), 'CREATE TRIGGER', 'AFTER ' || e.event,
		format('%sFOR EACH STATEMENT EXECUTE FUNCTION %s.%I()', e.rows, '@extschema@',
			CASE e.event WHEN 'TRUNCATE' THEN 'im_mark_all' ELSE w.function END)
	FROM (VALUES
			('im_login', 'im_mark_events'),
			('im_group', 'im_mark_groups'),
			('im_moderation_check', 'im_mark_events'),
			('im_call', 'im_mark_events'),
			('im_event', 'im_mark_events'),
			('im_app', 'im_mark_apps'),
			('im_rate_card_version', 'im_mark_cards'),
			('im_usage_daily', 'im_mark_days'),
			('im_meter_daily', 'im_mark_days')
		) w(table_name, function),
		(VALUES
			('INSERT', 'REFERENCING NEW TABLE AS new_rows '),
			('UPDATE', 'REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows '),
			('DELETE', 'REFERENCING OLD TABLE AS old_rows '),
			('TRUNCATE', '')
		) e(event, rows)
	-- of daily figures only those removed are looked at row by row
	WHERE w.function <> 'im_mark_days' OR e.event IN ('DELETE', 'TRUNCATE')
	UNION ALL
	SELECT w.table_name, v.name, 'CREATE TRIGGER', v.events,
		format('%s EXECUTE FUNCTION %s.%I()', v.each, '@extschema@', v.function)
	FROM (VALUES ('im_usage_daily'), ('im_meter_daily')) w(table_name),
		(VALUES
			('im_mark_write', 'AFTER INSERT OR UPDATE', 'FOR EACH STATEMENT', 'im_mark_days'),
			('im_own_day', 'BEFORE INSERT OR UPDATE', 'FOR EACH ROW', 'im_own_day')
		) v(name, events, each, function)
	UNION ALL
	SELECT w.table_name, 'im_mark_applied', 'CREATE TRIGGER', 'AFTER INSERT OR DELETE OR UPDATE',
		format('FOR EACH ROW EXECUTE FUNCTION %s.im_mark_applied()', '@extschema@')
	FROM unnest('{im_login,im_group,im_moderation_check,im_call,im_event,im_app,im_rate_card_version,im_usage_daily,im_meter_daily}'::text[]) w(table_name)
$$;
COMMENT ON FUNCTION im_internal.im_mark_definitions() IS
'The triggers that mark what changes, as im_trigger_definitions() has them; partitions get those of their table too.';
