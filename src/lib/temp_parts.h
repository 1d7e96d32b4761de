/*
 * temp_parts.h
 *	  What does not fit into memory, parted among 32 temporary files.
 *
 * For states of aggregates that reach their limit.  Records are parted by
 * bits of a hash, five for each level; at the end one part after the other
 * has the memory to itself, and is parted again if that is too little.
 *
 * The files belong to the resource owner that is current when they are made,
 * which closes them when a query fails, and count towards temp_file_limit.
 * A query that ends otherwise must close them: temp_parts_close(), _drop(), or
 * the end of the group of rows whose state they are part of, which the
 * executor tells to callbacks of its expression context.  That is not told
 * when a query fails; a callback of the memory context would be, but after
 * the resource owner closed the files.
 */
#ifndef IM_TYPES_TEMP_PARTS_H
#define IM_TYPES_TEMP_PARTS_H

#include "lib/compat.h"

#include "storage/buffile.h"

#define TEMP_PARTS		32
#define TEMP_PART_BITS	5

struct ExprContext;

/*
 * What all states of one call site hold, one for each group of a hash
 * aggregate.  They share the limit, but a state may always hold as much as
 * makes files worth their buffers.
 */
typedef struct TempBudget
{
	Size		limit;			/* bytes */
	Size		held;
} TempBudget;

#define TEMP_WORTH_FILES	((Size) 1024 * 1024)

/* What one state holds of it, and whose end closes the state's files. */
typedef struct TempBound
{
	TempBudget *budget;			/* NULL: no limit */
	struct ExprContext *group;
	Size		held;
	MemoryContextCallback reset;
} TempBound;

typedef struct TempParts
{
	struct ExprContext *group;	/* calls back at its end, or NULL */
	BufFile    *file[TEMP_PARTS];
	uint64		rows[TEMP_PARTS];	/* as the owner counts them */
} TempParts;

/* Which part a hash is in; levels part by bits of their own from first_bit up. */
static inline int
temp_part_of(uint64 hash, int first_bit, int level)
{
	return hash >> (first_bit + TEMP_PART_BITS * level) & (TEMP_PARTS - 1);
}

/* Nothing held, of hash_mem. */
extern void temp_budget_init(TempBudget *budget);

/*
 * The bound of a state of the aggregate that calls, which lives in the
 * context: what it holds is given back when that is reset.  A state of a
 * window function, whose result is asked for again and again and whose end
 * nobody tells, has no limit.
 */
extern void temp_bound_init(TempBound *bound, FunctionCallInfo fcinfo, TempBudget *budget,
							MemoryContext context);

/* How much more a state may hold. */
static inline Size
temp_bound_room(const TempBound *bound)
{
	const TempBudget *budget = bound->budget;
	Size		least;
	Size		left;

	if (budget == NULL)
		return SIZE_MAX;
	least = Min(TEMP_WORTH_FILES, budget->limit);
	left = budget->held < budget->limit ? budget->limit - budget->held : 0;
	return bound->held < least ? Max(left, least - bound->held) : left;
}

static inline void
temp_bound_take(TempBound *bound, Size size)
{
	bound->held += size;
	if (bound->budget != NULL)
		bound->budget->held += size;
}

static inline void
temp_bound_give(TempBound *bound, Size size)
{
	bound->held -= size;
	if (bound->budget != NULL)
		bound->budget->held -= size;
}

/*
 * No files yet, palloc'd in the context, which must last as long as the
 * group; without a group the caller drops them.
 */
extern TempParts *temp_parts_make(MemoryContext context, struct ExprContext *group);

/* Appends to a part; a file that must be made allocates in the context. */
extern void temp_parts_write(TempParts *parts, MemoryContext context, int part,
							 const void *from, Size size);

/* Reading a part begins at its start.  False if it has no file. */
extern bool temp_parts_rewind(TempParts *parts, int part);

/* The next size bytes; false at the end.  Raises what reading files raises. */
extern bool temp_parts_read(TempParts *parts, int part, void *to, Size size);

/* The same in the middle of a record: XX001 at the end. */
extern void temp_parts_read_rest(TempParts *parts, int part, void *to, Size size);

extern void temp_parts_close(TempParts *parts, int part);

/* Closes all files and frees the struct; nothing for NULL. */
extern void temp_parts_drop(TempParts *parts);

#endif							/* IM_TYPES_TEMP_PARTS_H */
