/*
 * account_refund.c
 *	  What comes back when a term is refunded (R8).
 *
 * back = paid - used.  Both are sums of fractions over the days of term
 * months (28 to 31) and over the remaining days of upgrades, so they are
 * kept as one exact fraction and rounded once, at the end.
 */
#include <string.h>

#include "core/orders/account_rules.h"

/* The least common multiple of 28, 29, 30 and 31. */
#define TERM_MONTHS_LCM		377580

/* Refunds of the first days give everything back, once per app. */
#define WHOLE_REFUND_DAYS	4

typedef struct Fraction
{
	Amount		numerator;		/* in units of Amount */
	Amount		denominator;
} Fraction;

static Fraction
fraction_add(Core *core, Fraction a, Amount numerator, Amount denominator)
{
	Fraction	sum;

	if (a.denominator == denominator)
		return (Fraction) {amount_add(core, a.numerator, numerator), denominator};
	sum.numerator = amount_add(core, amount_times(core, a.numerator, denominator),
							   amount_times(core, numerator, a.denominator));
	sum.denominator = amount_times(core, a.denominator, denominator);
	return sum;
}

/*
 * The parts of what was paid for a term besides the order's amount: of each
 * upgrade fee the share that falls on the term's days.
 */
static void
paid_parts(const Account *account, const Term *term, int nupgrades,
		   PaidVisitor visit, void *arg)
{
	for (int i = term->first_upgrade; term->plan != NULL && i < nupgrades; i++)
	{
		const Upgrade *upgrade = &account->upgrades[i];
		CalDay		from = upgrade->order->day;
		PaidPart	part = {.upgrade = upgrade, .of = upgrade->end - from};

		if (!upgrade_covers(account, i, term))
			continue;
		part.days = term->end - (term->start > from ? term->start : from);
		visit(arg, &part);
	}
}

/* Days of a part's price that lie in each month of the term, before "until". */
static void
used_months(const Account *account, const Term *term, UsedPart *part, CalDay until, UsedVisitor visit, void *arg)
{
	CalDay		from = part->from;

	for (int i = 0; i < term->months; i++)
	{
		CalDay		begin = cal_add_months(term->start, i),
					end = cal_add_months(term->start, i + 1);
		CalDay		last = end < until ? end : until;

		core_step(account->core);
		if (begin >= until)
			break;
		part->from = begin > from ? begin : from;
		part->days = last - part->from;
		part->of = end - begin;
		if (part->days > 0)
			visit(arg, part);
	}
	part->from = until > from ? until : from;
}

/* What the days of the term before "until" cost: list price after an upgrade. */
static void
used_parts(const Account *account, const Term *term, int nupgrades, CalDay until,
		   UsedVisitor visit, void *arg)
{
	UsedPart	part = {.from = term->start, .price = term->amount, .months = term->months};

	for (int i = term->first_upgrade; term->plan != NULL && i < nupgrades; i++)
	{
		if (!upgrade_covers(account, i, term))
			continue;
		used_months(account, term, &part, account->upgrades[i].order->day, visit, arg);
		part.price = account->upgrades[i].new_price;
		part.months = 1;
	}
	used_months(account, term, &part, until, visit, arg);
}

void
refund_paid_parts(const Account *account, const Refund *refund, PaidVisitor visit, void *arg)
{
	paid_parts(account, refund->term, refund->nupgrades, visit, arg);
}

void
refund_used_parts(const Account *account, const Refund *refund, UsedVisitor visit, void *arg)
{
	used_parts(account, refund->term, refund->nupgrades, refund->order->day + 1, visit, arg);
}

typedef struct PartSum
{
	Core	   *core;
	int			months;			/* of the term */
	bool		exact;			/* no upgrade fee was split, nothing needs rounding */
	Fraction	sum;
} PartSum;

static void
add_paid(void *arg, const PaidPart *part)
{
	PartSum    *paid = arg;
	Amount		fee = part->upgrade->amount;

	if (part->days == part->of)
		paid->sum = fraction_add(paid->core, paid->sum,
								 amount_times(paid->core, fee, paid->sum.denominator),
								 paid->sum.denominator);
	else
	{
		paid->exact = false;
		paid->sum = fraction_add(paid->core, paid->sum,
								 amount_times(paid->core, fee, part->days), part->of);
	}
}

/* The sum's denominator is TERM_MONTHS_LCM * months of the term. */
static void
add_used(void *arg, const UsedPart *part)
{
	PartSum    *used = arg;
	Amount		share = (Amount) (used->months / part->months) * part->days *
		(TERM_MONTHS_LCM / part->of);

	used->sum.numerator = amount_add(used->core, used->sum.numerator,
									 amount_times(used->core, part->price, share));
}

static Amount
round_paid(Account *account, Fraction paid, bool exact)
{
	return exact ? paid.numerator / paid.denominator :
		amount_ratio(account->core, paid.numerator, paid.denominator, AMOUNT_CENT);
}

static Amount
refund_amount(Account *account, const Refund *refund)
{
	Core	   *core = account->core;
	const Term *term = refund->term;
	PartSum		paid = {.core = core, .exact = true, .sum = {term->amount, 1}},
				used = {.core = core, .months = term->months,
		.sum = {0, (Amount) TERM_MONTHS_LCM * term->months}};
	Fraction	back;

	refund_paid_parts(account, refund, add_paid, &paid);
	if (refund->whole)
		return round_paid(account, paid.sum, paid.exact);
	refund_used_parts(account, refund, add_used, &used);
	back = fraction_add(core, paid.sum, -used.sum.numerator, used.sum.denominator);
	return back.numerator <= 0 ? 0 :
		amount_ratio(core, back.numerator, back.denominator, AMOUNT_CENT);
}

Term *
refunded_term(const Account *account, const Order *order)
{
	int			at = order_position(account->orders, account->by_id, account->norders, order->refunds);

	return at >= 0 && at < order - account->orders ? account->term_of[at] : NULL;
}

static bool
check_refund(Account *account, const Order *order, const Term *term)
{
	Core	   *core = account->core;
	char	   *what = core_printf(core, "order %lld cannot be refunded", (long long) order->refunds);

	if (term == NULL || term->pack)
		order_refuse(account, order, what,
					 term == NULL ? "There is no earlier purchase of that order_id; an upgrade is never refunded by itself." :
					 "A pack is never refunded.",
					 "Only purchases of plans, prepaid add-ons and local moderation are refunded.");
	else if (term->refunded_by != NULL)
		order_refuse(account, order, what, "An order is refunded once.",
					 "Refund the order of another term.");
	else if ((order->item[0] != '\0' && strcmp(order->item, term->item) != 0) ||
			 (order->option[0] != '\0' && strcmp(order->option, term->option) != 0))
		order_refuse(account, order, what,
					 core_printf(core, "That order bought \"%s\" option \"%s\".", term->item, term->option),
					 "Set item and option to those of the refunded order.");
	else if (order->day >= term->ends)
		order_refuse(account, order, what, "Its term has ended.",
					 "A term is refunded on one of its days or before it begins.");
	else if (last_term(account, term->item) != term)
		order_refuse(account, order, what, "A later term of the same item stands.",
					 "Refund the newest term first.");
	else
		return true;
	return false;
}

/* A term not begun counts as never bought; the one before it is the last again. */
static void
annul(Account *account, Term *term)
{
	term->annulled = true;
	account->items[term->item_number].last = term->before;
	if (account->nplans > 0 && account->plans[account->nplans - 1] == term)
		account->nplans--;
}

/*
 * Each refund is rounded by itself, so many of one upgrade fee could come to
 * more than was paid: the last one is cut to what is left.
 */
static void
give_back(Account *account, Refund *entry, Term *purse)
{
	Amount		left = amount_sub(account->core, purse->purse_paid, purse->purse_back);

	entry->amount = refund_amount(account, entry);
	entry->cut = entry->amount > left;
	if (entry->cut)
		entry->amount = left;
	purse->purse_back = amount_add(account->core, purse->purse_back, entry->amount);
}

static Refund *
add_refund(Account *account, const Order *order, const Term *term, bool whole)
{
	Refund	   *entry;

	account->refunds = core_grow(account->core, account->refunds, account->nrefunds,
								 &account->refunds_capacity, sizeof(Refund));
	entry = &account->refunds[account->nrefunds++];
	*entry = (Refund) {.order = order, .term = term, .priced = term->priced,
		.whole = whole, .nupgrades = account->nupgrades};
	for (int i = term->first_upgrade; term->plan != NULL && i < account->nupgrades; i++)
		if (upgrade_covers(account, i, term) && !account->upgrades[i].priced)
			entry->priced = false;
	return entry;
}

void
refund(Account *account, const Order *order)
{
	Term	   *term = refunded_term(account, order);
	bool		early;
	Refund	   *entry;

	if (!check_refund(account, order, term))
		return;
	early = order->day >= term->start && !account->whole_refund_used &&
		order->day - term->order->day <= WHOLE_REFUND_DAYS;
	entry = add_refund(account, order, term, early || order->day < term->start);
	if (entry->priced)
		give_back(account, entry, term_purse(term));
	account->whole_refund_used |= early;
	term->refunded_by = order;
	term->returned = true;
	term->returned_whole = entry->whole;
	term->returned_on = order->day;
	term->end_upgrade = account->nupgrades;
	if (order->day < term->start)
		annul(account, term);
	else
		term->ends = term->stop = order->day + 1;
}
