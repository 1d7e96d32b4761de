/*
 * charge.c
 *	  Charges: the edges of every shape, and figures that do not fit.
 */
#include "core/charge.h"
#include "tap.h"

#define LARGEST	((Amount) (((unsigned __int128) 1 << 127) - 1))

static TestCore core;

/* A figure in hundredths, which is fine enough for most of these tests. */
static Amount
cents(long long hundredths)
{
	return (Amount) hundredths * AMOUNT_CENT;
}

static const char *
text(Amount value)
{
	static char buffers[8][AMOUNT_TEXT_SIZE];
	static int	next = 0;

	return amount_text(value, 0, buffers[next++ % 8]);
}

/* "tier:quantity/units@price=amount" of each line, a bound as tier 0. */
static const char *
lines(const Charge *charge, Amount quantity)
{
	static char shown[1024];
	ChargeResult result = charge_rate(&core.core, charge, quantity, charge->included);
	size_t		used = 0;

	shown[0] = '\0';
	for (int i = 0; i < result.nlines; i++)
	{
		const ChargeLine *line = &result.lines[i];

		used += (size_t) snprintf(shown + used, sizeof(shown) - used, "%s%d:%s/%s@%s=%s", i > 0 ? " " : "",
								  line->tier, text(line->quantity), text(line->units),
								  text(line->unit_price), text(line->amount));
	}
	return shown;
}

static void
test_plain(void)
{
	ChargeTier	tier = {.block = cents(1000000), .price = cents(100000)};
	Charge		charge = {.included = cents(1000000), .ntiers = 1, .tiers = &tier};

	is(lines(&charge, 0), "1:0/0@1000=0", "nothing is a line of nothing");
	is(lines(&charge, cents(1000000)), "1:10000/0@1000=0", "what is included is free");
	is(lines(&charge, cents(1000000) + 1), "1:10000.00000001/1@1000=1000", "a hair more starts a block");
	charge.round = ROUND_DOWN;
	is(lines(&charge, cents(1999999)), "1:19999.99/0@1000=0", "down: only whole blocks");
	charge.round = ROUND_NEAREST;
	is(lines(&charge, cents(1500000) - 1), "1:14999.99999999/0@1000=0", "nearest: below half");
	is(lines(&charge, cents(1500000)), "1:15000/1@1000=1000", "nearest: half goes up");
	tier.block = 3;
	is(lines(&charge, cents(1000000) + 1), "1:10000.00000001/0@1000=0", "nearest of an odd block: a third");
	is(lines(&charge, cents(1000000) + 2), "1:10000.00000002/1@1000=1000", "nearest of an odd block: two thirds");
}

static void
test_graduated(void)
{
	ChargeTier	tiers[] = {
		{.bounded = true, .to = cents(5000), .price = cents(500), .flat = cents(100)},
		{.bounded = true, .to = cents(10000), .price = cents(400), .flat = cents(700)},
		{.price = cents(350)}
	};
	Charge		charge = {.ntiers = 3, .tiers = tiers};

	is(lines(&charge, 0), "1:0/0@5=0 1:0/1@1=1", "the first flat is always due");
	is(lines(&charge, cents(5000)), "1:50/50@5=250 1:0/1@1=1", "a bound belongs to the lower tier");
	is(lines(&charge, cents(5000) + 1),
	   "1:50/50@5=250 1:0/1@1=1 2:0.00000001/0.00000001@4=0.00000004 2:0/1@7=7", "a hair more enters the next");
	is(lines(&charge, cents(12000)), "1:50/50@5=250 1:0/1@1=1 2:50/50@4=200 2:0/1@7=7 3:20/20@3.5=70",
	   "each tier prices what lies in it");
	tiers[0].to = 0;
	is(lines(&charge, cents(100)), "1:0/1@1=1 2:1/1@4=4 2:0/1@7=7", "nothing lies in a tier up to 0");
}

static void
test_volume(void)
{
	ChargeTier	tiers[] = {
		{.bounded = true, .to = cents(10000), .flat = cents(30000)},
		{.flat = cents(50000), .excess = true, .block = cents(1000), .price = cents(10000)}
	};
	Charge		charge = {.mode = CHARGE_VOLUME, .ntiers = 2, .tiers = tiers};

	is(lines(&charge, cents(10000)), "1:100/100@0=0 1:0/1@300=300", "a bound belongs to the lower tier");
	is(lines(&charge, cents(10050)), "2:100.5/1@100=100 2:0/1@500=500", "100.5 lies beyond 100; only the excess is counted");
	tiers[1].excess = false;
	is(lines(&charge, cents(10050)), "2:100.5/11@100=1100 2:0/1@500=500", "without excess all of it is");
}

static void
test_bounds(void)
{
	ChargeTier	tier = {.price = cents(100)};
	Charge		charge = {.has_minimum = true, .minimum = cents(1000), .has_maximum = true,
	.maximum = cents(2000), .ntiers = 1, .tiers = &tier};

	is(lines(&charge, 0), "1:0/0@1=0 0:0/1@10=10", "the minimum is due for nothing");
	is(lines(&charge, cents(1000)), "1:10/10@1=10", "the minimum reached adds no line");
	is(lines(&charge, cents(2000)), "1:20/20@1=20", "nor does the maximum");
	is(lines(&charge, cents(2001)), "1:20.01/20.01@1=20.01 0:0/1@-0.01=-0.01", "what the maximum takes");
}

static void
test_range(void)
{
	ChargeTier	tier = {.price = amount_of(999999999999)};
	Charge		charge = {.share = amount_of(2), .share_of = "mau", .ntiers = 1, .tiers = &tier};

	if (TRY_CORE(&core))
		ok(charge_rate(&core.core, &charge, LARGEST, 0).nlines < 0, "an amount that does not fit must not come out");
	else
		is_int(core.problem.code, PROBLEM_RANGE, "an amount that does not fit is a range problem");
	if (TRY_CORE(&core))
		ok(charge_included(&core.core, &charge, LARGEST) < 0, "nor a share");
	else
		is_int(core.problem.code, PROBLEM_RANGE, "a share that does not fit is one too");
	tier.price = 1;
	is(lines(&charge, LARGEST / 2), "1:850705917302346158658436518579.42052863/850705917302346158658436518579.42052863@0.00000001=8507059173023461586584.36518579",
	   "the largest quantity is exact");
	is(text(amount_mul_round(&core.core, 150000000, 1)), "0.00000002", "half a hundred-millionth goes up");
	is(text(amount_mul_round(&core.core, 149999999, 1)), "0.00000001", "less than half goes");
}

int
main(void)
{
	test_core_open(&core);
	test_plain();
	test_graduated();
	test_volume();
	test_bounds();
	test_range();
	test_core_close(&core);
	return done_testing();
}
