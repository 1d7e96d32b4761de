/*
 * due.c
 *	  What falls due of one app and month, day by day (R15): the lines of its
 *	  bill on their days, and what is settled by the day on the day after use.
 */
#include "rate/inputs.h"

#include "core/bill/call.h"
#include "core/bill/moderation.h"
#include "funcapi.h"
#include "utils/date.h"

PG_FUNCTION_INFO_V1(im_rate_due);

/* Columns of im_due. */
enum
{
	DUE_APP_ID,
	DUE_MONTH,
	DUE_ON,
	DUE_ITEM,
	DUE_OPTION,
	DUE_AMOUNT,
	DUE_CURRENCY,
	DUE_PLACES,
	DUE_COLUMNS
};

typedef struct DueWriter
{
	ReturnSetInfo *result;
	int64		app_id;
	const Bill *bill;
} DueWriter;

static void
put_due(const DueWriter *writer, CalDay due_on, const char *item, const char *option, Amount amount)
{
	Datum		values[DUE_COLUMNS];
	bool		nulls[DUE_COLUMNS] = {false};

	if (amount == 0)
		return;
	values[DUE_APP_ID] = Int64GetDatum(writer->app_id);
	values[DUE_MONTH] = DateADTGetDatum(writer->bill->first);
	values[DUE_ON] = DateADTGetDatum(due_on);
	values[DUE_ITEM] = CStringGetTextDatum(item);
	values[DUE_OPTION] = CStringGetTextDatum(option);
	values[DUE_AMOUNT] = amount_to_numeric(amount, 0);
	values[DUE_CURRENCY] = CStringGetTextDatum(writer->bill->card->currency);
	values[DUE_PLACES] = Int32GetDatum(writer->bill->card->scale);
	tuplestore_putvalues(writer->result->setResult, writer->result->setDesc, values, nulls);
}

static void
put_due_calls(void *arg, const CallDay *day, const PackList *packs)
{
	const DueWriter *writer = arg;

	(void) packs;
	if (day->billed)
		put_due(writer, day->day + 1, "call_minutes", call_class_names[day->class],
				amount_mul(writer->bill->core, amount_of(day->minutes - day->taken),
						   writer->bill->card->calls[day->class].price));
}

static void
put_due_checks(void *arg, const ModerationDay *day, const PackList *packs)
{
	const DueWriter *writer = arg;

	(void) packs;
	put_due(writer, day->day + 1, "moderation", "",
			amount_mul(writer->bill->core, day->postpaid, writer->bill->card->deduction_price));
}

static bool
is_settled_by_day(const BillLine *line)
{
	return line->kind == LINE_CALL_MINUTES || line->kind == LINE_MODERATION;
}

Datum
im_rate_due(PG_FUNCTION_ARGS)
{
	DueWriter	writer = {.result = (ReturnSetInfo *) fcinfo->resultinfo};
	Inputs		inputs;
	Bill	   *bill;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	inputs_open(&inputs, fcinfo);
	inputs_read(&inputs);
	bill = inputs_bill(&inputs);
	if (bill == NULL)
		PG_RETURN_NULL();
	writer.app_id = inputs.app_id;
	writer.bill = bill;
	for (int i = 0; i < bill->nlines; i++)
	{
		const BillLine *line = &bill->lines[i];

		core_step(bill->core);
		if (line->priced && !is_settled_by_day(line))
			put_due(&writer, line->due_on, line->item, line->option, line->amount);
	}
	call_days(bill, put_due_calls, NULL, &writer);
	moderation_days(bill, put_due_checks, &writer);
	PG_RETURN_NULL();
}
