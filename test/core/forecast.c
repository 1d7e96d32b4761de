/*
 * forecast.c
 *	  What the days to come are filled with, figure by figure.
 *
 * A forecast is written as "so far low expected high".
 */
#include "fixture.h"

#include "core/finance/forecast.h"

static int64_t known_users;

static int64_t
half_at_first(void *arg, const char *meter, CalDay first, int ndays, const bool *chosen)
{
	(void) meter;
	(void) arg;
	(void) first;
	return chosen[ndays - 1] ? known_users : known_users / 2;
}

/* Days from a day on, each of the same figure; weekends apart. */
static void
fill(Usage *usage, UsageField field, const char *from, int ndays, int64_t count, int64_t weekend)
{
	for (int i = 0; i < ndays; i++)
	{
		int64_t		row[USAGE_FIELDS] = {day_of(from) + i};

		/* 2000-01-01 was a Saturday */
		row[field] = row[USAGE_DAY] % 7 < 2 ? weekend : count;
		usage_add(&app.test.core, usage, row, 1);
	}
}

static Usage *
history(const char *today)
{
	CalDay		day = day_of(today);
	Usage	   *usage = usage_open(&app.test.core, day - FORECAST_DAYS,
								   cal_first_day(cal_month_of(day) + 1));

	usage->month_users = fixture_month_users;
	return usage;
}

static const char *
forecast_text(Usage *usage, const char *today)
{
	static char text[200];
	CalDay		day = day_of(today);
	Forecast   *forecast;
	char		figures[4][AMOUNT_TEXT_SIZE];

	if (!TRY_CORE(&app.test))
		return app.test.problem.message;
	forecast = forecast_month(&app.test.core,
							  open_until(cal_first_day(cal_month_of(day) + 1), false, app.cards),
							  usage, day, half_at_first);
	snprintf(text, sizeof(text), "%s %s %s %s", amount_text(forecast->so_far, 0, figures[0]),
			 amount_text(forecast->low, 0, figures[1]), amount_text(forecast->expected, 0, figures[2]),
			 amount_text(forecast->high, 0, figures[3]));
	return text;
}

static void
test_sums(void)
{
	Usage	   *usage;

	begin(&cards.cn);
	switch_on("2022-01-01", "moderation", "");
	usage = history("2023-03-10");
	fill(usage, USAGE_TEXT, "2022-09-09", 183, 1000, 5000);
	/* through March 10: 8 weekdays, 2 weekend days; 15 and 6 to come */
	is(forecast_text(usage, "2023-03-10"), "18 63 63 63",
	   "days to come of a steady week are not filled by weekday");

	usage = history("2023-03-10");
	fill(usage, USAGE_TEXT, "2023-03-09", 2, 1000, 1000);
	is(forecast_text(usage, "2023-03-10"), "2 2 23 23",
	   "two days of a new figure are not nothing, mean and highest day to come");

	usage = history("2023-03-10");
	fill(usage, USAGE_TEXT, "2023-03-10", 1, 1000, 1000);
	is(forecast_text(usage, "2023-03-10"), "1 1 22 22", "the very first day is no mean");

	usage = history("2023-03-30");
	fill(usage, USAGE_TEXT, "2022-09-29", 183, 1000, 50000);
	is(forecast_text(usage, "2023-03-30"), "422 423 423 423",
	   "a Friday is not filled with Fridays");

	usage = history("2023-03-31");
	fill(usage, USAGE_TEXT, "2022-10-01", 182, 1000, 1000);
	is(forecast_text(usage, "2023-03-31"), "31 31 31 31", "the last day of a month has days to come");

	/* one day in three is poor, the last month is even: today is to be 0.64, 1.12 or 1.27 of 12 */
	usage = history("2023-03-31");
	for (CalDay day = usage->first; day < day_of("2023-03-31"); day++)
		usage->days[day - usage->first][USAGE_TEXT] =
			day >= day_of("2023-03-01") ? 12000 : day % 3 == 0 ? 8000 : 14000;
	is(forecast_text(usage, "2023-03-31"), "360 367.68 373.44 375.27", "expected is not the median");

	is(forecast_text(history("2023-03-10"), "2023-03-10"), "0 0 0 0", "no usage has a forecast");

	/* stopped: what is used is not billed */
	begin(&cards.cn);
	switch_on("2022-01-01", "moderation", "");
	suspend("2023-03-10", "2030-01-01");
	usage = history("2023-03-10");
	fill(usage, USAGE_TEXT, "2022-09-09", 183, 1000, 1000);
	is(forecast_text(usage, "2023-03-10"), "9 9 9 9", "a suspended app is forecast as if it ran");
}

static void
test_peaks(void)
{
	Usage	   *usage;

	begin(&cards.cn);
	buy("2022-03-01", "plan", "pro", 24);
	usage = history("2023-03-01");
	fill(usage, USAGE_DAU, "2022-08-31", 183, 9000, 15000);
	is(forecast_text(usage, "2023-03-01"), "0 1000 1000 1000", "a weekend's peak to come is not seen");
	usage = history("2023-03-07");
	fill(usage, USAGE_DAU, "2022-09-06", 183, 9000, 15000);
	is(forecast_text(usage, "2023-03-07"), "1000 1000 1000 1000", "a peak is charged twice");

	/* one day in three doubles: low is without such a day, high with it */
	usage = history("2023-03-31");
	fill(usage, USAGE_DAU, "2022-09-30", 182, 9000, 9000);
	for (CalDay day = day_of("2022-10-02"); day < day_of("2023-02-20"); day += 3)
		usage->days[day - usage->first][USAGE_DAU] = 18000;
	is(forecast_text(usage, "2023-03-31"), "0 0 0 1000", "bounds are not those of how earlier tries did");
	/* every other week is busy: a peak to come is above the mean of weeks */
	usage = history("2023-03-01");
	for (CalDay day = usage->first; day < day_of("2023-03-01"); day++)
		usage->days[day - usage->first][USAGE_DAU] = (day / 7) % 2 == 0 ? 9000 : 30000;
	is(forecast_text(usage, "2023-03-01"), "0 2000 2000 2000", "tries of a peak look at sums");
}

static void
test_users(void)
{
	Usage	   *usage;

	begin(&cards.intl);
	buy("2022-12-26", "plan", "standard", 24);
	usage = history("2023-06-15");
	fill(usage, USAGE_DAU, "2022-12-26", 172, 100, 100);
	app.month_users = 12000;
	known_users = 50000;
	is(forecast_text(usage, "2023-06-15"), "30 210 210 210",
	   "users of the month do not grow as in the months before");
	suspend("2023-06-15", "2030-01-01");
	is(forecast_text(usage, "2023-06-15"), "14 14 14 14",
	   "users of a suspended app grow");

	/* no month before: between nobody more and as many each day as so far */
	begin(&cards.intl);
	buy("2023-06-01", "plan", "standard", 24);
	usage = history("2023-06-15");
	fill(usage, USAGE_DAU, "2023-06-01", 15, 100, 100);
	app.month_users = 12000;
	known_users = 0;
	is(forecast_text(usage, "2023-06-15"), "9606 9606 9696 9786",
	   "users of a first month are not between none more and as many a day as so far");
}

static void
test_hostile(void)
{
	Usage	   *usage;

	begin(&cards.cn);
	buy("2022-03-01", "plan", "pro", 24);
	usage = history("2023-03-10");
	fill(usage, USAGE_DAU, "2022-09-09", 90, 1, 1);
	fill(usage, USAGE_DAU, "2022-12-08", 90, INT64_MAX / 2, INT64_MAX / 2);
	fill(usage, USAGE_GROUPS, "2022-09-09", 90, INT64_MAX, 1);
	fill(usage, USAGE_GROUPS, "2023-03-08", 1, INT64_MAX, 1);
	ok(strcmp(forecast_text(usage, "2023-03-10"), "") > 0, "the largest figures overflow");
}

int
main(void)
{
	make_cards();
	test_sums();
	test_peaks();
	test_users();
	test_hostile();
	begin(NULL);
	return done_testing();
}
