/*
 * temp_parts.c
 *	  What does not fit into memory, parted among 32 temporary files.
 */
#include "lib/temp_parts.h"

#include "executor/executor.h"
#include "miscadmin.h"

void
temp_budget_init(TempBudget *budget)
{
	budget->limit = get_hash_memory_limit();
	budget->held = 0;
}

static void
give_back(void *arg)
{
	TempBound  *bound = arg;

	temp_bound_give(bound, bound->held);
}

void
temp_bound_init(TempBound *bound, FunctionCallInfo fcinfo, TempBudget *budget, MemoryContext context)
{
	if (!IsA(fcinfo->context, AggState))
		return;
	bound->budget = budget;
	bound->group = castNode(AggState, fcinfo->context)->curaggcontext;
	bound->reset.func = give_back;
	bound->reset.arg = bound;
	MemoryContextRegisterResetCallback(context, &bound->reset);
}

static void
group_ended(Datum arg)
{
	TempParts  *parts = (TempParts *) DatumGetPointer(arg);

	parts->group = NULL;
	temp_parts_drop(parts);
}

TempParts *
temp_parts_make(MemoryContext context, ExprContext *group)
{
	TempParts  *parts = MemoryContextAllocZero(context, sizeof(TempParts));

	parts->group = group;
	if (group != NULL)
		RegisterExprContextCallback(group, group_ended, PointerGetDatum(parts));
	return parts;
}

static pg_noinline void
make_file(TempParts *parts, MemoryContext context, int part)
{
	MemoryContext old = MemoryContextSwitchTo(context);

	parts->file[part] = BufFileCreateTemp(false);
	MemoryContextSwitchTo(old);
}

void
temp_parts_write(TempParts *parts, MemoryContext context, int part, const void *from, Size size)
{
	if (unlikely(parts->file[part] == NULL))
		make_file(parts, context, part);
	BufFileWrite(parts->file[part], unconstify(void *, from), size);
}

static void
read_failed(void)
{
	ereport(ERROR,
			(errcode_for_file_access(),
			 errmsg("could not read from temporary file: %m")));
}

bool
temp_parts_rewind(TempParts *parts, int part)
{
	if (parts->file[part] == NULL)
		return false;
	if (BufFileSeek(parts->file[part], 0, 0, SEEK_SET) != 0)
		read_failed();
	return true;
}

bool
temp_parts_read(TempParts *parts, int part, void *to, Size size)
{
	Size		got = BufFileRead(parts->file[part], to, size);

	if (got != size && got != 0)
		read_failed();
	return got == size;
}

void
temp_parts_read_rest(TempParts *parts, int part, void *to, Size size)
{
	if (!temp_parts_read(parts, part, to, size))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("temporary file ends within a record")));
}

void
temp_parts_close(TempParts *parts, int part)
{
	if (parts->file[part] != NULL)
		BufFileClose(parts->file[part]);
	parts->file[part] = NULL;
}

void
temp_parts_drop(TempParts *parts)
{
	if (parts == NULL)
		return;
	if (parts->group != NULL)
		UnregisterExprContextCallback(parts->group, group_ended, PointerGetDatum(parts));
	for (int part = 0; part < TEMP_PARTS; part++)
		temp_parts_close(parts, part);
	pfree(parts);
}
