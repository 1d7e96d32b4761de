/*
 * stored_json.c
 *	  Values that are a JSON document, validated when it came in.
 */
#include "types/stored_json.h"

#include "libpq/pqformat.h"
#include "utils/fmgrprotos.h"

char *
stored_json_text(const StoredJson *stored, const char *what)
{
	if (VARSIZE(stored) < offsetof(StoredJson, json) || stored->version != STORED_JSON_VERSION ||
		stored->reserved[0] != 0 || stored->reserved[1] != 0 || stored->reserved[2] != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("stored %s has an unknown format", what),
				 errdetail("Its version byte is %d, this library writes %d.",
						   VARSIZE(stored) < offsetof(StoredJson, json) ? -1 : stored->version,
						   STORED_JSON_VERSION),
				 errhint("Install the version of the extension that wrote it.")));
	return pnstrdup(stored->json, VARSIZE(stored) - offsetof(StoredJson, json));
}

Jsonb *
jsonb_of_text(char *text)
{
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
}

Jsonb *
stored_json_document(const StoredJson *stored, const char *what)
{
	return jsonb_of_text(stored_json_text(stored, what));
}

StoredJson *
stored_json_of(Jsonb *document)
{
	char	   *text = JsonbToCString(NULL, &document->root, VARSIZE(document));
	Size		length = strlen(text);
	StoredJson *stored = palloc0(offsetof(StoredJson, json) + length);

	SET_VARSIZE(stored, offsetof(StoredJson, json) + length);
	stored->version = STORED_JSON_VERSION;
	memcpy(stored->json, text, length);
	return stored;
}

Jsonb *
stored_json_receive(StringInfo buf, const char *what)
{
	int			version = pq_getmsgbyte(buf);
	int			length;

	if (version != STORED_JSON_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("unsupported %s version number %d", what, version),
				 errdetail("This library reads version %d.", STORED_JSON_VERSION),
				 errhint("Send the %s as text.", what)));
	return jsonb_of_text(pq_getmsgtext(buf, buf->len - buf->cursor, &length));
}

bytea *
stored_json_send(const StoredJson *stored, const char *what)
{
	char	   *text = stored_json_text(stored, what);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbyte(&buf, STORED_JSON_VERSION);
	pq_sendtext(&buf, text, strlen(text));
	return pq_endtypsend(&buf);
}
