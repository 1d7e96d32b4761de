/*
 * imbilling: usage billing for instant messaging.
 *
 * The install script is joined from the files of sql/ in the order that the
 * Makefile names.  It brings types, functions, operators and aggregates and
 * not one table: im_create_tables() makes those, so that no row of money
 * depends on the extension.
 */
\echo Use "CREATE EXTENSION imbilling" to load this file. \quit


/*
 * im_month: a billing month.
 *
 * The cast from date is implicit, so that a function that takes a month takes
 * a date of it as well; the casts back need an assignment or the double colon,
 * so that no operator on dates becomes ambiguous.
 */

CREATE TYPE @extschema@.im_month;

CREATE FUNCTION @extschema@.im_month_in(cstring) RETURNS @extschema@.im_month
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_in(cstring) IS
	'Input of im_month: 2024-03 or 2024-03-17. Error 22007 for other text, 22008 for what no calendar has.';

CREATE FUNCTION @extschema@.im_month_out(@extschema@.im_month) RETURNS cstring
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_out(@extschema@.im_month) IS
	'Output of im_month: 2024-03.';

CREATE FUNCTION @extschema@.im_month_recv(internal) RETURNS @extschema@.im_month
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_recv(internal) IS
	'Binary input of im_month: months since 2000-01. Error 22P03 out of range.';

CREATE FUNCTION @extschema@.im_month_send(@extschema@.im_month) RETURNS bytea
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_send(@extschema@.im_month) IS
	'Binary output of im_month: months since 2000-01, four bytes.';

CREATE TYPE @extschema@.im_month (
	INPUT = @extschema@.im_month_in,
	OUTPUT = @extschema@.im_month_out,
	RECEIVE = @extschema@.im_month_recv,
	SEND = @extschema@.im_month_send,
	LIKE = pg_catalog.int4
);
COMMENT ON TYPE @extschema@.im_month IS
	'Billing month, 0001-01 through 9999-12; text 2024-03, a date stands for its month.';

CREATE FUNCTION @extschema@.im_month_from_date(date) RETURNS @extschema@.im_month
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_from_date(date) IS
	'Month that a date lies in. Error 22008 for infinite dates and years outside 1 to 9999.';

CREATE FUNCTION @extschema@.im_month_to_date(@extschema@.im_month) RETURNS date
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_to_date(@extschema@.im_month) IS
	'First day of a month.';

CREATE FUNCTION @extschema@.im_month_to_daterange(@extschema@.im_month) RETURNS daterange
	LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE
	RETURN pg_catalog.daterange(
		@extschema@.im_month_to_date($1),
		CAST(@extschema@.im_month_to_date($1) OPERATOR(pg_catalog.+) interval '1 month' AS date));
COMMENT ON FUNCTION @extschema@.im_month_to_daterange(@extschema@.im_month) IS
	'Days of a month: from its first day up to, and without, the first of the next.';

CREATE CAST (date AS @extschema@.im_month)
	WITH FUNCTION @extschema@.im_month_from_date(date) AS IMPLICIT;
COMMENT ON CAST (date AS @extschema@.im_month) IS 'Month that a date lies in.';

CREATE CAST (@extschema@.im_month AS date)
	WITH FUNCTION @extschema@.im_month_to_date(@extschema@.im_month) AS ASSIGNMENT;
COMMENT ON CAST (@extschema@.im_month AS date) IS 'First day of a month.';

CREATE CAST (@extschema@.im_month AS daterange)
	WITH FUNCTION @extschema@.im_month_to_daterange(@extschema@.im_month) AS ASSIGNMENT;
COMMENT ON CAST (@extschema@.im_month AS daterange) IS 'Days of a month.';

/* order */

CREATE FUNCTION @extschema@.im_month_eq(@extschema@.im_month, @extschema@.im_month) RETURNS boolean
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_eq(@extschema@.im_month, @extschema@.im_month) IS
	'Implementation of the = operator of im_month.';

CREATE FUNCTION @extschema@.im_month_ne(@extschema@.im_month, @extschema@.im_month) RETURNS boolean
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_ne(@extschema@.im_month, @extschema@.im_month) IS
	'Implementation of the <> operator of im_month.';

CREATE FUNCTION @extschema@.im_month_lt(@extschema@.im_month, @extschema@.im_month) RETURNS boolean
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_lt(@extschema@.im_month, @extschema@.im_month) IS
	'Implementation of the < operator of im_month.';

CREATE FUNCTION @extschema@.im_month_le(@extschema@.im_month, @extschema@.im_month) RETURNS boolean
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_le(@extschema@.im_month, @extschema@.im_month) IS
	'Implementation of the <= operator of im_month.';

CREATE FUNCTION @extschema@.im_month_gt(@extschema@.im_month, @extschema@.im_month) RETURNS boolean
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_gt(@extschema@.im_month, @extschema@.im_month) IS
	'Implementation of the > operator of im_month.';

CREATE FUNCTION @extschema@.im_month_ge(@extschema@.im_month, @extschema@.im_month) RETURNS boolean
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_ge(@extschema@.im_month, @extschema@.im_month) IS
	'Implementation of the >= operator of im_month.';

CREATE FUNCTION @extschema@.im_month_cmp(@extschema@.im_month, @extschema@.im_month) RETURNS integer
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_cmp(@extschema@.im_month, @extschema@.im_month) IS
	'Less than, equal to, greater than: -1, 0, 1.';

CREATE FUNCTION @extschema@.im_month_sortsupport(internal) RETURNS void
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_sortsupport(internal) IS
	'Sort support of im_month.';

CREATE FUNCTION @extschema@.im_month_hash(@extschema@.im_month) RETURNS integer
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_hash(@extschema@.im_month) IS
	'Hash of a month.';

CREATE FUNCTION @extschema@.im_month_hash_extended(@extschema@.im_month, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_hash_extended(@extschema@.im_month, bigint) IS
	'Hash of a month with a seed.';

CREATE OPERATOR @extschema@.= (
	LEFTARG = @extschema@.im_month, RIGHTARG = @extschema@.im_month,
	FUNCTION = @extschema@.im_month_eq,
	COMMUTATOR = OPERATOR(@extschema@.=), NEGATOR = OPERATOR(@extschema@.<>),
	HASHES, MERGES, RESTRICT = pg_catalog.eqsel, JOIN = pg_catalog.eqjoinsel
);
COMMENT ON OPERATOR @extschema@.= (@extschema@.im_month, @extschema@.im_month) IS 'Equal.';

CREATE OPERATOR @extschema@.<> (
	LEFTARG = @extschema@.im_month, RIGHTARG = @extschema@.im_month,
	FUNCTION = @extschema@.im_month_ne,
	COMMUTATOR = OPERATOR(@extschema@.<>), NEGATOR = OPERATOR(@extschema@.=),
	RESTRICT = pg_catalog.neqsel, JOIN = pg_catalog.neqjoinsel
);
COMMENT ON OPERATOR @extschema@.<> (@extschema@.im_month, @extschema@.im_month) IS 'Not equal.';

CREATE OPERATOR @extschema@.< (
	LEFTARG = @extschema@.im_month, RIGHTARG = @extschema@.im_month,
	FUNCTION = @extschema@.im_month_lt,
	COMMUTATOR = OPERATOR(@extschema@.>), NEGATOR = OPERATOR(@extschema@.>=),
	RESTRICT = pg_catalog.scalarltsel, JOIN = pg_catalog.scalarltjoinsel
);
COMMENT ON OPERATOR @extschema@.< (@extschema@.im_month, @extschema@.im_month) IS 'Earlier.';

CREATE OPERATOR @extschema@.<= (
	LEFTARG = @extschema@.im_month, RIGHTARG = @extschema@.im_month,
	FUNCTION = @extschema@.im_month_le,
	COMMUTATOR = OPERATOR(@extschema@.>=), NEGATOR = OPERATOR(@extschema@.>),
	RESTRICT = pg_catalog.scalarlesel, JOIN = pg_catalog.scalarlejoinsel
);
COMMENT ON OPERATOR @extschema@.<= (@extschema@.im_month, @extschema@.im_month) IS 'Earlier or equal.';

CREATE OPERATOR @extschema@.> (
	LEFTARG = @extschema@.im_month, RIGHTARG = @extschema@.im_month,
	FUNCTION = @extschema@.im_month_gt,
	COMMUTATOR = OPERATOR(@extschema@.<), NEGATOR = OPERATOR(@extschema@.<=),
	RESTRICT = pg_catalog.scalargtsel, JOIN = pg_catalog.scalargtjoinsel
);
COMMENT ON OPERATOR @extschema@.> (@extschema@.im_month, @extschema@.im_month) IS 'Later.';

CREATE OPERATOR @extschema@.>= (
	LEFTARG = @extschema@.im_month, RIGHTARG = @extschema@.im_month,
	FUNCTION = @extschema@.im_month_ge,
	COMMUTATOR = OPERATOR(@extschema@.<=), NEGATOR = OPERATOR(@extschema@.<),
	RESTRICT = pg_catalog.scalargesel, JOIN = pg_catalog.scalargejoinsel
);
COMMENT ON OPERATOR @extschema@.>= (@extschema@.im_month, @extschema@.im_month) IS 'Later or equal.';

/* arithmetic */

CREATE FUNCTION @extschema@.im_month_plus(@extschema@.im_month, integer) RETURNS @extschema@.im_month
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_plus(@extschema@.im_month, integer) IS
	'Month so many months later. Error 22008 out of range.';

CREATE FUNCTION @extschema@.im_month_plus_commuted(integer, @extschema@.im_month) RETURNS @extschema@.im_month
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_plus_commuted(integer, @extschema@.im_month) IS
	'Month so many months later. Error 22008 out of range.';

CREATE FUNCTION @extschema@.im_month_minus(@extschema@.im_month, integer) RETURNS @extschema@.im_month
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_minus(@extschema@.im_month, integer) IS
	'Month so many months earlier. Error 22008 out of range.';

CREATE FUNCTION @extschema@.im_month_distance(@extschema@.im_month, @extschema@.im_month) RETURNS integer
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_distance(@extschema@.im_month, @extschema@.im_month) IS
	'Months from the second to the first.';

CREATE OPERATOR @extschema@.+ (
	LEFTARG = @extschema@.im_month, RIGHTARG = integer,
	FUNCTION = @extschema@.im_month_plus,
	COMMUTATOR = OPERATOR(@extschema@.+)
);
COMMENT ON OPERATOR @extschema@.+ (@extschema@.im_month, integer) IS 'So many months later.';

CREATE OPERATOR @extschema@.+ (
	LEFTARG = integer, RIGHTARG = @extschema@.im_month,
	FUNCTION = @extschema@.im_month_plus_commuted,
	COMMUTATOR = OPERATOR(@extschema@.+)
);
COMMENT ON OPERATOR @extschema@.+ (integer, @extschema@.im_month) IS 'So many months later.';

CREATE OPERATOR @extschema@.- (
	LEFTARG = @extschema@.im_month, RIGHTARG = integer,
	FUNCTION = @extschema@.im_month_minus
);
COMMENT ON OPERATOR @extschema@.- (@extschema@.im_month, integer) IS 'So many months earlier.';

CREATE OPERATOR @extschema@.- (
	LEFTARG = @extschema@.im_month, RIGHTARG = @extschema@.im_month,
	FUNCTION = @extschema@.im_month_distance
);
COMMENT ON OPERATOR @extschema@.- (@extschema@.im_month, @extschema@.im_month) IS 'Months from the second to the first.';

CREATE FUNCTION @extschema@.im_month_in_range(@extschema@.im_month, @extschema@.im_month, integer, boolean, boolean) RETURNS boolean
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_in_range(@extschema@.im_month, @extschema@.im_month, integer, boolean, boolean) IS
	'Window frames RANGE BETWEEN so many months PRECEDING or FOLLOWING.';

CREATE OPERATOR CLASS @extschema@.im_month_ops
	DEFAULT FOR TYPE @extschema@.im_month USING btree AS
	OPERATOR 1 @extschema@.<,
	OPERATOR 2 @extschema@.<=,
	OPERATOR 3 @extschema@.=,
	OPERATOR 4 @extschema@.>=,
	OPERATOR 5 @extschema@.>,
	FUNCTION 1 @extschema@.im_month_cmp(@extschema@.im_month, @extschema@.im_month),
	FUNCTION 2 @extschema@.im_month_sortsupport(internal),
	FUNCTION 3 (@extschema@.im_month, integer)
		@extschema@.im_month_in_range(@extschema@.im_month, @extschema@.im_month, integer, boolean, boolean),
	FUNCTION 4 pg_catalog.btequalimage(oid);
COMMENT ON OPERATOR CLASS @extschema@.im_month_ops USING btree IS 'Order of months.';

CREATE OPERATOR CLASS @extschema@.im_month_ops
	DEFAULT FOR TYPE @extschema@.im_month USING hash AS
	OPERATOR 1 @extschema@.=,
	FUNCTION 1 @extschema@.im_month_hash(@extschema@.im_month),
	FUNCTION 2 @extschema@.im_month_hash_extended(@extschema@.im_month, bigint);
COMMENT ON OPERATOR CLASS @extschema@.im_month_ops USING hash IS 'Equality of months.';

/* earliest and latest */

CREATE FUNCTION @extschema@.im_month_smaller(@extschema@.im_month, @extschema@.im_month) RETURNS @extschema@.im_month
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_smaller(@extschema@.im_month, @extschema@.im_month) IS
	'The earlier of two months.';

CREATE FUNCTION @extschema@.im_month_larger(@extschema@.im_month, @extschema@.im_month) RETURNS @extschema@.im_month
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_larger(@extschema@.im_month, @extschema@.im_month) IS
	'The later of two months.';

CREATE AGGREGATE @extschema@.min(@extschema@.im_month) (
	SFUNC = @extschema@.im_month_smaller, STYPE = @extschema@.im_month,
	COMBINEFUNC = @extschema@.im_month_smaller,
	SORTOP = OPERATOR(@extschema@.<),
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.min(@extschema@.im_month) IS 'Earliest month.';

CREATE AGGREGATE @extschema@.max(@extschema@.im_month) (
	SFUNC = @extschema@.im_month_larger, STYPE = @extschema@.im_month,
	COMBINEFUNC = @extschema@.im_month_larger,
	SORTOP = OPERATOR(@extschema@.>),
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.max(@extschema@.im_month) IS 'Latest month.';

COMMENT ON OPERATOR FAMILY @extschema@.im_month_ops USING btree IS 'Order of months.';
COMMENT ON OPERATOR FAMILY @extschema@.im_month_ops USING hash IS 'Equality of months.';

/*
 * im_userset: an exact set of distinct users that can be stored and merged.
 */

CREATE TYPE @extschema@.im_userset;

CREATE FUNCTION @extschema@.im_userset_in(cstring) RETURNS @extschema@.im_userset
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION @extschema@.im_userset_in(cstring) IS
'Reads a set of users such as {alice,"b, c"}; 22P02 for anything else.';

CREATE FUNCTION @extschema@.im_userset_out(@extschema@.im_userset) RETURNS cstring
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION @extschema@.im_userset_out(@extschema@.im_userset) IS
'Writes a set of users as a text array is written, in the order of the bytes of their ids.';

CREATE FUNCTION @extschema@.im_userset_recv(internal) RETURNS @extschema@.im_userset
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION @extschema@.im_userset_recv(internal) IS
'Reads the binary form of a set; 22P03 for bytes that im_userset_send() does not give in this encoding.';

CREATE FUNCTION @extschema@.im_userset_send(@extschema@.im_userset) RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION @extschema@.im_userset_send(@extschema@.im_userset) IS
'Writes the binary form of a set: its stored bytes, ids in the encoding of the database.';

CREATE TYPE @extschema@.im_userset (
	INPUT = @extschema@.im_userset_in,
	OUTPUT = @extschema@.im_userset_out,
	RECEIVE = @extschema@.im_userset_recv,
	SEND = @extschema@.im_userset_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	-- Sets are compact already, and only uncompressed ones can be read in pieces.
	STORAGE = external
);
COMMENT ON TYPE @extschema@.im_userset IS
'An exact set of distinct users, held by their ids; a value takes at most 1 GB. Written as {alice,"b, c"}.';

CREATE FUNCTION @extschema@.im_userset_eq(@extschema@.im_userset, @extschema@.im_userset) RETURNS boolean
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION @extschema@.im_userset_eq(@extschema@.im_userset, @extschema@.im_userset) IS
'Whether two sets have the same users; implementation of the = operator.';

CREATE FUNCTION @extschema@.im_userset_ne(@extschema@.im_userset, @extschema@.im_userset) RETURNS boolean
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION @extschema@.im_userset_ne(@extschema@.im_userset, @extschema@.im_userset) IS
'Whether a user is in one of two sets alone; implementation of the <> operator.';

CREATE FUNCTION @extschema@.im_userset_hash(@extschema@.im_userset) RETURNS integer
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION @extschema@.im_userset_hash(@extschema@.im_userset) IS
'Hash of a set, for GROUP BY and DISTINCT, which compare sets of one hash with =.';

CREATE FUNCTION @extschema@.im_userset_hash_extended(@extschema@.im_userset, bigint) RETURNS bigint
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION @extschema@.im_userset_hash_extended(@extschema@.im_userset, bigint) IS
'Hash of a set with a seed, for hash partitioning.';

CREATE FUNCTION @extschema@.im_userset_union(@extschema@.im_userset, @extschema@.im_userset)
RETURNS @extschema@.im_userset
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION @extschema@.im_userset_union(@extschema@.im_userset, @extschema@.im_userset) IS
'The users of either set; implementation of the | operator. 54000 if the result would pass 1 GB.';

CREATE OPERATOR @extschema@.= (
	LEFTARG = @extschema@.im_userset, RIGHTARG = @extschema@.im_userset,
	FUNCTION = @extschema@.im_userset_eq,
	COMMUTATOR = OPERATOR(@extschema@.=), NEGATOR = OPERATOR(@extschema@.<>),
	RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
COMMENT ON OPERATOR @extschema@.= (@extschema@.im_userset, @extschema@.im_userset) IS
'Have the same users.';

CREATE OPERATOR @extschema@.<> (
	LEFTARG = @extschema@.im_userset, RIGHTARG = @extschema@.im_userset,
	FUNCTION = @extschema@.im_userset_ne,
	COMMUTATOR = OPERATOR(@extschema@.<>), NEGATOR = OPERATOR(@extschema@.=),
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR @extschema@.<> (@extschema@.im_userset, @extschema@.im_userset) IS
'Do not have the same users.';

CREATE OPERATOR @extschema@.| (
	LEFTARG = @extschema@.im_userset, RIGHTARG = @extschema@.im_userset,
	FUNCTION = @extschema@.im_userset_union,
	COMMUTATOR = OPERATOR(@extschema@.|)
);
COMMENT ON OPERATOR @extschema@.| (@extschema@.im_userset, @extschema@.im_userset) IS
'Union: the users of either set.';

CREATE OPERATOR CLASS @extschema@.im_userset_hash_ops
DEFAULT FOR TYPE @extschema@.im_userset USING hash AS
	OPERATOR 1 @extschema@.=,
	FUNCTION 1 @extschema@.im_userset_hash(@extschema@.im_userset),
	FUNCTION 2 @extschema@.im_userset_hash_extended(@extschema@.im_userset, bigint);
COMMENT ON OPERATOR CLASS @extschema@.im_userset_hash_ops USING hash IS
'Lets GROUP BY, DISTINCT and hash joins work on sets of users.';

CREATE FUNCTION @extschema@.im_count(userset @extschema@.im_userset) RETURNS bigint
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION @extschema@.im_count(@extschema@.im_userset) IS
'Number of users in a set, 0 for the empty one. Reads the first bytes of the set alone.';

CREATE FUNCTION @extschema@.im_users(userset @extschema@.im_userset) RETURNS SETOF text
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 10000 AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION @extschema@.im_users(@extschema@.im_userset) IS
'The ids of the users in a set, each once, in no particular order.';

-- im_userset_agg(user_id)

CREATE FUNCTION @extschema@.im_userset_agg_transition(internal, anyelement) RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION @extschema@.im_userset_agg_transition(internal, anyelement) IS
'Support function of im_userset_agg.';

CREATE FUNCTION @extschema@.im_userset_agg_combine(internal, internal) RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION @extschema@.im_userset_agg_combine(internal, internal) IS
'Support function of im_userset_agg.';

CREATE FUNCTION @extschema@.im_userset_agg_serialize(internal) RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION @extschema@.im_userset_agg_serialize(internal) IS
'Support function of im_userset_agg; 54000 if a state would pass 1 GB.';

CREATE FUNCTION @extschema@.im_userset_agg_deserialize(bytea, internal) RETURNS internal
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION @extschema@.im_userset_agg_deserialize(bytea, internal) IS
'Support function of im_userset_agg.';

CREATE FUNCTION @extschema@.im_userset_agg_final(internal) RETURNS @extschema@.im_userset
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION @extschema@.im_userset_agg_final(internal) IS
'Support function of im_userset_agg.';

CREATE AGGREGATE @extschema@.im_userset_agg(user_id anyelement) (
	SFUNC = @extschema@.im_userset_agg_transition,
	STYPE = internal,
	SSPACE = 16384,
	FINALFUNC = @extschema@.im_userset_agg_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = @extschema@.im_userset_agg_combine,
	SERIALFUNC = @extschema@.im_userset_agg_serialize,
	DESERIALFUNC = @extschema@.im_userset_agg_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.im_userset_agg(anyelement) IS
'The set of all users that are not null, the empty set for none. 0A000 for types and collations whose equal values may have different texts.';

-- im_union_agg(userset)

CREATE FUNCTION @extschema@.im_union_agg_transition(internal, @extschema@.im_userset) RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION @extschema@.im_union_agg_transition(internal, @extschema@.im_userset) IS
'Support function of im_union_agg.';

CREATE FUNCTION @extschema@.im_union_agg_combine(internal, internal) RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION @extschema@.im_union_agg_combine(internal, internal) IS
'Support function of im_union_agg.';

CREATE FUNCTION @extschema@.im_union_agg_serialize(internal) RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION @extschema@.im_union_agg_serialize(internal) IS
'Support function of im_union_agg; 54000 if a state would pass 1 GB.';

CREATE FUNCTION @extschema@.im_union_agg_deserialize(bytea, internal) RETURNS internal
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION @extschema@.im_union_agg_deserialize(bytea, internal) IS
'Support function of im_union_agg.';

CREATE FUNCTION @extschema@.im_union_agg_final(internal) RETURNS @extschema@.im_userset
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION @extschema@.im_union_agg_final(internal) IS
'Support function of im_union_agg.';

CREATE AGGREGATE @extschema@.im_union_agg(userset @extschema@.im_userset) (
	SFUNC = @extschema@.im_union_agg_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = @extschema@.im_union_agg_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = @extschema@.im_union_agg_combine,
	SERIALFUNC = @extschema@.im_union_agg_serialize,
	DESERIALFUNC = @extschema@.im_union_agg_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.im_union_agg(@extschema@.im_userset) IS
'The users of all sets that are not null, the empty set for none. 54000 if the result would pass 1 GB.';

COMMENT ON OPERATOR FAMILY @extschema@.im_userset_hash_ops USING hash IS
'Equality of sets of users.';

/*
 * im_dau: the exact number of distinct users.
 */

CREATE FUNCTION @extschema@.im_dau_transition(internal, anyelement) RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION @extschema@.im_dau_transition(internal, anyelement) IS
'Support function of im_dau.';

CREATE FUNCTION @extschema@.im_dau_combine(internal, internal) RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION @extschema@.im_dau_combine(internal, internal) IS
'Support function of im_dau.';

CREATE FUNCTION @extschema@.im_dau_serialize(internal) RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION @extschema@.im_dau_serialize(internal) IS
'Support function of im_dau; 54000 if a state would pass 1 GB.';

CREATE FUNCTION @extschema@.im_dau_deserialize(bytea, internal) RETURNS internal
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION @extschema@.im_dau_deserialize(bytea, internal) IS
'Support function of im_dau.';

CREATE FUNCTION @extschema@.im_dau_final(internal) RETURNS bigint
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION @extschema@.im_dau_final(internal) IS
'Support function of im_dau.';

CREATE AGGREGATE @extschema@.im_dau(user_id anyelement) (
	SFUNC = @extschema@.im_dau_transition,
	STYPE = internal,
	SSPACE = 16384,
	FINALFUNC = @extschema@.im_dau_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = @extschema@.im_dau_combine,
	SERIALFUNC = @extschema@.im_dau_serialize,
	DESERIALFUNC = @extschema@.im_dau_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.im_dau(anyelement) IS
'Number of distinct users that are not null, exactly what count(DISTINCT user_id) gives for any type and collation. Holds work_mem times hash_mem_multiplier and puts the rest into temporary files, except as a window function, which holds all. 42883 for types that cannot be compared, 53200 when memory is out, 53400 past temp_file_limit.';


/*
 * im_app_dau: the exact numbers of distinct users of all apps of a slice.
 */

CREATE FUNCTION @extschema@.im_app_dau_transition(internal, bigint, text) RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION @extschema@.im_app_dau_transition(internal, bigint, text) IS
'Support function of im_app_dau.';

CREATE FUNCTION @extschema@.im_app_dau_final(internal) RETURNS bigint[]
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION @extschema@.im_app_dau_final(internal) IS
'Support function of im_app_dau.';

-- One state for all apps: as large as hash_mem, with temporary files beyond.
-- The planner is told of a day of a hundred thousand users.
CREATE AGGREGATE @extschema@.im_app_dau(app_id bigint, user_id text) (
	SFUNC = @extschema@.im_app_dau_transition,
	STYPE = internal,
	SSPACE = 4194304,
	FINALFUNC = @extschema@.im_app_dau_final,
	FINALFUNC_MODIFY = READ_WRITE,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.im_app_dau(bigint, text) IS
'Internal: number of distinct users of each app, exactly as count(DISTINCT user_id) ... GROUP BY app_id, as one array: app, users, app, users ... in ascending order of the apps; users that are null count nothing but name their app; null without rows. Holds hash_mem (work_mem times hash_mem_multiplier) in memory and the rest in temporary files. Error 22004 for a null app.';

CREATE FUNCTION @extschema@.im_app_dau_rows(pairs bigint[])
	RETURNS TABLE (app_id bigint, dau bigint)
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION @extschema@.im_app_dau_rows(bigint[]) IS
'Internal: a result of im_app_dau as rows. Error 22023 for any other array.';

/*
 * The rate cards that imbilling brings along, as data.  Generated from
 * the JSON files of sql/cards: edit those.
 */
CREATE FUNCTION @extschema@.im_bundled_cards()
RETURNS TABLE (rate_card text, effective_from date, terms jsonb)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT card.rate_card, card.effective_from, card.terms
	FROM (VALUES
		('cn'::pg_catalog.text, '2019-12-10'::pg_catalog.date, $card$
{
  "currency": "CNY",
  "scale": 2,
  "time_zone": "Asia/Shanghai",
  "grace_days": 7,
  "plans": {
    "trial": {"rank": 0, "price": "0"},
    "pro": {
      "rank": 1,
      "price": "999",
      "dau": {"included": 10000, "block": 10000, "price": "1000"},
      "groups": {"included": 100000, "block": 100000, "price": "1000"}
    },
    "flagship": {
      "rank": 2,
      "price": "2999",
      "dau": {"included": 10000, "block": 10000, "price": "1000"},
      "groups": {"included": 100000, "block": 100000, "price": "1000"}
    }
  },
  "addons": {
    "avchatroom": {
      "charge": "prepaid",
      "prices": {"pro": {"": "1000"}}
    },
    "group_members": {
      "charge": "prepaid",
      "prices": {"pro": {"": "500"}, "flagship": {"": "500"}}
    },
    "joined_groups": {
      "charge": "prepaid",
      "prices": {"pro": {"": "1100"}, "flagship": {"": "900"}}
    },
    "history_storage": {
      "charge": "postpaid",
      "prices": {
        "pro": {"30d": "500", "90d": "1000", "180d": "1500", "360d": "2500"},
        "flagship": {"90d": "500", "180d": "1000", "360d": "2000"}
      }
    },
    "call": {
      "charge": "prepaid",
      "prices": {
        "pro": {"basic": "500", "advanced": "1000", "premium": "1500"},
        "flagship": {"basic": "500", "advanced": "1000", "premium": "1500"}
      },
      "minutes": {"basic": 110000, "advanced": 235000, "premium": 380000}
    }
  },
  "call_minutes": {
    "audio": {"ratio": 1, "price": "0.007"},
    "sd": {"ratio": 2, "price": "0.014"},
    "hd": {"ratio": 4, "price": "0.028"},
    "fhd": {"ratio": 15, "price": "0.105"}
  },
  "local_moderation": "1000",
  "moderation": {
    "price": "0.0010",
    "coefficients": {"text": "1", "image": "0.65", "audio": "15", "video": "56"},
    "packs": {
      "month": {"price": "1050", "deductions": 1100000, "months": 1},
      "year_small": {"price": "9500", "deductions": 10000000, "months": 12},
      "year_medium": {"price": "49000", "deductions": 70000000, "months": 12},
      "year_large": {"price": "72000", "deductions": 125000000, "months": 12}
    }
  }
}
$card$::pg_catalog.jsonb),
		('cn'::pg_catalog.text, '2024-01-01'::pg_catalog.date, $card$
{
  "currency": "CNY",
  "scale": 2,
  "time_zone": "Asia/Shanghai",
  "grace_days": 7,
  "plans": {
    "trial": {"rank": 0, "price": "0"},
    "pro": {
      "rank": 1,
      "price": "1499",
      "dau": {"included": 10000, "block": 10000, "price": "1000"},
      "groups": {"included": 100000, "block": 100000, "price": "1000"}
    },
    "flagship": {
      "rank": 2,
      "price": "2999",
      "dau": {"included": 10000, "block": 10000, "price": "1000"},
      "groups": {"included": 100000, "block": 100000, "price": "1000"}
    }
  },
  "addons": {
    "avchatroom": {
      "charge": "prepaid",
      "prices": {"pro": {"": "1000"}}
    },
    "group_members": {
      "charge": "prepaid",
      "prices": {"pro": {"": "500"}, "flagship": {"": "500"}}
    },
    "joined_groups": {
      "charge": "prepaid",
      "prices": {"pro": {"": "1100"}, "flagship": {"": "900"}}
    },
    "history_storage": {
      "charge": "postpaid",
      "prices": {
        "pro": {"30d": "500", "90d": "1000", "180d": "1500", "360d": "2500"},
        "flagship": {"90d": "500", "180d": "1000", "360d": "2000"}
      }
    },
    "call": {
      "charge": "prepaid",
      "prices": {
        "pro": {"basic": "500", "advanced": "1000", "premium": "1500"},
        "flagship": {"basic": "500", "advanced": "1000", "premium": "1500"}
      },
      "minutes": {"basic": 110000, "advanced": 235000, "premium": 380000}
    }
  },
  "call_minutes": {
    "audio": {"ratio": 1, "price": "0.007"},
    "sd": {"ratio": 2, "price": "0.014"},
    "hd": {"ratio": 4, "price": "0.028"},
    "fhd": {"ratio": 15, "price": "0.105"}
  },
  "local_moderation": "1000",
  "moderation": {
    "price": "0.0010",
    "coefficients": {"text": "1", "image": "0.65", "audio": "15", "video": "56"},
    "packs": {
      "month": {"price": "1050", "deductions": 1100000, "months": 1},
      "year_small": {"price": "9500", "deductions": 10000000, "months": 12},
      "year_medium": {"price": "49000", "deductions": 70000000, "months": 12},
      "year_large": {"price": "72000", "deductions": 125000000, "months": 12}
    }
  }
}
$card$::pg_catalog.jsonb),
		('intl'::pg_catalog.text, '2022-12-26'::pg_catalog.date, $card$
{
  "currency": "USD",
  "scale": 2,
  "time_zone": "Asia/Shanghai",
  "grace_days": 7,
  "plans": {
    "developer": {"rank": 0, "price": "0"},
    "standard": {
      "rank": 1,
      "price": "399",
      "mau": {"included": 10000, "block": 1, "price": "0.015"}
    },
    "premium": {
      "rank": 2,
      "price": "699",
      "mau": {"included": 10000, "block": 1, "price": "0.015"}
    }
  }
}
$card$::pg_catalog.jsonb),
		('overseas'::pg_catalog.text, '2019-12-10'::pg_catalog.date, $card$
{
  "currency": "CNY",
  "scale": 2,
  "time_zone": "Asia/Shanghai",
  "grace_days": 7,
  "plans": {
    "trial": {"rank": 0, "price": "0"},
    "pro": {
      "rank": 1,
      "price": "2999",
      "dau": {"included": 10000, "block": 10000, "price": "3000"},
      "groups": {"included": 100000, "block": 100000, "price": "3000"}
    },
    "flagship": {
      "rank": 2,
      "price": "5999",
      "dau": {"included": 10000, "block": 10000, "price": "3000"},
      "groups": {"included": 100000, "block": 100000, "price": "3000"}
    }
  },
  "addons": {
    "avchatroom": {
      "charge": "prepaid",
      "prices": {"pro": {"": "3200"}}
    },
    "group_members": {
      "charge": "prepaid",
      "prices": {"pro": {"": "1700"}, "flagship": {"": "1700"}}
    },
    "joined_groups": {
      "charge": "prepaid",
      "prices": {"pro": {"": "3200"}, "flagship": {"": "3200"}}
    },
    "history_storage": {
      "charge": "postpaid",
      "prices": {
        "pro": {"30d": "700", "90d": "1280", "180d": "1920", "360d": "2850"},
        "flagship": {"90d": "700", "180d": "1280", "360d": "2280"}
      }
    }
  }
}
$card$::pg_catalog.jsonb)
	) AS card (rate_card, effective_from, terms);
END;

COMMENT ON FUNCTION @extschema@.im_bundled_cards() IS
'The rate cards that imbilling brings along, a row per version: prices in the currency that terms name, from effective_from on. Raises nothing. im_create_tables() copies them into im_rate_card_version. Source: the vendor''s price pages of those days.';

-- im_rate_card: one version of a price list, validated when it comes in.

CREATE TYPE @extschema@.im_rate_card;

CREATE FUNCTION @extschema@.im_rate_card_in(cstring) RETURNS @extschema@.im_rate_card
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_rate_card_in(cstring) IS
'Reads a rate card from JSON. Error 22023 with the path of the wrong element.';

CREATE FUNCTION @extschema@.im_rate_card_out(@extschema@.im_rate_card) RETURNS cstring
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_rate_card_out(@extschema@.im_rate_card) IS
'Prints a rate card as JSON.';

CREATE FUNCTION @extschema@.im_rate_card_recv(internal) RETURNS @extschema@.im_rate_card
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_rate_card_recv(internal) IS
'Receives a rate card: a version byte and JSON, validated like text input. Error 22P03 for another version.';

CREATE FUNCTION @extschema@.im_rate_card_send(@extschema@.im_rate_card) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_rate_card_send(@extschema@.im_rate_card) IS
'Sends a rate card: a version byte and JSON.';

CREATE TYPE @extschema@.im_rate_card (
	INPUT = @extschema@.im_rate_card_in,
	OUTPUT = @extschema@.im_rate_card_out,
	RECEIVE = @extschema@.im_rate_card_recv,
	SEND = @extschema@.im_rate_card_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);
COMMENT ON TYPE @extschema@.im_rate_card IS
'One version of a price list: an immutable value, validated to the last key on input. Prices are in the currency it names.';

CREATE FUNCTION @extschema@.im_rate_card(jsonb) RETURNS @extschema@.im_rate_card
	AS 'MODULE_PATHNAME', 'im_rate_card_from_jsonb' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_rate_card(jsonb) IS
'The rate card that a JSON document states. Error 22023 with the path of the wrong element.';

CREATE FUNCTION @extschema@.jsonb(@extschema@.im_rate_card) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'im_rate_card_to_jsonb' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.jsonb(@extschema@.im_rate_card) IS
'The JSON document of a rate card.';

CREATE CAST (jsonb AS @extschema@.im_rate_card)
	WITH FUNCTION @extschema@.im_rate_card(jsonb);
COMMENT ON CAST (jsonb AS @extschema@.im_rate_card) IS
'Validates a JSON document as a rate card.';

CREATE CAST (@extschema@.im_rate_card AS jsonb)
	WITH FUNCTION @extschema@.jsonb(@extschema@.im_rate_card);
COMMENT ON CAST (@extschema@.im_rate_card AS jsonb) IS
'The JSON document of a rate card, to look into it or to change it for a "what if".';


/*
 * Meters: what was used, counted from anybody's rows.
 */

CREATE FUNCTION @extschema@.im_day(at timestamptz, zone text) RETURNS date
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_day(timestamptz, text) IS
	'Local day of an instant, as (at AT TIME ZONE zone)::date; infinite for infinite instants. Error 22023 for a zone that is not in pg_timezone_names.';

CREATE FUNCTION @extschema@.im_month(at timestamptz, zone text) RETURNS @extschema@.im_month
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month(timestamptz, text) IS
	'Local month of an instant. Error 22008 for infinite instants, 22023 for a zone that is not in pg_timezone_names.';

/* im_peak_groups */

CREATE FUNCTION @extschema@.im_peak_groups_trans(internal, timestamptz, timestamptz, timestamptz, timestamptz) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_peak_groups_trans(internal, timestamptz, timestamptz, timestamptz, timestamptz) IS 'Transition function of im_peak_groups.';
CREATE FUNCTION @extschema@.im_peak_groups_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_peak_groups_combine(internal, internal) IS 'Combine function of im_peak_groups.';
CREATE FUNCTION @extschema@.im_peak_groups_serial(internal) RETURNS bytea
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_peak_groups_serial(internal) IS 'Serialization function of im_peak_groups.';
CREATE FUNCTION @extschema@.im_peak_groups_deserial(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_peak_groups_deserial(bytea, internal) IS 'Deserialization function of im_peak_groups.';
CREATE FUNCTION @extschema@.im_peak_groups_final(internal) RETURNS bigint
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_peak_groups_final(internal) IS 'Final function of im_peak_groups.';

CREATE AGGREGATE @extschema@.im_peak_groups(created_at timestamptz, disbanded_at timestamptz, since timestamptz, until timestamptz) (
	SFUNC = @extschema@.im_peak_groups_trans, STYPE = internal, SSPACE = 4096,
	COMBINEFUNC = @extschema@.im_peak_groups_combine,
	SERIALFUNC = @extschema@.im_peak_groups_serial, DESERIALFUNC = @extschema@.im_peak_groups_deserial,
	FINALFUNC = @extschema@.im_peak_groups_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.im_peak_groups(timestamptz, timestamptz, timestamptz, timestamptz) IS
	'Most groups existing at one moment of [since, until); a group exists from its creation, included, until it is disbanded, excluded; rows of two nulls count as no group; 0 without rows. Error 22023 for a group disbanded before it was created and for a window that is reversed or changes within a group.';

CREATE FUNCTION @extschema@.im_moderation_deductions_trans(internal, @extschema@.im_rate_card, text, timestamptz, integer) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_moderation_deductions_trans(internal, @extschema@.im_rate_card, text, timestamptz, integer) IS 'Transition function of im_moderation_deductions.';
CREATE FUNCTION @extschema@.im_moderation_deductions_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_moderation_deductions_combine(internal, internal) IS 'Combine function of im_moderation_deductions.';
CREATE FUNCTION @extschema@.im_moderation_deductions_serial(internal) RETURNS bytea
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_moderation_deductions_serial(internal) IS 'Serialization function of im_moderation_deductions.';
CREATE FUNCTION @extschema@.im_moderation_deductions_deserial(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_moderation_deductions_deserial(bytea, internal) IS 'Deserialization function of im_moderation_deductions.';
CREATE FUNCTION @extschema@.im_moderation_deductions_final(internal) RETURNS numeric
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_moderation_deductions_final(internal) IS 'Final function of im_moderation_deductions.';

CREATE AGGREGATE @extschema@.im_moderation_deductions(card @extschema@.im_rate_card, kind text, at timestamptz, seconds integer) (
	SFUNC = @extschema@.im_moderation_deductions_trans, STYPE = internal, SSPACE = 4096,
	COMBINEFUNC = @extschema@.im_moderation_deductions_combine,
	SERIALFUNC = @extschema@.im_moderation_deductions_serial, DESERIALFUNC = @extschema@.im_moderation_deductions_deserial,
	FINALFUNC = @extschema@.im_moderation_deductions_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.im_moderation_deductions(@extschema@.im_rate_card, text, timestamptz, integer) IS
	'Deductions of moderation checks: texts and images by the check, audio and video by whole half minutes of each clock hour, weighed by the coefficients of the card in the time zone of the card; rows without kind and time are ignored; 0 without rows. Error 22023 for unknown kinds, kinds the card has no coefficient for, seconds negative or missing and for cards that differ within a group.';

/*
 * Internal: usage of one app by local day, as the bills gather it.  Each gives
 * one flat bigint[] of eleven numbers for every day with any: the day since
 * 2000-01-01, DAU, peak groups, texts, images, half minutes of audio and video
 * checked, call minutes of audio, sd, hd and fhd; null without rows.
 */

CREATE FUNCTION @extschema@.im_usage_agg_trans(internal, bigint, date, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_usage_agg_trans(internal, bigint, date, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint) IS 'Transition function of im_usage_agg.';
CREATE FUNCTION @extschema@.im_usage_agg_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_usage_agg_combine(internal, internal) IS 'Combine function of im_usage_agg.';
CREATE FUNCTION @extschema@.im_usage_agg_serial(internal) RETURNS bytea
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_usage_agg_serial(internal) IS 'Serialization function of im_usage_agg.';
CREATE FUNCTION @extschema@.im_usage_agg_deserial(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_usage_agg_deserial(bytea, internal) IS 'Deserialization function of im_usage_agg.';
CREATE FUNCTION @extschema@.im_usage_agg_final(internal) RETURNS bigint[]
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_usage_agg_final(internal) IS 'Final function of im_usage_agg.';

CREATE AGGREGATE @extschema@.im_usage_agg(app_id bigint, day date, dau bigint, peak_groups bigint, text_checks bigint, image_checks bigint, audio_half_minutes bigint, video_half_minutes bigint, audio_minutes bigint, sd_minutes bigint, hd_minutes bigint, fhd_minutes bigint) (
	SFUNC = @extschema@.im_usage_agg_trans, STYPE = internal, SSPACE = 4096,
	COMBINEFUNC = @extschema@.im_usage_agg_combine,
	SERIALFUNC = @extschema@.im_usage_agg_serial, DESERIALFUNC = @extschema@.im_usage_agg_deserial,
	FINALFUNC = @extschema@.im_usage_agg_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.im_usage_agg(bigint, date, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint) IS
	'Internal: daily figures of one app as rows of days, null figures are 0, rows of one day are summed. Error 22023 for negative figures and days out of range.';

CREATE FUNCTION @extschema@.im_usage_pack_final(internal) RETURNS bigint[]
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_usage_pack_final(internal) IS 'Final function of im_usage_pack.';

-- No partial states: workers take whole apps, see im_by_ranges().
CREATE AGGREGATE @extschema@.im_usage_pack(app_id bigint, day date, dau bigint, peak_groups bigint, text_checks bigint, image_checks bigint, audio_half_minutes bigint, video_half_minutes bigint, audio_minutes bigint, sd_minutes bigint, hd_minutes bigint, fhd_minutes bigint) (
	SFUNC = @extschema@.im_usage_agg_trans, STYPE = internal, SSPACE = 1024,
	FINALFUNC = @extschema@.im_usage_pack_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.im_usage_pack(bigint, date, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint) IS
	'Internal: what im_usage_agg gives, packed into fewer bytes, for rating alone.';

CREATE FUNCTION @extschema@.im_check_days_trans(internal, bigint, timestamptz, text, integer, text, date, date) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_check_days_trans(internal, bigint, timestamptz, text, integer, text, date, date) IS 'Transition function of im_check_days.';
CREATE FUNCTION @extschema@.im_check_days_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_check_days_combine(internal, internal) IS 'Combine function of im_check_days.';
CREATE FUNCTION @extschema@.im_check_days_serial(internal) RETURNS bytea
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_check_days_serial(internal) IS 'Serialization function of im_check_days.';
CREATE FUNCTION @extschema@.im_check_days_deserial(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_check_days_deserial(bytea, internal) IS 'Deserialization function of im_check_days.';
CREATE FUNCTION @extschema@.im_check_days_final(internal) RETURNS bigint[]
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_check_days_final(internal) IS 'Final function of im_check_days.';

CREATE AGGREGATE @extschema@.im_check_days(app_id bigint, at timestamptz, kind text, seconds integer, zone text, first_day date, last_day date) (
	SFUNC = @extschema@.im_check_days_trans, STYPE = internal, SSPACE = 4096,
	COMBINEFUNC = @extschema@.im_check_days_combine,
	SERIALFUNC = @extschema@.im_check_days_serial, DESERIALFUNC = @extschema@.im_check_days_deserial,
	FINALFUNC = @extschema@.im_check_days_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.im_check_days(bigint, timestamptz, text, integer, text, date, date) IS
	'Internal: moderation checks of one app by local day, half minutes of audio and video per clock hour; rows of other days are ignored. Error 22023 for unknown kinds and for seconds negative or missing.';

CREATE FUNCTION @extschema@.im_call_days_trans(internal, bigint, timestamptz, text, integer, text, date, date) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_call_days_trans(internal, bigint, timestamptz, text, integer, text, date, date) IS 'Transition function of im_call_days.';
CREATE FUNCTION @extschema@.im_call_days_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_call_days_combine(internal, internal) IS 'Combine function of im_call_days.';
CREATE FUNCTION @extschema@.im_call_days_serial(internal) RETURNS bytea
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_call_days_serial(internal) IS 'Serialization function of im_call_days.';
CREATE FUNCTION @extschema@.im_call_days_deserial(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_call_days_deserial(bytea, internal) IS 'Deserialization function of im_call_days.';
CREATE FUNCTION @extschema@.im_call_days_final(internal) RETURNS bigint[]
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_call_days_final(internal) IS 'Final function of im_call_days.';

CREATE AGGREGATE @extschema@.im_call_days(app_id bigint, at timestamptz, class text, seconds integer, zone text, first_day date, last_day date) (
	SFUNC = @extschema@.im_call_days_trans, STYPE = internal, SSPACE = 4096,
	COMBINEFUNC = @extschema@.im_call_days_combine,
	SERIALFUNC = @extschema@.im_call_days_serial, DESERIALFUNC = @extschema@.im_call_days_deserial,
	FINALFUNC = @extschema@.im_call_days_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.im_call_days(bigint, timestamptz, text, integer, text, date, date) IS
	'Internal: call minutes of one app by local day and class, started minutes counted; rows of other days are ignored. Error 22023 for unknown classes and for seconds negative or missing.';

CREATE FUNCTION @extschema@.im_group_days_trans(internal, bigint, text, timestamptz, timestamptz, text, date, date) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_group_days_trans(internal, bigint, text, timestamptz, timestamptz, text, date, date) IS 'Transition function of im_group_days.';
CREATE FUNCTION @extschema@.im_group_days_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_group_days_combine(internal, internal) IS 'Combine function of im_group_days.';
CREATE FUNCTION @extschema@.im_group_days_serial(internal) RETURNS bytea
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_group_days_serial(internal) IS 'Serialization function of im_group_days.';
CREATE FUNCTION @extschema@.im_group_days_deserial(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_group_days_deserial(bytea, internal) IS 'Deserialization function of im_group_days.';
CREATE FUNCTION @extschema@.im_group_days_final(internal) RETURNS bigint[]
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_group_days_final(internal) IS 'Final function of im_group_days.';

CREATE AGGREGATE @extschema@.im_group_days(app_id bigint, group_id text, created_at timestamptz, disbanded_at timestamptz, zone text, first_day date, last_day date) (
	SFUNC = @extschema@.im_group_days_trans, STYPE = internal, SSPACE = 8192,
	COMBINEFUNC = @extschema@.im_group_days_combine,
	SERIALFUNC = @extschema@.im_group_days_serial, DESERIALFUNC = @extschema@.im_group_days_deserial,
	FINALFUNC = @extschema@.im_group_days_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.im_group_days(bigint, text, timestamptz, timestamptz, text, date, date) IS
	'Internal: most groups of one app existing at one moment of each local day. Error 22023 for a group disbanded before it was created.';

CREATE AGGREGATE @extschema@.im_join_usage(days bigint[]) (
	SFUNC = pg_catalog.array_cat, STYPE = bigint[], COMBINEFUNC = pg_catalog.array_cat,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.im_join_usage(bigint[]) IS
	'Internal: days of several of the above as one array; null without any.';

-- What SQL calls of the rating core: primitives over any table, and the
-- functions that rate the values which gathering.sql puts together.

CREATE TYPE @extschema@.im_bill_line AS (
	app_id bigint,
	month date,
	line integer,
	item text,
	option text,
	period daterange,
	due_on date,
	quantity numeric,
	included numeric,
	billable numeric,
	units numeric,
	unit_price numeric,
	amount numeric,
	currency text,
	explanation text
);
COMMENT ON TYPE @extschema@.im_bill_line IS
'One line of a bill. amount is in the currency named, exact to at most 8 places; only the total is rounded.';
COMMENT ON COLUMN @extschema@.im_bill_line.app_id IS 'The app (SDKAppID) that pays.';
COMMENT ON COLUMN @extschema@.im_bill_line.month IS 'First day of the usage month.';
COMMENT ON COLUMN @extschema@.im_bill_line.line IS 'Number of the line, from 1.';
COMMENT ON COLUMN @extschema@.im_bill_line.item IS 'plan, plan_upgrade, dau_overage, mau_overage, group_overage, an add-on, call_minutes, local_moderation, moderation_pack, moderation or refund.';
COMMENT ON COLUMN @extschema@.im_bill_line.option IS 'Plan, option, class or pack; of a refund the refunded item; empty where there is none.';
COMMENT ON COLUMN @extschema@.im_bill_line.period IS 'Days that the line pays for: a term, or the month.';
COMMENT ON COLUMN @extschema@.im_bill_line.due_on IS 'Day on which the amount falls due.';
COMMENT ON COLUMN @extschema@.im_bill_line.quantity IS 'What was used or bought.';
COMMENT ON COLUMN @extschema@.im_bill_line.included IS 'What a quota or packs covered.';
COMMENT ON COLUMN @extschema@.im_bill_line.billable IS 'quantity - included, at least 0.';
COMMENT ON COLUMN @extschema@.im_bill_line.units IS 'What is multiplied by unit_price: started blocks, months, minutes, deductions.';
COMMENT ON COLUMN @extschema@.im_bill_line.unit_price IS 'Price of a unit; null in a preview whose card has no price.';
COMMENT ON COLUMN @extschema@.im_bill_line.amount IS 'units * unit_price unless agreed, shared or by the refund rule; null in a preview whose card has no price.';
COMMENT ON COLUMN @extschema@.im_bill_line.currency IS 'ISO 4217 code of the rate card.';
COMMENT ON COLUMN @extschema@.im_bill_line.explanation IS 'One sentence on how the amount came about.';

CREATE FUNCTION @extschema@.im_block_fee(usage bigint, included bigint, block bigint, price numeric)
	RETURNS numeric
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_block_fee(bigint, bigint, bigint, numeric) IS
'Fee of started blocks over a free quota (R3): ceil(max(0, usage - included) / block) * price, exact. Error 22023 for negative usage, quota or price, a block below 1, NaN or infinity.';

CREATE FUNCTION @extschema@.im_dau_overage(card @extschema@.im_rate_card, plan text, peak_dau bigint)
	RETURNS numeric
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_dau_overage(@extschema@.im_rate_card, text, bigint) IS
'Monthly fee of a peak of daily active users on a plan (R3), in the currency of the card; 0 on a plan that does not price it. Error 22023 for an unknown plan or a negative peak.';

CREATE FUNCTION @extschema@.im_group_overage(card @extschema@.im_rate_card, plan text, peak bigint)
	RETURNS numeric
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_group_overage(@extschema@.im_rate_card, text, bigint) IS
'Monthly fee of a peak of groups on a plan (R3), in the currency of the card; 0 on a plan that does not price it. Error 22023 for an unknown plan or a negative peak.';

CREATE FUNCTION @extschema@.im_addon_fee(card @extschema@.im_rate_card, plan text, addon text, option text DEFAULT '')
	RETURNS numeric
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_addon_fee(@extschema@.im_rate_card, text, text, text) IS
'Price per month of an add-on on a plan (R4), in the currency of the card. Error 22023 for an unknown plan or add-on, or an option that the plan does not sell.';

CREATE FUNCTION @extschema@.im_moderation_fee(card @extschema@.im_rate_card, deductions numeric)
	RETURNS numeric
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_moderation_fee(@extschema@.im_rate_card, numeric) IS
'Postpaid fee of deductions of cloud moderation (R6), in the currency of the card, exact. Error 22023 where the card does not sell moderation, for negative deductions, NaN or infinity.';

CREATE FUNCTION @extschema@.im_deductions(card @extschema@.im_rate_card, kind text, quantity numeric)
	RETURNS numeric
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_deductions(@extschema@.im_rate_card, text, numeric) IS
'Deductions of a quantity of checks (text, image) or minutes (audio, video): quantity * coefficient (R6), exact. Error 22023 for an unknown kind, a negative quantity, NaN or infinity.';

CREATE TYPE @extschema@.im_price_book AS (
	names text[],
	dates date[],
	cards @extschema@.im_rate_card[]
);
COMMENT ON TYPE @extschema@.im_price_book IS
'The rate cards of all apps as rating takes them: names, first days and versions, ordered by name and day.';
COMMENT ON COLUMN @extschema@.im_price_book.names IS 'Name of the rate card of each version.';
COMMENT ON COLUMN @extschema@.im_price_book.dates IS 'First day of each version.';
COMMENT ON COLUMN @extschema@.im_price_book.cards IS 'The versions.';

CREATE TYPE @extschema@.im_order_entry AS (
	order_id bigint,
	at timestamptz,
	action text,
	item text,
	option text,
	months integer,
	quantity integer,
	refunds bigint,
	paid numeric
);
COMMENT ON TYPE @extschema@.im_order_entry IS
'One order of an app as rating takes it: the columns of im_order without the app.';

COMMENT ON COLUMN @extschema@.im_order_entry.order_id IS 'The callers number of the order.';
COMMENT ON COLUMN @extschema@.im_order_entry.at IS 'When it was placed.';
COMMENT ON COLUMN @extschema@.im_order_entry.action IS 'buy, upgrade, refund, on or off.';
COMMENT ON COLUMN @extschema@.im_order_entry.item IS 'What it is about.';
COMMENT ON COLUMN @extschema@.im_order_entry.option IS 'Plan, option or pack.';
COMMENT ON COLUMN @extschema@.im_order_entry.months IS 'Months bought.';
COMMENT ON COLUMN @extschema@.im_order_entry.quantity IS 'Packs bought.';
COMMENT ON COLUMN @extschema@.im_order_entry.refunds IS 'The order it refunds.';
COMMENT ON COLUMN @extschema@.im_order_entry.paid IS 'The agreed amount, null for the cards.';

CREATE FUNCTION @extschema@.im_rate_lines(app_id bigint, card_name text, book @extschema@.im_price_book, orders @extschema@.im_order_entry[], suspensions daterange[], preview boolean, month @extschema@.im_month, since date, daily bigint[], logins bigint[], groups bigint[], checks bigint[], calls bigint[], user_days date[], users @extschema@.im_userset[])
	RETURNS SETOF @extschema@.im_bill_line
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE ROWS 10 PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_rate_lines(bigint, text, @extschema@.im_price_book, @extschema@.im_order_entry[], daterange[], boolean, @extschema@.im_month, date, bigint[], bigint[], bigint[], bigint[], bigint[], date[], @extschema@.im_userset[]) IS
'The bill of one app and month as a pure function of rate card versions, orders and usage. The arguments are values made by im_gather(); no table is read. Errors: 23514 for an order that the rules forbid, P0002 where no version covers a day, 22003 for figures past exact arithmetic.';

CREATE FUNCTION @extschema@.im_rate_total(app_id bigint, card_name text, book @extschema@.im_price_book, orders @extschema@.im_order_entry[], suspensions daterange[], preview boolean, month @extschema@.im_month, since date, daily bigint[], logins bigint[], groups bigint[], checks bigint[], calls bigint[], user_days date[], users @extschema@.im_userset[])
	RETURNS numeric
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_rate_total(bigint, text, @extschema@.im_price_book, @extschema@.im_order_entry[], daterange[], boolean, @extschema@.im_month, date, bigint[], bigint[], bigint[], bigint[], bigint[], date[], @extschema@.im_userset[]) IS
'The total of the same bill, rounded once half away from zero to the places of the currency (R9); null for a bill without lines. The arguments are values made by im_gather(); no table is read.';

CREATE FUNCTION @extschema@.im_rate_problem(app_id bigint, card_name text, book @extschema@.im_price_book, orders @extschema@.im_order_entry[], suspensions daterange[], preview boolean, month @extschema@.im_month, since date, daily bigint[], logins bigint[], groups bigint[], checks bigint[], calls bigint[], user_days date[], users @extschema@.im_userset[])
	RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_rate_problem(bigint, text, @extschema@.im_price_book, @extschema@.im_order_entry[], daterange[], boolean, @extschema@.im_month, date, bigint[], bigint[], bigint[], bigint[], bigint[], date[], @extschema@.im_userset[]) IS
'Why the bill of one app and month cannot be computed, as text; null if it can. The arguments are values made by im_gather(); no table is read.';

CREATE FUNCTION @extschema@.im_rate_statement(app_id bigint, card_name text, book @extschema@.im_price_book, orders @extschema@.im_order_entry[], suspensions daterange[], preview boolean, month @extschema@.im_month, since date, daily bigint[], logins bigint[], groups bigint[], checks bigint[], calls bigint[], user_days date[], users @extschema@.im_userset[])
	RETURNS TABLE (day date, service text, text_checks bigint, image_checks bigint, audio_half_minutes bigint, video_half_minutes bigint, deductions numeric, from_packs numeric, packs jsonb, postpaid numeric, amount numeric)
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE ROWS 31 PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_rate_statement(bigint, text, @extschema@.im_price_book, @extschema@.im_order_entry[], daterange[], boolean, @extschema@.im_month, date, bigint[], bigint[], bigint[], bigint[], bigint[], date[], @extschema@.im_userset[]) IS
'Cloud moderation of one app and month day by day (R6). The arguments are values made by im_gather(); no table is read.';

CREATE FUNCTION @extschema@.im_rate_unbilled(app_id bigint, card_name text, book @extschema@.im_price_book, orders @extschema@.im_order_entry[], suspensions daterange[], preview boolean, month @extschema@.im_month, since date, daily bigint[], logins bigint[], groups bigint[], checks bigint[], calls bigint[], user_days date[], users @extschema@.im_userset[])
	RETURNS TABLE (app_id bigint, day date, kind text, quantity numeric, reason text)
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE ROWS 10 PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_rate_unbilled(bigint, text, @extschema@.im_price_book, @extschema@.im_order_entry[], daterange[], boolean, @extschema@.im_month, date, bigint[], bigint[], bigint[], bigint[], bigint[], date[], @extschema@.im_userset[]) IS
'Usage of one app and month that nobody pays (R7). With card_name null every figure has the reason no such app. The arguments are values made by im_gather(); no table is read.';

CREATE FUNCTION @extschema@.im_usage_since(app_id bigint, card_name text, book @extschema@.im_price_book, orders @extschema@.im_order_entry[], suspensions daterange[], preview boolean, month @extschema@.im_month)
	RETURNS date
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_usage_since(bigint, text, @extschema@.im_price_book, @extschema@.im_order_entry[], daterange[], boolean, @extschema@.im_month) IS
'The first day whose usage bears on the bill of a month: the first of the month, or earlier where packs were already in use. The arguments are values made by im_gather(); no table is read.';

CREATE FUNCTION @extschema@.im_rate_state(app_id bigint, card_name text, book @extschema@.im_price_book, orders @extschema@.im_order_entry[], suspensions daterange[], preview boolean, at timestamptz)
	RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_rate_state(bigint, text, @extschema@.im_price_book, @extschema@.im_order_entry[], daterange[], boolean, timestamptz) IS
'The state of an app on the day of an instant (R2, R7). The arguments are values made by im_gather(); no table is read.';

CREATE FUNCTION @extschema@.im_verify_orders(app_id bigint, card_name text, book @extschema@.im_price_book, orders @extschema@.im_order_entry[], suspensions daterange[], preview boolean)
	RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_verify_orders(bigint, text, @extschema@.im_price_book, @extschema@.im_order_entry[], daterange[], boolean) IS
'Replays the orders of one app: true, or error 23514 with the rule that an order breaks. The arguments are values made by im_gather(); no table is read.';

CREATE FUNCTION @extschema@.im_order_problem(app_id bigint, card_name text, book @extschema@.im_price_book, orders @extschema@.im_order_entry[], suspensions daterange[], preview boolean)
	RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_order_problem(bigint, text, @extschema@.im_price_book, @extschema@.im_order_entry[], daterange[], boolean) IS
'The first rule that an order of one app breaks, as text; null if there is none. The arguments are values made by im_gather(); no table is read.';

/*
 * im_app_checks: moderation checks of all apps by local day.
 */

CREATE FUNCTION @extschema@.im_app_checks_trans(internal, bigint, timestamptz, text, integer, text) RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION @extschema@.im_app_checks_trans(internal, bigint, timestamptz, text, integer, text) IS
'Transition function of im_app_checks.';
CREATE FUNCTION @extschema@.im_app_checks_combine(internal, internal) RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION @extschema@.im_app_checks_combine(internal, internal) IS
'Combine function of im_app_checks.';
CREATE FUNCTION @extschema@.im_app_checks_serial(internal) RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION @extschema@.im_app_checks_serial(internal) IS
'Serialization function of im_app_checks; 54000 if a state would pass 1 GB.';
CREATE FUNCTION @extschema@.im_app_checks_deserial(bytea, internal) RETURNS internal
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION @extschema@.im_app_checks_deserial(bytea, internal) IS
'Deserialization function of im_app_checks.';
CREATE FUNCTION @extschema@.im_app_checks_final(internal) RETURNS bigint[]
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION @extschema@.im_app_checks_final(internal) IS
'Final function of im_app_checks.';

CREATE AGGREGATE @extschema@.im_app_checks(app_id bigint, at timestamptz, kind text, seconds integer, zone text) (
	SFUNC = @extschema@.im_app_checks_trans, STYPE = internal, SSPACE = 262144,
	COMBINEFUNC = @extschema@.im_app_checks_combine,
	SERIALFUNC = @extschema@.im_app_checks_serial, DESERIALFUNC = @extschema@.im_app_checks_deserial,
	FINALFUNC = @extschema@.im_app_checks_final, FINALFUNC_MODIFY = READ_WRITE,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.im_app_checks(bigint, timestamptz, text, integer, text) IS
'Internal: moderation checks of all apps by local day, as one array of six numbers a row: app, day since 2000-01-01, texts, images, half minutes of audio and of video per clock hour, by ascending app and day; null without rows. Holds hash_mem (work_mem times hash_mem_multiplier) in memory and the rest in temporary files. Errors: 22023 for unknown kinds and for seconds negative or missing, 22004 for null arguments but the seconds.';

CREATE FUNCTION @extschema@.im_app_checks_rows(checks bigint[])
	RETURNS TABLE (app_id bigint, day date, text_checks bigint, image_checks bigint,
		audio_half_minutes bigint, video_half_minutes bigint)
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION @extschema@.im_app_checks_rows(bigint[]) IS
'Internal: a result of im_app_checks as rows. Error 22023 for any other array.';

-- Metering: daily figures kept in im_usage_daily that never go stale.
--
-- A metered row (metered_at is not null), or that there is none, counts for
-- an app and local day if
--   im_metered_day says that the day was metered for all apps,
--   no mark in im_usage_mark covers it, and
--   the partitions that hold its events are those seen at metering.
-- What does not count is metered on the fly, for exactly these apps and days.
-- All of it is read under the snapshot of the bill.
--
-- Marks are appended by triggers (src/meter/mark_events.c) in the transaction
-- of the change: whoever sees a changed event sees its mark.  im_meter()
-- deletes marks before it looks at the events: a change that is committed in
-- between keeps its mark, which is too much but not wrong.

CREATE FUNCTION @extschema@.im_mark_events() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION @extschema@.im_mark_events() IS
'Trigger: marks the apps and instants of the logins, checks or calls that a statement changed.';

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
'Trigger: marks the apps of rate cards of which a statement changed the time zone, or whether they price users of the month.';

CREATE FUNCTION @extschema@.im_mark_days() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION @extschema@.im_mark_days() IS
'Trigger: marks the apps and days whose daily figures a statement removed.';

CREATE FUNCTION @extschema@.im_mark_all() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION @extschema@.im_mark_all() IS
'Trigger: marks everything when a table is truncated.';

CREATE FUNCTION @extschema@.im_own_day() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION @extschema@.im_own_day() IS
'Trigger: a user''s row of daily figures takes the place of a metered one.';

CREATE FUNCTION @extschema@.im_raw_leaves()
	RETURNS TABLE (table_name text, partition oid, filenode oid, since timestamptz, until timestamptz)
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE ROWS 50;
COMMENT ON FUNCTION @extschema@.im_raw_leaves() IS
'The tables and partitions that hold events or daily figures, with their filenode (0 for foreign tables) and the instants [since, until) on which their rows can count.';

CREATE FUNCTION @extschema@.im_changed_days(first date, until date) RETURNS daterange
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_changed_days(date, date) IS
'The days of [first, until), as one span, whose partitions are not those that im_meter() saw; null if all are. All days where the triggers that mark changes are missing or a raw table is fed by a subscription.';

CREATE FUNCTION @extschema@.im_leaves_unchanged() RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION @extschema@.im_leaves_unchanged() IS
'Whether im_metered_partition lists the tables and partitions just as they are now, all of them have the triggers that mark changes, and none is foreign or fed by a subscription.';

CREATE FUNCTION @extschema@.im_local_days(since timestamptz, until timestamptz, zone text)
	RETURNS daterange
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_local_days(timestamptz, timestamptz, text) IS
'The local days of the instants from since through until, both included.';

CREATE FUNCTION @extschema@.im_day_slice(day date, zone text,
		OUT since timestamptz, OUT until timestamptz, OUT shared boolean)
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_day_slice(date, text) IS
'The instants [since, until) among which all of a local day are, and whether some of them are of another day, as where clocks were set back over midnight.';

CREATE FUNCTION @extschema@.im_local_noon(day date, zone text) RETURNS timestamptz
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN ((day + time '12:00') AT TIME ZONE zone);
COMMENT ON FUNCTION @extschema@.im_local_noon(date, text) IS
'An instant of a local day, whatever clocks do that day.';

-- The triggers that mark changes: four on each table, each with the rows
-- that its event has.
CREATE FUNCTION @extschema@.im_mark_definitions()
	RETURNS TABLE (table_name text, trigger_name text, command text, events text, definition text)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT w.table_name, 'im_mark_' || lower(e.event), 'CREATE TRIGGER', 'AFTER ' || e.event,
		format('%s FOR EACH STATEMENT EXECUTE FUNCTION %s.%I()', e.rows, '@extschema@',
			CASE e.event WHEN 'TRUNCATE' THEN 'im_mark_all' ELSE w.function END)
	FROM (VALUES
			('im_login', 'im_mark_events'),
			('im_group', 'im_mark_groups'),
			('im_moderation_check', 'im_mark_events'),
			('im_call', 'im_mark_events'),
			('im_app', 'im_mark_apps'),
			('im_rate_card_version', 'im_mark_cards'),
			('im_usage_daily', 'im_mark_days')
		) w(table_name, function),
		(VALUES
			('INSERT', 'REFERENCING NEW TABLE AS new_rows'),
			('UPDATE', 'REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows'),
			('DELETE', 'REFERENCING OLD TABLE AS old_rows'),
			('TRUNCATE', '')
		) e(event, rows)
	-- of daily figures only those removed are looked at row by row
	WHERE w.table_name <> 'im_usage_daily' OR e.event IN ('DELETE', 'TRUNCATE')
	UNION ALL
	SELECT 'im_usage_daily', v.name, 'CREATE TRIGGER', v.events,
		format('%s EXECUTE FUNCTION %s.%I()', v.each, '@extschema@', v.function)
	FROM (VALUES
			('im_mark_write', 'AFTER INSERT OR UPDATE', 'FOR EACH STATEMENT', 'im_mark_days'),
			('im_own_day', 'BEFORE INSERT OR UPDATE', 'FOR EACH ROW', 'im_own_day')
		) v(name, events, each, function)
$$;
COMMENT ON FUNCTION @extschema@.im_mark_definitions() IS
'The triggers that mark what changes, as im_trigger_definitions() has them; partitions get those of their table too.';

CREATE FUNCTION @extschema@.im_add_trigger(on_table regclass, trigger_name text, command text,
		events text, definition text)
	RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE format('%s %I %s ON %s %s', $3, $2, $4, $1, $5);
	-- a load that suppresses triggers by its replication role must be marked
	IF $2 LIKE 'im\_mark\_%' OR $2 = 'im_own_day' THEN
		EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', $1, $2);
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_add_trigger(regclass, text, text, text, text) IS
'Adds a trigger to a table; those that mark changes fire in every replication role.';

-- A trigger of a partitioned table is not fired by what goes to a partition
-- directly.  CREATE TRIGGER waits for those who write, so from then on every
-- change is marked.
CREATE FUNCTION @extschema@.im_watch_partitions() RETURNS boolean
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	t record;
	unwatched boolean := false;
BEGIN
	FOR t IN
		SELECT l.partition, d.*
		FROM @extschema@.im_raw_leaves() l
		JOIN @extschema@.im_mark_definitions() d ON d.table_name = l.table_name
		WHERE l.filenode <> 0
			AND NOT EXISTS (
				SELECT FROM pg_trigger g
				WHERE g.tgrelid = l.partition AND g.tgname = d.trigger_name)
	LOOP
		PERFORM @extschema@.im_add_trigger(t.partition, t.trigger_name, t.command, t.events, t.definition);
		unwatched := unwatched OR EXISTS (
			SELECT FROM @extschema@.im_metered_partition p WHERE p.partition = t.partition);
	END LOOP;
	RETURN unwatched;
END
$$;
COMMENT ON FUNCTION @extschema@.im_watch_partitions() IS
'Adds the triggers that mark changes to the partitions that lack them: true if one of these was metered before.';

-- ENABLE TRIGGER ALL after DISABLE TRIGGER ALL leaves them firing in sessions
-- of replication role origin and local only.
CREATE FUNCTION @extschema@.im_wake_marks() RETURNS boolean
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	t record;
	asleep boolean := false;
BEGIN
	FOR t IN
		SELECT g.tgrelid::regclass AS on_table, g.tgname
		FROM pg_trigger g
		JOIN (SELECT to_regclass(format('%s.%I', '@extschema@', d.table_name))::oid AS watched, d.trigger_name
			  FROM @extschema@.im_mark_definitions() d
			  UNION
			  SELECT l.partition, d.trigger_name
			  FROM @extschema@.im_raw_leaves() l
			  JOIN @extschema@.im_mark_definitions() d ON d.table_name = l.table_name) w
			ON w.watched = g.tgrelid AND w.trigger_name = g.tgname
		WHERE g.tgenabled <> 'A'
	LOOP
		EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', t.on_table, t.tgname);
		asleep := true;
	END LOOP;
	RETURN asleep;
END
$$;
COMMENT ON FUNCTION @extschema@.im_wake_marks() IS
'Makes the triggers that mark changes fire whatever the session''s replication role, also where somebody disabled them: true if one did not.';

CREATE FUNCTION @extschema@.im_is_watched(partition oid, table_name text) RETURNS boolean
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN NOT EXISTS (
		SELECT FROM @extschema@.im_mark_definitions() d
		WHERE d.table_name = $2
			AND NOT EXISTS (
				SELECT FROM pg_trigger g
				WHERE g.tgrelid = $1 AND g.tgname = d.trigger_name));
END
$$;
COMMENT ON FUNCTION @extschema@.im_is_watched(oid, text) IS
'Whether a partition of a table has all triggers that mark changes.';

CREATE FUNCTION @extschema@.im_lock_metering() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- one at a time; loaders append marks meanwhile
	LOCK TABLE @extschema@.im_usage_mark IN SHARE UPDATE EXCLUSIVE MODE;
END
$$;
COMMENT ON FUNCTION @extschema@.im_lock_metering() IS
'Waits until nobody else meters, and keeps others from metering until the end of the transaction.';

CREATE FUNCTION @extschema@.im_forget_metering(first_day date DEFAULT NULL, last_day date DEFAULT NULL)
	RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	forgotten bigint;
BEGIN
	PERFORM @extschema@.im_need_tables();
	PERFORM @extschema@.im_lock_metering();
	UPDATE @extschema@.im_metered_day d
	SET metered_at = NULL
	WHERE d.metered_at IS NOT NULL
		AND d.day >= coalesce($1, '-infinity') AND d.day <= coalesce($2, 'infinity');
	GET DIAGNOSTICS forgotten = ROW_COUNT;
	RETURN forgotten;
END
$$;
COMMENT ON FUNCTION @extschema@.im_forget_metering(date, date) IS
'Makes what was metered on the days from the first through the last (null: from the beginning, to the end) count no more: bills meter these days from the events until im_meter() has done so again. Needed only after events were changed past the triggers. Returns the number of days.';

-- What a bill reads of metered and of raw usage.
CREATE TYPE @extschema@.im_reading AS (
	raw_first date,
	raw_until date,
	early_apps bigint[],
	early_since date[],
	stale_apps bigint[],
	stale_first date[],
	stale_until date[],
	stale_low date,
	stale_high date,
	skip_apps bigint[]
);
COMMENT ON TYPE @extschema@.im_reading IS
'Where the usage of a month is read from: raw events of all apps on the days [raw_first, raw_until), raw events of single apps on [stale_first, stale_until), daily figures for everything else; internal.';
COMMENT ON COLUMN @extschema@.im_reading.raw_first IS 'First day on which events of all apps are read; raw_until where there is none.';
COMMENT ON COLUMN @extschema@.im_reading.raw_until IS 'The day until which they are, exclusive.';
COMMENT ON COLUMN @extschema@.im_reading.early_apps IS 'Apps whose packs were in use before the month.';
COMMENT ON COLUMN @extschema@.im_reading.early_since IS 'The day from which their usage must be known.';
COMMENT ON COLUMN @extschema@.im_reading.stale_apps IS 'Apps of which events are read on further days; null without any.';
COMMENT ON COLUMN @extschema@.im_reading.stale_first IS 'The first of these days; an app can have several spans, which do not overlap.';
COMMENT ON COLUMN @extschema@.im_reading.stale_until IS 'The day until which they reach, exclusive; a span lies in the month or before it.';
COMMENT ON COLUMN @extschema@.im_reading.stale_low IS 'The earliest stale_first; null without any, which prunes every partition.';
COMMENT ON COLUMN @extschema@.im_reading.stale_high IS 'The latest stale_until.';
COMMENT ON COLUMN @extschema@.im_reading.skip_apps IS 'Apps whose groups, checks and calls im_meter() meters day by day, since some cannot be metered.';

-- The days of [first, until) that were not metered for all apps, or not as
-- things are now.
CREATE FUNCTION @extschema@.im_unmetered_days(first date, until date, zones text[])
	RETURNS datemultirange
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_generic_plan	-- as in im_rebill()
AS $$
DECLARE
	span CONSTANT datemultirange := datemultirange(daterange($1, $2));
	metered datemultirange;
	marked datemultirange;
	changed daterange;
BEGIN
	SELECT range_agg(daterange(d.day, d.day + 1)) INTO metered
	FROM @extschema@.im_metered_day d
	WHERE d.day >= $1 AND d.day < $2 AND d.metered_at IS NOT NULL;
	IF metered IS NULL THEN
		RETURN span;
	END IF;
	SELECT range_agg(@extschema@.im_local_days(m.since, m.until, z.zone)) INTO marked
	FROM @extschema@.im_usage_mark m, unnest($3) z(zone)
	WHERE m.app_id IS NULL;
	changed := @extschema@.im_changed_days($1, $2);
	IF changed IS NOT NULL THEN
		metered := metered - datemultirange(changed);
	END IF;
	IF marked IS NOT NULL THEN
		metered := metered - marked;
	END IF;
	RETURN span - metered;
END
$$;
COMMENT ON FUNCTION @extschema@.im_unmetered_days(date, date, text[]) IS
'The days of [first, until) on which events of all apps must be read, in the calendars of these zones.';

-- A day of another calendar was not metered; one of the same calendar was, but
-- for its users where only the other card wants to know who they were.
CREATE FUNCTION @extschema@.im_metered_alike(card @extschema@.im_rate_card, app_id bigint)
	RETURNS boolean
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_generic_plan	-- as in im_rebill()
AS $$
BEGIN
	IF $1 IS NULL THEN
		RETURN true;
	END IF;
	IF $2 IS NULL THEN
		RETURN NOT EXISTS (
			SELECT FROM @extschema@.im_app_cards(NULL) a
			WHERE a.time_zone IS DISTINCT FROM $1::jsonb ->> 'time_zone'
				OR NOT a.prices_mau AND $1::jsonb @? '$.plans.*.mau');
	END IF;
	RETURN NOT EXISTS (
		SELECT FROM @extschema@.im_app_cards(NULL) a
		WHERE a.app_id = $2
			AND (a.time_zone IS DISTINCT FROM $1::jsonb ->> 'time_zone'
				OR NOT a.prices_mau AND $1::jsonb @? '$.plans.*.mau'));
END
$$;
COMMENT ON FUNCTION @extschema@.im_metered_alike(@extschema@.im_rate_card, bigint) IS
'Whether usage that was metered for the app''s own card, or (null) for those of all apps, serves for this one.';

CREATE FUNCTION @extschema@.im_reading_of(first date, until date, card @extschema@.im_rate_card,
		early_apps bigint[], early_since date[], app_id bigint DEFAULT NULL)
	RETURNS @extschema@.im_reading
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	SET jit = off
	SET plan_cache_mode = force_generic_plan	-- as in im_rebill()
AS $$
DECLARE
	r @extschema@.im_reading;
	-- before 0001-01-01 there are no days
	low date := greatest(least($1, (SELECT min(s) FROM unnest($5) s)), '0001-01-01');
	zones text[];
	unmetered datemultirange := datemultirange(daterange(low, $2));
	early datemultirange;
BEGIN
	r.early_apps := $4;
	r.early_since := $5;
	IF to_regclass('@extschema@.im_metered_day') IS NOT NULL AND @extschema@.im_metered_alike($3, $6) THEN
		IF $6 IS NULL THEN
			zones := (SELECT array_agg(DISTINCT v.terms ->> 'time_zone') FROM @extschema@.im_rate_card_version v);
		ELSE
			zones := (SELECT ARRAY[a.time_zone] FROM @extschema@.im_app_cards(NULL) a WHERE a.app_id = $6);
		END IF;
		unmetered := @extschema@.im_unmetered_days(low, $2, zones);
	END IF;
	r.raw_first := coalesce(lower(unmetered * datemultirange(daterange($1, $2))), $2);
	r.raw_until := coalesce(upper(unmetered * datemultirange(daterange($1, $2))), $2);
	IF r.raw_first = $1 AND r.raw_until = $2 AND $4 IS NULL THEN
		RETURN r;
	END IF;
	early := unmetered * datemultirange(daterange(low, $1));
	-- two queries, so that one app's is planned for one app
	IF $6 IS NULL THEN
		SELECT array_agg(s.app_id), array_agg(s.first), array_agg(s.until), min(s.first), max(s.until)
		INTO r.stale_apps, r.stale_first, r.stale_until, r.stale_low, r.stale_high
		FROM @extschema@.im_stale_days($1, $2, r, early) s;
	ELSE
		SELECT array_agg(s.app_id), array_agg(s.first), array_agg(s.until), min(s.first), max(s.until)
		INTO r.stale_apps, r.stale_first, r.stale_until, r.stale_low, r.stale_high
		FROM @extschema@.im_stale_days($1, $2, r, early) s
		WHERE s.app_id = $6;
	END IF;
	RETURN r;
END
$$;
COMMENT ON FUNCTION @extschema@.im_reading_of(date, date, @extschema@.im_rate_card, bigint[], date[], bigint) IS
'Where to read the usage of the days [first, until) from, of one app or (null) of all, and of these apps since these earlier days; with a card given, under that card.';

CREATE FUNCTION @extschema@.im_reading(first date, until date, card @extschema@.im_rate_card,
		book @extschema@.im_price_book, app_id bigint DEFAULT NULL)
	RETURNS @extschema@.im_reading
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	SET jit = off
	SET plan_cache_mode = force_generic_plan	-- as in im_rebill()
AS $$
DECLARE
	apps bigint[];
	since date[];
BEGIN
	IF $4 IS NOT NULL AND $5 IS NULL THEN
		SELECT array_agg(e.app_id), array_agg(e.since) INTO apps, since
		FROM @extschema@.im_early_usage($1, $2, $3, $4) e;
	ELSIF $4 IS NOT NULL THEN
		SELECT array_agg(e.app_id), array_agg(e.since) INTO apps, since
		FROM @extschema@.im_early_usage($1, $2, $3, $4) e
		WHERE e.app_id = $5;
	END IF;
	RETURN @extschema@.im_reading_of($1, $2, $3, apps, since, $5);
END
$$;
COMMENT ON FUNCTION @extschema@.im_reading(date, date, @extschema@.im_rate_card, @extschema@.im_price_book, bigint) IS
'Where to read the usage of the month [first, until) from, of one app or (null) of all; with a card given, under that card. Without a book packs of earlier months are left out.';

-- Spans of single apps: marked days of the month outside [raw_first,
-- raw_until), and of the time before it what is marked or not metered.
CREATE FUNCTION @extschema@.im_stale_days(first date, until date, reading @extschema@.im_reading,
		early datemultirange)
	RETURNS TABLE (app_id bigint, first date, until date)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT s.app_id, lower(p.days), upper(p.days)
	FROM (SELECT d.app_id, range_agg(d.days) AS days
		  FROM (SELECT m.app_id, @extschema@.im_local_days(m.since, m.until, a.time_zone) AS days
				FROM @extschema@.im_usage_mark m
				JOIN @extschema@.im_app_cards(NULL) a ON a.app_id = m.app_id
				WHERE a.time_zone IS NOT NULL
				UNION ALL
				SELECT e.app_id, u.days
				FROM unnest(($3).early_apps, ($3).early_since) e(app_id, since), unnest($4) u(days)
				WHERE upper(u.days) > e.since) d
		  WHERE d.days IS NOT NULL
		  GROUP BY d.app_id) s
	LEFT JOIN unnest(($3).early_apps, ($3).early_since) e(app_id, since) ON e.app_id = s.app_id,
		unnest(s.days * (datemultirange(daterange($1, $2)) - datemultirange(daterange(($3).raw_first, ($3).raw_until)))
			   + s.days * datemultirange(daterange(least(e.since, $1), $1))) w(whole),
		-- a span on both sides of the first of the month is two
		unnest(ARRAY[w.whole * daterange(NULL, $1), w.whole * daterange($1, NULL)]) p(days)
	WHERE NOT isempty(p.days)
$$;
COMMENT ON FUNCTION @extschema@.im_stale_days(date, date, @extschema@.im_reading, datemultirange) IS
'The apps and spans of days whose events are read beside those of all apps; early: days before the month that were not metered.';

-- Gathers the values of a bill set-wise: rate cards, orders, suspensions and
-- usage of each app, one row an app.
--
-- These functions are single queries without settings of their own, so that
-- the planner inlines them: a condition on app_id given outside reaches every
-- table's index, and one text serves one app as well as all of them.  Their
-- operators resolve in the search_path of the functions that call them,
-- which all set it to pg_catalog and the extension's schema.
--
-- Raw rows are chosen by instants of UTC with a day of slack on either side,
-- which is what indexes and partitions understand; the meters then take the
-- local days that they are told.

CREATE FUNCTION @extschema@.im_utc_midnight(day date) RETURNS timestamptz
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN (day::pg_catalog.timestamp AT TIME ZONE 'UTC');
COMMENT ON FUNCTION @extschema@.im_utc_midnight(date) IS
'The instant at which a day begins in UTC, whatever the session''s time zone.';

CREATE FUNCTION @extschema@.im_price_book(card @extschema@.im_rate_card)
	RETURNS @extschema@.im_price_book
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM @extschema@.im_need_tables();
	IF $1 IS NOT NULL THEN
		RETURN ROW(ARRAY[''], ARRAY['-infinity'::date], ARRAY[$1])::@extschema@.im_price_book;
	END IF;
	RETURN (
		SELECT ROW(array_agg(v.rate_card ORDER BY v.rate_card COLLATE "C", v.effective_from),
				   array_agg(v.effective_from ORDER BY v.rate_card COLLATE "C", v.effective_from),
				   array_agg(v.terms::@extschema@.im_rate_card
							 ORDER BY v.rate_card COLLATE "C", v.effective_from)
				  )::@extschema@.im_price_book
		FROM @extschema@.im_rate_card_version v);
END
$$;
COMMENT ON FUNCTION @extschema@.im_price_book(@extschema@.im_rate_card) IS
'All versions of im_rate_card_version as one value; with a card given, that card alone, in force since ever. Error 42P01 before im_create_tables().';

-- With a card given it stands for every version of every app's card.  What is
-- read from it stands in a SELECT of its own, which is run once: a plan kept
-- for any card would read it again for every login.
CREATE FUNCTION @extschema@.im_app_cards(card @extschema@.im_rate_card) RETURNS TABLE (
		app_id bigint, card_name text, card_from date, time_zone text, prices_mau boolean,
		currency text)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT a.app_id, a.rate_card,
		CASE WHEN $1 IS NULL THEN c.card_from ELSE '-infinity' END,
		CASE WHEN $1 IS NULL THEN c.time_zone ELSE (SELECT $1::jsonb ->> 'time_zone') END,
		CASE WHEN $1 IS NULL THEN c.prices_mau ELSE (SELECT $1::jsonb @? '$.plans.*.mau') END,
		CASE WHEN $1 IS NULL THEN c.currency ELSE (SELECT $1::jsonb ->> 'currency') END
	FROM @extschema@.im_app a
	LEFT JOIN (
		SELECT v.rate_card, min(v.effective_from) AS card_from,
			min(v.terms ->> 'time_zone') AS time_zone,
			bool_or(v.terms @? '$.plans.*.mau') AS prices_mau,
			min(v.terms ->> 'currency') AS currency
		FROM @extschema@.im_rate_card_version v
		GROUP BY v.rate_card) c ON c.rate_card = a.rate_card
$$;
COMMENT ON FUNCTION @extschema@.im_app_cards(@extschema@.im_rate_card) IS
'Each app with what its meters and totals need of its rate card, or of the given one instead.';

CREATE FUNCTION @extschema@.im_app_orders(until timestamptz) RETURNS TABLE (
		app_id bigint, orders @extschema@.im_order_entry[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT o.app_id,
		array_agg(ROW(o.order_id, o.at, o.action, o.item, o.option, o.months, o.quantity,
					  o.refunds, o.paid)::@extschema@.im_order_entry
				  ORDER BY o.at, o.order_id)
	FROM @extschema@.im_order o
	WHERE o.at < $1
	GROUP BY o.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_app_orders(timestamptz) IS
'The orders of each app before an instant, by time, then order_id.';

CREATE FUNCTION @extschema@.im_app_suspensions() RETURNS TABLE (
		app_id bigint, suspensions daterange[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT s.app_id, array_agg(s.days)
	FROM @extschema@.im_suspension s
	GROUP BY s.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_app_suspensions() IS
'The suspensions of each app.';

CREATE FUNCTION @extschema@.im_app_accounts(until date, card @extschema@.im_rate_card)
	RETURNS TABLE (
		app_id bigint, card_name text, card_from date, orders @extschema@.im_order_entry[],
		suspensions daterange[], prices_mau boolean, currency text)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT a.app_id, a.card_name, a.card_from, o.orders, s.suspensions, a.prices_mau, a.currency
	FROM @extschema@.im_app_cards($2) a
	LEFT JOIN @extschema@.im_app_orders(@extschema@.im_utc_midnight($1 + 1)) o
		ON o.app_id = a.app_id
	LEFT JOIN @extschema@.im_app_suspensions() s ON s.app_id = a.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_app_accounts(date, @extschema@.im_rate_card) IS
'Each app with what its state before a day follows from.';

CREATE FUNCTION @extschema@.im_early_usage(first date, until date, card @extschema@.im_rate_card,
		book @extschema@.im_price_book)
	RETURNS TABLE (app_id bigint, since date)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT e.app_id, e.since
	FROM (SELECT a.app_id,
				 @extschema@.im_usage_since(a.app_id, a.card_name, $4, o.orders, s.suspensions,
					$3 IS NOT NULL, $1::@extschema@.im_month) AS since
		  FROM (SELECT DISTINCT k.app_id
				FROM @extschema@.im_order k
				WHERE k.action = 'buy' AND k.item NOT IN ('plan', 'local_moderation')
					AND k.at < @extschema@.im_utc_midnight($1 + 1)) p
		  JOIN @extschema@.im_app_cards($3) a ON a.app_id = p.app_id
		  CROSS JOIN LATERAL (
			SELECT c.orders
			FROM @extschema@.im_app_orders(@extschema@.im_utc_midnight($2 + 1)) c
			WHERE c.app_id = p.app_id) o
		  LEFT JOIN @extschema@.im_app_suspensions() s ON s.app_id = a.app_id) e
	WHERE e.since < $1
$$;
COMMENT ON FUNCTION @extschema@.im_early_usage(date, date, @extschema@.im_rate_card, @extschema@.im_price_book) IS
'Apps whose packs were in use before the month [first, until), and the day from which their usage must be known to tell what is left of them.';

-- In what follows reading is what im_reading() says: which days are read from
-- events.  Of any other day the metered row counts, and where there is none
-- there was no usage.  What is metered adds up in rating, so no event may be
-- read twice, and none of a day whose metered row counts.

-- Daily figures are read in two ways, of which each app takes one.  Most apps
-- are in one scan of one table, of which the planner knows how many they are
-- and that its primary key has them in order.  Those some of whose days are
-- read from events after all, or whose usage before the month matters, are
-- looked up one by one.  The two are no union: it would have workers of its
-- own, and who has workers cannot be one (im_by_ranges).
CREATE FUNCTION @extschema@.im_gather_daily(first date, until date, reading @extschema@.im_reading)
	RETURNS TABLE (app_id bigint, daily bigint[], metered bigint[], user_days date[],
		users @extschema@.im_userset[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT u.app_id,
		@extschema@.im_usage_pack(u.app_id, u.day, u.dau, u.peak_groups,
			u.text_checks, u.image_checks, u.audio_half_minutes, u.video_half_minutes,
			u.audio_minutes, u.sd_minutes, u.hd_minutes, u.fhd_minutes)
			FILTER (WHERE u.metered_at IS NULL),
		@extschema@.im_usage_pack(u.app_id, u.day, u.dau, u.peak_groups,
			u.text_checks, u.image_checks, u.audio_half_minutes, u.video_half_minutes,
			u.audio_minutes, u.sd_minutes, u.hd_minutes, u.fhd_minutes)
			FILTER (WHERE u.metered_at IS NOT NULL),
		array_agg(u.day) FILTER (WHERE u.users IS NOT NULL),
		array_agg(u.users) FILTER (WHERE u.users IS NOT NULL)
	FROM @extschema@.im_usage_daily u
	WHERE u.app_id <> ALL (coalesce(($3).early_apps || ($3).stale_apps, '{}'))
		AND u.day >= $1 AND u.day < $2
		AND (u.metered_at IS NULL OR u.day < ($3).raw_first OR u.day >= ($3).raw_until)
	GROUP BY u.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_gather_daily(date, date, @extschema@.im_reading) IS
'The daily figures of most apps: those that users gave, and those that were metered and count.';

CREATE FUNCTION @extschema@.im_gather_special_daily(first date, until date, reading @extschema@.im_reading)
	RETURNS TABLE (app_id bigint, daily bigint[], metered bigint[], user_days date[],
		users @extschema@.im_userset[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT u.app_id,
		@extschema@.im_usage_pack(u.app_id, u.day, u.dau, u.peak_groups,
			u.text_checks, u.image_checks, u.audio_half_minutes, u.video_half_minutes,
			u.audio_minutes, u.sd_minutes, u.hd_minutes, u.fhd_minutes)
			FILTER (WHERE u.metered_at IS NULL),
		@extschema@.im_usage_pack(u.app_id, u.day, u.dau, u.peak_groups,
			u.text_checks, u.image_checks, u.audio_half_minutes, u.video_half_minutes,
			u.audio_minutes, u.sd_minutes, u.hd_minutes, u.fhd_minutes)
			FILTER (WHERE u.metered_at IS NOT NULL),
		array_agg(u.day) FILTER (WHERE u.day >= $1 AND u.users IS NOT NULL),
		array_agg(u.users) FILTER (WHERE u.day >= $1 AND u.users IS NOT NULL)
	FROM (
		-- those without early usage come later in the array: since is null
		SELECT e.app_id, min(coalesce(e.since, $1)) AS since
		FROM unnest(($3).early_apps || ($3).stale_apps, ($3).early_since) e(app_id, since)
		WHERE ($3).early_apps IS NOT NULL OR ($3).stale_apps IS NOT NULL
		GROUP BY e.app_id) p
	JOIN @extschema@.im_usage_daily u ON u.app_id = p.app_id AND u.day >= p.since AND u.day < $2
	LEFT JOIN unnest(($3).stale_apps, ($3).stale_first, ($3).stale_until) s(stale_id, since, until)
		ON s.stale_id = u.app_id AND u.day >= s.since AND u.day < s.until
	WHERE u.metered_at IS NULL
		OR s.stale_id IS NULL AND (u.day < $1 OR u.day < ($3).raw_first OR u.day >= ($3).raw_until)
	GROUP BY u.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_gather_special_daily(date, date, @extschema@.im_reading) IS
'The same of the other apps, and their figures before the month as far as they matter.';

CREATE FUNCTION @extschema@.im_raw_logins(card @extschema@.im_rate_card, reading @extschema@.im_reading)
	RETURNS TABLE (app_id bigint, day date, prices_mau boolean, dau bigint, users @extschema@.im_userset)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT d.app_id, d.day, d.prices_mau, d.dau, d.users
	FROM (
		SELECT l.app_id, @extschema@.im_day(l.at, a.time_zone) AS day, a.prices_mau,
			@extschema@.im_dau(l.user_id) FILTER (WHERE NOT a.prices_mau) AS dau,
			@extschema@.im_userset_agg(l.user_id) FILTER (WHERE a.prices_mau) AS users
		FROM @extschema@.im_login l
		JOIN @extschema@.im_app_cards($1) a ON a.app_id = l.app_id
		WHERE ($2).raw_first < ($2).raw_until
			AND l.at >= @extschema@.im_utc_midnight(($2).raw_first - 1)
			AND l.at < @extschema@.im_utc_midnight(($2).raw_until + 1)
			AND a.time_zone IS NOT NULL
		GROUP BY l.app_id, a.prices_mau, @extschema@.im_day(l.at, a.time_zone)) d
	WHERE d.day >= ($2).raw_first AND d.day < ($2).raw_until
$$;
COMMENT ON FUNCTION @extschema@.im_raw_logins(@extschema@.im_rate_card, @extschema@.im_reading) IS
'Distinct users of the days whose events are read, by app and day: their number, or the set where the card prices users of the month.';

CREATE FUNCTION @extschema@.im_gather_logins(card @extschema@.im_rate_card, reading @extschema@.im_reading)
	RETURNS TABLE (app_id bigint, logins bigint[], user_days date[], users @extschema@.im_userset[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT d.app_id,
		@extschema@.im_usage_agg(d.app_id, d.day,
			CASE WHEN d.prices_mau THEN @extschema@.im_count(d.users) ELSE d.dau END,
			NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
		array_agg(d.day) FILTER (WHERE d.prices_mau),
		array_agg(d.users) FILTER (WHERE d.prices_mau)
	FROM @extschema@.im_raw_logins($1, $2) d
	GROUP BY d.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_gather_logins(@extschema@.im_rate_card, @extschema@.im_reading) IS
'Distinct users of the days whose events are read, by app: their number, or the sets where the card prices users of the month.';

CREATE FUNCTION @extschema@.im_gather_groups(card @extschema@.im_rate_card, reading @extschema@.im_reading)
	RETURNS TABLE (app_id bigint, groups bigint[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT g.app_id,
		@extschema@.im_group_days(g.app_id, g.group_id, g.created_at, g.disbanded_at, a.time_zone,
			($2).raw_first, ($2).raw_until - 1)
	FROM @extschema@.im_group g
	JOIN @extschema@.im_app_cards($1) a ON a.app_id = g.app_id
	WHERE ($2).raw_first < ($2).raw_until
		AND g.created_at < @extschema@.im_utc_midnight(($2).raw_until + 1)
		AND (g.disbanded_at IS NULL
			OR g.disbanded_at >= @extschema@.im_utc_midnight(($2).raw_first - 1)
			OR g.created_at >= @extschema@.im_utc_midnight(($2).raw_first - 1))
		AND a.time_zone IS NOT NULL
		AND (($2).skip_apps IS NULL OR g.app_id <> ALL (($2).skip_apps))
	GROUP BY g.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_gather_groups(@extschema@.im_rate_card, @extschema@.im_reading) IS
'Peak groups of the days whose events are read, by app.';

CREATE FUNCTION @extschema@.im_gather_checks(card @extschema@.im_rate_card, reading @extschema@.im_reading)
	RETURNS TABLE (app_id bigint, checks bigint[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT k.app_id,
		@extschema@.im_check_days(k.app_id, k.at, k.kind, k.seconds, a.time_zone,
			($2).raw_first, ($2).raw_until - 1)
	FROM @extschema@.im_moderation_check k
	JOIN @extschema@.im_app_cards($1) a ON a.app_id = k.app_id
	WHERE ($2).raw_first < ($2).raw_until
		AND k.at >= @extschema@.im_utc_midnight(($2).raw_first - 1)
		AND k.at < @extschema@.im_utc_midnight(($2).raw_until + 1)
		AND a.time_zone IS NOT NULL
		AND (($2).skip_apps IS NULL OR k.app_id <> ALL (($2).skip_apps))
	GROUP BY k.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_gather_checks(@extschema@.im_rate_card, @extschema@.im_reading) IS
'Moderation checks of the days whose events are read, by app.';

CREATE FUNCTION @extschema@.im_gather_calls(card @extschema@.im_rate_card, reading @extschema@.im_reading)
	RETURNS TABLE (app_id bigint, calls bigint[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT k.app_id,
		@extschema@.im_call_days(k.app_id, k.at, k.class, k.seconds, a.time_zone,
			($2).raw_first, ($2).raw_until - 1)
	FROM @extschema@.im_call k
	JOIN @extschema@.im_app_cards($1) a ON a.app_id = k.app_id
	WHERE ($2).raw_first < ($2).raw_until
		AND k.at >= @extschema@.im_utc_midnight(($2).raw_first - 1)
		AND k.at < @extschema@.im_utc_midnight(($2).raw_until + 1)
		AND a.time_zone IS NOT NULL
		AND (($2).skip_apps IS NULL OR k.app_id <> ALL (($2).skip_apps))
	GROUP BY k.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_gather_calls(@extschema@.im_rate_card, @extschema@.im_reading) IS
'Call minutes of the days whose events are read, by app.';

-- Events of single apps.  Spans of one app do not overlap, but the slack
-- around them does: so each event is taken for the span that holds its day.
-- Of the time before the month only checks and calls matter.  Bounds around
-- all spans say again which partitions are opened at all.

CREATE FUNCTION @extschema@.im_stale_logins(first date, card @extschema@.im_rate_card,
		reading @extschema@.im_reading)
	RETURNS TABLE (app_id bigint, day date, prices_mau boolean, dau bigint, users @extschema@.im_userset)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT l.app_id, @extschema@.im_day(l.at, a.time_zone), a.prices_mau,
		@extschema@.im_dau(l.user_id) FILTER (WHERE NOT a.prices_mau),
		@extschema@.im_userset_agg(l.user_id) FILTER (WHERE a.prices_mau)
	FROM unnest(($3).stale_apps, ($3).stale_first, ($3).stale_until) s(app_id, since, until)
	JOIN @extschema@.im_app_cards($2) a ON a.app_id = s.app_id
	JOIN @extschema@.im_login l ON l.app_id = s.app_id
		AND l.at >= @extschema@.im_utc_midnight(s.since - 1)
		AND l.at < @extschema@.im_utc_midnight(s.until + 1)
		AND l.at >= @extschema@.im_utc_midnight(($3).stale_low - 1)
		AND l.at < @extschema@.im_utc_midnight(($3).stale_high + 1)
	WHERE ($3).stale_apps IS NOT NULL AND s.since >= $1 AND a.time_zone IS NOT NULL
		AND @extschema@.im_day(l.at, a.time_zone) >= s.since
		AND @extschema@.im_day(l.at, a.time_zone) < s.until
	GROUP BY l.app_id, a.prices_mau, @extschema@.im_day(l.at, a.time_zone)
$$;
COMMENT ON FUNCTION @extschema@.im_stale_logins(date, @extschema@.im_rate_card, @extschema@.im_reading) IS
'Distinct users of the stale days of single apps from a day on, by app and day.';

CREATE FUNCTION @extschema@.im_gather_stale_logins(first date, card @extschema@.im_rate_card,
		reading @extschema@.im_reading)
	RETURNS TABLE (app_id bigint, logins bigint[], user_days date[], users @extschema@.im_userset[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT d.app_id,
		@extschema@.im_usage_agg(d.app_id, d.day,
			CASE WHEN d.prices_mau THEN @extschema@.im_count(d.users) ELSE d.dau END,
			NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
		array_agg(d.day) FILTER (WHERE d.prices_mau),
		array_agg(d.users) FILTER (WHERE d.prices_mau)
	FROM @extschema@.im_stale_logins($1, $2, $3) d
	GROUP BY d.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_gather_stale_logins(date, @extschema@.im_rate_card, @extschema@.im_reading) IS
'The same as im_gather_logins() gives it, of the stale days of single apps.';

CREATE FUNCTION @extschema@.im_stale_groups(first date, card @extschema@.im_rate_card,
		reading @extschema@.im_reading)
	RETURNS TABLE (app_id bigint, groups bigint[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT g.app_id,
		@extschema@.im_group_days(g.app_id, g.group_id, g.created_at, g.disbanded_at, a.time_zone,
			s.since, s.until - 1)
	FROM unnest(($3).stale_apps, ($3).stale_first, ($3).stale_until) s(app_id, since, until)
	JOIN @extschema@.im_app_cards($2) a ON a.app_id = s.app_id
	JOIN @extschema@.im_group g ON g.app_id = s.app_id
		AND g.created_at < @extschema@.im_utc_midnight(s.until + 1)
		AND g.created_at < @extschema@.im_utc_midnight(($3).stale_high + 1)
	WHERE ($3).stale_apps IS NOT NULL AND s.since >= $1 AND a.time_zone IS NOT NULL
		AND (g.disbanded_at IS NULL
			OR g.disbanded_at >= @extschema@.im_utc_midnight(s.since - 1)
			OR g.created_at >= @extschema@.im_utc_midnight(s.since - 1))
	GROUP BY g.app_id, s.since
$$;
COMMENT ON FUNCTION @extschema@.im_stale_groups(date, @extschema@.im_rate_card, @extschema@.im_reading) IS
'Peak groups of the stale days of single apps from a day on, an array for each span.';

CREATE FUNCTION @extschema@.im_stale_checks(first date, card @extschema@.im_rate_card,
		reading @extschema@.im_reading)
	RETURNS TABLE (app_id bigint, checks bigint[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT k.app_id,
		@extschema@.im_check_days(k.app_id, k.at, k.kind, k.seconds, a.time_zone, s.since, s.until - 1)
	FROM unnest(($3).stale_apps, ($3).stale_first, ($3).stale_until) s(app_id, since, until)
	JOIN @extschema@.im_app_cards($2) a ON a.app_id = s.app_id
	JOIN @extschema@.im_moderation_check k ON k.app_id = s.app_id
		AND k.at >= @extschema@.im_utc_midnight(s.since - 1)
		AND k.at < @extschema@.im_utc_midnight(s.until + 1)
		AND k.at >= @extschema@.im_utc_midnight(($3).stale_low - 1)
		AND k.at < @extschema@.im_utc_midnight(($3).stale_high + 1)
	WHERE ($3).stale_apps IS NOT NULL AND a.time_zone IS NOT NULL
	GROUP BY k.app_id, s.since
$$;
COMMENT ON FUNCTION @extschema@.im_stale_checks(date, @extschema@.im_rate_card, @extschema@.im_reading) IS
'Moderation checks of the stale days of single apps, an array for each span.';

CREATE FUNCTION @extschema@.im_stale_calls(first date, card @extschema@.im_rate_card,
		reading @extschema@.im_reading)
	RETURNS TABLE (app_id bigint, calls bigint[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT k.app_id,
		@extschema@.im_call_days(k.app_id, k.at, k.class, k.seconds, a.time_zone, s.since, s.until - 1)
	FROM unnest(($3).stale_apps, ($3).stale_first, ($3).stale_until) s(app_id, since, until)
	JOIN @extschema@.im_app_cards($2) a ON a.app_id = s.app_id
	JOIN @extschema@.im_call k ON k.app_id = s.app_id
		AND k.at >= @extschema@.im_utc_midnight(s.since - 1)
		AND k.at < @extschema@.im_utc_midnight(s.until + 1)
		AND k.at >= @extschema@.im_utc_midnight(($3).stale_low - 1)
		AND k.at < @extschema@.im_utc_midnight(($3).stale_high + 1)
	WHERE ($3).stale_apps IS NOT NULL AND a.time_zone IS NOT NULL
	GROUP BY k.app_id, s.since
$$;
COMMENT ON FUNCTION @extschema@.im_stale_calls(date, @extschema@.im_rate_card, @extschema@.im_reading) IS
'Call minutes of the stale days of single apps, an array for each span.';

CREATE FUNCTION @extschema@.im_gather_stale_groups(first date, card @extschema@.im_rate_card,
		reading @extschema@.im_reading)
	RETURNS TABLE (app_id bigint, groups bigint[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT s.app_id, @extschema@.im_join_usage(s.groups)
	FROM @extschema@.im_stale_groups($1, $2, $3) s
	GROUP BY s.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_gather_stale_groups(date, @extschema@.im_rate_card, @extschema@.im_reading) IS
'Peak groups of the stale days of single apps, by app.';

CREATE FUNCTION @extschema@.im_gather_stale_checks(first date, card @extschema@.im_rate_card,
		reading @extschema@.im_reading)
	RETURNS TABLE (app_id bigint, checks bigint[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT s.app_id, @extschema@.im_join_usage(s.checks)
	FROM @extschema@.im_stale_checks($1, $2, $3) s
	GROUP BY s.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_gather_stale_checks(date, @extschema@.im_rate_card, @extschema@.im_reading) IS
'Moderation checks of the stale days of single apps, by app.';

CREATE FUNCTION @extschema@.im_gather_stale_calls(first date, card @extschema@.im_rate_card,
		reading @extschema@.im_reading)
	RETURNS TABLE (app_id bigint, calls bigint[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT s.app_id, @extschema@.im_join_usage(s.calls)
	FROM @extschema@.im_stale_calls($1, $2, $3) s
	GROUP BY s.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_gather_stale_calls(date, @extschema@.im_rate_card, @extschema@.im_reading) IS
'Call minutes of the stale days of single apps, by app.';

-- Inlined, so that without bounds nothing is left of it, and with bounds an
-- index can serve it.
CREATE FUNCTION @extschema@.im_is_among(app_id bigint, low_app bigint, high_app bigint) RETURNS boolean
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN low_app IS NULL OR app_id BETWEEN low_app AND high_app;
COMMENT ON FUNCTION @extschema@.im_is_among(bigint, bigint, bigint) IS
'Whether an app is one of those from low_app through high_app; all are where low_app is null.';

-- The planner carries an equality from one table to the next, but not the
-- bounds of a range: each table is told.
CREATE FUNCTION @extschema@.im_gather_among(first date, until date, card @extschema@.im_rate_card,
		reading @extschema@.im_reading, low_app bigint, high_app bigint)
	RETURNS TABLE (
		app_id bigint, card_name text, orders @extschema@.im_order_entry[],
		suspensions daterange[], preview boolean,
		since date, daily bigint[], logins bigint[], groups bigint[], checks bigint[],
		calls bigint[], user_days date[], users @extschema@.im_userset[], currency text)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT a.app_id, a.card_name, o.orders, s.suspensions,
		$3 IS NOT NULL, coalesce(e.since, $1),
		-- rating adds up the four of metered usage; what is packed stands alone
		coalesce(d.daily, x.daily), l.logins || k.logins,
		g.groups || c.calls || vg.groups || vc.calls, m.checks || vm.checks,
		coalesce(d.metered, x.metered),
		-- what stands behind the null is of events, which count only on days
		-- without figures of the users' own
		CASE WHEN a.prices_mau THEN coalesce(d.user_days, x.user_days) || NULL::date || l.user_days || k.user_days END,
		CASE WHEN a.prices_mau THEN coalesce(d.users, x.users) || NULL::@extschema@.im_userset || l.users || k.users END,
		a.currency
	FROM @extschema@.im_app_cards($3) a
	LEFT JOIN @extschema@.im_app_orders(@extschema@.im_utc_midnight($2 + 1)) o
		ON o.app_id = a.app_id AND @extschema@.im_is_among(o.app_id, $5, $6)
	LEFT JOIN @extschema@.im_app_suspensions() s
		ON s.app_id = a.app_id AND @extschema@.im_is_among(s.app_id, $5, $6)
	LEFT JOIN unnest(($4).early_apps, ($4).early_since) e(app_id, since)
		ON e.app_id = a.app_id AND @extschema@.im_is_among(e.app_id, $5, $6)
	LEFT JOIN @extschema@.im_gather_daily($1, $2, $4) d
		ON d.app_id = a.app_id AND @extschema@.im_is_among(d.app_id, $5, $6)
	LEFT JOIN @extschema@.im_gather_special_daily($1, $2, $4) x
		ON x.app_id = a.app_id AND @extschema@.im_is_among(x.app_id, $5, $6)
	LEFT JOIN @extschema@.im_gather_logins($3, $4) l
		ON l.app_id = a.app_id AND @extschema@.im_is_among(l.app_id, $5, $6)
	LEFT JOIN @extschema@.im_gather_groups($3, $4) g
		ON g.app_id = a.app_id AND @extschema@.im_is_among(g.app_id, $5, $6)
	LEFT JOIN @extschema@.im_gather_checks($3, $4) m
		ON m.app_id = a.app_id AND @extschema@.im_is_among(m.app_id, $5, $6)
	LEFT JOIN @extschema@.im_gather_calls($3, $4) c
		ON c.app_id = a.app_id AND @extschema@.im_is_among(c.app_id, $5, $6)
	LEFT JOIN @extschema@.im_gather_stale_logins($1, $3, $4) k
		ON k.app_id = a.app_id AND @extschema@.im_is_among(k.app_id, $5, $6)
	LEFT JOIN @extschema@.im_gather_stale_groups($1, $3, $4) vg
		ON vg.app_id = a.app_id AND @extschema@.im_is_among(vg.app_id, $5, $6)
	LEFT JOIN @extschema@.im_gather_stale_checks($1, $3, $4) vm
		ON vm.app_id = a.app_id AND @extschema@.im_is_among(vm.app_id, $5, $6)
	LEFT JOIN @extschema@.im_gather_stale_calls($1, $3, $4) vc
		ON vc.app_id = a.app_id AND @extschema@.im_is_among(vc.app_id, $5, $6)
	WHERE @extschema@.im_is_among(a.app_id, $5, $6)
$$;
COMMENT ON FUNCTION @extschema@.im_gather_among(date, date, @extschema@.im_rate_card, @extschema@.im_reading, bigint, bigint) IS
'Each app from low_app through high_app, or (null) each, with all values that its bill of the month [first, until) is a function of, read as im_reading() says; with a card given, under that card.';

CREATE FUNCTION @extschema@.im_gather(first date, until date, card @extschema@.im_rate_card,
		reading @extschema@.im_reading)
	RETURNS TABLE (
		app_id bigint, card_name text, orders @extschema@.im_order_entry[],
		suspensions daterange[], preview boolean,
		since date, daily bigint[], logins bigint[], groups bigint[], checks bigint[],
		calls bigint[], user_days date[], users @extschema@.im_userset[], currency text)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT g.* FROM @extschema@.im_gather_among($1, $2, $3, $4, NULL, NULL) g
$$;
COMMENT ON FUNCTION @extschema@.im_gather(date, date, @extschema@.im_rate_card, @extschema@.im_reading) IS
'im_gather_among() of all apps.';

-- The same from events alone, metered or not.
CREATE FUNCTION @extschema@.im_gather(first date, until date, card @extschema@.im_rate_card,
		early_apps bigint[], early_since date[])
	RETURNS TABLE (
		app_id bigint, card_name text, orders @extschema@.im_order_entry[],
		suspensions daterange[], preview boolean,
		since date, daily bigint[], logins bigint[], groups bigint[], checks bigint[],
		calls bigint[], user_days date[], users @extschema@.im_userset[], currency text)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT g.*
	FROM @extschema@.im_gather($1, $2, $3, ROW($1, $2, $4, $5, $4, $5,
		(SELECT array_agg($1) FROM unnest($4)), (SELECT min(s) FROM unnest($5) s), $1, NULL)::@extschema@.im_reading) g
$$;
COMMENT ON FUNCTION @extschema@.im_gather(date, date, @extschema@.im_rate_card, bigint[], date[]) IS
'im_gather() that reads events only; early_apps and early_since are what im_early_usage() gives.';

-- Usage whose app is not in im_app has no card; its days are those of the
-- default card's zone.
CREATE FUNCTION @extschema@.im_orphaned_usage(first date, until date)
	RETURNS TABLE (app_id bigint, usage bigint[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT d.app_id,
		@extschema@.im_usage_agg(d.app_id, d.day, d.dau, d.peak_groups,
			d.text_checks, d.image_checks, d.audio_half_minutes, d.video_half_minutes,
			d.audio_minutes, d.sd_minutes, d.hd_minutes, d.fhd_minutes)
	FROM @extschema@.im_usage_daily d
	WHERE d.day >= $1 AND d.day < $2 AND d.metered_at IS NULL
		AND NOT EXISTS (SELECT FROM @extschema@.im_app a WHERE a.app_id = d.app_id)
	GROUP BY d.app_id
	UNION ALL
	SELECT l.app_id,
		@extschema@.im_usage_agg(l.app_id, l.day, l.dau,
			NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
	FROM (SELECT k.app_id, @extschema@.im_day(k.at, 'Asia/Shanghai') AS day,
				 @extschema@.im_dau(k.user_id) AS dau
		  FROM @extschema@.im_login k
		  WHERE k.at >= @extschema@.im_utc_midnight($1 - 1)
			AND k.at < @extschema@.im_utc_midnight($2 + 1)
			AND NOT EXISTS (SELECT FROM @extschema@.im_app a WHERE a.app_id = k.app_id)
		  GROUP BY k.app_id, @extschema@.im_day(k.at, 'Asia/Shanghai')) l
	WHERE l.day >= $1 AND l.day < $2
	GROUP BY l.app_id
	UNION ALL
	SELECT g.app_id,
		@extschema@.im_group_days(g.app_id, g.group_id, g.created_at, g.disbanded_at, 'Asia/Shanghai',
			$1, $2 - 1)
	FROM @extschema@.im_group g
	WHERE g.created_at < @extschema@.im_utc_midnight($2 + 1)
		AND (g.disbanded_at IS NULL OR g.disbanded_at >= @extschema@.im_utc_midnight($1 - 1))
		AND NOT EXISTS (SELECT FROM @extschema@.im_app a WHERE a.app_id = g.app_id)
	GROUP BY g.app_id
	UNION ALL
	SELECT m.app_id,
		@extschema@.im_check_days(m.app_id, m.at, m.kind, m.seconds, 'Asia/Shanghai', $1, $2 - 1)
	FROM @extschema@.im_moderation_check m
	WHERE m.at >= @extschema@.im_utc_midnight($1 - 1)
		AND m.at < @extschema@.im_utc_midnight($2 + 1)
		AND NOT EXISTS (SELECT FROM @extschema@.im_app a WHERE a.app_id = m.app_id)
	GROUP BY m.app_id
	UNION ALL
	SELECT c.app_id,
		@extschema@.im_call_days(c.app_id, c.at, c.class, c.seconds, 'Asia/Shanghai', $1, $2 - 1)
	FROM @extschema@.im_call c
	WHERE c.at >= @extschema@.im_utc_midnight($1 - 1)
		AND c.at < @extschema@.im_utc_midnight($2 + 1)
		AND NOT EXISTS (SELECT FROM @extschema@.im_app a WHERE a.app_id = c.app_id)
	GROUP BY c.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_orphaned_usage(date, date) IS
'Usage of the month [first, until) whose app is not in im_app.';

-- The same of some apps.  A condition on a list of apps does not reach the raw
-- tables through the grouping of each; so the plan follows each app through
-- the index of every table, and touches no row of another one.
CREATE FUNCTION @extschema@.im_early_usage_of(apps bigint[], first date, until date,
		card @extschema@.im_rate_card, book @extschema@.im_price_book)
	RETURNS TABLE (app_id bigint, since date)
	LANGUAGE plpgsql STABLE ROWS 10
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
BEGIN
	RETURN QUERY
	SELECT e.*
	FROM unnest($1) a
	CROSS JOIN LATERAL (
		SELECT u.app_id, u.since
		FROM @extschema@.im_early_usage($2, $3, $4, $5) u
		WHERE u.app_id = a
		OFFSET 0) e;
END
$$;
COMMENT ON FUNCTION @extschema@.im_early_usage_of(bigint[], date, date, @extschema@.im_rate_card, @extschema@.im_price_book) IS
'im_early_usage() of the given apps.';

CREATE FUNCTION @extschema@.im_gather_of(apps bigint[], first date, until date,
		card @extschema@.im_rate_card, early_apps bigint[], early_since date[])
	RETURNS TABLE (
		app_id bigint, card_name text, orders @extschema@.im_order_entry[],
		suspensions daterange[], preview boolean,
		since date, daily bigint[], logins bigint[], groups bigint[], checks bigint[],
		calls bigint[], user_days date[], users @extschema@.im_userset[], currency text)
	LANGUAGE plpgsql STABLE ROWS 100
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	-- that of an app without packs and marks
	usual @extschema@.im_reading := @extschema@.im_reading($2, $3, $4, NULL);
	marked bigint[] := usual.stale_apps;
BEGIN
	usual.stale_apps := NULL;
	usual.stale_first := NULL;
	usual.stale_until := NULL;
	RETURN QUERY
	SELECT g.*
	FROM unnest($1) a
	LEFT JOIN unnest($5, $6) e(app_id, since) ON e.app_id = a
	CROSS JOIN LATERAL (
		SELECT CASE WHEN e.since IS NULL AND (marked IS NULL OR a <> ALL (marked)) THEN usual
			ELSE @extschema@.im_reading_of($2, $3, $4,
				CASE WHEN e.since IS NOT NULL THEN ARRAY[a] END,
				CASE WHEN e.since IS NOT NULL THEN ARRAY[e.since] END, a) END AS reading
		OFFSET 0) r
	CROSS JOIN LATERAL (
		SELECT *
		FROM @extschema@.im_gather($2, $3, $4, r.reading) i
		WHERE i.app_id = a
		OFFSET 0) g;
END
$$;
COMMENT ON FUNCTION @extschema@.im_gather_of(bigint[], date, date, @extschema@.im_rate_card, bigint[], date[]) IS
'im_gather() of the given apps; early_apps and early_since are what im_early_usage_of() gives.';

-- im_create_tables(): tables that are the user's, not the extension's.
--
-- What the tables consist of is told as data below, and the function adds
-- whatever is missing: a table, a column of a newer version, a key, an index,
-- a trigger that a DROP EXTENSION CASCADE took.  It changes no row.

CREATE FUNCTION @extschema@.im_table_definitions()
	RETURNS TABLE (table_name text, description text)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT * FROM (VALUES
			('im_rate_card_version', 'Versions of price lists; edit them by adding a version.'),
			('im_app', 'Apps (SDKAppID); each is billed on its own.'),
			('im_order', 'Append-only log of purchases, upgrades, refunds and switches; the rules are checked per app at the end of the transaction.'),
			('im_suspension', 'Days on which an app is out of service.'),
			('im_login', 'Raw logins; a user counts once a day.'),
			('im_group', 'Groups from creation until disbanded.'),
			('im_moderation_check', 'Raw checks of cloud moderation.'),
			('im_call', 'Raw audio and video calls.'),
			('im_load', 'Batches that were loaded: a row inserted in the transaction of a load makes the same batch fail the second time.'),
			('im_usage_daily', 'Daily figures of an app; a row of the users is the truth for its day, null figures are 0.'),
			-- metering
			('im_metered_day', 'Days that im_meter() has metered for all apps.'),
			('im_usage_mark', 'What changed since it was metered; written by triggers.'),
			('im_metered_partition', 'The tables and partitions that im_meter() has read.'),
			-- the ledger
			('im_invoice', 'Documents as issued: invoices and their notes. Append-only; each digest covers the document, its lines and the app''s document before it.'),
			('im_invoice_line', 'The lines of those documents as issued. Append-only.'),
			('im_closing', 'Which apps of a month are closed and how many invoices they got, a row a batch. Append-only.'),
			-- roles
			('im_role_grant', 'Has no rows: im_grant() makes a role of a kind by REFERENCES on the column of that name.')
	) AS t(table_name, description)
$$;
COMMENT ON FUNCTION @extschema@.im_table_definitions() IS
'The tables that im_create_tables() makes.';

CREATE FUNCTION @extschema@.im_column_definitions()
	RETURNS TABLE (table_name text, column_name text, definition text, description text)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT * FROM (VALUES
			('im_rate_card_version', 'rate_card', 'text NOT NULL', 'Name of the price list.'),
			('im_rate_card_version', 'effective_from', 'date NOT NULL', 'First day on which this version is in force.'),
			('im_rate_card_version', 'terms', 'jsonb NOT NULL', 'The price list, checked as im_rate_card; see the README for its keys.'),
			('im_app', 'app_id', 'bigint NOT NULL', 'The SDKAppID.'),
			('im_app', 'name', 'text NOT NULL', 'A name for people.'),
			('im_app', 'rate_card', 'text NOT NULL DEFAULT ''cn''', 'The price list that bills the app.'),
			('im_app', 'opened_at', 'timestamptz NOT NULL DEFAULT now()', 'When the app was opened; bills do not depend on it.'),
			('im_app', 'tenant', 'name', 'Null, or the role of the customer, who may ask about the app once im_grant() made it a tenant.'),
			('im_order', 'app_id', 'bigint NOT NULL', 'The app that orders.'),
			('im_order', 'order_id', 'bigint NOT NULL', 'The number that the caller gave it, unique within the app.'),
			('im_order', 'at', 'timestamptz NOT NULL', 'When it was placed.'),
			('im_order', 'action', 'text NOT NULL', 'buy, upgrade, refund, on or off.'),
			('im_order', 'item', 'text NOT NULL', 'plan, an add-on, local_moderation, moderation_pack, moderation; of a refund the refunded item.'),
			('im_order', 'option', 'text NOT NULL DEFAULT ''''', 'Plan name, add-on option or pack name.'),
			('im_order', 'months', 'integer', 'Months bought; null for packs and for what is no purchase.'),
			('im_order', 'quantity', 'integer NOT NULL DEFAULT 1', 'Packs bought; 1 for everything else.'),
			('im_order', 'refunds', 'bigint', 'order_id that a refund takes back.'),
			('im_order', 'paid', 'numeric', 'Agreed amount instead of the price of the card, in its currency.'),
			('im_suspension', 'app_id', 'bigint NOT NULL', 'The app.'),
			('im_suspension', 'days', 'daterange NOT NULL', 'Suspended days; no upper bound while it lasts.'),
			('im_suspension', 'reason', 'text NOT NULL', 'arrears, refund or violation.'),
			('im_login', 'app_id', 'bigint NOT NULL', 'The app.'),
			('im_login', 'user_id', 'text NOT NULL', 'The id by which the customer knows the user, compared byte by byte.'),
			('im_login', 'at', 'timestamptz NOT NULL', 'When.'),
			('im_group', 'app_id', 'bigint NOT NULL', 'The app.'),
			('im_group', 'group_id', 'text NOT NULL', 'The id by which the customer knows the group.'),
			('im_group', 'created_at', 'timestamptz NOT NULL', 'The group exists from this instant, included.'),
			('im_group', 'disbanded_at', 'timestamptz', 'It exists until this instant, excluded; null while it exists.'),
			('im_moderation_check', 'app_id', 'bigint NOT NULL', 'The app.'),
			('im_moderation_check', 'at', 'timestamptz NOT NULL', 'When; audio and video are summed per clock hour.'),
			('im_moderation_check', 'kind', 'text NOT NULL', 'text, image, audio or video.'),
			('im_moderation_check', 'seconds', 'integer', 'Length of audio and video, in seconds.'),
			('im_moderation_check', 'scene', 'text', 'Where: single chat, group chat, profile.'),
			('im_call', 'app_id', 'bigint NOT NULL', 'The app.'),
			('im_call', 'at', 'timestamptz NOT NULL', 'When.'),
			('im_call', 'class', 'text NOT NULL', 'audio, sd, hd or fhd.'),
			('im_call', 'seconds', 'integer NOT NULL', 'Length in seconds.'),
			('im_call', 'user_id', 'text', 'Who called.'),
			('im_load', 'source', 'text NOT NULL', 'Where the batch came from.'),
			('im_load', 'batch', 'text NOT NULL', 'Its name there.'),
			('im_load', 'at', 'timestamptz NOT NULL DEFAULT now()', 'When it was loaded.'),
			('im_usage_daily', 'app_id', 'bigint NOT NULL', 'The app.'),
			('im_usage_daily', 'day', 'date NOT NULL', 'Day in the time zone of the app''s rate card.'),
			('im_usage_daily', 'dau', 'bigint', 'Distinct users that logged in.'),
			('im_usage_daily', 'users', '@extschema@.im_userset', 'Those users; needed where the card prices users of the month.'),
			('im_usage_daily', 'peak_groups', 'bigint', 'Most groups existing at one moment.'),
			('im_usage_daily', 'text_checks', 'bigint', 'Texts checked.'),
			('im_usage_daily', 'image_checks', 'bigint', 'Images checked.'),
			('im_usage_daily', 'audio_half_minutes', 'bigint', 'Half minutes of audio checked, each clock hour rounded down.'),
			('im_usage_daily', 'video_half_minutes', 'bigint', 'Half minutes of video checked, each clock hour rounded down.'),
			('im_usage_daily', 'audio_minutes', 'bigint', 'Minutes of audio calls, started ones counted.'),
			('im_usage_daily', 'sd_minutes', 'bigint', 'Minutes of sd video calls.'),
			('im_usage_daily', 'hd_minutes', 'bigint', 'Minutes of hd video calls.'),
			('im_usage_daily', 'fhd_minutes', 'bigint', 'Minutes of fhd video calls.'),
			('im_usage_daily', 'metered_at', 'timestamptz', 'When the extension metered the row; null for rows of users.'),
			-- metering
			('im_metered_day', 'day', 'date NOT NULL', 'Day in the time zone of each app.'),
			('im_metered_day', 'metered_at', 'timestamptz', 'When it was metered; null: that counts no more.'),
			('im_usage_mark', 'app_id', 'bigint', 'The app; null: all apps.'),
			('im_usage_mark', 'since', 'timestamptz NOT NULL', 'First instant of what changed.'),
			('im_usage_mark', 'until', 'timestamptz NOT NULL', 'Last instant of what changed.'),
			('im_metered_partition', 'table_name', 'text NOT NULL', 'The table that it is or belongs to.'),
			('im_metered_partition', 'partition', 'oid NOT NULL', 'The table or partition.'),
			('im_metered_partition', 'filenode', 'oid NOT NULL', 'Its filenode, which TRUNCATE replaces; 0 for foreign tables, which are always read.'),
			('im_metered_partition', 'since', 'timestamptz NOT NULL', 'First instant that its rows can count on.'),
			('im_metered_partition', 'until', 'timestamptz NOT NULL', 'Instant until which they can, exclusive.'),
			('im_metered_partition', 'first_event', 'timestamptz', 'First event found in it when im_meter() looked for days to meter; null: it did not look.'),
			('im_metered_partition', 'last_event', 'timestamptz', 'Last event found then.'),
			-- the ledger
			('im_invoice', 'app_id', 'bigint NOT NULL', 'The app that pays.'),
			('im_invoice', 'month', 'date NOT NULL', 'First day of the usage month.'),
			('im_invoice', 'revision', 'integer NOT NULL', '0 for the invoice, 1, 2, ... for its notes.'),
			('im_invoice', 'kind', 'text NOT NULL', 'invoice, credit_note (negative total) or debit_note.'),
			('im_invoice', 'currency', 'text NOT NULL', 'ISO 4217 code of total.'),
			('im_invoice', 'total', 'numeric NOT NULL', 'What the document comes to, in the places of the currency; all documents of a month together are the rounded total of its bill (R9).'),
			('im_invoice', 'issued_at', 'timestamptz NOT NULL', 'When; later than any document of the app before it.'),
			('im_invoice', 'rate_card', 'text NOT NULL', 'The price list of the app when it was issued.'),
			('im_invoice', 'card_from', 'date NOT NULL', 'First day of the version of it that rates usage of the month.'),
			('im_invoice', 'digest', 'bytea NOT NULL', 'SHA-256 over the document, its lines and the digest of the app''s document before it.'),
			('im_invoice_line', 'revision', 'integer NOT NULL', 'The document that the line is of.'),
			('im_invoice_line', 'app_id', 'bigint NOT NULL', 'The app that pays.'),
			('im_invoice_line', 'month', 'date NOT NULL', 'First day of the usage month.'),
			('im_invoice_line', 'line', 'integer NOT NULL', 'Number of the line in its document, from 1.'),
			('im_invoice_line', 'item', 'text NOT NULL', 'As in im_bill_line, as all that follows; in a note the difference to what was issued.'),
			('im_invoice_line', 'option', 'text NOT NULL', 'Plan, option, class or pack.'),
			('im_invoice_line', 'period', 'daterange NOT NULL', 'Days that the line pays for.'),
			('im_invoice_line', 'due_on', 'date NOT NULL', 'Day on which the amount falls due.'),
			('im_invoice_line', 'quantity', 'numeric NOT NULL', 'What was used or bought.'),
			('im_invoice_line', 'included', 'numeric NOT NULL', 'What a quota or packs covered.'),
			('im_invoice_line', 'billable', 'numeric NOT NULL', 'The rest.'),
			('im_invoice_line', 'units', 'numeric NOT NULL', 'What is multiplied by unit_price.'),
			('im_invoice_line', 'unit_price', 'numeric NOT NULL', 'Price of a unit.'),
			('im_invoice_line', 'amount', 'numeric NOT NULL', 'Exact, to at most 8 places.'),
			('im_invoice_line', 'currency', 'text NOT NULL', 'ISO 4217 code of amount.'),
			('im_invoice_line', 'explanation', 'text NOT NULL', 'How the amount came about.'),
			('im_closing', 'month', 'date NOT NULL', 'First day of the usage month.'),
			('im_closing', 'apps', 'int8multirange NOT NULL', 'The app_ids that are closed by this row, whether there is such an app or not.'),
			('im_closing', 'done', 'bigint NOT NULL', 'Apps of the batch.'),
			('im_closing', 'invoices', 'bigint NOT NULL', 'Invoices that the batch issued; one of im_adjust_month() closes no app, but may issue some.'),
			('im_closing', 'total', 'bigint NOT NULL', 'Apps to go through when this call began.'),
			('im_closing', 'begun_at', 'timestamptz NOT NULL', 'When this call began.'),
			('im_closing', 'closed_at', 'timestamptz NOT NULL', 'When the batch was closed.'),
			-- roles
			('im_role_grant', 'reader', 'boolean', 'REFERENCES on it: reads the bills and invoices of all apps.'),
			('im_role_grant', 'tenant', 'boolean', 'REFERENCES on it: reads those of the apps whose im_app.tenant it is.'),
			('im_role_grant', 'loader', 'boolean', 'REFERENCES on it: loads usage and orders.'),
			('im_role_grant', 'closer', 'boolean', 'REFERENCES on it: closes and adjusts months.')
	) AS t(table_name, column_name, definition, description)
$$;
COMMENT ON FUNCTION @extschema@.im_column_definitions() IS
'The columns of those tables.';

CREATE FUNCTION @extschema@.im_constraint_definitions()
	RETURNS TABLE (table_name text, constraint_name text, definition text)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT * FROM (VALUES
			('im_rate_card_version', 'im_rate_card_version_pkey', 'PRIMARY KEY (rate_card, effective_from)'),
			('im_rate_card_version', 'im_rate_card_version_terms_check', 'CHECK (terms::@extschema@.im_rate_card IS NOT NULL)'),
			('im_rate_card_version', 'im_rate_card_version_effective_from_check', 'CHECK (effective_from BETWEEN ''0001-01-01'' AND ''9999-12-31'')'),
			('im_app', 'im_app_pkey', 'PRIMARY KEY (app_id)'),
			('im_order', 'im_order_pkey', 'PRIMARY KEY (app_id, order_id)'),
			('im_order', 'im_order_app_id_fkey', 'FOREIGN KEY (app_id) REFERENCES @extschema@.im_app DEFERRABLE INITIALLY DEFERRED'),
			('im_order', 'im_order_names_check', 'CHECK (octet_length(action) <= 63 AND octet_length(item) <= 63 AND octet_length(option) <= 63)'),
			('im_suspension', 'im_suspension_app_id_fkey', 'FOREIGN KEY (app_id) REFERENCES @extschema@.im_app DEFERRABLE INITIALLY DEFERRED'),
			('im_suspension', 'im_suspension_days_check', 'CHECK (NOT isempty(days))'),
			('im_suspension', 'im_suspension_reason_check', 'CHECK (reason IN (''arrears'', ''refund'', ''violation''))'),
			('im_load', 'im_load_pkey', 'PRIMARY KEY (source, batch)'),
			('im_usage_daily', 'im_usage_daily_pkey', 'PRIMARY KEY (app_id, day)'),
			-- metering
			('im_metered_day', 'im_metered_day_pkey', 'PRIMARY KEY (day)'),
			('im_metered_partition', 'im_metered_partition_pkey', 'PRIMARY KEY (partition)'),
			-- the ledger
			('im_invoice', 'im_invoice_pkey', 'PRIMARY KEY (app_id, month, revision)'),
			('im_invoice', 'im_invoice_app_id_fkey', 'FOREIGN KEY (app_id) REFERENCES @extschema@.im_app DEFERRABLE INITIALLY DEFERRED'),
			('im_invoice', 'im_invoice_kind_check', 'CHECK (CASE kind WHEN ''invoice'' THEN revision = 0 WHEN ''credit_note'' THEN revision > 0 AND total < 0 WHEN ''debit_note'' THEN revision > 0 AND total >= 0 ELSE false END)'),
			('im_invoice', 'im_invoice_month_check', 'CHECK (isfinite(month) AND extract(day FROM month) = 1)'),
			('im_invoice_line', 'im_invoice_line_pkey', 'PRIMARY KEY (app_id, month, revision, line)'),
			('im_closing', 'im_closing_pkey', 'PRIMARY KEY (month, apps, closed_at)'),
			('im_role_grant', 'im_role_grant_empty_check', 'CHECK (false)')
	) AS t(table_name, constraint_name, definition)
$$;
COMMENT ON FUNCTION @extschema@.im_constraint_definitions() IS
'The keys and checks of those tables.';

CREATE FUNCTION @extschema@.im_index_definitions()
	RETURNS TABLE (table_name text, index_name text, definition text)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT * FROM (VALUES
			('im_suspension', 'im_suspension_app_id_idx', '(app_id)'),
			('im_app', 'im_app_tenant_idx', '(tenant)'),
			('im_login', 'im_login_app_id_at_idx', '(app_id, at)'),
			('im_group', 'im_group_app_id_created_at_idx', '(app_id, created_at)'),
			('im_moderation_check', 'im_moderation_check_app_id_at_idx', '(app_id, at)'),
			('im_call', 'im_call_app_id_at_idx', '(app_id, at)'),
			-- metering: a day of all apps is a slice of a table whose rows come in by time
			('im_login', 'im_login_at_idx', 'USING brin (at)'),
			('im_moderation_check', 'im_moderation_check_at_idx', 'USING brin (at)'),
			('im_call', 'im_call_at_idx', 'USING brin (at)'),
			('im_usage_daily', 'im_usage_daily_day_idx', 'USING brin (day)'),
			('im_usage_mark', 'im_usage_mark_app_id_idx', '(app_id)'),
			-- the ledger: its rows come in month by month
			('im_invoice', 'im_invoice_month_idx', 'USING brin (month)'),
			('im_invoice_line', 'im_invoice_line_month_idx', 'USING brin (month)')
	) AS t(table_name, index_name, definition)
$$;
COMMENT ON FUNCTION @extschema@.im_index_definitions() IS
'The indexes of those tables beside their keys: one app''s bill touches that app''s rows alone.';

-- Triggers of a row fire in the order of their names: an app is noted before
-- it is checked, which matters once constraints are immediate.
CREATE FUNCTION @extschema@.im_trigger_definitions()
	RETURNS TABLE (table_name text, trigger_name text, command text, events text, definition text)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT * FROM (VALUES
			('im_order', 'im_note_order', 'CREATE TRIGGER', 'AFTER INSERT', 'FOR EACH ROW EXECUTE FUNCTION @extschema@.im_order_note()'),
			('im_order', 'im_order_check', 'CREATE CONSTRAINT TRIGGER', 'AFTER INSERT', 'DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION @extschema@.im_order_check()'),
			('im_order', 'im_order_append_only', 'CREATE TRIGGER', 'BEFORE UPDATE OR DELETE', 'FOR EACH ROW EXECUTE FUNCTION @extschema@.im_append_only()'),
			('im_order', 'im_order_no_truncate', 'CREATE TRIGGER', 'BEFORE TRUNCATE', 'FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.im_append_only()'),
			('im_app', 'im_note_order', 'CREATE TRIGGER', 'AFTER UPDATE OF rate_card', 'FOR EACH ROW EXECUTE FUNCTION @extschema@.im_order_note()'),
			('im_app', 'im_order_check', 'CREATE CONSTRAINT TRIGGER', 'AFTER UPDATE OF rate_card', 'DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION @extschema@.im_order_check()'),
			('im_rate_card_version', 'im_rate_card_version_agree', 'CREATE TRIGGER', 'AFTER INSERT OR UPDATE', 'FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.im_card_versions_agree()'),
			-- the ledger
			('im_invoice', 'im_invoice_stays', 'CREATE TRIGGER', 'BEFORE UPDATE OR DELETE', 'FOR EACH ROW EXECUTE FUNCTION @extschema@.im_as_issued()'),
			('im_invoice', 'im_invoice_no_truncate', 'CREATE TRIGGER', 'BEFORE TRUNCATE', 'FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.im_as_issued()'),
			('im_invoice_line', 'im_invoice_line_stays', 'CREATE TRIGGER', 'BEFORE UPDATE OR DELETE', 'FOR EACH ROW EXECUTE FUNCTION @extschema@.im_as_issued()'),
			('im_invoice_line', 'im_invoice_line_no_truncate', 'CREATE TRIGGER', 'BEFORE TRUNCATE', 'FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.im_as_issued()'),
			('im_closing', 'im_closing_stays', 'CREATE TRIGGER', 'BEFORE UPDATE OR DELETE', 'FOR EACH ROW EXECUTE FUNCTION @extschema@.im_as_issued()'),
			('im_closing', 'im_closing_no_truncate', 'CREATE TRIGGER', 'BEFORE TRUNCATE', 'FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.im_as_issued()')
	) AS t(table_name, trigger_name, command, events, definition)
	UNION ALL
	SELECT * FROM @extschema@.im_mark_definitions()
$$;
COMMENT ON FUNCTION @extschema@.im_trigger_definitions() IS
'The triggers of those tables.';

CREATE FUNCTION @extschema@.im_add_columns() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
	SET client_min_messages = warning
AS $$
DECLARE
	owner name := @extschema@.im_owner_of_new();
	t record;
BEGIN
	FOR t IN SELECT * FROM @extschema@.im_table_definitions() LOOP
		IF to_regclass(format('%s.%I', '@extschema@', t.table_name)) IS NULL THEN
			EXECUTE format('CREATE TABLE %s.%I ()', '@extschema@', t.table_name);
			EXECUTE format('ALTER TABLE %s.%I OWNER TO %I', '@extschema@', t.table_name, owner);
		END IF;
		EXECUTE format('COMMENT ON TABLE %s.%I IS %L', '@extschema@', t.table_name, t.description);
	END LOOP;
	FOR t IN SELECT * FROM @extschema@.im_column_definitions() LOOP
		EXECUTE format('ALTER TABLE %s.%I ADD COLUMN IF NOT EXISTS %I %s',
			'@extschema@', t.table_name, t.column_name, t.definition);
		EXECUTE format('COMMENT ON COLUMN %s.%I.%I IS %L',
			'@extschema@', t.table_name, t.column_name, t.description);
	END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.im_add_columns() IS
'Adds the tables and columns that are missing.';

CREATE FUNCTION @extschema@.im_add_constraints() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
	SET client_min_messages = warning
AS $$
DECLARE
	t record;
BEGIN
	FOR t IN
		SELECT d.*
		FROM @extschema@.im_constraint_definitions() d
		WHERE NOT EXISTS (
			SELECT FROM pg_constraint c
			WHERE c.conrelid = format('%s.%I', '@extschema@', d.table_name)::regclass
				AND c.conname = d.constraint_name)
		-- keys before what refers to them
		ORDER BY d.definition LIKE 'FOREIGN KEY%'
	LOOP
		EXECUTE format('ALTER TABLE %s.%I ADD CONSTRAINT %I %s',
			'@extschema@', t.table_name, t.constraint_name, t.definition);
	END LOOP;
	FOR t IN SELECT * FROM @extschema@.im_index_definitions() LOOP
		EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON %s.%I %s',
			t.index_name, '@extschema@', t.table_name, t.definition);
	END LOOP;
	-- rows without a key can be replicated only by all their columns
	FOR t IN
		SELECT c.oid::regclass AS leaf
		FROM @extschema@.im_table_definitions() d,
			to_regclass(format('%s.%I', '@extschema@', d.table_name)) r
		JOIN pg_class c ON c.oid = r OR c.oid IN (SELECT p.relid FROM pg_partition_tree(r) p)
		WHERE c.relreplident = 'd' AND c.relkind IN ('r', 'p')
			AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'p')
	LOOP
		EXECUTE format('ALTER TABLE %s REPLICA IDENTITY FULL', t.leaf);
	END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.im_add_constraints() IS
'Adds the keys, checks and indexes that are missing.';

CREATE FUNCTION @extschema@.im_add_triggers() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	t record;
	unwatched boolean := false;
BEGIN
	FOR t IN
		SELECT d.*, format('%s.%I', '@extschema@', d.table_name)::regclass AS on_table
		FROM @extschema@.im_trigger_definitions() d
		WHERE NOT EXISTS (
			SELECT FROM pg_trigger g
			WHERE g.tgrelid = format('%s.%I', '@extschema@', d.table_name)::regclass
				AND g.tgname = d.trigger_name)
	LOOP
		PERFORM @extschema@.im_add_trigger(t.on_table, t.trigger_name, t.command, t.events, t.definition);
		unwatched := unwatched OR t.trigger_name LIKE 'im\_mark\_%';
	END LOOP;
	unwatched := @extschema@.im_watch_partitions() OR unwatched;
	unwatched := @extschema@.im_wake_marks() OR unwatched;
	-- what was loaded without the triggers was not marked
	IF unwatched AND EXISTS (SELECT FROM @extschema@.im_metered_day d WHERE d.metered_at IS NOT NULL) THEN
		PERFORM @extschema@.im_forget_metering();
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_add_triggers() IS
'Adds the triggers that are missing, to partitions too. If one was missing or disabled that marks changes, what was metered counts no more.';

-- A row inserted into a table that somebody else made runs the triggers that
-- he put on it, with the rights of whoever inserts.
CREATE FUNCTION @extschema@.im_need_own_table(name text) RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	owner name := (SELECT pg_get_userbyid(c.relowner) FROM pg_class c
				   WHERE c.oid = format('%s.%I', '@extschema@', $1)::regclass);
BEGIN
	IF owner <> current_user THEN
		RAISE EXCEPTION USING
			ERRCODE = 'insufficient_privilege',
			MESSAGE = format('table %s belongs to role "%s"', $1, owner),
			DETAIL = 'The bundled rate cards are written by the owner only: triggers of the table run with the rights of who writes.',
			HINT = format('SET ROLE %I first, or call im_create_tables(false).', owner);
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_need_own_table(text) IS
'Raises 42501 unless the table belongs to the current role.';

CREATE FUNCTION @extschema@.im_create_tables(with_cards boolean DEFAULT true) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM @extschema@.im_add_columns();
	PERFORM @extschema@.im_add_constraints();
	PERFORM @extschema@.im_add_triggers();
	PERFORM @extschema@.im_guard_ledger();
	PERFORM @extschema@.im_add_functions();
	PERFORM @extschema@.im_add_views();
	PERFORM @extschema@.im_grant_again();
	-- a price list that has rows is the user's: nothing of it comes back unasked
	IF $1 AND NOT EXISTS (SELECT FROM @extschema@.im_rate_card_version) THEN
		PERFORM @extschema@.im_need_own_table('im_rate_card_version');
		INSERT INTO @extschema@.im_rate_card_version (rate_card, effective_from, terms)
		SELECT b.rate_card, b.effective_from, b.terms
		FROM @extschema@.im_bundled_cards() b;
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_create_tables(boolean) IS
'Creates the tables in the extension''s schema, owned by the caller, the views for BI and the functions that answer readers and tenants, and fills an empty im_rate_card_version with the bundled cards. Run again it adds what is missing and changes no row. Errors: 42501 without CREATE on the schema, where the cards would go into a table of another role, or where a function of one of its names belongs to another role.';

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
	PERFORM @extschema@.im_day('2000-01-01 00:00+00', $4);
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
$$;
COMMENT ON FUNCTION @extschema@.im_partition_slots(date, date, interval, text) IS
'The partitions from a day until another, each with its first day and its bounds: midnights of the zone.';

-- What a table has beside its columns, as statements that give it to the
-- table that takes its name.
CREATE FUNCTION @extschema@.im_table_trimmings(parent regclass) RETURNS SETOF text
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT pg_get_indexdef(i.indexrelid)
	FROM pg_index i
	WHERE i.indrelid = $1
		AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid AND c.conrelid = $1)
	UNION ALL
	SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', $1, c.conname, pg_get_constraintdef(c.oid))
	FROM pg_constraint c
	WHERE c.conrelid = $1 AND c.contype IN ('p', 'u', 'f', 'x')
	UNION ALL
	SELECT pg_get_triggerdef(t.oid)
	FROM pg_trigger t
	WHERE t.tgrelid = $1 AND NOT t.tgisinternal
	UNION ALL
	-- its definition does not say in which replication roles a trigger fires
	SELECT format('ALTER TABLE %s %s TRIGGER %I', $1,
		CASE t.tgenabled WHEN 'A' THEN 'ENABLE ALWAYS' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'DISABLE' END, t.tgname)
	FROM pg_trigger t
	WHERE t.tgrelid = $1 AND NOT t.tgisinternal AND t.tgenabled <> 'O'
	UNION ALL
	SELECT format('GRANT %s ON %s TO %s%s', a.privilege_type, $1,
		CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
		CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
	FROM pg_class c, aclexplode(c.relacl) a
	WHERE c.oid = $1 AND a.grantee <> c.relowner
	UNION ALL
	SELECT format('GRANT %s (%I) ON %s TO %s%s', a.privilege_type, k.attname, $1,
		CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
		CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
	FROM pg_attribute k, aclexplode(k.attacl) a
	WHERE k.attrelid = $1
	UNION ALL
	SELECT format('COMMENT ON TABLE %s IS %L', $1, obj_description($1, 'pg_class'))
	UNION ALL
	SELECT format('ALTER TABLE %s OWNER TO %I', $1, pg_get_userbyid(c.relowner))
	FROM pg_class c
	WHERE c.oid = $1
$$;
COMMENT ON FUNCTION @extschema@.im_table_trimmings(regclass) IS
'Statements that give a new table of the same name the indexes, keys, triggers, grants, comment and owner of this one.';

-- Nothing of the user's may be lost with the table that is replaced.
CREATE FUNCTION @extschema@.im_check_replaceable(parent regclass) RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	obstacle text;
BEGIN
	SELECT o.what INTO obstacle
	FROM (SELECT format('view %s reads it', r.ev_class::regclass) AS what
		  FROM pg_depend d
		  JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
		  WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = $1 AND r.ev_class <> $1
		  UNION ALL
		  SELECT format('publication %I names it', p.pubname)
		  FROM pg_publication_rel k
		  JOIN pg_publication p ON p.oid = k.prpubid
		  WHERE k.prrelid = $1
		  UNION ALL
		  SELECT format('table %s inherits from it', i.inhrelid::regclass)
		  FROM pg_inherits i
		  WHERE i.inhparent = $1
		  UNION ALL
		  SELECT format('policy %I is on it', p.polname)
		  FROM pg_policy p
		  WHERE p.polrelid = $1
		  UNION ALL
		  SELECT format('foreign key %I of %s refers to it', c.conname, c.conrelid::regclass)
		  FROM pg_constraint c
		  WHERE c.confrelid = $1 AND c.contype = 'f') o
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = format('%s cannot be replaced by a partitioned table', $1),
			DETAIL = format('At least one thing would be lost with it: %s.', obstacle),
			HINT = 'Drop that, call im_partition(), and create it again.';
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_check_replaceable(regclass) IS
'Raises 55000 where something depends on a table that im_partition() would have to replace.';

CREATE FUNCTION @extschema@.im_add_partition(parent regclass, time_column name, name text,
		lower timestamptz, upper timestamptz)
	RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	leaf text := format('%s.%I', '@extschema@', $3);
	rest regclass := (SELECT nullif(p.partdefid, 0) FROM pg_partitioned_table p WHERE p.partrelid = $1);
BEGIN
	EXECUTE format('CREATE TABLE %s (LIKE %s INCLUDING ALL EXCLUDING INDEXES EXCLUDING STATISTICS)', leaf, $1);
	EXECUTE format('ALTER TABLE %s REPLICA IDENTITY FULL', leaf);
	-- rows that came before their partition wait in the default one
	IF rest IS NOT NULL THEN
		EXECUTE format('WITH moved AS (DELETE FROM %s WHERE %I >= %L AND %2$I < %4$L RETURNING *) '
			'INSERT INTO %s SELECT * FROM moved', rest, $2, $4, $5, leaf);
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
	EXECUTE format('ALTER TABLE %s REPLICA IDENTITY FULL', leaf);
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
	columns text;
	statement text;
	made integer;
BEGIN
	EXECUTE format('LOCK TABLE %s', $1);
	PERFORM @extschema@.im_check_replaceable($1);
	SELECT array_agg(t) INTO trimmings FROM @extschema@.im_table_trimmings($1) t;
	SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) INTO columns
	FROM pg_attribute a
	WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '';
	EXECUTE format('ALTER TABLE %s RENAME TO %I', full_name, old_name || '_unpartitioned');
	EXECUTE format('CREATE TABLE %s (LIKE %s INCLUDING ALL EXCLUDING INDEXES) PARTITION BY RANGE (%I)',
		full_name, $1, time_column);
	made := @extschema@.im_add_partitions(full_name::regclass, $2, $3, $4, $5);
	IF $2 < $3 THEN
		PERFORM @extschema@.im_add_default_partition(full_name::regclass, old_name || '_default');
	END IF;
	EXECUTE format('INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %2$s FROM %3$s', full_name, columns, $1);
	EXECUTE format('DROP TABLE %s', $1);
	FOREACH statement IN ARRAY trimmings LOOP
		EXECUTE statement;
	END LOOP;
	RETURN made;
END
$$;
COMMENT ON FUNCTION @extschema@.im_make_partitioned(regclass, date, date, interval, text) IS
'Replaces a raw table by a partitioned one with the same rows, indexes, triggers, grants and owner: the number of partitions made beside the default one.';

CREATE FUNCTION @extschema@.im_partition(parent regclass, since date, until date, step interval,
		zone text DEFAULT 'Asia/Shanghai')
	RETURNS integer
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
	SET client_min_messages = warning
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
	PERFORM @extschema@.im_watch_partitions();
	loaders := ARRAY(SELECT g.role FROM @extschema@.im_grants() g WHERE g.kind = 'loader');
	IF loaders <> '{}' THEN
		PERFORM @extschema@.im_change_privileges('GRANT', 'loader', loaders);
	END IF;
	RETURN made;
END
$$;
COMMENT ON FUNCTION @extschema@.im_partition(regclass, date, date, interval, text) IS
'Partitions a raw table by time, or adds partitions to one that is partitioned: one for each step (whole months or days) from a day until another, cut at midnights of the zone, and a default one for all other rows. Rows, indexes, triggers, grants and owner are kept. Gives the number of partitions made. Errors: 42809 for other tables, 22023 for days or steps out of order, 55000 where something depends on the table.';

-- The order log: rules checked per app at the end of the transaction.
--
-- An immediate trigger notes which apps a transaction ordered for; the first
-- deferred trigger to fire checks all of them in one query.  Before it reads
-- the logs it locks the apps' rows in im_app, in the order of app_id: two
-- transactions that order for one app are checked one after the other, and
-- the second one sees what the first has committed, whatever its isolation.

CREATE FUNCTION @extschema@.im_order_note() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION @extschema@.im_order_note() IS
'Trigger: notes that an app''s orders are to be checked at the end of the transaction.';

CREATE FUNCTION @extschema@.im_order_check() RETURNS trigger
	AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION @extschema@.im_order_check() IS
'Deferred trigger: checks the orders of every app noted in the transaction, once. Error 23514 with the rule that an order breaks.';

CREATE FUNCTION @extschema@.im_append_only() RETURNS trigger
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION USING
		ERRCODE = 'object_not_in_prerequisite_state',
		MESSAGE = format('%s is an append-only log: %s is refused', TG_TABLE_NAME, TG_OP),
		DETAIL = 'Bills were computed from its rows; what happened is corrected by a further row.',
		HINT = 'Insert a refund or another order instead.';
END
$$;
COMMENT ON FUNCTION @extschema@.im_append_only() IS
'Trigger: refuses UPDATE, DELETE and TRUNCATE with error 55000.';

CREATE FUNCTION @extschema@.im_card_versions_agree() RETURNS trigger
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	odd text;
BEGIN
	SELECT v.rate_card INTO odd
	FROM @extschema@.im_rate_card_version v
	GROUP BY v.rate_card
	HAVING count(DISTINCT (v.terms ->> 'time_zone', v.terms ->> 'currency', (v.terms ->> 'scale')::numeric)) > 1
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'check_violation',
			MESSAGE = format('the versions of rate card "%s" disagree', odd),
			DETAIL = 'All versions of a rate card share time_zone, currency and scale: a month cannot be cut by two calendars or summed in two currencies.',
			HINT = 'Give the other zone or currency a rate card of its own.';
	END IF;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION @extschema@.im_card_versions_agree() IS
'Trigger: refuses versions of one rate card that differ in time zone, currency or scale, with error 23514.';

-- These two run with the rights of the log's owner: debugging settings of the
-- session must not print their plans to whoever places the order.
CREATE FUNCTION @extschema@.im_lock_apps(apps bigint[]) RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
	SET client_min_messages = warning
AS $$
BEGIN
	PERFORM a.app_id
	FROM @extschema@.im_app a
	WHERE a.app_id = ANY ($1)
	ORDER BY a.app_id
	FOR NO KEY UPDATE;
	RETURN cardinality($1);
END
$$;
COMMENT ON FUNCTION @extschema@.im_lock_apps(bigint[]) IS
'Makes the writers of orders of these apps wait for each other until the end of the transaction, in the order of app_id.';

-- STABLE, so that it reads under the snapshot of its caller, which takes a
-- fresh one after the lock even in a transaction that must not see new rows.
CREATE FUNCTION @extschema@.im_verify_apps(apps bigint[]) RETURNS bigint
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
	SET client_min_messages = warning
AS $$
DECLARE
	checked bigint;
	book @extschema@.im_price_book := @extschema@.im_price_book(NULL);
BEGIN
	IF NOT EXISTS (SELECT FROM @extschema@.im_rate_card_version) THEN
		RAISE WARNING USING
			MESSAGE = format('the orders of %s apps are not checked: im_rate_card_version is empty', cardinality($1)),
			HINT = 'A data-only restore loads it after the orders; call im_check_orders() when all is loaded.';
		RETURN 0;
	END IF;
	SELECT count(*) FILTER (WHERE @extschema@.im_verify_orders(a.app_id, a.card_name, book,
								o.orders, NULL, false))
	INTO checked
	FROM @extschema@.im_app_cards(NULL) a
	JOIN (SELECT k.app_id,
				 array_agg(ROW(k.order_id, k.at, k.action, k.item, k.option, k.months, k.quantity,
							   k.refunds, k.paid)::@extschema@.im_order_entry
						   ORDER BY k.at, k.order_id) AS orders
		  FROM @extschema@.im_order k
		  WHERE k.app_id = ANY ($1)
		  GROUP BY k.app_id) o ON o.app_id = a.app_id
	WHERE a.app_id = ANY ($1);
	RETURN checked;
END
$$;
COMMENT ON FUNCTION @extschema@.im_verify_apps(bigint[]) IS
'Checks the order logs of the given apps: their number, or error 23514 with the rule that an order breaks.';

CREATE FUNCTION @extschema@.im_check_orders() RETURNS bigint
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	wrong bigint;
	checked bigint;
	example text;
	book @extschema@.im_price_book := @extschema@.im_price_book(NULL);
BEGIN
	SELECT count(*), count(p.problem), min(p.problem)
	INTO checked, wrong, example
	FROM (SELECT @extschema@.im_order_problem(a.app_id, a.card_name, book, a.orders,
					a.suspensions, false) AS problem
		  FROM @extschema@.im_app_accounts('9999-12-31', NULL) a
		  WHERE a.orders IS NOT NULL) p;
	IF wrong > 0 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'check_violation',
			MESSAGE = format('%s of %s apps with orders break a rule', wrong, checked),
			DETAIL = format('One of them: %s.', example),
			HINT = 'im_check(month) lists them all.';
	END IF;
	RETURN checked;
END
$$;
COMMENT ON FUNCTION @extschema@.im_check_orders() IS
'Checks the order logs of all apps, for use after a data-only restore: the number of apps with orders. Error 23514 if any breaks a rule.';

-- Bills: for one app, for all of them, and under another price list.
--
-- Their time goes into C functions: compiling the expressions around them
-- costs more than it saves, hence jit = off.

CREATE FUNCTION @extschema@.im_need_tables() RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF to_regclass('@extschema@.im_order') IS NULL
		OR to_regclass('@extschema@.im_rate_card_version') IS NULL
		OR to_regclass('@extschema@.im_closing') IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'undefined_table',
			MESSAGE = 'the tables of imbilling do not exist yet',
			DETAIL = 'The extension brings none: money records outlive it. A new version may need further ones.',
			HINT = 'Call im_create_tables() first.';
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_need_tables() IS
'Raises 42P01 before im_create_tables() was called.';

CREATE FUNCTION @extschema@.im_raise_no_app(app_id bigint) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION USING
		ERRCODE = 'no_data_found',
		MESSAGE = format('there is no app %s', $1),
		DETAIL = 'im_app has no row of it.',
		HINT = 'Insert the app, or correct the app_id.';
END
$$;
COMMENT ON FUNCTION @extschema@.im_raise_no_app(bigint) IS
'Raises P0002 for an app that im_app does not have, or does not have for the caller.';

CREATE FUNCTION @extschema@.im_need_app(app_id bigint) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM @extschema@.im_need_tables();
	IF NOT EXISTS (SELECT FROM @extschema@.im_app a WHERE a.app_id = $1) THEN
		PERFORM @extschema@.im_raise_no_app($1);
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_need_app(bigint) IS
'Raises P0002 if im_app has no such app.';

CREATE FUNCTION @extschema@.im_need_month(app_id bigint, month @extschema@.im_month) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	card text;
BEGIN
	SELECT a.rate_card INTO card FROM @extschema@.im_app a WHERE a.app_id = $1;
	IF NOT EXISTS (SELECT FROM @extschema@.im_rate_card_version v
				   WHERE v.rate_card = card AND v.effective_from <= $2::date) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'no_data_found',
			MESSAGE = format('rate card "%s" has no version in force on %s', card, to_char($2::date, 'YYYY-MM-DD')),
			DETAIL = format('App %s is billed by it, and a month is rated by the version in force on its first day.', $1),
			HINT = 'Add a version to im_rate_card_version that starts by then, or bill a later month.';
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_need_month(bigint, @extschema@.im_month) IS
'Raises P0002 if no version of the app''s rate card covers the month.';

-- The planner cannot know how few rows one app has, and compiling its plan
-- takes seconds where running it takes milliseconds: no JIT.  Planning takes
-- longer than running, and one plan serves every app and month: what a month
-- does not read is switched off in it when it begins to run.
CREATE FUNCTION @extschema@.im_rebill(app_id bigint, month @extschema@.im_month,
		card @extschema@.im_rate_card)
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 10
	SET search_path = pg_catalog, pg_temp
	SET jit = off
	SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
	first date := $2::date;
	until date := upper($2::daterange);
	book @extschema@.im_price_book := @extschema@.im_price_book($3);
	reading @extschema@.im_reading;
BEGIN
	PERFORM @extschema@.im_need_app($1);
	IF $3 IS NULL THEN
		PERFORM @extschema@.im_need_month($1, $2);
	END IF;
	reading := @extschema@.im_reading(first, until, $3, book, $1);
	RETURN QUERY
	SELECT l.*
	FROM @extschema@.im_gather(first, until, $3, reading) g,
		@extschema@.im_rate_lines(g.app_id, g.card_name, book, g.orders, g.suspensions,
			g.preview, $2, g.since, g.daily, g.logins, g.groups, g.checks,
			g.calls, g.user_days, g.users) l
	WHERE g.app_id = $1;
END
$$;
COMMENT ON FUNCTION @extschema@.im_rebill(bigint, @extschema@.im_month, @extschema@.im_rate_card) IS
'The bill of an app and month computed from the tables, under the given card or, if it is null, the app''s own.';

CREATE FUNCTION @extschema@.im_monthly_bill(app_id bigint, month @extschema@.im_month)
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 10
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF @extschema@.im_guarded('im_monthly_bill_guarded') THEN
		RETURN QUERY SELECT * FROM @extschema@.im_monthly_bill_guarded($1, $2);
		RETURN;
	END IF;
	PERFORM @extschema@.im_need_tables();
	IF EXISTS (SELECT FROM @extschema@.im_closing c WHERE c.month = $2::date AND c.apps @> $1) THEN
		PERFORM @extschema@.im_need_app($1);
		RETURN QUERY SELECT i.* FROM @extschema@.im_issued_lines($2::date) i WHERE i.app_id = $1 ORDER BY i.line;
	ELSE
		RETURN QUERY SELECT * FROM @extschema@.im_rebill($1, $2, NULL);
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_monthly_bill(bigint, @extschema@.im_month) IS
'The whole bill of a usage month of one app, a line a row, in the currency of its rate card; of a closed month the lines as issued, those of the invoice and its notes, numbered on. Errors: P0002 for an unknown app or a month that no card version covers; 22023 for a raw row that cannot be metered, named; 23514 for an order that the rules forbid.';

CREATE FUNCTION @extschema@.im_preview_bill(app_id bigint, month @extschema@.im_month,
		card @extschema@.im_rate_card)
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 10
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF @extschema@.im_guarded('im_preview_bill_guarded') THEN
		RETURN QUERY SELECT * FROM @extschema@.im_preview_bill_guarded($1, $2, $3);
		RETURN;
	END IF;
	RETURN QUERY SELECT * FROM @extschema@.im_rebill($1, $2, $3);
END
$$;
COMMENT ON FUNCTION @extschema@.im_preview_bill(bigint, @extschema@.im_month, @extschema@.im_rate_card) IS
'The bill of a month as it would be under another price list, which stands for every version. What the app holds and that card lacks is a line with null amount and the reason. Errors as im_monthly_bill().';

-- Tells a failed bill of all apps: how many cannot be right, and where to look.
CREATE FUNCTION @extschema@.im_raise_unbillable(month @extschema@.im_month, state text,
		message text, detail text)
	RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	wrong bigint;
BEGIN
	SELECT count(DISTINCT p.app_id) INTO wrong FROM @extschema@.im_problems($1) p WHERE p.fatal;
	RAISE EXCEPTION USING
		ERRCODE = $2,
		MESSAGE = CASE WHEN wrong = 0 THEN $3
			WHEN wrong = 1 THEN format('the bill of 1 app for %s cannot be right', $1)
			ELSE format('the bills of %s apps for %s cannot be right', wrong, $1) END,
		DETAIL = format('The first problem met: %s. %s', $3, $4),
		HINT = format('SELECT * FROM %s.im_check(%L) lists what to correct.', '@extschema@', $1::text);
END
$$;
COMMENT ON FUNCTION @extschema@.im_raise_unbillable(@extschema@.im_month, text, text, text) IS
'Raises the one error of a set-wise bill: with the number of apps that cannot be billed and the hint where they are listed.';

-- Without settings of their own, so that the planner inlines them.
CREATE FUNCTION @extschema@.im_rated_lines(month @extschema@.im_month,
		book @extschema@.im_price_book, reading @extschema@.im_reading,
		low_app bigint, high_app bigint)
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 100000
AS $$
	SELECT l.*
	FROM @extschema@.im_gather_among($1::date, upper($1::daterange), NULL, $3, $4, $5) g,
		@extschema@.im_rate_lines(g.app_id, g.card_name, $2, g.orders, g.suspensions,
			g.preview, $1, g.since, g.daily, g.logins, g.groups, g.checks,
			g.calls, g.user_days, g.users) l
$$;
COMMENT ON FUNCTION @extschema@.im_rated_lines(@extschema@.im_month, @extschema@.im_price_book, @extschema@.im_reading, bigint, bigint) IS
'The bills of a month of each app from low_app through high_app, or (null) of each, from the usage that im_reading() says.';

CREATE FUNCTION @extschema@.im_rated_totals(month @extschema@.im_month,
		book @extschema@.im_price_book, reading @extschema@.im_reading,
		low_app bigint, high_app bigint)
	RETURNS TABLE (app_id bigint, currency text, total numeric)
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 10000
AS $$
	SELECT t.app_id, t.currency, t.total
	FROM (SELECT g.app_id, g.currency,
				 @extschema@.im_rate_total(g.app_id, g.card_name, $2, g.orders, g.suspensions,
					g.preview, $1, g.since, g.daily, g.logins, g.groups, g.checks,
					g.calls, g.user_days, g.users) AS total
		  FROM @extschema@.im_gather_among($1::date, upper($1::daterange), NULL, $3, $4, $5) g
		  -- so that a total is computed once; a plain 0 has to be cast, and no
		  -- worker takes a query of which it is not plain that it has no offset
		  OFFSET bigint '0') t
	WHERE t.total IS NOT NULL
$$;
COMMENT ON FUNCTION @extschema@.im_rated_totals(@extschema@.im_month, @extschema@.im_price_book, @extschema@.im_reading, bigint, bigint) IS
'The totals of the same bills, of apps that have lines.';

CREATE FUNCTION @extschema@.im_usage_size() RETURNS numeric
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- a table that is not partitioned has no tree
	RETURN (SELECT sum(pg_relation_size(r.relid))
			FROM unnest('{im_usage_daily,im_login,im_group,im_moderation_check,im_call}'::text[]) t(name),
				LATERAL (SELECT to_regclass(format('%s.%I', '@extschema@', t.name))
						 UNION
						 SELECT p.relid
						 FROM pg_partition_tree(to_regclass(format('%s.%I', '@extschema@', t.name))) p) r(relid));
END
$$;
COMMENT ON FUNCTION @extschema@.im_usage_size() IS
'The bytes of the tables of usage and all their partitions, without indexes.';

-- One query of each range of apps under UNION ALL: a parallel worker takes a
-- whole range, so that rating runs beside rating and nothing is merged.  Each
-- range reads its own part of every table, or all of it where no index helps:
-- so there are no more ranges than processes.  Whoever runs the query rules
-- out parallel scans, or the planner would take the ranges one after the
-- other, each with workers that do no more than read.
CREATE FUNCTION @extschema@.im_by_ranges(function text) RETURNS text
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	query CONSTANT text := 'SELECT * FROM %s.%I($1, $2, $3, %L, %L)';
	processes CONSTANT int := 1 + least(current_setting('max_parallel_workers_per_gather')::int,
										current_setting('max_parallel_workers')::int);
	ranges text;
BEGIN
	IF processes > 1 AND @extschema@.im_usage_size() > 16 * 1024 * 1024 THEN
		SELECT string_agg(format(query, '@extschema@', $1, r.low_app, r.high_app), ' UNION ALL ') INTO ranges
		FROM (SELECT min(a.app_id) AS low_app, max(a.app_id) AS high_app
			  FROM (SELECT i.app_id, ntile(processes) OVER (ORDER BY i.app_id) AS range
					FROM @extschema@.im_app i) a
			  GROUP BY a.range) r;
	END IF;
	-- without apps there is no range either
	RETURN coalesce(ranges, format(query, '@extschema@', $1, NULL, NULL));
END
$$;
COMMENT ON FUNCTION @extschema@.im_by_ranges(text) IS
'A query that calls im_rated_lines() or im_rated_totals() for all apps, range by range where there is so much usage that parallel workers should share them.';

CREATE FUNCTION @extschema@.im_rebills(month @extschema@.im_month)
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE plpgsql STABLE STRICT ROWS 100000
	SET search_path = pg_catalog, pg_temp
	SET min_parallel_table_scan_size = '1TB'	-- as im_by_ranges() wants it
	SET min_parallel_index_scan_size = '1TB'
	SET jit = off
AS $$
DECLARE
	book @extschema@.im_price_book := @extschema@.im_price_book(NULL);
	reading @extschema@.im_reading;
	detail text;
BEGIN
	reading := @extschema@.im_reading($1::date, upper($1::daterange), NULL, book);
	RETURN QUERY EXECUTE @extschema@.im_by_ranges('im_rated_lines') USING $1, book, reading;
EXCEPTION
	WHEN check_violation OR no_data_found OR data_exception OR program_limit_exceeded THEN
		GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
		PERFORM @extschema@.im_raise_unbillable($1, SQLSTATE, SQLERRM, detail);
END
$$;
COMMENT ON FUNCTION @extschema@.im_rebills(@extschema@.im_month) IS
'The bills of a usage month of every app computed anew, set-wise, whether it is closed or not. Raises one error with the number of apps whose bill cannot be right.';

-- The plan follows each app through the index of every table, so that a few
-- apps cost what they have and a batch of them little more than its share.
CREATE FUNCTION @extschema@.im_rebill_apps(month @extschema@.im_month, apps bigint[])
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE plpgsql STABLE ROWS 1000
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
DECLARE
	first date := $1::date;
	until date := upper($1::daterange);
	book @extschema@.im_price_book := @extschema@.im_price_book(NULL);
	-- that of an app without packs and marks
	usual @extschema@.im_reading := @extschema@.im_reading(first, until, NULL, NULL);
	marked bigint[] := usual.stale_apps;
BEGIN
	usual.stale_apps := NULL;
	usual.stale_first := NULL;
	usual.stale_until := NULL;
	usual.stale_low := NULL;
	usual.stale_high := NULL;
	RETURN QUERY
	SELECT l.*
	FROM unnest($2) a(app_id)
	LEFT JOIN LATERAL (
		SELECT u.since
		FROM @extschema@.im_early_usage(first, until, NULL, book) u
		WHERE u.app_id = a.app_id
		OFFSET 0) e ON true
	CROSS JOIN LATERAL (
		SELECT CASE WHEN e.since IS NULL AND (marked IS NULL OR a.app_id <> ALL (marked)) THEN usual
			ELSE @extschema@.im_reading_of(first, until, NULL,
				CASE WHEN e.since IS NOT NULL THEN ARRAY[a.app_id] END,
				CASE WHEN e.since IS NOT NULL THEN ARRAY[e.since] END, a.app_id) END AS reading
		OFFSET 0) r
	CROSS JOIN LATERAL (
		SELECT *
		FROM @extschema@.im_gather(first, until, NULL, r.reading) i
		WHERE i.app_id = a.app_id
		OFFSET 0) g,
		@extschema@.im_rate_lines(g.app_id, g.card_name, book, g.orders, g.suspensions,
			g.preview, $1, g.since, g.daily, g.logins, g.groups, g.checks,
			g.calls, g.user_days, g.users) l;
END
$$;
COMMENT ON FUNCTION @extschema@.im_rebill_apps(@extschema@.im_month, bigint[]) IS
'The bills of a usage month of the given apps computed anew, in one query. Errors as im_rebill().';

CREATE FUNCTION @extschema@.im_rebill_open(month @extschema@.im_month)
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	apps bigint[] := @extschema@.im_open_apps($1);
	detail text;
BEGIN
	IF apps IS NOT NULL THEN
		RETURN QUERY SELECT * FROM @extschema@.im_rebill_apps($1, apps);
	END IF;
EXCEPTION
	WHEN check_violation OR no_data_found OR data_exception OR program_limit_exceeded THEN
		GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
		PERFORM @extschema@.im_raise_unbillable($1, SQLSTATE, SQLERRM, detail);
END
$$;
COMMENT ON FUNCTION @extschema@.im_rebill_open(@extschema@.im_month) IS
'The bills of the apps that are not closed yet in a month whose close has begun. Errors as im_monthly_bills().';

CREATE FUNCTION @extschema@.im_monthly_bills(month @extschema@.im_month)
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE plpgsql STABLE STRICT ROWS 100000
	SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_custom_plan
	SET min_parallel_table_scan_size = '1TB'	-- as im_by_ranges() wants it
	SET min_parallel_index_scan_size = '1TB'
	SET jit = off
AS $$
BEGIN
	IF @extschema@.im_guarded('im_monthly_bills_guarded') THEN
		RETURN QUERY SELECT * FROM @extschema@.im_monthly_bills_guarded($1);
		RETURN;
	END IF;
	IF @extschema@.im_is_begun($1) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_issued_lines($1::date);
		RETURN QUERY SELECT * FROM @extschema@.im_rebill_open($1);
		RETURN;
	END IF;
-- what im_rebills() does, without handing every line through two functions
DECLARE
	book @extschema@.im_price_book := @extschema@.im_price_book(NULL);
	reading @extschema@.im_reading;
	detail text;
BEGIN
	reading := @extschema@.im_reading($1::date, upper($1::daterange), NULL, book);
	RETURN QUERY EXECUTE @extschema@.im_by_ranges('im_rated_lines') USING $1, book, reading;
EXCEPTION
	WHEN check_violation OR no_data_found OR data_exception OR program_limit_exceeded THEN
		GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
		PERFORM @extschema@.im_raise_unbillable($1, SQLSTATE, SQLERRM, detail);
END;
END
$$;
COMMENT ON FUNCTION @extschema@.im_monthly_bills(@extschema@.im_month) IS
'The bills of a usage month of every app, set-wise, in no particular order of apps; of apps that are closed the lines as issued. Raises one error with the number of apps whose bill cannot be right.';

CREATE FUNCTION @extschema@.im_retotals(month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, currency text, total numeric)
	LANGUAGE plpgsql STABLE STRICT ROWS 10000
	SET search_path = pg_catalog, pg_temp
	SET min_parallel_table_scan_size = '1TB'	-- as im_by_ranges() wants it
	SET min_parallel_index_scan_size = '1TB'
	SET jit = off
AS $$
DECLARE
	book @extschema@.im_price_book := @extschema@.im_price_book(NULL);
	reading @extschema@.im_reading;
	detail text;
BEGIN
	reading := @extschema@.im_reading($1::date, upper($1::daterange), NULL, book);
	RETURN QUERY EXECUTE @extschema@.im_by_ranges('im_rated_totals') USING $1, book, reading;
EXCEPTION
	WHEN check_violation OR no_data_found OR data_exception OR program_limit_exceeded THEN
		GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
		PERFORM @extschema@.im_raise_unbillable($1, SQLSTATE, SQLERRM, detail);
END
$$;
COMMENT ON FUNCTION @extschema@.im_retotals(@extschema@.im_month) IS
'The total of every app that has lines in the month computed anew, closed or not, rounded once half away from zero to the places of its currency (R9). Errors as im_monthly_bills().';

CREATE FUNCTION @extschema@.im_monthly_totals(month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, currency text, total numeric)
	LANGUAGE plpgsql STABLE STRICT ROWS 10000
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	IF @extschema@.im_guarded('im_monthly_totals_guarded') THEN
		RETURN QUERY SELECT * FROM @extschema@.im_monthly_totals_guarded($1);
		RETURN;
	END IF;
	IF NOT @extschema@.im_is_begun($1) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_retotals($1);
		RETURN;
	END IF;
	RETURN QUERY
	SELECT i.app_id, i.currency, sum(i.total)
	FROM @extschema@.im_invoice i
	WHERE i.month = $1::date
	GROUP BY i.app_id, i.currency;
	RETURN QUERY
	SELECT l.app_id, l.currency, round(sum(l.amount), max(p.scale))
	FROM @extschema@.im_rebill_open($1) l
	JOIN @extschema@.im_app a ON a.app_id = l.app_id
	JOIN @extschema@.im_cards_in_force($1) p ON p.rate_card = a.rate_card
	GROUP BY l.app_id, l.currency;
END
$$;
COMMENT ON FUNCTION @extschema@.im_monthly_totals(@extschema@.im_month) IS
'The total of every app that has lines in the month, rounded once half away from zero to the places of its currency (R9); of apps that are closed what their documents come to together. Errors as im_monthly_bills().';

CREATE FUNCTION @extschema@.im_monthly_total(app_id bigint, month @extschema@.im_month)
	RETURNS numeric
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	scale int;
BEGIN
	IF @extschema@.im_guarded('im_monthly_total_guarded') THEN
		RETURN @extschema@.im_monthly_total_guarded($1, $2);
	END IF;
	PERFORM @extschema@.im_need_app($1);
	-- issued in two currencies only if the app changed to another price list
	IF EXISTS (SELECT FROM @extschema@.im_invoice i WHERE i.app_id = $1 AND i.month = $2::date) THEN
		RETURN (SELECT sum(i.total)
				FROM @extschema@.im_invoice i
				WHERE i.app_id = $1 AND i.month = $2::date
				GROUP BY i.currency
				ORDER BY max(i.revision) DESC
				LIMIT 1);
	END IF;
	-- a card may write its scale as 2.0
	SELECT (v.terms ->> 'scale')::numeric INTO scale
	FROM @extschema@.im_app a
	JOIN @extschema@.im_rate_card_version v ON v.rate_card = a.rate_card
	WHERE a.app_id = $1
	LIMIT 1;
	RETURN (SELECT round(coalesce(sum(b.amount), 0), scale)
			FROM @extschema@.im_monthly_bill($1, $2) b);
END
$$;
COMMENT ON FUNCTION @extschema@.im_monthly_total(bigint, @extschema@.im_month) IS
'The total of a month of one app, rounded once half away from zero to the places of its currency (R9); 0 without lines; of a closed month what its documents come to together, those of the last one''s currency. Errors as im_monthly_bill().';

-- The months are stepped through as instants without a zone: where a zone
-- skips the midnight of a 1st, its later midnights would be missed.
CREATE FUNCTION @extschema@.im_create_billing_view(name text, first_month @extschema@.im_month,
		last_month @extschema@.im_month DEFAULT NULL)
	RETURNS void
	LANGUAGE plpgsql
AS $$
DECLARE
	view_name text := (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(p), '.')
					   FROM pg_catalog.unnest(pg_catalog.parse_ident($1)) p);
BEGIN
	IF $1 IS NULL OR $2 IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'null_value_not_allowed',
			MESSAGE = 'a billing view has a name and a first month, but one of them is null',
			DETAIL = 'Only the last month may be null: the view then runs through the month of its refresh.',
			HINT = 'Give both.';
	END IF;
	IF $3 OPERATOR(@extschema@.<) $2 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = pg_catalog.format('last month %s is before first month %s', $3, $2),
			DETAIL = 'The view holds the bill lines of the months from the first through the last.',
			HINT = 'Give the months in their order, or leave the last one null for the running month.';
	END IF;
	EXECUTE pg_catalog.format($view$
		CREATE MATERIALIZED VIEW %s AS
		SELECT b.*
		FROM pg_catalog.generate_series(%L::pg_catalog.timestamp, coalesce(%L::pg_catalog.timestamp,
				pg_catalog.now() AT TIME ZONE 'Asia/Shanghai'),
				'1 month'::pg_catalog.interval) m,
			%s.im_monthly_bills(m::pg_catalog.date) b
		$view$, view_name, $2::pg_catalog.date, $3::pg_catalog.date, '@extschema@');
	EXECUTE pg_catalog.format('CREATE UNIQUE INDEX ON %s (app_id, month, line)', view_name);
	EXECUTE pg_catalog.format('COMMENT ON MATERIALIZED VIEW %s IS %L', view_name,
		'Bill lines of the months from ' OPERATOR(pg_catalog.||) $2::text OPERATOR(pg_catalog.||)
		' through ' OPERATOR(pg_catalog.||) coalesce($3::text, 'the running one'));
END
$$;
COMMENT ON FUNCTION @extschema@.im_create_billing_view(text, @extschema@.im_month, @extschema@.im_month) IS
'Creates a materialized view of all bill lines of the months from the first through the last, or through the running one, with the unique index that REFRESH MATERIALIZED VIEW CONCURRENTLY needs. The name may have a schema.';

-- im_check(): all that would make a bill fail or mislead.
--
-- Bad rows are found here by plain conditions, the same that the meters
-- raise, because a meter stops at the first and a report must not.

CREATE FUNCTION @extschema@.im_bad_checks(first date, until date)
	RETURNS TABLE (app_id bigint, at timestamptz, problem text)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT m.app_id, m.at,
		CASE WHEN m.kind NOT IN ('text', 'image', 'audio', 'video')
				THEN format('im_moderation_check has the unknown kind "%s"', m.kind)
			WHEN m.seconds < 0 THEN format('im_moderation_check has %s seconds', m.seconds)
			ELSE format('im_moderation_check has no seconds of %s', m.kind) END
	FROM @extschema@.im_moderation_check m
	WHERE m.at >= @extschema@.im_utc_midnight($1 - 1) AND m.at < @extschema@.im_utc_midnight($2 + 1)
		AND (m.kind NOT IN ('text', 'image', 'audio', 'video') OR m.seconds < 0
			OR m.seconds IS NULL AND m.kind IN ('audio', 'video'))
$$;
COMMENT ON FUNCTION @extschema@.im_bad_checks(date, date) IS
'Rows of im_moderation_check around the days [first, until) that cannot be metered.';

CREATE FUNCTION @extschema@.im_bad_calls(first date, until date)
	RETURNS TABLE (app_id bigint, at timestamptz, problem text)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT c.app_id, c.at,
		CASE WHEN c.class NOT IN ('audio', 'sd', 'hd', 'fhd')
				THEN format('im_call has the unknown class "%s"', c.class)
			ELSE format('im_call has %s seconds', c.seconds) END
	FROM @extschema@.im_call c
	WHERE c.at >= @extschema@.im_utc_midnight($1 - 1) AND c.at < @extschema@.im_utc_midnight($2 + 1)
		AND (c.class NOT IN ('audio', 'sd', 'hd', 'fhd') OR c.seconds < 0)
$$;
COMMENT ON FUNCTION @extschema@.im_bad_calls(date, date) IS
'Rows of im_call around the days [first, until) that cannot be metered.';

CREATE FUNCTION @extschema@.im_bad_groups(first date, until date)
	RETURNS TABLE (app_id bigint, at timestamptz, problem text)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT g.app_id, greatest(g.created_at, @extschema@.im_utc_midnight($1)),
		format('im_group "%s" was disbanded before it was created', g.group_id)
	FROM @extschema@.im_group g
	WHERE g.disbanded_at < g.created_at
		AND g.created_at >= @extschema@.im_utc_midnight($1 - 1)
		AND g.created_at < @extschema@.im_utc_midnight($2 + 1)
$$;
COMMENT ON FUNCTION @extschema@.im_bad_groups(date, date) IS
'Rows of im_group around a month that cannot be metered.';

CREATE FUNCTION @extschema@.im_bad_events(earliest date, first date, until date,
		book @extschema@.im_price_book)
	RETURNS TABLE (app_id bigint, problem text)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT b.app_id, format('%s at %s', b.problem,
			to_char(b.at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS"+00"'))
	FROM (SELECT * FROM @extschema@.im_bad_checks($1, $3)
		  UNION ALL SELECT * FROM @extschema@.im_bad_calls($1, $3)
		  UNION ALL SELECT * FROM @extschema@.im_bad_groups($2, $3)) b
	JOIN @extschema@.im_app_cards(NULL) a ON a.app_id = b.app_id
	LEFT JOIN @extschema@.im_early_usage($2, $3, NULL, $4) e ON e.app_id = b.app_id
	WHERE a.time_zone IS NOT NULL
		AND @extschema@.im_day(b.at, a.time_zone) >= coalesce(e.since, $2)
		AND @extschema@.im_day(b.at, a.time_zone) < $3
$$;
COMMENT ON FUNCTION @extschema@.im_bad_events(date, date, date, @extschema@.im_price_book) IS
'Raw rows that make the bill of the month [first, until) fail, by app; packs may make rows matter since the earliest day.';

CREATE FUNCTION @extschema@.im_bad_days(first date, until date,
		book @extschema@.im_price_book)
	RETURNS TABLE (app_id bigint, problem text)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT d.app_id, format('im_usage_daily of %s has a negative figure', to_char(d.day, 'YYYY-MM-DD'))
	FROM @extschema@.im_usage_daily d
	LEFT JOIN @extschema@.im_early_usage($1, $2, NULL, $3) e ON e.app_id = d.app_id
	WHERE d.day >= coalesce(e.since, $1) AND d.day < $2 AND d.metered_at IS NULL
		AND least(d.dau, d.peak_groups, d.text_checks, d.image_checks, d.audio_half_minutes,
			d.video_half_minutes, d.audio_minutes, d.sd_minutes, d.hd_minutes, d.fhd_minutes) < 0
	UNION ALL
	SELECT d.app_id, format('im_usage_daily of %s has no users, which the rate card prices by the month',
			to_char(d.day, 'YYYY-MM-DD'))
	FROM @extschema@.im_usage_daily d
	JOIN @extschema@.im_app_cards(NULL) a ON a.app_id = d.app_id
	WHERE d.day >= $1 AND d.day < $2 AND d.metered_at IS NULL AND d.users IS NULL AND a.prices_mau
$$;
COMMENT ON FUNCTION @extschema@.im_bad_days(date, date, @extschema@.im_price_book) IS
'Daily figures that make the bill of the month [first, until) fail, by app.';

CREATE FUNCTION @extschema@.im_usage_apps(first date, until date) RETURNS TABLE (app_id bigint)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT l.app_id FROM @extschema@.im_login l
	WHERE l.at >= @extschema@.im_utc_midnight($1 - 1) AND l.at < @extschema@.im_utc_midnight($2 + 1)
	UNION
	SELECT m.app_id FROM @extschema@.im_moderation_check m
	WHERE m.at >= @extschema@.im_utc_midnight($1 - 1) AND m.at < @extschema@.im_utc_midnight($2 + 1)
	UNION
	SELECT c.app_id FROM @extschema@.im_call c
	WHERE c.at >= @extschema@.im_utc_midnight($1 - 1) AND c.at < @extschema@.im_utc_midnight($2 + 1)
	UNION
	SELECT g.app_id FROM @extschema@.im_group g
	WHERE g.created_at < @extschema@.im_utc_midnight($2 + 1)
		AND (g.disbanded_at IS NULL OR g.disbanded_at >= @extschema@.im_utc_midnight($1 - 1))
	UNION
	SELECT d.app_id FROM @extschema@.im_usage_daily d
	WHERE d.day >= $1 AND d.day < $2 AND d.metered_at IS NULL
$$;
COMMENT ON FUNCTION @extschema@.im_usage_apps(date, date) IS
'Apps with any usage around the month [first, until).';

CREATE FUNCTION @extschema@.im_odd_days(first date, until date)
	RETURNS TABLE (app_id bigint, problem text)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT d.app_id, format('im_usage_daily of %s has %s users, but its dau is %s',
			to_char(d.day, 'YYYY-MM-DD'), @extschema@.im_count(d.users), coalesce(d.dau::text, 'null, which counts as 0'))
	FROM @extschema@.im_usage_daily d
	JOIN @extschema@.im_app_cards(NULL) a ON a.app_id = d.app_id
	WHERE d.day >= $1 AND d.day < $2 AND d.metered_at IS NULL AND NOT a.prices_mau
		AND d.users IS NOT NULL AND @extschema@.im_count(d.users) <> coalesce(d.dau, 0)
$$;
COMMENT ON FUNCTION @extschema@.im_odd_days(date, date) IS
'Daily figures of the month [first, until) that contradict themselves, by app.';

-- Fatal problems make the bill of the app, and so the bills of all, fail.
-- The plans are made for the apps given, or for none: the condition on them then
-- leads to their rows, or is none.
CREATE FUNCTION @extschema@.im_problems_of(apps bigint[], month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, problem text, fatal boolean)
	LANGUAGE plpgsql STABLE ROWS 10
	SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_custom_plan
	SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	first date := $2::date;
	until date := upper($2::daterange);
	book @extschema@.im_price_book := @extschema@.im_price_book(NULL);
	earliest date := least(first, (SELECT min(e.since)
								   FROM @extschema@.im_early_usage(first, until, NULL, book) e
								   WHERE e.app_id = ANY ($1) OR $1 IS NULL));
BEGIN
	RETURN QUERY
	SELECT r.app_id, r.problem, true
	FROM (SELECT a.app_id,
				 @extschema@.im_rate_problem(a.app_id, a.card_name, book, a.orders, a.suspensions, false, $2, first, NULL, NULL, NULL, NULL, NULL, NULL, NULL) AS problem
		  FROM @extschema@.im_app_accounts(until, NULL) a
		  WHERE a.app_id = ANY ($1) OR $1 IS NULL
		  OFFSET 0) r
	WHERE r.problem IS NOT NULL;
	-- alone such a bill fails; among all it is empty as long as nothing was used
	RETURN QUERY
	SELECT a.app_id, format('rate card "%s" has no version in force on %s',
			a.card_name, to_char(first, 'YYYY-MM-DD')),
		EXISTS (SELECT FROM @extschema@.im_usage_apps(first, until) u WHERE u.app_id = a.app_id)
	FROM @extschema@.im_app_accounts(until, NULL) a
	WHERE a.card_from > first AND a.orders IS NULL AND (a.app_id = ANY ($1) OR $1 IS NULL);
	RETURN QUERY
	SELECT b.app_id, b.problem, true
	FROM @extschema@.im_bad_events(earliest, first, until, book) b
	WHERE b.app_id = ANY ($1) OR $1 IS NULL;
	RETURN QUERY
	SELECT b.app_id, b.problem, true
	FROM @extschema@.im_bad_days(first, until, book) b
	WHERE b.app_id = ANY ($1) OR $1 IS NULL;
	RETURN QUERY
	SELECT o.app_id, o.problem, false
	FROM @extschema@.im_odd_days(first, until) o
	WHERE o.app_id = ANY ($1) OR $1 IS NULL;
END
$$;
COMMENT ON FUNCTION @extschema@.im_problems_of(bigint[], @extschema@.im_month) IS
'What im_check() reports of the given apps that im_app has, of all of them if it is null.';

CREATE FUNCTION @extschema@.im_problems(month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, problem text, fatal boolean)
	LANGUAGE plpgsql STABLE STRICT ROWS 10
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY SELECT * FROM @extschema@.im_problems_of(NULL, $1);
	RETURN QUERY
	SELECT u.app_id, 'there is usage of this app, but im_app has no row of it'::text, false
	FROM @extschema@.im_usage_apps($1::date, upper($1::daterange)) u
	WHERE NOT EXISTS (SELECT FROM @extschema@.im_app a WHERE a.app_id = u.app_id);
END
$$;
COMMENT ON FUNCTION @extschema@.im_problems(@extschema@.im_month) IS
'What im_check() reports, with the difference between what makes a bill fail (fatal) and what only misleads.';

CREATE FUNCTION @extschema@.im_check(month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, problem text)
	LANGUAGE plpgsql STABLE STRICT ROWS 10
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	IF @extschema@.im_guarded('im_check_guarded') THEN
		RETURN QUERY SELECT * FROM @extschema@.im_check_guarded($1);
		RETURN;
	END IF;
	RETURN QUERY
	SELECT p.app_id, p.problem
	FROM @extschema@.im_problems($1) p
	ORDER BY p.app_id, p.problem COLLATE "C";
END
$$;
COMMENT ON FUNCTION @extschema@.im_check(@extschema@.im_month) IS
'All that would make a bill of the month fail or mislead, by app: orders that break a rule, days without a card version, plans that the version does not price, raw rows that cannot be metered, daily figures that are negative, lack users or contradict them, usage of no such app. Empty when all is well.';

-- What im_meter() does before it reads events: it makes sure that changes are
-- marked, and decides which days to meter.
--
-- A session that meters is mostly a new one, and most of what a late row costs
-- it is reading the catalogs.  So what can be told without a further table or
-- function is, and the queries of the usual case are few.

-- The marks that there were, a row for each app; its arrays are of one length.
CREATE TYPE @extschema@.im_marks AS (
	apps bigint[],
	zones text[],
	prices_mau boolean[],
	days datemultirange[],
	ends datemultirange[]
);
COMMENT ON TYPE @extschema@.im_marks IS
'Marks as local days, by app; internal.';
COMMENT ON COLUMN @extschema@.im_marks.apps IS 'The apps; null stands for all.';
COMMENT ON COLUMN @extschema@.im_marks.zones IS 'The time zone of each one''s card; null for all apps.';
COMMENT ON COLUMN @extschema@.im_marks.prices_mau IS 'Whether it prices users of the month.';
COMMENT ON COLUMN @extschema@.im_marks.days IS 'The days that are marked.';
COMMENT ON COLUMN @extschema@.im_marks.ends IS 'The first and the last day of each mark, where it has one.';

CREATE FUNCTION @extschema@.im_need_no_subscription() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	subscribed text;
BEGIN
	SELECT t.name::text INTO subscribed
	FROM pg_subscription_rel s
	JOIN (SELECT l.partition, l.partition::regclass AS name FROM @extschema@.im_raw_leaves() l
		  UNION ALL
		  SELECT c.oid, c.oid::regclass
		  FROM @extschema@.im_mark_definitions() d
		  JOIN pg_class c ON c.oid = to_regclass(format('%s.%I', '@extschema@', d.table_name))) t(relid, name)
		ON t.relid = s.srrelid
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = format('table %s is fed by a subscription', subscribed),
			DETAIL = 'Replicated rows fire no trigger of a statement, so changes of what was metered would not be marked.',
			HINT = 'Meter on the publisher and replicate im_usage_daily; bills here are right from the events as they are.';
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_need_no_subscription() IS
'Raises 55000 where a raw table is fed by a subscription.';

-- The order of the steps is what keeps bills right beside concurrent loads:
-- first the triggers are in place, then the partitions are listed, then marks
-- are deleted, and only then events are read.  What happens after a step is
-- seen by the comparison or the mark that the step left to it.
CREATE FUNCTION @extschema@.im_begin_metering() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM @extschema@.im_need_tables();
	IF current_setting('transaction_isolation') <> 'read committed' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_transaction_state',
			MESSAGE = format('usage is not metered in a transaction at isolation level %s', current_setting('transaction_isolation')),
			DETAIL = 'Metering has to see what was committed before each of its steps, not what was when the transaction began.',
			HINT = 'Meter in a transaction of its own, at isolation level read committed.';
	END IF;
	PERFORM @extschema@.im_lock_metering();
	-- whoever loads unmarked, since nothing is metered, is waited for
	IF NOT EXISTS (SELECT FROM @extschema@.im_metered_day) THEN
		LOCK TABLE @extschema@.im_metered_day IN SHARE MODE;
		-- nor is known what was loaded since the last look
		UPDATE @extschema@.im_metered_partition p
		SET first_event = NULL, last_event = NULL
		WHERE p.first_event IS NOT NULL;
	END IF;
	IF NOT @extschema@.im_leaves_unchanged() THEN
		PERFORM @extschema@.im_need_no_subscription();
		PERFORM @extschema@.im_add_triggers();
		PERFORM @extschema@.im_compare_partitions();
	END IF;
	-- of an earlier call in this transaction
	IF to_regclass('pg_temp.im_metering_bad') IS NOT NULL THEN
		DROP TABLE pg_temp.im_metering_bad;
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_begin_metering() IS
'The first steps of im_meter(): locks, triggers, partitions. Errors: 25000 above isolation level read committed, 55000 where a raw table is fed by a subscription.';

CREATE FUNCTION @extschema@.im_compare_partitions() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	changed datemultirange;
BEGIN
	SELECT range_agg(daterange((c.since AT TIME ZONE 'UTC')::date - 1, (c.until AT TIME ZONE 'UTC')::date + 2))
	INTO changed
	FROM (SELECT s.since, s.until
		  FROM @extschema@.im_metered_partition s
		  LEFT JOIN @extschema@.im_raw_leaves() l USING (partition, filenode)
		  WHERE l.partition IS NULL OR s.filenode = 0
		  UNION ALL
		  SELECT l.since, l.until
		  FROM @extschema@.im_raw_leaves() l
		  LEFT JOIN @extschema@.im_metered_partition s USING (partition, filenode)
		  WHERE s.partition IS NULL) c;
	UPDATE @extschema@.im_metered_day d
	SET metered_at = NULL
	WHERE d.metered_at IS NOT NULL AND d.day <@ changed;
	DELETE FROM @extschema@.im_metered_partition s
	WHERE NOT EXISTS (SELECT FROM @extschema@.im_raw_leaves() l
					  WHERE l.partition = s.partition AND l.filenode = s.filenode
						AND l.table_name = s.table_name AND l.since = s.since AND l.until = s.until);
	INSERT INTO @extschema@.im_metered_partition (table_name, partition, filenode, since, until)
	SELECT l.table_name, l.partition, l.filenode, l.since, l.until
	FROM @extschema@.im_raw_leaves() l
	-- one that was attached a moment ago has no triggers yet: it is not seen
	WHERE l.filenode = 0 OR @extschema@.im_is_watched(l.partition, l.table_name)
	ON CONFLICT DO NOTHING;
END
$$;
COMMENT ON FUNCTION @extschema@.im_compare_partitions() IS
'Makes metered days count no more whose partitions have changed, and remembers the partitions of now.';

-- Takes all marks away and turns them into local days.  Days on which all
-- apps are marked count no more.
CREATE FUNCTION @extschema@.im_take_marks() RETURNS @extschema@.im_marks
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	marks @extschema@.im_marks;
BEGIN
	IF NOT EXISTS (SELECT FROM @extschema@.im_usage_mark) THEN
		RETURN NULL;
	END IF;
	WITH taken AS (
		DELETE FROM @extschema@.im_usage_mark RETURNING app_id, since, until),
	-- few have marks, so that the index of im_app leads to them
	marked AS (
		SELECT a.app_id, a.time_zone, a.prices_mau
		FROM (SELECT DISTINCT t.app_id FROM taken t) t
		JOIN @extschema@.im_app_cards(NULL) a ON a.app_id = t.app_id
		WHERE a.time_zone IS NOT NULL)
	SELECT array_agg(m.app_id), array_agg(m.time_zone), array_agg(m.prices_mau), array_agg(m.days),
		array_agg(coalesce(m.starts, '{}') + coalesce(m.stops, '{}'))
	INTO marks
	FROM (SELECT k.app_id, min(k.time_zone) AS time_zone, bool_or(k.prices_mau) AS prices_mau, range_agg(k.days) AS days,
			  range_agg(daterange(lower(k.days), lower(k.days) + 1)) FILTER (WHERE NOT lower_inf(k.days)) AS starts,
			  range_agg(daterange(upper(k.days) - 1, upper(k.days))) FILTER (WHERE NOT upper_inf(k.days)) AS stops
		  FROM (SELECT t.app_id, a.time_zone, a.prices_mau, @extschema@.im_local_days(t.since, t.until, a.time_zone) AS days
				FROM taken t
				JOIN marked a ON a.app_id = t.app_id
				UNION ALL
				SELECT NULL, NULL, NULL, @extschema@.im_local_days(t.since, t.until, z.zone)
				FROM taken t,
					(SELECT DISTINCT v.terms ->> 'time_zone' FROM @extschema@.im_rate_card_version v) z(zone)
				WHERE t.app_id IS NULL) k
		  WHERE k.days IS NOT NULL
		  GROUP BY k.app_id) m;
	IF array_position(marks.apps, NULL) IS NOT NULL THEN
		UPDATE @extschema@.im_metered_day d
		SET metered_at = NULL
		WHERE d.metered_at IS NOT NULL AND d.day <@ marks.days[array_position(marks.apps, NULL)];
	END IF;
	RETURN marks;
END
$$;
COMMENT ON FUNCTION @extschema@.im_take_marks() IS
'Takes the marks that there are out of im_usage_mark, as local days.';

-- Events that were loaded before anything was metered have no marks: so a
-- partition is looked through once.
CREATE FUNCTION @extschema@.im_look_for_events() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	p record;
	first timestamptz;
	last timestamptz;
BEGIN
	FOR p IN
		SELECT s.partition, CASE s.table_name WHEN 'im_group' THEN 'created_at' ELSE 'at' END AS starts,
			CASE s.table_name WHEN 'im_group' THEN 'disbanded_at' ELSE 'at' END AS ends
		FROM @extschema@.im_metered_partition s
		WHERE s.first_event IS NULL AND s.filenode <> 0 AND s.table_name <> 'im_usage_daily'
	LOOP
		EXECUTE format('SELECT min(%1$I) FILTER (WHERE isfinite(%1$I)), '
				'greatest(max(%1$I) FILTER (WHERE isfinite(%1$I)), max(%2$I) FILTER (WHERE isfinite(%2$I))) FROM ONLY %3$s',
				p.starts, p.ends, p.partition::regclass)
		INTO first, last;
		UPDATE @extschema@.im_metered_partition s
		SET first_event = coalesce(first, 'infinity'), last_event = coalesce(last, '-infinity')
		WHERE s.partition = p.partition;
	END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.im_look_for_events() IS
'Finds the first and the last event of each partition of which that is not known.';

-- What was used before there were prices is on no bill; of days to come
-- nothing is known, whatever was metered or marked there.
CREATE FUNCTION @extschema@.im_known_days(marks @extschema@.im_marks) RETURNS daterange
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	priced date;
	today date;
	known daterange;
BEGIN
	SELECT greatest(date_trunc('month', min(v.effective_from)::timestamp)::date, '0001-01-01'),
		max(@extschema@.im_day(now(), v.terms ->> 'time_zone'))
	INTO priced, today
	FROM @extschema@.im_rate_card_version v;
	SELECT daterange(min(k.first), max(k.last), '[]')
	INTO known
	FROM (SELECT min(m.day), max(m.day)
		  FROM @extschema@.im_metered_day m
		  WHERE m.day <= today
		  UNION ALL
		  SELECT (greatest(min(p.first_event), '0001-01-02 00:00+00') AT TIME ZONE 'UTC')::date - 1,
			  (greatest(max(p.last_event), '0001-01-02 00:00+00') AT TIME ZONE 'UTC')::date + 1
		  FROM @extschema@.im_metered_partition p
		  WHERE p.first_event <= p.last_event AND p.first_event < now()
		  HAVING count(*) > 0
		  UNION ALL
		  SELECT lower(e.days), upper(e.days) - 1
		  FROM unnest(($1).ends) m(ends), unnest(m.ends * datemultirange(daterange(NULL, today, '[]'))) e(days)) k(first, last)
	WHERE k.first IS NOT NULL;
	RETURN known * daterange(priced, least(today, '9999-12-31'), '[]');
END
$$;
COMMENT ON FUNCTION @extschema@.im_known_days(@extschema@.im_marks) IS
'The days from the first to the last of which events are known, at most today; null or empty without any.';

CREATE FUNCTION @extschema@.im_days_to_meter(first_day date, last_day date, marks @extschema@.im_marks) RETURNS daterange
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	first date := $1;
	last date := $2;
	known daterange;
BEGIN
	IF first IS NULL OR last IS NULL THEN
		PERFORM @extschema@.im_look_for_events();
		known := @extschema@.im_known_days($3);
		first := coalesce(first, lower(known), last);
		last := coalesce(last, greatest(upper(known) - 1, first));
	END IF;
	IF first IS NULL THEN
		RETURN 'empty';
	END IF;
	IF least(first, last) < '0001-01-01' OR greatest(first, last) > '9999-12-31' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('days to meter are out of range: %s through %s', first, last),
			DETAIL = 'Days run from 0001-01-01 through 9999-12-31; infinity is none of them.',
			HINT = 'Give days in that range, or leave them out.';
	END IF;
	IF first > last THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('no days lie between %s and %s', first, last),
			DETAIL = 'Days are metered from the first through the last.',
			HINT = 'Give the days in their order, or leave them out.';
	END IF;
	RETURN daterange(first, last, '[]');
END
$$;
COMMENT ON FUNCTION @extschema@.im_days_to_meter(date, date, @extschema@.im_marks) IS
'The days from the first through the last, or where one is null from the first to the last day of which events are known, at most today. Error 22023 for days that are not in their order, infinite or outside the years 1 to 9999.';

CREATE FUNCTION @extschema@.im_all_metered_days() RETURNS datemultirange
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	n bigint;
	first date;
	last date;
BEGIN
	SELECT count(*), min(d.day), max(d.day)
	INTO n, first, last
	FROM @extschema@.im_metered_day d
	WHERE d.metered_at IS NOT NULL;
	IF n = 0 THEN
		RETURN '{}';
	ELSIF n = last - first + 1 THEN
		-- mostly no day is left out between years of them
		RETURN datemultirange(daterange(first, last, '[]'));
	END IF;
	RETURN (SELECT range_agg(daterange(d.day, d.day + 1))
			FROM @extschema@.im_metered_day d
			WHERE d.metered_at IS NOT NULL);
END
$$;
COMMENT ON FUNCTION @extschema@.im_all_metered_days() IS
'The days that were metered for all apps.';

-- Splits the marks: what is done now, and what lies outside the days asked
-- for and goes back.  Of a mark on days that were never metered only its ends
-- are kept, which tell the next im_meter() that there is something.
CREATE FUNCTION @extschema@.im_plan_marks(days datemultirange, metered datemultirange, marks @extschema@.im_marks,
		OUT reading @extschema@.im_reading, OUT zones text[], OUT some_price_mau boolean)
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	some_left boolean;
BEGIN
	reading.raw_first := 'infinity';
	reading.raw_until := 'infinity';
	SELECT array_agg(m.app_id) FILTER (WHERE s.days IS NOT NULL),
		array_agg(lower(s.days)) FILTER (WHERE s.days IS NOT NULL),
		array_agg(upper(s.days)) FILTER (WHERE s.days IS NOT NULL),
		min(lower(s.days)), max(upper(s.days)), array_agg(m.zone) FILTER (WHERE s.days IS NOT NULL),
		bool_or(m.prices_mau AND s.days IS NOT NULL),
		bool_or(NOT m.days * $2 + m.ends <@ $1)
	INTO reading.stale_apps, reading.stale_first, reading.stale_until, reading.stale_low, reading.stale_high,
		zones, some_price_mau, some_left
	FROM unnest(($3).apps, ($3).zones, ($3).prices_mau, ($3).days, ($3).ends) m(app_id, zone, prices_mau, days, ends)
	LEFT JOIN LATERAL unnest(m.days * $2 * $1) s(days) ON m.app_id IS NOT NULL;
	IF some_left THEN
		INSERT INTO @extschema@.im_usage_mark (app_id, since, until)
		SELECT m.app_id, @extschema@.im_local_noon(lower(s.days), coalesce(m.zone, 'UTC')),
			@extschema@.im_local_noon(upper(s.days) - 1, coalesce(m.zone, 'UTC'))
		FROM unnest(($3).apps, ($3).zones, ($3).days, ($3).ends) m(app_id, zone, days, ends),
			unnest(m.days * $2 + m.ends - $1) s(days);
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_plan_marks(datemultirange, datemultirange, @extschema@.im_marks) IS
'Decides which days of single apps im_meter() meters, and puts marks back that it leaves.';

CREATE FUNCTION @extschema@.im_plan_spans(days datemultirange, metered datemultirange) RETURNS datemultirange
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	spans datemultirange := $1 - $2;
BEGIN
	IF NOT isempty(spans) THEN
		-- what a foreign table holds can change unseen: it is never metered
		spans := spans - coalesce(
			(SELECT range_agg(daterange((p.since AT TIME ZONE 'UTC')::date - 1, (p.until AT TIME ZONE 'UTC')::date + 2))
			 FROM @extschema@.im_metered_partition p
			 WHERE p.filenode = 0), '{}');
	END IF;
	RETURN spans;
END
$$;
COMMENT ON FUNCTION @extschema@.im_plan_spans(datemultirange, datemultirange) IS
'Decides which days of all apps im_meter() meters.';

-- im_meter(): meters the days and apps that are not metered or have changed.
--
-- Whole days, and many days of single apps, are collected in temporary tables
-- by CREATE TABLE AS, which can use parallel workers where INSERT ... SELECT
-- cannot.  A few days of single apps, as after a late row, are collected in an
-- array: making the tables would take longer than metering.  Either is written
-- into im_usage_daily at the very end: writers of daily figures wait only then.

CREATE TYPE @extschema@.im_metered_figures AS (
	app_id bigint,
	day date,
	dau bigint,
	peak_groups bigint,
	text_checks bigint,
	image_checks bigint,
	audio_half_minutes bigint,
	video_half_minutes bigint,
	audio_minutes bigint,
	sd_minutes bigint,
	hd_minutes bigint,
	fhd_minutes bigint
);
COMMENT ON TYPE @extschema@.im_metered_figures IS
'What was metered of an app and day, as im_usage_daily has it; internal.';

CREATE FUNCTION @extschema@.im_usage_days(usage bigint[])
	RETURNS TABLE (day date, dau bigint, peak_groups bigint, text_checks bigint, image_checks bigint,
		audio_half_minutes bigint, video_half_minutes bigint, audio_minutes bigint, sd_minutes bigint,
		hd_minutes bigint, fhd_minutes bigint)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT date '2000-01-01' + ($1)[i]::int, ($1)[i + 1], ($1)[i + 2], ($1)[i + 3], ($1)[i + 4],
		($1)[i + 5], ($1)[i + 6], ($1)[i + 7], ($1)[i + 8], ($1)[i + 9], ($1)[i + 10]
	FROM generate_series(1, cardinality($1), 11) i
$$;
COMMENT ON FUNCTION @extschema@.im_usage_days(bigint[]) IS
'The days of an array that the per-app meters give, as rows.';

-- Whether one query for each local day reads about the rows of that day: its
-- partition is that day, or a BRIN index leads to it since rows came in by
-- time.  Elsewhere each of them would read the whole table.
CREATE FUNCTION @extschema@.im_can_slice(first date, until date) RETURNS boolean
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
		WHERE s.table_name = 'im_login'
			AND (NOT isfinite(s.since) OR NOT isfinite(s.until) OR s.until > s.since + interval '49 hours')
			AND s.since < @extschema@.im_utc_midnight($2 + 1) AND s.until > @extschema@.im_utc_midnight($1 - 1)
	LOOP
		SELECT i.indexrelid INTO brin
		FROM pg_index i
		JOIN pg_class c ON c.oid = i.indexrelid
		JOIN pg_am m ON m.oid = c.relam AND m.amname = 'brin'
		JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] AND a.attname = 'at'
		WHERE i.indrelid = p.partition AND i.indisvalid
		LIMIT 1;
		IF NOT FOUND OR p.partition::regclass::text LIKE 'pg\_temp%' THEN
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
COMMENT ON FUNCTION @extschema@.im_can_slice(date, date) IS
'Whether the logins of single days from the first until the last can be read without those of other days. Completes BRIN indexes and statistics.';

-- No group spans two queries, so workers take whole days and merge nothing.
CREATE FUNCTION @extschema@.im_slices_query(first date, until date) RETURNS text
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
	SET datestyle = 'ISO, YMD'	-- others name zones by abbreviations of several meanings
AS $$
DECLARE
	-- where some apps cut other days, or need sets of users, theirs are left out
	choose text := CASE WHEN (SELECT count(DISTINCT a.time_zone) > 1 OR bool_or(a.prices_mau)
							  FROM @extschema@.im_app_cards(NULL) a)
		THEN 'JOIN %6$s.im_app_cards(NULL) a ON a.app_id = l.app_id AND a.time_zone = %1$L AND NOT a.prices_mau'
		ELSE '' END;
	slices text;
BEGIN
	SELECT string_agg(format(
			'SELECT %2$L::date AS day, %1$L::text AS zone, %6$s.im_app_dau(l.app_id, l.user_id) AS pairs '
			'FROM %6$s.im_login l ' || choose || ' WHERE l.at >= %3$L AND l.at < %4$L%5$s',
			z.zone, d.day, s.since, s.until,
			CASE WHEN s.shared THEN format(' AND %s.im_day(l.at, %L) = %L', '@extschema@', z.zone, d.day) END,
			'@extschema@'), ' UNION ALL ')
	INTO slices
	FROM (SELECT DISTINCT a.time_zone FROM @extschema@.im_app_cards(NULL) a WHERE NOT a.prices_mau) z(zone),
		(SELECT $1 + i FROM generate_series(0, $2 - $1 - 1) i) d(day),
		@extschema@.im_day_slice(d.day, z.zone) s;
	IF slices IS NULL THEN
		RETURN NULL;
	END IF;
	RETURN format('SELECT r.app_id, q.day, r.dau, NULL::%1$s.im_userset AS users '
		'FROM (%2$s) q, %1$s.im_app_dau_rows(q.pairs) r, %1$s.im_app_cards(NULL) c '
		'WHERE c.app_id = r.app_id AND c.time_zone = q.zone AND NOT c.prices_mau',
		'@extschema@', slices);
END
$$;
COMMENT ON FUNCTION @extschema@.im_slices_query(date, date) IS
'A query for the distinct users of each day of apps whose card does not price users of the month, with one part for each local day; null without such apps.';

CREATE FUNCTION @extschema@.im_logins_query(reading @extschema@.im_reading) RETURNS text
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	whole text := 'SELECT l.app_id, l.day, l.dau, l.users FROM %s.im_raw_logins(NULL, $1) l';
	slices text;
BEGIN
	IF ($1).raw_first < ($1).raw_until THEN
		IF @extschema@.im_can_slice(($1).raw_first, ($1).raw_until) THEN
			slices := @extschema@.im_slices_query(($1).raw_first, ($1).raw_until);
		END IF;
		RETURN CASE WHEN slices IS NULL THEN format(whole, '@extschema@')
			WHEN EXISTS (SELECT FROM @extschema@.im_app_cards(NULL) a WHERE a.prices_mau)
				THEN format('%s UNION ALL %s WHERE l.prices_mau', slices, format(whole, '@extschema@'))
			ELSE slices END;
	END IF;
	RETURN format('SELECT s.app_id, s.day, s.dau, s.users FROM %s.im_stale_logins(''-infinity'', NULL, $1) s', '@extschema@');
END
$$;
COMMENT ON FUNCTION @extschema@.im_logins_query(@extschema@.im_reading) IS
'A query for the distinct users that im_meter() meters of a reading, given as its parameter.';

CREATE FUNCTION @extschema@.im_forget_temporary() RETURNS void
	AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION @extschema@.im_forget_temporary() IS
'Empties what the session''s catalogue cache holds of pg_statistic and pg_type, where temporary tables leave entries that the server never takes back.';

CREATE FUNCTION @extschema@.im_open_metering() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
	SET client_min_messages = warning
AS $$
BEGIN
	-- what the im_meter() before this one left, also one that was cancelled
	PERFORM @extschema@.im_forget_temporary();
	DROP TABLE IF EXISTS pg_temp.im_metering_bad, pg_temp.im_metering_row;
	-- events that cannot be metered, what was found
	CREATE TEMP TABLE im_metering_bad (app_id bigint, since timestamptz, until timestamptz, days daterange) ON COMMIT DROP;
	CREATE TEMP TABLE im_metering_row (app_id bigint, day date, dau bigint, users @extschema@.im_userset,
		peak_groups bigint, text_checks bigint, image_checks bigint, audio_half_minutes bigint,
		video_half_minutes bigint, audio_minutes bigint, sd_minutes bigint, hd_minutes bigint,
		fhd_minutes bigint) ON COMMIT DROP;
END
$$;
COMMENT ON FUNCTION @extschema@.im_open_metering() IS
'Makes the temporary tables of im_meter().';

CREATE FUNCTION @extschema@.im_collect(reading @extschema@.im_reading) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
	SET client_min_messages = warning
AS $$
BEGIN
	DROP TABLE IF EXISTS pg_temp.im_metering_login, pg_temp.im_metering_event;
	EXECUTE 'CREATE TEMP TABLE im_metering_login ON COMMIT DROP AS ' || @extschema@.im_logins_query($1)
	USING $1;
	-- what is not read is not planned either
	EXECUTE 'CREATE TEMP TABLE im_metering_event ON COMMIT DROP AS '
		|| CASE WHEN ($1).raw_first < ($1).raw_until THEN $query$
			SELECT g.app_id, g.groups AS usage FROM @extschema@.im_gather_groups(NULL, $1) g
			UNION ALL
			SELECT k.app_id, k.checks FROM @extschema@.im_gather_checks(NULL, $1) k
			UNION ALL
			SELECT c.app_id, c.calls FROM @extschema@.im_gather_calls(NULL, $1) c
			UNION ALL $query$ ELSE '' END
		|| $query$
			SELECT g.app_id, g.groups AS usage FROM @extschema@.im_stale_groups('-infinity', NULL, $1) g
			UNION ALL
			SELECT k.app_id, k.checks FROM @extschema@.im_stale_checks('-infinity', NULL, $1) k
			UNION ALL
			SELECT c.app_id, c.calls FROM @extschema@.im_stale_calls('-infinity', NULL, $1) c $query$
	USING $1;
END
$$;
COMMENT ON FUNCTION @extschema@.im_collect(@extschema@.im_reading) IS
'Meters the days of a reading into temporary tables.';

-- Only events that no meter takes make metering fail; the rest of their apps
-- is metered without them.
CREATE FUNCTION @extschema@.im_find_bad(first date, until date, apps bigint[]) RETURNS bigint[]
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO pg_temp.im_metering_bad
	SELECT b.app_id, b.since, b.until, @extschema@.im_local_days(b.since, b.until, a.time_zone)
	FROM (SELECT c.app_id, c.at AS since, c.at AS until
		  FROM @extschema@.im_bad_checks($1, $2) c
		  WHERE c.at >= @extschema@.im_utc_midnight($1 - 1)
		  UNION ALL
		  SELECT c.app_id, c.at, c.at
		  FROM @extschema@.im_bad_calls($1, $2) c
		  WHERE c.at >= @extschema@.im_utc_midnight($1 - 1)
		  UNION ALL
		  SELECT g.app_id, g.at, g.at
		  FROM @extschema@.im_bad_groups($1, $2) g) b
	JOIN @extschema@.im_app_cards(NULL) a ON a.app_id = b.app_id
	WHERE a.time_zone IS NOT NULL AND ($3 IS NULL OR b.app_id = ANY ($3))
		AND @extschema@.im_local_days(b.since, b.until, a.time_zone) && daterange($1, $2);
	RETURN (SELECT array_agg(DISTINCT b.app_id)
			FROM pg_temp.im_metering_bad b
			WHERE b.days && daterange($1, $2));
END
$$;
COMMENT ON FUNCTION @extschema@.im_find_bad(date, date, bigint[]) IS
'Notes the events of [first, until) that cannot be metered, of these apps or (null) of all: the apps that have any.';

CREATE FUNCTION @extschema@.im_collect_around_bad(reading @extschema@.im_reading) RETURNS boolean
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	whole boolean := ($1).raw_first < ($1).raw_until;
	first date := least(CASE WHEN whole THEN ($1).raw_first END, (SELECT min(s) FROM unnest(($1).stale_first) s));
	until date := greatest(CASE WHEN whole THEN ($1).raw_until END, (SELECT max(s) FROM unnest(($1).stale_until) s));
	r @extschema@.im_reading := $1;
BEGIN
	r.skip_apps := @extschema@.im_find_bad(first, until, ($1).stale_apps);
	IF r.skip_apps IS NULL THEN
		RETURN false;
	END IF;
	SELECT array_agg(s.app_id), array_agg(lower(d.days)), array_agg(upper(d.days)), min(lower(d.days)), max(upper(d.days))
	INTO r.stale_apps, r.stale_first, r.stale_until, r.stale_low, r.stale_high
	FROM (SELECT unnest(r.skip_apps) AS app_id, r.raw_first AS first, r.raw_until AS until
		  WHERE whole
		  UNION ALL
		  SELECT * FROM unnest(($1).stale_apps, ($1).stale_first, ($1).stale_until)) s,
		unnest(datemultirange(daterange(s.first, s.until))
			   - coalesce((SELECT range_agg(b.days) FROM pg_temp.im_metering_bad b
						   WHERE b.app_id = s.app_id), '{}')) d(days);
	PERFORM @extschema@.im_collect(r);
	RETURN true;
END
$$;
COMMENT ON FUNCTION @extschema@.im_collect_around_bad(@extschema@.im_reading) IS
'Meters a reading without the apps and days on which an event cannot be metered; false if there is no such event.';

CREATE FUNCTION @extschema@.im_meter_reading(reading @extschema@.im_reading) RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found bigint;
BEGIN
	BEGIN
		PERFORM @extschema@.im_collect($1);
	EXCEPTION WHEN data_exception THEN
		IF NOT @extschema@.im_collect_around_bad($1) THEN
			RAISE;
		END IF;
	END;
	INSERT INTO pg_temp.im_metering_row
	SELECT r.*
	FROM (
		SELECT app_id, day, l.dau, l.users, e.peak_groups, e.text_checks, e.image_checks,
			e.audio_half_minutes, e.video_half_minutes, e.audio_minutes, e.sd_minutes, e.hd_minutes, e.fhd_minutes
		FROM pg_temp.im_metering_login l
		FULL JOIN (
			SELECT m.app_id, d.day, sum(d.peak_groups)::bigint AS peak_groups,
				sum(d.text_checks)::bigint AS text_checks, sum(d.image_checks)::bigint AS image_checks,
				sum(d.audio_half_minutes)::bigint AS audio_half_minutes,
				sum(d.video_half_minutes)::bigint AS video_half_minutes,
				sum(d.audio_minutes)::bigint AS audio_minutes, sum(d.sd_minutes)::bigint AS sd_minutes,
				sum(d.hd_minutes)::bigint AS hd_minutes, sum(d.fhd_minutes)::bigint AS fhd_minutes
			FROM pg_temp.im_metering_event m, @extschema@.im_usage_days(m.usage) d
			GROUP BY m.app_id, d.day) e USING (app_id, day)) r
	WHERE NOT EXISTS (SELECT FROM pg_temp.im_metering_bad b WHERE b.app_id = r.app_id AND r.day <@ b.days);
	GET DIAGNOSTICS found = ROW_COUNT;
	RETURN found;
END
$$;
COMMENT ON FUNCTION @extschema@.im_meter_reading(@extschema@.im_reading) IS
'Meters a reading: the number of apps and days with usage.';

CREATE FUNCTION @extschema@.im_meter_spans(spans datemultirange) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	started CONSTANT timestamptz := clock_timestamp();
	total CONSTANT int := (SELECT sum(upper(s.days) - lower(s.days)) FROM unnest($1) s(days));
	done int := 0;
	step int := 31;
	span record;
	reading @extschema@.im_reading;
	found bigint;
BEGIN
	FOR span IN SELECT lower(s.days) AS first, upper(s.days) AS until FROM unnest($1) s(days) ORDER BY s.days LOOP
		WHILE span.first < span.until LOOP
			reading.raw_first := span.first;
			reading.raw_until := least(span.first + step, span.until);
			found := @extschema@.im_meter_reading(reading);
			done := done + (reading.raw_until - reading.raw_first);
			RAISE NOTICE 'metered % through %: % rows, % %% of the days, about % s left',
				reading.raw_first, reading.raw_until - 1, found, done * 100 / total,
				round(extract(epoch FROM clock_timestamp() - started) * (total - done) / done);
			-- where there is nothing, hurry on
			step := CASE WHEN found = 0 THEN least(step * 2, 3650) ELSE 31 END;
			span.first := reading.raw_until;
		END LOOP;
	END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.im_meter_spans(datemultirange) IS
'Meters the days of all apps that im_meter() chose, a month at a time.';

-- What im_stale_logins(), im_stale_checks() and their like read, for bills,
-- has a day of slack on either side, for any zone; here the zone of each app
-- is at hand.  One query for each app and day, of a plan that has no joins:
-- parsing and planning one query of all of them would take longer than
-- running these.
CREATE FUNCTION @extschema@.im_meter_few(reading @extschema@.im_reading, zones text[])
	RETURNS @extschema@.im_metered_figures[]
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	app bigint;
	zone text;
	day date;
	slice record;
	dau bigint;
	groups bigint[];
	checks bigint[];
	calls bigint[];
	-- what a day with events of another kind has
	nothing bigint;
	figures @extschema@.im_metered_figures[] := '{}';
BEGIN
	FOR i IN 1 .. cardinality(($1).stale_apps) LOOP
		app := ($1).stale_apps[i];
		zone := $2[i];
		day := ($1).stale_first[i];
		WHILE day < ($1).stale_until[i] LOOP
			slice := @extschema@.im_day_slice(day, zone);
			SELECT
				(SELECT nullif(@extschema@.im_dau(l.user_id), 0)
				 FROM @extschema@.im_login l
				 WHERE l.app_id = app AND l.at >= slice.since AND l.at < slice.until
					AND (NOT slice.shared OR @extschema@.im_day(l.at, zone) = day)),
				(SELECT @extschema@.im_group_days(g.app_id, g.group_id, g.created_at, g.disbanded_at, zone, day, day)
				 FROM @extschema@.im_group g
				 WHERE g.app_id = app AND g.created_at < slice.until
					AND (g.disbanded_at IS NULL OR g.disbanded_at >= slice.since OR g.created_at >= slice.since)),
				(SELECT @extschema@.im_check_days(k.app_id, k.at, k.kind, k.seconds, zone, day, day)
				 FROM @extschema@.im_moderation_check k
				 WHERE k.app_id = app AND k.at >= slice.since AND k.at < slice.until),
				(SELECT @extschema@.im_call_days(c.app_id, c.at, c.class, c.seconds, zone, day, day)
				 FROM @extschema@.im_call c
				 WHERE c.app_id = app AND c.at >= slice.since AND c.at < slice.until)
			INTO dau, groups, checks, calls;
			IF dau IS NOT NULL OR groups IS NOT NULL OR checks IS NOT NULL OR calls IS NOT NULL THEN
				nothing := CASE WHEN groups IS NOT NULL OR checks IS NOT NULL OR calls IS NOT NULL THEN 0 END;
				-- a figure of im_usage_days() stands at its place in the array
				figures := figures || ROW(app, day, dau, coalesce(groups[3], nothing),
					coalesce(checks[4], nothing), coalesce(checks[5], nothing), coalesce(checks[6], nothing),
					coalesce(checks[7], nothing), coalesce(calls[8], nothing), coalesce(calls[9], nothing),
					coalesce(calls[10], nothing), coalesce(calls[11], nothing))::@extschema@.im_metered_figures;
			END IF;
			day := day + 1;
		END LOOP;
	END LOOP;
	RETURN figures;
EXCEPTION WHEN data_exception THEN
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION @extschema@.im_meter_few(@extschema@.im_reading, text[]) IS
'Meters a few days of single apps, in these time zones, of whose cards none prices users of the month; null where an event cannot be metered.';

CREATE FUNCTION @extschema@.im_meter_stale(reading @extschema@.im_reading) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found bigint;
BEGIN
	IF ($1).stale_apps IS NULL THEN
		RETURN;
	END IF;
	found := @extschema@.im_meter_reading($1);
	RAISE NOTICE 'metered % changed spans of single apps: % rows', cardinality(($1).stale_apps), found;
END
$$;
COMMENT ON FUNCTION @extschema@.im_meter_stale(@extschema@.im_reading) IS
'Meters the changed days of single apps that im_meter() chose.';

-- Called by im_store_usage(), which tells the triggers whose rows these are.
-- Apps without a card, or that are not in im_app, are never metered.
CREATE FUNCTION @extschema@.im_write_metered(spans datemultirange, reading @extschema@.im_reading,
		figures @extschema@.im_metered_figures[])
	RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	written bigint;
BEGIN
	LOCK TABLE @extschema@.im_usage_daily IN SHARE ROW EXCLUSIVE MODE;
	IF NOT isempty($1) THEN
		DELETE FROM @extschema@.im_usage_daily u
		USING unnest($1) s(days)
		WHERE u.day >= lower(s.days) AND u.day < upper(s.days) AND u.metered_at IS NOT NULL;
	END IF;
	DELETE FROM @extschema@.im_usage_daily u
	USING unnest(($2).stale_apps, ($2).stale_first, ($2).stale_until) s(app_id, first, until)
	WHERE u.app_id = s.app_id AND u.day >= s.first AND u.day < s.until AND u.metered_at IS NOT NULL;
	IF $3 IS NOT NULL THEN
		INSERT INTO @extschema@.im_usage_daily (app_id, day, dau, peak_groups, text_checks, image_checks,
			audio_half_minutes, video_half_minutes, audio_minutes, sd_minutes, hd_minutes, fhd_minutes, metered_at)
		SELECT r.*, now()
		FROM unnest($3) r
		ON CONFLICT DO NOTHING;
	ELSE
		INSERT INTO @extschema@.im_usage_daily (app_id, day, dau, users, peak_groups, text_checks, image_checks,
			audio_half_minutes, video_half_minutes, audio_minutes, sd_minutes, hd_minutes, fhd_minutes, metered_at)
		SELECT r.app_id, r.day, CASE WHEN a.prices_mau THEN @extschema@.im_count(r.users) ELSE r.dau END,
			CASE WHEN a.prices_mau THEN coalesce(r.users, '{}') END, r.peak_groups, r.text_checks, r.image_checks,
			r.audio_half_minutes, r.video_half_minutes, r.audio_minutes, r.sd_minutes, r.hd_minutes,
			r.fhd_minutes, now()
		FROM pg_temp.im_metering_row r
		JOIN @extschema@.im_app_cards(NULL) a ON a.app_id = r.app_id
		-- bills read them in the order of the primary key, app by app
		ORDER BY r.app_id, r.day
		ON CONFLICT DO NOTHING;
	END IF;
	GET DIAGNOSTICS written = ROW_COUNT;
	RETURN written;
END
$$;
COMMENT ON FUNCTION @extschema@.im_write_metered(datemultirange, @extschema@.im_reading, @extschema@.im_metered_figures[]) IS
'Writes what was found on days of all apps and of single ones into im_usage_daily, where no user has a row: the number of rows. Figures null: it is in a temporary table.';

CREATE FUNCTION @extschema@.im_store_usage(spans datemultirange, reading @extschema@.im_reading,
		figures @extschema@.im_metered_figures[])
	RETURNS bigint
	AS 'MODULE_PATHNAME' LANGUAGE C;
COMMENT ON FUNCTION @extschema@.im_store_usage(datemultirange, @extschema@.im_reading, @extschema@.im_metered_figures[]) IS
'Writes what im_meter() has metered as rows of the extension, not of a user: their number.';

-- What could not be metered is marked again.
CREATE FUNCTION @extschema@.im_leave_bad() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	bad bigint;
	month text;
BEGIN
	INSERT INTO @extschema@.im_usage_mark (app_id, since, until)
	SELECT DISTINCT b.app_id, b.since, b.until FROM pg_temp.im_metering_bad b;
	SELECT count(DISTINCT (b.app_id, lower(b.days))), to_char(min(upper(b.days) - 1), 'YYYY-MM')
	INTO bad, month
	FROM pg_temp.im_metering_bad b;
	IF bad > 0 THEN
		RAISE WARNING USING
			MESSAGE = format('%s days of apps have events that cannot be metered', bad),
			DETAIL = 'They are left as they are: their bills fail until the events are corrected.',
			HINT = format('SELECT * FROM %s.im_check(%L) lists them, of the first month.', '@extschema@', month);
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_leave_bad() IS
'Marks the days with events that im_meter() could not meter, and warns of them.';

-- The last steps, where what was found is in temporary tables.
CREATE FUNCTION @extschema@.im_meter_many(spans datemultirange, reading @extschema@.im_reading) RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	written bigint;
BEGIN
	PERFORM @extschema@.im_open_metering();
	PERFORM @extschema@.im_meter_spans($1);
	PERFORM @extschema@.im_meter_stale($2);
	written := @extschema@.im_store_usage($1, $2, NULL);
	INSERT INTO @extschema@.im_metered_day (day, metered_at)
	SELECT d::date, now()
	FROM unnest($1) s(days),
		generate_series(lower(s.days)::timestamp, upper(s.days)::timestamp - interval '1 day', interval '1 day') d
	ON CONFLICT (day) DO UPDATE SET metered_at = excluded.metered_at;
	PERFORM @extschema@.im_leave_bad();
	RETURN written;
END
$$;
COMMENT ON FUNCTION @extschema@.im_meter_many(datemultirange, @extschema@.im_reading) IS
'Meters days of all apps and of single ones through temporary tables: reads events, writes rows, days and marks.';

CREATE FUNCTION @extschema@.im_meter(first_day date DEFAULT NULL, last_day date DEFAULT NULL)
	RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
DECLARE
	marks @extschema@.im_marks;
	days datemultirange;
	metered datemultirange;
	spans datemultirange;
	plan record;
	figures @extschema@.im_metered_figures[];
BEGIN
	PERFORM @extschema@.im_begin_metering();
	marks := @extschema@.im_take_marks();
	days := datemultirange(@extschema@.im_days_to_meter($1, $2, marks));
	metered := @extschema@.im_all_metered_days();
	spans := @extschema@.im_plan_spans(days, metered);
	IF isempty(spans) AND marks IS NULL THEN
		RETURN 0;
	END IF;
	plan := @extschema@.im_plan_marks(days, metered, marks);
	IF isempty(spans) AND (plan.reading).stale_apps IS NULL THEN
		RETURN 0;
	END IF;
	-- sets of users can be too large for an array, and the groups of an app are
	-- read for each of its days
	IF isempty(spans) AND NOT plan.some_price_mau
		AND (SELECT sum(u - f) <= 100 AND max(u - f) <= 3
			 FROM unnest((plan.reading).stale_first, (plan.reading).stale_until) s(f, u)) THEN
		figures := @extschema@.im_meter_few(plan.reading, plan.zones);
	END IF;
	IF figures IS NULL THEN
		RETURN @extschema@.im_meter_many(spans, plan.reading);
	END IF;
	RAISE NOTICE 'metered % changed spans of single apps: % rows',
		cardinality((plan.reading).stale_apps), cardinality(figures);
	RETURN @extschema@.im_store_usage('{}', plan.reading, figures);
END
$$;
COMMENT ON FUNCTION @extschema@.im_meter(date, date) IS
'Meters the days from the first through the last into im_usage_daily, as far as they are not metered or have changed since; null: all days of which events are known, through today. Rows of users stay as they are. Returns the number of rows written. Errors: 22023 for days out of order, 25000 above isolation level read committed, 42501 without the rights of the tables'' owner, 55000 where a raw table is fed by a subscription.';

CREATE FUNCTION @extschema@.im_keep_metered(first_day date, last_day date) RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	kept bigint;
	odd bigint;
BEGIN
	IF $1 IS NULL OR $2 IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'null_value_not_allowed',
			MESSAGE = 'what was metered is kept from a first through a last day, but one of them is null',
			DETAIL = 'Rows of these days become rows of the users, which are never metered again.',
			HINT = 'Give both days.';
	END IF;
	PERFORM @extschema@.im_meter($1, $2);
	IF to_regclass('pg_temp.im_metering_bad') IS NOT NULL THEN
		SELECT count(*) INTO odd FROM pg_temp.im_metering_bad b WHERE b.days && daterange($1, $2, '[]');
	END IF;
	IF odd > 0 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = format('%s events from %s through %s cannot be metered', odd, $1, $2),
			DETAIL = 'What was metered can take the place of the events only if all of them are in it.',
			HINT = format('SELECT * FROM %s.im_check(%L) lists them.', '@extschema@', to_char($1, 'YYYY-MM'));
	END IF;
	UPDATE @extschema@.im_usage_daily u
	SET metered_at = NULL
	WHERE u.metered_at IS NOT NULL AND u.day >= $1 AND u.day <= $2;
	GET DIAGNOSTICS kept = ROW_COUNT;
	RETURN kept;
END
$$;
COMMENT ON FUNCTION @extschema@.im_keep_metered(date, date) IS
'Meters the days from the first through the last and makes the rows the users'' own, so that the events of these days can be dropped: the number of rows. Errors: 22004 for null, 55000 where an event cannot be metered, and those of im_meter().';

-- Reports: what is wrong, what nobody pays, what state an app is in, what a
-- card says.

CREATE FUNCTION @extschema@.im_current_card() RETURNS @extschema@.im_rate_card
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	card @extschema@.im_rate_card;
BEGIN
	IF to_regclass('@extschema@.im_rate_card_version') IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'undefined_table',
			MESSAGE = 'there is no table im_rate_card_version yet',
			DETAIL = 'Without a card given, prices are those of the version of "cn" in force today.',
			HINT = 'Call im_create_tables() first, or give a card, such as im_bundled_card(''cn'', ''2024-01-01'').';
	END IF;
	IF @extschema@.im_guarded('im_current_card_guarded') THEN
		RETURN @extschema@.im_current_card_guarded();
	END IF;
	SELECT v.terms::@extschema@.im_rate_card INTO card
	FROM @extschema@.im_rate_card_version v
	WHERE v.rate_card = 'cn'
		AND v.effective_from <= (now() AT TIME ZONE (v.terms ->> 'time_zone'))::date
	ORDER BY v.effective_from DESC
	LIMIT 1;
	IF card IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'no_data_found',
			MESSAGE = 'rate card "cn" has no version in force today',
			DETAIL = 'Without a card given, prices are those of that version.',
			HINT = 'Add a version to im_rate_card_version, or give a card.';
	END IF;
	RETURN card;
END
$$;
COMMENT ON FUNCTION @extschema@.im_current_card() IS
'The version of rate card cn in force today. Errors: 42P01 before im_create_tables(), P0002 without such a version.';

CREATE FUNCTION @extschema@.im_dau_overage(plan text, peak_dau bigint) RETURNS numeric
	LANGUAGE sql STABLE PARALLEL SAFE
	RETURN @extschema@.im_dau_overage(@extschema@.im_current_card(), plan, peak_dau);
COMMENT ON FUNCTION @extschema@.im_dau_overage(text, bigint) IS
'im_dau_overage() by the version of cn in force today, in CNY.';

CREATE FUNCTION @extschema@.im_group_overage(plan text, peak bigint) RETURNS numeric
	LANGUAGE sql STABLE PARALLEL SAFE
	RETURN @extschema@.im_group_overage(@extschema@.im_current_card(), plan, peak);
COMMENT ON FUNCTION @extschema@.im_group_overage(text, bigint) IS
'im_group_overage() by the version of cn in force today, in CNY.';

CREATE FUNCTION @extschema@.im_addon_fee(plan text, addon text, option text DEFAULT '') RETURNS numeric
	LANGUAGE sql STABLE PARALLEL SAFE
	RETURN @extschema@.im_addon_fee(@extschema@.im_current_card(), plan, addon, option);
COMMENT ON FUNCTION @extschema@.im_addon_fee(text, text, text) IS
'im_addon_fee() by the version of cn in force today, in CNY per month.';

CREATE FUNCTION @extschema@.im_moderation_fee(deductions numeric) RETURNS numeric
	LANGUAGE sql STABLE PARALLEL SAFE
	RETURN @extschema@.im_moderation_fee(@extschema@.im_current_card(), deductions);
COMMENT ON FUNCTION @extschema@.im_moderation_fee(numeric) IS
'im_moderation_fee() by the version of cn in force today, in CNY.';

CREATE FUNCTION @extschema@.im_deductions(kind text, quantity numeric) RETURNS numeric
	LANGUAGE sql STABLE PARALLEL SAFE
	RETURN @extschema@.im_deductions(@extschema@.im_current_card(), kind, quantity);
COMMENT ON FUNCTION @extschema@.im_deductions(text, numeric) IS
'im_deductions() by the version of cn in force today.';

CREATE FUNCTION @extschema@.im_bundled_card(name text, effective_from date)
	RETURNS @extschema@.im_rate_card
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	card jsonb;
BEGIN
	SELECT b.terms INTO card
	FROM @extschema@.im_bundled_cards() b
	WHERE b.rate_card = $1 AND b.effective_from = $2;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'no_data_found',
			MESSAGE = format('no bundled rate card "%s" takes effect on %s', $1, to_char($2, 'YYYY-MM-DD')),
			DETAIL = (SELECT format('The bundled versions are %s.',
						string_agg(format('%s from %s', b.rate_card, to_char(b.effective_from, 'YYYY-MM-DD')), ', '
							ORDER BY b.rate_card, b.effective_from))
					  FROM @extschema@.im_bundled_cards() b),
			HINT = 'Name a version by its first day.';
	END IF;
	RETURN card::@extschema@.im_rate_card;
END
$$;
COMMENT ON FUNCTION @extschema@.im_bundled_card(text, date) IS
'A rate card that the extension brings, by name and first day (R10). Error P0002 for any other.';

CREATE FUNCTION @extschema@.im_price_list(card @extschema@.im_rate_card)
	RETURNS TABLE (item text, plan text, option text, charge text, included numeric,
		block numeric, price numeric, "grant" numeric, coefficient numeric)
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	SET jit = off	-- as in im_rebill()
AS $$
	WITH c AS (SELECT $1::jsonb AS terms),
	list(rank, item, plan, option, charge, included, block, price, granted, coefficient) AS (
		SELECT 1, 'plan', p.key, '', 'prepaid', NULL::numeric, NULL::numeric,
			(p.value ->> 'price')::numeric, NULL::numeric, NULL::numeric
		FROM c, jsonb_each(c.terms -> 'plans') p
		UNION ALL
		SELECT 2, CASE u.key WHEN 'groups' THEN 'group' ELSE u.key END || '_overage', p.key, '', 'postpaid',
			(u.value ->> 'included')::numeric, (u.value ->> 'block')::numeric,
			(u.value ->> 'price')::numeric, NULL, NULL
		FROM c, jsonb_each(c.terms -> 'plans') p, jsonb_each(p.value) u
		WHERE u.key IN ('dau', 'mau', 'groups')
		UNION ALL
		SELECT 3, a.key, p.key, o.key, a.value ->> 'charge', NULL, NULL,
			o.value::numeric, (a.value -> 'minutes' ->> o.key)::numeric, NULL
		FROM c, jsonb_each(c.terms -> 'addons') a, jsonb_each(a.value -> 'prices') p,
			jsonb_each_text(p.value) o
		UNION ALL
		SELECT 4, 'call_minutes', NULL, m.key, 'postpaid', NULL, NULL,
			(m.value ->> 'price')::numeric, NULL, (m.value ->> 'ratio')::numeric
		FROM c, jsonb_each(c.terms -> 'call_minutes') m
		UNION ALL
		SELECT 5, 'local_moderation', NULL, '', 'prepaid', NULL, NULL,
			(c.terms ->> 'local_moderation')::numeric, NULL, NULL
		FROM c WHERE c.terms ? 'local_moderation'
		UNION ALL
		SELECT 6, 'moderation_pack', NULL, k.key, 'prepaid', NULL, NULL,
			(k.value ->> 'price')::numeric, (k.value ->> 'deductions')::numeric, NULL
		FROM c, jsonb_each(c.terms -> 'moderation' -> 'packs') k
		UNION ALL
		SELECT 7, 'moderation', NULL, w.key, 'postpaid', NULL, NULL,
			(c.terms -> 'moderation' ->> 'price')::numeric, NULL, w.value::numeric
		FROM c, jsonb_each_text(c.terms -> 'moderation' -> 'coefficients') w)
	SELECT l.item, l.plan, l.option, l.charge, l.included, l.block, l.price, l.granted, l.coefficient
	FROM list l
	ORDER BY l.rank, l.item COLLATE "C", l.plan COLLATE "C", l.price, l.option COLLATE "C"
$$;
COMMENT ON FUNCTION @extschema@.im_price_list(@extschema@.im_rate_card) IS
'What a card sells, a price a row, in its currency: per month for plans, add-ons and local moderation, per block for overage, per minute for calls, per deduction for moderation, per pack. grant: minutes each month, or deductions of a pack; coefficient: deductions of a check or minute, pack minutes of a call minute.';

CREATE FUNCTION @extschema@.im_app_status(app_id bigint, at timestamptz) RETURNS text
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF @extschema@.im_guarded('im_app_status_guarded') THEN
		RETURN @extschema@.im_app_status_guarded($1, $2);
	END IF;
	PERFORM @extschema@.im_need_app($1);
	RETURN (
		SELECT @extschema@.im_rate_state(a.app_id, a.card_name, @extschema@.im_price_book(NULL),
			o.orders, s.suspensions, false, $2)
		FROM @extschema@.im_app_cards(NULL) a
		LEFT JOIN @extschema@.im_app_orders('infinity') o ON o.app_id = a.app_id
		LEFT JOIN @extschema@.im_app_suspensions() s ON s.app_id = a.app_id
		WHERE a.app_id = $1);
END
$$;
COMMENT ON FUNCTION @extschema@.im_app_status(bigint, timestamptz) IS
'The state of an app on the day of an instant, in its rate card''s time zone (R2, R7): trial, active, grace, stopped, suspended or reclaimed. Errors: P0002 for an unknown app or rate card, 22008 for an instant outside the years 1 to 9999.';

CREATE FUNCTION @extschema@.im_moderation_statement(app_id bigint, month @extschema@.im_month)
	RETURNS TABLE (day date, service text, text_checks bigint, image_checks bigint,
		audio_half_minutes bigint, video_half_minutes bigint, deductions numeric,
		from_packs numeric, packs jsonb, postpaid numeric, amount numeric)
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 31
	SET search_path = pg_catalog, pg_temp
	SET jit = off	-- as in im_rebill()
AS $$
#variable_conflict use_column
DECLARE
	first date := $2::date;
	until date := upper($2::daterange);
	book @extschema@.im_price_book;
	reading @extschema@.im_reading;
BEGIN
	IF @extschema@.im_guarded('im_moderation_statement_guarded') THEN
		RETURN QUERY SELECT * FROM @extschema@.im_moderation_statement_guarded($1, $2);
		RETURN;
	END IF;
	book := @extschema@.im_price_book(NULL);
	PERFORM @extschema@.im_need_app($1);
	PERFORM @extschema@.im_need_month($1, $2);
	reading := @extschema@.im_reading(first, until, NULL, book, $1);
	RETURN QUERY
	SELECT l.*
	FROM @extschema@.im_gather(first, until, NULL, reading) g,
		@extschema@.im_rate_statement(g.app_id, g.card_name, book, g.orders, g.suspensions,
			g.preview, $2, g.since, g.daily, g.logins, g.groups, g.checks,
			g.calls, g.user_days, g.users) l
	WHERE g.app_id = $1;
END
$$;
COMMENT ON FUNCTION @extschema@.im_moderation_statement(bigint, @extschema@.im_month) IS
'Cloud moderation of a month day by day (R6): checks and half minutes by kind, deductions, what packs gave in all and each (order_id: deductions), the postpaid rest and its amount. service is on, off, suspended, stopped or reclaimed. Errors as im_monthly_bill().';

CREATE FUNCTION @extschema@.im_unbilled_usage(month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, day date, kind text, quantity numeric, reason text)
	LANGUAGE plpgsql STABLE STRICT ROWS 1000
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	first date := $1::date;
	until date := upper($1::daterange);
	book @extschema@.im_price_book;
	reading @extschema@.im_reading;
BEGIN
	IF @extschema@.im_guarded('im_unbilled_usage_guarded') THEN
		RETURN QUERY SELECT * FROM @extschema@.im_unbilled_usage_guarded($1);
		RETURN;
	END IF;
	book := @extschema@.im_price_book(NULL);
	reading := @extschema@.im_reading(first, until, NULL, NULL);
	RETURN QUERY
	SELECT l.*
	FROM @extschema@.im_gather(first, until, NULL, reading) g,
		@extschema@.im_rate_unbilled(g.app_id, g.card_name, book, g.orders, g.suspensions,
			g.preview, $1, g.since, g.daily, g.logins, g.groups, g.checks,
			g.calls, g.user_days, g.users) l;
	RETURN QUERY
	SELECT l.*
	FROM @extschema@.im_orphaned_usage(first, until) g,
		@extschema@.im_rate_unbilled(g.app_id, NULL, NULL, NULL, NULL, false, $1, first, g.usage, NULL, NULL, NULL, NULL, NULL, NULL) l;
END
$$;
COMMENT ON FUNCTION @extschema@.im_unbilled_usage(@extschema@.im_month) IS
'Usage of a month that nobody pays, by app, day and kind (dau, groups, text, image, audio, video, call_audio, call_sd, call_hd, call_fhd), with the reason: suspended, stopped, switched off, not priced by the card, no such app. quantity: users, groups, checks or minutes.';

-- The ledger: what was issued, how it is read, digested and guarded.
--
-- The number of a document is its natural key (app_id, month, revision): there
-- is no counter to wait for, so closers of different apps run side by side,
-- and the key alone keeps two of them from issuing one document twice.

CREATE FUNCTION @extschema@.im_canonical(VARIADIC "any") RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_canonical("any") IS
'The values as bytes that no session setting, encoding or version changes and that no other values have: what digests are computed of. Error 0A000 for types that no invoice has.';

CREATE FUNCTION @extschema@.im_line_bytes(l @extschema@.im_bill_line) RETURNS bytea
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN @extschema@.im_canonical((l).line, (l).item, (l).option, (l).period, (l).due_on,
		(l).quantity, (l).included, (l).billable, (l).units, (l).unit_price, (l).amount,
		(l).currency, (l).explanation);
COMMENT ON FUNCTION @extschema@.im_line_bytes(@extschema@.im_bill_line) IS
'What of a line goes into the digest of its document: all but app and month, which are the document''s.';

-- The text at the front tells these digests from any other use of the same
-- bytes, and a later way of computing them from this one.
CREATE FUNCTION @extschema@.im_invoice_digest(app_id bigint, month date, revision integer,
		kind text, currency text, total numeric, issued_at timestamptz, rate_card text,
		card_from date, previous bytea, lines bytea)
	RETURNS bytea
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN pg_catalog.sha256(
		@extschema@.im_canonical('imbilling invoice 1'::pg_catalog.text, app_id, month, revision, kind,
			currency, total, issued_at, rate_card, card_from, previous, lines));
COMMENT ON FUNCTION @extschema@.im_invoice_digest(bigint, date, integer, text, text, numeric, timestamptz, text, date, bytea, bytea) IS
'The digest of a document (SHA-256): of its columns, the digest of the app''s document before it (null for the first) and the bytes of its lines in their order.';

CREATE FUNCTION @extschema@.im_as_issued() RETURNS trigger
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION USING
		ERRCODE = 'object_not_in_prerequisite_state',
		MESSAGE = format('%s holds what was issued: %s is refused', TG_TABLE_NAME, TG_OP),
		DETAIL = 'A document that a customer has cannot change; what was wrong with it is corrected by a further one.',
		HINT = 'Correct orders or usage, then CALL im_adjust_month(month), which issues a note of the difference.';
END
$$;
COMMENT ON FUNCTION @extschema@.im_as_issued() IS
'Trigger: refuses UPDATE, DELETE and TRUNCATE of the ledger with error 55000.';

-- ENABLE ALWAYS: session_replication_role = replica does not get past it.
CREATE FUNCTION @extschema@.im_guard_ledger() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	t record;
BEGIN
	FOR t IN
		SELECT d.table_name, d.trigger_name
		FROM @extschema@.im_trigger_definitions() d
		JOIN pg_trigger g ON g.tgrelid = format('%s.%I', '@extschema@', d.table_name)::regclass
			AND g.tgname = d.trigger_name
		WHERE d.definition LIKE '%.im_as_issued()' AND g.tgenabled <> 'A'
	LOOP
		EXECUTE format('ALTER TABLE %s.%I ENABLE ALWAYS TRIGGER %I',
			'@extschema@', t.table_name, t.trigger_name);
	END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.im_guard_ledger() IS
'Makes the triggers that guard the ledger fire whatever the session''s replication role, also where somebody disabled them.';

-- Which apps are closed ----------------------------------------------------

-- A row of im_closing covers the ids between the apps of its batch as well: an
-- app that is inserted into a closed month later is closed without an invoice,
-- and what it used shows as drift.

CREATE FUNCTION @extschema@.im_closed_apps(month date) RETURNS int8multirange
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(range_agg(c.apps), '{}') FROM @extschema@.im_closing c WHERE c.month = $1
$$;
COMMENT ON FUNCTION @extschema@.im_closed_apps(date) IS
'The app_ids that are closed in a month; all of them once the close is complete.';

CREATE FUNCTION @extschema@.im_is_begun(month @extschema@.im_month) RETURNS boolean
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM @extschema@.im_need_tables();
	RETURN EXISTS (SELECT FROM @extschema@.im_closing c WHERE c.month = $1::date);
END
$$;
COMMENT ON FUNCTION @extschema@.im_is_begun(@extschema@.im_month) IS
'Whether any app of the month is closed. Error 42P01 before im_create_tables().';

CREATE FUNCTION @extschema@.im_open_apps(month @extschema@.im_month) RETURNS bigint[]
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	closed int8multirange := @extschema@.im_closed_apps($1::date);
BEGIN
	-- the usual case needs no look at the apps
	IF closed @> '(,)'::int8range THEN
		RETURN NULL;
	END IF;
	RETURN (SELECT array_agg(a.app_id) FROM @extschema@.im_app a WHERE NOT a.app_id <@ closed);
END
$$;
COMMENT ON FUNCTION @extschema@.im_open_apps(@extschema@.im_month) IS
'The apps that are not closed in a month; null if there are none.';

CREATE FUNCTION @extschema@.im_cards_in_force(month @extschema@.im_month)
	RETURNS TABLE (rate_card text, card_from date, currency text, scale integer)
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT DISTINCT ON (v.rate_card) v.rate_card, v.effective_from, v.terms ->> 'currency',
		-- a card may write its scale as 2.0
		(v.terms ->> 'scale')::numeric::integer
	FROM @extschema@.im_rate_card_version v
	WHERE v.effective_from <= $1::date
	ORDER BY v.rate_card, v.effective_from DESC
$$;
COMMENT ON FUNCTION @extschema@.im_cards_in_force(@extschema@.im_month) IS
'The version of each rate card that rates usage of a month (R9), with its currency and the places of it.';

-- What was issued ----------------------------------------------------------

CREATE FUNCTION @extschema@.im_issued_lines(month date) RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 100000
AS $$
	SELECT l.app_id, l.month,
		CASE WHEN l.revision = 0 THEN l.line
			ELSE l.line + (SELECT count(*)::integer
						   FROM @extschema@.im_invoice_line e
						   WHERE e.app_id = l.app_id AND e.month = l.month AND e.revision < l.revision) END,
		l.item, l.option, l.period, l.due_on, l.quantity, l.included, l.billable, l.units,
		l.unit_price, l.amount, l.currency, l.explanation
	FROM @extschema@.im_invoice_line l
	WHERE l.month = $1
$$;
COMMENT ON FUNCTION @extschema@.im_issued_lines(date) IS
'The lines of all documents of a month as issued; those of an app''s notes are numbered on from those of its invoice.';

CREATE FUNCTION @extschema@.im_month_root(month @extschema@.im_month) RETURNS bytea
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM @extschema@.im_need_tables();
	RETURN (
		SELECT sha256(@extschema@.im_canonical('imbilling month 1'::text, $1::date,
			string_agg(@extschema@.im_canonical(i.app_id, i.revision, i.digest), ''
				ORDER BY i.app_id, i.revision)))
		FROM @extschema@.im_invoice i
		WHERE i.month = $1::date);
END
$$;
COMMENT ON FUNCTION @extschema@.im_month_root(@extschema@.im_month) IS
'One digest (SHA-256) of all documents of a month. Kept outside the database it proves later that none was changed, removed or added: im_verify_invoices(month, root).';

-- Closing a month: invoices in batches, each in a transaction of its own.
--
-- A batch first locks the rows of its apps in im_app, passing over those that
-- somebody else holds, and only then takes the snapshot that it bills under.
-- So it never waits while it holds a lock and cannot be part of a deadlock;
-- closers of one month share its apps among them; and whoever holds an app's
-- row sees the last document of that app, which the next one's digest covers.
-- When all that is left is held by others, it waits for one of those apps
-- before it has locked any.
--
-- An order that is being placed holds the app's row while it is checked (see
-- orders.sql): what commits before the snapshot is in the invoice, what
-- commits later is drift.

CREATE TYPE @extschema@.im_run AS (
	total bigint,
	done bigint,
	before bigint,
	issued bigint,
	visited int8multirange,
	failed bigint[],
	problem text,
	finished boolean,
	root bytea,
	begun_at timestamptz
);
COMMENT ON TYPE @extschema@.im_run IS
'How far a call of im_close_month() or im_adjust_month() has come; goes from batch to batch.';
COMMENT ON COLUMN @extschema@.im_run.total IS 'Apps to go through.';
COMMENT ON COLUMN @extschema@.im_run.done IS 'Apps that are done, those of other closers included.';
COMMENT ON COLUMN @extschema@.im_run.before IS 'Apps that were done when this call began.';
COMMENT ON COLUMN @extschema@.im_run.issued IS 'Documents that this call issued.';
COMMENT ON COLUMN @extschema@.im_run.visited IS 'app_ids that this call need not look at again.';
COMMENT ON COLUMN @extschema@.im_run.failed IS 'Apps whose bill cannot be right.';
COMMENT ON COLUMN @extschema@.im_run.problem IS 'What is wrong with the first of them.';
COMMENT ON COLUMN @extschema@.im_run.finished IS 'Whether nothing is left to do.';
COMMENT ON COLUMN @extschema@.im_run.root IS 'Then the digest of the month.';
COMMENT ON COLUMN @extschema@.im_run.begun_at IS 'When this call began.';

CREATE FUNCTION @extschema@.im_in_transaction_block() RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE;
COMMENT ON FUNCTION @extschema@.im_in_transaction_block() IS
'Whether the session is inside a transaction block, where a procedure cannot commit.';

CREATE FUNCTION @extschema@.im_start_run(what text, month @extschema@.im_month, batch integer)
	RETURNS @extschema@.im_run
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF $2 IS NULL OR $3 IS NULL OR $3 < 1 THEN
		RAISE EXCEPTION USING
			ERRCODE = CASE WHEN $3 < 1 THEN 'invalid_parameter_value' ELSE 'null_value_not_allowed' END,
			MESSAGE = format('%s needs a month and a batch of at least 1 app, not %s and %s', $1,
				coalesce($2::text, 'null'), coalesce($3::text, 'null')),
			DETAIL = 'batch is the number of apps whose documents are issued in one transaction.',
			HINT = format('CALL %s(''2024-03'').', $1);
	END IF;
	IF @extschema@.im_in_transaction_block() THEN
		RAISE EXCEPTION USING
			ERRCODE = 'active_sql_transaction',
			MESSAGE = format('%s cannot run inside a transaction block', $1),
			DETAIL = 'It commits after every batch, so that what is issued stays issued.',
			HINT = 'CALL it by itself: without BEGIN, not from a function, and not among other statements sent as one.';
	END IF;
	PERFORM @extschema@.im_need_tables();
	RETURN ROW(NULL, 0, 0, 0, '{}', '{}', NULL, false, NULL, clock_timestamp())::@extschema@.im_run;
END
$$;
COMMENT ON FUNCTION @extschema@.im_start_run(text, @extschema@.im_month, integer) IS
'Checks the arguments of a procedure that commits and that it may commit: errors 22004, 22023 and 25001, 42P01 before im_create_tables().';

CREATE FUNCTION @extschema@.im_tell_run(month @extschema@.im_month, what text, run @extschema@.im_run)
	RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	rate numeric := ($3.done - $3.before)
		/ greatest(extract(epoch FROM clock_timestamp() - $3.begun_at), 0.001);
	left_over bigint := $3.total - $3.done;
BEGIN
	RAISE NOTICE USING MESSAGE = format('%s: %s of %s apps %s, %s; %s apps a second%s', $1,
		$3.done, $3.total, $2,
		CASE $3.issued WHEN 1 THEN '1 document issued' ELSE format('%s documents issued', $3.issued) END,
		round(rate),
		CASE WHEN left_over > 0 AND rate > 0 THEN format(', %s s left', ceil(left_over / rate)) END);
END
$$;
COMMENT ON FUNCTION @extschema@.im_tell_run(@extschema@.im_month, text, @extschema@.im_run) IS
'A notice of how far a procedure has come: done, total, rate and time left.';

CREATE FUNCTION @extschema@.im_end_run(month @extschema@.im_month, what text, run @extschema@.im_run)
	RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	failures integer := cardinality($3.failed);
BEGIN
	RAISE NOTICE USING MESSAGE = format('%s: root %s', $1, encode($3.root, 'hex'));
	IF failures > 0 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'check_violation',
			MESSAGE = CASE WHEN failures = 1 THEN format('the bill of app %s for %s cannot be right, it is not %s', $3.failed[1], $1, $2)
				ELSE format('the bills of %s apps for %s cannot be right, they are not %s', failures, $1, $2) END,
			DETAIL = format('The first problem met: %s All other apps are %s.', $3.problem, $2),
			HINT = format('SELECT * FROM %s.im_check(%L) lists what to correct; then CALL again.', '@extschema@', $1::text);
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_end_run(@extschema@.im_month, text, @extschema@.im_run) IS
'A notice of the digest of the month; error 23514 if apps were left out because their bill cannot be right.';

-- Apps ---------------------------------------------------------------------

CREATE FUNCTION @extschema@.im_app_span(first_app bigint, last_app bigint) RETURNS int8multirange
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	RETURN int8multirange(int8range(first_app,
		-- the bound above the greatest id is none
		CASE WHEN last_app < 9223372036854775807 THEN last_app + 1 END));
COMMENT ON FUNCTION @extschema@.im_app_span(bigint, bigint) IS
'The app_ids from the first through the last.';

CREATE FUNCTION @extschema@.im_app_points(apps bigint[]) RETURNS int8multirange
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(range_agg(@extschema@.im_app_span(a, a)), '{}') FROM unnest($1) a
$$;
COMMENT ON FUNCTION @extschema@.im_app_points(bigint[]) IS
'The given app_ids and none between them.';

CREATE FUNCTION @extschema@.im_apps_among(todo int8multirange) RETURNS bigint[]
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT array_agg(a.app_id)
	FROM @extschema@.im_app a
	WHERE a.app_id >= coalesce(lower($1), -9223372036854775808)
		AND a.app_id <= coalesce(upper($1) - 1, 9223372036854775807)
		AND a.app_id <@ $1
$$;
COMMENT ON FUNCTION @extschema@.im_apps_among(int8multirange) IS
'The apps among some app_ids; null if there are none.';

CREATE FUNCTION @extschema@.im_is_app_among(todo int8multirange) RETURNS boolean
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT EXISTS (
		SELECT FROM @extschema@.im_app a
		WHERE a.app_id >= coalesce(lower($1), -9223372036854775808) AND a.app_id <@ $1)
$$;
COMMENT ON FUNCTION @extschema@.im_is_app_among(int8multirange) IS
'Whether there is an app among some app_ids.';

CREATE FUNCTION @extschema@.im_claim_free_apps(todo int8multirange, batch integer) RETURNS bigint[]
	LANGUAGE sql
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT array_agg(f.app_id ORDER BY f.app_id)
	FROM (SELECT a.app_id
		  FROM @extschema@.im_app a
		  WHERE a.app_id >= coalesce(lower($1), -9223372036854775808) AND a.app_id <@ $1
		  ORDER BY a.app_id
		  LIMIT $2
		  FOR NO KEY UPDATE SKIP LOCKED) f
$$;
COMMENT ON FUNCTION @extschema@.im_claim_free_apps(int8multirange, integer) IS
'Locks so many of the first apps among some app_ids until the end of the transaction, passing over those that others hold; null if there are none.';

CREATE FUNCTION @extschema@.im_claim_apps(todo int8multirange, batch integer) RETURNS bigint[]
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	claimed bigint[] := @extschema@.im_claim_free_apps($1, $2);
	awaited bigint;
BEGIN
	IF claimed IS NOT NULL OR NOT @extschema@.im_is_app_among($1) THEN
		RETURN claimed;
	END IF;
	RAISE NOTICE 'waiting for the transactions that hold the apps left';
	SELECT a.app_id INTO awaited
	FROM @extschema@.im_app a
	WHERE a.app_id >= coalesce(lower($1), -9223372036854775808) AND a.app_id <@ $1
	ORDER BY a.app_id
	LIMIT 1
	FOR NO KEY UPDATE;
	RETURN @extschema@.im_claim_free_apps($1, $2);
END
$$;
COMMENT ON FUNCTION @extschema@.im_claim_apps(int8multirange, integer) IS
'As im_claim_free_apps(), but where others hold all of them it waits for the first, while it holds none.';

CREATE FUNCTION @extschema@.im_need_over(month @extschema@.im_month, apps bigint[]) RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	zone text;
	over date;
BEGIN
	-- without apps any card tells what a month is
	SELECT z.time_zone, z.today INTO zone, over
	FROM (SELECT v.terms ->> 'time_zone' AS time_zone,
				 (now() AT TIME ZONE (v.terms ->> 'time_zone'))::date AS today
		  FROM @extschema@.im_rate_card_version v
		  WHERE v.rate_card IN (SELECT a.rate_card FROM @extschema@.im_app a WHERE $2 IS NULL
								UNION
								SELECT a.rate_card
								FROM unnest($2) u(app_id)
								JOIN @extschema@.im_app a ON a.app_id = u.app_id)
			OR NOT EXISTS (SELECT FROM @extschema@.im_app)) z
	ORDER BY z.today
	LIMIT 1;
	IF over < upper($1::daterange) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = format('%s is not over: it is %s in %s', $1, to_char(over, 'YYYY-MM-DD'), zone),
			DETAIL = 'A month is over when its last day has ended in the time zone of the rate cards of all apps.',
			HINT = format('Close it on %s or later.', to_char(upper($1::daterange), 'YYYY-MM-DD'));
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_need_over(@extschema@.im_month, bigint[]) IS
'Error 55000 unless the month is over in the zone of every rate card of the given apps, of all apps if null.';

CREATE FUNCTION @extschema@.im_need_batch() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF current_setting('transaction_read_only')::boolean THEN
		RAISE EXCEPTION USING
			ERRCODE = 'read_only_sql_transaction',
			MESSAGE = 'no document can be issued in a read-only transaction',
			DETAIL = CASE WHEN pg_is_in_recovery() THEN 'This server is a standby.'
				ELSE 'The session''s transactions are read-only by default.' END,
			HINT = 'Call it on the primary, with default_transaction_read_only off.';
	END IF;
	-- what an older snapshot hides would be issued twice or digested wrongly
	IF current_setting('transaction_isolation') <> 'read committed' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_transaction_state',
			MESSAGE = format('documents are issued in transactions that are read committed, not %s',
				current_setting('transaction_isolation')),
			DETAIL = 'Each batch must see what was issued before it locked its apps.',
			HINT = 'CALL im_close_month(month) or im_adjust_month(month), which begin such transactions themselves.';
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_need_batch() IS
'Error 25006 in a read-only transaction, 25000 in one that is not read committed.';

-- Documents ----------------------------------------------------------------

-- One document an app at most: where the currency of the app changed there
-- are two to issue, and the second one's digest covers the first's.
CREATE FUNCTION @extschema@.im_issue(month @extschema@.im_month, apps bigint[], notes boolean,
		OUT issued bigint, OUT invoices bigint, OUT more boolean)
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
DECLARE
	at timestamptz := clock_timestamp();
BEGIN
	WITH line AS MATERIALIZED (
		SELECT l AS row, l.app_id, l.currency, l.line, l.amount
		FROM @extschema@.im_rebill_apps($1, $2) l
		WHERE NOT $3
		UNION ALL
		SELECT l, l.app_id, l.currency, l.line, l.amount
		FROM @extschema@.im_note_lines($1, $2) l
		WHERE $3),
	sheet AS (
		SELECT l.app_id, l.currency, sum(l.amount) AS amount,
			string_agg(@extschema@.im_line_bytes(l.row), '' ORDER BY l.line) AS bytes
		FROM line l
		GROUP BY l.app_id, l.currency),
	draft AS (
		SELECT DISTINCT ON (s.app_id) s.app_id, s.currency, s.bytes, a.rate_card, c.card_from,
			coalesce(i.revision + 1, 0) AS revision,
			-- together the documents are the rounded bill (R9)
			round(coalesce(i.amount, 0) + s.amount, CASE WHEN c.currency = s.currency THEN c.scale ELSE 0 END)
				- coalesce(i.total, 0) AS total,
			greatest(at, p.issued_at + interval '1 microsecond') AS issued_at, p.digest AS previous
		FROM sheet s
		-- by its key, however many apps there are
		CROSS JOIN LATERAL (SELECT p.rate_card FROM @extschema@.im_app p WHERE p.app_id = s.app_id OFFSET 0) a
		LEFT JOIN @extschema@.im_cards_in_force($1) c ON c.rate_card = a.rate_card
		CROSS JOIN LATERAL @extschema@.im_issued_so_far($1::date, s.app_id, s.currency) i
		LEFT JOIN LATERAL @extschema@.im_last_document(s.app_id) p ON true
		-- what was issued in another currency than the app's is taken back first
		ORDER BY s.app_id, s.currency = c.currency),
	document AS (
		INSERT INTO @extschema@.im_invoice (app_id, month, revision, kind, currency, total,
			issued_at, rate_card, card_from, digest)
		SELECT d.app_id, $1::date, d.revision, k.kind, d.currency, d.total, d.issued_at, d.rate_card, d.card_from,
			@extschema@.im_invoice_digest(d.app_id, $1::date, d.revision, k.kind, d.currency,
				d.total, d.issued_at, d.rate_card, d.card_from, d.previous, d.bytes)
		FROM draft d
		CROSS JOIN LATERAL (SELECT CASE WHEN d.revision = 0 THEN 'invoice' WHEN d.total < 0 THEN 'credit_note'
				ELSE 'debit_note' END AS kind) k
		ORDER BY d.app_id
		ON CONFLICT DO NOTHING
		RETURNING im_invoice.app_id, im_invoice.revision, im_invoice.currency),
	written AS (
		INSERT INTO @extschema@.im_invoice_line (app_id, month, revision, line, item, option, period,
			due_on, quantity, included, billable, units, unit_price, amount, currency, explanation)
		SELECT d.app_id, $1::date, d.revision, (l.row).line, (l.row).item, (l.row).option, (l.row).period,
			(l.row).due_on, (l.row).quantity, (l.row).included, (l.row).billable, (l.row).units,
			(l.row).unit_price, (l.row).amount, (l.row).currency, (l.row).explanation
		FROM line l
		JOIN document d ON d.app_id = l.app_id AND d.currency = l.currency)
	SELECT (SELECT count(*) FROM document), (SELECT count(*) FROM document d WHERE d.revision = 0),
		(SELECT count(*) > count(DISTINCT s.app_id) FROM sheet s)
	INTO issued, invoices, more;
END
$$;
COMMENT ON FUNCTION @extschema@.im_issue(@extschema@.im_month, bigint[], boolean) IS
'Issues a document for each of the apps that has lines to bill, or with notes a document of what has changed since: how many, how many of them invoices, and whether some app needs another one. The caller holds the apps'' rows.';

-- These two have no settings of their own, so that the planner inlines them.
CREATE FUNCTION @extschema@.im_issued_so_far(month date, app_id bigint, currency text)
	RETURNS TABLE (revision integer, total numeric, amount numeric)
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
AS $$
	SELECT max(i.revision), sum(i.total) FILTER (WHERE i.currency = $3),
		(SELECT sum(l.amount)
		 FROM @extschema@.im_invoice_line l
		 WHERE l.app_id = $2 AND l.month = $1 AND l.currency = $3)
	FROM @extschema@.im_invoice i
	WHERE i.app_id = $2 AND i.month = $1
$$;
COMMENT ON FUNCTION @extschema@.im_issued_so_far(date, bigint, text) IS
'The last revision of an app and month, and what was issued in a currency: totals of documents and exact amounts of lines.';

CREATE FUNCTION @extschema@.im_last_document(app_id bigint)
	RETURNS TABLE (digest bytea, issued_at timestamptz)
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
AS $$
	SELECT i.digest, i.issued_at
	FROM @extschema@.im_invoice i
	WHERE i.app_id = $1
	ORDER BY i.issued_at DESC, i.month DESC, i.revision DESC
	LIMIT 1
$$;
COMMENT ON FUNCTION @extschema@.im_last_document(bigint) IS
'The app''s last document.';

-- One app whose bill cannot be right must not hold up the others: the batch is
-- halved until it stands alone.
CREATE FUNCTION @extschema@.im_issue_what_can_be(month @extschema@.im_month, apps bigint[],
		notes boolean, OUT issued bigint, OUT invoices bigint, OUT failed bigint[], OUT problem text)
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	middle integer := cardinality($2) / 2;
	step record;
	message text;
	detail text;
BEGIN
	issued := 0;
	invoices := 0;
	failed := '{}';
	BEGIN
		LOOP
			SELECT * INTO step FROM @extschema@.im_issue($1, $2, $3);
			issued := issued + step.issued;
			invoices := invoices + step.invoices;
			EXIT WHEN NOT step.more OR step.issued = 0;
		END LOOP;
		RETURN;
	EXCEPTION
		WHEN check_violation OR no_data_found OR data_exception OR program_limit_exceeded THEN
			GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	END;
	issued := 0;
	invoices := 0;
	IF middle = 0 THEN
		failed := $2;
		problem := format('%s. %s', message, detail);
		RETURN;
	END IF;
	FOR step IN
		SELECT h.*
		FROM (VALUES (1, $2[:middle]), (2, $2[middle + 1:])) p(half, apps),
			@extschema@.im_issue_what_can_be($1, p.apps, $3) h
		ORDER BY p.half
	LOOP
		issued := issued + step.issued;
		invoices := invoices + step.invoices;
		failed := failed || step.failed;
		problem := coalesce(problem, step.problem);
	END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.im_issue_what_can_be(@extschema@.im_month, bigint[], boolean) IS
'Issues the documents of all apps whose bill can be computed: how many, how many of them invoices, which apps cannot, and why the first.';

CREATE FUNCTION @extschema@.im_need_few_failures(month @extschema@.im_month, failed bigint[], problem text)
	RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF cardinality($2) > 100 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'check_violation',
			MESSAGE = format('the bills of more than 100 apps for %s cannot be right', $1),
			DETAIL = format('The first problem met: %s What was issued so far stays.', $3),
			HINT = format('SELECT * FROM %s.im_check(%L) lists what to correct; then CALL again.', '@extschema@', $1::text);
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_need_few_failures(@extschema@.im_month, bigint[], text) IS
'Error 23514 where so many bills fail that something common to them must be wrong.';

-- A batch ------------------------------------------------------------------

CREATE FUNCTION @extschema@.im_close_some(month @extschema@.im_month, batch integer,
		INOUT run @extschema@.im_run)
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	begun boolean := run.total IS NULL;
	todo int8multirange;
	claimed bigint[];
	step record;
	span int8multirange;
BEGIN
	PERFORM @extschema@.im_need_batch();
	IF begun THEN
		PERFORM @extschema@.im_need_over($1, NULL);
		run.total := (SELECT count(*) FROM @extschema@.im_app);
		run.before := @extschema@.im_apps_done($1::date);
	END IF;
	todo := '{(,)}' - @extschema@.im_closed_apps($1::date) - @extschema@.im_app_points(run.failed);
	claimed := @extschema@.im_claim_apps(todo, $2);
	-- what others closed before we held the apps is seen only now
	todo := '{(,)}' - @extschema@.im_closed_apps($1::date) - @extschema@.im_app_points(run.failed);
	claimed := (SELECT array_agg(c ORDER BY c) FROM unnest(claimed) c WHERE c <@ todo);
	IF claimed IS NOT NULL THEN
		PERFORM @extschema@.im_need_over($1, claimed);
		SELECT * INTO step FROM @extschema@.im_issue_what_can_be($1, claimed, false);
		run.issued := run.issued + step.issued;
		run.failed := run.failed || step.failed;
		run.problem := coalesce(run.problem, step.problem);
		PERFORM @extschema@.im_need_few_failures($1, run.failed, run.problem);
		span := @extschema@.im_span_of_batch(todo, claimed) - @extschema@.im_app_points(step.failed);
		IF NOT isempty(span) THEN
			PERFORM @extschema@.im_note_closing($1::date, span,
				cardinality(claimed) - cardinality(step.failed), step.invoices, run);
		END IF;
		todo := todo - span - @extschema@.im_app_points(step.failed);
	END IF;
	run.done := @extschema@.im_apps_done($1::date);
	run.finished := NOT @extschema@.im_is_app_among(todo);
	IF run.finished THEN
		-- one row that says all, which whoever asks finds first
		IF NOT isempty(todo) THEN
			-- without an app to issue for nothing was asked yet, and run is the caller's word
			PERFORM @extschema@.im_need_over($1, NULL);
			PERFORM @extschema@.im_note_closing($1::date, '{(,)}' - @extschema@.im_app_points(run.failed), 0, 0, run);
		END IF;
		run.root := @extschema@.im_month_root($1);
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_close_some(@extschema@.im_month, integer, @extschema@.im_run) IS
'Closes a batch of apps of a month in the transaction of its caller, who must own the tables; what im_close_month() repeats.';

-- Apps within the span that others hold stay open.
CREATE FUNCTION @extschema@.im_span_of_batch(todo int8multirange, claimed bigint[]) RETURNS int8multirange
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	span int8multirange := @extschema@.im_app_span($2[1], $2[cardinality($2)]);
	passed_over bigint[];
BEGIN
	SELECT array_agg(p.app_id) INTO passed_over
	FROM (SELECT unnest(@extschema@.im_apps_among($1 * span)) AS app_id
		  EXCEPT
		  SELECT unnest($2)) p;
	RETURN span - @extschema@.im_app_points(passed_over);
END
$$;
COMMENT ON FUNCTION @extschema@.im_span_of_batch(int8multirange, bigint[]) IS
'The app_ids that a batch is done with: from its first app through its last, without the apps between them that it could not claim.';

CREATE FUNCTION @extschema@.im_apps_done(month date) RETURNS bigint
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(sum(c.done), 0)::bigint FROM @extschema@.im_closing c WHERE c.month = $1
$$;
COMMENT ON FUNCTION @extschema@.im_apps_done(date) IS
'Apps that are closed in a month.';

CREATE FUNCTION @extschema@.im_note_closing(month date, apps int8multirange, done bigint,
		invoices bigint, run @extschema@.im_run)
	RETURNS void
	LANGUAGE sql
	SET search_path = pg_catalog, pg_temp
AS $$
	INSERT INTO @extschema@.im_closing (month, apps, done, invoices, total, begun_at, closed_at)
	SELECT $1, $2, $3, $4, ($5).total, ($5).begun_at, clock_timestamp()
	ON CONFLICT DO NOTHING
$$;
COMMENT ON FUNCTION @extschema@.im_note_closing(date, int8multirange, bigint, bigint, @extschema@.im_run) IS
'Records that app_ids are closed in a month.';

-- No SET clause and no SECURITY DEFINER, with which a procedure cannot commit:
-- so names are qualified and there is not one operator.
CREATE PROCEDURE @extschema@.im_close_month(month @extschema@.im_month, batch integer DEFAULT 1000)
	LANGUAGE plpgsql
AS $$
DECLARE
	run @extschema@.im_run;
BEGIN
	run := @extschema@.im_start_run('im_close_month', $1, $2);
	LOOP
		COMMIT;
		SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
		run := @extschema@.im_close_batch($1, $2, run);
		COMMIT;
		PERFORM @extschema@.im_tell_run($1, 'closed', run);
		EXIT WHEN run.finished;
	END LOOP;
	PERFORM @extschema@.im_end_run($1, 'closed', run);
END
$$;
COMMENT ON PROCEDURE @extschema@.im_close_month(@extschema@.im_month, integer) IS
'Closes a month: issues the invoice of every app with lines, batch apps a transaction, in the order of app_id; goes on where an earlier call stopped. Errors: 55000 for a month that is not over, 25001 inside a transaction block, 23514 at its end for apps whose bill cannot be right, which stay open.';

-- What would change in a closed month, and the notes that say so.
--
-- Lines are compared by what identifies them: item, option, period, day due,
-- unit price and currency.  Of lines alike in all of these (two packs bought
-- on one day) the sums are compared.  All figures of a note's line are
-- differences, so the documents of an app add up to its bill line by line,
-- and nothing is left to compare once they are issued.  A price that changed
-- is another line: the old one is taken back, the new one billed.

CREATE FUNCTION @extschema@.im_rebill(app_id bigint, month @extschema@.im_month)
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 10
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF @extschema@.im_guarded('im_rebill_guarded') THEN
		RETURN QUERY SELECT * FROM @extschema@.im_rebill_guarded($1, $2);
		RETURN;
	END IF;
	RETURN QUERY SELECT * FROM @extschema@.im_rebill($1, $2, NULL);
END
$$;
COMMENT ON FUNCTION @extschema@.im_rebill(bigint, @extschema@.im_month) IS
'The bill of a usage month of one app computed anew from orders and usage, whether the month is closed or not. Errors: P0002 for an unknown app or a month that no card version covers; 22023 for a raw row that cannot be metered, named; 23514 for an order that the rules forbid.';

CREATE FUNCTION @extschema@.im_line_changes(month @extschema@.im_month, apps bigint[])
	RETURNS TABLE (app_id bigint, currency text, item text, option text, period daterange,
		due_on date, unit_price numeric, quantity numeric, included numeric, billable numeric,
		units numeric, amount numeric, issued numeric, rebilled numeric, old_line integer,
		new_line integer, explanation text)
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
	SELECT c.app_id, c.currency, c.item, c.option, c.period, c.due_on, c.unit_price,
		sum(c.quantity), sum(c.included), sum(c.billable), sum(c.units), sum(c.amount),
		-sum(c.amount) FILTER (WHERE c.is_issued), sum(c.amount) FILTER (WHERE NOT c.is_issued),
		min(c.line) FILTER (WHERE c.is_issued), min(c.line) FILTER (WHERE NOT c.is_issued),
		max(c.explanation) FILTER (WHERE NOT c.is_issued)
	FROM (
		SELECT l.app_id, l.currency, l.item, l.option, l.period, l.due_on, l.unit_price, -l.quantity AS quantity,
			-l.included AS included, -l.billable AS billable, -l.units AS units, -l.amount AS amount,
			true AS is_issued, l.line, NULL AS explanation
		FROM (SELECT i.* FROM @extschema@.im_invoice_line i WHERE $2 IS NULL AND i.month = $1::date
			  UNION ALL
			  SELECT i.*
			  FROM unnest($2) a(app_id)
			  JOIN @extschema@.im_invoice_line i ON i.app_id = a.app_id AND i.month = $1::date) l
		UNION ALL
		SELECT r.app_id, r.currency, r.item, r.option, r.period, r.due_on, r.unit_price, r.quantity,
			r.included, r.billable, r.units, r.amount, false, r.line, r.explanation
		FROM (SELECT b.* FROM @extschema@.im_rebills($1) b WHERE $2 IS NULL
			  UNION ALL
			  SELECT b.* FROM @extschema@.im_rebill_apps($1, $2) b) r) c
	GROUP BY c.app_id, c.currency, c.item, c.option, c.period, c.due_on, c.unit_price
	HAVING sum(c.amount) <> 0 OR sum(c.quantity) <> 0 OR sum(c.units) <> 0
		OR sum(c.billable) <> 0 OR sum(c.included) <> 0
$$;
COMMENT ON FUNCTION @extschema@.im_line_changes(@extschema@.im_month, bigint[]) IS
'The differences between the lines that were issued for a month and those of the bill computed anew, for the given apps or, if null, for all in one pass.';

CREATE FUNCTION @extschema@.im_note_lines(month @extschema@.im_month, apps bigint[])
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	invoiced bigint[];
	missing bigint[];
BEGIN
	SELECT coalesce(array_agg(k.app_id) FILTER (WHERE k.invoiced), '{}'),
		coalesce(array_agg(k.app_id) FILTER (WHERE NOT k.invoiced), '{}')
	INTO invoiced, missing
	FROM (SELECT a.app_id,
				 EXISTS (SELECT FROM @extschema@.im_invoice i
						 WHERE i.app_id = a.app_id AND i.month = $1::date
						 OFFSET 0) AS invoiced	-- by its key, not by hashing all invoices
		  FROM unnest($2) a(app_id)) k;
	RETURN QUERY SELECT * FROM @extschema@.im_rebill_apps($1, missing);
	RETURN QUERY
	SELECT c.app_id, $1::date,
		row_number() OVER (PARTITION BY c.app_id, c.currency
			ORDER BY coalesce(c.new_line, c.old_line), c.old_line, c.item COLLATE "C", c.option COLLATE "C",
				c.period, c.due_on, c.unit_price)::integer,
		c.item, c.option, c.period, c.due_on, c.quantity, c.included, c.billable, c.units,
		c.unit_price, c.amount, c.currency,
		CASE WHEN c.rebilled IS NULL THEN format('Issued as %s %s, no longer due.', c.issued, c.currency)
			WHEN c.issued IS NULL THEN format('Not issued before: %s', c.explanation)
			ELSE format('Issued as %s %s, now %s: %s', c.issued, c.currency, c.rebilled, c.explanation) END
	FROM @extschema@.im_line_changes($1, invoiced) c;
END
$$;
COMMENT ON FUNCTION @extschema@.im_note_lines(@extschema@.im_month, bigint[]) IS
'The lines of the next document of each app in a closed month: the differences to what was issued, or the whole bill where nothing was.';

-- With no apps given all are rated in one pass, unless the close stopped
-- halfway: then an app that is still open, and may be so because its bill
-- cannot be right, is left alone.
CREATE FUNCTION @extschema@.im_drift_of(apps bigint[], month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, issued numeric, rebilled numeric, difference numeric)
	LANGUAGE plpgsql STABLE ROWS 100
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	closed int8multirange := @extschema@.im_closed_apps($2::date);
	those bigint[] := $1;
BEGIN
	IF those IS NOT NULL THEN
		those := ARRAY(SELECT a FROM unnest(those) a WHERE a <@ closed);
	ELSIF NOT closed @> '(,)'::int8range THEN
		those := coalesce(@extschema@.im_apps_among(closed), '{}');
	END IF;
	RETURN QUERY
	SELECT d.app_id, d.issued, d.rebilled, d.rebilled - d.issued
	FROM (SELECT c.app_id, coalesce(i.total, 0) AS issued,
				 round(coalesce(i.amount, 0) + c.amount,
					CASE WHEN f.currency = c.currency THEN f.scale ELSE 0 END) AS rebilled,
				 c.currency
		  FROM (SELECT k.app_id, k.currency, sum(k.amount) AS amount
				FROM @extschema@.im_line_changes($2, those) k
				GROUP BY k.app_id, k.currency) c
		  JOIN @extschema@.im_app a ON a.app_id = c.app_id
		  LEFT JOIN @extschema@.im_cards_in_force($2) f ON f.rate_card = a.rate_card
		  CROSS JOIN LATERAL @extschema@.im_issued_so_far($2::date, c.app_id, c.currency) i) d
	ORDER BY d.app_id, d.currency COLLATE "C";
END
$$;
COMMENT ON FUNCTION @extschema@.im_drift_of(bigint[], @extschema@.im_month) IS
'im_drift() of the given apps; null for all of them.';

CREATE FUNCTION @extschema@.im_drift(month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, issued numeric, rebilled numeric, difference numeric)
	LANGUAGE plpgsql STABLE STRICT ROWS 100
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM @extschema@.im_need_tables();
	IF @extschema@.im_guarded('im_drift_guarded') THEN
		RETURN QUERY SELECT * FROM @extschema@.im_drift_guarded($1);
		RETURN;
	END IF;
	RETURN QUERY SELECT * FROM @extschema@.im_drift_of(NULL, $1);
END
$$;
COMMENT ON FUNCTION @extschema@.im_drift(@extschema@.im_month) IS
'The closed apps whose bill of the month, computed anew, differs in any line from what was issued: totals issued and rebilled and their difference, in the currency of the app; 0 where only lines differ. An app whose currency changed has a row for each. Empty for a month that is not closed. Errors as im_monthly_bills().';

CREATE FUNCTION @extschema@.im_adjust_some(month @extschema@.im_month, batch integer,
		INOUT run @extschema@.im_run)
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	closed int8multirange;
	todo int8multirange;
	claimed bigint[];
	step record;
BEGIN
	PERFORM @extschema@.im_need_batch();
	closed := @extschema@.im_closed_apps($1::date);
	IF isempty(closed) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = format('%s is not closed', $1),
			DETAIL = 'A note corrects what was issued; until then the bill itself changes.',
			HINT = format('CALL %s.im_close_month(%L).', '@extschema@', $1::text);
	END IF;
	IF run.total IS NULL THEN
		run.total := coalesce(cardinality(@extschema@.im_apps_among(closed)), 0);
	END IF;
	todo := closed - run.visited;
	claimed := @extschema@.im_claim_apps(todo, $2);
	IF claimed IS NOT NULL THEN
		SELECT * INTO step FROM @extschema@.im_issue_what_can_be($1, claimed, true);
		run.issued := run.issued + step.issued;
		run.failed := run.failed || step.failed;
		run.problem := coalesce(run.problem, step.problem);
		PERFORM @extschema@.im_need_few_failures($1, run.failed, run.problem);
		run.visited := run.visited + @extschema@.im_span_of_batch(todo, claimed);
		IF step.invoices > 0 THEN
			PERFORM @extschema@.im_note_closing($1::date, @extschema@.im_app_points(claimed), 0, step.invoices, run);
		END IF;
		run.done := run.done + cardinality(claimed);
	END IF;
	run.finished := NOT @extschema@.im_is_app_among(closed - run.visited);
	IF run.finished THEN
		run.root := @extschema@.im_month_root($1);
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_adjust_some(@extschema@.im_month, integer, @extschema@.im_run) IS
'Issues the notes of a batch of apps of a closed month in the transaction of its caller, who must own the tables; what im_adjust_month() repeats.';

CREATE PROCEDURE @extschema@.im_adjust_month(month @extschema@.im_month, batch integer DEFAULT 1000)
	LANGUAGE plpgsql
AS $$
DECLARE
	run @extschema@.im_run;
BEGIN
	run := @extschema@.im_start_run('im_adjust_month', $1, $2);
	LOOP
		COMMIT;
		SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
		run := @extschema@.im_adjust_batch($1, $2, run);
		COMMIT;
		PERFORM @extschema@.im_tell_run($1, 'compared', run);
		EXIT WHEN run.finished;
	END LOOP;
	PERFORM @extschema@.im_end_run($1, 'adjusted', run);
END
$$;
COMMENT ON PROCEDURE @extschema@.im_adjust_month(@extschema@.im_month, integer) IS
'Issues for each closed app whose bill differs from what was issued a note of the differences: a credit_note if its total is negative, else a debit_note; for an app without an invoice the invoice. batch apps a transaction, in the order of app_id. Errors: 55000 for a month that is not closed, 25001 inside a transaction block, 23514 at its end for apps whose bill cannot be right.';

-- Proving the ledger: which documents are whole, and how they came about.

-- Both have a column month beside an argument of that name, which only a type
-- can bring together.
CREATE TYPE @extschema@.im_invoice_problem AS (
	app_id bigint,
	month date,
	revision integer,
	problem text
);
COMMENT ON TYPE @extschema@.im_invoice_problem IS
'What im_verify_invoices() finds wrong with a document, or with a month.';
COMMENT ON COLUMN @extschema@.im_invoice_problem.app_id IS 'The app; null for a month as a whole.';
COMMENT ON COLUMN @extschema@.im_invoice_problem.month IS 'First day of the month.';
COMMENT ON COLUMN @extschema@.im_invoice_problem.revision IS 'The document; null for a month as a whole.';
COMMENT ON COLUMN @extschema@.im_invoice_problem.problem IS 'What is wrong.';

CREATE TYPE @extschema@.im_document AS (
	month date,
	revision integer,
	kind text,
	currency text,
	total numeric,
	issued_at timestamptz,
	rate_card text,
	card_from date,
	digest bytea
);
COMMENT ON TYPE @extschema@.im_document IS
'A document of an app: the columns of im_invoice without the app.';
COMMENT ON COLUMN @extschema@.im_document.month IS 'First day of the usage month.';
COMMENT ON COLUMN @extschema@.im_document.revision IS '0 for the invoice, 1, 2, ... for its notes.';
COMMENT ON COLUMN @extschema@.im_document.kind IS 'invoice, credit_note or debit_note.';
COMMENT ON COLUMN @extschema@.im_document.currency IS 'ISO 4217 code of total.';
COMMENT ON COLUMN @extschema@.im_document.total IS 'What the document comes to.';
COMMENT ON COLUMN @extschema@.im_document.issued_at IS 'When.';
COMMENT ON COLUMN @extschema@.im_document.rate_card IS 'The price list of the app when it was issued.';
COMMENT ON COLUMN @extschema@.im_document.card_from IS 'First day of the version of it that rates usage of the month.';
COMMENT ON COLUMN @extschema@.im_document.digest IS 'SHA-256 over the document, its lines and the digest of the app''s document before it.';

-- The documents of an app follow each other in the order in which they were
-- issued, whatever their months.  One that does not follow the document before
-- it but the one before that tells that what stands between was inserted.  To
-- judge a month its documents and those right after them are computed again.
CREATE FUNCTION @extschema@.im_checked_documents(of_month date)
	RETURNS TABLE (app_id bigint, month date, revision integer, copies bigint, whole boolean,
		inserted boolean)
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
	WITH chain AS (
		SELECT i.*, lag(i.digest, 1) OVER app AS previous, lag(i.digest, 2) OVER app AS last_but_one,
			lag(i.month) OVER app AS previous_month, row_number() OVER app AS place,
			count(*) OVER (PARTITION BY i.app_id, i.month, i.revision) AS copies
		FROM @extschema@.im_invoice i
		WINDOW app AS (PARTITION BY i.app_id ORDER BY i.issued_at, i.month, i.revision)),
	document AS (
		SELECT * FROM chain c WHERE $1 IS NULL OR c.month = $1 OR c.previous_month = $1),
	lines AS (
		SELECT l.app_id, l.month, l.revision,
			string_agg(@extschema@.im_line_bytes(ROW(l.app_id, l.month, l.line, l.item, l.option, l.period,
				l.due_on, l.quantity, l.included, l.billable, l.units, l.unit_price, l.amount,
				l.currency, l.explanation)::@extschema@.im_bill_line), '' ORDER BY l.line) AS bytes
		FROM @extschema@.im_invoice_line l
		WHERE EXISTS (SELECT FROM document d
					  WHERE d.app_id = l.app_id AND d.month = l.month AND d.revision = l.revision)
		GROUP BY l.app_id, l.month, l.revision),
	checked AS (
		SELECT d.*,
			d.digest IS NOT DISTINCT FROM @extschema@.im_invoice_digest(d.app_id, d.month, d.revision, d.kind,
				d.currency, d.total, d.issued_at, d.rate_card, d.card_from, d.previous, l.bytes) AS follows,
			d.digest IS NOT DISTINCT FROM @extschema@.im_invoice_digest(d.app_id, d.month, d.revision, d.kind,
				d.currency, d.total, d.issued_at, d.rate_card, d.card_from, d.last_but_one, l.bytes) AS skips
		FROM document d
		LEFT JOIN lines l ON l.app_id = d.app_id AND l.month = d.month AND l.revision = d.revision)
	SELECT j.app_id, j.month, j.revision, j.copies, j.follows OR j.place > 1 AND j.skips, j.inserted
	FROM (SELECT c.*,
				 coalesce(lead(c.skips AND NOT c.follows) OVER (PARTITION BY c.app_id ORDER BY c.place), false)
					AND c.place = lead(c.place) OVER (PARTITION BY c.app_id ORDER BY c.place) - 1 AS inserted
		  FROM checked c) j
	WHERE $1 IS NULL OR j.month = $1
$$;
COMMENT ON FUNCTION @extschema@.im_checked_documents(date) IS
'The documents of a month, or all if null: how often each is there, whether it matches its digest, and whether the document after it shows that it was inserted.';

CREATE FUNCTION @extschema@.im_document_problems(of_month date)
	RETURNS TABLE (app_id bigint, month date, revision integer, problem text)
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT c.app_id, c.month, c.revision,
		CASE WHEN c.copies > 1 THEN format('there are %s documents of this number', c.copies)
			WHEN c.inserted THEN 'the document was inserted: the one after it follows the one before it'
			ELSE 'the document or its lines were changed, or the app''s document before it was changed or removed' END
	FROM @extschema@.im_checked_documents($1) c
	WHERE NOT c.whole OR c.inserted OR c.copies > 1
	UNION ALL
	SELECT g.app_id, g.month, g.last + 1,
		CASE WHEN g.revision = g.last + 2 THEN 'the document is missing'
			ELSE format('the documents from this through revision %s are missing', g.revision - 1) END
	FROM (SELECT i.app_id, i.month, i.revision,
				 coalesce(lag(i.revision) OVER (PARTITION BY i.app_id, i.month ORDER BY i.revision), -1) AS last
		  FROM @extschema@.im_invoice i
		  WHERE $1 IS NULL OR i.month = $1) g
	WHERE g.revision::bigint > g.last::bigint + 1
	UNION ALL
	SELECT l.app_id, l.month, l.revision, format('lines without a document: %s', count(*))
	FROM @extschema@.im_invoice_line l
	WHERE ($1 IS NULL OR l.month = $1)
		AND NOT EXISTS (SELECT FROM @extschema@.im_invoice i
						WHERE i.app_id = l.app_id AND i.month = l.month AND i.revision = l.revision)
	GROUP BY l.app_id, l.month, l.revision
	UNION ALL
	SELECT i.app_id, i.month, i.revision, 'the app is not recorded as closed in this month'
	FROM @extschema@.im_invoice i
	LEFT JOIN (SELECT c.month, range_agg(c.apps) AS apps
			   FROM @extschema@.im_closing c
			   GROUP BY c.month) k ON k.month = i.month
	WHERE ($1 IS NULL OR i.month = $1) AND (i.app_id <@ k.apps) IS NOT TRUE
$$;
COMMENT ON FUNCTION @extschema@.im_document_problems(date) IS
'What is wrong with single documents of a month, or of all months if null.';

CREATE FUNCTION @extschema@.im_count_problems(of_month date)
	RETURNS TABLE (app_id bigint, month date, revision integer, problem text)
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT NULL::bigint, coalesce(c.month, i.month), NULL::integer,
		format('%s invoices were issued, but there are %s', coalesce(c.invoices, 0), coalesce(i.invoices, 0))
	FROM (SELECT k.month, sum(k.invoices) AS invoices
		  FROM @extschema@.im_closing k
		  WHERE $1 IS NULL OR k.month = $1
		  GROUP BY k.month) c
	FULL JOIN (SELECT v.month, count(*) AS invoices
			   FROM @extschema@.im_invoice v
			   WHERE v.revision = 0 AND ($1 IS NULL OR v.month = $1)
			   GROUP BY v.month) i ON i.month = c.month
	WHERE coalesce(c.invoices, 0) <> coalesce(i.invoices, 0)
$$;
COMMENT ON FUNCTION @extschema@.im_count_problems(date) IS
'Months whose number of invoices is not the one that was recorded when they were issued.';

CREATE FUNCTION @extschema@.im_verify_invoices(month @extschema@.im_month DEFAULT NULL, root bytea DEFAULT NULL)
	RETURNS SETOF @extschema@.im_invoice_problem
	LANGUAGE plpgsql STABLE ROWS 10
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	PERFORM @extschema@.im_need_tables();
	IF $2 IS NOT NULL AND $1 IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'null_value_not_allowed',
			MESSAGE = 'a root is given, but the month is null',
			DETAIL = 'A root is the digest of the documents of one month.',
			HINT = 'Give the month that it was printed for.';
	END IF;
	RETURN QUERY
	SELECT p.app_id, p.month, p.revision, p.problem
	FROM (SELECT * FROM @extschema@.im_document_problems($1::date)
		  UNION ALL
		  SELECT * FROM @extschema@.im_count_problems($1::date)
		  UNION ALL
		  SELECT NULL, $1::date, NULL, format('the root of the month is %s, not the one that was given: documents were '
				'changed, removed or added since', encode(@extschema@.im_month_root($1), 'hex'))
		  WHERE @extschema@.im_month_root($1) <> $2) p
	ORDER BY p.app_id, p.month, p.revision, p.problem COLLATE "C";
END
$$;
COMMENT ON FUNCTION @extschema@.im_verify_invoices(@extschema@.im_month, bytea) IS
'Documents of a month, or of all, that were changed, removed or inserted since they were issued; empty when all are whole. With the root that the last close or adjust of the month printed it proves that; without one it proves only that the ledger agrees with itself, which whoever can disable triggers can arrange.';

-- One app ------------------------------------------------------------------

CREATE FUNCTION @extschema@.im_invoices(app_id bigint, month @extschema@.im_month DEFAULT NULL)
	RETURNS SETOF @extschema@.im_document
	LANGUAGE plpgsql STABLE ROWS 10
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	PERFORM @extschema@.im_need_tables();
	IF @extschema@.im_guarded('im_invoices_guarded') THEN
		RETURN QUERY SELECT * FROM @extschema@.im_invoices_guarded($1, $2);
		RETURN;
	END IF;
	PERFORM @extschema@.im_need_app($1);
	RETURN QUERY
	SELECT i.month, i.revision, i.kind, i.currency, i.total, i.issued_at, i.rate_card, i.card_from, i.digest
	FROM @extschema@.im_invoice i
	WHERE i.app_id = $1 AND ($2 IS NULL OR i.month = $2::date)
	ORDER BY i.issued_at, i.month, i.revision;
END
$$;
COMMENT ON FUNCTION @extschema@.im_invoices(bigint, @extschema@.im_month) IS
'The documents of an app in the order in which they were issued, of one month or, if it is null, of all. Error P0002 for an unknown app.';

CREATE FUNCTION @extschema@.im_audit_orders(app_id bigint, month @extschema@.im_month)
	RETURNS TABLE (at timestamptz, event text, amount numeric, currency text, detail text)
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT o.at, 'order', t.amount, t.currency,
		format('Order %s: %s', o.order_id, concat_ws(' ', o.action, o.item, nullif(o.option, ''),
			CASE WHEN o.months = 1 THEN 'for 1 month' WHEN o.months > 1 THEN format('for %s months', o.months) END,
			CASE WHEN o.quantity <> 1 THEN format('x %s', o.quantity) END,
			CASE WHEN o.refunds IS NOT NULL THEN format('of order %s', o.refunds) END))
	FROM @extschema@.im_order o
	JOIN @extschema@.im_app_cards(NULL) a ON a.app_id = o.app_id
	LEFT JOIN @extschema@.im_app_orders('infinity') e ON e.app_id = o.app_id
	LEFT JOIN LATERAL @extschema@.im_rate_terms(a.app_id, a.card_name, @extschema@.im_price_book(NULL),
		e.orders, NULL, false) t ON t.order_id = o.order_id
	WHERE o.app_id = $1
		AND o.at < upper($2::daterange)::timestamp AT TIME ZONE coalesce(a.time_zone, 'UTC')
	UNION ALL
	SELECT greatest(lower(s.days), CASE WHEN NOT lower_inf(s.days) THEN date '0001-01-01' END)::timestamp
			AT TIME ZONE coalesce(a.time_zone, 'UTC'), 'suspension', NULL, NULL,
		format('Suspended %s through %s: %s', to_char(lower(s.days), 'YYYY-MM-DD'),
			coalesce(to_char(upper(s.days) - 1, 'YYYY-MM-DD'), 'now'), s.reason)
	FROM @extschema@.im_suspension s
	JOIN @extschema@.im_app_cards(NULL) a ON a.app_id = s.app_id
	WHERE s.app_id = $1 AND s.days && daterange(NULL, upper($2::daterange))
$$;
COMMENT ON FUNCTION @extschema@.im_audit_orders(bigint, @extschema@.im_month) IS
'What the bill of a month follows from: the orders of an app before the end of the month with their amounts, and its suspensions.';

CREATE FUNCTION @extschema@.im_audit_documents(app_id bigint, month @extschema@.im_month)
	RETURNS TABLE (at timestamptz, event text, amount numeric, currency text, detail text)
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT min(c.closed_at), 'closed', NULL, NULL, format('%s was closed for the app', $2)
	FROM @extschema@.im_closing c
	WHERE c.month = $2::date AND c.apps @> $1
	HAVING count(*) > 0
	UNION ALL
	SELECT i.issued_at, i.kind, i.total, i.currency,
		format('Revision %s with %s, digest %s', i.revision,
			(SELECT CASE count(*) WHEN 1 THEN '1 line' ELSE format('%s lines', count(*)) END
			 FROM @extschema@.im_invoice_line l
			 WHERE l.app_id = i.app_id AND l.month = i.month AND l.revision = i.revision),
			encode(i.digest, 'hex'))
	FROM @extschema@.im_invoice i
	WHERE i.app_id = $1 AND i.month = $2::date
$$;
COMMENT ON FUNCTION @extschema@.im_audit_documents(bigint, @extschema@.im_month) IS
'When a month was closed for an app, and its documents.';

-- A bill that cannot be right any more must not hide what was issued.
CREATE FUNCTION @extschema@.im_audit_drift(app_id bigint, month @extschema@.im_month)
	RETURNS TABLE (at timestamptz, event text, amount numeric, currency text, detail text)
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	SELECT now(), 'drift', d.difference, NULL::text,
		format('Issued as %s, comes to %s now', d.issued, d.rebilled)
	FROM @extschema@.im_drift_of(ARRAY[$1], $2) d;
EXCEPTION
	WHEN check_violation OR no_data_found OR data_exception OR program_limit_exceeded THEN
		RETURN QUERY SELECT now(), 'drift', NULL::numeric, NULL::text, format('The bill cannot be right now: %s', SQLERRM);
END
$$;
COMMENT ON FUNCTION @extschema@.im_audit_drift(bigint, @extschema@.im_month) IS
'What would change now in the closed month of an app.';

CREATE FUNCTION @extschema@.im_audit(app_id bigint, month @extschema@.im_month)
	RETURNS TABLE (at timestamptz, event text, amount numeric, currency text, detail text)
	LANGUAGE plpgsql STABLE STRICT ROWS 20
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	PERFORM @extschema@.im_need_tables();
	IF @extschema@.im_guarded('im_audit_guarded') THEN
		RETURN QUERY SELECT * FROM @extschema@.im_audit_guarded($1, $2);
		RETURN;
	END IF;
	PERFORM @extschema@.im_need_app($1);
	RETURN QUERY
	SELECT e.at, e.event, e.amount, e.currency, e.detail
	FROM (SELECT 1 AS part, o.* FROM @extschema@.im_audit_orders($1, $2) o
		  UNION ALL
		  SELECT 2, d.* FROM @extschema@.im_audit_documents($1, $2) d
		  UNION ALL
		  SELECT 3, d.* FROM @extschema@.im_audit_drift($1, $2) d) e
	ORDER BY e.part = 3, e.at NULLS FIRST, e.part, e.event = 'closed', e.detail COLLATE "C";
END
$$;
COMMENT ON FUNCTION @extschema@.im_audit(bigint, @extschema@.im_month) IS
'The whole story of an app and month in its order: orders and suspensions that bear on it, the closing, the documents and what would change now (drift), with times and amounts. Error P0002 for an unknown app.';

-- What would it cost: the price calculator, the cheapest plan for an app's
-- usage, and a month of all apps under two price lists.

CREATE FUNCTION @extschema@.im_quote(card @extschema@.im_rate_card, plan text, months integer DEFAULT 1,
		peak_dau bigint DEFAULT 0, peak_groups bigint DEFAULT 0, addons jsonb DEFAULT '{}',
		deductions numeric DEFAULT 0)
	RETURNS SETOF @extschema@.im_bill_line
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE ROWS 10 PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_quote(@extschema@.im_rate_card, text, integer, bigint, bigint, jsonb, numeric) IS
'What a plan with add-ons costs for so many months with the same usage in each, as the lines of the bills of an app that orders it all on the first day; app_id is null and the months are 2001-01 onwards, by convention. peak_dau also stands for the users of a month where the card prices those; deductions are those of a month. addons: {"avchatroom": true, "history_storage": "90d", "call": {"option": "basic", "months": 3}, "moderation_pack": {"option": "month", "quantity": 2}, "local_moderation": true, "call_minutes": {"sd": 70000}}, or a list of names and such objects. Errors: 22004 without card, plan or months; 22023 for what the card does not sell on the plan, for usage below 0 and for JSON that is not understood; 22003 for figures past exact arithmetic.';

CREATE FUNCTION @extschema@.im_quote(plan text, months integer DEFAULT 1, peak_dau bigint DEFAULT 0,
		peak_groups bigint DEFAULT 0, addons jsonb DEFAULT '{}', deductions numeric DEFAULT 0)
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE sql STABLE ROWS 10 PARALLEL SAFE
BEGIN ATOMIC
	SELECT q.* FROM @extschema@.im_quote(@extschema@.im_current_card(), plan, months, peak_dau,
		peak_groups, addons, deductions) q;
END;
COMMENT ON FUNCTION @extschema@.im_quote(text, integer, bigint, bigint, jsonb, numeric) IS
'im_quote() by the version of cn in force today, in CNY.';

-- The cheapest plan. What is in force and held is read from the app's own
-- bill; the core rates the month anew under each plan of the card.

CREATE FUNCTION @extschema@.im_rate_plans(app_id bigint, card_name text, book @extschema@.im_price_book, orders @extschema@.im_order_entry[], suspensions daterange[], preview boolean, month @extschema@.im_month, since date, daily bigint[], logins bigint[], groups bigint[], checks bigint[], calls bigint[], user_days date[], users @extschema@.im_userset[])
	RETURNS TABLE (plan text, tier integer, total numeric, currency text, lacks text, held boolean, items jsonb)
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE ROWS 3 PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_rate_plans(bigint, text, @extschema@.im_price_book, @extschema@.im_order_entry[], daterange[], boolean, @extschema@.im_month, date, bigint[], bigint[], bigint[], bigint[], bigint[], date[], @extschema@.im_userset[]) IS
'The month of one app under every plan of its card. The arguments are values made by im_gather(); no table is read.';

CREATE FUNCTION @extschema@.im_cheapest_plan(app_id bigint, month @extschema@.im_month)
	RETURNS TABLE (rank integer, plan text, total numeric, currency text, possible boolean,
		reason text, held boolean, items jsonb)
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 3
	SET search_path = pg_catalog, pg_temp
	SET jit = off	-- as in im_rebill()
AS $$
#variable_conflict use_column
DECLARE
	first date := $2::date;
	until date := upper($2::daterange);
	book @extschema@.im_price_book;
	reading @extschema@.im_reading;
BEGIN
	IF @extschema@.im_guarded('im_cheapest_plan_guarded') THEN
		RETURN QUERY SELECT * FROM @extschema@.im_cheapest_plan_guarded($1, $2);
		RETURN;
	END IF;
	book := @extschema@.im_price_book(NULL);
	PERFORM @extschema@.im_need_app($1);
	PERFORM @extschema@.im_need_month($1, $2);
	reading := @extschema@.im_reading(first, until, NULL, book, $1);
	RETURN QUERY
	SELECT CASE WHEN p.lacks IS NULL THEN (row_number() OVER cheapest)::integer END,
		p.plan, p.total, p.currency, p.lacks IS NULL, p.lacks, p.held, p.items
	FROM @extschema@.im_gather(first, until, NULL, reading) g,
		@extschema@.im_rate_plans(g.app_id, g.card_name, book, g.orders, g.suspensions,
			g.preview, $2, g.since, g.daily, g.logins, g.groups, g.checks,
			g.calls, g.user_days, g.users) p
	WHERE g.app_id = $1
	WINDOW cheapest AS (ORDER BY p.lacks IS NOT NULL, p.total, p.tier, p.plan COLLATE "C")
	ORDER BY p.lacks IS NOT NULL, p.total, p.tier, p.plan COLLATE "C";
END
$$;
COMMENT ON FUNCTION @extschema@.im_cheapest_plan(bigint, @extschema@.im_month) IS
'What a month of an app would have come to under every plan of its card in force, cheapest first. total and items price the plan for that month, in service on all its days; each add-on and local moderation that it held on a day of the month, for a month at the card''s price; and the month''s overage, call minutes and deductions. They do not price packs, which give what they hold, those bought in the month too, and cost the same under every plan; nor refunds, upgrade fees and prices agreed as paid. A plan that could not carry the month has possible false, no rank and the reason, and its total leaves out what it does not sell. held: the plan that the app had; items: {"item": amount}. Errors as im_monthly_bill().';

-- All apps under two price lists.

CREATE FUNCTION @extschema@.im_rate_summary(app_id bigint, card_name text, book @extschema@.im_price_book, orders @extschema@.im_order_entry[], suspensions daterange[], preview boolean, month @extschema@.im_month, since date, daily bigint[], logins bigint[], groups bigint[], checks bigint[], calls bigint[], user_days date[], users @extschema@.im_userset[],
		OUT total numeric, OUT currency text, OUT items jsonb, OUT problem text)
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_rate_summary(bigint, text, @extschema@.im_price_book, @extschema@.im_order_entry[], daterange[], boolean, @extschema@.im_month, date, bigint[], bigint[], bigint[], bigint[], bigint[], date[], @extschema@.im_userset[]) IS
'The bill of one app and month in short: its total, {"item": amount}, and why it has no total. The arguments are values made by im_gather(); no table is read.';

CREATE FUNCTION @extschema@.im_items_moved(a jsonb, b jsonb) RETURNS jsonb
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(jsonb_object_agg(coalesce(x.key, y.key), d.difference), '{}')
	FROM jsonb_each_text($1) x
	FULL JOIN jsonb_each_text($2) y ON y.key = x.key,
		LATERAL (SELECT CASE WHEN y.key IS NULL THEN 0 ELSE y.value::numeric END
					- CASE WHEN x.key IS NULL THEN 0 ELSE x.value::numeric END) d(difference)
	WHERE d.difference IS DISTINCT FROM 0
$$;
COMMENT ON FUNCTION @extschema@.im_items_moved(jsonb, jsonb) IS
'What moved from one {"item": amount} to another: {"item": difference}, null where one of them has no price.';

-- Where both cards cut days and count users alike, the usage is gathered once.
CREATE FUNCTION @extschema@.im_compare_cards_of(among bigint[], month @extschema@.im_month,
		a @extschema@.im_rate_card, b @extschema@.im_rate_card)
	RETURNS TABLE (app_id bigint, total_a numeric, currency_a text, total_b numeric,
		currency_b text, difference numeric, moved jsonb, reason text)
	LANGUAGE plpgsql STABLE ROWS 10000
	SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_custom_plan
	SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	first date := $2::date;
	until date := upper($2::daterange);
	book_a @extschema@.im_price_book := @extschema@.im_price_book($3);
	book_b @extschema@.im_price_book := @extschema@.im_price_book($4);
	alike boolean := $3::jsonb ->> 'time_zone' = $4::jsonb ->> 'time_zone'
		AND ($3::jsonb @? '$.plans.*.mau') = ($4::jsonb @? '$.plans.*.mau');
	apps bigint[];
	sinces date[];
	reading_a @extschema@.im_reading;
	reading_b @extschema@.im_reading;
	detail text;
BEGIN
	IF $1 IS NOT NULL THEN
		SELECT array_agg(e.app_id), array_agg(e.since) INTO apps, sinces
		FROM (SELECT s.app_id, min(s.since) AS since
			  FROM (SELECT * FROM @extschema@.im_early_usage_of($1, first, until, $3, book_a)
					UNION ALL
					SELECT * FROM @extschema@.im_early_usage_of($1, first, until, $4, book_b)) s
			  GROUP BY s.app_id) e;
		RETURN QUERY
		SELECT g.app_id, x.total, x.currency, y.total, y.currency,
			CASE WHEN x.currency = y.currency THEN y.total - x.total END,
			CASE WHEN x.currency = y.currency THEN @extschema@.im_items_moved(x.items, y.items) END,
			nullif(concat_ws(' ', 'Under a: ' || x.problem, 'Under b: ' || y.problem,
				CASE WHEN x.currency <> y.currency
					THEN format('%s and %s cannot be compared.', x.currency, y.currency) END), '')
		FROM @extschema@.im_gather_of($1, first, until, $3, apps, sinces) g
		LEFT JOIN @extschema@.im_gather_of(CASE WHEN NOT alike THEN $1 END, first, until, $4, apps, sinces) h
			ON h.app_id = g.app_id,
			@extschema@.im_rate_summary(g.app_id, g.card_name, book_a, g.orders, g.suspensions,
				true, $2, g.since, g.daily, g.logins, g.groups, g.checks, g.calls,
				g.user_days, g.users) x,
			@extschema@.im_rate_summary(g.app_id, g.card_name, book_b, g.orders, g.suspensions,
				true, $2, g.since, g.daily,
				CASE WHEN alike THEN g.logins ELSE h.logins END,
				CASE WHEN alike THEN g.groups ELSE h.groups END,
				CASE WHEN alike THEN g.checks ELSE h.checks END,
				CASE WHEN alike THEN g.calls ELSE h.calls END,
				CASE WHEN alike THEN g.user_days ELSE h.user_days END,
				CASE WHEN alike THEN g.users ELSE h.users END) y
		WHERE x.problem IS NOT NULL OR y.problem IS NOT NULL
			OR x.items <> '{}' OR y.items <> '{}';
		RETURN;
	END IF;
	SELECT array_agg(e.app_id), array_agg(e.since) INTO apps, sinces
	FROM (SELECT s.app_id, min(s.since) AS since
		  FROM (SELECT * FROM @extschema@.im_early_usage(first, until, $3, book_a)
				UNION ALL
				SELECT * FROM @extschema@.im_early_usage(first, until, $4, book_b)) s
		  GROUP BY s.app_id) e;
	reading_a := @extschema@.im_reading_of(first, until, $3, apps, sinces);
	reading_b := @extschema@.im_reading_of(first, until, $4, apps, sinces);
	RETURN QUERY
	SELECT g.app_id, x.total, x.currency, y.total, y.currency,
		CASE WHEN x.currency = y.currency THEN y.total - x.total END,
		CASE WHEN x.currency = y.currency THEN @extschema@.im_items_moved(x.items, y.items) END,
		nullif(concat_ws(' ', 'Under a: ' || x.problem, 'Under b: ' || y.problem,
			CASE WHEN x.currency <> y.currency
				THEN format('%s and %s cannot be compared.', x.currency, y.currency) END), '')
	FROM @extschema@.im_gather(first, until, $3, reading_a) g
	LEFT JOIN @extschema@.im_gather(first, until, $4, reading_b) h
		ON NOT alike AND h.app_id = g.app_id,
		@extschema@.im_rate_summary(g.app_id, g.card_name, book_a, g.orders, g.suspensions,
			true, $2, g.since, g.daily, g.logins, g.groups, g.checks, g.calls,
			g.user_days, g.users) x,
		@extschema@.im_rate_summary(g.app_id, g.card_name, book_b, g.orders, g.suspensions,
			true, $2, g.since, g.daily,
			CASE WHEN alike THEN g.logins ELSE h.logins END,
			CASE WHEN alike THEN g.groups ELSE h.groups END,
			CASE WHEN alike THEN g.checks ELSE h.checks END,
			CASE WHEN alike THEN g.calls ELSE h.calls END,
			CASE WHEN alike THEN g.user_days ELSE h.user_days END,
			CASE WHEN alike THEN g.users ELSE h.users END) y
	WHERE x.problem IS NOT NULL OR y.problem IS NOT NULL
		OR x.items <> '{}' OR y.items <> '{}';
EXCEPTION
	WHEN check_violation OR no_data_found OR data_exception OR program_limit_exceeded THEN
		IF $1 IS NOT NULL THEN
			RAISE;
		END IF;
		GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
		PERFORM @extschema@.im_raise_unbillable($2, SQLSTATE, SQLERRM, detail);
END
$$;
COMMENT ON FUNCTION @extschema@.im_compare_cards_of(bigint[], @extschema@.im_month, @extschema@.im_rate_card, @extschema@.im_rate_card) IS
'im_compare_cards() of the given apps; null for all of them.';

CREATE FUNCTION @extschema@.im_compare_cards(month @extschema@.im_month, a @extschema@.im_rate_card,
		b @extschema@.im_rate_card)
	RETURNS TABLE (app_id bigint, total_a numeric, currency_a text, total_b numeric,
		currency_b text, difference numeric, moved jsonb, reason text)
	LANGUAGE plpgsql STABLE STRICT ROWS 10000
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF @extschema@.im_guarded('im_compare_cards_guarded') THEN
		RETURN QUERY SELECT * FROM @extschema@.im_compare_cards_guarded($1, $2, $3);
		RETURN;
	END IF;
	RETURN QUERY SELECT * FROM @extschema@.im_compare_cards_of(NULL, $1, $2, $3);
END
$$;
COMMENT ON FUNCTION @extschema@.im_compare_cards(@extschema@.im_month, @extschema@.im_rate_card, @extschema@.im_rate_card) IS
'The bills of a month of all apps under two price lists, set-wise, each standing for every version: both totals, b - a, and what moved it as {"item": difference}. An app with anything that a card does not price has no total under it, and the reason; so has one that cannot be billed. Totals are rounded, what moved is not. Error for raw rows that cannot be metered as im_monthly_bills().';

-- Thresholds: how all apps stand on a day, and who has to be told.

CREATE FUNCTION @extschema@.im_rate_standing(app_id bigint, card_name text, book @extschema@.im_price_book, orders @extschema@.im_order_entry[], suspensions daterange[], preview boolean, month @extschema@.im_month, since date, daily bigint[], logins bigint[], groups bigint[], checks bigint[], calls bigint[], user_days date[], users @extschema@.im_userset[], at timestamptz)
	RETURNS TABLE (kind text, item text, option text, used numeric, allowed numeric, day date, today date, problem text)
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE ROWS 5 PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_rate_standing(bigint, text, @extschema@.im_price_book, @extschema@.im_order_entry[], daterange[], boolean, @extschema@.im_month, date, bigint[], bigint[], bigint[], bigint[], bigint[], date[], @extschema@.im_userset[], timestamptz) IS
'How one app stands on a day. The arguments are values made by im_gather(), and the instant; no table is read.';

CREATE FUNCTION @extschema@.im_standing_of(apps bigint[], month @extschema@.im_month, at timestamptz)
	RETURNS TABLE (app_id bigint, kind text, item text, option text, used numeric,
		allowed numeric, day date, today date, problem text)
	LANGUAGE plpgsql STABLE ROWS 50000
	SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_custom_plan
	SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	first date := $2::date;
	until date := upper($2::daterange);
	book @extschema@.im_price_book := @extschema@.im_price_book(NULL);
	reading @extschema@.im_reading;
	early bigint[];
	since date[];
	detail text;
BEGIN
	IF $1 IS NOT NULL THEN
		SELECT array_agg(e.app_id), array_agg(e.since) INTO early, since
		FROM @extschema@.im_early_usage_of($1, first, until, NULL, book) e;
		RETURN QUERY
		SELECT g.app_id, s.*
		FROM @extschema@.im_gather_of($1, first, until, NULL, early, since) g,
			@extschema@.im_rate_standing(g.app_id, g.card_name, book, g.orders, g.suspensions,
				g.preview, $2, g.since, g.daily, g.logins, g.groups, g.checks,
				g.calls, g.user_days, g.users, $3) s;
		RETURN;
	END IF;
	reading := @extschema@.im_reading(first, until, NULL, book);
	RETURN QUERY
	SELECT g.app_id, s.*
	FROM @extschema@.im_gather(first, until, NULL, reading) g,
		@extschema@.im_rate_standing(g.app_id, g.card_name, book, g.orders, g.suspensions,
			g.preview, $2, g.since, g.daily, g.logins, g.groups, g.checks,
			g.calls, g.user_days, g.users, $3) s;
EXCEPTION
	WHEN check_violation OR no_data_found OR data_exception OR program_limit_exceeded THEN
		IF $1 IS NOT NULL THEN
			RAISE;
		END IF;
		GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
		PERFORM @extschema@.im_raise_unbillable($2, SQLSTATE, SQLERRM, detail);
END
$$;
COMMENT ON FUNCTION @extschema@.im_standing_of(bigint[], @extschema@.im_month, timestamptz) IS
'im_standing() of the given apps; null for all of them.';

CREATE FUNCTION @extschema@.im_standing(month @extschema@.im_month, at timestamptz DEFAULT now())
	RETURNS TABLE (app_id bigint, kind text, item text, option text, used numeric,
		allowed numeric, day date, today date, problem text)
	LANGUAGE plpgsql STABLE STRICT ROWS 50000
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF @extschema@.im_guarded('im_standing_guarded') THEN
		RETURN QUERY SELECT * FROM @extschema@.im_standing_guarded($1, $2);
		RETURN;
	END IF;
	RETURN QUERY SELECT * FROM @extschema@.im_standing_of(NULL, $1, $2);
END
$$;
COMMENT ON FUNCTION @extschema@.im_standing(@extschema@.im_month, timestamptz) IS
'How every app stands on the day of an instant, or on the last day of the month where that is earlier, set-wise: used of allowed. kind: dau, mau, groups (peak of the month through that day against the quota of the plan; of a free plan against the 100 that it carries), call_minutes (pack minutes) and moderation_pack (deductions) of the packs in force on the day, term (days of a term that nothing follows), grace (its days), problem (why the app cannot be rated). day: of the peak, the last of the term, or the day asked for, which is today. Error for raw rows that cannot be metered as im_monthly_bills().';

CREATE FUNCTION @extschema@.im_alert_message(kind text, item text, option text, used numeric,
		allowed numeric, day date, today date, problem text)
	RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE $1
		WHEN 'dau' THEN format('Peak DAU %s on %s: the limit of plan %s is %s%s.', $4, d.day, $3, $5, d.percent)
		WHEN 'mau' THEN format('%s users of the month by %s: the limit of plan %s is %s%s.', $4, d.day, $3, $5, d.percent)
		WHEN 'groups' THEN format('Peak of %s groups on %s: the limit of plan %s is %s%s.', $4, d.day, $3, $5, d.percent)
		WHEN 'call_minutes' THEN format('%s of %s pack minutes in force on %s are used%s.', $4, $5, d.day, d.percent)
		WHEN 'moderation_pack' THEN format('%s of %s deductions of the packs in force on %s are used%s.', $4, $5, d.day, d.percent)
		WHEN 'term' THEN format('%s ends on %s, %s, and nothing follows it.', concat_ws(' ', $2, nullif($3, '')), d.day, d.left)
		WHEN 'grace' THEN format('The grace of %s ends on %s, %s: then the app stops.', concat_ws(' ', $2, nullif($3, '')), d.day, d.left)
		ELSE $8 END
	FROM (SELECT to_char($6, 'YYYY-MM-DD'),
			coalesce(format(' (%s %%)', trunc(100 * $4 / nullif($5, 0), 1)), ''),
			CASE $6 - $7 WHEN 0 THEN 'today' WHEN 1 THEN 'in 1 day' ELSE format('in %s days', $6 - $7) END
		 ) d(day, percent, "left")
$$;
COMMENT ON FUNCTION @extschema@.im_alert_message(text, text, text, numeric, numeric, date, date, text) IS
'A row of im_standing() in one sentence.';

CREATE FUNCTION @extschema@.im_alerts(month @extschema@.im_month, share numeric DEFAULT 0.8,
		days integer DEFAULT 7)
	RETURNS TABLE (app_id bigint, kind text, item text, used numeric, allowed numeric,
		ratio numeric, day date, message text)
	LANGUAGE plpgsql STABLE STRICT ROWS 1000
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	IF NOT ($2 >= 0 AND $2 < 'infinity') OR $3 < 0 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('share %s and days %s are no thresholds', $2, $3),
			DETAIL = 'Both are at least 0; share is a part of what is allowed, 1 being all of it.',
			HINT = 'Call im_alerts(month, 0.8, 7) to hear of four fifths used and of a week left.';
	END IF;
	RETURN QUERY
	SELECT s.app_id, s.kind, s.item, s.used, s.allowed, round(s.used / nullif(s.allowed, 0), 4), s.day,
		@extschema@.im_alert_message(s.kind, s.item, s.option, s.used, s.allowed, s.day, s.today, s.problem)
	FROM @extschema@.im_standing($1) s
	WHERE CASE s.kind
		WHEN 'problem' THEN true
		WHEN 'term' THEN s.day - s.today <= $3
		WHEN 'grace' THEN s.day - s.today <= $3
		ELSE s.used > 0 AND s.used >= $2 * s.allowed END;
END
$$;
COMMENT ON FUNCTION @extschema@.im_alerts(@extschema@.im_month, numeric, integer) IS
'Apps that have used at least a share of a quota or of their packs, or with a term or grace that ends within so many days and that nothing follows, as of today or of the last day of the month where that is earlier: rows of im_standing() with used / allowed (ratio) and a sentence. item: of the bill, or what the term is of. Errors: 22023 for a negative share or days; raw rows that cannot be metered as im_monthly_bills().';

CREATE FUNCTION @extschema@.im_notify_alerts(channel text, month @extschema@.im_month DEFAULT NULL,
		share numeric DEFAULT 0.8, days integer DEFAULT 7)
	RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	running @extschema@.im_month := coalesce($2, @extschema@.im_month(now(), 'Asia/Shanghai'));
	told bigint;
BEGIN
	SELECT count(pg_notify($1, row_to_json(a)::text)) INTO told
	FROM (SELECT * FROM @extschema@.im_alerts(running, $3, $4)
		  ORDER BY app_id, kind, item) a;
	RETURN told;
END
$$;
COMMENT ON FUNCTION @extschema@.im_notify_alerts(text, @extschema@.im_month, numeric, integer) IS
'Sends every row of im_alerts() as JSON to a channel of NOTIFY and returns their number; without a month that of the running one in Asia/Shanghai. Errors as im_alerts() and pg_notify().';

-- Views for BI: plain columns that Metabase, Grafana and Excel read without
-- knowing our types. Like the tables they are the user's, made by
-- im_create_tables() from the lists below.
--
-- A month is a column of the views that comes from im_billed_months(), and
-- everything else of its row is computed from it: a condition on month is
-- applied first, so that only the months that were asked for are rated.

CREATE FUNCTION @extschema@.im_rate_usage(app_id bigint, card_name text, book @extschema@.im_price_book, orders @extschema@.im_order_entry[], suspensions daterange[], preview boolean, month @extschema@.im_month, since date, daily bigint[], logins bigint[], groups bigint[], checks bigint[], calls bigint[], user_days date[], users @extschema@.im_userset[])
	RETURNS TABLE (day date, status text, plan text, given boolean, dau bigint, peak_groups bigint, text_checks bigint, image_checks bigint, audio_half_minutes bigint, video_half_minutes bigint, audio_minutes bigint, sd_minutes bigint, hd_minutes bigint, fhd_minutes bigint)
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE ROWS 31 PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_rate_usage(bigint, text, @extschema@.im_price_book, @extschema@.im_order_entry[], daterange[], boolean, @extschema@.im_month, date, bigint[], bigint[], bigint[], bigint[], bigint[], date[], @extschema@.im_userset[]) IS
'The usage of one app and month day by day. The arguments are values made by im_gather(); no table is read.';

CREATE FUNCTION @extschema@.im_daily_usage_of(apps bigint[], month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, day date, status text, plan text, given boolean, dau bigint,
		peak_groups bigint, text_checks bigint, image_checks bigint, audio_half_minutes bigint,
		video_half_minutes bigint, audio_minutes bigint, sd_minutes bigint, hd_minutes bigint,
		fhd_minutes bigint)
	LANGUAGE plpgsql STABLE ROWS 100000
	SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_custom_plan
	SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	first date := $2::date;
	until date := upper($2::daterange);
	book @extschema@.im_price_book := @extschema@.im_price_book(NULL);
	reading @extschema@.im_reading;
BEGIN
	IF $1 IS NOT NULL THEN
		RETURN QUERY
		SELECT g.app_id, d.*
		FROM @extschema@.im_gather_of($1, first, until, NULL, NULL, NULL) g,
			@extschema@.im_rate_usage(g.app_id, g.card_name, book, g.orders, g.suspensions,
				g.preview, $2, g.since, g.daily, g.logins, g.groups, g.checks,
				g.calls, g.user_days, g.users) d;
		RETURN;
	END IF;
	reading := @extschema@.im_reading(first, until, NULL, NULL);
	RETURN QUERY
	SELECT g.app_id, d.*
	FROM @extschema@.im_gather(first, until, NULL, reading) g,
		@extschema@.im_rate_usage(g.app_id, g.card_name, book, g.orders, g.suspensions,
			g.preview, $2, g.since, g.daily, g.logins, g.groups, g.checks,
			g.calls, g.user_days, g.users) d;
END
$$;
COMMENT ON FUNCTION @extschema@.im_daily_usage_of(bigint[], @extschema@.im_month) IS
'im_daily_usage() of the given apps; null for all of them.';

CREATE FUNCTION @extschema@.im_daily_usage(month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, day date, status text, plan text, given boolean, dau bigint,
		peak_groups bigint, text_checks bigint, image_checks bigint, audio_half_minutes bigint,
		video_half_minutes bigint, audio_minutes bigint, sd_minutes bigint, hd_minutes bigint,
		fhd_minutes bigint)
	LANGUAGE plpgsql STABLE STRICT ROWS 100000
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF @extschema@.im_guarded('im_daily_usage_guarded') THEN
		RETURN QUERY SELECT * FROM @extschema@.im_daily_usage_guarded($1);
		RETURN;
	END IF;
	RETURN QUERY SELECT * FROM @extschema@.im_daily_usage_of(NULL, $1);
END
$$;
COMMENT ON FUNCTION @extschema@.im_daily_usage(@extschema@.im_month) IS
'The usage of a month by app and day as bills see it, set-wise: figures that were given (given true) or metered from events. A day without either has no row. status and plan are those of the day, null where the orders break the rules. Error 22023 for a raw row that cannot be metered.';

CREATE FUNCTION @extschema@.im_rate_terms(app_id bigint, card_name text, book @extschema@.im_price_book, orders @extschema@.im_order_entry[], suspensions daterange[], preview boolean)
	RETURNS TABLE (order_id bigint, day date, starts_on date, ends_on date, bought_through date, amount numeric, currency text, refunded_on date)
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE ROWS 10 PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_rate_terms(bigint, text, @extschema@.im_price_book, @extschema@.im_order_entry[], daterange[], boolean) IS
'What became of the orders of one app; nothing where they break the rules. The arguments are values made by im_app_orders(); no table is read.';

-- Inlined, so that a condition on app_id reads the orders of that app alone;
-- hence without a search_path of its own, and qualified to the last operator.
CREATE FUNCTION @extschema@.im_order_terms()
	RETURNS TABLE (app_id bigint, order_id bigint, day date, starts_on date, ends_on date,
		bought_through date, amount numeric, currency text, refunded_on date)
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 10000
AS $$
	SELECT a.app_id, t.order_id, t.day, t.starts_on, t.ends_on, t.bought_through, t.amount,
		t.currency, t.refunded_on
	FROM @extschema@.im_app a
	JOIN (SELECT e.app_id,
				 pg_catalog.array_agg(ROW(e.order_id, e.at, e.action, e.item, e.option, e.months,
						e.quantity, e.refunds, e.paid)::@extschema@.im_order_entry
					ORDER BY e.at, e.order_id) AS orders
		  FROM @extschema@.im_order e
		  GROUP BY e.app_id) o ON o.app_id OPERATOR(pg_catalog.=) a.app_id,
		@extschema@.im_rate_terms(a.app_id, a.rate_card, (SELECT @extschema@.im_price_book(NULL)),
			o.orders, NULL, false) t
$$;
COMMENT ON FUNCTION @extschema@.im_order_terms() IS
'What became of every order of all apps: its local day, first and last day in force, last day as bought, amount (negative for refunds), and the day on which it was refunded. Switches have a day only; apps whose orders break the rules have no rows.';

-- A table cut by time is asked for what lies before, which leaves its later
-- partitions alone; any other is asked app by app, for the first row of its index.
CREATE FUNCTION @extschema@.im_earliest(name text, col text, before timestamptz) RETURNS timestamptz
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
DECLARE
	found timestamptz;
BEGIN
	EXECUTE format(
		CASE WHEN EXISTS (SELECT FROM pg_partitioned_table p
						  WHERE p.partrelid = format('%s.%I', '@extschema@', $1)::regclass AND p.partstrat = 'r')
			THEN 'SELECT min(x.%3$I) FROM %1$s.%2$I x WHERE x.%3$I < $1'
			ELSE 'SELECT min(e.at) FROM %1$s.im_app a, LATERAL (SELECT min(x.%3$I) FROM %1$s.%2$I x
				WHERE x.app_id = a.app_id AND x.%3$I < $1) e(at)' END,
		'@extschema@', $1, $2)
	INTO found USING $3;
	RETURN found;
END
$$;
COMMENT ON FUNCTION @extschema@.im_earliest(text, text, timestamptz) IS
'The earliest instant of a column of a table of events before another instant; null if there is none.';

CREATE FUNCTION @extschema@.im_billed_months() RETURNS TABLE (month date)
	LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 60
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	earliest timestamptz;
	covered date;
BEGIN
	IF @extschema@.im_guarded('im_billed_months_guarded') THEN
		RETURN QUERY SELECT * FROM @extschema@.im_billed_months_guarded();
		RETURN;
	END IF;
	PERFORM @extschema@.im_need_tables();
	SELECT least((SELECT min(o.at) FROM @extschema@.im_order o),
		(SELECT min(d.day)::timestamp AT TIME ZONE 'UTC'
		 FROM @extschema@.im_app a,
			LATERAL (SELECT min(u.day) FROM @extschema@.im_usage_daily u WHERE u.app_id = a.app_id) d(day)))
	INTO earliest;
	SELECT least(earliest, min(@extschema@.im_earliest(e.name, e.col, coalesce(earliest, 'infinity'))))
	INTO earliest
	FROM (VALUES ('im_login', 'at'), ('im_group', 'created_at'), ('im_moderation_check', 'at'),
			('im_call', 'at')) e(name, col);
	-- a month is rated by the version in force on its first day
	SELECT date_trunc('month', min(v.effective_from) + interval '1 month - 1 day')::date
	INTO covered
	FROM @extschema@.im_rate_card_version v;
	-- half a day earlier, for zones to the west
	RETURN QUERY
	SELECT m::date
	FROM generate_series(
			greatest(date_trunc('month', greatest(earliest, '0001-01-02 00:00+00') AT TIME ZONE 'UTC' - interval '14 hours'), covered),
			(now() AT TIME ZONE 'Asia/Shanghai'), interval '1 month') m
	WHERE earliest IS NOT NULL AND covered IS NOT NULL;
END
$$;
COMMENT ON FUNCTION @extschema@.im_billed_months() IS
'First days of the months from the first order or usage, but not before a rate card takes effect, through the running month in Asia/Shanghai.';

CREATE FUNCTION @extschema@.im_billed_months_of(apps bigint[]) RETURNS TABLE (month date)
	LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 60
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	earliest timestamptz;
	covered date;
BEGIN
	IF $1 IS NULL THEN
		RETURN QUERY SELECT * FROM @extschema@.im_billed_months();
		RETURN;
	END IF;
	-- of each app the first row of an index
	SELECT least(min(o.at), min(l.at), min(g.at), min(m.at), min(c.at), min(d.at))
	INTO earliest
	FROM @extschema@.im_app a,
		LATERAL (SELECT min(x.at) FROM @extschema@.im_order x WHERE x.app_id = a.app_id) o(at),
		LATERAL (SELECT min(x.at) FROM @extschema@.im_login x WHERE x.app_id = a.app_id) l(at),
		LATERAL (SELECT min(x.created_at) FROM @extschema@.im_group x WHERE x.app_id = a.app_id) g(at),
		LATERAL (SELECT min(x.at) FROM @extschema@.im_moderation_check x WHERE x.app_id = a.app_id) m(at),
		LATERAL (SELECT min(x.at) FROM @extschema@.im_call x WHERE x.app_id = a.app_id) c(at),
		LATERAL (SELECT min(x.day)::timestamp AT TIME ZONE 'UTC'
				 FROM @extschema@.im_usage_daily x WHERE x.app_id = a.app_id) d(at)
	WHERE a.app_id = ANY ($1);
	-- a month is rated by the version in force on its first day
	SELECT date_trunc('month', min(v.effective_from) + interval '1 month - 1 day')::date
	INTO covered
	FROM @extschema@.im_rate_card_version v
	WHERE v.rate_card IN (SELECT a.rate_card FROM @extschema@.im_app a WHERE a.app_id = ANY ($1));
	-- half a day earlier, for zones to the west
	RETURN QUERY
	SELECT m::date
	FROM generate_series(
			greatest(date_trunc('month', greatest(earliest, '0001-01-02 00:00+00') AT TIME ZONE 'UTC' - interval '14 hours'), covered),
			(now() AT TIME ZONE 'Asia/Shanghai'), interval '1 month') m
	WHERE earliest IS NOT NULL AND covered IS NOT NULL;
END
$$;
COMMENT ON FUNCTION @extschema@.im_billed_months_of(bigint[]) IS
'im_billed_months() of the given apps; null for all of them.';

CREATE FUNCTION @extschema@.im_view_definitions()
	RETURNS TABLE (view_name text, definition text, description text)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT * FROM (VALUES
			('im_bi_bill_line', 'SELECT m.month, l.app_id, a.name AS app_name, l.line::bigint AS line, l.item, l.option, '
				'lower(l.period) AS period_from, upper(l.period) - 1 AS period_through, l.due_on, l.quantity, l.included, '
				'l.billable, l.units, l.unit_price, l.amount, l.currency, l.explanation '
				'FROM @extschema@.im_billed_months() m CROSS JOIN LATERAL @extschema@.im_monthly_bills(m.month) l '
				'LEFT JOIN @extschema@.im_apps() a ON a.app_id = l.app_id',
				'All bill lines of all apps, from the first month through the running one. Give a condition on month: only those months are rated.'),
			('im_bi_bill_total', 'SELECT m.month, t.app_id, a.name AS app_name, t.total, t.currency '
				'FROM @extschema@.im_billed_months() m CROSS JOIN LATERAL @extschema@.im_monthly_totals(m.month) t '
				'LEFT JOIN @extschema@.im_apps() a ON a.app_id = t.app_id',
				'Totals of the bills of all apps, rounded once, from the first month through the running one. Give a condition on month.'),
			('im_bi_usage_daily', 'SELECT m.month, u.app_id, a.name AS app_name, u.day, u.status, u.plan, '
				'CASE WHEN u.given THEN ''given'' ELSE ''metered'' END AS source, u.dau, u.peak_groups, u.text_checks, '
				'u.image_checks, u.audio_half_minutes, u.video_half_minutes, u.audio_minutes, u.sd_minutes, u.hd_minutes, u.fhd_minutes '
				'FROM @extschema@.im_billed_months() m CROSS JOIN LATERAL @extschema@.im_daily_usage(m.month) u '
				'LEFT JOIN @extschema@.im_apps() a ON a.app_id = u.app_id',
				'Usage of all apps by day, as bills see it, from the first month through the running one. Give a condition on month.'),
			('im_bi_revenue', 'SELECT m.month, r.app_id, a.name AS app_name, r.item, r.option, r.billed, r.earned, r.deferred, r.currency '
				'FROM @extschema@.im_billed_months() m CROSS JOIN LATERAL @extschema@.im_app_revenue(m.month, m.month) r '
				'LEFT JOIN @extschema@.im_apps() a ON a.app_id = r.app_id',
				'What was billed and earned in each month, and what is deferred at its end, by app and item. Give a condition on month.'),
			('im_bi_order', 'SELECT o.app_id, a.name AS app_name, o.order_id, o.at, t.day, o.action, o.item, o.option, '
				'o.months::bigint AS months, o.quantity::bigint AS quantity, o.refunds, o.paid, t.starts_on, t.ends_on, t.bought_through, '
				't.amount, t.currency, t.refunded_on '
				'FROM @extschema@.im_order o LEFT JOIN @extschema@.im_app a ON a.app_id = o.app_id '
				'LEFT JOIN @extschema@.im_order_terms() t ON t.app_id = o.app_id AND t.order_id = o.order_id',
				'The order log with what became of each order: its term and its amount.'),
			-- the ledger
			('im_close_progress', 'SELECT p.*, CASE p.state WHEN ''closed'' THEN 0 ELSE ceil(greatest(p.total - p.done, 0) / nullif(p.apps_per_second, 0)) END AS seconds_left '
				'FROM (SELECT c.month, CASE WHEN range_agg(c.apps) @> ''(,)''::int8range THEN ''closed'' ELSE ''closing'' END AS state, '
				'sum(c.done)::bigint AS done, (array_agg(c.total ORDER BY c.closed_at DESC) FILTER (WHERE c.is_close))[1] AS total, '
				'sum(c.invoices)::bigint AS invoices, max(c.last_begun) AS begun_at, max(c.closed_at) FILTER (WHERE c.is_close) AS last_at, '
				'round(sum(c.done) FILTER (WHERE c.closed_at >= c.last_begun) '
				'/ nullif(extract(epoch FROM max(c.closed_at) FILTER (WHERE c.is_close) - max(c.last_begun)), 0), 1) AS apps_per_second '
				'FROM (SELECT i.month, i.apps, i.done, i.total, i.invoices, i.closed_at, i.done > 0 OR i.invoices = 0 AS is_close, '
				'max(i.begun_at) FILTER (WHERE i.done > 0 OR i.invoices = 0) OVER (PARTITION BY i.month) AS last_begun '
				'FROM @extschema@.im_closing i) c GROUP BY c.month) p',
				'How far the close of each month has come, batch by batch: for another connection to watch.')
	) AS v(view_name, definition, description)
$$;
COMMENT ON FUNCTION @extschema@.im_view_definitions() IS
'The views for BI that im_create_tables() makes. A later version adds columns at the end of a view only.';

CREATE FUNCTION @extschema@.im_view_column_definitions()
	RETURNS TABLE (view_name text, column_name text, description text)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT * FROM (VALUES
			('im_bi_bill_line', 'month', 'First day of the usage month; conditions on it are applied before rating.'),
			('im_bi_bill_line', 'app_id', 'The app (SDKAppID) that pays.'),
			('im_bi_bill_line', 'app_name', 'Its name.'),
			('im_bi_bill_line', 'line', 'Number of the line in the bill of the app and month, from 1.'),
			('im_bi_bill_line', 'item', 'plan, plan_upgrade, dau_overage, mau_overage, group_overage, an add-on, call_minutes, local_moderation, moderation_pack, moderation or refund.'),
			('im_bi_bill_line', 'option', 'Plan, option, class or pack; of a refund the refunded item; empty where there is none.'),
			('im_bi_bill_line', 'period_from', 'First day that the line pays for.'),
			('im_bi_bill_line', 'period_through', 'Last day that the line pays for.'),
			('im_bi_bill_line', 'due_on', 'Day on which the amount falls due.'),
			('im_bi_bill_line', 'quantity', 'What was used or bought.'),
			('im_bi_bill_line', 'included', 'What a quota or packs covered.'),
			('im_bi_bill_line', 'billable', 'quantity - included, at least 0.'),
			('im_bi_bill_line', 'units', 'What is multiplied by unit_price: started blocks, months, minutes, deductions.'),
			('im_bi_bill_line', 'unit_price', 'Price of a unit.'),
			('im_bi_bill_line', 'amount', 'The amount, exact to at most 8 places; only totals are rounded.'),
			('im_bi_bill_line', 'currency', 'ISO 4217 code.'),
			('im_bi_bill_line', 'explanation', 'One sentence on how the amount came about.'),
			('im_bi_bill_total', 'month', 'First day of the usage month; conditions on it are applied before rating.'),
			('im_bi_bill_total', 'app_id', 'The app (SDKAppID) that pays.'),
			('im_bi_bill_total', 'app_name', 'Its name.'),
			('im_bi_bill_total', 'total', 'The total of the bill, rounded once to the places of the currency.'),
			('im_bi_bill_total', 'currency', 'ISO 4217 code.'),
			('im_bi_usage_daily', 'month', 'First day of the usage month; conditions on it are applied before metering.'),
			('im_bi_usage_daily', 'app_id', 'The app (SDKAppID).'),
			('im_bi_usage_daily', 'app_name', 'Its name.'),
			('im_bi_usage_daily', 'day', 'Day in the time zone of the rate card.'),
			('im_bi_usage_daily', 'status', 'trial, active, grace, stopped, suspended or reclaimed; null where the orders break the rules.'),
			('im_bi_usage_daily', 'plan', 'Paid plan in force on the day; null where there is none.'),
			('im_bi_usage_daily', 'source', 'given: a row of im_usage_daily; metered: from events.'),
			('im_bi_usage_daily', 'dau', 'Distinct users that logged in.'),
			('im_bi_usage_daily', 'peak_groups', 'Most groups existing at one moment.'),
			('im_bi_usage_daily', 'text_checks', 'Texts checked.'),
			('im_bi_usage_daily', 'image_checks', 'Images checked.'),
			('im_bi_usage_daily', 'audio_half_minutes', 'Half minutes of audio checked, each clock hour rounded down.'),
			('im_bi_usage_daily', 'video_half_minutes', 'Half minutes of video checked, each clock hour rounded down.'),
			('im_bi_usage_daily', 'audio_minutes', 'Minutes of audio calls, started ones counted.'),
			('im_bi_usage_daily', 'sd_minutes', 'Minutes of sd video calls.'),
			('im_bi_usage_daily', 'hd_minutes', 'Minutes of hd video calls.'),
			('im_bi_usage_daily', 'fhd_minutes', 'Minutes of fhd video calls.'),
			('im_bi_revenue', 'month', 'First day of the month; conditions on it are applied before anything is computed.'),
			('im_bi_revenue', 'app_id', 'The app (SDKAppID).'),
			('im_bi_revenue', 'app_name', 'Its name.'),
			('im_bi_revenue', 'item', 'Item of the bill lines.'),
			('im_bi_revenue', 'option', 'Plan, option, class or pack; of a refund the refunded item.'),
			('im_bi_revenue', 'billed', 'Sum of the bill lines of the month.'),
			('im_bi_revenue', 'earned', 'Earned in the month: fees by day of their term, packs as they are used, usage as it happens.'),
			('im_bi_revenue', 'deferred', 'Billed by the end of the month and not yet earned.'),
			('im_bi_revenue', 'currency', 'ISO 4217 code.'),
			('im_bi_order', 'app_id', 'The app (SDKAppID) that ordered.'),
			('im_bi_order', 'app_name', 'Its name.'),
			('im_bi_order', 'order_id', 'Number of the order within the app.'),
			('im_bi_order', 'at', 'When it was placed.'),
			('im_bi_order', 'day', 'That day in the time zone of the rate card; null, as all that follows from the rules, where the orders break them.'),
			('im_bi_order', 'action', 'buy, upgrade, refund, on or off.'),
			('im_bi_order', 'item', 'What it is about.'),
			('im_bi_order', 'option', 'Plan, option or pack.'),
			('im_bi_order', 'months', 'Months bought.'),
			('im_bi_order', 'quantity', 'Packs bought.'),
			('im_bi_order', 'refunds', 'The order that it refunds.'),
			('im_bi_order', 'paid', 'Agreed amount instead of the price of the card.'),
			('im_bi_order', 'starts_on', 'First day in force of what was bought; null for refunds, switches, and what was refunded before it began.'),
			('im_bi_order', 'ends_on', 'Last day in force, a refund considered.'),
			('im_bi_order', 'bought_through', 'Last day as bought.'),
			('im_bi_order', 'amount', 'What it cost; negative for a refund, null for switches.'),
			('im_bi_order', 'currency', 'ISO 4217 code.'),
			('im_bi_order', 'refunded_on', 'Day on which it was refunded.'),
			('im_close_progress', 'month', 'First day of the usage month.'),
			('im_close_progress', 'state', 'closing, or closed when no app is open.'),
			('im_close_progress', 'done', 'Apps that are closed.'),
			('im_close_progress', 'total', 'Apps to close when the last call began.'),
			('im_close_progress', 'invoices', 'Invoices issued.'),
			('im_close_progress', 'begun_at', 'When the last call began.'),
			('im_close_progress', 'last_at', 'When the last batch was closed.'),
			('im_close_progress', 'apps_per_second', 'Apps that were closed a second since the last call began.'),
			('im_close_progress', 'seconds_left', 'Seconds until all are closed at that rate.')
	) AS c(view_name, column_name, description)
$$;
COMMENT ON FUNCTION @extschema@.im_view_column_definitions() IS
'The columns of those views.';

CREATE FUNCTION @extschema@.im_add_views() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	owner name := coalesce(@extschema@.im_tables_owner(), current_user);
	v record;
BEGIN
	FOR v IN SELECT * FROM @extschema@.im_view_definitions() LOOP
		EXECUTE format('CREATE OR REPLACE VIEW %s.%I WITH (security_invoker = true) AS %s',
			'@extschema@', v.view_name, v.definition);
		EXECUTE format('ALTER VIEW %s.%I OWNER TO %I', '@extschema@', v.view_name, owner);
		EXECUTE format('COMMENT ON VIEW %s.%I IS %L', '@extschema@', v.view_name, v.description);
	END LOOP;
	FOR v IN SELECT * FROM @extschema@.im_view_column_definitions() LOOP
		EXECUTE format('COMMENT ON COLUMN %s.%I.%I IS %L',
			'@extschema@', v.view_name, v.column_name, v.description);
	END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.im_add_views() IS
'Makes the views for BI, or brings them up to date.';

-- What has been earned: bills against fees spread over what they pay for.
--
-- Billed is what im_monthly_bills() says, so of closed apps what was issued.
-- What is deferred follows from the orders and the use of packs
-- (core/revenue.h), of fees that were issued otherwise than the orders come
-- to in proportion to what was issued: nothing is deferred that no document
-- bills.  Earned is what is billed less what more is deferred than before.

CREATE FUNCTION @extschema@.im_rate_revenue(app_id bigint, card_name text, book @extschema@.im_price_book, orders @extschema@.im_order_entry[], suspensions daterange[], preview boolean, month @extschema@.im_month, since date, daily bigint[], logins bigint[], groups bigint[], checks bigint[], calls bigint[], user_days date[], users @extschema@.im_userset[], last_month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, month date, billed_month date, item text, option text, currency text, fees numeric, deferred numeric)
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE ROWS 20 PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_rate_revenue(bigint, text, @extschema@.im_price_book, @extschema@.im_order_entry[], daterange[], boolean, @extschema@.im_month, date, bigint[], bigint[], bigint[], bigint[], bigint[], date[], @extschema@.im_userset[], @extschema@.im_month) IS
'What is deferred of one app''s fees at the ends of the months from the one before month through last_month, by the month they were billed in, with all fees of that month, item and option, in the currency named. The arguments are values made by im_gather(), of which only the checks of daily, checks and calls are used; no table is read.';

CREATE FUNCTION @extschema@.im_pack_usage(packers bigint[], few boolean, first date, until date,
		early_apps bigint[], early_since date[])
	RETURNS TABLE (app_id bigint, since date, daily bigint[], checks bigint[], calls bigint[])
	LANGUAGE plpgsql STABLE ROWS 1000
	SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_custom_plan
	SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	reading @extschema@.im_reading;
BEGIN
	IF $2 THEN
		RETURN QUERY
		SELECT g.app_id, g.since, g.daily, g.checks, g.calls
		FROM @extschema@.im_gather_of($1, $3, $4, NULL, $5, $6) g;
	ELSIF $1 IS NOT NULL THEN
		reading := @extschema@.im_reading_of($3, $4, NULL, $5, $6);
		RETURN QUERY
		SELECT g.app_id, g.since, g.daily, g.checks, g.calls
		FROM @extschema@.im_gather($3, $4, NULL, reading) g
		WHERE g.app_id = ANY ($1);
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_pack_usage(bigint[], boolean, date, date, bigint[], date[]) IS
'The usage by which the packs of the given apps are earned; if they are few, app by app, which touches no row of others.';

-- A report over all years would bill and spread 120,000 months.  Before the
-- first order or use nothing is billed; nor after the last one when all terms
-- are over: history storage and groups cost nothing without a plan.
CREATE FUNCTION @extschema@.im_is_idle(among bigint[], since date, until date) RETURNS boolean
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
	-- in any time zone
	earliest timestamptz := @extschema@.im_utc_midnight($2 - 1);
	latest timestamptz := @extschema@.im_utc_midnight($3 + 1);
BEGIN
	RETURN NOT EXISTS (SELECT FROM @extschema@.im_order x
			WHERE x.at >= earliest AND x.at < latest AND (x.app_id = ANY ($1) OR $1 IS NULL))
		AND NOT EXISTS (SELECT FROM @extschema@.im_invoice x
			WHERE x.month >= $2 AND x.month < $3 AND (x.app_id = ANY ($1) OR $1 IS NULL))
		AND NOT EXISTS (SELECT FROM @extschema@.im_usage_daily x
			WHERE x.day >= $2 AND x.day < $3 AND (x.app_id = ANY ($1) OR $1 IS NULL))
		AND NOT EXISTS (SELECT FROM @extschema@.im_login x
			WHERE x.at >= earliest AND x.at < latest AND (x.app_id = ANY ($1) OR $1 IS NULL))
		AND NOT EXISTS (SELECT FROM @extschema@.im_moderation_check x
			WHERE x.at >= earliest AND x.at < latest AND (x.app_id = ANY ($1) OR $1 IS NULL))
		AND NOT EXISTS (SELECT FROM @extschema@.im_call x
			WHERE x.at >= earliest AND x.at < latest AND (x.app_id = ANY ($1) OR $1 IS NULL))
		AND NOT EXISTS (SELECT FROM @extschema@.im_group x
			WHERE x.created_at >= earliest AND x.created_at < latest AND (x.app_id = ANY ($1) OR $1 IS NULL))
		AND NOT EXISTS (SELECT FROM @extschema@.im_group x
			WHERE x.disbanded_at >= earliest AND x.disbanded_at < latest AND (x.app_id = ANY ($1) OR $1 IS NULL));
END
$$;
COMMENT ON FUNCTION @extschema@.im_is_idle(bigint[], date, date) IS
'Whether no order, use or document of the given apps, null for all of them, is of the days from the first to before the second.';

CREATE FUNCTION @extschema@.im_terms_over(among bigint[]) RETURNS date
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT least(max((o.last + least(o.months + c.months, 120000) * interval '1 month') AT TIME ZONE 'UTC')
			+ max(c.days) * interval '1 day', '9999-12-31')::date
	FROM (SELECT max(k.at) AS last, coalesce(sum(k.months), 0) AS months
		  FROM @extschema@.im_order k
		  WHERE isfinite(k.at) AND (k.app_id = ANY ($1) OR $1 IS NULL)
		  GROUP BY k.app_id) o,
		-- the longest pack, the longest grace and the days between time zones
		(SELECT coalesce(max((p.value ->> 'months')::int), 0) AS months,
			max((v.terms ->> 'grace_days')::int) + 2 AS days
		 FROM @extschema@.im_rate_card_version v
		 LEFT JOIN LATERAL jsonb_each(v.terms #> '{moderation,packs}') p ON true) c
$$;
COMMENT ON FUNCTION @extschema@.im_terms_over(bigint[]) IS
'A day on which nothing that the given apps bought runs any more, null for all of them: as if all of it ran one after the other from the last order. Null without orders.';

CREATE FUNCTION @extschema@.im_revenue_span(among bigint[], first_month @extschema@.im_month,
		last_month @extschema@.im_month)
	RETURNS int4range
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	first int := 0;
	last int := $3 OPERATOR(@extschema@.-) $2;
	low int;
	high int := last;
	middle int;
BEGIN
	-- looking for the ends costs as much as the bills of some ten years
	IF last < 120 THEN
		RETURN int4range(first, last, '[]');
	END IF;
	WHILE first < high LOOP
		middle := (first + high) / 2;
		IF @extschema@.im_is_idle($1, '-infinity', upper(($2 OPERATOR(@extschema@.+) middle)::daterange)) THEN
			first := middle + 1;
		ELSE
			high := middle;
		END IF;
	END LOOP;
	-- the month in which all terms are over stays: where orders cannot be
	-- followed its bill says so, as that of any later month would
	low := greatest(first, coalesce(@extschema@.im_terms_over($1)::@extschema@.im_month OPERATOR(@extschema@.-) $2, 0));
	WHILE low < last LOOP
		middle := (low + last) / 2;
		IF @extschema@.im_is_idle($1, ($2 OPERATOR(@extschema@.+) (middle + 1))::date, upper($3::daterange)) THEN
			last := middle;
		ELSE
			low := middle + 1;
		END IF;
	END LOOP;
	RETURN int4range(first, last, '[]');
END
$$;
COMMENT ON FUNCTION @extschema@.im_revenue_span(bigint[], @extschema@.im_month, @extschema@.im_month) IS
'Which of the months from the first through the last, counted from 0, may have revenue of the given apps; null for all of them.';

CREATE FUNCTION @extschema@.im_app_revenue_of(among bigint[], first_month @extschema@.im_month,
		last_month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, month date, item text, option text, currency text,
		billed numeric, earned numeric, deferred numeric)
	LANGUAGE plpgsql STABLE ROWS 100000
	SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_custom_plan
	SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	book @extschema@.im_price_book := @extschema@.im_price_book(NULL);
	span int4range;
	since_month @extschema@.im_month;
	through_month @extschema@.im_month;
	first date;
	earlier date;
	until date;
	packers bigint[];
	apps bigint[];
	sinces date[];
BEGIN
	IF $3 OPERATOR(@extschema@.<) $2 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('last month %s is before first month %s', $3, $2),
			DETAIL = 'Revenue is told for the months from the first through the last.',
			HINT = 'Give the months in their order.';
	END IF;
	span := @extschema@.im_revenue_span($1, $2, $3);
	since_month := $2 OPERATOR(@extschema@.+) lower(span);
	through_month := $2 OPERATOR(@extschema@.+) (upper(span) - 1);
	first := since_month::date;
	-- a pack that ends on the first lapses on it: what it gave must be known
	earlier := greatest(first - interval '1 month', '0001-01-01')::date;
	until := upper(through_month::daterange);
	-- only packs are earned by use, so only who bought some needs usage
	SELECT array_agg(DISTINCT k.app_id) INTO packers
	FROM @extschema@.im_order k
	WHERE k.action = 'buy' AND k.item = 'moderation_pack'
		AND k.at < @extschema@.im_utc_midnight(until + 1)
		AND (k.app_id = ANY ($1) OR $1 IS NULL);
	IF packers IS NOT NULL THEN
		SELECT array_agg(e.app_id), array_agg(e.since) INTO apps, sinces
		FROM @extschema@.im_early_usage(earlier, until, NULL, book) e
		WHERE e.app_id = ANY (packers);
	END IF;
	RETURN QUERY
	WITH billed AS (
		SELECT b.app_id, b.month, b.item, b.option, b.currency, sum(b.amount) AS amount
		FROM generate_series(0, through_month OPERATOR(@extschema@.-) since_month) n,
			@extschema@.im_monthly_bills_of($1, since_month OPERATOR(@extschema@.+) n) b
		GROUP BY b.app_id, b.month, b.item, b.option, b.currency),
	spread AS MATERIALIZED (
		SELECT r.*
		FROM @extschema@.im_app_accounts(until, NULL) a
		LEFT JOIN @extschema@.im_pack_usage(packers, $1 IS NOT NULL, earlier, until, apps, sinces) u
			ON u.app_id = a.app_id,
			@extschema@.im_rate_revenue(a.app_id, a.card_name, book, a.orders, a.suspensions, false,
				since_month, coalesce(u.since, first), u.daily, NULL, NULL, u.checks, u.calls, NULL, NULL, through_month) r
		WHERE a.orders IS NOT NULL AND (a.app_id = ANY ($1) OR $1 IS NULL)),
	-- of the months of the report the bills tell what was issued
	before AS (
		SELECT m.month, @extschema@.im_closed_apps(m.month) AS closed
		FROM (SELECT DISTINCT s.billed_month AS month FROM spread s WHERE s.billed_month < first) m),
	documented AS (
		SELECT b.app_id, b.month, b.item, b.option, b.amount
		FROM billed b
		UNION ALL
		SELECT i.app_id, i.month, i.item, i.option, sum(i.amount)
		FROM before m, @extschema@.im_issued_lines(m.month) i
		WHERE NOT isempty(m.closed) AND (i.app_id = ANY ($1) OR $1 IS NULL)
		GROUP BY i.app_id, i.month, i.item, i.option),
	deferred AS (
		SELECT s.app_id, s.month, s.item, s.option, s.currency,
			CASE WHEN d.amount = s.fees
					OR s.billed_month < first AND NOT coalesce(s.app_id <@ m.closed, false)
				THEN s.deferred
				WHEN d.amount > 0 THEN round(s.deferred * d.amount / s.fees, 8)
				ELSE 0 END AS deferred,
			s.fees - s.fees AS zero	-- with the places of the fees
		FROM spread s
		LEFT JOIN before m ON m.month = s.billed_month
		LEFT JOIN documented d ON d.app_id = s.app_id AND d.month = s.billed_month
			AND d.item = s.item AND d.option = s.option)
	SELECT e.app_id, e.month, e.item, e.option, e.currency, sum(e.billed),
		sum(e.billed) + sum(e.before) - sum(e.deferred), sum(e.deferred)
	FROM (
		SELECT b.app_id, b.month, b.item, b.option, b.currency, b.amount AS billed,
			0 AS before, b.amount - b.amount AS deferred
		FROM billed b
		UNION ALL
		SELECT d.app_id, d.month, d.item, d.option, d.currency, d.zero, 0, d.deferred
		FROM deferred d
		WHERE d.deferred <> 0 AND d.month >= first
		UNION ALL
		SELECT d.app_id, (d.month + interval '1 month')::date, d.item, d.option, d.currency,
			d.zero, d.deferred, 0
		FROM deferred d
		WHERE d.deferred <> 0 AND d.month + interval '1 month' < until) e
	GROUP BY e.app_id, e.month, e.item, e.option, e.currency;
END
$$;
COMMENT ON FUNCTION @extschema@.im_app_revenue_of(bigint[], @extschema@.im_month, @extschema@.im_month) IS
'im_app_revenue() of the given apps; null for all of them.';

CREATE FUNCTION @extschema@.im_app_revenue(first_month @extschema@.im_month, last_month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, month date, item text, option text, currency text,
		billed numeric, earned numeric, deferred numeric)
	LANGUAGE plpgsql STABLE STRICT ROWS 100000
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF @extschema@.im_guarded('im_app_revenue_guarded') THEN
		RETURN QUERY SELECT * FROM @extschema@.im_app_revenue_guarded($1, $2);
		RETURN;
	END IF;
	RETURN QUERY SELECT * FROM @extschema@.im_app_revenue_of(NULL, $1, $2);
END
$$;
COMMENT ON FUNCTION @extschema@.im_app_revenue(@extschema@.im_month, @extschema@.im_month) IS
'Per app, month, item and option: billed and earned in the month, deferred at its end, in the currency named; exact to at most 8 places. im_revenue() says how fees are earned. Of a refund option is the refunded item. Errors: 22023 for months in the wrong order, else as im_monthly_bills().';

CREATE FUNCTION @extschema@.im_revenue(first_month @extschema@.im_month, last_month @extschema@.im_month)
	RETURNS TABLE (month date, item text, currency text, billed numeric, earned numeric,
		deferred numeric)
	LANGUAGE plpgsql STABLE STRICT ROWS 100
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	SELECT r.month, r.item, r.currency, sum(r.billed), sum(r.earned), sum(r.deferred)
	FROM @extschema@.im_app_revenue($1, $2) r
	GROUP BY r.month, r.item, r.currency
	ORDER BY r.month, r.currency COLLATE "C", r.item COLLATE "C";
END
$$;
COMMENT ON FUNCTION @extschema@.im_revenue(@extschema@.im_month, @extschema@.im_month) IS
'Billed against earned of all apps per month, item and currency, and what is deferred at the month''s end. Prepaid fees are earned by day over their term, packs as they are used and the lapsed rest on their end day, usage in its month; a refund is negative on its day, on which the unearned rest of the refunded fee is earned. Billed to date = earned to date + deferred. Errors: 22023 for months in the wrong order, else as im_monthly_bills().';

-- The month so far, and what it will come to.
--
-- Both take an instant, by default the present one, and know what was known
-- then: orders placed by it, suspensions begun by its day, and usage through
-- its day (local to the rate card), which is as fine as daily figures are.

CREATE FUNCTION @extschema@.im_rate_forecast(app_id bigint, card_name text, book @extschema@.im_price_book, orders @extschema@.im_order_entry[], suspensions daterange[], preview boolean, month @extschema@.im_month, since date, daily bigint[], logins bigint[], groups bigint[], checks bigint[], calls bigint[], user_days date[], users @extschema@.im_userset[], today date)
	RETURNS TABLE (currency text, so_far numeric, low numeric, expected numeric, high numeric, method text)
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE ROWS 1 PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_rate_forecast(bigint, text, @extschema@.im_price_book, @extschema@.im_order_entry[], daterange[], boolean, @extschema@.im_month, date, bigint[], bigint[], bigint[], bigint[], bigint[], date[], @extschema@.im_userset[], date) IS
'The total of one app and month so far and at its end, low, expected and high, in the currency named, and the method in words; today is a day of that month. The arguments are values made by im_gather(); no table is read.';

CREATE FUNCTION @extschema@.im_gather_known(app bigint, at timestamptz, history boolean)
	RETURNS TABLE (
		app_id bigint, card_name text, book @extschema@.im_price_book,
		orders @extschema@.im_order_entry[], suspensions daterange[], preview boolean,
		month @extschema@.im_month, since date, daily bigint[], logins bigint[],
		groups bigint[], checks bigint[], calls bigint[], user_days date[],
		users @extschema@.im_userset[], today date)
	LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1
	SET search_path = pg_catalog, pg_temp
	SET jit = off	-- as in im_rebill()
AS $$
#variable_conflict use_column
DECLARE
	zone text;
	today date;
	month @extschema@.im_month;
	first date;
	begins date;
	book @extschema@.im_price_book := @extschema@.im_price_book(NULL);
	apps bigint[];
	sinces date[];
	reading @extschema@.im_reading;
BEGIN
	PERFORM @extschema@.im_need_app($1);
	SELECT a.time_zone INTO zone FROM @extschema@.im_app_cards(NULL) a WHERE a.app_id = $1;
	month := @extschema@.im_month($2, coalesce(zone, 'UTC'));
	PERFORM @extschema@.im_need_month($1, month);
	today := @extschema@.im_day($2, zone);
	first := month::date;
	begins := first;
	-- as far back as core/forecast.h looks
	IF $3 THEN
		begins := greatest(least(today - 182, (first - interval '3 months')::date), '0001-01-01');
	END IF;
	SELECT array_agg(e.app_id), array_agg(e.since) INTO apps, sinces
	FROM @extschema@.im_early_usage(first, upper(month::daterange), NULL, book) e
	WHERE e.app_id = $1 AND e.since < begins;
	reading := @extschema@.im_reading_of(begins, today + 1, NULL, apps, sinces, $1);
	RETURN QUERY
	SELECT g.app_id, g.card_name, book,
		(SELECT array_agg(o ORDER BY o.at, o.order_id) FROM unnest(g.orders) o WHERE o.at <= $2),
		(SELECT array_agg(s) FROM unnest(g.suspensions) s
		 WHERE lower_inf(s) OR lower(s) <= today),
		g.preview, month, g.since, g.daily, g.logins, g.groups, g.checks, g.calls,
		g.user_days, g.users, today
	FROM @extschema@.im_gather(begins, today + 1, NULL, reading) g
	WHERE g.app_id = $1;
END
$$;
COMMENT ON FUNCTION @extschema@.im_gather_known(bigint, timestamptz, boolean) IS
'What was known of an app at an instant: the values of the bill of its month, and with history the usage that forecasts look back on. Errors: P0002 for an unknown app or a month that no card version covers, 22008 for an instant outside the years 1 to 9999.';

CREATE FUNCTION @extschema@.im_running_bill(app_id bigint, at timestamptz)
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 10
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF @extschema@.im_guarded('im_running_bill_guarded') THEN
		RETURN QUERY SELECT * FROM @extschema@.im_running_bill_guarded($1, $2);
		RETURN;
	END IF;
	RETURN QUERY
	SELECT l.*
	FROM @extschema@.im_gather_known($1, $2, false) g,
		@extschema@.im_rate_lines(g.app_id, g.card_name, g.book, g.orders, g.suspensions,
			g.preview, g.month, g.since, g.daily, g.logins, g.groups, g.checks,
			g.calls, g.user_days, g.users) l;
END
$$;
COMMENT ON FUNCTION @extschema@.im_running_bill(bigint, timestamptz) IS
'The bill of the month of an instant, in the app''s rate card''s time zone, if nothing more were ordered or used: orders until the instant, usage through its day. Errors as im_monthly_bill(), and 22008 for an instant outside the years 1 to 9999.';

CREATE FUNCTION @extschema@.im_running_bill(app_id bigint)
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 10
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY SELECT * FROM @extschema@.im_running_bill($1, now());
END
$$;
COMMENT ON FUNCTION @extschema@.im_running_bill(bigint) IS
'The bill of the running month so far, in the app''s rate card''s time zone, if nothing more were ordered or used. Errors as im_monthly_bill().';

CREATE FUNCTION @extschema@.im_forecast(app_id bigint, at timestamptz)
	RETURNS TABLE (month date, currency text, so_far numeric, low numeric,
		expected numeric, high numeric, method text)
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 1
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	IF @extschema@.im_guarded('im_forecast_guarded') THEN
		RETURN QUERY SELECT * FROM @extschema@.im_forecast_guarded($1, $2);
		RETURN;
	END IF;
	RETURN QUERY
	SELECT g.month::date, f.currency, f.so_far, f.low, f.expected, f.high, f.method
	FROM @extschema@.im_gather_known($1, $2, true) g,
		@extschema@.im_rate_forecast(g.app_id, g.card_name, g.book, g.orders, g.suspensions,
			g.preview, g.month, g.since, g.daily, g.logins, g.groups, g.checks,
			g.calls, g.user_days, g.users, g.today) f;
END
$$;
COMMENT ON FUNCTION @extschema@.im_forecast(bigint, timestamptz) IS
'What the bill of the month of an instant will come to, from what was known then: the total so far (im_running_bill), and at the month''s end low, expected and high, with the method in words. Orders to come are not foreseen. Errors as im_running_bill().';

CREATE FUNCTION @extschema@.im_forecast(app_id bigint)
	RETURNS TABLE (month date, currency text, so_far numeric, low numeric,
		expected numeric, high numeric, method text)
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 1
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY SELECT f.* FROM @extschema@.im_forecast($1, now()) f;
END
$$;
COMMENT ON FUNCTION @extschema@.im_forecast(bigint) IS
'What the bill of the running month will come to: the total so far, and at the month''s end low, expected and high, with the method in words. Orders to come are not foreseen. Errors as im_monthly_bill().';

-- Why this amount: the facts behind a line of a bill, each with the rows that
-- it comes from.

CREATE FUNCTION @extschema@.im_rate_facts(app_id bigint, card_name text, book @extschema@.im_price_book, orders @extschema@.im_order_entry[], suspensions daterange[], preview boolean, month @extschema@.im_month, since date, daily bigint[], logins bigint[], groups bigint[], checks bigint[], calls bigint[], user_days date[], users @extschema@.im_userset[])
	RETURNS TABLE (line integer, ordinal integer, fact text, day date, quantity numeric, amount numeric, note text, source text, order_id bigint, class text, declared boolean, card_from date, card_path text[], detail jsonb)
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE ROWS 200 PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_rate_facts(bigint, text, @extschema@.im_price_book, @extschema@.im_order_entry[], daterange[], boolean, @extschema@.im_month, date, bigint[], bigint[], bigint[], bigint[], bigint[], date[], @extschema@.im_userset[]) IS
'The facts behind every line of the bill of one app and month, told by what computes the bill. The arguments are values made by im_gather(); no table is read. Errors as im_rate_lines().';

CREATE FUNCTION @extschema@.im_rate_days(app_id bigint, card_name text, book @extschema@.im_price_book, orders @extschema@.im_order_entry[], suspensions daterange[], preview boolean, month @extschema@.im_month, since date, daily bigint[], logins bigint[], groups bigint[], checks bigint[], calls bigint[], user_days date[], users @extschema@.im_userset[])
	RETURNS TABLE (day date, state text, plan text, counts boolean, dau bigint, groups bigint, deductions numeric, deductions_from_packs numeric, deductions_left numeric, minutes numeric, minutes_from_packs numeric, minutes_left numeric)
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE ROWS 31 PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_rate_days(bigint, text, @extschema@.im_price_book, @extschema@.im_order_entry[], daterange[], boolean, @extschema@.im_month, date, bigint[], bigint[], bigint[], bigint[], bigint[], date[], @extschema@.im_userset[]) IS
'The days of a month of one app: state, plan, whether the day counts (R3), users, groups, billed deductions and call minutes with what packs gave, and what the packs in force hold at the day''s end (null without any). The arguments are values made by im_gather(); no table is read. Errors as im_rate_lines().';

CREATE FUNCTION @extschema@.im_rebill_facts(app_id bigint, month @extschema@.im_month)
	RETURNS TABLE (bill_line @extschema@.im_bill_line, ordinal integer, fact text, day date, quantity numeric,
		amount numeric, note text, source text, order_id bigint, class text, declared boolean,
		card_from date, card_path text[], detail jsonb)
	LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 200
	SET search_path = pg_catalog, pg_temp
	SET jit = off	-- as in im_rebill()
AS $$
#variable_conflict use_column
DECLARE
	first date := $2::date;
	until date := upper($2::daterange);
	book @extschema@.im_price_book := @extschema@.im_price_book(NULL);
	reading @extschema@.im_reading;
BEGIN
	reading := @extschema@.im_reading(first, until, NULL, book, $1);
	RETURN QUERY
	SELECT l, f.ordinal, f.fact, f.day, f.quantity, f.amount, f.note, f.source, f.order_id,
		f.class, f.declared, f.card_from, f.card_path, f.detail
	FROM @extschema@.im_gather(first, until, NULL, reading) g,
		@extschema@.im_rate_lines(g.app_id, g.card_name, book, g.orders, g.suspensions,
			g.preview, $2, g.since, g.daily, g.logins, g.groups, g.checks,
			g.calls, g.user_days, g.users) l,
		@extschema@.im_rate_facts(g.app_id, g.card_name, book, g.orders, g.suspensions,
			g.preview, $2, g.since, g.daily, g.logins, g.groups, g.checks,
			g.calls, g.user_days, g.users) f
	WHERE g.app_id = $1 AND f.line = l.line;
END
$$;
COMMENT ON FUNCTION @extschema@.im_rebill_facts(bigint, @extschema@.im_month) IS
'The lines of a bill computed from the tables, each with its facts.';

-- Events of a local day: the day itself decides, and the bounds, which are
-- wider, are for indexes and partitions.
CREATE FUNCTION @extschema@.im_fact_events(table_name text, app_id bigint, day date, zone text)
	RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	RETURN format('%s.%I WHERE app_id = %s AND %s.im_day(at, %L) = %L AND at >= %L AND at < %L',
		'@extschema@', $1, $2, '@extschema@', $4, to_char($3, 'YYYY-MM-DD'),
		to_char($3 - 1, 'YYYY-MM-DD 00:00+00'), to_char($3 + 2, 'YYYY-MM-DD 00:00+00'));
COMMENT ON FUNCTION @extschema@.im_fact_events(text, bigint, date, text) IS
'What follows FROM in a query of the events of an app and local day.';

CREATE FUNCTION @extschema@.im_fact_source(source text, app_id bigint, card_name text, zone text,
		day date, order_id bigint, class text, declared boolean, card_from date)
	RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	RETURN CASE
		WHEN $1 = 'order' THEN
			format('%s.im_order WHERE app_id = %s AND order_id = %s', '@extschema@', $2, $6)
		WHEN $1 = 'card' THEN
			format('%s.im_rate_card_version WHERE rate_card = %L AND effective_from = %L',
				'@extschema@', $3, to_char($9, 'YYYY-MM-DD'))
		WHEN $8 THEN
			format('%s.im_usage_daily WHERE app_id = %s AND day = %L',
				'@extschema@', $2, to_char($5, 'YYYY-MM-DD'))
		WHEN $1 = 'logins' THEN
			@extschema@.im_fact_events('im_login', $2, $5, $4)
		WHEN $1 = 'checks' THEN
			@extschema@.im_fact_events('im_moderation_check', $2, $5, $4)
		WHEN $1 = 'calls' THEN
			@extschema@.im_fact_events('im_call', $2, $5, $4) || format(' AND class = %L', $7)
		WHEN $1 = 'groups' THEN
			format('%1$s.im_group WHERE app_id = %2$s AND %1$s.im_day(created_at, %3$L) <= %4$L'
				' AND (disbanded_at IS NULL OR %1$s.im_day(disbanded_at, %3$L) >= %4$L)',
				'@extschema@', $2, $4, to_char($5, 'YYYY-MM-DD'))
	END;
COMMENT ON FUNCTION @extschema@.im_fact_source(text, bigint, text, text, date, bigint, text, boolean, date) IS
'The rows that a fact comes from, as what follows FROM in a query; null for a fact that follows from others.';

-- Where a price was published.  What the price page for mainland China does
-- not say (quotas, prices of call minutes, the price of 2024) stands in the
-- vendor's other documents of the time.
CREATE FUNCTION @extschema@.im_price_reference(rate_card text, effective_from date, path text[])
	RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	bundled numeric;
	stored numeric;
BEGIN
	SELECT (b.terms #>> $3)::numeric INTO bundled
	FROM @extschema@.im_bundled_cards() b
	WHERE b.rate_card = $1 AND b.effective_from = $2;
	SELECT (v.terms #>> $3)::numeric INTO stored
	FROM @extschema@.im_rate_card_version v
	WHERE v.rate_card = $1 AND v.effective_from = $2;
	RETURN CASE
		WHEN bundled IS DISTINCT FROM stored OR bundled IS NULL THEN
			'the owner''s price list'
		WHEN $1 = 'cn' AND $3[4] IS DISTINCT FROM 'included' AND $3[1] <> 'call_minutes'
			AND ($3 <> ARRAY['plans', 'pro', 'price'] OR $2 < '2024-01-01') THEN
			'price page of the vendor for mainland China, https://cloud.tencent.com/document/product/269/81908'
		ELSE 'public documents of the vendor, as bundled' END;
END
$$;
COMMENT ON FUNCTION @extschema@.im_price_reference(text, date, text[]) IS
'Who published an element of a card version: the vendor''s price page or other documents where it still is as bundled, else the owner of the price list.';

-- A closed month is explained by its bill computed anew, as long as that comes
-- to what was issued: the line itself, or with what notes added to it.
CREATE FUNCTION @extschema@.im_same_line(a @extschema@.im_bill_line, b @extschema@.im_bill_line) RETURNS boolean
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	RETURN (a.item, a.option, a.period, a.due_on, a.unit_price, a.currency)
		IS NOT DISTINCT FROM (b.item, b.option, b.period, b.due_on, b.unit_price, b.currency);
COMMENT ON FUNCTION @extschema@.im_same_line(@extschema@.im_bill_line, @extschema@.im_bill_line) IS
'Whether two lines are of the same thing: what notes change are figures of a line, never these.';

CREATE FUNCTION @extschema@.im_issued_facts(lines @extschema@.im_bill_line[], line @extschema@.im_bill_line)
	RETURNS TABLE (fact text, quantity numeric, amount numeric, note text, detail jsonb)
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT 'issued', b.quantity, b.amount, b.explanation, jsonb_build_object('line', b.line)
	FROM unnest($1) b
	WHERE @extschema@.im_same_line(b, $2)
	ORDER BY b.line
$$;
COMMENT ON FUNCTION @extschema@.im_issued_facts(@extschema@.im_bill_line[], @extschema@.im_bill_line) IS
'The lines of an invoice and its notes that are of the same thing as a line.';

CREATE FUNCTION @extschema@.im_explained_line(app_id bigint, month @extschema@.im_month,
		bill @extschema@.im_bill_line[], billed @extschema@.im_bill_line, OUT line integer, OUT alone boolean)
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT r.line, same.alone
	FROM @extschema@.im_rebill($1, $2, NULL) r,
		LATERAL (SELECT sum(f.quantity) AS quantity, sum(f.amount) AS amount
				 FROM @extschema@.im_issued_facts($3, $4) f) issued,
		LATERAL (SELECT (r.quantity, r.included, r.amount)
					IS NOT DISTINCT FROM (($4).quantity, ($4).included, ($4).amount) AS alone) same
	WHERE @extschema@.im_same_line(r, $4)
		AND (same.alone OR (r.quantity, r.amount) IS NOT DISTINCT FROM (issued.quantity, issued.amount))
	ORDER BY same.alone DESC, r.line = ($4).line DESC, r.line
	LIMIT 1
$$;
COMMENT ON FUNCTION @extschema@.im_explained_line(bigint, @extschema@.im_month, @extschema@.im_bill_line[], @extschema@.im_bill_line) IS
'The line of the bill computed anew that explains a line as billed: alone, if it is the same, or what the lines of all documents come to; null without one.';

CREATE FUNCTION @extschema@.im_told_facts(app_id bigint, month @extschema@.im_month, line integer)
	RETURNS TABLE (ordinal integer, fact text, day date, quantity numeric, amount numeric,
		note text, source text, detail jsonb)
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 50
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT f.ordinal, f.fact, f.day, f.quantity, f.amount, f.note,
		@extschema@.im_fact_source(f.source, $1, c.card_name, c.time_zone, f.day, f.order_id, f.class, f.declared, f.card_from),
		f.detail
			|| CASE WHEN f.card_path IS NULL THEN '{}' ELSE jsonb_build_object('path', f.card_path,
				'published', @extschema@.im_price_reference(c.card_name, f.card_from, f.card_path)) END
			|| CASE WHEN f.detail ->> 'state' IS DISTINCT FROM 'suspended' THEN '{}' ELSE jsonb_build_object('because',
				format('%s.im_suspension WHERE app_id = %s AND days @> date %L', '@extschema@', $1,
					to_char(f.day, 'YYYY-MM-DD'))) END
	FROM @extschema@.im_rebill_facts($1, $2) f
	JOIN @extschema@.im_app_cards(NULL) c ON c.app_id = $1
	WHERE (f.bill_line).line = $3
$$;
COMMENT ON FUNCTION @extschema@.im_told_facts(bigint, @extschema@.im_month, integer) IS
'The facts of a line of the bill computed anew, with the rows that they come from.';

CREATE FUNCTION @extschema@.im_explain(app_id bigint, month @extschema@.im_month, line integer)
	RETURNS TABLE (ordinal integer, fact text, day date, quantity numeric, amount numeric,
		note text, source text, detail jsonb)
	LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED ROWS 50
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	bill @extschema@.im_bill_line[];
	billed @extschema@.im_bill_line;
	explained record;
	told int := 1;
BEGIN
	IF @extschema@.im_guarded('im_explain_guarded') THEN
		RETURN QUERY SELECT * FROM @extschema@.im_explain_guarded($1, $2, $3);
		RETURN;
	END IF;
	SELECT array_agg(b) INTO bill FROM @extschema@.im_monthly_bill($1, $2) b;
	SELECT b.* INTO billed FROM unnest(bill) b WHERE b.line = $3;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'no_data_found',
			MESSAGE = format('the bill of app %s for %s has no line %s', $1, $2, $3),
			DETAIL = format('The bill has %s lines, numbered from 1.', coalesce(cardinality(bill), 0)),
			HINT = format('SELECT line, item, amount FROM %s.im_monthly_bill(%s, %L) lists them.', '@extschema@', $1, $2::text);
	END IF;
	RETURN QUERY
	SELECT 1, 'line', billed.due_on, billed.quantity, billed.amount, billed.explanation, NULL::text,
		jsonb_build_object('item', billed.item, 'option', billed.option, 'currency', billed.currency);
	SELECT x.line, coalesce(x.alone, false) AS alone INTO explained
	FROM @extschema@.im_explained_line($1, $2, bill, billed) x;
	IF NOT explained.alone THEN
		RETURN QUERY
		SELECT 1 + (row_number() OVER ())::int, i.fact, NULL::date, i.quantity, i.amount, i.note,
			format('%s.im_invoice_line WHERE app_id = %s AND month = %L', '@extschema@', $1, to_char($2::date, 'YYYY-MM-DD')), i.detail
		FROM @extschema@.im_issued_facts(bill, billed) i;
		GET DIAGNOSTICS told = ROW_COUNT;
		told := told + 1;
	END IF;
	IF explained.line IS NULL THEN
		RETURN QUERY
		SELECT told + 1, 'changed', NULL::date, NULL::numeric, NULL::numeric,
			'The line stands as it was issued, and what the tables hold now leads to another: its facts can be told no more.',
			NULL::text, '{}'::jsonb;
		RETURN;
	END IF;
	RETURN QUERY
	SELECT f.ordinal + told, f.fact, f.day, f.quantity, f.amount, f.note, f.source, f.detail
	FROM @extschema@.im_told_facts($1, $2, explained.line) f
	ORDER BY f.ordinal;
END
$$;
COMMENT ON FUNCTION @extschema@.im_explain(bigint, @extschema@.im_month, integer) IS
'Why a line of a bill has its amount: the facts in their order, each with a note and with the rows that it comes from. source is what follows FROM in a query of them; null for what follows from other facts. The facts before "amount" add up to it. quantity and amount are in the units and the currency of the line. Errors: P0002 for a line that the bill does not have; else as im_monthly_bill().';

-- Parts of all pages: words, numbers, days.  What comes out of these functions
-- is HTML already; what came from a table went through im_html_text() first.

CREATE FUNCTION @extschema@.im_html_text(text) RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION @extschema@.im_html_text(text) IS
'A text as it may stand in content and attributes of an HTML page: markup escaped, forbidden characters replaced by U+FFFD, and what the client''s encoding cannot carry as UTF-8 written as references.';

CREATE FUNCTION @extschema@.im_html_word(lang text, key text) RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION @extschema@.im_html_word(text, text) IS
'A word of the pages in a language, as HTML. Error 22023 for a language other than en and zh.';

CREATE FUNCTION @extschema@.im_html_name(lang text, key text, otherwise text) RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION @extschema@.im_html_name(text, text, text) IS
'A word of the pages in a language, or the given text where there is none, as HTML. Error 22023 as im_html_word().';

CREATE FUNCTION @extschema@.im_html_number(value numeric, places integer DEFAULT 0) RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_html_number(numeric, integer) IS
'A number with separators of thousands and at least so many places; exact.';

CREATE FUNCTION @extschema@.im_html_date(day date) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	RETURN to_char(day, 'YYYY-MM-DD');
COMMENT ON FUNCTION @extschema@.im_html_date(date) IS
'A day as 2024-03-17, whatever DateStyle says.';

CREATE FUNCTION @extschema@.im_html_times(html text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	RETURN regexp_replace(html, '\m\d{4}-\d\d-\d\d\M', '<time>\&</time>', 'g');
COMMENT ON FUNCTION @extschema@.im_html_times(text) IS
'Marks the days in a sentence of a page, which has no markup yet, so that no line breaks within them.';

CREATE FUNCTION @extschema@.im_html_month(lang text, month date) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
	RETURN format(@extschema@.im_html_word(lang, 'month.name'), to_char(month, 'FMYYYY'),
		@extschema@.im_html_word(lang, 'month.' || to_char(month, 'FMMM')), to_char(month, 'FMMM'));
COMMENT ON FUNCTION @extschema@.im_html_month(text, date) IS
'A month in words.';

CREATE FUNCTION @extschema@.im_html_item(lang text, item text, option text) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
	RETURN CASE WHEN option = '' THEN '' ELSE CASE
			WHEN item = 'refund' THEN @extschema@.im_html_name(lang, 'item.' || option, option)
			WHEN item IN ('plan', 'plan_upgrade', 'dau_overage', 'mau_overage', 'group_overage') THEN
				@extschema@.im_html_name(lang, 'plan.' || option, option)
			ELSE @extschema@.im_html_name(lang, 'option.' || item || '.' || option, option) END END;
COMMENT ON FUNCTION @extschema@.im_html_item(text, text, text) IS
'The option of a line in words: of a plan its name, of a refund what was refunded.';

-- Axes ----------------------------------------------------------------------

-- Steps of 1, 2, 2.5 or 5 times a power of ten: at most four of them.
CREATE FUNCTION @extschema@.im_html_step(highest numeric) RETURNS numeric
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT m * ('1' || repeat('0', k))::numeric
	FROM generate_series(0, 40) k, unnest(ARRAY[1, 2, 2.5, 5]) m
	WHERE $1 <= 4 * m * ('1' || repeat('0', k))::numeric AND (k > 0 OR m <> 2.5)
	ORDER BY 1
	LIMIT 1
$$;
COMMENT ON FUNCTION @extschema@.im_html_step(numeric) IS
'The distance between the lines of a chart whose highest value is given.';

CREATE FUNCTION @extschema@.im_html_tick(lang text, value numeric) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE
		WHEN $2 < 10000 THEN @extschema@.im_html_number($2)
		WHEN $2 >= 1000000000000000 THEN
			trim_scale($2 / ('1' || repeat('0', length(trunc($2)::text) - 1))::numeric)
				|| 'e' || length(trunc($2)::text) - 1
		ELSE (SELECT trim_scale($2 / u.unit) || @extschema@.im_html_word($1, 'axis.' || u.n)
			  FROM (VALUES ('en', 1, 1000::numeric), ('en', 2, 1000000), ('en', 3, 1000000000), ('en', 4, 1000000000000),
						   ('zh', 2, 10000), ('zh', 3, 100000000), ('zh', 4, 1000000000000)) u(lang, n, unit)
			  WHERE u.lang = $1 AND u.unit <= $2
			  ORDER BY u.unit DESC
			  LIMIT 1) END
$$;
COMMENT ON FUNCTION @extschema@.im_html_tick(text, numeric) IS
'A value of an axis in short: 2,500, 25k, 1.5M; 2.5 ten thousands in Chinese; 9e18 past that.';

-- Charts: inline SVG, one bar a day.  All coordinates are numeric, none is
-- floating point.  A chart says in words what it shows (title and desc), and
-- tells its parts apart by hatching as well as by colour.

CREATE TYPE @extschema@.im_html_chart AS (
	key text,
	style text,
	days date[],
	low numeric[],
	high numeric[],
	counts boolean[],
	quota numeric
);
COMMENT ON TYPE @extschema@.im_html_chart IS
'What a chart of a page shows; internal.';
COMMENT ON COLUMN @extschema@.im_html_chart.key IS 'Key of its words.';
COMMENT ON COLUMN @extschema@.im_html_chart.style IS 'peak: days with the peak marked; split: packs and postpaid; left: what is left.';
COMMENT ON COLUMN @extschema@.im_html_chart.days IS 'The days of the month.';
COMMENT ON COLUMN @extschema@.im_html_chart.low IS 'The lower part of each bar; null where there is nothing to draw.';
COMMENT ON COLUMN @extschema@.im_html_chart.high IS 'The upper part of each bar, or null.';
COMMENT ON COLUMN @extschema@.im_html_chart.counts IS 'Days that count towards the peak (R3).';
COMMENT ON COLUMN @extschema@.im_html_chart.quota IS 'What the plan includes, or null.';

-- The plot: 344 wide from x = 50, 136 high above y = 164, of 400 x 188.
CREATE FUNCTION @extschema@.im_html_height(value numeric, top numeric) RETURNS numeric
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	RETURN round(136 * value / top, 1);
COMMENT ON FUNCTION @extschema@.im_html_height(numeric, numeric) IS
'The height of a value in a chart whose axis ends at top.';

CREATE FUNCTION @extschema@.im_html_axes(lang text, days date[], step numeric, top numeric) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT (SELECT string_agg(format('<line class="grid%s" x1="50" x2="394" y1="%s" y2="%s"/><text class="tick" x="45" y="%s" text-anchor="end">%s</text>',
					CASE v WHEN 0 THEN ' base' ELSE '' END, y, y, y + 4,
					@extschema@.im_html_tick($1, v)), '' ORDER BY v)
			FROM generate_series(0, $4, $3) v, LATERAL (SELECT 164 - @extschema@.im_html_height(v, $4) AS y) h)
		|| (SELECT string_agg(format('<text class="tick" x="%s" y="180" text-anchor="middle">%s</text>',
					round(50 + 344 * (d - 0.5) / cardinality($2), 1), d), '' ORDER BY d)
			FROM unnest(ARRAY[1, 5, 10, 15, 20, 25, cardinality($2)]) d)
$$;
COMMENT ON FUNCTION @extschema@.im_html_axes(text, date[], numeric, numeric) IS
'Grid lines with their values, and days under the plot.';

CREATE FUNCTION @extschema@.im_html_bar(class text, n bigint, days integer, base numeric, value numeric,
		top numeric, hint text)
	RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN $5 = 0 THEN '' ELSE format('<rect %s x="%s" y="%s" width="%s" height="%s"><title>%s</title></rect>', $1,
		round(50 + 344 * ($2 - 0.88) / $3, 1),
		164 - greatest(@extschema@.im_html_height($4 + $5, $6), @extschema@.im_html_height($4, $6) + 0.8),
		round(344 * 0.76 / $3, 1),
		greatest(@extschema@.im_html_height($4 + $5, $6) - @extschema@.im_html_height($4, $6), 0.8), $7) END
$$;
COMMENT ON FUNCTION @extschema@.im_html_bar(text, bigint, integer, numeric, numeric, numeric, text) IS
'A bar of the nth of so many days, from base on; what is above 0 can be seen.';

CREATE FUNCTION @extschema@.im_html_bars(chart @extschema@.im_html_chart, top numeric, peak bigint) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT string_agg(
		coalesce(@extschema@.im_html_bar(
			CASE WHEN ($1).style = 'left' THEN 'class="left"'
				WHEN ($1).style = 'split' THEN 'class="packs"'
				WHEN d.n = $3 THEN 'class="peak"'
				WHEN d.counts THEN 'class="day"'
				ELSE format('class="not" fill="url(#%s-not)"', ($1).key) END,
			d.n, cardinality(($1).days), 0, d.low, $2,
			@extschema@.im_html_date(d.day) || ': ' || @extschema@.im_html_number(d.low)), '')
		|| coalesce(@extschema@.im_html_bar(format('class="postpaid" fill="url(#%s-postpaid)"', ($1).key),
			d.n, cardinality(($1).days), d.low, d.high, $2,
			@extschema@.im_html_date(d.day) || ': ' || @extschema@.im_html_number(d.high)), ''),
		'' ORDER BY d.n)
	FROM unnest(($1).days, ($1).low, ($1).high, ($1).counts) WITH ORDINALITY d(day, low, high, counts, n)
$$;
COMMENT ON FUNCTION @extschema@.im_html_bars(@extschema@.im_html_chart, numeric, bigint) IS
'The bars of a chart.';

CREATE FUNCTION @extschema@.im_html_peak(chart @extschema@.im_html_chart, top numeric, peak bigint) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('<path class="mark" d="M%s %sl-4 -7h8z"/><text class="mark" x="%s" y="%s" text-anchor="%s">%s</text>',
		x, y - 2, CASE anchor WHEN 'start' THEN x - 5 WHEN 'end' THEN x + 5 ELSE x END, y - 13, anchor,
		@extschema@.im_html_number(($1).low[$3]))
	FROM (SELECT round(50 + 344 * ($3 - 0.5) / cardinality(($1).days), 1) AS x,
				 164 - @extschema@.im_html_height(($1).low[$3], $2) AS y,
				 CASE WHEN $3 * 4 <= cardinality(($1).days) THEN 'start'
					WHEN $3 * 4 >= cardinality(($1).days) * 3 THEN 'end' ELSE 'middle' END AS anchor) p
$$;
COMMENT ON FUNCTION @extschema@.im_html_peak(@extschema@.im_html_chart, numeric, bigint) IS
'The mark on the bar of the peak.';

-- The quota is written above the plot, on the side where the peak is not.
-- One that would flatten the bars is no line, only a note with an arrow.
CREATE FUNCTION @extschema@.im_html_quota(lang text, chart @extschema@.im_html_chart, top numeric, peak bigint) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('<text class="quota" x="%s" y="14" text-anchor="%s">%s %s</text>', x, side,
			CASE WHEN ($2).quota > $3 THEN '&#8593;' ELSE '- -' END,
			format(@extschema@.im_html_word($1, 'chart.quota'), @extschema@.im_html_number(($2).quota)))
		|| CASE WHEN ($2).quota > $3 THEN '' ELSE
			format('<line class="quota" x1="50" x2="394" y1="%1$s" y2="%1$s"/>',
				164 - @extschema@.im_html_height(($2).quota, $3)) END
	FROM (VALUES ('start', 50, true), ('end', 394, false)) q(side, x, late)
	WHERE ($2).quota IS NOT NULL AND q.late = (coalesce($4, 1) * 2 > cardinality(($2).days))
$$;
COMMENT ON FUNCTION @extschema@.im_html_quota(text, @extschema@.im_html_chart, numeric, bigint) IS
'The line of the quota with its value, or a note where it lies far above the bars; null without a quota.';

CREATE FUNCTION @extschema@.im_html_hatches(chart @extschema@.im_html_chart) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	RETURN (SELECT coalesce('<defs>' || string_agg(format('<pattern id="%s-%s" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="%2$s-back" width="5" height="5"/><rect class="%2$s-line" width="2" height="5"/></pattern>',
		(chart).key, p), '') || '</defs>', '')
		FROM unnest(CASE (chart).style WHEN 'peak' THEN ARRAY['not'] WHEN 'split' THEN ARRAY['postpaid'] ELSE '{}' END) p);
COMMENT ON FUNCTION @extschema@.im_html_hatches(@extschema@.im_html_chart) IS
'The hatchings that a chart uses, under ids of its own.';

-- What a chart shows, in a sentence.
CREATE FUNCTION @extschema@.im_html_summary(lang text, chart @extschema@.im_html_chart, peak bigint) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	place text;
	first int;
	last int;
BEGIN
	IF ($2).style = 'split' THEN
		RETURN (SELECT format(@extschema@.im_html_word($1, 'chart.split'), @extschema@.im_html_number(sum(low + high)),
					@extschema@.im_html_number(sum(low)), @extschema@.im_html_number(sum(high)))
				FROM unnest(($2).low, ($2).high) d(low, high));
	ELSIF ($2).style = 'left' THEN
		SELECT min(n), max(n) INTO first, last
		FROM unnest(($2).low) WITH ORDINALITY d(low, n) WHERE low IS NOT NULL;
		RETURN format(@extschema@.im_html_word($1, 'chart.left'),
			@extschema@.im_html_number(($2).low[first]), @extschema@.im_html_date(($2).days[first]),
			@extschema@.im_html_number(($2).low[last]), @extschema@.im_html_date(($2).days[last]));
	ELSIF $3 IS NULL THEN
		RETURN format(@extschema@.im_html_word($1, 'chart.plain'), @extschema@.im_html_word($1, 'chart.no_peak'));
	END IF;
	place := format(@extschema@.im_html_word($1, 'chart.peak'),
		@extschema@.im_html_number(($2).low[$3]), @extschema@.im_html_date(($2).days[$3]));
	RETURN format(@extschema@.im_html_word($1, CASE WHEN ($2).quota IS NULL THEN 'chart.plain'
			WHEN ($2).low[$3] > ($2).quota THEN 'chart.over' ELSE 'chart.within' END),
		place, @extschema@.im_html_number(($2).quota));
END
$$;
COMMENT ON FUNCTION @extschema@.im_html_summary(text, @extschema@.im_html_chart, bigint) IS
'What a chart shows, in a sentence.';

CREATE FUNCTION @extschema@.im_html_legend(lang text, chart @extschema@.im_html_chart, peak bigint) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce('<p class="legend">' || string_agg(format('<span><i class="key %s"></i>%s</span>', k.key,
			@extschema@.im_html_word($1, 'chart.legend.' || k.key)), ' ' ORDER BY k.n) || '</p>', '')
	FROM (VALUES (1, 'peak', ($2).style = 'peak' AND $3 IS NOT NULL),
				 (2, 'counts', ($2).style = 'peak' AND $3 IS NOT NULL),
				 (3, 'not', ($2).style = 'peak' AND EXISTS (
					SELECT FROM unnest(($2).low, ($2).counts) d(low, counts) WHERE low > 0 AND NOT counts)),
				 (4, 'packs', ($2).style = 'split'),
				 (5, 'postpaid', ($2).style = 'split')) k(n, key, shown)
	WHERE k.shown
$$;
COMMENT ON FUNCTION @extschema@.im_html_legend(text, @extschema@.im_html_chart, bigint) IS
'The keys to the bars of a chart.';

-- The first of the highest days that count.
CREATE FUNCTION @extschema@.im_html_peak_day(chart @extschema@.im_html_chart) RETURNS bigint
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT d.n FROM unnest(($1).low, ($1).counts) WITH ORDINALITY d(low, counts, n)
	WHERE ($1).style = 'peak' AND d.counts AND d.low > 0
	ORDER BY d.low DESC, d.n
	LIMIT 1
$$;
COMMENT ON FUNCTION @extschema@.im_html_peak_day(@extschema@.im_html_chart) IS
'The number of the day of the peak; null without one.';

CREATE FUNCTION @extschema@.im_html_figure(lang text, chart @extschema@.im_html_chart) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	highest numeric := (SELECT max(coalesce(low, 0) + coalesce(high, 0)) FROM unnest(($2).low, ($2).high) d(low, high));
	peak bigint := @extschema@.im_html_peak_day($2);
	key text := ($2).key;
	heading text := @extschema@.im_html_word($1, 'chart.' || ($2).key);
	summary text := @extschema@.im_html_summary($1, $2, peak);
	step numeric;
	top numeric;
BEGIN
	-- a quota of more than three times the bars would flatten them
	step := @extschema@.im_html_step(greatest(highest, 1,
		CASE WHEN ($2).quota <= 3 * highest THEN ($2).quota END));
	top := step * greatest(ceil(greatest(highest, CASE WHEN ($2).quota <= 3 * highest THEN ($2).quota END) / step), 1);
	RETURN format('<figure id="chart-%1$s"><figcaption><h3>%2$s</h3><p>%3$s</p></figcaption>'
			'<div class="plot" tabindex="0" role="group" aria-label="%2$s">'
			'<svg viewBox="0 0 400 188" role="img" aria-labelledby="%1$s-title %1$s-desc">'
			'<title id="%1$s-title">%2$s</title><desc id="%1$s-desc">%4$s %3$s</desc>',
			key, heading, summary, format(@extschema@.im_html_word($1, 'chart.desc'), heading))
		|| @extschema@.im_html_hatches($2)
		|| @extschema@.im_html_axes($1, ($2).days, step, top)
		|| @extschema@.im_html_bars($2, top, peak)
		|| coalesce(@extschema@.im_html_quota($1, $2, top, peak), '')
		|| coalesce(@extschema@.im_html_peak($2, top, peak), '')
		|| '</svg></div>' || @extschema@.im_html_legend($1, $2, peak) || '</figure>' || E'\n';
END
$$;
COMMENT ON FUNCTION @extschema@.im_html_figure(text, @extschema@.im_html_chart) IS
'A chart with its heading, what it shows in a sentence, and its keys.';

-- The frame of every page: head, style, nothing from outside.

-- Light and dark follow the reader's system; paper is always light.  Text has
-- a contrast of at least 4.5 to 1 on its ground, marks and lines 3 to 1.
CREATE FUNCTION @extschema@.im_html_style() RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $style$
	SELECT $css$
:root{color-scheme:light dark;--paper:#fff;--ground:#f3f4f6;--ink:#1c2430;--soft:#566173;--rule:#dfe3e8;--strong:#1c2430;--head:#f7f8fa;
--day:#6593cc;--peak:#173f75;--packs:#6593cc;--postpaid:#b4540a;--left:#5c9a77;--not:#8a93a1;--quota:#a8321f;--minus:#a8321f}
@media (prefers-color-scheme:dark){:root{--paper:#171c24;--ground:#0f1319;--ink:#e7eaef;--soft:#a4aebd;--rule:#303845;--strong:#e7eaef;--head:#1e2530;
--day:#4f7cb8;--peak:#a9ccf7;--packs:#4f7cb8;--postpaid:#f0a04b;--left:#4d8f6c;--not:#7d8797;--quota:#ff9d87;--minus:#ff9d87}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--ground);color:var(--ink);font:400 15px/1.5 -apple-system,BlinkMacSystemFont,"Segoe UI",Roboto,"Helvetica Neue","Noto Sans",Arial,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif;font-variant-numeric:tabular-nums lining-nums}
main{max-width:60rem;margin:2rem auto;padding:2.75rem 3rem;background:var(--paper);border:1px solid var(--rule);border-radius:4px}
h1,h2,h3,p,dl,dd,figure{margin:0}
.kicker{color:var(--soft);font-size:.8125rem;letter-spacing:.04em}
h1{font-size:1.75rem;line-height:1.25;font-weight:650;overflow-wrap:anywhere}
h2{font-size:1.0625rem;font-weight:650;margin:2.5rem 0 .75rem}
h3{font-size:.9375rem;font-weight:600}
.top{display:flex;flex-wrap:wrap;gap:1.5rem 3rem;justify-content:space-between;align-items:flex-end;padding-bottom:1.5rem;border-bottom:2px solid var(--strong)}
.top>div:first-child{flex:1 1 18rem;min-width:0}
.total{text-align:right}
.total .sum{font-size:1.75rem;line-height:1.25;font-weight:650;white-space:nowrap}
.total .sum .currency{font-size:1rem;font-weight:500;color:var(--soft);margin-right:.4em}
.facts{display:flex;flex-wrap:wrap;gap:1rem 3rem;margin-top:1.25rem}
dt{color:var(--soft);font-size:.8125rem}
dd{overflow-wrap:anywhere}
.scroll{overflow-x:auto}
.scroll:focus-visible,.plot:focus-visible{outline:2px solid var(--peak);outline-offset:2px}
table{width:100%;border-collapse:collapse}
caption{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
th,td{padding:.5rem .625rem;text-align:left;vertical-align:top;border-bottom:1px solid var(--rule);font-weight:400}
th:first-child,td:first-child{padding-left:0!important}
th:last-child,td:last-child{padding-right:0!important}
thead th{color:var(--soft);font-size:.8125rem;font-weight:500;vertical-align:bottom;border-bottom:1px solid var(--strong)}
.lines th:nth-child(2){width:45%;min-width:15rem}
.n{text-align:right;white-space:nowrap}
.no{color:var(--soft);white-space:nowrap}
time{white-space:nowrap}
.item{font-weight:600}
.option{margin-left:.35em}
.lines .when{margin-top:.125rem}
.why,.when{font-size:.8125rem;line-height:1.45;color:var(--soft);overflow-wrap:anywhere}
.amount{font-weight:600}
.minus{color:var(--minus)}
tfoot th,tfoot td{border-bottom:0;border-top:2px solid var(--strong);font-weight:650}
tfoot tr.round th,tfoot tr.round td{border-top:0;font-weight:400;color:var(--soft);font-size:.8125rem}
tfoot tr.round+tr th,tfoot tr.round+tr td{border-top:2px solid var(--strong)}
.nothing{margin-top:2.5rem;padding:2rem;text-align:center;background:var(--head);border-radius:4px}
.nothing p:first-child{font-weight:600}
.nothing p+p{color:var(--soft)}
.charts{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:2rem 2.5rem}
figcaption p{color:var(--soft);font-size:.8125rem;min-height:2.4em}
.plot{overflow-x:auto}
svg{display:block;width:100%;height:auto}
svg text{font-size:11px;font-family:inherit;fill:var(--soft)}
svg text.mark{fill:var(--ink);font-weight:650}
svg text.quota{fill:var(--quota)}
svg text.mark{paint-order:stroke;stroke:var(--paper);stroke-width:3px;stroke-linejoin:round}
.grid{stroke:var(--rule);stroke-width:1}
.grid.base{stroke:var(--soft)}
line.quota{stroke:var(--quota);stroke-width:1.5;stroke-dasharray:5 3}
rect.day{fill:var(--day)}rect.peak,path.mark{fill:var(--peak)}rect.packs{fill:var(--packs)}
rect.left{fill:var(--left)}
rect.not{stroke:var(--not);stroke-width:.5}
.not-back,.postpaid-line{fill:var(--paper)}.not-line{fill:var(--not)}.postpaid-back{fill:var(--postpaid)}
.legend{display:flex;flex-wrap:wrap;gap:.25rem 1rem;margin-top:.25rem;color:var(--soft);font-size:.8125rem}
.key{display:inline-block;width:.8em;height:.8em;margin-right:.4em;vertical-align:-.04em;border:1px solid var(--not);-webkit-print-color-adjust:exact;print-color-adjust:exact}
.key.peak{background:var(--peak);border-color:var(--peak)}.key.counts,.key.packs{background:var(--day);border-color:var(--day)}
.key.not{background:repeating-linear-gradient(135deg,var(--not) 0 1.5px,var(--paper) 1.5px 4px)}
.key.postpaid{background:repeating-linear-gradient(135deg,var(--postpaid) 0 2.5px,var(--paper) 2.5px 4px);border-color:var(--postpaid)}
.days{font-size:.8125rem}
.days th,.days td{padding-top:.25rem;padding-bottom:.25rem;white-space:nowrap}
.days .highest{font-weight:650}
.tag{margin-right:.4em;padding:0 .35em;border:1px solid var(--peak);border-radius:3px;font-size:.6875rem;font-weight:500;color:var(--peak)}
.bar{display:block;width:100%;height:.6rem;min-width:6rem;margin-top:.45em}
.bar rect{fill:var(--day)}
footer{margin-top:2.5rem;padding-top:1rem;border-top:1px solid var(--rule);color:var(--soft);font-size:.8125rem}
@media (max-width:46rem){
main{margin:0;padding:1.5rem 1.125rem;border:0;border-radius:0}
.total{text-align:left}
.charts{grid-template-columns:minmax(0,1fr)}
figcaption p{min-height:0}
svg text{font-size:12.5px}
.days th,.days td{padding-left:.3rem;padding-right:.3rem}
.lines,.lines tbody,.lines tfoot,.lines tr,.lines th,.lines td{display:block}
.lines thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.lines tr{position:relative;padding:.875rem 0;border-bottom:1px solid var(--rule)}
.lines tbody tr:first-child{border-top:1px solid var(--strong)}
.lines th,.lines td{padding:0;border:0;text-align:left}
.lines .no{display:none}
.lines tbody td.n{display:flex;justify-content:space-between;font-size:.8125rem;color:var(--soft)}
.lines tbody td.n::before{content:attr(data-label)}
.lines tbody td.amount{font-size:.9375rem;color:var(--ink);margin-top:.25rem}
.lines tbody td.minus{color:var(--minus)}
.lines .when{margin-bottom:.375rem}
.lines tbody td.none{display:none}
.lines tbody tr th:nth-child(2){width:auto;min-width:0}
.lines tfoot tr,.lines tfoot tr.round+tr{display:flex;justify-content:space-between;border-bottom:0;border-top:2px solid var(--strong)}
.lines tfoot tr.round{border-top:0;padding-bottom:0}
.lines tfoot th,.lines tfoot td,.lines tfoot tr.round+tr th,.lines tfoot tr.round+tr td{border:0}
}
@page{size:A4;margin:14mm 14mm 16mm;@bottom-right{content:counter(page) " / " counter(pages);font:8pt system-ui,sans-serif;color:#566173}}
@media print{
:root{color-scheme:light;--paper:#fff;--ground:#fff;--ink:#1c2430;--soft:#566173;--rule:#dfe3e8;--strong:#1c2430;--head:#f7f8fa;
--day:#6593cc;--peak:#173f75;--packs:#6593cc;--postpaid:#b4540a;--left:#5c9a77;--not:#8a93a1;--quota:#a8321f;--minus:#a8321f}
html{font-size:12.5px}
body{font-size:.9375rem;background:none}
.facts{gap:.75rem 2rem}
main{max-width:none;margin:0;padding:0;border:0}
.charts{grid-template-columns:repeat(2,minmax(0,1fr))}
svg text{font-size:11px}
.scroll,.plot{overflow:visible}
thead{display:table-header-group}tfoot{display:table-row-group}
tr,figure,.facts,.top{break-inside:avoid}
tfoot tr{break-before:avoid}
h2{break-after:avoid}
.sheet{break-before:page}
.sheet h2{margin-top:0}
}
$css$
$style$;
COMMENT ON FUNCTION @extschema@.im_html_style() IS
'The style sheet of the pages: screen, phone, dark and A4.';

CREATE FUNCTION @extschema@.im_html_page(lang text, title text, body text) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format(
		'<!DOCTYPE html>' || E'\n' || '<html lang="%s">' || E'\n' || '<head>' || E'\n'
		'<meta charset="utf-8">' || E'\n'
		'<meta http-equiv="Content-Security-Policy" content="default-src ''none''; style-src ''unsafe-inline''; img-src data:; base-uri ''none''; form-action ''none''">' || E'\n'
		'<meta name="viewport" content="width=device-width, initial-scale=1">' || E'\n'
		'<meta name="color-scheme" content="light dark">' || E'\n'
		'<meta name="referrer" content="no-referrer">' || E'\n'
		'<link rel="icon" href="data:,">' || E'\n'
		'<title>%s</title>' || E'\n' || '<style>%s</style>' || E'\n' || '</head>' || E'\n'
		'<body>' || E'\n' || '<main>' || E'\n' || '%s</main>' || E'\n' || '</body>' || E'\n' || '</html>',
		@extschema@.im_html_word($1, 'lang'), $2, @extschema@.im_html_style(), $3)
$$;
COMMENT ON FUNCTION @extschema@.im_html_page(text, text, text) IS
'A whole page; its policy allows no script and no request.';

-- im_bill_html(): the bill of an app as a page to read, print and keep.

CREATE FUNCTION @extschema@.im_rebill_days(app_id bigint, month @extschema@.im_month)
	RETURNS TABLE (day date, state text, plan text, counts boolean, dau bigint, groups bigint,
		deductions numeric, deductions_from_packs numeric, deductions_left numeric,
		minutes numeric, minutes_from_packs numeric, minutes_left numeric)
	LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 31
	SET search_path = pg_catalog, pg_temp
	SET jit = off	-- as in im_rebill()
AS $$
#variable_conflict use_column
DECLARE
	first date := $2::date;
	until date := upper($2::daterange);
	book @extschema@.im_price_book := @extschema@.im_price_book(NULL);
	reading @extschema@.im_reading;
BEGIN
	reading := @extschema@.im_reading(first, until, NULL, book, $1);
	RETURN QUERY
	SELECT d.*
	FROM @extschema@.im_gather(first, until, NULL, reading) g,
		@extschema@.im_rate_days(g.app_id, g.card_name, book, g.orders, g.suspensions,
			g.preview, $2, g.since, g.daily, g.logins, g.groups, g.checks,
			g.calls, g.user_days, g.users) d
	WHERE g.app_id = $1;
END
$$;
COMMENT ON FUNCTION @extschema@.im_rebill_days(bigint, @extschema@.im_month) IS
'The days of a month of an app as the tables make them.';

CREATE TYPE @extschema@.im_html_day AS (
	day date,
	state text,
	plan text,
	counts boolean,
	dau bigint,
	groups bigint,
	deductions numeric,
	deductions_from_packs numeric,
	deductions_left numeric,
	minutes numeric,
	minutes_from_packs numeric,
	minutes_left numeric
);
COMMENT ON TYPE @extschema@.im_html_day IS
'A day of a page; internal. The columns are those of im_rebill_days().';
COMMENT ON COLUMN @extschema@.im_html_day.day IS 'The day.';
COMMENT ON COLUMN @extschema@.im_html_day.state IS 'State of the app on it.';
COMMENT ON COLUMN @extschema@.im_html_day.plan IS 'Plan in force, or null.';
COMMENT ON COLUMN @extschema@.im_html_day.counts IS 'Whether it counts towards a peak (R3).';
COMMENT ON COLUMN @extschema@.im_html_day.dau IS 'Distinct users.';
COMMENT ON COLUMN @extschema@.im_html_day.groups IS 'Peak groups.';
COMMENT ON COLUMN @extschema@.im_html_day.deductions IS 'Billed deductions.';
COMMENT ON COLUMN @extschema@.im_html_day.deductions_from_packs IS 'What packs gave of them.';
COMMENT ON COLUMN @extschema@.im_html_day.deductions_left IS 'What moderation packs in force hold at its end; null without any.';
COMMENT ON COLUMN @extschema@.im_html_day.minutes IS 'Billed call minutes.';
COMMENT ON COLUMN @extschema@.im_html_day.minutes_from_packs IS 'What packs gave of them.';
COMMENT ON COLUMN @extschema@.im_html_day.minutes_left IS 'Pack minutes that call packs in force hold at its end; null without any.';

-- Why a line has its amount, in Chinese; the English reason is the line's own.
-- What the sentence says of the amount is tested against the numbers, since
-- a line does not tell an agreed price or a share from the others.
CREATE FUNCTION @extschema@.im_html_why(lang text, line @extschema@.im_bill_line, peak_day date) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	key text;
	plain boolean := ($2).amount = ($2).units * ($2).unit_price;
	used boolean := ($2).due_on = ($2).month + interval '1 month';
BEGIN
	IF $1 <> 'zh' OR ($2).amount IS NULL THEN
		RETURN @extschema@.im_html_text(($2).explanation);
	END IF;
	key := CASE
		-- figures of a note's line are differences, as im_note_lines() says
		WHEN ($2).explanation ~ '^(Issued as|Not issued before:) ' THEN 'why.note'
		WHEN ($2).item = 'refund' THEN 'why.refund'
		WHEN ($2).item = 'plan_upgrade' THEN
			CASE WHEN ($2).amount = greatest(round(($2).unit_price * ($2).quantity * 12 / 365, 2), 0)
				THEN 'why.upgrade' ELSE 'why.upgrade_agreed' END
		WHEN ($2).item IN ('dau_overage', 'mau_overage', 'group_overage') THEN
			CASE WHEN ($2).units = 0 THEN 'why.within' ELSE 'why.over' END
		WHEN ($2).item = 'call_minutes' THEN 'why.minutes'
		WHEN ($2).item = 'moderation' THEN 'why.moderation'
		WHEN ($2).item = 'moderation_pack' THEN CASE WHEN plain THEN 'why.pack' ELSE 'why.pack_agreed' END
		WHEN used THEN 'why.postpaid'
		WHEN plain THEN 'why.prepaid' ELSE 'why.agreed' END;
	RETURN format(@extschema@.im_html_word($1, key),
			@extschema@.im_html_number(($2).quantity),
			@extschema@.im_html_date(lower(($2).period)),
			@extschema@.im_html_date(upper(($2).period) - 1),
			@extschema@.im_html_number(($2).unit_price),
			@extschema@.im_html_text(($2).currency),
			@extschema@.im_html_number(($2).amount),
			@extschema@.im_html_number(($2).included),
			@extschema@.im_html_number(($2).billable),
			@extschema@.im_html_number(($2).units))
		|| CASE WHEN key IN ('why.within', 'why.over') AND peak_day IS NOT NULL THEN
			format(@extschema@.im_html_word($1, 'why.peak'), @extschema@.im_html_date(peak_day)) ELSE '' END
		|| CASE WHEN key IN ('why.over', 'why.postpaid') AND NOT plain THEN
			@extschema@.im_html_word($1, 'why.share') ELSE '' END;
END
$$;
COMMENT ON FUNCTION @extschema@.im_html_why(text, @extschema@.im_bill_line, date) IS
'How the amount of a line came about, in a sentence.';

CREATE FUNCTION @extschema@.im_html_amount(tag text, class text, label text, amount numeric, places integer) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	RETURN format('<%1$s role="cell" class="n amount%2$s%3$s" data-label="%4$s"><data value="%5$s">%6$s</data></%1$s>',
		tag, class, CASE WHEN amount < 0 THEN ' minus' ELSE '' END, label,
		round(amount, greatest(min_scale(amount), places)), @extschema@.im_html_number(amount, places));
COMMENT ON FUNCTION @extschema@.im_html_amount(text, text, text, numeric, integer) IS
'A cell with an amount of money, exact, with at least the places of its currency.';

CREATE FUNCTION @extschema@.im_html_cell(label text, value numeric) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	RETURN format('<td role="cell" class="n%s" data-label="%s">%s</td>', CASE WHEN value IS NULL THEN ' none' ELSE '' END,
		label, @extschema@.im_html_number(value));
COMMENT ON FUNCTION @extschema@.im_html_cell(text, numeric) IS
'A cell with a number; empty for null.';

CREATE FUNCTION @extschema@.im_html_line(lang text, line @extschema@.im_bill_line, places integer, peak_day date) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('<tr role="row"><td role="cell" class="no">%s</td><th role="rowheader" scope="row">'
			'<span class="item">%s</span> <span class="option">%s</span>'
			'<p class="why">%s</p><p class="when">%s</p></th>',
			($2).line, @extschema@.im_html_name($1, 'item.' || ($2).item, ($2).item),
			@extschema@.im_html_item($1, ($2).item, ($2).option),
			@extschema@.im_html_times(@extschema@.im_html_why($1, $2, $4)),
			@extschema@.im_html_times(format(@extschema@.im_html_word($1, 'when'), @extschema@.im_html_date(lower(($2).period)),
				@extschema@.im_html_date(upper(($2).period) - 1), @extschema@.im_html_date(($2).due_on))))
		|| @extschema@.im_html_cell(@extschema@.im_html_word($1, 'quantity'), ($2).quantity)
		|| @extschema@.im_html_cell(@extschema@.im_html_word($1, 'included'), nullif(($2).included, 0))
		|| @extschema@.im_html_cell(@extschema@.im_html_word($1, 'units'), ($2).units)
		|| @extschema@.im_html_cell(@extschema@.im_html_word($1, 'unit_price'), ($2).unit_price)
		|| coalesce(@extschema@.im_html_amount('td', '', @extschema@.im_html_word($1, 'amount'), ($2).amount, $3),
			format('<td role="cell" class="n amount">%s</td>', @extschema@.im_html_word($1, 'no_price')))
		|| '</tr>' || E'\n'
$$;
COMMENT ON FUNCTION @extschema@.im_html_line(text, @extschema@.im_bill_line, integer, date) IS
'A line of a bill as a row of its table.';

CREATE FUNCTION @extschema@.im_html_lines(lang text, lines @extschema@.im_bill_line[], places integer, total numeric,
		dau_day date, group_day date, one_of_several boolean) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	exact numeric := (SELECT sum(b.amount) FROM unnest($2) b);
	currency text := @extschema@.im_html_text(($2[1]).currency);
BEGIN
	RETURN format('<section><h2 id="lines%2$s">%1$s</h2><div class="scroll" tabindex="0" role="region" aria-labelledby="lines%2$s">'
			'<table role="table" class="lines"><caption>%1$s</caption><thead role="rowgroup"><tr role="row">',
			@extschema@.im_html_word($1, 'lines') || CASE WHEN $7 THEN ', ' || currency ELSE '' END,
			CASE WHEN $7 THEN '-' || currency ELSE '' END)
		|| (SELECT string_agg(format('<th role="columnheader" scope="col"%s>%s%s</th>', h.class,
					@extschema@.im_html_word($1, h.key),
					CASE WHEN h.key IN ('unit_price', 'amount') THEN ' (' || currency || ')' ELSE '' END), '' ORDER BY h.n)
			FROM (VALUES (1, 'line', ' class="no"'), (2, 'item', ''), (3, 'quantity', ' class="n"'), (4, 'included', ' class="n"'),
						 (5, 'units', ' class="n"'), (6, 'unit_price', ' class="n"'), (7, 'amount', ' class="n"')) h(n, key, class))
		|| '</tr></thead>' || E'\n' || '<tbody role="rowgroup">'
		|| (SELECT string_agg(@extschema@.im_html_line($1, b, $3,
					CASE b.item WHEN 'dau_overage' THEN $5 WHEN 'group_overage' THEN $6 END), '' ORDER BY b.line)
			FROM unnest($2) b)
		|| '</tbody>' || E'\n' || '<tfoot role="rowgroup">'
		|| CASE WHEN total = exact THEN '' ELSE format('<tr role="row" class="round"><th role="rowheader" scope="row" colspan="6">%s</th>%s</tr>',
			@extschema@.im_html_word($1, 'total.rounding'),
			@extschema@.im_html_amount('td', '', '', total - exact, $3)) END
		|| format('<tr role="row"><th role="rowheader" scope="row" colspan="6">%s</th>%s</tr>',
			format(@extschema@.im_html_word($1, 'total.in'), currency),
			@extschema@.im_html_amount('td', '', '', total, $3))
		|| '</tfoot></table></div></section>' || E'\n';
END
$$;
COMMENT ON FUNCTION @extschema@.im_html_lines(text, @extschema@.im_bill_line[], integer, numeric, date, date, boolean) IS
'The table of the lines of a bill that are in one currency, with their total.';

-- One day a row: only the columns that have a figure in the month.
CREATE FUNCTION @extschema@.im_html_days(lang text, days @extschema@.im_html_day[],
		dau_day date, group_day date) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	has_deductions boolean;
	has_minutes boolean;
	peak text := format('<span class="tag">%s</span> ', @extschema@.im_html_word($1, 'peak'));
BEGIN
	SELECT bool_or(d.deductions > 0 OR d.deductions_left IS NOT NULL), bool_or(d.minutes > 0 OR d.minutes_left IS NOT NULL)
	INTO has_deductions, has_minutes
	FROM unnest($2) d;
	RETURN format('<section class="sheet"><h2 id="days">%s</h2><div class="scroll" tabindex="0" role="region" aria-labelledby="days">'
			'<table class="days"><caption>%1$s</caption><thead><tr>', @extschema@.im_html_word($1, 'days'))
		|| (SELECT string_agg(format('<th scope="col"%s>%s</th>', CASE WHEN h.n > 2 THEN ' class="n"' ELSE '' END,
					@extschema@.im_html_word($1, h.key)), '' ORDER BY h.n)
			FROM (VALUES (1, 'day', true), (2, 'state', true), (3, 'dau', true), (4, 'groups', true),
						 (5, 'deductions', has_deductions), (6, 'packs', has_deductions), (7, 'left', has_deductions),
						 (8, 'minutes', has_minutes), (9, 'packs', has_minutes), (10, 'left', has_minutes)) h(n, key, shown)
			WHERE h.shown)
		|| '</tr></thead>' || E'\n' || '<tbody>'
		|| (SELECT string_agg(format('<tr><th scope="row">%s</th><td>%s</td>', @extschema@.im_html_date(d.day),
					@extschema@.im_html_word($1, 'state.' || d.state))
				|| (SELECT string_agg(format('<td class="n%s">%s%s</td>', CASE WHEN c.highest THEN ' highest' ELSE '' END,
							CASE WHEN c.highest THEN peak ELSE '' END, @extschema@.im_html_number(c.value)), '' ORDER BY c.n)
					FROM (VALUES (3, d.dau::numeric, true, coalesce(d.day = $3, false)),
								 (4, d.groups, true, coalesce(d.day = $4, false)),
								 (5, d.deductions, has_deductions, false), (6, d.deductions_from_packs, has_deductions, false),
								 (7, d.deductions_left, has_deductions, false), (8, d.minutes, has_minutes, false),
								 (9, d.minutes_from_packs, has_minutes, false), (10, d.minutes_left, has_minutes, false)
						) c(n, value, shown, highest)
					WHERE c.shown)
				|| '</tr>', E'\n' ORDER BY d.day)
			FROM unnest($2) d)
		|| '</tbody></table></div></section>' || E'\n';
END
$$;
COMMENT ON FUNCTION @extschema@.im_html_days(text, @extschema@.im_html_day[], date, date) IS
'The table of daily figures of a bill.';

-- Which charts a month has: those with something to draw.
CREATE FUNCTION @extschema@.im_html_charts(lang text, days @extschema@.im_html_day[], dau_quota numeric, group_quota numeric)
	RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(format('<section><h2>%s</h2><div class="charts">', @extschema@.im_html_word($1, 'charts')) || E'\n'
		|| string_agg(@extschema@.im_html_figure($1,
			ROW(c.key, c.style, v.days, c.low, c.high, v.counts, c.quota)::@extschema@.im_html_chart), '' ORDER BY c.n)
		|| '</div></section>' || E'\n', '')
	FROM (SELECT array_agg(d.day ORDER BY d.day) AS days, array_agg(d.counts ORDER BY d.day) AS counts,
				 array_agg(d.dau::numeric ORDER BY d.day) AS dau, array_agg(d.groups::numeric ORDER BY d.day) AS groups,
				 array_agg(d.deductions_from_packs ORDER BY d.day) AS deductions_packs,
				 array_agg(d.deductions - d.deductions_from_packs ORDER BY d.day) AS deductions_rest,
				 array_agg(d.deductions_left ORDER BY d.day) AS deductions_left,
				 array_agg(d.minutes_from_packs ORDER BY d.day) AS minutes_packs,
				 array_agg(d.minutes - d.minutes_from_packs ORDER BY d.day) AS minutes_rest,
				 array_agg(d.minutes_left ORDER BY d.day) AS minutes_left,
				 max(d.dau) > 0 AS has_dau, max(d.groups) > 0 AS has_groups,
				 max(d.deductions) > 0 AS has_deductions, max(d.minutes) > 0 AS has_minutes,
				 count(d.deductions_left) > 0 AS has_deductions_left, count(d.minutes_left) > 0 AS has_minutes_left
		  FROM unnest($2) d) v,
		LATERAL (VALUES
			(1, 'dau', 'peak', v.dau, NULL::numeric[], $3, v.has_dau),
			(2, 'groups', 'peak', v.groups, NULL, $4, v.has_groups),
			(3, 'deductions', 'split', v.deductions_packs, v.deductions_rest, NULL, v.has_deductions),
			(4, 'deductions_left', 'left', v.deductions_left, NULL, NULL, v.has_deductions_left),
			(5, 'minutes', 'split', v.minutes_packs, v.minutes_rest, NULL, v.has_minutes),
			(6, 'minutes_left', 'left', v.minutes_left, NULL, NULL, v.has_minutes_left)
		) c(n, key, style, low, high, quota, shown)
	WHERE c.shown
$$;
COMMENT ON FUNCTION @extschema@.im_html_charts(text, @extschema@.im_html_day[], numeric, numeric) IS
'The charts of a bill.';

CREATE FUNCTION @extschema@.im_html_fact(heading text, fact text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	RETURN format('<div><dt>%s</dt><dd>%s</dd></div>', heading, fact);
COMMENT ON FUNCTION @extschema@.im_html_fact(text, text) IS
'A heading with a fact below it.';

-- What of the total was bought, used and given back.
CREATE FUNCTION @extschema@.im_html_sums(lang text, month date, lines @extschema@.im_bill_line[], places integer) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT string_agg(@extschema@.im_html_fact(s.heading, @extschema@.im_html_number(s.amount, $4)), '' ORDER BY s.n)
	FROM (SELECT k.n, k.heading, sum(b.amount) AS amount
		  FROM unnest($3) b,
			LATERAL (SELECT CASE WHEN b.item = 'refund' THEN 3
				WHEN b.due_on = $2 + interval '1 month' THEN 2 ELSE 1 END AS n) kind,
			LATERAL (VALUES (1, @extschema@.im_html_word($1, 'bought')),
							(2, format(@extschema@.im_html_word($1, 'used'), @extschema@.im_html_date(($2 + interval '1 month')::date))),
							(3, @extschema@.im_html_word($1, 'refunded'))) k(n, heading)
		  WHERE k.n = kind.n
		  GROUP BY k.n, k.heading) s
$$;
COMMENT ON FUNCTION @extschema@.im_html_sums(text, date, @extschema@.im_bill_line[], integer) IS
'The sums of what was bought, used and refunded.';

-- Whether the month is closed for the app, and what was issued.
CREATE FUNCTION @extschema@.im_html_status(lang text, app_id bigint, month date, zone text) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN count(*) = 0 THEN @extschema@.im_html_word($1, 'status.open')
		ELSE format(@extschema@.im_html_word($1, 'status.issued'),
			@extschema@.im_html_date((min(i.issued_at) AT TIME ZONE $4)::date)) END
		|| CASE WHEN count(*) < 2 THEN '' ELSE format(@extschema@.im_html_word($1, 'status.notes'), count(*) - 1) END
	FROM @extschema@.im_invoice i
	WHERE i.app_id = $2 AND i.month = $3
$$;
COMMENT ON FUNCTION @extschema@.im_html_status(text, bigint, date, text) IS
'When the invoice of a month was issued and how many notes followed, or that the bill may still change.';

CREATE TYPE @extschema@.im_html_head AS (
	name text,
	card text,
	card_from date,
	terms jsonb,
	places integer,
	currency text,
	zone text,
	total numeric
);
COMMENT ON TYPE @extschema@.im_html_head IS
'What a page says of an app beside its lines and days; internal.';
COMMENT ON COLUMN @extschema@.im_html_head.name IS 'Its name.';
COMMENT ON COLUMN @extschema@.im_html_head.card IS 'Its price list.';
COMMENT ON COLUMN @extschema@.im_html_head.card_from IS 'First day of the version that rates the month.';
COMMENT ON COLUMN @extschema@.im_html_head.terms IS 'That version.';
COMMENT ON COLUMN @extschema@.im_html_head.places IS 'Decimal places of the currency.';
COMMENT ON COLUMN @extschema@.im_html_head.currency IS 'ISO 4217 code.';
COMMENT ON COLUMN @extschema@.im_html_head.zone IS 'Time zone of its days.';
COMMENT ON COLUMN @extschema@.im_html_head.total IS 'Total of the bill in that currency.';

-- What was issued stands in its own currency, whatever the price list says now.
CREATE FUNCTION @extschema@.im_html_head_of(app_id bigint, month @extschema@.im_month,
		lines @extschema@.im_bill_line[])
	RETURNS @extschema@.im_html_head
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	head @extschema@.im_html_head;
BEGIN
	SELECT a.name, a.rate_card, v.effective_from, v.terms, (v.terms ->> 'scale')::numeric::int,
		coalesce(($3[cardinality($3)]).currency, v.terms ->> 'currency'), v.terms ->> 'time_zone', NULL INTO head
	FROM @extschema@.im_app a
	JOIN @extschema@.im_rate_card_version v ON v.rate_card = a.rate_card
	WHERE a.app_id = $1
	ORDER BY v.effective_from > $2::date, v.effective_from DESC
	LIMIT 1;
	IF EXISTS (SELECT FROM @extschema@.im_invoice i WHERE i.app_id = $1 AND i.month = $2::date) THEN
		head.total := @extschema@.im_monthly_total($1, $2);
		head.places := greatest(head.places, scale(head.total));
	ELSE
		head.total := round(coalesce((SELECT sum(b.amount) FROM unnest($3) b), 0), head.places);
	END IF;
	RETURN head;
END
$$;
COMMENT ON FUNCTION @extschema@.im_html_head_of(bigint, @extschema@.im_month, @extschema@.im_bill_line[]) IS
'App, price list and total of a page.';

-- Lines are in two currencies where an app's price list came to have another one
-- after its month was closed.
CREATE FUNCTION @extschema@.im_html_tables(lang text, app_id bigint, month date, lines @extschema@.im_bill_line[],
		head @extschema@.im_html_head, dau_day date, group_day date) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT string_agg(@extschema@.im_html_lines($1, c.lines, CASE WHEN c.current THEN ($5).places ELSE scale(t.total) END,
			t.total, $6, $7, c.several), '' ORDER BY c.current, c.currency COLLATE "C")
	FROM (SELECT b.currency, b.currency IS NOT DISTINCT FROM ($5).currency AS current,
				 count(*) OVER () > 1 AS several, array_agg(b ORDER BY b.line) AS lines
		  FROM unnest($4) b
		  GROUP BY b.currency) c,
		LATERAL (SELECT CASE WHEN c.current THEN ($5).total ELSE
					(SELECT sum(i.total)
					 FROM @extschema@.im_invoice i
					 WHERE i.app_id = $2 AND i.month = $3 AND i.currency = c.currency) END AS total) t
$$;
COMMENT ON FUNCTION @extschema@.im_html_tables(text, bigint, date, @extschema@.im_bill_line[], @extschema@.im_html_head, date, date) IS
'The lines of a bill: a table for each currency, last the one of its total.';

CREATE FUNCTION @extschema@.im_html_header(lang text, app_id bigint, month date, head @extschema@.im_html_head,
		plan text, lines @extschema@.im_bill_line[]) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('<header><div class="top"><div><p class="kicker">%s</p><h1><bdi>%s</bdi></h1></div>'
			'<div class="total"><p class="kicker">%s</p><p class="sum"><span class="currency">%s</span><data id="total" value="%s">%s</data></p></div></div>',
			format(@extschema@.im_html_word($1, 'bill'),
				format('<time datetime="%s">%s</time>', to_char($3, 'YYYY-MM'), @extschema@.im_html_month($1, $3))),
			@extschema@.im_html_text(($4).name), @extschema@.im_html_word($1, 'total'), @extschema@.im_html_text(($4).currency),
			($4).total, @extschema@.im_html_number(($4).total, ($4).places))
		|| '<dl class="facts">'
		|| @extschema@.im_html_fact(@extschema@.im_html_word($1, 'app_id'), $2::text)
		|| @extschema@.im_html_fact(@extschema@.im_html_word($1, 'plan'),
			coalesce(@extschema@.im_html_name($1, 'plan.' || $5, $5), @extschema@.im_html_word($1, 'plan.none')))
		|| @extschema@.im_html_fact(@extschema@.im_html_word($1, 'card'), format(@extschema@.im_html_word($1, 'card.from'),
			'<bdi>' || @extschema@.im_html_text(($4).card) || '</bdi>', @extschema@.im_html_date(($4).card_from)))
		|| coalesce(@extschema@.im_html_sums($1, $3,
			ARRAY(SELECT b FROM unnest($6) b WHERE b.currency IS NOT DISTINCT FROM ($4).currency), ($4).places), '')
		|| @extschema@.im_html_fact(@extschema@.im_html_word($1, 'status'),
			@extschema@.im_html_status($1, $2, $3, ($4).zone))
		|| '</dl></header>' || E'\n'
$$;
COMMENT ON FUNCTION @extschema@.im_html_header(text, bigint, date, @extschema@.im_html_head, text, @extschema@.im_bill_line[]) IS
'The head of a bill: whose, for when, how much.';

CREATE FUNCTION @extschema@.im_bill_html(app_id bigint, month @extschema@.im_month, lang text DEFAULT 'en')
	RETURNS text
	LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	title text;
	lines @extschema@.im_bill_line[];
	days @extschema@.im_html_day[];
	head @extschema@.im_html_head;
	plan text;
	dau_day date;
	group_day date;
BEGIN
	IF @extschema@.im_guarded('im_bill_html_guarded') THEN
		RETURN @extschema@.im_bill_html_guarded($1, $2, $3);
	END IF;
	title := @extschema@.im_html_month($3, $2::date);
	SELECT array_agg(b ORDER BY b.line) INTO lines FROM @extschema@.im_monthly_bill($1, $2) b;
	SELECT array_agg(ROW(d.*)::@extschema@.im_html_day ORDER BY d.day) INTO days
	FROM @extschema@.im_rebill_days($1, $2) d;
	head := @extschema@.im_html_head_of($1, $2, lines);
	-- on the free plan none is in force, but it has a name
	SELECT coalesce(d.plan, CASE d.state WHEN 'trial' THEN
		(SELECT p.key FROM jsonb_each(head.terms -> 'plans') p WHERE (p.value ->> 'rank')::numeric = 0) END) INTO plan
	FROM unnest(days) d ORDER BY d.counts DESC, d.day DESC LIMIT 1;
	SELECT d.day INTO dau_day FROM unnest(days) d WHERE d.counts AND d.dau > 0 ORDER BY d.dau DESC, d.day LIMIT 1;
	SELECT d.day INTO group_day FROM unnest(days) d WHERE d.counts AND d.groups > 0 ORDER BY d.groups DESC, d.day LIMIT 1;
	RETURN @extschema@.im_html_page($3, format(@extschema@.im_html_word($3, 'bill.title'), @extschema@.im_html_text(head.name), title),
		@extschema@.im_html_header($3, $1, $2::date, head, plan, lines)
		|| CASE WHEN lines IS NULL THEN format('<section class="nothing"><p>%s</p><p>%s</p></section>' || E'\n',
				@extschema@.im_html_word($3, 'nothing'), format(@extschema@.im_html_word($3, 'nothing.note'), title))
			ELSE @extschema@.im_html_tables($3, $1, $2::date, lines, head, dau_day, group_day) END
		|| @extschema@.im_html_charts($3, days,
			(head.terms #>> ARRAY['plans', plan, 'dau', 'included'])::numeric,
			(head.terms #>> ARRAY['plans', plan, 'groups', 'included'])::numeric)
		|| CASE WHEN EXISTS (SELECT FROM unnest(days) d WHERE d.dau > 0 OR d.groups > 0 OR d.deductions > 0 OR d.minutes > 0
					OR d.deductions_left IS NOT NULL OR d.minutes_left IS NOT NULL)
				THEN @extschema@.im_html_days($3, days, dau_day, group_day) ELSE '' END
		|| format('<footer><p>%s</p></footer>' || E'\n',
			format(@extschema@.im_html_word($3, 'note'), @extschema@.im_html_text(head.zone))));
END
$$;
COMMENT ON FUNCTION @extschema@.im_bill_html(bigint, @extschema@.im_month, text) IS
'The bill of an app and month as a self-contained HTML page in English (en) or Chinese (zh): lines with their reasons, total, charts and figures of each day; it prints on A4. No script, no outside resource, every text escaped. Errors: 22023 for another language; else as im_monthly_bill().';

-- im_month_html(): the bills of a month of all apps on one page.

-- A bar as wide as a share of the largest; the number beside it says it too.
CREATE FUNCTION @extschema@.im_html_share(amount numeric, largest numeric) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	RETURN format('<svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true"><rect width="%s" height="6"/></svg>',
		CASE WHEN largest > 0 AND amount > 0 THEN round(100 * amount / largest, 1) ELSE 0 END);
COMMENT ON FUNCTION @extschema@.im_html_share(numeric, numeric) IS
'A bar beside an amount.';

CREATE FUNCTION @extschema@.im_html_heads(lang text, keys text[], numbers integer) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT '<thead><tr>' || string_agg(format('<th scope="col"%s>%s</th>', CASE WHEN k.n >= $3 AND k.key <> 'share' THEN ' class="n"' ELSE '' END,
			@extschema@.im_html_word($1, k.key)), '' ORDER BY k.n) || '</tr></thead>' || E'\n'
	FROM unnest($2) WITH ORDINALITY k(key, n)
$$;
COMMENT ON FUNCTION @extschema@.im_html_heads(text, text[], integer) IS
'The head of a table; columns from the given one on are numbers.';

CREATE FUNCTION @extschema@.im_html_section(id text, heading text, class text, inner_html text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	RETURN format('<section><h2 id="%1$s">%2$s</h2><div class="scroll" tabindex="0" role="region" aria-labelledby="%1$s">'
		'<table class="%3$s"><caption>%2$s</caption>%4$s</table></div></section>', id, heading, class, inner_html) || E'\n';
COMMENT ON FUNCTION @extschema@.im_html_section(text, text, text, text) IS
'A section with a table that scrolls where it is too wide.';

-- What each item came to in a currency.
CREATE FUNCTION @extschema@.im_html_items(lang text, items text[], lines bigint[], amounts numeric[], places integer) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT @extschema@.im_html_heads($1, ARRAY['item', 'lines.count', 'share', 'amount'], 2) || '<tbody>'
		|| string_agg(format('<tr><th scope="row"><span class="item">%s</span></th><td class="n">%s</td><td>%s</td>%s</tr>',
				@extschema@.im_html_name($1, 'item.' || i.item, i.item), @extschema@.im_html_number(i.lines),
				@extschema@.im_html_share(i.amount, (SELECT max(m) FROM unnest($4) m)),
				@extschema@.im_html_amount('td', '', '', i.amount, $5)), E'\n' ORDER BY i.amount DESC, i.item COLLATE "C")
		|| '</tbody>'
	FROM unnest($2, $3, $4) i(item, lines, amount)
$$;
COMMENT ON FUNCTION @extschema@.im_html_items(text, text[], bigint[], numeric[], integer) IS
'A table of what each item came to in a currency: items, their lines and amounts.';

-- The lines of all apps pass through once and are summed; they are too many
-- to be held.
CREATE FUNCTION @extschema@.im_month_html_of(apps bigint[], month @extschema@.im_month, lang text) RETURNS text
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	title text := format(@extschema@.im_html_word($3, 'month.title'), @extschema@.im_html_month($3, $2::date));
	head text;
	bills bigint;
	item_tables text;
	app_rows text;
BEGIN
	WITH sum AS MATERIALIZED (
		SELECT b.app_id, b.currency, b.item, count(*) AS lines, sum(b.amount) AS amount
		FROM @extschema@.im_monthly_bills_of($1, $2) b
		GROUP BY b.app_id, b.currency, b.item),
	total AS MATERIALIZED (
		SELECT t.app_id, t.currency, t.total, scale(t.total) AS places
		FROM @extschema@.im_monthly_totals_of($1, $2) t),
	currency AS (
		SELECT t.currency, sum(t.total) AS total, count(*) AS apps, max(t.places) AS places
		FROM total t
		GROUP BY t.currency),
	item AS (
		SELECT i.currency, array_agg(i.item) AS items, array_agg(i.lines) AS lines, array_agg(i.amount) AS amounts
		FROM (SELECT s.currency, s.item, sum(s.lines)::bigint AS lines, sum(s.amount) AS amount
			  FROM sum s GROUP BY s.currency, s.item) i
		GROUP BY i.currency)
	SELECT sum(c.apps),
		string_agg(format('<p class="sum"><span class="currency">%s</span><data value="%s">%s</data></p>',
			@extschema@.im_html_text(c.currency), c.total, @extschema@.im_html_number(c.total, c.places)), '' ORDER BY c.currency COLLATE "C"),
		string_agg(@extschema@.im_html_section('items-' || c.currency,
			format('%s, %s', @extschema@.im_html_word($3, 'items'), @extschema@.im_html_text(c.currency)),
			'items', @extschema@.im_html_items($3, i.items, i.lines, i.amounts, c.places)), '' ORDER BY c.currency COLLATE "C"),
		(SELECT @extschema@.im_html_heads($3, ARRAY['app', 'app_id', 'currency', 'lines.count', 'total'], 4) || '<tbody>'
				|| string_agg(format('<tr><th scope="row"><bdi>%s</bdi></th><td>%s</td><td>%s</td><td class="n">%s</td>%s</tr>',
					@extschema@.im_html_text(a.name), t.app_id, @extschema@.im_html_text(t.currency),
					@extschema@.im_html_number(l.lines), @extschema@.im_html_amount('td', '', '', t.total, t.places)), E'\n'
					ORDER BY t.currency COLLATE "C", t.total DESC, t.app_id)
				|| '</tbody>'
		 FROM total t
		 JOIN @extschema@.im_app a ON a.app_id = t.app_id
		 JOIN (SELECT s.app_id, s.currency, sum(s.lines)::bigint AS lines FROM sum s GROUP BY s.app_id, s.currency) l
			ON l.app_id = t.app_id AND l.currency = t.currency)
	INTO bills, head, item_tables, app_rows
	FROM currency c
	JOIN item i ON i.currency = c.currency;
	RETURN @extschema@.im_html_page($3, title,
		format('<header><div class="top"><div><p class="kicker">%s</p><h1><time datetime="%s">%s</time></h1></div><div class="total"><p class="kicker">%s</p>%s</div></div></header>' || E'\n',
			format(@extschema@.im_html_word($3, 'apps.count'), coalesce(bills, 0)), to_char($2::date, 'YYYY-MM'), title, @extschema@.im_html_word($3, 'total'), head)
		|| CASE WHEN app_rows IS NULL THEN format('<section class="nothing"><p>%s</p></section>' || E'\n', @extschema@.im_html_word($3, 'nothing'))
			ELSE item_tables || @extschema@.im_html_section('apps', @extschema@.im_html_word($3, 'apps'), 'apps', app_rows) END);
END
$$;
COMMENT ON FUNCTION @extschema@.im_month_html_of(bigint[], @extschema@.im_month, text) IS
'im_month_html() of the given apps; null for all of them.';

CREATE FUNCTION @extschema@.im_month_html(month @extschema@.im_month, lang text DEFAULT 'en') RETURNS text
	LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF @extschema@.im_guarded('im_month_html_guarded') THEN
		RETURN @extschema@.im_month_html_guarded($1, $2);
	END IF;
	PERFORM @extschema@.im_need_tables();
	RETURN @extschema@.im_month_html_of(NULL, $1, $2);
END
$$;
COMMENT ON FUNCTION @extschema@.im_month_html(@extschema@.im_month, text) IS
'The totals of a month of all apps as a self-contained HTML page in English (en) or Chinese (zh): per currency what each item came to, and a row an app. Errors: 22023 for another language; else as im_monthly_bills().';

-- Roles: who may read what, without a grant on a single raw row.
--
-- The tables hold user ids and the rows of all customers, and COPY, which
-- loads them, refuses tables under row security.  So readers and tenants hold
-- no grant on them.  What must read the tables for a caller is a function
-- that im_create_tables() makes from the lists below: it belongs to the owner
-- of the tables, not to the extension, is SECURITY DEFINER with a fixed
-- search_path, and answers the role that asks.
--
-- How a public function im_foo() becomes readable by readers and tenants:
--
-- 1. It is LANGUAGE plpgsql and begins (a scalar: RETURN schema.im_foo_guarded(...)) with
--        IF @extschema@.im_guarded('im_foo_guarded') THEN
--            RETURN QUERY SELECT * FROM @extschema@.im_foo_guarded($1, $2);
--            RETURN;
--        END IF;
--    Who may read the tables goes on below, with rights, plan and speed of
--    its own; readers and tenants are answered by im_foo_guarded().
-- 2. A row in im_guarded_definitions(): name, arguments, result, guard, call.
--    guard app:  the first argument is an app; another customer's app raises
--                the error of an app that does not exist.  The call may be of
--                im_foo() itself: it then runs as the owner of the tables.
--    guard apps: the call takes the variable "apps", the apps that the caller
--                may see, null for all of them: im_foo_of(apps, $1).  With apps
--                it must neither read rows of others nor speak of them in an
--                error: im_gather_of() and im_early_usage_of() see to that.
--    guard none: the same answer for every reader and tenant.
-- 3. Its signature in test/pgtap/roles_routes.sql.
--
-- What changes rows for a closer or a loader is a row of
-- im_function_definitions(): its body runs as the owner of the tables, and
-- EXECUTE is granted to the kinds named and to nobody else.  Body and call had
-- best be no more than a call of a function of the extension: what
-- im_create_tables() made changes only when it runs again.

CREATE FUNCTION @extschema@.im_guarded(function_name text) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION @extschema@.im_guarded(text) IS
'Whether the current role, which may not read all tables, is to be answered by the function of this name that im_create_tables() made, which has to be called next. Error 42501 if a function of this name does not belong to the owner of the tables.';

CREATE FUNCTION @extschema@.im_caller(function_name text) RETURNS oid
	AS 'MODULE_PATHNAME' LANGUAGE C STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION @extschema@.im_caller(text) IS
'The role that im_guarded() sent to the function of this name; the second time, or without im_guarded(), error 42501.';

-- A role sees an app when it has the privileges of the role im_app.tenant.
CREATE FUNCTION @extschema@.im_tenant_apps(caller oid) RETURNS bigint[]
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (
		WITH RECURSIVE granted(role) AS (
			SELECT $1
			UNION
			SELECT m.roleid FROM pg_auth_members m JOIN granted g ON m.member = g.role)
		SELECT coalesce(array_agg(a.app_id ORDER BY a.app_id), '{}')
		FROM @extschema@.im_app a
		WHERE a.tenant = ANY (ARRAY(
			SELECT r.rolname
			FROM granted g
			JOIN pg_roles r ON r.oid = g.role
			WHERE pg_has_role($1, g.role, 'USAGE'))));
END
$$;
COMMENT ON FUNCTION @extschema@.im_tenant_apps(oid) IS
'The apps whose tenant is the role, or one whose privileges it has.';

CREATE FUNCTION @extschema@.im_sees_all(caller oid) RETURNS boolean
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN has_column_privilege($1, '@extschema@.im_role_grant', 'reader', 'REFERENCES');
END
$$;
COMMENT ON FUNCTION @extschema@.im_sees_all(oid) IS
'Whether the role is a reader, itself or through the privileges of another.';

CREATE FUNCTION @extschema@.im_visible_apps(caller oid) RETURNS bigint[]
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN CASE WHEN NOT @extschema@.im_sees_all($1) THEN @extschema@.im_tenant_apps($1) END;
END
$$;
COMMENT ON FUNCTION @extschema@.im_visible_apps(oid) IS
'The apps that the role may ask for; null for all.';

-- Another customer's app and one that does not exist are told by the same
-- line, after the same work.
CREATE FUNCTION @extschema@.im_need_visible(caller oid, app_id bigint) RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NOT $2 = ANY (coalesce(@extschema@.im_visible_apps($1), ARRAY[$2])) THEN
		PERFORM @extschema@.im_raise_no_app($2);
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_need_visible(oid, bigint) IS
'Raises P0002 unless the role may ask for the app, in the words of an app that does not exist.';

-- Set-wise answers of some apps, which touch no row of another one.  A
-- condition on a list of apps does not reach the raw tables through the
-- grouping of each; im_rebill_apps() follows each app instead.
CREATE FUNCTION @extschema@.im_open_among(apps bigint[], month @extschema@.im_month)
	RETURNS bigint[]
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	closed int8multirange := @extschema@.im_closed_apps($2::date);
BEGIN
	RETURN ARRAY(SELECT a FROM unnest($1) a WHERE NOT a <@ closed);
END
$$;
COMMENT ON FUNCTION @extschema@.im_open_among(bigint[], @extschema@.im_month) IS
'Those of the apps that are not closed in the month.';

CREATE FUNCTION @extschema@.im_monthly_bills_of(apps bigint[], month @extschema@.im_month)
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE plpgsql STABLE ROWS 100
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF $1 IS NULL THEN
		RETURN QUERY SELECT * FROM @extschema@.im_monthly_bills($2);
	ELSE
		RETURN QUERY SELECT i.* FROM @extschema@.im_issued_lines($2::date) i WHERE i.app_id = ANY ($1);
		RETURN QUERY SELECT * FROM @extschema@.im_rebill_apps($2, @extschema@.im_open_among($1, $2));
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_monthly_bills_of(bigint[], @extschema@.im_month) IS
'im_monthly_bills() of the given apps; null for all of them.';

CREATE FUNCTION @extschema@.im_monthly_totals_of(apps bigint[], month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, currency text, total numeric)
	LANGUAGE plpgsql STABLE ROWS 100
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	IF $1 IS NULL THEN
		RETURN QUERY SELECT * FROM @extschema@.im_monthly_totals($2);
	ELSE
		RETURN QUERY
		SELECT i.app_id, i.currency, sum(i.total)
		FROM @extschema@.im_invoice i
		WHERE i.app_id = ANY ($1) AND i.month = $2::date
		GROUP BY i.app_id, i.currency;
		RETURN QUERY
		SELECT l.app_id, l.currency, round(sum(l.amount), max(p.scale))
		FROM @extschema@.im_rebill_apps($2, @extschema@.im_open_among($1, $2)) l
		JOIN @extschema@.im_app a ON a.app_id = l.app_id
		JOIN @extschema@.im_cards_in_force($2) p ON p.rate_card = a.rate_card
		GROUP BY l.app_id, l.currency;
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_monthly_totals_of(bigint[], @extschema@.im_month) IS
'im_monthly_totals() of the given apps; null for all of them.';

CREATE FUNCTION @extschema@.im_unbilled_usage_of(apps bigint[], month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, day date, kind text, quantity numeric, reason text)
	LANGUAGE plpgsql STABLE ROWS 100
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	book @extschema@.im_price_book;
BEGIN
	IF $1 IS NULL THEN
		RETURN QUERY SELECT * FROM @extschema@.im_unbilled_usage($2);
		RETURN;
	END IF;
	book := @extschema@.im_price_book(NULL);
	RETURN QUERY
	SELECT l.*
	FROM @extschema@.im_gather_of($1, $2::date, upper($2::daterange), NULL, NULL, NULL) g,
		@extschema@.im_rate_unbilled(g.app_id, g.card_name, book, g.orders, g.suspensions,
			g.preview, $2, g.since, g.daily, g.logins, g.groups, g.checks,
			g.calls, g.user_days, g.users) l;
END
$$;
COMMENT ON FUNCTION @extschema@.im_unbilled_usage_of(bigint[], @extschema@.im_month) IS
'im_unbilled_usage() of the given apps; null for all of them and for those that im_app lacks.';

CREATE FUNCTION @extschema@.im_check_of(apps bigint[], month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, problem text)
	LANGUAGE plpgsql STABLE ROWS 10
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	IF $1 IS NULL THEN
		RETURN QUERY SELECT * FROM @extschema@.im_check($2);
	ELSE
		RETURN QUERY
		SELECT p.app_id, p.problem
		FROM @extschema@.im_problems_of($1, $2) p
		ORDER BY p.app_id, p.problem COLLATE "C";
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_check_of(bigint[], @extschema@.im_month) IS
'im_check() of the given apps; null for all of them.';

CREATE FUNCTION @extschema@.im_apps_of(apps bigint[])
	RETURNS TABLE (app_id bigint, name text, rate_card text, opened_at timestamptz, tenant text)
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	SELECT a.app_id, a.name, a.rate_card, a.opened_at, a.tenant::text
	FROM @extschema@.im_app a
	WHERE a.app_id = ANY ($1) OR $1 IS NULL
	ORDER BY a.app_id;
END
$$;
COMMENT ON FUNCTION @extschema@.im_apps_of(bigint[]) IS
'im_apps() of the given apps; null for all of them.';

CREATE FUNCTION @extschema@.im_apps()
	RETURNS TABLE (app_id bigint, name text, rate_card text, opened_at timestamptz, tenant text)
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM @extschema@.im_need_tables();
	IF @extschema@.im_guarded('im_apps_guarded') THEN
		RETURN QUERY SELECT * FROM @extschema@.im_apps_guarded();
		RETURN;
	END IF;
	RETURN QUERY SELECT * FROM @extschema@.im_apps_of(NULL);
END
$$;
COMMENT ON FUNCTION @extschema@.im_apps() IS
'The apps that the caller may ask for: a tenant''s own, all for others who read bills.';

CREATE FUNCTION @extschema@.im_app_card(app_id bigint, month @extschema@.im_month)
	RETURNS @extschema@.im_rate_card
	LANGUAGE plpgsql STABLE STRICT
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF @extschema@.im_guarded('im_app_card_guarded') THEN
		RETURN @extschema@.im_app_card_guarded($1, $2);
	END IF;
	PERFORM @extschema@.im_need_app($1);
	PERFORM @extschema@.im_need_month($1, $2);
	RETURN (
		SELECT v.terms
		FROM @extschema@.im_app a
		JOIN @extschema@.im_rate_card_version v ON v.rate_card = a.rate_card
		WHERE a.app_id = $1 AND v.effective_from <= $2::date
		ORDER BY v.effective_from DESC
		LIMIT 1)::@extschema@.im_rate_card;
END
$$;
COMMENT ON FUNCTION @extschema@.im_app_card(bigint, @extschema@.im_month) IS
'The version of its rate card that bills a month of an app; im_price_list() shows what it sells. Errors as im_monthly_bill().';

-- The functions that answer readers and tenants, named after the public ones.
CREATE FUNCTION @extschema@.im_guarded_definitions()
	RETURNS TABLE (function_name text, arguments text, result text, guard text, call text)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $list$
	SELECT * FROM (VALUES
			('im_monthly_bill', 'app_id bigint, month @extschema@.im_month', 'SETOF @extschema@.im_bill_line',
				'app', '@extschema@.im_monthly_bill($1, $2)'),
			('im_monthly_total', 'app_id bigint, month @extschema@.im_month', 'numeric',
				'app', '@extschema@.im_monthly_total($1, $2)'),
			('im_preview_bill', 'app_id bigint, month @extschema@.im_month, card @extschema@.im_rate_card',
				'SETOF @extschema@.im_bill_line', 'app', '@extschema@.im_preview_bill($1, $2, $3)'),
			('im_moderation_statement', 'app_id bigint, month @extschema@.im_month',
				'TABLE (day date, service text, text_checks bigint, image_checks bigint,
					audio_half_minutes bigint, video_half_minutes bigint, deductions numeric,
					from_packs numeric, packs jsonb, postpaid numeric, amount numeric)',
				'app', '@extschema@.im_moderation_statement($1, $2)'),
			('im_app_status', 'app_id bigint, at timestamptz', 'text', 'app', '@extschema@.im_app_status($1, $2)'),
			('im_app_card', 'app_id bigint, month @extschema@.im_month', '@extschema@.im_rate_card',
				'app', '@extschema@.im_app_card($1, $2)'),
			('im_monthly_bills', 'month @extschema@.im_month', 'SETOF @extschema@.im_bill_line',
				'apps', '@extschema@.im_monthly_bills_of(apps, $1)'),
			('im_monthly_totals', 'month @extschema@.im_month', 'TABLE (app_id bigint, currency text, total numeric)',
				'apps', '@extschema@.im_monthly_totals_of(apps, $1)'),
			('im_unbilled_usage', 'month @extschema@.im_month',
				'TABLE (app_id bigint, day date, kind text, quantity numeric, reason text)',
				'apps', '@extschema@.im_unbilled_usage_of(apps, $1)'),
			('im_check', 'month @extschema@.im_month', 'TABLE (app_id bigint, problem text)',
				'apps', '@extschema@.im_check_of(apps, $1)'),
			-- the ledger
			('im_rebill', 'app_id bigint, month @extschema@.im_month', 'SETOF @extschema@.im_bill_line',
				'app', '@extschema@.im_rebill($1, $2)'),
			('im_audit', 'app_id bigint, month @extschema@.im_month',
				'TABLE (at timestamptz, event text, amount numeric, currency text, detail text)',
				'app', '@extschema@.im_audit($1, $2)'),
			('im_invoices', 'app_id bigint, month @extschema@.im_month', 'SETOF @extschema@.im_document',
				'app', '@extschema@.im_invoices($1, $2)'),
			('im_drift', 'month @extschema@.im_month', 'TABLE (app_id bigint, issued numeric, rebilled numeric, difference numeric)',
				'apps', '@extschema@.im_drift_of(apps, $1)'),
			-- the counter
			('im_explain', 'app_id bigint, month @extschema@.im_month, line integer',
				'TABLE (ordinal integer, fact text, day date, quantity numeric, amount numeric, note text, source text, detail jsonb)',
				'app', '@extschema@.im_explain($1, $2, $3)'),
			('im_cheapest_plan', 'app_id bigint, month @extschema@.im_month',
				'TABLE (rank integer, plan text, total numeric, currency text, possible boolean, reason text, held boolean, items jsonb)',
				'app', '@extschema@.im_cheapest_plan($1, $2)'),
			('im_running_bill', 'app_id bigint, at timestamptz', 'SETOF @extschema@.im_bill_line',
				'app', '@extschema@.im_running_bill($1, $2)'),
			('im_forecast', 'app_id bigint, at timestamptz',
				'TABLE (month date, currency text, so_far numeric, low numeric, expected numeric, high numeric, method text)',
				'app', '@extschema@.im_forecast($1, $2)'),
			('im_compare_cards', 'month @extschema@.im_month, a @extschema@.im_rate_card, b @extschema@.im_rate_card',
				'TABLE (app_id bigint, total_a numeric, currency_a text, total_b numeric,
					currency_b text, difference numeric, moved jsonb, reason text)',
				'apps', '@extschema@.im_compare_cards_of(apps, $1, $2, $3)'),
			('im_standing', 'month @extschema@.im_month, at timestamptz',
				'TABLE (app_id bigint, kind text, item text, option text, used numeric,
					allowed numeric, day date, today date, problem text)',
				'apps', '@extschema@.im_standing_of(apps, $1, $2)'),
			('im_app_revenue', 'first_month @extschema@.im_month, last_month @extschema@.im_month',
				'TABLE (app_id bigint, month date, item text, option text, currency text,
					billed numeric, earned numeric, deferred numeric)',
				'apps', '@extschema@.im_app_revenue_of(apps, $1, $2)'),
			('im_daily_usage', 'month @extschema@.im_month',
				'TABLE (app_id bigint, day date, status text, plan text, given boolean, dau bigint,
					peak_groups bigint, text_checks bigint, image_checks bigint, audio_half_minutes bigint,
					video_half_minutes bigint, audio_minutes bigint, sd_minutes bigint, hd_minutes bigint,
					fhd_minutes bigint)',
				'apps', '@extschema@.im_daily_usage_of(apps, $1)'),
			('im_billed_months', '', 'TABLE (month date)', 'apps', '@extschema@.im_billed_months_of(apps)'),
			-- pages and reasons
			('im_bill_html', 'app_id bigint, month @extschema@.im_month, lang text', 'text',
				'app', '@extschema@.im_bill_html($1, $2, $3)'),
			('im_month_html', 'month @extschema@.im_month, lang text', 'text',
				'apps', '@extschema@.im_month_html_of(apps, $1, $2)'),
			('im_apps', '', 'TABLE (app_id bigint, name text, rate_card text, opened_at timestamptz, tenant text)',
				'apps', '@extschema@.im_apps_of(apps)'),
			('im_current_card', '', '@extschema@.im_rate_card', 'none', '@extschema@.im_current_card()')
	) AS t(function_name, arguments, result, guard, call)
$list$;
COMMENT ON FUNCTION @extschema@.im_guarded_definitions() IS
'The public functions that readers and tenants may call, and what answers them: a function of the name with _guarded behind it.';

CREATE FUNCTION @extschema@.im_guarded_body(function_name text, result text, guard text, call text)
	RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $list$
	SELECT format($body$
#variable_conflict use_variable
DECLARE
	caller oid := %1$s.im_caller(%2$L);
	%3$s
BEGIN
	%4$s
	%5$s %6$s;
END
$body$, '@extschema@', function_name || '_guarded',
		CASE WHEN guard = 'apps' THEN format('apps bigint[] := %s.im_visible_apps(caller);', '@extschema@') END,
		CASE WHEN guard = 'app' THEN format('PERFORM %s.im_need_visible(caller, $1);', '@extschema@') END,
		CASE WHEN result ~ '^(SETOF|TABLE) ?' THEN 'RETURN QUERY SELECT * FROM' ELSE 'RETURN' END,
		call)
$list$;
COMMENT ON FUNCTION @extschema@.im_guarded_body(text, text, text, text) IS
'The body of a function that answers readers and tenants.';

-- All functions that im_create_tables() makes.  Those that change rows for a
-- role stand here themselves.
CREATE FUNCTION @extschema@.im_function_definitions()
	RETURNS TABLE (function_name text, arguments text, result text, language text,
		volatility text, body text, kinds text[], description text)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $list$
	SELECT g.function_name || '_guarded', g.arguments, g.result, 'plpgsql', 'STABLE',
		@extschema@.im_guarded_body(g.function_name, g.result, g.guard, g.call),
		ARRAY['reader', 'tenant'],
		format('%s() for roles that may not read the tables. It runs with the rights of their owner and is called by %s() alone.',
			g.function_name, g.function_name)
	FROM @extschema@.im_guarded_definitions() g
	UNION ALL
	SELECT * FROM (VALUES
			-- the ledger
			('im_close_batch', 'month @extschema@.im_month, batch integer, run @extschema@.im_run', '@extschema@.im_run', 'sql', 'VOLATILE',
				'SELECT @extschema@.im_close_some($1, $2, $3)', ARRAY['closer'],
				'A batch of im_close_month(): issues invoices with the rights of the owner of the tables.'),
			('im_adjust_batch', 'month @extschema@.im_month, batch integer, run @extschema@.im_run', '@extschema@.im_run', 'sql', 'VOLATILE',
				'SELECT @extschema@.im_adjust_some($1, $2, $3)', ARRAY['closer'],
				'A batch of im_adjust_month(): issues notes with the rights of the owner of the tables.')
	) AS t(function_name, arguments, result, language, volatility, body, kinds, description)
$list$;
COMMENT ON FUNCTION @extschema@.im_function_definitions() IS
'The functions that im_create_tables() makes: owned by the owner of the tables, SECURITY DEFINER, EXECUTE for the kinds of roles named only.';

-- The one role that owns all tables, null if several do.  A function that
-- runs with the rights of one must not read what another may have made a view.
CREATE FUNCTION @extschema@.im_tables_owner() RETURNS name
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (
		SELECT min(pg_get_userbyid(c.relowner))
		FROM @extschema@.im_table_definitions() d
		JOIN pg_class c ON c.oid = to_regclass(format('%s.%I', '@extschema@', d.table_name))
		HAVING count(DISTINCT c.relowner) = 1 AND bool_and(c.relkind IN ('r', 'p')));
END
$$;
COMMENT ON FUNCTION @extschema@.im_tables_owner() IS
'The role that owns the tables of im_create_tables(); null if they belong to several, or one of them is no table.';

-- A table that a newer version adds belongs to the owner of the others, also
-- where an administrator adds it.  A few tables that somebody made beforehand
-- make nobody the owner of what follows.
CREATE FUNCTION @extschema@.im_owner_of_new() RETURNS name
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	first_tables text[] := '{im_rate_card_version,im_app,im_order,im_suspension,im_login,im_group,im_moderation_check,im_call,im_load,im_usage_daily}';
BEGIN
	RETURN CASE
		WHEN EXISTS (SELECT FROM unnest(first_tables) t
					 WHERE to_regclass(format('%s.%I', '@extschema@', t)) IS NULL) THEN current_user
		ELSE coalesce(@extschema@.im_tables_owner(), current_user) END;
END
$$;
COMMENT ON FUNCTION @extschema@.im_owner_of_new() IS
'The role that is to own a table that im_create_tables() adds: the one that owns all that a bill reads, else the current one.';

CREATE FUNCTION @extschema@.im_need_own_function(name text, owner name) RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	other name := (SELECT min(pg_get_userbyid(p.proowner))
				   FROM pg_proc p
				   WHERE p.proname = $1 AND p.pronamespace = '@extschema@'::regnamespace
						AND p.proowner <> (SELECT r.oid FROM pg_roles r WHERE r.rolname = $2));
BEGIN
	IF other IS NOT NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'insufficient_privilege',
			MESSAGE = format('function %s belongs to role "%s"', $1, other),
			DETAIL = format('im_create_tables() makes a function of this name, which belongs to the owner of the tables, "%s".', $2),
			HINT = 'Drop it, or give it to that role with ALTER FUNCTION ... OWNER TO.';
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_need_own_function(text, name) IS
'Raises 42501 if another role has made a function of this name in the extension''s schema.';

-- A result that a newer version changed cannot be replaced.  Messages of the
-- debugging settings would print the owner's plans to the caller.
CREATE FUNCTION @extschema@.im_make_function(name text, arguments text, result text,
		language text, volatility text, body text)
	RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	definition text := format('FUNCTION %s.%I(%s) RETURNS %s LANGUAGE %I %s SECURITY DEFINER
		SET search_path = pg_catalog, pg_temp SET client_min_messages = notice AS %L',
		'@extschema@', $1, $2, $3, $4, $5, $6);
BEGIN
	EXECUTE 'CREATE OR REPLACE ' || definition;
EXCEPTION WHEN invalid_function_definition THEN
	EXECUTE format('DROP FUNCTION IF EXISTS %s.%I(%s)', '@extschema@', $1, $2);
	EXECUTE 'CREATE ' || definition;
END
$$;
COMMENT ON FUNCTION @extschema@.im_make_function(text, text, text, text, text, text) IS
'Creates or replaces a function that runs with the rights of its owner.';

CREATE FUNCTION @extschema@.im_add_functions() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	owner name := @extschema@.im_tables_owner();
	f record;
	signature text;
BEGIN
	IF owner IS NULL THEN
		RAISE WARNING USING
			MESSAGE = 'the tables belong to several roles: no functions are made for readers, tenants and closers',
			DETAIL = 'Such a function runs with the rights of the one owner of all tables.',
			HINT = 'Give the tables to one role with ALTER TABLE ... OWNER TO and call im_create_tables() again.';
		RETURN;
	END IF;
	FOR f IN SELECT * FROM @extschema@.im_function_definitions() LOOP
		PERFORM @extschema@.im_need_own_function(f.function_name, owner);
		PERFORM @extschema@.im_make_function(f.function_name, f.arguments, f.result, f.language,
			f.volatility, f.body);
		signature := format('%s.%I(%s)', '@extschema@', f.function_name, f.arguments);
		EXECUTE format('COMMENT ON FUNCTION %s IS %L', signature, f.description);
		EXECUTE format('ALTER FUNCTION %s DEPENDS ON EXTENSION imbilling', signature);
		EXECUTE format('ALTER FUNCTION %s OWNER TO %I', signature, owner);
	END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.im_add_functions() IS
'Makes the functions of im_function_definitions(), or replaces them. Error 42501 if another role has one of their names.';

-- What a kind of role holds on the tables themselves.  Whether it is a
-- role's kind is told by the table im_role_grant, which has no row: the role
-- has REFERENCES on the column of that name, for which there is no other use.
-- So it follows a renamed or dropped role and a dump, and a DROP EXTENSION
-- takes the functions, but not the knowledge whom to grant them to again.
CREATE FUNCTION @extschema@.im_privilege_definitions()
	RETURNS TABLE (kind text, table_name text, privilege text)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT * FROM (VALUES
			('reader', 'im_role_grant', 'REFERENCES (reader)'),
			('tenant', 'im_role_grant', 'REFERENCES (tenant)'),
			('loader', 'im_role_grant', 'REFERENCES (loader)'),
			('closer', 'im_role_grant', 'REFERENCES (closer)'),
			('reader', 'im_app', 'SELECT'),
			('reader', 'im_rate_card_version', 'SELECT'),
			('reader', 'im_order', 'SELECT'),
			('reader', 'im_suspension', 'SELECT'),
			('reader', 'im_bi_bill_line', 'SELECT'),
			('reader', 'im_bi_bill_total', 'SELECT'),
			('reader', 'im_bi_usage_daily', 'SELECT'),
			('reader', 'im_bi_revenue', 'SELECT'),
			('reader', 'im_bi_order', 'SELECT'),
			('tenant', 'im_bi_bill_line', 'SELECT'),
			('tenant', 'im_bi_bill_total', 'SELECT'),
			('tenant', 'im_bi_usage_daily', 'SELECT'),
			('tenant', 'im_bi_revenue', 'SELECT'),
			-- the ledger
			('reader', 'im_invoice', 'SELECT'),
			('reader', 'im_invoice_line', 'SELECT'),
			('reader', 'im_closing', 'SELECT'),
			('closer', 'im_closing', 'SELECT'),
			('reader', 'im_close_progress', 'SELECT'),
			('closer', 'im_close_progress', 'SELECT'),
			('loader', 'im_load', 'INSERT'),
			('loader', 'im_order', 'INSERT'),
			('loader', 'im_login', 'INSERT'),
			('loader', 'im_group', 'INSERT'),
			('loader', 'im_moderation_check', 'INSERT'),
			('loader', 'im_call', 'INSERT'),
			('loader', 'im_usage_daily', 'INSERT')
	) AS t(kind, table_name, privilege)
$$;
COMMENT ON FUNCTION @extschema@.im_privilege_definitions() IS
'What im_grant() grants on tables, by kind of role.';

CREATE FUNCTION @extschema@.im_grants() RETURNS TABLE (role name, kind text)
	LANGUAGE plpgsql STABLE ROWS 10
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM @extschema@.im_need_tables();
	RETURN QUERY
	SELECT r.rolname, a.attname::text
	FROM pg_attribute a, aclexplode(a.attacl) g
	JOIN pg_roles r ON r.oid = g.grantee
	WHERE a.attrelid = to_regclass('@extschema@.im_role_grant') AND g.privilege_type = 'REFERENCES'
	ORDER BY r.rolname, a.attnum;
END
$$;
COMMENT ON FUNCTION @extschema@.im_grants() IS
'The roles that im_grant() made readers, tenants, loaders and closers.';

-- Grants or revokes all that a kind of role holds, for many roles at once.
CREATE FUNCTION @extschema@.im_change_privileges(command text, kind text, roles name[]) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	names text := (SELECT string_agg(quote_ident(r), ', ') FROM unnest($3) r);
	statement text;
BEGIN
	FOR statement IN
		SELECT format('%s ON TABLE %s.%I', p.privilege, '@extschema@', p.table_name)
		FROM @extschema@.im_privilege_definitions() p
		WHERE p.kind = $2 AND to_regclass(format('%s.%I', '@extschema@', p.table_name)) IS NOT NULL
		UNION ALL
		-- partitions are loaded directly, too
		SELECT format('%s ON TABLE %s', p.privilege, l.partition::regclass)
		FROM @extschema@.im_privilege_definitions() p
		JOIN @extschema@.im_raw_leaves() l ON l.table_name = p.table_name
		JOIN pg_class c ON c.oid = l.partition
		WHERE p.kind = $2 AND pg_has_role(c.relowner, 'USAGE')
		UNION ALL
		SELECT format('EXECUTE ON FUNCTION %s', p.oid::regprocedure)
		FROM @extschema@.im_function_definitions() f
		JOIN pg_proc p ON p.proname = f.function_name
			AND p.pronamespace = '@extschema@'::regnamespace AND p.prosecdef
		WHERE $2 = ANY (f.kinds)
	LOOP
		EXECUTE format('%s %s %s %s', $1, statement, CASE $1 WHEN 'GRANT' THEN 'TO' ELSE 'FROM' END, names);
	END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.im_change_privileges(text, text, name[]) IS
'Executes GRANT or REVOKE of all that a kind of role holds.';

-- What im_create_tables() has just made is nobody's, whatever the default
-- privileges say, but the owner's and those roles' that were granted its kind.
CREATE FUNCTION @extschema@.im_grant_again() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	t record;
BEGIN
	IF @extschema@.im_tables_owner() IS NULL THEN
		RETURN;
	END IF;
	FOR t IN
		SELECT p.oid::regprocedure AS signature,
			string_agg(DISTINCT CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END, ', ') AS names
		FROM @extschema@.im_function_definitions() f
		JOIN pg_proc p ON p.proname = f.function_name
			AND p.pronamespace = '@extschema@'::regnamespace AND p.prosecdef,
			aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) g
		WHERE g.grantee <> p.proowner
		GROUP BY p.oid
	LOOP
		EXECUTE format('REVOKE ALL ON FUNCTION %s FROM %s CASCADE', t.signature, t.names);
	END LOOP;
	FOR t IN
		SELECT g.kind, array_agg(g.role) AS roles FROM @extschema@.im_grants() g GROUP BY g.kind
	LOOP
		PERFORM @extschema@.im_change_privileges('GRANT', t.kind, t.roles);
	END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.im_grant_again() IS
'Grants anew what the roles of im_grants() hold, and takes from others the functions that im_create_tables() makes.';

CREATE FUNCTION @extschema@.im_need_kind(role regrole, kind text) RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	owner name;
BEGIN
	IF to_regclass('@extschema@.im_role_grant') IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'undefined_table',
			MESSAGE = 'the tables of imbilling are not there, or of an older version',
			DETAIL = 'Roles are granted rights on tables and functions that im_create_tables() makes.',
			HINT = 'Call im_create_tables() first.';
	END IF;
	SELECT pg_get_userbyid(c.relowner) INTO owner
	FROM pg_class c WHERE c.oid = '@extschema@.im_role_grant'::regclass;
	IF NOT pg_has_role(owner, 'USAGE') THEN
		RAISE EXCEPTION USING
			ERRCODE = 'insufficient_privilege',
			MESSAGE = format('role "%s" may not grant rights on the tables', current_user),
			DETAIL = format('The tables belong to role "%s".', owner),
			HINT = 'Only their owner says who reads, loads and closes.';
	END IF;
	IF $1 IS NULL OR $2 IS NULL OR NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = $1) THEN
		RAISE EXCEPTION USING
			ERRCODE = CASE WHEN $1 IS NULL OR $2 IS NULL THEN 'null_value_not_allowed' ELSE 'undefined_object' END,
			MESSAGE = format('role %s cannot be a %s', coalesce($1::text, 'null'), coalesce($2, 'kind that is null')),
			DETAIL = 'Rights are granted to a role that exists, by the name of a kind.',
			HINT = 'Give both, as in im_grant(''acme'', ''tenant'').';
	END IF;
	IF $2 NOT IN ('reader', 'tenant', 'loader', 'closer') THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('there is no kind of role "%s"', $2),
			DETAIL = 'A role is a reader, a tenant, a loader or a closer, or several of them.',
			HINT = 'Name one of the four in the singular.';
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_need_kind(regrole, text) IS
'Raises an error unless the caller may grant, the role exists and the kind is one: 42P01, 42501, 22004, 42704, 22023.';

CREATE FUNCTION @extschema@.im_grant(role regrole, kind text) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM @extschema@.im_need_kind($1, $2);
	IF NOT has_schema_privilege($1, '@extschema@'::regnamespace, 'USAGE') THEN
		EXECUTE format('GRANT USAGE ON SCHEMA %s TO %s', '@extschema@', $1);
	END IF;
	PERFORM @extschema@.im_change_privileges('GRANT', $2,
		ARRAY(SELECT r.rolname FROM pg_roles r WHERE r.oid = $1));
END
$$;
COMMENT ON FUNCTION @extschema@.im_grant(regrole, text) IS
'Makes a role a reader (bills and invoices of all apps, no user ids), a tenant (the same for the apps whose im_app.tenant is that role), a loader (COPY and INSERT of usage and orders, reads nothing back) or a closer (closes and adjusts months). Errors: 42501 unless called by the owner of the tables, 22023 for another kind.';

CREATE FUNCTION @extschema@.im_revoke(role regrole, kind text) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	role_name name := (SELECT r.rolname FROM pg_roles r WHERE r.oid = $1);
	other text;
BEGIN
	PERFORM @extschema@.im_need_kind($1, $2);
	PERFORM @extschema@.im_change_privileges('REVOKE', $2, ARRAY[role_name]);
	-- what a kind shares with another that the role keeps
	FOR other IN SELECT g.kind FROM @extschema@.im_grants() g WHERE g.role = role_name LOOP
		PERFORM @extschema@.im_change_privileges('GRANT', other, ARRAY[role_name]);
	END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.im_revoke(regrole, text) IS
'Takes back what im_grant() gave, except USAGE on the schema. Errors as im_grant().';

