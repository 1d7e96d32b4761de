/*
 * schemas.h
 *	  Where things are: the tables and what users call in the extension's
 *	  schema, everything else in im_internal.
 */
#ifndef IM_SCHEMAS_H
#define IM_SCHEMAS_H

#include "lib/compat.h"

/* The schema that CREATE EXTENSION was given.  Raises 42704 where there is no extension. */
extern Oid extension_schema(void);

/*
 * The schema im_internal, which the extension made.  The SQL of a version
 * before it, on this library, has everything in the extension's schema.
 */
extern Oid internal_schema(void);

#endif							/* IM_SCHEMAS_H */
