/*
 * day_pack.c
 *	  Rows of usage by day in few bytes.
 */
#include "lib/compat.h"

#include "catalog/pg_type.h"
#include "utils/memutils.h"

#include "meter/day_pack.h"

#define FIRST_ROOM		256
#define VARINT_BYTES	10
#define ROW_BYTES		(VARINT_BYTES * (USAGE_FIELDS + 2))
#define OPEN_ROW		((uint32) 1 << (USAGE_FIELDS - 1))
#define HEADER_WORDS	2
#define LARGEST_PACK	(MaxAllocSize - 64)

void
day_pack_init(DayPack *pack, MemoryContext context)
{
	*pack = (DayPack) {.room = FIRST_ROOM, .folded = true};
	pack->bytes = MemoryContextAlloc(context, FIRST_ROOM);
}

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

void
day_pack_add(DayPack *pack, const DayRow *row, GivenFigures given)
{
	uint8	   *at;
	uint32		present = 0;
	CalDay		day = (CalDay) row->fields[USAGE_DAY];

	if (unlikely(pack->room - pack->len < ROW_BYTES))
	{
		pack->room *= 2;
		pack->bytes = repalloc_huge(pack->bytes, pack->room);
	}
	if (pack->count > 0 && day <= pack->last)
		pack->folded = false;
	for (int f = USAGE_DAY + 1; f < USAGE_FIELDS; f++)
		present |= (uint32) (row->fields[f] != 0) << (f - 1);
	at = put_varint(pack->bytes + pack->len, zigzag((int64) day - pack->last));
	if (given != GIVEN_WHOLE)
	{
		pack->open = true;
		at = put_varint(at, present | OPEN_ROW);
		at = put_varint(at, (given >> 1) ^ present);
	}
	else
		at = put_varint(at, present);
	for (int f = USAGE_DAY + 1; f < USAGE_FIELDS; f++)
		if (row->fields[f] != 0)
			at = put_varint(at, (uint64) row->fields[f]);
	pack->len = at - pack->bytes;
	pack->last = day;
	pack->count++;
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

/* Reads which fields a row has, and which of them were given. */
static bool
get_present(const uint8 **at, const uint8 *end, uint64 *present, GivenFigures *given)
{
	uint64		figures;

	*given = GIVEN_WHOLE;
	if (!get_varint(at, end, present) || *present >= OPEN_ROW << 1)
		return false;
	if ((*present & OPEN_ROW) == 0)
		return true;
	if (!get_varint(at, end, &figures) || figures >= OPEN_ROW)
		return false;
	*given = (GivenFigures) ((figures ^ (*present & (OPEN_ROW - 1))) << 1);
	return true;
}

/* Reads the figures of a row whose day has been read. */
static bool
get_figures(const uint8 **at, const uint8 *end, DayRow *row, GivenFigures *given)
{
	uint64		present,
				value;

	if (!get_present(at, end, &present, given))
		return false;
	for (int f = USAGE_DAY + 1; f < USAGE_FIELDS; f++)
	{
		if ((present >> (f - 1) & 1) == 0)
			continue;
		if (!get_varint(at, end, &value) || value > PG_INT64_MAX)
			return false;
		row->fields[f] = (int64) value;
	}
	return true;
}

bool
day_pack_rows(const uint8 *bytes, Size len, int64 count, DayRows *rows, GivenFigures **given)
{
	const uint8 *at = bytes,
			   *end = bytes + len;
	int64		day = 0;
	GivenFigures figures;

	/* a row takes two bytes at least */
	if (count < 0 || (uint64) count > len / 2)
		return false;
	day_rows_init(rows, CurrentMemoryContext, Max(count, 1));
	if (given != NULL)
		*given = palloc_extended(sizeof(GivenFigures) * (count + 1), MCXT_ALLOC_HUGE);
	for (int64 i = 0; i < count; i++)
	{
		uint64		step;

		if (!get_varint(&at, end, &step))
			return false;
		/* no step between two days needs more, and none overflows */
		if (step > (uint64) CAL_MAX_DAY * 4)
			return false;
		day += unzigzag(step);
		if (day < CAL_MIN_DAY || day > CAL_MAX_DAY ||
			!get_figures(&at, end, day_rows_add(rows, (CalDay) day), &figures))
			return false;
		if (given != NULL)
			(*given)[i] = figures;
	}
	return at == end;
}

static ArrayType *
array_of(const DayPack *pack)
{
	Size		words = HEADER_WORDS + (pack->len + sizeof(int64) - 1) / sizeof(int64);
	Size		size = ARR_OVERHEAD_NONULLS(1) + words * sizeof(int64);
	ArrayType  *array;
	int64	   *data;

	if (pack->len > LARGEST_PACK)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("daily usage of one app takes %zu bytes", pack->len),
				 errdetail("The limit is 1 GB."),
				 errhint("Aggregate fewer days.")));
	array = palloc0(size);
	SET_VARSIZE(array, size);
	array->ndim = 1;
	array->elemtype = INT8OID;
	ARR_DIMS(array)[0] = (int) words;
	ARR_LBOUND(array)[0] = 1;
	data = (int64 *) ARR_DATA_PTR(array);
	data[0] = PACK_MARK + (int64) pack->len;
	data[1] = pack->count;
	memcpy(data + HEADER_WORDS, pack->bytes, pack->len);
	return array;
}

ArrayType *
day_pack_array(const DayPack *pack, int64 app_id)
{
	DayRows		rows;
	DayPack		folded;

	if (pack->folded || pack->open)
		return array_of(pack);
	if (!day_pack_rows(pack->bytes, pack->len, pack->count, &rows, NULL))
		elog(ERROR, "daily usage was packed wrongly");
	day_rows_fold(&rows, app_id);
	day_pack_init(&folded, CurrentMemoryContext);
	for (int64 i = 0; i < rows.count; i++)
		day_pack_add(&folded, &rows.rows[i], GIVEN_WHOLE);
	return array_of(&folded);
}

const int64 *
day_pack_read(const ArrayType *array, int nitems, int *nrows, GivenFigures **given)
{
	const int64 *data = (const int64 *) ARR_DATA_PTR(array);
	DayRows		rows;
	int64		len;

	if (nitems < HEADER_WORDS)
		return NULL;
	len = data[0] - PACK_MARK;
	if (len > (int64) (nitems - HEADER_WORDS) * (int64) sizeof(int64) ||
		data[1] > PG_INT32_MAX ||
		!day_pack_rows((const uint8 *) (data + HEADER_WORDS), len, data[1], &rows, given))
		return NULL;
	*nrows = (int) rows.count;
	return (const int64 *) rows.rows;
}
