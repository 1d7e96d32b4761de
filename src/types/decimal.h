/*
 * decimal.h
 *	  A numeric as an Amount, without its digits being written out.
 */
#ifndef IM_TYPES_DECIMAL_H
#define IM_TYPES_DECIMAL_H

#include "lib/compat.h"

#include "core/amount.h"

/*
 * The Amount of a numeric, which may have a short header but is not toasted
 * (PG_GETARG_VARLENA_PP).  Unlike amount_parse() it takes negative values and
 * whatever fits into 128 bits: AMOUNT_NOT_A_NUMBER for NaN and infinities,
 * AMOUNT_TOO_LARGE, AMOUNT_TOO_FINE; *result is set with AMOUNT_OK alone.
 * Neither allocates nor raises.
 */
extern AmountParse decimal_amount(const struct varlena *decimal, Amount *result);

/*
 * The quantity >= 0 of an argument; "what" names it in errors: 22023 for one
 * that is negative or not finite, 22003 for one that does not fit.
 */
extern Amount quantity_argument(FunctionCallInfo fcinfo, int argno, const char *what);

/* The same without a lower bound. */
extern Amount figure_argument(FunctionCallInfo fcinfo, int argno, const char *what);

#endif							/* IM_TYPES_DECIMAL_H */
