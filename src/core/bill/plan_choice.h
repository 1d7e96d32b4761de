/*
 * plan_choice.h
 *	  What a month's usage would have cost on another plan.
 *
 * The app is taken to be in service through the whole month, with the plan
 * bought for that month on its first day, and with the add-ons that it held.
 * Its moderation switch and packs stay as they are: what the packs held when
 * the month began is what days before came to under the orders that were.
 */
#ifndef IM_CORE_PLAN_CHOICE_H
#define IM_CORE_PLAN_CHOICE_H

#include "core/bill/bill.h"

typedef struct PlanChoice
{
	const CardPlan *plan;
	bool		held;			/* on the last counting day of the month, or as the free one */
	const char *lacks;			/* why the plan could not carry it; "" if it could */
	Bill	   *bill;			/* of what the plan sells; without packs bought */
} PlanChoice;

/*
 * The choice of one plan of the card of a bill that was computed from the
 * app's own orders.  Fails as bill_compute() does.
 */
extern PlanChoice plan_choice(const Bill *real, const CardPlan *plan);

#endif							/* IM_CORE_PLAN_CHOICE_H */
