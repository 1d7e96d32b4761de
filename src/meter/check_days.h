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

/*
 * What check_kind_find() says, for callers with a row at a time: the lengths
 * of the names differ or their first bytes do.
 */
static inline int
check_kind_of(const char *name, int len)
{
	int			kind;

	if (len == 4)
		return memcmp(name, "text", 4) == 0 ? CHECK_TEXT : -1;
	if (len != 5)
		return -1;
	kind = name[0] == 'i' ? CHECK_IMAGE : name[0] == 'a' ? CHECK_AUDIO : CHECK_VIDEO;
	return memcmp(name, kind == CHECK_IMAGE ? "image" : kind == CHECK_AUDIO ? "audio" : "video", 5) == 0 ? kind : -1;
}

/* What the checks of one hour count: checks, or half minutes. */
extern void check_hour_units(const TallyEntry *hour, int64 units[CHECK_KINDS]);

#endif							/* IM_CHECK_DAYS_H */
