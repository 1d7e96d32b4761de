/*
 * standing.c
 *	  How an app stands on a day: what it has used of what it has.
 */
#include "core/finance/standing.h"

#include "core/bill/call.h"
#include "core/bill/moderation.h"
#include "core/bill/plan_choice.h"
#include "core/orders/account_rules.h"

const char *const standing_kind_names[STANDING_KINDS] = {
	"dau", "mau", "groups", "call_minutes", "moderation_pack", "term", "grace"
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

/* The first day on which a figure was at its height. */
static CalDay
day_of_peak(const Bill *bill, UsageField field, Amount peak)
{
	for (int i = 0; i < bill->service.ndays; i++)
		if (bill->service.counting[i] &&
			amount_of(usage_on(bill->usage, bill->first + i, field)) == peak)
			return bill->first + i;
	return bill->until - 1;
}

static void
tell_quotas(const Teller *teller)
{
	static const struct
	{
		LineKind	line;
		StandingKind kind;
		UsageField	field;
	}			quotas[] = {
		{LINE_DAU_OVERAGE, STANDING_DAU, USAGE_DAU},
		{LINE_MAU_OVERAGE, STANDING_MAU, USAGE_DAY},
		{LINE_GROUP_OVERAGE, STANDING_GROUPS, USAGE_GROUPS}
	};

	for (int i = 0; i < teller->bill->nlines; i++)
	{
		const BillLine *line = &teller->bill->lines[i];

		core_step(teller->bill->core);
		for (int q = 0; q < (int) (sizeof(quotas) / sizeof(quotas[0])); q++)
			if (line->kind == quotas[q].line && line->priced)
				tell(teller, (Standing) {quotas[q].kind, line->item, line->option,
					line->quantity, line->included,
					quotas[q].kind == STANDING_MAU ? teller->today :
					day_of_peak(teller->bill, quotas[q].field, line->quantity)});
	}
}

/* The free plan is charged nothing, but carries only so much. */
static void
tell_free_limit(const Teller *teller, StandingKind kind, UsageField field,
				const char *item, int64_t limit)
{
	const Bill *bill = teller->bill;
	int64_t		peak = 0;
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
	for (int i = 0; i < bill->card->nplans && peak > 0; i++)
		if (bill->card->plans[i].rank == 0)
			tell(teller, (Standing) {kind, item, bill->card->plans[i].name,
				amount_of(peak), amount_of(limit), peak_day});
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
		tell_free_limit(&teller, STANDING_DAU, USAGE_DAU, "dau_overage", FREE_PLAN_DAU);
		tell_free_limit(&teller, STANDING_GROUPS, USAGE_GROUPS, "group_overage", FREE_PLAN_GROUPS);
	}
	call_days(bill, ignore_class, balance_calls, &calls);
	tell_balance(&teller, STANDING_CALL_MINUTES, "call_minutes", &calls);
	moderation_days(bill, balance_moderation, &moderation);
	tell_balance(&teller, STANDING_PACK, "moderation", &moderation);
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
