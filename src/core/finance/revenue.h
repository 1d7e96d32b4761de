/*
 * revenue.h
 *	  What has been earned: billed fees spread over what they pay for.
 *
 * A fee is billed on one day and earned over others:
 *
 *	  plan, prepaid add-on, local moderation	by day over the term
 *	  plan_upgrade								by day from the upgrade to the end day
 *	  moderation_pack							as it is used, the rest on its end day
 *	  refund									all at once, negative, on its day
 *	  credit, charge							all at once, on their day
 *
 * What is billed and not yet earned is deferred.  A share is rounded down
 * after all days so far are summed, so that the shares of all days sum to the
 * fee to the last digit.  Nothing is earned before it is billed: a renewal
 * within the grace catches up on its purchase day.
 *
 * From the day of a refund nothing of the term is owed any more: the unearned
 * rest of its fee, and of the upgrade fees' share in its days, is earned on
 * that day, and the refund takes away what is given back, be it rest or
 * earned before.
 *
 * Usage lines are earned in the month they are billed for and do not appear
 * here.
 */
#ifndef IM_CORE_REVENUE_H
#define IM_CORE_REVENUE_H

#include "core/orders/account.h"
#include "core/usage.h"

/*
 * A month of the fees that were billed in one month for one item and option
 * as a bill line names them.
 */
typedef struct RevenueRow
{
	CalMonth	month;
	CalMonth	billed_month;
	const char *item;
	const char *option;
	Amount		fees;			/* all that was billed in billed_month */
	Amount		billed;			/* in the month: the same or nothing */
	Amount		earned;			/* in the month */
	Amount		deferred;		/* at its end */
} RevenueRow;

typedef void (*RevenueVisitor) (void *arg, const RevenueRow *row);

/*
 * Calls the visitor for each month from first through last and all fees that
 * were billed, earned or deferred in it, and for the month before the first
 * with what was deferred at its end, and no more: by the month, item and
 * option that they were billed in, then by month.
 * The account must have been opened for the end of the last month.  The
 * usage of checks must reach from bill_usage_since() of the month before the
 * first, for packs that end on the first day, to there; other usage is not looked at.  Fails with PROBLEM_CARD where checks
 * fall into a month without a card version.
 */
extern void revenue_months(Core *core, const Account *account, const Usage *usage,
						   CalMonth first, CalMonth last,
						   RevenueVisitor visit, void *arg);

#endif							/* IM_CORE_REVENUE_H */
