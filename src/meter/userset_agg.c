/*
 * userset_agg.c
 *	  im_userset_agg: ids into a set; im_union_agg: sets into a set.
 *
 * A set holds ids as text.  That is exact only for types of which equal
 * values have equal texts and different ones different texts, in every
 * session; the list of them is below and all others are refused, since
 * whoever stores sets cannot see later that "1.0" and "1.00" were one user.
 *
 * im_userset_agg keeps the ids in an IdSet and sorts them at the end.
 *
 * im_union_agg keeps its inputs as they are, as TOAST pointers where they
 * have been toasted, and merges them all at once at the end:
 *
 *	  level 0:  set set set ... (up to 64)
 *	  level 1:  union of 64     ...
 *	  level 2:  union of 64 unions ...
 *
 * A full level is merged into one set of the next: a merge never has more
 * than 64 inputs and a user is merged once for each level, so many small
 * sets cost no more than a few large ones.
 */
#include "lib/idagg.h"
#include "lib/userset_merge.h"

#include "catalog/pg_type.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(im_userset_agg_transition);
PG_FUNCTION_INFO_V1(im_userset_agg_combine);
PG_FUNCTION_INFO_V1(im_userset_agg_serialize);
PG_FUNCTION_INFO_V1(im_userset_agg_deserialize);
PG_FUNCTION_INFO_V1(im_userset_agg_final);
PG_FUNCTION_INFO_V1(im_union_agg_transition);
PG_FUNCTION_INFO_V1(im_union_agg_combine);
PG_FUNCTION_INFO_V1(im_union_agg_serialize);
PG_FUNCTION_INFO_V1(im_union_agg_deserialize);
PG_FUNCTION_INFO_V1(im_union_agg_final);

#define FAN_IN		64
#define MAX_LEVELS	6			/* 64^6 inputs */
#define INT8_TEXT	32

/* ---- im_userset_agg: what the ids are ---- */

typedef enum IdForm
{
	FORM_TEXT,
	FORM_BPCHAR,
	FORM_INT2,
	FORM_INT4,
	FORM_INT8,
	FORM_UUID,
	FORM_OUTPUT,				/* what the type's output function says */
	FORM_REFUSED
} IdForm;

typedef struct IdSite
{
	IdForm		form;
	FmgrInfo	output;
	IdRing		ring;
} IdSite;

static IdForm
id_form(Oid type)
{
	switch (type)
	{
		case TEXTOID:
		case VARCHAROID:
			return FORM_TEXT;
		case BPCHAROID:
			return FORM_BPCHAR;
		case INT2OID:
			return FORM_INT2;
		case INT4OID:
			return FORM_INT4;
		case INT8OID:
			return FORM_INT8;
		case UUIDOID:
			return FORM_UUID;
		case NAMEOID:
		case CHAROID:
		case OIDOID:
		case XID8OID:
		case MACADDROID:
		case MACADDR8OID:
			return FORM_OUTPUT;
		default:
			return type_is_enum(type) ? FORM_OUTPUT : FORM_REFUSED;
	}
}

static void
refuse_type(Oid type)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("im_userset_agg cannot take user ids of type %s", format_type_be(type)),
			 errdetail("A set holds ids as text, and values of this type may be equal and yet have different texts, or their text depends on the session."),
			 errhint("Cast the user id to text in the form that you mean, or count with im_dau.")));
}

/* Text is compared by its bytes, so the collation must do so too. */
static void
check_collation(Oid type, Oid collation)
{
	if (!type_is_collatable(type))
		return;
	if (!OidIsValid(collation))
		ereport(ERROR,
				(errcode(ERRCODE_INDETERMINATE_COLLATION),
				 errmsg("could not determine which collation to use for user ids"),
				 errhint("Use the COLLATE clause to set the collation explicitly.")));
	if (!get_collation_isdeterministic(collation))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("im_userset_agg cannot take user ids under collation \"%s\"",
						get_collation_name(collation)),
				 errdetail("The collation is nondeterministic: different texts are equal under it, and a set holds users by their bytes."),
				 errhint("Write user_id COLLATE \"C\" if ids that differ are different users, or count with im_dau, which follows the collation.")));
}

static IdSite *
make_id_site(FunctionCallInfo fcinfo)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, 1);
	IdSite	   *site;

	if (!OidIsValid(type))
		ereport(ERROR,
				(errcode(ERRCODE_INDETERMINATE_DATATYPE),
				 errmsg("could not determine the type of user ids")));
	type = getBaseType(type);
	check_collation(type, PG_GET_COLLATION());
	site = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(IdSite));
	idring_init(&site->ring);
	site->form = id_form(type);
	if (site->form == FORM_REFUSED)
		refuse_type(type);
	if (site->form == FORM_OUTPUT)
	{
		Oid			output;
		bool		varlena;

		getTypeOutputInfo(type, &output, &varlena);
		fmgr_info_cxt(output, &site->output, fcinfo->flinfo->fn_mcxt);
	}
	fcinfo->flinfo->fn_extra = site;
	return site;
}

static void
add_int(IdSet *set, IdRing *ring, int64 value)
{
	char		digits[INT8_TEXT];

	idset_add(set, ring, digits, pg_lltoa(value, digits));
}

static void
add_text(IdSet *set, IdRing *ring, Datum value, bool trim)
{
	struct varlena *id = PG_DETOAST_DATUM_PACKED(value);
	Size		len = VARSIZE_ANY_EXHDR(id);

	/* Blanks at the end of a character(n) mean nothing, to = or to a cast. */
	if (trim)
		len = bpchartruelen(VARDATA_ANY(id), len);
	idset_add(set, ring, VARDATA_ANY(id), len);
}

static void
add_id(IdSite *site, IdSet *set, Datum value)
{
	char	   *text;

	switch (site->form)
	{
		case FORM_TEXT:
		case FORM_BPCHAR:
			add_text(set, &site->ring, value, site->form == FORM_BPCHAR);
			break;
		case FORM_INT2:
			add_int(set, &site->ring, DatumGetInt16(value));
			break;
		case FORM_INT4:
			add_int(set, &site->ring, DatumGetInt32(value));
			break;
		case FORM_INT8:
			add_int(set, &site->ring, DatumGetInt64(value));
			break;
		case FORM_UUID:
			idset_add_uuid(set, &site->ring, (uint8 *) DatumGetPointer(value));
			break;
		case FORM_OUTPUT:
		case FORM_REFUSED:
			text = OutputFunctionCall(&site->output, value);
			idset_add(set, &site->ring, text, strlen(text));
			break;
	}
}

/* ---- im_userset_agg: support functions ---- */

static IdAgg *
new_state(MemoryContext context, IdRing *ring)
{
	IdAgg	   *state = MemoryContextAlloc(context, sizeof(IdAgg));

	idagg_init(state, context, ring);
	return state;
}

Datum
im_userset_agg_transition(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	IdSite	   *site = fcinfo->flinfo->fn_extra;
	IdAgg	   *state;

	if (site == NULL)
		site = make_id_site(fcinfo);
	state = PG_ARGISNULL(0) ? new_state(context, &site->ring) : (IdAgg *) PG_GETARG_POINTER(0);
	if (!PG_ARGISNULL(1))
		add_id(site, &state->set, PG_GETARG_DATUM(1));
	PG_RETURN_POINTER(state);
}

Datum
im_userset_agg_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	IdAgg	   *state = PG_ARGISNULL(0) ? NULL : (IdAgg *) PG_GETARG_POINTER(0);

	if (PG_ARGISNULL(1))
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	if (state == NULL)
		state = new_state(context, NULL);
	idagg_merge(state, (IdAgg *) PG_GETARG_POINTER(1));
	PG_RETURN_POINTER(state);
}

Datum
im_userset_agg_serialize(PG_FUNCTION_ARGS)
{
	aggregate_context(fcinfo);
	PG_RETURN_BYTEA_P(idagg_serialize((IdAgg *) PG_GETARG_POINTER(0), 0));
}

Datum
im_userset_agg_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	IdAgg	   *state = palloc(sizeof(IdAgg));

	aggregate_context(fcinfo);
	idagg_init_written(state, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	PG_RETURN_POINTER(state);
}

static void
list_id(void *arg, const char *id, Size len)
{
	userlist_add(arg, id, len);
}

/* No rows make the empty set: it counts 0 and changes no union. */
Datum
im_userset_agg_final(PG_FUNCTION_ARGS)
{
	UserList	list;

	aggregate_context(fcinfo);
	userlist_init(&list);
	if (!PG_ARGISNULL(0))
	{
		IdAgg	   *state = (IdAgg *) PG_GETARG_POINTER(0);

		idagg_settle(state);
		idset_each(&state->set, list_id, &list);
	}
	PG_RETURN_POINTER(userlist_finish(&list));
}

/* ---- im_union_agg ---- */

typedef struct UnionLevel
{
	int			n;
	Datum		sets[FAN_IN];
} UnionLevel;

typedef struct UnionState
{
	MemoryContext context;
	UnionLevel *levels[MAX_LEVELS];
	Datum		received;		/* a state as received: this set alone, or 0 */
} UnionState;

static UnionState *
new_union(MemoryContext context)
{
	UnionState *state = MemoryContextAllocZero(context, sizeof(UnionState));

	state->context = context;
	return state;
}

/* A copy that lasts: the TOAST pointer if there is one, else the bytes. */
static Datum
keep_set(Datum set)
{
	struct varlena *value = (struct varlena *) DatumGetPointer(set);

	if (!VARATT_IS_EXTERNAL_ONDISK(value))
		return PointerGetDatum(PG_DETOAST_DATUM_COPY(set));
	return PointerGetDatum(memcpy(palloc(VARSIZE_EXTERNAL(value)), value,
								  VARSIZE_EXTERNAL(value)));
}

/* Takes a set that lasts; a full level becomes one set of the next. */
static void
put_set(UnionState *state, Datum set)
{
	for (int i = 0; i < MAX_LEVELS; i++)
	{
		UnionLevel *level = state->levels[i];

		if (level == NULL)
			level = state->levels[i] = palloc0(sizeof(UnionLevel));
		level->sets[level->n++] = set;
		if (level->n < FAN_IN || i == MAX_LEVELS - 1)
			return;
		set = PointerGetDatum(userset_union(level->sets, level->n));
		while (level->n > 0)
			pfree(DatumGetPointer(level->sets[--level->n]));
	}
}

static void
add_set(UnionState *state, Datum set)
{
	MemoryContext old = MemoryContextSwitchTo(state->context);

	put_set(state, keep_set(set));
	MemoryContextSwitchTo(old);
}

/* The union of all levels, made in the current context. */
static struct varlena *
union_of(const UnionState *state)
{
	Datum		sets[FAN_IN * MAX_LEVELS];
	int			n = 0;

	if (state != NULL && state->received != 0)
		sets[n++] = state->received;
	for (int i = 0; state != NULL && i < MAX_LEVELS; i++)
		for (int j = 0; state->levels[i] != NULL && j < state->levels[i]->n; j++)
			sets[n++] = state->levels[i]->sets[j];
	return userset_union(sets, n);
}

Datum
im_union_agg_transition(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	UnionState *state = PG_ARGISNULL(0) ? new_union(context) : (UnionState *) PG_GETARG_POINTER(0);

	if (!PG_ARGISNULL(1))
		add_set(state, PG_GETARG_DATUM(1));
	PG_RETURN_POINTER(state);
}

static void
add_union(UnionState *state, const UnionState *other)
{
	if (other->received != 0)
		add_set(state, other->received);
	for (int i = 0; i < MAX_LEVELS; i++)
		for (int j = 0; other->levels[i] != NULL && j < other->levels[i]->n; j++)
			add_set(state, other->levels[i]->sets[j]);
}

Datum
im_union_agg_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = aggregate_context(fcinfo);
	UnionState *state = PG_ARGISNULL(0) ? NULL : (UnionState *) PG_GETARG_POINTER(0);

	if (PG_ARGISNULL(1))
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	if (state == NULL)
		state = new_union(context);
	add_union(state, (UnionState *) PG_GETARG_POINTER(1));
	PG_RETURN_POINTER(state);
}

Datum
im_union_agg_serialize(PG_FUNCTION_ARGS)
{
	aggregate_context(fcinfo);
	PG_RETURN_BYTEA_P((bytea *) union_of((UnionState *) PG_GETARG_POINTER(0)));
}

Datum
im_union_agg_deserialize(PG_FUNCTION_ARGS)
{
	UnionState *state;

	aggregate_context(fcinfo);
	state = new_union(CurrentMemoryContext);
	state->received = PointerGetDatum(PG_GETARG_BYTEA_PP(0));
	PG_RETURN_POINTER(state);
}

Datum
im_union_agg_final(PG_FUNCTION_ARGS)
{
	aggregate_context(fcinfo);
	PG_RETURN_POINTER(union_of(PG_ARGISNULL(0) ? NULL : (UnionState *) PG_GETARG_POINTER(0)));
}
