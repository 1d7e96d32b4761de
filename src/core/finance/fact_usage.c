/*
 * fact_usage.c
 *	  Facts behind what was used: switches, calls, checks (R4 - R6).
 */
#include <string.h>

#include "core/bill/call.h"
#include "core/bill/moderation.h"
#include "core/bill/postpaid_addon.h"
#include "core/finance/fact_rules.h"

/* Says on a day's fact why the day counts for nothing. */
void
note_state(Fact *fact, const Teller *teller, ServiceState state)
{
	fact->fact = "not counted";
	if (!is_priced(teller->bill->account, fact->day))
	{
		fact->note = "The rate card had no version yet on that day.";
		return;
	}
	fact->note = core_printf(teller->core, "The app was %s on that day.",
							 state == STATE_TRIAL ? "on its free plan" : service_state_names[state]);
	fact_text(fact, "state", service_state_names[state]);
}

/* The version that rates the month. */
void
tell_month_card(const Teller *teller)
{
	const Bill *bill = teller->bill;

	tell_card(teller, bill->card, is_priced(bill->account, bill->first) ?
			  "In force on the first day of the month." :
			  "The first version of the card: days before it count for nothing.");
}

/* A price, quota or ratio of the month's card version. */
void
tell_element(const Teller *teller, const char *name, bool money, Amount value,
			 const char *note, const char *const *path)
{
	Fact		fact = fact_start(name);

	if (money)
		fact_amount(&fact, value);
	else
		fact_quantity(&fact, value);
	fact_path(&fact, teller->bill->card, NULL);
	for (int i = 0; i < FACT_PATH && path[i] != NULL; i++)
		fact.path[fact.npath++] = path[i];
	fact.note = note;
	tell(teller, &fact);
}

/* What multiplies out to the amount, before any share of a stopped app. */
void
tell_product(const Teller *teller, Amount full, bool shared)
{
	Core	   *core = teller->core;
	const BillLine *line = teller->line;
	const ServiceMonth *service = &teller->bill->service;
	const char *product = core_printf(core, "%s x %s %s", text_of_amount(core, line->units),
									  text_of_amount(core, line->unit_price),
									  teller->bill->card->currency);

	if (shared && service->out_at_end)
	{
		tell_share(teller, full);
		product = core_printf(core, "%s x %d / %d, rounded half up to 8 places", product,
							  service->ncounting, service->ndays);
	}
	tell_amount(teller, core_printf(core, "%s.", product));
}

/* ---- postpaid add-ons ---- */

static void
tell_span(const Teller *teller, const SwitchSpan *span)
{
	Core	   *core = teller->core;
	Fact		fact = fact_start("switched on");

	fact_day(&fact, span->from);
	fact_order(&fact, span->order);
	fact_text(&fact, "option", span->option);
	fact_date(&fact, teller, "from", span->from);
	if (span->through != SWITCH_OPEN)
		fact_date(&fact, teller, "through", span->through);
	fact.note = core_printf(core, "%s%s%s from %s%s%s.", teller->line->item,
							span->option[0] != '\0' ? " " : "", span->option,
							text_of_day(core, span->from),
							span->through == SWITCH_OPEN ? " on" : " through ",
							span->through == SWITCH_OPEN ? "" : text_of_day(core, span->through));
	tell(teller, &fact);
}

static void
tell_spans(const Teller *teller)
{
	const Switch *sw = account_switch(teller->bill->account, teller->line->item);

	for (int i = 0; sw != NULL && i < sw->nspans; i++)
	{
		core_step(teller->core);
		if (sw->spans[i].from < teller->bill->until && sw->spans[i].through >= teller->bill->first)
			tell_span(teller, &sw->spans[i]);
	}
}

/* The last day on which it counted as on, and the plan of that day. */
static void
tell_last_on(const Teller *teller, const PostpaidMonth *month)
{
	Fact		fact = fact_start("last day on");

	fact_day(&fact, month->last_on);
	fact_text(&fact, "plan", month->plan);
	fact.note = month->several ?
		"The last day of the month on which it counts as on; of the month's options the dearest on the plan of that day is charged." :
		"The last day of the month on which it counts as on, and the plan of that day: they set the price.";
	tell(teller, &fact);
}

void
tell_postpaid_addon(const Teller *teller)
{
	const BillLine *line = teller->line;
	const Switch *sw = account_switch(teller->bill->account, line->item);
	PostpaidMonth month;

	if (sw == NULL || !postpaid_month(teller->bill, sw, &month))
		return;
	tell_month_card(teller);
	tell_spans(teller);
	tell_last_on(teller, &month);
	if (!line->priced)
	{
		tell_amount(teller, "This rate card has no price for it.");
		return;
	}
	tell_element(teller, "price", true, line->unit_price, "Price of a month in which it was on at all.",
				 PATH("addons", line->item, "prices", month.plan, line->option));
	tell_product(teller, line->unit_price, true);
}

/* ---- packs ---- */

/* What a pack gave on a day; "taken" is in units of the line. */
void
tell_pack(const Teller *teller, const Pack *pack, CalDay day, Amount taken)
{
	Core	   *core = teller->core;
	const Term *term = pack->term;
	Fact		fact = fact_start("from pack");

	fact_day(&fact, day);
	fact_order(&fact, term->order);
	fact_quantity(&fact, taken);
	fact_number(&fact, teller, "order_id", (Amount) term->order->order_id * AMOUNT_ONE);
	fact_text(&fact, "pack", term->option);
	fact_date(&fact, teller, "from", pack->start);
	fact_date(&fact, teller, "through", pack->end - 1);
	fact_number(&fact, teller, "held", pack->left + pack->taken);
	fact_number(&fact, teller, "taken", pack->taken);
	fact_number(&fact, teller, "left", pack->left);
	fact.note = core_printf(core, "Order %lld, %s: held %s, %s left.",
							(long long) term->order->order_id, term->option,
							text_of_amount(core, pack->left + pack->taken),
							text_of_amount(core, pack->left));
	tell(teller, &fact);
}

static void
tell_rest(const Teller *teller, CalDay day, Amount rest)
{
	Fact		fact = fact_start("postpaid");

	if (rest == 0)
		return;
	fact_day(&fact, day);
	fact_quantity(&fact, rest);
	fact_amount(&fact, amount_mul(teller->core, rest, teller->line->unit_price));
	fact.note = "No pack in force held it.";
	tell(teller, &fact);
}

static void
tell_postpaid_amount(const Teller *teller)
{
	Core	   *core = teller->core;
	const BillLine *line = teller->line;

	tell_amount(teller, core_printf(core, "%s - %s from packs = %s, x %s %s.",
									text_of_amount(core, line->quantity),
									text_of_amount(core, line->included),
									text_of_amount(core, line->units),
									text_of_amount(core, line->unit_price),
									teller->bill->card->currency));
}

/* ---- call minutes ---- */

static void
tell_call_day(void *arg, const CallDay *day, const PackList *packs)
{
	const Teller *teller = arg;
	Fact		fact = fact_start("minutes");

	if (strcmp(call_class_names[day->class], teller->line->option) != 0)
		return;
	fact_usage(&fact, teller, SOURCE_CALLS, day->day, USAGE_CALL_AUDIO + day->class);
	fact.class = call_class_names[day->class];
	fact_quantity(&fact, amount_of(day->minutes));
	if (!day->billed)
		note_state(&fact, teller, day->state);
	tell(teller, &fact);
	if (!day->billed)
		return;
	for (int i = 0; i < packs->npacks; i++)
	{
		core_step(teller->core);
		if (packs->packs[i]->taken > 0)
			tell_pack(teller, packs->packs[i], day->day,
					  packs->packs[i]->taken / day->price->ratio);
	}
	tell_rest(teller, day->day, amount_of(day->minutes - day->taken));
}

void
tell_calls(const Teller *teller)
{
	const char *class = teller->line->option;
	const CallPrice *price = &teller->bill->card->calls[call_class_find(class, strlen(class))];

	tell_month_card(teller);
	tell_element(teller, "pack minutes", false, amount_of(price->ratio),
				 "What a minute takes from a pack.", PATH("call_minutes", class, "ratio"));
	tell_element(teller, "price", true, price->price, "Price of a postpaid minute.",
				 PATH("call_minutes", class, "price"));
	call_days(teller->bill, tell_call_day, NULL, (void *) teller);
	tell_postpaid_amount(teller);
}

/* ---- cloud moderation ---- */

static const char *const count_names[CHECK_KINDS] = {
	"texts", "images", "audio_half_minutes", "video_half_minutes"
};

/* Of the kinds from first until end, those that were given, or those that were not. */
static void
tell_checks(const Teller *teller, const ModerationDay *day, int first, int end, bool given)
{
	const Card *card = teller->bill->card;
	Core	   *core = teller->core;
	Fact		fact = fact_start("deductions");
	Amount		deductions = 0;

	for (int k = first; k < end; k++)
	{
		fact_usage(&fact, teller, SOURCE_CHECKS, day->day, USAGE_TEXT + k);
		if (day->counts[k] == 0 || fact.given != given)
			continue;
		fact_number(&fact, teller, count_names[k], amount_of(day->counts[k]));
		if (card->weighs[k])
			deductions = amount_add(core, deductions,
									deductions_of(core, card, k, day->counts[k]));
	}
	if (fact.ndetails == 0)
		return;
	fact.given = given;
	if (end == first + 1)
		fact.class = check_kind_names[first];
	fact_quantity(&fact, deductions);
	if (!in_service(day->state))
		note_state(&fact, teller, day->state);
	else if (!day->on)
	{
		fact.fact = "not counted";
		fact.note = "Cloud moderation was switched off on that day.";
	}
	tell(teller, &fact);
}

/* A day whose checks come from both a user's row and events has a fact of each. */
static void
tell_moderation_day(void *arg, const ModerationDay *day, const PackList *packs)
{
	const Teller *teller = arg;
	GivenFigures checks = GIVEN(USAGE_TEXT) | GIVEN(USAGE_IMAGE) |
		GIVEN(USAGE_AUDIO_HALF) | GIVEN(USAGE_VIDEO_HALF);

	checks &= usage_given(teller->bill->usage, day->day);
	tell_checks(teller, day, 0, CHECK_KINDS, true);
	if (checks == 0)
		tell_checks(teller, day, 0, CHECK_KINDS, false);
	for (int k = 0; checks != 0 && k < CHECK_KINDS; k++)
		tell_checks(teller, day, k, k + 1, false);
	for (int i = 0; day->on && i < packs->npacks; i++)
	{
		core_step(teller->core);
		if (packs->packs[i]->taken > 0)
			tell_pack(teller, packs->packs[i], day->day, packs->packs[i]->taken);
	}
	tell_rest(teller, day->day, day->postpaid);
}

static void
tell_coefficients(const Teller *teller)
{
	static const char *const notes[CHECK_KINDS] = {
		"Deductions of a text.", "Deductions of an image.",
		"Deductions of a minute of audio.", "Deductions of a minute of video."
	};
	const Card *card = teller->bill->card;

	for (int k = 0; k < CHECK_KINDS; k++)
		if (card->weighs[k])
			tell_element(teller, "coefficient", false, card->coefficients[k], notes[k],
						 PATH("moderation", "coefficients", check_kind_names[k]));
}

void
tell_moderation(const Teller *teller)
{
	tell_month_card(teller);
	if (!teller->line->priced)
	{
		tell_amount(teller, "This rate card has no price for it.");
		return;
	}
	tell_coefficients(teller);
	tell_element(teller, "price", true, teller->line->unit_price, "Price of a postpaid deduction.",
				 PATH("moderation", "price"));
	tell_spans(teller);
	moderation_days(teller->bill, tell_moderation_day, (void *) teller);
	tell_postpaid_amount(teller);
}
