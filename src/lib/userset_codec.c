/*
 * userset_codec.c
 *	  The stored form of an im_userset: front-coded keys in blocks.
 *
 *	  +---------+---------+----------------+---------+---------+----
 *	  | version | zero    | users, 8 bytes | block   | block   | ...
 *	  | 1 byte  | 1 byte  | low byte first |         |         |
 *	  +---------+---------+----------------+---------+---------+----
 *
 *	  block:   varint bytes of the body | varint keys | body
 *	  body:    varint length | first key | further keys
 *	  further: drop:4 add:4 | [varint drop - 15] | [varint add - 15] | add bytes
 *
 * A further key is the one before it without its last "drop" bytes and with
 * "add" bytes put on.  Keys (userset_key.c) rise strictly, as memcmp orders
 * them.  Varints have seven bits a byte, the lowest first, and no idle zero.
 *
 * Why so:
 * - Counting from the end of the key before keeps both numbers below 15 for
 *   all usual ids, however long what they share: a byte for the pair.  A
 *   serial id costs little over two bytes, a uuid 15.
 * - A block begins with a whole key and can be read knowing nothing before
 *   it, so a set operation holds a block of each input.  Nobody looks up a
 *   single user in a set; that is what a table is for.  So blocks are large
 *   and there is no directory of them.
 * - Everything is bytes: the form is the same on every machine, needs no
 *   alignment and is also what send and receive carry.
 * - The form of a set is unique, block borders included (a block ends with
 *   the key that brings it to BLOCK_BYTES or beyond): two sets are equal if
 *   and only if their bytes are.
 * - The reserved byte must be zero, so that a later version can give it a
 *   meaning that this one refuses.
 */
#include "lib/userset_codec.h"

#include "access/detoast.h"
#include "port/pg_bitutils.h"
#include "utils/memutils.h"

#define USERSET_VERSION	1
#define HEAD_BYTES		10
#define BLOCK_BYTES		4096
#define VARINT_BYTES	5		/* of a 32-bit number */
#define WINDOW_BYTES	(64 * 1024)
#define NIBBLE_FULL		15

/* ---- writing ---- */

static Size
put_varint(uint8 *to, uint32 value)
{
	Size		n = 0;

	while (value >= 0x80)
	{
		to[n++] = value | 0x80;
		value >>= 7;
	}
	to[n++] = value;
	return n;
}

/* Makes a buffer hold need bytes; doubling keeps the copying linear. */
static void
ensure_room(MemoryContext context, uint8 **buffer, Size *cap, Size need)
{
	Size		new_cap = *cap;

	if (*buffer != NULL && need <= *cap)
		return;
	while (new_cap < need)
		new_cap *= 2;
	if (*buffer == NULL)
		*buffer = MemoryContextAllocHuge(context, new_cap);
	else
		*buffer = repalloc_huge(*buffer, new_cap);
	*cap = new_cap;
}

void
userset_writer_init(UserSetWriter *writer)
{
	memset(writer, 0, sizeof(*writer));
	writer->context = CurrentMemoryContext;
	writer->cap = 256;
	writer->image = palloc(writer->cap);
	writer->len = VARHDRSZ + HEAD_BYTES;
	writer->body_cap = 256;
	writer->body = palloc(writer->body_cap);
	writer->last_cap = 64;
	writer->last.bytes = palloc(writer->last_cap);
}

static void
close_block(UserSetWriter *writer)
{
	Size		need = writer->len + writer->body_len + 2 * VARINT_BYTES;

	if (writer->body_keys == 0)
		return;
	if (need > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("set of more than " UINT64_FORMAT " users is too large to store",
						writer->count),
				 errdetail("An im_userset is one value and can have at most 1 GB."),
				 errhint("Keep one set per app and day, or count with im_dau, which has no such limit.")));
	ensure_room(writer->context, &writer->image, &writer->cap, need);
	writer->len += put_varint(writer->image + writer->len, writer->body_len);
	writer->len += put_varint(writer->image + writer->len, writer->body_keys);
	memcpy(writer->image + writer->len, writer->body, writer->body_len);
	writer->len += writer->body_len;
	writer->body_len = 0;
	writer->body_keys = 0;
}

/* Bytes that two different keys have in common at their beginning. */
static uint32
common_prefix(const UserKey *a, const UserKey *b)
{
	uint32		n = Min(a->len, b->len);
	uint32		i = 16;

	if (a->hi != b->hi)
		i = (63 - pg_leftmost_one_pos64(a->hi ^ b->hi)) / 8;
	else if (a->lo != b->lo)
		i = 8 + (63 - pg_leftmost_one_pos64(a->lo ^ b->lo)) / 8;
	else
		while (i < n && a->bytes[i] == b->bytes[i])
			i++;
	return Min(i, n);
}

static uint8 *
put_further_key(uint8 *to, uint32 drop, uint32 add)
{
	*to++ = Min(drop, NIBBLE_FULL) << 4 | Min(add, NIBBLE_FULL);
	if (drop >= NIBBLE_FULL)
		to += put_varint(to, drop - NIBBLE_FULL);
	if (add >= NIBBLE_FULL)
		to += put_varint(to, add - NIBBLE_FULL);
	return to;
}

static void
remember_key(UserSetWriter *writer, const UserKey *key, uint32 shared)
{
	ensure_room(writer->context, &writer->last.bytes, &writer->last_cap, (Size) key->len + 16);
	memcpy(writer->last.bytes + shared, key->bytes + shared, key->len - shared);
	writer->last.len = key->len;
	writer->last.hi = key->hi;
	writer->last.lo = key->lo;
}

void
userset_writer_put(UserSetWriter *writer, const UserKey *key)
{
	uint32		shared = 0;
	uint8	   *to;

	Assert(writer->count == 0 || userset_key_compare(&writer->last, key) < 0);
	if (writer->count > 0)
		shared = common_prefix(&writer->last, key);
	if (writer->body_len >= BLOCK_BYTES)
		close_block(writer);
	ensure_room(writer->context, &writer->body, &writer->body_cap,
				writer->body_len + key->len + 1 + 2 * VARINT_BYTES);
	to = writer->body + writer->body_len;
	if (writer->body_keys == 0)
	{
		to += put_varint(to, key->len);
		memcpy(to, key->bytes, key->len);
		to += key->len;
	}
	else
	{
		to = put_further_key(to, writer->last.len - shared, key->len - shared);
		memcpy(to, key->bytes + shared, key->len - shared);
		to += key->len - shared;
	}
	writer->body_len = to - writer->body;
	writer->body_keys++;
	writer->count++;
	remember_key(writer, key, shared);
}

struct varlena *
userset_writer_finish(UserSetWriter *writer)
{
	uint8	   *head;

	close_block(writer);
	head = writer->image + VARHDRSZ;
	head[0] = USERSET_VERSION;
	head[1] = 0;
	store_le64(head + 2, writer->count);
	SET_VARSIZE(writer->image, writer->len);
	pfree(writer->body);
	pfree(writer->last.bytes);
	return (struct varlena *) writer->image;
}

/* ---- reading ---- */

static void
damaged(int sqlstate, const char *what)
{
	ereport(ERROR,
			(errcode(sqlstate),
			 errmsg("invalid im_userset: %s", what),
			 errdetail("The bytes are not those that imbilling writes."),
			 errhint("If they come from a table, restore the row; if from a client, send what im_userset_send gave.")));
}

static inline uint32
get_varint(UserSetReader *reader, const uint8 *end)
{
	uint64		value = 0;

	for (int shift = 0; shift < 7 * VARINT_BYTES && reader->next < end; shift += 7)
	{
		uint8		byte = *reader->next++;

		value |= (uint64) (byte & 0x7f) << shift;
		if (byte < 0x80)
		{
			if (value > MaxAllocSize || (byte == 0 && shift > 0))
				break;
			return value;
		}
	}
	damaged(reader->sqlstate, "a length is cut off or out of range");
	return 0;
}

/* Makes n bytes from next on be in memory, or all that there are. */
static void
fetch(UserSetReader *reader, Size n)
{
	Size		have = reader->end - reader->next;
	struct varlena *slice;
	Size		want;

	if (have >= n || reader->fetched == reader->size)
		return;
	want = Min(Max(n - have, WINDOW_BYTES), reader->size - reader->fetched);
	slice = detoast_attr_slice(reader->toasted, reader->fetched, want);
	if (VARSIZE_ANY_EXHDR(slice) != want)
		damaged(reader->sqlstate, "the value is shorter than its row says");
	if (have > 0)
		memmove(reader->window, reader->next, have);
	ensure_room(reader->context, &reader->window, &reader->window_cap, have + want);
	memcpy(reader->window + have, VARDATA_ANY(slice), want);
	pfree(slice);
	reader->fetched += want;
	reader->next = reader->window;
	reader->end = reader->window + have + want;
}

static uint64
read_head(const uint8 *head, Size size, int sqlstate)
{
	if (size < HEAD_BYTES)
		damaged(sqlstate, "the head is cut off");
	if (head[0] != USERSET_VERSION)
		ereport(ERROR,
				(errcode(sqlstate),
				 errmsg("im_userset has unknown format version %u", head[0]),
				 errdetail("This library knows version %d.", USERSET_VERSION),
				 errhint("Install the version of imbilling that wrote it, or a later one.")));
	if (head[1] != 0)
		damaged(sqlstate, "the reserved byte is not zero");
	return load_le64(head + 2);
}

static void
begin(UserSetReader *reader)
{
	fetch(reader, HEAD_BYTES);
	reader->left = read_head(reader->next, reader->end - reader->next, reader->sqlstate);
	reader->next += HEAD_BYTES;
	reader->block_end = reader->next;
	reader->key_cap = 64;
	reader->key.bytes = MemoryContextAllocZero(reader->context, reader->key_cap);
}

void
userset_reader_init_bytes(UserSetReader *reader, const uint8 *bytes, Size size, int sqlstate)
{
	memset(reader, 0, sizeof(*reader));
	reader->context = CurrentMemoryContext;
	reader->sqlstate = sqlstate;
	reader->next = bytes;
	reader->end = bytes + size;
	reader->size = reader->fetched = size;
	begin(reader);
}

/* Only an uncompressed value in a TOAST table can be had in slices. */
static bool
can_be_sliced(struct varlena *value)
{
	struct varatt_external pointer;

	if (!VARATT_IS_EXTERNAL_ONDISK(value))
		return false;
	VARATT_EXTERNAL_GET_POINTER(pointer, value);
	return VARATT_EXTERNAL_GET_EXTSIZE(pointer) >= (uint32) (pointer.va_rawsize - VARHDRSZ);
}

void
userset_reader_init(UserSetReader *reader, Datum set)
{
	struct varlena *value = (struct varlena *) DatumGetPointer(set);

	if (!can_be_sliced(value))
	{
		value = PG_DETOAST_DATUM_PACKED(set);
		userset_reader_init_bytes(reader, (uint8 *) VARDATA_ANY(value),
								  VARSIZE_ANY_EXHDR(value), ERRCODE_DATA_CORRUPTED);
		return;
	}
	memset(reader, 0, sizeof(*reader));
	reader->context = CurrentMemoryContext;
	reader->sqlstate = ERRCODE_DATA_CORRUPTED;
	reader->toasted = value;
	reader->size = toast_raw_datum_size(set) - VARHDRSZ;
	reader->window_cap = 1024;
	begin(reader);
}

static void
open_block(UserSetReader *reader)
{
	uint32		bytes;

	fetch(reader, 2 * VARINT_BYTES);
	bytes = get_varint(reader, reader->end);
	reader->block_left = get_varint(reader, reader->end);
	fetch(reader, bytes);
	if (reader->block_left == 0 || reader->block_left > reader->left)
		damaged(reader->sqlstate, "a block has the wrong number of users");
	if (bytes > (Size) (reader->end - reader->next))
		damaged(reader->sqlstate, "a block is cut off");
	reader->block_end = reader->next + bytes;
}

/* Puts add bytes of the block behind the first shared bytes of the key. */
static inline void
take_bytes(UserSetReader *reader, uint32 shared, uint32 add)
{
	UserKey    *key = &reader->key;

	if (unlikely(add > (Size) (reader->block_end - reader->next)))
		damaged(reader->sqlstate, "a user id is cut off");
	if (unlikely((Size) shared + add + 16 > reader->key_cap))
		ensure_room(reader->context, &key->bytes, &reader->key_cap, (Size) shared + add + 16);
	memcpy(key->bytes + shared, reader->next, add);
	reader->next += add;
	key->len = shared + add;
	userset_key_load(key);
}

/* The first key of a block repeats nothing, but still has to rise. */
static void
first_key(UserSetReader *reader)
{
	UserKey    *key = &reader->key;
	uint32		len = get_varint(reader, reader->block_end);
	uint32		both = Min(len, key->len);
	int			cmp = 0;

	if (len > (Size) (reader->block_end - reader->next))
		damaged(reader->sqlstate, "a user id is cut off");
	if (both > 0)
		cmp = memcmp(key->bytes, reader->next, both);
	if (cmp > 0 || (cmp == 0 && key->len >= len))
		damaged(reader->sqlstate, "the users are not in order");
	take_bytes(reader, 0, len);
}

static inline void
further_key(UserSetReader *reader)
{
	uint32		drop,
				add,
				shared;

	if (reader->next >= reader->block_end)
		damaged(reader->sqlstate, "a block ends early");
	drop = *reader->next >> 4;
	add = *reader->next++ & 15;
	if (unlikely(drop == NIBBLE_FULL))
		drop += get_varint(reader, reader->block_end);
	if (unlikely(add == NIBBLE_FULL))
		add += get_varint(reader, reader->block_end);
	if (unlikely(drop > reader->key.len || add == 0))
		damaged(reader->sqlstate, "a user id repeats more than there is");
	shared = reader->key.len - drop;

	/* A byte that is not above the one it replaces breaks the order. */
	if (unlikely(drop > 0 && reader->next < reader->block_end &&
				 *reader->next <= reader->key.bytes[shared]))
		damaged(reader->sqlstate, "the users are not in order");
	take_bytes(reader, shared, add);
}

/* Steps into the next block, whose first key becomes the current one. */
static bool
next_block(UserSetReader *reader)
{
	if (reader->next != reader->block_end)
		damaged(reader->sqlstate, "a block has bytes that belong to nobody");
	fetch(reader, 1);
	if (reader->next == reader->end)
	{
		if (reader->left > 0)
			damaged(reader->sqlstate, "there are fewer users than the head says");
		return false;
	}
	if (reader->left == 0)
		damaged(reader->sqlstate, "there are more users than the head says");
	open_block(reader);
	first_key(reader);
	return true;
}

bool
userset_reader_next(UserSetReader *reader)
{
	if (likely(reader->block_left > 0))
		further_key(reader);
	else if (!next_block(reader))
		return false;
	reader->block_left--;
	reader->left--;
	return true;
}

void
userset_reader_close(UserSetReader *reader)
{
	pfree(reader->key.bytes);
	if (reader->window != NULL)
		pfree(reader->window);
}

uint64
userset_count(Datum set)
{
	struct varlena *head = PG_DETOAST_DATUM_SLICE(set, 0, HEAD_BYTES);

	return read_head((uint8 *) VARDATA_ANY(head), VARSIZE_ANY_EXHDR(head),
					 ERRCODE_DATA_CORRUPTED);
}
