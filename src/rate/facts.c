/*
 * facts.c
 *	  The facts behind the lines of a bill, and its days, as rows.
 */
#include "rate/inputs.h"

#include "catalog/pg_type.h"
#include "core/bill/call.h"
#include "core/bill/moderation.h"
#include "core/finance/facts.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/date.h"
#include "utils/json.h"
#include "utils/jsonb.h"

PG_FUNCTION_INFO_V1(im_rate_facts);
PG_FUNCTION_INFO_V1(im_rate_days);

/* The line, counted from 1; after the arguments of a bill. */
#define ARG_LINE	(input_places(fcinfo)->more)

/* Columns of im_rate_facts(). */
enum
{
	FACT_ORDINAL,
	FACT_FACT,
	FACT_DAY,
	FACT_QUANTITY,
	FACT_AMOUNT,
	FACT_NOTE,
	FACT_SOURCE,
	FACT_ORDER_ID,
	FACT_CLASS,
	FACT_DECLARED,
	FACT_CARD_FROM,
	FACT_CARD_PATH,
	FACT_DETAIL,
	FACT_COLUMNS
};

typedef struct FactWriter
{
	ReturnSetInfo *result;
	const Bill *bill;
	int			ordinal;
} FactWriter;

static Datum
detail_datum(const Fact *fact)
{
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfoChar(&json, '{');
	for (int i = 0; i < fact->ndetails; i++)
	{
		const FactDetail *detail = &fact->details[i];

		if (i > 0)
			appendStringInfoChar(&json, ',');
		escape_json(&json, detail->key);
		appendStringInfoChar(&json, ':');
		if (detail->number)
			appendStringInfoString(&json, detail->value);
		else
			escape_json(&json, detail->value);
	}
	appendStringInfoChar(&json, '}');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
}

static Datum
path_datum(const Fact *fact)
{
	Datum		elements[FACT_PATH];

	for (int i = 0; i < fact->npath; i++)
		elements[i] = CStringGetTextDatum(fact->path[i]);
	return PointerGetDatum(construct_array(elements, fact->npath, TEXTOID, -1, false, TYPALIGN_INT));
}

static Datum
text_or_null(const char *text, bool *isnull)
{
	*isnull = text == NULL;
	return text != NULL ? sentence_datum(text) : (Datum) 0;
}

static void
put_source(const FactWriter *writer, const Fact *fact, Datum *values, bool *nulls)
{
	CalDay		from;

	values[FACT_SOURCE] = text_or_null(fact_source_names[fact->source], &nulls[FACT_SOURCE]);
	values[FACT_ORDER_ID] = Int64GetDatum(fact->order_id);
	nulls[FACT_ORDER_ID] = fact->source != SOURCE_ORDER;
	values[FACT_CLASS] = text_or_null(fact->class, &nulls[FACT_CLASS]);
	values[FACT_DECLARED] = BoolGetDatum(fact->given);
	nulls[FACT_CARD_FROM] = fact->source != SOURCE_CARD ||
		!card_first_day(writer->bill->account->cards, fact->card, &from);
	values[FACT_CARD_FROM] = nulls[FACT_CARD_FROM] ? (Datum) 0 : DateADTGetDatum(from);
	nulls[FACT_CARD_PATH] = fact->npath == 0;
	values[FACT_CARD_PATH] = nulls[FACT_CARD_PATH] ? (Datum) 0 : path_datum(fact);
}

static void
put_fact(void *arg, const Fact *fact)
{
	FactWriter *writer = arg;
	Datum		values[FACT_COLUMNS];
	bool		nulls[FACT_COLUMNS] = {false};

	values[FACT_ORDINAL] = Int32GetDatum(++writer->ordinal);
	values[FACT_FACT] = CStringGetTextDatum(fact->fact);
	values[FACT_DAY] = DateADTGetDatum(fact->day);
	nulls[FACT_DAY] = !fact->has_day;
	values[FACT_QUANTITY] = amount_to_numeric(fact->quantity, 0);
	nulls[FACT_QUANTITY] = !fact->has_quantity;
	values[FACT_AMOUNT] = amount_to_numeric(fact->amount, writer->bill->card->scale);
	nulls[FACT_AMOUNT] = !fact->has_amount;
	values[FACT_NOTE] = text_or_null(fact->note, &nulls[FACT_NOTE]);
	put_source(writer, fact, values, nulls);
	values[FACT_DETAIL] = detail_datum(fact);
	tuplestore_putvalues(writer->result->setResult, writer->result->setDesc, values, nulls);
}

Datum
im_rate_facts(PG_FUNCTION_ARGS)
{
	FactWriter	writer = {.result = (ReturnSetInfo *) fcinfo->resultinfo};
	Inputs		inputs;
	Bill	   *bill;
	int			line = PG_ARGISNULL(ARG_LINE) ? 0 : PG_GETARG_INT32(ARG_LINE);

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	inputs_open(&inputs, fcinfo);
	inputs_read(&inputs);
	bill = inputs_bill(&inputs);
	writer.bill = bill;
	if (bill != NULL && line >= 1 && line <= bill->nlines)
		bill_facts(bill, line - 1, put_fact, &writer);
	PG_RETURN_NULL();
}

/* ---- days ---- */

/* Columns of im_rate_days(). */
enum
{
	DAYS_DAY,
	DAYS_STATE,
	DAYS_PLAN,
	DAYS_COUNTS,
	DAYS_DAU,
	DAYS_GROUPS,
	DAYS_DEDUCTIONS,
	DAYS_DEDUCTIONS_PACKS,
	DAYS_DEDUCTIONS_LEFT,
	DAYS_MINUTES,
	DAYS_MINUTES_PACKS,
	DAYS_MINUTES_LEFT,
	DAYS_COLUMNS
};

/* What the rules made of one day. */
typedef struct DayRow
{
	Amount		deductions;
	Amount		deductions_packs;
	Amount		deductions_left;
	Amount		minutes;
	Amount		minutes_packs;
	Amount		minutes_left;
	bool		has_deduction_packs;
	bool		has_minute_packs;
} DayRow;

typedef struct DayRows
{
	const Bill *bill;
	DayRow		days[31];
} DayRows;

/* What the packs in force hold at the end of a day. */
static bool
left_in_packs(const Bill *bill, const PackList *packs, Amount *left)
{
	*left = 0;
	for (int i = 0; i < packs->npacks; i++)
	{
		core_step(bill->core);
		*left = amount_add(bill->core, *left, packs->packs[i]->left);
	}
	return packs->npacks > 0;
}

static void
note_moderation_day(void *arg, const ModerationDay *day, const PackList *packs)
{
	DayRows    *rows = arg;
	DayRow	   *row = &rows->days[day->day - rows->bill->first];

	row->deductions = day->deductions;
	row->deductions_packs = day->from_packs;
	row->has_deduction_packs = left_in_packs(rows->bill, packs, &row->deductions_left);
}

static void
note_call(void *arg, const CallDay *day, const PackList *packs)
{
	DayRows    *rows = arg;
	DayRow	   *row = &rows->days[day->day - rows->bill->first];
	Core	   *core = rows->bill->core;

	(void) packs;
	if (!day->billed)
		return;
	row->minutes = amount_add(core, row->minutes, amount_of(day->minutes));
	row->minutes_packs = amount_add(core, row->minutes_packs, amount_of(day->taken));
}

static void
note_call_day(void *arg, CalDay day, const PackList *packs)
{
	DayRows    *rows = arg;
	DayRow	   *row = &rows->days[day - rows->bill->first];

	row->has_minute_packs = left_in_packs(rows->bill, packs, &row->minutes_left);
}

static void
put_day(ReturnSetInfo *result, const Bill *bill, const DayRow *row, CalDay day)
{
	Datum		values[DAYS_COLUMNS];
	bool		nulls[DAYS_COLUMNS] = {false};
	const char *plan;
	ServiceState state = account_state(bill->account, day, &plan);

	values[DAYS_DAY] = DateADTGetDatum(day);
	values[DAYS_STATE] = CStringGetTextDatum(service_state_names[state]);
	values[DAYS_PLAN] = text_or_null(plan, &nulls[DAYS_PLAN]);
	values[DAYS_COUNTS] = BoolGetDatum(bill->service.counting[day - bill->first]);
	values[DAYS_DAU] = Int64GetDatum(usage_on(bill->usage, day, USAGE_DAU));
	values[DAYS_GROUPS] = Int64GetDatum(usage_on(bill->usage, day, USAGE_GROUPS));
	values[DAYS_DEDUCTIONS] = amount_to_numeric(row->deductions, 0);
	values[DAYS_DEDUCTIONS_PACKS] = amount_to_numeric(row->deductions_packs, 0);
	values[DAYS_DEDUCTIONS_LEFT] = amount_to_numeric(row->deductions_left, 0);
	nulls[DAYS_DEDUCTIONS_LEFT] = !row->has_deduction_packs;
	values[DAYS_MINUTES] = amount_to_numeric(row->minutes, 0);
	values[DAYS_MINUTES_PACKS] = amount_to_numeric(row->minutes_packs, 0);
	values[DAYS_MINUTES_LEFT] = amount_to_numeric(row->minutes_left, 0);
	nulls[DAYS_MINUTES_LEFT] = !row->has_minute_packs;
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

Datum
im_rate_days(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Inputs		inputs;
	DayRows		rows = {0};

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	inputs_open(&inputs, fcinfo);
	inputs_read(&inputs);
	rows.bill = inputs_bill(&inputs);
	if (rows.bill == NULL)
		PG_RETURN_NULL();
	moderation_days(rows.bill, note_moderation_day, &rows);
	call_days(rows.bill, note_call, note_call_day, &rows);
	for (CalDay day = rows.bill->first; day < rows.bill->until; day++)
		put_day(result, rows.bill, &rows.days[day - rows.bill->first], day);
	PG_RETURN_NULL();
}
