/*
 * orders.c
 *	  The order log of one app: is it sound, what does a bill need, what
 *	  state is the app in.
 */
#include "rate/inputs.h"

#include "miscadmin.h"
#include "utils/date.h"
#include "utils/timestamp.h"

#include "rate/old_inputs.h"

PG_FUNCTION_INFO_V1(im_verify_orders);
PG_FUNCTION_INFO_V1(im_order_problem);
PG_FUNCTION_INFO_V1(im_rate_problem);
PG_FUNCTION_INFO_V1(im_usage_since);
PG_FUNCTION_INFO_V1(im_rate_state);
PG_FUNCTION_INFO_V1(im_idle_pack);

#define ALL_DAYS	(CAL_MAX_DAY + 1)

/* Fails at the first violation of a rule. */
static void
verify(Inputs *inputs, TimestampTz since)
{
	inputs_read(inputs);
	account_verify(&inputs->core.core, inputs->app_id, &inputs->cards, inputs->orders, inputs->norders, since);
}

/*
 * Raises the first violation of a rule; true if there is none.  Voids are asked
 * from an instant on; the SQL of 0.2.0, which has none, does not tell it.
 */
Datum
im_verify_orders(PG_FUNCTION_ARGS)
{
	Inputs		inputs;

	inputs_open_orders(&inputs, fcinfo);
	verify(&inputs, old_inputs(fcinfo) ? DT_NOBEGIN : PG_GETARG_TIMESTAMPTZ(inputs.places->month));
	PG_RETURN_BOOL(true);
}

/* The same as a text, NULL if there is none: for reports over all apps. */
Datum
im_order_problem(PG_FUNCTION_ARGS)
{
	Inputs		inputs;

	inputs_open_orders(&inputs, fcinfo);
	inputs.core.tolerant = true;
	if (sigsetjmp(inputs.core.way_back, 0) != 0)
		PG_RETURN_TEXT_P(cstring_to_text(inputs.core.problem.message));
	verify(&inputs, DT_NOBEGIN);
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
	CalMonth	month = orders_month(fcinfo);
	Account    *account;

	inputs_open_orders(&inputs, fcinfo);
	inputs.core.tolerant = true;
	if (sigsetjmp(inputs.core.way_back, 0) != 0)
		PG_RETURN_DATEADT(cal_first_day(month));
	inputs_read(&inputs);
	account = inputs_account(&inputs, cal_first_day(month + 1));
	PG_RETURN_DATEADT(bill_usage_since(account, month));
}

static bool
has_pack_on(const Account *account, CalDay day)
{
	for (int i = 0; i < account->nterms; i++)
	{
		const Term *term = account->terms[i];

		core_step(account->core);
		if (strcmp(term->item, ITEM_PACK) == 0 && term->start <= day && day < term->ends)
			return true;
	}
	return false;
}

/* On, and of the plan of the day one on which it can be on; before the card there are no packs. */
static bool
moderation_is_on(const Account *account, const Switch *sw, CalDay day)
{
	const Card *card = card_of_month(account->cards, cal_month_of(day));
	const char *plan;

	account_state(account, day, &plan);
	return sw != NULL && switch_option(sw, day) != NULL && (card == NULL || moderation_offered(card, plan));
}

/* On which days of the month packs lapse, since moderation is switched off. */
static char *
idle_days(const Account *account, CalMonth month)
{
	const Switch *sw = account_switch(account, ITEM_MODERATION);
	CalDay		first = CAL_MAX_DAY,
				last = CAL_MIN_DAY;
	int			days = 0;
	char		from[CAL_TEXT_SIZE];
	char		through[CAL_TEXT_SIZE];

	for (CalDay day = cal_first_day(month); day < cal_first_day(month + 1); day++)
	{
		CHECK_FOR_INTERRUPTS();
		if (moderation_is_on(account, sw, day) || !has_pack_on(account, day))
			continue;
		days++;
		first = Min(first, day);
		last = Max(last, day);
	}
	return days == 0 ? NULL :
		psprintf("moderation packs are in force while cloud moderation is switched off: on %d %s, the first %s, the last %s",
				 days, days == 1 ? "day" : "days",
				 cal_day_text(first, from), cal_day_text(last, through));
}

Datum
im_idle_pack(PG_FUNCTION_ARGS)
{
	Inputs		inputs;
	CalMonth	month = orders_month(fcinfo);
	char	   *said;

	inputs_open_orders(&inputs, fcinfo);
	inputs.core.tolerant = true;
	if (sigsetjmp(inputs.core.way_back, 0) != 0)
		PG_RETURN_NULL();		/* im_order_problem() tells what is wrong */
	inputs_read(&inputs);
	said = idle_days(inputs_account(&inputs, cal_first_day(month + 1)), month);
	if (said == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(said));
}

/* The state of the app on the day of an instant. */
Datum
im_rate_state(PG_FUNCTION_ARGS)
{
	Inputs		inputs;
	CalDay		day;
	Account    *account;
	const char *plan;

	inputs_open_orders(&inputs, fcinfo);
	inputs_read(&inputs);
	day = inputs_day(&inputs, PG_GETARG_TIMESTAMPTZ(inputs.places->month));
	/* all orders: a renewal in the grace makes days before it days of a term */
	account = inputs_account(&inputs, ALL_DAYS);
	PG_RETURN_TEXT_P(cstring_to_text(service_state_names[account_state(account, day, &plan)]));
}
