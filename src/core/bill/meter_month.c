/*
 * meter_month.c
 *	  What a meter came to in the month that is billed (R3, R12).
 */
#include "core/bill/meter_month.h"

#include <string.h>

#include "core/bill/addon_days.h"
#include "core/bill/bill_rules.h"
#include "core/bill/meter_pack.h"

/* Days count where a paid plan is in force, and with it the add-on that prices. */
static void
choose_days(const Bill *bill, MeterMonth *month)
{
	const char **options = month->addon == NULL ? NULL :
		addon_days(bill->account, month->addon->name, bill->first, bill->until);

	for (int i = 0; i < bill->service.ndays; i++)
	{
		if (!bill->service.counting[i] || (options != NULL && options[i] == NULL))
			continue;
		month->counting[i] = true;
		month->ncounting++;
		month->last = bill->first + i;
		month->option = options != NULL ? options[i] : bill->service.plan;
	}
}

/* The figures of a meter that every card has stand among those of the day. */
static const MeterFigure *
built_in_figures(const Bill *bill, UsageField field)
{
	MeterFigure *figures = core_alloc(bill->core, sizeof(MeterFigure) * (size_t) bill->service.ndays);

	for (int i = 0; i < bill->service.ndays; i++)
	{
		figures[i].figure = amount_of(usage_on(bill->usage, bill->first + i, field));
		figures[i].stated = figures[i].figure > 0;
		figures[i].given = (usage_given(bill->usage, bill->first + i) & GIVEN(field)) != 0;
	}
	return figures;
}

static const MeterFigure *
figures_of_month(const Bill *bill, const CardMeter *meter)
{
	if (strcmp(meter->name, METER_GROUPS) == 0)
		return built_in_figures(bill, USAGE_GROUPS);
	if (strcmp(meter->name, METER_DAU) == 0 || strcmp(meter->name, METER_MAU) == 0)
		return built_in_figures(bill, USAGE_DAU);
	return meter_figures(bill->core, usage_meter(bill->core, bill->usage, meter->name), meter->day,
						 bill->first, bill->service.ndays);
}

static Amount
subjects_of_month(const Bill *bill, const MeterMonth *month)
{
	const Usage *usage = bill->usage;
	bool		users = strcmp(month->meter->name, METER_MAU) == 0;

	if (usage->month_users == NULL)
		core_fail(bill->core, PROBLEM_USAGE,
				  core_printf(bill->core, users ? "the distinct users of app %lld are not known" :
							  "the distinct subjects of app %lld are not known",
							  (long long) bill->account->app_id),
				  "Its plan is priced by distinct users of the month, which daily counts cannot give.",
				  "Provide logins, or im_usage_daily.users for each day.");
	return amount_of(usage->month_users(usage->arg, month->meter->name, bill->first,
										bill->service.ndays, month->counting));
}

/* The figure of the last day that counts, or, where none stands on, that says something. */
static Amount
last_figure(const MeterMonth *month, int ndays)
{
	for (int i = ndays - 1; i >= 0; i--)
		if (month->counting[i] && (meter_stands(month->meter->day) || month->figures[i].stated))
			return month->figures[i].figure;
	return 0;
}

static Amount
sum_of_days(const Bill *bill, const MeterMonth *month)
{
	Amount		sum = 0;

	for (int i = 0; i < bill->service.ndays; i++)
		if (month->counting[i])
			sum = amount_add(bill->core, sum, month->figures[i].figure);
	return sum;
}

static Amount
quantity_of_month(const Bill *bill, const MeterMonth *month)
{
	switch (month->meter->month)
	{
		case METER_SUM:
			return sum_of_days(bill, month);
		case METER_AVERAGE:
			return amount_ratio(bill->core, sum_of_days(bill, month), month->ncounting, 1);
		case METER_LAST:
			return last_figure(month, bill->service.ndays);
		case METER_UNIQUE:
			return subjects_of_month(bill, month);
		case METER_MAX:
		case METER_KINDS:
			break;
	}
	return month->peak;
}

static void
find_peak(const Bill *bill, MeterMonth *month)
{
	month->peak_day = bill->first;
	for (int i = 0; i < bill->service.ndays; i++)
		if (month->counting[i] && month->figures[i].figure > month->peak)
		{
			month->peak = month->figures[i].figure;
			month->peak_day = bill->first + i;
		}
}

typedef struct MonthOfPacks
{
	const Bill *bill;
	MeterMonth *month;
} MonthOfPacks;

/* A day that counts for the bill: packs give on no other, but on days before. */
static void
add_from_packs(void *arg, const MeterPackDay *day, const PackList *packs)
{
	MonthOfPacks *of = arg;

	(void) packs;
	if (day->day >= of->bill->first && of->month->counting[day->day - of->bill->first])
		of->month->from_packs = amount_add(of->bill->core, of->month->from_packs, day->from_packs);
}

/* On the days that were chosen. */
static void
count_days(const Bill *bill, MeterMonth *month)
{
	Amount		quantity;

	month->figures = figures_of_month(bill, month->meter);
	find_peak(bill, month);
	if (month->ncounting == 0)
		return;
	quantity = quantity_of_month(bill, month);
	/* what is priced counts from 0, though a meter that stands may be below */
	month->quantity = quantity > 0 ? quantity : 0;
}

Amount
meter_so_far(const Bill *bill, const CardMeter *meter, CalDay today)
{
	MeterMonth *month = core_alloc(bill->core, sizeof(MeterMonth));
	const char *plan;
	bool		trial = account_state(bill->account, today, &plan) == STATE_TRIAL;

	month->meter = meter;
	for (CalDay day = bill->first; day <= today && day < bill->until; day++)
	{
		bool		counts = trial ? account_state(bill->account, day, &plan) == STATE_TRIAL :
			bill->service.counting[day - bill->first];

		month->counting[day - bill->first] = counts && is_priced(bill->account, day);
		month->ncounting += month->counting[day - bill->first];
	}
	count_days(bill, month);
	return month->quantity;
}

MeterMonth *
meter_month(const Bill *bill, const CardMeter *meter)
{
	MeterMonth *month = core_alloc(bill->core, sizeof(MeterMonth));

	month->meter = meter;
	month->addon = card_usage_addon(bill->card, meter->name);
	choose_days(bill, month);
	count_days(bill, month);
	if (month->ncounting == 0)
		return month;
	if (meter->month == METER_SUM)
		meter_pack_days(bill->account, bill->usage, meter, bill->until, add_from_packs,
						&(MonthOfPacks) {bill, month});
	if (month->from_packs > month->quantity)
		month->from_packs = month->quantity;
	return month;
}
