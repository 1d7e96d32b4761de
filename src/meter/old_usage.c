/*
 * old_usage.c
 *	  Usage as SQL of 0.1.0 and 0.2.0 carries it.
 */
#include "meter/old_usage.h"

#include "catalog/pg_type.h"
#include "lib/wire.h"
#include "miscadmin.h"
#include "meter/usage_state.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(im_usage_agg_combine);
PG_FUNCTION_INFO_V1(im_usage_agg_serial);
PG_FUNCTION_INFO_V1(im_usage_agg_deserial);
PG_FUNCTION_INFO_V1(im_usage_agg_final);
PG_FUNCTION_INFO_V1(im_usage_pack_final);

static ArrayType *
array_of(const UsageRows *rows)
{
	Size		size = ARR_OVERHEAD_NONULLS(1) + rows->count * sizeof(rows->rows->fields);
	ArrayType  *array = palloc(size);

	SET_VARSIZE(array, size);
	array->ndim = 1;
	array->dataoffset = 0;
	array->elemtype = INT8OID;
	ARR_DIMS(array)[0] = (int) (rows->count * USAGE_FIELDS);
	ARR_LBOUND(array)[0] = 1;
	for (int64 i = 0; i < rows->count; i++)
		memcpy(ARR_DATA_PTR(array) + i * sizeof(rows->rows->fields), rows->rows[i].fields,
			   sizeof(rows->rows->fields));
	return array;
}

Datum
old_usage_result(FunctionCallInfo fcinfo, UsageRows *rows, int64 app_id)
{
	if (rows->count == 0)
		PG_RETURN_NULL();
	usage_rows_fold(rows, app_id);
	PG_RETURN_ARRAYTYPE_P(array_of(rows));
}

static pg_noinline void
no_usage(int nitems)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("usage of %d integers is not made of whole days", nitems),
			 errdetail("Each day has %d integers, of which none is null or negative.", USAGE_FIELDS),
			 errhint("Make it with im_usage_agg and its like.")));
}

void
old_usage_read(UsageRows *rows, ArrayType *array, GivenFigures given)
{
	int			n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	const int64 *items = (const int64 *) ARR_DATA_PTR(array);

	if (n % USAGE_FIELDS != 0 || ARR_HASNULL(array) || ARR_ELEMTYPE(array) != INT8OID)
		no_usage(n);
	for (int i = 0; i < n; i += USAGE_FIELDS)
	{
		int64		day = items[i + USAGE_DAY];
		UsageRow   *row;

		CHECK_FOR_INTERRUPTS();
		/* no day that there is not was ever billed */
		if (day < CAL_MIN_DAY || day > CAL_MAX_DAY)
			continue;
		row = usage_rows_add(rows, (CalDay) day);
		memcpy(row->fields, items + i, sizeof(row->fields));
		row->given = given;
		for (int f = USAGE_DAY + 1; f < USAGE_FIELDS; f++)
			if (row->fields[f] < 0)
				no_usage(n);
	}
}

/* ---- the aggregate, whose states parallel workers handed over ---- */

static UsageRows
rows_of(const UsageState *state)
{
	UsageRows	rows;

	usage_rows_init(&rows, state->days.count);
	usage_rows_read(&rows, usage_pack_value(&state->days, state->app_id), ERRCODE_INTERNAL_ERROR);
	return rows;
}

Datum
im_usage_agg_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = meter_context(fcinfo);
	UsageState *state = PG_ARGISNULL(0) ? NULL : (UsageState *) PG_GETARG_POINTER(0);
	UsageState *more = PG_ARGISNULL(1) ? NULL : (UsageState *) PG_GETARG_POINTER(1);
	UsageRows	rows;

	if (more != NULL)
	{
		if (state == NULL)
			state = usage_state_make(context, more->app_id);
		rows = rows_of(more);
		for (int64 i = 0; i < rows.count; i++)
			usage_pack_add(&state->days, &rows.rows[i]);
	}
	if (state == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(state);
}

Datum
im_usage_agg_serial(PG_FUNCTION_ARGS)
{
	UsageState *state;
	UsageRows	rows;
	StringInfoData buf;

	meter_context(fcinfo);
	state = (UsageState *) PG_GETARG_POINTER(0);
	rows = rows_of(state);
	wire_begin(&buf, "im_usage_agg", rows.count * sizeof(rows.rows->fields));
	pq_sendint64(&buf, state->app_id);
	pq_sendint64(&buf, rows.count);
	for (int64 i = 0; i < rows.count; i++)
		for (int f = USAGE_DAY; f < USAGE_FIELDS; f++)
			pq_sendint64(&buf, rows.rows[i].fields[f]);
	PG_RETURN_BYTEA_P(wire_end(&buf));
}

Datum
im_usage_agg_deserial(PG_FUNCTION_ARGS)
{
	UsageState *state;
	StringInfoData buf;
	int64		count;

	meter_context(fcinfo);
	wire_open(&buf, fcinfo);
	state = usage_state_make(CurrentMemoryContext, pq_getmsgint64(&buf));
	count = wire_count(&buf, sizeof(int64) * USAGE_FIELDS);
	for (int64 i = 0; i < count; i++)
	{
		UsageRow	row = {0};

		for (int f = USAGE_DAY; f < USAGE_FIELDS; f++)
		{
			row.fields[f] = pq_getmsgint64(&buf);
			wire_check(f == USAGE_DAY ? row.fields[f] >= CAL_MIN_DAY && row.fields[f] <= CAL_MAX_DAY :
					   row.fields[f] >= 0);
		}
		usage_pack_add(&state->days, &row);
	}
	wire_close(&buf);
	PG_RETURN_POINTER(state);
}

Datum
im_usage_agg_final(PG_FUNCTION_ARGS)
{
	UsageState *state;
	UsageRows	rows;

	meter_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = (UsageState *) PG_GETARG_POINTER(0);
	rows = rows_of(state);
	return old_usage_result(fcinfo, &rows, state->app_id);
}

Datum
im_usage_pack_final(PG_FUNCTION_ARGS)
{
	return im_usage_agg_final(fcinfo);
}
