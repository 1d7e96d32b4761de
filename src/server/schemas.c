/*
 * schemas.c
 *	  The two schemas, found by what the catalogues say of the extension.
 */
#include "server/schemas.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_namespace.h"
#include "commands/extension.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

#define EXTENSION "imbilling"

Oid
extension_schema(void)
{
	Relation	rel = table_open(ExtensionRelationId, AccessShareLock);
	Oid			schema = InvalidOid;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber, F_NAMEEQ,
				CStringGetDatum(EXTENSION));
	scan = systable_beginscan(rel, ExtensionNameIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		schema = ((Form_pg_extension) GETSTRUCT(tuple))->extnamespace;
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	if (!OidIsValid(schema))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("extension \"%s\" does not exist", EXTENSION),
				 errdetail("Its tables are looked for in the schema that it was created in."),
				 errhint("CREATE EXTENSION %s.", EXTENSION)));
	return schema;
}

/* A schema of the name that somebody else made has nothing of ours. */
Oid
internal_schema(void)
{
	Oid			internal = get_namespace_oid("im_internal", true);

	if (OidIsValid(internal) &&
		getExtensionOfObject(NamespaceRelationId, internal) == get_extension_oid(EXTENSION, true))
		return internal;
	return extension_schema();
}
