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
#include "lib/compat.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(im_canonical);
PG_FUNCTION_INFO_V1(im_canonical_record);

/* How the values of one call site are sent; invalid for text. */
typedef struct Senders
{
	Oid			type;			/* of the record */
	int32		typmod;
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
make_senders(FunctionCallInfo fcinfo, int count)
{
	Senders    *senders = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt,
												 offsetof(Senders, send) + count * sizeof(FmgrInfo));

	senders->count = count;
	fcinfo->flinfo->fn_extra = senders;
	return senders;
}

static Senders *
senders_of_call(FunctionCallInfo fcinfo)
{
	Senders    *senders = fcinfo->flinfo->fn_extra;

	if (senders == NULL)
	{
		senders = make_senders(fcinfo, PG_NARGS());
		for (int i = 0; i < senders->count; i++)
			find_sender(get_fn_expr_argtype(fcinfo->flinfo, i), &senders->send[i],
						fcinfo->flinfo->fn_mcxt);
	}
	return senders;
}

/* One call site may be given records of several types. */
static Senders *
senders_of_record(FunctionCallInfo fcinfo, TupleDesc desc)
{
	Senders    *senders = fcinfo->flinfo->fn_extra;

	if (senders == NULL || senders->type != desc->tdtypeid || senders->typmod != desc->tdtypmod)
	{
		senders = make_senders(fcinfo, desc->natts);
		senders->type = desc->tdtypeid;
		senders->typmod = desc->tdtypmod;
		for (int i = 0; i < senders->count; i++)
			find_sender(TupleDescAttr(desc, i)->atttypid, &senders->send[i],
						fcinfo->flinfo->fn_mcxt);
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

static bytea *
canonical_bytes(const Senders *senders, const Datum *values, const bool *nulls)
{
	StringInfoData buf;

	pq_begintypsend(&buf);
	for (int i = 0; i < senders->count; i++)
		if (nulls[i])
			pq_sendbyte(&buf, 0);
		else
			put_value(&buf, unconstify(FmgrInfo *, &senders->send[i]), values[i]);
	return pq_endtypsend(&buf);
}

/*
 * A function of any arguments is the last that the server takes: whoever may
 * create functions beside it can put one of the very arguments of a call in
 * front.  A record is one argument of one type.
 */
Datum
im_canonical_record(PG_FUNCTION_ARGS)
{
	HeapTupleHeader record = PG_GETARG_HEAPTUPLEHEADER(0);
	TupleDesc	desc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(record),
											  HeapTupleHeaderGetTypMod(record));
	HeapTupleData tuple = {.t_len = HeapTupleHeaderGetDatumLength(record), .t_data = record};
	Senders    *senders = senders_of_record(fcinfo, desc);
	Datum	   *values = palloc(sizeof(Datum) * desc->natts);
	bool	   *nulls = palloc(sizeof(bool) * desc->natts);

	heap_deform_tuple(&tuple, desc, values, nulls);
	ReleaseTupleDesc(desc);
	PG_RETURN_BYTEA_P(canonical_bytes(senders, values, nulls));
}

/* The same of arguments: what the SQL of earlier versions calls. */
Datum
im_canonical(PG_FUNCTION_ARGS)
{
	Datum		values[FUNC_MAX_ARGS];
	bool		nulls[FUNC_MAX_ARGS];

	for (int i = 0; i < PG_NARGS(); i++)
	{
		values[i] = PG_ARGISNULL(i) ? (Datum) 0 : PG_GETARG_DATUM(i);
		nulls[i] = PG_ARGISNULL(i);
	}
	PG_RETURN_BYTEA_P(canonical_bytes(senders_of_call(fcinfo), values, nulls));
}
