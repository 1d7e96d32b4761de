/*
 * postpaid_addon.c
 *	  Add-ons that are switched on and off and charged by the month (R4).
 */
#include <string.h>

#include "core/bill_rules.h"

/* The last day of the month on which the switch counted as on. */
typedef struct LastOn
{
	CalDay		day;
	const char *option;
	const char *plan;
	const AddonPrice *price;	/* NULL only in a preview */
} LastOn;

/*
 * An option that the plan of a day does not sell is off that day.  In a
 * preview a card that sells it on no plan at all lacks it: that is told.
 */
static bool
counts_as_on(const Bill *bill, const CardAddon *addon, LastOn *on)
{
	on->price = addon != NULL ? addon_price(addon, on->plan, on->option) : NULL;
	if (on->price != NULL)
		return true;
	return bill->account->preview &&
		(addon == NULL || addon_price(addon, NULL, on->option) == NULL ||
		 card_plan(bill->card, on->plan) == NULL);
}

static bool
find_last_on(const Bill *bill, const Switch *sw, LastOn *on)
{
	const CardAddon *addon = card_addon(bill->card, sw->item);

	for (int i = bill->service.ndays - 1; i >= 0; i--)
	{
		on->day = bill->first + i;
		on->option = switch_option(sw, on->day);
		if (on->option == NULL || !bill->service.counting[i])
			continue;
		account_state(bill->account, on->day, &on->plan);
		if (counts_as_on(bill, addon, on))
			return true;
	}
	return false;
}

static void
bill_switch(Bill *bill, const Switch *sw)
{
	LastOn		on;
	BillLine   *line;
	const char *share;

	if (!find_last_on(bill, sw, &on))
		return;
	line = bill_usage_line(bill, LINE_POSTPAID_ADDON, sw->item, on.option);
	line_count(line, AMOUNT_ONE);
	line->priced = on.price != NULL;
	if (!line->priced)
	{
		line->explanation = core_printf(bill->core, "Not sold on this rate card: %s %s.",
										sw->item, on.option);
		return;
	}
	line->unit_price = on.price->price;
	line->amount = stop_share(bill, on.price->price, &share);
	line->explanation = core_printf(bill->core, "Switched on in the month: %s %s, last on %s with plan %s, one month at %s %s%s.",
									sw->item, on.option, text_of_day(bill->core, on.day), on.plan,
									text_of_amount(bill->core, on.price->price),
									bill->card->currency, share);
}

void
bill_postpaid_addons(Bill *bill)
{
	const Account *account = bill->account;

	for (int i = 0; i < account->nswitches; i++)
		if (strcmp(account->switches[i].item, ITEM_MODERATION) != 0)
			bill_switch(bill, &account->switches[i]);
}
