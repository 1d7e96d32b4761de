/*
 * element.h
 *	  The elements of a JSON document, each with its path.
 *
 * Whoever gives a document meaning reads it by these, so that an error names
 * the very place: "plans.pro.dau.block".  Everything here allocates in the
 * current memory context and raises 22023 for what is not as asked.
 */
#ifndef IM_TYPES_ELEMENT_H
#define IM_TYPES_ELEMENT_H

#include "lib/compat.h"

#include "core/amount.h"
#include "utils/jsonb.h"

/* An element and where it stands. */
typedef struct Element
{
	const char *document;		/* what the whole is: "rate card" */
	const char *path;			/* empty: the whole */
	JsonbValue	value;
} Element;

/* Called for each member of an object. */
typedef void (*MemberReader) (void *target, const char *name, const Element *member);

extern Element element_root(const char *document, Jsonb *jsonb);

/* Raises 22023: "invalid DOCUMENT: PATH WHAT". */
pg_noreturn extern void element_refuse(const Element *element, const char *what, const char *hint);
pg_noreturn extern void element_refuse_member(const Element *object, const char *name,
											  const char *what, const char *hint);

/* The member of that name; whether there is one, or an error where there is none. */
extern bool element_find(const Element *object, const char *name, Element *member);
extern Element element_need(const Element *object, const char *name);

extern bool element_is_object(const Element *element);
extern bool element_is_array(const Element *element);

/* Walks the members of an object; with a reader NULL it only counts them. */
extern int	element_each(const Element *object, bool may_be_empty, MemberReader reader, void *target);

/* The same of an array, whose elements are named by their position: "tiers[0]". */
extern int	element_each_of(const Element *array, MemberReader reader, void *target);

/* Refuses keys that are not in the NULL-terminated list. */
extern void element_only_keys(const Element *object, const char *const *keys);

/* A name: a string of 1 to 63 bytes. */
extern const char *element_text(const Element *element);

extern bool element_boolean(const Element *element);

/* A number or a string of one, at least 0, exact to 8 places. */
extern Amount element_amount(const Element *element);

/* The same of either sign, as large as an Amount can be. */
extern Amount element_figure(const Element *element);

/* A whole number from low through high. */
extern int64 element_count(const Element *element, int64 low, int64 high);

#endif							/* IM_TYPES_ELEMENT_H */
