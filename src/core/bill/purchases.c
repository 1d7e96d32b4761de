/*
 * purchases.c
 *	  Lines of what was bought, upgraded and refunded in the month.
 */
#include <string.h>

#include "core/bill/bill_rules.h"

static bool
in_month(const Bill *bill, const Order *order)
{
	core_step(bill->core);
	return order->day >= bill->first && order->day < bill->until;
}

static LineKind
kind_of_term(const Term *term)
{
	if (term->plan != NULL)
		return LINE_PLAN;
	if (strcmp(term->item, ITEM_LOCAL_MODERATION) == 0)
		return LINE_LOCAL_MODERATION;
	if (!term->pack)
		return LINE_ADDON;
	return strcmp(term->item, ITEM_PACK) == 0 ? LINE_PACK : LINE_METER_PACK;
}

static const char *
term_name(Core *core, const Term *term)
{
	return term->option[0] == '\0' ? term->item :
		core_printf(core, "%s %s", term->item, term->option);
}

static const char *
explain_term(const Bill *bill, const Term *term, const char *count)
{
	Core	   *core = bill->core;
	const char *name = term_name(core, term),
			   *from = text_of_day(core, term->start),
			   *through = text_of_day(core, term->end - 1);

	if (!term->priced)
		return core_printf(core, "Not sold on this rate card: %s, bought for %s through %s.",
						   name, from, through);
	if (term->order->has_paid)
		return core_printf(core, "Bought %s for %s, %s through %s, at the agreed price of %s %s.",
						   name, count, from, through,
						   text_of_amount(core, term->amount), bill->card->currency);
	if (term->term_price != NULL)
		return core_printf(core, "Bought %s for %s, %s through %s, at %s %s for all of them.",
						   name, count, from, through,
						   text_of_amount(core, term->amount), bill->card->currency);
	return core_printf(core, "Bought %s for %s, %s through %s, at %s %s each.",
					   name, count, from, through,
					   text_of_amount(core, term->unit_price), bill->card->currency);
}

static void
bill_term(Bill *bill, const Term *term)
{
	LineKind	kind = kind_of_term(term);
	int			count = term->pack ? term->order->quantity : term->months;
	BillLine   *line = bill_order_line(bill, kind, term->order, term->start, term->end);

	line->term = term;
	line_count(line, amount_of(count));
	line->priced = term->priced;
	line->unit_price = term->unit_price;
	line->amount = term->amount;
	line->explanation = explain_term(bill, term,
									 text_of_count(bill->core, count, term->pack ? "pack" : "month"));
}

static const char *
explain_upgrade(const Bill *bill, const Upgrade *upgrade, int remaining)
{
	Core	   *core = bill->core;

	if (!upgrade->priced)
		return core_printf(core, "The upgrade from %s to %s is not sold on this rate card.",
						   upgrade->from_plan, upgrade->to_plan);
	if (upgrade->order->has_paid)
		return core_printf(core, "Upgrade from %s to %s for %s at the agreed price of %s %s.",
						   upgrade->from_plan, upgrade->to_plan, text_of_count(core, remaining, "day"),
						   text_of_amount(core, upgrade->amount), bill->card->currency);
	if (upgrade->mixed)
		return core_printf(core, "Upgrade from %s to %s for %s: the steps up to %s %s from what a month of each term cost, x its remaining days / (365/12), at least 0.",
						   upgrade->from_plan, upgrade->to_plan, text_of_count(core, remaining, "remaining day"),
						   text_of_amount(core, upgrade->new_price), bill->card->currency);
	return core_printf(core, "Upgrade from %s to %s: (%s - %s) %s x %s / (365/12), at least 0.",
					   upgrade->from_plan, upgrade->to_plan,
					   text_of_amount(core, upgrade->new_price),
					   text_of_amount(core, upgrade->old_price),
					   bill->card->currency, text_of_count(core, remaining, "remaining day"));
}

static void
bill_upgrade(Bill *bill, const Upgrade *upgrade)
{
	int			remaining = upgrade->end - upgrade->order->day;
	BillLine   *line = bill_order_line(bill, LINE_PLAN_UPGRADE, upgrade->order,
									   upgrade->order->day, upgrade->end);

	line->upgrade = upgrade;
	line->item = "plan_upgrade";
	line_count(line, amount_of(remaining));
	line->priced = upgrade->priced;
	line->unit_price = upgrade->new_price - upgrade->old_price;
	line->amount = upgrade->amount;
	line->explanation = explain_upgrade(bill, upgrade, remaining);
}

/* Refunds of terms that share an upgrade fee give back no more than was paid (R8). */
static const char *
explain_cut(const Refund *refund)
{
	return refund->cut ? ", cut to what was left of all that was paid" : "";
}

static const char *
explain_refund(const Bill *bill, const Refund *refund)
{
	Core	   *core = bill->core;
	const Term *term = refund->term;
	const char *name = term_name(core, term);
	long long	order_id = (long long) term->order->order_id;

	if (!refund->priced)
		return core_printf(core, "Refund of order %lld, %s, which is not sold on this rate card.",
						   order_id, name);
	if (term->annulled)
		return core_printf(core, "Refund of order %lld, %s: everything back, its term had not begun%s.",
						   order_id, name, explain_cut(refund));
	if (refund->whole)
		return core_printf(core, "Refund of order %lld, %s: everything back, the app's first refund within 5 days%s.",
						   order_id, name, explain_cut(refund));
	return core_printf(core, "Refund of order %lld, %s: what was paid less the days used from %s through %s%s.",
					   order_id, name, text_of_day(core, term->start),
					   text_of_day(core, refund->order->day), explain_cut(refund));
}

static void
bill_refund(Bill *bill, const Refund *refund)
{
	BillLine   *line = bill_order_line(bill, LINE_REFUND, refund->order,
									   refund->term->start, refund->term->end);

	line->refund = refund;
	line->item = "refund";
	line->option = refund->term->item;
	line_count(line, AMOUNT_ONE);
	line->priced = refund->priced;
	line->unit_price = line->amount = -refund->amount;
	line->explanation = explain_refund(bill, refund);
}

/* What somebody gave or charged by hand (R15). */
static void
bill_manual(Bill *bill, const Order *order)
{
	bool		credit = order->action == ORDER_CREDIT;
	Core	   *core = bill->core;
	BillLine   *line = bill_order_line(bill, credit ? LINE_CREDIT : LINE_CHARGE, order,
									   order->day, order->day + 1);

	line->manual = order;
	line->item = order_action_names[order->action];
	line_count(line, AMOUNT_ONE);
	line->priced = true;
	line->unit_price = line->amount = credit ? -order->paid : order->paid;
	line->explanation = core_printf(core, "%s of %s %s by order %lld%s%s.", credit ? "Credit" : "Charge",
									text_of_amount(core, order->paid), bill->card->currency,
									(long long) order->order_id,
									order->option[0] != '\0' ? ": " : "", order->option);
}

void
bill_purchases(Bill *bill)
{
	const Account *account = bill->account;

	for (int i = 0; i < account->norders; i++)
		if (order_is_manual(&account->orders[i]) && in_month(bill, &account->orders[i]))
			bill_manual(bill, &account->orders[i]);

	for (int i = 0; i < account->nterms; i++)
		if (in_month(bill, account->terms[i]->order))
			bill_term(bill, account->terms[i]);
	for (int i = 0; i < account->nupgrades; i++)
		if (in_month(bill, account->upgrades[i].order))
			bill_upgrade(bill, &account->upgrades[i]);
	for (int i = 0; i < account->nrefunds; i++)
		if (in_month(bill, account->refunds[i].order))
			bill_refund(bill, &account->refunds[i]);
}
