/*
 * quote_items.c
 *	  The add-ons of a quote, as people write them in JSON.
 *
 * Everything is checked here, before the core sees it: the core would speak
 * of orders of an app, and whoever asks for a quote has neither.
 */
#include "rate/quote_items.h"

#include "server/core.h"

/* As many digits as a quantity may have that comes in as numeric. */
#define MAX_MINUTES		INT64CONST(999999999999)

/* The request that is being filled. */
typedef struct ItemReader
{
	QuoteRequest *request;
	QuoteItem  *items;
	int			capacity;
} ItemReader;

typedef void (*MemberVisitor) (void *arg, const char *name, const JsonbValue *value);

pg_noreturn static void refuse(const char *message, const char *detail, const char *hint);

static void
refuse(const char *message, const char *detail, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s", message),
			 errdetail("%s", detail),
			 errhint("%s", hint)));
}

static char *
text_of_string(const JsonbValue *value)
{
	return pnstrdup(value->val.string.val, value->val.string.len);
}

static bool
is_object(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data);
}

static bool
is_array(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data);
}

/* Calls the visitor for each member of an object, or element of an array. */
static void
each_member(JsonbContainer *container, MemberVisitor visit, void *arg)
{
	JsonbIterator *iterator = JsonbIteratorInit(container);
	JsonbIteratorToken token;
	JsonbValue	value;
	const char *name = NULL;

	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			name = text_of_string(&value);
		else if (token == WJB_VALUE || token == WJB_ELEM)
			visit(arg, name, &value);
	}
}

/* A whole number of at least "least"; what is its place in the JSON. */
static int64
whole_number(const char *what, const JsonbValue *value, int64 least, int64 most)
{
	Amount		amount = 0;

	if (value->type != jbvNumeric ||
		amount_from_numeric(value->val.numeric, &amount) != AMOUNT_OK ||
		amount % AMOUNT_ONE != 0 || amount < amount_of(least) || amount > amount_of(most))
		refuse(psprintf("%s of the quote is not a whole number from " INT64_FORMAT " to " INT64_FORMAT,
						what, least, most),
			   "Months, quantities and minutes are counted.",
			   "Write it as a JSON number in that range.");
	return (int64) (amount / AMOUNT_ONE);
}

/* What a plan sells of an add-on, for the detail of an error. */
static const char *
options_sold(const CardAddon *addon, const char *plan)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < addon->nprices; i++)
		if (strcmp(addon->prices[i].plan, plan) == 0)
			appendStringInfo(&list, "%s\"%s\"", list.len > 0 ? ", " : "", addon->prices[i].option);
	return list.len == 0 ? psprintf("The rate card does not sell it on plan \"%s\".", plan) :
		psprintf("Its options on plan \"%s\" are %s.", plan, list.data);
}

static void
check_addon_sold(const QuoteRequest *request, const QuoteItem *item)
{
	const CardAddon *addon = card_addon(request->card, item->item);
	const CardPlan *plan = card_plan(request->card, request->plan);

	if (addon == NULL)
		refuse(psprintf("the rate card does not sell \"%s\"", item->item),
			   "What a card does not name, it does not sell.",
			   "See im_price_list(card) for what it sells, local_moderation and moderation_pack included.");
	if (plan->rank == 0)
		refuse(psprintf("add-on \"%s\" is not sold on plan \"%s\"", item->item, plan->name),
			   "Add-ons are sold on paid plans only.", "Quote a paid plan.");
	if (addon_price(addon, request->plan, item->option) == NULL)
		refuse(psprintf("add-on \"%s\" option \"%s\" is not sold on plan \"%s\"",
						item->item, item->option, request->plan),
			   options_sold(addon, request->plan), "See im_price_list(card) for what the plan sells.");
	if (addon_renews_only(addon, item->option))
		refuse(psprintf("add-on \"%s\" option \"%s\" is sold only to an app that holds it", item->item, item->option),
			   "A quote is for an app that holds nothing yet.", "Quote another option.");
}

/* An add-on of that name is no pack. */
static bool
is_meter_pack(const Card *card, const char *item)
{
	return strcmp(item, ITEM_METER_PACK) == 0 && card_addon(card, item) == NULL;
}

static bool
is_pack(const Card *card, const char *item)
{
	return strcmp(item, ITEM_PACK) == 0 || is_meter_pack(card, item);
}

static void
check_sold(const QuoteRequest *request, const QuoteItem *item)
{
	const Card *card = request->card;
	bool		pack = strcmp(item->item, ITEM_PACK) == 0,
				of_meter = is_meter_pack(card, item->item),
				local = strcmp(item->item, ITEM_LOCAL_MODERATION) == 0,
				cloud = strcmp(item->item, ITEM_MODERATION) == 0;

	if (strcmp(item->item, ITEM_PLAN) == 0)
		refuse("a plan is no add-on of a quote", "A quote is for one plan, which has an argument of its own.",
			   "Give the plan as the argument plan.");
	if (pack && card_pack(card, item->option) == NULL)
		refuse(psprintf("the rate card does not sell a moderation pack \"%s\"", item->option),
			   "What a card does not name, it does not sell.", "See im_price_list(card) for its packs.");
	if (of_meter && card_meter_pack(card, item->option) == NULL)
		refuse(psprintf("the rate card does not sell a pack \"%s\"", item->option),
			   "What a card does not name, it does not sell.", "See im_price_list(card) for its packs.");
	if ((local || cloud) && item->option[0] != '\0')
		refuse(psprintf("\"%s\" has no option \"%s\"", item->item, item->option),
			   "It is taken or not.", "Write true.");
	if ((local && !card->sells_local_moderation) || (cloud && !card->sells_moderation))
		refuse(psprintf("the rate card does not sell \"%s\"", item->item),
			   "What a card does not name, it does not sell.", "See im_price_list(card) for what it sells.");
	if (cloud && !moderation_offered(card, request->plan))
		refuse(psprintf("the rate card does not offer moderation on plan \"%s\"", request->plan),
			   "On plans outside moderation.plans its switch counts as off.", "Leave moderation out of the quote.");
	if (!pack && !of_meter && !local && !cloud)
		check_addon_sold(request, item);
}

/* Packs and switches run for no number of months; the rest for the quote's. */
static void
settle_months(const QuoteRequest *request, QuoteItem *item)
{
	const CardAddon *addon = card_addon(request->card, item->item);
	bool		bought = addon != NULL ? !addon->postpaid :
		strcmp(item->item, ITEM_LOCAL_MODERATION) == 0;

	if (item->months != 0 && !bought)
		refuse(psprintf("\"%s\" of the quote is not bought for %d months", item->item, item->months),
			   "Packs have the months that the card gives them, and switches are on in all months of the quote.",
			   "Leave months out.");
	if (bought && item->months == 0)
		item->months = request->months;
	if (item->quantity != 1 && !is_pack(request->card, item->item))
		refuse(psprintf("\"%s\" of the quote is not sold in a quantity of %d", item->item, item->quantity),
			   "Only packs are bought in a quantity.", "Leave quantity out.");
}

static void
add_item(ItemReader *reader, QuoteItem item)
{
	QuoteRequest *request = reader->request;
	bool		pack = is_pack(request->card, item.item);

	check_sold(request, &item);
	settle_months(request, &item);
	for (int i = 0; i < request->nitems && !pack; i++)
		if (strcmp(reader->items[i].item, item.item) == 0)
			refuse(psprintf("\"%s\" stands twice in the quote", item.item),
				   "An add-on has one option at a time.", "Name it once.");
	if (request->nitems == reader->capacity)
	{
		reader->capacity = Max(8, reader->capacity * 2);
		reader->items = reader->items == NULL ? palloc(reader->capacity * sizeof(QuoteItem)) :
			repalloc(reader->items, reader->capacity * sizeof(QuoteItem));
	}
	reader->items[request->nitems++] = item;
	request->items = reader->items;
}

static void
read_detail(void *arg, const char *name, const JsonbValue *value)
{
	QuoteItem  *item = arg;
	const char *what = psprintf("%s of \"%s\"", name, item->item);

	if (strcmp(name, "option") == 0 && value->type == jbvString)
		item->option = text_of_string(value);
	else if (strcmp(name, "months") == 0)
		item->months = whole_number(what, value, 1, ORDER_MAX_MONTHS);
	else if (strcmp(name, "quantity") == 0)
		item->quantity = whole_number(what, value, 1, PG_INT32_MAX);
	else
		refuse(psprintf("%s of the quote is not understood", what),
			   "An item that is an object has the members option, a text, months and quantity.",
			   "Write for example {\"option\": \"basic\", \"months\": 3}.");
}

static void
read_minutes(void *arg, const char *name, const JsonbValue *value)
{
	QuoteRequest *request = arg;
	int			class = call_class_find(name, strlen(name));

	if (class < 0 || !request->card->calls[class].priced)
		refuse(psprintf("the rate card does not price call minutes of class \"%s\"", name),
			   "What a card does not name, it does not sell.",
			   "The classes are audio, sd, hd and fhd, as far as the card prices them.");
	request->call_minutes[class] = whole_number(psprintf("call_minutes \"%s\"", name), value, 0,
												MAX_MINUTES);
}

static void read_item(void *arg, const char *name, const JsonbValue *value);

/* Several packs of a kind: each element is what one item may be. */
typedef struct ListReader
{
	ItemReader *reader;
	const char *name;
} ListReader;

static void
read_listed(void *arg, const char *name, const JsonbValue *value)
{
	ListReader *list = arg;

	(void) name;
	if (is_array(value))
		refuse(psprintf("\"%s\" of the quote is a list of lists", list->name),
			   "A list has options or objects.", "Write [\"month\", \"year_small\"].");
	read_item(list->reader, list->name, value);
}

static void
read_item(void *arg, const char *name, const JsonbValue *value)
{
	ItemReader *reader = arg;
	QuoteItem	item = {.item = name, .option = "", .quantity = 1};

	if (is_array(value))
	{
		each_member(value->val.binary.data, read_listed, &(ListReader) {reader, name});
		return;
	}
	if (is_object(value) && strcmp(name, "call_minutes") == 0)
	{
		each_member(value->val.binary.data, read_minutes, reader->request);
		return;
	}
	if (value->type == jbvNull || (value->type == jbvBool && !value->val.boolean))
		return;
	if (is_object(value))
		each_member(value->val.binary.data, read_detail, &item);
	else if (value->type == jbvString)
		item.option = text_of_string(value);
	else if (value->type != jbvBool)
		refuse(psprintf("\"%s\" of the quote is a number", name),
			   "An item is true, the name of its option, or an object with option, months and quantity.",
			   "Write for example {\"option\": \"basic\", \"months\": 3}.");
	add_item(reader, item);
}

static void
read_element(void *arg, const char *name, const JsonbValue *value)
{
	if (is_object(value))
		each_member(value->val.binary.data, read_item, arg);
	else if (value->type == jbvString)
		read_item(arg, text_of_string(value), &(JsonbValue) {.type = jbvBool, .val.boolean = true});
	else if (name != NULL || value->type != jbvNull)
		refuse("an element of the quote's add-ons is neither a name nor an object",
			   "A list has names of add-ons without options, and objects.",
			   "Write for example [\"avchatroom\", {\"history_storage\": \"90d\"}].");
}

void
quote_items_read(QuoteRequest *request, Jsonb *addons)
{
	ItemReader	reader = {.request = request};

	if (JB_ROOT_IS_OBJECT(addons))
		each_member(&addons->root, read_item, &reader);
	else
		each_member(&addons->root, read_element, &reader);
}
