/*
 * quote_items.h
 *	  The add-ons of a quote, as people write them in JSON.
 */
#ifndef IM_RATE_QUOTE_ITEMS_H
#define IM_RATE_QUOTE_ITEMS_H

#include "lib/compat.h"

#include "core/finance/quote.h"
#include "utils/jsonb.h"

/*
 * Reads the add-ons into the request, whose card, plan and months are set:
 *
 *	  {"avchatroom": true, "history_storage": "90d", "call": {"option": "basic",
 *	   "months": 3}, "moderation_pack": {"option": "month", "quantity": 2},
 *	   "call_minutes": {"sd": 70000}}
 *	  ["avchatroom", {"history_storage": "90d"}]
 *
 * False and null mean not taken.  Allocates in the current memory context;
 * raises 22023 for what cannot be understood and for what the card does not
 * sell on the plan.
 */
extern void quote_items_read(QuoteRequest *request, Jsonb *addons);

#endif							/* IM_RATE_QUOTE_ITEMS_H */
