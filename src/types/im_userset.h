/*
 * im_userset.h
 *	  What other files call of the SQL type im_userset.
 */
#ifndef IM_TYPES_IM_USERSET_H
#define IM_TYPES_IM_USERSET_H

#include "types/compat.h"

/* The union of two sets, and the number of users of one, as from SQL. */
extern PGDLLEXPORT Datum im_userset_union(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum im_count(PG_FUNCTION_ARGS);

#endif							/* IM_TYPES_IM_USERSET_H */
