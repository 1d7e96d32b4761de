/*
 * charge.c
 *	  A charge: how a quantity becomes money (R12).
 */
#include "core/charge.h"

/* A tier and what of a quantity it is asked for. */
typedef struct TierPart
{
	int			number;			/* from 1 */
	const ChargeTier *tier;
	Amount		quantity;		/* what lies in the tier */
	Amount		priced;			/* what of it is counted in units */
} TierPart;

Amount
charge_included(Core *core, const Charge *charge, Amount of_quantity)
{
	if (charge->share_of == NULL)
		return charge->included;
	return amount_mul_round(core, charge->share, of_quantity);
}

/* Whole blocks of a part: how many are due is what "round" says. */
static Amount
blocks_of(Amount part, Amount block, ChargeRounding round)
{
	Amount		whole = part / block,
				rest = part % block;

	if (rest > 0 && round == ROUND_UP)
		whole++;
	/* the same as 2 * rest >= block, which might not fit */
	else if (round == ROUND_NEAREST && rest >= block - rest)
		whole++;
	return whole;
}

static Amount
units_of(Core *core, const Charge *charge, const ChargeTier *tier, Amount part)
{
	if (tier->block == 0)
		return part;
	return amount_times(core, AMOUNT_ONE, blocks_of(part, tier->block, charge->round));
}

static ChargeLine *
next_line(ChargeResult *result, ChargeLineKind kind, int tier)
{
	ChargeLine *line = &result->lines[result->nlines++];

	line->kind = kind;
	line->tier = tier;
	return line;
}

/* A line of one unit: a flat, or what a bound adds or takes. */
static void
add_single(Core *core, ChargeResult *result, ChargeLineKind kind, int tier, Amount amount)
{
	ChargeLine *line;

	if (amount == 0)
		return;
	line = next_line(result, kind, tier);
	line->units = AMOUNT_ONE;
	line->unit_price = line->amount = amount;
	result->amount = amount_add(core, result->amount, amount);
}

static void
add_units(Core *core, ChargeResult *result, const Charge *charge, const TierPart *part)
{
	ChargeLine *line = next_line(result, CHARGE_UNITS, part->number);

	line->quantity = part->quantity;
	line->units = units_of(core, charge, part->tier, part->priced);
	line->unit_price = part->tier->price;
	line->amount = amount_mul_round(core, line->units, line->unit_price);
	result->amount = amount_add(core, result->amount, line->amount);
}

/* What of the billable quantity lies between two bounds. */
static Amount
part_between(Amount billable, Amount below, const ChargeTier *tier)
{
	Amount		top = tier->bounded && tier->to < billable ? tier->to : billable;

	return top > below ? top - below : 0;
}

static void
rate_graduated(Core *core, ChargeResult *result, const Charge *charge, Amount billable)
{
	Amount		below = 0;

	for (int i = 0; i < charge->ntiers; i++)
	{
		const ChargeTier *tier = &charge->tiers[i];
		Amount		part = part_between(billable, below, tier);

		/* the first is there at 0 too, and its flat always */
		if (part > 0 || billable == 0)
			add_units(core, result, charge, &(TierPart) {i + 1, tier, part, part});
		if (part > 0 || i == 0)
			add_single(core, result, CHARGE_FLAT, i + 1, tier->flat);
		if (!tier->bounded || billable <= tier->to)
			return;
		below = tier->to;
	}
}

static void
rate_volume(Core *core, ChargeResult *result, const Charge *charge, Amount billable)
{
	int			i = 0;
	Amount		below = 0;

	for (; charge->tiers[i].bounded && billable > charge->tiers[i].to; i++)
		below = charge->tiers[i].to;
	add_units(core, result, charge, &(TierPart) {i + 1, &charge->tiers[i], billable,
			  charge->tiers[i].excess ? billable - below : billable});
	add_single(core, result, CHARGE_FLAT, i + 1, charge->tiers[i].flat);
}

static void
apply_bounds(Core *core, ChargeResult *result, const Charge *charge)
{
	if (charge->has_minimum && result->amount < charge->minimum)
		add_single(core, result, CHARGE_BOUND, 0, charge->minimum - result->amount);
	else if (charge->has_maximum && result->amount > charge->maximum)
		add_single(core, result, CHARGE_BOUND, 0, charge->maximum - result->amount);
}

/* What is free belongs to the first part: quantities of lines add up. */
static void
carry_included(ChargeResult *result, Amount free, Amount included)
{
	ChargeLine *line = result->lines;

	while (line->kind != CHARGE_UNITS)
		line++;
	line->quantity += free;
	line->included = included;
}

ChargeResult
charge_rate(Core *core, const Charge *charge, Amount quantity, Amount included)
{
	ChargeResult result = {0};
	Amount		free = quantity < included ? quantity : included;

	/* two for each tier, and one for a bound */
	result.lines = core_alloc(core, sizeof(ChargeLine) * (size_t) (2 * charge->ntiers + 1));
	if (charge->mode == CHARGE_VOLUME)
		rate_volume(core, &result, charge, quantity - free);
	else
		rate_graduated(core, &result, charge, quantity - free);
	carry_included(&result, free, included);
	apply_bounds(core, &result, charge);
	return result;
}
