/*
 * inputs.h
 *	  The three values of a bill as SQL hands them over.
 *
 * Every rating function of the SQL face takes the same arguments in the same
 * places: account, usage, price book and month; im_gather() in
 * sql/usage/gathering.sql makes them.  They are values: nothing here reads a table.
 */
#ifndef IM_RATE_INPUTS_H
#define IM_RATE_INPUTS_H

#include "lib/compat.h"

#include "access/htup.h"
#include "access/tupdesc.h"
#include "core/bill/bill.h"
#include "server/core.h"
#include "server/zone.h"
#include "types/rate_card.h"
#include "types/usage_value.h"

/*
 * Positions of the arguments.  Functions of the orders alone take no usage.
 * SQL of 0.1.0 and 0.2.0, which runs on this library until the update, gives
 * each part of account and usage by itself (rate/old_inputs.h).
 */
#define ARG_ACCOUNT	0			/* im_app_account: an app, its card and its orders */
#define ARG_USAGE	1			/* im_usage */

typedef struct InputPlaces
{
	int			book;			/* im_price_book: the rate cards of all apps */
	int			month;			/* im_month; of im_rate_state a timestamptz */
	int			more;			/* what a function takes beside them */
} InputPlaces;

extern const InputPlaces *input_places(FunctionCallInfo fcinfo);
extern const InputPlaces *order_places(FunctionCallInfo fcinfo);

/* The month of the bill. */
static inline CalMonth
inputs_month(FunctionCallInfo fcinfo)
{
	return PG_GETARG_INT32(input_places(fcinfo)->month);
}

/* The same of a function of the orders alone. */
static inline CalMonth
orders_month(FunctionCallInfo fcinfo)
{
	return PG_GETARG_INT32(order_places(fcinfo)->month);
}

/*
 * Lives in fn_extra: what is worth keeping from row to row.  The price book
 * is the same for all rows of a query, so it is read once and recognised by
 * its bytes.  It is an argument of its own rather than columns beside each
 * app, because joins would copy those, and spill them, with every app.
 */
typedef struct InputCache
{
	MemoryContext book_context;
	HeapTupleHeader book;		/* a copy of the argument that was read */
	int			ncards;
	CardHistory *cards;
	Zone		zone;
	bool		zone_known;
	TupleDesc	account_desc;
	TupleDesc	entry_desc;
} InputCache;

typedef struct Inputs
{
	ServerCore	core;
	FunctionCallInfo fcinfo;
	const InputPlaces *places;
	InputCache *cache;
	int64		app_id;
	bool		preview;
	bool		has_card;		/* some card is named */
	CardHistory cards;
	int			norders;
	Order	   *orders;
	int			nsuspensions;
	Suspension *suspensions;
	UsageValue *value;			/* ARG_USAGE, or NULL; set by inputs_usage() */
	const Usage *usage;			/* set while a bill is computed */
} Inputs;

/*
 * Reads app, cards, orders and suspensions.  Everything is allocated in the
 * current memory context but the cache, which lives in fn_mcxt.  Problems of
 * single orders go through inputs->core, so set tolerant before.
 */
extern void inputs_open(Inputs *inputs, FunctionCallInfo fcinfo);
extern void inputs_open_orders(Inputs *inputs, FunctionCallInfo fcinfo);
extern void inputs_read(Inputs *inputs);

/* The time zone of the app's days; fails where its rate card has no version. */
extern Zone *inputs_zone(Inputs *inputs);

/* The app's day at an instant; raises 22008 outside the years 1 to 9999. */
extern CalDay inputs_day(Inputs *inputs, TimestampTz at);

/* The account of the orders before a day. */
extern Account *inputs_account(Inputs *inputs, CalDay until);

/* The usage from the day it is known from until the end of the month. */
extern Usage *inputs_usage(Inputs *inputs, CalMonth month);

/* Lets the usage ask for the distinct users of a month. */
extern void inputs_give_users(Inputs *inputs, Usage *usage);

/* The same as Usage.month_users, but of the days whose users are known. */
extern int64_t inputs_known_users(void *arg, const char *meter, CalDay first, int ndays,
								  const bool *chosen);

/*
 * The same with the users of the month, fit for a bill.  NULL where no version
 * covers the month and there is nothing to bill.
 */
extern Usage *inputs_bill_usage(Inputs *inputs, CalMonth month);

/*
 * The bill of the month, or NULL where no version covers the month and
 * there is nothing to bill: an app that came with a later card.
 */
extern Bill *inputs_bill(Inputs *inputs);

#endif							/* IM_RATE_INPUTS_H */
