/*
 * offers.c
 *	  What is sold to whom and for how long: prices by term, options for
 *	  renewal only, moderation by plan (R12).
 */
#include "core/finance/facts.h"
#include "core/finance/quote.h"
#include "fixture.h"

static CardPlan plans[4];
static TermPrice pro_terms[3],
			flagship_terms[1];
static CardAddon addons[4];
static const char *renewed_calls[1] = {"premium"},
		   *renewed_history[1] = {"360d"},
		   *moderated[1];
static Card card;
static CardVersion versions[1];
static CardHistory history = {"offers", 1, versions};

static void
make_card(void)
{
	memcpy(plans, cn_plans, sizeof(cn_plans));
	plans[3] = paid_plan("group", 3, "10000");
	pro_terms[0] = (TermPrice) {12, PRICE("9999")};
	pro_terms[1] = (TermPrice) {3, PRICE("1000")};
	pro_terms[2] = (TermPrice) {1, PRICE("1500")};
	flagship_terms[0] = (TermPrice) {12, PRICE("30000")};
	plans[1].terms = pro_terms;
	plans[1].nterms = 2;
	plans[2].terms = flagship_terms;
	plans[2].nterms = 1;
	memcpy(addons, cn_addons, sizeof(cn_addons));
	addons[2].renew_only = renewed_history;
	addons[2].nrenew_only = 1;
	addons[3].renew_only = renewed_calls;
	addons[3].nrenew_only = 1;
	card = cn;
	card.plans = plans;
	card.nplans = 4;
	card.addons = addons;
	versions[0] = (CardVersion) {CAL_MIN_DAY, &card};
}

static const char *
lines_of(const char *month, const char *item)
{
	static char buf[2000];
	char		text[400];
	const Bill *bill;

	buf[0] = '\0';
	if (!TRY_CORE(&app.test))
		return app.test.problem.message;
	bill = compute_bill(month_of(month), false, app.cards);
	for (int i = 0; i < bill->nlines; i++)
		if (strcmp(bill->lines[i].item, item) == 0)
		{
			print_line(text, sizeof(text), &bill->lines[i]);
			strcat(buf, text);
		}
	return buf;
}

static void
test_prices_by_term(void)
{
	begin(&history);
	buy("2023-01-01", "plan", "pro", 12);
	is(lines_of("2023-01", "plan"), "plan pro 12-0=12 12*833.25=9999\n", "a year is not at the price of a year");
	buy("2023-01-02", "plan", "pro", 11);
	is(lines_of("2023-01", "plan"), "plan pro 12-0=12 12*833.25=9999\nplan pro 11-0=11 11*999=10989\n",
	   "other months are not at the price of a month each");
	begin(&history);
	buy_paid("2023-01-01", "plan", "pro", 12, "5000");
	is(lines_of("2023-01", "plan"), "plan pro 12-0=12 12*833.25=5000\n", "an agreed price does not stand over that of the term");
	begin(&history);
	buy("2023-01-01", "plan", "pro", 3);
	is(lines_of("2023-01", "plan"), "plan pro 3-0=3 3*333.33333333=1000\n", "the amount is not the price of the term to the digit");
	begin(&history);
	plans[1].nterms = 3;
	buy("2023-01-01", "plan", "pro", 1);
	is(lines_of("2023-01", "plan"), "plan pro 1-0=1 1*1500=1500\n", "a month has no price of its own");
	plans[1].nterms = 2;
}

static void
test_refunds_by_term(void)
{
	/* 9999 / 12 = 833.25 a month: January and 14 of 28 days of February are used */
	begin(&history);
	buy_packs("2022-12-01", "month", 1);
	buy("2023-01-01", "plan", "pro", 12);
	refund_of("2023-02-14", 2);
	is(lines_of("2023-02", "refund"), "refund plan 1-0=1 1*-8749.13=-8749.13\n",
	   "a refunded month of a term costs other than its share of what was paid");
}

static void
test_upgrades_by_term(void)
{
	/* (2999 - 833.25) * 244 / (365/12) = 17373.7..., from the purchase and not from the card of the day */
	begin(&history);
	buy("2023-01-01", "plan", "pro", 12);
	upgrade("2023-05-02", "flagship");
	is(lines_of("2023-05", "plan_upgrade"), "plan_upgrade flagship 244-0=244 244*2165.75=17373.47\n",
	   "the old price of an upgrade is not the share of what was paid");
	/* then on: flagship at the card's price of the day, as after any upgrade: 7001 * 184 / (365/12) */
	upgrade("2023-07-01", "group");
	is(lines_of("2023-07", "plan_upgrade"), "plan_upgrade group 184-0=184 184*7001=42351.25\n",
	   "an upgraded term is still at the price of its months");
	begin(&history);
	buy("2023-01-01", "plan", "pro", 11);
	upgrade("2023-05-02", "flagship");
	is(lines_of("2023-05", "plan_upgrade"), "plan_upgrade flagship 213-0=213 213*2000=14005.48\n",
	   "without a price of the term the old price is not the card's");
	begin(&history);
	buy_paid("2023-01-01", "plan", "pro", 12, "1");
	upgrade("2023-05-02", "flagship");
	is(lines_of("2023-05", "plan_upgrade"), "plan_upgrade flagship 244-0=244 244*2000=16043.84\n",
	   "an agreed price moves the fee of an upgrade");

	/* queued: 30 days at 999 and 365 at 833.25: (2000*30 + 2165.75*365) * 12 / 365 */
	begin(&history);
	buy("2023-01-02", "plan", "pro", 1);
	buy("2023-01-02", "plan", "pro", 12);
	upgrade("2023-01-03", "flagship");
	is(lines_of("2023-01", "plan_upgrade"), "plan_upgrade flagship 395-0=395 395*2000=27961.6\n",
	   "the steps of queued terms are not each from what a month of them cost");
	/* never below 0: 30000 / 12 = 2500, to a plan of the same price */
	begin(&history);
	card.plans[3].price = PRICE("100");
	buy("2023-01-01", "plan", "flagship", 12);
	upgrade("2023-05-02", "group");
	is(lines_of("2023-05", "plan_upgrade"), "plan_upgrade group 244-0=244 244*-2400=0\n", "an upgrade gives money back");
	card.plans[3].price = PRICE("10000");
}

static void
test_renew_only(void)
{
	begin(&history);
	buy("2023-01-01", "plan", "pro", 1);
	buy("2023-01-01", "call", "premium", 1);
	refused("is sold only to an app that holds it", "an option for renewal can be bought anew");
	buy("2023-01-01", "call", "basic", 1);
	accepted("another option needs one that is held");
	switch_on("2023-01-01", "history_storage", "360d");
	refused("is sold only to an app that holds it", "a switch for renewal can be turned on anew");

	/* what was bought before the option was for renewal only */
	begin(&history);
	buy("2023-01-01", "plan", "pro", 1);
	order_of(buy("2023-01-01", "call", "premium", 1))->held = true;
	switch_on("2023-01-01", "history_storage", "360d")->held = true;
	buy("2023-01-31", "call", "premium", 1);
	accepted("what is in force cannot be renewed");
	app.norders--;
	buy("2023-02-01", "call", "premium", 1);
	accepted("what was held on the plan's last day cannot be renewed in the grace");
	app.norders--;
	buy("2023-02-07", "call", "premium", 1);
	accepted("nor on the last day of the grace");
	app.norders--;
	buy("2023-02-01", "plan", "pro", 1);
	buy("2023-02-01", "call", "premium", 1);
	refused("is sold only to an app that holds it", "once the plan is renewed there is no grace");
	app.norders--;
	buy("2023-02-08", "plan", "pro", 1);
	buy("2023-02-08", "call", "premium", 1);
	refused("is sold only to an app that holds it", "after the grace an option can still be renewed");
	switch_off("2023-01-31", "history_storage");
	app.norders--;
	switch_on("2023-02-08", "history_storage", "360d");
	accepted("what is on cannot be ordered on");
	switch_off("2023-02-09", "history_storage");
	switch_on("2023-02-09", "history_storage", "360d");
	accepted("what was on on the day cannot be ordered on");
	app.norders--;
	switch_on("2023-02-10", "history_storage", "360d");
	refused("is sold only to an app that holds it", "what was on the day before can be ordered on");

	/* held, but not on the last day */
	begin(&history);
	buy("2023-01-01", "plan", "pro", 2);
	order_of(buy("2023-01-30", "call", "premium", 1))->held = true;
	buy("2023-03-02", "call", "premium", 1);
	refused("is sold only to an app that holds it", "what ended before the plan can be renewed in the grace");
}

static void
test_moderation_by_plan(void)
{
	moderated[0] = "flagship";
	card.moderation_plans = moderated;
	card.nmoderation_plans = 1;
	begin(&history);
	switch_on("2023-01-01", "moderation", "");
	buy_packs("2023-01-01", "month", 1);
	buy("2023-01-02", "plan", "pro", 1);
	upgrade("2023-01-03", "flagship");
	use("2023-01-01", USAGE_TEXT, 1);
	use("2023-01-02", USAGE_TEXT, 10);
	use("2023-01-03", USAGE_TEXT, 100);
	use("2023-02-07", USAGE_TEXT, 2000000);
	is(lines_of("2023-01", "moderation"), "moderation 100-100=0 0*0.001=0\n",
	   "usage on plans without moderation is billed or taken from packs");
	is(lines_of("2023-02", "moderation"), "moderation 2000000-0=2000000 2000000*0.001=2000\n",
	   "on a plan with moderation the switch counts as off");
	moderated[0] = "trial";
	is(lines_of("2023-01", "moderation"), "moderation 1-1=0 0*0.001=0\n", "the free plan cannot have moderation");
	card.nmoderation_plans = 0;
	is(lines_of("2023-01", "moderation"), "moderation 111-111=0 0*0.001=0\n", "without a list not every plan has moderation");
}

int
main(void)
{
	make_cards();
	make_card();
	test_prices_by_term();
	test_refunds_by_term();
	test_upgrades_by_term();
	test_renew_only();
	test_moderation_by_plan();
	begin(NULL);
	return done_testing();
}
