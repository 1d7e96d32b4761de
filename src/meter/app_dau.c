/*
 * app_dau.c
 *	  im_app_dau(app_id, user_id): distinct users of all apps of a slice.
 *
 * Metering takes a raw table local day by local day.  Under GROUP BY app_id
 * every row would pass the executor's hash table of groups, and every group
 * have a state to make, to grow and to free; here one state takes all rows of
 * the day and its result is one flat bigint[]: app, users, app, users ...
 *
 *	  SELECT im_app_dau(app_id, user_id) FROM im_login WHERE at >= ... AND at < ...
 *	  UNION ALL
 *	  SELECT ...					one query a local day, in parallel
 *
 *	  pool of the query -> AppIds -> AppIds		tables not in use
 *	  state of a slice  -> AppIds				one that is (app_ids.c)
 *
 * The tables belong to the query, not to the slice: the next slice takes the
 * memory of the last, which is mapped, in large pages and large enough.  A
 * state under hash aggregation has no pool but the aggregate's memory, which
 * the executor watches.
 *
 * There is no combine function: states are as large as their input, and
 * slices that end at midnight need none.
 *
 * Memory: hash_mem (work_mem times hash_mem_multiplier) for each process and
 * about 33 bytes a distinct user of the slice; what does not fit goes through
 * temporary files.  Ids under a nondeterministic collation are the exception:
 * they are equal as their type says, not as their bytes, are kept in sets of
 * dau_generic.c and grow while the machine has memory.
 */
#include "lib/aggstate.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "utils/array.h"
#include "utils/lsyscache.h"

#include "meter/app_ids.h"
#include "meter/dau_generic.h"

PG_FUNCTION_INFO_V1(im_app_dau_transition);
PG_FUNCTION_INFO_V1(im_app_dau_final);
PG_FUNCTION_INFO_V1(im_app_dau_rows);

/* Tables that a query does not use just now. */
typedef struct Pool
{
	MemoryContext query;
	AppIds	   *idle;
	struct Pool *next;
	MemoryContextCallback forget;
} Pool;

/* The state: lives with the aggregate's group, which may end at any time. */
typedef struct Slice
{
	AppIds	   *ids;			/* NULL once the result is made */
	Pool	   *pool;			/* where they go then, or NULL */

	/* of a nondeterministic collation: users by number of app */
	AnyType    *type;
	MemoryContext context;
	AnySet	  **sets;
	uint32		room;
} Slice;

/* The pools of the queries that run. */
static Pool *pools;

/* ---- pools ---- */

static void
forget_pool(void *arg)
{
	Pool	  **link = &pools;

	while (*link != arg)
		link = &(*link)->next;
	*link = (*link)->next;
}

static Pool *
pool_of_query(MemoryContext query)
{
	Pool	   *pool;

	for (pool = pools; pool != NULL; pool = pool->next)
		if (pool->query == query)
			return pool;
	pool = MemoryContextAllocZero(query, sizeof(Pool));
	pool->query = query;
	pool->next = pools;
	pools = pool;
	pool->forget.func = forget_pool;
	pool->forget.arg = pool;
	MemoryContextRegisterResetCallback(query, &pool->forget);
	return pool;
}

/* The slice ended: its result is made, or nobody will ask for it. */
static void
release(Datum arg)
{
	Slice	   *slice = (Slice *) DatumGetPointer(arg);
	AppIds	   *ids = slice->ids;

	if (ids == NULL)
		return;
	slice->ids = NULL;
	app_ids_drop_files(ids);
	if (slice->pool == NULL)
		return;
	ids->next = slice->pool->idle;
	slice->pool->idle = ids;
}

static AppIds *
take(Pool *pool, MemoryContext query, Size limit)
{
	AppIds	   *ids = pool->idle;

	if (ids == NULL)
		return app_ids_make(query, limit);
	pool->idle = ids->next;
	app_ids_clear(ids, limit);
	return ids;
}

/* ---- rows ---- */

/* Many groups at once: their memory must be the aggregate's, to be seen. */
static bool
has_many_states(FunctionCallInfo fcinfo)
{
	AggStrategy strategy = castNode(AggState, fcinfo->context)->aggstrategy;

	return strategy == AGG_HASHED || strategy == AGG_MIXED;
}

static AnyType *
type_if_not_bytes(FunctionCallInfo fcinfo, MemoryContext context)
{
	AnyType    *type;

	if (!OidIsValid(PG_GET_COLLATION()))
		ereport(ERROR,
				(errcode(ERRCODE_INDETERMINATE_COLLATION),
				 errmsg("could not determine which collation to use for user ids"),
				 errhint("Use the COLLATE clause to set the collation explicitly.")));
	if (get_collation_isdeterministic(PG_GET_COLLATION()))
		return NULL;
	type = MemoryContextAlloc(context, sizeof(AnyType));
	anytype_init(type, TEXTOID, PG_GET_COLLATION(), context);
	return type;
}

static pg_noinline Slice *
new_slice(FunctionCallInfo fcinfo)
{
	MemoryContext context = aggregate_context(fcinfo);
	MemoryContext query = fcinfo->flinfo->fn_mcxt;
	Size		limit = get_hash_memory_limit();
	Slice	   *slice;

	if (!IsA(fcinfo->context, AggState))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("im_app_dau is no window function"),
				 errhint("Use im_dau(user_id) OVER (PARTITION BY app_id ...) instead.")));
	slice = MemoryContextAllocZero(context, sizeof(Slice));
	slice->context = context;
	slice->type = type_if_not_bytes(fcinfo, context);
	if (has_many_states(fcinfo))
		slice->ids = app_ids_make(context, limit);
	else
	{
		slice->pool = pool_of_query(query);
		slice->ids = take(slice->pool, query, limit);
	}
	AggRegisterCallback(fcinfo, release, PointerGetDatum(slice));
	return slice;
}

static AnySet *
set_of_app(Slice *slice, uint32 app)
{
	if (app >= slice->room)
	{
		uint32		room = Max(slice->room * 2, app + 16);
		AnySet	  **sets = MemoryContextAllocExtended(slice->context, room * sizeof(AnySet *),
													  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

		if (slice->room > 0)
			memcpy(sets, slice->sets, slice->room * sizeof(AnySet *));
		slice->sets = sets;
		slice->room = room;
	}
	if (slice->sets[app] == NULL)
	{
		slice->sets[app] = MemoryContextAlloc(slice->context, sizeof(AnySet));
		anyset_init(slice->sets[app], slice->type, slice->context);
	}
	return slice->sets[app];
}

static pg_noinline void
add_other_row(Slice *slice, FunctionCallInfo fcinfo)
{
	uint32		app;

	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("\"app_id\" must not be null")));
	app = app_ids_app(slice->ids, PG_GETARG_INT64(1));
	if (!PG_ARGISNULL(2))
		anyset_add(set_of_app(slice, app), slice->type, PG_GETARG_DATUM(2));
}

Datum
im_app_dau_transition(PG_FUNCTION_ARGS)
{
	Slice	   *slice = unlikely(PG_ARGISNULL(0)) ? new_slice(fcinfo) : (Slice *) PG_GETARG_POINTER(0);
	text	   *id;

	if (unlikely(PG_ARGISNULL(1) || PG_ARGISNULL(2) || slice->type != NULL))
		add_other_row(slice, fcinfo);
	else
	{
		id = PG_GETARG_TEXT_PP(2);
		app_ids_add(slice->ids, PG_GETARG_INT64(1), VARDATA_ANY(id), VARSIZE_ANY_EXHDR(id));
	}
	PG_RETURN_POINTER(slice);
}

/* ---- the result ---- */

#define ST_SORT sort_apps
#define ST_ELEMENT_TYPE AppCount
#define ST_COMPARE(a, b) ((a)->app_id < (b)->app_id ? -1 : (a)->app_id > (b)->app_id)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

static void
count_sets(Slice *slice)
{
	for (uint32 app = 0; app < Min(slice->room, slice->ids->napps); app++)
		if (slice->sets[app] != NULL)
			slice->ids->apps[app].users = anyset_count(slice->sets[app], slice->type);
}

/* AppCounts are the very elements. */
static ArrayType *
array_of_apps(const AppCount *apps, uint32 napps)
{
	Size		data = napps * sizeof(AppCount);
	Size		size = ARR_OVERHEAD_NONULLS(1) + data;
	ArrayType  *array;

	if (!AllocSizeIsValid(size))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("result of im_app_dau has too many apps: %u", napps),
				 errhint("Count fewer apps at a time.")));
	array = palloc0(size);
	SET_VARSIZE(array, size);
	array->ndim = 1;
	array->elemtype = INT8OID;
	ARR_DIMS(array)[0] = (int) (napps * 2);
	ARR_LBOUND(array)[0] = 1;
	memcpy(ARR_DATA_PTR(array), apps, data);
	return array;
}

Datum
im_app_dau_final(PG_FUNCTION_ARGS)
{
	Slice	   *slice;
	ArrayType  *array;

	aggregate_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	slice = (Slice *) PG_GETARG_POINTER(0);
	Assert(slice->ids != NULL);
	app_ids_finish(slice->ids);
	count_sets(slice);
	sort_apps(slice->ids->apps, slice->ids->napps);
	array = array_of_apps(slice->ids->apps, slice->ids->napps);
	release(PointerGetDatum(slice));
	PG_RETURN_ARRAYTYPE_P(array);
}

static void
check_pairs(const ArrayType *pairs)
{
	if (ARR_NDIM(pairs) > 1 || ARR_HASNULL(pairs) || ARR_ELEMTYPE(pairs) != INT8OID ||
		ArrayGetNItems(ARR_NDIM(pairs), ARR_DIMS(pairs)) % 2 != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("array is no result of im_app_dau"),
				 errdetail("It must be app, users, app, users ... without nulls.")));
}

/* A plan that subscripts the array instead may carry it along in every row. */
Datum
im_app_dau_rows(PG_FUNCTION_ARGS)
{
	ArrayType  *pairs = PG_GETARG_ARRAYTYPE_P(0);
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const AppCount *apps = (const AppCount *) ARR_DATA_PTR(pairs);
	int			napps;

	check_pairs(pairs);
	InitMaterializedSRF(fcinfo, 0);
	napps = ArrayGetNItems(ARR_NDIM(pairs), ARR_DIMS(pairs)) / 2;
	for (int i = 0; i < napps; i++)
	{
		Datum		values[] = {Int64GetDatum(apps[i].app_id), Int64GetDatum(apps[i].users)};
		bool		nulls[] = {false, false};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
