/*
 * caller.c
 *	  Who asks: the role that calls a function which reads for others.
 *
 * Readers and tenants hold no grant on the tables.  A public function runs
 * with the rights of its caller and hands the question to a function of the
 * tables' owner, SECURITY DEFINER, whose answer depends on who asked.  There,
 * the current role is the owner; the session's role would be the wrong one
 * whenever other code stands between: an index expression, a trigger or a
 * SECURITY DEFINER function of one tenant that runs in the session of another,
 * or of a superuser.  So the public function notes its caller, as the current
 * role that every privilege check of the server looks at, and the function
 * it calls next takes the note, once.  No code of users runs in between; a
 * note that an error left behind is dropped with its (sub)transaction, and
 * none outlives the statement of the client that it was made in.
 */
#include "lib/compat.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/catcache.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "server/schemas.h"

PG_FUNCTION_INFO_V1(im_guarded);
PG_FUNCTION_INFO_V1(im_caller);

/* What a bill is computed from: who may read all of it asks nobody. */
static const char *const tables_of_bills[] = {
	"im_order", "im_app", "im_rate_card_version", "im_suspension", "im_login",
	"im_group", "im_moderation_check", "im_call", "im_event", "im_usage_daily",
	"im_meter_daily", "im_closing", "im_invoice", "im_invoice_line", "im_metered_day",
	"im_metered_partition", "im_metered_beside", "im_meter_beside", "im_usage_mark"
};

typedef struct Note
{
	Oid			caller;			/* InvalidOid: none */
	Oid			schema;
	NameData	function;
	TimestampTz statement;		/* when that of the client began */
} Note;

static Note note;

static void
forget_at_end(XactEvent event, void *arg)
{
	(void) event;
	(void) arg;
	note.caller = InvalidOid;
}

static void
forget_after_rollback(SubXactEvent event, SubTransactionId subid,
					  SubTransactionId parent, void *arg)
{
	(void) subid;
	(void) parent;
	(void) arg;
	if (event == SUBXACT_EVENT_ABORT_SUB)
		note.caller = InvalidOid;
}

static void
take_note(Oid caller, Oid schema, const char *function)
{
	static bool callbacks_registered = false;

	if (!callbacks_registered)
	{
		RegisterXactCallback(forget_at_end, NULL);
		RegisterSubXactCallback(forget_after_rollback, NULL);
		callbacks_registered = true;
	}
	note.caller = caller;
	note.schema = schema;
	namestrcpy(&note.function, function);
	note.statement = GetCurrentStatementStartTimestamp();
}

/* A table that does not exist (yet) is nobody's secret. */
static bool
may_read_tables(Oid schema, Oid role)
{
	for (int i = 0; i < (int) lengthof(tables_of_bills); i++)
	{
		Oid			relid = get_relname_relid(tables_of_bills[i], schema);

		if (OidIsValid(relid) && pg_class_aclcheck(relid, role, ACL_SELECT) != ACLCHECK_OK)
			return false;
	}
	return true;
}

static Oid
owner_of_tables(Oid schema)
{
	Oid			relid = get_relname_relid(tables_of_bills[0], schema);
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

/*
 * A function of the name that belongs to somebody else was put there by
 * somebody else, to be called with the rights of whoever asks.
 */
static void
need_owner(Form_pg_proc function, Oid owner)
{
	if (function->proowner != owner || !function->prosecdef)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("function %s is not one of the owner of the tables",
						NameStr(function->proname)),
				 errdetail("It belongs to role \"%s\", or runs with the rights of its caller.",
						   GetUserNameFromId(function->proowner, true)),
				 errhint("Drop it, or give it to the owner of the tables, and call im_create_tables().")));
}

/* Is there such a function of the owner, and may the role call it? */
static bool
may_ask(Oid schema, const char *name, Oid role)
{
	CatCList   *list = SearchSysCacheList1(PROCNAMEARGSNSP, CStringGetDatum(name));
	Oid			owner = owner_of_tables(schema);
	bool		may = false;

	for (int i = 0; i < list->n_members; i++)
	{
		Form_pg_proc function = (Form_pg_proc) GETSTRUCT(&list->members[i]->tuple);

		if (function->pronamespace != schema)
			continue;
		need_owner(function, owner);
		may = may || function_aclcheck(function->oid, role) == ACLCHECK_OK;
	}
	ReleaseSysCacheList(list);
	return may;
}

/*
 * True if the caller is to be answered by the named function, which the next
 * statement has to call; false if the caller reads the tables, or fails to,
 * with rights of its own.
 */
Datum
im_guarded(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Oid			schema = extension_schema();
	Oid			role = GetUserId();

	if (strlen(name) >= NAMEDATALEN || may_read_tables(schema, role) ||
		!may_ask(schema, name, role))
		PG_RETURN_BOOL(false);
	take_note(role, schema, name);
	PG_RETURN_BOOL(true);
}

/* The role that im_guarded() noted for this function. */
Datum
im_caller(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Oid			schema = extension_schema();
	Oid			caller = note.caller;

	note.caller = InvalidOid;
	if (!OidIsValid(caller) || note.schema != schema ||
		note.statement != GetCurrentStatementStartTimestamp() ||
		strcmp(NameStr(note.function), name) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("function %s is not to be called directly", name),
				 errdetail("It answers the role that calls the public function in front of it."),
				 errhint("Call the function of the name without \"_guarded\".")));
	PG_RETURN_OID(caller);
}
