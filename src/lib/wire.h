/*
 * wire.h
 *	  What all aggregates share: their memory, and states sent between
 *	  processes.
 *
 * A serialised state is a version byte, then the fields one by one in network
 * order.  Whoever reads one checks every field: the bytes come from our own
 * other half today, and from a column of a table tomorrow.
 */
#ifndef IM_WIRE_H
#define IM_WIRE_H

#include "fmgr.h"

#include "core/amount.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"

/*
 * The context that aggregate states live in.  Raises if the caller was called
 * as a plain function.
 */
extern MemoryContext meter_context(FunctionCallInfo fcinfo);

/* The state that is argument 0, NULL included: what comes of a row, or of a worker, that has nothing. */
static inline Datum
state_unchanged(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

/*
 * Starts a message of a state of so many bytes, palloc'd; raises 54000 with
 * the name of the aggregate if that is more than can be sent.
 */
extern void wire_begin(StringInfo buf, const char *aggregate, Size bytes);

/* The message as bytea. */
extern bytea *wire_end(StringInfo buf);

/*
 * Opens argument 0 of a deserialisation function for reading; buf points into
 * the argument.  Raises 22P03 for a version that is not ours.
 */
extern void wire_open(StringInfo buf, FunctionCallInfo fcinfo);

/*
 * A count of items of item_size bytes each, checked against the bytes that
 * are left.
 */
extern int64 wire_count(StringInfo buf, Size item_size);

/* An Amount, any bytes of which are one. */
extern void wire_send_amount(StringInfo buf, Amount amount);
extern Amount wire_amount(StringInfo buf);

/* A string with its terminator, in place; raises 22P03 if it has none. */
extern const char *wire_string(StringInfo buf);

/* Raises 22P03 unless ok. */
extern void wire_check(bool ok);

/* Raises 22P03 if bytes are left. */
extern void wire_close(StringInfo buf);

#endif							/* IM_WIRE_H */
