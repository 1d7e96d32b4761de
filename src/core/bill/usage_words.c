/*
 * usage_words.c
 *	  The sentence of a line of usage (R3, R12).
 */
#include "core/bill/usage_words.h"

#include <string.h>

#include "core/bill/bill_rules.h"

static const char *
users_of_month(const Bill *bill, const MeterMonth *month)
{
	return core_printf(bill->core, "%s distinct users on %d counting days, at most %s of them on %s",
					   text_of_amount(bill->core, month->quantity), month->ncounting,
					   text_of_amount(bill->core, month->peak), text_of_day(bill->core, month->peak_day));
}

/* How a quantity of a meter by name was made of its days. */
static const char *
quantity_of_meter(const Bill *bill, const MeterMonth *month)
{
	Core	   *core = bill->core;
	const char *quantity = text_of_amount(core, month->quantity),
			   *name = month->meter->name,
			   *days = text_of_count(core, month->ncounting, "counting day");

	switch (month->meter->month)
	{
		case METER_SUM:
			return core_printf(core, "%s %s on %s", quantity, name, days);
		case METER_UNIQUE:
			return core_printf(core, "%s distinct %s on %s", quantity, name, days);
		case METER_AVERAGE:
			return core_printf(core, "%s %s on average of %s", quantity, name, days);
		case METER_LAST:
			return core_printf(core, "%s %s at the last of %s", quantity, name, days);
		case METER_MAX:
		case METER_KINDS:
			break;
	}
	return core_printf(core, "Peak of %s %s on %s", quantity, name, text_of_day(core, month->peak_day));
}

static const char *
what_was_used(const Bill *bill, const MeterMonth *month)
{
	Core	   *core = bill->core;
	const char *name = month->meter->name;

	if (strcmp(name, METER_DAU) == 0)
		return core_printf(core, "Peak DAU %s on %s", text_of_amount(core, month->quantity),
						   text_of_day(core, month->peak_day));
	if (strcmp(name, METER_MAU) == 0)
		return users_of_month(bill, month);
	if (strcmp(name, METER_GROUPS) == 0)
		return core_printf(core, "Peak of %s on %s",
						   text_of_count(core, (int64_t) (month->quantity / AMOUNT_ONE), "group"),
						   text_of_day(core, month->peak_day));
	return quantity_of_meter(bill, month);
}

/* "the 10000 included in plan pro"; what packs gave apart. */
static const char *
what_is_free(const Bill *bill, const MeterMonth *month, Amount included)
{
	Core	   *core = bill->core;
	const char *whose = month->addon != NULL ?
		core_printf(core, "add-on %s", month->addon->name) :
		core_printf(core, "plan %s", month->option),
			   *quota = core_printf(core, "the %s included in %s",
									text_of_amount(core, included - month->from_packs), whose);

	if (month->from_packs == 0)
		return quota;
	if (included == month->from_packs)
		return core_printf(core, "the %s from packs", text_of_amount(core, included));
	return core_printf(core, "%s and the %s from packs", quota, text_of_amount(core, month->from_packs));
}

/* ", in 2 started blocks of 10000"; what has no blocks is priced as it is. */
static const char *
blocks_text(const Bill *bill, const BillLine *line)
{
	Core	   *core = bill->core;
	const ChargeTier *tier = &line->charge->tiers[line->rated->tier - 1];
	int64_t		units = (int64_t) (line->units / AMOUNT_ONE);

	if (tier->block > 0)
		return core_printf(core, ", in %s of %s",
						   text_of_count(core, units, line->charge->round == ROUND_UP ? "started block" :
										 line->charge->round == ROUND_DOWN ? "full block" : "nearest block"),
						   text_of_amount(core, tier->block));
	if (line->units != line->billable)
		return core_printf(core, ", %s above the tier before", text_of_amount(core, line->units));
	return "";
}

/* What of the quantity the line prices, where that is not all of it. */
static const char *
part_text(const Bill *bill, const BillLine *line)
{
	Core	   *core = bill->core;
	const char *over = line->included == 0 ? "" :
		core_printf(core, " over %s", what_is_free(bill, line->month, line->included)),
			   *tier = line->charge->ntiers == 1 ? "" : core_printf(core, " in tier %d", line->rated->tier);

	if (over[0] == '\0' && tier[0] == '\0')
		return "";
	return core_printf(core, "; %s%s%s", text_of_amount(core, line->billable), over, tier);
}

static const char *
explain_units(const Bill *bill, const BillLine *line, const char *what, const char *share)
{
	Core	   *core = bill->core;

	if (line->billable == 0 && line->included > 0)
		return core_printf(core, "%s within %s.", what, what_is_free(bill, line->month, line->included));
	if (line->billable == 0)
		return core_printf(core, "%s: nothing to price.", what);
	return core_printf(core, "%s%s%s at %s %s each%s.", what, part_text(bill, line), blocks_text(bill, line),
					   text_of_amount(core, line->unit_price), bill->card->currency, share);
}

static const char *
explain_bound(const Bill *bill, const BillLine *line, const char *share)
{
	Core	   *core = bill->core;
	bool		adds = line->unit_price > 0;

	return core_printf(core, adds ? "What is lacking to the minimum of %s %s%s." :
					   "What is above the maximum of %s %s%s.",
					   text_of_amount(core, adds ? line->charge->minimum : line->charge->maximum),
					   bill->card->currency, share);
}

const char *
explain_usage(const Bill *bill, const BillLine *line, const char *share)
{
	Core	   *core = bill->core;
	const char *what = what_was_used(bill, line->month);

	switch (line->rated->kind)
	{
		case CHARGE_FLAT:
			return core_printf(core, "%s; tier %d costs %s %s flat%s.", what, line->rated->tier,
							   text_of_amount(core, line->unit_price), bill->card->currency, share);
		case CHARGE_BOUND:
			return explain_bound(bill, line, share);
		case CHARGE_UNITS:
			break;
	}
	return explain_units(bill, line, what, share);
}
