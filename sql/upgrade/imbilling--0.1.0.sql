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
	'input of im_month: 2024-03 or 2024-03-17; raises 22007 for other text, 22008 for what no calendar has';

CREATE FUNCTION @extschema@.im_month_out(@extschema@.im_month) RETURNS cstring
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_out(@extschema@.im_month) IS
	'output of im_month: 2024-03';

CREATE FUNCTION @extschema@.im_month_recv(internal) RETURNS @extschema@.im_month
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_recv(internal) IS
	'binary input of im_month: months since 2000-01; raises 22P03 out of range';

CREATE FUNCTION @extschema@.im_month_send(@extschema@.im_month) RETURNS bytea
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_send(@extschema@.im_month) IS
	'binary output of im_month: months since 2000-01, four bytes';

CREATE TYPE @extschema@.im_month (
	INPUT = @extschema@.im_month_in,
	OUTPUT = @extschema@.im_month_out,
	RECEIVE = @extschema@.im_month_recv,
	SEND = @extschema@.im_month_send,
	LIKE = pg_catalog.int4
);
COMMENT ON TYPE @extschema@.im_month IS
	'billing month, 0001-01 through 9999-12; text 2024-03, a date stands for its month';

CREATE FUNCTION @extschema@.im_month_from_date(date) RETURNS @extschema@.im_month
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_from_date(date) IS
	'month that a date lies in; raises 22008 for infinite dates and years outside 1 to 9999';

CREATE FUNCTION @extschema@.im_month_to_date(@extschema@.im_month) RETURNS date
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_to_date(@extschema@.im_month) IS
	'first day of a month';

CREATE FUNCTION @extschema@.im_month_to_daterange(@extschema@.im_month) RETURNS daterange
	LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE
	RETURN pg_catalog.daterange(
		@extschema@.im_month_to_date($1),
		CAST(@extschema@.im_month_to_date($1) OPERATOR(pg_catalog.+) interval '1 month' AS date));
COMMENT ON FUNCTION @extschema@.im_month_to_daterange(@extschema@.im_month) IS
	'days of a month: from its first day up to, and without, the first of the next';

CREATE CAST (date AS @extschema@.im_month)
	WITH FUNCTION @extschema@.im_month_from_date(date) AS IMPLICIT;
COMMENT ON CAST (date AS @extschema@.im_month) IS 'month that a date lies in';

CREATE CAST (@extschema@.im_month AS date)
	WITH FUNCTION @extschema@.im_month_to_date(@extschema@.im_month) AS ASSIGNMENT;
COMMENT ON CAST (@extschema@.im_month AS date) IS 'first day of a month';

CREATE CAST (@extschema@.im_month AS daterange)
	WITH FUNCTION @extschema@.im_month_to_daterange(@extschema@.im_month) AS ASSIGNMENT;
COMMENT ON CAST (@extschema@.im_month AS daterange) IS 'days of a month';

/* order */

CREATE FUNCTION @extschema@.im_month_eq(@extschema@.im_month, @extschema@.im_month) RETURNS boolean
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_eq(@extschema@.im_month, @extschema@.im_month) IS
	'implementation of the = operator of im_month';

CREATE FUNCTION @extschema@.im_month_ne(@extschema@.im_month, @extschema@.im_month) RETURNS boolean
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_ne(@extschema@.im_month, @extschema@.im_month) IS
	'implementation of the <> operator of im_month';

CREATE FUNCTION @extschema@.im_month_lt(@extschema@.im_month, @extschema@.im_month) RETURNS boolean
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_lt(@extschema@.im_month, @extschema@.im_month) IS
	'implementation of the < operator of im_month';

CREATE FUNCTION @extschema@.im_month_le(@extschema@.im_month, @extschema@.im_month) RETURNS boolean
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_le(@extschema@.im_month, @extschema@.im_month) IS
	'implementation of the <= operator of im_month';

CREATE FUNCTION @extschema@.im_month_gt(@extschema@.im_month, @extschema@.im_month) RETURNS boolean
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_gt(@extschema@.im_month, @extschema@.im_month) IS
	'implementation of the > operator of im_month';

CREATE FUNCTION @extschema@.im_month_ge(@extschema@.im_month, @extschema@.im_month) RETURNS boolean
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_ge(@extschema@.im_month, @extschema@.im_month) IS
	'implementation of the >= operator of im_month';

CREATE FUNCTION @extschema@.im_month_cmp(@extschema@.im_month, @extschema@.im_month) RETURNS integer
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_cmp(@extschema@.im_month, @extschema@.im_month) IS
	'less than, equal to, greater than: -1, 0, 1';

CREATE FUNCTION @extschema@.im_month_sortsupport(internal) RETURNS void
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_sortsupport(internal) IS
	'sort support of im_month';

CREATE FUNCTION @extschema@.im_month_hash(@extschema@.im_month) RETURNS integer
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_hash(@extschema@.im_month) IS
	'hash of a month';

CREATE FUNCTION @extschema@.im_month_hash_extended(@extschema@.im_month, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_hash_extended(@extschema@.im_month, bigint) IS
	'hash of a month with a seed';

CREATE OPERATOR @extschema@.= (
	LEFTARG = @extschema@.im_month, RIGHTARG = @extschema@.im_month,
	FUNCTION = @extschema@.im_month_eq,
	COMMUTATOR = OPERATOR(@extschema@.=), NEGATOR = OPERATOR(@extschema@.<>),
	HASHES, MERGES, RESTRICT = pg_catalog.eqsel, JOIN = pg_catalog.eqjoinsel
);
COMMENT ON OPERATOR @extschema@.= (@extschema@.im_month, @extschema@.im_month) IS 'equal';

CREATE OPERATOR @extschema@.<> (
	LEFTARG = @extschema@.im_month, RIGHTARG = @extschema@.im_month,
	FUNCTION = @extschema@.im_month_ne,
	COMMUTATOR = OPERATOR(@extschema@.<>), NEGATOR = OPERATOR(@extschema@.=),
	RESTRICT = pg_catalog.neqsel, JOIN = pg_catalog.neqjoinsel
);
COMMENT ON OPERATOR @extschema@.<> (@extschema@.im_month, @extschema@.im_month) IS 'not equal';

CREATE OPERATOR @extschema@.< (
	LEFTARG = @extschema@.im_month, RIGHTARG = @extschema@.im_month,
	FUNCTION = @extschema@.im_month_lt,
	COMMUTATOR = OPERATOR(@extschema@.>), NEGATOR = OPERATOR(@extschema@.>=),
	RESTRICT = pg_catalog.scalarltsel, JOIN = pg_catalog.scalarltjoinsel
);
COMMENT ON OPERATOR @extschema@.< (@extschema@.im_month, @extschema@.im_month) IS 'earlier';

CREATE OPERATOR @extschema@.<= (
	LEFTARG = @extschema@.im_month, RIGHTARG = @extschema@.im_month,
	FUNCTION = @extschema@.im_month_le,
	COMMUTATOR = OPERATOR(@extschema@.>=), NEGATOR = OPERATOR(@extschema@.>),
	RESTRICT = pg_catalog.scalarlesel, JOIN = pg_catalog.scalarlejoinsel
);
COMMENT ON OPERATOR @extschema@.<= (@extschema@.im_month, @extschema@.im_month) IS 'earlier or equal';

CREATE OPERATOR @extschema@.> (
	LEFTARG = @extschema@.im_month, RIGHTARG = @extschema@.im_month,
	FUNCTION = @extschema@.im_month_gt,
	COMMUTATOR = OPERATOR(@extschema@.<), NEGATOR = OPERATOR(@extschema@.<=),
	RESTRICT = pg_catalog.scalargtsel, JOIN = pg_catalog.scalargtjoinsel
);
COMMENT ON OPERATOR @extschema@.> (@extschema@.im_month, @extschema@.im_month) IS 'later';

CREATE OPERATOR @extschema@.>= (
	LEFTARG = @extschema@.im_month, RIGHTARG = @extschema@.im_month,
	FUNCTION = @extschema@.im_month_ge,
	COMMUTATOR = OPERATOR(@extschema@.<=), NEGATOR = OPERATOR(@extschema@.<),
	RESTRICT = pg_catalog.scalargesel, JOIN = pg_catalog.scalargejoinsel
);
COMMENT ON OPERATOR @extschema@.>= (@extschema@.im_month, @extschema@.im_month) IS 'later or equal';

/* arithmetic */

CREATE FUNCTION @extschema@.im_month_plus(@extschema@.im_month, integer) RETURNS @extschema@.im_month
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_plus(@extschema@.im_month, integer) IS
	'month so many months later; raises 22008 out of range';

CREATE FUNCTION @extschema@.im_month_plus_commuted(integer, @extschema@.im_month) RETURNS @extschema@.im_month
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_plus_commuted(integer, @extschema@.im_month) IS
	'month so many months later; raises 22008 out of range';

CREATE FUNCTION @extschema@.im_month_minus(@extschema@.im_month, integer) RETURNS @extschema@.im_month
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_minus(@extschema@.im_month, integer) IS
	'month so many months earlier; raises 22008 out of range';

CREATE FUNCTION @extschema@.im_month_distance(@extschema@.im_month, @extschema@.im_month) RETURNS integer
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_distance(@extschema@.im_month, @extschema@.im_month) IS
	'months from the second to the first';

CREATE OPERATOR @extschema@.+ (
	LEFTARG = @extschema@.im_month, RIGHTARG = integer,
	FUNCTION = @extschema@.im_month_plus,
	COMMUTATOR = OPERATOR(@extschema@.+)
);
COMMENT ON OPERATOR @extschema@.+ (@extschema@.im_month, integer) IS 'so many months later';

CREATE OPERATOR @extschema@.+ (
	LEFTARG = integer, RIGHTARG = @extschema@.im_month,
	FUNCTION = @extschema@.im_month_plus_commuted,
	COMMUTATOR = OPERATOR(@extschema@.+)
);
COMMENT ON OPERATOR @extschema@.+ (integer, @extschema@.im_month) IS 'so many months later';

CREATE OPERATOR @extschema@.- (
	LEFTARG = @extschema@.im_month, RIGHTARG = integer,
	FUNCTION = @extschema@.im_month_minus
);
COMMENT ON OPERATOR @extschema@.- (@extschema@.im_month, integer) IS 'so many months earlier';

CREATE OPERATOR @extschema@.- (
	LEFTARG = @extschema@.im_month, RIGHTARG = @extschema@.im_month,
	FUNCTION = @extschema@.im_month_distance
);
COMMENT ON OPERATOR @extschema@.- (@extschema@.im_month, @extschema@.im_month) IS 'months from the second to the first';

CREATE FUNCTION @extschema@.im_month_in_range(@extschema@.im_month, @extschema@.im_month, integer, boolean, boolean) RETURNS boolean
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_in_range(@extschema@.im_month, @extschema@.im_month, integer, boolean, boolean) IS
	'window frames RANGE BETWEEN so many months PRECEDING or FOLLOWING';

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
COMMENT ON OPERATOR CLASS @extschema@.im_month_ops USING btree IS 'order of months';

CREATE OPERATOR CLASS @extschema@.im_month_ops
	DEFAULT FOR TYPE @extschema@.im_month USING hash AS
	OPERATOR 1 @extschema@.=,
	FUNCTION 1 @extschema@.im_month_hash(@extschema@.im_month),
	FUNCTION 2 @extschema@.im_month_hash_extended(@extschema@.im_month, bigint);
COMMENT ON OPERATOR CLASS @extschema@.im_month_ops USING hash IS 'equality of months';

/* earliest and latest */

CREATE FUNCTION @extschema@.im_month_smaller(@extschema@.im_month, @extschema@.im_month) RETURNS @extschema@.im_month
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_smaller(@extschema@.im_month, @extschema@.im_month) IS
	'the earlier of two months';

CREATE FUNCTION @extschema@.im_month_larger(@extschema@.im_month, @extschema@.im_month) RETURNS @extschema@.im_month
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month_larger(@extschema@.im_month, @extschema@.im_month) IS
	'the later of two months';

CREATE AGGREGATE @extschema@.min(@extschema@.im_month) (
	SFUNC = @extschema@.im_month_smaller, STYPE = @extschema@.im_month,
	COMBINEFUNC = @extschema@.im_month_smaller,
	SORTOP = OPERATOR(@extschema@.<),
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.min(@extschema@.im_month) IS 'earliest month';

CREATE AGGREGATE @extschema@.max(@extschema@.im_month) (
	SFUNC = @extschema@.im_month_larger, STYPE = @extschema@.im_month,
	COMBINEFUNC = @extschema@.im_month_larger,
	SORTOP = OPERATOR(@extschema@.>),
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.max(@extschema@.im_month) IS 'latest month';

COMMENT ON OPERATOR FAMILY @extschema@.im_month_ops USING btree IS 'order of months';
COMMENT ON OPERATOR FAMILY @extschema@.im_month_ops USING hash IS 'equality of months';

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
'have the same users';

CREATE OPERATOR @extschema@.<> (
	LEFTARG = @extschema@.im_userset, RIGHTARG = @extschema@.im_userset,
	FUNCTION = @extschema@.im_userset_ne,
	COMMUTATOR = OPERATOR(@extschema@.<>), NEGATOR = OPERATOR(@extschema@.=),
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR @extschema@.<> (@extschema@.im_userset, @extschema@.im_userset) IS
'do not have the same users';

CREATE OPERATOR @extschema@.| (
	LEFTARG = @extschema@.im_userset, RIGHTARG = @extschema@.im_userset,
	FUNCTION = @extschema@.im_userset_union,
	COMMUTATOR = OPERATOR(@extschema@.|)
);
COMMENT ON OPERATOR @extschema@.| (@extschema@.im_userset, @extschema@.im_userset) IS
'union: the users of either set';

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
'equality of sets of users';

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
'Number of distinct users that are not null, exactly what count(DISTINCT user_id) gives for any type and collation. 42883 for types that cannot be compared, 53200 when memory is out.';


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
	'local day of an instant, as (at AT TIME ZONE zone)::date; infinite for infinite instants; raises 22023 for a zone that is not in pg_timezone_names';

CREATE FUNCTION @extschema@.im_month(at timestamptz, zone text) RETURNS @extschema@.im_month
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_month(timestamptz, text) IS
	'local month of an instant; raises 22008 for infinite instants, 22023 for a zone that is not in pg_timezone_names';

/* im_peak_groups */

CREATE FUNCTION @extschema@.im_peak_groups_trans(internal, timestamptz, timestamptz, timestamptz, timestamptz) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_peak_groups_trans(internal, timestamptz, timestamptz, timestamptz, timestamptz) IS 'transition function of im_peak_groups';
CREATE FUNCTION @extschema@.im_peak_groups_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_peak_groups_combine(internal, internal) IS 'combine function of im_peak_groups';
CREATE FUNCTION @extschema@.im_peak_groups_serial(internal) RETURNS bytea
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_peak_groups_serial(internal) IS 'serialization function of im_peak_groups';
CREATE FUNCTION @extschema@.im_peak_groups_deserial(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_peak_groups_deserial(bytea, internal) IS 'deserialization function of im_peak_groups';
CREATE FUNCTION @extschema@.im_peak_groups_final(internal) RETURNS bigint
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_peak_groups_final(internal) IS 'final function of im_peak_groups';

CREATE AGGREGATE @extschema@.im_peak_groups(created_at timestamptz, disbanded_at timestamptz, since timestamptz, until timestamptz) (
	SFUNC = @extschema@.im_peak_groups_trans, STYPE = internal, SSPACE = 4096,
	COMBINEFUNC = @extschema@.im_peak_groups_combine,
	SERIALFUNC = @extschema@.im_peak_groups_serial, DESERIALFUNC = @extschema@.im_peak_groups_deserial,
	FINALFUNC = @extschema@.im_peak_groups_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.im_peak_groups(timestamptz, timestamptz, timestamptz, timestamptz) IS
	'most groups existing at one moment of [since, until); a group exists from its creation, included, until it is disbanded, excluded; rows of two nulls count as no group; 0 without rows; raises 22023 for a group disbanded before it was created and for a window that is reversed or changes within a group';

CREATE FUNCTION @extschema@.im_moderation_deductions_trans(internal, @extschema@.im_rate_card, text, timestamptz, integer) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_moderation_deductions_trans(internal, @extschema@.im_rate_card, text, timestamptz, integer) IS 'transition function of im_moderation_deductions';
CREATE FUNCTION @extschema@.im_moderation_deductions_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_moderation_deductions_combine(internal, internal) IS 'combine function of im_moderation_deductions';
CREATE FUNCTION @extschema@.im_moderation_deductions_serial(internal) RETURNS bytea
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_moderation_deductions_serial(internal) IS 'serialization function of im_moderation_deductions';
CREATE FUNCTION @extschema@.im_moderation_deductions_deserial(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_moderation_deductions_deserial(bytea, internal) IS 'deserialization function of im_moderation_deductions';
CREATE FUNCTION @extschema@.im_moderation_deductions_final(internal) RETURNS numeric
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_moderation_deductions_final(internal) IS 'final function of im_moderation_deductions';

CREATE AGGREGATE @extschema@.im_moderation_deductions(card @extschema@.im_rate_card, kind text, at timestamptz, seconds integer) (
	SFUNC = @extschema@.im_moderation_deductions_trans, STYPE = internal, SSPACE = 4096,
	COMBINEFUNC = @extschema@.im_moderation_deductions_combine,
	SERIALFUNC = @extschema@.im_moderation_deductions_serial, DESERIALFUNC = @extschema@.im_moderation_deductions_deserial,
	FINALFUNC = @extschema@.im_moderation_deductions_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.im_moderation_deductions(@extschema@.im_rate_card, text, timestamptz, integer) IS
	'deductions of moderation checks: texts and images by the check, audio and video by whole half minutes of each clock hour, weighed by the coefficients of the card in the time zone of the card; rows without kind and time are ignored; 0 without rows; raises 22023 for unknown kinds, kinds the card has no coefficient for, seconds negative or missing and for cards that differ within a group';

/*
 * Internal: usage of one app by local day, as the bills gather it.  Each gives
 * one flat bigint[] of eleven numbers for every day with any: the day since
 * 2000-01-01, DAU, peak groups, texts, images, half minutes of audio and video
 * checked, call minutes of audio, sd, hd and fhd; null without rows.
 */

CREATE FUNCTION @extschema@.im_usage_agg_trans(internal, bigint, date, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_usage_agg_trans(internal, bigint, date, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint) IS 'transition function of im_usage_agg';
CREATE FUNCTION @extschema@.im_usage_agg_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_usage_agg_combine(internal, internal) IS 'combine function of im_usage_agg';
CREATE FUNCTION @extschema@.im_usage_agg_serial(internal) RETURNS bytea
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_usage_agg_serial(internal) IS 'serialization function of im_usage_agg';
CREATE FUNCTION @extschema@.im_usage_agg_deserial(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_usage_agg_deserial(bytea, internal) IS 'deserialization function of im_usage_agg';
CREATE FUNCTION @extschema@.im_usage_agg_final(internal) RETURNS bigint[]
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_usage_agg_final(internal) IS 'final function of im_usage_agg';

CREATE AGGREGATE @extschema@.im_usage_agg(app_id bigint, day date, dau bigint, peak_groups bigint, text_checks bigint, image_checks bigint, audio_half_minutes bigint, video_half_minutes bigint, audio_minutes bigint, sd_minutes bigint, hd_minutes bigint, fhd_minutes bigint) (
	SFUNC = @extschema@.im_usage_agg_trans, STYPE = internal, SSPACE = 4096,
	COMBINEFUNC = @extschema@.im_usage_agg_combine,
	SERIALFUNC = @extschema@.im_usage_agg_serial, DESERIALFUNC = @extschema@.im_usage_agg_deserial,
	FINALFUNC = @extschema@.im_usage_agg_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.im_usage_agg(bigint, date, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint) IS
	'internal: daily figures of one app as rows of days, null figures are 0, rows of one day are summed; raises 22023 for negative figures and days out of range';

CREATE FUNCTION @extschema@.im_check_days_trans(internal, bigint, timestamptz, text, integer, text, date, date) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_check_days_trans(internal, bigint, timestamptz, text, integer, text, date, date) IS 'transition function of im_check_days';
CREATE FUNCTION @extschema@.im_check_days_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_check_days_combine(internal, internal) IS 'combine function of im_check_days';
CREATE FUNCTION @extschema@.im_check_days_serial(internal) RETURNS bytea
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_check_days_serial(internal) IS 'serialization function of im_check_days';
CREATE FUNCTION @extschema@.im_check_days_deserial(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_check_days_deserial(bytea, internal) IS 'deserialization function of im_check_days';
CREATE FUNCTION @extschema@.im_check_days_final(internal) RETURNS bigint[]
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_check_days_final(internal) IS 'final function of im_check_days';

CREATE AGGREGATE @extschema@.im_check_days(app_id bigint, at timestamptz, kind text, seconds integer, zone text, first_day date, last_day date) (
	SFUNC = @extschema@.im_check_days_trans, STYPE = internal, SSPACE = 4096,
	COMBINEFUNC = @extschema@.im_check_days_combine,
	SERIALFUNC = @extschema@.im_check_days_serial, DESERIALFUNC = @extschema@.im_check_days_deserial,
	FINALFUNC = @extschema@.im_check_days_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.im_check_days(bigint, timestamptz, text, integer, text, date, date) IS
	'internal: moderation checks of one app by local day, half minutes of audio and video per clock hour; rows of other days are ignored; raises 22023 for unknown kinds and for seconds negative or missing';

CREATE FUNCTION @extschema@.im_call_days_trans(internal, bigint, timestamptz, text, integer, text, date, date) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_call_days_trans(internal, bigint, timestamptz, text, integer, text, date, date) IS 'transition function of im_call_days';
CREATE FUNCTION @extschema@.im_call_days_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_call_days_combine(internal, internal) IS 'combine function of im_call_days';
CREATE FUNCTION @extschema@.im_call_days_serial(internal) RETURNS bytea
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_call_days_serial(internal) IS 'serialization function of im_call_days';
CREATE FUNCTION @extschema@.im_call_days_deserial(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_call_days_deserial(bytea, internal) IS 'deserialization function of im_call_days';
CREATE FUNCTION @extschema@.im_call_days_final(internal) RETURNS bigint[]
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_call_days_final(internal) IS 'final function of im_call_days';

CREATE AGGREGATE @extschema@.im_call_days(app_id bigint, at timestamptz, class text, seconds integer, zone text, first_day date, last_day date) (
	SFUNC = @extschema@.im_call_days_trans, STYPE = internal, SSPACE = 4096,
	COMBINEFUNC = @extschema@.im_call_days_combine,
	SERIALFUNC = @extschema@.im_call_days_serial, DESERIALFUNC = @extschema@.im_call_days_deserial,
	FINALFUNC = @extschema@.im_call_days_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.im_call_days(bigint, timestamptz, text, integer, text, date, date) IS
	'internal: call minutes of one app by local day and class, started minutes counted; rows of other days are ignored; raises 22023 for unknown classes and for seconds negative or missing';

CREATE FUNCTION @extschema@.im_group_days_trans(internal, bigint, text, timestamptz, timestamptz, text, date, date) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_group_days_trans(internal, bigint, text, timestamptz, timestamptz, text, date, date) IS 'transition function of im_group_days';
CREATE FUNCTION @extschema@.im_group_days_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_group_days_combine(internal, internal) IS 'combine function of im_group_days';
CREATE FUNCTION @extschema@.im_group_days_serial(internal) RETURNS bytea
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_group_days_serial(internal) IS 'serialization function of im_group_days';
CREATE FUNCTION @extschema@.im_group_days_deserial(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_group_days_deserial(bytea, internal) IS 'deserialization function of im_group_days';
CREATE FUNCTION @extschema@.im_group_days_final(internal) RETURNS bigint[]
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.im_group_days_final(internal) IS 'final function of im_group_days';

CREATE AGGREGATE @extschema@.im_group_days(app_id bigint, group_id text, created_at timestamptz, disbanded_at timestamptz, zone text, first_day date, last_day date) (
	SFUNC = @extschema@.im_group_days_trans, STYPE = internal, SSPACE = 8192,
	COMBINEFUNC = @extschema@.im_group_days_combine,
	SERIALFUNC = @extschema@.im_group_days_serial, DESERIALFUNC = @extschema@.im_group_days_deserial,
	FINALFUNC = @extschema@.im_group_days_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.im_group_days(bigint, text, timestamptz, timestamptz, text, date, date) IS
	'internal: most groups of one app existing at one moment of each local day; raises 22023 for a group disbanded before it was created';

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
				 @extschema@.im_usage_since(a.app_id, a.card_name, $4, a.orders, a.suspensions,
					$3 IS NOT NULL, $1::@extschema@.im_month) AS since
		  FROM @extschema@.im_app_accounts($2, $3) a
		  WHERE a.app_id IN (
			SELECT k.app_id
			FROM @extschema@.im_order k
			WHERE k.action = 'buy' AND k.item NOT IN ('plan', 'local_moderation')
				AND k.at < @extschema@.im_utc_midnight($2 + 1))) e
	WHERE e.since < $1
$$;
COMMENT ON FUNCTION @extschema@.im_early_usage(date, date, @extschema@.im_rate_card, @extschema@.im_price_book) IS
'Apps whose packs were in use before the month [first, until), and the day from which their usage must be known to tell what is left of them.';

-- The users of a day that users gave are theirs alone: metered ones are left
-- out on such days, as the metered figures are.
-- A row that was metered (metered_at) is no source: the raw rows are.
-- In what follows early_apps and early_since are what im_early_usage() gives.

CREATE FUNCTION @extschema@.im_gather_daily(first date, until date,
		early_apps bigint[], early_since date[])
	RETURNS TABLE (app_id bigint, daily bigint[], user_days date[], users @extschema@.im_userset[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT d.app_id,
		@extschema@.im_usage_agg(d.app_id, d.day,
			d.dau, d.peak_groups,
			d.text_checks, d.image_checks, d.audio_half_minutes, d.video_half_minutes,
			d.audio_minutes, d.sd_minutes, d.hd_minutes, d.fhd_minutes),
		array_agg(d.day) FILTER (WHERE d.in_month AND d.users IS NOT NULL),
		array_agg(d.users) FILTER (WHERE d.in_month AND d.users IS NOT NULL)
	FROM (
		SELECT u.*, true AS in_month
		FROM @extschema@.im_usage_daily u
		WHERE u.day >= $1 AND u.day < $2 AND u.metered_at IS NULL
		UNION ALL
		SELECT u.*, false
		FROM unnest($3, $4) e(app_id, since)
		JOIN @extschema@.im_usage_daily u
			ON u.app_id = e.app_id AND u.day >= e.since AND u.day < $1 AND u.metered_at IS NULL) d
	GROUP BY d.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_gather_daily(date, date, bigint[], date[]) IS
'The daily figures that users gave, by app.';

CREATE FUNCTION @extschema@.im_gather_logins(first date, until date, card @extschema@.im_rate_card)
	RETURNS TABLE (app_id bigint, logins bigint[], user_days date[], users @extschema@.im_userset[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT d.app_id,
		@extschema@.im_usage_agg(d.app_id, d.day,
			CASE WHEN d.prices_mau THEN @extschema@.im_count(d.users) ELSE d.dau END,
			NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
		array_agg(d.day) FILTER (WHERE d.prices_mau AND NOT EXISTS (
			SELECT FROM @extschema@.im_usage_daily u
			WHERE u.app_id = d.app_id AND u.day = d.day AND u.metered_at IS NULL)),
		array_agg(d.users) FILTER (WHERE d.prices_mau AND NOT EXISTS (
			SELECT FROM @extschema@.im_usage_daily u
			WHERE u.app_id = d.app_id AND u.day = d.day AND u.metered_at IS NULL))
	FROM (
		SELECT l.app_id, @extschema@.im_day(l.at, a.time_zone) AS day, a.prices_mau,
			@extschema@.im_dau(l.user_id) FILTER (WHERE NOT a.prices_mau) AS dau,
			@extschema@.im_userset_agg(l.user_id) FILTER (WHERE a.prices_mau) AS users
		FROM @extschema@.im_login l
		JOIN @extschema@.im_app_cards($3) a ON a.app_id = l.app_id
		WHERE l.at >= @extschema@.im_utc_midnight($1 - 1)
			AND l.at < @extschema@.im_utc_midnight($2 + 1)
			AND a.time_zone IS NOT NULL
		GROUP BY l.app_id, a.prices_mau, @extschema@.im_day(l.at, a.time_zone)) d
	WHERE d.day >= $1 AND d.day < $2
	GROUP BY d.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_gather_logins(date, date, @extschema@.im_rate_card) IS
'Distinct users of each day of the month by app: their number, or the sets where the card prices users of the month.';

CREATE FUNCTION @extschema@.im_gather_groups(first date, until date, card @extschema@.im_rate_card)
	RETURNS TABLE (app_id bigint, groups bigint[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT g.app_id,
		@extschema@.im_group_days(g.app_id, g.group_id, g.created_at, g.disbanded_at, a.time_zone,
			$1, $2 - 1)
	FROM @extschema@.im_group g
	JOIN @extschema@.im_app_cards($3) a ON a.app_id = g.app_id
	WHERE g.created_at < @extschema@.im_utc_midnight($2 + 1)
		AND (g.disbanded_at IS NULL
			OR g.disbanded_at >= @extschema@.im_utc_midnight($1 - 1)
			OR g.created_at >= @extschema@.im_utc_midnight($1 - 1))
		AND a.time_zone IS NOT NULL
	GROUP BY g.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_gather_groups(date, date, @extschema@.im_rate_card) IS
'Peak groups of each day of the month by app.';

CREATE FUNCTION @extschema@.im_gather_checks(first date, until date, card @extschema@.im_rate_card,
		early_apps bigint[], early_since date[])
	RETURNS TABLE (app_id bigint, checks bigint[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT m.app_id,
		@extschema@.im_check_days(m.app_id, m.at, m.kind, m.seconds, a.time_zone,
			coalesce(e.since, $1), $2 - 1)
	FROM (
		SELECT k.app_id, k.at, k.kind, k.seconds
		FROM @extschema@.im_moderation_check k
		WHERE k.at >= @extschema@.im_utc_midnight($1 - 1)
			AND k.at < @extschema@.im_utc_midnight($2 + 1)
		UNION ALL
		SELECT k.app_id, k.at, k.kind, k.seconds
		FROM unnest($4, $5) s(app_id, since)
		JOIN @extschema@.im_moderation_check k ON k.app_id = s.app_id
			AND k.at >= @extschema@.im_utc_midnight(s.since - 1)
		WHERE k.at < @extschema@.im_utc_midnight($1 - 1)) m
	JOIN @extschema@.im_app_cards($3) a ON a.app_id = m.app_id
	LEFT JOIN unnest($4, $5) e(app_id, since) ON e.app_id = m.app_id
	WHERE a.time_zone IS NOT NULL
	GROUP BY m.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_gather_checks(date, date, @extschema@.im_rate_card, bigint[], date[]) IS
'Moderation checks of each day by app.';

CREATE FUNCTION @extschema@.im_gather_calls(first date, until date, card @extschema@.im_rate_card,
		early_apps bigint[], early_since date[])
	RETURNS TABLE (app_id bigint, calls bigint[])
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT m.app_id,
		@extschema@.im_call_days(m.app_id, m.at, m.class, m.seconds, a.time_zone,
			coalesce(e.since, $1), $2 - 1)
	FROM (
		SELECT k.app_id, k.at, k.class, k.seconds
		FROM @extschema@.im_call k
		WHERE k.at >= @extschema@.im_utc_midnight($1 - 1)
			AND k.at < @extschema@.im_utc_midnight($2 + 1)
		UNION ALL
		SELECT k.app_id, k.at, k.class, k.seconds
		FROM unnest($4, $5) s(app_id, since)
		JOIN @extschema@.im_call k ON k.app_id = s.app_id
			AND k.at >= @extschema@.im_utc_midnight(s.since - 1)
		WHERE k.at < @extschema@.im_utc_midnight($1 - 1)) m
	JOIN @extschema@.im_app_cards($3) a ON a.app_id = m.app_id
	LEFT JOIN unnest($4, $5) e(app_id, since) ON e.app_id = m.app_id
	WHERE a.time_zone IS NOT NULL
	GROUP BY m.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_gather_calls(date, date, @extschema@.im_rate_card, bigint[], date[]) IS
'Call minutes of each day by app.';

CREATE FUNCTION @extschema@.im_gather(first date, until date, card @extschema@.im_rate_card,
		early_apps bigint[], early_since date[])
	RETURNS TABLE (
		app_id bigint, card_name text, orders @extschema@.im_order_entry[],
		suspensions daterange[], preview boolean,
		since date, daily bigint[], logins bigint[], groups bigint[], checks bigint[],
		calls bigint[], user_days date[], users @extschema@.im_userset[], currency text)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT a.app_id, a.card_name, a.orders, a.suspensions,
		$3 IS NOT NULL, coalesce(e.since, $1),
		d.daily, l.logins, g.groups, m.checks, c.calls,
		CASE WHEN a.prices_mau THEN d.user_days || l.user_days END,
		CASE WHEN a.prices_mau THEN d.users || l.users END,
		a.currency
	FROM @extschema@.im_app_accounts($2, $3) a
	LEFT JOIN unnest($4, $5) e(app_id, since) ON e.app_id = a.app_id
	LEFT JOIN @extschema@.im_gather_daily($1, $2, $4, $5) d ON d.app_id = a.app_id
	LEFT JOIN @extschema@.im_gather_logins($1, $2, $3) l ON l.app_id = a.app_id
	LEFT JOIN @extschema@.im_gather_groups($1, $2, $3) g ON g.app_id = a.app_id
	LEFT JOIN @extschema@.im_gather_checks($1, $2, $3, $4, $5) m ON m.app_id = a.app_id
	LEFT JOIN @extschema@.im_gather_calls($1, $2, $3, $4, $5) c ON c.app_id = a.app_id
$$;
COMMENT ON FUNCTION @extschema@.im_gather(date, date, @extschema@.im_rate_card, bigint[], date[]) IS
'Each app with all values that its bill of the month [first, until) is a function of; with a card given, under that card.';

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
			('im_usage_daily', 'Daily figures of an app; a row of the users is the truth for its day, null figures are 0.')
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
			('im_app', 'tenant', 'name', 'Role of the customer who owns the app.'),
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
			('im_usage_daily', 'day', 'date NOT NULL', 'Day in the time zone of the apps rate card.'),
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
			('im_usage_daily', 'metered_at', 'timestamptz', 'When the extension metered the row; null for rows of users.')
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
			('im_usage_daily', 'im_usage_daily_pkey', 'PRIMARY KEY (app_id, day)')
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
			('im_login', 'im_login_app_id_at_idx', '(app_id, at)'),
			('im_group', 'im_group_app_id_created_at_idx', '(app_id, created_at)'),
			('im_moderation_check', 'im_moderation_check_app_id_at_idx', '(app_id, at)'),
			('im_call', 'im_call_app_id_at_idx', '(app_id, at)')
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
			('im_rate_card_version', 'im_rate_card_version_agree', 'CREATE TRIGGER', 'AFTER INSERT OR UPDATE', 'FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.im_card_versions_agree()')
	) AS t(table_name, trigger_name, command, events, definition)
$$;
COMMENT ON FUNCTION @extschema@.im_trigger_definitions() IS
'The triggers of those tables.';

CREATE FUNCTION @extschema@.im_add_columns() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
	SET client_min_messages = warning
AS $$
DECLARE
	t record;
BEGIN
	FOR t IN SELECT * FROM @extschema@.im_table_definitions() LOOP
		EXECUTE format('CREATE TABLE IF NOT EXISTS %s.%I ()', '@extschema@', t.table_name);
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
		SELECT d.table_name
		FROM @extschema@.im_table_definitions() d
		JOIN pg_class c ON c.oid = format('%s.%I', '@extschema@', d.table_name)::regclass
		WHERE c.relreplident = 'd'
			AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'p')
	LOOP
		EXECUTE format('ALTER TABLE %s.%I REPLICA IDENTITY FULL', '@extschema@', t.table_name);
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
BEGIN
	FOR t IN
		SELECT d.*
		FROM @extschema@.im_trigger_definitions() d
		WHERE NOT EXISTS (
			SELECT FROM pg_trigger g
			WHERE g.tgrelid = format('%s.%I', '@extschema@', d.table_name)::regclass
				AND g.tgname = d.trigger_name)
	LOOP
		EXECUTE format('%s %I %s ON %s.%I %s',
			t.command, t.trigger_name, t.events, '@extschema@', t.table_name, t.definition);
	END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.im_add_triggers() IS
'Adds the triggers that are missing.';

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
'Creates the tables in the extension''s schema, owned by the caller, and fills an empty im_rate_card_version with the bundled cards. Run again it adds what is missing and changes no row. Errors: 42501 without CREATE on the schema, or where the cards would go into a table of another role.';

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

CREATE FUNCTION @extschema@.im_lock_apps(apps bigint[]) RETURNS bigint
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
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
		OR to_regclass('@extschema@.im_rate_card_version') IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'undefined_table',
			MESSAGE = 'the tables of imbilling do not exist yet',
			DETAIL = 'The extension brings none: money records outlive it.',
			HINT = 'Call im_create_tables() first.';
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_need_tables() IS
'Raises 42P01 before im_create_tables() was called.';

CREATE FUNCTION @extschema@.im_need_app(app_id bigint) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM @extschema@.im_need_tables();
	IF NOT EXISTS (SELECT FROM @extschema@.im_app a WHERE a.app_id = $1) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'no_data_found',
			MESSAGE = format('there is no app %s', $1),
			DETAIL = 'im_app has no row of it.',
			HINT = 'Insert the app, or correct the app_id.';
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
-- takes seconds where running it takes milliseconds: no JIT.
CREATE FUNCTION @extschema@.im_rebill(app_id bigint, month @extschema@.im_month,
		card @extschema@.im_rate_card)
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 10
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
DECLARE
	first date := $2::date;
	until date := upper($2::daterange);
	book @extschema@.im_price_book := @extschema@.im_price_book($3);
	apps bigint[];
	since date[];
BEGIN
	PERFORM @extschema@.im_need_app($1);
	IF $3 IS NULL THEN
		PERFORM @extschema@.im_need_month($1, $2);
	END IF;
	SELECT array_agg(e.app_id), array_agg(e.since) INTO apps, since
	FROM @extschema@.im_early_usage(first, until, $3, book) e
	WHERE e.app_id = $1;
	RETURN QUERY
	SELECT l.*
	FROM @extschema@.im_gather(first, until, $3, apps, since) g,
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
	RETURN QUERY SELECT * FROM @extschema@.im_rebill($1, $2, NULL);
END
$$;
COMMENT ON FUNCTION @extschema@.im_monthly_bill(bigint, @extschema@.im_month) IS
'The whole bill of a usage month of one app, a line a row, in the currency of its rate card. Errors: P0002 for an unknown app or a month that no card version covers; 22023 for a raw row that cannot be metered, named; 23514 for an order that the rules forbid.';

CREATE FUNCTION @extschema@.im_preview_bill(app_id bigint, month @extschema@.im_month,
		card @extschema@.im_rate_card)
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 10
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
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

CREATE FUNCTION @extschema@.im_monthly_bills(month @extschema@.im_month)
	RETURNS SETOF @extschema@.im_bill_line
	LANGUAGE plpgsql STABLE STRICT ROWS 100000
	SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_custom_plan
	SET jit = off
AS $$
DECLARE
	first date := $1::date;
	until date := upper($1::daterange);
	book @extschema@.im_price_book := @extschema@.im_price_book(NULL);
	apps bigint[];
	since date[];
	detail text;
BEGIN
	SELECT array_agg(e.app_id), array_agg(e.since) INTO apps, since
	FROM @extschema@.im_early_usage(first, until, NULL, book) e;
	RETURN QUERY
	SELECT l.*
	FROM @extschema@.im_gather(first, until, NULL, apps, since) g,
		@extschema@.im_rate_lines(g.app_id, g.card_name, book, g.orders, g.suspensions,
			g.preview, $1, g.since, g.daily, g.logins, g.groups, g.checks,
			g.calls, g.user_days, g.users) l;
EXCEPTION
	WHEN check_violation OR no_data_found OR data_exception OR program_limit_exceeded THEN
		GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
		PERFORM @extschema@.im_raise_unbillable($1, SQLSTATE, SQLERRM, detail);
END
$$;
COMMENT ON FUNCTION @extschema@.im_monthly_bills(@extschema@.im_month) IS
'The bills of a usage month of every app, set-wise, in no particular order of apps. Raises one error with the number of apps whose bill cannot be right.';

CREATE FUNCTION @extschema@.im_monthly_totals(month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, currency text, total numeric)
	LANGUAGE plpgsql STABLE STRICT ROWS 10000
	SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_custom_plan
	SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	first date := $1::date;
	until date := upper($1::daterange);
	book @extschema@.im_price_book := @extschema@.im_price_book(NULL);
	apps bigint[];
	since date[];
	detail text;
BEGIN
	SELECT array_agg(e.app_id), array_agg(e.since) INTO apps, since
	FROM @extschema@.im_early_usage(first, until, NULL, book) e;
	RETURN QUERY
	SELECT t.app_id, t.currency, t.total
	FROM (SELECT g.app_id, g.currency,
				 @extschema@.im_rate_total(g.app_id, g.card_name, book, g.orders, g.suspensions,
					g.preview, $1, g.since, g.daily, g.logins, g.groups, g.checks,
					g.calls, g.user_days, g.users) AS total
		  FROM @extschema@.im_gather(first, until, NULL, apps, since) g
		  OFFSET 0) t
	WHERE t.total IS NOT NULL;
EXCEPTION
	WHEN check_violation OR no_data_found OR data_exception OR program_limit_exceeded THEN
		GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
		PERFORM @extschema@.im_raise_unbillable($1, SQLSTATE, SQLERRM, detail);
END
$$;
COMMENT ON FUNCTION @extschema@.im_monthly_totals(@extschema@.im_month) IS
'The total of every app that has lines in the month, rounded once half away from zero to the places of its currency (R9). Errors as im_monthly_bills().';

CREATE FUNCTION @extschema@.im_monthly_total(app_id bigint, month @extschema@.im_month)
	RETURNS numeric
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	scale int;
BEGIN
	PERFORM @extschema@.im_need_app($1);
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
'The total of a month of one app, rounded once half away from zero to the places of its currency (R9); 0 without lines. Errors as im_monthly_bill().';

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
	WHERE m.at < @extschema@.im_utc_midnight($2 + 1)
		AND (m.kind NOT IN ('text', 'image', 'audio', 'video') OR m.seconds < 0
			OR m.seconds IS NULL AND m.kind IN ('audio', 'video'))
$$;
COMMENT ON FUNCTION @extschema@.im_bad_checks(date, date) IS
'Rows of im_moderation_check before a day that cannot be metered.';

CREATE FUNCTION @extschema@.im_bad_calls(first date, until date)
	RETURNS TABLE (app_id bigint, at timestamptz, problem text)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT c.app_id, c.at,
		CASE WHEN c.class NOT IN ('audio', 'sd', 'hd', 'fhd')
				THEN format('im_call has the unknown class "%s"', c.class)
			ELSE format('im_call has %s seconds', c.seconds) END
	FROM @extschema@.im_call c
	WHERE c.at < @extschema@.im_utc_midnight($2 + 1)
		AND (c.class NOT IN ('audio', 'sd', 'hd', 'fhd') OR c.seconds < 0)
$$;
COMMENT ON FUNCTION @extschema@.im_bad_calls(date, date) IS
'Rows of im_call before a day that cannot be metered.';

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

CREATE FUNCTION @extschema@.im_bad_events(first date, until date,
		book @extschema@.im_price_book)
	RETURNS TABLE (app_id bigint, problem text)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT b.app_id, format('%s at %s', b.problem,
			to_char(b.at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS"+00"'))
	FROM (SELECT * FROM @extschema@.im_bad_checks($1, $2)
		  UNION ALL SELECT * FROM @extschema@.im_bad_calls($1, $2)
		  UNION ALL SELECT * FROM @extschema@.im_bad_groups($1, $2)) b
	JOIN @extschema@.im_app_cards(NULL) a ON a.app_id = b.app_id
	LEFT JOIN @extschema@.im_early_usage($1, $2, NULL, $3) e ON e.app_id = b.app_id
	WHERE a.time_zone IS NOT NULL
		AND @extschema@.im_day(b.at, a.time_zone) >= coalesce(e.since, $1)
		AND @extschema@.im_day(b.at, a.time_zone) < $2
$$;
COMMENT ON FUNCTION @extschema@.im_bad_events(date, date, @extschema@.im_price_book) IS
'Raw rows that make the bill of the month [first, until) fail, by app.';

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
CREATE FUNCTION @extschema@.im_problems(month @extschema@.im_month)
	RETURNS TABLE (app_id bigint, problem text, fatal boolean)
	LANGUAGE plpgsql STABLE STRICT ROWS 10
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	first date := $1::date;
	until date := upper($1::daterange);
	book @extschema@.im_price_book := @extschema@.im_price_book(NULL);
BEGIN
	RETURN QUERY
	SELECT r.app_id, r.problem, true
	FROM (SELECT a.app_id,
				 @extschema@.im_rate_problem(a.app_id, a.card_name, book, a.orders, a.suspensions, false, $1, first, NULL, NULL, NULL, NULL, NULL, NULL, NULL) AS problem
		  FROM @extschema@.im_app_accounts(until, NULL) a
		  OFFSET 0) r
	WHERE r.problem IS NOT NULL;
	-- alone such a bill fails; among all it is empty as long as nothing was used
	RETURN QUERY
	SELECT a.app_id, format('rate card "%s" has no version in force on %s',
			a.card_name, to_char(first, 'YYYY-MM-DD')),
		EXISTS (SELECT FROM @extschema@.im_usage_apps(first, until) u WHERE u.app_id = a.app_id)
	FROM @extschema@.im_app_accounts(until, NULL) a
	WHERE a.card_from > first AND a.orders IS NULL;
	RETURN QUERY SELECT b.app_id, b.problem, true FROM @extschema@.im_bad_events(first, until, book) b;
	RETURN QUERY SELECT b.app_id, b.problem, true FROM @extschema@.im_bad_days(first, until, book) b;
	RETURN QUERY SELECT o.app_id, o.problem, false FROM @extschema@.im_odd_days(first, until) o;
	RETURN QUERY
	SELECT u.app_id, 'there is usage of this app, but im_app has no row of it'::text, false
	FROM @extschema@.im_usage_apps(first, until) u
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
	RETURN QUERY
	SELECT p.app_id, p.problem
	FROM @extschema@.im_problems($1) p
	ORDER BY p.app_id, p.problem COLLATE "C";
END
$$;
COMMENT ON FUNCTION @extschema@.im_check(@extschema@.im_month) IS
'All that would make a bill of the month fail or mislead, by app: orders that break a rule, days without a card version, plans that the version does not price, raw rows that cannot be metered, daily figures that are negative, lack users or contradict them, usage of no such app. Empty when all is well.';

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
	book @extschema@.im_price_book := @extschema@.im_price_book(NULL);
	apps bigint[];
	sinces date[];
BEGIN
	PERFORM @extschema@.im_need_app($1);
	PERFORM @extschema@.im_need_month($1, $2);
	SELECT array_agg(e.app_id), array_agg(e.since) INTO apps, sinces
	FROM @extschema@.im_early_usage(first, until, NULL, book) e
	WHERE e.app_id = $1;
	RETURN QUERY
	SELECT l.*
	FROM @extschema@.im_gather(first, until, NULL, apps, sinces) g,
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
	book @extschema@.im_price_book := @extschema@.im_price_book(NULL);
BEGIN
	RETURN QUERY
	SELECT l.*
	FROM @extschema@.im_gather(first, until, NULL, NULL, NULL) g,
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

