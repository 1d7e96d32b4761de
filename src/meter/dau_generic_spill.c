/*
 * dau_generic_spill.c
 *	  What a bounded AnySet cannot hold.
 *
 *	  hashed types    AnySet, full      values of the first rows
 *	                  +- files          32 parts by five bits of the hash:
 *	                       |            [ hash | length ] bytes of a value
 *	                       +- share     the values of one part, in memory
 *	                          +- files  ... what is beyond the limit
 *	  ordered types   sort              all values, in a sort of the server's
 *
 * Hashed types are parted as ids are (lib/idspill.c): what is in the set
 * is in no file, a value that is in a file may be there many times, and part
 * after part has the set's memory to itself.  A type without a hash cannot be
 * parted; its values are sorted, as count(DISTINCT) does it, once half of the
 * limit is full.  The other half is the sort's.
 */
#include "meter/dau_generic.h"

#include "executor/executor.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/tuplesort.h"

#include "lib/idslot.h"

#define PART_FIRST_BIT		8
#define MAX_LEVEL			4
#define INTERRUPT_RECORDS	1024
#define LEAST_SORT_KB		64

typedef struct AnyRecord
{
	uint32		hash;
	uint32		len;			/* of the bytes that follow */
} AnyRecord;

/* ---- hashed: into files ---- */

/* A hash of its own: a table's places go by the low bits of the other. */
static inline int
part_of(uint32 hash, int level)
{
	return temp_part_of(id_mix(hash), PART_FIRST_BIT, level);
}

void
anyspill_put(AnySet *set, const AnyType *type, uint32 hash, Datum value)
{
	int			part = part_of(hash, set->level);
	AnyRecord	record = {hash, type->byval ? sizeof(Datum) : datumGetSize(value, false, type->len)};

	if (set->finished)
		elog(ERROR, "values added to a set that is counted");
	if (set->files == NULL)
		set->files = temp_parts_make(set->context, set->bound.group);
	set->files->rows[part]++;
	temp_parts_write(set->files, set->context, part, &record, sizeof(record));
	temp_parts_write(set->files, set->context, part,
					 type->byval ? (void *) &value : DatumGetPointer(value), record.len);
}

static void
put_table(AnySet *set, const AnyType *type)
{
	for (uint64 i = 0; i < set->size; i++)
		if (set->hashes[i] != 0)
			anyspill_put(set, type, set->hashes[i], set->values[i]);
	anyset_clear(set, type);
	set->full = true;
}

/* ---- hashed: out of files ---- */

static void
take_part(AnySet *set, AnyType *type, TempParts *files, int part)
{
	StringInfoData bytes;
	AnyRecord	record;

	initStringInfo(&bytes);
	for (uint64 i = 0; temp_parts_read(files, part, &record, sizeof(record)); i++)
	{
		if (i % INTERRUPT_RECORDS == 0)
			CHECK_FOR_INTERRUPTS();
		resetStringInfo(&bytes);
		enlargeStringInfo(&bytes, record.len);
		temp_parts_read_rest(files, part, bytes.data, record.len);
		anyset_put(set, type, record.hash,
				   type->byval ? *(Datum *) bytes.data : PointerGetDatum(bytes.data));
	}
	pfree(bytes.data);
}

/* Each part of the files of a set that has nothing in memory by now. */
static void
each_part(const AnySet *set, AnyType *type, bool keep, AnyCallback callback, void *arg)
{
	AnySet		share;

	anyset_init(&share, type, set->context);
	share.level = set->level + 1;
	share.bound.group = set->bound.group;
	share.bound.budget = share.level < MAX_LEVEL ? set->bound.budget : NULL;
	for (int part = 0; part < TEMP_PARTS; part++)
	{
		if (!temp_parts_rewind(set->files, part))
			continue;
		take_part(&share, type, set->files, part);
		if (!keep)
			temp_parts_close(set->files, part);
		anyset_each_in_memory(&share, type, callback, arg);
		anyset_clear(&share, type);
		if (share.files == NULL)
			continue;
		each_part(&share, type, false, callback, arg);
		temp_parts_drop(share.files);
		share.files = NULL;
	}
}

/* ---- ordered ---- */

/* The group ended, or the count is known. */
static void
end_sort(Datum arg)
{
	AnySet	   *set = (AnySet *) DatumGetPointer(arg);

	if (set->sort != NULL)
		tuplesort_end(set->sort);
	set->sort = NULL;
	temp_bound_give(&set->bound, set->bound.held);
}

void
anyspill_begin_sort(AnySet *set, AnyType *type)
{
	Size		memory = (set->bound.held + temp_bound_room(&set->bound)) / 2;
	int			memory_kb = Max(Min(memory / 1024, MAX_KILOBYTES), LEAST_SORT_KB);
	MemoryContext old = MemoryContextSwitchTo(set->context);

	set->sort = tuplesort_begin_datum(type->type, type->less, type->collation, false,
									  memory_kb, NULL, TUPLESORT_RANDOMACCESS);
	MemoryContextSwitchTo(old);
	RegisterExprContextCallback(set->bound.group, end_sort, PointerGetDatum(set));
	for (uint64 i = 0; i < set->used; i++)
		tuplesort_putdatum(set->sort, set->values[i], false);
	anyset_clear(set, type);
	temp_bound_take(&set->bound, (Size) memory_kb * 1024);
}

void
anyspill_sort(AnySet *set, Datum value)
{
	if (set->finished)
		elog(ERROR, "values added to a set that is sorted");
	tuplesort_putdatum(set->sort, value, false);
}

static void
finish_sort(AnySet *set)
{
	if (set->finished)
		tuplesort_rescan(set->sort);
	else
		tuplesort_performsort(set->sort);
	set->finished = true;
}

static void
each_sorted(AnySet *set, AnyType *type, AnyCallback callback, void *arg)
{
	Datum		last = 0;
	Datum		value;
	bool		is_null;

	finish_sort(set);
	for (uint64 i = 0; tuplesort_next_copy(set->sort, &value, &is_null); i++)
	{
		if (i == 0 || anytype_compare(type, last, value) != 0)
			callback(arg, value);
		if (i > 0 && !type->byval)
			pfree(DatumGetPointer(last));
		last = value;
	}
}

/* ---- both ---- */

void
anyspill_each(AnySet *set, AnyType *type, AnyCallback callback, void *arg)
{
	if (set->files != NULL)
		put_table(set, type);
	if (set->sort != NULL)
		each_sorted(set, type, callback, arg);
	else
		anyset_each_in_memory(set, type, callback, arg);
	if (set->files != NULL)
		each_part(set, type, true, callback, arg);
}

static void
count_value(void *arg, Datum value)
{
	(void) value;
	++*(uint64 *) arg;
}

static void
count_files(AnySet *set, AnyType *type)
{
	set->counted = set->used;
	anyset_clear(set, type);
	each_part(set, type, false, count_value, &set->counted);
	temp_parts_drop(set->files);
	set->files = NULL;
	set->finished = set->full = true;
}

uint64
anyset_count(AnySet *set, AnyType *type)
{
	if (set->files != NULL)
		count_files(set, type);
	if (set->sort != NULL)
	{
		each_sorted(set, type, count_value, &set->counted);
		end_sort(PointerGetDatum(set));
	}
	return set->counted + anyset_count_memory(set, type);
}
