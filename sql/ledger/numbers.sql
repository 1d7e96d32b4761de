-- Numbers of documents.
--
--		IM7C01F2-CNY-2024-00000042
--		 series  currency  year of issue, in the zone of the price list
--
-- The next number of a series is one more than the last that the ledger has,
-- and is given under the lock of the ledger, which a batch takes after it has
-- rated all and holds until it commits.  So who waits has done his work, whoever
-- is killed leaves no gap, and no counter has to agree with the documents.
-- Within a series numbers have one length, so byte by byte (~<~) they sort as
-- their places do, and the index serves that and equality in any collation.

CREATE FUNCTION im_internal.im_lock_ledger() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	LOCK TABLE @extschema@.im_closing IN SHARE ROW EXCLUSIVE MODE;
END
$$;
COMMENT ON FUNCTION im_internal.im_lock_ledger() IS
'Waits until nobody else gives numbers or adds entries to im_closing, and keeps others from it until the end of the transaction. To be taken last.';

CREATE FUNCTION im_internal.im_series_in_use() RETURNS text
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	name text := (SELECT s.series FROM @extschema@.im_series s WHERE s.since <= now() ORDER BY s.since DESC LIMIT 1);
BEGIN
	IF name IS NULL THEN
		INSERT INTO @extschema@.im_series DEFAULT VALUES RETURNING series INTO name;
	END IF;
	RETURN name;
END
$$;
COMMENT ON FUNCTION im_internal.im_series_in_use() IS
'The name of the series for documents that are issued now; where nobody gave one, one that is made up and stays. The caller holds the lock of the ledger.';

CREATE FUNCTION im_internal.im_number_series(name text, currency text, at timestamptz, zone text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	RETURN name || '-' || currency || '-' || extract(year FROM at AT TIME ZONE zone)::text || '-';
COMMENT ON FUNCTION im_internal.im_number_series(text, text, timestamptz, text) IS
'What the numbers of a series begin with: its name, the currency and the year of an instant in a time zone.';

CREATE FUNCTION im_internal.im_number(series text, place bigint) RETURNS text
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF $2 > 99999999 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'program_limit_exceeded',
			MESSAGE = format('the series of numbers %s is full', $1),
			DETAIL = 'A series has 99999999 numbers a currency and year.',
			HINT = format('Begin another one: INSERT INTO %s.im_series (series) VALUES (''...'');', '@extschema@');
	END IF;
	RETURN $1 || lpad($2::text, 8, '0');
END
$$;
COMMENT ON FUNCTION im_internal.im_number(text, bigint) IS
'The number at a place of a series. Error 54000 past 99999999.';

CREATE FUNCTION im_internal.im_last_numbered(series text)
	RETURNS TABLE (place bigint, issued_at timestamptz)
	LANGUAGE sql STABLE ROWS 1
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT right(i.number, 8)::bigint, i.issued_at
	FROM @extschema@.im_invoice i
	-- a colon comes after all digits
	WHERE i.number ~>~ $1 AND i.number ~<~ ($1 || ':')
	ORDER BY i.number USING ~>~
	LIMIT 1
$$;
COMMENT ON FUNCTION im_internal.im_last_numbered(text) IS
'The place of the last number of a series, and when that document was issued; no row if there is none.';

-- Each number is held to the one before it, which its index finds.
CREATE FUNCTION im_internal.im_number_problems(of_month date, of_app bigint)
	RETURNS TABLE (app_id bigint, month date, revision integer, problem text)
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
	WITH document AS MATERIALIZED (
		SELECT i.app_id, i.month, i.revision, i.number, i.issued_at, left(i.number, -8) AS series,
			CASE WHEN i.number ~ '-[0-9]{8}$' THEN right(i.number, 8)::bigint END AS place
		FROM @extschema@.im_invoice i
		WHERE i.number IS NOT NULL AND ($1 IS NULL OR i.month = $1) AND ($2 IS NULL OR i.app_id = $2))
	SELECT d.app_id, d.month, d.revision, p.problem
	FROM document d
	LEFT JOIN LATERAL (
		SELECT b.number, b.issued_at, CASE WHEN b.number ~ '-[0-9]{8}$' THEN right(b.number, 8)::bigint END AS place
		FROM @extschema@.im_invoice b
		WHERE b.number ~<~ d.number AND b.number ~>~ d.series
		ORDER BY b.number USING ~>~
		LIMIT 1) l ON true
	CROSS JOIN LATERAL (VALUES
		(d.place IS NULL, format('the number %s is none', d.number)),
		(d.place = coalesce(l.place, 0) + 2, format('no document has the number %s%s', d.series, lpad((d.place - 1)::text, 8, '0'))),
		(d.place > coalesce(l.place, 0) + 2, format('no documents have the numbers %s%s through %s', d.series,
			lpad((coalesce(l.place, 0) + 1)::text, 8, '0'), lpad((d.place - 1)::text, 8, '0'))),
		(d.issued_at < l.issued_at, format('the number %s was given out of order: %s was issued later', d.number, l.number))
		) p(found, problem)
	WHERE p.found
	UNION ALL
	SELECT d.app_id, d.month, d.revision, format('%s documents have the number %s', n.documents, d.number)
	FROM (SELECT i.number, count(*) AS documents
		  FROM @extschema@.im_invoice i
		  WHERE i.number IN (SELECT x.number FROM document x)
		  GROUP BY i.number
		  HAVING count(*) > 1) n
	JOIN document d ON d.number = n.number
$$;
COMMENT ON FUNCTION im_internal.im_number_problems(date, bigint) IS
'Numbers of the documents of a month and an app, each of all if null, that are none, double or out of the order of issue, or before which some are missing.';
