/*
 * im_charge.c
 *	  The SQL face of the charge type.
 */
#include "types/charge.h"

#include "types/stored_json.h"
#include "utils/memutils.h"

#define TYPE_NAME	"charge"

PG_FUNCTION_INFO_V1(im_charge_in);
PG_FUNCTION_INFO_V1(im_charge_out);
PG_FUNCTION_INFO_V1(im_charge_recv);
PG_FUNCTION_INFO_V1(im_charge_send);
PG_FUNCTION_INFO_V1(im_charge_from_jsonb);
PG_FUNCTION_INFO_V1(im_charge_to_jsonb);

static const Charge *
charge_of_document(Jsonb *document)
{
	Element		root = element_root(TYPE_NAME, document);

	return charge_from_element(&root);
}

/* Validates, then keeps the document. */
static Datum
stored_charge_of(Jsonb *document)
{
	charge_of_document(document);
	return PointerGetDatum(stored_json_of(document));
}

Datum
im_charge_in(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(stored_charge_of(jsonb_of_text(PG_GETARG_CSTRING(0))));
}

Datum
im_charge_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(stored_json_text(PG_GETARG_STORED_JSON_P(0), TYPE_NAME));
}

Datum
im_charge_recv(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(stored_charge_of(stored_json_receive((StringInfo) PG_GETARG_POINTER(0), TYPE_NAME)));
}

Datum
im_charge_send(PG_FUNCTION_ARGS)
{
	PG_RETURN_BYTEA_P(stored_json_send(PG_GETARG_STORED_JSON_P(0), TYPE_NAME));
}

Datum
im_charge_from_jsonb(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(stored_charge_of(PG_GETARG_JSONB_P(0)));
}

Datum
im_charge_to_jsonb(PG_FUNCTION_ARGS)
{
	PG_RETURN_JSONB_P(stored_json_document(PG_GETARG_STORED_JSON_P(0), TYPE_NAME));
}

/* The last charge that came to a call site, and its bytes. */
typedef struct ChargeCache
{
	MemoryContext context;
	StoredJson *stored;
	const Charge *charge;
} ChargeCache;

static ChargeCache *
charge_cache(FunctionCallInfo fcinfo)
{
	ChargeCache *cache = fcinfo->flinfo->fn_extra;

	if (cache == NULL)
	{
		cache = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(ChargeCache));
		cache->context = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "charge", ALLOCSET_SMALL_SIZES);
		fcinfo->flinfo->fn_extra = cache;
	}
	return cache;
}

const Charge *
charge_argument(FunctionCallInfo fcinfo, int argno)
{
	ChargeCache *cache = charge_cache(fcinfo);
	StoredJson *stored = PG_GETARG_STORED_JSON_P(argno);
	MemoryContext old;

	if (cache->stored != NULL && VARSIZE(stored) == VARSIZE(cache->stored) &&
		memcmp(stored, cache->stored, VARSIZE(stored)) == 0)
		return cache->charge;
	cache->stored = NULL;
	MemoryContextReset(cache->context);
	old = MemoryContextSwitchTo(cache->context);
	cache->charge = charge_of_document(stored_json_document(stored, TYPE_NAME));
	cache->stored = palloc(VARSIZE(stored));
	memcpy(cache->stored, stored, VARSIZE(stored));
	MemoryContextSwitchTo(old);
	return cache->charge;
}
