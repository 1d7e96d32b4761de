/*
 * orders.c
 *	  The order log of one app: is it sound, what does a bill need, what
 *	  state is the app in.
 */
#include "rate/inputs.h"

#include "utils/date.h"

PG_FUNCTION_INFO_V1(im_verify_orders);
PG_FUNCTION_INFO_V1(im_order_problem);
PG_FUNCTION_INFO_V1(im_rate_problem);
PG_FUNCTION_INFO_V1(im_usage_since);
PG_FUNCTION_INFO_V1(im_rate_state);

#define ALL_DAYS	(CAL_MAX_DAY + 1)

/* Raises the first violation of a rule; true if there is none. */
Datum
im_verify_orders(PG_FUNCTION_ARGS)
{
	Inputs		inputs;

	inputs_open(&inputs, fcinfo);
	inputs_read(&inputs);
	inputs_account(&inputs, ALL_DAYS);
	PG_RETURN_BOOL(true);
}

/* The same as a text, NULL if there is none: for reports over all apps. */
Datum
im_order_problem(PG_FUNCTION_ARGS)
{
	Inputs		inputs;

	inputs_open(&inputs, fcinfo);
	inputs.core.tolerant = true;
	if (sigsetjmp(inputs.core.way_back, 0) != 0)
		PG_RETURN_TEXT_P(cstring_to_text(inputs.core.problem.message));
	inputs_read(&inputs);
	inputs_account(&inputs, ALL_DAYS);
	PG_RETURN_NULL();
}

/* Why a bill cannot be computed, NULL if it can. */
Datum
im_rate_problem(PG_FUNCTION_ARGS)
{
	Inputs		inputs;

	inputs_open(&inputs, fcinfo);
	inputs.core.tolerant = true;
	if (sigsetjmp(inputs.core.way_back, 0) != 0)
		PG_RETURN_TEXT_P(cstring_to_text(inputs.core.problem.message));
	inputs_read(&inputs);
	inputs_bill(&inputs);
	PG_RETURN_NULL();
}

/*
 * The first day whose usage bears on the bill of a month.  Problems are for
 * the bill itself to raise: here they mean that no more than the month needs
 * to be read.
 */
Datum
im_usage_since(PG_FUNCTION_ARGS)
{
	Inputs		inputs;
	CalMonth	month = PG_GETARG_INT32(ARG_MONTH);
	Account    *account;

	inputs_open(&inputs, fcinfo);
	inputs.core.tolerant = true;
	if (sigsetjmp(inputs.core.way_back, 0) != 0)
		PG_RETURN_DATEADT(cal_first_day(month));
	inputs_read(&inputs);
	account = inputs_account(&inputs, cal_first_day(month + 1));
	PG_RETURN_DATEADT(bill_usage_since(account, month));
}

/* The state of the app on the day of an instant. */
Datum
im_rate_state(PG_FUNCTION_ARGS)
{
	Inputs		inputs;
	DateADT		day;
	Account    *account;
	const char *plan;

	inputs_open(&inputs, fcinfo);
	inputs_read(&inputs);
	day = zone_day(inputs_zone(&inputs), PG_GETARG_TIMESTAMPTZ(ARG_MONTH));
	if (day < CAL_MIN_DAY || day > CAL_MAX_DAY)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("the state of an app is not known at %s",
						instant_text(PG_GETARG_TIMESTAMPTZ(ARG_MONTH))),
				 errdetail("Days of the years 1 to 9999 have a state."),
				 errhint("Ask for an instant of a day in that range.")));
	/* all orders: a renewal in the grace makes days before it days of a term */
	account = inputs_account(&inputs, ALL_DAYS);
	PG_RETURN_TEXT_P(cstring_to_text(service_state_names[account_state(account, day, &plan)]));
}
