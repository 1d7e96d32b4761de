/*
 * old_inputs.h
 *	  Account and usage as SQL of 0.1.0 and 0.2.0 hands them over, part by part.
 *
 * That SQL runs on this library from when it is installed until the update.
 */
#ifndef IM_RATE_OLD_INPUTS_H
#define IM_RATE_OLD_INPUTS_H

#include "rate/inputs.h"

/* Columns of im_app_account. */
enum
{
	ACCOUNT_APP_ID,
	ACCOUNT_CARD_NAME,
	ACCOUNT_ORDERS,				/* im_order_entry[], by time, then order_id */
	ACCOUNT_SUSPENSIONS,		/* daterange[] */
	ACCOUNT_PREVIEW,			/* boolean: the book is one card, for every app */
	ACCOUNT_COLUMNS
};

/* Positions of the arguments. */
enum
{
	OLD_ARG_APP_ID,
	OLD_ARG_CARD_NAME,
	OLD_ARG_BOOK,
	OLD_ARG_ORDERS,
	OLD_ARG_SUSPENSIONS,
	OLD_ARG_PREVIEW,
	OLD_ARG_MONTH,
	OLD_ARG_SINCE,				/* date: usage is given from this day */
	OLD_ARG_DAILY,				/* bigint[]: figures that users gave */
	OLD_ARG_LOGINS,				/* bigint[] each: metered days */
	OLD_ARG_GROUPS,
	OLD_ARG_CHECKS,
	OLD_ARG_CALLS,
	OLD_ARG_USER_DAYS,			/* date[]: days of the next */
	OLD_ARG_USERS,				/* im_userset[]: distinct users of each day */
	OLD_ARG_MORE
};

/* Whether a function is called so: none of today takes as many arguments. */
static inline bool
old_inputs(FunctionCallInfo fcinfo)
{
	return PG_NARGS() >= OLD_ARG_MONTH;
}

/* The columns of the account. */
extern void old_account(FunctionCallInfo fcinfo, Datum *values, bool *nulls);

/* The usage of a month [first, until), and before it where it is given. */
extern UsageValue *old_usage(FunctionCallInfo fcinfo, CalDay first, CalDay until);

#endif							/* IM_RATE_OLD_INPUTS_H */
