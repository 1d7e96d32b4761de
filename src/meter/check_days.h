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

/*
 * The kind of a check and what it adds to the sum of its hour: one, or
 * seconds.  Raises as check_tally_add() does.
 */
static inline int
check_of_row(const EventRow *row, int32 *amount)
{
	int			kind = check_kind_of(row->kind, row->kind_len);
	bool		timed = kind == CHECK_AUDIO || kind == CHECK_VIDEO;

	if (unlikely(kind < 0))
		event_unknown_kind(row);
	*amount = timed ? row->seconds : 1;
	if (unlikely(row->seconds < 0 || (timed && !row->has_seconds)))
		(void) event_seconds(row, timed);
	return kind;
}

/* What the sums of one hour count: checks, or half minutes. */
extern void check_sums_units(const int64 sums[CHECK_KINDS], int64 units[CHECK_KINDS]);
extern void check_hour_units(const TallyEntry *hour, int64 units[CHECK_KINDS]);

#endif							/* IM_CHECK_DAYS_H */
