/*
 * usage_rows.c
 *	  The aggregate im_usage_agg: daily figures of one app as one value.
 *
 * A month of a million apps passes through here row by row, so the state is
 * what the result will be: rows in the order of arrival, folded at the end
 * only if they did not come by day.
 */
#include "types/compat.h"

#include "utils/date.h"

#include "meter/day_rows.h"
#include "meter/wire.h"
#include "meter/zone.h"

#define FIRST_ROOM		31		/* a month */

/* Arguments of the transition function: state, app_id, day, then figures. */
#define ARG_APP			1
#define ARG_DAY			2

typedef struct UsageState
{
	int64		app_id;			/* of the first row, for messages */
	DayRows		days;
} UsageState;

static const char *const columns[USAGE_FIELDS] = {
	"day", "dau", "peak_groups", "text_checks", "image_checks",
	"audio_half_minutes", "video_half_minutes",
	"audio_minutes", "sd_minutes", "hd_minutes", "fhd_minutes"
};

PG_FUNCTION_INFO_V1(im_usage_agg_trans);
PG_FUNCTION_INFO_V1(im_usage_agg_combine);
PG_FUNCTION_INFO_V1(im_usage_agg_serial);
PG_FUNCTION_INFO_V1(im_usage_agg_deserial);
PG_FUNCTION_INFO_V1(im_usage_agg_final);

static UsageState *
new_state(MemoryContext context, int64 app_id, int64 room)
{
	UsageState *state = MemoryContextAlloc(context, sizeof(UsageState));

	state->app_id = app_id;
	day_rows_init(&state->days, context, room);
	return state;
}

static pg_noinline void
bad_day(FunctionCallInfo fcinfo)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("day of usage is out of range: %s",
					PG_ARGISNULL(ARG_DAY) ? "null" : day_text(PG_GETARG_DATEADT(ARG_DAY))),
			 errdetail("Table im_usage_daily, app %lld, column \"day\".",
					   (long long) PG_GETARG_INT64(ARG_APP)),
			 errhint("Days run from 0001-01-01 through 9999-12-31.")));
}

static pg_noinline void
negative_figure(FunctionCallInfo fcinfo, int field)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("figure of usage is negative: %lld",
					(long long) PG_GETARG_INT64(ARG_DAY + field)),
			 errdetail("Table im_usage_daily, app %lld, day %s, column \"%s\".",
					   (long long) PG_GETARG_INT64(ARG_APP),
					   day_text(PG_GETARG_DATEADT(ARG_DAY)), columns[field]),
			 errhint("Correct or delete the row.")));
}

static CalDay
usage_day(FunctionCallInfo fcinfo)
{
	DateADT		day = PG_GETARG_DATEADT(ARG_DAY);

	if (unlikely(PG_ARGISNULL(ARG_DAY) || day < CAL_MIN_DAY || day > CAL_MAX_DAY))
		bad_day(fcinfo);
	return day;
}

/* The figures stand behind the day in the order of UsageField. */
Datum
im_usage_agg_trans(PG_FUNCTION_ARGS)
{
	MemoryContext context = meter_context(fcinfo);
	UsageState *state = PG_ARGISNULL(0) ? NULL : (UsageState *) PG_GETARG_POINTER(0);
	CalDay		day = usage_day(fcinfo);
	DayRow	   *row;

	if (state == NULL)
		state = new_state(context, PG_GETARG_INT64(ARG_APP), FIRST_ROOM);
	row = day_rows_add(&state->days, day);
	for (int i = USAGE_DAY + 1; i < USAGE_FIELDS; i++)
	{
		if (PG_ARGISNULL(ARG_DAY + i))
			continue;
		row->fields[i] = PG_GETARG_INT64(ARG_DAY + i);
		if (unlikely(row->fields[i] < 0))
			negative_figure(fcinfo, i);
	}
	PG_RETURN_POINTER(state);
}

static void
append_rows(DayRows *rows, const DayRows *more)
{
	for (int64 i = 0; i < more->count; i++)
		*day_rows_add(rows, more->rows[i].fields[USAGE_DAY]) = more->rows[i];
}

Datum
im_usage_agg_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = meter_context(fcinfo);
	UsageState *state = PG_ARGISNULL(0) ? NULL : (UsageState *) PG_GETARG_POINTER(0);
	UsageState *more = PG_ARGISNULL(1) ? NULL : (UsageState *) PG_GETARG_POINTER(1);

	if (more != NULL)
	{
		if (state == NULL)
			state = new_state(context, more->app_id, more->days.count);
		append_rows(&state->days, &more->days);
	}
	if (state == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(state);
}

Datum
im_usage_agg_serial(PG_FUNCTION_ARGS)
{
	UsageState *state;
	StringInfoData buf;

	meter_context(fcinfo);
	state = (UsageState *) PG_GETARG_POINTER(0);
	wire_begin(&buf, "im_usage_agg", state->days.count * sizeof(DayRow));
	pq_sendint64(&buf, state->app_id);
	pq_sendint64(&buf, state->days.count);
	for (int64 i = 0; i < state->days.count; i++)
		for (int f = 0; f < USAGE_FIELDS; f++)
			pq_sendint64(&buf, state->days.rows[i].fields[f]);
	PG_RETURN_BYTEA_P(wire_end(&buf));
}

static void
recv_row(StringInfo buf, DayRows *rows)
{
	int64		day = pq_getmsgint64(buf);
	DayRow	   *row;

	wire_check(day >= CAL_MIN_DAY && day <= CAL_MAX_DAY);
	row = day_rows_add(rows, (CalDay) day);
	for (int f = USAGE_DAY + 1; f < USAGE_FIELDS; f++)
	{
		row->fields[f] = pq_getmsgint64(buf);
		wire_check(row->fields[f] >= 0);
	}
}

Datum
im_usage_agg_deserial(PG_FUNCTION_ARGS)
{
	UsageState *state;
	StringInfoData buf;
	int64		app_id,
				count;

	meter_context(fcinfo);
	wire_open(&buf, fcinfo);
	app_id = pq_getmsgint64(&buf);
	count = wire_count(&buf, sizeof(DayRow));
	wire_check(count > 0);
	state = new_state(CurrentMemoryContext, app_id, count);
	for (int64 i = 0; i < count; i++)
		recv_row(&buf, &state->days);
	wire_close(&buf);
	PG_RETURN_POINTER(state);
}

Datum
im_usage_agg_final(PG_FUNCTION_ARGS)
{
	UsageState *state;

	meter_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = (UsageState *) PG_GETARG_POINTER(0);
	day_rows_fold(&state->days, state->app_id);
	PG_RETURN_ARRAYTYPE_P(day_rows_array(&state->days));
}
