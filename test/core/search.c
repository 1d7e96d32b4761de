/*
 * search.c
 *	  Looks at random for a way to pay less.
 *
 * Orders of one app are thrown together, refunds included, as somebody would
 * who looks for gaps: many of them on one day, renewals by the dozen, changes
 * of mind, orders taken for mistakes and voided.  Of each history two things
 * must hold:
 *
 *	  - the app never gets back more than it has paid, after no order;
 *	  - it pays at least what its service is worth: for each day of a term the
 *		day's share of the price, for minutes taken from packs the best price
 *		of a pack minute, for a month of history its dearest option.
 *
 * A refund within the first days that gives everything back is the one gift
 * there is, once an app.  Each refund and fee is rounded to a cent by itself,
 * so half a cent of each is allowed for.
 *
 * IMBILLING_SEED repeats a run, IMBILLING_SEARCH_SECONDS says how long it is.
 */
#include <time.h>

#include "core/orders/account_rules.h"
#include "fixture.h"

#define FIRST_DAY		"2023-10-20"	/* the price of pro rises on 2024-01-01 */
#define MOST_ORDERS		280
#define HALF_CENT		(AMOUNT_CENT / 2)

static uint64_t state;
static bool agreed_prices;
static char finding[400];

static uint64_t
dice(uint64_t sides)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % sides;
}

static bool
chance(int percent)
{
	return (int) dice(100) < percent;
}

#define PICK(...) ((const char *const[]) {__VA_ARGS__}[dice(LENGTH(((const char *const[]) {__VA_ARGS__})))])

/* Puts the first of equal findings into words; false, for whoever returns it. */
static bool __attribute__((format(printf, 1, 2)))
found(const char *format,...)
{
	va_list		args;

	va_start(args, format);
	vsnprintf(finding, sizeof(finding), format, args);
	va_end(args);
	return false;
}

/* ---- orders ---- */

static void
set_terms(Order *order)
{
	static const char *const prices[] = {"0", "0.006", "0.01", "61.005", "100", "0.00000001"};

	order->has_months = true;
	order->months = chance(70) ? 1 : 1 + (int) dice(chance(90) ? 4 : 30);
	order->has_paid = agreed_prices && chance(40);
	if (order->has_paid)
		order->paid = PRICE(prices[dice(LENGTH(prices))]);
}

static void
make_purchase(Order *order)
{
	order->action = ORDER_BUY;
	order->item = PICK("plan", "plan", "call", "call", "group_members", "avchatroom", "local_moderation");
	if (strcmp(order->item, "plan") == 0)
		order->option = PICK("pro", "pro", "flagship");
	if (strcmp(order->item, "call") == 0)
		order->option = PICK("basic", "premium", "premium");
	set_terms(order);
}

/* Of the order's own standing terms mostly the newest, or any at all. */
static void
make_refund(Order *order)
{
	int			back = chance(70) ? (int) dice(4) : (int) dice((uint64_t) app.norders + 1);

	order->action = ORDER_REFUND;
	order->has_refunds = true;
	order->refunds = app.norders - back;
}

/* Of one of the last orders, or of any. */
static void
make_void(Order *order)
{
	make_refund(order);
	order->action = ORDER_VOID;
}

static void
make_order(Order *order, CalDay day)
{
	*order = (Order) {.order_id = app.norders + 1, .at = day, .day = day, .item = "", .option = "", .quantity = 1};
	switch (dice(12))
	{
		case 10:
		case 11:
			make_void(order);
			break;
		case 0:
			order->action = ORDER_UPGRADE;
			order->item = "plan";
			order->option = "flagship";
			order->has_paid = agreed_prices && chance(30);
			order->paid = order->has_paid ? PRICE("0.004") : 0;
			break;
		case 1:
		case 2:
			order->action = chance(65) ? ORDER_ON : ORDER_OFF;
			order->item = "history_storage";
			order->option = order->action == ORDER_ON ? PICK("30d", "90d", "180d", "360d") : "";
			break;
		case 3:
		case 4:
		case 5:
			make_refund(order);
			break;
		default:
			make_purchase(order);
	}
}

/* Appends an order unless the rules forbid it. */
static bool
try_order(const Order *order)
{
	app.orders[app.norders++] = *order;
	if (TRY_CORE(&app.test))
	{
		account_verify(&app.test.core, 1, app.cards, app.orders, app.norders, INT64_MIN);
		return true;
	}
	app.norders--;
	return false;
}

/* Somebody who tries the same thing over and over: buys, and gives all of it back. */
static void
make_burst(CalDay day)
{
	int			first = app.norders + 1,
				n = 2 + (int) dice(chance(80) ? 8 : 90);
	Order		order;

	make_order(&order, day);
	make_purchase(&order);
	for (int i = 0; i < n && app.norders < MOST_ORDERS; i++)
	{
		order.order_id = app.norders + 1;
		try_order(&order);
	}
	if (chance(60))
	{
		order = (Order) {.order_id = app.norders + 1, .at = day, .day = day, .action = ORDER_UPGRADE,
			.item = "plan", .option = "flagship", .quantity = 1};
		try_order(&order);
	}
	day += chance(60) ? 0 : (CalDay) dice(40);
	for (int i = app.norders; i >= first && app.norders < MOST_ORDERS; i--)
	{
		order = (Order) {.order_id = app.norders + 1, .at = day, .day = day,
			.action = chance(20) ? ORDER_VOID : ORDER_REFUND,
			.item = "", .option = "", .quantity = 1, .has_refunds = true, .refunds = i};
		try_order(&order);
	}
}

static void
make_history(void)
{
	CalDay		day = day_of(FIRST_DAY) + (CalDay) dice(40);
	int			n = 3 + (int) dice(30);
	Order		order;

	begin(&cards.cn);
	agreed_prices = chance(20);
	for (int i = 0; i < n && app.norders < MOST_ORDERS; i++)
	{
		if (chance(6))
			make_burst(day);
		if (app.norders > 0 && app.orders[app.norders - 1].day > day)
			day = app.orders[app.norders - 1].day;
		make_order(&order, day);
		try_order(&order);
		if (chance(45))
			day += chance(70) ? 1 + (CalDay) dice(5) : 1 + (CalDay) dice(35);
	}
	for (int i = 0; i < app.norders && app.nfigures < MAX_FIGURES; i++)
		if (strcmp(app.orders[i].item, "call") == 0 || chance(10))
			app.figures[app.nfigures++] = (DayFigure) {app.orders[i].day + (CalDay) (chance(70) ? 0 : dice(30)),
				USAGE_CALL_AUDIO, (int64_t) dice(400000)};
}

/* ---- what was paid ---- */

/* What orders of an item came to; of all items where it is NULL. */
static Amount
net_of(const Account *account, const char *item, int norders, int *roundings)
{
	Amount		net = 0;

	*roundings = 0;
	for (int i = 0; i < account->nterms; i++)
		if (account->terms[i]->order < account->orders + norders &&
			(item == NULL || strcmp(account->terms[i]->item, item) == 0))
			net += account->terms[i]->amount;
	for (int i = 0; i < account->nupgrades; i++)
		if (account->upgrades[i].order < account->orders + norders &&
			(item == NULL || strcmp(ITEM_PLAN, item) == 0))
			net += account->upgrades[i].amount, ++*roundings;
	for (int i = 0; i < account->nrefunds; i++)
		if (account->refunds[i].order < account->orders + norders &&
			(item == NULL || strcmp(account->refunds[i].term->item, item) == 0))
			net -= account->refunds[i].amount, ++*roundings;
	return net;
}

static bool
never_below_zero(const Account *account)
{
	int			roundings;

	for (int n = 1; n <= account->norders; n++)
		if (net_of(account, NULL, n, &roundings) < 0)
			return found("after order %d more was given back than paid", n);
	return true;
}

/* Nor after a void, in the log as it stood then. */
static bool
never_below_zero_by_voids(void)
{
	int			roundings;

	for (int n = 1; n <= app.norders; n++)
	{
		const Account *account;

		if (app.orders[n - 1].action != ORDER_VOID)
			continue;
		account = account_open(&app.test.core, 1, app.cards, app.orders, n, NULL, 0, CAL_MAX_DAY + 1, false);
		if (net_of(account, NULL, account->norders, &roundings) < 0)
			return found("after the void %d more was given back than paid", n);
	}
	return true;
}

/* Leaves what no void undoes: what all else is held against. */
static void
strike_out(void)
{
	bool		out[MAX_ORDERS] = {false};
	int			kept = 0;

	for (int v = 0; v < app.norders; v++)
		for (int i = 0; i < v && app.orders[v].action == ORDER_VOID; i++)
			if (app.orders[i].order_id == app.orders[v].refunds)
				out[v] = out[i] = true;
	for (int i = 0; i < app.norders; i++)
		if (!out[i])
			app.orders[kept++] = app.orders[i];
	app.norders = kept;
}

/* ---- what service is worth ---- */

static const Refund *
refund_of_term(const Account *account, const Term *term)
{
	for (int i = 0; i < account->nrefunds; i++)
		if (account->refunds[i].term == term)
			return &account->refunds[i];
	return NULL;
}

/*
 * A month's price shared by the days of the month of the term; an upgraded day
 * is worth the step as well, by the days of the month or of the year,
 * whichever is less: the fee goes by the one and a refund by the other.
 */
static Amount
worth_of_day(const Account *account, const Term *term, int nupgrades, CalDay day)
{
	int			month = 0,
				of;
	Amount		worth;

	while (cal_add_months(term->start, month + 1) <= day)
		month++;
	of = cal_add_months(term->start, month + 1) - cal_add_months(term->start, month);
	worth = term->unit_price / of;
	for (int i = 0; term->plan != NULL && i < nupgrades; i++)
	{
		const Upgrade *upgrade = &account->upgrades[i];
		Amount		step = upgrade->new_price - upgrade->old_price;

		if (upgrade_covers(account, i, term) && upgrade->order->day <= day)
			worth += step / of < step * 12 / 365 ? step / of : step * 12 / 365;
	}
	return worth;
}

static Amount
worth_of_term(const Account *account, const Term *term)
{
	const Refund *refund = refund_of_term(account, term);
	CalDay		until = refund != NULL ? refund->order->day + 1 : term->end;
	Amount		worth = 0;

	if (refund != NULL && refund->whole)
		return 0;
	for (CalDay day = term->start; day < until; day++)
		/* divisions by days were rounded down, so this is never too much */
		worth += worth_of_day(account, term, refund != NULL ? refund->nupgrades : account->nupgrades, day);
	return worth;
}

static bool
terms_are_paid(const Account *account, const char *item)
{
	int			roundings;
	Amount		net = net_of(account, item, account->norders, &roundings),
				worth = 0;

	for (int i = 0; i < account->nterms; i++)
		if (strcmp(account->terms[i]->item, item) == 0)
			worth += worth_of_term(account, account->terms[i]);
	if (net + roundings * HALF_CENT >= worth)
		return true;
	return found("%s: service worth %.8f was had for %.8f", item, (double) worth / 1e8, (double) net / 1e8);
}

static bool
minutes_are_paid(const Account *account, Amount from_packs)
{
	int			roundings;
	Amount		net = net_of(account, "call", account->norders, &roundings),
				worth = from_packs * 1500 / 380000;

	if (net + roundings * HALF_CENT >= worth)
		return true;
	return found("call: minutes worth %.8f were had for %.8f", (double) worth / 1e8, (double) net / 1e8);
}

/* ---- a month of history ---- */

/* Whether an option was on on a day, the days of switching included. */
static bool
was_on(const char *option, CalDay day)
{
	const char *now = "";
	bool		on = false;

	for (int i = 0; i < app.norders && app.orders[i].day <= day; i++)
	{
		if (strcmp(app.orders[i].item, "history_storage") != 0)
			continue;
		if (app.orders[i].day == day && strcmp(now, option) == 0)
			on = true;
		now = app.orders[i].action == ORDER_ON ? app.orders[i].option : "";
	}
	return on || strcmp(now, option) == 0;
}

static Amount
price_of(const char *plan, const char *option)
{
	const AddonPrice *price = addon_price(card_addon(&cn, "history_storage"), plan, option);

	return price != NULL ? price->price : -1;
}

static bool
history_is_paid(const Bill *bill)
{
	static const char *const options[] = {"30d", "90d", "180d", "360d"};
	bool		was[LENGTH(options)] = {false};
	const char *plan = NULL;
	Amount		paid = 0;

	for (int i = 0; i < bill->nlines; i++)
		if (bill->lines[i].kind == LINE_POSTPAID_ADDON)
			paid += bill->lines[i].amount;
	for (CalDay day = bill->first; day < bill->until; day++)
		for (int o = 0; o < LENGTH(options); o++)
		{
			const char *now;

			if (!bill->service.counting[day - bill->first] || !was_on(options[o], day))
				continue;
			account_state(bill->account, day, &now);
			if (price_of(now, options[o]) < 0)
				continue;
			was[o] = true;
			plan = now;
		}
	for (int o = 0; o < LENGTH(options) && plan != NULL; o++)
	{
		Amount		price = was[o] ? price_of(plan, options[o]) : 0;

		if (bill->service.out_at_end)
			price = price * bill->service.ncounting / bill->service.ndays;
		if (paid < price)
			return found("history %s was had for %.8f", options[o], (double) paid / 1e8);
	}
	return true;
}

/* ---- the search ---- */

static Bill *
bill_of(CalMonth month)
{
	return compute_bill(month, false, app.cards);
}

static bool
bills_hold(const Account *account)
{
	CalMonth	last = cal_month_of(app.orders[app.norders - 1].day) + 2;
	Amount		from_packs = 0;

	for (CalMonth month = cal_month_of(app.orders[0].day); month <= last; month++)
	{
		const Bill *bill = bill_of(month);

		for (int i = 0; i < bill->nlines; i++)
			if (bill->lines[i].kind == LINE_CALL_MINUTES)
				from_packs += bill->lines[i].included;
		if (!history_is_paid(bill))
			return false;
	}
	return agreed_prices || minutes_are_paid(account, from_packs);
}

static bool
holds_as_it_stands(void)
{
	static const char *const items[] = {"plan", "call", "group_members", "avchatroom", "local_moderation"};
	const Account *account;

	if (!TRY_CORE(&app.test))
		return found("%s", app.test.problem.message);
	if (!never_below_zero_by_voids())
		return false;
	strike_out();
	account = open_until(CAL_MAX_DAY + 1, false, app.cards);
	if (!never_below_zero(account))
		return false;
	for (int i = 0; i < LENGTH(items) && !agreed_prices; i++)
		if (!terms_are_paid(account, items[i]))
			return false;
	return app.norders == 0 || bills_hold(account);
}

static bool
holds(void)
{
	static Order whole[MAX_ORDERS];
	int			n = app.norders;
	bool		good;

	memcpy(whole, app.orders, sizeof(whole));
	good = holds_as_it_stands();
	memcpy(app.orders, whole, sizeof(whole));
	app.norders = n;
	return good;
}

/* Leaves out what the finding does not need, so that somebody can read the rest. */
static void
shorten(void)
{
	for (int i = app.norders - 1; i >= 0; i--)
	{
		Order		kept[MAX_ORDERS];
		int			n = app.norders;

		memcpy(kept, app.orders, sizeof(kept));
		memmove(&app.orders[i], &app.orders[i + 1], sizeof(Order) * (size_t) (n - i - 1));
		app.norders--;
		if (refusal()[0] == '\0' && !holds())
			continue;
		memcpy(app.orders, kept, sizeof(kept));
		app.norders = n;
	}
}

static void
show(void)
{
	shorten();
	holds();
	printf("# %s\n", finding);
	for (int i = 0; i < app.norders; i++)
	{
		const Order *order = &app.orders[i];
		char		day[CAL_TEXT_SIZE];

		printf("# order %lld %s %s %s %s months %d refunds %lld%s\n", (long long) order->order_id,
			   cal_day_text(order->day, day), order_action_names[order->action], order->item, order->option,
			   order->months, (long long) order->refunds, order->has_paid ? " (agreed price)" : "");
	}
	for (int i = 0; i < app.nfigures; i++)
	{
		char		day[CAL_TEXT_SIZE];

		printf("# %lld minutes on %s\n", (long long) app.figures[i].count, cal_day_text(app.figures[i].day, day));
	}
}

int
main(void)
{
	const char *seed = getenv("IMBILLING_SEED"),
			   *seconds = getenv("IMBILLING_SEARCH_SECONDS");
	time_t		end = time(NULL) + (seconds != NULL ? atol(seconds) : 3);
	unsigned long long first = seed != NULL ? strtoull(seed, NULL, 10) : (unsigned long long) time(NULL) * 2654435761u;
	long		tried = 0,
				bad = 0;

	make_cards();
	printf("# IMBILLING_SEED=%llu\n", first);
	state = first * 0x9E3779B97F4A7C15u | 1;
	for (int i = 0; i < 8; i++)
		dice(2);
	while (tried == 0 || (time(NULL) < end && bad == 0))
	{
		make_history();
		tried++;
		if (!holds())
		{
			bad++;
			show();
		}
	}
	ok(bad == 0, "of %ld histories one pays less than its service is worth, or gets back more than it paid", tried);
	return done_testing();
}
