/*
 * tally.h
 *	  Sums by key: four counters for every clock hour or day that has any.
 *
 * Events of one app mostly come in the order of time, so the entry used last
 * is tried first; any other is found in a hash table, in any order of
 * arrival.  An app-month has at most 745 hours: the state is small and does
 * not grow with the number of events.
 */
#ifndef IM_TALLY_H
#define IM_TALLY_H

#include "common/int.h"
#include "lib/stringinfo.h"

#define TALLY_SUMS		4		/* check kinds, call classes */

typedef struct TallyEntry
{
	int64		key;
	uint32		status;			/* of the hash table */
	int64		sums[TALLY_SUMS];
} TallyEntry;

typedef struct Tally
{
	struct tally_hash *hash;
	TallyEntry *last;			/* good until the next key is added */
} Tally;

/* An empty tally in the context given. */
extern void tally_init(Tally *tally, MemoryContext context);

/* The entry of a key, added with zeroes if new; good until the next call. */
extern TallyEntry *tally_find(Tally *tally, int64 key);

/* Adds up two tallies.  Raises 22003 on overflow. */
extern void tally_merge(Tally *into, const Tally *more);

/* Raises 22003. */
pg_noreturn extern void tally_overflow(void);

/*
 * All entries by ascending key, a palloc'd array of *count copies in the
 * current context.
 */
extern TallyEntry *tally_entries(const Tally *tally, int64 *count);

/*
 * Bytes of the serialised form; writing; reading into a tally made in the
 * current context, raises 22P03.
 */
extern Size tally_size(const Tally *tally);
extern void tally_send(StringInfo buf, const Tally *tally);
extern void tally_recv(StringInfo buf, Tally *tally);

/* Adds an amount to one sum of a key.  Raises 22003 on overflow. */
static inline void
tally_add(Tally *tally, int64 key, int which, int64 amount)
{
	TallyEntry *entry = tally->last;

	if (entry == NULL || entry->key != key)
		entry = tally_find(tally, key);
	if (unlikely(pg_add_s64_overflow(entry->sums[which], amount, &entry->sums[which])))
		tally_overflow();
}

#endif							/* IM_TALLY_H */
