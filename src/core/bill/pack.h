/*
 * pack.h
 *	  Prepaid packs in use: what is left of each, in the order of taking.
 *
 * All kinds of pack, deductions (R6), call minutes (R5) and meters by name
 * (R12), are taken from those in force on the day, lowest priority first, then
 * earliest end, then earliest purchase.
 */
#ifndef IM_CORE_PACK_H
#define IM_CORE_PACK_H

#include "core/orders/account.h"

typedef struct Pack
{
	const Term *term;
	int			priority;		/* the same of all deductions and of all minutes */
	CalDay		start;
	CalDay		end;			/* exclusive */
	CalDay		bought_end;
	CalDay		known_end;		/* what packs are ordered by; see pack_order() */
	int			position;		/* of the purchase in the log */
	Amount		left;
	Amount		taken;			/* on the day that is being rated */
} Pack;

/*
 * A day meets only the packs in force on it, however many were bought: what
 * all days cost together grows with the days that the packs lasted.
 */
typedef struct PackList
{
	int			npacks;
	Pack	  **packs;			/* in force on the day, in the order of taking */
	int			nbought;
	int			capacity;
	Pack	   *bought;			/* all; by start, once days are asked for */
	int			nstarted;		/* of these */
	Pack	  **fresh;			/* room to work in */
} PackList;

/*
 * Adds a pack that was bought to last until bought_end and lasts until end,
 * which a refund of its term has moved forward.  The pack may be changed until
 * the next is added.
 */
extern Pack *pack_add(Core *core, PackList *list, const Term *term,
					  CalDay start, CalDay end, CalDay bought_end, Amount content);

/*
 * Finds the packs in force on a day, in the order of taking; days must be
 * asked for in their order.  A refund moves an end from its own day on: what earlier
 * days took from which pack has been billed and stands.
 */
extern void pack_day(Core *core, PackList *list, CalDay day);

/*
 * Takes what the packs of the day hold of a quantity, in their order, and
 * returns it; .taken of each pack in force tells what it gave.
 */
extern Amount pack_take(Core *core, PackList *list, Amount quantity);

/*
 * The first day from which usage must be known to tell what is left of the
 * packs on "since": packs that were in force together lead back to the start
 * of the earliest.  No day may have been asked for.
 */
extern CalDay pack_usage_since(Core *core, PackList *list, CalDay since);

#endif							/* IM_CORE_PACK_H */
