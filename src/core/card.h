/*
 * card.h
 *	  A rate card: one version of a price list, as a value.
 *
 * A Card is built once by whoever reads its text (see types/rate_card.h) and
 * never changed.  What a card does not name, it does not sell.  Lookups
 * return NULL for what is not there; nothing here allocates or fails.
 */
#ifndef IM_CORE_CARD_H
#define IM_CORE_CARD_H

#include "core/amount.h"
#include "core/calendar.h"
#include "core/usage.h"

/* A price per started block over a free quota (R3). */
typedef struct BlockPrice
{
	bool		priced;
	int64_t		included;
	int64_t		block;
	Amount		price;
} BlockPrice;

typedef struct CardPlan
{
	const char *name;
	int			rank;			/* 0 is the free plan that every app starts on */
	Amount		price;			/* per month */
	BlockPrice	dau;
	BlockPrice	groups;
	BlockPrice	mau;			/* instead of dau */
} CardPlan;

typedef struct AddonPrice
{
	const char *plan;
	const char *option;
	Amount		price;			/* per month */
} AddonPrice;

typedef struct AddonMinutes
{
	const char *option;
	int64_t		minutes;		/* pack minutes in each month of the term */
} AddonMinutes;

typedef struct CardAddon
{
	const char *name;
	bool		postpaid;		/* switched on and off, charged per calendar month */
	int			nprices;
	AddonPrice *prices;
	int			nminutes;
	AddonMinutes *minutes;
} CardAddon;

typedef struct CallPrice
{
	bool		priced;
	int64_t		ratio;			/* pack minutes that one minute takes */
	Amount		price;			/* per postpaid minute */
} CallPrice;

/* A meter by name (R12). */
typedef struct CardMeter
{
	const char *name;
	MeterKind	day;			/* how the events of a day make its figure */
	MeterKind	month;			/* how the figures of a month make the quantity */
} CardMeter;

typedef struct CardPack
{
	const char *name;
	Amount		price;
	int64_t		deductions;
	int			months;
} CardPack;

typedef struct Card
{
	const char *currency;
	int			scale;			/* places of the currency */
	const char *time_zone;
	int			grace_days;
	int			nplans;
	CardPlan   *plans;
	int			naddons;
	CardAddon  *addons;
	CallPrice	calls[CALL_CLASSES];
	bool		sells_local_moderation;
	Amount		local_moderation;	/* per month */
	bool		sells_moderation;
	Amount		deduction_price;
	bool		weighs[CHECK_KINDS];
	Amount		coefficients[CHECK_KINDS];
	int			npacks;
	CardPack   *packs;
	int			nmeters;
	CardMeter  *meters;
} Card;

/* The versions of one price list, by the first day of each, ascending. */
typedef struct CardVersion
{
	CalDay		from;
	const Card *card;
} CardVersion;

typedef struct CardHistory
{
	const char *name;
	int			nversions;
	const CardVersion *versions;
} CardHistory;

/* The version in force on a day; NULL before the first. */
extern const Card *card_on(const CardHistory *history, CalDay day);

/*
 * The version that rates the usage of a month: in force on its first day, or
 * the first of all where it starts in the month (R12).  NULL where none does.
 */
extern const Card *card_of_month(const CardHistory *history, CalMonth month);

extern const CardPlan *card_plan(const Card *card, const char *name);
extern const CardAddon *card_addon(const Card *card, const char *name);
extern const CardMeter *card_meter(const Card *card, const char *name);
extern const CardPack *card_pack(const Card *card, const char *name);

/* The price of an option on a plan; with plan NULL, on any plan that sells it. */
extern const AddonPrice *addon_price(const CardAddon *addon, const char *plan,
									 const char *option);

/* Pack minutes of an option in each month of its term, 0 where it has none. */
extern int64_t addon_minutes(const CardAddon *addon, const char *option);

/* Started blocks over the quota: the quota comes off before rounding up. */
extern int64_t started_blocks(int64_t usage, int64_t included, int64_t block);

#endif							/* IM_CORE_CARD_H */
