/*
 * page_number.c
 *	  Numbers as people read them: 1,234,567.50.
 */
#include "html/page_text.h"

#include "utils/numeric.h"

PG_FUNCTION_INFO_V1(im_html_number);

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
