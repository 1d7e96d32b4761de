/*
 * im_dau: the exact number of distinct users.
 */

CREATE FUNCTION im_internal.im_dau_transition(internal, anyelement) RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION im_internal.im_dau_transition(internal, anyelement) IS
'Support function of im_dau.';

CREATE FUNCTION im_internal.im_dau_combine(internal, internal) RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION im_internal.im_dau_combine(internal, internal) IS
'Support function of im_dau.';

CREATE FUNCTION im_internal.im_dau_serialize(internal) RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION im_internal.im_dau_serialize(internal) IS
'Support function of im_dau; 54000 if a state would pass 1 GB.';

CREATE FUNCTION im_internal.im_dau_deserialize(bytea, internal) RETURNS internal
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION im_internal.im_dau_deserialize(bytea, internal) IS
'Support function of im_dau.';

CREATE FUNCTION im_internal.im_dau_final(internal) RETURNS bigint
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION im_internal.im_dau_final(internal) IS
'Support function of im_dau.';

CREATE AGGREGATE @extschema@.im_dau(user_id anyelement) (
	SFUNC = im_internal.im_dau_transition,
	STYPE = internal,
	SSPACE = 16384,
	FINALFUNC = im_internal.im_dau_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = im_internal.im_dau_combine,
	SERIALFUNC = im_internal.im_dau_serialize,
	DESERIALFUNC = im_internal.im_dau_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.im_dau(anyelement) IS
'Number of distinct users that are not null, exactly what count(DISTINCT user_id) gives for any type and collation. Holds work_mem times hash_mem_multiplier and puts the rest into temporary files, except as a window function, which holds all. 42883 for types that cannot be compared, 53200 when memory is out, 53400 past temp_file_limit.';

-- For user ids that are text, as ours are: a call of im_dau() with them would
-- be of any other function of that name that takes a text.
CREATE AGGREGATE im_internal.im_login_dau(user_id text) (
	SFUNC = im_internal.im_dau_transition,
	STYPE = internal,
	SSPACE = 16384,
	FINALFUNC = im_internal.im_dau_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = im_internal.im_dau_combine,
	SERIALFUNC = im_internal.im_dau_serialize,
	DESERIALFUNC = im_internal.im_dau_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE im_internal.im_login_dau(text) IS
'im_dau() of texts alone. Errors as im_dau().';
