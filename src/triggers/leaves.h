/*
 * leaves.h
 *	  The tables that usage is metered from, and everything below them.
 *
 * What attaches, detaches, drops or truncates a partition, and what keeps a
 * trigger from marking, fires no trigger.  It is found by comparing the tables
 * of now with those that were seen at metering: by oid, by filenode, which
 * TRUNCATE and every rewrite of a table replace, and by what watch.h says.
 */
#ifndef IM_LEAVES_H
#define IM_LEAVES_H

#include "datatype/timestamp.h"

/* A table, a partition of any level, or a child by inheritance. */
typedef struct Leaf
{
	const char *table;			/* the table it is or belongs to */
	Oid			relid;
	Oid			filenode;		/* InvalidOid where there is no such thing */
	uint64		watch;			/* 0: its changes cannot be known (watch.h) */
	TimestampTz since;			/* the instants its rows can be of: [since, until) */
	TimestampTz until;
} Leaf;

typedef struct LeafList
{
	Leaf	   *leaves;			/* by oid, each once */
	int			count;
	int			room;
	bool		complete;		/* none of the tables is missing */
} LeafList;

/*
 * The tables of a schema that metered figures depend on, im_usage_mark
 * included, with all that is below them.  The list is kept from call to call
 * until something in the catalogs changes: it must not be written to, and is
 * good until the next call.  The tables themselves stay locked (ACCESS SHARE)
 * until the end of the transaction.
 */
extern const LeafList *leaves_now(Oid schema);

/* The one of an oid, or NULL. */
extern Leaf *leaves_find(const LeafList *list, Oid relid);

#endif							/* IM_LEAVES_H */
