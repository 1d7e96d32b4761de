/*
 * pack.c
 *	  Prepaid packs in use: what is left of each, in the order of taking.
 */
#include "core/pack.h"

#include <stdlib.h>

void
pack_add(Core *core, PackList *list, const Term *term,
		 CalDay start, CalDay end, Amount content)
{
	list->packs = core_grow(core, list->packs, list->npacks, &list->capacity, sizeof(Pack));
	list->packs[list->npacks] = (Pack) {.term = term, .start = start, .end = end,
		.position = list->npacks, .left = content};
	list->npacks++;
}

static int
compare_packs(const void *a, const void *b)
{
	const Pack *x = a,
			   *y = b;

	if (x->end != y->end)
		return x->end < y->end ? -1 : 1;
	return x->position - y->position;
}

void
pack_sort(PackList *list)
{
	if (list->npacks > 1)
		qsort(list->packs, (size_t) list->npacks, sizeof(Pack), compare_packs);
}

static int
compare_ends_descending(const void *a, const void *b)
{
	return compare_packs(b, a);
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
