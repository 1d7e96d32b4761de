/*
 * aggstate.h
 *	  What the support functions of all aggregates do alike.
 */
#ifndef IM_TYPES_AGGSTATE_H
#define IM_TYPES_AGGSTATE_H

#include "lib/compat.h"
#include "utils/memutils.h"

/*
 * The memory context of the aggregate that calls; 42809 if there is none,
 * since a state of type internal must not be taken from anyone else.
 */
static inline MemoryContext
aggregate_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("support function of an aggregate called outside of one"),
				 errhint("Call the aggregate instead.")));
	return context;
}

/* 54000 for a state of so many bytes and users if it would pass 1 GB. */
static inline void
check_serial_state(Size size, uint64 users)
{
	if (size > MaxAllocSize - VARHDRSZ)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a worker's set of " UINT64_FORMAT " distinct users is too large to hand over",
						users),
				 errdetail("Parallel workers hand over at most 1 GB for a group."),
				 errhint("Set max_parallel_workers_per_gather to 0 for this query, or group by app and day.")));
}

/* A bytea of size bytes for a state, checked so. */
static inline bytea *
alloc_serial_state(Size size, uint64 users)
{
	bytea	   *state;

	check_serial_state(size, users);
	state = palloc(size + VARHDRSZ);
	SET_VARSIZE(state, size + VARHDRSZ);
	return state;
}

/* A bytea that grows: how long it gets shows only while it is written. */
typedef struct GrowingState
{
	bytea	   *bytes;
	Size		size;			/* written so far, without the header */
	Size		allocated;
	uint64		users;			/* that are in it, for the error */
} GrowingState;

static inline void
growing_state_init(GrowingState *state, Size first)
{
	state->bytes = palloc(first + VARHDRSZ);
	state->size = state->users = 0;
	state->allocated = first;
}

/* Room for size bytes more, of so many users more; 54000 past 1 GB. */
static inline char *
growing_state_add(GrowingState *state, Size size, uint64 users)
{
	char	   *room;

	state->users += users;
	if (unlikely(state->size + size > state->allocated))
	{
		check_serial_state(state->size + size, state->users);
		state->allocated = Min((state->size + size) / 2 * 3, MaxAllocSize - VARHDRSZ);
		state->bytes = repalloc(state->bytes, state->allocated + VARHDRSZ);
	}
	room = VARDATA(state->bytes) + state->size;
	state->size += size;
	return room;
}

static inline bytea *
growing_state_end(GrowingState *state)
{
	SET_VARSIZE(state->bytes, state->size + VARHDRSZ);
	return state->bytes;
}

#endif							/* IM_TYPES_AGGSTATE_H */
