/*
 * limit.c
 *	  What an app may do on a day: limits and features by name (R14).
 */
#include "core/orders/limit.h"

#include <string.h>

/* An add-on in force, with its option. */
typedef struct HeldAddon
{
	const char *name;
	const char *option;
} HeldAddon;

/* What decides all limits of a day. */
typedef struct LimitDay
{
	const Account *account;
	CalDay		day;
	const Card *card;			/* in force on the day */
	ServiceState state;
	const char *plan;			/* NULL: out of service */
	int			nheld;
	int			capacity;
	HeldAddon  *held;
} LimitDay;

static void
hold(LimitDay *on, const char *name, const char *option)
{
	on->held = core_grow(on->account->core, on->held, on->nheld, &on->capacity, sizeof(HeldAddon));
	on->held[on->nheld++] = (HeldAddon) {name, option};
}

static void
hold_bought(LimitDay *on)
{
	const Account *account = on->account;

	for (int i = 0; i < account->nterms; i++)
	{
		const Term *term = account->terms[i];

		core_step(account->core);
		if (!term->annulled && term->start <= on->day && on->day < term->ends &&
			card_addon(on->card, term->item) != NULL)
			hold(on, term->item, term->option);
	}
}

/* An option that the plan of the day does not sell counts as off (R4). */
static void
hold_switched_on(LimitDay *on)
{
	const Account *account = on->account;

	for (int i = 0; i < account->nswitches; i++)
	{
		const Switch *sw = &account->switches[i];
		const CardAddon *addon = card_addon(on->card, sw->item);
		const char *option = switch_option(sw, on->day);

		core_step(account->core);
		if (addon != NULL && option != NULL && addon_price(addon, on->plan, option) != NULL)
			hold(on, sw->item, option);
	}
}

static void
open_day(LimitDay *on, const Account *account, CalDay day)
{
	Core	   *core = account->core;
	char		text[CAL_TEXT_SIZE];

	*on = (LimitDay) {.account = account, .day = day, .card = card_on(account->cards, day)};
	if (on->card == NULL)
		core_fail(core, PROBLEM_CARD,
				  core_printf(core, "rate card \"%s\" has no version in force on %s",
							  account->cards->name, cal_day_text(day, text)),
				  core_printf(core, "The limits of app %lld on a day are those of that version.",
							  (long long) account->app_id),
				  "Add the version to im_rate_card_version, or ask for a later day.");
	on->state = account_state(account, day, &on->plan);
	if (on->state == STATE_TRIAL && card_free_plan(on->card) != NULL)
		on->plan = card_free_plan(on->card)->name;
	if (!in_service(on->state))
		on->plan = NULL;
	if (on->plan == NULL)
		return;
	hold_bought(on);
	hold_switched_on(on);
}

/* Whether what an add-on states is stated for its option in force. */
static bool
is_held(const LimitDay *on, const CardLimit *stated)
{
	for (int i = 0; i < on->nheld; i++)
		if (strcmp(on->held[i].name, stated->addon) == 0 &&
			(stated->option == NULL || strcmp(on->held[i].option, stated->option) == 0))
			return true;
	return false;
}

/* Whether one statement stands before another: an add-on's before its plan's, then the higher. */
static bool
stands_before(const CardLimit *a, const CardLimit *b)
{
	if (b == NULL || (a->addon == NULL) != (b->addon == NULL))
		return b == NULL || a->addon != NULL;
	return !b->unlimited && (a->unlimited || a->value > b->value);
}

/* What holds of the statements under one name; false where nothing does. */
static bool
decide(const LimitDay *on, const CardLimit *stated, int count, AppLimit *limit)
{
	const CardLimit *best = NULL;

	*limit = (AppLimit) {.name = stated->name, .state = on->state, .plan = on->plan};
	for (int i = 0; i < count && on->plan != NULL; i++)
	{
		core_step(on->account->core);
		if (strcmp(stated[i].plan, on->plan) == 0 &&
			(stated[i].addon == NULL || is_held(on, &stated[i])) && stands_before(&stated[i], best))
			best = &stated[i];
	}
	if (best == NULL)
		return !in_service(on->state);
	limit->unlimited = best->unlimited;
	limit->value = best->value;
	limit->addon = best->addon;
	limit->option = best->option;
	return true;
}

bool
limit_find(const Account *account, CalDay day, const char *name, AppLimit *limit)
{
	LimitDay	on;
	int			count;
	const CardLimit *stated;

	open_day(&on, account, day);
	stated = card_limits(on.card, name, &count);
	return stated != NULL && decide(&on, stated, count, limit);
}

void
limit_each(const Account *account, CalDay day, LimitVisitor visit, void *arg)
{
	LimitDay	on;
	AppLimit		limit;
	int			count;

	open_day(&on, account, day);
	for (int i = 0; i < on.card->nlimits; i += count)
	{
		card_limits(on.card, on.card->limits[i].name, &count);
		if (decide(&on, &on.card->limits[i], count, &limit))
			visit(arg, &limit);
	}
}
