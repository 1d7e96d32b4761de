/*
 * page_reason.c
 *	  Why a line has its amount, in the language of a page.
 */
#include "html/page_text.h"

#include "html/words.h"
#include "rate/reasons.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(im_html_reason);

/*
 * Lines that were issued before reasons were kept have a sentence instead,
 * and it is English on every page.
 */
Datum
im_html_reason(PG_FUNCTION_ARGS)
{
	Language	language = language_of(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	char	   *reason = text_to_cstring(PG_GETARG_TEXT_PP(1));
	const char *sentence = NULL;
	StringInfoData page;

	if (strncmp(reason, REASON_START, strlen(REASON_START)) == 0)
		sentence = kept_sentence_of(language == CHINESE ? REASON_CHINESE : REASON_ENGLISH, reason);
	if (sentence == NULL)
		return DirectFunctionCall1(im_html_text, PG_GETARG_DATUM(1));
	if (language != CHINESE)
		return DirectFunctionCall1(im_html_text, CStringGetTextDatum(sentence));
	initStringInfo(&page);
	append_page_text(&page, sentence, strlen(sentence));
	PG_RETURN_TEXT_P(cstring_to_text_with_len(page.data, page.len));
}
