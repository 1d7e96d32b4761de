/*
 * usage_value.h
 *	  The bytes of an im_usage: what one app used, day by day, in few bytes.
 *
 * Most figures of most days are 0 or small.  A month of a million apps is
 * hashed, sorted and joined before it is rated, so what one app takes decides
 * how much of that happens on disk: a month of four figures a day takes about
 * 300 bytes.
 *
 *	  head | rows | meters | zeros to 4 bytes | sets of users, each from 4 bytes on
 *
 *	  row:      day since the one before | what it has | [given] | figures
 *	            ^ zigzag varint            ^ varint      ^ varint  ^ varints
 *	            what it has: 2 bits whose row, a bit each figure, 2 bits users
 *	  meter:    bytes of its name | name | days | those days
 *	  its day:  day since the one before | flags | figures, as varints
 *
 * Days ascend, and so do the meters by the bytes of their names.  The sets
 * are im_userset values, in the order of the rows and days that have one, and
 * are read where they stand.
 *
 * Figures that users gave and such that were metered lie side by side (R11):
 * what is given hides what is metered, and what is metered adds up.  So values
 * of one app can be merged in any order.
 */
#ifndef IM_TYPES_USAGE_VALUE_H
#define IM_TYPES_USAGE_VALUE_H

#include "lib/compat.h"

#include "core/usage.h"

/* The figures of one day. */
typedef struct UsageRow
{
	int64		fields[USAGE_FIELDS];	/* USAGE_DAY among them */
	GivenFigures given;			/* none of a row that was metered */
	bool		users_given;
	struct varlena *users;		/* an im_userset that is not toasted, or NULL */
} UsageRow;

/* One day of a meter by name. */
typedef struct MeterRow
{
	const char *meter;
	MeterDay	day;
	struct varlena *users;		/* of a meter of distinct subjects, or NULL */
} MeterRow;

/* A value taken apart. */
typedef struct UsageRows
{
	CalDay		since;			/* usage is known from this day, or USAGE_SINCE_OPEN */
	UsageRow   *rows;
	int64		count;
	int64		room;
	MeterRow   *meters;
	int64		nmeters;
	int64		meters_room;
	bool		folded;			/* days ascend, none twice */
	MemoryContext context;
} UsageRows;

/* No day is named: usage is known as far as it is there. */
#define USAGE_SINCE_OPEN	PG_INT32_MAX

typedef struct UsageValue
{
	int32		vl_len_;
	uint8		version;
	uint8		zero[3];
	int32		since;
	uint32		nrows;
	uint32		row_bytes;
	uint32		nmeters;		/* names */
	uint32		meter_bytes;
	uint32		nsets;
	uint8		bytes[FLEXIBLE_ARRAY_MEMBER];
} UsageValue;

#define USAGE_VERSION	1
#define USAGE_SETS_AT(value) \
	INTALIGN(offsetof(UsageValue, bytes) + (Size) (value)->row_bytes + (value)->meter_bytes)

#define DatumGetUsageValueP(datum)	((UsageValue *) PG_DETOAST_DATUM(datum))
#define PG_GETARG_USAGE_VALUE_P(n)	DatumGetUsageValueP(PG_GETARG_DATUM(n))

/* The names of the figures in tables and texts, in the order of UsageField. */
extern const char *const usage_field_names[USAGE_FIELDS];

/* Rows on their way into a value, as they come and in few bytes. */
typedef struct UsagePack
{
	MemoryContext context;
	uint8	   *bytes;
	Size		len;
	Size		room;
	int64		count;
	CalDay		last;			/* day of the row before, 0 at first */
	bool		folded;			/* days ascend, none twice */
	struct varlena **sets;
	int			nsets;
	int			sets_room;
} UsagePack;

/* No rows yet; the bytes lie in the context given. */
extern void usage_pack_init(UsagePack *pack, MemoryContext context);

/* Adds a row, of which no figure is negative; its set is not copied. */
extern void usage_pack_add(UsagePack *pack, const UsageRow *row);

/*
 * The value of the rows, palloc'd.  Raises 22003 with app and day if a sum of
 * a day is no bigint, and 54000 past 1 GB; app_id is for those messages alone.
 */
extern UsageValue *usage_pack_value(const UsagePack *pack, int64 app_id);

/* No rows, with room for so many, in the current context. */
extern void usage_rows_init(UsageRows *rows, int64 room);

/* A new row, all zero but for the day; good until the next is added. */
extern UsageRow *usage_rows_add(UsageRows *rows, CalDay day);

/* The same of a meter by name. */
extern MeterRow *usage_rows_add_meter(UsageRows *rows, const char *meter, CalDay day);

/*
 * Sorts by day and merges the rows of one day: metered figures and sets are
 * summed up where nothing is given; of two that were given the larger stands.
 * Raises 22003 if a sum is no bigint.
 */
extern void usage_rows_fold(UsageRows *rows, int64 app_id);

/* The value of folded rows.  Raises 54000 past 1 GB. */
extern UsageValue *usage_rows_value(const UsageRows *rows);

/* What a final function returns of rows: their value, or NULL without any. */
extern Datum usage_rows_result(FunctionCallInfo fcinfo, UsageRows *rows, int64 app_id);

/*
 * Takes a value apart, behind the rows there are; sets stay where they are.
 * Bytes that nobody wrote here raise the given SQLSTATE, and nothing is read
 * beyond the value.
 */
extern void usage_rows_read(UsageRows *rows, const UsageValue *value, int sqlstate);

/* Reads the rows of a value one after the other, without taking it apart. */
typedef struct UsageReader
{
	const uint8 *at;
	const uint8 *end;
	uint32		left;
	CalDay		day;
	uint8	   *set;			/* the next one */
	uint8	   *sets_end;
	int			sqlstate;
} UsageReader;

extern void usage_reader_init(UsageReader *reader, const UsageValue *value, int sqlstate);

/* The next row; false after the last one. */
extern bool usage_reader_next(UsageReader *reader, UsageRow *row);

#endif							/* IM_TYPES_USAGE_VALUE_H */
