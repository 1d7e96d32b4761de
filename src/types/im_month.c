/*
 * im_month.c
 *	  The billing month as a type: text, binary, casts, order, arithmetic.
 *
 * A value is the core's CalMonth, months since 2000-01, passed by value as
 * four bytes, so that comparing and hashing are those of an integer.  Every
 * way in (text, binary, dates, arithmetic) checks the years 1 to 9999, so no
 * other code has to.
 */
#include "lib/compat.h"

#include "access/stratnum.h"
#include "common/hashfn.h"
#include "common/int.h"
#include "libpq/pqformat.h"
#include "nodes/nodes.h"
#include "utils/date.h"
#include "utils/sortsupport.h"

#include "core/calendar.h"
#include "types/im_month.h"

/* What reading a month's text can come to. */
typedef enum MonthText
{
	MONTH_OK,
	MONTH_BAD_FORM,				/* not YYYY-MM or YYYY-MM-DD at all */
	MONTH_BAD_FIELD,			/* no such month or day in the calendar */
	MONTH_BAD_YEAR				/* before 0001 or after 9999 */
} MonthText;

PG_FUNCTION_INFO_V1(im_month_in);
PG_FUNCTION_INFO_V1(im_month_out);
PG_FUNCTION_INFO_V1(im_month_recv);
PG_FUNCTION_INFO_V1(im_month_send);
PG_FUNCTION_INFO_V1(im_month_from_date);
PG_FUNCTION_INFO_V1(im_month_to_date);
PG_FUNCTION_INFO_V1(im_month_eq);
PG_FUNCTION_INFO_V1(im_month_ne);
PG_FUNCTION_INFO_V1(im_month_lt);
PG_FUNCTION_INFO_V1(im_month_le);
PG_FUNCTION_INFO_V1(im_month_gt);
PG_FUNCTION_INFO_V1(im_month_ge);
PG_FUNCTION_INFO_V1(im_month_cmp);
PG_FUNCTION_INFO_V1(im_month_sortsupport);
PG_FUNCTION_INFO_V1(im_month_hash);
PG_FUNCTION_INFO_V1(im_month_hash_extended);
PG_FUNCTION_INFO_V1(im_month_smaller);
PG_FUNCTION_INFO_V1(im_month_larger);
PG_FUNCTION_INFO_V1(im_month_plus);
PG_FUNCTION_INFO_V1(im_month_plus_commuted);
PG_FUNCTION_INFO_V1(im_month_minus);
PG_FUNCTION_INFO_V1(im_month_distance);
PG_FUNCTION_INFO_V1(im_month_in_range);

static inline bool
month_in_range(int32 month)
{
	return month >= CAL_MIN_MONTH && month <= CAL_MAX_MONTH;
}

/* Reads up to max digits; the number of digits read, the value in *value. */
static int
read_digits(const char **p, int max, int *value)
{
	int			n = 0;

	for (*value = 0; n < max && **p >= '0' && **p <= '9'; n++, (*p)++)
		*value = *value * 10 + (**p - '0');
	return n;
}

static const char *
skip_blanks(const char *p)
{
	while (*p == ' ' || (*p >= '\t' && *p <= '\r'))
		p++;
	return p;
}

/*
 * Dates that PostgreSQL has and months do not: infinite ones, years of more
 * than four digits, years BC.  Telling them from nonsense gives the user the
 * right error.
 */
static bool
names_far_date(const char *p)
{
	size_t		len = strlen(p);
	int			ignored;
	int			digits;

	if (pg_strncasecmp(p, "infinity", 8) == 0 || pg_strncasecmp(p, "-infinity", 9) == 0)
		return true;
	digits = read_digits(&p, 8, &ignored);
	if (digits < 4 || *p != '-')
		return false;
	return digits > 4 || (len > 7 && strstr(p, " BC") != NULL);
}

static MonthText
check_fields(int year, int month, int day, CalMonth *result)
{
	CalMonth	value = (year - 2000) * 12 + (month - 1);

	if (year < 1)
		return MONTH_BAD_YEAR;
	if (month < 1 || month > 12 || day < 1 || day > cal_days_in_month(value))
		return MONTH_BAD_FIELD;
	*result = value;
	return MONTH_OK;
}

static MonthText
parse_month(const char *str, CalMonth *result)
{
	const char *p = skip_blanks(str);
	int			year,
				month,
				day = 1;

	if (names_far_date(p))
		return MONTH_BAD_YEAR;
	if (read_digits(&p, 4, &year) != 4 || *p++ != '-' || read_digits(&p, 2, &month) != 2)
		return MONTH_BAD_FORM;
	if (*p == '-')
	{
		p++;
		if (read_digits(&p, 2, &day) != 2)
			return MONTH_BAD_FORM;
	}
	if (*skip_blanks(p) != '\0')
		return MONTH_BAD_FORM;
	return check_fields(year, month, day, result);
}

/*
 * Input: 2024-03, or a date in ISO form, which stands for its month.  Other
 * date styles are refused: what a month means may not hang on DateStyle.
 */
Datum
im_month_in(PG_FUNCTION_ARGS)
{
	char	   *str = PG_GETARG_CSTRING(0);
	CalMonth	month = 0;

	switch (parse_month(str, &month))
	{
		case MONTH_OK:
			break;
		case MONTH_BAD_FORM:
			ereturn(fcinfo->context, (Datum) 0,
					(errcode(ERRCODE_INVALID_DATETIME_FORMAT),
					 errmsg("invalid input syntax for type %s: \"%s\"", "im_month", str),
					 errhint("Write a month as 2024-03 or a date of it as 2024-03-17.")));
		case MONTH_BAD_FIELD:
			ereturn(fcinfo->context, (Datum) 0,
					(errcode(ERRCODE_DATETIME_FIELD_OVERFLOW),
					 errmsg("month or day does not exist: \"%s\"", str),
					 errhint("Write a month as 2024-03 or a date of it as 2024-03-17.")));
		case MONTH_BAD_YEAR:
			ereturn(fcinfo->context, (Datum) 0,
					(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
					 errmsg("month out of range: \"%s\"", str),
					 errdetail("Months run from 0001-01 through 9999-12.")));
	}
	PG_RETURN_INT32(month);
}

Datum
im_month_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(cal_month_text(PG_GETARG_INT32(0), palloc(CAL_TEXT_SIZE)));
}

Datum
im_month_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int32		month = pq_getmsgint(buf, 4);

	if (!month_in_range(month))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary value of type im_month: %d", month),
				 errdetail("The value is the number of months since 2000-01, from %d through %d.",
						   CAL_MIN_MONTH, CAL_MAX_MONTH)));
	PG_RETURN_INT32(month);
}

Datum
im_month_send(PG_FUNCTION_ARGS)
{
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendint32(&buf, PG_GETARG_INT32(0));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

CalMonth
im_month_of_date(DateADT date)
{
	if (DATE_NOT_FINITE(date))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("an infinite date lies in no month"),
				 errhint("Give a finite date, or leave the bound of the range out.")));
	if (date < CAL_MIN_DAY || date > CAL_MAX_DAY)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("month out of range: date %s",
						DatumGetCString(DirectFunctionCall1(date_out, DateADTGetDatum(date)))),
				 errdetail("Months run from 0001-01 through 9999-12."),
				 errhint("Check the year of the date.")));
	return cal_month_of(date);
}

Datum
im_month_from_date(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(im_month_of_date(PG_GETARG_DATEADT(0)));
}

Datum
im_month_to_date(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATEADT(cal_first_day(PG_GETARG_INT32(0)));
}

/* Comparison: a month is its number. */

Datum
im_month_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_INT32(0) == PG_GETARG_INT32(1));
}

Datum
im_month_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_INT32(0) != PG_GETARG_INT32(1));
}

Datum
im_month_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_INT32(0) < PG_GETARG_INT32(1));
}

Datum
im_month_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_INT32(0) <= PG_GETARG_INT32(1));
}

Datum
im_month_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_INT32(0) > PG_GETARG_INT32(1));
}

Datum
im_month_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_INT32(0) >= PG_GETARG_INT32(1));
}

Datum
im_month_cmp(PG_FUNCTION_ARGS)
{
	int32		a = PG_GETARG_INT32(0);
	int32		b = PG_GETARG_INT32(1);

	PG_RETURN_INT32(a < b ? -1 : a > b);
}

Datum
im_month_sortsupport(PG_FUNCTION_ARGS)
{
	SortSupport ssup = (SortSupport) PG_GETARG_POINTER(0);

	ssup->comparator = ssup_datum_int32_cmp;
	PG_RETURN_VOID();
}

Datum
im_month_hash(PG_FUNCTION_ARGS)
{
	return hash_uint32(PG_GETARG_INT32(0));
}

Datum
im_month_hash_extended(PG_FUNCTION_ARGS)
{
	return hash_uint32_extended(PG_GETARG_INT32(0), PG_GETARG_INT64(1));
}

Datum
im_month_smaller(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(Min(PG_GETARG_INT32(0), PG_GETARG_INT32(1)));
}

Datum
im_month_larger(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(Max(PG_GETARG_INT32(0), PG_GETARG_INT32(1)));
}

/* Arithmetic in whole months. */

static int32
add_months(int32 month, int64 n)
{
	int64		sum = month + n;
	char		buf[CAL_TEXT_SIZE];

	if (sum < CAL_MIN_MONTH || sum > CAL_MAX_MONTH)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("month out of range: %s %c %lld", cal_month_text(month, buf),
						n < 0 ? '-' : '+', (long long) (n < 0 ? -n : n)),
				 errdetail("Months run from 0001-01 through 9999-12.")));
	return (int32) sum;
}

Datum
im_month_plus(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(add_months(PG_GETARG_INT32(0), PG_GETARG_INT32(1)));
}

Datum
im_month_plus_commuted(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(add_months(PG_GETARG_INT32(1), PG_GETARG_INT32(0)));
}

Datum
im_month_minus(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(add_months(PG_GETARG_INT32(0), -(int64) PG_GETARG_INT32(1)));
}

Datum
im_month_distance(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(PG_GETARG_INT32(0) - PG_GETARG_INT32(1));
}

/*
 * RANGE BETWEEN n PRECEDING: whether value is on the wanted side of base -/+
 * offset.  Computed in 64 bits, a bound past the last month is simply far
 * away.
 */
Datum
im_month_in_range(PG_FUNCTION_ARGS)
{
	int64		value = PG_GETARG_INT32(0);
	int64		base = PG_GETARG_INT32(1);
	int64		offset = PG_GETARG_INT32(2);
	bool		sub = PG_GETARG_BOOL(3);
	bool		less = PG_GETARG_BOOL(4);
	int64		bound = sub ? base - offset : base + offset;

	if (offset < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PRECEDING_OR_FOLLOWING_SIZE),
				 errmsg("invalid preceding or following size in window function: %lld",
						(long long) offset)));
	PG_RETURN_BOOL(less ? value <= bound : value >= bound);
}
