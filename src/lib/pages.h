/*
 * pages.h
 *	  Large blocks of memory in large pages, where the system has them.
 *
 * What a hash table of megabytes costs when it is new is the first touch of
 * its pages, and later the translation of their addresses: both are two
 * orders of magnitude fewer with pages of 2 MB.
 */
#ifndef IM_TYPES_PAGES_H
#define IM_TYPES_PAGES_H

#include "lib/compat.h"

#ifndef WIN32
#include <sys/mman.h>
#endif

#define PAGES_WORTH_IT	((Size) 4 * 1024 * 1024)
#define SMALL_PAGE		4096

/*
 * Asks for large pages under a block not touched so far.  Only advice: it
 * neither raises nor changes what the block holds.
 */
static inline void
advise_large_pages(void *block, Size size)
{
#ifdef MADV_HUGEPAGE
	char	   *from = (char *) TYPEALIGN(SMALL_PAGE, block);
	char	   *until = (char *) TYPEALIGN_DOWN(SMALL_PAGE, (char *) block + size);

	if (size >= PAGES_WORTH_IT)
		(void) madvise(from, until - from, MADV_HUGEPAGE);
#else
	(void) block;
	(void) size;
#endif
}

#endif							/* IM_TYPES_PAGES_H */
