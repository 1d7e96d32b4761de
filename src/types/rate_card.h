/*
 * rate_card.h
 *	  The SQL type im_rate_card: a validated, immutable price list.
 *
 * A stored value is the JSON text that was validated when it came in, behind
 * a version byte.  JSON rather than a struct, because a price list is small,
 * is read once per query and must be readable by every later version.
 */
#ifndef IM_TYPES_RATE_CARD_H
#define IM_TYPES_RATE_CARD_H

#include "types/compat.h"

#include "core/card.h"
#include "utils/jsonb.h"

typedef struct RateCard
{
	int32		vl_len_;		/* varlena header, do not touch directly */
	uint8		version;		/* RATE_CARD_VERSION */
	uint8		reserved[3];	/* zero */
	char		json[FLEXIBLE_ARRAY_MEMBER];	/* not terminated */
} RateCard;

#define RATE_CARD_VERSION	1

#define DatumGetRateCardP(d)		((RateCard *) PG_DETOAST_DATUM(d))
#define PG_GETARG_RATE_CARD_P(n)	DatumGetRateCardP(PG_GETARG_DATUM(n))

/*
 * Reads and validates a price list.  Takes JSON, returns a Card in the
 * current memory context; raises 22023 with the path of the wrong element.
 */
extern const Card *card_from_jsonb(Jsonb *jsonb);

/* The Card of a stored value, in the current memory context. */
extern const Card *card_parse(const RateCard *stored);

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
	RateCard   *stored;
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
