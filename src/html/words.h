/*
 * words.h
 *	  The languages of the pages.
 */
#ifndef IM_HTML_WORDS_H
#define IM_HTML_WORDS_H

typedef enum Language
{
	ENGLISH,
	CHINESE,
	LANGUAGES
} Language;

/* The language called "en" or "zh"; raises 22023 for another name. */
extern Language language_of(const char *name);

#endif							/* IM_HTML_WORDS_H */
