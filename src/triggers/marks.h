/*
 * marks.h
 *	  Marks: which app, and which instants, changed since the last metering.
 *
 * A mark is a row of im_usage_mark, (app_id, since, until), both ends
 * included; a null app stands for all apps.  Marks are appended and never
 * updated, so that two loaders cannot wait for each other.
 */
#ifndef IM_MARKS_H
#define IM_MARKS_H

#include "datatype/timestamp.h"
#include "commands/trigger.h"
#include "storage/lockdefs.h"

/*
 * The marks that one statement makes: one for each app and day of UTC, from
 * the first instant to the last.  A statement that touches very many of them
 * marks days for all apps instead, so memory and marks are bounded.
 */
typedef struct MarkSet MarkSet;

/*
 * True if anything may have been metered in the tables of that schema, so
 * that a change has to be marked.  False only while nobody can meter before
 * this transaction ends: im_metered_day is locked for that.
 */
extern bool marks_wanted(Oid schema);

/* True if im_usage_daily may hold metered rows, of days that count or not. */
extern bool marks_ever_metered(Oid schema);

/*
 * Raises 39P01 unless the trigger is on a table whose changes are marked, on
 * a partition of one (triggers/trigger_table.h), on one that was metered, or on
 * a table of the owner of im_usage_mark: a partition that was detached is
 * marked on, since it can come back.
 */
extern void marks_need_table(TriggerData *trigger, Oid schema);

/* Whether the table of the trigger belongs to the owner of im_usage_mark. */
extern bool marks_same_owner(TriggerData *trigger, Oid schema);

/* An empty set in the current memory context.  Bounded: see above. */
extern MarkSet *marks_open(bool bounded);

/*
 * Adds [since, until] of an app; since <= until.  An event of no instant
 * (infinite in the same direction at both ends) is on no day and ignored.
 */
extern void marks_add(MarkSet *marks, int64 app_id, TimestampTz since, TimestampTz until);

/* Adds the span for all apps. */
extern void marks_add_all_apps(MarkSet *marks, TimestampTz since, TimestampTz until);

/*
 * Appends them to im_usage_mark of the schema, as the owner of that table:
 * who loads events needs no right on it.
 */
extern void marks_append(MarkSet *marks, Oid schema);

/*
 * Runs a query, in which %1$s stands for the quoted schema, as the owner of
 * im_usage_mark and with an empty search_path, so to say: pg_catalog alone.
 * The transition tables of the trigger are there if one is given.
 */
extern void marks_run_as_owner(Oid schema, TriggerData *trigger, const char *query,
							   int nargs, Oid *types, Datum *values);

/*
 * Locks the daily figures until the end of the transaction: who writes some
 * of them (ShareLock) and who writes what was metered (ExclusiveLock) wait for
 * each other.  It is no lock of the table, which CREATE INDEX CONCURRENTLY
 * could hold while it waits for who meters.
 */
extern void marks_lock_days(Oid schema, LOCKMODE mode);

/* A plan that outlives its statement; static, so that it is empty at first. */
typedef struct MarkPlan
{
	struct _SPI_plan *plan;
	Oid			schema;
} MarkPlan;

/*
 * The same with a plan that is kept, for what runs row by row: %s stands for
 * the quoted schema, and every name is qualified.
 */
extern void marks_run_kept(MarkPlan *kept, Oid schema, const char *query,
						   int nargs, Oid *types, Datum *values, const char *nulls);

#endif							/* IM_MARKS_H */
