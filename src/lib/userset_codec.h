/*
 * userset_codec.h
 *	  The bytes of an im_userset: ids to keys, keys to blocks, and back.
 *
 * See userset_codec.c for the format.  Nothing outside that file and this
 * header knows a byte of it.
 */
#ifndef IM_TYPES_USERSET_CODEC_H
#define IM_TYPES_USERSET_CODEC_H

#include "lib/compat.h"
#include "lib/hexpack.h"

/*
 * Room for the key of an id of len bytes and for the id of a key of len
 * bytes.  A key is read 16 bytes at a time, so it never gets less.
 */
#define USERSET_KEY_ROOM(len)	((Size) (len) + 16)
#define USERSET_ID_ROOM(len)	(2 * (Size) (len) + 16)

/* The first 16 bytes of a key, zero filled, as numbers that order as bytes. */
typedef struct UserKey
{
	uint64		hi;
	uint64		lo;
	uint8	   *bytes;
	uint32		len;
} UserKey;

/*
 * Encodes an id into a buffer of USERSET_KEY_ROOM(len); returns the key's
 * length.  Two ids have the same key only if they are the same bytes.
 */
extern uint32 userset_key_encode(const char *id, Size len, uint8 *key);

/*
 * Decodes a key into a buffer of USERSET_ID_ROOM(len); returns the id's length
 * or -1 for bytes that are no key.  What it accepts may still not be what
 * userset_key_encode() would have made: who cares encodes again.
 */
extern int64 userset_key_decode(const uint8 *key, uint32 len, char *id);

/*
 * Sets hi and lo of a key from its length and bytes, of which 16 must be
 * readable however short the key is.
 */
static inline void
userset_key_load(UserKey *key)
{
	key->hi = load_be64(key->bytes);
	key->lo = load_be64(key->bytes + 8);
	if (key->len < 16)
	{
		key->lo = key->len > 8 ? key->lo & (~UINT64CONST(0) << (128 - 8 * key->len)) : 0;
		if (key->len < 8)
			key->hi = key->len > 0 ? key->hi & (~UINT64CONST(0) << (64 - 8 * key->len)) : 0;
	}
}

/* Orders keys as memcmp does, a prefix before what it begins. */
static inline int
userset_key_compare(const UserKey *a, const UserKey *b)
{
	if (a->hi != b->hi)
		return a->hi < b->hi ? -1 : 1;
	if (a->lo != b->lo)
		return a->lo < b->lo ? -1 : 1;
	if (a->len > 16 && b->len > 16)
	{
		/* A uuid has one byte left, which is not worth a call of memcmp(). */
		int			cmp = a->bytes[16] - b->bytes[16];

		if (cmp == 0 && (a->len > 17 || b->len > 17))
			cmp = memcmp(a->bytes + 16, b->bytes + 16, Min(a->len, b->len) - 16);
		if (cmp != 0)
			return cmp;
	}
	return a->len < b->len ? -1 : a->len > b->len;
}

/*
 * Writer: keys in strictly rising order in, a set out.  It allocates in the
 * context that was current at userset_writer_init() and raises 54000 where
 * the set would pass the 1 GB that a value may have.
 */
typedef struct UserSetWriter
{
	MemoryContext context;
	uint8	   *image;			/* the varlena under construction */
	Size		len;
	Size		cap;
	uint8	   *body;			/* of the open block */
	Size		body_len;
	Size		body_cap;
	uint32		body_keys;
	uint64		count;
	UserKey		last;			/* a copy of the newest key */
	Size		last_cap;
} UserSetWriter;

extern void userset_writer_init(UserSetWriter *writer);
extern void userset_writer_put(UserSetWriter *writer, const UserKey *key);
extern struct varlena *userset_writer_finish(UserSetWriter *writer);

/*
 * Reader: the keys of a set one after the other.  A set in a TOAST table is
 * read through a window of some blocks; any other is read where it stands
 * and must outlive the reader.  Every byte is checked on the way; damage
 * raises the given SQLSTATE.
 */
typedef struct UserSetReader
{
	UserKey		key;			/* the current one */
	Size		key_cap;
	uint32		block_left;		/* keys left in the block */
	uint64		left;			/* keys left in the set */
	const uint8 *next;
	const uint8 *block_end;
	const uint8 *end;			/* of what is in memory */
	int			sqlstate;
	MemoryContext context;
	struct varlena *toasted;	/* what the window looks at, or NULL */
	uint8	   *window;
	Size		window_cap;
	Size		fetched;		/* bytes of the value that were fetched */
	Size		size;			/* bytes of the value */
} UserSetReader;

extern void userset_reader_init(UserSetReader *reader, Datum set);
extern void userset_reader_init_bytes(UserSetReader *reader, const uint8 *bytes,
									  Size size, int sqlstate);

/* Steps to the next key; false after the last one. */
extern bool userset_reader_next(UserSetReader *reader);
extern void userset_reader_close(UserSetReader *reader);

/* Number of users in a set, from its head alone. */
extern uint64 userset_count(Datum set);

#endif							/* IM_TYPES_USERSET_CODEC_H */
