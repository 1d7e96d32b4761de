/*
 * facts.h
 *	  Why a line of a bill is what it is, fact by fact.
 *
 * Facts are told by the functions that computed the bill, so they cannot
 * disagree with it.  The last fact of a line is named "amount"; those before
 * it add up to it, in the way that each kind of line says:
 *
 *	  purchases    price * months, or the agreed price
 *	  upgrade      (new price - old price) * remaining days / (365/12)
 *	  refund       paid + upgrade fees - used
 *	  credit, charge	what the order says, and why
 *	  overage      the highest of the days, less the quota, in started blocks
 *	  meters       the quantity of the days, less packs and what is included, as the
 *	               card charges it; each line of a charge by itself
 *	  usage        the days, less what packs gave, at the price
 */
#ifndef IM_CORE_FACTS_H
#define IM_CORE_FACTS_H

#include "core/bill/bill.h"

/* Where the rows stand that a fact comes from. */
typedef enum FactSource
{
	SOURCE_NONE,
	SOURCE_ORDER,				/* order_id */
	SOURCE_CARD,				/* the version card, the element path */
	SOURCE_LOGINS,				/* the days from day until "until" */
	SOURCE_GROUPS,
	SOURCE_CHECKS,
	SOURCE_CALLS,				/* of the class */
	SOURCE_EVENTS,				/* of the meter, which stands in class */
	FACT_SOURCES
} FactSource;

extern const char *const fact_source_names[FACT_SOURCES];

/* A figure or name beside the fact; values are numbers or plain text. */
typedef struct FactDetail
{
	const char *key;
	const char *value;
	bool		number;
} FactDetail;

#define FACT_DETAILS	8
#define FACT_PATH		8

typedef struct Fact
{
	const char *fact;			/* what it is, in a word or two */
	bool		has_day;
	CalDay		day;
	CalDay		until;			/* of usage; exclusive */
	bool		has_quantity;
	Amount		quantity;
	bool		has_amount;
	Amount		amount;
	const char *note;			/* a sentence, or NULL */
	FactSource	source;
	int64_t		order_id;
	const char *class;			/* of calls; of events the meter */
	bool		given;			/* usage that the user gave by the day */
	const Card *card;
	int			npath;
	const char *path[FACT_PATH];
	int			ndetails;
	FactDetail	details[FACT_DETAILS];
} Fact;

/* The fact lives for the call only. */
typedef void (*FactVisitor) (void *arg, const Fact *fact);

/* Tells the facts of a line (its index) in their order. */
extern void bill_facts(const Bill *bill, int line, FactVisitor visit, void *arg);

/* The first day of a card version; false for a card that is none of them. */
extern bool card_first_day(const CardHistory *history, const Card *card, CalDay *from);

#endif							/* IM_CORE_FACTS_H */
