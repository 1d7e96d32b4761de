/*
 * Meters: what was used, counted from anybody's rows.
 */

CREATE FUNCTION @extschema@.im_day(at timestamptz, zone text) RETURNS date
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_day(timestamptz, text) IS
	'local day of an instant, as (at AT TIME ZONE zone)::date; infinite for infinite instants; raises 22023 for a zone that is not in pg_timezone_names';

CREATE FUNCTION @extschema@.im_month(at timestamptz, zone text) RETURNS @extschema@.im_month
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month(timestamptz, text) IS
	'local month of an instant; raises 22008 for infinite instants, 22023 for a zone that is not in pg_timezone_names';

