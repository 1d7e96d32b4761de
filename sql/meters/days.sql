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

CREATE FUNCTION im_internal.im_peak_groups_trans(internal, timestamptz, timestamptz, timestamptz, timestamptz) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_peak_groups_trans(internal, timestamptz, timestamptz, timestamptz, timestamptz) IS 'Transition function of im_peak_groups.';

CREATE FUNCTION im_internal.im_peak_groups_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_peak_groups_combine(internal, internal) IS 'Combine function of im_peak_groups.';

CREATE FUNCTION im_internal.im_peak_groups_serial(internal) RETURNS bytea
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_peak_groups_serial(internal) IS 'Serialization function of im_peak_groups.';

CREATE FUNCTION im_internal.im_peak_groups_deserial(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_peak_groups_deserial(bytea, internal) IS 'Deserialization function of im_peak_groups.';

CREATE FUNCTION im_internal.im_peak_groups_final(internal) RETURNS bigint
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_peak_groups_final(internal) IS 'Final function of im_peak_groups.';

CREATE AGGREGATE @extschema@.im_peak_groups(created_at timestamptz, disbanded_at timestamptz, since timestamptz, until timestamptz) (
	SFUNC = im_internal.im_peak_groups_trans, STYPE = internal, SSPACE = 4096,
	COMBINEFUNC = im_internal.im_peak_groups_combine,
	SERIALFUNC = im_internal.im_peak_groups_serial, DESERIALFUNC = im_internal.im_peak_groups_deserial,
	FINALFUNC = im_internal.im_peak_groups_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.im_peak_groups(timestamptz, timestamptz, timestamptz, timestamptz) IS
	'Most groups existing at one moment of [since, until); a group exists from its creation, included, until it is disbanded, excluded; rows of two nulls count as no group; 0 without rows. Error 22023 for a group disbanded before it was created and for a window that is reversed or changes within a group.';

CREATE FUNCTION im_internal.im_moderation_deductions_trans(internal, @extschema@.im_rate_card, text, timestamptz, integer) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_moderation_deductions_trans(internal, @extschema@.im_rate_card, text, timestamptz, integer) IS 'Transition function of im_moderation_deductions.';

CREATE FUNCTION im_internal.im_moderation_deductions_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_moderation_deductions_combine(internal, internal) IS 'Combine function of im_moderation_deductions.';

CREATE FUNCTION im_internal.im_moderation_deductions_serial(internal) RETURNS bytea
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_moderation_deductions_serial(internal) IS 'Serialization function of im_moderation_deductions.';

CREATE FUNCTION im_internal.im_moderation_deductions_deserial(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_moderation_deductions_deserial(bytea, internal) IS 'Deserialization function of im_moderation_deductions.';

CREATE FUNCTION im_internal.im_moderation_deductions_final(internal) RETURNS numeric
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_moderation_deductions_final(internal) IS 'Final function of im_moderation_deductions.';

CREATE AGGREGATE @extschema@.im_moderation_deductions(card @extschema@.im_rate_card, kind text, at timestamptz, seconds integer) (
	SFUNC = im_internal.im_moderation_deductions_trans, STYPE = internal, SSPACE = 4096,
	COMBINEFUNC = im_internal.im_moderation_deductions_combine,
	SERIALFUNC = im_internal.im_moderation_deductions_serial, DESERIALFUNC = im_internal.im_moderation_deductions_deserial,
	FINALFUNC = im_internal.im_moderation_deductions_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.im_moderation_deductions(@extschema@.im_rate_card, text, timestamptz, integer) IS
	'Deductions of moderation checks: texts and images by the check, audio and video by whole half minutes of each clock hour, weighed by the coefficients of the card in the time zone of the card; rows without kind and time are ignored; 0 without rows. Error 22023 for unknown kinds, kinds the card has no coefficient for, seconds negative or missing and for cards that differ within a group.';

/*
 * Internal: usage of one app by local day, as the bills gather it; null without rows.
 */

CREATE FUNCTION im_internal.im_usage_agg_trans(internal, bigint, date, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, boolean, @extschema@.im_userset) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_usage_agg_trans(internal, bigint, date, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, boolean, @extschema@.im_userset) IS 'Transition function of im_usage_agg.';

CREATE FUNCTION im_internal.im_usage_agg_value(internal) RETURNS im_internal.im_usage
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_usage_agg_value(internal) IS 'Final function of im_usage_agg.';

-- No partial states: workers take whole apps, see im_by_ranges().
CREATE AGGREGATE im_internal.im_usage_agg(app_id bigint, day date, dau bigint, peak_groups bigint, text_checks bigint, image_checks bigint, audio_half_minutes bigint, video_half_minutes bigint, audio_minutes bigint, sd_minutes bigint, hd_minutes bigint, fhd_minutes bigint, whole boolean, users @extschema@.im_userset) (
	SFUNC = im_internal.im_usage_agg_trans, STYPE = internal, SSPACE = 1024,
	FINALFUNC = im_internal.im_usage_agg_value,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE im_internal.im_usage_agg(bigint, date, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, boolean, @extschema@.im_userset) IS
	'Internal: daily figures of one app. whole is null for a row that was metered: its null figures are 0, and several of one day add up. A row of a user gives the figures that are not null, or all of them where whole is true (R11). Error 22023 for negative figures and days out of range.';

CREATE FUNCTION im_internal.im_check_days_trans(internal, bigint, timestamptz, text, integer, text, date, date) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_check_days_trans(internal, bigint, timestamptz, text, integer, text, date, date) IS 'Transition function of im_check_days.';

CREATE FUNCTION im_internal.im_check_days_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_check_days_combine(internal, internal) IS 'Combine function of im_check_days.';

CREATE FUNCTION im_internal.im_check_days_serial(internal) RETURNS bytea
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_check_days_serial(internal) IS 'Serialization function of im_check_days.';

CREATE FUNCTION im_internal.im_check_days_deserial(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_check_days_deserial(bytea, internal) IS 'Deserialization function of im_check_days.';

CREATE FUNCTION im_internal.im_check_days_value(internal) RETURNS im_internal.im_usage
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_check_days_value(internal) IS 'Final function of im_check_days.';

CREATE AGGREGATE im_internal.im_check_days(app_id bigint, at timestamptz, kind text, seconds integer, zone text, first_day date, last_day date) (
	SFUNC = im_internal.im_check_days_trans, STYPE = internal, SSPACE = 4096,
	COMBINEFUNC = im_internal.im_check_days_combine,
	SERIALFUNC = im_internal.im_check_days_serial, DESERIALFUNC = im_internal.im_check_days_deserial,
	FINALFUNC = im_internal.im_check_days_value,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE im_internal.im_check_days(bigint, timestamptz, text, integer, text, date, date) IS
	'Internal: moderation checks of one app by local day, half minutes of audio and video per clock hour; rows of other days are ignored. Error 22023 for unknown kinds and for seconds negative or missing.';

CREATE FUNCTION im_internal.im_call_days_trans(internal, bigint, timestamptz, text, integer, text, date, date) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_call_days_trans(internal, bigint, timestamptz, text, integer, text, date, date) IS 'Transition function of im_call_days.';

CREATE FUNCTION im_internal.im_call_days_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_call_days_combine(internal, internal) IS 'Combine function of im_call_days.';

CREATE FUNCTION im_internal.im_call_days_serial(internal) RETURNS bytea
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_call_days_serial(internal) IS 'Serialization function of im_call_days.';

CREATE FUNCTION im_internal.im_call_days_deserial(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_call_days_deserial(bytea, internal) IS 'Deserialization function of im_call_days.';

CREATE FUNCTION im_internal.im_call_days_value(internal) RETURNS im_internal.im_usage
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_call_days_value(internal) IS 'Final function of im_call_days.';

CREATE AGGREGATE im_internal.im_call_days(app_id bigint, at timestamptz, class text, seconds integer, zone text, first_day date, last_day date) (
	SFUNC = im_internal.im_call_days_trans, STYPE = internal, SSPACE = 4096,
	COMBINEFUNC = im_internal.im_call_days_combine,
	SERIALFUNC = im_internal.im_call_days_serial, DESERIALFUNC = im_internal.im_call_days_deserial,
	FINALFUNC = im_internal.im_call_days_value,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE im_internal.im_call_days(bigint, timestamptz, text, integer, text, date, date) IS
	'Internal: call minutes of one app by local day and class, started minutes counted; rows of other days are ignored. Error 22023 for unknown classes and for seconds negative or missing.';

CREATE FUNCTION im_internal.im_group_days_trans(internal, bigint, text, timestamptz, timestamptz, text, date, date) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_group_days_trans(internal, bigint, text, timestamptz, timestamptz, text, date, date) IS 'Transition function of im_group_days.';

CREATE FUNCTION im_internal.im_group_days_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_group_days_combine(internal, internal) IS 'Combine function of im_group_days.';

CREATE FUNCTION im_internal.im_group_days_serial(internal) RETURNS bytea
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_group_days_serial(internal) IS 'Serialization function of im_group_days.';

CREATE FUNCTION im_internal.im_group_days_deserial(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_group_days_deserial(bytea, internal) IS 'Deserialization function of im_group_days.';

CREATE FUNCTION im_internal.im_group_days_value(internal) RETURNS im_internal.im_usage
	AS 'MODULE_PATHNAME'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_group_days_value(internal) IS 'Final function of im_group_days.';

CREATE AGGREGATE im_internal.im_group_days(app_id bigint, group_id text, created_at timestamptz, disbanded_at timestamptz, zone text, first_day date, last_day date) (
	SFUNC = im_internal.im_group_days_trans, STYPE = internal, SSPACE = 8192,
	COMBINEFUNC = im_internal.im_group_days_combine,
	SERIALFUNC = im_internal.im_group_days_serial, DESERIALFUNC = im_internal.im_group_days_deserial,
	FINALFUNC = im_internal.im_group_days_value,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE im_internal.im_group_days(bigint, text, timestamptz, timestamptz, text, date, date) IS
	'Internal: most groups of one app existing at one moment of each local day. Error 22023 for a group disbanded before it was created.';
