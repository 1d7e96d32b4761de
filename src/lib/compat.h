/*
 * compat.h
 *	  The one place that knows which PostgreSQL it is compiled for.
 *
 * Every file that runs in the server includes this first.  It pulls in what
 * all of them need and papers over the differences between 15 and 18, so
 * that no other file tests PG_VERSION_NUM.
 */
#ifndef IM_COMPAT_H
#define IM_COMPAT_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#if PG_VERSION_NUM < 150000
#error "imbilling needs PostgreSQL 15 or later"
#endif

/* 18 replaced pg_attribute_noreturn() by this, which stands in front. */
#if PG_VERSION_NUM < 180000
#define pg_noreturn _Noreturn
#endif

/*
 * Soft errors came with 16: an input function that is given an error context
 * reports there and returns.  On 15 the same call raises.
 */
#if PG_VERSION_NUM < 160000
struct Node;
#define ereturn(context, dummy_value, ...) \
	do { \
		(void) (context); \
		ereport(ERROR, __VA_ARGS__); \
		return dummy_value; \
	} while (0)
#define SOFT_ERROR_OCCURRED(context) false
#else
#include "nodes/miscnodes.h"
#include "varatt.h"				/* part of postgres.h until then */
#endif

/* make_range() takes an error context from 16 on. */
#if PG_VERSION_NUM < 160000
#define range_of_bounds(typcache, lower, upper) make_range(typcache, lower, upper, false)
#else
#define range_of_bounds(typcache, lower, upper) make_range(typcache, lower, upper, false, NULL)
#endif

/* 16 merged the checks of privileges on objects into one. */
#if PG_VERSION_NUM < 160000
#define function_aclcheck(oid, role) pg_proc_aclcheck(oid, role, ACL_EXECUTE)
#else
#define function_aclcheck(oid, role) object_aclcheck(ProcedureRelationId, oid, role, ACL_EXECUTE)
#endif

/* 16 lets the caller of tuplesort_getdatum() choose; 15 always copies. */
#if PG_VERSION_NUM < 160000
#define tuplesort_next_copy(sort, value, is_null) tuplesort_getdatum(sort, true, value, is_null, NULL)
#else
#define tuplesort_next_copy(sort, value, is_null) tuplesort_getdatum(sort, true, true, value, is_null, NULL)
#endif

#endif							/* IM_COMPAT_H */
