/*
 * idagg.c
 *	  An IdSet as the state of an aggregate.
 */
#include "lib/idagg.h"

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

static void
write_share(void *arg, const IdSet *share)
{
	idset_write(share, growing_state_add(arg, idset_written_size(share), idset_count(share)));
}

static bytea *
serialize_with_files(IdSet *set, Size room)
{
	GrowingState state;

	growing_state_init(&state, room);
	growing_state_add(&state, room, 0);
	idspill_each_share(set, write_share, &state);
	return growing_state_end(&state);
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
