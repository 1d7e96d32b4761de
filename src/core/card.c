/*
 * card.c
 *	  Lookups in a rate card.
 */
#include "core/card.h"

#include <string.h>

#define UNSTATED_FREE_LIMIT		100

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

const CardPlan *
card_free_plan(const Card *card)
{
	for (int i = 0; i < card->nplans; i++)
		if (card->plans[i].rank == 0)
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

const CardPack *
card_pack(const Card *card, const char *name)
{
	for (int i = 0; i < card->npacks; i++)
		if (strcmp(card->packs[i].name, name) == 0)
			return &card->packs[i];
	return NULL;
}

const CardMeter *
card_meter(const Card *card, const char *name)
{
	static const CardMeter built_in[] = {
		{METER_DAU, METER_UNIQUE, METER_MAX},
		{METER_MAU, METER_UNIQUE, METER_UNIQUE},
		{METER_GROUPS, METER_MAX, METER_MAX}
	};

	for (int i = 0; i < (int) (sizeof(built_in) / sizeof(built_in[0])); i++)
		if (strcmp(built_in[i].name, name) == 0)
			return &built_in[i];
	for (int i = 0; i < card->nmeters; i++)
		if (strcmp(card->meters[i].name, name) == 0)
			return &card->meters[i];
	return NULL;
}

const CardMeter *
card_history_meter(const CardHistory *history, const char *name)
{
	for (int i = 0; i < history->nversions; i++)
	{
		const CardMeter *meter = card_meter(history->versions[i].card, name);

		if (meter != NULL)
			return meter;
	}
	return NULL;
}

const CardPack *
card_meter_pack(const Card *card, const char *name)
{
	for (int i = 0; i < card->nmeter_packs; i++)
		if (strcmp(card->meter_packs[i].name, name) == 0)
			return &card->meter_packs[i];
	return NULL;
}

const UsageCharge *
find_usage(int count, const UsageCharge *usage, const char *meter)
{
	for (int i = 0; i < count; i++)
		if (strcmp(usage[i].meter, meter) == 0)
			return &usage[i];
	return NULL;
}

static const Charge *
charge_in(const UsageCharge *usage)
{
	return usage != NULL ? usage->charge : NULL;
}

const Charge *
plan_charge(const CardPlan *plan, const char *meter)
{
	return charge_in(find_usage(plan->nusage, plan->usage, meter));
}

const Charge *
addon_charge(const CardAddon *addon, const char *meter)
{
	return charge_in(find_usage(addon->nusage, addon->usage, meter));
}

const CardAddon *
card_usage_addon(const Card *card, const char *meter)
{
	for (int i = 0; i < card->naddons; i++)
		if (addon_charge(&card->addons[i], meter) != NULL)
			return &card->addons[i];
	return NULL;
}

const TermPrice *
plan_term_price(const CardPlan *plan, int months)
{
	for (int i = 0; i < plan->nterms; i++)
		if (plan->terms[i].months == months)
			return &plan->terms[i];
	return NULL;
}

bool
addon_renews_only(const CardAddon *addon, const char *option)
{
	for (int i = 0; i < addon->nrenew_only; i++)
		if (strcmp(addon->renew_only[i], option) == 0)
			return true;
	return false;
}

static const char *
free_plan(const Card *card)
{
	for (int i = 0; i < card->nplans; i++)
		if (card->plans[i].rank == 0)
			return card->plans[i].name;
	return "";
}

bool
moderation_offered(const Card *card, const char *plan)
{
	if (plan == NULL)
		plan = free_plan(card);
	for (int i = 0; i < card->nmoderation_plans; i++)
		if (strcmp(card->moderation_plans[i], plan) == 0)
			return true;
	return card->nmoderation_plans == 0;
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

const CardLimit *
card_limits(const Card *card, const char *name, int *count)
{
	int			low = 0,
				high = card->nlimits,
				end;

	while (low < high)
	{
		int			mid = low + (high - low) / 2;

		if (strcmp(card->limits[mid].name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (end = low; end < card->nlimits && strcmp(card->limits[end].name, name) == 0;)
		end++;
	*count = end - low;
	return *count > 0 ? &card->limits[low] : NULL;
}

int64_t
free_plan_limit(const Card *card, const char *name)
{
	int			count;
	const CardLimit *limits = card_limits(card, name, &count);
	const CardPlan *plan = card_free_plan(card);

	if (plan != NULL && !plan->states_limits)
		return UNSTATED_FREE_LIMIT;
	for (int i = 0; i < count; i++)
		if (limits[i].addon == NULL && strcmp(limits[i].plan, plan->name) == 0)
			return limits[i].unlimited ? NO_LIMIT : (int64_t) (limits[i].value / AMOUNT_ONE);
	return NO_LIMIT;
}
