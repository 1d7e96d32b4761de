/*
 * module.c
 *	  Marks the library as one for this server.
 */
#include "types/compat.h"

PG_MODULE_MAGIC;
