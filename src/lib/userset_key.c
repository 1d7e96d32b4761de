/*
 * userset_key.c
 *	  Ids of users as keys: shorter, and still the id itself.
 *
 * The first byte of a key is its class, the rest depends on it:
 *
 *	  KEY_RAW	 1	the bytes of the id
 *	  KEY_UUID	 2	16 bytes: 8-4-4-4-12 lower-case hex digits
 *	  KEY_UUID_U 3	the same with upper-case letters, at least one
 *	  KEY_TAIL	 4	n, n bytes as they are, then two lower-case hex digits a byte
 *	  KEY_TAIL_U 5	the same with upper-case letters, at least one
 *
 *	  user_00012345	->	04 05 'user_' 00 01 23 45
 *
 * Each id has one key and each key one id, so keys are compared in place of
 * ids everywhere: equal keys are equal ids, and never because of a digest.
 * The order of keys is not that of the ids; sets promise none.
 *
 * A tail is the longest run of digits of one case at the end of the id, cut
 * to an even number of them.  Four digits are the least that gain anything.
 */
#include "lib/userset_codec.h"

#define KEY_RAW		1
#define KEY_UUID	2
#define KEY_UUID_U	3
#define KEY_TAIL	4
#define KEY_TAIL_U	5

#define TAIL_MIN_DIGITS	4
#define TAIL_MAX_PREFIX	255

static inline bool
is_hex(unsigned char c, char first_letter)
{
	return (c >= '0' && c <= '9') || (c >= first_letter && c <= first_letter + 5);
}

static Size
digits_at_end(const char *id, Size len, char first_letter)
{
	Size		n = 0;

	while (n < len && is_hex(id[len - 1 - n], first_letter))
		n++;
	return n;
}

static inline uint8
nibble(unsigned char c)
{
	return (c & 15) + (c > '9' ? 9 : 0);
}

static uint32
encode_raw(const char *id, Size len, uint8 *key)
{
	key[0] = KEY_RAW;
	memcpy(key + 1, id, len);
	return len + 1;
}

static uint32
encode_uuid(uint8 class, uint64 w0, uint64 w1, uint8 *key)
{
	key[0] = class;
	store_le64(key + 1, w0);
	store_le64(key + 9, w1);
	return 1 + UUID_BYTES;
}

static uint32
encode_tail(uint8 class, const char *id, Size prefix, Size digits, uint8 *key)
{
	const unsigned char *s = (const unsigned char *) id + prefix;

	key[0] = class;
	key[1] = prefix;
	memcpy(key + 2, id, prefix);
	key += 2 + prefix;
	for (Size i = 0; i < digits / 2; i++)
		key[i] = nibble(s[2 * i]) << 4 | nibble(s[2 * i + 1]);
	return 2 + prefix + digits / 2;
}

uint32
userset_key_encode(const char *id, Size len, uint8 *key)
{
	uint64		w0,
				w1;
	Size		lower,
				upper,
				digits;

	if (len == UUID_TEXT_LEN)
	{
		if (hex_pack_uuid(id, HEX_LOWER, &w0, &w1))
			return encode_uuid(KEY_UUID, w0, w1, key);
		if (hex_pack_uuid(id, HEX_UPPER, &w0, &w1))
			return encode_uuid(KEY_UUID_U, w0, w1, key);
	}
	lower = digits_at_end(id, len, 'a');
	upper = digits_at_end(id, len, 'A');
	digits = Max(lower, upper) & ~(Size) 1;
	if (digits < TAIL_MIN_DIGITS || len - digits > TAIL_MAX_PREFIX)
		return encode_raw(id, len, key);

	/* Where neither run is longer there are no letters in it. */
	return encode_tail(upper > lower ? KEY_TAIL_U : KEY_TAIL, id, len - digits, digits, key);
}

static int64
decode_tail(const uint8 *key, uint32 len, uint64 letters, char *id)
{
	uint32		prefix;

	if (len < 2)
		return -1;
	prefix = key[1];
	if (prefix + 2 > len)
		return -1;
	memcpy(id, key + 2, prefix);
	hex_spell(key + 2 + prefix, len - 2 - prefix, letters, id + prefix);
	return prefix + 2 * (int64) (len - 2 - prefix);
}

int64
userset_key_decode(const uint8 *key, uint32 len, char *id)
{
	if (len == 0)
		return -1;
	switch (key[0])
	{
		case KEY_RAW:
			memcpy(id, key + 1, len - 1);
			return len - 1;
		case KEY_UUID:
		case KEY_UUID_U:
			if (len != 1 + UUID_BYTES)
				return -1;
			hex_spell_uuid(key + 1, key[0] == KEY_UUID ? HEX_LOWER : HEX_UPPER, id);
			return UUID_TEXT_LEN;
		case KEY_TAIL:
			return decode_tail(key, len, HEX_LOWER, id);
		case KEY_TAIL_U:
			return decode_tail(key, len, HEX_UPPER, id);
		default:
			return -1;
	}
}
