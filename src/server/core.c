/*
 * server.c
 *	  Runs the rating core inside the server: memory, errors, cancels, values.
 */
#include "server/core.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "types/decimal.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

PG_FUNCTION_INFO_V1(im_sentence);

static void *
server_alloc(Core *core, size_t size)
{
	(void) core;
	return MemoryContextAllocExtended(CurrentMemoryContext, size,
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

static int
problem_sqlstate(ProblemCode code)
{
	switch (code)
	{
		case PROBLEM_RULE:
			return ERRCODE_CHECK_VIOLATION;
		case PROBLEM_CARD:
			return ERRCODE_NO_DATA_FOUND;
		case PROBLEM_USAGE:
			return ERRCODE_INVALID_PARAMETER_VALUE;
		case PROBLEM_RANGE:
			break;
	}
	return ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE;
}

static void
server_fail(Core *core, const Problem *problem)
{
	ServerCore *server = (ServerCore *) core;

	if (server->tolerant)
	{
		server->problem = *problem;
		siglongjmp(server->way_back, 1);
	}
	ereport(ERROR,
			(errcode(problem_sqlstate(problem->code)),
			 errmsg("%s", problem->message),
			 errdetail("%s", problem->detail),
			 errhint("%s", problem->hint)));
}

static void
server_poll(Core *core)
{
	(void) core;
	CHECK_FOR_INTERRUPTS();
}

void
server_core_init(ServerCore *core)
{
	memset(core, 0, sizeof(*core));
	core->core.alloc = server_alloc;
	core->core.fail = server_fail;
	core->core.poll = server_poll;
}

Datum
amount_to_numeric(Amount amount, int min_places)
{
	char		text[AMOUNT_TEXT_SIZE];
	int			places = Max(amount_places(amount), min_places);
	Amount		units = amount;

	/* 64 bits are divided many times as fast as 128 */
	for (int i = places; i < AMOUNT_PLACES; i++)
		units = units == (int64) units ? (int64) units / 10 : units / 10;
	if (units >= PG_INT64_MIN && units <= PG_INT64_MAX)
		return NumericGetDatum(int64_div_fast_to_numeric((int64) units, places));
	return DirectFunctionCall3(numeric_in, CStringGetDatum(amount_text(amount, min_places, text)),
							   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
}

AmountParse
amount_from_numeric(Numeric value, Amount *amount)
{
	AmountParse parse = decimal_amount((const struct varlena *) value, amount);

	if (parse == AMOUNT_OK && *amount < 0)
		return AMOUNT_NEGATIVE;
	return parse == AMOUNT_OK && *amount > AMOUNT_INPUT_MOST ? AMOUNT_TOO_LARGE : parse;
}

/*
 * The embeddings, overrides and isolates of Unicode, U+202A-202E and
 * U+2066-2069: a plan's name with one in it would turn round the amount that
 * stands behind it.  The names stay what they are in columns of their own.
 */
static bool
is_direction(const unsigned char *c)
{
	return c[0] == 0xE2 && ((c[1] == 0x80 && c[2] >= 0xAA && c[2] <= 0xAE) ||
							(c[1] == 0x81 && c[2] >= 0xA6 && c[2] <= 0xA9));
}

Datum
sentence_datum(const char *sentence)
{
	text	   *result = cstring_to_text(sentence);
	unsigned char *c = (unsigned char *) VARDATA(result),
			   *end = c + VARSIZE(result) - VARHDRSZ;

	if (GetDatabaseEncoding() == PG_UTF8)
		for (; end - c >= 3; c++)
			if (is_direction(c))
				memcpy(c, "\xEF\xBF\xBD", 3);	/* U+FFFD */
	return PointerGetDatum(result);
}

Datum
im_sentence(PG_FUNCTION_ARGS)
{
	return sentence_datum(text_to_cstring(PG_GETARG_TEXT_PP(0)));
}
