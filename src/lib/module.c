/*
 * module.c
 *	  Marks the library as one for this server.
 */
#include "lib/compat.h"

PG_MODULE_MAGIC;
