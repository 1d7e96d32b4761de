-- What a table has that must be had by the partitioned one in its place.

-- What stays with a table that im_partition() replaces, beside what LIKE brings
-- (columns with types, collations, defaults, generation, storage, compression,
-- comments, and checks), as statements in the order in which they are to run.
-- im_lost_with() names everything else; what PostgreSQL adds to tables belongs
-- into the one list or the other.
CREATE FUNCTION im_internal.im_table_trimmings(parent regclass) RETURNS SETOF text
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
COMMENT ON FUNCTION im_internal.im_table_trimmings(regclass) IS
'Statements that give a new table of the same name the indexes, keys, statistics, triggers, row security, replica identity and comments of this one.';

-- Rights are apart: default privileges may give a new table others, which the
-- owner revoked from the old one.
CREATE FUNCTION im_internal.im_table_rights(parent regclass) RETURNS SETOF text
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
COMMENT ON FUNCTION im_internal.im_table_rights(regclass) IS
'Statements that grant the rights on a table and its columns again, those of its owner included.';

CREATE FUNCTION im_internal.im_revoke_rights(new_table text) RETURNS void
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
COMMENT ON FUNCTION im_internal.im_revoke_rights(text) IS
'Takes from a new table the rights that default privileges gave to others than its owner.';

-- LIKE does not bring these, neither to the new table nor to its partitions.
CREATE FUNCTION im_internal.im_column_settings(parent regclass, new_table text) RETURNS SETOF text
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
COMMENT ON FUNCTION im_internal.im_column_settings(regclass, text) IS
'Statements that give the columns of a new table the statistics targets and options of this one.';

CREATE FUNCTION im_internal.im_column_list(parent regclass) RETURNS text
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
	FROM pg_attribute a
	WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
$$;
COMMENT ON FUNCTION im_internal.im_column_list(regclass) IS
'The columns of a table whose values are stored as they come, parted by commas.';

-- The other list: what cannot stay.
CREATE FUNCTION im_internal.im_lost_with(parent regclass) RETURNS SETOF text
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
					WHERE t.attrelid = $1 AND t.attname = im_internal.im_time_column($1)
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
COMMENT ON FUNCTION im_internal.im_lost_with(regclass) IS
'What of a table, or of what depends on it, could not stay if a partitioned one replaced it.';

-- Sequences of serial columns would go with the old table.
CREATE FUNCTION im_internal.im_owned_sequences(parent regclass, new_table text) RETURNS SETOF text
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
COMMENT ON FUNCTION im_internal.im_owned_sequences(regclass, text) IS
'Statements that make the sequences of a table those of a new one.';
