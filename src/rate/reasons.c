/*
 * reasons.c
 *	  Reasons of lines as text, and sentences of reasons that were kept.
 *
 * What was kept is read with doubt: whoever owns the ledger may have written
 * it, and a later version may know codes that this one does not.
 */
#include "rate/reasons.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "server/core.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"

PG_FUNCTION_INFO_V1(im_reason_sentence);

char *
reason_json(Core *core, const Reason *reason)
{
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfo(&json, REASON_START "\"%s\", \"figures\": {", reason->code);
	for (int i = 0; i < reason->nfigures; i++)
	{
		const Figure *figure = &reason->figures[i];
		const char *text = figure_text(core, figure);

		appendStringInfo(&json, "%s\"%s\": ", i > 0 ? ", " : "", figure->key);
		if (figure->kind == FIGURE_AMOUNT || figure->kind == FIGURE_COUNT)
			appendStringInfoString(&json, text);
		else
			escape_json(&json, text);
	}
	appendStringInfoString(&json, "}}");
	return json.data;
}

typedef struct Kept
{
	Core	   *core;
	ReasonLanguage language;
	JsonbContainer *figures;
} Kept;

static bool
find_member(JsonbContainer *object, const char *key, JsonbValue *value)
{
	return JsonContainerIsObject(object) &&
		getKeyJsonValueFromContainer(object, key, strlen(key), value) != NULL;
}

/* A name in the encoding of the sentence that it goes into. */
static const char *
name_for(ReasonLanguage language, const JsonbValue *name)
{
	char	   *text = pnstrdup(name->val.string.val, name->val.string.len);

	return language == REASON_ENGLISH ? text :
		pg_server_to_any(text, name->val.string.len, PG_UTF8);
}

static const char *kept_words(Core *core, ReasonLanguage language, const char *code, JsonbContainer *figures);

/* The sentence of {"reason": ..., "figures": {...}}. */
static const char *
words_of(Core *core, ReasonLanguage language, JsonbContainer *reason)
{
	JsonbValue	code,
				figures;

	if (!find_member(reason, "reason", &code) || code.type != jbvString ||
		!find_member(reason, "figures", &figures) || figures.type != jbvBinary)
		return NULL;
	return kept_words(core, language, pnstrdup(code.val.string.val, code.val.string.len),
					  figures.val.binary.data);
}

static const char *
kept_figure(void *arg, const char *key)
{
	const Kept *kept = arg;
	JsonbValue	value;

	if (!find_member(kept->figures, key, &value))
		return NULL;
	switch (value.type)
	{
		case jbvString:
			return name_for(kept->language, &value);
		case jbvNumeric:
			return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value.val.numeric)));
		case jbvBinary:			/* what a note is a change of */
			return words_of(kept->core, kept->language, value.val.binary.data);
		default:
			return NULL;
	}
}

static const char *
kept_words(Core *core, ReasonLanguage language, const char *code, JsonbContainer *figures)
{
	Kept		kept = {core, language, figures};

	check_stack_depth();
	return reason_words(core, language, code, kept_figure, &kept);
}

const char *
kept_sentence(ReasonLanguage language, const char *code, Jsonb *figures)
{
	ServerCore	server;

	server_core_init(&server);
	return kept_words(&server.core, language, code, &figures->root);
}

const char *
kept_sentence_of(ReasonLanguage language, const char *reason)
{
	Jsonb	   *json = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(reason)));
	ServerCore	server;

	server_core_init(&server);
	return words_of(&server.core, language, &json->root);
}

Datum
im_reason_sentence(PG_FUNCTION_ARGS)
{
	const char *sentence = kept_sentence(REASON_ENGLISH, text_to_cstring(PG_GETARG_TEXT_PP(0)),
										 PG_GETARG_JSONB_P(1));

	if (sentence == NULL)
		PG_RETURN_NULL();
	return sentence_datum(sentence);
}
