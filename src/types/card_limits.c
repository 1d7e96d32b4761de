/*
 * card_limits.c
 *	  The limits that plans and add-ons of a rate card state (R14).
 */
#include "types/card_limits.h"

/* Whose limits are being read. */
typedef struct LimitReader
{
	Card	   *card;
	const CardAddon *addon;		/* NULL: the plan's own */
	const char *plan;
	const char *option;			/* NULL: of whichever */
} LimitReader;

/* The array doubles whenever it is full, which is at every power of two. */
static CardLimit *
next_limit(Card *card)
{
	int			n = card->nlimits;

	if (n == 0)
		card->limits = palloc(sizeof(CardLimit));
	else if ((n & (n - 1)) == 0)
		card->limits = repalloc(card->limits, sizeof(CardLimit) * n * 2);
	return &card->limits[card->nlimits++];
}

static void
read_limit(void *target, const char *name, const Element *element)
{
	const LimitReader *reader = target;
	CardLimit	limit = {
		.name = name,
		.addon = reader->addon != NULL ? reader->addon->name : NULL,
		.plan = reader->plan,
		.option = reader->option
	};

	if (element->value.type == jbvNull)
		limit.unlimited = true;
	else if (element->value.type == jbvBool)
	{
		limit.feature = true;
		limit.value = element_boolean(element) ? AMOUNT_ONE : 0;
	}
	else if (element_is_object(element) || element_is_array(element))
		element_refuse(element, "is no limit", "Write a number, true or false, or null for no limit.");
	else
		limit.value = element_amount(element);
	*next_limit(reader->card) = limit;
}

/*
 * A member of an add-on's plan: an option with limits of its own, or a limit.
 * Those of an option that is not sold never hold, and may stay in the card
 * when an option is taken off sale.
 */
static void
read_option_or_limit(void *target, const char *name, const Element *element)
{
	LimitReader reader = *(LimitReader *) target;

	if (!element_is_object(element))
	{
		if (name[0] == '\0')
			element_refuse(element, "is an empty name", "Give it a name.");
		read_limit(&reader, name, element);
		return;
	}
	reader.option = name;
	element_each(element, false, read_limit, &reader);
}

static void
read_plan_of_addon(void *target, const char *name, const Element *element)
{
	LimitReader *reader = target;
	const CardPlan *plan = card_plan(reader->card, name);

	if (plan == NULL)
		element_refuse(element, "names a plan that the card does not have", "Use the names of plans.");
	if (plan->rank == 0)
		element_refuse(element, "states limits of an add-on on the free plan",
					   "Add-ons are sold on paid plans only.");
	reader->plan = plan->name;
	element_each(element, true, read_option_or_limit, reader);
}

void
limits_of_plan(Card *card, CardPlan *plan, const Element *element)
{
	LimitReader reader = {.card = card, .plan = plan->name};
	Element		limits;

	plan->states_limits = element_find(element, "limits", &limits);
	if (plan->states_limits)
		element_each(&limits, false, read_limit, &reader);
}

void
limits_of_addon(Card *card, const CardAddon *addon, const Element *element)
{
	LimitReader reader = {.card = card, .addon = addon};
	Element		limits;

	if (element_find(element, "limits", &limits))
		element_each(&limits, false, read_plan_of_addon, &reader);
}

/* Compares names of which the one that is not there comes first. */
static int
compare_names(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

static int
compare_limits(const void *a, const void *b)
{
	const CardLimit *x = a,
			   *y = b;
	int			order = strcmp(x->name, y->name);

	if (order == 0)
		order = compare_names(x->addon, y->addon);
	if (order == 0)
		order = strcmp(x->plan, y->plan);
	return order != 0 ? order : compare_names(x->option, y->option);
}

pg_noreturn static void
refuse_limit(const Element *root, const CardLimit *limit, const char *what, const char *hint)
{
	Element		at = {.document = root->document};

	if (limit->addon == NULL)
		at.path = psprintf("plans.%s.limits.%s", limit->plan, limit->name);
	else
		at.path = psprintf("addons.%s.limits.%s%s%s.%s", limit->addon, limit->plan,
						   limit->option != NULL ? "." : "",
						   limit->option != NULL ? limit->option : "", limit->name);
	element_refuse(&at, what, hint);
}

/* What an add-on states whatever its option, it states of no single option again. */
static void
check_options(const Element *root, const CardLimit *last, const CardLimit *limit)
{
	if (last->addon != NULL && last->option == NULL && compare_names(last->addon, limit->addon) == 0 &&
		strcmp(last->plan, limit->plan) == 0)
		refuse_limit(root, limit, "is stated for one option and for all of them",
					 "State it for each option, or for the add-on as a whole.");
}

void
limits_settle(Card *card, const Element *root)
{
	const CardLimit *bounded = NULL;	/* the last of the name that is not null */

	if (card->nlimits > 1)
		qsort(card->limits, card->nlimits, sizeof(CardLimit), compare_limits);
	for (int i = 0; i < card->nlimits; i++)
	{
		const CardLimit *limit = &card->limits[i];
		bool		same = i > 0 && strcmp(limit[-1].name, limit->name) == 0;

		if (same)
			check_options(root, limit - 1, limit);
		else
			bounded = NULL;
		if (limit->unlimited)
			continue;
		if (bounded != NULL && bounded->feature != limit->feature)
			refuse_limit(root, limit, limit->feature ? "is true or false, and a number elsewhere" :
						 "is a number, and true or false elsewhere",
						 "A name is that of a limit or of a feature throughout the card.");
		bounded = limit;
	}
}
