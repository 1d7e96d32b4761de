/*
 * known_cards.c
 *	  Rate cards that this process has read, found again by their bytes.
 */
#include "types/known_cards.h"

#include "types/rate_card.h"
#include "utils/memutils.h"

#define MOST_KNOWN			64
#define MOST_BYTES_KNOWN	(64 * 1024)

/* None is ever dropped: rows of a query under way may hold what it means. */
static KnownCard known[MOST_KNOWN];
static int	count;

static bool
same_bytes(const void *a, const void *b)
{
	return VARSIZE(a) == VARSIZE(b) && memcmp(a, b, VARSIZE(a)) == 0;
}

static void *
copy_of(const void *value)
{
	void	   *copy = palloc(VARSIZE(value));

	memcpy(copy, value, VARSIZE(value));
	return copy;
}

/* Reads a card; the stored value is made of the document where it is NULL. */
static KnownCard
read_card(const Jsonb *document, const StoredJson *stored)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "imbilling rate card",
												  ALLOCSET_SMALL_SIZES),
				old = MemoryContextSwitchTo(context);
	Jsonb	   *copy = copy_of(document);
	KnownCard	read = {copy, NULL, card_from_jsonb(copy)};

	read.stored = stored != NULL ? copy_of(stored) : stored_json_of(copy);
	MemoryContextSwitchTo(old);
	if (count < MOST_KNOWN && VARSIZE(document) <= MOST_BYTES_KNOWN)
	{
		MemoryContextSetParent(context, TopMemoryContext);
		known[count++] = read;
	}
	return read;
}

KnownCard
known_card_of_document(const Jsonb *document)
{
	for (int i = 0; i < count; i++)
		if (same_bytes(known[i].document, document))
			return known[i];
	return read_card(document, NULL);
}

KnownCard
known_card_of_stored(const StoredJson *stored)
{
	for (int i = 0; i < count; i++)
		if (same_bytes(known[i].stored, stored))
			return known[i];
	return read_card(stored_json_document(stored, RATE_CARD_TYPE), stored);
}
