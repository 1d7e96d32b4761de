/*
 * call.h
 *	  Call minutes day by day and class by class: packs, postpaid rest (R5).
 */
#ifndef IM_CORE_CALL_H
#define IM_CORE_CALL_H

#include "core/bill/bill.h"
#include "core/bill/pack.h"

/* The minutes of a class on a day; packs tell in .taken what each pack gave. */
typedef struct CallDay
{
	CalDay		day;
	CallClass	class;
	ServiceState state;
	bool		billed;			/* in service, and priced by the card */
	const CallPrice *price;		/* NULL out of service, and before the card began */
	int64_t		minutes;
	int64_t		taken;			/* of the minutes, from packs */
} CallDay;

typedef void (*CallVisitor) (void *arg, const CallDay *day, const PackList *packs);
typedef void (*CallDayVisitor) (void *arg, CalDay day, const PackList *packs);

/*
 * The minutes of a term month [start, end): where its term was refunded in it,
 * the share of the days used, rounded down; none where everything came back.
 */
extern Amount call_pack_content(const Term *term, CalDay start, CalDay end);

/*
 * Rates every day from the usage's first to the end of the month.  For the
 * days of the month, in order, calls the visitor for each class that has
 * minutes, then day_done, unless that is NULL.  The packs are in the order of
 * taking; .taken holds for billed minutes only.
 */
extern void call_days(const Bill *bill, CallVisitor visit, CallDayVisitor day_done, void *arg);

#endif							/* IM_CORE_CALL_H */
