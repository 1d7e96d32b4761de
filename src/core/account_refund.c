/*
 * account_refund.c
 *	  What comes back when a term is refunded (R8).
 *
 * back = paid - used.  Both are sums of fractions over the days of term
 * months (28 to 31) and over the remaining days of upgrades, so they are
 * kept as one exact fraction and rounded once, at the end.
 */
#include <string.h>

#include "core/account_rules.h"

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
 * What was paid for a term: the order's amount and the share of each upgrade
 * fee that falls on the term's days.  *exact tells whether no share was
 * split, so that the whole needs no rounding.
 */
static Fraction
term_paid(Account *account, const Term *term, bool *exact)
{
	Fraction	paid = {term->amount, 1};

	*exact = true;
	for (int i = term->first_upgrade; term->plan != NULL && i < account->nupgrades; i++)
	{
		const Upgrade *upgrade = &account->upgrades[i];
		CalDay		from = upgrade->order->day;
		CalDay		remaining = upgrade->end - from,
					own = term->end - (term->start > from ? term->start : from);

		if (!upgrade_covers(account, i, term))
			continue;
		if (own == remaining)
			paid = fraction_add(account->core, paid,
								amount_times(account->core, upgrade->amount, paid.denominator),
								paid.denominator);
		else
		{
			*exact = false;
			paid = fraction_add(account->core, paid,
								amount_times(account->core, upgrade->amount, own), remaining);
		}
	}
	return paid;
}

/*
 * Months of the term that lie in [from, until), each day counting one over
 * the days of its term month, in units of 1/TERM_MONTHS_LCM.
 */
static Amount
months_used(const Term *term, CalDay from, CalDay until)
{
	Amount		used = 0;

	for (int i = 0; i < term->months; i++)
	{
		CalDay		begin = cal_add_months(term->start, i),
					end = cal_add_months(term->start, i + 1);
		CalDay		first = begin > from ? begin : from,
					last = end < until ? end : until;

		if (begin >= until)
			break;
		if (first < last)
			used += (Amount) (last - first) * (TERM_MONTHS_LCM / (end - begin));
	}
	return used;
}

/* What the days of the term before "until" cost: list price after an upgrade. */
static Fraction
term_used(Account *account, const Term *term, CalDay until)
{
	Core	   *core = account->core;
	Fraction	used = {0, (Amount) TERM_MONTHS_LCM * term->months};
	Amount		price = term->amount,	/* times months: kept whole */
				share = 1;
	CalDay		from = term->start;

	for (int i = term->first_upgrade; term->plan != NULL && i <= account->nupgrades; i++)
	{
		CalDay		to = until;

		if (i < account->nupgrades)
		{
			if (!upgrade_covers(account, i, term))
				continue;
			to = account->upgrades[i].order->day;
		}
		used.numerator = amount_add(core, used.numerator,
									amount_times(core, amount_times(core, price, share),
												 months_used(term, from, to)));
		if (i < account->nupgrades)
		{
			price = account->upgrades[i].new_price;
			share = term->months;
			from = to > from ? to : from;
		}
	}
	if (term->plan == NULL)
		used.numerator = amount_times(core, price, months_used(term, from, until));
	return used;
}

static Amount
round_paid(Account *account, Fraction paid, bool exact)
{
	return exact ? paid.numerator / paid.denominator :
		amount_ratio(account->core, paid.numerator, paid.denominator, AMOUNT_CENT);
}

static Amount
refund_amount(Account *account, const Order *order, const Term *term, bool whole)
{
	Core	   *core = account->core;
	bool		exact;
	Fraction	paid = term_paid(account, term, &exact),
				used,
				back;

	if (whole)
		return round_paid(account, paid, exact);
	used = term_used(account, term, order->day + 1);
	back = fraction_add(core, paid, -used.numerator, used.denominator);
	return back.numerator <= 0 ? 0 :
		amount_ratio(core, back.numerator, back.denominator, AMOUNT_CENT);
}

static Term *
refunded_term(Account *account, const Order *order, int position)
{
	int			low = 0,
				high = account->norders;

	while (low < high)
	{
		int			mid = low + (high - low) / 2;

		if (account->orders[account->by_id[mid]].order_id < order->refunds)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == account->norders || account->by_id[low] >= position ||
		account->orders[account->by_id[low]].order_id != order->refunds)
		return NULL;
	return account->term_of[account->by_id[low]];
}

static bool
check_refund(Account *account, const Order *order, const Term *term)
{
	Core	   *core = account->core;
	char	   *what = core_printf(core, "order %lld cannot be refunded", (long long) order->refunds);

	if (term == NULL || strcmp(term->item, ITEM_PACK) == 0)
		order_refuse(account, order, what,
					 term == NULL ? "There is no earlier purchase of that order_id; an upgrade is never refunded by itself." :
					 "A moderation pack is never refunded.",
					 "Only purchases of plans, prepaid add-ons and local moderation are refunded.");
	else if (term->refunded)
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
	for (int i = 0; i < account->nlast; i++)
		if (account->last[i] == term)
			account->last[i] = term->before;
	if (account->nplans > 0 && account->plans[account->nplans - 1] == term)
		account->nplans--;
}

void
refund(Account *account, const Order *order, int position)
{
	Term	   *term = refunded_term(account, order, position);
	bool		early;
	Refund	   *entry;

	if (!check_refund(account, order, term))
		return;
	early = order->day >= term->start && !account->whole_refund_used &&
		order->day - term->order->day <= WHOLE_REFUND_DAYS;
	account->refunds = core_grow(account->core, account->refunds, account->nrefunds,
								 &account->refunds_capacity, sizeof(Refund));
	entry = &account->refunds[account->nrefunds++];
	*entry = (Refund) {.order = order, .term = term, .priced = term->priced,
		.whole = early || order->day < term->start};
	for (int i = term->first_upgrade; term->plan != NULL && i < account->nupgrades; i++)
		if (upgrade_covers(account, i, term) && !account->upgrades[i].priced)
			entry->priced = false;
	if (entry->priced)
		entry->amount = refund_amount(account, order, term, entry->whole);
	account->whole_refund_used |= early;
	term->refunded = true;
	if (order->day < term->start)
		annul(account, term);
	else
		term->ends = term->stop = order->day + 1;
}
