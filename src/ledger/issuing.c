/*
 * issuing.c
 *	  Who may write the ledger: closing and adjusting, and nothing else.
 *
 * The owner of the tables can insert into them.  A document that was put there
 * by hand agrees with itself, and only its digests tell it from one that was
 * issued.  So a trigger refuses every row that does not come from within a
 * batch of a close or an adjustment.  That one is under way is known here, in
 * the session's memory, which no statement can set: neither a setting nor the
 * function that does the work, called by itself, opens the ledger.
 *
 * The trigger fires in the origin role alone.  A subscriber applies what was
 * issued elsewhere, and a data-only dump is restored with --disable-triggers.
 */
#include "lib/compat.h"

#include "catalog/namespace.h"
#include "parser/parse_func.h"
#include "triggers/trigger_table.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(im_close_some);
PG_FUNCTION_INFO_V1(im_adjust_some);
PG_FUNCTION_INFO_V1(im_only_issued);

#define BATCH_ARGS 3

static bool issuing = false;

/* The function of this name in the schema, and with the arguments, of another. */
static Oid
sibling(Oid function, char *name)
{
	char	   *schema = get_namespace_name(get_func_namespace(function));
	Oid		   *types;
	int			count;

	get_func_signature(function, &types, &count);
	return LookupFuncName(list_make2(makeString(schema), makeString(name)),
						  count, types, false);
}

/* Runs the named function on the caller's arguments, with the ledger open. */
static Datum
issue(FunctionCallInfo fcinfo, char *name)
{
	LOCAL_FCINFO(batch, BATCH_ARGS);
	FmgrInfo	function;
	bool		before = issuing;
	Datum		result;

	fmgr_info(sibling(fcinfo->flinfo->fn_oid, name), &function);
	InitFunctionCallInfoData(*batch, &function, BATCH_ARGS, InvalidOid, NULL, NULL);
	memcpy(batch->args, fcinfo->args, BATCH_ARGS * sizeof(NullableDatum));
	issuing = true;
	PG_TRY();
	{
		result = FunctionCallInvoke(batch);
	}
	PG_FINALLY();
	{
		issuing = before;
	}
	PG_END_TRY();
	fcinfo->isnull = batch->isnull;
	return result;
}

Datum
im_close_some(PG_FUNCTION_ARGS)
{
	return issue(fcinfo, "im_close_apps");
}

Datum
im_adjust_some(PG_FUNCTION_ARGS)
{
	return issue(fcinfo, "im_adjust_apps");
}

Datum
im_only_issued(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ||
		!TRIGGER_FIRED_BEFORE(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("im_only_issued() is a trigger before each row that is inserted"),
				 errdetail("It guards the tables of what was issued."),
				 errhint("im_create_tables() makes all of its triggers that there are to be.")));
	if (!issuing)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("%s holds what was issued: INSERT is refused",
						RelationGetRelationName(trigger->tg_relation)),
				 errdetail("Its rows are written by closing and adjusting months, and by nothing else."),
				 errhint("CALL im_close_month(month) or im_adjust_month(month); restore a data-only dump that was made with --disable-triggers.")));
	PG_RETURN_POINTER(trigger->tg_trigtuple);
}
