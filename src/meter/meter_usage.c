/*
 * meter_usage.c
 *	  The aggregate im_meter_usage: days of meters by name of one app as one
 *	  value.
 *
 * A day comes in as many rows as there are who tell of it; what is given and
 * what its events say lie side by side in the value (types/usage_value.h).
 */
#include "lib/compat.h"

#include "utils/date.h"
#include "utils/fmgrprotos.h"

#include "lib/wire.h"
#include "server/zone.h"
#include "types/decimal.h"
#include "types/usage_value.h"

PG_FUNCTION_INFO_V1(im_meter_usage_trans);
PG_FUNCTION_INFO_V1(im_meter_usage_final);

enum
{
	ARG_APP = 1,
	ARG_METER,
	ARG_DAY,
	ARG_GIVEN,
	ARG_QUANTITY,
	ARG_USERS,
	ARG_AREA,
	ARG_BEFORE,
	ARG_LENGTH
};

typedef struct MeterUsageState
{
	int64		app_id;
	UsageRows	rows;
} MeterUsageState;

static MeterUsageState *
new_state(MemoryContext context, int64 app_id)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	MeterUsageState *state = palloc(sizeof(MeterUsageState));

	state->app_id = app_id;
	usage_rows_init(&state->rows, 1);
	MemoryContextSwitchTo(old);
	return state;
}

static pg_noinline void
need_day(FunctionCallInfo fcinfo)
{
	DateADT		day = PG_ARGISNULL(ARG_DAY) ? DATEVAL_NOEND : PG_GETARG_DATEADT(ARG_DAY);

	if (PG_ARGISNULL(ARG_APP) || PG_ARGISNULL(ARG_METER) || day < CAL_MIN_DAY || day > CAL_MAX_DAY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("day of usage is out of range: %s", day_text(day)),
				 errdetail("A day of a meter has an app, a name and a day from 0001-01-01 through 9999-12-31."),
				 errhint("Correct or delete the row of im_meter_daily.")));
}

/* Only users can write what does not fit; what events say was looked at. */
static Amount
figure_of(FunctionCallInfo fcinfo, int argno)
{
	Amount		amount = 0;
	AmountParse parse = decimal_amount(PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(argno)), &amount);
	const char *is = parse == AMOUNT_TOO_FINE ? "has more than 8 decimal places" :
		parse == AMOUNT_TOO_LARGE ? "is too large" :
		parse == AMOUNT_NOT_A_NUMBER ? "is not finite" : "is negative";

	if (unlikely(parse != AMOUNT_OK || amount < 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("quantity %s %s",
						DatumGetCString(DirectFunctionCall1(numeric_out, PG_GETARG_DATUM(argno))), is),
				 errdetail("Table im_meter_daily, app %lld, meter \"%s\", day %s.",
						   (long long) PG_GETARG_INT64(ARG_APP), TextDatumGetCString(PG_GETARG_DATUM(ARG_METER)),
						   day_text(PG_GETARG_DATEADT(ARG_DAY))),
				 errhint("Correct or delete the row.")));
	return amount;
}

static void
read_day(FunctionCallInfo fcinfo, MeterDay *day)
{
	day->has_given = !PG_ARGISNULL(ARG_GIVEN);
	if (day->has_given)
		day->given = figure_of(fcinfo, ARG_GIVEN);
	day->has_events = !PG_ARGISNULL(ARG_QUANTITY);
	if (day->has_events)
		day->quantity = figure_of(fcinfo, ARG_QUANTITY);
	if (PG_ARGISNULL(ARG_AREA))
		return;
	day->area = figure_of(fcinfo, ARG_AREA);
	day->before = PG_ARGISNULL(ARG_BEFORE) ? 0 : PG_GETARG_INT64(ARG_BEFORE);
	day->length = PG_ARGISNULL(ARG_LENGTH) ? 0 : PG_GETARG_INT64(ARG_LENGTH);
}

/* The days of a meter mostly come one after the other. */
static const char *
name_of(const UsageRows *rows, text *name)
{
	const char *last = rows->nmeters > 0 ? rows->meters[rows->nmeters - 1].meter : NULL;
	Size		len = VARSIZE_ANY_EXHDR(name);

	if (last != NULL && strlen(last) == len && memcmp(last, VARDATA_ANY(name), len) == 0)
		return last;
	return text_to_cstring(name);
}

Datum
im_meter_usage_trans(PG_FUNCTION_ARGS)
{
	MemoryContext context = meter_context(fcinfo),
				old;
	MeterUsageState *state;
	MeterRow   *row;
	MeterDay	day = {0};

	need_day(fcinfo);
	read_day(fcinfo, &day);
	state = PG_ARGISNULL(0) ? new_state(context, PG_GETARG_INT64(ARG_APP)) :
		(MeterUsageState *) PG_GETARG_POINTER(0);
	old = MemoryContextSwitchTo(context);
	day.day = PG_GETARG_DATEADT(ARG_DAY);
	row = usage_rows_add_meter(&state->rows, name_of(&state->rows, PG_GETARG_TEXT_PP(ARG_METER)), day.day);
	row->day = day;
	row->users = PG_ARGISNULL(ARG_USERS) ? NULL : PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(ARG_USERS));
	MemoryContextSwitchTo(old);
	PG_RETURN_POINTER(state);
}

Datum
im_meter_usage_final(PG_FUNCTION_ARGS)
{
	MeterUsageState *state;

	meter_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = (MeterUsageState *) PG_GETARG_POINTER(0);
	return usage_rows_result(fcinfo, &state->rows, state->app_id);
}
