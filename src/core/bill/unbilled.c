/*
 * unbilled.c
 *	  Usage that nobody pays, and why (R7).
 */
#include "core/bill/unbilled.h"

#include "core/bill/addon_days.h"
#include "core/bill/bill_rules.h"

static const char *const field_kinds[USAGE_FIELDS] = {
	[USAGE_DAU] = "dau",
	[USAGE_GROUPS] = "groups",
	[USAGE_TEXT] = "text",
	[USAGE_IMAGE] = "image",
	[USAGE_AUDIO_HALF] = "audio",
	[USAGE_VIDEO_HALF] = "video",
	[USAGE_CALL_AUDIO] = "call_audio",
	[USAGE_CALL_SD] = "call_sd",
	[USAGE_CALL_HD] = "call_hd",
	[USAGE_CALL_FHD] = "call_fhd",
};

static bool
is_check(UsageField field)
{
	return field >= USAGE_TEXT && field <= USAGE_VIDEO_HALF;
}

static const char *
reason_in_service(const Account *account, CalDay day, UsageField field)
{
	const Card *card;
	const char *plan;

	/* users and groups are the plan's own: charged over the quota or free */
	if (field == USAGE_DAU || field == USAGE_GROUPS)
		return NULL;
	card = usage_card(account, day);
	if (!is_check(field))
		return card->calls[field - USAGE_CALL_AUDIO].priced ? NULL : "not priced by the card";
	if (!card->sells_moderation || !card->weighs[field - USAGE_TEXT])
		return "not priced by the card";
	account_state(account, day, &plan);
	/* on a plan on which it is not offered the switch counts as off (R12) */
	return !moderation_offered(card, plan) || switch_option(account_switch(account, ITEM_MODERATION), day) == NULL ?
		"switched off" : NULL;
}

/* Why a day is nobody's, whatever was used on it; NULL where the app ran. */
static const char *
reason_of_day(const Account *account, CalDay day)
{
	const char *plan;
	ServiceState state;

	if (account == NULL)
		return "no such app";
	if (!is_priced(account, day))
		return "not priced by the card";
	state = account_state(account, day, &plan);
	if (in_service(state))
		return NULL;
	return state == STATE_SUSPENDED ? "suspended" : "stopped";
}

static const char *
unbilled_reason(const Account *account, CalDay day, UsageField field)
{
	const char *reason = reason_of_day(account, day);

	return reason != NULL ? reason : reason_in_service(account, day, field);
}

static void
unbilled_fields(Core *core, const Account *account, const Usage *usage, UnbilledVisitor visit, void *arg)
{
	for (int i = 0; i < usage->ndays; i++)
		for (UsageField field = USAGE_DAU; field < USAGE_FIELDS; field++)
		{
			UnbilledUsage unbilled = {.day = usage->first + i, .kind = field_kinds[field]};
			int64_t		count = usage->days[i][field];

			core_step(core);
			if (count == 0)
				continue;
			unbilled.reason = unbilled_reason(account, unbilled.day, field);
			unbilled.quantity = amount_of(count);
			if (field == USAGE_AUDIO_HALF || field == USAGE_VIDEO_HALF)
				unbilled.quantity /= 2;
			if (unbilled.reason != NULL)
				visit(arg, &unbilled);
		}
}

/* ---- meters by name ---- */

/* A meter and what decides about its days, found anew for each month. */
typedef struct MeterDays
{
	const Account *account;
	const char *meter;
	CalMonth	month;
	const Card *card;			/* that rates the month */
	const char *plan;			/* on its last counting day, or NULL */
	const char **options;		/* days of the add-on that prices the meter, or NULL */
} MeterDays;

/* The paid plan on the last day of a month that counts (R3), or NULL. */
static const char *
plan_of_month(const Account *account, CalMonth month)
{
	for (CalDay day = cal_first_day(month + 1) - 1; day >= cal_first_day(month); day--)
	{
		const char *plan;
		ServiceState state = account_state(account, day, &plan);

		core_step(account->core);
		if (state == STATE_ACTIVE || state == STATE_GRACE)
			return plan;
	}
	return NULL;
}

static void
look_at_month(MeterDays *days, CalMonth month)
{
	const CardAddon *addon;

	days->month = month;
	days->card = usage_card(days->account, cal_first_day(month + 1) - 1);
	days->plan = plan_of_month(days->account, month);
	addon = card_usage_addon(days->card, days->meter);
	days->options = addon == NULL ? NULL :
		addon_days(days->account, addon->name, cal_first_day(month), cal_first_day(month + 1));
}

/* A plan charges its own month; an add-on the days on which it is in force. */
static const char *
meter_reason(MeterDays *days, CalDay day)
{
	const char *reason = reason_of_day(days->account, day),
			   *plan;
	const CardPlan *of_month;

	if (reason != NULL)
		return reason;
	if (cal_month_of(day) != days->month || days->card == NULL)
		look_at_month(days, cal_month_of(day));
	account_state(days->account, day, &plan);
	if (card_meter(days->card, days->meter) == NULL || plan == NULL)
		return "not priced by the card";
	if (days->options != NULL)
		return days->options[day - cal_first_day(days->month)] == NULL ? "switched off" : NULL;
	of_month = days->plan != NULL ? card_plan(days->card, days->plan) : NULL;
	return of_month != NULL && plan_charge(of_month, days->meter) != NULL ? NULL : "not priced by the card";
}

/* A meter that no card knows is told as its own days say; else with what stood on. */
static MeterKind
kind_of_meter(const Account *account, const char *name)
{
	const CardMeter *meter = account != NULL ? card_history_meter(account->cards, name) : NULL;

	return meter != NULL ? meter->day : METER_SUM;
}

static void
unbilled_meter(Core *core, const Account *account, const Usage *usage, const MeterUsage *meter,
			   UnbilledVisitor visit, void *arg)
{
	MeterDays	days = {.account = account, .meter = meter->meter};
	const MeterFigure *figures = meter_figures(core, meter, kind_of_meter(account, meter->meter),
											   usage->first, usage->ndays);

	for (int i = 0; i < usage->ndays; i++)
	{
		UnbilledUsage unbilled = {.day = usage->first + i, .kind = meter->meter,
		.quantity = figures[i].figure};

		core_step(core);
		if (unbilled.quantity == 0)
			continue;
		unbilled.reason = meter_reason(&days, unbilled.day);
		if (unbilled.reason != NULL)
			visit(arg, &unbilled);
	}
}

void
unbilled_usage(Core *core, const Account *account, const Usage *usage, UnbilledVisitor visit, void *arg)
{
	unbilled_fields(core, account, usage, visit, arg);
	for (int i = 0; i < usage->nmeters; i++)
		unbilled_meter(core, account, usage, &usage->meters[i], visit, arg);
}
