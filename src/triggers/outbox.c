/*
 * outbox.c
 *	  Trigger of im_suspension: tells im_outbox what becomes of suspensions.
 *
 * In the very transaction that writes the suspension, whoever writes it: so an
 * event is there once if the suspension is, and not if it is not.  The row goes
 * in with the rights of the tables' owner, as marks do.
 */
#include "lib/compat.h"

#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/lsyscache.h"
#include "utils/rangetypes.h"
#include "utils/rel.h"
#include "utils/typcache.h"

#include "triggers/marks.h"
#include "triggers/trigger_table.h"

PG_FUNCTION_INFO_V1(im_tell_suspension);

/* Of an app: days before, days after, each empty where there is no row. */
static const char tell_query[] =
	"INSERT INTO %1$s.im_outbox (kind, app_id, account_id, body) "
	"SELECT CASE WHEN $3 <@ $2 THEN 'app_resumed' ELSE 'app_suspended' END, $1, "
	"    (SELECT a.account_id FROM %1$s.im_app a WHERE a.app_id = $1), "
	"    jsonb_build_object('from', lower($3), 'until', upper($3), 'reason', $4) "
	"WHERE $2 <> $3";

static Datum
no_days(void)
{
	return RangeTypePGetDatum(make_empty_range(lookup_type_cache(DATERANGEOID, TYPECACHE_RANGE_INFO)));
}

/* A column of the table, which im_create_tables() makes NOT NULL. */
static Datum
value_of(TriggerData *trigger, HeapTuple row, const char *column, Oid type)
{
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	int			number = SPI_fnumber(desc, column);
	bool		isnull = true;
	Datum		value = (Datum) 0;

	if (number > 0 && SPI_gettypeid(desc, number) == type)
		value = heap_getattr(row, number, desc, &isnull);
	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("table \"%s\" has no %s of type %s",
						RelationGetRelationName(trigger->tg_relation), column, format_type_be(type)),
				 errdetail("The trigger tells the outbox what becomes of suspensions."),
				 errhint("im_create_tables() creates the trigger it is for.")));
	return value;
}

static void
tell(TriggerData *trigger, Oid schema, HeapTuple row, Datum before, Datum after)
{
	Oid			types[] = {INT8OID, DATERANGEOID, DATERANGEOID, TEXTOID};
	Datum		values[] = {value_of(trigger, row, "app_id", INT8OID), before, after,
	value_of(trigger, row, "reason", TEXTOID)};

	marks_run_as_owner(schema, NULL, tell_query, lengthof(types), types, values);
}

Datum
im_tell_suspension(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"im_suspension"};
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	Oid			schema = get_func_namespace(fcinfo->flinfo->fn_oid);
	HeapTuple	old,
				new;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function was not called by an AFTER trigger for each row"),
				 errdetail("It tells the outbox what becomes of suspensions."),
				 errhint("im_create_tables() creates the trigger it is for.")));
	trigger_table_need(trigger, schema, names, lengthof(names));
	old = TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ? NULL : trigger->tg_trigtuple;
	new = TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ? trigger->tg_trigtuple :
		TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : NULL;
	if (old != NULL && new != NULL &&
		DatumGetInt64(value_of(trigger, old, "app_id", INT8OID)) ==
		DatumGetInt64(value_of(trigger, new, "app_id", INT8OID)))
		tell(trigger, schema, new, value_of(trigger, old, "days", DATERANGEOID),
			 value_of(trigger, new, "days", DATERANGEOID));
	else
	{
		if (old != NULL)
			tell(trigger, schema, old, value_of(trigger, old, "days", DATERANGEOID), no_days());
		if (new != NULL)
			tell(trigger, schema, new, no_days(), value_of(trigger, new, "days", DATERANGEOID));
	}
	PG_RETURN_POINTER(NULL);
}
