/*
 * unbilled.h
 *	  Usage that nobody pays, and why (R7).
 */
#ifndef IM_CORE_UNBILLED_H
#define IM_CORE_UNBILLED_H

#include "core/bill/bill.h"

typedef struct UnbilledUsage
{
	CalDay		day;
	const char *kind;			/* dau, groups, text ... video, call_audio ..., a meter */
	Amount		quantity;		/* audio and video checks in minutes */
	const char *reason;
} UnbilledUsage;

typedef void (*UnbilledVisitor) (void *arg, const UnbilledUsage *unbilled);

/*
 * Calls the visitor for each figure of each day of the usage that no line
 * of a bill charges.  Needs only an account: the usage may be of any days
 * that the account was opened for.  With account NULL there is no such app.
 */
extern void unbilled_usage(Core *core, const Account *account, const Usage *usage,
						   UnbilledVisitor visit, void *arg);

#endif							/* IM_CORE_UNBILLED_H */
