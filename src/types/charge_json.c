/*
 * charge_json.c
 *	  Reads a charge from JSON and refuses whatever is not one.
 */
#include "types/charge.h"

static void
read_included(Charge *charge, const Element *element)
{
	static const char *const keys[] = {"share", "of", NULL};
	Element		member;

	if (!element_is_object(element))
	{
		charge->included = element_amount(element);
		return;
	}
	element_only_keys(element, keys);
	member = element_need(element, "share");
	charge->share = element_amount(&member);
	member = element_need(element, "of");
	charge->share_of = element_text(&member);
}

static ChargeRounding
read_rounding(const Element *element)
{
	const char *name = element_text(element);

	if (strcmp(name, "up") == 0)
		return ROUND_UP;
	if (strcmp(name, "down") == 0)
		return ROUND_DOWN;
	if (strcmp(name, "nearest") == 0)
		return ROUND_NEAREST;
	element_refuse(element, psprintf("is \"%s\"", name), "Use up, down or nearest.");
}

/* Block and price, which a plain charge and a tier have alike. */
static void
read_price(ChargeTier *tier, const Element *element)
{
	Element		member;

	if (element_find(element, "block", &member))
	{
		tier->block = element_amount(&member);
		if (tier->block == 0)
			element_refuse(&member, "is 0", "A block holds more than nothing; leave it out for a price per unit.");
	}
	if (element_find(element, "price", &member))
		tier->price = element_amount(&member);
}

static void
read_plain(Charge *charge, const Element *element)
{
	element_need(element, "price");
	charge->mode = CHARGE_GRADUATED;
	charge->ntiers = 1;
	charge->tiers = palloc0(sizeof(ChargeTier));
	read_price(charge->tiers, element);
}

static void
read_tier(void *target, const char *name, const Element *element)
{
	static const char *const keys[] = {"to", "block", "price", "flat", "excess", NULL};
	Charge	   *charge = target;
	ChargeTier *tier = &charge->tiers[charge->ntiers++];
	Element		member;

	(void) name;
	element_only_keys(element, keys);
	read_price(tier, element);
	tier->bounded = element_find(element, "to", &member);
	if (tier->bounded)
		tier->to = element_amount(&member);
	if (element_find(element, "flat", &member))
		tier->flat = element_amount(&member);
	if (!element_find(element, "excess", &member))
		return;
	tier->excess = element_boolean(&member);
	if (charge->mode != CHARGE_VOLUME)
		element_refuse(&member, "stands in a tier that is not one of volume",
					   "A graduated tier prices what lies in it anyway; leave it out.");
}

/* Every tier but the last ends where the next begins. */
static void
check_bounds(const Charge *charge, const Element *tiers)
{
	for (int i = 0; i < charge->ntiers; i++)
	{
		Element		at = {.document = tiers->document,
			.path = psprintf("%s[%d].to", tiers->path, i)};

		if (i == charge->ntiers - 1)
		{
			if (charge->tiers[i].bounded)
				element_refuse(&at, "bounds the last tier", "The last tier has no end: leave it out there.");
		}
		else if (!charge->tiers[i].bounded)
			element_refuse(&at, "is missing", "Every tier but the last states where it ends.");
		else if (i > 0 && charge->tiers[i].to <= charge->tiers[i - 1].to)
			element_refuse(&at, "is not above the bound before", "Bounds rise from tier to tier.");
	}
}

static void
read_tiers(Charge *charge, const Element *element, const Element *mode)
{
	const char *name = element_text(mode);
	Element		tiers = element_need(element, "tiers");

	if (strcmp(name, "volume") == 0)
		charge->mode = CHARGE_VOLUME;
	else if (strcmp(name, "graduated") == 0)
		charge->mode = CHARGE_GRADUATED;
	else
		element_refuse(mode, psprintf("is \"%s\"", name), "Use graduated or volume.");
	charge->tiers = palloc0(sizeof(ChargeTier) * (element_each_of(&tiers, NULL, NULL) + 1));
	element_each_of(&tiers, read_tier, charge);
	if (charge->ntiers == 0)
		element_refuse(&tiers, "has no tier", "State at least one.");
	check_bounds(charge, &tiers);
}

static void
read_bounds(Charge *charge, const Element *element)
{
	Element		member;

	charge->has_minimum = element_find(element, "minimum", &member);
	if (charge->has_minimum)
		charge->minimum = element_amount(&member);
	charge->has_maximum = element_find(element, "maximum", &member);
	if (!charge->has_maximum)
		return;
	charge->maximum = element_amount(&member);
	if (charge->has_minimum && charge->maximum < charge->minimum)
		element_refuse(&member, "is below minimum", "An amount cannot be bounded by both.");
}

const Charge *
charge_from_element(const Element *element)
{
	static const char *const plain_keys[] = {
		"included", "round", "minimum", "maximum", "block", "price", NULL
	};
	static const char *const tier_keys[] = {
		"included", "round", "minimum", "maximum", "mode", "tiers", NULL
	};
	Charge	   *charge = palloc0(sizeof(Charge));
	Element		member,
				tiers;
	bool		tiered = element_find(element, "mode", &member) || element_find(element, "tiers", &tiers);

	element_only_keys(element, tiered ? tier_keys : plain_keys);
	if (tiered)
	{
		member = element_need(element, "mode");
		read_tiers(charge, element, &member);
	}
	else
		read_plain(charge, element);
	if (element_find(element, "included", &member))
		read_included(charge, &member);
	if (element_find(element, "round", &member))
		charge->round = read_rounding(&member);
	read_bounds(charge, element);
	return charge;
}
