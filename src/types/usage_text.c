/*
 * usage_text.c
 *	  The text form of an im_usage: a JSON document for people.
 *
 *	  {"since": "2024-03-01",
 *	   "days": [{"day": "2024-03-01", "dau": 3, "given": ["dau"], "users": "{a,b,c}"}, ...],
 *	   "meters": [{"meter": "storage_gb", "day": "2024-03-01", "quantity": 1.5, ...}, ...]}
 *
 * "given" names the figures that the user gave, or is true where his row
 * speaks for the whole day; without it a day was metered.  Figures of 0 are
 * left out, and so is what there is nothing of.
 */
#include "types/usage_value.h"

#include "miscadmin.h"
#include "types/element.h"
#include "types/stored_json.h"
#include "types/userset.h"
#include "utils/date.h"
#include "utils/json.h"

PG_FUNCTION_INFO_V1(im_usage_in);
PG_FUNCTION_INFO_V1(im_usage_out);

static const char *const usage_keys[] = {"since", "days", "meters", NULL};
static const char *const day_keys[] = {
	"day", "dau", "peak_groups", "text_checks", "image_checks",
	"audio_half_minutes", "video_half_minutes", "audio_minutes", "sd_minutes", "hd_minutes", "fhd_minutes",
	"given", "users", "users_given", NULL
};
static const char *const meter_keys[] = {
	"meter", "day", "given", "quantity", "area", "before", "length", "users", NULL
};

/* ---- in ---- */

static CalDay
element_day(const Element *element)
{
	const char *text = element_text(element);
	DateADT		day;

	/* not "today", which no stored value can mean */
	if (strlen(text) != strlen("2024-03-01") || strspn(text, "0123456789-") != strlen(text))
		element_refuse(element, "is no day", "Write it as 2024-03-01.");
	day = DatumGetDateADT(DirectFunctionCall1(date_in, CStringGetDatum(text)));
	if (day < CAL_MIN_DAY || day > CAL_MAX_DAY)
		element_refuse(element, "is out of range", "Days run from 0001-01-01 through 9999-12-31.");
	return day;
}

static int64
element_whole(const Element *element)
{
	Amount		figure = element_figure(element);

	if (figure < 0 || figure % AMOUNT_ONE != 0 || figure / AMOUNT_ONE > PG_INT64_MAX)
		element_refuse(element, "is no figure", "Figures are whole numbers from 0 that fit into a bigint.");
	return (int64) (figure / AMOUNT_ONE);
}

static struct varlena *
element_users(const Element *element)
{
	char	   *text;

	if (element->value.type != jbvString)
		element_refuse(element, "is no set of users", "Write it as a string such as \"{alice,bob}\".");
	text = pnstrdup(element->value.val.string.val, element->value.val.string.len);
	return (struct varlena *) DatumGetPointer(DirectFunctionCall1(im_userset_in, CStringGetDatum(text)));
}

static void
read_given_name(void *target, const char *name, const Element *element)
{
	GivenFigures *given = target;
	const char *text = element_text(element);

	(void) name;
	for (int f = USAGE_DAY + 1; f < USAGE_FIELDS; f++)
		if (strcmp(text, usage_field_names[f]) == 0)
		{
			*given |= GIVEN(f);
			return;
		}
	element_refuse(element, "is no figure of a day", "Name figures such as \"dau\" and \"text_checks\".");
}

static GivenFigures
element_given(const Element *element)
{
	GivenFigures given = 0;

	if (element->value.type == jbvBool)
		return element_boolean(element) ? GIVEN_WHOLE : 0;
	element_each_of(element, read_given_name, &given);
	return given;
}

static void
read_day(void *target, const char *name, const Element *object)
{
	UsageRow   *row;
	Element		day = element_need(object, "day"),
				member;

	(void) name;
	element_only_keys(object, day_keys);
	row = usage_rows_add(target, element_day(&day));
	for (int f = USAGE_DAY + 1; f < USAGE_FIELDS; f++)
		if (element_find(object, usage_field_names[f], &member))
			row->fields[f] = element_whole(&member);
	if (element_find(object, "given", &member))
		row->given = element_given(&member);
	if (element_find(object, "users", &member))
		row->users = element_users(&member);
	if (element_find(object, "users_given", &member))
		row->users_given = row->users != NULL && element_boolean(&member);
}

static void
read_meter_day(void *target, const char *name, const Element *object)
{
	Element		meter = element_need(object, "meter"),
				day = element_need(object, "day"),
				member;
	MeterRow   *row;

	(void) name;
	element_only_keys(object, meter_keys);
	row = usage_rows_add_meter(target, element_text(&meter), element_day(&day));
	row->day.has_given = element_find(object, "given", &member);
	if (row->day.has_given)
		row->day.given = element_figure(&member);
	row->day.has_events = element_find(object, "quantity", &member);
	if (row->day.has_events)
		row->day.quantity = element_figure(&member);
	if (element_find(object, "area", &member))
		row->day.area = element_figure(&member);
	if (element_find(object, "before", &member))
		row->day.before = element_whole(&member);
	if (element_find(object, "length", &member))
		row->day.length = element_whole(&member);
	if (element_find(object, "users", &member))
		row->users = element_users(&member);
}

Datum
im_usage_in(PG_FUNCTION_ARGS)
{
	Element		root = element_root("usage", jsonb_of_text(PG_GETARG_CSTRING(0))),
				member;
	UsageRows	rows;

	usage_rows_init(&rows, 31);
	element_only_keys(&root, usage_keys);
	if (element_find(&root, "since", &member))
		rows.since = element_day(&member);
	if (element_find(&root, "days", &member))
		element_each_of(&member, read_day, &rows);
	if (element_find(&root, "meters", &member))
		element_each_of(&member, read_meter_day, &rows);
	usage_rows_fold(&rows, 0);
	PG_RETURN_POINTER(usage_rows_value(&rows));
}

/* ---- out ---- */

static void
put_key(StringInfo out, const char *key)
{
	char		last = out->len > 0 ? out->data[out->len - 1] : '{';

	if (last != '{' && last != '[')
		appendStringInfoString(out, ", ");
	appendStringInfo(out, "\"%s\": ", key);
}

static void
put_day(StringInfo out, CalDay day)
{
	char		text[CAL_TEXT_SIZE];

	appendStringInfo(out, "\"%s\"", cal_day_text(day, text));
}

static void
put_count(StringInfo out, const char *key, int64 count)
{
	if (count == 0)
		return;
	put_key(out, key);
	appendStringInfo(out, INT64_FORMAT, count);
}

static void
put_figure(StringInfo out, const char *key, Amount figure)
{
	char		text[AMOUNT_TEXT_SIZE];

	put_key(out, key);
	appendStringInfoString(out, amount_text(figure, 0, text));
}

static void
put_users(StringInfo out, struct varlena *users)
{
	if (users == NULL)
		return;
	put_key(out, "users");
	escape_json(out, DatumGetCString(DirectFunctionCall1(im_userset_out, PointerGetDatum(users))));
}

static void
put_given(StringInfo out, GivenFigures given)
{
	if (given == 0)
		return;
	put_key(out, "given");
	if (given == GIVEN_WHOLE)
	{
		appendStringInfoString(out, "true");
		return;
	}
	appendStringInfoChar(out, '[');
	for (int f = USAGE_DAY + 1; f < USAGE_FIELDS; f++)
		if ((given & GIVEN(f)) != 0)
			appendStringInfo(out, "%s\"%s\"", out->data[out->len - 1] == '[' ? "" : ", ", usage_field_names[f]);
	appendStringInfoChar(out, ']');
}

static void
put_row(StringInfo out, const UsageRow *row)
{
	appendStringInfoString(out, out->data[out->len - 1] == '[' ? "{" : ", {");
	put_key(out, "day");
	put_day(out, (CalDay) row->fields[USAGE_DAY]);
	for (int f = USAGE_DAY + 1; f < USAGE_FIELDS; f++)
		put_count(out, usage_field_names[f], row->fields[f]);
	put_given(out, row->given);
	put_users(out, row->users);
	if (row->users_given)
	{
		put_key(out, "users_given");
		appendStringInfoString(out, "true");
	}
	appendStringInfoChar(out, '}');
}

static void
put_meter_row(StringInfo out, const MeterRow *row)
{
	const MeterDay *day = &row->day;

	appendStringInfoString(out, out->data[out->len - 1] == '[' ? "{" : ", {");
	put_key(out, "meter");
	escape_json(out, row->meter);
	put_key(out, "day");
	put_day(out, day->day);
	if (day->has_given)
		put_figure(out, "given", day->given);
	if (day->has_events)
		put_figure(out, "quantity", day->quantity);
	if (day->area != 0)
		put_figure(out, "area", day->area);
	put_count(out, "before", day->before);
	put_count(out, "length", day->length);
	put_users(out, row->users);
	appendStringInfoChar(out, '}');
}

Datum
im_usage_out(PG_FUNCTION_ARGS)
{
	UsageRows	rows;
	StringInfoData out;

	usage_rows_init(&rows, 31);
	usage_rows_read(&rows, PG_GETARG_USAGE_VALUE_P(0), ERRCODE_DATA_CORRUPTED);
	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	if (rows.since != USAGE_SINCE_OPEN)
	{
		put_key(&out, "since");
		put_day(&out, rows.since);
	}
	put_key(&out, "days");
	appendStringInfoChar(&out, '[');
	for (int64 i = 0; i < rows.count; i++)
		put_row(&out, &rows.rows[i]);
	appendStringInfoChar(&out, ']');
	if (rows.nmeters > 0)
	{
		put_key(&out, "meters");
		appendStringInfoChar(&out, '[');
		for (int64 i = 0; i < rows.nmeters; i++)
			put_meter_row(&out, &rows.meters[i]);
		appendStringInfoChar(&out, ']');
	}
	appendStringInfoChar(&out, '}');
	PG_RETURN_CSTRING(out.data);
}
