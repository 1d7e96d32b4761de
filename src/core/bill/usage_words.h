/*
 * usage_words.h
 *	  The sentence of a line of usage; nobody but overage.c includes it.
 */
#ifndef IM_CORE_USAGE_WORDS_H
#define IM_CORE_USAGE_WORDS_H

#include "core/bill/meter_month.h"

/*
 * Says how a line came about; "share" is the clause of stop_share().  What all
 * price lists had before there were shapes, started blocks over a quota, is
 * said as it always was.
 */
extern const char *explain_usage(const Bill *bill, const BillLine *line, const char *share);

#endif							/* IM_CORE_USAGE_WORDS_H */
