/*
 * day_rows.c
 *	  Usage by day: rows of USAGE_FIELDS integers, and their bigint[].
 */
#include "lib/compat.h"

#include "catalog/pg_type.h"
#include "common/int.h"
#include "utils/memutils.h"

#include "meter/day_rows.h"
#include "server/zone.h"

#define ST_SORT sort_day_rows
#define ST_ELEMENT_TYPE DayRow
#define ST_COMPARE(a, b) \
	((a)->fields[USAGE_DAY] < (b)->fields[USAGE_DAY] ? -1 : \
	 (a)->fields[USAGE_DAY] > (b)->fields[USAGE_DAY])
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

void
day_rows_init(DayRows *rows, MemoryContext context, int64 room)
{
	rows->rows = MemoryContextAllocHuge(context, room * sizeof(DayRow));
	rows->count = 0;
	rows->room = room;
	rows->folded = true;
}

DayRow *
day_rows_add(DayRows *rows, CalDay day)
{
	DayRow	   *row;

	if (rows->count == rows->room)
	{
		rows->room *= 2;
		rows->rows = repalloc_huge(rows->rows, rows->room * sizeof(DayRow));
	}
	row = &rows->rows[rows->count];
	if (rows->count > 0 && row[-1].fields[USAGE_DAY] >= day)
		rows->folded = false;
	rows->count++;
	memset(row, 0, sizeof(*row));
	row->fields[USAGE_DAY] = day;
	return row;
}

static void
add_row(DayRow *into, const DayRow *row, int64 app_id)
{
	for (int i = USAGE_DAY + 1; i < USAGE_FIELDS; i++)
		if (pg_add_s64_overflow(into->fields[i], row->fields[i], &into->fields[i]))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("usage of app %lld on %s is out of range",
							(long long) app_id, day_text(row->fields[USAGE_DAY])),
					 errdetail("A figure of a day must fit into a bigint.")));
}

void
day_rows_fold(DayRows *rows, int64 app_id)
{
	int64		kept = 0;

	if (rows->folded)
		return;
	sort_day_rows(rows->rows, rows->count);
	for (int64 i = 1; i < rows->count; i++)
	{
		if (rows->rows[i].fields[USAGE_DAY] == rows->rows[kept].fields[USAGE_DAY])
			add_row(&rows->rows[kept], &rows->rows[i], app_id);
		else
			rows->rows[++kept] = rows->rows[i];
	}
	rows->count = kept + 1;
	rows->folded = true;
}

ArrayType *
day_rows_array(const DayRows *rows)
{
	Size		data = rows->count * sizeof(DayRow);
	Size		size = ARR_OVERHEAD_NONULLS(1) + data;
	ArrayType  *array;

	Assert(rows->folded);
	if (rows->count == 0)
		return NULL;
	array = palloc(size);
	SET_VARSIZE(array, size);
	array->ndim = 1;
	array->dataoffset = 0;
	array->elemtype = INT8OID;
	ARR_DIMS(array)[0] = (int) (rows->count * USAGE_FIELDS);
	ARR_LBOUND(array)[0] = 1;
	memcpy(ARR_DATA_PTR(array), rows->rows, data);
	return array;
}
