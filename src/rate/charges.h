/*
 * charges.h
 *	  What a quantity costs, of arguments from SQL.
 */
#ifndef IM_RATE_CHARGES_H
#define IM_RATE_CHARGES_H

#include "lib/compat.h"

#include "core/charge.h"

/*
 * What of a quantity is included; of a share that of the argument of_quantity,
 * where the function has as many: else 22023 with the hint.
 */
extern Amount included_argument(FunctionCallInfo fcinfo, int argno, Core *core,
								const Charge *charge, const char *hint);

#endif							/* IM_RATE_CHARGES_H */
