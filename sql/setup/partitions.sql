-- im_partition(): the raw tables in partitions by time.
--
-- A bound is a midnight of the zone whose days are billed, so that a slice of
-- one local day is one partition.  A table that has rows already is replaced
-- by a partitioned one with the same columns, indexes, triggers and grants.

CREATE FUNCTION @extschema@.im_time_column(parent regclass) RETURNS name
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	times CONSTANT jsonb := '{"im_login": "at", "im_group": "created_at", "im_moderation_check": "at", "im_call": "at"}';
	found name := (SELECT t.value
				   FROM jsonb_each_text(times) t
				   WHERE to_regclass(format('%s.%I', '@extschema@', t.key)) = $1);
BEGIN
	IF found IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'wrong_object_type',
			MESSAGE = format('%s is not a raw table of imbilling', coalesce($1::text, 'null')),
			DETAIL = 'The raw tables are im_login, im_group, im_moderation_check and im_call.',
			HINT = 'Give one of them; daily figures and orders are small and stay whole.';
	END IF;
	RETURN found;
END
$$;
COMMENT ON FUNCTION @extschema@.im_time_column(regclass) IS
'The column by whose time a raw table is partitioned. Error 42809 for any other table.';

CREATE FUNCTION @extschema@.im_check_partitions(since date, until date, step interval, zone text)
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
COMMENT ON FUNCTION @extschema@.im_check_partitions(date, date, interval, text) IS
'Refuses what im_partition() cannot work with: 22004, 22023, 54000 beyond 2000 partitions, and the errors of im_day() for an unknown zone.';

CREATE FUNCTION @extschema@.im_partition_slots(since date, until date, step interval, zone text)
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
COMMENT ON FUNCTION @extschema@.im_partition_slots(date, date, interval, text) IS
'The partitions from a day until another, each with its first day and its bounds: midnights of the zone.';

-- What stays with a table that im_partition() replaces, beside what LIKE brings
-- (columns with types, collations, defaults, generation, storage, compression,
-- comments, and checks), as statements in the order in which they are to run.
-- im_lost_with() names everything else; what PostgreSQL adds to tables belongs
-- into the one list or the other.
CREATE FUNCTION @extschema@.im_table_trimmings(parent regclass) RETURNS SETOF text
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT t.statement
	FROM (
		SELECT 1, i.indexrelid, pg_get_indexdef(i.indexrelid)
		FROM pg_index i
		WHERE i.indrelid = $1
			AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid AND c.conrelid = $1)
		UNION ALL
		SELECT 2, c.oid, format('ALTER TABLE %s ADD CONSTRAINT %I %s', $1, c.conname, pg_get_constraintdef(c.oid))
		FROM pg_constraint c
		WHERE c.conrelid = $1 AND c.contype IN ('p', 'u', 'f')
		UNION ALL
		SELECT 3, x.oid, pg_get_statisticsobjdef(x.oid)
		FROM pg_statistic_ext x
		WHERE x.stxrelid = $1
		UNION ALL
		SELECT 4, x.oid, format(s.form, x.stxnamespace::regnamespace, x.stxname, s.value)
		FROM pg_statistic_ext x,
			LATERAL (VALUES ('ALTER STATISTICS %s.%I OWNER TO %s', quote_ident(pg_get_userbyid(x.stxowner))),
				('ALTER STATISTICS %s.%I SET STATISTICS %s', nullif(to_jsonb(x) ->> 'stxstattarget', '-1'))) s(form, value)
		WHERE x.stxrelid = $1 AND s.value IS NOT NULL
		UNION ALL
		SELECT 5, t.oid, pg_get_triggerdef(t.oid)
		FROM pg_trigger t
		WHERE t.tgrelid = $1 AND NOT t.tgisinternal
		UNION ALL
		-- its definition does not say in which replication roles a trigger fires
		SELECT 6, t.oid, format('ALTER TABLE %s %s TRIGGER %I', $1,
			CASE t.tgenabled WHEN 'A' THEN 'ENABLE ALWAYS' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'DISABLE' END, t.tgname)
		FROM pg_trigger t
		WHERE t.tgrelid = $1 AND NOT t.tgisinternal AND t.tgenabled <> 'O'
		UNION ALL
		SELECT 7, c.oid, format('ALTER TABLE %s %s', $1, s.setting)
		FROM pg_class c,
			LATERAL (VALUES (c.relrowsecurity, 'ENABLE ROW LEVEL SECURITY'), (c.relforcerowsecurity, 'FORCE ROW LEVEL SECURITY'),
				(c.relreplident = 'f', 'REPLICA IDENTITY FULL'), (c.relreplident = 'n', 'REPLICA IDENTITY NOTHING')) s(is_set, setting)
		WHERE c.oid = $1 AND s.is_set
		UNION ALL
		SELECT 8, d.objoid, format('COMMENT ON %s IS %L',
			CASE d.classoid
				WHEN 'pg_class'::regclass THEN
					(SELECT format('%s %s', CASE WHEN k.oid = $1 THEN 'TABLE' ELSE 'INDEX' END, k.oid::regclass) FROM pg_class k WHERE k.oid = d.objoid)
				WHEN 'pg_constraint'::regclass THEN
					(SELECT format('CONSTRAINT %I ON %s', c.conname, $1) FROM pg_constraint c WHERE c.oid = d.objoid)
				WHEN 'pg_trigger'::regclass THEN
					(SELECT format('TRIGGER %I ON %s', t.tgname, $1) FROM pg_trigger t WHERE t.oid = d.objoid)
				ELSE (SELECT format('STATISTICS %s.%I', x.stxnamespace::regnamespace, x.stxname) FROM pg_statistic_ext x WHERE x.oid = d.objoid) END,
			d.description)
		FROM pg_description d
		WHERE d.objsubid = 0 AND (d.classoid, d.objoid) IN (
			SELECT 'pg_class'::regclass, $1::oid
			UNION ALL SELECT 'pg_class'::regclass, i.indexrelid FROM pg_index i WHERE i.indrelid = $1
			UNION ALL SELECT 'pg_constraint'::regclass, c.oid FROM pg_constraint c WHERE c.conrelid = $1 AND c.contype IN ('p', 'u', 'f')
			UNION ALL SELECT 'pg_trigger'::regclass, t.oid FROM pg_trigger t WHERE t.tgrelid = $1
			UNION ALL SELECT 'pg_statistic_ext'::regclass, x.oid FROM pg_statistic_ext x WHERE x.stxrelid = $1)
	) t(step, oid, statement)
	ORDER BY t.step, t.oid, t.statement COLLATE "C"
$$;
COMMENT ON FUNCTION @extschema@.im_table_trimmings(regclass) IS
'Statements that give a new table of the same name the indexes, keys, statistics, triggers, row security, replica identity and comments of this one.';

-- Rights are apart: default privileges may give a new table others, which the
-- owner revoked from the old one.
CREATE FUNCTION @extschema@.im_table_rights(parent regclass) RETURNS SETOF text
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('GRANT %s%s ON %s TO %s%s', a.privilege_type, k.list, $1,
		CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
		CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
	FROM (SELECT coalesce(c.relacl, acldefault('r', c.relowner)), '' FROM pg_class c WHERE c.oid = $1
		  UNION ALL
		  SELECT k.attacl, format(' (%I)', k.attname) FROM pg_attribute k WHERE k.attrelid = $1 AND k.attnum > 0) k(acl, list),
		LATERAL aclexplode(k.acl) a
$$;
COMMENT ON FUNCTION @extschema@.im_table_rights(regclass) IS
'Statements that grant the rights on a table and its columns again, those of its owner included.';

CREATE FUNCTION @extschema@.im_revoke_rights(new_table text) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	who text;
BEGIN
	FOR who IN
		SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END
		FROM pg_class c, aclexplode(c.relacl) a
		WHERE c.oid = $1::regclass AND a.grantee <> c.relowner
	LOOP
		EXECUTE format('REVOKE ALL ON %s FROM %s', $1, who);
	END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.im_revoke_rights(text) IS
'Takes from a new table the rights that default privileges gave to others than its owner.';

-- LIKE does not bring these, neither to the new table nor to its partitions.
CREATE FUNCTION @extschema@.im_column_settings(parent regclass, new_table text) RETURNS SETOF text
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('ALTER TABLE %s ALTER COLUMN %I SET %s', $2, k.attname, s.setting)
	FROM pg_attribute k,
		LATERAL (VALUES ('STATISTICS ' || nullif(to_jsonb(k) ->> 'attstattarget', '-1')),
			(format('(%s)', (SELECT string_agg(o, ', ') FROM unnest(k.attoptions) o)))) s(setting)
	WHERE k.attrelid = $1 AND k.attnum > 0 AND NOT k.attisdropped AND s.setting <> '()'
	ORDER BY k.attnum, s.setting COLLATE "C"
$$;
COMMENT ON FUNCTION @extschema@.im_column_settings(regclass, text) IS
'Statements that give the columns of a new table the statistics targets and options of this one.';

CREATE FUNCTION @extschema@.im_column_list(parent regclass) RETURNS text
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
	FROM pg_attribute a
	WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
$$;
COMMENT ON FUNCTION @extschema@.im_column_list(regclass) IS
'The columns of a table whose values are stored as they come, parted by commas.';

-- The other list: what cannot stay.
CREATE FUNCTION @extschema@.im_lost_with(parent regclass) RETURNS SETOF text
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('view %s reads it', r.ev_class::regclass)
	FROM pg_depend d
	JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
	WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = $1 AND r.ev_class <> $1
	UNION ALL
	SELECT format('publication %I names it', p.pubname)
	FROM pg_publication_rel k
	JOIN pg_publication p ON p.oid = k.prpubid
	WHERE k.prrelid = $1
	UNION ALL
	SELECT 'a subscription feeds it'
	FROM pg_subscription_rel s
	WHERE s.srrelid = $1
	UNION ALL
	SELECT CASE WHEN i.inhparent = $1 THEN format('table %s inherits from it', i.inhrelid::regclass)
		ELSE format('it is a child of table %s', i.inhparent::regclass) END
	FROM pg_inherits i
	WHERE $1 IN (i.inhparent, i.inhrelid)
	UNION ALL
	SELECT format('policy %I is on it', p.polname)
	FROM pg_policy p
	WHERE p.polrelid = $1
	UNION ALL
	SELECT format('rule %I is on it', r.rulename)
	FROM pg_rewrite r
	WHERE r.ev_class = $1
	UNION ALL
	SELECT format('foreign key %I of %s refers to it', c.conname, c.conrelid::regclass)
	FROM pg_constraint c
	WHERE c.confrelid = $1 AND c.contype = 'f'
	UNION ALL
	SELECT format('constraint %I %s', c.conname, w.why)
	FROM pg_constraint c,
		LATERAL (VALUES (c.contype = 'x', 'is an exclusion constraint'), (NOT c.convalidated, 'is not validated'),
			(c.contype = 'c' AND c.connoinherit, 'is not inherited')) w(is_so, why)
	WHERE c.conrelid = $1 AND w.is_so
	UNION ALL
	SELECT format('index %s %s', i.indexrelid::regclass, w.why)
	FROM pg_index i
	JOIN pg_class k ON k.oid = i.indexrelid,
		LATERAL (VALUES (i.indisunique AND NOT EXISTS (
					SELECT FROM pg_attribute t
					WHERE t.attrelid = $1 AND t.attname = @extschema@.im_time_column($1)
						AND t.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])), 'is unique without the time column'),
			(NOT i.indisvalid, 'is not valid'), (i.indisclustered, 'is the one to cluster by'),
			(i.indisreplident, 'is the replica identity'), (k.reltablespace <> 0, 'has a tablespace'),
			(k.reloptions IS NOT NULL AND EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = k.oid), 'has storage options'),
			(EXISTS (SELECT FROM pg_attribute t WHERE t.attrelid = k.oid AND t.attstattarget >= 0), 'has a statistics target')) w(is_so, why)
	WHERE i.indrelid = $1 AND w.is_so
	UNION ALL
	SELECT format('trigger %I has transition tables and is called for each row', t.tgname)
	FROM pg_trigger t
	WHERE t.tgrelid = $1 AND t.tgtype & 1 = 1 AND (t.tgoldtable IS NOT NULL OR t.tgnewtable IS NOT NULL)
	UNION ALL
	SELECT format('column %I is an identity column', k.attname)
	FROM pg_attribute k
	WHERE k.attrelid = $1 AND k.attidentity <> ''
	UNION ALL
	SELECT format('it %s', w.why)
	FROM pg_class c
	LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
	LEFT JOIN pg_am m ON m.oid = c.relam,
		LATERAL (VALUES (c.relpersistence <> 'p', 'is not logged'), (c.reltablespace <> 0, 'has a tablespace'),
			(c.reloptions IS NOT NULL, 'has storage options'), (t.reloptions IS NOT NULL, 'has storage options of its TOAST table'),
			(c.reloftype <> 0, 'has the type of another'), (m.amname <> 'heap', 'has another access method')) w(is_so, why)
	WHERE c.oid = $1 AND w.is_so
	UNION ALL
	SELECT format('%s granted rights on it', pg_get_userbyid(a.grantor))
	FROM (SELECT c.relacl, c.relowner FROM pg_class c WHERE c.oid = $1
		  UNION ALL
		  SELECT k.attacl, c.relowner FROM pg_attribute k JOIN pg_class c ON c.oid = k.attrelid WHERE c.oid = $1) k(acl, owner),
		LATERAL aclexplode(k.acl) a
	WHERE a.grantor <> k.owner
	UNION ALL
	SELECT 'it has a security label'
	FROM pg_seclabel l
	WHERE l.classoid = 'pg_class'::regclass AND l.objoid = $1
	UNION ALL
	-- whatever else would keep the old table from being dropped
	SELECT format('%s depends on it', pg_describe_object(d.classid, d.objid, d.objsubid))
	FROM pg_depend d
	WHERE ((d.refclassid = 'pg_class'::regclass AND d.refobjid = $1)
			OR (d.refclassid = 'pg_type'::regclass AND d.refobjid IN (
				SELECT y.oid FROM pg_type y, pg_class c WHERE c.oid = $1 AND (y.oid = c.reltype OR y.typelem = c.reltype))))
		AND d.deptype = 'n'
		AND NOT (d.classid = 'pg_attrdef'::regclass AND EXISTS (SELECT FROM pg_attrdef e WHERE e.oid = d.objid AND e.adrelid = $1))
		AND NOT (d.classid = 'pg_trigger'::regclass AND EXISTS (SELECT FROM pg_trigger t WHERE t.oid = d.objid AND t.tgrelid = $1))
		AND NOT (d.classid = 'pg_constraint'::regclass AND EXISTS (SELECT FROM pg_constraint c WHERE c.oid = d.objid AND c.conrelid = $1))
	UNION ALL
	SELECT format('%s depends on an extension', pg_describe_object(d.classid, d.objid, d.objsubid))
	FROM pg_depend d
	WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype IN ('e', 'x')
		AND (d.classid, d.objid) IN (
			SELECT 'pg_class'::regclass, $1::oid
			UNION ALL SELECT 'pg_class'::regclass, i.indexrelid FROM pg_index i WHERE i.indrelid = $1
			UNION ALL SELECT 'pg_trigger'::regclass, t.oid FROM pg_trigger t WHERE t.tgrelid = $1)
$$;
COMMENT ON FUNCTION @extschema@.im_lost_with(regclass) IS
'What of a table, or of what depends on it, could not stay if a partitioned one replaced it.';

-- Nothing of the user's may be lost with the table that is replaced.
CREATE FUNCTION @extschema@.im_check_replaceable(parent regclass) RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	obstacle text := (SELECT l FROM @extschema@.im_lost_with($1) l LIMIT 1);
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
COMMENT ON FUNCTION @extschema@.im_check_replaceable(regclass) IS
'Raises 55000 where something of a table could not stay if im_partition() replaced it.';

CREATE FUNCTION @extschema@.im_run_all(statements text[]) RETURNS void
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
COMMENT ON FUNCTION @extschema@.im_run_all(text[]) IS
'Runs statements one after the other, with the rights of the caller.';

-- A partition belongs to whom the table belongs to, and its rows are reached
-- through the table.
CREATE FUNCTION @extschema@.im_dress_partition(parent regclass, leaf text) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE format('ALTER TABLE %s OWNER TO %I', $2, (SELECT pg_get_userbyid(c.relowner) FROM pg_class c WHERE c.oid = $1));
	EXECUTE format('ALTER TABLE %s REPLICA IDENTITY FULL', $2);
	PERFORM @extschema@.im_revoke_rights($2);
	PERFORM @extschema@.im_run_all(ARRAY(SELECT @extschema@.im_column_settings($1, $2)));
END
$$;
COMMENT ON FUNCTION @extschema@.im_dress_partition(regclass, text) IS
'Gives a new partition what it has from its table beside columns: owner, column settings, no rights of others.';

CREATE FUNCTION @extschema@.im_add_partition(parent regclass, time_column name, name text,
		lower timestamptz, upper timestamptz)
	RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	leaf text := format('%s.%I', '@extschema@', $3);
	rest regclass := (SELECT nullif(p.partdefid, 0) FROM pg_partitioned_table p WHERE p.partrelid = $1);
	columns text := @extschema@.im_column_list($1);
BEGIN
	EXECUTE format('CREATE TABLE %s (LIKE %s INCLUDING ALL EXCLUDING IDENTITY EXCLUDING INDEXES EXCLUDING STATISTICS)', leaf, $1);
	PERFORM @extschema@.im_dress_partition($1, leaf);
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
COMMENT ON FUNCTION @extschema@.im_add_partition(regclass, name, text, timestamptz, timestamptz) IS
'Adds one partition and moves rows of its time into it from the default partition.';

CREATE FUNCTION @extschema@.im_add_default_partition(parent regclass, name text) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	leaf text := format('%s.%I', '@extschema@', $2);
BEGIN
	EXECUTE format('CREATE TABLE %s PARTITION OF %s DEFAULT', leaf, $1);
	PERFORM @extschema@.im_dress_partition($1, leaf);
	EXECUTE format('COMMENT ON TABLE %s IS %L', leaf, format('Rows of %s whose time has no partition yet.', $1));
END
$$;
COMMENT ON FUNCTION @extschema@.im_add_default_partition(regclass, text) IS
'Adds the partition that takes what fits no other.';

CREATE FUNCTION @extschema@.im_add_partitions(parent regclass, since date, until date, step interval,
		zone text)
	RETURNS integer
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	time_column name := @extschema@.im_time_column($1);
	table_name name := (SELECT c.relname FROM pg_class c WHERE c.oid = $1);
	pattern text := CASE WHEN date_trunc('month', $4) = interval '0' THEN '"_p"YYYY_MM_DD' ELSE '"_p"YYYY_MM' END;
	made integer := 0;
	slot record;
BEGIN
	FOR slot IN
		SELECT * FROM @extschema@.im_partition_slots($2, $3, $4, $5) s
		WHERE NOT EXISTS (
			SELECT FROM pg_inherits i
			JOIN pg_class c ON c.oid = i.inhrelid
			WHERE i.inhparent = $1
				AND pg_get_expr(c.relpartbound, c.oid) = format('FOR VALUES FROM (%L) TO (%L)', s.lower, s.upper))
		ORDER BY s.lower
	LOOP
		PERFORM @extschema@.im_add_partition($1, time_column,
			table_name || to_char(slot.day, pattern), slot.lower, slot.upper);
		made := made + 1;
	END LOOP;
	RETURN made;
END
$$;
COMMENT ON FUNCTION @extschema@.im_add_partitions(regclass, date, date, interval, text) IS
'Adds the partitions that a partitioned raw table lacks between two days: their number.';

-- Sequences of serial columns would go with the old table.
CREATE FUNCTION @extschema@.im_owned_sequences(parent regclass, new_table text) RETURNS SETOF text
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('ALTER SEQUENCE %s OWNED BY %s.%I', d.objid::regclass, $2, k.attname)
	FROM pg_depend d
	JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'S'
	JOIN pg_attribute k ON k.attrelid = $1 AND k.attnum = d.refobjsubid
	WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = $1
		AND d.deptype = 'a'
$$;
COMMENT ON FUNCTION @extschema@.im_owned_sequences(regclass, text) IS
'Statements that make the sequences of a table those of a new one.';

CREATE FUNCTION @extschema@.im_make_partitioned(parent regclass, since date, until date, step interval,
		zone text)
	RETURNS integer
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	time_column name := @extschema@.im_time_column($1);
	old_name name := (SELECT c.relname FROM pg_class c WHERE c.oid = $1);
	full_name text := format('%s.%I', '@extschema@', old_name);
	trimmings text[];
	rights text[];
	made integer;
BEGIN
	EXECUTE format('LOCK TABLE %s', $1);
	PERFORM @extschema@.im_check_replaceable($1);
	trimmings := ARRAY(SELECT @extschema@.im_table_trimmings($1));
	rights := ARRAY(SELECT @extschema@.im_table_rights($1));
	EXECUTE format('ALTER TABLE %s RENAME TO %I', full_name, old_name || '_unpartitioned');
	EXECUTE format('CREATE TABLE %s (LIKE %s INCLUDING ALL EXCLUDING INDEXES EXCLUDING STATISTICS) PARTITION BY RANGE (%I)',
		full_name, $1, time_column);
	EXECUTE format('ALTER TABLE %s OWNER TO %I', full_name, (SELECT pg_get_userbyid(c.relowner) FROM pg_class c WHERE c.oid = $1));
	PERFORM @extschema@.im_revoke_rights(full_name);
	PERFORM @extschema@.im_run_all(ARRAY(SELECT @extschema@.im_column_settings($1, full_name)));
	made := @extschema@.im_add_partitions(full_name::regclass, $2, $3, $4, $5);
	IF $2 < $3 THEN
		PERFORM @extschema@.im_add_default_partition(full_name::regclass, old_name || '_default');
	END IF;
	EXECUTE format('INSERT INTO %s (%s) SELECT %2$s FROM %3$s', full_name, @extschema@.im_column_list($1), $1);
	PERFORM @extschema@.im_run_all(ARRAY(SELECT @extschema@.im_owned_sequences($1, full_name)));
	EXECUTE format('DROP TABLE %s', $1);
	PERFORM @extschema@.im_run_all(trimmings);
	EXECUTE format('REVOKE ALL ON %s FROM %I', full_name,
		(SELECT pg_get_userbyid(c.relowner) FROM pg_class c WHERE c.oid = full_name::regclass));
	PERFORM @extschema@.im_run_all(rights);
	RETURN made;
END
$$;
COMMENT ON FUNCTION @extschema@.im_make_partitioned(regclass, date, date, interval, text) IS
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
	time_column name := @extschema@.im_time_column($1);
	kind "char" := (SELECT c.relkind FROM pg_class c WHERE c.oid = $1);
	made integer;
	loaders name[];
BEGIN
	PERFORM @extschema@.im_check_partitions($2, $3, $4, $5);
	IF kind = 'r' THEN
		made := @extschema@.im_make_partitioned($1, $2, $3, $4, $5);
	ELSIF kind <> 'p' OR pg_get_partkeydef($1) <> format('RANGE (%I)', time_column) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'wrong_object_type',
			MESSAGE = format('%s is not partitioned by ranges of "%s"', $1, time_column),
			DETAIL = format('Its partition key is %s.', coalesce(pg_get_partkeydef($1), 'none')),
			HINT = 'Add partitions to it in the way in which it was made.';
	ELSE
		made := @extschema@.im_add_partitions($1, $2, $3, $4, $5);
	END IF;
	-- now rather than at the next im_meter(), whose end their loaders would wait for
	PERFORM @extschema@.im_add_triggers();
	loaders := ARRAY(SELECT g.role FROM @extschema@.im_grants() g WHERE g.kind = 'loader');
	IF loaders <> '{}' THEN
		PERFORM @extschema@.im_change_privileges('GRANT'::text, 'loader'::text, loaders);
	END IF;
	RETURN made;
END
$$;
COMMENT ON FUNCTION @extschema@.im_partition(regclass, date, date, interval, text) IS
'Partitions a raw table by time, or adds partitions to one that is partitioned: one for each step (whole months or days) from a day until another, cut at midnights of the zone, and a default one for all other rows. All of the table is kept, or it refuses and names what could not be. Gives the number of partitions made. Errors: 42809 for other tables, 22023 for days or steps out of order, 55000 where something of the table could not be kept.';
