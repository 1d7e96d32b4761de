/*
 * forecast.c
 *	  What the running month's bill of one app will come to.
 */
#include "rate/inputs.h"

#include "core/finance/forecast.h"
#include "funcapi.h"
#include "utils/date.h"

PG_FUNCTION_INFO_V1(im_rate_forecast);

/* The argument after those of inputs.h: the last day that usage is known of. */
#define ARG_TODAY	(input_places(fcinfo)->more)

Datum
im_rate_forecast(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	CalMonth	month = inputs_month(fcinfo);
	Inputs		inputs;
	Usage	   *usage;
	Forecast   *forecast;
	int			scale;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	inputs_open(&inputs, fcinfo);
	inputs_read(&inputs);
	inputs_zone(&inputs);
	usage = inputs_usage(&inputs, month);
	inputs_give_users(&inputs, usage);
	forecast = forecast_month(&inputs.core.core,
							  inputs_account(&inputs, cal_first_day(month + 1)), usage,
							  PG_GETARG_DATEADT(ARG_TODAY), inputs_known_users);
	/* all versions of a card share currency and scale */
	scale = inputs.cards.versions[0].card->scale;
	{
		Datum		values[] = {
			CStringGetTextDatum(inputs.cards.versions[0].card->currency),
			amount_to_numeric(forecast->so_far, scale),
			amount_to_numeric(forecast->low, scale),
			amount_to_numeric(forecast->expected, scale),
			amount_to_numeric(forecast->high, scale),
			CStringGetTextDatum(forecast->method)
		};
		bool		nulls[lengthof(values)] = {false};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	PG_RETURN_NULL();
}
