/*
 * app_hours.c
 *	  Sums by app and clock hour: four counters for every one that has any.
 *
 *	  AppHours
 *	  +- hash     app_id, hour -> four sums; 56 bytes
 *	  +- parts    32 temporary files of the same, by the hash of the app
 *
 * Events come about in the order of time, so of all entries those of one hour
 * are in use: a few hundred apps stay in the processor's cache.
 *
 * Sums can be made in pieces.  So at the limit all entries go to files and the
 * table begins anew; an hour may then be in a file several times, but all
 * hours of an app are in one, and a file's entries are added up in a table
 * of its own, under the same limit.
 */
#include "lib/compat.h"

#include "port/pg_bitutils.h"

#include "lib/idslot.h"
#include "lib/temp_parts.h"
#include "lib/wire.h"
#include "meter/app_hours.h"

#define FIRST_SIZE		64
#define MAX_LEVEL		6		/* an app with too many hours cannot be parted */
#define WIRE_FIELDS		(2 + TALLY_SUMS)

typedef struct HourKey
{
	int64		app_id;
	int64		hour;
} HourKey;

typedef struct HourEntry
{
	HourKey		key;
	uint32		status;			/* of the hash table */
	int64		sums[TALLY_SUMS];
} HourEntry;

static inline uint32
hash_key(HourKey key)
{
	return (uint32) (id_mix(id_mix((uint64) key.app_id ^ id_seed[0]) ^ (uint64) key.hour) >> 32);
}

#define SH_PREFIX app_hours
#define SH_ELEMENT_TYPE HourEntry
#define SH_KEY_TYPE HourKey
#define SH_KEY key
#define SH_HASH_KEY(table, k) hash_key(k)
#define SH_EQUAL(table, a, b) ((a).app_id == (b).app_id && (a).hour == (b).hour)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* The table doubles when it is nine tenths full. */
static uint64
most_entries(const AppHours *hours)
{
	uint64		places = hours->limit / sizeof(HourEntry);

	if (hours->level >= MAX_LEVEL)
		return PG_UINT64_MAX;
	return places <= FIRST_SIZE ? FIRST_SIZE / 2 : pg_prevpower2_64(places) / 10 * 9;
}

AppHours *
app_hours_make(MemoryContext context, Size limit)
{
	AppHours   *hours = MemoryContextAllocZero(context, sizeof(AppHours));

	id_seed_make();
	hours->context = context;
	hours->limit = limit;
	hours->most = most_entries(hours);
	hours->hash = app_hours_create(context, FIRST_SIZE, NULL);
	return hours;
}

static AppHour
hour_of_entry(const HourEntry *entry)
{
	AppHour		hour = {.app_id = entry->key.app_id, .hour = entry->key.hour};

	memcpy(hour.sums, entry->sums, sizeof(hour.sums));
	return hour;
}

static void
move_to_files(AppHours *hours)
{
	app_hours_iterator iterator;
	HourEntry  *entry;

	if (hours->parts == NULL)
		hours->parts = temp_parts_make(hours->context, NULL);
	app_hours_start_iterate(hours->hash, &iterator);
	while ((entry = app_hours_iterate(hours->hash, &iterator)) != NULL)
	{
		AppHour		hour = hour_of_entry(entry);
		int			part = temp_part_of(id_mix((uint64) hour.app_id ^ id_seed[1]), 0, hours->level);

		temp_parts_write(hours->parts, hours->context, part, &hour, sizeof(hour));
		hours->parts->rows[part]++;
	}
	app_hours_reset(hours->hash);
}

static pg_noinline HourEntry *
add_entry(AppHours *hours, HourKey key)
{
	HourEntry  *entry;
	bool		found;

	if (hours->hash->members >= hours->most)
		move_to_files(hours);
	entry = app_hours_insert(hours->hash, key, &found);
	memset(entry->sums, 0, sizeof(entry->sums));
	return entry;
}

static inline HourEntry *
find_entry(AppHours *hours, HourKey key)
{
	HourEntry  *entry = app_hours_lookup(hours->hash, key);

	return likely(entry != NULL) ? entry : add_entry(hours, key);
}

static inline void
add_to(HourEntry *entry, int which, int64 amount)
{
	if (unlikely(pg_add_s64_overflow(entry->sums[which], amount, &entry->sums[which])))
		tally_overflow();
}

void
app_hours_add(AppHours *hours, int64 app_id, int64 hour, int which, int64 amount)
{
	HourKey		key = {app_id, hour};

	add_to(find_entry(hours, key), which, amount);
}

static void
add_hour(AppHours *into, const AppHour *hour)
{
	HourKey		key = {hour->app_id, hour->hour};
	HourEntry  *entry = find_entry(into, key);

	for (int i = 0; i < TALLY_SUMS; i++)
		add_to(entry, i, hour->sums[i]);
}

/* ---- the end ---- */

static void
visit_table(AppHours *hours, AppHoursVisit visit, void *arg)
{
	app_hours_iterator iterator;
	HourEntry  *entry;

	app_hours_start_iterate(hours->hash, &iterator);
	while ((entry = app_hours_iterate(hours->hash, &iterator)) != NULL)
	{
		AppHour		hour = hour_of_entry(entry);

		visit(arg, &hour);
	}
	app_hours_reset(hours->hash);
}

uint64
app_hours_count(const AppHours *hours)
{
	return hours->hash->members;
}

void
app_hours_finish(AppHours *hours, AppHoursVisit visit, void *arg)
{
	TempParts  *parts = hours->parts;
	AppHour		hour;

	if (parts == NULL)
	{
		visit_table(hours, visit, arg);
		return;
	}
	move_to_files(hours);
	hours->parts = NULL;
	hours->level++;
	hours->most = most_entries(hours);
	for (int part = 0; part < TEMP_PARTS; part++)
		if (temp_parts_rewind(parts, part))
		{
			while (temp_parts_read(parts, part, &hour, sizeof(hour)))
				add_hour(hours, &hour);
			temp_parts_close(parts, part);
			app_hours_finish(hours, visit, arg);
		}
	hours->level--;
	hours->most = most_entries(hours);
	temp_parts_drop(parts);
}

void
app_hours_drop_files(AppHours *hours)
{
	temp_parts_drop(hours->parts);
	hours->parts = NULL;
}

/* ---- serialised ---- */

static uint64
count_all(const AppHours *hours)
{
	uint64		count = hours->hash->members;

	for (int part = 0; hours->parts != NULL && part < TEMP_PARTS; part++)
		count += hours->parts->rows[part];
	return count;
}

Size
app_hours_size(const AppHours *hours)
{
	return count_all(hours) * WIRE_FIELDS * sizeof(int64);
}

static void
send_hour(void *arg, const AppHour *hour)
{
	StringInfo	buf = arg;

	pq_sendint64(buf, hour->app_id);
	pq_sendint64(buf, hour->hour);
	for (int i = 0; i < TALLY_SUMS; i++)
		pq_sendint64(buf, hour->sums[i]);
}

void
app_hours_send(StringInfo buf, AppHours *hours)
{
	AppHour		hour;

	pq_sendint64(buf, count_all(hours));
	visit_table(hours, send_hour, buf);
	for (int part = 0; hours->parts != NULL && part < TEMP_PARTS; part++)
		if (temp_parts_rewind(hours->parts, part))
			while (temp_parts_read(hours->parts, part, &hour, sizeof(hour)))
				send_hour(buf, &hour);
	app_hours_drop_files(hours);
}

/*
 * Entries come in the order of their hashes: into a table of their size that
 * is one walk through memory, into a smaller one they would crowd its front.
 */
static void
make_room_for(AppHours *hours, uint64 count)
{
	uint64		places = pg_nextpower2_64(Min(count, hours->most) / 9 * 10 + 1);

	if (places > hours->hash->size)
		app_hours_grow(hours->hash, places);
}

void
app_hours_recv(StringInfo buf, AppHours *into)
{
	int64		count = wire_count(buf, WIRE_FIELDS * sizeof(int64));

	make_room_for(into, count);
	for (int64 i = 0; i < count; i++)
	{
		AppHour		hour = {.app_id = pq_getmsgint64(buf)};

		hour.hour = pq_getmsgint64(buf);
		for (int s = 0; s < TALLY_SUMS; s++)
		{
			hour.sums[s] = pq_getmsgint64(buf);
			wire_check(hour.sums[s] >= 0);
		}
		add_hour(into, &hour);
	}
}
