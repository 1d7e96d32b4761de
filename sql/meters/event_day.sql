-- Internal: what the events of a day say of a meter by name, on its way to rating.  Of a day only its own events tell; what stood before it
-- is carried in where a bill is rated, so that a late event changes one day.

CREATE TYPE im_internal.im_event_state AS (
	quantity numeric,
	area numeric,
	before bigint,
	length bigint
);
COMMENT ON TYPE im_internal.im_event_state IS
'What the events of one app, meter and local day say; internal.';
COMMENT ON COLUMN im_internal.im_event_state.quantity IS 'The sum or the largest quantity; of last and average the one that stands after the day: the last, of several at one instant the largest. Null where subjects are counted.';
COMMENT ON COLUMN im_internal.im_event_state.area IS 'Of average: each quantity times the microseconds of the day for which it stands, from the first event on. Else null, as what follows.';
COMMENT ON COLUMN im_internal.im_event_state.before IS 'Microseconds of the day before its first event.';
COMMENT ON COLUMN im_internal.im_event_state.length IS 'Microseconds of the day, as the zone has it.';

CREATE FUNCTION im_internal.im_event_day_trans(internal, bigint, text, text, timestamptz, numeric, text, text) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_event_day_trans(internal, bigint, text, text, timestamptz, numeric, text, text) IS 'Transition function of im_event_day.';

CREATE FUNCTION im_internal.im_event_day_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_event_day_combine(internal, internal) IS 'Combine function of im_event_day.';

CREATE FUNCTION im_internal.im_event_day_serial(internal) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_event_day_serial(internal) IS 'Serialization function of im_event_day.';

CREATE FUNCTION im_internal.im_event_day_deserial(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_event_day_deserial(bytea, internal) IS 'Deserialization function of im_event_day.';

CREATE FUNCTION im_internal.im_event_day_final(internal) RETURNS im_internal.im_event_state
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_event_day_final(internal) IS 'Final function of im_event_day.';

CREATE AGGREGATE im_internal.im_event_day(app_id bigint, meter text, kind text, at timestamptz, quantity numeric, subject text, zone text) (
	SFUNC = im_internal.im_event_day_trans, STYPE = internal, SSPACE = 128,
	COMBINEFUNC = im_internal.im_event_day_combine,
	SERIALFUNC = im_internal.im_event_day_serial, DESERIALFUNC = im_internal.im_event_day_deserial,
	FINALFUNC = im_internal.im_event_day_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE im_internal.im_event_day(bigint, text, text, timestamptz, numeric, text, text) IS
	'Internal: what the events of one app, meter and local day say, by how the meter makes a figure of them (kind: sum, max, unique, last, average). Errors that name the row: 22023 for a quantity that is not finite, below 0, finer than 8 places or past 30 digits before the point, and for a missing subject of unique; 22003 for a sum past that. The state of a group is a figure, of average each of its events, 32 bytes.';

CREATE FUNCTION im_internal.im_meter_usage_trans(internal, bigint, text, date, numeric, numeric, @extschema@.im_userset, numeric, bigint, bigint) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_meter_usage_trans(internal, bigint, text, date, numeric, numeric, @extschema@.im_userset, numeric, bigint, bigint) IS 'Transition function of im_meter_usage.';

CREATE FUNCTION im_internal.im_meter_usage_final(internal) RETURNS im_internal.im_usage
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_meter_usage_final(internal) IS 'Final function of im_meter_usage.';

-- No partial states: as im_usage_agg.
CREATE AGGREGATE im_internal.im_meter_usage(app_id bigint, meter text, day date, given numeric, quantity numeric, users @extschema@.im_userset, area numeric, before bigint, length bigint) (
	SFUNC = im_internal.im_meter_usage_trans, STYPE = internal, SSPACE = 1024,
	FINALFUNC = im_internal.im_meter_usage_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE im_internal.im_meter_usage(bigint, text, date, numeric, numeric, @extschema@.im_userset, numeric, bigint, bigint) IS
	'Internal: days of meters by name of one app as one value: the figure that a user gave, and what the events of the day say as in im_event_state; a day before the span that is asked for tells what stands when it begins, of which quantity alone matters. Error 22023 for a figure that is not finite, below 0, finer than 8 places or past 30 digits before the point.';

CREATE TYPE @extschema@.im_standing AS (
	meter text,
	day date,
	given numeric,
	quantity numeric
);
COMMENT ON TYPE @extschema@.im_standing IS
'What stands of a meter by name when a span of days begins: the day that set it, and the figure that a user gave or what its last event says; internal.';
