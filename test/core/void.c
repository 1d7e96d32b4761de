/*
 * void.c
 *	  Orders that were placed by mistake, and lines by hand: R15.
 */
#include "fixture.h"

/* What the app is billed from January through June 2023, month by month. */
static const char *
half_year(void)
{
	static char buf[50000];
	int			at = 0;
	char		month[20];

	for (int m = 1; m <= 6; m++)
	{
		snprintf(month, sizeof(month), "2023-%02d", m);
		at += snprintf(buf + at, sizeof(buf) - (size_t) at, "%s", bill_text(month, false, app.cards));
	}
	return buf;
}

/* The last order is voided: neither refused nor in the bills of the half year. */
static void
undone(const char *without, const char *day, const char *why)
{
	void_of(day, app.norders);
	is(refusal(), "", why);
	is(half_year(), without, why);
}

static void
test_each_kind(void)
{
	static char without[50000];
	int64_t		plan;

	begin(&cards.cn);
	snprintf(without, sizeof(without), "%s", half_year());
	buy("2023-01-10", "plan", "pro", 12);
	undone(without, "2023-01-10", "the void of a plan is refused or leaves a trace");

	plan = buy("2023-01-11", "plan", "pro", 2);
	use("2023-01-20", USAGE_DAU, 25000);
	use("2023-03-01", USAGE_CALL_AUDIO, 1000);
	snprintf(without, sizeof(without), "%s", half_year());
	upgrade("2023-01-12", "flagship");
	undone(without, "2023-02-12", "the void of an upgrade is refused or leaves a trace");
	refund_of("2023-01-12", plan);
	undone(without, "2023-01-20", "the void of a refund is refused or leaves a trace");
	buy("2023-01-12", "call", "basic", 3);
	undone(without, "2023-04-12", "the void of call minutes long after their use is refused or leaves a trace");
	buy("2023-01-12", "plan", "pro", 1);
	undone(without, "2023-01-12", "the void of a renewal is refused or leaves a trace");
	buy_packs("2023-01-12", "month", 3);
	undone(without, "2023-02-20", "the void of packs is refused or leaves a trace");
	switch_on("2023-01-12", "history_storage", "360d");
	undone(without, "2023-02-20", "the void of a switch is refused or leaves a trace");
	switch_on("2023-01-12", "moderation", "");
	undone(without, "2023-02-20", "the void of moderation is refused or leaves a trace");
	by_hand("2023-01-12", ORDER_CREDIT, "outage", "100.005");
	undone(without, "2023-01-12", "the void of a credit is refused or leaves a trace");
	by_hand("2023-01-12", ORDER_CHARGE, "set-up", "0.00000001");
	undone(without, "2023-01-12", "the void of a charge is refused or leaves a trace");
	refund_of("2023-01-15", plan);
	is(state_on("2023-01-16"), "stopped", "after a voided refund nothing can be refunded");
	ok(strstr(bill_text("2023-01", false, app.cards), "refund plan 1-0=1 1*-1998=-1998\n") != NULL,
	   "a voided refund counts as the app's first");
}

static void
test_instead(void)
{
	begin(&cards.cn);
	buy("2023-01-10", "plan", "pro", 12);
	void_of("2023-01-10", 1);
	buy("2023-01-10", "plan", "pro", 1);
	accepted("what replaces a voided order is refused");
	bill_is("2023-01", "plan pro 1-0=1 1*999=999\ntotal 999\n", "a month typed as twelve costs more than a month");
	is(state_on("2023-02-16"), "grace pro", "what replaces a voided order continues from its end");
	is(state_on("2023-02-17"), "stopped", "a voided term still gives service");

	begin(&cards.cn);
	buy("2023-01-10", "plan", "pro", 1);
	buy("2023-01-11", "plan", "flagship", 1);
	app.norders--;
	void_of("2023-01-12", 1);
	buy("2023-01-12", "plan", "flagship", 1);
	upgrade("2023-01-13", "flagship");
	refused("no step up", "a voided plan is still the one that is upgraded");
}

static void
test_others_rest_on_it(void)
{
	begin(&cards.cn);
	buy("2023-01-10", "plan", "pro", 2);
	buy("2023-01-11", "plan", "pro", 1);
	void_of("2023-01-12", 1);
	refused("without order 1, order 2 would have another term", "a renewal moves when the term before it is voided");
	buy("2023-01-12", "call", "basic", 1);
	buy("2023-01-13", "plan", "pro", 1);
	void_of("2023-01-13", 2);
	refused("without order 2, order 4 would have another term", "the void of a middle term moves the one after it");
	refund_of("2023-01-14", 4);
	void_of("2023-01-14", 4);
	refused("without order 4, order 5 would break a rule: order 4 cannot be refunded",
			"what was refunded can be voided before its refund");
	void_of("2023-01-14", 5);
	void_of("2023-01-14", 4);
	accepted("refunds voided first, what they refunded is still refused");
	void_of("2023-01-15", 2);
	accepted("the last renewal that stands cannot be voided");
	void_of("2023-01-15", 1);
	refused("without order 1, order 3 would break a rule: add-on \"call\" needs a paid plan",
			"a plan can be voided under an add-on, or another void is blamed");

	begin(&cards.cn);
	buy("2023-01-10", "plan", "pro", 3);
	upgrade("2023-01-20", "flagship");
	buy("2023-01-21", "history_nothing", "", 1);
	app.norders--;
	switch_on("2023-01-21", "history_storage", "90d");
	void_of("2023-01-22", 2);
	accepted("an upgrade cannot be voided under a switch that both plans sell");
	app.norders--;
	refund_of("2023-01-25", 1);
	void_of("2023-01-26", 2);
	refused("without order 2, order 4 would have another term, price or amount",
			"an upgrade can be voided whose fee was given back");
}

static void
test_first_refund(void)
{
	begin(&cards.cn);
	buy("2023-01-10", "plan", "pro", 1);
	buy("2023-01-10", "local_moderation", "", 1);
	refund_of("2023-01-11", 2);
	refund_of("2023-01-12", 1);
	void_of("2023-01-13", 3);
	refused("without order 3, order 4 would have another term, price or amount",
			"the void of the first refund makes the second one give everything back");
	void_of("2023-01-13", 4);
	accepted("the second refund cannot be voided");
}

static void
test_what_is_no_mistake(void)
{
	begin(&cards.cn);
	buy_packs("2023-01-10", "month", 1);
	void_of("2023-01-11", 9);
	refused("order 9 cannot be voided The app has no order", "an order that is not there can be voided");
	void_of("2023-01-09", 1)->at = day_of("2023-01-09");
	app.orders[1] = app.orders[0];
	app.orders[1].order_id = 1;
	app.orders[0] = (Order) {.order_id = 2, .at = day_of("2023-01-09"), .day = day_of("2023-01-09"),
		.action = ORDER_VOID, .item = "", .option = "", .quantity = 1, .has_refunds = true, .refunds = 1};
	ok(strstr(refusal(), "The void has an earlier time") != NULL, "an order can be voided before it was placed");
	app.orders[0].at = app.orders[1].at;
	app.orders[0].day = app.orders[1].day;
	accepted("an order cannot be voided in its own instant by a lower number");

	begin(&cards.cn);
	buy_packs("2023-01-10", "month", 1);
	void_of("2023-01-11", 1);
	void_of("2023-01-12", 1);
	refused("An order is voided once", "an order can be voided twice");
	void_of("2023-01-12", 2);
	refused("A void is never voided", "a void can be voided");
	void_of("2023-01-12", 1)->has_refunds = false;
	refused("a void must name the order to void", "a void can name no order");
	buy_packs("2023-01-12", "month", 1);
	void_of("2023-01-12", 3)->item = "plan";
	refused("That order is of \"moderation_pack\"", "a void can name another item");
	void_of("2023-01-12", 3)->quantity = 2;
	refused("quantity 2", "a void can have a quantity");
	void_of("2023-01-12", 3)->has_paid = true;
	refused("agreed price", "a void can have a price");
	refund_of("2023-01-12", 1);
	refused("no earlier purchase of that order_id", "a voided order can be refunded");
}

static void
test_by_hand(void)
{
	static char reason[ORDER_MAX_REASON + 2];

	begin(&cards.cn);
	by_hand("2023-01-11", ORDER_CHARGE, "set-up", "250");
	by_hand("2023-01-12", ORDER_CREDIT, "outage of 3 hours", "100.005");
	by_hand("2023-01-10", ORDER_CREDIT, "", "0.00000001");
	app.orders[3] = app.orders[0];
	app.orders[0] = app.orders[2];
	app.orders[2] = app.orders[1];
	app.orders[1] = app.orders[3];
	bill_is("2023-01", "credit 1-0=1 1*-0.00000001=-0.00000001\n"
			"credit outage of 3 hours 1-0=1 1*-100.005=-100.005\ncharge set-up 1-0=1 1*250=250\ntotal 149.99\n",
			"credits and charges are not lines of their days, by kind and day");
	is(line_days("2023-01", 1), "2023-01-12 2023-01-12 2023-01-13", "a credit is not of its day");

	begin(&cards.cn);
	order_of(by_hand("2023-01-10", ORDER_CREDIT, "", "1"))->has_paid = false;
	refused("a credit without an amount", "a credit can be without an amount");
	by_hand("2023-01-10", ORDER_CHARGE, "", "0");
	refused("a charge of 0", "a charge can be of nothing");
	order_of(by_hand("2023-01-10", ORDER_CHARGE, "", "1"))->item = "plan";
	refused("a charge of \"plan\"", "a charge can be of a plan");
	order_of(by_hand("2023-01-10", ORDER_CHARGE, "", "1"))->has_months = true;
	refused("no purchase", "a charge can have months");
	order_of(by_hand("2023-01-10", ORDER_CHARGE, "", "1"))->quantity = 2;
	refused("quantity 2", "a charge can have a quantity");
	memset(reason, 'x', ORDER_MAX_REASON + 1);
	by_hand("2023-01-10", ORDER_CHARGE, reason, "1");
	refused("a reason of 256 bytes", "a reason can be longer than 255 bytes");
	reason[ORDER_MAX_REASON] = '\0';
	by_hand("2023-01-10", ORDER_CHARGE, reason, "1");
	accepted("a reason of 255 bytes is refused");
}

/* ---- random logs ---- */

static uint64_t state = 1;

static int
dice(int sides)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (int) (state % (uint64_t) sides);
}

static void
random_order(CalDay day)
{
	char		text[CAL_TEXT_SIZE];

	cal_day_text(day, text);
	switch (dice(9))
	{
		case 0:
			buy(text, "plan", dice(3) ? "pro" : "flagship", 1 + dice(3));
			break;
		case 1:
			upgrade(text, "flagship");
			break;
		case 2:
			refund_of(text, app.norders - dice(4));
			break;
		case 3:
			buy(text, "call", dice(2) ? "basic" : "premium", 1);
			break;
		case 4:
			buy(text, dice(2) ? "group_members" : "local_moderation", "", 1 + dice(2));
			break;
		case 5:
			switch_on(text, "history_storage", dice(2) ? "90d" : "360d");
			break;
		case 6:
			by_hand(text, dice(2) ? ORDER_CREDIT : ORDER_CHARGE, "reason", "12.5");
			break;
		case 7:
			buy_packs(text, "month", 1);
			break;
		default:
			void_of(text, app.norders - dice(5));
	}
	app.orders[app.norders - 1].order_id = app.norders;
}

static void
random_log(void)
{
	CalDay		day = day_of("2023-01-01");

	begin(&cards.cn);
	for (int i = 0; i < 40; i++)
	{
		random_order(day);
		if (refusal()[0] != '\0')
			app.norders--;
		day += dice(3) ? 0 : dice(12);
	}
	use("2023-02-10", USAGE_CALL_AUDIO, 150000);
}

/* The log with every void and what it voids struck out by hand. */
static int
strike_out(void)
{
	int			kept = 0,
				struck = 0;
	bool		out[MAX_ORDERS] = {false};

	for (int v = 0; v < app.norders; v++)
		for (int i = 0; app.orders[v].action == ORDER_VOID && i < app.norders; i++)
			out[v] = out[i] |= app.orders[i].order_id == app.orders[v].refunds;
	for (int i = 0; i < app.norders; i++)
		if (app.orders[i].action == ORDER_VOID || out[i])
			struck++;
		else
			app.orders[kept++] = app.orders[i];
	app.norders = kept;
	return struck;
}

static void
test_as_if_never_placed(void)
{
	static char with[50000];
	int			differ = 0,
				voids = 0;

	for (int i = 0; i < 300; i++)
	{
		random_log();
		snprintf(with, sizeof(with), "%s", half_year());
		voids += strike_out() / 2;
		differ += strcmp(with, half_year()) != 0;
	}
	ok(differ == 0, "%d of 300 random logs are billed otherwise than without voids and what they void", differ);
	ok(voids > 300, "random logs have only %d voids", voids);
}

int
main(void)
{
	make_cards();
	test_each_kind();
	test_instead();
	test_others_rest_on_it();
	test_first_refund();
	test_what_is_no_mistake();
	test_by_hand();
	test_as_if_never_placed();
	begin(NULL);
	return done_testing();
}
