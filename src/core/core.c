/*
 * core.c
 *	  Memory, strings and the way out of the rating core.
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
