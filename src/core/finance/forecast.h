/*
 * forecast.h
 *	  What a month's bill will come to, from the days before and so far.
 *
 * The bill is computed three times, with the days to come filled in low,
 * as expected and high.  Orders, suspensions and so all prepaid lines are
 * taken as they stand.
 *
 * A day to come gets, of each figure, the mean of its weekday over the 28
 * days before today, times a factor.  The factors are found by trying the
 * same on the past: for each of the last 154 days the forecast of as many
 * days as are to come now is made from the 28 days before it, and compared
 * with what those days came to, in sum or, of users and groups, at their
 * peak.  The 5th percentile, the median and the 95th percentile of these
 * ratios are the three factors; growth and the excess of a peak over a mean
 * are in them.
 *
 * A figure that is too young for that (fewer than 14 days before a try, or
 * fewer than 7 tries) is low filled with nothing, as expected with the mean
 * and high with the highest day known.  Today keeps what it has where that
 * is more.
 *
 * Distinct users of a month (R3), and the subjects of a meter that counts them
 * by the month (R12), do not grow in proportion to days: they are those so far
 * times what a month has come to after the same number of days, the middle one
 * of the last three months; the bounds are as far outside the least and the
 * greatest of the three as these are apart.  With fewer than two such months
 * the bounds are nobody new at all, and as many new ones every day as so far.
 *
 * All in integers; ratios in millionths.
 */
#ifndef IM_CORE_FORECAST_H
#define IM_CORE_FORECAST_H

#include "core/bill/bill.h"

/* Usage is looked at from so many days before today, and months before. */
#define FORECAST_DAYS	182
#define FORECAST_MONTHS	3

typedef struct Forecast
{
	Amount		so_far;			/* if nothing more is used */
	Amount		low;
	Amount		expected;
	Amount		high;
	const char *method;			/* in words, with the factors */
} Forecast;

/* Distinct users of the chosen days, as far as they are known. */
typedef int64_t (*KnownUsers) (void *arg, const char *meter, CalDay first, int ndays,
							   const bool *chosen);

/*
 * Forecasts the bill of the month of a day.  The account must have been
 * opened for the end of the month; the usage must reach from
 * bill_usage_since() or earlier to there and is taken to be that through
 * today.  "known" gets usage->arg.  Fails as bill_compute() does.
 */
extern Forecast *forecast_month(Core *core, const Account *account, const Usage *usage,
								CalDay today, KnownUsers known);

#endif							/* IM_CORE_FORECAST_H */
