/*
 * inputs.c
 *	  The three values of a bill as SQL hands them over.
 */
#include "rate/inputs.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "lib/userset_merge.h"
#include "meter/day_pack.h"
#include "utils/rangetypes.h"
#include "utils/typcache.h"

/* Columns of im_order_entry. */
enum
{
	ENTRY_ORDER_ID,
	ENTRY_AT,
	ENTRY_ACTION,
	ENTRY_ITEM,
	ENTRY_OPTION,
	ENTRY_MONTHS,
	ENTRY_QUANTITY,
	ENTRY_REFUNDS,
	ENTRY_PAID,
	ENTRY_COLUMNS
};

/* Columns of im_price_book. */
enum
{
	BOOK_NAMES,
	BOOK_DATES,
	BOOK_CARDS,
	BOOK_COLUMNS
};

void
inputs_open(Inputs *inputs, FunctionCallInfo fcinfo)
{
	memset(inputs, 0, sizeof(*inputs));
	server_core_init(&inputs->core);
	inputs->fcinfo = fcinfo;
	inputs->cache = fcinfo->flinfo->fn_extra;
	if (inputs->cache == NULL)
	{
		inputs->cache = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(InputCache));
		fcinfo->flinfo->fn_extra = inputs->cache;
	}
}

static int
elements_of(ArrayType *array, Datum **elements, bool **nulls)
{
	int16		typlen;
	bool		typbyval;
	char		typalign;
	int			count;

	get_typlenbyvalalign(ARR_ELEMTYPE(array), &typlen, &typbyval, &typalign);
	deconstruct_array(array, ARR_ELEMTYPE(array), typlen, typbyval, typalign,
					  elements, nulls, &count);
	return count;
}

/* Elements of an array argument; none where it is NULL. */
static int
array_elements(FunctionCallInfo fcinfo, int argno, Datum **elements, bool **nulls)
{
	*elements = NULL;
	*nulls = NULL;
	return PG_ARGISNULL(argno) ? 0 :
		elements_of(PG_GETARG_ARRAYTYPE_P(argno), elements, nulls);
}

static void
null_element(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("null among the %s of an app", what),
			 errdetail("Rating takes whole values only."),
			 errhint("Call the functions of doc/reference.md, which gather the values.")));
}

static bool
same_book(const InputCache *cache, HeapTupleHeader book)
{
	Size		size = HeapTupleHeaderGetDatumLength(book);

	return cache->book != NULL && HeapTupleHeaderGetDatumLength(cache->book) == size &&
		memcmp(cache->book, book, size) == 0;
}

/* Adds a version to the card of its name; versions of one come together. */
static void
add_version(InputCache *cache, const char *name, DateADT from, Datum card)
{
	CardHistory *history = cache->ncards > 0 ? &cache->cards[cache->ncards - 1] : NULL;
	CardVersion *versions;

	if (history == NULL || strcmp(history->name, name) != 0)
	{
		history = &cache->cards[cache->ncards++];
		*history = (CardHistory) {.name = name};
	}
	versions = palloc(sizeof(CardVersion) * (history->nversions + 1));
	if (history->nversions > 0)
		memcpy(versions, history->versions, sizeof(CardVersion) * history->nversions);
	versions[history->nversions++] = (CardVersion) {from, card_parse(DatumGetStoredJsonP(card))};
	history->versions = versions;
}

static void
read_book(InputCache *cache, HeapTupleHeader book)
{
	Datum	   *columns[BOOK_COLUMNS];
	int			count = 0;

	for (int c = 0; c < BOOK_COLUMNS; c++)
	{
		bool		isnull,
				   *nulls;
		Datum		column = GetAttributeByNum(book, c + 1, &isnull);
		int			n = isnull ? 0 : elements_of(DatumGetArrayTypeP(column), &columns[c], &nulls);

		for (int i = 0; i < n; i++)
			if (nulls[i])
				null_element("rate card versions");
		if (c > 0 && n != count)
			null_element("rate card versions");
		count = n;
	}
	cache->ncards = 0;
	cache->cards = palloc0(sizeof(CardHistory) * (count + 1));
	for (int i = 0; i < count; i++)
		add_version(cache, TextDatumGetCString(columns[BOOK_NAMES][i]),
					DatumGetDateADT(columns[BOOK_DATES][i]), columns[BOOK_CARDS][i]);
}

/* Reads the price book unless it is the one that was read for the last row. */
static void
remember_book(Inputs *inputs, HeapTupleHeader book)
{
	InputCache *cache = inputs->cache;
	MemoryContext old;

	if (same_book(cache, book))
		return;
	if (cache->book_context == NULL)
		cache->book_context = AllocSetContextCreate(inputs->fcinfo->flinfo->fn_mcxt,
													"imbilling price book",
													ALLOCSET_SMALL_SIZES);
	cache->book = NULL;
	cache->zone_known = false;
	MemoryContextReset(cache->book_context);
	old = MemoryContextSwitchTo(cache->book_context);
	read_book(cache, book);
	cache->book = palloc(HeapTupleHeaderGetDatumLength(book));
	memcpy(cache->book, book, HeapTupleHeaderGetDatumLength(book));
	MemoryContextSwitchTo(old);
}

/* The versions of the app's card; of the one card there is in a preview. */
static void
read_cards(Inputs *inputs)
{
	FunctionCallInfo fcinfo = inputs->fcinfo;
	InputCache *cache = inputs->cache;

	inputs->cards.name = PG_ARGISNULL(ARG_CARD_NAME) ? "" :
		text_to_cstring(PG_GETARG_TEXT_PP(ARG_CARD_NAME));
	if (PG_ARGISNULL(ARG_BOOK))
		return;
	remember_book(inputs, PG_GETARG_HEAPTUPLEHEADER(ARG_BOOK));
	for (int i = 0; i < cache->ncards; i++)
		if (inputs->preview || strcmp(cache->cards[i].name, inputs->cards.name) == 0)
		{
			inputs->cards.nversions = cache->cards[i].nversions;
			inputs->cards.versions = cache->cards[i].versions;
			return;
		}
}

/* All versions of a card share one time zone; a card without one has no days. */
Zone *
inputs_zone(Inputs *inputs)
{
	const char *name;
	Zone	   *zone = &inputs->cache->zone;

	if (inputs->cards.nversions == 0)
		core_fail(&inputs->core.core, PROBLEM_CARD,
				  psprintf("there is no rate card \"%s\"", inputs->cards.name),
				  psprintf("App " INT64_FORMAT " is billed by it.", inputs->app_id),
				  "Add a version to im_rate_card_version, or correct im_app.rate_card.");
	name = inputs->cards.versions[0].card->time_zone;
	if (!inputs->cache->zone_known || strcmp(zone->name, name) != 0)
	{
		inputs->cache->zone_known = false;
		zone_set(zone, name, strlen(name));
		inputs->cache->zone_known = true;
	}
	return zone;
}

CalDay
inputs_day(Inputs *inputs, TimestampTz at)
{
	DateADT		day = zone_day(inputs_zone(inputs), at);

	if (day < CAL_MIN_DAY || day > CAL_MAX_DAY)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("the state of an app is not known at %s", instant_text(at)),
				 errdetail("Days of the years 1 to 9999 have a state."),
				 errhint("Ask for an instant of a day in that range.")));
	return day;
}

static CalDay
order_day(Inputs *inputs, int64 order_id, TimestampTz at)
{
	DateADT		day = zone_day(inputs_zone(inputs), at);

	if (day < CAL_MIN_DAY || day > CAL_MAX_DAY)
		core_fail(&inputs->core.core, PROBLEM_RULE,
				  psprintf("order " INT64_FORMAT " of app " INT64_FORMAT " is refused: its time is %s",
						   order_id, inputs->app_id, instant_text(at)),
				  "An order falls on a day of the years 1 to 9999.",
				  "Correct the order's time.");
	return day;
}

static Amount
order_paid(Inputs *inputs, int64 order_id, Numeric value)
{
	Amount		amount = 0;

	if (amount_from_numeric(value, &amount) != AMOUNT_OK)
		core_fail(&inputs->core.core, PROBLEM_RULE,
				  psprintf("order " INT64_FORMAT " of app " INT64_FORMAT " is refused: the agreed price is %s",
						   order_id, inputs->app_id,
						   DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value)))),
				  "An agreed price is at least 0 and below 10^12, with at most 8 decimal places.",
				  "Correct paid, or leave it null for the card's price.");
	return amount;
}

static OrderAction
order_action(Inputs *inputs, int64 order_id, const char *name)
{
	int			action = order_action_find(name);

	if (action < 0)
		core_fail(&inputs->core.core, PROBLEM_RULE,
				  psprintf("order " INT64_FORMAT " of app " INT64_FORMAT " is refused: unknown action \"%s\"",
						   order_id, inputs->app_id, name),
				  "The actions are buy, upgrade, refund, on and off.",
				  "Correct the action.");
	return (OrderAction) action;
}

static void
read_order(Inputs *inputs, Order *order, Datum *values, bool *nulls)
{
	for (int i = ENTRY_ORDER_ID; i <= ENTRY_QUANTITY; i++)
		if (nulls[i] && i != ENTRY_MONTHS)
			null_element("orders");
	order->order_id = DatumGetInt64(values[ENTRY_ORDER_ID]);
	order->day = order_day(inputs, order->order_id, DatumGetTimestampTz(values[ENTRY_AT]));
	order->action = order_action(inputs, order->order_id, TextDatumGetCString(values[ENTRY_ACTION]));
	order->item = TextDatumGetCString(values[ENTRY_ITEM]);
	order->option = TextDatumGetCString(values[ENTRY_OPTION]);
	order->has_months = !nulls[ENTRY_MONTHS];
	order->months = order->has_months ? DatumGetInt32(values[ENTRY_MONTHS]) : 0;
	order->quantity = DatumGetInt32(values[ENTRY_QUANTITY]);
	order->has_refunds = !nulls[ENTRY_REFUNDS];
	order->refunds = order->has_refunds ? DatumGetInt64(values[ENTRY_REFUNDS]) : 0;
	order->has_paid = !nulls[ENTRY_PAID];
	if (order->has_paid)
		order->paid = order_paid(inputs, order->order_id, DatumGetNumeric(values[ENTRY_PAID]));
}

/* A session that outlives an update of the extension keeps the old library. */
static TupleDesc
entry_desc(HeapTupleHeader entry)
{
	TupleDesc	desc = lookup_rowtype_tupdesc_copy(HeapTupleHeaderGetTypeId(entry),
												   HeapTupleHeaderGetTypMod(entry));

	if (desc->natts != ENTRY_COLUMNS)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("im_order_entry has %d columns and not %d", desc->natts, ENTRY_COLUMNS),
				 errdetail("The library of this session is not of the version of the extension's SQL."),
				 errhint("Connect anew after ALTER EXTENSION imbilling UPDATE.")));
	return desc;
}

static void
read_orders(Inputs *inputs)
{
	Datum	   *entries,
				values[ENTRY_COLUMNS];
	bool	   *entry_nulls,
				nulls[ENTRY_COLUMNS];
	int			n = array_elements(inputs->fcinfo, ARG_ORDERS, &entries, &entry_nulls);
	TupleDesc	desc = NULL;

	inputs->orders = palloc0(sizeof(Order) * (n + 1));
	inputs->norders = n;
	for (int i = 0; i < n; i++)
	{
		HeapTupleHeader header;
		HeapTupleData tuple;

		CHECK_FOR_INTERRUPTS();
		if (entry_nulls[i])
			null_element("orders");
		header = DatumGetHeapTupleHeader(entries[i]);
		if (desc == NULL)
			desc = entry_desc(header);
		tuple.t_len = HeapTupleHeaderGetDatumLength(header);
		tuple.t_data = header;
		heap_deform_tuple(&tuple, desc, values, nulls);
		read_order(inputs, &inputs->orders[i], values, nulls);
	}
}

static void
read_suspensions(Inputs *inputs)
{
	TypeCacheEntry *typcache = NULL;
	Datum	   *ranges;
	bool	   *nulls;
	int			n = array_elements(inputs->fcinfo, ARG_SUSPENSIONS, &ranges, &nulls);

	inputs->suspensions = palloc(sizeof(Suspension) * (n + 1));
	for (int i = 0; i < n; i++)
	{
		RangeBound	lower,
					upper;
		bool		empty;

		CHECK_FOR_INTERRUPTS();
		if (nulls[i])
			null_element("suspensions");
		if (typcache == NULL)
			typcache = lookup_type_cache(DATERANGEOID, TYPECACHE_RANGE_INFO);
		range_deserialize(typcache, DatumGetRangeTypeP(ranges[i]), &lower, &upper, &empty);
		if (empty)
			continue;
		inputs->suspensions[inputs->nsuspensions++] = (Suspension) {
			lower.infinite ? DATEVAL_NOBEGIN : DatumGetDateADT(lower.val),
			upper.infinite ? DATEVAL_NOEND : DatumGetDateADT(upper.val)
		};
	}
}

void
inputs_read(Inputs *inputs)
{
	FunctionCallInfo fcinfo = inputs->fcinfo;

	if (PG_ARGISNULL(ARG_APP_ID))
		null_element("identifiers");
	inputs->app_id = PG_GETARG_INT64(ARG_APP_ID);
	inputs->preview = !PG_ARGISNULL(ARG_PREVIEW) && PG_GETARG_BOOL(ARG_PREVIEW);
	read_cards(inputs);
	read_orders(inputs);
	read_suspensions(inputs);
}

Account *
inputs_account(Inputs *inputs, CalDay until)
{
	return account_open(&inputs->core.core, inputs->app_id, &inputs->cards,
						inputs->orders, inputs->norders,
						inputs->suspensions, inputs->nsuspensions, until, inputs->preview);
}

static pg_noinline void
no_usage(int nitems)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("usage of %d integers is not made of whole days", nitems),
			 errdetail("Each day has %d integers and none is null; packed days are whole too.", USAGE_FIELDS),
			 errhint("Make it with im_usage_agg and its like.")));
}

/* Flat rows: whole days, nothing negative. */
static const int64 *
flat_rows(const int64 *rows, int nitems, int *nrows)
{
	if (nitems % USAGE_FIELDS != 0)
		no_usage(nitems);
	for (int i = 0; i < nitems; i++)
		if (rows[i] < 0 && i % USAGE_FIELDS != USAGE_DAY)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("usage of " INT64_FORMAT " is negative", rows[i]),
					 errdetail("Usage counts from 0."),
					 errhint("Make it with im_usage_agg and its like.")));
	*nrows = nitems / USAGE_FIELDS;
	return rows;
}

/* The rows of a bigint[] argument, flat or packed, and of packed ones what was given. */
static const int64 *
usage_rows(FunctionCallInfo fcinfo, int argno, int *nrows, GivenFigures **given)
{
	ArrayType  *array;
	const int64 *rows;
	int			n;

	*nrows = 0;
	*given = NULL;
	if (PG_ARGISNULL(argno))
		return NULL;
	array = PG_GETARG_ARRAYTYPE_P(argno);
	n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (ARR_HASNULL(array) || ARR_ELEMTYPE(array) != INT8OID)
		no_usage(n);
	rows = (const int64 *) ARR_DATA_PTR(array);
	if (n == 0 || rows[0] >= CAL_MIN_DAY)
		return flat_rows(rows, n, nrows);
	rows = day_pack_read(array, n, nrows, given);
	if (rows == NULL)
		no_usage(n);
	return rows;
}

Usage *
inputs_usage(Inputs *inputs, CalMonth month)
{
	FunctionCallInfo fcinfo = inputs->fcinfo;
	CalDay		first = cal_first_day(month);
	Usage	   *usage;
	const int64 *rows;
	GivenFigures *given;
	int			nrows;

	if (!PG_ARGISNULL(ARG_SINCE) && PG_GETARG_DATEADT(ARG_SINCE) < first)
		first = Max(PG_GETARG_DATEADT(ARG_SINCE), CAL_MIN_DAY);
	usage = usage_open(&inputs->core.core, first, cal_first_day(month + 1));
	rows = usage_rows(fcinfo, ARG_DAILY, &nrows, &given);
	usage_give(&inputs->core.core, usage, rows, given, nrows);
	for (int argno = ARG_LOGINS; argno <= ARG_CALLS; argno++)
	{
		rows = usage_rows(fcinfo, argno, &nrows, &given);
		usage_add(&inputs->core.core, usage, rows, nrows);
	}
	return usage;
}

/* Daily figures that were given without their users do not tell who they were. */
static void
need_users_of_given(Inputs *inputs, CalDay first, int ndays, const bool *chosen,
					const bool *seen)
{
	char		day[CAL_TEXT_SIZE];

	for (int i = 0; i < ndays; i++)
		if (chosen[i] && !seen[i] && usage_users_given(inputs->usage, first + i))
			core_fail(&inputs->core.core, PROBLEM_USAGE,
					  psprintf("the users of app " INT64_FORMAT " on %s are null",
							   inputs->app_id, cal_day_text(first + i, day)),
					  "Its plan is priced by distinct users of the month, which daily counts cannot give.",
					  "Fill im_usage_daily.users with im_userset_agg() of the day's user ids.");
}

/*
 * The union of the sets of the chosen days: each user of the month once.  All
 * are merged at once, so that no union of some of the days takes memory.
 *
 * Sets behind a null day are of events, which count where no set was given,
 * and not where users were given by number.
 */
static int64_t
count_users(Inputs *inputs, CalDay first, int ndays, const bool *chosen, bool need_all)
{
	Datum	   *days,
			   *sets;
	bool	   *day_nulls,
			   *set_nulls,
			   *seen = palloc0(ndays);
	bool		of_events = false;
	int			n = array_elements(inputs->fcinfo, ARG_USER_DAYS, &days, &day_nulls),
				nsets = 0;

	if (array_elements(inputs->fcinfo, ARG_USERS, &sets, &set_nulls) != n)
		null_element("daily users");
	for (int i = 0; i < n; i++)
	{
		int64		at = day_nulls[i] ? -1 : (int64) DatumGetDateADT(days[i]) - first;

		of_events |= day_nulls[i];
		if (at < 0 || at >= ndays || !chosen[at] || seen[at] || set_nulls[i] ||
			(of_events && usage_users_given(inputs->usage, first + at)))
			continue;
		seen[at] = true;
		sets[nsets++] = sets[i];
	}
	if (need_all)
		need_users_of_given(inputs, first, ndays, chosen, seen);
	return userset_count(PointerGetDatum(userset_union(sets, nsets)));
}

static int64_t
count_month_users(void *arg, const char *meter, CalDay first, int ndays, const bool *chosen)
{
	(void) meter;
	return count_users(arg, first, ndays, chosen, true);
}

int64_t
inputs_known_users(void *arg, const char *meter, CalDay first, int ndays, const bool *chosen)
{
	(void) meter;
	return count_users(arg, first, ndays, chosen, false);
}

void
inputs_give_users(Inputs *inputs, Usage *usage)
{
	usage->month_users = count_month_users;
	usage->arg = inputs;
	inputs->usage = usage;
}

Usage *
inputs_bill_usage(Inputs *inputs, CalMonth month)
{
	Usage	   *usage = inputs_usage(inputs, month);

	inputs_zone(inputs);
	if (card_of_month(&inputs->cards, month) == NULL && !usage_any(&inputs->core.core, usage) &&
		(inputs->norders == 0 || inputs->orders[0].day >= cal_first_day(month + 1)))
		return NULL;
	inputs_give_users(inputs, usage);
	return usage;
}

Bill *
inputs_bill(Inputs *inputs)
{
	FunctionCallInfo fcinfo = inputs->fcinfo;
	CalMonth	month = PG_GETARG_INT32(ARG_MONTH);
	Usage	   *usage = inputs_bill_usage(inputs, month);

	if (usage == NULL)
		return NULL;
	return bill_compute(&inputs->core.core, inputs_account(inputs, cal_first_day(month + 1)),
						usage, month);
}
