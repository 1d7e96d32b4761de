/*
 * canonical.c
 *	  Values as bytes that mean the same everywhere, for digests.
 *
 * A digest is computed again years later: in another session, in a restored
 * database, on another version.  So the bytes must follow from the values
 * alone.  Texts of dates, instants, numbers and bytea depend on settings;
 * binary forms do not, save that of text, which is converted to the client's
 * encoding.  Text is therefore taken in UTF-8, whatever the database has.
 *
 * Each value is one byte that tells null (0) from not null (1), and of the
 * latter four bytes of length, most significant first, and the bytes:
 *
 *		01 00000004 ffffdbe9	01 00000003 'p' 'r' 'o'		00
 *
 * Every value says where it ends, so no two lists of values have the same
 * bytes, and neither have two lists of lists of one length.
 */
#include "types/compat.h"

#include "catalog/pg_type.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(im_canonical);

/* How the values of one call site are sent; invalid for text. */
typedef struct Senders
{
	int			count;
	FmgrInfo	send[FLEXIBLE_ARRAY_MEMBER];
} Senders;

/* Types whose binary form hangs on nothing but the value. */
static void
find_sender(Oid type, FmgrInfo *send, MemoryContext context)
{
	Oid			function;
	bool		varlena;

	switch (type)
	{
		case TEXTOID:
			send->fn_oid = InvalidOid;
			return;
		case BOOLOID:
		case INT4OID:
		case INT8OID:
		case NUMERICOID:
		case DATEOID:
		case TIMESTAMPTZOID:
		case DATERANGEOID:
		case BYTEAOID:
			getTypeBinaryOutputInfo(type, &function, &varlena);
			fmgr_info_cxt(function, send, context);
			return;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("values of type %s have no canonical bytes", format_type_be(type)),
					 errdetail("Only types of invoices are digested."),
					 errhint("Cast the value to text, numeric, bigint, date, timestamptz, daterange or bytea.")));
	}
}

static Senders *
senders_of_call(FunctionCallInfo fcinfo)
{
	Senders    *senders = fcinfo->flinfo->fn_extra;
	MemoryContext context = fcinfo->flinfo->fn_mcxt;
	int			count = PG_NARGS();

	if (senders == NULL)
	{
		senders = MemoryContextAllocZero(context, offsetof(Senders, send) + count * sizeof(FmgrInfo));
		for (int i = 0; i < count; i++)
			find_sender(get_fn_expr_argtype(fcinfo->flinfo, i), &senders->send[i], context);
		senders->count = count;
		fcinfo->flinfo->fn_extra = senders;
	}
	return senders;
}

static void
put_bytes(StringInfo buf, const char *bytes, int length)
{
	pq_sendbyte(buf, 1);
	pq_sendint32(buf, length);
	appendBinaryStringInfo(buf, bytes, length);
}

/* A database of SQL_ASCII does not know what its bytes mean: they stay. */
static void
put_text(StringInfo buf, text *value)
{
	char	   *bytes = VARDATA_ANY(value);
	int			length = VARSIZE_ANY_EXHDR(value);
	char	   *utf8 = GetDatabaseEncoding() == PG_SQL_ASCII ? bytes :
		pg_server_to_any(bytes, length, PG_UTF8);

	put_bytes(buf, utf8, utf8 == bytes ? length : (int) strlen(utf8));
}

static void
put_value(StringInfo buf, FmgrInfo *send, Datum value)
{
	if (OidIsValid(send->fn_oid))
	{
		bytea	   *sent = SendFunctionCall(send, value);

		put_bytes(buf, VARDATA(sent), VARSIZE(sent) - VARHDRSZ);
	}
	else
		put_text(buf, DatumGetTextPP(value));
}

Datum
im_canonical(PG_FUNCTION_ARGS)
{
	Senders    *senders;
	StringInfoData buf;

	if (get_fn_expr_variadic(fcinfo->flinfo))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("VARIADIC array is not supported here"),
				 errhint("Give the values one by one.")));
	senders = senders_of_call(fcinfo);
	pq_begintypsend(&buf);
	for (int i = 0; i < senders->count; i++)
		if (PG_ARGISNULL(i))
			pq_sendbyte(&buf, 0);
		else
			put_value(&buf, &senders->send[i], PG_GETARG_DATUM(i));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}
