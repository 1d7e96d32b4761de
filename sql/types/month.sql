/*
 * im_month: a billing month.
 *
 * The cast from date is implicit, so that a function that takes a month takes
 * a date of it as well; the casts back need an assignment or the double colon,
 * so that no operator on dates becomes ambiguous.
 */

CREATE TYPE @extschema@.im_month;

CREATE FUNCTION im_internal.im_month_in(cstring) RETURNS @extschema@.im_month
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_month_in(cstring) IS
	'Input of im_month: 2024-03 or 2024-03-17. Error 22007 for other text, 22008 for what no calendar has.';

CREATE FUNCTION im_internal.im_month_out(@extschema@.im_month) RETURNS cstring
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_month_out(@extschema@.im_month) IS
	'Output of im_month: 2024-03.';

CREATE FUNCTION im_internal.im_month_recv(internal) RETURNS @extschema@.im_month
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_month_recv(internal) IS
	'Binary input of im_month: months since 2000-01. Error 22P03 out of range.';

CREATE FUNCTION im_internal.im_month_send(@extschema@.im_month) RETURNS bytea
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_month_send(@extschema@.im_month) IS
	'Binary output of im_month: months since 2000-01, four bytes.';

CREATE TYPE @extschema@.im_month (
	INPUT = im_internal.im_month_in,
	OUTPUT = im_internal.im_month_out,
	RECEIVE = im_internal.im_month_recv,
	SEND = im_internal.im_month_send,
	LIKE = pg_catalog.int4
);
COMMENT ON TYPE @extschema@.im_month IS
	'Billing month, 0001-01 through 9999-12; text 2024-03, a date stands for its month.';

CREATE FUNCTION im_internal.im_month_from_date(date) RETURNS @extschema@.im_month
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_month_from_date(date) IS
	'Month that a date lies in. Error 22008 for infinite dates and years outside 1 to 9999.';

CREATE FUNCTION im_internal.im_month_to_date(@extschema@.im_month) RETURNS date
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_month_to_date(@extschema@.im_month) IS
	'First day of a month.';

CREATE FUNCTION im_internal.im_month_to_daterange(@extschema@.im_month) RETURNS daterange
	LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE
	RETURN pg_catalog.daterange(
		im_internal.im_month_to_date($1),
		CAST(im_internal.im_month_to_date($1) OPERATOR(pg_catalog.+) interval '1 month' AS date));
COMMENT ON FUNCTION im_internal.im_month_to_daterange(@extschema@.im_month) IS
	'Days of a month: from its first day up to, and without, the first of the next.';

CREATE CAST (date AS @extschema@.im_month)
	WITH FUNCTION im_internal.im_month_from_date(date) AS IMPLICIT;
COMMENT ON CAST (date AS @extschema@.im_month) IS 'Month that a date lies in.';

CREATE CAST (@extschema@.im_month AS date)
	WITH FUNCTION im_internal.im_month_to_date(@extschema@.im_month) AS ASSIGNMENT;
COMMENT ON CAST (@extschema@.im_month AS date) IS 'First day of a month.';

CREATE CAST (@extschema@.im_month AS daterange)
	WITH FUNCTION im_internal.im_month_to_daterange(@extschema@.im_month) AS ASSIGNMENT;
COMMENT ON CAST (@extschema@.im_month AS daterange) IS 'Days of a month.';

/* order */

CREATE FUNCTION im_internal.im_month_eq(@extschema@.im_month, @extschema@.im_month) RETURNS boolean
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_month_eq(@extschema@.im_month, @extschema@.im_month) IS
	'Implementation of the = operator of im_month.';

CREATE FUNCTION im_internal.im_month_ne(@extschema@.im_month, @extschema@.im_month) RETURNS boolean
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_month_ne(@extschema@.im_month, @extschema@.im_month) IS
	'Implementation of the <> operator of im_month.';

CREATE FUNCTION im_internal.im_month_lt(@extschema@.im_month, @extschema@.im_month) RETURNS boolean
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_month_lt(@extschema@.im_month, @extschema@.im_month) IS
	'Implementation of the < operator of im_month.';

CREATE FUNCTION im_internal.im_month_le(@extschema@.im_month, @extschema@.im_month) RETURNS boolean
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_month_le(@extschema@.im_month, @extschema@.im_month) IS
	'Implementation of the <= operator of im_month.';

CREATE FUNCTION im_internal.im_month_gt(@extschema@.im_month, @extschema@.im_month) RETURNS boolean
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_month_gt(@extschema@.im_month, @extschema@.im_month) IS
	'Implementation of the > operator of im_month.';

CREATE FUNCTION im_internal.im_month_ge(@extschema@.im_month, @extschema@.im_month) RETURNS boolean
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_month_ge(@extschema@.im_month, @extschema@.im_month) IS
	'Implementation of the >= operator of im_month.';

CREATE FUNCTION im_internal.im_month_cmp(@extschema@.im_month, @extschema@.im_month) RETURNS integer
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_month_cmp(@extschema@.im_month, @extschema@.im_month) IS
	'Less than, equal to, greater than: -1, 0, 1.';

CREATE FUNCTION im_internal.im_month_sortsupport(internal) RETURNS void
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_month_sortsupport(internal) IS
	'Sort support of im_month.';

CREATE FUNCTION im_internal.im_month_hash(@extschema@.im_month) RETURNS integer
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_month_hash(@extschema@.im_month) IS
	'Hash of a month.';

CREATE FUNCTION im_internal.im_month_hash_extended(@extschema@.im_month, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_month_hash_extended(@extschema@.im_month, bigint) IS
	'Hash of a month with a seed.';

CREATE OPERATOR @extschema@.= (
	LEFTARG = @extschema@.im_month, RIGHTARG = @extschema@.im_month,
	FUNCTION = im_internal.im_month_eq,
	COMMUTATOR = OPERATOR(@extschema@.=), NEGATOR = OPERATOR(@extschema@.<>),
	HASHES, MERGES, RESTRICT = pg_catalog.eqsel, JOIN = pg_catalog.eqjoinsel
);
COMMENT ON OPERATOR @extschema@.= (@extschema@.im_month, @extschema@.im_month) IS 'Equal.';

CREATE OPERATOR @extschema@.<> (
	LEFTARG = @extschema@.im_month, RIGHTARG = @extschema@.im_month,
	FUNCTION = im_internal.im_month_ne,
	COMMUTATOR = OPERATOR(@extschema@.<>), NEGATOR = OPERATOR(@extschema@.=),
	RESTRICT = pg_catalog.neqsel, JOIN = pg_catalog.neqjoinsel
);
COMMENT ON OPERATOR @extschema@.<> (@extschema@.im_month, @extschema@.im_month) IS 'Not equal.';

CREATE OPERATOR @extschema@.< (
	LEFTARG = @extschema@.im_month, RIGHTARG = @extschema@.im_month,
	FUNCTION = im_internal.im_month_lt,
	COMMUTATOR = OPERATOR(@extschema@.>), NEGATOR = OPERATOR(@extschema@.>=),
	RESTRICT = pg_catalog.scalarltsel, JOIN = pg_catalog.scalarltjoinsel
);
COMMENT ON OPERATOR @extschema@.< (@extschema@.im_month, @extschema@.im_month) IS 'Earlier.';

CREATE OPERATOR @extschema@.<= (
	LEFTARG = @extschema@.im_month, RIGHTARG = @extschema@.im_month,
	FUNCTION = im_internal.im_month_le,
	COMMUTATOR = OPERATOR(@extschema@.>=), NEGATOR = OPERATOR(@extschema@.>),
	RESTRICT = pg_catalog.scalarlesel, JOIN = pg_catalog.scalarlejoinsel
);
COMMENT ON OPERATOR @extschema@.<= (@extschema@.im_month, @extschema@.im_month) IS 'Earlier or equal.';

CREATE OPERATOR @extschema@.> (
	LEFTARG = @extschema@.im_month, RIGHTARG = @extschema@.im_month,
	FUNCTION = im_internal.im_month_gt,
	COMMUTATOR = OPERATOR(@extschema@.<), NEGATOR = OPERATOR(@extschema@.<=),
	RESTRICT = pg_catalog.scalargtsel, JOIN = pg_catalog.scalargtjoinsel
);
COMMENT ON OPERATOR @extschema@.> (@extschema@.im_month, @extschema@.im_month) IS 'Later.';

CREATE OPERATOR @extschema@.>= (
	LEFTARG = @extschema@.im_month, RIGHTARG = @extschema@.im_month,
	FUNCTION = im_internal.im_month_ge,
	COMMUTATOR = OPERATOR(@extschema@.<=), NEGATOR = OPERATOR(@extschema@.<),
	RESTRICT = pg_catalog.scalargesel, JOIN = pg_catalog.scalargejoinsel
);
COMMENT ON OPERATOR @extschema@.>= (@extschema@.im_month, @extschema@.im_month) IS 'Later or equal.';

/* arithmetic */

CREATE FUNCTION im_internal.im_month_plus(@extschema@.im_month, integer) RETURNS @extschema@.im_month
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_month_plus(@extschema@.im_month, integer) IS
	'Month so many months later. Error 22008 out of range.';

CREATE FUNCTION im_internal.im_month_plus_commuted(integer, @extschema@.im_month) RETURNS @extschema@.im_month
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_month_plus_commuted(integer, @extschema@.im_month) IS
	'Month so many months later. Error 22008 out of range.';

CREATE FUNCTION im_internal.im_month_minus(@extschema@.im_month, integer) RETURNS @extschema@.im_month
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_month_minus(@extschema@.im_month, integer) IS
	'Month so many months earlier. Error 22008 out of range.';

CREATE FUNCTION im_internal.im_month_distance(@extschema@.im_month, @extschema@.im_month) RETURNS integer
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_month_distance(@extschema@.im_month, @extschema@.im_month) IS
	'Months from the second to the first.';

CREATE OPERATOR @extschema@.+ (
	LEFTARG = @extschema@.im_month, RIGHTARG = integer,
	FUNCTION = im_internal.im_month_plus,
	COMMUTATOR = OPERATOR(@extschema@.+)
);
COMMENT ON OPERATOR @extschema@.+ (@extschema@.im_month, integer) IS 'So many months later.';

CREATE OPERATOR @extschema@.+ (
	LEFTARG = integer, RIGHTARG = @extschema@.im_month,
	FUNCTION = im_internal.im_month_plus_commuted,
	COMMUTATOR = OPERATOR(@extschema@.+)
);
COMMENT ON OPERATOR @extschema@.+ (integer, @extschema@.im_month) IS 'So many months later.';

CREATE OPERATOR @extschema@.- (
	LEFTARG = @extschema@.im_month, RIGHTARG = integer,
	FUNCTION = im_internal.im_month_minus
);
COMMENT ON OPERATOR @extschema@.- (@extschema@.im_month, integer) IS 'So many months earlier.';

CREATE OPERATOR @extschema@.- (
	LEFTARG = @extschema@.im_month, RIGHTARG = @extschema@.im_month,
	FUNCTION = im_internal.im_month_distance
);
COMMENT ON OPERATOR @extschema@.- (@extschema@.im_month, @extschema@.im_month) IS 'Months from the second to the first.';

CREATE FUNCTION im_internal.im_month_in_range(@extschema@.im_month, @extschema@.im_month, integer, boolean, boolean) RETURNS boolean
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_month_in_range(@extschema@.im_month, @extschema@.im_month, integer, boolean, boolean) IS
	'Window frames RANGE BETWEEN so many months PRECEDING or FOLLOWING.';

CREATE OPERATOR CLASS @extschema@.im_month_ops
	DEFAULT FOR TYPE @extschema@.im_month USING btree AS
	OPERATOR 1 @extschema@.<,
	OPERATOR 2 @extschema@.<=,
	OPERATOR 3 @extschema@.=,
	OPERATOR 4 @extschema@.>=,
	OPERATOR 5 @extschema@.>,
	FUNCTION 1 im_internal.im_month_cmp(@extschema@.im_month, @extschema@.im_month),
	FUNCTION 2 im_internal.im_month_sortsupport(internal),
	FUNCTION 3 (@extschema@.im_month, integer)
		im_internal.im_month_in_range(@extschema@.im_month, @extschema@.im_month, integer, boolean, boolean),
	FUNCTION 4 pg_catalog.btequalimage(oid);
COMMENT ON OPERATOR CLASS @extschema@.im_month_ops USING btree IS 'Order of months.';

CREATE OPERATOR CLASS @extschema@.im_month_ops
	DEFAULT FOR TYPE @extschema@.im_month USING hash AS
	OPERATOR 1 @extschema@.=,
	FUNCTION 1 im_internal.im_month_hash(@extschema@.im_month),
	FUNCTION 2 im_internal.im_month_hash_extended(@extschema@.im_month, bigint);
COMMENT ON OPERATOR CLASS @extschema@.im_month_ops USING hash IS 'Equality of months.';

/* earliest and latest */

CREATE FUNCTION im_internal.im_month_smaller(@extschema@.im_month, @extschema@.im_month) RETURNS @extschema@.im_month
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_month_smaller(@extschema@.im_month, @extschema@.im_month) IS
	'The earlier of two months.';

CREATE FUNCTION im_internal.im_month_larger(@extschema@.im_month, @extschema@.im_month) RETURNS @extschema@.im_month
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_month_larger(@extschema@.im_month, @extschema@.im_month) IS
	'The later of two months.';

CREATE AGGREGATE @extschema@.min(@extschema@.im_month) (
	SFUNC = im_internal.im_month_smaller, STYPE = @extschema@.im_month,
	COMBINEFUNC = im_internal.im_month_smaller,
	SORTOP = OPERATOR(@extschema@.<),
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.min(@extschema@.im_month) IS 'Earliest month.';

CREATE AGGREGATE @extschema@.max(@extschema@.im_month) (
	SFUNC = im_internal.im_month_larger, STYPE = @extschema@.im_month,
	COMBINEFUNC = im_internal.im_month_larger,
	SORTOP = OPERATOR(@extschema@.>),
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.max(@extschema@.im_month) IS 'Latest month.';

COMMENT ON OPERATOR FAMILY @extschema@.im_month_ops USING btree IS 'Order of months.';
COMMENT ON OPERATOR FAMILY @extschema@.im_month_ops USING hash IS 'Equality of months.';
