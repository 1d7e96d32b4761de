/*
 * order.h
 *	  One row of an app's order log, as a value.
 */
#ifndef IM_CORE_ORDER_H
#define IM_CORE_ORDER_H

#include "core/amount.h"
#include "core/calendar.h"

typedef enum OrderAction
{
	ORDER_BUY,
	ORDER_UPGRADE,
	ORDER_REFUND,
	ORDER_ON,
	ORDER_OFF,
	ORDER_ACTIONS
} OrderAction;

extern const char *const order_action_names[ORDER_ACTIONS];

/* Finds an action by name; -1 where there is none such. */
extern int	order_action_find(const char *name);

typedef struct Order
{
	int64_t		order_id;
	CalDay		day;			/* of the instant, in the card's time zone */
	OrderAction action;
	const char *item;
	const char *option;
	bool		has_months;
	int			months;
	int			quantity;
	bool		has_refunds;
	int64_t		refunds;		/* the order that a refund takes back */
	bool		has_paid;
	Amount		paid;			/* an agreed amount instead of the card's */
} Order;

/* Names of items that are no add-ons. */
#define ITEM_PLAN				"plan"
#define ITEM_LOCAL_MODERATION	"local_moderation"
#define ITEM_PACK				"moderation_pack"
#define ITEM_METER_PACK			"pack"
#define ITEM_MODERATION			"moderation"

/* The longest purchase, in months: a hundred years. */
#define ORDER_MAX_MONTHS		1200

#endif							/* IM_CORE_ORDER_H */
