/*
 * page_text.h
 *	  Text as it may stand in an HTML page, in content and in attributes.
 */
#ifndef IM_HTML_PAGE_TEXT_H
#define IM_HTML_PAGE_TEXT_H

#include "lib/compat.h"

#include "lib/stringinfo.h"

/*
 * Appends len bytes of UTF-8, escaped: & < > " ' become references, and what
 * HTML forbids (control characters, noncharacters, broken bytes) becomes
 * U+FFFD.  Other characters stay themselves only if the client gets the page
 * as UTF-8, which is what it declares; else they are references as well, so
 * that the page is right in any encoding.
 */
extern void append_page_text(StringInfo page, const char *utf8, size_t len);

/* im_html_text(text): a text of the server's encoding, escaped. */
extern Datum im_html_text(PG_FUNCTION_ARGS);

#endif							/* IM_HTML_PAGE_TEXT_H */
