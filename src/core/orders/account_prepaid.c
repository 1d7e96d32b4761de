/*
 * account_prepaid.c
 *	  What is bought beside a plan: add-ons, local moderation, packs (R4, R6).
 */
#include <string.h>

#include "core/orders/account_rules.h"

void
buy_local_moderation(Account *account, const Order *order)
{
	const Card *card = order_card(account, order);
	Term	   *last = last_term(account, ITEM_LOCAL_MODERATION),
			   *term;
	CalDay		start = term_runs(last, order->day) ? last->ends : order->day;

	if (!card->sells_local_moderation || order->option[0] != '\0')
		order_refuse(account, order,
					 core_printf(account->core, "local moderation \"%s\" is not sold", order->option),
					 "The rate card of that day has no such price.",
					 "Leave option empty and use a rate card that prices local_moderation.");
	term = term_add(account, order, card, order_months(account, order));
	term_span(account, term, start);
	term_price(account, term, card->sells_local_moderation ? &card->local_moderation : NULL,
			   term->months);
}

/* The terms of a prepaid add-on: one option at a time, on a paid plan (R4). */
static const AddonPrice *
check_addon(Account *account, const Order *order, const Card *card)
{
	const CardAddon *addon = card_addon(card, order->item);
	const char *plan = plan_in_force(account, order->day);
	const AddonPrice *price = NULL;

	if (addon == NULL)
		order_refuse(account, order,
					 core_printf(account->core, "unknown item \"%s\"", order->item),
					 core_printf(account->core, "Rate card \"%s\" does not sell it on the day of the order.",
								 account->cards->name),
					 "Use plan, local_moderation, moderation_pack, pack or an add-on of the rate card.");
	else if (addon->postpaid)
		order_refuse(account, order,
					 core_printf(account->core, "\"%s\" is not bought", order->item),
					 "A postpaid add-on is switched on and off and charged by the calendar month.",
					 "Order the action on or off.");
	if (plan == NULL)
		order_refuse(account, order,
					 core_printf(account->core, "add-on \"%s\" needs a paid plan in force", order->item),
					 "Add-ons are sold only while a paid plan is in force, its grace included.",
					 "Buy or renew a plan first.");
	else if (addon != NULL)
		price = addon_price(addon, plan, order->option);
	if (price == NULL && plan != NULL && addon != NULL)
		order_refuse(account, order,
					 core_printf(account->core, "add-on \"%s\" option \"%s\" is not sold on plan \"%s\"",
								 order->item, order->option, plan),
					 "The rate card of that day has no such price.",
					 "See im_price_list(card) for what the plan sells.");
	return price;
}

void
check_renew_only(Account *account, const Order *order, const CardAddon *addon, bool holds)
{
	if (holds || order->held || addon == NULL || !addon_renews_only(addon, order->option))
		return;
	order_refuse(account, order,
				 core_printf(account->core, "add-on \"%s\" option \"%s\" is sold only to an app that holds it",
							 order->item, order->option),
				 "The app neither holds it on the day of the order, nor held it on the last day of a plan whose grace runs.",
				 "Order another option; see renew_only of the rate card.");
}

/* In force on the day; terms of an item that follow one another leave no gap. */
static bool
holds_option(const Account *account, const Order *order)
{
	const Term *term = last_term(account, order->item);
	CalDay		day = order->day;

	if (term != NULL && day < term->ends && strcmp(term->option, order->option) == 0)
		return true;
	if (!plan_last_day(account, order->day, &day))
		return false;
	for (; term != NULL && term->start > day; term = term->before)
		core_step(account->core);
	return term != NULL && day < term->ends && strcmp(term->option, order->option) == 0;
}

void
buy_addon(Account *account, const Order *order)
{
	const Card *card = order_card(account, order);
	const AddonPrice *price = check_addon(account, order, card);
	Term	   *last = last_term(account, order->item),
			   *term;
	CalDay		start = order->day;
	char		day[CAL_TEXT_SIZE];

	order_need_one(account, order);
	check_renew_only(account, order, card_addon(card, order->item), holds_option(account, order));
	if (term_runs(last, order->day))
	{
		start = last->ends;
		if (strcmp(last->option, order->option) != 0)
			order_refuse(account, order,
						 core_printf(account->core, "add-on \"%s\" option \"%s\" still runs through %s",
									 order->item, last->option, cal_day_text(last->ends - 1, day)),
						 "An add-on has one option at a time.",
						 "Refund the running option first, or wait for its end.");
	}
	term = term_add(account, order, card, order_months(account, order));
	term_span(account, term, start);
	term->bought_on = price != NULL ? price->plan : NULL;
	term_price(account, term, price ? &price->price : NULL, term->months);
}

/* Packs run from their day on, each by itself, whatever else there is. */
static void
add_packs(Account *account, const Order *order, const Card *card, const CardPack *pack, const char *kind)
{
	Term	   *term;

	if (pack == NULL)
		order_refuse(account, order,
					 core_printf(account->core, "there is no %s \"%s\"", kind, order->option),
					 "The rate card of that day does not sell it.",
					 "Set option to a pack of the rate card.");
	else if (order->has_months && order->months != pack->months)
		order_refuse(account, order, core_printf(account->core, "months %d", order->months),
					 core_printf(account->core, "The months of pack \"%s\" are %d.", pack->name, pack->months),
					 "Leave months null and set quantity to buy several.");
	term = term_add(account, order, card, pack != NULL ? pack->months : 1);
	term->pack = true;
	term_span(account, term, order->day);
	term_price(account, term, pack ? &pack->price : NULL, order->quantity);
}

void
buy_pack(Account *account, const Order *order)
{
	const Card *card = order_card(account, order);

	add_packs(account, order, card, card_pack(card, order->option), "moderation pack");
}

/* A card of before there were packs of meters may call an add-on so. */
void
buy_meter_pack(Account *account, const Order *order)
{
	const Card *card = order_card(account, order);

	if (card_addon(card, ITEM_METER_PACK) != NULL)
		buy_addon(account, order);
	else
		add_packs(account, order, card, card_meter_pack(card, order->option), "pack");
}
