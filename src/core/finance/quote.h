/*
 * quote.h
 *	  What something would cost, before there is an app.
 *
 * A calculator asks for a plan, months, add-ons and the usage of a month.
 * From that orders and usage are made up, and the bill of each month is
 * computed from them as any other: there is no second rating.
 *
 * The app of a quote buys everything on the first day of QUOTE_FIRST_MONTH,
 * which is a convention and not a date of anything: no price depends on it.
 */
#ifndef IM_CORE_QUOTE_H
#define IM_CORE_QUOTE_H

#include "core/bill/bill.h"

/* January 2001: the n-th month of a quote reads as the n-th of the year. */
#define QUOTE_FIRST_MONTH	((CalMonth) 12)

/* Something ordered beside the plan. */
typedef struct QuoteItem
{
	const char *item;			/* add-on, local_moderation, moderation_pack, moderation */
	const char *option;
	int			months;			/* of what is bought for months, else 0 */
	int			quantity;		/* packs; 1 for everything else */
} QuoteItem;

typedef struct QuoteRequest
{
	const Card *card;			/* stands for every version */
	const char *plan;
	int			months;
	int64_t		peak_dau;		/* of each month, as all that follows */
	int64_t		peak_groups;
	Amount		deductions;
	int64_t		call_minutes[CALL_CLASSES];
	int			nitems;
	const QuoteItem *items;
} QuoteRequest;

typedef struct Quote
{
	Core	   *core;
	const QuoteRequest *request;
	Card		card;
	CardVersion version;
	CardHistory cards;
	const Account *account;
} Quote;

/*
 * Places the orders of a request, which is referenced and must only name what
 * the card sells on the plan: an order that the rules forbid fails with
 * PROBLEM_RULE and speaks of orders, which the asker has not placed.
 */
extern Quote *quote_open(Core *core, const QuoteRequest *request);

/* The bill of the n-th month of the quote, from 0. */
extern Bill *quote_bill(Quote *quote, int n);

#endif							/* IM_CORE_QUOTE_H */
