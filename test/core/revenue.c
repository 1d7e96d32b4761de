/*
 * revenue.c
 *	  What fees have earned by the end of a month, to the last digit.
 *
 * A report is written as "month item option billed earned deferred".
 */
#include "fixture.h"

#include "core/finance/revenue.h"

typedef struct Report
{
	CalMonth	first;
	int			at;
	char		text[4000];
} Report;

static void
print_row(void *arg, const RevenueRow *row)
{
	Report	   *report = arg;
	char		month[CAL_TEXT_SIZE],
				figures[3][AMOUNT_TEXT_SIZE];

	if (row->month < report->first)
		return;
	report->at += snprintf(report->text + report->at, sizeof(report->text) - (size_t) report->at,
						   "%s %s%s%s %s %s %s\n", cal_month_text(row->month, month),
						   row->item, row->option[0] ? " " : "", row->option,
						   amount_text(row->billed, 0, figures[0]),
						   amount_text(row->earned, 0, figures[1]),
						   amount_text(row->deferred, 0, figures[2]));
}

static const char *
report_of(const char *from, const char *to)
{
	static Report report;
	Core	   *core = &app.test.core;
	CalMonth	first = month_of(from),
				last = month_of(to);
	Account    *account;
	Usage	   *usage;

	report.at = 0;
	report.first = first;
	report.text[0] = '\0';
	if (!TRY_CORE(&app.test))
		return app.test.problem.message;
	account = open_until(cal_first_day(last + 1), false, app.cards);
	usage = usage_open(core, bill_usage_since(account, first - 1), cal_first_day(last + 1));
	for (int i = 0; i < app.nfigures; i++)
	{
		int64_t		row[USAGE_FIELDS] = {app.figures[i].day};

		row[app.figures[i].field] = app.figures[i].count;
		usage_add(core, usage, row, 1);
	}
	revenue_months(core, account, usage, first, last, print_row, &report);
	return report.text;
}

static int
compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/* The lines of a report by month: the core tells fee by fee. */
static const char *
by_month(const char *report, char *text)
{
	char	   *lines[100],
				copy[4000];
	int			n = 0;

	snprintf(copy, sizeof(copy), "%s", report);
	for (char *line = strtok(copy, "\n"); line != NULL; line = strtok(NULL, "\n"))
		lines[n++] = line;
	qsort(lines, (size_t) n, sizeof(char *), compare_lines);
	text[0] = '\0';
	for (int i = 0; i < n; i++)
		strcat(strcat(text, lines[i]), "\n");
	return text;
}

static void
earns(const char *from, const char *to, const char *expected, const char *why)
{
	char		got[4000],
				wanted[4000];

	is(by_month(report_of(from, to), got), by_month(expected, wanted), why);
}

static void
test_terms(void)
{
	begin(&cards.cn);
	buy("2023-03-10", "plan", "pro", 1);
	earns("2023-02", "2023-05",
		  "2023-03 plan pro 999 708.96774193 290.03225807\n"
		  "2023-04 plan pro 0 290.03225807 0\n",
		  "22 of 31 days are not 22/31 rounded down, or the rest is not earned to the last digit");

	begin(&cards.cn);
	buy("2023-01-31", "plan", "pro", 1);
	earns("2023-01", "2023-02", "2023-01 plan pro 999 35.67857142 963.32142858\n"
		  "2023-02 plan pro 0 963.32142858 0\n", "a clamped term is not spread over its 28 days");

	begin(&cards.cn);
	buy("2023-03-01", "plan", "pro", 1);
	earns("2023-03", "2023-04", "2023-03 plan pro 999 999 0\n",
		  "a term of a whole month is not earned in it, or shows in the next");

	begin(&cards.cn);
	buy("2023-03-01", "plan", "pro", 1);
	buy("2023-03-10", "plan", "pro", 1);
	earns("2023-03", "2023-05", "2023-03 plan pro 1998 999 999\n2023-04 plan pro 0 999 0\n",
		  "a queued renewal is earned before it begins");
	earns("2023-04", "2023-04", "2023-04 plan pro 0 999 0\n",
		  "a report that begins later forgets what was deferred before");
}

/* Bought in the grace the term lies partly in the past: it catches up. */
static void
test_grace(void)
{
	begin(&cards.cn);
	buy("2023-01-28", "plan", "pro", 1);
	buy("2023-03-03", "plan", "pro", 2);
	earns("2023-02", "2023-03",
		  "2023-02 plan pro 0 870.0967742 0\n"
		  "2023-03 plan pro 1998 1083.66101694 914.33898306\n",
		  "a renewal in the grace is earned before it is billed, or not from its start");
}

static void
test_other_fees(void)
{
	begin(&cards.cn);
	buy("2023-03-01", "plan", "pro", 12);
	order_of(1)->day = day_of("2022-06-01");
	buy_paid("2023-03-16", "call", "basic", 1, "61.005");
	earns("2023-03", "2023-04", "2023-03 plan pro 0 1018.15890411 2003.47397261\n"
		  "2023-03 call basic 61.005 31.48645161 29.51854839\n"
		  "2023-04 plan pro 0 985.3150685 1018.15890411\n"
		  "2023-04 call basic 0 29.51854839 0\n",
		  "a pack of minutes is not earned by day, or an agreed price is not what is spread");

	begin(&cards.cn);
	buy_paid("2023-03-31", "local_moderation", "", 1, "0.00000001");
	earns("2023-03", "2023-04", "2023-03 local_moderation 0.00000001 0 0.00000001\n"
		  "2023-04 local_moderation 0 0.00000001 0\n", "the last digit is earned early or never");

	begin(&cards.cn);
	buy_paid("2023-03-31", "local_moderation", "", 1200, "999999999999.99999999");
	earns("2023-03", "2023-03", "2023-03 local_moderation 999999999999.99999999 27379257.47453729 "
		  "999972620742.5254627\n", "the largest price over a hundred years overflows");
}

static void
test_upgrades(void)
{
	begin(&cards.cn);
	buy("2023-03-01", "plan", "pro", 1);
	buy("2023-03-01", "plan", "pro", 1);
	upgrade("2023-03-22", "flagship");
	earns("2023-03", "2023-04", "2023-03 plan pro 1998 999 999\n"
		  "2023-03 plan_upgrade flagship 2630.14 657.535 1972.605\n"
		  "2023-04 plan pro 0 999 0\n2023-04 plan_upgrade flagship 0 1972.605 0\n",
		  "an upgrade fee is not spread over the 40 days that remain");

	/* the queued term goes back whole: 30/40 of the fee is released with it */
	refund_of("2023-03-25", 2);
	earns("2023-03", "2023-04", "2023-03 plan pro 1998 1998 0\n"
		  "2023-03 plan_upgrade flagship 2630.14 2630.14 0\n"
		  "2023-03 refund plan -2971.61 -2971.61 0\n",
		  "the refund of a queued term does not release its part of the upgrade fee");
}

/* A queued term that went back before the upgrade bears nothing of it. */
static void
test_upgrade_after_refund(void)
{
	begin(&cards.cn);
	buy("2023-03-01", "plan", "pro", 1);
	buy("2023-03-01", "plan", "pro", 1);
	refund_of("2023-03-02", 2);
	buy("2023-03-03", "plan", "pro", 1);
	upgrade("2023-03-22", "flagship");
	earns("2023-03", "2023-04", "2023-03 plan pro 2997 1998 999\n"
		  "2023-03 plan_upgrade flagship 2630.14 657.535 1972.605\n"
		  "2023-03 refund plan -999 -999 0\n"
		  "2023-04 plan pro 0 999 0\n2023-04 plan_upgrade flagship 0 1972.605 0\n",
		  "an upgrade fee is earned with a term that was refunded before");
}

static void
test_refunds(void)
{
	begin(&cards.cn);
	buy("2023-03-10", "plan", "pro", 3);
	refund_of("2023-04-20", 1);
	earns("2023-03", "2023-05", "2023-03 plan pro 2997 716.67391304 2280.32608696\n"
		  "2023-04 plan pro 0 2280.32608696 0\n2023-04 refund plan -1631.7 -1631.7 0\n",
		  "a refund does not release the unearned rest");

	begin(&cards.cn);
	buy("2023-03-30", "plan", "pro", 1);
	refund_of("2023-04-01", 1);
	earns("2023-03", "2023-04", "2023-03 plan pro 999 64.4516129 934.5483871\n"
		  "2023-04 plan pro 0 934.5483871 0\n2023-04 refund plan -999 -999 0\n",
		  "what was earned and given back is not reversed");

	begin(&cards.cn);
	buy("2023-03-01", "local_moderation", "", 1);
	buy("2023-03-02", "local_moderation", "", 1);
	refund_of("2023-03-03", 2);
	buy("2023-03-04", "local_moderation", "", 1);
	earns("2023-03", "2023-04", "2023-03 local_moderation 3000 2000 1000\n"
		  "2023-03 refund local_moderation -1000 -1000 0\n2023-04 local_moderation 0 1000 0\n",
		  "a term refunded before it began stays deferred, or takes another's days");
}

static void
test_packs(void)
{
	begin(&cards.cn);
	switch_on("2023-03-01", "moderation", "");
	buy_packs("2023-03-10", "month", 1);
	use("2023-03-11", USAGE_TEXT, 210000);
	use("2023-04-09", USAGE_TEXT, 100000);
	use("2023-04-10", USAGE_TEXT, 100000);
	earns("2023-03", "2023-05", "2023-03 moderation_pack month 1050 200.45454545 849.54545455\n"
		  "2023-04 moderation_pack month 0 849.54545455 0\n",
		  "a pack is not earned as it is used, or what lapses is not earned on its end day");
	earns("2023-04", "2023-04", "2023-04 moderation_pack month 0 849.54545455 0\n",
		  "a report that begins later does not know how much of a pack was used before");

	begin(&cards.cn);
	switch_on("2023-03-01", "moderation", "");
	buy_packs("2023-03-01", "month", 2);
	use("2023-03-31", USAGE_IMAGE, 1000003);
	use("2023-04-01", USAGE_IMAGE, 1);
	earns("2023-03", "2023-04", "2023-03 moderation_pack month 2100 620.45640681 1479.54359319\n"
		  "2023-04 moderation_pack month 0 1479.54359319 0\n",
		  "two packs are not one of twice the size, or what lapses is earned before the end day");

	earns("2023-04", "2023-04", "2023-04 moderation_pack month 0 1479.54359319 0\n",
		  "a pack that ends on the first day of the report lapses whole");

	begin(&cards.cn);
	switch_on("2023-03-01", "moderation", "");
	buy_packs("2023-03-01", "year_large", 2147483647);
	use("2023-03-02", USAGE_VIDEO_HALF, 100000000000);
	earns("2023-03", "2023-03", "2023-03 moderation_pack year_large 154618822584000 "
		  "1612800000 154617209784000\n", "many packs overflow");

	/* a pack that nobody may use while the app is suspended only lapses */
	begin(&cards.cn);
	switch_on("2023-03-01", "moderation", "");
	buy_packs("2023-03-01", "month", 1);
	buy("2023-03-01", "local_moderation", "", 1);
	suspend("2023-03-02", "2023-04-30");
	use("2023-03-05", USAGE_TEXT, 1000);
	earns("2023-03", "2023-04", "2023-03 moderation_pack month 1050 0 1050\n"
		  "2023-03 local_moderation 1000 1000 0\n"
		  "2023-04 moderation_pack month 0 1050 0\n",
		  "a suspension stops a term from being earned, or usage in it takes from a pack");
}

static void
test_shares(void)
{
	Amount		huge = ((Amount) 1) << 110;

	ok(amount_share(100, 1, 3) == 33, "a share is not rounded down");
	ok(amount_share(7, 3, 3) == 7 && amount_share(7, 0, 3) == 0, "all or nothing is no whole share");
	ok(amount_share(huge - 1, huge / 2, huge) == huge / 2 - 1, "a share with a product over 128 bits is wrong");
	ok(amount_share(huge * 5 + 3, huge / 3, huge - 7) ==
	   (huge * 5 + 3) / (huge - 7) * (huge / 3) + amount_share((huge * 5 + 3) % (huge - 7), huge / 3, huge - 7),
	   "a share of more than the whole is wrong");
}

int
main(void)
{
	make_cards();
	test_terms();
	test_grace();
	test_other_fees();
	test_upgrades();
	test_upgrade_after_refund();
	test_refunds();
	test_packs();
	test_shares();
	begin(NULL);
	return done_testing();
}
