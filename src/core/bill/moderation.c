/*
 * moderation.c
 *	  Cloud moderation day by day: deductions, packs, postpaid rest (R6).
 */
#include "core/bill/moderation.h"

#include <string.h>

#include "core/bill/bill_rules.h"

Amount
moderation_pack_content(const Term *term)
{
	const CardPack *pack = card_pack(term->card, term->option);

	return pack != NULL ? pack->holds * term->order->quantity : 0;
}

static PackList
moderation_packs(const Account *account)
{
	PackList	list = {0};

	for (int i = 0; i < account->nterms; i++)
	{
		const Term *term = account->terms[i];

		core_step(account->core);
		if (strcmp(term->item, ITEM_PACK) == 0 && card_pack(term->card, term->option) != NULL)
			pack_add(account->core, &list, term, term->start, term->ends, term->end,
					 moderation_pack_content(term));
	}
	return list;
}

CalDay
moderation_usage_since(const Account *account, CalDay since)
{
	PackList	list = moderation_packs(account);

	return pack_usage_since(account->core, &list, since);
}

Amount
deductions_of(Core *core, const Card *card, CheckKind kind, int64_t count)
{
	Amount		weighted = amount_times(core, card->coefficients[kind], count);

	/* cards are refused whose coefficients cannot be halved in 8 places */
	return kind == CHECK_AUDIO || kind == CHECK_VIDEO ? weighted / 2 : weighted;
}

/* "billed" is the first day of the month that is billed, see below. */
static void
rate_moderation_day(const Account *account, const Usage *usage, CalDay billed,
					const Switch *sw, PackList *packs, ModerationDay *day)
{
	Core	   *core = account->core;
	const char *plan;
	const Card *card;
	bool		any = false;

	for (int k = 0; k < CHECK_KINDS; k++)
	{
		day->counts[k] = usage_on(usage, day->day, USAGE_TEXT + k);
		any |= day->counts[k] != 0;
	}
	day->state = account_state(account, day->day, &plan);
	day->switched_on = in_service(day->state) && switch_option(sw, day->day) != NULL;
	day->on = day->switched_on;
	/* a month without a card version matters only if there is usage in it */
	if (day->on && (any || day->day >= billed))
	{
		card = usage_card(account, day->day);
		day->switched_on = moderation_offered(card, plan);
		day->on = day->switched_on && card->sells_moderation;
		for (int k = 0; k < CHECK_KINDS && day->on; k++)
			if (card->weighs[k])
				day->deductions = amount_add(core, day->deductions,
											 deductions_of(core, card, k, day->counts[k]));
	}
	day->from_packs = pack_take(core, packs, day->deductions);
	day->postpaid = amount_sub(core, day->deductions, day->from_packs);
}

void
moderation_days(const Bill *bill, ModerationVisitor visit, void *arg)
{
	const Switch *sw = account_switch(bill->account, ITEM_MODERATION);
	PackList	packs = moderation_packs(bill->account);

	for (CalDay d = bill->usage->first; d < bill->until; d++)
	{
		ModerationDay day = {.day = d};

		core_step(bill->core);
		pack_day(bill->core, &packs, d);
		rate_moderation_day(bill->account, bill->usage, bill->first, sw, &packs, &day);
		if (d < bill->first)
			continue;
		day.amount = amount_mul(bill->core, day.postpaid, bill->card->deduction_price);
		visit(arg, &day, &packs);
	}
}

void
moderation_pack_days(const Account *account, const Usage *usage, CalDay until,
					 ModerationVisitor visit, void *arg)
{
	const Switch *sw = account_switch(account, ITEM_MODERATION);
	PackList	packs = moderation_packs(account);

	for (CalDay d = usage->first; d < until; d++)
	{
		ModerationDay day = {.day = d};

		core_step(account->core);
		pack_day(account->core, &packs, d);
		/* nothing is billed here: a month without usage needs no card */
		rate_moderation_day(account, usage, until, sw, &packs, &day);
		visit(arg, &day, &packs);
	}
}

typedef struct ModerationMonth
{
	Core	   *core;
	Amount		deductions;
	Amount		from_packs;
	Amount		postpaid;
	bool		unsold_usage;	/* switched on and used, but not on the card */
} ModerationMonth;

static void
sum_day(void *arg, const ModerationDay *day, const PackList *packs)
{
	ModerationMonth *month = arg;

	(void) packs;
	month->deductions = amount_add(month->core, month->deductions, day->deductions);
	month->from_packs = amount_add(month->core, month->from_packs, day->from_packs);
	month->postpaid = amount_add(month->core, month->postpaid, day->postpaid);
}

static void
note_unsold(void *arg, const ModerationDay *day, const PackList *packs)
{
	ModerationMonth *month = arg;

	(void) packs;
	for (int k = 0; k < CHECK_KINDS; k++)
		if (day->counts[k] > 0 && day->switched_on)
			month->unsold_usage = true;
}

/* In a preview: the app has moderation switched on, the other card lacks it. */
static void
bill_unsold_moderation(Bill *bill, ModerationMonth *month)
{
	BillLine   *line;

	moderation_days(bill, note_unsold, month);
	if (!month->unsold_usage)
		return;
	line = bill_usage_line(bill, LINE_MODERATION, "moderation", "");
	line->reason = reason_new(bill->core, "moderation_unsold");
}

void
bill_moderation(Bill *bill)
{
	Core	   *core = bill->core;
	ModerationMonth month = {.core = core};
	const Switch *sw = account_switch(bill->account, ITEM_MODERATION);
	BillLine   *line;

	if (sw == NULL)
		return;
	if (bill->account->preview && !bill->card->sells_moderation)
	{
		bill_unsold_moderation(bill, &month);
		return;
	}
	moderation_days(bill, sum_day, &month);
	if (month.deductions == 0)
		return;
	line = bill_usage_line(bill, LINE_MODERATION, "moderation", "");
	line->counted = line->priced = true;
	line->quantity = month.deductions;
	line->included = month.from_packs;
	line->billable = line->units = month.postpaid;
	line->unit_price = bill->card->deduction_price;
	line->amount = amount_mul(core, month.postpaid, line->unit_price);
	line->reason = reason_new(core, "moderation");
	reason_amount(line->reason, "quantity", line->quantity);
	reason_amount(line->reason, "from_packs", line->included);
	reason_amount(line->reason, "postpaid", line->units);
	reason_money(line->reason, "price", line->unit_price, bill->card->currency);
}
