/*
 * bill.c
 *	  Puts a bill together: service of the month, lines of every rule, order.
 */
#include "core/bill/bill.h"

#include <string.h>

#include "core/bill/bill_rules.h"

const char *
text_of_amount(Core *core, Amount value)
{
	return amount_text(value, 0, core_alloc(core, AMOUNT_TEXT_SIZE));
}

const char *
text_of_day(Core *core, CalDay day)
{
	return cal_day_text(day, core_alloc(core, CAL_TEXT_SIZE));
}

const char *
text_of_count(Core *core, int64_t count, const char *unit)
{
	return core_printf(core, "%lld %s%s", (long long) count, unit, count == 1 ? "" : "s");
}

static BillLine *
bill_line(Bill *bill, LineKind kind, const char *item, const char *option)
{
	BillLine   *line;

	bill->lines = core_grow(bill->core, bill->lines, bill->nlines, &bill->capacity,
							sizeof(BillLine));
	line = &bill->lines[bill->nlines];
	*line = (BillLine) {.kind = kind, .sequence = bill->nlines, .item = item, .option = option};
	bill->nlines++;
	return line;
}

BillLine *
bill_usage_line(Bill *bill, LineKind kind, const char *item, const char *option)
{
	BillLine   *line = bill_line(bill, kind, item, option);

	line->from = bill->first;
	line->until = line->due_on = bill->until;
	return line;
}

BillLine *
bill_order_line(Bill *bill, LineKind kind, const Order *order, CalDay from, CalDay until)
{
	BillLine   *line = bill_line(bill, kind, order->item, order->option);

	line->order_id = order->order_id;
	line->from = from;
	line->until = until;
	line->due_on = order->day;
	return line;
}

void
line_count(BillLine *line, Amount quantity)
{
	line->counted = true;
	line->quantity = line->billable = line->units = quantity;
	line->included = 0;
}

Amount
stop_share(const Bill *bill, Amount amount, Reason *reason)
{
	const ServiceMonth *service = &bill->service;

	if (!service->out_at_end)
		return amount;
	reason_count(reason, "share_days", service->ncounting);
	reason_count(reason, "month_days", service->ndays);
	return amount_ratio(bill->core, amount_times(bill->core, amount, service->ncounting),
						service->ndays, 1);
}

const Card *
usage_card(const Account *account, CalDay day)
{
	CalMonth	month = cal_month_of(day);
	const Card *card = card_of_month(account->cards, month);
	Core	   *core = account->core;

	if (card == NULL)
		core_fail(core, PROBLEM_CARD,
				  core_printf(core, "rate card \"%s\" has no version in force on %s",
							  account->cards->name, text_of_day(core, cal_first_day(month + 1) - 1)),
				  core_printf(core, "Usage of app %lld in a month is rated by the version in force on the month's first day, or by the card's first version if that starts in the month.",
							  (long long) account->app_id),
				  "Add a version to im_rate_card_version that starts by then.");
	return card;
}

bool
is_priced(const Account *account, CalDay day)
{
	return card_on(account->cards, day) != NULL;
}

static void
survey_service(Bill *bill)
{
	ServiceMonth *service = &bill->service;

	service->ndays = bill->until - bill->first;
	for (int i = 0; i < service->ndays; i++)
	{
		const char *plan;
		ServiceState state = account_state(bill->account, bill->first + i, &plan);

		service->counting[i] = state == STATE_ACTIVE || state == STATE_GRACE;
		if (service->counting[i])
		{
			service->ncounting++;
			service->plan = plan;
		}
		service->out_at_end = !in_service(state);
	}
}

static int
compare_lines(const void *a, const void *b)
{
	const BillLine *x = a,
			   *y = b;
	int			order;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	order = strcmp(x->item, y->item);
	/* the lines of call minutes keep the order of the classes */
	if (order == 0 && x->due_on != y->due_on)
		order = x->due_on < y->due_on ? -1 : 1;
	if (order == 0 && x->order_id != y->order_id)
		order = x->order_id < y->order_id ? -1 : 1;
	return order != 0 ? order : x->sequence - y->sequence;
}

CalDay
bill_usage_since(const Account *account, CalMonth month)
{
	CalDay		first = cal_first_day(month),
				calls = calls_usage_since(account, first),
				moderation = moderation_usage_since(account, first),
				packs = meter_packs_usage_since(account, first),
				since = calls < moderation ? calls : moderation;

	return since < packs ? since : packs;
}

Bill *
bill_open(Core *core, const Account *account, const Usage *usage, CalMonth month)
{
	Bill	   *bill = core_alloc(core, sizeof(Bill));

	bill->core = core;
	bill->account = account;
	bill->usage = usage;
	bill->month = month;
	bill->first = cal_first_day(month);
	bill->until = cal_first_day(month + 1);
	bill->card = usage_card(account, bill->first);
	survey_service(bill);
	return bill;
}

Bill *
bill_compute(Core *core, const Account *account, const Usage *usage, CalMonth month)
{
	Bill	   *bill = bill_open(core, account, usage, month);

	bill_purchases(bill);
	bill_overage(bill);
	bill_postpaid_addons(bill);
	bill_calls(bill);
	bill_moderation(bill);
	core_sort(core, bill->lines, bill->nlines, sizeof(BillLine), compare_lines);
	return bill;
}

Amount
bill_total(const Bill *bill)
{
	Amount		sum = 0,
				unit = AMOUNT_ONE,
				half;

	for (int i = 0; i < bill->nlines; i++)
	{
		core_step(bill->core);
		if (bill->lines[i].priced)
			sum = amount_add(bill->core, sum, bill->lines[i].amount);
	}
	for (int i = 0; i < bill->card->scale; i++)
		unit /= 10;
	half = unit / 2;
	return amount_add(bill->core, sum, sum >= 0 ? half : -half) / unit * unit;
}
