/*
 * fact_meter.c
 *	  Facts behind peak users and groups and meters by name (R3, R12).
 */
#include <string.h>

#include "core/bill/meter_month.h"
#include "core/bill/meter_pack.h"
#include "core/finance/fact_rules.h"

/* The name of the fact of a day, and where its rows stand. */
typedef struct DayFact
{
	const char *name;
	FactSource	source;
	UsageField	field;			/* of what every card has; USAGE_DAY: of a meter by name */
} DayFact;

static DayFact
day_fact(const MeterMonth *month)
{
	const char *meter = month->meter->name;

	if (strcmp(meter, METER_GROUPS) == 0)
		return (DayFact) {"groups", SOURCE_GROUPS, USAGE_GROUPS};
	if (strcmp(meter, METER_DAU) == 0 || strcmp(meter, METER_MAU) == 0)
		return (DayFact) {"daily users", SOURCE_LOGINS, USAGE_DAU};
	return (DayFact) {meter, SOURCE_EVENTS, USAGE_DAY};
}

static void
tell_plan(const Teller *teller)
{
	const MeterMonth *month = teller->line->month;
	Fact		fact = fact_start("plan");
	const Term *term = plan_term_on(teller->bill->account, month->last);
	const char *plan;

	account_state(teller->bill->account, month->last, &plan);
	fact_day(&fact, month->last);
	if (term != NULL)
		fact_order(&fact, term->order);
	fact_text(&fact, "plan", plan);
	fact.note = core_printf(teller->core, "Plan %s was in force on the last day that counts.", plan);
	tell(teller, &fact);
}

static void
tell_day(const Teller *teller, const DayFact *what, CalDay day, const char *name, const char *note)
{
	const Bill *bill = teller->bill;
	const MeterMonth *month = teller->line->month;
	const MeterFigure *figure = &month->figures[day - bill->first];
	Fact		fact = fact_start(name);
	const char *plan;

	fact_day(&fact, day);
	fact.source = what->source;
	fact.class = what->source == SOURCE_EVENTS ? month->meter->name : NULL;
	fact.given = figure->given;
	fact_quantity(&fact, figure->figure);
	fact.note = note;
	if (!bill->service.counting[day - bill->first])
		note_state(&fact, teller, account_state(bill->account, day, &plan));
	else if (!month->counting[day - bill->first])
	{
		fact.fact = "not counted";
		fact.note = core_printf(teller->core, "Add-on %s was not in force on that day.", month->addon->name);
	}
	tell(teller, &fact);
}

/* Where days are not summed one of them is the highest. */
static void
tell_days(const Teller *teller)
{
	const Bill *bill = teller->bill;
	const MeterMonth *month = teller->line->month;
	DayFact		what = day_fact(month);
	bool		peaks = what.field != USAGE_DAY || month->meter->month == METER_MAX;

	for (CalDay day = bill->first; day < bill->until; day++)
		tell_day(teller, &what, day, what.name,
				 peaks && day == month->peak_day ? "The peak." :
				 month->figures[day - bill->first].stated || month->figures[day - bill->first].figure == 0 ? NULL :
				 "No event on that day: what stood before it.");
	if (peaks && month->peak > 0)
		tell_day(teller, &what, month->peak_day, "peak",
				 "The highest of the days that count, the first of equals.");
}

static void
tell_users_of_month(const Teller *teller)
{
	Fact		fact = fact_start("users of the month");

	fact_day(&fact, teller->bill->first);
	fact.until = teller->bill->until;
	fact_quantity(&fact, teller->line->month->quantity);
	fact.note = "Each user of the days that count, once: not the sum of the days.";
	tell(teller, &fact);
}

/* How the days of a meter by name make the quantity. */
static void
tell_quantity(const Teller *teller)
{
	static const char *const notes[METER_KINDS] = {
		[METER_SUM] = "The sum of the days that count.",
		[METER_MAX] = "The highest of the days that count.",
		[METER_UNIQUE] = "Each subject of the days that count, once: not the sum of the days.",
		[METER_LAST] = "What the last of the days that count comes to.",
		[METER_AVERAGE] = "The sum of the days that count, divided by their number, half up to 8 places."
	};
	const MeterMonth *month = teller->line->month;

	if (strcmp(month->meter->name, METER_MAU) == 0)
		tell_users_of_month(teller);
	else if (day_fact(month).field == USAGE_DAY)
		tell_count(teller, "quantity", month->quantity, notes[month->meter->month]);
}

static void
tell_packs_of_day(void *arg, const MeterPackDay *day, const PackList *packs)
{
	const Teller *teller = arg;

	for (int i = 0; i < packs->npacks && day->day >= teller->bill->first; i++)
	{
		core_step(teller->core);
		if (packs->packs[i]->taken > 0)
			tell_pack(teller, packs->packs[i], day->day, packs->packs[i]->taken);
	}
}

/* The first line of a charge has what packs gave. */
static void
tell_packs(const Teller *teller)
{
	const Bill *bill = teller->bill;
	const MeterMonth *month = teller->line->month;

	if (month->from_packs == 0)
		return;
	meter_pack_days(bill->account, bill->usage, month->meter, bill->until, tell_packs_of_day,
					(void *) teller);
	tell_count(teller, "from packs", month->from_packs, "What packs gave on the days that count.");
}

/* ---- what the card says ---- */

/* The place of a charge in its card; how many elements lead to it. */
static int
path_of_charge(const Teller *teller, const char **path)
{
	const MeterMonth *month = teller->line->month;
	const CardPlan *plan = month->addon != NULL ? NULL : card_plan(teller->bill->card, month->option);
	const char *meter = month->meter->name;
	int			n = 0;

	path[n++] = plan != NULL ? "plans" : "addons";
	path[n++] = plan != NULL ? plan->name : month->addon->name;
	if (plan == NULL || !find_usage(plan->nusage, plan->usage, meter)->brief)
		path[n++] = "usage";
	path[n++] = meter;
	return n;
}

/* A key of the charge, and one below it or NULL. */
static const char *const *
charge_path(const Teller *teller, const char *key, const char *below)
{
	const char **path = core_alloc(teller->core, sizeof(char *) * FACT_PATH);
	int			n = path_of_charge(teller, path);

	path[n++] = key;
	path[n] = below;
	return path;
}

/* A key of the line's tier; a plain price states it itself. */
static const char *const *
tier_path(const Teller *teller, const char *key)
{
	const BillLine *line = teller->line;
	const char **path = core_alloc(teller->core, sizeof(char *) * FACT_PATH);
	int			n = path_of_charge(teller, path);

	if (line->charge->ntiers > 1)
	{
		path[n++] = "tiers";
		path[n++] = core_printf(teller->core, "%d", line->rated->tier - 1);
	}
	path[n] = key;
	return path;
}

static void
tell_included(const Teller *teller)
{
	const BillLine *line = teller->line;
	const MeterMonth *month = line->month;
	Amount		quota = line->included - month->from_packs;

	if (line->charge->share_of != NULL)
		tell_element(teller, "included", false, quota,
					 core_printf(teller->core, "%s of the quantity of %s, half up to 8 places.",
								 text_of_amount(teller->core, line->charge->share), line->charge->share_of),
					 charge_path(teller, "included", "share"));
	else if (quota > 0 || line->charge->tiers[0].block > 0)
		tell_element(teller, "included", false, quota, month->addon != NULL ? "What the add-on includes." :
					 "What the plan includes.", charge_path(teller, "included", NULL));
	tell_count(teller, "excess", line->billable, "What is over that, at least 0.");
}

static void
tell_block(const Teller *teller, const ChargeTier *tier, const char *const *path)
{
	static const char *const names[] = {"started blocks", "full blocks", "nearest blocks"},
			   *const how[] = {"rounded up", "rounded down", "rounded half up"};
	Core	   *core = teller->core;
	const BillLine *line = teller->line;

	tell_element(teller, "block", false, tier->block, "Size of a block.", path);
	tell_count(teller, names[line->charge->round], line->units,
			   core_printf(core, "%s / %s, %s.", text_of_amount(core, line->billable),
						   text_of_amount(core, tier->block), how[line->charge->round]));
}

/* A plain price states block and price itself, tiers stand in a list. */
static void
tell_units(const Teller *teller)
{
	const BillLine *line = teller->line;
	const ChargeTier *tier = &line->charge->tiers[line->rated->tier - 1];

	if (line->included > 0 || line->rated->tier == 1)
		tell_included(teller);
	if (line->charge->ntiers > 1)
		tell_count(teller, "tier", amount_of(line->rated->tier),
				   line->charge->mode == CHARGE_VOLUME ? "The tier in which the whole lies." :
				   "The tier in which this part lies.");
	if (tier->block > 0)
		tell_block(teller, tier, tier_path(teller, "block"));
	tell_element(teller, "price", true, line->unit_price,
				 tier->block == 0 ? "Price of a unit." :
				 line->charge->round == ROUND_UP ? "Price of a started block." : "Price of a block.",
				 tier_path(teller, "price"));
}

static void
tell_charge(const Teller *teller)
{
	const BillLine *line = teller->line;

	switch (line->rated->kind)
	{
		case CHARGE_FLAT:
			tell_count(teller, "tier", amount_of(line->rated->tier), "The tier whose flat is due.");
			tell_element(teller, "flat", true, line->unit_price, "Due once, whatever lies in the tier.",
						 tier_path(teller, "flat"));
			return;
		case CHARGE_BOUND:
			tell_element(teller, line->unit_price > 0 ? "minimum" : "maximum", true,
						 line->unit_price > 0 ? line->charge->minimum : line->charge->maximum,
						 line->unit_price > 0 ? "The other lines are raised to it." : "The other lines are cut to it.",
						 charge_path(teller, line->unit_price > 0 ? "minimum" : "maximum", NULL));
			return;
		case CHARGE_UNITS:
			break;
	}
	tell_units(teller);
}

void
tell_overage(const Teller *teller)
{
	const BillLine *line = teller->line;
	const MeterMonth *month = line->month;

	tell_month_card(teller);
	tell_plan(teller);
	tell_count(teller, "counting days", amount_of(month->ncounting), month->addon == NULL ?
			   "Days with a paid plan in force, the grace included, and no suspension." :
			   "Days with a paid plan and the add-on in force and no suspension.");
	tell_days(teller);
	tell_quantity(teller);
	if (line->charge == NULL)
	{
		tell_amount(teller, "This rate card has no price for it.");
		return;
	}
	if (line->included >= month->from_packs && line->rated->kind == CHARGE_UNITS)
		tell_packs(teller);
	tell_charge(teller);
	tell_product(teller, line->rated->amount, month->meter->month != METER_SUM);
}
