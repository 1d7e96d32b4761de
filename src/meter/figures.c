/*
 * figures.c
 *	  The aggregates im_meter_sum and im_meter_max: quantities of events.
 *
 * The state is one figure of 128 bits.  An Amount is as exact as the numeric
 * it came from and adds up in one instruction.
 */
#include "lib/compat.h"

#include "lib/wire.h"
#include "meter/figures.h"
#include "server/core.h"
#include "types/decimal.h"

PG_FUNCTION_INFO_V1(im_meter_sum_trans);
PG_FUNCTION_INFO_V1(im_meter_sum_combine);
PG_FUNCTION_INFO_V1(im_meter_max_trans);
PG_FUNCTION_INFO_V1(im_meter_max_combine);
PG_FUNCTION_INFO_V1(im_meter_figure_serial);
PG_FUNCTION_INFO_V1(im_meter_figure_deserial);
PG_FUNCTION_INFO_V1(im_meter_figure_final);

/* Takes one more figure into the first, which is there. */
typedef void (*TakeFigure) (Amount *figure, Amount more);

void
figure_take_sum(Amount *sum, Amount more)
{
	if (unlikely(__builtin_add_overflow(*sum, more, sum)))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("sum of quantities is too large"),
				 errdetail("Figures have at most 30 digits before the point."),
				 errhint("Look for quantities that cannot be meant.")));
}

void
figure_take_max(Amount *max, Amount more)
{
	if (more > *max)
		*max = more;
}

static inline Datum
take(FunctionCallInfo fcinfo, MemoryContext context, Amount more, TakeFigure take_figure)
{
	Amount	   *figure;

	if (!PG_ARGISNULL(0))
	{
		figure = (Amount *) PG_GETARG_POINTER(0);
		take_figure(figure, more);
	}
	else
	{
		figure = MemoryContextAlloc(context, sizeof(Amount));
		*figure = more;
	}
	PG_RETURN_POINTER(figure);
}

Datum
im_meter_sum_trans(PG_FUNCTION_ARGS)
{
	MemoryContext context = meter_context(fcinfo);

	if (PG_ARGISNULL(1))
		return state_unchanged(fcinfo);
	return take(fcinfo, context, quantity_argument(fcinfo, 1, "quantity"), figure_take_sum);
}

Datum
im_meter_max_trans(PG_FUNCTION_ARGS)
{
	MemoryContext context = meter_context(fcinfo);

	if (PG_ARGISNULL(1))
		return state_unchanged(fcinfo);
	return take(fcinfo, context, figure_argument(fcinfo, 1, "quantity"), figure_take_max);
}

Datum
im_meter_sum_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = meter_context(fcinfo);

	if (PG_ARGISNULL(1))
		return state_unchanged(fcinfo);
	return take(fcinfo, context, *(Amount *) PG_GETARG_POINTER(1), figure_take_sum);
}

Datum
im_meter_max_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = meter_context(fcinfo);

	if (PG_ARGISNULL(1))
		return state_unchanged(fcinfo);
	return take(fcinfo, context, *(Amount *) PG_GETARG_POINTER(1), figure_take_max);
}

Datum
im_meter_figure_serial(PG_FUNCTION_ARGS)
{
	StringInfoData buf;

	meter_context(fcinfo);
	wire_begin(&buf, "im_meter_sum", sizeof(Amount));
	wire_send_amount(&buf, *(Amount *) PG_GETARG_POINTER(0));
	PG_RETURN_BYTEA_P(wire_end(&buf));
}

Datum
im_meter_figure_deserial(PG_FUNCTION_ARGS)
{
	Amount	   *figure;
	StringInfoData buf;

	meter_context(fcinfo);
	figure = palloc(sizeof(Amount));
	wire_open(&buf, fcinfo);
	*figure = wire_amount(&buf);
	wire_close(&buf);
	PG_RETURN_POINTER(figure);
}

Datum
im_meter_figure_final(PG_FUNCTION_ARGS)
{
	meter_context(fcinfo);
	PG_RETURN_DATUM(amount_to_numeric(PG_ARGISNULL(0) ? 0 : *(Amount *) PG_GETARG_POINTER(0), 0));
}
