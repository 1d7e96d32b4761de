/*
 * usage_days.c
 *	  The usage of an app day by day, as its bill sees it.
 */
#include "rate/inputs.h"

#include "funcapi.h"
#include "utils/date.h"

PG_FUNCTION_INFO_V1(im_rate_usage);

/* Columns of im_rate_usage; figures stand in the order of UsageField. */
enum
{
	DAYS_DAY,
	DAYS_STATUS,
	DAYS_PLAN,
	DAYS_GIVEN,
	DAYS_FIGURES,
	DAYS_COLUMNS = DAYS_FIGURES + USAGE_FIELDS - 1
};

static bool
any_figure(const Usage *usage, CalDay day)
{
	for (int f = USAGE_DAY + 1; f < USAGE_FIELDS; f++)
		if (usage_on(usage, day, f) != 0)
			return true;
	return false;
}

static void
put_day(ReturnSetInfo *result, const Account *account, const Usage *usage, CalDay day)
{
	Datum		values[DAYS_COLUMNS] = {0};
	bool		nulls[DAYS_COLUMNS] = {false};
	bool		given = usage_given(usage, day) != 0;
	const char *plan = NULL;

	if (!given && !any_figure(usage, day))
		return;
	values[DAYS_DAY] = DateADTGetDatum(day);
	nulls[DAYS_STATUS] = account == NULL;
	if (account != NULL)
		values[DAYS_STATUS] =
			CStringGetTextDatum(service_state_names[account_state(account, day, &plan)]);
	nulls[DAYS_PLAN] = plan == NULL;
	if (plan != NULL)
		values[DAYS_PLAN] = CStringGetTextDatum(plan);
	values[DAYS_GIVEN] = BoolGetDatum(given);
	for (int f = USAGE_DAY + 1; f < USAGE_FIELDS; f++)
		values[DAYS_FIGURES + f - 1] = Int64GetDatum(usage_on(usage, day, f));
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* NULL where the orders break the rules: the usage is there all the same. */
static const Account *
try_account(Inputs *inputs, CalDay until)
{
	inputs->core.tolerant = true;
	if (sigsetjmp(inputs->core.way_back, 0) != 0)
	{
		inputs->core.tolerant = false;
		return NULL;
	}
	inputs_read(inputs);
	return inputs_account(inputs, until);
}

Datum
im_rate_usage(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	CalMonth	month = inputs_month(fcinfo);
	Inputs		inputs;
	const Account *account;
	const Usage *usage;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	inputs_open(&inputs, fcinfo);
	/* all orders: a renewal in the grace makes days before it days of a term */
	account = try_account(&inputs, CAL_MAX_DAY + 1);
	inputs.core.tolerant = false;
	usage = inputs_usage(&inputs, month);
	for (CalDay day = cal_first_day(month); day < cal_first_day(month + 1); day++)
		put_day(result, account, usage, day);
	PG_RETURN_NULL();
}
