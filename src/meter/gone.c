/*
 * gone.c
 *	  What the SQL of earlier versions declares, and nothing calls any more.
 *
 * Such SQL goes on running on this library until it is updated, and an update
 * begins with it: the server looks for each symbol when a function is made.
 */
#include "lib/compat.h"

static Datum
gone(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("%s() is no more", name),
			 errdetail("It is of an earlier version of imbilling, in which nothing called it."),
			 errhint("ALTER EXTENSION imbilling UPDATE.")));
	return (Datum) 0;
}

#define GONE(name) \
	PG_FUNCTION_INFO_V1(name); \
	Datum \
	name(PG_FUNCTION_ARGS) \
	{ \
		(void) fcinfo; \
		return gone(#name); \
	}

GONE(im_app_checks_trans)
GONE(im_app_checks_combine)
GONE(im_app_checks_serial)
GONE(im_app_checks_deserial)
GONE(im_app_checks_final)
GONE(im_app_checks_rows)
