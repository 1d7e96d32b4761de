/*
 * calendar.c
 *	  Days and months: every day of the years 1 to 9999, and month ends (R1).
 */
#include "core/calendar.h"
#include "tap.h"

static bool
is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int
month_length(int year, int month)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return month == 2 && is_leap(year) ? 29 : lengths[month - 1];
}

/* Walks the calendar by hand, day after day, beside the functions. */
static void
test_every_day(void)
{
	CalDay		day = CAL_MIN_DAY;
	int			wrong_day = 0,
				wrong_civil = 0,
				wrong_month = 0;

	for (int y = 1; y <= 9999; y++)
		for (int m = 1; m <= 12; m++)
			for (int d = 1; d <= month_length(y, m); d++, day++)
			{
				int			gy,
							gm,
							gd;

				cal_civil(day, &gy, &gm, &gd);
				wrong_civil += gy != y || gm != m || gd != d;
				wrong_day += cal_day(y, m, d) != day;
				wrong_month += cal_month_of(day) != (y - 2000) * 12 + m - 1;
			}
	is_int(wrong_civil, 0, "a day number of the years 1 to 9999 reads as another date");
	is_int(wrong_day, 0, "a date of the years 1 to 9999 has another day number");
	is_int(wrong_month, 0, "a day of the years 1 to 9999 lies in another month");
	is_int(day - 1, CAL_MAX_DAY, "CAL_MAX_DAY is not 9999-12-31");
}

static void
test_every_month(void)
{
	int			wrong_first = 0,
				wrong_length = 0;

	for (CalMonth month = CAL_MIN_MONTH; month <= CAL_MAX_MONTH; month++)
	{
		int			index = month - CAL_MIN_MONTH,
					y = 1 + index / 12,
					m = 1 + index % 12;

		wrong_first += cal_first_day(month) != cal_day(y, m, 1);
		wrong_length += cal_days_in_month(month) != month_length(y, m);
	}
	is_int(wrong_first, 0, "a month begins on another day than its first");
	is_int(wrong_length, 0, "a month has another number of days");
}

static void
test_epoch(void)
{
	is_int(cal_day(2000, 1, 1), 0, "day 0 is not 2000-01-01, so server dates would be read as other days");
	is_int(cal_day(1, 1, 1), CAL_MIN_DAY, "CAL_MIN_DAY is not 0001-01-01");
	is_int(cal_month_of(0), 0, "month 0 is not 2000-01");
	is_int(cal_month_of(-1), -1, "the month before the epoch is not rounded downwards");
}

static const struct
{
	int			from[3];
	int			months;
	int			to[3];
	const char *why;
}			sums[] =
{
	{{2023, 1, 31}, 1, {2023, 2, 28}, "Jan 31 + 1 month is not clamped to Feb 28"},
	{{2024, 1, 31}, 1, {2024, 2, 29}, "Jan 31 + 1 month in a leap year is not Feb 29"},
	{{1900, 1, 31}, 1, {1900, 2, 28}, "1900 is taken for a leap year"},
	{{2000, 1, 31}, 1, {2000, 2, 29}, "2000 is not taken for a leap year"},
	{{2024, 1, 31}, 2, {2024, 3, 31}, "two months from Jan 31 are counted from a clamped Feb 29"},
	{{2024, 1, 30}, 1, {2024, 2, 29}, "Jan 30 + 1 month is not Feb 29"},
	{{2024, 1, 29}, 1, {2024, 2, 29}, "Jan 29 + 1 month moved off the 29th"},
	{{2023, 2, 28}, 1, {2023, 3, 28}, "a month from a month's last day became a month's last day"},
	{{2024, 2, 29}, 12, {2025, 2, 28}, "a year from Feb 29 is not Feb 28"},
	{{2024, 2, 29}, 48, {2028, 2, 29}, "four years from Feb 29 are not Feb 29"},
	{{2024, 3, 31}, 1, {2024, 4, 30}, "Mar 31 + 1 month is not Apr 30"},
	{{2024, 1, 1}, 1, {2024, 2, 1}, "bought on the 1st, a month does not end with the month"},
	{{2024, 12, 31}, 1, {2025, 1, 31}, "December + 1 month is not January of the next year"},
	{{1999, 11, 30}, 3, {2000, 2, 29}, "months are wrong across the epoch"},
	{{2024, 1, 31}, 0, {2024, 1, 31}, "no months move a day"},
	{{2024, 3, 31}, -1, {2024, 2, 29}, "a month back from Mar 31 is not Feb 29"},
	{{9999, 12, 31}, -119976, {1, 12, 31}, "months are wrong over the whole range"},
};

static void
test_months(void)
{
	for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++)
	{
		CalDay		from = cal_day(sums[i].from[0], sums[i].from[1], sums[i].from[2]),
					to = cal_day(sums[i].to[0], sums[i].to[1], sums[i].to[2]);

		is_int(cal_add_months(from, sums[i].months), to, sums[i].why);
	}
}

/* Adding months never mixes up the order of days and never skips a month. */
static void
test_months_order(void)
{
	int			unordered = 0,
				skipped = 0;

	for (CalDay day = cal_day(2019, 1, 1); day < cal_day(2029, 1, 1); day++)
		for (int n = 0; n <= 26; n++)
		{
			unordered += cal_add_months(day, n) > cal_add_months(day + 1, n);
			skipped += cal_month_of(cal_add_months(day, n)) != cal_month_of(day) + n;
		}
	is_int(unordered, 0, "a purchase on a later day ends before one of the day before");
	is_int(skipped, 0, "adding n months leads to another than the n-th next month");
}

static void
test_text(void)
{
	char		buf[CAL_TEXT_SIZE];

	is(cal_day_text(cal_day(2024, 3, 7), buf), "2024-03-07", "a day is printed otherwise");
	is(cal_day_text(CAL_MIN_DAY, buf), "0001-01-01", "the first day is printed otherwise");
	is(cal_day_text(CAL_MAX_DAY, buf), "9999-12-31", "the last day is printed otherwise");
	is(cal_day_text(cal_day(10099, 12, 31), buf), "10099-12-31", "a day past the range is printed otherwise");
	is(cal_month_text(0, buf), "2000-01", "a month is printed otherwise");
	is(cal_month_text(-1, buf), "1999-12", "a month before 2000 is printed otherwise");
	is(cal_month_text(CAL_MIN_MONTH, buf), "0001-01", "the first month is printed otherwise");
	is(cal_month_text(CAL_MAX_MONTH, buf), "9999-12", "the last month is printed otherwise");
}

int
main(void)
{
	test_epoch();
	test_every_day();
	test_every_month();
	test_months();
	test_months_order();
	test_text();
	return done_testing();
}
