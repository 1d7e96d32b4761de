/*
 * im_usage: what one app used, day by day, as one value.
 */

CREATE TYPE im_internal.im_usage;

CREATE FUNCTION im_internal.im_usage_in(cstring) RETURNS im_internal.im_usage
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION im_internal.im_usage_in(cstring) IS
'Reads usage from JSON as im_usage_out() writes it; errors 22P02 for no JSON, 22023 for a key or figure that cannot be.';

CREATE FUNCTION im_internal.im_usage_out(im_internal.im_usage) RETURNS cstring
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION im_internal.im_usage_out(im_internal.im_usage) IS
'Writes usage as JSON: {"since": day, "days": [{"day": ..., "dau": ..., "given": ["dau"], "users": "{a,b}"}], "meters": [{"meter": ..., "day": ..., "quantity": ...}]}; what is 0 or not there is left out.';

CREATE FUNCTION im_internal.im_usage_recv(internal) RETURNS im_internal.im_usage
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION im_internal.im_usage_recv(internal) IS
'Reads the binary form of usage; 22P03 for bytes that im_usage_send() does not give in this encoding.';

CREATE FUNCTION im_internal.im_usage_send(im_internal.im_usage) RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION im_internal.im_usage_send(im_internal.im_usage) IS
'Writes the binary form of usage.';

CREATE TYPE im_internal.im_usage (
	INPUT = im_internal.im_usage_in,
	OUTPUT = im_internal.im_usage_out,
	RECEIVE = im_internal.im_usage_recv,
	SEND = im_internal.im_usage_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = external	-- compact already
);
COMMENT ON TYPE im_internal.im_usage IS
'What one app used: figures by day, which of them the user gave (R11), sets of users, and meters by name (R12); internal. A value takes at most 1 GB.';

CREATE FUNCTION im_internal.im_usage_merge(im_internal.im_usage, im_internal.im_usage) RETURNS im_internal.im_usage
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION im_internal.im_usage_merge(im_internal.im_usage, im_internal.im_usage) IS
'What two values of one app say together, implementation of the + operator; null says nothing. 22003 where a figure of a day is no bigint, 54000 past 1 GB.';

CREATE OPERATOR im_internal.+ (
	LEFTARG = im_internal.im_usage, RIGHTARG = im_internal.im_usage,
	FUNCTION = im_internal.im_usage_merge,
	COMMUTATOR = OPERATOR(im_internal.+)
);
COMMENT ON OPERATOR im_internal.+ (im_internal.im_usage, im_internal.im_usage) IS
'Metered figures and sets of users of one day add up, and what was given hides what was metered; of two that were given the larger stands.';

CREATE AGGREGATE im_internal.im_usage_sum(usage im_internal.im_usage) (
	SFUNC = im_internal.im_usage_merge, STYPE = im_internal.im_usage,
	COMBINEFUNC = im_internal.im_usage_merge,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE im_internal.im_usage_sum(im_internal.im_usage) IS
'Internal: several values of one app as one; null without any.';

CREATE FUNCTION im_internal.im_usage_from(usage im_internal.im_usage, since date) RETURNS im_internal.im_usage
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION im_internal.im_usage_from(im_internal.im_usage, date) IS
'Usage that is known from a day on, without the days before it but those of meters by name; usage null: nothing was used.';

CREATE FUNCTION im_internal.im_usage_days(usage im_internal.im_usage)
	RETURNS TABLE (day date, dau bigint, peak_groups bigint, text_checks bigint, image_checks bigint,
		audio_half_minutes bigint, video_half_minutes bigint, audio_minutes bigint, sd_minutes bigint,
		hd_minutes bigint, fhd_minutes bigint)
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 31 AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION im_internal.im_usage_days(im_internal.im_usage) IS
'The days of usage as rows, given or metered.';
