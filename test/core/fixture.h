/*
 * fixture.h
 *	  Histories of one app, written down in a few words.
 *
 * The cards are those of billing-rules R10 as far as the tests need them,
 * typed in once more here: the tests must not follow a wrong card.  One
 * history is under way at a time; begin() starts the next.
 */
#ifndef IM_TEST_FIXTURE_H
#define IM_TEST_FIXTURE_H

#include "core/bill/bill.h"
#include "core/bill/moderation.h"
#include "core/bill/unbilled.h"
#include "tap.h"

#define PRICE(text)			(amount_from_text(text))
#define MAX_ORDERS			320
#define MAX_SUSPENSIONS		8
#define MAX_FIGURES			64
#define MAX_METERS		8
#define LENGTH(array)		((int) (sizeof(array) / sizeof((array)[0])))

static inline Amount
amount_from_text(const char *text)
{
	Amount		value = 0;

	if (amount_parse(text, strlen(text), &value) != AMOUNT_OK)
		abort();
	return value;
}

static inline CalDay
day_of(const char *text)
{
	int			y,
				m,
				d;

	if (sscanf(text, "%d-%d-%d", &y, &m, &d) != 3)
		abort();
	return cal_day(y, m, d);
}

static inline CalMonth
month_of(const char *text)
{
	int			y,
				m;

	if (sscanf(text, "%d-%d", &y, &m) != 2)
		abort();
	return (y - 2000) * 12 + m - 1;
}

static CardPlan cn_plans[3],
			cn24_plans[3],
			intl_plans[3];
static AddonPrice live_prices[1],
			member_prices[2],
			history_prices[7],
			call_prices[6];
static AddonMinutes call_minutes[3];
static CardAddon cn_addons[4];
static CardPack cn_packs[4];
static Card cn,
			cn24,
			intl;
static CardVersion cn_versions[2],
			intl_versions[1],
			late_versions[1],
			cn24_only[1];

/* The price lists to begin() with. */
static const struct
{
	CardHistory cn;				/* pro costs 1499 from 2024 on */
	CardHistory intl;
	CardHistory late;			/* cn, first version on 2023-03-15 */
	CardHistory cn24;			/* pro always cost 1499: for previews */
} cards = {
	{"cn", 2, cn_versions}, {"intl", 1, intl_versions},
	{"late", 1, late_versions}, {"cn24", 1, cn24_only}
};

/* Cards outlive the memory of a test: a chain holds it, so that it is not lost. */
typedef union CardMemory
{
	union CardMemory *before;
	max_align_t alignment;
} CardMemory;

static CardMemory *card_memory;

static inline void *
card_alloc(size_t size)
{
	CardMemory *memory = calloc(1, sizeof(CardMemory) + size);

	if (memory == NULL)
		abort();
	memory->before = card_memory;
	card_memory = memory;
	return memory + 1;
}

/* Started blocks over a quota. */
static inline const Charge *
block_charge(int64_t included, int64_t block, Amount price)
{
	Charge	   *charge = card_alloc(sizeof(Charge));

	*charge = (Charge) {.included = amount_of(included), .ntiers = 1,
		.tiers = card_alloc(sizeof(ChargeTier))};
	*charge->tiers = (ChargeTier) {.block = amount_of(block), .price = price};
	return charge;
}

/* Adds a charge of a meter to a plan, or puts it in the place of the one it has. */
static inline void
price_usage(CardPlan *plan, const char *meter, const Charge *charge)
{
	UsageCharge *usage = card_alloc(sizeof(UsageCharge) * (size_t) (plan->nusage + 1));
	int			at = 0;

	if (plan->nusage > 0)
		memcpy(usage, plan->usage, sizeof(UsageCharge) * (size_t) plan->nusage);
	while (at < plan->nusage && strcmp(usage[at].meter, meter) != 0)
		at++;
	usage[at] = (UsageCharge) {meter, charge, true};
	plan->usage = usage;
	plan->nusage += at == plan->nusage;
}

static inline CardPlan
paid_plan(const char *name, int rank, const char *price)
{
	CardPlan	plan = {.name = name, .rank = rank, .price = PRICE(price)};

	price_usage(&plan, METER_DAU, block_charge(10000, 10000, PRICE("1000")));
	price_usage(&plan, METER_GROUPS, block_charge(100000, 100000, PRICE("1000")));
	return plan;
}

static inline void
make_addons(void)
{
	static const char *const options[] = {"30d", "90d", "180d", "360d"};
	static const char *const on_pro[] = {"500", "1000", "1500", "2500"};
	static const char *const on_flagship[] = {"500", "1000", "2000"};
	static const char *const calls[] = {"basic", "advanced", "premium"};
	static const int64_t minutes[] = {110000, 235000, 380000};

	live_prices[0] = (AddonPrice) {"pro", "", PRICE("1000")};
	member_prices[0] = (AddonPrice) {"pro", "", PRICE("500")};
	member_prices[1] = (AddonPrice) {"flagship", "", PRICE("500")};
	for (int i = 0; i < 4; i++)
		history_prices[i] = (AddonPrice) {"pro", options[i], PRICE(on_pro[i])};
	for (int i = 0; i < 3; i++)
	{
		history_prices[4 + i] = (AddonPrice) {"flagship", options[i + 1], PRICE(on_flagship[i])};
		call_prices[i] = (AddonPrice) {"pro", calls[i], amount_of(500 * (i + 1))};
		call_prices[3 + i] = (AddonPrice) {"flagship", calls[i], amount_of(500 * (i + 1))};
		call_minutes[i] = (AddonMinutes) {calls[i], minutes[i]};
	}
	cn_addons[0] = (CardAddon) {.name = "avchatroom", .postpaid = false, .nprices = 1, .prices = live_prices, .nminutes = 0, .minutes = NULL};
	cn_addons[1] = (CardAddon) {.name = "group_members", .postpaid = false, .nprices = 2, .prices = member_prices, .nminutes = 0, .minutes = NULL};
	cn_addons[2] = (CardAddon) {.name = "history_storage", .postpaid = true, .nprices = 7, .prices = history_prices, .nminutes = 0, .minutes = NULL};
	cn_addons[3] = (CardAddon) {.name = "call", .postpaid = false, .nprices = 6, .prices = call_prices, .nminutes = 3, .minutes = call_minutes};
}

static inline void
make_usage_prices(Card *card)
{
	static const int64_t ratios[] = {1, 2, 4, 15};
	static const char *const per_minute[] = {"0.007", "0.014", "0.028", "0.105"};
	static const char *const weights[] = {"1", "0.65", "15", "56"};

	for (int i = 0; i < CALL_CLASSES; i++)
	{
		card->calls[i] = (CallPrice) {true, ratios[i], PRICE(per_minute[i])};
		card->weighs[i] = true;
		card->coefficients[i] = PRICE(weights[i]);
	}
	cn_packs[0] = (CardPack) {.name = "month", .price = PRICE("1050"), .holds = amount_of(1100000), .months = 1};
	cn_packs[1] = (CardPack) {.name = "year_small", .price = PRICE("9500"), .holds = amount_of(10000000), .months = 12};
	cn_packs[2] = (CardPack) {.name = "year_medium", .price = PRICE("49000"), .holds = amount_of(70000000), .months = 12};
	cn_packs[3] = (CardPack) {.name = "year_large", .price = PRICE("72000"), .holds = amount_of(125000000), .months = 12};
	card->sells_moderation = card->sells_local_moderation = true;
	card->local_moderation = PRICE("1000");
	card->deduction_price = PRICE("0.0010");
	card->packs = cn_packs;
	card->npacks = 4;
}

static inline void
make_cards(void)
{
	make_addons();
	cn = (Card) {.currency = "CNY", .scale = 2, .time_zone = "Asia/Shanghai", .grace_days = 7,
		.nplans = 3, .plans = cn_plans, .naddons = 4, .addons = cn_addons};
	make_usage_prices(&cn);
	cn_plans[0] = (CardPlan) {.name = "trial"};
	cn_plans[1] = paid_plan("pro", 1, "999");
	cn_plans[2] = paid_plan("flagship", 2, "2999");
	cn24 = cn;
	cn24.plans = cn24_plans;
	memcpy(cn24_plans, cn_plans, sizeof(cn_plans));
	cn24_plans[1].price = PRICE("1499");

	intl = (Card) {.currency = "USD", .scale = 2, .time_zone = "Asia/Shanghai", .grace_days = 7,
		.nplans = 3, .plans = intl_plans};
	intl_plans[0] = (CardPlan) {.name = "developer"};
	intl_plans[1] = (CardPlan) {.name = "standard", .rank = 1, .price = PRICE("399")};
	price_usage(&intl_plans[1], METER_MAU, block_charge(10000, 1, PRICE("0.015")));
	intl_plans[2] = intl_plans[1];
	intl_plans[2].name = "premium";
	intl_plans[2].rank = 2;
	intl_plans[2].price = PRICE("699");

	cn_versions[0] = (CardVersion) {cal_day(2019, 12, 10), &cn};
	cn_versions[1] = (CardVersion) {cal_day(2024, 1, 1), &cn24};
	intl_versions[0] = (CardVersion) {cal_day(2022, 12, 26), &intl};
	late_versions[0] = (CardVersion) {cal_day(2023, 3, 15), &cn};
	cn24_only[0] = (CardVersion) {CAL_MIN_DAY, &cn24};
}

/* One figure of a day. */
typedef struct DayFigure
{
	CalDay		day;
	UsageField	field;
	int64_t		count;
} DayFigure;

static struct
{
	TestCore	test;
	const CardHistory *cards;
	int			norders;
	Order		orders[MAX_ORDERS];
	int			nsuspensions;
	Suspension	suspensions[MAX_SUSPENSIONS];
	int			nfigures;
	DayFigure	figures[MAX_FIGURES];
	int64_t		month_users;	/* what the month's logins would come to */
	int			nmeters;
	MeterUsage	meters[MAX_METERS];
} app;

/* Starts the history of another app on a card. */
static inline void
begin(const CardHistory *cards)
{
	test_core_close(&app.test);
	memset(&app, 0, sizeof(app));
	test_core_open(&app.test);
	app.cards = cards;
}

static inline Order *
add_order(const char *day, OrderAction action, const char *item, const char *option)
{
	Order	   *order = &app.orders[app.norders++];

	if (app.norders > MAX_ORDERS)
		abort();
	*order = (Order) {.order_id = app.norders, .at = day_of(day), .day = day_of(day), .action = action,
		.item = item, .option = option, .quantity = 1};
	return order;
}

/* The order of an id, to be changed. */
static inline Order *
order_of(int64_t order_id)
{
	return &app.orders[order_id - 1];
}

static inline int64_t
buy(const char *day, const char *item, const char *option, int months)
{
	Order	   *order = add_order(day, ORDER_BUY, item, option);

	order->has_months = true;
	order->months = months;
	return order->order_id;
}

static inline int64_t
buy_paid(const char *day, const char *item, const char *option, int months, const char *paid)
{
	int64_t		id = buy(day, item, option, months);

	order_of(id)->has_paid = true;
	order_of(id)->paid = PRICE(paid);
	return id;
}

static inline int64_t
buy_packs(const char *day, const char *pack, int quantity)
{
	Order	   *order = add_order(day, ORDER_BUY, ITEM_PACK, pack);

	order->quantity = quantity;
	return order->order_id;
}

static inline Order *
upgrade(const char *day, const char *plan)
{
	return add_order(day, ORDER_UPGRADE, ITEM_PLAN, plan);
}

static inline Order *
refund_of(const char *day, int64_t order_id)
{
	Order	   *order = add_order(day, ORDER_REFUND, "", "");

	order->has_refunds = true;
	order->refunds = order_id;
	return order;
}

static inline Order *
void_of(const char *day, int64_t order_id)
{
	Order	   *order = add_order(day, ORDER_VOID, "", "");

	order->has_refunds = true;
	order->refunds = order_id;
	return order;
}

/* A credit or charge. */
static inline int64_t
by_hand(const char *day, OrderAction action, const char *reason, const char *paid)
{
	Order	   *order = add_order(day, action, ITEM_MANUAL, reason);

	order->has_paid = true;
	order->paid = PRICE(paid);
	return order->order_id;
}

static inline Order *
switch_on(const char *day, const char *item, const char *option)
{
	return add_order(day, ORDER_ON, item, option);
}

static inline Order *
switch_off(const char *day, const char *item)
{
	return add_order(day, ORDER_OFF, item, "");
}

static inline void
suspend(const char *from, const char *until)
{
	app.suspensions[app.nsuspensions++] = (Suspension) {day_of(from), day_of(until)};
}

static inline void
use(const char *day, UsageField field, int64_t count)
{
	if (app.nfigures == MAX_FIGURES)
		abort();
	app.figures[app.nfigures++] = (DayFigure) {day_of(day), field, count};
}

/* The day of a meter by name, to be filled in; days come in their order. */
static inline MeterDay *
meter_day(const char *meter, const char *day)
{
	MeterUsage *usage = app.meters;

	while (usage < app.meters + app.nmeters && strcmp(usage->meter, meter) != 0)
		usage++;
	if (usage == app.meters + app.nmeters)
	{
		if (app.nmeters++ == MAX_METERS)
			abort();
		*usage = (MeterUsage) {.meter = meter,
			.days = core_alloc(&app.test.core, sizeof(MeterDay) * MAX_FIGURES)};
	}
	usage->days[usage->ndays].day = day_of(day);
	return &usage->days[usage->ndays++];
}

/* Events of a day that come to a quantity; of average from midnight on. */
static inline void
meter(const char *name, const char *day, const char *quantity)
{
	MeterDay   *of = meter_day(name, day);

	of->has_events = true;
	of->quantity = PRICE(quantity);
	of->length = 24 * 3600 * INT64_C(1000000);
	of->area = of->quantity * of->length;
}

static inline void
give_meter(const char *name, const char *day, const char *quantity)
{
	MeterDay   *of = meter_day(name, day);

	of->has_given = true;
	of->given = PRICE(quantity);
}

static inline Account *
open_until(CalDay until, bool preview, const CardHistory *cards)
{
	return account_open(&app.test.core, 1, cards, app.orders, app.norders,
						app.suspensions, app.nsuspensions, until, preview);
}

/* Why the orders are refused, or "" where they are accepted. */
static inline const char *
refusal(void)
{
	static char buf[1000];

	if (TRY_CORE(&app.test))
	{
		account_verify(&app.test.core, 1, app.cards, app.orders, app.norders, INT64_MIN);
		return "";
	}
	snprintf(buf, sizeof(buf), "%s: %s %s",
			 app.test.problem.code == PROBLEM_RULE ? "rule" :
			 app.test.problem.code == PROBLEM_CARD ? "card" : "other",
			 app.test.problem.message, app.test.problem.detail);
	return buf;
}

static inline void
accepted(const char *why)
{
	is(refusal(), "", why);
}

/*
 * The last order is refused with this in the problem's text, and those
 * before it are not.  Forgets the order.
 */
static inline void
refused(const char *like, const char *why)
{
	char		got[1000];

	snprintf(got, sizeof(got), "%s", refusal());
	app.norders--;
	if (!ok(strstr(got, like) != NULL && refusal()[0] == '\0', "%s", why))
	{
		diag("expected a problem like", like);
		diag("got", got);
		diag("without the last order", refusal());
	}
}

/* State and plan of a day as "active pro". */
static inline const char *
state_on(const char *day)
{
	static char buf[100];
	const char *plan = NULL;
	ServiceState state;

	if (!TRY_CORE(&app.test))
		return app.test.problem.message;
	state = account_state(open_until(CAL_MAX_DAY + 1, false, app.cards), day_of(day), &plan);
	snprintf(buf, sizeof(buf), "%s%s%s", service_state_names[state], plan ? " " : "", plan ? plan : "");
	return buf;
}

static int64_t
fixture_month_users(void *arg, const char *meter, CalDay first, int ndays, const bool *chosen)
{
	(void) meter;
	(void) arg;
	(void) first;
	(void) ndays;
	(void) chosen;
	return app.month_users;
}

static inline Bill *
compute_bill(CalMonth month, bool preview, const CardHistory *cards)
{
	Core	   *core = &app.test.core;
	Account    *account = open_until(cal_first_day(month + 1), preview, cards);
	Usage	   *usage = usage_open(core, bill_usage_since(account, month), cal_first_day(month + 1));

	for (int i = 0; i < app.nfigures; i++)
	{
		int64_t		row[USAGE_FIELDS] = {app.figures[i].day};

		row[app.figures[i].field] = app.figures[i].count;
		usage_add(core, usage, row, 1);
	}
	usage->month_users = fixture_month_users;
	usage->nmeters = app.nmeters;
	usage->meters = app.meters;
	return bill_compute(core, account, usage, month);
}

/* Writes one line as "item option quantity-included=billable units*price=amount". */
static inline int
print_line(char *buf, size_t size, const BillLine *line)
{
	char		figures[6][AMOUNT_TEXT_SIZE];
	const Amount values[] = {line->quantity, line->included, line->billable,
	line->units, line->unit_price, line->amount};

	for (int i = 0; i < 6; i++)
	{
		amount_text(values[i], 0, figures[i]);
		if (i < 4 ? !line->counted : !line->priced)
			strcpy(figures[i], "?");
	}
	return snprintf(buf, size, "%s%s%s %s-%s=%s %s*%s=%s\n", line->item, line->option[0] ? " " : "",
					line->option, figures[0], figures[1], figures[2], figures[3], figures[4], figures[5]);
}

static inline const char *
print_bill(const Bill *bill)
{
	static char buf[8000];
	char		total[AMOUNT_TEXT_SIZE];
	int			at = 0;

	for (int i = 0; i < bill->nlines; i++)
		at += print_line(buf + at, sizeof(buf) - at, &bill->lines[i]);
	snprintf(buf + at, sizeof(buf) - at, "total %s\n",
			 amount_text(bill_total(bill), 0, total));
	return buf;
}

static inline const char *
bill_text(const char *month, bool preview, const CardHistory *cards)
{
	if (TRY_CORE(&app.test))
		return print_bill(compute_bill(month_of(month), preview, cards));
	return app.test.problem.message;
}

static inline void
bill_is(const char *month, const char *expected, const char *why)
{
	is(bill_text(month, false, app.cards), expected, why);
}

/* "due_on from until" of the n-th line, from 0. */
static inline const char *
line_days(const char *month, int n)
{
	static char buf[200];
	char		due[CAL_TEXT_SIZE],
				from[CAL_TEXT_SIZE],
				until[CAL_TEXT_SIZE];
	const Bill *bill;

	if (!TRY_CORE(&app.test))
		return app.test.problem.message;
	bill = compute_bill(month_of(month), false, app.cards);
	if (n >= bill->nlines)
		return "no such line";
	snprintf(buf, sizeof(buf), "%s %s %s", cal_day_text(bill->lines[n].due_on, due),
			 cal_day_text(bill->lines[n].from, from), cal_day_text(bill->lines[n].until, until));
	return buf;
}

#endif							/* IM_TEST_FIXTURE_H */
