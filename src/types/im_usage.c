/*
 * im_usage.c
 *	  The SQL face of the type im_usage: binary form, merging, access.
 */
#include "types/usage_value.h"

#include "funcapi.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "types/userset.h"
#include "utils/date.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(im_usage_send);
PG_FUNCTION_INFO_V1(im_usage_recv);
PG_FUNCTION_INFO_V1(im_usage_merge);
PG_FUNCTION_INFO_V1(im_usage_from);
PG_FUNCTION_INFO_V1(im_usage_days);

/* ---- binary ---- */

static void
send_sets(StringInfo out, const UsageValue *value)
{
	const char *set = (const char *) value + USAGE_SETS_AT(value);

	for (uint32 i = 0; i < value->nsets; i++)
	{
		pq_sendint32(out, VARSIZE(set) - VARHDRSZ);
		pq_sendbytes(out, VARDATA(set), VARSIZE(set) - VARHDRSZ);
		set += INTALIGN(VARSIZE(set));
	}
}

Datum
im_usage_send(PG_FUNCTION_ARGS)
{
	UsageValue *value = PG_GETARG_USAGE_VALUE_P(0);
	StringInfoData out;

	pq_begintypsend(&out);
	pq_sendint8(&out, value->version);
	pq_sendint8(&out, 0);
	pq_sendint32(&out, value->since);
	pq_sendint32(&out, value->nrows);
	pq_sendint32(&out, value->row_bytes);
	pq_sendint32(&out, value->nmeters);
	pq_sendint32(&out, value->meter_bytes);
	pq_sendint32(&out, value->nsets);
	pq_sendbytes(&out, (const char *) value->bytes, value->row_bytes + value->meter_bytes);
	send_sets(&out, value);
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}

static void
refuse_unless(bool ok, const char *what)
{
	if (!ok)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid im_usage: %s", what),
				 errdetail("The bytes are not those that im_usage_send() gives in this encoding."),
				 errhint("Send what im_usage_send gave in a database of encoding %s.",
						 GetDatabaseEncodingName())));
}

static void
receive_head(StringInfo message, UsageValue *head)
{
	head->version = pq_getmsgbyte(message);
	head->zero[0] = pq_getmsgbyte(message);
	head->since = pq_getmsgint(message, 4);
	head->nrows = pq_getmsgint(message, 4);
	head->row_bytes = pq_getmsgint(message, 4);
	head->nmeters = pq_getmsgint(message, 4);
	head->meter_bytes = pq_getmsgint(message, 4);
	head->nsets = pq_getmsgint(message, 4);
	refuse_unless((Size) head->row_bytes + head->meter_bytes <= (Size) (message->len - message->cursor),
				  "it is cut off");
}

/* The next set, every byte of it checked. */
static struct varlena *
receive_set(StringInfo message)
{
	uint32		len = pq_getmsgint(message, 4);
	StringInfoData part = {0};

	refuse_unless(len <= (uint32) (message->len - message->cursor), "a set of users is cut off");
	part.data = palloc(len + 1);
	memcpy(part.data, pq_getmsgbytes(message, len), len);
	part.data[len] = '\0';
	part.len = part.maxlen = len;
	return (struct varlena *) DatumGetPointer(DirectFunctionCall1(im_userset_recv, PointerGetDatum(&part)));
}

/* The value as it was sent, but for what its bytes say. */
static UsageValue *
receive_value(StringInfo message)
{
	UsageValue	head = {0};
	UsageValue *value;
	Size		size;

	receive_head(message, &head);
	size = USAGE_SETS_AT(&head);
	refuse_unless(size <= MaxAllocSize, "it is too large");
	value = palloc0(size);
	memcpy(value, &head, offsetof(UsageValue, bytes));
	memcpy(value->bytes, pq_getmsgbytes(message, head.row_bytes + head.meter_bytes),
		   head.row_bytes + head.meter_bytes);
	for (uint32 i = 0; i < head.nsets; i++)
	{
		struct varlena *set = receive_set(message);
		Size		len = INTALIGN(VARSIZE(set));

		refuse_unless(size + len <= MaxAllocSize, "it is too large");
		value = repalloc(value, size + len);
		memset((char *) value + size, 0, len);
		memcpy((char *) value + size, set, VARSIZE(set));
		size += len;
		pfree(set);
	}
	SET_VARSIZE(value, size);
	return value;
}

static void
check_rows(const UsageRows *rows)
{
	for (int64 i = 0; i < rows->nmeters; i++)
	{
		const char *meter = rows->meters[i].meter;

		CHECK_FOR_INTERRUPTS();
		refuse_unless(*meter != '\0' && pg_verifymbstr(meter, strlen(meter), true),
					  "the name of a meter is no text in this encoding");
	}
	refuse_unless(rows->since == USAGE_SINCE_OPEN || (rows->since >= CAL_MIN_DAY && rows->since <= CAL_MAX_DAY),
				  "the day from which it is known is out of range");
}

/*
 * What is stored must be what this library would have written: so the value
 * is taken apart, merged, written again and compared.
 */
Datum
im_usage_recv(PG_FUNCTION_ARGS)
{
	UsageValue *value = receive_value((StringInfo) PG_GETARG_POINTER(0)),
			   *again;
	UsageRows	rows;

	usage_rows_init(&rows, 31);
	usage_rows_read(&rows, value, ERRCODE_INVALID_BINARY_REPRESENTATION);
	check_rows(&rows);
	usage_rows_fold(&rows, 0);
	again = usage_rows_value(&rows);
	refuse_unless(VARSIZE(again) == VARSIZE(value) && memcmp(again, value, VARSIZE(value)) == 0,
				  "its days are not packed as they should be");
	PG_RETURN_POINTER(again);
}

/* ---- merging ---- */

/* What two values of one app say together; NULL says nothing. */
Datum
im_usage_merge(PG_FUNCTION_ARGS)
{
	UsageRows	rows;

	if (PG_ARGISNULL(0) && PG_ARGISNULL(1))
		PG_RETURN_NULL();
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_DATUM(PG_GETARG_DATUM(PG_ARGISNULL(0) ? 1 : 0));
	usage_rows_init(&rows, 64);
	usage_rows_read(&rows, PG_GETARG_USAGE_VALUE_P(0), ERRCODE_DATA_CORRUPTED);
	usage_rows_read(&rows, PG_GETARG_USAGE_VALUE_P(1), ERRCODE_DATA_CORRUPTED);
	usage_rows_fold(&rows, 0);
	PG_RETURN_POINTER(usage_rows_value(&rows));
}

/* Meters by name stay: what was set on earlier days may stand. */
static void
drop_days_before(UsageRows *rows, CalDay since)
{
	int64		n = 0;

	while (n < rows->count && rows->rows[n].fields[USAGE_DAY] < since)
		n++;
	rows->rows += n;
	rows->count -= n;
}

/* Usage of which a first day is known, without the days before it. */
Datum
im_usage_from(PG_FUNCTION_ARGS)
{
	CalDay		since = Min(Max(PG_GETARG_DATEADT(1), CAL_MIN_DAY), CAL_MAX_DAY);
	UsageValue *value = PG_ARGISNULL(0) ? NULL : PG_GETARG_USAGE_VALUE_P(0),
			   *result;
	UsageReader reader;
	UsageRow	row;
	UsageRows	rows;

	if (PG_ARGISNULL(1))
	{
		if (value == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(value);
	}
	if (value != NULL)
	{
		usage_reader_init(&reader, value, ERRCODE_DATA_CORRUPTED);
		if (!usage_reader_next(&reader, &row) || row.fields[USAGE_DAY] >= since)
		{
			result = palloc(VARSIZE(value));
			memcpy(result, value, VARSIZE(value));
			result->since = since;
			PG_RETURN_POINTER(result);
		}
	}
	usage_rows_init(&rows, 31);
	if (value != NULL)
		usage_rows_read(&rows, value, ERRCODE_DATA_CORRUPTED);
	drop_days_before(&rows, since);
	rows.since = since;
	PG_RETURN_POINTER(usage_rows_value(&rows));
}

/* ---- access ---- */

Datum
im_usage_days(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	UsageReader reader;
	UsageRow	row;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	usage_reader_init(&reader, PG_GETARG_USAGE_VALUE_P(0), ERRCODE_DATA_CORRUPTED);
	while (usage_reader_next(&reader, &row))
	{
		Datum		values[USAGE_FIELDS];
		bool		nulls[USAGE_FIELDS] = {false};

		CHECK_FOR_INTERRUPTS();
		values[USAGE_DAY] = DateADTGetDatum((DateADT) row.fields[USAGE_DAY]);
		for (int f = USAGE_DAY + 1; f < USAGE_FIELDS; f++)
			values[f] = Int64GetDatum(row.fields[f]);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	PG_RETURN_NULL();
}
