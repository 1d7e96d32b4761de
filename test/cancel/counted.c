/*
 * counted.c
 *	  Linked into the extension for one test: cancels after so many blocks of
 *	  its code and counts how many more run until the cancel is heard.
 *
 * The rest of the library is compiled with -fsanitize-coverage=trace-pc, which
 * calls the function below at the head of every block.  No clock is looked at.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"

PG_FUNCTION_INFO_V1(cancel_after);
PG_FUNCTION_INFO_V1(blocks_run);
PG_FUNCTION_INFO_V1(longest_unheard);

static int64 left = 0;			/* blocks until the cancel; 0: none is planned */
static int64 run = 0;
static int64 unheard = 0;
static int64 longest = 0;

extern void __sanitizer_cov_trace_pc(void);

void
__sanitizer_cov_trace_pc(void)
{
	run++;
	if (QueryCancelPending)
	{
		if (++unheard > longest)
			longest = unheard;
	}
	else if (left > 0 && --left == 0)
	{
		unheard = 0;
		QueryCancelPending = true;
		InterruptPending = true;
	}
}

/* Plans a cancel, and forgets what was counted before. */
Datum
cancel_after(PG_FUNCTION_ARGS)
{
	left = PG_GETARG_INT64(0);
	run = unheard = longest = 0;
	PG_RETURN_VOID();
}

/* Blocks that ran since; no cancel is planned any more. */
Datum
blocks_run(PG_FUNCTION_ARGS)
{
	left = 0;
	PG_RETURN_INT64(run);
}

Datum
longest_unheard(PG_FUNCTION_ARGS)
{
	left = 0;
	PG_RETURN_INT64(longest);
}
