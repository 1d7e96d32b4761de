/*
 * quote.c
 *	  im_quote(): the price calculator.
 */
#include "rate/bill_lines.h"

#include "core/finance/quote.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "rate/quote_items.h"

PG_FUNCTION_INFO_V1(im_quote);

enum
{
	QUOTE_CARD,
	QUOTE_PLAN,
	QUOTE_MONTHS,
	QUOTE_PEAK_DAU,
	QUOTE_PEAK_GROUPS,
	QUOTE_ADDONS,
	QUOTE_DEDUCTIONS
};

static void
need_argument(FunctionCallInfo fcinfo, int argno, const char *name)
{
	if (PG_ARGISNULL(argno))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the %s of a quote is null", name),
				 errdetail("A quote is for a rate card, a plan and a number of months; null usage and add-ons count as none."),
				 errhint("Give all three.")));
}

static const char *
quoted_plan(const Card *card, char *name)
{
	if (card_plan(card, name) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the rate card does not price plan \"%s\"", name),
				 errdetail("What a card does not name, it does not sell."),
				 errhint("See im_price_list(card) for its plans.")));
	return name;
}

static int
quoted_months(int months)
{
	if (months < 1 || months > ORDER_MAX_MONTHS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a quote cannot be for %d months", months),
				 errdetail("A plan is bought for 1 to %d months.", ORDER_MAX_MONTHS),
				 errhint("Choose a number of months in that range.")));
	return months;
}

/* Usage of a month; null counts as 0. */
static int64
quoted_usage(FunctionCallInfo fcinfo, int argno, const char *what)
{
	int64		usage = PG_ARGISNULL(argno) ? 0 : PG_GETARG_INT64(argno);

	if (usage < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s " INT64_FORMAT " is negative", what, usage),
				 errdetail("Usage counts from 0."),
				 errhint("Give the highest figure that is expected in a month.")));
	return usage;
}

static Amount
quoted_deductions(FunctionCallInfo fcinfo, const Card *card, const char *plan)
{
	Amount		deductions = 0;
	Numeric		given;

	if (PG_ARGISNULL(QUOTE_DEDUCTIONS))
		return 0;
	given = PG_GETARG_NUMERIC(QUOTE_DEDUCTIONS);
	if (amount_from_numeric(given, &deductions) != AMOUNT_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is not a number of deductions",
						DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(given)))),
				 errdetail("Deductions of a month are at least 0 and below 10^%d, with at most %d decimal places.",
						   AMOUNT_INPUT_DIGITS, AMOUNT_PLACES),
				 errhint("im_deductions(card, kind, quantity) gives the deductions of checks and minutes.")));
	if (deductions > 0 && !card->sells_moderation)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the rate card does not price moderation"),
				 errdetail("What a card does not name, it does not sell."),
				 errhint("Quote no deductions on this card.")));
	if (deductions > 0 && !moderation_offered(card, plan))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the rate card does not offer moderation on plan \"%s\"", plan),
				 errdetail("On plans outside moderation.plans its switch counts as off."),
				 errhint("Quote no deductions on this plan.")));
	return deductions;
}

static void
read_request(FunctionCallInfo fcinfo, QuoteRequest *request)
{
	need_argument(fcinfo, QUOTE_CARD, "rate card");
	need_argument(fcinfo, QUOTE_PLAN, "plan");
	need_argument(fcinfo, QUOTE_MONTHS, "number of months");
	request->card = card_argument(fcinfo, QUOTE_CARD);
	request->plan = quoted_plan(request->card, text_to_cstring(PG_GETARG_TEXT_PP(QUOTE_PLAN)));
	request->months = quoted_months(PG_GETARG_INT32(QUOTE_MONTHS));
	request->peak_dau = quoted_usage(fcinfo, QUOTE_PEAK_DAU, "peak DAU");
	request->peak_groups = quoted_usage(fcinfo, QUOTE_PEAK_GROUPS, "peak of groups");
	request->deductions = quoted_deductions(fcinfo, request->card, request->plan);
	if (!PG_ARGISNULL(QUOTE_ADDONS))
		quote_items_read(request, PG_GETARG_JSONB_P(QUOTE_ADDONS));
}

Datum
im_quote(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	QuoteRequest request = {0};
	ServerCore	core;
	Quote	   *quote;
	int			number = 0;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	server_core_init(&core);
	read_request(fcinfo, &request);
	quote = quote_open(&core.core, &request);
	for (int n = 0; n < request.months; n++)
	{
		const Bill *bill = quote_bill(quote, n);

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < bill->nlines; i++)
			put_bill_line(result, bill, &bill->lines[i], ++number, NULL, false);
	}
	PG_RETURN_NULL();
}
