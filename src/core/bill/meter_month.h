/*
 * meter_month.h
 *	  What a meter came to in the month that is billed: dau, mau, groups and
 *	  meters by name (R3, R12).
 */
#ifndef IM_CORE_METER_MONTH_H
#define IM_CORE_METER_MONTH_H

#include "core/bill/bill.h"

struct MeterMonth
{
	const CardMeter *meter;
	const CardAddon *addon;		/* that prices it; NULL: plans do, if anybody does */
	bool		counting[31];	/* days that count: of R3, and with the add-on in force */
	int			ncounting;
	CalDay		last;			/* of them; of no meaning where there are none */
	const char *option;			/* the plan, or the add-on's option, on that day */
	const MeterFigure *figures; /* of each day of the month, counting or not */
	Amount		quantity;
	Amount		peak;			/* the highest figure of the days that count, */
	CalDay		peak_day;		/* and the first day that has it */
	Amount		from_packs;
};

/*
 * The month of a meter.  Users and subjects of the month are asked of the usage
 * where the meter counts them; fails with PROBLEM_USAGE where they are not known.
 */
extern MeterMonth *meter_month(const Bill *bill, const CardMeter *meter);

/*
 * What a meter comes to through a day of the month, whoever prices it and
 * whatever packs give: over the days with a paid plan in force, or those of
 * the trial where that day is one.  Fails as meter_month() does.
 */
extern Amount meter_so_far(const Bill *bill, const CardMeter *meter, CalDay today);

#endif							/* IM_CORE_METER_MONTH_H */
