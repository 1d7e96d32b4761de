/*
 * app_hours.h
 *	  Sums by app and clock hour: four counters for every one that has any.
 *
 * What a tally (tally.h) is to one app this is to all of them.  Memory comes
 * from the context given; beyond the limit, in bytes, the sums made so far go
 * to temporary files (lib/temp_parts.h) and are added up at the end.
 */
#ifndef IM_METER_APP_HOURS_H
#define IM_METER_APP_HOURS_H

#include "lib/stringinfo.h"

#include "meter/tally.h"

typedef struct AppHour
{
	int64		app_id;
	int64		hour;			/* event_hour() */
	int64		sums[TALLY_SUMS];
} AppHour;

typedef struct AppHours
{
	MemoryContext context;
	Size		limit;
	uint64		most;			/* entries before they go to files */
	struct app_hours_hash *hash;
	struct TempParts *parts;
	int			level;
} AppHours;

/* An empty one, palloc'd in the context. */
extern AppHours *app_hours_make(MemoryContext context, Size limit);

/*
 * Adds an amount to one sum of an app's hour.  Raises 22003 on overflow and
 * what temporary files raise.
 */
extern void app_hours_add(AppHours *hours, int64 app_id, int64 hour, int which, int64 amount);

/*
 * Calls back once for each hour with its sums, in no order; they are empty
 * afterwards.
 */
typedef void (*AppHoursVisit) (void *arg, const AppHour *hour);
extern void app_hours_finish(AppHours *hours, AppHoursVisit visit, void *arg);

/* Hours there are, if none went to files. */
extern uint64 app_hours_count(const AppHours *hours);

/* Closes the files of one that will not be finished. */
extern void app_hours_drop_files(AppHours *hours);

/*
 * Bytes of the serialised form and writing it, after which only freeing is
 * left; adding all of
 * one, which raises 22P03 for bytes that are none.
 */
extern Size app_hours_size(const AppHours *hours);
extern void app_hours_send(StringInfo buf, AppHours *hours);
extern void app_hours_recv(StringInfo buf, AppHours *into);

#endif							/* IM_METER_APP_HOURS_H */
