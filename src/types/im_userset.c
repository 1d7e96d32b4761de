/*
 * im_userset.c
 *	  The SQL type im_userset: text and binary form, comparison, access.
 *
 * The text form is that of a one-dimensional text array, {a,"b c"}, so that
 * eyes and client libraries know it and ::text[] reads it.  It is in the
 * order of the ids' bytes.  Where in an array NULL would stand for no value
 * there is nothing it could mean here, so it must be quoted.
 */
#include "lib/userset_merge.h"

#include "access/detoast.h"
#include "common/hashfn.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"

PG_FUNCTION_INFO_V1(im_userset_in);
PG_FUNCTION_INFO_V1(im_userset_out);
PG_FUNCTION_INFO_V1(im_userset_send);
PG_FUNCTION_INFO_V1(im_userset_recv);
PG_FUNCTION_INFO_V1(im_userset_eq);
PG_FUNCTION_INFO_V1(im_userset_ne);
PG_FUNCTION_INFO_V1(im_userset_hash);
PG_FUNCTION_INFO_V1(im_userset_hash_extended);
PG_FUNCTION_INFO_V1(im_userset_union);
PG_FUNCTION_INFO_V1(im_count);
PG_FUNCTION_INFO_V1(im_users);

/* ---- text in ---- */

typedef struct TextParser
{
	const char *next;
	StringInfoData id;
	UserList	list;
} TextParser;

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static void
skip_blanks(TextParser *parser)
{
	while (is_blank(*parser->next))
		parser->next++;
}

/* Each of the following returns NULL or what is wrong. */
static const char *
parse_quoted(TextParser *parser)
{
	parser->next++;
	while (*parser->next != '"')
	{
		if (*parser->next == '\\')
			parser->next++;
		if (*parser->next == '\0')
			return "A quoted user id has no end.";
		appendStringInfoCharMacro(&parser->id, *parser->next);
		parser->next++;
	}
	parser->next++;
	return NULL;
}

static const char *
parse_bare(TextParser *parser)
{
	int			len = 0;		/* without blanks at the end */

	while (*parser->next != ',' && *parser->next != '}')
	{
		bool		blank = is_blank(*parser->next);

		if (*parser->next == '{' || *parser->next == '"')
			return "A user id with a brace or a quote in it must be quoted.";
		if (*parser->next == '\\')
			parser->next++;
		if (*parser->next == '\0')
			return "The closing brace is missing.";
		appendStringInfoCharMacro(&parser->id, *parser->next);
		parser->next++;
		if (!blank)
			len = parser->id.len;
	}
	parser->id.len = len;
	parser->id.data[len] = '\0';
	if (len == 0)
		return "An empty user id must be quoted.";
	if (pg_strcasecmp(parser->id.data, "null") == 0)
		return "A set has no nulls; a user id of that spelling must be quoted.";
	return NULL;
}

static const char *
parse_id(TextParser *parser)
{
	const char *wrong;

	resetStringInfo(&parser->id);
	skip_blanks(parser);
	wrong = *parser->next == '"' ? parse_quoted(parser) : parse_bare(parser);
	if (wrong != NULL)
		return wrong;
	userlist_add(&parser->list, parser->id.data, parser->id.len);
	skip_blanks(parser);
	if (*parser->next != ',' && *parser->next != '}')
		return "After a user id there must be a comma or the closing brace.";
	return NULL;
}

static const char *
parse_set(TextParser *parser)
{
	const char *wrong = NULL;

	skip_blanks(parser);
	if (*parser->next != '{')
		return "A set begins with an opening brace.";
	parser->next++;
	skip_blanks(parser);
	while (*parser->next != '}' && wrong == NULL)
	{
		wrong = parse_id(parser);
		if (wrong == NULL && *parser->next == ',')
		{
			parser->next++;
			skip_blanks(parser);
			if (*parser->next == '}')
				wrong = "After a comma there must be a user id.";
		}
	}
	if (wrong != NULL)
		return wrong;
	parser->next++;
	skip_blanks(parser);
	return *parser->next == '\0' ? NULL : "There is something after the closing brace.";
}

Datum
im_userset_in(PG_FUNCTION_ARGS)
{
	char	   *text = PG_GETARG_CSTRING(0);
	TextParser	parser;
	const char *wrong;

	parser.next = text;
	initStringInfo(&parser.id);
	userlist_init(&parser.list);
	wrong = parse_set(&parser);
	if (wrong != NULL)
		ereturn(fcinfo->context, (Datum) 0,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type %s: \"%.*s\"", "im_userset",
						pg_mbcliplen(text, strlen(text), 80), text),
				 errdetail("%s", wrong),
				 errhint("A set of users looks like {alice,\"b, c\"}.")));
	PG_RETURN_POINTER(userlist_finish(&parser.list));
}

/* ---- text out ---- */

/* The id of a reader's current key, in a buffer that grows as needed. */
static text *
current_id(UserSetReader *reader, text **buffer, Size *cap)
{
	Size		need = VARHDRSZ + USERSET_ID_ROOM(reader->key.len);
	int64		len;

	if (*buffer == NULL || *cap < need)
	{
		*cap = need * 2;
		*buffer = MemoryContextAllocHuge(reader->context, *cap);
	}
	len = userset_key_decode(reader->key.bytes, reader->key.len, VARDATA(*buffer));
	if (len < 0 || len > (int64) MaxAllocSize - VARHDRSZ)
		ereport(ERROR,
				(errcode(reader->sqlstate),
				 errmsg("invalid im_userset: a user id is damaged"),
				 errdetail("The bytes are not those that imbilling writes.")));
	SET_VARSIZE(*buffer, VARHDRSZ + len);
	return *buffer;
}

static int
compare_ids(const void *a, const void *b)
{
	const text *x = *(text *const *) a;
	const text *y = *(text *const *) b;
	Size		xlen = VARSIZE(x) - VARHDRSZ;
	Size		ylen = VARSIZE(y) - VARHDRSZ;
	int			cmp = memcmp(VARDATA(x), VARDATA(y), Min(xlen, ylen));

	CHECK_FOR_INTERRUPTS();
	return cmp != 0 ? cmp : (xlen > ylen) - (xlen < ylen);
}

static bool
needs_quotes(const char *id, Size len)
{
	if (len == 0 || (len == 4 && pg_strncasecmp(id, "null", 4) == 0))
		return true;
	for (Size i = 0; i < len; i++)
		if (strchr("{},\"\\", id[i]) != NULL || is_blank(id[i]))
			return true;
	return false;
}

static void
append_id(StringInfo out, const char *id, Size len)
{
	if (!needs_quotes(id, len))
	{
		appendBinaryStringInfo(out, id, len);
		return;
	}
	appendStringInfoCharMacro(out, '"');
	for (Size i = 0; i < len; i++)
	{
		if (id[i] == '"' || id[i] == '\\')
			appendStringInfoCharMacro(out, '\\');
		appendStringInfoCharMacro(out, id[i]);
	}
	appendStringInfoCharMacro(out, '"');
}

/* All ids of a set as text, sorted by their bytes. */
static text **
sorted_ids(Datum set, Size *count)
{
	UserSetReader reader;
	text	  **ids;
	text	   *buffer = NULL;
	Size		buffer_cap = 0,
				ids_cap = 32,
				n = 0;

	userset_reader_init(&reader, set);
	ids = palloc(ids_cap * sizeof(text *));
	while (userset_reader_next(&reader))
	{
		text	   *id = current_id(&reader, &buffer, &buffer_cap);

		if (n == ids_cap)
			ids = repalloc_huge(ids, (ids_cap *= 2) * sizeof(text *));
		ids[n] = palloc(VARSIZE(id));
		memcpy(ids[n++], id, VARSIZE(id));
	}
	userset_reader_close(&reader);
	qsort(ids, n, sizeof(text *), compare_ids);
	*count = n;
	return ids;
}

Datum
im_userset_out(PG_FUNCTION_ARGS)
{
	StringInfoData out;
	Size		count;
	text	  **ids = sorted_ids(PG_GETARG_DATUM(0), &count);

	initStringInfo(&out);
	appendStringInfoCharMacro(&out, '{');
	for (Size i = 0; i < count; i++)
	{
		if (i > 0)
			appendStringInfoCharMacro(&out, ',');
		append_id(&out, VARDATA(ids[i]), VARSIZE(ids[i]) - VARHDRSZ);
	}
	appendStringInfoCharMacro(&out, '}');
	PG_RETURN_CSTRING(out.data);
}

/* ---- binary ---- */

Datum
im_userset_send(PG_FUNCTION_ARGS)
{
	struct varlena *set = PG_GETARG_VARLENA_PP(0);
	StringInfoData out;

	pq_begintypsend(&out);
	pq_sendbytes(&out, VARDATA_ANY(set), VARSIZE_ANY_EXHDR(set));
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}

static void
refuse_bytes(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("invalid im_userset: %s", what),
			 errdetail("The bytes are not those that im_userset_send() gives in this encoding."),
			 errhint("Send what im_userset_send gave in a database of encoding %s.",
					 GetDatabaseEncodingName())));
}

/*
 * What is stored must be what this library would have written: only then is
 * the form of a set unique and equality that of the bytes.  So the set is
 * written again from its ids and compared.
 */
Datum
im_userset_recv(PG_FUNCTION_ARGS)
{
	StringInfo	message = (StringInfo) PG_GETARG_POINTER(0);
	Size		size = message->len - message->cursor;
	const uint8 *bytes = (const uint8 *) pq_getmsgbytes(message, size);
	UserSetReader reader;
	UserSetWriter writer;
	UserKey		again = {0};
	text	   *id = NULL;
	Size		cap = 0,
				again_cap = 0;
	struct varlena *set;

	userset_reader_init_bytes(&reader, bytes, size, ERRCODE_INVALID_BINARY_REPRESENTATION);
	userset_writer_init(&writer);
	while (userset_reader_next(&reader))
	{
		Size		len;

		id = current_id(&reader, &id, &cap);
		len = VARSIZE(id) - VARHDRSZ;
		if (!pg_verifymbstr(VARDATA(id), len, true))
			refuse_bytes("a user id is no text in this encoding");
		if (again.bytes == NULL || again_cap < USERSET_KEY_ROOM(len))
			again.bytes = palloc0(again_cap = 2 * USERSET_KEY_ROOM(len));
		again.len = userset_key_encode(VARDATA(id), len, again.bytes);
		userset_key_load(&again);
		if (userset_key_compare(&again, &reader.key) != 0)
			refuse_bytes("a user id is not packed as it should be");
		userset_writer_put(&writer, &reader.key);
	}
	set = userset_writer_finish(&writer);
	if (VARSIZE(set) - VARHDRSZ != size || memcmp(VARDATA(set), bytes, size) != 0)
		refuse_bytes("the blocks are not divided as they should be");
	PG_RETURN_POINTER(set);
}

/* ---- comparison ---- */

/* The form of a set is unique, so sets are equal as bytes are. */
static bool
sets_equal(Datum a, Datum b)
{
	struct varlena *x,
			   *y;

	if (toast_raw_datum_size(a) - VARHDRSZ != toast_raw_datum_size(b) - VARHDRSZ)
		return false;
	x = PG_DETOAST_DATUM_PACKED(a);
	y = PG_DETOAST_DATUM_PACKED(b);
	return VARSIZE_ANY_EXHDR(x) == VARSIZE_ANY_EXHDR(y) &&
		memcmp(VARDATA_ANY(x), VARDATA_ANY(y), VARSIZE_ANY_EXHDR(x)) == 0;
}

Datum
im_userset_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(sets_equal(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)));
}

Datum
im_userset_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(!sets_equal(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)));
}

/* Hash support may only say "differs"; executors compare with = after it. */
Datum
im_userset_hash(PG_FUNCTION_ARGS)
{
	struct varlena *set = PG_GETARG_VARLENA_PP(0);

	PG_RETURN_INT32(hash_bytes((unsigned char *) VARDATA_ANY(set), VARSIZE_ANY_EXHDR(set)));
}

Datum
im_userset_hash_extended(PG_FUNCTION_ARGS)
{
	struct varlena *set = PG_GETARG_VARLENA_PP(0);

	PG_RETURN_INT64(hash_bytes_extended((unsigned char *) VARDATA_ANY(set),
										VARSIZE_ANY_EXHDR(set), PG_GETARG_INT64(1)));
}

/* ---- algebra and access ---- */

Datum
im_userset_union(PG_FUNCTION_ARGS)
{
	Datum		sets[2] = {PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)};

	PG_RETURN_POINTER(userset_union(sets, 2));
}

Datum
im_count(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(userset_count(PG_GETARG_DATUM(0)));
}

typedef struct UsersCall
{
	UserSetReader reader;
	text	   *id;
	Size		cap;
} UsersCall;

static UsersCall *
first_users_call(FuncCallContext *funcctx, Datum set)
{
	MemoryContext old = MemoryContextSwitchTo(funcctx->multi_call_memory_ctx);
	UsersCall  *call = palloc0(sizeof(UsersCall));
	struct varlena *value = (struct varlena *) DatumGetPointer(set);

	/* The argument goes with the first row, the pointer must not. */
	if (VARATT_IS_EXTERNAL_ONDISK(value))
		value = memcpy(palloc(VARSIZE_EXTERNAL(value)), value, VARSIZE_EXTERNAL(value));
	else
		value = PG_DETOAST_DATUM_COPY(set);
	userset_reader_init(&call->reader, PointerGetDatum(value));
	MemoryContextSwitchTo(old);
	return call;
}

Datum
im_users(PG_FUNCTION_ARGS)
{
	FuncCallContext *funcctx;
	UsersCall  *call;
	text	   *id;

	if (SRF_IS_FIRSTCALL())
	{
		funcctx = SRF_FIRSTCALL_INIT();
		funcctx->user_fctx = first_users_call(funcctx, PG_GETARG_DATUM(0));
	}
	funcctx = SRF_PERCALL_SETUP();
	call = funcctx->user_fctx;
	if (!userset_reader_next(&call->reader))
		SRF_RETURN_DONE(funcctx);
	id = current_id(&call->reader, &call->id, &call->cap);
	id = memcpy(palloc(VARSIZE(id)), id, VARSIZE(id));
	SRF_RETURN_NEXT(funcctx, PointerGetDatum(id));
}
