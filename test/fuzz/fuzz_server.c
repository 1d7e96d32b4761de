/*
 * fuzz_server.c
 *	  Broken bytes into the functions that read bytes, inside a server.
 *
 * SQL cannot hand any bytes to a receive function or any state to the support
 * functions of an aggregate, so this module does.  Every input ends right
 * before a page that cannot be read: one byte too far is a crash, which the
 * test sees as a lost connection.
 *
 * A round mutates one of the seeds, calls the functions in a subtransaction
 * and goes on.  An error is a refusal; what is taken must be as good as any
 * value.  With the same seed number the rounds are the same.
 */
#include "postgres.h"

#include <sys/mman.h>
#include <unistd.h>

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_aggregate.h"
#include "catalog/pg_type.h"
#include "common/pg_prng.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

PG_MODULE_MAGIC;

#define LONGEST_INPUT	(1 << 16)
#define SLOW_MS			10000

typedef struct Fuzz
{
	pg_prng_state random;
	Datum	   *seeds;
	bool	   *nulls;
	int			nseeds;
	char	   *guarded;		/* LONGEST_INPUT bytes before the guard page */
	char		bytes[LONGEST_INPUT];
	int			length;
	MemoryContext context;		/* of one round */
	int64		tried;
	int64		taken;
} Fuzz;

/* One try with fuzz->bytes; raises to refuse them. */
typedef void (*FuzzTry) (Fuzz *fuzz, void *target);

static uint64
random_below(Fuzz *fuzz, uint64 limit)
{
	return limit == 0 ? 0 : pg_prng_uint64_range(&fuzz->random, 0, limit - 1);
}

/* ---- mutation ---- */

static void
remove_bytes(Fuzz *fuzz, int at, int count)
{
	count = Min(count, fuzz->length - at);
	memmove(fuzz->bytes + at, fuzz->bytes + at + count, fuzz->length - at - count);
	fuzz->length -= count;
}

static void
insert_bytes(Fuzz *fuzz, int at, const char *bytes, int count)
{
	char		copy[256];

	count = Min(count, Min((int) sizeof(copy), LONGEST_INPUT - 16 - fuzz->length));
	if (count <= 0)
		return;
	memcpy(copy, bytes, count);
	memmove(fuzz->bytes + at + count, fuzz->bytes + at, fuzz->length - at);
	memcpy(fuzz->bytes + at, copy, count);
	fuzz->length += count;
}

/* A number that breaks arithmetic, in network order over what is there. */
static void
put_number(Fuzz *fuzz, int at)
{
	static const uint64 nasty[] = {
		0, 1, 2, 7, 8, 31, 32, 63, 64, 127, 128, 255, 256, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000,
		0xffffffff, UINT64CONST(0x7fffffffffffffff), UINT64CONST(0x8000000000000000), UINT64CONST(0xffffffffffffffff)
	};
	uint64		number = nasty[random_below(fuzz, lengthof(nasty))];
	int			width = 1 << random_below(fuzz, 4);

	for (int i = width - 1; i >= 0; i--, number >>= 8)
		if (at + i < fuzz->length)
			fuzz->bytes[at + i] = (char) number;
}

static void
mutate_once(Fuzz *fuzz)
{
	int			at = (int) random_below(fuzz, fuzz->length + 1);
	int			from = (int) random_below(fuzz, fuzz->length + 1);
	char		byte = (char) random_below(fuzz, 256);

	switch (random_below(fuzz, 8))
	{
		case 0:
			if (at < fuzz->length)
				fuzz->bytes[at] = byte;
			break;
		case 1:
			if (at < fuzz->length)
				fuzz->bytes[at] ^= 1 << random_below(fuzz, 8);
			break;
		case 2:
			remove_bytes(fuzz, at, 1 + random_below(fuzz, 8));
			break;
		case 3:
			insert_bytes(fuzz, at, &byte, 1);
			break;
		case 4:
			insert_bytes(fuzz, at, fuzz->bytes + from, Min(fuzz->length - from, 1 + (int) random_below(fuzz, 32)));
			break;
		case 5:
			fuzz->length = at;
			break;
		default:
			put_number(fuzz, at);
	}
}

static void
pick_seed(Fuzz *fuzz)
{
	bytea	   *seed = DatumGetByteaPP(fuzz->seeds[random_below(fuzz, fuzz->nseeds)]);

	fuzz->length = Min((int) VARSIZE_ANY_EXHDR(seed), LONGEST_INPUT / 2);
	memcpy(fuzz->bytes, VARDATA_ANY(seed), fuzz->length);
}

static void
make_input(Fuzz *fuzz)
{
	int			times = (int) random_below(fuzz, 6);

	pick_seed(fuzz);
	while (times-- > 0)
		mutate_once(fuzz);
}

/* The bytes right before the page that cannot be read, extra ones after them. */
static char *
guarded_copy(Fuzz *fuzz, const char *bytes, int length, int extra)
{
	char	   *start = fuzz->guarded + LONGEST_INPUT - length - extra;

	memcpy(start, bytes, length);
	memset(start + length, 0, extra);
	return start;
}

/* The bytes as bytea: short headers and unaligned ones as in a table's row. */
static Datum
guarded_bytea(Fuzz *fuzz)
{
	char	   *start;

	if (fuzz->length + VARHDRSZ_SHORT <= VARATT_SHORT_MAX)
	{
		start = guarded_copy(fuzz, fuzz->bytes, fuzz->length, 0) - VARHDRSZ_SHORT;
		SET_VARSIZE_SHORT(start, fuzz->length + VARHDRSZ_SHORT);
	}
	else
	{
		int			padding = (int) ((fuzz->length + VARHDRSZ) % 4 == 0 ? 0 : 4 - (fuzz->length + VARHDRSZ) % 4);

		start = guarded_copy(fuzz, fuzz->bytes, fuzz->length, padding) - VARHDRSZ;
		SET_VARSIZE(start, fuzz->length + VARHDRSZ);
	}
	return PointerGetDatum(start);
}

/* ---- rounds ---- */

static char *
input_text(Fuzz *fuzz)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < Min(fuzz->length, 300); i++)
		appendStringInfo(&text, "%02x", (unsigned char) fuzz->bytes[i]);
	return text.data;
}

static void
odd(Fuzz *fuzz, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INTERNAL_ERROR),
			 errmsg("%s, for the %d bytes %s", what, fuzz->length, input_text(fuzz))));
}

/* Errors that tell a client that its bytes are wrong; all others are odd. */
static bool
is_refusal(int sqlerrcode)
{
	return ERRCODE_TO_CATEGORY(sqlerrcode) == ERRCODE_DATA_EXCEPTION ||
		ERRCODE_TO_CATEGORY(sqlerrcode) == ERRCODE_PROGRAM_LIMIT_EXCEEDED ||
		sqlerrcode == ERRCODE_PROTOCOL_VIOLATION ||
		sqlerrcode == ERRCODE_DATA_CORRUPTED ||
		sqlerrcode == ERRCODE_FEATURE_NOT_SUPPORTED ||
		sqlerrcode == ERRCODE_UNDEFINED_FUNCTION ||
		sqlerrcode == ERRCODE_UNDEFINED_OBJECT;
}

static void
try_once(Fuzz *fuzz, FuzzTry try, void *target)
{
	ResourceOwner owner = CurrentResourceOwner;
	MemoryContext outer = CurrentMemoryContext;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(fuzz->context);
	PG_TRY();
	{
		try(fuzz, target);
		fuzz->taken++;
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(fuzz->context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		CurrentResourceOwner = owner;
		if (!is_refusal(error->sqlerrcode))
			odd(fuzz, error->message);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(outer);
	CurrentResourceOwner = owner;
	MemoryContextReset(fuzz->context);
	fuzz->tried++;
}

static void
make_guard(Fuzz *fuzz)
{
	char	   *pages = mmap(NULL, LONGEST_INPUT + sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE,
							 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (pages == MAP_FAILED || mprotect(pages + LONGEST_INPUT, sysconf(_SC_PAGESIZE), PROT_NONE) != 0)
		elog(ERROR, "no memory for the guard page");
	fuzz->guarded = pages;
}

/* Arguments 1 to 3 of every function here: seeds, milliseconds, seed number. */
static Datum
fuzz_rounds(FunctionCallInfo fcinfo, FuzzTry try, void *target)
{
	Fuzz	   *fuzz = palloc0(sizeof(Fuzz));
	TimestampTz until = GetCurrentTimestamp() + PG_GETARG_INT64(2) * 1000;
	TimestampTz before = GetCurrentTimestamp();

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), BYTEAOID, -1, false, TYPALIGN_INT,
					  &fuzz->seeds, &fuzz->nulls, &fuzz->nseeds);
	fuzz->context = AllocSetContextCreate(CurrentMemoryContext, "fuzz round", ALLOCSET_DEFAULT_SIZES);
	pg_prng_seed(&fuzz->random, PG_GETARG_INT64(3));
	make_guard(fuzz);
	while (before < until)
	{
		TimestampTz after;

		CHECK_FOR_INTERRUPTS();
		make_input(fuzz);
		try_once(fuzz, try, target);
		after = GetCurrentTimestamp();
		if (after - before > SLOW_MS * INT64CONST(1000))
			odd(fuzz, "took too long");
		before = after;
	}
	munmap(fuzz->guarded, LONGEST_INPUT + sysconf(_SC_PAGESIZE));
	PG_RETURN_DATUM(CStringGetTextDatum(psprintf(INT64_FORMAT " " INT64_FORMAT, fuzz->tried, fuzz->taken)));
}

/* ---- types ---- */

typedef struct TypeTarget
{
	Oid			input,
				output,
				receive,
				send,
				ioparam;
	Oid			type;
	Datum	   *also;			/* functions of one or two values of the type */
	bool	   *nulls;
	int			nalso;
} TypeTarget;

static void
find_type(TypeTarget *target, FunctionCallInfo fcinfo)
{
	bool		is_varlena;

	target->type = PG_GETARG_OID(0);
	getTypeInputInfo(target->type, &target->input, &target->ioparam);
	getTypeOutputInfo(target->type, &target->output, &is_varlena);
	getTypeBinaryInputInfo(target->type, &target->receive, &target->ioparam);
	getTypeBinaryOutputInfo(target->type, &target->send, &is_varlena);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(4), REGPROCEDUREOID, sizeof(Oid), true, TYPALIGN_INT,
					  &target->also, &target->nulls, &target->nalso);
}

static bool
same_bytea(bytea *a, bytea *b)
{
	return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

/* What was taken goes out and comes in as itself, by text and by bytes. */
static void
check_value(Fuzz *fuzz, TypeTarget *target, Datum value)
{
	char	   *text = OidOutputFunctionCall(target->output, value);
	bytea	   *bytes = OidSendFunctionCall(target->send, value);
	Datum		again = OidInputFunctionCall(target->input, text, target->ioparam, -1);
	StringInfoData message = {
		.data = VARDATA(bytes), .len = VARSIZE(bytes) - VARHDRSZ, .maxlen = VARSIZE(bytes) - VARHDRSZ
	};

	if (strcmp(OidOutputFunctionCall(target->output, again), text) != 0)
		odd(fuzz, "what is taken reads otherwise than it writes");
	again = OidReceiveFunctionCall(target->receive, &message, target->ioparam, -1);
	if (!same_bytea(OidSendFunctionCall(target->send, again), bytes))
		odd(fuzz, "what is taken is received otherwise than it is sent");
	for (int i = 0; i < target->nalso; i++)
	{
		Oid			function = DatumGetObjectId(target->also[i]);

		if (get_func_nargs(function) == 1)
			OidFunctionCall1(function, value);
		else
			OidFunctionCall2(function, value, again);
	}
}

static void
try_receive(Fuzz *fuzz, void *arg)
{
	TypeTarget *target = arg;
	StringInfoData message = {.len = fuzz->length, .maxlen = fuzz->length + 1};
	Datum		value;

	message.data = guarded_copy(fuzz, fuzz->bytes, fuzz->length, 1);
	value = OidReceiveFunctionCall(target->receive, &message, target->ioparam, -1);
	if (message.cursor != message.len)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("bytes are left, as binary COPY complains")));
	check_value(fuzz, target, value);
}

static void
try_input(Fuzz *fuzz, void *arg)
{
	TypeTarget *target = arg;

	for (int i = 0; i < fuzz->length; i++)
		if (fuzz->bytes[i] == '\0')
			fuzz->length = i;
	/* the server itself refuses these before any input function sees them */
	if (!pg_verify_mbstr(GetDatabaseEncoding(), fuzz->bytes, fuzz->length, true))
		ereport(ERROR,
				(errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
				 errmsg("no text")));
	check_value(fuzz, target,
				OidInputFunctionCall(target->input, guarded_copy(fuzz, fuzz->bytes, fuzz->length, 1),
									 target->ioparam, -1));
}

/* fuzz_receive(regtype, bytea[], bigint, bigint, regprocedure[]) -> 'tried taken' */
PG_FUNCTION_INFO_V1(fuzz_receive);
Datum
fuzz_receive(PG_FUNCTION_ARGS)
{
	TypeTarget	target;

	find_type(&target, fcinfo);
	return fuzz_rounds(fcinfo, try_receive, &target);
}

/* fuzz_input: the same with text */
PG_FUNCTION_INFO_V1(fuzz_input);
Datum
fuzz_input(PG_FUNCTION_ARGS)
{
	TypeTarget	target;

	find_type(&target, fcinfo);
	return fuzz_rounds(fcinfo, try_input, &target);
}

/* ---- aggregates ---- */

typedef struct StateTarget
{
	FmgrInfo	deserialize,
				combine,
				serialize,
				final;
	AggState   *agg;
	bytea	   *unchecked;		/* states that begin with it are left out */
} StateTarget;

static void
find_aggregate(StateTarget *target, Oid aggregate)
{
	HeapTuple	tuple = SearchSysCache1(AGGFNOID, ObjectIdGetDatum(aggregate));
	Form_pg_aggregate form;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "%u is no aggregate", aggregate);
	form = (Form_pg_aggregate) GETSTRUCT(tuple);
	fmgr_info(form->aggdeserialfn, &target->deserialize);
	fmgr_info(form->aggcombinefn, &target->combine);
	fmgr_info(form->aggserialfn, &target->serialize);
	fmgr_info(form->aggfinalfn, &target->final);
	ReleaseSysCache(tuple);
	target->agg = makeNode(AggState);
}

/* As much of an aggregation as aggregates ask for: its memory and its end. */
static void
begin_aggregation(StateTarget *target, MemoryContext context)
{
	ExprContext *econtext = makeNode(ExprContext);

	econtext->ecxt_per_query_memory = context;
	econtext->ecxt_per_tuple_memory = context;
	target->agg->curaggcontext = econtext;
}

static void
end_aggregation(StateTarget *target)
{
	for (ExprContext_CB *callback = target->agg->curaggcontext->ecxt_callbacks; callback != NULL; callback = callback->next)
		callback->function(callback->arg);
}

/* NULL goes in as a null argument; NULL comes out for a null result. */
static void *
call_support(StateTarget *target, FmgrInfo *function, Datum first, void *second)
{
	LOCAL_FCINFO(fcinfo, 2);
	Datum		result;

	InitFunctionCallInfoData(*fcinfo, function, function->fn_nargs, InvalidOid, (Node *) target->agg, NULL);
	fcinfo->args[0] = (NullableDatum) {first, DatumGetPointer(first) == NULL};
	fcinfo->args[1] = (NullableDatum) {PointerGetDatum(second), false};
	if (function->fn_nargs > 1 && function != &target->deserialize && second == NULL)
		fcinfo->args[1].isnull = true;
	result = FunctionCallInvoke(fcinfo);
	return fcinfo->isnull ? NULL : DatumGetPointer(result);
}

/* The executor combines what it received and does nothing else with it. */
static void *
add_received(StateTarget *target, void *state, Datum bytes)
{
	return call_support(target, &target->combine, PointerGetDatum(state),
						call_support(target, &target->deserialize, bytes, NULL));
}

static bytea *
serialized(StateTarget *target, void *state)
{
	return (bytea *) call_support(target, &target->serialize, PointerGetDatum(state), NULL);
}

/* Received alone, then after a whole state and before one, sent on and finished. */
static void
try_state(Fuzz *fuzz, void *arg)
{
	StateTarget *target = arg;
	Datum		whole = fuzz->seeds[random_below(fuzz, fuzz->nseeds)];
	void	   *state;
	bytea	   *sent;

	if (VARSIZE_ANY_EXHDR(target->unchecked) > 0 && fuzz->length >= (int) VARSIZE_ANY_EXHDR(target->unchecked) &&
		memcmp(fuzz->bytes, VARDATA_ANY(target->unchecked), VARSIZE_ANY_EXHDR(target->unchecked)) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("left out")));
	begin_aggregation(target, fuzz->context);
	state = add_received(target, NULL, guarded_bytea(fuzz));
	state = call_support(target, &target->combine, PointerGetDatum(state), NULL);
	sent = serialized(target, state);
	state = add_received(target, state, whole);
	call_support(target, &target->final, PointerGetDatum(state), NULL);
	state = add_received(target, add_received(target, NULL, whole), PointerGetDatum(sent));
	state = add_received(target, NULL, PointerGetDatum(serialized(target, state)));
	call_support(target, &target->final, PointerGetDatum(state), NULL);
	end_aggregation(target);
}

/* fuzz_state(regprocedure, bytea[], bigint, bigint, bytea) -> 'tried taken' */
PG_FUNCTION_INFO_V1(fuzz_state);
Datum
fuzz_state(PG_FUNCTION_ARGS)
{
	StateTarget target;

	find_aggregate(&target, PG_GETARG_OID(0));
	target.unchecked = PG_GETARG_BYTEA_PP(4);
	return fuzz_rounds(fcinfo, try_state, &target);
}
