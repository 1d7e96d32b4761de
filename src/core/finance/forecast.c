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

/* One figure or meter by name: how its days to come are filled. */
typedef struct Outlook
{
	const char *name;
	const CardMeter *meter;		/* by name; NULL for a figure that every app has */
	bool		peak;			/* charged by its highest day, all else by the sum of days */
	CalDay		first;			/* what was used on each day from here on, */
	int			ndays;
	Amount	   *figures;		/* counts, or what a meter comes to */
	CalDay		begin;			/* the first day that is known to have some */
	bool		used;			/* in the days that means are taken of */
	bool		young;
	int			ntries;
	Amount		ratios[TRY_DAYS + 1];
	Amount		factors[FUTURES];
} Outlook;

/* Who is counted once a month: users, or subjects of a meter by name. */
typedef struct CrowdOutlook
{
	const char *meter;
	int64_t		so_far;
	int			nmonths;		/* before, with somebody known */
	Amount		factors[FUTURES];
	int64_t		users[FUTURES];
} CrowdOutlook;

typedef struct Work
{
	Core	   *core;
	const Account *account;
	const Usage *usage;
	KnownUsers	known;
	CalMonth	month;
	CalDay		today;
	CalDay		until;
	int			noutlooks;
	Outlook    *outlooks;		/* by USAGE_DAU and so on, then meters of the card */
	int			ncrowds;
	CrowdOutlook *crowds;		/* that the bill asks for and that may still grow */
} Work;

static const char *const field_names[USAGE_FIELDS] = {
	[USAGE_DAU] = "dau", [USAGE_GROUPS] = "groups",
	[USAGE_TEXT] = "text", [USAGE_IMAGE] = "image",
	[USAGE_AUDIO_HALF] = "audio", [USAGE_VIDEO_HALF] = "video",
	[USAGE_CALL_AUDIO] = "call_audio", [USAGE_CALL_SD] = "call_sd",
	[USAGE_CALL_HD] = "call_hd", [USAGE_CALL_FHD] = "call_fhd",
};

static Amount
together(const Outlook *outlook, Amount a, Amount b)
{
	if (outlook->peak)
		return a > b ? a : b;
	return a + b;
}

static Amount
used_on(const Outlook *outlook, CalDay day)
{
	int			at = day - outlook->first;

	return at < 0 || at >= outlook->ndays ? 0 : outlook->figures[at];
}

static Amount
mean_of_days(const Outlook *outlook, CalDay from, CalDay until)
{
	Amount		sum = 0;

	for (CalDay day = from; day < until; day++)
		sum += used_on(outlook, day);
	return sum * MEAN_UNIT / (until - from);
}

/*
 * The mean of a day's weekday over the 28 days before "now", in twelfths; of
 * all those days where none of that weekday is known; on the first day ever
 * that day itself.
 */
static Amount
weekday_mean(const Outlook *outlook, CalDay now, CalDay day)
{
	CalDay		same = day - 7 * ((day - now) / 7 + 1);
	CalDay		from = now - MEAN_DAYS > outlook->begin ? now - MEAN_DAYS : outlook->begin;
	Amount		sum = 0;
	int			count = 0;

	for (int i = 0; i < MEAN_WEEKS && same - 7 * i >= from; i++, count++)
		sum += used_on(outlook, same - 7 * i);
	if (count > 0)
		return sum * (MEAN_UNIT / count);
	return mean_of_days(outlook, from, from < now ? now : now + 1);
}

/* Forecasts the days from "now" as they would have been, and compares. */
static void
try_day(Outlook *outlook, CalDay now, int ndays)
{
	Amount		mean = 0,
				actual = 0;

	for (CalDay day = now; day < now + ndays; day++)
	{
		mean = together(outlook, mean, weekday_mean(outlook, now, day));
		actual = together(outlook, actual, used_on(outlook, day));
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
look_at(Work *work, Outlook *outlook)
{
	int			ndays = work->until - work->today;
	CalDay		earliest;

	outlook->begin = work->today - FORECAST_DAYS;
	while (outlook->begin < work->today && used_on(outlook, outlook->begin) == 0)
		outlook->begin++;
	for (CalDay day = work->today - MEAN_DAYS; day <= work->today; day++)
		outlook->used |= used_on(outlook, day) > 0;
	earliest = outlook->begin + YOUNG_DAYS;
	if (earliest < work->today - TRY_DAYS)
		earliest = work->today - TRY_DAYS;
	for (CalDay now = earliest; outlook->used && now + ndays <= work->today; now++)
		try_day(outlook, now, ndays);
	outlook->young = outlook->ntries < LEAST_TRIES;
	if (!outlook->young)
		set_factors(outlook);
}

static Amount
highest_day(const Work *work, const Outlook *outlook)
{
	Amount		highest = 0;

	for (CalDay day = work->today - MEAN_DAYS; day <= work->today; day++)
		if (used_on(outlook, day) > highest)
			highest = used_on(outlook, day);
	return highest;
}

static Amount
figure_to_come(const Work *work, const Outlook *outlook, Future future, CalDay day)
{
	Amount		mean = weekday_mean(outlook, work->today, day),
				figure;

	if (!outlook->young)
		figure = (mean * outlook->factors[future] + MEAN_UNIT * MILLION / 2) /
			((Amount) MEAN_UNIT * MILLION);
	else if (future == FUTURE_EXPECTED)
		figure = (mean + MEAN_UNIT / 2) / MEAN_UNIT;
	else
		figure = future == FUTURE_HIGH ? highest_day(work, outlook) : 0;
	return figure;
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
	usage->nmeters = work->usage->nmeters;
	usage->meters = work->usage->meters;
	return usage;
}

static CrowdOutlook *
find_crowd(const Work *work, const char *meter)
{
	for (int i = 0; i < work->ncrowds; i++)
		if (strcmp(work->crowds[i].meter, meter) == 0)
			return &work->crowds[i];
	return NULL;
}

/* Those of the month as they are assumed, or as they are known. */
typedef struct Assumption
{
	const Work *work;
	Future		future;
} Assumption;

static int64_t
assumed_users(void *arg, const char *meter, CalDay first, int ndays, const bool *chosen)
{
	const Assumption *assumption = arg;
	const Usage *usage = assumption->work->usage;
	const CrowdOutlook *crowd = find_crowd(assumption->work, meter);

	if (crowd != NULL)
		return crowd->users[assumption->future];
	return usage->month_users(usage->arg, meter, first, ndays, chosen);
}

/* A meter whose days to come are as expected; its days before stay. */
static MeterUsage
meter_of_future(const Work *work, const Outlook *outlook, Future future)
{
	const MeterUsage *known = usage_meter(work->core, work->usage, outlook->meter->name);
	int			before = known != NULL ? known->ndays : 0;
	MeterUsage	meter = {.meter = outlook->meter->name};

	meter.days = core_alloc(work->core, sizeof(MeterDay) * (size_t) (before + work->until - work->today));
	for (; meter.ndays < before && known->days[meter.ndays].day < work->today; meter.ndays++)
	{
		core_step(work->core);
		meter.days[meter.ndays] = known->days[meter.ndays];
	}
	for (CalDay day = work->today; day < work->until; day++)
	{
		Amount		come = figure_to_come(work, outlook, future, day),
					used = used_on(outlook, day);

		meter.days[meter.ndays++] = (MeterDay) {.day = day, .has_events = true,
			.quantity = come > used ? come : used};
	}
	return meter;
}

/* Meters whose figures stand on stay as they are: what stands is expected to.  So do days of subjects. */
static void
expect_meters(const Work *work, Usage *usage, Future future)
{
	MeterUsage *meters = core_alloc(work->core, sizeof(MeterUsage) *
									(size_t) (usage->nmeters + work->noutlooks));
	int			n = 0;

	for (int i = USAGE_FIELDS; i < work->noutlooks; i++)
		if (work->outlooks[i].used)
			meters[n++] = meter_of_future(work, &work->outlooks[i], future);
	for (int i = 0; i < usage->nmeters; i++)
	{
		bool		expected = false;

		core_step(work->core);
		for (int k = 0; k < n; k++)
			expected |= strcmp(meters[k].meter, usage->meters[i].meter) == 0;
		if (!expected)
			meters[n++] = usage->meters[i];
	}
	usage->nmeters = n;
	usage->meters = meters;
}

static Amount
bill_of_future(Work *work, Future future)
{
	Usage	   *usage = bill_usage(work);
	Assumption	assumption = {work, future};

	expect_meters(work, usage, future);
	for (UsageField field = USAGE_DAU; field < USAGE_FIELDS; field++)
		for (CalDay day = work->today; day < work->until && work->outlooks[field].used; day++)
		{
			int64_t    *figure = &usage->days[day - usage->first][field];
			Amount		come = figure_to_come(work, &work->outlooks[field], future, day);

			if (come > *figure)
				*figure = come > INT64_MAX ? INT64_MAX : (int64_t) come;
		}
	if (work->ncrowds > 0)
	{
		usage->month_users = assumed_users;
		usage->arg = &assumption;
	}
	return bill_total(bill_compute(work->core, work->account, usage, work->month));
}

/* Users of the first days of a month, all of them or as many as there are. */
static int64_t
users_of(const Work *work, const char *meter, CalMonth month, int ndays)
{
	bool		chosen[31];

	for (int i = 0; i < 31; i++)
		chosen[i] = i < ndays;
	return work->known(work->usage->arg, meter, cal_first_day(month),
					   cal_days_in_month(month), chosen);
}

/*
 * Few months tell little, so the bounds are as far outside the least and the
 * greatest ratio as these are apart; with fewer than two months they are
 * nobody new at all, and as many new ones every day as so far.
 */
static void
set_crowd_factors(CrowdOutlook *crowd, const Amount *ratios, Amount linear)
{
	int			n = crowd->nmonths;
	Amount		apart = n > 1 ? ratios[n - 1] - ratios[0] : 0,
				low = n > 1 ? ratios[0] - apart : MILLION,
				high = n > 1 ? ratios[n - 1] + apart : linear;

	crowd->factors[FUTURE_LOW] = low > MILLION ? low : MILLION;
	crowd->factors[FUTURE_EXPECTED] = n > 0 ? ratios[n / 2] : (MILLION + linear) / 2;
	crowd->factors[FUTURE_HIGH] = high;
}

/* How much more a month came to than its first days, in the last months. */
static void
look_at_crowd(const Work *work, CrowdOutlook *crowd)
{
	Amount		ratios[FORECAST_MONTHS];
	int			days = work->today - cal_first_day(work->month) + 1,
				total = cal_days_in_month(work->month);

	for (int i = 1; i <= FORECAST_MONTHS && work->known != NULL; i++)
	{
		CalMonth	month = work->month - i;
		int64_t		part = cal_first_day(month) < work->usage->first ? 0 :
			users_of(work, crowd->meter, month, days);

		if (part > 0)
			ratios[crowd->nmonths++] = (Amount) users_of(work, crowd->meter, month, 31) * MILLION / part;
	}
	qsort(ratios, (size_t) crowd->nmonths, sizeof(Amount), compare_ratios);
	set_crowd_factors(crowd, ratios, (Amount) MILLION * total / days);
	for (Future future = FUTURE_LOW; future < FUTURES; future++)
	{
		Amount		users = crowd->so_far * crowd->factors[future] / MILLION;

		crowd->users[future] = users > INT64_MAX ? INT64_MAX : (int64_t) users;
	}
}

/*
 * Counts for the bill so far and remembers whom it asked for.  Who is counted
 * on no day to come cannot become more.
 */
static int64_t
remember_users(void *arg, const char *meter, CalDay first, int ndays, const bool *chosen)
{
	Work	   *work = arg;
	const Usage *usage = work->usage;
	int64_t		so_far = usage->month_users(usage->arg, meter, first, ndays, chosen);
	bool		grows = false;

	for (int i = 0; i < ndays; i++)
		grows |= chosen[i] && first + i >= work->today;
	if (grows && so_far > 0 && find_crowd(work, meter) == NULL)
		work->crowds[work->ncrowds++] = (CrowdOutlook) {.meter = meter, .so_far = so_far};
	return so_far;
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

	for (int i = USAGE_DAU; i < work->noutlooks; i++)
	{
		const Outlook *outlook = &work->outlooks[i];
		const char *comma = text[0] == '\0' ? "" : young ? ", " : "; ";

		if (!outlook->used || outlook->young != young)
			continue;
		text = young ? core_printf(work->core, "%s%s%s", text, comma, outlook->name) :
			core_printf(work->core, "%s%s%s %s (%d)", text, comma, outlook->name,
						text_of_factors(work->core, outlook->factors), outlook->ntries);
	}
	return text;
}

static const char *
describe_crowd(Core *core, const CrowdOutlook *crowd)
{
	const char *factors = text_of_factors(core, crowd->factors);
	const char *who = strcmp(crowd->meter, METER_MAU) == 0 ? "Users of the month" :
		core_printf(core, "Distinct subjects of %s in the month", crowd->meter);

	if (crowd->nmonths == 0)
		return core_printf(core, " %s: those so far times %s; no month before is known.",
						   who, factors);
	return core_printf(core, " %s: those so far times %s, as months before grew from here on (%d).",
					   who, factors, crowd->nmonths);
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
	for (int i = 0; i < work->ncrowds; i++)
		text = core_printf(core, "%s%s", text, describe_crowd(core, &work->crowds[i]));
	if (old[0] == '\0' && young[0] == '\0' && work->ncrowds == 0)
		text = core_printf(core, "%s Nothing was used in the %d days before.", text, MEAN_DAYS);
	return text;
}

static Amount *
figures_of_field(const Work *work, UsageField field)
{
	Amount	   *figures = core_alloc(work->core, sizeof(Amount) * (size_t) (work->usage->ndays + 1));

	for (int i = 0; i < work->usage->ndays; i++)
		figures[i] = work->usage->days[i][field];
	return figures;
}

/* Bounded, so that a later product fits. */
static Amount *
figures_of_meter(const Work *work, const CardMeter *meter)
{
	const Usage *usage = work->usage;
	Amount	   *figures = core_alloc(work->core, sizeof(Amount) * (size_t) (usage->ndays + 1));
	const MeterFigure *known = meter_figures(work->core, usage_meter(work->core, usage, meter->name),
											 meter->day, usage->first, usage->ndays);

	for (int i = 0; i < usage->ndays; i++)
	{
		core_step(work->core);
		figures[i] = known[i].figure > AMOUNT_INPUT_MOST ? AMOUNT_INPUT_MOST :
			known[i].figure < 0 ? 0 : known[i].figure;
	}
	return figures;
}

static void
open_outlooks(Work *work, const Card *card)
{
	Outlook		common = {.first = work->usage->first, .ndays = work->usage->ndays};

	work->outlooks = core_alloc(work->core, sizeof(Outlook) * (size_t) (USAGE_FIELDS + card->nmeters));
	work->noutlooks = USAGE_FIELDS;
	for (UsageField field = USAGE_DAU; field < USAGE_FIELDS; field++)
	{
		common.name = field_names[field];
		common.peak = field == USAGE_DAU || field == USAGE_GROUPS;
		common.figures = figures_of_field(work, field);
		work->outlooks[field] = common;
	}
	for (int i = 0; i < card->nmeters; i++)
	{
		const CardMeter *meter = &card->meters[i];

		if (meter_stands(meter->day) || meter->month == METER_UNIQUE)
			continue;
		common.name = meter->name;
		common.meter = meter;
		common.peak = meter->month != METER_SUM && meter->month != METER_AVERAGE;
		common.figures = figures_of_meter(work, meter);
		work->outlooks[work->noutlooks++] = common;
	}
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

/* The bill if nothing more were used; it says whose number may still grow. */
static Bill *
bill_so_far(Work *work)
{
	Usage	   *usage = bill_usage(work);
	const Card *card = card_of_month(work->account->cards, work->month);

	/* mau beside the meters of the card; without a card the bill fails */
	work->crowds = core_alloc(work->core, sizeof(CrowdOutlook) * (size_t) (card != NULL ? card->nmeters + 1 : 1));
	if (usage->month_users != NULL)
	{
		usage->month_users = remember_users;
		usage->arg = work;
	}
	return bill_compute(work->core, work->account, usage, work->month);
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
	bill = bill_so_far(work);
	open_outlooks(work, bill->card);
	for (int i = USAGE_DAU; i < work->noutlooks; i++)
		look_at(work, &work->outlooks[i]);
	for (int i = 0; i < work->ncrowds; i++)
		look_at_crowd(work, &work->crowds[i]);
	forecast->so_far = bill_total(bill);
	forecast->low = bill_of_future(work, FUTURE_LOW);
	forecast->expected = bill_of_future(work, FUTURE_EXPECTED);
	forecast->high = bill_of_future(work, FUTURE_HIGH);
	put_in_order(forecast);
	forecast->method = describe(work);
	return forecast;
}
