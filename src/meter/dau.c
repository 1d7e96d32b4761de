/*
 * dau.c
 *	  im_dau(user_id): how many distinct users there are, exactly.
 *
 * Exactly means: what count(DISTINCT user_id) says, on any input.  Ids are
 * the customers' to choose, and a count by hash alone can be made to come
 * out lower by choosing ids that collide; so a hash here only ever shows
 * that two ids differ.
 *
 *	  call site (fn_extra): how ids of this type are taken, the ring, the budget
 *	  state, types equal as their bytes:    IdAgg  -> IdSet  (lib/idset.c)
 *	  state, all other types:               AnySet           (dau_generic.c)
 *	             +- beyond the budget:      files of ids     (lib/idspill.c)
 *	                                        files or a sort  (dau_generic_spill.c)
 *
 * A type is equal as its bytes if its btree operator class says so through
 * equalimage support under the collation at hand: text and varchar under
 * deterministic collations, bytea, integers, uuid, dates, enums ...
 * Character(n) says so too but for the blanks at its end, which are cut off.
 *
 * Memory: an id of up to 15 bytes, an integer or a uuid, also spelled out,
 * takes about 25 bytes, a longer one 29 and its bytes.  SSPACE in the install
 * script lets the planner expect a small state, and hash aggregation sees it
 * grow and spills groups that are not there yet.
 *
 * All states of a call site share hash_mem (work_mem times
 * hash_mem_multiplier), tables that grow included; one may hold 1 MB even
 * when the others hold all of it.  What a state must not hold goes to
 * temporary files.  They are closed by the final function, by the end of the
 * group when nobody calls that (LIMIT, rescan), and by the resource owner
 * after an error.  Beside the limit are the buffers of files, 256 kB for each
 * state that has some, and a single id that is larger than all of it.
 *
 * Two things are not bounded.  A window function's state, whose result is
 * asked for after each row, is in memory.  And a parallel worker hands its
 * state over as one value, read back from the files, of at most 1 GB.
 */
#include "lib/idagg.h"
#include "meter/dau_generic.h"

#include "access/nbtree.h"
#include "catalog/pg_type.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(im_dau_transition);
PG_FUNCTION_INFO_V1(im_dau_combine);
PG_FUNCTION_INFO_V1(im_dau_serialize);
PG_FUNCTION_INFO_V1(im_dau_deserialize);
PG_FUNCTION_INFO_V1(im_dau_final);

typedef enum DauForm
{
	DAU_UNKNOWN,
	DAU_VARLENA,
	DAU_BPCHAR,
	DAU_NAME,
	DAU_WORD,					/* passed by value */
	DAU_UUID,					/* any 16 bytes */
	DAU_FIXED,					/* any other number of bytes */
	DAU_ANY						/* equal as the type's operators say */
} DauForm;

typedef struct DauSite
{
	DauForm		form;
	int16		len;
	uint64		mask;			/* the bits of a value that count */
	TempBudget	budget;			/* of all states */
	IdRing		ring;
	AnyType		any;			/* of a site of form DAU_ANY */
} DauSite;

typedef struct DauState
{
	bool		any;			/* which of the two */
	IdAgg		ids;
	AnySet		values;
} DauState;

/* ---- how ids of a type are taken ---- */

static bool
is_equal_as_bytes(Oid type, Oid collation)
{
	TypeCacheEntry *entry = lookup_type_cache(type, TYPECACHE_BTREE_OPFAMILY);
	Oid			support;

	if (!OidIsValid(entry->btree_opf))
		return false;
	support = get_opfamily_proc(entry->btree_opf, entry->btree_opintype,
								entry->btree_opintype, BTEQUALIMAGE_PROC);
	return OidIsValid(support) &&
		DatumGetBool(OidFunctionCall1Coll(support, collation,
										  ObjectIdGetDatum(entry->btree_opintype)));
}

static DauForm
form_of_bytes(Oid type, int16 len, bool byval)
{
	if (type == BPCHAROID)
		return DAU_BPCHAR;
	if (type == NAMEOID)
		return DAU_NAME;
	if (byval)
		return DAU_WORD;
	if (len == -1)
		return DAU_VARLENA;
	if (len == UUID_BYTES)
		return DAU_UUID;
	return len > 0 ? DAU_FIXED : DAU_ANY;
}

static void
check_collation(Oid type, Oid collation)
{
	if (type_is_collatable(type) && !OidIsValid(collation))
		ereport(ERROR,
				(errcode(ERRCODE_INDETERMINATE_COLLATION),
				 errmsg("could not determine which collation to use for user ids"),
				 errhint("Use the COLLATE clause to set the collation explicitly.")));
}

static DauSite *
empty_site(FunctionCallInfo fcinfo)
{
	DauSite    *site = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(DauSite));

	temp_budget_init(&site->budget);
	idring_init(&site->ring);
	fcinfo->flinfo->fn_extra = site;
	return site;
}

static DauSite *
make_site(FunctionCallInfo fcinfo)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, 1);
	DauSite    *site;
	bool		byval;

	if (!OidIsValid(type))
		ereport(ERROR,
				(errcode(ERRCODE_INDETERMINATE_DATATYPE),
				 errmsg("could not determine the type of user ids")));
	type = getBaseType(type);
	check_collation(type, PG_GET_COLLATION());
	site = empty_site(fcinfo);
	get_typlenbyval(type, &site->len, &byval);
	if (byval)
		site->mask = ~UINT64CONST(0) >> (64 - 8 * site->len);
	if (is_equal_as_bytes(type, PG_GET_COLLATION()))
		site->form = form_of_bytes(type, site->len, byval);
	else
		site->form = DAU_ANY;
	if (site->form == DAU_ANY)
		anytype_init(&site->any, type, PG_GET_COLLATION(), fcinfo->flinfo->fn_mcxt);
	return site;
}

/*
 * Combine and final functions are not told the type; the state knows it.
 * All states that come to a call site are of one type.
 */
static AnyType *
type_of_state(FunctionCallInfo fcinfo, const DauState *state)
{
	DauSite    *site = fcinfo->flinfo->fn_extra;

	if (site == NULL)
		site = empty_site(fcinfo);
	if (site->form == DAU_UNKNOWN)
	{
		anytype_init(&site->any, state->values.type, state->values.collation,
					 fcinfo->flinfo->fn_mcxt);
		site->form = DAU_ANY;
	}
	return &site->any;
}

/* ---- rows ---- */

static void
bind_state(FunctionCallInfo fcinfo, MemoryContext context, DauSite *site, DauState *state)
{
	temp_bound_init(state->any ? &state->values.bound : &state->ids.set.bound,
					fcinfo, &site->budget, context);
}

static pg_noinline DauState *
new_state(FunctionCallInfo fcinfo, MemoryContext context, DauSite *site)
{
	DauState   *state = MemoryContextAllocZero(context, sizeof(DauState));

	state->any = site->form == DAU_ANY;
	if (state->any)
		anyset_init(&state->values, &site->any, context);
	else
		idagg_init(&state->ids, context, &site->ring);
	bind_state(fcinfo, context, site, state);
	return state;
}

static inline void
add_varlena(DauSite *site, IdSet *set, Datum value)
{
	struct varlena *id = PG_DETOAST_DATUM_PACKED(value);
	Size		len = VARSIZE_ANY_EXHDR(id);

	if (site->form == DAU_BPCHAR)
		len = bpchartruelen(VARDATA_ANY(id), len);
	idset_add(set, &site->ring, VARDATA_ANY(id), len);
}

static void
add_value(DauSite *site, DauState *state, Datum value)
{
	IdSet	   *set = &state->ids.set;

	switch (site->form)
	{
		case DAU_VARLENA:
		case DAU_BPCHAR:
			add_varlena(site, set, value);
			break;
		case DAU_WORD:
			idset_add_word(set, &site->ring, value & site->mask);
			break;
		case DAU_UUID:
			idset_add_uuid(set, &site->ring, (uint8 *) DatumGetPointer(value));
			break;
		case DAU_NAME:
			idset_add(set, &site->ring, DatumGetPointer(value),
					  strnlen(DatumGetPointer(value), NAMEDATALEN));
			break;
		case DAU_FIXED:
			idset_add(set, &site->ring, DatumGetPointer(value), site->len);
			break;
		case DAU_UNKNOWN:
		case DAU_ANY:
			anyset_add(&state->values, &site->any, value);
			break;
	}
}

Datum
im_dau_transition(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	DauSite    *site = fcinfo->flinfo->fn_extra;
	DauState   *state;

	if (unlikely(site == NULL))
		site = make_site(fcinfo);
	if (unlikely(PG_ARGISNULL(0)))
		state = new_state(fcinfo, context, site);
	else
		state = (DauState *) PG_GETARG_POINTER(0);
	if (!PG_ARGISNULL(1))
		add_value(site, state, PG_GETARG_DATUM(1));
	PG_RETURN_POINTER(state);
}

/* ---- partial states ---- */

static DauState *
new_state_like(FunctionCallInfo fcinfo, MemoryContext context, const DauState *other)
{
	DauSite    *site = fcinfo->flinfo->fn_extra;
	DauState   *state = MemoryContextAllocZero(context, sizeof(DauState));

	if (site == NULL)
		site = empty_site(fcinfo);
	state->any = other->any;
	if (!state->any)
		idagg_init(&state->ids, context, NULL);
	else
	{
		state->values.context = context;
		state->values.type = other->values.type;
		state->values.collation = other->values.collation;
	}
	bind_state(fcinfo, context, site, state);
	return state;
}

Datum
im_dau_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	DauState   *state = PG_ARGISNULL(0) ? NULL : (DauState *) PG_GETARG_POINTER(0);
	DauState   *other;

	if (PG_ARGISNULL(1))
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	other = (DauState *) PG_GETARG_POINTER(1);
	if (state == NULL)
		state = new_state_like(fcinfo, context, other);
	if (!state->any)
		idagg_merge(&state->ids, &other->ids);
	else if (other->ids.written == NULL)
		anyset_merge(&state->values, type_of_state(fcinfo, state), &other->values);
	else
		anyset_merge_written(&state->values, type_of_state(fcinfo, state),
							 other->ids.written, other->ids.written_size);
	PG_RETURN_POINTER(state);
}

/*
 * A state as bytes begins with how it is held:
 *
 *	  0 | IdSets, one or more, as idset_write() has each
 *	  1 | type, 4 bytes | collation, 4 bytes | values, as anyset_write() has them
 */
#define HELD_AS_BYTES	0
#define HELD_AS_VALUES	1
#define BYTES_HEAD		1
#define VALUES_HEAD		9
#define FIRST_BYTES		1024

static bytea *
serialize_values(AnySet *values, AnyType *type)
{
	GrowingState bytes;
	char	   *head;

	growing_state_init(&bytes, FIRST_BYTES);
	head = growing_state_add(&bytes, VALUES_HEAD, 0);
	*head = HELD_AS_VALUES;
	store_le32(head + 1, type->type);
	store_le32(head + 5, type->collation);
	anyset_write(values, type, &bytes);
	return growing_state_end(&bytes);
}

Datum
im_dau_serialize(PG_FUNCTION_ARGS)
{
	DauState   *state = (DauState *) PG_GETARG_POINTER(0);
	bytea	   *bytes;

	aggregate_context(fcinfo);
	if (state->any)
		PG_RETURN_BYTEA_P(serialize_values(&state->values, type_of_state(fcinfo, state)));
	bytes = idagg_serialize(&state->ids, BYTES_HEAD);
	*VARDATA(bytes) = HELD_AS_BYTES;
	PG_RETURN_BYTEA_P(bytes);
}

Datum
im_dau_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	const char *from = VARDATA_ANY(bytes);
	Size		size = VARSIZE_ANY_EXHDR(bytes);
	DauState   *state = palloc0(sizeof(DauState));
	Size		head;

	aggregate_context(fcinfo);
	state->any = size > 0 && from[0] == HELD_AS_VALUES;
	head = state->any ? VALUES_HEAD : BYTES_HEAD;
	if (size < head || (!state->any && from[0] != HELD_AS_BYTES))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid state of im_dau"),
				 errdetail("The bytes are not those that a worker of this version writes.")));
	if (state->any)
	{
		state->values.type = load_le32(from + 1);
		state->values.collation = load_le32(from + 5);
	}
	idagg_init_written(&state->ids, from + head, size - head);
	PG_RETURN_POINTER(state);
}

/* No rows count 0, as they do for count(DISTINCT). */
Datum
im_dau_final(PG_FUNCTION_ARGS)
{
	DauState   *state;

	aggregate_context(fcinfo);
	if (PG_ARGISNULL(0))
		PG_RETURN_INT64(0);
	state = (DauState *) PG_GETARG_POINTER(0);
	if (state->any)
		PG_RETURN_INT64(anyset_count(&state->values, type_of_state(fcinfo, state)));
	PG_RETURN_INT64(idagg_count(&state->ids));
}
