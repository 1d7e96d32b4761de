/*
 * limits.c
 *	  What an app may do on the day of an instant (R14).
 */
#include "rate/inputs.h"

#include "core/bill/meter_month.h"
#include "core/orders/limit.h"
#include "funcapi.h"
#include "utils/date.h"
#include "utils/fmgrprotos.h"

PG_FUNCTION_INFO_V1(im_rate_limit);
PG_FUNCTION_INFO_V1(im_rate_limits);
PG_FUNCTION_INFO_V1(im_rate_used);

/* Arguments of im_rate_used() after the price book. */
#define ARG_TODAY	(input_places(fcinfo)->month)
#define ARG_METER	(input_places(fcinfo)->more)

/* Columns of im_rate_limits. */
enum
{
	LIMITS_NAME,
	LIMITS_VALUE,
	LIMITS_SOURCE,
	LIMITS_COLUMNS
};

static Datum
value_of(const AppLimit *limit)
{
	return limit->unlimited ?
		DirectFunctionCall3(numeric_in, CStringGetDatum("Infinity"), ObjectIdGetDatum(InvalidOid),
							Int32GetDatum(-1)) :
		amount_to_numeric(limit->value, 0);
}

/* All orders: a renewal in the grace makes days before it days of a term. */
static Account *
read_account(Inputs *inputs, FunctionCallInfo fcinfo, CalDay *day)
{
	inputs_open_orders(inputs, fcinfo);
	inputs_read(inputs);
	*day = inputs_day(inputs, PG_GETARG_TIMESTAMPTZ(inputs->places->month));
	return inputs_account(inputs, CAL_MAX_DAY + 1);
}

/* Null where nothing states the limit. */
Datum
im_rate_limit(PG_FUNCTION_ARGS)
{
	Inputs		inputs;
	AppLimit		limit;
	CalDay		day;
	const Account *account = read_account(&inputs, fcinfo, &day);

	if (!limit_find(account, day, text_to_cstring(PG_GETARG_TEXT_PP(inputs.places->more)), &limit))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(value_of(&limit));
}

/* Where a limit comes from: the state, an add-on with its option, or the plan. */
static const char *
source_of(const AppLimit *limit)
{
	if (limit->plan == NULL)
		return service_state_names[limit->state];
	if (limit->addon == NULL)
		return psprintf("plan %s", limit->plan);
	return limit->option == NULL ? limit->addon : psprintf("%s %s", limit->addon, limit->option);
}

static void
put_limit(void *arg, const AppLimit *limit)
{
	ReturnSetInfo *result = arg;
	Datum		values[LIMITS_COLUMNS];
	bool		nulls[LIMITS_COLUMNS] = {false};

	values[LIMITS_NAME] = CStringGetTextDatum(limit->name);
	values[LIMITS_VALUE] = value_of(limit);
	values[LIMITS_SOURCE] = CStringGetTextDatum(source_of(limit));
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

Datum
im_rate_limits(PG_FUNCTION_ARGS)
{
	Inputs		inputs;
	CalDay		day;
	const Account *account;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	account = read_account(&inputs, fcinfo, &day);
	limit_each(account, day, put_limit, fcinfo->resultinfo);
	PG_RETURN_NULL();
}

/* False where a day was given without the users who are to be counted. */
static bool
find_used(Inputs *inputs, const Bill *bill, const CardMeter *meter, CalDay today, Amount *used)
{
	const Problem *problem = &inputs->core.problem;

	inputs->core.tolerant = true;
	if (sigsetjmp(inputs->core.way_back, 0) != 0)
	{
		inputs->core.tolerant = false;
		if (problem->code != PROBLEM_USAGE)
			core_fail(&inputs->core.core, problem->code, problem->message, problem->detail, problem->hint);
		return false;
	}
	*used = meter_so_far(bill, meter, today);
	inputs->core.tolerant = false;
	return true;
}

/* Null for what is no meter of the card that rates the month. */
Datum
im_rate_used(PG_FUNCTION_ARGS)
{
	CalDay		today = PG_GETARG_DATEADT(ARG_TODAY);
	CalMonth	month = cal_month_of(today);
	Inputs		inputs;
	Usage	   *usage;
	const Bill *bill;
	const CardMeter *meter;
	Amount		used;

	inputs_open(&inputs, fcinfo);
	inputs_read(&inputs);
	usage = inputs_bill_usage(&inputs, month);
	if (usage == NULL)
		PG_RETURN_NULL();
	bill = bill_open(&inputs.core.core, inputs_account(&inputs, cal_first_day(month + 1)), usage, month);
	meter = card_meter(bill->card, text_to_cstring(PG_GETARG_TEXT_PP(ARG_METER)));
	if (meter == NULL || !find_used(&inputs, bill, meter, today, &used))
		PG_RETURN_NULL();
	return amount_to_numeric(used, 0);
}
