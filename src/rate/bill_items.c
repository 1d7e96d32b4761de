/*
 * bill_items.c
 *	  A bill in short: what each item comes to.
 */
#include "rate/bill_items.h"

#include "access/htup_details.h"
#include "core/bill/plan_choice.h"
#include "funcapi.h"
#include "utils/json.h"
#include "utils/jsonb.h"

PG_FUNCTION_INFO_V1(im_rate_summary);
PG_FUNCTION_INFO_V1(im_rate_plans);

/* Lines of an item stand together. */
static int
item_end(const Bill *bill, int from)
{
	int			i = from;

	while (i < bill->nlines && strcmp(bill->lines[i].item, bill->lines[from].item) == 0)
	{
		core_step(bill->core);
		i++;
	}
	return i;
}

static void
append_item(StringInfo json, const Bill *bill, int from, int until)
{
	char		text[AMOUNT_TEXT_SIZE];
	bool		priced = true;
	Amount		sum = 0;

	for (int i = from; i < until; i++)
	{
		core_step(bill->core);
		priced &= bill->lines[i].priced;
		sum = amount_add(bill->core, sum, bill->lines[i].amount);
	}
	if (json->len > 1)
		appendStringInfoString(json, ", ");
	escape_json(json, bill->lines[from].item);
	appendStringInfo(json, ": %s", priced ? amount_text(sum, bill->card->scale, text) : "null");
}

Datum
bill_items(const Bill *bill)
{
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfoChar(&json, '{');
	for (int i = 0; i < bill->nlines; i = item_end(bill, i))
		append_item(&json, bill, i, item_end(bill, i));
	appendStringInfoChar(&json, '}');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
}

const char *
bill_unpriced(const Bill *bill)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < bill->nlines; i++)
	{
		core_step(bill->core);
		if (!bill->lines[i].priced)
			appendStringInfo(&text, "%s%s", text.len > 0 ? " " : "",
							 reason_sentence(bill->core, REASON_ENGLISH, bill->lines[i].reason));
	}
	return text.len > 0 ? text.data : NULL;
}

/* Columns of im_rate_summary. */
enum
{
	SUMMARY_TOTAL,
	SUMMARY_CURRENCY,
	SUMMARY_ITEMS,
	SUMMARY_PROBLEM,
	SUMMARY_COLUMNS
};

static Datum
summary_row(FunctionCallInfo fcinfo, const Bill *bill, const char *problem)
{
	TupleDesc	desc;
	Datum		values[SUMMARY_COLUMNS] = {0};
	bool		nulls[SUMMARY_COLUMNS];

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "im_rate_summary is not declared with its columns");
	memset(nulls, true, sizeof(nulls));
	if (bill != NULL)
	{
		problem = bill_unpriced(bill);
		values[SUMMARY_CURRENCY] = CStringGetTextDatum(bill->card->currency);
		values[SUMMARY_ITEMS] = bill_items(bill);
		nulls[SUMMARY_CURRENCY] = nulls[SUMMARY_ITEMS] = false;
		nulls[SUMMARY_TOTAL] = problem != NULL;
		if (problem == NULL)
			values[SUMMARY_TOTAL] = amount_to_numeric(bill_total(bill), bill->card->scale);
	}
	nulls[SUMMARY_PROBLEM] = problem == NULL;
	if (problem != NULL)
		values[SUMMARY_PROBLEM] = sentence_datum(problem);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

/*
 * What a bill comes to, in one row; nothing fails but says why.  An app
 * without anything to bill has no items.
 */
Datum
im_rate_summary(PG_FUNCTION_ARGS)
{
	Inputs		inputs;

	inputs_open(&inputs, fcinfo);
	inputs.core.tolerant = true;
	if (sigsetjmp(inputs.core.way_back, 0) != 0)
		return summary_row(fcinfo, NULL, inputs.core.problem.message);
	inputs_read(&inputs);
	return summary_row(fcinfo, inputs_bill(&inputs), NULL);
}

/* Columns of im_rate_plans. */
enum
{
	CHOICE_PLAN,
	CHOICE_TIER,
	CHOICE_TOTAL,
	CHOICE_CURRENCY,
	CHOICE_LACKS,
	CHOICE_HELD,
	CHOICE_ITEMS,
	CHOICE_COLUMNS
};

static void
put_choice(ReturnSetInfo *result, const PlanChoice *choice)
{
	const Bill *bill = choice->bill;
	Datum		values[CHOICE_COLUMNS];
	bool		nulls[CHOICE_COLUMNS] = {false};

	values[CHOICE_PLAN] = CStringGetTextDatum(choice->plan->name);
	values[CHOICE_TIER] = Int32GetDatum(choice->plan->rank);
	values[CHOICE_TOTAL] = amount_to_numeric(bill_total(bill), bill->card->scale);
	values[CHOICE_CURRENCY] = CStringGetTextDatum(bill->card->currency);
	nulls[CHOICE_LACKS] = choice->lacks[0] == '\0';
	values[CHOICE_LACKS] = sentence_datum(choice->lacks);
	values[CHOICE_HELD] = BoolGetDatum(choice->held);
	values[CHOICE_ITEMS] = bill_items(bill);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* The month's usage under every plan of the card. */
Datum
im_rate_plans(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Inputs		inputs;
	Bill	   *bill;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	inputs_open(&inputs, fcinfo);
	inputs_read(&inputs);
	bill = inputs_bill(&inputs);
	for (int i = 0; bill != NULL && i < bill->card->nplans; i++)
	{
		PlanChoice	choice = plan_choice(bill, &bill->card->plans[i]);

		put_choice(result, &choice);
	}
	PG_RETURN_NULL();
}
