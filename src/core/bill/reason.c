/*
 * reason.c
 *	  Why a line has its amount: a code and the figures that go with it.
 */
#include "core/bill/reason.h"

#include <string.h>

Reason *
reason_new(Core *core, const char *code)
{
	Reason	   *reason = core_alloc(core, sizeof(Reason));

	reason->core = core;
	reason->code = code;
	return reason;
}

static Figure *
add_figure(Reason *reason, const char *key, FigureKind kind)
{
	Figure	   *figure;

	reason->figures = core_grow(reason->core, reason->figures, reason->nfigures, &reason->capacity,
								sizeof(Figure));
	figure = &reason->figures[reason->nfigures++];
	figure->key = key;
	figure->kind = kind;
	return figure;
}

void
reason_amount(Reason *reason, const char *key, Amount amount)
{
	add_figure(reason, key, FIGURE_AMOUNT)->value.amount = amount;
}

void
reason_count(Reason *reason, const char *key, int64_t count)
{
	add_figure(reason, key, FIGURE_COUNT)->value.count = count;
}

void
reason_day(Reason *reason, const char *key, CalDay day)
{
	add_figure(reason, key, FIGURE_DAY)->value.day = day;
}

void
reason_text(Reason *reason, const char *key, const char *text)
{
	if (text[0] != '\0')
		add_figure(reason, key, FIGURE_TEXT)->value.text = text;
}

void
reason_money(Reason *reason, const char *key, Amount amount, const char *currency)
{
	reason_amount(reason, key, amount);
	reason_text(reason, "currency", currency);
}

const char *
figure_text(Core *core, const Figure *figure)
{
	switch (figure->kind)
	{
		case FIGURE_AMOUNT:
			return amount_text(figure->value.amount, 0, core_alloc(core, AMOUNT_TEXT_SIZE));
		case FIGURE_COUNT:
			return core_printf(core, "%lld", (long long) figure->value.count);
		case FIGURE_DAY:
			return cal_day_text(figure->value.day, core_alloc(core, CAL_TEXT_SIZE));
		case FIGURE_TEXT:
			break;
	}
	return figure->value.text;
}

typedef struct Lookup
{
	Core	   *core;
	const Reason *reason;
} Lookup;

static const char *
figure_of(void *arg, const char *key)
{
	const Lookup *lookup = arg;

	for (int i = 0; i < lookup->reason->nfigures; i++)
		if (strcmp(lookup->reason->figures[i].key, key) == 0)
			return figure_text(lookup->core, &lookup->reason->figures[i]);
	return NULL;
}

const char *
reason_sentence(Core *core, ReasonLanguage language, const Reason *reason)
{
	Lookup		lookup = {core, reason};

	return reason_words(core, language, reason->code, figure_of, &lookup);
}
