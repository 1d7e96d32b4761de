/*
 * int64s.c
 *	  A growing list of integers that can be sorted, joined and sent.
 */
#include "lib/compat.h"

#include "utils/memutils.h"

#include "lib/int64s.h"
#include "lib/wire.h"

#define FIRST_ROOM	64

#define ST_SORT sort_int64s
#define ST_ELEMENT_TYPE int64
#define ST_COMPARE(a, b) (*(a) < *(b) ? -1 : *(a) > *(b))
#define ST_SCOPE static
#define ST_DEFINE
#define ST_CHECK_FOR_INTERRUPTS
#include "miscadmin.h"
#include "lib/sort_template.h"

void
int64s_reserve(Int64s *list, MemoryContext context, int64 room)
{
	if (room <= list->room)
		return;
	room = Max(room, Max(FIRST_ROOM, list->room * 2));
	if (list->values == NULL)
		list->values = MemoryContextAllocHuge(context, room * sizeof(int64));
	else
		list->values = repalloc_huge(list->values, room * sizeof(int64));
	list->room = room;
}

void
int64s_append(Int64s *list, MemoryContext context, const Int64s *more)
{
	if (more->count == 0)
		return;
	int64s_reserve(list, context, list->count + more->count);
	memcpy(list->values + list->count, more->values, more->count * sizeof(int64));
	list->count += more->count;
}

void
int64s_sort(Int64s *list)
{
	if (list->count > 1)
		sort_int64s(list->values, list->count);
}

void
int64s_send(StringInfo buf, const Int64s *list)
{
	pq_sendint64(buf, list->count);
	for (int64 i = 0; i < list->count; i++)
		pq_sendint64(buf, list->values[i]);
}

void
int64s_recv(StringInfo buf, Int64s *list)
{
	int64		count = wire_count(buf, sizeof(int64));

	memset(list, 0, sizeof(*list));
	int64s_reserve(list, CurrentMemoryContext, count);
	for (int64 i = 0; i < count; i++)
		list->values[i] = pq_getmsgint64(buf);
	list->count = count;
}
