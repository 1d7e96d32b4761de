/*
 * idagg.c
 *	  An IdSet as the state of an aggregate.
 */
#include "types/idagg.h"

static void
forget_ids(void *arg)
{
	IdAgg	   *agg = arg;

	idring_forget(agg->ring, &agg->set);
}

void
idagg_init(IdAgg *agg, MemoryContext context, IdRing *ring)
{
	idset_init(&agg->set, context);
	agg->ring = ring;
	agg->written = NULL;
	if (ring == NULL)
		return;
	agg->forget.func = forget_ids;
	agg->forget.arg = agg;
	MemoryContextRegisterResetCallback(context, &agg->forget);
}

void
idagg_init_written(IdAgg *agg, const char *written, Size size)
{
	idagg_init(agg, CurrentMemoryContext, NULL);
	agg->written = written;
	agg->written_size = size;
}

void
idagg_merge(IdAgg *agg, IdAgg *other)
{
	idagg_settle(agg);
	idagg_settle(other);
	if (other->written != NULL)
		idset_merge_written(&agg->set, other->written, other->written_size);
	else
		idset_merge(&agg->set, &other->set);
}

/* Bytes that grow: how many there will be is known only when files are read. */
typedef struct Writing
{
	bytea	   *bytes;
	Size		size;			/* written so far */
	Size		allocated;
	uint64		ids;
} Writing;

static void
write_share(void *arg, const IdSet *share)
{
	Writing    *writing = arg;
	Size		size = writing->size + idset_written_size(share);

	writing->ids += idset_count(share);
	if (size > writing->allocated)
	{
		check_serial_state(size, writing->ids);
		writing->allocated = Min(size + size / 2, MaxAllocSize - VARHDRSZ);
		writing->bytes = repalloc(writing->bytes, writing->allocated + VARHDRSZ);
	}
	idset_write(share, VARDATA(writing->bytes) + writing->size);
	writing->size = size;
}

static bytea *
serialize_with_files(IdSet *set, Size room)
{
	Writing		writing = {palloc(room + VARHDRSZ), room, room, 0};

	idspill_each_share(set, write_share, &writing);
	SET_VARSIZE(writing.bytes, writing.size + VARHDRSZ);
	return writing.bytes;
}

bytea *
idagg_serialize(IdAgg *agg, Size room)
{
	bytea	   *bytes;

	idagg_settle(agg);
	if (agg->set.files != NULL)
		return serialize_with_files(&agg->set, room);
	bytes = alloc_serial_state(room + idset_written_size(&agg->set), idset_count(&agg->set));
	idset_write(&agg->set, VARDATA(bytes) + room);
	return bytes;
}
