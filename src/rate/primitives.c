/*
 * primitives.c
 *	  The rules that rate a single figure, usable over any table.
 *
 * They take and return numeric, so that a figure of any size and scale is
 * exact here even where a bill's line would be refused as too large.
 */
#include "types/rate_card.h"

#include "rate/charges.h"
#include "server/core.h"
#include "types/decimal.h"
#include "utils/fmgrprotos.h"

PG_FUNCTION_INFO_V1(im_block_fee);
PG_FUNCTION_INFO_V1(im_dau_overage);
PG_FUNCTION_INFO_V1(im_group_overage);
PG_FUNCTION_INFO_V1(im_usage_fee);
PG_FUNCTION_INFO_V1(im_usage_fee_of);
PG_FUNCTION_INFO_V1(im_addon_fee);
PG_FUNCTION_INFO_V1(im_moderation_fee);
PG_FUNCTION_INFO_V1(im_deductions);

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
	ChargeTier	tier = {.price = AMOUNT_ONE};
	Charge		charge = {.ntiers = 1, .tiers = &tier};
	ServerCore	server;
	Amount		blocks;

	check_not_negative("usage", usage);
	check_not_negative("the free quota", included);
	check_quantity("the price", price);
	if (block < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a block of " INT64_FORMAT " cannot be started", block),
				 errdetail("A block holds at least 1."),
				 errhint("Use block 1 for a price per unit.")));
	/* a price of any scale: the charge gives the blocks, at 1 each */
	charge.tiers->block = amount_of(block);
	server_core_init(&server);
	blocks = charge_rate(&server.core, &charge, amount_of(usage), amount_of(included)).amount;
	PG_RETURN_DATUM(DirectFunctionCall2(numeric_mul, amount_to_numeric(blocks, 0),
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

/* The charge of a meter on the plan of the arguments, or of the add-on that prices it there. */
static const Charge *
charge_of_meter(FunctionCallInfo fcinfo, const char *meter)
{
	const Card *card = card_argument(fcinfo, 0);
	const CardPlan *plan = plan_argument(card, fcinfo);
	const CardAddon *addon = card_usage_addon(card, meter);

	if (card_meter(card, meter) == NULL)
		not_on_card("meter", meter);
	if (addon == NULL)
		return plan_charge(plan, meter);
	for (int i = 0; i < addon->nprices; i++)
		if (strcmp(addon->prices[i].plan, plan->name) == 0)
			return addon_charge(addon, meter);
	return NULL;
}

/* A plan that does not price the meter charges nothing for any of it. */
static Datum
usage_fee(FunctionCallInfo fcinfo, const Charge *charge, Amount quantity)
{
	ServerCore	server;
	Amount		included;

	if (charge == NULL)
		return NumericGetDatum(int64_to_numeric(0));
	server_core_init(&server);
	included = included_argument(fcinfo, 4, &server.core, charge,
								 "Use im_usage_fee(card, plan, meter, quantity, of_quantity), which takes that quantity.");
	return amount_to_numeric(charge_rate(&server.core, charge, quantity, included).amount, 0);
}

static Datum
peak_fee(FunctionCallInfo fcinfo, const char *meter, const char *what)
{
	const Charge *charge = charge_of_meter(fcinfo, meter);

	check_not_negative(what, PG_GETARG_INT64(2));
	return usage_fee(fcinfo, charge, amount_of(PG_GETARG_INT64(2)));
}

Datum
im_dau_overage(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(peak_fee(fcinfo, METER_DAU, "peak DAU"));
}

Datum
im_group_overage(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(peak_fee(fcinfo, METER_GROUPS, "peak of groups"));
}

Datum
im_usage_fee(PG_FUNCTION_ARGS)
{
	const Charge *charge = charge_of_meter(fcinfo, text_to_cstring(PG_GETARG_TEXT_PP(2)));

	PG_RETURN_DATUM(usage_fee(fcinfo, charge, quantity_argument(fcinfo, 3, "quantity")));
}

/* The same with of_quantity: a symbol of its own for each SQL function. */
Datum
im_usage_fee_of(PG_FUNCTION_ARGS)
{
	return im_usage_fee(fcinfo);
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
