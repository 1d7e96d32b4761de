/*
 * day_rows.h
 *	  Usage by day: rows of USAGE_FIELDS integers, and their bigint[].
 *
 * Rows may come in any order and a day more than once; most callers append
 * days in ascending order and then nothing is ever sorted.
 */
#ifndef IM_DAY_ROWS_H
#define IM_DAY_ROWS_H

#include "utils/array.h"

#include "core/usage.h"

typedef struct DayRow
{
	int64		fields[USAGE_FIELDS];
} DayRow;

typedef struct DayRows
{
	DayRow	   *rows;
	int64		count;
	int64		room;
	bool		folded;			/* days ascend, none twice */
} DayRows;

/* No rows yet, with room for so many, in the context given. */
extern void day_rows_init(DayRows *rows, MemoryContext context, int64 room);

/*
 * A new row, all zero but for the day; the pointer is good until the next is
 * added.
 */
extern DayRow *day_rows_add(DayRows *rows, CalDay day);

/*
 * Sorts by day and sums the rows of one day.  Raises 22003 with app and day
 * if a sum is no bigint; app_id is for that message alone.
 */
extern void day_rows_fold(DayRows *rows, int64 app_id);

/*
 * The folded rows as one flat bigint[], palloc'd in the current context; NULL
 * if there are none.
 */
extern ArrayType *day_rows_array(const DayRows *rows);

#endif							/* IM_DAY_ROWS_H */
