/*
 * account_switch.c
 *	  What is switched on and off: cloud moderation and postpaid add-ons.
 *
 * The day of switching on and the day of switching off both count as on, so
 * a span is closed on the day of the order that closes it, and on a day with
 * two spans the later one says the option.
 */
#include <string.h>

#include "core/orders/account_rules.h"

const Switch *
account_switch(const Account *account, const char *item)
{
	for (int i = 0; i < account->nswitches; i++)
		if (strcmp(account->switches[i].item, item) == 0)
			return &account->switches[i];
	return NULL;
}

static const SwitchSpan *
last_span(const Switch *sw)
{
	return sw != NULL && sw->nspans > 0 ? &sw->spans[sw->nspans - 1] : NULL;
}

const char *
switch_option(const Switch *sw, CalDay day)
{
	int			low = 0,
				high = sw != NULL ? sw->nspans : 0;

	while (low < high)
	{
		int			mid = low + (high - low) / 2;

		if (sw->spans[mid].from <= day)
			low = mid + 1;
		else
			high = mid;
	}
	return low > 0 && day <= sw->spans[low - 1].through ? sw->spans[low - 1].option : NULL;
}

static Switch *
find_or_add_switch(Account *account, const char *item)
{
	const Switch *found = account_switch(account, item);

	if (found != NULL)
		return &account->switches[found - account->switches];
	account->switches = core_grow(account->core, account->switches, account->nswitches,
								  &account->switches_capacity, sizeof(Switch));
	account->switches[account->nswitches] = (Switch) {.item = item};
	return &account->switches[account->nswitches++];
}

/* On with the option on a day; a day of many changes had them all. */
static bool
was_on(const Account *account, const Order *order, CalDay day)
{
	const Switch *sw = account_switch(account, order->item);

	for (int i = sw != NULL ? sw->nspans - 1 : -1; i >= 0 && sw->spans[i].through >= day; i--)
	{
		core_step(account->core);
		if (sw->spans[i].from <= day && strcmp(sw->spans[i].option, order->option) == 0)
			return true;
	}
	return false;
}

/* On the day, or on the last day of a plan in its grace. */
static bool
holds_switch(const Account *account, const Order *order)
{
	CalDay		day;

	return was_on(account, order, order->day) ||
		(plan_last_day(account, order->day, &day) && was_on(account, order, day));
}

static void
check_switch_option(Account *account, const Order *order, const CardAddon *addon)
{
	const char *plan = plan_in_force(account, order->day);

	if (addon_price(addon, NULL, order->option) == NULL)
		order_refuse(account, order,
					 core_printf(account->core, "\"%s\" has no option \"%s\"", order->item, order->option),
					 "The rate card of that day does not sell it on any plan.",
					 "See im_price_list(card) for the options.");
	else if (plan != NULL && addon_price(addon, plan, order->option) == NULL)
		order_refuse(account, order,
					 core_printf(account->core, "\"%s\" option \"%s\" is not sold on plan \"%s\"",
								 order->item, order->option, plan),
					 "The rate card of that day has no such price.",
					 "See im_price_list(card) for what the plan sells.");
	check_renew_only(account, order, addon, holds_switch(account, order));
}

/* Only moderation and the postpaid add-ons of the card are switches. */
static void
check_switch(Account *account, const Order *order)
{
	const Card *card = order_card(account, order);
	const CardAddon *addon = card_addon(card, order->item);
	bool		moderation = strcmp(order->item, ITEM_MODERATION) == 0;

	if (moderation ? !card->sells_moderation : addon == NULL || !addon->postpaid)
		order_refuse(account, order,
					 core_printf(account->core, "\"%s\" is not a switch of the rate card", order->item),
					 "Only moderation and postpaid add-ons that the card prices are switched on and off.",
					 "Buy prepaid items with the action buy.");
	else if (moderation && order->option[0] != '\0')
		order_refuse(account, order,
					 core_printf(account->core, "moderation has no option \"%s\"", order->option),
					 "Cloud moderation is on or off.", "Leave option empty.");
	else if (!moderation && order->action == ORDER_ON)
		check_switch_option(account, order, addon);
}

/*
 * One change of option per calendar month.  Switching off and on again in
 * the same month with another option is a change as well, or the rule could
 * be walked around.
 */
static void
note_change(Account *account, const Order *order, Switch *sw)
{
	const SwitchSpan *last = last_span(sw);
	CalMonth	month = cal_month_of(order->day);

	if (last == NULL || strcmp(last->option, order->option) == 0 ||
		(last->through != SWITCH_OPEN && cal_month_of(last->through) != month))
		return;
	if (sw->ever_changed && sw->changed == month)
		order_refuse(account, order,
					 core_printf(account->core, "a second change of option of \"%s\" in one month", order->item),
					 "The option can be changed once in a calendar month.",
					 "Change it in the next month.");
	sw->ever_changed = true;
	sw->changed = month;
}

void
turn_on(Account *account, const Order *order)
{
	Switch	   *sw;
	SwitchSpan *last;

	check_switch(account, order);
	sw = find_or_add_switch(account, order->item);
	last = sw->nspans > 0 ? &sw->spans[sw->nspans - 1] : NULL;
	if (last != NULL && last->through == SWITCH_OPEN &&
		strcmp(last->option, order->option) == 0)
		return;
	note_change(account, order, sw);
	if (last != NULL && last->through == SWITCH_OPEN)
		last->through = order->day;
	sw->spans = core_grow(account->core, sw->spans, sw->nspans, &sw->capacity,
						  sizeof(SwitchSpan));
	sw->spans[sw->nspans++] = (SwitchSpan) {order, order->option, order->day, SWITCH_OPEN};
}

void
turn_off(Account *account, const Order *order)
{
	Switch	   *sw;

	/* what once was on can be switched off, even if it is sold no more */
	if (account_switch(account, order->item) == NULL)
		check_switch(account, order);
	sw = find_or_add_switch(account, order->item);
	if (sw->nspans > 0 && sw->spans[sw->nspans - 1].through == SWITCH_OPEN)
		sw->spans[sw->nspans - 1].through = order->day;
}
