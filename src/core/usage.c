/*
 * usage.c
 *	  Names of what is metered, and the usage of an app day by day.
 */
#include "core/usage.h"

#include <string.h>

const char *const check_kind_names[CHECK_KINDS] = {"text", "image", "audio", "video"};
const char *const call_class_names[CALL_CLASSES] = {"audio", "sd", "hd", "fhd"};
const char *const meter_kind_names[METER_KINDS] = {"sum", "max", "unique", "last", "average"};

static int
find_name(const char *const *names, int count, const char *name, size_t len)
{
	for (int i = 0; i < count; i++)
		if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
			return i;
	return -1;
}

int
check_kind_find(const char *name, size_t len)
{
	return find_name(check_kind_names, CHECK_KINDS, name, len);
}

int
call_class_find(const char *name, size_t len)
{
	return find_name(call_class_names, CALL_CLASSES, name, len);
}

int
meter_kind_find(const char *name, size_t len)
{
	return find_name(meter_kind_names, METER_KINDS, name, len);
}

Usage *
usage_open(Core *core, CalDay first, CalDay until)
{
	Usage	   *usage = core_alloc(core, sizeof(Usage));
	int			ndays = until > first ? until - first : 0;

	usage->first = first;
	usage->ndays = ndays;
	usage->days = core_alloc(core, sizeof(*usage->days) * (size_t) (ndays + 1));
	usage->given = core_alloc(core, sizeof(*usage->given) * (size_t) (ndays + 1));
	return usage;
}

/* Where a row's day lies in the span, or -1. */
static int
day_index(const Usage *usage, int64_t day)
{
	if (day < usage->first || day >= (int64_t) usage->first + usage->ndays)
		return -1;
	return (int) (day - usage->first);
}

void
usage_give(Core *core, Usage *usage, const int64_t *rows, const GivenFigures *given,
		   int nrows)
{
	for (int i = 0; i < nrows; i++, rows += USAGE_FIELDS)
	{
		int			at = day_index(usage, rows[USAGE_DAY]);

		core_step(core);
		if (at < 0)
			continue;
		memcpy(usage->days[at], rows, sizeof(*usage->days));
		usage->given[at] = given != NULL ? given[i] : GIVEN_WHOLE;
	}
}

void
usage_add(Core *core, Usage *usage, const int64_t *rows, int nrows)
{
	for (int i = 0; i < nrows; i++, rows += USAGE_FIELDS)
	{
		int			at = day_index(usage, rows[USAGE_DAY]);

		core_step(core);
		if (at < 0 || usage->given[at] == GIVEN_WHOLE)
			continue;
		for (int f = USAGE_DAY + 1; f < USAGE_FIELDS; f++)
			if ((usage->given[at] & GIVEN(f)) == 0 &&
				__builtin_add_overflow(usage->days[at][f], rows[f], &usage->days[at][f]))
				core_fail(core, PROBLEM_RANGE, "the usage of a day is too large",
						  "A figure of one app and day has at most 63 bits.",
						  "Look for rows that cannot be meant.");
	}
}

int64_t
usage_on(const Usage *usage, CalDay day, UsageField field)
{
	int			at = day_index(usage, day);

	return at < 0 ? 0 : usage->days[at][field];
}

GivenFigures
usage_given(const Usage *usage, CalDay day)
{
	int			at = day_index(usage, day);

	return at < 0 ? 0 : usage->given[at];
}

bool
usage_users_given(const Usage *usage, CalDay day)
{
	GivenFigures given = usage_given(usage, day);

	return given == GIVEN_WHOLE ||
		((given & GIVEN(USAGE_DAU)) != 0 && usage_on(usage, day, USAGE_DAU) > 0);
}

const MeterUsage *
usage_meter(Core *core, const Usage *usage, const char *meter)
{
	for (int i = 0; i < usage->nmeters; i++)
	{
		core_step(core);
		if (strcmp(usage->meters[i].meter, meter) == 0)
			return &usage->meters[i];
	}
	return NULL;
}

/* The figure of a day with events, or given, where "stands" was carried in. */
static Amount
figure_of_day(Core *core, const MeterDay *day, MeterKind kind, Amount stands)
{
	Amount		area;

	if (day->has_given)
		return day->given;
	if (!day->has_events)
		return stands;
	if (kind != METER_AVERAGE)
		return day->quantity;
	area = amount_add(core, amount_times(core, stands, day->before), day->area);
	return amount_ratio(core, area, day->length, 1);
}

/* What stands after a day: a given figure only where the day is its last one. */
static Amount
stands_after(const MeterDay *day, MeterKind kind, Amount stands)
{
	if (!meter_stands(kind))
		return 0;
	if (kind == METER_LAST && day->has_given)
		return day->given;
	return day->has_events ? day->quantity : stands;
}

MeterFigure *
meter_figures(Core *core, const MeterUsage *usage, MeterKind kind, CalDay first, int ndays)
{
	MeterFigure *figures = core_alloc(core, sizeof(MeterFigure) * (size_t) (ndays + 1));
	Amount		stands = 0;
	int			next = 0;

	for (; usage != NULL && next < usage->ndays && usage->days[next].day < first; next++)
	{
		core_step(core);
		stands = stands_after(&usage->days[next], kind, stands);
	}
	for (int i = 0; i < ndays; i++)
	{
		const MeterDay *day = usage != NULL && next < usage->ndays ? &usage->days[next] : NULL;

		core_step(core);
		figures[i].figure = stands;
		if (day == NULL || day->day != first + i)
			continue;
		figures[i].figure = figure_of_day(core, day, kind, stands);
		figures[i].stated = day->has_events || day->has_given;
		figures[i].given = day->has_given;
		stands = stands_after(day, kind, stands);
		next++;
	}
	return figures;
}

void
usage_forget_after(Core *core, Usage *usage, CalDay last)
{
	MeterUsage *meters = core_alloc(core, sizeof(MeterUsage) * (size_t) (usage->nmeters + 1));

	for (int i = last < usage->first ? 0 : last + 1 - usage->first; i < usage->ndays; i++)
		memset(usage->days[i], 0, sizeof(*usage->days));
	for (int i = 0; i < usage->nmeters; i++)
	{
		core_step(core);
		meters[i] = usage->meters[i];
		while (meters[i].ndays > 0 && meters[i].days[meters[i].ndays - 1].day > last)
			meters[i].ndays--;
	}
	usage->meters = meters;
}

bool
usage_any(Core *core, const Usage *usage)
{
	for (int i = 0; i < usage->nmeters; i++)
		if (usage->meters[i].ndays > 0)
			return true;
	for (int i = 0; i < usage->ndays; i++)
	{
		core_step(core);
		for (int f = USAGE_DAY + 1; f < USAGE_FIELDS; f++)
			if (usage->days[i][f] != 0)
				return true;
	}
	return false;
}
