/*
 * leaves.c
 *	  Lists the tables that usage is metered from, and what is below them.
 *
 * A bill asks for the list each time, and it takes some microseconds a table
 * to make.  So a session keeps it until a message says that something in the
 * catalogs of one of its tables changed.  Messages are sent while a change
 * commits, an instant after others see its rows: a bill that is made at that
 * instant is what it was before the change.
 */
#include "lib/compat.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "partitioning/partbounds.h"
#include "partitioning/partdesc.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/partcache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "triggers/leaves.h"
#include "triggers/watch.h"

/*
 * The tables whose rows metered figures depend on, and the column that tells
 * on which day a row counts.  A group counts on the days after its creation
 * too.  Without marks nothing is known: hence the last.
 */
typedef struct WatchedTable
{
	const char *name;
	const char *time_column;	/* NULL: bounds of partitions tell nothing */
	bool		open_ended;
	bool		rewritten;		/* other files mean nothing */
} WatchedTable;

static const WatchedTable watched_tables[] = {
	{"im_login", "at", false, false},
	{"im_group", "created_at", true, false},
	{"im_moderation_check", "at", false, false},
	{"im_call", "at", false, false},
	{"im_event", "at", false, false},
	{"im_usage_daily", NULL, false, false},
	{"im_metered_beside", NULL, false, false},
	{"im_meter_daily", NULL, false, false},
	{"im_meter_beside", NULL, false, false},
	{"im_app", NULL, false, false},
	{"im_rate_card_version", NULL, false, false},
	{"im_usage_mark", NULL, false, true},
};

#define WATCHED_TABLES	((int) lengthof(watched_tables))

typedef struct Span
{
	TimestampTz since;
	TimestampTz until;
} Span;

static void
add_leaf(LeafList *list, const WatchedTable *table, Leaf leaf)
{
	if (list->count == list->room)
	{
		list->room = list->room == 0 ? 16 : list->room * 2;
		list->leaves = list->leaves == NULL ? palloc(list->room * sizeof(Leaf)) :
			repalloc(list->leaves, list->room * sizeof(Leaf));
	}
	leaf.table = table->name;
	if (table->open_ended)
		leaf.until = DT_NOEND;
	if (table->rewritten)
		leaf.filenode = InvalidOid;
	list->leaves[list->count++] = leaf;
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

static void add_tree(LeafList *list, const WatchedTable *table, Oid relid, Span span);

static void
add_partitions(LeafList *list, const WatchedTable *table, Oid relid, Span span)
{
	Relation	rel = table_open(relid, AccessShareLock);
	PartitionDesc desc = RelationGetPartitionDesc(rel, true);
	bool		by_time = partitioned_by_time(rel, table);

	for (int i = 0; i < desc->nparts; i++)
		add_tree(list, table, desc->oids[i], partition_span(desc, i, by_time, span));
	table_close(rel, NoLock);
}

static void
add_children(LeafList *list, const WatchedTable *table, Oid relid, Span span)
{
	List	   *children = find_inheritance_children(relid, NoLock);
	ListCell   *cell;

	foreach(cell, children)
		add_tree(list, table, lfirst_oid(cell), span);
}

/* A table and all that is below it. */
static void
add_tree(LeafList *list, const WatchedTable *table, Oid relid, Span span)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	FormData_pg_class class;
	bool		has_files,
				is_partitioned;

	if (!HeapTupleIsValid(tuple))
		return;
	class = *(Form_pg_class) GETSTRUCT(tuple);
	ReleaseSysCache(tuple);
	has_files = class.relkind == RELKIND_RELATION;
	is_partitioned = class.relkind == RELKIND_PARTITIONED_TABLE;
	add_leaf(list, table, (Leaf) {
		.relid = relid,
		.filenode = has_files ? class.relfilenode : InvalidOid,
		.watch = (has_files || is_partitioned) && class.relpersistence == RELPERSISTENCE_PERMANENT ?
			watch_number(relid, class.relnatts) : 0,
		.since = span.since,
		.until = span.until
	});
	if (is_partitioned)
		add_partitions(list, table, relid, span);
	else if (class.relhassubclass)
		add_children(list, table, relid, span);
}

static int
compare_leaves(const void *a, const void *b)
{
	Oid			left = ((const Leaf *) a)->relid,
				right = ((const Leaf *) b)->relid;

	return left < right ? -1 : left > right;
}

Leaf *
leaves_find(const LeafList *list, Oid relid)
{
	Leaf		key = {.relid = relid};

	return list->count == 0 ? NULL :
		bsearch(&key, list->leaves, list->count, sizeof(Leaf), compare_leaves);
}

/*
 * Sorts, and makes one of a table that is there more than once, by several
 * parents.  Below two tables it would need the triggers of either.
 */
static void
sort_leaves(LeafList *list)
{
	int			kept = 0;

	qsort(list->leaves, list->count, sizeof(Leaf), compare_leaves);
	for (int i = 1; i < list->count; i++)
	{
		Leaf	   *last = &list->leaves[kept],
				   *leaf = &list->leaves[i];

		if (leaf->relid != last->relid)
			list->leaves[++kept] = *leaf;
		else if (leaf->table != last->table)
			*last = (Leaf) {last->table, last->relid, last->filenode, 0, DT_NOBEGIN, DT_NOEND};
		else
		{
			last->since = Min(last->since, leaf->since);
			last->until = Max(last->until, leaf->until);
		}
	}
	list->count = Min(list->count, kept + 1);
}

static LeafList
make_list(const Oid *tables)
{
	LeafList	list = {.complete = true};

	for (int i = 0; i < WATCHED_TABLES; i++)
		if (OidIsValid(tables[i]))
			add_tree(&list, &watched_tables[i], tables[i], (Span) {DT_NOBEGIN, DT_NOEND});
		else
			list.complete = false;
	if (list.count > 0)
	{
		sort_leaves(&list);
		watch_relations(&list);
	}
	return list;
}

/* The list of this session, and the tables it is of. */
static struct
{
	LeafList	list;			/* its leaves are in CacheMemoryContext */
	Oid			tables[lengthof(watched_tables)];
	bool		valid;
	bool		changed;		/* a message came since it was begun */
} kept;

static void
relation_changed(Datum arg, Oid relid)
{
	(void) arg;
	if (!kept.valid || !OidIsValid(relid) || leaves_find(&kept.list, relid) != NULL)
		kept.changed = true;
}

static void
subscription_changed(Datum arg, int cache, uint32 hash)
{
	(void) arg;
	(void) cache;
	(void) hash;
	kept.changed = true;
}

static void
listen_once(void)
{
	static bool listening = false;

	if (listening)
		return;
	CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(SUBSCRIPTIONRELMAP, subscription_changed, (Datum) 0);
	listening = true;
}

/* If a message comes while it is made, the list serves this once. */
static void
keep_list(const Oid *tables)
{
	LeafList	list;
	Leaf	   *leaves;

	kept.valid = kept.changed = false;
	list = make_list(tables);
	leaves = MemoryContextAlloc(CacheMemoryContext, Max(list.count, 1) * sizeof(Leaf));
	if (list.count > 0)
		memcpy(leaves, list.leaves, list.count * sizeof(Leaf));
	if (kept.list.leaves != NULL)
		pfree(kept.list.leaves);
	kept.list = list;
	kept.list.leaves = leaves;
	memcpy(kept.tables, tables, sizeof(kept.tables));
	kept.valid = true;
}

const LeafList *
leaves_now(Oid schema)
{
	Oid			tables[lengthof(watched_tables)];

	listen_once();
	for (int i = 0; i < WATCHED_TABLES; i++)
	{
		Relation	rel;

		tables[i] = get_relname_relid(watched_tables[i].name, schema);
		rel = OidIsValid(tables[i]) ? try_relation_open(tables[i], AccessShareLock) : NULL;
		if (rel == NULL)
			tables[i] = InvalidOid;
		else
			relation_close(rel, NoLock);
	}
	/* a lock that was held already brings no messages */
	AcceptInvalidationMessages();
	if (!kept.valid || kept.changed || memcmp(tables, kept.tables, sizeof(tables)) != 0)
		keep_list(tables);
	return &kept.list;
}
