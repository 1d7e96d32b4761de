/*
 * idagg.h
 *	  An IdSet as the state of an aggregate.
 *
 * The ring in which ids wait belongs to the call site, that is to fn_extra
 * of the transition function: under GROUP BY the rows that come one after
 * the other go to different groups, and only a ring they share lets all of
 * their cache lines be fetched at once.  The ring outlives every state, never
 * the other way round; a state whose context is reset takes its ids out of
 * the ring, so nothing is left that points to freed memory when an executor
 * drops groups that it did not finish.
 *
 * The budget that states share (temp_parts.h) belongs to the call site as
 * well, for the same reason.
 */
#ifndef IM_TYPES_IDAGG_H
#define IM_TYPES_IDAGG_H

#include "lib/aggstate.h"
#include "lib/idspill.h"

typedef struct IdAgg
{
	IdSet		set;
	IdRing	   *ring;			/* where its ids wait, NULL if they do not */
	const char *written;		/* a state as received: bytes, and no set */
	Size		written_size;
	MemoryContextCallback forget;
} IdAgg;

/*
 * Makes an empty state in the context; the ring may be NULL.  It has no limit
 * unless the caller gives its set one.
 */
extern void idagg_init(IdAgg *agg, MemoryContext context, IdRing *ring);

/* A state just received; it refers to the bytes and must not outlive them. */
extern void idagg_init_written(IdAgg *agg, const char *written, Size size);

/* Brings the ids that wait into their sets. */
static inline void
idagg_settle(IdAgg *agg)
{
	if (agg->ring != NULL)
		idring_flush(agg->ring);
}

/* Adds all ids of another state; raises as idset.h says. */
extern void idagg_merge(IdAgg *agg, IdAgg *other);

/* How many ids there are: see idspill_count(). */
static inline uint64
idagg_count(IdAgg *agg)
{
	idagg_settle(agg);
	return idspill_count(&agg->set);
}

/*
 * The state as bytes, with room bytes before them for the caller; 54000 where
 * they would pass 1 GB.
 */
extern bytea *idagg_serialize(IdAgg *agg, Size room);

#endif							/* IM_TYPES_IDAGG_H */
