/*
 * meter_pack.h
 *	  Packs of a meter by name, day by day (R12).
 */
#ifndef IM_CORE_METER_PACK_H
#define IM_CORE_METER_PACK_H

#include "core/bill/bill.h"
#include "core/bill/pack.h"

/* What packs gave of a day's figure; "packs" tells in .taken what each gave. */
typedef struct MeterPackDay
{
	CalDay		day;
	Amount		figure;
	Amount		from_packs;
} MeterPackDay;

typedef void (*MeterPackVisitor) (void *arg, const MeterPackDay *day, const PackList *packs);

/* What the term of a pack brings, or NULL for a term that is no pack of a meter. */
extern const CardPack *term_meter_pack(const Term *term);
extern Amount meter_pack_content(const Term *term);

/*
 * Takes the figures of a meter from its packs, from the usage's first day until
 * another, on days on which a plan or add-on in force prices the meter, and calls
 * the visitor after each day.  Nothing is done where the app has no such pack.
 */
extern void meter_pack_days(const Account *account, const Usage *usage, const CardMeter *meter,
							CalDay until, MeterPackVisitor visit, void *arg);

#endif							/* IM_CORE_METER_PACK_H */
