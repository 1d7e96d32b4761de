-- im_meter_month(): the days of a month.

CREATE FUNCTION @extschema@.im_meter_month(month @extschema@.im_month) RETURNS bigint
	LANGUAGE plpgsql STRICT
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN @extschema@.im_meter($1::date, upper($1::daterange) - 1);
END
$$;
COMMENT ON FUNCTION @extschema@.im_meter_month(@extschema@.im_month) IS
'Meters the days of a month, as im_meter() from its first through its last. Returns the number of rows written. Errors as im_meter().';
