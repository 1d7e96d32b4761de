/*
 * im_userset: an exact set of distinct users that can be stored and merged.
 */

CREATE TYPE @extschema@.im_userset;

CREATE FUNCTION im_internal.im_userset_in(cstring) RETURNS @extschema@.im_userset
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION im_internal.im_userset_in(cstring) IS
'Reads a set of users such as {alice,"b, c"}; 22P02 for anything else.';

CREATE FUNCTION im_internal.im_userset_out(@extschema@.im_userset) RETURNS cstring
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION im_internal.im_userset_out(@extschema@.im_userset) IS
'Writes a set of users as a text array is written, in the order of the bytes of their ids.';

CREATE FUNCTION im_internal.im_userset_recv(internal) RETURNS @extschema@.im_userset
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION im_internal.im_userset_recv(internal) IS
'Reads the binary form of a set; 22P03 for bytes that im_userset_send() does not give in this encoding.';

CREATE FUNCTION im_internal.im_userset_send(@extschema@.im_userset) RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION im_internal.im_userset_send(@extschema@.im_userset) IS
'Writes the binary form of a set: its stored bytes, ids in the encoding of the database.';

CREATE TYPE @extschema@.im_userset (
	INPUT = im_internal.im_userset_in,
	OUTPUT = im_internal.im_userset_out,
	RECEIVE = im_internal.im_userset_recv,
	SEND = im_internal.im_userset_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	-- Sets are compact already, and only uncompressed ones can be read in pieces.
	STORAGE = external
);
COMMENT ON TYPE @extschema@.im_userset IS
'An exact set of distinct users, held by their ids; a value takes at most 1 GB. Written as {alice,"b, c"}.';

CREATE FUNCTION im_internal.im_userset_eq(@extschema@.im_userset, @extschema@.im_userset) RETURNS boolean
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION im_internal.im_userset_eq(@extschema@.im_userset, @extschema@.im_userset) IS
'Whether two sets have the same users; implementation of the = operator.';

CREATE FUNCTION im_internal.im_userset_ne(@extschema@.im_userset, @extschema@.im_userset) RETURNS boolean
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION im_internal.im_userset_ne(@extschema@.im_userset, @extschema@.im_userset) IS
'Whether a user is in one of two sets alone; implementation of the <> operator.';

CREATE FUNCTION im_internal.im_userset_hash(@extschema@.im_userset) RETURNS integer
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION im_internal.im_userset_hash(@extschema@.im_userset) IS
'Hash of a set, for GROUP BY and DISTINCT, which compare sets of one hash with =.';

CREATE FUNCTION im_internal.im_userset_hash_extended(@extschema@.im_userset, bigint) RETURNS bigint
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION im_internal.im_userset_hash_extended(@extschema@.im_userset, bigint) IS
'Hash of a set with a seed, for hash partitioning.';

CREATE FUNCTION im_internal.im_userset_union(@extschema@.im_userset, @extschema@.im_userset)
RETURNS @extschema@.im_userset
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION im_internal.im_userset_union(@extschema@.im_userset, @extschema@.im_userset) IS
'The users of either set; implementation of the | operator. 54000 if the result would pass 1 GB.';

CREATE OPERATOR @extschema@.= (
	LEFTARG = @extschema@.im_userset, RIGHTARG = @extschema@.im_userset,
	FUNCTION = im_internal.im_userset_eq,
	COMMUTATOR = OPERATOR(@extschema@.=), NEGATOR = OPERATOR(@extschema@.<>),
	RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
COMMENT ON OPERATOR @extschema@.= (@extschema@.im_userset, @extschema@.im_userset) IS
'Have the same users.';

CREATE OPERATOR @extschema@.<> (
	LEFTARG = @extschema@.im_userset, RIGHTARG = @extschema@.im_userset,
	FUNCTION = im_internal.im_userset_ne,
	COMMUTATOR = OPERATOR(@extschema@.<>), NEGATOR = OPERATOR(@extschema@.=),
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR @extschema@.<> (@extschema@.im_userset, @extschema@.im_userset) IS
'Do not have the same users.';

CREATE OPERATOR @extschema@.| (
	LEFTARG = @extschema@.im_userset, RIGHTARG = @extschema@.im_userset,
	FUNCTION = im_internal.im_userset_union,
	COMMUTATOR = OPERATOR(@extschema@.|)
);
COMMENT ON OPERATOR @extschema@.| (@extschema@.im_userset, @extschema@.im_userset) IS
'Union: the users of either set.';

CREATE OPERATOR CLASS @extschema@.im_userset_hash_ops
DEFAULT FOR TYPE @extschema@.im_userset USING hash AS
	OPERATOR 1 @extschema@.=,
	FUNCTION 1 im_internal.im_userset_hash(@extschema@.im_userset),
	FUNCTION 2 im_internal.im_userset_hash_extended(@extschema@.im_userset, bigint);
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

CREATE FUNCTION im_internal.im_userset_agg_transition(internal, anyelement) RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION im_internal.im_userset_agg_transition(internal, anyelement) IS
'Support function of im_userset_agg.';

CREATE FUNCTION im_internal.im_userset_agg_combine(internal, internal) RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION im_internal.im_userset_agg_combine(internal, internal) IS
'Support function of im_userset_agg.';

CREATE FUNCTION im_internal.im_userset_agg_serialize(internal) RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION im_internal.im_userset_agg_serialize(internal) IS
'Support function of im_userset_agg; 54000 if a state would pass 1 GB.';

CREATE FUNCTION im_internal.im_userset_agg_deserialize(bytea, internal) RETURNS internal
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION im_internal.im_userset_agg_deserialize(bytea, internal) IS
'Support function of im_userset_agg.';

CREATE FUNCTION im_internal.im_userset_agg_final(internal) RETURNS @extschema@.im_userset
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION im_internal.im_userset_agg_final(internal) IS
'Support function of im_userset_agg.';

CREATE AGGREGATE @extschema@.im_userset_agg(user_id anyelement) (
	SFUNC = im_internal.im_userset_agg_transition,
	STYPE = internal,
	SSPACE = 16384,
	FINALFUNC = im_internal.im_userset_agg_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = im_internal.im_userset_agg_combine,
	SERIALFUNC = im_internal.im_userset_agg_serialize,
	DESERIALFUNC = im_internal.im_userset_agg_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.im_userset_agg(anyelement) IS
'The set of all users that are not null, the empty set for none. 0A000 for types and collations whose equal values may have different texts.';

-- For user ids that are text, as ours are: see im_login_dau().
CREATE AGGREGATE im_internal.im_login_users(user_id text) (
	SFUNC = im_internal.im_userset_agg_transition,
	STYPE = internal,
	SSPACE = 16384,
	FINALFUNC = im_internal.im_userset_agg_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = im_internal.im_userset_agg_combine,
	SERIALFUNC = im_internal.im_userset_agg_serialize,
	DESERIALFUNC = im_internal.im_userset_agg_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE im_internal.im_login_users(text) IS
'im_userset_agg() of texts alone. Errors as im_userset_agg().';

-- im_union_agg(userset)

CREATE FUNCTION im_internal.im_union_agg_transition(internal, @extschema@.im_userset) RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION im_internal.im_union_agg_transition(internal, @extschema@.im_userset) IS
'Support function of im_union_agg.';

CREATE FUNCTION im_internal.im_union_agg_combine(internal, internal) RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION im_internal.im_union_agg_combine(internal, internal) IS
'Support function of im_union_agg.';

CREATE FUNCTION im_internal.im_union_agg_serialize(internal) RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION im_internal.im_union_agg_serialize(internal) IS
'Support function of im_union_agg; 54000 if a state would pass 1 GB.';

CREATE FUNCTION im_internal.im_union_agg_deserialize(bytea, internal) RETURNS internal
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION im_internal.im_union_agg_deserialize(bytea, internal) IS
'Support function of im_union_agg.';

CREATE FUNCTION im_internal.im_union_agg_final(internal) RETURNS @extschema@.im_userset
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION im_internal.im_union_agg_final(internal) IS
'Support function of im_union_agg.';

CREATE AGGREGATE @extschema@.im_union_agg(userset @extschema@.im_userset) (
	SFUNC = im_internal.im_union_agg_transition,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = im_internal.im_union_agg_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = im_internal.im_union_agg_combine,
	SERIALFUNC = im_internal.im_union_agg_serialize,
	DESERIALFUNC = im_internal.im_union_agg_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.im_union_agg(@extschema@.im_userset) IS
'The users of all sets that are not null, the empty set for none. 54000 if the result would pass 1 GB.';

COMMENT ON OPERATOR FAMILY @extschema@.im_userset_hash_ops USING hash IS
'Equality of sets of users.';
