/*
 * unbilled.c
 *	  Usage that nobody pays, and why (R7).
 */
#include "core/bill/unbilled.h"

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

	/* users and groups are the plan's own: charged over the quota or free */
	if (field == USAGE_DAU || field == USAGE_GROUPS)
		return NULL;
	card = usage_card(account, day);
	if (!is_check(field))
		return card->calls[field - USAGE_CALL_AUDIO].priced ? NULL : "not priced by the card";
	if (!card->sells_moderation || !card->weighs[field - USAGE_TEXT])
		return "not priced by the card";
	return switch_option(account_switch(account, ITEM_MODERATION), day) == NULL ?
		"switched off" : NULL;
}

static const char *
unbilled_reason(const Account *account, CalDay day, UsageField field)
{
	const char *plan;
	ServiceState state;

	if (account == NULL)
		return "no such app";
	if (!is_priced(account, day))
		return "not priced by the card";
	state = account_state(account, day, &plan);
	if (in_service(state))
		return reason_in_service(account, day, field);
	return state == STATE_SUSPENDED ? "suspended" : "stopped";
}

void
unbilled_usage(Core *core, const Account *account, const Usage *usage, UnbilledVisitor visit, void *arg)
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
