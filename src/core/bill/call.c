/*
 * call.c
 *	  Call minutes: from the packs of the call add-on, else postpaid (R5).
 */
#include "core/bill/call.h"

#include <string.h>

#include "core/bill/bill_rules.h"

Amount
call_pack_content(const Term *term, CalDay start, CalDay end)
{
	int64_t		minutes = term_minutes(term);

	if (!term->returned || term->returned_on < start || term->returned_on >= end)
		return amount_of(minutes);
	if (term->returned_whole)
		return 0;
	return amount_of(minutes) * (term->returned_on + 1 - start) / (end - start) / AMOUNT_ONE * AMOUNT_ONE;
}

/* The pack of each month of a term that has minutes; nothing carries over. */
static void
add_term_packs(const Account *account, PackList *list, const Term *term)
{
	if (term_minutes(term) == 0 || term->annulled)
		return;
	for (int i = 0; i < term->months; i++)
	{
		CalDay		start = cal_add_months(term->start, i),
					end = cal_add_months(term->start, i + 1);

		core_step(account->core);
		if (start >= term->ends)
			break;
		pack_add(account->core, list, term, start,
				 end < term->ends ? end : term->ends, end, call_pack_content(term, start, end));
	}
}

static PackList
call_packs(const Account *account)
{
	PackList	list = {0};

	for (int i = 0; i < account->nterms; i++)
	{
		core_step(account->core);
		add_term_packs(account, &list, account->terms[i]);
	}
	return list;
}

CalDay
calls_usage_since(const Account *account, CalDay since)
{
	PackList	list = call_packs(account);

	return pack_usage_since(account->core, &list, since);
}

/*
 * Takes whole minutes only: a minute that a pack cannot hold any more goes to
 * the next one, and is postpaid if none can hold it.
 */
static int64_t
take_minutes(Core *core, PackList *list, int64_t minutes, int64_t ratio)
{
	int64_t		taken = 0;

	for (int i = 0; i < list->npacks; i++)
	{
		Pack	   *pack = list->packs[i];
		Amount		held = pack->left / amount_of(ratio);
		int64_t		part = minutes - taken;

		core_step(core);
		if (held < part)
			part = (int64_t) held;
		pack->taken = part * amount_of(ratio);
		pack->left -= pack->taken;
		taken += part;
	}
	return taken;
}

static void
rate_call_day(const Bill *bill, PackList *list, CalDay day, CallVisitor visit, void *arg)
{
	CallDay		call = {.day = day};
	const char *plan;

	call.state = account_state(bill->account, day, &plan);
	for (int c = 0; c < CALL_CLASSES; c++)
	{
		call.class = c;
		call.minutes = usage_on(bill->usage, day, USAGE_CALL_AUDIO + c);
		call.price = NULL;
		call.taken = 0;
		if (call.minutes == 0)
			continue;
		if (in_service(call.state) && is_priced(bill->account, day))
			call.price = &usage_card(bill->account, day)->calls[c];
		call.billed = call.price != NULL && call.price->priced;
		if (call.billed)
			call.taken = take_minutes(bill->core, list, call.minutes, call.price->ratio);
		if (day >= bill->first)
			visit(arg, &call, list);
	}
}

void
call_days(const Bill *bill, CallVisitor visit, CallDayVisitor day_done, void *arg)
{
	PackList	list = call_packs(bill->account);

	for (CalDay day = bill->usage->first; day < bill->until; day++)
	{
		core_step(bill->core);
		pack_day(bill->core, &list, day);
		rate_call_day(bill, &list, day, visit, arg);
		if (day_done != NULL && day >= bill->first)
			day_done(arg, day, &list);
	}
}

typedef struct ClassMonth
{
	Amount		minutes;
	Amount		from_packs;
} ClassMonth;

typedef struct CallMonth
{
	Core	   *core;
	ClassMonth	classes[CALL_CLASSES];
} CallMonth;

static void
sum_calls(void *arg, const CallDay *day, const PackList *packs)
{
	CallMonth  *month = arg;
	ClassMonth *sum = &month->classes[day->class];

	(void) packs;
	if (!day->billed)
		return;
	sum->minutes = amount_add(month->core, sum->minutes, amount_of(day->minutes));
	sum->from_packs = amount_add(month->core, sum->from_packs, amount_of(day->taken));
}

static void
add_call_line(Bill *bill, int class, const ClassMonth *month)
{
	Core	   *core = bill->core;
	const CallPrice *price = &bill->card->calls[class];
	BillLine   *line = bill_usage_line(bill, LINE_CALL_MINUTES, "call_minutes",
									   call_class_names[class]);

	line->counted = line->priced = true;
	line->quantity = month->minutes;
	line->included = month->from_packs;
	line->billable = line->units = month->minutes - month->from_packs;
	line->unit_price = price->price;
	line->amount = amount_mul(core, line->units, price->price);
	line->reason = reason_new(core, "minutes");
	reason_amount(line->reason, "quantity", line->quantity);
	reason_text(line->reason, "class", call_class_names[class]);
	reason_amount(line->reason, "from_packs", line->included);
	reason_count(line->reason, "ratio", price->ratio);
	reason_amount(line->reason, "postpaid", line->units);
	reason_money(line->reason, "price", price->price, bill->card->currency);
}

void
bill_calls(Bill *bill)
{
	CallMonth	month = {.core = bill->core};

	call_days(bill, sum_calls, NULL, &month);
	for (int c = 0; c < CALL_CLASSES; c++)
		if (month.classes[c].minutes > 0)
			add_call_line(bill, c, &month.classes[c]);
}
