/*
 * dau_generic.c
 *	  An exact set of values of any type, equal as the type itself says.
 *
 * For types whose equality is not that of their bytes: numeric (1.0 = 1.00),
 * float8 (-0 = 0), text under a nondeterministic collation, arrays, rows ...
 *
 * A type with a hash function has its values in an open table, the hash
 * beside each, and = decides.  One with an order alone (tsvector, bit,
 * money, anonymous rows) has them in an array that is sorted and rid of
 * duplicates whenever it is full, and doubled if it stays half full.  Both
 * take the operators of the type's default classes, as count(DISTINCT) does.
 *
 * A set with a limit stops growing there: the table is full then, and values
 * that it does not hold go to files; the array goes to a sort of the server's
 * at half of the limit (dau_generic_spill.c).
 */
#include "lib/hexpack.h"
#include "meter/dau_generic.h"

#include "access/detoast.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#define FIRST_PLACES	16
#define LEN_BYTES		4

void
anytype_init(AnyType *type, Oid oid, Oid collation, MemoryContext context)
{
	TypeCacheEntry *entry = lookup_type_cache(oid, TYPECACHE_EQ_OPR_FINFO |
											  TYPECACHE_HASH_PROC_FINFO |
											  TYPECACHE_CMP_PROC_FINFO | TYPECACHE_LT_OPR);

	type->type = oid;
	type->collation = collation;
	type->len = entry->typlen;
	type->byval = entry->typbyval;
	type->less = entry->lt_opr;
	type->hashed = OidIsValid(entry->hash_proc) && OidIsValid(entry->eq_opr);
	if (type->hashed)
	{
		fmgr_info_cxt(entry->hash_proc_finfo.fn_oid, &type->hash, context);
		fmgr_info_cxt(entry->eq_opr_finfo.fn_oid, &type->equal, context);
	}
	else if (OidIsValid(entry->cmp_proc))
		fmgr_info_cxt(entry->cmp_proc_finfo.fn_oid, &type->compare, context);
	else
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("could not identify an equality operator for type %s",
						format_type_be(oid)),
				 errhint("Cast the user id to a type that has one, such as text.")));
}

void
anyset_init(AnySet *set, const AnyType *type, MemoryContext context)
{
	memset(set, 0, sizeof(*set));
	set->context = context;
	set->type = type->type;
	set->collation = type->collation;
}

/* A copy in the set's context, with nothing of it left in TOAST. */
static Datum
keep_value(AnySet *set, const AnyType *type, Datum value)
{
	MemoryContext old;

	if (type->byval)
		return value;
	old = MemoryContextSwitchTo(set->context);
	value = datumCopy(value, false, type->len);
	MemoryContextSwitchTo(old);
	temp_bound_take(&set->bound, GetMemoryChunkSpace(DatumGetPointer(value)));
	return value;
}

static void
free_value(AnySet *set, const AnyType *type, Datum value)
{
	if (type->byval)
		return;
	temp_bound_give(&set->bound, GetMemoryChunkSpace(DatumGetPointer(value)));
	pfree(DatumGetPointer(value));
}

static void *
alloc_places(AnySet *set, uint64 n, Size width)
{
	temp_bound_take(&set->bound, n * width);
	return MemoryContextAllocExtended(set->context, n * width,
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/* ---- hashed ---- */

static uint32
hash_value(AnyType *type, Datum value)
{
	uint32		hash = DatumGetUInt32(FunctionCall1Coll(&type->hash, type->collation, value));

	/* The hashes of some types are poor; zero is kept for empty places. */
	hash = murmurhash32(hash);
	return hash == 0 ? 1 : hash;
}

static void
grow_hashed(AnySet *set)
{
	AnySet		old = *set;

	set->size = Max(old.size * 2, FIRST_PLACES);
	set->values = alloc_places(set, set->size, sizeof(Datum));
	set->hashes = alloc_places(set, set->size, sizeof(uint32));
	for (uint64 i = 0; i < old.size; i++)
	{
		uint64		at = old.hashes[i] & (set->size - 1);

		if (old.hashes[i] == 0)
			continue;
		while (set->hashes[at] != 0)
			at = (at + 1) & (set->size - 1);
		set->hashes[at] = old.hashes[i];
		set->values[at] = old.values[i];
	}
	if (old.values != NULL)
	{
		pfree(old.values);
		pfree(old.hashes);
		temp_bound_give(&set->bound, old.size * (sizeof(Datum) + sizeof(uint32)));
	}
}

/* Lets the table grow while the old and the new one fit; else it is full for good. */
static void
make_room(AnySet *set)
{
	Size		more = set->size * 2 * (sizeof(Datum) + sizeof(uint32));

	if (set->full)
		return;
	set->full = set->size > 0 && more > temp_bound_room(&set->bound);
	if (!set->full)
		grow_hashed(set);
}

/* Where a value is, or would be. */
static bool
find_hashed(const AnySet *set, AnyType *type, uint32 hash, Datum value, uint64 *at)
{
	if (set->size == 0)
		return false;
	for (*at = hash & (set->size - 1); set->hashes[*at] != 0; *at = (*at + 1) & (set->size - 1))
		if (set->hashes[*at] == hash &&
			DatumGetBool(FunctionCall2Coll(&type->equal, type->collation, set->values[*at], value)))
			return true;
	return false;
}

void
anyset_put(AnySet *set, AnyType *type, uint32 hash, Datum value)
{
	uint64		at = 0;

	if (set->used >= set->size / 4 * 3)
		make_room(set);
	if (find_hashed(set, type, hash, value, &at))
		return;
	if (!set->full && set->bound.budget != NULL && !type->byval)
		set->full = datumGetSize(value, false, type->len) > temp_bound_room(&set->bound);
	if (set->full)
	{
		anyspill_put(set, type, hash, value);
		return;
	}
	set->values[at] = keep_value(set, type, value);
	set->hashes[at] = hash;
	set->used++;
}

/* ---- ordered ---- */

int
anytype_compare(AnyType *type, Datum a, Datum b)
{
	CHECK_FOR_INTERRUPTS();
	return DatumGetInt32(FunctionCall2Coll(&type->compare, type->collation, a, b));
}

static int
compare_values(const void *a, const void *b, void *arg)
{
	return anytype_compare(arg, *(const Datum *) a, *(const Datum *) b);
}

static void
remove_duplicates(AnySet *set, AnyType *type)
{
	uint64		kept = 0;

	if (type->hashed || set->sorted == set->used)
		return;
	qsort_arg(set->values, set->used, sizeof(Datum), compare_values, type);
	for (uint64 i = 1; i < set->used; i++)
	{
		if (compare_values(&set->values[kept], &set->values[i], type) != 0)
			set->values[++kept] = set->values[i];
		else
			free_value(set, type, set->values[i]);
	}
	set->used = set->sorted = kept + 1;
}

static void
grow_ordered(AnySet *set)
{
	Datum	   *old = set->values;

	set->size = Max(set->size * 2, FIRST_PLACES);
	set->values = alloc_places(set, set->size, sizeof(Datum));
	if (old == NULL)
		return;
	memcpy(set->values, old, set->used * sizeof(Datum));
	pfree(old);
	temp_bound_give(&set->bound, set->size / 2 * sizeof(Datum));
}

/* Whether the set holds more than one part of so many of what it may. */
static bool
is_share_held(const AnySet *set, int parts)
{
	return set->bound.held > temp_bound_room(&set->bound) / (parts - 1);
}

/*
 * The array is full, or half of the limit is.  Rid of duplicates it is kept
 * only if that made much room: it must not be sorted again for every value.
 */
static void
make_room_ordered(AnySet *set, AnyType *type)
{
	Size		larger = set->size * 2 * sizeof(Datum);

	if (set->finished)
		elog(ERROR, "values added to a set that is sorted");
	remove_duplicates(set, type);
	if (set->size > 0 &&
		(is_share_held(set, 4) || temp_bound_room(&set->bound) < set->bound.held + 2 * larger))
		anyspill_begin_sort(set, type);
	else if (set->used >= set->size / 2)
		grow_ordered(set);
}

static void
add_ordered(AnySet *set, AnyType *type, Datum value)
{
	if (set->sort == NULL && (set->used == set->size || is_share_held(set, 2)))
		make_room_ordered(set, type);
	if (set->sort != NULL)
		anyspill_sort(set, value);
	else
		set->values[set->used++] = keep_value(set, type, value);
}

/* ---- both ---- */

void
anyset_add(AnySet *set, AnyType *type, Datum value)
{
	if (type->len == -1)
		value = PointerGetDatum(PG_DETOAST_DATUM(value));
	if (type->hashed)
		anyset_put(set, type, hash_value(type, value), value);
	else
		add_ordered(set, type, value);
}

uint64
anyset_count_memory(AnySet *set, AnyType *type)
{
	remove_duplicates(set, type);
	return set->used;
}

static inline bool
is_place_used(const AnySet *set, uint64 i)
{
	return set->hashes != NULL ? set->hashes[i] != 0 : i < set->used;
}

void
anyset_each_in_memory(AnySet *set, AnyType *type, AnyCallback callback, void *arg)
{
	remove_duplicates(set, type);
	for (uint64 i = 0; i < set->size; i++)
		if (is_place_used(set, i))
			callback(arg, set->values[i]);
}

void
anyset_clear(AnySet *set, const AnyType *type)
{
	for (uint64 i = 0; i < set->size; i++)
		if (is_place_used(set, i))
			free_value(set, type, set->values[i]);
	if (set->values != NULL)
		pfree(set->values);
	if (set->hashes != NULL)
		pfree(set->hashes);
	temp_bound_give(&set->bound, set->bound.held);
	set->values = NULL;
	set->hashes = NULL;
	set->size = set->used = set->sorted = 0;
	set->full = false;
}

typedef struct AnyTarget
{
	AnySet	   *set;
	AnyType    *type;
	GrowingState *bytes;
} AnyTarget;

static void
merge_value(void *arg, Datum value)
{
	AnyTarget  *target = arg;

	anyset_add(target->set, target->type, value);
}

void
anyset_merge(AnySet *set, AnyType *type, AnySet *other)
{
	AnyTarget	target = {.set = set, .type = type};

	anyspill_each(other, type, merge_value, &target);
}

/* ---- as bytes: length and bytes of each value ---- */

static void
write_value(void *arg, Datum value)
{
	AnyTarget  *target = arg;
	const AnyType *type = target->type;
	uint32		len = type->byval ? sizeof(Datum) : datumGetSize(value, false, type->len);
	char	   *to = growing_state_add(target->bytes, LEN_BYTES + len, 1);

	store_le32(to, len);
	memcpy(to + LEN_BYTES, type->byval ? (char *) &value : DatumGetPointer(value), len);
}

void
anyset_write(AnySet *set, AnyType *type, GrowingState *to)
{
	AnyTarget	target = {.type = type, .bytes = to};

	anyspill_each(set, type, write_value, &target);
}

/* Whether len bytes can be a value, as far as that shows from outside. */
static bool
fits_type(const AnyType *type, const char *value, Size len)
{
	if (type->byval)
		return len == sizeof(Datum);
	if (type->len > 0)
		return len == (Size) type->len;
	if (type->len == -1)
		return len >= VARHDRSZ && VARATT_IS_4B_U(value) && VARSIZE(value) == len;
	return len > 0 && memchr(value, '\0', len) == value + len - 1;
}

void
anyset_merge_written(AnySet *set, AnyType *type, const char *from, Size size)
{
	while (size > 0)
	{
		uint32		len = size >= LEN_BYTES ? load_le32(from) : 0;
		char	   *value;

		if (size < LEN_BYTES || len > size - LEN_BYTES)
			len = 0;			/* which fits no type */
		value = palloc(len + 1);	/* aligned, as the bytes are not */
		memcpy(value, from + LEN_BYTES, len);
		if (!fits_type(type, value, len))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
					 errmsg("invalid state of a set of distinct users"),
					 errdetail("The bytes are not those that a worker of this version writes.")));
		anyset_add(set, type, type->byval ? *(Datum *) value : PointerGetDatum(value));
		pfree(value);
		from += LEN_BYTES + len;
		size -= LEN_BYTES + len;
	}
}
