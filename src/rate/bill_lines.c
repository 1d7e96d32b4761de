/*
 * bill_lines.c
 *	  The bill of one app as rows of im_bill_line, and as a total.
 */
#include "rate/bill_lines.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "rate/reasons.h"
#include "utils/date.h"
#include "utils/rangetypes.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(im_rate_lines);
PG_FUNCTION_INFO_V1(im_rate_total);

/* Whether reasons are asked for instead of sentences; after the arguments of a bill. */
#define ARG_REASONS	(input_places(fcinfo)->more)

/* Columns of im_bill_line. */
enum
{
	LINE_APP_ID,
	LINE_MONTH,
	LINE_LINE,
	LINE_ITEM,
	LINE_OPTION,
	LINE_PERIOD,
	LINE_DUE_ON,
	LINE_QUANTITY,
	LINE_INCLUDED,
	LINE_BILLABLE,
	LINE_UNITS,
	LINE_UNIT_PRICE,
	LINE_AMOUNT,
	LINE_CURRENCY,
	LINE_EXPLANATION,
	LINE_COLUMNS
};

static Datum
period_datum(CalDay from, CalDay until)
{
	TypeCacheEntry *typcache = lookup_type_cache(DATERANGEOID, TYPECACHE_RANGE_INFO);
	RangeBound	lower = {.val = DateADTGetDatum(from), .inclusive = true, .lower = true};
	RangeBound	upper = {.val = DateADTGetDatum(until)};

	return RangeTypePGetDatum(range_of_bounds(typcache, &lower, &upper));
}

static void
put_quantities(const BillLine *line, Datum *values, bool *nulls)
{
	const Amount figures[] = {line->quantity, line->included, line->billable, line->units};

	for (int i = 0; i < (int) lengthof(figures); i++)
	{
		values[LINE_QUANTITY + i] = amount_to_numeric(figures[i], 0);
		nulls[LINE_QUANTITY + i] = !line->counted;
	}
}

void
put_bill_line(ReturnSetInfo *result, const Bill *bill, const BillLine *line, int number,
			  const int64 *app_id, bool reasons)
{
	Datum		values[LINE_COLUMNS] = {0};
	bool		nulls[LINE_COLUMNS] = {false};

	nulls[LINE_APP_ID] = app_id == NULL;
	if (app_id != NULL)
		values[LINE_APP_ID] = Int64GetDatum(*app_id);
	values[LINE_MONTH] = DateADTGetDatum(bill->first);
	values[LINE_LINE] = Int32GetDatum(number);
	values[LINE_ITEM] = CStringGetTextDatum(line->item);
	values[LINE_OPTION] = CStringGetTextDatum(line->option);
	values[LINE_PERIOD] = period_datum(line->from, line->until);
	values[LINE_DUE_ON] = DateADTGetDatum(line->due_on);
	put_quantities(line, values, nulls);
	values[LINE_UNIT_PRICE] = amount_to_numeric(line->unit_price, 0);
	values[LINE_AMOUNT] = amount_to_numeric(line->amount, bill->card->scale);
	nulls[LINE_UNIT_PRICE] = nulls[LINE_AMOUNT] = !line->priced;
	values[LINE_CURRENCY] = CStringGetTextDatum(bill->card->currency);
	values[LINE_EXPLANATION] = reasons ?
		CStringGetTextDatum(reason_json(bill->core, line->reason)) :
		sentence_datum(reason_sentence(bill->core, REASON_ENGLISH, line->reason));
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* The SQL of earlier versions has no such argument. */
static bool
asks_reasons(FunctionCallInfo fcinfo)
{
	return ARG_REASONS < PG_NARGS() && !PG_ARGISNULL(ARG_REASONS) && PG_GETARG_BOOL(ARG_REASONS);
}

Datum
im_rate_lines(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Inputs		inputs;
	Bill	   *bill;
	bool		reasons = asks_reasons(fcinfo);

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	inputs_open(&inputs, fcinfo);
	inputs_read(&inputs);
	bill = inputs_bill(&inputs);
	for (int i = 0; bill != NULL && i < bill->nlines; i++)
	{
		core_step(bill->core);
		put_bill_line(result, bill, &bill->lines[i], i + 1, &inputs.app_id, reasons);
	}
	PG_RETURN_NULL();
}

Datum
im_rate_total(PG_FUNCTION_ARGS)
{
	Inputs		inputs;
	Bill	   *bill;

	inputs_open(&inputs, fcinfo);
	inputs_read(&inputs);
	bill = inputs_bill(&inputs);
	if (bill == NULL || bill->nlines == 0)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(amount_to_numeric(bill_total(bill), bill->card->scale));
}
