/*
 * usage.h
 *	  What an app used on one day: the unit that meters hand to rating.
 *
 * A meter's result for one app is a sequence of days, each day USAGE_FIELDS
 * integers in the order of UsageField.  That is also the layout of the
 * bigint[] in which SQL carries it: plain numbers, no bytes to validate, and
 * a month of one app in under 3 kB.  Half minutes and minutes are already
 * rounded as the rules say, since both rules round within the day.
 */
#ifndef IM_CORE_USAGE_H
#define IM_CORE_USAGE_H

#include "core/calendar.h"

typedef enum UsageField
{
	USAGE_DAY,					/* CalDay */
	USAGE_DAU,					/* distinct users that logged in */
	USAGE_GROUPS,				/* most groups existing at one moment */
	USAGE_TEXT,					/* checks */
	USAGE_IMAGE,				/* checks */
	USAGE_AUDIO_HALF,			/* half minutes of audio checked */
	USAGE_VIDEO_HALF,			/* half minutes of video checked */
	USAGE_CALL_AUDIO,			/* call minutes by class, started ones counted */
	USAGE_CALL_SD,
	USAGE_CALL_HD,
	USAGE_CALL_FHD,
	USAGE_FIELDS
} UsageField;

typedef enum CheckKind
{
	CHECK_TEXT,
	CHECK_IMAGE,
	CHECK_AUDIO,
	CHECK_VIDEO,
	CHECK_KINDS
} CheckKind;

typedef enum CallClass
{
	CALL_AUDIO,
	CALL_SD,
	CALL_HD,
	CALL_FHD,
	CALL_CLASSES
} CallClass;

/* The names in tables and cards, in the order of the enums. */
extern const char *const check_kind_names[CHECK_KINDS];
extern const char *const call_class_names[CALL_CLASSES];

/* Finds a name of len bytes; -1 where there is none such. */
extern int	check_kind_find(const char *name, size_t len);
extern int	call_class_find(const char *name, size_t len);

#endif							/* IM_CORE_USAGE_H */
