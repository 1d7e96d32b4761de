/*
 * local_days.c
 *	  The local days of a span of instants, and the instants of a local day.
 */
#include "lib/compat.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/rangetypes.h"
#include "utils/typcache.h"

#include "server/zone.h"

PG_FUNCTION_INFO_V1(im_local_days);
PG_FUNCTION_INFO_V1(im_day_slice);

/* No clock was ever set by more than a day. */
#define FAR		((int64) 3 * USECS_PER_DAY)

/*
 * Widens [*first, *last] by the days of [since, until].  Where clocks are set
 * back over midnight, a later day can lie between two instants of one day.
 */
static void
take_days(Zone *zone, TimestampTz since, TimestampTz until, DateADT *first, DateADT *last)
{
	for (TimestampTz at = since; at <= until; at = zone_next_break(zone, at))
	{
		DateADT		day = zone_day(zone, at);

		*first = Min(*first, day);
		*last = Max(*last, day);
	}
}

/* Where zones are behind UTC, the first instants have no day that dates reach. */
static TimestampTz
with_day(TimestampTz at)
{
	return TIMESTAMP_NOT_FINITE(at) ? at : Max(at, MIN_TIMESTAMP + 2 * USECS_PER_DAY);
}

/* Only the ends of a long span say anything of its first and last day. */
static void
span_days(Zone *zone, TimestampTz since, TimestampTz until, DateADT *first, DateADT *last)
{
	bool		open_start = TIMESTAMP_IS_NOBEGIN(since),
				open_end = TIMESTAMP_IS_NOEND(until);

	if (!open_start && !open_end && until <= FAR + since)
	{
		take_days(zone, since, until, first, last);
		return;
	}
	if (!open_start)
		take_days(zone, since, since + FAR, first, last);
	if (!open_end)
		take_days(zone, until - FAR, until, first, last);
	if (open_start)
		*first = DATEVAL_NOBEGIN;
	if (open_end)
		*last = DATEVAL_NOEND;
}

static RangeBound
day_bound(DateADT day, bool lower)
{
	return (RangeBound) {
		.val = DateADTGetDatum(day), .infinite = DATE_NOT_FINITE(day), .inclusive = lower, .lower = lower
	};
}

Datum
im_local_days(PG_FUNCTION_ARGS)
{
	Zone	   *zone = zone_of_call(fcinfo, 2);
	TypeCacheEntry *typcache;
	DateADT		first = DATEVAL_NOEND,
				last = DATEVAL_NOBEGIN;
	RangeBound	lower,
				upper;

	span_days(zone, with_day(PG_GETARG_TIMESTAMPTZ(0)), with_day(PG_GETARG_TIMESTAMPTZ(1)), &first, &last);
	if (DATE_IS_NOEND(first) || DATE_IS_NOBEGIN(last))
		PG_RETURN_NULL();
	lower = day_bound(first, true);
	upper = day_bound(DATE_NOT_FINITE(last) ? last : last + 1, false);
	typcache = lookup_type_cache(DATERANGEOID, TYPECACHE_RANGE_INFO);
	PG_RETURN_RANGE_P(range_of_bounds(typcache, &lower, &upper));
}

/*
 * A day as a slice of instants: since, until, and whether it shares any of
 * them with another day, as where clocks were set back over midnight.
 */
Datum
im_day_slice(PG_FUNCTION_ARGS)
{
	DateADT		day = PG_GETARG_DATEADT(0);
	Zone	   *zone = zone_of_call(fcinfo, 1);
	TimestampTz since = zone_day_start(zone, day),
				until = zone_day_end(zone, day);
	bool		shared = until > zone_day_start(zone, day + 1) ||
		zone_day_end(zone, day - 1) > since;
	Datum		values[] = {
		TimestampTzGetDatum(since), TimestampTzGetDatum(until), BoolGetDatum(shared)
	};
	bool		nulls[lengthof(values)] = {false};
	TupleDesc	desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "the result of im_day_slice() is no row");
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
