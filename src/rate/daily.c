/*
 * daily.c
 *	  What rating makes of single days: the moderation statement, what is
 *	  settled by the day, and the usage that nobody pays.
 */
#include "rate/inputs.h"

#include "core/bill/call.h"
#include "core/bill/moderation.h"
#include "core/bill/unbilled.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/date.h"
#include "utils/jsonb.h"

PG_FUNCTION_INFO_V1(im_rate_statement);
PG_FUNCTION_INFO_V1(im_rate_charges);
PG_FUNCTION_INFO_V1(im_rate_unbilled);

/* Columns of im_moderation_statement. */
enum
{
	DAY_DAY,
	DAY_SERVICE,
	DAY_TEXT,
	DAY_IMAGE,
	DAY_AUDIO,
	DAY_VIDEO,
	DAY_DEDUCTIONS,
	DAY_FROM_PACKS,
	DAY_PACKS,
	DAY_POSTPAID,
	DAY_AMOUNT,
	DAY_COLUMNS
};

typedef struct RowWriter
{
	ReturnSetInfo *result;
	int64		app_id;
	int			scale;
} RowWriter;

/* {"order_id": deductions} of the packs that gave something on the day. */
static Datum
packs_taken(const PackList *packs)
{
	StringInfoData json;
	char		text[AMOUNT_TEXT_SIZE];

	initStringInfo(&json);
	appendStringInfoChar(&json, '{');
	for (int i = 0; i < packs->npacks; i++)
	{
		const Pack *pack = packs->packs[i];

		CHECK_FOR_INTERRUPTS();
		if (pack->taken > 0)
			appendStringInfo(&json, "%s\"" INT64_FORMAT "\": %s", json.len > 1 ? ", " : "",
							 pack->term->order->order_id, amount_text(pack->taken, 0, text));
	}
	appendStringInfoChar(&json, '}');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
}

static void
put_moderation_day(void *arg, const ModerationDay *day, const PackList *packs)
{
	RowWriter  *writer = arg;
	Datum		values[DAY_COLUMNS];
	bool		nulls[DAY_COLUMNS] = {false};
	const char *service = in_service(day->state) ? (day->switched_on ? "on" : "off") :
	service_state_names[day->state];

	values[DAY_DAY] = DateADTGetDatum(day->day);
	values[DAY_SERVICE] = CStringGetTextDatum(service);
	for (int k = 0; k < CHECK_KINDS; k++)
		values[DAY_TEXT + k] = Int64GetDatum(day->counts[k]);
	values[DAY_DEDUCTIONS] = amount_to_numeric(day->deductions, 0);
	values[DAY_FROM_PACKS] = amount_to_numeric(day->from_packs, 0);
	values[DAY_PACKS] = packs_taken(packs);
	values[DAY_POSTPAID] = amount_to_numeric(day->postpaid, 0);
	values[DAY_AMOUNT] = amount_to_numeric(day->amount, writer->scale);
	tuplestore_putvalues(writer->result->setResult, writer->result->setDesc, values, nulls);
}

Datum
im_rate_statement(PG_FUNCTION_ARGS)
{
	RowWriter	writer = {.result = (ReturnSetInfo *) fcinfo->resultinfo};
	Inputs		inputs;
	Bill	   *bill;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	inputs_open(&inputs, fcinfo);
	inputs_read(&inputs);
	bill = inputs_bill(&inputs);
	if (bill != NULL)
	{
		writer.scale = bill->card->scale;
		moderation_days(bill, put_moderation_day, &writer);
	}
	PG_RETURN_NULL();
}

/* Columns of im_daily_charges. */
enum
{
	SETTLED_APP_ID,
	SETTLED_DAY,
	SETTLED_ITEM,
	SETTLED_OPTION,
	SETTLED_QUANTITY,
	SETTLED_FROM_PACKS,
	SETTLED_POSTPAID,
	SETTLED_AMOUNT,
	SETTLED_CURRENCY,
	SETTLED_DUE_ON,
	SETTLED_COLUMNS
};

typedef struct SettledWriter
{
	RowWriter	writer;
	const Bill *bill;
} SettledWriter;

/* What is used on a day falls due on the next (R13). */
static void
put_settled(const SettledWriter *settled, CalDay day, const char *item, const char *option,
			Amount quantity, Amount postpaid, Amount price)
{
	Datum		values[SETTLED_COLUMNS];
	bool		nulls[SETTLED_COLUMNS] = {false};
	Amount		amount = amount_mul(settled->bill->core, postpaid, price);

	values[SETTLED_APP_ID] = Int64GetDatum(settled->writer.app_id);
	values[SETTLED_DAY] = DateADTGetDatum(day);
	values[SETTLED_ITEM] = CStringGetTextDatum(item);
	values[SETTLED_OPTION] = CStringGetTextDatum(option);
	values[SETTLED_QUANTITY] = amount_to_numeric(quantity, 0);
	values[SETTLED_FROM_PACKS] = amount_to_numeric(quantity - postpaid, 0);
	values[SETTLED_POSTPAID] = amount_to_numeric(postpaid, 0);
	values[SETTLED_AMOUNT] = amount_to_numeric(amount, settled->writer.scale);
	values[SETTLED_CURRENCY] = CStringGetTextDatum(settled->bill->card->currency);
	values[SETTLED_DUE_ON] = DateADTGetDatum(day + 1);
	tuplestore_putvalues(settled->writer.result->setResult, settled->writer.result->setDesc, values, nulls);
}

static void
put_settled_calls(void *arg, const CallDay *day, const PackList *packs)
{
	(void) packs;
	if (day->billed)
		put_settled(arg, day->day, "call_minutes", call_class_names[day->class],
					amount_of(day->minutes), amount_of(day->minutes - day->taken),
					((SettledWriter *) arg)->bill->card->calls[day->class].price);
}

static void
put_settled_checks(void *arg, const ModerationDay *day, const PackList *packs)
{
	(void) packs;
	if (day->deductions > 0)
		put_settled(arg, day->day, "moderation", "", day->deductions, day->postpaid,
					((SettledWriter *) arg)->bill->card->deduction_price);
}

Datum
im_rate_charges(PG_FUNCTION_ARGS)
{
	SettledWriter settled = {.writer = {.result = (ReturnSetInfo *) fcinfo->resultinfo}};
	Inputs		inputs;
	Bill	   *bill;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	inputs_open(&inputs, fcinfo);
	inputs_read(&inputs);
	bill = inputs_bill(&inputs);
	if (bill != NULL)
	{
		settled.bill = bill;
		settled.writer.app_id = inputs.app_id;
		settled.writer.scale = bill->card->scale;
		call_days(bill, put_settled_calls, NULL, &settled);
		moderation_days(bill, put_settled_checks, &settled);
	}
	PG_RETURN_NULL();
}

static void
put_unbilled(void *arg, const UnbilledUsage *unbilled)
{
	RowWriter  *writer = arg;
	Datum		values[] = {
		Int64GetDatum(writer->app_id),
		DateADTGetDatum(unbilled->day),
		CStringGetTextDatum(unbilled->kind),
		amount_to_numeric(unbilled->quantity, 0),
		sentence_datum(unbilled->reason)
	};
	bool		nulls[lengthof(values)] = {false};

	tuplestore_putvalues(writer->result->setResult, writer->result->setDesc, values, nulls);
}

Datum
im_rate_unbilled(PG_FUNCTION_ARGS)
{
	RowWriter	writer = {.result = (ReturnSetInfo *) fcinfo->resultinfo};
	Inputs		inputs;
	CalMonth	month = inputs_month(fcinfo);
	Account    *account = NULL;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	inputs_open(&inputs, fcinfo);
	inputs_read(&inputs);
	writer.app_id = inputs.app_id;
	if (inputs.has_card)
		account = inputs_account(&inputs, cal_first_day(month + 1));
	unbilled_usage(&inputs.core.core, account, inputs_usage(&inputs, month), put_unbilled, &writer);
	PG_RETURN_NULL();
}
