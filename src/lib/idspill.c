/*
 * idspill.c
 *	  What a bounded IdSet cannot hold: ids in temporary files.
 *
 *	  IdSet, full     ids of the first rows
 *	  +- files        32 parts by five bits of the hash: records of
 *	       |              [ slot | kind | length ] bytes of a long id
 *	       +- share   the ids of one part, in memory, under the same limit
 *	          +- files        ... what is beyond it, by the next five bits
 *
 * Why so:
 * - An id that a full set does not hold goes to the file of its part, each
 *   time that it comes.  What is in the set is in no file, so the counts of
 *   the set and of the parts add up.
 * - The set's memory is freed before the first part is read, and one share's
 *   before the next: there is never more than the limit.  Only below MAX_LEVEL
 *   parts, when the bits are used up, a share takes what it needs.
 * - Which part an id is in depends on bits of its hash that the position in a
 *   table does not: a part's ids are spread over all of a table.
 */
#include "lib/idspill.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"

#define PART_FIRST_BIT		8	/* long ids know their hash from here up */
#define MAX_LEVEL			4	/* below the bits that choose the slot */
#define INTERRUPT_RECORDS	4096

typedef struct IdRecord
{
	IdSlot		slot;
	uint32		kind;
	uint32		len;			/* of the bytes that follow */
} IdRecord;

/* ---- into files ---- */

static pg_noinline void
begin_files(IdSet *set)
{
	if (set->finished)
		elog(ERROR, "ids added to a set that is counted");
	set->files = temp_parts_make(set->context, set->bound.group);
}

void
idspill_put(IdSet *set, IdKind kind, uint64 hash, IdSlot slot, const char *id, uint32 len)
{
	int			part = temp_part_of(hash, PART_FIRST_BIT, set->level);
	IdRecord	record = {slot, kind, len};

	if (unlikely(set->files == NULL))
		begin_files(set);
	set->files->rows[part]++;
	temp_parts_write(set->files, set->context, part, &record, sizeof(record));
	if (len > 0)
		temp_parts_write(set->files, set->context, part, id, len);
}

static void
put_slot(IdSet *set, IdKind kind, IdSlot slot)
{
	uint64		hash = id_slot_hash(kind, slot, 0);

	if (kind == ID_BYTES && id_is_long(slot))
		idspill_put(set, kind, hash, (IdSlot) {0, slot.w1}, id_long_bytes(slot), id_long_len(slot));
	else
		idspill_put(set, kind, hash, slot, NULL, 0);
}

/* What is in memory goes to the files too; zero ids are no more than flags, and stay. */
static void
put_tables(IdSet *set)
{
	bool		zero[ID_KINDS];

	for (int kind = 0; kind < ID_KINDS; kind++)
	{
		const IdTable *table = &set->tables[kind];

		zero[kind] = table->zero;
		for (uint32 i = 0; i < table->nslots; i++)
			if (!id_slot_is_empty(table->slots[i]))
				put_slot(set, kind, table->slots[i]);
	}
	idset_clear(set);
	idset_fill(set);
	for (int kind = 0; kind < ID_KINDS; kind++)
		set->tables[kind].zero = zero[kind];
}

/* ---- out of files ---- */

static void
take_record(IdSet *set, TempParts *files, int part, const IdRecord *record, StringInfo bytes)
{
	if (record->len == 0)
	{
		idset_put(set, record->kind, id_hash_slot(record->slot, 0), record->slot);
		return;
	}
	resetStringInfo(bytes);
	enlargeStringInfo(bytes, record->len);
	temp_parts_read_rest(files, part, bytes->data, record->len);
	idset_put_long(set, id_slot_hash(ID_BYTES, record->slot, 0), bytes->data, record->len);
}

static void
take_part(IdSet *set, TempParts *files, int part)
{
	StringInfoData bytes;
	IdRecord	record;

	initStringInfo(&bytes);
	for (uint64 i = 0; temp_parts_read(files, part, &record, sizeof(record)); i++)
	{
		if (i % INTERRUPT_RECORDS == 0)
			CHECK_FOR_INTERRUPTS();
		take_record(set, files, part, &record, &bytes);
	}
	pfree(bytes.data);
}

/* It has no reset callback: what it holds is given back when it is cleared. */
static void
init_share(IdSet *share, const IdSet *set, int level)
{
	idset_init(share, set->context);
	share->level = level;
	share->bound.group = set->bound.group;
	share->bound.budget = level < MAX_LEVEL ? set->bound.budget : NULL;
}

/* Each part of the files of a set whose tables are empty by now. */
static void
each_part(const IdSet *set, bool keep, IdShareCallback callback, void *arg)
{
	IdSet		share;

	init_share(&share, set, set->level + 1);
	for (int part = 0; part < TEMP_PARTS; part++)
	{
		if (!temp_parts_rewind(set->files, part))
			continue;
		take_part(&share, set->files, part);
		if (!keep)
			temp_parts_close(set->files, part);
		callback(arg, &share);
		idset_clear(&share);
		if (share.files == NULL)
			continue;
		each_part(&share, false, callback, arg);
		temp_parts_drop(share.files);
		share.files = NULL;
	}
}

void
idspill_each_share(IdSet *set, IdShareCallback callback, void *arg)
{
	if (set->files != NULL)
		put_tables(set);
	callback(arg, set);
	if (set->files != NULL)
		each_part(set, true, callback, arg);
}

static void
count_share(void *arg, const IdSet *share)
{
	*(uint64 *) arg += idset_count(share);
}

uint64
idspill_count(IdSet *set)
{
	if (set->files != NULL)
	{
		set->counted = idset_count(set);
		idset_clear(set);
		each_part(set, false, count_share, &set->counted);
		temp_parts_drop(set->files);
		set->files = NULL;
		set->finished = true;
		idset_fill(set);
	}
	return set->counted + idset_count(set);
}

void
idspill_read_all(IdSet *set, const IdSet *other)
{
	for (int part = 0; part < TEMP_PARTS; part++)
		if (temp_parts_rewind(other->files, part))
			take_part(set, other->files, part);
}
