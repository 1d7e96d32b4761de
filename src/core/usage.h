/*
 * usage.h
 *	  What an app used on one day: the unit that meters hand to rating.
 *
 * A meter's result for one app is a sequence of days, each day USAGE_FIELDS
 * integers in the order of UsageField.  SQL carries it as an im_usage
 * (types/usage_value.h).  Half minutes and minutes are already rounded as the
 * rules say, since both rules round within the day.
 */
#ifndef IM_CORE_USAGE_H
#define IM_CORE_USAGE_H

#include "core/amount.h"
#include "core/calendar.h"
#include "core/core.h"

typedef enum UsageField
{
	USAGE_DAY,					/* CalDay */
	USAGE_DAU,					/* distinct users that logged in */
	USAGE_GROUPS,				/* most groups existing at one moment */
	USAGE_TEXT,					/* checks */
	USAGE_IMAGE,				/* checks */
	USAGE_AUDIO_HALF,			/* half minutes of audio checked */
	USAGE_VIDEO_HALF,			/* half minutes of video checked */
	USAGE_CALL_AUDIO,			/* call minutes by class, started ones counted */
	USAGE_CALL_SD,
	USAGE_CALL_HD,
	USAGE_CALL_FHD,
	USAGE_FIELDS
} UsageField;

typedef enum CheckKind
{
	CHECK_TEXT,
	CHECK_IMAGE,
	CHECK_AUDIO,
	CHECK_VIDEO,
	CHECK_KINDS
} CheckKind;

typedef enum CallClass
{
	CALL_AUDIO,
	CALL_SD,
	CALL_HD,
	CALL_FHD,
	CALL_CLASSES
} CallClass;

/* How a meter by name makes a figure of events, or a quantity of figures (R12). */
typedef enum MeterKind
{
	METER_SUM,
	METER_MAX,
	METER_UNIQUE,
	METER_LAST,
	METER_AVERAGE,
	METER_KINDS
} MeterKind;

/* The names in tables and cards, in the order of the enums. */
extern const char *const check_kind_names[CHECK_KINDS];
extern const char *const call_class_names[CALL_CLASSES];
extern const char *const meter_kind_names[METER_KINDS];

/* Meters that every card has: of users of a day and a month, and of groups. */
#define METER_DAU		"dau"
#define METER_MAU		"mau"
#define METER_GROUPS	"groups"

/* Finds a name of len bytes; -1 where there is none such. */
extern int	check_kind_find(const char *name, size_t len);
extern int	call_class_find(const char *name, size_t len);
extern int	meter_kind_find(const char *name, size_t len);

/* Whether the figures of such days stand on through days without events. */
static inline bool
meter_stands(MeterKind kind)
{
	return kind == METER_LAST || kind == METER_AVERAGE;
}

/*
 * Which figures of a day the user gave in im_usage_daily (R11): a bit for each
 * UsageField.  That of USAGE_DAY says that the row speaks for its whole day,
 * so of its users too.
 */
typedef uint16_t GivenFigures;

#define GIVEN(field)	((GivenFigures) (1 << (field)))
#define GIVEN_WHOLE		((GivenFigures) ((1 << USAGE_FIELDS) - 1))

/*
 * What one day's own events say of a meter by name, and what the user gave
 * (R11, R12); never what was carried in.
 */
typedef struct MeterDay
{
	CalDay		day;
	bool		has_given;		/* the user's figure is the truth for its day */
	Amount		given;
	bool		has_events;
	Amount		quantity;		/* sum, max, subjects; of last and average what stands on after the day */
	Amount		area;			/* average: quantity * microseconds, summed from the first event on */
	int64_t		before;			/* average: microseconds of the day before its first event */
	int64_t		length;			/* average: microseconds of the day, as the zone has it */
} MeterDay;

/*
 * A meter by name: days ascending, each once.  Of a meter whose figures stand
 * on there may be days before the usage's first, which are carried in.
 */
typedef struct MeterUsage
{
	const char *meter;
	int			ndays;
	MeterDay   *days;
} MeterUsage;

/* What a meter by name comes to on one day. */
typedef struct MeterFigure
{
	Amount		figure;			/* what was carried in included */
	bool		stated;			/* by events of the day or by the user */
	bool		given;			/* by the user */
} MeterFigure;

/*
 * The usage of one app over a span of days, one entry a day.  A given figure
 * is the truth for its day, and what is metered does not add to it.
 */
typedef struct Usage
{
	CalDay		first;
	int			ndays;
	int64_t		(*days)[USAGE_FIELDS];
	GivenFigures *given;

	int			nmeters;
	const MeterUsage *meters;	/* each meter once */

	/*
	 * Distinct users of "mau", or subjects of a meter by name, over the chosen
	 * days of a month, asked for only when they are priced; NULL where nobody
	 * can say.
	 */
	int64_t		(*month_users) (void *arg, const char *meter, CalDay first, int ndays,
								const bool *chosen);
	void	   *arg;
} Usage;

/* Makes an empty usage of the days from first until (exclusive). */
extern Usage *usage_open(Core *core, CalDay first, CalDay until);

/*
 * Puts a user's rows in place, nrows * USAGE_FIELDS integers, of which given
 * says which count; NULL: all of every row.
 */
extern void usage_give(Core *core, Usage *usage, const int64_t *rows,
					   const GivenFigures *given, int nrows);

/*
 * Adds metered rows, but for figures that were given; days outside the span
 * are ignored, and a sum past 64 bits fails with PROBLEM_RANGE.
 */
extern void usage_add(Core *core, Usage *usage, const int64_t *rows, int nrows);

/* A figure of a day; 0 outside the span. */
extern int64_t usage_on(const Usage *usage, CalDay day, UsageField field);

/* Which figures of a day were given; none outside the span. */
extern GivenFigures usage_given(const Usage *usage, CalDay day);

/*
 * Whether only the user can say who used the app on a day: where his row
 * speaks for the whole day, or gives users by number.
 */
extern bool usage_users_given(const Usage *usage, CalDay day);

/* The days of a meter by name, or NULL where it has none. */
extern const MeterUsage *usage_meter(Core *core, const Usage *usage, const char *meter);

/*
 * The figure of each of ndays days from first, by how the meter makes figures
 * of events; usage NULL: no day was used.  Days before first are carried where
 * figures stand on.  Fails with PROBLEM_RANGE where one does not fit.
 */
extern MeterFigure *meter_figures(Core *core, const MeterUsage *usage, MeterKind kind,
								  CalDay first, int ndays);

/* Forgets all that was used after a day. */
extern void usage_forget_after(Core *core, Usage *usage, CalDay last);

/* True if anything was used at all. */
extern bool usage_any(Core *core, const Usage *usage);

#endif							/* IM_CORE_USAGE_H */
