/*
 * idslot.h
 *	  An id in sixteen bytes: the whole of it, or a reference and its hash.
 *
 *	  inline id:  [ bytes 0-7 ][ bytes 8-14 | length + 1 ]
 *	  long id:    [ reference ][ hash       | 255        ]
 *	  packed id:  the 16 bytes of a uuid or of 32 hex digits
 *
 * Slots of one kind are equal if and only if the ids are, but for long ones:
 * there an equal hash says no more than that the bytes must be compared.
 *
 * Hashes are seeded with what only the server knows: whoever chooses ids
 * cannot make them collide, and one who could would win time, not money.  All
 * processes of a server hash alike.  Built with -DIDSET_DEGENERATE_HASH all
 * ids have one of four hashes: every test of what is built on this must pass
 * then too, if slowly.
 *
 * Nothing here allocates or raises.
 */
#ifndef IM_TYPES_IDSLOT_H
#define IM_TYPES_IDSLOT_H

#include "lib/hexpack.h"

#include "common/hashfn.h"

/* How an id is written into 16 bytes. */
typedef enum IdKind
{
	ID_BYTES,					/* to 15 bytes and their number, or a reference */
	ID_UUID,					/* 16 bytes; as text 8-4-4-4-12, lower case */
	ID_HEX32,					/* 32 lower-case hex digits */
	ID_HEX,						/* 16 or 24 of them, as the bytes of ID_BYTES */
	ID_KINDS
} IdKind;

typedef struct IdSlot
{
	uint64		w0;
	uint64		w1;
} IdSlot;

#define ID_INLINE_MAX	15
#define TAG_SHIFT		56
#define TAG_LONG		UINT64CONST(0xff)
#define TAG_MASK		(TAG_LONG << TAG_SHIFT)

/* Never zero once id_seed_make() was called, which whoever hashes does first. */
extern uint64 id_seed[2];
extern void id_seed_make(void);

static inline uint64
id_mix(uint64 x)
{
	x ^= x >> 32;
	x *= UINT64CONST(0xd6e8feb86659fd93);
	x ^= x >> 32;
	return x * UINT64CONST(0xd6e8feb86659fd93);
}

static inline uint64
id_final_hash(uint64 hash)
{
#ifdef IDSET_DEGENERATE_HASH
	return hash & (UINT64CONST(3) << 62);
#else
	return hash;
#endif
}

/* The salt tells sets apart in which one id is to hash differently, or is 0. */
static inline uint64
id_hash_slot(IdSlot slot, uint64 salt)
{
	uint64		h = (slot.w0 ^ id_seed[0] ^ salt) * UINT64CONST(0x9e3779b97f4a7c15);

	h ^= h >> 32;
	return id_final_hash(id_mix(h ^ slot.w1 ^ id_seed[1]));
}

/* The low byte is zero, so that the rest fits beside the tag. */
static inline uint64
id_hash_long(const char *id, Size len, uint64 salt)
{
	return id_final_hash(hash_bytes_extended((const unsigned char *) id, len, id_seed[0] ^ salt) & ~TAG_LONG);
}

static inline bool
id_is_long(IdSlot slot)
{
	return (slot.w1 & TAG_MASK) == TAG_MASK;
}

static inline uint64
id_long_w1(uint64 hash)
{
	return TAG_MASK | hash >> 8;
}

/* The hash by which a slot stands where it does. */
static inline uint64
id_slot_hash(IdKind kind, IdSlot slot, uint64 salt)
{
	return kind == ID_BYTES && id_is_long(slot) ? slot.w1 << 8 : id_hash_slot(slot, salt);
}

/* Up to 15 bytes, read without a loop and without reading beyond them. */
static inline IdSlot
id_inline_slot(const char *id, Size len)
{
	IdSlot		slot = {0, 0};

	if (len >= 8)
	{
		slot.w0 = load_le64(id);
		slot.w1 = (load_le64(id + len - 8) >> (8 * (ID_INLINE_MAX - len))) >> 8;
	}
	else if (len >= 4)
		slot.w0 = load_le32(id) | (uint64) load_le32(id + len - 4) << (8 * (len - 4));
	else
		for (Size i = 0; i < len; i++)
			slot.w0 |= (uint64) (uint8) id[i] << (8 * i);
	slot.w1 |= (uint64) (len + 1) << TAG_SHIFT;
	return slot;
}

/* 16 or 24 lower-case hex digits as 8 or 12 bytes. */
static inline bool
id_hex_slot(const char *id, Size len, IdSlot *slot)
{
	uint32		part[3] = {0, 0, 0};

	for (Size i = 0; i < len / 8; i++)
		if (!hex_pack8(load_le64(id + 8 * i), HEX_LOWER, &part[i]))
			return false;
	slot->w0 = part[0] | (uint64) part[1] << 32;
	slot->w1 = part[2] | (uint64) (len / 2 + 1) << TAG_SHIFT;
	return true;
}

/* The slot of an id that fits one and its kind; ID_KINDS for any other. */
static inline IdKind
id_pack(const char *id, Size len, IdSlot *slot)
{
	if (likely(len <= ID_INLINE_MAX))
	{
		*slot = id_inline_slot(id, len);
		return ID_BYTES;
	}
	if (len == UUID_TEXT_LEN && hex_pack_uuid(id, HEX_LOWER, &slot->w0, &slot->w1))
		return ID_UUID;
	if (len == 32 && hex_pack32(id, HEX_LOWER, &slot->w0, &slot->w1))
		return ID_HEX32;
	if ((len == 16 || len == 24) && id_hex_slot(id, len, slot))
		return ID_HEX;
	return ID_KINDS;
}

#endif							/* IM_TYPES_IDSLOT_H */
