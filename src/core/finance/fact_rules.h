/*
 * fact_rules.h
 *	  What the files that tell facts share; nobody else includes it.
 */
#ifndef IM_CORE_FACT_RULES_H
#define IM_CORE_FACT_RULES_H

#include "core/bill/bill_rules.h"
#include "core/bill/pack.h"
#include "core/finance/facts.h"

/* The telling of one line. */
typedef struct Teller
{
	Core	   *core;
	const Bill *bill;
	const BillLine *line;
	FactVisitor visit;
	void	   *arg;
} Teller;

/* Starts a fact that comes from nowhere in particular. */
extern Fact fact_start(const char *name);

/* Adds what a fact has; all return nothing and keep the texts they are given. */
extern void fact_day(Fact *fact, CalDay day);
extern void fact_quantity(Fact *fact, Amount quantity);
extern void fact_amount(Fact *fact, Amount amount);
extern void fact_order(Fact *fact, const Order *order);
extern void fact_usage(Fact *fact, const Teller *teller, FactSource source, CalDay day,
					   UsageField field);
extern void fact_text(Fact *fact, const char *key, const char *value);
extern void fact_number(Fact *fact, const Teller *teller, const char *key, Amount value);
extern void fact_date(Fact *fact, const Teller *teller, const char *key, CalDay day);

/* Names the element of a card that a fact is read from; ends with NULL. */
extern void fact_path(Fact *fact, const Card *card, const char *element,...);

extern void tell(const Teller *teller, const Fact *fact);

/* Facts that several kinds of line have. */
extern void tell_card(const Teller *teller, const Card *card, const char *note);
extern void tell_count(const Teller *teller, const char *name, Amount quantity, const char *note);
extern void tell_share(const Teller *teller, Amount full);
extern void tell_amount(const Teller *teller, const char *note);

/* Says on a day's fact why the day counts for nothing. */
extern void note_state(Fact *fact, const Teller *teller, ServiceState state);

/* The version that rates the month, and a price, quota or ratio of it. */
extern void tell_month_card(const Teller *teller);
extern void tell_element(const Teller *teller, const char *name, bool money, Amount value,
						 const char *note, const char *const *path);

#define PATH(...) ((const char *const[FACT_PATH]) {__VA_ARGS__})

/* What multiplies out to the amount; of a stopped app, if shared, its share of full. */
extern void tell_product(const Teller *teller, Amount full, bool shared);

/* What a pack gave on a day; "taken" is in units of the line. */
extern void tell_pack(const Teller *teller, const Pack *pack, CalDay day, Amount taken);

/* Each tells the lines of its rule. */
extern void tell_term(const Teller *teller);
extern void tell_upgrade(const Teller *teller);
extern void tell_refund(const Teller *teller);
extern void tell_manual(const Teller *teller);
extern void tell_overage(const Teller *teller);
extern void tell_postpaid_addon(const Teller *teller);
extern void tell_calls(const Teller *teller);
extern void tell_moderation(const Teller *teller);

#endif							/* IM_CORE_FACT_RULES_H */
