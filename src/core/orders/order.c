/*
 * order.c
 *	  The names of actions, and rows of the log by their number.
 */
#include "core/orders/order.h"

#include <string.h>

const char *const order_action_names[ORDER_ACTIONS] = {
	"buy", "upgrade", "refund", "on", "off", "void", "credit", "charge"
};

int
order_action_find(const char *name)
{
	for (int i = 0; i < ORDER_ACTIONS; i++)
		if (strcmp(order_action_names[i], name) == 0)
			return i;
	return -1;
}

/* Comparing has no argument of its own, so pairs of id and position are sorted. */
typedef struct OrderRef
{
	int64_t		order_id;
	int			position;
} OrderRef;

static int
compare_refs(const void *a, const void *b)
{
	int64_t		x = ((const OrderRef *) a)->order_id,
				y = ((const OrderRef *) b)->order_id;

	return (x > y) - (x < y);
}

int *
orders_by_id(Core *core, const Order *orders, int norders)
{
	OrderRef   *refs = core_alloc(core, sizeof(OrderRef) * (size_t) (norders + 1));
	int		   *by_id = core_alloc(core, sizeof(int) * (size_t) (norders + 1));

	for (int i = 0; i < norders; i++)
	{
		core_step(core);
		refs[i] = (OrderRef) {orders[i].order_id, i};
	}
	core_sort(core, refs, norders, sizeof(OrderRef), compare_refs);
	for (int i = 0; i < norders; i++)
	{
		core_step(core);
		by_id[i] = refs[i].position;
	}
	return by_id;
}

int
order_position(const Order *orders, const int *by_id, int norders, int64_t order_id)
{
	int			low = 0,
				high = norders;

	while (low < high)
	{
		int			mid = low + (high - low) / 2;

		if (orders[by_id[mid]].order_id < order_id)
			low = mid + 1;
		else
			high = mid;
	}
	return low < norders && orders[by_id[low]].order_id == order_id ? by_id[low] : -1;
}
