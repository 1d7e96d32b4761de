/*
 * bill.c
 *	  What a bill must come to: the check numbers of R3 to R9 and their edges.
 *
 * Expected bills are written as print_line() of fixture.h prints them:
 * item option quantity-included=billable units*price=amount.
 */
#include "fixture.h"

/* An app with a plan of twelve months bought on a day. */
static int64_t
begin_with(const CardHistory *history, const char *day, const char *plan)
{
	begin(history);
	return buy(day, "plan", plan, 12);
}

static const struct
{
	UsageField	field;
	int64_t		peak;
	const char *bill;
}			peaks[] =
{
	{USAGE_DAU, 10000, "dau_overage pro 10000-10000=0 0*1000=0\ntotal 0\n"},
	{USAGE_DAU, 10001, "dau_overage pro 10001-10000=1 1*1000=1000\ntotal 1000\n"},
	{USAGE_DAU, 20000, "dau_overage pro 20000-10000=10000 1*1000=1000\ntotal 1000\n"},
	{USAGE_DAU, 20001, "dau_overage pro 20001-10000=10001 2*1000=2000\ntotal 2000\n"},
	{USAGE_DAU, 25000, "dau_overage pro 25000-10000=15000 2*1000=2000\ntotal 2000\n"},
	{USAGE_DAU, 1, "dau_overage pro 1-10000=0 0*1000=0\ntotal 0\n"},
	{USAGE_DAU, 0, "total 0\n"},
	{USAGE_DAU, INT64_MAX, "dau_overage pro 9223372036854775807-10000=9223372036854765807 "
		"922337203685477*1000=922337203685477000\ntotal 922337203685477000\n"},
	{USAGE_GROUPS, 100000, "group_overage pro 100000-100000=0 0*1000=0\ntotal 0\n"},
	{USAGE_GROUPS, 100001, "group_overage pro 100001-100000=1 1*1000=1000\ntotal 1000\n"},
	{USAGE_GROUPS, 550000, "group_overage pro 550000-100000=450000 5*1000=5000\ntotal 5000\n"},
};

static void
test_peaks(void)
{
	for (int i = 0; i < LENGTH(peaks); i++)
	{
		char		why[100];

		begin_with(&cards.cn, "2022-12-01", "pro");
		use("2023-01-10", peaks[i].field, peaks[i].peak);
		use("2023-01-11", peaks[i].field, peaks[i].peak / 2);
		snprintf(why, sizeof(why), "a peak of %lld is charged otherwise (R3)", (long long) peaks[i].peak);
		bill_is("2023-01", peaks[i].bill, why);
	}
}

/* Which days count, and the share of an app that ends stopped. */
static void
test_counting_days(void)
{
	begin_with(&cards.cn, "2023-01-15", "pro");
	use("2023-01-14", USAGE_DAU, 50000);
	use("2023-01-15", USAGE_DAU, 10001);
	bill_is("2023-01", "plan pro 12-0=12 12*999=11988\ndau_overage pro 10001-10000=1 1*1000=1000\n"
			"total 12988\n", "a day on trial counts towards the peak, or the purchase day does not");

	begin(&cards.cn);
	buy("2022-12-04", "plan", "pro", 1);
	use("2023-01-10", USAGE_DAU, 10001);
	use("2023-01-11", USAGE_DAU, 50000);
	bill_is("2023-01", "dau_overage pro 10001-10000=1 1*1000=322.58064516\ntotal 322.58\n",
			"the last day of the grace does not count, the day after does, or the share is not 10/31");
	bill_is("2023-02", "total 0\n", "a month without a counting day has overage");
	buy("2023-01-31", "plan", "pro", 1);
	bill_is("2023-01", "plan pro 1-0=1 1*999=999\ndau_overage pro 10001-10000=1 1*1000=1000\ntotal 1999\n",
			"the overage is shared though the app runs on the last day");

	begin_with(&cards.cn, "2022-12-01", "pro");
	suspend("2023-01-30", "2023-01-31");
	use("2023-01-29", USAGE_DAU, 10001);
	use("2023-01-30", USAGE_DAU, 50000);
	bill_is("2023-01", "dau_overage pro 10001-10000=1 1*1000=1000\ntotal 1000\n",
			"a suspended day counts, or a suspension before the last day shares the overage");
	suspend("2023-01-31", "2023-02-01");
	bill_is("2023-01", "dau_overage pro 10001-10000=1 1*1000=935.48387097\ntotal 935.48\n",
			"the overage of an app suspended on the last day is not 29/31, half up to 8 places");

	begin_with(&cards.cn, "2022-12-01", "pro");
	upgrade("2023-01-31", "flagship")->has_paid = true;
	use("2023-01-01", USAGE_DAU, 10001);
	bill_is("2023-01", "plan_upgrade flagship 304-0=304 304*2000=0\ndau_overage flagship 10001-10000=1 1*1000=1000\n"
			"total 1000\n", "the month is not rated on the plan of its last counting day");
}

static void
test_month_users(void)
{
	begin_with(&cards.intl, "2022-12-26", "standard");
	app.month_users = 10000;
	use("2023-01-05", USAGE_DAU, 9000);
	bill_is("2023-01", "mau_overage standard 10000-10000=0 0*0.015=0\ntotal 0\n",
			"the quota of month users is charged");
	app.month_users = 10001;
	bill_is("2023-01", "mau_overage standard 10001-10000=1 1*0.015=0.015\ntotal 0.02\n",
			"one user over the quota does not cost 0.015, or the total is not rounded half up");
	app.month_users = 0;
	bill_is("2023-01", "total 0\n", "a month without users has a line");
}

static void
test_purchases(void)
{
	begin_with(&cards.cn, "2023-12-31", "pro");
	buy("2024-01-01", "plan", "pro", 1);
	bill_is("2023-12", "plan pro 12-0=12 12*999=11988\ntotal 11988\n", "a purchase is priced by a later version");
	bill_is("2024-01", "plan pro 1-0=1 1*1499=1499\ntotal 1499\n", "a renewal is not priced by its own day's version");
	is(line_days("2024-01", 0), "2024-01-01 2024-12-31 2025-01-31",
	   "a renewal is not due on its day, or its term is not that behind the first");
	buy_paid("2024-01-02", "plan", "pro", 3, "4000.005");
	bill_is("2024-01", "plan pro 1-0=1 1*1499=1499\nplan pro 3-0=3 3*1499=4000.005\ntotal 5499.01\n",
			"an agreed price is not the amount, or is rounded on its line");

	begin(&cards.cn);
	buy("2023-01-31", "plan", "pro", 1);
	buy("2023-01-31", "call", "advanced", 3);
	buy("2023-01-31", "local_moderation", "", 2);
	buy_packs("2023-01-31", "year_small", 3);
	bill_is("2023-01", "plan pro 1-0=1 1*999=999\ncall advanced 3-0=3 3*1000=3000\n"
			"local_moderation 2-0=2 2*1000=2000\nmoderation_pack year_small 3-0=3 3*9500=28500\ntotal 34499\n",
			"a prepaid item is not due for all its months on its day");
	is(line_days("2023-01", 1), "2023-01-31 2023-01-31 2023-04-30", "three months from Jan 31 do not end on Apr 29");
	is(line_days("2023-01", 3), "2023-01-31 2023-01-31 2024-01-31", "a year's pack does not run for a year");
	bill_is("2023-02", "total 0\n", "a purchase is charged in a second month");
}

/* history_storage: charged whole by the calendar month (R4). */
static void
test_history(void)
{
	begin_with(&cards.cn, "2022-12-01", "pro");
	switch_on("2023-01-31", "history_storage", "30d");
	bill_is("2022-12", "plan pro 12-0=12 12*999=11988\ntotal 11988\n", "history is charged before it was on");
	bill_is("2023-01", "history_storage 30d 1-0=1 1*500=500\ntotal 500\n", "a month in which history was on for a day is not charged whole");
	switch_off("2023-02-01", "history_storage");
	bill_is("2023-02", "history_storage 30d 1-0=1 1*500=500\ntotal 500\n", "the day of switching off does not count as on");
	bill_is("2023-03", "total 0\n", "history is charged after it was off");
	is(line_days("2023-02", 0), "2023-03-01 2023-02-01 2023-03-01", "history is not due on the 1st of the next month");
	switch_on("2023-03-05", "history_storage", "90d");
	switch_on("2023-03-05", "history_storage", "360d");
	bill_is("2023-03", "history_storage 360d 1-0=1 1*2500=2500\ntotal 2500\n", "the dearest option of the month is not charged");
	switch_on("2023-04-30", "history_storage", "30d");
	switch_off("2023-04-30", "history_storage");
	bill_is("2023-04", "history_storage 360d 1-0=1 1*2500=2500\ntotal 2500\n", "a switch on the last day has 360d for the price of 30d");
	bill_is("2023-05", "total 0\n", "history is charged after it was off on the last day");
	switch_on("2023-05-31", "history_storage", "360d");
	switch_on("2023-06-01", "history_storage", "90d");
	bill_is("2023-06", "history_storage 360d 1-0=1 1*2500=2500\ntotal 2500\n",
			"the day on which an option gives way to another does not count as on, as that of switching off does");
	bill_is("2023-07", "history_storage 90d 1-0=1 1*1000=1000\ntotal 1000\n", "an option counts in the month after it gave way");

	/* all at the prices of the plan of the last day on; what that plan does not sell takes no part */
	begin_with(&cards.cn, "2022-12-01", "pro");
	switch_on("2023-01-01", "history_storage", "30d");
	switch_on("2023-01-10", "history_storage", "90d");
	upgrade("2023-01-20", "flagship")->has_paid = true;
	bill_is("2023-01", "plan_upgrade flagship 315-0=315 315*2000=0\nhistory_storage 90d 1-0=1 1*500=500\ntotal 500\n",
			"30d, which flagship does not sell, takes part, or prices are not flagship's");

	begin_with(&cards.cn, "2022-12-01", "pro");
	switch_on("2023-01-01", "history_storage", "30d");
	upgrade("2023-01-20", "flagship")->has_paid = true;
	bill_is("2023-01", "plan_upgrade flagship 315-0=315 315*2000=0\nhistory_storage 30d 1-0=1 1*500=500\ntotal 500\n",
			"30d is not charged by pro for the days before the upgrade");
	bill_is("2023-02", "total 0\n", "an option that flagship does not sell counts as on");

	begin_with(&cards.cn, "2022-12-01", "pro");
	switch_on("2023-01-01", "history_storage", "90d");
	upgrade("2023-01-31", "flagship")->has_paid = true;
	bill_is("2023-01", "plan_upgrade flagship 304-0=304 304*2000=0\nhistory_storage 90d 1-0=1 1*500=500\ntotal 500\n",
			"history is not priced by the plan of the last day it was on");
}

static void
test_history_service(void)
{
	begin(&cards.cn);
	switch_on("2022-12-01", "history_storage", "30d");
	bill_is("2022-12", "total 0\n", "history counts as on on trial");
	buy("2022-12-04", "plan", "pro", 1);
	bill_is("2023-01", "history_storage 30d 1-0=1 1*500=161.29032258\ntotal 161.29\n",
			"history of an app that stopped on the 11th is not charged 10/31");
	bill_is("2023-02", "total 0\n", "history is charged while the app is stopped");

	begin_with(&cards.cn, "2022-12-01", "pro");
	switch_on("2022-12-01", "history_storage", "30d");
	suspend("2023-01-01", "2023-02-01");
	bill_is("2023-01", "total 0\n", "history is charged in a month without a day in service");
}

/* Packs of call minutes: whole minutes, class by class, anew each month (R5). */
static void
test_calls(void)
{
	begin(&cards.cn);
	use("2023-01-05", USAGE_CALL_AUDIO, 1000);
	use("2023-01-05", USAGE_CALL_SD, 1000);
	use("2023-01-06", USAGE_CALL_HD, 1000);
	use("2023-01-07", USAGE_CALL_FHD, 1);
	bill_is("2023-01", "call_minutes audio 1000-0=1000 1000*0.007=7\ncall_minutes sd 1000-0=1000 1000*0.014=14\n"
			"call_minutes hd 1000-0=1000 1000*0.028=28\ncall_minutes fhd 1-0=1 1*0.105=0.105\ntotal 49.11\n",
			"an app on trial without the add-on does not pay all its minutes");

	begin_with(&cards.cn, "2022-12-01", "pro");
	buy("2023-01-10", "call", "basic", 2);
	use("2023-01-09", USAGE_CALL_AUDIO, 1);
	use("2023-01-10", USAGE_CALL_FHD, 7334);
	use("2023-01-11", USAGE_CALL_AUDIO, 2);
	use("2023-01-11", USAGE_CALL_SD, 2);
	use("2023-01-12", USAGE_CALL_AUDIO, 2);
	bill_is("2023-01", "call basic 2-0=2 2*500=1000\ncall_minutes audio 5-3=2 2*0.007=0.014\n"
			"call_minutes sd 2-1=1 1*0.014=0.014\ncall_minutes fhd 7334-7333=1 1*0.105=0.105\ntotal 1000.13\n",
			"the pack's last minutes are not given out class by class, whole, from the purchase day on");
	use("2023-02-09", USAGE_CALL_AUDIO, 1);
	use("2023-02-10", USAGE_CALL_AUDIO, 110001);
	use("2023-03-09", USAGE_CALL_AUDIO, 1);
	use("2023-03-10", USAGE_CALL_SD, 1);
	bill_is("2023-02", "call_minutes audio 110002-110000=2 2*0.007=0.014\ntotal 0.01\n",
			"the pack does not count anew from the first day of the second term month");
	bill_is("2023-03", "call_minutes audio 1-0=1 1*0.007=0.007\ncall_minutes sd 1-0=1 1*0.014=0.014\ntotal 0.02\n",
			"a pack carries over, or the term outlives its two months");
}

static void
test_call_packs_together(void)
{
	int64_t		first;

	begin_with(&cards.cn, "2022-12-01", "pro");
	first = buy("2023-01-10", "call", "basic", 1);
	use("2023-01-10", USAGE_CALL_AUDIO, 12);
	use("2023-01-10", USAGE_CALL_FHD, 2601);
	refund_of("2023-01-20", first);
	buy("2023-01-20", "call", "basic", 1);
	use("2023-01-20", USAGE_CALL_HD, 1);
	use("2023-01-20", USAGE_CALL_FHD, 1);
	use("2023-01-20", USAGE_CALL_AUDIO, 0);
	use("2023-01-21", USAGE_CALL_AUDIO, 109985);
	use("2023-01-22", USAGE_CALL_AUDIO, 1);
	/* 11 days of 31 leave 39032, of which 5 are left: hd takes 4, fhd does not fit and takes 15 of the second */
	bill_is("2023-01", "call basic 1-0=1 1*500=500\ncall basic 1-0=1 1*500=500\n"
			"call_minutes audio 109998-109997=1 1*0.007=0.007\ncall_minutes hd 1-1=0 0*0.028=0\n"
			"call_minutes fhd 2602-2602=0 0*0.105=0\nrefund call 1-0=1 1*-322.58=-322.58\ntotal 677.43\n",
			"a minute is split over two packs, or the pack that ends first is not taken first");

	begin(&cards.cn);
	buy("2022-12-04", "plan", "pro", 1);
	buy("2022-12-04", "call", "basic", 2);
	use("2023-01-10", USAGE_CALL_AUDIO, 5);
	use("2023-01-11", USAGE_CALL_AUDIO, 7);
	bill_is("2023-01", "call_minutes audio 5-5=0 0*0.007=0\ntotal 0\n", "calls of a stopped app are billed (R7)");
}

/* A refund shortens a pack from its own day on; what was taken before stands. */
static void
test_call_packs_refunded(void)
{
	static CardAddon addons[2];
	static AddonMinutes minutes[] = {{"basic", 60}};
	static Card card;
	static CardVersion version;
	CardHistory history = {"two", 1, &version};
	int64_t		refunded;

	card = cn;
	addons[0] = (CardAddon) {.name = "call", .postpaid = false, .nprices = 6, .prices = call_prices, .nminutes = 1, .minutes = minutes};
	addons[1] = (CardAddon) {.name = "call too", .postpaid = false, .nprices = 6, .prices = call_prices, .nminutes = 1, .minutes = minutes};
	card.addons = addons;
	card.naddons = LENGTH(addons);
	version = (CardVersion) {day_of("2019-12-10"), &card};
	begin_with(&history, "2023-02-01", "pro");
	buy("2023-03-10", "call too", "basic", 1);
	refunded = buy("2023-03-15", "call", "basic", 1);
	use("2023-03-20", USAGE_CALL_AUDIO, 40);
	refund_of("2023-04-01", refunded);
	use("2023-04-05", USAGE_CALL_AUDIO, 40);
	bill_is("2023-04", "call_minutes audio 40-20=20 20*0.007=0.14\n"
			"refund call 1-0=1 1*-209.68=-209.68\ntotal -209.54\n",
			"a later refund changes from which pack earlier days took");
}

/*
 * A refund leaves the share of the days used of the minutes of its term month,
 * and what was used beyond is postpaid in the month in which it was used.
 */
static void
test_call_minutes_given_back(void)
{
	int64_t		first;

	begin_with(&cards.cn, "2022-12-01", "pro");
	first = buy("2023-01-10", "call", "premium", 1);
	use("2023-01-10", USAGE_CALL_AUDIO, 12259);
	refund_of("2023-01-10", first)->day += 10;
	bill_is("2023-01", "call premium 1-0=1 1*1500=1500\ncall_minutes audio 12259-12259=0 0*0.007=0\n"
			"refund call 1-0=1 1*-967.74=-967.74\ntotal 532.26\n", "what the days used bring is not covered");
	use("2023-01-11", USAGE_CALL_AUDIO, 122580);
	/* floor(380000 * 11 / 31) = 134838 */
	bill_is("2023-01", "call premium 1-0=1 1*1500=1500\ncall_minutes audio 134839-134838=1 1*0.007=0.007\n"
			"refund call 1-0=1 1*-967.74=-967.74\ntotal 532.27\n", "a refund leaves more than floor(minutes * days used / days)");

	begin_with(&cards.cn, "2022-12-01", "pro");
	first = buy("2023-01-10", "call", "premium", 1);
	use("2023-01-10", USAGE_CALL_AUDIO, 100);
	refund_of("2023-01-14", first);
	bill_is("2023-01", "call premium 1-0=1 1*1500=1500\ncall_minutes audio 100-0=100 100*0.007=0.7\n"
			"refund call 1-0=1 1*-1500=-1500\ntotal 0.7\n", "minutes stay though everything was given back");

	/* the second month of a term of three: the first keeps its minutes, the third never was */
	begin_with(&cards.cn, "2022-12-01", "pro");
	first = buy("2023-01-10", "call", "basic", 3);
	use("2023-02-09", USAGE_CALL_AUDIO, 110001);
	use("2023-02-10", USAGE_CALL_AUDIO, 50000);
	refund_of("2023-02-10", first);
	use("2023-02-11", USAGE_CALL_AUDIO, 1);
	/* floor(110000 * 1 / 28) = 3928 */
	bill_is("2023-02", "call_minutes audio 160002-113928=46074 46074*0.007=322.518\n"
			"refund call 1-0=1 1*-982.14=-982.14\ntotal -659.62\n", "a refund does not leave a day's share of its own term month");

	begin_with(&cards.cn, "2022-12-01", "pro");
	first = buy("2023-01-10", "call", "basic", 1);
	use("2023-01-10", USAGE_CALL_AUDIO, 110000);
	refund_of("2023-02-09", first);
	bill_is("2023-01", "call basic 1-0=1 1*500=500\ncall_minutes audio 110000-110000=0 0*0.007=0\ntotal 500\n",
			"a refund on the last day of the term month takes minutes");
}

/* The term month began in the month before: that one's bill changes, as drift where it is closed. */
static void
test_call_minutes_given_back_later(void)
{
	int64_t		first,
				plan;

	begin_with(&cards.cn, "2022-12-01", "pro");
	first = buy("2023-01-20", "call", "basic", 2);
	use("2023-01-21", USAGE_CALL_AUDIO, 60000);
	use("2023-02-03", USAGE_CALL_AUDIO, 1000);
	bill_is("2023-01", "call basic 2-0=2 2*500=1000\ncall_minutes audio 60000-60000=0 0*0.007=0\ntotal 1000\n",
			"minutes are short without a refund");
	refund_of("2023-02-02", first);
	/* floor(110000 * 14 / 31) = 49677 */
	bill_is("2023-01", "call basic 2-0=2 2*500=1000\ncall_minutes audio 60000-49677=10323 10323*0.007=72.261\ntotal 1072.26\n",
			"what was used beyond is not postpaid in its own month");
	bill_is("2023-02", "call_minutes audio 1000-0=1000 1000*0.007=7\nrefund call 1-0=1 1*-774.19=-774.19\ntotal -767.19\n",
			"the month of the refund has minutes of it");

	/* only the term month of the refund */
	begin_with(&cards.cn, "2022-12-01", "pro");
	first = buy("2023-01-20", "call", "basic", 3);
	use("2023-01-21", USAGE_CALL_AUDIO, 110000);
	use("2023-02-20", USAGE_CALL_AUDIO, 110000);
	refund_of("2023-03-01", first);
	bill_is("2023-01", "call basic 3-0=3 3*500=1500\ncall_minutes audio 110000-110000=0 0*0.007=0\ntotal 1500\n",
			"a term month that was over loses minutes");
	/* floor(110000 * 10 / 28) = 39285 */
	bill_is("2023-02", "call_minutes audio 110000-39285=70715 70715*0.007=495.005\ntotal 495.01\n",
			"the term month of the refund keeps its minutes in the month before");

	/* everything back from the month before, unless an earlier refund had it */
	begin_with(&cards.cn, "2022-12-01", "pro");
	first = buy("2023-01-30", "call", "basic", 1);
	use("2023-01-31", USAGE_CALL_AUDIO, 20000);
	refund_of("2023-02-03", first);
	bill_is("2023-01", "call basic 1-0=1 1*500=500\ncall_minutes audio 20000-0=20000 20000*0.007=140\ntotal 640\n",
			"minutes stay in the month before though everything was given back");
	app.norders--;
	plan = buy("2023-02-01", "group_members", "", 1);
	refund_of("2023-02-01", plan);
	refund_of("2023-02-03", first);
	/* floor(110000 * 5 / 29), January 30 through February 27 */
	bill_is("2023-01", "call basic 1-0=1 1*500=500\ncall_minutes audio 20000-18965=1035 1035*0.007=7.245\ntotal 507.25\n",
			"a refund between is not seen from the month before");
	refund_of("2023-02-04", 99);
	bill_is("2023-01", "call basic 1-0=1 1*500=500\ncall_minutes audio 20000-18965=1035 1035*0.007=7.245\ntotal 507.25\n",
			"an order that the rules forbid fails the bill of the month before");
}

/* Cloud moderation (R6). */
static void
test_deductions(void)
{
	begin(&cards.cn);
	use("2023-01-05", USAGE_TEXT, 10);
	use("2023-01-05", USAGE_IMAGE, 10);
	use("2023-01-05", USAGE_AUDIO_HALF, 5);
	bill_is("2023-01", "total 0\n", "moderation is billed though it never was on");
	switch_on("2023-01-05", "moderation", "");
	bill_is("2023-01", "moderation 54-0=54 54*0.001=0.054\ntotal 0.05\n", "the price page's example is not 54, or the day of switching on is off");
	use("2023-01-06", USAGE_VIDEO_HALF, 1);
	switch_off("2023-01-06", "moderation");
	use("2023-01-07", USAGE_TEXT, 1000);
	bill_is("2023-01", "moderation 82-0=82 82*0.001=0.082\ntotal 0.08\n",
			"half a minute of video is not 28, the day of switching off is off, or the day after is on");
	suspend("2023-01-06", "2023-01-07");
	bill_is("2023-01", "moderation 54-0=54 54*0.001=0.054\ntotal 0.05\n", "checks on a suspended day are billed (R7)");
}

static void
test_packs(void)
{
	begin(&cards.cn);
	switch_on("2023-01-01", "moderation", "");
	use("2023-01-09", USAGE_TEXT, 1);
	buy_packs("2023-01-10", "month", 1);
	use("2023-01-10", USAGE_TEXT, 1099998);
	use("2023-01-10", USAGE_IMAGE, 3);
	use("2023-01-11", USAGE_IMAGE, 1);
	bill_is("2023-01", "moderation_pack month 1-0=1 1*1050=1050\n"
			"moderation 1100001.6-1100000=1.6 1.6*0.001=0.0016\ntotal 1050\n",
			"a pack's last 0.05 is not taken, or the pack covers the day before it");

	begin(&cards.cn);
	switch_on("2023-01-01", "moderation", "");
	buy_packs("2023-01-01", "year_small", 1);
	buy_packs("2023-01-02", "month", 2);
	use("2023-01-02", USAGE_TEXT, 2200000);
	use("2023-02-02", USAGE_TEXT, 10000001);
	bill_is("2023-02", "moderation 10000001-10000000=1 1*0.001=0.001\ntotal 0\n",
			"the pack that ends first is not taken first, or one of two packs is not used");
	app.nfigures = 0;
	use("2023-02-01", USAGE_TEXT, 1);
	use("2023-12-31", USAGE_TEXT, 10000001);
	use("2024-01-01", USAGE_TEXT, 1);
	bill_is("2023-12", "moderation 10000001-10000000=1 1*0.001=0.001\ntotal 0\n",
			"what is left of a pack at its end does not lapse, or the last day of a pack is not covered");
	bill_is("2024-01", "moderation 1-0=1 1*0.001=0.001\ntotal 0\n", "a pack covers the day after its last");
}

/* What each pack gave on a day, as "order:taken/left ...". */
static void
print_packs(void *arg, const ModerationDay *day, const PackList *packs)
{
	char	   *buf = arg;

	if (day->deductions == 0)
		return;
	for (int i = 0; i < packs->npacks; i++)
		sprintf(buf + strlen(buf), "%lld:%lld/%lld ", (long long) packs->packs[i]->term->order->order_id,
				(long long) (packs->packs[i]->taken / AMOUNT_ONE), (long long) (packs->packs[i]->left / AMOUNT_ONE));
}

static void
test_statement(void)
{
	char		buf[500] = "";

	begin(&cards.cn);
	buy_packs("2023-01-01", "year_small", 1);
	buy_packs("2023-01-05", "month", 1);
	buy_packs("2023-01-05", "month", 1);
	switch_on("2023-01-05", "moderation", "");
	use("2023-01-06", USAGE_TEXT, 1200000);
	if (TRY_CORE(&app.test))
		moderation_days(compute_bill(month_of("2023-01"), false, app.cards), print_packs, buf);
	is(buf, "2:1100000/0 3:100000/1000000 1:0/10000000 ",
	   "packs are not taken by earliest end, then earliest purchase");
}

static void
test_upgrade_fee(void)
{
	begin_with(&cards.cn, "2023-01-01", "pro");
	upgrade("2023-05-02", "flagship");
	bill_is("2023-05", "plan_upgrade flagship 244-0=244 244*2000=16043.84\ntotal 16043.84\n",
			"R8's check: 2000 * 244 / (365/12) is not 16043.84");
	is(line_days("2023-05", 0), "2023-05-02 2023-05-02 2024-01-01", "an upgrade is not due on its day, to the end day");

	begin_with(&cards.cn, "2023-01-31", "pro");
	buy("2023-02-01", "plan", "pro", 12);
	upgrade("2024-01-31", "flagship");
	bill_is("2024-01", "plan_upgrade flagship 366-0=366 366*1500=18049.32\ntotal 18049.32\n",
			"the fee does not reach to the end of queued renewals, or is not at the prices of its day");

	begin_with(&cards.cn, "2023-01-01", "pro");
	upgrade("2023-05-02", "flagship")->has_paid = true;
	order_of(2)->paid = PRICE("0.001");
	bill_is("2023-05", "plan_upgrade flagship 244-0=244 244*2000=0.001\ntotal 0\n", "an agreed fee is not the amount");

	begin_with(&cards.cn, "2023-01-01", "pro");
	upgrade("2023-05-02", "flagship");
	cn_plans[2].price = PRICE("998");
	is(bill_text("2023-05", false, app.cards), "plan_upgrade flagship 244-0=244 244*-1=0\ntotal 0\n",
	   "an upgrade to a cheaper plan has a fee below 0");
	cn_plans[2].price = PRICE("6999");
	order_of(2)->day = day_of("2023-12-08");
	is(bill_text("2023-12", false, app.cards), "plan_upgrade flagship 24-0=24 24*6000=4734.25\ntotal 4734.25\n",
	   "R8's check: 6000 * 24 / (365/12) is not 4734.25");
	cn_plans[2].price = PRICE("2999");
}

/* The last line of a bill. */
static const char *
last_line(const char *month)
{
	static char buf[300];
	const Bill *bill;

	if (!TRY_CORE(&app.test))
		return app.test.problem.message;
	bill = compute_bill(month_of(month), false, app.cards);
	buf[0] = '\0';
	if (bill->nlines > 0)
		print_line(buf, sizeof(buf), &bill->lines[bill->nlines - 1]);
	return buf;
}

static void
refund_is(const char *day, int64_t order_id, const char *back, const char *why)
{
	char		expected[100];
	const char *item = order_of(order_id)->item;

	refund_of(day, order_id);
	snprintf(expected, sizeof(expected), "refund %s 1-0=1 1*%s=%s\n", item, back, back);
	is(last_line(day), expected, why);
}

static void
test_refunds(void)
{
	int64_t		plan = begin_with(&cards.cn, "2023-01-01", "pro");

	refund_is("2023-01-05", plan, "-11988", "the first refund on the 5th day does not give everything back");
	is(line_days("2023-01", 1), "2023-01-05 2023-01-01 2024-01-01", "a refund is not due on its day, for the refunded term");
	plan = buy("2023-01-05", "plan", "pro", 1);
	refund_is("2023-01-05", plan, "-966.77", "a second refund of an app gives everything back");

	plan = begin_with(&cards.cn, "2023-01-01", "pro");
	refund_is("2023-01-06", plan, "-11794.65", "a refund on the 6th day does not charge six days of 31");

	begin(&cards.cn);
	plan = buy("2023-01-31", "plan", "pro", 3);
	refund_is("2023-02-27", plan, "-1998", "a month used whole does not cost its price");
	app.norders--;
	refund_is("2023-02-28", plan, "-1965.77", "a started day of the second term month does not cost 999/31");
	app.norders--;
	refund_is("2023-04-29", plan, "0", "a term used whole has something left, or a refund of 0 no line");

	begin(&cards.cn);
	plan = buy_paid("2023-01-01", "plan", "pro", 3, "1000");
	refund_is("2023-01-31", plan, "-666.67", "an agreed price is not used up by its own monthly share");

	begin_with(&cards.cn, "2022-12-01", "pro");
	plan = buy("2023-01-10", "call", "premium", 2);
	refund_is("2023-02-10", plan, "-1446.43", "an add-on's refund is not its price less a month and a day of 28");
	begin(&cards.cn);
	plan = buy("2023-01-10", "local_moderation", "", 1);
	refund_is("2023-02-09", plan, "0", "local moderation used whole is refunded");
}

static void
test_upgraded_refunds(void)
{
	int64_t		plan = begin_with(&cards.cn, "2023-01-01", "pro"),
				renewal;

	upgrade("2023-05-02", "flagship");
	refund_is("2023-05-31", plan, "-21101.36", "an upgraded plan is not paid with its fee and used at two prices");

	begin(&cards.cn);
	plan = buy("2023-01-01", "plan", "pro", 1);
	renewal = buy("2023-01-01", "plan", "pro", 1);
	upgrade("2023-01-11", "flagship");
	bill_is("2023-01", "plan pro 1-0=1 1*999=999\nplan pro 1-0=1 1*999=999\n"
			"plan_upgrade flagship 49-0=49 49*2000=3221.92\ntotal 5219.92\n", "an upgrade over a renewal is charged otherwise");
	/* 28 of the 49 days are the renewal's: 999 + 3221.92 * 28 / 49 */
	refund_is("2023-01-12", renewal, "-2840.1", "a term not begun does not come back with its share of the fee");
	/* 999 + 3221.92 * 21 / 49 less 10 days of 999 and 2 days of 2999, over 31 */
	refund_is("2023-01-12", plan, "-1864.08", "the running term does not come back with its share of the fee");

	begin(&cards.cn);
	plan = buy_paid("2023-01-01", "plan", "pro", 1, "0");
	upgrade("2023-01-11", "flagship")->has_paid = true;
	refund_is("2023-01-12", plan, "0", "a refund takes money where more was used than paid");

	begin(&cards.cn);
	plan = buy("2023-01-01", "plan", "pro", 1);
	upgrade("2023-01-02", "flagship");
	refund_is("2023-01-03", plan, "-2971.6", "everything back leaves the upgrade fee");
}

/* A refund in the month of the renewal that it annuls. */
static void
test_annulled(void)
{
	int64_t		first,
				second;

	begin_with(&cards.cn, "2022-12-01", "pro");
	first = buy("2023-01-10", "call", "basic", 1);
	second = buy("2023-01-11", "call", "basic", 1);
	refund_is("2023-01-20", second, "-500", "a term not yet begun does not come back whole after the 5th day");
	use("2023-02-10", USAGE_CALL_AUDIO, 1);
	bill_is("2023-02", "call_minutes audio 1-0=1 1*0.007=0.007\ntotal 0.01\n", "an annulled term brings a pack");
	buy("2023-01-20", "call", "basic", 1);
	bill_is("2023-02", "call_minutes audio 1-1=0 0*0.007=0\ntotal 0\n",
			"a purchase after an annulled renewal does not continue from the term that runs");
	refund_of("2023-01-21", first);
	refused("A later term", "a term is refunded though a renewal stands");
}

/* Versions and errors of R9. */
static void
test_versions(void)
{
	begin(&cards.late);
	is(bill_text("2023-02", false, app.cards), "rate card \"late\" has no version in force on 2023-02-28",
	   "a month that no version rates is billed");
	use("2023-03-14", USAGE_CALL_AUDIO, 100);
	use("2023-03-14", USAGE_DAU, 50000);
	use("2023-03-15", USAGE_CALL_AUDIO, 7);
	bill_is("2023-03", "call_minutes audio 7-0=7 7*0.007=0.049\ntotal 0.05\n",
			"the first version does not rate the month in which it starts, or days before it are charged");
	buy("2023-03-20", "plan", "pro", 2);
	use("2023-03-31", USAGE_DAU, 20001);
	bill_is("2023-03", "plan pro 2-0=2 2*999=1998\ndau_overage pro 20001-10000=10001 2*1000=2000\n"
			"call_minutes audio 7-0=7 7*0.007=0.049\ntotal 3998.05\n", "usage before the first version counts towards a peak");
	use("2023-04-05", USAGE_DAU, 10001);
	bill_is("2023-04", "dau_overage pro 10001-10000=1 1*1000=1000\ntotal 1000\n", "the month after the first version is not billed");

	begin_with(&cards.intl, "2023-01-01", "standard");
	is(bill_text("2022-11", false, app.cards), "rate card \"intl\" has no version in force on 2022-11-30",
	   "a month before the card is billed");
}

static void
test_order_of_lines(void)
{
	begin(&cards.cn);
	switch_on("2023-01-01", "moderation", "");
	buy_packs("2023-01-03", "month", 1);
	buy("2023-01-03", "local_moderation", "", 1);
	buy("2023-01-03", "plan", "pro", 1);
	switch_on("2023-01-03", "history_storage", "30d");
	buy("2023-01-04", "group_members", "", 1);
	buy("2023-01-04", "avchatroom", "", 1);
	buy("2023-01-04", "avchatroom", "", 2);
	refund_of("2023-01-05", 8);
	upgrade("2023-01-05", "flagship");
	use("2023-01-06", USAGE_DAU, 1);
	use("2023-01-06", USAGE_GROUPS, 1);
	use("2023-01-06", USAGE_TEXT, 1);
	use("2023-01-06", USAGE_CALL_FHD, 1);
	use("2023-01-06", USAGE_CALL_AUDIO, 1);
	bill_is("2023-01",
			"plan pro 1-0=1 1*999=999\n"
			"plan_upgrade flagship 29-0=29 29*2000=1906.85\n"
			"dau_overage flagship 1-10000=0 0*1000=0\n"
			"group_overage flagship 1-100000=0 0*1000=0\n"
			"avchatroom 1-0=1 1*1000=1000\n"
			"avchatroom 2-0=2 2*1000=2000\n"
			"group_members 1-0=1 1*500=500\n"
			"history_storage 30d 1-0=1 1*500=500\n"
			"call_minutes audio 1-0=1 1*0.007=0.007\n"
			"call_minutes fhd 1-0=1 1*0.105=0.105\n"
			"local_moderation 1-0=1 1*1000=1000\n"
			"moderation_pack month 1-0=1 1*1050=1050\n"
			"moderation 1-1=0 0*0.001=0\n"
			"refund avchatroom 1-0=1 1*-2000=-2000\n"
			"total 6955.96\n", "the lines are in another order");
}

/* Two lines whose sum is the largest Amount there is. */
static const char *
largest_total(void)
{
	const Amount largest = (Amount) (((unsigned __int128) 1 << 127) - 1),
				price = PRICE("999999999999.99999999");
	int64_t		blocks = (int64_t) (largest / price);
	const char *text;

	begin_with(&cards.cn, "2022-12-01", "pro");
	price_usage(&cn_plans[1], METER_DAU, block_charge(0, 1, price));
	price_usage(&cn_plans[1], METER_GROUPS, block_charge(0, 1, largest - blocks * price));
	use("2023-01-06", USAGE_DAU, blocks);
	use("2023-01-06", USAGE_GROUPS, 1);
	text = bill_text("2023-01", false, app.cards);
	cn_plans[1] = paid_plan("pro", 1, "999");
	return text;
}

static void
test_totals(void)
{
	int64_t		plan = begin_with(&cards.cn, "2022-12-31", "pro");

	switch_on("2022-12-31", "moderation", "");
	use("2023-01-06", USAGE_TEXT, 15);
	refund_of("2023-01-06", plan);
	/* 11988 less 7 days of 31 at 999 is 11762.419, so the sum is -11762.405 */
	bill_is("2023-01", "moderation 15-0=15 15*0.001=0.015\nrefund plan 1-0=1 1*-11762.42=-11762.42\n"
			"total -11762.41\n", "a negative total is not rounded half away from zero");

	is(largest_total(), "a figure of the bill is too large", "a total wraps around when it is rounded");
}

static void
test_preview(void)
{
	begin_with(&cards.cn, "2022-12-01", "pro");
	buy("2022-12-02", "call", "basic", 1);
	buy("2022-12-03", "local_moderation", "", 1);
	buy_packs("2022-12-03", "month", 1);
	switch_on("2022-12-03", "history_storage", "30d");
	switch_on("2022-12-03", "moderation", "");
	upgrade("2022-12-04", "flagship");
	refund_of("2022-12-05", 2);
	use("2022-12-06", USAGE_TEXT, 5);
	use("2022-12-06", USAGE_DAU, 5);
	is(bill_text("2022-12", true, &cards.intl), "rate card \"intl\" has no version in force on 2022-12-01",
	   "a preview invents a version");
	intl_versions[0].from = CAL_MIN_DAY;
	is(bill_text("2022-12", true, &cards.intl),
	   "plan pro 12-0=12 12*?=?\nplan_upgrade flagship 362-0=362 362*?=?\ndau_overage flagship 5-0=5 5*?=?\n"
	   "call basic 1-0=1 1*?=?\nhistory_storage 30d 1-0=1 1*?=?\nlocal_moderation 1-0=1 1*?=?\n"
	   "moderation_pack month 1-0=1 1*?=?\nmoderation ?-?=? ?*?=?\nrefund call 1-0=1 1*?=?\ntotal 0\n",
	   "what the other card lacks is not told line by line");
	intl_versions[0].from = cal_day(2022, 12, 26);

	begin_with(&cards.cn, "2022-12-01", "pro");
	is(bill_text("2022-12", true, &cards.cn24), "plan pro 12-0=12 12*1499=17988\ntotal 17988\n",
	   "a preview does not price a purchase by the other card");
}

/* Usage that nobody pays, as "day kind quantity reason". */
static void
print_unbilled(void *arg, const UnbilledUsage *unbilled)
{
	char	   *buf = arg;
	char		day[CAL_TEXT_SIZE],
				quantity[AMOUNT_TEXT_SIZE];

	sprintf(buf + strlen(buf), "%s %s %s %s\n", cal_day_text(unbilled->day, day), unbilled->kind,
			amount_text(unbilled->quantity, 0, quantity), unbilled->reason);
}

static void
test_unbilled(void)
{
	char		buf[2000] = "";
	const Bill *bill;

	begin_with(&cards.cn, "2023-01-02", "pro");
	suspend("2023-01-05", "2023-01-06");
	switch_on("2023-01-03", "moderation", "");
	use("2023-01-01", USAGE_DAU, 1);
	use("2023-01-02", USAGE_AUDIO_HALF, 3);
	use("2023-01-03", USAGE_TEXT, 4);
	use("2023-01-04", USAGE_CALL_SD, 5);
	use("2023-01-05", USAGE_GROUPS, 6);
	use("2023-01-05", USAGE_CALL_SD, 7);
	if (TRY_CORE(&app.test))
	{
		bill = compute_bill(month_of("2023-01"), false, app.cards);
		unbilled_usage(bill->core, bill->account, bill->usage, print_unbilled, buf);
	}
	is(buf, "2023-01-02 audio 1.5 switched off\n2023-01-05 groups 6 suspended\n2023-01-05 call_sd 7 suspended\n",
	   "usage that no line charges is not told, or such that one charges is");
}

/* Rows of usage: which count, and which are too large. */
static void
test_usage(void)
{
	int64_t		rows[4][USAGE_FIELDS] = {{INT64_MAX, 1}, {INT64_MIN, 1}, {-3, 5}, {-2, 7}};
	Usage	   *usage;
	volatile bool too_large = true;

	begin(&cards.cn);
	usage = usage_open(&app.test.core, -3, 0);
	usage_give(&app.test.core, usage, rows[2], NULL, 1);
	usage_add(&app.test.core, usage, rows[0], 4);
	is_int(usage_on(usage, -3, USAGE_DAU), 5, "metered figures add to a given day, or rows of far days wrap into the span");
	is_int(usage_on(usage, -2, USAGE_DAU), 7, "a metered figure is lost");
	is_int(usage_on(usage, -1, USAGE_DAU) + usage_on(usage, 0, USAGE_DAU) + usage_on(usage, -4, USAGE_DAU), 0,
		   "a day without rows has usage");
	rows[3][USAGE_DAU] = INT64_MAX;
	if (TRY_CORE(&app.test))
	{
		usage_add(&app.test.core, usage, rows[3], 1);
		too_large = false;
	}
	ok(too_large && app.test.problem.code == PROBLEM_RANGE, "the usage of a day wraps around");

	usage = usage_open(&app.test.core, -3, 0);
	usage_give(&app.test.core, usage, rows[2], &(GivenFigures) {GIVEN(USAGE_DAU)}, 1);
	usage_add(&app.test.core, usage, (int64_t[USAGE_FIELDS]) {-3, 100, 4}, 1);
	is_int(usage_on(usage, -3, USAGE_DAU), 5, "a metered figure adds to a given one");
	is_int(usage_on(usage, -3, USAGE_GROUPS), 4, "a figure that was not given takes no metered one");
}

int
main(void)
{
	make_cards();
	test_peaks();
	test_counting_days();
	test_month_users();
	test_purchases();
	test_history();
	test_history_service();
	test_calls();
	test_call_packs_together();
	test_call_packs_refunded();
	test_call_minutes_given_back();
	test_call_minutes_given_back_later();
	test_deductions();
	test_packs();
	test_statement();
	test_upgrade_fee();
	test_refunds();
	test_upgraded_refunds();
	test_annulled();
	test_versions();
	test_order_of_lines();
	test_totals();
	test_preview();
	test_unbilled();
	test_usage();
	begin(NULL);
	return done_testing();
}
