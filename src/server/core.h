/*
 * server.h
 *	  Runs the rating core inside the server: memory, errors, values.
 */
#ifndef IM_RATE_SERVER_H
#define IM_RATE_SERVER_H

#include "lib/compat.h"

#include <setjmp.h>

#include "core/amount.h"
#include "core/core.h"
#include "utils/numeric.h"

/*
 * A Core whose memory is the current memory context.  Problems become errors
 * of PostgreSQL; with "tolerant" set they are kept and control goes back to
 * "way_back", which the caller has filled with sigsetjmp.  That is safe
 * because the core holds nothing but palloc'd memory.
 */
typedef struct ServerCore
{
	Core		core;			/* must be first */
	bool		tolerant;
	sigjmp_buf	way_back;
	Problem		problem;
} ServerCore;

extern void server_core_init(ServerCore *core);

/* An Amount as numeric with at least min_places places, palloc'd. */
extern Datum amount_to_numeric(Amount amount, int min_places);

/* A numeric as an Amount; says what is wrong with one that is none. */
extern AmountParse amount_from_numeric(Numeric value, Amount *amount);

/* A sentence, which names of a card stand in, as text that reads one way. */
extern Datum sentence_datum(const char *sentence);

#endif							/* IM_RATE_SERVER_H */
