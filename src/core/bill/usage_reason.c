/*
 * usage_reason.c
 *	  The reason of a line of usage (R3, R12).
 */
#include "core/bill/usage_reason.h"

#include <string.h>

#include "core/bill/bill_rules.h"

static const char *
code_of_meter(const CardMeter *meter)
{
	if (strcmp(meter->name, METER_DAU) == 0)
		return "used_dau";
	if (strcmp(meter->name, METER_MAU) == 0)
		return "used_mau";
	if (strcmp(meter->name, METER_GROUPS) == 0)
		return "used_groups";
	switch (meter->month)
	{
		case METER_SUM:
			return "used_sum";
		case METER_UNIQUE:
			return "used_unique";
		case METER_AVERAGE:
			return "used_average";
		case METER_LAST:
			return "used_last";
		case METER_MAX:
		case METER_KINDS:
			break;
	}
	return "used_max";
}

static void
tell_used(Reason *reason, const MeterMonth *month)
{
	const char *code = code_of_meter(month->meter);

	reason_text(reason, "used", code);
	reason_text(reason, "meter", month->meter->name);
	reason_amount(reason, "quantity", month->quantity);
	if (month->meter->month == METER_MAX || strcmp(code, "used_mau") == 0)
		reason_day(reason, "peak_day", month->peak_day);
	if (month->meter->month != METER_MAX)
		reason_count(reason, "days", month->ncounting);
	if (strcmp(code, "used_mau") == 0)
		reason_amount(reason, "peak", month->peak);
}

/* What is included, and what packs gave apart. */
static void
tell_free(Reason *reason, const MeterMonth *month, Amount included)
{
	bool		quota = month->from_packs == 0 || included != month->from_packs;

	reason_text(reason, "free", !quota ? "free_packs" : month->addon != NULL ? "free_addon" : "free_plan");
	if (quota && month->addon != NULL)
		reason_text(reason, "addon", month->addon->name);
	else if (quota)
		reason_text(reason, "plan", month->option);
	if (quota)
		reason_amount(reason, "quota", included - month->from_packs);
	if (month->from_packs != 0)
		reason_amount(reason, "packs", month->from_packs);
}

/* In how many blocks; what has no blocks is priced as it is. */
static void
tell_blocks(Reason *reason, const BillLine *line)
{
	static const char *const codes[] = {
		[ROUND_UP] = "blocks_up", [ROUND_DOWN] = "blocks_down", [ROUND_NEAREST] = "blocks_nearest"
	};
	const ChargeTier *tier = &line->charge->tiers[line->rated->tier - 1];

	if (tier->block == 0 && line->units == line->billable)
		return;
	reason_text(reason, "blocks", tier->block > 0 ? codes[line->charge->round] : "blocks_tier");
	reason_amount(reason, "units", line->units);
	if (tier->block > 0)
		reason_amount(reason, "block", tier->block);
}

static Reason *
reason_of_units(const Bill *bill, const BillLine *line)
{
	bool		nothing = line->billable == 0,
				tiers = line->charge->ntiers > 1;
	Reason	   *reason = reason_new(bill->core, !nothing ? "usage_priced" :
									line->included > 0 ? "usage_within" : "usage_nothing");

	tell_used(reason, line->month);
	if (line->included != 0)
		tell_free(reason, line->month, line->included);
	if (nothing)
		return reason;
	/* what of the quantity the line prices, where that is not all of it */
	if (line->included != 0 || tiers)
		reason_amount(reason, "billable", line->billable);
	if (tiers)
		reason_count(reason, "tier", line->rated->tier);
	tell_blocks(reason, line);
	reason_money(reason, "price", line->unit_price, bill->card->currency);
	return reason;
}

static Reason *
reason_of_flat(const Bill *bill, const BillLine *line)
{
	Reason	   *reason = reason_new(bill->core, "usage_flat");

	tell_used(reason, line->month);
	reason_count(reason, "tier", line->rated->tier);
	reason_money(reason, "price", line->unit_price, bill->card->currency);
	return reason;
}

static Reason *
reason_of_bound(const Bill *bill, const BillLine *line)
{
	bool		adds = line->unit_price > 0;
	Reason	   *reason = reason_new(bill->core, adds ? "usage_minimum" : "usage_maximum");

	reason_money(reason, "bound", adds ? line->charge->minimum : line->charge->maximum,
				 bill->card->currency);
	return reason;
}

Reason *
reason_of_usage(const Bill *bill, const BillLine *line)
{
	switch (line->rated->kind)
	{
		case CHARGE_FLAT:
			return reason_of_flat(bill, line);
		case CHARGE_BOUND:
			return reason_of_bound(bill, line);
		case CHARGE_UNITS:
			break;
	}
	return reason_of_units(bill, line);
}
