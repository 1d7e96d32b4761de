/*
 * revenue.c
 *	  What has been earned: billed fees spread over what they pay for.
 */
#include "core/finance/revenue.h"

#include <string.h>

#include "core/bill/meter_pack.h"
#include "core/bill/moderation.h"

#define NEVER	INT32_MAX

typedef enum Earning
{
	EARN_AT_ONCE,
	EARN_BY_DAY,
	EARN_BY_USE
} Earning;

/* A fee, or the part of an upgrade fee that falls on one term's days. */
typedef struct Fee
{
	CalMonth	month;			/* it is billed in, */
	const char *item;			/* under this item and option */
	const char *option;
	Earning		how;
	CalDay		billed_on;
	Amount		amount;
	CalDay		from;			/* the days it pays for, "until" exclusive */
	CalDay		until;
	CalDay		closes;			/* the day on which all the rest is earned */
	Amount		whole;			/* BY_DAY: what is spread over ... */
	CalDay		spread_from;	/* ... these days, of which it has a part */
	int			spread_days;
	Amount		content;		/* BY_USE: of the pack */
	CalMonth	since;			/* the month of the first of ... */
	int			nleft;
	Amount	   *left;			/* ... what is left of it at the ends of months */
} Fee;

/* What the fees of a group come to in a month. */
typedef struct Cell
{
	Amount		earned;
	Amount		deferred;		/* at its end */
} Cell;

typedef struct Revenue
{
	Core	   *core;
	const Account *account;
	CalMonth	before;			/* the month before the first */
	CalMonth	last;
	int			nfees;
	int			fees_capacity;
	Fee		  **fees;
	Fee		  **pack_of;		/* by number of the term, NULL for no pack */
	Cell	   *cells;			/* by month, from "before" on; all 0 between groups */
} Revenue;

static Fee *
add_fee(Revenue *revenue, const char *item, const char *option, Earning how,
		CalDay billed_on, Amount amount)
{
	Fee		   *fee = core_alloc(revenue->core, sizeof(Fee));

	*fee = (Fee) {.month = cal_month_of(billed_on), .item = item, .option = option,
		.how = how, .billed_on = billed_on, .amount = amount, .closes = NEVER};
	revenue->fees = core_grow(revenue->core, revenue->fees, revenue->nfees,
							  &revenue->fees_capacity, sizeof(Fee *));
	revenue->fees[revenue->nfees++] = fee;
	return fee;
}

/* The day of a term's refund, also of one before it began. */
static CalDay
closing_day(const Term *term)
{
	return term->refunded_by != NULL ? term->refunded_by->day : NEVER;
}

static int
later(int a, int b)
{
	return a > b ? a : b;
}

static void
add_pack(Revenue *revenue, const Term *term, Amount content)
{
	Fee		   *fee = add_fee(revenue, term->item, term->option, EARN_BY_USE,
							  term->order->day, term->amount);
	CalMonth	end = cal_month_of(term->end);

	fee->until = term->end;
	fee->content = content;
	fee->since = later(fee->month, revenue->before);
	end = end < revenue->last ? end : revenue->last;
	fee->nleft = end >= fee->since ? end - fee->since + 1 : 0;
	fee->left = core_alloc(revenue->core, sizeof(Amount) * (size_t) (fee->nleft + 1));
	for (int i = 0; i < fee->nleft; i++)
		fee->left[i] = fee->content;
	revenue->pack_of[term->number] = fee;
}

static void
add_term(Revenue *revenue, const Term *term)
{
	Fee		   *fee;

	if (!term->priced)
		return;
	if (strcmp(term->item, ITEM_PACK) == 0)
	{
		add_pack(revenue, term, moderation_pack_content(term));
		return;
	}
	if (term_meter_pack(term) != NULL)
	{
		add_pack(revenue, term, meter_pack_content(term));
		return;
	}
	fee = add_fee(revenue, term->item, term->option, EARN_BY_DAY,
				  term->order->day, term->amount);
	fee->whole = term->amount;
	fee->from = fee->spread_from = term->start;
	fee->until = term->end;
	fee->spread_days = term->end - term->start;
	fee->closes = closing_day(term);
}

/*
 * The running term and the queued ones after it bear a part each.  Orders lie
 * in one array in the order of the log.
 */
static bool
bears_upgrade(const Term *term, const Upgrade *upgrade)
{
	return term != NULL && term->end > upgrade->order->day &&
		(term->refunded_by == NULL || term->refunded_by > upgrade->order);
}

static void
add_upgrade_part(Revenue *revenue, const Upgrade *upgrade, CalDay from, CalDay until,
				 CalDay closes)
{
	CalDay		day = upgrade->order->day;
	int			days = upgrade->end - day;
	Amount		part = amount_share(upgrade->amount, until - day, days) -
	amount_share(upgrade->amount, from - day, days);
	Fee		   *fee = add_fee(revenue, "plan_upgrade", upgrade->order->option, EARN_BY_DAY,
							  day, part);

	fee->whole = upgrade->amount;
	fee->from = from;
	fee->until = until;
	fee->spread_from = day;
	fee->spread_days = days;
	fee->closes = closes;
}

static void
add_upgrade(Revenue *revenue, const Upgrade *upgrade)
{
	CalDay		until = upgrade->end;

	if (!upgrade->priced)
		return;
	for (const Term *term = upgrade->last; bears_upgrade(term, upgrade); term = term->before)
	{
		CalDay		from = later(term->start, upgrade->order->day);

		core_step(revenue->core);
		add_upgrade_part(revenue, upgrade, from, until, closing_day(term));
		until = from;
	}
}

static void
collect_fees(Revenue *revenue)
{
	const Account *account = revenue->account;

	for (int i = 0; i < account->nterms; i++)
	{
		core_step(revenue->core);
		add_term(revenue, account->terms[i]);
	}
	for (int i = 0; i < account->nupgrades; i++)
		add_upgrade(revenue, &account->upgrades[i]);
	for (int i = 0; i < account->nrefunds; i++)
	{
		const Refund *refund = &account->refunds[i];

		core_step(revenue->core);
		if (refund->priced)
			add_fee(revenue, "refund", refund->term->item, EARN_AT_ONCE,
					refund->order->day, -refund->amount);
	}
	for (int i = 0; i < account->norders; i++)
	{
		const Order *order = &account->orders[i];

		core_step(revenue->core);
		if (order_is_manual(order))
			add_fee(revenue, order_action_names[order->action], order->option, EARN_AT_ONCE, order->day,
					order->action == ORDER_CREDIT ? -order->paid : order->paid);
	}
}

/* At the end of a month: what is left of each pack. */
static void
note_packs(Revenue *revenue, CalDay day, const PackList *packs)
{
	CalMonth	month = cal_month_of(day);

	if (month < revenue->before || cal_first_day(month + 1) != day + 1)
		return;
	for (int i = 0; i < packs->npacks; i++)
	{
		Fee		   *fee = revenue->pack_of[packs->packs[i]->term->number];

		core_step(revenue->core);
		if (month >= fee->since && month < fee->since + fee->nleft)
			fee->left[month - fee->since] = packs->packs[i]->left;
	}
}

static void
note_deductions(void *arg, const ModerationDay *day, const PackList *packs)
{
	note_packs(arg, day->day, packs);
}

static void
note_meter(void *arg, const MeterPackDay *day, const PackList *packs)
{
	note_packs(arg, day->day, packs);
}

/* A pack was bought of this item and, if it is one of a meter, of that. */
static bool
any_pack(const Revenue *revenue, const char *item, const char *meter)
{
	const Account *account = revenue->account;

	for (int i = 0; i < account->nterms; i++)
	{
		const Term *term = account->terms[i];

		core_step(revenue->core);
		if (strcmp(term->item, item) == 0 &&
			(meter == NULL || (term_meter_pack(term) != NULL && strcmp(term_meter_pack(term)->meter, meter) == 0)))
			return true;
	}
	return false;
}

/* What is left of all packs; versions of a card agree on the days of a meter. */
static void
note_all_packs(Revenue *revenue, const Usage *usage, CalDay until)
{
	const Account *account = revenue->account;
	const CardHistory *cards = account->cards;

	if (any_pack(revenue, ITEM_PACK, NULL))
		moderation_pack_days(account, usage, until, note_deductions, revenue);
	if (!any_pack(revenue, ITEM_METER_PACK, NULL))
		return;
	for (int v = 0; v < cards->nversions; v++)
		for (int i = 0; i < cards->versions[v].card->nmeters; i++)
		{
			const CardMeter *meter = &cards->versions[v].card->meters[i];

			/* once, with the first version that knows it */
			if (meter == card_history_meter(cards, meter->name) &&
				any_pack(revenue, ITEM_METER_PACK, meter->name))
				meter_pack_days(account, usage, meter, until, note_meter, revenue);
		}
}

static Amount
days_share(const Fee *fee, CalDay day)
{
	return amount_share(fee->whole, day - fee->spread_from, fee->spread_days);
}

/* Earned through the end of a month, at the earliest that before the first. */
static Amount
earned_through(const Fee *fee, CalMonth month)
{
	CalDay		next = cal_first_day(month + 1);

	if (next <= fee->billed_on)
		return 0;
	if (fee->how == EARN_AT_ONCE || next > fee->closes)
		return fee->amount;
	if (fee->how == EARN_BY_USE)
		/* what is left lapses on the end day, at its first moment (R1) */
		return next > fee->until ? fee->amount :
			amount_share(fee->amount, fee->content - fee->left[month - fee->since], fee->content);
	if (next <= fee->from)
		return 0;
	return days_share(fee, next < fee->until ? next : fee->until) - days_share(fee, fee->from);
}

/* Adds what a fee came to in each month until all of it is earned. */
static CalMonth
add_to_cells(Revenue *revenue, const Fee *fee)
{
	Core	   *core = revenue->core;
	CalMonth	month = later(fee->month, revenue->before);
	Amount		earlier = 0,
				earned = 0;

	for (; month <= revenue->last; month++)
	{
		Cell	   *cell = &revenue->cells[month - revenue->before];

		core_step(core);
		earned = earned_through(fee, month);
		cell->deferred = amount_add(core, cell->deferred, fee->amount - earned);
		/* what was earned before the report is no business of it */
		if (month > revenue->before)
			cell->earned = amount_add(core, cell->earned, earned - earlier);
		if (earned == fee->amount)
			return month;
		earlier = earned;
	}
	return revenue->last;
}

static int
compare_fees(const void *a, const void *b)
{
	const Fee  *x = *(Fee *const *) a,
			   *y = *(Fee *const *) b;
	int			order = strcmp(x->item, y->item);

	if (x->month != y->month)
		return x->month < y->month ? -1 : 1;
	return order != 0 ? order : strcmp(x->option, y->option);
}

/* Tells of the fees that were billed in one month for one item and option. */
static void
visit_group(Revenue *revenue, Fee *const *fees, int nfees, RevenueVisitor visit, void *arg)
{
	const Fee  *fee = fees[0];
	CalMonth	last = revenue->before - 1;
	Amount		sum = 0;

	for (int i = 0; i < nfees; i++)
	{
		sum = amount_add(revenue->core, sum, fees[i]->amount);
		last = later(last, add_to_cells(revenue, fees[i]));
	}
	for (CalMonth month = later(fee->month, revenue->before); month <= last; month++)
	{
		Cell	   *cell = &revenue->cells[month - revenue->before];
		RevenueRow	row = {.month = month, .billed_month = fee->month, .item = fee->item,
			.option = fee->option, .fees = sum, .earned = cell->earned, .deferred = cell->deferred};

		core_step(revenue->core);
		if (month == fee->month && month > revenue->before)
			row.billed = sum;
		if ((month == fee->month && month > revenue->before) || row.earned != 0 || row.deferred != 0)
			visit(arg, &row);
		*cell = (Cell) {0, 0};
	}
}

static void
visit_groups(Revenue *revenue, RevenueVisitor visit, void *arg)
{
	int			first = 0;

	core_sort(revenue->core, revenue->fees, revenue->nfees, sizeof(Fee *), compare_fees);
	for (int i = 1; i <= revenue->nfees; i++)
		if (i == revenue->nfees || compare_fees(&revenue->fees[first], &revenue->fees[i]) != 0)
		{
			visit_group(revenue, revenue->fees + first, i - first, visit, arg);
			first = i;
		}
}

void
revenue_months(Core *core, const Account *account, const Usage *usage,
			   CalMonth first, CalMonth last, RevenueVisitor visit, void *arg)
{
	Revenue		revenue = {.core = core, .account = account, .before = first - 1, .last = last};

	revenue.pack_of = core_alloc(core, sizeof(Fee *) * (size_t) (account->nterms + 1));
	revenue.cells = core_alloc(core, sizeof(Cell) * (size_t) (last - first + 2));
	collect_fees(&revenue);
	note_all_packs(&revenue, usage, cal_first_day(last + 1));
	visit_groups(&revenue, visit, arg);
}
