/*
 * revenue.c
 *	  What of one app's fees is deferred, month by month.
 */
#include "rate/inputs.h"

#include "core/finance/revenue.h"
#include "funcapi.h"
#include "utils/date.h"

PG_FUNCTION_INFO_V1(im_rate_revenue);

/* The argument after those of inputs.h; the month is the first. */
#define ARG_LAST_MONTH	(input_places(fcinfo)->more)

typedef struct RevenueWriter
{
	ReturnSetInfo *result;
	int64		app_id;
	const Card *card;
} RevenueWriter;

static void
put_revenue(void *arg, const RevenueRow *row)
{
	RevenueWriter *writer = arg;
	int			scale = writer->card->scale;
	Datum		values[] = {
		Int64GetDatum(writer->app_id),
		DateADTGetDatum(cal_first_day(row->month)),
		DateADTGetDatum(cal_first_day(row->billed_month)),
		CStringGetTextDatum(row->item),
		CStringGetTextDatum(row->option),
		CStringGetTextDatum(writer->card->currency),
		amount_to_numeric(row->fees, scale),
		amount_to_numeric(row->deferred, scale)
	};
	bool		nulls[lengthof(values)] = {false};

	/* what is earned is the rest of what is billed */
	if (row->deferred != 0)
		tuplestore_putvalues(writer->result->setResult, writer->result->setDesc, values, nulls);
}

Datum
im_rate_revenue(PG_FUNCTION_ARGS)
{
	RevenueWriter writer = {.result = (ReturnSetInfo *) fcinfo->resultinfo};
	Inputs		inputs;
	CalMonth	first = inputs_month(fcinfo),
				last = PG_GETARG_INT32(ARG_LAST_MONTH);
	Account    *account;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	inputs_open(&inputs, fcinfo);
	inputs_read(&inputs);
	inputs_zone(&inputs);
	writer.app_id = inputs.app_id;
	/* all versions of a card share currency and scale */
	writer.card = inputs.cards.versions[0].card;
	account = inputs_account(&inputs, cal_first_day(last + 1));
	revenue_months(&inputs.core.core, account, inputs_usage(&inputs, last),
				   first, last, put_revenue, &writer);
	PG_RETURN_NULL();
}
