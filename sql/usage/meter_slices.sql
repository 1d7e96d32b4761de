-- The query that im_meter() reads logins with: slice by slice where a zone's
-- days can be cut into such.

-- Whether one query for each local day reads about the rows of that day: its
-- partition is that day, or a BRIN index leads to it since rows came in by
-- time.  Elsewhere each of them would read the whole table.
CREATE FUNCTION im_internal.im_can_slice(first date, until date) RETURNS boolean
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	p record;
	brin oid;
BEGIN
	FOR p IN
		SELECT s.partition
		FROM @extschema@.im_metered_partition s
		WHERE s.table_name = 'im_login' AND s.filenode <> 0
			AND (NOT isfinite(s.since) OR NOT isfinite(s.until) OR s.until > s.since + interval '49 hours')
			AND s.since < im_internal.im_utc_midnight($2 + 1) AND s.until > im_internal.im_utc_midnight($1 - 1)
	LOOP
		SELECT i.indexrelid INTO brin
		FROM pg_index i
		JOIN pg_class c ON c.oid = i.indexrelid
		JOIN pg_am m ON m.oid = c.relam AND m.amname = 'brin'
		JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] AND a.attname = 'at'
		WHERE i.indrelid = p.partition AND i.indisvalid
		LIMIT 1;
		IF NOT FOUND OR starts_with(p.partition::regclass::text, 'pg_temp')
			OR NOT im_internal.im_try_lock(p.partition::regclass, 'SHARE UPDATE EXCLUSIVE'::text) THEN
			RETURN false;
		END IF;
		PERFORM brin_summarize_new_values(brin);
		-- pg_statistic is for superusers
		IF NOT EXISTS (SELECT FROM pg_stats v
					   JOIN pg_class c ON c.relname = v.tablename
					   JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = v.schemaname
					   WHERE c.oid = p.partition AND v.attname = 'at') THEN
			EXECUTE format('ANALYZE %s (at)', p.partition::regclass);
		END IF;
		IF coalesce((SELECT min(abs(v.correlation))
					 FROM pg_stats v
					 JOIN pg_class c ON c.relname = v.tablename
					 JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = v.schemaname
					 WHERE c.oid = p.partition AND v.attname = 'at'), 1) < 0.95 THEN
			RETURN false;
		END IF;
	END LOOP;
	RETURN true;
END
$$;
COMMENT ON FUNCTION im_internal.im_can_slice(date, date) IS
'Whether the logins of single days from the first until the last can be read without those of other days. Completes BRIN indexes and statistics.';

-- No group spans two queries, so workers take whole days and merge nothing.
CREATE FUNCTION im_internal.im_slices_query(first date, until date) RETURNS text
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
	SET datestyle = 'ISO, YMD'	-- others name zones by abbreviations of several meanings
AS $$
DECLARE
	-- where some apps cut other days, or need sets of users, theirs are left out
	choose text := CASE WHEN (SELECT count(DISTINCT a.time_zone) > 1 OR bool_or(a.prices_mau)
							  FROM im_internal.im_app_cards(NULL::@extschema@.im_rate_card) a)
		THEN 'JOIN im_internal.im_app_cards(NULL::%6$s.im_rate_card) a ON a.app_id = l.app_id AND a.time_zone = %1$L AND NOT a.prices_mau'
		ELSE '' END;
	slices text;
BEGIN
	SELECT string_agg(format(
			'SELECT %2$L::date AS day, %1$L::text AS zone, im_internal.im_app_dau(l.app_id, l.user_id) AS pairs '
			'FROM %6$s.im_login l ' || choose || ' WHERE l.at >= %3$L AND l.at < %4$L%5$s',
			z.zone, d.day, s.since, s.until,
			CASE WHEN s.shared THEN format(' AND %s.im_day(l.at, %L::text) = %L', '@extschema@', z.zone, d.day) END,
			'@extschema@'), ' UNION ALL ')
	INTO slices
	FROM (SELECT DISTINCT a.time_zone FROM im_internal.im_app_cards(NULL::@extschema@.im_rate_card) a WHERE NOT a.prices_mau) z(zone),
		(SELECT $1 + i FROM generate_series(0, $2 - $1 - 1) i) d(day),
		im_internal.im_day_slice(d.day, z.zone) s;
	IF slices IS NULL THEN
		RETURN NULL;
	END IF;
	RETURN format('SELECT r.app_id, q.day, r.dau, NULL::%1$s.im_userset AS users '
		'FROM (%2$s) q, im_internal.im_app_dau_rows(q.pairs) r, im_internal.im_app_cards(NULL::%1$s.im_rate_card) c '
		'WHERE c.app_id = r.app_id AND c.time_zone = q.zone AND NOT c.prices_mau',
		'@extschema@', slices);
END
$$;
COMMENT ON FUNCTION im_internal.im_slices_query(date, date) IS
'A query for the distinct users of each day of apps whose card does not price users of the month, with one part for each local day; null without such apps.';

CREATE FUNCTION im_internal.im_logins_query(reading im_internal.im_reading) RETURNS text
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	whole text := 'SELECT l.app_id, l.day, l.dau, l.users FROM im_internal.im_raw_logins(NULL::%1$s.im_rate_card, $1) l';
	slices text;
BEGIN
	IF ($1).raw_first < ($1).raw_until THEN
		-- a part for each day of many years would be more than the server parses
		IF ($1).raw_until - ($1).raw_first <= 366 AND im_internal.im_can_slice(($1).raw_first, ($1).raw_until) THEN
			slices := im_internal.im_slices_query(($1).raw_first, ($1).raw_until);
		END IF;
		RETURN CASE WHEN slices IS NULL THEN format(whole, '@extschema@')
			WHEN EXISTS (SELECT FROM im_internal.im_app_cards(NULL::@extschema@.im_rate_card) a WHERE a.prices_mau)
				THEN format('%s UNION ALL %s WHERE l.prices_mau', slices, format(whole, '@extschema@'))
			ELSE slices END;
	END IF;
	RETURN format('SELECT s.app_id, s.day, s.dau, s.users FROM im_internal.im_stale_logins(''-infinity''::date, NULL::%1$s.im_rate_card, $1) s', '@extschema@');
END
$$;
COMMENT ON FUNCTION im_internal.im_logins_query(im_internal.im_reading) IS
'A query for the distinct users that im_meter() meters of a reading, given as its parameter.';
