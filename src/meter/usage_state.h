/*
 * usage_state.h
 *	  The state of the aggregate im_usage_agg.
 */
#ifndef IM_METER_USAGE_STATE_H
#define IM_METER_USAGE_STATE_H

#include "types/usage_value.h"

typedef struct UsageState
{
	int64		app_id;			/* of the first row, for messages */
	UsagePack	days;
} UsageState;

/* One without rows, in the context given. */
extern UsageState *usage_state_make(MemoryContext context, int64 app_id);

#endif							/* IM_METER_USAGE_STATE_H */
