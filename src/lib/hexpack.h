/*
 * hexpack.h
 *	  Eight hex digits at a time into four bytes, inline and without tables.
 *
 * Ids that are numbers, digests or uuids are runs of hex digits.  Packing
 * halves them, and it is injective as long as one spelling is packed at a
 * time, so each function takes the case of the letters and refuses the other.
 *
 * Nothing here allocates or raises.
 */
#ifndef IM_TYPES_HEXPACK_H
#define IM_TYPES_HEXPACK_H

#include "lib/compat.h"
#include "port/pg_bswap.h"

/* Distance from the character after '9' to the first letter, per case. */
#define HEX_LOWER	0x27
#define HEX_UPPER	0x07

#define UUID_TEXT_LEN	36
#define UUID_BYTES		16

/* Eight, four bytes of memory as a number whose low byte comes first. */
static inline uint64
load_le64(const void *p)
{
	uint64		v;

	memcpy(&v, p, sizeof(v));
#ifdef WORDS_BIGENDIAN
	v = pg_bswap64(v);
#endif
	return v;
}

static inline uint32
load_le32(const void *p)
{
	uint32		v;

	memcpy(&v, p, sizeof(v));
#ifdef WORDS_BIGENDIAN
	v = pg_bswap32(v);
#endif
	return v;
}

static inline void
store_le64(void *p, uint64 v)
{
#ifdef WORDS_BIGENDIAN
	v = pg_bswap64(v);
#endif
	memcpy(p, &v, sizeof(v));
}

static inline void
store_le32(void *p, uint32 v)
{
#ifdef WORDS_BIGENDIAN
	v = pg_bswap32(v);
#endif
	memcpy(p, &v, sizeof(v));
}

/* Eight bytes as a number that orders as memcmp does. */
static inline uint64
load_be64(const void *p)
{
	uint64		v;

	memcpy(&v, p, sizeof(v));
	return pg_ntoh64(v);
}

/*
 * Packs the eight characters of a load_le64() word.  The digits are spelled
 * again from their values and compared with what came in, so one comparison
 * refuses every character that is no digit of the given case.
 */
static inline bool
hex_pack8(uint64 chars, uint64 letters, uint32 *packed)
{
	const uint64 ones = UINT64CONST(0x0101010101010101);
	uint64		nibbles = ((chars & (ones * 0x0f)) + ((chars >> 6) & ones) * 9) & (ones * 0x0f);
	uint64		above9 = ((nibbles + ones * 6) >> 4) & ones;

	if (chars != nibbles + ones * 0x30 + above9 * letters)
		return false;
	nibbles = ((nibbles << 4) | (nibbles >> 8)) & UINT64CONST(0x00ff00ff00ff00ff);
	nibbles = (nibbles | (nibbles >> 8)) & UINT64CONST(0x0000ffff0000ffff);
	*packed = (uint32) (nibbles | (nibbles >> 16));
	return true;
}

/* Packs 32 digits into two words; false if any is no digit of that case. */
static inline bool
hex_pack32(const char *s, uint64 letters, uint64 *w0, uint64 *w1)
{
	uint32		part[4];

	for (int i = 0; i < 4; i++)
		if (!hex_pack8(load_le64(s + 8 * i), letters, &part[i]))
			return false;
	*w0 = part[0] | ((uint64) part[1] << 32);
	*w1 = part[2] | ((uint64) part[3] << 32);
	return true;
}

/* Packs 36 characters of the form 8-4-4-4-12; false if they are not that. */
static inline bool
hex_pack_uuid(const char *s, uint64 letters, uint64 *w0, uint64 *w1)
{
	uint32		part[4];

	if (s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-')
		return false;
	if (!hex_pack8(load_le64(s), letters, &part[0]) ||
		!hex_pack8(load_le32(s + 9) | ((uint64) load_le32(s + 14) << 32), letters, &part[1]) ||
		!hex_pack8(load_le32(s + 19) | ((uint64) load_le32(s + 24) << 32), letters, &part[2]) ||
		!hex_pack8(load_le64(s + 28), letters, &part[3]))
		return false;
	*w0 = part[0] | ((uint64) part[1] << 32);
	*w1 = part[2] | ((uint64) part[3] << 32);
	return true;
}

/* Spells n bytes as 2n digits. */
static inline void
hex_spell(const uint8 *bytes, size_t n, uint64 letters, char *out)
{
	for (size_t i = 0; i < n; i++)
	{
		uint8		high = bytes[i] >> 4;
		uint8		low = bytes[i] & 15;

		*out++ = (char) (high + '0' + (high > 9 ? letters : 0));
		*out++ = (char) (low + '0' + (low > 9 ? letters : 0));
	}
}

/* Spells 16 bytes in the form 8-4-4-4-12: 36 characters, no terminator. */
static inline void
hex_spell_uuid(const uint8 *bytes, uint64 letters, char *out)
{
	static const uint8 group[] = {4, 2, 2, 2, 6};

	for (int i = 0; i < 5; i++)
	{
		if (i > 0)
			*out++ = '-';
		hex_spell(bytes, group[i], letters, out);
		bytes += group[i];
		out += 2 * group[i];
	}
}

#endif							/* IM_TYPES_HEXPACK_H */
