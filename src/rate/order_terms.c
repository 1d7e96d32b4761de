/*
 * order_terms.c
 *	  What became of each order of an app: its days and its amount.
 */
#include "rate/inputs.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/date.h"

PG_FUNCTION_INFO_V1(im_rate_terms);

#define ALL_DAYS	(CAL_MAX_DAY + 1)

/* Columns of im_rate_terms. */
enum
{
	TERM_ORDER_ID,
	TERM_DAY,
	TERM_STARTS_ON,
	TERM_ENDS_ON,
	TERM_BOUGHT_THROUGH,
	TERM_AMOUNT,
	TERM_CURRENCY,
	TERM_REFUNDED_ON,
	TERM_COLUMNS
};

/* One row; days past the last of the calendar are not known. */
typedef struct TermRow
{
	const Order *order;
	const Card *card;			/* whose places and currency the amount has */
	bool		has_days;
	CalDay		start;
	CalDay		end;			/* exclusive, as the next */
	CalDay		bought_end;
	bool		priced;
	Amount		amount;
	const Order *refund;
} TermRow;

static void
put_row(ReturnSetInfo *result, const TermRow *row)
{
	Datum		values[TERM_COLUMNS] = {0};
	bool		nulls[TERM_COLUMNS] = {false};

	CHECK_FOR_INTERRUPTS();
	values[TERM_ORDER_ID] = Int64GetDatum(row->order->order_id);
	values[TERM_DAY] = DateADTGetDatum(row->order->day);
	nulls[TERM_STARTS_ON] = nulls[TERM_ENDS_ON] = nulls[TERM_BOUGHT_THROUGH] = !row->has_days;
	values[TERM_STARTS_ON] = DateADTGetDatum(row->start);
	values[TERM_ENDS_ON] = DateADTGetDatum(row->end - 1);
	values[TERM_BOUGHT_THROUGH] = DateADTGetDatum(row->bought_end - 1);
	nulls[TERM_AMOUNT] = nulls[TERM_CURRENCY] = !row->priced || row->card == NULL;
	if (!nulls[TERM_AMOUNT])
	{
		values[TERM_AMOUNT] = amount_to_numeric(row->amount, row->card->scale);
		values[TERM_CURRENCY] = CStringGetTextDatum(row->card->currency);
	}
	nulls[TERM_REFUNDED_ON] = row->refund == NULL;
	if (row->refund != NULL)
		values[TERM_REFUNDED_ON] = DateADTGetDatum(row->refund->day);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* A term that was refunded before it began has no days in force. */
static void
put_terms(ReturnSetInfo *result, const Account *account)
{
	for (int i = 0; i < account->nterms; i++)
	{
		const Term *term = account->terms[i];

		put_row(result, &(TermRow) {term->order, term->card, !term->annulled,
				term->start, term->ends, term->end, term->priced, term->amount,
				term->refunded_by});
	}
}

static void
put_upgrades(ReturnSetInfo *result, const Account *account)
{
	for (int i = 0; i < account->nupgrades; i++)
	{
		const Upgrade *upgrade = &account->upgrades[i];

		put_row(result, &(TermRow) {upgrade->order, card_on(account->cards, upgrade->order->day),
				true, upgrade->order->day, upgrade->end, upgrade->end, upgrade->priced,
				upgrade->amount, NULL});
	}
}

static void
put_refunds(ReturnSetInfo *result, const Account *account)
{
	for (int i = 0; i < account->nrefunds; i++)
	{
		const Refund *refund = &account->refunds[i];

		put_row(result, &(TermRow) {.order = refund->order, .card = refund->term->card,
				.priced = refund->priced, .amount = -refund->amount});
	}
}

static void
put_manual_lines(ReturnSetInfo *result, const Account *account)
{
	for (int i = 0; i < account->norders; i++)
	{
		const Order *order = &account->orders[i];

		if (order_is_manual(order))
			put_row(result, &(TermRow) {.order = order, .card = card_on(account->cards, order->day),
					.priced = true, .amount = order->action == ORDER_CREDIT ? -order->paid : order->paid});
	}
}

static void
put_switches(ReturnSetInfo *result, const Account *account)
{
	for (int i = 0; i < account->norders; i++)
		if (account->orders[i].action == ORDER_ON || account->orders[i].action == ORDER_OFF)
			put_row(result, &(TermRow) {.order = &account->orders[i]});
}

/* A log that breaks the rules has no terms: im_check() tells of it. */
Datum
im_rate_terms(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Inputs		inputs;
	const Account *account;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	inputs_open_orders(&inputs, fcinfo);
	inputs.core.tolerant = true;
	if (sigsetjmp(inputs.core.way_back, 0) != 0)
		PG_RETURN_NULL();
	inputs_read(&inputs);
	account = inputs_account(&inputs, ALL_DAYS);
	put_terms(result, account);
	put_upgrades(result, account);
	put_refunds(result, account);
	put_manual_lines(result, account);
	put_switches(result, account);
	PG_RETURN_NULL();
}
