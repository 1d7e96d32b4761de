/*
 * deductions.c
 *	  The aggregate im_moderation_deductions: checks weighed by a rate card.
 *
 * The state is the tally of clock hours that im_check_days keeps too, and
 * what of the card counts: four coefficients and the zone that says when an
 * hour begins.  The checks are multiplied once, after summing.
 */
#include "lib/compat.h"

#include "nodes/primnodes.h"
#include "utils/numeric.h"

#include "core/amount.h"
#include "lib/wire.h"
#include "meter/check_days.h"
#include "server/zone.h"
#include "types/rate_card.h"

#define ARG_CARD		1
#define ARG_KIND		2
#define ARG_AT			3
#define ARG_SECONDS		4

/* What a rate card says about checks. */
typedef struct Weights
{
	bool		priced[CHECK_KINDS];
	Amount		coefficients[CHECK_KINDS];
	const char *zone;
} Weights;

typedef struct Deductions
{
	const Card *card;			/* of the last row, if met in this process */
	Weights		weights;
	Tally		tally;
} Deductions;

/* Kept by the call site: cards parsed and the zone of the last one. */
typedef struct CallSite
{
	CardCache	cards;
	const Card *only_card;		/* if the query names one card as a constant */
	bool		constant;
	const Card *zone_card;		/* whose zone it is */
	Zone		zone;
} CallSite;

PG_FUNCTION_INFO_V1(im_moderation_deductions_trans);
PG_FUNCTION_INFO_V1(im_moderation_deductions_combine);
PG_FUNCTION_INFO_V1(im_moderation_deductions_serial);
PG_FUNCTION_INFO_V1(im_moderation_deductions_deserial);
PG_FUNCTION_INFO_V1(im_moderation_deductions_final);

static Deductions *
new_state(MemoryContext context, const Weights *weights)
{
	Deductions *state = MemoryContextAllocZero(context, sizeof(Deductions));

	state->weights = *weights;
	state->weights.zone = MemoryContextStrdup(context, weights->zone);
	tally_init(&state->tally, context);
	return state;
}

static Weights
card_weights(const Card *card)
{
	Weights		weights = {.zone = card->time_zone};

	for (int i = 0; i < CHECK_KINDS; i++)
		if (card->sells_moderation && card->weighs[i])
		{
			weights.priced[i] = true;
			weights.coefficients[i] = card->coefficients[i];
		}
	return weights;
}

/*
 * One group is weighed one way.  Versions of a card that differ in prices
 * alone are alike here.
 */
static void
check_same_weights(const Weights *a, const Weights *b)
{
	bool		same = strcmp(a->zone, b->zone) == 0;

	for (int i = 0; i < CHECK_KINDS; i++)
		same &= a->priced[i] == b->priced[i] && a->coefficients[i] == b->coefficients[i];
	if (!same)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rate card changes within a group"),
				 errdetail("Its coefficients or its time zone are not those of the first row."),
				 errhint("Group by the rate card as well.")));
}

/*
 * Finding the card of a row compares all its bytes.  A constant, which a card
 * mostly is, cannot differ from row to row.
 */
static bool
card_is_constant(FunctionCallInfo fcinfo)
{
	Aggref	   *aggref = AggGetAggref(fcinfo);

	return aggref != NULL &&
		IsA(linitial_node(TargetEntry, aggref->args)->expr, Const);
}

static const Card *
card_of_row(FunctionCallInfo fcinfo, CallSite *site)
{
	const Card *card;

	if (site->only_card != NULL)
		return site->only_card;
	card = card_cache_get(&site->cards, PG_GETARG_DATUM(ARG_CARD));
	if (site->constant)
		site->only_card = card;
	return card;
}

static CallSite *
call_site(FunctionCallInfo fcinfo)
{
	CallSite   *site = fcinfo->flinfo->fn_extra;

	if (site == NULL)
	{
		site = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(CallSite));
		site->cards.context = fcinfo->flinfo->fn_mcxt;
		site->zone.name_len = -1;
		site->constant = card_is_constant(fcinfo);
		fcinfo->flinfo->fn_extra = site;
	}
	return site;
}

/* The state, its weights those of the row's card. */
static Deductions *
state_of_card(FunctionCallInfo fcinfo, const Card *card)
{
	Deductions *state = PG_ARGISNULL(0) ? NULL : (Deductions *) PG_GETARG_POINTER(0);

	if (state == NULL || state->card != card)
	{
		Weights		weights = card_weights(card);

		if (state == NULL)
			state = new_state(meter_context(fcinfo), &weights);
		check_same_weights(&state->weights, &weights);
		state->card = card;
	}
	return state;
}

static EventRow
read_row(FunctionCallInfo fcinfo, CallSite *site, const Card *card)
{
	EventRow	row = {.column = "kind", .kinds = CHECK_KINDS_HINT};
	text	   *kind = PG_GETARG_TEXT_PP(ARG_KIND);

	if (unlikely(site->zone_card != card))
	{
		if (site->zone.name_len < 0 || strcmp(site->zone.name, card->time_zone) != 0)
			zone_set(&site->zone, card->time_zone, strlen(card->time_zone));
		site->zone_card = card;
	}
	row.at = PG_GETARG_TIMESTAMPTZ(ARG_AT);
	row.offset = zone_offset(&site->zone, row.at);
	row.kind = VARDATA_ANY(kind);
	row.kind_len = VARSIZE_ANY_EXHDR(kind);
	row.has_seconds = !PG_ARGISNULL(ARG_SECONDS);
	row.seconds = row.has_seconds ? PG_GETARG_INT32(ARG_SECONDS) : 0;
	return row;
}

static void
check_no_nulls(FunctionCallInfo fcinfo)
{
	if (unlikely(PG_ARGISNULL(ARG_CARD) || PG_ARGISNULL(ARG_KIND) || PG_ARGISNULL(ARG_AT)))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s of a moderation check must not be null",
						PG_ARGISNULL(ARG_CARD) ? "rate card" :
						PG_ARGISNULL(ARG_KIND) ? "kind" : "time"),
				 errhint("Only the seconds of texts and images may be null.")));
}

/*
 * A row without kind and time is no check: an outer join makes such rows
 * where there is none.
 */
Datum
im_moderation_deductions_trans(PG_FUNCTION_ARGS)
{
	CallSite   *site = call_site(fcinfo);
	const Card *card;
	Deductions *state;
	EventRow	row;

	if (PG_ARGISNULL(ARG_KIND) && PG_ARGISNULL(ARG_AT))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_POINTER(PG_GETARG_POINTER(0));
	}
	check_no_nulls(fcinfo);
	card = card_of_row(fcinfo, site);
	state = state_of_card(fcinfo, card);
	row = read_row(fcinfo, site, card);
	check_tally_add(&state->tally, &row);
	PG_RETURN_POINTER(state);
}

Datum
im_moderation_deductions_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = meter_context(fcinfo);
	Deductions *state = PG_ARGISNULL(0) ? NULL : (Deductions *) PG_GETARG_POINTER(0);
	Deductions *more = PG_ARGISNULL(1) ? NULL : (Deductions *) PG_GETARG_POINTER(1);

	if (more != NULL)
	{
		if (state == NULL)
			state = new_state(context, &more->weights);
		check_same_weights(&state->weights, &more->weights);
		tally_merge(&state->tally, &more->tally);
	}
	if (state == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(state);
}

Datum
im_moderation_deductions_serial(PG_FUNCTION_ARGS)
{
	Deductions *state;
	StringInfoData buf;

	meter_context(fcinfo);
	state = (Deductions *) PG_GETARG_POINTER(0);
	wire_begin(&buf, "im_moderation_deductions", tally_size(&state->tally));
	pq_sendbytes(&buf, state->weights.zone, strlen(state->weights.zone) + 1);
	for (int i = 0; i < CHECK_KINDS; i++)
	{
		pq_sendint8(&buf, state->weights.priced[i]);
		pq_sendint64(&buf, (int64) (state->weights.coefficients[i] >> 64));
		pq_sendint64(&buf, (int64) state->weights.coefficients[i]);
	}
	tally_send(&buf, &state->tally);
	PG_RETURN_BYTEA_P(wire_end(&buf));
}

static Weights
recv_weights(StringInfo buf)
{
	Weights		weights;

	weights.zone = wire_string(buf);
	for (int i = 0; i < CHECK_KINDS; i++)
	{
		uint8		priced = pq_getmsgbyte(buf);
		int64		high = pq_getmsgint64(buf);
		uint64		low = pq_getmsgint64(buf);

		wire_check(priced <= 1 && high >= 0);
		weights.priced[i] = priced;
		weights.coefficients[i] = ((Amount) high << 64) | low;
	}
	return weights;
}

Datum
im_moderation_deductions_deserial(PG_FUNCTION_ARGS)
{
	Deductions *state;
	StringInfoData buf;
	Weights		weights;

	meter_context(fcinfo);
	wire_open(&buf, fcinfo);
	weights = recv_weights(&buf);
	state = new_state(CurrentMemoryContext, &weights);
	tally_recv(&buf, &state->tally);
	wire_close(&buf);
	PG_RETURN_POINTER(state);
}

/* Checks and half minutes of all hours. */
static void
sum_units(const Tally *tally, int64 totals[CHECK_KINDS])
{
	int64		count;
	TallyEntry *hours = tally_entries(tally, &count);

	memset(totals, 0, sizeof(int64) * CHECK_KINDS);
	for (int64 i = 0; i < count; i++)
	{
		int64		units[CHECK_KINDS];

		check_hour_units(&hours[i], units);
		for (int k = 0; k < CHECK_KINDS; k++)
			if (pg_add_s64_overflow(totals[k], units[k], &totals[k]))
				tally_overflow();
	}
}

static void
check_priced(const Weights *weights, const int64 totals[CHECK_KINDS])
{
	for (int k = 0; k < CHECK_KINDS; k++)
		if (totals[k] > 0 && !weights->priced[k])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the rate card does not price checks of kind \"%s\"",
							check_kind_names[k]),
					 errdetail("What a card does not name, it does not sell."),
					 errhint("Leave such checks out, or use a card that prices them.")));
}

static Datum
numeric_of_text(const char *text)
{
	return DirectFunctionCall3(numeric_in, CStringGetDatum(text),
							   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
}

/* Units times coefficient; a half minute is half of what a minute is. */
static Datum
weigh(CheckKind kind, int64 units, Amount coefficient)
{
	char		buf[AMOUNT_TEXT_SIZE];
	Datum		product = DirectFunctionCall2(numeric_mul,
											  NumericGetDatum(int64_to_numeric(units)),
											  numeric_of_text(amount_text(coefficient, 0, buf)));

	if (kind == CHECK_AUDIO || kind == CHECK_VIDEO)
		product = DirectFunctionCall2(numeric_mul, product, numeric_of_text("0.5"));
	return product;
}

Datum
im_moderation_deductions_final(PG_FUNCTION_ARGS)
{
	Datum		sum = NumericGetDatum(int64_to_numeric(0));
	Deductions *state;
	int64		totals[CHECK_KINDS];

	meter_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_DATUM(sum);
	state = (Deductions *) PG_GETARG_POINTER(0);
	sum_units(&state->tally, totals);
	check_priced(&state->weights, totals);
	for (int k = 0; k < CHECK_KINDS; k++)
		if (totals[k] > 0)
			sum = DirectFunctionCall2(numeric_add, sum,
									  weigh(k, totals[k], state->weights.coefficients[k]));
	PG_RETURN_DATUM(DirectFunctionCall1(numeric_trim_scale, sum));
}
