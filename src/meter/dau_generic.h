/*
 * dau_generic.h
 *	  An exact set of values of any type, equal as the type itself says.
 *
 * See dau_generic.c.  A set takes all memory from its context and is freed
 * with it.  It grows while there is memory unless its bound has a limit,
 * beyond which values go to temporary files (dau_generic_spill.c).
 * The type is passed in with every call, since it has function call sites in
 * it, which live elsewhere than states of aggregates.
 */
#ifndef IM_METER_DAU_GENERIC_H
#define IM_METER_DAU_GENERIC_H

#include "lib/aggstate.h"
#include "lib/temp_parts.h"

struct Tuplesortstate;

typedef struct AnyType
{
	Oid			type;
	Oid			collation;
	Oid			less;			/* < of an ordered type */
	int16		len;
	bool		byval;
	bool		hashed;			/* by hash and =, else by order */
	FmgrInfo	hash;
	FmgrInfo	equal;
	FmgrInfo	compare;
} AnyType;

typedef struct AnySet
{
	MemoryContext context;
	Oid			type;
	Oid			collation;
	Datum	   *values;
	uint32	   *hashes;			/* of hashed types, 0 is an empty place */
	uint64		size;			/* places in values */
	uint64		used;
	uint64		sorted;			/* values known to be in order and distinct */

	/* what did not fit: see dau_generic_spill.c */
	TempBound	bound;
	bool		full;			/* the table takes no more */
	bool		finished;		/* values are counted or sorted: none may be added */
	int			level;			/* which bits of hashes part the files */
	uint64		counted;
	TempParts  *files;			/* of hashed types */
	struct Tuplesortstate *sort;	/* of ordered types, with all values */
} AnySet;

/*
 * Looks up how values of a type are compared, in the given context; 42883
 * for a type that has neither hash nor btree operators.
 */
extern void anytype_init(AnyType *type, Oid oid, Oid collation, MemoryContext context);

/* Below 0, 0, above 0; open to cancelling. */
extern int	anytype_compare(AnyType *type, Datum a, Datum b);

/* The caller gives an empty set its bound, if it is to have one. */
extern void anyset_init(AnySet *set, const AnyType *type, MemoryContext context);

/* Adding raises 53200 when memory is out, and what temporary files raise. */
extern void anyset_add(AnySet *set, AnyType *type, Datum value);
extern void anyset_merge(AnySet *set, AnyType *type, AnySet *other);

/* Number of values; asked again it is the same, but nothing may be added then. */
extern uint64 anyset_count(AnySet *set, AnyType *type);

/* Appends the values as bytes, and adds all of such bytes; 22P03 if they are none. */
extern void anyset_write(AnySet *set, AnyType *type, GrowingState *to);
extern void anyset_merge_written(AnySet *set, AnyType *type, const char *from, Size size);

/* ---- between dau_generic.c and dau_generic_spill.c ---- */

/* Number of values in memory, rid of duplicates first. */
extern uint64 anyset_count_memory(AnySet *set, AnyType *type);

/* Calls back for each value in memory. */
typedef void (*AnyCallback) (void *arg, Datum value);
extern void anyset_each_in_memory(AnySet *set, AnyType *type, AnyCallback callback, void *arg);

/* Forgets the values in memory and frees what held them; keeps the bound. */
extern void anyset_clear(AnySet *set, const AnyType *type);

/* Adds a value of a hashed type by its hash. */
extern void anyset_put(AnySet *set, AnyType *type, uint32 hash, Datum value);

/* A value of a hashed type that a full set does not hold. */
extern void anyspill_put(AnySet *set, const AnyType *type, uint32 hash, Datum value);

/* All values of an ordered type go to a sort of the server's, and any more. */
extern void anyspill_begin_sort(AnySet *set, AnyType *type);
extern void anyspill_sort(AnySet *set, Datum value);

/* Calls back for each value, wherever it is, once. */
extern void anyspill_each(AnySet *set, AnyType *type, AnyCallback callback, void *arg);

#endif							/* IM_METER_DAU_GENERIC_H */
