-- Internal: what the events of a day say of a meter by name, and the value that
-- carries it to rating.  Of a day only its own events tell; what stood before it
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

CREATE TYPE im_internal.im_meter_day AS (
	meter text,
	day date,
	given numeric,
	quantity numeric,
	users @extschema@.im_userset,
	area numeric,
	before bigint,
	length bigint
);
COMMENT ON TYPE im_internal.im_meter_day IS
'What is known of a meter by name on a day (R11, R12), for rating. A day may have several rows: of what two of them tell the first holds; internal.';
COMMENT ON COLUMN im_internal.im_meter_day.meter IS 'The name of the meter.';
COMMENT ON COLUMN im_internal.im_meter_day.day IS 'Day in the time zone of the app''s rate card. One before the span that is asked for tells what stands when the span begins, of which quantity alone matters.';
COMMENT ON COLUMN im_internal.im_meter_day.given IS 'The figure that the user gave; null: none.';
COMMENT ON COLUMN im_internal.im_meter_day.quantity IS 'As in im_event_state, or the number of distinct subjects; null where the day has no events.';
COMMENT ON COLUMN im_internal.im_meter_day.users IS 'The distinct subjects, where the month counts them: those given, else those of the events.';
COMMENT ON COLUMN im_internal.im_meter_day.area IS 'As in im_event_state, as what follows.';
COMMENT ON COLUMN im_internal.im_meter_day.before IS 'Microseconds of the day before its first event.';
COMMENT ON COLUMN im_internal.im_meter_day.length IS 'Microseconds of the day.';

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
