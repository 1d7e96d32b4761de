/*
 * limit.h
 *	  What an app may do on a day: limits and features by name (R14).
 *
 * A plan states them, and add-ons in force replace or add theirs.  Nothing is
 * charged by a limit and nothing is counted here.
 */
#ifndef IM_CORE_LIMIT_H
#define IM_CORE_LIMIT_H

#include "core/orders/account.h"

typedef struct AppLimit
{
	const char *name;
	bool		unlimited;
	Amount		value;			/* of a feature 1 or 0 */
	ServiceState state;			/* out of service: the value is 0 */
	const char *plan;			/* in force, or NULL */
	const char *addon;			/* that states it; NULL: the plan */
	const char *option;			/* of the add-on */
} AppLimit;

typedef void (*LimitVisitor) (void *arg, const AppLimit *limit);

/*
 * A limit on a day, by the version in force on it; false where neither the
 * plan nor an add-on in force states it.  Out of service every limit that the
 * card states at all is 0.  Fails with PROBLEM_CARD before the first version.
 */
extern bool limit_find(const Account *account, CalDay day, const char *name, AppLimit *limit);

/* All limits of a day, by name. */
extern void limit_each(const Account *account, CalDay day, LimitVisitor visit, void *arg);

#endif							/* IM_CORE_LIMIT_H */
