/*
 * account_plan.c
 *	  Plans: buying, renewing, upgrading, and which one held on a day (R2, R8).
 */
#include <string.h>

#include "core/orders/account_rules.h"

/* The upgrade fee spreads a year's twelve months evenly over its days (R8). */
#define MONTHS_OF_YEAR	12
#define DAYS_OF_YEAR	365

const Term *
plan_term_on(const Account *account, CalDay day)
{
	int			low = 0,
				high = account->nplans;

	while (low < high)
	{
		int			mid = low + (high - low) / 2;

		if (account->plans[mid]->start <= day)
			low = mid + 1;
		else
			high = mid;
	}
	return low > 0 ? account->plans[low - 1] : NULL;
}

bool
upgrade_covers(const Account *account, int upgrade, const Term *term)
{
	return upgrade >= term->first_upgrade && upgrade < term->end_upgrade &&
		account->upgrades[upgrade].order->day < term->ends &&
		term->start < account->upgrades[upgrade].end;
}

const char *
term_plan_on(const Account *account, const Term *term, CalDay day)
{
	const char *plan = term->option;
	int			end = account->nupgrades < term->end_upgrade ? account->nupgrades : term->end_upgrade;

	for (int i = term->first_upgrade; i < end && account->upgrades[i].order->day < term->ends; i++)
	{
		core_step(account->core);
		if (account->upgrades[i].order->day <= day && upgrade_covers(account, i, term))
			plan = account->upgrades[i].to_plan;
	}
	return plan;
}

const char *
plan_in_force(const Account *account, CalDay day)
{
	const Term *term = plan_term_on(account, day);

	return term != NULL && day < term->stop ? term_plan_on(account, term, day) : NULL;
}

bool
plan_last_day(const Account *account, CalDay day, CalDay *last)
{
	const Term *term = plan_term_on(account, day);

	if (term == NULL || day < term->ends || day >= term->stop)
		return false;
	*last = term->ends - 1;
	return true;
}

/* Another plan while one runs: only upwards, and that by an upgrade. */
static void
refuse_second_plan(Account *account, const Order *order, const Card *card, const Term *running)
{
	const CardPlan *old = card_plan(card, running->plan),
			   *new = card_plan(card, order->option);
	bool		up = old == NULL || new == NULL || new->rank > old->rank;
	char		day[CAL_TEXT_SIZE];

	order_refuse(account, order,
				 core_printf(account->core, "plan \"%s\" cannot be bought while \"%s\" runs through %s",
							 order->option, running->plan, cal_day_text(running->ends - 1, day)),
				 up ? "During a term a higher plan is reached by an upgrade, not by a purchase." :
				 "A plan never steps down while its term runs.",
				 up ? "Order the action upgrade." : "Buy the lower plan after the term has ended.");
}

/* Where a purchase starts: at the old end for the same plan, else on its day. */
static CalDay
plan_start(Account *account, const Order *order, const Card *card, const Term *last)
{
	bool		same;

	if (last == NULL || last->refunded_by != NULL)
		return order->day;
	same = strcmp(last->plan, order->option) == 0;
	if (order->day < last->ends && !same)
	{
		refuse_second_plan(account, order, card, last);
		return last->ends;
	}
	return same && order->day < last->stop ? last->ends : order->day;
}

int
order_months(Account *account, const Order *order)
{
	if (order->has_months && order->months >= 1 && order->months <= ORDER_MAX_MONTHS)
		return order->months;
	order_refuse(account, order,
				 order->has_months ?
				 core_printf(account->core, "months %d", order->months) : "months are missing",
				 core_printf(account->core, "\"%s\" is bought for 1 to %d months.",
							 order->item, ORDER_MAX_MONTHS),
				 "Set months to the number of months that were paid.");
	return 1;
}

static const CardPlan *
check_plan(Account *account, const Order *order, const Card *card)
{
	const CardPlan *plan = card_plan(card, order->option);

	if (plan == NULL)
		order_refuse(account, order,
					 core_printf(account->core, "there is no plan \"%s\"", order->option),
					 core_printf(account->core, "Rate card \"%s\" does not name it on the day of the order.",
								 account->cards->name),
					 "Set option to the name of a paid plan of the app's rate card.");
	else if (plan->rank == 0)
		order_refuse(account, order,
					 core_printf(account->core, "plan \"%s\" is free and cannot be ordered", order->option),
					 "Every app starts on the free plan and never goes back to it.",
					 "Open a new app to use the free plan again.");
	return plan;
}

/* By the month, or by what the card says of a purchase of just so many months. */
static void
price_plan(Account *account, Term *term, const CardPlan *plan)
{
	const TermPrice *price = plan != NULL ? plan_term_price(plan, term->months) : NULL;
	Amount		month;

	term->term_price = price;
	if (price == NULL)
	{
		term_price(account, term, plan ? &plan->price : NULL, term->months);
		return;
	}
	month = amount_ratio(account->core, price->price, term->months, 1);
	term_price(account, term, &month, term->months);
	if (!term->order->has_paid)
		term->amount = term->purse_paid = price->price;
}

void
buy_plan(Account *account, const Order *order)
{
	const Card *card = order_card(account, order);
	const CardPlan *plan = check_plan(account, order, card);
	CalDay		start;
	Term	   *term;

	start = plan_start(account, order, card, last_term(account, ITEM_PLAN));
	term = term_add(account, order, card, order_months(account, order));
	term->plan = order->option;
	term_span(account, term, start);
	term->stop = term->end + card->grace_days;
	term->first_upgrade = account->nupgrades;
	price_plan(account, term, plan);
	account->plans = core_grow(account->core, account->plans, account->nplans,
							   &account->plans_capacity, sizeof(Term *));
	account->plans[account->nplans++] = term;
}

void
upgrade_old_parts(const Account *account, const Upgrade *upgrade, OldVisitor visit, void *arg)
{
	CalDay		day = upgrade->order->day,
				until = upgrade->end;
	const Card *card = card_on(account->cards, day);
	const CardPlan *old = card_plan(card, upgrade->from_plan);

	/* the terms lie end to end, the running one first */
	for (const Term *term = upgrade->last; term != NULL && until > day; term = term->before)
	{
		bool		by_term = term->term_price != NULL && !term->order->has_paid &&
			strcmp(upgrade->from_plan, term->option) == 0;
		OldPart		part = {.term = term, .from = term->start > day ? term->start : day, .by_term = by_term,
			.price = by_term ? term->amount : old->price, .months = by_term ? term->months : 1};

		core_step(account->core);
		part.days = until - part.from;
		visit(arg, &part);
		until = part.from;
	}
}

/* A sum of steps over days: numerator / denominator, where a year has DAYS_OF_YEAR. */
typedef struct StepSum
{
	Core	   *core;
	Upgrade    *upgrade;
	bool		any;
	Amount		numerator;
	Amount		denominator;
} StepSum;

static Amount
common_divisor(Amount a, Amount b)
{
	while (b != 0)
	{
		Amount		rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

static void
add_step(void *arg, const OldPart *part)
{
	StepSum    *sum = arg;
	Core	   *core = sum->core;
	Amount		month = amount_ratio(core, part->price, part->months, 1);
	Amount		step = amount_sub(core, amount_times(core, sum->upgrade->new_price, part->months), part->price);
	Amount		factor = part->months / common_divisor(sum->denominator, part->months);

	sum->upgrade->mixed |= sum->any && sum->upgrade->old_price != month;
	sum->any = true;
	sum->upgrade->old_price = month;
	sum->numerator = amount_times(core, sum->numerator, factor);
	sum->denominator = amount_times(core, sum->denominator, factor);
	step = amount_times(core, step, (Amount) part->days * MONTHS_OF_YEAR);
	sum->numerator = amount_add(core, sum->numerator,
								amount_times(core, step, sum->denominator / part->months));
}

static void
price_upgrade(Account *account, Upgrade *upgrade)
{
	Core	   *core = account->core;
	StepSum		sum = {.core = core, .upgrade = upgrade, .denominator = 1};

	upgrade_old_parts(account, upgrade, add_step, &sum);
	if (upgrade->order->has_paid)
		upgrade->amount = upgrade->order->paid;
	else if (sum.numerator > 0)
		upgrade->amount = amount_ratio(core, sum.numerator,
									   amount_times(core, sum.denominator, DAYS_OF_YEAR), AMOUNT_CENT);
}

static bool
check_upgrade(Account *account, const Order *order, const Card *card, const Term *last)
{
	const CardPlan *new = check_plan(account, order, card);
	const CardPlan *old = last != NULL ? card_plan(card, last->plan) : NULL;

	if (strcmp(order->item, ITEM_PLAN) != 0)
		order_refuse(account, order,
					 core_printf(account->core, "\"%s\" cannot be upgraded", order->item),
					 "Only a plan is upgraded.", "Set item to plan.");
	if (!term_runs(last, order->day))
	{
		order_refuse(account, order, "there is no running term to upgrade",
					 "An upgrade needs a paid plan in its term; the grace is not enough.",
					 "Buy the plan instead.");
		return false;
	}
	if (old != NULL && new != NULL && new->rank <= old->rank)
		order_refuse(account, order,
					 core_printf(account->core, "\"%s\" is no step up from \"%s\"", order->option, last->plan),
					 "A plan is only ever upgraded to one of a higher rank.",
					 "Set option to a higher plan of the rate card.");
	else if (old == NULL)
		order_refuse(account, order,
					 core_printf(account->core, "the rate card no longer names the plan \"%s\"", last->plan),
					 "The fee of an upgrade is the difference of two prices of that day's version.",
					 "Add the old plan to the version of the rate card.");
	return true;
}

/* Queued renewals change with the running term, and share its fee. */
static void
share_fee(Account *account, Term *last, const Upgrade *upgrade)
{
	Core	   *core = account->core;
	Term	   *shared = term_purse(last);

	shared->purse_paid = amount_add(core, shared->purse_paid, upgrade->amount);
	for (Term *term = last; term_runs(term, upgrade->order->day); term = term->before)
	{
		Term	   *own = term_purse(term);

		core_step(core);
		term->plan = upgrade->to_plan;
		if (own == shared)
			continue;
		own->purse = shared;
		shared->purse_paid = amount_add(core, shared->purse_paid, own->purse_paid);
		shared->purse_back = amount_add(core, shared->purse_back, own->purse_back);
	}
}

void
upgrade_plan(Account *account, const Order *order)
{
	const Card *card = order_card(account, order);
	Term	   *last = last_term(account, ITEM_PLAN);
	const CardPlan *old,
			   *new;
	Upgrade    *upgrade;

	if (!check_upgrade(account, order, card, last))
		return;
	account->upgrades = core_grow(account->core, account->upgrades, account->nupgrades,
								  &account->upgrades_capacity, sizeof(Upgrade));
	upgrade = &account->upgrades[account->nupgrades++];
	*upgrade = (Upgrade) {.order = order, .from_plan = last->plan,
		.to_plan = order->option, .last = last, .end = last->ends};
	old = card_plan(card, last->plan);
	new = card_plan(card, order->option);
	upgrade->priced = old != NULL && new != NULL;
	if (upgrade->priced)
	{
		upgrade->new_price = new->price;
		price_upgrade(account, upgrade);
	}
	share_fee(account, last, upgrade);
}
