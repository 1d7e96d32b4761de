/*
 * calendar.h
 *	  Days and months of the proleptic Gregorian calendar as plain integers.
 *
 * A day is the number of days since 2000-01-01, the same count as
 * PostgreSQL's DateADT, so that the server can pass its dates unchanged.  A
 * month is the number of months since 2000-01.  Nothing here knows a time
 * zone or a clock: whoever calls the core has already turned instants into
 * days.
 *
 * No function allocates or fails; arguments outside CAL_MIN_DAY..CAL_MAX_DAY
 * (years 1 to 9999) must have been refused before they get here.
 */
#ifndef IM_CORE_CALENDAR_H
#define IM_CORE_CALENDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int32_t CalDay;
typedef int32_t CalMonth;

/* 0001-01-01 and 9999-12-31, the years a bill can be asked for */
#define CAL_MIN_DAY		((CalDay) -730119)
#define CAL_MAX_DAY		((CalDay) 2921939)
#define CAL_MIN_MONTH	((CalMonth) ((1 - 2000) * 12))
#define CAL_MAX_MONTH	((CalMonth) ((9999 - 2000) * 12 + 11))

/* Bytes that hold any printed day or month, terminator included. */
#define CAL_TEXT_SIZE	32

/* Day number of a civil date; the caller has checked month and day. */
extern CalDay cal_day(int year, int month, int day);

/* The civil date of a day number. */
extern void cal_civil(CalDay day, int *year, int *month, int *mday);

/* The month a day lies in, and the first day of a month. */
extern CalMonth cal_month_of(CalDay day);
extern CalDay cal_first_day(CalMonth month);

/* Days of a month, 28 to 31. */
extern int	cal_days_in_month(CalMonth month);

/*
 * The day n months later, clamped to the last day of a shorter month as
 * PostgreSQL's date + interval does: Jan 31 + 1 month is Feb 28 or 29.
 */
extern CalDay cal_add_months(CalDay day, int n);

/* Print as 2024-03-17 and 2024-03 into a buffer of CAL_TEXT_SIZE bytes. */
extern char *cal_day_text(CalDay day, char *buf);
extern char *cal_month_text(CalMonth month, char *buf);

#endif							/* IM_CORE_CALENDAR_H */
