/*
 * moderation.h
 *	  Cloud moderation day by day: deductions, packs, postpaid rest (R6).
 */
#ifndef IM_CORE_MODERATION_H
#define IM_CORE_MODERATION_H

#include "core/bill/bill.h"
#include "core/bill/pack.h"

/* What one day came to; "packs" tells in .taken what each pack gave. */
typedef struct ModerationDay
{
	CalDay		day;
	ServiceState state;
	bool		switched_on;	/* in service, and on a plan on which it can be on */
	bool		on;				/* and sold by the card */
	int64_t		counts[CHECK_KINDS];	/* checks, half minutes */
	Amount		deductions;		/* 0 unless on */
	Amount		from_packs;
	Amount		postpaid;
	Amount		amount;
} ModerationDay;

typedef void (*ModerationVisitor) (void *arg, const ModerationDay *day, const PackList *packs);

/*
 * Rates every day from the usage's first to the end of the month and calls
 * the visitor for the days of the month, in order.
 */
extern void moderation_days(const Bill *bill, ModerationVisitor visit, void *arg);

/*
 * Takes the deductions of every day from the usage's first until a day from
 * the packs and calls the visitor after each, whatever the day's amount: for
 * what packs come to over months.  Fails as moderation_days() does.
 */
extern void moderation_pack_days(const Account *account, const Usage *usage, CalDay until,
								 ModerationVisitor visit, void *arg);

/* The deductions that a pack term brings, 0 where its card has no such pack. */
extern Amount moderation_pack_content(const Term *term);

/* Deductions of a quantity: checks, or half minutes of audio and video. */
extern Amount deductions_of(Core *core, const Card *card, CheckKind kind, int64_t count);

#endif							/* IM_CORE_MODERATION_H */
