/*
 * standing.h
 *	  How an app stands on a day: what it has used of what it has.
 *
 * Quotas against peaks, packs against what was taken from them, terms
 * against their days.  Whoever wants to be warned compares used to allowed.
 */
#ifndef IM_CORE_STANDING_H
#define IM_CORE_STANDING_H

#include "core/bill/bill.h"

typedef enum StandingKind
{
	STANDING_DAU,				/* peak of the month against the plan's quota */
	STANDING_MAU,
	STANDING_GROUPS,
	STANDING_METER,				/* quantity of a meter by name against what is included */
	STANDING_CALL_MINUTES,		/* of the packs in force on the day, in pack minutes */
	STANDING_PACK,				/* deductions of the packs in force on the day */
	STANDING_METER_PACK,		/* packs of a meter in force on the day */
	STANDING_TERM,				/* days of the last term of an item */
	STANDING_GRACE,				/* days of the grace */
	STANDING_KINDS
} StandingKind;

extern const char *const standing_kind_names[STANDING_KINDS];

typedef struct Standing
{
	StandingKind kind;
	const char *item;			/* of the bill, or what the term is of */
	const char *option;			/* plan, or option of the term; else "" */
	Amount		used;
	Amount		allowed;
	CalDay		day;			/* of the peak, the last of the term, or today */
} Standing;

typedef void (*StandingVisitor) (void *arg, const Standing *standing);

/*
 * Tells the figures of a bill through a day of its month, which was computed
 * from orders through that day: quotas and packs.
 */
extern void standing_of_usage(const Bill *bill, CalDay today, StandingVisitor visit, void *arg);

/* Tells the terms in force on a day, and the grace, as far as nothing follows. */
extern void standing_of_terms(const Account *account, CalDay today,
							  StandingVisitor visit, void *arg);

#endif							/* IM_CORE_STANDING_H */
