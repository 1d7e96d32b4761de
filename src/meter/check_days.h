/*
 * check_days.h
 *	  The clock-hour rule of moderation checks.
 */
#ifndef IM_CHECK_DAYS_H
#define IM_CHECK_DAYS_H

#include "core/usage.h"
#include "meter/event_row.h"
#include "meter/tally.h"

#define CHECK_KINDS_HINT	"text, image, audio and video"

/*
 * Counts one check in the tally of its clock hour.  Raises 22023 for an
 * unknown kind and for seconds that are negative, or missing on audio and
 * video; 22003 on overflow.
 */
extern void check_tally_add(Tally *tally, const EventRow *row);

/* What the checks of one hour count: checks, or half minutes. */
extern void check_hour_units(const TallyEntry *hour, int64 units[CHECK_KINDS]);

#endif							/* IM_CHECK_DAYS_H */
