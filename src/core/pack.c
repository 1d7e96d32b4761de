/*
 * pack.c
 *	  Prepaid packs in use: what is left of each, in the order of taking.
 */
#include "core/pack.h"

#include <stdlib.h>

void
pack_add(Core *core, PackList *list, const Term *term,
		 CalDay start, CalDay end, CalDay bought_end, Amount content)
{
	list->packs = core_grow(core, list->packs, list->npacks, &list->capacity, sizeof(Pack));
	list->packs[list->npacks] = (Pack) {.term = term, .start = start, .end = end,
		.bought_end = bought_end, .known_end = bought_end, .position = list->npacks, .left = content};
	list->npacks++;
}

static int
compare_packs(const void *a, const void *b)
{
	const Pack *x = a,
			   *y = b;

	if (x->known_end != y->known_end)
		return x->known_end < y->known_end ? -1 : 1;
	return x->position - y->position;
}

void
pack_order(PackList *list, CalDay day)
{
	for (int i = 0; i < list->npacks; i++)
	{
		Pack	   *pack = &list->packs[i];

		/* the last day of a refunded term is the day of its refund */
		if (pack->known_end != pack->end && day >= pack->end - 1)
		{
			pack->known_end = pack->end;
			list->ordered = false;
		}
	}
	if (!list->ordered && list->npacks > 1)
		qsort(list->packs, (size_t) list->npacks, sizeof(Pack), compare_packs);
	list->ordered = true;
}

static int
compare_ends_descending(const void *a, const void *b)
{
	CalDay		x = ((const Pack *) a)->end,
				y = ((const Pack *) b)->end;

	return (x < y) - (x > y);
}

CalDay
pack_usage_since(const PackList *list, CalDay since)
{
	/* by falling end, so that one walk meets every pack that can reach back */
	if (list->npacks > 1)
		qsort(list->packs, (size_t) list->npacks, sizeof(Pack), compare_ends_descending);
	for (int i = 0; i < list->npacks; i++)
	{
		if (list->packs[i].end <= since)
			break;
		if (list->packs[i].start < since)
			since = list->packs[i].start;
	}
	return since;
}
