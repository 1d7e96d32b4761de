/*
 * amount.c
 *	  Exact decimals: money and fractions of usage.
 */
#include "core/amount.h"

#include <string.h>

AmountParse
amount_parse(const char *text, size_t len, Amount *result)
{
	Amount		value = 0;
	int			digits = 0,
				places = -1;

	if (len > 0 && text[0] == '-')
		return AMOUNT_NEGATIVE;
	for (size_t i = 0; i < len; i++)
	{
		if (text[i] == '.' && places < 0 && i > 0 && i + 1 < len)
			places = 0;
		else if (text[i] < '0' || text[i] > '9')
			return AMOUNT_NOT_A_NUMBER;
		else if (places >= AMOUNT_PLACES)
		{
			if (text[i] != '0')
				return AMOUNT_TOO_FINE;
		}
		else
		{
			value = value * 10 + (text[i] - '0');
			if (places >= 0)
				places++;
			else if (value != 0 && ++digits > AMOUNT_INPUT_DIGITS)
				return AMOUNT_TOO_LARGE;
		}
	}
	if (len == 0)
		return AMOUNT_NOT_A_NUMBER;
	for (int i = places < 0 ? 0 : places; i < AMOUNT_PLACES; i++)
		value *= 10;
	*result = value;
	return AMOUNT_OK;
}

/*
 * Division of 128 bits by ten takes many times as long as that of 64, and
 * hardly any figure of a bill needs more than 64.
 */
static inline bool
is_short(Amount value)
{
	return value == (int64_t) value;
}

/* Takes up to most zeros off the end; returns how many there were. */
static int
strip_zeros(Amount *value, int most)
{
	int			stripped = 0;

	if (*value == 0)
		return 0;
	if (is_short(*value))
	{
		int64_t		rest = (int64_t) *value;

		for (; stripped < most && rest % 10 == 0; stripped++)
			rest /= 10;
		*value = rest;
	}
	else
		for (; stripped < most && *value % 10 == 0; stripped++)
			*value /= 10;
	return stripped;
}

/* Writes the digits from the last on, at least one more than places. */
static int
put_digits(unsigned __int128 rest, int places, char *digits)
{
	uint64_t	low;
	int			n = 0;

	for (; rest > UINT64_MAX; rest /= 10)
		digits[n++] = (char) ('0' + (int) (rest % 10));
	low = (uint64_t) rest;
	do
	{
		digits[n++] = (char) ('0' + (int) (low % 10));
		low /= 10;
	} while (low != 0 || n <= places);
	return n;
}

char *
amount_text(Amount value, int min_places, char *buf)
{
	char		digits[AMOUNT_TEXT_SIZE];
	unsigned __int128 rest = value < 0 ? -(unsigned __int128) value : (unsigned __int128) value;
	int			places = amount_places(value),
				out = 0,
				n;

	if (places < min_places)
		places = min_places;
	for (int i = places; i < AMOUNT_PLACES; i++)
		rest = rest > UINT64_MAX ? rest / 10 : (uint64_t) rest / 10;
	n = put_digits(rest, places, digits);

	if (value < 0)
		buf[out++] = '-';
	while (n > 0)
	{
		if (n == places)
			buf[out++] = '.';
		buf[out++] = digits[--n];
	}
	buf[out] = '\0';
	return buf;
}

int
amount_places(Amount value)
{
	return value == 0 ? 0 : AMOUNT_PLACES - strip_zeros(&value, AMOUNT_PLACES);
}

static void
out_of_range(Core *core)
{
	core_fail(core, PROBLEM_RANGE, "a figure of the bill is too large",
			  "An exact amount has at most 8 places behind the point and 30 digits before it.",
			  "Look for usage, prices or agreed amounts that cannot be meant.");
}

Amount
amount_add(Core *core, Amount a, Amount b)
{
	Amount		sum;

	if (__builtin_add_overflow(a, b, &sum))
		out_of_range(core);
	return sum;
}

Amount
amount_sub(Core *core, Amount a, Amount b)
{
	Amount		difference;

	if (__builtin_sub_overflow(a, b, &difference))
		out_of_range(core);
	return difference;
}

Amount
amount_times(Core *core, Amount a, Amount count)
{
	Amount		product;

	if (__builtin_mul_overflow(a, count, &product))
		out_of_range(core);
	return product;
}

/*
 * Both factors carry 10^8, so the product carries 10^16.  Trailing zeros are
 * taken off before multiplying rather than after: that keeps the product of
 * a whole number of checks and a price of few places far from overflow.
 */
Amount
amount_mul(Core *core, Amount a, Amount b)
{
	int			surplus = AMOUNT_PLACES;
	Amount		product;

	surplus -= strip_zeros(&a, surplus);
	surplus -= strip_zeros(&b, surplus);
	if (a == 0 || b == 0)
		return 0;
	/* 5 * 2 makes one more zero */
	for (product = amount_times(core, a, b); surplus > 0; product /= 10, surplus--)
		if (product % 10 != 0)
			core_fail(core, PROBLEM_RANGE, "an amount of the bill has more than 8 places",
					  "Lines of a bill are exact to 8 places and are not rounded.",
					  "Use prices and coefficients whose products have at most 8 places.");
	return product;
}

/*
 * Both factors are taken apart at the point, so that no product in between is
 * larger than what comes out: only the two fractions together are rounded.
 */
Amount
amount_mul_round(Core *core, Amount a, Amount b)
{
	Amount		a_whole = a / AMOUNT_ONE,
				a_rest = a % AMOUNT_ONE,
				b_whole = b / AMOUNT_ONE,
				b_rest = b % AMOUNT_ONE,
				rounded = (a_rest * b_rest + AMOUNT_ONE / 2) / AMOUNT_ONE;

	return amount_add(core, amount_times(core, a, b_whole),
					  amount_add(core, amount_times(core, a_whole, b_rest), rounded));
}

Amount
amount_ratio(Core *core, Amount numerator, Amount denominator, Amount unit)
{
	Amount		scaled = amount_times(core, denominator, unit),
				twice = amount_add(core, amount_add(core, numerator, numerator), scaled),
				divisor = amount_times(core, scaled, 2),
				quotient = twice / divisor;

	/* floor(n / (d * unit) + 1/2), in integers; C rounds towards 0 */
	return amount_times(core, twice % divisor < 0 ? quotient - 1 : quotient, unit);
}

/*
 * The whole multiples of "whole" in total are taken apart, and the product of
 * the two rests is divided bit by bit where 128 bits cannot hold it: rest and
 * quotient of part * bits so far, doubled and added to.
 */
Amount
amount_share(Amount total, Amount part, Amount whole)
{
	unsigned __int128 divisor = (unsigned __int128) whole,
				factor = (unsigned __int128) part,
				bits,
				rest = 0,
				quotient = 0;
	Amount		product;

	if (whole <= 0 || part >= whole)
		return total;
	if (!__builtin_mul_overflow(total, part, &product))
		return product / whole;
	bits = (unsigned __int128) (total % whole);
	for (int i = 127; i >= 0; i--)
	{
		rest *= 2;
		quotient *= 2;
		if ((bits >> i) & 1)
			rest += factor;
		while (rest >= divisor)
		{
			rest -= divisor;
			quotient++;
		}
	}
	return total / whole * part + (Amount) quotient;
}
