/*
 * charges.c
 *	  im_charge_amount and im_charge_lines: a quantity becomes money, over any table.
 */
#include "rate/charges.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "server/core.h"
#include "types/charge.h"
#include "types/decimal.h"

PG_FUNCTION_INFO_V1(im_charge_amount);
PG_FUNCTION_INFO_V1(im_charge_amount_of);
PG_FUNCTION_INFO_V1(im_charge_lines);
PG_FUNCTION_INFO_V1(im_charge_lines_of);

/* Columns of im_charge_lines. */
enum
{
	CHARGE_TIER,
	CHARGE_QUANTITY,
	CHARGE_UNIT_COUNT,
	CHARGE_UNIT_PRICE,
	CHARGE_AMOUNT,
	CHARGE_COLUMNS
};

Amount
included_argument(FunctionCallInfo fcinfo, int argno, Core *core, const Charge *charge,
				  const char *hint)
{
	if (PG_NARGS() > argno)
		return charge_included(core, charge, quantity_argument(fcinfo, argno, "quantity"));
	if (charge->share_of != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the charge includes a share of meter \"%s\"", charge->share_of),
				 errdetail("What is included is known only with the quantity of that meter."),
				 errhint("%s", hint)));
	return charge->included;
}

static ChargeResult
rate_arguments(FunctionCallInfo fcinfo)
{
	ServerCore	server;
	const Charge *charge = charge_argument(fcinfo, 0);
	Amount		quantity = quantity_argument(fcinfo, 1, "quantity"),
				included;

	server_core_init(&server);
	included = included_argument(fcinfo, 2, &server.core, charge,
								 "Give that quantity as a third argument, of_quantity.");
	return charge_rate(&server.core, charge, quantity, included);
}

Datum
im_charge_amount(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(amount_to_numeric(rate_arguments(fcinfo).amount, 0));
}

/* The same with of_quantity: a symbol of its own for each SQL function. */
Datum
im_charge_amount_of(PG_FUNCTION_ARGS)
{
	return im_charge_amount(fcinfo);
}

static void
put_charge_line(ReturnSetInfo *result, const ChargeLine *line)
{
	Datum		values[CHARGE_COLUMNS];
	bool		nulls[CHARGE_COLUMNS] = {false};

	values[CHARGE_TIER] = Int32GetDatum(line->tier);
	nulls[CHARGE_TIER] = line->kind == CHARGE_BOUND;
	values[CHARGE_QUANTITY] = amount_to_numeric(line->quantity, 0);
	values[CHARGE_UNIT_COUNT] = amount_to_numeric(line->units, 0);
	values[CHARGE_UNIT_PRICE] = amount_to_numeric(line->unit_price, 0);
	values[CHARGE_AMOUNT] = amount_to_numeric(line->amount, 0);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

Datum
im_charge_lines(PG_FUNCTION_ARGS)
{
	ChargeResult rated = rate_arguments(fcinfo);

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	for (int i = 0; i < rated.nlines; i++)
	{
		CHECK_FOR_INTERRUPTS();
		put_charge_line((ReturnSetInfo *) fcinfo->resultinfo, &rated.lines[i]);
	}
	return (Datum) 0;
}

Datum
im_charge_lines_of(PG_FUNCTION_ARGS)
{
	return im_charge_lines(fcinfo);
}
