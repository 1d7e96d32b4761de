/*
 * rate_card.h
 *	  The SQL type im_rate_card: a validated, immutable price list.
 *
 * A stored value is its JSON document (stored_json.h).
 */
#ifndef IM_TYPES_RATE_CARD_H
#define IM_TYPES_RATE_CARD_H

#include "lib/compat.h"

#include "core/card.h"
#include "types/stored_json.h"

/* What messages call a value of the type. */
#define RATE_CARD_TYPE	"rate card"

/*
 * Reads and validates a price list.  Takes JSON, returns a Card in the
 * current memory context; raises 22023 with the path of the wrong element.
 */
extern const Card *card_from_jsonb(Jsonb *jsonb);

/* The Card of a stored value, for the current memory context or longer. */
extern const Card *card_parse(const StoredJson *stored);

/*
 * Cards parsed before, for functions called once a row: a query meets few of
 * them, so they are kept in a list and found by their bytes.  The last one
 * that came compressed or by reference is known by those bytes already, so a
 * join hands one card to a million rows without unpacking it for each.  Lives
 * and allocates in "context".
 */
typedef struct CardCacheEntry
{
	struct CardCacheEntry *next;
	const Card *card;
	Size		size;
	StoredJson *stored;
} CardCacheEntry;

typedef struct CardCache
{
	MemoryContext context;
	CardCacheEntry *entries;
	void	   *toasted;		/* the last one as it came */
	Size		toasted_size;
	Size		toasted_room;
	const Card *toasted_card;
} CardCache;

/* The Card of a stored value, parsed at most once per cache. */
extern const Card *card_cache_get(CardCache *cache, Datum stored);

/* The Card of an argument, cached in fn_extra, which it takes for itself. */
extern const Card *card_argument(FunctionCallInfo fcinfo, int argno);

#endif							/* IM_TYPES_RATE_CARD_H */
