-- Meters by name (R12): how the events of a time become a figure, over
-- anybody's rows.  im_meter_unique is im_dau by the name of its meter.

CREATE FUNCTION im_internal.im_meter_sum_trans(internal, numeric) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_meter_sum_trans(internal, numeric) IS 'Transition function of im_meter_sum.';

CREATE FUNCTION im_internal.im_meter_sum_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_meter_sum_combine(internal, internal) IS 'Combine function of im_meter_sum.';

CREATE FUNCTION im_internal.im_meter_max_trans(internal, numeric) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_meter_max_trans(internal, numeric) IS 'Transition function of im_meter_max.';

CREATE FUNCTION im_internal.im_meter_max_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_meter_max_combine(internal, internal) IS 'Combine function of im_meter_max.';

CREATE FUNCTION im_internal.im_meter_figure_serial(internal) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_meter_figure_serial(internal) IS 'Serialization function of im_meter_sum and im_meter_max.';

CREATE FUNCTION im_internal.im_meter_figure_deserial(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_meter_figure_deserial(bytea, internal) IS 'Deserialization function of im_meter_sum and im_meter_max.';

CREATE FUNCTION im_internal.im_meter_figure_final(internal) RETURNS numeric
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_meter_figure_final(internal) IS 'Final function of im_meter_sum and im_meter_max.';

CREATE AGGREGATE @extschema@.im_meter_sum(quantity numeric) (
	SFUNC = im_internal.im_meter_sum_trans, STYPE = internal, SSPACE = 64,
	COMBINEFUNC = im_internal.im_meter_sum_combine,
	SERIALFUNC = im_internal.im_meter_figure_serial, DESERIALFUNC = im_internal.im_meter_figure_deserial,
	FINALFUNC = im_internal.im_meter_figure_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.im_meter_sum(numeric) IS
	'Sum of quantities, exact to 8 places; nulls are ignored; 0 without rows. Error 22023 for a negative quantity, NaN or infinity, 22003 for more than 8 places and past 30 digits before the point. The state of a group is 16 bytes.';

CREATE AGGREGATE @extschema@.im_meter_max(quantity numeric) (
	SFUNC = im_internal.im_meter_max_trans, STYPE = internal, SSPACE = 64,
	COMBINEFUNC = im_internal.im_meter_max_combine,
	SERIALFUNC = im_internal.im_meter_figure_serial, DESERIALFUNC = im_internal.im_meter_figure_deserial,
	FINALFUNC = im_internal.im_meter_figure_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.im_meter_max(numeric) IS
	'The largest quantity; nulls are ignored; 0 without rows. Error 22023 for NaN or infinity, 22003 for more than 8 places and past 30 digits before the point. The state of a group is 16 bytes.';

CREATE AGGREGATE @extschema@.im_meter_unique(subject anyelement) (
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
COMMENT ON AGGREGATE @extschema@.im_meter_unique(anyelement) IS
	'Number of distinct subjects that are not null, exactly: im_dau() by the name of its meter. State and errors as there.';

CREATE FUNCTION im_internal.im_meter_last_trans(internal, numeric, timestamptz) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_meter_last_trans(internal, numeric, timestamptz) IS 'Transition function of im_meter_last.';

CREATE FUNCTION im_internal.im_meter_last_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_meter_last_combine(internal, internal) IS 'Combine function of im_meter_last.';

CREATE FUNCTION im_internal.im_meter_last_serial(internal) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_meter_last_serial(internal) IS 'Serialization function of im_meter_last.';

CREATE FUNCTION im_internal.im_meter_last_deserial(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_meter_last_deserial(bytea, internal) IS 'Deserialization function of im_meter_last.';

CREATE FUNCTION im_internal.im_meter_last_final(internal) RETURNS numeric
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_meter_last_final(internal) IS 'Final function of im_meter_last.';

CREATE AGGREGATE @extschema@.im_meter_last(quantity numeric, at timestamptz) (
	SFUNC = im_internal.im_meter_last_trans, STYPE = internal, SSPACE = 64,
	COMBINEFUNC = im_internal.im_meter_last_combine,
	SERIALFUNC = im_internal.im_meter_last_serial, DESERIALFUNC = im_internal.im_meter_last_deserial,
	FINALFUNC = im_internal.im_meter_last_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.im_meter_last(numeric, timestamptz) IS
	'The quantity of the last event, of several at one instant the largest; rows without a quantity are ignored; null without rows. Error 22023 for NaN or infinity, 22003 for more than 8 places and past 30 digits before the point, 22004 for a quantity without an instant. The state of a group is one event.';

CREATE FUNCTION im_internal.im_meter_average_trans(internal, numeric, timestamptz, timestamptz, timestamptz, numeric) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_meter_average_trans(internal, numeric, timestamptz, timestamptz, timestamptz, numeric) IS 'Transition function of im_meter_average.';

CREATE FUNCTION im_internal.im_meter_average_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_meter_average_combine(internal, internal) IS 'Combine function of im_meter_average.';

CREATE FUNCTION im_internal.im_meter_average_serial(internal) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_meter_average_serial(internal) IS 'Serialization function of im_meter_average.';

CREATE FUNCTION im_internal.im_meter_average_deserial(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_meter_average_deserial(bytea, internal) IS 'Deserialization function of im_meter_average.';

CREATE FUNCTION im_internal.im_meter_average_final(internal) RETURNS numeric
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_meter_average_final(internal) IS 'Final function of im_meter_average.';

CREATE AGGREGATE @extschema@.im_meter_average(quantity numeric, at timestamptz, since timestamptz, until timestamptz, standing numeric) (
	SFUNC = im_internal.im_meter_average_trans, STYPE = internal, SSPACE = 1024,
	COMBINEFUNC = im_internal.im_meter_average_combine,
	SERIALFUNC = im_internal.im_meter_average_serial, DESERIALFUNC = im_internal.im_meter_average_deserial,
	FINALFUNC = im_internal.im_meter_average_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.im_meter_average(numeric, timestamptz, timestamptz, timestamptz, numeric) IS
	'The average over [since, until) of a quantity that stands until the next event, weighed by real time, half up to 8 places. Of several events at one instant the largest stands; standing (null: 0) stands at the beginning unless a row from before the window says otherwise; rows from its end on are ignored, rows without a quantity tell the window alone; null without rows. Errors: 22023 for NaN or infinity, for a window that is empty or endless and for one that changes within a group, 22003 for more than 8 places and where a figure does not fit, 22004 for a missing instant. The state of a group is each of its events within the window, 32 bytes.';
