/*
 * group_events.c
 *	  Groups that come and go within a window, and how many there were.
 *
 * At one and the same instant ends come before starts: a group disbanded at
 * noon does not exist at noon, so one created at noon takes its place and is
 * not counted beside it.
 */
#include "lib/compat.h"

#include "lib/wire.h"
#include "meter/group_events.h"

void
group_events_init(GroupEvents *events, TimestampTz since, TimestampTz until)
{
	memset(events, 0, sizeof(*events));
	events->since = since;
	events->until = until;
}

void
group_events_add(GroupEvents *events, MemoryContext context,
				 TimestampTz created, TimestampTz disbanded)
{
	Assert(created <= disbanded);
	if (created >= events->until || disbanded <= events->since || created == disbanded)
		return;
	if (created <= events->since)
		events->base++;
	else
		int64s_add(&events->starts, context, created);
	if (disbanded < events->until)
		int64s_add(&events->ends, context, disbanded);
}

void
group_events_append(GroupEvents *events, MemoryContext context, const GroupEvents *more)
{
	Assert(events->since == more->since && events->until == more->until);
	events->base += more->base;
	int64s_append(&events->starts, context, &more->starts);
	int64s_append(&events->ends, context, &more->ends);
}

GroupSweep
group_sweep_begin(GroupEvents *events)
{
	GroupSweep	sweep = {.events = events, .current = events->base};

	int64s_sort(&events->starts);
	int64s_sort(&events->ends);
	return sweep;
}

/* Counts the groups that end up to an instant. */
static inline void
count_ends(GroupSweep *sweep, TimestampTz at)
{
	const Int64s *ends = &sweep->events->ends;

	while (sweep->end < ends->count && ends->values[sweep->end] <= at)
	{
		sweep->end++;
		sweep->current--;
	}
}

int64
group_sweep_peak(GroupSweep *sweep, TimestampTz from, TimestampTz until)
{
	const Int64s *starts = &sweep->events->starts;
	int64		peak;

	for (; sweep->start < starts->count && starts->values[sweep->start] <= from; sweep->start++)
		sweep->current++;
	count_ends(sweep, from);
	peak = sweep->current;
	while (sweep->start < starts->count && starts->values[sweep->start] < until)
	{
		count_ends(sweep, starts->values[sweep->start]);
		sweep->start++;
		sweep->current++;
		peak = Max(peak, sweep->current);
	}
	return peak;
}

Size
group_events_size(const GroupEvents *events)
{
	return (events->starts.count + events->ends.count) * sizeof(int64);
}

void
group_events_send(StringInfo buf, const GroupEvents *events)
{
	pq_sendint64(buf, events->since);
	pq_sendint64(buf, events->until);
	pq_sendint64(buf, events->base);
	int64s_send(buf, &events->starts);
	int64s_send(buf, &events->ends);
}

/* Whether all instants of a list lie within the window, its ends excluded. */
static bool
all_within(const Int64s *list, TimestampTz since, TimestampTz until)
{
	for (int64 i = 0; i < list->count; i++)
		if (list->values[i] <= since || list->values[i] >= until)
			return false;
	return true;
}

void
group_events_recv(StringInfo buf, GroupEvents *events)
{
	TimestampTz since = pq_getmsgint64(buf);
	TimestampTz until = pq_getmsgint64(buf);

	group_events_init(events, since, until);
	events->base = pq_getmsgint64(buf);
	int64s_recv(buf, &events->starts);
	int64s_recv(buf, &events->ends);
	wire_check(since <= until && events->base >= 0 &&
			   all_within(&events->starts, since, until) &&
			   all_within(&events->ends, since, until) &&
			   events->ends.count <= events->base + events->starts.count);
}
