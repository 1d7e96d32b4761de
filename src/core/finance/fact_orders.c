/*
 * fact_orders.c
 *	  Facts behind what was bought, upgraded and refunded (R2, R4, R6, R8).
 */
#include <string.h>

#include "core/bill/moderation.h"
#include "core/bill/meter_pack.h"
#include "core/finance/fact_rules.h"

static const char *
span_text(Core *core, CalDay from, CalDay until)
{
	return core_printf(core, "%s through %s", text_of_day(core, from), text_of_day(core, until - 1));
}

static void
tell_order(const Teller *teller, const Order *order)
{
	Fact		fact = fact_start("order");

	fact_order(&fact, order);
	if (order->has_months)
		fact_quantity(&fact, amount_of(order->months));
	else if (order->action == ORDER_BUY)
		fact_quantity(&fact, amount_of(order->quantity));
	if (order->has_paid)
		fact_amount(&fact, order->paid);
	fact_text(&fact, "action", order_action_names[order->action]);
	fact_text(&fact, "item", order->item);
	fact_text(&fact, "option", order->option);
	fact.note = core_printf(teller->core, "Order %lld: %s %s%s%s.", (long long) order->order_id,
							order_action_names[order->action], order->item,
							order->option[0] != '\0' ? " " : "", order->option);
	tell(teller, &fact);
}

static void
tell_term_span(const Teller *teller, const Term *term)
{
	Core	   *core = teller->core;
	Fact		fact = fact_start("term");

	fact_day(&fact, term->start);
	fact_quantity(&fact, amount_of(term->end - term->start));
	fact_date(&fact, teller, "from", term->start);
	fact_date(&fact, teller, "through", term->end - 1);
	fact.note = core_printf(core, "%s from the day of purchase: %s.",
							text_of_count(core, term->months, "month"),
							span_text(core, term->start, term->end));
	if (term->before != NULL && term->start == term->before->end &&
		term->start > term->order->day)
	{
		fact_order(&fact, term->before->order);
		fact.note = core_printf(core, "%s from the end of the term of order %lld: %s.",
								text_of_count(core, term->months, "month"),
								(long long) term->before->order->order_id,
								span_text(core, term->start, term->end));
	}
	tell(teller, &fact);
}

static void
path_of_price(const Teller *teller, const Term *term, Fact *fact)
{
	switch (teller->line->kind)
	{
		case LINE_PLAN:
			if (term->term_price != NULL)
				fact_path(fact, term->card, "plans", term->option, "prices",
						  core_printf(teller->core, "%d", term->months), NULL);
			else
				fact_path(fact, term->card, "plans", term->option, "price", NULL);
			break;
		case LINE_PACK:
			fact_path(fact, term->card, "moderation", "packs", term->option, "price", NULL);
			break;
		case LINE_METER_PACK:
			fact_path(fact, term->card, "packs", term->option, "price", NULL);
			break;
		case LINE_LOCAL_MODERATION:
			fact_path(fact, term->card, "local_moderation", NULL);
			break;
		default:
			fact_path(fact, term->card, "addons", term->item, "prices",
					  term->bought_on, term->option, NULL);
	}
}

static void
tell_term_price(const Teller *teller, const Term *term)
{
	Fact		fact = fact_start("price");
	const char *unit = term->pack ? "a pack" :
		term->term_price == NULL ? "a month" : text_of_count(teller->core, term->months, "month");

	fact_amount(&fact, term->term_price != NULL ? term->term_price->price : term->unit_price);
	path_of_price(teller, term, &fact);
	fact.note = core_printf(teller->core, term->order->has_paid ?
							"List price of %s; the agreed price stands instead." :
							"Price of %s.", unit);
	tell(teller, &fact);
	if (!term->order->has_paid)
		return;
	fact = fact_start("agreed price");
	fact_order(&fact, term->order);
	fact_amount(&fact, term->order->paid);
	fact.note = "What the order says was paid for all of it.";
	tell(teller, &fact);
}

static void
tell_pack_content(const Teller *teller, const Term *term)
{
	Fact		fact = fact_start("content");
	const CardPack *of_meter = term_meter_pack(term);

	if (of_meter != NULL)
	{
		fact_quantity(&fact, meter_pack_content(term));
		fact_path(&fact, term->card, "packs", term->option, "holds", NULL);
		fact.note = core_printf(teller->core, "Of meter %s, in all packs of the order.", of_meter->meter);
	}
	else
	{
		fact_quantity(&fact, moderation_pack_content(term));
		fact_path(&fact, term->card, "moderation", "packs", term->option, "deductions", NULL);
		fact.note = "Deductions of all packs of the order.";
	}
	tell(teller, &fact);
}

/* What a purchase brings for use later: call minutes, deductions, usage of a meter. */
static void
tell_content(const Teller *teller, const Term *term)
{
	Fact		fact = fact_start("content");

	if (term->pack && term->priced)
		tell_pack_content(teller, term);
	if (term_minutes(term) == 0)
		return;
	fact_quantity(&fact, amount_of(term_minutes(term)));
	fact_path(&fact, term->card, "addons", term->item, "minutes", term->option, NULL);
	fact.note = "Pack minutes in each month of the term.";
	tell(teller, &fact);
}

void
tell_term(const Teller *teller)
{
	Core	   *core = teller->core;
	const Term *term = teller->line->term;
	const BillLine *line = teller->line;

	tell_order(teller, term->order);
	tell_card(teller, term->card, "In force on the day of the order.");
	if (term->priced)
		tell_term_price(teller, term);
	tell_term_span(teller, term);
	tell_content(teller, term);
	if (!term->priced)
		tell_amount(teller, "This rate card has no price for it.");
	else if (term->order->has_paid)
		tell_amount(teller, "The agreed price.");
	else if (term->term_price != NULL)
		tell_amount(teller, "The price of a purchase of just so many months.");
	else
		tell_amount(teller, core_printf(core, "%s x %s %s.", text_of_amount(core, line->units),
										text_of_amount(core, line->unit_price),
										teller->bill->card->currency));
}

static void
tell_plan_price(const Teller *teller, const char *name, const Card *card,
				const char *plan, Amount price)
{
	Fact		fact = fact_start(name);

	fact_amount(&fact, price);
	fact_path(&fact, card, "plans", plan, "price", NULL);
	fact.note = core_printf(teller->core, "Price of a month of plan %s.", plan);
	tell(teller, &fact);
}

static void
note_by_term(void *arg, const OldPart *part)
{
	*(bool *) arg |= part->by_term;
}

/* What a month of one of the upgraded terms cost, and its days. */
static void
tell_old_part(void *arg, const OldPart *part)
{
	const Teller *teller = arg;
	Core	   *core = teller->core;
	Fact		fact = fact_start("old price");

	fact_order(&fact, part->term->order);
	fact_amount(&fact, amount_ratio(core, part->price, part->months, 1));
	fact_quantity(&fact, amount_of(part->days));
	fact_number(&fact, teller, "price", part->price);
	fact_number(&fact, teller, "months", amount_of(part->months));
	fact.note = core_printf(core, "%s for %s, of which %s, %s, remain.", text_of_amount(core, part->price),
							text_of_count(core, part->months, "month"), text_of_count(core, part->days, "day"),
							span_text(core, part->from, part->from + part->days));
	tell(teller, &fact);
}

static void
tell_steps(const Teller *teller, const Upgrade *upgrade, const Card *card)
{
	const Account *account = teller->bill->account;
	bool		by_term = false;

	tell_plan_price(teller, "new price", card, upgrade->to_plan, upgrade->new_price);
	upgrade_old_parts(account, upgrade, note_by_term, &by_term);
	if (by_term)
		upgrade_old_parts(account, upgrade, tell_old_part, (void *) teller);
	else
		tell_plan_price(teller, "old price", card, upgrade->from_plan, upgrade->old_price);
}

static const char *
sum_of_steps(const Teller *teller, const Upgrade *upgrade)
{
	Core	   *core = teller->core;

	if (upgrade->order->has_paid)
		return "The agreed price.";
	if (upgrade->mixed)
		return "The sum of (new price - old price) x days / (365/12), at least 0, rounded half up to 0.01.";
	return core_printf(core, "(%s - %s) x %s / (365/12), at least 0, rounded half up to 0.01.",
					   text_of_amount(core, upgrade->new_price),
					   text_of_amount(core, upgrade->old_price),
					   text_of_amount(core, teller->line->units));
}

void
tell_upgrade(const Teller *teller)
{
	Core	   *core = teller->core;
	const Upgrade *upgrade = teller->line->upgrade;
	const Card *card = card_on(teller->bill->account->cards, upgrade->order->day);
	Fact		fact = fact_start("remaining days");

	tell_order(teller, upgrade->order);
	tell_card(teller, card, "In force on the day of the upgrade.");
	if (upgrade->priced)
		tell_steps(teller, upgrade, card);
	fact_day(&fact, upgrade->order->day);
	fact_quantity(&fact, amount_of(upgrade->end - upgrade->order->day));
	fact_date(&fact, teller, "from", upgrade->order->day);
	fact_date(&fact, teller, "through", upgrade->end - 1);
	fact.note = core_printf(core, "%s, the end of the last term already bought.",
							span_text(core, upgrade->order->day, upgrade->end));
	tell(teller, &fact);
	tell_amount(teller, sum_of_steps(teller, upgrade));
}

static void
tell_paid_part(void *arg, const PaidPart *part)
{
	const Teller *teller = arg;
	Fact		fact = fact_start("upgrade fee");
	Amount		fee = part->upgrade->amount;

	fact_order(&fact, part->upgrade->order);
	fact_quantity(&fact, amount_of(part->days));
	fact_amount(&fact, part->days == part->of ? fee :
				amount_ratio(teller->core, amount_times(teller->core, fee, part->days), part->of, 1));
	fact_number(&fact, teller, "fee", fee);
	fact_number(&fact, teller, "days", amount_of(part->days));
	fact_number(&fact, teller, "of", amount_of(part->of));
	fact.note = core_printf(teller->core, "Fee of the upgrade to %s, for %d of its %s.",
							part->upgrade->to_plan, part->days,
							text_of_count(teller->core, part->of, "remaining day"));
	tell(teller, &fact);
}

static void
tell_used_part(void *arg, const UsedPart *part)
{
	const Teller *teller = arg;
	Core	   *core = teller->core;
	Fact		fact = fact_start("used");
	Amount		divisor = (Amount) part->of * part->months;

	fact_day(&fact, part->from);
	fact_quantity(&fact, amount_of(part->days));
	fact_amount(&fact, amount_ratio(core, amount_times(core, part->price, part->days), divisor, 1));
	fact_number(&fact, teller, "price", part->price);
	fact_number(&fact, teller, "months", amount_of(part->months));
	fact_number(&fact, teller, "days", amount_of(part->days));
	fact_number(&fact, teller, "of", amount_of(part->of));
	fact.note = core_printf(core, "%s: %d of the %d days of that month of the term, at %s%s.",
							span_text(core, part->from, part->from + part->days), part->days, part->of,
							text_of_amount(core, part->price),
							part->months == 1 ? " a month" :
							core_printf(core, " for %d months", part->months));
	tell(teller, &fact);
}

static const char *
why_whole(const Refund *refund)
{
	return refund->term->annulled ? "The term had not begun: everything comes back." :
		"The app's first refund within 5 days of the purchase: everything comes back.";
}

/* What of the refund's own sum was too much, so that the facts add up. */
static void
tell_cut(const Teller *teller, const Refund *refund)
{
	Fact		fact = fact_start("cut");

	if (!refund->cut)
		return;
	fact_amount(&fact, refund->amount);
	fact.note = "All that was left of what was paid for this term and those that share an upgrade fee with it: their refunds together give back no more.";
	tell(teller, &fact);
}

void
tell_refund(const Teller *teller)
{
	const Account *account = teller->bill->account;
	const Refund *refund = teller->line->refund;
	Fact		fact = fact_start("paid");

	tell_order(teller, refund->order);
	tell_term_span(teller, refund->term);
	fact_order(&fact, refund->term->order);
	fact_amount(&fact, refund->term->amount);
	fact.note = core_printf(teller->core, "What order %lld cost.",
							(long long) refund->term->order->order_id);
	tell(teller, &fact);
	refund_paid_parts(account, refund, tell_paid_part, (void *) teller);
	if (!refund->whole)
		refund_used_parts(account, refund, tell_used_part, (void *) teller);
	tell_cut(teller, refund);
	tell_amount(teller, refund->cut ? "What was left." : refund->whole ? why_whole(refund) :
				"Paid less used comes back, at least 0, rounded half up to 0.01.");
}

void
tell_manual(const Teller *teller)
{
	const Order *order = teller->line->manual;
	bool		credit = order->action == ORDER_CREDIT;
	Fact		fact = fact_start("reason");

	tell_order(teller, order);
	fact_order(&fact, order);
	fact_text(&fact, "reason", order->option);
	fact.note = order->option[0] != '\0' ? core_printf(teller->core, "%s.", order->option) :
		"The order gives no reason.";
	tell(teller, &fact);
	tell_amount(teller, credit ? "What the order says is given back." : "What the order says is charged.");
}
