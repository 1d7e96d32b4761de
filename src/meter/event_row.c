/*
 * event_row.c
 *	  One row of im_moderation_check or im_call as the per-app meters get it.
 */
#include "lib/compat.h"

#include "mb/pg_wchar.h"

#include "meter/event_row.h"
#include "server/zone.h"

#define ARG_APP			1
#define ARG_AT			2
#define ARG_KIND		3
#define ARG_SECONDS		4
#define ARG_ZONE		5
#define ARG_FIRST_DAY	6
#define ARG_LAST_DAY	7

/*
 * An hour key is the local hour in the upper bits and the offset, moved above
 * zero, in the lower: offsets are below 168 hours, 604800 seconds.
 */
#define OFFSET_BITS		21
#define OFFSET_BIAS		((int64) 1 << (OFFSET_BITS - 1))

int64
event_hour(TimestampTz at, int64 offset)
{
	int64		hour = floor_div(at + offset, USECS_PER_HOUR);

	return hour * ((int64) 1 << OFFSET_BITS) + offset / USECS_PER_SEC + OFFSET_BIAS;
}

CalDay
event_hour_day(int64 hour)
{
	return (CalDay) floor_div(floor_div(hour, (int64) 1 << OFFSET_BITS), 24);
}

static pg_noinline void
check_nulls(FunctionCallInfo fcinfo)
{
	static const char *const names[] = {
		NULL, "app_id", "at", "kind", "seconds", "zone", "first_day", "last_day"
	};

	for (int i = ARG_APP; i <= ARG_LAST_DAY; i++)
		if (i != ARG_SECONDS && PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("\"%s\" must not be null", names[i]),
					 PG_ARGISNULL(ARG_APP) ? 0 :
					 errdetail("App %lld.", (long long) PG_GETARG_INT64(ARG_APP))));
}

static bool
any_null(FunctionCallInfo fcinfo)
{
	bool		null = PG_ARGISNULL(ARG_APP) | PG_ARGISNULL(ARG_AT) | PG_ARGISNULL(ARG_KIND);

	return null | PG_ARGISNULL(ARG_ZONE) | PG_ARGISNULL(ARG_FIRST_DAY) | PG_ARGISNULL(ARG_LAST_DAY);
}

static void
check_days(DateADT first, DateADT last)
{
	if (unlikely(first < CAL_MIN_DAY || last > CAL_MAX_DAY))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("days to meter are out of range: %s through %s",
						day_text(first), day_text(last)),
				 errhint("Days run from 0001-01-01 through 9999-12-31.")));
}

bool
event_row_read(EventRow *row, FunctionCallInfo fcinfo)
{
	DateADT		first = PG_GETARG_DATEADT(ARG_FIRST_DAY);
	DateADT		last = PG_GETARG_DATEADT(ARG_LAST_DAY);
	Zone	   *zone;
	text	   *kind;

	if (unlikely(any_null(fcinfo)))
		check_nulls(fcinfo);
	check_days(first, last);
	zone = zone_of_call(fcinfo, ARG_ZONE);
	row->at = PG_GETARG_TIMESTAMPTZ(ARG_AT);
	row->day = zone_day(zone, row->at);
	if (row->day < first || row->day > last)
		return false;
	row->offset = zone_offset(zone, row->at);
	row->app_id = PG_GETARG_INT64(ARG_APP);
	kind = PG_GETARG_TEXT_PP(ARG_KIND);
	row->kind = VARDATA_ANY(kind);
	row->kind_len = VARSIZE_ANY_EXHDR(kind);
	row->has_seconds = !PG_ARGISNULL(ARG_SECONDS);
	row->seconds = row->has_seconds ? PG_GETARG_INT32(ARG_SECONDS) : 0;
	return true;
}

static int
row_detail(const EventRow *row)
{
	if (row->table == NULL)
		return errdetail("The check was at %s.", instant_text(row->at));
	return errdetail("Table %s, app %lld, at %s.", row->table,
					 (long long) row->app_id, instant_text(row->at));
}

void
event_unknown_kind(const EventRow *row)
{
	int			len = Min(row->kind_len, 64);

	len = pg_mbcliplen(row->kind, row->kind_len, len);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown %s \"%.*s%s\"", row->column, len, row->kind,
					len < row->kind_len ? "..." : ""),
			 row_detail(row),
			 errhint("It is one of %s.", row->kinds)));
}

int32
event_seconds(const EventRow *row, bool required)
{
	if (unlikely(row->seconds < 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("negative seconds: %d", row->seconds),
				 row_detail(row),
				 errhint("Correct or delete the row.")));
	if (unlikely(required && !row->has_seconds))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("seconds missing for %s \"%.*s\"", row->column, row->kind_len, row->kind),
				 row_detail(row),
				 errhint("Correct or delete the row.")));
	return row->seconds;
}
