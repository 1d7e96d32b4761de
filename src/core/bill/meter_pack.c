/*
 * meter_pack.c
 *	  Packs of a meter by name, day by day (R12).
 *
 * A pack gives on the days on which somebody would have to pay: on other days
 * the usage is nobody's.  Days of earlier months count as they did then, by the
 * version, plan and add-on of their own month.
 */
#include "core/bill/meter_pack.h"

#include <string.h>

#include "core/bill/addon_days.h"
#include "core/bill/bill_rules.h"

const CardPack *
term_meter_pack(const Term *term)
{
	return strcmp(term->item, ITEM_METER_PACK) == 0 ? card_meter_pack(term->card, term->option) : NULL;
}

Amount
meter_pack_content(const Term *term)
{
	const CardPack *pack = term_meter_pack(term);

	return pack != NULL ? pack->holds * term->order->quantity : 0;
}

/* The packs of a meter, or those of all. */
static PackList
meter_packs(const Account *account, const char *meter)
{
	PackList	list = {0};

	for (int i = 0; i < account->nterms; i++)
	{
		const Term *term = account->terms[i];
		const CardPack *pack = term_meter_pack(term);

		core_step(account->core);
		if (pack != NULL && (meter == NULL || strcmp(pack->meter, meter) == 0))
			pack_add(account->core, &list, term, term->start, term->ends, term->end,
					 meter_pack_content(term))->priority = pack->priority;
	}
	return list;
}

CalDay
meter_packs_usage_since(const Account *account, CalDay since)
{
	PackList	list = meter_packs(account, NULL);

	return pack_usage_since(account->core, &list, since);
}

/* Who prices a meter on the days of a usage. */
typedef struct MeterPayers
{
	const Account *account;
	const Usage *usage;
	const char *meter;
	CalDay		until;
	const char *addon;			/* whose days these are, */
	const char **options;		/* or none yet */
} MeterPayers;

static bool
addon_prices(MeterPayers *payers, const Card *card, CalDay day)
{
	const CardAddon *addon = card_usage_addon(card, payers->meter);

	if (addon == NULL)
		return false;
	if (payers->addon == NULL || strcmp(payers->addon, addon->name) != 0)
	{
		payers->addon = addon->name;
		payers->options = addon_days(payers->account, addon->name, payers->usage->first,
									 payers->until);
	}
	return payers->options[day - payers->usage->first] != NULL;
}

static bool
somebody_prices(MeterPayers *payers, CalDay day)
{
	const char *plan;
	ServiceState state = account_state(payers->account, day, &plan);
	const Card *card;
	const CardPlan *found;

	if ((state != STATE_ACTIVE && state != STATE_GRACE) || !is_priced(payers->account, day))
		return false;
	card = usage_card(payers->account, day);
	found = card_plan(card, plan);
	return (found != NULL && plan_charge(found, payers->meter) != NULL) ||
		addon_prices(payers, card, day);
}

void
meter_pack_days(const Account *account, const Usage *usage, const CardMeter *meter,
				CalDay until, MeterPackVisitor visit, void *arg)
{
	PackList	packs = meter_packs(account, meter->name);
	MeterPayers payers = {account, usage, meter->name, until, NULL, NULL};
	const MeterFigure *figures;

	if (packs.nbought == 0)
		return;
	figures = meter_figures(account->core, usage_meter(account->core, usage, meter->name),
							meter->day, usage->first, until - usage->first);
	for (CalDay d = usage->first; d < until; d++)
	{
		MeterPackDay day = {.day = d, .figure = figures[d - usage->first].figure};
		Amount		asked = somebody_prices(&payers, d) && day.figure > 0 ? day.figure : 0;

		core_step(account->core);
		pack_day(account->core, &packs, d);
		day.from_packs = pack_take(account->core, &packs, asked);
		visit(arg, &day, &packs);
	}
}
