/*
 * facts.c
 *	  Why a line of a bill is what it is: what all kinds of lines share.
 */
#include "core/finance/facts.h"

#include <stdarg.h>

#include "core/finance/fact_rules.h"

const char *const fact_source_names[FACT_SOURCES] = {
	NULL, "order", "card", "logins", "groups", "checks", "calls", "events"
};

bool
card_first_day(const CardHistory *history, const Card *card, CalDay *from)
{
	for (int i = 0; i < history->nversions; i++)
		if (history->versions[i].card == card)
		{
			*from = history->versions[i].from;
			return true;
		}
	return false;
}

Fact
fact_start(const char *name)
{
	return (Fact) {.fact = name};
}

void
fact_day(Fact *fact, CalDay day)
{
	fact->has_day = true;
	fact->day = day;
	fact->until = day + 1;
}

void
fact_quantity(Fact *fact, Amount quantity)
{
	fact->has_quantity = true;
	fact->quantity = quantity;
}

void
fact_amount(Fact *fact, Amount amount)
{
	fact->has_amount = true;
	fact->amount = amount;
}

void
fact_order(Fact *fact, const Order *order)
{
	fact->source = SOURCE_ORDER;
	fact->order_id = order->order_id;
	if (!fact->has_day)
		fact_day(fact, order->day);
}

void
fact_usage(Fact *fact, const Teller *teller, FactSource source, CalDay day, UsageField field)
{
	fact_day(fact, day);
	fact->source = source;
	fact->given = (usage_given(teller->bill->usage, day) & GIVEN(field)) != 0;
}

void
fact_text(Fact *fact, const char *key, const char *value)
{
	if (fact->ndetails < FACT_DETAILS)
		fact->details[fact->ndetails++] = (FactDetail) {key, value, false};
}

void
fact_number(Fact *fact, const Teller *teller, const char *key, Amount value)
{
	fact_text(fact, key, text_of_amount(teller->core, value));
	fact->details[fact->ndetails - 1].number = true;
}

void
fact_date(Fact *fact, const Teller *teller, const char *key, CalDay day)
{
	fact_text(fact, key, text_of_day(teller->core, day));
}

void
fact_path(Fact *fact, const Card *card, const char *element,...)
{
	va_list		args;

	fact->source = SOURCE_CARD;
	fact->card = card;
	va_start(args, element);
	for (; element != NULL && fact->npath < FACT_PATH; element = va_arg(args, const char *))
		fact->path[fact->npath++] = element;
	va_end(args);
}

void
tell(const Teller *teller, const Fact *fact)
{
	core_step(teller->core);
	teller->visit(teller->arg, fact);
}

void
tell_card(const Teller *teller, const Card *card, const char *note)
{
	Fact		fact = fact_start("card version");
	CalDay		from;

	if (card_first_day(teller->bill->account->cards, card, &from))
		fact_day(&fact, from);
	fact_path(&fact, card, NULL);
	fact.note = note;
	tell(teller, &fact);
}

void
tell_count(const Teller *teller, const char *name, Amount quantity, const char *note)
{
	Fact		fact = fact_start(name);

	fact_quantity(&fact, quantity);
	fact.note = note;
	tell(teller, &fact);
}

/* The share of a stopped app (R3), told only where there is one. */
void
tell_share(const Teller *teller, Amount full)
{
	const ServiceMonth *service = &teller->bill->service;
	Fact		whole = fact_start("full amount");

	if (!service->out_at_end)
		return;
	fact_amount(&whole, full);
	whole.note = "What a whole month would come to.";
	tell(teller, &whole);
	tell_count(teller, "share", amount_of(service->ncounting),
			   core_printf(teller->core, "Service had ended by the last day of the month, so %d of %d days are due.",
						   service->ncounting, service->ndays));
}

void
tell_amount(const Teller *teller, const char *note)
{
	Fact		fact = fact_start("amount");

	if (teller->line->counted)
		fact_quantity(&fact, teller->line->units);
	if (teller->line->priced)
		fact_amount(&fact, teller->line->amount);
	fact.note = note;
	tell(teller, &fact);
}

void
bill_facts(const Bill *bill, int line, FactVisitor visit, void *arg)
{
	Teller		teller = {bill->core, bill, &bill->lines[line], visit, arg};

	switch (teller.line->kind)
	{
		case LINE_PLAN:
		case LINE_ADDON:
		case LINE_LOCAL_MODERATION:
		case LINE_PACK:
		case LINE_METER_PACK:
			tell_term(&teller);
			break;
		case LINE_PLAN_UPGRADE:
			tell_upgrade(&teller);
			break;
		case LINE_DAU_OVERAGE:
		case LINE_MAU_OVERAGE:
		case LINE_GROUP_OVERAGE:
		case LINE_METER:
		case LINE_ADDON_METER:
			tell_overage(&teller);
			break;
		case LINE_POSTPAID_ADDON:
			tell_postpaid_addon(&teller);
			break;
		case LINE_CALL_MINUTES:
			tell_calls(&teller);
			break;
		case LINE_MODERATION:
			tell_moderation(&teller);
			break;
		case LINE_REFUND:
			tell_refund(&teller);
			break;
		case LINE_CREDIT:
		case LINE_CHARGE:
			tell_manual(&teller);
			break;
	}
}
