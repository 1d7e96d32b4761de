/*
 * addon_days.h
 *	  On which days an add-on is in force, and with which option (R4, R12).
 */
#ifndef IM_CORE_ADDON_DAYS_H
#define IM_CORE_ADDON_DAYS_H

#include "core/orders/account.h"

/*
 * The option of an add-on on each day from first until, NULL where it is not in
 * force: bought and not over, or switched on with an option that the plan of
 * the day sells.  Whether a day counts at all is not asked.
 */
extern const char **addon_days(const Account *account, const char *item, CalDay first,
							   CalDay until);

#endif							/* IM_CORE_ADDON_DAYS_H */
