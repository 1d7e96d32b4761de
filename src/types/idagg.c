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

bytea *
idagg_serialize(IdAgg *agg, Size room)
{
	bytea	   *bytes;

	idagg_settle(agg);
	bytes = alloc_serial_state(room + idset_written_size(&agg->set), idset_count(&agg->set));
	idset_write(&agg->set, VARDATA(bytes) + room);
	return bytes;
}
