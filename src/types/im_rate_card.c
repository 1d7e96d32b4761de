/*
 * im_rate_card.c
 *	  The SQL face of the rate card type.
 */
#include "types/rate_card.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "types/known_cards.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/memutils.h"

#define TYPE_NAME	RATE_CARD_TYPE

PG_FUNCTION_INFO_V1(im_rate_card_in);
PG_FUNCTION_INFO_V1(im_rate_card_out);
PG_FUNCTION_INFO_V1(im_rate_card_recv);
PG_FUNCTION_INFO_V1(im_rate_card_send);
PG_FUNCTION_INFO_V1(im_rate_card_from_jsonb);
PG_FUNCTION_INFO_V1(im_rate_card_to_jsonb);
PG_FUNCTION_INFO_V1(im_card_meters);

/* Validates, then keeps the document. */
static Datum
rate_card_of(Jsonb *document)
{
	const StoredJson *stored = known_card_of_document(document).stored;

	return datumCopy(PointerGetDatum(stored), false, -1);
}

Datum
im_rate_card_in(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(rate_card_of(jsonb_of_text(PG_GETARG_CSTRING(0))));
}

Datum
im_rate_card_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(stored_json_text(PG_GETARG_STORED_JSON_P(0), TYPE_NAME));
}

Datum
im_rate_card_recv(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(rate_card_of(stored_json_receive((StringInfo) PG_GETARG_POINTER(0), TYPE_NAME)));
}

Datum
im_rate_card_send(PG_FUNCTION_ARGS)
{
	PG_RETURN_BYTEA_P(stored_json_send(PG_GETARG_STORED_JSON_P(0), TYPE_NAME));
}

Datum
im_rate_card_from_jsonb(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(rate_card_of(PG_GETARG_JSONB_P(0)));
}

Datum
im_rate_card_to_jsonb(PG_FUNCTION_ARGS)
{
	PG_RETURN_JSONB_P(stored_json_document(PG_GETARG_STORED_JSON_P(0), TYPE_NAME));
}

const Card *
card_parse(const StoredJson *stored)
{
	return known_card_of_stored(stored).card;
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
card_of_plain(CardCache *cache, const StoredJson *stored)
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
	StoredJson *plain;
	const Card *card;

	if (cache->toasted_size == VARSIZE_ANY(raw) &&
		memcmp(cache->toasted, raw, cache->toasted_size) == 0)
		return cache->toasted_card;
	plain = DatumGetStoredJsonP(value);
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

/* The meters by name that a card states: what is to be gathered of its apps' events. */
Datum
im_card_meters(PG_FUNCTION_ARGS)
{
	const Card *card = card_argument(fcinfo, 0);
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	for (int i = 0; i < card->nmeters; i++)
	{
		const CardMeter *meter = &card->meters[i];
		Datum		values[] = {CStringGetTextDatum(meter->name),
			CStringGetTextDatum(meter_kind_names[meter->day]),
		CStringGetTextDatum(meter_kind_names[meter->month])};
		bool		nulls[lengthof(values)] = {false};

		CHECK_FOR_INTERRUPTS();
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
