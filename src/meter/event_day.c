/*
 * event_day.c
 *	  The aggregate im_event_day: what the events of one app, meter and local
 *	  day say, and nothing that was carried in.
 *
 * A state holds what its kind needs: a figure, the level that stands last, or
 * of an average every level.  Subjects are counted by im_login_dau() and
 * im_login_users() beside it; here they are only looked at.
 *
 * The levels of an average are kept by the time of their day that has gone by,
 * not by the clock: where clocks are set back over midnight, some of the
 * instants between two of a day are of another.
 */
#include "lib/compat.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/fmgrprotos.h"

#include "core/usage.h"
#include "meter/figures.h"
#include "meter/levels.h"
#include "server/zone.h"
#include "types/decimal.h"

PG_FUNCTION_INFO_V1(im_event_day_trans);
PG_FUNCTION_INFO_V1(im_event_day_combine);
PG_FUNCTION_INFO_V1(im_event_day_serial);
PG_FUNCTION_INFO_V1(im_event_day_deserial);
PG_FUNCTION_INFO_V1(im_event_day_final);

enum
{
	ARG_APP = 1,
	ARG_METER,
	ARG_KIND,
	ARG_AT,
	ARG_QUANTITY,
	ARG_SUBJECT,
	ARG_ZONE
};

typedef struct EventDay
{
	MeterKind	kind;
	bool		plain;			/* no other day in between */
	Amount		figure;			/* sum, max */
	Level		last;			/* last, average: what stands on */
	TimestampTz since;			/* average: the day's first instant */
	Levels	   *levels;			/* average: by microseconds of the day */
} EventDay;

#define EVENT_DAY_BYTES	(16 + 2 * LEVEL_BYTES)

/* Rows may miss what no column of im_event lets them miss. */
static pg_noinline void
check_nulls(FunctionCallInfo fcinfo)
{
	static const char *const names[] = {
		NULL, "app_id", "meter", "kind", "at", "quantity", NULL, "zone"
	};

	for (int i = ARG_APP; i <= ARG_ZONE; i++)
		if (i != ARG_SUBJECT && PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("\"%s\" must not be null", names[i]),
					 PG_ARGISNULL(ARG_APP) ? 0 :
					 errdetail("App %lld.", (long long) PG_GETARG_INT64(ARG_APP))));
}

static bool
any_null(FunctionCallInfo fcinfo)
{
	bool		null = PG_ARGISNULL(ARG_APP) | PG_ARGISNULL(ARG_METER) | PG_ARGISNULL(ARG_KIND);

	return null | PG_ARGISNULL(ARG_AT) | PG_ARGISNULL(ARG_QUANTITY) | PG_ARGISNULL(ARG_ZONE);
}

static int
row_detail(FunctionCallInfo fcinfo)
{
	return errdetail("Table im_event, app %lld, meter \"%s\", at %s.",
					 (long long) PG_GETARG_INT64(ARG_APP), TextDatumGetCString(PG_GETARG_DATUM(ARG_METER)),
					 instant_text(PG_GETARG_TIMESTAMPTZ(ARG_AT)));
}

pg_noreturn static void
refuse_quantity(FunctionCallInfo fcinfo, AmountParse parse)
{
	const char *is = parse == AMOUNT_TOO_FINE ? "has more than 8 decimal places" :
		parse == AMOUNT_TOO_LARGE ? "is too large" :
		parse == AMOUNT_NOT_A_NUMBER ? "is not finite" : "is negative";

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("quantity %s %s",
					DatumGetCString(DirectFunctionCall1(numeric_out, PG_GETARG_DATUM(ARG_QUANTITY))), is),
			 row_detail(fcinfo),
			 errhint("Correct or delete the row.")));
}

/* Nothing that is metered lies below 0: it would take from what others used. */
static Amount
event_quantity(FunctionCallInfo fcinfo)
{
	const struct varlena *decimal = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(ARG_QUANTITY));
	Amount		amount = 0;
	AmountParse parse = decimal_amount(decimal, &amount);

	if (unlikely(parse != AMOUNT_OK || amount < 0))
		refuse_quantity(fcinfo, parse);
	return amount;
}

static void
check_subject(FunctionCallInfo fcinfo)
{
	if (unlikely(PG_ARGISNULL(ARG_SUBJECT)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("subject missing for meter \"%s\", which counts distinct ones",
						TextDatumGetCString(PG_GETARG_DATUM(ARG_METER))),
				 row_detail(fcinfo),
				 errhint("Correct or delete the row.")));
}

/* How much of [from, until) is of the day. */
static int64
time_of_day(Zone *zone, DateADT day, TimestampTz from, TimestampTz until)
{
	int64		time = 0;

	for (TimestampTz at = from; at < until;)
	{
		TimestampTz next = Min(zone_next_break(zone, at), until);

		if (zone_day(zone, at) == day)
			time += next - at;
		at = next;
	}
	return time;
}

static void
open_levels(EventDay *state, MemoryContext context, FunctionCallInfo fcinfo)
{
	Zone	   *zone = zone_of_call(fcinfo, ARG_ZONE);
	DateADT		day = zone_day(zone, PG_GETARG_TIMESTAMPTZ(ARG_AT));
	TimestampTz until = zone_day_end(zone, day);

	state->since = zone_day_start(zone, day);
	state->levels = MemoryContextAllocZero(context, sizeof(Levels));
	state->levels->before.at = DT_NOBEGIN;
	state->levels->until = time_of_day(zone, day, state->since, until);
	state->plain = state->levels->until == until - state->since;
}

static EventDay *
new_state(MemoryContext context, MeterKind kind)
{
	EventDay   *state = MemoryContextAllocZero(context, sizeof(EventDay));

	state->kind = kind;
	state->last.at = DT_NOBEGIN;
	return state;
}

static EventDay *
first_state(FunctionCallInfo fcinfo, MemoryContext context)
{
	text	   *name = PG_GETARG_TEXT_PP(ARG_KIND);
	int			kind = meter_kind_find(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
	EventDay   *state;

	if (kind < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown kind of meter \"%s\"", text_to_cstring(name)),
				 row_detail(fcinfo),
				 errhint("It is one of sum, max, unique, last and average.")));
	state = new_state(context, kind);
	if (kind == METER_AVERAGE)
		open_levels(state, context, fcinfo);
	return state;
}

static void
take_last(EventDay *state, Level level)
{
	if (level_is_later(&level, &state->last))
		state->last = level;
}

static void
take_level(EventDay *state, MemoryContext context, FunctionCallInfo fcinfo)
{
	TimestampTz at = PG_GETARG_TIMESTAMPTZ(ARG_AT);
	Level		level = {at, event_quantity(fcinfo)};

	take_last(state, level);
	if (state->kind != METER_AVERAGE)
		return;
	if (likely(state->plain))
		level.at = at - state->since;
	else
	{
		Zone	   *zone = zone_of_call(fcinfo, ARG_ZONE);

		level.at = time_of_day(zone, zone_day(zone, at), state->since, at);
	}
	levels_add(state->levels, context, level);
}

Datum
im_event_day_trans(PG_FUNCTION_ARGS)
{
	MemoryContext context = meter_context(fcinfo);
	EventDay   *state;

	if (unlikely(any_null(fcinfo)))
		check_nulls(fcinfo);
	state = PG_ARGISNULL(0) ? first_state(fcinfo, context) : (EventDay *) PG_GETARG_POINTER(0);
	switch (state->kind)
	{
		case METER_SUM:
			figure_take_sum(&state->figure, event_quantity(fcinfo));
			break;
		case METER_MAX:
			figure_take_max(&state->figure, event_quantity(fcinfo));
			break;
		case METER_UNIQUE:
			check_subject(fcinfo);
			break;
		default:
			take_level(state, context, fcinfo);
	}
	PG_RETURN_POINTER(state);
}

static void
merge_levels(EventDay *state, MemoryContext context, const Levels *more)
{
	if (state->levels == NULL)
	{
		state->levels = MemoryContextAllocZero(context, sizeof(Levels));
		state->levels->before.at = DT_NOBEGIN;
		state->levels->until = more->until;
	}
	for (int64 i = 0; i < more->count; i++)
		levels_add(state->levels, context, more->events[i]);
}

Datum
im_event_day_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = meter_context(fcinfo);
	EventDay   *state,
			   *more;

	if (PG_ARGISNULL(1))
		return state_unchanged(fcinfo);
	more = (EventDay *) PG_GETARG_POINTER(1);
	state = PG_ARGISNULL(0) ? new_state(context, more->kind) : (EventDay *) PG_GETARG_POINTER(0);
	if (state->kind == METER_MAX)
		figure_take_max(&state->figure, more->figure);
	else
		figure_take_sum(&state->figure, more->figure);
	take_last(state, more->last);
	if (more->levels != NULL)
		merge_levels(state, context, more->levels);
	PG_RETURN_POINTER(state);
}

Datum
im_event_day_serial(PG_FUNCTION_ARGS)
{
	EventDay   *state;
	StringInfoData buf;

	meter_context(fcinfo);
	state = (EventDay *) PG_GETARG_POINTER(0);
	wire_begin(&buf, "im_event_day", EVENT_DAY_BYTES +
			   (state->levels == NULL ? 0 : (Size) state->levels->count * LEVEL_BYTES));
	pq_sendbyte(&buf, state->kind);
	wire_send_amount(&buf, state->figure);
	level_send(&buf, &state->last);
	if (state->levels != NULL)
	{
		pq_sendint64(&buf, state->levels->until);
		levels_send_events(&buf, state->levels);
	}
	PG_RETURN_BYTEA_P(wire_end(&buf));
}

/* Where a day leaves out or repeats hours it is shorter or longer. */
#define MAX_LENGTH		(3 * USECS_PER_DAY)

static Levels *
receive_levels(StringInfo buf)
{
	Levels	   *levels = palloc0(sizeof(Levels));

	levels->before.at = DT_NOBEGIN;
	levels->until = pq_getmsgint64(buf);
	wire_check(levels->until > 0 && levels->until <= MAX_LENGTH);
	levels_receive_events(buf, levels);
	return levels;
}

Datum
im_event_day_deserial(PG_FUNCTION_ARGS)
{
	EventDay   *state;
	StringInfoData buf;
	int			kind;

	meter_context(fcinfo);
	wire_open(&buf, fcinfo);
	kind = pq_getmsgbyte(&buf);
	wire_check(kind < METER_KINDS);
	state = new_state(CurrentMemoryContext, kind);
	state->figure = wire_amount(&buf);
	state->last = level_receive(&buf);
	wire_check(state->figure >= 0 && state->last.quantity >= 0);
	if (kind == METER_AVERAGE)
		state->levels = receive_levels(&buf);
	wire_close(&buf);
	PG_RETURN_POINTER(state);
}

/* The columns of im_event_state that an average has. */
static void
weigh_levels(Levels *levels, Datum *values, bool *nulls)
{
	ServerCore	server;

	server_core_init(&server);
	values[1] = amount_to_numeric(levels_weigh(&server.core, levels), 0);
	values[2] = Int64GetDatum(levels->count == 0 ? levels->until : levels->events[0].at);
	values[3] = Int64GetDatum(levels->until);
	nulls[1] = nulls[2] = nulls[3] = false;
}

Datum
im_event_day_final(PG_FUNCTION_ARGS)
{
	EventDay   *state;
	Datum		values[4] = {0};
	bool		nulls[lengthof(values)] = {true, true, true, true};
	TupleDesc	desc;

	meter_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = (EventDay *) PG_GETARG_POINTER(0);
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE || desc->natts != lengthof(values))
		elog(ERROR, "the result of im_event_day() is no row of %d columns", (int) lengthof(values));
	nulls[0] = state->kind == METER_UNIQUE;
	if (!nulls[0])
		values[0] = amount_to_numeric(meter_stands(state->kind) ? state->last.quantity : state->figure, 0);
	if (state->levels != NULL)
		weigh_levels(state->levels, values, nulls);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
