-- im_partition(): the raw tables in partitions by time.
--
-- A bound is a midnight of the zone whose days are billed, so that a slice of
-- one local day is one partition.  A table that has rows already is replaced
-- by a partitioned one with the same columns, indexes, triggers and grants.

CREATE FUNCTION im_internal.im_time_column(parent regclass) RETURNS name
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	times CONSTANT jsonb := '{"im_login": "at", "im_group": "created_at", "im_moderation_check": "at", "im_call": "at", "im_event": "at"}';
	found name := (SELECT t.value
				   FROM jsonb_each_text(times) t
				   WHERE to_regclass(format('%s.%I', '@extschema@', t.key)) = $1);
BEGIN
	IF found IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'wrong_object_type',
			MESSAGE = format('%s is not a raw table of imbilling', coalesce($1::text, 'null')),
			DETAIL = 'The raw tables are im_login, im_group, im_moderation_check, im_call and im_event.',
			HINT = 'Give one of them; daily figures and orders are small and stay whole.';
	END IF;
	RETURN found;
END
$$;
COMMENT ON FUNCTION im_internal.im_time_column(regclass) IS
'The column by whose time a raw table is partitioned. Error 42809 for any other table.';

CREATE FUNCTION im_internal.im_check_partitions(since date, until date, step interval, zone text)
	RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF $1 IS NULL OR $2 IS NULL OR $3 IS NULL OR $4 IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'null_value_not_allowed',
			MESSAGE = 'partitions have a first day, a day until which they reach, a step and a zone, but one of them is null',
			DETAIL = 'They are made from the first day, included, until the last one, excluded.',
			HINT = 'Give all of them, as in im_partition(''im_login'', ''2024-01-01'', ''2025-01-01'', ''1 month'').';
	END IF;
	IF NOT isfinite($1) OR NOT isfinite($2) OR $2 < $1 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('no partitions lie between %s and %s', $1, $2),
			DETAIL = 'The first day comes before the day until which they reach, and both are finite.',
			HINT = 'Give the days in their order; with two equal days an empty table becomes partitioned and gets no partition yet.';
	END IF;
	-- whole months or whole days: anything else would cut a local day
	IF $3 <= interval '0' OR $3 <> date_trunc('day', $3)
		OR extract(day FROM $3) <> 0 AND date_trunc('month', $3) <> interval '0' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('%s is no step of partitions', $3),
			DETAIL = 'A partition holds whole months or whole days.',
			HINT = 'Give ''1 month'', ''1 day'' or a multiple of one of them.';
	END IF;
	IF $2 - $1 > 2000 * (extract(epoch FROM $3) / 86400)::int THEN
		RAISE EXCEPTION USING
			ERRCODE = 'program_limit_exceeded',
			MESSAGE = format('steps of %s from %s until %s make more than 2000 partitions', $3, $1, $2),
			DETAIL = 'Every query that reads the table opens or prunes each of them.',
			HINT = 'Take a longer step, or fewer days.';
	END IF;
	PERFORM @extschema@.im_day('2000-01-01 00:00+00'::timestamptz, $4);
END
$$;
COMMENT ON FUNCTION im_internal.im_check_partitions(date, date, interval, text) IS
'Refuses what im_partition() cannot work with: 22004, 22023, 54000 beyond 2000 partitions, and the errors of im_day() for an unknown zone.';

CREATE FUNCTION im_internal.im_partition_slots(since date, until date, step interval, zone text)
	RETURNS TABLE (day date, lower timestamptz, upper timestamptz)
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT s::date, s AT TIME ZONE $4, (s + $3) AT TIME ZONE $4
	FROM generate_series($1::timestamp, $2::timestamp, $3) s
	WHERE s < $2
		-- a day that the zone leaves out begins when it ends
		AND s AT TIME ZONE $4 < (s + $3) AT TIME ZONE $4
$$;
COMMENT ON FUNCTION im_internal.im_partition_slots(date, date, interval, text) IS
'The partitions from a day until another, each with its first day and its bounds: midnights of the zone.';

-- Nothing of the user's may be lost with the table that is replaced.
CREATE FUNCTION im_internal.im_check_replaceable(parent regclass) RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	obstacle text := (SELECT l FROM im_internal.im_lost_with($1) l LIMIT 1);
BEGIN
	IF obstacle IS NOT NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = format('%s cannot be replaced by a partitioned table', $1),
			DETAIL = format('At least one thing would be lost with it: %s.', obstacle),
			HINT = 'Drop or reset that, call im_partition again, and create it again where a partitioned table or its partitions can have it.';
	END IF;
END
$$;
COMMENT ON FUNCTION im_internal.im_check_replaceable(regclass) IS
'Raises 55000 where something of a table could not stay if im_partition() replaced it.';

CREATE FUNCTION im_internal.im_run_all(statements text[]) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	statement text;
BEGIN
	FOREACH statement IN ARRAY $1 LOOP
		EXECUTE statement;
	END LOOP;
END
$$;
COMMENT ON FUNCTION im_internal.im_run_all(text[]) IS
'Runs statements one after the other, with the rights of the caller.';

-- A partition belongs to whom the table belongs to, and its rows are reached
-- through the table.
CREATE FUNCTION im_internal.im_dress_partition(parent regclass, leaf text) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE format('ALTER TABLE %s OWNER TO %I', $2, (SELECT pg_get_userbyid(c.relowner) FROM pg_class c WHERE c.oid = $1));
	EXECUTE format('ALTER TABLE %s REPLICA IDENTITY FULL', $2);
	PERFORM im_internal.im_revoke_rights($2);
	PERFORM im_internal.im_run_all(ARRAY(SELECT im_internal.im_column_settings($1, $2)));
END
$$;
COMMENT ON FUNCTION im_internal.im_dress_partition(regclass, text) IS
'Gives a new partition what it has from its table beside columns: owner, column settings, no rights of others.';

CREATE FUNCTION im_internal.im_add_partition(parent regclass, time_column name, name text,
		lower timestamptz, upper timestamptz)
	RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	leaf text := format('%s.%I', '@extschema@', $3);
	rest regclass := (SELECT nullif(p.partdefid, 0) FROM pg_partitioned_table p WHERE p.partrelid = $1);
	columns text := im_internal.im_column_list($1);
BEGIN
	EXECUTE format('CREATE TABLE %s (LIKE %s INCLUDING ALL EXCLUDING IDENTITY EXCLUDING INDEXES EXCLUDING STATISTICS)', leaf, $1);
	PERFORM im_internal.im_dress_partition($1, leaf);
	-- rows that came before their partition wait in the default one, whose
	-- columns may stand in another order
	IF rest IS NOT NULL THEN
		EXECUTE format('WITH moved AS (DELETE FROM %s WHERE %I >= %L AND %2$I < %4$L RETURNING %6$s) '
			'INSERT INTO %5$s (%6$s) SELECT %6$s FROM moved', rest, $2, $4, $5, leaf, columns);
	END IF;
	EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)', $1, leaf, $4, $5);
	EXECUTE format('COMMENT ON TABLE %s IS %L', leaf, format('%s from %s until %s.', $1, $4, $5));
END
$$;
COMMENT ON FUNCTION im_internal.im_add_partition(regclass, name, text, timestamptz, timestamptz) IS
'Adds one partition and moves rows of its time into it from the default partition.';

CREATE FUNCTION im_internal.im_add_default_partition(parent regclass, name text) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	leaf text := format('%s.%I', '@extschema@', $2);
BEGIN
	EXECUTE format('CREATE TABLE %s PARTITION OF %s DEFAULT', leaf, $1);
	PERFORM im_internal.im_dress_partition($1, leaf);
	EXECUTE format('COMMENT ON TABLE %s IS %L', leaf, format('Rows of %s whose time has no partition yet.', $1));
END
$$;
COMMENT ON FUNCTION im_internal.im_add_default_partition(regclass, text) IS
'Adds the partition that takes what fits no other.';

CREATE FUNCTION im_internal.im_add_partitions(parent regclass, since date, until date, step interval,
		zone text)
	RETURNS integer
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	time_column name := im_internal.im_time_column($1);
	table_name name := (SELECT c.relname FROM pg_class c WHERE c.oid = $1);
	pattern text := CASE WHEN date_trunc('month', $4) = interval '0' THEN '"_p"YYYY_MM_DD' ELSE '"_p"YYYY_MM' END;
	made integer := 0;
	slot record;
BEGIN
	FOR slot IN
		SELECT * FROM im_internal.im_partition_slots($2, $3, $4, $5) s
		WHERE NOT EXISTS (
			SELECT FROM pg_inherits i
			JOIN pg_class c ON c.oid = i.inhrelid
			WHERE i.inhparent = $1
				AND pg_get_expr(c.relpartbound, c.oid) = format('FOR VALUES FROM (%L) TO (%L)', s.lower, s.upper))
		ORDER BY s.lower
	LOOP
		PERFORM im_internal.im_add_partition($1, time_column,
			table_name || to_char(slot.day, pattern), slot.lower, slot.upper);
		made := made + 1;
	END LOOP;
	RETURN made;
END
$$;
COMMENT ON FUNCTION im_internal.im_add_partitions(regclass, date, date, interval, text) IS
'Adds the partitions that a partitioned raw table lacks between two days: their number.';

CREATE FUNCTION im_internal.im_make_partitioned(parent regclass, since date, until date, step interval,
		zone text)
	RETURNS integer
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	time_column name := im_internal.im_time_column($1);
	old_name name := (SELECT c.relname FROM pg_class c WHERE c.oid = $1);
	full_name text := format('%s.%I', '@extschema@', old_name);
	trimmings text[];
	rights text[];
	made integer;
BEGIN
	EXECUTE format('LOCK TABLE %s', $1);
	PERFORM im_internal.im_check_replaceable($1);
	trimmings := ARRAY(SELECT im_internal.im_table_trimmings($1));
	rights := ARRAY(SELECT im_internal.im_table_rights($1));
	EXECUTE format('ALTER TABLE %s RENAME TO %I', full_name, old_name || '_unpartitioned');
	EXECUTE format('CREATE TABLE %s (LIKE %s INCLUDING ALL EXCLUDING INDEXES EXCLUDING STATISTICS) PARTITION BY RANGE (%I)',
		full_name, $1, time_column);
	EXECUTE format('ALTER TABLE %s OWNER TO %I', full_name, (SELECT pg_get_userbyid(c.relowner) FROM pg_class c WHERE c.oid = $1));
	PERFORM im_internal.im_revoke_rights(full_name);
	PERFORM im_internal.im_run_all(ARRAY(SELECT im_internal.im_column_settings($1, full_name)));
	made := im_internal.im_add_partitions(full_name::regclass, $2, $3, $4, $5);
	IF $2 < $3 THEN
		PERFORM im_internal.im_add_default_partition(full_name::regclass, old_name || '_default');
	END IF;
	EXECUTE format('INSERT INTO %s (%s) SELECT %2$s FROM %3$s', full_name, im_internal.im_column_list($1), $1);
	PERFORM im_internal.im_run_all(ARRAY(SELECT im_internal.im_owned_sequences($1, full_name)));
	EXECUTE format('DROP TABLE %s', $1);
	PERFORM im_internal.im_run_all(trimmings);
	EXECUTE format('REVOKE ALL ON %s FROM %I', full_name,
		(SELECT pg_get_userbyid(c.relowner) FROM pg_class c WHERE c.oid = full_name::regclass));
	PERFORM im_internal.im_run_all(rights);
	RETURN made;
END
$$;
COMMENT ON FUNCTION im_internal.im_make_partitioned(regclass, date, date, interval, text) IS
'Replaces a raw table by a partitioned one that has all that this one had, or refuses: the number of partitions made beside the default one.';

CREATE FUNCTION @extschema@.im_partition(parent regclass, since date, until date, step interval,
		zone text DEFAULT 'Asia/Shanghai')
	RETURNS integer
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
	SET client_min_messages = warning
	SET row_security = off	-- an error rather than a table without its rows
	SET default_tablespace = ''
	SET default_table_access_method = heap
	SET datestyle = 'ISO, YMD'	-- others name zones by abbreviations of several meanings
AS $$
DECLARE
	time_column name := im_internal.im_time_column($1);
	kind "char" := (SELECT c.relkind FROM pg_class c WHERE c.oid = $1);
	role_before text;
	made integer;
	loaders name[];
BEGIN
	PERFORM im_internal.im_check_partitions($2, $3, $4, $5);
	PERFORM im_internal.im_need_local_tables();
	role_before := im_internal.im_act_as_owner();
	IF kind = 'r' THEN
		made := im_internal.im_make_partitioned($1, $2, $3, $4, $5);
	ELSIF kind <> 'p' OR pg_get_partkeydef($1) <> format('RANGE (%I)', time_column) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'wrong_object_type',
			MESSAGE = format('%s is not partitioned by ranges of "%s"', $1, time_column),
			DETAIL = format('Its partition key is %s.', coalesce(pg_get_partkeydef($1), 'none')),
			HINT = 'Add partitions to it in the way in which it was made.';
	ELSE
		made := im_internal.im_add_partitions($1, $2, $3, $4, $5);
	END IF;
	-- now rather than at the next im_meter(), whose end their loaders would wait for
	PERFORM im_internal.im_add_triggers();
	loaders := ARRAY(SELECT g.role FROM @extschema@.im_grants() g WHERE g.kind = 'loader');
	IF loaders <> '{}' THEN
		PERFORM im_internal.im_change_privileges('GRANT'::text, 'loader'::text, loaders);
	END IF;
	PERFORM im_internal.im_act_again(role_before);
	RETURN made;
END
$$;
COMMENT ON FUNCTION @extschema@.im_partition(regclass, date, date, interval, text) IS
'Partitions a raw table by time, or adds partitions to one that is partitioned: one for each step (whole months or days) from a day until another, cut at midnights of the zone, and a default one for all other rows. All of the table is kept, or it refuses and names what could not be. Gives the number of partitions made. Errors: 42809 for other tables, 22023 for days or steps out of order, 55000 where something of the table could not be kept, 0A000 where Citus has distributed one of the tables.';
