/*
 * idset.h
 *	  An exact set of byte strings in memory, fast for ids of users.
 *
 * See idset.c for the layout.  A set lives in the memory context given to
 * idset_init() and is freed by that context's reset alone.  Adding raises
 * 53200 when memory is out, merging 22P03 for bytes that no idset_write()
 * made.
 */
#ifndef IM_TYPES_IDSET_H
#define IM_TYPES_IDSET_H

#include "types/arena.h"
#include "types/idslot.h"

/* Each kind of slot has a table of its own. */
typedef struct IdTable
{
	IdSlot	   *slots;
	uint32		nslots;
	uint32		used;
	uint32		limit;			/* grow when used reaches this */
	bool		zero;			/* has the id that looks like an empty slot */
} IdTable;

typedef struct IdSet
{
	MemoryContext context;
	IdTable		tables[ID_KINDS];
	Arena		arena;			/* ids over 15 bytes that are not packed */
	uint64		long_count;
	uint64		long_bytes;		/* lengths included */
} IdSet;

#define IDRING_SIZE		16
#define IDRING_BYTES	112

/*
 * Ids on their way into one set or several.  Each waits in the ring while
 * the cache line it is going to comes from memory.  Until idring_flush() the
 * sets lack what is in the ring, and a set that is freed must be forgotten.
 */
typedef struct IdPending
{
	IdSet	   *set;			/* NULL: nothing here */
	uint64		hash;
	IdSlot		slot;
	IdKind		kind;
	uint32		len;			/* of a long id, whose bytes are copied */
	char		bytes[IDRING_BYTES];
} IdPending;

typedef struct IdRing
{
	uint32		next;
	IdPending	items[IDRING_SIZE];
} IdRing;

extern void idset_init(IdSet *set, MemoryContext context);

/* Number of ids. */
extern uint64 idset_count(const IdSet *set);

/* Adds an id of len bytes, of 8 bytes, of 16 bytes, by way of the ring. */
extern void idset_add(IdSet *set, IdRing *ring, const char *id, Size len);
extern void idset_add_word(IdSet *set, IdRing *ring, uint64 id);
extern void idset_add_uuid(IdSet *set, IdRing *ring, const uint8 *id);

extern void idring_init(IdRing *ring);
extern void idring_flush(IdRing *ring);
extern void idring_forget(IdRing *ring, const IdSet *set);

/* Adds all ids of another set. */
extern void idset_merge(IdSet *set, const IdSet *other);

/*
 * A set as bytes: their number, the bytes themselves, and adding all ids of
 * such bytes to a set, every one of them checked.
 */
extern Size idset_written_size(const IdSet *set);
extern void idset_write(const IdSet *set, char *to);
extern void idset_merge_written(IdSet *set, const char *bytes, Size size);

/* Calls back for each id, as the bytes that idset_add() was given. */
typedef void (*IdCallback) (void *arg, const char *id, Size len);
extern void idset_each(const IdSet *set, IdCallback callback, void *arg);

#endif							/* IM_TYPES_IDSET_H */
