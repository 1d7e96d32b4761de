/*
 * im_month.h
 *	  What other server code needs of the type im_month.
 *
 * On the SQL side a month is an int32 Datum holding a CalMonth that is known
 * to lie in CAL_MIN_MONTH..CAL_MAX_MONTH.
 */
#ifndef IM_MONTH_H
#define IM_MONTH_H

#include "utils/date.h"

#include "core/calendar.h"

/*
 * The month a date lies in.  Raises 22008 for infinite dates and those
 * outside the years 1 to 9999.
 */
extern CalMonth im_month_of_date(DateADT date);

#endif							/* IM_MONTH_H */
