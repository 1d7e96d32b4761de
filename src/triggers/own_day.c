/*
 * own_day.c
 *	  Triggers of im_usage_daily and im_meter_daily: rows of users, and rows
 *	  that were metered.
 *
 * A row of the users takes the place of a metered one of the same key, and a
 * metered one that they update becomes theirs.  It is the truth for the
 * figures that it gives (R11); what was metered goes on beside it, in
 * im_metered_beside or im_meter_beside, for those that it leaves open, unless
 * it is whole.  A row
 * that vanishes is marked: on a metered day no row means no usage, which is
 * not what its deletion says.
 *
 * Tables of an earlier version have no column whole, and every row of a user
 * speaks for its whole day.
 *
 * Days are noted while the statement runs and marked at its end.  What notes
 * a statement that failed has left are marked by the next one: marking too
 * much is never wrong.
 */
#include "lib/compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "utils/array.h"
#include "utils/date.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

#include "core/calendar.h"
#include "server/schemas.h"
#include "triggers/marks.h"

PG_FUNCTION_INFO_V1(im_own_day);
PG_FUNCTION_INFO_V1(im_mark_days);
PG_FUNCTION_INFO_V1(im_store_usage);

#define MAX_NOTES	16384		/* beyond, days are marked for all apps */

typedef struct DayNote
{
	int64		app_id;
	DateADT		day;
} DayNote;

typedef struct DayNotes
{
	DayNote    *notes;			/* of this transaction; NULL: none */
	int			count;
	int			room;
	bool		all_apps;
	DateADT		first;
	DateADT		last;
} DayNotes;

static DayNotes noted;
static bool callback_registered = false;

/* True while im_store_usage() writes: then rows are the extension's own. */
static bool metering = false;

static void
forget_notes(XactEvent event, void *arg)
{
	(void) arg;
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT ||
		event == XACT_EVENT_PREPARE)
		memset(&noted, 0, sizeof(noted));	/* memory goes with the transaction */
}

static void
note_day(int64 app_id, DateADT day)
{
	if (day < CAL_MIN_DAY || day > CAL_MAX_DAY)
		return;
	if (!callback_registered)
	{
		RegisterXactCallback(forget_notes, NULL);
		callback_registered = true;
	}
	if (noted.count == 0)
		noted.first = noted.last = day;
	noted.first = Min(noted.first, day);
	noted.last = Max(noted.last, day);
	if (noted.notes == NULL)
	{
		noted.room = 64;
		noted.notes = MemoryContextAlloc(TopTransactionContext, noted.room * sizeof(DayNote));
	}
	if (noted.count == MAX_NOTES)
	{
		noted.all_apps = true;
		return;
	}
	if (noted.count == noted.room)
	{
		noted.room *= 2;
		noted.notes = repalloc(noted.notes, noted.room * sizeof(DayNote));
	}
	noted.notes[noted.count++] = (DayNote) {app_id, day};
}

/* The noon of a local day lies on it in every zone. */
static const char day_query[] =
	"INSERT INTO %1$s.im_usage_mark (app_id, since, until) "
	"SELECT n.app_id, n.noon, n.noon "
	"FROM (SELECT d.app_id, (d.day + time '12:00') AT TIME ZONE c.time_zone AS noon "
	"      FROM unnest($1, $2) d(app_id, day) "
	"      JOIN %2$s.im_app_cards(NULL::%1$s.im_rate_card) c ON c.app_id = d.app_id "
	"      WHERE c.time_zone IS NOT NULL) n";

static void
mark_noted_days(Oid schema)
{
	Oid			types[] = {INT8ARRAYOID, DATEARRAYOID};
	Datum	   *apps = palloc(sizeof(Datum) * noted.count),
			   *days = palloc(sizeof(Datum) * noted.count),
				values[2];

	for (int i = 0; i < noted.count; i++)
	{
		apps[i] = Int64GetDatum(noted.notes[i].app_id);
		days[i] = DateADTGetDatum(noted.notes[i].day);
	}
	values[0] = PointerGetDatum(construct_array(apps, noted.count, INT8OID, sizeof(int64),
												FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	values[1] = PointerGetDatum(construct_array(days, noted.count, DATEOID, sizeof(DateADT),
												true, TYPALIGN_INT));
	marks_run_as_owner(schema, NULL, day_query, 2, types, values);
}

/* Two days of UTC on either side hold the local days of all zones. */
static void
mark_noted_span(Oid schema)
{
	MarkSet    *marks = marks_open(true);

	marks_add_all_apps(marks, ((int64) noted.first - 2) * USECS_PER_DAY,
					   ((int64) noted.last + 2) * USECS_PER_DAY);
	marks_append(marks, schema);
}

static void
note_rows(TriggerData *trigger, AttrNumber app_id, AttrNumber day)
{
	Tuplestorestate *rows = trigger->tg_oldtable;
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(trigger->tg_relation),
													&TTSOpsMinimalTuple);
	int			pointer = tuplestore_alloc_read_pointer(rows, EXEC_FLAG_REWIND);
	bool		isnull;

	tuplestore_select_read_pointer(rows, pointer);
	tuplestore_rescan(rows);
	while (tuplestore_gettupleslot(rows, true, false, slot))
		note_day(DatumGetInt64(slot_getattr(slot, app_id, &isnull)),
				 DatumGetDateADT(slot_getattr(slot, day, &isnull)));
	ExecDropSingleTupleTableSlot(slot);
}

static AttrNumber
column_number(TriggerData *trigger, const char *name, Oid type)
{
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	int			number = SPI_fnumber(desc, name);

	if (number <= 0 || SPI_gettypeid(desc, number) != type)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("table \"%s\" has no column %s of type %s",
						RelationGetRelationName(trigger->tg_relation), name,
						format_type_be(type)),
				 errdetail("The trigger keeps metered rows and rows of users apart."),
				 errhint("im_create_tables() creates the triggers it is for.")));
	return number;
}

static TriggerData *
need_trigger(FunctionCallInfo fcinfo, bool for_row)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		(for_row ? !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		 !TRIGGER_FIRED_BEFORE(trigger->tg_event) || TRIGGER_FIRED_BY_DELETE(trigger->tg_event) :
		 !TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event) || !TRIGGER_FIRED_AFTER(trigger->tg_event)))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function was not called by a trigger %s",
						for_row ? "before each row" : "after each statement"),
				 errdetail("It keeps metered rows and rows of users apart."),
				 errhint("im_create_tables() creates the triggers it is for.")));
	return trigger;
}

/* At the end of a statement. */
Datum
im_mark_days(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = need_trigger(fcinfo, false);
	Oid			schema = get_func_namespace(fcinfo->flinfo->fn_oid);
	AttrNumber	app_id = column_number(trigger, "app_id", INT8OID),
				day = column_number(trigger, "day", DATEOID);

	marks_need_table(trigger, schema);
	if (!metering && TRIGGER_FIRED_BY_DELETE(trigger->tg_event) && trigger->tg_oldtable != NULL)
		note_rows(trigger, app_id, day);
	if (noted.count > 0 && marks_wanted(schema))
	{
		if (noted.all_apps)
			mark_noted_span(schema);
		else
			mark_noted_days(schema);
	}
	noted.count = 0;
	noted.all_apps = false;
	PG_RETURN_POINTER(NULL);
}

#define MAX_FIGURES		11

/*
 * A table of daily figures: what can be given in it, and where what was
 * metered of a day counts no less for a row of a user: it stays, out of his
 * sight.  What is there of a row that he deleted is marked, and as good.
 */
typedef struct DailyTable
{
	const char *beside_query;	/* the key, then the figures in their order */
	int			nfigures;
	struct
	{
		const char *name;
		Oid			type;		/* of the extension's own: InvalidOid, it goes with DROP EXTENSION */
	}			figures[MAX_FIGURES];
} DailyTable;

static const DailyTable usage_daily = {
	"INSERT INTO %s.im_metered_beside (app_id, day, dau, users, peak_groups, text_checks, "
	"image_checks, audio_half_minutes, video_half_minutes, audio_minutes, sd_minutes, "
	"hd_minutes, fhd_minutes) "
	"VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING",
	11, {
		{"dau", INT8OID}, {"users", InvalidOid}, {"peak_groups", INT8OID},
		{"text_checks", INT8OID}, {"image_checks", INT8OID},
		{"audio_half_minutes", INT8OID}, {"video_half_minutes", INT8OID},
		{"audio_minutes", INT8OID}, {"sd_minutes", INT8OID},
		{"hd_minutes", INT8OID}, {"fhd_minutes", INT8OID}
	}
};

static const DailyTable meter_daily = {
	"INSERT INTO %s.im_meter_beside (app_id, day, meter, quantity, users, area, before, length) "
	"VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
	5, {
		{"quantity", NUMERICOID}, {"users", InvalidOid}, {"area", NUMERICOID},
		{"before", INT8OID}, {"length", INT8OID}
	}
};

#define MAX_COLUMNS		(MAX_FIGURES + 3)

/* What one statement knows: whether any row can be a metered one. */
typedef struct OwnDayCache
{
	Oid			schema;
	bool		ever_metered;
	const DailyTable *table;
	AttrNumber	app_id;
	AttrNumber	day;
	AttrNumber	meter;			/* 0: im_usage_daily */
	AttrNumber	metered_at;
	AttrNumber	whole;			/* 0: im_meter_daily, and tables of an earlier version */
	AttrNumber	figures[MAX_FIGURES];
} OwnDayCache;

/* Whether a row may leave figures open that are metered then. */
static bool
leaves_open(const OwnDayCache *cache)
{
	return cache->whole > 0 || cache->meter > 0;
}

static void
find_figures(OwnDayCache *cache, TriggerData *trigger)
{
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);

	cache->meter = Max(SPI_fnumber(desc, "meter"), 0);
	cache->table = cache->meter > 0 ? &meter_daily : &usage_daily;
	cache->whole = cache->meter > 0 ? 0 : Max(SPI_fnumber(desc, "whole"), 0);
	for (int i = 0; leaves_open(cache) && i < cache->table->nfigures; i++)
		cache->figures[i] = cache->table->figures[i].type == InvalidOid ?
			SPI_fnumber(desc, cache->table->figures[i].name) :
			column_number(trigger, cache->table->figures[i].name, cache->table->figures[i].type);
}

static OwnDayCache *
statement_cache(FunctionCallInfo fcinfo, TriggerData *trigger)
{
	OwnDayCache *cache = fcinfo->flinfo->fn_extra;

	if (cache == NULL)
	{
		marks_need_table(trigger, get_func_namespace(fcinfo->flinfo->fn_oid));
		if (!metering)
			marks_lock_days(get_func_namespace(fcinfo->flinfo->fn_oid), ShareLock);
		cache = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(OwnDayCache));
		cache->schema = get_func_namespace(fcinfo->flinfo->fn_oid);
		cache->app_id = column_number(trigger, "app_id", INT8OID);
		cache->day = column_number(trigger, "day", DATEOID);
		cache->metered_at = column_number(trigger, "metered_at", TIMESTAMPTZOID);
		find_figures(cache, trigger);
		cache->ever_metered = marks_ever_metered(cache->schema);
		fcinfo->flinfo->fn_extra = cache;
	}
	return cache;
}

static void
keep_beside(Relation rel, const OwnDayCache *cache, HeapTuple metered)
{
	static MarkPlan plans[2];
	TupleDesc	desc = RelationGetDescr(rel);
	AttrNumber	columns[MAX_COLUMNS] = {cache->app_id, cache->day, cache->meter};
	Oid			types[MAX_COLUMNS];
	Datum		values[MAX_COLUMNS];
	char		nulls[MAX_COLUMNS];
	int			nkeys = cache->meter > 0 ? 3 : 2,
				ncolumns = nkeys + cache->table->nfigures;

	if (!leaves_open(cache))
		return;
	memcpy(columns + nkeys, cache->figures, sizeof(AttrNumber) * cache->table->nfigures);
	for (int i = 0; i < ncolumns; i++)
	{
		bool		isnull = true;

		/* the type of users goes with DROP EXTENSION, and the column with it */
		types[i] = columns[i] > 0 ? SPI_gettypeid(desc, columns[i]) : TEXTOID;
		values[i] = columns[i] > 0 ? heap_getattr(metered, columns[i], desc, &isnull) : (Datum) 0;
		nulls[i] = isnull ? 'n' : ' ';
	}
	marks_run_kept(&plans[cache->meter > 0], cache->schema, cache->table->beside_query, ncolumns, types, values, nulls);
}

static bool
is_whole(const OwnDayCache *cache, HeapTuple row, TupleDesc desc)
{
	bool		isnull;
	Datum		whole;

	if (cache->whole == 0)
		return cache->meter == 0;
	whole = heap_getattr(row, cache->whole, desc, &isnull);
	return !isnull && DatumGetBool(whole);
}

/* Whether a row is of the meter of another; where there are no meters all are. */
static bool
same_meter(const OwnDayCache *cache, TupleDesc desc, HeapTuple row, HeapTuple other)
{
	bool		isnull,
				other_isnull;
	Datum		meter,
				other_meter;

	if (cache->meter == 0)
		return true;
	meter = heap_getattr(row, cache->meter, desc, &isnull);
	other_meter = heap_getattr(other, cache->meter, desc, &other_isnull);
	return !isnull && !other_isnull &&
		DatumGetBool(DirectFunctionCall2Coll(texteq, C_COLLATION_OID, meter, other_meter));
}

/*
 * Deletes the row of the key if it was metered, and keeps what it says if a
 * row that leaves figures open takes its place.  The one who meters waits for
 * those who write and keeps off others, so the latest snapshot shows all.
 */
static void
displace_metered(Relation rel, const OwnDayCache *cache, HeapTuple own)
{
	TupleDesc	desc = RelationGetDescr(rel);
	bool		isnull;
	ScanKeyData keys[2];
	Snapshot	snapshot;
	SysScanDesc scan;
	HeapTuple	row,
				metered = NULL;
	List	   *indexes = RelationGetIndexList(rel);	/* sets rd_pkindex */

	list_free(indexes);
	if (!OidIsValid(rel->rd_pkindex))
		return;
	ScanKeyInit(&keys[0], cache->app_id, BTEqualStrategyNumber, F_INT8EQ,
				heap_getattr(own, cache->app_id, desc, &isnull));
	ScanKeyInit(&keys[1], cache->day, BTEqualStrategyNumber, F_DATE_EQ,
				heap_getattr(own, cache->day, desc, &isnull));
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	scan = systable_beginscan(rel, rel->rd_pkindex, true, snapshot, 2, keys);
	while ((row = systable_getnext(scan)) != NULL)
		if (!heap_attisnull(row, cache->metered_at, desc) && same_meter(cache, desc, row, own))
		{
			metered = heap_copytuple(row);
			simple_table_tuple_delete(rel, &row->t_self, snapshot);
		}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	if (metered != NULL && !is_whole(cache, own, desc))
		keep_beside(rel, cache, metered);
}

/* Whether an update gives a column: it names it, or a trigger changed it. */
static bool
is_given(const TriggerData *trigger, AttrNumber column)
{
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	Form_pg_attribute attribute = TupleDescAttr(desc, column - 1);
	Datum		before,
				after;
	bool		was_null,
				is_null;

	if (bms_is_member(column - FirstLowInvalidHeapAttributeNumber, trigger->tg_updatedcols))
		return true;
	before = heap_getattr(trigger->tg_trigtuple, column, desc, &was_null);
	after = heap_getattr(trigger->tg_newtuple, column, desc, &is_null);
	return was_null != is_null ||
		(!is_null && !datumIsEqual(before, after, attribute->attbyval, attribute->attlen));
}

/*
 * A metered row that a user updated: his own, with the figures that he gave
 * and no others, unless he says that it is whole.
 */
static HeapTuple
make_users_own(TriggerData *trigger, const OwnDayCache *cache)
{
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	int			columns[MAX_FIGURES + 2];
	Datum		values[lengthof(columns)] = {0};
	bool		nulls[lengthof(columns)];
	int			n = 0;
	bool		whole = !leaves_open(cache) ||
		(cache->whole > 0 && is_given(trigger, cache->whole) && is_whole(cache, trigger->tg_newtuple, desc));

	memset(nulls, true, sizeof(nulls));
	columns[n++] = cache->metered_at;
	for (int i = 0; !whole && i < cache->table->nfigures; i++)
		if (cache->figures[i] > 0 && !is_given(trigger, cache->figures[i]))
			columns[n++] = cache->figures[i];
	if (!whole && cache->whole > 0)
	{
		values[n] = BoolGetDatum(false);
		nulls[n] = false;
		columns[n++] = cache->whole;
	}
	return heap_modify_tuple_by_cols(trigger->tg_newtuple, desc, n, columns, values, nulls);
}

static HeapTuple
own_updated_row(TriggerData *trigger, const OwnDayCache *cache)
{
	Relation	rel = trigger->tg_relation;
	TupleDesc	desc = RelationGetDescr(rel);
	HeapTuple	before = trigger->tg_trigtuple,
				after = trigger->tg_newtuple;
	bool		isnull,
				metered = !heap_attisnull(before, cache->metered_at, desc),
				moved;
	Datum		app_id = heap_getattr(before, cache->app_id, desc, &isnull),
				day = heap_getattr(before, cache->day, desc, &isnull),
				new_app_id = heap_getattr(after, cache->app_id, desc, &isnull),
				new_day = heap_getattr(after, cache->day, desc, &isnull);

	moved = DatumGetInt64(app_id) != DatumGetInt64(new_app_id) ||
		DatumGetDateADT(day) != DatumGetDateADT(new_day) || !same_meter(cache, desc, before, after);
	if (metered)
		after = make_users_own(trigger, cache);
	if (moved)
	{
		note_day(DatumGetInt64(app_id), DatumGetDateADT(day));
		displace_metered(rel, cache, after);
	}
	else if (metered && !is_whole(cache, after, desc))
		keep_beside(rel, cache, before);
	/* called metered, or open where nothing was kept beside it */
	if (!heap_attisnull(after, cache->metered_at, desc) ||
		(!metered && is_whole(cache, before, desc) && !is_whole(cache, after, desc)))
		note_day(DatumGetInt64(new_app_id), DatumGetDateADT(new_day));
	return after;
}

/* Before a user's row is written. */
Datum
im_own_day(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = need_trigger(fcinfo, true);
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	bool		update = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event),
				app_is_null,
				day_is_null;
	HeapTuple	row = update ? trigger->tg_newtuple : trigger->tg_trigtuple;
	OwnDayCache *cache = statement_cache(fcinfo, trigger);
	Datum		app_id,
				day;

	if (metering || (!cache->ever_metered && heap_attisnull(row, cache->metered_at, desc)))
		PG_RETURN_POINTER(row);
	app_id = heap_getattr(row, cache->app_id, desc, &app_is_null);
	day = heap_getattr(row, cache->day, desc, &day_is_null);
	if (app_is_null || day_is_null)
		PG_RETURN_POINTER(row);		/* NOT NULL will say so */
	if (update)
		PG_RETURN_POINTER(own_updated_row(trigger, cache));
	if (heap_attisnull(row, cache->metered_at, desc))
		displace_metered(trigger->tg_relation, cache, row);
	else
		note_day(DatumGetInt64(app_id), DatumGetDateADT(day));
	PG_RETURN_POINTER(row);
}

/*
 * Lets im_write_metered(), which takes the same arguments, write rows as the
 * extension's own: the number of rows that it wrote.
 */
Datum
im_store_usage(PG_FUNCTION_ARGS)
{
	Oid			beside = get_func_namespace(fcinfo->flinfo->fn_oid),
			   *types;
	int			nargs;
	Datum		values[4];
	char		nulls[4];
	char	   *query;
	int64		written;
	bool		isnull,
				outer = metering;

	get_func_signature(fcinfo->flinfo->fn_oid, &types, &nargs);
	Assert(nargs <= (int) lengthof(values));
	/* SQL of 0.2.0 knows no meters by name */
	query = psprintf("SELECT %s.im_write_metered($1, $2, $3%s)",
					 quote_identifier(get_namespace_name(beside)), nargs > 3 ? ", $4" : "");
	for (int i = 0; i < nargs; i++)
	{
		values[i] = PG_GETARG_DATUM(i);
		nulls[i] = PG_ARGISNULL(i) ? 'n' : ' ';
	}
	marks_lock_days(extension_schema(), ExclusiveLock);
	SPI_connect();
	metering = true;
	PG_TRY();
	{
		if (SPI_execute_with_args(query, nargs, types, values, nulls, false, 1) != SPI_OK_SELECT ||
			SPI_processed != 1)
			elog(ERROR, "could not write metered rows");
		written = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc,
											  1, &isnull));
	}
	PG_FINALLY();
	{
		metering = outer;
	}
	PG_END_TRY();
	SPI_finish();
	PG_RETURN_INT64(written);
}
