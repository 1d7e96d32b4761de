/*
 * mark_applied.c
 *	  Trigger of the raw tables: marks everything when rows come by replication.
 *
 * A subscription fires no trigger of a statement.  While it is there nothing
 * metered counts; that it was there leaves no trace but what this trigger
 * writes.  It fires for each row, in sessions of replication role replica
 * only, and there it has something to do in background workers only: what a
 * client's statement changes, other triggers mark to the instant.
 */
#include "lib/compat.h"

#include "access/xact.h"
#include "commands/trigger.h"
#include "postmaster/bgworker.h"
#include "utils/lsyscache.h"

#include "triggers/marks.h"

PG_FUNCTION_INFO_V1(im_mark_applied);

/*
 * A mark for everything that is there already serves, if it cannot be taken
 * away before we end: who meters waits for our lock.
 */
static const char applied_query[] =
	"WITH held AS (SELECT FROM %1$s.im_usage_mark m "
	"    WHERE m.app_id IS NULL AND m.since = '-infinity' AND m.until = 'infinity' "
	"    LIMIT 1 FOR KEY SHARE SKIP LOCKED) "
	"INSERT INTO %1$s.im_usage_mark (app_id, since, until) "
	"SELECT NULL, '-infinity', 'infinity' WHERE NOT EXISTS (SELECT FROM held)";

/* Whether this part of the transaction, which may be rolled back alone, has marked. */
static bool
has_marked(void)
{
	static FullTransactionId transaction;
	static SubTransactionId part;
	FullTransactionId now = GetTopFullTransactionId();

	if (FullTransactionIdEquals(transaction, now) && part == GetCurrentSubTransactionId())
		return true;
	transaction = now;
	part = GetCurrentSubTransactionId();
	return false;
}

Datum
im_mark_applied(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	Oid			schema = get_func_namespace(fcinfo->flinfo->fn_oid);

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function was not called by an AFTER trigger for each row"),
				 errdetail("It marks that rows came by replication."),
				 errhint("im_create_tables() and im_meter() create the triggers it is for.")));
	if (MyBgworkerEntry == NULL)
		PG_RETURN_POINTER(NULL);
	marks_need_table(trigger, schema);
	if (marks_wanted(schema) && !has_marked())
		marks_run_as_owner(schema, NULL, applied_query, 0, NULL, NULL);
	PG_RETURN_POINTER(NULL);
}
