/*
 * inputs.c
 *	  The three values of a bill as SQL hands them over.
 */
#include "rate/inputs.h"

#include "rate/old_inputs.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "lib/userset_merge.h"
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

static const InputPlaces old_places = {OLD_ARG_BOOK, OLD_ARG_MONTH, OLD_ARG_MORE};

const InputPlaces *
input_places(FunctionCallInfo fcinfo)
{
	static const InputPlaces places = {2, 3, 4};

	return old_inputs(fcinfo) ? &old_places : &places;
}

const InputPlaces *
order_places(FunctionCallInfo fcinfo)
{
	static const InputPlaces places = {1, 2, 3};

	return old_inputs(fcinfo) ? &old_places : &places;
}

void
inputs_open(Inputs *inputs, FunctionCallInfo fcinfo)
{
	memset(inputs, 0, sizeof(*inputs));
	server_core_init(&inputs->core);
	inputs->fcinfo = fcinfo;
	inputs->places = input_places(fcinfo);
	inputs->cache = fcinfo->flinfo->fn_extra;
	if (inputs->cache == NULL)
	{
		inputs->cache = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(InputCache));
		fcinfo->flinfo->fn_extra = inputs->cache;
	}
}

void
inputs_open_orders(Inputs *inputs, FunctionCallInfo fcinfo)
{
	inputs_open(inputs, fcinfo);
	inputs->places = order_places(fcinfo);
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

/* Elements of an array; none where it is NULL. */
static int
array_elements(Datum array, bool isnull, Datum **elements, bool **nulls)
{
	*elements = NULL;
	*nulls = NULL;
	return isnull ? 0 : elements_of(DatumGetArrayTypeP(array), elements, nulls);
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
read_cards(Inputs *inputs, const char *name)
{
	FunctionCallInfo fcinfo = inputs->fcinfo;
	InputCache *cache = inputs->cache;
	int			book = inputs->places->book;

	inputs->cards.name = name;
	if (PG_ARGISNULL(book))
		return;
	remember_book(inputs, PG_GETARG_HEAPTUPLEHEADER(book));
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
				  psprintf("order " INT64_FORMAT " of app " INT64_FORMAT " is refused: the amount paid is %s",
						   order_id, inputs->app_id,
						   DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value)))),
				  "An agreed price, or the amount of a credit or charge, is at least 0 and below 10^12, with at most 8 decimal places.",
				  "Correct paid; of a purchase or upgrade null is the card's price.");
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
				  "The actions are buy, upgrade, refund, on, off, void, credit and charge.",
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
	order->at = DatumGetTimestampTz(values[ENTRY_AT]);
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

/*
 * The columns of a composite value.  Its description is kept from row to row.
 * A session that outlives an update of the extension keeps the old library.
 */
static void
deform(Inputs *inputs, TupleDesc *desc, const char *type, Datum value, int ncolumns,
	   Datum *values, bool *nulls)
{
	HeapTupleHeader header = DatumGetHeapTupleHeader(value);
	HeapTupleData tuple;

	if (*desc == NULL || (*desc)->tdtypeid != HeapTupleHeaderGetTypeId(header))
	{
		MemoryContext old = MemoryContextSwitchTo(inputs->fcinfo->flinfo->fn_mcxt);

		*desc = lookup_rowtype_tupdesc_copy(HeapTupleHeaderGetTypeId(header),
											HeapTupleHeaderGetTypMod(header));
		MemoryContextSwitchTo(old);
	}
	if ((*desc)->natts != ncolumns)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("%s has %d columns and not %d", type, (*desc)->natts, ncolumns),
				 errdetail("The library of this session is not of the version of the extension's SQL."),
				 errhint("Connect anew after ALTER EXTENSION imbilling UPDATE.")));
	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	tuple.t_data = header;
	heap_deform_tuple(&tuple, *desc, values, nulls);
}

static void
read_orders(Inputs *inputs, Datum orders, bool isnull)
{
	Datum	   *entries,
				values[ENTRY_COLUMNS];
	bool	   *entry_nulls,
				nulls[ENTRY_COLUMNS];
	int			n = array_elements(orders, isnull, &entries, &entry_nulls);

	inputs->orders = palloc0(sizeof(Order) * (n + 1));
	inputs->norders = n;
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (entry_nulls[i])
			null_element("orders");
		deform(inputs, &inputs->cache->entry_desc, "im_order_entry", entries[i], ENTRY_COLUMNS,
			   values, nulls);
		read_order(inputs, &inputs->orders[i], values, nulls);
	}
}

static void
read_suspensions(Inputs *inputs, Datum suspensions, bool isnull)
{
	TypeCacheEntry *typcache = NULL;
	Datum	   *ranges;
	bool	   *nulls;
	int			n = array_elements(suspensions, isnull, &ranges, &nulls);

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
	Datum		values[ACCOUNT_COLUMNS] = {0};
	bool		nulls[ACCOUNT_COLUMNS];

	memset(nulls, true, sizeof(nulls));
	if (old_inputs(fcinfo))
		old_account(fcinfo, values, nulls);
	else if (!PG_ARGISNULL(ARG_ACCOUNT))
		deform(inputs, &inputs->cache->account_desc, "im_app_account", PG_GETARG_DATUM(ARG_ACCOUNT),
			   ACCOUNT_COLUMNS, values, nulls);
	if (nulls[ACCOUNT_APP_ID])
		null_element("identifiers");
	inputs->app_id = DatumGetInt64(values[ACCOUNT_APP_ID]);
	inputs->preview = !nulls[ACCOUNT_PREVIEW] && DatumGetBool(values[ACCOUNT_PREVIEW]);
	inputs->has_card = !nulls[ACCOUNT_CARD_NAME];
	read_cards(inputs, nulls[ACCOUNT_CARD_NAME] ? "" : TextDatumGetCString(values[ACCOUNT_CARD_NAME]));
	read_orders(inputs, values[ACCOUNT_ORDERS], nulls[ACCOUNT_ORDERS]);
	read_suspensions(inputs, values[ACCOUNT_SUSPENSIONS], nulls[ACCOUNT_SUSPENSIONS]);
}

Account *
inputs_account(Inputs *inputs, CalDay until)
{
	return account_open(&inputs->core.core, inputs->app_id, &inputs->cards,
						inputs->orders, inputs->norders,
						inputs->suspensions, inputs->nsuspensions, until, inputs->preview);
}

/* Meters by name: rows of one meter lie together. */
static void
read_meters(Inputs *inputs, Usage *usage)
{
	UsageRows	rows;
	MeterUsage *meters;

	usage_rows_init(&rows, 31);
	usage_rows_read(&rows, inputs->value, ERRCODE_DATA_CORRUPTED);
	meters = palloc0(sizeof(MeterUsage) * inputs->value->nmeters);
	for (int64 i = 0; i < rows.nmeters; i++)
	{
		MeterUsage *meter = &meters[usage->nmeters - 1];

		CHECK_FOR_INTERRUPTS();
		if (i == 0 || strcmp(rows.meters[i].meter, meter->meter) != 0)
		{
			meter = &meters[usage->nmeters++];
			meter->meter = rows.meters[i].meter;
			meter->days = palloc_extended(sizeof(MeterDay) * (rows.nmeters - i), MCXT_ALLOC_HUGE);
		}
		meter->days[meter->ndays++] = rows.meters[i].day;
	}
	usage->meters = meters;
}

Usage *
inputs_usage(Inputs *inputs, CalMonth month)
{
	FunctionCallInfo fcinfo = inputs->fcinfo;
	CalDay		first = cal_first_day(month);
	UsageReader reader;
	UsageRow	row;
	Usage	   *usage;

	if (old_inputs(fcinfo))
		inputs->value = old_usage(fcinfo, first, cal_first_day(month + 1));
	else
		inputs->value = PG_ARGISNULL(ARG_USAGE) ? NULL : PG_GETARG_USAGE_VALUE_P(ARG_USAGE);
	if (inputs->value != NULL)
		first = Min(first, inputs->value->since);
	usage = usage_open(&inputs->core.core, first, cal_first_day(month + 1));
	if (inputs->value == NULL)
		return usage;
	usage_reader_init(&reader, inputs->value, ERRCODE_DATA_CORRUPTED);
	while (usage_reader_next(&reader, &row))
		usage_give(&inputs->core.core, usage, row.fields, &row.given, 1);
	if (inputs->value->nmeters > 0)
		read_meters(inputs, usage);
	return usage;
}

/* The sets of users that were asked for, and the days that have one. */
typedef struct ChosenSets
{
	CalDay		first;
	int			ndays;
	const bool *chosen;
	bool	   *seen;
	Datum	   *sets;
	int			nsets;
} ChosenSets;

static void
choose_set(ChosenSets *sets, CalDay day, struct varlena *users)
{
	int64		at = (int64) day - sets->first;

	if (users == NULL || at < 0 || at >= sets->ndays || !sets->chosen[at])
		return;
	sets->seen[at] = true;
	sets->sets[sets->nsets++] = PointerGetDatum(users);
}

/* What is metered counts where the user gave no set, and no users by number. */
static void
choose_users(Inputs *inputs, ChosenSets *sets)
{
	UsageReader reader;
	UsageRow	row;

	usage_reader_init(&reader, inputs->value, ERRCODE_DATA_CORRUPTED);
	while (usage_reader_next(&reader, &row))
		if (row.users_given || !usage_users_given(inputs->usage, (CalDay) row.fields[USAGE_DAY]))
			choose_set(sets, (CalDay) row.fields[USAGE_DAY], row.users);
}

static void
choose_subjects(Inputs *inputs, const char *meter, ChosenSets *sets)
{
	UsageRows	rows;

	usage_rows_init(&rows, 31);
	usage_rows_read(&rows, inputs->value, ERRCODE_DATA_CORRUPTED);
	for (int64 i = 0; i < rows.nmeters; i++)
		if (strcmp(rows.meters[i].meter, meter) == 0)
			choose_set(sets, rows.meters[i].day.day, rows.meters[i].users);
}

/* Daily figures that were given without their users do not tell who they were. */
static void
need_users_of_given(Inputs *inputs, const ChosenSets *sets)
{
	char		day[CAL_TEXT_SIZE];

	for (int i = 0; i < sets->ndays; i++)
		if (sets->chosen[i] && !sets->seen[i] && usage_users_given(inputs->usage, sets->first + i))
			core_fail(&inputs->core.core, PROBLEM_USAGE,
					  psprintf("the users of app " INT64_FORMAT " on %s are null",
							   inputs->app_id, cal_day_text(sets->first + i, day)),
					  "Its plan is priced by distinct users of the month, which daily counts cannot give.",
					  "Fill im_usage_daily.users with im_userset_agg() of the day's user ids.");
}

/* The same of a meter by name. */
static void
need_subjects_of_given(Inputs *inputs, const char *meter, const ChosenSets *sets)
{
	const MeterUsage *usage = usage_meter(&inputs->core.core, inputs->usage, meter);
	char		text[CAL_TEXT_SIZE];

	for (int i = 0; usage != NULL && i < usage->ndays; i++)
	{
		const MeterDay *day = &usage->days[i];
		int64		at = (int64) day->day - sets->first;

		if (at >= 0 && at < sets->ndays && sets->chosen[at] && !sets->seen[at] &&
			day->has_given && day->given > 0)
			core_fail(&inputs->core.core, PROBLEM_USAGE,
					  psprintf("the subjects of meter \"%s\" of app " INT64_FORMAT " on %s are null",
							   meter, inputs->app_id, cal_day_text(day->day, text)),
					  "Distinct subjects of the month are priced, which daily counts cannot give.",
					  "Fill im_meter_daily.users with im_userset_agg() of the day's subjects.");
	}
}

/*
 * The union of the sets of the chosen days: each user of the month once.  All
 * are merged at once, so that no union of some of the days takes memory.
 */
static int64_t
count_users(Inputs *inputs, const char *meter, CalDay first, int ndays, const bool *chosen,
			bool need_all)
{
	bool		by_name = strcmp(meter, METER_MAU) != 0;
	ChosenSets	sets = {.first = first, .ndays = ndays, .chosen = chosen, .seen = palloc0(ndays + 1)};

	if (inputs->value != NULL)
	{
		sets.sets = palloc(sizeof(Datum) * (inputs->value->nsets + 1));
		if (by_name)
			choose_subjects(inputs, meter, &sets);
		else
			choose_users(inputs, &sets);
	}
	if (need_all && by_name)
		need_subjects_of_given(inputs, meter, &sets);
	else if (need_all)
		need_users_of_given(inputs, &sets);
	return userset_count(PointerGetDatum(userset_union(sets.sets, sets.nsets)));
}

static int64_t
count_month_users(void *arg, const char *meter, CalDay first, int ndays, const bool *chosen)
{
	return count_users(arg, meter, first, ndays, chosen, true);
}

int64_t
inputs_known_users(void *arg, const char *meter, CalDay first, int ndays, const bool *chosen)
{
	return count_users(arg, meter, first, ndays, chosen, false);
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
	CalMonth	month = inputs_month(fcinfo);
	Usage	   *usage = inputs_bill_usage(inputs, month);

	if (usage == NULL)
		return NULL;
	return bill_compute(&inputs->core.core, inputs_account(inputs, cal_first_day(month + 1)),
						usage, month);
}
