/*
 * pack.c
 *	  Prepaid packs in use: what is left of each, in the order of taking.
 */
#include "core/bill/pack.h"

Pack *
pack_add(Core *core, PackList *list, const Term *term,
		 CalDay start, CalDay end, CalDay bought_end, Amount content)
{
	list->bought = core_grow(core, list->bought, list->nbought, &list->capacity, sizeof(Pack));
	list->bought[list->nbought] = (Pack) {.term = term, .start = start, .end = end,
		.bought_end = bought_end, .known_end = bought_end, .position = list->nbought,
		.left = content};
	return &list->bought[list->nbought++];
}

static int
compare_starts(const void *a, const void *b)
{
	CalDay		x = ((const Pack *) a)->start,
				y = ((const Pack *) b)->start;

	return (x > y) - (x < y);
}

/* The order of taking. */
static int
compare_packs(const void *a, const void *b)
{
	const Pack *x = *(Pack *const *) a,
			   *y = *(Pack *const *) b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	if (x->known_end != y->known_end)
		return x->known_end < y->known_end ? -1 : 1;
	return x->position - y->position;
}

/* The last day of a refunded term is the day of its refund. */
static bool
learn_end(Pack *pack, CalDay day)
{
	if (pack->known_end == pack->end || day < pack->end - 1)
		return false;
	pack->known_end = pack->end;
	return true;
}

/* Puts packs into place among those in force; both are in order, one after. */
static void
merge_fresh(Core *core, PackList *list, int nfresh)
{
	int			kept = list->npacks,
				at = kept + nfresh;

	list->npacks = at;
	while (nfresh > 0)
	{
		bool		last = kept == 0 ||
			compare_packs(&list->packs[kept - 1], &list->fresh[nfresh - 1]) < 0;

		core_step(core);
		list->packs[--at] = last ? list->fresh[--nfresh] : list->packs[--kept];
	}
}

static void
open_list(Core *core, PackList *list)
{
	size_t		size = sizeof(Pack *) * (size_t) (list->nbought + 1);

	core_sort(core, list->bought, list->nbought, sizeof(Pack), compare_starts);
	list->packs = core_alloc(core, size);
	list->fresh = core_alloc(core, size);
}

void
pack_day(Core *core, PackList *list, CalDay day)
{
	int			kept = 0,
				nfresh = 0;

	if (list->packs == NULL)
		open_list(core, list);
	for (int i = 0; i < list->npacks; i++)
	{
		Pack	   *pack = list->packs[i];

		core_step(core);
		if (day >= pack->end)
			continue;
		if (learn_end(pack, day))
			list->fresh[nfresh++] = pack;
		else
			list->packs[kept++] = pack;
	}
	list->npacks = kept;
	for (; list->nstarted < list->nbought && list->bought[list->nstarted].start <= day; list->nstarted++)
	{
		Pack	   *pack = &list->bought[list->nstarted];

		core_step(core);
		learn_end(pack, day);
		if (day < pack->end)
			list->fresh[nfresh++] = pack;
	}
	core_sort(core, list->fresh, nfresh, sizeof(Pack *), compare_packs);
	merge_fresh(core, list, nfresh);
}

Amount
pack_take(Core *core, PackList *list, Amount quantity)
{
	Amount		rest = quantity;

	for (int i = 0; i < list->npacks; i++)
	{
		Pack	   *pack = list->packs[i];

		core_step(core);
		pack->taken = pack->left < rest ? pack->left : rest;
		pack->left -= pack->taken;
		rest -= pack->taken;
	}
	return quantity - rest;
}

static int
compare_ends_descending(const void *a, const void *b)
{
	CalDay		x = ((const Pack *) a)->end,
				y = ((const Pack *) b)->end;

	return (x < y) - (x > y);
}

CalDay
pack_usage_since(Core *core, PackList *list, CalDay since)
{
	/* by falling end, so that one walk meets every pack that can reach back */
	core_sort(core, list->bought, list->nbought, sizeof(Pack), compare_ends_descending);
	for (int i = 0; i < list->nbought; i++)
	{
		core_step(core);
		if (list->bought[i].end <= since)
			break;
		if (list->bought[i].start < since)
			since = list->bought[i].start;
	}
	return since;
}
