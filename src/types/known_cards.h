/*
 * known_cards.h
 *	  Rate cards that this process has read, found again by their bytes.
 *
 * To read a card takes longer than to ask it for a limit.  No price is kept
 * from one statement to the next here: whoever asks brings the whole card, and
 * only what its bytes mean is known already.
 */
#ifndef IM_TYPES_KNOWN_CARDS_H
#define IM_TYPES_KNOWN_CARDS_H

#include "lib/compat.h"

#include "core/card.h"
#include "types/stored_json.h"

typedef struct KnownCard
{
	const Jsonb *document;
	const StoredJson *stored;
	const Card *card;
} KnownCard;

/*
 * The card of a document, and of a stored value.  What is not known yet is
 * read: 22023 with the path of the wrong element, XX001 for a stored value of
 * an unknown format.  It lasts as long as the process, or where it is too large
 * or too many are known, as long as the current memory context.
 */
extern KnownCard known_card_of_document(const Jsonb *document);
extern KnownCard known_card_of_stored(const StoredJson *stored);

#endif							/* IM_TYPES_KNOWN_CARDS_H */
