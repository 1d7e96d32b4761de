/*
 * overage.c
 *	  Usage that is charged by the month: peak users and groups, users of the
 *	  month, meters by name (R3, R12).
 */
#include <string.h>

#include "core/bill/bill_rules.h"
#include "core/bill/usage_reason.h"

/* Meters that every card has keep the names that their lines had before. */
static const struct
{
	const char *meter;
	LineKind	kind;
	const char *item;
}			built_in[] = {
	{METER_DAU, LINE_DAU_OVERAGE, "dau_overage"},
	{METER_MAU, LINE_MAU_OVERAGE, "mau_overage"},
	{METER_GROUPS, LINE_GROUP_OVERAGE, "group_overage"}
};

#define BUILT_IN	((int) (sizeof(built_in) / sizeof(built_in[0])))

static BillLine *
meter_line(Bill *bill, const MeterMonth *month)
{
	BillLine   *line;

	for (int i = 0; i < BUILT_IN && month->addon == NULL; i++)
		if (strcmp(built_in[i].meter, month->meter->name) == 0)
		{
			line = bill_usage_line(bill, built_in[i].kind, built_in[i].item, month->option);
			line->month = month;
			return line;
		}
	line = bill_usage_line(bill, month->addon != NULL ? LINE_ADDON_METER : LINE_METER,
						   month->meter->name, month->option);
	line->month = month;
	return line;
}

static void
add_line(Bill *bill, const MeterMonth *month, const Charge *charge, const ChargeLine *rated,
		 Amount packs)
{
	BillLine   *line = meter_line(bill, month);

	line->charge = charge;
	line->rated = rated;
	line->counted = line->priced = true;
	line->quantity = rated->quantity + packs;
	line->included = rated->included + packs;
	line->billable = rated->quantity > rated->included ? rated->quantity - rated->included : 0;
	line->units = rated->units;
	line->unit_price = rated->unit_price;
	line->amount = rated->amount;
	line->reason = reason_of_usage(bill, line);
	/* what was consumed is paid whole */
	if (month->meter->month != METER_SUM)
		line->amount = stop_share(bill, rated->amount, line->reason);
}

/* What comes off: of a share that of the other meter's month. */
static Amount
included_in(const Bill *bill, const Charge *charge)
{
	const CardMeter *of;

	if (charge->share_of == NULL)
		return charge->included;
	of = card_meter(bill->card, charge->share_of);
	return charge_included(bill->core, charge, meter_month(bill, of)->quantity);
}

static void
add_charge(Bill *bill, const MeterMonth *month, const Charge *charge)
{
	ChargeResult result;
	Amount		packs = month->from_packs;

	if (month->ncounting == 0)
		return;
	result = charge_rate(bill->core, charge, month->quantity - month->from_packs,
						 included_in(bill, charge));
	/* at 0 only what is due all the same: a minimum, a first flat */
	if (month->quantity == 0 && result.amount == 0)
		return;
	/* what packs gave is the first part's, beside what is included */
	for (int i = 0; i < result.nlines; i++)
	{
		bool		part = result.lines[i].kind == CHARGE_UNITS;

		core_step(bill->core);
		add_line(bill, month, charge, &result.lines[i], part ? packs : 0);
		packs = part ? 0 : packs;
	}
}

/* In a preview: the plan that the app holds is not on the other card. */
static void
add_unpriced(Bill *bill, const char *meter)
{
	const MeterMonth *month = meter_month(bill, card_meter(bill->card, meter));
	BillLine   *line;

	if (month->quantity == 0 || month->addon != NULL)
		return;
	line = meter_line(bill, month);
	line_count(line, month->quantity);
	line->reason = reason_new(bill->core, "usage_unsold");
	reason_text(line->reason, "plan", bill->service.plan);
}

static const CardPlan *
overage_plan(Bill *bill)
{
	const CardPlan *plan = card_plan(bill->card, bill->service.plan);
	Core	   *core = bill->core;

	if (plan == NULL && !bill->account->preview)
		core_fail(core, PROBLEM_CARD,
				  core_printf(core, "rate card \"%s\" does not price plan \"%s\" on %s",
							  bill->account->cards->name, bill->service.plan,
							  text_of_day(core, bill->first)),
				  core_printf(core, "App %lld holds that plan in the month.",
							  (long long) bill->account->app_id),
				  "Add the plan to the version of the rate card in force on that day.");
	return plan;
}

/* Users of the month are not asked for: a card that does not price them needs none. */
static void
add_all_unpriced(Bill *bill)
{
	add_unpriced(bill, METER_DAU);
	add_unpriced(bill, METER_GROUPS);
	for (int i = 0; i < bill->card->nmeters; i++)
		if (bill->card->meters[i].month != METER_UNIQUE)
			add_unpriced(bill, bill->card->meters[i].name);
}

static void
add_charges(Bill *bill, int count, const UsageCharge *usage)
{
	for (int i = 0; i < count; i++)
		add_charge(bill, meter_month(bill, card_meter(bill->card, usage[i].meter)), usage[i].charge);
}

void
bill_overage(Bill *bill)
{
	const CardPlan *plan;

	if (bill->service.ncounting == 0)
		return;
	plan = overage_plan(bill);
	if (plan == NULL)
		add_all_unpriced(bill);
	else
		add_charges(bill, plan->nusage, plan->usage);
	for (int i = 0; i < bill->card->naddons; i++)
		add_charges(bill, bill->card->addons[i].nusage, bill->card->addons[i].usage);
}
