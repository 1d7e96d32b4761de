/*
 * old_usage.h
 *	  Usage as SQL of 0.1.0 and 0.2.0 carries it, which runs on this library
 *	  until the update: a bigint[] of USAGE_FIELDS integers a day.
 */
#ifndef IM_METER_OLD_USAGE_H
#define IM_METER_OLD_USAGE_H

#include "types/usage_value.h"
#include "utils/array.h"

/* What a final function returned of rows: one array, or NULL without any. */
extern Datum old_usage_result(FunctionCallInfo fcinfo, UsageRows *rows, int64 app_id);

/*
 * Adds the days of such an array.  Raises 22023 for one that is not made of
 * whole days, for negative figures and days out of range.
 */
extern void old_usage_read(UsageRows *rows, ArrayType *array, GivenFigures given);

#endif							/* IM_METER_OLD_USAGE_H */
