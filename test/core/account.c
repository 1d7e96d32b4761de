/*
 * account.c
 *	  What may be ordered and what state follows: R1, R2, R4, R6, R7, R8.
 */
#include "fixture.h"

/* Terms and the grace (R1, R2), on both sides of every boundary. */
static void
test_plan_states(void)
{
	begin(&cards.cn);
	is(state_on("2023-01-01"), "trial", "an app without orders is not on trial");
	buy("2023-01-31", "plan", "pro", 1);
	is(state_on("2023-01-30"), "trial", "a plan is in force before its purchase day");
	is(state_on("2023-01-31"), "active pro", "a plan is not in force on its purchase day");
	is(state_on("2023-02-27"), "active pro", "Jan 31 + 1 month ends before the day before Feb 28");
	is(state_on("2023-02-28"), "grace pro", "Jan 31 + 1 month runs past Feb 27");
	is(state_on("2023-03-06"), "grace pro", "the 7th day of the grace is not served");
	is(state_on("2023-03-07"), "stopped", "the 8th day after the end is still served");
	is(state_on("2023-06-04"), "stopped", "data are gone before the 90 days are over");
	is(state_on("2023-06-05"), "reclaimed", "data are kept past 90 days from the stop");

	begin(&cards.cn);
	buy("2023-02-01", "plan", "pro", 1);
	is(state_on("2023-02-28"), "active pro", "bought on the 1st, the month's last day is not in force");
	is(state_on("2023-03-01"), "grace pro", "bought on the 1st, the term runs into the next month");

	begin(&cards.cn);
	buy("2024-01-31", "plan", "pro", 2);
	is(state_on("2024-03-30"), "active pro", "two months from Jan 31 end before the day before Mar 31");
	is(state_on("2024-03-31"), "grace pro", "two months from Jan 31 run past Mar 30");
}

static void
test_renewals(void)
{
	begin(&cards.cn);
	buy("2023-01-10", "plan", "pro", 1);
	buy("2023-01-20", "plan", "pro", 1);
	is(state_on("2023-03-09"), "active pro", "a renewal within the term does not continue from its end");
	is(state_on("2023-03-10"), "grace pro", "a renewal within the term ends too late");

	begin(&cards.cn);
	buy("2023-01-10", "plan", "pro", 1);
	buy("2023-02-16", "plan", "pro", 1);
	is(state_on("2023-03-09"), "active pro", "a renewal in the grace does not continue from the old end");
	is(state_on("2023-03-10"), "grace pro", "a renewal on the last day of the grace starts on its own day");

	begin(&cards.cn);
	buy("2023-01-10", "plan", "pro", 1);
	buy("2023-02-17", "plan", "pro", 1);
	is(state_on("2023-02-16"), "grace pro", "the last day of the grace is lost");
	is(state_on("2023-03-16"), "active pro", "a purchase after the grace does not start on its own day");

	begin(&cards.cn);
	buy("2023-01-10", "plan", "pro", 1);
	buy("2023-02-12", "plan", "flagship", 1);
	is(state_on("2023-02-11"), "grace pro", "another plan bought in the grace reaches back");
	is(state_on("2023-02-12"), "active flagship", "another plan bought in the grace is not in force on its day");
	is(state_on("2023-03-12"), "grace flagship", "another plan bought in the grace continues from the old end");

	begin(&cards.cn);
	buy("2023-01-10", "plan", "flagship", 1);
	buy("2023-02-10", "plan", "pro", 1);
	is(state_on("2023-02-10"), "active pro", "a lower plan cannot be had after the term has ended");
}

static void
test_plan_refusals(void)
{
	begin(&cards.cn);
	buy("2023-01-10", "plan", "trial", 1);
	refused("is free and cannot be ordered", "the free plan can be bought");
	buy("2023-01-10", "plan", "platinum", 1);
	refused("there is no plan", "a plan that the card lacks can be bought");
	buy("2023-01-10", "plan", "pro", 0);
	refused("months 0", "a plan can be bought for 0 months");
	buy("2023-01-10", "plan", "pro", -1);
	refused("months -1", "a plan can be bought for a negative number of months");
	buy("2023-01-10", "plan", "pro", 1201);
	refused("months 1201", "a plan can be bought for more than a hundred years");
	buy("9999-11-01", "plan", "pro", 2);
	refused("after the year 9999", "a term can end after the calendar");
	add_order("2023-01-10", ORDER_BUY, "plan", "pro");
	refused("months are missing", "a plan can be bought without months");
	buy("2019-12-09", "plan", "pro", 1);
	refused("card: rate card \"cn\" has no version in force on 2019-12-09", "a plan can be bought before the card's first day");
	buy("2019-12-10", "plan", "pro", 1);
	accepted("a plan cannot be bought on the card's first day");

	begin(&cards.cn);
	buy("2023-01-10", "plan", "flagship", 1);
	buy("2023-02-09", "plan", "pro", 1);
	refused("never steps down", "a lower plan can be bought on the last day of a term");
	buy("2023-02-10", "plan", "pro", 1);
	accepted("a lower plan cannot be bought on the day after the term");

	begin(&cards.cn);
	buy("2023-01-10", "plan", "pro", 1);
	buy("2023-02-09", "plan", "flagship", 1);
	refused("reached by an upgrade", "a higher plan can be bought on the last day of a term");
	buy("2023-02-10", "plan", "flagship", 1);
	accepted("a higher plan cannot be bought in the grace");
}

static void
test_upgrades(void)
{
	begin(&cards.cn);
	upgrade("2023-01-09", "flagship");
	refused("no running term", "the free plan can be upgraded");
	buy("2023-01-10", "plan", "pro", 1);
	upgrade("2023-02-10", "flagship");
	refused("no running term", "a plan in its grace can be upgraded");
	upgrade("2023-01-20", "pro");
	refused("no step up", "a plan can be upgraded to itself");
	upgrade("2023-01-20", "trial");
	refused("is free", "a plan can be upgraded to the free plan");
	upgrade("2023-01-20", "platinum");
	refused("there is no plan", "a plan can be upgraded to one that the card lacks");
	upgrade("2023-01-20", "flagship")->item = "call";
	refused("cannot be upgraded", "an add-on can be upgraded");
	upgrade("2023-02-09", "flagship");
	is(state_on("2023-02-08"), "active pro", "an upgrade works before its day");
	is(state_on("2023-02-09"), "active flagship", "an upgrade on the last day of the term does not work");
	is(state_on("2023-02-10"), "grace flagship", "an upgrade moves the end day");
	upgrade("2023-02-09", "flagship");
	refused("no step up", "a plan can be upgraded twice to the same");

	begin(&cards.cn);
	buy("2023-01-10", "plan", "pro", 1);
	buy("2023-01-11", "plan", "pro", 1);
	upgrade("2023-01-12", "flagship");
	is(state_on("2023-03-09"), "active flagship", "a queued renewal stays on the old plan after an upgrade");
	buy("2023-01-13", "plan", "pro", 1);
	refused("never steps down", "an upgraded plan can be renewed as the old one");
	buy("2023-01-13", "plan", "flagship", 1);
	is(state_on("2023-04-09"), "active flagship", "an upgraded plan cannot be renewed");
}

static void
test_suspensions(void)
{
	begin(&cards.cn);
	buy("2023-01-10", "plan", "pro", 1);
	suspend("2023-01-20", "2023-01-22");
	suspend("2023-01-15", "2023-01-16");
	suspend("2023-01-21", "2023-01-25");
	is(state_on("2023-01-14"), "active pro", "a suspension works before its first day");
	is(state_on("2023-01-15"), "suspended pro", "a suspension's first day is served");
	is(state_on("2023-01-16"), "active pro", "a suspension works on the day after its last");
	is(state_on("2023-01-22"), "suspended pro", "the longer of two overlapping suspensions is cut off");
	is(state_on("2023-01-24"), "suspended pro", "a suspension's last day is served");
	is(state_on("2023-01-25"), "active pro", "overlapping suspensions last too long");
	buy("2023-01-21", "group_members", "", 1);
	accepted("a suspension forbids an order");
	app.suspensions[0] = (Suspension) {INT32_MIN, INT32_MAX};
	is(state_on("0001-01-01"), "suspended", "an endless suspension does not reach back");
	is(state_on("9999-12-31"), "suspended", "an endless suspension ends");
}

static void
test_addons(void)
{
	begin(&cards.cn);
	buy("2023-01-09", "group_members", "", 1);
	refused("needs a paid plan", "an add-on can be bought on trial");
	buy("2023-01-10", "plan", "pro", 1);
	buy("2023-02-17", "group_members", "", 1);
	refused("needs a paid plan", "an add-on can be bought after the grace");
	buy("2023-01-10", "bandwidth", "", 1);
	refused("unknown item", "an add-on that the card lacks can be bought");
	buy("2023-01-10", "group_members", "large", 1);
	refused("is not sold on plan \"pro\"", "an option that the card lacks can be bought");
	buy("2023-01-10", "history_storage", "30d", 1);
	refused("is not bought", "a postpaid add-on can be bought");
	buy("2023-01-10", "call", "basic", 0);
	refused("months 0", "an add-on can be bought for 0 months");
	order_of(buy("2023-01-10", "call", "basic", 1))->quantity = 2;
	refused("quantity 2", "an add-on can be bought in a quantity");
	buy("2023-02-16", "group_members", "", 1);
	accepted("an add-on cannot be bought on the last day of the grace");

	begin(&cards.cn);
	buy("2023-01-10", "plan", "pro", 12);
	buy("2023-01-10", "call", "basic", 1);
	buy("2023-02-09", "call", "premium", 1);
	refused("one option at a time", "a second option can be bought on the first one's last day");
	buy("2023-02-10", "call", "premium", 1);
	accepted("another option cannot be bought after the first is over");

	begin(&cards.cn);
	buy("2023-01-10", "plan", "pro", 12);
	buy("2023-01-10", "call", "basic", 1);
	refund_of("2023-01-20", 2);
	buy("2023-01-20", "call", "premium", 1);
	accepted("another option cannot be bought on the day the first is refunded");

	begin(&cards.cn);
	buy("2023-01-10", "plan", "flagship", 1);
	buy("2023-01-10", "avchatroom", "", 1);
	refused("is not sold on plan \"flagship\"", "an add-on that flagship includes can be bought on it");

	begin(&cards.cn);
	buy("2023-01-10", "plan", "pro", 12);
	buy("2023-01-10", "avchatroom", "", 1);
	upgrade("2023-01-20", "flagship");
	accepted("an upgrade is refused because of a running add-on");
	buy("2023-01-20", "avchatroom", "", 1);
	refused("is not sold on plan \"flagship\"", "an add-on can be renewed after an upgrade to a plan that lacks it");
	app.orders[2] = app.orders[--app.norders];
	buy("2023-01-20", "avchatroom", "", 1);
	accepted("an add-on cannot be renewed on the day of an upgrade, before it");
}

static void
test_switches(void)
{
	begin(&cards.cn);
	switch_on("2023-01-01", "history_storage", "30d");
	switch_on("2023-01-01", "moderation", "");
	accepted("switches cannot be ordered on trial");
	switch_on("2023-01-01", "history_storage", "7d");
	refused("has no option \"7d\"", "an option that the card lacks can be switched on");
	switch_on("2023-01-01", "moderation", "strict");
	refused("moderation has no option", "moderation can be switched on with an option");
	switch_on("2023-01-01", "group_members", "");
	refused("is not a switch", "a prepaid add-on can be switched on");
	switch_off("2023-01-01", "plan");
	refused("is not a switch", "a plan can be switched off");
	switch_on("2023-01-01", "moderation", "")->has_months = true;
	refused("no purchase", "a switch can be ordered for months");

	buy("2023-01-02", "plan", "pro", 1);
	switch_on("2023-01-02", "history_storage", "30d");
	accepted("switching on what is on already is refused");
	app.norders--;
	switch_on("2023-01-02", "history_storage", "90d");
	accepted("the first switch of option in a month is refused");
	switch_on("2023-01-31", "history_storage", "180d");
	refused("a second change of option", "the option can be switched twice in a month");
	switch_on("2023-02-01", "history_storage", "180d");
	accepted("the option cannot be switched again in the next month");

	begin(&cards.cn);
	buy("2023-01-02", "plan", "flagship", 1);
	switch_on("2023-01-02", "history_storage", "30d");
	refused("is not sold on plan \"flagship\"", "an option that the plan does not sell can be switched on");

	begin(&cards.intl);
	switch_on("2023-01-01", "moderation", "");
	refused("is not a switch of the rate card", "moderation can be switched on where the card lacks it");
}

/* Refunds: which are refused (R8). */
/* The sum of all lines of the orders so far, through a month. */
static const char *
net_through(const char *last)
{
	static char buf[AMOUNT_TEXT_SIZE];
	Amount		sum = 0;

	for (CalMonth month = month_of("2022-12"); month <= month_of(last); month++)
	{
		const Bill *bill = compute_bill(month, false, app.cards);

		for (int i = 0; i < bill->nlines; i++)
			sum += bill->lines[i].amount;
	}
	return amount_text(sum, 0, buf);
}

/* Many refunds that share an upgrade fee, each rounded half up, give back at most what was paid. */
static void
test_refunds_of_shared_fee(void)
{
	begin(&cards.cn);
	for (int i = 0; i < 122; i++)
		buy("2023-01-10", "plan", "pro", 1);
	upgrade("2023-01-10", "flagship");
	for (int i = 122; i >= 1; i--)
		refund_of("2023-01-10", i);
	is(net_through("2023-02"), "0", "122 refunds of one upgrade fee give back more than was paid");

	/* the terms of two upgrades are one purse, also through a term that is over */
	begin(&cards.cn);
	for (int i = 0; i < 60; i++)
		buy_paid("2023-01-10", "plan", "pro", 1, "0.01");
	upgrade("2023-01-10", "flagship");
	for (int i = 60; i >= 1; i--)
		refund_of("2023-01-10", i);
	buy("2023-01-10", "plan", "pro", 1);
	is(net_through("2023-02"), "999", "a purchase after the refunds is refunded with them");
	refund_of("2023-01-10", 122);
	is(net_through("2023-02"), "32.23", "a term that shares no fee is cut by the refunds of others");

	/* an agreed price of less than a cent is not rounded up past itself */
	begin(&cards.cn);
	buy("2022-12-01", "plan", "pro", 1);
	refund_of("2022-12-01", 1);
	buy_paid("2023-01-10", "plan", "pro", 1200, "0.006");
	refund_of("2023-01-10", 3);
	is(net_through("2023-02"), "0", "0.01 comes back of 0.006");
}

static void
test_refund_refusals(void)
{
	begin(&cards.cn);
	buy("2023-01-10", "plan", "pro", 1);
	upgrade("2023-01-12", "flagship");
	buy_packs("2023-01-12", "month", 1);
	switch_on("2023-01-12", "moderation", "");
	for (int64_t id = 2; id <= 4; id++)
	{
		static const char *const why[] = {"an upgrade can be refunded by itself",
		"a pack can be refunded", "a switch can be refunded"};

		refund_of("2023-01-13", id);
		refused("cannot be refunded", why[id - 2]);
	}
	refund_of("2023-01-13", 99);
	refused("no earlier purchase", "nothing can be refunded");
	refund_of("2023-01-13", INT64_MIN);
	refused("no earlier purchase", "the least order_id is found");
	refund_of("2023-01-13", 5);
	refused("no earlier purchase", "a refund can refund itself");
	refund_of("2023-01-13", 6);
	buy("2023-01-14", "local_moderation", "", 1);
	ok(strstr(refusal(), "no earlier purchase") != NULL, "an order can be refunded before it is placed");
	app.norders -= 2;
	add_order("2023-01-13", ORDER_REFUND, "", "");
	refused("must name the order", "a refund can leave open what it refunds");
	refund_of("2023-01-13", 1)->item = "call";
	refused("That order bought", "a refund can name another item than the order's");
	refund_of("2023-01-13", 1)->option = "flagship";
	refused("That order bought", "a refund can name another option than the order's");
	refund_of("2023-01-13", 1)->quantity = 2;
	refused("quantity 2", "a refund can have a quantity");
	refund_of("2023-01-13", 1)->has_paid = true;
	refused("agreed price", "a refund can have an agreed price");
	refund_of("2023-02-10", 1);
	refused("Its term has ended", "a term can be refunded on the day after its last");
	refund_of("2023-02-09", 1);
	accepted("a term cannot be refunded on its last day");
	refund_of("2023-02-09", 1);
	refused("refunded once", "an order can be refunded twice");
}

static void
test_refund_order(void)
{
	begin(&cards.cn);
	buy("2023-01-10", "plan", "pro", 1);
	buy("2023-01-11", "plan", "pro", 1);
	refund_of("2023-01-12", 1);
	refused("A later term", "a term can be refunded though a later one stands");
	refund_of("2023-01-12", 2);
	is(state_on("2023-02-10"), "grace pro", "a term refunded before it began is in force");
	refund_of("2023-01-12", 1);
	is(state_on("2023-01-12"), "active pro", "the day of a refund is not the term's last");
	is(state_on("2023-01-13"), "stopped", "a refunded term has a grace or is counted as trial");
	is(state_on("2023-04-12"), "stopped", "data of a refunded app are gone before 90 days");
	is(state_on("2023-04-13"), "reclaimed", "data of a refunded app are kept longer than 90 days");

	begin(&cards.cn);
	buy("2023-01-10", "plan", "pro", 1);
	refund_of("2023-01-20", 1);
	buy("2023-01-20", "plan", "pro", 1);
	is(state_on("2023-02-19"), "active pro", "a purchase after a refund does not start on its own day");
	is(state_on("2023-02-20"), "grace pro", "a purchase after a refund continues from the old end");
	upgrade("2023-01-20", "flagship");
	is(state_on("2023-01-20"), "active flagship", "what was bought after a refund cannot be upgraded");

	begin(&cards.cn);
	buy("2023-01-10", "plan", "flagship", 1);
	refund_of("2023-01-20", 1);
	upgrade("2023-01-20", "flagship");
	refused("no running term", "a refunded term can be upgraded");
	buy("2023-01-20", "plan", "pro", 1);
	is(state_on("2023-01-21"), "active pro", "a refunded plan forbids a lower one");
}

static void
test_other_purchases(void)
{
	begin(&cards.cn);
	buy("2023-01-10", "local_moderation", "", 1);
	buy_packs("2023-01-10", "year_large", INT32_MAX);
	accepted("local moderation or packs cannot be bought on trial");
	buy("2023-01-10", "local_moderation", "basic", 1);
	refused("is not sold", "local moderation can be bought with an option");
	buy_packs("2023-01-10", "decade", 1);
	refused("there is no moderation pack", "a pack that the card lacks can be bought");
	buy_packs("2023-01-10", "month", 0);
	refused("quantity 0", "no packs can be bought");
	buy_packs("2023-01-10", "month", INT32_MIN);
	refused("quantity -2147483648", "a negative number of packs can be bought");
	buy("2023-01-10", "moderation_pack", "month", 2);
	refused("months 2", "a pack can be bought for another time than its own");
	buy("2023-01-10", "moderation_pack", "month", 1);
	accepted("a pack cannot be bought with its own months given");
	order_of(buy("2023-01-10", "plan", "pro", 1))->has_refunds = true;
	refused("only a refund or a void names another order", "a purchase can name an order to refund");
	suspend("2023-03-01", "2023-04-01");
	buy("2023-03-10", "local_moderation", "", 1);
	switch_on("2023-03-10", "moderation", "");
	accepted("local moderation or moderation cannot be ordered in a suspension");

	begin(&cards.intl);
	buy("2023-01-10", "local_moderation", "", 1);
	refused("is not sold", "local moderation can be bought where the card lacks it");
}

int
main(void)
{
	make_cards();
	test_plan_states();
	test_renewals();
	test_plan_refusals();
	test_upgrades();
	test_suspensions();
	test_addons();
	test_switches();
	test_refunds_of_shared_fee();
	test_refund_refusals();
	test_refund_order();
	test_other_purchases();
	begin(NULL);
	return done_testing();
}
