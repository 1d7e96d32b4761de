/*
 * usage_reason.h
 *	  The reason of a line of usage; nobody but overage.c includes it.
 */
#ifndef IM_CORE_USAGE_REASON_H
#define IM_CORE_USAGE_REASON_H

#include "core/bill/meter_month.h"

/* Why a line of usage has its amount, before a share is taken of it. */
extern Reason *reason_of_usage(const Bill *bill, const BillLine *line);

#endif							/* IM_CORE_USAGE_REASON_H */
