/*
 * levels.c
 *	  The aggregates im_meter_last and im_meter_average: quantities that stand
 *	  until the next event.
 *
 * Of several events at one instant the largest stands.  The state of
 * im_meter_last is one event.  That of im_meter_average is every event of the
 * group within the window and one before it, 24 bytes each, since what an
 * event weighs is known only with its successor, and they come in any order.
 */
#include "lib/compat.h"

#include "meter/levels.h"
#include "server/zone.h"
#include "types/decimal.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(im_meter_last_trans);
PG_FUNCTION_INFO_V1(im_meter_last_combine);
PG_FUNCTION_INFO_V1(im_meter_last_serial);
PG_FUNCTION_INFO_V1(im_meter_last_deserial);
PG_FUNCTION_INFO_V1(im_meter_last_final);
PG_FUNCTION_INFO_V1(im_meter_average_trans);
PG_FUNCTION_INFO_V1(im_meter_average_combine);
PG_FUNCTION_INFO_V1(im_meter_average_serial);
PG_FUNCTION_INFO_V1(im_meter_average_deserial);
PG_FUNCTION_INFO_V1(im_meter_average_final);

static Level
level_argument(FunctionCallInfo fcinfo)
{
	if (unlikely(PG_ARGISNULL(2)))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the instant of a quantity must not be null"),
				 errdetail("A quantity stands from its instant on."),
				 errhint("Leave out rows without an instant, or correct them.")));
	return (Level) {PG_GETARG_TIMESTAMPTZ(2), figure_argument(fcinfo, 1, "quantity")};
}

void
level_send(StringInfo buf, const Level *level)
{
	pq_sendint64(buf, level->at);
	wire_send_amount(buf, level->quantity);
}

Level
level_receive(StringInfo buf)
{
	Level		level;

	level.at = pq_getmsgint64(buf);
	level.quantity = wire_amount(buf);
	return level;
}

/* im_meter_last */

static Datum
keep_later(FunctionCallInfo fcinfo, MemoryContext context, const Level *level)
{
	Level	   *state;

	if (PG_ARGISNULL(0))
	{
		state = MemoryContextAlloc(context, sizeof(Level));
		*state = *level;
	}
	else
	{
		state = (Level *) PG_GETARG_POINTER(0);
		if (level_is_later(level, state))
			*state = *level;
	}
	PG_RETURN_POINTER(state);
}

Datum
im_meter_last_trans(PG_FUNCTION_ARGS)
{
	MemoryContext context = meter_context(fcinfo);
	Level		level;

	if (PG_ARGISNULL(1))
		return state_unchanged(fcinfo);
	level = level_argument(fcinfo);
	return keep_later(fcinfo, context, &level);
}

Datum
im_meter_last_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = meter_context(fcinfo);

	if (PG_ARGISNULL(1))
		return state_unchanged(fcinfo);
	return keep_later(fcinfo, context, (Level *) PG_GETARG_POINTER(1));
}

Datum
im_meter_last_serial(PG_FUNCTION_ARGS)
{
	StringInfoData buf;

	meter_context(fcinfo);
	wire_begin(&buf, "im_meter_last", LEVEL_BYTES);
	level_send(&buf, (Level *) PG_GETARG_POINTER(0));
	PG_RETURN_BYTEA_P(wire_end(&buf));
}

Datum
im_meter_last_deserial(PG_FUNCTION_ARGS)
{
	Level	   *level;
	StringInfoData buf;

	meter_context(fcinfo);
	level = palloc(sizeof(Level));
	wire_open(&buf, fcinfo);
	*level = level_receive(&buf);
	wire_close(&buf);
	PG_RETURN_POINTER(level);
}

Datum
im_meter_last_final(PG_FUNCTION_ARGS)
{
	meter_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(amount_to_numeric(((Level *) PG_GETARG_POINTER(0))->quantity, 0));
}

/* im_meter_average */

static Levels *
new_levels(MemoryContext context, TimestampTz since, TimestampTz until, Amount standing)
{
	Levels	   *levels;

	if (TIMESTAMP_NOT_FINITE(since) || TIMESTAMP_NOT_FINITE(until) || since >= until)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("window of im_meter_average is empty or has no end: [%s, %s)",
						instant_text(since), instant_text(until)),
				 errdetail("An average is over a time that begins and ends."),
				 errhint("Give two finite instants, the earlier one first.")));
	levels = MemoryContextAllocZero(context, sizeof(Levels));
	levels->since = since;
	levels->until = until;
	levels->standing = standing;
	levels->before = (Level) {DT_NOBEGIN, standing};
	return levels;
}

static void
check_levels(const Levels *levels, TimestampTz since, TimestampTz until, Amount standing)
{
	if (unlikely(levels->since != since || levels->until != until || levels->standing != standing))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("window of im_meter_average changes within a group"),
				 errdetail("It was [%s, %s) and is [%s, %s), or what stands before it differs.",
						   instant_text(levels->since), instant_text(levels->until),
						   instant_text(since), instant_text(until)),
				 errhint("Group by the window and by what stands as well.")));
}

void
levels_add(Levels *levels, MemoryContext context, Level level)
{
	if (level.at >= levels->until)
		return;
	if (level.at < levels->since)
	{
		if (level_is_later(&level, &levels->before))
			levels->before = level;
		return;
	}
	if (levels->count == levels->room)
	{
		levels->room = Max(levels->room * 2, 8);
		levels->events = levels->events == NULL ?
			MemoryContextAllocHuge(context, sizeof(Level) * levels->room) :
			repalloc_huge(levels->events, sizeof(Level) * levels->room);
	}
	levels->events[levels->count++] = level;
}

static void
check_window(FunctionCallInfo fcinfo)
{
	if (unlikely(PG_ARGISNULL(3) || PG_ARGISNULL(4)))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("window of im_meter_average must not be null"),
				 errdetail("An average is over a time that begins and ends."),
				 errhint("Give two finite instants, the earlier one first.")));
}

/* A row without a quantity tells the window alone: an outer join makes such rows. */
Datum
im_meter_average_trans(PG_FUNCTION_ARGS)
{
	MemoryContext context = meter_context(fcinfo);
	Levels	   *levels = PG_ARGISNULL(0) ? NULL : (Levels *) PG_GETARG_POINTER(0);
	Amount		standing = PG_ARGISNULL(5) ? 0 : figure_argument(fcinfo, 5, "standing quantity");

	check_window(fcinfo);
	if (levels == NULL)
		levels = new_levels(context, PG_GETARG_TIMESTAMPTZ(3), PG_GETARG_TIMESTAMPTZ(4), standing);
	check_levels(levels, PG_GETARG_TIMESTAMPTZ(3), PG_GETARG_TIMESTAMPTZ(4), standing);
	if (!PG_ARGISNULL(1))
		levels_add(levels, context, level_argument(fcinfo));
	PG_RETURN_POINTER(levels);
}

Datum
im_meter_average_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = meter_context(fcinfo);
	Levels	   *levels = PG_ARGISNULL(0) ? NULL : (Levels *) PG_GETARG_POINTER(0);
	Levels	   *more;

	if (PG_ARGISNULL(1))
		return state_unchanged(fcinfo);
	more = (Levels *) PG_GETARG_POINTER(1);
	if (levels == NULL)
		levels = new_levels(context, more->since, more->until, more->standing);
	check_levels(levels, more->since, more->until, more->standing);
	if (level_is_later(&more->before, &levels->before))
		levels->before = more->before;
	for (int64 i = 0; i < more->count; i++)
		levels_add(levels, context, more->events[i]);
	PG_RETURN_POINTER(levels);
}

Datum
im_meter_average_serial(PG_FUNCTION_ARGS)
{
	Levels	   *levels;
	StringInfoData buf;

	meter_context(fcinfo);
	levels = (Levels *) PG_GETARG_POINTER(0);
	wire_begin(&buf, "im_meter_average", (Size) levels->count * LEVEL_BYTES);
	pq_sendint64(&buf, levels->since);
	pq_sendint64(&buf, levels->until);
	wire_send_amount(&buf, levels->standing);
	level_send(&buf, &levels->before);
	levels_send_events(&buf, levels);
	PG_RETURN_BYTEA_P(wire_end(&buf));
}

void
levels_send_events(StringInfo buf, const Levels *levels)
{
	pq_sendint64(buf, levels->count);
	for (int64 i = 0; i < levels->count; i++)
		level_send(buf, &levels->events[i]);
}

void
levels_receive_events(StringInfo buf, Levels *levels)
{
	levels->count = levels->room = wire_count(buf, LEVEL_BYTES);
	levels->events = palloc_extended(sizeof(Level) * Max(levels->count, 1), MCXT_ALLOC_HUGE);
	for (int64 i = 0; i < levels->count; i++)
	{
		levels->events[i] = level_receive(buf);
		wire_check(levels->events[i].at >= levels->since && levels->events[i].at < levels->until);
	}
}

Datum
im_meter_average_deserial(PG_FUNCTION_ARGS)
{
	Levels	   *levels;
	StringInfoData buf;

	meter_context(fcinfo);
	levels = palloc0(sizeof(Levels));
	wire_open(&buf, fcinfo);
	levels->since = pq_getmsgint64(&buf);
	levels->until = pq_getmsgint64(&buf);
	wire_check(!TIMESTAMP_NOT_FINITE(levels->since) && !TIMESTAMP_NOT_FINITE(levels->until) &&
			   levels->since < levels->until);
	levels->standing = wire_amount(&buf);
	levels->before = level_receive(&buf);
	wire_check(levels->before.at < levels->since);
	levels_receive_events(&buf, levels);
	wire_close(&buf);
	PG_RETURN_POINTER(levels);
}

static int
compare_levels(const void *one, const void *other, void *arg)
{
	(void) arg;
	return level_is_later(one, other) ? 1 : level_is_later(other, one) ? -1 : 0;
}

Amount
levels_weigh(Core *core, Levels *levels)
{
	Level		stands = {levels->since, levels->before.quantity};
	Amount		sum = 0;

	if (levels->count > 1)
		qsort_interruptible(levels->events, levels->count, sizeof(Level), compare_levels, NULL);
	for (int64 i = 0; i <= levels->count; i++)
	{
		Level		next = i < levels->count ? levels->events[i] : (Level) {levels->until, 0};

		sum = amount_add(core, sum, amount_times(core, stands.quantity, next.at - stands.at));
		stands = next;
	}
	return sum;
}

/* Half up, also below zero, where division in C would go towards it. */
static Amount
divide_half_up(Core *core, Amount sum, Amount by)
{
	Amount		twice = amount_add(core, amount_add(core, sum, sum), by),
				quotient = twice / (2 * by);

	return twice % (2 * by) < 0 ? quotient - 1 : quotient;
}

Datum
im_meter_average_final(PG_FUNCTION_ARGS)
{
	Levels	   *levels = PG_ARGISNULL(0) ? NULL : (Levels *) PG_GETARG_POINTER(0);
	ServerCore	server;

	meter_context(fcinfo);
	if (levels == NULL)
		PG_RETURN_NULL();
	server_core_init(&server);
	PG_RETURN_DATUM(amount_to_numeric(divide_half_up(&server.core, levels_weigh(&server.core, levels),
													 (Amount) (levels->until - levels->since)), 0));
}
