/*
 * fuzz_bill.c
 *	  Random cards and histories: what must hold for every bill.
 *
 * fuzz_bill [seed [histories [first]]]; FUZZ_SEED and FUZZ_HISTORIES in the
 * environment do the same for make test.  A failure names the history, which
 * runs alone as "fuzz_bill SEED 1 NUMBER".
 *
 * Most histories are tame: an order that the rules refuse is left out, so
 * that what remains is long and legal.  The wild ones take figures from the
 * ends of their types, and half of them keep every order: there it is enough
 * that either a problem or a bill comes out, while the sanitizers watch.
 *
 * With -DFUZZ_LIBFUZZER -fsanitize=fuzzer the same driver is led by bytes.
 */
#include "core/bill/bill.h"
#include "core/bill/moderation.h"
#include "core/bill/unbilled.h"
#include "core/finance/facts.h"
#include "later.h"
#include "tap.h"

#define MAX_ORDERS		24
#define MAX_SUSPENSIONS	4
#define MAX_VERSIONS	3
#define MAX_ROWS		60
#define MONTHS			5		/* of orders and usage */
#define LENGTH(array)	((int) (sizeof(array) / sizeof((array)[0])))

/* Where random numbers come from: a generator, or the bytes of a fuzzer. */
static struct
{
	uint64_t	state;
	const uint8_t *bytes;		/* NULL: the generator */
	size_t		size;
} source;

static uint64_t
draw_any(void)
{
	uint64_t	z;

	if (source.bytes != NULL)
	{
		z = 0;
		for (int i = 0; i < 2 && source.size > 0; i++, source.size--)
			z = z << 8 | *source.bytes++;
		return z;
	}
	z = source.state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* A number from 0 until n. */
static int
draw(int n)
{
	return (int) (draw_any() % (uint64_t) n);
}

static bool
once_in(int n)
{
	return draw(n) == 0;
}

#define ONE_OF(array) ((array)[draw(LENGTH(array))])

/* The case under way. */
static struct
{
	uint64_t	seed;
	long		number;
	bool		wild;
	TestCore	test;
	CardVersion versions[MAX_VERSIONS];
	CardHistory cards;
	CardVersion other_version;
	CardHistory other;			/* for previews */
	CalMonth	first_month;
	int			norders;
	Order		orders[MAX_ORDERS];
	int			nsuspensions;
	Suspension	suspensions[MAX_SUSPENSIONS];
	int			nrows;
	int64_t		rows[MAX_ROWS][USAGE_FIELDS];
} now;

/* What the run came to, told at its end. */
static struct
{
	long		bills;
	long		lines;
	long		refunds;
	long		upgrades;
	long		problems;
	long		broken;
} tally;

static void
print_orders(void)
{
	for (int i = 0; i < now.norders; i++)
	{
		const Order *order = &now.orders[i];
		char		day[CAL_TEXT_SIZE];

		printf("#   %lld %s %s %s %s months %d quantity %d refunds %lld\n", (long long) order->order_id,
			   cal_day_text(order->day, day), order_action_names[order->action], order->item,
			   order->option, order->months, order->quantity, (long long) order->refunds);
	}
}

/* Notes a broken invariant with what it takes to see it again. */
static bool
holds(bool condition, const char *what)
{
	if (condition)
		return true;
	if (tally.broken++ < 5)
	{
		printf("# broken: %s\n# seed %llu history %ld\n", what, (unsigned long long) now.seed, now.number);
		print_orders();
	}
#ifdef FUZZ_LIBFUZZER
	abort();
#endif
	return false;
}

/* ---------- random cards ---------- */

static const char *const plan_names[] = {"trial", "pro", "flagship", "premium"};
static const char *const options[] = {"", "basic", "large"};

static Amount
draw_price(int places)
{
	static const int64_t usual[] = {0, 1, 500, 999, 1499, 2999, 7200000};
	Amount		price = amount_of(ONE_OF(usual)),
				unit = AMOUNT_ONE;

	if (now.wild && once_in(10))
		return amount_of(999999999999);
	for (int i = 0; i < places; i++)
		unit /= 10;
	return price + (places > 0 && once_in(2) ? unit * draw(1000) : 0);
}

/* Started blocks over a quota. */
static void
draw_charge(CardPlan *plan, const char *meter)
{
	static const int64_t sizes[] = {1, 2, 10, 10000, 100000, 1000000000000000};
	Core	   *core = &now.test.core;
	Charge	   *charge = core_alloc(core, sizeof(Charge));

	*charge = (Charge) {.included = amount_of(ONE_OF(sizes) - 1), .ntiers = 1,
		.tiers = core_alloc(core, sizeof(ChargeTier))};
	*charge->tiers = (ChargeTier) {.block = amount_of(ONE_OF(sizes)), .price = draw_price(8)};
	plan->usage[plan->nusage++] = (UsageCharge) {meter, charge, true};
}

static void
draw_plans(Card *card)
{
	card->nplans = once_in(6) ? 1 + draw(LENGTH(plan_names)) : LENGTH(plan_names);
	card->plans = core_alloc(&now.test.core, sizeof(CardPlan) * (size_t) card->nplans);
	for (int i = 0; i < card->nplans; i++)
	{
		CardPlan   *plan = &card->plans[i];

		plan->name = plan_names[i];
		plan->rank = i;
		plan->price = i > 0 ? draw_price(8) : 0;
		plan->usage = core_alloc(&now.test.core, sizeof(UsageCharge) * 2);
		if (i > 0)
			draw_charge(plan, once_in(4) ? METER_MAU : METER_DAU);
		if (i > 0 && !once_in(4))
			draw_charge(plan, METER_GROUPS);
	}
}

static void
draw_addons(Card *card)
{
	static const char *const names[] = {"members", "call", "history"};
	Core	   *core = &now.test.core;

	card->addons = core_alloc(core, sizeof(CardAddon) * LENGTH(names));
	for (int i = 0; i < LENGTH(names); i++)
	{
		CardAddon  *addon = &card->addons[card->naddons];

		if (once_in(6))
			continue;
		card->naddons++;
		*addon = (CardAddon) {.name = names[i], .postpaid = i == 2};
		addon->prices = core_alloc(core, sizeof(AddonPrice) * 12);
		for (int p = 1; p < card->nplans; p++)
			for (int o = 0; o < LENGTH(options); o++)
				if (!once_in(4))
					addon->prices[addon->nprices++] = (AddonPrice) {plan_names[p], options[o], draw_price(8)};
		addon->minutes = core_alloc(core, sizeof(AddonMinutes) * LENGTH(options));
		for (int o = 0; o < LENGTH(options) && i == 1; o++)
			addon->minutes[addon->nminutes++] = (AddonMinutes) {options[o], draw(200)};
	}
}

static void
draw_packs(Card *card)
{
	static const char *const names[] = {"month", "year"};

	card->packs = core_alloc(&now.test.core, sizeof(CardPack) * LENGTH(names));
	card->npacks = draw(LENGTH(names) + 1);
	for (int i = 0; i < card->npacks; i++)
		card->packs[i] = (CardPack) {.name = names[i], .price = draw_price(2),
			.holds = amount_of(now.wild && once_in(4) ? 1000000000000000 : 1 + draw(20000)),
			.months = 1 + draw(4)};
}

static const Card *
draw_card(void)
{
	Card	   *card = core_alloc(&now.test.core, sizeof(Card));

	card->currency = "CNY";
	card->time_zone = "UTC";
	card->scale = once_in(4) ? draw(9) : 2;
	card->grace_days = now.wild && once_in(4) ? 3660 : draw(15);
	draw_plans(card);
	draw_addons(card);
	card->sells_local_moderation = !once_in(5);
	card->local_moderation = draw_price(8);
	card->sells_moderation = !once_in(5);
	card->deduction_price = draw_price(4);
	for (int k = 0; k < CHECK_KINDS && card->sells_moderation; k++)
	{
		card->weighs[k] = !once_in(6);
		card->coefficients[k] = draw_price(3) % amount_of(100);
	}
	for (int c = 0; c < CALL_CLASSES; c++)
		if (!once_in(6))
			card->calls[c] = (CallPrice) {true, now.wild && once_in(4) ? 1000000 : 1 + draw(15), draw_price(8)};
	if (card->sells_moderation)
		draw_packs(card);
	return card;
}

static void
draw_cards(void)
{
	CalDay		from = cal_first_day(now.first_month) - draw(40);

	now.cards = (CardHistory) {"card", 1 + draw(MAX_VERSIONS), now.versions};
	if (now.wild && once_in(2))
		from += 60;
	for (int i = 0; i < now.cards.nversions; i++, from += 1 + draw(90))
		now.versions[i] = (CardVersion) {from, draw_card()};
	now.other_version = (CardVersion) {INT32_MIN, draw_card()};
	now.other = (CardHistory) {"other", 1, &now.other_version};
}

/* ---------- random histories ---------- */

static const char *const items[] = {
	"plan", "plan", "plan", "members", "call", "call", "history", "moderation",
	"moderation", "local_moderation", "moderation_pack", "moderation_pack", "nonsense", ""
};

static const char *
draw_option(const char *item)
{
	static const char *const packs[] = {"month", "year"};
	static const char *const all[] = {"", "basic", "pro", "month", "nonsense"};

	if (once_in(20))
		return ONE_OF(all);
	if (strcmp(item, "plan") == 0)
		return ONE_OF(plan_names);
	if (strcmp(item, "moderation_pack") == 0)
		return ONE_OF(packs);
	return strstr(item, "moderation") != NULL ? "" : ONE_OF(options);
}

static OrderAction
draw_action(const char *item)
{
	bool		is_switch = strcmp(item, "history") == 0 || strcmp(item, "moderation") == 0;

	if (once_in(20))
		return (OrderAction) draw(ORDER_ACTIONS);
	if (once_in(5))
		return ORDER_REFUND;
	if (is_switch)
		return once_in(3) ? ORDER_OFF : ORDER_ON;
	return strcmp(item, "plan") == 0 && once_in(2) ? ORDER_UPGRADE : ORDER_BUY;
}

/* Figures that no caller should send, but might. */
static void
spoil_order(Order *order)
{
	static const int ints[] = {INT32_MIN, -1, 0, 1, 1200, 1201, INT32_MAX};
	static const int64_t ids[] = {INT64_MIN, -1, 0, 1, INT64_MAX};

	order->has_months = once_in(2);
	order->months = ONE_OF(ints);
	order->quantity = ONE_OF(ints);
	order->has_refunds = once_in(2);
	order->refunds = ONE_OF(ids);
	order->has_paid = once_in(2);
	order->paid = AMOUNT_ONE * 1000000000000 - 1;
}

static Order
draw_order(CalDay day)
{
	const char *item = ONE_OF(items);
	Order		order = {.order_id = now.norders * 7 % 25 - 3, .day = day, .action = draw_action(item),
	.item = item, .option = draw_option(item), .quantity = 1};
	bool		buys = order.action == ORDER_BUY,
				pack = strcmp(item, "moderation_pack") == 0;

	order.has_months = buys && !pack;
	order.months = order.has_months ? 1 + draw(4) : 0;
	if (buys && pack)
		order.quantity = 1 + draw(3);
	if (order.action == ORDER_REFUND && !once_in(10))
	{
		order.item = order.option = "";
		order.has_refunds = now.norders > 0;
		if (order.has_refunds)
			order.refunds = now.orders[draw(now.norders)].order_id;
	}
	order.has_paid = (buys || order.action == ORDER_UPGRADE) && once_in(8);
	order.paid = order.has_paid ? draw_price(8) : 0;
	if (now.wild && once_in(6))
		spoil_order(&order);
	return order;
}

static Account *
open_until(CalDay until, bool preview)
{
	return account_open(&now.test.core, 1, preview ? &now.other : &now.cards, now.orders, now.norders,
						now.suspensions, now.nsuspensions, until, preview);
}

static bool
is_legal(void)
{
	if (!TRY_CORE(&now.test))
		return false;
	open_until(CAL_MAX_DAY + 1, false);
	return true;
}

static void
draw_orders(void)
{
	CalDay		day = cal_first_day(now.first_month);
	CalDay		end = cal_first_day(now.first_month + MONTHS);
	bool		only_legal = !now.wild || once_in(2);
	int			tries = 4 + draw(2 * MAX_ORDERS);

	while (tries-- > 0 && now.norders < MAX_ORDERS && day < end)
	{
		now.orders[now.norders] = draw_order(day);
		now.norders++;
		if (only_legal && !is_legal())
			now.norders--;
		if (once_in(2))
			day += draw(once_in(3) ? 40 : 6);
	}
}

static CalDay
draw_day(void)
{
	return cal_first_day(now.first_month) + draw(31 * MONTHS);
}

static int64_t
draw_count(UsageField field)
{
	static const int64_t extreme[] = {INT64_MAX, INT64_MAX / 2, 1000000000000};

	if (now.wild && once_in(8))
		return ONE_OF(extreme);
	if (once_in(3))
		return 0;
	return draw(field <= USAGE_GROUPS ? 200000 : once_in(4) ? 2000 : 60);
}

static void
draw_usage(void)
{
	now.nrows = draw(MAX_ROWS);
	for (int i = 0; i < now.nrows; i++)
	{
		now.rows[i][USAGE_DAY] = draw_day();
		for (UsageField f = USAGE_DAU; f < USAGE_FIELDS; f++)
			now.rows[i][f] = draw_count(f);
	}
	now.nsuspensions = once_in(2) ? draw(MAX_SUSPENSIONS + 1) : 0;
	for (int i = 0; i < now.nsuspensions; i++)
	{
		CalDay		from = draw_day();

		now.suspensions[i] = (Suspension) {from, now.wild && once_in(4) ? INT32_MAX : from + draw(20)};
	}
}

/* ---------- what must hold ---------- */

static int64_t
some_users(void *arg, const char *meter, CalDay first, int ndays, const bool *chosen)
{
	int64_t		users = *(int64_t *) arg;

	(void) meter;
	/* reads what it is given, so that the sanitizers see it */
	for (int i = 0; i < ndays; i++)
		users += chosen[i] ? (first + i) % 3 + 3 : 0;
	return users;
}

static Usage *
usage_between(CalDay first, CalDay until)
{
	static int64_t base = 9990;
	Usage	   *usage = usage_open(&now.test.core, first, until);

	usage_add(&now.test.core, usage, &now.rows[0][0], now.nrows);
	usage->month_users = some_users;
	usage->arg = &base;
	return usage;
}

static Bill *
bill_since(CalMonth month, bool preview, CalDay since)
{
	Account    *account = open_until(cal_first_day(month + 1), preview);
	CalDay		needed = bill_usage_since(account, month);

	holds(needed <= cal_first_day(month), "a bill needs no usage of the first of its month");
	if (needed < since)
		since = needed;
	return bill_compute(&now.test.core, account, usage_between(since, cal_first_day(month + 1)), month);
}

/* A bill from as little usage as it asks for. */
static Bill *
bill_of(CalMonth month, bool preview)
{
	return bill_since(month, preview, cal_first_day(month));
}

static bool
is_from_packs(LineKind kind)
{
	return kind == LINE_CALL_MINUTES || kind == LINE_MODERATION;
}

/* amount = units * unit_price, but for what the interface excepts. */
static bool
is_plain(const Bill *bill, const BillLine *line)
{
	if (!line->priced || line->kind == LINE_PLAN_UPGRADE)
		return false;
	if (line->kind >= LINE_DAU_OVERAGE && line->kind <= LINE_POSTPAID_ADDON && line->kind != LINE_ADDON)
		return !bill->service.out_at_end;
	for (int i = 0; i < now.norders; i++)
		if (line->order_id == now.orders[i].order_id && now.orders[i].has_paid)
			return is_from_packs(line->kind) || line->kind == LINE_REFUND;
	return true;
}

static bool
in_order(const BillLine *a, const BillLine *b)
{
	int			items = strcmp(a->item, b->item);

	if (a->kind != b->kind || items != 0)
		return a->kind < b->kind || (a->kind == b->kind && items < 0);
	return a->due_on < b->due_on || (a->due_on == b->due_on && a->order_id <= b->order_id);
}

static void
check_line(const Bill *bill, const BillLine *line)
{
	Core	   *core = &now.test.core;

	holds(line->reason != NULL && reason_sentence(core, REASON_ENGLISH, line->reason) != NULL &&
		  reason_sentence(core, REASON_CHINESE, line->reason) != NULL, "a line cannot be explained in both languages");
	holds(line->until >= line->from, "a line's period ends before it begins");
	holds(line->counted || !line->priced, "a line has an amount but no quantity");
	holds(bill->account->preview || line->priced, "a line of a bill has no amount");
	if (!line->counted)
		return;
	holds(line->quantity > 0, "a line has no quantity");
	holds(line->included >= 0 && line->billable >= 0 && line->units >= 0, "a figure of a line is negative");
	if (is_from_packs(line->kind))
		holds(line->included <= line->quantity && line->billable == line->quantity - line->included &&
			  line->units == line->billable, "packs gave more or less than what was used less what was billed");
	if (is_plain(bill, line))
		holds(line->amount == amount_mul(core, line->units, line->unit_price),
			  "amount is not units * unit_price");
	holds(!line->priced || (line->kind == LINE_REFUND ? line->amount <= 0 : line->amount >= 0),
		  "a charge is negative, or a refund positive");
}

static void
check_total(const Bill *bill)
{
	Amount		sum = 0,
				unit = AMOUNT_ONE,
				total = bill_total(bill);

	for (int i = 0; i < bill->nlines; i++)
		sum += bill->lines[i].priced ? bill->lines[i].amount : 0;
	for (int i = 0; i < bill->card->scale; i++)
		unit /= 10;
	holds(total % unit == 0, "the total has more places than the currency");
	holds(2 * (total - sum) <= unit && 2 * (sum - total) <= unit, "total and sum differ by more than half a unit");
}

/* What packs give never exceeds what they hold, and none is overdrawn. */
static void
check_packs(void *arg, const ModerationDay *day, const PackList *packs)
{
	Amount		taken = 0;
	bool		after_shortage = false;

	(void) arg;
	for (int i = 0; i < packs->npacks; i++)
	{
		const Pack *pack = packs->packs[i];

		holds(pack->left >= 0 && pack->taken >= 0, "a pack is overdrawn");
		holds(day->day >= pack->start && day->day < pack->end,
			  "a pack gives on a day on which it is not in force");
		after_shortage |= pack->left > 0;
		taken += pack->taken;
	}
	holds(taken == day->from_packs, "packs gave another sum than the day says");
	holds(day->postpaid >= 0 && day->deductions == day->from_packs + day->postpaid,
		  "a day's deductions are not what packs gave and what is postpaid");
	holds(day->postpaid == 0 || !after_shortage, "deductions are postpaid while a pack has some left");
}

/* Pack minutes given in the month, against those of the term months in it. */
static void
check_call_packs(const Bill *bill)
{
	Amount		given = 0,
				held = 0;

	for (int i = 0; i < bill->nlines; i++)
		for (int c = 0; c < CALL_CLASSES; c++)
			if (bill->lines[i].kind == LINE_CALL_MINUTES &&
				strcmp(bill->lines[i].option, call_class_names[c]) == 0)
				given += bill->lines[i].included * bill->card->calls[c].ratio;
	for (int i = 0; i < bill->account->nterms; i++)
	{
		const Term *term = bill->account->terms[i];
		const CardAddon *addon = card_addon(term->card, term->item);

		for (int m = 0; addon != NULL && !term->annulled && m < term->months; m++)
			if (cal_add_months(term->start, m) < bill->until &&
				cal_add_months(term->start, m + 1) > bill->first &&
				cal_add_months(term->start, m) < term->ends)
				held += amount_of(addon_minutes(addon, term->option));
	}
	holds(given <= held, "packs of call minutes gave more than they hold");
}

/* Usage of the month that nobody pays, by field. */
static void
sum_unbilled(void *arg, const UnbilledUsage *unbilled)
{
	static const char *const kinds[] = {"text", "image", "audio", "video",
	"call_audio", "call_sd", "call_hd", "call_fhd"};
	Amount	   *sums = arg;

	for (int i = 0; i < LENGTH(kinds); i++)
		if (strcmp(kinds[i], unbilled->kind) == 0)
			sums[USAGE_TEXT + i] += unbilled->quantity;
}

static Amount
quantity_of(const Bill *bill, LineKind kind, const char *option)
{
	Amount		sum = 0;

	for (int i = 0; i < bill->nlines; i++)
		if (bill->lines[i].kind == kind && strcmp(bill->lines[i].option, option) == 0)
			sum += bill->lines[i].quantity;
	return sum;
}

/* What was used is either on a line or told as unbilled, and never both. */
static void
check_balance(const Bill *bill)
{
	Usage	   *usage = usage_between(bill->first, bill->until);
	Amount		rest[USAGE_FIELDS] = {0},
				deductions = 0;

	unbilled_usage(bill->core, bill->account, usage, sum_unbilled, rest);
	for (UsageField f = USAGE_TEXT; f < USAGE_FIELDS; f++)
	{
		Amount		used = 0;

		for (int i = 0; i < usage->ndays; i++)
			used += amount_of(usage->days[i][f]);
		if (f == USAGE_AUDIO_HALF || f == USAGE_VIDEO_HALF)
			used /= 2;
		rest[f] = used - rest[f];
	}
	for (int c = 0; c < CALL_CLASSES; c++)
		holds(quantity_of(bill, LINE_CALL_MINUTES, call_class_names[c]) == rest[USAGE_CALL_AUDIO + c],
			  "call minutes are neither billed nor told as unbilled, or both");
	for (int k = 0; k < CHECK_KINDS; k++)
		deductions += amount_mul(&now.test.core, rest[USAGE_TEXT + k], bill->card->coefficients[k]);
	holds(quantity_of(bill, LINE_MODERATION, "") == deductions,
		  "checks are neither billed nor told as unbilled, or both");
}

static bool
same_line(const BillLine *a, const BillLine *b)
{
	return a->kind == b->kind && a->order_id == b->order_id && strcmp(a->item, b->item) == 0 &&
		strcmp(a->option, b->option) == 0 && a->from == b->from && a->until == b->until &&
		a->due_on == b->due_on && a->quantity == b->quantity && a->included == b->included &&
		a->units == b->units && a->unit_price == b->unit_price && a->amount == b->amount &&
		a->priced == b->priced &&
		strcmp(reason_sentence(&now.test.core, REASON_ENGLISH, a->reason),
			   reason_sentence(&now.test.core, REASON_ENGLISH, b->reason)) == 0;
}

static bool
same_bill(const Bill *a, const Bill *b)
{
	for (int i = 0; i < a->nlines && a->nlines == b->nlines; i++)
		if (!same_line(&a->lines[i], &b->lines[i]))
			return false;
	return a->nlines == b->nlines;
}

/* What the facts of a line have come to so far. */
typedef struct FactSum
{
	int			namounts;
	int			norphans;		/* facts after the amount */
	Amount		used;
	Amount		from_packs;
	Amount		postpaid;
	Amount		amount;
} FactSum;

static void
sum_fact(void *arg, const Fact *fact)
{
	FactSum    *sum = arg;
	const char *name = fact->fact;

	sum->norphans += sum->namounts > 0;
	if (strcmp(name, "amount") == 0)
	{
		sum->namounts++;
		sum->amount = fact->amount;
	}
	if (strcmp(name, "minutes") == 0 || strcmp(name, "deductions") == 0)
		sum->used += fact->quantity;
	if (strcmp(name, "from pack") == 0)
		sum->from_packs += fact->quantity;
	if (strcmp(name, "postpaid") == 0)
		sum->postpaid += fact->amount;
}

/* Each line is told up to its amount, and usage adds up to it. */
static void
check_facts(const Bill *bill)
{
	for (int i = 0; i < bill->nlines; i++)
	{
		const BillLine *line = &bill->lines[i];
		FactSum		sum = {0};

		bill_facts(bill, i, sum_fact, &sum);
		holds(sum.namounts == 1 && sum.norphans == 0, "the facts of a line do not end in its amount");
		holds(!line->priced || sum.amount == line->amount, "the facts of a line have another amount");
		if (is_from_packs(line->kind) && line->priced)
			holds(sum.used == line->quantity && sum.from_packs == line->included && sum.postpaid == line->amount,
				  "the facts of usage do not add up");
	}
}

static void
check_bill(const Bill *bill)
{
	check_facts(bill);
	for (int i = 0; i < bill->nlines; i++)
	{
		check_line(bill, &bill->lines[i]);
		holds(i == 0 || in_order(&bill->lines[i - 1], &bill->lines[i]), "lines are out of order");
	}
	check_total(bill);
	check_call_packs(bill);
	moderation_days(bill, check_packs, NULL);
	tally.bills++;
	tally.lines += bill->nlines;
}

/* More usage than a bill asks for, and suspensions in another sequence, change nothing. */
static void
check_same(const Bill *bill, CalMonth month)
{
	holds(same_bill(bill, bill_since(month, false, cal_first_day(now.first_month) - 40)),
		  "usage from before bill_usage_since() changes a bill");
	for (int i = 0; i + 1 < now.nsuspensions; i++)
	{
		Suspension	swapped = now.suspensions[i];

		now.suspensions[i] = now.suspensions[i + 1];
		now.suspensions[i + 1] = swapped;
	}
	holds(same_bill(bill, bill_of(month, false)), "the sequence of suspensions changes a bill");
}

/*
 * The same card as a preview: nothing may change for a legal history.  Not so
 * with several versions, since the card of a preview stands for all.
 */
static void
check_own_preview(const Bill *bill, CalMonth month)
{
	CardHistory other = now.other;

	now.other = now.cards;
	holds(same_bill(bill, bill_of(month, true)), "a preview under the app's own card is another bill");
	now.other = other;
}

/*
 * A tame month is billed, or no card version covers its first day, or the
 * card in force then lacks the app's plan.
 */
static bool
check_month(CalMonth month, int *norders)
{
	Bill	   *bill;

	if (!TRY_CORE(&now.test))
	{
		tally.problems++;
		holds(now.wild || now.test.problem.code == PROBLEM_CARD, "a legal history has no bill");
		return false;
	}
	bill = bill_of(month, false);
	check_bill(bill);
	if (now.wild)
		return true;
	check_balance(bill);
	if (once_in(3))
		check_same(bill, month);
	else if (now.cards.nversions == 1)
		check_own_preview(bill, month);
	for (int i = 0; i < bill->nlines; i++)
		*norders += bill->lines[i].kind != LINE_MODERATION && bill->lines[i].kind != LINE_CALL_MINUTES &&
			bill->lines[i].kind != LINE_POSTPAID_ADDON &&
			(bill->lines[i].kind < LINE_DAU_OVERAGE || bill->lines[i].kind > LINE_GROUP_OVERAGE);
	return true;
}

/* A preview of anything under any card: a bill, or figures too large. */
static void
check_preview(CalMonth month)
{
	const Bill *bill;

	if (!TRY_CORE(&now.test))
	{
		holds(now.wild && now.test.problem.code == PROBLEM_RANGE, "a preview fails");
		return;
	}
	bill = bill_of(month, true);
	if (!now.wild)
		check_bill(bill);
	else
		bill_total(bill);
}

/* A refund gives back at most what was paid, rounded to cents. */
static void
check_refunds(const Account *account)
{
	for (int i = 0; i < account->nrefunds; i++)
	{
		const Refund *refund = &account->refunds[i];
		const Term *term = refund->term;
		Amount		paid = term->amount;

		for (int u = term->first_upgrade; term->plan != NULL && u < account->nupgrades; u++)
			if (account->upgrades[u].order->day < term->ends && account->upgrades[u].end > term->start)
				paid += account->upgrades[u].amount;
		holds(refund->amount >= 0 && refund->amount <= paid + AMOUNT_CENT / 2,
			  "a refund gives back more than was paid");
		holds(term->annulled ? refund->whole : refund->order->day + 1 == term->ends,
			  "a refunded term does not end with the day of its refund");
	}
}

/* All refunds together give back no more than was paid, a cent of rounding each. */
static void
check_paid(const Account *account)
{
	Amount		paid = 0,
				back = 0;

	for (int i = 0; i < account->nterms; i++)
		paid += account->terms[i]->amount;
	for (int i = 0; i < account->nupgrades; i++)
		paid += account->upgrades[i].amount;
	for (int i = 0; i < account->nrefunds; i++)
		back += account->refunds[i].amount;
	holds(back <= paid + account->nrefunds * AMOUNT_CENT, "an app gets back more than it ever paid");
	tally.refunds += account->nrefunds;
	tally.upgrades += account->nupgrades;
}

static int
charged_orders(void)
{
	int			count = 0;

	for (int i = 0; i < now.norders; i++)
		count += now.orders[i].action <= ORDER_REFUND;
	return count;
}

/* Orders of later days never change a day, save that a renewal ends a grace. */
static void
check_past(const Account *whole)
{
	for (int i = 0; i < 3; i++)
	{
		CalDay		day = draw_day();
		const char *plan,
				   *plan_then;
		ServiceState state = account_state(whole, day, &plan),
					then = account_state(open_until(day + 1, false), day, &plan_then);

		if (then == STATE_GRACE && state == STATE_ACTIVE)
			then = STATE_ACTIVE;
		holds(state == then, "a later order changes the state of an earlier day");
		holds((plan == NULL) == (plan_then == NULL) && (plan == NULL || strcmp(plan, plan_then) == 0),
			  "a later order changes the plan of an earlier day");
	}
}

static void
check_account(void)
{
	const Account *account;

	if (!TRY_CORE(&now.test))
	{
		tally.problems++;
		return;
	}
	account = open_until(CAL_MAX_DAY + 1, false);
	check_refunds(account);
	if (!now.wild)
		check_paid(account);
	check_past(account);
}

/* Both ask for more usage than a bill: of the month before, of half a year. */
static void
check_later(CalMonth month)
{
	CalMonth	last = month + draw(MONTHS);
	CalDay		since = cal_first_day(month),
				today = since + draw(cal_days_in_month(month));

	if (!TRY_CORE(&now.test))
	{
		holds(now.wild || now.test.problem.code == PROBLEM_CARD, "a legal history has no revenue or forecast");
		return;
	}
	if (month > CAL_MIN_MONTH && last < CAL_MAX_MONTH)
		check_revenue(open_until(cal_first_day(last + 1), false),
					  usage_between(bill_usage_since(open_until(since, false), month - 1), cal_first_day(last + 1)),
					  month, last, holds);
	since -= since > CAL_MIN_DAY + FORECAST_DAYS ? FORECAST_DAYS : 0;
	check_forecast(open_until(cal_first_day(month + 1), false),
				   usage_between(since, cal_first_day(month + 1)), today, now.wild, holds);
}

static void
draw_history(void)
{
	static const CalMonth extremes[] = {CAL_MIN_MONTH + 2, CAL_MAX_MONTH - MONTHS};

	test_core_open(&now.test);
	now.norders = 0;
	now.wild = once_in(5);
	now.first_month = now.wild && once_in(4) ? ONE_OF(extremes) : 276 + draw(24);
	draw_cards();
	draw_usage();
	draw_orders();
}

static void
run_history(void)
{
	int			lines = 0;
	bool		all = true;

	draw_history();
	check_account();
	for (CalMonth month = now.first_month; month < now.first_month + MONTHS; month++)
	{
		all &= check_month(month, &lines);
		if (once_in(3))
			check_preview(month);
		if (once_in(4))
			check_later(month);
	}
	if (all && !now.wild)
		holds(lines == charged_orders(), "an order has no line, or lines in two months");
	test_core_close(&now.test);
}

#ifdef FUZZ_LIBFUZZER
int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t nothing = 0;

	source.bytes = size > 0 ? data : &nothing;
	source.size = size;
	run_history();
	return 0;
}
#else
static long
setting(int argc, char **argv, int n, const char *variable, long otherwise)
{
	const char *text = argc > n ? argv[n] : variable != NULL ? getenv(variable) : NULL;

	return text != NULL && *text != '\0' ? (long) strtoull(text, NULL, 10) : otherwise;
}

int
main(int argc, char **argv)
{
	long		count,
				first;

	now.seed = (uint64_t) setting(argc, argv, 1, "FUZZ_SEED", 20191210);
	count = setting(argc, argv, 2, "FUZZ_HISTORIES", 5000);
	first = setting(argc, argv, 3, NULL, 0);
	for (now.number = first; now.number < first + count; now.number++)
	{
		source.state = (now.seed * 1000003 + (uint64_t) now.number) * 0xd1342543de82ef95u;
		run_history();
	}
	ok(tally.broken == 0, "%ld invariants are broken in %ld histories of seed %llu",
	   tally.broken, count, (unsigned long long) now.seed);
	ok(count < 1000 || (tally.bills > count && tally.lines > tally.bills && tally.refunds > count / 4 &&
						tally.upgrades > count / 20),
	   "the histories are too poor to show anything: %ld bills of %ld lines, %ld refunds, %ld upgrades, %ld problems",
	   tally.bills, tally.lines, tally.refunds, tally.upgrades, tally.problems);
	return done_testing();
}
#endif
