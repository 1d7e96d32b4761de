/*
 * watch.c
 *	  See watch.h.
 */
#include "lib/compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xlog.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_subscription_rel.h"
#include "catalog/pg_trigger.h"
#include "common/hashfn.h"
#include "utils/fmgroids.h"
#include "utils/syscache.h"

#include "triggers/watch.h"

/* A row of a catalog, as it was written once and never again. */
typedef struct RowTrace
{
	uint64		system;			/* oids and transactions are those of one cluster */
	Oid			catalog;
	uint32		id;				/* oid of a trigger, number of a column */
	uint32		xmin;
	uint32		block;
	uint32		offset;
	uint32		unused;
} RowTrace;

/* Sums of these do not depend on the order of rows. */
static uint64
trace(Oid catalog, uint32 id, HeapTuple tuple)
{
	RowTrace	row = {
		.system = GetSystemIdentifier(), .catalog = catalog, .id = id,
		.xmin = HeapTupleHeaderGetRawXmin(tuple->t_data),
		.block = ItemPointerGetBlockNumber(&tuple->t_self),
		.offset = ItemPointerGetOffsetNumber(&tuple->t_self)
	};

	return hash_bytes_extended((const unsigned char *) &row, sizeof(row), 0);
}

/* Ours are told by their names; another by such a name is one that was put in its place. */
static bool
watches(const char *name)
{
	return strncmp(name, "im_mark_", 8) == 0 || strncmp(name, "im_own_day", 10) == 0;
}

static SysScanDesc
scan_of(Relation catalog, Oid index, AttrNumber column, Oid relid)
{
	ScanKeyData key;

	ScanKeyInit(&key, column, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relid));
	return systable_beginscan(catalog, index, true, NULL, 1, &key);
}

static uint64
trace_triggers(Oid relid)
{
	Relation	rel = table_open(TriggerRelationId, AccessShareLock);
	SysScanDesc scan = scan_of(rel, TriggerRelidNameIndexId, Anum_pg_trigger_tgrelid, relid);
	HeapTuple	tuple;
	uint64		sum = 0;

	while ((tuple = systable_getnext(scan)) != NULL)
	{
		Form_pg_trigger trigger = (Form_pg_trigger) GETSTRUCT(tuple);

		if (watches(NameStr(trigger->tgname)))
			sum += trace(TriggerRelationId, trigger->oid, tuple);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return sum;
}

static uint64
trace_columns(Oid relid, int columns)
{
	uint64		sum = 0;

	for (int i = 1; i <= columns; i++)
	{
		HeapTuple	tuple = SearchSysCache2(ATTNUM, ObjectIdGetDatum(relid), Int16GetDatum(i));

		if (!HeapTupleIsValid(tuple))
			continue;
		if (!((Form_pg_attribute) GETSTRUCT(tuple))->attisdropped)
			sum += trace(AttributeRelationId, i, tuple);
		ReleaseSysCache(tuple);
	}
	return sum;
}

uint64
watch_number(Oid relid, int columns)
{
	uint64		sum = trace_triggers(relid) + trace_columns(relid, columns);

	return sum == 0 ? 1 : sum;
}

/* What a subscription applies fires no trigger of a statement. */
static void
watch_subscribed(LeafList *list)
{
	Relation	rel = table_open(SubscriptionRelRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(rel, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;

	while ((tuple = systable_getnext(scan)) != NULL)
	{
		Leaf	   *leaf = leaves_find(list, ((Form_pg_subscription_rel) GETSTRUCT(tuple))->srrelid);

		if (leaf != NULL)
			leaf->watch = 0;
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
}

static bool
has_strange_parent(Relation inherits, const LeafList *list, Oid relid)
{
	SysScanDesc scan = scan_of(inherits, InheritsRelidSeqnoIndexId, Anum_pg_inherits_inhrelid, relid);
	HeapTuple	tuple;
	bool		found = false;

	while (!found && (tuple = systable_getnext(scan)) != NULL)
		found = leaves_find(list, ((Form_pg_inherits) GETSTRUCT(tuple))->inhparent) == NULL;
	systable_endscan(scan);
	return found;
}

void
watch_relations(LeafList *list)
{
	Relation	inherits = table_open(InheritsRelationId, AccessShareLock);

	for (int i = 0; i < list->count; i++)
		if (has_strange_parent(inherits, list, list->leaves[i].relid))
			list->leaves[i].watch = 0;
	table_close(inherits, AccessShareLock);
	watch_subscribed(list);
}
