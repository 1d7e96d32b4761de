/*
 * im_app_checks: moderation checks of all apps by local day.
 */

CREATE FUNCTION im_internal.im_app_checks_trans(internal, bigint, timestamptz, text, integer, text) RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION im_internal.im_app_checks_trans(internal, bigint, timestamptz, text, integer, text) IS
'Transition function of im_app_checks.';

CREATE FUNCTION im_internal.im_app_checks_combine(internal, internal) RETURNS internal
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION im_internal.im_app_checks_combine(internal, internal) IS
'Combine function of im_app_checks.';

CREATE FUNCTION im_internal.im_app_checks_serial(internal) RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION im_internal.im_app_checks_serial(internal) IS
'Serialization function of im_app_checks; 54000 if a state would pass 1 GB.';

CREATE FUNCTION im_internal.im_app_checks_deserial(bytea, internal) RETURNS internal
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION im_internal.im_app_checks_deserial(bytea, internal) IS
'Deserialization function of im_app_checks.';

CREATE FUNCTION im_internal.im_app_checks_final(internal) RETURNS bigint[]
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION im_internal.im_app_checks_final(internal) IS
'Final function of im_app_checks.';

CREATE AGGREGATE im_internal.im_app_checks(app_id bigint, at timestamptz, kind text, seconds integer, zone text) (
	SFUNC = im_internal.im_app_checks_trans, STYPE = internal, SSPACE = 262144,
	COMBINEFUNC = im_internal.im_app_checks_combine,
	SERIALFUNC = im_internal.im_app_checks_serial, DESERIALFUNC = im_internal.im_app_checks_deserial,
	FINALFUNC = im_internal.im_app_checks_final, FINALFUNC_MODIFY = READ_WRITE,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE im_internal.im_app_checks(bigint, timestamptz, text, integer, text) IS
'Internal: moderation checks of all apps by local day, as one array of six numbers a row: app, day since 2000-01-01, texts, images, half minutes of audio and of video per clock hour, by ascending app and day; null without rows. Holds hash_mem (work_mem times hash_mem_multiplier) in memory and the rest in temporary files. Errors: 22023 for unknown kinds and for seconds negative or missing, 22004 for null arguments but the seconds.';

CREATE FUNCTION im_internal.im_app_checks_rows(checks bigint[])
	RETURNS TABLE (app_id bigint, day date, text_checks bigint, image_checks bigint,
		audio_half_minutes bigint, video_half_minutes bigint)
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION im_internal.im_app_checks_rows(bigint[]) IS
'Internal: a result of im_app_checks as rows. Error 22023 for any other array.';
