/*
 * meters.c
 *	  Meters by name (R12): days that stand on, months of every kind, charges of
 *	  plans and add-ons, shares and packs.
 */
#include "core/bill/meter_month.h"
#include "fixture.h"

#define SECOND	INT64_C(1000000)
#define HOUR	(3600 * SECOND)

static CardMeter meters[] = {
	{"sms", METER_SUM, METER_SUM}, {"connections", METER_MAX, METER_MAX},
	{"storage", METER_AVERAGE, METER_AVERAGE}, {"seats", METER_LAST, METER_LAST},
	{"devices", METER_UNIQUE, METER_UNIQUE}, {"jobs", METER_SUM, METER_LAST},
	{"chars", METER_SUM, METER_SUM}
};
static CardPlan plans[3];
static AddonPrice addon_prices[2];
static CardAddon addons[2];
static CardPack packs[3];
static Card card;
static CardVersion versions[1];
static const CardHistory history = {"others", 1, versions};

/* A price per unit over a quota. */
static Charge *
unit_charge(const char *included, const char *price)
{
	Charge	   *charge = card_alloc(sizeof(Charge));

	*charge = (Charge) {.included = PRICE(included), .ntiers = 1, .tiers = card_alloc(sizeof(ChargeTier))};
	charge->tiers->price = PRICE(price);
	return charge;
}

/* The card anew: no usage is priced yet. */
static void
begin_card(void)
{
	begin(&history);
	plans[0] = (CardPlan) {.name = "free"};
	plans[1] = (CardPlan) {.name = "start", .rank = 1, .price = PRICE("100")};
	plans[2] = (CardPlan) {.name = "large", .rank = 2, .price = PRICE("200")};
	addon_prices[0] = (AddonPrice) {"start", "", PRICE("50")};
	addon_prices[1] = (AddonPrice) {"start", "pro", PRICE("60")};
	addons[0] = (CardAddon) {.name = "translation", .postpaid = true, .nprices = 2, .prices = addon_prices};
	addons[1] = (CardAddon) {.name = "sender", .nprices = 2, .prices = addon_prices};
	packs[0] = (CardPack) {.name = "small", .price = PRICE("5"), .holds = PRICE("100"), .months = 1,
		.meter = "sms", .priority = PACK_PRIORITY};
	packs[1] = (CardPack) {.name = "year", .price = PRICE("50"), .holds = PRICE("1000"), .months = 12,
		.meter = "sms", .priority = PACK_PRIORITY};
	packs[2] = (CardPack) {.name = "first", .price = PRICE("9"), .holds = PRICE("50"), .months = 12,
		.meter = "sms", .priority = 10};
	card = (Card) {.currency = "EUR", .scale = 2, .time_zone = "Europe/Berlin", .grace_days = 7,
		.nplans = 3, .plans = plans, .naddons = 2, .addons = addons,
		.nmeters = sizeof(meters) / sizeof(meters[0]), .meters = meters,
	.nmeter_packs = 3, .meter_packs = packs};
	versions[0] = (CardVersion) {day_of("2020-01-01"), &card};
	buy("2023-01-01", ITEM_PLAN, "start", 12);
}

static void
price_addon(CardAddon *addon, const char *meter, const Charge *charge)
{
	addon->usage = card_alloc(sizeof(UsageCharge));
	*addon->usage = (UsageCharge) {meter, charge, false};
	addon->nusage = 1;
}

/* ---- days ---- */

static const char *
show_figures(const MeterFigure *figures, int ndays)
{
	static char shown[600];
	char		text[AMOUNT_TEXT_SIZE];
	int			used = 0;

	shown[0] = '\0';
	for (int i = 0; i < ndays; i++)
		used += snprintf(shown + used, sizeof(shown) - (size_t) used, "%s%s%s", i > 0 ? " " : "",
						 amount_text(figures[i].figure, 0, text), figures[i].stated ? "!" : "");
	return shown;
}

/* The figures of the days from 2023-03-24 on, "!" behind those that are stated. */
static const char *
figures_of(const char *name, MeterKind kind, int ndays)
{
	Usage		usage = {.nmeters = app.nmeters, .meters = app.meters};

	if (!TRY_CORE(&app.test))
		return app.test.problem.message;
	return show_figures(meter_figures(&app.test.core, usage_meter(&app.test.core, &usage, name), kind,
									  day_of("2023-03-24"), ndays), ndays);
}

static void
test_days(void)
{
	begin_card();
	is(figures_of("sms", METER_SUM, 2), "0 0", "a meter without usage has figures");
	meter("sms", "2023-01-05", "9");
	meter("sms", "2023-03-25", "7");
	is(figures_of("sms", METER_SUM, 4), "0 7! 0 0", "a sum stands on");
	is(figures_of("sms", METER_LAST, 4), "9 7! 7 7", "the last quantity does not stand on, or not from months before");
	is(figures_of("sms", METER_AVERAGE, 4), "9 7! 7 7", "an average does not stand on");
	give_meter("sms", "2023-03-26", "3");
	is(figures_of("sms", METER_SUM, 4), "0 7! 3! 0", "a given sum does not count");
	is(figures_of("sms", METER_LAST, 4), "9 7! 3! 3", "what is given does not stand on where the last stands");
	is(figures_of("sms", METER_AVERAGE, 4), "9 7! 3! 7", "what is given of an average changes what stands");
}

/* An event of an average meter at so much of a day. */
static void
average_event(const char *day, const char *quantity, int64_t at, int64_t length)
{
	MeterDay   *of = meter_day("storage", day);

	*of = (MeterDay) {.day = of->day, .has_events = true, .quantity = PRICE(quantity),
		.area = PRICE(quantity) * (length - at), .before = at, .length = length};
}

static void
test_average_days(void)
{
	begin_card();
	average_event("2023-03-24", "10", 12 * HOUR, 24 * HOUR);
	average_event("2023-03-26", "20", 23 * HOUR / 2, 23 * HOUR);
	is(figures_of("storage", METER_AVERAGE, 4), "5! 10 15! 20", "half a day is no half, or not of a day of 23 hours");
	begin_card();
	average_event("2023-03-24", "1", 16 * HOUR, 24 * HOUR);
	is(figures_of("storage", METER_AVERAGE, 2), "0.33333333! 1", "a third is not rounded to 8 places");
	begin_card();
	average_event("2023-03-24", "2", 8 * HOUR, 24 * HOUR);
	is(figures_of("storage", METER_AVERAGE, 1), "1.33333333!", "two thirds of two are not rounded half up");
	begin_card();
	average_event("2023-03-24", "0.00000001", 12 * HOUR, 24 * HOUR);
	is(figures_of("storage", METER_AVERAGE, 1), "0.00000001!", "exactly half is not rounded up");
	begin_card();
	average_event("2023-03-20", "999999999999", 0, 24 * HOUR);
	average_event("2023-03-24", "999999999999", 24 * HOUR - 1, 24 * HOUR);
	is(figures_of("storage", METER_AVERAGE, 2), "999999999999! 999999999999", "the largest quantities do not fit");
}

/* ---- months ---- */

static void
test_months(void)
{
	begin_card();
	price_usage(&plans[1], "sms", unit_charge("10", "0.5"));
	price_usage(&plans[1], "connections", unit_charge("0", "1"));
	price_usage(&plans[1], "storage", unit_charge("0", "1"));
	price_usage(&plans[1], "seats", unit_charge("0", "1"));
	price_usage(&plans[1], "devices", unit_charge("0", "1"));
	price_usage(&plans[1], "jobs", unit_charge("0", "1"));
	meter("sms", "2023-02-28", "1000");
	meter("sms", "2023-03-01", "12.5");
	meter("sms", "2023-03-31", "7");
	meter("sms", "2023-04-01", "1000");
	meter("connections", "2023-03-05", "3");
	meter("connections", "2023-03-06", "8");
	meter("storage", "2023-02-10", "31");
	meter("storage", "2023-03-31", "62");
	meter("seats", "2022-12-01", "4");
	meter("jobs", "2023-03-10", "5");
	meter("jobs", "2023-03-20", "6");
	app.month_users = 44;
	bill_is("2023-03", "connections start 8-0=8 8*1=8\ndevices start 44-0=44 44*1=44\n"
			"jobs start 6-0=6 6*1=6\nseats start 4-0=4 4*1=4\nsms start 19.5-10=9.5 9.5*0.5=4.75\n"
			"storage start 32-0=32 32*1=32\ntotal 98.75\n", "months are made of their days in another way");
	suspend("2023-03-20", "2023-04-01");
	bill_is("2023-03", "connections start 8-0=8 8*1=4.90322581\ndevices start 44-0=44 44*1=26.96774194\n"
			"jobs start 5-0=5 5*1=3.06451613\nseats start 4-0=4 4*1=2.4516129\nsms start 12.5-10=2.5 2.5*0.5=1.25\n"
			"storage start 31-0=31 31*1=19\ntotal 57.64\n",
			"suspended days count, or the share of the month is not that of all but sums");
}

/* A meter that counts on no day costs nothing; else what is due at 0 is due. */
static void
test_at_nothing(void)
{
	Charge	   *least = unit_charge("0", "1"),
			   *flat = unit_charge("0", "1");

	begin_card();
	least->has_minimum = true;
	least->minimum = PRICE("30");
	flat->tiers->flat = PRICE("7");
	price_usage(&plans[1], "sms", unit_charge("0", "1"));
	price_usage(&plans[1], "chars", least);
	price_usage(&plans[1], "connections", flat);
	bill_is("2023-02", "chars start 0-0=0 0*1=0\nchars start 0-0=0 1*30=30\n"
			"connections start 0-0=0 0*1=0\nconnections start 0-0=0 1*7=7\ntotal 37\n",
			"a minimum or a first flat is not due at 0, or a price without either is shown");
	meter("chars", "2023-02-02", "29.5");
	bill_is("2023-02", "chars start 29.5-0=29.5 29.5*1=29.5\nchars start 0-0=0 1*0.5=0.5\n"
			"connections start 0-0=0 0*1=0\nconnections start 0-0=0 1*7=7\ntotal 37\n",
			"the minimum is not what is lacking to it");
	bill_is("2022-12", "total 0\n", "it is due on the free plan");
	bill_is("2024-02", "total 0\n", "it is due after the grace");
}

static void
test_tiers(void)
{
	Charge	   *charge = card_alloc(sizeof(Charge));
	ChargeTier	tiers[] = {
		{true, PRICE("50"), 0, PRICE("5"), 0, false}, {true, PRICE("100"), PRICE("7"), PRICE("4"), PRICE("3"), false},
		{false, 0, 0, PRICE("3.5"), 0, false}
	};

	begin_card();
	*charge = (Charge) {.included = PRICE("10"), .ntiers = 3, .tiers = tiers, .has_maximum = true,
		.maximum = PRICE("300")};
	price_usage(&plans[1], "sms", charge);
	meter("sms", "2023-02-02", "75");
	bill_is("2023-02", "sms start 60-10=50 50*5=250\nsms start 15-0=15 3*4=12\nsms start 0-0=0 1*3=3\ntotal 265\n",
			"the parts do not add up to the quantity");
	meter("sms", "2023-02-03", "75");
	bill_is("2023-02", "sms start 60-10=50 50*5=250\nsms start 50-0=50 8*4=32\nsms start 0-0=0 1*3=3\n"
			"sms start 40-0=40 40*3.5=140\nsms start 0-0=0 1*-125=-125\ntotal 300\n", "the maximum is not a line");
}

static void
test_shares(void)
{
	Charge	   *charge = unit_charge("0", "2");

	begin_card();
	charge->share_of = METER_MAU;
	charge->share = PRICE("0.05");
	price_usage(&plans[1], "connections", charge);
	meter("connections", "2023-02-02", "75.5");
	app.month_users = 1001;
	bill_is("2023-02", "connections start 75.5-50.05=25.45 25.45*2=50.9\ntotal 50.9\n",
			"a share of the users of the month is not included");
	charge->share_of = METER_DAU;
	use("2023-02-05", USAGE_DAU, 10);
	bill_is("2023-02", "connections start 75.5-0.5=75 75*2=150\ntotal 150\n", "a share of the peak is not included");
	charge->share_of = "sms";
	meter("sms", "2023-02-07", "2000");
	bill_is("2023-02", "connections start 75.5-100=0 0*2=0\ntotal 0\n", "a share of a meter that nobody prices is not included");
}

/* ---- add-ons ---- */

static void
test_addon_usage(void)
{
	begin_card();
	price_addon(&addons[0], "chars", unit_charge("0", "1"));
	price_addon(&addons[1], "connections", unit_charge("0", "1"));
	switch_on("2023-02-10", "translation", "");
	switch_off("2023-02-19", "translation");
	buy("2023-02-15", "sender", "pro", 1);
	meter("chars", "2023-02-09", "1");
	meter("chars", "2023-02-10", "2");
	meter("chars", "2023-02-19", "4");
	meter("chars", "2023-02-20", "8");
	meter("connections", "2023-02-14", "9");
	meter("connections", "2023-02-15", "5");
	bill_is("2023-02", "sender pro 1-0=1 1*60=60\ntranslation 1-0=1 1*50=50\n"
			"chars 6-0=6 6*1=6\nconnections pro 5-0=5 5*1=5\ntotal 121\n",
			"usage counts on days on which the add-on is not in force");
	bill_is("2023-01", "plan start 12-0=12 12*100=1200\ntotal 1200\n", "usage counts before the add-on");
}

/* ---- packs ---- */

/* Packs that the app holds, beside its orders: how they are bought is not of this file. */
static struct
{
	Order		order;
	int			pack;
} held[4];
static int	nheld;

static void
hold_pack(const char *day, int pack, int quantity)
{
	held[nheld].order = (Order) {.order_id = 100 + nheld, .day = day_of(day), .action = ORDER_BUY,
		.item = ITEM_METER_PACK, .option = packs[pack].name, .quantity = quantity};
	held[nheld++].pack = pack;
}

static void
add_held(Account *account)
{
	for (int i = 0; i < nheld; i++)
	{
		Term	   *term = core_alloc(account->core, sizeof(Term));
		CalDay		end = cal_add_months(held[i].order.day, packs[held[i].pack].months);

		*term = (Term) {.order = &held[i].order, .number = account->nterms, .item = ITEM_METER_PACK,
			.option = packs[held[i].pack].name, .card = &card, .months = packs[held[i].pack].months,
		.start = held[i].order.day, .end = end, .ends = end};
		account->terms = core_grow(account->core, account->terms, account->nterms,
								   &account->terms_capacity, sizeof(Term *));
		account->terms[account->nterms++] = term;
	}
}

/* "quantity-included=billable" of the month's first line of sms. */
static const char *
sms_of(const char *month)
{
	static char shown[200];
	char		text[3][AMOUNT_TEXT_SIZE];
	CalMonth	of = month_of(month);
	Account    *account;
	Usage	   *usage;
	const Bill *bill;

	if (!TRY_CORE(&app.test))
		return app.test.problem.message;
	account = open_until(cal_first_day(of + 1), false, app.cards);
	add_held(account);
	usage = usage_open(&app.test.core, bill_usage_since(account, of), cal_first_day(of + 1));
	usage->nmeters = app.nmeters;
	usage->meters = app.meters;
	bill = bill_compute(&app.test.core, account, usage, of);
	for (int i = 0; i < bill->nlines; i++)
		if (strcmp(bill->lines[i].item, "sms") == 0)
		{
			snprintf(shown, sizeof(shown), "%s-%s=%s", amount_text(bill->lines[i].quantity, 0, text[0]),
					 amount_text(bill->lines[i].included, 0, text[1]), amount_text(bill->lines[i].billable, 0, text[2]));
			return shown;
		}
	return "no line";
}

static void
begin_packs(void)
{
	nheld = 0;
	begin_card();
	price_usage(&plans[1], "sms", unit_charge("10", "1"));
}

static void
test_packs(void)
{
	begin_packs();
	meter("sms", "2023-02-09", "50");
	meter("sms", "2023-02-10", "70.5");
	meter("sms", "2023-02-11", "50");
	meter("sms", "2023-03-09", "5");
	meter("sms", "2023-03-10", "20");
	is(sms_of("2023-02"), "170.5-10=160.5", "without packs something is taken");
	hold_pack("2023-02-10", 0, 1);
	is(sms_of("2023-02"), "170.5-110=60.5", "a pack does not give what it holds from the whole of its first day on");
	is(sms_of("2023-03"), "25-10=15", "what is left outlives the pack, or what was used does not");
	held[0].order.quantity = 2;
	is(sms_of("2023-02"), "170.5-130.5=40", "two packs are not two");
	is(sms_of("2023-03"), "25-15=10", "what is left does not reach into the next month, or past the end");
}

static void
test_pack_order(void)
{
	begin_packs();
	meter("sms", "2023-02-10", "60");
	meter("sms", "2023-03-20", "100");
	hold_pack("2023-02-01", 0, 1);
	hold_pack("2023-02-01", 2, 1);
	is(sms_of("2023-03"), "100-10=90", "the pack of the lowest priority is not taken from first");
	packs[2].priority = PACK_PRIORITY;
	is(sms_of("2023-03"), "100-60=40", "at equal priority the earliest end does not go first");
}

static void
test_pack_days(void)
{
	begin_packs();
	meter("sms", "2023-02-10", "60");
	meter("sms", "2023-02-20", "60");
	hold_pack("2023-02-01", 0, 1);
	suspend("2023-02-05", "2023-02-15");
	is(sms_of("2023-02"), "60-70=0", "a suspended day takes from a pack, or counts");
	begin_packs();
	plans[1].nusage = 0;
	price_addon(&addons[1], "sms", unit_charge("0", "1"));
	buy("2023-02-15", "sender", "", 1);
	meter("sms", "2023-02-10", "60");
	meter("sms", "2023-02-20", "70");
	meter("sms", "2023-03-10", "50");
	hold_pack("2023-02-01", 1, 1);
	is(sms_of("2023-02"), "70-70=0", "a day without the add-on that prices the meter counts");
	is(sms_of("2023-03"), "50-50=0", "the pack does not last");
	packs[1].holds = PRICE("100");
	is(sms_of("2023-03"), "50-30=20", "a day without the add-on takes from the pack, or days of earlier months do not");
}

/* ---- sentences ---- */

static const char *
sentence(const char *month, int n)
{
	const Bill *bill;

	if (!TRY_CORE(&app.test))
		return app.test.problem.message;
	bill = compute_bill(month_of(month), false, app.cards);
	return n < bill->nlines ? reason_sentence(bill->core, REASON_ENGLISH, bill->lines[n].reason) : "no such line";
}

static void
test_sentences(void)
{
	begin_card();
	price_usage(&plans[1], "sms", unit_charge("10", "0.5"));
	price_usage(&plans[1], "connections", block_charge(5, 10, PRICE("3")));
	meter("sms", "2023-02-02", "75");
	meter("connections", "2023-02-03", "15.5");
	is(sentence("2023-02", 0), "Peak of 15.5 connections on 2023-02-03; 10.5 over the 5 included in plan start, in 2 started blocks of 10 at 3 EUR each.",
	   "a peak is told in another way");
	is(sentence("2023-02", 1), "75 sms on 28 counting days; 65 over the 10 included in plan start at 0.5 EUR each.",
	   "a sum is told in another way");
}

/* ---- properties ---- */

static Amount
amount_of_bill(const char *month)
{
	return TRY_CORE(&app.test) ? bill_total(compute_bill(month_of(month), false, app.cards)) : -1;
}

/* Splitting a tier without block and flat at any bound changes nothing. */
static void
test_split_tiers(void)
{
	ChargeTier	split[2] = {{true, 0, 0, PRICE("0.37"), 0, false}, {false, 0, 0, PRICE("0.37"), 0, false}};
	Charge		two = {.included = PRICE("3"), .ntiers = 2, .tiers = split};
	bool		same = true;

	begin_card();
	meter("sms", "2023-02-02", "75");
	price_usage(&plans[1], "sms", unit_charge("3", "0.37"));
	for (int bound = 1; bound < 80; bound++)
	{
		Amount		whole = amount_of_bill("2023-02");

		split[0].to = amount_of(bound);
		plans[1].usage[0].charge = &two;
		same &= whole == amount_of_bill("2023-02");
		plans[1].usage[0].charge = unit_charge("3", "0.37");
	}
	ok(same, "a tier that is split at a bound costs something else");
}

int
main(void)
{
	begin_card();
	test_days();
	test_average_days();
	test_months();
	test_at_nothing();
	test_tiers();
	test_shares();
	test_addon_usage();
	test_packs();
	test_pack_order();
	test_pack_days();
	test_sentences();
	test_split_tiers();
	return done_testing();
}
