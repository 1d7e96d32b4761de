/*
 * im_rate_card.c
 *	  The SQL face of the rate card type.
 */
#include "types/rate_card.h"

#include "libpq/pqformat.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

PG_FUNCTION_INFO_V1(im_rate_card_in);
PG_FUNCTION_INFO_V1(im_rate_card_out);
PG_FUNCTION_INFO_V1(im_rate_card_recv);
PG_FUNCTION_INFO_V1(im_rate_card_send);
PG_FUNCTION_INFO_V1(im_rate_card_from_jsonb);
PG_FUNCTION_INFO_V1(im_rate_card_to_jsonb);

static char *
stored_json(const RateCard *stored)
{
	if (VARSIZE(stored) < offsetof(RateCard, json) || stored->version != RATE_CARD_VERSION ||
		stored->reserved[0] != 0 || stored->reserved[1] != 0 || stored->reserved[2] != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("stored rate card has an unknown format"),
				 errdetail("Its version byte is %d, this library writes %d.",
						   VARSIZE(stored) < offsetof(RateCard, json) ? -1 : stored->version,
						   RATE_CARD_VERSION),
				 errhint("Install the version of the extension that wrote it.")));
	return pnstrdup(stored->json, VARSIZE(stored) - offsetof(RateCard, json));
}

static Jsonb *
jsonb_of_text(char *text)
{
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
}

/* Validates, then keeps the text in jsonb's own normal form. */
static RateCard *
rate_card_of(Jsonb *jsonb)
{
	char	   *text = JsonbToCString(NULL, &jsonb->root, VARSIZE(jsonb));
	Size		length = strlen(text);
	RateCard   *stored;

	card_from_jsonb(jsonb);
	stored = palloc0(offsetof(RateCard, json) + length);
	SET_VARSIZE(stored, offsetof(RateCard, json) + length);
	stored->version = RATE_CARD_VERSION;
	memcpy(stored->json, text, length);
	return stored;
}

Datum
im_rate_card_in(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(rate_card_of(jsonb_of_text(PG_GETARG_CSTRING(0))));
}

Datum
im_rate_card_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(stored_json(PG_GETARG_RATE_CARD_P(0)));
}

/* On the wire: the version byte and the JSON text. */
Datum
im_rate_card_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			version = pq_getmsgbyte(buf);
	char	   *text;
	int			length;

	if (version != RATE_CARD_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("unsupported rate card version number %d", version),
				 errdetail("This library reads version %d.", RATE_CARD_VERSION),
				 errhint("Send the card as text.")));
	text = pq_getmsgtext(buf, buf->len - buf->cursor, &length);
	PG_RETURN_POINTER(rate_card_of(jsonb_of_text(text)));
}

Datum
im_rate_card_send(PG_FUNCTION_ARGS)
{
	char	   *text = stored_json(PG_GETARG_RATE_CARD_P(0));
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbyte(&buf, RATE_CARD_VERSION);
	pq_sendtext(&buf, text, strlen(text));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

Datum
im_rate_card_from_jsonb(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(rate_card_of(PG_GETARG_JSONB_P(0)));
}

Datum
im_rate_card_to_jsonb(PG_FUNCTION_ARGS)
{
	PG_RETURN_JSONB_P(jsonb_of_text(stored_json(PG_GETARG_RATE_CARD_P(0))));
}

const Card *
card_parse(const RateCard *stored)
{
	return card_from_jsonb(jsonb_of_text(stored_json(stored)));
}

/* Whether equal bytes are equal values for as long as the query runs. */
static inline bool
is_lasting(const struct varlena *stored)
{
	return !VARATT_IS_EXTERNAL(stored) || VARATT_IS_EXTERNAL_ONDISK(stored);
}

static void
remember_toasted(CardCache *cache, const struct varlena *toasted, const Card *card)
{
	Size		size = VARSIZE_ANY(toasted);

	if (size > cache->toasted_room)
	{
		cache->toasted = MemoryContextAlloc(cache->context, size);
		cache->toasted_room = size;
	}
	memcpy(cache->toasted, toasted, size);
	cache->toasted_size = size;
	cache->toasted_card = card;
}

static const Card *
card_of_plain(CardCache *cache, const RateCard *stored)
{
	CardCacheEntry *entry;
	MemoryContext old;

	for (entry = cache->entries; entry != NULL; entry = entry->next)
		if (entry->size == VARSIZE(stored) && memcmp(entry->stored, stored, entry->size) == 0)
			return entry->card;

	old = MemoryContextSwitchTo(cache->context);
	entry = palloc(sizeof(CardCacheEntry));
	entry->size = VARSIZE(stored);
	entry->stored = palloc(entry->size);
	memcpy(entry->stored, stored, entry->size);
	entry->card = card_parse(entry->stored);
	entry->next = cache->entries;
	cache->entries = entry;
	MemoryContextSwitchTo(old);
	return entry->card;
}

const Card *
card_cache_get(CardCache *cache, Datum value)
{
	struct varlena *raw = (struct varlena *) DatumGetPointer(value);
	RateCard   *plain;
	const Card *card;

	if (cache->toasted_size == VARSIZE_ANY(raw) &&
		memcmp(cache->toasted, raw, cache->toasted_size) == 0)
		return cache->toasted_card;
	plain = DatumGetRateCardP(value);
	card = card_of_plain(cache, plain);
	if ((void *) plain != (void *) raw && is_lasting(raw))
		remember_toasted(cache, raw, card);
	return card;
}

const Card *
card_argument(FunctionCallInfo fcinfo, int argno)
{
	CardCache  *cache = fcinfo->flinfo->fn_extra;

	if (cache == NULL)
	{
		cache = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(CardCache));
		cache->context = fcinfo->flinfo->fn_mcxt;
		fcinfo->flinfo->fn_extra = cache;
	}
	return card_cache_get(cache, PG_GETARG_DATUM(argno));
}
