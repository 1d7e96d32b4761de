/*
 * amount.h
 *	  Exact decimals: money and fractions of usage.
 *
 * An Amount is an integer count of 10^-8.  Eight places are what a bill line
 * may have (R9), and 128 bits leave room for 1.7e30, so every product of a
 * bill is exact or is found to overflow; nothing wraps and nothing is rounded
 * but by the functions that say so.
 */
#ifndef IM_CORE_AMOUNT_H
#define IM_CORE_AMOUNT_H

#include "core/core.h"

/*
 * Aligned to 8 because that is all that palloc promises, while the compiler
 * would otherwise use instructions that need 16.
 */
typedef __int128 Amount __attribute__((aligned(8)));

#define AMOUNT_PLACES	8
#define AMOUNT_ONE		((Amount) 100000000)
#define AMOUNT_CENT		((Amount) 1000000)

/* The largest price, coefficient or agreed amount that is taken in. */
#define AMOUNT_INPUT_DIGITS	12
#define AMOUNT_INPUT_MOST	((Amount) 1000000000000 * AMOUNT_ONE - 1)

/* Bytes that hold any printed Amount, terminator included. */
#define AMOUNT_TEXT_SIZE	48

typedef enum AmountParse
{
	AMOUNT_OK,
	AMOUNT_NOT_A_NUMBER,		/* not digits with at most one point */
	AMOUNT_NEGATIVE,
	AMOUNT_TOO_LARGE,			/* more than AMOUNT_INPUT_DIGITS digits before the point */
	AMOUNT_TOO_FINE				/* more than AMOUNT_PLACES places that are not zero */
} AmountParse;

/* Reads a plain decimal of len bytes: digits, or digits, a point and digits. */
extern AmountParse amount_parse(const char *text, size_t len, Amount *result);

/* Prints without trailing zeros, with at least min_places places. */
extern char *amount_text(Amount value, int min_places, char *buf);

/* Places behind the point that are not trailing zeros, 0 to 8. */
extern int	amount_places(Amount value);

/* Exact arithmetic; a result that does not fit fails with PROBLEM_RANGE. */
extern Amount amount_add(Core *core, Amount a, Amount b);
extern Amount amount_sub(Core *core, Amount a, Amount b);
extern Amount amount_times(Core *core, Amount a, Amount count);

/* The product of two Amounts; one that needs more than 8 places fails too. */
extern Amount amount_mul(Core *core, Amount a, Amount b);

/* The product of two Amounts >= 0, half up to 8 places; one that does not fit fails. */
extern Amount amount_mul_round(Core *core, Amount a, Amount b);

/* numerator / denominator > 0 to a multiple of "unit", half up. */
extern Amount amount_ratio(Core *core, Amount numerator, Amount denominator, Amount unit);

/*
 * total * part / whole rounded down, for 0 <= part <= whole and total >= 0;
 * exact however large the product in between.
 */
extern Amount amount_share(Amount total, Amount part, Amount whole);

/* An integer as an Amount. */
static inline Amount
amount_of(int64_t n)
{
	return (Amount) n * AMOUNT_ONE;
}

#endif							/* IM_CORE_AMOUNT_H */
