/*
 * event_days.h
 *	  State of the per-app meters of checks and calls: a tally and an app.
 *
 * The transition functions differ, and what a day's sums come to; all between
 * them is here, written as the support functions of an aggregate.
 */
#ifndef IM_EVENT_DAYS_H
#define IM_EVENT_DAYS_H

#include "types/usage_value.h"
#include "meter/tally.h"

typedef struct EventDays
{
	int64		app_id;			/* of the first row, for messages */
	Tally		tally;
} EventDays;

/* What the sums of one hour or day add to the row of its day. */
typedef void (*EventDaysRow) (const TallyEntry *entry, UsageRows *days);

/*
 * The state that is argument 0 of a transition function, made if there is
 * none; lives in the context of the aggregate.
 */
extern EventDays *event_days_state(FunctionCallInfo fcinfo, int64 app_id);

/* Bodies of the combine and serialisation functions. */
extern Datum event_days_combine(FunctionCallInfo fcinfo);
extern Datum event_days_serial(FunctionCallInfo fcinfo, const char *aggregate);
extern Datum event_days_deserial(FunctionCallInfo fcinfo);

/* The rows of a state that is argument 0, none if it is NULL; returns its app. */
extern int64 event_days_rows(FunctionCallInfo fcinfo, EventDaysRow add_row, UsageRows *days);

#endif							/* IM_EVENT_DAYS_H */
