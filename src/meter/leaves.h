/*
 * leaves.h
 *	  The tables that hold the rows of a raw table: itself or its partitions.
 *
 * Attaching, detaching, dropping and truncating a partition fires no trigger
 * that could mark the days it changes.  They are found by comparing the
 * leaves of now with those that were seen at metering: by oid and filenode,
 * which TRUNCATE and every rewrite of a table replace.
 */
#ifndef IM_LEAVES_H
#define IM_LEAVES_H

#include "datatype/timestamp.h"

typedef struct Leaf
{
	const char *table;			/* the raw table it belongs to */
	Oid			relid;
	Oid			filenode;		/* InvalidOid where there is no such thing */
	TimestampTz since;			/* the instants its rows can be of: [since, until) */
	TimestampTz until;
} Leaf;

typedef struct LeafList
{
	Leaf	   *leaves;			/* by oid */
	int			count;
	int			room;
	bool		watched;		/* all tables have the triggers that mark changes */
} LeafList;

/*
 * The leaves of all raw tables and of im_usage_daily in a schema.  The tables
 * themselves stay locked (ACCESS SHARE) until the end of the transaction.
 */
extern LeafList *leaves_now(Oid schema);

#endif							/* IM_LEAVES_H */
