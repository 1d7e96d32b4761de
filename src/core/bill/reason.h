/*
 * reason.h
 *	  Why a line has its amount: a code and the figures that go with it.
 *
 * Rules give reasons, and sentences are made of them where somebody reads
 * them, in his language; what is only added up needs none.  An issued line
 * keeps its reason, so the names of codes and figures are for ever.
 */
#ifndef IM_CORE_REASON_H
#define IM_CORE_REASON_H

#include "core/amount.h"
#include "core/calendar.h"

typedef enum FigureKind
{
	FIGURE_AMOUNT,
	FIGURE_COUNT,
	FIGURE_DAY,
	FIGURE_TEXT					/* a name, or the code of a part of the sentence */
} FigureKind;

typedef struct Figure
{
	const char *key;
	FigureKind	kind;
	union
	{
		Amount		amount;
		int64_t		count;
		CalDay		day;
		const char *text;
	}			value;
} Figure;

typedef struct Reason
{
	Core	   *core;
	const char *code;
	int			nfigures;
	int			capacity;
	Figure	   *figures;
} Reason;

/* A reason without figures, in the core's memory. */
extern Reason *reason_new(Core *core, const char *code);

/* Each adds a figure; a text that is "" adds none. */
extern void reason_amount(Reason *reason, const char *key, Amount amount);
extern void reason_count(Reason *reason, const char *key, int64_t count);
extern void reason_day(Reason *reason, const char *key, CalDay day);
extern void reason_text(Reason *reason, const char *key, const char *text);

/* An amount of money: two figures, of which the other is its currency. */
extern void reason_money(Reason *reason, const char *key, Amount amount, const char *currency);

/* A figure in plain digits, a day as 2024-03-17, a text as it is. */
extern const char *figure_text(Core *core, const Figure *figure);

typedef enum ReasonLanguage
{
	REASON_ENGLISH,
	REASON_CHINESE,				/* in UTF-8; so the figures have to be, too */
	REASON_LANGUAGES
} ReasonLanguage;

/* The text of a figure; NULL where there is none of that key. */
typedef const char *(*FigureLookup) (void *arg, const char *key);

/*
 * The sentence of a reason, in the core's memory; NULL for an unknown code, or
 * where a figure is lacking that the sentence cannot do without.
 */
extern const char *reason_words(Core *core, ReasonLanguage language, const char *code,
								FigureLookup lookup, void *arg);

/* The same of a reason that a rule gave, which lacks nothing. */
extern const char *reason_sentence(Core *core, ReasonLanguage language, const Reason *reason);

#endif							/* IM_CORE_REASON_H */
