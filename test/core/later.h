/*
 * later.h
 *	  What must hold of revenue and forecasts of any history: for the fuzzer.
 */
#ifndef IM_TEST_LATER_H
#define IM_TEST_LATER_H

#include "core/finance/forecast.h"
#include "core/finance/revenue.h"

typedef bool (*Holds) (bool condition, const char *what);

typedef struct RevenueCheck
{
	Holds		holds;
	CalMonth	first;
	CalMonth	last;
	Amount		before;			/* deferred before the first month */
	Amount		billed;
	Amount		earned;
	Amount		deferred;		/* after the last one */
} RevenueCheck;

static inline void
check_revenue_row(void *arg, const RevenueRow *row)
{
	RevenueCheck *check = arg;

	check->holds(row->month >= check->first - 1 && row->month <= check->last,
				 "revenue of a month that nobody asked for");
	check->holds(row->deferred >= 0, "less than nothing is deferred");
	check->holds(row->billed_month <= row->month, "a fee is deferred before it is billed");
	check->holds(row->billed == (row->month == row->billed_month && row->month >= check->first ?
								 row->fees : 0),
				 "a fee is billed twice or never");
	check->before += row->month < check->first ? row->deferred : 0;
	check->deferred += row->month == check->last ? row->deferred : 0;
	check->billed += row->billed;
	check->earned += row->earned;
}

/* Deferred before + billed = earned + deferred after. */
static inline void
check_revenue(const Account *account, const Usage *usage, CalMonth first, CalMonth last, Holds holds)
{
	RevenueCheck check = {.holds = holds, .first = first, .last = last};

	revenue_months(account->core, account, usage, first, last, check_revenue_row, &check);
	holds(check.before + check.billed == check.earned + check.deferred,
		  "what is billed is not what is earned and deferred");
}

static inline void
check_forecast(const Account *account, const Usage *usage, CalDay today, bool wild, Holds holds)
{
	Forecast   *forecast = forecast_month(account->core, account, usage, today, usage->month_users);

	holds(forecast->low <= forecast->expected && forecast->expected <= forecast->high,
		  "a forecast lies outside its bounds");
	holds(wild || forecast->so_far <= forecast->high, "a month ends below what it has come to");
	holds(forecast->method[0] != '\0', "a forecast without a method");
}

#endif							/* IM_TEST_LATER_H */
