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
#include "core/charge.h"
#include "core/usage.h"

/* What the quantity of a meter costs on a plan or with an add-on (R3, R12). */
typedef struct UsageCharge
{
	const char *meter;
	const Charge *charge;
	bool		brief;			/* a plan states it as "dau", not in "usage" */
} UsageCharge;

/* The price of a purchase of exactly so many months (R12). */
typedef struct TermPrice
{
	int			months;
	Amount		price;			/* of all of them */
} TermPrice;

typedef struct CardPlan
{
	const char *name;
	int			rank;			/* 0 is the free plan that every app starts on */
	Amount		price;			/* per month */
	int			nterms;
	TermPrice  *terms;			/* instead, for these purchases */
	int			nusage;
	UsageCharge *usage;
	bool		states_limits;	/* or the card is silent about them */
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
	int			nusage;
	UsageCharge *usage;			/* of meters that no plan prices */
	int			nrenew_only;
	const char **renew_only;	/* options sold only to who holds them (R12) */
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

/* A pack of deductions (R6), or of a meter (R12). */
typedef struct CardPack
{
	const char *name;
	Amount		price;
	Amount		holds;
	int			months;
	const char *meter;			/* NULL: deductions */
	int			priority;		/* the lowest is taken from first */
} CardPack;

/* Of packs of a meter that state none. */
#define PACK_PRIORITY	100

/*
 * What a plan or an add-on states under a name (R14): a limit, or a feature,
 * which is 1 or 0.
 */
typedef struct CardLimit
{
	const char *name;
	const char *addon;			/* NULL: the plan itself states it */
	const char *plan;
	const char *option;			/* of the add-on; NULL: of whichever */
	bool		feature;
	bool		unlimited;
	Amount		value;
} CardLimit;

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
	int			nmoderation_plans;
	const char **moderation_plans;	/* on which it can be on; 0 of them: on all */
	int			npacks;
	CardPack   *packs;			/* of deductions */
	int			nmeters;
	CardMeter  *meters;
	int			nmeter_packs;
	CardPack   *meter_packs;
	int			nlimits;
	CardLimit  *limits;			/* by name */
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

/* The plan of rank 0, which every app starts on; NULL on a card without plans. */
extern const CardPlan *card_free_plan(const Card *card);

extern const CardAddon *card_addon(const Card *card, const char *name);
extern const CardPack *card_pack(const Card *card, const char *name);

/* A meter of the card, dau, mau and groups included. */
extern const CardMeter *card_meter(const Card *card, const char *name);

/* A meter by name as the first version that knows it states it, or NULL. */
extern const CardMeter *card_history_meter(const CardHistory *history, const char *name);

/* A pack of a meter. */
extern const CardPack *card_meter_pack(const Card *card, const char *name);

/* Where a charge of a meter is stated: of a plan or an add-on, or NULL. */
extern const UsageCharge *find_usage(int count, const UsageCharge *usage, const char *meter);

/* What a plan or add-on charges for a meter, or NULL. */
extern const Charge *plan_charge(const CardPlan *plan, const char *meter);
extern const Charge *addon_charge(const CardAddon *addon, const char *meter);

/* The add-on that prices a meter, or NULL: there is at most one. */
extern const CardAddon *card_usage_addon(const Card *card, const char *meter);

/* The price of a purchase of a plan for so many months; NULL where it is the monthly price times these. */
extern const TermPrice *plan_term_price(const CardPlan *plan, int months);

/* True of options that are sold only to who holds them. */
extern bool addon_renews_only(const CardAddon *addon, const char *option);

/* True if moderation can be on on a plan; NULL stands for the free one. */
extern bool moderation_offered(const Card *card, const char *plan);

/* The price of an option on a plan; with plan NULL, on any plan that sells it. */
extern const AddonPrice *addon_price(const CardAddon *addon, const char *plan,
									 const char *option);

/* Pack minutes of an option in each month of its term, 0 where it has none. */
extern int64_t addon_minutes(const CardAddon *addon, const char *option);

/* All that plans and add-ons state under a name; *count says how many. */
extern const CardLimit *card_limits(const Card *card, const char *name, int *count);

/*
 * The most that the free plan carries of what a limit names, rounded down, or
 * NO_LIMIT.  A free plan that states no limits is of a card from before they
 * were stated: it carries 100 daily users and 100 groups (R2).
 */
extern int64_t free_plan_limit(const Card *card, const char *name);

#define NO_LIMIT	INT64_MAX

#endif							/* IM_CORE_CARD_H */
