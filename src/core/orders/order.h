/*
 * order.h
 *	  One row of an app's order log, as a value, and rows by their number.
 */
#ifndef IM_CORE_ORDER_H
#define IM_CORE_ORDER_H

#include <string.h>

#include "core/amount.h"
#include "core/calendar.h"

typedef enum OrderAction
{
	ORDER_BUY,
	ORDER_UPGRADE,
	ORDER_REFUND,
	ORDER_ON,
	ORDER_OFF,
	ORDER_VOID,					/* the log reads as if neither had been placed */
	ORDER_CREDIT,				/* a line of its own: an amount back, */
	ORDER_CHARGE,				/* or one more */
	ORDER_ACTIONS
} OrderAction;

extern const char *const order_action_names[ORDER_ACTIONS];

/* Finds an action by name; -1 where there is none such. */
extern int	order_action_find(const char *name);

typedef struct Order
{
	int64_t		order_id;
	int64_t		at;				/* the instant; all that counts is which is later */
	CalDay		day;			/* of the instant, in the card's time zone */
	OrderAction action;
	const char *item;
	const char *option;			/* of credits and charges the reason */
	bool		has_months;
	int			months;
	int			quantity;
	bool		has_refunds;
	int64_t		refunds;		/* the order that a refund takes back, or a void undoes */
	bool		has_paid;
	Amount		paid;			/* an agreed amount instead of the card's */
	bool		held;			/* made up: it stands for what the app holds already */
} Order;

/* Names of items that are no add-ons. */
#define ITEM_PLAN				"plan"
#define ITEM_LOCAL_MODERATION	"local_moderation"
#define ITEM_PACK				"moderation_pack"
#define ITEM_METER_PACK			"pack"
#define ITEM_MODERATION			"moderation"
#define ITEM_MANUAL				"manual"

/* The longest purchase, in months: a hundred years. */
#define ORDER_MAX_MONTHS		1200

/* The longest reason of a credit or charge, in bytes. */
#define ORDER_MAX_REASON		255

/* True of credits and charges. */
static inline bool
order_is_manual(const Order *order)
{
	return order->action == ORDER_CREDIT || order->action == ORDER_CHARGE;
}

/* True of purchases that are counted, and not in months: packs, if "pack" is no add-on. */
static inline bool
order_counts_packs(const Order *order)
{
	return order->action == ORDER_BUY &&
		(strcmp(order->item, ITEM_PACK) == 0 || strcmp(order->item, ITEM_METER_PACK) == 0);
}

/* The positions of orders, by their order_id, in the core's memory. */
extern int *orders_by_id(Core *core, const Order *orders, int norders);

/* The position of an order_id among them; -1 where there is none such. */
extern int	order_position(const Order *orders, const int *by_id, int norders, int64_t order_id);

#endif							/* IM_CORE_ORDER_H */
