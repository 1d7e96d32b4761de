-- Citus sends queries to shards; our triggers and functions are not made for it.

CREATE FUNCTION im_internal.im_need_local_tables() RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	catalogue CONSTANT regclass := to_regclass('pg_catalog.pg_dist_partition');
	distributed text;
BEGIN
	IF catalogue IS NULL THEN
		RETURN;
	END IF;
	EXECUTE format('SELECT string_agg(d.logicalrelid::regclass::text, '', '' ORDER BY d.logicalrelid::regclass::text COLLATE "C") FROM %s d WHERE d.logicalrelid = ANY ($1)', catalogue)
	INTO distributed
	USING (SELECT array_agg(to_regclass(format('%s.%I', '@extschema@', t.table_name))) FROM im_internal.im_table_definitions() t);
	IF distributed IS NOT NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'feature_not_supported',
			MESSAGE = format('Citus has distributed %s', distributed),
			DETAIL = 'Triggers of a distributed table are called on its shards, where what they mark is lost, so bills could be wrong without a word.',
			HINT = 'Undistribute these tables, and spread apps over databases with im_create_front(partitions); meters and primitives work over distributed tables of your own.';
	END IF;
END
$$;
COMMENT ON FUNCTION im_internal.im_need_local_tables() IS
'Raises 0A000 if Citus has distributed one of the tables, or made a reference table of it.';
