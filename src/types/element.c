/*
 * element.c
 *	  The elements of a JSON document, each with its path.
 */
#include "types/element.h"

#include "types/decimal.h"

#include "common/jsonapi.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#define MAX_NAME_BYTES		63

Element
element_root(const char *document, Jsonb *jsonb)
{
	Element		root = {.document = document, .path = ""};

	root.value.type = jbvBinary;
	root.value.val.binary.data = &jsonb->root;
	root.value.val.binary.len = VARSIZE(jsonb) - VARHDRSZ;
	return root;
}

void
element_refuse(const Element *element, const char *what, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid %s: %s %s", element->document,
					element->path[0] == '\0' ? "the document" : element->path, what),
			 errdetail("The element stands at the path \"%s\".", element->path),
			 errhint("%s", hint)));
}

static Element
child_of(const Element *parent, const char *name)
{
	Element		child = {.document = parent->document};

	child.path = parent->path[0] == '\0' ? name : psprintf("%s.%s", parent->path, name);
	return child;
}

void
element_refuse_member(const Element *object, const char *name, const char *what, const char *hint)
{
	Element		member = child_of(object, name);

	element_refuse(&member, what, hint);
}

static bool
is_container(const Element *element, bool array)
{
	const JsonbValue *value = &element->value;
	JsonbContainer *container = value->val.binary.data;

	return value->type == jbvBinary &&
		(array ? JsonContainerIsArray(container) && !JsonContainerIsScalar(container) :
		 JsonContainerIsObject(container));
}

bool
element_is_object(const Element *element)
{
	return is_container(element, false);
}

bool
element_is_array(const Element *element)
{
	return is_container(element, true);
}

static JsonbContainer *
as_object(const Element *element)
{
	if (!element_is_object(element))
		element_refuse(element, "is not an object", "Write it as { \"key\": value, ... }.");
	return element->value.val.binary.data;
}

bool
element_find(const Element *object, const char *name, Element *member)
{
	JsonbContainer *container = as_object(object);

	*member = child_of(object, name);
	return getKeyJsonValueFromContainer(container, name, strlen(name), &member->value) != NULL;
}

Element
element_need(const Element *object, const char *name)
{
	Element		member;

	if (!element_find(object, name, &member))
		element_refuse(&member, "is missing", psprintf("Every such %s states this element.", object->document));
	return member;
}

static const char *
as_name(const Element *at, const char *text, int length, bool may_be_empty)
{
	if (length > MAX_NAME_BYTES)
		element_refuse(at, "is too long for a name", "Names have at most 63 bytes.");
	if (length == 0 && !may_be_empty)
		element_refuse(at, "is an empty name", "Give it a name.");
	for (int i = 0; i < length; i++)
		if ((unsigned char) text[i] < ' ' || text[i] == 0x7f)
			element_refuse(at, "has a control character in its name", "Use printable characters.");
	return pnstrdup(text, length);
}

int
element_each(const Element *object, bool may_be_empty, MemberReader reader, void *target)
{
	JsonbIterator *it = JsonbIteratorInit(as_object(object));
	JsonbIteratorToken token;
	JsonbValue	value;
	Element		member = {0};
	const char *name = NULL;
	int			count = 0;

	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			name = pnstrdup(value.val.string.val, value.val.string.len);
			member = child_of(object, name);
			as_name(&member, name, value.val.string.len, may_be_empty);
		}
		else if (token == WJB_VALUE)
		{
			member.value = value;
			if (reader != NULL)
				reader(target, name, &member);
			count++;
		}
	}
	return count;
}

int
element_each_of(const Element *array, MemberReader reader, void *target)
{
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	value;
	int			count = 0;

	if (!element_is_array(array))
		element_refuse(array, "is not an array", "Write it as [ value, ... ].");
	it = JsonbIteratorInit(array->value.val.binary.data);
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		Element		member = {array->document, psprintf("%s[%d]", array->path, count), value};

		if (token != WJB_ELEM)
			continue;
		if (reader != NULL)
			reader(target, member.path, &member);
		count++;
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
	element_refuse(member, "is an unknown key",
				   psprintf("Remove it, or see doc/reference.md for the keys of a %s.", member->document));
}

void
element_only_keys(const Element *object, const char *const *keys)
{
	KeyList		list = {keys};

	element_each(object, true, check_key, &list);
}

const char *
element_text(const Element *element)
{
	if (element->value.type != jbvString)
		element_refuse(element, "is not a string", "Write it in quotes.");
	return as_name(element, element->value.val.string.val,
				   element->value.val.string.len, false);
}

bool
element_boolean(const Element *element)
{
	if (element->value.type != jbvBool)
		element_refuse(element, "is not true or false", "Write true or false, without quotes.");
	return element->value.val.boolean;
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
			element_refuse(element, "is not a number", "Write it as a number, or as a string of one.");
		text = pnstrdup(value->val.string.val, value->val.string.len);
		exponent = strpbrk(text, "eE");
		if (exponent == NULL)
			return text;
		if (strlen(exponent) > 4)
			element_refuse(element, "has an exponent out of range", "Write the digits out.");
		number = DirectFunctionCall3(numeric_in, CStringGetDatum(text),
									 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	}
	return DatumGetCString(DirectFunctionCall1(numeric_out, number));
}

Amount
element_amount(const Element *element)
{
	char	   *text = as_digits(element);
	Amount		amount = 0;

	switch (amount_parse(text, strlen(text), &amount))
	{
		case AMOUNT_OK:
			break;
		case AMOUNT_NOT_A_NUMBER:
			element_refuse(element, "is not a number", "Write it as digits with at most one point.");
		case AMOUNT_NEGATIVE:
			element_refuse(element, "is negative", "Prices, counts and weights are at least 0.");
		case AMOUNT_TOO_LARGE:
			element_refuse(element, "is too large", "At most 12 digits may stand before the point.");
		case AMOUNT_TOO_FINE:
			element_refuse(element, "has too many decimal places",
				   "Amounts are exact to 8 places.");
	}
	return amount;
}

Amount
element_figure(const Element *element)
{
	Datum		number = DirectFunctionCall3(numeric_in, CStringGetDatum(as_digits(element)),
											 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	Amount		amount = 0;

	if (decimal_amount((struct varlena *) DatumGetPointer(number), &amount) != AMOUNT_OK)
		element_refuse(element, "does not fit", "Figures have at most 30 digits before the point and 8 behind it.");
	return amount;
}

int64
element_count(const Element *element, int64 low, int64 high)
{
	Amount		amount = element_amount(element);

	if (amount % AMOUNT_ONE != 0)
		element_refuse(element, "is not a whole number", "Write it without a fraction.");
	if (amount / AMOUNT_ONE < low || amount / AMOUNT_ONE > high)
		element_refuse(element,
			   psprintf("is not between " INT64_FORMAT " and " INT64_FORMAT, low, high),
			   "Choose a value in that range.");
	return (int64) (amount / AMOUNT_ONE);
}

