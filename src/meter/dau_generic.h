/*
 * dau_generic.h
 *	  An exact set of values of any type, equal as the type itself says.
 *
 * See dau_generic.c.  A set takes all memory from its context and is freed
 * with it.  The type is passed in with every call, since it has function
 * call sites in it, which live elsewhere than states of aggregates.
 */
#ifndef IM_METER_DAU_GENERIC_H
#define IM_METER_DAU_GENERIC_H

#include "types/compat.h"

typedef struct AnyType
{
	Oid			type;
	Oid			collation;
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
} AnySet;

/*
 * Looks up how values of a type are compared, in the given context; 42883
 * for a type that has neither hash nor btree operators.
 */
extern void anytype_init(AnyType *type, Oid oid, Oid collation, MemoryContext context);

extern void anyset_init(AnySet *set, const AnyType *type, MemoryContext context);
extern void anyset_add(AnySet *set, AnyType *type, Datum value);
extern uint64 anyset_count(AnySet *set, AnyType *type);
extern void anyset_merge(AnySet *set, AnyType *type, const AnySet *other);

/* As bytes, and adding all values of such bytes; 22P03 if they are none. */
extern Size anyset_written_size(const AnySet *set, const AnyType *type);
extern void anyset_write(const AnySet *set, const AnyType *type, char *to);
extern void anyset_merge_written(AnySet *set, AnyType *type, const char *from, Size size);

#endif							/* IM_METER_DAU_GENERIC_H */
