/*
 * addon_days.c
 *	  On which days an add-on is in force, and with which option (R4, R12).
 */
#include "core/bill/addon_days.h"

#include <string.h>

#include "core/bill/bill_rules.h"

typedef struct AddonDays
{
	const Account *account;
	const char *item;
	CalDay		first;
	CalDay		until;
	const char **options;
} AddonDays;

static void
add_term(const AddonDays *days, const Term *term)
{
	CalDay		from = term->start > days->first ? term->start : days->first;

	for (CalDay day = from; day < term->ends && day < days->until; day++)
	{
		core_step(days->account->core);
		days->options[day - days->first] = term->option;
	}
}

/* An option that the plan of a day does not sell is off that day. */
static bool
is_sold(const AddonDays *days, CalDay day, const char *option)
{
	const char *plan;
	const CardAddon *addon;

	account_state(days->account, day, &plan);
	if (plan == NULL || !is_priced(days->account, day))
		return false;
	addon = card_addon(usage_card(days->account, day), days->item);
	return addon != NULL && addon_price(addon, plan, option) != NULL;
}

/* Of two options on the day of the switch from one to the other the later stays. */
static void
add_span(const AddonDays *days, const SwitchSpan *span)
{
	CalDay		from = span->from > days->first ? span->from : days->first;

	for (CalDay day = from; day <= span->through && day < days->until; day++)
	{
		core_step(days->account->core);
		if (is_sold(days, day, span->option))
			days->options[day - days->first] = span->option;
	}
}

const char **
addon_days(const Account *account, const char *item, CalDay first, CalDay until)
{
	Core	   *core = account->core;
	AddonDays	days = {account, item, first, until,
		core_alloc(core, sizeof(char *) * (size_t) (until > first ? until - first : 1))};
	const Switch *sw = account_switch(account, item);

	for (int i = 0; i < account->nterms; i++)
	{
		core_step(core);
		if (!account->terms[i]->annulled && strcmp(account->terms[i]->item, item) == 0)
			add_term(&days, account->terms[i]);
	}
	for (int i = 0; sw != NULL && i < sw->nspans; i++)
	{
		core_step(core);
		add_span(&days, &sw->spans[i]);
	}
	return days.options;
}
