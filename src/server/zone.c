/*
 * zone.c
 *	  Local days of instants through cached spans of constant offset.
 *
 * AT TIME ZONE looks its zone up by name and searches its transitions for
 * every row.  Here both happen once per span: a Zone keeps the spans it met,
 * and the fast path is two comparisons and an addition.
 *
 * A span is found from the two questions that the time zone library answers:
 * which offset is in force at t, and when is the next transition after t.
 * Its beginning is searched by walking forward from SPAN_LOOK_BACK before t,
 * so a span may begin later than it could, never earlier.
 */
#include "lib/compat.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/datetime.h"

#include "server/zone.h"

#define SPAN_LOOK_BACK	((pg_time_t) 400 * SECS_PER_DAY)
#define UNIX_EPOCH_SECS \
	((pg_time_t) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY)

/* No zone is as far from Greenwich: POSIX names allow 167 hours. */
#define MAX_OFFSET		((int64) 168 * SECS_PER_HOUR * USECS_PER_SEC)

/*
 * Zones that AT TIME ZONE takes for an abbreviation of one fixed offset.  It
 * asks timezone_abbreviations, and from 18 on the session's zone before that:
 * im_day() is immutable, so these are what the settings are by default.
 * (UTC and GMT are zones of fixed offset themselves.)
 */
static const struct
{
	const char *name;
	int			hours_east;
}			abbreviations[] = {
	{"CET", 1}, {"EET", 2}, {"EST", -5}, {"HST", -10}, {"MET", 1}, {"MST", -7}, {"WET", 0}
};

static void
unknown_zone(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("time zone \"%s\" not recognized", name),
			 errhint("Use a full name of pg_timezone_names, such as Asia/Shanghai.")));
}

/* A zone whose offset never changes needs no library. */
static void
zone_fix(Zone *zone, int64 offset)
{
	zone->span.from = MIN_TIMESTAMP;
	zone->span.until = END_TIMESTAMP;
	zone->span.offset = offset;
}

static void
zone_fix_abbreviated(Zone *zone)
{
	for (int i = 0; i < (int) lengthof(abbreviations); i++)
		if (pg_strcasecmp(zone->name, abbreviations[i].name) == 0)
			zone_fix(zone, abbreviations[i].hours_east * USECS_PER_HOUR);
}

void
zone_set(Zone *zone, const char *name, int len)
{
	if (len > TZ_STRLEN_MAX)
		unknown_zone(psprintf("%.*s...", pg_mbcliplen(name, len, 60), name));
	zone->name_len = -1;		/* no zone, should this raise */
	memcpy(zone->name, name, len);
	zone->name[len] = '\0';
	zone->tz = pg_tzset(zone->name);
	if (zone->tz == NULL || !pg_tz_acceptable(zone->tz))
		unknown_zone(zone->name);
	zone->kept = zone->next = 0;
	zone->span.from = zone->span.until = 0;
	zone_fix_abbreviated(zone);
	zone->name_len = len;
}

Zone *
zone_of_call(FunctionCallInfo fcinfo, int argno)
{
	Zone	   *zone = fcinfo->flinfo->fn_extra;
	text	   *name = PG_GETARG_TEXT_PP(argno);
	int			len = VARSIZE_ANY_EXHDR(name);

	if (unlikely(zone == NULL))
	{
		zone = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(Zone));
		zone->name_len = -1;
		fcinfo->flinfo->fn_extra = zone;
	}
	if (unlikely(zone->name_len != len || memcmp(zone->name, VARDATA_ANY(name), len) != 0))
		zone_set(zone, VARDATA_ANY(name), len);
	return zone;
}

/*
 * The first transition after t, or false.  Exactly at the last transition
 * that the library tabulates it says that none follows, even where the rules
 * go on for ever; one second later it knows better.
 */
static bool
next_transition(const Zone *zone, pg_time_t t, pg_time_t *next)
{
	long int	before,
				after;
	int			before_dst,
				after_dst;

	for (int i = 0; i < 2; i++, t++)
		if (pg_next_dst_boundary(&t, &before, &before_dst, next, &after, &after_dst, zone->tz) == 1)
			return true;
	return false;
}

static TimestampTz
instant_of_secs(pg_time_t t)
{
	return (t - UNIX_EPOCH_SECS) * USECS_PER_SEC;
}

/* The span around an instant, clipped to the range of timestamps. */
static ZoneSpan
find_span(const Zone *zone, TimestampTz at)
{
	pg_time_t	t = floor_div(at, USECS_PER_SEC) + UNIX_EPOCH_SECS;
	pg_time_t	from = t - SPAN_LOOK_BACK;
	pg_time_t	next;
	bool		more;
	ZoneSpan	span = {.from = MIN_TIMESTAMP, .until = END_TIMESTAMP};
	struct pg_tm *tm = pg_localtime(&t, zone->tz);

	if (tm == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	span.offset = (int64) tm->tm_gmtoff * USECS_PER_SEC;
	while ((more = next_transition(zone, from, &next)) && next <= t)
		from = next;
	if (from > floor_div(MIN_TIMESTAMP, USECS_PER_SEC) + UNIX_EPOCH_SECS)
		span.from = instant_of_secs(from);
	if (more && next < END_TIMESTAMP / USECS_PER_SEC + UNIX_EPOCH_SECS)
		span.until = instant_of_secs(next);
	Assert(span.from <= at && at < span.until);
	return span;
}

void
zone_seek(Zone *zone, TimestampTz at)
{
	if (!IS_VALID_TIMESTAMP(at))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	for (int i = 0; i < zone->kept; i++)
		if (at >= zone->spans[i].from && at < zone->spans[i].until)
		{
			zone->span = zone->spans[i];
			return;
		}
	zone->span = zone->spans[zone->next] = find_span(zone, at);
	zone->next = (zone->next + 1) % ZONE_SPANS;
	zone->kept = Min(zone->kept + 1, ZONE_SPANS);
}

TimestampTz
zone_next_break(Zone *zone, TimestampTz at)
{
	int64		local = at + zone_offset(zone, at);
	int64		midnight = (floor_div(local, USECS_PER_DAY) + 1) * USECS_PER_DAY;

	return Min(midnight - zone->span.offset, zone->span.until);
}

/* An instant of whose day we are sure that it is before a given day. */
static TimestampTz
before_day(Zone *zone, DateADT day)
{
	TimestampTz at;

	if (day < (MIN_TIMESTAMP + MAX_OFFSET) / USECS_PER_DAY + 4 ||
		day > (END_TIMESTAMP - MAX_OFFSET) / USECS_PER_DAY - 4)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("date out of range for timestamp: %s", day_text(day))));
	at = day * USECS_PER_DAY;
	at -= zone_offset(zone, at) + 2 * USECS_PER_DAY;
	while (zone_day(zone, at) >= day)
		at -= USECS_PER_DAY;
	return at;
}

TimestampTz
zone_day_start(Zone *zone, DateADT day)
{
	TimestampTz at;

	if (DATE_NOT_FINITE(day))
		return DATE_IS_NOBEGIN(day) ? DT_NOBEGIN : DT_NOEND;
	at = before_day(zone, day);
	while (zone_day(zone, at) < day)
		at = zone_next_break(zone, at);
	return at;
}

TimestampTz
zone_day_end(Zone *zone, DateADT day)
{
	TimestampTz at,
				end,
				horizon;

	if (DATE_NOT_FINITE(day))
		return DATE_IS_NOBEGIN(day) ? DT_NOBEGIN : DT_NOEND;
	at = end = before_day(zone, day);
	horizon = at + 5 * USECS_PER_DAY;
	while (at < horizon)
	{
		bool		not_later = zone_day(zone, at) <= day;

		at = zone_next_break(zone, at);
		if (not_later)
			end = at;
	}
	return end;
}

char *
instant_text(TimestampTz at)
{
	char		buf[MAXDATELEN + 1];
	struct pg_tm tm;
	fsec_t		fsec;

	if (TIMESTAMP_NOT_FINITE(at))
		EncodeSpecialTimestamp(at, buf);
	else if (timestamp2tm(at, NULL, &tm, &fsec, NULL, NULL) == 0)
	{
		tm.tm_isdst = 0;		/* or the zone is not printed */
		EncodeDateTime(&tm, fsec, true, 0, NULL, USE_ISO_DATES, buf);
	}
	else
		strlcpy(buf, "out of range", sizeof(buf));
	return pstrdup(buf);
}

char *
day_text(DateADT day)
{
	char		buf[MAXDATELEN + 1];
	struct pg_tm tm = {0};

	if (DATE_NOT_FINITE(day))
		EncodeSpecialDate(day, buf);
	else
	{
		j2date(day + POSTGRES_EPOCH_JDATE, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
		EncodeDateOnly(&tm, USE_ISO_DATES, buf);
	}
	return pstrdup(buf);
}
