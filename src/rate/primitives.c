/*
 * primitives.c
 *	  The rules that rate a single figure, usable over any table.
 *
 * They take and return numeric, so that a figure of any size and scale is
 * exact here even where a bill's line would be refused as too large.
 */
#include "types/rate_card.h"

#include "server/core.h"
#include "utils/fmgrprotos.h"

PG_FUNCTION_INFO_V1(im_block_fee);
PG_FUNCTION_INFO_V1(im_dau_overage);
PG_FUNCTION_INFO_V1(im_group_overage);
PG_FUNCTION_INFO_V1(im_addon_fee);
PG_FUNCTION_INFO_V1(im_moderation_fee);
PG_FUNCTION_INFO_V1(im_deductions);

static Datum
count_times_price(int64 count, Datum price)
{
	return DirectFunctionCall2(numeric_mul,
							   NumericGetDatum(int64_to_numeric(count)), price);
}

static void
check_not_negative(const char *what, int64 value)
{
	if (value < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s " INT64_FORMAT " is negative", what, value),
				 errdetail("Usage and quotas count from 0."),
				 errhint("Look for the rows that the figure was made of.")));
}

/* Refuses NaN, infinities and what is below zero. */
static void
check_quantity(const char *what, Numeric value)
{
	Datum		zero = NumericGetDatum(int64_to_numeric(0));

	if (!numeric_is_nan(value) && !numeric_is_inf(value) &&
		DatumGetBool(DirectFunctionCall2(numeric_ge, NumericGetDatum(value), zero)))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s %s is not a quantity", what,
					DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value)))),
			 errdetail("It must be a finite number of at least 0."),
			 errhint("Look for the rows that the figure was made of.")));
}

Datum
im_block_fee(PG_FUNCTION_ARGS)
{
	int64		usage = PG_GETARG_INT64(0),
				included = PG_GETARG_INT64(1),
				block = PG_GETARG_INT64(2);
	Numeric		price = PG_GETARG_NUMERIC(3);

	check_not_negative("usage", usage);
	check_not_negative("the free quota", included);
	check_quantity("the price", price);
	if (block < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a block of " INT64_FORMAT " cannot be started", block),
				 errdetail("A block holds at least 1."),
				 errhint("Use block 1 for a price per unit.")));
	PG_RETURN_DATUM(count_times_price(started_blocks(usage, included, block),
									  NumericGetDatum(price)));
}

static void
not_on_card(const char *what, const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the rate card does not price %s \"%s\"", what, name),
			 errdetail("What a card does not name, it does not sell."),
			 errhint("See im_price_list(card) for what it sells.")));
}

static const CardPlan *
plan_argument(const Card *card, FunctionCallInfo fcinfo)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	const CardPlan *plan = card_plan(card, name);

	if (plan == NULL)
		not_on_card("plan", name);
	return plan;
}

/* A plan that does not price the figure charges nothing for any of it. */
static Datum
block_price_fee(const BlockPrice *price, const char *what, int64 peak)
{
	check_not_negative(what, peak);
	if (!price->priced)
		return NumericGetDatum(int64_to_numeric(0));
	return count_times_price(started_blocks(peak, price->included, price->block),
							 amount_to_numeric(price->price, 0));
}

Datum
im_dau_overage(PG_FUNCTION_ARGS)
{
	const CardPlan *plan = plan_argument(card_argument(fcinfo, 0), fcinfo);

	PG_RETURN_DATUM(block_price_fee(&plan->dau, "peak DAU", PG_GETARG_INT64(2)));
}

Datum
im_group_overage(PG_FUNCTION_ARGS)
{
	const CardPlan *plan = plan_argument(card_argument(fcinfo, 0), fcinfo);

	PG_RETURN_DATUM(block_price_fee(&plan->groups, "peak of groups", PG_GETARG_INT64(2)));
}

Datum
im_addon_fee(PG_FUNCTION_ARGS)
{
	const Card *card = card_argument(fcinfo, 0);
	const CardPlan *plan = plan_argument(card, fcinfo);
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(2)),
			   *option = text_to_cstring(PG_GETARG_TEXT_PP(3));
	const CardAddon *addon = card_addon(card, name);
	const AddonPrice *price;

	if (addon == NULL)
		not_on_card("add-on", name);
	price = addon_price(addon, plan->name, option);
	if (price == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("add-on \"%s\" option \"%s\" is not sold on plan \"%s\"",
						name, option, plan->name),
				 errdetail("The rate card has no such price."),
				 errhint("See im_price_list(card) for what the plan sells.")));
	PG_RETURN_DATUM(amount_to_numeric(price->price, 0));
}

Datum
im_moderation_fee(PG_FUNCTION_ARGS)
{
	const Card *card = card_argument(fcinfo, 0);
	Numeric		deductions = PG_GETARG_NUMERIC(1);

	if (!card->sells_moderation)
		not_on_card("item", "moderation");
	check_quantity("the number of deductions", deductions);
	PG_RETURN_DATUM(DirectFunctionCall2(numeric_mul, NumericGetDatum(deductions),
										amount_to_numeric(card->deduction_price, 0)));
}

Datum
im_deductions(PG_FUNCTION_ARGS)
{
	const Card *card = card_argument(fcinfo, 0);
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	Numeric		quantity = PG_GETARG_NUMERIC(2);
	int			kind = check_kind_find(name, strlen(name));

	if (kind < 0 || !card->sells_moderation || !card->weighs[kind])
		not_on_card("checks of kind", name);
	check_quantity("the quantity", quantity);
	PG_RETURN_DATUM(DirectFunctionCall2(numeric_mul, NumericGetDatum(quantity),
										amount_to_numeric(card->coefficients[kind], 0)));
}
