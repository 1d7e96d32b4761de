/*
 * day.c
 *	  The local day and month of an instant, for SQL.
 *
 * Both are immutable as PostgreSQL's own AT TIME ZONE is: the zone is an
 * argument, no session setting counts.
 */
#include "lib/compat.h"

#include "server/zone.h"
#include "types/im_month.h"

PG_FUNCTION_INFO_V1(im_day);
PG_FUNCTION_INFO_V1(im_month);

Datum
im_day(PG_FUNCTION_ARGS)
{
	TimestampTz at = PG_GETARG_TIMESTAMPTZ(0);
	DateADT		day = zone_day(zone_of_call(fcinfo, 1), at);

	if (unlikely(!DATE_NOT_FINITE(day) && !IS_VALID_DATE(day)))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("date out of range: local day of %s", instant_text(at))));
	PG_RETURN_DATEADT(day);
}

Datum
im_month(PG_FUNCTION_ARGS)
{
	TimestampTz at = PG_GETARG_TIMESTAMPTZ(0);

	PG_RETURN_INT32(im_month_of_date(zone_day(zone_of_call(fcinfo, 1), at)));
}
