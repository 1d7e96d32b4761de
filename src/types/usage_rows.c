/*
 * usage_rows.c
 *	  The days of an im_usage taken apart: collected and merged.
 */
#include "types/usage_value.h"

#include "common/int.h"
#include "lib/userset_merge.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#define ST_SORT sort_rows
#define ST_ELEMENT_TYPE UsageRow
#define ST_COMPARE(a, b) \
	((a)->fields[USAGE_DAY] < (b)->fields[USAGE_DAY] ? -1 : \
	 (a)->fields[USAGE_DAY] > (b)->fields[USAGE_DAY])
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

static int
compare_meter_rows(const MeterRow *a, const MeterRow *b)
{
	int			cmp = strcmp(a->meter, b->meter);

	return cmp != 0 ? cmp : (a->day.day > b->day.day) - (a->day.day < b->day.day);
}

#define ST_SORT sort_meter_rows
#define ST_ELEMENT_TYPE MeterRow
#define ST_COMPARE(a, b) compare_meter_rows(a, b)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

void
usage_rows_init(UsageRows *rows, int64 room)
{
	*rows = (UsageRows) {.since = USAGE_SINCE_OPEN, .room = Max(room, 1), .folded = true,
	.context = CurrentMemoryContext};
	rows->rows = palloc_extended(rows->room * sizeof(UsageRow), MCXT_ALLOC_HUGE);
}

UsageRow *
usage_rows_add(UsageRows *rows, CalDay day)
{
	UsageRow   *row;

	if (rows->count == rows->room)
	{
		rows->room *= 2;
		rows->rows = repalloc_huge(rows->rows, rows->room * sizeof(UsageRow));
	}
	row = &rows->rows[rows->count];
	if (rows->count > 0 && row[-1].fields[USAGE_DAY] >= day)
		rows->folded = false;
	rows->count++;
	memset(row, 0, sizeof(*row));
	row->fields[USAGE_DAY] = day;
	return row;
}

MeterRow *
usage_rows_add_meter(UsageRows *rows, const char *meter, CalDay day)
{
	MeterRow   *row;

	if (rows->nmeters == rows->meters_room)
	{
		Size		room = Max(32, rows->meters_room * 2);

		if (rows->meters == NULL)
			rows->meters = MemoryContextAllocHuge(rows->context, room * sizeof(MeterRow));
		else
			rows->meters = repalloc_huge(rows->meters, room * sizeof(MeterRow));
		rows->meters_room = room;
	}
	row = &rows->meters[rows->nmeters++];
	memset(row, 0, sizeof(*row));
	row->meter = meter;
	row->day.day = day;
	return row;
}

static pg_noinline void
out_of_range(int64 app_id, CalDay day)
{
	char		text[CAL_TEXT_SIZE];

	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 app_id == 0 ? errmsg("usage of an app on %s is out of range", cal_day_text(day, text)) :
			 errmsg("usage of app %lld on %s is out of range", (long long) app_id, cal_day_text(day, text)),
			 errdetail("A figure of a day must fit into a bigint.")));
}

/* What is given hides what is metered; else both count. */
static void
merge_users(UsageRow *into, const UsageRow *row)
{
	Datum		sets[2] = {PointerGetDatum(into->users), PointerGetDatum(row->users)};

	if (row->users == NULL || (into->users != NULL && into->users_given && !row->users_given))
		return;
	if (into->users == NULL || (row->users_given && !into->users_given))
		into->users = row->users;
	else
		into->users = userset_union(sets, 2);
	into->users_given |= row->users_given;
}

static void
merge_row(UsageRow *into, const UsageRow *row, int64 app_id)
{
	for (int f = USAGE_DAY + 1; f < USAGE_FIELDS; f++)
	{
		bool		has = (into->given & GIVEN(f)) != 0,
					more = (row->given & GIVEN(f)) != 0;

		if (has && more)
			into->fields[f] = Max(into->fields[f], row->fields[f]);
		else if (more)
			into->fields[f] = row->fields[f];
		else if (!has && pg_add_s64_overflow(into->fields[f], row->fields[f], &into->fields[f]))
			out_of_range(app_id, (CalDay) into->fields[USAGE_DAY]);
	}
	into->given |= row->given;
	merge_users(into, row);
}

static struct varlena *
union_of(struct varlena *users, struct varlena *more)
{
	if (users == NULL || more == NULL)
		return users == NULL ? more : users;
	return userset_union((Datum[]) {PointerGetDatum(users), PointerGetDatum(more)}, 2);
}

/*
 * A day of a meter comes from one reading; where it does not, the larger.
 * Subjects that were given, or a figure without them, hide those of events.
 */
static void
merge_meter_row(MeterRow *into, const MeterRow *row)
{
	MeterDay	day = into->day;
	const MeterDay *more = &row->day;

	if (more->has_given && !day.has_given)
		into->users = row->users;
	else if (more->has_given == day.has_given)
		into->users = union_of(into->users, row->users);

	if (more->has_events && (!day.has_events || more->quantity > day.quantity ||
							 (more->quantity == day.quantity && more->area > day.area)))
	{
		into->day = *more;
		into->day.has_given = day.has_given;
		into->day.given = day.given;
	}
	if (more->has_given)
		into->day.given = day.has_given ? Max(day.given, more->given) : more->given;
	into->day.has_given |= more->has_given;
}

static void
fold_meters(UsageRows *rows)
{
	int64		kept = 0;

	if (rows->nmeters == 0)
		return;
	sort_meter_rows(rows->meters, rows->nmeters);
	for (int64 i = 1; i < rows->nmeters; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (compare_meter_rows(&rows->meters[i], &rows->meters[kept]) == 0)
			merge_meter_row(&rows->meters[kept], &rows->meters[i]);
		else
			rows->meters[++kept] = rows->meters[i];
	}
	rows->nmeters = kept + 1;
}

void
usage_rows_fold(UsageRows *rows, int64 app_id)
{
	int64		kept = 0;

	fold_meters(rows);
	if (rows->folded)
		return;
	sort_rows(rows->rows, rows->count);
	for (int64 i = 1; i < rows->count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (rows->rows[i].fields[USAGE_DAY] == rows->rows[kept].fields[USAGE_DAY])
			merge_row(&rows->rows[kept], &rows->rows[i], app_id);
		else
			rows->rows[++kept] = rows->rows[i];
	}
	rows->count = kept + 1;
	rows->folded = true;
}

Datum
usage_rows_result(FunctionCallInfo fcinfo, UsageRows *rows, int64 app_id)
{
	if (rows->count == 0 && rows->nmeters == 0)
		PG_RETURN_NULL();
	usage_rows_fold(rows, app_id);
	PG_RETURN_POINTER(usage_rows_value(rows));
}
