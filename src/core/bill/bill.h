/*
 * bill.h
 *	  The bill of one app and month: a pure function of three values.
 *
 *	  rate card versions --+
 *	  orders, suspensions -+-> Account --+
 *	                                     +--> Bill
 *	  usage, day by day ----------------+
 *
 * Each rule has a file of its own that adds its lines: purchases.c (R2, R4,
 * R6, R8), overage.c (R3, R12), postpaid_addon.c (R4), call.c (R5), moderation.c
 * (R6).  What is out of service and so billed to nobody is told by
 * unbilled.c (R7).
 */
#ifndef IM_CORE_BILL_H
#define IM_CORE_BILL_H

#include "core/bill/reason.h"
#include "core/orders/account.h"
#include "core/usage.h"

/* The lines of a bill come in this order of kinds. */
typedef enum LineKind
{
	LINE_PLAN,
	LINE_PLAN_UPGRADE,
	LINE_DAU_OVERAGE,
	LINE_MAU_OVERAGE,
	LINE_GROUP_OVERAGE,
	LINE_METER,					/* a meter by name that the plan prices */
	LINE_ADDON,
	LINE_POSTPAID_ADDON,
	LINE_CALL_MINUTES,
	LINE_ADDON_METER,			/* one that an add-on prices */
	LINE_LOCAL_MODERATION,
	LINE_PACK,					/* of deductions */
	LINE_METER_PACK,
	LINE_MODERATION,
	LINE_REFUND,
	LINE_CREDIT,
	LINE_CHARGE
} LineKind;

/* What a meter came to in the month; see meter_month.h. */
typedef struct MeterMonth MeterMonth;

typedef struct BillLine
{
	LineKind	kind;
	int			sequence;		/* among lines of a kind and item on one day */
	int64_t		order_id;		/* of purchases and refunds */
	const Term *term;			/* that was bought; of the next three at most one */
	const Upgrade *upgrade;
	const Refund *refund;
	const Order *manual;		/* a credit or charge */
	const MeterMonth *month;	/* of usage: what was counted, */
	const Charge *charge;		/* how it is priced, NULL where it is not, */
	const ChargeLine *rated;	/* and which part of that this is */
	const char *item;
	const char *option;
	CalDay		from;			/* the period, "until" exclusive */
	CalDay		until;
	CalDay		due_on;
	bool		counted;		/* false: quantity to units are unknown */
	Amount		quantity;
	Amount		included;
	Amount		billable;
	Amount		units;
	bool		priced;			/* false: the card of a preview has no price */
	Amount		unit_price;
	Amount		amount;
	Reason	   *reason;
} BillLine;

/* What service meant for each day of the month that is billed. */
typedef struct ServiceMonth
{
	int			ndays;
	bool		counting[31];	/* paid plan in force, not suspended */
	int			ncounting;
	const char *plan;			/* on the last counting day, or NULL */
	bool		out_at_end;		/* stopped or suspended on the last day */
} ServiceMonth;

typedef struct Bill
{
	Core	   *core;
	const Account *account;
	const Usage *usage;
	const Card *card;			/* card_of_month() */
	CalMonth	month;
	CalDay		first;
	CalDay		until;
	ServiceMonth service;
	int			nlines;
	int			capacity;
	BillLine   *lines;
} Bill;

/*
 * The first day whose usage bears on the bill of a month: the month's first,
 * or earlier where packs bought before were already being used.
 */
extern CalDay bill_usage_since(const Account *account, CalMonth month);

/*
 * A bill without lines: the service of the month and the card that rates it.
 * Fails as bill_compute() does where there is no such card.
 */
extern Bill *bill_open(Core *core, const Account *account, const Usage *usage, CalMonth month);

/*
 * Computes a bill.  The account must have been opened for the end of the
 * month, the usage must reach from bill_usage_since() to there.  Fails with
 * PROBLEM_CARD where no version rates the month.
 */
extern Bill *bill_compute(Core *core, const Account *account, const Usage *usage,
						  CalMonth month);

/*
 * The sum of the priced lines, rounded once half away from zero to the
 * card's places (R9).
 */
extern Amount bill_total(const Bill *bill);

#endif							/* IM_CORE_BILL_H */
