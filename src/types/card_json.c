/*
 * card_json.c
 *	  Reads a price list from JSON and refuses whatever is not one.
 *
 * PostgreSQL's jsonb has parsed the text; what is left is to give every
 * element its meaning.
 */
#include "types/rate_card.h"

#include "pgtime.h"
#include "types/card_limits.h"
#include "types/card_offers.h"
#include "types/charge.h"
#include "types/element.h"

#define MAX_COUNT			INT64CONST(1000000000000000)
#define MAX_GRACE_DAYS		3660
#define MAX_MONTHS			1200
#define MAX_PRIORITY		1000000
#define MAX_SCALE			AMOUNT_PLACES

static bool
is_one_of(const char *name, const char *const *names)
{
	for (; *names != NULL; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

/* Items that no add-on was ever called by. */
static const char *const items[] = {
	"plan", "plan_upgrade", "dau_overage", "mau_overage", "group_overage", "call_minutes",
	"local_moderation", "moderation_pack", "moderation", "refund", NULL
};

/* Items that came later: an add-on of that name keeps it, a meter gets another. */
static const char *const later_items[] = {"pack", "credit", "charge", "manual", NULL};

static const char *const built_in_meters[] = {METER_DAU, METER_MAU, METER_GROUPS, NULL};

static MeterKind
read_meter_kind(const Element *meter, const char *key)
{
	Element		member = element_need(meter, key);
	const char *name = element_text(&member);
	int			kind = meter_kind_find(name, strlen(name));

	if (kind < 0)
		element_refuse(&member, psprintf("is \"%s\"", name), "Use sum, max, unique, last or average.");
	return kind;
}

static void
read_meter(void *target, const char *name, const Element *element)
{
	static const char *const keys[] = {"day", "month", NULL};
	Card	   *card = target;
	CardMeter  *meter = &card->meters[card->nmeters++];

	element_only_keys(element, keys);
	if (is_one_of(name, built_in_meters))
		element_refuse(element, "is a meter that every card has",
			   "Price it in plans; for a meter of your own choose another name.");
	if (is_one_of(name, items) || is_one_of(name, later_items))
		element_refuse(element, "is the name of another item", "Choose another name for the meter.");
	meter->name = name;
	meter->day = read_meter_kind(element, "day");
	meter->month = read_meter_kind(element, "month");
	if (meter->month == METER_UNIQUE && meter->day != METER_UNIQUE)
		element_refuse_member(element, "month", "is \"unique\" though the day is not",
			   "Only a meter whose day is unique knows the subjects of the month.");
}

static void
read_meters(Card *card, const Element *root)
{
	Element		element;

	if (!element_find(root, "meters", &element))
		return;
	card->meters = palloc0(sizeof(CardMeter) * (element_each(&element, false, NULL, NULL) + 1));
	element_each(&element, false, read_meter, card);
}

/* Who reads charges of usage: a plan or an add-on. */
typedef struct UsageReader
{
	const Card *card;
	int			nusage;
	UsageCharge *usage;
} UsageReader;

static void
check_share(const Card *card, const Charge *charge, const Element *element)
{
	Element		included;

	if (charge->share_of == NULL || card_meter(card, charge->share_of) != NULL)
		return;
	included = element_need(element, "included");
	element_refuse_member(&included, "of", psprintf("is \"%s\", which is no meter of the card", charge->share_of),
			   "Name one of meters, or dau, mau or groups.");
}

static void
add_usage(UsageReader *reader, const char *meter, const Element *element, bool brief)
{
	const Charge *charge = charge_from_element(element);

	check_share(reader->card, charge, element);
	reader->usage = reader->usage == NULL ? palloc(sizeof(UsageCharge)) :
		repalloc(reader->usage, sizeof(UsageCharge) * (reader->nusage + 1));
	reader->usage[reader->nusage++] = (UsageCharge) {meter, charge, brief};
}

static void
read_usage_charge(void *target, const char *name, const Element *element)
{
	UsageReader *reader = target;

	if (card_meter(reader->card, name) == NULL)
		element_refuse(element, "is no meter of the card",
			   "Name one of meters, or dau, mau or groups.");
	for (int i = 0; i < reader->nusage; i++)
		if (strcmp(reader->usage[i].meter, name) == 0)
			element_refuse(element, psprintf("stands beside %s of the plan", name),
				   "One charge for a meter is enough: leave one of the two out.");
	add_usage(reader, name, element, false);
}

static void
read_usage(UsageReader *reader, const Element *owner)
{
	Element		element;

	if (element_find(owner, "usage", &element))
		element_each(&element, false, read_usage_charge, reader);
}

/*
 * The short form of usage.dau and its like.  A plain price states its quota and
 * its block, in whole users or groups, as it did before there were shapes.
 */
static bool
read_short_charge(UsageReader *reader, const char *meter, const Element *plan)
{
	Element		element,
				member;

	if (!element_find(plan, meter, &element))
		return false;
	if (!element_find(&element, "mode", &member))
	{
		member = element_need(&element, "included");
		if (!element_is_object(&member))
			element_count(&member, 0, MAX_COUNT);
		member = element_need(&element, "block");
		element_count(&member, 1, MAX_COUNT);
	}
	add_usage(reader, meter, &element, true);
	return true;
}

/* Charges in the order of meters that bills of before asked for them. */
static void
read_plan_usage(const Card *card, CardPlan *plan, const Element *element)
{
	UsageReader reader = {.card = card};
	bool		dau = read_short_charge(&reader, METER_DAU, element);

	if (read_short_charge(&reader, METER_MAU, element) && dau)
		element_refuse_member(element, "mau", "stands beside dau",
			   "A plan is priced by daily or by monthly users, not by both.");
	read_short_charge(&reader, METER_GROUPS, element);
	read_usage(&reader, element);
	plan->nusage = reader.nusage;
	plan->usage = reader.usage;
}

static void
check_free_plan(const CardPlan *plan, const Element *element)
{
	Element		usage;

	if (plan->price != 0)
		element_refuse_member(element, "price", "is not 0 though the rank is 0",
			   "The plan of rank 0 is the free plan that every app starts on.");
	if (plan->nusage > 0)
		element_refuse(element_find(element, "usage", &usage) ? &usage : element, "prices usage though the rank is 0",
			   "The limits of the free plan are never charged.");
}

static void
read_plan(void *target, const char *name, const Element *element)
{
	static const char *const keys[] = {"rank", "price", "prices", "dau", "groups", "mau", "usage", "limits", NULL};
	Card	   *card = target;
	CardPlan   *plan = &card->plans[card->nplans++];
	Element		member;

	element_only_keys(element, keys);
	plan->name = name;
	member = element_need(element, "rank");
	plan->rank = (int) element_count(&member, 0, 1000000);
	member = element_need(element, "price");
	plan->price = element_amount(&member);
	read_term_prices(plan, element);
	read_plan_usage(card, plan, element);
	limits_of_plan(card, plan, element);
	if (plan->rank == 0)
		check_free_plan(plan, element);
}

static void
read_plans(Card *card, const Element *root)
{
	Element		element;
	int			free_plans = 0;

	if (!element_find(root, "plans", &element))
		return;
	card->plans = palloc0(sizeof(CardPlan) * (element_each(&element, false, NULL, NULL) + 1));
	element_each(&element, false, read_plan, card);
	for (int i = 0; i < card->nplans; i++)
		free_plans += card->plans[i].rank == 0;
	if (free_plans != 1)
		element_refuse(&element, psprintf("has %d plans of rank 0", free_plans),
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
	addon->prices[addon->nprices++] = (AddonPrice) {reader->plan, option, element_amount(element)};
}

static void
read_addon_plan(void *target, const char *name, const Element *element)
{
	AddonReader *reader = target;
	const CardPlan *plan = card_plan(reader->card, name);

	if (plan == NULL)
		element_refuse(element, "names a plan that the card does not have",
			   "Use the names of plans.");
	if (plan->rank == 0)
		element_refuse(element, "prices an add-on on the free plan",
			   "Add-ons are sold on paid plans only.");
	reader->plan = plan->name;
	element_each(element, true, read_addon_price, reader);
}

static void
read_addon_minutes(void *target, const char *option, const Element *element)
{
	CardAddon  *addon = ((AddonReader *) target)->addon;

	addon->minutes[addon->nminutes++] = (AddonMinutes) {option, element_count(element, 0, MAX_COUNT)};
}

static void
check_addon_name(const char *name, const Element *element)
{
	if (is_one_of(name, items))
		element_refuse(element, "is the name of another item", "Choose another name for the add-on.");
}

/* One meter is priced in one place. */
static void
check_usage_payer(const Card *card, const CardAddon *addon, const char *meter, const Element *element)
{
	const CardAddon *other = card_usage_addon(card, meter);

	if (other != addon)
		element_refuse(element, psprintf("is priced by add-on %s too", other->name),
			   "A meter is priced by plans or by one add-on.");
	for (int i = 0; i < card->nplans; i++)
		if (plan_charge(&card->plans[i], meter) != NULL)
			element_refuse(element, psprintf("is priced by plan %s too", card->plans[i].name),
				   "A meter is priced by plans or by one add-on.");
}

static void
read_addon_usage(const Card *card, CardAddon *addon, const Element *element)
{
	UsageReader reader = {.card = card};
	Element		usage,
				member;

	read_usage(&reader, element);
	addon->nusage = reader.nusage;
	addon->usage = reader.usage;
	for (int i = 0; i < addon->nusage; i++)
	{
		usage = element_need(element, "usage");
		member = element_need(&usage, addon->usage[i].meter);
		check_usage_payer(card, addon, addon->usage[i].meter, &member);
	}
}

static void
read_minutes(AddonReader *reader, const Element *element)
{
	CardAddon  *addon = reader->addon;
	Element		member;

	if (!element_find(element, "minutes", &member))
		return;
	if (addon->postpaid)
		element_refuse(&member, "belongs to a postpaid add-on", "Only prepaid add-ons bring minutes.");
	addon->minutes = palloc0(sizeof(AddonMinutes) * (element_each(&member, true, NULL, NULL) + 1));
	element_each(&member, true, read_addon_minutes, reader);
}

static void
read_addon(void *target, const char *name, const Element *element)
{
	static const char *const keys[] = {"charge", "prices", "minutes", "usage", "limits", "renew_only", NULL};
	Card	   *card = target;
	CardAddon  *addon = &card->addons[card->naddons++];
	AddonReader reader = {card, addon, NULL};
	Element		member = element_need(element, "charge");
	const char *charge = element_text(&member);

	element_only_keys(element, keys);
	check_addon_name(name, element);
	addon->name = name;
	addon->postpaid = strcmp(charge, "postpaid") == 0;
	if (!addon->postpaid && strcmp(charge, "prepaid") != 0)
		element_refuse(&member, psprintf("is \"%s\"", charge), "Use prepaid or postpaid.");
	member = element_need(element, "prices");
	element_each(&member, false, read_addon_plan, &reader);
	read_renew_only(addon, element);
	read_minutes(&reader, element);
	read_addon_usage(card, addon, element);
	limits_of_addon(card, addon, element);
}

static void
read_addons(Card *card, const Element *root)
{
	Element		element;

	if (!element_find(root, "addons", &element))
		return;
	card->addons = palloc0(sizeof(CardAddon) * (element_each(&element, false, NULL, NULL) + 1));
	element_each(&element, false, read_addon, card);
}

static void
check_meter_names(const Card *card, const Element *root)
{
	Element		meters;

	for (int i = 0; i < card->nmeters; i++)
	{
		meters = element_need(root, "meters");
		if (card_addon(card, card->meters[i].name) != NULL)
			element_refuse_member(&meters, card->meters[i].name, "is the name of an add-on",
				   "Choose another name for the meter.");
	}
}

static void
read_call_class(void *target, const char *name, const Element *element)
{
	static const char *const keys[] = {"ratio", "price", NULL};
	int			class = call_class_find(name, strlen(name));
	CallPrice  *price;
	Element		member;

	if (class < 0)
		element_refuse(element, "is an unknown call class", "Use audio, sd, hd or fhd.");
	element_only_keys(element, keys);
	price = &((Card *) target)->calls[class];
	price->priced = true;
	member = element_need(element, "ratio");
	price->ratio = element_count(&member, 1, 1000000);
	member = element_need(element, "price");
	price->price = element_amount(&member);
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
		element_refuse(element, "is an unknown kind of check", "Use text, image, audio or video.");
	card->weighs[kind] = true;
	card->coefficients[kind] = element_amount(element);
	places = amount_places(card->coefficients[kind]) + amount_places(card->deduction_price) +
		(kind == CHECK_AUDIO || kind == CHECK_VIDEO ? 1 : 0);
	if (places > AMOUNT_PLACES)
		element_refuse(element, "has too many decimal places for the price per deduction",
			   "The product of both, for half a minute of audio or video, has at most 8 places.");
}

static void
read_pack(void *target, const char *name, const Element *element)
{
	static const char *const keys[] = {"price", "deductions", "months", NULL};
	Card	   *card = target;
	CardPack   *pack = &card->packs[card->npacks++];
	Element		member = element_need(element, "price");

	element_only_keys(element, keys);
	pack->name = name;
	pack->price = element_amount(&member);
	member = element_need(element, "deductions");
	pack->holds = amount_of(element_count(&member, 1, MAX_COUNT));
	member = element_need(element, "months");
	pack->months = (int) element_count(&member, 1, MAX_MONTHS);
}

static void
read_moderation(Card *card, const Element *root)
{
	static const char *const keys[] = {"price", "coefficients", "packs", "plans", NULL};
	Element		element,
				member;

	if (element_find(root, "local_moderation", &element))
	{
		card->sells_local_moderation = true;
		card->local_moderation = element_amount(&element);
	}
	if (!element_find(root, "moderation", &element))
		return;
	element_only_keys(&element, keys);
	card->sells_moderation = true;
	member = element_need(&element, "price");
	card->deduction_price = element_amount(&member);
	member = element_need(&element, "coefficients");
	element_each(&member, false, read_coefficient, card);
	read_moderation_plans(card, &element);
	if (!element_find(&element, "packs", &member))
		return;
	card->packs = palloc0(sizeof(CardPack) * (element_each(&member, false, NULL, NULL) + 1));
	element_each(&member, false, read_pack, card);
}

static const char *
read_pack_meter(const Card *card, const Element *pack)
{
	Element		member = element_need(pack, "meter");
	const char *name = element_text(&member);
	const CardMeter *meter = card_meter(card, name);

	if (meter == NULL)
		element_refuse(&member, psprintf("is \"%s\", which is no meter of the card", name), "Name one of meters.");
	if (meter->month != METER_SUM)
		element_refuse(&member, psprintf("is \"%s\", which does not sum the days of a month", name),
			   "A pack is used up day by day, so its meter has \"month\": \"sum\".");
	return meter->name;
}

static void
read_meter_pack(void *target, const char *name, const Element *element)
{
	static const char *const keys[] = {"meter", "holds", "price", "months", "priority", NULL};
	Card	   *card = target;
	CardPack   *pack = &card->meter_packs[card->nmeter_packs++];
	Element		member;

	element_only_keys(element, keys);
	pack->name = name;
	pack->meter = read_pack_meter(card, element);
	member = element_need(element, "holds");
	pack->holds = element_amount(&member);
	if (pack->holds == 0)
		element_refuse(&member, "is 0", "A pack holds more than nothing.");
	member = element_need(element, "price");
	pack->price = element_amount(&member);
	member = element_need(element, "months");
	pack->months = (int) element_count(&member, 1, MAX_MONTHS);
	pack->priority = element_find(element, "priority", &member) ?
		(int) element_count(&member, 0, MAX_PRIORITY) : PACK_PRIORITY;
}

/* An add-on that was called pack before there were packs keeps the name. */
static void
read_meter_packs(Card *card, const Element *root)
{
	Element		element;

	if (!element_find(root, "packs", &element))
		return;
	if (card_addon(card, "pack") != NULL)
		element_refuse(&element, "stands beside an add-on named pack",
			   "Orders of packs have the item pack: give the add-on another name.");
	card->meter_packs = palloc0(sizeof(CardPack) * (element_each(&element, false, NULL, NULL) + 1));
	element_each(&element, false, read_meter_pack, card);
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
	Element		member = element_need(root, "currency");

	card->currency = element_text(&member);
	if (strlen(card->currency) != 3 || strspn(card->currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3)
		element_refuse(&member, psprintf("is \"%s\"", card->currency),
			   "Use the three capital letters of ISO 4217.");
	member = element_need(root, "scale");
	card->scale = (int) element_count(&member, 0, MAX_SCALE);
	member = element_need(root, "time_zone");
	card->time_zone = element_text(&member);
	if (is_posix_rule(card->time_zone) || pg_tzset(card->time_zone) == NULL)
		element_refuse(&member, psprintf("is \"%s\", which is no time zone", card->time_zone),
			   "See pg_timezone_names for those that the server knows.");
	member = element_need(root, "grace_days");
	card->grace_days = (int) element_count(&member, 0, MAX_GRACE_DAYS);
}

const Card *
card_from_jsonb(Jsonb *jsonb)
{
	static const char *const keys[] = {
		"currency", "scale", "time_zone", "grace_days", "plans", "addons",
		"call_minutes", "local_moderation", "moderation", "meters", "packs", NULL
	};
	Card	   *card = palloc0(sizeof(Card));
	Element		root = element_root(RATE_CARD_TYPE, jsonb);
	Element		element;

	element_only_keys(&root, keys);
	read_terms(card, &root);
	read_meters(card, &root);
	read_plans(card, &root);
	read_addons(card, &root);
	check_meter_names(card, &root);
	read_meter_packs(card, &root);
	if (element_find(&root, "call_minutes", &element))
		element_each(&element, false, read_call_class, card);
	read_moderation(card, &root);
	limits_settle(card, &root);
	return card;
}
