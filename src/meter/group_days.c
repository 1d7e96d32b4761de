/*
 * group_days.c
 *	  The aggregate im_group_days: peak of existing groups by local day.
 *
 * The events of the whole range are swept once, piece by piece: a piece is a
 * span of instants of one local day, mostly the day itself.  Where clocks are
 * set back over midnight a day comes in two pieces with another between, and
 * its peak is the higher of both.
 */
#include "lib/compat.h"

#include "miscadmin.h"

#include "lib/wire.h"
#include "types/usage_value.h"
#include "meter/group_events.h"
#include "meter/old_usage.h"
#include "server/zone.h"

#define ARG_APP			1
#define ARG_GROUP		2			/* for messages only */
#define ARG_CREATED		3
#define ARG_DISBANDED	4
#define ARG_ZONE		5
#define ARG_FIRST_DAY	6
#define ARG_LAST_DAY	7

typedef struct GroupDays
{
	int64		app_id;			/* of the first row, for messages */
	DateADT		first_day;
	DateADT		last_day;
	GroupEvents events;			/* of the instants of those days */
	Zone		zone;
} GroupDays;

PG_FUNCTION_INFO_V1(im_group_days_trans);
PG_FUNCTION_INFO_V1(im_group_days_combine);
PG_FUNCTION_INFO_V1(im_group_days_serial);
PG_FUNCTION_INFO_V1(im_group_days_deserial);
PG_FUNCTION_INFO_V1(im_group_days_value);
PG_FUNCTION_INFO_V1(im_group_days_final);

static bool
days_are_fit(DateADT first, DateADT last)
{
	return first >= CAL_MIN_DAY && last <= CAL_MAX_DAY && first <= last;
}

static GroupDays *
new_state(MemoryContext context, int64 app_id, DateADT first, DateADT last,
		  const char *zone, int zone_len)
{
	GroupDays  *state = MemoryContextAlloc(context, sizeof(GroupDays));

	state->app_id = app_id;
	state->first_day = first;
	state->last_day = last;
	zone_set(&state->zone, zone, zone_len);
	group_events_init(&state->events, zone_day_start(&state->zone, first),
					  zone_day_end(&state->zone, last));
	return state;
}

static GroupDays *
first_row_state(FunctionCallInfo fcinfo, MemoryContext context)
{
	DateADT		first = PG_GETARG_DATEADT(ARG_FIRST_DAY);
	DateADT		last = PG_GETARG_DATEADT(ARG_LAST_DAY);
	text	   *zone;

	for (int i = ARG_ZONE; i <= ARG_LAST_DAY; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("zone and days to meter must not be null")));
	if (!days_are_fit(first, last))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("days to meter are out of range: %s through %s",
						day_text(first), day_text(last)),
				 errhint("Days run from 0001-01-01 through 9999-12-31.")));
	zone = PG_GETARG_TEXT_PP(ARG_ZONE);
	return new_state(context, PG_ARGISNULL(ARG_APP) ? 0 : PG_GETARG_INT64(ARG_APP),
					 first, last, VARDATA_ANY(zone), VARSIZE_ANY_EXHDR(zone));
}

static pg_noinline void
bad_group(FunctionCallInfo fcinfo)
{
	char	   *group = PG_ARGISNULL(ARG_GROUP) ? "" :
		text_to_cstring(PG_GETARG_TEXT_PP(ARG_GROUP));

	if (PG_ARGISNULL(ARG_CREATED))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("created_at must not be null"),
				 errdetail("Table im_group, app %lld.",
						   (long long) PG_GETARG_INT64(ARG_APP))));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("group \"%s\" was disbanded before it was created", group),
			 errdetail("Table im_group, app %lld, created at %s, disbanded at %s.",
					   (long long) PG_GETARG_INT64(ARG_APP),
					   instant_text(PG_GETARG_TIMESTAMPTZ(ARG_CREATED)),
					   instant_text(PG_GETARG_TIMESTAMPTZ(ARG_DISBANDED))),
			 errhint("Correct or delete the row.")));
}

/* Zone and days are those of the first row: one query has one of each. */
Datum
im_group_days_trans(PG_FUNCTION_ARGS)
{
	MemoryContext context = meter_context(fcinfo);
	GroupDays  *state;
	TimestampTz created = PG_GETARG_TIMESTAMPTZ(ARG_CREATED);
	TimestampTz disbanded = PG_ARGISNULL(ARG_DISBANDED) ? DT_NOEND :
		PG_GETARG_TIMESTAMPTZ(ARG_DISBANDED);

	state = PG_ARGISNULL(0) ? first_row_state(fcinfo, context) :
		(GroupDays *) PG_GETARG_POINTER(0);
	if (unlikely(PG_ARGISNULL(ARG_CREATED)))
		bad_group(fcinfo);
	if (unlikely(disbanded < created) &&
		created >= state->events.since && created < state->events.until)
		bad_group(fcinfo);
	if (created < state->events.until &&
		(created > state->events.since || disbanded > state->events.since))
		group_events_add(&state->events, context, created, disbanded);
	PG_RETURN_POINTER(state);
}

Datum
im_group_days_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = meter_context(fcinfo);
	GroupDays  *state = PG_ARGISNULL(0) ? NULL : (GroupDays *) PG_GETARG_POINTER(0);
	GroupDays  *more = PG_ARGISNULL(1) ? NULL : (GroupDays *) PG_GETARG_POINTER(1);

	if (more != NULL)
	{
		if (state == NULL)
			state = new_state(context, more->app_id, more->first_day, more->last_day,
							  more->zone.name, more->zone.name_len);
		if (state->events.since != more->events.since || state->events.until != more->events.until)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("zone or days to meter change within a group")));
		group_events_append(&state->events, context, &more->events);
	}
	if (state == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(state);
}

Datum
im_group_days_serial(PG_FUNCTION_ARGS)
{
	GroupDays  *state;
	StringInfoData buf;

	meter_context(fcinfo);
	state = (GroupDays *) PG_GETARG_POINTER(0);
	wire_begin(&buf, "im_group_days", group_events_size(&state->events));
	pq_sendint64(&buf, state->app_id);
	pq_sendint32(&buf, state->first_day);
	pq_sendint32(&buf, state->last_day);
	pq_sendint32(&buf, state->zone.name_len);
	pq_sendbytes(&buf, state->zone.name, state->zone.name_len);
	group_events_send(&buf, &state->events);
	PG_RETURN_BYTEA_P(wire_end(&buf));
}

Datum
im_group_days_deserial(PG_FUNCTION_ARGS)
{
	GroupDays  *state;
	StringInfoData buf;
	GroupEvents events;
	int64		app_id;
	DateADT		first,
				last;
	int			len;

	meter_context(fcinfo);
	wire_open(&buf, fcinfo);
	app_id = pq_getmsgint64(&buf);
	first = pq_getmsgint(&buf, 4);
	last = pq_getmsgint(&buf, 4);
	len = pq_getmsgint(&buf, 4);
	wire_check(days_are_fit(first, last) && len > 0 && len <= TZ_STRLEN_MAX);
	state = new_state(CurrentMemoryContext, app_id, first, last, pq_getmsgbytes(&buf, len), len);
	group_events_recv(&buf, &events);
	wire_check(events.since == state->events.since && events.until == state->events.until);
	wire_close(&buf);
	state->events = events;
	PG_RETURN_POINTER(state);
}

/*
 * A day that comes in pieces has them among the last few rows: that of the
 * day it was set back to, and that of the day begun too early.
 */
static void
add_peak(UsageRows *days, CalDay day, int64 peak)
{
	if (peak == 0)
		return;
	for (int64 i = days->count - 1; i >= Max(days->count - 3, 0); i--)
		if (days->rows[i].fields[USAGE_DAY] == day)
		{
			days->rows[i].fields[USAGE_GROUPS] = Max(days->rows[i].fields[USAGE_GROUPS], peak);
			return;
		}
	usage_rows_add(days, day)->fields[USAGE_GROUPS] = peak;
}

static void
sweep_days(GroupDays *state, UsageRows *days)
{
	GroupSweep	sweep = group_sweep_begin(&state->events);
	TimestampTz at = state->events.since;

	while (at < state->events.until)
	{
		TimestampTz next = Min(zone_next_break(&state->zone, at), state->events.until);
		DateADT		day = zone_day(&state->zone, at);
		int64		peak = group_sweep_peak(&sweep, at, next);

		if (day >= state->first_day && day <= state->last_day)
			add_peak(days, day, peak);
		at = next;
		CHECK_FOR_INTERRUPTS();
	}
}

/* The rows of a state that is argument 0, none if it is NULL; returns its app. */
static int64
group_days_rows(FunctionCallInfo fcinfo, UsageRows *days)
{
	GroupDays  *state;

	meter_context(fcinfo);
	usage_rows_init(days, 31);
	if (PG_ARGISNULL(0))
		return 0;
	state = (GroupDays *) PG_GETARG_POINTER(0);
	sweep_days(state, days);
	return state->app_id;
}

Datum
im_group_days_value(PG_FUNCTION_ARGS)
{
	UsageRows	days;
	int64		app_id = group_days_rows(fcinfo, &days);

	return usage_rows_result(fcinfo, &days, app_id);
}

/* For SQL of 0.1.0 and 0.2.0. */
Datum
im_group_days_final(PG_FUNCTION_ARGS)
{
	UsageRows	days;
	int64		app_id = group_days_rows(fcinfo, &days);

	return old_usage_result(fcinfo, &days, app_id);
}
