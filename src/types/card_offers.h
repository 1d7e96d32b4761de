/*
 * card_offers.h
 *	  Elements of a price list that say to whom or for how long something is
 *	  sold.
 *
 * Each reads one optional member of an object that has been read otherwise,
 * and raises 22023 with the path of what is wrong.
 */
#ifndef IM_TYPES_CARD_OFFERS_H
#define IM_TYPES_CARD_OFFERS_H

#include "core/card.h"
#include "types/element.h"

/* "prices" of a plan: {"12": "4788"}, by the months of a purchase. */
extern void read_term_prices(CardPlan *plan, const Element *element);

/* "renew_only" of an add-on: the options, which its prices must have. */
extern void read_renew_only(CardAddon *addon, const Element *element);

/* "plans" of moderation: those on which the switch can count as on. */
extern void read_moderation_plans(Card *card, const Element *moderation);

#endif							/* IM_TYPES_CARD_OFFERS_H */
