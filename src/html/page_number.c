/*
 * page_number.c
 *	  Numbers as people read them: 1,234,567.50.
 */
#include "html/page_text.h"

#include <ctype.h>

#include "utils/builtins.h"
#include "utils/numeric.h"

PG_FUNCTION_INFO_V1(im_html_number);
PG_FUNCTION_INFO_V1(im_html_grouped);

/* Far more than any currency has, or an amount of ours. */
#define MAX_PLACES	100

/* Digits in groups of three from the right. */
static void
append_grouped(StringInfo page, const char *digits, int len)
{
	for (int i = 0; i < len; i++)
	{
		if (i > 0 && (len - i) % 3 == 0)
			appendStringInfoChar(page, ',');
		appendStringInfoChar(page, digits[i]);
	}
}

static int
checked_places(int places)
{
	if (places < 0 || places > MAX_PLACES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a number cannot be shown with %d places", places),
				 errdetail("Zeros are added up to so many places; from 0 to %d can be asked for.",
						   MAX_PLACES),
				 errhint("Ask for 0 to get those that the number has.")));
	return places;
}

Datum
im_html_number(PG_FUNCTION_ARGS)
{
	char	   *text = DatumGetCString(DirectFunctionCall1(numeric_out, PG_GETARG_DATUM(0)));
	int			places = checked_places(PG_GETARG_INT32(1));
	char	   *digits = text[0] == '-' ? text + 1 : text;
	int			whole = (int) strcspn(digits, "."),
				fraction = digits[whole] == '.' ? (int) strlen(digits + whole + 1) : 0;
	StringInfoData page;

	while (fraction > 0 && digits[whole + fraction] == '0')
		fraction--;
	initStringInfo(&page);
	if (digits != text)
		appendStringInfoChar(&page, '-');
	append_grouped(&page, digits, whole);
	if (fraction > 0 || places > 0)
		appendStringInfoChar(&page, '.');
	appendBinaryStringInfo(&page, digits + whole + 1, fraction);
	for (int i = fraction; i < places; i++)
		appendStringInfoChar(&page, '0');
	PG_RETURN_TEXT_P(cstring_to_text_with_len(page.data, page.len));
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A byte of a word, a reference of a character or a name that a digit may be in. */
static bool
is_of_word(char c)
{
	return (c & 0x80) != 0 || isalnum((unsigned char) c) || c == '_' || c == '#';
}

/* Chinese marks, three bytes each: no name goes on behind them. */
static bool
is_mark(const char *c)
{
	static const char *const marks[] = {"（", "）", "，", "。", "：", "、"};

	for (int i = 0; i < (int) lengthof(marks); i++)
		if (strncmp(c, marks[i], 3) == 0)
			return true;
	return false;
}

/* What is called by its number: "order 1400000003". */
static bool
follows_name(const char *start, const char *number)
{
	static const char *const names[] = {"order ", "Order ", "app ", "App "};

	for (int i = 0; i < (int) lengthof(names); i++)
	{
		int			len = (int) strlen(names[i]);

		if (number - start >= len && memcmp(number - len, names[i], len) == 0)
			return true;
	}
	return false;
}

/*
 * Whether the digits from number until end are an amount: no day (2024-03-17),
 * no time (08:10), no part of a name, no fraction.
 */
static bool
is_amount(const char *start, const char *number, const char *end)
{
	char		before = number > start ? number[-1] : ' ',
				before_that = number > start + 1 ? number[-2] : ' ';

	if ((is_of_word(before) && !(number - start >= 3 && is_mark(number - 3))) ||
		(is_of_word(*end) && !is_mark(end)) || ((*end == '-' || *end == ':') && is_digit(end[1])))
		return false;
	if (strchr(".,:-", before) != NULL && is_digit(before_that))
		return false;
	return !follows_name(start, number);
}

/* A sentence of a page whose numbers get separators of thousands. */
Datum
im_html_grouped(PG_FUNCTION_ARGS)
{
	char	   *sentence = text_to_cstring(PG_GETARG_TEXT_PP(0)),
			   *rest = sentence;
	StringInfoData page;

	initStringInfo(&page);
	while (*rest != '\0')
	{
		int			other = (int) strcspn(rest, "0123456789"),
					digits = (int) strspn(rest + other, "0123456789");
		char	   *number = rest + other;

		appendBinaryStringInfo(&page, rest, other);
		if (is_amount(sentence, number, number + digits))
			append_grouped(&page, number, digits);
		else
			appendBinaryStringInfo(&page, number, digits);
		rest = number + digits;
	}
	PG_RETURN_TEXT_P(cstring_to_text_with_len(page.data, page.len));
}
