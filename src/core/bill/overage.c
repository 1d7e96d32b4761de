/*
 * overage.c
 *	  Peak users and groups over the plan's free quota (R3).
 */
#include "core/bill/bill_rules.h"

/* The highest counting day of a figure; the first of equal ones. */
static int64_t
peak_of(const Bill *bill, UsageField field, CalDay *day)
{
	int64_t		peak = 0;

	*day = bill->first;
	for (int i = 0; i < bill->service.ndays; i++)
	{
		int64_t		figure = usage_on(bill->usage, bill->first + i, field);

		if (bill->service.counting[i] && figure > peak)
		{
			peak = figure;
			*day = bill->first + i;
		}
	}
	return peak;
}

static const char *
explain_overage(const Bill *bill, const BillLine *line, const BlockPrice *price,
				const char *what, const char *share)
{
	Core	   *core = bill->core;

	if (line->units == 0)
		return core_printf(core, "%s within the %lld included in plan %s.",
						   what, (long long) price->included, line->option);
	return core_printf(core, "%s; %lld over the %lld included in plan %s, in %s of %lld at %s %s each%s.",
					   what, (long long) (line->billable / AMOUNT_ONE), (long long) price->included,
					   line->option,
					   text_of_count(core, (int64_t) (line->units / AMOUNT_ONE), "started block"),
					   (long long) price->block,
					   text_of_amount(core, price->price), bill->card->currency, share);
}

static void
add_overage(Bill *bill, LineKind kind, const char *item, const BlockPrice *price,
			int64_t usage, const char *what)
{
	int64_t		blocks = started_blocks(usage, price->included, price->block);
	BillLine   *line = bill_usage_line(bill, kind, item, bill->service.plan);
	const char *share;

	line->counted = line->priced = true;
	line->quantity = amount_of(usage);
	line->included = amount_of(price->included);
	line->billable = usage > price->included ? line->quantity - line->included : 0;
	line->units = amount_of(blocks);
	line->unit_price = price->price;
	line->amount = stop_share(bill, amount_times(bill->core, price->price, blocks), &share);
	line->explanation = explain_overage(bill, line, price, what, share);
}

/* In a preview: the plan that the app holds is not on the other card. */
static void
add_unpriced(Bill *bill, LineKind kind, const char *item, int64_t usage)
{
	BillLine   *line = bill_usage_line(bill, kind, item, bill->service.plan);

	line_count(line, amount_of(usage));
	line->explanation = core_printf(bill->core, "Plan %s is not on this rate card, so its overage has no price.",
									bill->service.plan);
}

static int64_t
month_users(const Bill *bill)
{
	const Usage *usage = bill->usage;

	if (usage->month_users == NULL)
		core_fail(bill->core, PROBLEM_USAGE,
				  core_printf(bill->core, "the distinct users of app %lld are not known",
							  (long long) bill->account->app_id),
				  "Its plan is priced by distinct users of the month, which daily counts cannot give.",
				  "Provide logins, or im_usage_daily.users for each day.");
	return usage->month_users(usage->arg, METER_MAU, bill->first, bill->service.ndays,
							  bill->service.counting);
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

void
bill_overage(Bill *bill)
{
	const CardPlan *plan;
	CalDay		dau_day,
				group_day;
	int64_t		dau = peak_of(bill, USAGE_DAU, &dau_day),
				groups = peak_of(bill, USAGE_GROUPS, &group_day),
				users;

	if (bill->service.ncounting == 0)
		return;
	plan = overage_plan(bill);
	if (plan == NULL && dau > 0)
		add_unpriced(bill, LINE_DAU_OVERAGE, "dau_overage", dau);
	else if (plan != NULL && plan->dau.priced && dau > 0)
		add_overage(bill, LINE_DAU_OVERAGE, "dau_overage", &plan->dau, dau,
					core_printf(bill->core, "Peak DAU %lld on %s", (long long) dau,
								text_of_day(bill->core, dau_day)));
	if (plan != NULL && plan->mau.priced && (users = month_users(bill)) > 0)
		add_overage(bill, LINE_MAU_OVERAGE, "mau_overage", &plan->mau, users,
					core_printf(bill->core, "%lld distinct users on %d counting days, at most %lld of them on %s",
								(long long) users, bill->service.ncounting,
								(long long) dau, text_of_day(bill->core, dau_day)));
	if (plan == NULL && groups > 0)
		add_unpriced(bill, LINE_GROUP_OVERAGE, "group_overage", groups);
	else if (plan != NULL && plan->groups.priced && groups > 0)
		add_overage(bill, LINE_GROUP_OVERAGE, "group_overage", &plan->groups, groups,
					core_printf(bill->core, "Peak of %s on %s",
								text_of_count(bill->core, groups, "group"),
								text_of_day(bill->core, group_day)));
}
