/*
 * quote.c
 *	  Orders and usage made up from what a calculator asks.
 */
#include "core/finance/quote.h"

#include <string.h>

/*
 * Deductions are asked for as such, while usage counts checks.  So the card
 * of the quote weighs a text with the deductions of a month, and one text is
 * checked in each.
 */
static void
set_card(Quote *quote)
{
	quote->card = *quote->request->card;
	quote->card.weighs[CHECK_TEXT] = true;
	quote->card.coefficients[CHECK_TEXT] = quote->request->deductions;
	quote->version = (CardVersion) {CAL_MIN_DAY, &quote->card};
	quote->cards = (CardHistory) {"", 1, &quote->version};
}

static bool
is_switch(const Card *card, const char *item)
{
	const CardAddon *addon = card_addon(card, item);

	return strcmp(item, ITEM_MODERATION) == 0 || (addon != NULL && addon->postpaid);
}

static Order
order_of_item(const Card *card, const QuoteItem *item)
{
	Order		order = {.day = cal_first_day(QUOTE_FIRST_MONTH), .item = item->item,
		.option = item->option, .quantity = item->quantity};

	order.action = is_switch(card, item->item) ? ORDER_ON : ORDER_BUY;
	order.has_months = item->months > 0;
	order.months = item->months;
	return order;
}

/* The plan first: add-ons are sold on a plan in force. */
static Order *
make_orders(const Quote *quote, int *norders)
{
	const QuoteRequest *request = quote->request;
	const CardPlan *plan = card_plan(&quote->card, request->plan);
	Order	   *orders = core_alloc(quote->core, sizeof(Order) * (size_t) (request->nitems + 2));
	int			n = 0;

	/* the free plan is what an app has without ordering one */
	if (plan != NULL && plan->rank > 0)
		orders[n++] = order_of_item(&quote->card, &(QuoteItem) {ITEM_PLAN, request->plan,
																request->months, 1});
	if (request->deductions > 0)
		orders[n++] = order_of_item(&quote->card, &(QuoteItem) {ITEM_MODERATION, "", 0, 1});
	for (int i = 0; i < request->nitems; i++)
	{
		core_step(quote->core);
		orders[n++] = order_of_item(&quote->card, &request->items[i]);
	}
	for (int i = 0; i < n; i++)
		orders[i].order_id = i + 1;
	*norders = n;
	return orders;
}

Quote *
quote_open(Core *core, const QuoteRequest *request)
{
	Quote	   *quote = core_alloc(core, sizeof(Quote));
	const Order *orders;
	int			norders;

	quote->core = core;
	quote->request = request;
	set_card(quote);
	orders = make_orders(quote, &norders);
	quote->account = account_open(core, 0, &quote->cards, orders, norders, NULL, 0,
								  cal_first_day(QUOTE_FIRST_MONTH + request->months), false);
	return quote;
}

/* Nobody says which users come again in a month: those of the peak day do. */
static int64_t
users_of_peak(void *arg, const char *meter, CalDay first, int ndays, const bool *chosen)
{
	const QuoteRequest *request = arg;

	(void) meter;
	(void) first;
	(void) ndays;
	(void) chosen;
	return request->peak_dau;
}

/* Of every month up to one, as far as packs make earlier months matter. */
static Usage *
make_usage(const Quote *quote, CalMonth month)
{
	const QuoteRequest *request = quote->request;
	Usage	   *usage = usage_open(quote->core, bill_usage_since(quote->account, month),
								   cal_first_day(month + 1));

	for (CalMonth m = cal_month_of(usage->first); m <= month; m++)
	{
		int64_t		row[USAGE_FIELDS] = {
			[USAGE_DAY] = cal_first_day(m),
			[USAGE_DAU] = request->peak_dau,
			[USAGE_GROUPS] = request->peak_groups,
			[USAGE_TEXT] = request->deductions > 0
		};

		memcpy(&row[USAGE_CALL_AUDIO], request->call_minutes, sizeof(request->call_minutes));
		usage_add(quote->core, usage, row, 1);
	}
	usage->month_users = users_of_peak;
	usage->arg = (void *) request;
	return usage;
}

Bill *
quote_bill(Quote *quote, int n)
{
	CalMonth	month = QUOTE_FIRST_MONTH + n;

	return bill_compute(quote->core, quote->account, make_usage(quote, month), month);
}
