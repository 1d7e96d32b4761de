/*
 * order_trigger.c
 *	  Checks the orders of each app once per transaction, at its end.
 *
 * Rules bind all orders of an app together, and orders may be loaded in any
 * sequence within a transaction, so they can be judged only at its end.  A
 * deferred trigger fires once per row; checking an app's log at each of them
 * would make n orders of one app cost n * n.  So an immediate trigger notes
 * the apps, the first deferred one to fire checks all that were noted, and
 * the others find nothing left to do.
 *
 * The notes live in the transaction's memory.  When a subtransaction rolls
 * back, rows that a check has seen are gone, and with them possibly what made
 * others valid: then every app noted so far is to be checked again.
 */
#include "types/compat.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "types/trigger_table.h"

PG_FUNCTION_INFO_V1(im_order_note);
PG_FUNCTION_INFO_V1(im_order_check);

/* An app of a database may have tables in one schema only, so the id is enough. */
typedef struct NotedApp
{
	int64		app_id;
	char		status;
	bool		to_check;
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
static bool callbacks_registered = false;

static void
forget_at_end(XactEvent event, void *arg)
{
	(void) arg;
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT ||
		event == XACT_EVENT_PREPARE)
	{
		noted_apps = NULL;		/* its memory goes with the transaction's */
		apps_to_check = 0;
	}
}

static void
check_again(void)
{
	noted_iterator iterator;
	NotedApp   *app;

	noted_start_iterate(noted_apps, &iterator);
	while ((app = noted_iterate(noted_apps, &iterator)) != NULL)
	{
		apps_to_check += !app->to_check;
		app->to_check = true;
	}
}

static void
check_again_after_rollback(SubXactEvent event, SubTransactionId subid,
						   SubTransactionId parent, void *arg)
{
	(void) subid;
	(void) parent;
	(void) arg;
	if (event == SUBXACT_EVENT_ABORT_SUB && noted_apps != NULL)
		check_again();
}

static void
note_app(int64 app_id)
{
	NotedApp   *app;
	bool		found;

	if (!callbacks_registered)
	{
		RegisterXactCallback(forget_at_end, NULL);
		RegisterSubXactCallback(check_again_after_rollback, NULL);
		callbacks_registered = true;
	}
	if (noted_apps == NULL)
		noted_apps = noted_create(TopTransactionContext, 64, NULL);
	app = noted_insert(noted_apps, app_id, &found);
	if (!found || !app->to_check)
		apps_to_check++;
	app->to_check = true;
}

static TriggerData *
trigger_call(FunctionCallInfo fcinfo)
{
	static const char *const names[] = {"im_order", "im_app"};
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function was not called by an AFTER trigger for each row"),
				 errdetail("It checks orders that were inserted, or an app whose rate card changed."),
				 errhint("im_create_tables() creates the triggers it is for.")));
	trigger_table_need(trigger, get_func_namespace(fcinfo->flinfo->fn_oid),
					   names, lengthof(names));
	return trigger;
}

Datum
im_order_note(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_call(fcinfo);
	HeapTuple	row = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ?
		trigger->tg_newtuple : trigger->tg_trigtuple;
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	int			column = SPI_fnumber(desc, "app_id");
	bool		isnull;
	Datum		app_id;

	if (column <= 0 || SPI_gettypeid(desc, column) != INT8OID)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("table \"%s\" has no column app_id of type bigint",
						RelationGetRelationName(trigger->tg_relation)),
				 errdetail("The trigger notes the app of each row."),
				 errhint("im_create_tables() creates the triggers it is for.")));
	app_id = SPI_getbinval(row, desc, column, &isnull);
	if (!isnull)
		note_app(DatumGetInt64(app_id));
	PG_RETURN_POINTER(NULL);
}

static ArrayType *
take_noted_apps(void)
{
	Datum	   *ids = palloc(sizeof(Datum) * apps_to_check);
	int			n = 0;
	noted_iterator iterator;
	NotedApp   *app;

	noted_start_iterate(noted_apps, &iterator);
	while ((app = noted_iterate(noted_apps, &iterator)) != NULL)
		if (app->to_check && n < apps_to_check)
		{
			ids[n++] = Int64GetDatum(app->app_id);
			app->to_check = false;
		}
	apps_to_check = 0;
	return construct_array(ids, n, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
}

/* Calls a function of the extension over the apps. */
static void
call_over_apps(const char *schema, const char *function, ArrayType *apps, bool read_only)
{
	char	   *query = psprintf("SELECT %s.%s($1)", quote_identifier(schema), function);
	Oid			types[] = {INT8ARRAYOID};
	Datum		values[] = {PointerGetDatum(apps)};

	if (SPI_execute_with_args(query, 1, types, values, NULL, read_only, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not check orders");
}

/*
 * Locks, then reads under a snapshot taken after the lock: in a repeatable
 * read transaction the transaction's own would not show what the other
 * writer of the app has committed meanwhile.
 */
static void
check_apps(const char *schema, ArrayType *apps)
{
	SPI_connect();
	call_over_apps(schema, "im_lock_apps", apps, false);
	CommandCounterIncrement();
	PushActiveSnapshot(GetLatestSnapshot());
	call_over_apps(schema, "im_verify_apps", apps, true);
	PopActiveSnapshot();
	SPI_finish();
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
 * The log, and the functions that run with its owner's rights, are those of
 * the schema of this function.  Neither locks an app nor tells of its orders
 * for a trigger that somebody put on a table of his own.
 */
Datum
im_order_check(PG_FUNCTION_ARGS)
{
	Oid			schema = get_func_namespace(fcinfo->flinfo->fn_oid);
	Oid			saved_user;
	int			saved_context;

	trigger_call(fcinfo);
	if (apps_to_check > 0)
	{
		ArrayType  *apps = take_noted_apps();

		GetUserIdAndSecContext(&saved_user, &saved_context);
		SetUserIdAndSecContext(owner_of_log(schema),
							   saved_context | SECURITY_LOCAL_USERID_CHANGE |
							   SECURITY_NOFORCE_RLS);
		check_apps(get_namespace_name(schema), apps);
		SetUserIdAndSecContext(saved_user, saved_context);
	}
	PG_RETURN_POINTER(NULL);
}
