/*
 * app_ids.c
 *	  The distinct users of many apps at once, counted exactly.
 *
 *	  AppIds
 *	  +- waiting  64 ids whose lines are on their way from memory
 *	  +- index -> apps    app_id, users; app_id, users; ...
 *	  +- lines    64 bytes each, three ids:
 *	  |     [ w0 w0 w0 | w1 w1 w1 | who who who | used ]
 *	  |              w0, w1: the id itself, see lib/idslot.h
 *	  |              who:    number of the app * 4 + kind of the slot, never 0
 *	  +- arena    bytes of ids that fit no slot
 *	  +- files    32 temporary files for what is beyond the limit
 *
 * Why so:
 * - One table for all apps.  A day of a vendor is one app with half of the
 *   users and many with few, and no set per app has to grow, be sized or be
 *   found: what grows is one table, and a table that was large enough for
 *   yesterday is large enough for today.  It is kept between the slices of a
 *   query, in large pages, for new memory is what costs most.
 * - An id is found or added in one cache line, without a branch per id in it.
 *   Ids wait in a batch while their lines are fetched, and a batch is worked
 *   off in one loop, where the processor overlaps several.
 * - Exact: app and id stand in the line in full, or the bytes of a long id are
 *   compared.  The hash only says where to look; it is salted by the app, and
 *   seeded, so nobody can choose ids that crowd one place.
 * - Lines stand in the order of hashes (line = hash * nlines / 2^32, then the
 *   next with room), so a table grows by going through memory once from end
 *   to end.  It is between 53% and 80% full: 27 to 40 bytes an id.
 * - Memory is bounded.  At the limit the table takes no more; ids it does not
 *   hold go to one of 32 files by five bits of their hash, and at the end
 *   file after file has the table to itself, again under the limit.  No id is
 *   in two of them, so the counts add up.  What is not bounded is 24 bytes an
 *   app, which is about what the result takes.
 */
#include "meter/app_ids.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"

#include "lib/pages.h"
#include "lib/temp_parts.h"

#define FIRST_LINES		32
#define DOUBLING_LINES	32768	/* 2 MB; grow by half beyond */
#define FIRST_APPS		16
#define MAX_APPS		(1U << 29)
#define KIND_BITS		2
#define LEN_BYTES		4
#define LINE_SIZE		sizeof(AppIdLine)
#define INTERRUPT_LINES	4096

#define PART_FIRST_BIT	8		/* long ids know their hash from here up */
#define MAX_LEVEL		4		/* below the bits that choose the line */

typedef struct FileRow
{
	IdSlot		slot;
	uint32		who;
	uint32		len;			/* of the bytes that follow */
} FileRow;

StaticAssertDecl(sizeof(AppIdLine) == 64, "a line of ids must be a cache line");
StaticAssertDecl(ID_KINDS <= 1 << KIND_BITS, "kinds of ids must fit their bits");

/* ---- apps ---- */

static inline uint64
app_salt(int64 app_id)
{
	return id_mix((uint64) app_id ^ id_seed[1]);
}

static inline AppCount *
app_of(const AppIds *ids, uint32 who)
{
	return &ids->apps[(who >> KIND_BITS) - 1];
}

static void
put_in_index(AppIds *ids, uint32 app)
{
	uint32		mask = 2 * ids->apps_room - 1;
	uint32		at = app_salt(ids->apps[app].app_id) >> ids->index_shift;

	while (ids->index[at] != 0)
		at = (at + 1) & mask;
	ids->index[at] = app + 1;
}

static void
make_index(AppIds *ids, uint32 room)
{
	Size		size = 2 * (Size) room * sizeof(uint32);

	ids->index = MemoryContextAllocExtended(ids->context, size, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	ids->index_shift = 64 - (pg_leftmost_one_pos32(room) + 1);
	ids->apps_room = room;
}

static void
grow_apps(AppIds *ids)
{
	if (ids->apps_room >= MAX_APPS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("more than %u apps in one count", MAX_APPS)));
	pfree(ids->index);
	make_index(ids, ids->apps_room * 2);
	ids->apps = repalloc_huge(ids->apps, ids->apps_room * sizeof(AppCount));
	for (uint32 i = 0; i < ids->napps; i++)
		put_in_index(ids, i);
}

static pg_noinline uint32
add_app(AppIds *ids, int64 app_id)
{
	if (ids->napps == ids->apps_room)
		grow_apps(ids);
	ids->apps[ids->napps].app_id = app_id;
	ids->apps[ids->napps].users = 0;
	put_in_index(ids, ids->napps);
	return ids->napps++;
}

static inline uint32
find_app(AppIds *ids, int64 app_id, uint64 salt)
{
	uint32		mask = 2 * ids->apps_room - 1;
	uint32		at = salt >> ids->index_shift;
	uint32		found;

	while ((found = ids->index[at]) != 0)
	{
		if (ids->apps[found - 1].app_id == app_id)
			return found - 1;
		at = (at + 1) & mask;
	}
	return add_app(ids, app_id);
}

uint32
app_ids_app(AppIds *ids, int64 app_id)
{
	return find_app(ids, app_id, app_salt(app_id));
}

/* ---- lines ---- */

static inline uint32
home(const AppIds *ids, uint64 hash)
{
	return ((hash >> 32) * ids->nlines) >> 32;
}

static inline AppIdLine *
next_line(const AppIds *ids, AppIdLine *line)
{
	return ++line == ids->lines + ids->nlines ? ids->lines : line;
}

static inline int
is_same(const AppIdLine *line, int i, uint32 who, IdSlot slot)
{
	return ((line->w0[i] ^ slot.w0) | (line->w1[i] ^ slot.w1) | (line->who[i] ^ who)) == 0;
}

/* Without a branch: which of the three it is nobody can predict. */
static inline bool
line_has(const AppIdLine *line, uint32 who, IdSlot slot)
{
	StaticAssertStmt(LINE_IDS == 3, "a line has three ids");
	return is_same(line, 0, who, slot) | is_same(line, 1, who, slot) | is_same(line, 2, who, slot);
}

static inline void
put_in_line(AppIdLine *line, uint32 who, IdSlot slot)
{
	line->w0[line->used] = slot.w0;
	line->w1[line->used] = slot.w1;
	line->who[line->used] = who;
	line->used++;
}

/* The first line with room on the way of a hash. */
static inline AppIdLine *
line_with_room(const AppIds *ids, uint64 hash)
{
	AppIdLine  *line = &ids->lines[home(ids, hash)];

	while (line->used == LINE_IDS)
		line = next_line(ids, line);
	return line;
}

static void
alloc_lines(AppIds *ids, Size nlines)
{
	Size		size = nlines * LINE_SIZE + LINE_SIZE;

	ids->block = nlines > PG_UINT32_MAX ? NULL :
		MemoryContextAllocExtended(ids->context, size, MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
	if (ids->block == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory for a set of %zu distinct users", nlines * LINE_IDS * 4 / 5),
				 errhint("Lower work_mem or hash_mem_multiplier: beyond their product users go to temporary files.")));
	advise_large_pages(ids->block, size);
	ids->block_lines = nlines;
	ids->lines = (AppIdLine *) TYPEALIGN(LINE_SIZE, ids->block);
}

/* Makes the first nlines of the block an empty table. */
static void
empty_lines(AppIds *ids, Size nlines)
{
	ids->nlines = nlines;
	ids->full_at = nlines / 5 * 12;
	ids->used = 0;
	memset(ids->lines, 0, nlines * LINE_SIZE);
}

static inline void
check_interrupts_at(uint64 i)
{
	if (i % INTERRUPT_LINES == 0)
		CHECK_FOR_INTERRUPTS();
}

static inline uint64
hash_in_line(const AppIds *ids, const AppIdLine *line, int i)
{
	IdSlot		slot = {line->w0[i], line->w1[i]};
	uint32		who = line->who[i];

	return id_slot_hash(who & ((1 << KIND_BITS) - 1), slot, app_salt(app_of(ids, who)->app_id));
}

static void
resize(AppIds *ids, Size nlines)
{
	char	   *old_block = ids->block;
	AppIdLine  *old = ids->lines;
	uint32		nold = ids->nlines;
	uint64		used = ids->used;

	alloc_lines(ids, nlines);
	empty_lines(ids, nlines);
	for (uint32 i = 0; i < nold; i++)
	{
		check_interrupts_at(i);
		for (uint32 k = 0; k < old[i].used; k++)
		{
			IdSlot		slot = {old[i].w0[k], old[i].w1[k]};

			put_in_line(line_with_room(ids, hash_in_line(ids, &old[i], k)), old[i].who[k], slot);
		}
	}
	ids->used = used;
	pfree(old_block);
}

static Size
memory_beside_lines(const AppIds *ids)
{
	return ids->long_bytes + ids->apps_room * (sizeof(AppCount) + 2 * sizeof(uint32));
}

/* How many lines the limit allows. */
static Size
most_lines(const AppIds *ids)
{
	Size		beside = memory_beside_lines(ids);

	if (ids->level >= MAX_LEVEL)
		return SIZE_MAX;		/* no bits are left to part ids by */
	return ids->limit > beside ? (ids->limit - beside) / LINE_SIZE : 0;
}

/* False if the limit forbids: nothing is added from then on. */
static bool
make_room(AppIds *ids)
{
	Size		nlines = ids->nlines;
	Size		most;

	if (ids->at_limit)
		return false;
	most = most_lines(ids);
	nlines = nlines < DOUBLING_LINES ? nlines * 2 : nlines + nlines / 2;
	if (Min(nlines, most) > ids->nlines + ids->nlines / 8)
		resize(ids, Min(nlines, most));
	else
		ids->at_limit = true;
	return !ids->at_limit;
}

/* ---- files ---- */

static void
put_in_file(AppIds *ids, uint64 hash, uint32 who, IdSlot slot, const char *id, uint32 len)
{
	int			part = temp_part_of(hash, PART_FIRST_BIT, ids->level);
	FileRow		row = {slot, who, len};

	if (ids->files == NULL)
		ids->files = temp_parts_make(ids->context, NULL);
	ids->files->rows[part]++;
	temp_parts_write(ids->files, ids->context, part, &row, sizeof(row));
	if (len > 0)
		temp_parts_write(ids->files, ids->context, part, id, len);
}

/* ---- adding ---- */

static pg_attribute_always_inline void
add_slot(AppIds *ids, uint64 hash, uint32 who, IdSlot slot)
{
	AppIdLine  *line = &ids->lines[home(ids, hash)];

	for (;;)
	{
		if (line_has(line, who, slot))
			return;
		if (line->used < LINE_IDS)
			break;
		line = next_line(ids, line);
	}
	if (unlikely(ids->used >= ids->full_at))
	{
		if (!make_room(ids))
		{
			put_in_file(ids, hash, who, slot, NULL, 0);
			return;
		}
		line = line_with_room(ids, hash);
	}
	put_in_line(line, who, slot);
	ids->used++;
	app_of(ids, who)->users++;
}

static inline const char *
long_entry(uint64 w0)
{
	return (const char *) (uintptr_t) w0;
}

static inline bool
is_same_long(const AppIdLine *line, int i, uint32 who, uint64 w1, const char *id, uint32 len)
{
	const char *entry = long_entry(line->w0[i]);

	return line->who[i] == who && line->w1[i] == w1 &&
		load_le32(entry) == len && memcmp(entry + LEN_BYTES, id, len) == 0;
}

static bool
line_has_long(const AppIdLine *line, uint32 who, uint64 w1, const char *id, uint32 len)
{
	for (uint32 i = 0; i < line->used; i++)
		if (is_same_long(line, i, who, w1, id, len))
			return true;
	return false;
}

static uint64
keep_long(AppIds *ids, const char *id, uint32 len)
{
	char	   *entry = arena_alloc(&ids->arena, ids->long_context, (Size) len + LEN_BYTES);

	store_le32(entry, len);
	memcpy(entry + LEN_BYTES, id, len);
	ids->long_bytes += (Size) len + LEN_BYTES;
	return (uint64) (uintptr_t) entry;
}

static bool
has_room_for_long(AppIds *ids, uint32 len)
{
	if (ids->at_limit || (ids->used >= ids->full_at && !make_room(ids)))
		return false;
	ids->at_limit = ids->level < MAX_LEVEL && ids->used > 0 &&
		memory_beside_lines(ids) + len + ids->nlines * LINE_SIZE > ids->limit;
	return !ids->at_limit;
}

static void
add_long(AppIds *ids, uint64 hash, uint32 who, const char *id, uint32 len)
{
	IdSlot		slot = {0, id_long_w1(hash)};
	AppIdLine  *line = &ids->lines[home(ids, hash)];

	for (;;)
	{
		if (line_has_long(line, who, slot.w1, id, len))
			return;
		if (line->used < LINE_IDS)
			break;
		line = next_line(ids, line);
	}
	if (!has_room_for_long(ids, len))
	{
		put_in_file(ids, hash, who, slot, id, len);
		return;
	}
	slot.w0 = keep_long(ids, id, len);
	put_in_line(line_with_room(ids, hash), who, slot);
	ids->used++;
	app_of(ids, who)->users++;
}

/* The line has come; what it refers to is what will be waited for next. */
static void
look_ahead(const AppIds *ids)
{
	for (uint32 i = 0; i < ids->nwaiting; i++)
	{
		const AppWaiting *item = &ids->waiting[i];
		const AppIdLine *line = &ids->lines[home(ids, item->hash)];

		if (item->len == 0)
			continue;
		for (uint32 k = 0; k < line->used; k++)
			if (line->w1[k] == item->slot.w1)
				__builtin_prefetch(long_entry(line->w0[k]));
	}
}

static pg_noinline void
settle(AppIds *ids)
{
	if (ids->long_waits)
		look_ahead(ids);
	for (uint32 i = 0; i < ids->nwaiting; i++)
	{
		const AppWaiting *item = &ids->waiting[i];

		if (likely(item->len == 0))
			add_slot(ids, item->hash, item->who, item->slot);
		else
			add_long(ids, item->hash, item->who, ids->long_waiting + i * WAITING_BYTES, item->len);
	}
	ids->nwaiting = 0;
	ids->long_waits = false;
}

/* The line's way from memory begins. */
static inline void
let_wait(AppIds *ids, AppWaiting *item)
{
	__builtin_prefetch(&ids->lines[home(ids, item->hash)], 1);
	if (++ids->nwaiting == WAITING_IDS)
		settle(ids);
}

static pg_noinline void
wait_or_add_long(AppIds *ids, AppWaiting *item, const char *id, Size len)
{
	if (len > WAITING_BYTES)
	{
		add_long(ids, item->hash, item->who, id, len);
		return;
	}
	if (ids->long_waiting == NULL)
		ids->long_waiting = MemoryContextAlloc(ids->context, WAITING_IDS * WAITING_BYTES);
	item->slot.w1 = id_long_w1(item->hash);
	item->len = len;
	memcpy(ids->long_waiting + ids->nwaiting * WAITING_BYTES, id, len);
	ids->long_waits = true;
	let_wait(ids, item);
}

void
app_ids_add(AppIds *ids, int64 app_id, const char *id, Size len)
{
	AppWaiting *item = &ids->waiting[ids->nwaiting];
	uint64		salt = app_salt(app_id);
	uint32		app = find_app(ids, app_id, salt);
	IdKind		kind = id_pack(id, len, &item->slot);

	if (unlikely(kind == ID_KINDS))
	{
		item->who = (app + 1) << KIND_BITS | ID_BYTES;
		item->hash = id_hash_long(id, len, salt);
		wait_or_add_long(ids, item, id, len);
		return;
	}
	item->who = (app + 1) << KIND_BITS | kind;
	item->hash = id_hash_slot(item->slot, salt);
	item->len = 0;
	let_wait(ids, item);
}

/* ---- beginning and end ---- */

static void
empty_long_ids(AppIds *ids)
{
	MemoryContextReset(ids->long_context);
	memset(&ids->arena, 0, sizeof(ids->arena));
	ids->long_bytes = 0;
}

AppIds *
app_ids_make(MemoryContext context, Size limit)
{
	AppIds	   *ids = MemoryContextAllocZero(context, sizeof(AppIds));

	id_seed_make();
	ids->context = context;
	ids->limit = limit;
	ids->long_context = AllocSetContextCreate(context, "long ids of users", ALLOCSET_SMALL_SIZES);
	ids->apps = MemoryContextAlloc(context, FIRST_APPS * sizeof(AppCount));
	make_index(ids, FIRST_APPS);
	alloc_lines(ids, FIRST_LINES);
	empty_lines(ids, FIRST_LINES);
	return ids;
}

/* An empty table for so many ids, which leave it room for a fifth more. */
static void
begin_table(AppIds *ids, uint64 expected)
{
	Size		nlines = expected / 2 + FIRST_LINES;

	empty_long_ids(ids);
	ids->at_limit = false;
	nlines = Max(Min(nlines, most_lines(ids)), FIRST_LINES);
	if (nlines > ids->block_lines)
	{
		pfree(ids->block);
		alloc_lines(ids, nlines);
	}
	empty_lines(ids, nlines);
}

void
app_ids_clear(AppIds *ids, Size limit)
{
	ids->limit = limit;
	ids->level = 0;
	ids->napps = 0;
	memset(ids->index, 0, 2 * (Size) ids->apps_room * sizeof(uint32));
	begin_table(ids, ids->used_last);
}

static void
add_file_row(AppIds *ids, TempParts *files, int part, const FileRow *row, StringInfo bytes)
{
	uint64		salt = app_salt(app_of(ids, row->who)->app_id);

	if (row->len == 0)
	{
		add_slot(ids, id_hash_slot(row->slot, salt), row->who, row->slot);
		return;
	}
	resetStringInfo(bytes);
	enlargeStringInfo(bytes, row->len);
	temp_parts_read_rest(files, part, bytes->data, row->len);
	add_long(ids, row->slot.w1 << 8, row->who, bytes->data, row->len);
}

static void
add_file(AppIds *ids, TempParts *files, int part)
{
	StringInfoData bytes;
	FileRow		row;

	initStringInfo(&bytes);
	begin_table(ids, files->rows[part]);
	for (uint64 i = 0; temp_parts_read(files, part, &row, sizeof(row)); i++)
	{
		check_interrupts_at(i);
		add_file_row(ids, files, part, &row, &bytes);
	}
	temp_parts_close(files, part);
	pfree(bytes.data);
}

/* What a file holds is in no other, nor was it in the table. */
void
app_ids_finish(AppIds *ids)
{
	TempParts  *files;

	settle(ids);
	if (ids->level == 0)
		ids->used_last = ids->used;
	files = ids->files;
	if (files == NULL)
		return;
	ids->files = NULL;
	ids->level++;
	for (int part = 0; part < TEMP_PARTS; part++)
		if (temp_parts_rewind(files, part))
		{
			add_file(ids, files, part);
			app_ids_finish(ids);
		}
	ids->level--;
	temp_parts_drop(files);
}

void
app_ids_drop_files(AppIds *ids)
{
	temp_parts_drop(ids->files);
	ids->files = NULL;
}
