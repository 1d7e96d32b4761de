/*
 * page_text.c
 *	  Text as it may stand in an HTML page, in content and in attributes.
 *
 * The server's own escape_xml() leaves quotes and control characters alone,
 * and names of apps are whatever a stranger chose.
 */
#include "html/page_text.h"

#include "mb/pg_wchar.h"

PG_FUNCTION_INFO_V1(im_html_text);

#define REPLACEMENT		0xFFFD

static const char *
reference_of(pg_wchar c)
{
	switch (c)
	{
		case '&':
			return "&amp;";
		case '<':
			return "&lt;";
		case '>':
			return "&gt;";
		case '"':
			return "&quot;";
		case '\'':
			return "&#39;";
	}
	return NULL;
}

static bool
is_forbidden(pg_wchar c)
{
	if (c < 0x20)
		return c != '\t' && c != '\n' && c != '\r';
	/* no name turns round what stands behind it */
	if ((c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069))
		return true;
	return (c >= 0x7F && c <= 0x9F) || (c >= 0xFDD0 && c <= 0xFDEF) || (c & 0xFFFE) == 0xFFFE;
}

/* True if the client reads what the server writes as UTF-8. */
static bool
client_reads_utf8(void)
{
	int			client = pg_get_client_encoding();

	return GetDatabaseEncoding() == PG_UTF8 && (client == PG_UTF8 || client == PG_SQL_ASCII);
}

/* The character at *at, which moves on; broken bytes are taken one by one. */
static pg_wchar
next_character(const unsigned char **at, const unsigned char *end)
{
	const unsigned char *start = *at;
	int			length = pg_utf_mblen(start);

	if (length > end - start || !pg_utf8_islegal(start, length))
	{
		*at = start + 1;
		return REPLACEMENT;
	}
	*at = start + length;
	return utf8_to_unicode(start);
}

static void
append_utf8(StringInfo page, pg_wchar c)
{
	unsigned char bytes[8] = {0};

	unicode_to_utf8(c, bytes);
	appendBinaryStringInfo(page, (const char *) bytes, pg_utf_mblen(bytes));
}

void
append_page_text(StringInfo page, const char *utf8, size_t len)
{
	const unsigned char *at = (const unsigned char *) utf8,
			   *end = at + len;
	bool		raw = client_reads_utf8();

	while (at < end)
	{
		pg_wchar	c = next_character(&at, end);
		const char *reference = reference_of(c);

		if (is_forbidden(c))
			c = REPLACEMENT;
		if (reference != NULL)
			appendStringInfoString(page, reference);
		else if (c < 0x80)
			appendStringInfoChar(page, (char) c);
		else if (raw)
			append_utf8(page, c);
		else
			appendStringInfo(page, "&#x%X;", (unsigned) c);
	}
}

Datum
im_html_text(PG_FUNCTION_ARGS)
{
	text	   *given = PG_GETARG_TEXT_PP(0);
	char	   *string = VARDATA_ANY(given);
	size_t		len = VARSIZE_ANY_EXHDR(given);
	StringInfoData page;

	if (GetDatabaseEncoding() != PG_UTF8 && GetDatabaseEncoding() != PG_SQL_ASCII)
	{
		string = (char *) pg_do_encoding_conversion((unsigned char *) text_to_cstring(given), len,
													GetDatabaseEncoding(), PG_UTF8);
		len = strlen(string);
	}
	initStringInfo(&page);
	append_page_text(&page, string, len);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(page.data, page.len));
}
