/*
 * decimal.c
 *	  A numeric as an Amount, without its digits being written out.
 *
 * A numeric is a sign and a weight, then digits of base 10000, the first of
 * which counts 10000^weight; there are no zeros at either end.  The server's
 * headers do not tell, but the form lies in users' tables and so cannot
 * change.  An Amount counts 10^-8, which is two digits behind the point.
 */
#include "types/decimal.h"

#include "utils/fmgrprotos.h"

#define DIGIT_BASE		10000
#define DIGITS_BEHIND	2

/* The first two bytes: the kind in the upper bits, and of the short kind all. */
#define KIND_MASK		0xC000
#define KIND_NEGATIVE	0x4000
#define KIND_SHORT		0x8000
#define KIND_SPECIAL	0xC000
#define SHORT_NEGATIVE	0x2000
#define SHORT_WEIGHT	0x003F
#define SHORT_BELOW_ONE	0x0040

typedef struct Digits
{
	bool		negative;
	int			weight;
	int			count;
	const char *bytes;			/* of int16 each, not aligned */
} Digits;

static bool
read_header(const struct varlena *decimal, Digits *digits)
{
	const char *bytes = VARDATA_ANY(decimal);
	Size		size = VARSIZE_ANY_EXHDR(decimal);
	uint16		kind;
	int16		weight;

	memcpy(&kind, bytes, sizeof(kind));
	if ((kind & KIND_MASK) == KIND_SPECIAL)
		return false;
	if ((kind & KIND_MASK) == KIND_SHORT)
	{
		digits->negative = (kind & SHORT_NEGATIVE) != 0;
		/* the bit above is the sign of two's complement */
		digits->weight = (kind & SHORT_WEIGHT) - (kind & SHORT_BELOW_ONE);
		digits->bytes = bytes + sizeof(kind);
	}
	else
	{
		memcpy(&weight, bytes + sizeof(kind), sizeof(weight));
		digits->negative = (kind & KIND_MASK) == KIND_NEGATIVE;
		digits->weight = weight;
		digits->bytes = bytes + sizeof(kind) + sizeof(weight);
	}
	digits->count = (int) ((size - (digits->bytes - bytes)) / sizeof(int16));
	return true;
}

static inline int16
digit_at(const Digits *digits, int i)
{
	int16		digit;

	if (i >= digits->count)
		return 0;
	memcpy(&digit, digits->bytes + (size_t) i * sizeof(digit), sizeof(digit));
	return digit;
}

/* So many digits from the first on, of which 64 bits hold four. */
static inline bool
add_digits(const Digits *digits, int places, Amount *value)
{
	int64		low = 0;
	int			i = 0;

	for (; i < places && i < 4; i++)
		low = low * DIGIT_BASE + digit_at(digits, i);
	*value = low;
	for (; i < places; i++)
		if (__builtin_mul_overflow(*value, (Amount) DIGIT_BASE, value) ||
			__builtin_add_overflow(*value, (Amount) digit_at(digits, i), value))
			return false;
	return true;
}

AmountParse
decimal_amount(const struct varlena *decimal, Amount *result)
{
	Digits		digits;
	Amount		value;

	if (unlikely(!read_header(decimal, &digits)))
		return AMOUNT_NOT_A_NUMBER;
	if (unlikely(digits.count > digits.weight + 1 + DIGITS_BEHIND))
		return AMOUNT_TOO_FINE;
	if (unlikely(digits.count == 0))
		value = 0;
	else if (unlikely(!add_digits(&digits, digits.weight + 1 + DIGITS_BEHIND, &value)))
		return AMOUNT_TOO_LARGE;
	*result = digits.negative ? -value : value;
	return AMOUNT_OK;
}

pg_noreturn static void
refuse_figure(int sqlstate, const char *what, Datum value, const char *is, const char *detail)
{
	ereport(ERROR,
			(errcode(sqlstate),
			 errmsg("%s %s %s", what, DatumGetCString(DirectFunctionCall1(numeric_out, value)), is),
			 errdetail("%s", detail),
			 errhint("Look for the rows that the figure was made of.")));
}

Amount
figure_argument(FunctionCallInfo fcinfo, int argno, const char *what)
{
	const struct varlena *decimal = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(argno));
	Amount		amount = 0;
	AmountParse parse = decimal_amount(decimal, &amount);

	if (likely(parse == AMOUNT_OK))
		return amount;
	if (parse == AMOUNT_TOO_FINE)
		refuse_figure(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, what, PG_GETARG_DATUM(argno), "has too many decimal places",
					  "Figures are exact to 8 places and are not rounded.");
	if (parse == AMOUNT_TOO_LARGE)
		refuse_figure(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, what, PG_GETARG_DATUM(argno), "is too large",
					  "Figures have at most 30 digits before the point.");
	refuse_figure(ERRCODE_INVALID_PARAMETER_VALUE, what, PG_GETARG_DATUM(argno), "is not finite",
				  "It must be a finite number.");
}

Amount
quantity_argument(FunctionCallInfo fcinfo, int argno, const char *what)
{
	Amount		amount = figure_argument(fcinfo, argno, what);

	if (unlikely(amount < 0))
		refuse_figure(ERRCODE_INVALID_PARAMETER_VALUE, what, PG_GETARG_DATUM(argno), "is negative",
					  "It must be at least 0.");
	return amount;
}
