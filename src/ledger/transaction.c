/*
 * transaction.c
 *	  Whether a procedure may commit.
 *
 * COMMIT inside a transaction block fails with a message that tells nobody
 * what to do; who asks first can say it better.
 */
#include "lib/compat.h"

#include "access/xact.h"

PG_FUNCTION_INFO_V1(im_in_transaction_block);

Datum
im_in_transaction_block(PG_FUNCTION_ARGS)
{
	(void) fcinfo;
	PG_RETURN_BOOL(IsTransactionBlock());
}
