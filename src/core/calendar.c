/*
 * calendar.c
 *	  Days and months of the proleptic Gregorian calendar as plain integers.
 *
 * The conversions count years from March, so that the leap day is the last
 * day of a year and month lengths follow one linear formula.
 */
#include "core/calendar.h"

#include <stdio.h>

/* Days from 0000-03-01 to 2000-01-01. */
#define EPOCH_OFFSET	730425
#define DAYS_PER_ERA	146097	/* 400 Gregorian years */

CalDay
cal_day(int year, int month, int day)
{
	int			y = month <= 2 ? year - 1 : year;
	int			era = (y >= 0 ? y : y - 399) / 400;
	int			yoe = y - era * 400;
	int			doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	int			doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

	return era * DAYS_PER_ERA + doe - EPOCH_OFFSET;
}

void
cal_civil(CalDay day, int *year, int *month, int *mday)
{
	int			z = day + EPOCH_OFFSET;
	int			era = (z >= 0 ? z : z - (DAYS_PER_ERA - 1)) / DAYS_PER_ERA;
	int			doe = z - era * DAYS_PER_ERA;
	int			yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int			doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int			mp = (5 * doy + 2) / 153;

	*mday = doy - (153 * mp + 2) / 5 + 1;
	*month = mp < 10 ? mp + 3 : mp - 9;
	*year = yoe + era * 400 + (*month <= 2);
}

CalMonth
cal_month_of(CalDay day)
{
	int			y,
				m,
				d;

	cal_civil(day, &y, &m, &d);
	return (y - 2000) * 12 + (m - 1);
}

CalDay
cal_first_day(CalMonth month)
{
	int			years = (month >= 0 ? month : month - 11) / 12;

	return cal_day(2000 + years, month - years * 12 + 1, 1);
}

int
cal_days_in_month(CalMonth month)
{
	return cal_first_day(month + 1) - cal_first_day(month);
}

CalDay
cal_add_months(CalDay day, int n)
{
	CalMonth	target = cal_month_of(day) + n;
	int			y,
				m,
				d,
				last = cal_days_in_month(target);

	cal_civil(day, &y, &m, &d);
	return cal_first_day(target) + (d < last ? d : last) - 1;
}

char *
cal_day_text(CalDay day, char *buf)
{
	int			y,
				m,
				d;

	cal_civil(day, &y, &m, &d);
	snprintf(buf, CAL_TEXT_SIZE, "%04d-%02d-%02d", y, m, d);
	return buf;
}

char *
cal_month_text(CalMonth month, char *buf)
{
	int			years = (month >= 0 ? month : month - 11) / 12;

	snprintf(buf, CAL_TEXT_SIZE, "%04d-%02d", 2000 + years, month - years * 12 + 1);
	return buf;
}
