/*
 * call_days.c
 *	  The aggregate im_call_days: call minutes of one app by local day.
 *
 * Seconds are summed per day and class, and every started minute counts.
 */
#include "lib/compat.h"

#include "lib/wire.h"
#include "meter/event_days.h"
#include "meter/event_row.h"
#include "meter/old_usage.h"

PG_FUNCTION_INFO_V1(im_call_days_trans);
PG_FUNCTION_INFO_V1(im_call_days_combine);
PG_FUNCTION_INFO_V1(im_call_days_serial);
PG_FUNCTION_INFO_V1(im_call_days_deserial);
PG_FUNCTION_INFO_V1(im_call_days_value);
PG_FUNCTION_INFO_V1(im_call_days_final);

static void
add_day(const TallyEntry *day, UsageRows *days)
{
	UsageRow   *row = usage_rows_add(days, (CalDay) day->key);

	for (int i = 0; i < CALL_CLASSES; i++)
		row->fields[USAGE_CALL_AUDIO + i] =
			day->sums[i] / SECS_PER_MINUTE + (day->sums[i] % SECS_PER_MINUTE > 0);
}

Datum
im_call_days_trans(PG_FUNCTION_ARGS)
{
	EventRow	row = {.table = "im_call", .column = "class", .kinds = "audio, sd, hd and fhd"};
	EventDays  *state;
	int			class;

	meter_context(fcinfo);
	if (!event_row_read(&row, fcinfo))
		return state_unchanged(fcinfo);
	class = call_class_find(row.kind, row.kind_len);
	if (unlikely(class < 0))
		event_unknown_kind(&row);
	state = event_days_state(fcinfo, row.app_id);
	tally_add(&state->tally, row.day, class, event_seconds(&row, true));
	PG_RETURN_POINTER(state);
}

Datum
im_call_days_combine(PG_FUNCTION_ARGS)
{
	return event_days_combine(fcinfo);
}

Datum
im_call_days_serial(PG_FUNCTION_ARGS)
{
	return event_days_serial(fcinfo, "im_call_days");
}

Datum
im_call_days_deserial(PG_FUNCTION_ARGS)
{
	return event_days_deserial(fcinfo);
}

Datum
im_call_days_value(PG_FUNCTION_ARGS)
{
	UsageRows	days;
	int64		app_id = event_days_rows(fcinfo, add_day, &days);

	return usage_rows_result(fcinfo, &days, app_id);
}

/* For SQL of 0.1.0 and 0.2.0. */
Datum
im_call_days_final(PG_FUNCTION_ARGS)
{
	UsageRows	days;
	int64		app_id = event_days_rows(fcinfo, add_day, &days);

	return old_usage_result(fcinfo, &days, app_id);
}
