/*
 * idslot.c
 *	  The seed of the hashes of ids.
 */
#include "lib/idslot.h"

#include "access/xlog.h"
#include "utils/timestamp.h"

uint64		id_seed[2];

/* Same in all processes of a server that runs, and not to be guessed. */
void
id_seed_make(void)
{
	if (id_seed[0] != 0)
		return;
	id_seed[0] = id_mix(GetSystemIdentifier() + id_mix(PgStartTime)) | 1;
	id_seed[1] = id_mix(id_seed[0] ^ PgStartTime);
}
