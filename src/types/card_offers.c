/*
 * card_offers.c
 *	  Elements of a price list that say to whom or for how long something is
 *	  sold.
 */
#include "types/card_offers.h"

#include "core/orders/order.h"

/* Months are written as people do: digits, and no zero in front. */
static int
read_months(const char *name, const Element *element)
{
	int64		months = 0;

	for (const char *c = name; *c != '\0'; c++)
	{
		if (*c < '0' || *c > '9' || (c == name && *c == '0') || c - name > 3)
			element_refuse(element, "is no number of months",
				   psprintf("A plan is bought for 1 to %d months, written as \"12\".", ORDER_MAX_MONTHS));
		months = months * 10 + (*c - '0');
	}
	if (months > ORDER_MAX_MONTHS)
		element_refuse(element, "is a price for too many months",
			   psprintf("A plan is bought for 1 to %d months.", ORDER_MAX_MONTHS));
	return (int) months;
}

static void
read_term_price(void *target, const char *name, const Element *element)
{
	CardPlan   *plan = target;

	plan->terms[plan->nterms++] = (TermPrice) {read_months(name, element), element_amount(element)};
}

void
read_term_prices(CardPlan *plan, const Element *element)
{
	Element		member;
	int			n;

	if (!element_find(element, "prices", &member))
		return;
	if (plan->rank == 0)
		element_refuse(&member, "prices terms though the rank is 0",
			   "The plan of rank 0 is the free plan that every app starts on.");
	n = element_each(&member, false, NULL, NULL);
	if (n == 0)
		element_refuse(&member, "is empty", "Leave the key out, or write months and their price.");
	plan->terms = palloc0(sizeof(TermPrice) * n);
	element_each(&member, false, read_term_price, plan);
}

/* A list of names in which none stands twice. */
static const char *
next_name(const char **names, int n, const Element *element)
{
	const char *name;

	if (element->value.type != jbvString)
		element_refuse(element, "is not a string", "Write it in quotes.");
	name = pnstrdup(element->value.val.string.val, element->value.val.string.len);
	for (int i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			element_refuse(element, psprintf("is \"%s\" once more", name), "Name it once.");
	return name;
}

static const char **
room_for_names(const Element *list)
{
	int			n = element_each_of(list, NULL, NULL);

	if (n == 0)
		element_refuse(list, "is empty", "Leave the key out, or name what it is for.");
	return palloc0(sizeof(char *) * n);
}

static void
read_renewed_option(void *target, const char *path, const Element *element)
{
	CardAddon  *addon = target;
	const char *option = next_name(addon->renew_only, addon->nrenew_only, element);

	(void) path;
	if (addon_price(addon, NULL, option) == NULL)
		element_refuse(element, psprintf("is \"%s\", which the add-on's prices do not have", option),
			   "Name options that some plan sells.");
	addon->renew_only[addon->nrenew_only++] = option;
}

void
read_renew_only(CardAddon *addon, const Element *element)
{
	Element		member;

	if (!element_find(element, "renew_only", &member))
		return;
	addon->renew_only = room_for_names(&member);
	element_each_of(&member, read_renewed_option, addon);
}

static void
read_moderation_plan(void *target, const char *path, const Element *element)
{
	Card	   *card = target;
	const char *name = next_name(card->moderation_plans, card->nmoderation_plans, element);

	(void) path;
	if (card_plan(card, name) == NULL)
		element_refuse(element, psprintf("is \"%s\", a plan that the card does not have", name),
			   "Use the names of plans.");
	card->moderation_plans[card->nmoderation_plans++] = name;
}

void
read_moderation_plans(Card *card, const Element *moderation)
{
	Element		member;

	if (!element_find(moderation, "plans", &member))
		return;
	card->moderation_plans = room_for_names(&member);
	element_each_of(&member, read_moderation_plan, card);
}
