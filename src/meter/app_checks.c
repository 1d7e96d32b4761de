/*
 * app_checks.c
 *	  im_app_checks(app_id, at, kind, seconds, zone): moderation checks of all
 *	  apps by local day.
 *
 * What im_check_days is under GROUP BY app_id, in one state without GROUP BY:
 * a row then costs a look-up in our table instead of one in the executor's and
 * a state's.  The result is one flat bigint[] of six numbers a row: app, day,
 * texts, images, half minutes of audio and of video, by ascending app and day.
 *
 *	  state                  AppHours (app_hours.c): four sums by app and hour
 *	  received state         its bytes, until combining adds them up
 *
 * The state is as small as there are apps and hours, so parallel workers make
 * one each of any rows, and merge.  Memory: hash_mem, then temporary files.
 */
#include "lib/compat.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/primnodes.h"
#include "utils/array.h"

#include "lib/wire.h"
#include "meter/app_hours.h"
#include "meter/check_days.h"
#include "server/zone.h"

#define ARG_APP			1
#define ARG_AT			2
#define ARG_KIND		3
#define ARG_SECONDS		4
#define ARG_ZONE		5

PG_FUNCTION_INFO_V1(im_app_checks_trans);
PG_FUNCTION_INFO_V1(im_app_checks_combine);
PG_FUNCTION_INFO_V1(im_app_checks_serial);
PG_FUNCTION_INFO_V1(im_app_checks_deserial);
PG_FUNCTION_INFO_V1(im_app_checks_final);
PG_FUNCTION_INFO_V1(im_app_checks_rows);

typedef struct AppChecks
{
	AppHours   *hours;			/* NULL in a state just received */
	Zone	   *constant_zone;	/* the call site's, if the query names one */
	bool		zone_varies;
	StringInfoData received;
} AppChecks;

/* A row of the result, as it stands in the array: days for hours, units for sums. */
typedef AppHour AppDayChecks;

#define ROW_FIELDS		(2 + CHECK_KINDS)

StaticAssertDecl(sizeof(AppDayChecks) == ROW_FIELDS * sizeof(int64), "a row must be its numbers");

#define ST_SORT sort_rows
#define ST_ELEMENT_TYPE AppDayChecks
#define ST_COMPARE(a, b) \
	((a)->app_id != (b)->app_id ? ((a)->app_id < (b)->app_id ? -1 : 1) : \
	 (a)->hour != (b)->hour ? ((a)->hour < (b)->hour ? -1 : 1) : 0)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* ---- rows ---- */

static void
drop_files(Datum arg)
{
	app_hours_drop_files(((AppChecks *) DatumGetPointer(arg))->hours);
}

static pg_noinline AppChecks *
new_state(FunctionCallInfo fcinfo)
{
	MemoryContext context = meter_context(fcinfo);
	AppChecks  *state = MemoryContextAllocZero(context, sizeof(AppChecks));

	state->hours = app_hours_make(context, get_hash_memory_limit());
	AggRegisterCallback(fcinfo, drop_files, PointerGetDatum(state));
	return state;
}

static inline bool
any_null(FunctionCallInfo fcinfo)
{
	return PG_ARGISNULL(ARG_APP) | PG_ARGISNULL(ARG_AT) | PG_ARGISNULL(ARG_KIND) | PG_ARGISNULL(ARG_ZONE);
}

static pg_noinline void
null_argument(FunctionCallInfo fcinfo)
{
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("\"%s\" must not be null",
					PG_ARGISNULL(ARG_APP) ? "app_id" : PG_ARGISNULL(ARG_AT) ? "at" :
					PG_ARGISNULL(ARG_KIND) ? "kind" : "zone"),
			 PG_ARGISNULL(ARG_APP) ? 0 :
			 errdetail("App %lld.", (long long) PG_GETARG_INT64(ARG_APP))));
}

/* A constant, which the zone mostly is, cannot differ from row to row. */
static bool
zone_is_constant(FunctionCallInfo fcinfo)
{
	Aggref	   *aggref = AggGetAggref(fcinfo);

	return aggref != NULL && list_length(aggref->args) >= ARG_ZONE &&
		IsA(list_nth_node(TargetEntry, aggref->args, ARG_ZONE - 1)->expr, Const);
}

static inline Zone *
zone_of_row(FunctionCallInfo fcinfo, AppChecks *state)
{
	if (likely(state->constant_zone != NULL))
		return state->constant_zone;
	if (!state->zone_varies && zone_is_constant(fcinfo))
		return state->constant_zone = zone_of_call(fcinfo, ARG_ZONE);
	state->zone_varies = true;
	return zone_of_call(fcinfo, ARG_ZONE);
}

Datum
im_app_checks_trans(PG_FUNCTION_ARGS)
{
	EventRow	row = {.table = "im_moderation_check", .column = "kind", .kinds = CHECK_KINDS_HINT};
	AppChecks  *state = unlikely(PG_ARGISNULL(0)) ? new_state(fcinfo) : (AppChecks *) PG_GETARG_POINTER(0);
	text	   *kind;
	int			which;
	int32		amount;

	if (unlikely(any_null(fcinfo)))
		null_argument(fcinfo);
	row.app_id = PG_GETARG_INT64(ARG_APP);
	row.at = PG_GETARG_TIMESTAMPTZ(ARG_AT);
	row.offset = zone_offset(zone_of_row(fcinfo, state), row.at);
	kind = PG_GETARG_TEXT_PP(ARG_KIND);
	row.kind = VARDATA_ANY(kind);
	row.kind_len = VARSIZE_ANY_EXHDR(kind);
	row.has_seconds = !PG_ARGISNULL(ARG_SECONDS);
	row.seconds = row.has_seconds ? PG_GETARG_INT32(ARG_SECONDS) : 0;
	which = check_of_row(&row, &amount);
	app_hours_add(state->hours, row.app_id, event_hour(row.at, row.offset), which, amount);
	PG_RETURN_POINTER(state);
}

/* ---- partial states ---- */

Datum
im_app_checks_serial(PG_FUNCTION_ARGS)
{
	AppChecks  *state;
	StringInfoData buf;

	meter_context(fcinfo);
	state = (AppChecks *) PG_GETARG_POINTER(0);
	wire_begin(&buf, "im_app_checks", app_hours_size(state->hours));
	app_hours_send(&buf, state->hours);
	PG_RETURN_BYTEA_P(wire_end(&buf));
}

Datum
im_app_checks_deserial(PG_FUNCTION_ARGS)
{
	AppChecks  *state = palloc0(sizeof(AppChecks));

	meter_context(fcinfo);
	wire_open(&state->received, fcinfo);
	PG_RETURN_POINTER(state);
}

Datum
im_app_checks_combine(PG_FUNCTION_ARGS)
{
	AppChecks  *state = PG_ARGISNULL(0) ? NULL : (AppChecks *) PG_GETARG_POINTER(0);
	AppChecks  *more = PG_ARGISNULL(1) ? NULL : (AppChecks *) PG_GETARG_POINTER(1);

	if (more != NULL)
	{
		if (state == NULL)
			state = new_state(fcinfo);
		app_hours_recv(&more->received, state->hours);
		wire_close(&more->received);
	}
	if (state == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(state);
}

/* ---- the result ---- */

/* Half minutes are whole in each hour, so hours become days as units. */
static void
add_to_day(void *arg, const AppHour *hour)
{
	CalDay		day = event_hour_day(hour->hour);
	int64		units[CHECK_KINDS];

	check_sums_units(hour->sums, units);
	for (int k = 0; k < CHECK_KINDS; k++)
		app_hours_add(arg, hour->app_id, day, k, units[k]);
}

static void
add_row(void *arg, const AppHour *day)
{
	AppDayChecks **next = arg;

	*(*next)++ = *day;
}

static ArrayType *
array_of_days(AppHours *days)
{
	uint64		nrows = app_hours_count(days);
	Size		size = ARR_OVERHEAD_NONULLS(1) + nrows * sizeof(AppDayChecks);
	ArrayType  *array;
	AppDayChecks *next;

	if (!AllocSizeIsValid(size))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("result of im_app_checks has too many rows: " UINT64_FORMAT, nrows),
				 errhint("Count fewer days or apps at a time.")));
	array = palloc0(size);
	SET_VARSIZE(array, size);
	array->ndim = 1;
	array->elemtype = INT8OID;
	ARR_DIMS(array)[0] = (int) (nrows * ROW_FIELDS);
	ARR_LBOUND(array)[0] = 1;
	next = (AppDayChecks *) ARR_DATA_PTR(array);
	app_hours_finish(days, add_row, &next);
	sort_rows((AppDayChecks *) ARR_DATA_PTR(array), nrows);
	return array;
}

Datum
im_app_checks_final(PG_FUNCTION_ARGS)
{
	AppChecks  *state;
	AppHours   *days;

	meter_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = (AppChecks *) PG_GETARG_POINTER(0);
	days = app_hours_make(CurrentMemoryContext, MaxAllocHugeSize);
	app_hours_finish(state->hours, add_to_day, days);
	PG_RETURN_ARRAYTYPE_P(array_of_days(days));
}

static int
check_result(const ArrayType *array)
{
	int			items = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));

	if (ARR_NDIM(array) > 1 || ARR_HASNULL(array) || ARR_ELEMTYPE(array) != INT8OID || items % ROW_FIELDS != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("array is no result of im_app_checks"),
				 errdetail("It must be six numbers a row without nulls.")));
	return items / ROW_FIELDS;
}

Datum
im_app_checks_rows(PG_FUNCTION_ARGS)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(0);
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	int			nrows = check_result(array);
	const AppDayChecks *rows = (const AppDayChecks *) ARR_DATA_PTR(array);

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < nrows; i++)
	{
		Datum		values[ROW_FIELDS] = {Int64GetDatum(rows[i].app_id), DateADTGetDatum((DateADT) rows[i].hour)};
		bool		nulls[ROW_FIELDS] = {0};

		for (int k = 0; k < CHECK_KINDS; k++)
			values[2 + k] = Int64GetDatum(rows[i].sums[k]);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
