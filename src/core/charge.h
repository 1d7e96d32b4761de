/*
 * charge.h
 *	  A charge: how a quantity becomes money (R12).
 *
 * A Charge is built once by whoever reads its text (types/charge.h) and never
 * changed.  A plain price is a charge of one tier without a bound, so that
 * there is one way from a quantity to an amount and not one for each shape.
 */
#ifndef IM_CORE_CHARGE_H
#define IM_CORE_CHARGE_H

#include "core/amount.h"

typedef enum ChargeMode
{
	CHARGE_GRADUATED,			/* each tier prices what lies in it; also a plain price */
	CHARGE_VOLUME				/* the tier in which the quantity lies prices all of it */
} ChargeMode;

/* What becomes of a part of a block. */
typedef enum ChargeRounding
{
	ROUND_UP,
	ROUND_DOWN,
	ROUND_NEAREST				/* half up */
} ChargeRounding;

typedef struct ChargeTier
{
	bool		bounded;		/* the last tier is not */
	Amount		to;				/* belongs to this tier, not to the next */
	Amount		block;			/* 0: priced by the unit, fractions as well */
	Amount		price;			/* of a block or unit */
	Amount		flat;			/* due once anything lies in the tier */
	bool		excess;			/* volume: price only what is above the tier before */
} ChargeTier;

typedef struct Charge
{
	Amount		included;
	const char *share_of;		/* NULL, or the meter that "included" is a share of */
	Amount		share;
	ChargeMode	mode;
	ChargeRounding round;
	bool		has_minimum;
	Amount		minimum;
	bool		has_maximum;
	Amount		maximum;
	int			ntiers;			/* at least 1 */
	ChargeTier *tiers;
} Charge;

typedef enum ChargeLineKind
{
	CHARGE_UNITS,				/* units at a price */
	CHARGE_FLAT,				/* the flat of a tier */
	CHARGE_BOUND				/* what minimum adds or maximum takes; of no tier */
} ChargeLineKind;

typedef struct ChargeLine
{
	ChargeLineKind kind;
	int			tier;			/* from 1; 0 of CHARGE_BOUND */
	Amount		quantity;		/* its part of the whole quantity; the first has what is included too */
	Amount		included;
	Amount		units;
	Amount		unit_price;
	Amount		amount;
} ChargeLine;

typedef struct ChargeResult
{
	Amount		amount;			/* the sum of the lines */
	int			nlines;			/* at least 1 */
	ChargeLine *lines;
} ChargeResult;

/*
 * What comes off a quantity before it is priced; of_quantity is that of the
 * meter that share_of names, and counts only where there is one.  Fails with
 * PROBLEM_RANGE where the share does not fit.
 */
extern Amount charge_included(Core *core, const Charge *charge, Amount of_quantity);

/*
 * The lines of a quantity >= 0, of which included (see above) is free, and
 * their sum.  Each line is rounded half up to 8 places.  Allocates in the
 * core's memory; fails with PROBLEM_RANGE where a figure does not fit.
 */
extern ChargeResult charge_rate(Core *core, const Charge *charge, Amount quantity, Amount included);

#endif							/* IM_CORE_CHARGE_H */
