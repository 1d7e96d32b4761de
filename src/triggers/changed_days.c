/*
 * changed_days.c
 *	  Compares the tables of now with those that were seen at metering.
 */
#include "lib/compat.h"

#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/rangetypes.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/typcache.h"

#include "server/schemas.h"
#include "server/zone.h"
#include "triggers/leaves.h"

PG_FUNCTION_INFO_V1(im_raw_leaves);
PG_FUNCTION_INFO_V1(im_changed_days);
PG_FUNCTION_INFO_V1(im_leaves_unchanged);

Datum
im_raw_leaves(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const LeafList *list;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	list = leaves_now(extension_schema());
	for (int i = 0; i < list->count; i++)
	{
		const Leaf *leaf = &list->leaves[i];
		Datum		values[] = {
			CStringGetTextDatum(leaf->table),
			ObjectIdGetDatum(leaf->relid),
			ObjectIdGetDatum(leaf->filenode),
			TimestampTzGetDatum(leaf->since),
			TimestampTzGetDatum(leaf->until),
			Int64GetDatum((int64) leaf->watch)
		};
		bool		nulls[lengthof(values)] = {false};

		/* SQL of 0.2.0 takes a table without files for a foreign one, of any day */
		if (result->setDesc->natts < (int) lengthof(values) && !OidIsValid(leaf->filenode) && leaf->watch != 0)
			continue;
		nulls[lengthof(values) - 1] = leaf->watch == 0;
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	PG_RETURN_NULL();
}

/* The days of a window that changed, as one span around all of them. */
typedef struct ChangedDays
{
	DateADT		first;			/* the window; until is exclusive */
	DateADT		until;
	DateADT		changed_first;
	DateADT		changed_until;
} ChangedDays;

/* A day of UTC on either side holds the local days of all zones. */
static DateADT
day_near(TimestampTz at, int slack)
{
	if (TIMESTAMP_NOT_FINITE(at))
		return TIMESTAMP_IS_NOBEGIN(at) ? DATEVAL_NOBEGIN : DATEVAL_NOEND;
	return (DateADT) floor_div(at, USECS_PER_DAY) + slack;
}

static void
change_days(ChangedDays *days, TimestampTz since, TimestampTz until)
{
	DateADT		first = Max(days->first, day_near(since, -1)),
				end = Min(days->until, day_near(until, 2));

	if (first >= end)
		return;
	days->changed_first = Min(days->changed_first, first);
	days->changed_until = Max(days->changed_until, end);
}

typedef struct SeenColumns
{
	AttrNumber	table_name;
	AttrNumber	partition;
	AttrNumber	filenode;
	AttrNumber	since;
	AttrNumber	until;
	AttrNumber	watch;
} SeenColumns;

/* A walk over im_metered_partition: what was seen against what is now. */
typedef struct SeenWalk
{
	const LeafList *now;
	bool	   *met;			/* those of now that are as they were seen */
	ChangedDays days;
	int			same;			/* rows that tell of now to the letter */
	int			all;
} SeenWalk;

static bool
as_seen(const Leaf *leaf, TupleTableSlot *slot, const SeenColumns *columns)
{
	bool		isnull;
	Oid			filenode;
	uint64		watch;

	if (leaf == NULL || leaf->watch == 0)
		return false;
	filenode = DatumGetObjectId(slot_getattr(slot, columns->filenode, &isnull));
	watch = (uint64) DatumGetInt64(slot_getattr(slot, columns->watch, &isnull));
	return !isnull && leaf->watch == watch && leaf->filenode == filenode;
}

static bool
same_place(const Leaf *leaf, const char *table, TimestampTz since, TimestampTz until)
{
	return leaf->since == since && leaf->until == until && strcmp(leaf->table, table) == 0;
}

static void
compare_row(SeenWalk *walk, TupleTableSlot *slot, const SeenColumns *columns)
{
	bool		isnull;
	Leaf	   *leaf = leaves_find(walk->now, DatumGetObjectId(slot_getattr(slot, columns->partition, &isnull)));
	TimestampTz since = DatumGetTimestampTz(slot_getattr(slot, columns->since, &isnull)),
				until = DatumGetTimestampTz(slot_getattr(slot, columns->until, &isnull));

	walk->all++;
	if (!as_seen(leaf, slot, columns))
		change_days(&walk->days, since, until);
	else
	{
		char	   *table = TextDatumGetCString(slot_getattr(slot, columns->table_name, &isnull));

		walk->met[leaf - walk->now->leaves] = true;
		if (same_place(leaf, table, since, until))
			walk->same++;
		pfree(table);
	}
}

/* False if nothing can be compared: before the first metering, and where it was by an older version. */
static bool
compare_seen(SeenWalk *walk, Oid seen)
{
	Relation	rel = table_open(seen, AccessShareLock);
	TableScanDesc scan = table_beginscan(rel, GetActiveSnapshot(), 0, NULL);
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	SeenColumns columns = {
		get_attnum(seen, "table_name"), get_attnum(seen, "partition"),
		get_attnum(seen, "filenode"), get_attnum(seen, "since"),
		get_attnum(seen, "until"), get_attnum(seen, "watch")
	};

	if (columns.watch != InvalidAttrNumber)
		while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
			compare_row(walk, slot, &columns);
	ExecDropSingleTupleTableSlot(slot);
	table_endscan(scan);
	table_close(rel, AccessShareLock);
	return columns.watch != InvalidAttrNumber;
}

static bool
compare_with_seen(SeenWalk *walk, Oid schema)
{
	Oid			seen = get_relname_relid("im_metered_partition", schema);

	walk->now = leaves_now(schema);
	walk->met = palloc0(walk->now->count + 1);
	return walk->now->complete && OidIsValid(seen) && compare_seen(walk, seen);
}

static Datum
span_of_days(DateADT first, DateADT until)
{
	TypeCacheEntry *typcache = lookup_type_cache(DATERANGEOID, TYPECACHE_RANGE_INFO);
	RangeBound	lower = {.val = DateADTGetDatum(first), .inclusive = true, .lower = true},
				upper = {.val = DateADTGetDatum(until)};

	return RangeTypePGetDatum(range_of_bounds(typcache, &lower, &upper));
}

Datum
im_changed_days(PG_FUNCTION_ARGS)
{
	SeenWalk	walk = {.days = {
			.first = PG_GETARG_DATEADT(0), .until = PG_GETARG_DATEADT(1),
			.changed_first = DATEVAL_NOEND, .changed_until = DATEVAL_NOBEGIN
		}};
	ChangedDays *days = &walk.days;

	if (!compare_with_seen(&walk, extension_schema()))
		change_days(days, DT_NOBEGIN, DT_NOEND);
	for (int i = 0; i < walk.now->count; i++)
		if (!walk.met[i])
			change_days(days, walk.now->leaves[i].since, walk.now->leaves[i].until);
	if (days->changed_first >= days->changed_until)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(span_of_days(days->changed_first, days->changed_until));
}

Datum
im_leaves_unchanged(PG_FUNCTION_ARGS)
{
	SeenWalk	walk = {0};
	bool		comparable = compare_with_seen(&walk, extension_schema());

	PG_RETURN_BOOL(comparable && walk.same == walk.now->count && walk.all == walk.now->count);
}
