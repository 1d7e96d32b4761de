/*
 * bill_lines.h
 *	  Lines of the core as rows of im_bill_line.
 */
#ifndef IM_RATE_BILL_LINES_H
#define IM_RATE_BILL_LINES_H

#include "rate/inputs.h"

#include "nodes/execnodes.h"

/*
 * Adds a row to a materialized result of im_bill_line.  The line is that of
 * the bill; number is its number, app_id NULL where there is no app.  The
 * explanation is a sentence, or with "reasons" the reason as text.
 */
extern void put_bill_line(ReturnSetInfo *result, const Bill *bill, const BillLine *line,
						  int number, const int64 *app_id, bool reasons);

#endif							/* IM_RATE_BILL_LINES_H */
