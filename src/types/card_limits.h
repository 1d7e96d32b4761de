/*
 * card_limits.h
 *	  The limits that plans and add-ons of a rate card state (R14).
 */
#ifndef IM_TYPES_CARD_LIMITS_H
#define IM_TYPES_CARD_LIMITS_H

#include "core/card.h"
#include "types/element.h"

/*
 * Adds what a plan or an add-on states under its key "limits", if it has one:
 *
 *	  of a plan		{"name": value, ...}
 *	  of an add-on	{"plan": {"name": value, ...}, ...}
 *	  by option		{"plan": {"option": {"name": value, ...}, ...}, ...}
 *
 * A value is a number from 0 on, true or false, or null for no limit.  An
 * add-on's plans and prices have been read before.
 */
extern void limits_of_plan(Card *card, CardPlan *plan, const Element *element);
extern void limits_of_addon(Card *card, const CardAddon *addon, const Element *element);

/* Sorts them by name, and refuses what contradicts itself. */
extern void limits_settle(Card *card, const Element *root);

#endif							/* IM_TYPES_CARD_LIMITS_H */
