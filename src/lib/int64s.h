/*
 * int64s.h
 *	  A growing list of integers that can be sorted, joined and sent.
 */
#ifndef IM_INT64S_H
#define IM_INT64S_H

#include "lib/stringinfo.h"

typedef struct Int64s
{
	int64	   *values;
	int64		count;
	int64		room;
} Int64s;

/* Makes room for at least so many values, in the context given. */
extern void int64s_reserve(Int64s *list, MemoryContext context, int64 room);

/* Adds all values of another list. */
extern void int64s_append(Int64s *list, MemoryContext context, const Int64s *more);

/* Sorts in place, ascending. */
extern void int64s_sort(Int64s *list);

/*
 * Writes and reads a list; reading allocates in the current context and
 * raises 22P03 for a count that the message does not hold.
 */
extern void int64s_send(StringInfo buf, const Int64s *list);
extern void int64s_recv(StringInfo buf, Int64s *list);

/* Adds one value; grows in the context given. */
static inline void
int64s_add(Int64s *list, MemoryContext context, int64 value)
{
	if (unlikely(list->count == list->room))
		int64s_reserve(list, context, list->count + 1);
	list->values[list->count++] = value;
}

#endif							/* IM_INT64S_H */
