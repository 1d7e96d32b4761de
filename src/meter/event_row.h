/*
 * event_row.h
 *	  One row of im_moderation_check or im_call as the per-app meters get it.
 *
 * Both have the arguments (state, app_id, at, kind or class, seconds, zone,
 * first_day, last_day); zone and days are those of the query.
 */
#ifndef IM_EVENT_ROW_H
#define IM_EVENT_ROW_H

#include "utils/timestamp.h"

#include "core/calendar.h"

typedef struct EventRow
{
	const char *table;			/* for messages; NULL: anybody's, no app */
	const char *column;			/* the one that names the kind */
	const char *kinds;			/* all there are, for a hint */
	int64		app_id;
	TimestampTz at;
	int64		offset;			/* of local time, microseconds */
	CalDay		day;			/* local */
	const char *kind;			/* not terminated */
	int			kind_len;
	bool		has_seconds;
	int32		seconds;
} EventRow;

/*
 * Reads the arguments of a transition function; false, with nothing looked at
 * but the instant, for a row outside [first_day, last_day].  Uses fn_extra.
 * Raises 22004 for what may not be NULL, 22023 for a zone that does not exist
 * or days that are infinite.
 */
extern bool event_row_read(EventRow *row, FunctionCallInfo fcinfo);

/*
 * The clock hour of the row: ascending with local time, and two where the
 * zone repeats an hour.  The day it lies in.
 */
extern int64 event_hour(TimestampTz at, int64 offset);
extern CalDay event_hour_day(int64 hour);

/* Raises 22023 for a kind or class that does not exist. */
pg_noreturn extern void event_unknown_kind(const EventRow *row);

/*
 * The seconds of the row, 0 for none.  Raises 22023 if they are negative, or
 * missing where required.
 */
extern int32 event_seconds(const EventRow *row, bool required);

#endif							/* IM_EVENT_ROW_H */
