/*
 * charge.h
 *	  The SQL type im_charge: a validated, immutable charge (R12).
 *
 * A stored value is its JSON document (stored_json.h), with the keys that a
 * charge has in a rate card.
 */
#ifndef IM_TYPES_CHARGE_H
#define IM_TYPES_CHARGE_H

#include "lib/compat.h"

#include "core/charge.h"
#include "types/element.h"

/*
 * Reads and validates a charge, alone or as an element of a price list.
 * Returns it in the current memory context; raises 22023 with the path of the
 * wrong element.
 */
extern const Charge *charge_from_element(const Element *element);

/*
 * The Charge of an argument, kept in fn_extra, which it takes for itself, for
 * as long as the same one comes.
 */
extern const Charge *charge_argument(FunctionCallInfo fcinfo, int argno);

#endif							/* IM_TYPES_CHARGE_H */
