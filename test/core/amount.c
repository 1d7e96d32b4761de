/*
 * amount.c
 *	  Exact decimals: reading, printing, limits, and the two that round.
 */
#include "core/amount.h"
#include "tap.h"

#define AMOUNT_MAX	((Amount) (((unsigned __int128) 1 << 127) - 1))
#define AMOUNT_MIN	(-AMOUNT_MAX - 1)

static Amount
amount(const char *text)
{
	bool		negative = text[0] == '-';
	Amount		value = 0;

	if (amount_parse(text + negative, strlen(text) - negative, &value) != AMOUNT_OK)
	{
		printf("# the test itself has the wrong amount \"%s\"\n", text);
		abort();
	}
	return negative ? -value : value;
}

static const char *
text(Amount value)
{
	static char buffers[4][AMOUNT_TEXT_SIZE];
	static int	next = 0;

	return amount_text(value, 0, buffers[next++ % 4]);
}

static const struct
{
	const char *text;
	AmountParse result;
	const char *printed;
}			parses[] =
{
	{"0", AMOUNT_OK, "0"},
	{"00012", AMOUNT_OK, "12"},
	{"0.0010", AMOUNT_OK, "0.001"},
	{"1049.95", AMOUNT_OK, "1049.95"},
	{"0.00000001", AMOUNT_OK, "0.00000001"},
	{"0.000000010000", AMOUNT_OK, "0.00000001"},
	{"0.000000001", AMOUNT_TOO_FINE, NULL},
	{"0.000000010001", AMOUNT_TOO_FINE, NULL},
	{"999999999999.99999999", AMOUNT_OK, "999999999999.99999999"},
	{"0000999999999999", AMOUNT_OK, "999999999999"},
	{"1000000000000", AMOUNT_TOO_LARGE, NULL},
	{"99999999999999999999999999999999999999999999", AMOUNT_TOO_LARGE, NULL},
	{"", AMOUNT_NOT_A_NUMBER, NULL},
	{".", AMOUNT_NOT_A_NUMBER, NULL},
	{".5", AMOUNT_NOT_A_NUMBER, NULL},
	{"5.", AMOUNT_NOT_A_NUMBER, NULL},
	{"1.2.3", AMOUNT_NOT_A_NUMBER, NULL},
	{"1..2", AMOUNT_NOT_A_NUMBER, NULL},
	{"1e3", AMOUNT_NOT_A_NUMBER, NULL},
	{"+1", AMOUNT_NOT_A_NUMBER, NULL},
	{" 1", AMOUNT_NOT_A_NUMBER, NULL},
	{"1 ", AMOUNT_NOT_A_NUMBER, NULL},
	{"1,5", AMOUNT_NOT_A_NUMBER, NULL},
	{"NaN", AMOUNT_NOT_A_NUMBER, NULL},
	{"Infinity", AMOUNT_NOT_A_NUMBER, NULL},
	{"-1", AMOUNT_NEGATIVE, NULL},
	{"-0.01", AMOUNT_NEGATIVE, NULL},
};

static void
test_parse(void)
{
	for (size_t i = 0; i < sizeof(parses) / sizeof(parses[0]); i++)
	{
		/* an exact copy, so that a read past the length is seen */
		size_t		len = strlen(parses[i].text);
		char	   *copy = malloc(len + 1);
		Amount		value = 0;
		AmountParse result;

		memcpy(copy, parses[i].text, len);
		result = amount_parse(copy, len, &value);
		free(copy);
		ok(result == parses[i].result && (result != AMOUNT_OK || strcmp(text(value), parses[i].printed) == 0),
		   "\"%s\" is read as another amount or with another error (%d, %s)",
		   parses[i].text, (int) result, text(value));
	}
}

static void
test_text(void)
{
	char		buf[AMOUNT_TEXT_SIZE];

	is(amount_text(amount("999"), 2, buf), "999.00", "a whole amount lacks the currency's places");
	is(amount_text(amount("0.5"), 2, buf), "0.50", "a tenth is not filled up to two places");
	is(amount_text(amount("0.007"), 2, buf), "0.007", "places past the least number are cut off");
	is(amount_text(0, 2, buf), "0.00", "nothing is not printed as 0.00");
	is(amount_text(0, 0, buf), "0", "nothing is not printed as 0");
	is(amount_text(-1, 0, buf), "-0.00000001", "the smallest debt is printed otherwise");
	is(amount_text(amount("-16043.84"), 2, buf), "-16043.84", "a negative amount is printed otherwise");
	is(amount_text(AMOUNT_MAX, 0, buf), "1701411834604692317316873037158.84105727",
	   "the largest amount is printed otherwise");
	is(amount_text(AMOUNT_MIN, 8, buf), "-1701411834604692317316873037158.84105728",
	   "the least amount, whose negative does not exist, is printed otherwise");
	is_int(amount_places(amount("0.65")), 2, "0.65 has not two places");
	is_int(amount_places(amount("100")), 0, "100 has places");
	is_int(amount_places(0), 0, "0 has places");
	is_int(amount_places(-1), 8, "the finest amount has not eight places");
}

typedef enum Operation
{
	ADD,
	SUB,
	TIMES,
	MUL,
	RATIO
} Operation;

static Amount
operate(Core *core, Operation operation, Amount a, Amount b, Amount unit)
{
	switch (operation)
	{
		case ADD:
			return amount_add(core, a, b);
		case SUB:
			return amount_sub(core, a, b);
		case TIMES:
			return amount_times(core, a, b);
		case MUL:
			return amount_mul(core, a, b);
		case RATIO:
			return amount_ratio(core, a, b, unit);
	}
	abort();
}

/* The result as text, or "too large" where the core refuses it. */
static const char *
result_of(Operation operation, Amount a, Amount b, Amount unit)
{
	TestCore	test;
	static char buf[AMOUNT_TEXT_SIZE];

	test_core_open(&test);
	if (TRY_CORE(&test))
		amount_text(operate(&test.core, operation, a, b, unit), 0, buf);
	else
		strcpy(buf, test.problem.code == PROBLEM_RANGE ? "too large" : "another problem");
	test_core_close(&test);
	return buf;
}

static void
test_limits(void)
{
	is(result_of(ADD, AMOUNT_MAX - 1, 1, 0), text(AMOUNT_MAX), "the largest sum is refused");
	is(result_of(ADD, AMOUNT_MAX, 1, 0), "too large", "a sum wraps around");
	is(result_of(ADD, AMOUNT_MIN, -1, 0), "too large", "a negative sum wraps around");
	is(result_of(SUB, AMOUNT_MIN, 1, 0), "too large", "a difference wraps around");
	is(result_of(SUB, 0, AMOUNT_MIN, 0), "too large", "the least amount is negated");
	is(result_of(SUB, amount("999"), amount("2999"), 0), "-2000", "a difference is wrong below 0");
	is(result_of(TIMES, AMOUNT_MAX / 2, 2, 0), text(AMOUNT_MAX - 1), "the largest product is refused");
	is(result_of(TIMES, AMOUNT_MAX / 2 + 1, 2, 0), "too large", "a product wraps around");
	is(result_of(TIMES, amount("999.99"), -3, 0), "-2999.97", "a negative product is wrong");
	is(result_of(TIMES, amount("999999999999.99999999"), INT64_MAX, 0), "too large",
	   "the dearest price by the largest count wraps around");
}

static void
test_mul(void)
{
	is(result_of(MUL, amount("15.05"), amount("0.0010"), 0), "0.01505", "15.05 deductions at 0.0010 are not 0.01505");
	is(result_of(MUL, amount("0.0001"), amount("0.0001"), 0), "0.00000001", "a product of eight places is not exact");
	is(result_of(MUL, amount("0.0001"), amount("0.00001"), 0), "too large", "a product of nine places is rounded");
	is(result_of(MUL, amount("0.0005"), amount("0.00002"), 0), "0.00000001",
	   "a product whose ninth place is 0 is refused though it is exact");
	is(result_of(MUL, amount("0.65"), 0, 0), "0", "a product with 0 is not 0");
	is(result_of(MUL, 0, amount("0.00000001"), 0), "0", "0 by the finest price is refused");
	is(result_of(MUL, -amount("2.5"), amount("4"), 0), "-10", "a negative product is wrong");
	is(result_of(MUL, -amount("2.5"), -amount("0.4"), 0), "1", "two negatives make no positive");
	is(result_of(MUL, amount_of(INT64_MAX), amount("0.001"), 0), "9223372036854775.807",
	   "the most checks at the cheap price overflow on the way");
	is(result_of(MUL, amount_of(INT64_MAX), amount("999999999999.99999999"), 0), "too large",
	   "a product past 128 bits wraps around");
}

static void
test_ratio(void)
{
	is(result_of(RATIO, 1, 2, 1), "0.00000001", "a half is not rounded up");
	is(result_of(RATIO, 49, 100, 1), "0", "less than a half is rounded up");
	is(result_of(RATIO, amount("10"), 3, 1), "3.33333333", "a third is not cut to 8 places");
	is(result_of(RATIO, amount("20"), 3, 1), "6.66666667", "two thirds are not rounded up to 8 places");
	is(result_of(RATIO, amount("0.005"), 1, AMOUNT_CENT), "0.01", "half a cent is not rounded up");
	is(result_of(RATIO, amount("0.00499999"), 1, AMOUNT_CENT), "0", "less than half a cent is rounded up");
	is(result_of(RATIO, amount("0.015"), 1, AMOUNT_CENT), "0.02", "half a cent is rounded to even, not up");
	is(result_of(RATIO, 0, 31, AMOUNT_CENT), "0", "nothing divided is something");
	is(result_of(RATIO, amount("2000") * 244 * 12, 365, AMOUNT_CENT), "16043.84",
	   "R8's first check: 2000 * 244 / (365/12) is not 16043.84");
	is(result_of(RATIO, amount("6000") * 24 * 12, 365, AMOUNT_CENT), "4734.25",
	   "R8's second check: 6000 * 24 / (365/12) is not 4734.25");
	is(result_of(RATIO, AMOUNT_MAX, 1, 1), "too large", "twice the numerator wraps around");
	is(result_of(RATIO, 1, AMOUNT_MAX / 2 + 1, 2), "too large", "the denominator wraps around");
}

int
main(void)
{
	test_parse();
	test_text();
	test_limits();
	test_mul();
	test_ratio();
	return done_testing();
}
