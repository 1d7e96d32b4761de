/*
 * plan_choice.c
 *	  What a month's usage would have cost on another plan.
 */
#include "core/bill/plan_choice.h"

#include <string.h>

#include "core/bill/bill_rules.h"
#include "core/orders/account_rules.h"

/* The orders of the app as it would have been, while they are put together. */
typedef struct ChoiceOrders
{
	const Bill *real;
	PlanChoice *choice;
	int			norders;
	int			capacity;
	Order	   *orders;
} ChoiceOrders;

static Order *
add_order(ChoiceOrders *list, Order order)
{
	list->orders = core_grow(list->real->core, list->orders, list->norders, &list->capacity,
							 sizeof(Order));
	list->orders[list->norders] = order;
	return &list->orders[list->norders++];
}

/* The first day of the month, or that of the card's first version if it is later. */
static CalDay
first_priced_day(const Bill *real)
{
	return is_priced(real->account, real->first) ? real->first :
		real->account->cards->versions[0].from;
}

/* An order on the first of the month; its number is never shown. */
static void
place(ChoiceOrders *list, OrderAction action, const char *item, const char *option)
{
	Order	   *order = add_order(list, (Order) {.day = first_priced_day(list->real), .action = action,
											 .item = item, .option = option, .quantity = 1, .held = true});

	order->order_id = INT64_MIN + list->norders;
	order->has_months = action == ORDER_BUY;
	order->months = order->has_months ? 1 : 0;
}

static void
lack(ChoiceOrders *list, const char *what)
{
	PlanChoice *choice = list->choice;

	choice->lacks = choice->lacks[0] == '\0' ? what :
		core_printf(list->real->core, "%s; %s", choice->lacks, what);
}

static void
place_addon(ChoiceOrders *list, OrderAction action, const char *item, const char *option)
{
	const Card *card = list->real->card;
	const CardPlan *plan = list->choice->plan;
	const CardAddon *addon = card_addon(card, item);
	bool		local = strcmp(item, ITEM_LOCAL_MODERATION) == 0;

	/* an earlier version of the card may have charged it in another way */
	if (local ? card->sells_local_moderation :
		addon != NULL && addon->postpaid == (action == ORDER_ON) &&
		plan->rank > 0 && addon_price(addon, plan->name, option) != NULL)
		place(list, action, item, option);
	else
		lack(list, core_printf(list->real->core, "%s%s%s is not sold on it", item,
							   option[0] == '\0' ? "" : " ", option));
}

/* Of each item the newest term that began before the month's end. */
static const Term **
newest_begun(const Bill *real)
{
	const Account *account = real->account;
	const Term **newest = core_alloc(real->core, sizeof(Term *) * (size_t) (account->nitems + 1));

	for (int i = 0; i < account->nterms; i++)
	{
		const Term *term = account->terms[i],
				  **latest = &newest[term->item_number];

		core_step(real->core);
		/* of two that began on one day the later order */
		if (!term->annulled && term->start < real->until &&
			(*latest == NULL || term->start >= (*latest)->start))
			*latest = term;
	}
	return newest;
}

/* What is bought beside a plan and depends on it. */
static bool
is_addon(const Term *term)
{
	return term->plan == NULL && !term->pack;
}

static void
place_held(ChoiceOrders *list)
{
	const Bill *real = list->real;
	const Term **newest = newest_begun(real);

	if (list->choice->plan->rank > 0)
		place(list, ORDER_BUY, ITEM_PLAN, list->choice->plan->name);
	for (int i = 0; i < real->account->nterms; i++)
	{
		const Term *term = real->account->terms[i];

		core_step(real->core);
		if (newest[term->item_number] == term && is_addon(term) && term->ends > real->first)
			place_addon(list, ORDER_BUY, term->item, term->option);
	}
	for (int i = 0; i < real->nlines; i++)
	{
		core_step(real->core);
		if (real->lines[i].kind == LINE_POSTPAID_ADDON)
			place_addon(list, ORDER_ON, real->lines[i].item, real->lines[i].option);
		if (real->lines[i].kind == LINE_MODERATION && !moderation_offered(real->card, list->choice->plan->name))
			lack(list, "moderation is not offered on it");
	}
}

/* Packs and the switch of moderation do not depend on the plan. */
static bool
stays(const Account *account, int order)
{
	const Term *term = account->term_of[order];

	return term != NULL ? term->pack : strcmp(account->orders[order].item, ITEM_MODERATION) == 0;
}

static void
make_orders(ChoiceOrders *list)
{
	const Account *account = list->real->account;
	bool		placed = false;

	for (int i = 0; i < account->norders; i++)
	{
		core_step(account->core);
		if (!placed && account->orders[i].day >= list->real->first)
		{
			place_held(list);
			placed = true;
		}
		if (stays(account, i))
			add_order(list, account->orders[i]);
	}
	if (!placed)
		place_held(list);
}

/* Days before the month on which the app was out of service took from no pack. */
static Suspension *
days_out(const Bill *real, int *count)
{
	CalDay		since = real->usage->first;
	Suspension *spans = core_alloc(real->core, sizeof(Suspension) *
								   (size_t) (since < real->first ? real->first - since : 1));
	const char *plan;

	*count = 0;
	for (CalDay day = since; day < real->first; day++)
	{
		core_step(real->core);
		if (!in_service(account_state(real->account, day, &plan)))
			spans[(*count)++] = (Suspension) {day, day + 1};
	}
	return spans;
}

static void
check_free_limit(ChoiceOrders *list, UsageField field, const char *name, const char *what)
{
	const Bill *real = list->real;
	int64_t		limit = free_plan_limit(real->card, name);

	for (CalDay day = real->first; day < real->until; day++)
	{
		int64_t		figure = usage_on(real->usage, day, field);

		if (figure <= limit)
			continue;
		lack(list, core_printf(real->core, "it carries at most %lld %s, and there were %lld on %s",
							   (long long) limit, what, (long long) figure,
							   text_of_day(real->core, day)));
		return;
	}
}

static void
leave_out_packs(Bill *bill)
{
	int			kept = 0;

	for (int i = 0; i < bill->nlines; i++)
	{
		core_step(bill->core);
		if (bill->lines[i].term == NULL || !bill->lines[i].term->pack)
			bill->lines[kept++] = bill->lines[i];
	}
	bill->nlines = kept;
}

/* An app that is stopped holds no plan, and not the free one again. */
static bool
is_held(const Bill *real, const CardPlan *plan)
{
	if (real->service.plan != NULL)
		return strcmp(real->service.plan, plan->name) == 0;
	return plan->rank == 0 && plan_term_on(real->account, real->until - 1) == NULL;
}

PlanChoice
plan_choice(const Bill *real, const CardPlan *plan)
{
	const Account *account = real->account;
	PlanChoice	choice = {.plan = plan, .lacks = "", .held = is_held(real, plan)};
	ChoiceOrders list = {.real = real, .choice = &choice};
	Suspension *out;
	int			nout;

	make_orders(&list);
	if (plan->rank == 0)
	{
		check_free_limit(&list, USAGE_DAU, "dau", "users a day");
		check_free_limit(&list, USAGE_GROUPS, "groups", "groups");
	}
	out = days_out(real, &nout);
	account = account_open(real->core, account->app_id, account->cards, list.orders, list.norders,
						   out, nout, real->until, account->preview);
	choice.bill = bill_compute(real->core, account, real->usage, real->month);
	leave_out_packs(choice.bill);
	return choice;
}
