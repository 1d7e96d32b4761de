/*
 * userset.h
 *	  The forms of an im_userset, for types that hold some.
 */
#ifndef IM_TYPES_USERSET_H
#define IM_TYPES_USERSET_H

#include "lib/compat.h"

extern PGDLLEXPORT Datum im_userset_in(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum im_userset_out(PG_FUNCTION_ARGS);
extern PGDLLEXPORT Datum im_userset_recv(PG_FUNCTION_ARGS);

#endif							/* IM_TYPES_USERSET_H */
