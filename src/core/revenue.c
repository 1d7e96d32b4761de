/*
 * revenue.c
 *	  What has been earned: billed fees spread over what they pay for.
 */
#include "core/revenue.h"

#include <string.h>

#include "core/moderation.h"

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
	int			group;
	Earning		how;
	CalDay		billed_on;
	Amount		amount;
	CalDay		from;			/* the days it pays for, "until" exclusive */
	CalDay		until;
	CalDay		closes;			/* the day on which all the rest is earned */
	Amount		whole;			/* BY_DAY: what is spread over ... */
	CalDay		spread_from;	/* ... these days, of which it has a part */
	int			spread_days;
	const Term *term;			/* BY_USE: the pack */
	Amount		content;
	Amount	   *left;			/* before the first month and after each */
} Fee;

/* What is billed in one month for one item and option. */
typedef struct Group
{
	const char *item;
	const char *option;
	CalMonth	month;
	Amount		fees;
} Group;

typedef struct Revenue
{
	Core	   *core;
	const Account *account;
	CalMonth	first;
	int			nmonths;
	int			nfees;
	int			fees_capacity;
	Fee		   *fees;
	int			ngroups;
	int			groups_capacity;
	Group	   *groups;
} Revenue;

static int
group_of(Revenue *revenue, const char *item, const char *option, CalMonth month)
{
	for (int i = 0; i < revenue->ngroups; i++)
		if (revenue->groups[i].month == month &&
			strcmp(revenue->groups[i].item, item) == 0 &&
			strcmp(revenue->groups[i].option, option) == 0)
			return i;
	revenue->groups = core_grow(revenue->core, revenue->groups, revenue->ngroups,
								&revenue->groups_capacity, sizeof(Group));
	revenue->groups[revenue->ngroups] = (Group) {item, option, month, 0};
	return revenue->ngroups++;
}

static Fee *
add_fee(Revenue *revenue, const char *item, const char *option, Earning how,
		CalDay billed_on, Amount amount)
{
	Fee		   *fee;
	Group	   *group;

	revenue->fees = core_grow(revenue->core, revenue->fees, revenue->nfees,
							  &revenue->fees_capacity, sizeof(Fee));
	fee = &revenue->fees[revenue->nfees++];
	*fee = (Fee) {.group = group_of(revenue, item, option, cal_month_of(billed_on)),
		.how = how, .billed_on = billed_on, .amount = amount, .closes = NEVER};
	group = &revenue->groups[fee->group];
	group->fees = amount_add(revenue->core, group->fees, amount);
	return fee;
}

static const Refund *
refund_of_term(const Account *account, const Term *term)
{
	for (int i = 0; i < account->nrefunds && term->refunded; i++)
		if (account->refunds[i].term == term)
			return &account->refunds[i];
	return NULL;
}

/* The day of a term's refund, also of one before it began. */
static CalDay
closing_day(const Account *account, const Term *term)
{
	const Refund *refund = refund_of_term(account, term);

	return refund != NULL ? refund->order->day : NEVER;
}

static void
add_pack(Revenue *revenue, const Term *term)
{
	Fee		   *fee = add_fee(revenue, term->item, term->option, EARN_BY_USE,
							  term->order->day, term->amount);

	fee->until = term->end;
	fee->term = term;
	fee->content = moderation_pack_content(term);
	fee->left = core_alloc(revenue->core, sizeof(Amount) * (size_t) (revenue->nmonths + 1));
	for (int i = 0; i <= revenue->nmonths; i++)
		fee->left[i] = fee->content;
}

static void
add_term(Revenue *revenue, const Term *term)
{
	Fee		   *fee;

	if (!term->priced)
		return;
	if (strcmp(term->item, ITEM_PACK) == 0)
	{
		add_pack(revenue, term);
		return;
	}
	fee = add_fee(revenue, term->item, term->option, EARN_BY_DAY,
				  term->order->day, term->amount);
	fee->whole = term->amount;
	fee->from = fee->spread_from = term->start;
	fee->until = term->end;
	fee->spread_days = term->end - term->start;
	fee->closes = closing_day(revenue->account, term);
}

/* Orders lie in one array in the order of the log. */
static bool
bears_upgrade(const Account *account, const Term *term, int number)
{
	const Upgrade *upgrade = &account->upgrades[number];
	const Refund *refund = refund_of_term(account, term);

	return term->plan != NULL && term->first_upgrade <= number &&
		term->end > upgrade->order->day && term->start < upgrade->end &&
		(refund == NULL || refund->order > upgrade->order);
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

/* The running term and the queued ones after it bear a part each. */
static void
add_upgrade(Revenue *revenue, int number)
{
	const Account *account = revenue->account;
	const Upgrade *upgrade = &account->upgrades[number];
	CalDay		from = upgrade->order->day;

	if (!upgrade->priced)
		return;
	for (int i = 0; i < account->nterms; i++)
	{
		const Term *term = account->terms[i];
		CalDay		until = term->end < upgrade->end ? term->end : upgrade->end;

		if (!bears_upgrade(account, term, number))
			continue;
		add_upgrade_part(revenue, upgrade, from, until, closing_day(account, term));
		from = until;
	}
	if (from < upgrade->end)
		add_upgrade_part(revenue, upgrade, from, upgrade->end, NEVER);
}

static void
collect_fees(Revenue *revenue)
{
	const Account *account = revenue->account;

	for (int i = 0; i < account->nterms; i++)
		add_term(revenue, account->terms[i]);
	for (int i = 0; i < account->nupgrades; i++)
		add_upgrade(revenue, i);
	for (int i = 0; i < account->nrefunds; i++)
	{
		const Refund *refund = &account->refunds[i];

		if (refund->priced)
			add_fee(revenue, "refund", refund->term->item, EARN_AT_ONCE,
					refund->order->day, -refund->amount);
	}
}

/* At the end of a month: what is left of each pack. */
static void
note_packs(void *arg, const ModerationDay *day, const PackList *packs)
{
	Revenue    *revenue = arg;
	CalMonth	month = cal_month_of(day->day + 1);
	int			at = month - revenue->first;

	if (at < 0 || at > revenue->nmonths || cal_first_day(month) != day->day + 1)
		return;
	for (int i = 0; i < packs->npacks; i++)
		for (int f = 0; f < revenue->nfees; f++)
			if (revenue->fees[f].term == packs->packs[i].term)
				revenue->fees[f].left[at] = packs->packs[i].left;
}

static bool
any_pack(const Revenue *revenue)
{
	for (int i = 0; i < revenue->nfees; i++)
		if (revenue->fees[i].how == EARN_BY_USE)
			return true;
	return false;
}

static Amount
days_share(const Fee *fee, CalDay day)
{
	return amount_share(fee->whole, day - fee->spread_from, fee->spread_days);
}

/* Earned through the end of month number "at", -1 before the first. */
static Amount
earned_through(const Revenue *revenue, const Fee *fee, int at)
{
	CalDay		next = cal_first_day(revenue->first + at + 1);

	if (next <= fee->billed_on)
		return 0;
	if (fee->how == EARN_AT_ONCE || next > fee->closes)
		return fee->amount;
	if (fee->how == EARN_BY_USE)
		/* what is left lapses on the end day, at its first moment (R1) */
		return next > fee->until ? fee->amount :
			amount_share(fee->amount, fee->content - fee->left[at + 1], fee->content);
	if (next <= fee->from)
		return 0;
	return days_share(fee, next < fee->until ? next : fee->until) - days_share(fee, fee->from);
}

/* Adds what a fee came to in a month; before the first one, what is deferred. */
static void
add_to_row(const Revenue *revenue, const Fee *fee, int at, RevenueRow *row)
{
	Core	   *core = revenue->core;
	Amount		earned = earned_through(revenue, fee, at);

	row->deferred = amount_add(core, row->deferred, fee->amount - earned);
	if (at < 0)
		return;
	row->earned = amount_add(core, row->earned, earned - earned_through(revenue, fee, at - 1));
	if (row->billed_month == row->month)
		row->billed = amount_add(core, row->billed, fee->amount);
}

static void
visit_month(const Revenue *revenue, int at, RevenueVisitor visit, void *arg)
{
	for (int g = 0; g < revenue->ngroups; g++)
	{
		const Group *group = &revenue->groups[g];
		RevenueRow	row = {.month = revenue->first + at, .billed_month = group->month,
		.item = group->item, .option = group->option, .fees = group->fees};

		if (row.billed_month > row.month)
			continue;
		for (int f = 0; f < revenue->nfees; f++)
			if (revenue->fees[f].group == g)
				add_to_row(revenue, &revenue->fees[f], at, &row);
		if ((at >= 0 && row.billed_month == row.month) || row.earned != 0 || row.deferred != 0)
			visit(arg, &row);
	}
}

void
revenue_months(Core *core, const Account *account, const Usage *usage,
			   CalMonth first, CalMonth last, RevenueVisitor visit, void *arg)
{
	Revenue		revenue = {.core = core, .account = account, .first = first,
	.nmonths = last - first + 1};

	collect_fees(&revenue);
	if (any_pack(&revenue))
		moderation_pack_days(account, usage, cal_first_day(last + 1), note_packs, &revenue);
	for (int at = -1; at < revenue.nmonths; at++)
		visit_month(&revenue, at, visit, arg);
}
