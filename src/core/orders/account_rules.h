/*
 * account_rules.h
 *	  What the files that replay orders share; nobody else includes it.
 */
#ifndef IM_CORE_ACCOUNT_RULES_H
#define IM_CORE_ACCOUNT_RULES_H

#include "core/orders/account.h"

/*
 * Refuses an order with the rule that forbids it.  In a preview it returns:
 * there the orders were accepted under the app's own card, and the caller
 * goes on as well as the other card allows.
 */
extern void order_refuse(Account *account, const Order *order, const char *what,
						 const char *rule, const char *hint);

/* An order breaks a rule in a log that is tried for a void: refuses the void, or says so; returns if neither fits. */
extern void trial_refuse(Account *account, const Order *order, const char *what, const char *rule);

/* Checks the columns that the action of an order does not use. */
extern void order_check_shape(Account *account, const Order *order);

/* Refuses another quantity than 1. */
extern void order_need_one(Account *account, const Order *order);

/* An account without orders, and the replay of orders in it, voids excepted. */
extern Account *account_start(Core *core, int64_t app_id, const CardHistory *cards, bool preview);
extern void account_replay(Account *account, const Order *orders, int norders, CalDay until);

/*
 * The log as it stands: without voids and what they void.  Refuses voids of
 * what cannot be voided; those of days from "until" on may void orders that
 * are not given.
 */
extern const Order *standing_orders(Account *account, const Order *orders, int *norders, CalDay until);

/* The months of a purchase; refuses one without a sensible number of them. */
extern int	order_months(Account *account, const Order *order);

/* The card version of the order's day; fails before the first one. */
extern const Card *order_card(Account *account, const Order *order);

/* The newest term of an item that stands, or NULL. */
extern Term *last_term(const Account *account, const char *item);

/* Starts a term with what all purchases share and records it. */
extern Term *term_add(Account *account, const Order *order, const Card *card, int months);

/* Sets the days of a term from its first day and its months. */
extern void term_span(Account *account, Term *term, CalDay start);

/* Sets a term's price: the agreed amount, or unit_price * count. */
extern void term_price(Account *account, Term *term, const Amount *unit_price, int count);

/*
 * The term that keeps what was paid for all terms which share an upgrade fee
 * with this one, and what was given back (R8): they are one purse.
 */
extern Term *term_purse(Term *term);

/* The term that a refund order names, bought before it; NULL for any other. */
extern Term *refunded_term(const Account *account, const Order *order);

/* True if the term is in force, or bought to be, and not refunded. */
extern bool term_runs(const Term *term, CalDay day);

/* The plan in force on a day (grace included) as replayed so far, or NULL. */
extern const char *plan_in_force(const Account *account, CalDay day);

/* The plan of a plan term on a day, upgrades up to that day applied. */
extern const char *term_plan_on(const Account *account, const Term *term, CalDay day);

/* Refuses an option that is sold only to who holds it, to an app that does not. */
extern void check_renew_only(Account *account, const Order *order, const CardAddon *addon, bool holds);

/* True in the grace; then *last is the last day of the plan's term. */
extern bool plan_last_day(const Account *account, CalDay day, CalDay *last);

/* The replay of each kind of order. */
extern void buy_plan(Account *account, const Order *order);
extern void upgrade_plan(Account *account, const Order *order);
extern void buy_addon(Account *account, const Order *order);
extern void buy_local_moderation(Account *account, const Order *order);
extern void buy_pack(Account *account, const Order *order);
extern void buy_meter_pack(Account *account, const Order *order);
extern void turn_on(Account *account, const Order *order);
extern void turn_off(Account *account, const Order *order);
extern void refund(Account *account, const Order *order);

/* True if an upgrade changed the price of the days of a term. */
extern bool upgrade_covers(const Account *account, int upgrade, const Term *term);

#endif							/* IM_CORE_ACCOUNT_RULES_H */
