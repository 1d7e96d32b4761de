/*
 * forecast.c
 *	  What a month's bill will come to, from the days before and so far.
 */
#include "core/finance/forecast.h"

#include <stdlib.h>
#include <string.h>

#define MEAN_WEEKS		4
#define MEAN_DAYS		(MEAN_WEEKS * 7)
#define TRY_DAYS		(FORECAST_DAYS - MEAN_DAYS)
#define YOUNG_DAYS		14
#define LEAST_TRIES		7

/* Means of 1 to 4 weekdays are whole in twelfths, ratios in millionths. */
#define MEAN_UNIT		12
#define MILLION			1000000
#define GREATEST_RATIO	((Amount) MILLION * MILLION)

typedef enum Future
{
	FUTURE_LOW,
	FUTURE_EXPECTED,
	FUTURE_HIGH,
	FUTURES
} Future;

/* One figure: how its days to come are filled. */
typedef struct Outlook
{
	UsageField	field;
	CalDay		begin;			/* the first day that is known to have some */
	bool		used;			/* in the days that means are taken of */
	bool		young;
	int			ntries;
	Amount		ratios[TRY_DAYS + 1];
	Amount		factors[FUTURES];
} Outlook;

typedef struct Work
{
	Core	   *core;
	const Account *account;
	const Usage *usage;
	KnownUsers	known;
	CalMonth	month;
	CalDay		today;
	CalDay		until;
	Outlook		outlooks[USAGE_FIELDS];
	int			nmonths;		/* with known users, see users_factors() */
	bool		any_users;
	Amount		users_factors[FUTURES];
	int64_t		users[FUTURES];
} Work;

static const char *const field_names[USAGE_FIELDS] = {
	[USAGE_DAU] = "dau", [USAGE_GROUPS] = "groups",
	[USAGE_TEXT] = "text", [USAGE_IMAGE] = "image",
	[USAGE_AUDIO_HALF] = "audio", [USAGE_VIDEO_HALF] = "video",
	[USAGE_CALL_AUDIO] = "call_audio", [USAGE_CALL_SD] = "call_sd",
	[USAGE_CALL_HD] = "call_hd", [USAGE_CALL_FHD] = "call_fhd",
};

/* Peaks are charged by their highest day, all else by the sum of days. */
static Amount
together(UsageField field, Amount a, Amount b)
{
	if (field == USAGE_DAU || field == USAGE_GROUPS)
		return a > b ? a : b;
	return a + b;
}

static Amount
mean_of_days(const Usage *usage, UsageField field, CalDay from, CalDay until)
{
	Amount		sum = 0;

	for (CalDay day = from; day < until; day++)
		sum += usage_on(usage, day, field);
	return sum * MEAN_UNIT / (until - from);
}

/*
 * The mean of a day's weekday over the 28 days before "now", in twelfths; of
 * all those days where none of that weekday is known; on the first day ever
 * that day itself.
 */
static Amount
weekday_mean(const Usage *usage, const Outlook *outlook, CalDay now, CalDay day)
{
	CalDay		same = day - 7 * ((day - now) / 7 + 1);
	CalDay		from = now - MEAN_DAYS > outlook->begin ? now - MEAN_DAYS : outlook->begin;
	Amount		sum = 0;
	int			count = 0;

	for (int i = 0; i < MEAN_WEEKS && same - 7 * i >= from; i++, count++)
		sum += usage_on(usage, same - 7 * i, outlook->field);
	if (count > 0)
		return sum * (MEAN_UNIT / count);
	return mean_of_days(usage, outlook->field, from, from < now ? now : now + 1);
}

/* Forecasts the days from "now" as they would have been, and compares. */
static void
try_day(Outlook *outlook, const Usage *usage, CalDay now, int ndays)
{
	Amount		mean = 0,
				actual = 0;

	for (CalDay day = now; day < now + ndays; day++)
	{
		mean = together(outlook->field, mean, weekday_mean(usage, outlook, now, day));
		actual = together(outlook->field, actual, usage_on(usage, day, outlook->field));
	}
	if (mean > 0)
	{
		Amount		ratio = actual * MEAN_UNIT * MILLION / mean;

		/* bounded, so that a later product fits */
		outlook->ratios[outlook->ntries++] = ratio < GREATEST_RATIO ? ratio : GREATEST_RATIO;
	}
}

static int
compare_ratios(const void *a, const void *b)
{
	Amount		x = *(const Amount *) a,
				y = *(const Amount *) b;

	return (x > y) - (x < y);
}

/* The 5th percentile, the median and the 95th percentile. */
static void
set_factors(Outlook *outlook)
{
	int			last = outlook->ntries - 1;

	qsort(outlook->ratios, (size_t) outlook->ntries, sizeof(Amount), compare_ratios);
	outlook->factors[FUTURE_LOW] = outlook->ratios[last / 20];
	outlook->factors[FUTURE_EXPECTED] = outlook->ratios[(last + 1) / 2];
	outlook->factors[FUTURE_HIGH] = outlook->ratios[last - last / 20];
}

static void
look_at(Work *work, UsageField field)
{
	Outlook    *outlook = &work->outlooks[field];
	int			ndays = work->until - work->today;
	CalDay		earliest;

	outlook->field = field;
	outlook->begin = work->today - FORECAST_DAYS;
	while (outlook->begin < work->today && usage_on(work->usage, outlook->begin, field) == 0)
		outlook->begin++;
	for (CalDay day = work->today - MEAN_DAYS; day <= work->today; day++)
		outlook->used |= usage_on(work->usage, day, field) > 0;
	earliest = outlook->begin + YOUNG_DAYS;
	if (earliest < work->today - TRY_DAYS)
		earliest = work->today - TRY_DAYS;
	for (CalDay now = earliest; outlook->used && now + ndays <= work->today; now++)
		try_day(outlook, work->usage, now, ndays);
	outlook->young = outlook->ntries < LEAST_TRIES;
	if (!outlook->young)
		set_factors(outlook);
}

static Amount
highest_day(const Work *work, const Outlook *outlook)
{
	int64_t		highest = 0;

	for (CalDay day = work->today - MEAN_DAYS; day <= work->today; day++)
		if (usage_on(work->usage, day, outlook->field) > highest)
			highest = usage_on(work->usage, day, outlook->field);
	return highest;
}

static int64_t
figure_to_come(const Work *work, const Outlook *outlook, Future future, CalDay day)
{
	Amount		mean = weekday_mean(work->usage, outlook, work->today, day),
				figure;

	if (!outlook->young)
		figure = (mean * outlook->factors[future] + MEAN_UNIT * MILLION / 2) /
			((Amount) MEAN_UNIT * MILLION);
	else if (future == FUTURE_EXPECTED)
		figure = (mean + MEAN_UNIT / 2) / MEAN_UNIT;
	else
		figure = future == FUTURE_HIGH ? highest_day(work, outlook) : 0;
	return figure > INT64_MAX ? INT64_MAX : (int64_t) figure;
}

/* The usage that a bill looks at, without what is known of earlier days. */
static Usage *
bill_usage(const Work *work)
{
	CalDay		since = bill_usage_since(work->account, work->month);
	Usage	   *usage = usage_open(work->core, since, work->until);

	for (int i = 0; i < usage->ndays; i++)
	{
		int			at = since + i - work->usage->first;

		if (at < 0)
			continue;
		memcpy(usage->days[i], work->usage->days[at], sizeof(*usage->days));
		usage->given[i] = work->usage->given[at];
	}
	usage->month_users = work->usage->month_users;
	usage->arg = work->usage->arg;
	return usage;
}

static int64_t
assumed_users(void *arg, const char *meter, CalDay first, int ndays, const bool *chosen)
{
	(void) meter;
	(void) first;
	(void) ndays;
	(void) chosen;
	return *(int64_t *) arg;
}

static Amount
bill_of_future(Work *work, Future future)
{
	Usage	   *usage = bill_usage(work);

	for (UsageField field = USAGE_DAU; field < USAGE_FIELDS; field++)
		for (CalDay day = work->today; day < work->until && work->outlooks[field].used; day++)
		{
			int64_t    *figure = &usage->days[day - usage->first][field],
						come = figure_to_come(work, &work->outlooks[field], future, day);

			if (come > *figure)
				*figure = come;
		}
	if (work->any_users)
	{
		usage->month_users = assumed_users;
		usage->arg = &work->users[future];
	}
	return bill_total(bill_compute(work->core, work->account, usage, work->month));
}

/* Users of the first days of a month, all of them or as many as there are. */
static int64_t
users_of(const Work *work, CalMonth month, int ndays)
{
	bool		chosen[31];

	for (int i = 0; i < 31; i++)
		chosen[i] = i < ndays;
	return work->known(work->usage->arg, METER_MAU, cal_first_day(month),
					   cal_days_in_month(month), chosen);
}

/*
 * Few months tell little, so the bounds are as far outside the least and the
 * greatest ratio as these are apart; with fewer than two months they are no
 * new user at all, and as many new ones every day as so far.
 */
static void
set_users_factors(Work *work, const Amount *ratios, Amount linear)
{
	int			n = work->nmonths;
	Amount		apart = n > 1 ? ratios[n - 1] - ratios[0] : 0,
				low = n > 1 ? ratios[0] - apart : MILLION,
				high = n > 1 ? ratios[n - 1] + apart : linear;

	work->users_factors[FUTURE_LOW] = low > MILLION ? low : MILLION;
	work->users_factors[FUTURE_EXPECTED] = n > 0 ? ratios[n / 2] : (MILLION + linear) / 2;
	work->users_factors[FUTURE_HIGH] = high;
}

/* How much more a month came to than its first days, in the last months. */
static void
users_factors(Work *work)
{
	Amount		ratios[FORECAST_MONTHS];
	int			days = work->today - cal_first_day(work->month) + 1,
				total = cal_days_in_month(work->month);

	for (int i = 1; i <= FORECAST_MONTHS && work->known != NULL; i++)
	{
		CalMonth	month = work->month - i;
		int64_t		part = cal_first_day(month) < work->usage->first ? 0 : users_of(work, month, days);

		if (part > 0)
			ratios[work->nmonths++] = (Amount) users_of(work, month, 31) * MILLION / part;
	}
	qsort(ratios, (size_t) work->nmonths, sizeof(Amount), compare_ratios);
	set_users_factors(work, ratios, (Amount) MILLION * total / days);
}

static bool
any_counting_day_to_come(const Work *work)
{
	const char *plan;

	for (CalDay day = work->today; day < work->until; day++)
	{
		ServiceState state = account_state(work->account, day, &plan);

		if (state == STATE_ACTIVE || state == STATE_GRACE)
			return true;
	}
	return false;
}

/* The users of the month, where the bill so far charges them. */
static void
look_at_users(Work *work, const Bill *bill)
{
	int64_t		so_far = -1;

	for (int i = 0; i < bill->nlines; i++)
		if (bill->lines[i].kind == LINE_MAU_OVERAGE)
			so_far = (int64_t) (bill->lines[i].quantity / AMOUNT_ONE);
	if (so_far < 0 || !any_counting_day_to_come(work))
		return;
	work->any_users = true;
	users_factors(work);
	for (Future future = FUTURE_LOW; future < FUTURES; future++)
	{
		Amount		users = so_far * work->users_factors[future] / MILLION;

		work->users[future] = users > INT64_MAX ? INT64_MAX : (int64_t) users;
	}
}

static const char *
text_of_factors(Core *core, const Amount *factors)
{
	char		texts[FUTURES][AMOUNT_TEXT_SIZE];

	for (Future future = FUTURE_LOW; future < FUTURES; future++)
		/* millionths, shown in thousandths */
		amount_text((factors[future] + 500) / 1000 * (AMOUNT_ONE / 1000), 3, texts[future]);
	return core_printf(core, "%s, %s, %s", texts[FUTURE_LOW], texts[FUTURE_EXPECTED],
					   texts[FUTURE_HIGH]);
}

static const char *
describe_fields(Work *work, bool young)
{
	const char *text = "";

	for (UsageField field = USAGE_DAU; field < USAGE_FIELDS; field++)
	{
		const Outlook *outlook = &work->outlooks[field];
		const char *comma = text[0] == '\0' ? "" : young ? ", " : "; ";

		if (!outlook->used || outlook->young != young)
			continue;
		text = young ? core_printf(work->core, "%s%s%s", text, comma, field_names[field]) :
			core_printf(work->core, "%s%s%s %s (%d)", text, comma, field_names[field],
						text_of_factors(work->core, outlook->factors), outlook->ntries);
	}
	return text;
}

static const char *
describe_users(const Work *work)
{
	const char *factors = text_of_factors(work->core, work->users_factors);

	if (work->nmonths == 0)
		return core_printf(work->core, " Users of the month: those so far times %s; no month before is known.",
						   factors);
	return core_printf(work->core, " Users of the month: those so far times %s, as months before grew from here on (%d).",
					   factors, work->nmonths);
}

static const char *
describe(Work *work)
{
	Core	   *core = work->core;
	const char *old = describe_fields(work, false),
			   *young = describe_fields(work, true);
	const char *text = core_printf(core, "Orders as they stand; days to come, today included: %d.",
								   work->until - work->today);

	if (old[0] != '\0')
		text = core_printf(core, "%s A day: the mean of its weekday in the %d days before, times the 5th percentile, median and 95th percentile of how such forecasts did (tries): %s.",
						   text, MEAN_DAYS, old);
	if (young[0] != '\0')
		text = core_printf(core, "%s Too young for that, so nothing, the mean and the highest day: %s.",
						   text, young);
	if (work->any_users)
		text = core_printf(core, "%s%s", text, describe_users(work));
	if (old[0] == '\0' && young[0] == '\0')
		text = core_printf(core, "%s Nothing was used in the %d days before.", text, MEAN_DAYS);
	return text;
}

/* Cards may make more usage cost less; bounds are bounds all the same. */
static void
put_in_order(Forecast *forecast)
{
	Amount		totals[FUTURES] = {forecast->low, forecast->expected, forecast->high};

	qsort(totals, FUTURES, sizeof(Amount), compare_ratios);
	forecast->low = totals[FUTURE_LOW];
	forecast->expected = totals[FUTURE_EXPECTED];
	forecast->high = totals[FUTURE_HIGH];
}

Forecast *
forecast_month(Core *core, const Account *account, const Usage *usage, CalDay today,
			   KnownUsers known)
{
	CalMonth	month = cal_month_of(today);
	Work	   *work = core_alloc(core, sizeof(Work));
	Forecast   *forecast = core_alloc(core, sizeof(Forecast));
	Bill	   *bill;

	*work = (Work) {.core = core, .account = account, .usage = usage, .known = known,
		.month = month, .today = today, .until = cal_first_day(month + 1)};
	bill = bill_compute(core, account, bill_usage(work), month);
	for (UsageField field = USAGE_DAU; field < USAGE_FIELDS; field++)
		look_at(work, field);
	look_at_users(work, bill);
	forecast->so_far = bill_total(bill);
	forecast->low = bill_of_future(work, FUTURE_LOW);
	forecast->expected = bill_of_future(work, FUTURE_EXPECTED);
	forecast->high = bill_of_future(work, FUTURE_HIGH);
	put_in_order(forecast);
	forecast->method = describe(work);
	return forecast;
}
