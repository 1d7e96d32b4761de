/*
 * im_app_dau: the exact numbers of distinct users of all apps of a slice.
 */

CREATE FUNCTION im_internal.im_app_dau_transition(internal, bigint, text) RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION im_internal.im_app_dau_transition(internal, bigint, text) IS
'Support function of im_app_dau.';

CREATE FUNCTION im_internal.im_app_dau_final(internal) RETURNS bigint[]
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION im_internal.im_app_dau_final(internal) IS
'Support function of im_app_dau.';

-- One state for all apps: as large as hash_mem, with temporary files beyond.
-- The planner is told of a day of a hundred thousand users.
CREATE AGGREGATE im_internal.im_app_dau(app_id bigint, user_id text) (
	SFUNC = im_internal.im_app_dau_transition,
	STYPE = internal,
	SSPACE = 4194304,
	FINALFUNC = im_internal.im_app_dau_final,
	FINALFUNC_MODIFY = READ_WRITE,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE im_internal.im_app_dau(bigint, text) IS
'Internal: number of distinct users of each app, exactly as count(DISTINCT user_id) ... GROUP BY app_id, as one array: app, users, app, users ... in ascending order of the apps; users that are null count nothing but name their app; null without rows. Holds hash_mem (work_mem times hash_mem_multiplier) in memory and the rest in temporary files. Error 22004 for a null app.';

CREATE FUNCTION im_internal.im_app_dau_rows(pairs bigint[])
	RETURNS TABLE (app_id bigint, dau bigint)
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION im_internal.im_app_dau_rows(bigint[]) IS
'Internal: a result of im_app_dau as rows. Error 22023 for any other array.';
