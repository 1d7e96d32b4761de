/*
 * app_ids.h
 *	  The distinct users of many apps at once, counted exactly.
 *
 * See app_ids.c for the layout.  Memory comes from the context given and is
 * freed with it; app_ids_clear() keeps it for the next slice of rows.  What
 * passes the limit goes to temporary files, which belong to the resource
 * owner that is current, are closed by app_ids_finish() or
 * app_ids_drop_files(), and count towards temp_file_limit.
 */
#ifndef IM_METER_APP_IDS_H
#define IM_METER_APP_IDS_H

#include "lib/arena.h"
#include "lib/idslot.h"

#define LINE_IDS		3
#define WAITING_IDS		64
#define WAITING_BYTES	112

/* One line of the processor's cache. */
typedef struct AppIdLine
{
	uint64		w0[LINE_IDS];
	uint64		w1[LINE_IDS];
	uint32		who[LINE_IDS];	/* app and kind of id */
	uint32		used;
} AppIdLine;

typedef struct AppCount
{
	int64		app_id;
	int64		users;
} AppCount;

typedef struct AppWaiting
{
	uint64		hash;
	IdSlot		slot;
	uint32		who;
	uint32		len;			/* of a long id, or 0 */
} AppWaiting;

typedef struct AppIds
{
	MemoryContext context;
	struct AppIds *next;		/* for whoever keeps several */
	Size		limit;			/* bytes, before ids go to files */

	/* the table */
	char	   *block;
	Size		block_lines;
	AppIdLine  *lines;			/* in the block */
	uint32		nlines;
	uint64		used;
	uint64		full_at;
	uint64		used_last;		/* when the last slice ended */
	bool		at_limit;		/* it grows no more, no long id is kept */

	/* apps, in the order in which they came, and where each is found */
	AppCount   *apps;
	uint32		napps;
	uint32		apps_room;
	uint32	   *index;			/* app + 1, or 0 */
	int			index_shift;

	/* long ids */
	MemoryContext long_context;
	Arena		arena;
	Size		long_bytes;
	char	   *long_waiting;	/* WAITING_BYTES each */

	/* what did not fit */
	struct TempParts *files;
	int			level;

	uint32		nwaiting;
	bool		long_waits;
	AppWaiting	waiting[WAITING_IDS];
} AppIds;

/* An empty one, palloc'd in the context; limit is in bytes. */
extern AppIds *app_ids_make(MemoryContext context, Size limit);

/* Empties it for more rows like the last: the table keeps the size it had use for. */
extern void app_ids_clear(AppIds *ids, Size limit);

/* Notes an app, with no user yet. */
extern uint32 app_ids_app(AppIds *ids, int64 app_id);

/*
 * Adds an id to those of an app.  Raises 53200 when memory is out, and what
 * temporary files raise.
 */
extern void app_ids_add(AppIds *ids, int64 app_id, const char *id, Size len);

/*
 * Brings everything into the counts: apps[0 .. napps - 1] are right then, and
 * nothing may be added before app_ids_clear().
 */
extern void app_ids_finish(AppIds *ids);

/* Closes the files of one that will not be finished. */
extern void app_ids_drop_files(AppIds *ids);

#endif							/* IM_METER_APP_IDS_H */
