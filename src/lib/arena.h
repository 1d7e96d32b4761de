/*
 * arena.h
 *	  Bytes that are only ever added and all go at once.
 *
 * palloc spends 16 bytes of bookkeeping on a piece; ids come by the million,
 * so they are cut from chunks instead.  Pieces never move.
 *
 * arena_alloc() takes memory from the arena's context and raises 53200 when
 * there is none; the context's reset or deletion frees it, or arena_free(),
 * for which each chunk begins with the address of the one before.
 */
#ifndef IM_TYPES_ARENA_H
#define IM_TYPES_ARENA_H

#include "lib/compat.h"
#include "utils/memutils.h"

#define ARENA_FIRST_CHUNK	1024
#define ARENA_MAX_CHUNK		(1024 * 1024)
#define ARENA_LINK			sizeof(char *)

typedef struct Arena
{
	char	   *next;
	Size		left;
	Size		chunk;			/* size of the newest chunk */
	char	   *newest;			/* whatever was taken last */
	Size		bytes;			/* taken from the context */
} Arena;

static inline Size
arena_next_chunk(const Arena *arena)
{
	return Min(Max(arena->chunk * 2, ARENA_FIRST_CHUNK), ARENA_MAX_CHUNK);
}

/* What arena_alloc() of so many bytes takes from the context. */
static inline Size
arena_need(const Arena *arena, Size size)
{
	Size		chunk = arena_next_chunk(arena);

	if (likely(size <= arena->left))
		return 0;
	return size > chunk / 4 ? size + ARENA_LINK : chunk;
}

static inline char *
arena_take(Arena *arena, MemoryContext context, Size size)
{
	char	   *taken = MemoryContextAllocHuge(context, size);

	memcpy(taken, &arena->newest, ARENA_LINK);
	arena->newest = taken;
	arena->bytes += size;
	return taken + ARENA_LINK;
}

/* Room for size bytes, not aligned. */
static inline char *
arena_alloc(Arena *arena, MemoryContext context, Size size)
{
	char	   *piece;

	if (unlikely(size > arena->left))
	{
		Size		chunk = arena_next_chunk(arena);

		/* A piece above the chunk size gets its own, and the rest stays. */
		if (size > chunk / 4)
			return arena_take(arena, context, size + ARENA_LINK);
		arena->next = arena_take(arena, context, chunk);
		arena->left = chunk - ARENA_LINK;
		arena->chunk = chunk;
	}
	piece = arena->next;
	arena->next += size;
	arena->left -= size;
	return piece;
}

static inline void
arena_free(Arena *arena)
{
	char	   *taken = arena->newest;

	while (taken != NULL)
	{
		char	   *before;

		memcpy(&before, taken, ARENA_LINK);
		pfree(taken);
		taken = before;
	}
	memset(arena, 0, sizeof(*arena));
}

#endif							/* IM_TYPES_ARENA_H */
