/*
 * aggstate.h
 *	  What the support functions of all aggregates do alike.
 */
#ifndef IM_TYPES_AGGSTATE_H
#define IM_TYPES_AGGSTATE_H

#include "types/compat.h"
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

#endif							/* IM_TYPES_AGGSTATE_H */
