/*
 * core.h
 *	  What the rating core asks of whoever runs it: memory, and a way out.
 *
 * The core is plain C over plain structs.  It knows no catalog, clock,
 * session setting or table; a server, a unit test or a fuzzer drives it
 * through the two hooks below.  Nothing is ever freed: the caller drops the
 * whole memory of a bill at once.
 */
#ifndef IM_CORE_CORE_H
#define IM_CORE_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Why a bill cannot be computed; the server turns these into SQLSTATEs. */
typedef enum ProblemCode
{
	PROBLEM_RULE,				/* an order that the rules forbid */
	PROBLEM_CARD,				/* no version of the rate card covers a day */
	PROBLEM_USAGE,				/* usage that cannot be metered */
	PROBLEM_RANGE				/* a figure too large for exact arithmetic */
} ProblemCode;

typedef struct Problem
{
	ProblemCode code;
	const char *message;		/* short, lower case, with the offending value */
	const char *detail;			/* full sentences */
	const char *hint;			/* full sentences */
} Problem;

typedef struct Core Core;

struct Core
{
	/* Returns zeroed memory aligned for any object; does not return NULL. */
	void	   *(*alloc) (Core *core, size_t size);
	/* Leaves the core for good: must not return. */
	void		(*fail) (Core *core, const Problem *problem);
};

/* Zeroed memory of the running bill. */
extern void *core_alloc(Core *core, size_t size);

/*
 * Makes room for one more element behind "count" of them and returns the
 * array, moved if it had to grow; *capacity is kept by the caller.
 */
extern void *core_grow(Core *core, void *array, int count, int *capacity, size_t size);

/* A formatted string in the memory of the running bill. */
extern char *core_printf(Core *core, const char *format,...)
			__attribute__((format(printf, 2, 3)));

/* Gives up with a problem; does not return. */
extern void core_fail(Core *core, ProblemCode code, const char *message,
					  const char *detail, const char *hint)
			__attribute__((noreturn));

#endif							/* IM_CORE_CORE_H */
