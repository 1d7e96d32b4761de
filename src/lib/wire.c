/*
 * wire.c
 *	  Memory of aggregate states, and states sent between processes.
 */
#include "lib/compat.h"

#include "utils/memutils.h"

#include "lib/wire.h"

#define WIRE_VERSION	1
#define WIRE_HEADER		64		/* more than all fixed fields of any state */

MemoryContext
meter_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
				 errmsg("function called outside its aggregate"),
				 errhint("Call the aggregate that this function belongs to.")));
	return context;
}

void
wire_begin(StringInfo buf, const char *aggregate, Size bytes)
{
	if (bytes > MaxAllocSize - 2 * WIRE_HEADER)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("state of %s is too large to pass to another process", aggregate),
				 errdetail("It takes %zu bytes; the limit is 1 GB.", bytes),
				 errhint("Set max_parallel_workers_per_gather to 0 for this query, or group by a shorter time.")));
	pq_begintypsend(buf);
	enlargeStringInfo(buf, bytes + WIRE_HEADER);
	pq_sendint8(buf, WIRE_VERSION);
}

bytea *
wire_end(StringInfo buf)
{
	return pq_endtypsend(buf);
}

void
wire_open(StringInfo buf, FunctionCallInfo fcinfo)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);

	buf->data = VARDATA_ANY(bytes);
	buf->len = VARSIZE_ANY_EXHDR(bytes);
	buf->maxlen = 0;
	buf->cursor = 0;
	wire_check(pq_getmsgint(buf, 1) == WIRE_VERSION);
}

int64
wire_count(StringInfo buf, Size item_size)
{
	int64		count = pq_getmsgint64(buf);

	wire_check(count >= 0 && count <= (int64) ((buf->len - buf->cursor) / item_size));
	return count;
}

void
wire_send_amount(StringInfo buf, Amount amount)
{
	pq_sendint64(buf, (uint64) ((unsigned __int128) amount >> 64));
	pq_sendint64(buf, (uint64) amount);
}

Amount
wire_amount(StringInfo buf)
{
	unsigned __int128 high = (uint64) pq_getmsgint64(buf);

	return (Amount) ((high << 64) | (uint64) pq_getmsgint64(buf));
}

/* pq_getmsgrawstring() looks for the end beyond the bytes, if need be. */
const char *
wire_string(StringInfo buf)
{
	const char *string = buf->data + buf->cursor;
	const char *end = memchr(string, '\0', buf->len - buf->cursor);

	wire_check(end != NULL);
	buf->cursor += (int) (end - string) + 1;
	return string;
}

void
wire_check(bool ok)
{
	if (!ok)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid serialized aggregate state")));
}

void
wire_close(StringInfo buf)
{
	wire_check(buf->cursor == buf->len);
}
