/*
 * peak_groups.c
 *	  The aggregate im_peak_groups: most groups existing at one moment.
 *
 * The state is the window and the events within it (group_events.h): 16 bytes
 * for a group that comes and goes, nothing for one outside the window.
 */
#include "lib/compat.h"

#include "lib/wire.h"
#include "meter/group_events.h"
#include "server/zone.h"

PG_FUNCTION_INFO_V1(im_peak_groups_trans);
PG_FUNCTION_INFO_V1(im_peak_groups_combine);
PG_FUNCTION_INFO_V1(im_peak_groups_serial);
PG_FUNCTION_INFO_V1(im_peak_groups_deserial);
PG_FUNCTION_INFO_V1(im_peak_groups_final);

static GroupEvents *
new_state(MemoryContext context, TimestampTz since, TimestampTz until)
{
	GroupEvents *state;

	if (since > until)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("window of im_peak_groups ends before it begins: [%s, %s)",
						instant_text(since), instant_text(until)),
				 errhint("Give the earlier instant first.")));
	state = MemoryContextAlloc(context, sizeof(GroupEvents));
	group_events_init(state, since, until);
	return state;
}

static void
check_window(const GroupEvents *state, TimestampTz since, TimestampTz until)
{
	if (unlikely(state->since != since || state->until != until))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("window of im_peak_groups changes within a group"),
				 errdetail("It was [%s, %s) and is [%s, %s).",
						   instant_text(state->since), instant_text(state->until),
						   instant_text(since), instant_text(until)),
				 errhint("Group by the window as well.")));
}

static void
check_no_nulls(FunctionCallInfo fcinfo)
{
	if (unlikely(PG_ARGISNULL(3) || PG_ARGISNULL(4)))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("window of im_peak_groups must not be null"),
				 errhint("Give -infinity or infinity for a window that is open.")));
	if (unlikely(PG_ARGISNULL(1)))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("group disbanded at %s was never created",
						instant_text(PG_GETARG_TIMESTAMPTZ(2))),
				 errhint("Only the time of disbanding may be null.")));
}

/*
 * A row without either instant is no group: an outer join makes such rows
 * where there is none.
 */
Datum
im_peak_groups_trans(PG_FUNCTION_ARGS)
{
	MemoryContext context = meter_context(fcinfo);
	GroupEvents *state = PG_ARGISNULL(0) ? NULL : (GroupEvents *) PG_GETARG_POINTER(0);
	TimestampTz created = PG_GETARG_TIMESTAMPTZ(1);
	TimestampTz disbanded = PG_ARGISNULL(2) ? DT_NOEND : PG_GETARG_TIMESTAMPTZ(2);

	if (PG_ARGISNULL(1) && PG_ARGISNULL(2))
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	check_no_nulls(fcinfo);
	if (state == NULL)
		state = new_state(context, PG_GETARG_TIMESTAMPTZ(3), PG_GETARG_TIMESTAMPTZ(4));
	check_window(state, PG_GETARG_TIMESTAMPTZ(3), PG_GETARG_TIMESTAMPTZ(4));
	if (unlikely(disbanded < created))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("group disbanded before it was created"),
				 errdetail("It was created at %s and disbanded at %s.",
						   instant_text(created), instant_text(disbanded)),
				 errhint("Correct or leave out the row.")));
	group_events_add(state, context, created, disbanded);
	PG_RETURN_POINTER(state);
}

Datum
im_peak_groups_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = meter_context(fcinfo);
	GroupEvents *state = PG_ARGISNULL(0) ? NULL : (GroupEvents *) PG_GETARG_POINTER(0);
	GroupEvents *more = PG_ARGISNULL(1) ? NULL : (GroupEvents *) PG_GETARG_POINTER(1);

	if (more != NULL)
	{
		if (state == NULL)
			state = new_state(context, more->since, more->until);
		check_window(state, more->since, more->until);
		group_events_append(state, context, more);
	}
	if (state == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(state);
}

Datum
im_peak_groups_serial(PG_FUNCTION_ARGS)
{
	GroupEvents *state;
	StringInfoData buf;

	meter_context(fcinfo);
	state = (GroupEvents *) PG_GETARG_POINTER(0);
	wire_begin(&buf, "im_peak_groups", group_events_size(state));
	group_events_send(&buf, state);
	PG_RETURN_BYTEA_P(wire_end(&buf));
}

Datum
im_peak_groups_deserial(PG_FUNCTION_ARGS)
{
	GroupEvents *state;
	StringInfoData buf;

	meter_context(fcinfo);
	state = palloc(sizeof(GroupEvents));
	wire_open(&buf, fcinfo);
	group_events_recv(&buf, state);
	wire_close(&buf);
	PG_RETURN_POINTER(state);
}

Datum
im_peak_groups_final(PG_FUNCTION_ARGS)
{
	GroupEvents *state = PG_ARGISNULL(0) ? NULL : (GroupEvents *) PG_GETARG_POINTER(0);
	GroupSweep	sweep;

	meter_context(fcinfo);
	if (state == NULL || state->since == state->until)
		PG_RETURN_INT64(0);
	sweep = group_sweep_begin(state);
	PG_RETURN_INT64(group_sweep_peak(&sweep, state->since, state->until));
}
