/*
 * pack.h
 *	  Prepaid packs in use: what is left of each, in the order of taking.
 *
 * Both kinds of pack, deductions (R6) and call minutes (R5), are taken from
 * those in force on the day, earliest end first, then earliest purchase.
 */
#ifndef IM_CORE_PACK_H
#define IM_CORE_PACK_H

#include "core/account.h"

typedef struct Pack
{
	const Term *term;
	CalDay		start;
	CalDay		end;			/* exclusive */
	CalDay		bought_end;
	CalDay		known_end;		/* what packs are ordered by; see pack_order() */
	int			position;		/* of the purchase in the log */
	Amount		left;
	Amount		taken;			/* on the day that is being rated */
} Pack;

typedef struct PackList
{
	int			npacks;
	int			capacity;
	Pack	   *packs;
	bool		ordered;
} PackList;

/*
 * Adds a pack that was bought to last until bought_end and lasts until end,
 * which a refund of its term has moved forward.
 */
extern void pack_add(Core *core, PackList *list, const Term *term,
					 CalDay start, CalDay end, CalDay bought_end, Amount content);

/*
 * Brings the packs into the order of taking on a day; days must be asked for
 * in their order.  A refund moves an end from its own day on: what earlier
 * days took from which pack has been billed and stands.
 */
extern void pack_order(PackList *list, CalDay day);

/*
 * The first day from which usage must be known to tell what is left of the
 * packs on "since": packs that were in force together lead back to the start
 * of the earliest.  Works on packs in any order.
 */
extern CalDay pack_usage_since(const PackList *list, CalDay since);

#endif							/* IM_CORE_PACK_H */
