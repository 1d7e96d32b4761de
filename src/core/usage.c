/*
 * usage.c
 *	  Names of what is metered.
 */
#include "core/usage.h"

#include <string.h>

const char *const check_kind_names[CHECK_KINDS] = {"text", "image", "audio", "video"};
const char *const call_class_names[CALL_CLASSES] = {"audio", "sd", "hd", "fhd"};

static int
find_name(const char *const *names, int count, const char *name, size_t len)
{
	for (int i = 0; i < count; i++)
		if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
			return i;
	return -1;
}

int
check_kind_find(const char *name, size_t len)
{
	return find_name(check_kind_names, CHECK_KINDS, name, len);
}

int
call_class_find(const char *name, size_t len)
{
	return find_name(call_class_names, CALL_CLASSES, name, len);
}
