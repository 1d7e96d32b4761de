/*
 * userset_merge.h
 *	  Ids or sets in, one set out.
 *
 * Results are palloc'd in the current memory context; both raise 54000 where
 * a set would pass 1 GB and XX001 where an input is damaged.
 */
#ifndef IM_TYPES_USERSET_MERGE_H
#define IM_TYPES_USERSET_MERGE_H

#include "lib/arena.h"
#include "lib/userset_codec.h"

/* Ids in any order, repeated or not, on their way into a set. */
typedef struct UserList
{
	MemoryContext context;
	UserKey    *keys;
	Size		count;
	Size		cap;
	Arena		arena;
	uint8	   *scratch;		/* where an id is encoded */
	Size		scratch_cap;
} UserList;

extern void userlist_init(UserList *list);
extern void userlist_add(UserList *list, const char *id, Size len);
extern struct varlena *userlist_finish(UserList *list);

/* The union of n sets, TOAST pointers among them; none make an empty set. */
extern struct varlena *userset_union(const Datum *sets, int n);

#endif							/* IM_TYPES_USERSET_MERGE_H */
