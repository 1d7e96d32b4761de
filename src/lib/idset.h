/*
 * idset.h
 *	  An exact set of byte strings, fast for ids of users.
 *
 * See idset.c for the layout.  A set lives in the memory context given to
 * idset_init() and is freed by that context's reset alone.  It grows while
 * there is memory unless its bound has a limit, beyond which ids go to
 * temporary files: see idspill.h for what is asked of such a set.
 *
 * Adding raises 53200 when memory is out and what temporary files raise,
 * merging 22P03 for bytes that no idset_write() made.
 */
#ifndef IM_TYPES_IDSET_H
#define IM_TYPES_IDSET_H

#include "lib/arena.h"
#include "lib/idslot.h"
#include "lib/temp_parts.h"

/* Each kind of slot has a table of its own. */
typedef struct IdTable
{
	IdSlot	   *slots;
	uint32		nslots;
	uint32		used;
	uint32		limit;			/* grow when used reaches this; 0 once full */
	bool		zero;			/* has the id that looks like an empty slot */
} IdTable;

typedef struct IdSet
{
	MemoryContext context;
	IdTable		tables[ID_KINDS];
	Arena		arena;			/* ids over 15 bytes that are not packed */
	uint64		long_count;
	uint64		long_bytes;		/* lengths included */

	/* what did not fit: see idspill.c */
	TempBound	bound;
	bool		full;			/* the tables take no more */
	bool		finished;		/* ids are counted and gone */
	int			level;			/* which bits of hashes part the files */
	uint64		counted;
	TempParts  *files;
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

/*
 * The caller gives an empty set its bound, if it is to have one.  What the set
 * takes from its context is within the limit at any time then, tables that
 * are replaced included; beside that are the buffers of files, 8 kB each.
 */
extern void idset_init(IdSet *set, MemoryContext context);

/* Number of ids in memory. */
extern uint64 idset_count(const IdSet *set);

/* Adds an id of len bytes, of 8 bytes, of 16 bytes, by way of the ring. */
extern void idset_add(IdSet *set, IdRing *ring, const char *id, Size len);
extern void idset_add_word(IdSet *set, IdRing *ring, uint64 id);
extern void idset_add_uuid(IdSet *set, IdRing *ring, const uint8 *id);

extern void idring_init(IdRing *ring);
extern void idring_flush(IdRing *ring);
extern void idring_forget(IdRing *ring, const IdSet *set);

/* The same without a ring, by the hash that is known. */
extern void idset_put(IdSet *set, IdKind kind, uint64 hash, IdSlot slot);
extern void idset_put_long(IdSet *set, uint64 hash, const char *id, uint32 len);

/* Adds all ids of another set. */
extern void idset_merge(IdSet *set, const IdSet *other);

/* Forgets the ids in memory and frees what held them; keeps the bound. */
extern void idset_clear(IdSet *set);

/*
 * The tables are full from here on, whatever is in them: each is one that an
 * id can be looked for in and that has no room.
 */
extern void idset_fill(IdSet *set);

/*
 * The ids in memory as bytes: their number, the bytes themselves, and adding
 * all ids of such bytes to a set, every one of them checked.  Bytes of
 * several sets one after the other are those of their union.
 */
extern Size idset_written_size(const IdSet *set);
extern void idset_write(const IdSet *set, char *to);
extern void idset_merge_written(IdSet *set, const char *bytes, Size size);

/* Calls back for each id in memory, as the bytes that idset_add() was given. */
typedef void (*IdCallback) (void *arg, const char *id, Size len);
extern void idset_each(const IdSet *set, IdCallback callback, void *arg);

static inline bool
id_slot_is_empty(IdSlot slot)
{
	return (slot.w0 | slot.w1) == 0;
}

/* A long id in memory: its length, its bytes. */
#define ID_LEN_BYTES	4

static inline uint32
id_long_len(IdSlot slot)
{
	return load_le32((const char *) (uintptr_t) slot.w0);
}

static inline const char *
id_long_bytes(IdSlot slot)
{
	return (const char *) (uintptr_t) slot.w0 + ID_LEN_BYTES;
}

#endif							/* IM_TYPES_IDSET_H */
