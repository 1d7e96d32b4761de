/*
 * account.c
 *	  Replays an app's order log and answers what held on a day.
 */
#include "core/orders/account.h"

#include <string.h>

#include "core/orders/account_rules.h"

const char *const service_state_names[SERVICE_STATES] = {
	"trial", "active", "grace", "stopped", "reclaimed", "suspended"
};

void
order_refuse(Account *account, const Order *order, const char *what,
			 const char *rule, const char *hint)
{
	Core	   *core = account->core;

	if (account->preview)
		return;
	if (account->trial != NULL)
		trial_refuse(account, order, what, rule);
	core_fail(core, PROBLEM_RULE,
			  core_printf(core, "order %lld of app %lld is refused: %s",
						  (long long) order->order_id, (long long) account->app_id, what),
			  rule, hint);
}

const Card *
order_card(Account *account, const Order *order)
{
	const Card *card = card_on(account->cards, order->day);
	char		day[CAL_TEXT_SIZE];

	if (card == NULL)
		core_fail(account->core, PROBLEM_CARD,
				  core_printf(account->core, "rate card \"%s\" has no version in force on %s",
							  account->cards->name, cal_day_text(order->day, day)),
				  core_printf(account->core, "Order %lld of app %lld falls on that day.",
							  (long long) order->order_id, (long long) account->app_id),
				  "Add the version to im_rate_card_version, or correct the order's time.");
	return card;
}

static int
find_item(const Account *account, const char *name)
{
	int			i = 0;

	for (; i < account->nitems && strcmp(account->items[i].name, name) != 0; i++)
		core_step(account->core);
	return i;
}

Term *
last_term(const Account *account, const char *item)
{
	int			i = find_item(account, item);

	return i < account->nitems ? account->items[i].last : NULL;
}

/* Makes a term the newest of its item that stands. */
static void
set_last_term(Account *account, Term *term)
{
	int			i = find_item(account, term->item);

	if (i == account->nitems)
	{
		account->items = core_grow(account->core, account->items, i, &account->items_capacity,
								   sizeof(AccountItem));
		account->items[account->nitems++] = (AccountItem) {.name = term->item};
	}
	term->item_number = i;
	term->before = account->items[i].last;
	account->items[i].last = term;
}

Term *
term_add(Account *account, const Order *order, const Card *card, int months)
{
	Term	   *term = core_alloc(account->core, sizeof(Term));

	term->order = order;
	term->item = order->item;
	term->option = order->option;
	term->card = card;
	term->months = months;
	term->end_upgrade = INT32_MAX;
	set_last_term(account, term);
	account->term_of[order - account->orders] = term;
	account->terms = core_grow(account->core, account->terms, account->nterms,
							   &account->terms_capacity, sizeof(Term *));
	term->number = account->nterms;
	account->terms[account->nterms++] = term;
	return term;
}

void
term_span(Account *account, Term *term, CalDay start)
{
	term->start = start;
	term->end = term->ends = cal_add_months(start, term->months);
	if (term->end > CAL_MAX_DAY)
		order_refuse(account, term->order, "the term ends after the year 9999",
					 "Renewals continue from the end of the term before.",
					 "Look for purchases that cannot be meant.");
}

void
term_price(Account *account, Term *term, const Amount *unit_price, int count)
{
	const Order *order = term->order;

	term->priced = unit_price != NULL;
	if (unit_price != NULL)
	{
		term->unit_price = *unit_price;
		term->amount = order->has_paid ? order->paid :
			amount_times(account->core, *unit_price, count);
	}
	term->purse_paid = term->amount;
}

Term *
term_purse(Term *term)
{
	while (term->purse != NULL)
		term = term->purse;
	return term;
}

int64_t
term_minutes(const Term *term)
{
	const CardAddon *addon = term->plan == NULL ? card_addon(term->card, term->item) : NULL;

	return addon != NULL ? addon_minutes(addon, term->option) : 0;
}

bool
term_runs(const Term *term, CalDay day)
{
	return term != NULL && term->refunded_by == NULL && day < term->ends;
}

/* Refunds and voids name another order, and only they. */
static void
check_named_order(Account *account, const Order *order)
{
	bool		names = order->action == ORDER_REFUND || order->action == ORDER_VOID;
	const char *verb = order->action == ORDER_VOID ? "void" : "refund";

	if (order->has_refunds == names)
		return;
	order_refuse(account, order,
				 order->has_refunds ? "only a refund or a void names another order" :
				 core_printf(account->core, "a %s must name the order to %s", verb, verb),
				 "The column refunds holds the order_id that a refund takes back or a void undoes.",
				 "Set refunds on a refund or void and leave it null on every other order.");
}

void
order_need_one(Account *account, const Order *order)
{
	if (order->quantity != 1)
		order_refuse(account, order,
					 core_printf(account->core, "quantity %d", order->quantity),
					 "Only packs are bought in a quantity, of at least 1.",
					 "Leave quantity at 1, or place one order each.");
}

/* Checks the columns that an action does not use, so that none is ignored. */
void
order_check_shape(Account *account, const Order *order)
{
	bool		buys = order->action == ORDER_BUY;

	if (order->quantity < 1 || !order_counts_packs(order))
		order_need_one(account, order);
	if (order->has_months && !buys)
		order_refuse(account, order,
					 core_printf(account->core, "months %d of an order that is no purchase", order->months),
					 "Only a purchase runs for a number of months.",
					 "Leave months null.");
	if (order->has_paid && !buys && order->action != ORDER_UPGRADE && !order_is_manual(order))
		order_refuse(account, order, "an agreed price of an order that is no purchase",
					 "Only a purchase or an upgrade can have an agreed price.",
					 "Leave paid null.");
	check_named_order(account, order);
}

/* A line that somebody gives or charges by hand (R15). */
static void
check_manual(Account *account, const Order *order)
{
	const char *action = order_action_names[order->action];

	if (strcmp(order->item, ITEM_MANUAL) != 0)
		order_refuse(account, order,
					 core_printf(account->core, "a %s of \"%s\"", action, order->item),
					 "A credit or charge is a line of its own and has the item manual.",
					 "Set item to manual, and option to the reason.");
	if (!order->has_paid || order->paid <= 0)
		order_refuse(account, order,
					 core_printf(account->core, "a %s %s", action,
								 order->has_paid ? "of 0" : "without an amount"),
					 "The column paid holds the amount, above 0; a credit gives it back.",
					 "Set paid, and choose credit or charge by its direction.");
	if (strlen(order->option) > ORDER_MAX_REASON)
		order_refuse(account, order,
					 core_printf(account->core, "a reason of %d bytes", (int) strlen(order->option)),
					 core_printf(account->core, "A reason has at most %d bytes.", ORDER_MAX_REASON),
					 "Give the reason in fewer words.");
}

static void
buy(Account *account, const Order *order)
{
	if (strcmp(order->item, ITEM_PLAN) == 0)
		buy_plan(account, order);
	else if (strcmp(order->item, ITEM_LOCAL_MODERATION) == 0)
		buy_local_moderation(account, order);
	else if (strcmp(order->item, ITEM_PACK) == 0)
		buy_pack(account, order);
	else if (strcmp(order->item, ITEM_METER_PACK) == 0)
		buy_meter_pack(account, order);
	else
		buy_addon(account, order);
}

static void
apply_order(Account *account, int position)
{
	const Order *order = &account->orders[position];

	order_check_shape(account, order);
	switch (order->action)
	{
		case ORDER_BUY:
			buy(account, order);
			break;
		case ORDER_UPGRADE:
			upgrade_plan(account, order);
			break;
		case ORDER_REFUND:
			refund(account, order);
			break;
		case ORDER_ON:
			turn_on(account, order);
			break;
		case ORDER_OFF:
			turn_off(account, order);
			break;
		case ORDER_CREDIT:
		case ORDER_CHARGE:
			check_manual(account, order);
			break;
		case ORDER_VOID:		/* is not in the log as it stands */
		case ORDER_ACTIONS:
			break;
	}
}

static int
compare_suspensions(const void *a, const void *b)
{
	CalDay		x = ((const Suspension *) a)->from,
				y = ((const Suspension *) b)->from;

	return (x > y) - (x < y);
}

/* Sorts and joins the spans, so that a day is found by bisection. */
static void
set_suspensions(Account *account, const Suspension *given, int count)
{
	Suspension *spans = core_alloc(account->core, sizeof(Suspension) * (size_t) (count + 1));
	int			n = 0;

	if (count > 0)
		memcpy(spans, given, sizeof(Suspension) * (size_t) count);
	core_sort(account->core, spans, count, sizeof(Suspension), compare_suspensions);
	for (int i = 0; i < count; i++)
	{
		core_step(account->core);
		if (n > 0 && spans[i].from <= spans[n - 1].until)
		{
			if (spans[i].until > spans[n - 1].until)
				spans[n - 1].until = spans[i].until;
		}
		else
			spans[n++] = spans[i];
	}
	account->suspensions = spans;
	account->nsuspensions = n;
}

/* True if one of the orders behind gives call minutes of a term back. */
static bool
minutes_come_back(const Account *account, int norders)
{
	for (int i = account->norders; i < norders; i++)
	{
		const Order *order = &account->orders[i];
		const Term *term = order->action == ORDER_REFUND ? refunded_term(account, order) : NULL;

		core_step(account->core);
		if (term != NULL && term->refunded_by == NULL && term_minutes(term) > 0)
			return true;
	}
	return false;
}

/*
 * What later refunds leave of call minutes.  Whether such a refund gives
 * everything back depends on all orders before it, so they are replayed in an
 * account of their own.  Nothing is refused there: that is for the bills of
 * those orders' own months.
 */
static void
look_behind(Account *account, int norders, const Suspension *suspensions, int nsuspensions)
{
	const Account *later;

	if (!minutes_come_back(account, norders))
		return;
	later = account_open(account->core, account->app_id, account->cards, account->orders, norders,
						 suspensions, nsuspensions, CAL_MAX_DAY + 1, true);
	for (int i = 0; i < account->norders; i++)
	{
		Term	   *term = account->term_of[i];

		core_step(account->core);
		if (term == NULL || term->refunded_by != NULL || !later->term_of[i]->returned)
			continue;
		term->returned = true;
		term->returned_whole = later->term_of[i]->returned_whole;
		term->returned_on = later->term_of[i]->returned_on;
	}
}

Account *
account_start(Core *core, int64_t app_id, const CardHistory *cards, bool preview)
{
	Account    *account = core_alloc(core, sizeof(Account));

	account->core = core;
	account->app_id = app_id;
	account->cards = cards;
	account->preview = preview;
	return account;
}

void
account_replay(Account *account, const Order *orders, int norders, CalDay until)
{
	Core	   *core = account->core;

	account->orders = orders;
	while (account->norders < norders && orders[account->norders].day < until)
	{
		core_step(core);
		account->norders++;
	}
	account->term_of = core_alloc(core, sizeof(Term *) * (size_t) (account->norders + 1));
	account->by_id = orders_by_id(core, orders, account->norders);
	for (int i = 0; i < account->norders; i++)
	{
		core_step(core);
		apply_order(account, i);
	}
}

Account *
account_open(Core *core, int64_t app_id, const CardHistory *cards,
			 const Order *orders, int norders,
			 const Suspension *suspensions, int nsuspensions,
			 CalDay until, bool preview)
{
	Account    *account = account_start(core, app_id, cards, preview);

	orders = standing_orders(account, orders, &norders, until);
	set_suspensions(account, suspensions, nsuspensions);
	account_replay(account, orders, norders, until);
	look_behind(account, norders, suspensions, nsuspensions);
	return account;
}

static bool
suspended_on(const Account *account, CalDay day)
{
	int			low = 0,
				high = account->nsuspensions;

	while (low < high)
	{
		int			mid = low + (high - low) / 2;

		if (account->suspensions[mid].from <= day)
			low = mid + 1;
		else
			high = mid;
	}
	return low > 0 && day < account->suspensions[low - 1].until;
}

ServiceState
account_state(const Account *account, CalDay day, const char **plan)
{
	const Term *term = plan_term_on(account, day);

	*plan = term != NULL && day < term->stop ? term_plan_on(account, term, day) : NULL;
	if (suspended_on(account, day))
		return STATE_SUSPENDED;
	if (term == NULL)
		return STATE_TRIAL;
	if (day < term->ends)
		return STATE_ACTIVE;
	if (day < term->stop)
		return STATE_GRACE;
	return day < term->stop + KEEP_DAYS ? STATE_STOPPED : STATE_RECLAIMED;
}

bool
in_service(ServiceState state)
{
	return state == STATE_TRIAL || state == STATE_ACTIVE || state == STATE_GRACE;
}
