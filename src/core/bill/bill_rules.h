/*
 * bill_rules.h
 *	  What the files that add lines share; nobody else includes it.
 */
#ifndef IM_CORE_BILL_RULES_H
#define IM_CORE_BILL_RULES_H

#include "core/bill/bill.h"

/* Adds a usage line: due on the first of the next month, for the month. */
extern BillLine *bill_usage_line(Bill *bill, LineKind kind, const char *item, const char *option);

/* Adds a line of an order: due on its day, for the given days. */
extern BillLine *bill_order_line(Bill *bill, LineKind kind, const Order *order,
								 CalDay from, CalDay until);

/* Fills quantity to units of a line where nothing is included. */
extern void line_count(BillLine *line, Amount quantity);

/*
 * The share of a stopped app (R3): amount * k / D, half up to 8 places; the
 * amount itself for an app that runs through the month's last day.  Where it is
 * a share the reason is told of which.
 */
extern Amount stop_share(const Bill *bill, Amount amount, Reason *reason);

/* Printed forms in the memory of the bill. */
extern const char *text_of_amount(Core *core, Amount value);
extern const char *text_of_day(Core *core, CalDay day);

/* "1 month", "2 months": a count and its unit, which takes an s. */
extern const char *text_of_count(Core *core, int64_t count, const char *unit);

/*
 * The version that rates the usage of a day's month; fails where none does.
 * Days before the first version are no days of the month then: see is_priced().
 */
extern const Card *usage_card(const Account *account, CalDay day);

/* False on days before the card's first version: their usage is unbilled (R12). */
extern bool is_priced(const Account *account, CalDay day);

/* Each adds the lines of its rule. */
extern void bill_purchases(Bill *bill);
extern void bill_overage(Bill *bill);
extern void bill_postpaid_addons(Bill *bill);
extern void bill_calls(Bill *bill);
extern void bill_moderation(Bill *bill);

/* Reaches back over packs that were in use together; see bill_usage_since(). */
extern CalDay calls_usage_since(const Account *account, CalDay since);
extern CalDay moderation_usage_since(const Account *account, CalDay since);
extern CalDay meter_packs_usage_since(const Account *account, CalDay since);

#endif							/* IM_CORE_BILL_RULES_H */
