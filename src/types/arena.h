/*
 * arena.h
 *	  Bytes that are only ever added and all go at once.
 *
 * palloc spends 16 bytes of bookkeeping on a piece; ids come by the million,
 * so they are cut from chunks instead.  Pieces never move.
 *
 * arena_alloc() takes memory from the arena's context and raises 53200 when
 * there is none; the context's reset or deletion is what frees it.
 */
#ifndef IM_TYPES_ARENA_H
#define IM_TYPES_ARENA_H

#include "types/compat.h"
#include "utils/memutils.h"

#define ARENA_FIRST_CHUNK	1024
#define ARENA_MAX_CHUNK		(1024 * 1024)

typedef struct Arena
{
	char	   *next;
	Size		left;
	Size		chunk;			/* size of the newest chunk */
} Arena;

/* Room for size bytes, not aligned. */
static inline char *
arena_alloc(Arena *arena, MemoryContext context, Size size)
{
	char	   *piece;

	if (unlikely(size > arena->left))
	{
		Size		chunk = Min(Max(arena->chunk * 2, ARENA_FIRST_CHUNK), ARENA_MAX_CHUNK);

		/* A piece above the chunk size gets its own, and the rest stays. */
		if (size > chunk / 4)
			return MemoryContextAllocHuge(context, size);
		arena->next = MemoryContextAlloc(context, chunk);
		arena->left = arena->chunk = chunk;
	}
	piece = arena->next;
	arena->next += size;
	arena->left -= size;
	return piece;
}

#endif							/* IM_TYPES_ARENA_H */
