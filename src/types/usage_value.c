/*
 * usage_value.c
 *	  The bytes of an im_usage: written, read and merged.
 */
#include "types/usage_value.h"

#include "lib/userset_merge.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#define FIRST_ROOM		256
#define VARINT_BYTES	10
#define VARINT128_BYTES 19
#define ROW_BYTES		(VARINT_BYTES * (USAGE_FIELDS + 2))
#define METER_ROW_BYTES (2 * VARINT_BYTES + 1 + 3 * VARINT128_BYTES + VARINT_BYTES)

/* What a row has: whose it is, figures, users. */
#define ROW_METERED		0
#define ROW_WHOLE		1
#define ROW_OPEN		2
#define ROW_KIND		3
#define ROW_FIGURE(f)	((uint32) 1 << ((f) + 1))
#define ROW_USERS		((uint32) 1 << (USAGE_FIELDS + 1))
#define ROW_USERS_GIVEN ((uint32) 1 << (USAGE_FIELDS + 2))
#define ROW_LIMIT		((uint32) 1 << (USAGE_FIELDS + 3))

/* What a day of a meter by name has. */
#define METER_GIVEN		1
#define METER_EVENTS	2
#define METER_AREA		4
#define METER_USERS		8
#define METER_LIMIT		16

/* No step between two days needs more, and none overflows. */
#define LARGEST_STEP	((uint64) CAL_MAX_DAY * 4)

const char *const usage_field_names[USAGE_FIELDS] = {
	"day", "dau", "peak_groups", "text_checks", "image_checks",
	"audio_half_minutes", "video_half_minutes",
	"audio_minutes", "sd_minutes", "hd_minutes", "fhd_minutes"
};

/* ---- numbers ---- */

static inline uint8 *
put_varint(uint8 *at, uint64 value)
{
	while (value >= 0x80)
	{
		*at++ = (uint8) (value | 0x80);
		value >>= 7;
	}
	*at++ = (uint8) value;
	return at;
}

static inline uint64
zigzag(int64 value)
{
	return ((uint64) value << 1) ^ (uint64) (value >> 63);
}

static inline int64
unzigzag(uint64 value)
{
	return (int64) (value >> 1) ^ -(int64) (value & 1);
}

/* An Amount, the sign in its lowest bit. */
static uint8 *
put_amount(uint8 *at, Amount amount)
{
	unsigned __int128 value = ((unsigned __int128) amount << 1) ^ (unsigned __int128) (amount >> 127);

	while (value >= 0x80)
	{
		*at++ = (uint8) (value | 0x80);
		value >>= 7;
	}
	*at++ = (uint8) value;
	return at;
}

/* Advances *at; false where the bytes end within a number, or it is too long. */
static inline bool
get_varint(const uint8 **at, const uint8 *end, uint64 *value)
{
	uint64		result = 0;

	for (int shift = 0; *at < end && shift < 64; shift += 7)
	{
		uint8		byte = *(*at)++;

		result |= (uint64) (byte & 0x7f) << shift;
		if (byte < 0x80)
		{
			*value = result;
			return true;
		}
	}
	return false;
}

static bool
get_amount(const uint8 **at, const uint8 *end, Amount *amount)
{
	unsigned __int128 result = 0;

	for (int shift = 0; *at < end && shift < 128; shift += 7)
	{
		uint8		byte = *(*at)++;

		result |= (unsigned __int128) (byte & 0x7f) << shift;
		if (byte < 0x80)
		{
			*amount = (Amount) (result >> 1) ^ -(Amount) (result & 1);
			return true;
		}
	}
	return false;
}

static bool
get_count(const uint8 **at, const uint8 *end, int64 *value)
{
	uint64		number;

	if (!get_varint(at, end, &number) || number > PG_INT64_MAX)
		return false;
	*value = (int64) number;
	return true;
}

static bool
get_day(const uint8 **at, const uint8 *end, CalDay *day)
{
	uint64		step;
	int64		next;

	if (!get_varint(at, end, &step) || step > LARGEST_STEP)
		return false;
	next = *day + unzigzag(step);
	*day = (CalDay) next;
	return next >= CAL_MIN_DAY && next <= CAL_MAX_DAY;
}

/* ---- packing ---- */

void
usage_pack_init(UsagePack *pack, MemoryContext context)
{
	*pack = (UsagePack) {.context = context, .room = FIRST_ROOM, .folded = true};
	pack->bytes = MemoryContextAlloc(context, FIRST_ROOM);
}

static void
add_set(UsagePack *pack, struct varlena *set)
{
	if (pack->nsets == pack->sets_room)
	{
		pack->sets_room = Max(32, pack->sets_room * 2);
		if (pack->sets == NULL)
			pack->sets = MemoryContextAllocHuge(pack->context, pack->sets_room * sizeof(*pack->sets));
		else
			pack->sets = repalloc_huge(pack->sets, pack->sets_room * sizeof(*pack->sets));
	}
	pack->sets[pack->nsets++] = set;
}

static inline void
make_room(UsagePack *pack, Size bytes)
{
	if (likely(pack->room - pack->len >= bytes))
		return;
	pack->room = Max(pack->room * 2, pack->len + bytes);
	pack->bytes = repalloc_huge(pack->bytes, pack->room);
}

void
usage_pack_add(UsagePack *pack, const UsageRow *row)
{
	uint8	   *at;
	CalDay		day = (CalDay) row->fields[USAGE_DAY];
	GivenFigures figures = 0;
	uint32		has = row->given == 0 ? ROW_METERED : row->given == GIVEN_WHOLE ? ROW_WHOLE : ROW_OPEN;

	make_room(pack, ROW_BYTES);
	if (pack->count > 0 && day <= pack->last)
		pack->folded = false;
	for (int f = USAGE_DAY + 1; f < USAGE_FIELDS; f++)
		figures |= (GivenFigures) (row->fields[f] != 0) << f;
	has |= (uint32) figures << 1;
	if (row->users != NULL)
	{
		has |= row->users_given ? ROW_USERS_GIVEN : ROW_USERS;
		add_set(pack, row->users);
	}
	at = put_varint(pack->bytes + pack->len, zigzag((int64) day - pack->last));
	at = put_varint(at, has);
	/* mostly what is given is what there is */
	if ((has & ROW_KIND) == ROW_OPEN)
		at = put_varint(at, (uint64) (row->given ^ figures) >> 1);
	for (int f = USAGE_DAY + 1; f < USAGE_FIELDS; f++)
		if (row->fields[f] != 0)
			at = put_varint(at, (uint64) row->fields[f]);
	pack->len = at - pack->bytes;
	pack->last = day;
	pack->count++;
}

static void
pack_meter_row(UsagePack *pack, const MeterRow *row, CalDay before)
{
	const MeterDay *day = &row->day;
	bool		has_area = day->area != 0 || day->before != 0 || day->length != 0;
	uint8	   *at;

	make_room(pack, METER_ROW_BYTES);
	at = put_varint(pack->bytes + pack->len, zigzag((int64) day->day - before));
	*at++ = (day->has_given ? METER_GIVEN : 0) | (day->has_events ? METER_EVENTS : 0) |
		(has_area ? METER_AREA : 0) | (row->users != NULL ? METER_USERS : 0);
	if (day->has_given)
		at = put_amount(at, day->given);
	if (day->has_events)
		at = put_amount(at, day->quantity);
	if (has_area)
	{
		at = put_amount(at, day->area);
		at = put_varint(at, (uint64) day->before);
		at = put_varint(at, (uint64) day->length);
	}
	if (row->users != NULL)
		add_set(pack, row->users);
	pack->len = at - pack->bytes;
}

/* One meter, whose days are together; returns how many they are. */
static int64
pack_meter(UsagePack *pack, const MeterRow *rows, int64 left)
{
	Size		len = strlen(rows->meter);
	int64		n = 1;
	uint8	   *at;

	while (n < left && strcmp(rows[n].meter, rows->meter) == 0)
		n++;
	make_room(pack, len + 2 * VARINT_BYTES);
	at = put_varint(pack->bytes + pack->len, len);
	memcpy(at, rows->meter, len);
	at = put_varint(at + len, (uint64) n);
	pack->len = at - pack->bytes;
	for (int64 i = 0; i < n; i++)
		pack_meter_row(pack, &rows[i], i == 0 ? 0 : rows[i - 1].day.day);
	return n;
}

/* ---- the value ---- */

static pg_noinline void
too_large(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("the usage of one app is too large for one value"),
			 errdetail("Its days and their sets of users take more than 1 GB."),
			 errhint("Bill fewer days at once, or price users of the day.")));
}

static UsageValue *
value_of(const UsagePack *pack, CalDay since, Size row_bytes, uint32 nmeters)
{
	UsageValue	head = {.version = USAGE_VERSION, .since = since, .nrows = (uint32) pack->count,
		.row_bytes = (uint32) row_bytes, .nmeters = nmeters,
	.meter_bytes = (uint32) (pack->len - row_bytes), .nsets = pack->nsets};
	Size		sets_at = INTALIGN(offsetof(UsageValue, bytes) + pack->len),
				size = sets_at;
	UsageValue *value;
	uint8	   *at;

	for (int i = 0; i < pack->nsets; i++)
		size += INTALIGN(VARSIZE(pack->sets[i]));
	if (pack->len > MaxAllocSize || size > MaxAllocSize)
		too_large();
	value = palloc(size);
	memcpy(value, &head, offsetof(UsageValue, bytes));
	SET_VARSIZE(value, size);
	memcpy(value->bytes, pack->bytes, pack->len);
	memset(value->bytes + pack->len, 0, sets_at - offsetof(UsageValue, bytes) - pack->len);
	at = (uint8 *) value + sets_at;
	for (int i = 0; i < pack->nsets; i++)
	{
		Size		len = VARSIZE(pack->sets[i]);

		memcpy(at, pack->sets[i], len);
		memset(at + len, 0, INTALIGN(len) - len);
		at += INTALIGN(len);
	}
	return value;
}

UsageValue *
usage_pack_value(const UsagePack *pack, int64 app_id)
{
	UsageValue *value = value_of(pack, USAGE_SINCE_OPEN, pack->len, 0);
	UsageRows	rows;

	if (pack->folded)
		return value;
	usage_rows_init(&rows, pack->count);
	usage_rows_read(&rows, value, ERRCODE_INTERNAL_ERROR);
	usage_rows_fold(&rows, app_id);
	return usage_rows_value(&rows);
}

UsageValue *
usage_rows_value(const UsageRows *rows)
{
	UsagePack	pack;
	Size		row_bytes;
	uint32		nmeters = 0;

	usage_pack_init(&pack, CurrentMemoryContext);
	for (int64 i = 0; i < rows->count; i++)
		usage_pack_add(&pack, &rows->rows[i]);
	row_bytes = pack.len;
	for (int64 i = 0; i < rows->nmeters; nmeters++)
		i += pack_meter(&pack, &rows->meters[i], rows->nmeters - i);
	return value_of(&pack, rows->since, row_bytes, nmeters);
}

/* ---- reading ---- */

static pg_noinline void
damaged(int sqlstate, const char *what)
{
	ereport(ERROR,
			(errcode(sqlstate),
			 errmsg("invalid im_usage: %s", what),
			 errdetail("The bytes are not those that imbilling writes.")));
}

void
usage_reader_init(UsageReader *reader, const UsageValue *value, int sqlstate)
{
	Size		size = VARSIZE(value);

	*reader = (UsageReader) {.at = value->bytes, .sqlstate = sqlstate};
	if (size < offsetof(UsageValue, bytes) || size < USAGE_SETS_AT(value))
		damaged(sqlstate, "it is cut off");
	if (value->version != USAGE_VERSION ||
		value->zero[0] != 0 || value->zero[1] != 0 || value->zero[2] != 0)
		damaged(sqlstate, "its version is not known");
	reader->end = reader->at + value->row_bytes;
	reader->left = value->nrows;
	reader->set = (uint8 *) value + USAGE_SETS_AT(value);
	reader->sets_end = (uint8 *) value + size;
}

static struct varlena *
next_set(UsageReader *reader)
{
	struct varlena *set = (struct varlena *) reader->set;
	Size		left = reader->sets_end - reader->set;

	if (left < VARHDRSZ || !VARATT_IS_4B_U(set) || VARSIZE(set) < VARHDRSZ || INTALIGN(VARSIZE(set)) > left)
		damaged(reader->sqlstate, "a set of users is cut off");
	reader->set += INTALIGN(VARSIZE(set));
	return set;
}

/* Which figures of a row were given; false for none that can be. */
static bool
get_given(UsageReader *reader, uint32 has, GivenFigures *given)
{
	GivenFigures figures = (has & (ROW_USERS - 1) & ~ROW_KIND) >> 1;
	uint64		other;

	*given = (has & ROW_KIND) == ROW_WHOLE ? GIVEN_WHOLE : 0;
	if ((has & ROW_KIND) != ROW_OPEN)
		return (has & ROW_KIND) != ROW_KIND;
	if (!get_varint(&reader->at, reader->end, &other) || other >= (uint64) 1 << (USAGE_FIELDS - 1))
		return false;
	*given = (GivenFigures) (other << 1) ^ figures;
	return true;
}

static bool
get_row(UsageReader *reader, UsageRow *row)
{
	uint64		has;

	if (!get_day(&reader->at, reader->end, &reader->day) ||
		!get_varint(&reader->at, reader->end, &has) || has >= ROW_LIMIT ||
		!get_given(reader, (uint32) has, &row->given))
		return false;
	row->fields[USAGE_DAY] = reader->day;
	for (int f = USAGE_DAY + 1; f < USAGE_FIELDS; f++)
	{
		row->fields[f] = 0;
		if ((has & ROW_FIGURE(f)) != 0 && !get_count(&reader->at, reader->end, &row->fields[f]))
			return false;
	}
	row->users_given = (has & ROW_USERS_GIVEN) != 0;
	row->users = (has & (ROW_USERS | ROW_USERS_GIVEN)) != 0 ? next_set(reader) : NULL;
	return true;
}

bool
usage_reader_next(UsageReader *reader, UsageRow *row)
{
	if (reader->left == 0)
	{
		if (reader->at != reader->end)
			damaged(reader->sqlstate, "there is something behind its days");
		return false;
	}
	reader->left--;
	if (!get_row(reader, row))
		damaged(reader->sqlstate, "a day is damaged");
	return true;
}

static bool
get_meter_row(UsageReader *reader, MeterRow *row)
{
	MeterDay   *day = &row->day;
	uint8		flags;

	if (!get_day(&reader->at, reader->end, &reader->day) || reader->at == reader->end)
		return false;
	day->day = reader->day;
	flags = *reader->at++;
	day->has_given = (flags & METER_GIVEN) != 0;
	day->has_events = (flags & METER_EVENTS) != 0;
	if (flags >= METER_LIMIT ||
		(day->has_given && !get_amount(&reader->at, reader->end, &day->given)) ||
		(day->has_events && !get_amount(&reader->at, reader->end, &day->quantity)))
		return false;
	if ((flags & METER_AREA) != 0 &&
		(!get_amount(&reader->at, reader->end, &day->area) ||
		 !get_count(&reader->at, reader->end, &day->before) ||
		 !get_count(&reader->at, reader->end, &day->length)))
		return false;
	if ((flags & METER_USERS) != 0)
		row->users = next_set(reader);
	return true;
}

/* One meter by name with its days. */
static bool
get_meter(UsageReader *reader, UsageRows *rows)
{
	int64		len,
				ndays;
	char	   *meter;

	if (!get_count(&reader->at, reader->end, &len) || len > reader->end - reader->at)
		return false;
	meter = pnstrdup((const char *) reader->at, len);
	if ((int64) strlen(meter) != len)
		return false;
	reader->at += len;
	/* a day takes two bytes at least */
	if (!get_count(&reader->at, reader->end, &ndays) || ndays == 0 ||
		ndays > (reader->end - reader->at) / 2)
		return false;
	reader->day = 0;
	for (int64 i = 0; i < ndays; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!get_meter_row(reader, usage_rows_add_meter(rows, meter, 0)))
			return false;
	}
	return true;
}

void
usage_rows_read(UsageRows *rows, const UsageValue *value, int sqlstate)
{
	UsageReader reader;
	UsageRow	row;

	usage_reader_init(&reader, value, sqlstate);
	rows->since = Min(rows->since, value->since);
	while (usage_reader_next(&reader, &row))
	{
		CHECK_FOR_INTERRUPTS();
		*usage_rows_add(rows, (CalDay) row.fields[USAGE_DAY]) = row;
	}
	reader.end += value->meter_bytes;
	for (uint32 i = 0; i < value->nmeters; i++)
		if (!get_meter(&reader, rows))
			damaged(sqlstate, "a meter is damaged");
	if (reader.at != reader.end || reader.set != reader.sets_end)
		damaged(sqlstate, "there is something behind it");
}
