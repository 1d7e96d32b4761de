/*
 * figures.h
 *	  Quantities that are added up, or of which the largest counts.
 */
#ifndef IM_FIGURES_H
#define IM_FIGURES_H

#include "core/amount.h"

/* Each takes one more figure into the first; a sum past 128 bits raises 22003. */
extern void figure_take_sum(Amount *sum, Amount more);
extern void figure_take_max(Amount *max, Amount more);

#endif							/* IM_FIGURES_H */
