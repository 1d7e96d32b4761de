/*
 * zone.h
 *	  Local days and clock hours of instants, a few nanoseconds each.
 *
 * A Zone is a time zone with the intervals of UTC in which its offset is
 * known to be constant.  It belongs to one call site (fn_extra, an aggregate
 * state), is plain memory without pointers to free, and may be asked in any
 * order of instants.
 *
 * Names are those of the time zone database, as in pg_timezone_names.  Where
 * PostgreSQL's AT TIME ZONE takes such a name for a fixed offset by default
 * (CET, EST) so does a Zone, whatever the settings of the session.  Other
 * abbreviations are refused: CST is China's for some and Chicago's for
 * others, and on PostgreSQL 18 depends on the session.
 */
#ifndef IM_ZONE_H
#define IM_ZONE_H

#include "pgtime.h"
#include "utils/date.h"
#include "utils/timestamp.h"

#define ZONE_SPANS	8			/* four years of summer and winter time */

/* Instants of [from, until) have this offset from UTC. */
typedef struct ZoneSpan
{
	TimestampTz from;
	TimestampTz until;
	int64		offset;			/* microseconds, positive east of Greenwich */
} ZoneSpan;

typedef struct Zone
{
	ZoneSpan	span;			/* the one used last */
	pg_tz	   *tz;				/* lives as long as the session */
	int			kept;			/* valid entries of spans */
	int			next;			/* the entry to replace next */
	ZoneSpan	spans[ZONE_SPANS];
	int			name_len;
	char		name[TZ_STRLEN_MAX + 1];
} Zone;

/*
 * Makes *zone the zone of that name.  Allocates nothing that outlives the
 * call; raises 22023 for an unknown name.
 */
extern void zone_set(Zone *zone, const char *name, int len);

/*
 * The zone named by argument argno, kept in fn_extra across calls; the name
 * is compared at each call.  The caller must use fn_extra for nothing else.
 */
extern Zone *zone_of_call(FunctionCallInfo fcinfo, int argno);

/* Makes span the one that holds a finite instant.  For the inlines below. */
extern void zone_seek(Zone *zone, TimestampTz at);

/*
 * The first instant of a local day: the earliest from which the day or a
 * later one has come.  Of a day that the zone skipped it is the first of the
 * next.  Infinite for infinite days; raises 22008 outside the range of
 * timestamps.
 */
extern TimestampTz zone_day_start(Zone *zone, DateADT day);

/*
 * The instant from which on no day up to this one comes again.  Later than
 * the start of the next day where clocks were set back over midnight.
 */
extern TimestampTz zone_day_end(Zone *zone, DateADT day);

/*
 * The first instant after a finite one at which the local day may be another:
 * local midnight or a change of the offset.  The day is constant in between.
 */
extern TimestampTz zone_next_break(Zone *zone, TimestampTz at);

/* 2024-03-17 08:10:00+00, always UTC, palloc'd: how errors print instants. */
extern char *instant_text(TimestampTz at);

/* A day as errors print it, whatever DateStyle says; palloc'd. */
extern char *day_text(DateADT day);

/* Microseconds to add to a finite instant to get its local time. */
static inline int64
zone_offset(Zone *zone, TimestampTz at)
{
	if (unlikely(at < zone->span.from || at >= zone->span.until))
		zone_seek(zone, at);
	return zone->span.offset;
}

/* Division that rounds down. */
static inline int64
floor_div(int64 value, int64 by)
{
	return value / by - (value % by < 0);
}

/* Local day of an instant; infinite for infinite instants. */
static inline DateADT
zone_day(Zone *zone, TimestampTz at)
{
	if (unlikely(TIMESTAMP_NOT_FINITE(at)))
		return TIMESTAMP_IS_NOBEGIN(at) ? DATEVAL_NOBEGIN : DATEVAL_NOEND;
	return (DateADT) floor_div(at + zone_offset(zone, at), USECS_PER_DAY);
}

#endif							/* IM_ZONE_H */
