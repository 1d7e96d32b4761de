/*
 * trigger_table.c
 *	  On whose table a trigger function was called.
 */
#include "lib/compat.h"

#include "catalog/partition.h"
#include "nodes/pg_list.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "triggers/trigger_table.h"

void
trigger_table_need(TriggerData *trigger, Oid schema, const char *const *names, int nnames)
{
	Relation	rel = trigger->tg_relation;
	Oid			table = RelationGetRelid(rel);

	if (rel->rd_rel->relispartition)
		table = llast_oid(get_partition_ancestors(table));
	for (int i = 0; i < nnames; i++)
		if (get_relname_relid(names[i], schema) == table)
			return;
	ereport(ERROR,
			(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
			 errmsg("the trigger is not for table \"%s\"", RelationGetRelationName(rel)),
			 errdetail("It acts with the rights of the owner of the tables of imbilling, and serves those alone."),
			 errhint("im_create_tables() creates the triggers that there are to be.")));
}
