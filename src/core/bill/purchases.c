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

static void
name_term(Reason *reason, const Term *term)
{
	reason_text(reason, "item", term->item);
	reason_text(reason, "option", term->option);
}

static const char *
code_of_term(const Term *term)
{
	if (!term->priced)
		return "term_unsold";
	if (term->order->has_paid)
		return term->pack ? "packs_agreed" : "term_agreed";
	if (term->term_price != NULL)
		return "term_whole";
	return term->pack ? "packs" : "term";
}

static Reason *
reason_of_term(const Bill *bill, const Term *term, int count)
{
	Reason	   *reason = reason_new(bill->core, code_of_term(term));
	bool		whole = term->order->has_paid || term->term_price != NULL;

	name_term(reason, term);
	reason_day(reason, "from", term->start);
	reason_day(reason, "through", term->end - 1);
	if (!term->priced)
		return reason;
	reason_count(reason, term->pack ? "packs" : "months", count);
	reason_money(reason, whole ? "amount" : "price", whole ? term->amount : term->unit_price,
				 bill->card->currency);
	return reason;
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
	line->reason = reason_of_term(bill, term, count);
}

static const char *
code_of_upgrade(const Upgrade *upgrade)
{
	if (!upgrade->priced)
		return "upgrade_unsold";
	if (upgrade->order->has_paid)
		return "upgrade_agreed";
	return upgrade->mixed ? "upgrade_terms" : "upgrade";
}

static Reason *
reason_of_upgrade(const Bill *bill, const Upgrade *upgrade, int remaining)
{
	Reason	   *reason = reason_new(bill->core, code_of_upgrade(upgrade));

	reason_text(reason, "from_plan", upgrade->from_plan);
	reason_text(reason, "to_plan", upgrade->to_plan);
	if (!upgrade->priced)
		return reason;
	reason_count(reason, "days", remaining);
	if (upgrade->order->has_paid)
		reason_money(reason, "amount", upgrade->amount, bill->card->currency);
	else
		reason_money(reason, "new_price", upgrade->new_price, bill->card->currency);
	if (!upgrade->order->has_paid && !upgrade->mixed)
		reason_amount(reason, "old_price", upgrade->old_price);
	return reason;
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
	line->reason = reason_of_upgrade(bill, upgrade, remaining);
}

static const char *
code_of_refund(const Refund *refund)
{
	if (!refund->priced)
		return "refund_unsold";
	if (refund->term->annulled)
		return "refund_unbegun";
	return refund->whole ? "refund_first" : "refund_used";
}

static Reason *
reason_of_refund(const Bill *bill, const Refund *refund)
{
	Reason	   *reason = reason_new(bill->core, code_of_refund(refund));

	reason_count(reason, "order_id", refund->term->order->order_id);
	name_term(reason, refund->term);
	if (!refund->priced)
		return reason;
	if (!refund->term->annulled && !refund->whole)
	{
		reason_day(reason, "from", refund->term->start);
		reason_day(reason, "through", refund->order->day);
	}
	/* refunds of terms that share an upgrade fee give back no more than was paid (R8) */
	if (refund->cut)
		reason_text(reason, "cut", "yes");
	return reason;
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
	line->reason = reason_of_refund(bill, refund);
}

/* What somebody gave or charged by hand (R15). */
static void
bill_manual(Bill *bill, const Order *order)
{
	bool		credit = order->action == ORDER_CREDIT;
	BillLine   *line = bill_order_line(bill, credit ? LINE_CREDIT : LINE_CHARGE, order,
									   order->day, order->day + 1);

	line->manual = order;
	line->item = order_action_names[order->action];
	line_count(line, AMOUNT_ONE);
	line->priced = true;
	line->unit_price = line->amount = credit ? -order->paid : order->paid;
	line->reason = reason_new(bill->core, credit ? "credit" : "charge");
	reason_money(line->reason, "amount", order->paid, bill->card->currency);
	reason_count(line->reason, "order_id", order->order_id);
	reason_text(line->reason, "note", order->option);
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
