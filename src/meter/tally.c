/*
 * tally.c
 *	  Sums by key: four counters for every clock hour or day that has any.
 */
#include "lib/compat.h"

#include "lib/wire.h"
#include "meter/tally.h"

#define FIRST_SIZE		8

/* Neighbouring hours are to land far apart: the finalizer of MurmurHash3. */
static inline uint32
hash_key(int64 key)
{
	uint64		h = (uint64) key;

	h ^= h >> 33;
	h *= UINT64CONST(0xff51afd7ed558ccd);
	h ^= h >> 33;
	h *= UINT64CONST(0xc4ceb9fe1a85ec53);
	return (uint32) (h ^ (h >> 33));
}

#define SH_PREFIX tally
#define SH_ELEMENT_TYPE TallyEntry
#define SH_KEY_TYPE int64
#define SH_KEY key
#define SH_HASH_KEY(table, k) hash_key(k)
#define SH_EQUAL(table, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

#define ST_SORT sort_entries
#define ST_ELEMENT_TYPE TallyEntry
#define ST_COMPARE(a, b) ((a)->key < (b)->key ? -1 : (a)->key > (b)->key)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

void
tally_init(Tally *tally, MemoryContext context)
{
	tally->hash = tally_create(context, FIRST_SIZE, NULL);
	tally->last = NULL;
}

TallyEntry *
tally_find(Tally *tally, int64 key)
{
	bool		found;
	TallyEntry *entry = tally_insert(tally->hash, key, &found);

	if (!found)
		memset(entry->sums, 0, sizeof(entry->sums));
	tally->last = entry;
	return entry;
}

void
tally_overflow(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("sum of usage is out of range"),
			 errdetail("Checks and seconds of one hour or day must fit into a bigint.")));
}

void
tally_merge(Tally *into, const Tally *more)
{
	tally_iterator iterator;
	TallyEntry *entry;

	tally_start_iterate(more->hash, &iterator);
	while ((entry = tally_iterate(more->hash, &iterator)) != NULL)
		for (int i = 0; i < TALLY_SUMS; i++)
			tally_add(into, entry->key, i, entry->sums[i]);
}

TallyEntry *
tally_entries(const Tally *tally, int64 *count)
{
	TallyEntry *entries = MemoryContextAllocHuge(CurrentMemoryContext, tally->hash->members * sizeof(TallyEntry));
	tally_iterator iterator;
	TallyEntry *entry;
	int64		n = 0;

	tally_start_iterate(tally->hash, &iterator);
	while ((entry = tally_iterate(tally->hash, &iterator)) != NULL)
		entries[n++] = *entry;
	sort_entries(entries, n);
	*count = n;
	return entries;
}

Size
tally_size(const Tally *tally)
{
	return tally->hash->members * (1 + TALLY_SUMS) * sizeof(int64);
}

/* By ascending key, so that equal states are equal bytes. */
void
tally_send(StringInfo buf, const Tally *tally)
{
	int64		count;
	TallyEntry *entries = tally_entries(tally, &count);

	pq_sendint64(buf, count);
	for (int64 i = 0; i < count; i++)
	{
		pq_sendint64(buf, entries[i].key);
		for (int s = 0; s < TALLY_SUMS; s++)
			pq_sendint64(buf, entries[i].sums[s]);
	}
	pfree(entries);
}

void
tally_recv(StringInfo buf, Tally *tally)
{
	int64		count = wire_count(buf, (1 + TALLY_SUMS) * sizeof(int64));
	int64		previous = PG_INT64_MIN;

	tally_init(tally, CurrentMemoryContext);
	for (int64 i = 0; i < count; i++)
	{
		int64		key = pq_getmsgint64(buf);
		TallyEntry *entry = tally_find(tally, key);

		wire_check(key > previous);
		previous = key;
		for (int s = 0; s < TALLY_SUMS; s++)
		{
			entry->sums[s] = pq_getmsgint64(buf);
			wire_check(entry->sums[s] >= 0);
		}
	}
}
