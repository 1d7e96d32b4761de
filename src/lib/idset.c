/*
 * idset.c
 *	  An exact set of byte strings, fast for ids of users.
 *
 *	  IdSet
 *	  +- tables[ID_BYTES] -> slot slot slot ...     16 bytes each
 *	  |     inline id:  [ bytes 0-7 ][ bytes 8-14 | length + 1 ]
 *	  |     long id:    [ pointer   ][ hash       | 255        ]
 *	  |                       |
 *	  +- arena  <-------------+       length, bytes; length, bytes; ...
 *	  |
 *	  +- tables[ID_UUID]  -> slot ...   the 16 bytes of a uuid
 *	  +- tables[ID_HEX32] -> slot ...   the 16 bytes of 32 hex digits
 *	  +- tables[ID_HEX]   -> slot ...   16 or 24 hex digits as inline bytes
 *	  |
 *	  +- files    what is beyond the limit (idspill.c)
 *
 * Why so:
 * - What costs time is memory, not arithmetic: four slots are a cache line,
 *   an id of up to 15 bytes is found or added with one line touched, and a
 *   uuid spelled out is packed into one slot as well.  Ids wait in a ring
 *   while their line is fetched.
 * - Exact: a slot is the whole id or refers to it, and a long id is equal
 *   only if its bytes are.  The hash in its slot may show that two differ.
 * - Slots stand in the order of their hashes (position = hash * nslots /
 *   2^32, then the next free one).  A table grows, and two tables of one
 *   query merge, by going through memory from one end to the other.  For
 *   that all processes of a server hash alike.
 * - The hash is seeded with what only the server knows: whoever chooses ids
 *   cannot make them collide, and one who could would win time, not money.
 * - A table is between 53% and 80% full once it is large: 20 to 30 bytes an
 *   id, 25 on average.  An empty slot is all zero; the one id of a packed
 *   kind that is all zero too is a flag.
 *
 * - Memory is bounded, if the set has a bound.  Tables and arena share the
 *   limit.  A table grows while the old and the new one fit; the first that
 *   may not, or a long id that has no room, ends the growth of all: from then
 *   on the set is full, what it does not hold goes to files, and no id is in
 *   both.  Rows pay nothing for that: a full table is one whose own limit is
 *   zero, which leads where growth led before.
 *
 * Built with -DIDSET_DEGENERATE_HASH all ids have one of four hashes: every
 * test of what is built on this must pass then too, if slowly.
 */
#include "lib/idset.h"

#include "miscadmin.h"

#include "lib/idspill.h"
#include "lib/pages.h"

#define FIRST_SLOTS		16
#define DOUBLING_SLOTS	65536	/* grow by half beyond */
#define WRITTEN_VERSION	1
#define WRITTEN_HEAD	(2 + 8 * (ID_KINDS + 1))
#define INTERRUPT_SLOTS	4096

/* ---- tables ---- */

static inline uint32
home(const IdTable *table, uint64 hash)
{
	return ((hash >> 32) * table->nslots) >> 32;
}

static void
out_of_memory(const IdSet *set, uint64 nslots)
{
	ereport(ERROR,
			(errcode(ERRCODE_OUT_OF_MEMORY),
			 errmsg("out of memory for a set of " UINT64_FORMAT " distinct users",
					nslots * 4 / 5),
			 errdetail("An exact count holds each user once, in about 25 bytes."),
			 set->bound.budget == NULL ?
			 errhint("Count fewer users at a time (group by app and day), or lower max_parallel_workers_per_gather so that fewer sets are held at once.") :
			 errhint("Lower work_mem or hash_mem_multiplier: beyond their product users go to temporary files.")));
}

static IdSlot *
alloc_slots(const IdSet *set, uint64 nslots)
{
	IdSlot	   *slots = NULL;

	if (nslots <= PG_UINT32_MAX)
		slots = MemoryContextAllocExtended(set->context, nslots * sizeof(IdSlot),
										   MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
	if (slots == NULL)
		out_of_memory(set, nslots);
	advise_large_pages(slots, nslots * sizeof(IdSlot));
	return memset(slots, 0, nslots * sizeof(IdSlot));
}

static void
resize(IdSet *set, IdKind kind, uint64 nslots)
{
	IdTable    *table = &set->tables[kind];
	IdTable		old = *table;

	temp_bound_take(&set->bound, nslots * sizeof(IdSlot));
	table->slots = alloc_slots(set, nslots);
	table->nslots = nslots;
	table->limit = nslots / 5 * 4;
	for (uint32 i = 0; i < old.nslots; i++)
	{
		uint32		at;

		if (id_slot_is_empty(old.slots[i]))
			continue;
		at = home(table, id_slot_hash(kind, old.slots[i], 0));
		while (!id_slot_is_empty(table->slots[at]))
			if (++at == table->nslots)
				at = 0;
		table->slots[at] = old.slots[i];
	}
	if (old.slots != NULL)
		pfree(old.slots);
	temp_bound_give(&set->bound, (Size) old.nslots * sizeof(IdSlot));
}

/* So many slots, or as many as the limit allows beside the old ones. */
static uint64
slots_within_limit(const IdSet *set, uint64 nslots)
{
	if (set->bound.budget == NULL)
		return nslots;
	return Min(nslots, Min(temp_bound_room(&set->bound) / sizeof(IdSlot), PG_UINT32_MAX));
}

void
idset_fill(IdSet *set)
{
	set->full = true;
	for (int kind = 0; kind < ID_KINDS; kind++)
	{
		if (set->tables[kind].nslots == 0)
			resize(set, kind, FIRST_SLOTS);
		set->tables[kind].limit = 0;
	}
}

/* Lets a table grow; false if it may not, and none of the set from then on. */
static pg_noinline bool
make_room(IdSet *set, IdKind kind)
{
	uint64		nslots = set->tables[kind].nslots;
	uint64		larger = nslots < DOUBLING_SLOTS ? nslots * 2 : nslots + nslots / 2;

	if (set->full)
		return false;
	if (nslots == 0)
		resize(set, kind, FIRST_SLOTS);
	else if ((larger = slots_within_limit(set, larger)) > nslots + nslots / 8)
		resize(set, kind, larger);
	else
		idset_fill(set);
	return !set->full;
}

/* Makes room for more ids, which come in the order of their hashes. */
static void
reserve(IdSet *set, IdKind kind, uint64 more)
{
	uint64		nslots = (set->tables[kind].used + more) / 4 * 5 + FIRST_SLOTS;

	if (more == 0 || set->full)
		return;
	nslots = slots_within_limit(set, nslots);
	if (nslots > set->tables[kind].nslots && nslots >= FIRST_SLOTS)
		resize(set, kind, nslots);
}

/* Adds a slot that is not there yet at the first free place. */
static inline void
insert_slot(IdSet *set, IdKind kind, uint64 hash, IdSlot slot)
{
	IdTable    *table = &set->tables[kind];
	uint32		at = home(table, hash);

	for (;;)
	{
		IdSlot	   *place = &table->slots[at];

		if (id_slot_is_empty(*place))
		{
			*place = slot;
			table->used++;
			return;
		}
		if (place->w0 == slot.w0 && place->w1 == slot.w1)
			return;
		if (++at == table->nslots)
			at = 0;
	}
}

static bool
has_slot(const IdTable *table, uint64 hash, IdSlot slot)
{
	for (uint32 at = home(table, hash); !id_slot_is_empty(table->slots[at]);)
	{
		if (table->slots[at].w0 == slot.w0 && table->slots[at].w1 == slot.w1)
			return true;
		if (++at == table->nslots)
			at = 0;
	}
	return false;
}

static pg_noinline void
put_in_full_set(IdSet *set, IdKind kind, uint64 hash, IdSlot slot)
{
	if (!has_slot(&set->tables[kind], hash, slot))
		idspill_put(set, kind, hash, slot, NULL, 0);
}

static inline void
add_slot(IdSet *set, IdKind kind, uint64 hash, IdSlot slot)
{
	IdTable    *table = &set->tables[kind];

	if (unlikely(id_slot_is_empty(slot)))
	{
		table->zero = true;
		return;
	}
	if (unlikely(table->used >= table->limit) && !make_room(set, kind))
	{
		put_in_full_set(set, kind, hash, slot);
		return;
	}
	insert_slot(set, kind, hash, slot);
}

static IdSlot
keep_long(IdSet *set, uint64 w1, const char *id, uint32 len)
{
	char	   *entry = arena_alloc(&set->arena, set->context, (Size) len + ID_LEN_BYTES);
	IdSlot		slot = {(uint64) (uintptr_t) entry, w1};

	store_le32(entry, len);
	memcpy(entry + ID_LEN_BYTES, id, len);
	set->long_count++;
	set->long_bytes += (uint64) len + ID_LEN_BYTES;
	return slot;
}

/* Whether a long id may be kept; if not, no id may from then on. */
static bool
has_room_for_long(IdSet *set, uint32 len)
{
	Size		need = arena_need(&set->arena, (Size) len + ID_LEN_BYTES);

	if (!set->full && need > 0)
	{
		if (need > temp_bound_room(&set->bound))
			idset_fill(set);
		else
			temp_bound_take(&set->bound, need);
	}
	return !set->full;
}

static void
add_long(IdSet *set, uint64 hash, const char *id, uint32 len)
{
	IdTable    *table = &set->tables[ID_BYTES];
	uint64		w1 = id_long_w1(hash);
	uint32		at;

	if (table->used >= table->limit)
		make_room(set, ID_BYTES);
	for (at = home(table, hash); !id_slot_is_empty(table->slots[at]);)
	{
		IdSlot		slot = table->slots[at];

		if (slot.w1 == w1 && id_long_len(slot) == len && memcmp(id_long_bytes(slot), id, len) == 0)
			return;
		if (++at == table->nslots)
			at = 0;
	}
	if (has_room_for_long(set, len))
	{
		table->slots[at] = keep_long(set, w1, id, len);
		table->used++;
	}
	else
		idspill_put(set, ID_BYTES, hash, (IdSlot) {0, w1}, id, len);
}

void
idset_put(IdSet *set, IdKind kind, uint64 hash, IdSlot slot)
{
	add_slot(set, kind, hash, slot);
}

void
idset_put_long(IdSet *set, uint64 hash, const char *id, uint32 len)
{
	add_long(set, hash, id, len);
}

/* ---- the ring ---- */

void
idring_init(IdRing *ring)
{
	ring->next = 0;
	for (int i = 0; i < IDRING_SIZE; i++)
		ring->items[i].set = NULL;
}

static inline void
settle(IdPending *item)
{
	if (item->len > 0)
		add_long(item->set, item->hash, item->bytes, item->len);
	else
		add_slot(item->set, item->kind, item->hash, item->slot);
	item->set = NULL;
}

void
idring_flush(IdRing *ring)
{
	for (int i = 0; i < IDRING_SIZE; i++)
		if (ring->items[i].set != NULL)
			settle(&ring->items[i]);
}

void
idring_forget(IdRing *ring, const IdSet *set)
{
	for (int i = 0; i < IDRING_SIZE; i++)
		if (ring->items[i].set == set)
			ring->items[i].set = NULL;
}

/*
 * Half way through the ring the slot has come; if it refers to a long id of
 * the same hash, that id's bytes are what will be waited for next.
 */
static inline void
look_ahead(const IdPending *item)
{
	const IdTable *table;
	IdSlot		slot;

	if (item->set == NULL || item->len == 0)
		return;
	table = &item->set->tables[ID_BYTES];
	if (table->nslots == 0)
		return;
	slot = table->slots[home(table, item->hash)];
	if (id_is_long(slot))
		__builtin_prefetch((const char *) (uintptr_t) slot.w0);
}

/* The place in the ring for the next id, and its line on its way. */
static inline IdPending *
enqueue(IdSet *set, IdRing *ring, IdKind kind, uint64 hash)
{
	IdPending  *item = &ring->items[ring->next % IDRING_SIZE];
	IdTable    *table = &set->tables[kind];

	look_ahead(&ring->items[(ring->next++ + IDRING_SIZE / 2) % IDRING_SIZE]);
	if (likely(item->set != NULL))
		settle(item);
	__builtin_prefetch(&table->slots[home(table, hash)], 1);
	item->set = set;
	item->hash = hash;
	item->kind = kind;
	return item;
}

static inline void
enqueue_slot(IdSet *set, IdRing *ring, IdKind kind, IdSlot slot)
{
	IdPending  *item = enqueue(set, ring, kind, id_hash_slot(slot, 0));

	item->slot = slot;
	item->len = 0;
}

/* ---- ids ---- */

void
idset_init(IdSet *set, MemoryContext context)
{
	id_seed_make();
	memset(set, 0, sizeof(*set));
	set->context = context;
}

void
idset_clear(IdSet *set)
{
	for (int kind = 0; kind < ID_KINDS; kind++)
		if (set->tables[kind].slots != NULL)
			pfree(set->tables[kind].slots);
	memset(set->tables, 0, sizeof(set->tables));
	arena_free(&set->arena);
	set->long_count = set->long_bytes = 0;
	set->full = false;
	temp_bound_give(&set->bound, set->bound.held);
}

uint64
idset_count(const IdSet *set)
{
	uint64		count = 0;

	for (int kind = 0; kind < ID_KINDS; kind++)
		count += (uint64) set->tables[kind].used + set->tables[kind].zero;
	return count;
}

static void
enqueue_long(IdSet *set, IdRing *ring, const char *id, Size len)
{
	uint64		hash = id_hash_long(id, len, 0);
	IdPending  *item;

	if (len > IDRING_BYTES)
	{
		add_long(set, hash, id, len);
		return;
	}
	item = enqueue(set, ring, ID_BYTES, hash);
	item->len = len;
	memcpy(item->bytes, id, len);
}

void
idset_add(IdSet *set, IdRing *ring, const char *id, Size len)
{
	IdSlot		slot;
	IdKind		kind = id_pack(id, len, &slot);

	if (likely(kind != ID_KINDS))
		enqueue_slot(set, ring, kind, slot);
	else
		enqueue_long(set, ring, id, len);
}

void
idset_add_word(IdSet *set, IdRing *ring, uint64 id)
{
	IdSlot		slot = {id, (uint64) (8 + 1) << TAG_SHIFT};

	enqueue_slot(set, ring, ID_BYTES, slot);
}

void
idset_add_uuid(IdSet *set, IdRing *ring, const uint8 *id)
{
	IdSlot		slot = {load_le64(id), load_le64(id + 8)};

	enqueue_slot(set, ring, ID_UUID, slot);
}

/* ---- all ids of a set ---- */

/* Merging millions of ids takes seconds, and must be open to cancelling. */
static inline void
check_interrupts_at(uint64 i)
{
	if (i % INTERRUPT_SLOTS == 0)
		CHECK_FOR_INTERRUPTS();
}

void
idset_merge(IdSet *set, const IdSet *other)
{
	for (int kind = 0; kind < ID_KINDS; kind++)
	{
		const IdTable *table = &other->tables[kind];

		reserve(set, kind, table->used);
		set->tables[kind].zero |= table->zero;
		for (uint32 i = 0; i < table->nslots; i++)
		{
			IdSlot		slot = table->slots[i];

			check_interrupts_at(i);
			if (id_slot_is_empty(slot))
				continue;
			if (kind == ID_BYTES && id_is_long(slot))
				add_long(set, id_slot_hash(kind, slot, 0), id_long_bytes(slot), id_long_len(slot));
			else
				add_slot(set, kind, id_hash_slot(slot, 0), slot);
		}
	}
	if (other->files != NULL)
		idspill_read_all(set, other);
}

static void
call_for_slot(IdKind kind, IdSlot slot, IdCallback callback, void *arg)
{
	uint8		bytes[UUID_BYTES];
	char		text[UUID_TEXT_LEN];

	store_le64(bytes, slot.w0);
	store_le64(bytes + 8, slot.w1);
	if (kind == ID_UUID)
	{
		hex_spell_uuid(bytes, HEX_LOWER, text);
		callback(arg, text, UUID_TEXT_LEN);
	}
	else if (kind == ID_HEX32)
	{
		hex_spell(bytes, UUID_BYTES, HEX_LOWER, text);
		callback(arg, text, 2 * UUID_BYTES);
	}
	else if (kind == ID_HEX)
	{
		Size		n = (slot.w1 >> TAG_SHIFT) - 1;

		hex_spell(bytes, n, HEX_LOWER, text);
		callback(arg, text, 2 * n);
	}
	else if (id_is_long(slot))
		callback(arg, id_long_bytes(slot), id_long_len(slot));
	else
		callback(arg, (char *) bytes, (slot.w1 >> TAG_SHIFT) - 1);
}

void
idset_each(const IdSet *set, IdCallback callback, void *arg)
{
	static const IdSlot zero = {0, 0};

	for (int kind = 0; kind < ID_KINDS; kind++)
	{
		const IdTable *table = &set->tables[kind];

		if (table->zero)
			call_for_slot(kind, zero, callback, arg);
		for (uint32 i = 0; i < table->nslots; i++)
			if (!id_slot_is_empty(table->slots[i]))
				call_for_slot(kind, table->slots[i], callback, arg);
	}
}

/*
 * ---- written form ----
 *
 *	  version | flags of zero ids | ids in slots, 8 bytes a kind | long ids, 8 bytes
 *	  | slots of 16 bytes, kind by kind | long ids: length, bytes; ...
 *
 * One set of bytes may follow the other; no id need be in one of them alone.
 */

Size
idset_written_size(const IdSet *set)
{
	Size		size = WRITTEN_HEAD + set->long_bytes;

	for (int kind = 0; kind < ID_KINDS; kind++)
		size += (Size) set->tables[kind].used * sizeof(IdSlot);
	return size - set->long_count * sizeof(IdSlot);
}

static char *
write_slots(const IdTable *table, IdKind kind, char *to)
{
	for (uint32 i = 0; i < table->nslots; i++)
	{
		IdSlot		slot = table->slots[i];

		if (id_slot_is_empty(slot) || (kind == ID_BYTES && id_is_long(slot)))
			continue;
		store_le64(to, slot.w0);
		store_le64(to + 8, slot.w1);
		to += sizeof(IdSlot);
	}
	return to;
}

static char *
write_long_ids(const IdTable *table, char *to)
{
	for (uint32 i = 0; i < table->nslots; i++)
	{
		IdSlot		slot = table->slots[i];
		Size		size;

		if (!id_is_long(slot))
			continue;
		size = (Size) id_long_len(slot) + ID_LEN_BYTES;
		memcpy(to, id_long_bytes(slot) - ID_LEN_BYTES, size);
		to += size;
	}
	return to;
}

void
idset_write(const IdSet *set, char *to)
{
	char	   *end PG_USED_FOR_ASSERTS_ONLY = to + idset_written_size(set);

	*to++ = WRITTEN_VERSION;
	*to = 0;
	for (int kind = 0; kind < ID_KINDS; kind++)
		*to |= set->tables[kind].zero << kind;
	to++;
	for (int kind = 0; kind < ID_KINDS; kind++, to += 8)
		store_le64(to, set->tables[kind].used - (kind == ID_BYTES ? set->long_count : 0));
	store_le64(to, set->long_count);
	to += 8;
	for (int kind = 0; kind < ID_KINDS; kind++)
		to = write_slots(&set->tables[kind], kind, to);
	to = write_long_ids(&set->tables[ID_BYTES], to);
	Assert(to == end);
}

static void
check_written(bool right)
{
	if (!right)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid state of a set of distinct users"),
				 errdetail("The bytes are not those that a worker of this version writes.")));
}

/* An inline id has its length and nothing behind its bytes. */
static inline bool
is_inline(IdSlot slot)
{
	uint64		len = (slot.w1 >> TAG_SHIFT) - 1;

	if (len > ID_INLINE_MAX)
		return false;
	if (len <= 8)
		return (slot.w1 & ~TAG_MASK) == 0 && (len == 8 || slot.w0 >> (8 * len) == 0);
	return (slot.w1 & ~TAG_MASK) >> (8 * (len - 8)) == 0;
}

static inline bool
is_slot_of(IdKind kind, IdSlot slot)
{
	uint64		len = (slot.w1 >> TAG_SHIFT) - 1;

	if (kind == ID_BYTES)
		return is_inline(slot);
	if (kind == ID_HEX)
		return is_inline(slot) && (len == 8 || len == 12);
	return !id_slot_is_empty(slot);
}

static const char *
merge_slots(IdSet *set, IdKind kind, uint64 count, const char *from)
{
	reserve(set, kind, count);
	for (uint64 i = 0; i < count; i++, from += sizeof(IdSlot))
	{
		IdSlot		slot = {load_le64(from), load_le64(from + 8)};

		check_interrupts_at(i);
		check_written(is_slot_of(kind, slot));
		add_slot(set, kind, id_hash_slot(slot, 0), slot);
	}
	return from;
}

static const char *
merge_long_ids(IdSet *set, uint64 count, const char *from, const char *end)
{
	reserve(set, ID_BYTES, count);
	for (uint64 i = 0; i < count; i++)
	{
		uint32		len;

		check_interrupts_at(i);
		check_written(end - from >= ID_LEN_BYTES);
		len = load_le32(from);
		from += ID_LEN_BYTES;
		check_written(len > ID_INLINE_MAX && len <= (Size) (end - from));
		add_long(set, id_hash_long(from, len, 0), from, len);
		from += len;
	}
	return from;
}

/* The bytes of one set; returns where the next may begin. */
static const char *
merge_one_written(IdSet *set, const char *bytes, const char *end)
{
	uint64		count[ID_KINDS + 1];
	Size		left = end - bytes;

	check_written(left >= WRITTEN_HEAD && bytes[0] == WRITTEN_VERSION &&
				  (uint8) bytes[1] >> ID_KINDS == 0 && (bytes[1] & (1 << ID_BYTES | 1 << ID_HEX)) == 0);
	left -= WRITTEN_HEAD;
	for (int kind = 0; kind <= ID_KINDS; kind++)
	{
		Size		least = kind < ID_KINDS ? sizeof(IdSlot) : ID_LEN_BYTES;

		count[kind] = load_le64(bytes + 2 + 8 * kind);
		check_written(count[kind] <= left / least);
		left -= count[kind] * least;
	}
	for (int kind = 0; kind < ID_KINDS; kind++)
		set->tables[kind].zero |= (bytes[1] >> kind) & 1;
	bytes += WRITTEN_HEAD;
	for (int kind = 0; kind < ID_KINDS; kind++)
		bytes = merge_slots(set, kind, count[kind], bytes);
	return merge_long_ids(set, count[ID_KINDS], bytes, end);
}

void
idset_merge_written(IdSet *set, const char *bytes, Size size)
{
	const char *end = bytes + size;

	do
		bytes = merge_one_written(set, bytes, end);
	while (bytes < end);
}
