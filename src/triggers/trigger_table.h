/*
 * trigger_table.h
 *	  On whose table a trigger function was called.
 *
 * Anybody may put a trigger on a table of his own.  Functions that do
 * something with the rights of the owner of the extension's tables serve
 * those tables alone: they may be asked to lock, to tell of or to mark the
 * apps of others by nobody who may not write there.
 */
#ifndef IM_TRIGGER_TABLE_H
#define IM_TRIGGER_TABLE_H

#include "commands/trigger.h"

/*
 * Raises 39P01 unless the trigger is on one of the named tables of the schema
 * or on a partition of one.
 */
extern void trigger_table_need(TriggerData *trigger, Oid schema,
							   const char *const *names, int nnames);

#endif							/* IM_TRIGGER_TABLE_H */
