/*
 * watch.h
 *	  What tells whether all changes of a table were marked.
 *
 * The triggers that mark are fired by statements on a table itself.  So the
 * changes of a table are not known
 *	 -	while it is foreign, unlogged (a crash empties it) or temporary,
 *	 -	while a subscription feeds it,
 *	 -	while it has a parent that is not watched itself: a statement on the
 *		parent fires the parent's triggers only.
 * All else leaves a trace.  A trigger that was disabled, dropped or replaced
 * for a while is not the row of pg_trigger that it was.  Neither are the
 * columns of a table rows of pg_attribute as they were once it had a parent,
 * was a partition of another table, or got other columns by the old names.
 */
#ifndef IM_WATCH_H
#define IM_WATCH_H

#include "triggers/leaves.h"

/*
 * A number that differs whenever one of those rows does, by its oid, the
 * transaction that wrote it and its place; never 0.  Copies of a database by
 * pg_dump or pg_upgrade have other numbers.
 */
extern uint64 watch_number(Oid relid, int columns);

/* Sets watch of those to 0 whose changes cannot be known for their relations. */
extern void watch_relations(LeafList *list);

#endif							/* IM_WATCH_H */
