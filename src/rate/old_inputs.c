/*
 * old_inputs.c
 *	  Account and usage as SQL of 0.1.0 and 0.2.0 hands them over.
 */
#include "rate/old_inputs.h"

#include "catalog/pg_type.h"
#include "meter/old_usage.h"
#include "miscadmin.h"
#include "utils/date.h"
#include "utils/lsyscache.h"

void
old_account(FunctionCallInfo fcinfo, Datum *values, bool *nulls)
{
	static const int places[ACCOUNT_COLUMNS] = {
		OLD_ARG_APP_ID, OLD_ARG_CARD_NAME, OLD_ARG_ORDERS, OLD_ARG_SUSPENSIONS, OLD_ARG_PREVIEW
	};

	for (int i = 0; i < ACCOUNT_COLUMNS; i++)
	{
		nulls[i] = PG_ARGISNULL(places[i]);
		values[i] = PG_GETARG_DATUM(places[i]);
	}
}

/* The sets of users of the days of a span, of several of one day the first. */
static void
read_users(FunctionCallInfo fcinfo, UsageRows *rows, CalDay first, CalDay until)
{
	Datum	   *days,
			   *sets;
	bool	   *day_nulls,
			   *set_nulls,
			   *seen = palloc0(until - first + 1);
	ArrayType  *users;
	int			ndays,
				nsets;

	if (PG_ARGISNULL(OLD_ARG_USER_DAYS) || PG_ARGISNULL(OLD_ARG_USERS))
		return;
	users = PG_GETARG_ARRAYTYPE_P(OLD_ARG_USERS);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(OLD_ARG_USER_DAYS), DATEOID, sizeof(DateADT), true,
					  TYPALIGN_INT, &days, &day_nulls, &ndays);
	deconstruct_array(users, ARR_ELEMTYPE(users), -1, false, TYPALIGN_INT, &sets, &set_nulls, &nsets);
	for (int i = 0; i < Min(ndays, nsets); i++)
	{
		DateADT		day = day_nulls[i] ? DATEVAL_NOEND : DatumGetDateADT(days[i]);
		UsageRow   *row;

		CHECK_FOR_INTERRUPTS();
		if (day < first || day >= until || set_nulls[i] || seen[day - first])
			continue;
		seen[day - first] = true;
		row = usage_rows_add(rows, day);
		row->users = PG_DETOAST_DATUM(sets[i]);
		row->users_given = true;
	}
}

UsageValue *
old_usage(FunctionCallInfo fcinfo, CalDay first, CalDay until)
{
	UsageRows	rows;

	usage_rows_init(&rows, 31);
	if (!PG_ARGISNULL(OLD_ARG_SINCE))
		rows.since = Max(Min(PG_GETARG_DATEADT(OLD_ARG_SINCE), first), CAL_MIN_DAY);
	for (int i = OLD_ARG_DAILY; i <= OLD_ARG_CALLS; i++)
		if (!PG_ARGISNULL(i))
			old_usage_read(&rows, PG_GETARG_ARRAYTYPE_P(i), i == OLD_ARG_DAILY ? GIVEN_WHOLE : 0);
	read_users(fcinfo, &rows, first, until);
	usage_rows_fold(&rows, PG_GETARG_INT64(OLD_ARG_APP_ID));
	return usage_rows_value(&rows);
}
