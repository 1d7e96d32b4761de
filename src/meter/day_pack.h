/*
 * day_pack.h
 *	  Rows of usage by day in few bytes.
 *
 * Most figures of most days are 0 or small.  A month of a million apps is
 * hashed, sorted and joined before it is rated, so what one app takes decides
 * how much of that happens on disk: a month of four figures a day is 2.7 kB
 * as a flat bigint[] and about 400 bytes so.
 *
 *	  row:    day since the one before, then which fields, then those fields
 *	          ^ zigzag varint           ^ varint, bit f-1       ^ varints
 *
 * A user's row that leaves figures open (R11) has bit USAGE_FIELDS-1 of "which
 * fields" too, and right behind them which of the others he gave, bit f-1 again.
 *
 *	  bigint[]:  | PACK_MARK + bytes | rows | bytes, the last word padded by 0 |
 *
 * A flat array begins with a day, which is never near PACK_MARK: whoever reads
 * the one can tell the other.  The bytes of the words are those of memory:
 * the array is made and read by one server and is not for keeping.
 */
#ifndef IM_DAY_PACK_H
#define IM_DAY_PACK_H

#include "meter/day_rows.h"

#define PACK_MARK	PG_INT64_MIN

typedef struct DayPack
{
	uint8	   *bytes;
	Size		len;
	Size		room;
	int64		count;
	CalDay		last;			/* day of the row before, 0 at first */
	bool		folded;			/* days ascend, none twice */
	bool		open;			/* some row leaves figures open */
} DayPack;

/* No rows yet; the bytes lie in the context given. */
extern void day_pack_init(DayPack *pack, MemoryContext context);

/*
 * Adds a row; nothing in it is negative but perhaps its day.  GIVEN_WHOLE for
 * one that leaves nothing open, as what is metered.
 */
extern void day_pack_add(DayPack *pack, const DayRow *row, GivenFigures given);

/*
 * The rows as they were added, palloc'd in the current context, not folded,
 * and what was given of each unless given is NULL.
 * False for bytes that no day_pack_add() wrote; nothing is read beyond len.
 */
extern bool day_pack_rows(const uint8 *bytes, Size len, int64 count, DayRows *rows,
						  GivenFigures **given);

/*
 * One bigint[] of the rows, sorted and summed by day unless some leave figures
 * open: those are a user's, one a day.  Palloc'd in the current context.
 * Raises 22003 as day_rows_fold().
 */
extern ArrayType *day_pack_array(const DayPack *pack, int64 app_id);

/*
 * The rows of a bigint[] without nulls that begins with a mark, palloc'd; NULL
 * if it is no such array.
 */
extern const int64 *day_pack_read(const ArrayType *array, int nitems, int *nrows,
								  GivenFigures **given);

#endif							/* IM_DAY_PACK_H */
