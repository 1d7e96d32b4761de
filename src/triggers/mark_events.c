/*
 * mark_events.c
 *	  Triggers of the raw tables: mark what a statement changed.
 *
 * They are AFTER STATEMENT triggers that walk the transition tables, since a
 * trigger for each row would cost a COPY several times as much.  A statement
 * trigger of a partitioned table misses what goes to a partition directly, so
 * the partitions have the same triggers.
 */
#include "lib/compat.h"

#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"

#include "server/zone.h"
#include "triggers/marks.h"

PG_FUNCTION_INFO_V1(im_mark_events);
PG_FUNCTION_INFO_V1(im_mark_groups);
PG_FUNCTION_INFO_V1(im_mark_apps);
PG_FUNCTION_INFO_V1(im_mark_all);
PG_FUNCTION_INFO_V1(im_mark_cards);

/* A walk over a transition table: some of its columns, row by row. */
typedef struct RowWalk
{
	Tuplestorestate *rows;
	TupleTableSlot *slot;
	AttrNumber	columns[3];
	int			pointer;
} RowWalk;

static TriggerData *
statement_trigger(FunctionCallInfo fcinfo)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function was not called by an AFTER trigger for each statement"),
				 errdetail("It marks the usage that a statement changed."),
				 errhint("im_create_tables() and im_meter() create the triggers it is for.")));
	marks_need_table(trigger, get_func_namespace(fcinfo->flinfo->fn_oid));
	return trigger;
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
				 errdetail("The trigger marks the app and time of each row."),
				 errhint("im_create_tables() and im_meter() create the triggers it is for.")));
	return number;
}

static void
walk_begin(RowWalk *walk, TriggerData *trigger, Tuplestorestate *rows)
{
	walk->rows = rows;
	if (rows == NULL)
		return;
	walk->slot = MakeSingleTupleTableSlot(RelationGetDescr(trigger->tg_relation),
										  &TTSOpsMinimalTuple);
	walk->pointer = tuplestore_alloc_read_pointer(rows, EXEC_FLAG_REWIND);
	tuplestore_select_read_pointer(rows, walk->pointer);
	tuplestore_rescan(rows);
}

/* Of a column that is null the value is meaningless. */
static bool
walk_next(RowWalk *walk, int count, Datum *values, bool *nulls)
{
	tuplestore_select_read_pointer(walk->rows, walk->pointer);
	if (!tuplestore_gettupleslot(walk->rows, true, false, walk->slot))
		return false;
	for (int i = 0; i < count; i++)
		values[i] = slot_getattr(walk->slot, walk->columns[i], &nulls[i]);
	return true;
}

static void
walk_end(RowWalk *walk)
{
	if (walk->rows != NULL)
		ExecDropSingleTupleTableSlot(walk->slot);
}

static bool
same_text(const text *a, const text *b)
{
	return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

static void
mark_rows(MarkSet *marks, TriggerData *trigger, Tuplestorestate *rows)
{
	RowWalk		walk = {.columns = {
			column_number(trigger, "app_id", INT8OID),
			column_number(trigger, "at", TIMESTAMPTZOID)
		}};
	Datum		values[2];
	bool		nulls[2];

	walk_begin(&walk, trigger, rows);
	while (rows != NULL && walk_next(&walk, 2, values, nulls))
		if (!nulls[0] && !nulls[1])
			marks_add(marks, DatumGetInt64(values[0]), DatumGetTimestampTz(values[1]),
					  DatumGetTimestampTz(values[1]));
	walk_end(&walk);
}

/* Logins, checks, calls and events of meters by name: an app and an instant. */
Datum
im_mark_events(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = statement_trigger(fcinfo);
	Oid			schema = get_func_namespace(fcinfo->flinfo->fn_oid);

	if (marks_wanted(schema))
	{
		MarkSet    *marks = marks_open(true);

		mark_rows(marks, trigger, trigger->tg_newtable);
		mark_rows(marks, trigger, trigger->tg_oldtable);
		marks_append(marks, schema);
	}
	PG_RETURN_POINTER(NULL);
}

typedef struct GroupRow
{
	int64		app_id;
	text	   *id;
	TimestampTz created;
	TimestampTz disbanded;
} GroupRow;

/* Nothing of the app and its groups may be null in our tables. */
static bool
next_group(RowWalk *walk, AttrNumber id, AttrNumber disbanded, GroupRow *group)
{
	Datum		values[2];
	bool		nulls[2],
				isnull;

	if (walk->rows == NULL || !walk_next(walk, 2, values, nulls))
		return false;
	group->app_id = DatumGetInt64(values[0]);
	group->created = DatumGetTimestampTz(values[1]);
	group->id = DatumGetTextPP(slot_getattr(walk->slot, id, &isnull));
	group->disbanded = DatumGetTimestampTz(slot_getattr(walk->slot, disbanded, &isnull));
	if (isnull)
		group->disbanded = DT_NOEND;
	return true;
}

/*
 * A group counts on the days from its creation until the instant before it
 * was disbanded.  One that was disbanded before it was created makes metering
 * fail on the day of its creation.
 */
static void
mark_group(MarkSet *marks, const GroupRow *group)
{
	TimestampTz until = group->disbanded;

	if (!TIMESTAMP_NOT_FINITE(until))
		until--;
	marks_add(marks, group->app_id, group->created, Max(group->created, until));
}

/*
 * Old and new rows of an UPDATE come in the same order.  Where a pair is of
 * one group from one instant on, only the span between the two ends changed,
 * so that disbanding a group leaves its past alone.  If rows came in another
 * order, such pairs would still change the number of groups only where their
 * own ends differ.
 */
static void
mark_changed_group(MarkSet *marks, const GroupRow *before, const GroupRow *after)
{
	bool		same = before->app_id == after->app_id && before->created == after->created &&
		same_text(before->id, after->id);

	if (!same || before->disbanded <= before->created || after->disbanded <= after->created)
	{
		mark_group(marks, before);
		mark_group(marks, after);
	}
	else if (before->disbanded != after->disbanded)
	{
		GroupRow	change = *after;

		change.created = Min(before->disbanded, after->disbanded);
		change.disbanded = Max(before->disbanded, after->disbanded);
		mark_group(marks, &change);
	}
}

static void
mark_groups(MarkSet *marks, TriggerData *trigger)
{
	AttrNumber	id = column_number(trigger, "group_id", TEXTOID),
				disbanded = column_number(trigger, "disbanded_at", TIMESTAMPTZOID);
	RowWalk		old_rows = {.columns = {
			column_number(trigger, "app_id", INT8OID),
			column_number(trigger, "created_at", TIMESTAMPTZOID)
		}},
				new_rows = old_rows;
	GroupRow	before,
				after;
	bool		was,
				is;

	walk_begin(&old_rows, trigger, trigger->tg_oldtable);
	walk_begin(&new_rows, trigger, trigger->tg_newtable);
	for (;;)
	{
		was = next_group(&old_rows, id, disbanded, &before);
		is = next_group(&new_rows, id, disbanded, &after);
		if (was && is)
			mark_changed_group(marks, &before, &after);
		else if (was || is)
			mark_group(marks, was ? &before : &after);
		else
			break;
	}
	walk_end(&old_rows);
	walk_end(&new_rows);
}

Datum
im_mark_groups(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = statement_trigger(fcinfo);
	Oid			schema = get_func_namespace(fcinfo->flinfo->fn_oid);

	if (marks_wanted(schema))
	{
		MarkSet    *marks = marks_open(true);

		mark_groups(marks, trigger);
		marks_append(marks, schema);
	}
	PG_RETURN_POINTER(NULL);
}

typedef struct AppRow
{
	int64		app_id;
	text	   *card;
} AppRow;

static bool
next_app(RowWalk *walk, AppRow *app)
{
	Datum		values[2];
	bool		nulls[2];

	if (walk->rows == NULL || !walk_next(walk, 2, values, nulls))
		return false;
	app->app_id = DatumGetInt64(values[0]);
	app->card = DatumGetTextPP(values[1]);
	return true;
}

static void
mark_app(MarkSet *marks, const AppRow *app)
{
	marks_add(marks, app->app_id, DT_NOBEGIN, DT_NOEND);
}

/* A new name or tenant changes nothing; pairs as in mark_changed_group(). */
static void
mark_changed_app(MarkSet *marks, const AppRow *before, const AppRow *after)
{
	if (before->app_id == after->app_id && same_text(before->card, after->card))
		return;
	mark_app(marks, before);
	mark_app(marks, after);
}

static void
mark_apps(MarkSet *marks, TriggerData *trigger)
{
	RowWalk		old_rows = {.columns = {
			column_number(trigger, "app_id", INT8OID),
			column_number(trigger, "rate_card", TEXTOID)
		}},
				new_rows = old_rows;
	AppRow			before,
				after;
	bool		was,
				is;

	walk_begin(&old_rows, trigger, trigger->tg_oldtable);
	walk_begin(&new_rows, trigger, trigger->tg_newtable);
	for (;;)
	{
		was = next_app(&old_rows, &before);
		is = next_app(&new_rows, &after);
		if (was && is)
			mark_changed_app(marks, &before, &after);
		else if (was || is)
			mark_app(marks, was ? &before : &after);
		else
			break;
	}
	walk_end(&old_rows);
	walk_end(&new_rows);
}

/*
 * Apps that came, went or changed their price list: nothing of theirs is
 * metered as it should be.  Each is marked by itself, however many they are:
 * loading new apps must not make all others be metered again.
 */
Datum
im_mark_apps(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = statement_trigger(fcinfo);
	Oid			schema = get_func_namespace(fcinfo->flinfo->fn_oid);

	if (marks_wanted(schema))
	{
		MarkSet    *marks = marks_open(false);

		mark_apps(marks, trigger);
		marks_append(marks, schema);
	}
	PG_RETURN_POINTER(NULL);
}

static void
mark_everything(Oid schema)
{
	MarkSet    *marks = marks_open(true);

	marks_add_all_apps(marks, DT_NOBEGIN, DT_NOEND);
	marks_append(marks, schema);
}

/* TRUNCATE says no rows. */
Datum
im_mark_all(PG_FUNCTION_ARGS)
{
	Oid			schema = get_func_namespace(fcinfo->flinfo->fn_oid);

	statement_trigger(fcinfo);
	if (marks_wanted(schema))
		mark_everything(schema);
	PG_RETURN_POINTER(NULL);
}

/*
 * What a card says of days, users and meters before the statement and after
 * it; the apps of a card of which it says something else are marked.  Whether
 * it prices users is told as im_prices_users() does, which 0.2.0 had not.
 */
#define PRICES_USERS \
	"'$ ? (exists (@.plans.*.mau) || exists (@.*.*.usage.mau) " \
	"|| exists (@.plans.*.*.included ? (@.of == \"mau\")) " \
	"|| exists (@.*.*.usage.*.included ? (@.of == \"mau\")))'"

#define CARD_DAYS(versions) \
	"(SELECT v.rate_card, min(v.terms ->> 'time_zone') AS time_zone, " \
	"     bool_or(v.terms @? " PRICES_USERS ") AS prices_mau, " \
	"     array_agg(DISTINCT v.terms -> 'meters') AS meters " \
	" FROM (" versions ") v GROUP BY v.rate_card)"

#define CARD_QUERY(before) \
	"INSERT INTO %1$s.im_usage_mark (app_id, since, until) " \
	"SELECT a.app_id, '-infinity', 'infinity' " \
	"FROM %1$s.im_app a " \
	"JOIN (SELECT coalesce(b.rate_card, n.rate_card) AS rate_card " \
	"      FROM " CARD_DAYS(before) " b " \
	"      FULL JOIN " CARD_DAYS(ALL_VERSIONS) " n ON n.rate_card = b.rate_card " \
	"      WHERE (b.time_zone, b.prices_mau, b.meters) " \
	"          IS DISTINCT FROM (n.time_zone, n.prices_mau, n.meters)) c " \
	"    ON c.rate_card = a.rate_card"

#define ALL_VERSIONS \
	"SELECT t.rate_card, t.terms FROM %1$s.im_rate_card_version t"
#define OTHER_VERSIONS \
	ALL_VERSIONS " WHERE NOT EXISTS (SELECT FROM new_rows r " \
	"WHERE r.rate_card = t.rate_card AND r.effective_from = t.effective_from)"
#define OLD_VERSIONS \
	"SELECT o.rate_card, o.terms FROM old_rows o"

static const char *
card_query(TriggerEvent event)
{
	if (TRIGGER_FIRED_BY_INSERT(event))
		return CARD_QUERY(OTHER_VERSIONS);
	if (TRIGGER_FIRED_BY_DELETE(event))
		return CARD_QUERY(ALL_VERSIONS " UNION ALL " OLD_VERSIONS);
	return CARD_QUERY(OTHER_VERSIONS " UNION ALL " OLD_VERSIONS);
}

/*
 * Price lists: another time zone cuts other days, another meter makes other
 * figures, and a card that prices users of the month needs to know who they
 * were.  Prices are no matter.
 *
 * The query compares what the statement changed with the rights of the owner
 * of the marks, and who owns the price lists chose their columns' types, with
 * whatever casts they have: with another owner, everything is marked unseen.
 */
Datum
im_mark_cards(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = statement_trigger(fcinfo);
	Oid			schema = get_func_namespace(fcinfo->flinfo->fn_oid);

	if (!marks_wanted(schema))
		PG_RETURN_POINTER(NULL);
	if (RelationGetRelid(trigger->tg_relation) == get_relname_relid("im_rate_card_version", schema) &&
		marks_same_owner(trigger, schema))
		marks_run_as_owner(schema, trigger, card_query(trigger->tg_event), 0, NULL, NULL);
	else
		mark_everything(schema);
	PG_RETURN_POINTER(NULL);
}
