/*
 * levels.h
 *	  Quantities that stand until the next event.
 */
#ifndef IM_LEVELS_H
#define IM_LEVELS_H

#include "datatype/timestamp.h"

#include "lib/wire.h"
#include "server/core.h"

typedef struct Level
{
	TimestampTz at;
	Amount		quantity;
} Level;

#define LEVEL_BYTES		24		/* sent */

/* Levels over a window; "before" is what stands when it begins. */
typedef struct Levels
{
	TimestampTz since;
	TimestampTz until;
	Amount		standing;		/* as the caller said */
	Level		before;			/* that, as an event at -infinity, or a later one */
	int64		count;
	int64		room;
	Level	   *events;
} Levels;

/* Whether the first stands after both: of one instant the largest does. */
static inline bool
level_is_later(const Level *level, const Level *other)
{
	return level->at > other->at || (level->at == other->at && level->quantity > other->quantity);
}

extern void level_send(StringInfo buf, const Level *level);
extern Level level_receive(StringInfo buf);

/* Takes an event of the window, or the latest before it. */
extern void levels_add(Levels *levels, MemoryContext context, Level level);

/* The events of the window; received ones must lie in it, else 22P03. */
extern void levels_send_events(StringInfo buf, const Levels *levels);
extern void levels_receive_events(StringInfo buf, Levels *levels);

/*
 * The sum of quantities, each times the microseconds for which it stands;
 * sorts the events.
 */
extern Amount levels_weigh(Core *core, Levels *levels);

#endif							/* IM_LEVELS_H */
