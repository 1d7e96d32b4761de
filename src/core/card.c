/*
 * card.c
 *	  Lookups in a rate card.
 */
#include "core/card.h"

#include <string.h>

const Card *
card_on(const CardHistory *history, CalDay day)
{
	const Card *found = NULL;

	for (int i = 0; i < history->nversions && history->versions[i].from <= day; i++)
		found = history->versions[i].card;
	return found;
}

const Card *
card_of_month(const CardHistory *history, CalMonth month)
{
	const Card *card = card_on(history, cal_first_day(month));

	if (card != NULL || history->nversions == 0)
		return card;
	return history->versions[0].from < cal_first_day(month + 1) ? history->versions[0].card : NULL;
}

const CardPlan *
card_plan(const Card *card, const char *name)
{
	for (int i = 0; i < card->nplans; i++)
		if (strcmp(card->plans[i].name, name) == 0)
			return &card->plans[i];
	return NULL;
}

const CardAddon *
card_addon(const Card *card, const char *name)
{
	for (int i = 0; i < card->naddons; i++)
		if (strcmp(card->addons[i].name, name) == 0)
			return &card->addons[i];
	return NULL;
}

const CardMeter *
card_meter(const Card *card, const char *name)
{
	for (int i = 0; i < card->nmeters; i++)
		if (strcmp(card->meters[i].name, name) == 0)
			return &card->meters[i];
	return NULL;
}

const CardPack *
card_pack(const Card *card, const char *name)
{
	for (int i = 0; i < card->npacks; i++)
		if (strcmp(card->packs[i].name, name) == 0)
			return &card->packs[i];
	return NULL;
}

const AddonPrice *
addon_price(const CardAddon *addon, const char *plan, const char *option)
{
	for (int i = 0; i < addon->nprices; i++)
	{
		const AddonPrice *price = &addon->prices[i];

		if ((plan == NULL || strcmp(price->plan, plan) == 0) &&
			strcmp(price->option, option) == 0)
			return price;
	}
	return NULL;
}

int64_t
addon_minutes(const CardAddon *addon, const char *option)
{
	for (int i = 0; i < addon->nminutes; i++)
		if (strcmp(addon->minutes[i].option, option) == 0)
			return addon->minutes[i].minutes;
	return 0;
}

int64_t
started_blocks(int64_t usage, int64_t included, int64_t block)
{
	if (usage <= included)
		return 0;
	/* both are >= 0, so the difference fits; minus one avoids the overflow */
	return (usage - included - 1) / block + 1;
}
