/*
 * stored_json.h
 *	  Values that are a JSON document, validated when it came in.
 *
 * A stored value is the text in jsonb's own normal form behind a version byte.
 * JSON rather than a struct, because such a value is small, is read once per
 * query and must be readable by every later version.
 */
#ifndef IM_TYPES_STORED_JSON_H
#define IM_TYPES_STORED_JSON_H

#include "lib/compat.h"

#include "lib/stringinfo.h"
#include "utils/jsonb.h"

typedef struct StoredJson
{
	int32		vl_len_;		/* varlena header, do not touch directly */
	uint8		version;		/* STORED_JSON_VERSION */
	uint8		reserved[3];	/* zero */
	char		json[FLEXIBLE_ARRAY_MEMBER];	/* not terminated */
} StoredJson;

#define STORED_JSON_VERSION	1

#define DatumGetStoredJsonP(d)		((StoredJson *) PG_DETOAST_DATUM(d))
#define PG_GETARG_STORED_JSON_P(n)	DatumGetStoredJsonP(PG_GETARG_DATUM(n))

/*
 * All allocate in the current memory context; "what" names the type in errors.
 * The text and the document of a stored value: XX001 for one that this library
 * did not write.
 */
extern char *stored_json_text(const StoredJson *stored, const char *what);
extern Jsonb *stored_json_document(const StoredJson *stored, const char *what);

/* The value of a document that was validated, and a text as a document. */
extern StoredJson *stored_json_of(Jsonb *document);
extern Jsonb *jsonb_of_text(char *text);

/*
 * On the wire: the version byte and the text.  Receiving gives the document,
 * not validated; 22P03 for another version.
 */
extern Jsonb *stored_json_receive(StringInfo buf, const char *what);
extern bytea *stored_json_send(const StoredJson *stored, const char *what);

#endif							/* IM_TYPES_STORED_JSON_H */
