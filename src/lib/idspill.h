/*
 * idspill.h
 *	  What a bounded IdSet cannot hold: ids in temporary files.
 *
 * See idspill.c.  Files are made when the first id goes to one and belong to
 * the resource owner that is current then; idspill_count() closes them, or
 * the end of the group that the set's bound names.  All functions raise what
 * temporary files raise.
 */
#ifndef IM_TYPES_IDSPILL_H
#define IM_TYPES_IDSPILL_H

#include "lib/idset.h"

/* An id that a full set does not hold; the bytes and length of a long one, else no bytes. */
extern void idspill_put(IdSet *set, IdKind kind, uint64 hash, IdSlot slot,
						const char *id, uint32 len);

/*
 * Number of ids, in memory and in files.  Those of a set with files are gone
 * then, but their number stays: asked again it is the same.  Nothing may be
 * added any more.
 */
extern uint64 idspill_count(IdSet *set);

/*
 * Calls back with one share of the ids after the other, as a set in memory
 * that is gone when the callback returns.  No id is in two shares.  The set
 * itself may be used as before.
 */
typedef void (*IdShareCallback) (void *arg, const IdSet *share);
extern void idspill_each_share(IdSet *set, IdShareCallback callback, void *arg);

/* Adds the ids in another set's files. */
extern void idspill_read_all(IdSet *set, const IdSet *other);

#endif							/* IM_TYPES_IDSPILL_H */
