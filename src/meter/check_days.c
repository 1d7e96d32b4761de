/*
 * check_days.c
 *	  The aggregate im_check_days: moderation checks of one app by local day.
 *
 * Texts and images are counted.  Of audio and video the seconds are summed
 * per kind and clock hour, and an hour counts its whole half minutes; so the
 * tally is by hour, and hours become days only at the end.
 */
#include "lib/compat.h"

#include "lib/wire.h"
#include "meter/check_days.h"
#include "meter/event_days.h"
#include "meter/event_row.h"
#include "meter/old_usage.h"

#define HALF_MINUTE		30

PG_FUNCTION_INFO_V1(im_check_days_trans);
PG_FUNCTION_INFO_V1(im_check_days_combine);
PG_FUNCTION_INFO_V1(im_check_days_serial);
PG_FUNCTION_INFO_V1(im_check_days_deserial);
PG_FUNCTION_INFO_V1(im_check_days_value);
PG_FUNCTION_INFO_V1(im_check_days_final);

void
check_tally_add(Tally *tally, const EventRow *row)
{
	int32		amount;
	int			kind = check_of_row(row, &amount);

	tally_add(tally, event_hour(row->at, row->offset), kind, amount);
}

void
check_sums_units(const int64 sums[CHECK_KINDS], int64 units[CHECK_KINDS])
{
	units[CHECK_TEXT] = sums[CHECK_TEXT];
	units[CHECK_IMAGE] = sums[CHECK_IMAGE];
	units[CHECK_AUDIO] = sums[CHECK_AUDIO] / HALF_MINUTE;
	units[CHECK_VIDEO] = sums[CHECK_VIDEO] / HALF_MINUTE;
}

void
check_hour_units(const TallyEntry *hour, int64 units[CHECK_KINDS])
{
	check_sums_units(hour->sums, units);
}

/* Hours of one day become rows that folding sums. */
static void
add_hour(const TallyEntry *hour, UsageRows *days)
{
	int64		units[CHECK_KINDS];
	UsageRow   *row;

	check_hour_units(hour, units);
	row = usage_rows_add(days, event_hour_day(hour->key));
	row->fields[USAGE_TEXT] = units[CHECK_TEXT];
	row->fields[USAGE_IMAGE] = units[CHECK_IMAGE];
	row->fields[USAGE_AUDIO_HALF] = units[CHECK_AUDIO];
	row->fields[USAGE_VIDEO_HALF] = units[CHECK_VIDEO];
}

Datum
im_check_days_trans(PG_FUNCTION_ARGS)
{
	EventRow	row = {.table = "im_moderation_check", .column = "kind", .kinds = CHECK_KINDS_HINT};
	EventDays  *state;

	if (!event_row_read(&row, fcinfo))
		return state_unchanged(fcinfo);
	state = event_days_state(fcinfo, row.app_id);
	check_tally_add(&state->tally, &row);
	PG_RETURN_POINTER(state);
}

Datum
im_check_days_combine(PG_FUNCTION_ARGS)
{
	return event_days_combine(fcinfo);
}

Datum
im_check_days_serial(PG_FUNCTION_ARGS)
{
	return event_days_serial(fcinfo, "im_check_days");
}

Datum
im_check_days_deserial(PG_FUNCTION_ARGS)
{
	return event_days_deserial(fcinfo);
}

Datum
im_check_days_value(PG_FUNCTION_ARGS)
{
	UsageRows	days;
	int64		app_id = event_days_rows(fcinfo, add_hour, &days);

	return usage_rows_result(fcinfo, &days, app_id);
}

/* For SQL of 0.1.0 and 0.2.0. */
Datum
im_check_days_final(PG_FUNCTION_ARGS)
{
	UsageRows	days;
	int64		app_id = event_days_rows(fcinfo, add_hour, &days);

	return old_usage_result(fcinfo, &days, app_id);
}
