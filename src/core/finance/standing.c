/*
 * standing.c
 *	  How an app stands on a day: what it has used of what it has.
 */
#include "core/finance/standing.h"

#include "core/bill/call.h"
#include "core/bill/meter_month.h"
#include "core/bill/meter_pack.h"
#include "core/bill/moderation.h"
#include "core/orders/account_rules.h"

const char *const standing_kind_names[STANDING_KINDS] = {
	"dau", "mau", "groups", "meter", "call_minutes", "moderation_pack", "pack", "term", "grace"
};

/* Whom to tell, and as of which day. */
typedef struct Teller
{
	const Bill *bill;
	CalDay		today;
	StandingVisitor visit;
	void	   *arg;
} Teller;

static void
tell(const Teller *teller, Standing standing)
{
	teller->visit(teller->arg, &standing);
}

/* Against what is included: what packs gave is not in its way. */
static void
tell_quota(const Teller *teller, StandingKind kind, const BillLine *line)
{
	const MeterMonth *month = line->month;
	bool		by_peak = month->meter->month == METER_MAX && month->peak > 0;

	tell(teller, (Standing) {kind, line->item, line->option, month->quantity - month->from_packs,
		line->included - month->from_packs, by_peak ? month->peak_day :
		kind == STANDING_MAU || kind == STANDING_METER ? teller->today : teller->bill->until - 1});
}

/* Of several lines of a charge the first part has what is included. */
static void
tell_quotas(const Teller *teller)
{
	static const StandingKind kinds[] = {
		[LINE_DAU_OVERAGE] = STANDING_DAU, [LINE_MAU_OVERAGE] = STANDING_MAU,
		[LINE_GROUP_OVERAGE] = STANDING_GROUPS, [LINE_METER] = STANDING_METER,
		[LINE_ADDON_METER] = STANDING_METER
	};
	const MeterMonth *told = NULL;

	for (int i = 0; i < teller->bill->nlines; i++)
	{
		const BillLine *line = &teller->bill->lines[i];

		core_step(teller->bill->core);
		if (line->month == NULL || line->month == told || !line->priced || line->rated->kind != CHARGE_UNITS)
			continue;
		told = line->month;
		/* a meter without a quota has nothing to warn of */
		if (kinds[line->kind] != STANDING_METER || line->included > line->month->from_packs)
			tell_quota(teller, kinds[line->kind], line);
	}
}

/* The free plan is charged nothing, but carries only so much. */
static void
tell_free_limit(const Teller *teller, StandingKind kind, UsageField field,
				const char *item, const char *name)
{
	const Bill *bill = teller->bill;
	const CardPlan *free_plan = card_free_plan(bill->card);
	int64_t		peak = 0,
				limit = free_plan_limit(bill->card, name);
	CalDay		peak_day = bill->first;
	const char *plan;

	for (CalDay day = bill->first; day <= teller->today; day++)
	{
		int64_t		figure = usage_on(bill->usage, day, field);

		if (figure > peak && account_state(bill->account, day, &plan) == STATE_TRIAL)
		{
			peak = figure;
			peak_day = day;
		}
	}
	if (peak > 0 && free_plan != NULL && limit != NO_LIMIT)
		tell(teller, (Standing) {kind, item, free_plan->name, amount_of(peak), amount_of(limit),
			peak_day});
}

/* Content and rest of the packs in force today. */
typedef struct Balance
{
	const Teller *teller;
	Amount		content;
	Amount		left;
} Balance;

static void
add_pack(Balance *balance, const Pack *pack, Amount content)
{
	Core	   *core = balance->teller->bill->core;

	core_step(core);
	balance->content = amount_add(core, balance->content, content);
	balance->left = amount_add(core, balance->left, pack->left);
}

static void
balance_calls(void *arg, CalDay day, const PackList *packs)
{
	Balance    *balance = arg;

	for (int i = 0; i < packs->npacks && day == balance->teller->today; i++)
	{
		const Pack *pack = packs->packs[i];

		add_pack(balance, pack, call_pack_content(pack->term, pack->start, pack->bought_end));
	}
}

static void
balance_moderation(void *arg, const ModerationDay *day, const PackList *packs)
{
	Balance    *balance = arg;

	for (int i = 0; i < packs->npacks && day->day == balance->teller->today; i++)
	{
		const Term *term = packs->packs[i]->term;

		add_pack(balance, packs->packs[i],
				 moderation_pack_content(term));
	}
}

static void
ignore_class(void *arg, const CallDay *day, const PackList *packs)
{
	(void) arg;
	(void) day;
	(void) packs;
}

static void
tell_balance(const Teller *teller, StandingKind kind, const char *item, const Balance *balance)
{
	if (balance->content > 0)
		tell(teller, (Standing) {kind, item, "", balance->content - balance->left,
			balance->content, teller->today});
}

static void
balance_meter(void *arg, const MeterPackDay *day, const PackList *packs)
{
	Balance    *balance = arg;

	for (int i = 0; i < packs->npacks && day->day == balance->teller->today; i++)
		add_pack(balance, packs->packs[i], meter_pack_content(packs->packs[i]->term));
}

static void
tell_meter_packs(const Teller *teller)
{
	const Bill *bill = teller->bill;

	for (int i = 0; i < bill->card->nmeters; i++)
	{
		const CardMeter *meter = &bill->card->meters[i];
		Balance		balance = {.teller = teller};

		meter_pack_days(bill->account, bill->usage, meter, bill->until, balance_meter, &balance);
		tell_balance(teller, STANDING_METER_PACK, meter->name, &balance);
	}
}

void
standing_of_usage(const Bill *bill, CalDay today, StandingVisitor visit, void *arg)
{
	Teller		teller = {bill, today, visit, arg};
	Balance		calls = {.teller = &teller},
				moderation = {.teller = &teller};
	const char *plan;

	tell_quotas(&teller);
	if (account_state(bill->account, today, &plan) == STATE_TRIAL)
	{
		tell_free_limit(&teller, STANDING_DAU, USAGE_DAU, "dau_overage", "dau");
		tell_free_limit(&teller, STANDING_GROUPS, USAGE_GROUPS, "group_overage", "groups");
	}
	call_days(bill, ignore_class, balance_calls, &calls);
	tell_balance(&teller, STANDING_CALL_MINUTES, "call_minutes", &calls);
	moderation_days(bill, balance_moderation, &moderation);
	tell_balance(&teller, STANDING_PACK, "moderation", &moderation);
	tell_meter_packs(&teller);
}

/* Of each item the term that no other follows; of equal ends the last bought. */
static const Term **
last_to_end(const Account *account)
{
	const Term **last = core_alloc(account->core, sizeof(Term *) * (size_t) (account->nitems + 1));

	for (int i = 0; i < account->nterms; i++)
	{
		const Term *term = account->terms[i],
				  **latest = &last[term->item_number];

		core_step(account->core);
		if (!term->annulled && (*latest == NULL || term->ends >= (*latest)->ends))
			*latest = term;
	}
	return last;
}

void
standing_of_terms(const Account *account, CalDay today, StandingVisitor visit, void *arg)
{
	Teller		teller = {NULL, today, visit, arg};
	const Term *last = plan_term_on(account, today),
			  **latest = last_to_end(account);

	for (int i = 0; i < account->nterms; i++)
	{
		const Term *term = account->terms[i];

		core_step(account->core);
		if (!term_runs(term, today) || term->start > today || latest[term->item_number] != term)
			continue;
		tell(&teller, (Standing) {STANDING_TERM, term->item,
			term->plan != NULL ? term->plan : term->option,
			amount_of(today - term->start + 1), amount_of(term->ends - term->start),
			term->ends - 1});
	}
	if (last != NULL && today >= last->ends && today < last->stop)
		tell(&teller, (Standing) {STANDING_GRACE, last->item, last->plan,
			amount_of(today - last->ends + 1), amount_of(last->stop - last->ends),
			last->stop - 1});
}
