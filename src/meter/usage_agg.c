/*
 * usage_agg.c
 *	  The aggregate im_usage_agg: daily figures of one app as one value.
 *
 * A month of a million apps passes through here row by row, so the state is
 * small: packed rows in the order of arrival, folded at the end only if they
 * did not come by day.  Partial states do not exist: whole apps are what
 * workers share (im_by_ranges), and values of one app can be merged.
 */
#include "lib/compat.h"

#include "utils/date.h"

#include "lib/wire.h"
#include "meter/usage_state.h"
#include "server/zone.h"

/* Arguments of the transition function: state, app_id, day, then figures. */
#define ARG_APP			1
#define ARG_DAY			2
#define ARG_WHOLE		(ARG_DAY + USAGE_FIELDS)
#define ARG_USERS		(ARG_WHOLE + 1)

PG_FUNCTION_INFO_V1(im_usage_agg_trans);
PG_FUNCTION_INFO_V1(im_usage_agg_value);

/* SQL of 0.1.0 and 0.2.0 knew neither of them. */
#define IS_NULL(argno)	((argno) >= PG_NARGS() || PG_ARGISNULL(argno))

UsageState *
usage_state_make(MemoryContext context, int64 app_id)
{
	UsageState *state = MemoryContextAlloc(context, sizeof(UsageState));

	state->app_id = app_id;
	usage_pack_init(&state->days, context);
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
					   day_text(PG_GETARG_DATEADT(ARG_DAY)), usage_field_names[field]),
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
read_figures(FunctionCallInfo fcinfo, UsageRow *row)
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

static struct varlena *
copied_set(FunctionCallInfo fcinfo, MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	struct varlena *set = PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(ARG_USERS));

	MemoryContextSwitchTo(old);
	return set;
}

/*
 * Of a row of a user null is not given, unless the row speaks for its whole
 * day; a row that was metered gives nothing.
 */
Datum
im_usage_agg_trans(PG_FUNCTION_ARGS)
{
	MemoryContext context = meter_context(fcinfo);
	UsageState *state = PG_ARGISNULL(0) ? NULL : (UsageState *) PG_GETARG_POINTER(0);
	UsageRow	row;

	row.given = read_figures(fcinfo, &row);
	if (IS_NULL(ARG_WHOLE))
		row.given = 0;
	else if (PG_GETARG_BOOL(ARG_WHOLE))
		row.given = GIVEN_WHOLE;
	row.users = IS_NULL(ARG_USERS) ? NULL : copied_set(fcinfo, context);
	row.users_given = !IS_NULL(ARG_WHOLE);
	if (state == NULL)
		state = usage_state_make(context, PG_GETARG_INT64(ARG_APP));
	usage_pack_add(&state->days, &row);
	PG_RETURN_POINTER(state);
}

Datum
im_usage_agg_value(PG_FUNCTION_ARGS)
{
	UsageState *state;

	meter_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = (UsageState *) PG_GETARG_POINTER(0);
	PG_RETURN_POINTER(usage_pack_value(&state->days, state->app_id));
}
