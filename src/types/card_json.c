/*
 * card_json.c
 *	  Reads a price list from JSON and refuses whatever is not one.
 *
 * PostgreSQL's jsonb has parsed the text; what is left is to give every
 * element its meaning.  Each reader takes the path of its element, so that an
 * error names the very place: "plans.pro.dau.block".
 */
#include "types/rate_card.h"

#include "common/jsonapi.h"
#include "pgtime.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#define MAX_NAME_BYTES		63
#define MAX_COUNT			INT64CONST(1000000000000000)
#define MAX_GRACE_DAYS		3660
#define MAX_SCALE			AMOUNT_PLACES

/* An element and where it stands. */
typedef struct Element
{
	const char *path;
	JsonbValue	value;
} Element;

/* Called for each member of an object. */
typedef void (*MemberReader) (void *target, const char *name, const Element *member);

pg_noreturn static void refuse(const char *path, const char *what, const char *hint);

static void
refuse(const char *path, const char *what, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid rate card: %s %s", path[0] == '\0' ? "the document" : path, what),
			 errdetail("The element stands at the path \"%s\".", path),
			 errhint("%s", hint)));
}

static const char *
child_path(const char *path, const char *name)
{
	return path[0] == '\0' ? name : psprintf("%s.%s", path, name);
}

static JsonbContainer *
as_object(const Element *element)
{
	const JsonbValue *value = &element->value;

	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		refuse(element->path, "is not an object", "Write it as { \"key\": value, ... }.");
	return value->val.binary.data;
}

static bool
find_member(const Element *object, const char *name, Element *member)
{
	JsonbContainer *container = as_object(object);

	member->path = child_path(object->path, name);
	return getKeyJsonValueFromContainer(container, name, strlen(name), &member->value) != NULL;
}

static Element
need_member(const Element *object, const char *name)
{
	Element		member;

	if (!find_member(object, name, &member))
		refuse(member.path, "is missing", "Every rate card states this element.");
	return member;
}

static const char *
as_name(const char *path, const char *text, int length, bool may_be_empty)
{
	if (length > MAX_NAME_BYTES)
		refuse(path, "is too long for a name", "Names have at most 63 bytes.");
	if (length == 0 && !may_be_empty)
		refuse(path, "is an empty name", "Give it a name.");
	for (int i = 0; i < length; i++)
		if ((unsigned char) text[i] < ' ' || text[i] == 0x7f)
			refuse(path, "has a control character in its name", "Use printable characters.");
	return pnstrdup(text, length);
}

/* Walks the members of an object; with a reader NULL it only counts them. */
static int
each_member(const Element *object, bool may_be_empty, MemberReader reader, void *target)
{
	JsonbIterator *it = JsonbIteratorInit(as_object(object));
	JsonbIteratorToken token;
	JsonbValue	value;
	const char *name = NULL;
	int			count = 0;

	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			name = as_name(child_path(object->path, pnstrdup(value.val.string.val, value.val.string.len)),
						   value.val.string.val, value.val.string.len, may_be_empty);
		else if (token == WJB_VALUE)
		{
			Element		member = {child_path(object->path, name), value};

			if (reader != NULL)
				reader(target, name, &member);
			count++;
		}
	}
	return count;
}

typedef struct KeyList
{
	const char *const *keys;
} KeyList;

static void
check_key(void *target, const char *name, const Element *member)
{
	const char *const *key = ((KeyList *) target)->keys;

	for (; *key != NULL; key++)
		if (strcmp(*key, name) == 0)
			return;
	refuse(member->path, "is an unknown key", "Remove it, or see the README for the keys of a rate card.");
}

/* Refuses keys that are not in the NULL-terminated list. */
static void
only_keys(const Element *object, const char *const *keys)
{
	KeyList		list = {keys};

	each_member(object, true, check_key, &list);
}

static const char *
as_text(const Element *element)
{
	if (element->value.type != jbvString)
		refuse(element->path, "is not a string", "Write it in quotes.");
	return as_name(element->path, element->value.val.string.val,
				   element->value.val.string.len, false);
}

/*
 * The digits of a number.  It may come as a string or as a JSON number; both
 * are exact, and a string is written as a JSON number would be, so that "1e2"
 * is 100 either way and nothing that only numeric_in knows slips in.
 */
static char *
as_digits(const Element *element)
{
	const JsonbValue *value = &element->value;
	Datum		number;
	char	   *text,
			   *exponent;

	if (value->type == jbvNumeric)
		number = NumericGetDatum(value->val.numeric);
	else
	{
		if (value->type != jbvString ||
			!IsValidJsonNumber(value->val.string.val, value->val.string.len))
			refuse(element->path, "is not a number", "Write it as a number, or as a string of one.");
		text = pnstrdup(value->val.string.val, value->val.string.len);
		exponent = strpbrk(text, "eE");
		if (exponent == NULL)
			return text;
		if (strlen(exponent) > 4)
			refuse(element->path, "has an exponent out of range", "Write the digits out.");
		number = DirectFunctionCall3(numeric_in, CStringGetDatum(text),
									 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	}
	return DatumGetCString(DirectFunctionCall1(numeric_out, number));
}

static Amount
as_amount(const Element *element)
{
	char	   *text = as_digits(element);
	Amount		amount = 0;

	switch (amount_parse(text, strlen(text), &amount))
	{
		case AMOUNT_OK:
			break;
		case AMOUNT_NOT_A_NUMBER:
			refuse(element->path, "is not a number", "Write it as digits with at most one point.");
		case AMOUNT_NEGATIVE:
			refuse(element->path, "is negative", "Prices, counts and weights are at least 0.");
		case AMOUNT_TOO_LARGE:
			refuse(element->path, "is too large", "At most 12 digits may stand before the point.");
		case AMOUNT_TOO_FINE:
			refuse(element->path, "has too many decimal places",
				   "Amounts are exact to 8 places.");
	}
	return amount;
}

static int64
as_count(const Element *element, int64 low, int64 high)
{
	Amount		amount = as_amount(element);

	if (amount % AMOUNT_ONE != 0)
		refuse(element->path, "is not a whole number", "Write it without a fraction.");
	if (amount / AMOUNT_ONE < low || amount / AMOUNT_ONE > high)
		refuse(element->path,
			   psprintf("is not between " INT64_FORMAT " and " INT64_FORMAT, low, high),
			   "Choose a value in that range.");
	return (int64) (amount / AMOUNT_ONE);
}

static BlockPrice
read_block_price(const Element *plan, const char *name)
{
	static const char *const keys[] = {"included", "block", "price", NULL};
	BlockPrice	price = {0};
	Element		element,
				member;

	if (!find_member(plan, name, &element))
		return price;
	only_keys(&element, keys);
	price.priced = true;
	member = need_member(&element, "included");
	price.included = as_count(&member, 0, MAX_COUNT);
	member = need_member(&element, "block");
	price.block = as_count(&member, 1, MAX_COUNT);
	member = need_member(&element, "price");
	price.price = as_amount(&member);
	return price;
}

static void
check_free_plan(const CardPlan *plan, const Element *element)
{
	if (plan->price != 0)
		refuse(child_path(element->path, "price"), "is not 0 though the rank is 0",
			   "The plan of rank 0 is the free plan that every app starts on.");
	if (plan->dau.priced || plan->groups.priced || plan->mau.priced)
		refuse(element->path, "prices usage though the rank is 0",
			   "The limits of the free plan are never charged.");
}

static void
read_plan(void *target, const char *name, const Element *element)
{
	static const char *const keys[] = {"rank", "price", "dau", "groups", "mau", NULL};
	Card	   *card = target;
	CardPlan   *plan = &card->plans[card->nplans++];
	Element		member;

	only_keys(element, keys);
	plan->name = name;
	member = need_member(element, "rank");
	plan->rank = (int) as_count(&member, 0, 1000000);
	member = need_member(element, "price");
	plan->price = as_amount(&member);
	plan->dau = read_block_price(element, "dau");
	plan->groups = read_block_price(element, "groups");
	plan->mau = read_block_price(element, "mau");
	if (plan->dau.priced && plan->mau.priced)
		refuse(child_path(element->path, "mau"), "stands beside dau",
			   "A plan is priced by daily or by monthly users, not by both.");
	if (plan->rank == 0)
		check_free_plan(plan, element);
}

static void
read_plans(Card *card, const Element *root)
{
	Element		element;
	int			free_plans = 0;

	if (!find_member(root, "plans", &element))
		return;
	card->plans = palloc0(sizeof(CardPlan) * (each_member(&element, false, NULL, NULL) + 1));
	each_member(&element, false, read_plan, card);
	for (int i = 0; i < card->nplans; i++)
		free_plans += card->plans[i].rank == 0;
	if (free_plans != 1)
		refuse(element.path, psprintf("has %d plans of rank 0", free_plans),
			   "Exactly one plan has rank 0: the free one that every app starts on.");
}

/* An add-on that is being read; prices of all its plans go into one array. */
typedef struct AddonReader
{
	const Card *card;
	CardAddon  *addon;
	const char *plan;
} AddonReader;

static void
read_addon_price(void *target, const char *option, const Element *element)
{
	AddonReader *reader = target;
	CardAddon  *addon = reader->addon;

	addon->prices = addon->prices == NULL ? palloc(sizeof(AddonPrice)) :
		repalloc(addon->prices, sizeof(AddonPrice) * (addon->nprices + 1));
	addon->prices[addon->nprices++] = (AddonPrice) {reader->plan, option, as_amount(element)};
}

static void
read_addon_plan(void *target, const char *name, const Element *element)
{
	AddonReader *reader = target;
	const CardPlan *plan = card_plan(reader->card, name);

	if (plan == NULL)
		refuse(element->path, "names a plan that the card does not have",
			   "Use the names of plans.");
	if (plan->rank == 0)
		refuse(element->path, "prices an add-on on the free plan",
			   "Add-ons are sold on paid plans only.");
	reader->plan = plan->name;
	each_member(element, true, read_addon_price, reader);
}

static void
read_addon_minutes(void *target, const char *option, const Element *element)
{
	CardAddon  *addon = ((AddonReader *) target)->addon;

	addon->minutes[addon->nminutes++] = (AddonMinutes) {option, as_count(element, 0, MAX_COUNT)};
}

static void
check_addon_name(const char *name, const Element *element)
{
	static const char *const taken[] = {
		"plan", "plan_upgrade", "dau_overage", "mau_overage", "group_overage", "call_minutes",
		"local_moderation", "moderation_pack", "moderation", "refund", NULL
	};

	for (int i = 0; taken[i] != NULL; i++)
		if (strcmp(taken[i], name) == 0)
			refuse(element->path, "is the name of another item", "Choose another name for the add-on.");
}

static void
read_addon(void *target, const char *name, const Element *element)
{
	static const char *const keys[] = {"charge", "prices", "minutes", NULL};
	Card	   *card = target;
	CardAddon  *addon = &card->addons[card->naddons++];
	AddonReader reader = {card, addon, NULL};
	Element		member = need_member(element, "charge");
	const char *charge = as_text(&member);

	only_keys(element, keys);
	check_addon_name(name, element);
	addon->name = name;
	addon->postpaid = strcmp(charge, "postpaid") == 0;
	if (!addon->postpaid && strcmp(charge, "prepaid") != 0)
		refuse(member.path, psprintf("is \"%s\"", charge), "Use prepaid or postpaid.");
	member = need_member(element, "prices");
	each_member(&member, false, read_addon_plan, &reader);
	if (!find_member(element, "minutes", &member))
		return;
	if (addon->postpaid)
		refuse(member.path, "belongs to a postpaid add-on", "Only prepaid add-ons bring minutes.");
	addon->minutes = palloc0(sizeof(AddonMinutes) * (each_member(&member, true, NULL, NULL) + 1));
	each_member(&member, true, read_addon_minutes, &reader);
}

static void
read_addons(Card *card, const Element *root)
{
	Element		element;

	if (!find_member(root, "addons", &element))
		return;
	card->addons = palloc0(sizeof(CardAddon) * (each_member(&element, false, NULL, NULL) + 1));
	each_member(&element, false, read_addon, card);
}

static void
read_call_class(void *target, const char *name, const Element *element)
{
	static const char *const keys[] = {"ratio", "price", NULL};
	int			class = call_class_find(name, strlen(name));
	CallPrice  *price;
	Element		member;

	if (class < 0)
		refuse(element->path, "is an unknown call class", "Use audio, sd, hd or fhd.");
	only_keys(element, keys);
	price = &((Card *) target)->calls[class];
	price->priced = true;
	member = need_member(element, "ratio");
	price->ratio = as_count(&member, 1, 1000000);
	member = need_member(element, "price");
	price->price = as_amount(&member);
}

/*
 * A day's deductions times their price must be exact to 8 places, and audio
 * and video come in half minutes, which take one place more.
 */
static void
read_coefficient(void *target, const char *name, const Element *element)
{
	Card	   *card = target;
	int			kind = check_kind_find(name, strlen(name));
	int			places;

	if (kind < 0)
		refuse(element->path, "is an unknown kind of check", "Use text, image, audio or video.");
	card->weighs[kind] = true;
	card->coefficients[kind] = as_amount(element);
	places = amount_places(card->coefficients[kind]) + amount_places(card->deduction_price) +
		(kind == CHECK_AUDIO || kind == CHECK_VIDEO ? 1 : 0);
	if (places > AMOUNT_PLACES)
		refuse(element->path, "has too many decimal places for the price per deduction",
			   "The product of both, for half a minute of audio or video, has at most 8 places.");
}

static void
read_pack(void *target, const char *name, const Element *element)
{
	static const char *const keys[] = {"price", "deductions", "months", NULL};
	Card	   *card = target;
	CardPack   *pack = &card->packs[card->npacks++];
	Element		member = need_member(element, "price");

	only_keys(element, keys);
	pack->name = name;
	pack->price = as_amount(&member);
	member = need_member(element, "deductions");
	pack->deductions = as_count(&member, 1, MAX_COUNT);
	member = need_member(element, "months");
	pack->months = (int) as_count(&member, 1, 1200);
}

static void
read_moderation(Card *card, const Element *root)
{
	static const char *const keys[] = {"price", "coefficients", "packs", NULL};
	Element		element,
				member;

	if (find_member(root, "local_moderation", &element))
	{
		card->sells_local_moderation = true;
		card->local_moderation = as_amount(&element);
	}
	if (!find_member(root, "moderation", &element))
		return;
	only_keys(&element, keys);
	card->sells_moderation = true;
	member = need_member(&element, "price");
	card->deduction_price = as_amount(&member);
	member = need_member(&element, "coefficients");
	each_member(&member, false, read_coefficient, card);
	if (!find_member(&element, "packs", &member))
		return;
	card->packs = palloc0(sizeof(CardPack) * (each_member(&member, false, NULL, NULL) + 1));
	each_member(&member, false, read_pack, card);
}

/*
 * The server also takes POSIX rules such as UTC+8, in which the sign means
 * west: eight hours off in the wrong direction is no typo to bill by.
 */
static bool
is_posix_rule(const char *zone)
{
	if (strncmp(zone, "Etc/", 4) == 0)
		return false;
	for (const char *c = zone; *c != '\0'; c++)
		if ((*c == '+' || *c == '-') && c[1] >= '0' && c[1] <= '9')
			return true;
	return false;
}

static void
read_terms(Card *card, const Element *root)
{
	Element		member = need_member(root, "currency");

	card->currency = as_text(&member);
	if (strlen(card->currency) != 3 || strspn(card->currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3)
		refuse(member.path, psprintf("is \"%s\"", card->currency),
			   "Use the three capital letters of ISO 4217.");
	member = need_member(root, "scale");
	card->scale = (int) as_count(&member, 0, MAX_SCALE);
	member = need_member(root, "time_zone");
	card->time_zone = as_text(&member);
	if (is_posix_rule(card->time_zone) || pg_tzset(card->time_zone) == NULL)
		refuse(member.path, psprintf("is \"%s\", which is no time zone", card->time_zone),
			   "See pg_timezone_names for those that the server knows.");
	member = need_member(root, "grace_days");
	card->grace_days = (int) as_count(&member, 0, MAX_GRACE_DAYS);
}

const Card *
card_from_jsonb(Jsonb *jsonb)
{
	static const char *const keys[] = {
		"currency", "scale", "time_zone", "grace_days", "plans", "addons",
		"call_minutes", "local_moderation", "moderation", NULL
	};
	Card	   *card = palloc0(sizeof(Card));
	Element		root = {.path = ""};
	Element		element;

	root.value.type = jbvBinary;
	root.value.val.binary.data = &jsonb->root;
	root.value.val.binary.len = VARSIZE(jsonb) - VARHDRSZ;
	only_keys(&root, keys);
	read_terms(card, &root);
	read_plans(card, &root);
	read_addons(card, &root);
	if (find_member(&root, "call_minutes", &element))
		each_member(&element, false, read_call_class, card);
	read_moderation(card, &root);
	return card;
}
