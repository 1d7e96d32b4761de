/*
 * core.c
 *	  Memory, sorting, strings and the way out of the rating core.
 */
#include "core/core.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *
core_alloc(Core *core, size_t size)
{
	return core->alloc(core, size);
}

void *
core_grow(Core *core, void *array, int count, int *capacity, size_t size)
{
	void	   *grown;

	if (count < *capacity)
		return array;
	*capacity = *capacity < 4 ? 8 : *capacity * 2;
	grown = core_alloc(core, size * (size_t) *capacity);
	if (count > 0)
		memcpy(grown, array, size * (size_t) count);
	return grown;
}

/* Merges two sorted runs that lie one behind the other. */
static void
merge_runs(Core *core, const char *from, char *to, size_t left, size_t right, size_t size,
		   CoreCompare compare)
{
	const char *a = from,
			   *b = from + left * size;
	const char *a_end = b,
			   *b_end = b + right * size;

	while (a < a_end || b < b_end)
	{
		bool		first = b == b_end || (a < a_end && compare(a, b) <= 0);
		const char **next = first ? &a : &b;

		core_step(core);
		memcpy(to, *next, size);
		*next += size;
		to += size;
	}
}

static bool
is_sorted(Core *core, const char *array, int count, size_t size, CoreCompare compare)
{
	for (int i = 1; i < count; i++, array += size)
	{
		core_step(core);
		if (compare(array, array + size) > 0)
			return false;
	}
	return true;
}

void
core_sort(Core *core, void *array, int count, size_t size, CoreCompare compare)
{
	size_t		n = count > 0 ? (size_t) count : 0;
	char	   *from = array,
			   *to;

	/* logs come in their order, and so does most that is made from them */
	if (is_sorted(core, array, count, size, compare))
		return;
	to = core_alloc(core, n * size);
	for (size_t run = 1; run < n; run *= 2)
	{
		char	   *merged = to;

		for (size_t at = 0; at < n; at += 2 * run)
		{
			size_t		left = n - at < run ? n - at : run,
						right = n - at - left < run ? n - at - left : run;

			merge_runs(core, from + at * size, to + at * size, left, right, size, compare);
		}
		to = from;
		from = merged;
	}
	if (from != array)
		memcpy(array, from, n * size);
}

char *
core_printf(Core *core, const char *format,...)
{
	va_list		args;
	char	   *text;
	int			length;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length < 0)
		length = 0;

	text = core_alloc(core, (size_t) length + 1);
	va_start(args, format);
	vsnprintf(text, (size_t) length + 1, format, args);
	va_end(args);
	return text;
}

void
core_fail(Core *core, ProblemCode code, const char *message,
		  const char *detail, const char *hint)
{
	Problem		problem = {code, message, detail, hint};

	core->fail(core, &problem);
	abort();					/* a fail hook that returns is a bug */
}
