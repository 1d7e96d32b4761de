/*
 * marks.c
 *	  Collects what a statement changed, and appends it to im_usage_mark.
 *
 *	  app 7 ... 10:02 --- 10:40		one entry per app and day of UTC
 *	  app 7 ............... 02:00	the next day of UTC has its own
 *	  app 9 ... 11:15
 *
 * A day of UTC is only how the entries are kept apart: what is written are
 * the first and the last instant, and whoever reads a mark takes the local
 * days of those.  So one late row marks exactly one local day in any zone.
 */
#include "lib/compat.h"

#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "server/schemas.h"
#include "server/zone.h"
#include "triggers/marks.h"
#include "triggers/trigger_table.h"

PG_FUNCTION_INFO_V1(im_lock_metering);

/* Beyond so many apps and days a statement marks days for all apps. */
#define MAX_MARKS	16384

typedef struct MarkKey
{
	int64		app_id;
	int32		day;			/* of UTC, of the first instant */
	bool		all_apps;
} MarkKey;

typedef struct Mark
{
	MarkKey		key;
	char		status;
	TimestampTz since;
	TimestampTz until;
} Mark;

static inline uint32
hash_key(MarkKey key)
{
	return hash_combine(murmurhash32((uint32) key.app_id ^ (uint32) ((uint64) key.app_id >> 32)),
						murmurhash32((uint32) key.day));
}

static inline bool
same_key(MarkKey a, MarkKey b)
{
	return a.app_id == b.app_id && a.day == b.day && a.all_apps == b.all_apps;
}

#define SH_PREFIX marktable
#define SH_ELEMENT_TYPE Mark
#define SH_KEY_TYPE MarkKey
#define SH_KEY key
#define SH_HASH_KEY(table, key) hash_key(key)
#define SH_EQUAL(table, a, b) same_key(a, b)
#define SH_SCOPE static inline
#define SH_DEFINE
#define SH_DECLARE
#include "lib/simplehash.h"

struct MarkSet
{
	marktable_hash *table;
	Mark	   *last;			/* rows come in runs of one app and day */
	bool		bounded;
	bool		all_apps;		/* too many: days are marked for all apps */
};

MarkSet *
marks_open(bool bounded)
{
	MarkSet    *marks = palloc0(sizeof(MarkSet));

	marks->table = marktable_create(CurrentMemoryContext, 64, NULL);
	marks->bounded = bounded;
	return marks;
}

static int32
utc_day(TimestampTz at)
{
	if (TIMESTAMP_NOT_FINITE(at))
		return TIMESTAMP_IS_NOBEGIN(at) ? PG_INT32_MIN : PG_INT32_MAX;
	return (int32) floor_div(at, USECS_PER_DAY);
}

static Mark *
widen(MarkSet *marks, MarkKey key, TimestampTz since, TimestampTz until)
{
	bool		found;
	Mark	   *mark = marktable_insert(marks->table, key, &found);

	mark->since = found ? Min(mark->since, since) : since;
	mark->until = found ? Max(mark->until, until) : until;
	return mark;
}

/* Forgets which apps it was; with too many days even for that, which days. */
static void
forget_apps(MarkSet *marks)
{
	marktable_hash *old = marks->table;
	marktable_iterator iterator;
	Mark	   *mark;
	bool		forget_days = marks->all_apps;

	marks->table = marktable_create(CurrentMemoryContext, 64, NULL);
	marks->all_apps = true;
	marktable_start_iterate(old, &iterator);
	while ((mark = marktable_iterate(old, &iterator)) != NULL)
		widen(marks, (MarkKey) {0, forget_days ? 0 : mark->key.day, true},
			  mark->since, mark->until);
	marktable_destroy(old);
}

static void
add(MarkSet *marks, MarkKey key, TimestampTz since, TimestampTz until)
{
	Mark	   *last = marks->last;

	if (last != NULL && same_key(last->key, key))
	{
		last->since = Min(last->since, since);
		last->until = Max(last->until, until);
		return;
	}
	marks->last = widen(marks, key, since, until);
	if (marks->bounded && marks->table->members > MAX_MARKS)
	{
		forget_apps(marks);
		marks->last = NULL;
	}
}

void
marks_add(MarkSet *marks, int64 app_id, TimestampTz since, TimestampTz until)
{
	if (since == until && TIMESTAMP_NOT_FINITE(since))
		return;
	if (marks->all_apps)
		marks_add_all_apps(marks, since, until);
	else
		add(marks, (MarkKey) {app_id, utc_day(since), false}, since, until);
}

void
marks_add_all_apps(MarkSet *marks, TimestampTz since, TimestampTz until)
{
	add(marks, (MarkKey) {0, utc_day(since), true}, since, until);
}

static Oid
owner_of(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("the table im_usage_mark is missing"),
				 errdetail("Changes of usage that was metered are marked there."),
				 errhint("Call im_create_tables() first.")));
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

static bool
any_row(Oid relid)
{
	Relation	rel = table_open(relid, AccessShareLock);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	TableScanDesc scan = table_beginscan(rel, snapshot, 0, NULL);
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	bool		found = table_scan_getnextslot(scan, ForwardScanDirection, slot);

	ExecDropSingleTupleTableSlot(slot);
	table_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(rel, AccessShareLock);
	return found;
}

/* Looks through a column of oids under the latest snapshot. */
static bool
any_oid(Oid relid, const char *column, Oid wanted)
{
	Relation	rel = table_open(relid, AccessShareLock);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	TableScanDesc scan = table_beginscan(rel, snapshot, 0, NULL);
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	AttrNumber	number = get_attnum(relid, column);
	bool		found = false,
				isnull;

	while (!found && table_scan_getnextslot(scan, ForwardScanDirection, slot))
		found = DatumGetObjectId(slot_getattr(slot, number, &isnull)) == wanted;
	ExecDropSingleTupleTableSlot(slot);
	table_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(rel, AccessShareLock);
	return found;
}

void
marks_need_table(TriggerData *trigger, Oid schema)
{
	static const char *const names[] = {
		"im_login", "im_group", "im_moderation_check", "im_call", "im_event",
		"im_usage_daily", "im_meter_daily", "im_app", "im_rate_card_version"
	};

	Oid			seen = get_relname_relid("im_metered_partition", schema);

	if (marks_same_owner(trigger, schema) ||
		(OidIsValid(seen) && any_oid(seen, "partition", RelationGetRelid(trigger->tg_relation))))
		return;
	trigger_table_need(trigger, schema, names, lengthof(names));
}

bool
marks_same_owner(TriggerData *trigger, Oid schema)
{
	return trigger->tg_relation->rd_rel->relowner ==
		owner_of(get_relname_relid("im_usage_mark", schema));
}

typedef struct SavedUser
{
	Oid			user;
	int			context;
} SavedUser;

static SavedUser
become_owner(Oid schema)
{
	Oid			owner = owner_of(get_relname_relid("im_usage_mark", schema));
	SavedUser	saved;

	GetUserIdAndSecContext(&saved.user, &saved.context);
	SetUserIdAndSecContext(owner, saved.context | SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_NOFORCE_RLS);
	return saved;
}

static void
execute(SPIPlanPtr plan, Datum *values, const char *nulls)
{
	if (SPI_execute_plan(plan, values, nulls, false, 0) < 0)
		elog(ERROR, "could not mark usage: %s", SPI_result_code_string(SPI_result));
}

static SPIPlanPtr
prepare(Oid schema, const char *query, int nargs, Oid *types)
{
	const char *own = quote_identifier(get_namespace_name(schema)),
			   *internal = quote_identifier(get_namespace_name(internal_schema()));
	SPIPlanPtr	plan = SPI_prepare(psprintf(query, own, internal), nargs, types);

	if (plan == NULL)
		elog(ERROR, "could not prepare to mark usage: %s", SPI_result_code_string(SPI_result));
	return plan;
}

void
marks_run_as_owner(Oid schema, TriggerData *trigger, const char *query,
				   int nargs, Oid *types, Datum *values)
{
	int			nest_level = NewGUCNestLevel();
	SavedUser	saved;

	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	saved = become_owner(schema);
	SPI_connect();
	if (trigger != NULL)
		SPI_register_trigger_data(trigger);
	execute(prepare(schema, query, nargs, types), values, NULL);
	SPI_finish();
	SetUserIdAndSecContext(saved.user, saved.context);
	AtEOXact_GUC(false, nest_level);
}

static void
keep_plan(MarkPlan *kept, Oid schema, const char *query, int nargs, Oid *types)
{
	SPIPlanPtr	fresh = prepare(schema, query, nargs, types);

	if (SPI_keepplan(fresh) != 0)
		elog(ERROR, "could not keep the plan that marks usage");
	if (kept->plan != NULL)
		SPI_freeplan(kept->plan);
	kept->plan = fresh;
	kept->schema = schema;
}

void
marks_run_kept(MarkPlan *kept, Oid schema, const char *query,
			   int nargs, Oid *types, Datum *values, const char *nulls)
{
	SavedUser	saved = become_owner(schema);

	SPI_connect();
	if (kept->plan == NULL || kept->schema != schema)
		keep_plan(kept, schema, query, nargs, types);
	execute(kept->plan, values, nulls);
	SPI_finish();
	SetUserIdAndSecContext(saved.user, saved.context);
}

/* Runs at the end of most statements that load. */
static void
insert_marks(Oid schema, Datum *values)
{
	static const char query[] =
		"INSERT INTO %s.im_usage_mark (app_id, since, until) "
		"SELECT * FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3))";
	static MarkPlan plan;
	Oid			types[] = {INT8ARRAYOID, TIMESTAMPTZARRAYOID, TIMESTAMPTZARRAYOID};

	marks_run_kept(&plan, schema, query, lengthof(types), types, values, NULL);
}

static Datum
array_of(Datum *values, bool *nulls, int n, Oid type)
{
	int			lbound = 1;

	return PointerGetDatum(construct_md_array(values, nulls, 1, &n, &lbound, type,
											  sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

void
marks_append(MarkSet *marks, Oid schema)
{
	int			n = 0,
				room = marks->table->members;
	Datum	   *columns[3],
				values[3];
	bool	   *all_apps = palloc(room + 1);
	marktable_iterator iterator;
	Mark	   *mark;

	if (room == 0)
		return;
	for (int i = 0; i < 3; i++)
		columns[i] = palloc_extended(sizeof(Datum) * room, MCXT_ALLOC_HUGE);
	marktable_start_iterate(marks->table, &iterator);
	while ((mark = marktable_iterate(marks->table, &iterator)) != NULL)
	{
		columns[0][n] = Int64GetDatum(mark->key.app_id);
		columns[1][n] = TimestampTzGetDatum(mark->since);
		columns[2][n] = TimestampTzGetDatum(mark->until);
		all_apps[n++] = mark->key.all_apps;
	}
	values[0] = array_of(columns[0], all_apps, n, INT8OID);
	values[1] = array_of(columns[1], NULL, n, TIMESTAMPTZOID);
	values[2] = array_of(columns[2], NULL, n, TIMESTAMPTZOID);
	insert_marks(schema, values);
}

/*
 * While nothing is metered there is nothing to mark.  Whoever meters first
 * takes SHARE on im_metered_day before he looks at a single event: so he
 * either finds us holding our lock and waits for our rows, or we find his
 * and mark.  The lock stays until the end of the transaction if it lets us
 * off marking, and it never waits.
 */
bool
marks_wanted(Oid schema)
{
	Oid			relid = get_relname_relid("im_metered_day", schema);

	if (!OidIsValid(relid))
		return false;
	if (!ConditionalLockRelationOid(relid, RowExclusiveLock))
		return true;
	if (!any_row(relid))
		return false;
	UnlockRelationOid(relid, RowExclusiveLock);
	return true;
}

/* Whoever meters lists the partitions he read, and they stay listed. */
bool
marks_ever_metered(Oid schema)
{
	Oid			relid = get_relname_relid("im_metered_partition", schema);

	return OidIsValid(relid) && any_row(relid);
}

/* Nothing else of the server locks a table by this name of an object. */
static void
lock_object(const char *table, Oid schema, LOCKMODE mode)
{
	LockDatabaseObject(RelationRelationId, get_relname_relid(table, schema), 1, mode);
}

void
marks_lock_days(Oid schema, LOCKMODE mode)
{
	lock_object("im_usage_daily", schema, mode);
}

Datum
im_lock_metering(PG_FUNCTION_ARGS)
{
	lock_object("im_usage_mark", extension_schema(), ExclusiveLock);
	PG_RETURN_VOID();
}
