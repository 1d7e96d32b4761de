/*
 * compat.h
 *	  The one place that knows which PostgreSQL it is compiled for.
 *
 * Every file that runs in the server includes this first.  It pulls in what
 * all of them need and papers over the differences between 15 and 18, so
 * that no other file tests PG_VERSION_NUM.
 */
#ifndef IM_COMPAT_H
#define IM_COMPAT_H

#include "postgres.h"

#include "fmgr.h"
#include "parser/scansup.h"
#include "utils/builtins.h"
#include "utils/datetime.h"

#if PG_VERSION_NUM < 150000
#error "imbilling needs PostgreSQL 15 or later"
#endif

/* 18 replaced pg_attribute_noreturn() by this, which stands in front. */
#if PG_VERSION_NUM < 180000
#define pg_noreturn _Noreturn
#endif

/*
 * Soft errors came with 16: an input function that is given an error context
 * reports there and returns.  On 15 the same call raises.
 */
#if PG_VERSION_NUM < 160000
struct Node;
#define ereturn(context, dummy_value, ...) \
	do { \
		(void) (context); \
		ereport(ERROR, __VA_ARGS__); \
		return dummy_value; \
	} while (0)
#define SOFT_ERROR_OCCURRED(context) false
#else
#include "nodes/miscnodes.h"
#include "varatt.h"				/* part of postgres.h until then */
#endif

/*
 * Whether AT TIME ZONE takes a name for an abbreviation of one fixed offset,
 * and which: seconds east of Greenwich.  16 gave the look-up other arguments.
 */
static inline bool
compat_fixed_abbreviation(const char *name, int *east)
{
	char	   *low = downcase_truncate_identifier(name, strlen(name), false);
	int			type = UNKNOWN_FIELD;
	pg_tz	   *tz;

#if PG_VERSION_NUM < 160000
	type = DecodeTimezoneAbbrev(0, low, east, &tz);
#else
	DateTimeErrorExtra extra;

	if (DecodeTimezoneAbbrev(0, low, &type, east, &tz, &extra) < 0)
		return false;
#endif
	return type == TZ || type == DTZ;
}

/* make_range() takes an error context from 16 on. */
#if PG_VERSION_NUM < 160000
#define range_of_bounds(typcache, lower, upper) make_range(typcache, lower, upper, false)
#else
#define range_of_bounds(typcache, lower, upper) make_range(typcache, lower, upper, false, NULL)
#endif

#endif							/* IM_COMPAT_H */
