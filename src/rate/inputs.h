/*
 * inputs.h
 *	  The three values of a bill as SQL hands them over.
 *
 * Every rating function of the SQL face takes the same arguments in the same
 * places, as far as it needs them; im_gather() in sql/usage/gathering.sql makes
 * them.  They are values: nothing here reads a table.
 */
#ifndef IM_RATE_INPUTS_H
#define IM_RATE_INPUTS_H

#include "lib/compat.h"

#include "access/htup.h"
#include "core/bill/bill.h"
#include "server/core.h"
#include "server/zone.h"
#include "types/rate_card.h"

/* Positions of the arguments. */
enum
{
	ARG_APP_ID,					/* bigint */
	ARG_CARD_NAME,				/* text */
	ARG_BOOK,					/* im_price_book: the rate cards of all apps */
	ARG_ORDERS,					/* im_order_entry[], by time, then order_id */
	ARG_SUSPENSIONS,			/* daterange[] */
	ARG_PREVIEW,				/* boolean: the book is one card, for every app */
	ARG_MONTH,					/* im_month; of im_app_state a timestamptz */
	ARG_SINCE,					/* date: usage is given from this day */
	ARG_DAILY,					/* bigint[]: figures that users gave, rows of USAGE_FIELDS */
	ARG_LOGINS,					/* bigint[] each: metered days */
	ARG_GROUPS,
	ARG_CHECKS,
	ARG_CALLS,
	ARG_USER_DAYS,				/* date[]: days of the next */
	ARG_USERS					/* im_userset[]: distinct users of each day */
};

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
} InputCache;

typedef struct Inputs
{
	ServerCore	core;
	FunctionCallInfo fcinfo;
	InputCache *cache;
	int64		app_id;
	bool		preview;
	CardHistory cards;
	int			norders;
	Order	   *orders;
	int			nsuspensions;
	Suspension *suspensions;
	const Usage *usage;			/* set while a bill is computed */
} Inputs;

/*
 * Reads app, cards, orders and suspensions.  Everything is allocated in the
 * current memory context but the cache, which lives in fn_mcxt.  Problems of
 * single orders go through inputs->core, so set tolerant before.
 */
extern void inputs_open(Inputs *inputs, FunctionCallInfo fcinfo);
extern void inputs_read(Inputs *inputs);

/* The time zone of the app's days; fails where its rate card has no version. */
extern Zone *inputs_zone(Inputs *inputs);

/* The app's day at an instant; raises 22008 outside the years 1 to 9999. */
extern CalDay inputs_day(Inputs *inputs, TimestampTz at);

/* The account of the orders before a day. */
extern Account *inputs_account(Inputs *inputs, CalDay until);

/* The usage from ARG_SINCE until the end of the month. */
extern Usage *inputs_usage(Inputs *inputs, CalMonth month);

/* Lets the usage ask for the distinct users of a month: ARG_USERS. */
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
 * The bill of ARG_MONTH, or NULL where no version covers the month and
 * there is nothing to bill: an app that came with a later card.
 */
extern Bill *inputs_bill(Inputs *inputs);

#endif							/* IM_RATE_INPUTS_H */
