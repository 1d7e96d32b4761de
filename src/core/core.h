/*
 * core.h
 *	  What the rating core asks of whoever runs it: memory, a way out, and a
 *	  look now and then whether it is still wanted.
 *
 * The core is plain C over plain structs.  It knows no catalog, clock,
 * session setting or table; a server, a unit test or a fuzzer drives it
 * through the three hooks below.  Nothing is ever freed: the caller drops the
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
	/* Called every CORE_STEPS steps: may leave for good, as when cancelled. */
	void		(*poll) (Core *core);
	int			steps;			/* since then */
};

/*
 * A step is one turn of a loop whose length an app's history decides: its
 * orders, days, packs, the lines of its bill.
 */
#define CORE_STEPS	10000

/* Has to stand in every such loop. */
static inline void
core_step(Core *core)
{
	if (++core->steps < CORE_STEPS)
		return;
	core->steps = 0;
	core->poll(core);
}

typedef int (*CoreCompare) (const void *a, const void *b);

/* Sorts as qsort does, but counts its steps; what is equal keeps its order. */
extern void core_sort(Core *core, void *array, int count, size_t size, CoreCompare compare);

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
