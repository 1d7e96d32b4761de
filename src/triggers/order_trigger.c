/*
 * order_trigger.c
 *	  Checks orders against rate cards once per transaction, at its end.
 *
 * Rules bind all orders of an app together, and orders may be loaded in any
 * sequence within a transaction, so they can be judged only at its end.  A
 * deferred trigger fires once per row; checking an app's log at each of them
 * would make n orders of one app cost n * n.  So an immediate trigger notes
 * the apps, the first deferred one to fire checks all that were noted, and
 * the others find nothing left to do.  Rate cards whose versions change are
 * noted likewise: what they are for are the orders of all their apps.
 *
 * An app that another transaction is just inserting cannot be seen yet.  The
 * check waits for that transaction; an app that it does not see even then
 * stays noted until a trigger for a row of its own fires, which comes after
 * the row's foreign key has found the app.  Where nothing fires any more,
 * because only this constraint was immediate, or never did, as for TRUNCATE,
 * the end of the transaction checks what is left.
 *
 * Voids that come in are noted as well: one that is placed is refused where the
 * month of its order is closed, while one that was placed before is not asked
 * again.
 *
 * The notes live in the transaction's memory.  When a subtransaction rolls
 * back, rows that a check has seen are gone, and with them possibly what made
 * others valid: then all noted so far is to be checked again.
 */
#include "lib/compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "lib/int64s.h"
#include "server/schemas.h"
#include "triggers/trigger_table.h"

PG_FUNCTION_INFO_V1(im_order_note);
PG_FUNCTION_INFO_V1(im_order_check);
PG_FUNCTION_INFO_V1(im_cards_lock);

typedef enum NoteState
{
	TO_CHECK,
	CHECKED,
	UNSEEN						/* looked for, but not visible yet */
} NoteState;

/* An app of a database may have tables in one schema only, so the id is enough. */
typedef struct NotedApp
{
	int64		app_id;
	char		status;			/* of simplehash */
	NoteState	state;
	TimestampTz since;			/* of the first order that is new */
} NotedApp;

#define SH_PREFIX noted
#define SH_ELEMENT_TYPE NotedApp
#define SH_KEY_TYPE int64
#define SH_KEY app_id
#define SH_HASH_KEY(table, key) ((uint32) hash_bytes_uint32_extended((uint32) ((key) ^ ((key) >> 32)), 0))
#define SH_EQUAL(table, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DEFINE
#define SH_DECLARE
#include "lib/simplehash.h"

static noted_hash *noted_apps = NULL;
static int	apps_to_check = 0;
static List *noted_cards = NIL; /* their names; NULL stands for all */
static int	cards_checked = 0;	/* so many of the list */
static Int64s void_apps,
			void_orders;		/* what voids are noted, by both halves of their keys */
static int	voids_checked = 0;	/* so many of them */
static Oid	noting_function = InvalidOid;
static bool callbacks_registered = false;

static void check_noted(Oid schema);

/* Counts those that a check has to look at from now on. */
static void
check_again(bool unseen_only)
{
	noted_iterator iterator;
	NotedApp   *app;

	if (noted_apps == NULL)
		return;
	noted_start_iterate(noted_apps, &iterator);
	while ((app = noted_iterate(noted_apps, &iterator)) != NULL)
		if (app->state == UNSEEN || (app->state == CHECKED && !unseen_only))
		{
			app->state = TO_CHECK;
			apps_to_check++;
		}
}

/* Whoever drops the extension, or its tables, takes the rules away too. */
static void
check_at_end(void)
{
	Oid			schema = OidIsValid(noting_function) ? get_func_namespace(noting_function) : InvalidOid;

	if (!OidIsValid(schema) || !OidIsValid(get_relname_relid("im_order", schema)))
		return;
	check_again(true);
	/* no statement is running that would have one */
	PushActiveSnapshot(GetTransactionSnapshot());
	check_noted(schema);
	PopActiveSnapshot();
}

static void
check_and_forget_at_end(XactEvent event, void *arg)
{
	(void) arg;
	if (event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE)
		check_at_end();
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT ||
		event == XACT_EVENT_PREPARE)
	{
		noted_apps = NULL;		/* its memory goes with the transaction's */
		apps_to_check = 0;
		noted_cards = NIL;
		cards_checked = 0;
		void_apps = void_orders = (Int64s) {NULL};
		voids_checked = 0;
		noting_function = InvalidOid;
	}
}

static void
check_again_after_rollback(SubXactEvent event, SubTransactionId subid,
						   SubTransactionId parent, void *arg)
{
	(void) subid;
	(void) parent;
	(void) arg;
	if (event == SUBXACT_EVENT_ABORT_SUB)
	{
		check_again(false);
		cards_checked = 0;
		voids_checked = 0;
	}
}

static void
begin_note(FunctionCallInfo fcinfo)
{
	noting_function = fcinfo->flinfo->fn_oid;
	if (!callbacks_registered)
	{
		RegisterXactCallback(check_and_forget_at_end, NULL);
		RegisterSubXactCallback(check_again_after_rollback, NULL);
		callbacks_registered = true;
	}
}

static void
note_app(int64 app_id, TimestampTz since)
{
	NotedApp   *app;
	bool		found;

	if (noted_apps == NULL)
		noted_apps = noted_create(TopTransactionContext, 64, NULL);
	app = noted_insert(noted_apps, app_id, &found);
	if (!found || app->state != TO_CHECK)
		apps_to_check++;
	app->since = found ? Min(app->since, since) : since;
	app->state = TO_CHECK;
}

/* Versions of one card follow one another: it is noted once. */
static void
note_card(const char *name)
{
	MemoryContext old;

	if (name != NULL && cards_checked < list_length(noted_cards) &&
		llast(noted_cards) != NULL && strcmp(llast(noted_cards), name) == 0)
		return;
	old = MemoryContextSwitchTo(TopTransactionContext);
	noted_cards = lappend(noted_cards, name == NULL ? NULL : pstrdup(name));
	MemoryContextSwitchTo(old);
}

static const char *const checked_tables[] = {"im_order", "im_app", "im_rate_card_version"};

#define ORDERS		(checked_tables[0])
#define RATE_CARDS	(checked_tables[2])

static TriggerData *
trigger_call(FunctionCallInfo fcinfo)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function was not called by an AFTER trigger for each row"),
				 errdetail("It checks orders that were inserted, apps whose rate card is new, and rate cards that changed."),
				 errhint("im_create_tables() creates the triggers it is for.")));
	trigger_table_need(trigger, get_func_namespace(fcinfo->flinfo->fn_oid),
					   checked_tables, lengthof(checked_tables));
	return trigger;
}

static bool
is_about_cards(const TriggerData *trigger)
{
	return strcmp(RelationGetRelationName(trigger->tg_relation), RATE_CARDS) == 0;
}

static bool
is_about_orders(const TriggerData *trigger)
{
	return strcmp(RelationGetRelationName(trigger->tg_relation), ORDERS) == 0;
}

/* A value of a row that a trigger fires for; true unless it is null. */
static bool
row_value(const TriggerData *trigger, HeapTuple row, const char *name, Oid type, Datum *value)
{
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	int			column = SPI_fnumber(desc, name);
	bool		isnull;

	if (column <= 0 || SPI_gettypeid(desc, column) != type)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("table \"%s\" has no column %s of type %s",
						RelationGetRelationName(trigger->tg_relation), name, format_type_be(type)),
				 errdetail("The trigger notes what each row is about."),
				 errhint("im_create_tables() creates the triggers it is for.")));
	*value = SPI_getbinval(row, desc, column, &isnull);
	return !isnull;
}

static HeapTuple
newest_row(const TriggerData *trigger)
{
	return TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple;
}

/* From when on a row changes the log; all of it for whatever is no new order. */
static TimestampTz
changes_since(const TriggerData *trigger)
{
	Datum		at;

	if (!is_about_orders(trigger) || !TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ||
		!row_value(trigger, trigger->tg_trigtuple, "at", TIMESTAMPTZOID, &at))
		return DT_NOBEGIN;
	return DatumGetTimestampTz(at);
}

static void
note_if_void(const TriggerData *trigger, int64 app_id)
{
	HeapTuple	row = newest_row(trigger);
	Datum		value;

	if (!is_about_orders(trigger) ||
		!row_value(trigger, row, "action", TEXTOID, &value) ||
		strcmp(TextDatumGetCString(value), "void") != 0 ||
		!row_value(trigger, row, "order_id", INT8OID, &value))
		return;
	int64s_add(&void_apps, TopTransactionContext, app_id);
	int64s_add(&void_orders, TopTransactionContext, DatumGetInt64(value));
}

Datum
im_order_note(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_call(fcinfo);
	Datum		value;

	begin_note(fcinfo);
	if (!is_about_cards(trigger))
	{
		if (row_value(trigger, newest_row(trigger), "app_id", INT8OID, &value))
		{
			note_app(DatumGetInt64(value), changes_since(trigger));
			note_if_void(trigger, DatumGetInt64(value));
		}
		PG_RETURN_POINTER(NULL);
	}
	if (row_value(trigger, trigger->tg_trigtuple, "rate_card", TEXTOID, &value))
		note_card(TextDatumGetCString(value));
	if (row_value(trigger, newest_row(trigger), "rate_card", TEXTOID, &value))
		note_card(TextDatumGetCString(value));
	PG_RETURN_POINTER(NULL);
}

/*
 * Orders are checked under versions that nobody is changing, and versions
 * change while nobody's check is pending: checks take this lock shared, who
 * changes versions alone, both until the end of the transaction.  No row of
 * the one could be locked for the other: a version may be new.
 */
static void
lock_cards(Oid schema, LOCKMODE mode)
{
	Oid			cards = get_relname_relid(RATE_CARDS, schema);

	if (OidIsValid(cards))
		LockDatabaseObject(RelationRelationId, cards, 0, mode);
}

Datum
im_cards_lock(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	Oid			schema = get_func_namespace(fcinfo->flinfo->fn_oid);

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function was not called by a BEFORE trigger for each statement"),
				 errdetail("It keeps orders from being checked while versions of rate cards change."),
				 errhint("im_create_tables() creates the trigger it is for.")));
	trigger_table_need(trigger, schema, &RATE_CARDS, 1);
	lock_cards(schema, ExclusiveLock);
	if (TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event))
	{
		begin_note(fcinfo);
		note_card(NULL);
	}
	PG_RETURN_POINTER(NULL);
}

static ArrayType *
apps_to_look_at(void)
{
	Datum	   *ids = palloc(sizeof(Datum) * apps_to_check);
	int			n = 0;
	noted_iterator iterator;
	NotedApp   *app;

	noted_start_iterate(noted_apps, &iterator);
	while ((app = noted_iterate(noted_apps, &iterator)) != NULL)
		if (app->state == TO_CHECK && n < apps_to_check)
		{
			ids[n++] = Int64GetDatum(app->app_id);
			app->state = UNSEEN;	/* until it is found */
		}
	apps_to_check = 0;
	return construct_array(ids, n, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
}

/* From when on the logs of apps have changed. */
static ArrayType *
sinces_of(ArrayType *apps)
{
	int64	   *ids = (int64 *) ARR_DATA_PTR(apps);
	int			n = ArrayGetNItems(ARR_NDIM(apps), ARR_DIMS(apps));
	Datum	   *sinces = palloc(sizeof(Datum) * n);

	for (int i = 0; i < n; i++)
	{
		NotedApp   *app = noted_lookup(noted_apps, ids[i]);

		sinces[i] = TimestampTzGetDatum(app != NULL ? app->since : DT_NOBEGIN);
	}
	return construct_array(sinces, n, TIMESTAMPTZOID, sizeof(TimestampTz), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
}

static void
mark_checked(ArrayType *apps)
{
	int64	   *ids = (int64 *) ARR_DATA_PTR(apps);
	int			n = ArrayGetNItems(ARR_NDIM(apps), ARR_DIMS(apps));

	for (int i = 0; i < n; i++)
	{
		NotedApp   *app = noted_lookup(noted_apps, ids[i]);

		if (app != NULL)
			app->state = CHECKED;
	}
}

/* The transaction that is inserting the app and has not ended; none otherwise. */
static TransactionId
inserter_of(Relation apps, Oid key, int64 app_id)
{
	SnapshotData dirty;
	ScanKeyData id;
	SysScanDesc scan;
	TransactionId inserter = InvalidTransactionId;

	InitDirtySnapshot(dirty);
	ScanKeyInit(&id, get_attnum(RelationGetRelid(apps), "app_id"),
				BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(app_id));
	scan = systable_beginscan(apps, key, true, &dirty, 1, &id);
	if (HeapTupleIsValid(systable_getnext(scan)))
		inserter = dirty.xmin;
	systable_endscan(scan);
	return inserter;
}

/*
 * Waits for transactions that are inserting some of the apps, before any app
 * is locked: locks are taken in the order of app_id, and none may come late.
 */
static void
wait_for_new_apps(Oid schema, ArrayType *apps)
{
	int64	   *ids = (int64 *) ARR_DATA_PTR(apps);
	int			n = ArrayGetNItems(ARR_NDIM(apps), ARR_DIMS(apps));
	Oid			table = get_relname_relid("im_app", schema);
	Oid			key = get_relname_relid("im_app_pkey", schema);
	Relation	rel;

	/* who gave the table other keys has its foreign key to wait */
	if (!OidIsValid(table) || get_rel_relkind(key) != RELKIND_INDEX ||
		IndexGetRelation(key, true) != table)
		return;
	rel = table_open(table, AccessShareLock);
	for (int i = 0; i < n; i++)
	{
		TransactionId inserter;

		CHECK_FOR_INTERRUPTS();
		while (TransactionIdIsValid(inserter = inserter_of(rel, key, ids[i])))
			XactLockTableWait(inserter, NULL, NULL, XLTW_None);
	}
	table_close(rel, NoLock);
}

/* Calls a function of the extension; what it says of apps, or NULL. */
static ArrayType *
call(const char *schema, const char *function, int nargs, ArrayType **args, bool read_only)
{
	char	   *query = psprintf("SELECT %s.%s(%s)", quote_identifier(schema), function,
								 nargs == 1 ? "$1" : "$1, $2");
	Oid			types[2];
	Datum		values[2];
	bool		isnull;
	Datum		result;

	for (int i = 0; i < nargs; i++)
	{
		types[i] = get_array_type(ARR_ELEMTYPE(args[i]));
		values[i] = PointerGetDatum(args[i]);
	}
	if (SPI_execute_with_args(query, nargs, types, values, NULL, read_only, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not check orders");
	if (SPI_gettypeid(SPI_tuptable->tupdesc, 1) != INT8ARRAYOID)
		return NULL;
	result = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	return isnull ? NULL : DatumGetArrayTypeP(result);
}

static ArrayType *
unchecked_voids(const Int64s *half)
{
	int			n = (int) half->count - voids_checked;
	Datum	   *values = palloc(sizeof(Datum) * n);

	for (int i = 0; i < n; i++)
		values[i] = Int64GetDatum(half->values[voids_checked + i]);
	return construct_array(values, n, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
}

/* What this transaction found, as far as it can be seen by now. */
static void
push_snapshot_before(void)
{
	PushCopiedSnapshot(GetLatestSnapshot());
	GetActiveSnapshot()->curcid = FirstCommandId;
}

/*
 * Voids are placed in open months, the app's lock keeps closers away; and they
 * change no order that was there, whatever their time.
 */
static void
check_placed_voids(const char *functions)
{
	ArrayType  *voids[2],
			   *placed;

	if (voids_checked == void_apps.count)
		return;
	voids[0] = unchecked_voids(&void_apps);
	voids[1] = unchecked_voids(&void_orders);
	call(functions, "im_need_open_for_voids", 2, voids, true);
	placed = call(functions, "im_placed_voids", 2, voids, true);
	push_snapshot_before();
	call(functions, "im_verify_voids", 1, &placed, true);
	PopActiveSnapshot();
	voids_checked = (int) void_apps.count;
}

/*
 * Locks, then reads under a snapshot taken after the lock: in a repeatable
 * read transaction the transaction's own would not show what the other
 * writer of the app has committed meanwhile.
 */
static void
check_apps(Oid schema, const char *functions)
{
	ArrayType  *apps = apps_to_look_at();
	ArrayType  *locked,
			   *logs[2];
	bool		old_sql;

	wait_for_new_apps(schema, apps);
	lock_cards(schema, ShareLock);
	locked = call(functions, "im_lock_apps", 1, &apps, false);
	/* the SQL of an earlier version does not say which apps it found, nor asks since when */
	old_sql = locked == NULL;
	logs[0] = locked = old_sql ? apps : locked;
	logs[1] = sinces_of(locked);
	CommandCounterIncrement();
	PushActiveSnapshot(GetLatestSnapshot());
	call(functions, "im_verify_apps", old_sql ? 1 : 2, logs, true);
	check_placed_voids(functions);
	PopActiveSnapshot();
	mark_checked(locked);
}

/*
 * The apps of cards whose orders break a rule, as this transaction found them:
 * none where it cannot be seen any more, since TRUNCATE has no snapshot.
 */
static ArrayType *
broken_before(const char *functions, ArrayType *cards)
{
	ArrayType  *broken;

	if (list_member_ptr(noted_cards, NULL))
		return construct_empty_array(INT8OID);
	push_snapshot_before();
	broken = call(functions, "im_broken_apps", 1, &cards, true);
	PopActiveSnapshot();
	return broken;
}

/* Orders that broke a rule before must not keep everybody from mending it. */
static void
check_cards(const char *functions, ArrayType *cards)
{
	ArrayType  *broken[2];

	CommandCounterIncrement();
	PushActiveSnapshot(GetLatestSnapshot());
	broken[0] = call(functions, "im_verify_cards", 1, &cards, true);
	if (ArrayGetNItems(ARR_NDIM(broken[0]), ARR_DIMS(broken[0])) > 0)
	{
		broken[1] = broken_before(functions, cards);
		call(functions, "im_refuse_cards", 2, broken, true);
	}
	PopActiveSnapshot();
}

static ArrayType *
cards_to_look_at(void)
{
	int			n = list_length(noted_cards) - cards_checked;
	Datum	   *names = palloc(sizeof(Datum) * n);
	bool	   *nulls = palloc(sizeof(bool) * n);
	int			lower_bound = 1;

	for (int i = 0; i < n; i++)
	{
		const char *name = list_nth(noted_cards, cards_checked + i);

		nulls[i] = name == NULL;
		names[i] = name == NULL ? (Datum) 0 : CStringGetTextDatum(name);
	}
	cards_checked += n;
	return construct_md_array(names, nulls, 1, &n, &lower_bound, TEXTOID, -1, false, TYPALIGN_INT);
}

static Oid
owner_of_log(Oid schema)
{
	Oid			relid = get_relname_relid("im_order", schema);
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("there is no table im_order in schema \"%s\"",
						get_namespace_name(schema)),
				 errdetail("The trigger checks the orders in it."),
				 errhint("Call im_create_tables() first.")));
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

/*
 * The check reads the log as its owner, as foreign keys do: who may place
 * orders need not be allowed to read them, and row security that is forced on
 * the owner must not hide an order that breaks a rule.
 *
 * The log is that of the schema of this function, and the functions that run
 * with its owner's rights are those that the extension made.  Neither locks an
 * app nor tells of its orders for a trigger that somebody put on a table of his
 * own.
 */
static void
check_noted(Oid schema)
{
	const char *functions;
	Oid			saved_user;
	int			saved_context;

	if (apps_to_check == 0 && cards_checked == list_length(noted_cards))
		return;
	GetUserIdAndSecContext(&saved_user, &saved_context);
	SetUserIdAndSecContext(owner_of_log(schema),
						   saved_context | SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_NOFORCE_RLS);
	functions = get_namespace_name(internal_schema());
	SPI_connect();
	/* first, since it tells that it was the card that changed */
	if (cards_checked < list_length(noted_cards))
		check_cards(functions, cards_to_look_at());
	if (apps_to_check > 0)
		check_apps(schema, functions);
	SPI_finish();
	SetUserIdAndSecContext(saved_user, saved_context);
}

Datum
im_order_check(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_call(fcinfo);
	NotedApp   *app = NULL;
	Datum		app_id;

	if (noted_apps != NULL && !is_about_cards(trigger) &&
		row_value(trigger, newest_row(trigger), "app_id", INT8OID, &app_id))
		app = noted_lookup(noted_apps, DatumGetInt64(app_id));
	/* its foreign key has found it by now */
	if (app != NULL && app->state == UNSEEN)
	{
		app->state = TO_CHECK;
		apps_to_check++;
	}
	check_noted(get_func_namespace(fcinfo->flinfo->fn_oid));
	PG_RETURN_POINTER(NULL);
}
