/*
 * steps.c
 *	  How long the core works without asking whether to go on, and how its
 *	  work grows with what one app holds.
 *
 * No clock is looked at: the compiler counts the blocks of code that run
 * (tap.h).  A loop that does not count its steps shows as a long time without
 * a question, and one in another as work that grows faster than the history.
 */
#include "fixture.h"

#include "core/bill/plan_choice.h"
#include "core/finance/facts.h"
#include "core/finance/forecast.h"
#include "core/finance/quote.h"
#include "core/finance/revenue.h"
#include "core/finance/standing.h"

/* The core asks every CORE_STEPS steps; a step is at most so many blocks. */
#define BLOCKS_A_STEP	400
#define LONGEST			((long long) CORE_STEPS * BLOCKS_A_STEP)

#define SMALL			750
#define SIZES			3		/* 1x, 4x, 16x */
#define BILLED_MONTH	"2023-06"

static Order *orders;
static int	norders;

static Order *
put(CalDay day, OrderAction action, const char *item, const char *option)
{
	orders[norders] = (Order) {.order_id = norders + 1, .day = day, .at = norders, .action = action,
		.item = item, .option = option, .quantity = 1};
	return &orders[norders++];
}

static int64_t
put_buy(CalDay day, const char *item, const char *option, int months)
{
	Order	   *order = put(day, ORDER_BUY, item, option);

	order->has_months = true;
	order->months = months;
	return order->order_id;
}

/* Of the order that many orders ago. */
static void
put_refund(CalDay day, int ago)
{
	Order	   *order = put(day, ORDER_REFUND, "", "");

	order->has_refunds = true;
	order->refunds = norders - 1 - ago;
}

static CalDay
day_in_june(int i)
{
	return day_of("2023-06-01") + i % 28;
}

/* ---- histories of n orders ---- */

static void
packs_of_a_month(int n)
{
	put(day_of("2023-05-01"), ORDER_ON, ITEM_MODERATION, "");
	for (int i = 0; i < n; i++)
		put(day_in_june(i / (n / 28 + 1)), ORDER_BUY, ITEM_PACK, i % 2 ? "month" : "year_small");
}

static void
packs_of_years(int n)
{
	put(day_of("2020-01-01"), ORDER_ON, ITEM_MODERATION, "");
	for (int i = 0; i < n; i++)
		put(day_of("2020-01-01") + i, ORDER_BUY, ITEM_PACK, "month");
}

static void
renewals(int n)
{
	for (int i = 0; i < n; i++)
		put_buy(day_in_june(i / (n / 28 + 1)), "plan", "pro", 1);
	put(day_of("2023-06-29"), ORDER_UPGRADE, "plan", "flagship");
}

/* All on one day, upgraded and given back each time. */
static void
plans_given_back(int n)
{
	put_buy(day_of("2023-01-01"), "plan", "pro", 12);
	put_refund(day_of("2023-06-10"), 0);
	for (int i = 0; i < n / 3; i++)
	{
		put_buy(day_of("2023-06-10"), "plan", "pro", 12);
		put(day_of("2023-06-10"), ORDER_UPGRADE, "plan", "flagship");
		put_refund(day_of("2023-06-10"), 1);
	}
	put_buy(day_of("2023-06-10"), "plan", "pro", 12);
}

static void
addons_given_back(int n)
{
	put_buy(day_of("2023-01-01"), "plan", "pro", 12);
	for (int i = 0; i < n / 2; i++)
	{
		put_buy(day_in_june(i / (n / 56 + 1)), "call", "basic", 3);
		put_refund(day_in_june(i / (n / 56 + 1)), 0);
	}
}

static void
renewals_given_back(int n)
{
	put_buy(day_of("2023-05-01"), "plan", "pro", 12);
	for (int i = 0; i < n / 2; i++)
		put_buy(day_of("2023-06-02"), "call", "basic", 1);
	for (int i = 0; i < n / 2; i++)
		put_refund(day_of("2023-06-03"), 2 * i);
}

static void
switches(int n)
{
	put_buy(day_of("2023-05-01"), "plan", "pro", 12);
	for (int i = 0; i < n / 2; i++)
	{
		const char *item = i % 2 ? ITEM_MODERATION : "history_storage";
		CalDay		day = day_in_june(i / (n / 56 + 1));

		put(day, ORDER_ON, item, i % 2 ? "" : "30d");
		put(day, ORDER_OFF, item, "");
	}
}

static void
years_of_all(int n)
{
	for (int i = 0; i < n / 4; i++)
	{
		CalDay		day = day_of("2020-01-01") + i * 31;

		put_buy(day, "plan", "pro", 1);
		put_buy(day, "call", "premium", 1);
		put(day, i % 2 ? ORDER_OFF : ORDER_ON, ITEM_MODERATION, "");
		put(day, ORDER_BUY, ITEM_PACK, "year_small");
	}
}

static void
put_void(CalDay day, int64_t order_id)
{
	Order	   *order = put(day, ORDER_VOID, "", "");

	order->has_refunds = true;
	order->refunds = order_id;
}

/* One mistake after the other, others in between. */
static void
voided_at_once(int n)
{
	put_buy(day_of("2023-05-01"), "plan", "pro", 12);
	for (int i = 0; i < n / 3; i++)
	{
		CalDay		day = day_in_june(i / (n / 84 + 1));
		int64_t		mistake = put_buy(day, i % 2 ? "plan" : "group_members", i % 2 ? "pro" : "", 12);

		put(day, ORDER_BUY, ITEM_PACK, "month");
		put_void(day, mistake);
	}
}

/* And all of them in the end, the last one first. */
static void
voided_in_the_end(int n)
{
	put_buy(day_of("2023-05-01"), "plan", "pro", 12);
	for (int i = 0; i < n / 2; i++)
		put_buy(day_of("2023-06-01"), i % 2 ? "call" : "plan", i % 2 ? "basic" : "pro", 1);
	for (int i = n / 2; i > 0; i--)
		put_void(day_of("2023-06-02"), orders[i].order_id);
}

/* ---- the card of China with a meter that stands on, priced and in packs ---- */

static CardMeter standing_meter[] = {{"storage_gb", METER_LAST, METER_SUM}};
static CardPack storage_packs[2];
static CardPlan metered_plans[3];
static Card metered;
static CardVersion metered_versions[1];
static const CardHistory metered_cards = {"metered", 1, metered_versions};

static void
make_metered_card(void)
{
	metered = cn;
	for (int i = 0; i < cn.nplans; i++)
	{
		metered_plans[i] = cn.plans[i];
		if (metered_plans[i].rank > 0)
			price_usage(&metered_plans[i], "storage_gb", block_charge(10, 1, PRICE("0.5")));
	}
	storage_packs[0] = (CardPack) {.name = "month", .price = PRICE("1"), .holds = PRICE("3"), .months = 1,
		.meter = "storage_gb", .priority = PACK_PRIORITY};
	storage_packs[1] = (CardPack) {.name = "year", .price = PRICE("1"), .holds = PRICE("3"), .months = 12,
		.meter = "storage_gb", .priority = 1};
	metered.plans = metered_plans;
	metered.nmeters = LENGTH(standing_meter);
	metered.meters = standing_meter;
	metered.nmeter_packs = LENGTH(storage_packs);
	metered.meter_packs = storage_packs;
	metered_versions[0] = (CardVersion) {day_of("2019-12-10"), &metered};
}

static void
packs_of_a_meter(int n)
{
	put_buy(day_of("2023-05-01"), "plan", "pro", 12);
	for (int i = 0; i < n; i++)
		put(day_in_june(i / (n / 28 + 1)), ORDER_BUY, ITEM_METER_PACK, i % 2 ? "month" : "year");
}

static void
packs_of_a_meter_for_years(int n)
{
	put_buy(day_of("2020-01-01"), "plan", "pro", 1200);
	for (int i = 0; i < n; i++)
		put(day_of("2020-01-01") + i, ORDER_BUY, ITEM_METER_PACK, "month");
}

/* Packs stand alone: a void of one needs no look at the others. */
static void
packs_of_a_meter_voided(int n)
{
	put_buy(day_of("2023-05-01"), "plan", "pro", 12);
	for (int i = 0; i < n / 3; i++)
	{
		CalDay		day = day_in_june(i / (n / 84 + 1));
		int64_t		mistake = put(day, ORDER_BUY, ITEM_METER_PACK, "month")->order_id;

		put(day, ORDER_BUY, ITEM_METER_PACK, "year");
		put_void(day, mistake);
	}
}

/* What rests on a voided order may stand before its void: each is tried, when it is placed. */
static void
voided_among_others(int n)
{
	put(day_of("2023-05-01"), ORDER_ON, ITEM_MODERATION, "");
	for (int i = 0; i < n / 3; i++)
	{
		CalDay		day = day_in_june(i / (n / 84 + 1));
		int64_t		mistake = put(day, ORDER_ON, ITEM_MODERATION, "")->order_id;

		put(day, ORDER_OFF, ITEM_MODERATION, "");
		put_void(day, mistake);
	}
	put(day_of("2023-06-30"), ORDER_ON, ITEM_MODERATION, "");
}

typedef struct History
{
	const char *name;
	void		(*make) (int n);
	bool		long_ago;		/* it reaches over years, as long as there are orders */
	const CardHistory *cards;	/* NULL: that of China */
	bool		last_is_new;	/* of its orders only the last is checked */
} History;

static const History histories[] = {
	{"packs of a month", packs_of_a_month, false, NULL, false},
	{"packs of years", packs_of_years, true, NULL, false},
	{"renewals", renewals, false, NULL, false},
	{"plans given back", plans_given_back, false, NULL, false},
	{"add-ons given back", addons_given_back, false, NULL, false},
	{"renewals given back", renewals_given_back, false, NULL, false},
	{"switches", switches, false, NULL, false},
	{"years of all", years_of_all, true, NULL, false},
	{"orders voided at once", voided_at_once, false, NULL, false},
	{"orders voided in the end", voided_in_the_end, false, NULL, false},
	{"packs of a meter", packs_of_a_meter, false, &metered_cards, false},
	{"packs of a meter for years", packs_of_a_meter_for_years, true, &metered_cards, false},
	{"packs of a meter voided", packs_of_a_meter_voided, false, &metered_cards, false},
	{"orders voided among others", voided_among_others, false, NULL, true}
};

/* ---- what is asked of a history ---- */

typedef struct Case
{
	const CardHistory *cards;
	const Account *account;
	Usage	   *usage;
	bool		last_is_new;
	CalMonth	month;
	CalMonth	first;			/* of the whole history */
	const Bill *bill;
} Case;

static long long told;			/* so that no answer is left out */

static void
count_fact(void *arg, const Fact *fact)
{
	(void) arg;
	told += fact->ndetails;
}

static void
count_standing(void *arg, const Standing *standing)
{
	(void) arg;
	told += standing->kind;
}

static void
count_row(void *arg, const RevenueRow *row)
{
	(void) arg;
	told += row->month;
}

static void
count_unbilled(void *arg, const UnbilledUsage *unbilled)
{
	(void) arg;
	told += unbilled->day;
}

static int64_t
no_users(void *arg, const char *meter, CalDay first, int ndays, const bool *chosen)
{
	(void) meter;
	(void) arg;
	(void) first;
	(void) ndays;
	(void) chosen;
	return 0;
}

static void
ask_account(Case *on)
{
	on->account = account_open(&app.test.core, 1, on->cards, orders, norders,
							   app.suspensions, 0, cal_first_day(on->month + 1), false);
}

static void
ask_check(Case *on)
{
	account_verify(&app.test.core, 1, on->cards, orders, norders,
				   on->last_is_new ? orders[norders - 1].at : INT64_MIN);
}

/* Events on every other day, so that one stands on through each day between. */
static void
add_storage(Usage *usage, CalDay since, CalDay until)
{
	MeterUsage *storage = core_alloc(&app.test.core, sizeof(MeterUsage));

	storage->meter = standing_meter[0].name;
	storage->days = core_alloc(&app.test.core, sizeof(MeterDay) * (size_t) (until - since + 1));
	for (CalDay day = since; day < until; day += 2)
		storage->days[storage->ndays++] = (MeterDay) {.day = day, .has_events = true, .quantity = amount_of(50)};
	usage->meters = storage;
	usage->nmeters = 1;
}

static void
ask_usage(Case *on)
{
	Core	   *core = &app.test.core;
	CalDay		since = bill_usage_since(on->account, on->month);

	/* for the report of revenue */
	if (since > cal_first_day(on->first))
		since = cal_first_day(on->first);
	on->usage = usage_open(core, since, cal_first_day(on->month + 1));
	for (CalDay day = since; day < cal_first_day(on->month + 1); day++)
	{
		int64_t		row[USAGE_FIELDS] = {day, 9000, 9000, 400000, 1, 1, 1, 90000, 1, 1, 1};

		usage_add(core, on->usage, row, 1);
	}
	add_storage(on->usage, since, cal_first_day(on->month + 1));
}

static void
ask_bill(Case *on)
{
	on->bill = bill_compute(&app.test.core, on->account, on->usage, on->month);
	bill_total(on->bill);
}

static void
ask_facts(Case *on)
{
	for (int i = 0; i < on->bill->nlines; i++)
		bill_facts(on->bill, i, count_fact, NULL);
}

static void
ask_standing(Case *on)
{
	CalDay		today = on->bill->until - 1;

	standing_of_usage(on->bill, today, count_standing, NULL);
	standing_of_terms(on->account, today, count_standing, NULL);
}

static void
ask_choice(Case *on)
{
	plan_choice(on->bill, card_plan(&cn, "flagship"));
}

static void
ask_revenue(Case *on)
{
	revenue_months(&app.test.core, on->account, on->usage, on->first, on->month, count_row, NULL);
}

static void
ask_unbilled(Case *on)
{
	unbilled_usage(&app.test.core, on->account, on->usage, count_unbilled, NULL);
}

static void
ask_forecast(Case *on)
{
	forecast_month(&app.test.core, on->account, on->usage, on->bill->until - 1, no_users);
}

static const struct
{
	const char *name;
	void		(*ask) (Case *on);
}			questions[] = {
	{"the log", ask_account},
	{"its check", ask_check},
	{"usage", ask_usage},
	{"the bill", ask_bill},
	{"its facts", ask_facts},
	{"standing", ask_standing},
	{"another plan", ask_choice},
	{"revenue", ask_revenue},
	{"unbilled usage", ask_unbilled},
	{"a forecast", ask_forecast}
};

/* Blocks that each question of a history takes; the longest time unasked. */
static long long
measure(const History *history, int n, long long *blocks)
{
	Case		on = {.last_is_new = history->last_is_new};

	on.cards = history->cards != NULL ? history->cards : &cards.cn;
	begin(on.cards);
	orders = calloc((size_t) n + 8, sizeof(Order));
	norders = 0;
	history->make(n);
	on.month = history->long_ago ? cal_month_of(orders[norders - 1].day) : month_of(BILLED_MONTH);
	on.first = cal_month_of(orders[0].day);
	blocks_since = 0;
	if (!TRY_CORE(&app.test))
	{
		diag("problem", app.test.problem.message);
		return -1;
	}
	for (int q = 0; q < LENGTH(questions); q++)
	{
		long long	before = blocks_run;

		questions[q].ask(&on);
		blocks[q] = blocks_run - before;
	}
	test_poll(&app.test.core);
	free(orders);
	return app.test.longest;
}

static void
test_history(const History *history)
{
	long long	blocks[SIZES][LENGTH(questions)];

	for (int size = 0; size < SIZES; size++)
	{
		long long	longest = measure(history, SMALL << 2 * size, blocks[size]);

		ok(longest >= 0 && longest <= LONGEST,
		   "%s, %d orders: %lld blocks without asking whether to go on",
		   history->name, SMALL << 2 * size, longest);
	}
	for (int q = 0; q < LENGTH(questions); q++)
		ok(blocks[1][q] * 10 <= blocks[0][q] * 4 * 13 && blocks[2][q] * 10 <= blocks[1][q] * 4 * 13,
		   "%s, %s: %lld, %lld, %lld blocks for 1x, 4x, 16x orders",
		   history->name, questions[q].name, blocks[0][q], blocks[1][q], blocks[2][q]);
}

/* Sorting is ours, since that of the C library asks nobody. */
static int
compare_tens(const void *a, const void *b)
{
	return *(const int *) a / 10 - *(const int *) b / 10;
}

static void
test_sort(void)
{
	for (int n = 0; n < 70; n++)
	{
		int			numbers[70];
		int			wrong = 0;

		begin(&cards.cn);
		for (int i = 0; i < n; i++)
			numbers[i] = i * 37 % n / 2 * 10 + i % 2 * 5;
		core_sort(&app.test.core, numbers, n, sizeof(int), compare_tens);
		for (int i = 1; i < n; i++)
			wrong += numbers[i - 1] / 10 > numbers[i] / 10;
		ok(wrong == 0, "%d numbers: %d are out of order", n, wrong);
	}
}

int
main(void)
{
	make_cards();
	make_metered_card();
	test_sort();
	for (int h = 0; h < LENGTH(histories); h++)
		test_history(&histories[h]);
	return done_testing();
}
