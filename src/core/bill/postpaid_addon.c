/*
 * postpaid_addon.c
 *	  Add-ons that are switched on and off and charged by the month (R4).
 *
 * A month is charged at the dearest of the options that counted as on on any
 * of its days: the option last on could be had for the price of a dearer one
 * that served all month.  All have the prices of one plan, that of the last
 * day on.
 */
#include "core/bill/postpaid_addon.h"

#include <string.h>

#include "core/bill/bill_rules.h"

/*
 * An option that the plan of a day does not sell is off that day.  In a
 * preview a card that sells it on no plan at all lacks it: that is told.
 */
static bool
counts_as_on(const Bill *bill, const CardAddon *addon, const char *plan, const char *option)
{
	if (addon != NULL && addon_price(addon, plan, option) != NULL)
		return true;
	return bill->account->preview &&
		(addon == NULL || addon_price(addon, NULL, option) == NULL ||
		 card_plan(bill->card, plan) == NULL);
}

/* The last day of a span in the month on which its option counts as on. */
static bool
last_day_of_span(const Bill *bill, const CardAddon *addon, const SwitchSpan *span,
				 CalDay *day, const char **plan)
{
	CalDay		from = span->from > bill->first ? span->from : bill->first;

	for (*day = span->through < bill->until ? span->through : bill->until - 1; *day >= from; --*day)
	{
		if (!bill->service.counting[*day - bill->first])
			continue;
		account_state(bill->account, *day, plan);
		if (counts_as_on(bill, addon, *plan, span->option))
			return true;
	}
	return false;
}

/* Walks the spans backwards, so that of equally dear options the latest stays. */
static const SwitchSpan *
next_span(const Bill *bill, const Switch *sw, int *i)
{
	while (--*i >= 0)
	{
		core_step(bill->core);
		if (sw->spans[*i].from < bill->until)
			return sw->spans[*i].through >= bill->first ? &sw->spans[*i] : NULL;
	}
	return NULL;
}

/* The latest day on which any of the options counts, and the plan of that day. */
static bool
find_last_on(const Bill *bill, const Switch *sw, const CardAddon *addon, PostpaidMonth *month)
{
	const SwitchSpan *span;
	bool		found = false;

	for (int i = sw->nspans; (span = next_span(bill, sw, &i)) != NULL;)
	{
		const char *plan;
		CalDay		day;

		if (!last_day_of_span(bill, addon, span, &day, &plan) || (found && day <= month->last_on))
			continue;
		found = true;
		month->last_on = day;
		month->plan = plan;
		month->last_option = span->option;
	}
	return found;
}

/* Takes an option of the month into account; the later of two equal prices came first. */
static void
weigh_option(const CardAddon *addon, const SwitchSpan *span, PostpaidMonth *month)
{
	const AddonPrice *price = addon != NULL ? addon_price(addon, month->plan, span->option) : NULL;

	month->several |= strcmp(span->option, month->last_option) != 0;
	if (addon == NULL || addon_price(addon, NULL, span->option) == NULL)
		month->lacking = month->lacking != NULL ? month->lacking : span->option;
	if (price == NULL || (month->price != NULL && price->price <= month->price->price))
		return;
	month->price = price;
	month->option = span->option;
}

bool
postpaid_month(const Bill *bill, const Switch *sw, PostpaidMonth *month)
{
	const CardAddon *addon = card_addon(bill->card, sw->item);
	const SwitchSpan *span;
	const char *plan;
	CalDay		day;

	*month = (PostpaidMonth) {0};
	if (!find_last_on(bill, sw, addon, month))
		return false;
	for (int i = sw->nspans; (span = next_span(bill, sw, &i)) != NULL;)
		if (last_day_of_span(bill, addon, span, &day, &plan))
			weigh_option(addon, span, month);
	return true;
}

/* In a preview: what the app had on and the other card has no price for. */
static void
bill_unsold(Bill *bill, const char *item, const char *option)
{
	BillLine   *line = bill_usage_line(bill, LINE_POSTPAID_ADDON, item, option);

	line_count(line, AMOUNT_ONE);
	line->reason = reason_new(bill->core, "switched_on_unsold");
	reason_text(line->reason, "item", item);
	reason_text(line->reason, "option", option);
}

static Reason *
reason_of_switch(const Bill *bill, const char *item, const PostpaidMonth *month)
{
	Reason	   *reason = reason_new(bill->core, month->several ? "switched_on_several" : "switched_on");

	reason_text(reason, "item", item);
	reason_text(reason, "option", month->option);
	reason_day(reason, "last_on", month->last_on);
	reason_text(reason, "plan", month->plan);
	reason_money(reason, "price", month->price->price, bill->card->currency);
	return reason;
}

static void
bill_switch(Bill *bill, const Switch *sw)
{
	PostpaidMonth month;
	BillLine   *line;

	if (!postpaid_month(bill, sw, &month))
		return;
	if (month.price == NULL || month.lacking != NULL)
		bill_unsold(bill, sw->item, month.lacking != NULL ? month.lacking : month.last_option);
	if (month.price == NULL)
		return;
	line = bill_usage_line(bill, LINE_POSTPAID_ADDON, sw->item, month.option);
	line_count(line, AMOUNT_ONE);
	line->priced = true;
	line->unit_price = month.price->price;
	line->reason = reason_of_switch(bill, sw->item, &month);
	line->amount = stop_share(bill, month.price->price, line->reason);
}

void
bill_postpaid_addons(Bill *bill)
{
	const Account *account = bill->account;

	for (int i = 0; i < account->nswitches; i++)
		if (strcmp(account->switches[i].item, ITEM_MODERATION) != 0)
			bill_switch(bill, &account->switches[i]);
}
