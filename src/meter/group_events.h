/*
 * group_events.h
 *	  Groups that come and go within a window, and how many there were.
 *
 * A group exists from its creation, included, until it is disbanded,
 * excluded.  Kept are not groups but the instants within (since, until) at
 * which one more or one less existed, starts and ends apart: both lists are
 * sorted once, and a sweep over the two counts.  What existed at the window's
 * first instant is a plain number.
 *
 *	  base 3        + starts  s1 s2    s3
 *	  |-------------+---------+--+-----+-----------|
 *	since              - ends    e1       e2     until
 */
#ifndef IM_GROUP_EVENTS_H
#define IM_GROUP_EVENTS_H

#include "utils/timestamp.h"

#include "lib/int64s.h"

typedef struct GroupEvents
{
	TimestampTz since;
	TimestampTz until;
	int64		base;			/* groups existing at since */
	Int64s		starts;
	Int64s		ends;
} GroupEvents;

/* Where a sweep stands; zeroes and current = base begin one. */
typedef struct GroupSweep
{
	const GroupEvents *events;	/* sorted */
	int64		start;			/* first not yet counted */
	int64		end;
	int64		current;		/* groups existing */
} GroupSweep;

/* An empty list of events of the window [since, until). */
extern void group_events_init(GroupEvents *events, TimestampTz since, TimestampTz until);

/*
 * Adds a group; disbanded is DT_NOEND for one that still exists and not
 * before created.  Grows in the context given.
 */
extern void group_events_add(GroupEvents *events, MemoryContext context,
							 TimestampTz created, TimestampTz disbanded);

/* Adds all events of another list of the same window. */
extern void group_events_append(GroupEvents *events, MemoryContext context,
								const GroupEvents *more);

/*
 * Sorts the events and begins a sweep over them.  Events may be added
 * afterwards, but not while the sweep lasts.
 */
extern GroupSweep group_sweep_begin(GroupEvents *events);

/*
 * Most groups existing at one moment of [from, until); each call goes on
 * where the one before ended, so from may not go back.
 */
extern int64 group_sweep_peak(GroupSweep *sweep, TimestampTz from, TimestampTz until);

/*
 * Bytes of the serialised form; writing; reading with all checks, allocated
 * in the current context, raises 22P03.
 */
extern Size group_events_size(const GroupEvents *events);
extern void group_events_send(StringInfo buf, const GroupEvents *events);
extern void group_events_recv(StringInfo buf, GroupEvents *events);

#endif							/* IM_GROUP_EVENTS_H */
