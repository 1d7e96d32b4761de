/*
 * event_days.c
 *	  State of the per-app meters of checks and calls: a tally and an app.
 */
#include "lib/compat.h"

#include "lib/wire.h"
#include "meter/event_days.h"

static EventDays *
new_state(MemoryContext context, int64 app_id)
{
	EventDays  *state = MemoryContextAlloc(context, sizeof(EventDays));

	state->app_id = app_id;
	tally_init(&state->tally, context);
	return state;
}

EventDays *
event_days_state(FunctionCallInfo fcinfo, int64 app_id)
{
	if (PG_ARGISNULL(0))
		return new_state(meter_context(fcinfo), app_id);
	return (EventDays *) PG_GETARG_POINTER(0);
}

Datum
event_days_combine(FunctionCallInfo fcinfo)
{
	MemoryContext context = meter_context(fcinfo);
	EventDays  *state = PG_ARGISNULL(0) ? NULL : (EventDays *) PG_GETARG_POINTER(0);
	EventDays  *more = PG_ARGISNULL(1) ? NULL : (EventDays *) PG_GETARG_POINTER(1);

	if (more != NULL)
	{
		if (state == NULL)
			state = new_state(context, more->app_id);
		tally_merge(&state->tally, &more->tally);
	}
	if (state == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(state);
}

Datum
event_days_serial(FunctionCallInfo fcinfo, const char *aggregate)
{
	EventDays  *state;
	StringInfoData buf;

	meter_context(fcinfo);
	state = (EventDays *) PG_GETARG_POINTER(0);
	wire_begin(&buf, aggregate, tally_size(&state->tally));
	pq_sendint64(&buf, state->app_id);
	tally_send(&buf, &state->tally);
	PG_RETURN_BYTEA_P(wire_end(&buf));
}

Datum
event_days_deserial(FunctionCallInfo fcinfo)
{
	EventDays  *state;
	StringInfoData buf;

	meter_context(fcinfo);
	state = palloc(sizeof(EventDays));
	wire_open(&buf, fcinfo);
	state->app_id = pq_getmsgint64(&buf);
	tally_recv(&buf, &state->tally);
	wire_close(&buf);
	PG_RETURN_POINTER(state);
}

int64
event_days_rows(FunctionCallInfo fcinfo, EventDaysRow add_row, UsageRows *days)
{
	EventDays  *state;
	TallyEntry *entries;
	int64		count;

	meter_context(fcinfo);
	usage_rows_init(days, 31);
	if (PG_ARGISNULL(0))
		return 0;
	state = (EventDays *) PG_GETARG_POINTER(0);
	entries = tally_entries(&state->tally, &count);
	for (int64 i = 0; i < count; i++)
		add_row(&entries[i], days);
	return state->app_id;
}
