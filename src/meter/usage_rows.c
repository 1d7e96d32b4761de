/*
 * usage_rows.c
 *	  The aggregates im_usage_agg, im_usage_pack and im_given_pack: daily
 *	  figures of one app as one value.
 *
 * A month of a million apps passes through here row by row, so the state is
 * small: packed rows in the order of arrival, folded at the end only if they
 * did not come by day.  They differ in what they give: a flat array for
 * reading, a packed one for rating, and one of users' rows, which tells the
 * figures that were given from those that are metered.
 */
#include "lib/compat.h"

#include "utils/date.h"

#include "lib/wire.h"
#include "meter/day_pack.h"
#include "server/zone.h"

/* Arguments of the transition functions: state, app_id, day, then figures. */
#define ARG_APP			1
#define ARG_DAY			2
#define ARG_WHOLE		(ARG_DAY + USAGE_FIELDS)	/* of im_given_pack alone */

typedef struct UsageState
{
	int64		app_id;			/* of the first row, for messages */
	DayPack		days;
} UsageState;

static const char *const columns[USAGE_FIELDS] = {
	"day", "dau", "peak_groups", "text_checks", "image_checks",
	"audio_half_minutes", "video_half_minutes",
	"audio_minutes", "sd_minutes", "hd_minutes", "fhd_minutes"
};

PG_FUNCTION_INFO_V1(im_usage_agg_trans);
PG_FUNCTION_INFO_V1(im_given_pack_trans);
PG_FUNCTION_INFO_V1(im_usage_agg_combine);
PG_FUNCTION_INFO_V1(im_usage_agg_serial);
PG_FUNCTION_INFO_V1(im_usage_agg_deserial);
PG_FUNCTION_INFO_V1(im_usage_agg_final);
PG_FUNCTION_INFO_V1(im_usage_pack_final);

static UsageState *
new_state(MemoryContext context, int64 app_id)
{
	UsageState *state = MemoryContextAlloc(context, sizeof(UsageState));

	state->app_id = app_id;
	day_pack_init(&state->days, context);
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

/*
 * Reads the figures, which stand behind the day in the order of UsageField,
 * and returns which are not null.
 */
static inline GivenFigures
read_figures(FunctionCallInfo fcinfo, DayRow *row)
{
	GivenFigures given = 0;

	row->fields[USAGE_DAY] = usage_day(fcinfo);
	for (int i = USAGE_DAY + 1; i < USAGE_FIELDS; i++)
	{
		bool		isnull = PG_ARGISNULL(ARG_DAY + i);

		row->fields[i] = isnull ? 0 : PG_GETARG_INT64(ARG_DAY + i);
		given |= isnull ? 0 : GIVEN(i);
		if (unlikely(row->fields[i] < 0))
			negative_figure(fcinfo, i);
	}
	return given;
}

static Datum
add_row(FunctionCallInfo fcinfo, MemoryContext context, const DayRow *row, GivenFigures given)
{
	UsageState *state = PG_ARGISNULL(0) ? NULL : (UsageState *) PG_GETARG_POINTER(0);

	if (state == NULL)
		state = new_state(context, PG_GETARG_INT64(ARG_APP));
	day_pack_add(&state->days, row, given);
	PG_RETURN_POINTER(state);
}

Datum
im_usage_agg_trans(PG_FUNCTION_ARGS)
{
	MemoryContext context = meter_context(fcinfo);
	DayRow		row;

	(void) read_figures(fcinfo, &row);
	return add_row(fcinfo, context, &row, GIVEN_WHOLE);
}

/* Rows of users: null is not given, unless the row speaks for its whole day. */
Datum
im_given_pack_trans(PG_FUNCTION_ARGS)
{
	MemoryContext context = meter_context(fcinfo);
	DayRow		row;
	GivenFigures given = read_figures(fcinfo, &row);

	if (!PG_ARGISNULL(ARG_WHOLE) && PG_GETARG_BOOL(ARG_WHOLE))
		given = GIVEN_WHOLE;
	return add_row(fcinfo, context, &row, given);
}

/* The rows of a state; the bytes are our own, or were checked on arrival. */
static DayRows
rows_of(const DayPack *pack)
{
	DayRows		rows;

	if (!day_pack_rows(pack->bytes, pack->len, pack->count, &rows, NULL))
		elog(ERROR, "daily usage was packed wrongly");
	return rows;
}

static void
append_rows(DayPack *pack, const DayPack *more)
{
	DayRows		rows = rows_of(more);

	for (int64 i = 0; i < rows.count; i++)
		day_pack_add(pack, &rows.rows[i], GIVEN_WHOLE);
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
			state = new_state(context, more->app_id);
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
	wire_begin(&buf, "im_usage_agg", state->days.len);
	pq_sendint64(&buf, state->app_id);
	pq_sendint64(&buf, state->days.count);
	pq_sendbytes(&buf, (const char *) state->days.bytes, state->days.len);
	PG_RETURN_BYTEA_P(wire_end(&buf));
}

Datum
im_usage_agg_deserial(PG_FUNCTION_ARGS)
{
	UsageState *state;
	StringInfoData buf;
	DayRows		rows;
	Size		len;
	int64		count;

	meter_context(fcinfo);
	wire_open(&buf, fcinfo);
	state = new_state(CurrentMemoryContext, pq_getmsgint64(&buf));
	count = wire_count(&buf, 2);
	len = buf.len - buf.cursor;
	wire_check(count > 0);
	wire_check(day_pack_rows((const uint8 *) pq_getmsgbytes(&buf, len), len, count, &rows, NULL));
	wire_close(&buf);
	for (int64 i = 0; i < count; i++)
		day_pack_add(&state->days, &rows.rows[i], GIVEN_WHOLE);
	PG_RETURN_POINTER(state);
}

Datum
im_usage_agg_final(PG_FUNCTION_ARGS)
{
	UsageState *state;
	DayRows		rows;

	meter_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = (UsageState *) PG_GETARG_POINTER(0);
	rows = rows_of(&state->days);
	day_rows_fold(&rows, state->app_id);
	PG_RETURN_ARRAYTYPE_P(day_rows_array(&rows));
}

Datum
im_usage_pack_final(PG_FUNCTION_ARGS)
{
	UsageState *state;

	meter_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = (UsageState *) PG_GETARG_POINTER(0);
	PG_RETURN_ARRAYTYPE_P(day_pack_array(&state->days, state->app_id));
}
