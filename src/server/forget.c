/*
 * forget.c
 *	  Keeps a session that meters again and again as small as it was.
 *
 * The server remembers in its catalogue cache what it did not find.  For each
 * temporary table that is the statistics of the columns that the planner asked
 * for and a type by the name of the TOAST table: 4 to 6 kB for each im_meter()
 * of whole days, under keys that never come again.  It does not forget them
 * with the tables, so that a session that goes on metering would go on growing.
 */
#include "lib/compat.h"

#include "catalog/pg_statistic.h"
#include "catalog/pg_type.h"
#include "utils/catcache.h"

PG_FUNCTION_INFO_V1(im_forget_temporary);

/* What is still needed of the two catalogues is read again. */
Datum
im_forget_temporary(PG_FUNCTION_ARGS)
{
	(void) fcinfo;
	CatalogCacheFlushCatalog(StatisticRelationId);
	CatalogCacheFlushCatalog(TypeRelationId);
	PG_RETURN_VOID();
}
