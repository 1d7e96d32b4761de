/*
 * bill_items.h
 *	  A bill in short: what each item comes to.
 */
#ifndef IM_RATE_BILL_ITEMS_H
#define IM_RATE_BILL_ITEMS_H

#include "rate/inputs.h"

/*
 * {"item": amount} as jsonb, exact, lines of an item summed; null for an item
 * with a line that a preview's card does not price.
 */
extern Datum bill_items(const Bill *bill);

/* Why lines have no price, their explanations joined; NULL if all have one. */
extern const char *bill_unpriced(const Bill *bill);

#endif							/* IM_RATE_BILL_ITEMS_H */
