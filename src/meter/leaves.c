/*
 * leaves.c
 *	  Lists the leaves of the raw tables, and finds the days that changed.
 */
#include "types/compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_subscription_rel.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "funcapi.h"
#include "partitioning/partbounds.h"
#include "partitioning/partdesc.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/partcache.h"
#include "utils/rangetypes.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "meter/leaves.h"
#include "meter/zone.h"

PG_FUNCTION_INFO_V1(im_raw_leaves);
PG_FUNCTION_INFO_V1(im_changed_days);
PG_FUNCTION_INFO_V1(im_leaves_unchanged);

#define WATCHING_TRIGGERS	4	/* on each of them and of their leaves */

/*
 * The tables whose rows usage is metered from, and the column that tells on
 * which day a row counts.  A group counts on the days after its creation too.
 */
typedef struct WatchedTable
{
	const char *name;
	const char *time_column;	/* NULL: bounds of partitions tell nothing */
	bool		open_ended;
	bool		has_leaves;		/* false: only its triggers matter */
} WatchedTable;

static const WatchedTable watched_tables[] = {
	{"im_login", "at", false, true},
	{"im_group", "created_at", true, true},
	{"im_moderation_check", "at", false, true},
	{"im_call", "at", false, true},
	{"im_usage_daily", NULL, false, true},
	{"im_app", NULL, false, false},
	{"im_rate_card_version", NULL, false, false},
};

typedef struct Span
{
	TimestampTz since;
	TimestampTz until;
} Span;

static void
add_leaf(LeafList *list, const WatchedTable *table, Oid relid, Oid filenode, Span span)
{
	if (list->count == list->room)
	{
		list->room = list->room == 0 ? 16 : list->room * 2;
		list->leaves = list->leaves == NULL ? palloc(list->room * sizeof(Leaf)) :
			repalloc(list->leaves, list->room * sizeof(Leaf));
	}
	list->leaves[list->count++] = (Leaf) {
		table->name, relid, filenode, span.since, table->open_ended ? DT_NOEND : span.until
	};
}

/* A bound of the first key column as an instant. */
static TimestampTz
bound_instant(PartitionBoundInfo bounds, int i)
{
	switch (bounds->kind[i][0])
	{
		case PARTITION_RANGE_DATUM_MINVALUE:
			return DT_NOBEGIN;
		case PARTITION_RANGE_DATUM_MAXVALUE:
			return DT_NOEND;
		case PARTITION_RANGE_DATUM_VALUE:
			break;
	}
	return DatumGetTimestampTz(bounds->datums[i][0]);
}

/* Where bounds say nothing of time, a partition may hold rows of any. */
static Span
partition_span(PartitionDesc desc, int partition, bool by_time, Span span)
{
	PartitionBoundInfo bounds = desc->boundinfo;

	if (!by_time || partition == bounds->default_index)
		return span;
	for (int i = 1; i < bounds->ndatums; i++)
		if (bounds->indexes[i] == partition)
		{
			span.since = Max(span.since, bound_instant(bounds, i - 1));
			span.until = Min(span.until, bound_instant(bounds, i));
		}
	return span;
}

static bool
partitioned_by_time(Relation rel, const WatchedTable *table)
{
	PartitionKey key = RelationGetPartitionKey(rel);

	return table->time_column != NULL &&
		key->strategy == PARTITION_STRATEGY_RANGE &&
		key->parttypid[0] == TIMESTAMPTZOID &&
		key->partattrs[0] != 0 &&
		key->partattrs[0] == get_attnum(RelationGetRelid(rel), table->time_column);
}

static void add_leaves(LeafList *list, const WatchedTable *table, Oid relid, Span span);

static void
add_partitions(LeafList *list, const WatchedTable *table, Oid relid, Span span)
{
	Relation	rel = table_open(relid, AccessShareLock);
	PartitionDesc desc = RelationGetPartitionDesc(rel, true);
	bool		by_time = partitioned_by_time(rel, table);

	for (int i = 0; i < desc->nparts; i++)
		add_leaves(list, table, desc->oids[i], partition_span(desc, i, by_time, span));
	table_close(rel, NoLock);
}

static void
add_leaves(LeafList *list, const WatchedTable *table, Oid relid, Span span)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Form_pg_class class;
	char		kind;
	Oid			filenode;
	bool		has_children;

	if (!HeapTupleIsValid(tuple))
		return;
	class = (Form_pg_class) GETSTRUCT(tuple);
	kind = class->relkind;
	filenode = kind == RELKIND_RELATION ? class->relfilenode : InvalidOid;
	has_children = class->relhassubclass;
	ReleaseSysCache(tuple);
	if (kind == RELKIND_PARTITIONED_TABLE)
	{
		add_partitions(list, table, relid, span);
		return;
	}
	add_leaf(list, table, relid, filenode, span);
	if (has_children)
	{
		List	   *children = find_inheritance_children(relid, NoLock);
		ListCell   *cell;

		foreach(cell, children)
			add_leaves(list, table, lfirst_oid(cell), span);
	}
}

/*
 * Ours are told by their names.  One that was disabled does not watch, and one
 * that does not fire always was disabled, or is where triggers are suppressed.
 */
static bool
watches(const char *name, char enabled)
{
	return (strncmp(name, "im_mark_", 8) == 0 || strncmp(name, "im_own_day", 10) == 0) &&
		enabled == TRIGGER_FIRES_ALWAYS;
}

static bool
has_triggers(Relation rel)
{
	int			found = 0;

	for (int i = 0; rel->trigdesc != NULL && i < rel->trigdesc->numtriggers; i++)
	{
		const Trigger *trigger = &rel->trigdesc->triggers[i];

		if (watches(trigger->tgname, trigger->tgenabled))
			found++;
	}
	return found >= WATCHING_TRIGGERS;
}

static int
compare_leaves(const void *a, const void *b)
{
	Oid			left = ((const Leaf *) a)->relid,
				right = ((const Leaf *) b)->relid;

	return left < right ? -1 : left > right;
}

static Leaf *
find_leaf(const LeafList *list, Oid relid)
{
	Leaf		key = {.relid = relid};

	return list->count == 0 ? NULL :
		bsearch(&key, list->leaves, list->count, sizeof(Leaf), compare_leaves);
}

/* What a subscription applies fires no trigger of a statement. */
static bool
any_subscribed(const LeafList *list, const Oid *tables)
{
	Relation	rel = table_open(SubscriptionRelRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(rel, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;
	bool		found = false;

	while (!found && (tuple = systable_getnext(scan)) != NULL)
	{
		Oid			relid = ((Form_pg_subscription_rel) GETSTRUCT(tuple))->srrelid;

		found = find_leaf(list, relid) != NULL;
		for (int i = 0; i < (int) lengthof(watched_tables); i++)
			found = found || tables[i] == relid;
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return found;
}

LeafList *
leaves_now(Oid schema)
{
	LeafList   *list = palloc0(sizeof(LeafList));
	Oid			tables[lengthof(watched_tables)];

	list->watched = true;
	for (int i = 0; i < (int) lengthof(watched_tables); i++)
	{
		const WatchedTable *table = &watched_tables[i];
		Relation	rel;

		tables[i] = get_relname_relid(table->name, schema);
		rel = OidIsValid(tables[i]) ? try_relation_open(tables[i], AccessShareLock) : NULL;
		if (rel == NULL)
		{
			list->watched = false;
			continue;
		}
		list->watched = list->watched && has_triggers(rel);
		if (table->has_leaves)
			add_leaves(list, table, tables[i], (Span) {DT_NOBEGIN, DT_NOEND});
		relation_close(rel, NoLock);
	}
	if (list->count > 0)
		qsort(list->leaves, list->count, sizeof(Leaf), compare_leaves);
	list->watched = list->watched && !any_subscribed(list, tables);
	return list;
}

Datum
im_raw_leaves(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	LeafList   *list = leaves_now(get_func_namespace(fcinfo->flinfo->fn_oid));

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	for (int i = 0; i < list->count; i++)
	{
		const Leaf *leaf = &list->leaves[i];
		Datum		values[] = {
			CStringGetTextDatum(leaf->table),
			ObjectIdGetDatum(leaf->relid),
			ObjectIdGetDatum(leaf->filenode),
			TimestampTzGetDatum(leaf->since),
			TimestampTzGetDatum(leaf->until)
		};
		bool		nulls[lengthof(values)] = {false};

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
} SeenColumns;

/* What to do with a row of im_metered_partition. */
typedef void (*SeenVisitor) (TupleTableSlot *slot, const SeenColumns *columns,
							 LeafList *now, void *result);

/* A leaf that was seen and is the same is taken out of those of now. */
static void
compare_seen(TupleTableSlot *slot, const SeenColumns *columns, LeafList *now, void *result)
{
	bool		isnull;
	Oid			relid = DatumGetObjectId(slot_getattr(slot, columns->partition, &isnull)),
				filenode = DatumGetObjectId(slot_getattr(slot, columns->filenode, &isnull));
	Leaf	   *leaf = find_leaf(now, relid);

	if (leaf != NULL && leaf->filenode == filenode && OidIsValid(filenode))
		leaf->table = NULL;
	else
		change_days(result, DatumGetTimestampTz(slot_getattr(slot, columns->since, &isnull)),
					DatumGetTimestampTz(slot_getattr(slot, columns->until, &isnull)));
}

static void
visit_seen(Oid seen_relid, SeenVisitor visit, LeafList *now, void *result)
{
	Relation	rel = table_open(seen_relid, AccessShareLock);
	TableScanDesc scan = table_beginscan(rel, GetActiveSnapshot(), 0, NULL);
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	SeenColumns columns = {
		get_attnum(seen_relid, "table_name"), get_attnum(seen_relid, "partition"),
		get_attnum(seen_relid, "filenode"), get_attnum(seen_relid, "since"),
		get_attnum(seen_relid, "until")
	};

	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
		visit(slot, &columns, now, result);
	ExecDropSingleTupleTableSlot(slot);
	table_endscan(scan);
	table_close(rel, AccessShareLock);
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
	Oid			schema = get_func_namespace(fcinfo->flinfo->fn_oid),
				seen = get_relname_relid("im_metered_partition", schema);
	ChangedDays days = {
		.first = PG_GETARG_DATEADT(0), .until = PG_GETARG_DATEADT(1),
		.changed_first = DATEVAL_NOEND, .changed_until = DATEVAL_NOBEGIN
	};
	LeafList   *now = leaves_now(schema);

	if (!now->watched || !OidIsValid(seen))
		change_days(&days, DT_NOBEGIN, DT_NOEND);
	else
		visit_seen(seen, compare_seen, now, &days);
	for (int i = 0; i < now->count; i++)
		if (now->leaves[i].table != NULL)
			change_days(&days, now->leaves[i].since, now->leaves[i].until);
	if (days.changed_first >= days.changed_until)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(span_of_days(days.changed_first, days.changed_until));
}

typedef struct SeenCount
{
	int			same;
	int			all;
} SeenCount;

/* Counts the rows that tell of a leaf just what it is now. */
static void
count_same(TupleTableSlot *slot, const SeenColumns *columns, LeafList *now, void *result)
{
	bool		isnull;
	Leaf	   *leaf = find_leaf(now, DatumGetObjectId(slot_getattr(slot, columns->partition, &isnull)));
	char	   *table = TextDatumGetCString(slot_getattr(slot, columns->table_name, &isnull));

	if (leaf != NULL && OidIsValid(leaf->filenode) &&
		leaf->filenode == DatumGetObjectId(slot_getattr(slot, columns->filenode, &isnull)) &&
		leaf->since == DatumGetTimestampTz(slot_getattr(slot, columns->since, &isnull)) &&
		leaf->until == DatumGetTimestampTz(slot_getattr(slot, columns->until, &isnull)) &&
		strcmp(leaf->table, table) == 0)
		((SeenCount *) result)->same++;
	((SeenCount *) result)->all++;
	pfree(table);
}

/* A statement's triggers of a partitioned table do not see what goes to its leaves. */
static bool
leaf_has_triggers(Relation pg_trigger, Oid relid)
{
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	int			found = 0;

	ScanKeyInit(&key, Anum_pg_trigger_tgrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	scan = systable_beginscan(pg_trigger, TriggerRelidNameIndexId, true, NULL, 1, &key);
	while ((tuple = systable_getnext(scan)) != NULL)
	{
		Form_pg_trigger trigger = (Form_pg_trigger) GETSTRUCT(tuple);

		if (watches(NameStr(trigger->tgname), trigger->tgenabled))
			found++;
	}
	systable_endscan(scan);
	return found >= WATCHING_TRIGGERS;
}

static bool
all_leaves_watched(const LeafList *list)
{
	Relation	pg_trigger = table_open(TriggerRelationId, AccessShareLock);
	bool		watched = true;

	for (int i = 0; watched && i < list->count; i++)
		watched = leaf_has_triggers(pg_trigger, list->leaves[i].relid);
	table_close(pg_trigger, AccessShareLock);
	return watched;
}

Datum
im_leaves_unchanged(PG_FUNCTION_ARGS)
{
	Oid			schema = get_func_namespace(fcinfo->flinfo->fn_oid),
				seen = get_relname_relid("im_metered_partition", schema);
	LeafList   *now = leaves_now(schema);
	SeenCount	count = {0};

	if (!now->watched || !OidIsValid(seen))
		PG_RETURN_BOOL(false);
	visit_seen(seen, count_same, now, &count);
	PG_RETURN_BOOL(count.same == now->count && count.all == now->count &&
				   all_leaves_watched(now));
}
