/*
 * reasons.h
 *	  Reasons of lines as text, and sentences of reasons that were kept.
 */
#ifndef IM_RATE_REASONS_H
#define IM_RATE_REASONS_H

#include "lib/compat.h"

#include "core/bill/reason.h"
#include "utils/jsonb.h"

/* A reason as text begins so: no sentence does. */
#define REASON_START	"{\"reason\": "

/* {"reason": "term", "figures": {"months": 1, ...}}, palloc'd, in the database's encoding. */
extern char *reason_json(Core *core, const Reason *reason);

/*
 * The sentence of a code and its figures, palloc'd: English in the database's
 * encoding, Chinese in UTF-8.  NULL where there is none; see reason_words().
 */
extern const char *kept_sentence(ReasonLanguage language, const char *code, Jsonb *figures);

/* The same of a reason as text. */
extern const char *kept_sentence_of(ReasonLanguage language, const char *reason);

#endif							/* IM_RATE_REASONS_H */
