/*
 * postpaid_addon.h
 *	  At which option and plan a month of a switched add-on is charged (R4).
 */
#ifndef IM_CORE_POSTPAID_ADDON_H
#define IM_CORE_POSTPAID_ADDON_H

#include "core/bill/bill.h"

typedef struct PostpaidMonth
{
	CalDay		last_on;		/* the last day on which any option was on */
	const char *last_option;	/* the latest on that day */
	const char *plan;			/* of that day: it sets the prices */
	const char *option;			/* the dearest of the month, ... */
	const AddonPrice *price;	/* ... NULL only in a preview */
	bool		several;		/* more than one option was on */
	const char *lacking;		/* in a preview: the latest that the card lacks */
} PostpaidMonth;

/* False where the switch did not count as on on any day of the bill's month. */
extern bool postpaid_month(const Bill *bill, const Switch *sw, PostpaidMonth *month);

#endif							/* IM_CORE_POSTPAID_ADDON_H */
