/*
 * standing.c
 *	  How apps stand on a day: quotas, packs and terms, for whoever warns.
 */
#include "rate/inputs.h"

#include "core/finance/standing.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/date.h"

PG_FUNCTION_INFO_V1(im_rate_standing);

/* The instant of which the day is asked for; after the arguments of a bill. */
#define ARG_AT	(input_places(fcinfo)->more)

/* Columns of im_rate_standing. */
enum
{
	STANDING_COLUMN_KIND,
	STANDING_COLUMN_ITEM,
	STANDING_COLUMN_OPTION,
	STANDING_COLUMN_USED,
	STANDING_COLUMN_ALLOWED,
	STANDING_COLUMN_DAY,
	STANDING_COLUMN_TODAY,
	STANDING_COLUMN_PROBLEM,
	STANDING_COLUMNS
};

typedef struct StandingWriter
{
	ReturnSetInfo *result;
	CalDay		today;
} StandingWriter;

static void
put_standing(void *arg, const Standing *standing)
{
	StandingWriter *writer = arg;
	Datum		values[STANDING_COLUMNS] = {0};
	bool		nulls[STANDING_COLUMNS] = {false};

	values[STANDING_COLUMN_KIND] = CStringGetTextDatum(standing_kind_names[standing->kind]);
	values[STANDING_COLUMN_ITEM] = CStringGetTextDatum(standing->item);
	values[STANDING_COLUMN_OPTION] = CStringGetTextDatum(standing->option);
	values[STANDING_COLUMN_USED] = amount_to_numeric(standing->used, 0);
	values[STANDING_COLUMN_ALLOWED] = amount_to_numeric(standing->allowed, 0);
	values[STANDING_COLUMN_DAY] = DateADTGetDatum(standing->day);
	values[STANDING_COLUMN_TODAY] = DateADTGetDatum(writer->today);
	nulls[STANDING_COLUMN_PROBLEM] = true;
	tuplestore_putvalues(writer->result->setResult, writer->result->setDesc, values, nulls);
}

/* One app that cannot be rated must not silence the warnings of the others. */
static void
put_problem(ReturnSetInfo *result, const char *problem)
{
	Datum		values[STANDING_COLUMNS] = {0};
	bool		nulls[STANDING_COLUMNS];

	memset(nulls, true, sizeof(nulls));
	nulls[STANDING_COLUMN_KIND] = nulls[STANDING_COLUMN_PROBLEM] = false;
	values[STANDING_COLUMN_KIND] = CStringGetTextDatum("problem");
	values[STANDING_COLUMN_PROBLEM] = sentence_datum(problem);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* The day of the instant, or the month's last where that is earlier. */
static CalDay
standing_day(Inputs *inputs, CalMonth month)
{
	FunctionCallInfo fcinfo = inputs->fcinfo;
	CalDay		day = zone_day(inputs_zone(inputs), PG_GETARG_TIMESTAMPTZ(ARG_AT)),
				last = cal_first_day(month + 1) - 1;

	return Max(Min(day, last), CAL_MIN_DAY);
}

/* The users of a month through a day. */
typedef struct UsersSoFar
{
	int64_t		(*month_users) (void *arg, const char *meter, CalDay first, int ndays,
								const bool *chosen);
	void	   *arg;
	CalDay		today;
} UsersSoFar;

static int64_t
users_so_far(void *arg, const char *meter, CalDay first, int ndays, const bool *chosen)
{
	const UsersSoFar *users = arg;
	bool	   *known = palloc(ndays);

	for (int i = 0; i < ndays; i++)
		known[i] = chosen[i] && first + i <= users->today;
	return users->month_users(users->arg, meter, first, ndays, known);
}

/* What was used after a day is not known on it. */
static void
forget_later(Core *core, Usage *usage, CalDay today)
{
	UsersSoFar *users = palloc(sizeof(UsersSoFar));

	*users = (UsersSoFar) {usage->month_users, usage->arg, today};
	usage->month_users = users_so_far;
	usage->arg = users;
	usage_forget_after(core, usage, today);
}

/*
 * What orders of later days change is not known yet.  Voids change nothing:
 * what they undo was never placed, and its usage was not gathered.
 */
static void
forget_orders_after(Inputs *inputs, CalDay today)
{
	int			kept = 0;

	for (int i = 0; i < inputs->norders; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (inputs->orders[i].day <= today || inputs->orders[i].action == ORDER_VOID)
			inputs->orders[kept++] = inputs->orders[i];
	}
	inputs->norders = kept;
}

/* Before the month has begun there is no usage of it to tell. */
static void
tell_standing(Inputs *inputs, StandingWriter *writer)
{
	FunctionCallInfo fcinfo = inputs->fcinfo;
	CalMonth	month = inputs_month(fcinfo);
	Account    *account;

	forget_orders_after(inputs, writer->today);
	account = inputs_account(inputs, writer->today + 1);
	if (writer->today >= cal_first_day(month))
	{
		Usage	   *usage = inputs_bill_usage(inputs, month);

		if (usage != NULL)
			forget_later(&inputs->core.core, usage, writer->today);
		if (usage != NULL)
			standing_of_usage(bill_compute(&inputs->core.core, account, usage, month),
							  writer->today, put_standing, writer);
	}
	standing_of_terms(account, writer->today, put_standing, writer);
}

Datum
im_rate_standing(PG_FUNCTION_ARGS)
{
	StandingWriter writer = {.result = (ReturnSetInfo *) fcinfo->resultinfo};
	Inputs		inputs;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	inputs_open(&inputs, fcinfo);
	inputs.core.tolerant = true;
	if (sigsetjmp(inputs.core.way_back, 0) != 0)
	{
		put_problem(writer.result, inputs.core.problem.message);
		PG_RETURN_NULL();
	}
	inputs_read(&inputs);
	writer.today = standing_day(&inputs, inputs_month(fcinfo));
	tell_standing(&inputs, &writer);
	PG_RETURN_NULL();
}
