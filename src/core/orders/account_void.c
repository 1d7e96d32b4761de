/*
 * account_void.c
 *	  Voids: the log reads as if neither they nor what they void had been
 *	  placed (R15).
 *
 * Bills, states and all else read the log as it stands, so nobody but this
 * file knows of voids.  Whether a void may stand is a question for whoever
 * checks a log: what the other orders before it came to must be the same
 * without the voided order.  So the log up to the void is replayed twice,
 * with the order and without it, and compared.
 */
#include <string.h>

#include "core/orders/account_rules.h"

/* A log with its voids: by position, the void of an order, or NULL. */
typedef struct VoidedLog
{
	Account    *account;		/* whom refusals are about */
	int			norders;
	const Order *orders;
	const int  *by_id;
	const Order **void_of;
	bool		packs_alone;	/* no add-on is named as packs of meters are */
} VoidedLog;

static bool
any_void(Core *core, const Order *orders, int norders)
{
	for (int i = 0; i < norders; i++)
	{
		core_step(core);
		if (orders[i].action == ORDER_VOID)
			return true;
	}
	return false;
}

/* Refuses a void of what there is but cannot be voided by it. */
static void
check_void(const VoidedLog *log, const Order *by, int at)
{
	Core	   *core = log->account->core;
	const Order *order = &log->orders[at];
	char	   *what = core_printf(core, "order %lld cannot be voided", (long long) by->refunds);

	if (order->action == ORDER_VOID)
		order_refuse(log->account, by, what, "A void is never voided.",
					 "Place the order that was voided once more, under a number of its own.");
	else if (log->void_of[at] != NULL)
		order_refuse(log->account, by, what, "An order is voided once.", "Leave the void out.");
	else if (by->at < order->at)
		order_refuse(log->account, by, what, "The void has an earlier time than the order.",
					 "Give the void a time at or after that of the order.");
	else if ((by->item[0] != '\0' && strcmp(by->item, order->item) != 0) ||
			 (by->option[0] != '\0' && strcmp(by->option, order->option) != 0))
		order_refuse(log->account, by, what,
					 core_printf(core, "That order is of \"%s\" option \"%s\".", order->item, order->option),
					 "Set item and option to those of the voided order, or to ''.");
}

static bool
sells_addon(Core *core, const CardHistory *cards, const char *name)
{
	for (int i = 0; i < cards->nversions; i++)
	{
		core_step(core);
		if (card_addon(cards->versions[i].card, name) != NULL)
			return true;
	}
	return false;
}

static VoidedLog
find_voids(Account *account, const Order *orders, int norders, CalDay until)
{
	Core	   *core = account->core;
	VoidedLog	log = {account, norders, orders, orders_by_id(core, orders, norders),
		core_alloc(core, sizeof(Order *) * (size_t) (norders + 1)), !sells_addon(core, account->cards, ITEM_METER_PACK)};

	for (int i = 0; i < norders; i++)
	{
		const Order *by = &orders[i];
		int			at;

		core_step(core);
		if (by->action != ORDER_VOID)
			continue;
		order_check_shape(account, by);
		at = order_position(orders, log.by_id, norders, by->refunds);
		if (at >= 0)
		{
			check_void(&log, by, at);
			log.void_of[at] = by;
		}
		else if (by->day < until)
			order_refuse(account, by,
						 core_printf(core, "order %lld cannot be voided", (long long) by->refunds),
						 "The app has no order of that number.",
						 "Set refunds to the order_id of the order that was placed by mistake.");
	}
	return log;
}

/* The first "prefix" orders of a log, less those voided by voids before "end". */
static Order *
orders_left(const VoidedLog *log, int prefix, const Order *end, int *norders)
{
	Core	   *core = log->account->core;
	Order	   *left = core_alloc(core, sizeof(Order) * (size_t) (prefix + 1));

	*norders = 0;
	for (int i = 0; i < prefix; i++)
	{
		const Order *by = log->void_of[i];

		core_step(core);
		if (log->orders[i].action != ORDER_VOID && (by == NULL || by >= end))
			left[(*norders)++] = log->orders[i];
	}
	return left;
}

const Order *
standing_orders(Account *account, const Order *orders, int *norders, CalDay until)
{
	VoidedLog	log;

	if (!any_void(account->core, orders, *norders))
		return orders;
	log = find_voids(account, orders, *norders, until);
	return orders_left(&log, log.norders, orders + log.norders, norders);
}

/* ---- whether voids may stand ---- */

/* Voids between other orders: positions from "first" to before "end". */
typedef struct VoidRun
{
	const VoidedLog *log;
	int			first;
	int			end;
	const Order *earliest;		/* of what they void */
} VoidRun;

static void check_run(const VoidRun *run);

/* What no other order rests on and what rests on none. */
static bool
stands_alone(const VoidedLog *log, const Order *order)
{
	return order_is_manual(order) ||
		(order->action == ORDER_BUY && (strcmp(order->item, ITEM_PACK) == 0 ||
										(log->packs_alone && strcmp(order->item, ITEM_METER_PACK) == 0)));
}

/* Of which items orders stand behind a place in the log. */
typedef struct ItemsBehind
{
	int			nitems;
	int			capacity;
	const char **items;
} ItemsBehind;

/* What an order is of; a refund of what it gives back. */
static const char *
item_of(const VoidedLog *log, const Order *order)
{
	int			at = order->action == ORDER_REFUND ?
		order_position(log->orders, log->by_id, log->norders, order->refunds) : -1;

	return at >= 0 ? log->orders[at].item : order->item;
}

static bool
is_behind(const VoidedLog *log, const ItemsBehind *behind, const char *item)
{
	for (int i = 0; i < behind->nitems; i++)
	{
		core_step(log->account->core);
		if (strcmp(behind->items[i], item) == 0)
			return true;
	}
	return false;
}

static void
add_behind(const VoidedLog *log, ItemsBehind *behind, const char *item)
{
	if (is_behind(log, behind, item))
		return;
	behind->items = core_grow(log->account->core, behind->items, behind->nitems, &behind->capacity, sizeof(char *));
	behind->items[behind->nitems++] = item;
}

/* Plans bear on all that is sold on them, a refund on which one is the first; all else on its own item. */
static bool
bears_on(const VoidedLog *log, const Order *order, const ItemsBehind *behind)
{
	if (order->action == ORDER_REFUND || strcmp(order->item, ITEM_PLAN) == 0)
		return behind->nitems > 0;
	return is_behind(log, behind, order->item);
}

/* True if a run voids an order that others before the run may rest on. */
static bool
bears_on_others(VoidRun *run)
{
	const VoidedLog *log = run->log;
	const Order *end = log->orders + run->end;
	ItemsBehind behind = {0};

	for (int i = run->first - 1; i >= 0 && run->earliest != NULL && log->orders + i >= run->earliest; i--)
	{
		const Order *order = &log->orders[i];

		core_step(log->account->core);
		if (order->action == ORDER_VOID || stands_alone(log, order))
			continue;
		if (log->void_of[i] == NULL || log->void_of[i] >= end)
			add_behind(log, &behind, item_of(log, order));
		else if (log->void_of[i] >= log->orders + run->first && bears_on(log, order, &behind))
			return true;
	}
	return false;
}

/* The replay of the log before a run, with what it voids or without. */
struct VoidTrial
{
	const VoidRun *run;
	bool		voided;
};

/*
 * Refuses the first void of a run that the log does not bear; the whole run is
 * known to have one.  Where a shorter run has it, its check does not return.
 */
static void
refuse_run(const VoidRun *run, const Order *other, const char *what, const char *rule)
{
	Core	   *core = run->log->account->core;
	VoidRun		part = *run;
	const Order *by = &run->log->orders[run->end - 1];

	for (int low = run->first; run->end - low > 1; low = part.end)
	{
		part.end = low + (run->end - low) / 2;
		check_run(&part);
	}
	order_refuse(run->log->account, by,
				 core_printf(core, "without order %lld, order %lld would %s", (long long) by->refunds,
							 (long long) other->order_id, what),
				 rule, core_printf(core, "Refund or void order %lld first.", (long long) other->order_id));
}

/* Whether the run voids an order before another one. */
static bool
voids_before(const VoidRun *run, int64_t order_id)
{
	const VoidedLog *log = run->log;

	for (int i = 0; i < run->first && log->orders[i].order_id != order_id; i++)
	{
		const Order *by = log->void_of[i];

		core_step(log->account->core);
		if (by != NULL && by >= log->orders + run->first && by < log->orders + run->end)
			return true;
	}
	return false;
}

void
trial_refuse(Account *account, const Order *order, const char *what, const char *rule)
{
	Core	   *core = account->core;
	const VoidRun *run = account->trial->run;

	if (account->trial->voided)
		refuse_run(run, order, core_printf(core, "break a rule: %s", what), rule);
	else if (voids_before(run, order->order_id))
		order_refuse(run->log->account, order, what,
					 core_printf(core, "%s An order that is voided later still stood then.", rule),
					 "Give what is ordered in place of a voided order a time at or after that of the void.");
}

/* The log before the run, as it was or, voided, as it would have been. */
static const Account *
try_run(const VoidRun *run, bool voided)
{
	const VoidedLog *log = run->log;
	const Account *of = log->account;
	Account    *account = account_start(of->core, of->app_id, of->cards, false);
	VoidTrial	trial = {run, voided};
	int			norders;
	const Order *orders = orders_left(log, run->first, log->orders + (voided ? run->end : run->first), &norders);

	account->trial = &trial;
	account_replay(account, orders, norders, CAL_MAX_DAY + 1);
	account->trial = NULL;
	return account;
}

static void
refuse_other(const VoidRun *run, const Order *other)
{
	refuse_run(run, other, "have another term, price or amount",
			   "What is voided must not change what other orders came to.");
}

static void
compare_terms(const VoidRun *run, const Account *was, const Account *is)
{
	for (int w = 0, i = 0; w < was->nterms && i < is->nterms; w++)
	{
		const Term *a = was->terms[w],
				   *b = is->terms[i];

		core_step(is->core);
		if (a->order->order_id != b->order->order_id)
			continue;
		i++;
		if (a->start != b->start || a->end != b->end || a->unit_price != b->unit_price || a->amount != b->amount)
			refuse_other(run, b->order);
	}
}

static void
compare_upgrades(const VoidRun *run, const Account *was, const Account *is)
{
	for (int w = 0, i = 0; w < was->nupgrades && i < is->nupgrades; w++)
	{
		const Upgrade *a = &was->upgrades[w],
				   *b = &is->upgrades[i];

		core_step(is->core);
		if (a->order->order_id != b->order->order_id)
			continue;
		i++;
		if (a->end != b->end || a->old_price != b->old_price || a->new_price != b->new_price ||
			a->amount != b->amount)
			refuse_other(run, b->order);
	}
}

static void
compare_refunds(const VoidRun *run, const Account *was, const Account *is)
{
	for (int w = 0, i = 0; w < was->nrefunds && i < is->nrefunds; w++)
	{
		const Refund *a = &was->refunds[w],
				   *b = &is->refunds[i];

		core_step(is->core);
		if (a->order->order_id != b->order->order_id)
			continue;
		i++;
		if (a->amount != b->amount)
			refuse_other(run, b->order);
	}
}

static void
check_run(const VoidRun *run)
{
	const Account *was = try_run(run, false),
			   *is = try_run(run, true);

	compare_terms(run, was, is);
	compare_upgrades(run, was, is);
	compare_refunds(run, was, is);
}

/* Extends a run over the voids from its first on. */
static void
find_run(VoidRun *run)
{
	const VoidedLog *log = run->log;

	run->earliest = NULL;
	for (run->end = run->first; run->end < log->norders && log->orders[run->end].action == ORDER_VOID; run->end++)
	{
		const Order *order = log->orders +
			order_position(log->orders, log->by_id, log->norders, log->orders[run->end].refunds);

		core_step(log->account->core);
		if (!stands_alone(log, order) && (run->earliest == NULL || order < run->earliest))
			run->earliest = order;
	}
}

/* True if a run and what follows it are of before "since". */
static bool
stood_before(const VoidRun *run, int64_t since)
{
	return run->end < run->log->norders && run->log->orders[run->end].at < since;
}

static void
check_voids(Account *account, const Order *orders, int norders, int64_t since)
{
	VoidedLog	log = find_voids(account, orders, norders, CAL_MAX_DAY + 1);
	VoidRun		run = {.log = &log};

	while (run.first < norders)
	{
		find_run(&run);
		if (run.earliest != NULL && !stood_before(&run, since) && bears_on_others(&run))
			check_run(&run);
		run.first = run.end + (run.end < norders);
	}
}

void
account_verify(Core *core, int64_t app_id, const CardHistory *cards, const Order *orders, int norders, int64_t since)
{
	/* first, since it tells that it was the void that took away what an order rests on */
	if (any_void(core, orders, norders))
		check_voids(account_start(core, app_id, cards, false), orders, norders, since);
	account_open(core, app_id, cards, orders, norders, NULL, 0, CAL_MAX_DAY + 1, false);
}
